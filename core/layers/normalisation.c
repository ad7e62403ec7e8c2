/* Normalisation and Scale: no change of shape; parameters counted. */
#include "core/layers/laws.h"

#define AT(field) offsetof(struct cp_norm, field)

#define FEATURES(name_)                                                                                                \
    {                                                                                                                  \
        .name = CP_TEXT_INIT(name_), .type = CP_MEMBER_INTEGER, .offset = AT(features), .minimum = 1,                  \
        .nullable = true, .default_text = "the input's channels",                                                      \
        .summary = "Channels of the input; checked when given."                                                        \
    }
#define EPS                                                                                                            \
    {                                                                                                                  \
        .name = CP_TEXT_INIT("eps"), .type = CP_MEMBER_NUMBER, .offset = AT(eps), .summary = "Added to the variance."  \
    }
#define MOMENTUM                                                                                                       \
    {                                                                                                                  \
        .name = CP_TEXT_INIT("momentum"), .type = CP_MEMBER_NUMBER, .offset = AT(momentum), .nullable = true,          \
        .summary = "Weight of a new batch in the running statistics."                                                  \
    }
#define AFFINE(name_)                                                                                                  \
    {                                                                                                                  \
        .name = CP_TEXT_INIT(name_), .type = CP_MEMBER_BOOLEAN, .offset = AT(affine),                                  \
        .summary = "Whether a scale and a shift are learned."                                                          \
    }
#define TRACK                                                                                                          \
    {                                                                                                                  \
        .name = CP_TEXT_INIT("track_running_stats"), .type = CP_MEMBER_BOOLEAN, .offset = AT(track_running_stats),     \
        .summary = "Whether running statistics are kept."                                                              \
    }

static const struct cp_member batch_norm_members[] = {FEATURES("num_features"), EPS, MOMENTUM, AFFINE("affine"), TRACK};

static const struct cp_member group_norm_members[] = {
    {.name = CP_TEXT_INIT("num_groups"),
     .type = CP_MEMBER_INTEGER,
     .offset = AT(groups),
     .required = true,
     .minimum = 1,
     .summary = "Groups that the channels are split into."},
    FEATURES("num_channels"),
    EPS,
    AFFINE("affine"),
};

static const struct cp_member layer_norm_members[] = {
    {.name = CP_TEXT_INIT("normalized_shape"),
     .type = CP_MEMBER_SIZES,
     .offset = AT(normalized_shape),
     .required = true,
     .minimum = 1,
     .summary = "The sizes of the last dimensions, over which it normalises."},
    EPS,
    AFFINE("elementwise_affine"),
    {.name = CP_TEXT_INIT("bias"),
     .type = CP_MEMBER_BOOLEAN,
     .offset = AT(bias),
     .summary = "Whether a shift is learned too."},
};

static const struct cp_member local_response_norm_members[] = {
    {.name = CP_TEXT_INIT("size"),
     .type = CP_MEMBER_INTEGER,
     .offset = AT(size),
     .required = true,
     .minimum = 1,
     .summary = "Neighbouring channels that are summed over."},
    {.name = CP_TEXT_INIT("alpha"), .type = CP_MEMBER_NUMBER, .offset = AT(alpha), .summary = "Factor of the sum."},
    {.name = CP_TEXT_INIT("beta"), .type = CP_MEMBER_NUMBER, .offset = AT(beta), .summary = "Exponent."},
    {.name = CP_TEXT_INIT("k"), .type = CP_MEMBER_NUMBER, .offset = AT(k), .summary = "Added to the sum."},
};

static const struct cp_member scale_members[] = {
    FEATURES("num_features"),
    {.name = CP_TEXT_INIT("bias"),
     .type = CP_MEMBER_BOOLEAN,
     .offset = AT(bias),
     .summary = "Whether a constant is added too."},
};

static int64_t channels_of(const struct cp_inference *inference)
{
    return inference->inputs[0]->size[1];
}

static bool expect_features(struct cp_inference *inference, const char *member)
{
    const struct cp_norm *norm = inference->layer->params;
    return cp_expect_size(inference, member, norm->features, channels_of(inference));
}

