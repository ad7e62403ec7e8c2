/* Limits, types, ranges and oddities of requests: each gives a located error, or the right answer where it is allowed. */
#include "tests/service_client.h"

#include "core/layer.h"
#include "core/limits.h"

/* ---- Rows: one request each ---------------------------------------------------------------------------------------- */

struct row {
    const char *name;
    const char *request;
    int status;
    const char *at;    /* pointer into the reply */
    const char *value; /* the text there */
};

#define RELU "{\"type\": \"ReLU\"}"
#define WITH_INPUT(input) "{\"input\": " input ", \"layers\": [" RELU "]}"
#define WITH_INPUTS(inputs) "{\"inputs\": " inputs ", \"layers\": [{\"type\": \"ReLU\", \"from\": \"a\"}]}"
#define WITH(member) "{\"input\": [1, 4, 8, 8], " member ", \"layers\": [" RELU "]}"
#define LAYER(members) "{\"input\": [1, 4, 8, 8], \"layers\": [{" members "}]}"
#define LAYERS(layers) "{\"input\": [1, 4, 8, 8], \"layers\": [" layers "]}"
#define CONV(members) LAYER("\"type\": \"Conv2d\", \"out_channels\": 4, \"kernel_size\": 3, " members)
#define BAD(code, pointer) 422, "/errors/0", "{\"code\":\"" code "\",\"pointer\":\"" pointer "\",*"
#define GOOD(output) 200, "/output", output
#define FOUND(code, pointer) 200, "/findings/0", "{\"code\":\"" code "\",*\"pointer\":\"" pointer "\",*"
#define TEN "0123456789"
#define LONG_NAME_128 TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "01234567"

