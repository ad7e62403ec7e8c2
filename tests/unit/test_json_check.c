/* The strict check: every production of RFC 8259, right and wrong, and the byte at which each wrong text goes wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/limits.h"
#include "tests/json_text.h"

/* In a buffer of just its size, so that the sanitizer sees a read past the end. */
static struct cp_json_error check(const char *bytes, size_t size)
{
    struct cp_json_error error = {CP_JSON_OK, 999, NULL};
    char *copy = malloc(size ? size : 1);
    if (size) memcpy(copy, bytes, size);
    bool accepted = cp_test_is_json(copy, size, &error);
    free(copy);
    assert_int_equal(accepted, error.fault == CP_JSON_OK);
    return error;
}

struct row {
    const char *name;
    const char *text;
    enum cp_json_fault fault;
    size_t offset;
    const char *expected; /* a part of it; NULL: not looked at */
};

static void check_rows(const struct row *rows, size_t count)
{
    int failures = 0;
    for (const struct row *row = rows; row < rows + count; row++) {
        struct cp_json_error error = check(row->text, strlen(row->text));
        bool right = error.fault == row->fault && (row->fault == CP_JSON_OK || error.offset == row->offset);
        if (right && row->expected) right = strstr(error.expected, row->expected) != NULL;
        if (right) continue;
        fprintf(stderr, "%s: got fault %d at %zu, \"%s\"\n", row->name, (int)error.fault, error.offset, error.expected);
        failures++;
    }
    assert_int_equal(failures, 0);
}

#define CHECK_ROWS(rows) check_rows((rows), sizeof(rows) / sizeof(rows)[0])
#define GOOD CP_JSON_OK, 0, NULL
#define WRONG(offset, expected) CP_JSON_SYNTAX, (offset), (expected)

static void structure(void **state)
{
    static const struct row rows[] = {
        {"empty array", "[]", GOOD},
        {"empty object", "{}", GOOD},
        {"array in array", "[[]]", GOOD},
        {"object in array", "[{}]", GOOD},
        {"array in object", "{\"a\":[]}", GOOD},
        {"mixed", "{\"a\":[1,{\"b\":null},[]],\"c\":{}}", GOOD},
        {"siblings after nesting", "[[1],[2],{},3]", GOOD},
        {"empty name", "{\"\":0}", GOOD},
        {"root number", "12", GOOD},
        {"root string", "\"a\"", GOOD},
        {"root literal", "null", GOOD},
        {"nothing", "", WRONG(0, "a value")},
        {"white space only", " \n", WRONG(2, "a value")},
        {"two roots", "1 2", WRONG(2, "the end")},
        {"two roots, brackets", "[][]", WRONG(2, "the end")},
        {"bracket too many", "[1]]", WRONG(3, "the end")},
        {"brace too many", "{}}", WRONG(2, "the end")},
        {"unclosed array", "[1", WRONG(2, "a comma or ]")},
        {"unclosed object", "{\"a\":1", WRONG(6, "a comma or }")},
        {"just opened array", "[", WRONG(1, "a value or ]")},
        {"just opened object", "{", WRONG(1, "or }")},
        {"inner closed, outer not", "[[1]", WRONG(4, "a comma or ]")},
        {"crossed brackets", "[}", WRONG(1, "a value or ]")},
        {"crossed braces", "{]", WRONG(1, "or }")},
        {"array closed by brace", "[1}", WRONG(2, "a comma or ]")},
        {"object closed by bracket", "{\"a\":1]", WRONG(6, "a comma or }")},
        {"trailing comma in array", "[1,]", WRONG(3, "a value")},
        {"trailing comma in object", "{\"a\":1,}", WRONG(7, "name in quotes")},
        {"leading comma in array", "[,1]", WRONG(1, "a value or ]")},
        {"leading comma in object", "{,\"a\":1}", WRONG(1, "or }")},
        {"two commas", "[1,,2]", WRONG(3, "a value")},
        {"missing comma", "[1 2]", WRONG(3, "a comma or ]")},
        {"missing comma, strings", "[\"a\"\"b\"]", WRONG(4, "a comma or ]")},
        {"colon in array", "[\"a\":1]", WRONG(4, "a comma or ]")},
        {"no colon", "{\"a\" 1}", WRONG(5, "a colon")},
        {"comma for colon", "{\"a\",1}", WRONG(4, "a colon")},
        {"two colons", "{\"a\"::1}", WRONG(5, "a value")},
        {"no value", "{\"a\":}", WRONG(5, "a value")},
        {"name without quotes", "{a:1}", WRONG(1, "name in quotes")},
        {"name in single quotes", "{'a':1}", WRONG(1, "name in quotes")},
        {"number as a name", "{1:1}", WRONG(1, "name in quotes")},
        {"comment", "[1/*x*/]", WRONG(2, "a comma or ]")},
        {"comment first", "// x\n1", WRONG(0, "a value")},
        {"single quotes", "['a']", WRONG(1, "a value or ]")},
        {"byte order mark", "\xEF\xBB\xBF{}", WRONG(0, "byte order mark")},
        {"byte order mark inside", "[\xEF\xBB\xBF]", WRONG(1, "a value or ]")},
        {"control character after the end", "[1,2]\001", WRONG(5, "the end")},
    };
    (void)state;
    CHECK_ROWS(rows);
}

