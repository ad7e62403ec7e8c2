/* Laws of the layers that have a window, or work axis by axis like those. */
#include <math.h>
#include <string.h>

#include "core/layers/laws.h"
#include "core/padding.h"

/* ---- Convolutions and pools --------------------------------------------------------------------------------------- */

/* The numbers of a map, in this order. */
enum { KERNEL, STRIDE, DILATION, PAD_BEGIN, PAD_END, ROUNDING, EXTRA };

static struct cp_window window_of(const int64_t *numbers)
{
    return (struct cp_window){numbers[KERNEL],    numbers[STRIDE],  numbers[DILATION],
                              numbers[PAD_BEGIN], numbers[PAD_END], (enum cp_rounding)numbers[ROUNDING]};
}

static struct cp_axis_map map_of(const struct cp_window *window, int64_t extra)
{
    return (struct cp_axis_map){.numbers = {window->kernel, window->stride, window->dilation, window->pad_begin,
                                            window->pad_end, window->rounding, extra}};
}

static bool slide(const int64_t *numbers, int64_t size, int64_t *result)
{
    struct cp_window window = window_of(numbers);
    return cp_window_output(&window, size, result) == CP_WINDOW_OK;
}

static bool slide_same(const int64_t *numbers, int64_t size, int64_t *result)
{
    struct cp_window window = window_of(numbers);
    return cp_window_pad_same(&window, size, CP_SAME_UPPER) == CP_WINDOW_OK &&
           cp_window_output(&window, size, result) == CP_WINDOW_OK;
}

static bool is_same(const struct cp_padding *padding)
{
    return padding->mode == CP_PAD_SAME_UPPER || padding->mode == CP_PAD_SAME_LOWER;
}

/* With `covered` the windows leave no rest. */
static void require_coverage(struct cp_tracing *tracing, uint32_t size, const struct cp_window *window, int64_t fits)
{
    if (!tracing->stack->covered || window->rounding == CP_ROUND_CEIL) return;
    cp_axis_require_congruent(tracing->program, size, fits - cp_window_remainder(window, fits), window->stride);
}

/* The output of an axis' window, whose padding is at most half of it where a pool says so. */
static uint32_t slid(struct cp_tracing *tracing, struct cp_window *window, const struct cp_padding *padding, int axis,
                     bool half_padding_at_most)
{
    struct cp_axis_program *program = tracing->program;
    uint32_t size = tracing->inputs[0]->at[axis + 2];
    int64_t span = 0;
    bool legal = cp_window_span(window, &span) && (padding->mode != CP_PAD_SAME || window->stride == 1) &&
                 cp_padding_resolve(padding, axis, 1, false, window);
    if (legal && half_padding_at_most && !is_same(padding))
        legal = window->pad_begin <= span / 2 && window->pad_end <= span / 2;
    if (!legal) {
        cp_axis_never(program);
        return size;
    }
    if (is_same(padding)) window->pad_begin = window->pad_end = 0; /* as they follow from the size */
    struct cp_axis_map map = map_of(window, 0);
    map.apply = is_same(padding) ? slide_same : slide;
    map.from = is_same(padding) ? 1 : cp_window_minimum_input(window);
    map.period = window->stride;
    map.increment = 1;
    if (map.from > CP_MAX_COUNT) {
        cp_axis_never(program);
        return size;
    }
    uint32_t output = cp_axis_map(program, size, &map);
    if (!is_same(padding)) require_coverage(tracing, size, window, map.from);
    return output;
}

static bool begin_window(struct cp_tracing *tracing)
{
    tracing->output = *tracing->inputs[0];
    return tracing->inputs[0]->rank == tracing->axes + 2;
}

static bool channels_law(struct cp_tracing *tracing, const struct cp_convolution *conv)
{
    uint32_t channels = tracing->inputs[0]->at[1];
    channels = cp_law_declared(tracing, conv->in_channels, channels);
    cp_axis_require_congruent(tracing->program, channels, 0, conv->groups);
    tracing->output.at[1] = cp_axis_constant(tracing->program, conv->out_channels);
    return conv->out_channels % conv->groups == 0;
}

bool cp_conv_law(struct cp_tracing *tracing)
{
    const struct cp_convolution *conv = tracing->layer->params;
    if (!begin_window(tracing) || !channels_law(tracing, conv)) return false;
    for (int axis = 0; axis < tracing->axes; axis++) {
        struct cp_window window = {
            .kernel = conv->kernel_size[axis], .stride = conv->stride[axis], .dilation = conv->dilation[axis]};
        tracing->output.at[axis + 2] = slid(tracing, &window, &conv->padding, axis, false);
    }
    return true;
}

