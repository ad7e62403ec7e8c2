#include "core/solve.h"

#include "core/checked.h"
#include "core/relationships.h"

/* ---- Choices ------------------------------------------------------------------------------------------------------ */

static int64_t choice_count(const struct cp_choice *choice)
{
    if (choice->values) return choice->count;
    return choice->most < choice->least ? 0 : choice->most - choice->least + 1;
}

static int64_t choice_at(const struct cp_choice *choice, int64_t index)
{
    return choice->values ? choice->values[index] : choice->least + index;
}

/* The position of the first value that is at least `bound`. */
static int64_t choice_position(const struct cp_choice *choice, int64_t bound)
{
    if (!choice->values) {
        if (bound <= choice->least) return 0;
        return bound > choice->most ? choice_count(choice) : bound - choice->least;
    }
    int64_t low = 0, high = choice->count;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (choice->values[middle] < bound)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool choice_has(const struct cp_choice *choice, int64_t value)
{
    int64_t at = choice_position(choice, value);
    return at < choice_count(choice) && choice_at(choice, at) == value;
}

/* Both ends included; nothing when low > high. */
struct range {
    int64_t low, high;
};

/* A choice in as few ranges as it is made of: its own, or one for each value. */
static int64_t range_count(const struct cp_choice *choice)
{
    return choice->values ? choice->count : 1;
}

static struct range range_at(const struct cp_choice *choice, int64_t index)
{
    if (choice->values) return (struct range){choice->values[index], choice->values[index]};
    return (struct range){choice->least, choice->most};
}

/* ---- One combination of kernel, stride, dilation and rounding ------------------------------------------------------ */

/* The layer's output before output_padding: 0 where the window does not fit, CP_MAX_COUNT where it is beyond that. */
static int64_t output_with(const struct cp_solve_question *question, struct cp_window window, int64_t padding,
                           int64_t input)
{
    int64_t size = 0;
    window.pad_begin = window.pad_end = padding;
    if (question->operation == CP_TRACED_TRANSPOSED)
        return cp_transposed_natural(&window, input, &size) ? size : CP_MAX_COUNT;
    enum cp_window_status status = cp_window_output(&window, input, &size);
    return status == CP_WINDOW_OK ? size : status == CP_WINDOW_OVERFLOW ? CP_MAX_COUNT : 0;
}

/* The first padding in the range whose output has passed `bound` on its way: up to it or more for windows, whose outputs
 * rise with padding, down to it or less for transposed ones; range.high + 1 when there is none. */
static int64_t first_past(const struct cp_solve_question *question, const struct cp_window *window, struct range range,
                          int64_t input, int64_t bound)
{
    int64_t low = range.low, high = range.high + 1;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        int64_t output = output_with(question, *window, middle, input);
        if (question->operation == CP_TRACED_TRANSPOSED ? output <= bound : output >= bound)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* What the rules of the layers and the question allow. */
static struct range allowed_paddings(const struct cp_solve_question *question, int64_t span)
{
    struct range range = {question->padding.least, question->padding.most};
    if (question->padding.values) {
        range.low = question->padding.values[0];
        range.high = question->padding.values[question->padding.count - 1];
    }
    if (!question->padding_given) range = (struct range){0, span - 1};
    if (question->operation == CP_TRACED_POOLING && range.high > span / 2) range.high = span / 2;
    return range;
}

/* Those with which some input, or the one given, yields the output; `extra`: the range of output_padding. */
static struct range fitting_paddings(const struct cp_solve_question *question, const struct cp_window *window,
                                     struct range range, struct range extra)
{
    int64_t output = question->output, input = question->input ? question->input : 1;
    if (question->operation == CP_TRACED_TRANSPOSED) {
        if (!question->input) return range;
        return (struct range){first_past(question, window, range, input, output - extra.low),
                              first_past(question, window, range, input, output - extra.high - 1) - 1};
    }
    int64_t last = first_past(question, window, range, input, output + 1) - 1;
    return (struct range){question->input ? first_past(question, window, range, input, output) : range.low, last};
}

static int64_t most_output_padding(const struct cp_window *window)
{
    return (window->stride > window->dilation ? window->stride : window->dilation) - 1;
}

/* Those of a range that are legal. */
static struct range legal_extra(const struct cp_window *window, struct range extra)
{
    int64_t most = most_output_padding(window);
    return (struct range){extra.low, extra.high < most ? extra.high : most};
}

/* ---- Solutions ----------------------------------------------------------------------------------------------------- */

struct search {
    const struct cp_solve_question *question;
    struct cp_solutions *solutions;
    struct cp_arena *arena;
    bool listing;                                                    /* else counting */
    int64_t most_listed;                                             /* listing: that many, and all is done */
    bool even;                                                       /* listing: which kernels */
    enum padding_class { HALF, NONE, OTHER, PADDING_CLASSES } class; /* listing: which paddings */
};

static bool is_done(const struct search *search)
{
    const struct cp_solutions *solutions = search->solutions;
    return search->listing ? solutions->listed_count == search->most_listed
                           : solutions->combinations > search->question->most_combinations;
}

static enum padding_class class_of(int64_t padding, int64_t span)
{
    if (2 * padding == span - 1) return HALF;
    return padding == 0 ? NONE : OTHER;
}

/* The inputs that yield the output: of a window a range, which is not empty where the padding fits. */
static void find_inputs(const struct cp_solve_question *question, struct cp_solution *solution)
{
    const struct cp_window *window = &solution->axis.window;
    solution->most_input = solution->axis.input = question->input;
    if (question->input) return;
    int64_t bounds[2], padding = window->pad_begin;
    for (int side = 0; side < 2; side++) { /* the first inputs whose outputs are at least o and o + 1 */
        int64_t low = 1, high = CP_MAX_COUNT;
        while (low < high) {
            int64_t middle = low + (high - low) / 2;
            if (output_with(question, *window, padding, middle) >= question->output + side)
                high = middle;
            else
                low = middle + 1;
        }
        bounds[side] = low;
    }
    solution->axis.input = bounds[0];
    solution->most_input = bounds[1] - 1;
}

static void list_solution(struct search *search, const struct cp_window *window, int64_t padding, int64_t extra,
                          int64_t input)
{
    struct cp_solutions *solutions = search->solutions;
    if (is_done(search)) return;
    struct cp_solution *solution = &solutions->listed[solutions->listed_count++];
    *solution = (struct cp_solution){
        .axis = {.window = *window, .input = input, .output = search->question->output, .output_padding = extra},
        .most_input = input};
    solution->axis.window.pad_begin = solution->axis.window.pad_end = padding;
    if (search->question->operation != CP_TRACED_TRANSPOSED) find_inputs(search->question, solution);
    solution->relationship = cp_relationship_of(search->question->operation, &solution->axis, 1);
}

static void count_solutions(struct search *search, int64_t more)
{
    if (!cp_add(search->solutions->count, more, &search->solutions->count)) search->solutions->too_many = true;
}

/* ---- Transposed layers whose input is free: s(i − 1) + output_padding = o − k̂ + 2p --------------------------------- */

__extension__ typedef __int128 wide;

static bool is_free(const struct cp_solve_question *question)
{
    return question->operation == CP_TRACED_TRANSPOSED && !question->input;
}

/* What is left of the output for strides and output_padding. */
static int64_t rest_of(const struct cp_solve_question *question, const struct cp_window *window, int64_t padding)
{
    return question->output - output_with(question, *window, padding, 1);
}

/* Pairs of u >= 0 and j >= 0 with u < count and sj <= 2u + odd: Σ (⌊(2u + odd)/s⌋ + 1). Of every s numbers u in a row,
 * the quotients are even up to the middle, and one more from there on. */
static wide pairs_below(int64_t count, int64_t odd, int64_t stride)
{
    if (count <= 0) return 0;
    wide rounds = count / stride;
    int64_t rest = count % stride, half = (stride - odd + 1) / 2;
    wide sum = stride * rounds * (rounds - 1) + rounds * (stride - half) + 2 * rounds * rest;
    return sum + (rest > half ? rest - half : 0) + count;
}

/* Pairs of a padding and j >= 0 with sj <= 2p + rest. */
static wide pairs_within(struct range paddings, int64_t rest, int64_t stride)
{
    int64_t shift = cp_floor_divide(rest, 2), odd = cp_floor_remainder(rest, 2);
    return pairs_below(paddings.high + 1 + shift, odd, stride) - pairs_below(paddings.low + shift, odd, stride);
}

/* Every padding and output_padding that leave a whole input. */
static void count_free(struct search *search, const struct cp_window *window, const struct cp_choice *paddings)
{
    enum { WORK_PER_PAIR = 10 };
    const struct cp_choice *extras = &search->question->output_padding;
    int64_t rest = rest_of(search->question, window, 0);
    for (int64_t at = 0; at < range_count(extras); at++) {
        struct range extra = legal_extra(window, range_at(extras, at));
        if (extra.low > extra.high) return;
        cp_arena_work(search->arena, WORK_PER_PAIR * range_count(paddings));
        for (int64_t index = 0; index < range_count(paddings); index++) {
            struct range range = range_at(paddings, index);
            wide pairs = pairs_within(range, rest - extra.low, window->stride) -
                         pairs_within(range, rest - extra.high - 1, window->stride);
            count_solutions(search, pairs > CP_MAX_COUNT ? CP_MAX_COUNT + 1 : (int64_t)pairs);
        }
    }
}

/* The first padding from `padding` on that leaves a whole input with one of the range; CP_MAX_COUNT when none does. A
 * jump reaches a multiple of the stride, or one past it, which the next jump mends unless the stride is even. */
static int64_t first_free_of(const struct cp_solve_question *question, const struct cp_window *window, int64_t padding,
                             struct range extra)
{
    enum { MOST_LOOKS = 3 };
    for (int look = 0; look < MOST_LOOKS; look++) {
        int64_t room = rest_of(question, window, padding) - extra.low;
        int64_t over = cp_floor_remainder(room, window->stride);
        if (room >= 0 && over <= extra.high - extra.low) return padding;
        padding += cp_ceil_divide(room < 0 ? -room : window->stride - over, 2);
    }
    return CP_MAX_COUNT;
}

static int64_t first_free(struct search *search, const struct cp_window *window, int64_t padding)
{
    enum { WORK_PER_EXTRA = 5 };
    const struct cp_choice *extras = &search->question->output_padding;
    int64_t first = CP_MAX_COUNT;
    for (int64_t at = 0; at < range_count(extras) && first > padding; at++) {
        struct range extra = legal_extra(window, range_at(extras, at));
        if (extra.low > extra.high) break;
        int64_t one = first_free_of(search->question, window, padding, extra);
        if (one < first) first = one;
        cp_arena_work(search->arena, WORK_PER_EXTRA);
    }
    return first;
}

/* Every output_padding that leaves a whole input with the padding. */
static void list_free(struct search *search, const struct cp_window *window, int64_t padding)
{
    const struct cp_choice *extras = &search->question->output_padding;
    int64_t rest = rest_of(search->question, window, padding), stride = window->stride;
    for (int64_t at = 0; at < range_count(extras); at++) {
        struct range extra = legal_extra(window, range_at(extras, at));
        if (rest < extra.high) extra.high = rest;
        int64_t added = extra.low + cp_floor_remainder(rest - extra.low, stride);
        for (; added <= extra.high && !is_done(search); added += stride)
            list_solution(search, window, padding, added, (rest - added) / stride + 1);
    }
}

/* ---- All ----------------------------------------------------------------------------------------------------------- */

/* One padding of the interval that fits. */
static void list_padding(struct search *search, const struct cp_window *window, int64_t padding)
{
    enum { WORK_PER_PADDING = 20 };
    const struct cp_solve_question *question = search->question;
    cp_arena_work(search->arena, WORK_PER_PADDING);
    if (is_free(question)) {
        list_free(search, window, padding);
        return;
    }
    int64_t added = 0;
    if (question->operation == CP_TRACED_TRANSPOSED)
        added = question->output - output_with(question, *window, padding, question->input);
    list_solution(search, window, padding, added, question->input);
}

/* The paddings of a range, or values, that fit and are of the class. */
static void list_paddings(struct search *search, const struct cp_window *window, int64_t span,
                          const struct cp_choice *paddings, struct range fitting)
{
    if (search->class != OTHER) {
        int64_t padding = search->class == HALF ? (span - 1) / 2 : 0;
        bool fits = padding >= fitting.low && padding <= fitting.high && choice_has(paddings, padding);
        if (fits && class_of(padding, span) == search->class) list_padding(search, window, padding);
        return;
    }
    int64_t at = choice_position(paddings, fitting.low), end = choice_position(paddings, fitting.high + 1);
    while (at < end && !is_done(search)) {
        int64_t padding = choice_at(paddings, at);
        int64_t next = is_free(search->question) ? first_free(search, window, padding) : padding;
        if (next == padding && class_of(padding, span) == OTHER) list_padding(search, window, padding);
        at = next == padding ? at + 1 : choice_position(paddings, next);
    }
}

static void take_paddings(struct search *search, const struct cp_window *window, int64_t span, struct range fitting)
{
    const struct cp_solve_question *question = search->question;
    struct cp_choice range = question->padding_given ? question->padding : (struct cp_choice){0, span - 1, NULL, 0};
    int64_t fit = choice_position(&range, fitting.high + 1) - choice_position(&range, fitting.low);
    if (fit <= 0) return;
    if (search->listing)
        list_paddings(search, window, span, &range, fitting);
    else if (is_free(question))
        count_free(search, window, &range);
    else
        count_solutions(search, fit);
}

/* How many combinations a window is: values of output_padding are tried one by one, ranges at once; where no input is
 * given, each with every value of padding. */
static int64_t combinations_of(const struct cp_solve_question *question, const struct cp_window *window)
{
    const struct cp_choice *extras = &question->output_padding, *paddings = &question->padding;
    if (question->operation != CP_TRACED_TRANSPOSED || !extras->values) return 1;
    int64_t legal = choice_position(extras, most_output_padding(window) + 1);
    if (legal < 1) return 1;
    return is_free(question) && paddings->values ? legal * paddings->count : legal;
}

static void try_window(struct search *search, const struct cp_window *window)
{
    enum { WORK_PER_WINDOW = 100 };
    const struct cp_solve_question *question = search->question;
    const struct cp_choice *extras = &question->output_padding;
    int64_t span;
    cp_arena_work(search->arena, WORK_PER_WINDOW);
    if (!search->listing) search->solutions->combinations += combinations_of(question, window);
    if (is_done(search) || !cp_window_span(window, &span)) return;
    struct range allowed = allowed_paddings(question, span);
    if (is_free(question)) {
        take_paddings(search, window, span, allowed);
        return;
    }
    for (int64_t at = 0; at < range_count(extras); at++) {
        struct range extra = legal_extra(window, range_at(extras, at));
        if (extra.low > extra.high) return;
        take_paddings(search, window, span, fitting_paddings(question, window, allowed, extra));
    }
}

static void try_kernels(struct search *search, struct cp_window window)
{
    const struct cp_choice *kernels = &search->question->kernel_size;
    bool to_kernel = !search->question->stride_given && window.stride > CP_SOLVE_STRIDE; /* no stride beyond it */
    int64_t at = to_kernel ? choice_position(kernels, window.stride) : 0;
    for (; at < choice_count(kernels) && !is_done(search); at++) {
        window.kernel = choice_at(kernels, at);
        if (!search->listing || (window.kernel % 2 == 0) == search->even) try_window(search, &window);
    }
}

static void try_all(struct search *search)
{
    const struct cp_solve_question *question = search->question;
    struct cp_window window = {0};
    for (int64_t stride = 0; stride < choice_count(&question->stride) && !is_done(search); stride++) {
        window.stride = choice_at(&question->stride, stride);
        for (int64_t dilation = 0; dilation < choice_count(&question->dilation) && !is_done(search); dilation++) {
            window.dilation = choice_at(&question->dilation, dilation);
            for (int64_t ceil = 0; ceil < choice_count(&question->ceil_mode); ceil++) {
                window.rounding = choice_at(&question->ceil_mode, ceil) ? CP_ROUND_CEIL : CP_ROUND_FLOOR;
                try_kernels(search, window);
            }
        }
    }
}

void cp_solve(struct cp_solutions *solutions, const struct cp_solve_question *question, struct cp_arena *arena)
{
    struct search search = {.question = question, .solutions = solutions, .arena = arena};
    *solutions = (struct cp_solutions){0};
    try_all(&search);
    if (is_done(&search)) return;
    search.listing = true;
    search.most_listed = solutions->count < CP_MAX_SOLUTIONS_LISTED ? solutions->count : CP_MAX_SOLUTIONS_LISTED;
    solutions->listed = CP_NEW_ARRAY(arena, struct cp_solution, search.most_listed);
    for (int even = 0; even < 2; even++)
        for (int class = HALF; class < PADDING_CLASSES; class ++) {
            search.even = even;
            search.class = (enum padding_class) class;
            try_all(&search);
        }
}
