#include "core/stage.h"

#include <math.h>

#include "core/checked.h"
#include "core/layers/parameters.h"
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

static bool read_convolution(struct cp_stage *stage)
{
    const struct cp_convolution *conv = stage->layer->params;
    int axis = stage->axis;
    int64_t wider = conv->stride[axis] > conv->dilation[axis] ? conv->stride[axis] : conv->dilation[axis];
    stage->window.kernel = conv->kernel_size[axis];
    stage->window.stride = conv->stride[axis];
    stage->window.dilation = conv->dilation[axis];
    stage->sized = conv->output_size[axis] != 0;
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
    stage->sized = pool->output_size[axis] != 0;
    if (stage->form == CP_STAGE_UNPOOLING) {
        stage->most_padding = stage->window.stride - 1;
        stage->least_padding = -stage->most_padding;
    }
    return cp_window_span(&stage->window, &stage->span);
}

bool cp_stage_of(struct cp_stage *stage, const struct cp_layer *layer, int axis)
{
    *stage = (struct cp_stage){.layer = layer, .form = layer->type->kind->stage, .axis = axis};
    switch (stage->form) {
    case CP_STAGE_CONVOLUTION:
    case CP_STAGE_TRANSPOSED: return read_convolution(stage);
    case CP_STAGE_POOLING:
    case CP_STAGE_UNPOOLING: return read_pool(stage);
    default: return true;
    }
}

/* ---- What it gives as written ------------------------------------------------------------------------------------- */

static int64_t transposed_output(const struct cp_stage *stage, const struct cp_window *window, int64_t input)
{
    const struct cp_convolution *conv = stage->layer->params;
    int64_t natural;
    if (!cp_transposed_natural(window, input, &natural)) return 0;
    int64_t extra = stage->sized ? conv->output_size[stage->axis] - natural : conv->output_padding[stage->axis];
    return extra >= 0 && extra <= stage->most_padding && natural + extra >= 1 ? natural + extra : 0;
}

static int64_t unpooled_output(const struct cp_stage *stage, const struct cp_window *window, int64_t input)
{
    const struct cp_pool *pool = stage->layer->params;
    int64_t natural;
    if (!cp_transposed_natural(window, input, &natural)) return 0;
    if (!stage->sized) return natural >= 1 ? natural : 0;
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
    if (upsample->size.count) return upsample->size.at[upsample->size.count == 1 ? 0 : stage->axis];
    double scale = upsample->scale_factor.at[upsample->scale_factor.count == 1 ? 0 : stage->axis];
    double size = floor((double)input * scale);
    return size >= 1 && size <= (double)CP_MAX_COUNT ? (int64_t)size : 0;
}

static int64_t factor_of(const struct cp_stage *stage)
{
    return ((const struct cp_pixel_shuffle *)stage->layer->params)->factor;
}

static int64_t cropped(const struct cp_stage *stage, int64_t input)
{
    int64_t size = ((const struct cp_crop *)stage->layer->params)->output_size[stage->axis];
    return size <= input ? size : 0;
}

int64_t cp_stage_output(const struct cp_stage *stage, int64_t input)
{
    const struct cp_padding *border;
    int64_t size = 0;
    switch (stage->form) {
    case CP_STAGE_CONVOLUTION:
    case CP_STAGE_POOLING:
    case CP_STAGE_TRANSPOSED:
    case CP_STAGE_UNPOOLING: return window_output(stage, input);
    case CP_STAGE_UPSAMPLE: return upsampled(stage, input);
    case CP_STAGE_CROP: return cropped(stage, input);
    case CP_STAGE_SHUFFLE: return cp_multiply(input, factor_of(stage), &size) ? size : 0;
    case CP_STAGE_UNSHUFFLE: return input % factor_of(stage) ? 0 : input / factor_of(stage);
    case CP_STAGE_ADAPTIVE:
        size = ((const struct cp_adaptive_pool *)stage->layer->params)->output_size[stage->axis];
        return size ? size : input;
    case CP_STAGE_BORDER:
        border = &((const struct cp_border *)stage->layer->params)->padding;
        size = input + border->begin[stage->axis] + border->end[stage->axis];
        return size >= 1 && size <= CP_MAX_COUNT ? size : 0;
    case CP_STAGE_NONE: break;
    }
    return input;
}

/* ---- What it could give ------------------------------------------------------------------------------------------- */

static int64_t at_least_one(int64_t size)
{
    return size < 1 ? 1 : size;
}

/* s(i − 1) + k̂: a transposed stage without padding. */
static int64_t unpadded(const struct cp_stage *stage, int64_t input)
{
    struct cp_window bare = stage->window;
    int64_t size;
    bare.pad_begin = bare.pad_end = 0;
    return cp_transposed_natural(&bare, input, &size) ? size : CP_MAX_COUNT / 2;
}

