/* The direct method: each sum over a frame becomes a few contractions.
 *
 *   gather   One. The big side is copied with its padding, dealt out by the stride of the last axis.
 *   scatter  One for every phase of the big side, that is every remainder of (unit + padding) by the stride: within a
 *            phase each unit sees the same kernel positions, so it is a stride-1 convolution with a part of the kernel
 *            over the copied small side.
 *   weight   One: rows are the small side's channels, positions the weights, and the sum runs over batch and the small
 *            side's units. The big side is copied with channels last, to read them as neighbours. */
#include <stdalign.h>
#include <stddef.h>
#include <string.h>

#include "core/checked.h"
#include "core/reference/frame.h"
#include "core/reference/side_copy.h"

struct direct {
    const struct cp_frame *frame;
    enum cp_sense sense;
    struct cp_side_copy copy;
    bool in_place; /* the source itself serves as its copy */
    int lanes;
    bool may_overread;

    struct cp_contraction *phases;
    int64_t phase_count;
    int64_t *terms;          /* next free */
    struct cp_strip *strips; /* next free */
};

/* A frame with the same numbers in which neighbours reach further: a 1 × 1 kernel knows no rows. */
static struct cp_frame collapse(const struct cp_frame *frame)
{
    struct cp_frame flat = *frame;
    for (int axis = 0; axis < CP_MAX_AXES; axis++) {
        const struct cp_frame_axis *at = &frame->axis[axis];
        if (at->kernel != 1 || at->stride != 1 || at->pad_begin != 0 || at->big != at->small) return flat;
    }
    int64_t count = cp_frame_big_count(frame);
    flat.axis[0] = flat.axis[1] = (struct cp_frame_axis){1, 1, 1, 1, 1, 0};
    flat.axis[2] = (struct cp_frame_axis){count, count, 1, 1, 1, 0};
    return flat;
}

/* ---- The copied side --------------------------------------------------------------------------------------------- */

/* Cells of the big side that units of the small side look at. */
static bool extent_of_big(const struct cp_frame_axis *axis, int64_t *begin, int64_t *extent)
{
    int64_t last, reach;
    *begin = -axis->pad_begin;
    return cp_multiply(axis->small - 1, axis->stride, &last) && cp_multiply(axis->kernel - 1, axis->dilation, &reach) &&
           cp_add(last, reach, extent) && cp_add(*extent, 1, extent);
}

/* Cells of the small side's grid that units of the big side look at. */
static bool extent_of_small(const struct cp_frame_axis *axis, int64_t *begin, int64_t *extent)
{
    int64_t reach, first, last;
    if (!cp_multiply(axis->kernel - 1, axis->dilation, &reach) || !cp_add(axis->pad_begin, -reach, &first) ||
        !cp_add(axis->pad_begin, axis->big - 1, &last))
        return false;
    *begin = cp_ceil_divide(first, axis->stride);
    *extent = cp_floor_divide(last, axis->stride) - *begin + 1;
    if (*extent < 1) *extent = 1;
    return true;
}

static bool lay_out_copy(struct cp_side_copy *copy, const struct cp_frame *frame, enum cp_sense sense)
{
    bool small_side = sense == CP_SCATTER;
    for (int axis = 0; axis < CP_MAX_AXES; axis++) {
        const struct cp_frame_axis *at = &frame->axis[axis];
        copy->source[axis] = small_side ? at->small : at->big;
        if (!(small_side ? extent_of_small : extent_of_big)(at, &copy->begin[axis], &copy->extent[axis])) return false;
    }
    const struct cp_frame_axis *last = &frame->axis[2];
    copy->channels = small_side ? frame->small_channels : frame->big_channels;
    copy->deal = sense == CP_GATHER && last->small > 1 ? last->stride : 1;
    return cp_side_copy_lay_out(copy);
}

/* Nothing to pad, nothing to deal out, and every strip a full vector inside its row. */
static bool source_serves(const struct direct *direct)
{
    const struct cp_side_copy *copy = &direct->copy;
    const struct cp_frame_axis *last = &direct->frame->axis[2];
    if (direct->sense == CP_WEIGHT || copy->deal != 1) return false;
    for (int axis = 0; axis < CP_MAX_AXES; axis++)
        if (copy->begin[axis] != 0 || copy->extent[axis] > copy->source[axis]) return false;
    if (!direct->may_overread) return true;
    if (direct->sense == CP_SCATTER) return last->stride == 1 && last->big >= direct->lanes;
    return last->small >= direct->lanes;
}

