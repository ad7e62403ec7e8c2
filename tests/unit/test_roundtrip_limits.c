/* POST /v1/roundtrip at its limits: the largest numbers, and more repairs than can be tried. */
#include "tests/service_client.h"

static void ask(struct cp_test_exchange *exchange, const char *path, struct cp_text body)
{
    const struct cp_request request = {
        .method = CP_POST, .method_name = CP_TEXT("POST"), .path = cp_text_of(path), .body = body};
    cp_test_ask(exchange, &request);
}

static bool has_finding(struct cp_text body, const char *code)
{
    int count = cp_test_count(cp_test_at(body, "/findings"));
    for (int at = 0; at < count; at++)
        if (cp_test_is_string(cp_test_atf(body, "/findings/%d/code", at), code)) return true;
    return false;
}

#define MOST "9007199254740991"
#define LAYER(type, rest) "{\"type\": \"" type "\", " rest "}"
#define POOL LAYER("MaxPool2d", "\"kernel_size\": 2")

/* Every answer is one, whatever the numbers: nothing overflows on the way. */
static void test_largest_numbers(void **state)
{
    static const char *const encoders[] = {
        "{\"type\": \"Conv1d\", \"out_channels\": 1, \"kernel_size\": 1, \"stride\": " MOST "}",
        "{\"type\": \"Conv1d\", \"out_channels\": 1, \"kernel_size\": 1, \"padding\": 3}",
        "{\"type\": \"ReLU\"}",
    };
    static const char *const decoders[] = {
        "{\"type\": \"Conv1d\", \"out_channels\": 1, \"kernel_size\": 3, \"stride\": " MOST "}",
        "{\"type\": \"PixelUnshuffle\", \"downscale_factor\": " MOST "}",
        "{\"type\": \"PixelShuffle\", \"upscale_factor\": " MOST "}",
        "{\"type\": \"ConvTranspose1d\", \"out_channels\": 1, \"kernel_size\": " MOST ", \"stride\": " MOST "}",
        "{\"type\": \"ConvTranspose1d\", \"out_channels\": 1, \"kernel_size\": 2, \"dilation\": " MOST
        ", \"padding\": " MOST "}",
        "{\"type\": \"MaxPool1d\", \"kernel_size\": " MOST ", \"ceil_mode\": true}",
        "{\"type\": \"MaxUnpool1d\", \"kernel_size\": " MOST ", \"output_size\": " MOST "}",
        "{\"type\": \"ZeroPad1d\", \"padding\": " MOST "}, {\"type\": \"ZeroPad1d\", \"padding\": -" MOST "}",
        "{\"type\": \"CircularPad1d\", \"padding\": " MOST "}",
        "{\"type\": \"Upsample\", \"scale_factor\": 1e300}, {\"type\": \"Upsample\", \"scale_factor\": 1e-300}",
        "{\"type\": \"Upsample\", \"scale_factor\": 1e15}, {\"type\": \"PixelUnshuffle\", \"downscale_factor\": " MOST
        "}",
    };
    static const char *const sizes[] = {"1", "7", MOST};
    (void)state;
    for (int way = 0; way < 3 * 3 * (int)(sizeof decoders / sizeof decoders[0]); way++) {
        struct cp_test_text text;
        struct cp_test_exchange exchange;
        FILE *file = cp_test_begin(&text);
        (void)fprintf(file, "{\"input\": [1, 1, %s], \"encoder\": [%s], \"decoder\": [%s]}", sizes[way % 3],
                      encoders[way / 3 % 3], decoders[way / 9]);
        ask(&exchange, "/v1/roundtrip", cp_test_finish(&text));
        if (exchange.reply.status != 200) fail_msg("%s: %d", text.bytes, exchange.reply.status);
        cp_test_close(&exchange);
        cp_test_free(&text);
    }
}

/* However deep it is, what one value mends is mended. */
static void test_deep_decoder(void **state)
{
    enum { LAYERS = 40000 };
    struct cp_test_text text;
    struct cp_test_exchange exchange;
    FILE *file = cp_test_begin(&text);
    (void)state;
    (void)fprintf(file, "{\"input\": [1, 4, 9, 9], \"encoder\": [%s], \"decoder\": [", POOL);
    for (int at = 0; at < LAYERS; at++) (void)fprintf(file, "{\"type\": \"ReLU\"}, ");
    (void)fprintf(file, "%s]}", LAYER("ConvTranspose2d", "\"out_channels\": 4, \"kernel_size\": 2, \"stride\": 2"));
    ask(&exchange, "/v1/roundtrip", cp_test_finish(&text));
    assert_true(has_finding(exchange.reply.body, "round_trip_mismatch"));
    assert_false(has_finding(exchange.reply.body, "repair_not_decided"));
    cp_test_close(&exchange);
    cp_test_free(&text);
}

/* Pools of stride 1 before an unshuffling: how much each of them is padded could matter to each size. */
static void test_too_many_ways(void **state)
{
    enum { POOLS = 300 };
    struct cp_test_text text;
    struct cp_test_exchange exchange;
    FILE *file = cp_test_begin(&text);
    (void)state;
    (void)fprintf(file, "{\"input\": [1, 4, 35, 35], \"encoder\": [%s], \"decoder\": [", POOL);
    for (int at = 0; at < POOLS; at++)
        (void)fprintf(file, "%s, ", LAYER("MaxPool2d", "\"kernel_size\": 3, \"stride\": 1"));
    (void)fprintf(file, "%s]}",
                  LAYER("PixelUnshuffle", "\"downscale_factor\": 2") ", " LAYER("ZeroPad2d", "\"padding\": 0"));
    ask(&exchange, "/v1/roundtrip", cp_test_finish(&text));
    assert_true(has_finding(exchange.reply.body, "repair_not_decided"));
    cp_test_close(&exchange);
    cp_test_free(&text);
}

/* Both branches give 27, and both would have to change. */
static void test_branch_beside_the_path(void **state)
{
    struct cp_test_text text;
    struct cp_test_exchange exchange;
    FILE *file = cp_test_begin(&text);
    (void)state;
    (void)fprintf(
        file,
        "{\"input\": [1, 4, 28, 28], \"encoder\": [%s], \"decoder\": ["
        "{\"name\": \"a\", \"type\": \"ConvTranspose2d\", \"out_channels\": 4, \"kernel_size\": 3, \"stride\": 2, "
        "\"padding\": 1, \"from\": \"maxpool2d_0\"}, "
        "{\"name\": \"b\", \"type\": \"ConvTranspose2d\", \"out_channels\": 4, \"kernel_size\": 3, \"stride\": 2, "
        "\"padding\": 1, \"from\": \"maxpool2d_0\"}, "
        "{\"type\": \"Add\", \"from\": [\"a\", \"b\"]}]}",
        POOL);
    ask(&exchange, "/v1/roundtrip", cp_test_finish(&text));
    assert_true(has_finding(exchange.reply.body, "repair_not_decided"));
    assert_non_null(strstr(exchange.reply.body.bytes, "beside its main path"));
    cp_test_close(&exchange);
    cp_test_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_largest_numbers),
        cmocka_unit_test(test_deep_decoder),
        cmocka_unit_test(test_too_many_ways),
        cmocka_unit_test(test_branch_beside_the_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
