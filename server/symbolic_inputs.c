#include "server/symbolic_inputs.h"

#include "core/nearest.h"
#include "server/budgets.h"

enum { MOST_NAME_BYTES = 64 };

static const struct cp_path root = {0};

static void refuse(struct cp_reader *reader, const struct cp_path *at, const char *what, const char *mend)
{
    cp_problem_add(&reader->problems, CP_CODE_bad_symbol, at, CP_ARGUMENTS(cp_words(what), cp_words(mend)));
}

static bool is_name(struct cp_text text)
{
    if (text.size == 0 || text.size > MOST_NAME_BYTES) return false;
    for (size_t at = 0; at < text.size; at++) {
        char c = text.bytes[at];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (at == 0 || c < '0' || c > '9')) return false;
    }
    return true;
}

/* The number of the symbol, entered where it is new; CP_FIXED_SIZE after recording why not. */
static int symbol_of(struct cp_reader *reader, struct cp_symbols *symbols, struct cp_text name,
                     const struct cp_path *at)
{
    for (int known = 0; known < symbols->count; known++)
        if (cp_text_equal(symbols->names[known], name)) return known;
    if (!is_name(name)) {
        refuse(reader, at, "a free size is a name, not an expression",
               "1 to 64 letters, digits and underscores, beginning with no digit");
        return CP_FIXED_SIZE;
    }
    if (symbols->count >= cp_budgets.symbols) {
        bool one = cp_budgets.symbols == 1;
        refuse(reader, at, one ? "there is more than one free size" : "there are more than two free sizes",
               "put numbers in the place of the others");
        return CP_FIXED_SIZE;
    }
    symbols->names[symbols->count] = name;
    return symbols->count++;
}

/* The position of batch (0) and channels (1) in the request's layout; spatial axes are 2 and more. */
static int role_of(const struct cp_reader *reader, int64_t index, size_t rank)
{
    if (!reader->channels_last || rank < 3 || index == 0) return (int)index;
    return index == (int64_t)rank - 1 ? 1 : (int)index + 1;
}

static int read_symbol(struct cp_reader *reader, const struct cp_json *value, const struct cp_path *at, int role,
                       struct cp_symbols *symbols)
{
    if (role >= 2) return symbol_of(reader, symbols, cp_json_text(value), at);
    refuse(reader, at, role == 0 ? "a free size stands in the batch axis" : "a free size stands in the channel axis",
           "give a number there; every batch size works alike, and channels decide about layers, not about sizes");
    return CP_FIXED_SIZE;
}

static void check_elements(struct cp_reader *reader, const struct cp_path *at, const struct cp_shape *shape)
{
    int64_t elements;
    if (cp_shape_product(shape, 0, shape->rank, &elements)) return;
    cp_problem_add(&reader->problems, CP_CODE_limit_exceeded, at,
                   CP_ARGUMENTS(cp_words("elements of a tensor"), cp_words("more"), cp_words("2^53 − 1")));
}

static void read_shape(struct cp_reader *reader, const struct cp_json *value, const struct cp_path *at,
                       struct cp_shape *shape, struct cp_symbols *symbols, int8_t *places)
{
    static const struct cp_member size = {.type = CP_MEMBER_INTEGER, .minimum = 1};
    size_t rank = cp_json_count(value);
    int64_t index = 0;
    if (cp_json_type(value) != CP_JSON_ARRAY) {
        cp_read_wrong(reader, CP_CODE_wrong_type, at, "a shape: a list of sizes and free sizes", value);
        return;
    }
    if (rank < 1 || rank > CP_MAX_RANK) {
        cp_read_wrong(reader, CP_CODE_wrong_length, at, "1 to 8 sizes", value);
        return;
    }
    shape->rank = (int)rank;
    for (const struct cp_json *element = cp_json_first(value); element; element = cp_json_next(element), index++) {
        struct cp_path path = CP_PATH_INDEX(at, index);
        int role = role_of(reader, index, rank);
        shape->size[role] = 1;
        if (cp_json_type(element) == CP_JSON_STRING)
            places[role] = (int8_t)read_symbol(reader, element, &path, role, symbols);
        else
            cp_read_layer_member(reader, element, &path, &size, 0, &shape->size[role]);
    }
    check_elements(reader, at, shape);
}

static void make_room(struct cp_reader *reader, struct cp_stack *stack, struct cp_symbols *symbols, size_t count,
                      struct cp_input **inputs)
{
    *inputs = CP_NEW_ARRAY(reader->arena, struct cp_input, count);
    stack->inputs = *inputs;
    stack->input_count = (uint32_t)count;
    symbols->at = cp_arena_take(reader->arena, count * sizeof *symbols->at, 1);
    memset(symbols->at, CP_FIXED_SIZE, count * sizeof *symbols->at);
}

