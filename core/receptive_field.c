#include "core/receptive_field.h"

#include <string.h>

#include "core/checked.h"
#include "core/limits.h"
#include "core/span_sequence.h"
#include "core/window.h"

/* ---- Fields ----------------------------------------------------------------------------------------------------- */

static struct cp_sequence sequence_of(const struct cp_axis_field *axis)
{
    return (struct cp_sequence){axis->phases > 1 ? axis->spans : &axis->first, axis->phases, axis->advance};
}

/* The place of an axis outlives its numbers: what sees all of it there sees the whole axis. */
static void set_state(struct cp_axis_field *axis, enum cp_field_state state, uint32_t dims)
{
    *axis = (struct cp_axis_field){.state = state, .dims = dims, .phases = 1, .first = cp_nothing_seen};
}

static void lose_numbers(struct cp_axis_field *axis)
{
    set_state(axis, CP_FIELD_UNKNOWN, axis->dims);
}

/* Make *axis see `result`; its state and dims stay. */
static void store(struct cp_arena *arena, struct cp_axis_field *axis, struct cp_sequence result)
{
    if (!cp_sequence_in_range(&result)) {
        lose_numbers(axis);
        return;
    }
    cp_sequence_reduce(&result);
    axis->phases = result.phases;
    axis->advance = result.advance;
    axis->first = result.spans[0];
    axis->spans = NULL;
    if (result.phases > 1) {
        enum { WORK_PER_PHASE = 8 };
        cp_arena_work(arena, WORK_PER_PHASE * result.phases);
        size_t bytes = (size_t)result.phases * sizeof(struct cp_span);
        axis->spans = memcpy(cp_arena_take(arena, bytes, alignof(struct cp_span)), result.spans, bytes);
    }
}

static struct cp_field *new_field(struct cp_arena *arena, int axis_count)
{
    size_t bytes = sizeof(struct cp_field) + (size_t)axis_count * sizeof(struct cp_axis_field);
    struct cp_field *field = cp_arena_take(arena, bytes, alignof(struct cp_field));
    field->axis_count = axis_count;
    return field;
}

static struct cp_field *copy_of(struct cp_arena *arena, const struct cp_field *field)
{
    struct cp_field *copy = new_field(arena, field->axis_count);
    memcpy(copy->axis, field->axis, (size_t)field->axis_count * sizeof field->axis[0]);
    return copy;
}

const struct cp_field *cp_field_of_input(struct cp_arena *arena, const struct cp_shape *shape)
{
    struct cp_field *field = new_field(arena, shape->rank > 2 ? shape->rank - 2 : 0);
    for (int axis = 0; axis < field->axis_count; axis++)
        field->axis[axis] = (struct cp_axis_field){
            .state = CP_FIELD_TRACKED, .dims = UINT32_C(1) << (axis + 2), .phases = 1, .advance = 1};
    return field;
}

static inline bool is_dimension(const struct cp_axis_field *axis, int dimension)
{
    return axis->state == CP_FIELD_TRACKED && axis->dims == UINT32_C(1) << dimension;
}

/* The axis that a dimension is, or −1. Nearly always it is the one in the place that it had in the network's input. */
static inline int tracked_axis(const struct cp_field *field, int dimension)
{
    int likely = dimension - 2;
    if (likely >= 0 && likely < field->axis_count && is_dimension(&field->axis[likely], dimension)) return likely;
    for (int axis = 0; axis < field->axis_count; axis++)
        if (is_dimension(&field->axis[axis], dimension)) return axis;
    return -1;
}

/* The field with one axis replaced: by `result`, or by unknown where that is not `known`. */
static const struct cp_field *with_axis(struct cp_arena *arena, const struct cp_field *field, int axis, bool known,
                                        struct cp_sequence result)
{
    struct cp_field *next = copy_of(arena, field);
    if (known)
        store(arena, &next->axis[axis], result);
    else
        lose_numbers(&next->axis[axis]);
    return next;
}

/* ---- Windows ---------------------------------------------------------------------------------------------------- */