static void white_space(void **state)
{
    static const struct row rows[] = {
        {"all four around all tokens",
         " \t\r\n{ \t\r\n\"a\" \t\r\n: \t\r\n[ \t\r\n1 \t\r\n, \t\r\n2 \t\r\n] \t\r\n} \t\r\n", GOOD},
        {"inside empty ones", "[ [ ] , { } ]", GOOD},
        {"after a root number", "1 ", GOOD},
        {"form feed", "[\f1]", WRONG(1, "a value or ]")},
        {"vertical tab", "[1\v]", WRONG(2, "a comma or ]")},
        {"no-break space", "[\xC2\xA0]", WRONG(1, "a value or ]")},
        {"backspace at the end", "1\b", WRONG(1, "the end")},
        {"first in array after space", "[ \n x", WRONG(4, "a value or ]")},
        {"first in object after space", "{ \n x", WRONG(4, "or }")},
    };
    (void)state;
    CHECK_ROWS(rows);
}

static void literals(void **state)
{
    static const struct row rows[] = {
        {"true", "true", GOOD},
        {"false", "[false]", GOOD},
        {"null", "{\"a\":null}", GOOD},
        {"cut true", "tru", WRONG(3, "true")},
        {"misspelt true", "trux", WRONG(3, "true")},
        {"capital true", "True", WRONG(0, "a value")},
        {"inner capital", "tRue", WRONG(1, "true")},
        {"cut false", "[fals]", WRONG(5, "false")},
        {"cut null", "n", WRONG(1, "null")},
        {"long null", "nulll", WRONG(4, "the end")},
        {"long true in array", "[truee]", WRONG(5, "a comma or ]")},
        {"NaN", "NaN", WRONG(0, "a value")},
        {"Infinity", "[Infinity]", WRONG(1, "a value")},
        {"minus Infinity", "-Infinity", WRONG(1, "a digit")},
        {"undefined", "undefined", WRONG(0, "a value")},
    };
    (void)state;
    CHECK_ROWS(rows);
}

