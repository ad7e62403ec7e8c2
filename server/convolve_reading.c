#include "server/convolve_reading.h"

#include "core/layers/parameters.h"
#include "core/reference/layer_operation.h"

const char *const cp_include_names[] = {"matrix",       "stretched_input", "stretched_padded_input",
                                        "padded_input", "flipped_kernel",  NULL};
const char *const cp_direction_names[] = {"forward", "backward_input", "backward_weight", NULL};
const char *const cp_method_names[] = {"direct", "matrix", "emulated", "gradient", NULL};

static const char *const members[] = {"layer",           "input",     "input_shape", "weight", "bias",
                                      "output_gradient", "direction", "method",      "verify", "include",
                                      "dtype",           "encoding",  NULL};
enum { REQUIRED_MEMBERS = 1 };

static const struct cp_path root = {0};

/* Where the reading stands. */
struct asking {
    struct cp_reader *reader;
    const struct cp_json *request;
    struct cp_convolve_question *question;
    const struct cp_layer *layer; /* NULL when it cannot be used */
};

static struct cp_path path_of(const char *name)
{
    return CP_PATH_MEMBER(&root, cp_text_of(name));
}

static const struct cp_json *find(const struct asking *asking, const char *name)
{
    return cp_json_member(asking->request, cp_text_of(name));
}

static void refuse(const struct asking *asking, enum cp_code code, const char *name,
                   const struct cp_argument *arguments, int argument_count)
{
    struct cp_path at = root;
    if (name) at = path_of(name);
    cp_problem_add(&asking->reader->problems, code, &at, arguments, argument_count);
}

/* ---- The layer ---------------------------------------------------------------------------------------------------- */

/* A layer that has no computation: what else may be wrong with it does not matter. */
static bool refuse_type(const struct asking *asking, const struct cp_json *layer)
{
    const struct cp_json *name = cp_json_type(layer) == CP_JSON_OBJECT ? cp_json_member(layer, CP_TEXT("type")) : NULL;
    if (!name || cp_json_type(name) != CP_JSON_STRING) return false;
    const struct cp_layer_type *type = cp_layer_type_find(cp_json_text(name));
    if (!type || cp_layer_is_computed(type)) return false;
    struct cp_path at = path_of("layer");
    struct cp_path member = CP_PATH_MEMBER(&at, CP_TEXT("type"));
    cp_problem_add(&asking->reader->problems, CP_CODE_layer_not_computed, &member,
                   CP_ARGUMENTS(cp_words(type->name),
                                cp_words("Conv{N}d, ConvTranspose{N}d, MaxPool{N}d, AvgPool{N}d, LPPool{1,2}d, "
                                         "AdaptiveAvgPool{N}d, AdaptiveMaxPool{N}d, N being 1, 2 or 3")));
    return true;
}

static void read_layer(struct asking *asking)
{
    struct cp_convolve_question *question = asking->question;
    uint32_t before = asking->reader->problems.count;
    const struct cp_json *layer = find(asking, "layer");
    question->network_input.name = CP_TEXT("input");
    question->stack = (struct cp_stack){.inputs = &question->network_input, .input_count = 1, .element_bytes = 8};
    if (!layer || refuse_type(asking, layer)) return;
    cp_read_one_layer(asking->reader, asking->request, "layer", &question->stack);
    if (asking->reader->problems.count == before) asking->layer = &question->stack.layers[0];
}

static enum cp_operation_kind kind_of(const struct asking *asking)
{
    return asking->question->reference.operation.kind;
}

static bool is_convolution(const struct asking *asking)
{
    return kind_of(asking) == CP_CONVOLUTION || kind_of(asking) == CP_TRANSPOSED_CONVOLUTION;
}

/* ---- Words -------------------------------------------------------------------------------------------------------- */

