/* Round trips through layers that rearrange, cut and join: those that do not keep every spatial size take part. */
#include "tests/service_client.h"

struct row {
    const char *name, *input, *encoder, *decoder;
    bool valid;
    const char *pairs; /* "encoder>decoder" names of all, ! after one that does not round-trip */
    int warnings;      /* unpaired_stages */
    bool mends;        /* all fixes together make it valid */
};

#define LAYER(type, name, rest) "{\"type\": \"" type "\", \"name\": \"" name "\", " rest "}"
#define CONV LAYER("Conv1d", "conv", "\"out_channels\": 4, \"kernel_size\": 2, \"stride\": 2")
#define UP LAYER("ConvTranspose1d", "up", "\"out_channels\": 4, \"kernel_size\": 2, \"stride\": 2")
#define CONV2 LAYER("Conv2d", "conv", "\"out_channels\": 4, \"kernel_size\": 2, \"stride\": 2")
#define UP2 LAYER("ConvTranspose2d", "up", "\"out_channels\": 4, \"kernel_size\": 2, \"stride\": 2")
#define PAD(padding) LAYER("ZeroPad1d", "pad", "\"padding\": " padding)
#define SLICE(rest) LAYER("Slice", "slice", rest)

static const struct row rows[] = {
    {"a slice is undone by a border", "[1, 4, 16]", CONV ", " SLICE("\"dim\": 2, \"end\": 6"), PAD("[0, 2]") ", " UP,
     .valid = true, .pairs = "slice>pad conv>up"},
    {"a slice and the wrong partner", "[1, 4, 16]", CONV ", " SLICE("\"dim\": 2, \"end\": 6"), UP ", " PAD("2"),
     .pairs = "slice>up! conv>pad", .mends = true},
    {"the same, counted from the end", "[1, 4, 16]", CONV ", " SLICE("\"dim\": -1, \"end\": -2"), UP ", " PAD("2"),
     .pairs = "slice>up! conv>pad", .mends = true},
    {"every other cell", "[1, 4, 16]", CONV ", " SLICE("\"dim\": 2, \"step\": 2"),
     UP ", " LAYER("Upsample", "more", "\"scale_factor\": 2"), .valid = true, .pairs = "slice>up conv>more"},
    {"a slice of channels", "[1, 4, 16]", CONV ", " SLICE("\"dim\": 1, \"end\": 2"), UP, .valid = true,
     .pairs = "conv>up"},
    {"a slice of all", "[1, 4, 16]", CONV ", " SLICE("\"dim\": 2"), UP, .valid = true, .pairs = "conv>up"},
    {"a slice to what exporters write for the end", "[1, 4, 16]", CONV ", " SLICE("\"dim\": 2, \"end\": 2147483647"),
     UP, .valid = true, .pairs = "conv>up"},
    {"a slice in the decoder", "[1, 4, 16]", PAD("[0, 2]"), SLICE("\"dim\": 2, \"end\": 16"), .valid = true,
     .pairs = "pad>slice"},
    {"a slice in the decoder that takes too much", "[1, 4, 16]", PAD("[0, 2]"), SLICE("\"dim\": 2, \"end\": 15"),
     .pairs = "pad>slice!"},
    {"a slice in the decoder, before a layer that can be repaired", "[1, 4, 16]", CONV ", " PAD("[0, 2]"),
     SLICE("\"dim\": 2, \"end\": 8") ", " LAYER("ConvTranspose1d", "up",
                                                "\"out_channels\": 4, \"kernel_size\": 3, \"stride\": 2"),
     .pairs = "pad>slice conv>up!", .mends = true},
    {"the mean of an axis that stays", "[1, 4, 16]", CONV ", " LAYER("Mean", "mean", "\"dim\": 2, \"keepdim\": true"),
     LAYER("Upsample", "grow", "\"size\": 8") ", " UP, .valid = true, .pairs = "mean>grow conv>up"},
    {"the mean and the wrong partner", "[1, 4, 16]", CONV ", " LAYER("Mean", "mean", "\"dim\": -1, \"keepdim\": true"),
     LAYER("Upsample", "grow", "\"size\": 4") ", " LAYER("Upsample", "more", "\"size\": 16"),
     .pairs = "mean>grow! conv>more", .mends = true},
    {"the mean of channels", "[1, 4, 16]", CONV ", " LAYER("Mean", "mean", "\"dim\": 1, \"keepdim\": true"), UP,
     .valid = true, .pairs = "conv>up"},
    {"Linear on space", "[1, 4, 16]", CONV ", " LAYER("Linear", "dense", "\"out_features\": 3"),
     LAYER("Linear", "back", "\"out_features\": 8") ", " UP, .valid = true, .pairs = "dense>back conv>up"},
    {"Linear on space, the other way round", "[1, 4, 16]", CONV ", " LAYER("Linear", "dense", "\"out_features\": 3"),
     UP ", " LAYER("Linear", "back", "\"out_features\": 16"), .pairs = "dense>up! conv>back"},
    {"Linear that takes one size and keeps it", "[1, 4, 16]",
     CONV ", " LAYER("Linear", "dense", "\"in_features\": 8, \"out_features\": 8"), UP, .valid = true,
     .pairs = "conv>up"},
    {"Linear on what is flat", "[1, 4, 16]",
     CONV ", " LAYER("Flatten", "flat", "\"start_dim\": 1") ", " LAYER("Linear", "dense", "\"out_features\": 3"),
     LAYER("Linear", "back", "\"out_features\": 32") ", " LAYER("Unflatten", "fold",
                                                                "\"dim\": 1, \"unflattened_size\": [4, 8]") ", " UP,
     .valid = true, .pairs = "conv>up"},
    {"joined along space", "[1, 4, 16]",
     CONV ", " LAYER("Concat", "join", "\"dim\": 2, \"from\": [\"conv\", \"conv\"]"),
     SLICE("\"dim\": 2, \"end\": 8") ", " UP, .valid = true, .pairs = "join>slice conv>up"},
    {"joined along space, and the wrong partner", "[1, 4, 16]",
     CONV ", " LAYER("Concat", "join", "\"dim\": -1, \"from\": [\"conv\", \"conv\"]"),
     UP ", " SLICE("\"dim\": 2, \"end\": 16"), .pairs = "join>up! conv>slice"},
    {"one joined along space", "[1, 4, 16]", CONV ", " LAYER("Concat", "join", "\"dim\": 2, \"from\": [\"conv\"]"), UP,
     .valid = true, .pairs = "conv>up"},
    {"joined along the channels", "[1, 4, 16]", CONV ", " LAYER("Concat", "join", "\"from\": [\"conv\", \"conv\"]"), UP,
     .valid = true, .pairs = "conv>up"},
    {"a skip in the decoder", "[1, 4, 16]", LAYER("ReLU", "skip", "\"inplace\": true") ", " CONV,
     UP ", " LAYER("Add", "sum", "\"from\": [\"skip\", \"up\"]"), .valid = true, .pairs = "conv>up"},
    {"space folded otherwise", "[1, 4, 8, 8]", CONV2 ", " LAYER("Reshape", "fold", "\"shape\": [1, 4, 2, 8]"),
     LAYER("Reshape", "back", "\"shape\": [1, 4, 4, 4]") ", " UP2, .valid = true, .pairs = "fold>back conv>up"},
    {"space folded otherwise, and the wrong partner", "[1, 4, 8, 8]",
     CONV2 ", " LAYER("Reshape", "fold", "\"shape\": [1, 4, 2, 8]"),
     UP2 ", " LAYER("Reshape", "back", "\"shape\": [1, 4, 8, 8]"), .pairs = "fold>up! conv>back"},
    {"axes exchanged", "[1, 4, 8, 6]", CONV2 ", " LAYER("Permute", "turn", "\"dims\": [0, 1, 3, 2]"),
     LAYER("Permute", "back", "\"dims\": [0, 1, -1, -2]") ", " UP2, .valid = true, .pairs = "turn>back conv>up"},
    {"axes exchanged, and the wrong partner", "[1, 4, 8, 6]",
     CONV2 ", " LAYER("Permute", "turn", "\"dims\": [0, 1, 3, 2]"),
     UP2 ", " LAYER("Permute", "back", "\"dims\": [0, 1, 3, 2]"), .pairs = "turn>up! conv>back"},
    {"batch and channels exchanged", "[1, 4, 8, 6]", CONV2 ", " LAYER("Permute", "turn", "\"dims\": [1, 0, 2, 3]"),
     LAYER("Permute", "back", "\"dims\": [1, 0, 2, 3]") ", " UP2, .valid = true, .pairs = "conv>up"},
    {"channels last, and Linear along them", "[1, 4, 8, 6]",
     CONV2 ", " LAYER("Permute", "out", "\"dims\": [0, 2, 3, 1]") ", " LAYER(
         "Linear", "wide",
         "\"out_features\": 16") ", " LAYER("Linear", "narrow",
                                            "\"out_features\": 4") ", " LAYER("Permute", "in",
                                                                              "\"dims\": [0, 3, 1, 2]"),
     LAYER("Permute", "there", "\"dims\": [0, -2, -1, 1]") ", " LAYER(
         "Linear", "other", "\"out_features\": 5") ", " LAYER("Permute", "back", "\"dims\": [0, 3, 1, 2]") ", " UP2,
     .valid = true, .pairs = "conv>up"},
    {"Linear along space after the channels are back", "[1, 4, 8, 6]",
     CONV2 ", " LAYER("Permute", "out", "\"dims\": [0, 2, 3, 1]") ", " LAYER(
         "Permute", "in", "\"dims\": [0, 3, 1, 2]") ", " LAYER("Linear", "dense", "\"out_features\": 5"),
     LAYER("Linear", "back", "\"out_features\": 3") ", " UP2, .valid = true, .pairs = "dense>back conv>up"},
    {"channels last, with height and width exchanged", "[1, 3, 8, 8]",
     LAYER("Permute", "out", "\"dims\": [0, 2, 3, 1]") ", " LAYER(
         "Permute", "turn",
         "\"dims\": [0, 2, 1, 3]") ", " LAYER("Linear", "a",
                                              "\"out_features\": 7") ", " LAYER("Linear", "b",
                                                                                "\"out_features\": 5") ", " LAYER("Perm"
                                                                                                                  "ute",
                                                                                                                  "in",
                                                                                                                  "\"di"
                                                                                                                  "ms\""
                                                                                                                  ": "
                                                                                                                  "[0, "
                                                                                                                  "3, "
                                                                                                                  "2, "
                                                                                                                  "1]"),
     LAYER("Permute", "there", "\"dims\": [0, 2, 3, 1]") ", " LAYER("Linear", "c", "\"out_features\": 6") ", " LAYER(
         "Linear", "d", "\"out_features\": 3") ", " LAYER("Permute", "back", "\"dims\": [0, 3, 1, 2]"),
     .valid = true, .pairs = ""},
    {"a mean over space with channels last, and Linear behind it", "[1, 3, 8, 8]",
     LAYER("Permute", "out", "\"dims\": [0, 2, 3, 1]") ", " LAYER(
         "Mean", "mean",
         "\"dim\": [1, 2], \"keepdim\": true") ", " LAYER("Linear", "a",
                                                          "\"out_features\": 5") ", " LAYER("Permute", "in",
                                                                                            "\"dims\": [0, 3, 1, 2]"),
     LAYER("Upsample", "grow", "\"size\": 8"), .valid = true, .pairs = "", .warnings = 1},
    {"channels shuffled by reshapes, then Linear along space", "[1, 4, 8, 8]",
     LAYER("Reshape", "split", "\"shape\": [1, 2, 2, 8, 8]") ", " LAYER("Permute", "turn", "\"dims\": [0, 2, 1, 3, 4]") ", " LAYER(
         "Reshape", "join",
         "\"shape\": [1, 4, 8, 8]") ", " LAYER("Linear", "a", "\"out_features\": 4") ", " LAYER("Linear", "b",
                                                                                                "\"out_features\": 2"),
     LAYER("Linear", "c", "\"out_features\": 3") ", " LAYER("Linear", "d", "\"out_features\": 8"), .pairs = "b>c! a>d"},
    {"what an unknown layer declares", "[1, 4, 16]", CONV ", " LAYER("Opaque", "own", "\"output_shape\": [1, 4, 6]"),
     UP ", " PAD("2"), .valid = true, .pairs = "conv>up!", .warnings = 1},
    {"more on one side", "[1, 4, 16]", SLICE("\"dim\": 2, \"end\": 15") ", " CONV,
     LAYER("Upsample", "grow", "\"size\": 16"), .valid = true, .pairs = "conv>grow!", .warnings = 1},
};

