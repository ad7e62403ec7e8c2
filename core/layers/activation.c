/* Activations, dropouts, Identity: what keeps its input's shape; and Opaque, whose shape only its author knows. */
#include "core/layers/laws.h"

#define AT(field) offsetof(struct cp_activation, field)

#define INPLACE                                                                                                        \
    {                                                                                                                  \
        .name = CP_TEXT_INIT("inplace"), .type = CP_MEMBER_BOOLEAN, .offset = AT(inplace),                             \
        .summary = "Whether the input is overwritten; not counted in activation memory."                               \
    }
#define NUMBER(name_, field, text)                                                                                     \
    {                                                                                                                  \
        .name = CP_TEXT_INIT(name_), .type = CP_MEMBER_NUMBER, .offset = AT(field), .summary = (text)                  \
    }

static const char *const approximations[] = {"none", "tanh", NULL};

static const struct cp_member inplace_members[] = {INPLACE};
static const struct cp_member leaky_relu_members[] = {NUMBER("negative_slope", negative_slope, "Slope below 0."),
                                                      INPLACE};
static const struct cp_member elu_members[] = {NUMBER("alpha", alpha, "Limit below 0, negated."), INPLACE};
static const struct cp_member gelu_members[] = {{.name = CP_TEXT_INIT("approximate"),
                                                 .type = CP_MEMBER_WORD,
                                                 .offset = AT(approximate),
                                                 .words = approximations,
                                                 .summary = "Whether the tanh approximation is used."}};
static const struct cp_member softplus_members[] = {NUMBER("beta", beta, "Sharpness."),
                                                    NUMBER("threshold", threshold, "Linear above it.")};
static const struct cp_member hardtanh_members[] = {NUMBER("min_val", min_val, "Least value."),
                                                    NUMBER("max_val", max_val, "Largest value."), INPLACE};
static const struct cp_member dropout_members[] = {{.name = CP_TEXT_INIT("p"),
                                                    .type = CP_MEMBER_NUMBER,
                                                    .offset = AT(p),
                                                    .minimum = 0,
                                                    .maximum = 1,
                                                    .summary = "Probability of a value being dropped."},
                                                   INPLACE};
static const struct cp_member prelu_members[] = {{.name = CP_TEXT_INIT("num_parameters"),
                                                  .type = CP_MEMBER_INTEGER,
                                                  .offset = AT(num_parameters),
                                                  .minimum = 1,
                                                  .summary = "1, or one slope per channel."},
                                                 NUMBER("init", init, "First value of the slopes.")};
static const struct cp_member softmax_members[] = {{.name = CP_TEXT_INIT("dim"),
                                                    .type = CP_MEMBER_INTEGER,
                                                    .offset = AT(dim),
                                                    .minimum = -CP_MAX_RANK,
                                                    .maximum = CP_MAX_RANK - 1,
                                                    .nullable = true,
                                                    .summary = "The dimension along which values sum to 1."}};

#define ACTIVATION_DEFAULTS(...) CP_PARAMETERS(struct cp_activation, __VA_ARGS__)
#define PLAIN(text)                                                                                                    \
    {                                                                                                                  \
        .family = "activation", .summary = (text), .infer = cp_infer_same                                              \
    }
#define INPLACE_KIND(text)                                                                                             \
    {                                                                                                                  \
        .family = "activation", .summary = (text), CP_MEMBERS(inplace_members), ACTIVATION_DEFAULTS(.inplace = false), \
        .infer = cp_infer_same,                                                                                        \
    }
#define ACTIVATION(members_, text, ...)                                                                                \
    {                                                                                                                  \
        .family = "activation", .summary = (text), CP_MEMBERS(members_), ACTIVATION_DEFAULTS(__VA_ARGS__),             \
        .infer = cp_infer_same,                                                                                        \
    }
#define DROPOUT(text, ...)                                                                                             \
    {                                                                                                                  \
        .family = "dropout", .summary = (text), CP_MEMBERS(dropout_members), ACTIVATION_DEFAULTS(.p = 0.5),            \
        __VA_ARGS__                                                                                                    \
    }

/* PyTorch holds Dropout1d alone to its ranks; the others drop along the first two dimensions of any tensor that has them. */
static bool dropout_channels_infer(struct cp_inference *inference)
{
    return cp_expect_rank(inference, 2, inference->axes == 1 ? 3 : CP_MAX_RANK) && cp_infer_same(inference);
}

const struct cp_layer_kind cp_relu_kind = INPLACE_KIND("max(0, x)");
const struct cp_layer_kind cp_relu6_kind = INPLACE_KIND("min(max(0, x), 6)");
const struct cp_layer_kind cp_leaky_relu_kind =
    ACTIVATION(leaky_relu_members, "max(0, x) + negative_slope · min(0, x)", .negative_slope = 0.01);
const struct cp_layer_kind cp_elu_kind = ACTIVATION(elu_members, "x above 0, alpha · (eˣ − 1) below", .alpha = 1);
const struct cp_layer_kind cp_selu_kind = INPLACE_KIND("ELU scaled to keep mean 0 and variance 1");
const struct cp_layer_kind cp_gelu_kind = ACTIVATION(gelu_members, "x · Φ(x)", .approximate = 0);
const struct cp_layer_kind cp_silu_kind = INPLACE_KIND("x · sigmoid(x)");
const struct cp_layer_kind cp_mish_kind = INPLACE_KIND("x · tanh(softplus(x))");
const struct cp_layer_kind cp_sigmoid_kind = PLAIN("1/(1 + e⁻ˣ)");
const struct cp_layer_kind cp_tanh_kind = PLAIN("The hyperbolic tangent.");
const struct cp_layer_kind cp_softplus_kind =
    ACTIVATION(softplus_members, "log(1 + exp(beta · x))/beta", .beta = 1, .threshold = 20);