static bool infer_with_features(struct cp_inference *inference, const char *member, int least, int most)
{
    return cp_expect_rank(inference, least, most) && expect_features(inference, member) && cp_infer_same(inference);
}

/* BatchNorm1d also takes [N, C]. */
static bool batch_norm_infer(struct cp_inference *inference)
{
    int rank = inference->axes + 2;
    return infer_with_features(inference, "num_features", inference->axes == 1 ? 2 : rank, rank);
}

/* A variance over one value is 0 by construction: PyTorch refuses it wherever the statistics are the batch's own. */
static bool expect_many_values(struct cp_inference *inference, int64_t values)
{
    if (values > 1) return true;
    cp_report(inference, CP_CODE_one_value_to_normalise, NULL, CP_NO_AXIS,
              CP_ARGUMENTS(cp_words(inference->layer->type->name), cp_dimensions(inference->inputs[0])));
    return false;
}

static bool instance_norm_infer(struct cp_inference *inference)
{
    const struct cp_norm *norm = inference->layer->params;
    const struct cp_shape *input = inference->inputs[0];
    int64_t positions = 0;
    if (!cp_expect_window_rank(inference)) return false;
    bool right = expect_features(inference, "num_features");
    if (!norm->track_running_stats && cp_shape_product(input, 2, input->rank, &positions))
        right = expect_many_values(inference, positions) && right;
    return right && cp_infer_same(inference);
}

static bool scale_infer(struct cp_inference *inference)
{
    return infer_with_features(inference, "num_features", 2, CP_MAX_RANK);
}

static bool group_norm_infer(struct cp_inference *inference)
{
    const struct cp_norm *norm = inference->layer->params;
    const struct cp_shape *input = inference->inputs[0];
    int64_t values = 0;
    if (!cp_expect_rank(inference, 2, CP_MAX_RANK)) return false;
    bool right = expect_features(inference, "num_channels");
    bool divides = cp_expect_divides(inference, "num_groups", norm->groups, "channels", channels_of(inference));
    if (divides && cp_shape_product(input, 0, input->rank, &values)) /* the count itself is reported later */
        right = expect_many_values(inference, values / norm->groups) && right;
    return right && divides && cp_infer_same(inference);
}

static bool local_response_norm_infer(struct cp_inference *inference)
{
    return cp_expect_rank(inference, 3, CP_MAX_RANK) && cp_infer_same(inference);
}

static bool layer_norm_infer(struct cp_inference *inference)
{
    const struct cp_norm *norm = inference->layer->params;
    const struct cp_shape *input = inference->inputs[0];
    const struct cp_sizes *last = &norm->normalized_shape;
    bool same = last->count <= input->rank;
    for (int at = 0; same && at < last->count; at++) same = last->at[at] == input->size[input->rank - last->count + at];
    if (same) return cp_infer_same(inference);
    struct cp_shape *given = CP_NEW(inference->arena, struct cp_shape);
    given->rank = last->count;
    for (int at = 0; at < last->count; at++) given->size[at] = last->at[at];
    cp_report(inference, CP_CODE_normalized_shape_differs, "normalized_shape", CP_NO_AXIS,
              CP_ARGUMENTS(cp_dimensions(given), cp_dimensions(input)));
    return false;
}

/* One scale and one shift per channel. */
static bool channel_cost(struct cp_inference *inference)
{
    const struct cp_norm *norm = inference->layer->params;
    inference->plan->params = 0;
    return !norm->affine || cp_multiply(channels_of(inference), norm->bias ? 2 : 1, &inference->plan->params);
}

static bool layer_norm_cost(struct cp_inference *inference)
{
    const struct cp_norm *norm = inference->layer->params;
    const struct cp_shape *input = inference->inputs[0];
    int64_t numbers;
    inference->plan->params = 0;
    return !norm->affine ||
           (cp_shape_product(input, input->rank - norm->normalized_shape.count, input->rank, &numbers) &&
            cp_multiply(numbers, norm->bias ? 2 : 1, &inference->plan->params));
}

