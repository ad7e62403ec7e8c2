#include "core/figure/strip.h"

#include "core/checked.h"

static int64_t at_least_0(int64_t number)
{
    return number > 0 ? number : 0;
}

static bool stretch(struct cp_strip *strip, const struct cp_axis_trace *axis)
{
    bool fits = cp_multiply(axis->window.stride, axis->input - 1, &strip->stretched) &&
                cp_add(strip->stretched, 1, &strip->stretched) &&
                cp_add(strip->span - 1, -axis->window.pad_begin, &strip->pad_begin) &&
                cp_add(strip->span - 1, -axis->window.pad_end, &strip->pad_end);
    strip->stride = 1;
    strip->extra = axis->output_padding;
    strip->first = at_least_0(-strip->pad_begin);
    return fits;
}

/* Cells that the last window reaches past the padded input. */
static bool reach_beyond(struct cp_strip *strip)
{
    int64_t end = 0;
    bool fits = cp_multiply(strip->output - 1, strip->stride, &end) && cp_add(end, strip->span, &end) &&
                cp_add(end, -strip->cells, &end);
    strip->beyond = at_least_0(end);
    return fits && cp_add(strip->cells, strip->beyond, &strip->cells);
}

bool cp_strip_of(struct cp_strip *strip, enum cp_traced operation, const struct cp_axis_trace *axis)
{
    const struct cp_window *window = &axis->window;
    *strip = (struct cp_strip){
        .stride = window->stride,
        .kernel = window->kernel,
        .dilation = window->dilation,
        .output = axis->output,
        .stretched = axis->input,
        .pad_begin = window->pad_begin,
        .pad_end = window->pad_end,
    };
    if (!cp_window_span(window, &strip->span)) return false;
    bool transposed = operation == CP_TRACED_TRANSPOSED;
    if (transposed && !stretch(strip, axis)) return false;
    return cp_add(strip->stretched, strip->extra, &strip->cells) &&
           cp_add(strip->cells, at_least_0(strip->pad_begin), &strip->cells) &&
           cp_add(strip->cells, at_least_0(strip->pad_end), &strip->cells) && (transposed || reach_beyond(strip));
}

enum cp_cell *cp_strip_kinds(const struct cp_strip *strip, const struct cp_axis_trace *axis, enum cp_traced operation,
                             struct cp_arena *arena)
{
    enum cp_cell *kinds = CP_NEW_ARRAY(arena, enum cp_cell, strip->cells);
    int64_t unit_distance = operation == CP_TRACED_TRANSPOSED ? axis->window.stride : 1;
    int64_t begin = at_least_0(strip->pad_begin);
    int64_t body_end = begin + strip->stretched;
    int64_t padding_end = strip->cells - strip->beyond;
    for (int64_t at = 0; at < strip->cells; at++) {
        if (at >= padding_end)
            kinds[at] = CP_CELL_BEYOND;
        else if (at < begin || at >= body_end + strip->extra)
            kinds[at] = CP_CELL_PADDING;
        else if (at >= body_end)
            kinds[at] = CP_CELL_EXTRA;
        else
            kinds[at] = (at - begin) % unit_distance == 0 ? CP_CELL_INPUT : CP_CELL_ZERO;
    }
    return kinds;
}

enum cp_sight *cp_strip_sights(const struct cp_strip *strip, struct cp_arena *arena)
{
    enum cp_sight *sights = CP_NEW_ARRAY(arena, enum cp_sight, strip->cells);
    int64_t end = strip->cells - at_least_0(-strip->pad_end);
    for (int64_t at = 0; at < strip->cells; at++)
        sights[at] = at < strip->first || at >= end ? CP_SIGHT_CROPPED : CP_SIGHT_UNSEEN;
    for (int64_t window = 0; window < strip->output; window++)
        for (int64_t tap = 0; tap < strip->kernel; tap++)
            sights[strip->first + window * strip->stride + tap * strip->dilation] = CP_SIGHT_SEEN;
    return sights;
}