/* The closed form of the usual case, one phase, in place: low − p_b·Q and high + ((k − 1)d − p_b)·Q. */
static bool widen_evenly(struct cp_axis_field *axis, const struct cp_window *window)
{
    struct cp_span *span = &axis->first;
    int64_t advance = axis->advance;
    int64_t first;
    int64_t last;
    if (!cp_multiply(advance, window->stride, &axis->advance)) return false;
    if (span->low > span->high) return true;
    return cp_multiply(window->kernel - 1, window->dilation, &last) && cp_add(last, -window->pad_begin, &last) &&
           cp_multiply(last, advance, &last) && cp_multiply(-window->pad_begin, advance, &first) &&
           cp_add(span->low, first, &span->low) && cp_add(span->high, last, &span->high) &&
           span->high - span->low < CP_MAX_COUNT;
}

static bool window_sees(struct cp_sequence sight, const struct cp_window *window, struct cp_workspace *workspace,
                        struct cp_sequence *result)
{
    int64_t common = cp_greatest_common_divisor(sight.phases, window->stride);
    int64_t units = cp_distinct_units(sight.phases, window->dilation);
    if (units > window->kernel) units = window->kernel;
    int64_t rest; /* from the first unit of the first hull to that of the last */
    *result = (struct cp_sequence){workspace->result, sight.phases / common, 0};
    if (!cp_multiply(sight.advance, window->stride / common, &result->advance)) return false;
    if (!cp_multiply(window->kernel - units, window->dilation, &rest)) return false;
    if (!cp_sequence_hulls(&sight, units, window->dilation, workspace)) return false;
    for (int64_t unit = 0; unit < result->phases; unit++) {
        int64_t start;
        if (!cp_multiply(unit, window->stride, &start) || !cp_add(start, -window->pad_begin, &start)) return false;
        if (!cp_sequence_joined_at(&sight, start, rest, &workspace->result[unit])) return false;
    }
    return true;
}

/* ---- Transposed windows ----------------------------------------------------------------------------------------- */

/* A transposed window of stride s <= CP_MAX_FIELD_PHASES. Output j is reached by the kernel positions t with
 * t·d ≡ j + p_b (mod s): none, or t0, t0 + period, t0 + 2·period …, from inputs `step` apart, the last t from the
 * lowest. */
struct reach {
    int64_t period;                     /* s/gcd(s, d) */
    int64_t step;                       /* d/gcd(s, d) */
    int16_t first[CP_MAX_FIELD_PHASES]; /* t0 by (j + p_b) mod s; −1: none */
};

static void find_reach(struct reach *reach, const struct cp_window *window)
{
    int64_t common = cp_greatest_common_divisor(window->stride, window->dilation);
    int64_t rest = 0;
    reach->period = window->stride / common;
    reach->step = window->dilation / common;
    for (int64_t phase = 0; phase < window->stride; phase++) reach->first[phase] = -1;
    for (int64_t tap = 0; tap < reach->period && tap < window->kernel; tap++) {
        reach->first[rest] = (int16_t)tap;
        rest = (rest + window->dilation % window->stride) % window->stride;
    }
}

/* What transposed output `unit` sees; `hulls` are over `units` inputs. */
static bool transposed_unit_sees(const struct reach *reach, const struct cp_sequence *hulls, int64_t units,
                                 const struct cp_window *window, int64_t unit, struct cp_span *span)
{
    int64_t position; /* in the output before cropping */
    int64_t lowest;   /* input that the last tap comes from */
    int64_t rest;
    if (!cp_add(unit, window->pad_begin, &position)) return false;
    int64_t first = reach->first[cp_floor_remainder(position, window->stride)];
    *span = cp_nothing_seen;
    if (first < 0) return true;
    int64_t further = (window->kernel - 1 - first) / reach->period;
    if (!cp_multiply(first + further * reach->period, window->dilation, &lowest)) return false;
    if (!cp_add(position, -lowest, &lowest)) return false;
    if (!cp_multiply(further + 1 - units, reach->step, &rest)) return false;
    return cp_sequence_joined_at(hulls, lowest / window->stride, rest, span);
}

