#include "core/stage.h"

#include <math.h>

#include "core/layers/kinds.h"
#include "core/padding.h"

/* ---- Reading a stage from its layer ------------------------------------------------------------------------------- */

static const struct cp_padding *padding_of(const struct cp_stage *stage)
{
    switch (stage->form) {
    case CP_STAGE_CONVOLUTION:
    case CP_STAGE_TRANSPOSED: return &((const struct cp_convolution *)stage->layer->params)->padding;
    case CP_STAGE_POOLING:
    case CP_STAGE_UNPOOLING: return &((const struct cp_pool *)stage->layer->params)->padding;
    default: return NULL;
    }
}

static bool any_given(const int64_t *sizes, int axes)
{
    for (int axis = 0; axis < axes; axis++)
        if (sizes[axis]) return true;
    return false;
}

static bool read_convolution(struct cp_stage *stage)
{
    const struct cp_convolution *conv = stage->layer->params;
    int axis = stage->axis;
    int64_t wider = conv->stride[axis] > conv->dilation[axis] ? conv->stride[axis] : conv->dilation[axis];
    stage->window.kernel = conv->kernel_size[axis];
    stage->window.stride = conv->stride[axis];
    stage->window.dilation = conv->dilation[axis];
    stage->sized = any_given(conv->output_size, stage->layer->type->axes);
    stage->most_padding = (stage->sized ? conv->stride[axis] : wider) - 1;
    return cp_window_span(&stage->window, &stage->span);
}

static bool read_pool(struct cp_stage *stage)
{
    const struct cp_pool *pool = stage->layer->params;
    int axis = stage->axis;
    stage->window.kernel = pool->kernel_size[axis];
    stage->window.stride = pool->stride[axis] ? pool->stride[axis] : pool->kernel_size[axis];
    stage->window.dilation = pool->dilation[axis];
    stage->window.rounding = pool->ceil_mode ? CP_ROUND_CEIL : CP_ROUND_FLOOR;
    stage->sized = any_given(pool->output_size, stage->layer->type->axes);
    if (stage->form == CP_STAGE_UNPOOLING) {
        stage->most_padding = stage->window.stride - 1;
        stage->least_padding = -stage->most_padding;
    }
    return cp_window_span(&stage->window, &stage->span);
}

/* Shuffling works on the last three dimensions. Where these are all spatial, the first takes the channels' place. */
static bool read_shuffle(struct cp_stage *stage, int axes)
{
    stage->factor = ((const struct cp_pixel_shuffle *)stage->layer->params)->factor;
    if (axes < CP_MAX_AXES || stage->axis > 0) return true;
    stage->form = stage->form == CP_STAGE_SHUFFLE ? CP_STAGE_UNSHUFFLE : CP_STAGE_SHUFFLE;
    return cp_multiply(stage->factor, stage->factor, &stage->factor);
}

bool cp_stage_of(struct cp_stage *stage, const struct cp_layer *layer, int axis, int axes)
{
    *stage = (struct cp_stage){.layer = layer, .form = layer->type->kind->stage, .axis = axis};
    if (layer->type->axes && layer->type->axes != axes) return false;
    switch (stage->form) {
    case CP_STAGE_CONVOLUTION:
    case CP_STAGE_TRANSPOSED: return read_convolution(stage);
    case CP_STAGE_POOLING:
    case CP_STAGE_UNPOOLING: return read_pool(stage);
    case CP_STAGE_SHUFFLE:
    case CP_STAGE_UNSHUFFLE: return read_shuffle(stage, axes);
    case CP_STAGE_CROP: stage->is_like = ((const struct cp_crop *)layer->params)->like.name.size != 0; return true;
    default: return true;
    }
}

/* ---- What it gives as written ------------------------------------------------------------------------------------- */

static int64_t transposed_output(const struct cp_stage *stage, const struct cp_window *window, int64_t input)
{
    const struct cp_convolution *conv = stage->layer->params;
    int64_t natural;
    if (!cp_transposed_natural(window, input, &natural)) return 0;
    int64_t size = conv->output_size[stage->axis];
    int64_t extra = size ? size - natural : conv->output_padding[stage->axis];
    return extra >= 0 && extra <= stage->most_padding && natural + extra >= 1 ? natural + extra : 0;
}

