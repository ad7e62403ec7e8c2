/* POST /v1/decoder: the decoders of small encoders, every code that it gives, and what it refuses. */
#include "tests/service_client.h"

static void ask(struct cp_test_exchange *exchange, const char *path, struct cp_text body)
{
    const struct cp_request request = {
        .method = CP_POST, .method_name = CP_TEXT("POST"), .path = cp_text_of(path), .body = body};
    cp_test_ask(exchange, &request);
}

/* The position of the first finding with a code, at a pointer if one is given; −1 where there is none. */
static int find(struct cp_text body, const char *code, const char *pointer)
{
    int count = cp_test_count(cp_test_at(body, "/findings"));
    for (int at = 0; at < count; at++)
        if (cp_test_is_string(cp_test_atf(body, "/findings/%d/code", at), code) &&
            (!pointer || cp_test_is_string(cp_test_atf(body, "/findings/%d/pointer", at), pointer)))
            return at;
    return -1;
}

#define CONV(channels, rest) "{\"type\": \"Conv2d\", \"out_channels\": " #channels ", " rest "}"
#define LAYER(type, rest) "{\"type\": \"" type "\", " rest "}"
#define HALF "\"kernel_size\": 3, \"stride\": 2, \"padding\": 1"
#define POOL LAYER("MaxPool2d", "\"kernel_size\": 2")

/* ---- Designed decoders -------------------------------------------------------------------------------------------- */

struct design_row {
    const char *name, *input, *encoder, *more; /* `more` members of the request */
    const char *decoder;                       /* exactly; "null" for none; NULL: not looked at */
    const char *code, *pointer;                /* of a finding; NULL: there is none at all */
};

