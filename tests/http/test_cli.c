/* The program on its command line: what it prints where, and how it ends. */
#define _GNU_SOURCE 1 /* mkdtemp */

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/version.h"
#include "tests/http/process.h"

/* ---- Files, in a directory of this run --------------------------------------------------------------------------- */

#define GOOD                                                                                                           \
    "{\"input\": [1, 3, 8, 8], \"layers\": [{\"type\": \"Conv2d\", \"name\": \"c\", \"out_channels\": 6, "             \
    "\"kernel_size\": 5}]}"

#define BAD                                                                                                            \
    "{\"input\": [1, 3, 8],\n"                                                                                         \
    " \"layers\": [\n"                                                                                                 \
    "  {\"type\": \"Conv1d\", \"name\": \"größe\", \"out_channels\": 6, \"kernel_size\": 5},\n"                      \
    "  {\"type\": \"Conv1d\", \"name\": \"a\\u001b[31m<&\", \"out_channels\": 6, \"kernel_size\": 9}]}"

#define TYPO "{\"input\": [1, 3, 8, 8],\n \"layers\": [{\"type\": \"ReLU\", \"nmae\": \"x\"}]}"

/* Two windows of 3 leave two of the 8 units over: valid, with a warning. */
#define WARNING "{\"input\": [1, 3, 8], \"layers\": [{\"type\": \"MaxPool1d\", \"name\": \"p\", \"kernel_size\": 3}]}"

static const struct {
    const char *name, *content;
} files[] = {
    {"good.json", GOOD},
    {"bad.json", BAD},
    {"typo.json", TYPO},
    {"warning.json", WARNING},
    {"syntax.json", "{\"a\": 1,}"},
    {"empty.json", ""},
    {"odd %:,name.json", TYPO},
};

/* Over the limit of the endpoint, 8 MiB. */
#define LARGE_BYTES (((off_t)8 << 20) + 1)

static char directory[] = "/tmp/convplan-test-XXXXXX";
static char before[4096];

