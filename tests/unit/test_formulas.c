/* Formulas of relationships: every side of the printed equation must evaluate to the size of the window functions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
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

/* ---- A small evaluator: what a reader with a pencil does ------------------------------------------------------------- */

struct fraction {
    int64_t over, under;
};

struct reader {
    const char *at;
    const struct cp_axis_trace *axis; /* values of letters */
    bool letters;                     /* were any read? */
    bool failed;
};

static bool accept(struct reader *reader, const char *text)
{
    if (strncmp(reader->at, text, strlen(text)) != 0) return false;
    reader->at += strlen(text);
    return true;
}

static struct fraction read_sum(struct reader *reader);

static bool read_letter(struct reader *reader, int64_t *value)
{
    const struct cp_axis_trace *axis = reader->axis;
    const struct cp_window *window = &axis->window;
    if (accept(reader, "i′") || accept(reader, "i"))
        *value = axis->input;
    else if (accept(reader, "k̂"))
        *value = 1 + window->dilation * (window->kernel - 1);
    else if (accept(reader, "k"))
        *value = window->kernel;
    else if (accept(reader, "s"))
        *value = window->stride;
    else if (accept(reader, "d"))
        *value = window->dilation;
    else if (accept(reader, "a"))
        *value = axis->output_padding;
    else if (accept(reader, "p_b"))
        *value = window->pad_begin;
    else if (accept(reader, "p_e"))
        *value = window->pad_end;
    else if (accept(reader, "p")) {
        *value = window->pad_begin;
        reader->failed |= window->pad_begin != window->pad_end; /* then p means nothing */
    } else
        return false;
    reader->letters = true;
    return true;
}

static struct fraction read_factor(struct reader *reader)
{
    struct fraction value = {0, 1};
    if (*reader->at >= '0' && *reader->at <= '9') {
        while (*reader->at >= '0' && *reader->at <= '9') value.over = value.over * 10 + (*reader->at++ - '0');
        return value;
    }
    if (read_letter(reader, &value.over)) return value;
    if (accept(reader, "(−")) { /* a negative number */
        value = read_factor(reader);
        value.over = -value.over;
        reader->failed |= !accept(reader, ")");
        return value;
    }
    bool floor = accept(reader, "⌊");
    bool ceiling = !floor && accept(reader, "⌈");
    if (!floor && !ceiling && !accept(reader, "(")) {
        reader->failed = true;
        return value;
    }
    value = read_sum(reader);
    reader->failed |= !accept(reader, floor ? "⌋" : ceiling ? "⌉" : ")");
    if (floor || ceiling) {
        int64_t whole = value.over / value.under;
        while (whole * value.under > value.over) whole--;
        while (ceiling && whole * value.under < value.over) whole++;
        value = (struct fraction){whole, 1};
    }
    return value;
}

static bool factor_follows(const struct reader *reader)
{
    return *reader->at && !strchr(" )/", *reader->at) && strncmp(reader->at, "⌋", 3) != 0 &&
           strncmp(reader->at, "⌉", 3) != 0;
}

/* Letters may stand side by side; numbers are multiplied with a dot. */
static struct fraction read_product(struct reader *reader)
{
    struct fraction value = read_factor(reader);
    while (!reader->failed && factor_follows(reader)) {
        bool dot = accept(reader, "·");
        bool before = reader->letters;
        struct fraction factor = read_factor(reader);
        reader->failed |= !dot && !before && !reader->letters;
        value.over *= factor.over;
    }
    if (!reader->failed && accept(reader, "/")) value.under *= read_factor(reader).over;
    return value;
}

static struct fraction read_sum(struct reader *reader)
{
    struct fraction value = read_product(reader);
    while (!reader->failed) {
        int sign = accept(reader, " + ") ? 1 : accept(reader, " − ") ? -1 : 0;
        if (!sign) break;
        struct fraction next = read_product(reader);
        reader->failed |= value.under != 1 || next.under != 1;
        value.over += sign * next.over;
    }
    return value;
}

/* The value of one side of an equation, all of it; *letters tells whether there were any. */
static bool evaluate(const char *side, const struct cp_axis_trace *axis, int64_t *value, bool *letters)
{
    struct reader reader = {.at = side, .axis = axis};
    struct fraction result = read_sum(&reader);
    if (reader.failed || *reader.at || result.under != 1) return false;
    *value = result.over;
    *letters = reader.letters;
    return true;
}

