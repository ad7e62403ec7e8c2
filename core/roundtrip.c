#include "core/roundtrip.h"

#include "core/layers/parameters.h"
#include "core/stage.h"

/* ---- Stages and partners ------------------------------------------------------------------------------------------ */

static bool all_equal(const int64_t *values, int count, int64_t value)
{
    for (int at = 0; at < count; at++)
        if (values[at] != value) return false;
    return true;
}

/* Stride 1 and p_b + p_e = k̂ − 1 on every axis. */
static bool window_keeps(const struct cp_layer *layer, const struct cp_padding *padding, const int64_t *stride)
{
    bool same =
        padding->mode == CP_PAD_SAME || padding->mode == CP_PAD_SAME_UPPER || padding->mode == CP_PAD_SAME_LOWER;
    for (int axis = 0; axis < layer->type->axes; axis++) {
        struct cp_stage stage;
        if (stride[axis] != 1 || !cp_stage_of(&stage, layer, axis)) return false;
        int64_t total = padding->begin[axis] + padding->end[axis];
        if (padding->mode == CP_PAD_VALID) total = 0;
        if (padding->mode == CP_PAD_HALF) total = 2 * (stage.span / 2);
        if (padding->mode == CP_PAD_FULL) total = 2 * (stage.span - 1);
        if (!same && total != stage.span - 1) return false;
    }
    return true;
}

static bool convolution_keeps(const struct cp_layer *layer)
{
    const struct cp_convolution *conv = layer->params;
    return all_equal(conv->output_padding, layer->type->axes, 0) && window_keeps(layer, &conv->padding, conv->stride);
}

static bool pool_keeps(const struct cp_layer *layer)
{
    const struct cp_pool *pool = layer->params;
    int64_t stride[CP_MAX_AXES];
    for (int axis = 0; axis < layer->type->axes; axis++)
        stride[axis] = pool->stride[axis] ? pool->stride[axis] : pool->kernel_size[axis];
    return window_keeps(layer, &pool->padding, stride);
}

static bool border_keeps(const struct cp_layer *layer)
{
    const struct cp_border *border = layer->params;
    for (int axis = 0; axis < layer->type->axes; axis++)
        if (border->padding.begin[axis] + border->padding.end[axis] != 0) return false;
    return true;
}

static bool upsample_keeps(const struct cp_layer *layer)
{
    const struct cp_upsample *upsample = layer->params;
    for (int at = 0; at < upsample->scale_factor.count; at++)
        if (upsample->scale_factor.at[at] != 1) return false;
    return upsample->size.count == 0;
}

bool cp_is_stage(const struct cp_layer *layer)
{
    switch (layer->type->kind->stage) {
    case CP_STAGE_CONVOLUTION:
    case CP_STAGE_TRANSPOSED: return !convolution_keeps(layer);
    case CP_STAGE_POOLING:
    case CP_STAGE_UNPOOLING: return !pool_keeps(layer);
    case CP_STAGE_BORDER: return !border_keeps(layer);
    case CP_STAGE_UPSAMPLE: return !upsample_keeps(layer);
    case CP_STAGE_SHUFFLE:
    case CP_STAGE_UNSHUFFLE: return ((const struct cp_pixel_shuffle *)layer->params)->factor != 1;
    case CP_STAGE_ADAPTIVE:
        return !all_equal(((const struct cp_adaptive_pool *)layer->params)->output_size, layer->type->axes, 0);
    case CP_STAGE_CROP: return true;
    case CP_STAGE_NONE: break;
    }
    return false;
}

void cp_pair_stages(struct cp_pairing *pairing, const struct cp_stack *stack, struct cp_arena *arena)
{
    *pairing = (struct cp_pairing){.pairs = CP_NEW_ARRAY(arena, struct cp_pair, stack->layer_count)};
    uint32_t next = stack->encoder_count; /* one past the encoder layer that is looked at next */
    for (uint32_t at = 0; at < stack->encoder_count; at++) pairing->encoder_stages += cp_is_stage(&stack->layers[at]);
    for (uint32_t at = stack->encoder_count; at < stack->layer_count; at++) {
        if (!cp_is_stage(&stack->layers[at])) continue;
        pairing->decoder_stages++;
        while (next > 0 && !cp_is_stage(&stack->layers[next - 1])) next--;
        if (next > 0) pairing->pairs[pairing->pair_count++] = (struct cp_pair){--next, at};
    }
}