static const struct row rows[] = {
    /* shapes */
    {"rank 0", WITH_INPUT("[]"), BAD("wrong_length", "/input")},
    {"rank 1", WITH_INPUT("[5]"), GOOD("[5]")},
    {"rank 8", WITH_INPUT("[1, 2, 1, 2, 1, 2, 1, 2]"), GOOD("[1,2,1,2,1,2,1,2]")},
    {"rank 9", WITH_INPUT("[1, 2, 1, 2, 1, 2, 1, 2, 1]"), BAD("wrong_length", "/input")},
    {"a number for a shape", WITH_INPUT("5"), BAD("wrong_type", "/input")},
    {"null for a shape", WITH_INPUT("null"), BAD("wrong_type", "/input")},
    {"a string for a shape", WITH_INPUT("\"1, 3\""), BAD("wrong_type", "/input")},
    {"an object for a shape", WITH_INPUT("{\"shape\": [1]}"), BAD("wrong_type", "/input")},
    {"a nested shape", WITH_INPUT("[[1, 3]]"), BAD("wrong_type", "/input/0")},
    {"a size of 0", WITH_INPUT("[1, 0]"), BAD("out_of_range", "/input/1")},
    {"a size of -0", WITH_INPUT("[1, -0]"), BAD("out_of_range", "/input/1")},
    {"a negative size", WITH_INPUT("[-1, 3]"), BAD("out_of_range", "/input/0")},
    {"a fraction", WITH_INPUT("[1.5, 3]"), BAD("wrong_type", "/input/0")},
    {"a tiny fraction", WITH_INPUT("[1e-300, 3]"), BAD("wrong_type", "/input/0")},
    {"an integral number with a point", WITH_INPUT("[8.0, 1e1]"), GOOD("[8,10]")},
    {"null within a shape", WITH_INPUT("[null, 3]"), BAD("wrong_type", "/input/0")},
    {"true within a shape", WITH_INPUT("[1, true]"), BAD("wrong_type", "/input/1")},
    {"a huge exponent", WITH_INPUT("[1, 1e300]"), BAD("out_of_range", "/input/1")},
    {"an exponent beyond binary64", WITH_INPUT("[1, 1e999999999999]"), BAD("number_out_of_range", "")},
    {"the largest size", "{\"input\": [9007199254740991], \"dtype\": \"int8\", \"layers\": [" RELU "]}",
     GOOD("[9007199254740991]")},
    {"one more than the largest size", WITH_INPUT("[9007199254740992]"), BAD("out_of_range", "/input/0")},
    {"two more than the largest size", WITH_INPUT("[9007199254740993]"), BAD("out_of_range", "/input/0")},
    {"2^63", WITH_INPUT("[9223372036854775808]"), BAD("out_of_range", "/input/0")},
    {"-2^63", WITH_INPUT("[-9223372036854775808]"), BAD("out_of_range", "/input/0")},
    {"elements over the limit", WITH_INPUT("[4294967296, 4294967296]"), BAD("limit_exceeded", "/input")},

    /* inputs */
    {"no inputs", WITH_INPUTS("{}"), BAD("limit_exceeded", "/inputs")},
    {"a list of inputs", WITH_INPUTS("[[1, 2]]"), BAD("wrong_type", "/inputs")},
    {"null for inputs", WITH_INPUTS("null"), BAD("wrong_type", "/inputs")},
    {"an input without a shape", WITH_INPUTS("{\"a\": null}"), BAD("wrong_type", "/inputs/a")},
    {"an input with a bad size", WITH_INPUTS("{\"a\": [1], \"b\": [1, -2]}"), BAD("out_of_range", "/inputs/b/1")},
    {"an input without a name", WITH_INPUTS("{\"a\": [1], \"\": [1]}"), BAD("out_of_range", "/inputs/")},
    {"an input with a name of 128 bytes",
     "{\"inputs\": {\"" LONG_NAME_128 "\": [7]}, \"layers\": [{\"type\": \"ReLU\", \"from\": \"" LONG_NAME_128 "\"}]}",
     GOOD("[7]")},
    {"an input with a name of 129 bytes", WITH_INPUTS("{\"" LONG_NAME_128 "a\": [7], \"a\": [7]}"),
     BAD("out_of_range", "/inputs/" LONG_NAME_128 "a")},
    {"an input with a name of slashes", WITH_INPUTS("{\"a\": [7], \"~/\": 1}"), BAD("wrong_type", "/inputs/~0~1")},
    {"one named input", "{\"inputs\": {\"a\": [7]}, \"layers\": [" RELU "]}", GOOD("[7]")},
    {"one input named input", "{\"inputs\": {\"input\": [7]}, \"layers\": [" RELU "]}", GOOD("[7]")},
    {"several inputs, echoed", WITH_INPUTS("{\"a\": [7], \"b\": [1, 2]}"), 200, "/inputs", "{\"a\":[7],\"b\":[1,2]}"},
    {"an input named as a made name", "{\"inputs\": {\"relu_0\": [7]}, \"layers\": [" RELU "]}", 200, "/layers/0/name",
     "\"relu_0_\""},

    /* layers and their common members */
    {"layers of another type", "{\"input\": [1], \"layers\": {}}", BAD("wrong_type", "/layers")},
    {"null for layers", "{\"input\": [1], \"layers\": null}", BAD("wrong_type", "/layers")},
    {"no layers", "{\"input\": [1], \"layers\": []}", BAD("no_layers", "/layers")},
    {"a layer that is a string", LAYERS("\"ReLU\""), BAD("wrong_type", "/layers/0")},
    {"a layer that is null", LAYERS("null"), BAD("wrong_type", "/layers/0")},
    {"a layer that is a list", LAYERS("[" RELU "]"), BAD("wrong_type", "/layers/0")},
    {"an empty layer", LAYERS("{}"), BAD("missing_member", "/layers/0")},
    {"a type that is a number", LAYER("\"type\": 5"), BAD("wrong_type", "/layers/0/type")},
    {"an empty type", LAYER("\"type\": \"\""), BAD("unknown_layer_type", "/layers/0/type")},
    {"a long type", LAYER("\"type\": \"" LONG_NAME_128 "\""), BAD("unknown_layer_type", "/layers/0/type")},
    {"a number for a name", LAYER("\"type\": \"ReLU\", \"name\": 1"), BAD("wrong_type", "/layers/0/name")},
    {"null for a name", LAYER("\"type\": \"ReLU\", \"name\": null"), BAD("wrong_type", "/layers/0/name")},
    {"an empty name", LAYER("\"type\": \"ReLU\", \"name\": \"\""), BAD("out_of_range", "/layers/0/name")},
    {"a name of 128 bytes", LAYER("\"type\": \"ReLU\", \"name\": \"" LONG_NAME_128 "\""), GOOD("[1,4,8,8]")},
    {"a name of 129 bytes", LAYER("\"type\": \"ReLU\", \"name\": \"" LONG_NAME_128 "a\""),
     BAD("out_of_range", "/layers/0/name")},
    {"a name of 64 characters and 128 bytes",
     LAYER("\"type\": \"ReLU\", \"name\": \"éééééééééééééééééééééééééééééééé"
           "éééééééééééééééééééééééééééééééé\""),
     GOOD("[1,4,8,8]")},
    {"a name of 65 characters and 130 bytes",
     LAYER("\"type\": \"ReLU\", \"name\": \"éééééééééééééééééééééééééééééééé"
           "ééééééééééééééééééééééééééééééééé\""),
     BAD("out_of_range", "/layers/0/name")},
    {"control characters in a name", LAYER("\"type\": \"ReLU\", \"name\": \"a\\n\\u0001\\\"\""), 200, "/layers/0/name",
     "\"a\\n\\u0001\\\"\""},
    {"names that differ in a control character",
     LAYERS("{\"type\": \"ReLU\", \"name\": \"a\\n\"}, "
            "{\"type\": \"ReLU\", \"name\": \"a\"}, {\"type\": \"ReLU\", \"from\": \"a\\n\"}"),
     200, "/layers/2/from", "[\"a\\n\"]"},
    {"a made name that is taken", LAYERS(RELU ", {\"type\": \"ReLU\", \"name\": \"relu_0\"}"), 200, "/layers/0/name",
     "\"relu_0_\""},
    {"a made name that is used", LAYERS(RELU ", " RELU ", {\"type\": \"Add\", \"from\": [\"relu_0\", \"relu_1\"]}"),
     200, "/layers/2/from", "[\"relu_0\",\"relu_1\"]"},

    /* from */
    {"an empty from", LAYER("\"type\": \"Add\", \"from\": []"), BAD("wrong_length", "/layers/0/from")},
    {"a number for from", LAYER("\"type\": \"ReLU\", \"from\": 0"), BAD("wrong_type", "/layers/0/from")},
    {"null for from", LAYER("\"type\": \"ReLU\", \"from\": null"), BAD("wrong_type", "/layers/0/from")},
    {"null within from", LAYER("\"type\": \"Add\", \"from\": [\"input\", null]"),
     BAD("wrong_type", "/layers/0/from/1")},
    {"a list within from", LAYER("\"type\": \"Add\", \"from\": [[\"input\"]]"), BAD("wrong_type", "/layers/0/from/0")},
    {"an empty name in from", LAYER("\"type\": \"ReLU\", \"from\": \"\""), BAD("unknown_layer_name", "/layers/0/from")},
    {"from the input", LAYERS(RELU ", {\"type\": \"ReLU\", \"from\": \"input\"}"), 200, "/layers/1/from",
     "[\"input\"]"},
    {"from a list of one", LAYER("\"type\": \"ReLU\", \"from\": [\"input\"]"), GOOD("[1,4,8,8]")},
    {"two inputs of a layer that takes one", LAYER("\"type\": \"ReLU\", \"from\": [\"input\", \"input\"]"),
     BAD("wrong_length", "/layers/0/from")},
    {"the same source twice", LAYER("\"type\": \"Concat\", \"from\": [\"input\", \"input\"]"), GOOD("[1,8,8,8]")},
    {"a merge of one", LAYER("\"type\": \"Add\""), GOOD("[1,4,8,8]")},
    {"a later layer that is fine otherwise",
     LAYERS("{\"type\": \"ReLU\", \"from\": \"b\"}, "
            "{\"type\": \"ReLU\", \"from\": \"input\", \"name\": \"b\"}"),
     BAD("later_layer", "/layers/0/from")},
    {"a long cycle",
     LAYERS("{\"type\": \"ReLU\", \"from\": \"d\"}, " RELU ", " RELU ", {\"type\": \"ReLU\", \"name\": \"d\"}"),
     BAD("cycle", "/layers/0/from")},
    {"like an input", LAYER("\"type\": \"CenterCrop2d\", \"like\": \"input\""), GOOD("[1,4,8,8]")},
    {"a number for like", LAYER("\"type\": \"CenterCrop2d\", \"like\": 1"), BAD("wrong_type", "/layers/0/like")},
    {"an empty like", LAYER("\"type\": \"CenterCrop2d\", \"like\": \"\""), BAD("wrong_type", "/layers/0/like")},

    /* expect */
    {"null for expect", LAYER("\"type\": \"ReLU\", \"expect\": null"), GOOD("[1,4,8,8]")},
    {"all open in expect", LAYER("\"type\": \"ReLU\", \"expect\": [null, null, null, null]"), 200, "/findings", "[]"},
    {"no size in expect, of a single number", LAYER("\"type\": \"Mean\", \"dim\": [0, 1, 2, 3], \"expect\": []"),
     GOOD("[]")},
    {"no size in expect, of a picture", LAYER("\"type\": \"ReLU\", \"expect\": []"), 200, "/valid", "false"},
    {"a rank of 9 in expect", LAYER("\"type\": \"ReLU\", \"expect\": [1, 1, 1, 1, 1, 1, 1, 1, 1]"),
     BAD("wrong_length", "/layers/0/expect")},
    {"-1 in expect", LAYER("\"type\": \"ReLU\", \"expect\": [-1, 4, 8, 8]"), BAD("out_of_range", "/layers/0/expect/0")},
    {"a string in expect", LAYER("\"type\": \"ReLU\", \"expect\": [\"n\", 4, 8, 8]"),
     BAD("wrong_type", "/layers/0/expect/0")},
    {"a number for expect", LAYER("\"type\": \"ReLU\", \"expect\": 8"), BAD("wrong_type", "/layers/0/expect")},

    /* the request's own members */
    {"an unknown dtype", WITH("\"dtype\": \"float8\""), BAD("unknown_word", "/dtype")},
    {"a number for dtype", WITH("\"dtype\": 4"), BAD("wrong_type", "/dtype")},
    {"null for dtype", WITH("\"dtype\": null"), BAD("wrong_type", "/dtype")},
    {"an unknown layout", WITH("\"layout\": \"NHWC\""), BAD("unknown_word", "/layout")},
    {"null for layout", WITH("\"layout\": null"), BAD("wrong_type", "/layout")},
    {"a string for explain", WITH("\"explain\": \"yes\""), BAD("wrong_type", "/explain")},
    {"null for covered", WITH("\"covered\": null"), BAD("wrong_type", "/covered")},
    {"bytes of float64", WITH("\"dtype\": \"float64\""), 200, "/totals/output_bytes", "2048"},
    {"bytes of bfloat16", WITH("\"dtype\": \"bfloat16\""), 200, "/totals/output_bytes", "512"},
    {"bytes of complex128", WITH("\"dtype\": \"complex128\""), 200, "/totals/output_bytes", "4096"},
    {"bytes of bool", WITH("\"dtype\": \"bool\""), 200, "/totals/output_bytes", "256"},
    {"meta of the request", WITH("\"meta\": {\"type\": [null, {\"x\": [[[]]]}], \"\": -1e-5}"), GOOD("[1,4,8,8]")},
    {"meta of a layer", LAYER("\"type\": \"ReLU\", \"meta\": [1, {\"name\": 5, \"from\": null}]"), GOOD("[1,4,8,8]")},
    {"meta that only its owner can hold", WITH("\"meta\": {\"\\u0000\": [1e400, {\"x\": \"a\\u0000\"}]}"),
     GOOD("[1,4,8,8]")},
    {"meta of a layer, the same", LAYER("\"type\": \"ReLU\", \"meta\": -1e999"), GOOD("[1,4,8,8]")},
    {"meta that is null", LAYER("\"type\": \"ReLU\", \"meta\": null"), GOOD("[1,4,8,8]")},
    {"no members", "{}", BAD("missing_member", "")},
    {"a number", "1", BAD("wrong_type", "")},
    {"null", "null", BAD("wrong_type", "")},

    {"a stride of null on one axis", LAYER("\"type\": \"MaxPool2d\", \"kernel_size\": 2, \"stride\": [null, 2]"),
     BAD("wrong_type", "/layers/0/stride/0")},
    {"a network of vectors: no spatial axes to see along",
     "{\"input\": [1, 784], \"layers\": [{\"type\": \"Flatten\"}, {\"type\": \"Linear\", \"out_features\": 10}]}", 200,
     "/layers/1/receptive_field", "{\"size\":[],\"stride\":[],\"start\":[]}"},
    /* sizes that cannot be */
    {"2^62 channels", LAYER("\"type\": \"Conv2d\", \"out_channels\": 4611686018427387904, \"kernel_size\": 3"),
     BAD("out_of_range", "/layers/0/out_channels")},
    {"2^62 channels, shown to the digit",
     LAYER("\"type\": \"Conv2d\", \"out_channels\": 4611686018427387904, \"kernel_size\": 3"), 422, "/errors/0/detail",
     "\"expected an integer from 1 to 2^53 − 1, got 4611686018427387904\""},
    {"2^63 channels, more digits than are kept",
     LAYER("\"type\": \"Conv2d\", \"out_channels\": 9223372036854775808, \"kernel_size\": 3"), 422, "/errors/0/detail",
     "\"expected an integer from 1 to 2^53 − 1, got about 9223372036854776000\""},
    {"2^53 - 1 channels", LAYER("\"type\": \"Conv2d\", \"out_channels\": 9007199254740991, \"kernel_size\": 3"),
     FOUND("count_overflow", "/layers/0")},
    {"a kernel of 2^31", LAYER("\"type\": \"Conv2d\", \"out_channels\": 4, \"kernel_size\": 2147483648"),
     FOUND("kernel_exceeds_input", "/layers/0/kernel_size")},
    {"a kernel of 2^53 - 1", LAYER("\"type\": \"Conv2d\", \"out_channels\": 4, \"kernel_size\": 9007199254740991"),
     FOUND("kernel_exceeds_input", "/layers/0/kernel_size")},
    {"a dilation of 2^52", CONV("\"dilation\": 4503599627370496"), FOUND("size_overflow", "/layers/0")},
    {"a dilation of 2^53 - 1 of a kernel of 1",
     LAYER("\"type\": \"Conv2d\", \"out_channels\": 4, \"kernel_size\": 1, "
           "\"dilation\": 9007199254740991"),
     GOOD("[1,4,8,8]")},
    {"a stride of 2^53 - 1", CONV("\"stride\": 9007199254740991, \"padding\": 1"), GOOD("[1,4,1,1]")},
    {"a stride of 2^53 - 1 with ceiling",
     LAYER("\"type\": \"MaxPool2d\", \"kernel_size\": 2, \"stride\": 9007199254740991, \"ceil_mode\": true"),
     GOOD("[1,4,1,1]")},
    {"padding of 2^52 on both sides", CONV("\"padding\": 4503599627370496"), FOUND("size_overflow", "/layers/0")},
    {"padding to 2^53 - 4", LAYER("\"type\": \"ZeroPad2d\", \"padding\": [0, 9007199254740000, 0, 0]"),
     FOUND("count_overflow", "/layers/0")},
    {"a crop of 2^53 - 1", LAYER("\"type\": \"ZeroPad2d\", \"padding\": -9007199254740991"),
     FOUND("*", "/layers/0/padding")},
    {"an unpooling by 2^53 - 1", LAYER("\"type\": \"MaxUnpool2d\", \"kernel_size\": 2, \"stride\": 9007199254740991"),
     FOUND("size_overflow", "/layers/0")},
    {"a factor of 1e300", LAYER("\"type\": \"Upsample\", \"scale_factor\": 1e300"),
     FOUND("count_overflow", "/layers/0/scale_factor")},
    {"a factor of 1e-300", LAYER("\"type\": \"Upsample\", \"scale_factor\": 1e-300"),
     FOUND("scale_leaves_nothing", "/layers/0/scale_factor")},
    {"a factor of 0", LAYER("\"type\": \"Upsample\", \"scale_factor\": 0"),
     BAD("out_of_range", "/layers/0/scale_factor")},
    {"a negative factor", LAYER("\"type\": \"Upsample\", \"scale_factor\": [2, -2]"),
     BAD("out_of_range", "/layers/0/scale_factor/1")},
    {"a downscale_factor of 2^53 - 1", LAYER("\"type\": \"PixelUnshuffle\", \"downscale_factor\": 9007199254740991"),
     FOUND("not_divisible", "/layers/0/downscale_factor")},
    {"a slice from -2^53 + 1 to 2^53 - 1",
     LAYER("\"type\": \"Slice\", \"dim\": 2, \"start\": -9007199254740991, "
           "\"end\": 9007199254740991, \"step\": 9007199254740991"),
     GOOD("[1,4,1,8]")},
    {"null for all of a slice",
     LAYER("\"type\": \"Slice\", \"dim\": -1, \"start\": null, \"end\": null, \"step\": null"), GOOD("[1,4,8,8]")},

    /* tensors without dimensions */
    {"a mean over everything", LAYER("\"type\": \"Mean\", \"dim\": [0, 1, 2, 3]"), GOOD("[]")},
    {"one element", LAYER("\"type\": \"Mean\", \"dim\": [0, 1, 2, 3]"), 200, "/totals/output_bytes", "4"},
    {"a layer after everything is averaged", LAYERS("{\"type\": \"Mean\", \"dim\": [0, 1, 2, 3]}, " RELU), GOOD("[]")},
    {"a reshape of one element",
     LAYERS("{\"type\": \"Mean\", \"dim\": [0, 1, 2, 3]}, {\"type\": \"Reshape\", \"shape\": [1, -1, 1]}"),
     GOOD("[1,1,1]")},
    {"a broadcast of one element",
     LAYERS("{\"type\": \"Mean\", \"dim\": [0, 1, 2, 3]}, {\"type\": \"Mul\", \"from\": [\"mean_0\", \"input\"]}"),
     GOOD("[1,4,8,8]")},
    {"a linear layer of nothing",
     LAYERS("{\"type\": \"Mean\", \"dim\": [0, 1, 2, 3]}, {\"type\": \"Linear\", \"out_features\": 2}"),
     FOUND("wrong_rank_range", "/layers/1")},
    {"a flattening of nothing", LAYERS("{\"type\": \"Mean\", \"dim\": [0, 1, 2, 3]}, {\"type\": \"Flatten\"}"),
     FOUND("dim_out_of_range", "/layers/1/start_dim")},
    {"a softmax of nothing", LAYERS("{\"type\": \"Mean\", \"dim\": [0, 1, 2, 3]}, {\"type\": \"Softmax\"}"),
     FOUND("dim_out_of_range", "/layers/1/dim")},
    {"a joining of nothing", LAYERS("{\"type\": \"Mean\", \"dim\": [0, 1, 2, 3]}, {\"type\": \"Concat\"}"),
     FOUND("dim_out_of_range", "/layers/1/dim")},
    {"a permutation of nothing",
     LAYERS("{\"type\": \"Mean\", \"dim\": [0, 1, 2, 3]}, {\"type\": \"Permute\", \"dims\": [0]}"),
     FOUND("not_a_permutation", "/layers/1/dims")},
    {"a layer norm of nothing",
     LAYERS("{\"type\": \"Mean\", \"dim\": [0, 1, 2, 3]}, {\"type\": \"LayerNorm\", \"normalized_shape\": 1}"),
     FOUND("normalized_shape_differs", "/layers/1/normalized_shape")},
    {"a crop like nothing",
     LAYERS("{\"type\": \"Mean\", \"name\": \"m\", \"dim\": [0, 1, 2, 3]}, "
            "{\"type\": \"CenterCrop2d\", \"from\": \"input\", \"like\": \"m\"}"),
     FOUND("like_rank_differs", "/layers/1/like")},
};

