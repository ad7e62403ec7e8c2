/* RFC 8259 by exhaustion: every text of a few bytes over the bytes that matter is taken exactly where the grammar of the RFC
 * takes it, and refused at a byte that no text of the grammar has there; and every byte is tried in every place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/json/json.h"
#include "server/memory.h"

/* ---- The grammar, rule by rule as RFC 8259 has it; each takes a position and gives the one behind, or NULL --------- */

struct text {
    const char *end;
};

/* NOLINTBEGIN(misc-no-recursion): as deep as a text of a few bytes is nested. */

static const char *value(const struct text *text, const char *at);

static bool is_at(const struct text *text, const char *at, char byte)
{
    return at && at < text->end && *at == byte;
}

static const char *byte_of(const struct text *text, const char *at, const char *set)
{
    return at && at < text->end && *at && strchr(set, *at) ? at + 1 : NULL;
}

/* ws = *( %x20 / %x09 / %x0A / %x0D ) */
static const char *space(const struct text *text, const char *at)
{
    for (const char *next = at; next; next = byte_of(text, at, " \t\n\r")) at = next;
    return at;
}

static const char *literal(const struct text *text, const char *at, const char *word)
{
    size_t size = strlen(word);
    return (size_t)(text->end - at) >= size && memcmp(at, word, size) == 0 ? at + size : NULL;
}

/* 1*DIGIT */
static const char *digits(const struct text *text, const char *at)
{
    at = byte_of(text, at, "0123456789");
    for (const char *next = at; next; next = byte_of(text, at, "0123456789")) at = next;
    return at;
}

/* number = [ minus ] int [ frac ] [ exp ]; int = zero / ( digit1-9 *DIGIT ) */
static const char *number(const struct text *text, const char *at)
{
    if (is_at(text, at, '-')) at++;
    at = is_at(text, at, '0') ? at + 1 : digits(text, at);
    if (is_at(text, at, '.')) at = digits(text, at + 1);
    if (is_at(text, at, 'e') || is_at(text, at, 'E')) {
        const char *sign = byte_of(text, at + 1, "+-");
        at = digits(text, sign ? sign : at + 1);
    }
    return at;
}

/* char = unescaped / escape ( one of "\/bfnrt / uXXXX ); of the u ones here only \uXXXX as a whole, no surrogates */
static const char *character(const struct text *text, const char *at)
{
    if (!is_at(text, at, '\\')) return at < text->end && (unsigned char)*at >= 0x20 && *at != '"' ? at + 1 : NULL;
    if (!is_at(text, at + 1, 'u')) return byte_of(text, at + 1, "\"\\/bfnrt");
    at += 2;
    for (int count = 0; count < 4; count++) at = byte_of(text, at, "0123456789abcdefABCDEF");
    return at;
}

static const char *string(const struct text *text, const char *at)
{
    at = byte_of(text, at, "\"");
    while (at && !is_at(text, at, '"')) at = character(text, at);
    return at ? at + 1 : NULL;
}

static const char *member(const struct text *text, const char *at)
{
    at = space(text, string(text, space(text, at)));
    return at && is_at(text, at, ':') ? value(text, at + 1) : NULL;
}

/* array = "[" [ value *( "," value ) ] "]", and objects alike */
static const char *container(const struct text *text, const char *at, bool object)
{
    char close = object ? '}' : ']';
    const char *inside = space(text, at + 1);
    if (is_at(text, inside, close)) return inside + 1;
    do at = object ? member(text, at + 1) : value(text, at + 1);
    while (is_at(text, at, ','));
    return is_at(text, at, close) ? at + 1 : NULL;
}

/* value with the white space around it */
static const char *value(const struct text *text, const char *at)
{
    at = space(text, at);
    if (at == text->end) return NULL;
    switch (*at) {
    case '{': at = container(text, at, true); break;
    case '[': at = container(text, at, false); break;
    case '"': at = string(text, at); break;
    case 't': at = literal(text, at, "true"); break;
    case 'f': at = literal(text, at, "false"); break;
    case 'n': at = literal(text, at, "null"); break;
    default: at = number(text, at);
    }
    return space(text, at);
}

/* NOLINTEND(misc-no-recursion) */

static bool grammar_takes(const char *bytes, size_t size)
{
    const struct text text = {bytes + size};
    return value(&text, bytes) == text.end;
}

/* ---- The parser ---------------------------------------------------------------------------------------------------- */

static struct cp_memory memory;

static int open_memory(void **state)
{
    (void)state;
    cp_memory_open(&memory, NULL, (size_t)1 << 24, NULL);
    return 0;
}

/* The fault, and where. */
static struct cp_json_error parse(const char *bytes, size_t size)
{
    struct cp_json_error error = {CP_JSON_OK, 0, NULL};
    struct cp_arena start = memory.arena;
    const struct cp_json *parsed = cp_json_parse(&memory.arena, bytes, size, &error);
    assert_int_equal(parsed != NULL, error.fault == CP_JSON_OK);
    if (start.next) memory.arena = start;
    return error;
}

static __attribute__((noreturn)) void complain(const char *what, const char *bytes, size_t size)
{
    fprintf(stderr, "%s:", what);
    for (size_t at = 0; at < size; at++) fprintf(stderr, " %02x", (unsigned char)bytes[at]);
    fprintf(stderr, "   %.*s\n", (int)size, bytes);
    fail();
    abort();
}

/* A text that can go on to be JSON is refused at its end or not at all. */
static void check_prefixes(const char *bytes, size_t size)
{
    for (size_t cut = 0; cut < size; cut++) {
        struct cp_json_error error = parse(bytes, cut);
        if (error.fault == CP_JSON_SYNTAX && error.offset != cut) complain("refused before its end", bytes, cut);
    }
}

