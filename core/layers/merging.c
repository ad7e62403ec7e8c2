/* Add, Sub, Mul, Concat: layers with any number of inputs. */
#include "core/layers/laws.h"

/* ---- Element by element, with broadcasting ---------------------------------------------------------------------- */

static int64_t size_from_end(const struct cp_shape *shape, int back)
{
    return back <= shape->rank ? shape->size[shape->rank - back] : 1;
}

/* One more operand of a broadcast; false when a dimension differs and neither size is 1. */
static bool broadcast(struct cp_shape *total, const struct cp_shape *operand, int *dim)
{
    struct cp_shape wide = {.rank = total->rank > operand->rank ? total->rank : operand->rank};
    for (int back = 1; back <= wide.rank; back++) {
        int64_t a = size_from_end(total, back), b = size_from_end(operand, back);
        *dim = wide.rank - back;
        if (a != b && a != 1 && b != 1) return false;
        wide.size[wide.rank - back] = a == 1 ? b : a;
    }
    *total = wide;
    return true;
}

static bool elementwise_infer(struct cp_inference *inference)
{
    struct cp_shape *output = &inference->plan->output;
    inference->plan->rule = "broadcast of the inputs";
    *output = *inference->inputs[0];
    for (uint32_t at = 1; at < inference->input_count; at++) {
        int dim;
        const struct cp_shape *operand = inference->inputs[at];
        if (output->rank == operand->rank && cp_shape_equal(output, operand)) continue;
        struct cp_shape *before = CP_NEW(inference->arena, struct cp_shape);
        *before = *output;
        if (broadcast(output, operand, &dim)) continue;
        cp_report(inference, CP_CODE_shapes_do_not_broadcast, "from", CP_NO_AXIS,
                  CP_ARGUMENTS(cp_dimensions(before), cp_number(at), cp_dimensions(operand), cp_number(dim)));
        return false;
    }
    return true;
}

/* The field of an operand in the dimensions of the output, without numbers where one value serves many positions. */
static const struct cp_field *broadcast_field(struct cp_inference *inference, uint32_t at)
{
    const struct cp_shape *operand = inference->inputs[at], *output = &inference->plan->output;
    struct cp_shape wide = {.rank = output->rank};
    uint32_t repeated = 0;
    for (int back = 1; back <= output->rank; back++) {
        int dim = output->rank - back;
        wide.size[dim] = size_from_end(operand, back);
        if (wide.size[dim] != output->size[dim]) repeated |= 1u << dim;
    }
    const struct cp_field *field = cp_field_reshape(inference->arena, inference->fields[at], operand, &wide);
    return cp_field_forget(inference->arena, field, repeated);
}

/* One more branch. Inputs of different ranks do not have the same axes. */
static const struct cp_field *joined_fields(struct cp_inference *inference, const struct cp_field *total,
                                            const struct cp_field *field)
{
    if (!total) return field;
    const struct cp_field *both = cp_field_union(inference->arena, total, field);
    return total->axis_count == field->axis_count ? both : cp_field_forget(inference->arena, both, UINT32_MAX);
}

static const struct cp_field *elementwise_reach(struct cp_inference *inference)
{
    const struct cp_field *total = NULL;
    inference->field_reason = "the branches have different strides or are broadcast";
    for (uint32_t at = 0; at < inference->input_count; at++) {
        if (!inference->fields[at]) return NULL;
        total = joined_fields(inference, total, broadcast_field(inference, at));
    }
    return total;
}

#define ELEMENTWISE(text)                                                                                              \
    {                                                                                                                  \
        .family = "merge", .summary = (text), .merges = true, .infer = elementwise_infer, .reach = elementwise_reach,  \
        .law = cp_elementwise_law,                                                                                     \
    }

const struct cp_layer_kind cp_add_kind = ELEMENTWISE("The sum of its inputs, element by element, with broadcasting.");
const struct cp_layer_kind cp_sub_kind = ELEMENTWISE("The first input less the others, with broadcasting.");
const struct cp_layer_kind cp_mul_kind =
    ELEMENTWISE("The product of its inputs, element by element, with broadcasting.");

/* ---- Concat ----------------------------------------------------------------------------------------------------- */

static const struct cp_member concat_members[] = {
    {.name = CP_TEXT_INIT("dim"),
     .type = CP_MEMBER_INTEGER,
     .offset = offsetof(struct cp_concat, dim),
     .minimum = -CP_MAX_RANK,
     .maximum = CP_MAX_RANK - 1,
     .summary = "The dimension along which the inputs are joined; 1 is the channels."},
};

/* The spatial axis that a dimension is, for the name of it in a finding. */
static int axis_of_dim(int dim, int rank)
{
    return rank <= CP_MAX_AXES + 2 && dim >= 2 ? dim - 2 : CP_NO_AXIS;
}

static bool concat_one(struct cp_inference *inference, uint32_t at, int dim)
{
    struct cp_shape *output = &inference->plan->output;
    const struct cp_shape *operand = inference->inputs[at], *first = inference->inputs[0];
    bool same = operand->rank == output->rank;
    int differs = 0;
    for (int other = 0; same && other < output->rank; other++) {
        if (other == dim || operand->size[other] == output->size[other]) continue;
        same = false;
        differs = other;
    }
    if (!same) {
        struct cp_finding *finding =
            cp_report(inference, CP_CODE_concat_sizes_differ, "from", axis_of_dim(differs, output->rank),
                      CP_ARGUMENTS(cp_dimensions(first), cp_number(at), cp_dimensions(operand), cp_number(dim)));
        finding->axes = output->rank - 2;
        return false;
    }
    if (cp_add(output->size[dim], operand->size[dim], &output->size[dim])) return true;
    cp_report(inference, CP_CODE_count_overflow, "from", CP_NO_AXIS, CP_ARGUMENTS(cp_words("the output's size")));
    return false;
}

static bool concat_infer(struct cp_inference *inference)
{
    const struct cp_concat *concat = inference->layer->params;
    struct cp_shape *output = &inference->plan->output;
    inference->plan->rule = "sizes along dim added";
    *output = *inference->inputs[0];
    int dim;
    if (!cp_resolve_dim(inference, "dim", concat->dim, output->rank, &dim)) return false;
    bool right = true;
    for (uint32_t at = 1; at < inference->input_count; at++) right = concat_one(inference, at, dim) && right;
    return right;
}

static const struct cp_field *concat_reach(struct cp_inference *inference)
{
    const struct cp_concat *concat = inference->layer->params;
    int rank = inference->inputs[0]->rank;
    uint32_t joined = 1u << (concat->dim < 0 ? concat->dim + rank : concat->dim);
    const struct cp_field *total = NULL;
    inference->field_reason = "the branches have different strides or are joined along a spatial axis";
    for (uint32_t at = 0; at < inference->input_count; at++) {
        const struct cp_field *field = inference->fields[at];
        if (!field) return NULL;
        if (inference->input_count > 1) field = cp_field_forget(inference->arena, field, joined);
        total = joined_fields(inference, total, field);
    }
    return total;
}

const struct cp_layer_kind cp_concat_kind = {
    .family = "merge",
    .summary = "Its inputs one after the other along a dimension; all other sizes are equal.",
    CP_MEMBERS(concat_members),
    CP_PARAMETERS(struct cp_concat, .dim = 1),
    .merges = true,
    .infer = concat_infer,
    .law = cp_concat_law,
    .reach = concat_reach,
};