/* Where `part` begins in the text at or past `from`; its size where it does not. */
static size_t find(struct cp_text text, size_t from, const char *part, size_t size)
{
    for (; from + size <= text.size; from++)
        if (memcmp(text.bytes + from, part, size) == 0) return from;
    return text.size;
}

/* Equal, where each `*` in the pattern stands for anything. A pattern with one ends in one. */
static bool matches(struct cp_text text, const char *pattern)
{
    if (!strchr(pattern, '*')) return cp_test_is(text, pattern);
    for (size_t at = 0; *pattern; pattern += *pattern == '*') {
        size_t size = strcspn(pattern, "*");
        size_t found = find(text, at, pattern, size);
        if (found == text.size || (at == 0 && found > 0)) return false;
        at = found + size;
        pattern += size;
    }
    return true;
}

static void test_rows(void **state)
{
    (void)state;
    int wrong = 0;
    for (size_t at = 0; at < sizeof rows / sizeof rows[0]; at++) {
        const struct row *row = &rows[at];
        struct cp_test_exchange exchange;
        cp_test_post(&exchange, cp_text_of(row->request));
        struct cp_text body = exchange.reply.body;
        if (exchange.reply.status != row->status || !matches(cp_test_at(body, row->at), row->value)) {
            print_error("%s: wanted %d and %s at %s\n  %s\n  %d %.*s\n", row->name, row->status, row->value, row->at,
                        row->request, exchange.reply.status, (int)body.size, body.bytes);
            wrong++;
        }
        cp_test_close(&exchange);
    }
    if (wrong) fail_msg("%d rows failed", wrong);
}

