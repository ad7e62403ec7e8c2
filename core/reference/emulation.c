#include "core/reference/emulation.h"

#include <stdalign.h>
#include <string.h>

#include "core/checked.h"
#include "core/reference/accumulator.h"

static struct cp_shape shape_of(int64_t batch, int64_t channels, const int64_t *sizes, int axes)
{
    struct cp_shape shape = {.rank = axes + 2, .size = {batch, channels}};
    for (int axis = 0; axis < axes; axis++) shape.size[2 + axis] = sizes[CP_MAX_AXES - axes + axis];
    return shape;
}

static int64_t span_of(const struct cp_frame_axis *axis)
{
    return axis->dilation * (axis->kernel - 1) + 1;
}

/* How cells are laid into a larger or smaller grid: cell i of an axis goes to i · step + shift, where that exists. */
struct placement {
    int64_t source[CP_MAX_AXES], target[CP_MAX_AXES], step[CP_MAX_AXES], shift[CP_MAX_AXES];
};

static struct placement stretching(const struct cp_frame *frame, bool padded)
{
    struct placement placement;
    for (int i = 0; i < CP_MAX_AXES; i++) {
        const struct cp_frame_axis *axis = &frame->axis[i];
        int64_t reach = span_of(axis) - 1;
        placement.source[i] = axis->small;
        placement.step[i] = axis->stride;
        placement.shift[i] = padded ? reach - axis->pad_begin : 0;
        placement.target[i] = padded ? axis->big + reach : axis->stride * (axis->small - 1) + 1;
    }
    return placement;
}

static struct placement padding(const struct cp_frame *frame)
{
    struct placement placement;
    for (int i = 0; i < CP_MAX_AXES; i++) {
        const struct cp_frame_axis *axis = &frame->axis[i];
        placement.source[i] = axis->big;
        placement.step[i] = 1;
        placement.shift[i] = axis->pad_begin;
        placement.target[i] = axis->stride * (axis->small - 1) + span_of(axis);
    }
    return placement;
}

/* The target's cell for a source cell; false when it is cropped. */
static bool place(const struct placement *placement, int axis, int64_t cell, int64_t *target)
{
    *target = cell * placement->step[axis] + placement->shift[axis];
    return *target >= 0 && *target < placement->target[axis];
}

/* `target` is zero before. */
static void place_plane(const struct placement *placement, const unsigned char *source, unsigned char *target,
                        size_t bytes)
{
    int64_t z, y, x;
    for (int64_t i = 0; i < placement->source[0]; i++) {
        if (!place(placement, 0, i, &z)) continue;
        for (int64_t j = 0; j < placement->source[1]; j++) {
            if (!place(placement, 1, j, &y)) continue;
            for (int64_t k = 0; k < placement->source[2]; k++) {
                if (!place(placement, 2, k, &x)) continue;
                memcpy(target + (size_t)((z * placement->target[1] + y) * placement->target[2] + x) * bytes,
                       source + (size_t)((i * placement->source[1] + j) * placement->source[2] + k) * bytes, bytes);
            }
        }
    }
}

static void *place_all(const struct placement *placement, const void *source, int64_t planes, size_t bytes,
                       struct cp_arena *arena)
{
    int64_t from = placement->source[0] * placement->source[1] * placement->source[2];
    int64_t to = placement->target[0] * placement->target[1] * placement->target[2];
    unsigned char *target = cp_arena_zeroed(arena, (size_t)(planes * to), bytes, alignof(double));
    for (int64_t plane = 0; plane < planes; plane++)
        place_plane(placement, (const unsigned char *)source + (size_t)(plane * from) * bytes,
                    target + (size_t)(plane * to) * bytes, bytes);
    return target;
}

struct cp_shape cp_stretched_shape(const struct cp_frame *frame, int axes)
{
    struct placement placement = stretching(frame, false);
    return shape_of(frame->batch, frame->groups * frame->small_channels, placement.target, axes);
}

struct cp_shape cp_stretched_padded_shape(const struct cp_frame *frame, int axes)
{
    struct placement placement = stretching(frame, true);
    return shape_of(frame->batch, frame->groups * frame->small_channels, placement.target, axes);
}

struct cp_shape cp_padded_shape(const struct cp_frame *frame, int axes)
{
    struct placement placement = padding(frame);
    return shape_of(frame->batch, frame->groups * frame->big_channels, placement.target, axes);
}

static struct cp_tensor placed(const struct placement *placement, const struct cp_shape *shape,
                               const struct cp_tensor *source, struct cp_arena *arena)
{
    void *data =
        place_all(placement, source->data, shape->size[0] * shape->size[1], cp_element_bytes(source->element), arena);
    return (struct cp_tensor){*shape, source->element, data};
}

struct cp_tensor cp_stretched(const struct cp_frame *frame, int axes, const struct cp_tensor *small,
                              struct cp_arena *arena)
{
    struct placement placement = stretching(frame, false);
    struct cp_shape shape = cp_stretched_shape(frame, axes);
    return placed(&placement, &shape, small, arena);
}

struct cp_tensor cp_stretched_padded(const struct cp_frame *frame, int axes, const struct cp_tensor *small,
                                     struct cp_arena *arena)
{
    struct placement placement = stretching(frame, true);
    struct cp_shape shape = cp_stretched_padded_shape(frame, axes);
    return placed(&placement, &shape, small, arena);
}

struct cp_tensor cp_padded(const struct cp_frame *frame, int axes, const struct cp_tensor *big, struct cp_arena *arena)
{
    struct placement placement = padding(frame);
    struct cp_shape shape = cp_padded_shape(frame, axes);
    return placed(&placement, &shape, big, arena);
}

