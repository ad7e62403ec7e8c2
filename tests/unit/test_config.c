/* Options: what flags and environment variables give, what is said of wrong ones, and that the server's table agrees
 * with the server's own defaults. */
#define _GNU_SOURCE 1 /* memmem */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/limits.h"
#include "server/config.h"
#include "server/memory.h"

enum { MOST = 8 };

struct outcome {
    enum cp_options_outcome outcome;
    struct cp_config config;
    int operand_count;
    char *arguments[MOST];
    char error[512];
};

static void read_options(struct outcome *out, const struct cp_option_table *table, const char *const *arguments,
                         const char *const *environment)
{
    int count = 0;
    *out = (struct outcome){.operand_count = -1};
    for (; arguments[count]; count++) out->arguments[count] = (char *)arguments[count];
    out->outcome = cp_options_read(table, &out->config, (char *const *)environment, out->arguments, count,
                                   &out->operand_count, out->error, sizeof out->error);
}

static void numbers(void **state)
{
    static const struct {
        const char *name;
        const char *arguments[MOST];
        const char *environment[MOST];
        int64_t port, header_bytes;
    } rows[] = {
        {"defaults", {NULL}, {NULL}, 8080, 8192},
        {"flag", {"--port", "90"}, {NULL}, 90, 8192},
        {"flag with =", {"--port=90"}, {NULL}, 90, 8192},
        {"zero", {"--port", "0"}, {NULL}, 0, 8192},
        {"largest", {"--port", "65535"}, {NULL}, 65535, 8192},
        {"leading zeros", {"--port", "00090"}, {NULL}, 90, 8192},
        {"the last flag wins", {"--port", "90", "--port=91"}, {NULL}, 91, 8192},
        {"variable", {NULL}, {"CONVPLAN_PORT=92"}, 92, 8192},
        {"flag over variable", {"--port", "90"}, {"CONVPLAN_PORT=92"}, 90, 8192},
        {"flag over wrong variable", {"--port", "90"}, {"CONVPLAN_PORT=tcp://10.0.0.1:80"}, 90, 8192},
        {"empty variable", {NULL}, {"CONVPLAN_PORT="}, 8080, 8192},
        {"longer names are others", {NULL}, {"CONVPLAN_PORTS=1", "CONVPLAN_POR=2", "XCONVPLAN_PORT=3"}, 8080, 8192},
        {"bytes", {"--header-bytes", "5000"}, {NULL}, 8080, 5000},
        {"KiB", {"--header-bytes=16KiB"}, {NULL}, 8080, 16384},
        {"MiB", {NULL}, {"CONVPLAN_HEADER_BYTES=1MiB"}, 8080, 1048576},
    };
    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        struct outcome got;
        read_options(&got, &cp_config_table, rows[row].arguments, rows[row].environment);
        if (got.outcome == CP_OPTIONS_READ && got.config.port == rows[row].port &&
            got.config.header_bytes == rows[row].header_bytes && got.operand_count == 0)
            continue;
        fprintf(stderr, "%s: outcome %d, port %lld, header bytes %lld, %s\n", rows[row].name, (int)got.outcome,
                (long long)got.config.port, (long long)got.config.header_bytes, got.error);
        fail();
    }
}

