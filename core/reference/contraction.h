/* The one kernel under every convolution, transposed convolution and weight gradient: sums of products in one order.
 *
 *     out[row · out_row + position] = initial[row] + Σ over terms: a[row · a_row + a_term[term]] · b[position + b_term[term]]
 *
 * where initial is +0 when absent, and each sum is a chain of fused multiply-adds that starts at the initial value and
 * takes its terms in that order. Positions are independent of each other, and so are rows: that is where the kernel
 * takes its parallelism from (several rows × several vectors of positions in registers), never from the sum. So every
 * instruction set gives the same bytes. */
#ifndef CP_REFERENCE_CONTRACTION_H
#define CP_REFERENCE_CONTRACTION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/attributes.h"

/* A variant of the kernel; CP_INSTRUCTIONS_BEST is the fastest that this processor has. */
enum cp_instruction_set {
    CP_INSTRUCTIONS_BEST,
    CP_INSTRUCTIONS_PORTABLE, /* fma() of the C library where the processor's baseline has none: slow, same bytes */
    CP_INSTRUCTIONS_AVX2,     /* with FMA */
    CP_INSTRUCTIONS_AVX512,
    CP_INSTRUCTION_SET_COUNT,
};

/* Can this processor run it? */
bool cp_instructions_available(enum cp_instruction_set instructions);

/* "portable", "avx2", "avx512"; of CP_INSTRUCTIONS_BEST the name of what it stands for. */
const char *cp_instructions_name(enum cp_instruction_set instructions);

/* Positions of one vector. */
int cp_instructions_lanes(enum cp_instruction_set instructions);

/* Neighbouring positions: consecutive in b, `out_step` apart in out. At most as many as the kernel has lanes; up to a
 * full vector is read from b even when `count` is less. Strips may overlap. */
struct cp_strip {
    int64_t b;
    int64_t out;
    int64_t count;
};

/* Elements that must be readable past the last element of b that any strip uses. */
#define CP_CONTRACTION_SLACK 8

/* Strips of an int64 contraction may be this long; they are never read past their count. */
#define CP_CONTRACTION_INTEGER_LANES 64

struct cp_contraction {
    int64_t rows, terms; /* terms may be 0: out is the initial value */
    int64_t a_row;
    const int64_t *a_term, *b_term;
    const struct cp_strip *strips;
    int64_t strip_count;
    int64_t out_row, out_step;
};

/* Polled while a contraction runs. */
struct cp_stop {
    bool (*stop)(void *context); /* NULL: never */
    void *context;
};

static inline bool cp_stopped(struct cp_stop stop)
{
    return stop.stop && stop.stop(stop.context);
}

/* Doubles of scratch for a contraction of `rows` rows of `terms` terms each. */
int64_t cp_contraction_scratch(int64_t rows, int64_t terms);

/* False: stopped, `out` is then incomplete. NaN results are canonical. */
CP_MUST_CHECK bool cp_contract_float64(const struct cp_contraction *contraction, enum cp_instruction_set instructions,
                                       const double *a, const double *b, const double *initial, double *scratch,
                                       double *out, struct cp_stop stop);

enum cp_contract_status { CP_CONTRACT_DONE, CP_CONTRACT_STOPPED, CP_CONTRACT_OVERFLOW };

/* Exact. `bounded` promises that no sum on the way leaves int64, which is faster. On CP_CONTRACT_OVERFLOW *overflow is
 * the index in `out` of a result that does not fit: the first in the order of rows and strips. */
CP_MUST_CHECK enum cp_contract_status cp_contract_int64(const struct cp_contraction *contraction, bool bounded,
                                                        const int64_t *a, const int64_t *b, const int64_t *initial,
                                                        int64_t *out, int64_t *overflow, struct cp_stop stop);

#endif
