/* GET /v1/figure.svg: the guide's figure of a convolution, transposed convolution or pool with any parameters. */
#include "core/figure/figure.h"

#include "core/checked.h"
#include "core/layer.h"
#include "core/relationships.h"
#include "server/endpoints/endpoints.h"
#include "server/query.h"

/* ---- Parameters --------------------------------------------------------------------------------------------------- */

static const char *const parameter_names[] = {"op", "i",         "k",    "s",    "p",     "d",
                                              "a",  "ceil_mode", "axes", "step", "theme", NULL};
enum { REQUIRED_PARAMETERS = 3 };

static const char *const operations[] = {"conv", "conv_transpose", "pool", NULL};

/* The layers that they are, by axes. */
static const char *const layer_types[][CP_FIGURE_AXES] = {{"Conv1d", "Conv2d"},
                                                          {"ConvTranspose1d", "ConvTranspose2d"},
                                                          {"MaxPool1d", "MaxPool2d"}};

/* Letters of the guide, and the layer's members that they are. */
static const struct letter {
    const char *letter, *member;
} letters[] = {
    {"k", "kernel_size"}, {"s", "stride"},         {"p", "padding"},
    {"d", "dilation"},    {"a", "output_padding"}, {"ceil_mode", "ceil_mode"},
};
enum { LETTER_COUNT = sizeof letters / sizeof letters[0] };

static const char *const themes[] =
    {[CP_THEME_AUTO] = "auto", [CP_THEME_LIGHT] = "light", [CP_THEME_DARK] = "dark", NULL};

static int member_index(const struct cp_layer_kind *kind, const char *name)
{
    for (int at = 0; at < kind->member_count; at++)
        if (strcmp(kind->members[at].name.bytes, name) == 0) return at;
    return -1;
}

/* ---- From the query to a layer ------------------------------------------------------------------------------------ */

/* The figure's operation as a stack of one layer, for the planner to judge and to compute. */
struct question {
    struct cp_query query;
    struct cp_problems problems;
    struct cp_figure figure;
    struct cp_layer layer;
    struct cp_input input;
    struct cp_stack stack;
    struct cp_plan plan;
};

/* A word of `padding`, as in a layer. */
static bool read_padding_word(struct question *question, const struct cp_member *member, struct cp_padding *padding)
{
    struct cp_text value = cp_query_value(&question->query, "p");
    bool word =
        value.size && ((*value.bytes >= 'a' && *value.bytes <= 'z') || (*value.bytes >= 'A' && *value.bytes <= 'Z'));
    if (!word) return false;
    int index = cp_query_word(&question->query, "p", member->words, 0);
    padding->mode = (enum cp_padding_mode)(CP_PAD_VALID + index);
    return true;
}

static bool all_zero(const int64_t *values, int axes)
{
    for (int axis = 0; axis < axes; axis++)
        if (values[axis]) return false;
    return true;
}

/* False where it is not given, wrong, or nothing: 0, or false. */
static bool read_member(struct question *question, const struct letter *letter, const struct cp_member *member,
                        char *parameters)
{
    const struct cp_query *query = &question->query;
    int axes = question->figure.axes;
    void *value = parameters + member->offset;
    struct cp_padding *padding = value;
    switch (member->type) {
    case CP_MEMBER_AXES:
        return cp_query_per_axis(query, letter->letter, axes, member->minimum, value) && !all_zero(value, axes);
    case CP_MEMBER_PADDING:
        return read_padding_word(question, member, padding) ||
               (cp_query_sides(query, letter->letter, axes, member->minimum, padding->begin, padding->end) &&
                !(all_zero(padding->begin, axes) && all_zero(padding->end, axes)));
    case CP_MEMBER_BOOLEAN: return *(bool *)value = cp_query_boolean(query, letter->letter);
    default: return false;
    }
}

