/* Does a question to the reference make sense, and what does its answer take? Shapes only. */
#include <math.h>

#include "core/checked.h"
#include "core/reference/accumulator.h"
#include "core/reference/emulation.h"
#include "core/reference/matrix.h"
#include "core/reference/pooling.h"

static bool is_convolution(enum cp_operation_kind kind)
{
    return kind == CP_CONVOLUTION || kind == CP_TRANSPOSED_CONVOLUTION;
}

static struct cp_reference_status failure(enum cp_reference_code code, enum cp_operand operand, int axis, int64_t got,
                                          int64_t expected)
{
    return (struct cp_reference_status){
        .code = code, .operand = operand, .axis = axis, .got = got, .expected = expected};
}

static struct cp_reference_status success(void)
{
    return failure(CP_REFERENCE_OK, CP_OPERAND_NONE, -1, 0, 0);
}

bool cp_method_applies(enum cp_method method, const struct cp_operation *operation, enum cp_direction direction)
{
    if (method == CP_DIRECT) return true;
    if (!is_convolution(operation->kind)) return false;
    return method == CP_MATRIX || cp_frame_sense(operation->kind, direction) == CP_SCATTER;
}

/* ---- The output's shape ------------------------------------------------------------------------------------------ */

static struct cp_reference_status output_size(const struct cp_operation *operation, int axis, int64_t input,
                                              int64_t *output)
{
    const struct cp_window *window = &operation->window[axis];
    enum cp_window_status status = CP_WINDOW_OK;
    if (operation->kind == CP_ADAPTIVE_AVERAGE_POOL || operation->kind == CP_ADAPTIVE_MAX_POOL) {
        int64_t size = operation->adaptive_output[axis];
        *output = size ? size : input;
    } else if (operation->kind == CP_TRANSPOSED_CONVOLUTION) {
        int64_t limit = window->stride > window->dilation ? window->stride : window->dilation;
        int64_t extra = operation->output_padding[axis];
        if (extra >= limit) return failure(CP_REFERENCE_OUTPUT_PADDING, CP_OPERAND_NONE, axis, extra, limit);
        status = cp_transposed_output(window, extra, input, output);
    } else {
        status = cp_window_output(window, input, output);
    }
    switch (status) {
    case CP_WINDOW_OK: return success();
    case CP_WINDOW_TOO_LARGE: return failure(CP_REFERENCE_TOO_LARGE, CP_OPERAND_INPUT, axis, input, 0);
    case CP_WINDOW_EMPTY: return failure(CP_REFERENCE_EMPTY, CP_OPERAND_INPUT, axis, input, 0);
    default: return failure(CP_REFERENCE_COUNT, CP_OPERAND_INPUT, axis, input, CP_MAX_COUNT);
    }
}

static struct cp_reference_status output_shape(const struct cp_reference *reference, struct cp_shape *output)
{
    const struct cp_operation *operation = &reference->operation;
    const struct cp_shape *input = &reference->input_shape;
    if (input->rank != operation->axes + 2)
        return failure(CP_REFERENCE_RANK, CP_OPERAND_INPUT, -1, input->rank, operation->axes + 2);
    *output = *input;
    if (is_convolution(operation->kind)) {
        if (input->size[1] % operation->groups != 0)
            return failure(CP_REFERENCE_GROUPS, CP_OPERAND_INPUT, -1, input->size[1], operation->groups);
        if (operation->out_channels % operation->groups != 0)
            return failure(CP_REFERENCE_GROUPS, CP_OPERAND_WEIGHT, -1, operation->out_channels, operation->groups);
        output->size[1] = operation->out_channels;
    }
    for (int axis = 0; axis < operation->axes; axis++) {
        struct cp_reference_status status =
            output_size(operation, axis, input->size[2 + axis], &output->size[2 + axis]);
        if (status.code != CP_REFERENCE_OK) return status;
    }
    return success();
}

