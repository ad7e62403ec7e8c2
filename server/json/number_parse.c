/* Decimal to binary64: Clinger's exact cases, then one 64 by 128 bit product after Eisel and Lemire (D. Lemire, Number
 * Parsing at a Gigabyte per Second, 2021), and the C library for the few that this leaves undecided. */
#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/json/number.h"
#include "server/json/powers.h"

__extension__ typedef unsigned __int128 wide;

static_assert(FLT_EVAL_METHOD == 0, "Clinger's case needs arithmetic that rounds to binary64 at once");

/* A value in [digits, digits + dropped) · 10^exponent. */
struct decimal {
    uint64_t digits; /* the first 19 significant ones at most */
    int64_t exponent;
    bool negative;
    bool dropped; /* digits other than 0 were left out */
};

enum { MAX_DIGITS = 19, MANTISSA_BITS = 53, MIN_EXPONENT = -1022, LAST_EXACT_POWER = 55 };

static const double exact_powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                      1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static bool is_digit(char byte)
{
    return (unsigned char)(byte - '0') <= 9;
}

static const char *skip_digits(const char *at, const char *end, uint64_t *digits)
{
    uint64_t total = *digits;
    while (at < end && is_digit(*at)) total = total * 10 + (uint64_t)(*at++ - '0');
    *digits = total;
    return at;
}

/* Saturated far outside what the digits of a text in memory could make up for. */
static int64_t read_exponent(const char *at, const char *end)
{
    const int64_t bound = INT64_C(1000000000000000);
    bool negative = *at == '-';
    int64_t exponent = 0;
    for (at += *at == '-' || *at == '+'; at < end; at++)
        if (exponent < bound) exponent = exponent * 10 + (*at - '0');
    return negative ? -exponent : exponent;
}

/* The significant digits of a long mantissa [at, end), one by one: MAX_DIGITS of them count. */
static void read_long_mantissa(const char *at, const char *end, struct decimal *decimal)
{
    int taken = 0;
    bool fraction = false;
    for (decimal->digits = 0; at < end; at++) {
        if (*at == '.') {
            fraction = true;
        } else if (taken < MAX_DIGITS) {
            decimal->digits = decimal->digits * 10 + (uint64_t)(*at - '0');
            taken += decimal->digits != 0;
            decimal->exponent -= fraction;
        } else {
            decimal->dropped |= *at != '0';
            decimal->exponent += !fraction;
        }
    }
}

static struct decimal read_decimal(const char *start, const char *end)
{
    struct decimal decimal = {.negative = *start == '-'};
    const char *first = start + decimal.negative;
    const char *at = skip_digits(first, end, &decimal.digits);
    ptrdiff_t count = at - first;
    ptrdiff_t fraction = 0;
    if (at < end && *at == '.') {
        const char *point = at++;
        at = skip_digits(at, end, &decimal.digits);
        fraction = at - point - 1;
    }
    const char *mantissa_end = at;
    if (at < end) decimal.exponent = read_exponent(at + 1, end);
    if (count + fraction <= MAX_DIGITS)
        decimal.exponent -= fraction;
    else
        read_long_mantissa(first, mantissa_end, &decimal);
    return decimal;
}

/* 10^exponent is a double, and so is the integer before it: one rounding, hence the right one (Clinger 1990). */
static bool multiply_exactly(const struct decimal *decimal, double *value)
{
    if (decimal->dropped || decimal->digits > UINT64_C(1) << MANTISSA_BITS) return false;
    if (decimal->exponent < -22 || decimal->exponent > 22) return false;
    double digits = (double)decimal->digits;
    if (decimal->exponent < 0)
        *value = digits / exact_powers[-decimal->exponent];
    else
        *value = digits * exact_powers[decimal->exponent];
    return true;
}

/* digits · 10^exponent, digits != 0, rounded to the bits of a double (infinity's when too large). False: the product is
 * too near to halfway between two doubles for 128 bits of 10^exponent to tell. */