/* ---- Strips and taps --------------------------------------------------------------------------------------------- */

/* Cut a run of neighbours into strips. The last one of a long run steps back to be a full vector: it computes some
 * positions again, to the same values, but reads nothing past the run. */
static void add_run(struct direct *direct, int64_t b, int64_t out, int64_t count, int64_t out_step)
{
    int64_t lanes = direct->lanes;
    for (int64_t at = 0; at < count; at += lanes) {
        int64_t first = at;
        if (direct->may_overread && count - at < lanes && count >= lanes) first = count - lanes;
        int64_t left = count - first;
        *direct->strips++ = (struct cp_strip){b + first, out + first * out_step, left < lanes ? left : lanes};
    }
}

static struct cp_contraction *begin_phase(struct direct *direct, int64_t taps, int64_t outer)
{
    struct cp_contraction *phase = &direct->phases[direct->phase_count++];
    phase->terms = taps * outer;
    phase->strips = direct->strips;
    phase->a_term = direct->terms;
    phase->b_term = direct->terms + phase->terms;
    direct->terms += 2 * phase->terms;
    return phase;
}

static void end_strips(const struct direct *direct, struct cp_contraction *phase)
{
    phase->strip_count = direct->strips - phase->strips;
}

/* The terms of all channels (or samples), from the `taps` of the first and the distances between two. */
static void repeat_terms(const struct cp_contraction *phase, int64_t *a, int64_t *b, int64_t taps, int64_t a_outer,
                         int64_t b_outer)
{
    for (int64_t term = taps; term < phase->terms; term++) {
        a[term] = a[term - taps] + a_outer;
        b[term] = b[term - taps] + b_outer;
    }
}

static void plan_gather(struct direct *direct)
{
    const struct cp_frame *frame = direct->frame;
    const struct cp_frame_axis *d = &frame->axis[0], *h = &frame->axis[1], *w = &frame->axis[2];
    const struct cp_side_copy *copy = &direct->copy;
    int64_t kernel_count = cp_frame_kernel_count(frame), tap = 0;
    int64_t *a = direct->terms, *b = a + kernel_count * frame->big_channels;
    struct cp_contraction *phase = begin_phase(direct, kernel_count, frame->big_channels);
    for (int64_t z = 0; z < d->kernel; z++)
        for (int64_t y = 0; y < h->kernel; y++)
            for (int64_t x = 0; x < w->kernel; x++, tap++) {
                a[tap] = tap;
                b[tap] = z * d->dilation * copy->plane + y * h->dilation * copy->line +
                         cp_side_copy_cell(copy, x * w->dilation);
            }
    repeat_terms(phase, a, b, kernel_count, kernel_count, copy->channel);
    for (int64_t z = 0; z < d->small; z++)
        for (int64_t y = 0; y < h->small; y++)
            add_run(direct, z * d->stride * copy->plane + y * h->stride * copy->line, (z * h->small + y) * w->small,
                    w->small, 1);
    end_strips(direct, phase);
    phase->rows = frame->small_channels;
    phase->a_row = frame->big_channels * kernel_count;
    phase->out_row = cp_frame_small_count(frame);
    phase->out_step = 1;
}

/* One axis of a phase: units first, first + stride, … of the big side; remainder = (first + padding) mod stride. */
struct phase_axis {
    int64_t first, count, remainder;
    int64_t cell; /* of the copy, that kernel position `remainder` would meet for unit `first` */
    int64_t taps; /* kernel positions that meet the grid */
};

/* How many cells kernel position k of a phase lies before its unit's; false when it falls between cells. */
static bool meets_grid(const struct cp_frame_axis *axis, const struct phase_axis *phase, int64_t k, int64_t *cells)
{
    int64_t distance = k * axis->dilation - phase->remainder;
    if (distance % axis->stride != 0) return false;
    *cells = distance / axis->stride;
    return true;
}

