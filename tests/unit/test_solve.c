/* /v1/solve: questions with known answers, the order, and what is refused. */
#include "core/limits.h"
#include "tests/service_client.h"

struct row {
    const char *name;
    const char *request;
    const char *pointer;  /* into the reply */
    const char *expected; /* JSON at the pointer; NULL: there is nothing */
};

static int check(const struct row *row, int status)
{
    struct cp_test_exchange exchange;
    const struct cp_request request = {.method = CP_POST,
                                       .method_name = CP_TEXT("POST"),
                                       .path = CP_TEXT("/v1/solve"),
                                       .body = cp_text_of(row->request)};
    cp_test_ask(&exchange, &request);
    struct cp_text found = cp_test_at(exchange.reply.body, row->pointer);
    bool right = exchange.reply.status == status;
    right = right && (row->expected ? cp_test_is(found, row->expected) : found.size == 0);
    if (!right)
        print_error("%s: %d, %s is %.*s, not %s\n  %.*s\n", row->name, exchange.reply.status, row->pointer,
                    (int)found.size, found.size ? found.bytes : "", row->expected ? row->expected : "absent",
                    (int)exchange.reply.body.size, exchange.reply.body.bytes);
    cp_test_close(&exchange);
    return !right;
}

#define CHECK_ROWS(rows, status)                                                                                       \
    do {                                                                                                               \
        int wrong = 0;                                                                                                 \
        for (size_t at = 0; at < sizeof(rows) / sizeof(rows)[0]; at++) wrong += check(&(rows)[at], (status));          \
        assert_int_equal(wrong, 0);                                                                                    \
    } while (0)

#define STEM                                                                                                           \
    "{\"type\": \"Conv2d\", \"input\": 224, \"output\": 112, \"kernel_size\": {\"min\": 1, \"max\": 7}, \"stride\": "  \
    "[2, 1]}"

