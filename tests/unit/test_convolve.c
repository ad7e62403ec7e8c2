/* /v1/convolve: the guide's worked examples to the digit, every method and view of them, and what is refused. */
#include "tests/service_client.h"

#include "server/state.h"

struct row {
    const char *name;
    const char *request;
    int status;
    const char *at;    /* pointer into the reply */
    const char *value; /* the text there; with a * at its end, how it begins */
};

static bool matches(struct cp_text text, const char *wanted)
{
    size_t size = strlen(wanted);
    if (size == 0 || wanted[size - 1] != '*') return cp_test_is(text, wanted);
    return text.size >= size - 1 && memcmp(text.bytes, wanted, size - 1) == 0;
}

static void ask(struct cp_test_exchange *exchange, const char *body)
{
    const struct cp_request request = {
        .method = CP_POST, .method_name = CP_TEXT("POST"), .path = CP_TEXT("/v1/convolve"), .body = cp_text_of(body)};
    cp_test_ask(exchange, &request);
}

static bool check(const struct row *row)
{
    struct cp_test_exchange exchange;
    ask(&exchange, row->request);
    struct cp_text got = cp_test_at(exchange.reply.body, row->at);
    bool right = exchange.reply.status == row->status && matches(got, row->value);
    if (!right)
        fprintf(stderr, "%s: %s\n  wanted %d %s at \"%s\"\n  got %d %.*s\n", row->name, row->request, row->status,
                row->value, row->at, exchange.reply.status, (int)exchange.reply.body.size, exchange.reply.body.bytes);
    cp_test_close(&exchange);
    return right;
}

static void check_all(const struct row *rows, size_t count)
{
    int wrong = 0;
    for (size_t at = 0; at < count; at++) wrong += !check(&rows[at]);
    if (wrong) fail_msg("%d of %zu rows", wrong, count);
}
#define CHECK_ALL(rows) check_all(rows, sizeof(rows) / sizeof(rows)[0])

/* ---- The guide's examples ------------------------------------------------------------------------------------------ */

#define X "[[[[3,3,2,1,0],[0,0,1,3,1],[3,1,2,2,3],[2,0,0,2,2],[2,0,0,0,1]]]]"
#define K "[[[[0,1,2],[2,2,0],[0,1,2]]]]"
#define W "[[[[1,2,3],[4,5,6],[7,8,9]]]]"
#define WITH(layer, members) "{\"layer\": {" layer "}, " members "}"
#define CONV(more, members) WITH("\"type\": \"Conv2d\", \"out_channels\": 1, \"kernel_size\": 3" more, members)
#define BACK(more, members) WITH("\"type\": \"ConvTranspose2d\", \"out_channels\": 1, \"kernel_size\": 3" more, members)
#define POOL(type, more, members) WITH("\"type\": \"" type "\", \"kernel_size\": 3, \"stride\": 1" more, members)
#define CONTRACT                                                                                                       \
    BACK(", \"stride\": 2, \"padding\": 1, \"output_padding\": 1",                                                     \
         "\"input\": [[[[1, 2], [3, 4]]]], \"weight\": " K ", \"bias\": [0.5], \"method\": \"emulated\", "             \
         "\"verify\": true, \"include\": [\"matrix\", \"stretched_input\", \"stretched_padded_input\", "               \
         "\"flipped_kernel\"]")

