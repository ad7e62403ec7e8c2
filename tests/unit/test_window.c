/* The window formulas against placing windows one by one, over every small case; and at the edges of the range. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/limits.h"
#include "core/window.h"

enum {
    MOST_INPUT = 40,
    MOST_KERNEL = 7,
    MOST_STRIDE = 5,
    MOST_DILATION = 3,
    MOST_PADDING = 4,
};

static const int64_t most = CP_MAX_COUNT;

static void print_case(const char *what, const struct cp_window *window, int64_t input, int64_t got, int64_t expected)
{
    fprintf(stderr, "%s: i = %lld, {%lld, %lld, %lld, %lld, %lld, %s}: got %lld, expected %lld\n", what,
            (long long)input, (long long)window->kernel, (long long)window->stride, (long long)window->dilation,
            (long long)window->pad_begin, (long long)window->pad_end,
            window->rounding == CP_ROUND_CEIL ? "CP_ROUND_CEIL" : "CP_ROUND_FLOOR", (long long)got,
            (long long)expected);
}

static void expect_number(const char *what, const struct cp_window *window, int64_t input, int64_t got,
                          int64_t expected)
{
    if (got == expected) return;
    print_case(what, window, input, got, expected);
    fail();
}

/* ---- Windows placed one by one --------------------------------------------------------------------------------------
 */

struct placement {
    int windows;
    int unseen_at_end; /* padded cells after the last one that a window touches */
};

/* Lay windows on a row of cells: begin padding, input, end padding. With ceiling the row is stride − 1 cells longer,
 * but a window must start on the input or before it. */
static struct placement place_windows(const struct cp_window *window, int input)
{
    bool ceiling = window->rounding == CP_ROUND_CEIL;
    int cells = (int)window->pad_begin + input + (int)window->pad_end;
    int room = ceiling ? cells + (int)window->stride - 1 : cells;
    bool touched[128] = {false};
    struct placement placement = {0, 0};
    for (int start = 0; start < room; start += (int)window->stride) {
        int last = start;
        for (int tap = 1; tap < window->kernel; tap++) last += (int)window->dilation;
        if (last >= room || (ceiling && start >= (int)window->pad_begin + input)) break;
        for (int tap = 0; tap < window->kernel; tap++) touched[start + tap * (int)window->dilation] = true;
        placement.windows++;
    }
    for (int cell = cells - 1; cell >= 0 && !touched[cell]; cell--) placement.unseen_at_end++;
    return placement;
}

/* Twice the padding is at most what the kernel spans: a pool. */
static bool is_pool(const struct cp_window *window)
{
    int64_t cells = 1;
    for (int tap = 1; tap < window->kernel; tap++) cells += window->dilation;
    return 2 * window->pad_begin <= cells && 2 * window->pad_end <= cells;
}

/* Every window of the ranges above, one after another; false after the last. Starts from all zero. */
static bool next_window(struct cp_window *window)
{
    if (window->kernel == 0) {
        *window = (struct cp_window){1, 1, 1, 0, 0, CP_ROUND_FLOOR};
        return true;
    }
    struct {
        int64_t *number;
        int64_t least, last;
    } wheels[] = {{&window->pad_end, 0, MOST_PADDING},
                  {&window->pad_begin, 0, MOST_PADDING},
                  {&window->dilation, 1, MOST_DILATION},
                  {&window->stride, 1, MOST_STRIDE},
                  {&window->kernel, 1, MOST_KERNEL}};
    for (size_t wheel = 0; wheel < sizeof wheels / sizeof wheels[0]; wheel++) {
        if (++*wheels[wheel].number <= wheels[wheel].last) return true;
        *wheels[wheel].number = wheels[wheel].least;
    }
    return false;
}

static void check_output(const struct cp_window *window, int input)
{
    struct placement placement = place_windows(window, input);
    int64_t output = -7;
    enum cp_window_status status = cp_window_output(window, input, &output);
    if (placement.windows == 0) {
        expect_number("status", window, input, status, CP_WINDOW_TOO_LARGE);
        expect_number("untouched output", window, input, output, -7);
        return;
    }
    expect_number("status", window, input, status, CP_WINDOW_OK);
    expect_number("output", window, input, output, placement.windows);
    if (window->rounding == CP_ROUND_FLOOR)
        expect_number("remainder", window, input, cp_window_remainder(window, input), placement.unseen_at_end);
}

