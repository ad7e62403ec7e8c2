#include "core/layers/kinds.h"
#include "core/padding.h"

/* What reports lies in functions of its own, apart from what is asked of every layer. */
CP_RARE static bool refuse_rank(struct cp_inference *inference, int least, int most)
{
    const struct cp_shape *input = inference->inputs[0];
    cp_report(inference, least == most ? CP_CODE_wrong_rank : CP_CODE_wrong_rank_range, NULL, CP_NO_AXIS,
              CP_ARGUMENTS(cp_words(inference->layer->type->name), cp_number(least), cp_number(most),
                           cp_number(input->rank), cp_dimensions(input)));
    return false;
}

bool cp_expect_rank(struct cp_inference *inference, int least, int most)
{
    int rank = inference->inputs[0]->rank;
    return (rank >= least && rank <= most) || refuse_rank(inference, least, most);
}

bool cp_expect_window_rank(struct cp_inference *inference)
{
    return cp_expect_rank(inference, inference->axes + 2, inference->axes + 2);
}

CP_RARE static bool refuse_size(struct cp_inference *inference, const char *member, int64_t given, int64_t actual)
{
    struct cp_finding *finding = cp_report(
        inference, CP_CODE_size_mismatch, member, CP_NO_AXIS,
        CP_ARGUMENTS(cp_words(member), cp_number(given), cp_number(actual), cp_dimensions(inference->inputs[0])));
    finding->fix = (struct cp_fix){.member = member, .form = CP_FIX_INTEGER, .count = 1, .values = {actual}};
    return false;
}

bool cp_expect_size(struct cp_inference *inference, const char *member, int64_t given, int64_t actual)
{
    return given == 0 || given == actual || refuse_size(inference, member, given, actual);
}

bool cp_expect_divides(struct cp_inference *inference, const char *member, int64_t divisor, const char *what,
                       int64_t value)
{
    if (value % divisor == 0) return true;
    cp_report(inference, CP_CODE_not_divisible, member, CP_NO_AXIS,
              CP_ARGUMENTS(cp_words(what), cp_number(value), cp_words(member), cp_number(divisor),
                           cp_number(value % divisor), cp_number(cp_greatest_common_divisor(value, divisor))));
    return false;
}

bool cp_resolve_dim(struct cp_inference *inference, const char *member, int64_t dim, int rank, int *resolved)
{
    if (dim >= -rank && dim < rank) {
        *resolved = (int)(dim < 0 ? dim + rank : dim);
        return true;
    }
    cp_report(inference, CP_CODE_dim_out_of_range, member, CP_NO_AXIS,
              CP_ARGUMENTS(cp_number(dim), cp_number(-rank), cp_number(rank - 1), cp_dimensions(inference->inputs[0])));
    return false;
}

bool cp_infer_same(struct cp_inference *inference)
{
    inference->plan->output = *inference->inputs[0];
    inference->plan->rule = "same shape";
    return true;
}

struct cp_axis_trace *cp_new_trace(struct cp_inference *inference, enum cp_traced operation)
{
    inference->plan->operation = operation;
    inference->plan->trace = CP_NEW_ARRAY(inference->arena, struct cp_axis_trace, inference->axes);
    return inference->plan->trace;
}

/* ---- Padding ---------------------------------------------------------------------------------------------------- */

/* In the order of enum cp_padding_mode from CP_PAD_VALID on. A word that a layer does not take is "" there. */
const char *const cp_window_padding_words[] = {"valid", "same", "same_upper", "same_lower", "half", "full", NULL};
const char *const cp_transposed_padding_words[] = {"valid", "", "same_upper", "same_lower", "half", "full", NULL};
const char *const cp_unpool_padding_words[] = {"valid", "", "", "", "half", "full", NULL};

CP_RARE static bool refuse_same(struct cp_inference *inference, int axis, int64_t stride)
{
    struct cp_finding *finding =
        cp_report(inference, CP_CODE_same_needs_unit_stride, "padding", axis, CP_ARGUMENTS(cp_number(stride)));
    finding->fix = (struct cp_fix){.member = "padding", .form = CP_FIX_WORD, .count = 1, .word = "same_upper"};
    return false;
}

bool cp_resolve_padding(struct cp_inference *inference, const struct cp_padding *padding, int axis,
                        struct cp_axis_trace *trace, bool transposed)
{
    if (padding->mode == CP_PAD_SAME && trace->window.stride != 1)
        return refuse_same(inference, axis, trace->window.stride);
    return cp_padding_resolve(padding, axis, trace->input, transposed, &trace->window) ||
           cp_report_window(inference, CP_WINDOW_OVERFLOW, axis, trace);
}

/* More padding on one axis, as little as lets the kernel fit, keeping what is there; no side of a pool over `most`, half
 * its window, which is always enough. */
void cp_pad_to_fit(const struct cp_axis_trace *trace, int64_t most, int64_t *begin, int64_t *end)
{
    struct cp_window window = trace->window;
    if (window.pad_begin > most) window.pad_begin = most;
    if (window.pad_end > most) window.pad_end = most;
    int64_t missing = cp_window_minimum_input(&window) - trace->input;
    int64_t more = missing > 0 ? missing / 2 + missing % 2 : 0;
    int64_t needed = window.pad_begin + window.pad_end + (missing > 0 ? missing : 0);
    *begin = window.pad_begin + more;
    *end = window.pad_end + more;
    if (*begin > most) {
        *begin = most;
        if (*end < needed - most) *end = needed - most;
    }
    if (*end > most) {
        *end = most;
        if (*begin < needed - most) *begin = needed - most;
    }
}