static void read_include_list(struct asking *asking)
{
    static const struct cp_member word = {.type = CP_MEMBER_WORD, .words = cp_include_names};
    const struct cp_json *list = find(asking, "include");
    struct cp_path at = path_of("include");
    int64_t index = 0;
    if (!list) return;
    if (cp_json_type(list) != CP_JSON_ARRAY) {
        cp_read_wrong(asking->reader, CP_CODE_wrong_type, &at, "a list of names", list);
        return;
    }
    for (const struct cp_json *value = cp_json_first(list); value; value = cp_json_next(value), index++) {
        struct cp_path here = CP_PATH_INDEX(&at, index);
        int include = -1;
        cp_read_layer_member(asking->reader, value, &here, &word, 0, &include);
        if (include >= 0) asking->question->includes |= 1u << include;
    }
}

static void read_words(struct asking *asking)
{
    struct cp_convolve_question *question = asking->question;
    struct cp_reader *reader = asking->reader;
    const struct cp_json *request = asking->request;
    question->reference.direction =
        (enum cp_direction)cp_read_word(reader, request, "direction", cp_direction_names, CP_FORWARD);
    question->reference.method = (enum cp_method)cp_read_word(reader, request, "method", cp_method_names, CP_DIRECT);
    question->encoding =
        (enum cp_tensor_encoding)cp_read_word(reader, request, "encoding", cp_tensor_encoding_names, CP_TENSOR_NESTED);
    question->verify = cp_read_boolean(reader, request, "verify", false);
    read_include_list(asking);
}

/* ---- Tensors ------------------------------------------------------------------------------------------------------ */

static const char *const operand_names[] = {"input", "weight", "bias", "output_gradient"};
enum { OPERAND_COUNT = sizeof operand_names / sizeof operand_names[0] };

/* The request's dtype, else the one that its tensors agree on. */
static void read_element(struct asking *asking)
{
    enum cp_element *element = &asking->question->reference.element, said;
    const char *first = NULL;
    if (find(asking, "dtype")) {
        *element =
            (enum cp_element)cp_read_word(asking->reader, asking->request, "dtype", cp_element_names, CP_FLOAT64);
        return;
    }
    for (int at = 0; at < OPERAND_COUNT; at++) {
        const struct cp_json *value = find(asking, operand_names[at]);
        if (!value || !cp_tensor_says_element(value, &said)) continue;
        if (first && said != *element)
            refuse(asking, CP_CODE_mixed_dtypes, operand_names[at],
                   CP_ARGUMENTS(cp_words(first), cp_words(cp_element_names[*element]), cp_words(operand_names[at]),
                                cp_words(cp_element_names[said])));
        if (!first) *element = said;
        first = first ? first : operand_names[at];
    }
}

/* The tensor, or NULL where it is absent or wrong. */
static const struct cp_tensor *read_operand(const struct asking *asking, const char *name, struct cp_tensor *tensor)
{
    const struct cp_json *value = find(asking, name);
    struct cp_path at = path_of(name);
    bool right = value && cp_read_tensor(asking->reader, value, &at, asking->question->reference.element, tensor);
    return right ? tensor : NULL;
}

static void read_input_shape(struct asking *asking)
{
    const struct cp_json *value = find(asking, "input_shape");
    struct cp_path at = path_of("input_shape");
    struct cp_shape shape;
    if (!value) return;
    if (find(asking, "input")) {
        refuse(asking, CP_CODE_conflicting_members, "input_shape",
               CP_ARGUMENTS(cp_words("input_shape"), cp_words("input")));
        return;
    }
    if (!cp_read_shape(asking->reader, value, &at, CP_MAX_TENSOR_ELEMENTS, &shape)) return;
    asking->question->reference.input_shape = shape;
}

static void read_operands(struct asking *asking)
{
    struct cp_convolve_question *question = asking->question;
    struct cp_reference *reference = &question->reference;
    read_element(asking);
    reference->input = read_operand(asking, "input", &question->input);
    reference->weight = read_operand(asking, "weight", &question->weight);
    reference->bias = read_operand(asking, "bias", &question->bias);
    reference->output_gradient = read_operand(asking, "output_gradient", &question->output_gradient);
    read_input_shape(asking);
    if (reference->input) reference->input_shape = reference->input->shape;
}

/* ---- What goes together ------------------------------------------------------------------------------------------- */

static void demand(const struct asking *asking, const char *name, const char *why)
{
    if (!find(asking, name)) refuse(asking, CP_CODE_missing_member, NULL, CP_ARGUMENTS(cp_words(name), cp_words(why)));
}