/* ---- Many ---------------------------------------------------------------------------------------------------------- */

/* A stack of `count` layers. */
static void post_many(struct cp_test_exchange *exchange, int count, void (*write)(FILE *file, int at))
{
    struct cp_test_text text;
    FILE *file = cp_test_begin(&text);
    (void)fprintf(file, "{\"input\": [1, 4, 8], \"layers\": [");
    for (int at = 0; at < count; at++) {
        if (at) (void)fputc(',', file);
        write(file, at);
    }
    (void)fprintf(file, "]}");
    cp_test_post(exchange, cp_test_finish(&text));
    cp_test_free(&text);
}

static void write_relu(FILE *file, int at)
{
    (void)at;
    (void)fputs(RELU, file);
}

static void test_as_many_layers_as_are_allowed(void **state)
{
    (void)state;
    struct cp_test_exchange exchange;
    post_many(&exchange, CP_MAX_LAYERS, write_relu);
    assert_int_equal(exchange.reply.status, 200);
    assert_true(cp_test_is(cp_test_at(exchange.reply.body, "/valid"), "true"));
    assert_true(cp_test_is(cp_test_at(exchange.reply.body, "/output"), "[1,4,8]"));
    assert_true(cp_test_is(cp_test_at(exchange.reply.body, "/totals/output_bytes"), "12800000"));
    assert_true(cp_test_is(cp_test_at(exchange.reply.body, "/totals/peak_activation_bytes"), "256"));
    cp_test_close(&exchange);
}