/* ---- Asking ------------------------------------------------------------------------------------------------------- */

static void ask(struct cp_test_exchange *exchange, const char *path, struct cp_text body)
{
    const struct cp_request request = {
        .method = CP_POST, .method_name = CP_TEXT("POST"), .path = cp_text_of(path), .body = body};
    cp_test_ask(exchange, &request);
}

/* As in `pairs` of a row. */
static void write_pairs(FILE *file, struct cp_text body)
{
    int count = cp_test_count(cp_test_at(body, "/pairs"));
    for (int at = 0; at < count; at++) {
        struct cp_text encoder = cp_test_atf(body, "/pairs/%d/encoder", at);
        struct cp_text decoder = cp_test_atf(body, "/pairs/%d/decoder", at);
        bool right = true;
        for (int axis = 0; axis < cp_test_count(cp_test_atf(body, "/pairs/%d/axes", at)); axis++)
            right = right && cp_test_is(cp_test_atf(body, "/pairs/%d/axes/%d/round_trips", at, axis), "true");
        (void)fprintf(file, "%s%.*s>%.*s%s", at ? " " : "", (int)encoder.size - 2, encoder.bytes + 1,
                      (int)decoder.size - 2, decoder.bytes + 1, right ? "" : "!");
    }
}

static int count_of(struct cp_text body, const char *code)
{
    int found = 0;
    for (int at = 0; at < cp_test_count(cp_test_at(body, "/findings")); at++)
        found += cp_test_is_string(cp_test_atf(body, "/findings/%d/code", at), code);
    return found;
}

