/* Random convolutions of every kind against the brute force of their definition: bit for bit in binary64, for every
 * instruction set and direction; rounded once in binary32; exactly in int64, by every method. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/reference_fixture.h"

enum { ROUNDS = 150 };

static double canonical(double value)
{
    return isnan(value) ? (double)NAN : value;
}

static bool same_bytes(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static void fail_at(const struct random_case *test, uint64_t seed, int64_t index, const char *what)
{
    print_case(&test->reference);
    fail_msg("%s differs at element %" PRId64 " (seed %" PRIu64 ")", what, index, seed);
}

static struct cp_tensor compute(const struct random_case *test, uint64_t seed, struct cp_arena *arena)
{
    struct cp_tensor result = {0};
    struct cp_reference_status status = cp_reference_compute(&test->reference, arena, &result);
    if (status.code != CP_REFERENCE_OK) fail_at(test, seed, status.code, "status");
    if (!cp_shape_equal(&result.shape, &test->result)) fail_at(test, seed, -1, "shape");
    return result;
}

static struct sum *expectations(const struct random_case *test, struct cp_arena *arena)
{
    int64_t count = cp_tensor_count(&(struct cp_tensor){.shape = test->result});
    struct sum *expected = cp_arena_zeroed(arena, (size_t)count, sizeof *expected, 16);
    for (int64_t i = 0; i < count; i++) expected[i] = brute_force(test, i);
    return expected;
}

static void compare_float64(struct random_case *test, uint64_t seed, struct cp_arena *arena)
{
    const struct sum *expected = expectations(test, arena);
    for (int set = 0; set < CP_INSTRUCTION_SET_COUNT; set++) {
        test->reference.instructions = (enum cp_instruction_set)set;
        if (!cp_instructions_available(test->reference.instructions)) continue;
        struct cp_tensor result = compute(test, seed, arena);
        for (int64_t i = 0; i < cp_tensor_count(&result); i++)
            if (!same_bytes(((double *)result.data)[i], canonical(expected[i].real)))
                fail_at(test, seed, i, cp_instructions_name(test->reference.instructions));
    }
}

/* Runs `check` on random cases of all directions; at least two thirds of the dice must have given one. */
static void each_case(enum cp_element element, void (*check)(struct random_case *, uint64_t, struct cp_arena *))
{
    struct cp_arena arena = fixture_arena();
    int done = 0;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        uint64_t state = seed * 2654435761u;
        struct random_case test;
        enum fill fill = seed % 3 == 0 ? FILL_SPECIAL : FILL_PLAIN;
        if (random_case(&test, (enum cp_direction)(seed / 3 % 3), element, fill, &state, &arena)) {
            check(&test, seed, &arena);
            done++;
        }
        fixture_release(&arena);
    }
    assert_true(done > ROUNDS * 2 / 3);
}

static void test_every_instruction_set_bit_for_bit(void **state)
{
    (void)state;
    each_case(CP_FLOAT64, compare_float64);
}

static void compare_float32(struct random_case *test, uint64_t seed, struct cp_arena *arena)
{
    struct cp_tensor result = compute(test, seed, arena);
    for (int64_t i = 0; i < cp_tensor_count(&result); i++) {
        float expected = (float)canonical(brute_force(test, i).real);
        if (memcmp((float *)result.data + i, &expected, sizeof expected) != 0) fail_at(test, seed, i, "float32");
    }
}

static void test_float32_rounds_once(void **state)
{
    (void)state;
    each_case(CP_FLOAT32, compare_float32);
}

static void compare_int64(struct random_case *test, uint64_t seed, struct cp_arena *arena)
{
    const struct sum *expected = expectations(test, arena);
    for (int method = 0; method < CP_METHOD_COUNT; method++) {
        test->reference.method = (enum cp_method)method;
        if (!cp_method_applies(test->reference.method, &test->reference.operation, test->reference.direction)) continue;
        struct cp_tensor result = compute(test, seed, arena);
        for (int64_t i = 0; i < cp_tensor_count(&result); i++)
            if (((int64_t *)result.data)[i] != expected[i].whole) fail_at(test, seed, i, "int64");
    }
}

