/* The reference poolings on numbers that can be checked by hand, at their borders, and their gradients by finite
 * differences. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/reference_fixture.h"

static struct cp_arena arena;

static int release_arena(void **state)
{
    (void)state;
    fixture_release(&arena);
    return 0;
}

static struct cp_window pool_window(int64_t kernel, int64_t stride, int64_t padding, enum cp_rounding rounding)
{
    return (struct cp_window){kernel, stride, 1, padding, padding, rounding};
}

/* ---- The guide's numbers ----------------------------------------------------------------------------------------- */

static void test_worked_numbers(void **state)
{
    static const double ninths[] = {15, 15, 15, 9, 11, 16, 10, 7, 12}, largest[] = {3, 3, 3, 3, 3, 3, 3, 2, 3};
    double values[] = {3, 3, 2, 1, 0, 0, 0, 1, 3, 1, 3, 1, 2, 2, 3, 2, 0, 0, 2, 2, 2, 0, 0, 0, 1};
    struct cp_tensor input = {{4, {1, 1, 5, 5}}, CP_FLOAT64, values}, result;
    struct cp_window window = pool_window(3, 1, 0, CP_ROUND_FLOOR);
    struct cp_reference reference = {.operation = {.kind = CP_AVERAGE_POOL, .axes = 2, .window = {window, window}},
                                     .input_shape = input.shape,
                                     .input = &input};
    (void)state;
    assert_int_equal(cp_reference_compute(&reference, &arena, &result).code, CP_REFERENCE_OK);
    for (int i = 0; i < 9; i++) assert_true(((double *)result.data)[i] == ninths[i] / 9);
    reference.operation.kind = CP_MAX_POOL;
    assert_int_equal(cp_reference_compute(&reference, &arena, &result).code, CP_REFERENCE_OK);
    for (int i = 0; i < 9; i++) assert_true(((double *)result.data)[i] == largest[i]);
}

/* ---- One-dimensional tables -------------------------------------------------------------------------------------- */

struct row {
    const char *name;
    enum cp_operation_kind kind;
    struct cp_window window;
    bool include_pad;
    double norm_type;
    int64_t adaptive;
    int count;
    double input[6];
    int output_count;
    double output[6];
    double gradient[6];
    double back[6];
};

static const struct row rows[] = {
    {"max: the first of equals takes the gradient",
     CP_MAX_POOL,
     {2, 1, 1, 0, 0, CP_ROUND_FLOOR},
     false,
     0,
     0,
     4,
     {5, 5, 1, 5},
     3,
     {5, 5, 5},
     {1, 10, 100},
     {1, 10, 0, 100}},
    {"max: padding is never the largest",
     CP_MAX_POOL,
     {2, 2, 1, 1, 1, CP_ROUND_FLOOR},
     false,
     0,
     0,
     2,
     {-7, -9},
     2,
     {-7, -9},
     {1, 2},
     {1, 2}},
    {"max: NaN is larger than all",
     CP_MAX_POOL,
     {3, 3, 1, 0, 0, CP_ROUND_FLOOR},
     false,
     0,
     0,
     3,
     {INFINITY, NAN, 1},
     1,
     {NAN},
     {4},
     {0, 4, 0}},
    {"max: dilation steps over cells",
     CP_MAX_POOL,
     {2, 1, 2, 0, 0, CP_ROUND_FLOOR},
     false,
     0,
     0,
     4,
     {1, 9, 2, 3},
     2,
     {2, 9},
     {1, 2},
     {0, 2, 1, 0}},
    {"max: a window of padding only is −∞",
     CP_MAX_POOL,
     {2, 1, 3, 2, 2, CP_ROUND_FLOOR},
     false,
     0,
     0,
     1,
     {4},
     2,
     {-INFINITY, -INFINITY},
     {1, 2},
     {0}},
    {"average: padding is counted",
     CP_AVERAGE_POOL,
     {2, 2, 1, 1, 1, CP_ROUND_FLOOR},
     true,
     0,
     0,
     2,
     {8, 6},
     2,
     {4, 3},
     {2, 4},
     {1, 2}},
    {"average: padding is not counted",
     CP_AVERAGE_POOL,
     {2, 2, 1, 1, 1, CP_ROUND_FLOOR},
     false,
     0,
     0,
     2,
     {8, 6},
     2,
     {8, 6},
     {2, 4},
     {2, 4}},
    {"average: ceil_mode's last window is cut off at the padding's end",
     CP_AVERAGE_POOL,
     {4, 2, 1, 1, 1, CP_ROUND_CEIL},
     true,
     0,
     0,
     5,
     {4, 8, 4, 6, 6},
     3,
     {4, 6, 4},
     {4, 4, 3},
     {1, 2, 2, 2, 2}},
    {"LP: p = 2",
     CP_LP_POOL,
     {2, 2, 1, 0, 0, CP_ROUND_FLOOR},
     false,
     2,
     0,
     4,
     {3, -4, 0, 0},
     2,
     {5, 0},
     {5, 7},
     {3, -4, 0, 0}},
    {"LP: p = 1 is a plain sum",
     CP_LP_POOL,
     {2, 2, 1, 0, 0, CP_ROUND_FLOOR},
     false,
     1,
     0,
     2,
     {3, -4},
     1,
     {-1},
     {7},
     {7, 7}},
    {"LP: a window that is cut off is scaled up",
     CP_LP_POOL,
     {2, 2, 1, 0, 0, CP_ROUND_CEIL},
     false,
     1,
     0,
     3,
     {1, 2, 5},
     2,
     {3, 10},
     {1, 1},
     {1, 1, 2}},
    {"adaptive average: windows overlap",
     CP_ADAPTIVE_AVERAGE_POOL,
     {0},
     false,
     0,
     2,
     3,
     {2, 4, 8},
     2,
     {3, 6},
     {2, 4},
     {1, 3, 2}},
    {"adaptive average: more outputs than inputs",
     CP_ADAPTIVE_AVERAGE_POOL,
     {0},
     false,
     0,
     3,
     2,
     {2, 4},
     3,
     {2, 3, 4},
     {1, 2, 4},
     {2, 5}},
    {"adaptive max", CP_ADAPTIVE_MAX_POOL, {0}, false, 0, 2, 3, {2, 4, 4}, 2, {4, 4}, {1, 2}, {0, 3, 0}},
    {"adaptive: 0 keeps the axis", CP_ADAPTIVE_MAX_POOL, {0}, false, 0, 0, 2, {2, 4}, 2, {2, 4}, {1, 2}, {1, 2}},
};