/* Flipping every spatial axis is reading the kernel backwards. */
static void *flip(const struct cp_frame *frame, const void *weight, size_t bytes, struct cp_arena *arena)
{
    int64_t kernel = cp_frame_kernel_count(frame);
    int64_t small = frame->small_channels, big = frame->big_channels;
    unsigned char *flipped =
        cp_arena_zeroed(arena, (size_t)(frame->groups * small * big * kernel), bytes, alignof(double));
    unsigned char *next = flipped;
    for (int64_t row = 0; row < frame->groups * big; row++)
        for (int64_t column = 0; column < small; column++)
            for (int64_t position = kernel - 1; position >= 0; position--, next += bytes) {
                int64_t from = ((row / big * small + column) * big + row % big) * kernel + position;
                memcpy(next, (const unsigned char *)weight + (size_t)from * bytes, bytes);
            }
    return flipped;
}

struct cp_tensor cp_flipped_kernel(const struct cp_frame *frame, int axes, const struct cp_tensor *weight,
                                   struct cp_arena *arena)
{
    int64_t kernel[CP_MAX_AXES];
    for (int axis = 0; axis < CP_MAX_AXES; axis++) kernel[axis] = frame->axis[axis].kernel;
    struct cp_shape shape = shape_of(frame->groups * frame->big_channels, frame->small_channels, kernel, axes);
    return (struct cp_tensor){shape, weight->element,
                              flip(frame, weight->data, cp_element_bytes(weight->element), arena)};
}

struct cp_frame cp_emulating_frame(const struct cp_frame *frame)
{
    struct cp_frame emulating = *frame;
    emulating.big_channels = frame->small_channels;
    emulating.small_channels = frame->big_channels;
    for (int i = 0; i < CP_MAX_AXES; i++) {
        const struct cp_frame_axis *axis = &frame->axis[i];
        emulating.axis[i] =
            (struct cp_frame_axis){axis->big + span_of(axis) - 1, axis->big, axis->kernel, 1, axis->dilation, 0};
    }
    return emulating;
}

enum cp_contract_status cp_compute_emulated(struct cp_computation *computation)
{
    const struct cp_frame *frame = &computation->frame;
    struct placement placement = stretching(frame, true);
    struct cp_computation emulating = *computation;
    emulating.frame = cp_emulating_frame(frame);
    emulating.sense = CP_GATHER;
    emulating.data.small = computation->data.big;
    emulating.data.big =
        place_all(&placement, computation->data.small, frame->batch * frame->groups * frame->small_channels,
                  sizeof(double), computation->arena);
    emulating.data.weight = flip(frame, computation->data.weight, sizeof(double), computation->arena);
    enum cp_contract_status status = cp_compute_direct(&emulating);
    computation->overflow = emulating.overflow;
    return status;
}

/* Add one unit's multiple of the kernel into one channel of the big side. */
static void add_kernel(const struct cp_computation *computation, struct cp_accumulator *sums, int64_t unit,
                       int64_t small, int64_t weight, int64_t big)
{
    const struct cp_frame_axis *d = &computation->frame.axis[0], *h = d + 1, *w = d + 2;
    int64_t line = unit / w->small;
    for (int64_t i = 0; i < d->kernel; i++) {
        int64_t z = line / h->small * d->stride + i * d->dilation - d->pad_begin;
        for (int64_t j = 0; z >= 0 && z < d->big && j < h->kernel; j++) {
            int64_t y = line % h->small * h->stride + j * h->dilation - h->pad_begin;
            for (int64_t k = 0; y >= 0 && y < h->big && k < w->kernel; k++) {
                int64_t x = unit % w->small * w->stride + k * w->dilation - w->pad_begin;
                if (x < 0 || x >= w->big) continue;
                cp_accumulator_add(sums, big + (z * h->big + y) * w->big + x, computation->data.weight,
                                   weight + (i * h->kernel + j) * w->kernel + k, computation->data.small, small + unit);
            }
        }
    }
}

/* Channel `channel` of the small side of one sample, counted over all samples. */
static void add_channel(const struct cp_computation *computation, struct cp_accumulator *sums, int64_t sample,
                        int64_t channel)
{
    const struct cp_frame *frame = &computation->frame;
    int64_t units = cp_frame_small_count(frame), kernel = cp_frame_kernel_count(frame);
    int64_t group = channel / frame->small_channels;
    int64_t small = (sample * frame->groups * frame->small_channels + channel) * units;
    for (int64_t other = 0; other < frame->big_channels; other++) {
        int64_t big = ((sample * frame->groups + group) * frame->big_channels + other) * cp_frame_big_count(frame);
        for (int64_t unit = 0; unit < units; unit++)
            add_kernel(computation, sums, unit, small, (channel * frame->big_channels + other) * kernel, big);
    }
}

enum cp_contract_status cp_compute_gradient(struct cp_computation *computation)
{
    const struct cp_frame *frame = &computation->frame;
    struct cp_accumulator sums = cp_accumulator_start(computation->arena, computation->integer, computation->data.big,
                                                      computation->result_count);
    int64_t plane = cp_frame_big_count(frame), channels = frame->groups * frame->big_channels;
    for (int64_t i = 0; computation->data.bias && i < sums.count; i++)
        cp_accumulator_set(&sums, i, computation->data.bias, i / plane % channels);
    for (int64_t sample = 0; sample < frame->batch; sample++) {
        for (int64_t channel = 0; channel < frame->groups * frame->small_channels; channel++) {
            if (cp_stopped(computation->stop)) return CP_CONTRACT_STOPPED;
            add_channel(computation, &sums, sample, channel);
        }
    }
    return cp_accumulator_finish(&sums, &computation->overflow) ? CP_CONTRACT_DONE : CP_CONTRACT_OVERFLOW;
}
