/* Every code of the reader: a request that is malformed, and exactly what has to be said. */
#include "core/finding.h"
#include "tests/service_client.h"

static bool seen[CP_CODE_COUNT];

static enum cp_code code_of(const char *name)
{
    for (int code = 0; code < CP_CODE_COUNT; code++)
        if (strcmp(cp_statuses[code].code, name) == 0) return (enum cp_code)code;
    fail_msg("no code is named %s", name);
    return CP_CODE_COUNT;
}

struct row {
    const char *name;
    const char *request;
    const char *code;
    const char *pointer;    /* of the only error */
    const char *suggestion; /* what it has to hold; NULL: not looked at */
    const char *detail;
};

#define CONV(rest) "{\"type\": \"Conv2d\", \"out_channels\": 4, " rest "}"
#define UP(rest) "{\"type\": \"ConvTranspose2d\", \"out_channels\": 4, " rest "}"
#define TYPE(type_, rest) "{\"type\": \"" type_ "\", " rest "}"

#define LAYER(layer) "{\"input\": [1, 4, 8, 8], \"layers\": [" layer "]}"
#define DEEP_16 "[[[[[[[[[[[[[[[["

static const struct row rows[] = {
    {"no JSON", "{\"input\": [1,]}", "invalid_json", "", NULL, NULL},
    {"nothing", "", "invalid_json", "", NULL, NULL},
    {"a member twice", "{\"input\": [1, 2], \"input\": [1, 2]}", "duplicate_member", "", NULL, NULL},
    {"nested too deeply", "{\"meta\": " DEEP_16 DEEP_16 DEEP_16 DEEP_16, "json_too_deep", "", NULL, NULL},
    {"a zero character", LAYER("{\"type\": \"ReLU\", \"name\": \"a\\u0000\"}"), "nul_in_string", "", NULL, NULL},
    {"a number beyond binary64", LAYER("{\"type\": \"ELU\", \"alpha\": 1e400}"), "number_out_of_range", "", NULL, NULL},
    {"not an object", "[1, 2]", "wrong_type", "", NULL, NULL},
    {"an unknown member of the request", "{\"input\": [1, 2], \"layer\": 1, \"layers\": [{\"type\": \"ReLU\"}]}",
     "unknown_member", "/layer", "did you mean `layers`?", NULL},
    {"an unknown member of the request, like none",
     "{\"input\": [1, 2], \"device\": 1, \"layers\": [{\"type\": \"ReLU\"}]}", "unknown_member", "/device",
     "known here: `layers`, `input`", NULL},
    {"an unknown member of a layer", LAYER(CONV("\"kernel_size\": 3, \"strides\": 2")), "unknown_member",
     "/layers/0/strides", "did you mean `stride`?", NULL},
    {"an unknown common member of a layer", LAYER("{\"type\": \"ReLU\", \"form\": \"input\"}"), "unknown_member",
     "/layers/0/form", "did you mean `from`?", NULL},
    {"a member of another kind", LAYER(TYPE("AvgPool2d", "\"kernel_size\": 2, \"dilation\": 1")), "unknown_member",
     "/layers/0/dilation", NULL, NULL},
    {"a member with an empty name", LAYER("{\"type\": \"ReLU\", \"\": 1}"), "unknown_member", "/layers/0/", NULL, NULL},
    {"a member with slashes", LAYER("{\"type\": \"ReLU\", \"a/b~\": 1}"), "unknown_member", "/layers/0/a~1b~0", NULL,
     NULL},
    {"no layers", "{\"input\": [1, 2]}", "missing_member", "", NULL, NULL},
    {"no input", "{\"layers\": [{\"type\": \"ReLU\"}]}", "missing_member", "", NULL, NULL},
    {"no type", LAYER("{\"name\": \"a\"}"), "missing_member", "/layers/0", "GET /v1/layers", NULL},
    {"no kernel_size", LAYER("{\"type\": \"MaxPool2d\"}"), "missing_member", "/layers/0", NULL,
     "`kernel_size` is required"},
    {"neither size nor scale_factor", LAYER("{\"type\": \"Upsample\"}"), "missing_member", "/layers/0", NULL,
     "`size` or `scale_factor` is required"},
    {"neither output_size nor like", LAYER("{\"type\": \"CenterCrop2d\"}"), "missing_member", "/layers/0", NULL,
     "`output_size` or `like` is required"},
    {"several inputs and no from",
     "{\"inputs\": {\"a\": [1], \"b\": [1]}, \"layers\": "
     "[{\"type\": \"ReLU\"}, {\"type\": \"ReLU\"}]}",
     "missing_member", "/layers/0", "there are several inputs", NULL},
    {"the wrong type of a size", LAYER("{\"type\": \"Linear\", \"out_features\": \"8\"}"), "wrong_type",
     "/layers/0/out_features", NULL, "expected an integer, got \\\"8\\\""},
    {"a stride of 0", LAYER(CONV("\"kernel_size\": 3, \"stride\": [1, 0]")), "out_of_range", "/layers/0/stride/1", NULL,
     "expected an integer from 1 to 2^53 − 1, got 0"},
    {"too few values", LAYER(CONV("\"kernel_size\": [3]")), "wrong_length", "/layers/0/kernel_size", NULL,
     "expected one value for each of 2 axes, got a list of 1 value"},
    {"an unknown word", LAYER(CONV("\"kernel_size\": 3, \"padding\": \"same_uper\"")), "unknown_word",
     "/layers/0/padding", "did you mean `same_upper`?", NULL},
    {"same on a transposed layer", LAYER(UP("\"kernel_size\": 3, \"padding\": \"same\"")), "unknown_word",
     "/layers/0/padding", NULL, NULL},
    {"an unknown type", LAYER("{\"type\": \"conv2d\", \"out_channels\": 4}"), "unknown_layer_type", "/layers/0/type",
     "did you mean `Conv2d`?", NULL},
    {"an unknown source",
     LAYER("{\"type\": \"ReLU\", \"name\": \"stem\"}, "
           "{\"type\": \"ReLU\", \"from\": \"stme\"}"),
     "unknown_layer_name", "/layers/1/from", "did you mean `stem`?", NULL},
    {"an unknown source of several", LAYER("{\"type\": \"Add\", \"from\": [\"input\", \"b\"]}"), "unknown_layer_name",
     "/layers/0/from/1", NULL, NULL},
    {"an unknown source in a list of one", LAYER("{\"type\": \"Add\", \"from\": [\"b\"]}"), "unknown_layer_name",
     "/layers/0/from", NULL, NULL},
    {"an unknown like", LAYER(TYPE("CenterCrop2d", "\"like\": \"b\"")), "unknown_layer_name", "/layers/0/like", NULL,
     NULL},
    {"a later layer",
     LAYER("{\"type\": \"ReLU\", \"from\": \"b\"}, "
           "{\"type\": \"ReLU\", \"name\": \"b\", \"from\": \"input\"}"),
     "later_layer", "/layers/0/from", NULL, NULL},
    {"a cycle of one", LAYER("{\"type\": \"ReLU\", \"name\": \"a\", \"from\": \"a\"}"), "cycle", "/layers/0/from", NULL,
     NULL},
    {"a cycle of two",
     LAYER("{\"type\": \"ReLU\", \"from\": \"b\"}, "
           "{\"type\": \"ReLU\", \"name\": \"b\"}"),
     "cycle", "/layers/0/from", NULL, NULL},
    {"a crop like itself", LAYER(TYPE("CenterCrop2d", "\"name\": \"a\", \"like\": \"a\"")), "cycle", "/layers/0/like",
     NULL, NULL},
    {"two layers of one name",
     LAYER("{\"type\": \"ReLU\", \"name\": \"a\"}, "
           "{\"type\": \"ReLU\", \"name\": \"a\"}"),
     "duplicate_name", "/layers/1/name", NULL, "`a` is already the name of the layer at position 0"},
    {"a layer with an input's name", LAYER("{\"type\": \"ReLU\", \"name\": \"input\"}"), "duplicate_name",
     "/layers/0/name", NULL, "`input` is already the name of an input"},
    {"input and inputs",
     "{\"input\": [1], \"inputs\": {\"a\": [1]}, \"layers\": "
     "[{\"type\": \"ReLU\"}]}",
     "conflicting_members", "/input", NULL, NULL},
    {"output_size and output_padding", LAYER(UP("\"kernel_size\": 3, \"output_size\": 9, \"output_padding\": 1")),
     "conflicting_members", "/layers/0/output_size", NULL, NULL},
    {"output_size on one axis and output_padding",
     LAYER(UP("\"kernel_size\": 3, \"output_size\": [null, 9], \"output_padding\": 1")), "conflicting_members",
     "/layers/0/output_size", NULL, NULL},
    {"same_upper and output_padding",
     LAYER(UP("\"kernel_size\": 3, \"stride\": 2, \"padding\": \"same_upper\", \"output_padding\": 1")),
     "conflicting_members", "/layers/0/output_padding", NULL, NULL},
    {"same_lower and output_size",
     LAYER(UP("\"kernel_size\": 3, \"stride\": 2, \"padding\": \"same_lower\", \"output_size\": 16")),
     "conflicting_members", "/layers/0/output_size", NULL, NULL},
    {"size and scale_factor", LAYER(TYPE("Upsample", "\"size\": 16, \"scale_factor\": 2")), "conflicting_members",
     "/layers/0/scale_factor", NULL, NULL},
    {"align_corners of a mode that has none", LAYER(TYPE("Upsample", "\"size\": 16, \"align_corners\": true")),
     "conflicting_members", "/layers/0/align_corners", NULL, NULL},
    {"output_size and like", LAYER(TYPE("CenterCrop2d", "\"output_size\": 2, \"like\": \"input\"")),
     "conflicting_members", "/layers/0/like", NULL, NULL},
    {"two open sizes", LAYER(TYPE("Reshape", "\"shape\": [-1, 4, -1]")), "two_open_sizes", "/layers/0/shape", NULL,
     NULL},
    {"two open sizes to unflatten", LAYER(TYPE("Unflatten", "\"dim\": 1, \"unflattened_size\": [-1, -1]")),
     "two_open_sizes", "/layers/0/unflattened_size", NULL, NULL},
    {"an input of too many elements", "{\"input\": [9007199254740991, 2], \"layers\": [{\"type\": \"ReLU\"}]}",
     "limit_exceeded", "/input", NULL, NULL},
    {"an empty stack", "{\"input\": [1], \"layers\": []}", "no_layers", "/layers", NULL, NULL},
};

