/* POST /v1/roundtrip against three things that share nothing with its method: a verdict made of /v1/shapes and a pairing
 * written here, a search through all values of padding, output_padding and output_size, and the decoders of /v1/decoder
 * for every small layer. */
#include "tests/service_client.h"

#include "tests/property/random.h"

/* ---- Layers of the test ------------------------------------------------------------------------------------------- */

enum kind {
    CONV, TRANSPOSED, MAX_POOL, AVG_POOL, UNPOOL, UPSCALE, RESIZE, SHUFFLE, UNSHUFFLE, ZERO_PAD, REFLECTION_PAD, CROP,
    ADAPTIVE, RELU, KIND_COUNT,
};

enum { MOST_AXES = 3, MOST_LAYERS = 6, MOST_SIZE = 160 };

struct layer {
    enum kind kind;
    const char *word; /* padding */
    bool ceil, has_extra, has_size;
    int in_channels, channels, groups, factor;
    double scale;
    int k[MOST_AXES], s[MOST_AXES], d[MOST_AXES], begin[MOST_AXES], end[MOST_AXES], extra[MOST_AXES], size[MOST_AXES];
};

struct list {
    int count;
    struct layer layer[MOST_LAYERS];
};

struct pair {
    int axes, channels, input[MOST_AXES];
    struct list encoder, decoder;
};

/* ---- What one axis of a layer gives, from the definitions; 0: it is not legal ------------------------------------- */

static int floor_divide(int a, int b)
{
    return a / b - (a % b < 0);
}

static int span_of(const struct layer *layer, int axis)
{
    return (layer->k[axis] - 1) * layer->d[axis] + 1;
}

static bool is_transposed(const struct layer *layer)
{
    return layer->kind == TRANSPOSED || layer->kind == UNPOOL;
}

static bool is_pool(const struct layer *layer)
{
    return layer->kind == MAX_POOL || layer->kind == AVG_POOL;
}

static bool is_same(const struct layer *layer)
{
    return layer->word && strncmp(layer->word, "same", 4) == 0;
}

/* Cells before and after. */
static void resolve_padding(const struct layer *layer, int axis, int input, int pads[2])
{
    int span = span_of(layer, axis), stride = layer->s[axis];
    pads[0] = layer->begin[axis];
    pads[1] = layer->end[axis];
    if (!layer->word) return;
    pads[0] = pads[1] = 0;
    if (strcmp(layer->word, "half") == 0) pads[0] = pads[1] = span / 2;
    if (strcmp(layer->word, "full") == 0) pads[0] = pads[1] = span - 1;
    if (!is_same(layer)) return;
    int total = is_transposed(layer) ? span - stride : ((input + stride - 1) / stride - 1) * stride + span - input;
    if (total < 0 && is_transposed(layer)) {
        pads[1] = total;
        return;
    }
    if (total < 0) total = 0;
    bool upper = strcmp(layer->word, "same_lower") != 0;
    pads[0] = upper ? total / 2 : total - total / 2;
    pads[1] = total - pads[0];
}

static int windows(const struct layer *layer, int axis, int input, const int pads[2])
{
    int span = span_of(layer, axis), stride = layer->s[axis], room = input + pads[0] + pads[1] - span;
    bool ceil = layer->ceil && !is_same(layer);
    if (is_pool(layer) && !is_same(layer) && (2 * pads[0] > span || 2 * pads[1] > span)) return 0;
    if (!ceil && room < 0) return 0;
    int output = floor_divide(room + (ceil ? stride - 1 : 0), stride) + 1;
    if (ceil && (output - 1) * stride >= input + pads[0]) output--;
    return output < 1 ? 0 : output;
}

static int spread(const struct layer *layer, int axis, int input, const int pads[2])
{
    int stride = layer->s[axis], dilation = layer->d[axis], extra = layer->has_extra ? layer->extra[axis] : 0;
    int size = (input - 1) * stride + span_of(layer, axis) - pads[0] - pads[1];
    if (layer->has_size) {
        extra = layer->size[axis] - size;
        if (extra >= stride || extra < (layer->kind == UNPOOL ? 1 - stride : 0)) return 0;
    } else if (extra >= stride && extra >= dilation) {
        return 0;
    }
    return size + extra < 1 ? 0 : size + extra;
}

