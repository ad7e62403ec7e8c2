#include "core/roundtrip.h"

#include "core/fix.h"
#include "core/layers/kinds.h"
#include "core/padding.h"
#include "core/repair.h"
#include "core/stage.h"

/* ---- Stages and partners ------------------------------------------------------------------------------------------ */

static bool all_equal(const int64_t *values, int count, int64_t value)
{
    for (int at = 0; at < count; at++)
        if (values[at] != value) return false;
    return true;
}

/* Stride 1 and p_b + p_e − output_padding = k̂ − 1 on every axis, with padding and output_padding that are legal: a stage
 * that gives nothing as it is written may have to be repaired. */
static bool window_keeps(const struct cp_layer *layer, const struct cp_padding *padding, const int64_t *extra)
{
    bool pools = layer->type->kind->stage == CP_STAGE_POOLING;
    for (int axis = 0; axis < layer->type->axes; axis++) {
        struct cp_stage stage;
        if (!cp_stage_of(&stage, layer, axis, layer->type->axes) || stage.window.stride != 1) return false;
        if (extra[axis] >= stage.window.dilation) return false;
        if (padding->mode == CP_PAD_SAME || padding->mode == CP_PAD_SAME_UPPER || padding->mode == CP_PAD_SAME_LOWER)
            continue; /* output_padding is refused beside it */
        /* the size does not matter, as these paddings do not depend on it */
        struct cp_window window = stage.window;
        if (!cp_padding_resolve(padding, axis, 1, false, &window)) return false;
        if (window.pad_begin + window.pad_end - extra[axis] != stage.span - 1) return false;
        if (pools && (window.pad_begin > stage.span / 2 || window.pad_end > stage.span / 2)) return false;
    }
    return true;
}

static bool convolution_keeps(const struct cp_layer *layer)
{
    const struct cp_convolution *conv = layer->params;
    return window_keeps(layer, &conv->padding, conv->output_padding);
}

static bool pool_keeps(const struct cp_layer *layer)
{
    static const int64_t none[CP_MAX_AXES];
    return window_keeps(layer, &((const struct cp_pool *)layer->params)->padding, none);
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

static int64_t from_begin(int64_t dim, int rank)
{
    return dim < 0 ? dim + rank : dim;
}

/* The dimension that holds the channels behind a layer; what cannot be followed is taken for channels first. */
static int channels_after(const struct cp_layer *layer, int channels, int rank)
{
    const struct cp_layer_kind *kind = layer->type->kind;
    if (kind == &cp_permute_kind) {
        const struct cp_sizes *dims = &((const struct cp_permute *)layer->params)->dims;
        for (int at = 0; at < dims->count; at++)
            if (from_begin(dims->at[at], rank) == channels) return at;
        return 1;
    }
    bool reshapes = kind == &cp_flatten_kind || kind == &cp_unflatten_kind || kind == &cp_reshape_kind ||
                    kind == &cp_opaque_kind ||
                    (kind == &cp_mean_kind && !((const struct cp_mean *)layer->params)->keepdim);
    return reshapes ? 1 : channels;
}

/* Taking the channels away, it rearranges the layout, not space. */
static bool permute_keeps(const struct cp_layer *layer, int rank)
{
    const struct cp_sizes *dims = &((const struct cp_permute *)layer->params)->dims;
    for (int at = 2; at < dims->count; at++)
        if (from_begin(dims->at[at], rank) != at) return channels_after(layer, 1, rank) != 1;
    return true;
}

static bool mean_keeps(const struct cp_mean *mean, int rank)
{
    for (int at = 0; mean->keepdim && at < mean->dim.count; at++)
        if (from_begin(mean->dim.at[at], rank) >= 2) return false;
    return true;
}

static bool slice_keeps(const struct cp_slice *slice, int rank)
{
    bool all = slice->start == 0 && slice->end >= CP_TO_THE_END && slice->step == 1;
    return all || from_begin(slice->dim, rank) < 2;
}

static bool concat_keeps(const struct cp_layer *layer, int rank)
{
    return layer->source_count == 1 || from_begin(((const struct cp_concat *)layer->params)->dim, rank) < 2;
}

static bool linear_keeps(const struct cp_linear *linear, int rank)
{
    return rank < 3 || linear->in_features == linear->out_features;
}

/* Kinds that do not go axis by axis. Those that name the whole shape give one size whatever they get. */
static bool rearranging_keeps(const struct cp_layer *layer, int rank)
{
    const struct cp_layer_kind *kind = layer->type->kind;
    if (kind == &cp_slice_kind) return slice_keeps(layer->params, rank);
    if (kind == &cp_mean_kind) return mean_keeps(layer->params, rank);
    if (kind == &cp_linear_kind) return linear_keeps(layer->params, rank);
    if (kind == &cp_concat_kind) return concat_keeps(layer, rank);
    if (kind == &cp_permute_kind) return permute_keeps(layer, rank);
    if (kind == &cp_reshape_kind) return rank < 3 || ((const struct cp_reshape *)layer->params)->shape.count != rank;
    return true;
}

bool cp_is_stage(const struct cp_layer *layer, int rank)
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
    case CP_STAGE_NONE: return !rearranging_keeps(layer, rank);
    }
    return false;
}

