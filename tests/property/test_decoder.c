/* POST /v1/decoder on random encoders: the layers that it designs, posted as they are to /v1/roundtrip, give back the
 * input's whole shape; the same bytes for the same request; the same decoder in either layout. */
#include "tests/property/random.h"
#include "tests/service_client.h"

/* ---- Random encoders ---------------------------------------------------------------------------------------------- */

struct encoder {
    struct cp_random random;
    FILE *file;
    int axes, count;
    bool named; /* every layer has a name */
};

static void begin_layer(struct encoder *encoder, const char *type, bool numbered)
{
    (void)fprintf(encoder->file, "%s{\"type\": \"%s", encoder->count ? ", " : "", type);
    if (numbered) (void)fprintf(encoder->file, "%dd", encoder->axes);
    (void)fprintf(encoder->file, "\"");
    if (encoder->named) (void)fprintf(encoder->file, ", \"name\": \"x%d\"", encoder->count);
    encoder->count++;
}

static void end_layer(struct encoder *encoder)
{
    (void)fprintf(encoder->file, "}");
}

static int draw(struct encoder *encoder, int least, int most)
{
    return cp_random_within(&encoder->random, least, most);
}

/* A number for all axes, or a list. */
static void put_axes(struct encoder *encoder, const char *name, int least, int most)
{
    (void)fprintf(encoder->file, ", \"%s\": ", name);
    if (draw(encoder, 0, 2)) {
        (void)fprintf(encoder->file, "%d", draw(encoder, least, most));
        return;
    }
    for (int axis = 0; axis < encoder->axes; axis++)
        (void)fprintf(encoder->file, "%c%d", axis ? ',' : '[', draw(encoder, least, most));
    (void)fprintf(encoder->file, "]");
}

static void put_pairs(struct encoder *encoder, int least, int most)
{
    (void)fprintf(encoder->file, ", \"padding\": ");
    for (int axis = 0; axis < encoder->axes; axis++)
        (void)fprintf(encoder->file, "%c[%d, %d]", axis ? ',' : '[', draw(encoder, least, most),
                      draw(encoder, least, most));
    (void)fprintf(encoder->file, "]");
}

static void put_padding(struct encoder *encoder, int most, bool transposed)
{
    static const char *const words[] = {"same_upper", "same_lower", "half", "valid", "full", "same"};
    int way = draw(encoder, 0, 9);
    if (way < 5)
        put_axes(encoder, "padding", 0, most);
    else if (way < 7)
        put_pairs(encoder, 0, most);
    else if (way < 9)
        (void)fprintf(encoder->file, ", \"padding\": \"%s\"", words[draw(encoder, 0, transposed ? 4 : 5)]);
}

/* Channels are multiples of 4 all along, so that groups and shuffles divide them. */
static void put_convolution(struct encoder *encoder)
{
    begin_layer(encoder, "Conv", true);
    (void)fprintf(encoder->file, ", \"out_channels\": %d", 4 * draw(encoder, 1, 4));
    put_axes(encoder, "kernel_size", 1, 4);
    put_axes(encoder, "stride", 1, 3);
    put_padding(encoder, 2, false);
    if (!draw(encoder, 0, 3)) put_axes(encoder, "dilation", 1, 3);
    if (!draw(encoder, 0, 3)) (void)fprintf(encoder->file, ", \"groups\": %d", 2 * draw(encoder, 1, 2));
    if (!draw(encoder, 0, 3)) (void)fprintf(encoder->file, ", \"bias\": false");
    end_layer(encoder);
}

static void put_transposed(struct encoder *encoder)
{
    begin_layer(encoder, "ConvTranspose", true);
    (void)fprintf(encoder->file, ", \"out_channels\": %d", 4 * draw(encoder, 1, 4));
    put_axes(encoder, "kernel_size", 1, 4);
    put_axes(encoder, "stride", 1, 3);
    if (draw(encoder, 0, 1))
        put_axes(encoder, "output_padding", 0, 1);
    else
        put_padding(encoder, 1, true);
    if (!draw(encoder, 0, 3)) put_axes(encoder, "dilation", 1, 3);
    end_layer(encoder);
}

