/* POST /v1/roundtrip: the stories that people bring, every code that it gives, and what it refuses. */
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
#define UP(channels, rest) "{\"type\": \"ConvTranspose2d\", \"out_channels\": " #channels ", " rest "}"
#define LAYER(type, rest) "{\"type\": \"" type "\", " rest "}"
#define HALF "\"kernel_size\": 3, \"stride\": 2, \"padding\": 1"
#define POOL LAYER("MaxPool2d", "\"kernel_size\": 2")

/* ---- Verdicts ----------------------------------------------------------------------------------------------------- */

struct verdict_row {
    const char *name, *input, *encoder, *decoder;
    bool valid;
    const char *output;       /* NULL: not looked at */
    const char *code;         /* of a finding that has to be there; NULL: there is no finding at all */
    const char *pointer;      /* of it */
    const char *fix_at, *fix; /* NULL: it has none */
    const char *detail;       /* part of its detail; NULL: not looked at */
    int count;                /* of all findings; 0: one, or none without a code */
};

static const struct verdict_row verdict_rows[] = {
    /* 28 → 14 → 7 → 4 */
    {.name = "MNIST with output_padding 0, 1, 1",
     .input = "[1, 1, 28, 28]",
     .encoder = CONV(8, HALF) ", " CONV(16, HALF) ", " CONV(32, HALF),
     .decoder = UP(16, HALF) ", " UP(8, HALF ", \"output_padding\": 1") ", " UP(1, HALF ", \"output_padding\": 1"),
     .valid = true,
     .output = "[1,1,28,28]"},
    {.name = "MNIST with output_padding 1 everywhere",
     .input = "[1, 1, 28, 28]",
     .encoder = CONV(8, HALF) ", " CONV(16, HALF) ", " CONV(32, HALF),
     .decoder = UP(16, HALF ", \"output_padding\": 1") ", " UP(8, HALF ", \"output_padding\": 1") ", " UP(
         1, HALF ", \"output_padding\": 1"),
     .output = "[1,1,32,32]",
     .code = "round_trip_mismatch",
     .pointer = "/decoder/0/output_padding",
     .fix_at = "/decoder/0/output_padding",
     .fix = "[0,0]",
     .detail = "gives [8, 8], but [7, 7]"},
    {.name = "MNIST with output_padding 0 everywhere",
     .input = "[1, 1, 28, 28]",
     .encoder = CONV(8, HALF) ", " CONV(16, HALF) ", " CONV(32, HALF),
     .decoder = UP(16, HALF) ", " UP(8, HALF) ", " UP(1, HALF),
     .output = "[1,1,25,25]",
     .code = "round_trip_mismatch",
     .pointer = "/decoder/1/output_padding",
     .fix_at = "/decoder/1/output_padding",
     .fix = "[1,1]",
     .count = 2},
    {.name = "a layer of another rank on the way",
     .input = "[1, 1, 28, 28]",
     .encoder = CONV(8, HALF) ", " CONV(16, HALF),
     .decoder = UP(8, HALF) ", " LAYER("AvgPool1d", "\"kernel_size\": 2") ", " UP(1, HALF),
     .code = "wrong_rank",
     .pointer = "/decoder/1",
     .count = 2},
    {.name = "through a dense latent",
     .input = "[1, 1, 28, 28]",
     .encoder = CONV(8, HALF) ", " CONV(16, HALF) ", " LAYER("Flatten", "\"start_dim\": 1") ", " LAYER(
         "Linear", "\"out_features\": 10"),
     .decoder = LAYER("Linear", "\"out_features\": 784") ", " LAYER(
         "Unflatten", "\"dim\": 1, \"unflattened_size\": [16, 7, 7]") ", " UP(8, HALF) ", " UP(1, HALF),
     .output = "[1,1,25,25]",
     .code = "round_trip_mismatch",
     .pointer = "/decoder/2/output_padding",
     .fix_at = "/decoder/2/output_padding",
     .fix = "[1,1]",
     .count = 2},
    {.name = "k4 s2 p1 at a multiple of 4",
     .input = "[1, 3, 64, 36]",
     .encoder = CONV(8, "\"kernel_size\": 4, \"stride\": 2, \"padding\": 1") ", " CONV(
         8, "\"kernel_size\": 4, \"stride\": 2, \"padding\": 1"),
     .decoder = UP(8, "\"kernel_size\": 4, \"stride\": 2, \"padding\": 1") ", " UP(
         3, "\"kernel_size\": 4, \"stride\": 2, \"padding\": 1"),
     .valid = true,
     .output = "[1,3,64,36]"},
    {.name = "k4 s2 p1 at 4n + 2",
     .input = "[1, 3, 66, 66]",
     .encoder = CONV(8, "\"kernel_size\": 4, \"stride\": 2, \"padding\": 1") ", " CONV(
         8, "\"kernel_size\": 4, \"stride\": 2, \"padding\": 1"),
     .decoder = UP(8, "\"kernel_size\": 4, \"stride\": 2, \"padding\": 1") ", " UP(
         3, "\"kernel_size\": 4, \"stride\": 2, \"padding\": 1"),
     .output = "[1,3,64,64]",
     .code = "round_trip_mismatch",
     .pointer = "/decoder/0/output_padding",
     .fix_at = "/decoder/0/output_padding",
     .fix = "[1,1]"},
    {.name = "k3 s2 p0 at -1 (mod 4)",
     .input = "[1, 3, 31, 31]",
     .encoder = CONV(8, "\"kernel_size\": 3, \"stride\": 2") ", " CONV(8, "\"kernel_size\": 3, \"stride\": 2"),
     .decoder = UP(8, "\"kernel_size\": 3, \"stride\": 2") ", " UP(3, "\"kernel_size\": 3, \"stride\": 2"),
     .valid = true,
     .output = "[1,3,31,31]"},
    {.name = "k11 s4 p2 at 3 (mod 4)",
     .input = "[1, 3, 227, 227]",
     .encoder = CONV(64, "\"kernel_size\": 11, \"stride\": 4, \"padding\": 2"),
     .decoder = UP(3, "\"kernel_size\": 11, \"stride\": 4, \"padding\": 2"),
     .valid = true,
     .output = "[1,3,227,227]"},
    {.name = "an upsampling that is off, mended by the padding of the convolution after it",
     .input = "[1, 4, 33, 33]",
     .encoder = CONV(4, "\"kernel_size\": 3, \"stride\": 4, \"padding\": 2"),
     .decoder = LAYER("Upsample", "\"scale_factor\": 3") ", " CONV(4, "\"kernel_size\": 3, \"padding\": 1"),
     .output = "[1,4,27,27]",
     .code = "round_trip_mismatch",
     .pointer = "/decoder/1/padding",
     .fix_at = "/decoder/1/padding",
     .fix = "[4,4]",
     .detail = "gives [27, 27], but [33, 33] is needed to get the input's size back"},
    {.name = "a partner that cannot fit, and a layer that becomes a stage so that it need not",
     .input = "[1, 4, 27]",
     .encoder =
         LAYER("MaxPool1d", "\"kernel_size\": 3") ", " LAYER("Conv1d", "\"out_channels\": 4, \"kernel_size\": 3"),
     .decoder = LAYER("Upsample", "\"scale_factor\": 4") ", " LAYER(
         "Conv1d", "\"out_channels\": 4, \"kernel_size\": 3, \"padding\": 1") ", " LAYER("Conv1d",
                                                                                         "\"out_channels\": 4, "
                                                                                         "\"kernel_size\": 2, "
                                                                                         "\"padding\": 1"),
     .output = "[1,4,29]",
     .code = "round_trip_mismatch",
     .pointer = "/decoder/1/padding",
     .fix_at = "/decoder/1/padding",
     .fix = "[0]",
     .count = 1},
    {.name = "a layer that only needs its input repaired",
     .input = "[1, 4, 22]",
     .encoder = LAYER("AdaptiveAvgPool1d", "\"output_size\": 1") ", " LAYER("ZeroPad1d", "\"padding\": 3") ", " LAYER(
         "Conv1d", "\"out_channels\": 4, \"kernel_size\": 4"),
     .decoder = LAYER("MaxUnpool1d", "\"kernel_size\": 4, \"stride\": 1, \"padding\": 3") ", " LAYER(
         "MaxPool1d", "\"kernel_size\": 3, \"stride\": 1, \"dilation\": 3") ", " LAYER("Upsample",
                                                                                       "\"scale_factor\": 22"),
     .code = "round_trip_mismatch",
     .pointer = "/decoder/0/padding",
     .fix_at = "/decoder/0/padding",
     .fix = "[0]",
     .count = 2},
    {.name = "sizes of which an unshuffling behind a fraction takes few",
     .input = "[1, 4, 8, 8]",
     .encoder = POOL,
     .decoder = UP(36, "\"kernel_size\": 1, \"stride\": 2") ", " LAYER("Upsample", "\"scale_factor\": 1.5") ", " LAYER(
         "PixelUnshuffle", "\"downscale_factor\": 3") ", " LAYER("Upsample", "\"size\": 7"),
     .code = "round_trip_mismatch",
     .pointer = "/decoder/0/padding",
     .fix_at = "/decoder/0/padding",
     .fix = "[1,1]",
     .detail = "gives [7, 7], but [6, 6] is needed",
     .count = 8},
    {.name = "k11 s4 p2 at 224",
     .input = "[1, 3, 224, 224]",
     .encoder = CONV(64, "\"kernel_size\": 11, \"stride\": 4, \"padding\": 2"),
     .decoder = UP(3, "\"kernel_size\": 11, \"stride\": 4, \"padding\": 2"),
     .output = "[1,3,223,223]",
     .code = "round_trip_mismatch",
     .fix_at = "/decoder/0/output_padding",
     .fix = "[1,1]"},
    {.name = "a U-Net at 96",
     .input = "[1, 3, 96, 96]",
     .encoder =
         LAYER("Conv2d", "\"name\": \"skip\", \"out_channels\": 8, \"kernel_size\": 3, \"padding\": 1") ", " POOL,
     .decoder =
         LAYER("ConvTranspose2d",
               "\"name\": \"up\", \"out_channels\": 8, \"kernel_size\": 2, "
               "\"stride\": 2") ", " LAYER("Concat", "\"from\": [\"skip\", \"up\"]") ", " CONV(3, "\"kernel_size\": 1"),
     .valid = true,
     .output = "[1,3,96,96]"},
    {.name = "a U-Net at 97",
     .input = "[1, 3, 97, 96]",
     .encoder =
         LAYER("Conv2d", "\"name\": \"skip\", \"out_channels\": 8, \"kernel_size\": 3, \"padding\": 1") ", " POOL,
     .decoder =
         LAYER("ConvTranspose2d",
               "\"name\": \"up\", \"out_channels\": 8, \"kernel_size\": 2, "
               "\"stride\": 2") ", " LAYER("Concat", "\"from\": [\"skip\", \"up\"]") ", " CONV(3, "\"kernel_size\": 1"),
     .code = "round_trip_mismatch",
     .pointer = "/decoder/0/output_padding",
     .fix_at = "/decoder/0/output_padding",
     .fix = "[1,0]",
     .count = 3},
    {.name = "a residual encoder",
     .input = "[1, 8, 32, 32]",
     .encoder = LAYER("Conv2d", "\"name\": \"main\", \"out_channels\": 16, " HALF) ", " LAYER(
         "Conv2d", "\"name\": \"short\", \"from\": \"input\", \"out_channels\": 16, \"kernel_size\": 2, "
                   "\"stride\": 2") ", " LAYER("Add", "\"from\": [\"main\", \"short\"]"),
     .decoder = UP(8, HALF ", \"output_padding\": 1"),
     .valid = true,
     .output = "[1,8,32,32]"},
    {.name = "unpooling told the size",
     .input = "[1, 4, 7, 8]",
     .encoder = POOL,
     .decoder = LAYER("MaxUnpool2d", "\"kernel_size\": 2"),
     .output = "[1,4,6,8]",
     .code = "round_trip_mismatch",
     .pointer = "/decoder/0/output_size",
     .fix_at = "/decoder/0/output_size",
     .fix = "[7,8]",
     .count = 2},
    {.name = "upsampling to the wrong size",
     .input = "[1, 4, 7, 8]",
     .encoder = POOL,
     .decoder = LAYER("Upsample", "\"size\": 8"),
     .output = "[1,4,8,8]",
     .code = "round_trip_mismatch",
     .pointer = "/decoder/0/size",
     .fix_at = "/decoder/0/size",
     .fix = "[7,8]",
     .count = 2},
    {.name = "an output_padding that is too large",
     .input = "[1, 1, 8, 8]",
     .encoder = CONV(4, HALF),
     .decoder = UP(1, HALF ", \"output_padding\": [1, 3]"),
     .output = "null",
     .code = "round_trip_mismatch",
     .pointer = "/decoder/0/output_padding",
     .fix_at = "/decoder/0/output_padding",
     .fix = "[1,1]",
     .count = 2},
    {.name = "same_upper that has to be cells",
     .input = "[1, 1, 9, 8]",
     .encoder = CONV(4, "\"kernel_size\": 3, \"stride\": 2, \"padding\": \"same_upper\""),
     .decoder = UP(1, "\"kernel_size\": 3, \"stride\": 2, \"padding\": \"same_upper\""),
     .output = "[1,1,10,8]",
     .code = "round_trip_mismatch",
     .pointer = "/decoder/0/padding",
     .fix_at = "/decoder/0/padding",
     .fix = "[[1,1],[0,1]]"},
    {.name = "shuffling by a factor that cannot",
     .input = "[1, 4, 7, 7]",
     .encoder = POOL,
     .decoder = LAYER("PixelShuffle", "\"upscale_factor\": 2"),
     .output = "[1,1,6,6]",
     .code = "no_fix_round_trips",
     .pointer = "/decoder/0",
     .detail = "gives [6, 6] where [7, 7] is needed",
     .count = 4},
    {.name = "a factor where a size is needed",
     .input = "[1, 4, 7, 7]",
     .encoder = POOL,
     .decoder = LAYER("Upsample", "\"scale_factor\": 2"),
     .output = "[1,4,6,6]",
     .code = "no_fix_round_trips",
     .pointer = "/decoder/0",
     .count = 3},
    {.name = "only padding can make the size grow",
     .input = "[1, 4, 8, 8]",
     .encoder = POOL,
     .decoder = CONV(4, "\"kernel_size\": 3, \"padding\": 1"),
     .output = "[1,4,4,4]",
     .code = "round_trip_mismatch",
     .pointer = "/decoder/0/padding",
     .fix_at = "/decoder/0/padding",
     .fix = "[3,3]",
     .count = 2},
    {.name = "nothing that changes sizes",
     .input = "[1, 4, 8, 8]",
     .encoder = POOL,
     .decoder = LAYER("GELU", "\"name\": \"g\""),
     .output = "[1,4,4,4]",
     .code = "output_differs",
     .pointer = "/decoder/0",
     .detail = "the input is [1, 4, 8, 8], the last output is [1, 4, 4, 4]",
     .count = 2},
    {.name = "an end of another rank",
     .input = "[1, 4, 8, 8]",
     .encoder = POOL,
     .decoder = UP(4, "\"kernel_size\": 2, \"stride\": 2") ", " LAYER("Flatten", "\"start_dim\": 2"),
     .output = "[1,4,64]",
     .code = "output_differs",
     .pointer = "/decoder/1"},
    {.name = "two stages undone by one",
     .input = "[1, 4, 8, 8]",
     .encoder = POOL ", " POOL,
     .decoder = UP(4, "\"kernel_size\": 4, \"stride\": 4"),
     .valid = true,
     .output = "[1,4,8,8]",
     .code = "unpaired_stages",
     .pointer = "/encoder/0",
     .detail = "2 layers of the encoder and 1 of the decoder"},
    {.name = "one stage undone by two",
     .input = "[1, 4, 8, 8]",
     .encoder = LAYER("MaxPool2d", "\"kernel_size\": 4"),
     .decoder = UP(4, "\"kernel_size\": 2, \"stride\": 2") ", " LAYER("Upsample", "\"scale_factor\": 2"),
     .valid = true,
     .output = "[1,4,8,8]",
     .code = "unpaired_stages",
     .pointer = "/decoder/1",
     .detail = "1 layers of the encoder and 2 of the decoder"},
    {.name = "other channels at the end",
     .input = "[1, 3, 8, 8]",
     .encoder = POOL,
     .decoder = UP(21, "\"kernel_size\": 2, \"stride\": 2"),
     .valid = true,
     .output = "[1,21,8,8]",
     .code = "channels_differ",
     .pointer = "/decoder/0",
     .detail = "the input has 3 channels, the last output 21"},
    {.name = "an encoder that does not work",
     .input = "[1, 3, 4, 4]",
     .encoder = CONV(4, "\"kernel_size\": 5"),
     .decoder = UP(3, "\"kernel_size\": 5"),
     .output = "null",
     .code = "kernel_exceeds_input",
     .pointer = "/encoder/0/kernel_size",
     .fix_at = "/encoder/0/padding",
     .fix = "[1,1]",
     .count = 2},
    {.name = "a dead branch of the encoder",
     .input = "[1, 3, 9, 9]",
     .encoder = LAYER("MaxPool2d", "\"kernel_size\": 99") ", " CONV(3, "\"kernel_size\": 3") ", " LAYER(
         "Conv2d", "\"from\": \"input\", \"out_channels\": 3, \"kernel_size\": 3"),
     .decoder = UP(3, "\"kernel_size\": 3") ", " UP(3, "\"kernel_size\": 3, \"padding\": 1"),
     .output = "[1,3,9,9]",
     .code = "kernel_exceeds_input",
     .pointer = "/encoder/0/kernel_size",
     .fix_at = "/encoder/0/padding",
     .fix = "[45,45]",
     .count = 2},
    {.name = "a latent that is not known",
     .input = "[1, 3, 8, 8]",
     .encoder = POOL ", {\"type\": \"Opaque\"}",
     .decoder = UP(3, "\"kernel_size\": 2, \"stride\": 2"),
     .output = "null",
     .code = "unknown_shape",
     .pointer = "/encoder/1"},
    {.name = "a crop to what the encoder had",
     .input = "[1, 3, 9, 9]",
     .encoder = POOL,
     .decoder = LAYER("Upsample", "\"scale_factor\": 3") ", " LAYER("CenterCrop2d", "\"like\": \"input\""),
     .valid = true,
     .output = "[1,3,9,9]",
     .code = "unpaired_stages",
     .pointer = "/decoder/1",
     .count = 3},
};