/* Every side of "… = … = …" has this value; the first has letters, all others none, the last is the bare number. */
static bool equation_holds(char *equation, const struct cp_axis_trace *axis, int64_t expected)
{
    int sides = 0;
    char *last = equation;
    for (char *side = equation; side;) {
        char *next = strstr(side, " = ");
        int64_t value;
        bool letters;
        if (next) *next = '\0';
        if (!evaluate(side, axis, &value, &letters) || value != expected || letters != (sides == 0)) return false;
        last = side;
        side = next ? next + 3 : NULL;
        sides++;
    }
    return sides >= 2 && sides <= 3 && !strpbrk(last, " /");
}

static bool formula_holds(const char *formula, enum cp_traced operation, const struct cp_axis_trace *axis)
{
    const char *start = operation == CP_TRACED_TRANSPOSED ? "o′ = " : "o = ";
    static const char drop[] = ", less 1: the last window would start in the end padding, so o = ";
    char text[CP_FORMULA_BYTES];
    if (strlen(formula) >= sizeof text || strncmp(formula, start, strlen(start)) != 0) return false;
    strcpy(text, formula + strlen(start));
    char *less = strstr(text, drop);
    if (less) {
        *less = '\0';
        if (atoll(less + strlen(drop)) != axis->output) return false;
    }
    return equation_holds(text, axis, axis->output + (less != NULL));
}

/* ---- Formulas ---------------------------------------------------------------------------------------------------------- */

static void check_formula(int relationship, enum cp_traced operation, const struct cp_axis_trace *axis)
{
    char formula[CP_FORMULA_BYTES];
    size_t size = cp_relationship_formula(formula, sizeof formula, relationship, operation, axis);
    if (size == strlen(formula) && formula_holds(formula, operation, axis)) return;
    fprintf(stderr, "%s, relationship %d: %s\n", operation_names[operation], relationship, formula);
    print_axis(axis);
    fail();
}

static uint64_t random_state;

static int64_t draw(int64_t least, int64_t most)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return least + (int64_t)((random_state >> 11) % (uint64_t)(most - least + 1));
}

/* An axis that works out, with numbers up to `scale`; the probabilities favour the special relationships. */
static bool draw_axis(enum cp_traced operation, int64_t scale, struct cp_axis_trace *axis)
{
    bool transposed = operation == CP_TRACED_TRANSPOSED || operation == CP_TRACED_UNPOOLING;
    int64_t kernel = draw(1, 7);
    const int64_t padding[] = {0, (kernel - 1) / 2, kernel - 1, draw(0, scale)};
    struct cp_window *window = &axis->window;
    *axis = (struct cp_axis_trace){.input = draw(1, 50 * scale)};
    *window = (struct cp_window){.kernel = kernel, .stride = draw(0, 1) ? 1 : draw(1, scale), .dilation = 1};
    window->pad_begin = window->pad_end = padding[draw(0, 3)];
    if (draw(0, 3) == 0) window->pad_end = draw(transposed ? -scale : 0, scale);
    if (draw(0, 3) == 0 && operation != CP_TRACED_UNPOOLING) window->dilation = draw(1, scale);
    if (operation == CP_TRACED_POOLING && draw(0, 1)) window->rounding = CP_ROUND_CEIL;
    if (transposed && draw(0, 2) == 0) axis->output_padding = draw(0, window->stride - 1);
    if (transposed)
        return cp_transposed_output(window, axis->output_padding, axis->input, &axis->output) == CP_WINDOW_OK;
    int64_t span;
    if (!cp_window_span(window, &span)) return false;
    bool pool = 2 * window->pad_begin <= span && 2 * window->pad_end <= span;
    if (operation == CP_TRACED_POOLING && !pool) return false;
    return cp_window_output(window, axis->input, &axis->output) == CP_WINDOW_OK;
}

static void formulas_evaluate_to_their_results(void **state)
{
    static const int64_t scales[] = {4, 9, 1000000, INT64_C(1) << 45};
    int counts[CP_RELATIONSHIP_COUNT + 1] = {0};
    int dropped = 0;
    (void)state;
    random_state = 3;
    for (int round = 0; round < 24000; round++) {
        enum cp_traced operation = (enum cp_traced)draw(CP_TRACED_CONVOLUTION, CP_TRACED_UNPOOLING);
        struct cp_axis_trace axis;
        char formula[CP_FORMULA_BYTES];
        if (!draw_axis(operation, scales[round % 4], &axis)) continue;
        int relationship = cp_relationship_of(operation, &axis, 1);
        counts[relationship]++;
        check_formula(relationship, operation, &axis);
        cp_relationship_formula(formula, sizeof formula, relationship, operation, &axis);
        dropped += strstr(formula, "less 1") != NULL;
    }
    for (int number = 0; number <= CP_RELATIONSHIP_COUNT; number++) assert_true(counts[number] > 100);
    assert_true(dropped > 100);
}