static void put_pool(struct encoder *encoder)
{
    static const char *const types[] = {"MaxPool", "MaxPool", "AvgPool", "LPPool"};
    int type = draw(encoder, 0, encoder->axes == 3 ? 2 : 3);
    begin_layer(encoder, types[type], true);
    put_axes(encoder, "kernel_size", 2, 4);
    if (draw(encoder, 0, 1)) put_axes(encoder, "stride", 1, 3);
    if (draw(encoder, 0, 1)) put_padding(encoder, 1, false);
    if (type < 2 && !draw(encoder, 0, 3)) put_axes(encoder, "dilation", 1, 2);
    if (draw(encoder, 0, 1)) (void)fprintf(encoder->file, ", \"ceil_mode\": true");
    end_layer(encoder);
}

static void put_unpool(struct encoder *encoder)
{
    begin_layer(encoder, "MaxUnpool", true);
    put_axes(encoder, "kernel_size", 2, 3);
    end_layer(encoder);
}

static void put_border(struct encoder *encoder)
{
    static const char *const types[] = {"ZeroPad", "ConstantPad", "ReflectionPad", "ReplicationPad", "CircularPad"};
    begin_layer(encoder, types[draw(encoder, 0, 4)], true);
    put_pairs(encoder, -1, 2);
    end_layer(encoder);
}

static void put_crop(struct encoder *encoder)
{
    begin_layer(encoder, "CenterCrop", true);
    put_axes(encoder, "output_size", 2, 8);
    end_layer(encoder);
}

static void put_adaptive(struct encoder *encoder)
{
    begin_layer(encoder, draw(encoder, 0, 1) ? "AdaptiveAvgPool" : "AdaptiveMaxPool", true);
    put_axes(encoder, "output_size", draw(encoder, 0, 3) ? 2 : 1, 8);
    end_layer(encoder);
}

static void put_resampling(struct encoder *encoder)
{
    static const char *const members[] = {"\"scale_factor\": 2", "\"scale_factor\": 1.5", "\"size\": 9",
                                          "\"scale_factor\": 1", "\"scale_factor\": 0.5"};
    if (draw(encoder, 0, 1)) {
        begin_layer(encoder, "Upsample", false);
        (void)fprintf(encoder->file, ", %s", members[draw(encoder, 0, 4)]);
    } else if (draw(encoder, 0, 1)) {
        begin_layer(encoder, "PixelShuffle", false);
        (void)fprintf(encoder->file, ", \"upscale_factor\": %d", draw(encoder, 1, 2));
    } else {
        begin_layer(encoder, "PixelUnshuffle", false);
        (void)fprintf(encoder->file, ", \"downscale_factor\": %d", draw(encoder, 1, 2));
    }
    end_layer(encoder);
}

static void put_carried(struct encoder *encoder)
{
    static const char *const layers[] = {"ReLU",  "Tanh",     "Dropout\", \"p\": \"", "Identity", "GELU",
                                         "Scale", "LeakyReLU"};
    static const char *const numbered[] = {"BatchNorm", "InstanceNorm", "Dropout"};
    int way = draw(encoder, 0, 9);
    if (way < 4) {
        begin_layer(encoder, numbered[draw(encoder, 0, 2)], true);
    } else if (way == 4) {
        begin_layer(encoder, "GroupNorm", false);
        (void)fprintf(encoder->file, ", \"num_groups\": %d, \"eps\": 1e-6", draw(encoder, 1, 4));
    } else if (way == 5) {
        begin_layer(encoder, "BatchNorm", true);
        (void)fprintf(encoder->file, ", \"num_features\": null, \"momentum\": null, \"affine\": false");
    } else if (way == 6) {
        begin_layer(encoder, "PReLU", false);
        (void)fprintf(encoder->file, ", \"num_parameters\": 1");
    } else {
        int layer = draw(encoder, 0, 6);
        begin_layer(encoder, layer == 2 ? "Dropout" : layers[layer], false);
        if (layer == 2) (void)fprintf(encoder->file, ", \"p\": 0.25");
        if (layer == 6) (void)fprintf(encoder->file, ", \"negative_slope\": 0.2");
    }
    end_layer(encoder);
}

