/* The reference convolutions on numbers that can be checked by hand, at the edges of their types, and refusing what
 * makes no sense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/reference/emulation.h"
#include "core/reference/matrix.h"
#include "tests/reference_fixture.h"
#include "tests/under_valgrind.h"

static struct cp_arena arena;

static int release_arena(void **state)
{
    (void)state;
    fixture_release(&arena);
    return 0;
}

static struct cp_window window(int64_t kernel, int64_t stride, int64_t padding)
{
    return (struct cp_window){kernel, stride, 1, padding, padding, CP_ROUND_FLOOR};
}

/* A two-dimensional question with one channel and a square kernel. */
static struct cp_reference question(enum cp_operation_kind kind, struct cp_window square, const struct cp_tensor *input,
                                    const struct cp_tensor *weight)
{
    return (struct cp_reference){
        .operation = {.kind = kind, .axes = 2, .window = {square, square}, .groups = 1, .out_channels = 1},
        .element = input->element,
        .input_shape = input->shape,
        .input = input,
        .weight = weight};
}

static void expect_values(const struct cp_tensor *result, const double *expected, int64_t count, const char *name)
{
    if (cp_tensor_count(result) != count) fail_msg("%s: %" PRId64 " values", name, cp_tensor_count(result));
    for (int64_t i = 0; i < count; i++) {
        double got = result->element == CP_INT64 ? (double)((int64_t *)result->data)[i] : ((double *)result->data)[i];
        if (got != expected[i]) fail_msg("%s: value %" PRId64 " is %g, not %g", name, i, got, expected[i]);
    }
}

/* ---- The guide's numbers ----------------------------------------------------------------------------------------- */

static double kernel_values[] = {0, 1, 2, 2, 2, 0, 0, 1, 2};
static double input_values[] = {3, 3, 2, 1, 0, 0, 0, 1, 3, 1, 3, 1, 2, 2, 3, 2, 0, 0, 2, 2, 2, 0, 0, 0, 1};
static const struct cp_tensor kernel = {{4, {1, 1, 3, 3}}, CP_FLOAT64, kernel_values};
static const struct cp_tensor guide_input = {{4, {1, 1, 5, 5}}, CP_FLOAT64, input_values};

static void test_worked_numbers(void **state)
{
    static const struct {
        const char *name;
        int64_t stride, padding;
        double expected[9];
    } rows[] = {
        {"s = 1, p = 0", 1, 0, {12, 12, 17, 10, 17, 19, 9, 6, 14}},
        {"s = 2, p = 1", 2, 1, {6, 17, 3, 8, 17, 13, 6, 4, 4}},
    };
    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        for (int method = CP_DIRECT; method <= CP_MATRIX; method++) {
            struct cp_reference reference =
                question(CP_CONVOLUTION, window(3, rows[row].stride, rows[row].padding), &guide_input, &kernel);
            struct cp_tensor result;
            reference.method = (enum cp_method)method;
            assert_int_equal(cp_reference_compute(&reference, &arena, &result).code, CP_REFERENCE_OK);
            expect_values(&result, rows[row].expected, 9, rows[row].name);
        }
    }
}