static void numbers(void **state)
{
    static const struct row rows[] = {
        {"zero", "0", GOOD},
        {"minus zero", "-0", GOOD},
        {"many digits", "[123456789012345678901234567890]", GOOD},
        {"fraction", "[0.5,10.25,-0.125]", GOOD},
        {"zeros in a fraction", "0.000", GOOD},
        {"exponents", "[1e5,1E5,1e+5,1E-5,0e0,1.5e10]", GOOD},
        {"leading zero in an exponent", "1e05", GOOD},
        {"each length in an array", "[1,12,123,1234,12345,123456,1234567,12345678,123456789]", GOOD},
        {"each length in an object", "{\"a\":1,\"b\":12,\"c\":123,\"d\":1234}", GOOD},
        {"zero with an exponent", "0e999999", GOOD},
        {"leading zero", "01", WRONG(1, "the end")},
        {"leading zero in array", "[012]", WRONG(2, "a comma or ]")},
        {"leading zero after minus", "-01", WRONG(2, "the end")},
        {"two zeros", "[00]", WRONG(2, "a comma or ]")},
        {"plus", "+1", WRONG(0, "a value")},
        {"minus alone", "-", WRONG(1, "a digit")},
        {"two minuses", "--1", WRONG(1, "a digit")},
        {"minus and space", "- 1", WRONG(1, "a digit")},
        {"no digit before the point", ".5", WRONG(0, "a value")},
        {"no digit before the point, minus", "-.5", WRONG(1, "a digit")},
        {"no digit after the point", "1.", WRONG(2, "a digit after the decimal point")},
        {"no digit after the point in array", "[1.]", WRONG(3, "a digit after the decimal point")},
        {"exponent after the point", "1.e5", WRONG(2, "a digit after the decimal point")},
        {"two points", "1.2.3", WRONG(3, "the end")},
        {"decimal comma", "{\"a\":1,5}", WRONG(7, "name in quotes")},
        {"no exponent", "1e", WRONG(2, "a digit of the exponent")},
        {"no exponent after sign", "[1e+]", WRONG(4, "a digit of the exponent")},
        {"two signs", "1e+-5", WRONG(3, "a digit of the exponent")},
        {"fractional exponent", "1e5.5", WRONG(3, "the end")},
        {"hexadecimal", "0x10", WRONG(1, "the end")},
        {"underscore", "1_000", WRONG(1, "the end")},
        {"suffix", "[1f]", WRONG(2, "a comma or ]")},
        {"full-width digit", "\xEF\xBC\x91", WRONG(0, NULL)},
    };
    (void)state;
    CHECK_ROWS(rows);
}