static bool transposed_sees(struct cp_sequence sight, const struct cp_window *window, struct cp_workspace *workspace,
                            struct cp_sequence *result)
{
    struct reach reach;
    if (window->stride > CP_MAX_FIELD_PHASES / sight.phases) return false;
    *result = (struct cp_sequence){workspace->result, sight.phases * window->stride, sight.advance};
    find_reach(&reach, window);
    int64_t least_taps = window->kernel / reach.period; /* every output that sees any sees so many, or one more */
    int64_t units = cp_distinct_units(sight.phases, reach.step);
    if (units > least_taps) units = least_taps > 1 ? least_taps : 1;
    if (!cp_sequence_hulls(&sight, units, reach.step, workspace)) return false;
    for (int64_t unit = 0; unit < result->phases; unit++)
        if (!transposed_unit_sees(&reach, &sight, units, window, unit, &workspace->result[unit])) return false;
    return true;
}

static bool changes_nothing(const struct cp_window *window)
{
    return window->kernel == 1 && window->stride == 1 && window->pad_begin == 0;
}

/* Not inline, for its workspace is twelve kilobytes of stack that the usual case does without. */
__attribute__((noinline)) static const struct cp_field *
apply_window(struct cp_arena *arena, const struct cp_field *field, int axis, const struct cp_window *window,
             bool (*sees)(struct cp_sequence, const struct cp_window *, struct cp_workspace *, struct cp_sequence *))
{
    struct cp_workspace workspace;
    struct cp_sequence result;
    bool known = sees(sequence_of(&field->axis[axis]), window, &workspace, &result);
    return with_axis(arena, field, axis, known, result);
}

bool cp_field_tracks(const struct cp_field *field, int dimension)
{
    return tracked_axis(field, dimension) >= 0;
}

/* `own`: a copy that may be changed, which `field` is then; NULL: none was needed yet. */
static const struct cp_field *see_window(struct cp_arena *arena, const struct cp_field *field, struct cp_field **own,
                                         int dimension, const struct cp_window *window)
{
    int axis = tracked_axis(field, dimension);
    if (axis < 0 || changes_nothing(window)) return field;
    if (field->axis[axis].phases > 1) {
        *own = NULL;
        return apply_window(arena, field, axis, window, window_sees);
    }
    if (!*own) *own = copy_of(arena, field);
    if (!widen_evenly(&(*own)->axis[axis], window)) lose_numbers(&(*own)->axis[axis]);
    return *own;
}

const struct cp_field *cp_field_window(struct cp_arena *arena, const struct cp_field *field, int dimension,
                                       const struct cp_window *window)
{
    struct cp_field *own = NULL;
    return see_window(arena, field, &own, dimension, window);
}

const struct cp_field *cp_field_windows(struct cp_arena *arena, const struct cp_field *field,
                                        const struct cp_window *const *windows, int count)
{
    struct cp_field *own = NULL;
    for (int at = 0; at < count; at++) field = see_window(arena, field, &own, at + 2, windows[at]);
    return field;
}

const struct cp_field *cp_field_transposed(struct cp_arena *arena, const struct cp_field *field, int dimension,
                                           const struct cp_window *window)
{
    int axis = tracked_axis(field, dimension);
    if (axis < 0 || changes_nothing(window)) return field;
    return apply_window(arena, field, axis, window, transposed_sees);
}

/* ---- Resampling ------------------------------------------------------------------------------------------------- */

/* Phases and advance of a resampled axis: the position repeats after denominator/gcd outputs. */
static bool resampled_period(const struct cp_sequence *sight, const struct cp_resample *resample,
                             struct cp_sequence *result)
{
    int64_t common = cp_greatest_common_divisor(resample->numerator, resample->denominator);
    int64_t inputs = resample->numerator / common; /* passed while the position repeats once */
    int64_t turns = sight->phases / cp_greatest_common_divisor(sight->phases, inputs);
    if (!cp_multiply(resample->denominator / common, turns, &result->phases)) return false;
    if (result->phases > CP_MAX_FIELD_PHASES) return false;
    int64_t periods; /* of the input's phases, in as many turns */
    if (!cp_multiply(inputs, turns, &periods)) return false;
    return cp_multiply(periods / sight->phases, sight->advance, &result->advance);
}

