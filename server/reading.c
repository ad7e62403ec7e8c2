#include "server/reading.h"
#include "server/budgets.h"

#include "core/graph.h"
#include "core/nearest.h"
#include "server/seed.h"

void cp_reader_begin(struct cp_reader *reader, struct cp_arena *arena)
{
    *reader = (struct cp_reader){.arena = arena};
    cp_problems_begin(&reader->problems, arena);
}

static const struct cp_path root = {0};

/* ---- Objects and their members ------------------------------------------------------------------------------------ */

const struct cp_json *cp_read_body(struct cp_reader *reader, struct cp_text body)
{
    struct cp_json_error error;
    const char *bytes = body.bytes ? body.bytes : ""; /* nothing can be added to NULL, not even 0 */
    const struct cp_json *request = cp_json_parse(reader->arena, bytes, body.size, &error);
    if (!request) {
        cp_problem_add_json(&reader->problems, &error);
        return NULL;
    }
    if (cp_json_type(request) == CP_JSON_OBJECT) return request;
    cp_read_wrong(reader, CP_CODE_wrong_type, &root, "an object", request);
    return NULL;
}

static struct cp_text string_at(const void *list, int64_t index)
{
    return cp_text_of(((const char *const *)list)[index]);
}

static void report_unknown(struct cp_reader *reader, const struct cp_json *member, const struct cp_path *at,
                           const char *const *known, int count)
{
    struct cp_text name = cp_json_name(member);
    struct cp_path path = CP_PATH_MEMBER(at, name);
    if (cp_problems_full(&reader->problems)) count = 0;
    int64_t nearest = cp_nearest(name, count, string_at, known);
    struct cp_text hint = cp_did_you_mean(reader->arena, nearest < 0 ? (struct cp_text){0} : string_at(known, nearest));
    for (int index = 0; nearest < 0 && index < count; index++)
        hint = cp_message(reader->arena, index ? "{0}, `{1}`" : "known here: `{1}`",
                          CP_ARGUMENTS(cp_name(hint), cp_words(known[index])));
    cp_problem_add(&reader->problems, CP_CODE_unknown_member, &path, CP_ARGUMENTS(cp_name(name), cp_name(hint)));
}

void cp_read_known_members(struct cp_reader *reader, const struct cp_json *object, const struct cp_path *at,
                           const char *const *known, int required_count)
{
    int count = 0;
    if (!at) at = &root;
    while (known[count]) count++;
    for (const struct cp_json *member = cp_json_first(object); member; member = cp_json_next(member)) {
        struct cp_text name = cp_json_name(member);
        bool is_known = cp_text_is(name, "meta");
        for (int index = 0; !is_known && index < count; index++) is_known = cp_text_is(name, known[index]);
        if (!is_known) report_unknown(reader, member, at, known, count);
    }
    for (int index = 0; index < required_count; index++)
        if (!cp_json_member(object, cp_text_of(known[index])))
            cp_problem_add(&reader->problems, CP_CODE_missing_member, at,
                           CP_ARGUMENTS(cp_words(known[index]), cp_words("")));
}

bool cp_read_boolean(struct cp_reader *reader, const struct cp_json *object, const char *name, bool otherwise)
{
    const struct cp_json *value = cp_json_member(object, cp_text_of(name));
    static const struct cp_member boolean = {.type = CP_MEMBER_BOOLEAN};
    struct cp_path path = CP_PATH_MEMBER(&root, cp_text_of(name));
    if (value) cp_read_layer_member(reader, value, &path, &boolean, 0, &otherwise);
    return otherwise;
}

int cp_read_word(struct cp_reader *reader, const struct cp_json *object, const char *name, const char *const *words,
                 int otherwise)
{
    const struct cp_json *value = cp_json_member(object, cp_text_of(name));
    struct cp_member word = {.type = CP_MEMBER_WORD, .words = words};
    struct cp_path path = CP_PATH_MEMBER(&root, cp_text_of(name));
    if (value) cp_read_layer_member(reader, value, &path, &word, 0, &otherwise);
    return otherwise;
}

