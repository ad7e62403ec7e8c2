/* Binary64 to the shortest decimal, after R. Giulietti's Schubfach: of the multiples of 10^k and 10^(k+1) around the
 * value, for one well-chosen k, the shortest in its rounding interval is found with three products of 128 bits. */
#include <math.h>
#include <string.h>

#include "server/json/number.h"
#include "server/json/powers.h"

__extension__ typedef unsigned __int128 wide;

/* Of a binary64. */
enum { MOST_DIGITS = 17 };

/* digits · 10^exponent */
struct decimal {
    uint64_t digits;
    int exponent;
};

/* The eight digits of a value below 10^8, the first in the lowest byte: both halves of the value, and then of each half,
 * are split side by side in one word, by multiplying with reciprocals that are exact in their range. */
static uint64_t eight_digits(uint32_t value)
{
    uint64_t halves = value / 10000 | (uint64_t)(value % 10000) << 32;
    uint64_t hundreds = halves * 10486 >> 20 & UINT64_C(0x0000007F0000007F);
    uint64_t pairs = hundreds | (halves - 100 * hundreds) << 16;
    uint64_t tens = pairs * 103 >> 10 & UINT64_C(0x000F000F000F000F);
    return tens | (pairs - 10 * tens) << 8;
}

static void write_eight(uint64_t digits, char *out)
{
    digits |= UINT64_C(0x3030303030303030);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    digits = __builtin_bswap64(digits);
#endif
    memcpy(out, &digits, sizeof digits);
}

const char cp_digit_pairs[] =
    "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
    "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

enum { CHUNK = 100000000 };

/* The digits of a value below 10^8, and anything behind them up to eight. Returns how many there are. */
static inline size_t format_short(uint64_t value, char *out)
{
    uint64_t digits = eight_digits((uint32_t)value);
    unsigned zeros =
        (unsigned)__builtin_ctzll(digits | UINT64_C(1) << 56) / 8; /* before the first; the last one stays */
    write_eight(digits >> 8 * zeros, out);
    return 8 - zeros;
}

/* The digits of a value from 100 to 9999, as most sizes are. */
static inline size_t format_size(uint32_t value, char *out)
{
    uint32_t hundreds = value / 100;
    if (hundreds < 10) {
        *out = (char)('0' + hundreds);
        memcpy(out + 1, &cp_digit_pairs[2 * (value % 100)], 2);
        return 3;
    }
    memcpy(out, &cp_digit_pairs[2 * hundreds], 2);
    memcpy(out + 2, &cp_digit_pairs[2 * (value % 100)], 2);
    return 4;
}

/* Apart, since few numbers are as long. */
__attribute__((noinline)) static size_t format_long(uint64_t value, char *out)
{
    uint64_t high = value / CHUNK, highest = high / CHUNK, first = highest ? highest : high;
    size_t before = first < 100 ? cp_number_format_small(first, out) : format_short(first, out);
    if (highest) {
        write_eight(eight_digits((uint32_t)(high % CHUNK)), out + before);
        before += 8;
    }
    write_eight(eight_digits((uint32_t)(value % CHUNK)), out + before);
    return before + 8;
}

static size_t format_unsigned(uint64_t value, char *out)
{
    if (value >= 100 && value < 10000) return format_size((uint32_t)value, out);
    return value < CHUNK ? format_short(value, out) : format_long(value, out);
}

size_t cp_number_format_long_integer(int64_t value, char *out)
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
    char digits[CP_NUMBER_ROOM];
    int count = (int)format_unsigned(decimal.digits, digits);
    int point = count + decimal.exponent; /* digits before the decimal point */
    count = strip_zeros(digits, count);
    if (point <= 0 && point > -6) {
        memcpy(out, "0.00000", 7);
        memcpy(out + 2 - point, digits, MOST_DIGITS);
        return (size_t)(count + 2 - point);
    }
    bool scientific = point > 21 || point <= 0;
    int before = scientific ? 1 : point;
    memcpy(out, digits, MOST_DIGITS);
    if (before >= count) {
        memset(out + count, '0', (size_t)(before - count));
        count = before;
    } else {
        memcpy(out + before + 1, digits + before, (size_t)(count - before));
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
