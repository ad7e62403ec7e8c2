/* /v1/sizes: known facts, words, and what is refused. */
#include "core/layers/kinds.h"
#include "server/sizes_writing.h"
#include "tests/service_client.h"

static void ask(struct cp_test_exchange *exchange, const char *body)
{
    const struct cp_request request = {
        .method = CP_POST, .method_name = CP_TEXT("POST"), .path = CP_TEXT("/v1/sizes"), .body = cp_text_of(body)};
    cp_test_ask(exchange, &request);
}

struct row {
    const char *name;
    const char *request;
    const char *pointer;  /* into the reply */
    const char *expected; /* JSON at the pointer; NULL: there is nothing */
};

static int check(const struct row *row, int status)
{
    struct cp_test_exchange exchange;
    ask(&exchange, row->request);
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

/* ---- Networks ----------------------------------------------------------------------------------------------------- */

#define SQUARE "\"input\": [1, 3, \"n\", \"n\"]"
#define CONV(options) "{\"type\": \"Conv2d\", \"out_channels\": 4, " options "}"
#define UP(options) "{\"type\": \"ConvTranspose2d\", \"out_channels\": 4, " options "}"
#define PAIR(encoder, decoder)                                                                                         \
    "{" SQUARE ", \"encoder\": [" encoder "," encoder "," encoder "], \"decoder\": [" decoder "," decoder "," decoder  \
    "]}"

/* Two convolutions, a skip, and a pool; and the way back. */
#define DOWN(level, padding)                                                                                           \
    CONV("\"kernel_size\": 3, \"padding\": " padding)                                                                  \
    "," CONV("\"kernel_size\": 3, \"name\": \"skip" level "\", \"padding\": " padding) ",{\"type\": \"MaxPool2d\", "   \
                                                                                       "\"kernel_size\": 2},"
#define BOTTOM(padding)                                                                                                \
    CONV("\"kernel_size\": 3, \"padding\": " padding) "," CONV("\"kernel_size\": 3, \"padding\": " padding)
#define GROW(level) "," UP("\"kernel_size\": 2, \"stride\": 2, \"name\": \"up" level "\"") ","
#define CROP(level)                                                                                                    \
    "{\"type\": \"CenterCrop2d\", \"name\": \"crop" level "\", \"from\": \"skip" level "\", \"like\": \"up" level "\"" \
    "},"
#define JOIN(skip, level, padding)                                                                                     \
    "{\"type\": \"Concat\", \"from\": [\"" skip level "\", \"up" level "\"]}," BOTTOM(padding)

static const char padded_unet[] = "{" SQUARE ", \"near\": {\"n\": 100}, \"layers\": [" DOWN("0", "1") DOWN("1", "1")
    DOWN("2", "1") DOWN("3", "1") BOTTOM("1") GROW("3") JOIN("skip", "3", "1") GROW("2") JOIN("skip", "2", "1")
        GROW("1") JOIN("skip", "1", "1") GROW("0") JOIN("skip", "0", "1") "]}";

#define VALID_UNET                                                                                                     \
    SQUARE ", \"layers\": [" DOWN("0", "0") DOWN("1", "0") DOWN("2", "0") DOWN("3", "0") BOTTOM("0") GROW("3")         \
        CROP("3") JOIN("crop", "3", "0") GROW("2") CROP("2") JOIN("crop", "2", "0") GROW("1") CROP("1")                \
            JOIN("crop", "1", "0") GROW("0") CROP("0") JOIN("crop", "0", "0") "]}"

#define HALVE(name) "{\"type\": \"MaxPool2d\", \"kernel_size\": 2, \"ceil_mode\": true, \"name\": \"" name "\"},"
#define DOUBLE(skip)                                                                                                   \
    "{\"type\": \"Upsample\", \"scale_factor\": 2, \"name\": \"u_" skip "\"},"                                         \
    "{\"type\": \"Concat\", \"from\": [\"u_" skip "\", \"" skip "\"]}"

static const char five_halvings[] = "{" SQUARE ", \"layers\": [" HALVE("a") HALVE("b") HALVE("c") HALVE("d") HALVE("e")
    DOUBLE("d") "," DOUBLE("c") "," DOUBLE("b") "," DOUBLE("a") "," DOUBLE("input") "]}";

#define CLASSIFIER(features)                                                                                           \
    "\"layers\": [" CONV("\"kernel_size\": 32, \"stride\": 32") ",{\"type\": \"Flatten\"},"                            \
                                                                "{\"type\": \"Linear\", \"out_features\": 10, "        \
                                                                "\"in_features\": " features "}]"

/* ---- Facts -------------------------------------------------------------------------------------------------------- */

static const struct row facts[] = {
    {"a wrap beside a crop, which PyTorch holds to the axis as it was",
     "{\"input\": [1, 1, \"n\"], \"layers\": [{\"type\": \"CircularPad1d\", \"padding\": [[-2, 3]]}]}",
     "/symbols/n/statement", "\"any n ≥ 3\""},
    {"a wrap that only crops",
     "{\"input\": [1, 1, \"n\"], \"layers\": [{\"type\": \"CircularPad1d\", \"padding\": [[-2, -1]]}]}",
     "/symbols/n/statement", "\"any n ≥ 4\""},
    {"padded U-Net", padded_unet, "/symbols/n/statement", "\"n ≡ 0 (mod 16), n ≥ 16\""},
    {"padded U-Net, period", padded_unet, "/symbols/n/period", "16"},
    {"padded U-Net, residues", padded_unet, "/symbols/n/residues", "[0]"},
    {"padded U-Net, from", padded_unet, "/symbols/n/from", "1"},
    {"padded U-Net, exceptions", padded_unet, "/symbols/n/exceptions", "[]"},
    {"padded U-Net, minimum", padded_unet, "/symbols/n/minimum", "16"},
    {"padded U-Net, nearest", padded_unet, "/symbols/n/nearest", "{\"below\":96,\"above\":112}"},
    {"padded U-Net, output", padded_unet, "/output", "[1,4,\"n\",\"n\"]"},
    {"padded U-Net, fails at 100", padded_unet, "/symbols/n/fails/at/size", "100"},
    {"padded U-Net, where", padded_unet, "/symbols/n/fails/at/finding/code", "\"concat_sizes_differ\""},
    {"padded U-Net, fails below", padded_unet, "/symbols/n/fails/below/size", "99"},
    {"padded U-Net, fails above", padded_unet, "/symbols/n/fails/above/size", "101"},
    {"the U-Net", "{\"covered\": true, " VALID_UNET, "/symbols/n/statement", "\"n ≡ 12 (mod 16), n ≥ 188\""},
    {"the U-Net, output", "{\"covered\": true, " VALID_UNET, "/output", "[1,4,\"n − 184\",\"n − 184\"]"},
    {"the U-Net, 572", "{\"covered\": true, \"near\": {\"n\": 572}, " VALID_UNET, "/symbols/n/nearest",
     "{\"below\":572,\"above\":572}"},
    {"the U-Net, not covered", "{" VALID_UNET, "/symbols/n/statement", "\"any n ≥ 188\""},
    {"the U-Net, one too small", "{" VALID_UNET, "/symbols/n/fails/below/size", "187"},
    {"the U-Net, none fails above", "{" VALID_UNET, "/symbols/n/fails/above", "null"},
    {"five halvings", five_halvings, "/symbols/n/statement", "\"n ≡ 0 (mod 32), n ≥ 32\""},
    {"k3 s2 p1, no output_padding",
     PAIR(CONV("\"kernel_size\": 3, \"stride\": 2, \"padding\": 1"),
          UP("\"kernel_size\": 3, \"stride\": 2, \"padding\": 1")),
     "/symbols/n/statement", "\"n ≡ 1 (mod 8), n ≥ 1\""},
    {"k3 s2 p1, output_padding 1",
     PAIR(CONV("\"kernel_size\": 3, \"stride\": 2, \"padding\": 1"),
          UP("\"kernel_size\": 3, \"stride\": 2, \"padding\": 1, \"output_padding\": 1")),
     "/symbols/n/statement", "\"n ≡ 0 (mod 8), n ≥ 8\""},
    {"k4 s2 p1",
     PAIR(CONV("\"kernel_size\": 4, \"stride\": 2, \"padding\": 1"),
          UP("\"kernel_size\": 4, \"stride\": 2, \"padding\": 1")),
     "/symbols/n/statement", "\"n ≡ 0 (mod 8), n ≥ 8\""},
    {"k2 s2 p0", PAIR(CONV("\"kernel_size\": 2, \"stride\": 2"), UP("\"kernel_size\": 2, \"stride\": 2")),
     "/symbols/n/statement", "\"n ≡ 0 (mod 8), n ≥ 8\""},
    {"k3 s2 p0", PAIR(CONV("\"kernel_size\": 3, \"stride\": 2"), UP("\"kernel_size\": 3, \"stride\": 2")),
     "/symbols/n/statement", "\"n ≡ 7 (mod 8), n ≥ 15\""},
    {"k11 s4 p2",
     "{" SQUARE ", \"encoder\": [" CONV("\"kernel_size\": 11, \"stride\": 4, \"padding\": 2") "], \"decoder\": [" UP(
         "\"kernel_size\": 11, \"stride\": 4, \"padding\": 2") "]}",
     "/symbols/n/statement", "\"n ≡ 3 (mod 4), n ≥ 7\""},
    {"any size", "{" SQUARE ", \"layers\": [{\"type\": \"ReLU\"}]}", "/symbols/n/statement", "\"any n\""},
    {"any size from 7", "{" SQUARE ", \"layers\": [" CONV("\"kernel_size\": 7") "]}", "/symbols/n/statement",
     "\"any n ≥ 7\""},
    {"only some", "{" SQUARE "," CLASSIFIER("196") "}", "/symbols/n/statement", "\"only 224 to 255\""},
    {"only one", "{\"covered\": true, " SQUARE "," CLASSIFIER("196") "}", "/symbols/n/statement", "\"only 224\""},
    {"only one, law", "{\"covered\": true, " SQUARE "," CLASSIFIER("196") "}", "/symbols/n/period", "1"},
    {"only one, exceptions", "{\"covered\": true, " SQUARE "," CLASSIFIER("196") "}", "/symbols/n/exceptions", "[224]"},
    {"one axis given", "{\"input\": [1, 3, \"h\", 160]," CLASSIFIER("140") "}", "/symbols/h/statement",
     "\"only 224 to 255\""},
    {"no size", "{" SQUARE "," CLASSIFIER("195") "}", "/symbols/n/minimum", "null"},
    {"no size, valid", "{" SQUARE "," CLASSIFIER("195") "}", "/valid", "false"},
    {"no size, output", "{" SQUARE "," CLASSIFIER("195") "}", "/output", "null"},
    {"no size, why", "{" SQUARE ", \"layers\": [" CONV("\"kernel_size\": 1, \"in_channels\": 5") "]}",
     "/symbols/n/statement",
     "\"no size works: with n = 1, layer `conv2d_0` fails: in_channels is 5, but the input [1, 3, 1, 1] has 3\""},
    {"no size, the one that misses least", "{" SQUARE "," CLASSIFIER("195") "}", "/symbols/n/fails/at/size", "224"},
    {"no size, a finding", "{" SQUARE "," CLASSIFIER("195") "}", "/findings/0/code", "\"no_size_works\""},
    {"no size, where", "{" SQUARE "," CLASSIFIER("195") "}", "/findings/0/pointer", "\"/layers/2/in_features\""},
    {"two free sizes", "{\"input\": [1, 3, \"h\", \"w\"], \"layers\": [" CONV("\"kernel_size\": [3, 5]") "]}",
     "/output", "[1,4,\"h − 2\",\"w − 4\"]"},
    {"two free sizes, each its own",
     "{\"input\": [1, 3, \"h\", \"w\"], \"layers\": [" CONV("\"kernel_size\": [3, 5]") "]}", "/symbols/w/minimum", "5"},
    {"both at least 3, so never a single value",
     "{\"input\": [1, 3, \"h\", \"w\"], \"layers\": [" CONV(
         "\"kernel_size\": 1, \"padding\": 1") ", {\"type\": "
                                               "\"InstanceNorm2d\"}]}",
     "/symbols/h/statement", "\"any h\""},
    {"several inputs",
     "{\"inputs\": {\"a\": [1, 3, \"n\"], \"b\": [1, 3, 32]}, \"layers\": [{\"type\": \"MaxPool1d\", \"kernel_size\": "
     "2, "
     "\"from\": \"a\"}, {\"type\": \"Add\", \"from\": [\"maxpool1d_0\", \"b\"]}]}",
     "/symbols/n/statement", "\"only 2, 3, 64 and 65\""},
    {"channels last",
     "{\"layout\": \"channels_last\", \"input\": [1, \"n\", \"n\", 3], \"layers\": [" CONV("\"kernel_size\": 3") "]}",
     "/output", "[1,\"n − 2\",\"n − 2\",4]"},
    {"closed form, floor",
     "{\"input\": [1, 3, \"n\"], \"layers\": [{\"type\": \"MaxPool1d\", \"kernel_size\": 3, "
     "\"stride\": 2}]}",
     "/output/2", "\"⌊(n − 1)/2⌋\""},
    {"closed form, ceiling",
     "{\"input\": [1, 3, \"n\"], \"layers\": [{\"type\": \"MaxPool1d\", \"kernel_size\": 2, "
     "\"ceil_mode\": true}]}",
     "/output/2", "\"⌈n/2⌉\""},
    {"closed form, exact",
     "{\"input\": [1, 3, \"n\", \"n\"], \"layers\": [{\"type\": \"PixelUnshuffle\", "
     "\"downscale_factor\": 2}]}",
     "/output", "[1,12,\"n/2\",\"n/2\"]"},
    {"closed form, factor", "{\"input\": [1, 3, \"n\"], \"layers\": [{\"type\": \"Upsample\", \"scale_factor\": 1.5}]}",
     "/output/2", "\"⌊3n/2⌋\""},
    {"transposed to one size, nothing is coupled",
     "{\"input\": [1, 4, \"h\", \"w\"], \"layers\": [{\"type\": \"ConvTranspose2d\", \"out_channels\": 4, "
     "\"kernel_size\": 3, \"stride\": 2, \"output_size\": 16}, {\"type\": \"Flatten\"}, {\"type\": \"Linear\", "
     "\"out_features\": 3, \"in_features\": 1024}]}",
     "/symbols/w/statement", "\"only 7\""},
    {"and the output is known",
     "{\"input\": [1, 4, \"h\", \"w\"], \"layers\": [{\"type\": \"ConvTranspose2d\", \"out_channels\": 4, "
     "\"kernel_size\": 3, \"stride\": 2, \"output_size\": 16}]}",
     "/output", "[1,4,16,16]"},
    {"unpooled to one size",
     "{\"input\": [1, 4, \"h\", \"w\"], \"layers\": [{\"type\": \"MaxUnpool2d\", \"kernel_size\": 2, \"output_size\": "
     "8}, {\"type\": \"Flatten\"}, {\"type\": \"Linear\", \"out_features\": 3, \"in_features\": 256}]}",
     "/symbols/h/statement", "\"only 4\""},
    {"expected to be of one size",
     "{\"input\": [1, 4, \"h\", \"w\"], \"layers\": [{\"type\": \"MaxPool2d\", \"kernel_size\": 2, \"expect\": [null, "
     "null, 6, 5]}, {\"type\": \"Flatten\"}, {\"type\": \"Linear\", \"out_features\": 3, \"in_features\": 120}]}",
     "/symbols/h/statement", "\"only 12 and 13\""},
    {"cut to one unit",
     "{\"input\": [1, 4, \"h\", \"w\"], \"layers\": [{\"type\": \"Slice\", \"dim\": 2, \"end\": 1}, {\"type\": "
     "\"Slice\", \"dim\": 3, \"start\": 2, \"end\": 3}, {\"type\": \"Flatten\"}, {\"type\": \"Linear\", "
     "\"out_features\": 3, \"in_features\": 4}]}",
     "/symbols/w/statement", "\"any w ≥ 3\""},
    {"added to what is of one size",
     "{\"input\": [1, 4, \"h\", \"w\"], \"layers\": [{\"type\": \"AdaptiveAvgPool2d\", \"output_size\": 5, \"name\": "
     "\"a\"}, {\"type\": \"Add\", \"from\": [\"input\", \"a\"]}, {\"type\": \"Flatten\"}, {\"type\": \"Linear\", "
     "\"out_features\": 3, \"in_features\": 100}]}",
     "/symbols/h/statement", "\"only 1 and 5\""},
    {"normalised over one shape",
     "{\"input\": [1, 4, \"h\", \"w\"], \"layers\": [{\"type\": \"LayerNorm\", \"normalized_shape\": [6, 7]}, "
     "{\"type\": \"Flatten\"}, {\"type\": \"Linear\", \"out_features\": 3, \"in_features\": 168}]}",
     "/symbols/w/statement", "\"only 7\""},
    {"joined to what is of one size",
     "{\"input\": [1, 4, \"h\", \"w\"], \"layers\": [{\"type\": \"AdaptiveAvgPool2d\", \"output_size\": 5, \"name\": "
     "\"a\"}, {\"type\": \"Concat\", \"from\": [\"input\", \"a\"]}, {\"type\": \"Flatten\"}, {\"type\": \"Linear\", "
     "\"out_features\": 3, \"in_features\": 200}]}",
     "/symbols/w/statement", "\"only 5\""},
    {"a list of one factor for two axes",
     "{\"input\": [1, 3, \"h\", \"w\"], \"layers\": [{\"type\": \"Upsample\", \"scale_factor\": [2]}]}", "/valid",
     "false"},
    {"a list of one size for two axes",
     "{\"input\": [1, 3, \"h\", 4], \"layers\": [{\"type\": \"Upsample\", \"size\": [2]}]}", "/valid", "false"},
    {"one factor for two axes",
     "{\"input\": [1, 3, \"h\", \"w\"], \"layers\": [{\"type\": \"Upsample\", \"scale_factor\": 2}]}", "/output",
     "[1,3,\"2h\",\"2w\"]"},
    {"law", "{\"input\": [1, 3, \"n\"], \"layers\": [{\"type\": \"Upsample\", \"scale_factor\": 1.5}]}", "/law/2",
     "{\"symbol\":\"n\",\"from\":1,\"period\":2,\"increment\":3,\"values\":[1,3],\"exceptions\":[]}"},
    {"no closed form, but a law",
     "{\"input\": [1, 3, \"n\"], \"layers\": [{\"type\": \"MaxPool1d\", \"kernel_size\": 2}, {\"type\": \"Upsample\", "
     "\"scale_factor\": 1.5}]}",
     "/output/2", "null"},
    {"closed form, a multiple of a floor",
     "{\"input\": [1, 3, \"n\"], \"layers\": [{\"type\": \"MaxPool1d\", \"kernel_size\": 2}, {\"type\": \"Upsample\", "
     "\"scale_factor\": 2}]}",
     "/output/2", "\"2⌊n/2⌋\""},
    {"output that stops growing",
     "{\"input\": [1, 3, \"n\"], \"layers\": [{\"type\": \"Slice\", \"dim\": 2, \"end\": 3}]}", "/law/2",
     "{\"symbol\":\"n\",\"from\":3,\"period\":1,\"increment\":0,\"values\":[3],\"exceptions\":[[1,1],[2,2]]}"},
    {"product of two axes", "{" SQUARE ", \"layers\": [{\"type\": \"Flatten\"}]}", "/output", "[1,null]"},
    {"product that has to divide", "{" SQUARE ", \"layers\": [{\"type\": \"Reshape\", \"shape\": [1, -1, 12]}]}",
     "/symbols/n/statement", "\"n ≡ 0 (mod 2), n ≥ 2\""},
    {"expectation",
     "{\"input\": [1, 3, \"n\"], \"layers\": [{\"type\": \"MaxPool1d\", \"kernel_size\": 4, \"expect\": [1, 3, 2]}]}",
     "/symbols/n/statement", "\"only 8 to 11\""},
    {"two pools beside each other",
     "{\"input\": [1, 2, \"n\"], \"layers\": [{\"type\": \"MaxPool1d\", \"kernel_size\": 3, \"name\": \"a\"}, "
     "{\"type\": \"MaxPool1d\", \"kernel_size\": 3, \"ceil_mode\": true, \"from\": \"input\"}, {\"type\": \"ReLU\"}]}",
     "/symbols/n/statement", "\"any n ≥ 3\""},
    {"near is far above a finite set", "{\"near\": {\"n\": 9007199254740991}, " SQUARE "," CLASSIFIER("196") "}",
     "/symbols/n/nearest", "{\"below\":255,\"above\":null}"},
    {"near the largest number",
     "{\"near\": {\"n\": 9007199254740990}, \"input\": [1, 3, \"n\"], \"layers\": [{\"type\": "
     "\"Unflatten\", \"dim\": 2, \"unflattened_size\": [16, -1]}]}",
     "/symbols/n/nearest", "{\"below\":9007199254740976,\"above\":null}"},
};

static void test_facts(void **state)
{
    (void)state;
    CHECK_ROWS(facts, 200);
}

/* ---- Refusals ----------------------------------------------------------------------------------------------------- */

#define RELU "\"layers\": [{\"type\": \"ReLU\"}]"
#define POOL(k) "{\"type\": \"MaxPool1d\", \"kernel_size\": " k "}"

static const struct row refusals[] = {
    {"batch", "{\"input\": [\"n\", 3, 8, 8], " RELU "}", "/errors/0/code", "\"bad_symbol\""},
    {"channels", "{\"input\": [1, \"n\", 8, 8], " RELU "}", "/errors/0/pointer", "\"/input/1\""},
    {"channels of a flat input", "{\"input\": [1, \"n\"], " RELU "}", "/errors/0/code", "\"bad_symbol\""},
    {"channels last", "{\"layout\": \"channels_last\", \"input\": [1, 8, 8, \"n\"], " RELU "}", "/errors/0/pointer",
     "\"/input/3\""},
    {"three", "{\"input\": [1, 3, \"d\", \"h\", \"w\"], " RELU "}", "/errors/0/pointer", "\"/input/4\""},
    {"none", "{\"input\": [1, 3, 8, 8], " RELU "}", "/errors/0/code", "\"bad_symbol\""},
    {"an expression", "{\"input\": [1, 3, \"2n\", 8], " RELU "}", "/errors/0/code", "\"bad_symbol\""},
    {"an empty name", "{\"input\": [1, 3, \"\", 8], " RELU "}", "/errors/0/code", "\"bad_symbol\""},
    {"zero", "{\"input\": [1, 3, \"n\", 0], " RELU "}", "/errors/0/code", "\"out_of_range\""},
    {"no input", "{" RELU "}", "/errors/0/code", "\"missing_member\""},
    {"both inputs", "{\"input\": [1, 3, \"n\"], \"inputs\": {}, " RELU "}", "/errors/0/code",
     "\"conflicting_members\""},
    {"empty inputs", "{\"inputs\": {}, " RELU "}", "/errors/0/code", "\"limit_exceeded\""},
    {"inputs in a list", "{\"inputs\": [1], " RELU "}", "/errors/0/code", "\"wrong_type\""},
    {"an input that is no list", "{\"input\": \"n\", " RELU "}", "/errors/0/code", "\"wrong_type\""},
    {"nine dimensions", "{\"input\": [1, 1, \"n\", 1, 1, 1, 1, 1, 1], " RELU "}", "/errors/0/code", "\"wrong_length\""},
    {"no layers", "{" SQUARE "}", "/errors/0/code", "\"missing_member\""},
    {"encoder alone", "{" SQUARE ", \"encoder\": [{\"type\": \"ReLU\"}]}", "/errors/0/detail",
     "\"`decoder` is required\""},
    {"layers and encoder", "{" SQUARE ", \"encoder\": [], " RELU "}", "/errors/0/code", "\"conflicting_members\""},
    {"near of another name", "{" SQUARE ", \"near\": {\"m\": 3}, " RELU "}", "/errors/0/pointer", "\"/near/m\""},
    {"near 0", "{" SQUARE ", \"near\": {\"n\": 0}, " RELU "}", "/errors/0/code", "\"out_of_range\""},
    {"near a number", "{" SQUARE ", \"near\": 3, " RELU "}", "/errors/0/code", "\"wrong_type\""},
    {"unknown member", "{" SQUARE ", \"nears\": {}, " RELU "}", "/errors/0/code", "\"unknown_member\""},
    {"coupled", "{\"input\": [1, 3, \"h\", \"w\"]," CLASSIFIER("196") "}", "/errors/0/code", "\"coupled_symbols\""},
    {"coupled, where", "{\"input\": [1, 3, \"h\", \"w\"]," CLASSIFIER("196") "}", "/errors/0/pointer", "\"/layers/2\""},
    {"coupled by a merge",
     "{\"input\": [1, 3, \"h\", \"w\"], \"layers\": [{\"type\": \"Permute\", \"dims\": [0, 1, 3, 2]}, {\"type\": "
     "\"Add\", "
     "\"from\": [\"input\", \"permute_0\"]}]}",
     "/errors/0/pointer", "\"/layers/1\""},
    {"coupled by a single value", "{\"input\": [1, 3, \"h\", \"w\"], \"layers\": [{\"type\": \"InstanceNorm2d\"}]}",
     "/errors/0/code", "\"coupled_symbols\""},
    {"period over the limit",
     "{\"input\": [1, 3, \"n\"], \"layers\": [{\"type\": \"Unflatten\", \"dim\": 2, \"unflattened_size\": [5000011, "
     "-1]}]}",
     "/errors/0/detail", "\"period of the sizes that work: 5000011, the limit is 1048576\""},
    {"threshold over the limit", "{\"input\": [1, 3, \"n\"], \"layers\": [" POOL("1000000000") "]}", "/errors/0/detail",
     "\"size from which the law of the sizes holds: 1000000000, the limit is 1048576\""},
    {"numbers over 2^53", "{\"input\": [1, 3, \"n\"], \"layers\": [" POOL("1000000000") "," POOL("1000000000") "]}",
     "/errors/0/code", "\"limit_exceeded\""},
    {"a factor without a period",
     "{\"input\": [1, 3, \"n\"], \"layers\": [{\"type\": \"Upsample\", \"scale_factor\": "
     "0.29}]}",
     "/errors/0/code", "\"sizes_not_periodic\""},
    {"a factor that is rounded down: the number that shows it",
     "{\"input\": [1, 3, \"n\"], \"layers\": [{\"type\": \"ReLU\"}, {\"type\": \"Upsample\", \"scale_factor\": 1.4}]}",
     "/errors/0/detail",
     "\"at layer `upsample_1`: 45 · 1.4 is 63, but becomes 62.99999999999999 in binary64, in which PyTorch computes "
     "sizes, and "
     "so 62; with other sizes the product is not rounded below the integer that it should be\""},
    {"where it is written",
     "{\"input\": [1, 3, \"n\"], \"encoder\": [{\"type\": \"ReLU\"}], \"decoder\": [{\"type\": \"ReLU\"}, {\"type\": "
     "\"Upsample\", \"scale_factor\": [1.4]}]}",
     "/errors/0/pointer", "\"/decoder/1/scale_factor\""},
    {"which factors are taken",
     "{\"input\": [1, 3, \"n\"], \"layers\": [{\"type\": \"Upsample\", \"scale_factor\": 1.4}]}",
     "/errors/0/suggestion",
     "\"ask for single sizes with /v1/shapes, or take a multiple of 1/64, such as 1.40625: its products are never "
     "rounded\""},
    {"an irrational factor: why",
     "{\"input\": [1, 3, \"n\"], \"layers\": [{\"type\": \"Upsample\", \"scale_factor\": 1.4142135623730951}]}",
     "/errors/0/detail",
     "\"at layer `upsample_0`: 1.4142135623730951 is no fraction with a denominator up to 1000 whose products are "
     "rounded "
     "evenly\""},
    {"an irrational factor",
     "{\"input\": [1, 3, \"n\"], \"layers\": [{\"type\": \"Upsample\", \"scale_factor\": "
     "1.4142135623730951}]}",
     "/errors/0/code", "\"sizes_not_periodic\""},
    {"a product against a size",
     "{" SQUARE
     ", \"layers\": [{\"type\": \"Flatten\", \"start_dim\": 2}, {\"type\": \"Concat\", \"dim\": 1, \"from\": "
     "[\"flatten_0\", \"flatten_0\"]}, {\"type\": \"Unflatten\", \"dim\": 2, \"unflattened_size\": [1, -1]}, "
     "{\"type\": "
     "\"Mean\", \"dim\": 1}, {\"type\": \"Mean\", \"dim\": [1, 2], \"name\": \"x\", \"from\": \"input\", \"keepdim\": "
     "true}, {\"type\": \"Mean\", \"dim\": [2], \"from\": \"input\"}, {\"type\": \"Add\", \"from\": [\"mean_3\", "
     "\"mean_5\"]}]}",
     "/errors/0/code", "\"sizes_not_periodic\""},
};

static void test_refusals(void **state)
{
    (void)state;
    CHECK_ROWS(refusals, 422);
}

/* ---- Long lists --------------------------------------------------------------------------------------------------- */

static void test_long_lists(void **state)
{
    static const struct row rows[] = {
        {"exceptions",
         "{\"input\": [1, 3, \"n\"], \"layers\": [{\"type\": \"MaxPool1d\", \"kernel_size\": 6000, "
         "\"expect\": [1, 3, 1]}]}",
         "/symbols/n/exceptions_omitted", "1904"},
        {"statement",
         "{\"input\": [1, 3, \"n\"], \"layers\": [{\"type\": \"MaxPool1d\", \"kernel_size\": 6000, "
         "\"expect\": [1, 3, 1]}]}",
         "/symbols/n/statement", "\"only 6000 to 11999\""},
        {"values", "{\"input\": [1, 3, \"n\"], \"layers\": [{\"type\": \"MaxPool1d\", \"kernel_size\": 6000}]}",
         "/law/2/values_omitted", "1904"},
        {"a multiple of a quotient",
         "{\"input\": [1, 4, \"n\"], \"layers\": [{\"type\": \"AvgPool1d\", \"kernel_size\": 2}, {\"type\": "
         "\"Upsample\", "
         "\"scale_factor\": 6}, {\"type\": \"ZeroPad1d\", \"padding\": [1, 0]}]}",
         "/output", "[1,4,\"6⌊n/2⌋ + 1\"]"},
        {"none omitted", "{" SQUARE ", " RELU "}", "/symbols/n/residues_omitted", NULL},
    };
    (void)state;
    CHECK_ROWS(rows, 200);
}

/* ---- Words -------------------------------------------------------------------------------------------------------- */

static void test_forms(void **state)
{
    static const struct {
        struct cp_size_form form;
        const char *expected;
    } rows[] = {
        {{1, 0, 1, 1, 0, true}, "n"},
        {{1, -184, 1, 1, 0, true}, "n − 184"},
        {{2, 3, 1, 1, 0, true}, "2n + 3"},
        {{1, 0, 2, 1, 0, true}, "n/2"},
        {{1, -4, 2, 1, 0, true}, "(n − 4)/2"},
        {{1, 0, 2, 1, 0, false}, "⌊n/2⌋"},
        {{1, 1, 2, 1, 0, false}, "⌈n/2⌉"},
        {{3, 1, 2, 1, 0, false}, "⌊(3n + 1)/2⌋"},
        {{1, -6, 4, 1, 0, false}, "⌊(n − 6)/4⌋"},
        {{1, 1, 6, 4, 0, false}, "4⌊(n + 1)/6⌋"},
        {{1, 1, 2, 2, 1, false}, "2⌈n/2⌉ + 1"},
    };
    struct cp_memory memory;
    (void)state;
    cp_memory_open(&memory, NULL, 1 << 20, NULL);
    for (size_t at = 0; at < sizeof rows / sizeof rows[0]; at++) {
        struct cp_text text = cp_describe_size_form(&memory.arena, CP_TEXT("n"), &rows[at].form);
        if (!cp_test_is(text, rows[at].expected))
            fail_msg("%.*s, not %s", (int)text.size, text.bytes, rows[at].expected);
    }
    cp_memory_reset(&memory);
}

static void test_statements(void **state)
{
    static const struct {
        const char *works; /* from n = 1, the last `period` of them repeat */
        int period;
        const char *expected;
    } rows[] = {
        {"x", 1, "any n"},
        {"..x", 1, "any n ≥ 3"},
        {"x..x", 1, "any n ≥ 4, and 1"},
        {".x", 2, "n ≡ 0 (mod 2), n ≥ 2"},
        {"xx.", 3, "n ≢ 0 (mod 3), n ≥ 1"},
        {"x..x.", 5, "n ≡ 1 or 4 (mod 5), n ≥ 1"},
        {"x.xx.", 1, "only 1, 3 and 4"},
        {".....xxxxxxxxx.", 1, "only 6 to 14"},
        {"x.xxxxxxxxx.", 1, "only 10 sizes from 1 to 11"},
        {"x.x.x.x.x.x.x.x.x.....x", 1, "any n ≥ 23, and 9 smaller sizes"},
    };
    struct cp_memory memory;
    (void)state;
    cp_memory_open(&memory, NULL, 1 << 20, NULL);
    for (size_t at = 0; at < sizeof rows / sizeof rows[0]; at++) {
        struct cp_size_set set;
        bool works[64] = {false};
        int size = (int)strlen(rows[at].works);
        for (int n = 1; n <= size; n++) works[n] = rows[at].works[n - 1] == 'x';
        cp_size_set_reduce(&set, works, size - rows[at].period + 1, rows[at].period);
        struct cp_text text = cp_describe_size_set(&memory.arena, CP_TEXT("n"), &set);
        if (!cp_test_is(text, rows[at].expected))
            fail_msg("%.*s, not %s", (int)text.size, text.bytes, rows[at].expected);
    }
    cp_memory_reset(&memory);
}

/* ---- The table of kinds ------------------------------------------------------------------------------------------- */

/* A kind without a law is taken to keep its input's shape, whatever that is. */
static void test_every_kind_has_its_law(void **state)
{
    (void)state;
    for (int row = 0; row < cp_layer_type_count; row++) {
        const struct cp_layer_kind *kind = cp_layer_types[row].kind;
        if (!kind->law && kind->infer != cp_infer_same) fail_msg("%s has no law", cp_layer_types[row].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_facts), cmocka_unit_test(test_refusals),   cmocka_unit_test(test_long_lists),
        cmocka_unit_test(test_forms), cmocka_unit_test(test_statements), cmocka_unit_test(test_every_kind_has_its_law),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