static const struct row guide[] = {
    {"unit strides", CONV("", "\"input\": " X ", \"weight\": " K), 200, "/output",
     "[[[[12,12,17],[10,17,19],[9,6,14]]]]"},
    {"padding and strides", CONV(", \"stride\": 2, \"padding\": 1", "\"input\": " X ", \"weight\": " K), 200, "/output",
     "[[[[6,17,3],[8,17,13],[6,4,4]]]]"},
    {"its shape", CONV(", \"stride\": 2, \"padding\": 1", "\"input\": " X ", \"weight\": " K), 200, "/shape",
     "[1,1,3,3]"},
    {"its relationship", CONV(", \"stride\": 2, \"padding\": 1", "\"input\": " X ", \"weight\": " K), 200,
     "/relationship", "6"},
    {"its macs", CONV(", \"stride\": 2, \"padding\": 1", "\"input\": " X ", \"weight\": " K), 200, "/macs", "81"},
    {"average", POOL("AvgPool2d", "", "\"input\": " X), 200, "/output",
     "[[[[1.6666666666666667,1.6666666666666667,1.6666666666666667],"
     "[1,1.2222222222222223,1.7777777777777777],[1.1111111111111112,0.7777777777777778,1.3333333333333333]]]]"},
    {"maximum", POOL("MaxPool2d", "", "\"input\": " X), 200, "/output", "[[[[3,3,3],[3,3,3],[3,2,3]]]]"},
    {"pools have no macs", POOL("MaxPool2d", "", "\"input\": " X), 200, "/macs", "0"},
    {"the matrix of 4.1",
     CONV("", "\"input\": [[[[0,0,0,0],[0,0,0,0],[0,0,0,0],[0,0,0,0]]]], \"weight\": " W ", \"include\": [\"matrix\"]"),
     200, "/matrix",
     "[[1,2,3,0,4,5,6,0,7,8,9,0,0,0,0,0],[0,1,2,3,0,4,5,6,0,7,8,9,0,0,0,0],"
     "[0,0,0,0,1,2,3,0,4,5,6,0,7,8,9,0],[0,0,0,0,0,1,2,3,0,4,5,6,0,7,8,9]]"},
    {"the same of its transpose",
     BACK("", "\"input\": [[[[1,0],[0,0]]]], \"weight\": " W ", \"include\": [\"matrix\"]"), 200, "/matrix/3",
     "[0,0,0,0,0,1,2,3,0,4,5,6,0,7,8,9]"},
    {"a column of it", BACK("", "\"input\": [[[[1,0],[0,0]]]], \"weight\": " W ", \"method\": \"matrix\""), 200,
     "/output", "[[[[1,2,3,0],[4,5,6,0],[7,8,9,0],[0,0,0,0]]]]"},
    {"the contract's example", CONTRACT, 200, "/output",
     "[[[[2.5,4.5,4.5,0.5],[4.5,8.5,6.5,12.5],[6.5,8.5,8.5,0.5],[3.5,6.5,4.5,8.5]]]]"},
    {"its stretched input", CONTRACT, 200, "/stretched_input", "[[[[1,0,2],[0,0,0],[3,0,4]]]]"},
    {"its padding, with a zero more at the end", CONTRACT, 200, "/stretched_padded_input",
     "[[[[0,0,0,0,0,0],[0,1,0,2,0,0],[0,0,0,0,0,0],[0,3,0,4,0,0],[0,0,0,0,0,0],[0,0,0,0,0,0]]]]"},
    {"its flipped kernel", CONTRACT, 200, "/flipped_kernel", "[[[[2,1,0],[0,2,2],[2,1,0]]]]"},
    {"its relationship", CONTRACT, 200, "/relationship", "14"},
    {"its method", CONTRACT, 200, "/method", "\"emulated\""},
    {"its checks", CONTRACT, 200, "/checks",
     "[{\"method\":\"direct\",\"max_abs_difference\":0,\"multiplications\":36,\"multiplications_by_zero\":11},"
     "{\"method\":\"matrix\",\"max_abs_difference\":0,\"multiplications\":64,\"multiplications_by_zero\":39},"
     "{\"method\":\"emulated\",\"max_abs_difference\":0,\"multiplications\":144,\"multiplications_by_zero\":119},"
     "{\"method\":\"gradient\",\"max_abs_difference\":0,\"multiplications\":25,\"multiplications_by_zero\":0}]"},
    {"a padded input",
     CONV(", \"padding\": [[1, 0], [0, 1]], \"stride\": 3",
          "\"input\": [[[[1,2,3],[4,5,6],[7,8,9]]]], \"weight\": " K ", \"include\": [\"padded_input\"]"),
     200, "/padded_input", "[[[[0,0,0],[1,2,3],[4,5,6]]]]"},
    {"a crop past the kernel",
     WITH("\"type\": \"ConvTranspose1d\", \"out_channels\": 1, \"kernel_size\": 1, \"padding\": 1",
          "\"input\": [[[1, 2, 3, 4]]], \"weight\": [[[10]]], \"method\": \"emulated\""),
     200, "/output", "[[[20,30]]]"},
    {"same_upper of an even kernel",
     WITH("\"type\": \"Conv1d\", \"out_channels\": 1, \"kernel_size\": 2, \"padding\": \"same_upper\"",
          "\"input\": [[[1, 2, 3]]], \"weight\": [[[1, 10]]]"),
     200, "/output", "[[[21,32,3]]]"},
    {"an output_size",
     WITH("\"type\": \"ConvTranspose1d\", \"out_channels\": 1, \"kernel_size\": 2, \"stride\": 3, \"output_size\": 6",
          "\"input\": [[[1, 2]]], \"weight\": [[[1, 10]]]"),
     200, "/output", "[[[1,10,0,2,20,0]]]"},
    {"no padding in the mean",
     WITH("\"type\": \"AvgPool1d\", \"kernel_size\": 2, \"padding\": 1, \"count_include_pad\": false",
          "\"input\": [[[1, 2, 3]]]"),
     200, "/output", "[[[1,2.5]]]"},
};