static int make_files(void **state)
{
    (void)state;
    cp_process_program();
    if (!getcwd(before, sizeof before) || !mkdtemp(directory) || chdir(directory) != 0) return -1;
    for (size_t at = 0; at < sizeof files / sizeof *files; at++) {
        FILE *file = fopen(files[at].name, "w");
        if (!file || fputs(files[at].content, file) < 0 || fclose(file) != 0) return -1;
    }
    int large = open("large.json", O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (large < 0 || ftruncate(large, LARGE_BYTES) != 0 || close(large) != 0) return -1;
    return mkdir("directory", 0700);
}

static int remove_files(void **state)
{
    (void)state;
    for (size_t at = 0; at < sizeof files / sizeof *files; at++) unlink(files[at].name);
    unlink("large.json");
    rmdir("directory");
    return chdir(before) == 0 ? rmdir(directory) : -1;
}

/* ---- Rows -------------------------------------------------------------------------------------------------------- */

struct row {
    const char *name;
    struct cp_process_start start;
    int status;
    const char *output, *errors; /* all of it; with a "…" at the end, the beginning; NULL: not looked at */
};

static bool matches(const char *text, const char *expected)
{
    static const char more[] = "…";
    size_t size = expected ? strlen(expected) : 0;
    if (!expected) return true;
    if (size < sizeof more - 1 || strcmp(expected + size - (sizeof more - 1), more) != 0)
        return strcmp(text, expected) == 0;
    return strncmp(text, expected, size - (sizeof more - 1)) == 0;
}

static void check(const struct row *row)
{
    static struct cp_process_end end;
    cp_process_run(&row->start, &end);
    if (end.status == row->status && matches(end.output, row->output) && matches(end.errors, row->errors)) return;
    fprintf(stderr, "%s: status %d\n---- output\n%s\n---- errors\n%s\n", row->name, end.status, end.output, end.errors);
    fail();
}

#define CHECK_ROWS(rows)                                                                                               \
    for (size_t at = 0; at < sizeof(rows) / sizeof *(rows); at++) check(&(rows)[at])

static void usage(void **state)
{
    static const struct row rows[] = {
        {"no command", {.arguments = {NULL}}, 2, "", "Usage: convplan COMMAND…"},
        {"help", {.arguments = {"--help"}}, 0, "Usage: convplan COMMAND…", ""},
        {"version", {.arguments = {"--version"}}, 0, "convplan " CP_VERSION "\n", ""},
        {"misspelt command",
         {.arguments = {"shape"}},
         2,
         "",
         "convplan: there is no command \"shape\"; did you mean shapes?\n"},
        {"unknown command that would steer a terminal",
         {.arguments = {"\x1b[2J"}},
         2,
         "",
         "convplan: there is no command \"\\u001b[2J\"; see convplan --help\n"},
        {"help of serve", {.arguments = {"serve", "--help"}}, 0, "Usage: convplan serve [OPTION]…", ""},
        {"help of shapes", {.arguments = {"shapes", "--help"}}, 0, "Usage: convplan shapes [OPTION]…", ""},
        {"no file",
         {.arguments = {"shapes", "--format", "json"}},
         2,
         "",
         "convplan shapes: name a file, or - for standard input\n"},
        {"misspelt option",
         {.arguments = {"shapes", "--fromat=json", "good.json"}},
         2,
         "",
         "convplan shapes: there is no option --fromat; did you mean --format?\n"},
        {"wrong format",
         {.arguments = {"shapes", "--format", "xml", "good.json"}},
         2,
         "",
         "convplan shapes: --format cannot be \"xml\"; it takes one of auto, json, text, github, junit, sarif\n"},
    };
    (void)state;
    CHECK_ROWS(rows);
}

static void statuses(void **state)
{
    static const struct row rows[] = {
        {"valid", {.arguments = {"shapes", "good.json"}}, 0, "{\"valid\":true,…", ""},
        {"valid, with a warning", {.arguments = {"shapes", "warning.json"}}, 0, "{\"valid\":true,…", ""},
        {"not valid", {.arguments = {"shapes", "bad.json"}}, 1, "{\"valid\":false,…", ""},
        {"a misspelt member", {.arguments = {"shapes", "typo.json"}}, 2, "{\"type\":\"/problems/unknown_member\"…", ""},
        {"no JSON", {.arguments = {"shapes", "syntax.json"}}, 2, "{\"type\":\"/problems/invalid_json\"…", ""},
        {"an empty file", {.arguments = {"shapes", "empty.json"}}, 2, "{\"type\":\"/problems/invalid_json\"…", ""},
        {"no file", {.arguments = {"shapes", "none.json"}}, 2, "", "none.json: No such file or directory\n"},
        {"a file over the limit",
         {.arguments = {"shapes", "large.json"}},
         2,
         "{\"type\":\"/problems/body_too_large\"…",
         ""},
        {"a file over the limit, in text",
         {.arguments = {"shapes", "--format=text", "large.json"}},
         2,
         "",
         "large.json: the file is over 8388608 bytes, the limit here\n"},
        {"a directory", {.arguments = {"shapes", "directory"}}, 2, "", "directory: Is a directory\n"},
        {"standard input", {.arguments = {"shapes", "-"}, .input = GOOD}, 0, "{\"valid\":true,…", ""},
        {"standard input, not valid", {.arguments = {"shapes", "-"}, .input = BAD}, 1, "{\"valid\":false,…", ""},
        {"nothing on standard input", {.arguments = {"shapes", "-"}}, 2, "{\"type\":\"/problems/invalid_json\"…", ""},
        {"the worst is last", {.arguments = {"shapes", "good.json", "bad.json", "typo.json"}}, 2, NULL, ""},
        {"the worst is first", {.arguments = {"shapes", "typo.json", "bad.json", "good.json"}}, 2, NULL, ""},
        {"not valid among valid", {.arguments = {"shapes", "good.json", "bad.json", "good.json"}}, 1, NULL, ""},
        {"not valid in text", {.arguments = {"shapes", "--format", "text", "bad.json"}}, 1, NULL, ""},
        {"not valid for GitHub", {.arguments = {"shapes", "--format", "github", "bad.json"}}, 1, NULL, ""},
        {"not valid in JUnit", {.arguments = {"shapes", "--format", "junit", "bad.json"}}, 1, NULL, ""},
        {"not valid in SARIF", {.arguments = {"shapes", "--format", "sarif", "bad.json"}}, 1, NULL, ""},
        {"the format from the environment",
         {.arguments = {"shapes", "good.json"}, .environment = {"CONVPLAN_FORMAT=github"}},
         0,
         "",
         ""},
    };
    (void)state;
    CHECK_ROWS(rows);
}

static void one_line_for_each_file(void **state)
{
    static const struct cp_process_start start = {
        .arguments = {"shapes", "good.json", "none.json", "bad.json", "typo.json"}};
    static struct cp_process_end end;
    int lines = 0;
    (void)state;
    cp_process_run(&start, &end);
    for (const char *at = end.output; *at; at = strchr(at, '\n') + 1, lines++) {
        assert_int_equal(*at, '{');
        assert_non_null(strchr(at, '\n'));
    }
    assert_int_equal(lines, 3);
}

/* ---- Formats ------------------------------------------------------------------------------------------------------ */

#define BAD_FINDING                                                                                                    \
    "the kernel spans 9 cells (kernel_size 9, dilation 1), but the padded input has only 4: 4 + 0 + 0; "               \
    "a window fits where i + p_b + p_e ≥ k̂"
#define BAD_SUGGESTION "pad more, use a smaller kernel or dilation, or an input of at least 9 on this axis"

#define GOOD_TABLE                                                                                                                                                                           \
    "layer  type    output         params   MACs  receptive field\n"                                                                                                                         \
    "────────────────────────────────────────────────────────────\n" \
    "input          1 × 3 × 8 × 8\n"                                                                                                                                                      \
    "c      Conv2d  1 × 6 × 4 × 4     456  7,200              5×5\n"                                                                                                                     \
    "────────────────────────────────────────────────────────────\n" \
    "total          1 × 6 × 4 × 4     456  7,200\n"                                                                                                                                       \
    "peak activation memory: 1,152 bytes\n"                                                                                                                                                  \
    "\n"

#define BAD_TABLE                                                                                                                                                                                     \
    "layer          type    output     params  MACs  receptive field\n"                                                                                                                               \
    "───────────────────────────────────────────────────────────────\n" \
    "input                  1 × 3 × 8\n"                                                                                                                                                            \
    "größe          Conv1d  1 × 6 × 4      96   360                5\n"                                                                                                                           \
    "a\\u001b[31m<&  Conv1d  ?               ?     ?                –\n"                                                                                                                            \
    "───────────────────────────────────────────────────────────────\n" \
    "total                  ?               ?     ?\n"                                                                                                                                                \
    "\n"                                                                                                                                                                                              \
    "error    a\\u001b[31m<&  /layers/1/kernel_size  axis L\n"                                                                                                                                        \
    "         " BAD_FINDING "\n"                                                                                                                                                                      \
    "         " BAD_SUGGESTION "\n"                                                                                                                                                                   \
    "         fix: /layers/1/padding = [3]\n"                                                                                                                                                         \
    "\n"

static void text(void **state)
{
    static const struct row rows[] = {
        {"valid", {.arguments = {"shapes", "--format", "text", "good.json"}}, 0, GOOD_TABLE "valid\n", ""},
        {"not valid",
         {.arguments = {"shapes", "--format", "text", "bad.json"}},
         1,
         BAD_TABLE "not valid: 1 error, 0 warnings\n",
         ""},
        {"several",
         {.arguments = {"shapes", "--format", "text", "good.json", "-"}, .input = BAD},
         1,
         "good.json\n\n" GOOD_TABLE "valid\n\nstandard input\n\n" BAD_TABLE "not valid: 1 error, 0 warnings\n\n",
         ""},
        {"malformed",
         {.arguments = {"shapes", "--format", "text", "typo.json"}},
         2,
         "",
         "typo.json: /layers/0/nmae: `nmae` is not a member here (did you mean `name`?)\n"},
        {"standard input, malformed",
         {.arguments = {"shapes", "--format", "text", "-"}, .input = TYPO},
         2,
         "",
         "standard input: /layers/0/nmae: `nmae` is not a member here (did you mean `name`?)\n"},
        {"colours asked for",
         {.arguments = {"shapes", "--format", "text", "--color", "always", "good.json"}},
         0,
         "\x1b[1mlayer …",
         ""},
    };
    (void)state;
    CHECK_ROWS(rows);
}

static void on_a_terminal(void **state)
{
    static const struct row rows[] = {
        {"text in colours", {.arguments = {"shapes", "good.json"}, .on_terminal = true}, 0, "\x1b[1mlayer …", ""},
        {"NO_COLOR",
         {.arguments = {"shapes", "good.json"}, .environment = {"NO_COLOR=1"}, .on_terminal = true},
         0,
         GOOD_TABLE "valid\n",
         ""},
        {"an empty NO_COLOR does not count",
         {.arguments = {"shapes", "good.json"}, .environment = {"NO_COLOR="}, .on_terminal = true},
         0,
         "\x1b[1mlayer …",
         ""},
        {"a dumb terminal",
         {.arguments = {"shapes", "good.json"}, .environment = {"TERM=dumb"}, .on_terminal = true},
         0,
         GOOD_TABLE "valid\n",
         ""},
        {"no colours, by flag",
         {.arguments = {"shapes", "--color=never", "good.json"}, .on_terminal = true},
         0,
         GOOD_TABLE "valid\n",
         ""},
        {"JSON when asked for",
         {.arguments = {"shapes", "--format=json", "good.json"}, .on_terminal = true},
         0,
         "{\"valid\":true,…",
         ""},
    };
    (void)state;
    CHECK_ROWS(rows);
}

static void github(void **state)
{
    static const struct row rows[] = {
        {"valid", {.arguments = {"shapes", "--format=github", "good.json"}}, 0, "", ""},
        {"not valid",
         {.arguments = {"shapes", "--format=github", "bad.json"}},
         1,
         "::error file=bad.json,line=4,col=66,title=kernel_exceeds_input::/layers/1/kernel_size: " BAD_FINDING
         " (" BAD_SUGGESTION "; set /layers/1/padding = [3])\n",
         ""},
        {"malformed, in a file of an odd name",
         {.arguments = {"shapes", "--format=github", "odd %:,name.json"}},
         2,
         "::error file=odd %25%3A%2Cname.json,line=2,col=30,title=unknown_member::/layers/0/nmae: `nmae` is not a "
         "member "
         "here (did you mean `name`?)\n",
         ""},
        {"no file",
         {.arguments = {"shapes", "--format=github", "none.json"}},
         2,
         "::error file=none.json,line=1,col=1,title=unreadable_file::No such file or directory\n",
         ""},
    };
    (void)state;
    CHECK_ROWS(rows);
}

static void junit(void **state)
{
    static const struct row rows[] = {
        {"one of each",
         {.arguments = {"shapes", "--format=junit", "good.json", "bad.json", "none.json"}},
         2,
         "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
         "<testsuites>\n"
         "<testsuite name=\"convplan shapes\" tests=\"3\" failures=\"1\" errors=\"1\">\n"
         "  <testcase classname=\"convplan.shapes\" name=\"good.json\">\n"
         "  </testcase>\n"
         "  <testcase classname=\"convplan.shapes\" name=\"bad.json\">\n"
         "    <failure type=\"kernel_exceeds_input\" message=\"" BAD_FINDING "\">line 4: kernel_exceeds_input: "
         "/layers/1/kernel_size: " BAD_FINDING " (" BAD_SUGGESTION "; set /layers/1/padding = [3])\n"
         "</failure>\n"
         "  </testcase>\n"
         "  <testcase classname=\"convplan.shapes\" name=\"none.json\">\n"
         "    <error type=\"unreadable_file\" message=\"No such file or directory\">line 1: unreadable_file: "
         "No such file or directory\n"
         "</error>\n"
         "  </testcase>\n"
         "</testsuite>\n"
         "</testsuites>\n",
         ""},
        {"characters that XML has not",
         {.arguments = {"shapes", "--format=junit", "-"},
          .input = "{\"input\": [1], \"layers\": [{\"type\": \"R\\uffff\\ufffe\"}]}"},
         2,
         "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
         "<testsuites>\n"
         "<testsuite name=\"convplan shapes\" tests=\"1\" failures=\"0\" errors=\"1\">\n"
         "  <testcase classname=\"convplan.shapes\" name=\"standard input\">\n"
         "    <error type=\"unknown_layer_type\" message=\"`R\\uffff\\ufffe` is not…",
         ""},
    };
    (void)state;
    CHECK_ROWS(rows);
}

static void sarif(void **state)
{
    static const struct row rows[] = {
        {"malformed, in a file of an odd name",
         {.arguments = {"shapes", "--format=sarif", "odd %:,name.json", "good.json"}},
         2,
         "{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[{\"tool\":"
         "{\"driver\":{\"name\":\"convplan\",\"version\":\"" CP_VERSION "\",\"rules\":[{\"id\":\"unknown_member\",…",
         ""},
    };
    static struct cp_process_end end;
    static const char result[] =
        "\"results\":[{\"ruleId\":\"unknown_member\",\"level\":\"error\",\"message\":{\"text\":\"/layers/0/nmae: "
        "`nmae` is "
        "not a member here (did you mean "
        "`name`?)\"},\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{\"uri\":"
        "\"odd%20%25%3A%2Cname.json\"},\"region\":{\"startLine\":2,\"startColumn\":30}},\"logicalLocations\":"
        "[{\"fullyQualifiedName\":\"/layers/0/nmae\"}]}]}]}]}\n";
    (void)state;
    CHECK_ROWS(rows);
    cp_process_run(&rows[0].start, &end);
    assert_non_null(strstr(end.output, result));
}

/* ---- Encoders and decoders ---------------------------------------------------------------------------------------- */

#define PAIR                                                                                                           \
    "{\"input\": [1, 1, 28, 28], \"encoder\": [{\"type\": \"Conv2d\", \"name\": \"c\", \"out_channels\": 8, "          \
    "\"kernel_size\": 3, \"stride\": 2, \"padding\": 1}], \"decoder\": [{\"type\": \"ConvTranspose2d\", \"name\": "    \
    "\"u\", "                                                                                                          \
    "\"out_channels\": 1, \"kernel_size\": 3, \"stride\": 2, \"padding\": [[1, 1], [0, 1]]}]}"

#define ENCODER                                                                                                        \
    "{\"input\": [1, 3, 29, 28], \"encoder\": [{\"type\": \"Conv2d\", \"name\": \"c\", \"out_channels\": 8, "          \
    "\"kernel_size\": 3, \"stride\": 2, \"padding\": 1}, {\"type\": \"ReLU\", \"name\": \"r\"}, {\"type\": "           \
    "\"MaxPool2d\", "                                                                                                  \
    "\"name\": \"p\", \"kernel_size\": 2, \"ceil_mode\": true}], \"pool_inverse\": \"unpool\"}"

#define GLOBAL "{\"input\": [1, 3, 8, 8], \"encoder\": [{\"type\": \"Mean\", \"name\": \"m\", \"dim\": [2, 3]}]}"

#define PAIR_TABLE                                                                                                                                                                                                                                    \
    "input 1 × 1 × 28 × 28  →  latent 1 × 8 × 14 × 14  →  output 1 × 1 × 27 × 28\n"                                                                                                                                                      \
    "encoder  decoder  axis   i  k  s  p  i′  a  output_padding  output  expected\n"                                                                                                                                                                \
    "───────────────────────────────────────────────────────────────────────────────\n" \
    "c        u        H     28  3  2  1  14  1               0      27        28  ✗\n"                                                                                                                                                             \
    "c        u        W     28  3  2  1  14  1               0      28        28  ✓\n"                                                                                                                                                             \
    "\n"                                                                                                                                                                                                                                              \
    "error    u  /decoder/0/output_padding\n"                                                                                                                                                                                                         \
    "         `u` gives [27, 28], but [28, 28] is what the encoder took there\n"                                                                                                                                                                      \
    "         change `output_padding`; all fixes together make the pair fit\n"                                                                                                                                                                        \
    "         fix: /decoder/0/output_padding = [1,0]\n"                                                                                                                                                                                               \
    "\n"                                                                                                                                                                                                                                              \
    "not valid: 1 error, 0 warnings\n"

#define DECODER_TABLE                                                                                                                                                                                                                                                                                                                                  \
    "layer      type             parameters                                                                          "                                                                                                                                                                                                                                 \
    "      output\n"                                                                                                                                                                                                                                                                                                                                   \
    "────────────────────────────────────────────────────────────────────────────────────────────────────────────────" \
    "─────────────────────\n"                                                                                                                                                                                                                                                                                \
    "p_inverse  MaxUnpool2d      kernel_size 2, stride 2, padding 0, output_size [15, 14]                            "                                                                                                                                                                                                                                 \
    "      1 × 8 × 15 × 14\n"                                                                                                                                                                                                                                                                                                                       \
    "r_mirror   ReLU                                                                                                 "                                                                                                                                                                                                                                 \
    "      1 × 8 × 15 × 14\n"                                                                                                                                                                                                                                                                                                                       \
    "c_inverse  ConvTranspose2d  in_channels 8, out_channels 3, kernel_size 3, stride 2, padding 1, output_padding "                                                                                                                                                                                                                                   \
    "[0, 1]  1 × 3 × 29 × 28\n"                                                                                                                                                                                                                                                                                                                     \
    "\n"                                                                                                                                                                                                                                                                                                                                               \
    "input 1 × 3 × 29 × 28  →  latent 1 × 8 × 8 × 7  →  output 1 × 3 × 29 × 28\n"                                                                                                                                                                                                                                                         \
    "encoder  decoder    axis   i  k  s  p  i′  a  output_padding  output  expected\n"                                                                                                                                                                                                                                                               \
    "─────────────────────────────────────────────────────────────────────────────────\n"                                                                                            \
    "p        p_inverse  H     15  2  2  0   8  1              -1      15        15  ✓\n"                                                                                                                                                                                                                                                            \
    "p        p_inverse  W     14  2  2  0   7  0               0      14        14  ✓\n"                                                                                                                                                                                                                                                            \
    "c        c_inverse  H     29  3  2  1  15  0               0      29        29  ✓\n"                                                                                                                                                                                                                                                            \
    "c        c_inverse  W     28  3  2  1  14  1               1      28        28  ✓\n"                                                                                                                                                                                                                                                            \
    "The last layer has no activation: which one depends on the range of the data (Sigmoid for [0, 1], Tanh for [-1, "                                                                                                                                                                                                                                 \
    "1], none for unbounded values).\n"                                                                                                                                                                                                                                                                                                                \
    "\n"                                                                                                                                                                                                                                                                                                                                               \
    "valid\n"

static void encoders_and_decoders(void **state)
{
    static const struct row rows[] = {
        {"a pair in text", {.arguments = {"roundtrip", "--format", "text", "-"}, .input = PAIR}, 1, PAIR_TABLE, ""},
        {"a pair in JSON",
         {.arguments = {"roundtrip", "-"}, .input = PAIR},
         1,
         "{\"valid\":false,\"input\":[1,1,28,28]…",
         ""},
        {"a pair for GitHub",
         {.arguments = {"roundtrip", "--format", "github", "-"}, .input = PAIR},
         1,
         "::error file=-,line=1,col=149,title=round_trip_mismatch::/decoder/0/output_padding: `u` gives…",
         ""},
        {"a pair without a decoder",
         {.arguments = {"roundtrip", "--format", "text", "-"}, .input = GLOBAL},
         2,
         "",
         "standard input: `decoder` is required\n"},
        {"a decoder in text",
         {.arguments = {"decoder", "--format", "text", "-"}, .input = ENCODER},
         0,
         DECODER_TABLE,
         ""},
        {"a decoder in JSON",
         {.arguments = {"decoder", "-"}, .input = ENCODER},
         0,
         "{\"valid\":true,\"decoder\":[…",
         ""},
        {"no decoder",
         {.arguments = {"decoder", "--format", "text", "-"}, .input = GLOBAL},
         1,
         "no decoder\n\nerror    m  /encoder/0\n…",
         ""},
        {"help of roundtrip", {.arguments = {"roundtrip", "--help"}}, 0, "Usage: convplan roundtrip [OPTION]…", ""},
        {"help of decoder", {.arguments = {"decoder", "--help"}}, 0, "Usage: convplan decoder [OPTION]…", ""},
    };
    (void)state;
    CHECK_ROWS(rows);
}

/* ---- Sizes and parameters ----------------------------------------------------------------------------------------- */

#define SKIP                                                                                                           \
    "{\"input\": [1, 3, \"n\", 8], \"near\": {\"n\": 9}, \"layers\": [{\"type\": \"MaxPool2d\", \"kernel_size\": 4}, " \
    "{\"type\": \"Upsample\", \"name\": \"up\", \"scale_factor\": 4}, {\"type\": \"Concat\", \"name\": \"cat\", "      \
    "\"from\": [\"input\", \"up\"]}]}"

#define NEVER                                                                                                          \
    "{\"input\": [1, 3, \"n\"], \"layers\": [{\"type\": \"MaxPool1d\", \"kernel_size\": 4},\n {\"type\": "             \
    "\"Flatten\"}, "                                                                                                   \
    "{\"type\": \"Linear\", \"name\": \"fc\", \"in_features\": 20, \"out_features\": 5}]}"

#define SKIP_TABLE                                                                                                                                                            \
    "size  works                 least  nearest below  above\n"                                                                                                               \
    "───────────────────────────────────────────────────────\n" \
    "n     n ≡ 0 (mod 4), n ≥ 4      4              8     12\n"                                                                                                           \
    "input  1 × 3 × n × 8\n"                                                                                                                                               \
    "output 1 × 6 × n × 8\n"                                                                                                                                               \
    "n = 7 fails at cat: …"

#define NEVER_TABLE                                                                                                    \
    "size  works          least\n"                                                                                     \
    "──────────────────────────\n"                                 \
    "n     no size works      –\n"                                                                                   \
    "input  1 × 3 × n\n"                                                                                             \
    "\n"                                                                                                               \
    "error    fc  /layers/2/in_features\n"                                                                             \
    "         no size `n` works: with n = 28, layer `fc` fails: in_features is 20, but the input [1, 21] has 21\n"     \
    "\n"                                                                                                               \
    "not valid: 1 error, 0 warnings\n"

#define HALVE "{\"type\": \"Conv2d\", \"output\": 7, \"kernel_size\": [3, 4], \"stride\": 2, \"padding\": 1}"

#define HALVE_TABLE                                                                                                                                                                             \
    "kernel_size  stride  padding  dilation    input  relationship\n"                                                                                                                           \
    "─────────────────────────────────────────────────────────────\n" \
    "          3       2        1         1  13 … 14             6\n"                                                                                                                         \
    "          4       2        1         1  14 … 15             6\n"                                                                                                                         \
    "2 solutions\n"                                                                                                                                                                             \
    "\n"                                                                                                                                                                                        \
    "valid\n"

#define UNSOLVED "{\"type\": \"MaxPool1d\", \"input\": [4],\n \"output\": [9], \"kernel_size\": 2, \"stride\": 2}"

static void sizes_and_parameters(void **state)
{
    static const struct row rows[] = {
        {"sizes in text", {.arguments = {"sizes", "--format", "text", "-"}, .input = SKIP}, 0, SKIP_TABLE, ""},
        {"sizes in JSON", {.arguments = {"sizes", "-"}, .input = SKIP}, 0, "{\"valid\":true,\"symbols\":{\"n\":{…", ""},
        {"no size works", {.arguments = {"sizes", "--format", "text", "-"}, .input = NEVER}, 1, NEVER_TABLE, ""},
        {"no size works, for GitHub",
         {.arguments = {"sizes", "--format", "github", "-"}, .input = NEVER},
         1,
         "::error file=-,line=2,col=56,title=no_size_works::/layers/2/in_features: no size `n` works…",
         ""},
        {"no size works, in JUnit",
         {.arguments = {"sizes", "--format", "junit", "-"}, .input = NEVER},
         1,
         "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite name=\"convplan sizes\" tests=\"1\" "
         "failures=\"1\" errors=\"0\">…",
         ""},
        {"sizes without a free size",
         {.arguments = {"sizes", "--format", "text", "-"}, .input = GOOD},
         2,
         "",
         "standard input: /input: the input has no free size (write a name for one: [1, 3, \"n\", \"n\"])\n"},
        {"solutions in text", {.arguments = {"solve", "--format", "text", "-"}, .input = HALVE}, 0, HALVE_TABLE, ""},
        {"solutions in JSON",
         {.arguments = {"solve", "-"}, .input = HALVE},
         0,
         "{\"valid\":true,\"count\":2,\"solutions\":[…",
         ""},
        {"no solution",
         {.arguments = {"solve", "--format", "text", "-"}, .input = UNSOLVED},
         1,
         "axis L\n0 solutions\n\nerror    /output  axis L\n…",
         ""},
        {"no solution, for GitHub",
         {.arguments = {"solve", "--format", "github", "-"}, .input = UNSOLVED},
         1,
         "::error file=-,line=2,col=2,title=no_solution::/output: no MaxPool1d …",
         ""},
        {"a misspelt parameter",
         {.arguments = {"solve", "--format", "text", "-"},
          .input = "{\"type\": \"Conv\", \"output\": 3, \"strid\": 2}"},
         2,
         "",
         "standard input: /strid: `strid` is not a member here (did you mean `stride`?)\n"},
        {"help of sizes", {.arguments = {"sizes", "--help"}}, 0, "Usage: convplan sizes [OPTION]…", ""},
        {"help of solve", {.arguments = {"solve", "--help"}}, 0, "Usage: convplan solve [OPTION]…", ""},
    };
    (void)state;
    CHECK_ROWS(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usage),
        cmocka_unit_test(statuses),
        cmocka_unit_test(one_line_for_each_file),
        cmocka_unit_test(text),
        cmocka_unit_test(github),
        cmocka_unit_test(junit),
        cmocka_unit_test(on_a_terminal),
        cmocka_unit_test(sarif),
        cmocka_unit_test(encoders_and_decoders),
        cmocka_unit_test(sizes_and_parameters),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
