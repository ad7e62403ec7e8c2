/* POST /v1/solve: all parameters of a layer that turn one size into another, and all sizes that they do so to. */
#include <stdlib.h>

#include "core/nearest.h"
#include "core/solve.h"
#include "server/budgets.h"
#include "server/endpoints/endpoints.h"
#include "server/plan_writing.h"
#include "server/reading.h"

/* ---- Types -------------------------------------------------------------------------------------------------------- */

static const char *const convolution_members[] = {"type",   "output",  "input",    "kernel_size",
                                                  "stride", "padding", "dilation", NULL};
static const char *const transposed_members[] = {"type",    "output",   "input",          "kernel_size", "stride",
                                                 "padding", "dilation", "output_padding", NULL};
static const char *const max_pool_members[] = {"type",    "output",   "input",     "kernel_size", "stride",
                                               "padding", "dilation", "ceil_mode", NULL};
static const char *const pool_members[] = {"type",   "output",  "input",     "kernel_size",
                                           "stride", "padding", "ceil_mode", NULL};
static const char *const all_members[] = {"type",    "output",   "input",          "kernel_size", "stride",
                                          "padding", "dilation", "output_padding", "ceil_mode",   NULL};
enum { REQUIRED_MEMBERS = 2 };

struct solvable {
    const char *names[1 + CP_MAX_AXES]; /* without a digit, and by axes */
    enum cp_traced operation;
    int most_axes;
    const char *const *members;
};