static void test_guide(void **state)
{
    (void)state;
    CHECK_ALL(guide);
}

/* ---- Directions, types, forms -------------------------------------------------------------------------------------- */

#define LINE(more, members) WITH("\"type\": \"Conv1d\", \"out_channels\": 1, \"kernel_size\": 2" more, members)
#define BASE64(shape, dtype, text) "{\"shape\": " shape ", \"dtype\": \"" dtype "\", \"base64\": \"" text "\"}"
#define ONE "AAAAAAAA8D8="
#define NAN64 "AAAAAAAA+H8="
#define POINT(members) WITH("\"type\": \"Conv1d\", \"out_channels\": 1, \"kernel_size\": 1", members)

static const struct row forms[] = {
    {"the gradient of the input",
     LINE("", "\"input_shape\": [1, 1, 3], \"weight\": [[[1, 10]]], \"output_gradient\": [[[1, 2]]], "
              "\"direction\": \"backward_input\", \"method\": \"gradient\", \"verify\": true"),
     200, "/output", "[[[1,12,20]]]"},
    {"the gradient of the weight",
     LINE("", "\"input\": [[[1, 2, 3]]], \"output_gradient\": [[[1, 10]]], \"direction\": \"backward_weight\""), 200,
     "/output", "[[[21,32]]]"},
    {"its direction",
     LINE("", "\"input\": [[[1, 2, 3]]], \"output_gradient\": [[[1, 10]]], \"direction\": \"backward_weight\""), 200,
     "/direction", "\"backward_weight\""},
    {"the first of equals",
     WITH("\"type\": \"MaxPool1d\", \"kernel_size\": 2",
          "\"input\": [[[5, 5]]], \"output_gradient\": [[[7]]], \"direction\": \"backward_input\""),
     200, "/output", "[[[7,0]]]"},
    {"the stretched gradient",
     LINE(", \"stride\": 2", "\"input_shape\": [1, 1, 4], \"weight\": [[[1, 10]]], \"output_gradient\": [[[1, 2]]], "
                             "\"direction\": \"backward_input\", \"include\": [\"stretched_input\"]"),
     200, "/stretched_input", "[[[1,0,2]]]"},
    {"flat", POINT("\"input\": [[[1, 2]]], \"weight\": [[[3]]], \"encoding\": \"flat\""), 200, "/output",
     "{\"shape\":[1,1,2],\"dtype\":\"float64\",\"data\":[3,6]}"},
    {"base64", POINT("\"input\": [[[1]]], \"weight\": [[[1]]], \"encoding\": \"base64\""), 200, "/output",
     "{\"shape\":[1,1,1],\"dtype\":\"float64\",\"base64\":\"" ONE "\"}"},
    {"NaN in base64",
     POINT("\"input\": " BASE64("[1,1,1]", "float64", NAN64) ", \"weight\": [[[1]]], \"encoding\": \"base64\""), 200,
     "/output/base64", "\"" NAN64 "\""},
    {"float32 rounds first and last", POINT("\"input\": [[[0.1]]], \"weight\": [[[3]]], \"dtype\": \"float32\""), 200,
     "/output", "[[[0.30000001192092896]]]"},
    {"integers are exact", POINT("\"input\": [[[9007199254740993]]], \"weight\": [[[1023]]], \"dtype\": \"int64\""),
     200, "/output", "[[[9214364837600035839]]]"},
    {"a tensor's dtype decides",
     POINT("\"input\": {\"shape\": [1,1,1], \"dtype\": \"int64\", \"data\": [5]}, "
           "\"weight\": [[[3]]]"),
     200, "/dtype", "\"int64\""},
    {"the request's dtype wins",
     POINT("\"input\": {\"shape\": [1,1,1], \"dtype\": \"int64\", \"data\": [5]}, "
           "\"weight\": [[[0.5]]], \"dtype\": \"float64\""),
     200, "/output", "[[[2.5]]]"},
    {"meta is the caller's own", POINT("\"input\": [[[1]]], \"weight\": [[[1]]], \"meta\": {\"id\": 7}"), 200,
     "/output", "[[[1]]]"},
    {"squares are added by fused multiply-adds",
     WITH("\"type\": \"LPPool1d\", \"kernel_size\": 3", "\"input\": [[[1.33, -1.63, 2.67]]]"), 200, "/output",
     "[[[3.3992204988791177]]]"},
    {"the layer's expectation holds",
     WITH("\"type\": \"Conv1d\", \"out_channels\": 1, \"kernel_size\": 1, \"expect\": [1, null, 1]",
          "\"input\": [[[1]]], \"weight\": [[[1]]]"),
     200, "/output", "[[[1]]]"},
    {"only one method for pools",
     WITH("\"type\": \"MaxPool1d\", \"kernel_size\": 2", "\"input\": [[[1, 2]]], \"verify\": true"), 200, "/checks",
     "[{\"method\":\"direct\",\"max_abs_difference\":0,\"multiplications\":0,\"multiplications_by_zero\":0}]"},
};

