/* POST /v1/roundtrip: what its findings give as reasons is true. */
#include "tests/service_client.h"

static void ask(struct cp_test_exchange *exchange, struct cp_text body)
{
    const struct cp_request request = {
        .method = CP_POST, .method_name = CP_TEXT("POST"), .path = CP_TEXT("/v1/roundtrip"), .body = body};
    cp_test_ask(exchange, &request);
}

#define LAYER(type, rest) "{\"type\": \"" type "\", " rest "}"
#define CONV LAYER("Conv1d", "\"out_channels\": 4, \"kernel_size\": 2, \"stride\": 2")
#define UP LAYER("ConvTranspose1d", "\"out_channels\": 4, \"kernel_size\": 2, \"stride\": 2")
#define ALL "all fixes together make the pair fit"
#define OTHERS "the other errors, which no fix mends, have to be mended as well"

static const struct row {
    const char *name, *body, *pointer, *detail, *suggestion;
} rows[] = {
    {"a layer whose input is repaired",
     "{\"input\": [1, 4, 16], \"encoder\": [" CONV ", " LAYER(
         "CenterCrop1d", "\"output_size\": 6") "], \"decoder\": [" UP ", " LAYER("ZeroPad1d", "\"padding\": 2") "]}",
     "/decoder/1/padding", "gives [16], but [16] has to stay when the fixes before it change its input", ALL},
    {"and the one before it",
     "{\"input\": [1, 4, 16], \"encoder\": [" CONV ", " LAYER(
         "CenterCrop1d", "\"output_size\": 6") "], \"decoder\": [" UP ", " LAYER("ZeroPad1d", "\"padding\": 2") "]}",
     "/decoder/0/padding", "gives [12], but [8] is what the encoder took there", ALL},
    {"a layer whose input is repaired, without partners",
     "{\"input\": [1, 4, 16], \"encoder\": [" LAYER("MaxPool1d", "\"kernel_size\": 2") "], \"decoder\": [" LAYER(
         "CenterCrop1d",
         "\"output_size\": 9") ", " LAYER("ConvTranspose1d",
                                          "\"out_channels\": 4, \"kernel_size\": 2, \"stride\": 2") "]}",
     "/decoder/0/output_size", "gives nothing that can be planned, but [8]", ALL},
    {"channels that no fix mends",
     "{\"input\": [1, 3, 9], \"encoder\": [" CONV "], \"decoder\": [" UP
     ", " LAYER("ChannelShuffle", "\"groups\": 3") "]}",
     "/decoder/0/output_padding", "gives [8], but [9]", OTHERS},
    {"groups that a fix mends",
     "{\"input\": [1, 4, 9], \"encoder\": [" CONV "], \"decoder\": [" LAYER(
         "ConvTranspose1d", "\"in_channels\": 5, \"out_channels\": 4, \"kernel_size\": 2, \"stride\": 2") "]}",
     "/decoder/0/output_padding", "gives nothing that can be planned, but [9]", ALL},
    {"an expectation that the fixes meet",
     "{\"input\": [1, 4, 9], \"encoder\": [" CONV "], \"decoder\": [" LAYER(
         "ConvTranspose1d", "\"out_channels\": 4, \"kernel_size\": 2, \"stride\": 2, \"expect\": [1, 4, 9]") "]}",
     "/decoder/0/output_padding", "gives [8], but [9]", ALL},
    {"an expectation that the fixes do not meet",
     "{\"input\": [1, 4, 9], \"encoder\": [" CONV "], \"decoder\": [" LAYER(
         "ConvTranspose1d", "\"out_channels\": 4, \"kernel_size\": 2, \"stride\": 2, \"expect\": [1, 4, 8]") "]}",
     "/decoder/0/output_padding", "gives [8], but [9]", OTHERS},
    {"a layer after it that is stuck",
     "{\"input\": [1, 4, 16], \"encoder\": [" LAYER(
         "MaxPool1d", "\"kernel_size\": 3") ", " CONV "], \"decoder\": [" UP
                                            ", " LAYER("Upsample", "\"scale_factor\": 2") "]}",
     "/decoder/0/output_padding", "gives [4], but [5]", OTHERS},
    {"a shuffle after it that has too few channels",
     "{\"input\": [1, 4, 9, 9], \"encoder\": [" LAYER("MaxPool2d", "\"kernel_size\": 2") ", " LAYER(
         "MaxPool2d",
         "\"ker"
         "nel_"
         "size"
         "\": "
         "1, "
         "\"str"
         "ide\""
         ": 3") "], \"decoder\": [" LAYER("ConvTranspose2d",
                                          "\"out_channels\": 3, \"kernel_size\": 2, \"stride\": "
                                          "2") ", " LAYER("ZeroPad2d",
                                                          "\"padding\": 2") ", " LAYER("PixelShu"
                                                                                       "ffl"
                                                                                       "e",
                                                                                       "\"upscal"
                                                                                       "e_"
                                                                                       "factor\""
                                                                                       ": "
                                                                                       "1") ","
                                                                                            " " LAYER(
                                                                                                "ChannelShuffle",
                                                                                                "\"groups\": 2") "]}",
     "/decoder/1/padding", "", OTHERS},
};

static bool check(const struct row *row)
{
    struct cp_test_exchange exchange;
    bool found = false, right = true;
    ask(&exchange, cp_text_of(row->body));
    struct cp_text body = exchange.reply.body;
    for (int at = 0; at < cp_test_count(cp_test_at(body, "/findings")); at++) {
        if (!cp_test_is_string(cp_test_atf(body, "/findings/%d/code", at), "round_trip_mismatch")) continue;
        bool there = cp_test_is_string(cp_test_atf(body, "/findings/%d/pointer", at), row->pointer);
        found = found || there;
        right = right && cp_test_holds(cp_test_atf(body, "/findings/%d/suggestion", at), row->suggestion);
        if (there) right = right && cp_test_holds(cp_test_atf(body, "/findings/%d/detail", at), row->detail);
    }
    if (!found || !right) print_error("%s\n  %s\n  %.*s\n", row->name, row->body, (int)body.size, body.bytes);
    cp_test_close(&exchange);
    return found && right;
}

static void test_reasons(void **state)
{
    int wrong = 0;
    (void)state;
    for (size_t at = 0; at < sizeof rows / sizeof rows[0]; at++) wrong += !check(&rows[at]);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_reasons)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
