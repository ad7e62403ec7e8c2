/* The fifteen relationships: which one applies, against a table of predicates, and the examples of the table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/relationships.h"

static const char *const operation_names[] = {"CP_TRACED_NOTHING", "CP_TRACED_CONVOLUTION", "CP_TRACED_POOLING",
                                              "CP_TRACED_TRANSPOSED", "CP_TRACED_UNPOOLING"};

static void print_axis(const struct cp_axis_trace *axis)
{
    const struct cp_window *window = &axis->window;
    fprintf(stderr,
            "  {.window = {%lld, %lld, %lld, %lld, %lld, %d}, .input = %lld, .output = %lld, "
            ".output_padding = %lld}\n",
            (long long)window->kernel, (long long)window->stride, (long long)window->dilation,
            (long long)window->pad_begin, (long long)window->pad_end, (int)window->rounding, (long long)axis->input,
            (long long)axis->output, (long long)axis->output_padding);
}

/* ---- Which one applies ----------------------------------------------------------------------------------------------- */

struct letters {
    long k, s, d, p_b, p_e, a;
};

static bool no_padding_unit_strides(struct letters x)
{
    return x.d == 1 && x.s == 1 && x.p_b == 0 && x.p_e == 0;
}

static bool half_padding_unit_strides(struct letters x)
{
    return x.d == 1 && x.s == 1 && x.k % 2 == 1 && x.p_b == x.k / 2 && x.p_e == x.k / 2;
}

static bool full_padding_unit_strides(struct letters x)
{
    return x.d == 1 && x.s == 1 && x.p_b == x.k - 1 && x.p_e == x.k - 1;
}

static bool unit_strides(struct letters x)
{
    return x.d == 1 && x.s == 1;
}

static bool no_padding(struct letters x)
{
    return x.d == 1 && x.p_b == 0 && x.p_e == 0;
}

static bool not_dilated(struct letters x)
{
    return x.d == 1;
}

static bool any(struct letters x)
{
    return x.k > 0;
}

static bool transposed_no_padding_unit_strides(struct letters x)
{
    return x.a == 0 && no_padding_unit_strides(x);
}

static bool transposed_half_padding(struct letters x)
{
    return x.a == 0 && half_padding_unit_strides(x);
}

static bool transposed_full_padding(struct letters x)
{
    return x.a == 0 && full_padding_unit_strides(x);
}

static bool transposed_unit_strides(struct letters x)
{
    return x.a == 0 && unit_strides(x) && x.p_b == x.p_e;
}

static bool transposed_no_padding(struct letters x)
{
    return x.a == 0 && no_padding(x);
}

static bool transposed_symmetric(struct letters x)
{
    return x.a == 0 && not_dilated(x) && x.p_b == x.p_e;
}

static const struct {
    int number;
    bool (*holds)(struct letters x);
} orders[][7] = {
    [CP_TRACED_CONVOLUTION] = {{1, no_padding_unit_strides},
                               {3, half_padding_unit_strides},
                               {4, full_padding_unit_strides},
                               {2, unit_strides},
                               {5, no_padding},
                               {6, not_dilated},
                               {15, any}},
    [CP_TRACED_POOLING] = {{7, no_padding}, {6, not_dilated}, {15, any}},
    [CP_TRACED_TRANSPOSED] = {{8, transposed_no_padding_unit_strides},
                              {10, transposed_half_padding},
                              {11, transposed_full_padding},
                              {9, transposed_unit_strides},
                              {12, transposed_no_padding},
                              {13, transposed_symmetric},
                              {14, any}},
    [CP_TRACED_UNPOOLING] = {{0, any}},
};

static int expected_relationship(enum cp_traced operation, const struct cp_axis_trace *axes, int count)
{
    for (int axis = 0; axis < count; axis++)
        if (operation == CP_TRACED_POOLING && axes[axis].window.rounding == CP_ROUND_CEIL) return 0;
    for (int entry = 0; entry < 7 && orders[operation][entry].holds; entry++) {
        bool everywhere = true;
        for (int axis = 0; axis < count; axis++) {
            const struct cp_window *window = &axes[axis].window;
            everywhere = everywhere && orders[operation][entry].holds((struct letters){
                                           window->kernel, window->stride, window->dilation, window->pad_begin,
                                           window->pad_end, axes[axis].output_padding});
        }
        if (everywhere) return orders[operation][entry].number;
    }
    return 0;
}

static int seen[CP_RELATIONSHIP_COUNT + 1];

static void check_relationship(enum cp_traced operation, const struct cp_axis_trace *axes, int count)
{
    int expected = expected_relationship(operation, axes, count);
    int got = cp_relationship_of(operation, axes, count);
    seen[got]++;
    if (got == expected) return;
    fprintf(stderr, "%s: got %d, expected %d\n", operation_names[operation], got, expected);
    for (int axis = 0; axis < count; axis++) print_axis(&axes[axis]);
    fail();
}