/* ---- Comparing ---------------------------------------------------------------------------------------------------- */

const struct cp_shape *cp_pair_output(const struct cp_plan *plan, const struct cp_pair *pair)
{
    return cp_plan_source_shape(plan, plan->stack->input_count + pair->decoder);
}

const struct cp_shape *cp_pair_expected(const struct cp_plan *plan, const struct cp_pair *pair)
{
    return cp_plan_source_shape(plan, plan->stack->layers[pair->encoder].sources[0]);
}

bool cp_same_spatial_sizes(const struct cp_shape *a, const struct cp_shape *b)
{
    if (!a || !b || a->rank != b->rank) return false;
    for (int dim = 2; dim < a->rank; dim++)
        if (a->size[dim] != b->size[dim]) return false;
    return true;
}

/* ---- Repairing: what the decoder's stages have to give, one axis at a time ---------------------------------------- */

struct repair {
    struct cp_plan *plan;
    const struct cp_pairing *pairing;
    struct cp_arena *arena;
    uint32_t *stages; /* positions of the decoder's stages, in order */
    uint32_t count;
    struct cp_range *wanted;           /* of the output of each stage, on the axis at hand */
    struct cp_adjustment *adjustments; /* [stage][axis] */
    int axes;                          /* of the network's input */
    uint32_t stuck;                    /* the first stage that no change of its own can help, or count */
};

static struct cp_adjustment *adjustment_at(const struct repair *repair, uint32_t stage, int axis)
{
    return &repair->adjustments[stage * CP_MAX_AXES + (uint32_t)axis];
}

static const struct cp_layer *layer_of(const struct repair *repair, uint32_t stage)
{
    return &repair->plan->stack->layers[repair->stages[stage]];
}

/* With as many stages on both sides each has its partner's input to give; else only the last size counts, and what the
 * stages before must give follows from the last backwards. */
static void set_wanted(struct repair *repair, int axis)
{
    bool paired = repair->pairing->encoder_stages == repair->pairing->decoder_stages;
    int64_t last = repair->plan->stack->inputs[0].shape.size[axis + 2];
    struct cp_range wanted = {last, last};
    for (uint32_t at = repair->count; at-- > 0;) {
        if (paired) {
            const struct cp_shape *expected = cp_pair_expected(repair->plan, &repair->pairing->pairs[at]);
            wanted.low = wanted.high = expected->size[axis + 2];
        }
        struct cp_stage stage;
        repair->wanted[at] = wanted;
        if (cp_stage_of(&stage, layer_of(repair, at), axis)) wanted = cp_stage_demand(&stage, wanted);
    }
}

static int64_t clamp(int64_t value, struct cp_range range)
{
    if (value < range.low) return range.low;
    return value > range.high ? range.high : value;
}

/* Walk from the latent to the last stage, each giving the size within its range that is nearest to what it gives now. */
static void repair_axis(struct repair *repair, int64_t latent, int axis)
{
    int64_t size = latent;
    for (uint32_t at = 0; at < repair->count && at < repair->stuck; at++) {
        struct cp_stage stage;
        struct cp_range reach = {1, 0};
        if (cp_stage_of(&stage, layer_of(repair, at), axis)) reach = cp_stage_reach(&stage, size);
        if (reach.low < repair->wanted[at].low) reach.low = repair->wanted[at].low;
        if (reach.high > repair->wanted[at].high) reach.high = repair->wanted[at].high;
        if (reach.low > reach.high) {
            repair->stuck = at;
            return;
        }
        int64_t output = clamp(cp_stage_output(&stage, size), reach);
        *adjustment_at(repair, at, axis) = cp_stage_adjust(&stage, size, output);
        size = output;
    }
}

