/* Binary64 to the shortest decimal, after R. Giulietti's Schubfach: of the multiples of 10^k and 10^(k+1) around the
 * value, for one well-chosen k, the shortest in its rounding interval is found with three products of 128 bits. */
#include <math.h>
#include <string.h>

#include "server/json/number.h"
#include "server/json/powers.h"

__extension__ typedef unsigned __int128 wide;

/* digits · 10^exponent */
struct decimal {
    uint64_t digits;
    int exponent;
};

static const char pairs[] = "0001020304050607080910111213141516171819"
                            "2021222324252627282930313233343536373839"
                            "4041424344454647484950515253545556575859"
                            "6061626364656667686970717273747576777879"
                            "8081828384858687888990919293949596979899";

static const uint64_t powers[] = {UINT64_C(1),
                                  UINT64_C(10),
                                  UINT64_C(100),
                                  UINT64_C(1000),
                                  UINT64_C(10000),
                                  UINT64_C(100000),
                                  UINT64_C(1000000),
                                  UINT64_C(10000000),
                                  UINT64_C(100000000),
                                  UINT64_C(1000000000),
                                  UINT64_C(10000000000),
                                  UINT64_C(100000000000),
                                  UINT64_C(1000000000000),
                                  UINT64_C(10000000000000),
                                  UINT64_C(100000000000000),
                                  UINT64_C(1000000000000000),
                                  UINT64_C(10000000000000000),
                                  UINT64_C(100000000000000000),
                                  UINT64_C(1000000000000000000),
                                  UINT64_C(10000000000000000000)};

static int count_digits(uint64_t value)
{
    int bits = 64 - __builtin_clzll(value | 1);
    int estimate = bits * 1233 >> 12; /* bits · log10(2), at most one too low */
    return estimate + (value >= powers[estimate]) + (estimate == 0 && value == 0);
}

/* The lowest `count` digits of `value`. */
static void write_digits(uint64_t value, int count, char *out)
{
    char *at = out + count;
    for (; count >= 2; count -= 2) {
        memcpy(at -= 2, pairs + value % 100 * 2, 2);
        value /= 100;
    }
    if (count) at[-1] = (char)('0' + value % 10);
}

static size_t format_unsigned(uint64_t value, char *out)
{
    if (value < 10) {
        *out = (char)('0' + value);
        return 1;
    }
    if (value < 100) {
        memcpy(out, pairs + 2 * value, 2);
        return 2;
    }
    int count = count_digits(value);
    write_digits(value, count, out);
    return (size_t)count;
}

size_t cp_number_format_integer(int64_t value, char *out)
{
    if (value >= 0) return format_unsigned((uint64_t)value, out);
    *out = '-';
    return 1 + format_unsigned(-(uint64_t)value, out + 1);
}

/* ⌊factor · power / 2^128⌋, its last bit set when anything was cut off (rounding to odd). The power is the true one
 * rounded up, and no product comes nearer to an integer from above than the threshold, unless it is one. */
static uint64_t round_to_odd(wide power, uint64_t factor)
{
    wide low = (wide)(uint64_t)power * factor;
    wide high = (wide)(uint64_t)(power >> 64) * factor + (uint64_t)(low >> 64);
    return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

/* A positive finite value from its bits. */
static struct decimal shortest(uint64_t bits)
{
    uint64_t fraction = bits & UINT64_C(0xFFFFFFFFFFFFF);
    int field = (int)(bits >> 52);
    uint64_t mantissa = field ? fraction | UINT64_C(1) << 52 : fraction;
    int exponent = (field ? field : 1) - 1075;
    bool lopsided = fraction == 0 && field > 1; /* the double below is half as far away as the one above */

    /* k = ⌊log10(width of the rounding interval)⌋; all that follows is in units of 10^k / 4. */
    /* cppcheck-suppress shiftNegativeLHS; gcc and clang shift arithmetically, which rounds down */
    int k = (exponent * 315653 - (lopsided ? 131072 : 0)) >> 20;
    struct cp_power entry = cp_power_of_ten(-k);
    wide power = ((wide)entry.high << 64 | entry.low) + 1;
    int shift = exponent + cp_power_exponent(-k) + 1;
    uint64_t value = round_to_odd(power, 4 * mantissa << shift);
    uint64_t lower = round_to_odd(power, (4 * mantissa - (lopsided ? 1 : 2)) << shift);
    uint64_t upper = round_to_odd(power, (4 * mantissa + 2) << shift);
    /* The ends belong to the interval only where ties go to this value: an even mantissa. */
    lower += mantissa & 1;
    upper -= mantissa & 1;

    uint64_t below = value / 4;
    uint64_t tens = below / 10;
    bool low_fits = lower <= 40 * tens;
    bool high_fits = 40 * tens + 40 <= upper;
    if (below >= 10 && low_fits != high_fits) return (struct decimal){tens + high_fits, k + 1};
    low_fits = lower <= 4 * below;
    high_fits = 4 * below + 4 <= upper;
    if (low_fits != high_fits) return (struct decimal){below + high_fits, k};
    uint64_t middle = 4 * below + 2;
    bool up = value > middle || (value == middle && below & 1);
    return (struct decimal){below + up, k};
}

/* e+21, e-7: what follows the digits. */
static size_t format_exponent(int exponent, char *out)
{
    out[0] = 'e';
    out[1] = exponent < 0 ? '-' : '+';
    return 2 + format_unsigned((uint64_t)(exponent < 0 ? -exponent : exponent), out + 2);
}

/* Digits at `start` without the zeros at their end; at least one is left. */
static int strip_zeros(const char *start, int count)
{
    while (count > 1 && start[count - 1] == '0') count--;
    return count;
}

static size_t format_decimal(struct decimal decimal, char *out)
{
    int count = count_digits(decimal.digits);
    int point = count + decimal.exponent; /* digits before the decimal point */
    if (point <= 0 && point > -6) {
        memcpy(out, "0.00000", 7);
        char *start = out + 2 - point;
        write_digits(decimal.digits, count, start);
        int digits = strip_zeros(start, count);
        return (size_t)digits + 2 - (size_t)point;
    }
    write_digits(decimal.digits, count, out + 1);
    count = strip_zeros(out + 1, count);
    bool scientific = point > 21 || point <= 0;
    int before = scientific ? 1 : point;
    if (before >= count) {
        memmove(out, out + 1, (size_t)count);
        memset(out + count, '0', (size_t)(before - count));
        count = before;
    } else {
        memmove(out, out + 1, (size_t)before);
        out[before] = '.';
        count++;
    }
    return (size_t)count + (scientific ? format_exponent(point - 1, out + count) : 0);
}

size_t cp_number_format(double value, char *out)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    bool negative = bits >> 63;
    if (value == 0) {
        memcpy(out, "-0.0", 4);
        if (negative) return 4;
        *out = '0';
        return 1;
    }
    if (negative) *out++ = '-';
    double magnitude = fabs(value);
    if (magnitude < 0x1p53 && magnitude == (double)(int64_t)magnitude)
        return negative + format_unsigned((uint64_t)magnitude, out);
    return negative + format_decimal(shortest(bits & ~(UINT64_C(1) << 63)), out);
}