/* The rule that drops a window, by counting windows that start inside: every small pool. */
static void dropped_windows(void **state)
{
    int dropped = 0;
    (void)state;
    for (int64_t input = 1; input <= 12; input++)
        for (int64_t kernel = 1; kernel <= 4; kernel++)
            for (int64_t stride = 1; stride <= 5; stride++)
                for (int64_t padding = 0; 2 * padding <= kernel; padding++) {
                    struct cp_axis_trace axis = {.window = {kernel, stride, 1, padding, padding, CP_ROUND_CEIL},
                                                 .input = input};
                    char formula[CP_FORMULA_BYTES];
                    if (cp_window_output(&axis.window, input, &axis.output) != CP_WINDOW_OK) continue;
                    int64_t starts = 0; /* of windows on cells, the last of which may reach past the end */
                    int64_t past = 0;
                    for (int64_t start = 0; start + kernel < input + 2 * padding + stride; start += stride) {
                        starts++;
                        past += start >= input + padding;
                    }
                    assert_int_equal(starts - past, axis.output);
                    check_formula(0, CP_TRACED_POOLING, &axis);
                    cp_relationship_formula(formula, sizeof formula, 0, CP_TRACED_POOLING, &axis);
                    assert_int_equal(strstr(formula, "less 1") != NULL, past);
                    dropped += (int)past;
                }
    assert_true(dropped > 20);
}

static const struct {
    enum cp_traced operation;
    struct cp_window window;
    int64_t input, output_padding, output;
    const char *formula;
} printed_formulas[] = {
    {CP_TRACED_CONVOLUTION,
     {7, 2, 1, 3, 3, 0},
     224,
     0,
     112,
     "o = ⌊(i + 2p − k)/s⌋ + 1 = ⌊(224 + 2·3 − 7)/2⌋ + 1 = 112"},
    {CP_TRACED_CONVOLUTION, {3, 1, 1, 0, 0, 0}, 4, 0, 2, "o = (i − k) + 1 = (4 − 3) + 1 = 2"},
    {CP_TRACED_CONVOLUTION, {4, 1, 1, 2, 2, 0}, 5, 0, 6, "o = (i − k) + 2p + 1 = (5 − 4) + 2·2 + 1 = 6"},
    {CP_TRACED_CONVOLUTION, {3, 1, 1, 1, 1, 0}, 5, 0, 5, "o = i + 2⌊k/2⌋ − (k − 1) = 5 + 2·⌊3/2⌋ − (3 − 1) = 5"},
    {CP_TRACED_CONVOLUTION, {3, 1, 1, 2, 2, 0}, 5, 0, 7, "o = i + (k − 1) = 5 + (3 − 1) = 7"},
    {CP_TRACED_CONVOLUTION, {3, 2, 1, 0, 0, 0}, 5, 0, 2, "o = ⌊(i − k)/s⌋ + 1 = ⌊(5 − 3)/2⌋ + 1 = 2"},
    {CP_TRACED_CONVOLUTION,
     {7, 2, 1, 2, 3, 0},
     224,
     0,
     112,
     "o = ⌊(i + p_b + p_e − k)/s⌋ + 1 = ⌊(224 + 2 + 3 − 7)/2⌋ + 1 = 112"},
    {CP_TRACED_CONVOLUTION,
     {3, 1, 2, 0, 0, 0},
     7,
     0,
     3,
     "o = ⌊(i + 2p − k − (k − 1)(d − 1))/s⌋ + 1 = ⌊(7 + 2·0 − 3 − (3 − 1)·(2 − 1))/1⌋ + 1 = 3"},
    {CP_TRACED_POOLING, {2, 2, 1, 0, 0, 0}, 13, 0, 6, "o = ⌊(i − k)/s⌋ + 1 = ⌊(13 − 2)/2⌋ + 1 = 6"},
    {CP_TRACED_POOLING,
     {2, 2, 1, 0, 0, CP_ROUND_CEIL},
     13,
     0,
     7,
     "o = ⌈(i + 2p − k)/s⌉ + 1 = ⌈(13 + 2·0 − 2)/2⌉ + 1 = 7"},
    {CP_TRACED_POOLING,
     {1, 2, 1, 0, 0, CP_ROUND_CEIL},
     32,
     0,
     16,
     "o = ⌈(i + 2p − k)/s⌉ + 1 = ⌈(32 + 2·0 − 1)/2⌉ + 1 = 17, less 1: the last window would start in the end "
     "padding, so o = 16"},
    {CP_TRACED_POOLING,
     {3, 2, 2, 1, 0, CP_ROUND_CEIL},
     9,
     0,
     4,
     "o = ⌈(i + p_b + p_e − k − (k − 1)(d − 1))/s⌉ + 1 = ⌈(9 + 1 + 0 − 3 − (3 − 1)·(2 − 1))/2⌉ + 1 = 4"},
    {CP_TRACED_TRANSPOSED, {3, 1, 1, 0, 0, 0}, 2, 0, 4, "o′ = i′ + (k − 1) = 2 + (3 − 1) = 4"},
    {CP_TRACED_TRANSPOSED, {3, 1, 1, 1, 1, 0}, 5, 0, 5, "o′ = i′ = 5"},
    {CP_TRACED_TRANSPOSED, {3, 2, 1, 1, 1, 0}, 3, 1, 6, "o′ = s(i′ − 1) + a + k − 2p = 2·(3 − 1) + 1 + 3 − 2·1 = 6"},
    {CP_TRACED_TRANSPOSED,
     {1, 2, 1, 0, -1, 0},
     3,
     0,
     6,
     "o′ = s(i′ − 1) + a + k − p_b − p_e = 2·(3 − 1) + 0 + 1 − 0 − (−1) = 6"},
    {CP_TRACED_TRANSPOSED,
     {3, 2, 2, 1, 1, 0},
     4,
     1,
     10,
     "o′ = s(i′ − 1) + a + k + (k − 1)(d − 1) − 2p = 2·(4 − 1) + 1 + 3 + (3 − 1)·(2 − 1) − 2·1 = 10"},
    {CP_TRACED_UNPOOLING, {2, 2, 1, 0, 0, 0}, 4, 0, 8, "o = s(i − 1) + k − 2p = 2·(4 − 1) + 2 − 2·0 = 8"},
    {CP_TRACED_UNPOOLING, {2, 2, 1, 0, 0, 0}, 4, 1, 9, "o = s(i − 1) + a + k − 2p = 2·(4 − 1) + 1 + 2 − 2·0 = 9"},
    {CP_TRACED_NOTHING, {1, 1, 1, 0, 0, 0}, 4, 0, 4, ""},
};

