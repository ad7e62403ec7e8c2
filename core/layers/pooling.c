/* Pools, unpools and adaptive pools. Source of the ceil rule and of the padding rule: PyTorch's pooling. */
#include "core/layers/laws.h"

#define AT(field) offsetof(struct cp_pool, field)

#define KERNEL_AND_STRIDE                                                                                              \
    {.name = CP_TEXT_INIT("kernel_size"),                                                                              \
     .type = CP_MEMBER_AXES,                                                                                           \
     .offset = AT(kernel_size),                                                                                        \
     .required = true,                                                                                                 \
     .minimum = 1,                                                                                                     \
     .summary = "Size k of the window on each axis."},                                                                 \
    {                                                                                                                  \
        .name = CP_TEXT_INIT("stride"), .type = CP_MEMBER_AXES, .offset = AT(stride), .minimum = 1, .nullable = true,  \
        .default_text = "kernel_size", .summary = "Distance s between windows."                                        \
    }

#define PADDING_OF(words_, text)                                                                                       \
    {                                                                                                                  \
        .name = CP_TEXT_INIT("padding"), .type = CP_MEMBER_PADDING, .offset = AT(padding), .minimum = 0,               \
        .words = (words_), .summary = (text)                                                                           \
    }

#define POOL_PADDING                                                                                                   \
    PADDING_OF(cp_window_padding_words, "Cells p added on each side, at most half the window: a number, one per "      \
                                        "axis, [begin, end] pairs, or a word.")
#define CEIL_MODE                                                                                                      \
    {                                                                                                                  \
        .name = CP_TEXT_INIT("ceil_mode"), .type = CP_MEMBER_BOOLEAN, .offset = AT(ceil_mode),                         \
        .summary =                                                                                                     \
            "Round the output size up; the last window still has to start inside the input or its left padding."       \
    }

static const struct cp_member max_pool_members[] = {
    KERNEL_AND_STRIDE,
    POOL_PADDING,
    {.name = CP_TEXT_INIT("dilation"),
     .type = CP_MEMBER_AXES,
     .offset = AT(dilation),
     .minimum = 1,
     .summary = "Distance d between the window's cells; 1 is dense."},
    CEIL_MODE,
};

static const struct cp_member avg_pool_members[] = {
    KERNEL_AND_STRIDE,
    POOL_PADDING,
    CEIL_MODE,
    {.name = CP_TEXT_INIT("count_include_pad"),
     .type = CP_MEMBER_BOOLEAN,
     .offset = AT(count_include_pad),
     .summary = "Whether padded cells count in the mean."},
};

static const struct cp_member lp_pool_members[] = {
    {.name = CP_TEXT_INIT("norm_type"),
     .type = CP_MEMBER_NUMBER,
     .offset = AT(norm_type),
     .summary = "The power p of the norm."},
    KERNEL_AND_STRIDE,
    POOL_PADDING,
    CEIL_MODE,
};

static const struct cp_member max_unpool_members[] = {
    KERNEL_AND_STRIDE,
    PADDING_OF(cp_unpool_padding_words, "The padding p of the pool that is undone."),
    {.name = CP_TEXT_INIT("output_size"),
     .type = CP_MEMBER_AXES,
     .offset = AT(output_size),
     .minimum = 1,
     .nullable = true,
     .open_axes = true,
     .default_text = "(i − 1)s − 2p + k",
     .summary = "The output's spatial size: within a stride of the default."},
};

#define POOL_DEFAULTS                                                                                                  \
    CP_PARAMETERS(struct cp_pool, .dilation = CP_ALL_AXES(1), .count_include_pad = true, .norm_type = 2)

static struct cp_axis_trace trace_of(const struct cp_inference *inference, const struct cp_pool *pool, int axis)
{
    return (struct cp_axis_trace){
        .window = {.kernel = pool->kernel_size[axis],
                   .stride = pool->stride[axis] ? pool->stride[axis] : pool->kernel_size[axis],
                   .dilation = pool->dilation[axis],
                   .rounding = pool->ceil_mode ? CP_ROUND_CEIL : CP_ROUND_FLOOR},
        .input = inference->inputs[0]->size[axis + 2],
    };
}

static void set_output(struct cp_inference *inference)
{
    struct cp_shape *output = &inference->plan->output;
    *output = *inference->inputs[0];
    for (int axis = 0; axis < inference->axes; axis++) output->size[axis + 2] = inference->plan->trace[axis].output;
}

