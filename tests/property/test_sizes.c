/* /v1/sizes against the plain planner on every size up to several periods: random chains, graphs and pairs. The planner
 * shares no code with the laws but the window formulas. A failing case prints its request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/memory.h"
#include "server/symbolic_inputs.h"

enum { SEED = 20260117, MEMORY_LIMIT = 1 << 28, LEAST_SIZE = 40, MOST_SIZE = 700 };

/* ---- Random requests ---------------------------------------------------------------------------------------------- */

struct request {
    char text[1 << 14];
    size_t size;
    uint64_t state;
    int axes;
    int layers; /* written so far in the list */
    bool open;  /* a list has been begun and holds something */
};

static uint32_t draw(struct request *request, uint32_t below)
{
    request->state ^= request->state << 13;
    request->state ^= request->state >> 7;
    request->state ^= request->state << 17;
    return (uint32_t)(request->state >> 33) % below;
}

__attribute__((format(printf, 2, 3))) static void put(struct request *request, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(request->text + request->size, sizeof request->text - request->size, format, arguments);
    va_end(arguments);
    request->size += (size_t)size;
    assert_true(request->size < sizeof request->text);
}

/* Begin a layer named x0, x1 …; numbered types get their axes. */
static void begin_layer(struct request *request, const char *type, bool numbered)
{
    put(request, "%s{\"name\": \"x%d\", \"type\": \"%s", request->layers ? ", " : "", request->layers, type);
    put(request, numbered ? "%dd\"" : "\"", request->axes);
    request->layers++;
}

static const char *pick_source(struct request *request, char name[16])
{
    int source = (int)draw(request, (uint32_t)request->layers);
    if (source == 0)
        snprintf(name, 16, "input");
    else
        snprintf(name, 16, "x%d", source - 1);
    return name;
}

static void put_axis_list(struct request *request, const char *member, int least, int most)
{
    put(request, ", \"%s\": [", member);
    for (int axis = 0; axis < request->axes; axis++)
        put(request, "%s%d", axis ? ", " : "", least + (int)draw(request, (uint32_t)(most - least + 1)));
    put(request, "]");
}

static void put_member(struct request *request, const char *member, int least, int most)
{
    if (draw(request, 8) == 0)
        put_axis_list(request, member, least, most);
    else
        put(request, ", \"%s\": %d", member, least + (int)draw(request, (uint32_t)(most - least + 1)));
}

static void put_padding(struct request *request, int most, bool words)
{
    static const char *const all[] = {"valid", "same_upper", "same_lower", "half", "full", "same"};
    uint32_t way = draw(request, 10);
    if (way < 5)
        put_member(request, "padding", 0, most);
    else if (way < 7 && words)
        put(request, ", \"padding\": \"%s\"", all[draw(request, 6)]);
    else if (way == 7) {
        put(request, ", \"padding\": [");
        for (int axis = 0; axis < request->axes; axis++)
            put(request, "%s[%u, %u]", axis ? ", " : "", draw(request, (uint32_t)most + 1),
                draw(request, (uint32_t)most + 1));
        put(request, "]");
    }
}

static void put_convolution(struct request *request, int most_stride)
{
    begin_layer(request, "Conv", true);
    put(request, ", \"out_channels\": 4");
    put_member(request, "kernel_size", 1, 5);
    if (draw(request, 2)) put_member(request, "stride", 1, most_stride);
    if (draw(request, 6) == 0) put_member(request, "dilation", 1, 3);
    put_padding(request, 3, true);
}

static void put_transposed(struct request *request)
{
    begin_layer(request, "ConvTranspose", true);
    put(request, ", \"out_channels\": 4");
    put_member(request, "kernel_size", 1, 4);
    put_member(request, "stride", 1, 3);
    uint32_t way = draw(request, 6);
    if (way < 2)
        put_member(request, "output_padding", 0, 1);
    else if (way == 2)
        put_member(request, "output_size", 3, 30);
    if (draw(request, 2)) put_member(request, "padding", 0, 2);
}

