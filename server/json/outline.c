#include "server/json/outline.h"

#include <math.h>
#include <string.h>

#include "server/json/number.h"
#include "server/json/utf8.h"

typedef const unsigned char *position;

/* The longest piece that is copied as a block of constant size, which may run past what is needed of it. */
enum { BLOCK = 18 };

static position string_end(position at, position end)
{
    for (;;) {
        at = cp_skip_plain(at, end);
        if (*at == '"') return at + 1;
        at += *at == '\\' ? 2 : 1;
    }
}

static inline position copy_string(position quote, position end, char **out)
{
    if (end - quote >= BLOCK) {
        int plain = cp_plain_prefix_16(quote + 1);
        memcpy(*out, quote, BLOCK);
        if (quote[1 + plain] == '"') {
            *out += plain + 2;
            return quote + plain + 2;
        }
    }
    position at = string_end(quote + 1, end);
    memcpy(*out, quote, (size_t)(at - quote));
    *out += at - quote;
    return at;
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

struct cp_outline cp_json_outline(struct cp_arena *arena, const char *bytes, size_t size, size_t values)
{
    double *numbers = cp_arena_take(arena, values * sizeof *numbers, alignof(double));
    char *text = cp_arena_take(arena, size + 3 * values + BLOCK, 1); /* a digit becomes four bytes */
    char *out = text;
    double *number = numbers;
    position at = (position)bytes;
    position end = at + size;
    while (at < end) {
        if (*at == '"') {
            at = copy_string(at, end, &out);
        } else if (is_digit(*at) || *at == '-' || *at == 'n') {
            *number = (double)NAN;
            at = *at == 'n' ? at + 4 : read_small_number(at, end, number);
            number++;
            memcpy(out, "null", 4);
            out += 4;
        } else {
            *out = (char)*at;
            out += *at++ > ' ';
        }
    }
    return (struct cp_outline){text, (size_t)(out - text), numbers};
}