/* PyTorch: 0 <= p <= k̂/2, so that every window holds a real cell. All axes have been traced. */
static bool check_pool_padding(struct cp_inference *inference, const struct cp_pool *pool, int axis)
{
    const struct cp_axis_trace *trace = &inference->plan->trace[axis];
    if (pool->padding.mode == CP_PAD_SAME_UPPER || pool->padding.mode == CP_PAD_SAME_LOWER) return true;
    int64_t span = 0;
    int64_t most = cp_window_span(&trace->window, &span) ? span / 2 : 0;
    if (trace->window.pad_begin <= most && trace->window.pad_end <= most) return true;
    struct cp_finding *finding =
        cp_report(inference, CP_CODE_pool_padding_too_large, "padding", axis,
                  CP_ARGUMENTS(cp_number(trace->window.pad_begin), cp_number(trace->window.pad_end), cp_number(span),
                               cp_number(most)));
    if (pool->padding.mode != CP_PAD_EXPLICIT) {
        finding->fix = (struct cp_fix){.member = "padding", .form = CP_FIX_WORD, .count = 1, .word = "half"};
        return false;
    }
    finding->fix = (struct cp_fix){.member = "padding", .form = CP_FIX_PAIRS, .count = inference->axes};
    for (int at = 0; at < inference->axes; at++) {
        const struct cp_axis_trace *other = &inference->plan->trace[at];
        int64_t limit = cp_window_span(&other->window, &span) ? span / 2 : 0;
        cp_pad_to_fit(other, limit, &finding->fix.values[2 * at], &finding->fix.values[2 * at + 1]);
    }
    return false;
}

static bool pool_infer(struct cp_inference *inference)
{
    const struct cp_pool *pool = inference->layer->params;
    if (!cp_expect_window_rank(inference)) return false;
    struct cp_axis_trace *trace = cp_new_trace(inference, CP_TRACED_POOLING);
    bool right = true, resolved[CP_MAX_AXES] = {false};
    for (int axis = 0; axis < inference->axes; axis++) {
        trace[axis] = trace_of(inference, pool, axis);
        resolved[axis] = cp_resolve_padding(inference, &pool->padding, axis, &trace[axis], false);
    }
    for (int axis = 0; axis < inference->axes; axis++) {
        struct cp_axis_trace *at = &trace[axis];
        bool legal = resolved[axis] && check_pool_padding(inference, pool, axis);
        right = right && legal;
        if (!resolved[axis]) continue;
        enum cp_window_status status = cp_window_output(&at->window, at->input, &at->output);
        right = cp_report_window(inference, status, axis, at) && right;
    }
    if (!right) return false;
    cp_check_coverage(inference, &pool->padding);
    set_output(inference);
    return true;
}

/* PyTorch: an output_size lies strictly within one stride of the default. */
static bool unpool_size(struct cp_inference *inference, int axis, int64_t wanted, struct cp_axis_trace *trace)
{
    int64_t usual;
    int64_t stride = trace->window.stride;
    if (!cp_transposed_natural(&trace->window, trace->input, &usual))
        return cp_report_window(inference, CP_WINDOW_OVERFLOW, axis, trace);
    if (wanted > usual - stride && wanted < usual + stride) {
        trace->output_padding = wanted - usual;
        trace->output = wanted;
        return true;
    }
    if (usual + stride - 1 < 1) return cp_report_window(inference, CP_WINDOW_EMPTY, axis, trace);
    int64_t least = usual - stride + 1 > 1 ? usual - stride + 1 : 1;
    cp_report(inference, CP_CODE_output_size_out_of_range, "output_size", axis,
              CP_ARGUMENTS(cp_number(wanted), cp_number(least), cp_number(usual + stride - 1)));
    return false;
}

static bool unpool_axis(struct cp_inference *inference, const struct cp_pool *pool, int axis,
                        struct cp_axis_trace *trace)
{
    *trace = trace_of(inference, pool, axis);
    if (!cp_resolve_padding(inference, &pool->padding, axis, trace, true)) return false;
    if (pool->output_size[axis]) return unpool_size(inference, axis, pool->output_size[axis], trace);
    enum cp_window_status status = cp_transposed_output(&trace->window, 0, trace->input, &trace->output);
    return cp_report_window(inference, status, axis, trace);
}

static bool max_unpool_infer(struct cp_inference *inference)
{
    const struct cp_pool *pool = inference->layer->params;
    if (!cp_expect_window_rank(inference)) return false;
    struct cp_axis_trace *trace = cp_new_trace(inference, CP_TRACED_UNPOOLING);
    bool right = true;
    for (int axis = 0; axis < inference->axes; axis++)
        right = unpool_axis(inference, pool, axis, &trace[axis]) && right;
    if (right) set_output(inference);
    return right;
}