const struct cp_layer_kind cp_hardtanh_kind =
    ACTIVATION(hardtanh_members, "x clamped to [min_val, max_val]", .min_val = -1, .max_val = 1);
const struct cp_layer_kind cp_hardsigmoid_kind = INPLACE_KIND("min(max(0, x/6 + 1/2), 1)");
const struct cp_layer_kind cp_hardswish_kind = INPLACE_KIND("x · hardsigmoid(x)");
const struct cp_layer_kind cp_dropout_kind = DROPOUT("Drops values while training.", .infer = cp_infer_same);
const struct cp_layer_kind cp_dropout_channels_kind =
    DROPOUT("Drops whole channels while training.", .infer = dropout_channels_infer, .law = cp_dropout_channels_law);
const struct cp_layer_kind cp_alpha_dropout_kind =
    DROPOUT("Dropout that keeps mean and variance, for SELU.", .infer = cp_infer_same);
const struct cp_layer_kind cp_identity_kind = PLAIN("The input itself.");

/* ---- PReLU ------------------------------------------------------------------------------------------------------ */

static bool prelu_infer(struct cp_inference *inference)
{
    const struct cp_activation *prelu = inference->layer->params;
    const struct cp_shape *input = inference->inputs[0];
    if (prelu->num_parameters == 1) return cp_infer_same(inference);
    return cp_expect_rank(inference, 2, CP_MAX_RANK) &&
           cp_expect_size(inference, "num_parameters", prelu->num_parameters, input->size[1]) &&
           cp_infer_same(inference);
}

static bool prelu_cost(struct cp_inference *inference)
{
    const struct cp_activation *prelu = inference->layer->params;
    inference->plan->params = prelu->num_parameters;
    return true;
}

const struct cp_layer_kind cp_prelu_kind = {
    .family = "activation",
    .summary = "max(0, x) + a · min(0, x) with a learned.",
    CP_MEMBERS(prelu_members),
    ACTIVATION_DEFAULTS(.num_parameters = 1, .init = 0.25),
    .infer = prelu_infer,
    .law = cp_prelu_law,
    .cost = prelu_cost,
};

/* ---- Softmax ---------------------------------------------------------------------------------------------------- */

static bool softmax_infer(struct cp_inference *inference)
{
    const struct cp_activation *softmax = inference->layer->params;
    int dim;
    return cp_resolve_dim(inference, "dim", softmax->dim, inference->inputs[0]->rank, &dim) && cp_infer_same(inference);
}

static const struct cp_field *softmax_reach(struct cp_inference *inference)
{
    const struct cp_activation *softmax = inference->layer->params;
    int64_t dim = softmax->dim < 0 ? softmax->dim + inference->inputs[0]->rank : softmax->dim;
    inference->field_reason = "the softmax covers some of the spatial axes only";
    return cp_field_see_all(inference->arena, inference->fields[0], 1u << dim);
}

#define SOFTMAX(text)                                                                                                  \
    {                                                                                                                  \
        .family = "activation", .summary = (text), CP_MEMBERS(softmax_members), ACTIVATION_DEFAULTS(.dim = 1),         \
        .infer = softmax_infer, .reach = softmax_reach, .law = cp_softmax_law,                                         \
    }

const struct cp_layer_kind cp_softmax_kind = SOFTMAX("Positive values that sum to 1 along dim.");
const struct cp_layer_kind cp_log_softmax_kind = SOFTMAX("The logarithm of Softmax.");

/* ---- Opaque ----------------------------------------------------------------------------------------------------- */

static const struct cp_member opaque_members[] = {
    {.name = CP_TEXT_INIT("output_shape"),
     .type = CP_MEMBER_SHAPE,
     .offset = offsetof(struct cp_opaque, output_shape),
     .minimum = 1,
     .nullable = true,
     .default_text = "not known",
     .summary = "The whole output shape, declared by its author."},
};

static bool opaque_infer(struct cp_inference *inference)
{
    const struct cp_opaque *opaque = inference->layer->params;
    if (opaque->output_shape.count == 0) {
        cp_report(inference, CP_CODE_unknown_shape, NULL, CP_NO_AXIS, CP_ARGUMENTS(cp_name(inference->layer->name)));
        return false;
    }
    inference->plan->rule = "as output_shape declares";
    inference->plan->output.rank = opaque->output_shape.count;
    for (int dim = 0; dim < opaque->output_shape.count; dim++)
        inference->plan->output.size[dim] = opaque->output_shape.at[dim];
    return true;
}

static bool opaque_cost(struct cp_inference *inference)
{
    cp_report(inference, CP_CODE_unknown_cost, NULL, CP_NO_AXIS, CP_ARGUMENTS(cp_name(inference->layer->name)));
    inference->plan->params = CP_UNKNOWN;
    inference->plan->macs = CP_UNKNOWN;
    return true;
}

static const struct cp_field *opaque_reach(struct cp_inference *inference)
{
    inference->field_reason = "the layer is opaque";
    return NULL;
}

const struct cp_layer_kind cp_opaque_kind = {
    .family = "unknown",
    .summary = "A layer that is not known here; its cost is not known, its shape only where it is declared.",
    CP_MEMBERS(opaque_members),
    CP_PARAMETERS(struct cp_opaque, .output_shape.count = 0),
    .merges = true,
    .infer = opaque_infer,
    .law = cp_opaque_law,
    .cost = opaque_cost,
    .reach = opaque_reach,
};