static struct cp_window pool_window(const struct cp_pool *pool, int axis)
{
    return (struct cp_window){.kernel = pool->kernel_size[axis],
                              .stride = pool->stride[axis] ? pool->stride[axis] : pool->kernel_size[axis],
                              .dilation = pool->dilation[axis],
                              .rounding = pool->ceil_mode ? CP_ROUND_CEIL : CP_ROUND_FLOOR};
}

bool cp_pool_law(struct cp_tracing *tracing)
{
    const struct cp_pool *pool = tracing->layer->params;
    if (!begin_window(tracing)) return false;
    for (int axis = 0; axis < tracing->axes; axis++) {
        struct cp_window window = pool_window(pool, axis);
        if (is_same(&pool->padding)) window.rounding = CP_ROUND_FLOOR;
        tracing->output.at[axis + 2] = slid(tracing, &window, &pool->padding, axis, true);
    }
    return true;
}

bool cp_adaptive_law(struct cp_tracing *tracing)
{
    const struct cp_adaptive_pool *pool = tracing->layer->params;
    if (!begin_window(tracing)) return false;
    for (int axis = 0; axis < tracing->axes; axis++)
        if (pool->output_size[axis])
            tracing->output.at[axis + 2] = cp_axis_constant(tracing->program, pool->output_size[axis]);
    return true;
}

/* ---- Transposed convolutions and unpools -------------------------------------------------------------------------- */

static bool spread(const int64_t *numbers, int64_t size, int64_t *result)
{
    struct cp_window window = window_of(numbers);
    return cp_transposed_output(&window, numbers[EXTRA], size, result) == CP_WINDOW_OK;
}

/* To a size of its author's, which is one of those that a convolution maps to the layer's input. */
static bool spread_to_size(const int64_t *numbers, int64_t size, int64_t *result)
{
    struct cp_window window = window_of(numbers);
    int64_t natural, wanted = numbers[EXTRA];
    if (!cp_transposed_natural(&window, size, &natural) || wanted < natural || wanted >= natural + window.stride)
        return false;
    *result = wanted;
    return true;
}

static bool unpool_to_size(const int64_t *numbers, int64_t size, int64_t *result)
{
    struct cp_window window = window_of(numbers);
    int64_t usual, wanted = numbers[EXTRA];
    if (!cp_transposed_natural(&window, size, &usual)) return false;
    if (wanted <= usual - window.stride || wanted >= usual + window.stride) return false;
    *result = wanted;
    return true;
}

/* The least input, >= 1, from which the natural size reaches `least`; every further unit adds a stride. */
static bool least_input(const struct cp_window *window, int64_t least, int64_t *input)
{
    int64_t natural;
    if (!cp_transposed_natural(window, 1, &natural)) return false;
    *input = natural >= least ? 1 : 1 + cp_ceil_divide(least - natural, window->stride);
    return *input <= CP_MAX_COUNT;
}

static uint32_t spread_out(struct cp_tracing *tracing, const struct cp_window *window, int axis, int64_t extra)
{
    struct cp_axis_map map = map_of(window, extra);
    map.apply = spread;
    map.period = 1;
    map.increment = window->stride;
    if (!least_input(window, 1 - extra, &map.from)) cp_axis_never(tracing->program);
    return cp_axis_map(tracing->program, tracing->inputs[0]->at[axis + 2], &map);
}

static uint32_t spread_to(struct cp_tracing *tracing, const struct cp_window *window, int axis, int64_t wanted,
                          bool unpools)
{
    struct cp_axis_map map = map_of(window, wanted);
    map.apply = unpools ? unpool_to_size : spread_to_size;
    map.period = 1;
    map.ends = true;
    map.only = wanted;
    if (!least_input(window, wanted + (unpools ? window->stride : 1), &map.from)) cp_axis_never(tracing->program);
    return cp_axis_map(tracing->program, tracing->inputs[0]->at[axis + 2], &map);
}

