/* Sums that are added to in any order of their index, for the methods that walk over something else than the result:
 * fused multiply-adds for doubles, exact for int64. */
#ifndef CP_REFERENCE_ACCUMULATOR_H
#define CP_REFERENCE_ACCUMULATOR_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/attributes.h"
#include "core/reference/exact.h"

/* One sum for each element of a result. The values multiplied are elements of arrays of the same type. */
struct cp_accumulator {
    bool integer;
    int64_t count;
    double *sums;           /* the result itself; NULL when integer */
    struct cp_exact *exact; /* NULL unless integer */
    int64_t *values;        /* the result, filled by cp_accumulator_finish; NULL unless integer */
};

/* Bytes of scratch for each element of an integer result. */
#define CP_ACCUMULATOR_BYTES ((int64_t)sizeof(struct cp_exact))

/* Over `result`, with all sums 0. */
static inline struct cp_accumulator cp_accumulator_start(struct cp_arena *arena, bool integer, void *result,
                                                         int64_t count)
{
    struct cp_accumulator sums = {.integer = integer, .count = count};
    if (integer) {
        sums.values = result;
        sums.exact = CP_NEW_ARRAY(arena, struct cp_exact, count);
        return sums;
    }
    sums.sums = result;
    for (int64_t i = 0; i < count; i++) sums.sums[i] = 0;
    return sums;
}

/* Let a sum begin at element `from` of `values`. */
static inline void cp_accumulator_set(struct cp_accumulator *sums, int64_t index, const void *values, int64_t from)
{
    if (sums->integer)
        sums->exact[index] = cp_exact_start(((const int64_t *)values)[from]);
    else
        sums->sums[index] = ((const double *)values)[from];
}

/* sum ← sum + a[i] · b[j] */
static inline void cp_accumulator_add(struct cp_accumulator *sums, int64_t index, const void *a, int64_t i,
                                      const void *b, int64_t j)
{
    if (sums->integer)
        cp_exact_add(&sums->exact[index], ((const int64_t *)a)[i], ((const int64_t *)b)[j]);
    else
        sums->sums[index] = fma(((const double *)a)[i], ((const double *)b)[j], sums->sums[index]);
}

/* Write the results, NaN canonical. False: *overflow is the first that does not fit. */
CP_MUST_CHECK static inline bool cp_accumulator_finish(struct cp_accumulator *sums, int64_t *overflow)
{
    for (int64_t i = 0; i < sums->count; i++) {
        if (!sums->integer) {
            if (isnan(sums->sums[i])) sums->sums[i] = (double)NAN;
        } else if (!cp_exact_finish(&sums->exact[i], &sums->values[i])) {
            *overflow = i;
            return false;
        }
    }
    return true;
}

#endif
