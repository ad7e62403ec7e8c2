/* The copy of one side of a frame that a contraction reads: with the zeros of its padding written out, and laid out
 * so that neighbouring positions are neighbouring cells. Elements are 8 bytes, double or int64_t: zero is the same
 * in both. */
#ifndef CP_REFERENCE_SIDE_COPY_H
#define CP_REFERENCE_SIDE_COPY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/attributes.h"
#include "core/limits.h"

struct cp_side_copy {
    /* Cell x of an axis of the copy is cell x + begin of the source, zero outside [0, source). */
    int64_t source[CP_MAX_AXES], begin[CP_MAX_AXES], extent[CP_MAX_AXES];
    int64_t channels;

    /* The last axis is dealt out into `deal` rows, of the cells with equal x mod deal: with deal = stride, neighbouring
     * units of a strided convolution are neighbours. 1: a plain row. */
    int64_t deal;

    /* Distances in elements, set by cp_side_copy_lay_out: between dealt rows, units of the middle and the first axis,
     * channels; and the whole. */
    int64_t row, line, plane, channel, total;
};

/* Set the distances; false when the total is over CP_MAX_COUNT. */
CP_MUST_CHECK bool cp_side_copy_lay_out(struct cp_side_copy *copy);

/* Distance of cell x of the last axis from its row's begin. */
static inline int64_t cp_side_copy_cell(const struct cp_side_copy *copy, int64_t x)
{
    return x % copy->deal * copy->row + x / copy->deal;
}

/* Copy all channels of one sample. `is_new`: write the zeros around them too; they stay there for the next sample. */
void cp_side_copy_fill(const struct cp_side_copy *copy, const void *source, bool is_new, void *target);

/* The same with channels last ([extents …][channels], deal 1), into a target that is all zero. */
void cp_side_copy_fill_channels_last(const struct cp_side_copy *copy, const void *source, void *target);

#endif
