#include "server/json/outline.h"

#include <math.h>
#include <string.h>

#include "server/json/number.h"
#include "server/json/utf8.h"

typedef const unsigned char *position;

static position string_end(position at, position end)
{
    for (;;) {
        at = cp_skip_plain(at, end);
        if (*at == '"') return at + 1;
        at += *at == '\\' ? 2 : 1;
    }
}

/* A string with an escape, or bytes that may be one's, is cJSON's to read. */
static position copy_string(position quote, position end, struct cp_text *text, char **out)
{
    position at = string_end(quote + 1, end);
    bool escaped = memchr(quote, '\\', (size_t)(at - quote)) != NULL;
    if (escaped) {
        memcpy(*out, quote, (size_t)(at - quote));
        *out += at - quote;
    } else {
        *text = (struct cp_text){(const char *)quote + 1, (size_t)(at - quote) - 2};
        memcpy(*out, "\"\"", 2);
        *out += 2;
    }
    return at;
}

static inline position outline_string(position quote, position end, struct cp_text *text, char **out)
{
    if (end - quote <= 16) return copy_string(quote, end, text, out);
    int plain = cp_plain_prefix_16(quote + 1);
    if (quote[1 + plain] != '"') return copy_string(quote, end, text, out);
    *text = (struct cp_text){(const char *)quote + 1, (size_t)plain};
    memcpy(*out, "\"\"", 2);
    *out += 2;
    return quote + plain + 2;
}

static inline bool is_digit(unsigned char byte)
{
    return (unsigned char)(byte - '0') <= 9;
}

static position read_number(position number, position end, double *value)
{
    position at = number + 1;
    while (at < end && (is_digit(*at) || *at == '.' || (*at | 0x20) == 'e' || *at == '+' || *at == '-')) at++;
    (void)cp_number_parse((const char *)number, (const char *)at, value);
    return at;
}

/* From here on binary64 skips integers. */
#define FIRST_INEXACT 9007199254740992.0

/* The digits of an integer; false when there is more to the number, or it is not within int64. */
static bool read_long_integer(position at, position end, int64_t *value)
{
    bool negative = *at == '-';
    int64_t total = 0;
    for (at += negative; at < end && (is_digit(*at) || *at == '.' || (*at | 0x20) == 'e'); at++) {
        int digit = *at - '0';
        if (!is_digit(*at) || __builtin_mul_overflow(total, 10, &total) ||
            __builtin_add_overflow(total, negative ? -digit : digit, &total))
            return false;
    }
    *value = total;
    return true;
}

/* Note the number at `start` where its digits say more than binary64; *tail is the end of the list. */
static void note_long_integer(struct cp_arena *arena, position start, position end, const double *number,
                              struct cp_long_integer ***tail)
{
    int64_t value;
    if (!read_long_integer(start, end, &value)) return;
    struct cp_long_integer *integer = CP_NEW(arena, struct cp_long_integer);
    *integer = (struct cp_long_integer){.number = number, .value = value};
    **tail = integer;
    *tail = &integer->next;
}

/* One or two digits within a container, as most of a stack's numbers are, without a call. */
static inline position read_small_number(position number, position end, double *value)
{
    if (end - number > 2 && *number != '-') {
        int first = *number - '0';
        if (number[1] == ',' || number[1] == '}' || number[1] == ']') {
            *value = first;
            return number + 1;
        }
        if (is_digit(number[1]) && (number[2] == ',' || number[2] == '}' || number[2] == ']')) {
            *value = first * 10 + number[1] - '0';
            return number + 2;
        }
    }
    return read_number(number, end, value);
}

struct cp_outline cp_json_outline(struct cp_arena *arena, const char *bytes, size_t size,
                                  const struct cp_json_counts *counts)
{
    double *numbers = cp_arena_take(arena, counts->values * sizeof *numbers, alignof(double));
    struct cp_text *texts = cp_arena_take(arena, counts->strings * sizeof *texts, alignof(struct cp_text));
    char *text = cp_arena_take(arena, size + 3 * counts->values, 1); /* a digit becomes four bytes */
    char *out = text;
    double *number = numbers;
    struct cp_text *next = texts;
    struct cp_long_integer *long_integers = NULL, **tail = &long_integers;
    position at = memcpy(cp_arena_take(arena, size, 1), bytes, size);
    position end = at + size;
    while (at < end) {
        if (*at == '"') {
            at = outline_string(at, end, next++, &out);
        } else if (is_digit(*at) || *at == '-' || *at == 'n') {
            *number = (double)NAN;
            position start = at;
            at = *at == 'n' ? at + 4 : read_small_number(at, end, number);
            if (__builtin_expect(fabs(*number) >= FIRST_INEXACT, 0))
                note_long_integer(arena, start, end, number, &tail);
            number++;
            memcpy(out, "null", 4);
            out += 4;
        } else {
            *out = (char)*at;
            out += *at++ > ' ';
        }
    }
    return (struct cp_outline){text, (size_t)(out - text), numbers, long_integers, texts};
}