/* ---- The request's own members ------------------------------------------------------------------------------------ */

void cp_read_layout(struct cp_reader *reader, const struct cp_json *request)
{
    static const char *const layouts[] = {"channels_first", "channels_last", NULL};
    reader->channels_last = cp_read_word(reader, request, "layout", layouts, 0) == 1;
}

const char *const cp_dtype_names[] = {"float32", "float16", "bfloat16", "float64",   "int8",       "uint8", "int16",
                                      "int32",   "int64",   "bool",     "complex64", "complex128", NULL};

int64_t cp_read_element_bytes(struct cp_reader *reader, const struct cp_json *request)
{
    static const int64_t bytes[] = {4, 2, 2, 8, 1, 1, 2, 4, 8, 1, 8, 16};
    return bytes[cp_read_word(reader, request, "dtype", cp_dtype_names, 0)];
}

/* A list of sizes; where `open` allows it null becomes CP_ANY_SIZE, and none at all is the shape of a single number. */
static bool read_sizes(struct cp_reader *reader, const struct cp_json *value, const struct cp_path *at, bool open,
                       struct cp_shape *shape)
{
    static const struct cp_member size = {.type = CP_MEMBER_INTEGER, .minimum = 1};
    uint32_t before = reader->problems.count;
    if (cp_json_type(value) != CP_JSON_ARRAY) {
        cp_read_wrong(reader, CP_CODE_wrong_type, at, "a shape: a list of sizes", value);
        return false;
    }
    size_t count = cp_json_count(value);
    if (count < !open || count > CP_MAX_RANK) {
        cp_read_wrong(reader, CP_CODE_wrong_length, at, open ? "at most 8 sizes" : "1 to 8 sizes", value);
        return false;
    }
    *shape = (struct cp_shape){.rank = (int)count};
    int64_t index = 0;
    for (const struct cp_json *element = cp_json_first(value); element; element = cp_json_next(element), index++) {
        struct cp_path path = CP_PATH_INDEX(at, index);
        if (open && cp_json_type(element) == CP_JSON_NULL)
            shape->size[index] = CP_ANY_SIZE;
        else if (!cp_read_plain_integer(element, &size, 0, &shape->size[index]))
            cp_read_layer_member(reader, element, &path, &size, 0, &shape->size[index]);
    }
    if (reader->channels_last) *shape = cp_shape_from_channels_last(shape);
    return reader->problems.count == before;
}

bool cp_read_shape(struct cp_reader *reader, const struct cp_json *value, const struct cp_path *at, int64_t most,
                   struct cp_shape *shape)
{
    if (!read_sizes(reader, value, at, false, shape)) return false;
    int64_t elements;
    bool counted = cp_shape_product(shape, 0, shape->rank, &elements);
    if (counted && elements <= most) return true;
    cp_problem_add(&reader->problems, CP_CODE_limit_exceeded, at,
                   CP_ARGUMENTS(cp_words("elements of a tensor"),
                                counted ? cp_number(elements) : cp_words("over 2^53 − 1"),
                                most < CP_MAX_COUNT ? cp_number(most) : cp_words("2^53 − 1")));
    return false;
}

static bool check_name(struct cp_reader *reader, struct cp_text name, const struct cp_path *at)
{
    if (name.size >= 1 && name.size <= CP_MAX_NAME_BYTES) return true;
    cp_problem_add(&reader->problems, CP_CODE_out_of_range, at,
                   CP_ARGUMENTS(cp_words("a name of 1 to 128 bytes"), cp_number((int64_t)name.size)));
    return false;
}

