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

/* ---- One combination of kernel, stride, dilation and rounding ------------------------------------------------------ */

/* Paddings, both ends included; none when low > high. */
struct paddings {
    int64_t low, high;
};

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
static int64_t first_past(const struct cp_solve_question *question, const struct cp_window *window,
                          struct paddings range, int64_t input, int64_t bound)
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
static struct paddings allowed_paddings(const struct cp_solve_question *question, int64_t span)
{
    struct paddings range = {question->padding.least, question->padding.most};
    if (question->padding.values) {
        range.low = question->padding.values[0];
        range.high = question->padding.values[question->padding.count - 1];
    }
    if (!question->padding_given) range = (struct paddings){0, span - 1};
    if (question->operation == CP_TRACED_POOLING && range.high > span / 2) range.high = span / 2;
    return range;
}

/* Those with which some input, or the one given, yields the output; `extra`: the range of output_padding. */
static struct paddings fitting_paddings(const struct cp_solve_question *question, const struct cp_window *window,
                                        struct paddings range, struct paddings extra)
{
    int64_t output = question->output, input = question->input ? question->input : 1;
    if (question->operation == CP_TRACED_TRANSPOSED) {
        if (!question->input) return range;
        return (struct paddings){first_past(question, window, range, input, output - extra.low),
                                 first_past(question, window, range, input, output - extra.high - 1) - 1};
    }
    int64_t last = first_past(question, window, range, input, output + 1) - 1;
    return (struct paddings){question->input ? first_past(question, window, range, input, output) : range.low, last};
}

/* Legal and asked for. */
static struct paddings extra_range(const struct cp_solve_question *question, const struct cp_window *window)
{
    int64_t most = (window->stride > window->dilation ? window->stride : window->dilation) - 1;
    if (question->operation != CP_TRACED_TRANSPOSED) return (struct paddings){0, 0};
    if (question->output_padding.values) return (struct paddings){0, most};
    if (most > question->output_padding.most) most = question->output_padding.most;
    return (struct paddings){question->output_padding.least, most};
}

/* ---- Solutions ----------------------------------------------------------------------------------------------------- */

struct search {
    const struct cp_solve_question *question;
    struct cp_solutions *solutions;
    struct cp_arena *arena;
    bool listing;                                                    /* else counting */
    bool even;                                                       /* listing: which kernels */
    enum padding_class { HALF, NONE, OTHER, PADDING_CLASSES } class; /* listing: which paddings */
};

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
    if (solutions->listed_count == CP_MAX_SOLUTIONS_LISTED) return;
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

/* One padding of a transposed layer whose input is free: every output_padding that leaves a whole input. */
static void spread_free(struct search *search, const struct cp_window *window, int64_t padding, struct paddings extra)
{
    int64_t rest = search->question->output - output_with(search->question, *window, padding, 1);
    for (int64_t added = cp_floor_remainder(rest, window->stride); added <= extra.high; added += window->stride) {
        if (added < extra.low || added > rest) continue;
        if (search->question->output_padding.values && !choice_has(&search->question->output_padding, added)) continue;
        if (search->listing)
            list_solution(search, window, padding, added, (rest - added) / window->stride + 1);
        else
            count_solutions(search, 1);
    }
}

/* One padding of the interval that fits. */
static void take_padding(struct search *search, const struct cp_window *window, int64_t padding, struct paddings extra)
{
    enum { WORK_PER_PADDING = 20 };
    const struct cp_solve_question *question = search->question;
    cp_arena_work(search->arena, WORK_PER_PADDING);
    if (question->operation == CP_TRACED_TRANSPOSED && !question->input) {
        spread_free(search, window, padding, extra);
        return;
    }
    int64_t added = 0;
    if (question->operation == CP_TRACED_TRANSPOSED)
        added = question->output - output_with(question, *window, padding, question->input);
    list_solution(search, window, padding, added, question->input);
}

static int64_t class_of_interest(const struct search *search, int64_t span)
{
    return search->class == HALF ? (span - 1) / 2 : 0;
}

/* All paddings of an interval, as far as they are chosen: one by one when listing and where each has several solutions,
 * else only counted. */
static void take_paddings(struct search *search, const struct cp_window *window, int64_t span, struct paddings fitting,
                          struct paddings extra)
{
    const struct cp_solve_question *question = search->question;
    struct cp_choice range = question->padding_given ? question->padding : (struct cp_choice){0, span - 1, NULL, 0};
    int64_t begin = choice_position(&range, fitting.low), end = choice_position(&range, fitting.high + 1);
    bool each = search->listing || (question->operation == CP_TRACED_TRANSPOSED && !question->input);
    if (begin >= end) return;
    if (!each) {
        count_solutions(search, end - begin);
        return;
    }
    if (search->listing && search->class != OTHER) {
        int64_t padding = class_of_interest(search, span);
        bool fits = padding >= fitting.low && padding <= fitting.high && choice_has(&range, padding);
        if (fits && class_of(padding, span) == search->class) take_padding(search, window, padding, extra);
        return;
    }
    for (int64_t at = begin; at < end && search->solutions->listed_count < CP_MAX_SOLUTIONS_LISTED; at++) {
        int64_t padding = choice_at(&range, at);
        if (!search->listing || class_of(padding, span) == OTHER) take_padding(search, window, padding, extra);
    }
}