bool cp_conv_transpose_law(struct cp_tracing *tracing)
{
    const struct cp_convolution *conv = tracing->layer->params;
    if (!begin_window(tracing) || !channels_law(tracing, conv)) return false;
    for (int axis = 0; axis < tracing->axes; axis++) {
        struct cp_window window = {
            .kernel = conv->kernel_size[axis], .stride = conv->stride[axis], .dilation = conv->dilation[axis]};
        int64_t extra = conv->output_padding[axis], wanted = conv->output_size[axis];
        if (extra >= window.stride && extra >= window.dilation) return false;
        if (!cp_padding_resolve(&conv->padding, axis, 1, true, &window)) return false;
        tracing->output.at[axis + 2] =
            wanted ? spread_to(tracing, &window, axis, wanted, false) : spread_out(tracing, &window, axis, extra);
    }
    return true;
}

bool cp_max_unpool_law(struct cp_tracing *tracing)
{
    const struct cp_pool *pool = tracing->layer->params;
    if (!begin_window(tracing)) return false;
    for (int axis = 0; axis < tracing->axes; axis++) {
        struct cp_window window = pool_window(pool, axis);
        int64_t wanted = pool->output_size[axis];
        if (!cp_padding_resolve(&pool->padding, axis, 1, true, &window)) return false;
        tracing->output.at[axis + 2] =
            wanted ? spread_to(tracing, &window, axis, wanted, true) : spread_out(tracing, &window, axis, 0);
    }
    return true;
}

/* ---- Borders and crops -------------------------------------------------------------------------------------------- */

