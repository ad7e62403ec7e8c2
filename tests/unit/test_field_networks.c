/* Receptive fields of networks, layer by layer: what is shown where axes are folded, pooled, moved and merged. */
#include "tests/service_client.h"

#define IMAGE "[1, 4, 8, 8]"
#define TYPE(type) "{\"type\": \"" type "\"}"
#define WITH(type, members) "{\"type\": \"" type "\", " members "}"
#define NAMED(name, type, members) "{\"name\": \"" name "\", \"type\": \"" type "\", " members "}"

#define ADAPTIVE(size) WITH("AdaptiveAvgPool2d", "\"output_size\": " size)
#define CONV(axes, kernel) WITH("Conv" axes "d", "\"out_channels\": 4, \"kernel_size\": " kernel)
#define LINEAR WITH("Linear", "\"out_features\": 10")
#define FLATTEN TYPE("Flatten")
#define FLATTEN_SPACE WITH("Flatten", "\"start_dim\": 2")
#define RESHAPE(shape) WITH("Reshape", "\"shape\": " shape)
#define PERMUTE(dims) WITH("Permute", "\"dims\": " dims)
#define UNFLATTEN WITH("Unflatten", "\"dim\": 1, \"unflattened_size\": [4, 8, 8]")
#define DIFFERENT_STRIDES                                                                                              \
    NAMED("one", "MaxPool2d", "\"kernel_size\": 2, \"from\": \"input\"")                                               \
    ", " NAMED("other", "Conv2d", "\"out_channels\": 4, \"kernel_size\": 5, \"from\": \"input\"") ", " NAMED(          \
        "sum", "Add", "\"from\": [\"one\", \"other\"]")

struct row {
    const char *name, *input, *layers;
    const char *fields[8]; /* the layers' */
    int count;
    int warned; /* the only layer with a warning of its field, or −1 */
};

#define FIELDS(warned_, ...) {__VA_ARGS__}, (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(const char *)), warned_
#define NONE "null"
#define EMPTY "{\"size\":[],\"stride\":[],\"start\":[]}"
#define ONE "{\"size\":[1],\"stride\":[1],\"start\":[0]}"
#define ALL "\"global\""
#define ONE_BY_ONE "{\"size\":[1,1],\"stride\":[1,1],\"start\":[0,0]}"
#define TWO_BY_TWO "{\"size\":[2,2],\"stride\":[2,2],\"start\":[0,0]}"
#define THREE "{\"size\":[3],\"stride\":[1],\"start\":[0]}"
#define FIVE_BY_FIVE "{\"size\":[5,5],\"stride\":[1,1],\"start\":[0,0]}"