static const struct design_row design_rows[] = {
    {.name = "the 0, 1, 1 of MNIST",
     .input = "[1, 1, 28, 28]",
     .encoder = LAYER("Conv2d", "\"name\": \"a\", \"out_channels\": 8, " HALF) ", " LAYER(
         "ReLU",
         "\"name\": \"r\"") ", " LAYER("Conv2d",
                                       "\"name\": \"b\", \"out_channels\": 8, " HALF) ", " LAYER("Conv2d",
                                                                                                 "\"name\": \"c\", "
                                                                                                 "\"out_channels\": 8, "
                                                                                                 "\"groups\": 2, "
                                                                                                 "\"bias\": "
                                                                                                 "false, " HALF),
     .decoder = "[{\"type\":\"ConvTranspose2d\",\"name\":\"c_inverse\",\"in_channels\":8,\"out_channels\":8,"
                "\"kernel_size\":3,\"stride\":2,\"padding\":1,\"groups\":2,\"bias\":false,\"output_padding\":0},"
                "{\"type\":\"ConvTranspose2d\",\"name\":\"b_inverse\",\"in_channels\":8,\"out_channels\":8,"
                "\"kernel_size\":3,\"stride\":2,\"padding\":1,\"output_padding\":1},"
                "{\"type\":\"ReLU\",\"name\":\"r_mirror\"},"
                "{\"type\":\"ConvTranspose2d\",\"name\":\"a_inverse\",\"in_channels\":8,\"out_channels\":1,"
                "\"kernel_size\":3,\"stride\":2,\"padding\":1,\"output_padding\":1}]"},
    {.name = "an unpooling to a size, which PyTorch takes as a list only",
     .input = "[1, 2, 7, 7]",
     .encoder = LAYER("MaxPool2d", "\"name\": \"p\", \"kernel_size\": 2, \"ceil_mode\": true"),
     .more = "\"pool_inverse\": \"unpool\", ",
     .decoder = "[{\"type\":\"MaxUnpool2d\",\"name\":\"p_inverse\",\"kernel_size\":2,\"stride\":2,\"padding\":0,"
                "\"output_size\":[7,7]}]"},
    {.name = "a dense end",
     .input = "[1, 2, 4, 4]",
     .encoder = LAYER("Flatten", "\"name\": \"f\"") ", " LAYER("Linear", "\"name\": \"l\", \"out_features\": 5"),
     .decoder = "[{\"type\":\"Linear\",\"name\":\"l_inverse\",\"in_features\":5,\"out_features\":32},"
                "{\"type\":\"Unflatten\",\"name\":\"f_inverse\",\"dim\":1,\"unflattened_size\":[2,4,4]}]"},
    {.name = "ceiling that reached past the end",
     .input = "[1, 2, 7]",
     .encoder = LAYER("MaxPool1d", "\"name\": \"p\", \"kernel_size\": 2, \"ceil_mode\": true"),
     .decoder = "[{\"type\":\"ConvTranspose1d\",\"name\":\"p_inverse\",\"in_channels\":2,\"out_channels\":2,"
                "\"kernel_size\":2,\"stride\":2,\"padding\":[[0,1]],\"output_padding\":0}]"},
    {.name = "unpooling",
     .input = "[1, 2, 7]",
     .more = "\"pool_inverse\": \"unpool\", ",
     .encoder = LAYER("MaxPool1d", "\"name\": \"p\", \"kernel_size\": 3, \"stride\": 2, \"padding\": 1"),
     .decoder = "[{\"type\":\"MaxUnpool1d\",\"name\":\"p_inverse\",\"kernel_size\":3,\"stride\":2,\"padding\":1}]"},
    {.name = "unpooling of uneven padding, which PyTorch has not, to a size",
     .input = "[1, 1, 10]",
     .more = "\"pool_inverse\": \"unpool\", ",
     .encoder = LAYER("MaxPool1d", "\"name\": \"p\", \"kernel_size\": 3, \"stride\": 2, \"padding\": \"same_upper\""),
     .decoder = "[{\"type\":\"MaxUnpool1d\",\"name\":\"p_inverse\",\"kernel_size\":3,\"stride\":2,\"padding\":0,"
                "\"output_size\":[10]}]"},
    {.name = "unpooling of uneven padding with unit strides, for which there is nothing else",
     .input = "[1, 1, 10]",
     .more = "\"pool_inverse\": \"unpool\", ",
     .encoder = LAYER("MaxPool1d", "\"name\": \"p\", \"kernel_size\": 2, \"stride\": 1, \"padding\": \"same_upper\""),
     .decoder = "[{\"type\":\"MaxUnpool1d\",\"name\":\"p_inverse\",\"kernel_size\":2,\"stride\":1,"
                "\"padding\":[[0,1]]}]"},
    {.name = "upsampling",
     .input = "[1, 2, 8, 9]",
     .more = "\"pool_inverse\": \"upsample\", ",
     .encoder = LAYER("AvgPool2d", "\"name\": \"p\", \"kernel_size\": 2"),
     .decoder = "[{\"type\":\"Upsample\",\"name\":\"p_inverse\",\"size\":[8,9]}]",
     .code = "input_not_covered"},
    {.name = "a mean that cannot be unpooled",
     .input = "[1, 2, 8]",
     .more = "\"pool_inverse\": \"unpool\", ",
     .encoder = LAYER("AvgPool1d", "\"name\": \"p\", \"kernel_size\": 2"),
     .decoder = "[{\"type\":\"Upsample\",\"name\":\"p_inverse\",\"scale_factor\":[2]}]",
     .code = "unpool_needs_max_pool",
     .pointer = "/encoder/0"},
    {.name = "a residual block",
     .input = "[1, 4, 8, 8]",
     .encoder = LAYER("Conv2d", "\"name\": \"c\", \"out_channels\": 4, \"kernel_size\": 3, \"padding\": 1") ", " LAYER(
         "Add", "\"from\": [\"c\", \"input\"]"),
     .code = "branch_left_out",
     .pointer = "/encoder/1"},
    {.name = "global pooling",
     .input = "[1, 4, 8, 8]",
     .encoder = CONV(8, HALF) ", " LAYER("AdaptiveAvgPool2d", "\"output_size\": 1"),
     .decoder = "null",
     .code = "no_inverse",
     .pointer = "/encoder/1"},
    {.name = "a mean",
     .input = "[1, 4, 8, 8]",
     .encoder = LAYER("Mean", "\"dim\": [2, 3]"),
     .decoder = "null",
     .code = "no_inverse",
     .pointer = "/encoder/0"},
    {.name = "a slice",
     .input = "[1, 4, 8, 8]",
     .encoder = LAYER("Slice", "\"dim\": 2, \"end\": 4"),
     .decoder = "null",
     .code = "no_inverse",
     .pointer = "/encoder/0"},
    {.name = "an opaque layer of known shape",
     .input = "[1, 4, 8, 8]",
     .encoder = LAYER("Opaque", "\"output_shape\": [1, 4, 8, 8]"),
     .decoder = "null",
     .code = "no_inverse",
     .pointer = "/encoder/0"},
    {.name = "an opaque layer",
     .input = "[1, 4, 8, 8]",
     .encoder = "{\"type\": \"Opaque\"}",
     .decoder = "null",
     .code = "unknown_shape",
     .pointer = "/encoder/0"},
    {.name = "an encoder that does not work",
     .input = "[1, 4, 2, 2]",
     .encoder = CONV(4, "\"kernel_size\": 3"),
     .decoder = "null",
     .code = "kernel_exceeds_input",
     .pointer = "/encoder/0/kernel_size"},
    {.name = "nothing to undo",
     .input = "[1, 4, 8, 8]",
     .encoder = LAYER("ReLU", "\"name\": \"r\""),
     .decoder = "[{\"type\":\"Identity\",\"name\":\"r_inverse\"}]"},
    {.name = "channels last",
     .input = "[1, 6, 6, 2]",
     .more = "\"layout\": \"channels_last\", ",
     .encoder = LAYER("Reshape", "\"name\": \"s\", \"shape\": [1, 4, 9, 2]"),
     .decoder = "[{\"type\":\"Reshape\",\"name\":\"s_inverse\",\"shape\":[1,6,6,2]}]"},
};