static void read_named_inputs(struct cp_reader *reader, const struct cp_json *object, struct cp_stack *stack)
{
    struct cp_path path = CP_PATH_MEMBER(&root, CP_TEXT("inputs"));
    if (cp_json_type(object) != CP_JSON_OBJECT) {
        cp_read_wrong(reader, CP_CODE_wrong_type, &path, "an object of name → shape", object);
        return;
    }
    size_t count = cp_json_count(object);
    if (count < 1 || count > CP_MAX_INPUTS) {
        cp_problem_add(&reader->problems, CP_CODE_limit_exceeded, &path,
                       CP_ARGUMENTS(cp_words("inputs of a network (at least 1)"), cp_number((int64_t)count),
                                    cp_number(CP_MAX_INPUTS)));
        return;
    }
    struct cp_input *inputs = CP_NEW_ARRAY(reader->arena, struct cp_input, count);
    stack->inputs = inputs;
    for (const struct cp_json *value = cp_json_first(object); value; value = cp_json_next(value)) {
        struct cp_path member = CP_PATH_MEMBER(&path, cp_json_name(value));
        struct cp_input *input = &inputs[stack->input_count++];
        input->name = cp_json_name(value);
        (void)!check_name(reader, input->name, &member);
        (void)!cp_read_shape(reader, value, &member, CP_MAX_COUNT, &input->shape);
    }
}

void cp_read_inputs(struct cp_reader *reader, const struct cp_json *request, struct cp_stack *stack)
{
    const struct cp_json *one = cp_json_member(request, CP_TEXT("input"));
    const struct cp_json *many = cp_json_member(request, CP_TEXT("inputs"));
    struct cp_path path = CP_PATH_MEMBER(&root, CP_TEXT("input"));
    if (one && many) {
        cp_problem_add(&reader->problems, CP_CODE_conflicting_members, &path,
                       CP_ARGUMENTS(cp_words("input"), cp_words("inputs")));
    } else if (many) {
        read_named_inputs(reader, many, stack);
    } else if (one) {
        struct cp_input *input = CP_NEW(reader->arena, struct cp_input);
        input->name = CP_TEXT("input");
        (void)!cp_read_shape(reader, one, &path, CP_MAX_COUNT, &input->shape);
        stack->inputs = input;
        stack->input_count = 1;
    } else {
        cp_problem_add(&reader->problems, CP_CODE_missing_member, &root,
                       CP_ARGUMENTS(cp_words("input"), cp_words("the input's shape, such as [1, 3, 224, 224]")));
    }
}

/* ---- Layers ------------------------------------------------------------------------------------------------------- */

static struct cp_text type_name_at(const void *list, int64_t index)
{
    (void)list;
    return cp_text_of(cp_layer_types[index].name);
}

/* NULL after recording why. */
static const struct cp_layer_type *read_type(struct cp_reader *reader, const struct cp_json *layer,
                                             const struct cp_path *at)
{
    const struct cp_json *value = cp_json_member(layer, CP_TEXT("type"));
    struct cp_path path = CP_PATH_MEMBER(at, CP_TEXT("type"));
    if (!value) {
        cp_problem_add(&reader->problems, CP_CODE_missing_member, at,
                       CP_ARGUMENTS(cp_words("type"), cp_words("GET /v1/layers lists the types")));
        return NULL;
    }
    if (cp_json_type(value) != CP_JSON_STRING) {
        cp_read_wrong(reader, CP_CODE_wrong_type, &path, "the name of a layer type", value);
        return NULL;
    }
    const struct cp_layer_type *type = cp_layer_type_find(cp_json_text(value));
    if (type) return type;
    int64_t looked_at = cp_problems_full(&reader->problems) ? 0 : cp_layer_type_count;
    int64_t nearest = cp_nearest(cp_json_text(value), looked_at, type_name_at, NULL);
    struct cp_text meant = nearest < 0 ? (struct cp_text){0} : type_name_at(NULL, nearest);
    cp_problem_add(&reader->problems, CP_CODE_unknown_layer_type, &path,
                   CP_ARGUMENTS(cp_name(cp_json_text(value)), cp_name(cp_did_you_mean(reader->arena, meant))));
    return NULL;
}