/* K = [w00 … w22] numbered 1 … 9, so that each place of C says which weight stands there. */
static void test_matrix_of_the_guide(void **state)
{
    static const double expected[4 * 16] = {
        1, 2, 3, 0, 4, 5, 6, 0, 7, 8, 9, 0, 0, 0, 0, 0, 0, 1, 2, 3, 0, 4, 5, 6, 0, 7, 8, 9, 0, 0, 0, 0,
        0, 0, 0, 0, 1, 2, 3, 0, 4, 5, 6, 0, 7, 8, 9, 0, 0, 0, 0, 0, 0, 1, 2, 3, 0, 4, 5, 6, 0, 7, 8, 9,
    };
    double numbered[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    struct cp_tensor weight = {{4, {1, 1, 3, 3}}, CP_FLOAT64, numbered};
    struct cp_tensor input = {{4, {1, 1, 4, 4}}, CP_FLOAT64, NULL};
    struct cp_reference reference = question(CP_CONVOLUTION, window(3, 1, 0), &input, &weight);
    struct cp_shape output, result;
    struct cp_reference_cost cost;
    (void)state;
    assert_int_equal(cp_reference_check(&reference, &output, &result).code, CP_REFERENCE_OK);
    struct cp_frame frame = cp_frame_of(&reference, &output);
    struct cp_matrix matrix = cp_matrix_build(&frame, &arena);
    assert_int_equal(matrix.rows, 4);
    assert_int_equal(matrix.columns, 16);
    assert_int_equal(matrix.entry_count, 36);
    struct cp_tensor dense = cp_matrix_dense(&matrix, &weight, &arena);
    expect_values(&dense, expected, 64, "C");
    reference.method = CP_MATRIX;
    assert_true(cp_reference_cost(&reference, &cost));
    assert_int_equal(cost.multiplications, 64);
    assert_int_equal(cost.multiplications_by_zero, 28);
}

/* A stride-2 example with output_padding: every method, and the pictures on the way. */
static void test_transposed_by_every_method(void **state)
{
    static const double expected[] = {2.5, 4.5, 4.5, 0.5, 4.5, 8.5, 6.5, 12.5, 6.5, 8.5, 8.5, 0.5, 3.5, 6.5, 4.5, 8.5};
    static const double stretched[] = {1, 0, 2, 0, 0, 0, 3, 0, 4};
    static const double padded[] = {0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0,
                                    0, 3, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    static const double flipped[] = {2, 1, 0, 0, 2, 2, 2, 1, 0};
    double values[] = {1, 2, 3, 4}, half = 0.5;
    struct cp_tensor input = {{4, {1, 1, 2, 2}}, CP_FLOAT64, values}, bias = {{1, {1}}, CP_FLOAT64, &half};
    struct cp_reference reference = question(CP_TRANSPOSED_CONVOLUTION, window(3, 2, 1), &input, &kernel);
    struct cp_shape output, shape;
    (void)state;
    reference.operation.output_padding[0] = reference.operation.output_padding[1] = 1;
    reference.bias = &bias;
    for (int method = 0; method < CP_METHOD_COUNT; method++) {
        struct cp_tensor result;
        reference.method = (enum cp_method)method;
        assert_int_equal(cp_reference_compute(&reference, &arena, &result).code, CP_REFERENCE_OK);
        expect_values(&result, expected, 16, "transposed");
    }
    assert_int_equal(cp_reference_check(&reference, &output, &shape).code, CP_REFERENCE_OK);
    struct cp_frame frame = cp_frame_of(&reference, &output);
    struct cp_tensor picture = cp_stretched(&frame, 2, &input, &arena);
    expect_values(&picture, stretched, 9, "stretched");
    picture = cp_stretched_padded(&frame, 2, &input, &arena);
    expect_values(&picture, padded, 36, "padded");
    picture = cp_flipped_kernel(&frame, 2, &kernel, &arena);
    expect_values(&picture, flipped, 9, "flipped");
}

/* A transposed convolution with p > k̂ − 1, whose p′ is negative: the emulation crops. */
static void test_negative_padding_crops(void **state)
{
    double values[] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, expected[] = {2 * 5}, two = 2;
    struct cp_tensor input = {{4, {1, 1, 3, 3}}, CP_FLOAT64, values}, weight = {{4, {1, 1, 1, 1}}, CP_FLOAT64, &two};
    struct cp_reference reference = question(CP_TRANSPOSED_CONVOLUTION, window(1, 1, 1), &input, &weight);
    (void)state;
    for (int method = 0; method < CP_METHOD_COUNT; method++) {
        struct cp_tensor result;
        reference.method = (enum cp_method)method;
        assert_int_equal(cp_reference_compute(&reference, &arena, &result).code, CP_REFERENCE_OK);
        expect_values(&result, expected, 1, "cropped");
    }
}

/* ---- Order, zeros, NaN ------------------------------------------------------------------------------------------- */

/* What one output of a 1-D convolution is, byte by byte: each row fails if a term is left out, added or moved. */
static void test_terms_of_one_output(void **state)
{
    static const struct {
        const char *name;
        enum cp_operation_kind kind;
        int64_t stride, padding;
        double x[2], w[2], bias, expected;
        int64_t element;
    } rows[] = {
        {"order: (big + small) − big", CP_CONVOLUTION, 1, 0, {1e16, 1}, {1, 1}, -1e16, 1, 0},
        {"bias is first: fma(1, −b, b + 1) rounds", CP_CONVOLUTION, 1, 0, {1, -1e16}, {1, 1}, 1e16, 0, 0},
        {"an infinite weight on padding gives NaN", CP_CONVOLUTION, 1, 1, {1, 1}, {INFINITY, 1}, 0, NAN, 0},
        {"−0 bias, padding times a positive weight: +0", CP_CONVOLUTION, 1, 1, {-0.0, 0}, {1, 1}, -0.0, 0.0, 0},
        {"−0 bias, padding times a negative weight: −0", CP_CONVOLUTION, 1, 1, {-0.0, 0}, {-1, 1}, -0.0, -0.0, 0},
        {"the product is not rounded",
         CP_CONVOLUTION,
         1,
         0,
         {0x1.0000001p0, 0},
         {0x1.0000001p0, 0},
         -0x1.0000002p0,
         0x1p-56,
         0},
        {"transposed: a stretched zero is no term", CP_TRANSPOSED_CONVOLUTION, 2, 0, {3, 0}, {2, INFINITY}, 0, 6, 0},
        {"transposed: padding is a term", CP_TRANSPOSED_CONVOLUTION, 1, 0, {3, 0}, {2, INFINITY}, 0, NAN, 0},
        {"transposed: −0 stays without terms", CP_TRANSPOSED_CONVOLUTION, 3, 0, {3, 0}, {2, 1}, -0.0, -0.0, 2},
    };
    (void)state;
    if (cp_under_valgrind()) skip();
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        double x[2] = {rows[row].x[0], rows[row].x[1]}, w[2] = {rows[row].w[0], rows[row].w[1]}, b = rows[row].bias;
        struct cp_tensor input = {{3, {1, 1, 2}}, CP_FLOAT64, x}, weight = {{3, {1, 1, 2}}, CP_FLOAT64, w};
        struct cp_tensor bias = {{1, {1}}, CP_FLOAT64, &b}, result;
        struct cp_reference reference =
            question(rows[row].kind, window(2, rows[row].stride, rows[row].padding), &input, &weight);
        reference.operation.axes = 1;
        reference.operation.output_padding[0] = rows[row].stride == 3 ? 1 : 0;
        reference.bias = &bias;
        for (int set = 0; set < CP_INSTRUCTION_SET_COUNT; set++) {
            reference.instructions = (enum cp_instruction_set)set;
            if (!cp_instructions_available(reference.instructions)) continue;
            assert_int_equal(cp_reference_compute(&reference, &arena, &result).code, CP_REFERENCE_OK);
            double got = ((double *)result.data)[rows[row].element], expected = rows[row].expected;
            if (memcmp(&got, &expected, sizeof got) != 0)
                fail_msg("%s, %s: %a, not %a", rows[row].name, cp_instructions_name(reference.instructions), got,
                         expected);
        }
    }
}

/* Sums of thousands of terms, which the kernel cuts into stretches, over rows that do not fill its tiles; and few terms
 * of many sums. */
static void test_large_sums_bit_for_bit(void **state)
{
    static const struct {
        const char *name;
        enum cp_direction direction;
        int64_t batch, channels, out_channels, height, width, kernel, stride;
    } rows[] = {
        {"many channels", CP_FORWARD, 1, 75, 13, 6, 19, 3, 1},
        {"a large kernel", CP_FORWARD, 2, 2, 3, 30, 31, 17, 2},
        {"backward, many channels", CP_BACKWARD_INPUT, 1, 6, 90, 9, 17, 3, 2},
        {"weights over many positions", CP_BACKWARD_WEIGHT, 3, 9, 5, 21, 23, 2, 1},
        {"backward, results two apart", CP_BACKWARD_INPUT, 1, 11, 5, 33, 35, 3, 2},
        {"backward, results three apart", CP_BACKWARD_INPUT, 2, 9, 4, 31, 52, 4, 3},
        {"few terms, many rows and strips", CP_FORWARD, 1, 1, 21, 40, 41, 3, 1},
        {"one row of very many strips", CP_FORWARD, 2, 1, 1, 130, 57, 3, 1},
    };
    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        uint64_t seed = row + 1;
        struct cp_window square = window(rows[row].kernel, rows[row].stride, 1);
        struct random_case test = {.reference = {.operation = {.axes = 2,
                                                               .window = {square, square},
                                                               .groups = 1,
                                                               .out_channels = rows[row].out_channels},
                                                 .direction = rows[row].direction}};
        struct cp_shape input = {4, {rows[row].batch, rows[row].channels, rows[row].height, rows[row].width}};
        struct cp_shape weight = {4, {rows[row].out_channels, rows[row].channels, rows[row].kernel, rows[row].kernel}};
        test.output = (struct cp_shape){4, {rows[row].batch, rows[row].out_channels}};
        for (int axis = 0; axis < 2; axis++)
            assert_int_equal(cp_window_output(&square, input.size[2 + axis], &test.output.size[2 + axis]),
                             CP_WINDOW_OK);
        test.input = random_tensor(&input, CP_FLOAT64, FILL_PLAIN, &seed, &arena);
        test.weight = random_tensor(&weight, CP_FLOAT64, FILL_PLAIN, &seed, &arena);
        test.output_gradient = random_tensor(&test.output, CP_FLOAT64, FILL_PLAIN, &seed, &arena);
        test.result = test.reference.direction == CP_FORWARD          ? test.output
                      : test.reference.direction == CP_BACKWARD_INPUT ? input
                                                                      : weight;
        test.reference.input_shape = input;
        test.reference.input = &test.input;
        test.reference.weight = &test.weight;
        test.reference.output_gradient = &test.output_gradient;
        for (int set = 0; set < CP_INSTRUCTION_SET_COUNT; set++) {
            struct cp_tensor result;
            test.reference.instructions = (enum cp_instruction_set)set;
            if (!cp_instructions_available(test.reference.instructions)) continue;
            assert_int_equal(cp_reference_compute(&test.reference, &arena, &result).code, CP_REFERENCE_OK);
            for (int64_t i = 0; i < cp_tensor_count(&result); i += 3)
                if (((double *)result.data)[i] != brute_force(&test, i).real)
                    fail_msg("%s, %s: element %" PRId64, rows[row].name,
                             cp_instructions_name(test.reference.instructions), i);
        }
    }
}