static void every_small_window(void **state)
{
    struct cp_window window = {0};
    int pools = 0;
    (void)state;
    while (next_window(&window)) {
        for (int input = 1; input <= MOST_INPUT; input++) {
            window.rounding = CP_ROUND_FLOOR;
            check_output(&window, input);
            if (!is_pool(&window)) continue;
            window.rounding = CP_ROUND_CEIL;
            check_output(&window, input);
            pools++;
        }
        window.rounding = CP_ROUND_FLOOR;
    }
    assert_true(pools > 50000);
}

static void smallest_inputs(void **state)
{
    struct cp_window window = {0};
    (void)state;
    while (next_window(&window)) {
        for (int rounding = CP_ROUND_FLOOR; rounding <= CP_ROUND_CEIL; rounding++) {
            window.rounding = (enum cp_rounding)rounding;
            if (rounding == CP_ROUND_CEIL && !is_pool(&window)) continue;
            int input = 1;
            while (place_windows(&window, input).windows == 0) input++;
            expect_number("minimum input", &window, input, cp_window_minimum_input(&window), input);
        }
        window.rounding = CP_ROUND_FLOOR;
    }
}

/* ---- SAME -----------------------------------------------------------------------------------------------------------
 */

/* The least padding in all that gives one window per started stride. */
static int least_padding(struct cp_window window, int input)
{
    int windows = 0;
    for (int cell = 0; cell < input; cell += (int)window.stride) windows++;
    window.pad_begin = window.pad_end = 0;
    while (place_windows(&window, input).windows != windows) window.pad_end++;
    return (int)window.pad_end;
}

static void same_padding(void **state)
{
    (void)state;
    for (int k = 1; k <= MOST_KERNEL; k++)
        for (int s = 1; s <= MOST_STRIDE; s++)
            for (int d = 1; d <= MOST_DILATION; d++)
                for (int input = 1; input <= MOST_INPUT; input++) {
                    struct cp_window upper = {k, s, d, 77, 77, CP_ROUND_FLOOR};
                    struct cp_window lower = upper;
                    int total = least_padding(upper, input);
                    assert_int_equal(cp_window_pad_same(&upper, input, CP_SAME_UPPER), CP_WINDOW_OK);
                    assert_int_equal(cp_window_pad_same(&lower, input, CP_SAME_LOWER), CP_WINDOW_OK);
                    expect_number("upper, begin", &upper, input, upper.pad_begin, total / 2);
                    expect_number("upper, end", &upper, input, upper.pad_end, total - total / 2);
                    expect_number("lower, begin", &lower, input, lower.pad_begin, total - total / 2);
                    expect_number("lower, end", &lower, input, lower.pad_end, total / 2);
                    check_output(&upper, input);
                    check_output(&lower, input);
                }
}

static void same_padding_of_pytorch(void **state)
{
    (void)state;
    for (int k = 1; k <= MOST_KERNEL; k++)
        for (int d = 1; d <= MOST_DILATION; d++) {
            struct cp_window window = {k, 1, d, 77, 77, CP_ROUND_FLOOR};
            assert_true(cp_window_pad_torch_same(&window));
            assert_true(window.pad_end - window.pad_begin == 0 || window.pad_end - window.pad_begin == 1);
            for (int input = 1; input <= MOST_INPUT; input++)
                expect_number("windows", &window, input, place_windows(&window, input).windows, input);
        }
}

/* The published cases that tell the frameworks apart. */
static void published_cases(void **state)
{
    static const struct {
        const char *name;
        struct cp_window window;
        int input, output;
    } rows[] = {
        {"pool i=32 k=1 s=2, ceil", {1, 2, 1, 0, 0, CP_ROUND_CEIL}, 32, 16},
        {"pool i=8 k=3 s=4, ceil", {3, 4, 1, 0, 0, CP_ROUND_CEIL}, 8, 2},
        {"pool i=5 k=3 s=3 p=1, ceil", {3, 3, 1, 1, 1, CP_ROUND_CEIL}, 5, 2},
        {"pool i=13 k=2 s=2", {2, 2, 1, 0, 0, CP_ROUND_FLOOR}, 13, 6},
        {"pool i=13 k=2 s=2, ceil", {2, 2, 1, 0, 0, CP_ROUND_CEIL}, 13, 7},
        {"ResNet stem", {7, 2, 1, 3, 3, CP_ROUND_FLOOR}, 224, 112},
        {"ceil, one window past the end", {3, 2, 1, 0, 0, CP_ROUND_CEIL}, 2, 1},
    };
    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        int64_t output = 0;
        expect_number(rows[row].name, &rows[row].window, rows[row].input,
                      cp_window_output(&rows[row].window, rows[row].input, &output), CP_WINDOW_OK);
        expect_number(rows[row].name, &rows[row].window, rows[row].input, output, rows[row].output);
    }
    struct cp_window same = {7, 2, 1, 0, 0, CP_ROUND_FLOOR};
    assert_int_equal(cp_window_pad_same(&same, 224, CP_SAME_UPPER), CP_WINDOW_OK);
    assert_true(same.pad_begin == 2 && same.pad_end == 3);
    same = (struct cp_window){6, 5, 1, 0, 0, CP_ROUND_FLOOR};
    assert_int_equal(cp_window_pad_same(&same, 13, CP_SAME_UPPER), CP_WINDOW_OK);
    assert_true(same.pad_begin == 1 && same.pad_end == 2);
}