static void read_named_inputs(struct cp_reader *reader, const struct cp_json *object, struct cp_stack *stack,
                              struct cp_symbols *symbols)
{
    struct cp_path path = CP_PATH_MEMBER(&root, CP_TEXT("inputs"));
    struct cp_input *inputs;
    size_t count = cp_json_count(object), at = 0;
    if (cp_json_type(object) != CP_JSON_OBJECT) {
        cp_read_wrong(reader, CP_CODE_wrong_type, &path, "an object of name → shape", object);
        return;
    }
    if (count < 1 || count > CP_MAX_INPUTS) {
        cp_problem_add(&reader->problems, CP_CODE_limit_exceeded, &path,
                       CP_ARGUMENTS(cp_words("inputs of a network (at least 1)"), cp_number((int64_t)count),
                                    cp_number(CP_MAX_INPUTS)));
        return;
    }
    make_room(reader, stack, symbols, count, &inputs);
    for (const struct cp_json *value = cp_json_first(object); value; value = cp_json_next(value), at++) {
        struct cp_path member = CP_PATH_MEMBER(&path, cp_json_name(value));
        inputs[at].name = cp_json_name(value);
        if (inputs[at].name.size < 1 || inputs[at].name.size > CP_MAX_NAME_BYTES)
            cp_problem_add(
                &reader->problems, CP_CODE_out_of_range, &member,
                CP_ARGUMENTS(cp_words("a name of 1 to 128 bytes"), cp_number((int64_t)inputs[at].name.size)));
        read_shape(reader, value, &member, &inputs[at].shape, symbols, symbols->at[at]);
    }
}

void cp_read_symbolic_inputs(struct cp_reader *reader, const struct cp_json *request, struct cp_stack *stack,
                             struct cp_symbols *symbols)
{
    const struct cp_json *one = cp_json_member(request, CP_TEXT("input"));
    const struct cp_json *many = cp_json_member(request, CP_TEXT("inputs"));
    struct cp_path path = CP_PATH_MEMBER(&root, one ? CP_TEXT("input") : CP_TEXT("inputs"));
    uint32_t before = reader->problems.count;
    *symbols = (struct cp_symbols){0};
    if (one && many) {
        cp_problem_add(&reader->problems, CP_CODE_conflicting_members, &path,
                       CP_ARGUMENTS(cp_words("input"), cp_words("inputs")));
    } else if (many) {
        read_named_inputs(reader, many, stack, symbols);
    } else if (one) {
        struct cp_input *input;
        make_room(reader, stack, symbols, 1, &input);
        input->name = CP_TEXT("input");
        read_shape(reader, one, &path, &input->shape, symbols, symbols->at[0]);
    } else {
        cp_problem_add(&reader->problems, CP_CODE_missing_member, &root,
                       CP_ARGUMENTS(cp_words("input"),
                                    cp_words("the input's shape with free sizes, such as [1, 3, \"n\", \"n\"]")));
    }
    if (reader->problems.count == before && symbols->count == 0)
        refuse(reader, &path, "the input has no free size", "write a name for one: [1, 3, \"n\", \"n\"]");
}

static struct cp_text symbol_at(const void *list, int64_t index)
{
    return ((const struct cp_symbols *)list)->names[index];
}

void cp_read_near(struct cp_reader *reader, const struct cp_json *request, struct cp_symbols *symbols)
{
    static const struct cp_member size = {.type = CP_MEMBER_INTEGER, .minimum = 1};
    const struct cp_json *near = cp_json_member(request, CP_TEXT("near"));
    struct cp_path path = CP_PATH_MEMBER(&root, CP_TEXT("near"));
    if (!near) return;
    if (cp_json_type(near) != CP_JSON_OBJECT) {
        cp_read_wrong(reader, CP_CODE_wrong_type, &path, "an object of free size → number", near);
        return;
    }
    for (const struct cp_json *value = cp_json_first(near); value; value = cp_json_next(value)) {
        struct cp_path member = CP_PATH_MEMBER(&path, cp_json_name(value));
        int symbol = 0;
        while (symbol < symbols->count && !cp_text_equal(symbols->names[symbol], cp_json_name(value))) symbol++;
        if (symbol < symbols->count) {
            cp_read_layer_member(reader, value, &member, &size, 0, &symbols->near[symbol]);
            continue;
        }
        int64_t nearest = cp_nearest(cp_json_name(value), symbols->count, symbol_at, symbols);
        struct cp_text meant = nearest < 0 ? (struct cp_text){0} : symbol_at(symbols, nearest);
        cp_problem_add(&reader->problems, CP_CODE_unknown_member, &member,
                       CP_ARGUMENTS(cp_name(cp_json_name(value)), cp_name(cp_did_you_mean(reader->arena, meant))));
    }
}