static struct cp_shape weight_shape(const struct cp_reference *reference)
{
    const struct cp_operation *operation = &reference->operation;
    int64_t in = reference->input_shape.size[1], out = operation->out_channels;
    bool transposed = operation->kind == CP_TRANSPOSED_CONVOLUTION;
    struct cp_shape shape = {.rank = operation->axes + 2};
    shape.size[0] = transposed ? in : out;
    shape.size[1] = (transposed ? out : in) / operation->groups;
    for (int axis = 0; axis < operation->axes; axis++) shape.size[2 + axis] = operation->window[axis].kernel;
    return shape;
}

/* ---- Operands ---------------------------------------------------------------------------------------------------- */

static struct cp_reference_status check_operand(const struct cp_reference *reference, const struct cp_tensor *tensor,
                                                enum cp_operand operand, const struct cp_shape *expected)
{
    if (!tensor) return failure(CP_REFERENCE_MISSING, operand, -1, 0, 0);
    if (tensor->element != reference->element)
        return failure(CP_REFERENCE_ELEMENT, operand, -1, tensor->element, reference->element);
    if (tensor->shape.rank != expected->rank)
        return failure(CP_REFERENCE_RANK, operand, -1, tensor->shape.rank, expected->rank);
    for (int axis = 0; axis < expected->rank; axis++)
        if (tensor->shape.size[axis] != expected->size[axis])
            return failure(CP_REFERENCE_SIZE, operand, axis, tensor->shape.size[axis], expected->size[axis]);
    return success();
}

static bool needs_input(const struct cp_reference *reference)
{
    enum cp_operation_kind kind = reference->operation.kind;
    if (reference->direction != CP_BACKWARD_INPUT) return true;
    return kind == CP_MAX_POOL || kind == CP_ADAPTIVE_MAX_POOL || kind == CP_LP_POOL;
}

static struct cp_reference_status check_operands(const struct cp_reference *reference, const struct cp_shape *output)
{
    struct cp_reference_status status = success();
    bool convolution = is_convolution(reference->operation.kind);
    struct cp_shape weight = convolution ? weight_shape(reference) : (struct cp_shape){0};
    struct cp_shape bias = {1, {reference->operation.out_channels}};
    if (needs_input(reference))
        status = check_operand(reference, reference->input, CP_OPERAND_INPUT, &reference->input_shape);
    if (status.code == CP_REFERENCE_OK && convolution && reference->direction != CP_BACKWARD_WEIGHT)
        status = check_operand(reference, reference->weight, CP_OPERAND_WEIGHT, &weight);
    if (status.code == CP_REFERENCE_OK && convolution && reference->direction == CP_FORWARD && reference->bias)
        status = check_operand(reference, reference->bias, CP_OPERAND_BIAS, &bias);
    if (status.code == CP_REFERENCE_OK && reference->direction != CP_FORWARD)
        status = check_operand(reference, reference->output_gradient, CP_OPERAND_OUTPUT_GRADIENT, output);
    return status;
}

/* No product of sizes that later code forms may be over CP_MAX_COUNT. */
static bool counts_fit(const struct cp_reference *reference, const struct cp_shape *output)
{
    int64_t count;
    if (!cp_shape_product(&reference->input_shape, 0, reference->input_shape.rank, &count) ||
        !cp_shape_product(output, 0, output->rank, &count))
        return false;
    if (!is_convolution(reference->operation.kind)) return cp_pooling_cells(reference, output, &count);
    struct cp_shape weight = weight_shape(reference);
    return cp_shape_product(&weight, 0, weight.rank, &count);
}

