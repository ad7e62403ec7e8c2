/* Laws of the layers that rearrange, merge or normalise. */
#include "core/layers/laws.h"

/* ---- Shared ------------------------------------------------------------------------------------------------------- */

static bool divide(const int64_t *numbers, int64_t size, int64_t *result)
{
    *result = size / numbers[0];
    return *result >= 1;
}

uint32_t cp_law_scaled(struct cp_tracing *tracing, uint32_t size, int64_t factor)
{
    return cp_axis_product(tracing->program, size, cp_axis_constant(tracing->program, factor));
}

uint32_t cp_law_divided(struct cp_tracing *tracing, uint32_t size, int64_t divisor)
{
    struct cp_axis_map map = {
        .apply = divide, .numbers = {divisor}, .from = divisor, .period = divisor, .increment = 1};
    return cp_axis_map(tracing->program, size, &map);
}

uint32_t cp_law_declared(struct cp_tracing *tracing, int64_t declared, uint32_t size)
{
    if (!declared) return size;
    return cp_axis_require_equal(tracing->program, size, cp_axis_constant(tracing->program, declared));
}

uint32_t cp_law_elements(struct cp_tracing *tracing, const struct cp_dims *dims, int begin, int end)
{
    uint32_t product = cp_axis_constant(tracing->program, 1);
    for (int dim = begin; dim < end; dim++) product = cp_axis_product(tracing->program, product, dims->at[dim]);
    return product;
}

bool cp_law_same(struct cp_tracing *tracing)
{
    tracing->output = *tracing->inputs[0];
    return true;
}

/* A dimension index, negative from the end; false when there is no such dimension. */
static bool resolve(int64_t dim, int rank, int *resolved)
{
    *resolved = (int)(dim < 0 ? dim + rank : dim);
    return dim >= -rank && dim < rank;
}

/* ---- Linear and the layers that regroup ------------------------------------------------------------------------------ */

bool cp_linear_law(struct cp_tracing *tracing)
{
    const struct cp_linear *linear = tracing->layer->params;
    tracing->output = *tracing->inputs[0];
    if (tracing->output.rank < 1) return false;
    uint32_t *last = &tracing->output.at[tracing->output.rank - 1];
    cp_law_declared(tracing, linear->in_features, *last);
    *last = cp_axis_constant(tracing->program, linear->out_features);
    return true;
}

bool cp_flatten_law(struct cp_tracing *tracing)
{
    const struct cp_flatten *flatten = tracing->layer->params;
    const struct cp_dims *input = tracing->inputs[0];
    struct cp_dims *output = &tracing->output;
    int first, last;
    if (!resolve(flatten->start_dim, input->rank, &first) || !resolve(flatten->end_dim, input->rank, &last) ||
        first > last)
        return false;
    output->rank = 0;
    for (int dim = 0; dim < first; dim++) output->at[output->rank++] = input->at[dim];
    output->at[output->rank++] = cp_law_elements(tracing, input, first, last + 1);
    for (int dim = last + 1; dim < input->rank; dim++) output->at[output->rank++] = input->at[dim];
    return true;
}

/* Sizes as given, the open one such that they multiply to `total`. */
static bool fill_sizes(struct cp_tracing *tracing, const struct cp_sizes *sizes, uint32_t total, uint32_t *target)
{
    int64_t known = 1;
    int open = -1;
    for (int at = 0; at < sizes->count; at++) {
        if (sizes->at[at] == -1) {
            open = at;
            continue;
        }
        if (!cp_multiply(known, sizes->at[at], &known)) return false;
        target[at] = cp_axis_constant(tracing->program, sizes->at[at]);
    }
    if (open < 0) {
        cp_law_declared(tracing, known, total);
        return true;
    }
    cp_axis_require_congruent(tracing->program, total, 0, known);
    target[open] = cp_law_divided(tracing, total, known);
    return true;
}

bool cp_unflatten_law(struct cp_tracing *tracing)
{
    const struct cp_unflatten *unflatten = tracing->layer->params;
    const struct cp_dims *input = tracing->inputs[0];
    struct cp_dims *output = &tracing->output;
    int dim;
    if (!resolve(unflatten->dim, input->rank, &dim)) return false;
    output->rank = input->rank + unflatten->unflattened_size.count - 1;
    if (output->rank > CP_MAX_RANK) return false;
    for (int at = 0; at < dim; at++) output->at[at] = input->at[at];
    for (int at = dim + 1; at < input->rank; at++) output->at[output->rank - input->rank + at] = input->at[at];
    return fill_sizes(tracing, &unflatten->unflattened_size, input->at[dim], &output->at[dim]);
}

bool cp_reshape_law(struct cp_tracing *tracing)
{
    const struct cp_reshape *reshape = tracing->layer->params;
    uint32_t elements = cp_law_elements(tracing, tracing->inputs[0], 0, tracing->inputs[0]->rank);
    tracing->output.rank = reshape->shape.count;
    return fill_sizes(tracing, &reshape->shape, elements, tracing->output.at);
}

