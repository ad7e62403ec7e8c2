/* Linear, and the layers that only rearrange: Flatten, Unflatten, Reshape, Permute, Slice, Mean, ChannelShuffle. */
#include "core/layers/laws.h"

static bool report_overflow(struct cp_inference *inference, const char *member)
{
    cp_report(inference, CP_CODE_count_overflow, member, CP_NO_AXIS, CP_ARGUMENTS(cp_words("the output's size")));
    return false;
}

/* ---- Linear ----------------------------------------------------------------------------------------------------- */

static const struct cp_member linear_members[] = {
    {.name = CP_TEXT_INIT("in_features"),
     .type = CP_MEMBER_INTEGER,
     .offset = offsetof(struct cp_linear, in_features),
     .minimum = 1,
     .nullable = true,
     .default_text = "the input's last size",
     .summary = "Size of the last axis; checked when given."},
    {.name = CP_TEXT_INIT("out_features"),
     .type = CP_MEMBER_INTEGER,
     .offset = offsetof(struct cp_linear, out_features),
     .required = true,
     .minimum = 1,
     .summary = "Size of the output's last axis."},
    {.name = CP_TEXT_INIT("bias"),
     .type = CP_MEMBER_BOOLEAN,
     .offset = offsetof(struct cp_linear, bias),
     .summary = "Whether one number per output is added."},
};

static bool linear_infer(struct cp_inference *inference)
{
    const struct cp_linear *linear = inference->layer->params;
    if (!cp_expect_rank(inference, 1, CP_MAX_RANK)) return false;
    struct cp_shape *output = &inference->plan->output;
    *output = *inference->inputs[0];
    int64_t *last = &output->size[output->rank - 1];
    if (!cp_expect_size(inference, "in_features", linear->in_features, *last)) return false;
    *last = linear->out_features;
    inference->plan->rule = "last axis becomes out_features";
    return true;
}

static bool linear_cost(struct cp_inference *inference)
{
    const struct cp_linear *linear = inference->layer->params;
    const struct cp_shape *input = inference->inputs[0];
    int64_t weights;
    int64_t rows;
    return cp_multiply(input->size[input->rank - 1], linear->out_features, &weights) &&
           cp_add(weights, linear->bias ? linear->out_features : 0, &inference->plan->params) &&
           cp_shape_product(input, 0, input->rank - 1, &rows) && cp_multiply(rows, weights, &inference->plan->macs);
}

static const struct cp_field *linear_reach(struct cp_inference *inference)
{
    inference->field_reason = "Linear mixes one axis only";
    return cp_field_see_all(inference->arena, inference->fields[0], 1u << (inference->inputs[0]->rank - 1));
}

const struct cp_layer_kind cp_linear_kind = {
    .family = "dense",
    .summary = "A matrix times the last axis.",
    CP_MEMBERS(linear_members),
    CP_PARAMETERS(struct cp_linear, .bias = true),
    .infer = linear_infer,
    .law = cp_linear_law,
    .cost = linear_cost,
    .reach = linear_reach,
};

/* ---- Flatten, Unflatten, Reshape -------------------------------------------------------------------------------- */

static const struct cp_field *regroup_reach(struct cp_inference *inference)
{
    inference->field_reason = "the axes are regrouped";
    return cp_field_reshape(inference->arena, inference->fields[0], inference->inputs[0], &inference->plan->output);
}

static const struct cp_member flatten_members[] = {
    {.name = CP_TEXT_INIT("start_dim"),
     .type = CP_MEMBER_INTEGER,
     .offset = offsetof(struct cp_flatten, start_dim),
     .minimum = -CP_MAX_RANK,
     .maximum = CP_MAX_RANK - 1,
     .summary = "First dimension to join."},
    {.name = CP_TEXT_INIT("end_dim"),
     .type = CP_MEMBER_INTEGER,
     .offset = offsetof(struct cp_flatten, end_dim),
     .minimum = -CP_MAX_RANK,
     .maximum = CP_MAX_RANK - 1,
     .summary = "Last dimension to join; negative from the end."},
};