struct cp_reference_status cp_reference_check(const struct cp_reference *reference, struct cp_shape *output,
                                              struct cp_shape *result)
{
    const struct cp_operation *operation = &reference->operation;
    struct cp_shape forward;
    if (operation->kind == CP_LP_POOL &&
        (!isfinite(operation->norm_type) || operation->norm_type == 0 || reference->element == CP_INT64))
        return failure(CP_REFERENCE_NORM, CP_OPERAND_NONE, -1, 0, 0);
    if (reference->direction == CP_BACKWARD_WEIGHT && !is_convolution(operation->kind))
        return failure(CP_REFERENCE_DIRECTION, CP_OPERAND_NONE, -1, 0, 0);
    if (!cp_method_applies(reference->method, operation, reference->direction))
        return failure(CP_REFERENCE_METHOD, CP_OPERAND_NONE, -1, 0, 0);
    struct cp_reference_status status = output_shape(reference, &forward);
    if (status.code == CP_REFERENCE_OK && !counts_fit(reference, &forward))
        status = failure(CP_REFERENCE_COUNT, CP_OPERAND_NONE, -1, 0, CP_MAX_COUNT);
    if (status.code == CP_REFERENCE_OK) status = check_operands(reference, &forward);
    if (status.code != CP_REFERENCE_OK) return status;
    *output = forward;
    switch (reference->direction) {
    case CP_FORWARD: *result = forward; break;
    case CP_BACKWARD_INPUT: *result = reference->input_shape; break;
    default: *result = weight_shape(reference); break;
    }
    return status;
}

/* ---- Cost -------------------------------------------------------------------------------------------------------- */

/* Kernels that may be walked over to count zeros. */
#define MOST_KERNEL_TO_COUNT ((int64_t)1 << 24)

static bool multiply_all(int64_t *total, const int64_t *factors, int count)
{
    for (int i = 0; i < count; i++)
        if (!cp_multiply(*total, factors[i], total)) return false;
    return true;
}

/* Pairs of one axis that a direct sum multiplies: units of the result (of the small side for weights), positions. */
static int64_t direct_pairs(const struct cp_frame_axis *axis, enum cp_sense sense)
{
    return sense == CP_SCATTER ? cp_axis_grid_pairs(axis) : axis->small * axis->kernel;
}

static bool count_multiplications(const struct cp_frame *frame, enum cp_sense sense, enum cp_method method,
                                  struct cp_reference_cost *cost)
{
    const int64_t channels[] = {frame->batch, frame->groups, frame->small_channels, frame->big_channels};
    int64_t all = 1, real = 1, pairs;
    if (!multiply_all(&all, channels, 4)) return false;
    real = all;
    for (int i = 0; i < CP_MAX_AXES; i++) {
        const struct cp_frame_axis *axis = &frame->axis[i];
        if (!cp_multiply(real, cp_axis_real_pairs(axis), &real)) return false;
        if (!cp_multiply(axis->kernel, method == CP_EMULATED ? axis->big : axis->small, &pairs)) return false;
        if (method == CP_DIRECT) pairs = direct_pairs(axis, sense);
        if (!cp_multiply(all, pairs, &all)) return false;
    }
    struct cp_matrix matrix;
    bool dense = method == CP_MATRIX && sense != CP_WEIGHT;
    if (dense && !(cp_matrix_size(frame, &matrix) && cp_multiply(matrix.rows, matrix.columns, &all) &&
                   cp_multiply(all, frame->batch, &all)))
        return false;
    if (method == CP_GRADIENT || (method == CP_MATRIX && !dense)) all = real;
    cost->multiplications = all;
    cost->multiplications_by_zero = all - real;
    cost->terms = method == CP_MATRIX ? real : all;
    return true;
}

/* Elements of the frame's two sides and weight, as the methods copy them. */
static bool method_scratch(const struct cp_frame *frame, const struct cp_reference *reference, enum cp_sense sense,
                           int64_t result_count, int64_t *bytes)
{
    struct cp_frame emulating = cp_emulating_frame(frame);
    struct cp_matrix matrix;
    int64_t sums = 0, other = 0;
    bool integer = reference->element == CP_INT64;
    if (integer && !cp_multiply(result_count, CP_ACCUMULATOR_BYTES, &sums)) return false;
    switch (reference->method) {
    case CP_MATRIX:
        return cp_matrix_size(frame, &matrix) &&
               cp_multiply(matrix.entry_count, sizeof(struct cp_matrix_entry), &other) && cp_add(sums, other, bytes);
    case CP_EMULATED: {
        struct cp_shape shape = cp_stretched_padded_shape(frame, CP_MAX_AXES);
        int64_t weight = frame->groups * frame->small_channels * frame->big_channels * cp_frame_kernel_count(frame);
        return cp_shape_product(&shape, 0, shape.rank, &other) && cp_add(other, weight, &other) &&
               cp_multiply(other, sizeof(double), &other) && cp_direct_scratch(&emulating, CP_GATHER, bytes) &&
               cp_add(*bytes, other, bytes);
    }
    case CP_GRADIENT: *bytes = sums; return true;
    default: return cp_direct_scratch(frame, sense, bytes);
    }
}