/* The windows of `room` cells, which may be less than the kernel: then 0 or less. */
static int64_t windows_in(const struct cp_stage *stage, int64_t room)
{
    int64_t slack = room - stage->span;
    return (stage->window.rounding == CP_ROUND_CEIL ? cp_ceil_divide(slack, stage->window.stride)
                                                    : cp_floor_divide(slack, stage->window.stride)) +
           1;
}

struct cp_range cp_stage_reach(const struct cp_stage *stage, int64_t input)
{
    int64_t fixed;
    switch (stage->form) {
    case CP_STAGE_TRANSPOSED:
    case CP_STAGE_UNPOOLING: return (struct cp_range){1, unpadded(stage, input) + stage->most_padding};
    case CP_STAGE_CONVOLUTION: return (struct cp_range){at_least_one(windows_in(stage, input)), CP_MAX_COUNT};
    case CP_STAGE_POOLING:
        return (struct cp_range){at_least_one(windows_in(stage, input)),
                                 windows_in(stage, input + 2 * (stage->span / 2))};
    case CP_STAGE_BORDER:
    case CP_STAGE_ADAPTIVE: return (struct cp_range){1, CP_MAX_COUNT};
    case CP_STAGE_CROP:
        if (((const struct cp_crop *)stage->layer->params)->like.name.size == 0) return (struct cp_range){1, input};
        break;
    case CP_STAGE_UPSAMPLE:
        if (((const struct cp_upsample *)stage->layer->params)->size.count) return (struct cp_range){1, CP_MAX_COUNT};
        break;
    default: break;
    }
    fixed = cp_stage_output(stage, input);
    return fixed ? (struct cp_range){fixed, fixed} : (struct cp_range){1, 0};
}

/* ⌈low/r⌉ … ⌊high/r⌋ of a stage that multiplies by r. */
static struct cp_range divided(struct cp_range wanted, double factor)
{
    return (struct cp_range){(int64_t)ceil((double)wanted.low / factor),
                             (int64_t)fmin(floor((double)wanted.high / factor), (double)CP_MAX_COUNT)};
}

static struct cp_range windows_demand(const struct cp_stage *stage, struct cp_range wanted)
{
    int64_t most, least = 1;
    if (!cp_multiply(wanted.high, stage->window.stride, &most) || !cp_add(most, stage->span - 1, &most))
        most = CP_MAX_COUNT;
    if (stage->form == CP_STAGE_POOLING && cp_multiply(wanted.low - 1, stage->window.stride, &least))
        least = at_least_one(least + stage->span - 2 * (stage->span / 2) -
                             (stage->window.rounding == CP_ROUND_CEIL ? stage->window.stride - 1 : 0));
    return (struct cp_range){least, most};
}

struct cp_range cp_stage_demand(const struct cp_stage *stage, struct cp_range wanted)
{
    const struct cp_upsample *upsample = stage->layer->params;
    switch (stage->form) {
    case CP_STAGE_TRANSPOSED:
    case CP_STAGE_UNPOOLING:
        return (struct cp_range){
            at_least_one(cp_ceil_divide(wanted.low - stage->span - stage->most_padding, stage->window.stride) + 1),
            CP_MAX_COUNT};
    case CP_STAGE_CONVOLUTION:
    case CP_STAGE_POOLING: return windows_demand(stage, wanted);
    case CP_STAGE_BORDER:
    case CP_STAGE_ADAPTIVE: return (struct cp_range){1, CP_MAX_COUNT};
    case CP_STAGE_CROP: return (struct cp_range){wanted.low, CP_MAX_COUNT};
    case CP_STAGE_SHUFFLE: return divided(wanted, (double)factor_of(stage));
    case CP_STAGE_UNSHUFFLE: return (struct cp_range){wanted.low * factor_of(stage), wanted.high * factor_of(stage)};
    case CP_STAGE_UPSAMPLE:
        if (upsample->size.count) return (struct cp_range){1, CP_MAX_COUNT};
        return divided(wanted, upsample->scale_factor.at[upsample->scale_factor.count == 1 ? 0 : stage->axis]);
    case CP_STAGE_NONE: break;
    }
    return wanted;
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

/* Of the paddings that give the output, which lie within a stride (two, with ceiling), the least that is the same on
 * both sides, else the least. */
static void adjust_windows(const struct cp_stage *stage, int64_t input, int64_t output,
                           struct cp_adjustment *adjustment)
{
    enum { MOST_TRIES = 256 };
    int64_t stride = stage->window.stride, least = (output - 1) * stride + stage->span - input;
    if (stage->window.rounding == CP_ROUND_CEIL) least -= stride - 1;
    if (least < 0) least = 0;
    int64_t found = -1;
    for (int64_t total = least; total < least + 2 * stride && total < least + MOST_TRIES; total++) {
        if (!padding_gives(stage, input, output, total)) continue;
        if (found < 0 || total % 2 == 0) found = total;
        if (found % 2 == 0) break;
    }
    split(adjustment, found < 0 ? least : found);
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
