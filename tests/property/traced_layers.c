#include "tests/property/traced_layers.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { NOWHERE = -1 };

static int weight_of(const struct cp_traced_tensor *tensor, int dim)
{
    int weight = 1;
    for (int later = dim + 1; later < tensor->rank; later++) weight *= tensor->size[later];
    return weight;
}

int cp_traced_index(const struct cp_traced_tensor *tensor, int element, int dim)
{
    return element / weight_of(tensor, dim) % tensor->size[dim];
}

static bool set_elements(struct cp_traced_tensor *tensor)
{
    tensor->elements = 1;
    for (int dim = 0; dim < tensor->rank; dim++) tensor->elements *= tensor->size[dim];
    return tensor->elements <= CP_TRACED_ELEMENTS;
}

bool cp_traced_full(const struct cp_traced_tensor *tensor, const struct cp_traced_tensor *input, int axis)
{
    for (int element = 0; element < tensor->elements; element++)
        if (tensor->share[axis][element] != (UINT32_C(1) << input->size[axis + 2]) - 1) return false;
    return true;
}

/* The dimensions along which elements depend on different units of an axis. */
static uint32_t places_of(const struct cp_traced_tensor *tensor, int axis)
{
    uint32_t dims = 0;
    for (int dim = 0; dim < tensor->rank; dim++)
        for (int element = 0; element < tensor->elements; element++) {
            int first = element - cp_traced_index(tensor, element, dim) * weight_of(tensor, dim);
            if (tensor->share[axis][element] != tensor->share[axis][first]) dims |= UINT32_C(1) << dim;
        }
    return dims;
}

/* ---- Layers -------------------------------------------------------------------------------------------------------- */

/* The units of `size` that output j of `outputs` sees: [*begin, *end). */
static void sight_of(const struct cp_traced_layer *layer, int dim, bool by_nature, int size, int j, int *begin,
                     int *end)
{
    int outputs = layer->output.size[dim];
    int groups = layer->dim[dim].groups;
    enum cp_traced_sight sight = layer->dim[dim].sight;
    *begin = j;
    *end = j + 1;
    if (sight == CP_SEES_ALL) {
        *begin = 0;
        *end = size;
    } else if (sight == CP_SEES_GROUP) {
        *begin = j * groups / outputs * (size / groups);
        *end = *begin + size / groups;
    } else if (sight == CP_SEES_NEAREST) {
        *begin = j * size / outputs;
        *end = *begin + 1;
    } else if (sight == CP_SEES_SHARE || (sight == CP_SEES_WINDOW && by_nature)) {
        *begin = j * size / outputs;
        *end = (j + 1) * size / outputs;
    } else if (sight == CP_SEES_WINDOW) {
        *begin = j * layer->dim[dim].stride;
        *end = *begin + layer->dim[dim].kernel;
    }
}

static uint32_t look(const struct cp_traced_layer *layer, const struct cp_traced_tensor *input, const uint32_t *seen,
                     int element, bool by_nature)
{
    int begin[CP_TRACED_RANK] = {0}, end[CP_TRACED_RANK] = {0}, at[CP_TRACED_RANK] = {0};
    uint32_t units = 0;
    for (int dim = 0; dim < input->rank; dim++) {
        int j = cp_traced_index(&layer->output, element, dim);
        sight_of(layer, dim, by_nature, input->size[dim], j, &begin[dim], &end[dim]);
        at[dim] = begin[dim];
    }
    for (int dim = 0; dim >= 0;) {
        int source = 0;
        for (dim = 0; dim < input->rank; dim++) source += at[dim] * weight_of(input, dim);
        units |= seen[source];
        for (dim = input->rank - 1; dim >= 0 && ++at[dim] == end[dim]; dim--) at[dim] = begin[dim];
    }
    return units;
}

/* Is what the layer sees by its size told apart from what it sees by its nature? Not where a share of a dimension holds
 * more of an axis than its share of it. */