static bool flatten_infer(struct cp_inference *inference)
{
    const struct cp_flatten *flatten = inference->layer->params;
    const struct cp_shape *input = inference->inputs[0];
    int first = 0, last = 0;
    bool right = cp_resolve_dim(inference, "start_dim", flatten->start_dim, input->rank, &first);
    right = cp_resolve_dim(inference, "end_dim", flatten->end_dim, input->rank, &last) && right;
    if (!right) return false;
    if (first > last) {
        cp_report(inference, CP_CODE_dims_out_of_order, "end_dim", CP_NO_AXIS,
                  CP_ARGUMENTS(cp_number(first), cp_number(last)));
        return false;
    }
    struct cp_shape *output = &inference->plan->output;
    int64_t joined;
    if (!cp_shape_product(input, first, last + 1, &joined)) return report_overflow(inference, NULL);
    inference->plan->rule = "sizes from start_dim to end_dim multiplied";
    for (int dim = 0; dim < first; dim++) output->size[output->rank++] = input->size[dim];
    output->size[output->rank++] = joined;
    for (int dim = last + 1; dim < input->rank; dim++) output->size[output->rank++] = input->size[dim];
    return true;
}

const struct cp_layer_kind cp_flatten_kind = {
    .family = "shape",
    .summary = "Joins neighbouring dimensions.",
    CP_MEMBERS(flatten_members),
    CP_PARAMETERS(struct cp_flatten, .start_dim = 1, .end_dim = -1),
    .infer = flatten_infer,
    .law = cp_flatten_law,
    .reach = regroup_reach,
};

/* More than one open size (-1) can never be resolved. */
static bool one_open_size(const struct cp_sizes *sizes, const char *member, struct cp_refusal *refusal)
{
    int open = 0;
    for (int at = 0; at < sizes->count; at++) open += sizes->at[at] == -1;
    if (open <= 1) return true;
    *refusal = (struct cp_refusal){CP_CODE_two_open_sizes, member, NULL};
    return false;
}

/* Write `sizes` to `target`, the open one such that they multiply to `total`, the elements of `what`; false after a
 * report. */
static bool fill_sizes(struct cp_inference *inference, const char *member, const struct cp_sizes *sizes,
                       const char *what, int64_t total, int64_t *target)
{
    int64_t known = 1;
    int open = -1;
    bool fits = true;
    for (int at = 0; at < sizes->count; at++) {
        if (sizes->at[at] == -1)
            open = at;
        else
            fits = fits && cp_multiply(known, sizes->at[at], &known);
        target[at] = sizes->at[at];
    }
    if (fits && (open < 0 ? known == total : total % known == 0)) {
        if (open >= 0) target[open] = total / known;
        return true;
    }
    cp_report(inference, CP_CODE_elements_differ, member, CP_NO_AXIS,
              CP_ARGUMENTS(cp_number(total), fits ? cp_number(known) : cp_words("more than 2^53 − 1"),
                           cp_dimensions(inference->inputs[0]), cp_words(what)));
    return false;
}

static const struct cp_member unflatten_members[] = {
    {.name = CP_TEXT_INIT("dim"),
     .type = CP_MEMBER_INTEGER,
     .offset = offsetof(struct cp_unflatten, dim),
     .required = true,
     .minimum = -CP_MAX_RANK,
     .maximum = CP_MAX_RANK - 1,
     .summary = "The dimension to split."},
    {.name = CP_TEXT_INIT("unflattened_size"),
     .type = CP_MEMBER_SIZES,
     .offset = offsetof(struct cp_unflatten, unflattened_size),
     .required = true,
     .minimum = -1,
     .nonzero = true,
     .summary = "The sizes that it becomes; one may be -1 and follows from the others."},
};

static bool unflatten_legal(const struct cp_layer *layer, struct cp_refusal *refusal)
{
    const struct cp_unflatten *unflatten = layer->params;
    return one_open_size(&unflatten->unflattened_size, "unflattened_size", refusal);
}

static bool unflatten_infer(struct cp_inference *inference)
{
    const struct cp_unflatten *unflatten = inference->layer->params;
    const struct cp_shape *input = inference->inputs[0];
    int dim;
    if (!cp_resolve_dim(inference, "dim", unflatten->dim, input->rank, &dim)) return false;
    int rank = input->rank + unflatten->unflattened_size.count - 1;
    if (rank > CP_MAX_RANK) {
        cp_report(inference, CP_CODE_rank_too_large, "unflattened_size", CP_NO_AXIS,
                  CP_ARGUMENTS(cp_number(rank), cp_number(CP_MAX_RANK)));
        return false;
    }
    struct cp_shape *output = &inference->plan->output;
    output->rank = rank;
    for (int at = 0; at < dim; at++) output->size[at] = input->size[at];
    for (int at = dim + 1; at < input->rank; at++) output->size[rank - input->rank + at] = input->size[at];
    inference->plan->rule = "dim split into unflattened_size";
    return fill_sizes(inference, "unflattened_size", &unflatten->unflattened_size, "that dimension of the input",
                      input->size[dim], &output->size[dim]);
}

