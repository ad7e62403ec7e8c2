/* Poolings: windows of max, average and LP pooling, sliding or adaptive, forward and backward. */
#ifndef CP_REFERENCE_POOLING_H
#define CP_REFERENCE_POOLING_H

#include <stdbool.h>
#include <stdint.h>

#include "core/attributes.h"
#include "core/reference/reference.h"

/* The real cells of one window on one axis: first, first + step, …; and what counts for an average that includes
 * padding: the cells from the window's begin to its end, cut off at the end of the padding (PyTorch's rule). */
struct cp_pool_cells {
    int64_t first, count, extent;
};

struct cp_pool_axis {
    int64_t input, output, step;
    const struct cp_pool_cells *cells; /* one for each output unit */
};

struct cp_pooling {
    const struct cp_operation *operation;
    int64_t planes;                        /* batch · channels */
    int64_t kernel_count;                  /* cells of a whole window; sliding pools */
    struct cp_pool_axis axis[CP_MAX_AXES]; /* missing ones come first, with size 1 */
    bool integer;                          /* arrays of int64_t, else of double */
    const void *input;                     /* NULL where it is not needed: backward of averages */
    const void *output_gradient;           /* backward only */
    struct cp_stop stop;
    struct cp_arena *arena;
    int64_t where; /* index in the result, with a code that has a position */
};

/* From a checked question; the tables of cells lie in `arena`. Data pointers are left to the caller. */
struct cp_pooling cp_pooling_of(const struct cp_reference *reference, const struct cp_shape *output,
                                struct cp_arena *arena);

/* Cells of all windows of a plane together, at most; false when it is over CP_MAX_COUNT. */
CP_MUST_CHECK bool cp_pooling_cells(const struct cp_reference *reference, const struct cp_shape *output,
                                    int64_t *cells);

/* CP_REFERENCE_OK, _STOPPED, _OVERFLOW, _INEXACT or _EMPTY_WINDOW. The order of sums is in reference.h; LP adds x^p
 * with exponents 1 and 2 exact to rounding and others as the C library's pow() has them; where ceil_mode cuts a
 * window off, its sum is scaled up to a whole window, which is what PyTorch does. A NaN is larger than all numbers.
 * Backward: the gradient of LP is 0 where the norm is. */
CP_MUST_CHECK enum cp_reference_code cp_pool_forward(struct cp_pooling *pooling, void *output);
CP_MUST_CHECK enum cp_reference_code cp_pool_backward(struct cp_pooling *pooling, void *input_gradient);

#endif