static void read_name(struct cp_reader *reader, const struct cp_json *value, const struct cp_path *at,
                      struct cp_layer *layer)
{
    if (cp_json_type(value) != CP_JSON_STRING)
        cp_read_wrong(reader, CP_CODE_wrong_type, at, "a name", value);
    else if (check_name(reader, cp_json_text(value), at))
        layer->name = cp_json_text(value);
}

static void read_from_list(struct cp_reader *reader, const struct cp_json *list, const struct cp_path *at,
                           struct cp_layer *layer)
{
    size_t count = cp_json_count(list);
    if (count < 1 || count > CP_MAX_LAYER_INPUTS) {
        cp_read_wrong(reader, CP_CODE_wrong_length, at, "1 to 1024 names", list);
        return;
    }
    struct cp_text *names = CP_NEW_ARRAY(reader->arena, struct cp_text, count);
    int64_t index = 0;
    for (const struct cp_json *value = cp_json_first(list); value; value = cp_json_next(value), index++) {
        struct cp_path element = CP_PATH_INDEX(at, index);
        if (cp_json_type(value) == CP_JSON_STRING)
            names[index] = cp_json_text(value);
        else
            cp_read_wrong(reader, CP_CODE_wrong_type, &element, "the name of a layer or input", value);
    }
    layer->from = names;
    layer->source_count = (uint32_t)count;
}

static void read_from(struct cp_reader *reader, const struct cp_json *value, const struct cp_path *at,
                      struct cp_layer *layer)
{
    if (cp_json_type(value) == CP_JSON_ARRAY) {
        read_from_list(reader, value, at, layer);
    } else if (cp_json_type(value) == CP_JSON_STRING) {
        struct cp_text *name = CP_NEW(reader->arena, struct cp_text);
        *name = cp_json_text(value);
        layer->from = name;
        layer->source_count = 1;
    } else {
        cp_read_wrong(reader, CP_CODE_wrong_type, at, "a name or a list of names", value);
    }
    if (!layer->type || layer->type->kind->merges || layer->source_count <= 1) return;
    struct cp_text expected =
        cp_message(reader->arena, "one name, as {0} takes one input", CP_ARGUMENTS(cp_words(layer->type->name)));
    cp_problem_add(&reader->problems, CP_CODE_wrong_length, at,
                   CP_ARGUMENTS(cp_name(expected), cp_name(cp_describe_json(reader->arena, value))));
}

static void read_expectation(struct cp_reader *reader, const struct cp_json *value, const struct cp_path *at,
                             struct cp_layer *layer)
{
    struct cp_shape *shape = CP_NEW(reader->arena, struct cp_shape);
    if (cp_json_type(value) != CP_JSON_NULL && read_sizes(reader, value, at, true, shape)) layer->expect = shape;
}

/* Members that every layer has; false when the name is none of them. */
static bool read_common_member(struct cp_reader *reader, const struct cp_json *value, const struct cp_path *at,
                               struct cp_layer *layer)
{
    struct cp_text name = cp_json_name(value);
    if (cp_text_equal(name, CP_TEXT("type")) || cp_text_equal(name, CP_TEXT("meta"))) return true;
    struct cp_path path = CP_PATH_MEMBER(at, name);
    if (cp_text_equal(name, CP_TEXT("name")))
        read_name(reader, value, &path, layer);
    else if (cp_text_equal(name, CP_TEXT("from")))
        read_from(reader, value, &path, layer);
    else if (cp_text_equal(name, CP_TEXT("expect")))
        read_expectation(reader, value, &path, layer);
    else
        return false;
    return true;
}