const struct cp_layer_kind cp_unflatten_kind = {
    .family = "shape",
    .summary = "Splits a dimension.",
    CP_MEMBERS(unflatten_members),
    CP_PARAMETERS(struct cp_unflatten, .dim = 0),
    .legal = unflatten_legal,
    .infer = unflatten_infer,
    .law = cp_unflatten_law,
    .reach = regroup_reach,
};

static const struct cp_member reshape_members[] = {
    {.name = CP_TEXT_INIT("shape"),
     .type = CP_MEMBER_SHAPE,
     .offset = offsetof(struct cp_reshape, shape),
     .required = true,
     .minimum = -1,
     .nonzero = true,
     .summary = "The whole new shape; one size may be -1 and follows from the others."},
};

static bool reshape_legal(const struct cp_layer *layer, struct cp_refusal *refusal)
{
    const struct cp_reshape *reshape = layer->params;
    return one_open_size(&reshape->shape, "shape", refusal);
}

static bool reshape_infer(struct cp_inference *inference)
{
    const struct cp_reshape *reshape = inference->layer->params;
    const struct cp_shape *input = inference->inputs[0];
    int64_t elements;
    if (!cp_shape_product(input, 0, input->rank, &elements)) return report_overflow(inference, NULL);
    inference->plan->output.rank = reshape->shape.count;
    inference->plan->rule = "as shape says";
    return fill_sizes(inference, "shape", &reshape->shape, "the input", elements, inference->plan->output.size);
}

const struct cp_layer_kind cp_reshape_kind = {
    .family = "shape",
    .summary = "The same elements in another shape.",
    CP_MEMBERS(reshape_members),
    CP_PARAMETERS(struct cp_reshape, .shape.count = 0),
    .legal = reshape_legal,
    .infer = reshape_infer,
    .law = cp_reshape_law,
    .reach = regroup_reach,
};

/* ---- Permute ---------------------------------------------------------------------------------------------------- */

static const struct cp_member permute_members[] = {
    {.name = CP_TEXT_INIT("dims"),
     .type = CP_MEMBER_SIZES,
     .offset = offsetof(struct cp_permute, dims),
     .required = true,
     .minimum = -CP_MAX_RANK,
     .maximum = CP_MAX_RANK - 1,
     .summary = "For each dimension of the output, the input's dimension that goes there."},
};

static bool permutation_of(struct cp_inference *inference, int source[CP_MAX_RANK])
{
    const struct cp_permute *permute = inference->layer->params;
    const struct cp_shape *input = inference->inputs[0];
    uint32_t seen = 0;
    bool right = permute->dims.count == input->rank;
    for (int at = 0; right && at < input->rank; at++) {
        int64_t dim = permute->dims.at[at];
        right = dim >= -input->rank && dim < input->rank;
        source[at] = (int)(dim < 0 ? dim + input->rank : dim);
        right = right && !(seen >> source[at] & 1);
        if (right) seen |= 1u << source[at];
    }
    return right;
}

static bool permute_infer(struct cp_inference *inference)
{
    const struct cp_shape *input = inference->inputs[0];
    int source[CP_MAX_RANK];
    if (!permutation_of(inference, source)) {
        cp_report(inference, CP_CODE_not_a_permutation, "dims", CP_NO_AXIS,
                  CP_ARGUMENTS(cp_number(input->rank - 1), cp_dimensions(input)));
        return false;
    }
    inference->plan->rule = "sizes in the order of dims";
    inference->plan->output.rank = input->rank;
    for (int at = 0; at < input->rank; at++) inference->plan->output.size[at] = input->size[source[at]];
    return true;
}

static const struct cp_field *permute_reach(struct cp_inference *inference)
{
    int source[CP_MAX_RANK] = {0};
    (void)!permutation_of(inference, source);
    return cp_field_permute(inference->arena, inference->fields[0], source, inference->inputs[0]->rank);
}

