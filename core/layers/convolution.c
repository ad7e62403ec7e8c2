/* Conv{N}d and ConvTranspose{N}d. Sources: Relationships 1-6 and 15, and 8-14 of arXiv 1603.07285. */
#include "core/layers/laws.h"

#define AT(field) offsetof(struct cp_convolution, field)

#define CONVOLUTION_MEMBERS(words_)                                                                                    \
    {.name = CP_TEXT_INIT("in_channels"),                                                                              \
     .type = CP_MEMBER_INTEGER,                                                                                        \
     .offset = AT(in_channels),                                                                                        \
     .minimum = 1,                                                                                                     \
     .nullable = true,                                                                                                 \
     .default_text = "the input's channels",                                                                           \
     .summary = "Channels of the input; checked when given."},                                                         \
        {.name = CP_TEXT_INIT("out_channels"),                                                                         \
         .type = CP_MEMBER_INTEGER,                                                                                    \
         .offset = AT(out_channels),                                                                                   \
         .required = true,                                                                                             \
         .minimum = 1,                                                                                                 \
         .summary = "Channels of the output."},                                                                        \
        {.name = CP_TEXT_INIT("kernel_size"),                                                                          \
         .type = CP_MEMBER_AXES,                                                                                       \
         .offset = AT(kernel_size),                                                                                    \
         .required = true,                                                                                             \
         .minimum = 1,                                                                                                 \
         .summary = "Size k of the kernel on each axis."},                                                             \
        {.name = CP_TEXT_INIT("stride"),                                                                               \
         .type = CP_MEMBER_AXES,                                                                                       \
         .offset = AT(stride),                                                                                         \
         .minimum = 1,                                                                                                 \
         .summary = "Distance s between windows."},                                                                    \
        {.name = CP_TEXT_INIT("padding"),                                                                              \
         .type = CP_MEMBER_PADDING,                                                                                    \
         .offset = AT(padding),                                                                                        \
         .minimum = 0,                                                                                                 \
         .words = (words_),                                                                                            \
         .summary = "Zeros p on each side: a number, one per axis, [begin, end] pairs, or a word."},                   \
        {.name = CP_TEXT_INIT("dilation"),                                                                             \
         .type = CP_MEMBER_AXES,                                                                                       \
         .offset = AT(dilation),                                                                                       \
         .minimum = 1,                                                                                                 \
         .summary = "Distance d between the kernel's cells; 1 is dense."},                                             \
        {.name = CP_TEXT_INIT("groups"),                                                                               \
         .type = CP_MEMBER_INTEGER,                                                                                    \
         .offset = AT(groups),                                                                                         \
         .minimum = 1,                                                                                                 \
         .summary = "Groups that the channels are split into; divides both channel counts."},                          \
    {                                                                                                                  \
        .name = CP_TEXT_INIT("bias"), .type = CP_MEMBER_BOOLEAN, .offset = AT(bias),                                   \
        .summary = "Whether one number per output channel is added."                                                   \
    }

enum { OUTPUT_PADDING = 8, OUTPUT_SIZE = 9 };

static const struct cp_member conv_members[] = {CONVOLUTION_MEMBERS(cp_window_padding_words)};

static const struct cp_member conv_transpose_members[] = {
    CONVOLUTION_MEMBERS(cp_transposed_padding_words),
    [OUTPUT_PADDING] = {.name = CP_TEXT_INIT("output_padding"),
                        .type = CP_MEMBER_AXES,
                        .offset = AT(output_padding),
                        .minimum = 0,
                        .summary = "Rows added to the output at its end (a of Relationship 14); less than stride or "
                                   "dilation."},
    [OUTPUT_SIZE] = {.name = CP_TEXT_INIT("output_size"),
                     .type = CP_MEMBER_AXES,
                     .offset = AT(output_size),
                     .minimum = 1,
                     .nullable = true,
                     .open_axes = true,
                     .default_text = "none",
                     .summary = "The output's spatial size, instead of output_padding."},
};

#define CONVOLUTION_DEFAULTS                                                                                           \
    CP_PARAMETERS(struct cp_convolution, .stride = CP_ALL_AXES(1), .dilation = CP_ALL_AXES(1), .groups = 1,            \
                  .bias = true)

/* Channels and groups: all that is wrong with them is reported. */
static bool check_channels(struct cp_inference *inference, const struct cp_convolution *conv)
{
    int64_t channels = inference->inputs[0]->size[1];
    bool right = cp_expect_size(inference, "in_channels", conv->in_channels, channels);
    if (conv->groups == 1) return right;
    right = cp_expect_divides(inference, "groups", conv->groups, "input channels", channels) && right;
    return cp_expect_divides(inference, "groups", conv->groups, "out_channels", conv->out_channels) && right;
}