static bool resample_sees(struct cp_sequence sight, const struct cp_resample *resample, struct cp_workspace *workspace,
                          struct cp_sequence *result)
{
    struct cp_sequence hulls = sight;
    int64_t taps;
    if (!cp_add(resample->after - resample->before, 1, &taps)) return false;
    int64_t units = taps < sight.phases ? taps : sight.phases;
    result->spans = workspace->result;
    if (!resampled_period(&sight, resample, result)) return false;
    if (!cp_sequence_hulls(&hulls, units, 1, workspace)) return false;
    for (int64_t unit = 0; unit < result->phases; unit++) {
        struct cp_span *span = &workspace->result[unit];
        int64_t position;
        if (!cp_multiply(unit, resample->numerator, &position)) return false;
        if (!cp_add(position, resample->offset, &position)) return false;
        bool exact = cp_floor_remainder(position, resample->denominator) == 0;
        int64_t nearest = cp_floor_divide(position, resample->denominator);
        bool seen = exact && resample->exact_single
                        ? cp_sequence_at(&sight, nearest, span)
                        : cp_sequence_joined_at(&hulls, nearest + resample->before, taps - units, span);
        if (!seen) return false;
    }
    return true;
}

const struct cp_field *cp_field_resample(struct cp_arena *arena, const struct cp_field *field, int dimension,
                                         const struct cp_resample *resample)
{
    struct cp_workspace workspace;
    struct cp_sequence result;
    int axis = tracked_axis(field, dimension);
    if (axis < 0) return field;
    bool known = resample_sees(sequence_of(&field->axis[axis]), resample, &workspace, &result);
    return with_axis(arena, field, axis, known, result);
}

/* ---- Dimensions: reductions, reshapes, permutations -------------------------------------------------------------- */

/* Does any axis lie in these dimensions? */
static bool holds_axis(const struct cp_field *field, uint32_t dims)
{
    for (int axis = 0; axis < field->axis_count; axis++)
        if (field->axis[axis].dims & dims) return true;
    return false;
}

const struct cp_field *cp_field_see_all(struct cp_arena *arena, const struct cp_field *field, uint32_t dims)
{
    if (!holds_axis(field, dims)) return field;
    struct cp_field *next = copy_of(arena, field);
    for (int axis = 0; axis < next->axis_count; axis++) {
        struct cp_axis_field *one = &next->axis[axis];
        uint32_t rest = one->dims & ~dims;
        if (one->dims & dims) set_state(one, rest ? CP_FIELD_UNKNOWN : CP_FIELD_FULL, rest);
    }
    return next;
}

const struct cp_field *cp_field_forget(struct cp_arena *arena, const struct cp_field *field, uint32_t dims)
{
    struct cp_field *next = NULL;
    for (int axis = 0; axis < field->axis_count; axis++) {
        if (!(field->axis[axis].dims & dims) || field->axis[axis].state == CP_FIELD_UNKNOWN) continue;
        if (!next) next = copy_of(arena, field);
        lose_numbers(&next->axis[axis]);
    }
    return next ? next : field;
}

/* Where the dimensions of a tensor go. */
struct placement {
    uint32_t dims[CP_MAX_RANK]; /* by old dimension: the new ones that hold it */
    uint32_t kept;              /* old dimensions that are a new dimension by themselves */
};

static const struct cp_field *place(struct cp_arena *arena, const struct cp_field *field,
                                    const struct placement *placement)
{
    struct cp_field *next = copy_of(arena, field);
    for (int axis = 0; axis < next->axis_count; axis++) {
        struct cp_axis_field *one = &next->axis[axis];
        uint32_t dims = 0;
        bool lost = false;
        for (int dimension = 0; dimension < CP_MAX_RANK; dimension++) {
            if (!(one->dims >> dimension & 1)) continue;
            dims |= placement->dims[dimension];
            lost = lost || !placement->dims[dimension];
        }
        if (lost)
            set_state(one, CP_FIELD_UNKNOWN, 0);
        else if (one->state == CP_FIELD_TRACKED && one->dims & ~placement->kept)
            set_state(one, CP_FIELD_SCATTERED, dims);
        else
            one->dims = dims;
    }
    return next;
}

/* One group of a reshape: the shortest runs of old and new dimensions, from `old` and `new` on, that hold equally many
 * units. False where there is none: sizes that do not match. */
struct group {
    int old, old_end;
    int new, new_end;
};

static bool find_group(struct group *group, const struct cp_shape *before, const struct cp_shape *after)
{
    int64_t old_units = before->size[group->old];
    int64_t new_units = after->size[group->new];
    group->old_end = group->old + 1;
    group->new_end = group->new + 1;
    while (old_units != new_units) {
        const struct cp_shape *shape = old_units < new_units ? before : after;
        int *end = old_units < new_units ? &group->old_end : &group->new_end;
        int64_t *units = old_units < new_units ? &old_units : &new_units;
        if (*end == shape->rank || !cp_multiply(*units, shape->size[*end], units)) return false;
        ++*end;
    }
    return true;
}