/* Explicit padding with which every axis' kernel fits; no fix where a kernel's span cannot be counted. */
static struct cp_fix padding_that_fits(const struct cp_inference *inference)
{
    struct cp_fix fix = {.member = "padding", .form = CP_FIX_LIST, .count = inference->axes};
    bool symmetric = true;
    int64_t begin[CP_MAX_AXES], end[CP_MAX_AXES];
    for (int axis = 0; axis < inference->axes; axis++) {
        const struct cp_axis_trace *trace = &inference->plan->trace[axis];
        int64_t span;
        if (!cp_window_span(&trace->window, &span)) return (struct cp_fix){0};
        bool pool = inference->plan->operation == CP_TRACED_POOLING;
        cp_pad_to_fit(trace, pool ? span / 2 : CP_MAX_COUNT, &begin[axis], &end[axis]);
        if (begin[axis] != end[axis]) symmetric = false;
        fix.values[axis] = begin[axis];
    }
    if (symmetric) return fix;
    fix.form = CP_FIX_PAIRS;
    for (int axis = 0; axis < inference->axes; axis++) {
        fix.values[2 * axis] = begin[axis];
        fix.values[2 * axis + 1] = end[axis];
    }
    return fix;
}

static void report_too_large(struct cp_inference *inference, int axis, const struct cp_axis_trace *trace)
{
    int64_t span = 0;
    (void)!cp_window_span(&trace->window, &span);
    const struct cp_window *window = &trace->window;
    struct cp_finding *finding =
        cp_report(inference, CP_CODE_kernel_exceeds_input, "kernel_size", axis,
                  CP_ARGUMENTS(cp_number(span), cp_number(trace->input + window->pad_begin + window->pad_end),
                               cp_number(trace->input), cp_number(window->pad_begin), cp_number(window->pad_end),
                               cp_number(cp_window_minimum_input(window)), cp_number(window->kernel),
                               cp_number(window->dilation)));
    finding->fix = padding_that_fits(inference);
}

/* Not CP_RARE: GCC would treat the loops that lead here as rare too. */
static bool refuse_window(struct cp_inference *inference, enum cp_window_status status, int axis,
                          const struct cp_axis_trace *trace)
{
    const struct cp_window *window = &trace->window;
    switch (status) {
    case CP_WINDOW_OK: break;
    case CP_WINDOW_TOO_LARGE: report_too_large(inference, axis, trace); return false;
    case CP_WINDOW_EMPTY:
        cp_report(inference, CP_CODE_empty_output, "padding", axis,
                  CP_ARGUMENTS(cp_number(trace->input), cp_number(window->kernel), cp_number(window->stride),
                               cp_number(window->pad_begin), cp_number(window->pad_end)));
        return false;
    case CP_WINDOW_OVERFLOW:
        cp_report(inference, CP_CODE_size_overflow, NULL, axis,
                  CP_ARGUMENTS(cp_number(trace->input), cp_number(window->kernel), cp_number(window->stride),
                               cp_number(window->dilation)));
        return false;
    }
    return false;
}

bool cp_report_window(struct cp_inference *inference, enum cp_window_status status, int axis,
                      const struct cp_axis_trace *trace)
{
    return status == CP_WINDOW_OK || refuse_window(inference, status, axis, trace);
}

void cp_check_coverage(struct cp_inference *inference, const struct cp_padding *padding)
{
    bool strict = inference->stack->covered;
    if (padding->mode == CP_PAD_SAME_UPPER || padding->mode == CP_PAD_SAME_LOWER) return;
    for (int axis = 0; axis < inference->axes; axis++) {
        struct cp_axis_trace *trace = &inference->plan->trace[axis];
        const struct cp_window *window = &trace->window;
        if (window->rounding == CP_ROUND_CEIL || window->stride == 1) continue;
        trace->remainder = cp_window_remainder(window, trace->input);
        int64_t unseen = trace->remainder - (strict ? 0 : window->pad_end);
        if (unseen <= 0) continue;
        struct cp_finding *finding =
            cp_report(inference, CP_CODE_input_not_covered, NULL, axis,
                      CP_ARGUMENTS(cp_number(trace->remainder), cp_number(trace->input), cp_number(window->pad_begin),
                                   cp_number(window->pad_end), cp_number(window->kernel), cp_number(window->stride),
                                   cp_number(window->dilation),
                                   cp_words(inference->plan->operation == CP_TRACED_POOLING ? ", pad, or use ceil_mode"
                                                                                            : ", or pad")));
        if (strict) cp_finding_raise(&inference->whole->findings, finding);
    }
}

/* ---- Receptive fields of layers that move along dimensions ------------------------------------------------------ */

const struct cp_field *cp_move_along(struct cp_inference *inference, const struct cp_field *field, int first, int end)
{
    for (int dim = first; dim < end; dim++) {
        if (cp_field_tracks(field, dim)) continue;
        inference->field_reason = "the layer moves along a dimension that is not one axis of the input";
        return cp_field_forget(inference->arena, field, UINT32_MAX);
    }
    return field;
}

const struct cp_field *cp_move_windows(struct cp_inference *inference, const struct cp_field *field)
{
    const struct cp_window *windows[CP_MAX_AXES];
    for (int axis = 0; axis < inference->axes; axis++) windows[axis] = &inference->plan->trace[axis].window;
    field = cp_move_along(inference, field, 2, inference->axes + 2);
    return cp_field_windows(inference->arena, field, windows, inference->axes);
}

const struct cp_field *cp_move_transposed(struct cp_inference *inference, const struct cp_field *field)
{
    field = cp_move_along(inference, field, 2, inference->axes + 2);
    for (int axis = 0; axis < inference->axes; axis++)
        field = cp_field_transposed(inference->arena, field, axis + 2, &inference->plan->trace[axis].window);
    return field;
}
