/* Strict JSON (RFC 8259) to a tree, in one pass over the bytes, without recursion.
 *
 * The scanning functions take the position of a token, and return the one past it, or NULL for a fault. */
#include <assert.h>
#include <stdlib.h>

#include "core/limits.h"
#include "server/json/json_tree.h"
#include "server/json/number.h"
#include "server/json/utf8.h"

typedef const unsigned char *position;

struct parser {
    position start, end;
    struct cp_arena *arena;
    struct cp_json_error *error;
    position nul, huge, duplicate; /* the first of each: faults only of a text that is otherwise well-formed */
    bool has_large_objects;        /* of more than FEW_MEMBERS */
};

/* An array or object whose end is not reached. */
struct container {
    const struct container *outer; /* that it lies in; NULL: none */
    struct cp_json *value;
    struct cp_json *last; /* of its children; NULL: none yet */
    uint64_t seen;        /* bits that stand for the names so far, to tell most new ones without comparing */
};

/* Up to here comparing every two names is the fastest. */
enum { FEW_MEMBERS = 16 };

static_assert('{' + 2 == '}' && '[' + 2 == ']', "brackets close two further on in ASCII");
static_assert(sizeof(struct cp_json) == 32, "CP_MAX_JSON_VALUES counts on it");

static const char a_hex_digit[] = "a hexadecimal digit";

__attribute__((cold, noinline)) static position refuse(const struct parser *parser, enum cp_json_fault fault,
                                                       position at, const char *expected)
{
    *parser->error = (struct cp_json_error){fault, (size_t)(at - parser->start), expected};
    return NULL;
}

__attribute__((cold, noinline)) static position wrong(const struct parser *parser, position at, const char *expected)
{
    return refuse(parser, CP_JSON_SYNTAX, at, expected);
}

static void note_first(position *first, position at)
{
    if (!*first || at < *first) *first = at;
}

/* A value and what it stands in. */
struct site {
    const struct container *within;
    const struct cp_json *value;
};

static bool is_meta(const struct cp_json *value)
{
    return value->name_size == 4 && memcmp(value->name, "meta", 4) == 0;
}

/* What stands within a member `meta` is the caller's own, and need not be anything that this service can hold. */
static void note_unless_meta(struct site site, position *first, position at)
{
    if (*first) return; /* it stands before */
    bool ignored = is_meta(site.value);
    for (; !ignored && site.within; site.within = site.within->outer) ignored = is_meta(site.within->value);
    if (!ignored) note_first(first, at);
}

/* The byte at a position; 0, which no token allows, at the end. */
static inline unsigned char look(position at, position end)
{
    return at < end ? *at : 0;
}

__attribute__((noinline)) static position skip_space(position at, position end)
{
    const uint64_t space = UINT64_C(1) << ' ' | 1 << '\n' | 1 << '\r' | 1 << '\t';
    while (at < end && *at <= ' ' && space >> *at & 1) at++;
    return at;
}

