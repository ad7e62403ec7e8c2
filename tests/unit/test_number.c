/* Numbers between text and binary64: against the C library, for shortness, and the layouts by name. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/json/number.h"
#include "server/json/powers.h"
#include "tests/under_valgrind.h"

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed * UINT64_C(0x2545F4914F6CDD1D);
}

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double double_of(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* In a buffer of just its size, so that the sanitizer sees a read past the end. */
static bool parse(const char *text, size_t size, double *value)
{
    char *copy = memcpy(malloc(size), text, size);
    bool finite = cp_number_parse(copy, copy + size, value);
    free(copy);
    return finite;
}

static void layouts(void **state)
{
    static const struct {
        const char *name;
        double value;
        const char *text;
    } rows[] = {
        {"zero", 0.0, "0"},
        {"minus zero", -0.0, "-0.0"},
        {"one", 1, "1"},
        {"minus one", -1, "-1"},
        {"half", 0.5, "0.5"},
        {"tenth", 0.1, "0.1"},
        {"third", 1.0 / 3, "0.3333333333333333"},
        {"sum that is not 0.3", 0.1 + 0.2, "0.30000000000000004"},
        {"before and after the point", 123.456, "123.456"},
        {"minus", -273.15, "-273.15"},
        {"smallest without exponent", 1e-6, "0.000001"},
        {"17 digits after five zeros", 1.2345678901234567e-6, "0.0000012345678901234567"},
        {"largest small one with exponent", 9.999e-7, "9.999e-7"},
        {"one digit and exponent", 1e-7, "1e-7"},
        {"largest without exponent", 1e20, "100000000000000000000"},
        {"17 digits and zeros", 123456789012345680000.0, "123456789012345680000"},
        {"smallest large one with exponent", 1e21, "1e+21"},
        {"digits and a large exponent", 1.5e300, "1.5e+300"},
        {"2^53 - 1", 9007199254740991.0, "9007199254740991"},
        {"2^53", 9007199254740992.0, "9007199254740992"},
        {"2^53 + 2", 9007199254740994.0, "9007199254740994"},
        {"-(2^53)", -9007199254740992.0, "-9007199254740992"},
        {"2^63", 0x1p63, "9223372036854776000"},
        {"below an integer", 0.9999999999999999, "0.9999999999999999"},
        {"above one", 1.0000000000000002, "1.0000000000000002"},
        {"largest", DBL_MAX, "1.7976931348623157e+308"},
        {"minus largest", -DBL_MAX, "-1.7976931348623157e+308"},
        {"smallest normal", DBL_MIN, "2.2250738585072014e-308"},
        {"largest subnormal", 2.225073858507201e-308, "2.225073858507201e-308"},
        {"smallest", 5e-324, "5e-324"},
        {"twice the smallest", 1e-323, "1e-323"},
        {"1e23, between two doubles", 1e23, "1e+23"},
        {"9.5e-3", 9.5e-3, "0.0095"},
        {"uneven neighbours", 0x1p-44, "5.684341886080802e-14"},
        {"uneven neighbours, large", 0x1p100, "1.2676506002282294e+30"},
    };
    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        char text[CP_NUMBER_ROOM];
        size_t size = cp_number_format(rows[row].value, text);
        if (size == strlen(rows[row].text) && memcmp(text, rows[row].text, size) == 0) continue;
        fprintf(stderr, "%s: got %.*s, not %s\n", rows[row].name, (int)size, text, rows[row].text);
        fail();
    }
}

static void integers(void **state)
{
    uint64_t seed = 1;
    (void)state;
    for (int round = 0; round < 20000; round++) {
        uint64_t bits = next_random(&seed) >> round % 64;
        int64_t values[] = {(int64_t)bits, -(int64_t)(bits >> 1)};
        for (int index = 0; index < 2; index++) {
            char text[CP_NUMBER_ROOM], expected[CP_NUMBER_ROOM];
            size_t size = cp_number_format_integer(values[index], text);
            snprintf(expected, sizeof expected, "%lld", (long long)values[index]);
            assert_int_equal(size, strlen(expected));
            assert_memory_equal(text, expected, size);
        }
    }
}

/* Text of any kind, against strtod. */
static void check_parse(const char *text)
{
    double value;
    double expected = strtod(text, NULL);
    bool finite = parse(text, strlen(text), &value);
    if (bits_of(value) == bits_of(expected) && finite == (isfinite(expected) != 0)) return;
    fprintf(stderr, "{\"%s\"}: got %a, not %a\n", text, value, expected);
    fail();
}