static bool round_product(uint64_t digits, int exponent, uint64_t *bits)
{
    int shift_up = __builtin_clzll(digits);
    struct cp_power power = cp_power_of_ten(exponent);
    wide low = (wide)(digits << shift_up) * power.low;
    wide high = (wide)(digits << shift_up) * power.high + (uint64_t)(low >> 64);
    int top = 63 - __builtin_clzll((uint64_t)(high >> 64));
    int binary_exponent = cp_power_exponent(exponent) + 1 - shift_up + top;
    int kept = binary_exponent >= MIN_EXPONENT ? MANTISSA_BITS : MANTISSA_BITS - (MIN_EXPONENT - binary_exponent);
    if (kept < 0) {
        *bits = 0;
        return true;
    }
    if (kept == 0) return false;

    /* The true product lies in [high:low, high:low + 2^64) in units of the last place of `low`, and is high:low itself
     * where the power is exact; what matters is on which side of `half` the bits below the kept ones fall. */
    int dropped_bits = 64 + top + 1 - kept;
    wide half = (wide)1 << (dropped_bits - 1);
    wide rest = high & (half * 2 - 1);
    bool exact = exponent >= 0 && exponent <= LAST_EXACT_POWER;
    bool tie = rest == half && (uint64_t)low == 0;
    if (!exact && (tie || rest == half - 1)) return false;
    uint64_t mantissa = (uint64_t)(high >> dropped_bits);
    mantissa += tie ? mantissa & 1 : rest >= half;
    /* The mantissa's leading bit, and a carry out of it, add to the exponent field. */
    *bits = kept < MANTISSA_BITS ? mantissa : ((uint64_t)(binary_exponent - MIN_EXPONENT) << 52) + mantissa;
    if (binary_exponent > 1023) *bits = UINT64_C(0x7FF0000000000000);
    return true;
}

static bool round_decimal(const struct decimal *decimal, double *value)
{
    uint64_t bits = 0;
    uint64_t upper;
    if (decimal->exponent > 308) {
        bits = UINT64_C(0x7FF0000000000000);
    } else if (decimal->exponent >= CP_POWER_MIN) {
        if (!round_product(decimal->digits, (int)decimal->exponent, &bits)) return false;
        if (decimal->dropped && (!round_product(decimal->digits + 1, (int)decimal->exponent, &upper) || upper != bits))
            return false;
    }
    memcpy(value, &bits, sizeof bits);
    return true;
}

/* Halfway between two doubles there are at most 767 significant digits, so that of more only "not zero" matters. The
 * number is written anew as digits and exponent: terminated, and without a point, which depends on the locale. */
static double parse_slowly(const char *start, const char *end)
{
    enum { ENOUGH = 800 };
    char text[ENOUGH + 32];
    size_t size = 0;
    int64_t exponent = 0;
    bool fraction = false;
    bool dropped = false;
    const char *at = start + (*start == '-');
    for (; at < end && (*at == '.' || is_digit(*at)); at++) {
        if (*at == '.') {
            fraction = true;
        } else if (size < ENOUGH) {
            if (size || *at != '0') text[size++] = *at;
            exponent -= fraction;
        } else {
            dropped |= *at != '0';
            exponent += !fraction;
        }
    }
    if (dropped) {
        text[size++] = '1';
        exponent--;
    }
    if (at < end) exponent += read_exponent(at + 1, end);
    text[size++] = 'e';
    text[size + cp_number_format_integer(exponent, text + size)] = '\0';
    return strtod(text, NULL);
}

bool cp_number_parse(const char *start, const char *end, double *value)
{
    struct decimal decimal = read_decimal(start, end);
    double magnitude = 0;
    if (decimal.digits != 0 && !multiply_exactly(&decimal, &magnitude) && !round_decimal(&decimal, &magnitude))
        magnitude = parse_slowly(start, end);
    *value = decimal.negative ? -magnitude : magnitude;
    return magnitude <= DBL_MAX;
}