/* A letter that the operation does not have may be given as what it then is: 0 on each axis, or false. */
static void expect_nothing(struct question *question, const struct letter *letter)
{
    const struct cp_query *query = &question->query;
    int axes = question->figure.axes;
    struct cp_text expected = CP_TEXT("0, or no such parameter, as only a transposed convolution has it");
    bool given;
    if (strcmp(letter->letter, "ceil_mode") == 0) {
        given = cp_query_boolean(query, letter->letter);
        expected = CP_TEXT("false, or no such parameter, as only a pool has it");
    } else {
        int64_t values[CP_FIGURE_AXES];
        given = cp_query_per_axis(query, letter->letter, axes, 0, values) && !all_zero(values, axes);
    }
    if (given) cp_query_wrong(query, CP_CODE_out_of_range, letter->letter, expected);
}

static void read_layer(struct question *question, int operation)
{
    struct cp_arena *arena = question->problems.arena;
    const char *name = layer_types[operation][question->figure.axes - 1];
    struct cp_layer *layer = &question->layer;
    *layer = (struct cp_layer){.type = cp_layer_type_find(cp_text_of(name)), .name = CP_TEXT("figure")};
    const struct cp_layer_kind *kind = layer->type->kind;
    char *parameters = cp_arena_take(arena, kind->parameter_size, alignof(max_align_t));
    memcpy(parameters, kind->defaults, kind->parameter_size);
    layer->params = parameters;
    int channels = member_index(kind, "out_channels");
    if (channels >= 0) *(int64_t *)(void *)(parameters + kind->members[channels].offset) = 1;
    for (int at = 0; at < LETTER_COUNT; at++) {
        int member = member_index(kind, letters[at].member);
        if (member < 0)
            expect_nothing(question, &letters[at]);
        else if (read_member(question, &letters[at], &kind->members[member], parameters))
            layer->given |= 1u << member;
    }
}

static bool read_question(struct question *question, struct cp_text query, struct cp_arena *arena)
{
    cp_problems_begin(&question->problems, arena);
    cp_query_read(&question->query, query, parameter_names, REQUIRED_PARAMETERS, &question->problems);
    int operation = cp_query_word(&question->query, "op", operations, 0);
    question->figure.axes = (int)cp_query_integer(&question->query, "axes", 1, CP_FIGURE_AXES, CP_FIGURE_AXES);
    question->figure.theme = (enum cp_theme)cp_query_word(&question->query, "theme", themes, CP_THEME_AUTO);
    question->figure.step = cp_query_integer(&question->query, "step", 1, CP_MAX_COUNT, 0);
    question->input = (struct cp_input){CP_TEXT("input"), {question->figure.axes + 2, {1, 1}}};
    cp_query_per_axis(&question->query, "i", question->figure.axes, 1, &question->input.shape.size[2]);
    read_layer(question, operation);
    return question->problems.count == 0;
}

/* ---- Planning ----------------------------------------------------------------------------------------------------- */

static const char *letter_of(const char *member)
{
    for (int at = 0; member && at < LETTER_COUNT; at++)
        if (strcmp(letters[at].member, member) == 0) return letters[at].letter;
    return NULL;
}

static const struct cp_path root = {0};

static bool check_legal(struct question *question)
{
    const struct cp_layer_kind *kind = question->layer.type->kind;
    struct cp_refusal refusal = {0};
    if (!kind->legal || kind->legal(&question->layer, &refusal)) return true;
    const char *letter = letter_of(refusal.member), *other = letter_of(refusal.other);
    struct cp_path at = CP_PATH_MEMBER(&root, cp_text_of(letter ? letter : ""));
    cp_problem_add(&question->problems, refusal.code, &at,
                   CP_ARGUMENTS(cp_words(letter ? letter : ""), cp_words(other ? other : "")));
    return false;
}

/* The planner's findings are problems here: there is nothing to draw. */
static bool plan(struct question *question)
{
    static const uint32_t from_input[] = {0};
    question->layer.sources = from_input;
    question->layer.source_count = 1;
    question->stack = (struct cp_stack){
        .inputs = &question->input, .input_count = 1, .layers = &question->layer, .layer_count = 1, .element_bytes = 1};
    cp_plan_stack(&question->plan, &question->stack, CP_PLAN_SHAPES, question->problems.arena);
    for (struct cp_finding *finding = question->plan.findings.first; finding; finding = finding->next) {
        if (finding->severity != CP_SEVERITY_ERROR) continue;
        finding->member = letter_of(finding->member);
        cp_problem_add_finding(&question->problems, finding, &root);
    }
    const struct cp_layer_plan *planned = &question->plan.layers[0];
    if (planned->state != CP_LAYER_PLANNED) return false;
    question->figure.operation = planned->operation;
    question->figure.trace = planned->trace;
    question->figure.relationship = cp_relationship_of(planned->operation, planned->trace, question->figure.axes);
    return question->problems.count == 0;
}