static const char *const parsed_texts[] = {
    "0",
    "-0",
    "0.0",
    "-0.0e5",
    "0e99999",
    "1",
    "-1",
    "10",
    "1e0",
    "1E+0",
    "1e-0",
    "1.5",
    "1e22",
    "1e23",
    "-1e23",
    "123456789012345678",
    "1234567890123456789",
    "12345678901234567890",
    "123456789012345678901234567890",
    "18446744073709551615",
    "18446744073709551616",
    "9007199254740992",
    "9007199254740993",
    "9007199254740994",
    "9007199254740995",
    "9007199254740993.0",
    "9007199254740993.00000000000000000000000000000000000001",
    "9007199254740992.99999999999999999999999999999999999999",
    "0.5",
    "0.1",
    "0.000001",
    "4.9e-324",
    "5e-324",
    "2.4703282292062327e-324",
    "2.4703282292062328e-324",
    "2.5e-324",
    "1e-324",
    "3e-324",
    "1e-325",
    "1e-400",
    "2.2250738585072011e-308",
    "2.2250738585072012e-308",
    "2.2250738585072014e-308",
    "2.225073858507201e-308",
    "1.7976931348623157e308",
    "1.7976931348623158e308",
    "1.7976931348623159e308",
    "1.797693134862315807e308",
    "1.7976931348623158079372897140530e308",
    "1.7976931348623158079372897140531e308",
    "1e308",
    "1e309",
    "-1e309",
    "1e999999999999999999999",
    "1e-999999999999999999999",
    "0.1e309",
    "0.0001e312",
    "100000e303",
    "1e-342",
    "1e-343",
    "6.02214076e23",
    "3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534",
    "8.442911973260991817129021179e-20",
    "2.2204460492503131e-16",
    "1.00000000000000011102230246251565",
    "1.00000000000000011102230246251566",
    "1.00000000000000011102230246251564",
    "9223372036854775807.5",
    "0.000000000000000000000000000000000000000000000000000000000000000000000000000000000012345678901234567890123",
};

static void parsing(void **state)
{
    (void)state;
    for (size_t index = 0; index < sizeof parsed_texts / sizeof parsed_texts[0]; index++)
        check_parse(parsed_texts[index]);
}

/* Exactly halfway between neighbours, and a hair to both sides: glibc prints doubles exactly with enough digits. */
static void halfway(void **state)
{
    uint64_t seed = 7;
    (void)state;
    for (int round = 0; round < 2000; round++) {
        /* Of a double with one bit less, the middle of it and its neighbour is a double: exact to the last digit. */
        uint64_t bits = (next_random(&seed) & ~(UINT64_C(1) << 63)) | 1;
        if (round % 2) bits = (bits & UINT64_C(0xFFFFFFFFFFFFF)) | (UINT64_C(1023) + next_random(&seed) % 80) << 52;
        if (bits >> 52 == 0x7FF || bits >> 52 < 2) continue;
        char text[1200];
        long double middle = (long double)double_of(bits) + (long double)(double_of(bits + 1) - double_of(bits)) / 2;
        if (LDBL_MANT_DIG < 64) return;
        int size = snprintf(text, sizeof text - 2, "%.*Le", 780, middle);
        assert_true(size > 0 && size < (int)sizeof text - 2);
        check_parse(text);
        char *exponent = strchr(text, 'e');
        exponent[-1] = '1';
        check_parse(text);
        char *last = exponent - 1;
        for (*last = '9'; last > text + 2 && *last != '0'; last--) continue;
        check_parse(text);
    }
}

/* More digits than any buffer: a zero run that ends in a one, and a million zeros lifted by the exponent. */
static void long_texts(void **state)
{
    enum { SIZE = 1000000 };
    char *text = malloc(SIZE + 32);
    (void)state;
    memset(text, '0', SIZE + 32);
    memcpy(text, "9007199254740993.", 17);
    text[SIZE] = '\0';
    check_parse(text);
    text[SIZE - 1] = '1';
    check_parse(text);
    memcpy(text, "0.", 2);
    memset(text + 2, '0', 20);
    memcpy(text + SIZE, "123e1000005", 12);
    check_parse(text);
    memset(text, '0', SIZE);
    text[0] = '7';
    strcpy(text + SIZE, "e-999999");
    check_parse(text);
    free(text);
}

/* The digits of a number without sign, point, exponent and the zeros around them. */
static int significant_digits(const char *text, char *digits)
{
    int count = 0;
    for (; *text && *text != 'e'; text++)
        if (*text >= '0' && *text <= '9' && (count || *text != '0')) digits[count++] = *text;
    while (count && digits[count - 1] == '0') count--;
    digits[count] = '\0';
    return count;
}

/* Reads back the same by both parsers; no decimal with one digit less does; and it is the nearest of its length: where
 * the value rounded to so many digits reads back too, it is that one. */