static int find_error(struct cp_text body, const struct row *row)
{
    int count = cp_test_count(cp_test_at(body, "/errors"));
    for (int at = 0; at < count; at++)
        if (cp_test_is_string(cp_test_atf(body, "/errors/%d/code", at), row->code) &&
            cp_test_is_string(cp_test_atf(body, "/errors/%d/pointer", at), row->pointer))
            return at;
    return -1;
}

static const char *compare_problem(struct cp_text body, const struct row *row)
{
    char type[64];
    int at = find_error(body, row);
    if (at < 0) return "no such error";
    (void)snprintf(type, sizeof type, "/problems/%s", row->code);
    if (cp_test_count(cp_test_at(body, "/errors")) != 1) return "another number of errors";
    if (!cp_test_is_string(cp_test_at(body, "/type"), type)) return "type";
    if (!cp_test_is_string(cp_test_at(body, "/title"), cp_statuses[code_of(row->code)].title)) return "title";
    if (row->detail && !cp_test_holds(cp_test_atf(body, "/errors/%d/detail", at), row->detail)) return "detail";
    if (row->suggestion && !cp_test_holds(cp_test_atf(body, "/errors/%d/suggestion", at), row->suggestion))
        return "suggestion";
    return NULL;
}

static bool check_problem_text(const struct row *row, struct cp_text request)
{
    struct cp_test_exchange exchange;
    enum cp_code code = code_of(row->code);
    cp_test_post(&exchange, request);
    struct cp_text body = exchange.reply.body;
    const char *wrong = compare_problem(body, row);
    if (exchange.reply.status != cp_statuses[code].http_status) wrong = "status";
    if (wrong)
        print_error("%s: %s\n  %.*s\n  %d %.*s\n", row->name, wrong, request.size > 2000 ? 2000 : (int)request.size,
                    request.bytes, exchange.reply.status, (int)body.size, body.bytes);
    seen[code] = true;
    cp_test_close(&exchange);
    return !wrong;
}