static void strings(void **state)
{
    static const struct row rows[] = {
        {"empty", "\"\"", GOOD},
        {"7 bytes", "\"1234567\"", GOOD},
        {"8 bytes", "\"12345678\"", GOOD},
        {"16 bytes", "\"1234567890123456\"", GOOD},
        {"long", "[\"abcdefghijklmnopqrstuvwxyz0123456789 abcdefghijklmnopqrstuvwxyz0123456789\",1]", GOOD},
        {"DEL", "\"\x7F\"", GOOD},
        {"the short escapes", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", GOOD},
        {"an escape late", "\"0123456789abcdefghij\\n0123456789abcdefghij\"", GOOD},
        {"unit", "\"\\u0041\\u00e9\\uFFFF\\uabCD\"", GOOD},
        {"pair", "\"\\ud83d\\ude00\"", GOOD},
        {"first and last pair", "\"\\uD800\\uDC00\\uDBFF\\uDFFF\"", GOOD},
        {"around the surrogates", "\"\\uD7FF\\uE000\"", GOOD},
        {"unclosed", "\"abc", WRONG(4, "a closing quote")},
        {"unclosed, only a quote", "\"", WRONG(1, "a closing quote")},
        {"unclosed, long", "[\"abcdefghijklmnopqrstuvwxyz", WRONG(28, "a closing quote")},
        {"closing quote escaped", "\"abc\\\"", WRONG(6, "a closing quote")},
        {"line feed", "\"a\nb\"", WRONG(2, "an escape")},
        {"tab late", "\"0123456789abcdefghij\tx\"", WRONG(21, "an escape")},
        {"last control character", "\"\x1F\"", WRONG(1, "an escape")},
        {"control character in a name", "{\"a\001\":1}", WRONG(3, "an escape")},
        {"unknown escape", "\"\\x41\"", WRONG(2, "one of")},
        {"capital escape", "\"\\N\"", WRONG(2, "one of")},
        {"escaped single quote", "\"\\'\"", WRONG(2, "one of")},
        {"backslash at the end", "\"\\", WRONG(2, "one of")},
        {"short unit", "\"\\u12\"", WRONG(5, "hexadecimal")},
        {"unit cut off", "\"\\u12", WRONG(5, "hexadecimal")},
        {"not hexadecimal", "\"\\u00g0\"", WRONG(5, "hexadecimal")},
        {"sign in a unit", "\"\\u+041\"", WRONG(3, "hexadecimal")},
        {"capital U", "\"\\U0041\"", WRONG(2, "one of")},
        {"lone low surrogate", "\"\\udc00\"", WRONG(4, "high surrogate")},
        {"last low surrogate", "\"\\uDFFF\"", WRONG(4, "high surrogate")},
        {"lone high surrogate at the end", "\"\\ud800\"", WRONG(7, "low surrogate")},
        {"high surrogate, then a letter", "\"\\ud800x\"", WRONG(7, "low surrogate")},
        {"high surrogate, then an escape", "\"\\ud800\\n\"", WRONG(8, "low surrogate")},
        {"high surrogate, then a unit", "\"\\ud800\\u0041\"", WRONG(9, "low surrogate")},
        {"two high surrogates", "\"\\ud800\\ud800\"", WRONG(10, "low surrogate")},
        {"pair cut off", "\"\\ud800\\udc0\"", WRONG(12, "hexadecimal")},
    };
    (void)state;
    CHECK_ROWS(rows);
}

static void utf8(void **state)
{
    static const struct row rows[] = {
        {"two bytes", "\"\xC2\x80\xDF\xBF\"", GOOD},
        {"three bytes", "\"\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF\"", GOOD},
        {"four bytes", "\"\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\"", GOOD},
        {"as a name", "{\"\xC3\xA9t\xC3\xA9\":1}", GOOD},
        {"lone continuation", "\"\x80\"", WRONG(1, "valid UTF-8")},
        {"last continuation", "\"a\xBF\"", WRONG(2, "valid UTF-8")},
        {"overlong solidus", "\"\xC0\xAF\"", WRONG(1, "valid UTF-8")},
        {"overlong, C1", "\"\xC1\xBF\"", WRONG(1, "valid UTF-8")},
        {"overlong, three bytes", "\"\xE0\x9F\xBF\"", WRONG(2, "valid UTF-8")},
        {"overlong, four bytes", "\"\xF0\x8F\xBF\xBF\"", WRONG(2, "valid UTF-8")},
        {"surrogate D800", "\"\xED\xA0\x80\"", WRONG(2, "valid UTF-8")},
        {"surrogate DFFF", "\"\xED\xBF\xBF\"", WRONG(2, "valid UTF-8")},
        {"above 10FFFF", "\"\xF4\x90\x80\x80\"", WRONG(2, "valid UTF-8")},
        {"F5", "\"\xF5\x80\x80\x80\"", WRONG(1, "valid UTF-8")},
        {"FF", "\"\xFF\"", WRONG(1, "valid UTF-8")},
        {"cut after one of two", "\"\xC3\"", WRONG(2, "valid UTF-8")},
        {"cut after two of three", "\"\xE2\x82\"", WRONG(3, "valid UTF-8")},
        {"cut after three of four", "\"\xF0\x9F\x98\"", WRONG(4, "valid UTF-8")},
        {"cut by the end", "\"\xF0\x9F\x98", WRONG(4, "valid UTF-8")},
        {"third byte wrong", "\"\xE2\x82\xC0\"", WRONG(3, "valid UTF-8")},
        {"Latin-1 late", "\"0123456789abcdefghij\xE9!\"", WRONG(22, "valid UTF-8")},
        {"outside strings", "\xC3\xA9", WRONG(0, "a value")},
    };
    (void)state;
    CHECK_ROWS(rows);
}

static void limits_of_content(void **state)
{
    static const struct row rows[] = {
        {"NUL", "[\"a\\u0000b\"]", CP_JSON_NUL, 3, "\\u0000"},
        {"NUL in a name", "{\"\\u0000\":1}", CP_JSON_NUL, 2, NULL},
        {"NUL beside meta", "{\"meta\":\"\\u0000\",\"b\":[\"\\u0000\"]}", CP_JSON_NUL, 23, NULL},
        {"NUL beside a name like meta", "{\"meta2\":\"\\u0000\"}", CP_JSON_NUL, 10, NULL},
        {"the first NUL", "[\"\\u0000\",\"\\u0000\"]", CP_JSON_NUL, 2, NULL},
        {"NUL and then wrong syntax", "[\"\\u0000\",]", WRONG(10, "a value")},
        {"NUL and an unclosed array", "[\"\\u0000\"", WRONG(9, "a comma or ]")},
        {"escaped backslash before u0000", "[\"\\\\u0000\"]", GOOD},
        {"huge", "1e999", CP_JSON_HUGE, 0, "binary64"},
        {"minus huge", "[0,-1e309]", CP_JSON_HUGE, 3, NULL},
        {"the first huge", "[1e400,1e500]", CP_JSON_HUGE, 1, NULL},
        {"just huge", "1.7976931348623159e308", CP_JSON_HUGE, 0, NULL},
        {"just not huge", "1.7976931348623158e308", GOOD},
        {"largest", "1.7976931348623157e+308", GOOD},
        {"small with a large exponent", "0.0000000001e310", GOOD},
        {"huge with a fraction", "0.1e400", CP_JSON_HUGE, 0, NULL},
        {"exponent beyond int64", "1e99999999999999999999", CP_JSON_HUGE, 0, NULL},
        {"tiny", "1e-99999999999999999999", GOOD},
        {"huge and then wrong syntax", "[1e999,]", WRONG(7, "a value")},
        {"huge is told before NUL", "[\"\\u0000\",1e999]", CP_JSON_HUGE, 10, NULL},
    };
    (void)state;
    CHECK_ROWS(rows);
}

static void huge_without_exponent(void **state)
{
    char text[400];
    (void)state;
    memset(text, '9', sizeof text);
    assert_int_equal(check(text, 308).fault, CP_JSON_OK);
    assert_int_equal(check(text, 309).fault, CP_JSON_HUGE);
    text[0] = '1';
    memset(text + 1, '0', sizeof text - 1);
    assert_int_equal(check(text, 309).fault, CP_JSON_OK);
    assert_int_equal(check(text, 310).fault, CP_JSON_HUGE);
}

static void every_control_character(void **state)
{
    (void)state;
    for (int byte = 0; byte < 0x20; byte++) {
        char text[] = {'"', 'a', (char)byte, '"'};
        struct cp_json_error error = check(text, sizeof text);
        assert_int_equal(error.fault, CP_JSON_SYNTAX);
        assert_int_equal(error.offset, 2);
    }
}

/* Every pair of bytes after a lead byte, against the definition: decode, and compare with the ranges of RFC 3629. */
static bool is_scalar_value(const unsigned char *bytes, int length)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t value = bytes[0] & (0xFF >> (length + 1));
    for (int index = 1; index < length; index++) {
        if ((bytes[index] & 0xC0) != 0x80) return false;
        value = value << 6 | (bytes[index] & 0x3F);
    }
    return value >= smallest[length] && value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF);
}