static void test_every_method_agrees_exactly_in_int64(void **state)
{
    (void)state;
    each_case(CP_INT64, compare_int64);
}

/* The other methods add in orders of their own: to rounding of the sum of magnitudes. */
static void compare_methods(struct random_case *test, uint64_t seed, struct cp_arena *arena)
{
    if (seed % 3 == 0) return; /* special values */
    const struct sum *expected = expectations(test, arena);
    for (int method = 1; method < CP_METHOD_COUNT; method++) {
        test->reference.method = (enum cp_method)method;
        if (!cp_method_applies(test->reference.method, &test->reference.operation, test->reference.direction)) continue;
        struct cp_tensor result = compute(test, seed, arena);
        for (int64_t i = 0; i < cp_tensor_count(&result); i++) {
            double terms = (double)(expected[i].terms + 1);
            double bound = 4096.0 * 4096.0 * terms * terms * 0x1p-52;
            if (!(fabs(((double *)result.data)[i] - expected[i].real) <= bound)) fail_at(test, seed, i, "method");
        }
    }
}

static void test_every_method_agrees_to_rounding_in_binary64(void **state)
{
    (void)state;
    each_case(CP_FLOAT64, compare_methods);
}

/* Multiplications are counted as the definition makes them, and the scratch is no more than foretold. */
static void compare_cost(struct random_case *test, uint64_t seed, struct cp_arena *arena)
{
    struct cp_reference_cost cost;
    assert_true(cp_reference_cost(&test->reference, &cost));
    int64_t terms = 0, zeros = 0;
    for (int64_t i = 0; i < cp_tensor_count(&(struct cp_tensor){.shape = test->result}); i++) {
        struct sum sum = brute_force(test, i);
        terms += sum.terms;
        zeros += sum.zero_terms;
    }
    if (cost.multiplications != terms || cost.multiplications_by_zero != zeros)
        fail_at(test, seed, cost.multiplications, "count of multiplications");
    for (int method = 0; method < CP_METHOD_COUNT; method++) {
        test->reference.method = (enum cp_method)method;
        if (!cp_method_applies(test->reference.method, &test->reference.operation, test->reference.direction)) continue;
        assert_true(cp_reference_cost(&test->reference, &cost));
        if (cost.multiplications - cost.multiplications_by_zero != terms - zeros)
            fail_at(test, seed, method, "count of real multiplications");
        size_t before = arena->taken;
        compute(test, seed, arena);
        if ((int64_t)(arena->taken - before) > cost.scratch_bytes + cost.result_bytes)
            fail_at(test, seed, (int64_t)(arena->taken - before), "scratch");
    }
}

static void test_cost_is_what_is_spent(void **state)
{
    (void)state;
    each_case(CP_FLOAT64, compare_cost);
    each_case(CP_INT64, compare_cost);
}

static int64_t dot(const struct cp_tensor *a, const struct cp_tensor *b)
{
    int64_t sum = 0;
    for (int64_t i = 0; i < cp_tensor_count(a); i++) sum += ((int64_t *)a->data)[i] * ((int64_t *)b->data)[i];
    return sum;
}

/* A convolution is linear, so a finite difference of ⟨output, gradient⟩ by one operand's element is the gradient there
 * without any error: in int64 exactly. */
