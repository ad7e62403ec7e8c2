#include "tests/property/random_pairs.h"

#include <string.h>

/* ---- What one axis of a layer gives, from the definitions; 0: it is not legal ------------------------------------- */

int cp_test_floor_divide(int a, int b)
{
    return a / b - (a % b < 0);
}

int cp_span_of(const struct cp_test_layer *layer, int axis)
{
    return (layer->k[axis] - 1) * layer->d[axis] + 1;
}

bool cp_is_transposed(const struct cp_test_layer *layer)
{
    return layer->kind == CP_TEST_TRANSPOSED || layer->kind == CP_TEST_UNPOOL;
}

bool cp_is_pool(const struct cp_test_layer *layer)
{
    return layer->kind == CP_TEST_MAX_POOL || layer->kind == CP_TEST_AVG_POOL;
}

static bool is_same(const struct cp_test_layer *layer)
{
    return layer->word && strncmp(layer->word, "same", 4) == 0;
}

/* Cells before and after. */
static void resolve_padding(const struct cp_test_layer *layer, int axis, int input, int pads[2])
{
    int span = cp_span_of(layer, axis), stride = layer->s[axis];
    pads[0] = layer->begin[axis];
    pads[1] = layer->end[axis];
    if (!layer->word) return;
    pads[0] = pads[1] = 0;
    if (strcmp(layer->word, "half") == 0) pads[0] = pads[1] = span / 2;
    if (strcmp(layer->word, "full") == 0) pads[0] = pads[1] = span - 1;
    if (!is_same(layer)) return;
    int total = cp_is_transposed(layer) ? span - stride : ((input + stride - 1) / stride - 1) * stride + span - input;
    if (total < 0 && cp_is_transposed(layer)) {
        pads[1] = total;
        return;
    }
    if (total < 0) total = 0;
    bool upper = strcmp(layer->word, "same_lower") != 0;
    pads[0] = upper ? total / 2 : total - total / 2;
    pads[1] = total - pads[0];
}

static int windows(const struct cp_test_layer *layer, int axis, int input, const int pads[2])
{
    int span = cp_span_of(layer, axis), stride = layer->s[axis], room = input + pads[0] + pads[1] - span;
    bool ceil = layer->ceil && !is_same(layer);
    if (cp_is_pool(layer) && !is_same(layer) && (2 * pads[0] > span || 2 * pads[1] > span)) return 0;
    if (!ceil && room < 0) return 0;
    int output = cp_test_floor_divide(room + (ceil ? stride - 1 : 0), stride) + 1;
    if (ceil && (output - 1) * stride >= input + pads[0]) output--;
    return output < 1 ? 0 : output;
}

static int spread(const struct cp_test_layer *layer, int axis, int input, const int pads[2])
{
    int stride = layer->s[axis], dilation = layer->d[axis], extra = layer->has_extra ? layer->extra[axis] : 0;
    int size = (input - 1) * stride + cp_span_of(layer, axis) - pads[0] - pads[1];
    if (layer->has_size) {
        extra = layer->size[axis] - size;
        if (extra >= stride || extra < (layer->kind == CP_TEST_UNPOOL ? 1 - stride : 0)) return 0;
    } else if (extra >= stride && extra >= dilation) {
        return 0;
    }
    return size + extra < 1 ? 0 : size + extra;
}

static int bordered(const struct cp_test_layer *layer, int axis, int input)
{
    int begin = layer->begin[axis], end = layer->end[axis];
    if (begin < -input || end < -input || input + begin + end < 1) return 0;
    return layer->kind == CP_TEST_REFLECTION_PAD && (begin >= input || end >= input) ? 0 : input + begin + end;
}

/* Python's start:end:step, with begin for the start, and no end where it has no size. */
static int sliced(const struct cp_test_layer *layer, int axis, int input)
{
    int start = layer->begin[axis], end = layer->has_size ? layer->size[axis] : input;
    if (start < 0) start = start + input < 0 ? 0 : start + input;
    if (end > input) end = input;
    return start < end ? (end - start + layer->s[axis] - 1) / layer->s[axis] : 0;
}