static struct phase_axis phase_axis(const struct direct *direct, int axis, int64_t first)
{
    const struct cp_frame_axis *at = &direct->frame->axis[axis];
    int64_t unit = first + at->pad_begin, cells;
    struct phase_axis phase = {first, cp_ceil_divide(at->big - first, at->stride), cp_floor_remainder(unit, at->stride),
                               cp_floor_divide(unit, at->stride) - direct->copy.begin[axis], 0};
    for (int64_t k = 0; k < at->kernel; k++) phase.taps += meets_grid(at, &phase, k, &cells);
    return phase;
}

static void add_phase_taps(const struct direct *direct, const struct phase_axis *phase, int64_t *a, int64_t *b)
{
    const struct cp_frame_axis *axis = direct->frame->axis;
    const struct cp_side_copy *copy = &direct->copy;
    int64_t z, y, x;
    for (int64_t i = 0; i < axis[0].kernel; i++) {
        if (!meets_grid(&axis[0], &phase[0], i, &z)) continue;
        for (int64_t j = 0; j < axis[1].kernel; j++) {
            if (!meets_grid(&axis[1], &phase[1], j, &y)) continue;
            for (int64_t k = 0; k < axis[2].kernel; k++) {
                if (!meets_grid(&axis[2], &phase[2], k, &x)) continue;
                *a++ = (i * axis[1].kernel + j) * axis[2].kernel + k;
                *b++ = -(z * copy->plane + y * copy->line + x);
            }
        }
    }
}

static void plan_phase(struct direct *direct, const struct phase_axis *axis)
{
    const struct cp_frame *frame = direct->frame;
    const struct cp_frame_axis *d = &frame->axis[0], *h = &frame->axis[1], *w = &frame->axis[2];
    const struct cp_side_copy *copy = &direct->copy;
    int64_t kernel_count = cp_frame_kernel_count(frame), taps = axis[0].taps * axis[1].taps * axis[2].taps;
    int64_t *a = direct->terms, *b = a + taps * frame->small_channels;
    struct cp_contraction *phase = begin_phase(direct, taps, frame->small_channels);
    add_phase_taps(direct, axis, a, b);
    repeat_terms(phase, a, b, taps, frame->big_channels * kernel_count, copy->channel);
    for (int64_t z = 0; z < axis[0].count; z++)
        for (int64_t y = 0; y < axis[1].count; y++) {
            int64_t line = (axis[0].first + z * d->stride) * h->big + axis[1].first + y * h->stride;
            add_run(direct, (axis[0].cell + z) * copy->plane + (axis[1].cell + y) * copy->line + axis[2].cell,
                    line * w->big + axis[2].first, axis[2].count, w->stride);
        }
    end_strips(direct, phase);
    phase->rows = frame->big_channels;
    phase->a_row = kernel_count;
    phase->out_row = cp_frame_big_count(frame);
    phase->out_step = w->stride;
}

static int64_t phases_of(const struct cp_frame_axis *axis)
{
    return axis->stride < axis->big ? axis->stride : axis->big;
}

static void plan_scatter(struct direct *direct)
{
    const struct cp_frame_axis *axis = direct->frame->axis;
    struct phase_axis phase[CP_MAX_AXES];
    for (int64_t i = 0; i < phases_of(&axis[0]); i++) {
        phase[0] = phase_axis(direct, 0, i);
        for (int64_t j = 0; j < phases_of(&axis[1]); j++) {
            phase[1] = phase_axis(direct, 1, j);
            for (int64_t k = 0; k < phases_of(&axis[2]); k++) {
                phase[2] = phase_axis(direct, 2, k);
                plan_phase(direct, phase);
            }
        }
    }
}