/* The new dimensions of a group on which the index along an old one depends: not those that are whole steps of all that it
 * counts, nor those that together are less than one of its steps and divide it. Products are within the group's. */
static uint32_t sharing_dims(const struct group *group, const struct cp_shape *before, const struct cp_shape *after,
                             int old)
{
    int64_t step = 1;
    int64_t weight = 1;
    uint32_t dims = 0;
    for (int later = old + 1; later < group->old_end; later++) step *= before->size[later];
    for (int new = group->new_end - 1; new >= group->new; new --) {
        int64_t next = weight * after->size[new];
        if (step % next && weight % (step * before->size[old])) dims |= UINT32_C(1) << new;
        weight = next;
    }
    return dims;
}

/* Old dimensions of size 1 that vanish between groups go with the group after them, the last ones with that before. */
static void place_vanished(struct placement *placement, int rank, uint32_t vanished)
{
    for (int dimension = rank - 2; dimension >= 0; dimension--)
        if (vanished >> dimension & 1) placement->dims[dimension] = placement->dims[dimension + 1];
    for (int dimension = 1; dimension < rank; dimension++)
        if (vanished >> dimension & 1 && !placement->dims[dimension])
            placement->dims[dimension] = placement->dims[dimension - 1];
}

static bool place_reshaped(struct placement *placement, const struct cp_shape *before, const struct cp_shape *after)
{
    uint32_t vanished = 0;
    struct group group = {0};
    *placement = (struct placement){0};
    while (group.old < before->rank) {
        int64_t size = before->size[group.old];
        bool more = group.new < after->rank;
        if (size == 1 && (!more || after->size[group.new] != 1)) {
            vanished |= UINT32_C(1) << group.old++;
            continue;
        }
        if (!more) return false;
        if (size != 1 && after->size[group.new] == 1) {
            group.new ++;
            continue;
        }
        if (!find_group(&group, before, after)) return false;
        bool kept = group.old_end - group.old == 1 && group.new_end - group.new == 1;
        if (kept) placement->kept |= UINT32_C(1) << group.old;
        for (int old = group.old; old < group.old_end; old++)
            placement->dims[old] = kept ? UINT32_C(1) << group.new : sharing_dims(&group, before, after, old);
        group.old = group.old_end;
        group.new = group.new_end;
    }
    place_vanished(placement, before->rank, vanished);
    return true;
}

const struct cp_field *cp_field_reshape(struct cp_arena *arena, const struct cp_field *field,
                                        const struct cp_shape *before, const struct cp_shape *after)
{
    struct placement placement;
    if (cp_shape_equal(before, after)) return field;
    if (!place_reshaped(&placement, before, after)) placement = (struct placement){0};
    return place(arena, field, &placement);
}

const struct cp_field *cp_field_permute(struct cp_arena *arena, const struct cp_field *field, const int *source,
                                        int rank)
{
    struct placement placement = {0};
    bool moved = false;
    for (int dimension = 0; dimension < rank; dimension++) {
        placement.dims[source[dimension]] = UINT32_C(1) << dimension;
        placement.kept |= UINT32_C(1) << source[dimension];
        moved = moved || source[dimension] != dimension;
    }
    return moved || holds_axis(field, ~placement.kept) ? place(arena, field, &placement) : field;
}

/* ---- Merges ----------------------------------------------------------------------------------------------------- */

static bool same_stride(const struct cp_axis_field *a, const struct cp_axis_field *b)
{
    int64_t one; /* phases are few, so a product that overflows means that the strides are beyond counting */
    int64_t other;
    return cp_multiply(a->advance, b->phases, &one) && cp_multiply(b->advance, a->phases, &other) && one == other;
}

static bool same_axis(const struct cp_axis_field *a, const struct cp_axis_field *b)
{
    if (a->state != b->state || a->dims != b->dims) return false;
    if (a->state != CP_FIELD_TRACKED) return true;
    return a->phases == b->phases && a->advance == b->advance && cp_same_span(a->first, b->first) &&
           (a->phases == 1 || a->spans == b->spans ||
            memcmp(a->spans, b->spans, (size_t)a->phases * sizeof(struct cp_span)) == 0);
}