static bool keeps_exact(const struct cp_traced_layer *layer, const struct cp_traced_tensor *input)
{
    bool exact = input->exact;
    for (int axis = 0; axis < CP_TRACED_AXES; axis++)
        for (int dim = 0; dim < input->rank; dim++) {
            /* Units that are repeated cannot be told apart where they are spread over dimensions. */
            if (layer->dim[dim].sight == CP_SEES_NEAREST) exact = false;
            bool part = layer->dim[dim].sight == CP_SEES_WINDOW || layer->dim[dim].sight == CP_SEES_SHARE ||
                        (layer->dim[dim].sight == CP_SEES_GROUP && layer->dim[dim].groups != input->size[dim]);
            if (part && input->home[axis] != dim && places_of(input, axis) >> dim & 1) exact = false;
        }
    return exact;
}

static void apply(struct cp_traced_layer *layer, const struct cp_traced_tensor *input)
{
    struct cp_traced_tensor *output = &layer->output;
    output->plain = input->plain;
    output->exact = keeps_exact(layer, input);
    for (int axis = 0; axis < CP_TRACED_AXES; axis++) output->home[axis] = input->home[axis];
    for (int dim = 0; dim < input->rank; dim++) {
        bool home = input->home[0] == dim || input->home[1] == dim;
        enum cp_traced_sight sight = layer->dim[dim].sight;
        bool moves = dim >= 2 && layer->axes;
        if (sight == CP_SEES_SHARE || (moves && !home) || (home && (sight == CP_SEES_ALL || sight == CP_SEES_GROUP)))
            output->plain = false;
    }
    for (int element = 0; element < output->elements; element++)
        for (int axis = 0; axis < CP_TRACED_AXES; axis++) {
            output->units[axis][element] = look(layer, input, input->units[axis], element, false);
            output->share[axis][element] = look(layer, input, input->share[axis], element, true);
        }
}

/* ---- Drawing layers of one input ------------------------------------------------------------------------------------ */

static struct cp_random *chance; /* what draws, for the time of a draw */

static int within(int least, int most)
{
    return cp_random_within(chance, least, most);
}

static void say(struct cp_traced_layer *layer, const char *format, ...)
{
    size_t used = strlen(layer->text);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(layer->text + used, sizeof layer->text - used, format, arguments);
    va_end(arguments);
}

static void say_list(struct cp_traced_layer *layer, const char *member, const int *values, int count)
{
    say(layer, ", \"%s\": [", member);
    for (int at = 0; at < count; at++) say(layer, at ? ", %d" : "%d", values[at]);
    say(layer, "]");
}

/* Windows that end with the input's last unit, and leave several where there are several. */
static bool draw_windows(struct cp_traced_layer *layer, const struct cp_traced_tensor *input)
{
    int kernel[CP_TRACED_AXES], stride[CP_TRACED_AXES];
    layer->axes = input->rank - 2;
    for (int axis = 0; axis < layer->axes; axis++) {
        int size = input->size[axis + 2];
        kernel[axis] = size == 1 ? 1 : within(1, 3);
        stride[axis] = size == 1 ? 1 : within(1, 2);
        if (size < kernel[axis] || (size - kernel[axis]) % stride[axis]) return false;
        int left = (size - kernel[axis]) / stride[axis] + 1;
        if (left == 1 && size > 1) return false;
        layer->output.size[axis + 2] = left;
        layer->dim[axis + 2].sight = CP_SEES_WINDOW;
        layer->dim[axis + 2].kernel = kernel[axis];
        layer->dim[axis + 2].stride = stride[axis];
    }
    say_list(layer, "kernel_size", kernel, layer->axes);
    say_list(layer, "stride", stride, layer->axes);
    return true;
}