static void test_one_layer_too_many(void **state)
{
    (void)state;
    struct cp_test_exchange exchange;
    post_many(&exchange, CP_MAX_LAYERS + 1, write_relu);
    assert_int_equal(exchange.reply.status, 422);
    assert_true(cp_test_is_string(cp_test_at(exchange.reply.body, "/errors/0/code"), "limit_exceeded"));
    assert_true(cp_test_is_string(cp_test_at(exchange.reply.body, "/errors/0/pointer"), "/layers"));
    assert_true(
        cp_test_is_string(cp_test_at(exchange.reply.body, "/errors/0/detail"), "layers: 100001, the limit is 100000"));
    cp_test_close(&exchange);
}

/* Long names that differ in few bytes, and references back and forth. */
static void write_named(FILE *file, int at)
{
    (void)fprintf(file, "{\"type\": \"ReLU\", \"name\": \"aaaaaaaa%08xaaaaaaaa\"", (unsigned)at);
    if (at) (void)fprintf(file, ", \"from\": \"aaaaaaaa%08xaaaaaaaa\"", (unsigned)(at * 7919LL % at));
    (void)fputc('}', file);
}

static void test_many_names(void **state)
{
    (void)state;
    struct cp_test_exchange exchange;
    post_many(&exchange, CP_MAX_LAYERS, write_named);
    assert_int_equal(exchange.reply.status, 200);
    assert_true(cp_test_is(cp_test_at(exchange.reply.body, "/valid"), "true"));
    cp_test_close(&exchange);
}

