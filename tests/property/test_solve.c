/* /v1/solve against full enumeration with the plain planner: random questions on one axis. The planner judges each
 * combination of parameters as a layer of a stack, so what is legal in a layer is legal here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/layers/parameters.h"
#include "core/solve.h"
#include "server/memory.h"
#include "tests/property/random.h"

enum {
    SEED = 8151,
    QUESTIONS = 300, /* of each kind */
    MEMORY_LIMIT = 1 << 28,
    MOST_OUTPUT = 14,
    MOST_INPUT = 130, /* inputs looked at when they are free; more than any of the questions can need */
};

/* ---- Questions ---------------------------------------------------------------------------------------------------- */

static struct cp_random random_state;

static int64_t draw(int64_t least, int64_t most)
{
    return cp_random_within(&random_state, (int)least, (int)most);
}

struct lists {
    int64_t values[6][8];
    int used;
};

/* A number, a range or a list of values that rise. */
static struct cp_choice draw_choice(struct lists *lists, int64_t least, int64_t most)
{
    struct cp_choice choice = {.least = draw(least, most)};
    int64_t way = draw(0, 2);
    choice.most = way == 0 ? choice.least : draw(choice.least, most);
    if (way < 2) return choice;
    int64_t *values = lists->values[lists->used++];
    choice = (struct cp_choice){.values = values};
    for (int64_t value = least; value <= most && choice.count < 8; value++)
        if (draw(0, 1)) values[choice.count++] = value;
    if (choice.count == 0) values[choice.count++] = least;
    return choice;
}

static const enum cp_traced operations[] = {CP_TRACED_CONVOLUTION, CP_TRACED_POOLING, CP_TRACED_TRANSPOSED};
static const char *const names[] = {"Conv1d", "MaxPool1d", "ConvTranspose1d"};

static struct cp_solve_question draw_question(struct lists *lists, int kind)
{
    struct cp_solve_question question = {
        .operation = operations[kind], .output = draw(1, MOST_OUTPUT), .most_combinations = CP_MAX_SOLVE_COMBINATIONS};
    lists->used = 0;
    if (draw(0, 3)) question.input = draw(1, 40);
    question.kernel_size = draw_choice(lists, 1, 7);
    question.dilation = draw(0, 1) ? (struct cp_choice){.least = 1, .most = 1} : draw_choice(lists, 1, 4);
    question.stride_given = draw(0, 1);
    question.padding_given = draw(0, 1);
    question.stride = (struct cp_choice){.least = 1, .most = 7};
    if (question.stride_given) question.stride = draw_choice(lists, 1, 5);
    if (question.padding_given) question.padding = draw_choice(lists, 0, 6);
    question.output_padding = (struct cp_choice){.least = 0, .most = CP_MAX_SOLVE_NUMBER};
    if (draw(0, 1)) question.output_padding = draw_choice(lists, 0, 4);
    if (kind == 1) question.ceil_mode = (struct cp_choice){.least = 0, .most = draw(0, 1)};
    if (kind != 2) question.output_padding = (struct cp_choice){0};
    return question;
}

static bool has(const struct cp_choice *choice, int64_t value)
{
    if (!choice->values) return value >= choice->least && value <= choice->most;
    for (int64_t at = 0; at < choice->count; at++)
        if (choice->values[at] == value) return true;
    return false;
}

static void print_choice(const char *name, const struct cp_choice *choice)
{
    fprintf(stderr, " %s %lld…%lld [", name, (long long)choice->least, (long long)choice->most);
    for (int64_t at = 0; choice->values && at < choice->count; at++)
        fprintf(stderr, " %lld", (long long)choice->values[at]);
    fprintf(stderr, "]");
}

static void print_question(const struct cp_solve_question *question)
{
    fprintf(stderr, "operation %d, input %lld, output %lld,", question->operation, (long long)question->input,
            (long long)question->output);
    print_choice("kernel_size", &question->kernel_size);
    print_choice(question->stride_given ? "stride" : "(stride)", &question->stride);
    print_choice("dilation", &question->dilation);
    print_choice(question->padding_given ? "padding" : "(padding)", &question->padding);
    print_choice("output_padding", &question->output_padding);
    print_choice("ceil_mode", &question->ceil_mode);
    fprintf(stderr, "\n");
}

/* ---- Enumeration -------------------------------------------------------------------------------------------------- */