static int64_t unpooled_output(const struct cp_stage *stage, const struct cp_window *window, int64_t input)
{
    const struct cp_pool *pool = stage->layer->params;
    int64_t natural;
    if (!cp_transposed_natural(window, input, &natural)) return 0;
    if (!pool->output_size[stage->axis]) return natural >= 1 ? natural : 0;
    int64_t extra = pool->output_size[stage->axis] - natural;
    return extra >= stage->least_padding && extra <= stage->most_padding ? natural + extra : 0;
}

static int64_t pooled_output(const struct cp_stage *stage, const struct cp_window *window, int64_t input)
{
    const struct cp_padding *padding = padding_of(stage);
    bool same = padding->mode == CP_PAD_SAME_UPPER || padding->mode == CP_PAD_SAME_LOWER;
    bool limited = stage->form == CP_STAGE_POOLING && !same;
    int64_t output = 0;
    if (limited && (window->pad_begin > stage->span / 2 || window->pad_end > stage->span / 2)) return 0;
    return cp_window_output(window, input, &output) == CP_WINDOW_OK ? output : 0;
}

static int64_t window_output(const struct cp_stage *stage, int64_t input)
{
    bool transposed = stage->form == CP_STAGE_TRANSPOSED || stage->form == CP_STAGE_UNPOOLING;
    struct cp_window window = stage->window;
    const struct cp_padding *padding = padding_of(stage);
    if (padding->mode == CP_PAD_SAME && window.stride != 1) return 0;
    if (!cp_padding_resolve(padding, stage->axis, input, transposed, &window)) return 0;
    if (stage->form == CP_STAGE_TRANSPOSED) return transposed_output(stage, &window, input);
    if (stage->form == CP_STAGE_UNPOOLING) return unpooled_output(stage, &window, input);
    return pooled_output(stage, &window, input);
}

static int64_t upsampled(const struct cp_stage *stage, int64_t input)
{
    const struct cp_upsample *upsample = stage->layer->params;
    if (upsample->size.count) return upsample->size.at[stage->axis];
    double scale = upsample->scale_factor.at[stage->axis];
    double size = floor((double)input * scale);
    return size >= 1 && size <= (double)CP_MAX_COUNT ? (int64_t)size : 0;
}

static int64_t cropped(const struct cp_stage *stage, int64_t input)
{
    const struct cp_crop *crop = stage->layer->params;
    int64_t size = stage->is_like ? stage->like : crop->output_size[stage->axis];
    return size <= input ? size : 0;
}

/* The widest border that can be filled on a side: a reflection does not repeat the edge, a circular one wraps once. */
static int64_t widest_border(const struct cp_stage *stage, int64_t input)
{
    if (stage->layer->type->kind == &cp_reflection_pad_kind) return input - 1;
    return stage->layer->type->kind == &cp_circular_pad_kind ? input : CP_MAX_COUNT / 2;
}

static int64_t bordered(const struct cp_stage *stage, int64_t input)
{
    const struct cp_padding *border = &((const struct cp_border *)stage->layer->params)->padding;
    int64_t begin = border->begin[stage->axis], end = border->end[stage->axis], most = widest_border(stage, input);
    int64_t size;
    if (begin > most || end > most || begin < -input || end < -input) return 0;
    return cp_add(input, begin, &size) && cp_add(size, end, &size) && size >= 1 ? size : 0;
}

static int64_t adapted(const struct cp_stage *stage, int64_t input)
{
    int64_t size = ((const struct cp_adaptive_pool *)stage->layer->params)->output_size[stage->axis];
    return size ? size : input;
}

int64_t cp_stage_output(const struct cp_stage *stage, int64_t input)
{
    int64_t size = 0;
    if (input < 1) return 0;
    switch (stage->form) {
    case CP_STAGE_CONVOLUTION:
    case CP_STAGE_POOLING:
    case CP_STAGE_TRANSPOSED:
    case CP_STAGE_UNPOOLING: return window_output(stage, input);
    case CP_STAGE_UPSAMPLE: return upsampled(stage, input);
    case CP_STAGE_CROP: return cropped(stage, input);
    case CP_STAGE_SHUFFLE: return cp_multiply(input, stage->factor, &size) ? size : 0;
    case CP_STAGE_UNSHUFFLE: return input % stage->factor == 0 ? input / stage->factor : 0;
    case CP_STAGE_ADAPTIVE: return adapted(stage, input);
    case CP_STAGE_BORDER: return bordered(stage, input);
    case CP_STAGE_NONE: break;
    }
    return input;
}

