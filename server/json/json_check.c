#include "server/json/json_check.h"

#include <assert.h>

#include "core/limits.h"
#include "server/json/number.h"
#include "server/json/utf8.h"

typedef const unsigned char *position;

/* What is seldom touched; the rest is handed from function to function, to stay in registers. The scanning functions
 * take the position of a token, and return the one past it, or NULL for a fault. */
struct checker {
    position start, end;
    struct cp_json_error *error;
    position nul, huge; /* the first of each: faults only of a text that is otherwise well-formed */
};

static_assert('{' + 2 == '}' && '[' + 2 == ']', "brackets close two further on in ASCII");
static_assert(CP_MAX_JSON_DEPTH <= 64, "one word holds the open containers");

static const char a_hex_digit[] = "a hexadecimal digit";

__attribute__((cold, noinline)) static position refuse(struct checker *checker, enum cp_json_fault fault, position at,
                                                       const char *expected)
{
    *checker->error = (struct cp_json_error){fault, (size_t)(at - checker->start), expected};
    return NULL;
}

__attribute__((cold, noinline)) static position wrong(struct checker *checker, position at, const char *expected)
{
    return refuse(checker, CP_JSON_SYNTAX, at, expected);
}

/* The byte at a position; 0, which no token allows, at the end. */
static inline unsigned char look(position at, position end)
{
    return at < end ? *at : 0;
}

static inline position skip_space(position at, position end)
{
    const uint64_t space = UINT64_C(1) << ' ' | 1 << '\n' | 1 << '\r' | 1 << '\t';
    while (at < end && *at <= ' ' && space >> *at & 1) at++;
    return at;
}

static inline bool is_digit(unsigned char byte)
{
    return (unsigned char)(byte - '0') <= 9;
}

static inline position skip_digits(position at, position end)
{
    while (at < end && is_digit(*at)) at++;
    return at;
}

static position skip_literal(struct checker *checker, position at, const char *rest, const char *expected)
{
    for (at++; *rest; at++, rest++)
        if (look(at, checker->end) != (unsigned char)*rest) return wrong(checker, at, expected);
    return at;
}

/* From 'e' on. The exponent is saturated: it only has to tell which numbers may be beyond binary64. */
static position skip_exponent(struct checker *checker, position at, int64_t *exponent)
{
    at++;
    bool negative = look(at, checker->end) == '-';
    if (negative || look(at, checker->end) == '+') at++;
    if (!is_digit(look(at, checker->end))) return wrong(checker, at, "a digit of the exponent");
    int64_t total = 0;
    for (; is_digit(look(at, checker->end)); at++)
        if (total < INT64_MAX / 100) total = total * 10 + (*at - '0');
    *exponent = negative ? -total : total;
    return at;
}

/* A number with `before` digits before its point is less than 10^(before + exponent). */
static void note_huge(struct checker *checker, position number, position end, int64_t before, int64_t exponent)
{
    double value;
    if (before + exponent <= 308 || checker->huge) return;
    if (!cp_number_parse((const char *)number, (const char *)end, &value)) checker->huge = number;
}

static position skip_number(struct checker *checker, position number)
{
    position first = number + (*number == '-');
    position end = checker->end;
    if (!is_digit(look(first, end))) return wrong(checker, first, "a digit");
    position at = *first == '0' ? first + 1 : skip_digits(first + 1, end);
    position whole_end = at;
    int64_t exponent = 0;
    if (look(at, end) == '.') {
        if (!is_digit(look(++at, end))) return wrong(checker, at, "a digit after the decimal point");
        at = skip_digits(at, end);
    }
    if ((look(at, end) | 0x20) == 'e' && !(at = skip_exponent(checker, at, &exponent))) return NULL;
    note_huge(checker, number, at, whole_end - first, exponent);
    return at;
}

static int hex_digit(unsigned char byte)
{
    if (is_digit(byte)) return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* The low half of a pair, from its backslash on: \uDC00 to \uDFFF. */
static position skip_low_surrogate(struct checker *checker, position at)
{
    static const char expected[] = "a low surrogate (\\uDC00 to \\uDFFF) after the high one";
    if (look(at, checker->end) != '\\') return wrong(checker, at, expected);
    if (look(++at, checker->end) != 'u') return wrong(checker, at, expected);
    if ((look(++at, checker->end) | 0x20) != 'd') return wrong(checker, at, expected);
    if (hex_digit(look(++at, checker->end)) < 0xC) return wrong(checker, at, expected);
    for (int index = 0; index < 2; index++)
        if (hex_digit(look(++at, checker->end)) < 0) return wrong(checker, at, a_hex_digit);
    return at + 1;
}

/* From the backslash on. */
static position skip_escape(struct checker *checker, position backslash)
{
    position at = backslash + 1;
    switch (look(at, checker->end)) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't': return at + 1;
    case 'u': break;
    default: return wrong(checker, at, "one of \" \\ / b f n r t u after a backslash");
    }
    int unit = 0;
    for (int index = 0; index < 4; index++) {
        int digit = hex_digit(look(++at, checker->end));
        if (digit < 0) return wrong(checker, at, a_hex_digit);
        unit = unit << 4 | digit;
        if (index == 1 && unit >= 0xDC && unit <= 0xDF)
            return wrong(checker, at, "a high surrogate (\\uD800 to \\uDBFF) before the low one");
    }
    if (unit == 0 && !checker->nul) checker->nul = backslash;
    return unit >= 0xD800 && unit <= 0xDBFF ? skip_low_surrogate(checker, at + 1) : at + 1;
}