static void write_same_name(FILE *file, int at)
{
    (void)at;
    (void)fputs("{\"type\": \"ReLU\", \"name\": \"a\"}", file);
}

static void write_unknown_name(FILE *file, int at)
{
    (void)fprintf(file, "{\"type\": \"ReLU\", \"name\": \"name%d\", \"from\": \"nome%d\"}", at, at);
}

static void write_later_name(FILE *file, int at)
{
    (void)fprintf(file, "{\"type\": \"ReLU\", \"name\": \"n%d\", \"from\": \"n%d\"}", at, (at + 1) % 50000);
}

static void write_unknown_members(FILE *file, int at)
{
    (void)fprintf(file, "{\"type\": \"Conf1d\", \"kernal_size\": %d, \"name\": 1, \"expect\": 0}", at);
}

static void write_misspelt_members(FILE *file, int at)
{
    (void)fprintf(file, "{\"type\": \"ReLU\", \"kernal_size\": %d, \"in\": 1, \"out\": 0}", at);
}

/* Hundreds of errors and more: the first hundred are told, the rest are counted; and it takes no time to speak of. */
static void test_many_errors(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        void (*write)(FILE *file, int at);
        int layers, omitted;
        const char *code;
    } cases[] = {
        {"101 errors", write_same_name, 102, 1, "duplicate_name"},
        {"duplicate names", write_same_name, 50000, 49899, "duplicate_name"},
        {"unknown names", write_unknown_name, 50000, 49900, "unknown_layer_name"},
        {"a cycle that takes too long to follow", write_later_name, 50000, 49899, "later_layer"},
        {"unknown types", write_unknown_members, 50000, 149900, "unknown_layer_type"},
        {"unknown members", write_misspelt_members, 50000, 149900, "unknown_member"},
    };
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++) {
        struct cp_test_exchange exchange;
        post_many(&exchange, cases[at].layers, cases[at].write);
        struct cp_text body = exchange.reply.body;
        if (exchange.reply.status != 422) fail_msg("%s: %d", cases[at].name, exchange.reply.status);
        assert_int_equal(cp_test_count(cp_test_at(body, "/errors")), CP_MAX_PROBLEM_ERRORS);
        if (cp_test_number(cp_test_at(body, "/errors_omitted")) != cases[at].omitted)
            fail_msg("%s: %.*s omitted", cases[at].name, (int)cp_test_at(body, "/errors_omitted").size,
                     cp_test_at(body, "/errors_omitted").bytes);
        if (!cp_test_is_string(cp_test_at(body, "/errors/0/code"), cases[at].code))
            fail_msg("%s: %.200s", cases[at].name, body.bytes);
        cp_test_close(&exchange);
    }
}