static void every_small_combination(void **state)
{
    struct cp_axis_trace axis = {.input = 40};
    struct cp_window *window = &axis.window;
    (void)state;
    for (int operation = CP_TRACED_CONVOLUTION; operation <= CP_TRACED_UNPOOLING; operation++)
        for (window->kernel = 1; window->kernel <= 5; window->kernel++)
            for (window->stride = 1; window->stride <= 3; window->stride++)
                for (window->dilation = 1; window->dilation <= 2; window->dilation++)
                    for (window->pad_begin = -1; window->pad_begin <= 5; window->pad_begin++)
                        for (window->pad_end = -1; window->pad_end <= 5; window->pad_end++)
                            for (int rest = 0; rest < 6; rest++) {
                                axis.output_padding = rest / 2;
                                window->rounding = rest % 2 ? CP_ROUND_CEIL : CP_ROUND_FLOOR;
                                check_relationship((enum cp_traced)operation, &axis, 1);
                            }
    for (int number = 0; number <= CP_RELATIONSHIP_COUNT; number++) assert_true(seen[number] > 0);
}

/* One of 256 axes: digits of `index` are the parameters. */
static struct cp_axis_trace axis_by_index(int index)
{
    int pad_begin = index / 8 % 4;
    return (struct cp_axis_trace){.window = {.kernel = 1 + index % 4,
                                             .stride = 1 + index / 4 % 2,
                                             .dilation = 1 + index / 32 % 2,
                                             .pad_begin = pad_begin,
                                             .pad_end = pad_begin + index / 64 % 2},
                                  .input = 40,
                                  .output_padding = index / 128};
}

static void every_pair_of_axes(void **state)
{
    (void)state;
    for (int one = 0; one < 256; one++)
        for (int other = 0; other < 256; other++) {
            struct cp_axis_trace axes[] = {axis_by_index(one), axis_by_index(other)};
            for (int operation = CP_TRACED_CONVOLUTION; operation <= CP_TRACED_TRANSPOSED; operation++)
                check_relationship((enum cp_traced)operation, axes, 2);
            axes[1].window.rounding = CP_ROUND_CEIL;
            check_relationship(CP_TRACED_POOLING, axes, 2);
        }
}

static void layers_without_a_relationship(void **state)
{
    struct cp_axis_trace axis = {.window = {3, 2, 1, 0, 0, CP_ROUND_FLOOR}, .input = 7, .output = 3};
    (void)state;
    assert_int_equal(cp_relationship_of(CP_TRACED_NOTHING, NULL, 0), 0);
    assert_int_equal(cp_relationship_of(CP_TRACED_NOTHING, &axis, 1), 0);
    assert_int_equal(cp_relationship_of(CP_TRACED_UNPOOLING, &axis, 1), 0);
}

/* ---- The table ------------------------------------------------------------------------------------------------------- */

static void examples_hold(void **state)
{
    (void)state;
    for (int entry = 0; entry < CP_RELATIONSHIP_COUNT; entry++) {
        const struct cp_relationship *row = &cp_relationships[entry];
        const struct cp_relationship_example *example = &row->example;
        struct cp_axis_trace axis = {.window = {example->kernel, example->stride, example->dilation, example->padding,
                                                example->padding, CP_ROUND_FLOOR},
                                     .input = example->input,
                                     .output_padding = example->output_padding};
        bool transposed = example->operation == CP_TRACED_TRANSPOSED;
        int64_t output = 0;
        enum cp_window_status status =
            transposed ? cp_transposed_output(&axis.window, axis.output_padding, axis.input, &output)
                       : cp_window_output(&axis.window, axis.input, &output);
        assert_int_equal(row->number, entry + 1);
        assert_int_equal(status, CP_WINDOW_OK);
        assert_int_equal(output, example->output);
        assert_int_equal(cp_relationship_of(example->operation, &axis, 1), row->number);
        assert_string_equal(example->figure, transposed                                ? "conv_transpose"
                                             : example->operation == CP_TRACED_POOLING ? "pool"
                                                                                       : "conv");
        assert_string_equal(row->applies_to, transposed                                ? "transposed convolution"
                                             : example->operation == CP_TRACED_POOLING ? "pooling"
                                                                                       : "convolution");
        assert_true((row->equivalent != NULL) == transposed);
        assert_non_null(strstr(row->formula, row->expression));
        assert_true(row->title[0] && row->conditions[0]);
        assert_ptr_equal(cp_relationship_find(row->number), row);
    }
    assert_null(cp_relationship_find(0));
    assert_null(cp_relationship_find(16));
    assert_null(cp_relationship_find(-1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_small_combination),
        cmocka_unit_test(every_pair_of_axes),
        cmocka_unit_test(layers_without_a_relationship),
        cmocka_unit_test(examples_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