static const struct row rows[] = {
    /* what sees everything is global, also where the numbers were lost before */
    {"an adaptive pool, flattened, then Linear", IMAGE, ADAPTIVE("7") ", " FLATTEN ", " LINEAR,
     FIELDS(0, NONE, NONE, ALL)},
    {"two adaptive pools", IMAGE, ADAPTIVE("7") ", " ADAPTIVE("1"), FIELDS(0, NONE, ALL)},
    {"an adaptive pool of one axis, then of the other", IMAGE, ADAPTIVE("[7, 1]") ", " ADAPTIVE("[1, null]"),
     FIELDS(0, NONE, ALL)},
    {"a mean over space", IMAGE, ADAPTIVE("7") ", " WITH("Mean", "\"dim\": [2, 3]"), FIELDS(0, NONE, ALL)},
    {"means of one axis each", IMAGE,
     ADAPTIVE("7") ", " WITH("Mean", "\"dim\": 2") ", " TYPE("ReLU") ", " WITH("Mean", "\"dim\": -1"),
     FIELDS(0, NONE, NONE, NONE, ALL)},
    {"an instance norm", IMAGE, ADAPTIVE("7") ", " TYPE("InstanceNorm2d"), FIELDS(0, NONE, ALL)},
    {"a group norm", IMAGE, ADAPTIVE("7") ", " WITH("GroupNorm", "\"num_groups\": 2"), FIELDS(0, NONE, ALL)},
    {"a layer norm", IMAGE, ADAPTIVE("7") ", " WITH("LayerNorm", "\"normalized_shape\": [7, 7]"), FIELDS(0, NONE, ALL)},
    {"a layer norm of rows", IMAGE, ADAPTIVE("7") ", " WITH("LayerNorm", "\"normalized_shape\": [7]"),
     FIELDS(0, NONE, NONE)},
    {"windows and a permutation in between", IMAGE,
     ADAPTIVE("7") ", " CONV("2", "3") ", " PERMUTE("[0, 2, 3, 1]") ", " WITH("Mean", "\"dim\": [1, 2]"),
     FIELDS(0, NONE, NONE, NONE, ALL)},
    {"a permutation, then a mean over something else", IMAGE,
     ADAPTIVE("7") ", " PERMUTE("[0, 2, 3, 1]") ", " WITH("Mean", "\"dim\": [2, 3]"), FIELDS(0, NONE, NONE, NONE)},
    {"branches of different strides, then a global pool", IMAGE, DIFFERENT_STRIDES ", " ADAPTIVE("1"),
     FIELDS(2, TWO_BY_TWO, FIVE_BY_FIVE, NONE, ALL)},
    {"branches of different strides, flattened, then Linear", IMAGE, DIFFERENT_STRIDES ", " FLATTEN ", " LINEAR,
     FIELDS(2, TWO_BY_TWO, FIVE_BY_FIVE, NONE, NONE, ALL)},
    {"flattened branches, joined, then Linear", IMAGE,
     NAMED("a", "Flatten", "\"from\": \"input\"") ", " NAMED("b", "Flatten", "\"from\": \"input\"") ", " WITH(
         "Concat", "\"from\": [\"a\", \"b\"]") ", " LINEAR,
     FIELDS(2, EMPTY, EMPTY, NONE, ALL)},
    {"images joined side by side, then a global pool", IMAGE,
     WITH("Concat", "\"dim\": 3, \"from\": [\"input\", \"input\"]") ", " ADAPTIVE("1"), FIELDS(0, NONE, ALL)},
    {"numbers out of range, then a global pool", IMAGE,
     WITH("Upsample", "\"size\": 257, \"mode\": \"bilinear\"") ", " ADAPTIVE("1"), FIELDS(0, NONE, ALL)},
    {"a pool of size 1 that is repeated", IMAGE,
     NAMED("one", "MaxPool2d", "\"kernel_size\": 8") ", " NAMED("product", "Mul",
                                                                "\"from\": [\"one\", \"input\"]") ", " //
     ADAPTIVE("1"),
     FIELDS(1, "{\"size\":[8,8],\"stride\":[8,8],\"start\":[0,0]}", NONE, ALL)},
    {"behind an opaque layer nothing is known", IMAGE,
     WITH("Opaque", "\"output_shape\": [1, 4, 8, 8]") ", " ADAPTIVE("1") ", " FLATTEN ", " LINEAR,
     FIELDS(0, NONE, NONE, NONE, NONE)},
    /* windows that move along what is no axis of the input */
    {"flattened and restored", IMAGE, FLATTEN ", " UNFLATTEN ", " CONV("2", "3"), FIELDS(2, EMPTY, EMPTY, NONE)},
    {"flattened, restored, and pooled", IMAGE,
     FLATTEN ", " UNFLATTEN ", " WITH("MaxPool2d", "\"kernel_size\": 2") ", " ADAPTIVE("1") ", " CONV("2", "1"),
     FIELDS(2, EMPTY, EMPTY, NONE, NONE, ALL)},
    {"rows mixed with channels", IMAGE, RESHAPE("[1, 8, 4, 8]") ", " CONV("2", "3") ", " ADAPTIVE("1"),
     FIELDS(1, ONE, NONE, ALL)},
    {"positions in one row", IMAGE,
     FLATTEN_SPACE ", " CONV("1", "1") ", " TYPE("ReLU") ", " PERMUTE("[0, 2, 1]") ", " WITH(
         "LayerNorm", "\"normalized_shape\": [4]") ", " WITH("Softmax", "\"dim\": 1"),
     FIELDS(1, EMPTY, NONE, NONE, NONE, NONE, ALL)},
    {"channels as an axis", IMAGE, PERMUTE("[0, 2, 1, 3]") ", " WITH("MaxPool2d", "\"kernel_size\": 2"),
     FIELDS(1, ONE_BY_ONE, NONE)},
    {"an axis that the input does not have", IMAGE, RESHAPE("[1, 4, 1, 8, 8]") ", " CONV("3", "[1, 3, 3]"),
     FIELDS(1, ONE_BY_ONE, NONE)},
    {"a border, a crop and an upsampling of the like", IMAGE, FLATTEN_SPACE ", " WITH("ZeroPad1d", "\"padding\": 1"),
     FIELDS(1, EMPTY, NONE)},
    {"a crop of the like", IMAGE, FLATTEN_SPACE ", " WITH("CenterCrop1d", "\"output_size\": 9"),
     FIELDS(1, EMPTY, NONE)},
    {"an upsampling of the like", IMAGE, FLATTEN_SPACE ", " WITH("Upsample", "\"scale_factor\": 2"),
     FIELDS(1, EMPTY, NONE)},
    {"a pixel shuffle of the like", IMAGE, RESHAPE("[1, 4, 16, 4]") ", " WITH("PixelShuffle", "\"upscale_factor\": 2"),
     FIELDS(1, EMPTY, NONE)},
    {"a slice leaves positions as they are", IMAGE, FLATTEN ", " WITH("Slice", "\"dim\": 1, \"end\": 9") ", " LINEAR,
     FIELDS(-1, EMPTY, EMPTY, ALL)},
    {"rows of one unit, squeezed", "[1, 4, 1, 8]", RESHAPE("[1, 4, 8]") ", " CONV("1", "3"), FIELDS(-1, ONE, THREE)},
    /* channels that hold an axis */
    {"rows as channels", IMAGE, PERMUTE("[0, 2, 1, 3]") ", " RESHAPE("[1, 8, 32]") ", " CONV("1", "1"),
     FIELDS(2, ONE_BY_ONE, ONE, NONE)},
    {"rows folded into the channels, then a global pool", IMAGE,
     WITH("Flatten", "\"end_dim\": 2") ", " CONV("1", "3") ", " WITH("AdaptiveMaxPool1d", "\"output_size\": 1"),
     FIELDS(1, ONE, NONE, ALL)},
    {"features as channels", "[1, 9, 8]", PERMUTE("[0, 2, 1]") ", " CONV("1", "3"), FIELDS(-1, ONE, ALL)},
    {"each row by itself", IMAGE,
     PERMUTE("[0, 2, 3, 1]") ", " RESHAPE("[1, 8, 32]") ", " WITH(
         "Conv1d", "\"out_channels\": 8, \"kernel_size\": 1, \"groups\": 8"),
     FIELDS(2, ONE_BY_ONE, ONE, NONE)},
    {"groups of channels, normalised apart", IMAGE, FLATTEN ", " WITH("GroupNorm", "\"num_groups\": 4"),
     FIELDS(1, EMPTY, NONE)},
    {"channels, normalised together", IMAGE, FLATTEN ", " WITH("GroupNorm", "\"num_groups\": 1"),
     FIELDS(-1, EMPTY, ALL)},
    {"a group norm in ONNX", IMAGE, RESHAPE("[1, 2, 128]") ", " TYPE("InstanceNorm1d") ", " RESHAPE("[1, 4, 8, 8]"),
     FIELDS(-1, EMPTY, ALL, ALL)},
    /* networks without axes have none to lose */
    {"a generator", "[1, 100]",
     WITH("Linear", "\"out_features\": 256") ", " UNFLATTEN ", " CONV("2", "3") ", " ADAPTIVE("3"),
     FIELDS(-1, EMPTY, EMPTY, EMPTY, EMPTY)},
    {"a vector and an image", "{\"x\": [1, 4, 8, 8], \"y\": [1, 4]}",
     NAMED("v", "Reshape", "\"shape\": [1, 4, 1, 1], \"from\": \"y\"") ", " WITH("Mul",
                                                                                 "\"from\": [\"x\", \"v\"]") ", " //
     ADAPTIVE("1"),
     FIELDS(1, EMPTY, NONE, ALL)},
    {"inputs of different ranks", "{\"x\": [1, 4, 8, 8], \"y\": [4, 8, 8]}",
     WITH("Add", "\"from\": [\"x\", \"y\"]") ", " ADAPTIVE("1"), FIELDS(0, NONE, ALL)},
};