static void expect(const struct row *row, const char *what, const struct cp_tensor *got, const double *expected,
                   int count)
{
    assert_int_equal(cp_tensor_count(got), count);
    for (int i = 0; i < count; i++)
        if (memcmp((double *)got->data + i, &expected[i], sizeof(double)) != 0)
            fail_msg("%s, %s: value %d is %g, not %g", row->name, what, i, ((double *)got->data)[i], expected[i]);
}

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        double x[6], gradient[6];
        memcpy(x, row->input, sizeof x);
        memcpy(gradient, row->gradient, sizeof gradient);
        struct cp_tensor input = {{3, {1, 1, row->count}}, CP_FLOAT64, x}, result;
        struct cp_tensor output_gradient = {{3, {1, 1, row->output_count}}, CP_FLOAT64, gradient};
        struct cp_reference reference = {.operation = {.kind = row->kind,
                                                       .axes = 1,
                                                       .window = {row->window},
                                                       .adaptive_output = {row->adaptive},
                                                       .count_include_pad = row->include_pad,
                                                       .norm_type = row->norm_type},
                                         .input_shape = input.shape,
                                         .input = &input};
        enum cp_reference_code code = cp_reference_compute(&reference, &arena, &result).code;
        if (code != CP_REFERENCE_OK) fail_msg("%s: code %d", row->name, code);
        expect(row, "forward", &result, row->output, row->output_count);
        reference.direction = CP_BACKWARD_INPUT;
        reference.output_gradient = &output_gradient;
        code = cp_reference_compute(&reference, &arena, &result).code;
        if (code != CP_REFERENCE_OK) fail_msg("%s, backward: code %d", row->name, code);
        expect(row, "backward", &result, row->back, row->count);
    }
}

/* ---- int64 ------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    enum cp_operation_kind kind;
    struct cp_window window;
    enum cp_direction direction;
    int64_t x[4], gradient[4];
    enum cp_reference_code code;
    int64_t value; /* the first of the result, or the position of the failure */
} int64_cases[] = {
    {"an average that is whole",
     CP_AVERAGE_POOL,
     {2, 2, 1, 0, 0, CP_ROUND_FLOOR},
     CP_FORWARD,
     {INT64_MAX, INT64_MAX},
     {0},
     CP_REFERENCE_OK,
     INT64_MAX},
    {"an average that is not",
     CP_AVERAGE_POOL,
     {2, 2, 1, 0, 0, CP_ROUND_FLOOR},
     CP_FORWARD,
     {1, 1, 1, 2},
     {0},
     CP_REFERENCE_INEXACT,
     1},
    {"a gradient that does not divide",
     CP_AVERAGE_POOL,
     {2, 2, 1, 0, 0, CP_ROUND_FLOOR},
     CP_BACKWARD_INPUT,
     {0},
     {4, 3},
     CP_REFERENCE_INEXACT,
     1},
    {"gradients that overflow",
     CP_MAX_POOL,
     {2, 1, 1, 0, 0, CP_ROUND_FLOOR},
     CP_BACKWARD_INPUT,
     {1, 9, 1, 1},
     {INT64_MAX, 1, 0},
     CP_REFERENCE_OVERFLOW,
     1},
    {"a window without cells",
     CP_MAX_POOL,
     {2, 4, 9, 5, 5, CP_ROUND_FLOOR},
     CP_FORWARD,
     {1, 2, 3, 4},
     {0},
     CP_REFERENCE_EMPTY_WINDOW,
     0},
};

