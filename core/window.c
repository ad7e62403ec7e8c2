#include "core/window.h"

#include "core/checked.h"

bool cp_window_span(const struct cp_window *window, int64_t *span)
{
    int64_t reach;
    return cp_multiply(window->dilation, window->kernel - 1, &reach) && cp_add(reach, 1, span);
}

/* i + p_b + p_e − k̂, the room that the kernel has to slide; false on overflow. */
static bool slack_of(const struct cp_window *window, int64_t input, int64_t *slack)
{
    int64_t span;
    return cp_window_span(window, &span) && cp_add(input, window->pad_begin, slack) &&
           cp_add(*slack, window->pad_end, slack) && cp_add(*slack, -span, slack);
}

enum cp_window_status cp_window_output(const struct cp_window *window, int64_t input, int64_t *output)
{
    int64_t slack;
    if (!slack_of(window, input, &slack)) return CP_WINDOW_OVERFLOW;
    if (window->rounding == CP_ROUND_FLOOR) {
        if (slack < 0) return CP_WINDOW_TOO_LARGE;
        *output = slack / window->stride + 1;
        return CP_WINDOW_OK;
    }
    int64_t windows = cp_ceil_divide(slack, window->stride) + 1;
    int64_t last_start;
    if (windows < 1) return CP_WINDOW_TOO_LARGE;
    if (!cp_multiply(windows - 1, window->stride, &last_start)) return CP_WINDOW_OVERFLOW;
    if (last_start >= input + window->pad_begin) windows--;
    if (windows < 1) return CP_WINDOW_TOO_LARGE;
    *output = windows;
    return CP_WINDOW_OK;
}

int64_t cp_window_remainder(const struct cp_window *window, int64_t input)
{
    int64_t slack = 0;
    return slack_of(window, input, &slack) ? cp_floor_remainder(slack, window->stride) : 0;
}

bool cp_transposed_natural(const struct cp_window *window, int64_t input, int64_t *size)
{
    int64_t span;
    int64_t reach;
    return cp_window_span(window, &span) && cp_multiply(window->stride, input - 1, &reach) &&
           cp_add(reach, span, &reach) && cp_add(reach, -window->pad_begin, &reach) &&
           cp_add(reach, -window->pad_end, size);
}

enum cp_window_status cp_transposed_output(const struct cp_window *window, int64_t output_padding, int64_t input,
                                           int64_t *output)
{
    int64_t size;
    if (!cp_transposed_natural(window, input, &size) || !cp_add(size, output_padding, &size)) return CP_WINDOW_OVERFLOW;
    if (size < 1) return CP_WINDOW_EMPTY;
    *output = size;
    return CP_WINDOW_OK;
}

static void split_padding(struct cp_window *window, int64_t total, enum cp_same_side side)
{
    int64_t smaller = total / 2;
    window->pad_begin = side == CP_SAME_UPPER ? smaller : total - smaller;
    window->pad_end = total - window->pad_begin;
}

enum cp_window_status cp_window_pad_same(struct cp_window *window, int64_t input, enum cp_same_side side)
{
    int64_t span;
    if (!cp_window_span(window, &span)) return CP_WINDOW_OVERFLOW;
    /* (o − 1)s + k̂ − i with o = ⌈i/s⌉, written without the product: the last window starts at i − 1 − ((i − 1) mod s). */
    int64_t total = span - 1 - (input - 1) % window->stride;
    split_padding(window, total > 0 ? total : 0, side);
    return CP_WINDOW_OK;
}

enum cp_window_status cp_transposed_pad_same(struct cp_window *window, enum cp_same_side side)
{
    int64_t span;
    if (!cp_window_span(window, &span)) return CP_WINDOW_OVERFLOW;
    int64_t total = span - window->stride;
    if (total >= 0) {
        split_padding(window, total, side);
    } else {
        window->pad_begin = 0;
        window->pad_end = total;
    }
    return CP_WINDOW_OK;
}

bool cp_window_pad_torch_same(struct cp_window *window)
{
    int64_t span;
    if (!cp_window_span(window, &span)) return false;
    split_padding(window, span - 1, CP_SAME_UPPER);
    return true;
}

int64_t cp_window_minimum_input(const struct cp_window *window)
{
    int64_t span;
    if (!cp_window_span(window, &span)) return CP_MAX_COUNT + 1;
    int64_t least = span - window->pad_begin - window->pad_end;
    /* With ceiling one window may reach past the end, by less than a stride, while it starts inside. */
    if (window->rounding == CP_ROUND_CEIL) least -= window->stride - 1;
    if (least < 1) least = 1;
    return least > CP_MAX_COUNT ? CP_MAX_COUNT + 1 : least;
}