static void draw_channels(struct cp_traced_layer *layer, const struct cp_traced_tensor *input)
{
    int channels = input->size[1];
    int groups = within(0, 2) == 0 ? channels : channels % 2 == 0 && within(0, 2) == 0 ? 2 : 1;
    layer->output.size[1] = groups == channels ? channels : 2 * within(1, 2);
    layer->dim[1].sight = groups == channels && channels > 1 ? CP_SEES_ITSELF
                          : groups == 1                      ? CP_SEES_ALL
                                                             : CP_SEES_GROUP;
    layer->dim[1].groups = groups;
    say(layer, ", \"out_channels\": %d, \"groups\": %d", layer->output.size[1], groups);
}

static bool draw_convolution(struct cp_traced_layer *layer, const struct cp_traced_tensor *input)
{
    say(layer, "\"type\": \"Conv%dd\"", input->rank - 2);
    draw_channels(layer, input);
    return draw_windows(layer, input);
}

static bool draw_pool(struct cp_traced_layer *layer, const struct cp_traced_tensor *input)
{
    say(layer, "\"type\": \"MaxPool%dd\"", input->rank - 2);
    return draw_windows(layer, input);
}

static bool draw_doubling(struct cp_traced_layer *layer, const struct cp_traced_tensor *input)
{
    layer->axes = input->rank - 2;
    say(layer, "\"type\": \"%s\", \"scale_factor\": 2", "Upsample");
    for (int dim = 2; dim < input->rank; dim++) {
        layer->output.size[dim] *= 2;
        layer->dim[dim].sight = CP_SEES_NEAREST;
    }
    return true;
}

static bool draw_adaptive(struct cp_traced_layer *layer, const struct cp_traced_tensor *input)
{
    int size[CP_TRACED_AXES];
    int axes = input->rank - 2;
    say(layer, "\"type\": \"AdaptiveAvgPool%dd\"", axes);
    for (int axis = 0; axis < axes; axis++) {
        size[axis] = within(0, 2) ? 1 : within(1, input->size[axis + 2]);
        layer->output.size[axis + 2] = size[axis];
        layer->dim[axis + 2].sight = size[axis] == 1 ? CP_SEES_ALL : CP_SEES_SHARE;
        if (size[axis] > 1) layer->axes = axes;
    }
    say_list(layer, "output_size", size, axes);
    return true;
}

static bool draw_linear(struct cp_traced_layer *layer, const struct cp_traced_tensor *input)
{
    layer->output.size[input->rank - 1] = 4;
    layer->dim[input->rank - 1].sight = CP_SEES_ALL;
    say(layer, "\"type\": \"Linear\", \"out_features\": 4");
    return true;
}

static bool draw_instance_norm(struct cp_traced_layer *layer, const struct cp_traced_tensor *input)
{
    for (int dim = 2; dim < input->rank; dim++) layer->dim[dim].sight = CP_SEES_ALL;
    say(layer, "\"type\": \"InstanceNorm%dd\"", input->rank - 2);
    return true;
}

static bool draw_group_norm(struct cp_traced_layer *layer, const struct cp_traced_tensor *input)
{
    int groups = within(0, 1) ? 1 : input->size[1] % 2 ? input->size[1] : 2;
    for (int dim = 2; dim < input->rank; dim++) layer->dim[dim].sight = CP_SEES_ALL;
    layer->dim[1].sight = CP_SEES_GROUP;
    layer->dim[1].groups = groups;
    if (groups == 1) layer->dim[1].sight = CP_SEES_ALL;
    say(layer, "\"type\": \"GroupNorm\", \"num_groups\": %d", groups);
    return true;
}

static bool draw_layer_norm(struct cp_traced_layer *layer, const struct cp_traced_tensor *input)
{
    int first = within(1, input->rank - 1);
    for (int dim = first; dim < input->rank; dim++) layer->dim[dim].sight = CP_SEES_ALL;
    say(layer, "\"type\": \"LayerNorm\"");
    say_list(layer, "normalized_shape", input->size + first, input->rank - first);
    return true;
}

