/* Overflow-checked arithmetic on sizes and counts. Each function computes wide, checks, and only then stores: on
 * failure `*result` is untouched and false is returned. The legal range is |x| <= CP_MAX_COUNT, never int64's. */
#ifndef CP_CHECKED_H
#define CP_CHECKED_H

#include <stdbool.h>
#include <stdint.h>

#include "core/attributes.h"
#include "core/limits.h"

static inline bool cp_in_range(int64_t value)
{
    return value >= -CP_MAX_COUNT && value <= CP_MAX_COUNT;
}

CP_MUST_CHECK static inline bool cp_add(int64_t a, int64_t b, int64_t *result)
{
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum) || !cp_in_range(sum)) return false;
    *result = sum;
    return true;
}

CP_MUST_CHECK static inline bool cp_multiply(int64_t a, int64_t b, int64_t *result)
{
    int64_t product;
    if (__builtin_mul_overflow(a, b, &product) || !cp_in_range(product)) return false;
    *result = product;
    return true;
}

/* Floor and ceiling division for any dividend and a positive divisor (C truncates towards zero). */
static inline int64_t cp_floor_divide(int64_t dividend, int64_t divisor)
{
    int64_t quotient = dividend / divisor;
    return quotient - (dividend % divisor < 0);
}

static inline int64_t cp_ceil_divide(int64_t dividend, int64_t divisor)
{
    int64_t quotient = dividend / divisor;
    return quotient + (dividend % divisor > 0);
}

/* The remainder that goes with cp_floor_divide: 0 <= result < divisor. */
static inline int64_t cp_floor_remainder(int64_t dividend, int64_t divisor)
{
    int64_t remainder = dividend % divisor;
    return remainder < 0 ? remainder + divisor : remainder;
}

static inline int64_t cp_greatest_common_divisor(int64_t a, int64_t b)
{
    while (b) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a < 0 ? -a : a;
}

#endif