static void test_forms(void **state)
{
    (void)state;
    CHECK_ALL(forms);
}

/* A matrix with more than 65,536 places is listed by its entries. */
static void test_listed_matrix(void **state)
{
    struct cp_test_exchange exchange;
    struct cp_test_text text;
    (void)state;
    FILE *file = cp_test_begin(&text);
    fprintf(file,
            "{\"layer\": {\"type\": \"Conv1d\", \"out_channels\": 1, \"kernel_size\": 2}, \"weight\": [[[3, 4]]], "
            "\"include\": [\"matrix\"], \"input\": [[[");
    for (int at = 0; at < 300; at++) fprintf(file, "%s0", at ? "," : "");
    fprintf(file, "]]]}");
    ask(&exchange, cp_test_finish(&text).bytes);
    assert_int_equal(exchange.reply.status, 200);
    assert_true(cp_test_is(cp_test_at(exchange.reply.body, "/matrix/shape"), "[299,300]"));
    assert_int_equal(cp_test_count(cp_test_at(exchange.reply.body, "/matrix/rows")), 598);
    assert_true(cp_test_is(cp_test_at(exchange.reply.body, "/matrix/rows/597"), "298"));
    assert_true(cp_test_is(cp_test_at(exchange.reply.body, "/matrix/columns/597"), "299"));
    assert_true(cp_test_is(cp_test_at(exchange.reply.body, "/matrix/values/597"), "4"));
    cp_test_close(&exchange);
    cp_test_free(&text);
}