/* The first byte of the next token; *at goes to its position. Programs send few spaces. */
static inline unsigned char look_past_space(position *at, position end)
{
    unsigned char byte = look(*at, end);
    if (__builtin_expect(byte > ' ', 1)) return byte;
    *at = skip_space(*at, end);
    return look(*at, end);
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

/* ---- Numbers ------------------------------------------------------------------------------------------------------ */

/* [digits, end) with a minus sign before it or not; false when it is not within int64. */
static bool read_long_integer(position digits, position end, bool negative, int64_t *value)
{
    int64_t total = 0;
    for (position at = digits; at < end; at++) {
        int digit = *at - '0';
        if (__builtin_mul_overflow(total, 10, &total) ||
            __builtin_add_overflow(total, negative ? -digit : digit, &total))
            return false;
    }
    *value = total;
    return true;
}

/* An integer's digits may say more than binary64 holds. */
static void keep_long_integer(position digits, position end, bool negative, struct cp_json *value)
{
    int64_t integer;
    if (!read_long_integer(digits, end, negative, &integer)) return;
    if (integer >= -CP_MAX_COUNT && integer <= CP_MAX_COUNT) return;
    value->is_integer = true;
    value->of.integer = integer;
}

static position skip_fraction(const struct parser *parser, position point)
{
    if (!is_digit(look(point + 1, parser->end))) return wrong(parser, point + 1, "a digit after the decimal point");
    return skip_digits(point + 1, parser->end);
}

static position skip_exponent(const struct parser *parser, position letter)
{
    position at = letter + 1;
    if (look(at, parser->end) == '-' || look(at, parser->end) == '+') at++;
    if (!is_digit(look(at, parser->end))) return wrong(parser, at, "a digit of the exponent");
    return skip_digits(at, parser->end);
}

static position read_any_number(struct parser *parser, position number, const struct container *within,
                                struct cp_json *value)
{
    value->type = CP_JSON_NUMBER;
    position first = number + (*number == '-');
    position end = parser->end;
    if (!is_digit(look(first, end))) return wrong(parser, first, "a digit");
    position whole_end = *first == '0' ? first + 1 : skip_digits(first + 1, end);
    position at = whole_end;
    if (look(at, end) == '.' && !(at = skip_fraction(parser, at))) return NULL;
    if ((look(at, end) | 0x20) == 'e' && !(at = skip_exponent(parser, at))) return NULL;
    if (!cp_number_parse((const char *)number, (const char *)at, &value->of.number))
        note_unless_meta((struct site){within, value}, &parser->huge, number);
    if (at == whole_end) keep_long_integer(first, at, first > number, value);
    return at;
}

/* From a digit on: short integers, as nearly all numbers of a stack are, with what follows them within a container. */
static inline position read_plain_number(struct parser *parser, position number, const struct container *within,
                                         struct cp_json *value)
{
    enum { SHORT = 8 };
    position at = number + 1;
    int64_t integer = *number - '0';
    if (parser->end - number <= SHORT) return read_any_number(parser, number, within, value);
    for (; integer > 0 && at < number + SHORT && is_digit(*at); at++) integer = 10 * integer + (*at - '0');
    if (*at != ',' && *at != ']' && *at != '}') return read_any_number(parser, number, within, value);
    value->type = CP_JSON_NUMBER;
    value->is_integer = true;
    value->of.integer = integer;
    return at;
}

/* ---- Strings ------------------------------------------------------------------------------------------------------ */

static int hex_digit(unsigned char byte)
{
    if (is_digit(byte)) return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* The low half of a pair, from its backslash on: \uDC00 to \uDFFF. */
static position skip_low_surrogate(const struct parser *parser, position at)
{
    static const char expected[] = "a low surrogate (\\uDC00 to \\uDFFF) after the high one";
    if (look(at, parser->end) != '\\') return wrong(parser, at, expected);
    if (look(++at, parser->end) != 'u') return wrong(parser, at, expected);
    if ((look(++at, parser->end) | 0x20) != 'd') return wrong(parser, at, expected);
    if (hex_digit(look(++at, parser->end)) < 0xC) return wrong(parser, at, expected);
    for (int index = 0; index < 2; index++)
        if (hex_digit(look(++at, parser->end)) < 0) return wrong(parser, at, a_hex_digit);
    return at + 1;
}

/* From the backslash on. */
static position skip_escape(struct parser *parser, position backslash, struct site site)
{
    position at = backslash + 1;
    switch (look(at, parser->end)) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't': return at + 1;
    case 'u': break;
    default: return wrong(parser, at, "one of \" \\ / b f n r t u after a backslash");
    }
    int unit = 0;
    for (int index = 0; index < 4; index++) {
        int digit = hex_digit(look(++at, parser->end));
        if (digit < 0) return wrong(parser, at, a_hex_digit);
        unit = unit << 4 | digit;
        if (index == 1 && unit >= 0xDC && unit <= 0xDF)
            return wrong(parser, at, "a high surrogate (\\uD800 to \\uDBFF) before the low one");
    }
    if (unit == 0) note_unless_meta(site, &parser->nul, backslash);
    return unit >= 0xD800 && unit <= 0xDBFF ? skip_low_surrogate(parser, at + 1) : at + 1;
}

/* What skip_plain stopped at, other than the closing quote. */
static position skip_special(struct parser *parser, position at, struct site site)
{
    if (at == parser->end) return wrong(parser, at, "a closing quote");
    if (*at == '\\') return skip_escape(parser, at, site);
    if (*at < 0x20) return wrong(parser, at, "an escape such as \\n or \\u001f for a control character");
    int length = cp_utf8_sequence(at, parser->end);
    return length > 0 ? at + length : wrong(parser, at - length, "valid UTF-8");
}

static uint32_t read_unit(position digits)
{
    uint32_t unit = 0;
    for (int index = 0; index < 4; index++) unit = unit << 4 | (uint32_t)hex_digit(digits[index]);
    return unit;
}

static char *write_utf8(uint32_t point, char *out)
{
    int more = point < 0x80 ? 0 : point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0x00, 0xC0, 0xE0, 0xF0};
    *out++ = (char)(lead[more] | point >> 6 * more);
    while (more-- > 0) *out++ = (char)(0x80 | (point >> 6 * more & 0x3F));
    return out;
}

