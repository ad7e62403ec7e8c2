/* Receptive fields, exactly: which input units an output unit depends on, per spatial axis of the network's input.
 *
 * On one axis the units seen by output unit j are the hull [lo(j), hi(j)], a periodic affine pair: with `phases` P and
 * `advance` Q, lo(j + P) = lo(j) + Q and hi(j + P) = hi(j) + Q. A plain convolution stack has P = 1; a transposed layer
 * of stride s multiplies the phases by s, and a strided layer that follows takes every s-th of them. Input borders are
 * not looked at: padding counts as input units. */
#ifndef CP_RECEPTIVE_FIELD_H
#define CP_RECEPTIVE_FIELD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/shape.h"

struct cp_window;

struct cp_span {
    int64_t low, high; /* first and last input unit seen; low > high: none (an output that only a bias reaches) */
};

enum cp_field_state {
    CP_FIELD_TRACKED,   /* the axis is dimension `dims` of the tensor, spans are exact */
    CP_FIELD_SCATTERED, /* folded with others into the dimensions of `dims` (Flatten): a unit sees a part, unordered */
    CP_FIELD_FULL,      /* every unit sees the whole axis by its nature (global pooling, Linear) */
    CP_FIELD_UNKNOWN, /* no single number is true; the axis still lies in the dimensions of `dims`, if these are known */
};

struct cp_axis_field {
    enum cp_field_state state;
    uint32_t dims;               /* bit d: dimension d of the tensor holds (part of) this axis; 0: not known, or full */
    int64_t phases;              /* P >= 1 */
    int64_t advance;             /* Q >= 0; stride = Q/P input units for one output unit */
    struct cp_span first;        /* of phase 0 */
    const struct cp_span *spans; /* of all phases; NULL when P = 1 */
};

struct cp_field {
    int axis_count; /* spatial axes of the network's input: its rank − 2, at least 0 */
    struct cp_axis_field axis[];
};

/* Each output unit j of the input itself sees unit j. */
const struct cp_field *cp_field_of_input(struct cp_arena *arena, const struct cp_shape *shape);

/* All operations return a field that lies in the arena, or the argument itself where nothing changes.
 * `dimension` is that of the tensor (2 for the first spatial axis). Dimensions that hold no tracked axis are passed by. */

/* Is the dimension one axis of the input, of which numbers are known? */
bool cp_field_tracks(const struct cp_field *field, int dimension);

/* Convolution, pooling: output j sees units j·s − p_b + t·d of the layer's input, 0 <= t < k. */
const struct cp_field *cp_field_window(struct cp_arena *arena, const struct cp_field *field, int dimension,
                                       const struct cp_window *window);

/* The same along `count` dimensions at once, from 2 on. */
const struct cp_field *cp_field_windows(struct cp_arena *arena, const struct cp_field *field,
                                        const struct cp_window *const *windows, int count);

/* Transposed: output j sees those m with j = m·s − p_b + t·d for some 0 <= t < k. */
const struct cp_field *cp_field_transposed(struct cp_arena *arena, const struct cp_field *field, int dimension,
                                           const struct cp_window *window);

/* Resampling: output j sees units ⌊(j·numerator + offset)/denominator⌋ + [before, after]; where `exact_single` holds
 * and the division leaves no rest, only that one unit (linear interpolation at a grid point). numerator >= 0. */
struct cp_resample {
    int64_t numerator, offset, denominator;
    int64_t before, after;
    bool exact_single;
};
const struct cp_field *cp_field_resample(struct cp_arena *arena, const struct cp_field *field, int dimension,
                                         const struct cp_resample *resample);

/* Every output unit sees all of the dimensions in the bit mask `dims` (reductions, normalisation, Linear), and so all of
 * each axis that lies in these alone, whether its numbers are known or not. One that lies in more becomes unknown, and is
 * full when the others are seen too. */
const struct cp_field *cp_field_see_all(struct cp_arena *arena, const struct cp_field *field, uint32_t dims);

/* Positions along these dimensions are not those of the input any more (adaptive pooling to more than 1, a concatenation
 * along a spatial axis, broadcasting): tracked and scattered axes there become unknown, in their place; full ones stay. */
const struct cp_field *cp_field_forget(struct cp_arena *arena, const struct cp_field *field, uint32_t dims);

/* Flatten, Unflatten, Reshape: dimensions that keep their size and neighbours keep their axes, others scatter. */
const struct cp_field *cp_field_reshape(struct cp_arena *arena, const struct cp_field *field,
                                        const struct cp_shape *before, const struct cp_shape *after);

/* Output dimension d is input dimension source[d]; source has `rank` entries. A dimension that is left out (Mean without
 * keepdim) loses its axis' place. */
const struct cp_field *cp_field_permute(struct cp_arena *arena, const struct cp_field *field, const int *source,
                                        int rank);

/* Merge of two branches: the union where strides agree, full where either is, else unknown; where the branches hold an
 * axis in different places, in one of these. */
const struct cp_field *cp_field_union(struct cp_arena *arena, const struct cp_field *a, const struct cp_field *b);

/* What a reply shows of a field. */
enum cp_field_kind {
    CP_FIELD_NUMBERS, /* size, stride and start per axis that is still a dimension, in the order of the dimensions */
    CP_FIELD_GLOBAL,  /* every axis full */
    CP_FIELD_NONE,    /* an axis is unknown, or some are full and some not */
};
enum cp_field_kind cp_field_kind(const struct cp_field *field);

/* The most units that any output unit of a tracked axis sees. */
int64_t cp_axis_field_size(const struct cp_axis_field *axis);

#endif