/* One layer as the planner sees it; 0: not legal, or another size than any. */
static int64_t planned_output(int kind, const struct cp_solution *layer, int64_t input, struct cp_arena *arena)
{
    struct cp_plan plan;
    const struct cp_window *window = &layer->axis.window;
    struct cp_padding padding = {.begin = {window->pad_begin}, .end = {window->pad_end}};
    struct cp_convolution conv = {.out_channels = 1,
                                  .kernel_size = {window->kernel},
                                  .stride = {window->stride},
                                  .dilation = {window->dilation},
                                  .groups = 1,
                                  .padding = padding,
                                  .output_padding = {layer->axis.output_padding}};
    struct cp_pool pool = {.kernel_size = {window->kernel},
                           .stride = {window->stride},
                           .dilation = {window->dilation},
                           .padding = padding,
                           .ceil_mode = window->rounding == CP_ROUND_CEIL};
    const uint32_t source = 0;
    struct cp_layer only = {.type = cp_layer_type_find(cp_text_of(names[kind])),
                            .sources = &source,
                            .source_count = 1,
                            .params = kind == 1 ? (const void *)&pool : &conv};
    struct cp_input tensor = {.name = CP_TEXT("input"), .shape = {.rank = 3, .size = {1, 1, input}}};
    struct cp_stack stack = {.inputs = &tensor, .input_count = 1, .layers = &only, .layer_count = 1};
    cp_plan_stack(&plan, &stack, CP_PLAN_SHAPES, arena);
    return plan.valid ? plan.layers[0].output.size[2] : 0;
}

enum { MOST_SOLUTIONS = 1 << 17 };

struct enumeration {
    struct cp_solution *found;
    int count;
    int64_t combinations; /* see combinations_of */
};

static void add(struct enumeration *all, const struct cp_solution *solution)
{
    assert_in_range(all->count, 0, MOST_SOLUTIONS - 1);
    all->found[all->count++] = *solution;
}

/* Add the layer if some input yields the output. */
static void consider(const struct cp_solve_question *question, int kind, struct cp_solution *layer,
                     struct enumeration *all)
{
    int64_t first = question->input ? question->input : 1, last = question->input ? question->input : MOST_INPUT;
    struct cp_memory memory;
    cp_memory_open(&memory, NULL, MEMORY_LIMIT, NULL);
    layer->axis.input = 0;
    for (int64_t input = first; input <= last; input++) {
        int64_t output = planned_output(kind, layer, input, &memory.arena);
        if (output > question->output) break; /* no size shrinks as the input grows */
        if (output != question->output) continue;
        if (!layer->axis.input) layer->axis.input = input;
        layer->most_input = input;
    }
    cp_memory_reset(&memory);
    if (layer->axis.input) add(all, layer);
}

static bool stride_allowed(const struct cp_solve_question *question, const struct cp_window *window)
{
    if (question->stride_given) return has(&question->stride, window->stride);
    return window->stride <= 4 || window->stride <= window->kernel;
}

static bool padding_allowed(const struct cp_solve_question *question, const struct cp_window *window)
{
    if (question->padding_given) return has(&question->padding, window->pad_begin);
    return window->pad_begin <= window->dilation * (window->kernel - 1);
}

static bool window_allowed(const struct cp_solve_question *question, const struct cp_window *window)
{
    return has(&question->kernel_size, window->kernel) && stride_allowed(question, window) &&
           has(&question->dilation, window->dilation) && has(&question->ceil_mode, window->rounding == CP_ROUND_CEIL);
}

/* A window, or one for each output_padding of a list that is legal with it, then without an input also for each padding
 * of a list. */
static int64_t combinations_of(const struct cp_solve_question *question, const struct cp_window *window)
{
    const struct cp_choice *extras = &question->output_padding;
    int64_t legal = 0;
    if (question->operation != CP_TRACED_TRANSPOSED || !extras->values) return 1;
    for (int64_t at = 0; at < extras->count; at++)
        legal += extras->values[at] < window->stride || extras->values[at] < window->dilation;
    if (legal == 0) return 1;
    return question->input == 0 && question->padding.values ? legal * question->padding.count : legal;
}

