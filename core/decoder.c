#include "core/decoder.h"

#include <stdio.h>

#include "core/layers/kinds.h"
#include "core/roundtrip.h"

struct design {
    struct cp_plan *plan;
    struct cp_arena *arena;
    enum cp_pool_inverse pools;
    struct cp_decoder *decoder;
    /* of the encoder's layer at hand */
    uint32_t index;
    const struct cp_layer *layer;
    const struct cp_layer_plan *planned;
    const struct cp_shape *input, *output;
};

/* ---- Making layers ------------------------------------------------------------------------------------------------ */

static struct cp_text suffixed(struct design *design, const char *suffix)
{
    struct cp_text name = design->layer->name;
    size_t added = strlen(suffix);
    if (name.size + added > CP_MAX_NAME_BYTES) return (struct cp_text){0};
    char *bytes = cp_arena_take(design->arena, name.size + added, 1);
    memcpy(bytes, name.bytes, name.size);
    memcpy(bytes + name.size, suffix, added);
    return (struct cp_text){bytes, name.size + added};
}

/* A new last layer of the decoder with its kind's defaults; returns its parameters to be filled in. */
static void *add_layer(struct design *design, struct cp_text type, const char *suffix, struct cp_layer **added)
{
    struct cp_layer *layer = &design->decoder->layers[design->decoder->layer_count++];
    *layer = (struct cp_layer){.type = cp_layer_type_find(type), .name = suffixed(design, suffix)};
    const struct cp_layer_kind *kind = layer->type->kind;
    void *parameters = cp_arena_take(design->arena, kind->parameter_size, alignof(max_align_t));
    if (kind->parameter_size) memcpy(parameters, kind->defaults, kind->parameter_size);
    layer->params = parameters;
    *added = layer;
    return parameters;
}

/* A type named "…{N}d" for the layer's number of axes. */
static void *add_window_layer(struct design *design, const char *base, struct cp_layer **added)
{
    enum { ROOM = 32 };
    char name[ROOM];
    int axes = design->input->rank - 2;
    size_t size = (size_t)snprintf(name, sizeof name, "%s%dd", base, axes);
    return add_layer(design, (struct cp_text){name, size}, "_inverse", added);
}

/* Mark members as given, by name, so that they are written. */
static void give(struct cp_layer *layer, const char *const *names)
{
    const struct cp_layer_kind *kind = layer->type->kind;
    for (; *names; names++)
        for (int member = 0; member < kind->member_count; member++)
            if (!strcmp(kind->members[member].name.bytes, *names)) layer->given |= 1u << member;
}

#define GIVE(layer, ...) give((layer), (const char *const[]){__VA_ARGS__, NULL})

static bool all_ones(const int64_t *values, int count)
{
    for (int at = 0; at < count; at++)
        if (values[at] != 1) return false;
    return true;
}

static bool no_inverse(struct design *design)
{
    struct cp_finding *finding =
        cp_findings_add(&design->plan->findings, CP_CODE_no_inverse, design->index,
                        CP_ARGUMENTS(cp_name(design->layer->name), cp_words(design->layer->type->name)));
    finding->axes = design->input->rank - 2;
    return false;
}

/* ---- Windows ------------------------------------------------------------------------------------------------------ */

/* Padding and output_padding with which a transposed layer gives the input's size back: what the window left over (a of
 * Relationship 14) is added; where ceiling reached past the end, that much more is cropped there. */
static void undo_window(const struct cp_axis_trace *trace, int axis, struct cp_padding *padding, int64_t *extra)
{
    int64_t natural = 0;
    (void)!cp_transposed_natural(&trace->window, trace->output, &natural);
    int64_t missing = trace->input - natural;
    padding->begin[axis] = trace->window.pad_begin;
    padding->end[axis] = trace->window.pad_end + (missing < 0 ? -missing : 0);
    *extra = missing < 0 ? 0 : missing;
}