static bool find_repair(struct repair *repair)
{
    const struct cp_stack *stack = repair->plan->stack;
    const struct cp_shape *latent = cp_plan_source_shape(repair->plan, stack->input_count + stack->encoder_count - 1);
    const struct cp_shape *input = &stack->inputs[0].shape;
    if (!latent || latent->rank != input->rank || input->rank < 3 || input->rank > CP_MAX_AXES + 2) return false;
    uint32_t decoder_count = stack->layer_count - stack->encoder_count;
    repair->axes = input->rank - 2;
    repair->stages = CP_NEW_ARRAY(repair->arena, uint32_t, decoder_count);
    for (uint32_t at = stack->encoder_count; at < stack->layer_count; at++)
        if (cp_is_stage(&stack->layers[at])) repair->stages[repair->count++] = at;
    repair->wanted = CP_NEW_ARRAY(repair->arena, struct cp_range, repair->count);
    repair->adjustments = CP_NEW_ARRAY(repair->arena, struct cp_adjustment, (size_t)repair->count * CP_MAX_AXES);
    repair->stuck = repair->count;
    for (uint32_t at = 0; at < repair->count; at++) {
        int axes = layer_of(repair, at)->type->axes;
        if (axes && axes != repair->axes) return false;
    }
    for (int axis = 0; axis < repair->axes; axis++) {
        set_wanted(repair, axis);
        repair_axis(repair, latent->size[axis + 2], axis);
    }
    return true;
}

/* ---- Fixes: one for each member that changes ---------------------------------------------------------------------- */

static struct cp_fix padding_fix(const struct repair *repair, uint32_t stage)
{
    struct cp_fix fix = {.member = "padding", .form = CP_FIX_LIST, .count = repair->axes};
    if (layer_of(repair, stage)->type->kind->stage == CP_STAGE_BORDER) fix.form = CP_FIX_PAIRS;
    for (int axis = 0; axis < repair->axes; axis++) {
        const struct cp_adjustment *change = adjustment_at(repair, stage, axis);
        if (change->begin != change->end) fix.form = CP_FIX_PAIRS;
    }
    for (int axis = 0; axis < repair->axes; axis++) {
        const struct cp_adjustment *change = adjustment_at(repair, stage, axis);
        if (fix.form == CP_FIX_LIST) {
            fix.values[axis] = change->begin;
        } else {
            fix.values[2 * axis] = change->begin;
            fix.values[2 * axis + 1] = change->end;
        }
    }
    return fix;
}

static struct cp_fix list_fix(const struct repair *repair, uint32_t stage, const char *member, bool sizes)
{
    struct cp_fix fix = {.member = member, .form = CP_FIX_LIST, .count = repair->axes};
    for (int axis = 0; axis < repair->axes; axis++) {
        const struct cp_adjustment *change = adjustment_at(repair, stage, axis);
        fix.values[axis] = sizes ? change->size : change->extra;
    }
    return fix;
}

/* Which members of a stage change on any axis. */
static struct cp_adjustment changes_of(const struct repair *repair, uint32_t stage)
{
    struct cp_adjustment any = {0};
    const struct cp_layer *layer = layer_of(repair, stage);
    bool transposed = layer->type->kind->stage == CP_STAGE_TRANSPOSED;
    const struct cp_convolution *conv = transposed ? layer->params : NULL;
    for (int axis = 0; axis < repair->axes; axis++) {
        const struct cp_adjustment *change = adjustment_at(repair, stage, axis);
        any.padding = any.padding || change->padding;
        any.output_size = any.output_size || change->output_size;
        /* SAME that extends its output turns into output_padding only once padding is given in cells */
        any.output_padding =
            any.output_padding || (conv && change->output_padding && change->extra != conv->output_padding[axis]);
    }
    for (int axis = 0; any.padding && conv && conv->output_size[0] == 0 && axis < repair->axes; axis++)
        any.output_padding =
            any.output_padding || adjustment_at(repair, stage, axis)->extra != conv->output_padding[axis];
    return any;
}