static void put_pool(struct request *request)
{
    static const char *const types[] = {"MaxPool", "AvgPool", "LPPool"};
    uint32_t type = draw(request, 3);
    begin_layer(request, types[type], true);
    put_member(request, "kernel_size", 2, 4);
    if (draw(request, 2)) put_member(request, "stride", 1, 4);
    if (draw(request, 2)) put(request, ", \"ceil_mode\": true");
    if (type == 0 && draw(request, 5) == 0) put_member(request, "dilation", 1, 2);
    if (draw(request, 2)) put_padding(request, 1, true);
}

static void put_border(struct request *request)
{
    static const char *const types[] = {"ZeroPad", "ReplicationPad", "ReflectionPad", "CircularPad", "ConstantPad"};
    begin_layer(request, types[draw(request, 5)], true);
    put(request, ", \"padding\": [");
    for (int axis = 0; axis < request->axes; axis++)
        put(request, "%s[%d, %d]", axis ? ", " : "", (int)draw(request, 8) - 3, (int)draw(request, 8) - 3);
    put(request, "]");
}

static void put_resampling(struct request *request)
{
    static const char *const factors[] = {"2",   "3",  "0.5", "1.5", "0.6666666666666666", "0.25", "0.3333333333333333",
                                          "2.5", "0.1"};
    if (request->axes == 2 && draw(request, 3) == 0) {
        bool shuffle = draw(request, 3) == 0;
        begin_layer(request, shuffle ? "PixelShuffle" : "PixelUnshuffle", false);
        put(request, ", \"%s\": %u", shuffle ? "upscale_factor" : "downscale_factor", 1 + draw(request, 2));
        return;
    }
    begin_layer(request, "Upsample", false);
    if (draw(request, 8))
        put(request, ", \"scale_factor\": %s", factors[draw(request, 9)]);
    else
        put(request, ", \"size\": %u", 1 + draw(request, 20));
}

static void put_slice(struct request *request)
{
    begin_layer(request, "Slice", false);
    put(request, ", \"dim\": %d", draw(request, 2) ? 2 : -1);
    if (draw(request, 2)) put(request, ", \"start\": %d", (int)draw(request, 17) - 8);
    if (draw(request, 2)) put(request, ", \"end\": %d", (int)draw(request, 33) - 16);
    if (draw(request, 2)) put(request, ", \"step\": %u", 1 + draw(request, 3));
}

static void put_merge(struct request *request)
{
    static const char *const types[] = {"Add", "Sub", "Mul", "Concat", "Concat"};
    char a[16], b[16];
    uint32_t type = draw(request, 5);
    pick_source(request, a);
    pick_source(request, b);
    if (draw(request, 2)) snprintf(a, sizeof a, request->layers > 1 ? "x%d" : "input", request->layers - 1);
    if (type >= 3 && draw(request, 3) == 0) type = 0;
    begin_layer(request, types[type], false);
    put(request, ", \"from\": [\"%s\", \"%s\"]", a, b);
    if (type >= 3 && draw(request, 4) == 0) put(request, ", \"dim\": 2");
}

static void put_crop(struct request *request)
{
    char like[16];
    pick_source(request, like);
    begin_layer(request, "CenterCrop", true);
    if (draw(request, 3))
        put(request, ", \"like\": \"%s\"", like);
    else
        put_member(request, "output_size", 1, 12);
}