/* ---- What it could give ------------------------------------------------------------------------------------------- */

static const int64_t beyond_counts = CP_MAX_COUNT + 1;

/* s(i − 1) + k̂: a transposed stage without padding. */
static int64_t unpadded(const struct cp_stage *stage, int64_t input)
{
    struct cp_window bare = stage->window;
    int64_t size;
    bare.pad_begin = bare.pad_end = 0;
    return cp_transposed_natural(&bare, input, &size) ? size : beyond_counts;
}

/* The windows with this padding on both sides, which may be none. */
static int64_t windows_with(const struct cp_stage *stage, int64_t input, int64_t padding)
{
    struct cp_window window = stage->window;
    int64_t output = 0;
    window.pad_begin = window.pad_end = padding;
    return cp_window_output(&window, input, &output) == CP_WINDOW_OVERFLOW ? beyond_counts : output;
}

static bool is_fixed(const struct cp_stage *stage)
{
    switch (stage->form) {
    case CP_STAGE_UPSAMPLE: return ((const struct cp_upsample *)stage->layer->params)->size.count == 0;
    case CP_STAGE_CROP: return stage->is_like;
    case CP_STAGE_SHUFFLE:
    case CP_STAGE_UNSHUFFLE:
    case CP_STAGE_NONE: return true;
    default: return false;
    }
}

/* The only size that a fixed stage gives; of those that multiply, an overflow is more than any count. */
static int64_t fixed_output(const struct cp_stage *stage, int64_t input)
{
    int64_t size = cp_stage_output(stage, input);
    bool multiplies = stage->form == CP_STAGE_SHUFFLE;
    if (stage->form == CP_STAGE_UPSAMPLE) {
        const struct cp_upsample *upsample = stage->layer->params;
        multiplies = upsample->scale_factor.at[stage->axis] >= 1;
    }
    return multiplies && size == 0 ? beyond_counts : size;
}

/* The least and the most, neither of which falls as the input grows; below 1 or above all counts where there is none. */
static struct cp_range free_bounds(const struct cp_stage *stage, int64_t input)
{
    struct cp_range range = {1, CP_MAX_COUNT, 1};
    if (is_fixed(stage)) {
        range.low = range.high = fixed_output(stage, input);
        return range;
    }
    switch (stage->form) {
    case CP_STAGE_TRANSPOSED:
    case CP_STAGE_UNPOOLING: range.high = unpadded(stage, input) + stage->most_padding; break;
    case CP_STAGE_CONVOLUTION:
        range.low = windows_with(stage, input, 0);
        range.high = (CP_MAX_COUNT - stage->span) / stage->window.stride + 1;
        break;
    case CP_STAGE_POOLING:
        range.low = windows_with(stage, input, 0);
        range.high = windows_with(stage, input, stage->span / 2);
        break;
    case CP_STAGE_BORDER: range.high = input + 2 * widest_border(stage, input); break;
    case CP_STAGE_CROP: range.high = input; break;
    default: break;
    }
    if (range.low < 1) range.low = 1;
    return range;
}

static struct cp_range bounds(const struct cp_stage *stage, int64_t input)
{
    if (stage->turn == CP_TURN_KEEPS) return (struct cp_range){input, input, 1};
    struct cp_range range = free_bounds(stage, input);
    if (stage->turn == CP_TURN_GROWS && range.low <= input) range.low = input + 1;
    if (stage->turn == CP_TURN_SHRINKS && range.high >= input) range.high = input - 1;
    return range;
}