static void report_unknown_layer_member(struct cp_reader *reader, const struct cp_json *value, const struct cp_path *at,
                                        const struct cp_layer_kind *kind)
{
    static const char *const common[] = {"type", "name", "from", "expect", "meta"};
    enum { COMMON = sizeof common / sizeof common[0], MOST = 16 };
    const char *known[MOST + COMMON + 1];
    int count = 0;
    for (; count < kind->member_count && count < MOST; count++) known[count] = kind->members[count].name.bytes;
    for (int index = 0; index < COMMON; index++) known[count++] = common[index];
    report_unknown(reader, value, at, known, count);
}

/* A layer without a type may have it under a name that is nearly right; what else its members are cannot be told. */
static void report_misspelt_type(struct cp_reader *reader, const struct cp_json *value, const struct cp_path *at)
{
    static const char *const type[] = {"type"};
    if (cp_nearest(cp_json_name(value), 1, string_at, type) == 0) report_unknown(reader, value, at, type, 1);
}

/* The index of the kind's member with this name, or -1. People write members in the table's order: `begin`, one past the
 * last that was found, is the likeliest. */
static int find_member(const struct cp_layer_kind *kind, struct cp_text name, int begin)
{
    for (int index = begin; index < kind->member_count; index++)
        if (cp_text_equal(name, kind->members[index].name)) return index;
    for (int index = 0; index < begin; index++)
        if (cp_text_equal(name, kind->members[index].name)) return index;
    return -1;
}

static void read_members(struct cp_reader *reader, const struct cp_json *object, const struct cp_path *at,
                         struct cp_layer *layer, void *parameters)
{
    const struct cp_layer_kind *kind = layer->type->kind;
    int index = -1;
    for (const struct cp_json *value = cp_json_first(object); value; value = cp_json_next(value)) {
        if (cp_text_equal(cp_json_name(value), CP_TEXT("type"))) continue; /* read before */
        int found = find_member(kind, cp_json_name(value), index + 1);
        if (found < 0) {
            if (!read_common_member(reader, value, at, layer)) report_unknown_layer_member(reader, value, at, kind);
            continue;
        }
        index = found;
        const struct cp_member *member = &kind->members[index];
        struct cp_path path = CP_PATH_MEMBER(at, cp_json_name(value));
        if (!cp_read_plain_integer(value, member, layer->type->axes, parameters))
            cp_read_layer_member(reader, value, &path, member, layer->type->axes, parameters);
        if (!member->nullable || cp_json_type(value) != CP_JSON_NULL) layer->given |= 1u << index;
    }
}

static void check_required(struct cp_reader *reader, const struct cp_json *object, const struct cp_path *at,
                           const struct cp_layer *layer)
{
    const struct cp_layer_kind *kind = layer->type->kind;
    for (uint32_t missing = ~layer->given & ((1u << kind->member_count) - 1); missing; missing &= missing - 1) {
        const struct cp_member *member = &kind->members[__builtin_ctz(missing)];
        if (!member->required) continue;
        if (member->nullable && cp_json_member(object, member->name)) continue;
        cp_problem_add(&reader->problems, CP_CODE_missing_member, at,
                       CP_ARGUMENTS(cp_words(member->name.bytes), cp_words(member->summary)));
    }
}

static void check_legal(struct cp_reader *reader, const struct cp_path *at, const struct cp_layer *layer)
{
    struct cp_refusal refusal;
    if (!layer->type->kind->legal || layer->type->kind->legal(layer, &refusal)) return;
    struct cp_path path = CP_PATH_MEMBER(at, cp_text_of(refusal.member ? refusal.member : ""));
    const char *other = refusal.other ? refusal.other : "";
    if (refusal.member)
        cp_problem_add(&reader->problems, refusal.code, &path, CP_ARGUMENTS(cp_words(refusal.member), cp_words(other)));
    else
        cp_problem_add(&reader->problems, refusal.code, at, CP_ARGUMENTS(cp_words(other), cp_words("")));
}