static void put_other(struct request *request)
{
    static const char *const numbered[] = {"InstanceNorm", "BatchNorm", "Dropout"};
    uint32_t way = draw(request, 9);
    if (way < 3) {
        begin_layer(request, numbered[way], true);
    } else if (way == 3) {
        begin_layer(request, "GroupNorm", false);
        put(request, ", \"num_groups\": %u", 1 + draw(request, 4));
    } else if (way == 4) {
        begin_layer(request, "MaxUnpool", true);
        put_member(request, "kernel_size", 2, 3);
        if (draw(request, 4) == 0) put_member(request, "output_size", 4, 30);
    } else if (way == 5) {
        begin_layer(request, "AdaptiveAvgPool", true);
        put(request, ", \"output_size\": %s", draw(request, 2) ? "3" : request->axes == 1 ? "[null]" : "[null, 5]");
    } else if (way == 6 && request->axes == 2) {
        begin_layer(request, "Permute", false);
        put(request, ", \"dims\": %s", draw(request, 6) ? "[0, 1, 3, 2]" : "[0, 2, 1, 3]");
    } else if (way == 7) {
        begin_layer(request, "Linear", false);
        put(request, ", \"out_features\": %u", 2 + draw(request, 8));
        if (draw(request, 4) == 0) put(request, ", \"in_features\": %u", 3 + draw(request, 20));
    } else {
        begin_layer(request, "ReLU", false);
    }
}

static void end_layer(struct request *request)
{
    if (draw(request, 60) == 0) {
        put(request, ", \"expect\": [1, null");
        for (int axis = 0; axis < request->axes; axis++) put(request, axis ? ", null" : ", %u", 2 + draw(request, 20));
        put(request, "]");
    }
    put(request, "}");
}

static void put_layer(struct request *request)
{
    uint32_t way = draw(request, 40);
    if (way < 12)
        put_convolution(request, 3);
    else if (way < 18)
        put_pool(request);
    else if (way < 21)
        put_transposed(request);
    else if (way < 24)
        put_border(request);
    else if (way < 27)
        put_resampling(request);
    else if (way < 29)
        put_slice(request);
    else if (way < 34 && request->layers > 1)
        put_merge(request);
    else if (way < 36 && request->layers > 1)
        put_crop(request);
    else
        put_other(request);
    end_layer(request);
}

/* Regrouping, after which window layers take nothing any more. */
static void put_tail(struct request *request)
{
    uint32_t way = draw(request, 9);
    if (way < 4) {
        begin_layer(request, "Flatten", false);
        put(request, ", \"start_dim\": %u}", 1 + draw(request, 2));
        if (way >= 3) return;
        begin_layer(request, "Linear", false);
        int side = 1 + (int)draw(request, 9);
        put(request, ", \"out_features\": 7, \"in_features\": %d}", 4 * (request->axes == 1 ? side : side * side));
    } else if (way == 4) {
        begin_layer(request, "Reshape", false);
        put(request, ", \"shape\": [1, %u, -1]}", 1 + draw(request, 9));
    } else if (way == 5) {
        begin_layer(request, "Unflatten", false);
        put(request, ", \"dim\": 2, \"unflattened_size\": [%u, -1]}", 1 + draw(request, 5));
    } else if (way == 6) {
        begin_layer(request, "Mean", false);
        put(request, ", \"dim\": [2], \"keepdim\": %s}", draw(request, 2) ? "true" : "false");
    } else if (way == 7) {
        begin_layer(request, "LayerNorm", false);
        put(request, ", \"normalized_shape\": [%u]}", 2 + draw(request, 30));
    }
}

static void begin_request(struct request *request, uint64_t seed)
{
    request->state = (seed + 1) * 0x9e3779b97f4a7c15u;
    request->size = 0;
    request->layers = 0;
    for (int warm = 0; warm < 8; warm++) (void)draw(request, 2);
    request->axes = 1 + (int)draw(request, 2);
    put(request, "{\"covered\": %s, ", draw(request, 4) ? "false" : "true");
}

static void put_input(struct request *request, bool two)
{
    static const char *const squares[] = {"\"n\", \"n\"", "\"n\", \"n\"", "\"n\", 17", "9, \"n\""};
    const char *sizes = request->axes == 1 ? "\"n\"" : two ? "\"h\", \"w\"" : squares[draw(request, 4)];
    put(request, "\"input\": [1, 4, %s]", sizes);
}

static void make_stack(struct request *request, uint64_t seed)
{
    begin_request(request, seed);
    put_input(request, false);
    put(request, ", \"layers\": [");
    int count = 1 + (int)draw(request, 8);
    while (request->layers < count) put_layer(request);
    if (draw(request, 3) == 0) put_tail(request);
    put(request, "]}");
}