/* The number of dimensions that a layer gives, by its parameters and those of its sources alone. */
static int rank_after(const struct cp_layer *layer, const int *ranks)
{
    const struct cp_layer_kind *kind = layer->type->kind;
    int rank = ranks[layer->sources[0]];
    if (kind == &cp_flatten_kind) {
        const struct cp_flatten *flatten = layer->params;
        return rank - (int)(from_begin(flatten->end_dim, rank) - from_begin(flatten->start_dim, rank));
    }
    if (kind == &cp_unflatten_kind)
        return rank + ((const struct cp_unflatten *)layer->params)->unflattened_size.count - 1;
    if (kind == &cp_reshape_kind) return ((const struct cp_reshape *)layer->params)->shape.count;
    if (kind == &cp_opaque_kind) return ((const struct cp_opaque *)layer->params)->output_shape.count;
    if (kind == &cp_mean_kind) {
        const struct cp_mean *mean = layer->params;
        return mean->keepdim ? rank : rank - mean->dim.count;
    }
    for (uint32_t entry = 1; entry < layer->source_count; entry++) /* broadcast */
        if (ranks[layer->sources[entry]] > rank) rank = ranks[layer->sources[entry]];
    return rank;
}

/* Where the channels are not in their place, what rearranging layers change is not space, as far as can be told. */
static const bool *find_stages(const struct cp_stack *stack, struct cp_arena *arena)
{
    bool *is_stage = CP_NEW_ARRAY(arena, bool, stack->layer_count);
    int *channels = CP_NEW_ARRAY(arena, int, (size_t)stack->input_count + stack->layer_count);
    int *ranks = CP_NEW_ARRAY(arena, int, (size_t)stack->input_count + stack->layer_count);
    for (uint32_t at = 0; at < stack->input_count; at++) channels[at] = 1, ranks[at] = stack->inputs[at].shape.rank;
    for (uint32_t at = 0; at < stack->layer_count; at++) {
        const struct cp_layer *layer = &stack->layers[at];
        int rank = ranks[layer->sources[0]], place = channels[layer->sources[0]];
        is_stage[at] = cp_is_stage(layer, rank) && (place == 1 || layer->type->kind->stage != CP_STAGE_NONE);
        channels[stack->input_count + at] = channels_after(layer, place, rank);
        ranks[stack->input_count + at] = rank_after(layer, ranks);
    }
    return is_stage;
}

/* Append the stages among the layers of a path, which runs backwards, in the order of the stack. */
static uint32_t stages_of(const struct cp_pairing *pairing, const uint32_t *path, uint32_t count, uint32_t *stages)
{
    uint32_t found = 0;
    for (uint32_t at = count; at-- > 0;)
        if (pairing->is_stage[path[at]]) stages[found++] = path[at];
    return found;
}

/* The encoder's layers from its last back to the input, by first inputs. */
static uint32_t encoder_path(const struct cp_stack *stack, uint32_t *path)
{
    uint32_t count = 0, source = stack->input_count + stack->encoder_count - 1;
    while (source >= stack->input_count) {
        path[count++] = source - stack->input_count;
        source = stack->layers[source - stack->input_count].sources[0];
    }
    return count;
}

/* Which layers of the decoder depend on the latent. */
static bool *lead_to_latent(const struct cp_stack *stack, struct cp_arena *arena)
{
    uint32_t latent = stack->input_count + stack->encoder_count - 1;
    bool *leads = CP_NEW_ARRAY(arena, bool, stack->layer_count - stack->encoder_count);
    for (uint32_t at = stack->encoder_count; at < stack->layer_count; at++) {
        const struct cp_layer *layer = &stack->layers[at];
        for (uint32_t entry = 0; entry < layer->source_count; entry++) {
            uint32_t source = layer->sources[entry];
            if (source == latent || (source > latent && leads[source - latent - 1]))
                leads[at - stack->encoder_count] = true;
        }
    }
    return leads;
}