/* float32 operands are widened. */
static bool widened_bytes(const struct cp_reference *reference, int64_t result_count, int64_t *bytes)
{
    const struct cp_tensor *operands[] = {reference->input, reference->weight, reference->bias,
                                          reference->output_gradient};
    int64_t total = result_count;
    *bytes = 0;
    if (reference->element != CP_FLOAT32) return true;
    for (int i = 0; i < 4; i++)
        if (operands[i] && !cp_add(total, cp_tensor_count(operands[i]), &total)) return false;
    return cp_multiply(total, sizeof(double), bytes);
}

static bool convolution_cost(const struct cp_reference *reference, const struct cp_shape *output, int64_t result_count,
                             struct cp_reference_cost *cost)
{
    struct cp_frame frame = cp_frame_of(reference, output);
    enum cp_sense sense = cp_frame_sense(reference->operation.kind, reference->direction);
    const int64_t factors[] = {frame.batch,
                               frame.groups,
                               frame.small_channels,
                               frame.big_channels,
                               cp_frame_kernel_count(&frame),
                               cp_frame_small_count(&frame)};
    cost->macs = 1;
    if (!multiply_all(&cost->macs, factors, 6)) return false;
    for (int i = 0; i < CP_MAX_AXES; i++) {
        if (frame.axis[i].kernel <= MOST_KERNEL_TO_COUNT) continue;
        cost->terms = cost->multiplications = cost->macs;
        cost->multiplications_by_zero = CP_UNKNOWN;
        return method_scratch(&frame, reference, sense, result_count, &cost->scratch_bytes);
    }
    return count_multiplications(&frame, sense, reference->method, cost) &&
           method_scratch(&frame, reference, sense, result_count, &cost->scratch_bytes);
}

static bool pooling_cost(const struct cp_reference *reference, const struct cp_shape *output, int64_t result_count,
                         struct cp_reference_cost *cost)
{
    int64_t units = 0, wide = 0;
    bool integer_sums = reference->element == CP_INT64 && reference->direction != CP_FORWARD;
    for (int axis = 0; axis < reference->operation.axes; axis++) units += output->size[2 + axis];
    return cp_pooling_cells(reference, output, &cost->terms) &&
           cp_multiply(cost->terms, output->size[0] * output->size[1], &cost->terms) &&
           cp_multiply(units, sizeof(struct cp_pool_cells), &cost->scratch_bytes) &&
           (!integer_sums || cp_multiply(result_count, sizeof(cp_int128), &wide)) &&
           cp_add(cost->scratch_bytes, wide, &cost->scratch_bytes);
}

/* Small things: alignment gaps. */
enum { ARENA_GAPS_BYTES = 1024 };

bool cp_reference_cost(const struct cp_reference *reference, struct cp_reference_cost *cost)
{
    struct cp_shape output, result;
    struct cp_reference_cost sums = {0};
    int64_t count, widened;
    if (cp_reference_check(reference, &output, &result).code != CP_REFERENCE_OK) return false;
    if (!cp_shape_product(&result, 0, result.rank, &count) || !widened_bytes(reference, count, &widened) ||
        !cp_multiply(count, (int64_t)cp_element_bytes(reference->element), &sums.result_bytes))
        return false;
    bool fits = is_convolution(reference->operation.kind) ? convolution_cost(reference, &output, count, &sums)
                                                          : pooling_cost(reference, &output, count, &sums);
    if (!fits) return false;
    if (!cp_add(sums.scratch_bytes, widened + ARENA_GAPS_BYTES, &sums.scratch_bytes)) return false;
    *cost = sums;
    return true;
}