int cp_output_of(const struct cp_test_layer *layer, int axis, int input)
{
    if (layer->kind <= CP_TEST_UNPOOL) {
        int pads[2];
        if (layer->word && strcmp(layer->word, "same") == 0 && layer->s[axis] != 1) return 0;
        resolve_padding(layer, axis, input, pads);
        return cp_is_transposed(layer) ? spread(layer, axis, input, pads) : windows(layer, axis, input, pads);
    }
    switch (layer->kind) {
    case CP_TEST_UPSCALE: return (int)(input * layer->scale);
    case CP_TEST_SHUFFLE: return input * layer->factor;
    case CP_TEST_UNSHUFFLE: return (input % layer->factor) ? 0 : input / layer->factor;
    case CP_TEST_ZERO_PAD:
    case CP_TEST_REFLECTION_PAD: return bordered(layer, axis, input);
    case CP_TEST_CROP: return layer->size[axis] <= input ? layer->size[axis] : 0;
    case CP_TEST_RESIZE:
    case CP_TEST_ADAPTIVE: return layer->size[axis];
    case CP_TEST_SLICE: return axis == layer->factor - 1 ? sliced(layer, axis, input) : input;
    case CP_TEST_MEAN: return axis == layer->factor - 1 ? 1 : input;
    case CP_TEST_LINEAR: return axis == layer->factor - 1 ? layer->size[axis] : input;
    default: return input;
    }
}

bool cp_changes_size(const struct cp_test_layer *written, int axes)
{
    enum { ENOUGH = 64 };
    struct cp_test_layer unsized = *written;
    const struct cp_test_layer *layer = &unsized;
    unsized.has_size = unsized.has_size && !cp_is_transposed(layer);
    for (int axis = 0; axis < axes; axis++) {
        bool takes = false;
        for (int input = 1; input < ENOUGH; input++) {
            int output = cp_output_of(layer, axis, input);
            takes = takes || output;
            if (output && output != input) return true;
        }
        if (!takes) return true;
    }
    return false;
}

/* ---- Random pairs ------------------------------------------------------------------------------------------------- */

/* What the layers of a list are drawn from. */
enum source { DOWNWARDS, UPWARDS, TURNING };

static void draw_window(struct cp_random *random, struct cp_test_layer *layer, int axes, enum source source)
{
    bool equal = cp_random_chance(random, 2), lopsided = cp_random_chance(random, 4);
    bool dense = source == TURNING && !cp_random_chance(random, 4);
    for (int axis = 0; axis < CP_TEST_MOST_AXES; axis++) {
        bool copy = axis && (equal || axis >= axes);
        layer->k[axis] = copy ? layer->k[0] : cp_random_within(random, 1, 4);
        layer->s[axis] = dense ? 1 : copy ? layer->s[0] : cp_random_within(random, 1, 3);
        layer->d[axis] = layer->kind == CP_TEST_AVG_POOL || layer->kind == CP_TEST_UNPOOL ? 1
                         : copy                                                           ? layer->d[0]
                         : cp_random_chance(random, 4) ? cp_random_within(random, 2, 3)
                                                       : 1;
        int most = cp_is_pool(layer) ? cp_span_of(layer, axis) / 2 : layer->k[axis];
        layer->begin[axis] = copy ? layer->begin[0] : cp_random_within(random, 0, most);
        if (cp_is_pool(layer) && cp_random_chance(random, 30)) layer->begin[axis] = most + 1;
        layer->end[axis] = lopsided ? cp_random_within(random, 0, most) : layer->begin[axis];
    }
}

static void draw_transposed(struct cp_random *random, struct cp_test_layer *layer)
{
    bool same = is_same(layer);
    layer->has_extra = layer->kind == CP_TEST_TRANSPOSED && !same && cp_random_chance(random, 2);
    layer->has_size = !layer->has_extra && !same && cp_random_chance(random, 5);
    for (int axis = 0; axis < CP_TEST_MOST_AXES; axis++) {
        layer->extra[axis] = cp_random_within(random, 0, cp_random_chance(random, 8) ? 4 : layer->s[axis] - 1);
        layer->size[axis] = cp_random_within(random, 1, 30);
    }
}