/* ---- What is refused ------------------------------------------------------------------------------------------------ */

#define BAD(code, pointer) 422, "/errors/0", "{\"code\":\"" code "\",\"pointer\":\"" pointer "\",*"
#define SMALL "\"input\": [[[1, 2, 3]]], \"weight\": [[[1, 10]]]"

static const struct row refusals[] = {
    {"nothing", "{}", BAD("missing_member", "")},
    {"a tensor of 2^60 elements",
     LINE("", "\"input\": {\"shape\": [1, 1073741824, 1073741824], \"data\": []}, \"weight\": [[[1, 10]]]"), 422,
     "/errors/0/detail", "\"elements of a tensor: over 2^53 − 1, the limit is 2097152\""},
    {"an input_shape of 2^22 elements", LINE("", "\"input_shape\": [1, 1, 4194304], \"weight\": [[[1, 10]]]"), 422,
     "/errors/0/detail", "\"elements of a tensor: 4194304, the limit is 2097152\""},
    {"no layer", "{\"input\": [[[1]]], \"weight\": [[[1]]]}", BAD("missing_member", "")},
    {"no input", LINE("", "\"weight\": [[[1, 10]]]"), BAD("missing_member", "")},
    {"no weight", LINE("", "\"input\": [[[1, 2, 3]]]"), BAD("missing_member", "")},
    {"a shape for an input", LINE("", "\"input_shape\": [1, 1, 3], \"weight\": [[[1, 10]]]"),
     BAD("missing_member", "")},
    {"both", LINE("", SMALL ", \"input_shape\": [1, 1, 3]"), BAD("conflicting_members", "/input_shape")},
    {"a misspelt member", LINE("", SMALL ", \"methd\": \"direct\""), BAD("unknown_member", "/methd")},
    {"a misspelt layer member", LINE(", \"strid\": 2", SMALL), BAD("unknown_member", "/layer/strid")},
    {"a layer that is a list", "{\"layer\": [], " SMALL "}", BAD("wrong_type", "/layer")},
    {"a layer that is not computed", WITH("\"type\": \"ReLU\"", SMALL), BAD("layer_not_computed", "/layer/type")},
    {"members of a layer that is not computed", WITH("\"type\": \"ReLU\", \"kernel_size\": 2", SMALL),
     BAD("layer_not_computed", "/layer/type")},
    {"no such layer", WITH("\"type\": \"Conv4d\"", SMALL), BAD("unknown_layer_type", "/layer/type")},
    {"a layer of a stack", LINE(", \"from\": \"conv1\"", SMALL), BAD("unknown_layer_name", "/layer/from")},
    {"a ragged input", LINE("", "\"input\": [[[1, 2, 3], [4, 5]]], \"weight\": [[[1, 10]]]"),
     BAD("ragged_tensor", "/input/0/1")},
    {"an input of another rank", LINE("", "\"input\": [[1, 2, 3]], \"weight\": [[[1, 10]]]"),
     BAD("wrong_rank", "/input")},
    {"an input_shape of another rank",
     LINE("", "\"input_shape\": [1, 3], \"weight\": [[[1, 10]]], \"output_gradient\": [[[1, 2]]], "
              "\"direction\": \"backward_input\""),
     BAD("wrong_rank", "/input_shape")},
    {"a weight of another rank", LINE("", "\"input\": [[[1, 2, 3]]], \"weight\": [[1, 10]]"),
     BAD("tensor_shape_differs", "/weight")},
    {"a weight of other channels", LINE("", "\"input\": [[[1, 2, 3]]], \"weight\": [[[1, 10]], [[1, 10]]]"),
     BAD("tensor_shape_differs", "/weight")},
    {"a bias of another length", LINE("", SMALL ", \"bias\": [1, 2]"), BAD("tensor_shape_differs", "/bias")},
    {"a gradient of another shape",
     LINE("", SMALL ", \"direction\": \"backward_weight\", \"output_gradient\": [[[1, 2, 3]]]"),
     BAD("tensor_shape_differs", "/output_gradient")},
    {"a bias that the layer has not", LINE(", \"bias\": false", SMALL ", \"bias\": [1]"),
     BAD("conflicting_members", "/bias")},
    {"a weight for a pool", WITH("\"type\": \"MaxPool1d\", \"kernel_size\": 2", SMALL),
     BAD("conflicting_members", "/weight")},
    {"a gradient forward", LINE("", SMALL ", \"output_gradient\": [[[1, 2]]]"),
     BAD("conflicting_members", "/output_gradient")},
    {"no gradient backward", LINE("", SMALL ", \"direction\": \"backward_input\""), BAD("missing_member", "")},
    {"a pool's weight",
     WITH("\"type\": \"MaxPool1d\", \"kernel_size\": 2",
          "\"input\": [[[1, 2]]], \"output_gradient\": [[[1]]], \"direction\": \"backward_weight\""),
     BAD("direction_not_applicable", "/direction")},
    {"the largest of unknown values",
     WITH("\"type\": \"MaxPool1d\", \"kernel_size\": 2",
          "\"input_shape\": [1, 1, 2], \"output_gradient\": [[[1]]], \"direction\": \"backward_input\""),
     BAD("missing_member", "")},
    {"no such direction", LINE("", SMALL ", \"direction\": \"backward\""), BAD("unknown_word", "/direction")},
    {"no such method", LINE("", SMALL ", \"method\": \"fft\""), BAD("unknown_word", "/method")},
    {"nothing to emulate", LINE("", SMALL ", \"method\": \"emulated\""), BAD("method_not_applicable", "/method")},
    {"a pool has no matrix",
     WITH("\"type\": \"MaxPool1d\", \"kernel_size\": 2", "\"input\": [[[1, 2]]], \"method\": \"matrix\""),
     BAD("method_not_applicable", "/method")},
    {"nothing is stretched", LINE("", SMALL ", \"include\": [\"stretched_input\"]"),
     BAD("include_not_applicable", "/include")},
    {"a pool's matrix",
     WITH("\"type\": \"MaxPool1d\", \"kernel_size\": 2", "\"input\": [[[1, 2]]], \"include\": [\"matrix\"]"),
     BAD("include_not_applicable", "/include")},
    {"a misspelt include", LINE("", SMALL ", \"include\": [\"matrx\"]"), BAD("unknown_word", "/include/0")},
    {"an include that is no list", LINE("", SMALL ", \"include\": \"matrix\""), BAD("wrong_type", "/include")},
    {"a kernel that does not fit", LINE(", \"dilation\": 3", SMALL), BAD("kernel_exceeds_input", "/layer/kernel_size")},
    {"groups that do not divide", LINE(", \"groups\": 2", SMALL), BAD("not_divisible", "/layer/groups")},
    {"a stride of 0", LINE(", \"stride\": 0", SMALL), BAD("out_of_range", "/layer/stride")},
    {"an expectation that fails", LINE(", \"expect\": [1, 1, 3]", SMALL), BAD("expectation_failed", "/layer/expect")},
    {"output_padding past the stride",
     WITH("\"type\": \"ConvTranspose1d\", \"out_channels\": 1, \"kernel_size\": 2, \"output_padding\": 1", SMALL),
     BAD("output_padding_too_large", "/layer/output_padding")},
    {"a norm of power 0", WITH("\"type\": \"LPPool1d\", \"kernel_size\": 2, \"norm_type\": 0", "\"input\": [[[1, 2]]]"),
     BAD("out_of_range", "/layer/norm_type")},
    {"an integer norm",
     WITH("\"type\": \"LPPool1d\", \"kernel_size\": 2", "\"input\": [[[1, 2]]], \"dtype\": \"int64\""),
     BAD("out_of_range", "/dtype")},
    {"dtypes that differ",
     POINT("\"input\": {\"shape\": [1,1,1], \"dtype\": \"int64\", \"data\": [5]}, "
           "\"weight\": {\"shape\": [1,1,1], \"dtype\": \"float32\", \"data\": [5]}"),
     BAD("mixed_dtypes", "/weight")},
    {"no such dtype", LINE("", SMALL ", \"dtype\": \"float16\""), BAD("unknown_word", "/dtype")},
    {"a fraction in int64", LINE("", "\"input\": [[[1, 2.5, 3]]], \"weight\": [[[1, 10]]], \"dtype\": \"int64\""),
     BAD("element_out_of_range", "/input/0/0/1")},
    {"an overflow", POINT("\"input\": [[[1, 9223372036854775807]]], \"weight\": [[[2]]], \"dtype\": \"int64\""),
     BAD("integer_overflow", "")},
    {"where it is", POINT("\"input\": [[[1, 9223372036854775807]]], \"weight\": [[[2]]], \"dtype\": \"int64\""), 422,
     "/detail", "\"the result at [0, 0, 1] is *"},
    {"an average that is no integer",
     WITH("\"type\": \"AvgPool1d\", \"kernel_size\": 2", "\"input\": [[[1, 2]]], \"dtype\": \"int64\""),
     BAD("inexact_average", "")},
    {"a window without a cell in int64",
     WITH("\"type\": \"MaxPool1d\", \"kernel_size\": 2, \"dilation\": 3, \"stride\": 1, \"padding\": 2",
          "\"input\": [[[5]]], \"dtype\": \"int64\""),
     BAD("empty_window", "")},
    {"NaN in JSON", LINE("", "\"input\": [[[1, NaN, 3]]], \"weight\": [[[1, 10]]]"), 400, "/errors/0/code",
     "\"invalid_json\""},
    {"NaN in a result", POINT("\"input\": " BASE64("[1,1,1]", "float64", NAN64) ", \"weight\": [[[1]]]"),
     BAD("not_finite", "")},
    {"infinity in a result", POINT("\"input\": [[[1e308]]], \"weight\": [[[10]]]"), BAD("not_finite", "")},
    {"what to do about it", POINT("\"input\": [[[1e308]]], \"weight\": [[[10]]]"), 422, "/errors/0/suggestion",
     "\"ask for *"},
    {"base64 of another length", POINT("\"input\": " BASE64("[1,1,2]", "float64", ONE) ", \"weight\": [[[1]]]"),
     BAD("bad_base64", "/input/base64")},
    {"a huge input_shape",
     LINE("", "\"input_shape\": [1, 1, 3000000], \"weight\": [[[1, 10]]], \"output_gradient\": [[[1]]], "
              "\"direction\": \"backward_input\""),
     BAD("limit_exceeded", "/input_shape")},
    {"a huge output", WITH("\"type\": \"AdaptiveAvgPool1d\", \"output_size\": 3000000", "\"input\": [[[1]]]"),
     BAD("limit_exceeded", "")},
    {"an output beyond counting",
     WITH("\"type\": \"AdaptiveAvgPool3d\", \"output_size\": 9007199254740991", "\"input\": [[[[[1]]]]]"),
     BAD("count_overflow", "/layer")},
    {"a huge stretched input",
     WITH("\"type\": \"ConvTranspose1d\", \"out_channels\": 1, \"kernel_size\": 1, \"stride\": 1500000",
          "\"input\": [[[1, 1]]], \"weight\": [[[1]]], \"include\": [\"stretched_input\", \"stretched_padded_input\"]"),
     BAD("limit_exceeded", "")},
};