/* Other implementations divide first, towards zero, and find one window here. */
static void kernel_larger_than_input(void **state)
{
    static const struct {
        int64_t input;
        struct cp_window window;
    } rows[] = {
        {2, {3, 2, 1, 0, 0, CP_ROUND_FLOOR}}, {1, {5, 1, 1, 0, 0, CP_ROUND_FLOOR}},
        {1, {5, 7, 1, 0, 0, CP_ROUND_FLOOR}}, {1, {2, 1, 1, 0, 0, CP_ROUND_CEIL}},
        {3, {2, 9, 3, 0, 0, CP_ROUND_FLOOR}}, {1, {9, 3, 1, 1, 1, CP_ROUND_CEIL}},
    };
    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        int64_t output = -7;
        expect_number("status", &rows[row].window, rows[row].input,
                      cp_window_output(&rows[row].window, rows[row].input, &output), CP_WINDOW_TOO_LARGE);
        expect_number("untouched output", &rows[row].window, rows[row].input, output, -7);
    }
}

/* ---- Transposed
 * ------------------------------------------------------------------------------------------------------ */

/* The outputs with output_padding 0 … s − 1 are exactly the inputs from which the convolution gives `input`. */
static void transposed_undoes_forward(void **state)
{
    struct cp_window window = {0};
    int64_t empty = 0;
    (void)state;
    while (next_window(&window)) {
        for (int input = 1; input <= 9; input++) {
            bool reached[100] = {false};
            for (int extra = 0; extra < window.stride; extra++) {
                int64_t output = -7;
                enum cp_window_status status = cp_transposed_output(&window, extra, input, &output);
                if (status == CP_WINDOW_EMPTY) {
                    empty++;
                    expect_number("untouched output", &window, input, output, -7);
                    continue;
                }
                expect_number("status", &window, input, status, CP_WINDOW_OK);
                assert_true(output >= 1 && output < 100 && !reached[output]);
                reached[output] = true;
            }
            for (int size = 1; size < 100; size++)
                expect_number("forward of the output", &window, size, reached[size],
                              place_windows(&window, size).windows == input);
        }
    }
    assert_true(empty > 1000);
}

static void transposed_same(void **state)
{
    (void)state;
    for (int k = 1; k <= MOST_KERNEL; k++)
        for (int s = 1; s <= 9; s++)
            for (int d = 1; d <= MOST_DILATION; d++)
                for (int input = 1; input <= 9; input++) {
                    struct cp_window upper = {k, s, d, 77, 77, CP_ROUND_FLOOR};
                    struct cp_window lower = upper;
                    int64_t output;
                    assert_int_equal(cp_transposed_pad_same(&upper, CP_SAME_UPPER), CP_WINDOW_OK);
                    assert_int_equal(cp_transposed_pad_same(&lower, CP_SAME_LOWER), CP_WINDOW_OK);
                    assert_int_equal(cp_transposed_output(&upper, 0, input, &output), CP_WINDOW_OK);
                    expect_number("output", &upper, input, output, input * s);
                    assert_int_equal(cp_transposed_output(&lower, 0, input, &output), CP_WINDOW_OK);
                    expect_number("output", &lower, input, output, input * s);
                    int64_t odd = upper.pad_end - upper.pad_begin;
                    if (upper.pad_end < 0) {
                        expect_number("extended at the end only", &upper, input, upper.pad_begin, 0);
                        expect_number("extended at the end only", &lower, input, lower.pad_begin, 0);
                        expect_number("extension", &lower, input, lower.pad_end, upper.pad_end);
                    } else {
                        assert_true(odd == 0 || odd == 1);
                        expect_number("odd unit", &lower, input, lower.pad_begin - lower.pad_end, odd);
                    }
                }
}