/* A checked escape, from its backslash on, as UTF-8 at *out; returns what comes after it. */
static position decode_escape(position at, char **out)
{
    static const char forms[] = "\"\"\\\\//b\bf\fn\nr\rt\t"; /* letter and character, in turn */
    if (at[1] != 'u') {
        const char *form = forms;
        while ((unsigned char)*form != at[1]) form += 2;
        *(*out)++ = form[1];
        return at + 2;
    }
    uint32_t point = read_unit(at + 2);
    bool paired = point >= 0xD800 && point <= 0xDBFF;
    if (paired) point = 0x10000 + ((point & 0x3FF) << 10 | (read_unit(at + 8) & 0x3FF));
    *out = write_utf8(point, *out);
    return at + (paired ? 12 : 6);
}

/* A text with escapes, decoded; where it stood is kept before it, for quote_of. */
struct decoded {
    position quote;
    char bytes[];
};

static struct cp_text decode(struct cp_arena *arena, position quote, position end)
{
    struct decoded *decoded =
        cp_arena_take(arena, sizeof *decoded + (size_t)(end - quote) - 1, alignof(struct decoded));
    char *out = decoded->bytes;
    decoded->quote = quote;
    for (position at = quote + 1; at < end;) {
        if (*at == '\\')
            at = decode_escape(at, &out);
        else
            *out++ = (char)*at++;
    }
    return (struct cp_text){decoded->bytes, (size_t)(out - decoded->bytes)};
}

static position read_long_string(struct parser *parser, position quote, struct site site, struct cp_text *text)
{
    bool escaped = false;
    position at = cp_skip_plain(quote + 1, parser->end);
    while (look(at, parser->end) != '"') {
        escaped |= look(at, parser->end) == '\\';
        if (!(at = skip_special(parser, at, site))) return NULL;
        at = cp_skip_plain(at, parser->end);
    }
    if (escaped)
        *text = decode(parser->arena, quote, at);
    else
        *text = (struct cp_text){(const char *)quote + 1, (size_t)(at - quote) - 1};
    return at + 1;
}

static inline position read_string(struct parser *parser, position quote, struct site site, struct cp_text *text)
{
    if (parser->end - quote <= 17) return read_long_string(parser, quote, site, text);
    int plain = cp_plain_prefix_16(quote + 1);
    if (quote[1 + plain] != '"') return read_long_string(parser, quote, site, text);
    *text = (struct cp_text){(const char *)quote + 1, (size_t)plain};
    return quote + plain + 2;
}

/* ---- Names that occur twice --------------------------------------------------------------------------------------- */

static struct cp_text name_of(const struct cp_json *member)
{
    return (struct cp_text){member->name, member->name_size};
}

static position quote_of(const struct parser *parser, const struct cp_json *member)
{
    position name = (position)member->name;
    if (name > parser->start && name <= parser->end) return name - 1;
    return ((const struct decoded *)(const void *)(member->name - offsetof(struct decoded, bytes)))->quote;
}

static int compare_names(const void *a, const void *b)
{
    const struct cp_json *one = *(const struct cp_json *const *)a;
    const struct cp_json *other = *(const struct cp_json *const *)b;
    if (one->name_size != other->name_size) return one->name_size < other->name_size ? -1 : 1;
    int order = memcmp(one->name, other->name, one->name_size);
    return order ? order : (one > other) - (one < other);
}

/* In an object with many members: sort them by name, and by place those that have the same. */
static void find_duplicates_in(struct parser *parser, const struct cp_json *object)
{
    const struct cp_json **members = CP_NEW_ARRAY(parser->arena, const struct cp_json *, object->size);
    const struct cp_json *member = cp_json_first(object);
    for (uint32_t index = 0; index < object->size; index++, member = cp_json_next(member)) members[index] = member;
    qsort(members, object->size, sizeof(const struct cp_json *), compare_names);
    for (uint32_t index = 1; index < object->size; index++)
        if (cp_text_equal(name_of(members[index - 1]), name_of(members[index])))
            note_first(&parser->duplicate, quote_of(parser, members[index]));
}