static void give_convolution(struct cp_layer *layer, const struct cp_convolution *conv, int axes)
{
    GIVE(layer, "in_channels", "out_channels", "kernel_size", "stride", "padding");
    if (!all_ones(conv->dilation, axes)) GIVE(layer, "dilation");
    if (conv->groups != 1) GIVE(layer, "groups");
    if (!conv->bias) GIVE(layer, "bias");
}

/* ConvTranspose for the traced window; channels as the tensors have them. */
static struct cp_convolution *add_transposed(struct design *design)
{
    struct cp_layer *layer;
    struct cp_convolution *conv = add_window_layer(design, "ConvTranspose", &layer);
    int axes = design->input->rank - 2;
    conv->in_channels = design->output->size[1];
    conv->out_channels = design->input->size[1];
    for (int axis = 0; axis < axes; axis++) {
        const struct cp_axis_trace *trace = &design->planned->trace[axis];
        conv->kernel_size[axis] = trace->window.kernel;
        conv->stride[axis] = trace->window.stride;
        conv->dilation[axis] = trace->window.dilation;
        undo_window(trace, axis, &conv->padding, &conv->output_padding[axis]);
    }
    give_convolution(layer, conv, axes);
    GIVE(layer, "output_padding");
    return conv;
}

static bool invert_convolution(struct design *design)
{
    const struct cp_convolution *forward = design->layer->params;
    struct cp_convolution *conv = add_transposed(design);
    struct cp_layer *layer = &design->decoder->layers[design->decoder->layer_count - 1];
    conv->groups = forward->groups;
    conv->bias = forward->bias;
    give_convolution(layer, conv, design->input->rank - 2);
    return true;
}

/* Padding with which a convolution or pool makes `trace->input` of `trace->output` again: as the transposed layer had it
 * where that will do, else the nearest. False when none does. */
static bool undo_transposed(const struct cp_axis_trace *trace, int axis, struct cp_padding *padding)
{
    const struct cp_window *window = &trace->window;
    int64_t span;
    if (!cp_window_span(window, &span)) return false;
    int64_t least = window->stride * (trace->input - 1) + span - trace->output;
    int64_t most = least + window->stride - 1;
    int64_t total = window->pad_begin + window->pad_end;
    bool keep = total >= least && total <= most && window->pad_end >= 0;
    if (most < 0) return false;
    if (!keep) total = least > 0 ? least : 0;
    padding->begin[axis] = keep ? window->pad_begin : total / 2;
    padding->end[axis] = total - padding->begin[axis];
    return true;
}

static bool invert_transposed(struct design *design)
{
    const struct cp_convolution *forward = design->layer->params;
    struct cp_layer *layer;
    struct cp_convolution *conv = add_window_layer(design, "Conv", &layer);
    int axes = design->input->rank - 2;
    *conv = *forward;
    conv->padding = (struct cp_padding){0};
    conv->in_channels = design->output->size[1];
    conv->out_channels = design->input->size[1];
    for (int axis = 0; axis < axes; axis++) {
        conv->output_padding[axis] = conv->output_size[axis] = 0;
        if (!undo_transposed(&design->planned->trace[axis], axis, &conv->padding)) return no_inverse(design);
    }
    give_convolution(layer, conv, axes);
    return true;
}

static bool invert_unpool(struct design *design)
{
    struct cp_layer *layer;
    struct cp_pool *pool = add_window_layer(design, "MaxPool", &layer);
    for (int axis = 0; axis < design->input->rank - 2; axis++) {
        const struct cp_axis_trace *trace = &design->planned->trace[axis];
        pool->kernel_size[axis] = trace->window.kernel;
        pool->stride[axis] = trace->window.stride;
        if (!undo_transposed(trace, axis, &pool->padding)) return no_inverse(design);
        if (pool->padding.end[axis] > trace->window.kernel / 2) return no_inverse(design);
    }
    GIVE(layer, "kernel_size", "stride", "padding");
    return true;
}

/* ---- Pools -------------------------------------------------------------------------------------------------------- */

/* Upsample to the input's size: by a factor where that is exact. What happens to keep the size at hand is a stage, and
 * so has to be what undoes it; what keeps every size needs nothing to undo it. */