static void write_pair(FILE *file, const struct verdict_row *row)
{
    (void)fprintf(file, "{\"input\": %s, \"encoder\": [%s], \"decoder\": [%s]}", row->input, row->encoder,
                  row->decoder);
}

static const char *compare_finding(struct cp_text body, const struct verdict_row *row)
{
    int count = cp_test_count(cp_test_at(body, "/findings"));
    if (count != (row->count ? row->count : row->code != NULL)) return "the number of findings";
    if (!row->code) return NULL;
    int at = find(body, row->code, row->pointer);
    if (at < 0) return "no such finding";
    if (row->detail && !cp_test_holds(cp_test_atf(body, "/findings/%d/detail", at), row->detail)) return "detail";
    struct cp_text fix = cp_test_atf(body, "/findings/%d/fix", at);
    if (!row->fix) return fix.size ? "an unexpected fix" : NULL;
    if (!cp_test_is_string(cp_test_at(fix, "/pointer"), row->fix_at)) return "the fix's pointer";
    return cp_test_is(cp_test_at(fix, "/value"), row->fix) ? NULL : "the fix's value";
}

/* All fixes of the decoder, one after another, make the pair valid. */
static bool fixes_mend(struct cp_text request, struct cp_text body)
{
    struct cp_test_text text = cp_test_all_fixed(request, body);
    struct cp_test_exchange exchange;
    ask(&exchange, "/v1/roundtrip", (struct cp_text){text.bytes, text.size});
    bool valid = cp_test_is(cp_test_at(exchange.reply.body, "/valid"), "true");
    cp_test_close(&exchange);
    cp_test_free(&text);
    return valid;
}