static bool draw_softmax(struct cp_traced_layer *layer, const struct cp_traced_tensor *input)
{
    int dim = within(1, input->rank - 1);
    layer->dim[dim].sight = CP_SEES_ALL;
    say(layer, "\"type\": \"Softmax\", \"dim\": %d", dim);
    return true;
}

static bool draw_mean(struct cp_traced_layer *layer, const struct cp_traced_tensor *input)
{
    int dims[CP_TRACED_RANK];
    int count = 0;
    for (int dim = 1; dim < input->rank; dim++) {
        if (within(0, 1)) continue;
        dims[count++] = dim;
        layer->dim[dim].sight = CP_SEES_ALL;
        layer->output.size[dim] = 1;
    }
    say(layer, "\"type\": \"Mean\", \"keepdim\": true");
    say_list(layer, "dim", dims, count);
    return count > 0;
}

static bool draw_pointwise(struct cp_traced_layer *layer, const struct cp_traced_tensor *input)
{
    (void)input;
    say(layer, "\"type\": \"ReLU\"");
    return true;
}

static bool (*const drawers[])(struct cp_traced_layer *, const struct cp_traced_tensor *) = {
    draw_convolution, draw_convolution,   draw_pool,       draw_adaptive,   draw_linear,  draw_doubling,
    draw_mean,        draw_instance_norm, draw_group_norm, draw_layer_norm, draw_softmax, draw_pointwise};

static bool draw_single(struct cp_traced_layer *layer, const struct cp_traced_tensor *input)
{
    int way = within(0, (int)(sizeof drawers / sizeof drawers[0]) - 1);
    layer->output.rank = input->rank;
    memcpy(layer->output.size, input->size, sizeof input->size);
    for (int dim = 0; dim < CP_TRACED_RANK; dim++) layer->dim[dim].sight = CP_SEES_ITSELF;
    bool spatial = input->rank == 3 || input->rank == 4;
    if (!spatial && drawers[way] != draw_linear && drawers[way] != draw_pointwise) return false;
    if (!drawers[way](layer, input) || !set_elements(&layer->output)) return false;
    apply(layer, input);
    return true;
}

/* ---- Reshapes and permutations -------------------------------------------------------------------------------------- */

/* Each dimension of the one tensor is made of whole factors of the other's. */
static bool divides_evenly(const struct cp_traced_tensor *before, const struct cp_traced_tensor *after)
{
    for (int old = 0; old < before->rank; old++)
        for (int new = 0; new < after->rank; new ++) {
            int a = weight_of(before, old), b = weight_of(after, new);
            if (a % b && b % a) return false;
        }
    return true;
}

static int home_in(const struct cp_traced_tensor *after, const struct cp_traced_tensor *before, int home)
{
    for (int dim = 0; home >= 0 && dim < after->rank; dim++)
        if (after->size[dim] == before->size[home] && before->size[home] > 1 &&
            weight_of(after, dim) == weight_of(before, home))
            return dim;
    return NOWHERE;
}

static bool is_joined(const struct cp_traced_tensor *before, const struct cp_traced_tensor *after)
{
    for (int new = 0; new < after->rank; new ++) {
        bool found = false;
        for (int old = 0; old < before->rank; old++) found = found || weight_of(before, old) == weight_of(after, new);
        if (!found) return false;
    }
    return true;
}