static void check_shortest(double value)
{
    char text[CP_NUMBER_ROOM + 1], rounded[CP_NUMBER_ROOM + 1], digits[CP_NUMBER_ROOM], nearest[CP_NUMBER_ROOM];
    double back;
    size_t size = cp_number_format(value, text);
    assert_in_range(size, 1, 25);
    text[size] = '\0';
    bool right = parse(text, size, &back) && bits_of(back) == bits_of(value) && strtod(text, NULL) == value;
    int count = significant_digits(text, digits);
    if (count > 1) {
        snprintf(rounded, sizeof rounded, "%.*e", count - 2, value);
        right = right && strtod(rounded, NULL) != value;
    }
    snprintf(rounded, sizeof rounded, "%.*e", count ? count - 1 : 0, value);
    significant_digits(rounded, nearest);
    if (strtod(rounded, NULL) == value) right = right && strcmp(digits, nearest) == 0;
    if (right) return;
    fprintf(stderr, "{%a}: got %s, C library %.17g and %s\n", value, text, value, rounded);
    fail();
}

static void shortest_of_hard_cases(void **state)
{
    (void)state;
    for (int exponent = -1074; exponent <= 1023; exponent++) {
        uint64_t bits = bits_of(ldexp(1, exponent));
        for (uint64_t near = bits > 2 ? bits - 2 : 1; near <= bits + 2; near++) check_shortest(double_of(near));
    }
    for (int exponent = -323; exponent <= 308; exponent++) {
        char text[16];
        snprintf(text, sizeof text, "1e%d", exponent);
        uint64_t bits = bits_of(strtod(text, NULL));
        for (uint64_t near = bits > 2 ? bits - 2 : 1; near <= bits + 2; near++) check_shortest(double_of(near));
    }
    for (int64_t near = -64; near <= 64; near++) {
        check_shortest((double)((INT64_C(1) << 53) + near));
        check_shortest((double)((INT64_C(1) << 52) + near) / 2);
        check_shortest((double)(INT64_C(1000000000000000) + near));
    }
    for (uint64_t bits = 1; bits < 3000; bits++) check_shortest(double_of(bits));
    for (uint64_t bits = bits_of(DBL_MAX); bits > bits_of(DBL_MAX) - 100; bits--) check_shortest(double_of(bits));
}

static void shortest_of_random_bits(void **state)
{
    uint64_t seed = 20240612;
    (void)state;
    for (int round = 0; round < 150000; round++) {
        uint64_t bits = next_random(&seed);
        if (round % 8 == 1) bits &= UINT64_C(0x800FFFFFFFFFFFFF);
        double value = double_of(bits);
        if (round % 8 == 2) value = (double)(int64_t)(bits >> bits % 64) / 1e6;
        if (round % 8 == 3) value = (double)(float)(int64_t)bits / 4096;
        if (isfinite(value)) check_shortest(value);
    }
}

static void parsing_of_random_digits(void **state)
{
    uint64_t seed = 20240613;
    (void)state;
    for (int round = 0; round < 50000; round++) {
        char text[64];
        double value = double_of(next_random(&seed));
        if (!isfinite(value)) continue;
        snprintf(text, sizeof text, "%.*e", (int)(next_random(&seed) % 26), value);
        check_parse(text);
        uint64_t digits = next_random(&seed) >> round % 64;
        snprintf(text, sizeof text, "%llu%07llue%d", (unsigned long long)digits, (unsigned long long)digits % 10000000,
                 (int)(next_random(&seed) % 700) - 360);
        check_parse(text);
    }
}

/* Each power times two is the next but for its factor of five, within the last place. */
static void powers_of_ten(void **state)
{
    (void)state;
    if (cp_under_valgrind()) skip();
    for (int n = CP_POWER_MIN; n <= CP_POWER_MAX; n++) {
        struct cp_power power = cp_power_of_ten(n);
        assert_true(power.high >> 63);
        if (n < -300 || n > 300) continue;
        long double expected = ldexpl(powl(10.0L, n), 63 - cp_power_exponent(n));
        long double difference = expected - (long double)power.high;
        assert_true(fabsl(difference) < 64);
    }
    assert_true(cp_power_of_ten(0).high == UINT64_C(1) << 63 && cp_power_of_ten(0).low == 0);
    assert_true(cp_power_of_ten(1).high == UINT64_C(5) << 61 && cp_power_of_ten(1).low == 0);
    assert_true(cp_power_of_ten(-1).high == UINT64_C(0xCCCCCCCCCCCCCCCC));
    assert_true(cp_power_of_ten(-1).low == UINT64_C(0xCCCCCCCCCCCCCCCC));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layouts),
        cmocka_unit_test(integers),
        cmocka_unit_test(parsing),
        cmocka_unit_test(halfway),
        cmocka_unit_test(long_texts),
        cmocka_unit_test(shortest_of_hard_cases),
        cmocka_unit_test(shortest_of_random_bits),
        cmocka_unit_test(parsing_of_random_digits),
        cmocka_unit_test(powers_of_ten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