static void test_refusals(void **state)
{
    (void)state;
    CHECK_ALL(refusals);
}

/* All that is wrong is said at once. */
static void test_all_errors(void **state)
{
    struct cp_test_exchange exchange;
    (void)state;
    ask(&exchange, LINE(", \"stride\": 0, \"padding\": -1",
                        "\"input\": [[[1, 2], [3]]], \"weight\": 7, \"method\": \"fast\", \"dtpe\": \"int64\""));
    assert_int_equal(exchange.reply.status, 422);
    assert_int_equal(cp_test_count(cp_test_at(exchange.reply.body, "/errors")), 6);
    cp_test_close(&exchange);
}

/* A shape that cannot be read is not blamed on the layer as well. */
static void test_half_a_shape(void **state)
{
    struct cp_test_exchange exchange;
    (void)state;
    ask(&exchange, LINE("", "\"input_shape\": [1, 1, \"n\"], \"weight\": [[[1, 10]]], "
                            "\"output_gradient\": [[[1, 2]]], \"direction\": \"backward_input\""));
    assert_int_equal(cp_test_count(cp_test_at(exchange.reply.body, "/errors")), 1);
    assert_true(cp_test_is(cp_test_at(exchange.reply.body, "/errors/0/pointer"), "\"/input_shape/2\""));
    cp_test_close(&exchange);
}