static void transposed_cases(void **state)
{
    static const struct {
        const char *name;
        struct cp_window window;
        int output_padding, input, output;
    } rows[] = {
        {"k=3 s=2 p=1", {3, 2, 1, 1, 1, 0}, 0, 5, 9},         {"and output_padding 1", {3, 2, 1, 1, 1, 0}, 1, 5, 10},
        {"k=2 s=3 p=0", {2, 3, 1, 0, 0, 0}, 0, 5, 14},        {"k=2 s=2", {2, 2, 1, 0, 0, 0}, 0, 4, 8},
        {"extended by 2", {1, 2, 1, 0, -2, 0}, 0, 3, 7},      {"dilated", {3, 1, 2, 0, 0, 0}, 0, 3, 7},
        {"cropped on one side", {4, 2, 1, 0, 3, 0}, 0, 3, 5},
    };
    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        int64_t output = 0;
        assert_int_equal(cp_transposed_output(&rows[row].window, rows[row].output_padding, rows[row].input, &output),
                         CP_WINDOW_OK);
        expect_number(rows[row].name, &rows[row].window, rows[row].input, output, rows[row].output);
    }
}

/* ---- The edges of the range
 * ------------------------------------------------------------------------------------------ */

static void spans(void **state)
{
    const struct {
        int64_t kernel, dilation, span; /* span 0: overflow */
    } rows[] = {{1, 1, 1},
                {3, 2, 5},
                {1, most, 1},
                {most, 1, most},
                {2, most - 1, most},
                {2, most, 0},
                {most, 2, 0},
                {(INT64_C(1) << 31) + 1, INT64_C(1) << 22, 0},
                {INT64_C(1) << 31, (INT64_C(1) << 22) - 1, ((INT64_C(1) << 31) - 1) * ((INT64_C(1) << 22) - 1) + 1},
                {3, INT64_C(1) << 52, 0},
                {most, most, 0}};
    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        struct cp_window window = {rows[row].kernel, 1, rows[row].dilation, 0, 0, CP_ROUND_FLOOR};
        int64_t span = -7;
        bool fits = cp_window_span(&window, &span);
        expect_number("fits", &window, 0, fits, rows[row].span != 0);
        expect_number("span", &window, 0, span, fits ? rows[row].span : -7);
    }
}

static void outputs_at_the_edge(void **state)
{
    const struct {
        int64_t input;
        struct cp_window window;
        enum cp_window_status status;
        int64_t output;
    } rows[] = {
        {most, {1, 1, 1, 0, 0, CP_ROUND_FLOOR}, CP_WINDOW_OK, most},
        {most, {most, 1, 1, 0, 0, CP_ROUND_FLOOR}, CP_WINDOW_OK, 1},
        {most, {1, most, 1, 0, 0, CP_ROUND_FLOOR}, CP_WINDOW_OK, 1},
        {most, {3, 1, 1, 1, 0, CP_ROUND_FLOOR}, CP_WINDOW_OVERFLOW, 0},
        {most - 2, {3, 1, 1, 1, 1, CP_ROUND_FLOOR}, CP_WINDOW_OK, most - 2},
        {most, {1, 1, 1, most, most, CP_ROUND_FLOOR}, CP_WINDOW_OVERFLOW, 0},
        {5, {most, 1, 2, 0, 0, CP_ROUND_FLOOR}, CP_WINDOW_OVERFLOW, 0},
        {5, {3, 1, INT64_C(1) << 52, 0, 0, CP_ROUND_FLOOR}, CP_WINDOW_OVERFLOW, 0},
        {5, {2, 1, INT64_C(1) << 52, 0, 0, CP_ROUND_FLOOR}, CP_WINDOW_TOO_LARGE, 0},
        {5, {INT64_C(1) << 31, 1, 1, 0, 0, CP_ROUND_FLOOR}, CP_WINDOW_TOO_LARGE, 0},
        {5, {INT64_C(1) << 32, 3, 1, 0, 0, CP_ROUND_CEIL}, CP_WINDOW_TOO_LARGE, 0},
        {most, {2, 2, 1, 0, 0, CP_ROUND_FLOOR}, CP_WINDOW_OK, most / 2},
        {most, {2, 2, 1, 0, 0, CP_ROUND_CEIL}, CP_WINDOW_OK, most / 2 + 1},
        {most, {1, most - 1, 1, 0, 0, CP_ROUND_CEIL}, CP_WINDOW_OK, 2},
        {1, {most, 1, 1, most / 2, most / 2, CP_ROUND_CEIL}, CP_WINDOW_OK, 1},
    };
    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        int64_t output = -7;
        enum cp_window_status status = cp_window_output(&rows[row].window, rows[row].input, &output);
        expect_number("status", &rows[row].window, rows[row].input, status, rows[row].status);
        expect_number("output", &rows[row].window, rows[row].input, output,
                      status == CP_WINDOW_OK ? rows[row].output : -7);
    }
}