static int bordered(const struct layer *layer, int axis, int input)
{
    int begin = layer->begin[axis], end = layer->end[axis];
    if (begin < -input || end < -input || input + begin + end < 1) return 0;
    return layer->kind == REFLECTION_PAD && (begin >= input || end >= input) ? 0 : input + begin + end;
}

static int output_of(const struct layer *layer, int axis, int input)
{
    int pads[2];
    if (layer->kind <= UNPOOL) {
        if (layer->word && strcmp(layer->word, "same") == 0 && layer->s[axis] != 1) return 0;
        resolve_padding(layer, axis, input, pads);
        return is_transposed(layer) ? spread(layer, axis, input, pads) : windows(layer, axis, input, pads);
    }
    switch (layer->kind) {
    case UPSCALE: return (int)(input * layer->scale);
    case SHUFFLE: return input * layer->factor;
    case UNSHUFFLE: return input % layer->factor ? 0 : input / layer->factor;
    case ZERO_PAD:
    case REFLECTION_PAD: return bordered(layer, axis, input);
    case CROP: return layer->size[axis] <= input ? layer->size[axis] : 0;
    case RESIZE:
    case ADAPTIVE: return layer->size[axis];
    default: return input;
    }
}

/* A stage: not every size that it takes is kept, or it takes none. */
static bool is_stage(const struct layer *layer, int axes)
{
    enum { ENOUGH = 64 };
    for (int axis = 0; axis < axes; axis++) {
        bool takes = false;
        for (int input = 1; input < ENOUGH; input++) {
            int output = output_of(layer, axis, input);
            takes = takes || output;
            if (output && output != input) return true;
        }
        if (!takes) return true;
    }
    return false;
}

/* ---- Random pairs ------------------------------------------------------------------------------------------------- */

static void draw_window(struct cp_random *random, struct layer *layer, int axes)
{
    bool equal = cp_random_chance(random, 2), lopsided = cp_random_chance(random, 4);
    for (int axis = 0; axis < MOST_AXES; axis++) {
        bool copy = axis && (equal || axis >= axes);
        layer->k[axis] = copy ? layer->k[0] : cp_random_within(random, 1, 4);
        layer->s[axis] = copy ? layer->s[0] : cp_random_within(random, 1, 3);
        layer->d[axis] = layer->kind == AVG_POOL || layer->kind == UNPOOL ? 1
                         : copy                                           ? layer->d[0]
                         : cp_random_chance(random, 4)                    ? cp_random_within(random, 2, 3)
                                                                          : 1;
        int most = is_pool(layer) ? span_of(layer, axis) / 2 : layer->k[axis];
        layer->begin[axis] = copy ? layer->begin[0] : cp_random_within(random, 0, most);
        if (is_pool(layer) && cp_random_chance(random, 30)) layer->begin[axis] = most + 1;
        layer->end[axis] = lopsided ? cp_random_within(random, 0, most) : layer->begin[axis];
    }
}

static void draw_transposed(struct cp_random *random, struct layer *layer)
{
    bool same = is_same(layer);
    layer->has_extra = layer->kind == TRANSPOSED && !same && cp_random_chance(random, 2);
    layer->has_size = !layer->has_extra && !same && cp_random_chance(random, 5);
    for (int axis = 0; axis < MOST_AXES; axis++) {
        layer->extra[axis] = cp_random_within(random, 0, cp_random_chance(random, 8) ? 4 : layer->s[axis] - 1);
        layer->size[axis] = cp_random_within(random, 1, 30);
    }
}

static const char *draw_word(struct cp_random *random, enum kind kind)
{
    static const char *const words[] = {"valid", "half", "same_upper", "same_lower", "full", "same"};
    int known = kind == TRANSPOSED ? 5 : kind == UNPOOL ? 2 : 6;
    return cp_random_chance(random, 5) ? words[cp_random_within(random, 0, known - 1)] : NULL;
}