static void every_utf8_lead(void **state)
{
    (void)state;
    for (unsigned lead = 0x80; lead <= 0xFF; lead++) {
        int length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
        bool is_lead = lead >= 0xC0 && lead < 0xF8;
        for (unsigned next = 0; next <= 0xFF; next++) {
            unsigned char text[] = {'"', (unsigned char)lead, (unsigned char)next, 0x80, 0x80, '"'};
            text[1 + length] = '"';
            bool right = is_lead && is_scalar_value(text + 1, length);
            if ((check((char *)text, 2 + (size_t)length).fault == CP_JSON_OK) == right) continue;
            fprintf(stderr, "%02X %02X\n", lead, next);
            fail();
        }
    }
}

static char *nested(size_t depth, bool objects, size_t *size)
{
    const char *open = objects ? "{\"a\":" : "[";
    size_t width = strlen(open);
    char *text = malloc(depth * (width + 1) + 1);
    for (size_t level = 0; level < depth; level++) memcpy(text + level * width, open, width);
    text[depth * width] = '0';
    memset(text + depth * width + 1, objects ? '}' : ']', depth);
    *size = depth * (width + 1) + 1;
    return text;
}

static void nesting(void **state)
{
    (void)state;
    for (int objects = 0; objects < 2; objects++) {
        const size_t depths[] = {1, CP_MAX_JSON_DEPTH - 1, CP_MAX_JSON_DEPTH, CP_MAX_JSON_DEPTH + 1, 100000};
        for (size_t row = 0; row < sizeof depths / sizeof depths[0]; row++) {
            size_t size;
            char *text = nested(depths[row], objects, &size);
            struct cp_json_error error = check(text, size);
            bool deep = depths[row] > CP_MAX_JSON_DEPTH;
            assert_int_equal(error.fault, deep ? CP_JSON_TOO_DEEP : CP_JSON_OK);
            if (deep) assert_int_equal(error.offset, CP_MAX_JSON_DEPTH * (objects ? 5 : 1));
            free(text);
        }
    }
    char open[100000];
    memset(open, '[', sizeof open);
    assert_int_equal(check(open, sizeof open).fault, CP_JSON_TOO_DEEP);
    assert_int_equal(check(open, CP_MAX_JSON_DEPTH).offset, CP_MAX_JSON_DEPTH);
    assert_int_equal(check(open, CP_MAX_JSON_DEPTH).fault, CP_JSON_SYNTAX);
}