/* Two branches from the layer before, which stays on the first path. */
static void put_merge(struct encoder *encoder)
{
    static const char *const types[] = {"Add", "Mul", "Sub", "Concat"};
    if (!encoder->named || encoder->count == 0) return;
    int before = encoder->count - 1;
    put_carried(encoder);
    begin_layer(encoder, types[draw(encoder, 0, 3)], false);
    (void)fprintf(encoder->file, ", \"from\": [\"x%d\", \"x%d\"]", before + draw(encoder, 0, 1),
                  before + draw(encoder, 0, 1));
    end_layer(encoder);
}

static void put_channel_shuffle(struct encoder *encoder)
{
    begin_layer(encoder, "ChannelShuffle", false);
    (void)fprintf(encoder->file, ", \"groups\": %d", draw(encoder, 1, 4));
    end_layer(encoder);
}

static void put_permutation(struct encoder *encoder)
{
    static const char *const orders[] = {"0, 1, 2", "0, 1, 3, 2", "0, 1, 4, 2, 3"};
    begin_layer(encoder, "Permute", false);
    (void)fprintf(encoder->file, ", \"dims\": [%s]", orders[encoder->axes - 1]);
    end_layer(encoder);
}

/* Layers after which no window layer fits. */
static void put_end(struct encoder *encoder)
{
    static const char *const starts[] = {"1", "1", "2", "-2", "0"};
    begin_layer(encoder, "Flatten", false);
    (void)fprintf(encoder->file, ", \"start_dim\": %s", starts[draw(encoder, 0, 4)]);
    end_layer(encoder);
    for (int more = draw(encoder, 0, 2); more > 0; more--) {
        begin_layer(encoder, "Linear", false);
        (void)fprintf(encoder->file, ", \"out_features\": %d%s", draw(encoder, 1, 64),
                      draw(encoder, 0, 1) ? "" : ", \"bias\": false");
        end_layer(encoder);
        begin_layer(encoder, "ReLU", false);
        end_layer(encoder);
    }
}

static void put_without_inverse(struct encoder *encoder)
{
    int way = draw(encoder, 0, 2);
    if (way == 0) {
        begin_layer(encoder, "Mean", false);
        (void)fprintf(encoder->file, ", \"dim\": 2, \"keepdim\": true");
    } else if (way == 1) {
        begin_layer(encoder, "Slice", false);
        (void)fprintf(encoder->file, ", \"dim\": 1, \"end\": 2");
    } else {
        begin_layer(encoder, "AdaptiveAvgPool", true);
        (void)fprintf(encoder->file, ", \"output_size\": 1");
    }
    end_layer(encoder);
}

static void put_layer(struct encoder *encoder)
{
    static void (*const makers[])(struct encoder *) = {
        put_convolution,     put_convolution, put_convolution, put_pool,    put_pool,
        put_transposed,      put_unpool,      put_border,      put_crop,    put_adaptive,
        put_resampling,      put_carried,     put_carried,     put_carried, put_merge,
        put_channel_shuffle, put_permutation,
    };
    makers[draw(encoder, 0, (int)(sizeof makers / sizeof makers[0]) - 1)](encoder);
}

/* The members "input" and "encoder" of a request, without braces; the latter without its name. */
static void write_encoder(FILE *file, uint64_t seed, bool channels_last)
{
    struct encoder encoder = {.random = {seed}, .file = file};
    encoder.axes = draw(&encoder, 1, 3);
    encoder.named = draw(&encoder, 0, 1);
    (void)fprintf(file, "\"input\": [%d", draw(&encoder, 1, 2));
    int channels = 4 * draw(&encoder, 1, 3);
    if (!channels_last) (void)fprintf(file, ", %d", channels);
    for (int axis = 0; axis < encoder.axes; axis++) (void)fprintf(file, ", %d", draw(&encoder, 4, 30));
    if (channels_last) (void)fprintf(file, ", %d", channels);
    (void)fprintf(file, "]%s, ", channels_last ? ", \"layout\": \"channels_last\"" : "");
}