/* The verdict on the request with all fixes of the answer in it. */
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

/* ---- Checking ----------------------------------------------------------------------------------------------------- */

static const char *compare(struct cp_text request, struct cp_text body, const struct row *row)
{
    struct cp_test_text pairs;
    write_pairs(cp_test_begin(&pairs), body);
    struct cp_text found = cp_test_finish(&pairs);
    bool same = cp_test_is(found, row->pairs);
    cp_test_free(&pairs);
    if (!same) return "pairs";
    if (!cp_test_is(cp_test_at(body, "/valid"), row->valid ? "true" : "false")) return "valid";
    if (count_of(body, "unpaired_stages") != row->warnings) return "warnings";
    return row->valid || row->mends == fixes_mend(request, body) ? NULL : "fixes";
}

static bool check(const struct row *row)
{
    struct cp_test_text text;
    struct cp_test_exchange exchange;
    (void)fprintf(cp_test_begin(&text), "{\"input\": %s, \"encoder\": [%s], \"decoder\": [%s]}", row->input,
                  row->encoder, row->decoder);
    struct cp_text request = cp_test_finish(&text);
    ask(&exchange, "/v1/roundtrip", request);
    struct cp_text body = exchange.reply.body;
    const char *wrong = exchange.reply.status == 200 ? compare(request, body, row) : "status";
    if (wrong) print_error("%s: %s\n  %s\n  %.*s\n", row->name, wrong, text.bytes, (int)body.size, body.bytes);
    cp_test_close(&exchange);
    cp_test_free(&text);
    return !wrong;
}