static void draw_sizes(struct cp_random *random, struct layer *layer)
{
    static const double scales[] = {2, 2, 3, 1.5, 0.5, 1, 1.25};
    layer->factor = cp_random_within(random, 1, 3);
    layer->scale = scales[cp_random_within(random, 0, 6)];
    for (int axis = 0; axis < MOST_AXES; axis++) {
        layer->size[axis] = cp_random_within(random, 1, 20);
        layer->begin[axis] = cp_random_within(random, -2, 3);
        layer->end[axis] = cp_random_chance(random, 3) ? -layer->begin[axis] : cp_random_within(random, -2, 3);
    }
}

static void draw_layer(struct cp_random *random, struct layer *layer, enum kind kind, int axes)
{
    *layer = (struct layer){.kind = kind, .groups = 1};
    if (kind > UNPOOL) {
        draw_sizes(random, layer);
        return;
    }
    draw_window(random, layer, axes);
    layer->word = draw_word(random, kind);
    layer->ceil = is_pool(layer) && cp_random_chance(random, 3);
    if (is_transposed(layer)) draw_transposed(random, layer);
}

static enum kind draw_kind(struct cp_random *random, bool decoder, int axes)
{
    static const enum kind down[] = {CONV, CONV, CONV, CONV, MAX_POOL, AVG_POOL, MAX_POOL, UNSHUFFLE, ZERO_PAD, CROP, RELU,
                                     ADAPTIVE, TRANSPOSED};
    static const enum kind up[] = {TRANSPOSED, TRANSPOSED, TRANSPOSED, TRANSPOSED, TRANSPOSED, UNPOOL, UPSCALE, RESIZE,
                                   SHUFFLE, ZERO_PAD, REFLECTION_PAD, CROP, RELU, CONV, CONV, MAX_POOL, UNSHUFFLE,
                                   ADAPTIVE};
    enum kind kind = decoder ? up[cp_random_within(random, 0, (int)(sizeof up / sizeof up[0]) - 1)]
                             : down[cp_random_within(random, 0, (int)(sizeof down / sizeof down[0]) - 1)];
    return axes != 2 && (kind == SHUFFLE || kind == UNSHUFFLE) ? RELU : kind;
}

/* Channels that fit; false where a shuffle has too few. */
static bool set_channels(struct cp_random *random, struct layer *layer, int *channels)
{
    int square = layer->factor * layer->factor;
    layer->in_channels = *channels;
    layer->channels = *channels;
    if (layer->kind == CONV || layer->kind == TRANSPOSED) {
        layer->channels = 12 * cp_random_within(random, 1, 3);
        if (*channels % 3 == 0) layer->groups = cp_random_chance(random, 2) ? 3 : 1;
    }
    if (layer->kind == SHUFFLE && *channels % square) return false;
    if (layer->kind == SHUFFLE) layer->channels = *channels / square;
    if (layer->kind == UNSHUFFLE) layer->channels = *channels * square;
    *channels = layer->channels;
    return true;
}

static void draw_list(struct cp_random *random, struct list *list, int *channels, int axes, bool decoder, int most)
{
    list->count = 0;
    int count = cp_random_within(random, 1, most);
    while (list->count < count) {
        struct layer *layer = &list->layer[list->count];
        draw_layer(random, layer, draw_kind(random, decoder, axes), axes);
        if (set_channels(random, layer, channels)) list->count++;
    }
}

/* ---- As JSON ------------------------------------------------------------------------------------------------------ */

static void write_values(FILE *file, const char *name, const int *values, int axes)
{
    (void)fprintf(file, ", \"%s\": [", name);
    for (int axis = 0; axis < axes; axis++) (void)fprintf(file, "%s%d", axis ? ", " : "", values[axis]);
    (void)fprintf(file, "]");
}

static void write_padding(FILE *file, const struct layer *layer, int axes)
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