static const struct cp_field *pool_reach(struct cp_inference *inference)
{
    return cp_move_windows(inference, inference->fields[0]);
}

static const struct cp_field *max_unpool_reach(struct cp_inference *inference)
{
    return cp_move_transposed(inference, inference->fields[0]);
}

const struct cp_layer_kind cp_max_pool_kind = {
    .family = "pooling",
    .summary = "The largest value of each window.",
    CP_MEMBERS(max_pool_members),
    POOL_DEFAULTS,
    .stage = CP_STAGE_POOLING,
    .infer = pool_infer,
    .law = cp_pool_law,
    .reach = pool_reach,
};

const struct cp_layer_kind cp_avg_pool_kind = {
    .family = "pooling",
    .summary = "The mean of each window.",
    CP_MEMBERS(avg_pool_members),
    POOL_DEFAULTS,
    .stage = CP_STAGE_POOLING,
    .infer = pool_infer,
    .law = cp_pool_law,
    .reach = pool_reach,
};

const struct cp_layer_kind cp_lp_pool_kind = {
    .family = "pooling",
    .summary = "The p-norm of each window.",
    CP_MEMBERS(lp_pool_members),
    POOL_DEFAULTS,
    .stage = CP_STAGE_POOLING,
    .infer = pool_infer,
    .law = cp_pool_law,
    .reach = pool_reach,
};

const struct cp_layer_kind cp_max_unpool_kind = {
    .family = "unpooling",
    .summary = "The inverse of a max pool: each value goes back to where the largest was, zeros elsewhere.",
    CP_MEMBERS(max_unpool_members),
    POOL_DEFAULTS,
    .stage = CP_STAGE_UNPOOLING,
    .infer = max_unpool_infer,
    .law = cp_max_unpool_law,
    .reach = max_unpool_reach,
};

/* ---- Adaptive pools --------------------------------------------------------------------------------------------- */

static const struct cp_member adaptive_members[] = {
    {.name = CP_TEXT_INIT("output_size"),
     .type = CP_MEMBER_AXES,
     .offset = offsetof(struct cp_adaptive_pool, output_size),
     .required = true,
     .nullable = true,
     .open_axes = true,
     .minimum = 1,
     .summary = "Size of the output on each axis; null keeps an axis."},
};

static bool adaptive_infer(struct cp_inference *inference)
{
    const struct cp_adaptive_pool *pool = inference->layer->params;
    if (!cp_expect_window_rank(inference)) return false;
    struct cp_shape *output = &inference->plan->output;
    *output = *inference->inputs[0];
    inference->plan->rule = "o = output_size";
    for (int axis = 0; axis < inference->axes; axis++)
        if (pool->output_size[axis]) output->size[axis + 2] = pool->output_size[axis];
    return true;
}

static const struct cp_field *adaptive_reach(struct cp_inference *inference)
{
    const struct cp_adaptive_pool *pool = inference->layer->params;
    uint32_t all = 0;
    bool some = false;
    for (int axis = 0; axis < inference->axes; axis++) {
        if (pool->output_size[axis] == 1) all |= 1u << (axis + 2);
        if (pool->output_size[axis] > 1) some = true;
    }
    inference->field_reason =
        some ? "the windows of adaptive pooling differ in size" : "the pool covers some of the spatial axes only";
    const struct cp_field *field = cp_field_see_all(inference->arena, inference->fields[0], all);
    return some ? cp_field_forget(inference->arena, field, UINT32_MAX) : field;
}

const struct cp_layer_kind cp_adaptive_avg_pool_kind = {
    .family = "adaptive",
    .summary = "Means of windows that are chosen to give the output size.",
    CP_MEMBERS(adaptive_members),
    CP_PARAMETERS(struct cp_adaptive_pool, .output_size = {0}),
    .stage = CP_STAGE_ADAPTIVE,
    .infer = adaptive_infer,
    .law = cp_adaptive_law,
    .reach = adaptive_reach,
};

const struct cp_layer_kind cp_adaptive_max_pool_kind = {
    .family = "adaptive",
    .summary = "Largest values of windows that are chosen to give the output size.",
    CP_MEMBERS(adaptive_members),
    CP_PARAMETERS(struct cp_adaptive_pool, .output_size = {0}),
    .stage = CP_STAGE_ADAPTIVE,
    .infer = adaptive_infer,
    .law = cp_adaptive_law,
    .reach = adaptive_reach,
};