static const char *compare_design(struct cp_text body, const struct design_row *row)
{
    struct cp_text decoder = cp_test_at(body, "/decoder");
    bool designed = !cp_test_is(decoder, "null");
    if (row->decoder && !cp_test_is(decoder, row->decoder)) return "decoder";
    if (!cp_test_is(cp_test_at(body, "/valid"), designed ? "true" : "false")) return "valid";
    if (designed && !cp_test_is(cp_test_at(body, "/roundtrip/valid"), "true")) return "it does not round-trip";
    if (!designed && !cp_test_is(cp_test_at(body, "/roundtrip"), "null")) return "a round trip without a decoder";
    if (cp_test_count(cp_test_at(body, "/notes")) != designed) return "notes";
    if (!row->code) return cp_test_count(cp_test_at(body, "/findings")) ? "findings" : NULL;
    return find(body, row->code, row->pointer) < 0 ? "no such finding" : NULL;
}

static bool check_design(const struct design_row *row)
{
    struct cp_test_text text;
    struct cp_test_exchange exchange;
    FILE *file = cp_test_begin(&text);
    (void)fprintf(file, "{%s\"input\": %s, \"encoder\": [%s]}", row->more ? row->more : "", row->input, row->encoder);
    ask(&exchange, "/v1/decoder", cp_test_finish(&text));
    struct cp_text body = exchange.reply.body;
    const char *wrong = exchange.reply.status == 200 ? compare_design(body, row) : "status";
    if (wrong) print_error("%s: %s\n  %s\n  %.*s\n", row->name, wrong, text.bytes, (int)body.size, body.bytes);
    cp_test_close(&exchange);
    cp_test_free(&text);
    return !wrong;
}

static void test_designs(void **state)
{
    int wrong = 0;
    (void)state;
    for (size_t at = 0; at < sizeof design_rows / sizeof design_rows[0]; at++) wrong += !check_design(&design_rows[at]);
    assert_int_equal(wrong, 0);
}

/* ---- Requests that are refused ------------------------------------------------------------------------------------ */

#define ONE "[{\"type\": \"ReLU\"}]"
#define OTHER "{\"input\": [1, 3, 8, 8], "

static const struct bad_row {
    const char *name, *path, *body, *code, *pointer;
} bad_rows[] = {
    {"a decoder of nothing", "/v1/decoder", "{}", "missing_member", ""},
    {"a decoder of an empty encoder", "/v1/decoder", OTHER "\"encoder\": []}", "no_layers", "/encoder"},
    {"a wrong pool_inverse", "/v1/decoder", OTHER "\"encoder\": " ONE ", \"pool_inverse\": \"conv\"}", "unknown_word",
     "/pool_inverse"},
    {"a pool_inverse that is no word", "/v1/decoder", OTHER "\"encoder\": " ONE ", \"pool_inverse\": 1}", "wrong_type",
     "/pool_inverse"},
    {"a decoder that is given", "/v1/decoder", OTHER "\"encoder\": " ONE ", \"decoder\": " ONE "}", "unknown_member",
     "/decoder"},
    {"several inputs to undo", "/v1/decoder", "{\"inputs\": {\"a\": [1, 3]}, \"encoder\": " ONE "}", "unknown_member",
     "/inputs"},
    {"stride 0", "/v1/decoder", OTHER "\"encoder\": [" CONV(4, "\"kernel_size\": 3, \"stride\": 0") "]}",
     "out_of_range", "/encoder/0/stride"},
};

static bool check_bad(const struct bad_row *row)
{
    struct cp_test_exchange exchange;
    ask(&exchange, row->path, cp_text_of(row->body));
    struct cp_text body = exchange.reply.body;
    bool found = false;
    for (int at = 0; at < cp_test_count(cp_test_at(body, "/errors")); at++)
        found = found || (cp_test_is_string(cp_test_atf(body, "/errors/%d/code", at), row->code) &&
                          cp_test_is_string(cp_test_atf(body, "/errors/%d/pointer", at), row->pointer));
    bool syntax = strcmp(row->code, "invalid_json") == 0;
    bool right = found && exchange.reply.status == (syntax ? 400 : 422);
    if (!right)
        print_error("%s: %d\n  %s\n  %.*s\n", row->name, exchange.reply.status, row->body, (int)body.size, body.bytes);
    cp_test_close(&exchange);
    return right;
}

static void test_refusals(void **state)
{
    int wrong = 0;
    (void)state;
    for (size_t at = 0; at < sizeof bad_rows / sizeof bad_rows[0]; at++) wrong += !check_bad(&bad_rows[at]);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_designs), cmocka_unit_test(test_refusals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