static const struct solvable solvables[] = {
    {{"Conv", "Conv1d", "Conv2d", "Conv3d"}, CP_TRACED_CONVOLUTION, 3, convolution_members},
    {{"ConvTranspose", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"},
     CP_TRACED_TRANSPOSED,
     3,
     transposed_members},
    {{"MaxPool", "MaxPool1d", "MaxPool2d", "MaxPool3d"}, CP_TRACED_POOLING, 3, max_pool_members},
    {{"AvgPool", "AvgPool1d", "AvgPool2d", "AvgPool3d"}, CP_TRACED_POOLING, 3, pool_members},
    {{"LPPool", "LPPool1d", "LPPool2d"}, CP_TRACED_POOLING, 2, pool_members},
};
enum { SOLVABLE_COUNT = sizeof solvables / sizeof solvables[0], NAME_COUNT = SOLVABLE_COUNT * (1 + CP_MAX_AXES) };

/* Stands for a type that is missing or wrong, so that what is wrong with the other members is said too. */
static const struct solvable unknown_type = {{""}, CP_TRACED_CONVOLUTION, CP_MAX_AXES, all_members};

/* Of all types one after another. */
static struct cp_text name_at(const void *list, int64_t index)
{
    (void)list;
    const struct solvable *type = &solvables[index / (1 + CP_MAX_AXES)];
    int64_t axes = index % (1 + CP_MAX_AXES);
    return cp_text_of(type->names[axes <= type->most_axes ? axes : 0]);
}

/* "Conv2d" or "Conv"; *axes is 0 without a digit. */
static const struct solvable *find_type(struct cp_text name, int *axes)
{
    for (int64_t at = 0; at < NAME_COUNT; at++) {
        *axes = (int)(at % (1 + CP_MAX_AXES));
        if (cp_text_equal(name, name_at(NULL, at))) return &solvables[at / (1 + CP_MAX_AXES)];
    }
    return NULL;
}

/* ---- Reading ------------------------------------------------------------------------------------------------------ */

struct problem {
    const struct solvable *type;
    struct cp_text name; /* of the type, as written */
    int axes;            /* of the type; 0: as many as the lists have */
    struct cp_solve_question common;
    bool per_axis;
    int axis_count; /* of the answer */
    int64_t input[CP_MAX_AXES], output[CP_MAX_AXES];
};

static const struct cp_path root = {0};

static const struct solvable *read_type(struct cp_reader *reader, const struct cp_json *request, int *axes)
{
    const struct cp_json *value = cp_json_member(request, CP_TEXT("type"));
    struct cp_path path = CP_PATH_MEMBER(&root, CP_TEXT("type"));
    if (!value) return &unknown_type; /* it is among the required members */
    if (cp_json_type(value) != CP_JSON_STRING) {
        cp_read_wrong(reader, CP_CODE_wrong_type, &path, "the name of a layer type", value);
        return &unknown_type;
    }
    const struct solvable *type = find_type(cp_json_text(value), axes);
    if (type) return type;
    int64_t nearest = cp_nearest(cp_json_text(value), NAME_COUNT, name_at, NULL);
    struct cp_text hint = nearest < 0
                              ? CP_TEXT("Conv, ConvTranspose, MaxPool, AvgPool and LPPool, or Conv2d and the like")
                              : cp_did_you_mean(reader->arena, name_at(NULL, nearest));
    cp_problem_add(
        &reader->problems, CP_CODE_unknown_word, &path,
        CP_ARGUMENTS(cp_name(cp_json_text(value)), cp_words("the layers that can be solved for"), cp_name(hint)));
    return &unknown_type;
}

static void read_number(struct cp_reader *reader, const struct cp_json *value, const struct cp_path *at, int64_t least,
                        int64_t *number)
{
    struct cp_member member = {.type = CP_MEMBER_INTEGER, .minimum = least, .maximum = CP_MAX_SOLVE_NUMBER};
    cp_read_layer_member(reader, value, at, &member, 0, number);
}

static void read_range(struct cp_reader *reader, const struct cp_json *range, const struct cp_path *at, int64_t least,
                       struct cp_choice *choice)
{
    static const char *const known[] = {"max", "min", NULL};
    uint32_t before = reader->problems.count;
    cp_read_known_members(reader, range, at, known, 1);
    *choice = (struct cp_choice){.least = least};
    for (const struct cp_json *value = cp_json_first(range); value; value = cp_json_next(value)) {
        struct cp_path path = CP_PATH_MEMBER(at, cp_json_name(value));
        if (cp_text_is(cp_json_name(value), "min")) read_number(reader, value, &path, least, &choice->least);
        if (cp_text_is(cp_json_name(value), "max")) read_number(reader, value, &path, least, &choice->most);
    }
    if (reader->problems.count == before && choice->most < choice->least)
        cp_problem_add(&reader->problems, CP_CODE_out_of_range, at,
                       CP_ARGUMENTS(cp_words("a range whose max is at least its min"), cp_words("an empty one")));
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* Sorted, each once. */
static void settle_list(struct cp_choice *choice, int64_t *values, int64_t count)
{
    qsort(values, (size_t)count, sizeof *values, by_size);
    int64_t kept = 0;
    for (int64_t at = 0; at < count; at++)
        if (at == 0 || values[at] != values[at - 1]) values[kept++] = values[at];
    *choice = (struct cp_choice){.values = values, .count = kept};
}

static bool list_fits(struct cp_reader *reader, const struct cp_json *list, const struct cp_path *at)
{
    if (cp_json_count(list) >= 1 && cp_json_count(list) <= CP_MAX_SOLVE_LIST) return true;
    cp_read_wrong(reader, CP_CODE_wrong_length, at, "1 to 1000 values, or a range", list);
    return false;
}

/* A number, a list or a range; false when the parameter is not there. */
static bool read_choice(struct cp_reader *reader, const struct cp_json *request, const char *name, int64_t least,
                        struct cp_choice *choice)
{
    const struct cp_json *value = cp_json_member(request, cp_text_of(name));
    struct cp_path path = CP_PATH_MEMBER(&root, cp_text_of(name));
    if (!value) return false;
    if (cp_json_type(value) == CP_JSON_NUMBER) {
        read_number(reader, value, &path, least, &choice->least);
        *choice = (struct cp_choice){.least = choice->least, .most = choice->least};
    } else if (cp_json_type(value) == CP_JSON_OBJECT) {
        read_range(reader, value, &path, least, choice);
    } else if (cp_json_type(value) != CP_JSON_ARRAY) {
        cp_read_wrong(reader, CP_CODE_wrong_type, &path, "an integer, a list of them, or {\"min\", \"max\"}", value);
    } else if (list_fits(reader, value, &path)) {
        int64_t *values = CP_NEW_ARRAY(reader->arena, int64_t, cp_json_count(value)), index = 0;
        for (const struct cp_json *one = cp_json_first(value); one; one = cp_json_next(one), index++) {
            struct cp_path element = CP_PATH_INDEX(&path, index);
            values[index] = least;
            read_number(reader, one, &element, least, &values[index]);
        }
        settle_list(choice, values, index);
    }
    return true;
}

/* true, false, or a list of both. */
static void read_ceil_mode(struct cp_reader *reader, const struct cp_json *request, struct cp_choice *choice)
{
    const struct cp_json *value = cp_json_member(request, CP_TEXT("ceil_mode"));
    struct cp_path path = CP_PATH_MEMBER(&root, CP_TEXT("ceil_mode"));
    static const struct cp_member boolean = {.type = CP_MEMBER_BOOLEAN};
    bool seen[2] = {false, false}, ceil = false;
    if (!value) return;
    if (cp_json_type(value) != CP_JSON_ARRAY) {
        cp_read_layer_member(reader, value, &path, &boolean, 0, &ceil);
        *choice = (struct cp_choice){.least = ceil, .most = ceil};
        return;
    }
    int64_t index = 0;
    if (!list_fits(reader, value, &path)) return;
    for (const struct cp_json *one = cp_json_first(value); one; one = cp_json_next(one), index++) {
        struct cp_path element = CP_PATH_INDEX(&path, index);
        cp_read_layer_member(reader, one, &element, &boolean, 0, &ceil);
        seen[ceil] = true;
    }
    *choice = (struct cp_choice){.least = !seen[0], .most = seen[1]};
}

static void read_parameters(struct cp_reader *reader, const struct cp_json *request, struct cp_solve_question *common)
{
    common->kernel_size = (struct cp_choice){.least = 1, .most = CP_SOLVE_KERNEL_SIZE};
    common->dilation = (struct cp_choice){.least = 1, .most = 1};
    common->output_padding = (struct cp_choice){.least = 0, .most = CP_MAX_SOLVE_NUMBER};
    (void)!read_choice(reader, request, "kernel_size", 1, &common->kernel_size);
    (void)!read_choice(reader, request, "dilation", 1, &common->dilation);
    (void)!read_choice(reader, request, "output_padding", 0, &common->output_padding);
    common->stride_given = read_choice(reader, request, "stride", 1, &common->stride);
    common->padding_given = read_choice(reader, request, "padding", 0, &common->padding);
    read_ceil_mode(reader, request, &common->ceil_mode);
    if (common->stride_given) return;
    const struct cp_choice *kernels = &common->kernel_size;
    int64_t widest = kernels->values ? kernels->values[kernels->count - 1] : kernels->most;
    common->stride = (struct cp_choice){.least = 1, .most = widest > CP_SOLVE_STRIDE ? widest : CP_SOLVE_STRIDE};
}

/* A size for all axes, or a list with one for each. */
static void read_sizes(struct cp_reader *reader, const struct cp_json *request, const char *name,
                       struct problem *problem, int64_t sizes[CP_MAX_AXES])
{
    const struct cp_json *value = cp_json_member(request, cp_text_of(name));
    struct cp_path path = CP_PATH_MEMBER(&root, cp_text_of(name));
    if (!value) return;
    if (cp_json_type(value) != CP_JSON_ARRAY) {
        int64_t all = 1;
        if (cp_json_type(value) == CP_JSON_NUMBER)
            read_number(reader, value, &path, 1, &all);
        else
            cp_read_wrong(reader, CP_CODE_wrong_type, &path, "an integer, or a list with one per axis", value);
        for (int axis = 0; axis < CP_MAX_AXES; axis++) sizes[axis] = all;
        return;
    }
    int count = (int)cp_json_count(value), index = 0;
    int axes = problem->axes ? problem->axes : problem->per_axis ? problem->axis_count : count;
    if (count < 1 || count > problem->type->most_axes || count != axes) {
        cp_read_wrong(reader, CP_CODE_wrong_length, &path, "one size for each axis", value);
        return;
    }
    problem->per_axis = true;
    problem->axis_count = count;
    for (const struct cp_json *one = cp_json_first(value); one; one = cp_json_next(one), index++) {
        struct cp_path element = CP_PATH_INDEX(&path, index);
        read_number(reader, one, &element, 1, &sizes[index]);
    }
}

static bool read_problem(struct cp_reader *reader, struct cp_text body, struct problem *problem)
{
    const struct cp_json *request = cp_read_body(reader, body);
    *problem = (struct problem){.axis_count = 1};
    if (!request) return false;
    problem->type = read_type(reader, request, &problem->axes);
    if (problem->type != &unknown_type) problem->name = cp_json_text(cp_json_member(request, CP_TEXT("type")));
    cp_read_known_members(reader, request, NULL, problem->type->members, REQUIRED_MEMBERS);
    problem->common.operation = problem->type->operation;
    read_parameters(reader, request, &problem->common);
    read_sizes(reader, request, "input", problem, problem->input);
    read_sizes(reader, request, "output", problem, problem->output);
    return reader->problems.count == 0;
}

/* ---- Writing ------------------------------------------------------------------------------------------------------ */

static void write_solution(struct cp_writer *writer, const struct problem *problem, const struct cp_solution *solution)
{
    const struct cp_window *window = &solution->axis.window;
    cp_write_object_begin(writer);
    CP_WRITE_NAME(writer, "kernel_size");
    cp_write_integer(writer, window->kernel);
    CP_WRITE_NAME(writer, "stride");
    cp_write_integer(writer, window->stride);
    CP_WRITE_NAME(writer, "padding");
    cp_write_integer(writer, window->pad_begin);
    if (problem->type->members != pool_members) {
        CP_WRITE_NAME(writer, "dilation");
        cp_write_integer(writer, window->dilation);
    }
    if (problem->type->operation == CP_TRACED_TRANSPOSED) {
        CP_WRITE_NAME(writer, "output_padding");
        cp_write_integer(writer, solution->axis.output_padding);
    }
    if (problem->type->operation == CP_TRACED_POOLING) {
        CP_WRITE_NAME(writer, "ceil_mode");
        cp_write_boolean(writer, window->rounding == CP_ROUND_CEIL);
    }
    if (problem->input[0] == 0) {
        CP_WRITE_NAME(writer, "input");
        cp_write_object_begin(writer);
        CP_WRITE_NAME(writer, "min");
        cp_write_integer(writer, solution->axis.input);
        CP_WRITE_NAME(writer, "max");
        cp_write_integer(writer, solution->most_input);
        cp_write_object_end(writer);
    }
    CP_WRITE_NAME(writer, "relationship");
    cp_write_count(writer, solution->relationship ? solution->relationship : CP_UNKNOWN);
    cp_write_object_end(writer);
}

/* The members "count", "solutions" and "truncated". */
static void write_solutions(struct cp_writer *writer, const struct problem *problem,
                            const struct cp_solutions *solutions)
{
    CP_WRITE_NAME(writer, "count");
    cp_write_integer(writer, solutions->count);
    CP_WRITE_NAME(writer, "solutions");
    cp_write_array_begin(writer);
    for (int64_t at = 0; at < solutions->listed_count; at++) write_solution(writer, problem, &solutions->listed[at]);
    cp_write_array_end(writer);
    CP_WRITE_NAME(writer, "truncated");
    cp_write_boolean(writer, solutions->listed_count < solutions->count);
}

static bool all_solved(const struct problem *problem, const struct cp_solutions *solutions)
{
    for (int axis = 0; axis < problem->axis_count; axis++)
        if (solutions[axis].count == 0) return false;
    return true;
}

/* What cannot be done on an axis, as a finding at the output. */
static void write_unsolved(struct cp_writer *writer, const struct problem *problem, int axis)
{
    const struct cp_status *status = &cp_statuses[CP_CODE_no_solution];
    const char *letter = problem->per_axis ? cp_axis_letter(axis, problem->axis_count) : NULL;
    int64_t input = problem->input[axis];
    struct cp_text sizes = cp_message(writer->arena, input ? "turns {0} into {1}" : "gives {1} from any input",
                                      CP_ARGUMENTS(cp_number(input), cp_number(problem->output[axis])));
    cp_write_object_begin(writer);
    CP_WRITE_NAME(writer, "code");
    cp_write_string(writer, status->code);
    CP_WRITE_NAME(writer, "severity");
    cp_write_string(writer, "error");
    CP_WRITE_NAME(writer, "layer");
    cp_write_null(writer);
    CP_WRITE_NAME(writer, "pointer");
    cp_write_string(writer, "/output");
    CP_WRITE_NAME(writer, "axis");
    if (letter)
        cp_write_string(writer, letter);
    else
        cp_write_null(writer);
    CP_WRITE_NAME(writer, "detail");
    cp_write_text(writer,
                  cp_message(writer->arena, status->detail, CP_ARGUMENTS(cp_name(problem->name), cp_name(sizes))));
    CP_WRITE_NAME(writer, "suggestion");
    cp_write_string(writer, status->suggestion);
    cp_write_object_end(writer);
}

static void write_axes(struct cp_writer *writer, const struct problem *problem, const struct cp_solutions *solutions)
{
    CP_WRITE_NAME(writer, "axes");
    cp_write_array_begin(writer);
    for (int axis = 0; axis < problem->axis_count; axis++) {
        cp_write_object_begin(writer);
        CP_WRITE_NAME(writer, "axis");
        cp_write_string(writer, cp_axis_letter(axis, problem->axis_count));
        write_solutions(writer, problem, &solutions[axis]);
        cp_write_object_end(writer);
    }
    cp_write_array_end(writer);
}

static void write_answer(struct cp_writer *writer, const struct problem *problem, const struct cp_solutions *solutions)
{
    cp_write_object_begin(writer);
    CP_WRITE_NAME(writer, "valid");
    cp_write_boolean(writer, all_solved(problem, solutions));
    if (problem->per_axis)
        write_axes(writer, problem, solutions);
    else
        write_solutions(writer, problem, &solutions[0]);
    CP_WRITE_NAME(writer, "findings");
    cp_write_array_begin(writer);
    for (int axis = 0; axis < problem->axis_count; axis++)
        if (solutions[axis].count == 0) write_unsolved(writer, problem, axis);
    cp_write_array_end(writer);
    cp_write_object_end(writer);
}

/* ---- The endpoint ------------------------------------------------------------------------------------------------- */

static bool solve_axis(struct cp_reader *reader, const struct problem *problem, int axis,
                       struct cp_solutions *solutions)
{
    struct cp_solve_question question = problem->common;
    question.input = problem->input[axis];
    question.output = problem->output[axis];
    question.most_combinations = cp_budgets.solve_combinations;
    cp_solve(solutions, &question, reader->arena);
    if (solutions->combinations > cp_budgets.solve_combinations)
        cp_problem_add(&reader->problems, CP_CODE_limit_exceeded, NULL,
                       CP_ARGUMENTS(cp_words("combinations of parameters to try"), cp_words("more than that"),
                                    cp_number(cp_budgets.solve_combinations)));
    else if (solutions->too_many)
        cp_problem_add(&reader->problems, CP_CODE_limit_exceeded, NULL,
                       CP_ARGUMENTS(cp_words("solutions"), cp_words("more"), cp_words("2^53 − 1")));
    return reader->problems.count == 0;
}

void cp_endpoint_solve(struct cp_exchange *exchange)
{
    enum { BYTES_PER_SOLUTION = 128, BYTES_AROUND = 512 };
    struct cp_reader reader;
    struct problem problem;
    struct cp_solutions solutions[CP_MAX_AXES] = {0};
    struct cp_writer writer;
    size_t listed = 0;
    cp_reader_begin(&reader, exchange->arena);
    bool right = read_problem(&reader, exchange->request->body, &problem);
    cp_enter(exchange, CP_COMPUTING);
    for (int axis = 0; right && axis < problem.axis_count; axis++) {
        right = solve_axis(&reader, &problem, axis, &solutions[axis]);
        if (right) listed += (size_t)solutions[axis].listed_count;
    }
    cp_enter(exchange, CP_ENCODING);
    if (!right) {
        cp_problems_reply(&reader.problems, exchange->reply);
        return;
    }
    cp_writer_begin(&writer, exchange->arena, BYTES_AROUND + BYTES_PER_SOLUTION * listed);
    write_answer(&writer, &problem, solutions);
    cp_reply_json(exchange, &writer);
}