static void compare_finite_difference(struct random_case *test, uint64_t seed, struct cp_arena *arena)
{
    struct random_case forward = *test;
    struct cp_tensor *operand = test->reference.direction == CP_BACKWARD_INPUT ? &test->input : &test->weight;
    uint64_t state = seed;
    if (test->reference.direction == CP_FORWARD) return;
    forward.reference.direction = CP_FORWARD;
    forward.reference.input = &test->input;
    forward.reference.weight = &test->weight;
    forward.reference.output_gradient = NULL;
    forward.result = test->output;
    struct cp_tensor gradient = compute(test, seed, arena);
    struct cp_tensor before = compute(&forward, seed, arena);
    for (int probe = 0; probe < 5; probe++) {
        int64_t element = random_between(&state, 0, cp_tensor_count(operand) - 1);
        ((int64_t *)operand->data)[element]++;
        struct cp_tensor after = compute(&forward, seed, arena);
        ((int64_t *)operand->data)[element]--;
        if (dot(&after, &test->output_gradient) - dot(&before, &test->output_gradient) !=
            ((int64_t *)gradient.data)[element])
            fail_at(test, seed, element, "gradient");
    }
}

static void test_gradients_are_finite_differences(void **state)
{
    (void)state;
    each_case(CP_INT64, compare_finite_difference);
}

/* f(3x − 2y) = 3f(x) − 2f(y) without bias. */
static void compare_linear(struct random_case *test, uint64_t seed, struct cp_arena *arena)
{
    uint64_t state = seed;
    struct random_case other = *test;
    if (test->reference.direction != CP_FORWARD) return;
    test->reference.bias = other.reference.bias = NULL;
    other.input = random_tensor(&test->input.shape, CP_INT64, FILL_PLAIN, &state, arena);
    other.reference.input = &other.input;
    struct cp_tensor x = compute(test, seed, arena), y = compute(&other, seed, arena);
    for (int64_t i = 0; i < cp_tensor_count(&test->input); i++) {
        int64_t *mixed = (int64_t *)other.input.data + i;
        *mixed = 3 * ((int64_t *)test->input.data)[i] - 2 * *mixed;
    }
    struct cp_tensor both = compute(&other, seed, arena);
    for (int64_t i = 0; i < cp_tensor_count(&both); i++)
        if (((int64_t *)both.data)[i] != 3 * ((int64_t *)x.data)[i] - 2 * ((int64_t *)y.data)[i])
            fail_at(test, seed, i, "linear combination");
}

static void test_convolutions_are_linear(void **state)
{
    (void)state;
    each_case(CP_INT64, compare_linear);
}

/* One stride more of padding at the begin of the last axis, and one less at its end, moves the output by one unit. */
static void compare_shifted(struct random_case *test, uint64_t seed, struct cp_arena *arena)
{
    struct random_case moved = *test;
    struct cp_window *window = &moved.reference.operation.window[test->reference.operation.axes - 1];
    if (test->reference.direction != CP_FORWARD || test->reference.operation.kind != CP_CONVOLUTION) return;
    moved.reference.input = &moved.input;
    moved.reference.weight = &moved.weight;
    if (moved.reference.bias) moved.reference.bias = &moved.bias;
    window->pad_begin += window->stride;
    window->pad_end -= window->stride;
    struct cp_tensor plain = compute(test, seed, arena), shifted = compute(&moved, seed, arena);
    int64_t width = plain.shape.size[plain.shape.rank - 1];
    for (int64_t i = 0; i < cp_tensor_count(&plain); i++)
        if (i % width != 0 && ((int64_t *)shifted.data)[i] != ((int64_t *)plain.data)[i - 1])
            fail_at(test, seed, i, "shifted output");
}

static void test_padding_shifts_the_output(void **state)
{
    (void)state;
    each_case(CP_INT64, compare_shifted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_instruction_set_bit_for_bit),
        cmocka_unit_test(test_float32_rounds_once),
        cmocka_unit_test(test_every_method_agrees_exactly_in_int64),
        cmocka_unit_test(test_every_method_agrees_to_rounding_in_binary64),
        cmocka_unit_test(test_cost_is_what_is_spent),
        cmocka_unit_test(test_gradients_are_finite_differences),
        cmocka_unit_test(test_convolutions_are_linear),
        cmocka_unit_test(test_padding_shifts_the_output),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