static bool draw_reshape(struct cp_traced_layer *layer, const struct cp_traced_tensor *input,
                         const struct cp_traced_tensor *first)
{
    struct cp_traced_tensor *output = &layer->output;
    int left = input->elements;
    output->size[output->rank++] = 1;
    while (output->rank < CP_TRACED_RANK - 1 && left > 1 && within(0, 3)) {
        int size = within(0, 2) ? input->size[within(1, input->rank - 1)] : within(1, 8);
        if (left % size) continue;
        output->size[output->rank++] = size;
        left /= size;
    }
    output->size[output->rank++] = left;
    say(layer, "\"type\": \"Reshape\"");
    say_list(layer, "shape", output->size, output->rank);
    (void)set_elements(output);
    output->exact = input->exact && divides_evenly(input, output);
    output->plain = input->plain;
    for (int axis = 0; axis < CP_TRACED_AXES; axis++) {
        bool scattered = input->home[axis] == NOWHERE && !cp_traced_full(input, first, axis);
        if (scattered && !is_joined(input, output)) output->exact = false;
        output->home[axis] = home_in(output, input, input->home[axis]);
        if (output->home[axis] == NOWHERE) output->plain = false;
    }
    memcpy(output->units, input->units, sizeof input->units);
    memcpy(output->share, input->share, sizeof input->share);
    return true;
}

static bool draw_permutation(struct cp_traced_layer *layer, const struct cp_traced_tensor *input)
{
    struct cp_traced_tensor *output = &layer->output;
    int source[CP_TRACED_RANK] = {0};
    output->rank = input->rank;
    for (int dim = 0; dim < input->rank; dim++) source[dim] = dim;
    for (int dim = 1; dim < input->rank; dim++) {
        int other = within(dim, input->rank - 1);
        int swap = source[dim];
        source[dim] = source[other];
        source[other] = swap;
    }
    output->plain = input->plain;
    output->exact = input->exact;
    output->home[0] = output->home[1] = NOWHERE;
    for (int dim = 0; dim < input->rank; dim++) {
        output->size[dim] = input->size[source[dim]];
        for (int axis = 0; axis < CP_TRACED_AXES; axis++)
            if (input->home[axis] == source[dim]) output->home[axis] = dim;
    }
    say(layer, "\"type\": \"Permute\"");
    say_list(layer, "dims", source, input->rank);
    (void)set_elements(output);
    for (int element = 0; element < output->elements; element++) {
        int from = 0;
        for (int dim = 0; dim < input->rank; dim++)
            from += cp_traced_index(output, element, dim) * weight_of(input, source[dim]);
        for (int axis = 0; axis < CP_TRACED_AXES; axis++) {
            output->units[axis][element] = input->units[axis][from];
            output->share[axis][element] = input->share[axis][from];
        }
    }
    return true;
}

/* ---- Merges --------------------------------------------------------------------------------------------------------- */

/* The same place in an operand that is repeated along dimensions of size 1. */
static int broadcast_index(const struct cp_traced_tensor *operand, const struct cp_traced_tensor *output, int element)
{
    int from = 0;
    for (int dim = 0; dim < output->rank; dim++)
        if (operand->size[dim] > 1) from += cp_traced_index(output, element, dim) * weight_of(operand, dim);
    return from;
}

static bool broadcast_shape(struct cp_traced_tensor *output, const struct cp_traced_tensor *a,
                            const struct cp_traced_tensor *b)
{
    output->rank = a->rank;
    for (int dim = 0; dim < a->rank; dim++) {
        if (a->size[dim] != b->size[dim] && a->size[dim] != 1 && b->size[dim] != 1) return false;
        output->size[dim] = a->size[dim] > b->size[dim] ? a->size[dim] : b->size[dim];
    }
    return set_elements(output);
}

static bool draw_product(struct cp_traced_layer *layer, const struct cp_traced_tensor *a,
                         const struct cp_traced_tensor *b, const struct cp_traced_tensor *first)
{
    struct cp_traced_tensor *output = &layer->output;
    if (a->rank != b->rank || !broadcast_shape(output, a, b)) return false;
    say(layer, "\"type\": \"%s\"", within(0, 1) ? "Add" : "Mul");
    output->exact = a->exact && b->exact;
    for (int axis = 0; axis < CP_TRACED_AXES; axis++) {
        uint32_t one = places_of(a, axis), other = places_of(b, axis);
        bool full = cp_traced_full(a, first, axis) || cp_traced_full(b, first, axis);
        if (!full && one != other) output->exact = false;
        output->home[axis] = a->home[axis] == b->home[axis] ? a->home[axis] : NOWHERE;
    }
    for (int element = 0; element < output->elements; element++)
        for (int axis = 0; axis < CP_TRACED_AXES; axis++) {
            int i = broadcast_index(a, output, element), j = broadcast_index(b, output, element);
            output->units[axis][element] = a->units[axis][i] | b->units[axis][j];
            output->share[axis][element] = a->share[axis][i] | b->share[axis][j];
        }
    return true;
}