static void plan_weight(struct direct *direct)
{
    const struct cp_frame *frame = direct->frame;
    const struct cp_frame_axis *d = &frame->axis[0], *h = &frame->axis[1], *w = &frame->axis[2];
    const struct cp_side_copy *copy = &direct->copy;
    int64_t kernel_count = cp_frame_kernel_count(frame), units = cp_frame_small_count(frame);
    int64_t channels = frame->big_channels, unit = 0;
    int64_t *a = direct->terms, *b = a + units * frame->batch;
    struct cp_contraction *phase = begin_phase(direct, units, frame->batch);
    for (int64_t z = 0; z < d->small; z++)
        for (int64_t y = 0; y < h->small; y++)
            for (int64_t x = 0; x < w->small; x++, unit++) {
                a[unit] = unit;
                b[unit] = (z * d->stride * copy->plane + y * h->stride * copy->line + x * w->stride) * channels;
            }
    repeat_terms(phase, a, b, units, units * frame->groups * frame->small_channels, copy->channel * channels);
    bool along_kernel = channels == 1 && w->dilation == 1; /* then a row of the kernel is a run of neighbours */
    for (int64_t position = 0; position < kernel_count; position += along_kernel ? w->kernel : 1) {
        int64_t z = position / w->kernel / h->kernel, y = position / w->kernel % h->kernel, x = position % w->kernel;
        int64_t cell = z * d->dilation * copy->plane + y * h->dilation * copy->line + x * w->dilation;
        add_run(direct, cell * channels, position, along_kernel ? w->kernel : channels,
                along_kernel ? 1 : kernel_count);
    }
    end_strips(direct, phase);
    phase->rows = frame->small_channels;
    phase->a_row = units;
    phase->out_row = channels * kernel_count;
    phase->out_step = along_kernel ? 1 : kernel_count;
}

/* ---- Scratch ----------------------------------------------------------------------------------------------------- */

/* Elements of each array, at most. */
struct scratch {
    int64_t copy, packed, terms, strips, phases;
};

static bool strips_at_most(const struct cp_frame *frame, enum cp_sense sense, int64_t lanes, int64_t *strips)
{
    const struct cp_frame_axis *axis = frame->axis;
    if (sense == CP_WEIGHT)
        return cp_multiply(cp_frame_kernel_count(frame), cp_ceil_divide(frame->big_channels, lanes), strips);
    bool gather = sense == CP_GATHER;
    int64_t rows = gather ? axis[0].small * axis[1].small : axis[0].big * axis[1].big;
    int64_t row_strips = cp_ceil_divide(axis[2].small, lanes);
    if (!gather && !cp_add(axis[2].big / lanes, phases_of(&axis[2]), &row_strips)) return false;
    return cp_multiply(rows, row_strips, strips);
}

static bool scratch_of(const struct cp_frame *frame, enum cp_sense sense, int64_t lanes,
                       const struct cp_side_copy *copy, struct scratch *scratch)
{
    const struct cp_frame_axis *axis = frame->axis;
    int64_t kernel_count = cp_frame_kernel_count(frame), units = cp_frame_small_count(frame);
    int64_t samples = sense == CP_WEIGHT ? frame->batch : 1, depth;
    int64_t rows = sense == CP_SCATTER ? frame->big_channels : frame->small_channels;
    int64_t outer = sense == CP_WEIGHT ? samples : sense == CP_SCATTER ? frame->small_channels : frame->big_channels;
    scratch->phases = sense == CP_SCATTER ? phases_of(&axis[0]) * phases_of(&axis[1]) * phases_of(&axis[2]) : 1;
    return cp_multiply(copy->total, samples, &scratch->copy) &&
           cp_add(scratch->copy, CP_CONTRACTION_SLACK, &scratch->copy) &&
           cp_multiply(outer, sense == CP_WEIGHT ? units : kernel_count, &depth) &&
           cp_multiply(depth, 2, &scratch->terms) && cp_multiply(rows, depth, &scratch->packed) &&
           cp_add(cp_contraction_scratch(rows, depth), 0, &scratch->packed) &&
           strips_at_most(frame, sense, lanes, &scratch->strips);
}

bool cp_direct_scratch(const struct cp_frame *original, enum cp_sense sense, int64_t *bytes)
{
    struct cp_frame frame = collapse(original);
    struct cp_side_copy copy;
    struct scratch scratch;
    int64_t sum, part;
    return lay_out_copy(&copy, &frame, sense) &&
           scratch_of(&frame, sense, cp_instructions_lanes(CP_INSTRUCTIONS_PORTABLE), &copy, &scratch) &&
           cp_add(scratch.copy, scratch.packed, &sum) && cp_add(sum, scratch.terms, &sum) &&
           cp_multiply(sum, sizeof(double), &sum) && cp_multiply(scratch.strips, sizeof(struct cp_strip), &part) &&
           cp_add(sum, part, &sum) && cp_multiply(scratch.phases, sizeof(struct cp_contraction), &part) &&
           cp_add(sum, part, bytes);
}