static void enumerate(const struct cp_solve_question *question, int kind, struct enumeration *all)
{
    enum { MOST = 7, MOST_DILATION = 4, MOST_PADDING = 24, MOST_EXTRA = 7 };
    all->count = 0;
    all->combinations = 0;
    for (int64_t index = 0; index < 2 * MOST_DILATION * MOST * MOST; index++) {
        struct cp_solution layer = {.axis = {.output = question->output}};
        struct cp_window *window = &layer.axis.window;
        window->rounding = index % 2 ? CP_ROUND_CEIL : CP_ROUND_FLOOR;
        window->dilation = 1 + index / 2 % MOST_DILATION;
        window->stride = 1 + index / (2 * MOST_DILATION) % MOST;
        window->kernel = 1 + index / (2 * MOST_DILATION * MOST);
        if (!window_allowed(question, window)) continue;
        all->combinations += combinations_of(question, window);
        for (int64_t padding = 0; padding <= MOST_PADDING; padding++) {
            window->pad_begin = window->pad_end = padding;
            for (int64_t extra = 0; extra <= MOST_EXTRA && padding_allowed(question, window); extra++) {
                layer.axis.output_padding = extra;
                if (has(&question->output_padding, extra)) consider(question, kind, &layer, all);
            }
        }
    }
}

/* ---- Comparing ---------------------------------------------------------------------------------------------------- */

enum { KEYS = 8 };

/* The documented order. */
static void keys_of(const struct cp_solution *solution, int64_t keys[KEYS])
{
    const struct cp_window *window = &solution->axis.window;
    int64_t span = window->dilation * (window->kernel - 1) + 1;
    int64_t form = 2 * window->pad_begin == span - 1 ? 0 : window->pad_begin == 0 ? 1 : 2;
    const int64_t all[KEYS] = {
        window->kernel % 2 == 0,           form,           window->stride,    window->dilation,
        window->rounding == CP_ROUND_CEIL, window->kernel, window->pad_begin, solution->axis.output_padding};
    memcpy(keys, all, sizeof all);
}

static int by_simplicity(const void *a, const void *b)
{
    int64_t x[KEYS], y[KEYS];
    keys_of(a, x);
    keys_of(b, y);
    for (int at = 0; at < KEYS; at++)
        if (x[at] != y[at]) return x[at] < y[at] ? -1 : 1;
    return 0;
}

static const char *compare(const struct cp_solutions *solutions, struct enumeration *all)
{
    if (solutions->combinations != all->combinations) return "combinations tried";
    if (solutions->count != all->count) return "count";
    int64_t listed = all->count < CP_MAX_SOLUTIONS_LISTED ? all->count : CP_MAX_SOLUTIONS_LISTED;
    if (solutions->listed_count != listed) return "length of the list";
    qsort(all->found, (size_t)all->count, sizeof *all->found, by_simplicity);
    for (int64_t at = 0; at < listed; at++) {
        const struct cp_solution *listed_one = &solutions->listed[at], *expected = &all->found[at];
        if (by_simplicity(listed_one, expected) != 0) return "a solution, or its place";
        if (listed_one->axis.input != expected->axis.input || listed_one->most_input != expected->most_input)
            return "the inputs of a solution";
    }
    return NULL;
}

/* It ends when as many combinations have been tried, and not before. */
static const char *check_limit(struct cp_solve_question question, int64_t combinations, struct cp_arena *arena)
{
    struct cp_solutions solutions;
    question.most_combinations = draw(0, (int)combinations + 1);
    cp_solve(&solutions, &question, arena);
    bool refused = solutions.combinations > question.most_combinations;
    return refused == (combinations > question.most_combinations) ? NULL : "the limit of combinations";
}

static struct cp_solution found[MOST_SOLUTIONS];

static void check_kind(int kind)
{
    struct enumeration all = {.found = found};
    int64_t total = 0;
    int wrong = 0;
    random_state.state = SEED + (uint64_t)kind;
    for (int at = 0; at < QUESTIONS && wrong < 5; at++) {
        struct cp_memory memory;
        struct cp_solutions solutions;
        struct lists lists;
        struct cp_solve_question question = draw_question(&lists, kind);
        cp_memory_open(&memory, NULL, MEMORY_LIMIT, NULL);
        cp_solve(&solutions, &question, &memory.arena);
        enumerate(&question, kind, &all);
        const char *difference = compare(&solutions, &all);
        if (!difference) difference = check_limit(question, all.combinations, &memory.arena);
        if (difference) {
            fprintf(stderr, "question %d: %s: %lld solutions, %d by enumeration\n  ", at, difference,
                    (long long)solutions.count, all.count);
            print_question(&question);
            wrong++;
        }
        total += all.count;
        cp_memory_reset(&memory);
    }
    if (wrong) fail_msg("%d questions of %s differ from enumeration", wrong, names[kind]);
    assert_in_range(total, QUESTIONS, MOST_SOLUTIONS * QUESTIONS);
}