static void write_layers(FILE *file, uint64_t seed)
{
    struct encoder encoder = {.random = {seed}, .file = file};
    encoder.axes = draw(&encoder, 1, 3);
    encoder.named = draw(&encoder, 0, 1);
    encoder.random.state = ~seed;
    (void)fprintf(file, "[");
    for (int count = draw(&encoder, 1, 5); count > 0; count--) put_layer(&encoder);
    if (!draw(&encoder, 0, 15)) put_without_inverse(&encoder);
    if (!draw(&encoder, 0, 3)) put_end(&encoder);
    if (encoder.count == 0) put_carried(&encoder);
    (void)fprintf(file, "]");
}

static const char *inverse_name(uint64_t seed)
{
    static const char *const names[] = {"conv_transpose", "unpool", "upsample"};
    return names[seed % 3];
}

/* ---- Asking ------------------------------------------------------------------------------------------------------- */

static void ask(struct cp_test_exchange *exchange, const char *path, struct cp_text body)
{
    const struct cp_request request = {
        .method = CP_POST, .method_name = CP_TEXT("POST"), .path = cp_text_of(path), .body = body};
    cp_test_ask(exchange, &request);
}

static void ask_decoder(struct cp_test_exchange *exchange, uint64_t seed, bool channels_last)
{
    struct cp_test_text text;
    FILE *file = cp_test_begin(&text);
    (void)fprintf(file, "{");
    write_encoder(file, seed, channels_last);
    (void)fprintf(file, "\"pool_inverse\": \"%s\", \"encoder\": ", inverse_name(seed));
    write_layers(file, seed);
    (void)fprintf(file, "}");
    ask(exchange, "/v1/decoder", cp_test_finish(&text));
    cp_test_free(&text);
}

static bool shapes_are_valid(uint64_t seed)
{
    struct cp_test_text text;
    struct cp_test_exchange exchange;
    FILE *file = cp_test_begin(&text);
    (void)fprintf(file, "{");
    write_encoder(file, seed, false);
    (void)fprintf(file, "\"layers\": ");
    write_layers(file, seed);
    (void)fprintf(file, "}");
    cp_test_post(&exchange, cp_test_finish(&text));
    bool valid = exchange.reply.status == 200 && cp_test_is(cp_test_at(exchange.reply.body, "/valid"), "true");
    cp_test_close(&exchange);
    cp_test_free(&text);
    return valid;
}

static void ask_roundtrip(struct cp_test_exchange *exchange, uint64_t seed, struct cp_text decoder)
{
    struct cp_test_text text;
    FILE *file = cp_test_begin(&text);
    (void)fprintf(file, "{");
    write_encoder(file, seed, false);
    (void)fprintf(file, "\"encoder\": ");
    write_layers(file, seed);
    (void)fprintf(file, ", \"decoder\": %.*s}", (int)decoder.size, decoder.bytes);
    ask(exchange, "/v1/roundtrip", cp_test_finish(&text));
    cp_test_free(&text);
}

/* ---- Checking ----------------------------------------------------------------------------------------------------- */

/* Names of layers are short, legal (they were read again) and differ. */
static bool names_differ(struct cp_text layers)
{
    int count = cp_test_count(layers);
    for (int at = 0; at < count; at++)
        for (int other = 0; other < at; other++)
            if (cp_text_equal(cp_test_atf(layers, "/%d/name", at), cp_test_atf(layers, "/%d/name", other)))
                return false;
    return true;
}

/* Only these are left without an inverse, and the answer says which of them it was. */
static bool excuse_is_right(struct cp_text body)
{
    static const char *const types[] = {
        "(Mean)", "(Slice)", "(AdaptiveAvgPool", "(AdaptiveMaxPool", "(ConvTranspose", "(MaxUnpool", "(Mul)",
        "(Add)",  "(Sub)",   "(Concat)"};
    bool found = false;
    for (int at = 0; at < cp_test_count(cp_test_at(body, "/findings")); at++) {
        if (!cp_test_is_string(cp_test_atf(body, "/findings/%d/code", at), "no_inverse")) continue;
        bool known = false;
        for (size_t type = 0; type < sizeof types / sizeof types[0]; type++)
            known = known || cp_test_holds(cp_test_atf(body, "/findings/%d/detail", at), types[type]);
        if (!known) return false;
        found = true;
    }
    return found && cp_test_is(cp_test_at(body, "/roundtrip"), "null");
}