static int warnings_of(struct cp_text body, int layer)
{
    struct cp_text findings = cp_test_at(body, "/findings");
    int found = 0;
    char pointer[32];
    (void)snprintf(pointer, sizeof pointer, "/layers/%d", layer);
    for (int at = cp_test_count(findings) - 1; at >= 0; at--)
        found += cp_test_is_string(cp_test_atf(findings, "/%d/code", at), "receptive_field_unknown") &&
                 cp_test_is_string(cp_test_atf(findings, "/%d/pointer", at), pointer);
    return found;
}

static void test_networks(void **state)
{
    int wrong = 0;
    (void)state;
    for (size_t at = 0; at < sizeof rows / sizeof rows[0]; at++) {
        const struct row *row = &rows[at];
        struct cp_test_exchange exchange;
        struct cp_test_text text;
        (void)fprintf(cp_test_begin(&text), "{\"input%s\": %s, \"layers\": [%s]}", *row->input == '{' ? "s" : "",
                      row->input, row->layers);
        cp_test_post(&exchange, cp_test_finish(&text));
        struct cp_text body = exchange.reply.body;
        if (!cp_test_is(cp_test_at(body, "/valid"), "true"))
            fail_msg("%s: %s\n%.*s", row->name, text.bytes, (int)body.size, body.bytes);
        for (int layer = 0; layer < row->count; layer++) {
            struct cp_text field = cp_test_atf(body, "/layers/%d/receptive_field", layer);
            int warned = warnings_of(body, layer);
            if (cp_test_is(field, row->fields[layer]) && warned == (layer == row->warned)) continue;
            print_error("%s, layer %d: %.*s instead of %s, with %d warnings\n", row->name, layer, (int)field.size,
                        field.bytes, row->fields[layer], warned);
            wrong++;
        }
        cp_test_free(&text);
        cp_test_close(&exchange);
    }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_networks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