/* ---- Many paddings of transposed layers ---------------------------------------------------------------------------- */

enum {
    WIDE_QUESTIONS = 1500,
    MOST_WIDE_PADDING = 60,
    MOST_WIDE_OUTPUT = 80,
    MOST_WIDE_STRIDE = 12,
    MOST_WIDE_DILATION = 20
};

static struct cp_solve_question draw_wide(struct lists *lists)
{
    struct cp_solve_question question = {.operation = CP_TRACED_TRANSPOSED,
                                         .output = draw(1, MOST_WIDE_OUTPUT),
                                         .most_combinations = CP_MAX_SOLVE_COMBINATIONS,
                                         .stride_given = true,
                                         .padding_given = draw(0, 3) > 0};
    lists->used = 0;
    question.kernel_size = draw_choice(lists, 1, 4);
    question.dilation.least = question.dilation.most = draw(1, MOST_WIDE_DILATION);
    question.stride.least = draw(1, MOST_WIDE_STRIDE);
    question.stride.most = question.stride.least + draw(0, 1);
    question.padding = draw_choice(lists, 0, MOST_WIDE_PADDING);
    question.output_padding = (struct cp_choice){.least = 0, .most = CP_MAX_SOLVE_NUMBER};
    if (draw(0, 2)) question.output_padding = draw_choice(lists, 0, MOST_WIDE_DILATION);
    return question;
}

/* Every padding and output_padding of a window whose output has a whole input, by the definition. */
static void enumerate_window(const struct cp_solve_question *question, const struct cp_window *window,
                             struct enumeration *all)
{
    int64_t span = window->dilation * (window->kernel - 1) + 1;
    all->combinations += combinations_of(question, window);
    for (int64_t padding = 0; padding <= (question->padding_given ? MOST_WIDE_PADDING : span - 1); padding++) {
        if (question->padding_given && !has(&question->padding, padding)) continue;
        for (int64_t extra = 0; extra < window->stride || extra < window->dilation; extra++) {
            struct cp_solution layer = {
                .axis = {.window = *window, .output = question->output, .output_padding = extra}};
            layer.axis.window.pad_begin = layer.axis.window.pad_end = padding;
            for (int64_t input = 1; has(&question->output_padding, extra) && !layer.axis.input; input++) {
                int64_t output = window->stride * (input - 1) + span - 2 * padding + extra;
                if (output > question->output) break;
                if (output == question->output) layer.axis.input = layer.most_input = input;
            }
            if (layer.axis.input) add(all, &layer);
        }
    }
}

static void enumerate_wide(const struct cp_solve_question *question, struct enumeration *all)
{
    struct cp_window window = {.dilation = question->dilation.least};
    all->count = 0;
    all->combinations = 0;
    for (window.stride = question->stride.least; window.stride <= question->stride.most; window.stride++)
        for (window.kernel = 1; window.kernel <= 4; window.kernel++)
            if (has(&question->kernel_size, window.kernel)) enumerate_window(question, &window, all);
}

static void wide_paddings(void **unused)
{
    (void)unused;
    struct enumeration all = {.found = found};
    int wrong = 0;
    random_state.state = SEED + 3;
    for (int at = 0; at < WIDE_QUESTIONS && wrong < 5; at++) {
        struct cp_memory memory;
        struct cp_solutions solutions;
        struct lists lists;
        struct cp_solve_question question = draw_wide(&lists);
        cp_memory_open(&memory, NULL, MEMORY_LIMIT, NULL);
        cp_solve(&solutions, &question, &memory.arena);
        enumerate_wide(&question, &all);
        const char *difference = compare(&solutions, &all);
        if (difference) {
            fprintf(stderr, "question %d: %s: %lld solutions, %d by definition\n  ", at, difference,
                    (long long)solutions.count, all.count);
            print_question(&question);
            wrong++;
        }
        cp_memory_reset(&memory);
    }
    assert_int_equal(wrong, 0);
}

static void convolutions(void **unused)
{
    (void)unused;
    check_kind(0);
}

static void pools(void **unused)
{
    (void)unused;
    check_kind(1);
}

static void transposed_convolutions(void **unused)
{
    (void)unused;
    check_kind(2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(convolutions), cmocka_unit_test(pools),
                                       cmocka_unit_test(transposed_convolutions), cmocka_unit_test(wide_paddings)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