static bool check_verdict(const struct verdict_row *row)
{
    struct cp_test_text text;
    struct cp_test_exchange exchange;
    write_pair(cp_test_begin(&text), row);
    struct cp_text request = cp_test_finish(&text);
    ask(&exchange, "/v1/roundtrip", request);
    struct cp_text body = exchange.reply.body;
    const char *wrong = exchange.reply.status == 200 ? compare_finding(body, row) : "status";
    if (!cp_test_is(cp_test_at(body, "/valid"), row->valid ? "true" : "false")) wrong = "valid";
    if (row->output && !cp_test_is(cp_test_at(body, "/output"), row->output)) wrong = "output";
    bool mends = row->code && strcmp(row->code, "round_trip_mismatch") == 0;
    if (!wrong && mends && !fixes_mend(request, body)) wrong = "the fixes do not mend it";
    if (wrong) print_error("%s: %s\n  %s\n  %.*s\n", row->name, wrong, text.bytes, (int)body.size, body.bytes);
    cp_test_close(&exchange);
    cp_test_free(&text);
    return !wrong;
}

static void test_verdicts(void **state)
{
    int wrong = 0;
    (void)state;
    for (size_t at = 0; at < sizeof verdict_rows / sizeof verdict_rows[0]; at++)
        wrong += !check_verdict(&verdict_rows[at]);
    assert_int_equal(wrong, 0);
}

