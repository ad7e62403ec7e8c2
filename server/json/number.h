/* Numbers between text and binary64, both ways exact and independent of the locale. */
#ifndef CP_NUMBER_H
#define CP_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Room that either of the two functions below may write to. */
#define CP_NUMBER_ROOM 32

/* The shortest decimal that reads back as `value`, the nearest of those to it; written to `out`, not terminated.
 * Returns its length. Laid out as ECMAScript's Number::toString (1e21, 0.000001, 1e-7), save that negative zero is
 * "-0.0", so that readers who tell integers from floats keep its sign. `value` must be finite. */
size_t cp_number_format(double value, char *out);

/* "00" to "99", in turn. */
extern const char cp_digit_pairs[];

/* cp_number_format_integer for more digits than two. */
size_t cp_number_format_long_integer(int64_t value, char *out);

/* The one or two digits of a value below 100. */
static inline size_t cp_number_format_small(uint64_t value, char *out)
{
    if (value > 9) return memcpy(out, &cp_digit_pairs[2 * value], 2), 2;
    *out = (char)('0' + value);
    return 1;
}

/* The decimal digits of an integer, any of int64's; as cp_number_format. */
static inline size_t cp_number_format_integer(int64_t value, char *out)
{
    return (uint64_t)value < 100 ? cp_number_format_small((uint64_t)value, out)
                                 : cp_number_format_long_integer(value, out);
}

/* The binary64 nearest to a number of JSON's grammar, ties to even, in [start, end) of any length, already checked.
 * False, with *value infinite, when it is beyond DBL_MAX. What is too small becomes a zero of its sign. */
bool cp_number_parse(const char *start, const char *end, double *value);

#endif