static void test_problems(void **state)
{
    (void)state;
    int wrong = 0;
    for (size_t at = 0; at < sizeof rows / sizeof rows[0]; at++)
        wrong += !check_problem_text(&rows[at], cp_text_of(rows[at].request));
    if (wrong) fail_msg("%d rows failed", wrong);
}

static void test_too_many_values(void **state)
{
    (void)state;
    static const struct row row = {.name = "4,000,001 values", .code = "json_too_many_values", .pointer = ""};
    struct cp_test_text text;
    FILE *file = cp_test_begin(&text);
    (void)fputs("{\"meta\": [0", file);
    for (int value = 3; value <= CP_MAX_JSON_VALUES; value++) (void)fputs(",0", file);
    (void)fputs("]}", file);
    bool right = check_problem_text(&row, cp_test_finish(&text));
    cp_test_free(&text);
    assert_true(right);
}

/* ---- Several at once ---------------------------------------------------------------------------------------------- */

static void test_all_errors_of_a_request_are_reported(void **state)
{
    (void)state;
    static const char request[] =
        "{\"input\": [1, 0, 8, \"8\"], \"dtype\": \"float\", \"layout\": 1, \"explain\": 0, \"extra\": 1, \"layers\": ["
        "{\"type\": \"Conv2d\", \"kernel_size\": 0, \"stride\": [2, -1], \"padding\": [[0, 0], [0]], \"bias\": 1, "
        "\"dilaton\": 2}, 5, {\"type\": \"Relu6\"}, {\"type\": \"ReLU\", \"name\": \"\", \"expect\": [0]}, "
        "{\"type\": \"Add\", \"from\": [\"nobody\", 7]}, {\"tipe\": \"ReLU\", \"inplace\": 1}]}";
    static const char *const expected[][2] = {
        {"out_of_range", "/input/1"},
        {"wrong_type", "/input/3"},
        {"unknown_word", "/dtype"},
        {"wrong_type", "/layout"},
        {"wrong_type", "/explain"},
        {"unknown_member", "/extra"},
        {"missing_member", "/layers/0"},
        {"out_of_range", "/layers/0/kernel_size"},
        {"out_of_range", "/layers/0/stride/1"},
        {"wrong_length", "/layers/0/padding/1"},
        {"wrong_type", "/layers/0/bias"},
        {"unknown_member", "/layers/0/dilaton"},
        {"wrong_type", "/layers/1"},
        {"unknown_layer_type", "/layers/2/type"},
        {"out_of_range", "/layers/3/name"},
        {"out_of_range", "/layers/3/expect/0"},
        {"unknown_layer_name", "/layers/4/from/0"},
        {"wrong_type", "/layers/4/from/1"},
        {"missing_member", "/layers/5"},
        {"unknown_member", "/layers/5/tipe"},
    };
    enum { EXPECTED = sizeof expected / sizeof expected[0] };
    struct cp_test_exchange exchange;
    cp_test_post(&exchange, CP_TEXT(request));
    for (int at = 0; at < EXPECTED; at++) {
        const struct row row = {.code = expected[at][0], .pointer = expected[at][1]};
        if (find_error(exchange.reply.body, &row) < 0)
            fail_msg("no %s at %s in %.*s", row.code, row.pointer, (int)exchange.reply.body.size,
                     exchange.reply.body.bytes);
    }
    int count = cp_test_count(cp_test_at(exchange.reply.body, "/errors"));
    if (count != EXPECTED)
        fail_msg("%d errors in %.*s", count, (int)exchange.reply.body.size, exchange.reply.body.bytes);
    cp_test_close(&exchange);
}

/* ---- Coverage ----------------------------------------------------------------------------------------------------- */

/* Runs last. Codes that no body brings about are in tests/unit/test_service.c and tests/http; those of other endpoints
 * follow no_layers. */
static void test_every_problem_is_hit(void **state)
{
    (void)state;
    int missed = 0;
    for (int code = CP_CODE_invalid_json; code <= CP_CODE_no_layers; code++) {
        if (seen[code]) continue;
        print_error("no row brings about %s\n", cp_statuses[code].code);
        missed++;
    }
    assert_int_equal(missed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_problems),
        cmocka_unit_test(test_too_many_values),
        cmocka_unit_test(test_all_errors_of_a_request_are_reported),
        cmocka_unit_test(test_every_problem_is_hit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