static struct cp_axis_trace trace_of(const struct cp_inference *inference, const struct cp_convolution *conv, int axis)
{
    return (struct cp_axis_trace){
        .window = {.kernel = conv->kernel_size[axis], .stride = conv->stride[axis], .dilation = conv->dilation[axis]},
        .input = inference->inputs[0]->size[axis + 2],
    };
}

static void set_output(struct cp_inference *inference, int64_t channels)
{
    struct cp_shape *output = &inference->plan->output;
    *output = *inference->inputs[0];
    output->size[1] = channels;
    for (int axis = 0; axis < inference->axes; axis++) output->size[axis + 2] = inference->plan->trace[axis].output;
}

static bool conv_infer(struct cp_inference *inference)
{
    const struct cp_convolution *conv = inference->layer->params;
    if (!cp_expect_window_rank(inference)) return false;
    bool right = true, channels = check_channels(inference, conv);
    struct cp_axis_trace *trace = cp_new_trace(inference, CP_TRACED_CONVOLUTION);
    bool resolved[CP_MAX_AXES] = {false};
    for (int axis = 0; axis < inference->axes; axis++) {
        trace[axis] = trace_of(inference, conv, axis);
        resolved[axis] = cp_resolve_padding(inference, &conv->padding, axis, &trace[axis], false);
    }
    for (int axis = 0; axis < inference->axes; axis++) {
        struct cp_axis_trace *at = &trace[axis];
        if (resolved[axis]) {
            enum cp_window_status status = cp_window_output(&at->window, at->input, &at->output);
            resolved[axis] = status == CP_WINDOW_OK || cp_report_window(inference, status, axis, at);
        }
        right = right && resolved[axis];
    }
    if (!right) return false;
    cp_check_coverage(inference, &conv->padding);
    if (channels) set_output(inference, conv->out_channels);
    return channels;
}

/* in/groups · out/groups · groups · ∏ k: the numbers in the weight tensor of either direction. */
static bool weight_count(const struct cp_convolution *conv, int axes, int64_t in_channels, int64_t *count)
{
    int64_t total = in_channels / conv->groups;
    bool fits = cp_multiply(total, conv->out_channels, &total);
    for (int axis = 0; fits && axis < axes; axis++) fits = cp_multiply(total, conv->kernel_size[axis], &total);
    *count = total;
    return fits;
}

/* params, and macs = weights · positions: every weight meets every position of the map that the kernel walks over. */
static bool cost_at(struct cp_inference *inference, const struct cp_shape *map)
{
    const struct cp_convolution *conv = inference->layer->params;
    int64_t weights;
    int64_t positions;
    return weight_count(conv, inference->axes, inference->inputs[0]->size[1], &weights) &&
           cp_add(weights, conv->bias ? conv->out_channels : 0, &inference->plan->params) &&
           cp_shape_product(map, 2, map->rank, &positions) && cp_multiply(positions, map->size[0], &positions) &&
           cp_multiply(positions, weights, &inference->plan->macs);
}

static bool conv_cost(struct cp_inference *inference)
{
    return cost_at(inference, &inference->plan->output);
}

static bool conv_transpose_cost(struct cp_inference *inference)
{
    return cost_at(inference, inference->inputs[0]);
}

static bool conv_transpose_legal(const struct cp_layer *layer, struct cp_refusal *refusal)
{
    const struct cp_convolution *conv = layer->params;
    bool same = conv->padding.mode == CP_PAD_SAME_UPPER || conv->padding.mode == CP_PAD_SAME_LOWER;
    bool sized = false;
    for (int axis = 0; axis < layer->type->axes; axis++) sized = sized || conv->output_size[axis] != 0;
    bool padded = cp_given(layer, OUTPUT_PADDING);
    if (sized && padded)
        *refusal = (struct cp_refusal){CP_CODE_conflicting_members, "output_size", "output_padding"};
    else if (same && padded)
        *refusal = (struct cp_refusal){CP_CODE_conflicting_members, "output_padding", "padding"};
    else if (same && sized)
        *refusal = (struct cp_refusal){CP_CODE_conflicting_members, "output_size", "padding"};
    else
        return true;
    return false;
}