struct cp_range cp_stage_reach(const struct cp_stage *stage, int64_t input)
{
    struct cp_range range = bounds(stage, input);
    if (range.low < 1) range = (struct cp_range){1, 0, 1};
    if (range.high > CP_MAX_COUNT) range.high = CP_MAX_COUNT;
    /* a transposed stage counts its cells before padding takes some away */
    bool grows = stage->form == CP_STAGE_TRANSPOSED || stage->form == CP_STAGE_UNPOOLING;
    if (grows && unpadded(stage, input) > CP_MAX_COUNT) range.high = 0;
    return range;
}

/* The first and last multiples of the step within the range. */
static struct cp_range narrowed(struct cp_range range)
{
    if (range.low < 1) range.low = 1;
    range.low = cp_ceil_divide(range.low, range.step) * range.step;
    range.high = cp_floor_divide(range.high, range.step) * range.step;
    return range;
}

static int64_t bound(const struct cp_stage *stage, bool of_most, int64_t input)
{
    struct cp_range range = bounds(stage, input);
    return of_most ? range.high : range.low;
}

int64_t cp_stage_first_input(const struct cp_stage *stage, bool of_most, int64_t size)
{
    int64_t low = 1, high = 1;
    if (stage->form == CP_STAGE_UNSHUFFLE) return cp_multiply(size, stage->factor, &low) ? low : beyond_counts;
    while (high < beyond_counts && bound(stage, of_most, high) < size) {
        low = high + 1;
        high = high > beyond_counts / 2 ? beyond_counts : 2 * high;
    }
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (bound(stage, of_most, middle) >= size)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static struct cp_range unshuffle_demand(const struct cp_stage *stage, struct cp_range wanted)
{
    struct cp_range demand = {1, 0, 1};
    if (!cp_multiply(wanted.low, stage->factor, &demand.low)) return (struct cp_range){1, 0, 1};
    if (!cp_multiply(wanted.high, stage->factor, &demand.high)) demand.high = CP_MAX_COUNT;
    return cp_multiply(wanted.step, stage->factor, &demand.step) ? demand : (struct cp_range){1, 0, 1};
}

bool cp_stage_sieves(const struct cp_stage *stage, bool multiples)
{
    bool free = stage->turn == CP_TURN_FREE, keeps = stage->turn == CP_TURN_KEEPS || stage->form == CP_STAGE_NONE;
    if (multiples && (keeps || (free && (stage->form == CP_STAGE_SHUFFLE || stage->form == CP_STAGE_UNSHUFFLE))))
        return false;
    return !free || stage->form == CP_STAGE_POOLING || is_fixed(stage);
}

struct cp_range cp_stage_demand(const struct cp_stage *stage, struct cp_range wanted)
{
    static const struct cp_range none = {1, 0, 1};
    if (stage->turn == CP_TURN_GROWS && wanted.low < 2) wanted.low = 2; /* more than one */
    wanted = narrowed(wanted);
    if (wanted.low > wanted.high) return none;
    if (stage->form == CP_STAGE_UNSHUFFLE) return unshuffle_demand(stage, wanted);
    struct cp_range demand = {cp_stage_first_input(stage, true, wanted.low),
                              cp_stage_first_input(stage, false, wanted.high + 1) - 1, 1};
    struct cp_range first = bounds(stage, demand.low);
    if (stage->turn != CP_TURN_FREE && first.low > first.high)
        return none; /* a kernel of 1 neither grows nor shrinks */
    if (stage->form == CP_STAGE_SHUFFLE)
        demand.step = wanted.step / cp_greatest_common_divisor(wanted.step, stage->factor);
    if (stage->form == CP_STAGE_NONE || stage->turn == CP_TURN_KEEPS) demand.step = wanted.step;
    return demand;
}

/* ---- How to give another size ------------------------------------------------------------------------------------- */

/* The values as written, words turned into cells. SAME of a transposed stage may extend its output, which is
 * output_padding in cells. */
static struct cp_adjustment values_now(const struct cp_stage *stage, int64_t input, int64_t output)
{
    struct cp_adjustment now = {.size = output};
    struct cp_window window = stage->window;
    bool transposed = stage->form == CP_STAGE_TRANSPOSED || stage->form == CP_STAGE_UNPOOLING;
    const struct cp_padding *padding = padding_of(stage);
    if (stage->form == CP_STAGE_BORDER) {
        padding = &((const struct cp_border *)stage->layer->params)->padding;
        now.begin = padding->begin[stage->axis];
        now.end = padding->end[stage->axis];
    }
    if (stage->form == CP_STAGE_TRANSPOSED && !stage->sized)
        now.extra = ((const struct cp_convolution *)stage->layer->params)->output_padding[stage->axis];
    if (!padding || stage->form == CP_STAGE_BORDER) return now;
    if (!cp_padding_resolve(padding, stage->axis, input, transposed, &window)) return now;
    now.begin = window.pad_begin;
    now.end = window.pad_end < 0 ? 0 : window.pad_end;
    if (window.pad_end < 0) now.extra -= window.pad_end;
    return now;
}

static void split(struct cp_adjustment *adjustment, int64_t total)
{
    adjustment->padding = true;
    adjustment->begin = total / 2;
    adjustment->end = total - total / 2;
}

/* output = unpadded − P + extra with 0 <= P and extra within its limits: keep P where that will do, else the smallest
 * extra that makes P even, so that it is the same on both sides. */
static void adjust_transposed(const struct cp_stage *stage, int64_t input, int64_t output,
                              struct cp_adjustment *adjustment)
{
    int64_t surplus = unpadded(stage, input) - output; /* P − extra */
    int64_t extra = adjustment->begin + adjustment->end - surplus;
    enum cp_padding_mode mode = padding_of(stage)->mode;
    bool same = mode == CP_PAD_SAME_UPPER || mode == CP_PAD_SAME_LOWER;
    if (same || extra < stage->least_padding || extra > stage->most_padding) {
        extra = surplus < 0 ? -surplus : surplus % 2;
        if (extra > stage->most_padding) extra = 0;
        split(adjustment, surplus + extra);
    }
    adjustment->extra = extra;
    adjustment->output_padding = stage->form == CP_STAGE_TRANSPOSED && !stage->sized;
    adjustment->output_size = stage->sized || (stage->form == CP_STAGE_UNPOOLING && extra != 0);
}

/* Whether the padding, split evenly, is legal and gives the output. */
static bool padding_gives(const struct cp_stage *stage, int64_t input, int64_t output, int64_t total)
{
    struct cp_window window = stage->window;
    int64_t size;
    window.pad_begin = total / 2;
    window.pad_end = total - total / 2;
    if (stage->form == CP_STAGE_POOLING && window.pad_end > stage->span / 2) return false;
    return cp_window_output(&window, input, &size) == CP_WINDOW_OK && size == output;
}

/* Of the paddings that give the output, which lie within a stride, the least that is the same on both sides, else the
 * least. With ceiling two conditions have to hold: enough windows, and the last one has to start inside the input. */
static void adjust_windows(const struct cp_stage *stage, int64_t input, int64_t output,
                           struct cp_adjustment *adjustment)
{
    int64_t last = (output - 1) * stage->window.stride, least = last + stage->span - input;
    if (stage->window.rounding == CP_ROUND_CEIL) {
        least -= stage->window.stride - 1;
        if (least < 2 * (last - input + 1)) least = 2 * (last - input + 1);
    }
    if (least < 0) least = 0;
    bool odd = least % 2 != 0 && padding_gives(stage, input, output, least + 1);
    split(adjustment, least + odd);
}

struct cp_adjustment cp_stage_adjust(const struct cp_stage *stage, int64_t input, int64_t output)
{
    struct cp_adjustment adjustment = values_now(stage, input, output);
    if (cp_stage_output(stage, input) == output) return adjustment;
    switch (stage->form) {
    case CP_STAGE_TRANSPOSED:
    case CP_STAGE_UNPOOLING: adjust_transposed(stage, input, output, &adjustment); break;
    case CP_STAGE_CONVOLUTION:
    case CP_STAGE_POOLING: adjust_windows(stage, input, output, &adjustment); break;
    case CP_STAGE_BORDER: split(&adjustment, output - input); break;
    case CP_STAGE_CROP:
    case CP_STAGE_ADAPTIVE:
    case CP_STAGE_UPSAMPLE: adjustment.output_size = true; break;
    default: break;
    }
    return adjustment;
}