/* Work over the limit is refused before it begins, with both numbers. */
static void test_multiplications(void **state)
{
    struct cp_test_exchange exchange;
    struct cp_test_text text;
    (void)state;
    FILE *file = cp_test_begin(&text);
    fprintf(file, "{\"layer\": {\"type\": \"MaxPool1d\", \"kernel_size\": 70000, \"stride\": 1}, \"input\": [[[");
    for (int at = 0; at < 140000; at++) fprintf(file, "%s0", at ? "," : "");
    fprintf(file, "]]]}");
    ask(&exchange, cp_test_finish(&text).bytes);
    assert_int_equal(exchange.reply.status, 422);
    assert_true(cp_test_is(cp_test_at(exchange.reply.body, "/errors/0/detail"),
                           "\"multiplications of the methods that are run: 4900070000, the limit is 4000000000\""));
    cp_test_close(&exchange);
    cp_test_free(&text);
}

/* When the server has no more time, computations end. */
static void test_stopping(void **state)
{
    struct cp_test_exchange exchange;
    struct cp_test_text text;
    (void)state;
    FILE *file = cp_test_begin(&text);
    fprintf(file, "{\"layer\": {\"type\": \"Conv2d\", \"out_channels\": 64, \"kernel_size\": 1}, \"dtype\": \"int64\", "
                  "\"input\": {\"shape\": [1, 64, 64, 64], \"data\": [");
    for (int at = 0; at < 64 * 64 * 64; at++) fprintf(file, "%s%d", at ? "," : "", at % 10);
    fprintf(file, "]}, \"weight\": {\"shape\": [64, 64, 1, 1], \"data\": [");
    for (int at = 0; at < 64 * 64; at++) fprintf(file, "%s%d", at ? "," : "", at % 10);
    fprintf(file, "]}}");
    struct cp_text request = cp_test_finish(&text);
    cp_stopping = true;
    ask(&exchange, request.bytes);
    cp_stopping = false;
    assert_int_equal(exchange.reply.status, 503);
    assert_true(cp_test_is(cp_test_at(exchange.reply.body, "/errors/0/code"), "\"computation_stopped\""));
    assert_int_equal(exchange.reply.header_count, 1);
    assert_string_equal(exchange.reply.headers[0].name, "Retry-After");
    cp_test_close(&exchange);
    ask(&exchange, request.bytes);
    assert_int_equal(exchange.reply.status, 200);
    cp_test_close(&exchange);
    cp_test_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guide),           cmocka_unit_test(test_forms),      cmocka_unit_test(test_listed_matrix),
        cmocka_unit_test(test_refusals),        cmocka_unit_test(test_all_errors), cmocka_unit_test(test_half_a_shape),
        cmocka_unit_test(test_multiplications), cmocka_unit_test(test_stopping),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
