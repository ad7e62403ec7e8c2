# convplan: `make help` lists what can be done here.
#
# The file has two halves. The first holds the targets for people; it calls make again with VARIANT set, which opens the
# second half: how the files of one variant (release, debug, asan …) are built in build/VARIANT. Source files are
# found by wildcard: a new .c file needs no line here, and a program tests/*/test_NAME.c runs as soon as it exists.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := release
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-builtin-variables --no-print-directory

# ---- What may be set on the command line ----------------------------------------------------------------------------

CC           = gcc
CLANG        = clang
PYTHON       = /usr/bin/python3
JOBS        := $(shell nproc)
HOST         = 127.0.0.1
PORT         = 8080
DESTDIR      =
prefix       = /usr/local
ONLY         =# part of a test program's path: make test ONLY=window
FUZZ         =# name of a fuzz target: make fuzz FUZZ=json FUZZ_SECONDS=600
FUZZ_SECONDS = 60
CAMPAIGN_SECONDS = 3600
SOAK_SECONDS = 600
QUICK        =# 1: make bench with hardly any rounds
UPDATE       =# 1: make instructions records what it counts
V            =# 1: show every command

# Debian packages. A target installs through apt what it needs and what is missing; nothing else is ever downloaded.
packages          = gcc libc6-dev libmicrohttpd-dev libyaml-dev zlib1g-dev libgnutls28-dev
test_packages     = $(packages) libcjson-dev libcmocka-dev libcurl4-openssl-dev
lint_packages     = $(test_packages) clang clang-tidy clang-format cppcheck
fuzz_packages     = $(packages) libcjson-dev clang libclang-rt-14-dev python3 python3-yaml
vector_packages   = python3 python3-torch
browser_packages  = $(packages) chromium $(if $(shell command -v npm),,nodejs npm)# npm also comes with other nodejs
coverage_packages = $(test_packages) gcovr
promtool_packages = $(test_packages) prometheus
balance_packages  = haproxy wrk python3
docker_packages   = buildah debootstrap util-linux python3
bench_packages    = wrk nodejs python3 python3-fastapi python3-onnx python3-torch python3-torchvision python3-uvicorn \
                    libopenblas0-pthread

# ---- Files ----------------------------------------------------------------------------------------------------------

find_sources = $(sort $(shell find $(wildcard $(1)) -name '*.$(2)' 2>/dev/null))

main_source    := $(wildcard server/main.c)
sources        := $(filter-out server/main.c,$(call find_sources,core server,[cS]))
headers        := $(call find_sources,core server tests,h)
tables         := $(call find_sources,core server tests,def)
# What .incbin may put into the binary, every file of server/ that is no source: -MMD does not see it.
embedded       := $(wildcard openapi.yaml) \
                  $(sort $(shell find $(wildcard server) -type f ! -name '*.[chS]' ! -name '*.def' 2>/dev/null))