static const struct row answers[] = {
    {"stem, count", STEM, "/count", "7"},
    {"stem, solved", STEM, "/valid", "true"},
    {"stem, nothing to say", STEM, "/findings", "[]"},
    {"no solution", "{\"type\": \"MaxPool2d\", \"input\": 14, \"output\": [7, 300]}", "/valid", "false"},
    {"no solution, a finding", "{\"type\": \"MaxPool2d\", \"input\": 14, \"output\": [7, 300]}", "/findings",
     "[{\"code\":\"no_solution\",\"severity\":\"error\",\"layer\":null,\"pointer\":\"/output\",\"axis\":\"W\","
     "\"detail\":\"no MaxPool2d with parameters in these ranges turns 14 into 300\","
     "\"suggestion\":\"allow larger kernels, strides or paddings\"}]"},
    {"no solution from any input",
     "{\"type\": \"ConvTranspose\", \"output\": 3, \"kernel_size\": 9, \"padding\": 0, \"stride\": 1}",
     "/findings/0/detail", "\"no ConvTranspose with parameters in these ranges gives 3 from any input\""},
    {"stem, simplest", STEM, "/solutions/0",
     "{\"kernel_size\":1,\"stride\":2,\"padding\":0,\"dilation\":1,\"relationship\":5}"},
    {"stem, second", STEM, "/solutions/1",
     "{\"kernel_size\":3,\"stride\":2,\"padding\":1,\"dilation\":1,\"relationship\":6}"},
    {"stem, odd kernels first", STEM, "/solutions/4/kernel_size", "2"},
    {"stem, all there", STEM, "/truncated", "false"},
    {"same size", "{\"type\": \"Conv\", \"input\": 8, \"output\": 8, \"stride\": 1, \"kernel_size\": 3}", "/solutions",
     "[{\"kernel_size\":3,\"stride\":1,\"padding\":1,\"dilation\":1,\"relationship\":3}]"},
    {"full padding is the most",
     "{\"type\": \"Conv\", \"input\": 8, \"output\": 12, \"stride\": 1, \"kernel_size\": 5}",
     "/solutions/0/relationship", "4"},
    {"dilation is 1 unless asked for",
     "{\"type\": \"Conv\", \"input\": 7, \"output\": 3, \"kernel_size\": 3, \"stride\": 1, \"padding\": 0}", "/count",
     "0"},
    {"dilated",
     "{\"type\": \"Conv\", \"input\": 7, \"output\": 3, \"kernel_size\": 3, \"stride\": 1, \"padding\": 0, "
     "\"dilation\": {\"max\": 4}}",
     "/solutions", "[{\"kernel_size\":3,\"stride\":1,\"padding\":0,\"dilation\":2,\"relationship\":15}]"},
    {"patches: a stride as large as the kernel",
     "{\"type\": \"Conv2d\", \"input\": 224, \"output\": 14, "
     "\"kernel_size\": 16, \"padding\": 0}",
     "/solutions/1", "{\"kernel_size\":16,\"stride\":16,\"padding\":0,\"dilation\":1,\"relationship\":5}"},
    {"transposed", "{\"type\": \"ConvTranspose2d\", \"input\": 7, \"output\": 14, \"kernel_size\": 3, \"stride\": 2}",
     "/solutions",
     "[{\"kernel_size\":3,\"stride\":2,\"padding\":1,\"dilation\":1,\"output_padding\":1,"
     "\"relationship\":14}]"},
    {"transposed, no output_padding",
     "{\"type\": \"ConvTranspose2d\", \"input\": 7, \"output\": 14, \"kernel_size\": [2, 4], \"stride\": 2, "
     "\"output_padding\": 0}",
     "/count", "2"},
    {"output_padding stays legal",
     "{\"type\": \"ConvTranspose2d\", \"input\": 1, \"output\": 9, \"kernel_size\": 4, \"stride\": 2, \"padding\": 0, "
     "\"output_padding\": {\"max\": 9}}",
     "/count", "0"},
    {"pool", "{\"type\": \"MaxPool2d\", \"input\": 112, \"output\": 56, \"kernel_size\": 2, \"stride\": 2}",
     "/solutions",
     "[{\"kernel_size\":2,\"stride\":2,\"padding\":0,\"dilation\":1,\"ceil_mode\":false,\"relationship\":7}]"},
    {"pool, both roundings",
     "{\"type\": \"AvgPool2d\", \"input\": 13, \"output\": 7, \"kernel_size\": 2, \"stride\": 2, \"padding\": 0, "
     "\"ceil_mode\": [false, true]}",
     "/solutions", "[{\"kernel_size\":2,\"stride\":2,\"padding\":0,\"ceil_mode\":true,\"relationship\":null}]"},
    {"pool, padding over half",
     "{\"type\": \"LPPool1d\", \"input\": 4, \"output\": 5, \"kernel_size\": 3, \"stride\": 1, "
     "\"padding\": {\"max\": 3}}",
     "/count", "0"},
    {"per axis",
     "{\"type\": \"Conv2d\", \"input\": [224, 160], \"output\": [112, 80], \"kernel_size\": 3, \"stride\": 2}",
     "/axes/1",
     "{\"axis\":\"W\",\"count\":1,\"solutions\":[{\"kernel_size\":3,\"stride\":2,\"padding\":1,\"dilation\":1,"
     "\"relationship\":6}],\"truncated\":false}"},
    {"per axis, one input for both",
     "{\"type\": \"Conv\", \"input\": 9, \"output\": [9, 8, 7], \"kernel_size\": 3, "
     "\"stride\": 1}",
     "/axes/1/count", "0"},
    {"preimages", "{\"type\": \"Conv2d\", \"output\": 7, \"kernel_size\": 3, \"stride\": 2, \"padding\": 1}",
     "/solutions/0/input", "{\"min\":13,\"max\":14}"},
    {"preimages, transposed",
     "{\"type\": \"ConvTranspose2d\", \"output\": 14, \"kernel_size\": 4, \"stride\": 2, \"padding\": 1, "
     "\"output_padding\": 0}",
     "/solutions/0/input", "{\"min\":7,\"max\":7}"},
    {"preimages, none",
     "{\"type\": \"ConvTranspose2d\", \"output\": 13, \"kernel_size\": 4, \"stride\": 2, \"padding\": 1, "
     "\"output_padding\": 0}",
     "/count", "0"},
    {"preimages, of 1 on", "{\"type\": \"Conv\", \"output\": 1, \"kernel_size\": 3, \"stride\": 4, \"padding\": 1}",
     "/solutions/0/input", "{\"min\":1,\"max\":4}"},
    {"no solution", "{\"type\": \"Conv\", \"input\": 5, \"output\": 500}", "/solutions", "[]"},
    {"a list is a set",
     "{\"type\": \"Conv\", \"input\": 8, \"output\": 8, \"kernel_size\": [3, 1, 3], \"stride\": [1, 1]}", "/count",
     "2"},
    {"more than are listed, counted",
     "{\"type\": \"Conv\", \"output\": 7, \"stride\": 1, \"kernel_size\": {\"max\": 10000}}", "/truncated", "true"},
    {"a thousand listed", "{\"type\": \"Conv\", \"output\": 7, \"stride\": 1, \"kernel_size\": {\"max\": 10000}}",
     "/solutions/999/kernel_size", "1999"},
    {"and not one more", "{\"type\": \"Conv\", \"output\": 7, \"stride\": 1, \"kernel_size\": {\"max\": 10000}}",
     "/solutions/1000", NULL},
    {"output_padding 0 leaves little to try, whatever the dilation",
     "{\"type\": \"ConvTranspose1d\", \"output\": 100, \"dilation\": 16, \"output_padding\": 0}", "/count", "1364"},
    {"dilations of transposed layers",
     "{\"type\": \"ConvTranspose1d\", \"output\": 100, \"dilation\": {\"min\": 1, \"max\": 8}}", "/valid", "true"},
    {"strides end at each kernel, not at the largest",
     "{\"type\": \"Conv\", \"input\": 700, \"output\": 1, "
     "\"kernel_size\": {\"max\": 700}, \"padding\": 0}",
     "/count", "122850"},
    {"a huge range of paddings of a transposed layer is counted, not walked",
     "{\"type\": \"ConvTranspose2d\", \"output\": 100, \"kernel_size\": 3, \"stride\": 2, \"padding\": {\"min\": 0, "
     "\"max\": 300000}}",
     "/count", "300001"},
    {"and where few of them fit, they are found at once",
     "{\"type\": \"ConvTranspose\", \"output\": 100, \"kernel_size\": 3, \"stride\": 67108863, \"padding\": "
     "{\"max\": 67108864}, \"output_padding\": [6, 8]}",
     "/solutions/1",
     "{\"kernel_size\":3,\"stride\":67108863,\"padding\":33554387,\"dilation\":1,\"output_padding\":8,"
     "\"input\":{\"min\":2,\"max\":2},\"relationship\":14}"},
    {"a huge range of paddings is counted, not walked",
     "{\"type\": \"Conv\", \"input\": 10, \"output\": 20000, \"kernel_size\": 2, \"stride\": 5000, \"padding\": "
     "{\"min\": "
     "0, \"max\": 67108864}}",
     "/count", "2500"},
};