static void write_large_kernel(FILE *file, int at)
{
    (void)at;
    (void)fputs("{\"type\": \"Conv1d\", \"out_channels\": 1, \"kernel_size\": 9, \"from\": \"input\"}", file);
}

static void test_many_findings(void **state)
{
    (void)state;
    static const int counts[] = {CP_MAX_FINDINGS, CP_MAX_FINDINGS + 1, 20000};
    for (int at = 0; at < 3; at++) {
        struct cp_test_exchange exchange;
        post_many(&exchange, counts[at], write_large_kernel);
        struct cp_text body = exchange.reply.body;
        assert_int_equal(exchange.reply.status, 200);
        assert_true(cp_test_is(cp_test_at(body, "/valid"), "false"));
        assert_int_equal(cp_test_count(cp_test_at(body, "/findings")), CP_MAX_FINDINGS);
        assert_int_equal(cp_test_number(cp_test_at(body, "/findings_omitted")),
                         at == 0 ? -1 : counts[at] - CP_MAX_FINDINGS);
        cp_test_close(&exchange);
    }
}

static void test_many_inputs(void **state)
{
    (void)state;
    for (int count = CP_MAX_INPUTS; count <= CP_MAX_INPUTS + 1; count++) {
        struct cp_test_text text;
        struct cp_test_exchange exchange;
        FILE *file = cp_test_begin(&text);
        (void)fprintf(file, "{\"inputs\": {");
        for (int at = 0; at < count; at++) (void)fprintf(file, "%s\"i%d\": [1, %d]", at ? ", " : "", at, at + 1);
        (void)fprintf(file, "}, \"layers\": [{\"type\": \"Concat\", \"from\": [\"i0\", \"i63\", \"i63\"]}]}");
        cp_test_post(&exchange, cp_test_finish(&text));
        if (count == CP_MAX_INPUTS)
            assert_true(cp_test_is(cp_test_at(exchange.reply.body, "/output"), "[1,129]"));
        else
            assert_true(cp_test_is_string(cp_test_at(exchange.reply.body, "/errors/0/code"), "limit_exceeded"));
        cp_test_close(&exchange);
        cp_test_free(&text);
    }
}