# Every test_NAME.c is a program. The other files of its directory are helpers, linked into each program there.
test_kinds     := unit property http contract
test_sources   := $(foreach kind,$(test_kinds),$(wildcard tests/$(kind)/test_*.c))
# What holds of a reply is said in openapi.yaml: whoever gets one checks it as the contract does.
reply_sources  := $(addprefix tests/contract/,reply.c schema.c compare.c)
helper_sources  = $(sort $(filter-out tests/$(1)/test_%,$(wildcard tests/$(1)/*.c)) $(reply_sources))
fuzz_sources   := $(wildcard tests/fuzz/fuzz_*.c)
fuzz_helpers   := $(filter-out $(fuzz_sources) tests/fuzz/replay.c tests/fuzz/mutator.c,$(wildcard tests/fuzz/*.c)) \
                  $(reply_sources)
bench_sources  := $(wildcard tests/bench/*.c)
linted_sources := $(call find_sources,core server tests,c)

# Tests that are no C program: executables that print TAP, as the programs do.
test_scripts   := $(wildcard $(foreach kind,$(test_kinds),$(addprefix tests/$(kind)/test_*.,sh py js mjs)))

only           = $(if $(ONLY),$(foreach name,$(1),$(if $(findstring $(ONLY),$(name)),$(name))),$(1))
program_of     = $(patsubst %.c,build/$(1)/%,$(2))
test_programs  = $(call only,$(call program_of,$(1),$(test_sources) $(fuzz_sources)))
server_of      = $(if $(main_source),build/$(1)/convplan)

# ---- Helpers of the recipes -----------------------------------------------------------------------------------------

# Install those of the packages $(1) that are missing; no call of apt, hence no network and no root, when none is.
define need
missing=; \
for package in $(1); do \
    dpkg-query -W -f '$${db:Status-Abbrev}' $$package 2>/dev/null | grep -q '^.i' || missing+=" $$package"; \
done; \
if [ -n "$$missing" ]; then \
    if ! command -v apt-get >/dev/null; then \
        echo "These Debian packages, or what your system calls them, are needed:$$missing" >&2; exit 1; fi; \
    as_root=; if [ "$$(id -u)" != 0 ]; then as_root=sudo; fi; \
    echo "installing$$missing"; \
    apt="env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300"; \
    $$as_root $$apt -o Acquire::Retries=3 update || echo 'apt-get update failed: going on with the lists that are here' >&2; \
    $$as_root $$apt -o Acquire::Retries=3 install -y --no-install-recommends $$missing </dev/null >/dev/null; \
fi
endef

# make, again, for one variant; a -j from above is passed on by make itself, for which recipes that use this begin
# with a +.
make_variant = $(MAKE) $(if $(V),,-s) $(if $(findstring -j,$(MAKEFLAGS)),,-j$(JOBS)) VARIANT=$(1)

# Build the test programs of variant $(1) and run them. A program that cannot be built is removed, so that the runner
# sees it missing and counts it as failed, and the others still run.
define run_tests
programs="$(call test_programs,$(1)) $(call server_of,$(1))"; \
if ! $(call make_variant,$(1)) -k $$programs; then \
    for program in $$programs; do $(MAKE) -q VARIANT=$(1) $$program 2>/dev/null || rm -f $$program; done; \
fi; \
CONVPLAN=$(call server_of,$(1)) CP_SEEN=$(CURDIR)/build/$(1)/seen LAST=$(if $(ONLY),,tests/http/everything_seen) \
    tests/run $(JOBS) build/$(1) $$programs $(call only,$(test_scripts))
endef

ifndef VARIANT

# Two goals at a time would build the same files twice; each goal is parallel within.
.NOTPARALLEL:

# ---- Run ------------------------------------------------------------------------------------------------------------

.PHONY: help release run install uninstall
help: ## list what can be done here
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

release: deps ## build build/release/convplan (also: plain make)
	+@$(call make_variant,release) build/release/convplan

run: release ## build and serve on http://127.0.0.1:8080 (HOST=, PORT=)
	@exec build/release/convplan serve --host $(HOST) --port $(PORT)

install: release ## install the program (prefix=/usr/local, DESTDIR=)
	install -D -m 755 build/release/convplan $(DESTDIR)$(prefix)/bin/convplan
	install -d $(DESTDIR)$(prefix)/share/doc/convplan
	install -m 644 $(wildcard README.md SECURITY.md LICENSE openapi.yaml) $(DESTDIR)$(prefix)/share/doc/convplan

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(prefix)/bin/convplan
	rm -rf $(DESTDIR)$(prefix)/share/doc/convplan

# ---- Test -----------------------------------------------------------------------------------------------------------

.PHONY: test check promtool-test browser-test balance-test docker-test tsan-test valgrind soak coverage vectors bench
.PHONY: instructions fuzz fuzz-campaign
test: test-deps ## build everything under ASan and UBSan and run all tests (ONLY=part-of-a-name)
	+@$(call run_tests,asan)

# Only the linter of openapi.yaml comes from npm. Where that cannot be reached, it says so and fails nothing.
check: ## what CI runs, and tsan-test: test, promtool-test, all, browser-test, lint, format-check, lint-openapi, check-untracked
	@$(MAKE) test promtool-test
	@$(MAKE) all
	@$(MAKE) browser-test
	@$(MAKE) lint format-check
	@tests/contract/lint.sh || [ $$? = 3 ]
	@$(MAKE) tsan-test
	@$(MAKE) check-untracked

promtool-test: test-deps ## have Prometheus' own promtool judge /metrics
	@$(call need,$(promtool_packages))
	@PROMTOOL=promtool $(MAKE) test ONLY=http/test_metrics

browser-test: release ## test the web pages in Chromium (ONLY=part-of-a-name); npm packages go to build/browser
	@$(call need,$(browser_packages))
	@tests/browser/prepare
	@TEST_SECONDS=600 CONVPLAN=build/release/convplan tests/run $(JOBS) build/browser $(call only,$(wildcard tests/browser/test_*.mjs))

balance-test: release ## many processes behind docker/haproxy.cfg, stopped and killed under load: no request may fail
	@$(call need,$(balance_packages))
	@tests/balance/run

# As root; the base is made by debootstrap once, and kept in build/docker. Where it cannot be run at all, this fails.
docker-test: docker-deps ## build the image without a container engine, and run it
	@tests/docker/run

soak: release ## mixed load for SOAK_SECONDS=600: nothing fails, and memory stays flat
	+@$(call make_variant,release) build/release/tests/soak/soak
	@CONVPLAN=build/release/convplan build/release/tests/soak/soak $(SOAK_SECONDS)

# The memory map that this ThreadSanitizer expects is not that of kernels with more random bits: run without them.
tsan-test: test-deps ## run the HTTP tests under ThreadSanitizer
	@export RUN_UNDER="$$(setarch -R true 2>/dev/null && echo setarch -R || true)" ONLY="$(or $(ONLY),tests/http/)"; \
	$(MAKE) ONLY="$$ONLY" run-variant-tsan

valgrind: test-deps ## run the tests of the debug build under valgrind
	@$(call need,valgrind)
	@RUN_UNDER="valgrind -q --error-exitcode=99 --leak-check=full" $(MAKE) run-variant-debug

coverage: ## run the tests and write build/coverage/index.html
	@$(call need,$(coverage_packages))
	@find build/coverage -name '*.gcda' -delete 2>/dev/null || true
	@$(MAKE) run-variant-coverage
	@gcovr --root . --object-directory build/coverage --filter core/ --filter server/ \
	    --html-details build/coverage/index.html --print-summary

run-variant-%:
	+@$(call run_tests,$*)

fuzz: ## fuzz one target: FUZZ=name FUZZ_SECONDS=60; what it finds goes to build/fuzz/found
	@$(call need,$(fuzz_packages))
	@[ -n "$(FUZZ)" ] || { echo "FUZZ= one of: $(patsubst tests/fuzz/fuzz_%.c,%,$(fuzz_sources))"; exit 1; }
	+@$(call make_variant,fuzz) build/fuzz/libfuzzer/$(FUZZ)
	@$(PYTHON) tests/fuzz/make_seeds.py build/fuzz/seeds
	@mkdir -p build/fuzz/corpus/$(FUZZ) build/fuzz/found build/fuzz/seeds/$(FUZZ)
	build/fuzz/libfuzzer/$(FUZZ) -max_total_time=$(FUZZ_SECONDS) -timeout=20 -rss_limit_mb=4096 -print_final_stats=1 \
	    -artifact_prefix=build/fuzz/found/$(FUZZ)- $(addprefix -dict=,$(wildcard tests/fuzz/$(FUZZ).dict)) \
	    build/fuzz/corpus/$(FUZZ) build/fuzz/seeds/$(FUZZ) tests/fuzz/corpus/$(FUZZ)

fuzz-campaign: ## fuzz all targets for CAMPAIGN_SECONDS=3600 in all, and print executions, coverage and findings
	@$(call need,$(fuzz_packages))
	@MAKE="$(MAKE)" tests/fuzz/campaign $(CAMPAIGN_SECONDS) $(patsubst tests/fuzz/fuzz_%.c,%,$(fuzz_sources))

vectors: release ## make the golden vectors anew with PyTorch
	@$(call need,$(vector_packages))
	$(PYTHON) tests/vectors/make_layers.py
	$(PYTHON) tests/vectors/make_reference.py >tests/vectors/reference.jsonl
	$(PYTHON) tests/vectors/make_decoders.py build/release/convplan

bench: release ## measure the figures of speed beside their yardsticks (QUICK=1: only see that it runs, install nothing)
	@$(if $(QUICK),,$(call need,$(bench_packages)))
	+@$(call make_variant,release) $(call program_of,release,$(bench_sources))
	@$(PYTHON) tests/bench/run --python $(PYTHON) $(if $(QUICK),--quick)

instructions: release ## count the instructions of the hot path and compare with those on record (UPDATE=1: record them)
	@$(call need,valgrind python3)
	+@$(call make_variant,release) build/release/tests/bench/bench_service
	@$(PYTHON) tests/bench/instructions $(if $(UPDATE),--update)

# ---- Look -----------------------------------------------------------------------------------------------------------

.PHONY: lint format format-check check-untracked print-config
lint: lint-deps ## clang-tidy and cppcheck, on what has changed since they last passed
	+@$(call make_variant,lint) -k lint

lint-openapi: ## the linter of openapi.yaml, through npm
	@tests/contract/lint.sh

format: lint-deps ## rewrite all C files in the house format
	@clang-format -i $(linted_sources) $(headers)

format-check: lint-deps ## tell which C files are not in the house format
	@clang-format --dry-run -Werror $(linted_sources) $(headers)

# A test that leaves a file behind, or a generated file without a line in .gitignore, shows up here.
check-untracked: ## fail when git sees a file that is neither tracked nor ignored
	@if ! git -c safe.directory="$$PWD" rev-parse --git-dir >/dev/null 2>&1; then echo "not a git checkout"; exit 0; fi; \
	untracked=$$(git -c safe.directory="$$PWD" ls-files --others --exclude-standard); \
	[ -z "$$untracked" ] || { echo "neither tracked nor ignored:"; echo "$$untracked"; exit 1; }

print-config: ## show compilers, flags and files, for reports of problems
	@echo "compiler   $$($(CC) --version 2>/dev/null | head -1)"
	@for package in libmicrohttpd-dev libcjson-dev libcmocka-dev; do \
	    echo "library    $$(dpkg-query -W $$package 2>/dev/null || echo $$package is missing)"; done
	@echo "files      $(words $(sources) $(main_source)) sources, $(words $(test_sources)) test programs," \
	    "$(words $(fuzz_sources)) fuzz targets, $(words $(embedded)) embedded"
	@for variant in release debug asan ubsan tsan coverage; do \
	    printf '%-10s %s\n' $$variant "$$($(MAKE) VARIANT=$$variant show-flags)"; done

# ---- Other builds ---------------------------------------------------------------------------------------------------

.PHONY: debug asan ubsan tsan all
all: ## build the program, the benchmarks and every test program
	@$(MAKE) release test-deps
	+@$(call make_variant,release) $(call program_of,release,$(bench_sources))
	+@$(call make_variant,asan) $(call test_programs,asan) $(call server_of,asan)

debug: deps ## build build/debug/convplan, for a debugger
asan: deps ## build build/asan/convplan: AddressSanitizer and UndefinedBehaviorSanitizer
ubsan: deps ## build build/ubsan/convplan: UndefinedBehaviorSanitizer alone
tsan: deps ## build build/tsan/convplan: ThreadSanitizer
debug asan ubsan tsan:
	+@$(call make_variant,$@) build/$@/convplan

# ---- Tools ----------------------------------------------------------------------------------------------------------

.PHONY: deps test-deps lint-deps docker-deps clean
deps: ## install what the build needs
	@$(call need,$(packages))

test-deps: ## install what the tests need
	@$(call need,$(test_packages))

lint-deps: ## install what lint and format need
	@$(call need,$(lint_packages))

docker-deps: ## install what docker-test needs
	@$(call need,$(docker_packages))

clean: ## remove build/
	rm -rf build

else

# ---- One variant ----------------------------------------------------------------------------------------------------

# Without a goal: an empty list of programs is built by doing nothing.
.DEFAULT_GOAL := nothing
.PHONY: nothing
nothing: ;

build := build/$(VARIANT)

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wstrict-prototypes \
            -Wmissing-prototypes -Wvla -Werror

# Contraction to fused multiply-adds is off, since the reference convolution asks for them by name: the same bytes on
# every machine.
common_flags := -std=gnu17 -I. -g -pthread -fPIE -ffp-contract=off $(WARNINGS)

optimise := -fstack-protector-strong
sanitize := -O1 -fno-omit-frame-pointer -fno-sanitize-recover=all

# Whether a variable looks uninitialised depends on what the optimiser sees: the release build is the one to judge.
unsure := -Wno-maybe-uninitialized

# Small functions in files of their own cost nothing when the whole program is optimised at once.
flags_release  := -O3 -flto=auto -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 $(optimise) -fstack-clash-protection
flags_debug    := -Og $(optimise) -fno-omit-frame-pointer $(unsure)
flags_asan     := $(sanitize) -fsanitize=address,undefined $(unsure)
flags_ubsan    := $(sanitize) -fsanitize=undefined $(unsure)
flags_tsan     := $(sanitize) -fsanitize=thread $(unsure)
flags_coverage := -O0 --coverage $(unsure)
# clang counts NULL + 0 as an overflow of pointers, which is the end of an empty text here.
flags_fuzz     := $(sanitize) -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize=pointer-overflow
flags_lint     :=

ifeq ($(filter flags_$(VARIANT),$(.VARIABLES)),)
$(error VARIANT is one of: release debug asan ubsan tsan coverage fuzz lint)
endif

ifeq ($(VARIANT),fuzz)
CC := $(CLANG)
endif

CFLAGS  =
LDFLAGS =
compile := $(CC) $(common_flags) $(flags_$(VARIANT)) $(CFLAGS) -MMD -MP
link    := $(CC) $(common_flags) $(flags_$(VARIANT)) $(CFLAGS) -pie -Wl,-z,relro,-z,now,--as-needed $(LDFLAGS)
libraries      := -lmicrohttpd -lgnutls -lyaml -lz -lm
test_libraries := -lcmocka -lcurl -lcjson $(libraries)
fuzz_libraries := -lcjson $(libraries)

# A file that changes when the commands or the list of sources do; all objects and the archive hang on it.
$(shell mkdir -p $(build))
stamp   := $(build)/commands
stamped := $(compile) $(link) $(sources)
ifneq ($(file <$(stamp)),$(stamped))
$(file >$(stamp),$(stamped))
endif
$(stamp): ;

objects := $(patsubst %,$(build)/%.o,$(sources:%.c=%))
archive := $(build)/libconvplan.a

$(build)/%.o: %.c $(stamp)
	@mkdir -p $(@D)
	$(compile) -c $< -o $@

$(build)/%.S.o: %.S $(stamp) $(embedded)
	@mkdir -p $(@D)
	$(compile) -Wa,--noexecstack -c $< -o $@

$(archive): $(objects) $(stamp)
	rm -f $@
	ar rcs $@ $(objects)

$(build)/convplan: $(build)/server/main.o $(archive)
	$(link) $^ $(libraries) -o $@

define test_kind_rules
$(build)/tests/$(1)/test_%: $(build)/tests/$(1)/test_%.o $(patsubst %.c,$(build)/%.o,$(call helper_sources,$(1))) $(archive)
	$$(link) $$^ $$(test_libraries) -o $$@
endef
$(foreach kind,$(test_kinds),$(eval $(call test_kind_rules,$(kind))))

# A fuzz target as a test: every file of its corpus once, without libFuzzer.
$(build)/tests/fuzz/fuzz_%: $(build)/tests/fuzz/fuzz_%.o $(build)/tests/fuzz/replay.o $(fuzz_helpers:%.c=$(build)/%.o) $(archive)
	$(link) $^ $(fuzz_libraries) -o $@

$(build)/libfuzzer/%: $(build)/tests/fuzz/fuzz_%.o $(build)/tests/fuzz/mutator.o $(fuzz_helpers:%.c=$(build)/%.o) $(archive)
	@mkdir -p $(@D)
	$(link) -fsanitize=fuzzer $^ $(fuzz_libraries) -o $@

$(build)/tests/soak/soak: $(build)/tests/soak/soak.o $(patsubst %.c,$(build)/%.o,tests/http/mixed_load.c \
                          tests/http/seen.c $(reply_sources)) $(archive)
	$(link) $^ $(libraries) -o $@

$(build)/tests/bench/%: $(build)/tests/bench/%.o $(archive)
	$(link) $^ $(libraries) -o $@

.PHONY: show-flags
show-flags:
	@echo '$(filter-out $(WARNINGS),$(compile))'

# clang-tidy stamps each file that passes; it sees clang's own warnings too.
.PHONY: lint
lint: $(linted_sources:%.c=$(build)/%.tidy) $(build)/cppcheck.ok $(build)/length.ok

$(build)/%.tidy: %.c .clang-tidy tests/.clang-tidy $(stamp)
	@mkdir -p $(@D)
	@echo "  clang-tidy $<"
	@clang-tidy --quiet $< -- $(common_flags) >$@.log 2>&1 || { cat $@.log; exit 1; }
	@$(CLANG) $(common_flags) -MM -MP -MT $@ -MF $(@:.tidy=.d) $<
	@touch $@

# cppcheck cannot parse an attribute behind a function pointer, so it is shown none. Findings of it that are wrong are
# answered in tests/tools/cppcheck.suppress or beside the line, with the reason.
$(build)/cppcheck.ok: $(linted_sources) $(headers) $(tables) $(wildcard tests/tools/cppcheck.suppress) $(stamp)
	@mkdir -p $(build)/cppcheck
	@echo "  cppcheck"
	@cppcheck --quiet --std=c11 --language=c --platform=unix64 -I. '-D__attribute__(x)=' \
	    -j$(JOBS) --cppcheck-build-dir=$(build)/cppcheck \
	    --enable=warning,style,performance,portability --error-exitcode=1 --inline-suppr --library=posix \
	    $(patsubst %,--suppressions-list=%,$(wildcard tests/tools/cppcheck.suppress)) $(linted_sources)
	@touch $@

$(build)/length.ok: $(linted_sources) $(headers)
	@awk 'FNR == 601 { print FILENAME ": longer than 600 lines"; bad = 1 } END { exit bad }' $^
	@touch $@

.SECONDARY:
-include $(shell find $(build) -name '*.d' 2>/dev/null)

endif