static void wrong(void **state)
{
    static const struct {
        const char *name;
        const char *arguments[MOST];
        const char *environment[MOST];
        const char *error;
    } rows[] = {
        {"too large",
         {"--port", "65536"},
         {NULL},
         "--port cannot be \"65536\"; it takes a whole number from 0 to 65535"},
        {"negative", {"--port=-1"}, {NULL}, "--port cannot be \"-1\"; it takes a whole number from 0 to 65535"},
        {"empty", {"--port="}, {NULL}, "--port cannot be \"\"; it takes a whole number from 0 to 65535"},
        {"fraction", {"--port=1.5"}, {NULL}, "--port cannot be \"1.5\"; it takes a whole number from 0 to 65535"},
        {"space", {"--port= 1"}, {NULL}, "--port cannot be \" 1\"; it takes a whole number from 0 to 65535"},
        {"a unit where none belongs",
         {"--port=1KiB"},
         {NULL},
         "--port cannot be \"1KiB\"; it takes a whole number from 0 to 65535"},
        {"wraps to 80 in 64 bits",
         {"--port=18446744073709551696"},
         {NULL},
         "--port cannot be \"18446744073709551696\"; it takes a whole number from 0 to 65535"},
        {"wraps in the unit",
         {"--header-bytes=9007199254740992KiB"},
         {NULL},
         "--header-bytes cannot be \"9007199254740992KiB\"; it takes a number of bytes, such as 65536 or 64KiB, "
         "from 1KiB to 1MiB"},
        {"unknown unit",
         {"--header-bytes=8kB"},
         {NULL},
         "--header-bytes cannot be \"8kB\"; it takes a number of bytes, such as 65536 or 64KiB, from 1KiB to 1MiB"},
        {"variable",
         {NULL},
         {"CONVPLAN_WORKERS=many"},
         "CONVPLAN_WORKERS cannot be \"many\"; it takes a whole number from 0 to 256"},
        {"no value", {"--port"}, {NULL}, "--port needs a value: PORT"},
        {"misspelt", {"--prot", "80"}, {NULL}, "there is no option --prot; did you mean --port?"},
        {"misspelt with =", {"--prot=80"}, {NULL}, "there is no option --prot; did you mean --port?"},
        {"misspelt help", {"--hlep"}, {NULL}, "there is no option --hlep; did you mean --help?"},
        {"unlike any", {"--xyzzy-plugh"}, {NULL}, "there is no option --xyzzy-plugh; see convplan serve --help"},
        {"operand", {"80"}, {NULL}, "\"80\" is one argument too many; see convplan serve --help"},
        {"operand after --",
         {"--", "--port"},
         {NULL},
         "\"--port\" is one argument too many; see convplan serve --help"},
    };
    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        struct outcome got;
        read_options(&got, &cp_config_table, rows[row].arguments, rows[row].environment);
        if (got.outcome == CP_OPTIONS_WRONG && strcmp(got.error, rows[row].error) == 0) continue;
        fprintf(stderr, "%s: outcome %d, %s\n", rows[row].name, (int)got.outcome, got.error);
        fail();
    }
}

static void helps(void **state)
{
    static const struct {
        const char *name;
        const char *arguments[MOST];
        enum cp_options_outcome outcome;
    } rows[] = {
        {"alone", {"--help"}, CP_OPTIONS_HELP},
        {"short", {"-h"}, CP_OPTIONS_HELP},
        {"after what is wrong", {"--port", "x", "--help"}, CP_OPTIONS_HELP},
        {"as Markdown", {"--help=markdown"}, CP_OPTIONS_MARKDOWN},
        {"behind --", {"--", "--help"}, CP_OPTIONS_WRONG},
    };
    static const char *const nothing[] = {NULL};
    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        struct outcome got;
        read_options(&got, &cp_config_table, rows[row].arguments, nothing);
        if (got.outcome == rows[row].outcome) continue;
        fprintf(stderr, "%s: outcome %d\n", rows[row].name, (int)got.outcome);
        fail();
    }
}

/* Words and operands, in a table of the test's own. */
static void operands(void **state)
{
    static const char *const words[] = {"auto", "json", NULL};
    static const struct cp_option option = {"--format",
                                            "F",
                                            "auto",
                                            CP_OPTION_WORD,
                                            .words = words,
                                            .unit = "FORMAT",
                                            .help = "what to print",
                                            .offset = offsetof(struct cp_config, port)};
    static const struct cp_option_table table = {"test", "FILE…", "Tests.", &option, 1};
    static const struct {
        const char *name;
        const char *arguments[MOST];
        int64_t word;
        const char *operands[MOST];
    } rows[] = {
        {"none", {NULL}, 0, {NULL}},
        {"one", {"a"}, 0, {"a"}},
        {"standard input", {"-", "--format", "json"}, 1, {"-"}},
        {"around a flag", {"a", "--format", "json", "b"}, 1, {"a", "b"}},
        {"like a flag", {"--", "--format", "json"}, 0, {"--format", "json"}},
        {"after --", {"a", "--", "b", "--"}, 0, {"a", "b", "--"}},
        {"empty", {""}, 0, {""}},
    };
    static const char *const nothing[] = {NULL};
    static const char *const wrong_word[] = {"--format=xml", NULL};
    struct outcome got;
    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        int expected = 0;
        read_options(&got, &table, rows[row].arguments, nothing);
        bool good = got.outcome == CP_OPTIONS_READ && got.config.port == rows[row].word;
        for (; good && rows[row].operands[expected]; expected++)
            good = expected < got.operand_count && strcmp(got.arguments[expected], rows[row].operands[expected]) == 0;
        if (good && got.operand_count == expected) continue;
        fprintf(stderr, "%s: outcome %d, %d operands\n", rows[row].name, (int)got.outcome, got.operand_count);
        fail();
    }
    read_options(&got, &table, wrong_word, nothing);
    assert_int_equal(got.outcome, CP_OPTIONS_WRONG);
    assert_string_equal(got.error, "--format cannot be \"xml\"; it takes one of auto, json");
}