static void write_layer(FILE *file, const struct layer *layer, int axes)
{
    static const char *const types[] = {"Conv%dd", "ConvTranspose%dd", "MaxPool%dd", "AvgPool%dd", "MaxUnpool%dd",
                                        "Upsample", "Upsample", "PixelShuffle", "PixelUnshuffle", "ZeroPad%dd",
                                        "ReflectionPad%dd", "CenterCrop%dd", "AdaptiveAvgPool%dd", "ReLU"};
    char type[32];
    const char *digits = strchr(types[layer->kind], '%');
    int before = digits ? (int)(digits - types[layer->kind]) : (int)strlen(types[layer->kind]);
    (void)snprintf(type, sizeof type, "%.*s", before, types[layer->kind]);
    (void)fprintf(file, "{\"type\": \"%s", type);
    if (digits) (void)fprintf(file, "%dd", axes);
    (void)fprintf(file, "\"");
    bool window = layer->kind <= UNPOOL;
    if (window) write_values(file, "kernel_size", layer->k, axes);
    if (window) write_values(file, "stride", layer->s, axes);
    if (window || layer->kind == ZERO_PAD || layer->kind == REFLECTION_PAD) write_padding(file, layer, axes);
    if (window && layer->kind != AVG_POOL && layer->kind != UNPOOL) write_values(file, "dilation", layer->d, axes);
    if (layer->kind == CONV || layer->kind == TRANSPOSED)
        (void)fprintf(file, ", \"out_channels\": %d, \"groups\": %d", layer->channels, layer->groups);
    if (is_pool(layer)) (void)fprintf(file, ", \"ceil_mode\": %s", layer->ceil ? "true" : "false");
    if (layer->has_extra) write_values(file, "output_padding", layer->extra, axes);
    if (layer->has_size || layer->kind == CROP || layer->kind == ADAPTIVE)
        write_values(file, "output_size", layer->size, axes);
    if (layer->kind == RESIZE) write_values(file, "size", layer->size, axes);
    if (layer->kind == UPSCALE) (void)fprintf(file, ", \"scale_factor\": %g", layer->scale);
    if (layer->kind == SHUFFLE) (void)fprintf(file, ", \"upscale_factor\": %d", layer->factor);
    if (layer->kind == UNSHUFFLE) (void)fprintf(file, ", \"downscale_factor\": %d", layer->factor);
    (void)fprintf(file, "}");
}

static void write_list(FILE *file, const struct list *list, int axes)
{
    for (int at = 0; at < list->count; at++) {
        (void)fprintf(file, "%s", at ? ", " : "");
        write_layer(file, &list->layer[at], axes);
    }
}

static void write_input(FILE *file, const struct pair *pair)
{
    (void)fprintf(file, "{\"input\": [1, %d", pair->channels);
    for (int axis = 0; axis < pair->axes; axis++) (void)fprintf(file, ", %d", pair->input[axis]);
    (void)fprintf(file, "], ");
}

static void write_pair(FILE *file, const struct pair *pair)
{
    write_input(file, pair);
    (void)fprintf(file, "\"encoder\": [");
    write_list(file, &pair->encoder, pair->axes);
    (void)fprintf(file, "], \"decoder\": [");
    write_list(file, &pair->decoder, pair->axes);
    (void)fprintf(file, "]}");
}

/* ---- The verdict, by /v1/shapes ----------------------------------------------------------------------------------- */

static bool same_space(struct cp_text a, struct cp_text b, int axes)
{
    for (int axis = 0; axis < axes; axis++) {
        long long size = cp_test_number(cp_test_atf(a, "/%d", axis + 2));
        if (size < 1 || size != cp_test_number(cp_test_atf(b, "/%d", axis + 2))) return false;
    }
    return cp_test_count(a) == cp_test_count(b);
}

/* Positions of the stages of a list, the first of which is layer `from` of the stack. */
static int stages_of(const struct list *list, int axes, int from, int positions[MOST_LAYERS])
{
    int count = 0;
    for (int at = 0; at < list->count; at++)
        if (is_stage(&list->layer[at], axes)) positions[count++] = from + at;
    return count;
}

static bool judge(struct cp_text shapes, const struct pair *pair)
{
    int encoders[MOST_LAYERS], decoders[MOST_LAYERS];
    int encoder_count = stages_of(&pair->encoder, pair->axes, 0, encoders);
    int decoder_count = stages_of(&pair->decoder, pair->axes, pair->encoder.count, decoders);
    if (!cp_test_is(cp_test_at(shapes, "/valid"), "true")) return false;
    if (!same_space(cp_test_at(shapes, "/input"), cp_test_at(shapes, "/output"), pair->axes)) return false;
    if (encoder_count != decoder_count) return true;
    for (int at = 0; at < decoder_count; at++) {
        int undone = encoders[encoder_count - 1 - at];
        struct cp_text taken =
            undone ? cp_test_atf(shapes, "/layers/%d/output", undone - 1) : cp_test_at(shapes, "/input");
        if (!same_space(taken, cp_test_atf(shapes, "/layers/%d/output", decoders[at]), pair->axes)) return false;
    }
    return true;
}

