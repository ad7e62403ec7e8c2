#include "core/reference/reference.h"

#include <stdalign.h>
#include <string.h>

#include "core/reference/emulation.h"
#include "core/reference/frame.h"
#include "core/reference/matrix.h"
#include "core/reference/pooling.h"

/* An operand as the sums read it: double or int64_t. */
static const void *widen(const struct cp_tensor *tensor, struct cp_arena *arena)
{
    if (!tensor || tensor->element != CP_FLOAT32) return tensor ? tensor->data : NULL;
    int64_t count = cp_tensor_count(tensor);
    const float *narrow = tensor->data;
    double *wide = cp_arena_take(arena, (size_t)count * sizeof(double), alignof(double));
    for (int64_t i = 0; i < count; i++) wide[i] = narrow[i];
    return wide;
}

/* The one rounding of float32. */
static void narrow_into(const double *wide, int64_t count, float *narrow)
{
    for (int64_t i = 0; i < count; i++) narrow[i] = (float)wide[i];
}

static struct cp_shape position_of(const struct cp_shape *shape, int64_t index)
{
    struct cp_shape position = {.rank = shape->rank};
    for (int axis = shape->rank - 1; axis >= 0; axis--) {
        position.size[axis] = index % shape->size[axis];
        index /= shape->size[axis];
    }
    return position;
}

static enum cp_reference_code code_of(enum cp_contract_status status)
{
    switch (status) {
    case CP_CONTRACT_DONE: return CP_REFERENCE_OK;
    case CP_CONTRACT_STOPPED: return CP_REFERENCE_STOPPED;
    default: return CP_REFERENCE_OVERFLOW;
    }
}

/* Operands and result under the frame's names: of input and output, the convolution's input is the big side. */
static struct cp_frame_data frame_data(const struct cp_reference *reference, struct cp_arena *arena, void *result)
{
    bool transposed = reference->operation.kind == CP_TRANSPOSED_CONVOLUTION;
    bool forward = reference->direction == CP_FORWARD, weight = reference->direction == CP_BACKWARD_WEIGHT;
    void *input = reference->direction == CP_BACKWARD_INPUT ? result : (void *)widen(reference->input, arena);
    void *output = forward ? result : (void *)widen(reference->output_gradient, arena);
    return (struct cp_frame_data){.big = transposed ? output : input,
                                  .small = transposed ? input : output,
                                  .weight = weight ? result : (void *)widen(reference->weight, arena),
                                  .bias = forward ? widen(reference->bias, arena) : NULL};
}

static enum cp_reference_code convolve(const struct cp_reference *reference, const struct cp_shape *output,
                                       int64_t count, struct cp_arena *arena, void *result, int64_t *where)
{
    struct cp_computation computation = {
        .frame = cp_frame_of(reference, output),
        .sense = cp_frame_sense(reference->operation.kind, reference->direction),
        .integer = reference->element == CP_INT64,
        .data = frame_data(reference, arena, result),
        .result_count = count,
        .instructions = reference->instructions,
        .stop = {reference->stop, reference->stop_context},
        .arena = arena,
    };
    enum cp_contract_status status;
    switch (reference->method) {
    case CP_MATRIX: status = cp_compute_matrix(&computation); break;
    case CP_EMULATED: status = cp_compute_emulated(&computation); break;
    case CP_GRADIENT: status = cp_compute_gradient(&computation); break;
    default: status = cp_compute_direct(&computation); break;
    }
    *where = computation.overflow;
    return code_of(status);
}

static enum cp_reference_code pool(const struct cp_reference *reference, const struct cp_shape *output,
                                   struct cp_arena *arena, void *result, int64_t *where)
{
    bool forward = reference->direction == CP_FORWARD;
    struct cp_pooling pooling = cp_pooling_of(reference, output, arena);
    pooling.input = widen(reference->input, arena);
    pooling.output_gradient = forward ? NULL : widen(reference->output_gradient, arena);
    pooling.stop = (struct cp_stop){reference->stop, reference->stop_context};
    enum cp_reference_code code = forward ? cp_pool_forward(&pooling, result) : cp_pool_backward(&pooling, result);
    *where = pooling.where;
    return code;
}

static bool has_position(enum cp_reference_code code)
{
    return code == CP_REFERENCE_OVERFLOW || code == CP_REFERENCE_INEXACT || code == CP_REFERENCE_EMPTY_WINDOW;
}

struct cp_reference_status cp_reference_compute(const struct cp_reference *reference, struct cp_arena *arena,
                                                struct cp_tensor *result)
{
    struct cp_shape output, shape;
    struct cp_reference_status status = cp_reference_check(reference, &output, &shape);
    if (status.code != CP_REFERENCE_OK) return status;
    struct cp_tensor answer = {.shape = shape, .element = reference->element};
    bool pooled = reference->operation.kind != CP_CONVOLUTION && reference->operation.kind != CP_TRANSPOSED_CONVOLUTION;
    int64_t count = cp_tensor_count(&answer), where = 0;
    answer.data = cp_arena_take(arena, (size_t)count * cp_element_bytes(answer.element), alignof(double));
    void *wide = reference->element == CP_FLOAT32
                     ? cp_arena_take(arena, (size_t)count * sizeof(double), alignof(double))
                     : answer.data;
    status.code = pooled ? pool(reference, &output, arena, wide, &where)
                         : convolve(reference, &output, count, arena, wide, &where);
    if (has_position(status.code)) status.position = position_of(&shape, where);
    /* An average backward fails at a position of the gradient that it divides. */
    if (status.code == CP_REFERENCE_INEXACT) status.position = position_of(&output, where);
    if (status.code != CP_REFERENCE_OK) return status;
    if (reference->element == CP_FLOAT32) narrow_into(wide, count, answer.data);
    *result = answer;
    return status;
}