/* ---- int64 ------------------------------------------------------------------------------------------------------- */

static void test_int64_is_exact_or_refused(void **state)
{
    static const struct {
        const char *name;
        int64_t x[3], w[2], bias;
        enum cp_reference_code code;
        int64_t position; /* of the overflow, or the first value when none */
    } rows[] = {
        {"largest", {INT64_MAX, 0, 0}, {1, 0}, 0, CP_REFERENCE_OK, INT64_MAX},
        {"one more", {0, INT64_MAX, 0}, {1, 0}, 1, CP_REFERENCE_OVERFLOW, 1},
        {"smallest", {INT64_MIN, 0, 0}, {1, 0}, 0, CP_REFERENCE_OK, INT64_MIN},
        {"negated smallest", {INT64_MIN, 0, 0}, {-1, 0}, 0, CP_REFERENCE_OVERFLOW, 0},
        {"over and back", {INT64_MAX, INT64_MAX, INT64_MAX}, {5, -4}, 0, CP_REFERENCE_OK, INT64_MAX},
        {"squares of extremes cancel",
         {INT64_MIN, INT64_MIN, INT64_MIN},
         {INT64_MAX, -INT64_MAX},
         7,
         CP_REFERENCE_OK,
         7},
        {"a product past 128 bits' half",
         {INT64_MIN, INT64_MIN, 0},
         {INT64_MIN, INT64_MIN},
         0,
         CP_REFERENCE_OVERFLOW,
         0},
    };
    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        for (int method = CP_DIRECT; method <= CP_MATRIX; method++) {
            int64_t x[3], w[2], b = rows[row].bias;
            memcpy(x, rows[row].x, sizeof x);
            memcpy(w, rows[row].w, sizeof w);
            struct cp_tensor input = {{3, {1, 1, 3}}, CP_INT64, x}, weight = {{3, {1, 1, 2}}, CP_INT64, w};
            struct cp_tensor bias = {{1, {1}}, CP_INT64, &b}, result = {0};
            struct cp_reference reference = question(CP_CONVOLUTION, window(2, 1, 0), &input, &weight);
            reference.operation.axes = 1;
            reference.bias = &bias;
            reference.method = (enum cp_method)method;
            struct cp_reference_status status = cp_reference_compute(&reference, &arena, &result);
            if (status.code != rows[row].code) fail_msg("%s: code %d", rows[row].name, status.code);
            int64_t got = status.code == CP_REFERENCE_OK ? *(int64_t *)result.data : status.position.size[2];
            if (got != rows[row].position) fail_msg("%s: %" PRId64, rows[row].name, got);
        }
    }
}