bool cp_permute_law(struct cp_tracing *tracing)
{
    const struct cp_permute *permute = tracing->layer->params;
    const struct cp_dims *input = tracing->inputs[0];
    uint32_t seen = 0;
    if (permute->dims.count != input->rank) return false;
    tracing->output.rank = input->rank;
    for (int at = 0; at < input->rank; at++) {
        int dim;
        if (!resolve(permute->dims.at[at], input->rank, &dim) || seen >> dim & 1) return false;
        seen |= 1u << dim;
        tracing->output.at[at] = input->at[dim];
    }
    return true;
}

bool cp_mean_law(struct cp_tracing *tracing)
{
    const struct cp_mean *mean = tracing->layer->params;
    const struct cp_dims *input = tracing->inputs[0];
    uint32_t mask = 0;
    for (int at = 0; at < mean->dim.count; at++) {
        int dim;
        if (!resolve(mean->dim.at[at], input->rank, &dim) || mask >> dim & 1) return false;
        mask |= 1u << dim;
    }
    tracing->output.rank = 0;
    for (int dim = 0; dim < input->rank; dim++) {
        bool averaged = mask >> dim & 1;
        if (averaged && !mean->keepdim) continue;
        tracing->output.at[tracing->output.rank++] = averaged ? cp_axis_constant(tracing->program, 1) : input->at[dim];
    }
    return true;
}

/* ---- Slice -------------------------------------------------------------------------------------------------------- */

static bool slice(const int64_t *numbers, int64_t size, int64_t *result)
{
    struct cp_slice slice = {.start = numbers[0], .end = numbers[1], .step = numbers[2]};
    return cp_sliced(&slice, size, result);
}

/* Where the bounds stop being clamped, and how the rest grows: with the size when only one bound counts from the end or
 * reaches it, not at all when both do or none, and to nothing when the start moves away from a fixed end. */
bool cp_slice_law(struct cp_tracing *tracing)
{
    const struct cp_slice *given = tracing->layer->params;
    int dim;
    tracing->output = *tracing->inputs[0];
    if (!resolve(given->dim, tracing->output.rank, &dim)) return false;
    struct cp_slice part = *given;
    if (part.end >= CP_TO_THE_END) part.end = CP_MAX_COUNT;
    bool start_moves = part.start < 0, end_moves = part.end < 0 || part.end == CP_MAX_COUNT;
    int64_t start_reach = start_moves ? -part.start : part.start;
    int64_t end_reach = part.end == CP_MAX_COUNT ? 0 : part.end < 0 ? -part.end : part.end;
    struct cp_axis_map map = {
        .apply = slice, .numbers = {part.start, part.end, part.step}, .period = 1, .from = 1 + start_reach + end_reach};
    if (map.from > CP_MAX_COUNT) map.from = CP_MAX_COUNT;
    int64_t widest = end_moves ? start_reach - end_reach : end_reach - start_reach;
    if (end_moves && !start_moves) {
        map.period = part.step;
        map.increment = 1;
    } else if (start_moves && !end_moves) {
        map.ends = true;
        widest = start_reach < end_reach ? start_reach : end_reach;
    } else {
        int64_t size;
        map.ends = !cp_sliced(&part, map.from, &size);
    }
    if (map.increment == 0 && widest <= part.step) map.only = 1;
    tracing->output.at[dim] = cp_axis_map(tracing->program, tracing->output.at[dim], &map);
    return true;
}

/* ---- Merges ------------------------------------------------------------------------------------------------------- */

bool cp_elementwise_law(struct cp_tracing *tracing)
{
    struct cp_dims *output = &tracing->output;
    *output = *tracing->inputs[0];
    for (uint32_t at = 1; at < tracing->input_count; at++) {
        const struct cp_dims *operand = tracing->inputs[at];
        struct cp_dims wide = output->rank > operand->rank ? *output : *operand;
        int both = output->rank < operand->rank ? output->rank : operand->rank;
        for (int back = 1; back <= both; back++)
            wide.at[wide.rank - back] =
                cp_axis_broadcast(tracing->program, output->at[output->rank - back], operand->at[operand->rank - back]);
        *output = wide;
    }
    return true;
}

bool cp_concat_law(struct cp_tracing *tracing)
{
    const struct cp_concat *concat = tracing->layer->params;
    struct cp_dims *output = &tracing->output;
    int dim;
    *output = *tracing->inputs[0];
    if (!resolve(concat->dim, output->rank, &dim)) return false;
    for (uint32_t at = 1; at < tracing->input_count; at++) {
        const struct cp_dims *operand = tracing->inputs[at];
        if (operand->rank != output->rank) return false;
        for (int other = 0; other < output->rank; other++)
            if (other != dim)
                output->at[other] = cp_axis_require_equal(tracing->program, output->at[other], operand->at[other]);
        output->at[dim] = cp_axis_sum(tracing->program, output->at[dim], operand->at[dim]);
    }
    return true;
}

