/* Powers of ten in 128 bits: what exact conversion between decimal and binary64 multiplies by. */
#ifndef CP_POWERS_H
#define CP_POWERS_H

#include <stdint.h>

/* Parsing asks for 10^-342 (the smallest that can lift 19 digits over zero) to 10^308; printing up to 10^324. */
#define CP_POWER_MIN (-342)
#define CP_POWER_MAX 324

/* high·2^64 + low = ⌊10^n · 2^-b⌋ with b such that the top bit is set: b = cp_power_exponent(n) - 127. */
struct cp_power {
    uint64_t high, low;
};

/* Indexed by n - CP_POWER_MIN. Filled before main() runs, constant from then on. */
extern struct cp_power cp_powers[CP_POWER_MAX - CP_POWER_MIN + 1];

static inline struct cp_power cp_power_of_ten(int n)
{
    return cp_powers[n - CP_POWER_MIN];
}

/* ⌊log2(10^n)⌋, exact for |n| <= 1233. */
static inline int cp_power_exponent(int n)
{
    return (n * 1741647) >> 19;
}

#endif