static bool invert_by_upsample(struct design *design)
{
    struct cp_layer *layer;
    bool same = cp_same_spatial_sizes(design->input, design->output);
    if (!cp_is_stage(design->layer, design->input->rank)) return true;
    struct cp_upsample *upsample = add_layer(design, CP_TEXT("Upsample"), "_inverse", &layer);
    int axes = design->input->rank - 2;
    bool whole = !same;
    for (int axis = 0; axis < axes; axis++) {
        int64_t to = design->input->size[axis + 2], from = design->output->size[axis + 2];
        whole = whole && to % from == 0;
        upsample->size.at[axis] = to;
        int64_t factor = to / from; /* counts where it leaves no rest */
        upsample->scale_factor.at[axis] = (double)factor;
    }
    upsample->size.count = whole ? 0 : axes;
    upsample->scale_factor.count = whole ? axes : 0;
    give(layer, (const char *const[]){whole ? "scale_factor" : "size", NULL});
    return true;
}

/* The window with the same padding on both sides, as PyTorch's MaxUnpool has nothing else, where an output_size can make
 * up for the odd cell: one within a stride of the default. */
static struct cp_window evenly_padded(const struct cp_axis_trace *trace)
{
    struct cp_window even = trace->window;
    int64_t total = even.pad_begin + even.pad_end, natural;
    for (int more = 0; more <= total % 2; more++) {
        even.pad_begin = even.pad_end = total / 2 + more;
        if (!cp_transposed_natural(&even, trace->output, &natural)) break;
        int64_t missing = trace->input - natural;
        if (missing > -even.stride && missing < even.stride) return even;
    }
    return trace->window;
}

/* MaxUnpool, told the size where it is not the default. */
static bool invert_by_unpool(struct design *design)
{
    struct cp_layer *layer;
    struct cp_pool *pool = add_window_layer(design, "MaxUnpool", &layer);
    bool sized = false;
    for (int axis = 0; axis < design->input->rank - 2; axis++) {
        const struct cp_axis_trace *trace = &design->planned->trace[axis];
        const struct cp_window window = evenly_padded(trace);
        int64_t natural = 0;
        (void)!cp_transposed_natural(&window, trace->output, &natural);
        pool->kernel_size[axis] = window.kernel;
        pool->stride[axis] = window.stride;
        pool->padding.begin[axis] = window.pad_begin;
        pool->padding.end[axis] = window.pad_end;
        pool->output_size[axis] = trace->input;
        sized = sized || natural != trace->input;
    }
    GIVE(layer, "kernel_size", "stride", "padding");
    if (sized)
        GIVE(layer, "output_size");
    else
        memset(pool->output_size, 0, sizeof pool->output_size);
    return true;
}

static bool invert_pool(struct design *design)
{
    const struct cp_pool *pool = design->layer->params;
    bool is_max = design->layer->type->kind == &cp_max_pool_kind;
    if (design->pools == CP_INVERT_BY_CONV_TRANSPOSE) return add_transposed(design) != NULL;
    if (design->pools == CP_INVERT_BY_UPSAMPLE) return invert_by_upsample(design);
    if (is_max && all_ones(pool->dilation, design->input->rank - 2)) return invert_by_unpool(design);
    cp_findings_add(&design->plan->findings, CP_CODE_unpool_needs_max_pool, design->index,
                    CP_ARGUMENTS(cp_name(design->layer->name)));
    return invert_by_upsample(design);
}

/* To one position from more is global pooling, which leaves nothing to go back from. */
static bool invert_adaptive(struct design *design)
{
    bool global = !cp_same_spatial_sizes(design->input, design->output);
    for (int dim = 2; dim < design->input->rank; dim++) global = global && design->output->size[dim] == 1;
    return global ? no_inverse(design) : invert_by_upsample(design);
}

/* ---- Borders and resampling --------------------------------------------------------------------------------------- */

static struct cp_border *add_border(struct design *design)
{
    struct cp_layer *layer;
    struct cp_border *border = add_window_layer(design, "ZeroPad", &layer);
    GIVE(layer, "padding");
    return border;
}