static const char *draw_word(struct cp_random *random, enum cp_test_kind kind)
{
    static const char *const words[] = {"valid", "half", "same_upper", "same_lower", "full", "same"};
    int known = kind == CP_TEST_TRANSPOSED ? 5 : kind == CP_TEST_UNPOOL ? 2 : 6;
    return cp_random_chance(random, 5) ? words[cp_random_within(random, 0, known - 1)] : NULL;
}

static void draw_sizes(struct cp_random *random, struct cp_test_layer *layer)
{
    static const double scales[] = {2, 2, 3, 1.5, 0.5, 1, 1.25};
    layer->factor = cp_random_within(random, 1, 3);
    layer->scale = scales[cp_random_within(random, 0, 6)];
    for (int axis = 0; axis < CP_TEST_MOST_AXES; axis++) {
        layer->size[axis] = cp_random_within(random, 1, 20);
        layer->begin[axis] = cp_random_within(random, -2, 3);
        layer->end[axis] = cp_random_chance(random, 3) ? -layer->begin[axis] : cp_random_within(random, -2, 3);
    }
}

static void draw_one_axis(struct cp_random *random, struct cp_test_layer *layer, int axes)
{
    layer->factor = layer->kind == CP_TEST_LINEAR ? axes : cp_random_within(random, 1, axes);
    layer->has_size = layer->kind == CP_TEST_SLICE && cp_random_chance(random, 3);
    for (int axis = 0; axis < axes; axis++) {
        if (cp_random_chance(random, 2)) layer->begin[axis] = 0;
        layer->s[axis] = cp_random_chance(random, 3) ? 2 : 1;
    }
}

static void draw_layer(struct cp_random *random, struct cp_test_layer *layer, enum cp_test_kind kind, int axes,
                       enum source source)
{
    *layer = (struct cp_test_layer){.kind = kind, .groups = 1};
    if (kind > CP_TEST_UNPOOL) draw_sizes(random, layer);
    if (kind >= CP_TEST_SLICE) draw_one_axis(random, layer, axes);
    if (kind > CP_TEST_UNPOOL) return;
    draw_window(random, layer, axes, source);
    layer->word = draw_word(random, kind);
    layer->ceil = cp_is_pool(layer) && cp_random_chance(random, 3);
    if (cp_is_transposed(layer)) draw_transposed(random, layer);
}

static enum cp_test_kind draw_kind(struct cp_random *random, enum source source, int axes)
{
    static const enum cp_test_kind down[] = {CP_TEST_CONV,       CP_TEST_CONV,     CP_TEST_CONV,     CP_TEST_CONV,
                                             CP_TEST_MAX_POOL,   CP_TEST_AVG_POOL, CP_TEST_MAX_POOL, CP_TEST_UNSHUFFLE,
                                             CP_TEST_ZERO_PAD,   CP_TEST_CROP,     CP_TEST_RELU,     CP_TEST_ADAPTIVE,
                                             CP_TEST_TRANSPOSED, CP_TEST_SLICE,    CP_TEST_MEAN,     CP_TEST_LINEAR};
    static const enum cp_test_kind up[] = {
        CP_TEST_TRANSPOSED,     CP_TEST_TRANSPOSED, CP_TEST_TRANSPOSED, CP_TEST_TRANSPOSED, CP_TEST_TRANSPOSED,
        CP_TEST_UNPOOL,         CP_TEST_UPSCALE,    CP_TEST_RESIZE,     CP_TEST_SHUFFLE,    CP_TEST_ZERO_PAD,
        CP_TEST_REFLECTION_PAD, CP_TEST_CROP,       CP_TEST_RELU,       CP_TEST_CONV,       CP_TEST_CONV,
        CP_TEST_MAX_POOL,       CP_TEST_UNSHUFFLE,  CP_TEST_ADAPTIVE};
    static const enum cp_test_kind turning[] = {CP_TEST_TRANSPOSED, CP_TEST_CONV,           CP_TEST_MAX_POOL,
                                                CP_TEST_UNPOOL,     CP_TEST_REFLECTION_PAD, CP_TEST_ZERO_PAD,
                                                CP_TEST_UNSHUFFLE,  CP_TEST_UPSCALE,        CP_TEST_UPSCALE,
                                                CP_TEST_SHUFFLE,    CP_TEST_MAX_POOL,       CP_TEST_CROP};
    static const struct {
        const enum cp_test_kind *kinds;
        size_t size;
    } sources[] = {
        [DOWNWARDS] = {down, sizeof down}, [UPWARDS] = {up, sizeof up}, [TURNING] = {turning, sizeof turning}};
    int last = (int)(sources[source].size / sizeof(enum cp_test_kind)) - 1;
    enum cp_test_kind kind = sources[source].kinds[cp_random_within(random, 0, last)];
    return axes != 2 && (kind == CP_TEST_SHUFFLE || kind == CP_TEST_UNSHUFFLE) ? CP_TEST_RELU : kind;
}

