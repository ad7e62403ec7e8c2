#include "core/reference/side_copy.h"

#include <string.h>

#include "core/checked.h"

enum { ELEMENT_BYTES = 8 };

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

/* One line of the last axis, dealt out, into a target that is zero. `source` is the first real cell. */
static void copy_line(const struct cp_side_copy *copy, struct range x, const unsigned char *source,
                      unsigned char *target)
{
    int64_t count = x.end - x.first;
    if (copy->deal == 1) {
        memcpy(target + x.first * ELEMENT_BYTES, source, (size_t)count * ELEMENT_BYTES);
        return;
    }
    for (int64_t start = 0; start < copy->deal && start < count; start++) {
        unsigned char *to = target + cp_side_copy_cell(copy, x.first + start) * ELEMENT_BYTES;
        for (int64_t cell = start; cell < count; cell += copy->deal, to += ELEMENT_BYTES)
            memcpy(to, source + cell * ELEMENT_BYTES, ELEMENT_BYTES);
    }
}

void cp_side_copy_fill(const struct cp_side_copy *copy, const void *source, bool is_new, void *target)
{
    struct range d = real_cells(copy, 0), h = real_cells(copy, 1), w = real_cells(copy, 2);
    unsigned char *plane = target;
    for (int64_t channel = 0; channel < copy->channels; channel++) {
        for (int64_t z = 0; z < copy->extent[0]; z++, plane += copy->plane * ELEMENT_BYTES) {
            if (is_new) memset(plane, 0, (size_t)copy->plane * ELEMENT_BYTES);
            if (z < d.first || z >= d.end || w.first >= w.end) continue;
            int64_t first = (channel * copy->source[0] + z + copy->begin[0]) * copy->source[1] + copy->begin[1];
            for (int64_t y = h.first; y < h.end; y++) {
                int64_t from = (first + y) * copy->source[2] + w.first + copy->begin[2];
                copy_line(copy, w, (const unsigned char *)source + from * ELEMENT_BYTES,
                          plane + y * copy->line * ELEMENT_BYTES);
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