static bool verdict_of(const struct pair *pair)
{
    struct cp_test_text text;
    struct cp_test_exchange exchange;
    FILE *file = cp_test_begin(&text);
    write_input(file, pair);
    (void)fprintf(file, "\"layers\": [");
    write_list(file, &pair->encoder, pair->axes);
    (void)fprintf(file, ", ");
    write_list(file, &pair->decoder, pair->axes);
    (void)fprintf(file, "]}");
    cp_test_post(&exchange, cp_test_finish(&text));
    bool valid = judge(exchange.reply.body, pair);
    cp_test_close(&exchange);
    cp_test_free(&text);
    return valid;
}

/* ---- Is there a repair? All values of padding, output_padding and output_size -------------------------------------- */

struct size_set {
    bool has[MOST_SIZE + 1];
};

static void add_output(struct size_set *set, const struct layer *layer, int axis, int input)
{
    int output = output_of(layer, axis, input);
    if (output >= 1 && output <= MOST_SIZE) set->has[output] = true;
}

/* With every padding on the two sides up to the most together. */
static void try_paddings(struct size_set *set, struct layer layer, int axis, int input, int most)
{
    layer.word = NULL;
    for (int begin = 0; begin <= most; begin++)
        for (int end = 0; begin + end <= most; end++) {
            layer.begin[axis] = begin;
            layer.end[axis] = end;
            add_output(set, &layer, axis, input);
        }
}

static void try_transposed(struct size_set *set, struct layer layer, int axis, int input)
{
    int most = input * layer.s[axis] + span_of(&layer, axis);
    layer.word = NULL;
    layer.begin[axis] = 0;
    layer.has_extra = !layer.has_size && layer.kind == TRANSPOSED;
    for (int padding = 0; padding <= most; padding++) {
        layer.end[axis] = padding;
        for (int extra = 0; layer.has_extra && extra < 6; extra++) {
            layer.extra[axis] = extra;
            add_output(set, &layer, axis, input);
        }
        if (layer.has_extra) continue;
        struct layer sized = layer;
        int natural = (input - 1) * layer.s[axis] + span_of(&layer, axis) - padding;
        sized.has_size = true;
        for (int extra = -3; extra <= 3; extra++) {
            sized.size[axis] = natural + extra;
            add_output(set, &sized, axis, input);
        }
    }
}

static void try_sizes(struct size_set *set, struct layer layer, int axis, int input)
{
    for (layer.size[axis] = 1; layer.size[axis] <= MOST_SIZE; layer.size[axis]++) add_output(set, &layer, axis, input);
}

static void try_all(struct size_set *set, const struct layer *layer, int axis, int input)
{
    int wide = MOST_SIZE * layer->s[axis] + span_of(layer, axis);
    struct layer sided = *layer;
    add_output(set, layer, axis, input);
    switch (layer->kind) {
    case TRANSPOSED:
    case UNPOOL: try_transposed(set, *layer, axis, input); break;
    case MAX_POOL:
    case AVG_POOL: try_paddings(set, *layer, axis, input, span_of(layer, axis)); break;
    case CONV: /* the sum of both sides is what counts */
        sided.word = NULL;
        sided.begin[axis] = 0;
        for (sided.end[axis] = 0; sided.end[axis] <= wide; sided.end[axis]++) add_output(set, &sided, axis, input);
        break;
    case ZERO_PAD:
        sided.begin[axis] = 0;
        for (sided.end[axis] = -input; sided.end[axis] <= MOST_SIZE; sided.end[axis]++)
            add_output(set, &sided, axis, input);
        break;
    case REFLECTION_PAD:
        for (sided.begin[axis] = -input; sided.begin[axis] < input; sided.begin[axis]++)
            for (int more = 0; more <= 1; more++) {
                sided.end[axis] = sided.begin[axis] + more;
                add_output(set, &sided, axis, input);
            }
        break;
    case CROP:
    case RESIZE:
    case ADAPTIVE: try_sizes(set, *layer, axis, input); break;
    default: break;
    }
}