/* ---- The numbers of a pair ---------------------------------------------------------------------------------------- */

static void test_numbers_of_a_pair(void **state)
{
    static const char request[] = "{\"input\": [1, 1, 28, 15], \"encoder\": [" CONV(
        8, "\"kernel_size\": [3, 2], \"stride\": [2, 3], "
           "\"padding\": [[1, 1], [0, 1]], \"dilation\": [1, 2]") "], \"decoder\": [" UP(1, "\"kernel_size\": [3, 2], "
                                                                                            "\"stride\": [2, 3], "
                                                                                            "\"padding\": [[1, 1], [0, "
                                                                                            "1]], \"dilation\": [1, "
                                                                                            "2], \"output_padding\": "
                                                                                            "[0, 1]") "]}";
    static const char *const values[][2] = {
        {"/valid", "false"},
        {"/latent", "[1,8,14,5]"},
        {"/pairs/0/encoder", "\"conv2d_0\""},
        {"/pairs/0/decoder", "\"convtranspose2d_0\""},
        {"/pairs/0/axes/0/axis", "\"H\""},
        {"/pairs/0/axes/0/i", "28"},
        {"/pairs/0/axes/0/k", "3"},
        {"/pairs/0/axes/0/s", "2"},
        {"/pairs/0/axes/0/p", "1"},
        {"/pairs/0/axes/0/d", "1"},
        {"/pairs/0/axes/0/i_prime", "14"},
        {"/pairs/0/axes/0/a", "1"},
        {"/pairs/0/axes/0/output_padding", "0"},
        {"/pairs/0/axes/0/output", "27"},
        {"/pairs/0/axes/0/expected", "28"},
        {"/pairs/0/axes/0/round_trips", "false"},
        {"/pairs/0/axes/1/axis", "\"W\""},
        {"/pairs/0/axes/1/p", "[0,1]"},
        {"/pairs/0/axes/1/d", "2"},
        {"/pairs/0/axes/1/a", "1"},
        {"/pairs/0/axes/1/output", "15"},
        {"/pairs/0/axes/1/round_trips", "true"},
        {"/findings/0/fix/value", "[1,1]"},
    };
    struct cp_test_exchange exchange;
    (void)state;
    ask(&exchange, "/v1/roundtrip", CP_TEXT(request));
    for (size_t at = 0; at < sizeof values / sizeof values[0]; at++) {
        struct cp_text value = cp_test_at(exchange.reply.body, values[at][0]);
        if (!cp_test_is(value, values[at][1]))
            fail_msg("%s is %.*s, wanted %s", values[at][0], (int)value.size, value.bytes, values[at][1]);
    }
    cp_test_close(&exchange);
}