/* Channels that fit; false where a shuffle has too few. */
static bool set_channels(struct cp_random *random, struct cp_test_layer *layer, int *channels)
{
    int square = layer->factor * layer->factor;
    layer->in_channels = *channels;
    layer->channels = *channels;
    if (layer->kind == CP_TEST_CONV || layer->kind == CP_TEST_TRANSPOSED) {
        layer->channels = 12 * cp_random_within(random, 1, 3);
        if (*channels % 3 == 0) layer->groups = cp_random_chance(random, 2) ? 3 : 1;
    }
    if (layer->kind == CP_TEST_SHUFFLE && *channels % square) return false;
    if (layer->kind == CP_TEST_SHUFFLE) layer->channels = *channels / square;
    if (layer->kind == CP_TEST_UNSHUFFLE) layer->channels = *channels * square;
    *channels = layer->channels;
    return true;
}

static void draw_list(struct cp_random *random, struct cp_test_list *list, int *channels, int axes, enum source source,
                      int most)
{
    list->count = 0;
    int count = cp_random_within(random, 1, most);
    while (list->count < count) {
        struct cp_test_layer *layer = &list->layer[list->count];
        draw_layer(random, layer, draw_kind(random, source, axes), axes, source);
        if (set_channels(random, layer, channels)) list->count++;
    }
}

static void draw_pair(struct cp_random *random, struct cp_test_pair *pair, int most, enum source decoder)
{
    pair->axes = cp_random_within(random, 1, CP_TEST_MOST_AXES);
    for (int axis = 0; axis < CP_TEST_MOST_AXES; axis++) pair->input[axis] = cp_random_within(random, 1, 24);
    int channels = pair->channels = 12;
    draw_list(random, &pair->encoder, &channels, pair->axes, decoder == TURNING ? decoder : DOWNWARDS, most);
    draw_list(random, &pair->decoder, &channels, pair->axes, decoder, most);
}

void cp_draw_pair(struct cp_random *random, struct cp_test_pair *pair, int most)
{
    draw_pair(random, pair, most, UPWARDS);
}

void cp_draw_turning_pair(struct cp_random *random, struct cp_test_pair *pair, int most)
{
    draw_pair(random, pair, most, TURNING);
}

/* ---- As JSON ------------------------------------------------------------------------------------------------------ */

static void write_values(FILE *file, const char *name, const int *values, int axes)
{
    (void)fprintf(file, ", \"%s\": [", name);
    for (int axis = 0; axis < axes; axis++) (void)fprintf(file, "%s%d", axis ? ", " : "", values[axis]);
    (void)fprintf(file, "]");
}

static void write_padding(FILE *file, const struct cp_test_layer *layer, int axes)
{
    if (layer->word) {
        (void)fprintf(file, ", \"padding\": \"%s\"", layer->word);
        return;
    }
    (void)fprintf(file, ", \"padding\": [");
    for (int axis = 0; axis < axes; axis++)
        (void)fprintf(file, "%s[%d, %d]", axis ? ", " : "", layer->begin[axis], layer->end[axis]);
    (void)fprintf(file, "]");
}

static void write_one_axis(FILE *file, const struct cp_test_layer *layer)
{
    int axis = layer->factor - 1;
    if (layer->kind == CP_TEST_LINEAR) (void)fprintf(file, ", \"out_features\": %d}", layer->size[axis]);
    if (layer->kind == CP_TEST_MEAN) (void)fprintf(file, ", \"dim\": %d, \"keepdim\": true}", axis + 2);
    if (layer->kind != CP_TEST_SLICE) return;
    (void)fprintf(file, ", \"dim\": %d, \"start\": %d, \"step\": %d", axis + 2, layer->begin[axis], layer->s[axis]);
    if (layer->has_size) (void)fprintf(file, ", \"end\": %d", layer->size[axis]);
    (void)fprintf(file, "}");
}