static void try_window(struct search *search, const struct cp_window *window)
{
    enum { WORK_PER_WINDOW = 100 };
    const struct cp_solve_question *question = search->question;
    int64_t span;
    cp_arena_work(search->arena, WORK_PER_WINDOW);
    if (!question->stride_given && window->stride > CP_SOLVE_STRIDE && window->stride > window->kernel) return;
    if (!cp_window_span(window, &span)) return;
    struct paddings allowed = allowed_paddings(question, span), extra = extra_range(question, window);
    const struct cp_choice *added = &question->output_padding;
    bool each_added = question->operation == CP_TRACED_TRANSPOSED && question->input && added->values;
    for (int64_t at = 0; each_added && at < added->count && added->values[at] <= extra.high; at++) {
        struct paddings one = {added->values[at], added->values[at]};
        take_paddings(search, window, span, fitting_paddings(question, window, allowed, one), one);
    }
    if (!each_added && extra.low <= extra.high)
        take_paddings(search, window, span, fitting_paddings(question, window, allowed, extra), extra);
}

static void try_kernels(struct search *search, struct cp_window window)
{
    const struct cp_choice *kernels = &search->question->kernel_size;
    for (int64_t at = 0; at < choice_count(kernels); at++) {
        window.kernel = choice_at(kernels, at);
        if (!search->listing || (window.kernel % 2 == 0) == search->even) try_window(search, &window);
        if (search->listing && search->solutions->listed_count == CP_MAX_SOLUTIONS_LISTED) return;
    }
}

static void try_all(struct search *search)
{
    const struct cp_solve_question *question = search->question;
    struct cp_window window = {0};
    for (int64_t stride = 0; stride < choice_count(&question->stride); stride++) {
        window.stride = choice_at(&question->stride, stride);
        for (int64_t dilation = 0; dilation < choice_count(&question->dilation); dilation++) {
            window.dilation = choice_at(&question->dilation, dilation);
            for (int64_t ceil = 0; ceil < choice_count(&question->ceil_mode); ceil++) {
                window.rounding = choice_at(&question->ceil_mode, ceil) ? CP_ROUND_CEIL : CP_ROUND_FLOOR;
                try_kernels(search, window);
            }
        }
    }
}

/* How much there is to go through; CP_MAX_COUNT where it is more than that. */
static int64_t combinations_of(const struct cp_solve_question *question)
{
    int64_t total = choice_count(&question->kernel_size);
    bool transposed = question->operation == CP_TRACED_TRANSPOSED;
    struct cp_choice paddings = question->padding;
    if (!question->padding_given) { /* up to k̂ − 1 each */
        const struct cp_choice *kernels = &question->kernel_size, *dilations = &question->dilation;
        struct cp_window widest = {.kernel = choice_at(kernels, choice_count(kernels) - 1),
                                   .dilation = choice_at(dilations, choice_count(dilations) - 1)};
        paddings = (struct cp_choice){.most = CP_MAX_COUNT - 1};
        int64_t span;
        if (cp_window_span(&widest, &span)) paddings.most = span - 1;
    }
    bool fits = cp_multiply(total, choice_count(&question->stride), &total) &&
                cp_multiply(total, choice_count(&question->dilation), &total) &&
                cp_multiply(total, choice_count(&question->ceil_mode), &total);
    if (fits && transposed && !question->input) /* output_padding repeats after a stride, up to the dilation */
        fits = cp_multiply(total, choice_count(&paddings), &total) &&
               cp_multiply(total, choice_at(&question->dilation, choice_count(&question->dilation) - 1), &total);
    if (fits && transposed && question->output_padding.values)
        fits = cp_multiply(total, question->output_padding.count, &total);
    return fits ? total : CP_MAX_COUNT;
}

void cp_solve(struct cp_solutions *solutions, const struct cp_solve_question *question, struct cp_arena *arena)
{
    struct search search = {.question = question, .solutions = solutions, .arena = arena};
    *solutions = (struct cp_solutions){.combinations = combinations_of(question)};
    if (solutions->combinations > question->most_combinations) return;
    try_all(&search);
    int64_t listed = solutions->count < CP_MAX_SOLUTIONS_LISTED ? solutions->count : CP_MAX_SOLUTIONS_LISTED;
    solutions->listed = CP_NEW_ARRAY(arena, struct cp_solution, listed);
    search.listing = true;
    for (int even = 0; even < 2; even++)
        for (int class = HALF; class < PADDING_CLASSES && solutions->listed_count < listed; class ++) {
            search.even = even;
            search.class = (enum padding_class) class;
            try_all(&search);
        }
}
