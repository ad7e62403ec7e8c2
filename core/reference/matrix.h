/* A convolution as a matrix (§4.1 of the guide): with the big side's channels and units unrolled row-major into a
 * vector x, and the small side's into y, y = C · x. C has a weight at every place where a unit of y sees one of x,
 * and zeros elsewhere; its transpose is the transposed convolution.
 *
 * Order of its sums: row-major over the entries of C. So a product with C adds in the order big channel, then unit,
 * which is the direct method's order without the padding; a product with Cᵀ adds small channel, then small unit; the
 * weights' sums add batch, then row. */
#ifndef CP_REFERENCE_MATRIX_H
#define CP_REFERENCE_MATRIX_H

#include <stdbool.h>
#include <stdint.h>

#include "core/attributes.h"
#include "core/reference/frame.h"

/* A place of C that is not zero by structure, and the weight that stands there. */
struct cp_matrix_entry {
    int64_t row;    /* small side: channel · units + unit */
    int64_t column; /* big side, likewise */
    int64_t weight; /* index in the weight tensor */
};

struct cp_matrix {
    int64_t rows, columns;
    int64_t entry_count;
    const struct cp_matrix_entry *entries; /* row-major */
};

/* Rows, columns and entries of C, without building it; false when a number is over CP_MAX_COUNT. Takes time
 * proportional to the kernel sizes. */
CP_MUST_CHECK bool cp_matrix_size(const struct cp_frame *frame, struct cp_matrix *matrix);

/* C of a convolution, or of the convolution that a transposed one is the transpose of. The sizes must have been found
 * legal by cp_reference_check and cp_matrix_size. The entries lie in `arena`. */
struct cp_matrix cp_matrix_build(const struct cp_frame *frame, struct cp_arena *arena);

/* C written out, [rows, columns], with the weights' element type; `weight` is any of the three types. Check rows ·
 * columns against a limit first. */
struct cp_tensor cp_matrix_dense(const struct cp_matrix *matrix, const struct cp_tensor *weight,
                                 struct cp_arena *arena);

/* The matrix method. */
CP_MUST_CHECK enum cp_contract_status cp_compute_matrix(struct cp_computation *computation);

#endif