const struct cp_layer_kind cp_permute_kind = {
    .family = "shape",
    .summary = "Reorders the dimensions.",
    CP_MEMBERS(permute_members),
    CP_PARAMETERS(struct cp_permute, .dims.count = 0),
    .infer = permute_infer,
    .law = cp_permute_law,
    .reach = permute_reach,
};

/* ---- Slice ------------------------------------------------------------------------------------------------------ */

enum { SLICE_END = 2 };

static const struct cp_member slice_members[] = {
    {.name = CP_TEXT_INIT("dim"),
     .type = CP_MEMBER_INTEGER,
     .offset = offsetof(struct cp_slice, dim),
     .required = true,
     .minimum = -CP_MAX_RANK,
     .maximum = CP_MAX_RANK - 1,
     .summary = "The dimension to take a part of."},
    {.name = CP_TEXT_INIT("start"),
     .type = CP_MEMBER_INTEGER,
     .offset = offsetof(struct cp_slice, start),
     .minimum = -CP_MAX_COUNT,
     .nullable = true,
     .summary = "First index; negative from the end."},
    [SLICE_END] = {.name = CP_TEXT_INIT("end"),
                   .type = CP_MEMBER_INTEGER,
                   .offset = offsetof(struct cp_slice, end),
                   .minimum = -CP_MAX_COUNT,
                   .nullable = true,
                   .default_text = "the dimension's end",
                   .summary = "One past the last index; negative from the end."},
    {.name = CP_TEXT_INIT("step"),
     .type = CP_MEMBER_INTEGER,
     .offset = offsetof(struct cp_slice, step),
     .minimum = 1,
     .nullable = true,
     .summary = "Distance between the indices that are kept."},
};

/* Python's rule: negative counts from the end, then both ends are clamped to the dimension. */
static int64_t slice_bound(int64_t index, int64_t size)
{
    if (index < 0) index += size;
    if (index < 0) return 0;
    return index < size ? index : size;
}

bool cp_sliced(const struct cp_slice *slice, int64_t size, int64_t *output)
{
    int64_t start = slice_bound(slice->start, size), end = slice_bound(slice->end, size);
    if (start >= end) return false;
    *output = cp_ceil_divide(end - start, slice->step);
    return true;
}

static bool slice_infer(struct cp_inference *inference)
{
    const struct cp_slice *slice = inference->layer->params;
    const struct cp_shape *input = inference->inputs[0];
    int dim;
    if (!cp_resolve_dim(inference, "dim", slice->dim, input->rank, &dim)) return false;
    int64_t size = input->size[dim];
    int64_t start = slice_bound(slice->start, size), end = slice_bound(slice->end, size);
    inference->plan->rule = "o = ⌈(end − start)/step⌉";
    inference->plan->output = *input;
    if (cp_sliced(slice, size, &inference->plan->output.size[dim])) return true;
    cp_report(inference, CP_CODE_empty_slice, cp_given(inference->layer, SLICE_END) ? "end" : "start", CP_NO_AXIS,
              CP_ARGUMENTS(cp_number(start), cp_number(end), cp_number(size)));
    return false;
}

static const struct cp_field *slice_reach(struct cp_inference *inference)
{
    const struct cp_slice *slice = inference->layer->params;
    const struct cp_shape *input = inference->inputs[0];
    int dim = (int)(slice->dim < 0 ? slice->dim + input->rank : slice->dim);
    struct cp_window every = {1, slice->step, 1, -slice_bound(slice->start, input->size[dim]), 0, CP_ROUND_FLOOR};
    return cp_field_window(inference->arena, inference->fields[0], dim, &every);
}

const struct cp_layer_kind cp_slice_kind = {
    .family = "shape",
    .summary = "Keeps a range of one dimension, as Python's start:end:step.",
    CP_MEMBERS(slice_members),
    CP_PARAMETERS(struct cp_slice, .end = CP_MAX_COUNT, .step = 1),
    .infer = slice_infer,
    .law = cp_slice_law,
    .reach = slice_reach,
};

/* ---- Mean ------------------------------------------------------------------------------------------------------- */