static void refuse_beside(const struct asking *asking, const char *name, const char *other)
{
    if (find(asking, name))
        refuse(asking, CP_CODE_conflicting_members, name, CP_ARGUMENTS(cp_words(name), cp_words(other)));
}

/* Which operands the direction needs, and which have no meaning. */
static void check_presence(const struct asking *asking)
{
    enum cp_direction direction = asking->question->reference.direction;
    if (direction == CP_FORWARD)
        refuse_beside(asking, "output_gradient", "\"direction\": \"forward\"");
    else
        demand(asking, "output_gradient", "the gradient of the output, in the output's shape");
    if (direction != CP_BACKWARD_INPUT)
        demand(asking, "input", "a tensor [batch, channels, spatial …]");
    else if (!find(asking, "input_shape"))
        demand(asking, "input",
               "or input_shape, which is enough for gradients that do not depend on the input's values");
}

static void check_kind_presence(const struct asking *asking)
{
    enum cp_direction direction = asking->question->reference.direction;
    const struct cp_convolution *conv = asking->layer->params;
    bool depends =
        kind_of(asking) == CP_MAX_POOL || kind_of(asking) == CP_ADAPTIVE_MAX_POOL || kind_of(asking) == CP_LP_POOL;
    if (!is_convolution(asking)) {
        refuse_beside(asking, "weight", asking->layer->type->name);
        refuse_beside(asking, "bias", asking->layer->type->name);
        if (depends && direction == CP_BACKWARD_INPUT && find(asking, "input_shape"))
            demand(asking, "input", "this pool's gradient depends on the input's values");
        return;
    }
    bool dense = asking->question->includes & (CP_INCLUDE_MATRIX | CP_INCLUDE_FLIPPED_KERNEL);
    if (direction != CP_BACKWARD_WEIGHT || dense)
        demand(asking, "weight", "a tensor [out, in / groups, kernel …]; transposed [in, out / groups, kernel …]");
    if (!conv->bias) refuse_beside(asking, "bias", "\"bias\": false of the layer");
}

/* The method, or the ones that apply. */
static void check_method(const struct asking *asking)
{
    const struct cp_reference *reference = &asking->question->reference;
    const char *type = asking->layer->type->name, *direction = cp_direction_names[reference->direction];
    struct cp_text applying = {0};
    if (reference->direction == CP_BACKWARD_WEIGHT && !is_convolution(asking)) {
        refuse(asking, CP_CODE_direction_not_applicable, "direction",
               CP_ARGUMENTS(cp_words(direction), cp_words(type), cp_words("it has forward and backward_input")));
        return;
    }
    if (cp_method_applies(reference->method, &reference->operation, reference->direction)) return;
    for (int method = 0; method < CP_METHOD_COUNT; method++)
        if (cp_method_applies((enum cp_method)method, &reference->operation, reference->direction))
            applying = cp_message(asking->reader->arena, applying.size ? "{0}, {1}" : "{1}",
                                  CP_ARGUMENTS(cp_name(applying), cp_words(cp_method_names[method])));
    refuse(asking, CP_CODE_method_not_applicable, "method",
           CP_ARGUMENTS(cp_words(cp_method_names[reference->method]), cp_words(type), cp_words(direction),
                        cp_name(applying)));
}

static void check_norm(const struct asking *asking)
{
    const struct cp_reference *reference = &asking->question->reference;
    struct cp_path layer = path_of("layer");
    struct cp_path at = CP_PATH_MEMBER(&layer, CP_TEXT("norm_type"));
    if (kind_of(asking) != CP_LP_POOL) return;
    if (reference->operation.norm_type == 0)
        cp_problem_add(&asking->reader->problems, CP_CODE_out_of_range, &at,
                       CP_ARGUMENTS(cp_words("a power other than 0"), cp_number(0)));
    if (reference->element == CP_INT64)
        refuse(asking, CP_CODE_out_of_range, "dtype",
               CP_ARGUMENTS(cp_words("float64 or float32, as a norm is seldom an integer"), cp_words("int64")));
}