static void test_pairs(void **state)
{
    int wrong = 0;
    (void)state;
    for (size_t at = 0; at < sizeof rows / sizeof rows[0]; at++) wrong += !check(&rows[at]);
    assert_int_equal(wrong, 0);
}

/* /v1/sizes pairs as /v1/roundtrip does: the size that the slice happens to keep included. */
static void test_sizes(void **state)
{
    static const char request[] = "{\"input\": [1, 4, \"n\"], \"encoder\": [" CONV
                                  ", " SLICE("\"dim\": 2, \"end\": 6") "], \"decoder\": [" UP ", " PAD("2") "]}";
    static const char other[] = "{\"input\": [1, 4, \"n\"], \"encoder\": [" CONV
                                ", " SLICE("\"dim\": 2, \"end\": 6") "], \"decoder\": [" PAD("[0, 2]") ", " UP "]}";
    struct cp_test_exchange exchange;
    (void)state;
    ask(&exchange, "/v1/sizes", CP_TEXT(request));
    assert_true(cp_test_is(cp_test_at(exchange.reply.body, "/symbols/n/minimum"), "null"));
    cp_test_close(&exchange);
    ask(&exchange, "/v1/sizes", CP_TEXT(other));
    assert_true(cp_test_is(cp_test_at(exchange.reply.body, "/symbols/n/exceptions"), "[16]"));
    assert_true(cp_test_is(cp_test_at(exchange.reply.body, "/symbols/n/residues"), "[]"));
    cp_test_close(&exchange);
}

/* A Linear that gives the size it got by chance is undone by one that is a stage, too. */
static void test_decoder_of_linear(void **state)
{
    static const char request[] =
        "{\"input\": [1, 4, 16], \"encoder\": [" CONV ", " LAYER("Linear", "dense", "\"out_features\": 8") "]}";
    struct cp_test_exchange exchange;
    (void)state;
    ask(&exchange, "/v1/decoder", CP_TEXT(request));
    assert_true(cp_test_is(cp_test_at(exchange.reply.body, "/valid"), "true"));
    assert_int_equal(cp_test_count(cp_test_at(exchange.reply.body, "/roundtrip/pairs")), 2);
    assert_int_equal(cp_test_count(cp_test_at(exchange.reply.body, "/roundtrip/findings")), 0);
    cp_test_close(&exchange);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_decoder_of_linear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