static void read_layer(struct cp_reader *reader, const struct cp_json *object, const struct cp_path *at,
                       struct cp_layer *layer)
{
    uint32_t before = reader->problems.count;
    if (cp_json_type(object) != CP_JSON_OBJECT) {
        cp_read_wrong(reader, CP_CODE_wrong_type, at, "a layer: an object", object);
        return;
    }
    layer->type = read_type(reader, object, at);
    if (!layer->type) {
        bool typeless = !cp_json_member(object, CP_TEXT("type"));
        for (const struct cp_json *value = cp_json_first(object); value; value = cp_json_next(value))
            if (!read_common_member(reader, value, at, layer) && typeless) report_misspelt_type(reader, value, at);
        return;
    }
    const struct cp_layer_kind *kind = layer->type->kind;
    char *parameters = cp_arena_take(reader->arena, kind->parameter_size, alignof(max_align_t));
    if (kind->parameter_size) memcpy(parameters, kind->defaults, kind->parameter_size);
    layer->params = parameters;
    read_members(reader, object, at, layer, parameters);
    check_required(reader, object, at, layer);
    if (reader->problems.count == before) check_legal(reader, at, layer);
}

/* ---- Links -------------------------------------------------------------------------------------------------------- */

/* The lists of a request: one of layers, or an encoder and a decoder. */
struct layer_lists {
    struct cp_path paths[2];
    bool single;            /* the first path is that of the only layer, not of a list */
    uint32_t second_begins; /* position in the stack; UINT32_MAX when there is one list */
};

static struct cp_text source_label(struct cp_reader *reader, const struct cp_stack *stack, uint32_t source)
{
    if (source < stack->input_count) return CP_TEXT("an input");
    return cp_message(reader->arena, "the layer at position {0}", CP_ARGUMENTS(cp_number(source - stack->input_count)));
}

static void report_link(struct cp_reader *reader, const struct layer_lists *lists, const struct cp_stack *stack,
                        const struct cp_link_error *error)
{
    bool in_second = error->layer >= lists->second_begins;
    struct cp_path layer =
        CP_PATH_INDEX(&lists->paths[in_second], error->layer - (in_second ? lists->second_begins : 0));
    if (lists->single) layer = lists->paths[0];
    const char *name = error->entry == CP_ENTRY_NAME ? "name" : error->entry == CP_ENTRY_LIKE ? "like" : "from";
    struct cp_path member = CP_PATH_MEMBER(&layer, cp_text_of(name));
    struct cp_path entry = CP_PATH_INDEX(&member, error->entry);
    bool listed = error->entry >= 0 && stack->layers[error->layer].source_count > 1;
    struct cp_text second = {0};
    if (error->code == CP_CODE_unknown_layer_name) second = cp_did_you_mean(reader->arena, error->nearest);
    if (error->code == CP_CODE_duplicate_name) second = source_label(reader, stack, error->other);
    if (error->code == CP_CODE_missing_member) second = CP_TEXT("there are several inputs: name the first layer's");
    const struct cp_path *at = error->entry == CP_ENTRY_FIRST ? &layer : listed ? &entry : &member;
    cp_problem_add(&reader->problems, error->code, at, CP_ARGUMENTS(cp_name(error->name), cp_name(second)));
}

/* Links need every layer to have its type; layers that have none are given one that keeps its input's shape, so that
 * mistakes in names are found in the same answer. */
static void link_layers(struct cp_reader *reader, const struct layer_lists *lists, struct cp_stack *stack,
                        struct cp_layer *layers)
{
    for (uint32_t at = 0; at < stack->layer_count; at++)
        if (!layers[at].type) layers[at].type = cp_layer_type_find(CP_TEXT("Identity"));
    struct cp_link_error *error = cp_graph_link(stack, layers, cp_process_seed(), reader->arena);
    for (; error; error = error->next) report_link(reader, lists, stack, error);
}