static void find_duplicates(struct parser *parser, const struct cp_json *values, const struct cp_json *end)
{
    for (const struct cp_json *value = values; value < end; value++)
        if (value->type == CP_JSON_OBJECT && value->size > FEW_MEMBERS) find_duplicates_in(parser, value);
}

/* The name of a new member; in large objects duplicates are looked for at the end. */
static inline void enter_name(struct parser *parser, struct container *object, const struct cp_json *member)
{
    struct cp_text name = name_of(member);
    uint64_t bit = UINT64_C(1) << ((name.size * 8 ^ (name.size ? (unsigned char)*name.bytes : 0)) & 63);
    bool is_new = !(object->seen & bit);
    object->seen |= bit;
    if (is_new || object->value->size >= FEW_MEMBERS) return;
    for (const struct cp_json *earlier = cp_json_first(object->value); earlier; earlier = cp_json_next(earlier))
        if (cp_text_equal(name_of(earlier), name)) note_first(&parser->duplicate, quote_of(parser, member));
}

/* ---- Values ------------------------------------------------------------------------------------------------------- */

/* Does the bracket stand before `at`, but for white space? */
static bool comes_after(const struct parser *parser, position at, unsigned char bracket)
{
    while (at > parser->start)
        if (*--at > ' ') return *at == bracket;
    return false;
}

__attribute__((cold, noinline)) static position wrong_name(const struct parser *parser, position at)
{
    bool first = comes_after(parser, at, '{');
    return wrong(parser, at, first ? "a member's name in quotes, or }" : "a member's name in quotes");
}

__attribute__((cold, noinline)) static position wrong_value(const struct parser *parser, position at)
{
    if (at == parser->start && look(at, parser->end) == 0xEF)
        return wrong(parser, at, "a value, and no byte order mark before it");
    return wrong(parser, at, comes_after(parser, at, '[') ? "a value or ]" : "a value");
}

/* A member's name and colon. */
static inline position read_name(struct parser *parser, position at, struct container *object, struct cp_json *member)
{
    struct cp_text name;
    if (look_past_space(&at, parser->end) != '"') return wrong_name(parser, at);
    if (!(at = read_string(parser, at, (struct site){object, member}, &name))) return NULL;
    member->name = name.bytes;
    member->name_size = (uint32_t)name.size;
    enter_name(parser, object, member);
    return look_past_space(&at, parser->end) == ':' ? at + 1 : wrong(parser, at, "a colon after the member's name");
}

static position read_literal(const struct parser *parser, position at, const char *literal, enum cp_json_type type,
                             struct cp_json *value)
{
    value->type = (unsigned char)type;
    for (const char *letter = literal; *letter; at++, letter++)
        if (look(at, parser->end) != (unsigned char)*letter) return wrong(parser, at, literal);
    return at;
}

/* `byte` stands at `at`. */
static inline position read_scalar(struct parser *parser, position at, unsigned char byte,
                                   const struct container *within, struct cp_json *value)
{
    struct cp_text text;
    if (is_digit(byte)) return read_plain_number(parser, at, within, value);
    switch (byte) {
    case '-': return read_any_number(parser, at, within, value);
    case '"':
        if (!(at = read_string(parser, at, (struct site){within, value}, &text))) return NULL;
        value->type = CP_JSON_STRING;
        value->of.bytes = text.bytes;
        value->size = (uint32_t)text.size;
        return at;
    case 't': return read_literal(parser, at, "true", CP_JSON_TRUE, value);
    case 'f': return read_literal(parser, at, "false", CP_JSON_FALSE, value);
    case 'n': return read_literal(parser, at, "null", CP_JSON_NULL, value);
    default: return wrong_value(parser, at);
    }
}

static inline void add_child(struct container *container, struct cp_json *child)
{
    if (container->last) container->last->next = (uint32_t)(child - container->last);
    container->last = child;
    container->value->size++;
}

static position read_end(const struct parser *parser, position at)
{
    at = skip_space(at, parser->end);
    return at == parser->end ? at : wrong(parser, at, "the end of the text");
}