/* ---- Running ----------------------------------------------------------------------------------------------------- */

static uint64_t largest_magnitude(const int64_t *values, int64_t count)
{
    uint64_t largest = 0;
    for (int64_t i = 0; i < count; i++) {
        uint64_t magnitude = values[i] < 0 ? -(uint64_t)values[i] : (uint64_t)values[i];
        if (magnitude > largest) largest = magnitude;
    }
    return largest;
}

/* Can no sum of products of these leave int64? */
static bool sums_are_bounded(const struct cp_computation *computation, const void *a, int64_t a_count, const void *b,
                             int64_t b_count, int64_t terms)
{
    const struct cp_frame *frame = &computation->frame;
    int64_t result_channels = computation->sense == CP_GATHER ? frame->small_channels : frame->big_channels;
    const int64_t *bias = computation->data.bias;
    uint64_t bound = largest_magnitude(a, a_count);
    uint64_t start = bias ? largest_magnitude(bias, result_channels * frame->groups) : 0;
    return !__builtin_mul_overflow(bound, largest_magnitude(b, b_count), &bound) &&
           !__builtin_mul_overflow(bound, (uint64_t)terms, &bound) && !__builtin_add_overflow(bound, start, &bound) &&
           bound <= INT64_MAX;
}

/* Operands by role, and how far apart their samples and groups are, in elements. */
struct roles {
    const unsigned char *a, *source, *bias;
    unsigned char *out;
    int64_t a_group, a_count;
    int64_t source_group, source_sample, source_count;
    int64_t out_group, out_sample;
    int64_t bias_group;
    int64_t samples;
};

static struct roles roles_of(const struct cp_computation *computation, const struct cp_frame *frame)
{
    int64_t weight = frame->small_channels * frame->big_channels * cp_frame_kernel_count(frame);
    int64_t big = frame->big_channels * cp_frame_big_count(frame);
    int64_t small = frame->small_channels * cp_frame_small_count(frame);
    const struct cp_frame_data *data = &computation->data;
    int64_t groups = frame->groups, batch = frame->batch;
    switch (computation->sense) {
    case CP_GATHER:
        return (struct roles){
            data->weight, data->big,    data->bias,           data->small, weight,         weight * groups,
            big,          big * groups, big * groups * batch, small,       small * groups, frame->small_channels,
            batch};
    case CP_SCATTER:
        return (struct roles){data->weight, data->small,    data->bias,
                              data->big,    weight,         weight * groups,
                              small,        small * groups, small * groups * batch,
                              big,          big * groups,   frame->big_channels,
                              batch};
    default:
        return (struct roles){data->small,
                              data->big,
                              NULL,
                              data->weight,
                              small,
                              small * groups * batch,
                              big,
                              big * groups,
                              big * groups * batch,
                              weight,
                              0,
                              0,
                              1};
    }
}

static const void *copy_source(const struct direct *direct, const unsigned char *source, int64_t sample_bytes,
                               bool is_new, unsigned char *target)
{
    const struct cp_side_copy *copy = &direct->copy;
    if (direct->in_place) return source;
    if (direct->sense != CP_WEIGHT) {
        cp_side_copy_fill(copy, source, is_new, target);
        return target;
    }
    for (int64_t sample = 0; sample < direct->frame->batch; sample++)
        cp_side_copy_fill_channels_last(copy, source + sample * sample_bytes,
                                        target + sample * copy->total * (int64_t)sizeof(double));
    return target;
}

static enum cp_contract_status contract(struct cp_computation *computation, const struct cp_contraction *phase,
                                        bool bounded, const void *a, const void *b, const void *bias, void *packed,
                                        unsigned char *out)
{
    if (!computation->integer)
        return cp_contract_float64(phase, computation->instructions, a, b, bias, packed, (double *)(void *)out,
                                   computation->stop)
                   ? CP_CONTRACT_DONE
                   : CP_CONTRACT_STOPPED;
    int64_t overflow = 0;
    enum cp_contract_status status =
        cp_contract_int64(phase, bounded, a, b, bias, (int64_t *)(void *)out, &overflow, computation->stop);
    int64_t before = (out - (unsigned char *)cp_computation_result(computation)) / (int64_t)sizeof(int64_t);
    if (status == CP_CONTRACT_OVERFLOW) computation->overflow = before + overflow;
    return status;
}