/* The sizes before each stage of the encoder, from the last stage back: what its partners have to give. */
static int wanted_sizes(const struct pair *pair, int axis, int wanted[MOST_LAYERS], int *latent)
{
    int taken[MOST_LAYERS], count = 0, size = pair->input[axis];
    for (int at = 0; at < pair->encoder.count && size; at++) {
        if (is_stage(&pair->encoder.layer[at], pair->axes)) taken[count++] = size;
        size = output_of(&pair->encoder.layer[at], axis, size);
    }
    for (int at = 0; at < count; at++) wanted[at] = taken[count - 1 - at];
    *latent = size;
    return count;
}

static bool can_keep(const struct layer *layer, int axis, int size)
{
    struct size_set set = {0};
    try_all(&set, layer, axis, size);
    return set.has[size];
}

/* Undecided: sizes grow past what is searched. */
enum answer { NO, YES, UNDECIDED };

static enum answer axis_can(const struct pair *pair, int axis)
{
    struct size_set set = {0};
    int wanted[MOST_LAYERS], positions[MOST_LAYERS], latent, stage = 0;
    int encoder_count = wanted_sizes(pair, axis, wanted, &latent);
    bool paired = encoder_count == stages_of(&pair->decoder, pair->axes, 0, positions);
    assert_in_range(latent, 1, MOST_SIZE);
    set.has[latent] = true;
    for (int at = 0; at < pair->decoder.count; at++) {
        const struct layer *layer = &pair->decoder.layer[at];
        bool changes = is_stage(layer, pair->axes);
        struct size_set after = {0};
        for (int input = 1; input <= MOST_SIZE; input++) {
            if (!set.has[input]) continue;
            if (layer->kind <= UNSHUFFLE && layer->kind >= UPSCALE && output_of(layer, axis, input) > MOST_SIZE)
                return UNDECIDED;
            if (changes)
                try_all(&after, layer, axis, input);
            else
                after.has[input] = can_keep(layer, axis, input);
        }
        for (int size = 1; changes && paired && size <= MOST_SIZE; size++)
            after.has[size] = after.has[size] && size == wanted[stage];
        stage += changes;
        set = after;
    }
    return set.has[pair->input[axis]] ? YES : NO;
}

static enum answer can_round_trip(const struct pair *pair)
{
    enum answer all = YES;
    for (int axis = 0; axis < pair->axes; axis++) {
        enum answer one = axis_can(pair, axis);
        if (one == NO || all == YES) all = one;
        if (all == NO) break;
    }
    return all;
}

/* ---- Asking ------------------------------------------------------------------------------------------------------- */

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

/* The request with all fixes of the answer in it, one after another. */
static struct cp_test_text fixed_request(struct cp_text request, struct cp_text body)
{
    struct cp_test_text text;
    int count = cp_test_count(cp_test_at(body, "/findings"));
    (void)fprintf(cp_test_begin(&text), "%.*s", (int)request.size, request.bytes);
    (void)cp_test_finish(&text);
    for (int at = 0; at < count; at++) {
        struct cp_text pointer = cp_test_atf(body, "/findings/%d/fix/pointer", at);
        char path[128];
        if (pointer.size == 0) continue;
        struct cp_test_text next;
        (void)snprintf(path, sizeof path, "%.*s", (int)pointer.size - 2, pointer.bytes + 1);
        cp_test_patch(cp_test_begin(&next), (struct cp_text){text.bytes, text.size}, path,
                      cp_test_atf(body, "/findings/%d/fix/value", at));
        (void)cp_test_finish(&next);
        cp_test_free(&text);
        text = next;
    }
    return text;
}