/* ---- Limits ------------------------------------------------------------------------------------------------------- */

/* The axis with an input so small that the output has 3 units, and as many cells left over at its end. */
static struct cp_axis_trace shrunk(const struct cp_figure *figure, struct cp_axis_trace axis)
{
    enum { UNITS = 3 };
    if (figure->operation == CP_TRACED_TRANSPOSED) {
        if (axis.input > UNITS) axis.input = UNITS;
        (void)!cp_transposed_output(&axis.window, axis.output_padding, axis.input, &axis.output);
    } else if (axis.output > UNITS) {
        axis.input -= axis.window.stride * (axis.output - UNITS);
        (void)!cp_window_output(&axis.window, axis.input, &axis.output);
    }
    return axis;
}

static struct cp_text smaller_input(const struct cp_figure *figure, struct cp_arena *arena)
{
    struct cp_axis_trace axes[CP_FIGURE_AXES];
    struct cp_figure small = *figure;
    for (int axis = 0; axis < figure->axes; axis++) axes[axis] = shrunk(figure, figure->trace[axis]);
    small.trace = axes;
    if (cp_figure_measure(&small).cells > CP_MAX_FIGURE_CELLS) return CP_TEXT("use a smaller kernel");
    return cp_message(
        arena, axes[0].input == axes[figure->axes - 1].input ? "i={0} shows the same" : "i={0},{1} shows the same",
        CP_ARGUMENTS(cp_number(axes[0].input), cp_number(axes[figure->axes - 1].input)));
}

static bool check_size(struct question *question, const struct cp_figure_size *size)
{
    struct cp_arena *arena = question->problems.arena;
    const char *pattern = size->cells > CP_MAX_COUNT ? "more than {0}" : "{0}";
    int64_t shown = size->cells > CP_MAX_COUNT ? CP_MAX_COUNT : size->cells;
    struct cp_path at = CP_PATH_MEMBER(&root, CP_TEXT("i"));
    if (size->cells > CP_MAX_FIGURE_CELLS)
        cp_problem_add(&question->problems, CP_CODE_figure_too_large, &at,
                       CP_ARGUMENTS(cp_name(cp_message(arena, pattern, CP_ARGUMENTS(cp_number(shown)))),
                                    cp_number(CP_MAX_FIGURE_CELLS), cp_name(smaller_input(&question->figure, arena))));
    if (question->figure.step > size->steps) (void)cp_query_integer(&question->query, "step", 1, size->steps, 0);
    return question->problems.count == 0;
}

/* ---- Answer ------------------------------------------------------------------------------------------------------- */

void cp_endpoint_figure(struct cp_exchange *exchange)
{
    enum { WORK_PER_CELL = 64 };
    struct cp_reply *reply = exchange->reply;
    struct question question = {0};
    struct cp_figure_size size;
    if (!read_question(&question, exchange->request->query, exchange->arena) || !check_legal(&question) ||
        !plan(&question) || (size = cp_figure_measure(&question.figure), !check_size(&question, &size))) {
        cp_problems_reply(&question.problems, reply);
        return;
    }
    if (exchange->request->brief && size.cells * WORK_PER_CELL > CP_MAX_BRIEF_WORK) {
        reply->deferred = true;
        return;
    }
    cp_enter(exchange, CP_ENCODING);
    reply->status = 200;
    reply->content_type = "image/svg+xml";
    reply->body = cp_figure_draw(&question.figure, exchange->arena);
    reply->headers[reply->header_count++] = (struct cp_header){"Cache-Control", "public, max-age=86400"};
}
