/* The exact sum of products of int64: the halves of each 128-bit product are summed apart, so nothing can overflow
 * before 2^63 terms. */
#ifndef CP_REFERENCE_EXACT_H
#define CP_REFERENCE_EXACT_H

#include <stdbool.h>
#include <stdint.h>

__extension__ typedef __int128 cp_int128;

struct cp_exact {
    cp_int128 low;  /* Σ of the low 64 bits, unsigned */
    cp_int128 high; /* Σ of the rest, signed */
};

static inline struct cp_exact cp_exact_start(int64_t value)
{
    return (struct cp_exact){(uint64_t)value, value < 0 ? -1 : 0};
}

static inline void cp_exact_add(struct cp_exact *sum, int64_t a, int64_t b)
{
    cp_int128 product = (cp_int128)a * b;
    sum->low += (uint64_t)product;
    sum->high += product >> 64;
}

/* False when the sum does not fit. */
static inline bool cp_exact_finish(const struct cp_exact *sum, int64_t *value)
{
    cp_int128 high = sum->high + (sum->low >> 64);
    int64_t rest = (int64_t)(uint64_t)sum->low;
    *value = rest;
    return high == (rest < 0 ? -1 : 0);
}

#endif
