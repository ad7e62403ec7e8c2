/* Checked arithmetic: the legal range, failures that leave the result alone, and division rounding. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/checked.h"

static const int64_t most = CP_MAX_COUNT;

struct row {
    const char *name;
    int64_t a, b;
    bool fits;
    int64_t result;
};

static void check(const struct row *rows, size_t count, bool (*function)(int64_t, int64_t, int64_t *))
{
    for (size_t row = 0; row < count; row++) {
        int64_t result = 12345;
        bool fits = function(rows[row].a, rows[row].b, &result);
        if (fits == rows[row].fits && result == (fits ? rows[row].result : 12345)) continue;
        fprintf(stderr, "%s: %lld, %lld gives %d, %lld\n", rows[row].name, (long long)rows[row].a,
                (long long)rows[row].b, fits, (long long)result);
        fail();
    }
}

static bool add(int64_t a, int64_t b, int64_t *result)
{
    return cp_add(a, b, result);
}

static bool multiply(int64_t a, int64_t b, int64_t *result)
{
    return cp_multiply(a, b, result);
}

static void sums(void **state)
{
    const struct row rows[] = {
        {"plain", 2, 3, true, 5},
        {"negative", 2, -3, true, -1},
        {"largest", most, 0, true, most},
        {"largest by sum", most - 1, 1, true, most},
        {"one over", most, 1, false, 0},
        {"lowest", -most, 0, true, -most},
        {"one under", -most, -1, false, 0},
        {"both largest", most, most, false, 0},
        {"wraps upwards", INT64_MAX, 1, false, 0},
        {"wraps downwards", INT64_MIN, -1, false, 0},
        {"wraps into the range", INT64_MIN, INT64_MIN, false, 0},
        {"back into the range", INT64_MAX, -INT64_MAX, true, 0},
    };
    (void)state;
    check(rows, sizeof rows / sizeof rows[0], add);
}

static void products(void **state)
{
    const struct row rows[] = {
        {"plain", 6, 7, true, 42},
        {"negative", -6, 7, true, -42},
        {"by zero", most, 0, true, 0},
        {"largest", most, 1, true, most},
        {"largest by factors", 6361, INT64_C(1416003655831), true, most},
        {"lowest", -1, most, true, -most},
        {"2 to the 53", INT64_C(1) << 26, INT64_C(1) << 27, false, 0},
        {"wraps to zero", INT64_C(1) << 32, INT64_C(1) << 32, false, 0},
        {"wraps into the range", (INT64_C(1) << 32) + 1, INT64_C(1) << 32, false, 0},
        {"both largest", most, most, false, 0},
        {"the lowest number negated", INT64_MIN, -1, false, 0},
    };
    (void)state;
    check(rows, sizeof rows / sizeof rows[0], multiply);
}

static void range(void **state)
{
    (void)state;
    assert_true(most == (INT64_C(1) << 53) - 1);
    assert_true(cp_in_range(0) && cp_in_range(most) && cp_in_range(-most));
    assert_false(cp_in_range(most + 1) || cp_in_range(-most - 1) || cp_in_range(INT64_MAX) || cp_in_range(INT64_MIN));
}

/* Quotients and remainder by counting steps of the divisor. */
static void divisions(void **state)
{
    (void)state;
    for (int64_t dividend = -60; dividend <= 60; dividend++)
        for (int64_t divisor = 1; divisor <= 13; divisor++) {
            int64_t below = -100;
            while ((below + 1) * divisor <= dividend) below++;
            int64_t above = 100;
            while ((above - 1) * divisor >= dividend) above--;
            bool good = cp_floor_divide(dividend, divisor) == below && cp_ceil_divide(dividend, divisor) == above &&
                        cp_floor_remainder(dividend, divisor) == dividend - below * divisor;
            if (good) continue;
            fprintf(stderr, "%lld by %lld\n", (long long)dividend, (long long)divisor);
            fail();
        }
    assert_true(cp_floor_divide(-most, 2) == -most / 2 - 1 && cp_ceil_divide(most, 2) == most / 2 + 1);
    assert_true(cp_floor_divide(INT64_MIN, 1) == INT64_MIN && cp_floor_remainder(INT64_MIN, 3) == 1);
}

static void common_divisors(void **state)
{
    (void)state;
    for (int64_t a = -40; a <= 40; a++)
        for (int64_t b = 0; b <= 40; b++) {
            int64_t greatest = 0; /* of 0 and 0 */
            for (int64_t divisor = 1; divisor <= 40 && (a || b); divisor++)
                if (a % divisor == 0 && b % divisor == 0) greatest = divisor;
            if (cp_greatest_common_divisor(a, b) == greatest) continue;
            fprintf(stderr, "%lld and %lld\n", (long long)a, (long long)b);
            fail();
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums),      cmocka_unit_test(products),        cmocka_unit_test(range),
        cmocka_unit_test(divisions), cmocka_unit_test(common_divisors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
