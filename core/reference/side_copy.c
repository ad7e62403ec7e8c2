#include "core/reference/side_copy.h"

#include <string.h>

#include "core/checked.h"

enum {
    ELEMENT_BYTES = 8,
    SMALL_COPY = 4096, /* elements that are sooner cleared whole than around their middle */
};

bool cp_side_copy_lay_out(struct cp_side_copy *copy)
{
    copy->row = cp_ceil_divide(copy->extent[2], copy->deal);
    return cp_multiply(copy->row, copy->deal, &copy->line) && cp_multiply(copy->line, copy->extent[1], &copy->plane) &&
           cp_multiply(copy->plane, copy->extent[0], &copy->channel) &&
           cp_multiply(copy->channel, copy->channels, &copy->total);
}

struct range {
    int64_t first, end;
};

/* Cells of the copy that are real. */
static struct range real_cells(const struct cp_side_copy *copy, int axis)
{
    struct range range = {-copy->begin[axis], copy->source[axis] - copy->begin[axis]};
    if (range.first < 0) range.first = 0;
    if (range.end > copy->extent[axis]) range.end = copy->extent[axis];
    return range;
}

/* Cells `first` and every deal-th after it, side by side. */
static void deal_row(unsigned char *target, const unsigned char *source, int64_t cells, int64_t deal)
{
    for (int64_t cell = 0; cell < cells; cell += deal, target += ELEMENT_BYTES)
        memcpy(target, source + cell * ELEMENT_BYTES, ELEMENT_BYTES);
}

static void copy_row(const struct cp_side_copy *copy, struct range x, const unsigned char *source,
                     unsigned char *target)
{
    const unsigned char *first = source + (x.first + copy->begin[2]) * ELEMENT_BYTES;
    if (x.first >= x.end) return;
    if (copy->deal == 1) {
        memcpy(target + x.first * ELEMENT_BYTES, first, (size_t)(x.end - x.first) * ELEMENT_BYTES);
        return;
    }
    for (int64_t cell = x.first; cell < x.end && cell < x.first + copy->deal; cell++)
        deal_row(target + cp_side_copy_cell(copy, cell) * ELEMENT_BYTES, first + (cell - x.first) * ELEMENT_BYTES,
                 x.end - cell, copy->deal);
}

static void clear_cells(unsigned char *target, int64_t first, int64_t end)
{
    if (end > first) memset(target + first * ELEMENT_BYTES, 0, (size_t)(end - first) * ELEMENT_BYTES);
}

void cp_side_copy_clear(const struct cp_side_copy *copy, void *target)
{
    struct range d = real_cells(copy, 0), h = real_cells(copy, 1), w = real_cells(copy, 2);
    unsigned char *line = target;
    int64_t lines = copy->channels * copy->extent[0] * copy->extent[1];
    bool whole = copy->deal != 1 || w.first >= w.end;
    if (copy->total <= SMALL_COPY) {
        memset(target, 0, (size_t)copy->total * ELEMENT_BYTES);
        return;
    }
    for (int64_t i = 0; i < lines; i++, line += copy->line * ELEMENT_BYTES) {
        int64_t y = i % copy->extent[1], z = i / copy->extent[1] % copy->extent[0];
        if (whole || y < h.first || y >= h.end || z < d.first || z >= d.end) {
            clear_cells(line, 0, copy->line);
            continue;
        }
        clear_cells(line, 0, w.first);
        clear_cells(line, w.end, copy->line);
    }
}

void cp_side_copy_fill(const struct cp_side_copy *copy, const void *source, void *target)
{
    struct range d = real_cells(copy, 0), h = real_cells(copy, 1), w = real_cells(copy, 2);
    for (int64_t channel = 0; channel < copy->channels; channel++) {
        for (int64_t z = d.first; z < d.end; z++) {
            for (int64_t y = h.first; y < h.end; y++) {
                int64_t plane = channel * copy->source[0] + z + copy->begin[0];
                int64_t from = (plane * copy->source[1] + y + copy->begin[1]) * copy->source[2];
                int64_t to = channel * copy->channel + z * copy->plane + y * copy->line;
                copy_row(copy, w, (const unsigned char *)source + from * ELEMENT_BYTES,
                         (unsigned char *)target + to * ELEMENT_BYTES);
            }
        }
    }
}

void cp_side_copy_fill_channels_last(const struct cp_side_copy *copy, const void *source, void *target)
{
    struct range d = real_cells(copy, 0), h = real_cells(copy, 1), w = real_cells(copy, 2);
    for (int64_t channel = 0; channel < copy->channels; channel++) {
        for (int64_t z = d.first; z < d.end; z++) {
            for (int64_t y = h.first; y < h.end; y++) {
                int64_t plane = channel * copy->source[0] + z + copy->begin[0];
                int64_t from = (plane * copy->source[1] + y + copy->begin[1]) * copy->source[2] + copy->begin[2];
                int64_t to = (z * copy->plane + y * copy->line) * copy->channels + channel;
                for (int64_t x = w.first; x < w.end; x++)
                    memcpy((unsigned char *)target + (to + x * copy->channels) * ELEMENT_BYTES,
                           (const unsigned char *)source + (from + x) * ELEMENT_BYTES, ELEMENT_BYTES);
            }
        }
    }
}