static bool invert_border(struct design *design)
{
    const struct cp_border *forward = design->layer->params;
    struct cp_border *border = add_border(design);
    for (int axis = 0; axis < design->input->rank - 2; axis++) {
        border->padding.begin[axis] = -forward->padding.begin[axis];
        border->padding.end[axis] = -forward->padding.end[axis];
    }
    return true;
}

/* A crop that takes nothing away is a stage all the same, and is undone by itself. */
static bool keep_crop(struct design *design)
{
    struct cp_layer *layer;
    struct cp_crop *crop = add_window_layer(design, "CenterCrop", &layer);
    for (int axis = 0; axis < design->input->rank - 2; axis++) crop->output_size[axis] = design->input->size[axis + 2];
    GIVE(layer, "output_size");
    return true;
}

static bool invert_crop(struct design *design)
{
    if (cp_same_spatial_sizes(design->input, design->output)) return keep_crop(design);
    struct cp_border *border = add_border(design);
    for (int axis = 0; axis < design->input->rank - 2; axis++) {
        int64_t missing = design->input->size[axis + 2] - design->output->size[axis + 2];
        border->padding.begin[axis] = missing / 2;
        border->padding.end[axis] = missing - missing / 2;
    }
    return true;
}

static bool invert_upsample(struct design *design)
{
    struct cp_layer *layer;
    if (!cp_is_stage(design->layer, design->input->rank)) return true;
    struct cp_adaptive_pool *pool = add_window_layer(design, "AdaptiveAvgPool", &layer);
    for (int axis = 0; axis < design->input->rank - 2; axis++) pool->output_size[axis] = design->input->size[axis + 2];
    GIVE(layer, "output_size");
    return true;
}

static bool invert_shuffle(struct design *design)
{
    const struct cp_pixel_shuffle *forward = design->layer->params;
    bool shuffles = design->layer->type->kind == &cp_pixel_shuffle_kind;
    struct cp_layer *layer;
    struct cp_pixel_shuffle *inverse =
        add_layer(design, shuffles ? CP_TEXT("PixelUnshuffle") : CP_TEXT("PixelShuffle"), "_inverse", &layer);
    inverse->factor = forward->factor;
    layer->given = 1;
    return true;
}

/* ---- Dense and shape ---------------------------------------------------------------------------------------------- */

static bool invert_linear(struct design *design)
{
    const struct cp_linear *forward = design->layer->params;
    struct cp_layer *layer;
    struct cp_linear *linear = add_layer(design, CP_TEXT("Linear"), "_inverse", &layer);
    linear->out_features = design->input->size[design->input->rank - 1];
    linear->bias = forward->bias;
    /* one that happens to keep the size at hand is a stage, and so has to be what undoes it */
    bool by_chance = forward->in_features == 0 && linear->out_features == forward->out_features;
    if (!by_chance) {
        linear->in_features = forward->out_features;
        GIVE(layer, "in_features");
    }
    GIVE(layer, "out_features");
    if (!linear->bias) GIVE(layer, "bias");
    return true;
}

static bool invert_flatten(struct design *design)
{
    const struct cp_flatten *forward = design->layer->params;
    int rank = design->input->rank;
    int64_t first = forward->start_dim < 0 ? forward->start_dim + rank : forward->start_dim;
    struct cp_layer *layer;
    struct cp_unflatten *unflatten = add_layer(design, CP_TEXT("Unflatten"), "_inverse", &layer);
    unflatten->dim = first;
    unflatten->unflattened_size.count = rank - design->output->rank + 1;
    for (int at = 0; at < unflatten->unflattened_size.count; at++)
        unflatten->unflattened_size.at[at] = design->input->size[first + at];
    GIVE(layer, "dim", "unflattened_size");
    return true;
}