/* The output_padding that output_size asks for, or a report of the sizes that are possible. */
static bool padding_for_size(struct cp_inference *inference, const struct cp_convolution *conv, int axis,
                             struct cp_axis_trace *trace)
{
    int64_t wanted = conv->output_size[axis];
    int64_t least; /* may be less than 1 where output_padding makes up for it */
    if (!cp_transposed_natural(&trace->window, trace->input, &least))
        return cp_report_window(inference, CP_WINDOW_OVERFLOW, axis, trace);
    int64_t most = least + trace->window.stride - 1;
    if (most < 1) return cp_report_window(inference, CP_WINDOW_EMPTY, axis, trace);
    if (wanted >= least && wanted <= most) {
        trace->output_padding = wanted - least;
        return true;
    }
    cp_report(inference, CP_CODE_output_size_out_of_range, "output_size", axis,
              CP_ARGUMENTS(cp_number(wanted), cp_number(least < 1 ? 1 : least), cp_number(most)));
    return false;
}

static void report_output_padding(struct cp_inference *inference, const struct cp_convolution *conv, int axis)
{
    struct cp_finding *finding =
        cp_report(inference, CP_CODE_output_padding_too_large, "output_padding", axis,
                  CP_ARGUMENTS(cp_number(conv->output_padding[axis]), cp_number(conv->stride[axis]),
                               cp_number(conv->dilation[axis])));
    finding->fix = (struct cp_fix){.member = "output_padding", .form = CP_FIX_LIST, .count = inference->axes};
    for (int at = 0; at < inference->axes; at++) {
        int64_t most = (conv->stride[at] > conv->dilation[at] ? conv->stride[at] : conv->dilation[at]) - 1;
        finding->fix.values[at] = conv->output_padding[at] < most ? conv->output_padding[at] : most;
    }
}

static bool transposed_axis(struct cp_inference *inference, const struct cp_convolution *conv, int axis,
                            struct cp_axis_trace *trace)
{
    *trace = trace_of(inference, conv, axis);
    if (!cp_resolve_padding(inference, &conv->padding, axis, trace, true)) return false;
    trace->output_padding = conv->output_padding[axis];
    bool too_large = trace->output_padding >= trace->window.stride && trace->output_padding >= trace->window.dilation;
    if (too_large) report_output_padding(inference, conv, axis);
    if (conv->output_size[axis] && !padding_for_size(inference, conv, axis, trace)) return false;
    enum cp_window_status status =
        cp_transposed_output(&trace->window, trace->output_padding, trace->input, &trace->output);
    return cp_report_window(inference, status, axis, trace) && !too_large;
}

static bool conv_transpose_infer(struct cp_inference *inference)
{
    const struct cp_convolution *conv = inference->layer->params;
    if (!cp_expect_window_rank(inference)) return false;
    bool right = check_channels(inference, conv);
    struct cp_axis_trace *trace = cp_new_trace(inference, CP_TRACED_TRANSPOSED);
    for (int axis = 0; axis < inference->axes; axis++)
        right = transposed_axis(inference, conv, axis, &trace[axis]) && right;
    if (right) set_output(inference, conv->out_channels);
    return right;
}

/* An axis may lie in the channels, flattened or permuted: each output sees all of these, or those of its group. */
static const struct cp_field *reach_of_channels(struct cp_inference *inference)
{
    const struct cp_convolution *conv = inference->layer->params;
    const struct cp_field *before = inference->fields[0], *field = before;
    if (conv->groups == 1)
        field = cp_field_see_all(inference->arena, before, 1u << 1);
    else if (conv->groups != conv->out_channels || conv->groups != inference->inputs[0]->size[1])
        field = cp_field_forget(inference->arena, before, 1u << 1);
    if (field != before) inference->field_reason = "some of the spatial axes lie in the channels";
    return field;
}

static const struct cp_field *conv_reach(struct cp_inference *inference)
{
    return cp_move_windows(inference, reach_of_channels(inference));
}

static const struct cp_field *conv_transpose_reach(struct cp_inference *inference)
{
    return cp_move_transposed(inference, reach_of_channels(inference));
}

const struct cp_layer_kind cp_conv_kind = {
    .family = "convolution",
    .summary = "Cross-correlation of the input with out_channels kernels.",
    CP_MEMBERS(conv_members),
    CONVOLUTION_DEFAULTS,
    .stage = CP_STAGE_CONVOLUTION,
    .infer = conv_infer,
    .law = cp_conv_law,
    .cost = conv_cost,
    .reach = conv_reach,
};

const struct cp_layer_kind cp_conv_transpose_kind = {
    .family = "transposed",
    .summary = "Transposed convolution: the gradient of a convolution with respect to its input.",
    CP_MEMBERS(conv_transpose_members),
    CONVOLUTION_DEFAULTS,
    .legal = conv_transpose_legal,
    .stage = CP_STAGE_TRANSPOSED,
    .infer = conv_transpose_infer,
    .law = cp_conv_transpose_law,
    .cost = conv_transpose_cost,
    .reach = conv_transpose_reach,
};