/* ---- Shapes ------------------------------------------------------------------------------------------------------- */

static void check_shape(const struct asking *asking, const char *name, const struct cp_tensor *tensor,
                        const struct cp_shape *expected, const char *why)
{
    if (!tensor || cp_shape_equal(&tensor->shape, expected)) return;
    refuse(asking, CP_CODE_tensor_shape_differs, name,
           CP_ARGUMENTS(cp_words(name), cp_dimensions(&tensor->shape), cp_dimensions(expected), cp_words(why)));
}

static void check_operand_shapes(const struct asking *asking, const struct cp_shape *output)
{
    const struct cp_reference *reference = &asking->question->reference;
    const struct cp_operation *operation = &reference->operation;
    int64_t in = reference->input_shape.size[1], out = operation->out_channels;
    bool transposed = operation->kind == CP_TRANSPOSED_CONVOLUTION;
    check_shape(asking, "output_gradient", reference->output_gradient, output, "as the layer's output");
    if (!is_convolution(asking)) return;
    struct cp_shape weight = {.rank = operation->axes + 2}, bias = {1, {out}};
    weight.size[0] = transposed ? in : out;
    weight.size[1] = (transposed ? out : in) / operation->groups;
    for (int axis = 0; axis < operation->axes; axis++) weight.size[2 + axis] = operation->window[axis].kernel;
    check_shape(asking, "weight", reference->weight, &weight,
                transposed ? "by layer and input, [in, out / groups, kernel …],"
                           : "by layer and input, [out, in / groups, kernel …],");
    check_shape(asking, "bias", reference->bias, &bias, "with one number for each of out_channels,");
}

/* The layer's own arithmetic: whatever the planner finds wrong has no answer here. */
static bool plan_layer(const struct asking *asking)
{
    struct cp_convolve_question *question = asking->question;
    struct cp_path layer = path_of("layer"), input = path_of(find(asking, "input") ? "input" : "input_shape");
    question->network_input.shape = question->reference.input_shape;
    cp_plan_stack(&question->plan, &question->stack, CP_PLAN_ALL, asking->reader->arena);
    for (const struct cp_finding *at = question->plan.findings.first; at; at = at->next)
        if (at->severity == CP_SEVERITY_ERROR)
            cp_problem_add_finding(&asking->reader->problems, at, at->code == CP_CODE_wrong_rank ? &input : &layer);
    return question->plan.layers[0].state == CP_LAYER_PLANNED;
}

/* All that depends on the layer. Its kind is known even where its sizes do not work out. */
static void check_layer(struct asking *asking)
{
    struct cp_convolve_question *question = asking->question;
    struct cp_reference *reference = &question->reference;
    bool planned = reference->input_shape.rank > 0 && plan_layer(asking);
    struct cp_axis_trace unknown[CP_MAX_AXES] = {0};
    const struct cp_layer_plan none = {.trace = unknown};
    reference->operation = cp_operation_of(asking->layer, planned ? &question->plan.layers[0] : &none);
    check_kind_presence(asking);
    check_method(asking);
    check_norm(asking);
    if (planned) check_operand_shapes(asking, &question->plan.layers[0].output);
}

bool cp_read_convolve(struct cp_reader *reader, struct cp_text body, struct cp_convolve_question *question)
{
    *question = (struct cp_convolve_question){0};
    struct asking asking = {.reader = reader, .question = question, .request = cp_read_body(reader, body)};
    if (!asking.request) return false;
    cp_read_known_members(reader, asking.request, NULL, members, REQUIRED_MEMBERS);
    read_words(&asking);
    read_layer(&asking);
    read_operands(&asking);
    check_presence(&asking);
    if (asking.layer) check_layer(&asking);
    if (reader->problems.count > 0) return false;
    struct cp_reference_status status = cp_reference_check(&question->reference, &question->output, &question->result);
    if (status.code != CP_REFERENCE_OK)
        refuse(&asking, CP_CODE_limit_exceeded, NULL,
               CP_ARGUMENTS(cp_words("a count of this computation"), cp_words("too large"), cp_words("2^53 − 1")));
    return status.code == CP_REFERENCE_OK;
}