/* [0,0,…]: the array and `count` - 1 numbers. */
static void value_count(void **state)
{
    (void)state;
    for (size_t count = CP_MAX_JSON_VALUES; count <= CP_MAX_JSON_VALUES + 1; count++) {
        size_t size = 2 * count - 1;
        char *text = malloc(size);
        for (size_t index = 0; index < size; index += 2) memcpy(text + index, ",0", index + 1 < size ? 2 : 1);
        text[0] = '[';
        text[size - 1] = ']';
        struct cp_json_error error = check(text, size);
        assert_int_equal(error.fault, count > CP_MAX_JSON_VALUES ? CP_JSON_TOO_MANY : CP_JSON_OK);
        if (error.fault) assert_int_equal(error.offset, size - 2);
        free(text);
    }
}

/* The offset is the first byte at which the text cannot be JSON: what stands before it can still become JSON, so that
 * cut off there it is either complete or goes wrong just at its end; and cut off right after, it stays wrong there. */
static void check_viable_prefix(const char *text, size_t size)
{
    struct cp_json_error whole = check(text, size);
    if (whole.fault != CP_JSON_SYNTAX) return;
    struct cp_json_error before = check(text, whole.offset);
    struct cp_json_error after = whole.offset < size ? check(text, whole.offset + 1) : whole;
    bool viable = before.fault != CP_JSON_SYNTAX || before.offset == whole.offset;
    if (viable && after.fault == CP_JSON_SYNTAX && after.offset == whole.offset) return;
    fprintf(stderr, "fault at %zu in %.*s\n", whole.offset, (int)size, text);
    fail();
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed * UINT64_C(0x2545F4914F6CDD1D) >> 20;
}

static void one_byte_changed(void **state)
{
    static const char text[] =
        "{\"input\":[1,-30,2.25e+4,0],\"\\u00e9\":\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\\ud83d\\ude00\", "
        "\"layers\" : [ {\"type\":\"Conv2d\",\"bias\":false},null,true,[],{}]}";
    static const char alphabet[] = "\"\\{}[]:,0123456789.eE+-truefalsn \n\t\x01\x80\xC3\xED\xF4/ubDd8c";
    uint64_t seed = 20240611;
    size_t size = sizeof text - 1;
    int accepted = 0;
    (void)state;
    assert_int_equal(check(text, size).fault, CP_JSON_OK);
    for (size_t at = 0; at <= size; at++) check_viable_prefix(text, at);
    for (int round = 0; round < 60000; round++) {
        char changed[sizeof text];
        memcpy(changed, text, sizeof text);
        for (int change = 0; change <= round % 3; change++)
            changed[next_random(&seed) % size] = alphabet[next_random(&seed) % (sizeof alphabet - 1)];
        check_viable_prefix(changed, size);
        accepted += check(changed, size).fault == CP_JSON_OK;
    }
    assert_true(accepted > 1000 && accepted < 59000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(structure),
        cmocka_unit_test(white_space),
        cmocka_unit_test(literals),
        cmocka_unit_test(numbers),
        cmocka_unit_test(strings),
        cmocka_unit_test(utf8),
        cmocka_unit_test(limits_of_content),
        cmocka_unit_test(huge_without_exponent),
        cmocka_unit_test(every_control_character),
        cmocka_unit_test(every_utf8_lead),
        cmocka_unit_test(nesting),
        cmocka_unit_test(value_count),
        cmocka_unit_test(one_byte_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