static bool shift(const int64_t *numbers, int64_t size, int64_t *result)
{
    return cp_add(size, numbers[0], result) && *result >= 1;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* `margin`: how much less than the axis a border must be; below 0: no such rule. */
static bool border_law(struct cp_tracing *tracing, int64_t margin)
{
    const struct cp_border *border = tracing->layer->params;
    if (!begin_window(tracing)) return false;
    for (int axis = 0; axis < tracing->axes; axis++) {
        struct cp_axis_program *program = tracing->program;
        uint32_t size = tracing->inputs[0]->at[axis + 2];
        int64_t begin = border->padding.begin[axis], end = border->padding.end[axis], total;
        int64_t least = larger(-begin, -end);
        if (margin >= 0) least = larger(least, larger(begin, end) + margin);
        if (!cp_add(begin, end, &total)) return false;
        struct cp_axis_map map = {
            .apply = shift, .numbers = {total}, .from = larger(1, 1 - total), .period = 1, .increment = 1};
        if (map.from > CP_MAX_COUNT) return false;
        cp_axis_require_at_least(program, size, cp_axis_constant(program, larger(1, least)));
        tracing->output.at[axis + 2] = cp_axis_map(program, size, &map);
    }
    return true;
}

bool cp_filled_border_law(struct cp_tracing *tracing)
{
    return border_law(tracing, -1);
}

bool cp_reflection_border_law(struct cp_tracing *tracing)
{
    return border_law(tracing, 1);
}

bool cp_circular_border_law(struct cp_tracing *tracing)
{
    return border_law(tracing, 0);
}

bool cp_crop_law(struct cp_tracing *tracing)
{
    const struct cp_crop *crop = tracing->layer->params;
    bool like = crop->like.name.size != 0;
    const struct cp_dims *model = &tracing->sources[like ? crop->like.source : 0];
    if (!begin_window(tracing) || (like && model->rank != tracing->axes + 2)) return false;
    for (int axis = 0; axis < tracing->axes; axis++) {
        uint32_t target = like ? model->at[axis + 2] : cp_axis_constant(tracing->program, crop->output_size[axis]);
        cp_axis_require_at_least(tracing->program, tracing->inputs[0]->at[axis + 2], target);
        tracing->output.at[axis + 2] = target;
    }
    return true;
}

/* ---- Resampling --------------------------------------------------------------------------------------------------- */

static bool resize(const int64_t *numbers, int64_t size, int64_t *result)
{
    double factor;
    memcpy(&factor, numbers, sizeof factor);
    return cp_resized(size, factor, result) && *result >= 1;
}

/* The factor as p/q such that ⌊i · factor⌋ = ⌊i · p/q⌋ for all i, though the left product is rounded to binary64: that
 * holds when the factor is p/q or above it by its own rounding, or below it by at most 2^-54 of its value, since then
 * every product that should be an integer is rounded to that. False where there is no such q up to the limit. */
static bool fraction_of(double factor, int64_t *p, int64_t *q)
{
    for (*q = 1; *q <= CP_MAX_SIZES_DENOMINATOR; ++*q) {
        double above = nearbyint(factor * (double)*q);
        if (above < 1 || above > 0x1p40 || above / (double)*q != factor) continue;
        *p = (int64_t)above;
        double excess = fma(factor, (double)*q, -above); /* exact: the factor is within half a unit of p/q */
        return excess >= -0x1p-54 * above;
    }
    return false;
}

/* The least multiple of q that is rounded down, as far as it is among the first few. */
static void find_rounded_down(struct cp_uneven_scale *uneven, int64_t p, int64_t q)
{
    enum { MOST_TRIED = 10000 };
    for (int64_t times = 1; times <= MOST_TRIED && !uneven->size; times++) {
        if (floor((double)(times * q) * uneven->scale) >= (double)(times * p)) continue;
        uneven->size = times * q;
        uneven->exact = times * p;
    }
}

bool cp_find_uneven_scale(const struct cp_layer *layer, struct cp_uneven_scale *uneven)
{
    enum { PARTS = 64 };
    const struct cp_upsample *upsample = layer->params;
    int64_t p, q;
    if (layer->type->kind != &cp_upsample_kind) return false;
    for (int at = 0; at < upsample->scale_factor.count; at++) {
        double scale = upsample->scale_factor.at[at];
        if (fraction_of(scale, &p, &q)) continue;
        double parts = nearbyint(scale * PARTS);
        *uneven = (struct cp_uneven_scale){.scale = scale, .neighbour = (parts < 1 ? 1 : parts) / PARTS};
        if (q <= CP_MAX_SIZES_DENOMINATOR) find_rounded_down(uneven, p, q);
        return true;
    }
    return false;
}

static uint32_t resized(struct cp_tracing *tracing, uint32_t size, double factor)
{
    struct cp_axis_map map = {.apply = resize, .from = 1};
    int64_t p, q;
    memcpy(map.numbers, &factor, sizeof factor);
    if (fraction_of(factor, &p, &q)) {
        map.from = cp_ceil_divide(q, p);
        map.period = q;
        map.increment = p;
    }
    return cp_axis_map(tracing->program, size, &map);
}

bool cp_upsample_law(struct cp_tracing *tracing)
{
    const struct cp_upsample *upsample = tracing->layer->params;
    int axes = tracing->inputs[0]->rank - 2;
    int needed = cp_axes_of_mode(upsample->mode);
    tracing->output = *tracing->inputs[0];
    if (axes < 1 || axes > CP_MAX_AXES || (needed && needed != axes)) return false;
    if (!cp_lists_all_axes(upsample, axes)) return false;
    for (int axis = 0; axis < axes; axis++) {
        uint32_t *size = &tracing->output.at[axis + 2];
        *size = upsample->size.count ? cp_axis_constant(tracing->program, upsample->size.at[axis])
                                     : resized(tracing, *size, upsample->scale_factor.at[axis]);
    }
    return true;
}

/* The factor's square; false when there is no such layer. */
static bool begin_shuffle(struct cp_tracing *tracing, int64_t *factor, int64_t *square)
{
    *factor = ((const struct cp_pixel_shuffle *)tracing->layer->params)->factor;
    tracing->output = *tracing->inputs[0];
    return tracing->inputs[0]->rank >= 3 && cp_multiply(*factor, *factor, square);
}

bool cp_pixel_shuffle_law(struct cp_tracing *tracing)
{
    int64_t factor, square;
    if (!begin_shuffle(tracing, &factor, &square)) return false;
    uint32_t *last = &tracing->output.at[tracing->output.rank - 3];
    cp_axis_require_congruent(tracing->program, last[0], 0, square);
    last[0] = cp_law_divided(tracing, last[0], square);
    last[1] = cp_law_scaled(tracing, last[1], factor);
    last[2] = cp_law_scaled(tracing, last[2], factor);
    return true;
}

bool cp_pixel_unshuffle_law(struct cp_tracing *tracing)
{
    int64_t factor, square;
    if (!begin_shuffle(tracing, &factor, &square)) return false;
    uint32_t *last = &tracing->output.at[tracing->output.rank - 3];
    for (int at = 1; at <= 2; at++) {
        cp_axis_require_congruent(tracing->program, last[at], 0, factor);
        last[at] = cp_law_divided(tracing, last[at], factor);
    }
    last[0] = cp_law_scaled(tracing, last[0], square);
    return true;
}