static void make_two(struct request *request, uint64_t seed)
{
    begin_request(request, seed);
    request->axes = 2;
    put_input(request, true);
    put(request, ", \"layers\": [");
    int count = 1 + (int)draw(request, 5);
    while (request->layers < count) put_layer(request);
    put(request, "]}");
}

/* A stage and what undoes it; now and then something else. */
struct stage {
    int kernel, stride, padding;
    bool pools;
};

static void put_stage(struct request *request, struct stage *stage)
{
    *stage = (struct stage){.kernel = 2 + (int)draw(request, 3), .stride = 1 + (int)draw(request, 3)};
    stage->padding = (int)draw(request, (uint32_t)stage->kernel / 2 + 1);
    stage->pools = draw(request, 3) == 0;
    begin_layer(request, stage->pools ? "MaxPool" : "Conv", true);
    if (!stage->pools) put(request, ", \"out_channels\": 4");
    if (stage->pools && draw(request, 2)) put(request, ", \"ceil_mode\": true");
    put(request, ", \"kernel_size\": %d, \"stride\": %d, \"padding\": %d}", stage->kernel, stage->stride,
        stage->padding);
}

static void put_inverse(struct request *request, const struct stage *stage)
{
    uint32_t way = draw(request, 10);
    if (way == 0) {
        put_transposed(request);
    } else if (way == 1) {
        begin_layer(request, "Upsample", false);
        put(request, ", \"scale_factor\": %d", stage->stride);
    } else if (way == 2) {
        begin_layer(request, "MaxUnpool", true);
        put(request, ", \"kernel_size\": %d, \"stride\": %d, \"padding\": %d", stage->kernel, stage->stride,
            stage->padding);
    } else {
        begin_layer(request, "ConvTranspose", true);
        put(request, ", \"out_channels\": 4, \"kernel_size\": %d, \"stride\": %d, \"padding\": %d", stage->kernel,
            stage->stride, stage->padding);
        put(request, ", \"output_padding\": %u", draw(request, (uint32_t)stage->stride));
    }
    put(request, "}");
}

/* Down and up again with skips: the sizes of a U-Net. */
static void make_unet(struct request *request, uint64_t seed)
{
    int skips[4];
    struct stage stages[4];
    begin_request(request, seed);
    put_input(request, false);
    put(request, ", \"layers\": [");
    int levels = 1 + (int)draw(request, 3);
    bool crop = draw(request, 2), add = draw(request, 3) == 0;
    for (int level = 0; level < levels; level++) {
        begin_layer(request, "Conv", true);
        put(request, ", \"out_channels\": 4, \"kernel_size\": 3, \"padding\": %u}", draw(request, 4) != 0);
        skips[level] = request->layers - 1;
        put_stage(request, &stages[level]);
    }
    for (int level = levels - 1; level >= 0; level--) {
        put_inverse(request, &stages[level]);
        int up = request->layers - 1, skip = skips[level];
        if (crop) {
            begin_layer(request, "CenterCrop", true);
            put(request, ", \"from\": \"x%d\", \"like\": \"x%d\"}", skip, up);
            skip = request->layers - 1;
        }
        begin_layer(request, add ? "Add" : "Concat", false);
        put(request, ", \"from\": [\"x%d\", \"x%d\"]}", skip, up);
    }
    put(request, "]}");
}

static void make_pair(struct request *request, uint64_t seed)
{
    begin_request(request, seed);
    put_input(request, false);
    struct stage stages[4];
    int depth = 1 + (int)draw(request, 4);
    put(request, ", \"encoder\": [");
    for (int level = 0; level < depth; level++) put_stage(request, &stages[level]);
    put(request, "], \"decoder\": [");
    request->layers = 0;
    if (draw(request, 8) == 0) put_inverse(request, &stages[0]);
    for (int level = depth - 1; level >= 0; level--) put_inverse(request, &stages[level]);
    put(request, "]}");
}