static void defaults_are_the_servers(void **state)
{
    static const struct cp_http_options expected = CP_HTTP_DEFAULTS;
    static const char *const nothing[] = {NULL};
    struct outcome got;
    (void)state;
    read_options(&got, &cp_config_table, nothing, nothing);
    static const struct cp_budgets budgets = CP_DEFAULT_BUDGETS;
    struct cp_http_options options = cp_config_http(&got.config);
    assert_memory_equal(&got.config.budgets, &budgets, sizeof budgets);
    assert_string_equal(options.host, "127.0.0.1"); /* unlike the server's own: only this machine, unless asked */
    assert_int_equal(options.port, expected.port);
    assert_int_equal(options.workers, expected.workers);
    assert_int_equal(options.drain_seconds, expected.drain_seconds);
    assert_int_equal(options.connection_limit, expected.connection_limit);
    assert_int_equal(options.idle_seconds, expected.idle_seconds);
    assert_int_equal(options.request_seconds, expected.request_seconds);
    assert_int_equal(options.header_bytes, expected.header_bytes);
    assert_int_equal(options.request_memory_bytes, expected.request_memory_bytes);
    assert_int_equal(options.keep_memory_bytes, expected.keep_memory_bytes);
    assert_int_equal(options.address_limit, expected.address_limit);
    assert_int_equal(options.memory_bytes, expected.memory_bytes);
    assert_int_equal(options.gzip_bytes, expected.gzip_bytes);
}

/* Every row of the table is complete, its variable is named after its flag, and --help and the Markdown show it. */
static void rows_are_complete(void **state)
{
    struct cp_memory memory;
    struct cp_writer help, markdown;
    (void)state;
    cp_memory_open(&memory, NULL, SIZE_MAX, NULL);
    cp_writer_begin(&help, &memory.arena, 64);
    cp_options_help(&cp_config_table, &help);
    cp_writer_begin(&markdown, &memory.arena, 64);
    cp_options_markdown(&cp_config_table, &markdown);
    struct cp_text texts[] = {cp_writer_text(&help), cp_writer_text(&markdown)};
    for (int at = 0; at < cp_config_table.count; at++) {
        const struct cp_option *option = &cp_config_table.options[at];
        char variable[64] = "CONVPLAN";
        size_t size = strlen(variable);
        for (const char *flag = option->flag + 1; *flag; flag++)
            variable[size++] = (char)(*flag == '-' ? '_' : *flag - 'a' + 'A');
        variable[size] = '\0';
        bool good = strcmp(option->environment, variable) == 0 && option->unit && option->help && option->initial;
        for (int text = 0; text < 2; text++)
            good = good && memmem(texts[text].bytes, texts[text].size, option->flag, strlen(option->flag)) &&
                   memmem(texts[text].bytes, texts[text].size, variable, size) &&
                   memmem(texts[text].bytes, texts[text].size, option->help, strlen(option->help));
        if (good) continue;
        fprintf(stderr, "%s\n", option->flag);
        fail();
    }
    cp_memory_reset(&memory);
}

static void the_readme_shows_the_table(void **state)
{
    static char readme[1 << 16];
    struct cp_memory memory;
    struct cp_writer markdown;
    FILE *file = fopen("README.md", "r");
    (void)state;
    assert_non_null(file);
    size_t size = fread(readme, 1, sizeof readme, file);
    assert_true(size < sizeof readme);
    fclose(file);
    cp_memory_open(&memory, NULL, SIZE_MAX, NULL);
    cp_writer_begin(&markdown, &memory.arena, 4096);
    cp_options_markdown(&cp_config_table, &markdown);
    struct cp_text table = cp_writer_text(&markdown);
    if (!memmem(readme, size, table.bytes, table.size))
        fail_msg("README.md does not show what convplan serve --help=markdown prints:\n%.*s", (int)table.size,
                 table.bytes);
    cp_memory_reset(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(wrong),
        cmocka_unit_test(helps),
        cmocka_unit_test(operands),
        cmocka_unit_test(defaults_are_the_servers),
        cmocka_unit_test(rows_are_complete),
        cmocka_unit_test(the_readme_shows_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