static void write_layer(FILE *file, const struct cp_test_layer *layer, int axes)
{
    static const char *const types[] = {"Conv%dd",
                                        "ConvTranspose%dd",
                                        "MaxPool%dd",
                                        "AvgPool%dd",
                                        "MaxUnpool%dd",
                                        "Upsample",
                                        "Upsample",
                                        "PixelShuffle",
                                        "PixelUnshuffle",
                                        "ZeroPad%dd",
                                        "ReflectionPad%dd",
                                        "CenterCrop%dd",
                                        "AdaptiveAvgPool%dd",
                                        "ReLU",
                                        "Slice",
                                        "Mean",
                                        "Linear"};
    char type[32];
    const char *digits = strchr(types[layer->kind], '%');
    int before = digits ? (int)(digits - types[layer->kind]) : (int)strlen(types[layer->kind]);
    (void)snprintf(type, sizeof type, "%.*s", before, types[layer->kind]);
    (void)fprintf(file, "{\"type\": \"%s", type);
    if (digits) (void)fprintf(file, "%dd", axes);
    (void)fprintf(file, "\"");
    if (layer->kind >= CP_TEST_SLICE) {
        write_one_axis(file, layer);
        return;
    }
    bool window = layer->kind <= CP_TEST_UNPOOL;
    if (window) {
        write_values(file, "kernel_size", layer->k, axes);
        write_values(file, "stride", layer->s, axes);
    }
    if (window || layer->kind == CP_TEST_ZERO_PAD || layer->kind == CP_TEST_REFLECTION_PAD)
        write_padding(file, layer, axes);
    if (window && layer->kind != CP_TEST_AVG_POOL && layer->kind != CP_TEST_UNPOOL)
        write_values(file, "dilation", layer->d, axes);
    if (layer->kind == CP_TEST_CONV || layer->kind == CP_TEST_TRANSPOSED)
        (void)fprintf(file, ", \"out_channels\": %d, \"groups\": %d", layer->channels, layer->groups);
    if (cp_is_pool(layer)) (void)fprintf(file, ", \"ceil_mode\": %s", layer->ceil ? "true" : "false");
    if (layer->has_extra) write_values(file, "output_padding", layer->extra, axes);
    if (layer->has_size || layer->kind == CP_TEST_CROP || layer->kind == CP_TEST_ADAPTIVE)
        write_values(file, "output_size", layer->size, axes);
    if (layer->kind == CP_TEST_RESIZE) write_values(file, "size", layer->size, axes);
    if (layer->kind == CP_TEST_UPSCALE) (void)fprintf(file, ", \"scale_factor\": %g", layer->scale);
    if (layer->kind == CP_TEST_SHUFFLE) (void)fprintf(file, ", \"upscale_factor\": %d", layer->factor);
    if (layer->kind == CP_TEST_UNSHUFFLE) (void)fprintf(file, ", \"downscale_factor\": %d", layer->factor);
    (void)fprintf(file, "}");
}

void cp_write_list(FILE *file, const struct cp_test_list *list, int axes)
{
    for (int at = 0; at < list->count; at++) {
        (void)fprintf(file, "%s", at ? ", " : "");
        write_layer(file, &list->layer[at], axes);
    }
}

void cp_write_input(FILE *file, const struct cp_test_pair *pair)
{
    (void)fprintf(file, "{\"input\": [1, %d", pair->channels);
    for (int axis = 0; axis < pair->axes; axis++) (void)fprintf(file, ", %d", pair->input[axis]);
    (void)fprintf(file, "], ");
}

void cp_write_test_pair(FILE *file, const struct cp_test_pair *pair)
{
    cp_write_input(file, pair);
    (void)fprintf(file, "\"encoder\": [");
    cp_write_list(file, &pair->encoder, pair->axes);
    (void)fprintf(file, "], \"decoder\": [");
    cp_write_list(file, &pair->decoder, pair->axes);
    (void)fprintf(file, "]}");
}