/* ---- Refusals ---------------------------------------------------------------------------------------------------- */

static void test_what_is_refused(void **state)
{
    struct cp_tensor input = {{4, {1, 4, 5, 5}}, CP_FLOAT64, NULL}, weight = {{4, {6, 2, 3, 3}}, CP_FLOAT64, NULL};
    struct cp_tensor bias = {{1, {6}}, CP_FLOAT64, NULL}, integers = {{4, {6, 2, 3, 3}}, CP_INT64, NULL};
    struct cp_tensor thick = {{4, {6, 4, 3, 3}}, CP_FLOAT64, NULL}, flat = {{2, {6, 2}}, CP_FLOAT64, NULL};
    struct cp_tensor short_bias = {{1, {5}}, CP_FLOAT64, NULL};
    struct cp_reference good = question(CP_CONVOLUTION, window(3, 1, 0), &input, &weight);
    good.operation.groups = 2;
    good.operation.out_channels = 6;
    good.bias = &bias;
    struct cp_shape output, result;
    (void)state;
    assert_int_equal(cp_reference_check(&good, &output, &result).code, CP_REFERENCE_OK);

#define REFUSED(change, want, where, at, got_, expected_)                                                              \
    do {                                                                                                               \
        struct cp_reference bad = good;                                                                                \
        change;                                                                                                        \
        struct cp_reference_status status = cp_reference_check(&bad, &output, &result);                                \
        if (status.code != (want) || status.operand != (where) || status.axis != (at) || status.got != (got_) ||       \
            status.expected != (expected_))                                                                            \
            fail_msg(#change ": code %d, operand %d, axis %d, got %" PRId64 ", expected %" PRId64, status.code,        \
                     status.operand, status.axis, status.got, status.expected);                                        \
    } while (0)

    REFUSED(bad.operation.axes = 3, CP_REFERENCE_RANK, CP_OPERAND_INPUT, -1, 4, 5);
    REFUSED(bad.weight = &flat, CP_REFERENCE_RANK, CP_OPERAND_WEIGHT, -1, 2, 4);
    REFUSED(bad.weight = &thick, CP_REFERENCE_SIZE, CP_OPERAND_WEIGHT, 1, 4, 2);
    REFUSED(bad.weight = &integers, CP_REFERENCE_ELEMENT, CP_OPERAND_WEIGHT, -1, CP_INT64, CP_FLOAT64);
    REFUSED(bad.weight = NULL, CP_REFERENCE_MISSING, CP_OPERAND_WEIGHT, -1, 0, 0);
    REFUSED(bad.input = NULL, CP_REFERENCE_MISSING, CP_OPERAND_INPUT, -1, 0, 0);
    REFUSED(bad.bias = &short_bias, CP_REFERENCE_SIZE, CP_OPERAND_BIAS, 0, 5, 6);
    REFUSED(bad.direction = CP_BACKWARD_INPUT, CP_REFERENCE_MISSING, CP_OPERAND_OUTPUT_GRADIENT, -1, 0, 0);
    REFUSED(bad.operation.groups = 3, CP_REFERENCE_GROUPS, CP_OPERAND_INPUT, -1, 4, 3);
    REFUSED(bad.operation.out_channels = 7, CP_REFERENCE_GROUPS, CP_OPERAND_WEIGHT, -1, 7, 2);
    REFUSED(bad.operation.window[1].kernel = 6, CP_REFERENCE_TOO_LARGE, CP_OPERAND_INPUT, 1, 5, 0);
    REFUSED(bad.operation.window[0].pad_end = CP_MAX_COUNT, CP_REFERENCE_COUNT, CP_OPERAND_INPUT, 0, 5, CP_MAX_COUNT);
    REFUSED(bad.method = CP_EMULATED, CP_REFERENCE_METHOD, CP_OPERAND_NONE, -1, 0, 0);
    REFUSED(bad.operation.kind = CP_TRANSPOSED_CONVOLUTION;
            bad.operation.output_padding[1] = 1, CP_REFERENCE_OUTPUT_PADDING, CP_OPERAND_NONE, 1, 1, 1);
    REFUSED(bad.operation.kind = CP_TRANSPOSED_CONVOLUTION;
            bad.operation.window[0].pad_end = 7, CP_REFERENCE_EMPTY, CP_OPERAND_INPUT, 0, 5, 0);
    REFUSED(bad.operation.kind = CP_MAX_POOL;
            bad.direction = CP_BACKWARD_WEIGHT, CP_REFERENCE_DIRECTION, CP_OPERAND_NONE, -1, 0, 0);
    REFUSED(bad.operation.kind = CP_LP_POOL, CP_REFERENCE_NORM, CP_OPERAND_NONE, -1, 0, 0);
#undef REFUSED
}