/* Findings that the planner made on this member would repair the layer alone, not the pair: ours replaces them. */
static void drop_other_fixes(struct cp_plan *plan, uint32_t layer)
{
    static const char *const ours[] = {"padding", "output_padding", "output_size", "size"};
    for (struct cp_finding *finding = plan->findings.first; finding; finding = finding->next) {
        if (finding->layer != layer || !finding->fix.member) continue;
        for (size_t at = 0; at < sizeof ours / sizeof ours[0]; at++)
            if (finding->fix.member && !strcmp(finding->fix.member, ours[at])) finding->fix.member = NULL;
    }
}

/* The spatial sizes of a shape as a shape, for messages. */
static const struct cp_shape *spatial_sizes(struct cp_arena *arena, const struct cp_shape *shape)
{
    struct cp_shape *sizes = CP_NEW(arena, struct cp_shape);
    for (int dim = 2; shape && dim < shape->rank; dim++) sizes->size[sizes->rank++] = shape->size[dim];
    return sizes;
}

static struct cp_argument given_sizes(const struct repair *repair, uint32_t layer)
{
    const struct cp_shape *shape = cp_plan_source_shape(repair->plan, repair->plan->stack->input_count + layer);
    return shape ? cp_dimensions(spatial_sizes(repair->arena, shape)) : cp_words("nothing that can be planned");
}

static struct cp_argument wanted_sizes(const struct repair *repair, uint32_t stage)
{
    struct cp_shape *sizes = CP_NEW(repair->arena, struct cp_shape);
    sizes->rank = repair->axes;
    for (int axis = 0; axis < repair->axes; axis++) sizes->size[axis] = adjustment_at(repair, stage, axis)->size;
    return cp_dimensions(sizes);
}

static void report_fix(const struct repair *repair, uint32_t stage, struct cp_fix fix)
{
    struct cp_plan *plan = repair->plan;
    uint32_t layer = repair->stages[stage];
    struct cp_finding *finding =
        cp_findings_add(&plan->findings, CP_CODE_round_trip_mismatch, layer,
                        CP_ARGUMENTS(cp_name(plan->stack->layers[layer].name), given_sizes(repair, layer),
                                     wanted_sizes(repair, stage), cp_words(fix.member)));
    finding->member = fix.member;
    finding->axes = repair->axes;
    finding->fix = fix;
}

static void report_stage(const struct repair *repair, uint32_t stage)
{
    struct cp_adjustment changes = changes_of(repair, stage);
    bool upsamples = layer_of(repair, stage)->type->kind->stage == CP_STAGE_UPSAMPLE;
    if (changes.padding || changes.output_padding || changes.output_size)
        drop_other_fixes(repair->plan, repair->stages[stage]);
    if (changes.padding) report_fix(repair, stage, padding_fix(repair, stage));
    if (changes.output_padding) report_fix(repair, stage, list_fix(repair, stage, "output_padding", false));
    if (changes.output_size)
        report_fix(repair, stage, list_fix(repair, stage, upsamples ? "size" : "output_size", true));
}

/* What would help where padding cannot. */
static const char *remedy_of(const struct cp_layer *layer)
{
    switch (layer->type->kind->stage) {
    case CP_STAGE_UPSAMPLE: return "give it `size` in place of `scale_factor`";
    case CP_STAGE_SHUFFLE:
    case CP_STAGE_UNSHUFFLE: return "choose an input size that its factor divides, or crop after it";
    case CP_STAGE_CROP: return "crop less, or make its input larger";
    case CP_STAGE_TRANSPOSED:
    case CP_STAGE_UNPOOLING: return "a larger stride or kernel_size is needed to reach that size";
    case CP_STAGE_CONVOLUTION:
    case CP_STAGE_POOLING: return "a larger stride, or a layer that upsamples, is needed";
    default: return "choose another input size; /v1/sizes tells which work";
    }
}