/* ---- Checking ----------------------------------------------------------------------------------------------------- */

struct tally {
    int answered, refused, empty, finite, periodic, formed;
};

struct subject {
    struct cp_memory memory;
    struct cp_stack stack;
    struct cp_symbols symbols;
    struct cp_sizes_question question;
    struct cp_valid_sizes sizes;
};

static bool read_subject(struct subject *subject, const struct request *request)
{
    struct cp_reader reader;
    cp_memory_open(&subject->memory, NULL, MEMORY_LIMIT, NULL);
    cp_reader_begin(&reader, &subject->memory.arena);
    const struct cp_json *json = cp_read_body(&reader, (struct cp_text){request->text, request->size});
    assert_non_null(json);
    subject->stack = (struct cp_stack){.element_bytes = 4, .covered = cp_read_boolean(&reader, json, "covered", false)};
    cp_read_symbolic_inputs(&reader, json, &subject->stack, &subject->symbols);
    if (cp_json_member(json, CP_TEXT("layers")))
        cp_read_layers(&reader, json, "layers", &subject->stack);
    else
        cp_read_encoder_and_decoder(&reader, json, &subject->stack);
    subject->question = (struct cp_sizes_question){&subject->stack, subject->symbols.at, subject->symbols.count};
    return reader.problems.count == 0;
}

static int64_t value_at(const struct cp_size_law *law, int64_t n)
{
    if (n < law->from) return law->values_below[n];
    return law->values[(n - law->from) % law->period] + law->increment * ((n - law->from) / law->period);
}

static int64_t form_at(const struct cp_size_form *form, int64_t n)
{
    int64_t sum = form->slope * n + form->offset;
    if (form->exact) assert_true(sum % form->divisor == 0);
    return sum >= 0 ? sum / form->divisor : -((-sum + form->divisor - 1) / form->divisor);
}

static const char *compare_output(const struct cp_valid_sizes *sizes, const struct cp_shape *output,
                                  const int64_t *values)
{
    if (!sizes->possible || sizes->rank != output->rank) return "rank of the output";
    for (int dim = 0; dim < output->rank; dim++) {
        const struct cp_sizes_output *claim = &sizes->output[dim];
        if (claim->fixed) {
            if (claim->size != output->size[dim]) return "fixed output";
            continue;
        }
        if (claim->symbol == CP_FIXED_SIZE) continue;
        int64_t n = values[claim->symbol];
        if (claim->has_law && value_at(&claim->law, n) != output->size[dim]) return "law of the output";
        if (claim->has_form && form_at(&claim->form, n) != output->size[dim]) return "closed form of the output";
    }
    return NULL;
}

/* The answer at one point against the planner. */
static const char *compare_at(struct subject *subject, const int64_t *values)
{
    struct cp_memory memory;
    struct cp_stack stack;
    struct cp_plan plan;
    cp_memory_open(&memory, NULL, MEMORY_LIMIT, NULL);
    cp_plan_sizes(&plan, &stack, &subject->question, values, &memory.arena);
    bool expected = true;
    for (int symbol = 0; symbol < subject->symbols.count; symbol++)
        expected = expected && cp_size_set_has(&subject->sizes.sets[symbol], values[symbol]);
    const char *wrong = NULL;
    if (plan.valid != expected)
        wrong = plan.valid ? "a size that works is missing" : "a size that does not work";
    else if (plan.valid)
        wrong = compare_output(&subject->sizes, &plan.layers[stack.layer_count - 1].output, values);
    cp_memory_reset(&memory);
    return wrong;
}

static const char *check_canonical(const struct cp_size_set *set)
{
    for (int64_t shorter = 1; shorter < set->period; shorter++) {
        bool repeats = set->period % shorter == 0;
        for (int64_t n = set->from; repeats && n < set->from + set->period; n++)
            repeats = cp_size_set_has(set, n) == cp_size_set_has(set, n + shorter);
        if (repeats) return "a smaller period would do";
    }
    int64_t before = set->from - 1;
    if (before >= 1 && cp_size_set_has(set, before) == cp_size_set_has(set, before + set->period))
        return "a smaller `from` would do";
    return NULL;
}