/* ---- Normalisations ----------------------------------------------------------------------------------------------- */

static bool features_law(struct cp_tracing *tracing, int64_t features, int least, int most)
{
    tracing->output = *tracing->inputs[0];
    if (tracing->output.rank < least || tracing->output.rank > most) return false;
    tracing->output.at[1] = cp_law_declared(tracing, features, tracing->output.at[1]);
    return true;
}

bool cp_batch_norm_law(struct cp_tracing *tracing)
{
    const struct cp_norm *norm = tracing->layer->params;
    int rank = tracing->axes + 2;
    return features_law(tracing, norm->features, tracing->axes == 1 ? 2 : rank, rank);
}

/* More than one value in each group of `elements` values. */
static void require_many_values(struct cp_tracing *tracing, uint32_t elements, int64_t groups)
{
    if (groups <= CP_MAX_COUNT / 2)
        cp_axis_require_at_least(tracing->program, elements, cp_axis_constant(tracing->program, 2 * groups));
    else
        cp_axis_never(tracing->program);
}

bool cp_instance_norm_law(struct cp_tracing *tracing)
{
    const struct cp_norm *norm = tracing->layer->params;
    int rank = tracing->axes + 2;
    if (!features_law(tracing, norm->features, rank, rank)) return false;
    if (!norm->track_running_stats)
        require_many_values(tracing, cp_law_elements(tracing, tracing->inputs[0], 2, rank), 1);
    return true;
}

bool cp_group_norm_law(struct cp_tracing *tracing)
{
    const struct cp_norm *norm = tracing->layer->params;
    const struct cp_dims *input = tracing->inputs[0];
    if (!features_law(tracing, norm->features, 2, CP_MAX_RANK)) return false;
    cp_axis_require_congruent(tracing->program, input->at[1], 0, norm->groups);
    for (int dim = 0; dim < input->rank; dim++) { /* the usual case: the channels alone are enough */
        const struct cp_step *size = &tracing->program->steps[input->at[dim]];
        if (size->form == CP_STEP_CONSTANT && size->number[0] / 2 >= norm->groups) return true;
    }
    require_many_values(tracing, cp_law_elements(tracing, input, 0, input->rank), norm->groups);
    return true;
}

bool cp_layer_norm_law(struct cp_tracing *tracing)
{
    const struct cp_norm *norm = tracing->layer->params;
    const struct cp_sizes *last = &norm->normalized_shape;
    struct cp_dims *output = &tracing->output;
    *output = *tracing->inputs[0];
    if (last->count > output->rank) return false;
    for (int at = 0; at < last->count; at++) {
        uint32_t *size = &output->at[output->rank - last->count + at];
        *size = cp_law_declared(tracing, last->at[at], *size);
    }
    return true;
}

bool cp_local_response_norm_law(struct cp_tracing *tracing)
{
    return features_law(tracing, 0, 3, CP_MAX_RANK);
}

bool cp_scale_law(struct cp_tracing *tracing)
{
    return features_law(tracing, ((const struct cp_norm *)tracing->layer->params)->features, 2, CP_MAX_RANK);
}

bool cp_channel_shuffle_law(struct cp_tracing *tracing)
{
    const struct cp_channel_shuffle *shuffle = tracing->layer->params;
    if (!features_law(tracing, 0, 3, CP_MAX_RANK)) return false;
    cp_axis_require_congruent(tracing->program, tracing->output.at[1], 0, shuffle->groups);
    return true;
}

/* ---- Others that look at sizes ------------------------------------------------------------------------------------ */

bool cp_dropout_channels_law(struct cp_tracing *tracing)
{
    return features_law(tracing, 0, 2, tracing->axes == 1 ? 3 : CP_MAX_RANK);
}

bool cp_prelu_law(struct cp_tracing *tracing)
{
    int64_t parameters = ((const struct cp_activation *)tracing->layer->params)->num_parameters;
    return parameters == 1 ? cp_law_same(tracing) : features_law(tracing, parameters, 2, CP_MAX_RANK);
}

bool cp_softmax_law(struct cp_tracing *tracing)
{
    int dim;
    return resolve(((const struct cp_activation *)tracing->layer->params)->dim, tracing->inputs[0]->rank, &dim) &&
           cp_law_same(tracing);
}

bool cp_opaque_law(struct cp_tracing *tracing)
{
    const struct cp_opaque *opaque = tracing->layer->params;
    tracing->output.rank = opaque->output_shape.count;
    for (int dim = 0; dim < opaque->output_shape.count; dim++)
        tracing->output.at[dim] = cp_axis_constant(tracing->program, opaque->output_shape.at[dim]);
    return opaque->output_shape.count > 0;
}
