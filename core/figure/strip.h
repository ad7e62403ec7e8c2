/* One axis of an operation as a figure draws it: always a direct one, a window that slides over a row of cells. A
 * transposed convolution is the direct convolution that it equals (Relationships 8-14 of arXiv 1603.07285): unit stride
 * over the input stretched by s − 1 zeros between its units, a zeros more at the end, and p′ = k̂ − p − 1 zeros on each
 * side, where a negative number crops. */
#ifndef CP_FIGURE_STRIP_H
#define CP_FIGURE_STRIP_H

#include "core/arena.h"
#include "core/plan.h"

/* What a cell is. Where two axes cross, the later one says what the cell is. */
enum cp_cell {
    CP_CELL_INPUT,   /* a unit of the input */
    CP_CELL_ZERO,    /* between units, by a transposed convolution's stride */
    CP_CELL_EXTRA,   /* the a zeros at its end */
    CP_CELL_PADDING, /* p, or p′ */
    CP_CELL_BEYOND,  /* past the end padding, where ceil_mode's last window reaches */
    CP_CELL_KINDS,
};

/* Whether a window looks at it. Where two axes cross, the later one counts. */
enum cp_sight {
    CP_SIGHT_SEEN,
    CP_SIGHT_UNSEEN,  /* no window does */
    CP_SIGHT_CROPPED, /* it is cut off by a negative p′ */
    CP_SIGHTS,
};

struct cp_strip {
    int64_t cells;                    /* of the row, cropped ones included */
    int64_t first;                    /* where window 0 begins */
    int64_t stride, kernel, dilation; /* of the direct operation */
    int64_t span;                     /* k̂ */
    int64_t output;                   /* windows */
    int64_t stretched;                /* s(i′ − 1) + 1 of a transposed convolution; of others i */
    int64_t pad_begin, pad_end;       /* p, or p′, which may be negative */
    int64_t extra, beyond;
};

/* The strip of a planned axis; false when a number is over CP_MAX_COUNT. */
CP_MUST_CHECK bool cp_strip_of(struct cp_strip *strip, enum cp_traced operation, const struct cp_axis_trace *axis);

/* What the cells are, and whether they are seen: `strip->cells` entries each. Costs cells + output · kernel. */
enum cp_cell *cp_strip_kinds(const struct cp_strip *strip, const struct cp_axis_trace *axis, enum cp_traced operation,
                             struct cp_arena *arena);
enum cp_sight *cp_strip_sights(const struct cp_strip *strip, struct cp_arena *arena);

#endif