static void transposed_at_the_edge(void **state)
{
    const struct {
        int64_t input, output_padding;
        struct cp_window window;
        enum cp_window_status status;
        int64_t output;
    } rows[] = {
        {most, 0, {1, 1, 1, 0, 0, 0}, CP_WINDOW_OK, most},
        {most, 1, {1, 1, 1, 0, 0, 0}, CP_WINDOW_OVERFLOW, 0},
        {most, 0, {2, 1, 1, 0, 0, 0}, CP_WINDOW_OVERFLOW, 0},
        {most, 0, {1, 2, 1, 0, 0, 0}, CP_WINDOW_OVERFLOW, 0},
        {2, 0, {1, most - 1, 1, 0, 0, 0}, CP_WINDOW_OK, most},
        {2, 0, {1, most, 1, 0, 0, 0}, CP_WINDOW_OVERFLOW, 0},
        {1, 0, {3, 1, INT64_C(1) << 52, 0, 0, 0}, CP_WINDOW_OVERFLOW, 0},
        {1, 0, {3, 1, 1, 2, 1, 0}, CP_WINDOW_EMPTY, 0},
        {1, 0, {3, 1, 1, most, most, 0}, CP_WINDOW_OVERFLOW, 0},
        {1, 0, {3, 1, 1, most, 0, 0}, CP_WINDOW_EMPTY, 0},
    };
    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        int64_t output = -7;
        enum cp_window_status status =
            cp_transposed_output(&rows[row].window, rows[row].output_padding, rows[row].input, &output);
        expect_number("status", &rows[row].window, rows[row].input, status, rows[row].status);
        expect_number("output", &rows[row].window, rows[row].input, output,
                      status == CP_WINDOW_OK ? rows[row].output : -7);
    }
}

static void padding_at_the_edge(void **state)
{
    struct cp_window wide = {3, 1, INT64_C(1) << 52, 5, 6, CP_ROUND_FLOOR};
    (void)state;
    assert_int_equal(cp_window_pad_same(&wide, 8, CP_SAME_UPPER), CP_WINDOW_OVERFLOW);
    assert_int_equal(cp_transposed_pad_same(&wide, CP_SAME_UPPER), CP_WINDOW_OVERFLOW);
    assert_false(cp_window_pad_torch_same(&wide));
    assert_true(wide.pad_begin == 5 && wide.pad_end == 6);
    assert_true(cp_window_minimum_input(&wide) == most + 1);
    struct cp_window widest = {most, 1, 1, 0, 0, CP_ROUND_FLOOR};
    assert_true(cp_window_minimum_input(&widest) == most);
    assert_int_equal(cp_window_pad_same(&widest, most, CP_SAME_LOWER), CP_WINDOW_OK);
    assert_true(widest.pad_begin == most / 2 && widest.pad_end == most / 2);
    struct cp_window long_stride = {1, most, 1, 0, 0, CP_ROUND_FLOOR};
    int64_t output;
    assert_int_equal(cp_transposed_pad_same(&long_stride, CP_SAME_UPPER), CP_WINDOW_OK);
    assert_int_equal(cp_transposed_output(&long_stride, 0, 1, &output), CP_WINDOW_OK);
    assert_true(output == most);
    assert_int_equal(cp_window_pad_same(&long_stride, most, CP_SAME_UPPER), CP_WINDOW_OK);
    assert_true(long_stride.pad_begin == 0 && long_stride.pad_end == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_small_window),
        cmocka_unit_test(smallest_inputs),
        cmocka_unit_test(same_padding),
        cmocka_unit_test(same_padding_of_pytorch),
        cmocka_unit_test(published_cases),
        cmocka_unit_test(kernel_larger_than_input),
        cmocka_unit_test(transposed_undoes_forward),
        cmocka_unit_test(transposed_same),
        cmocka_unit_test(transposed_cases),
        cmocka_unit_test(spans),
        cmocka_unit_test(outputs_at_the_edge),
        cmocka_unit_test(transposed_at_the_edge),
        cmocka_unit_test(padding_at_the_edge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
