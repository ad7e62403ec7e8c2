/* Shapes: equality, products, and the two layouts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/shape.h"

static void equality(void **state)
{
    static const struct {
        const char *name;
        struct cp_shape a, b;
        bool equal;
    } rows[] = {
        {"same", {4, {1, 3, 8, 9}}, {4, {1, 3, 8, 9}}, true},
        {"last size differs", {4, {1, 3, 8, 9}}, {4, {1, 3, 8, 8}}, false},
        {"first size differs", {4, {2, 3, 8, 9}}, {4, {1, 3, 8, 9}}, false},
        {"rank differs", {3, {1, 3, 8}}, {4, {1, 3, 8, 1}}, false},
        {"scalars", {0, {0}}, {0, {0}}, true},
        {"scalar and vector", {0, {0}}, {1, {1}}, false},
        {"full rank", {8, {1, 2, 3, 4, 5, 6, 7, 8}}, {8, {1, 2, 3, 4, 5, 6, 7, 8}}, true},
        {"full rank, last differs", {8, {1, 2, 3, 4, 5, 6, 7, 8}}, {8, {1, 2, 3, 4, 5, 6, 7, 9}}, false},
        {"in the high half of a size", {1, {1}}, {1, {(INT64_C(1) << 32) + 1}}, false},
    };
    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        bool one_way = cp_shape_equal(&rows[row].a, &rows[row].b);
        bool other_way = cp_shape_equal(&rows[row].b, &rows[row].a);
        if (one_way == rows[row].equal && other_way == rows[row].equal) continue;
        fprintf(stderr, "%s\n", rows[row].name);
        fail();
    }
}

static void products(void **state)
{
    static const struct {
        const char *name;
        struct cp_shape shape;
        int begin, end;
        int64_t product; /* 0: over the limit */
    } rows[] = {
        {"all", {4, {2, 3, 8, 9}}, 0, 4, 432},
        {"spatial", {4, {2, 3, 8, 9}}, 2, 4, 72},
        {"one", {4, {2, 3, 8, 9}}, 1, 2, 3},
        {"none", {4, {2, 3, 8, 9}}, 2, 2, 1},
        {"a scalar", {0, {0}}, 0, 0, 1},
        {"largest", {3, {1, CP_MAX_COUNT, 1}}, 0, 3, CP_MAX_COUNT},
        {"2 to the 53", {2, {INT64_C(1) << 26, INT64_C(1) << 27}}, 0, 2, 0},
        {"half of that", {2, {INT64_C(1) << 26, INT64_C(1) << 26}}, 0, 2, INT64_C(1) << 52},
        {"wraps to zero", {8, {256, 256, 256, 256, 256, 256, 256, 256}}, 0, 8, 0},
        {"wraps", {3, {CP_MAX_COUNT, CP_MAX_COUNT, CP_MAX_COUNT}}, 0, 3, 0},
    };
    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        int64_t product = -7;
        bool fits = cp_shape_product(&rows[row].shape, rows[row].begin, rows[row].end, &product);
        if (fits == (rows[row].product != 0) && product == (fits ? rows[row].product : -7)) continue;
        fprintf(stderr, "%s: %lld\n", rows[row].name, (long long)product);
        fail();
    }
}

static void layouts(void **state)
{
    static const struct {
        const char *name;
        struct cp_shape first, last;
    } rows[] = {
        {"scalar", {0, {0}}, {0, {0}}},
        {"vector", {1, {7}}, {1, {7}}},
        {"matrix", {2, {7, 3}}, {2, {7, 3}}},
        {"signal", {3, {7, 3, 100}}, {3, {7, 100, 3}}},
        {"image", {4, {7, 3, 100, 200}}, {4, {7, 100, 200, 3}}},
        {"volume", {5, {7, 3, 10, 20, 30}}, {5, {7, 10, 20, 30, 3}}},
        {"full rank", {8, {1, 2, 3, 4, 5, 6, 7, 8}}, {8, {1, 3, 4, 5, 6, 7, 8, 2}}},
    };
    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        struct cp_shape last = cp_shape_to_channels_last(&rows[row].first);
        struct cp_shape first = cp_shape_from_channels_last(&rows[row].last);
        bool good = cp_shape_equal(&last, &rows[row].last) && cp_shape_equal(&first, &rows[row].first);
        for (int axis = last.rank; axis < CP_MAX_RANK; axis++) good = good && !last.size[axis] && !first.size[axis];
        if (good) continue;
        fprintf(stderr, "%s\n", rows[row].name);
        fail();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equality),
        cmocka_unit_test(products),
        cmocka_unit_test(layouts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
