/* What the tests of the reference computations share: an arena over malloc, tensors, random cases, and the brute force
 * that every result is held against. */
#ifndef CP_TESTS_REFERENCE_FIXTURE_H
#define CP_TESTS_REFERENCE_FIXTURE_H

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/checked.h"
#include "core/reference/reference.h"

/* ---- Memory ------------------------------------------------------------------------------------------------------ */

struct fixture_block {
    struct fixture_block *next;
    max_align_t start[];
};

static inline void *fixture_more(struct cp_arena *arena, size_t size, size_t *given)
{
    struct fixture_block *block = malloc(sizeof *block + size);
    if (!block) return NULL;
    block->next = arena->owner;
    arena->owner = block;
    *given = size;
    return block->start;
}

static inline __attribute__((noreturn)) void fixture_exhausted(struct cp_arena *arena)
{
    (void)arena;
    fputs("out of memory\n", stderr);
    abort();
}

/* Each allocation is a block of its own, so that a sanitizer sees every step over an edge. */
static inline struct cp_arena fixture_arena(void)
{
    return (struct cp_arena){.more = fixture_more, .exhausted = fixture_exhausted};
}

static inline void fixture_release(struct cp_arena *arena)
{
    for (struct fixture_block *block = arena->owner, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    *arena = fixture_arena();
}

/* ---- Random numbers ---------------------------------------------------------------------------------------------- */

static inline uint64_t random_bits(uint64_t *state)
{
    uint64_t x = *state += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static inline int64_t random_between(uint64_t *state, int64_t least, int64_t most)
{
    return least + (int64_t)(random_bits(state) % (uint64_t)(most - least + 1));
}

/* What elements look like: plain, or with the values that show an order of summation or a term left out. */
enum fill { FILL_PLAIN, FILL_SPECIAL };

static inline double random_double(uint64_t *state, enum fill fill)
{
    static const double special[] = {NAN, INFINITY, -INFINITY, -0.0, 0.0, 1e308, 5e-324, -5e-324};
    if (fill == FILL_SPECIAL && random_between(state, 0, 9) == 0) return special[random_between(state, 0, 7)];
    return ((double)(random_bits(state) >> 11) / 4503599627370496.0 - 1) * (double)(1 << random_between(state, 0, 12));
}

static inline struct cp_tensor random_tensor(const struct cp_shape *shape, enum cp_element element, enum fill fill,
                                             uint64_t *state, struct cp_arena *arena)
{
    struct cp_tensor tensor = {*shape, element, NULL};
    int64_t count = cp_tensor_count(&tensor);
    tensor.data = cp_arena_take(arena, (size_t)count * cp_element_bytes(element), 16);
    for (int64_t i = 0; i < count; i++) {
        if (element == CP_INT64) ((int64_t *)tensor.data)[i] = random_between(state, -1000, 1000);
        if (element == CP_FLOAT64) ((double *)tensor.data)[i] = random_double(state, fill);
        if (element == CP_FLOAT32) ((float *)tensor.data)[i] = (float)random_double(state, fill);
    }
    return tensor;
}

/* ---- Random cases of convolutions -------------------------------------------------------------------------------- */

struct random_case {
    struct cp_reference reference;
    struct cp_tensor input, weight, bias, output_gradient;
    struct cp_shape output, result;
};

static inline void random_window(struct cp_operation *operation, int axis, uint64_t *state)
{
    struct cp_window *window = &operation->window[axis];
    *window = (struct cp_window){.kernel = random_between(state, 1, 4),
                                 .stride = random_between(state, 1, 3),
                                 .dilation = random_between(state, 1, 3)};
    int64_t span = window->dilation * (window->kernel - 1) + 1;
    window->pad_begin = random_between(state, -1, span + 1);
    window->pad_end = random_between(state, -1, span + 1);
    if (random_between(state, 0, 2) == 0) window->pad_begin = window->pad_end = 0;
    int64_t extra = window->stride > window->dilation ? window->stride : window->dilation;
    operation->output_padding[axis] =
        operation->kind == CP_TRANSPOSED_CONVOLUTION ? random_between(state, 0, extra - 1) : 0;
}

/* False: the dice gave shapes that do not work out. The case's pointers are into *result, which must not move. */
static inline bool random_case(struct random_case *result, enum cp_direction direction, enum cp_element element,
                               enum fill fill, uint64_t *state, struct cp_arena *arena)
{
    static const int64_t largest[] = {0, 40, 9, 5};
    *result = (struct random_case){0};
    struct cp_reference *reference = &result->reference;
    struct cp_operation *operation = &reference->operation;
    operation->kind = random_between(state, 0, 1) ? CP_CONVOLUTION : CP_TRANSPOSED_CONVOLUTION;
    operation->axes = (int)random_between(state, 1, 3);
    operation->groups = random_between(state, 1, 3);
    operation->out_channels = operation->groups * random_between(state, 1, random_between(state, 0, 2) ? 3 : 19);
    reference->direction = direction;
    reference->element = element;
    struct cp_shape *shape = &reference->input_shape;
    *shape = (struct cp_shape){operation->axes + 2, {random_between(state, 1, 2)}};
    shape->size[1] = operation->groups * random_between(state, 1, random_between(state, 0, 2) ? 3 : 11);
    bool pointwise = random_between(state, 0, 7) == 0;
    for (int axis = 0; axis < operation->axes; axis++) {
        shape->size[2 + axis] = random_between(state, 1, largest[operation->axes]);
        random_window(operation, axis, state);
        if (pointwise) operation->window[axis] = (struct cp_window){1, 1, 1, 0, 0, CP_ROUND_FLOOR};
        if (pointwise) operation->output_padding[axis] = 0;
    }
    /* A first look with operands of the right shapes but no data tells those of output and weight. */
    struct cp_reference probe = *reference;
    probe.direction = CP_BACKWARD_WEIGHT;
    struct cp_tensor no_input = {*shape, element, NULL}, no_gradient = {*shape, element, NULL};
    struct cp_shape weight;
    probe.input = &no_input;
    probe.output_gradient = &no_gradient;
    struct cp_reference_status status = cp_reference_check(&probe, &result->output, &weight);
    for (int axis = 0; status.code == CP_REFERENCE_SIZE && axis < 5; axis++) {
        no_gradient.shape.size[status.axis] = status.expected;
        status = cp_reference_check(&probe, &result->output, &weight);
    }
    if (status.code != CP_REFERENCE_OK) return false;
    struct cp_shape bias = {1, {operation->out_channels}};
    result->input = random_tensor(shape, element, fill, state, arena);
    result->weight = random_tensor(&weight, element, fill, state, arena);
    result->bias = random_tensor(&bias, element, fill, state, arena);
    result->output_gradient = random_tensor(&result->output, element, fill, state, arena);
    reference->input = direction == CP_BACKWARD_INPUT ? NULL : &result->input;
    reference->weight = direction == CP_BACKWARD_WEIGHT ? NULL : &result->weight;
    reference->bias = direction == CP_FORWARD && random_between(state, 0, 2) ? &result->bias : NULL;
    reference->output_gradient = direction == CP_FORWARD ? NULL : &result->output_gradient;
    return cp_reference_check(reference, &result->output, &result->result).code == CP_REFERENCE_OK;
}

static inline void print_case(const struct cp_reference *reference)
{
    const struct cp_operation *operation = &reference->operation;
    fprintf(stderr, "kind %d, direction %d, method %d, element %d, groups %" PRId64 ", out %" PRId64 ", input [",
            operation->kind, reference->direction, reference->method, reference->element, operation->groups,
            operation->out_channels);
    for (int i = 0; i < reference->input_shape.rank; i++) fprintf(stderr, " %" PRId64, reference->input_shape.size[i]);
    fprintf(stderr,
            " ], bias %d, instructions %s, per axis {k, s, d, p_b, p_e, output_padding}:", reference->bias != NULL,
            cp_instructions_name(reference->instructions));
    for (int i = 0; i < operation->axes; i++)
        fprintf(stderr, " {%" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 "}",
                operation->window[i].kernel, operation->window[i].stride, operation->window[i].dilation,
                operation->window[i].pad_begin, operation->window[i].pad_end, operation->output_padding[i]);
    fputs("\n", stderr);
}

/* ---- Brute force ------------------------------------------------------------------------------------------------- */

/* An index or a shape with three spatial axes, missing ones first. */
struct place {
    int64_t n, c, at[3];
};

static inline struct place place_of(const struct cp_shape *shape, int64_t index)
{
    int64_t digits[5] = {0};
    int missing = 5 - shape->rank;
    for (int axis = shape->rank - 1; axis >= 0; axis--) {
        digits[axis < 2 ? axis : axis + missing] = index % shape->size[axis];
        index /= shape->size[axis];
    }
    return (struct place){digits[0], digits[1], {digits[2], digits[3], digits[4]}};
}

static inline struct place sizes_of(const struct cp_shape *shape)
{
    struct place place = {shape->size[0], shape->size[1], {1, 1, 1}};
    for (int axis = 2; axis < shape->rank; axis++) place.at[axis + 3 - shape->rank] = shape->size[axis];
    return place;
}

/* Index of an element, −1 outside. */
static inline int64_t index_of(const struct cp_shape *shape, struct place place)
{
    struct place size = sizes_of(shape);
    int64_t index = place.n * size.c + place.c;
    for (int axis = 0; axis < 3; axis++) {
        if (place.at[axis] < 0 || place.at[axis] >= size.at[axis]) return -1;
        index = index * size.at[axis] + place.at[axis];
    }
    return index;
}

/* A sum in all three senses at once; only the one of the case's type is looked at. `zero_terms` are those whose factor
 * lies on padding. */
struct sum {
    double real;
    __int128_t whole;
    int64_t terms, zero_terms;
};

static inline void add_term(struct sum *sum, const struct cp_tensor *a, int64_t i, const struct cp_tensor *b, int64_t j)
{
    sum->terms++;
    sum->zero_terms += j < 0;
    if (a->element == CP_INT64)
        sum->whole += j < 0 ? 0 : (__int128_t)((int64_t *)a->data)[i] * ((int64_t *)b->data)[j];
    else if (a->element == CP_FLOAT64)
        sum->real = fma(((double *)a->data)[i], j < 0 ? 0 : ((double *)b->data)[j], sum->real);
    else
        sum->real = fma(((float *)a->data)[i], j < 0 ? 0 : ((float *)b->data)[j], sum->real);
}

static inline struct sum start_sum(const struct cp_tensor *bias, int64_t channel)
{
    struct sum sum = {0};
    if (bias && bias->element == CP_INT64) sum.whole = ((int64_t *)bias->data)[channel];
    if (bias && bias->element == CP_FLOAT64) sum.real = ((double *)bias->data)[channel];
    if (bias && bias->element == CP_FLOAT32) sum.real = ((float *)bias->data)[channel];
    return sum;
}

/* Unit (big = small · s + k · d − p) of one side for a unit of the other; false where it falls between units. */
static inline bool partner(const struct cp_operation *operation, bool to_big, const struct place *unit,
                           const struct place *kernel, struct place *other)
{
    for (int axis = 0; axis < 3; axis++) {
        int own = axis - 3 + operation->axes;
        struct cp_window plain = {1, 1, 1, 0, 0, CP_ROUND_FLOOR};
        const struct cp_window *window = own < 0 ? &plain : &operation->window[own];
        int64_t shift = kernel->at[axis] * window->dilation - window->pad_begin;
        int64_t distance = unit->at[axis] - shift;
        if (!to_big && cp_floor_remainder(distance, window->stride) != 0) return false;
        other->at[axis] = to_big ? unit->at[axis] * window->stride + shift : cp_floor_divide(distance, window->stride);
    }
    return true;
}

/* Element `index` of the result, by definition. */
static inline struct sum brute_force(const struct random_case *test, int64_t index)
{
    const struct cp_reference *reference = &test->reference;
    const struct cp_operation *operation = &reference->operation;
    bool transposed = operation->kind == CP_TRANSPOSED_CONVOLUTION, weight = reference->direction == CP_BACKWARD_WEIGHT;
    bool forward = reference->direction == CP_FORWARD;
    const struct cp_tensor *small = transposed ? &test->input : &test->output_gradient;
    const struct cp_tensor *big = transposed ? &test->output_gradient : &test->input;
    struct place result = place_of(&test->result, index), other = {0};
    if (weight) {
        struct sum sum = {0};
        int64_t units = cp_tensor_count(small) / small->shape.size[0] / small->shape.size[1];
        int64_t group = result.n / (small->shape.size[1] / operation->groups);
        for (int64_t n = 0; n < small->shape.size[0]; n++)
            for (int64_t i = 0; i < units; i++) {
                struct place unit = place_of(&small->shape, i);
                other.n = unit.n = n, unit.c = result.n;
                other.c = group * (big->shape.size[1] / operation->groups) + result.c;
                partner(operation, true, &unit, &result, &other);
                add_term(&sum, small, index_of(&small->shape, unit), big, index_of(&big->shape, other));
            }
        return sum;
    }
    const struct cp_tensor *source = forward ? &test->input : &test->output_gradient;
    bool to_big = transposed != forward;
    int64_t in_group = source->shape.size[1] / operation->groups, out_group = test->result.size[1] / operation->groups;
    int64_t kernel_count = cp_tensor_count(&test->weight) / test->weight.shape.size[0] / test->weight.shape.size[1];
    struct sum sum = start_sum(forward ? reference->bias : NULL, result.c);
    for (int64_t c = 0; c < in_group; c++)
        for (int64_t k = 0; k < kernel_count; k++) {
            struct place kernel = place_of(&test->weight.shape, k);
            other.n = result.n, other.c = result.c / out_group * in_group + c;
            kernel.n = to_big ? result.c : other.c, kernel.c = to_big ? c : result.c % out_group;
            if (partner(operation, to_big, &result, &kernel, &other))
                add_term(&sum, &test->weight, index_of(&test->weight.shape, kernel), source,
                         index_of(&source->shape, other));
        }
    return sum;
}

#endif