static void check_text(const char *bytes, size_t size)
{
    struct cp_json_error error = parse(bytes, size);
    /* All that is not syntax is JSON too, but not what is wanted: a name that stands twice, \u0000, 1e310. */
    bool taken = error.fault != CP_JSON_SYNTAX;
    if (taken != grammar_takes(bytes, size)) complain(taken ? "taken" : "refused", bytes, size);
    if (taken) check_prefixes(bytes, size);
    if (!taken && error.offset > size) complain("refused beyond its end", bytes, size);
}

/* Each of the alphabet's texts with exactly so many bytes. */
static void check_all(const char *alphabet, size_t size)
{
    size_t letters = strlen(alphabet), index[16] = {0};
    char *text = malloc(size + 1); /* of its exact size while it is parsed, less one */
    for (;;) {
        size_t place = 0;
        for (size_t at = 0; at < size; at++) text[at] = alphabet[index[at]];
        check_text(text, size);
        while (place < size && ++index[place] == letters) index[place++] = 0;
        if (place == size) break;
    }
    free(text);
}

static void every_short_text(void **state)
{
    static const struct {
        const char *alphabet;
        size_t longest;
    } rows[] = {
        {"[]{},:\"a1 ", 5},      /* structure */
        {"[],0123-.eE+", 4},     /* numbers */
        {"\"\\/bfnrtux0a\n", 4}, /* strings */
        {"-0.9e+1", 6},          /* more of numbers */
        {"truefalsn,[]", 4},     /* literals */
    };
    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++)
        for (size_t size = 1; size <= rows[row].longest; size++) check_all(rows[row].alphabet, size);
}

/* Longer ones that have these in them. */
static void every_short_text_within(void **state)
{
    static const struct {
        const char *before, *alphabet;
        size_t longest;
        const char *after;
    } rows[] = {
        {"{\"a\":[", "[]{},:\"1", 4, "]}"}, {"[{\"a\":1", "]},:\"a1", 5, "}]"},
        {"\"\\u00", "0aFgG\"\\", 3, "\""},  {"tru", "e,u ", 3, ""},
        {"[fals", "e,] ", 3, "]"},          {" nul", "l n]", 3, " "},
    };
    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        char text[64];
        size_t letters = strlen(rows[row].alphabet), most = 1;
        for (size_t at = 0; at < rows[row].longest; at++) most *= letters;
        for (size_t ordinal = 0; ordinal < most; ordinal++) {
            size_t size = strlen(rows[row].before), left = ordinal;
            memcpy(text, rows[row].before, size);
            for (size_t at = 0; at < rows[row].longest; at++, left /= letters)
                text[size++] = rows[row].alphabet[left % letters];
            memcpy(text + size, rows[row].after, strlen(rows[row].after));
            check_text(text, size + strlen(rows[row].after));
        }
    }
}

/* In each place the bytes that the RFC has there are let past, and the others refused at their own offset. */
static void every_byte(void **state)
{
    static const struct {
        const char *name, *before, *allowed, *after;
    } rows[] = {
        {"a text", "", " \t\n\r-0123456789[{\"tfn", ""},
        {"before a value", "", " \t\n\r-0123456789[{\"tfn", "1"},
        {"after a value", "1", " \t\n\r0123456789.eE", ""},
        {"after a root array", "[]", " \t\n\r", ""},
        {"first in an array", "[", " \t\n\r]-0123456789[{\"tfn", ""},
        {"after an element", "[{}", " \t\n\r,]", ""},
        {"first in an object", "{", " \t\n\r}\"", ""},
        {"after a name", "{\"a\"", " \t\n\r:", ""},
        {"after a member", "{\"a\":[]", " \t\n\r,}", ""},
        {"after a comma in an object", "{\"a\":[],", " \t\n\r\"", ""},
        {"after a backslash", "\"\\", "\"\\/bfnrtu", ""},
        {"in a unit", "\"\\u0", "0123456789abcdefABCDEF", "00\""},
        {"after a minus", "-", "0123456789", ""},
        {"after a zero", "[0", " \t\n\r,].eE", ""},
        {"after a point", "0.", "0123456789", ""},
        {"after an exponent's letter", "0e", "0123456789+-", ""},
        {"after an exponent's sign", "0e-", "0123456789", ""},
        {"in true", "tr", "u", "e"},
        {"in false", "fa", "l", "se"},
        {"in null", "n", "u", "ll"},
    };
    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        size_t offset = strlen(rows[row].before);
        for (int byte = 0; byte < 256; byte++) {
            char text[32];
            const char *after = rows[row].after;
            memcpy(text, rows[row].before, offset);
            text[offset] = (char)byte;
            memcpy(text + offset + 1, after, strlen(after));
            struct cp_json_error error = parse(text, offset + 1 + strlen(after));
            bool allowed = byte && strchr(rows[row].allowed, byte);
            bool refused_here = error.fault != CP_JSON_OK && error.offset == offset;
            if (allowed == !refused_here) continue;
            fprintf(stderr, "%s: byte %02x, fault %d at %zu\n", rows[row].name, (unsigned)byte, (int)error.fault,
                    error.offset);
            fail();
        }
    }
}

static int close_memory(void **state)
{
    (void)state;
    cp_memory_reset(&memory);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_short_text),
        cmocka_unit_test(every_short_text_within),
        cmocka_unit_test(every_byte),
    };
    return cmocka_run_group_tests(tests, open_memory, close_memory);
}