static void test_answers(void **state)
{
    (void)state;
    CHECK_ROWS(answers, 200);
}

/* A window of k cells on 7 outputs has paddings 0 … k − 1 except where no input is left: all that fit are counted. */
static void test_count_is_true(void **state)
{
    static const struct row rows[] = {
        {"kernels to 11", "{\"type\": \"Conv\", \"output\": 30, \"stride\": 1}", "/count", "66"},
        {"and to 3", "{\"type\": \"Conv\", \"output\": 30, \"stride\": 1, \"kernel_size\": {\"max\": 3}}", "/count",
         "6"},
    };
    (void)state;
    CHECK_ROWS(rows, 200);
}

static const struct row refusals[] = {
    {"no type", "{\"output\": 3}", "/errors/0/detail", "\"`type` is required\""},
    {"no type, once", "{\"output\": 0}", "/errors/1/pointer", "\"/output\""},
    {"all that is wrong beside a type",
     "{\"type\": \"Linear\", \"outputs\": 3, \"stride\": 0, \"input\": [1, 2, 3, 4]}", "/detail",
     "\"5 errors; the first: \\\"Linear\\\" is none of the layers that can be solved for\""},
    {"no output", "{\"type\": \"Conv\", \"input\": 3}", "/errors/0/detail", "\"`output` is required\""},
    {"a type without a window", "{\"type\": \"Linear\", \"output\": 3}", "/errors/0/pointer", "\"/type\""},
    {"a misspelt type", "{\"type\": \"Convv2d\", \"output\": 3}", "/errors/0/suggestion", "\"did you mean `Conv2d`?\""},
    {"a type in other letters", "{\"type\": \"Conv2D\", \"output\": 3}", "/errors/0/suggestion",
     "\"did you mean `Conv2d`?\""},
    {"a misspelt type without its digit", "{\"type\": \"ConvTransposed\", \"output\": 3}", "/errors/0/suggestion",
     "\"did you mean `ConvTranspose`?\""},
    {"a pool in other letters", "{\"type\": \"lppool2d\", \"output\": 3}", "/errors/0/suggestion",
     "\"did you mean `LPPool2d`?\""},
    {"four dimensions", "{\"type\": \"Conv4d\", \"output\": 3}", "/errors/0/code", "\"unknown_word\""},
    {"LPPool has no third", "{\"type\": \"LPPool3d\", \"output\": 3}", "/errors/0/code", "\"unknown_word\""},
    {"a type that is a number", "{\"type\": 3, \"output\": 3}", "/errors/0/code", "\"wrong_type\""},
    {"ceil_mode of a convolution", "{\"type\": \"Conv\", \"output\": 3, \"ceil_mode\": true}", "/errors/0/code",
     "\"unknown_member\""},
    {"dilation of an average", "{\"type\": \"AvgPool\", \"output\": 3, \"dilation\": 2}", "/errors/0/code",
     "\"unknown_member\""},
    {"output_padding of a convolution", "{\"type\": \"Conv\", \"output\": 3, \"output_padding\": 1}", "/errors/0/code",
     "\"unknown_member\""},
    {"a misspelt member", "{\"type\": \"Conv\", \"output\": 3, \"kernal_size\": 1}", "/errors/0/suggestion",
     "\"did you mean `kernel_size`?\""},
    {"stride 0", "{\"type\": \"Conv\", \"output\": 3, \"stride\": 0}", "/errors/0/pointer", "\"/stride\""},
    {"stride 0 in a list", "{\"type\": \"Conv\", \"output\": 3, \"stride\": [1, 0]}", "/errors/0/pointer",
     "\"/stride/1\""},
    {"stride 0 in a range", "{\"type\": \"Conv\", \"output\": 3, \"stride\": {\"min\": 0, \"max\": 2}}",
     "/errors/0/pointer", "\"/stride/min\""},
    {"padding in words", "{\"type\": \"Conv\", \"output\": 3, \"padding\": \"same\"}", "/errors/0/code",
     "\"wrong_type\""},
    {"an empty range", "{\"type\": \"Conv\", \"output\": 3, \"padding\": {\"min\": 3, \"max\": 2}}", "/errors/0/code",
     "\"out_of_range\""},
    {"a range without an end", "{\"type\": \"Conv\", \"output\": 3, \"padding\": {\"min\": 3}}", "/errors/0/pointer",
     "\"/padding\""},
    {"a range with more", "{\"type\": \"Conv\", \"output\": 3, \"padding\": {\"max\": 3, \"step\": 2}}",
     "/errors/0/pointer", "\"/padding/step\""},
    {"an empty list", "{\"type\": \"Conv\", \"output\": 3, \"padding\": []}", "/errors/0/code", "\"wrong_length\""},
    {"output 0", "{\"type\": \"Conv\", \"output\": 0}", "/errors/0/code", "\"out_of_range\""},
    {"output in words", "{\"type\": \"Conv\", \"output\": \"3\"}", "/errors/0/code", "\"wrong_type\""},
    {"a size over the limit", "{\"type\": \"Conv\", \"output\": 67108865}", "/errors/0/code", "\"out_of_range\""},
    {"lists that differ", "{\"type\": \"Conv\", \"input\": [1, 2], \"output\": [1, 2, 3]}", "/errors/0/pointer",
     "\"/output\""},
    {"a list that is not the type's", "{\"type\": \"Conv2d\", \"output\": [1, 2, 3]}", "/errors/0/code",
     "\"wrong_length\""},
    {"ceil_mode a number", "{\"type\": \"MaxPool\", \"output\": 3, \"ceil_mode\": 1}", "/errors/0/code",
     "\"wrong_type\""},
    {"too much to try",
     "{\"type\": \"Conv\", \"output\": 3, \"kernel_size\": {\"max\": 1000}, \"stride\": {\"max\": 1000}}",
     "/errors/0/detail", "\"combinations of parameters to try: more than that, the limit is 250000\""},
    {"far too much to try",
     "{\"type\": \"Conv\", \"output\": 3, \"kernel_size\": {\"max\": 67108864}, \"stride\": {\"max\": 67108864}, "
     "\"dilation\": {\"max\": 67108864}}",
     "/errors/0/detail", "\"combinations of parameters to try: more than that, the limit is 250000\""},
};

static void test_refusals(void **state)
{
    (void)state;
    CHECK_ROWS(refusals, 422);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_count_is_true),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