/* Statistics over dimensions `first` and on: every output depends on all of them. */
static const struct cp_field *reach_from(struct cp_inference *inference, int first)
{
    uint32_t dims = 0;
    for (int dim = first; dim < inference->inputs[0]->rank; dim++) dims |= 1u << dim;
    inference->field_reason = "the normalisation covers some of the spatial axes only";
    return cp_field_see_all(inference->arena, inference->fields[0], dims);
}

static const struct cp_field *instance_norm_reach(struct cp_inference *inference)
{
    return reach_from(inference, 2);
}

/* Where there are several groups, an axis in the channels is seen in part. */
static const struct cp_field *group_norm_reach(struct cp_inference *inference)
{
    const struct cp_norm *norm = inference->layer->params;
    if (norm->groups == 1) return reach_from(inference, 1);
    return cp_field_forget(inference->arena, reach_from(inference, 2), 1u << 1);
}

static const struct cp_field *layer_norm_reach(struct cp_inference *inference)
{
    const struct cp_norm *norm = inference->layer->params;
    return reach_from(inference, inference->inputs[0]->rank - norm->normalized_shape.count);
}

/* Windows over the channels, where an axis may lie, flattened or permuted. */
static const struct cp_field *local_response_norm_reach(struct cp_inference *inference)
{
    inference->field_reason = "some of the spatial axes lie in the channels";
    return cp_field_forget(inference->arena, inference->fields[0], 1u << 1);
}

#define NORM_DEFAULTS(...) CP_PARAMETERS(struct cp_norm, .eps = 1e-5, .momentum = 0.1, .bias = true, __VA_ARGS__)

const struct cp_layer_kind cp_batch_norm_kind = {
    .family = "normalisation",
    .summary = "Normalises each channel over the batch and space.",
    CP_MEMBERS(batch_norm_members),
    NORM_DEFAULTS(.affine = true, .track_running_stats = true),
    .infer = batch_norm_infer,
    .law = cp_batch_norm_law,
    .cost = channel_cost,
};

const struct cp_layer_kind cp_instance_norm_kind = {
    .family = "normalisation",
    .summary = "Normalises each channel of each sample over space.",
    CP_MEMBERS(batch_norm_members),
    NORM_DEFAULTS(.affine = false),
    .infer = instance_norm_infer,
    .law = cp_instance_norm_law,
    .cost = channel_cost,
    .reach = instance_norm_reach,
};

const struct cp_layer_kind cp_group_norm_kind = {
    .family = "normalisation",
    .summary = "Normalises groups of channels of each sample over space.",
    CP_MEMBERS(group_norm_members),
    NORM_DEFAULTS(.affine = true, .groups = 1),
    .infer = group_norm_infer,
    .law = cp_group_norm_law,
    .cost = channel_cost,
    .reach = group_norm_reach,
};

const struct cp_layer_kind cp_layer_norm_kind = {
    .family = "normalisation",
    .summary = "Normalises over the last dimensions.",
    CP_MEMBERS(layer_norm_members),
    NORM_DEFAULTS(.affine = true),
    .infer = layer_norm_infer,
    .law = cp_layer_norm_law,
    .cost = layer_norm_cost,
    .reach = layer_norm_reach,
};

const struct cp_layer_kind cp_local_response_norm_kind = {
    .family = "normalisation",
    .summary = "Normalises across neighbouring channels.",
    CP_MEMBERS(local_response_norm_members),
    CP_PARAMETERS(struct cp_norm, .size = 1, .alpha = 1e-4, .beta = 0.75, .k = 1),
    .infer = local_response_norm_infer,
    .law = cp_local_response_norm_law,
    .reach = local_response_norm_reach,
};

const struct cp_layer_kind cp_scale_kind = {
    .family = "constant",
    .summary = "Multiplies each channel by a number of its own, and adds one with bias.",
    CP_MEMBERS(scale_members),
    NORM_DEFAULTS(.affine = true),
    .infer = scale_infer,
    .law = cp_scale_law,
    .cost = channel_cost,
};