/* What skip_plain stopped at, other than the closing quote. */
static position skip_special(struct checker *checker, position at)
{
    if (at == checker->end) return wrong(checker, at, "a closing quote");
    if (*at == '\\') return skip_escape(checker, at);
    if (*at < 0x20) return wrong(checker, at, "an escape such as \\n or \\u001f for a control character");
    int length = cp_utf8_sequence(at, checker->end);
    return length > 0 ? at + length : wrong(checker, at - length, "valid UTF-8");
}

/* The rest of a string, from any place in it on. */
static position skip_rest_of_string(struct checker *checker, position at)
{
    for (;;) {
        at = cp_skip_plain(at, checker->end);
        if (look(at, checker->end) == '"') return at + 1;
        if (!(at = skip_special(checker, at))) return NULL;
    }
}

static inline position skip_string(struct checker *checker, position quote, position end)
{
    position at = quote + 1;
    if (end - at > 16) {
        at += cp_plain_prefix_16(at);
        if (*at == '"') return at + 1;
    }
    return skip_rest_of_string(checker, at);
}

/* Short integers and what follows them within a container, without a loop. */
static inline position skip_small_number(struct checker *checker, position number, position end)
{
    if (end - number > 4 && *number != '0') {
        int digits = is_digit(number[0]);
        digits += digits == 1 && is_digit(number[1]);
        digits += digits == 2 && is_digit(number[2]);
        unsigned char byte = number[digits];
        if (digits && (byte == ',' || byte == '}' || byte == ']')) return number + digits;
    }
    return skip_number(checker, number);
}

/* Does the bracket stand before `at`, but for white space? */
static bool comes_after(const struct checker *checker, position at, unsigned char bracket)
{
    while (at > checker->start)
        if (*--at > ' ') return *at == bracket;
    return false;
}

__attribute__((cold, noinline)) static position wrong_name(struct checker *checker, position at)
{
    bool first = comes_after(checker, at, '{');
    return wrong(checker, at, first ? "a member's name in quotes, or }" : "a member's name in quotes");
}

__attribute__((cold, noinline)) static position wrong_value(struct checker *checker, position at)
{
    if (at == checker->start && look(at, checker->end) == 0xEF)
        return wrong(checker, at, "a value, and no byte order mark before it");
    return wrong(checker, at, comes_after(checker, at, '[') ? "a value or ]" : "a value");
}

/* A member's name and colon. */
static inline position skip_name(struct checker *checker, position at, position end)
{
    at = skip_space(at, end);
    if (look(at, end) != '"') return wrong_name(checker, at);
    if (!(at = skip_string(checker, at, end))) return NULL;
    at = skip_space(at, end);
    return look(at, end) == ':' ? at + 1 : wrong(checker, at, "a colon after the member's name");
}

static inline position skip_scalar(struct checker *checker, position at, position end)
{
    unsigned char byte = look(at, end);
    if (byte == '"') return skip_string(checker, at, end);
    if (is_digit(byte)) return skip_small_number(checker, at, end);
    switch (byte) {
    case '-': return skip_number(checker, at);
    case 't': return skip_literal(checker, at, "rue", "true");
    case 'f': return skip_literal(checker, at, "alse", "false");
    case 'n': return skip_literal(checker, at, "ull", "null");
    default: return wrong_value(checker, at);
    }
}

static position check_end(struct checker *checker, position at)
{
    at = skip_space(at, checker->end);
    return at == checker->end ? at : wrong(checker, at, "the end of the text");
}

/* The whole text: one value, and for each container that is open a bit that says whether it is an object. */
static position check_text(struct checker *checker, position at, position end, struct cp_json_counts *counts)
{
    uint64_t objects = 0;
    size_t strings = 0;
    int depth = 0;
    for (int values = 1;; values++) {
        if (objects & 1 && !(at = skip_name(checker, at, end))) return NULL;
        strings += objects & 1;
        at = skip_space(at, end);
        if (values > CP_MAX_JSON_VALUES) return refuse(checker, CP_JSON_TOO_MANY, at, "fewer values");
        unsigned char byte = look(at, end);
        strings += byte == '"';
        if (byte == '{' || byte == '[') {
            if (depth++ == CP_MAX_JSON_DEPTH) return refuse(checker, CP_JSON_TOO_DEEP, at, "less nesting");
            objects = objects << 1 | (byte == '{');
            at = skip_space(at + 1, end);
            if (look(at, end) != byte + 2) continue;
        } else if (!(at = skip_scalar(checker, at, end))) {
            return NULL;
        }

        /* After a value, or before the bracket of an empty container: close what closes here. */
        for (;; at++, depth--, objects >>= 1) {
            if (depth == 0) {
                *counts = (struct cp_json_counts){(size_t)values, strings};
                return check_end(checker, at);
            }
            at = skip_space(at, end);
            byte = look(at, end);
            if (byte == ',') break;
            bool object = objects & 1;
            if (byte != (object ? '}' : ']')) return wrong(checker, at, object ? "a comma or }" : "a comma or ]");
        }
        at++;
    }
}

bool cp_json_check_and_count(const char *bytes, size_t size, struct cp_json_counts *counts, struct cp_json_error *error)
{
    position start = (position)bytes;
    struct checker checker = {.start = start, .end = start + size, .error = error};
    if (!check_text(&checker, start, start + size, counts)) return false;
    if (checker.huge) return refuse(&checker, CP_JSON_HUGE, checker.huge, "a number within binary64");
    if (checker.nul) return refuse(&checker, CP_JSON_NUL, checker.nul, "a string without \\u0000");
    *error = (struct cp_json_error){CP_JSON_OK, 0, ""};
    return true;
}

bool cp_json_check(const char *bytes, size_t size, struct cp_json_error *error)
{
    struct cp_json_counts counts;
    return cp_json_check_and_count(bytes, size, &counts, error);
}