/* What is wrong with the answer to a pair whose encoder is well, or NULL. */
static const char *check_fixes(struct cp_text request, struct cp_text body, bool can)
{
    struct cp_test_exchange exchange;
    struct cp_test_text text = fixed_request(request, body);
    ask(&exchange, "/v1/roundtrip", (struct cp_text){text.bytes, text.size});
    bool valid = exchange.reply.status == 200 && cp_test_is(cp_test_at(exchange.reply.body, "/valid"), "true");
    bool told = has_finding(body, "no_fix_round_trips") || has_finding(body, "output_differs");
    const char *wrong = NULL;
    if (can && !valid) wrong = "a repair is possible, but the fixes do not make one";
    if (!can && valid) wrong = "the search finds no repair, but the fixes make one";
    if (!can && !told) wrong = "no repair is possible, which nothing says";
    if (can && told) wrong = "a repair is possible, but one finding says there is none";
    if (wrong)
        print_error("%s\n  fixed: %.*s\n  -> %.*s\n", wrong, (int)text.size, text.bytes, (int)exchange.reply.body.size,
                    exchange.reply.body.bytes);
    cp_test_close(&exchange);
    cp_test_free(&text);
    return wrong;
}

static bool encoder_is_well(const struct pair *pair)
{
    int wanted[MOST_LAYERS], latent;
    for (int axis = 0; axis < pair->axes; axis++) {
        (void)wanted_sizes(pair, axis, wanted, &latent);
        if (latent < 1 || latent > MOST_SIZE) return false;
    }
    return true;
}

struct tally {
    int valid, repaired, impossible, undecided, broken;
};

static bool check_pair(const struct pair *pair, struct tally *tally)
{
    struct cp_test_text text;
    struct cp_test_exchange exchange;
    write_pair(cp_test_begin(&text), pair);
    struct cp_text request = cp_test_finish(&text);
    ask(&exchange, "/v1/roundtrip", request);
    struct cp_text body = exchange.reply.body;
    bool refused = exchange.reply.status == 422; /* a padding word that the type does not take, for one */
    bool valid = cp_test_is(cp_test_at(body, "/valid"), "true");
    const char *wrong = NULL;
    if (!refused && exchange.reply.status != 200) wrong = "status";
    if (!wrong && !refused && valid != verdict_of(pair)) wrong = valid ? "it is not valid" : "it is valid";
    if (!wrong && !refused && !valid && encoder_is_well(pair)) {
        enum answer can = can_round_trip(pair);
        if (can != UNDECIDED) wrong = check_fixes(request, body, can == YES);
        *(can == YES ? &tally->repaired : can == NO ? &tally->impossible : &tally->undecided) += 1;
    }
    tally->valid += valid;
    tally->broken += refused || !encoder_is_well(pair);
    if (wrong)
        print_error("%s\n  %s\n  %d %.*s\n", wrong, text.bytes, exchange.reply.status, (int)body.size, body.bytes);
    cp_test_close(&exchange);
    cp_test_free(&text);
    return !wrong;
}

/* Draw until the encoder takes the input, though a few that do not are kept. */
static void draw_pair(struct cp_random *random, struct pair *pair, int most)
{
    do {
        pair->axes = cp_random_within(random, 1, MOST_AXES);
        for (int axis = 0; axis < MOST_AXES; axis++) pair->input[axis] = cp_random_within(random, 1, 24);
        int channels = pair->channels = 12;
        draw_list(random, &pair->encoder, &channels, pair->axes, false, most);
        draw_list(random, &pair->decoder, &channels, pair->axes, true, most);
    } while (!encoder_is_well(pair) && !cp_random_chance(random, 30));
}

static void check_pairs(uint64_t seed, int count, int most, struct tally *tally)
{
    int wrong = 0;
    for (int number = 0; number < count && wrong < 5; number++) {
        struct cp_random random = {seed + (uint64_t)number};
        struct pair pair;
        draw_pair(&random, &pair, most);
        if (check_pair(&pair, tally)) continue;
        print_error("that was seed %llu\n", (unsigned long long)(seed + (uint64_t)number));
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

static void test_random_pairs(void **state)
{
    enum { PAIRS = 4000, LEAST_OF_EACH = 200 };
    struct tally tally = {0};
    (void)state;
    check_pairs(1, PAIRS, 2, &tally);
    check_pairs(1000000, PAIRS / 4, 4, &tally);
    assert_true(tally.repaired > LEAST_OF_EACH && tally.impossible > LEAST_OF_EACH && tally.broken > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
