#include "server/json/powers.h"

#include <string.h>

/* 10^n and 5^n have the same leading bits, so the numbers here are powers of five. 2^960 / 5^342 still has 165 bits. */
enum { LIMBS = 32, ONE_BIT = 960 };

struct cp_power cp_powers[CP_POWER_MAX - CP_POWER_MIN + 1];

/* Little-endian limbs. */
struct wide {
    uint32_t limb[LIMBS];
};

static void multiply_by_five(struct wide *number)
{
    uint64_t carry = 0;
    for (int index = 0; index < LIMBS; index++) {
        carry += UINT64_C(5) * number->limb[index];
        number->limb[index] = (uint32_t)carry;
        carry >>= 32;
    }
}

/* Floors of floors are exact: ⌊⌊x/5⌋/5⌋ = ⌊x/25⌋. */
static void divide_by_five(struct wide *number)
{
    uint64_t rest = 0;
    for (int index = LIMBS - 1; index >= 0; index--) {
        rest = rest << 32 | number->limb[index];
        number->limb[index] = (uint32_t)(rest / 5);
        rest %= 5;
    }
}

static uint32_t limb_or_zero(const struct wide *number, int index)
{
    return index >= 0 ? number->limb[index] : 0;
}

/* The leading 128 bits, the first of them set. */
static struct cp_power leading_bits(const struct wide *number)
{
    int top = LIMBS - 1;
    while (!number->limb[top]) top--;
    int shift = __builtin_clz(number->limb[top]);
    uint32_t word[4];
    for (int index = 0; index < 4; index++) {
        uint64_t pair = (uint64_t)limb_or_zero(number, top - index) << 32 | limb_or_zero(number, top - index - 1);
        word[index] = (uint32_t)(pair << shift >> 32);
    }
    return (struct cp_power){(uint64_t)word[0] << 32 | word[1], (uint64_t)word[2] << 32 | word[3]};
}

/* A constructor, so that the hot paths need not ask whether it has run; it takes a tenth of a millisecond. */
__attribute__((constructor)) static void fill_powers(void)
{
    struct wide number = {{1}};
    for (int n = 0; n <= CP_POWER_MAX; n++) {
        cp_powers[n - CP_POWER_MIN] = leading_bits(&number);
        multiply_by_five(&number);
    }
    memset(&number, 0, sizeof number);
    number.limb[ONE_BIT / 32] = UINT32_C(1) << ONE_BIT % 32;
    for (int n = -1; n >= CP_POWER_MIN; n--) {
        divide_by_five(&number);
        cp_powers[n - CP_POWER_MIN] = leading_bits(&number);
    }
}