static void count(struct tally *tally, const struct cp_valid_sizes *sizes)
{
    const struct cp_size_set *set = &sizes->sets[0];
    tally->answered++;
    tally->empty += set->minimum == 0;
    tally->finite += set->minimum && set->residue_count == 0;
    tally->periodic += set->residue_count && set->period > 1;
    for (int dim = 0; dim < sizes->rank; dim++) tally->formed += sizes->output[dim].has_form;
}

static const char *check_every_size(struct subject *subject)
{
    const struct cp_size_set *set = &subject->sizes.sets[0];
    int64_t last = set->from + 3 * set->period;
    last = last < LEAST_SIZE ? LEAST_SIZE : last > MOST_SIZE ? MOST_SIZE : last;
    for (int64_t n = 1; n <= last; n++) {
        const char *wrong = compare_at(subject, &n);
        if (wrong) {
            fprintf(stderr, "n = %lld: ", (long long)n);
            return wrong;
        }
    }
    return check_canonical(set);
}

static const char *check_grid(struct subject *subject)
{
    enum { SIDE = 24 };
    for (int64_t h = 1; h <= SIDE; h++)
        for (int64_t w = 1; w <= SIDE; w++) {
            const char *wrong = compare_at(subject, (const int64_t[]){h, w});
            if (wrong) {
                fprintf(stderr, "h = %lld, w = %lld: ", (long long)h, (long long)w);
                return wrong;
            }
        }
    return NULL;
}

static bool check(struct request *request, struct tally *tally)
{
    struct subject subject;
    const char *wrong = NULL;
    if (read_subject(&subject, request)) {
        cp_find_sizes(&subject.sizes, &subject.question, &subject.memory.arena);
        if (subject.sizes.refusal != CP_CODE_COUNT) {
            tally->refused++;
        } else {
            count(tally, &subject.sizes);
            wrong = subject.symbols.count == 2 ? check_grid(&subject) : check_every_size(&subject);
        }
    }
    cp_memory_reset(&subject.memory);
    if (wrong) fprintf(stderr, "%s\n  %.*s\n", wrong, (int)request->size, request->text);
    return wrong == NULL;
}

static void check_many(void (*make)(struct request *, uint64_t), int cases, int least_answered, struct tally *tally)
{
    static struct request request;
    int wrong = 0;
    *tally = (struct tally){0};
    for (int at = 0; at < cases && wrong < 10; at++) {
        make(&request, SEED + (uint64_t)at);
        wrong += !check(&request, tally);
    }
    printf("answered %d, refused %d, empty %d, finite %d, periodic %d, closed forms %d\n", tally->answered,
           tally->refused, tally->empty, tally->finite, tally->periodic, tally->formed);
    if (wrong) fail_msg("%d cases differ from the planner", wrong);
    assert_in_range(tally->answered, least_answered, cases);
}

static void random_stacks(void **state)
{
    struct tally tally;
    (void)state;
    check_many(make_stack, 3000, 2600, &tally);
    assert_in_range(tally.finite, 100, 3000);
    assert_in_range(tally.periodic, 100, 3000);
    assert_in_range(tally.formed, 500, 30000);
}

static void random_unets(void **state)
{
    struct tally tally;
    (void)state;
    check_many(make_unet, 1500, 1200, &tally);
    assert_in_range(tally.periodic, 300, 1500);
}

static void random_pairs(void **state)
{
    struct tally tally;
    (void)state;
    check_many(make_pair, 1500, 1100, &tally);
    assert_in_range(tally.finite, 20, 1500);
    assert_in_range(tally.periodic, 300, 1500);
}

static void two_free_sizes(void **state)
{
    struct tally tally;
    (void)state;
    check_many(make_two, 600, 400, &tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_stacks), cmocka_unit_test(random_unets),
                                       cmocka_unit_test(random_pairs), cmocka_unit_test(two_free_sizes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