static enum cp_contract_status run(struct cp_computation *computation, const struct direct *direct, unsigned char *copy,
                                   double *packed)
{
    const int64_t bytes = sizeof(double);
    struct roles roles = roles_of(computation, direct->frame);
    int64_t terms = 0; /* of one sum, at most */
    for (int64_t phase = 0; phase < direct->phase_count; phase++)
        if (direct->phases[phase].terms > terms) terms = direct->phases[phase].terms;
    bool bounded = computation->integer &&
                   sums_are_bounded(computation, roles.a, roles.a_count, roles.source, roles.source_count, terms);
    for (int64_t sample = 0; sample < roles.samples; sample++) {
        for (int64_t group = 0; group < direct->frame->groups; group++) {
            const unsigned char *source =
                roles.source + (sample * roles.source_sample + group * roles.source_group) * bytes;
            bool is_new = sample == 0 && group == 0;
            const void *b = copy_source(direct, source, roles.source_sample * bytes, is_new, copy);
            const unsigned char *a = roles.a + group * roles.a_group * bytes;
            const unsigned char *bias = roles.bias ? roles.bias + group * roles.bias_group * bytes : NULL;
            unsigned char *out = roles.out + (sample * roles.out_sample + group * roles.out_group) * bytes;
            for (int64_t phase = 0; phase < direct->phase_count; phase++) {
                enum cp_contract_status status =
                    contract(computation, &direct->phases[phase], bounded, a, b, bias, packed, out);
                if (status != CP_CONTRACT_DONE) return status;
            }
        }
    }
    return CP_CONTRACT_DONE;
}

/* Room for the copied side. */
static unsigned char *take_copy(const struct direct *direct, int64_t elements, struct cp_arena *arena)
{
    if (direct->sense == CP_WEIGHT) return (unsigned char *)CP_NEW_ARRAY(arena, double, elements);
    double *copy = cp_arena_take(arena, (size_t)elements * sizeof *copy, alignof(double));
    memset(copy + direct->copy.total, 0, (size_t)(elements - direct->copy.total) * sizeof *copy);
    return (unsigned char *)copy;
}

enum cp_contract_status cp_compute_direct(struct cp_computation *computation)
{
    struct cp_arena *arena = computation->arena;
    struct cp_frame frame = collapse(&computation->frame);
    struct direct direct = {.frame = &frame,
                            .sense = computation->sense,
                            .may_overread = !computation->integer,
                            .lanes = computation->integer ? CP_CONTRACTION_INTEGER_LANES
                                                          : cp_instructions_lanes(computation->instructions)};
    struct scratch scratch;
    if (!lay_out_copy(&direct.copy, &frame, direct.sense) ||
        !scratch_of(&frame, direct.sense, direct.lanes, &direct.copy, &scratch))
        arena->exhausted(arena);
    direct.in_place = source_serves(&direct);
    if (direct.in_place) {
        memcpy(direct.copy.extent, direct.copy.source, sizeof direct.copy.extent);
        if (!cp_side_copy_lay_out(&direct.copy)) arena->exhausted(arena);
    }
    direct.phases = CP_NEW_ARRAY(arena, struct cp_contraction, scratch.phases);
    direct.terms = cp_arena_take(arena, (size_t)scratch.terms * sizeof(int64_t), alignof(int64_t));
    direct.strips = cp_arena_take(arena, (size_t)scratch.strips * sizeof(struct cp_strip), alignof(struct cp_strip));
    switch (direct.sense) {
    case CP_GATHER: plan_gather(&direct); break;
    case CP_SCATTER: plan_scatter(&direct); break;
    default: plan_weight(&direct); break;
    }
    unsigned char *copy = direct.in_place ? NULL : take_copy(&direct, scratch.copy, arena);
    size_t packed_bytes = computation->integer ? 0 : (size_t)scratch.packed * sizeof(double);
    return run(computation, &direct, copy, cp_arena_take(arena, packed_bytes, alignof(double)));
}