static void test_wide_merges(void **state)
{
    (void)state;
    for (int count = CP_MAX_LAYER_INPUTS; count <= CP_MAX_LAYER_INPUTS + 1; count++) {
        struct cp_test_text text;
        struct cp_test_exchange exchange;
        FILE *file = cp_test_begin(&text);
        (void)fprintf(file, "{\"input\": [1, 3, 2], \"layers\": [" RELU ", {\"type\": \"Concat\", \"from\": [");
        for (int at = 0; at < count; at++) (void)fprintf(file, "%s\"%s\"", at ? ", " : "", at % 2 ? "input" : "relu_0");
        (void)fprintf(file, "]}]}");
        cp_test_post(&exchange, cp_test_finish(&text));
        if (count == CP_MAX_LAYER_INPUTS)
            assert_true(cp_test_is(cp_test_at(exchange.reply.body, "/output"), "[1,3072,2]"));
        else
            assert_true(cp_test_is_string(cp_test_at(exchange.reply.body, "/errors/0/code"), "wrong_length"));
        cp_test_close(&exchange);
        cp_test_free(&text);
    }
}

static void test_nesting(void **state)
{
    (void)state;
    for (int depth = CP_MAX_JSON_DEPTH - 1; depth <= CP_MAX_JSON_DEPTH; depth++) {
        struct cp_test_text text;
        struct cp_test_exchange exchange;
        FILE *file = cp_test_begin(&text);
        (void)fprintf(file, "{\"input\": [1], \"layers\": [" RELU "], \"meta\": ");
        for (int level = 0; level < depth; level++) (void)fputc('[', file);
        for (int level = 0; level < depth; level++) (void)fputc(']', file);
        (void)fputc('}', file);
        cp_test_post(&exchange, cp_test_finish(&text));
        assert_int_equal(exchange.reply.status, depth < CP_MAX_JSON_DEPTH ? 200 : 400);
        cp_test_close(&exchange);
        cp_test_free(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_as_many_layers_as_are_allowed),
        cmocka_unit_test(test_one_layer_too_many),
        cmocka_unit_test(test_many_names),
        cmocka_unit_test(test_many_errors),
        cmocka_unit_test(test_many_findings),
        cmocka_unit_test(test_many_inputs),
        cmocka_unit_test(test_wide_merges),
        cmocka_unit_test(test_nesting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