static bool invert_unflatten(struct design *design)
{
    const struct cp_unflatten *forward = design->layer->params;
    struct cp_layer *layer;
    struct cp_flatten *flatten = add_layer(design, CP_TEXT("Flatten"), "_inverse", &layer);
    flatten->start_dim = forward->dim < 0 ? forward->dim + design->input->rank : forward->dim;
    flatten->end_dim = flatten->start_dim + forward->unflattened_size.count - 1;
    GIVE(layer, "start_dim", "end_dim");
    return true;
}

static bool invert_reshape(struct design *design)
{
    struct cp_layer *layer;
    struct cp_reshape *reshape = add_layer(design, CP_TEXT("Reshape"), "_inverse", &layer);
    reshape->shape.count = design->input->rank;
    memcpy(reshape->shape.at, design->input->size, sizeof reshape->shape.at);
    GIVE(layer, "shape");
    return true;
}

static bool invert_permute(struct design *design)
{
    const struct cp_permute *forward = design->layer->params;
    struct cp_layer *layer;
    struct cp_permute *permute = add_layer(design, CP_TEXT("Permute"), "_inverse", &layer);
    permute->dims.count = forward->dims.count;
    for (int at = 0; at < forward->dims.count; at++) {
        int64_t from = forward->dims.at[at];
        permute->dims.at[from < 0 ? from + forward->dims.count : from] = at;
    }
    GIVE(layer, "dims");
    return true;
}

static bool invert_channel_shuffle(struct design *design)
{
    const struct cp_channel_shuffle *forward = design->layer->params;
    struct cp_layer *layer;
    struct cp_channel_shuffle *shuffle = add_layer(design, CP_TEXT("ChannelShuffle"), "_inverse", &layer);
    shuffle->groups = design->input->size[1] / forward->groups;
    GIVE(layer, "groups");
    return true;
}

/* Of what was joined the first part is kept, as the path goes on there. */
static bool invert_concat(struct design *design)
{
    const struct cp_concat *forward = design->layer->params;
    struct cp_layer *layer;
    if (cp_shape_equal(design->input, design->output)) return true;
    struct cp_slice *slice = add_layer(design, CP_TEXT("Slice"), "_inverse", &layer);
    slice->dim = forward->dim < 0 ? forward->dim + design->input->rank : forward->dim;
    slice->end = design->input->size[slice->dim];
    GIVE(layer, "dim", "end");
    return true;
}

static bool invert_merge(struct design *design)
{
    return cp_shape_equal(design->input, design->output) || no_inverse(design);
}

/* ---- The whole ---------------------------------------------------------------------------------------------------- */

/* Kinds that do something to a shape, and what undoes them. All others are carried along. */
static const struct inverse {
    const struct cp_layer_kind *kind;
    bool (*make)(struct design *design);
} inverses[] = {
    {&cp_conv_kind, invert_convolution},
    {&cp_conv_transpose_kind, invert_transposed},
    {&cp_max_pool_kind, invert_pool},
    {&cp_avg_pool_kind, invert_pool},
    {&cp_lp_pool_kind, invert_pool},
    {&cp_max_unpool_kind, invert_unpool},
    {&cp_adaptive_avg_pool_kind, invert_adaptive},
    {&cp_adaptive_max_pool_kind, invert_adaptive},
    {&cp_zero_pad_kind, invert_border},
    {&cp_constant_pad_kind, invert_border},
    {&cp_reflection_pad_kind, invert_border},
    {&cp_replication_pad_kind, invert_border},
    {&cp_circular_pad_kind, invert_border},
    {&cp_center_crop_kind, invert_crop},
    {&cp_upsample_kind, invert_upsample},
    {&cp_pixel_shuffle_kind, invert_shuffle},
    {&cp_pixel_unshuffle_kind, invert_shuffle},
    {&cp_linear_kind, invert_linear},
    {&cp_flatten_kind, invert_flatten},
    {&cp_unflatten_kind, invert_unflatten},
    {&cp_reshape_kind, invert_reshape},
    {&cp_permute_kind, invert_permute},
    {&cp_slice_kind, no_inverse},
    {&cp_mean_kind, no_inverse},
    {&cp_channel_shuffle_kind, invert_channel_shuffle},
    {&cp_concat_kind, invert_concat},
    {&cp_add_kind, invert_merge},
    {&cp_sub_kind, invert_merge},
    {&cp_mul_kind, invert_merge},
    {&cp_opaque_kind, no_inverse},
};