/* The decoder's layers from its last back to the latent. */
static uint32_t decoder_path(const struct cp_stack *stack, uint32_t *path, struct cp_arena *arena)
{
    uint32_t latent = stack->input_count + stack->encoder_count - 1;
    uint32_t count = 0, source = stack->input_count + stack->layer_count - 1;
    const bool *leads = lead_to_latent(stack, arena);
    while (source > latent) {
        const struct cp_layer *layer = &stack->layers[source - stack->input_count];
        path[count++] = source - stack->input_count;
        source = layer->sources[0];
        for (uint32_t entry = layer->source_count; entry-- > 0;)
            if (layer->sources[entry] > latent && leads[layer->sources[entry] - latent - 1])
                source = layer->sources[entry];
    }
    return count;
}

static void reverse(uint32_t *list, uint32_t count)
{
    for (uint32_t at = 0; at < count / 2; at++) {
        uint32_t kept = list[at];
        list[at] = list[count - 1 - at];
        list[count - 1 - at] = kept;
    }
}

void cp_pair_stages(struct cp_pairing *pairing, const struct cp_stack *stack, struct cp_arena *arena)
{
    uint32_t *back = CP_NEW_ARRAY(arena, uint32_t, stack->encoder_count);
    uint32_t decoder_count = stack->layer_count - stack->encoder_count;
    *pairing = (struct cp_pairing){.is_stage = find_stages(stack, arena),
                                   .encoder_at = CP_NEW_ARRAY(arena, uint32_t, stack->encoder_count),
                                   .decoder_at = CP_NEW_ARRAY(arena, uint32_t, decoder_count),
                                   .path = CP_NEW_ARRAY(arena, uint32_t, decoder_count)};
    pairing->encoder_stages = stages_of(pairing, back, encoder_path(stack, back), pairing->encoder_at);
    pairing->path_count = decoder_path(stack, pairing->path, arena);
    pairing->decoder_stages = stages_of(pairing, pairing->path, pairing->path_count, pairing->decoder_at);
    reverse(pairing->path, pairing->path_count);
    uint32_t encoders = pairing->encoder_stages, decoders = pairing->decoder_stages;
    pairing->pair_count = encoders < decoders ? encoders : decoders;
    pairing->pairs = CP_NEW_ARRAY(arena, struct cp_pair, pairing->pair_count);
    for (uint32_t at = 0; at < pairing->pair_count; at++)
        pairing->pairs[at] = (struct cp_pair){pairing->encoder_at[encoders - 1 - at], pairing->decoder_at[at]};
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

struct judgement {
    struct cp_plan *plan;
    const struct cp_pairing *pairing;
    struct cp_arena *arena;
    struct cp_repair repair;
};

static const struct cp_layer *layer_of(const struct judgement *judgement, uint32_t position)
{
    return &judgement->plan->stack->layers[judgement->pairing->path[position]];
}

/* ---- Fixes: one for each member that changes ---------------------------------------------------------------------- */

static struct cp_fix padding_fix(const struct judgement *judgement, uint32_t position)
{
    struct cp_fix fix = {.member = "padding", .form = CP_FIX_LIST, .count = judgement->repair.axes};
    if (layer_of(judgement, position)->type->kind->stage == CP_STAGE_BORDER) fix.form = CP_FIX_PAIRS;
    for (int axis = 0; axis < judgement->repair.axes; axis++) {
        const struct cp_adjustment *change = cp_adjustment_of(&judgement->repair, position, axis);
        if (change->begin != change->end) fix.form = CP_FIX_PAIRS;
    }
    for (int axis = 0; axis < judgement->repair.axes; axis++) {
        const struct cp_adjustment *change = cp_adjustment_of(&judgement->repair, position, axis);
        if (fix.form == CP_FIX_LIST) {
            fix.values[axis] = change->begin;
        } else {
            fix.values[2 * axis] = change->begin;
            fix.values[2 * axis + 1] = change->end;
        }
    }
    return fix;
}

static struct cp_fix list_fix(const struct judgement *judgement, uint32_t position, const char *member, bool sizes)
{
    struct cp_fix fix = {.member = member, .form = CP_FIX_LIST, .count = judgement->repair.axes};
    for (int axis = 0; axis < judgement->repair.axes; axis++) {
        const struct cp_adjustment *change = cp_adjustment_of(&judgement->repair, position, axis);
        fix.values[axis] = sizes ? change->size : change->extra;
    }
    return fix;
}

/* Which members of a layer change on any axis. */
static struct cp_adjustment changes_of(const struct judgement *judgement, uint32_t position)
{
    struct cp_adjustment any = {0};
    const struct cp_layer *layer = layer_of(judgement, position);
    bool transposed = layer->type->kind->stage == CP_STAGE_TRANSPOSED;
    const struct cp_convolution *conv = transposed ? layer->params : NULL;
    for (int axis = 0; axis < judgement->repair.axes; axis++) {
        const struct cp_adjustment *change = cp_adjustment_of(&judgement->repair, position, axis);
        any.padding = any.padding || change->padding;
        any.output_size = any.output_size || change->output_size;
        /* SAME that extends its output turns into output_padding only once padding is given in cells */
        any.output_padding =
            any.output_padding || (conv && change->output_padding && change->extra != conv->output_padding[axis]);
    }
    bool padded = any.padding && conv && all_equal(conv->output_size, judgement->repair.axes, 0);
    for (int axis = 0; padded && axis < judgement->repair.axes; axis++)
        any.output_padding = any.output_padding ||
                             cp_adjustment_of(&judgement->repair, position, axis)->extra != conv->output_padding[axis];
    return any;
}

/* Findings that the planner made in the decoder would repair single layers, with the sizes as they are now: the repair of
 * the whole replaces them, for layers that it leaves as they are, too. */
static void drop_other_fixes(struct cp_plan *plan)
{
    static const char *const ours[] = {"padding", "output_padding", "output_size", "size"};
    for (struct cp_finding *finding = plan->findings.first; finding; finding = finding->next) {
        if (finding->layer < plan->stack->encoder_count || finding->layer >= plan->stack->layer_count) continue;
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

static struct cp_argument given_sizes(const struct judgement *judgement, uint32_t layer)
{
    const struct cp_shape *shape = cp_plan_source_shape(judgement->plan, judgement->plan->stack->input_count + layer);
    return shape ? cp_dimensions(spatial_sizes(judgement->arena, shape)) : cp_words("nothing that can be planned");
}

static struct cp_argument wanted_sizes(const struct judgement *judgement, uint32_t position)
{
    struct cp_shape *sizes = CP_NEW(judgement->arena, struct cp_shape);
    sizes->rank = judgement->repair.axes;
    for (int axis = 0; axis < judgement->repair.axes; axis++)
        sizes->size[axis] = cp_adjustment_of(&judgement->repair, position, axis)->size;
    return cp_dimensions(sizes);
}

/* Why another size is needed. Where it is the one at hand, the layer is repaired because those before it are. */
static const char *reason_for(const struct judgement *judgement, uint32_t position)
{
    const struct cp_plan *plan = judgement->plan;
    const struct cp_shape *given =
        cp_plan_source_shape(plan, plan->stack->input_count + judgement->pairing->path[position]);
    bool same = given && given->rank == judgement->repair.axes + 2;
    for (int axis = 0; same && axis < judgement->repair.axes; axis++)
        same = given->size[axis + 2] == cp_adjustment_of(&judgement->repair, position, axis)->size;
    if (same) return "has to stay when the fixes before it change its input";
    return judgement->repair.paired ? "is what the encoder took there" : "is needed to get the input's size back";
}

static const char all_mended[] = "all fixes together make the pair fit";
static const char others_remain[] = "the other errors, which no fix mends, have to be mended as well";

static void report_fix(const struct judgement *judgement, uint32_t position, struct cp_fix fix)
{
    struct cp_plan *plan = judgement->plan;
    uint32_t layer = judgement->pairing->path[position];
    struct cp_finding *finding =
        cp_findings_add(&plan->findings, CP_CODE_round_trip_mismatch, layer,
                        CP_ARGUMENTS(cp_name(plan->stack->layers[layer].name), given_sizes(judgement, layer),
                                     wanted_sizes(judgement, position), cp_words(fix.member),
                                     cp_words(reason_for(judgement, position)), cp_words(all_mended)));
    finding->member = fix.member;
    finding->axes = judgement->repair.axes;
    finding->fix = fix;
}

static void report_layer(const struct judgement *judgement, uint32_t position)
{
    struct cp_adjustment changes = changes_of(judgement, position);
    bool upsamples = layer_of(judgement, position)->type->kind->stage == CP_STAGE_UPSAMPLE;
    if (changes.padding) report_fix(judgement, position, padding_fix(judgement, position));
    if (changes.output_padding) report_fix(judgement, position, list_fix(judgement, position, "output_padding", false));
    if (changes.output_size)
        report_fix(judgement, position, list_fix(judgement, position, upsamples ? "size" : "output_size", true));
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
    case CP_STAGE_NONE: return "change its own parameters, or the layers before it";
    default: return "choose another input size; /v1/sizes tells which work";
    }
}

/* What the stuck layer has to give; in words where several sizes would do. */
static struct cp_argument needed_sizes(const struct judgement *judgement)
{
    const struct cp_shape *wanted = judgement->repair.wanted;
    for (int axis = 0; axis < wanted->rank; axis++)
        if (wanted->size[axis] == CP_ANY_SIZE) return cp_words("another size");
    return cp_dimensions(wanted);
}

static void report_stuck(const struct judgement *judgement)
{
    struct cp_plan *plan = judgement->plan;
    uint32_t position = judgement->repair.count;
    uint32_t layer = judgement->pairing->path[position];
    struct cp_finding *finding =
        cp_findings_add(&plan->findings, CP_CODE_no_fix_round_trips, layer,
                        CP_ARGUMENTS(cp_name(plan->stack->layers[layer].name), given_sizes(judgement, layer),
                                     needed_sizes(judgement), cp_words(remedy_of(layer_of(judgement, position)))));
    finding->axes = judgement->repair.axes;
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
    for (uint32_t at = 0; cp_is_paired(pairing) && at < pairing->pair_count; at++)
        if (!cp_same_spatial_sizes(cp_pair_output(plan, &pairing->pairs[at]),
                                   cp_pair_expected(plan, &pairing->pairs[at])))
            return false;
    return true;
}

static bool goes_round(const struct cp_plan *plan, const struct cp_pairing *pairing)
{
    const struct cp_stack *stack = plan->stack;
    return pairs_agree(plan, pairing) &&
           cp_same_spatial_sizes(cp_plan_source_shape(plan, stack->input_count + stack->layer_count - 1),
                                 &stack->inputs[0].shape);
}

/* Errors that have nothing to do with sizes may be left when all fixes are applied: say so at each. */
static void look_beyond_fixes(const struct judgement *judgement)
{
    struct cp_stack fixed = cp_stack_fixed(judgement->plan, judgement->arena);
    struct cp_pairing pairing;
    struct cp_plan plan;
    cp_plan_stack(&plan, &fixed, CP_PLAN_ALL, judgement->arena);
    cp_pair_stages(&pairing, &fixed, judgement->arena);
    if (plan.valid && goes_round(&plan, &pairing)) return;
    for (struct cp_finding *finding = judgement->plan->findings.first; finding; finding = finding->next)
        if (finding->code == CP_CODE_round_trip_mismatch)
            finding->arguments[finding->argument_count - 1] = cp_words(others_remain);
}

static const char too_many_ways[] = "there are too many ways to change the decoder's padding to try all of them";
static const char left_alone[] =
    "the decoder's layers beside its main path, which change sizes too, were taken as they are";

/* Find what would repair the pair and report it. There is always an error afterwards. */
static void report_repair(struct judgement *judgement, const struct cp_shape *output)
{
    struct cp_repair *repair = &judgement->repair;
    cp_find_repair(repair, judgement->plan, judgement->pairing, judgement->arena);
    bool known = repair->result == CP_REPAIRED || repair->result == CP_REPAIR_STUCK;
    if (known) drop_other_fixes(judgement->plan);
    for (uint32_t at = 0; known && at < repair->count; at++) report_layer(judgement, at);
    if (known) look_beyond_fixes(judgement);
    if (repair->result == CP_REPAIR_STUCK) report_stuck(judgement);
    if (repair->result == CP_REPAIR_MISSES || judgement->plan->findings.errors == 0)
        report_last(judgement->plan, output);
    if (repair->undecided || repair->beside)
        cp_findings_add(&judgement->plan->findings, CP_CODE_repair_not_decided, judgement->plan->stack->layer_count - 1,
                        CP_ARGUMENTS(cp_words(repair->undecided ? too_many_ways : left_alone)));
}

static void warn_of_leftovers(struct cp_plan *plan, const struct cp_pairing *pairing)
{
    uint32_t encoders = pairing->encoder_stages, decoders = pairing->decoder_stages;
    for (uint32_t left = pairing->pair_count; left < encoders || left < decoders; left++) {
        uint32_t at = encoders > decoders ? pairing->encoder_at[encoders - 1 - left] : pairing->decoder_at[left];
        cp_findings_add(&plan->findings, CP_CODE_unpaired_stages, at,
                        CP_ARGUMENTS(cp_name(plan->stack->layers[at].name), cp_number(encoders), cp_number(decoders)));
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
    struct judgement judgement = {.plan = plan, .pairing = pairing, .arena = arena};
    if (!goes_round(plan, pairing)) report_repair(&judgement, output);
    if (!cp_is_paired(pairing)) warn_of_leftovers(plan, pairing);
    warn_of_channels(plan, output);
    plan->valid = plan->findings.errors == 0;
}