static void report_stuck(const struct repair *repair)
{
    struct cp_plan *plan = repair->plan;
    uint32_t layer = repair->stages[repair->stuck];
    bool paired = repair->pairing->encoder_stages == repair->pairing->decoder_stages;
    const struct cp_shape *wanted = &plan->stack->inputs[0].shape;
    if (paired) wanted = cp_pair_expected(plan, &repair->pairing->pairs[repair->stuck]);
    struct cp_finding *finding =
        cp_findings_add(&plan->findings, CP_CODE_no_fix_round_trips, layer,
                        CP_ARGUMENTS(cp_name(plan->stack->layers[layer].name), given_sizes(repair, layer),
                                     cp_dimensions(spatial_sizes(repair->arena, wanted)),
                                     cp_words(remedy_of(&plan->stack->layers[layer]))));
    finding->axes = repair->axes;
}

static void report_last(struct cp_plan *plan, const struct cp_shape *output)
{
    cp_findings_add(&plan->findings, CP_CODE_output_differs, plan->stack->layer_count - 1,
                    CP_ARGUMENTS(cp_dimensions(&plan->stack->inputs[0].shape),
                                 output ? cp_dimensions(output) : cp_words("not known")));
}

/* ---- The verdict -------------------------------------------------------------------------------------------------- */

static bool pairs_agree(const struct cp_plan *plan, const struct cp_pairing *pairing)
{
    if (pairing->encoder_stages != pairing->decoder_stages) return true;
    for (uint32_t at = 0; at < pairing->pair_count; at++)
        if (!cp_same_spatial_sizes(cp_pair_output(plan, &pairing->pairs[at]),
                                   cp_pair_expected(plan, &pairing->pairs[at])))
            return false;
    return true;
}

static void warn_of_leftovers(struct cp_plan *plan, const struct cp_pairing *pairing)
{
    const struct cp_stack *stack = plan->stack;
    bool more_encoders = pairing->encoder_stages > pairing->decoder_stages;
    uint32_t left = more_encoders ? pairing->encoder_stages - pairing->decoder_stages
                                  : pairing->decoder_stages - pairing->encoder_stages;
    uint32_t first = more_encoders ? 0 : stack->encoder_count,
             end = more_encoders ? stack->encoder_count : stack->layer_count;
    uint32_t skipped = more_encoders ? 0 : pairing->pair_count;
    for (uint32_t at = first; left && at < end; at++) {
        if (!cp_is_stage(&stack->layers[at])) continue;
        if (skipped) {
            skipped--;
            continue;
        }
        left--;
        cp_findings_add(&plan->findings, CP_CODE_unpaired_stages, at,
                        CP_ARGUMENTS(cp_name(stack->layers[at].name), cp_number(pairing->encoder_stages),
                                     cp_number(pairing->decoder_stages)));
    }
}

static void warn_of_channels(struct cp_plan *plan, const struct cp_shape *output)
{
    const struct cp_shape *input = &plan->stack->inputs[0].shape;
    if (!output || output->rank != input->rank || input->rank < 2 || output->size[1] == input->size[1]) return;
    cp_findings_add(&plan->findings, CP_CODE_channels_differ, plan->stack->layer_count - 1,
                    CP_ARGUMENTS(cp_number(input->size[1]), cp_number(output->size[1])));
}

void cp_judge_roundtrip(struct cp_plan *plan, const struct cp_pairing *pairing, struct cp_arena *arena)
{
    const struct cp_stack *stack = plan->stack;
    const struct cp_shape *output = cp_plan_source_shape(plan, stack->input_count + stack->layer_count - 1);
    bool right = pairs_agree(plan, pairing) && cp_same_spatial_sizes(output, &stack->inputs[0].shape);
    struct repair repair = {.plan = plan, .pairing = pairing, .arena = arena};
    if (!right && find_repair(&repair)) {
        uint32_t before = plan->findings.count;
        for (uint32_t stage = 0; stage < repair.stuck; stage++) report_stage(&repair, stage);
        if (repair.stuck < repair.count) report_stuck(&repair);
        right = plan->findings.count > before;
    }
    if (!right && plan->findings.errors == 0) report_last(plan, output);
    if (pairing->encoder_stages != pairing->decoder_stages) warn_of_leftovers(plan, pairing);
    warn_of_channels(plan, output);
    plan->valid = plan->findings.errors == 0;
}
