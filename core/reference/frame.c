#include "core/reference/frame.h"

#include "core/checked.h"

enum cp_sense cp_frame_sense(enum cp_operation_kind kind, enum cp_direction direction)
{
    if (direction == CP_BACKWARD_WEIGHT) return CP_WEIGHT;
    return (kind == CP_CONVOLUTION) == (direction == CP_FORWARD) ? CP_GATHER : CP_SCATTER;
}

struct cp_frame cp_frame_of(const struct cp_reference *reference, const struct cp_shape *output)
{
    const struct cp_operation *operation = &reference->operation;
    bool transposed = operation->kind == CP_TRANSPOSED_CONVOLUTION;
    const struct cp_shape *big = transposed ? output : &reference->input_shape;
    const struct cp_shape *small = transposed ? &reference->input_shape : output;
    struct cp_frame frame = {.batch = big->size[0],
                             .groups = operation->groups,
                             .big_channels = big->size[1] / operation->groups,
                             .small_channels = small->size[1] / operation->groups};
    int missing = CP_MAX_AXES - operation->axes;
    for (int axis = 0; axis < CP_MAX_AXES; axis++) {
        const struct cp_window *window = &operation->window[axis < missing ? 0 : axis - missing];
        frame.axis[axis] = axis < missing ? (struct cp_frame_axis){1, 1, 1, 1, 1, 0}
                                          : (struct cp_frame_axis){big->size[2 + axis - missing],
                                                                   small->size[2 + axis - missing],
                                                                   window->kernel,
                                                                   window->stride,
                                                                   window->dilation,
                                                                   window->pad_begin};
    }
    return frame;
}

int64_t cp_frame_kernel_count(const struct cp_frame *frame)
{
    return frame->axis[0].kernel * frame->axis[1].kernel * frame->axis[2].kernel;
}

int64_t cp_frame_big_count(const struct cp_frame *frame)
{
    return frame->axis[0].big * frame->axis[1].big * frame->axis[2].big;
}

int64_t cp_frame_small_count(const struct cp_frame *frame)
{
    return frame->axis[0].small * frame->axis[1].small * frame->axis[2].small;
}

int64_t cp_axis_real_pairs(const struct cp_frame_axis *axis)
{
    int64_t pairs = 0;
    for (int64_t position = 0; position < axis->kernel; position++) {
        int64_t shift = position * axis->dilation - axis->pad_begin;
        int64_t first = cp_ceil_divide(-shift, axis->stride);
        int64_t end = cp_ceil_divide(axis->big - shift, axis->stride);
        if (first < 0) first = 0;
        if (end > axis->small) end = axis->small;
        if (end > first) pairs += end - first;
    }
    return pairs;
}

int64_t cp_axis_grid_pairs(const struct cp_frame_axis *axis)
{
    int64_t pairs = 0;
    for (int64_t position = 0; position < axis->kernel; position++) {
        int64_t first = cp_floor_remainder(position * axis->dilation - axis->pad_begin, axis->stride);
        pairs += cp_ceil_divide(axis->big - first, axis->stride) * (first < axis->big);
    }
    return pairs;
}

void *cp_computation_result(const struct cp_computation *computation)
{
    switch (computation->sense) {
    case CP_GATHER: return computation->data.small;
    case CP_SCATTER: return computation->data.big;
    default: return computation->data.weight;
    }
}