static void test_huge_questions_are_priced_not_computed(void **state)
{
    int64_t side = 1 << 20;
    struct cp_tensor input = {{4, {1, 1, side, side}}, CP_FLOAT64, NULL};
    struct cp_tensor weight = {{4, {500, 1, 3, 3}}, CP_FLOAT64, NULL};
    struct cp_reference reference = question(CP_CONVOLUTION, window(3, 1, 1), &input, &weight);
    struct cp_reference_cost cost;
    (void)state;
    reference.operation.out_channels = 500;
    assert_true(cp_reference_cost(&reference, &cost));
    assert_true(cost.macs == side * side * 4500);
    assert_true(cost.multiplications_by_zero == (side * side * 9 - (3 * side - 2) * (3 * side - 2)) * 500);
    assert_true(cost.scratch_bytes > 8 * (side + 2) * (side + 2));
    input.shape.size[0] = reference.input_shape.size[0] = 1000;
    assert_false(cp_reference_cost(&reference, &cost));
}

static bool stop_after(void *context)
{
    int *polls = context;
    return --*polls < 0;
}

/* Wherever it is stopped, the status says so, and the result is not touched. */
static void test_can_be_stopped_anywhere(void **state)
{
    uint64_t seed = 5;
    struct cp_shape shape = {4, {2, 3, 12, 12}}, weight_shape = {4, {3, 3, 3, 3}};
    (void)state;
    for (int element = 0; element < 3; element++) {
        struct cp_tensor input = random_tensor(&shape, (enum cp_element)element, FILL_PLAIN, &seed, &arena);
        struct cp_tensor weight = random_tensor(&weight_shape, (enum cp_element)element, FILL_PLAIN, &seed, &arena);
        struct cp_reference reference = question(CP_TRANSPOSED_CONVOLUTION, window(3, 2, 1), &input, &weight);
        reference.operation.out_channels = 3;
        reference.stop = stop_after;
        for (int method = 0; method < CP_METHOD_COUNT; method++) {
            int allowed = -1, polls;
            enum cp_reference_code code;
            reference.method = (enum cp_method)method;
            reference.stop_context = &polls;
            do {
                struct cp_tensor result = {0};
                polls = ++allowed;
                code = cp_reference_compute(&reference, &arena, &result).code;
                assert_true(code == CP_REFERENCE_STOPPED ? !result.data : result.data != NULL);
            } while (code == CP_REFERENCE_STOPPED);
            assert_int_equal(code, CP_REFERENCE_OK);
            assert_true(allowed > 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_worked_numbers, release_arena),
        cmocka_unit_test_teardown(test_matrix_of_the_guide, release_arena),
        cmocka_unit_test_teardown(test_transposed_by_every_method, release_arena),
        cmocka_unit_test_teardown(test_negative_padding_crops, release_arena),
        cmocka_unit_test_teardown(test_terms_of_one_output, release_arena),
        cmocka_unit_test_teardown(test_large_sums_bit_for_bit, release_arena),
        cmocka_unit_test_teardown(test_int64_is_exact_or_refused, release_arena),
        cmocka_unit_test_teardown(test_what_is_refused, release_arena),
        cmocka_unit_test_teardown(test_huge_questions_are_priced_not_computed, release_arena),
        cmocka_unit_test_teardown(test_can_be_stopped_anywhere, release_arena),
    };
    arena = fixture_arena();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