/* The list as JSON; NULL after recording what is wrong with it. A missing one is recorded with the request's members. */
static const struct cp_json *find_list(struct cp_reader *reader, const struct cp_json *request,
                                       const struct cp_path *path, size_t before)
{
    const struct cp_json *list = cp_json_member(request, path->name);
    if (!list) return NULL;
    size_t count = cp_json_count(list) + before;
    if (cp_json_type(list) != CP_JSON_ARRAY) {
        cp_read_wrong(reader, CP_CODE_wrong_type, path, "a list of layers", list);
    } else if (count == before) {
        cp_problem_add(&reader->problems, CP_CODE_no_layers, path, NULL, 0);
    } else if ((int64_t)count > cp_budgets.layers) {
        cp_problem_add(&reader->problems, CP_CODE_limit_exceeded, path,
                       CP_ARGUMENTS(cp_words("layers"), cp_number((int64_t)count), cp_number(cp_budgets.layers)));
    } else {
        return list;
    }
    return NULL;
}

static void read_list(struct cp_reader *reader, const struct cp_json *list, const struct cp_path *path,
                      struct cp_stack *stack, struct cp_layer *layers)
{
    int64_t index = 0;
    for (const struct cp_json *object = cp_json_first(list); object; object = cp_json_next(object), index++) {
        struct cp_path at = CP_PATH_INDEX(path, index);
        read_layer(reader, object, &at, &layers[stack->layer_count++]);
    }
}

void cp_read_layers(struct cp_reader *reader, const struct cp_json *request, const char *name, struct cp_stack *stack)
{
    struct layer_lists lists = {.paths = {CP_PATH_MEMBER(&root, cp_text_of(name))}, .second_begins = UINT32_MAX};
    const struct cp_json *list = find_list(reader, request, &lists.paths[0], 0);
    if (!list) return;
    struct cp_layer *layers = CP_NEW_ARRAY(reader->arena, struct cp_layer, cp_json_count(list));
    stack->layers = layers;
    read_list(reader, list, &lists.paths[0], stack, layers);
    if (stack->input_count) link_layers(reader, &lists, stack, layers);
}

void cp_read_one_layer(struct cp_reader *reader, const struct cp_json *request, const char *name,
                       struct cp_stack *stack)
{
    struct layer_lists lists = {
        .paths = {CP_PATH_MEMBER(&root, cp_text_of(name))}, .single = true, .second_begins = UINT32_MAX};
    const struct cp_json *object = cp_json_member(request, cp_text_of(name));
    if (!object) return;
    struct cp_layer *layer = CP_NEW(reader->arena, struct cp_layer);
    stack->layers = layer;
    stack->layer_count = 1;
    read_layer(reader, object, &lists.paths[0], layer);
    link_layers(reader, &lists, stack, layer);
}

void cp_read_encoder_and_decoder(struct cp_reader *reader, const struct cp_json *request, struct cp_stack *stack)
{
    struct layer_lists lists = {
        .paths = {CP_PATH_MEMBER(&root, CP_TEXT("encoder")), CP_PATH_MEMBER(&root, CP_TEXT("decoder"))}};
    const struct cp_json *encoder = find_list(reader, request, &lists.paths[0], 0);
    size_t encoder_count = encoder ? cp_json_count(encoder) : 0;
    const struct cp_json *decoder = find_list(reader, request, &lists.paths[1], encoder_count);
    size_t count = encoder_count + (decoder ? cp_json_count(decoder) : 0);
    if (count == 0) return;
    struct cp_layer *layers = CP_NEW_ARRAY(reader->arena, struct cp_layer, count);
    stack->layers = layers;
    if (encoder) read_list(reader, encoder, &lists.paths[0], stack, layers);
    stack->encoder_count = lists.second_begins = stack->layer_count;
    if (decoder) read_list(reader, decoder, &lists.paths[1], stack, layers);
    if (stack->input_count && encoder && decoder) link_layers(reader, &lists, stack, layers);
}