/* Of branches that are alike, for what is said of a concatenation holds of its branches together. */
static bool draw_concatenation(struct cp_traced_layer *layer, const struct cp_traced_tensor *a,
                               const struct cp_traced_tensor *b)
{
    struct cp_traced_tensor *output = &layer->output;
    int joined = within(1, a->rank - 1);
    if (a->rank != b->rank) return false;
    output->rank = a->rank;
    for (int dim = 0; dim < a->rank; dim++) {
        if (dim != joined && a->size[dim] != b->size[dim]) return false;
        output->size[dim] = a->size[dim] + (dim == joined ? b->size[dim] : 0);
    }
    say(layer, "\"type\": \"Concat\", \"dim\": %d", joined);
    output->exact = a->exact && b->exact;
    for (int axis = 0; axis < CP_TRACED_AXES; axis++) {
        uint32_t places = places_of(a, axis);
        if (places != places_of(b, axis)) return false;
        if (places >> joined & 1) output->exact = false;
        output->home[axis] = a->home[axis] == b->home[axis] ? a->home[axis] : NOWHERE;
    }
    if (!set_elements(output)) return false;
    for (int element = 0; element < output->elements; element++)
        for (int axis = 0; axis < CP_TRACED_AXES; axis++) {
            bool second = cp_traced_index(output, element, joined) >= a->size[joined];
            const struct cp_traced_tensor *from = second ? b : a;
            int source = 0;
            for (int dim = 0; dim < a->rank; dim++) {
                int skipped = second && dim == joined ? a->size[joined] : 0;
                source += (cp_traced_index(output, element, dim) - skipped) * weight_of(from, dim);
            }
            output->units[axis][element] = from->units[axis][source];
            output->share[axis][element] = from->share[axis][source];
        }
    return true;
}

/* ---- Any of them ---------------------------------------------------------------------------------------------------- */

void cp_draw_traced_input(struct cp_random *random, struct cp_traced_tensor *input)
{
    chance = random;
    *input = (struct cp_traced_tensor){
        .rank = 4, .home = {2, 3}, .plain = true, .exact = true, .size = {1, 2 * within(1, 2)}};
    bool powers = within(0, 1);
    for (int dim = 2; dim < 4; dim++) input->size[dim] = powers ? 4 * within(1, 2) : within(3, 9);
    (void)set_elements(input);
    for (int element = 0; element < input->elements; element++)
        for (int axis = 0; axis < CP_TRACED_AXES; axis++) {
            uint32_t unit = UINT32_C(1) << cp_traced_index(input, element, axis + 2);
            input->units[axis][element] = input->share[axis][element] = unit;
        }
}

bool cp_draw_traced_layer(struct cp_random *random, struct cp_traced_layer *layer, const struct cp_traced_tensor *a,
                          const struct cp_traced_tensor *b, const struct cp_traced_tensor *first)
{
    chance = random;
    *layer = (struct cp_traced_layer){.merges = within(0, 4) == 0};
    if (layer->merges) return within(0, 2) ? draw_product(layer, a, b, first) : draw_concatenation(layer, a, b);
    switch (within(0, 7)) {
    case 0: return draw_reshape(layer, a, first);
    case 1: return draw_permutation(layer, a);
    default: return draw_single(layer, a);
    }
}