static const char *check_design(struct cp_text body, uint64_t seed)
{
    struct cp_test_exchange exchange;
    struct cp_text decoder = cp_test_at(body, "/decoder");
    ask_roundtrip(&exchange, seed, decoder);
    struct cp_text again = exchange.reply.body;
    const char *wrong = NULL;
    if (!cp_test_is(cp_test_at(body, "/valid"), "true")) wrong = "it is not valid";
    if (!cp_test_is(cp_test_at(again, "/valid"), "true")) wrong = "its layers are not valid when they are posted";
    if (!cp_text_equal(cp_test_at(again, "/input"), cp_test_at(again, "/output")))
        wrong = "the output is not the input";
    if (!cp_text_equal(cp_test_at(again, "/pairs"), cp_test_at(body, "/roundtrip/pairs"))) wrong = "other pairs";
    if (!names_differ(cp_test_at(body, "/roundtrip/decoder"))) wrong = "two layers of one name";
    if (wrong) print_error("%s\n  %.*s\n", wrong, (int)again.size, again.bytes);
    cp_test_close(&exchange);
    return wrong;
}

struct tally {
    int designed, without_inverse, invalid;
};

static const char *check_answer(struct cp_test_exchange *exchange, uint64_t seed, struct tally *tally)
{
    struct cp_text body = exchange->reply.body;
    bool valid = shapes_are_valid(seed);
    if (exchange->reply.status == 422) return valid ? "refused" : NULL;
    if (exchange->reply.status != 200) return "status";
    bool designed = !cp_test_is(cp_test_at(body, "/decoder"), "null");
    *(designed ? &tally->designed : valid ? &tally->without_inverse : &tally->invalid) += 1;
    if (!valid) return cp_test_is(cp_test_at(body, "/valid"), "false") ? NULL : "valid, though the encoder is not";
    if (designed) return check_design(body, seed);
    return excuse_is_right(body) ? NULL : "no decoder";
}

static bool check_encoder(uint64_t seed, struct tally *tally)
{
    struct cp_test_exchange exchange, again, last;
    ask_decoder(&exchange, seed, false);
    ask_decoder(&again, seed, false);
    ask_decoder(&last, seed, true);
    struct cp_text body = exchange.reply.body;
    const char *wrong = check_answer(&exchange, seed, tally);
    if (!wrong && !cp_text_equal(body, again.reply.body)) wrong = "another answer the second time";
    if (!wrong && !cp_text_equal(cp_test_at(body, "/decoder"), cp_test_at(last.reply.body, "/decoder")))
        wrong = "another decoder for channels_last";
    if (wrong) {
        struct cp_test_text text;
        FILE *file = cp_test_begin(&text);
        write_encoder(file, seed, false);
        write_layers(file, seed);
        (void)cp_test_finish(&text);
        print_error("seed %llu, %s: %s\n  %s\n  %d %.*s\n", (unsigned long long)seed, inverse_name(seed), wrong,
                    text.bytes, exchange.reply.status, (int)body.size, body.bytes);
        cp_test_free(&text);
    }
    cp_test_close(&exchange);
    cp_test_close(&again);
    cp_test_close(&last);
    return !wrong;
}

static void test_random_encoders(void **state)
{
    enum { ENCODERS = 6000, LEAST_DESIGNED = 1500, LEAST_OF_OTHERS = 60, MOST_WRONG = 5 };
    struct tally tally = {0};
    int wrong = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= ENCODERS && wrong < MOST_WRONG; seed++) wrong += !check_encoder(seed, &tally);
    assert_int_equal(wrong, 0);
    assert_true(tally.designed > LEAST_DESIGNED && tally.without_inverse > LEAST_OF_OTHERS &&
                tally.invalid > LEAST_OF_OTHERS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_encoders)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
