/* POST /v1/roundtrip against two things that share nothing with its method: a verdict made of /v1/shapes and a pairing
 * written here, and a search through all values of padding, output_padding and output_size, on all axes together. */
#include <inttypes.h>

#include "tests/property/random_pairs.h"
#include "tests/service_client.h"

/* Sizes up to this are searched. */
enum { MOST_SIZE = 160 };

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
static int stages_of(const struct cp_test_list *list, int axes, int from, int positions[CP_TEST_MOST_LAYERS])
{
    int count = 0;
    for (int at = 0; at < list->count; at++)
        if (cp_changes_size(&list->layer[at], axes)) positions[count++] = from + at;
    return count;
}

static bool judge(struct cp_text shapes, const struct cp_test_pair *pair)
{
    int encoders[CP_TEST_MOST_LAYERS], decoders[CP_TEST_MOST_LAYERS];
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

static bool verdict_of(const struct cp_test_pair *pair)
{
    struct cp_test_text text;
    struct cp_test_exchange exchange;
    FILE *file = cp_test_begin(&text);
    cp_write_input(file, pair);
    (void)fprintf(file, "\"layers\": [");
    cp_write_list(file, &pair->encoder, pair->axes);
    (void)fprintf(file, ", ");
    cp_write_list(file, &pair->decoder, pair->axes);
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

static void add_output(struct size_set *set, const struct cp_test_layer *layer, int axis, int input)
{
    int output = cp_output_of(layer, axis, input);
    if (output >= 1 && output <= MOST_SIZE) set->has[output] = true;
}

/* With every padding on the two sides up to the most together. */
static void try_paddings(struct size_set *set, struct cp_test_layer layer, int axis, int input, int most)
{
    layer.word = NULL;
    for (int begin = 0; begin <= most; begin++)
        for (int end = 0; begin + end <= most; end++) {
            layer.begin[axis] = begin;
            layer.end[axis] = end;
            add_output(set, &layer, axis, input);
        }
}

static void try_transposed(struct size_set *set, struct cp_test_layer layer, int axis, int input)
{
    int most = input * layer.s[axis] + cp_span_of(&layer, axis);
    layer.word = NULL;
    layer.begin[axis] = 0;
    layer.has_extra = !layer.has_size && layer.kind == CP_TEST_TRANSPOSED;
    for (int padding = 0; padding <= most; padding++) {
        layer.end[axis] = padding;
        for (int extra = 0; layer.has_extra && extra < 6; extra++) {
            layer.extra[axis] = extra;
            add_output(set, &layer, axis, input);
        }
        if (layer.has_extra) continue;
        struct cp_test_layer sized = layer;
        int natural = (input - 1) * layer.s[axis] + cp_span_of(&layer, axis) - padding;
        sized.has_size = true;
        for (int extra = -3; extra <= 3; extra++) {
            sized.size[axis] = natural + extra;
            add_output(set, &sized, axis, input);
        }
    }
}

static void try_sizes(struct size_set *set, struct cp_test_layer layer, int axis, int input)
{
    for (layer.size[axis] = 1; layer.size[axis] <= MOST_SIZE; layer.size[axis]++) add_output(set, &layer, axis, input);
}

static void try_all(struct size_set *set, const struct cp_test_layer *layer, int axis, int input)
{
    int wide = MOST_SIZE * layer->s[axis] + cp_span_of(layer, axis);
    struct cp_test_layer sided = *layer;
    add_output(set, layer, axis, input);
    switch (layer->kind) {
    case CP_TEST_TRANSPOSED:
    case CP_TEST_UNPOOL: try_transposed(set, *layer, axis, input); break;
    case CP_TEST_MAX_POOL:
    case CP_TEST_AVG_POOL: try_paddings(set, *layer, axis, input, cp_span_of(layer, axis)); break;
    case CP_TEST_CONV: /* the sum of both sides is what counts */
        sided.word = NULL;
        sided.begin[axis] = 0;
        for (sided.end[axis] = 0; sided.end[axis] <= wide; sided.end[axis]++) add_output(set, &sided, axis, input);
        break;
    case CP_TEST_ZERO_PAD:
        sided.begin[axis] = 0;
        for (sided.end[axis] = -input; sided.end[axis] <= MOST_SIZE; sided.end[axis]++)
            add_output(set, &sided, axis, input);
        break;
    case CP_TEST_REFLECTION_PAD:
        for (sided.begin[axis] = -input; sided.begin[axis] < input; sided.begin[axis]++)
            for (int more = 0; more <= 1; more++) {
                sided.end[axis] = sided.begin[axis] + more;
                add_output(set, &sided, axis, input);
            }
        break;
    case CP_TEST_CROP:
    case CP_TEST_RESIZE:
    case CP_TEST_ADAPTIVE: try_sizes(set, *layer, axis, input); break;
    default: break;
    }
}

/* ---- The search: all axes together, by every size that each layer can give on each -------------------------------- */

/* Sizes up to this are searched on each of so many axes. */
static const int searched[CP_TEST_MOST_AXES + 1] = {0, MOST_SIZE, 24, 9};

/* The sizes before each stage of the encoder, from the last stage back: what its partners have to give. Their count, or
 * -1 where a layer gives nothing. */
static int wanted_sizes(const struct cp_test_pair *pair, int axis, int wanted[CP_TEST_MOST_LAYERS], int *latent)
{
    int taken[CP_TEST_MOST_LAYERS], count = 0, size = pair->input[axis];
    for (int at = 0; at < pair->encoder.count && size; at++) {
        if (cp_changes_size(&pair->encoder.layer[at], pair->axes)) taken[count++] = size;
        size = cp_output_of(&pair->encoder.layer[at], axis, size);
    }
    for (int at = 0; at < count; at++) wanted[at] = taken[count - 1 - at];
    *latent = size;
    return count;
}

/* Whether padding decides if this layer keeps its size. */
static bool can_be_either(const struct cp_test_layer *layer, int axes)
{
    if (layer->kind == CP_TEST_ZERO_PAD || layer->kind == CP_TEST_REFLECTION_PAD) return true;
    for (int axis = 0; axis < axes; axis++)
        if (layer->kind > CP_TEST_UNPOOL || layer->s[axis] != 1) return false;
    return true;
}

/* The sizes of all axes as one number. */
static int number_of(const int *sizes, int axes)
{
    int number = 0;
    for (int axis = 0; axis < axes; axis++) number = number * (searched[axes] + 1) + sizes[axis];
    return number;
}

static void sizes_of(int number, int axes, int *sizes)
{
    for (int axis = axes; axis-- > 0; number /= searched[axes] + 1) sizes[axis] = number % (searched[axes] + 1);
}

/* Bit c: after c stages, all of which gave what their partners took, or not all. */
struct standing {
    uint8_t right, wrong;
};

struct search {
    const struct cp_test_pair *pair;
    int count; /* of numbers */
    int encoder_stages;
    int wanted[CP_TEST_MOST_LAYERS]; /* of each stage, as a number */
    struct standing *now, *next;     /* [number] */
};

static void arrive(struct search *search, struct standing from, int number, bool is_stage)
{
    struct standing *to = &search->next[number];
    if (!is_stage) {
        to->right |= from.right;
        to->wrong |= from.wrong;
        return;
    }
    uint8_t partners = 0;
    for (int stage = 0; stage < search->encoder_stages; stage++)
        if (search->wanted[stage] == number) partners |= (uint8_t)(1 << stage);
    to->right |= (uint8_t)((from.right & partners) << 1);
    to->wrong |= (uint8_t)((from.wrong | (from.right & ~partners)) << 1);
}

/* From one standing to all that the layer can give there. */
static void step(struct search *search, const struct cp_test_layer *layer, int number,
                 struct size_set (*reached)[MOST_SIZE + 1])
{
    int axes = search->pair->axes, from[CP_TEST_MOST_AXES], to[CP_TEST_MOST_AXES];
    bool either = can_be_either(layer, axes), changes = cp_changes_size(layer, axes);
    sizes_of(number, axes, from);
    for (int other = 0; other < search->count; other++) {
        bool reaches = true;
        sizes_of(other, axes, to);
        for (int axis = 0; axis < axes; axis++) reaches = reaches && reached[axis][from[axis]].has[to[axis]];
        if (reaches) arrive(search, search->now[number], other, either ? number != other : changes);
    }
}

static void step_through(struct search *search, const struct cp_test_layer *layer)
{
    static struct size_set reached[CP_TEST_MOST_AXES][MOST_SIZE + 1];
    int axes = search->pair->axes;
    memset(reached, 0, sizeof reached);
    memset(search->next, 0, (size_t)search->count * sizeof *search->next);
    for (int axis = 0; axis < axes; axis++)
        for (int input = 1; input <= searched[axes]; input++) try_all(&reached[axis][input], layer, axis, input);
    for (int number = 0; number < search->count; number++)
        if (search->now[number].right || search->now[number].wrong) step(search, layer, number, reached);
    struct standing *now = search->now;
    search->now = search->next;
    search->next = now;
}

static bool arrives(const struct search *search)
{
    struct standing last = search->now[number_of(search->pair->input, search->pair->axes)];
    int partners = 1 << search->encoder_stages;
    return (last.right & partners) || ((last.right | last.wrong) & ~partners);
}

static bool begin_search(struct search *search)
{
    const struct cp_test_pair *pair = search->pair;
    int wanted[CP_TEST_MOST_AXES][CP_TEST_MOST_LAYERS], latent[CP_TEST_MOST_AXES];
    for (int axis = 0; axis < pair->axes; axis++) {
        search->encoder_stages = wanted_sizes(pair, axis, wanted[axis], &latent[axis]);
        if (latent[axis] > searched[pair->axes]) return false;
        for (int stage = 0; stage < search->encoder_stages; stage++)
            if (wanted[axis][stage] > searched[pair->axes]) return false;
    }
    for (int stage = 0; stage < search->encoder_stages; stage++) {
        int sizes[CP_TEST_MOST_AXES];
        for (int axis = 0; axis < pair->axes; axis++) sizes[axis] = wanted[axis][stage];
        search->wanted[stage] = number_of(sizes, pair->axes);
    }
    search->now[number_of(latent, pair->axes)].right = 1;
    return true;
}

/* Whether some padding, output_padding and output_size of the decoder make the pair round-trip, with no size on the way
 * above what is searched. */
static bool can_round_trip(const struct cp_test_pair *pair)
{
    struct search search = {.pair = pair, .count = 1};
    for (int axis = 0; axis < pair->axes; axis++) search.count *= searched[pair->axes] + 1;
    struct standing *room = calloc(2 * (size_t)search.count, sizeof *room);
    assert_non_null(room);
    search.now = room;
    search.next = room + search.count;
    bool inside = begin_search(&search);
    for (int at = 0; inside && at < pair->decoder.count; at++) step_through(&search, &pair->decoder.layer[at]);
    bool can = inside && arrives(&search);
    free(room);
    return can;
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

/* What is wrong with the answer to a pair whose encoder is well, or NULL. A pair that the fixes repair is what shows that
 * one can be, whatever the search says, which goes up to certain sizes only. */
static const char *check_fixes(struct cp_text request, struct cp_text body, bool can, bool *repaired)
{
    struct cp_test_exchange exchange;
    struct cp_test_text text = cp_test_all_fixed(request, body);
    ask(&exchange, "/v1/roundtrip", (struct cp_text){text.bytes, text.size});
    bool valid = exchange.reply.status == 200 && cp_test_is(cp_test_at(exchange.reply.body, "/valid"), "true");
    bool told = has_finding(body, "no_fix_round_trips") || has_finding(body, "output_differs");
    const char *wrong = NULL;
    if (can && !valid) wrong = "a repair is possible, but the fixes do not make one";
    if (!valid && !told) wrong = "the fixes make no repair, but nothing says that there is none";
    if (valid && told) wrong = "the fixes make a repair, but one finding says that there is none";
    *repaired = valid;
    if (wrong)
        print_error("%s\n  fixed: %.*s\n  -> %.*s\n", wrong, (int)text.size, text.bytes, (int)exchange.reply.body.size,
                    exchange.reply.body.bytes);
    cp_test_close(&exchange);
    cp_test_free(&text);
    return wrong;
}

static bool encoder_is_well(const struct cp_test_pair *pair)
{
    int wanted[CP_TEST_MOST_LAYERS], latent;
    for (int axis = 0; axis < pair->axes; axis++) {
        (void)wanted_sizes(pair, axis, wanted, &latent);
        if (latent < 1 || latent > MOST_SIZE) return false;
    }
    return true;
}

struct tally {
    int valid, repaired, impossible, broken;
};

static bool check_pair(const struct cp_test_pair *pair, struct tally *tally)
{
    struct cp_test_text text;
    struct cp_test_exchange exchange;
    cp_write_test_pair(cp_test_begin(&text), pair);
    struct cp_text request = cp_test_finish(&text);
    ask(&exchange, "/v1/roundtrip", request);
    struct cp_text body = exchange.reply.body;
    bool refused = exchange.reply.status == 422; /* a padding word that the type does not take, for one */
    bool valid = cp_test_is(cp_test_at(body, "/valid"), "true");
    const char *wrong = NULL;
    if (!refused && exchange.reply.status != 200) wrong = "status";
    if (!wrong && !refused && valid != verdict_of(pair)) wrong = valid ? "it is not valid" : "it is valid";
    if (!wrong && !refused && !valid && encoder_is_well(pair)) {
        bool repaired;
        wrong = check_fixes(request, body, can_round_trip(pair), &repaired);
        *(repaired ? &tally->repaired : &tally->impossible) += 1;
    }
    tally->valid += valid;
    tally->broken += refused || !encoder_is_well(pair);
    if (wrong)
        print_error("%s\n  %s\n  %d %.*s\n", wrong, text.bytes, exchange.reply.status, (int)body.size, body.bytes);
    cp_test_close(&exchange);
    cp_test_free(&text);
    return !wrong;
}

typedef void draw_function(struct cp_random *random, struct cp_test_pair *pair, int most);

/* Draw until the encoder takes the input, though a few that do not are kept. */
static void draw_pair(struct cp_random *random, struct cp_test_pair *pair, draw_function *draw, int most)
{
    do {
        draw(random, pair, most);
        for (int axis = 0; axis < pair->axes; axis++) pair->input[axis] = 1 + pair->input[axis] % searched[pair->axes];
    } while (!encoder_is_well(pair) && !cp_random_chance(random, 30));
}

static void check_pairs(uint64_t seed, int count, draw_function *draw, int most, struct tally *tally)
{
    int wrong = 0;
    for (int number = 0; number < count && wrong < 5; number++) {
        struct cp_random random = {seed + (uint64_t)number};
        struct cp_test_pair pair;
        draw_pair(&random, &pair, draw, most);
        if (check_pair(&pair, tally)) continue;
        print_error("that was seed %" PRIu64 "\n", seed + (uint64_t)number);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

static void test_random_pairs(void **state)
{
    enum { LEAST_OF_EACH = 200 };
    struct tally tally = {0};
    (void)state;
    check_pairs(1, 1500, cp_draw_pair, 2, &tally);
    check_pairs(1000000, 700, cp_draw_pair, 4, &tally);
    check_pairs(2000000, 1300, cp_draw_turning_pair, CP_TEST_MOST_LAYERS, &tally);
    assert_true(tally.repaired > LEAST_OF_EACH && tally.impossible > LEAST_OF_EACH && tally.broken > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_pairs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