static void formulas_as_printed(void **state)
{
    (void)state;
    for (size_t row = 0; row < sizeof printed_formulas / sizeof printed_formulas[0]; row++) {
        struct cp_axis_trace axis = {.window = printed_formulas[row].window,
                                     .input = printed_formulas[row].input,
                                     .output = printed_formulas[row].output,
                                     .output_padding = printed_formulas[row].output_padding};
        char formula[CP_FORMULA_BYTES];
        int relationship = cp_relationship_of(printed_formulas[row].operation, &axis, 1);
        cp_relationship_formula(formula, sizeof formula, relationship, printed_formulas[row].operation, &axis);
        assert_string_equal(formula, printed_formulas[row].formula);
    }
}

static void text_that_does_not_fit(void **state)
{
    const struct cp_axis_trace axis = {.window = {7, 2, 1, 3, 3, CP_ROUND_FLOOR}, .input = 224, .output = 112};
    char whole[CP_FORMULA_BYTES];
    char part[CP_FORMULA_BYTES];
    size_t size = cp_relationship_formula(whole, sizeof whole, 6, CP_TRACED_CONVOLUTION, &axis);
    (void)state;
    assert_int_equal(size, strlen(whole));
    assert_int_equal(cp_relationship_formula(NULL, 0, 6, CP_TRACED_CONVOLUTION, &axis), size);
    for (size_t capacity = 1; capacity <= size + 2; capacity++) {
        memset(part, 'x', sizeof part);
        assert_int_equal(cp_relationship_formula(part, capacity, 6, CP_TRACED_CONVOLUTION, &axis), size);
        size_t kept = capacity > size ? size : capacity - 1;
        assert_int_equal(strlen(part), kept);
        assert_memory_equal(part, whole, kept);
        assert_int_equal(part[capacity], 'x');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formulas_evaluate_to_their_results),
        cmocka_unit_test(dropped_windows),
        cmocka_unit_test(formulas_as_printed),
        cmocka_unit_test(text_that_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