/* After a value, or before the bracket of an empty container: close what closes here. At the text's end *top is the
 * outermost, which stands for the text itself. */
static inline position read_closing(struct parser *parser, position at, const struct container *text,
                                    struct container **top)
{
    for (; *top > text; at++, --*top) {
        unsigned char byte = look_past_space(&at, parser->end);
        if (byte == ',') return at + 1;
        const struct cp_json *value = (*top)->value;
        bool object = value->type == CP_JSON_OBJECT;
        if (byte != (object ? '}' : ']')) return wrong(parser, at, object ? "a comma or }" : "a comma or ]");
        if (object && value->size > FEW_MEMBERS) parser->has_large_objects = true;
    }
    return read_end(parser, at);
}

/* The whole text: one value. Its values go to `next` and on, in their order; returns one past the last, NULL for a
 * fault. */
static struct cp_json *read_text(struct parser *parser, struct cp_json *next)
{
    struct cp_json whole = {.type = CP_JSON_ARRAY};
    struct container open[CP_MAX_JSON_DEPTH + 1], *top = open;
    const struct cp_json *too_many = next + CP_MAX_JSON_VALUES;
    position at = parser->start;
    *top = (struct container){.value = &whole};
    for (;;) {
        struct cp_json *value = next++;
        *value = (struct cp_json){0};
        if (top->value->type == CP_JSON_OBJECT && !(at = read_name(parser, at, top, value))) return NULL;
        add_child(top, value);
        unsigned char byte = look_past_space(&at, parser->end);
        if (value == too_many) return refuse(parser, CP_JSON_TOO_MANY, at, "fewer values"), NULL;
        if (byte == '{' || byte == '[') {
            if (top == open + CP_MAX_JSON_DEPTH) return refuse(parser, CP_JSON_TOO_DEEP, at, "less nesting"), NULL;
            value->type = byte == '{' ? CP_JSON_OBJECT : CP_JSON_ARRAY;
            top[1] = (struct container){.outer = top, .value = value};
            top++;
            at++;
            if (look_past_space(&at, parser->end) != byte + 2) continue;
        } else if (!(at = read_scalar(parser, at, byte, top, value))) {
            return NULL;
        }
        if (!(at = read_closing(parser, at, open, &top))) return NULL;
        if (top == open) return next;
    }
}

/* Faults of what is JSON by its grammar. */
static bool check_whole(const struct parser *parser)
{
    if (parser->huge)
        refuse(parser, CP_JSON_HUGE, parser->huge, "a number within binary64");
    else if (parser->nul)
        refuse(parser, CP_JSON_NUL, parser->nul, "a string without \\u0000");
    else if (parser->duplicate)
        refuse(parser, CP_JSON_DUPLICATE, parser->duplicate, "another name");
    else
        return true;
    return false;
}

/* As many values as can begin in a text: one at its start, and one after each comma and opening bracket. In a short text
 * that is not counted: values need two bytes each, but for the open containers. */
static size_t most_values(position at, position end)
{
    enum { SHORT = 4096 };
    if (end - at <= SHORT) return (size_t)(end - at + CP_MAX_JSON_DEPTH) / 2 + 2;
    size_t most = 1;
    for (; at < end; at++) most += *at == ',' || *at == '[' || *at == '{';
    return most <= CP_MAX_JSON_VALUES ? most : CP_MAX_JSON_VALUES + 1;
}

const struct cp_json *cp_json_parse(struct cp_arena *arena, const char *bytes, size_t size, struct cp_json_error *error)
{
    position start = (position)bytes;
    struct parser parser = {.start = start, .end = start + size, .arena = arena, .error = error};
    *error = (struct cp_json_error){CP_JSON_OK, 0, ""};
    if (size > UINT32_MAX) return refuse(&parser, CP_JSON_TOO_MANY, start + UINT32_MAX, "fewer bytes"), NULL;
    size_t room = most_values(start, parser.end);
    struct cp_json *values = cp_arena_take(arena, room * sizeof *values, alignof(struct cp_json));
    const struct cp_json *end = read_text(&parser, values);
    cp_arena_trim(arena, values, room * sizeof *values, end ? (size_t)(end - values) * sizeof *values : 0);
    if (end && parser.has_large_objects) find_duplicates(&parser, values, end);
    return end && check_whole(&parser) ? values : NULL;
}