static const struct inverse *inverse_of(const struct cp_layer *layer)
{
    for (size_t at = 0; at < sizeof inverses / sizeof inverses[0]; at++)
        if (inverses[at].kind == layer->type->kind) return &inverses[at];
    return NULL;
}

/* The layers from the last one back to the input, by first inputs; returns how many. */
static uint32_t path_back(const struct cp_plan *plan, uint32_t *path)
{
    const struct cp_stack *stack = plan->stack;
    uint32_t count = 0, source = stack->input_count + stack->layer_count - 1;
    while (source >= stack->input_count) {
        path[count++] = source - stack->input_count;
        source = stack->layers[source - stack->input_count].sources[0];
    }
    return count;
}

static void look_at(struct design *design, uint32_t index)
{
    const struct cp_plan *plan = design->plan;
    design->index = index;
    design->layer = &plan->stack->layers[index];
    design->planned = &plan->layers[index];
    design->input = cp_plan_source_shape(plan, design->layer->sources[0]);
    design->output = &design->planned->output;
}

/* Copy the carried layers path[first], path[first − 1] … path[end + 1], which is their own order. */
static void carry(struct design *design, const uint32_t *path, int64_t first, int64_t end)
{
    for (int64_t at = first; at > end; at--) {
        look_at(design, path[at]);
        struct cp_layer *copy = &design->decoder->layers[design->decoder->layer_count++];
        *copy = (struct cp_layer){.type = design->layer->type,
                                  .name = suffixed(design, "_mirror"),
                                  .given = design->layer->given,
                                  .params = design->layer->params};
    }
}

/* Each layer of the path that has an inverse, preceded by what stood between it and the one before. */
static bool mirror(struct design *design, const uint32_t *path, uint32_t count)
{
    bool possible = true;
    int64_t carried_from = -1; /* the run of carried layers being passed: path positions [carried_from, at) */
    for (uint32_t at = 0; at < count; at++) {
        const struct inverse *inverse = inverse_of(&design->plan->stack->layers[path[at]]);
        if (!inverse) {
            if (carried_from < 0) carried_from = at;
            continue;
        }
        if (carried_from > 0) carry(design, path, (int64_t)at - 1, carried_from - 1);
        carried_from = -1;
        look_at(design, path[at]);
        possible = inverse->make(design) && possible;
    }
    return possible;
}

static void warn_of_branches(struct design *design, const uint32_t *path, uint32_t count)
{
    for (uint32_t at = 0; at < count; at++) {
        const struct cp_layer *layer = &design->plan->stack->layers[path[at]];
        if (layer->source_count > 1)
            cp_findings_add(&design->plan->findings, CP_CODE_branch_left_out, path[at],
                            CP_ARGUMENTS(cp_name(layer->name)));
    }
}

bool cp_design_decoder(struct cp_decoder *decoder, struct cp_plan *plan, enum cp_pool_inverse pools,
                       struct cp_arena *arena)
{
    uint32_t *path = CP_NEW_ARRAY(arena, uint32_t, plan->stack->layer_count);
    uint32_t count = path_back(plan, path);
    *decoder = (struct cp_decoder){.layers = CP_NEW_ARRAY(arena, struct cp_layer, count)};
    struct design design = {.plan = plan, .arena = arena, .pools = pools, .decoder = decoder};
    if (plan->layers[path[0]].state != CP_LAYER_PLANNED) return false;
    warn_of_branches(&design, path, count);
    if (!mirror(&design, path, count)) return false;
    if (decoder->layer_count) return true;
    struct cp_layer *layer; /* there was nothing to undo, but a decoder has a layer */
    look_at(&design, path[0]);
    add_layer(&design, CP_TEXT("Identity"), "_inverse", &layer);
    return true;
}