/* The usual case of a union, one phase and something seen by both, in place. */
static bool join_evenly(struct cp_axis_field *axis, const struct cp_axis_field *other)
{
    struct cp_span *span = &axis->first;
    bool even = axis->state == CP_FIELD_TRACKED && other->state == CP_FIELD_TRACKED && axis->dims == other->dims &&
                axis->phases == 1 && other->phases == 1 && axis->advance == other->advance && span->low <= span->high &&
                other->first.low <= other->first.high;
    if (!even) return false;
    if (other->first.low < span->low) span->low = other->first.low;
    if (other->first.high > span->high) span->high = other->first.high;
    return span->high - span->low < CP_MAX_COUNT;
}

__attribute__((noinline)) static bool join_phases(struct cp_arena *arena, struct cp_axis_field *merged,
                                                  const struct cp_axis_field *a, const struct cp_axis_field *b)
{
    struct cp_workspace workspace;
    struct cp_sequence result;
    struct cp_sequence one = sequence_of(a);
    struct cp_sequence other = sequence_of(b);
    if (!same_stride(a, b) || !cp_sequence_union(&one, &other, &workspace, &result)) return false;
    store(arena, merged, result);
    return true;
}

/* To see all of an axis through one branch is enough. The lesser number is the lesser set where one holds the other. */
static uint32_t either_place(const struct cp_axis_field *a, const struct cp_axis_field *b)
{
    if (!a->dims || !b->dims) return a->dims | b->dims;
    return a->dims < b->dims ? a->dims : b->dims;
}

static struct cp_axis_field union_of_axes(struct cp_arena *arena, const struct cp_axis_field *a,
                                          const struct cp_axis_field *b)
{
    struct cp_axis_field merged = *a;
    if (a->state == CP_FIELD_FULL) return *a;
    if (b->state == CP_FIELD_FULL) return *b;
    if (join_evenly(&merged, b)) return merged;
    merged = *a;
    if (same_axis(a, b)) return merged;
    bool tracked = a->state == CP_FIELD_TRACKED && b->state == CP_FIELD_TRACKED && a->dims == b->dims;
    if (!tracked || !join_phases(arena, &merged, a, b)) set_state(&merged, CP_FIELD_UNKNOWN, either_place(a, b));
    return merged;
}

const struct cp_field *cp_field_union(struct cp_arena *arena, const struct cp_field *a, const struct cp_field *b)
{
    if (a == b) return a;
    if (a->axis_count < b->axis_count) {
        const struct cp_field *wider = b;
        b = a;
        a = wider;
    }
    struct cp_axis_field merged[CP_MAX_RANK];
    bool changed = false;
    for (int axis = 0; axis < b->axis_count; axis++) {
        merged[axis] = union_of_axes(arena, &a->axis[axis], &b->axis[axis]);
        changed = changed || !same_axis(&merged[axis], &a->axis[axis]);
    }
    if (!changed) return a;
    /* An axis that only one branch's input has is seen through that branch alone. */
    struct cp_field *next = copy_of(arena, a);
    memcpy(next->axis, merged, (size_t)b->axis_count * sizeof merged[0]);
    return next;
}

/* ---- What is shown ---------------------------------------------------------------------------------------------- */

enum cp_field_kind cp_field_kind(const struct cp_field *field)
{
    unsigned states = 0;
    for (int axis = 0; axis < field->axis_count; axis++) states |= 1u << field->axis[axis].state;
    if (states & 1u << CP_FIELD_UNKNOWN) return CP_FIELD_NONE;
    if (!(states & 1u << CP_FIELD_FULL)) return CP_FIELD_NUMBERS;
    return states == 1u << CP_FIELD_FULL ? CP_FIELD_GLOBAL : CP_FIELD_NONE;
}

int64_t cp_axis_field_size(const struct cp_axis_field *axis)
{
    struct cp_sequence sight = sequence_of(axis);
    int64_t most = 0;
    for (int64_t unit = 0; unit < sight.phases; unit++) {
        int64_t size = sight.spans[unit].high - sight.spans[unit].low + 1;
        if (size > most) most = size;
    }
    return most;
}