/* ---- Requests that are refused ------------------------------------------------------------------------------------ */

#define ONE "[{\"type\": \"ReLU\"}]"
#define SKIP "{\"type\": \"Add\", \"from\": [\"e\", \"d\"]}"
#define OTHER "{\"input\": [1, 3, 8, 8], "

static const struct bad_row {
    const char *name, *path, *body, *code, *pointer;
} bad_rows[] = {
    {"no input", "/v1/roundtrip", "{\"encoder\": " ONE ", \"decoder\": " ONE "}", "missing_member", ""},
    {"no encoder", "/v1/roundtrip", OTHER "\"decoder\": " ONE "}", "missing_member", ""},
    {"no decoder", "/v1/roundtrip", OTHER "\"encoder\": " ONE "}", "missing_member", ""},
    {"layers", "/v1/roundtrip", OTHER "\"layers\": " ONE "}", "unknown_member", "/layers"},
    {"several inputs", "/v1/roundtrip", "{\"inputs\": {\"a\": [1, 3]}, \"encoder\": " ONE ", \"decoder\": " ONE "}",
     "unknown_member", "/inputs"},
    {"an empty encoder", "/v1/roundtrip", OTHER "\"encoder\": [], \"decoder\": " ONE "}", "no_layers", "/encoder"},
    {"an empty decoder", "/v1/roundtrip", OTHER "\"encoder\": " ONE ", \"decoder\": []}", "no_layers", "/decoder"},
    {"an encoder that is no list", "/v1/roundtrip", OTHER "\"encoder\": {}, \"decoder\": " ONE "}", "wrong_type",
     "/encoder"},
    {"a free size", "/v1/roundtrip", "{\"input\": [1, 3, \"n\"], \"encoder\": " ONE ", \"decoder\": " ONE "}",
     "wrong_type", "/input/2"},
    {"a typo in the decoder", "/v1/roundtrip",
     OTHER "\"encoder\": " ONE ", \"decoder\": [{\"type\": \"ReLU\", \"nmae\": \"x\"}]}", "unknown_member",
     "/decoder/0/nmae"},
    {"an unknown type in the encoder", "/v1/roundtrip",
     OTHER "\"encoder\": [{\"type\": \"RELU\"}], \"decoder\": " ONE "}", "unknown_layer_type", "/encoder/0/type"},
    {"the encoder names a layer of the decoder", "/v1/roundtrip",
     OTHER
     "\"encoder\": [{\"type\": \"ReLU\", \"from\": \"d\"}], \"decoder\": [{\"type\": \"ReLU\", \"name\": \"d\"}]}",
     "unknown_layer_name", "/encoder/0/from"},
    {"a later layer of the decoder", "/v1/roundtrip",
     OTHER "\"encoder\": " ONE ", \"decoder\": [{\"type\": \"ReLU\", \"from\": \"d\"}, {\"type\": \"ReLU\", \"name\": "
           "\"d\", \"from\": \"input\"}]}",
     "later_layer", "/decoder/0/from"},
    {"one name twice in the decoder", "/v1/roundtrip",
     OTHER "\"encoder\": " ONE ", \"decoder\": [{\"type\": \"ReLU\", \"name\": \"d\"}, {\"type\": \"ReLU\", \"name\": "
           "\"d\"}]}",
     "duplicate_name", "/decoder/1/name"},
    {"not JSON", "/v1/roundtrip", "{\"input\": }", "invalid_json", ""},
    {"a list", "/v1/roundtrip", "[]", "wrong_type", ""},
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

/* Encoder and decoder may use the same names: each means its own, then the other's before it. */
static void test_names_of_both_sides(void **state)
{
    static const char request[] = OTHER
        "\"encoder\": [{\"type\": \"ReLU\", \"name\": \"e\"}, {\"type\": \"Tanh\", \"name\": \"d\"}], \"decoder\": ["
        "{\"type\": \"ReLU\", \"name\": \"d\"}, " SKIP "]}";
    struct cp_test_exchange exchange;
    (void)state;
    ask(&exchange, "/v1/roundtrip", CP_TEXT(request));
    struct cp_text body = exchange.reply.body;
    assert_true(cp_test_is(cp_test_at(body, "/valid"), "true"));
    assert_true(cp_test_is(cp_test_at(body, "/decoder/0/from"), "[\"d\"]"));
    assert_true(cp_test_is(cp_test_at(body, "/decoder/1/from"), "[\"e\",\"d\"]"));
    cp_test_close(&exchange);
}

/* ---- The largest numbers ------------------------------------------------------------------------------------------ */

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_numbers_of_a_pair),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_names_of_both_sides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