static const struct cp_member mean_members[] = {
    {.name = CP_TEXT_INIT("dim"),
     .type = CP_MEMBER_SIZES,
     .offset = offsetof(struct cp_mean, dim),
     .required = true,
     .minimum = -CP_MAX_RANK,
     .maximum = CP_MAX_RANK - 1,
     .summary = "The dimension to average, or a list of them."},
    {.name = CP_TEXT_INIT("keepdim"),
     .type = CP_MEMBER_BOOLEAN,
     .offset = offsetof(struct cp_mean, keepdim),
     .summary = "Whether averaged dimensions stay, with size 1."},
};

/* The bit mask of averaged dimensions; false after a report of one out of range or named twice. */
static bool averaged_dims(struct cp_inference *inference, const struct cp_mean *mean, uint32_t *mask)
{
    *mask = 0;
    for (int at = 0; at < mean->dim.count; at++) {
        int dim;
        if (!cp_resolve_dim(inference, "dim", mean->dim.at[at], inference->inputs[0]->rank, &dim)) return false;
        if (*mask >> dim & 1) {
            cp_report(inference, CP_CODE_dim_twice, "dim", CP_NO_AXIS, CP_ARGUMENTS(cp_number(dim)));
            return false;
        }
        *mask |= 1u << dim;
    }
    return true;
}

static bool mean_infer(struct cp_inference *inference)
{
    const struct cp_mean *mean = inference->layer->params;
    const struct cp_shape *input = inference->inputs[0];
    uint32_t mask;
    if (!averaged_dims(inference, mean, &mask)) return false;
    struct cp_shape *output = &inference->plan->output;
    inference->plan->rule = mean->keepdim ? "averaged dimensions become 1" : "averaged dimensions go";
    for (int dim = 0; dim < input->rank; dim++) {
        if (!(mask >> dim & 1))
            output->size[output->rank++] = input->size[dim];
        else if (mean->keepdim)
            output->size[output->rank++] = 1;
    }
    return true;
}

static const struct cp_field *mean_reach(struct cp_inference *inference)
{
    const struct cp_mean *mean = inference->layer->params;
    uint32_t mask;
    int kept[CP_MAX_RANK];
    int rank = 0;
    if (!averaged_dims(inference, mean, &mask)) return NULL;
    inference->field_reason = "Mean covers some of the spatial axes only";
    const struct cp_field *field = cp_field_see_all(inference->arena, inference->fields[0], mask);
    if (mean->keepdim) return field;
    for (int dim = 0; dim < inference->inputs[0]->rank; dim++)
        if (!(mask >> dim & 1)) kept[rank++] = dim;
    return cp_field_permute(inference->arena, field, kept, rank);
}

const struct cp_layer_kind cp_mean_kind = {
    .family = "shape",
    .summary = "The mean over dimensions; over the spatial ones it is global average pooling.",
    CP_MEMBERS(mean_members),
    CP_PARAMETERS(struct cp_mean, .keepdim = false),
    .infer = mean_infer,
    .law = cp_mean_law,
    .reach = mean_reach,
};

/* ---- ChannelShuffle --------------------------------------------------------------------------------------------- */

static const struct cp_member channel_shuffle_members[] = {
    {.name = CP_TEXT_INIT("groups"),
     .type = CP_MEMBER_INTEGER,
     .offset = offsetof(struct cp_channel_shuffle, groups),
     .required = true,
     .minimum = 1,
     .summary = "Groups of channels that are interleaved; divides the channels."},
};

static bool channel_shuffle_infer(struct cp_inference *inference)
{
    const struct cp_channel_shuffle *shuffle = inference->layer->params;
    return cp_expect_rank(inference, 3, CP_MAX_RANK) &&
           cp_expect_divides(inference, "groups", shuffle->groups, "channels", inference->inputs[0]->size[1]) &&
           cp_infer_same(inference);
}

/* Where an axis lies in the channels, flattened or permuted, its units lie there in another order now. */
static const struct cp_field *channel_shuffle_reach(struct cp_inference *inference)
{
    inference->field_reason = "some of the spatial axes lie in the channels";
    return cp_field_forget(inference->arena, inference->fields[0], 1u << 1);
}

const struct cp_layer_kind cp_channel_shuffle_kind = {
    .family = "shape",
    .summary = "Interleaves the channels of groups.",
    CP_MEMBERS(channel_shuffle_members),
    CP_PARAMETERS(struct cp_channel_shuffle, .groups = 1),
    .infer = channel_shuffle_infer,
    .law = cp_channel_shuffle_law,
    .reach = channel_shuffle_reach,
};