static void test_int64(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof int64_cases / sizeof int64_cases[0]; i++) {
        int64_t x[4], gradient[4];
        memcpy(x, int64_cases[i].x, sizeof x);
        memcpy(gradient, int64_cases[i].gradient, sizeof gradient);
        struct cp_window window = int64_cases[i].window;
        struct cp_tensor input = {{3, {1, 1, 4}}, CP_INT64, x}, back = {{3, {1, 1, 0}}, CP_INT64, gradient}, result;
        assert_int_equal(cp_window_output(&window, 4, &back.shape.size[2]), CP_WINDOW_OK);
        struct cp_reference reference = {
            .operation = {.kind = int64_cases[i].kind, .axes = 1, .window = {window}, .count_include_pad = true},
            .direction = int64_cases[i].direction,
            .element = CP_INT64,
            .input_shape = input.shape,
            .input = &input,
            .output_gradient = &back};
        struct cp_reference_status status = cp_reference_compute(&reference, &arena, &result);
        if (status.code != int64_cases[i].code) fail_msg("%s: code %d", int64_cases[i].name, status.code);
        int64_t value = status.code == CP_REFERENCE_OK ? *(int64_t *)result.data : status.position.size[2];
        if (value != int64_cases[i].value) fail_msg("%s: %" PRId64, int64_cases[i].name, value);
    }
}

/* ---- Gradients --------------------------------------------------------------------------------------------------- */

static double weighted_sum(struct cp_reference reference, const struct cp_tensor *weights)
{
    struct cp_tensor result;
    double sum = 0;
    reference.direction = CP_FORWARD;
    assert_int_equal(cp_reference_compute(&reference, &arena, &result).code, CP_REFERENCE_OK);
    for (int64_t i = 0; i < cp_tensor_count(&result); i++)
        sum += ((double *)result.data)[i] * ((double *)weights->data)[i];
    return sum;
}

/* Central differences of smooth poolings, at positive inputs. */
static void test_gradients_are_finite_differences(void **state)
{
    static const enum cp_operation_kind kinds[] = {CP_AVERAGE_POOL, CP_LP_POOL, CP_ADAPTIVE_AVERAGE_POOL, CP_MAX_POOL};
    static const double norms[] = {1, 2, 3, 2.5};
    (void)state;
    for (int round = 0; round < 48; round++) {
        uint64_t seed = (uint64_t)round + 1;
        struct cp_window window = pool_window(3, 1 + round % 3, round / 3 % 2, (enum cp_rounding)(round / 6 % 2));
        struct cp_shape shape = {4, {2, 2, 5, 7}};
        struct cp_tensor input = random_tensor(&shape, CP_FLOAT64, FILL_PLAIN, &seed, &arena), gradient, back;
        double *x = input.data;
        for (int64_t i = 0; i < cp_tensor_count(&input); i++) x[i] = 1 + (double)random_between(&seed, 0, 4095) / 1024;
        struct cp_reference reference = {.operation = {.kind = kinds[round % 4],
                                                       .axes = 2,
                                                       .window = {window, window},
                                                       .adaptive_output = {3, 4},
                                                       .count_include_pad = round % 5 == 0,
                                                       .norm_type = norms[round / 4 % 4]},
                                         .direction = CP_BACKWARD_INPUT,
                                         .input_shape = shape,
                                         .input = &input};
        struct cp_reference forward = reference;
        struct cp_shape output, result;
        forward.direction = CP_FORWARD;
        assert_int_equal(cp_reference_check(&forward, &output, &result).code, CP_REFERENCE_OK);
        gradient = random_tensor(&output, CP_FLOAT64, FILL_PLAIN, &seed, &arena);
        for (int64_t i = 0; i < cp_tensor_count(&gradient); i++)
            ((double *)gradient.data)[i] = (double)random_between(&seed, -8, 8);
        reference.output_gradient = &gradient;
        assert_int_equal(cp_reference_compute(&reference, &arena, &back).code, CP_REFERENCE_OK);
        for (int64_t i = 0; i < cp_tensor_count(&input); i += 3) {
            double step = 1e-5, at = x[i];
            x[i] = at + step;
            double above = weighted_sum(forward, &gradient);
            x[i] = at - step;
            double below = weighted_sum(forward, &gradient);
            x[i] = at;
            double difference = (above - below) / (2 * step), got = ((double *)back.data)[i];
            if (!(fabs(difference - got) < 1e-5))
                fail_msg("round %d, kind %d, cell %" PRId64 ": %g, by differences %g", round, kinds[round % 4], i, got,
                         difference);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_worked_numbers, release_arena),
        cmocka_unit_test_teardown(test_table, release_arena),
        cmocka_unit_test_teardown(test_int64, release_arena),
        cmocka_unit_test_teardown(test_gradients_are_finite_differences, release_arena),
    };
    arena = fixture_arena();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
