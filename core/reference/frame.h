/* A convolution and its transpose seen as one: the *frame* is a convolution from its big side to its small side, and
 * every convolution layer is one of three sums over it. With C the matrix of that convolution:
 *
 *     gather   small = C · big                forward of a convolution,             backward_input of a transposed one
 *     scatter  big = Cᵀ · small               forward of a transposed convolution,  backward_input of a convolution
 *     weight   each weight's place in C:      backward_weight of both
 *              Σ small ⊗ big
 *
 * The weight is laid out [small channels, big channels / groups, kernel …] in all of them. Spatial axes are always
 * three: missing ones come first, with size and kernel 1. */
#ifndef CP_REFERENCE_FRAME_H
#define CP_REFERENCE_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "core/attributes.h"
#include "core/limits.h"
#include "core/reference/reference.h"

/* Unit q of the small side meets unit q · stride + position · dilation − pad_begin of the big side at kernel
 * `position`; units outside [0, big) are zeros of the padding. */
struct cp_frame_axis {
    int64_t big, small;
    int64_t kernel, stride, dilation, pad_begin;
};

struct cp_frame {
    int64_t batch, groups;
    int64_t big_channels, small_channels; /* of one group */
    struct cp_frame_axis axis[CP_MAX_AXES];
};

enum cp_sense { CP_GATHER, CP_SCATTER, CP_WEIGHT };

enum cp_sense cp_frame_sense(enum cp_operation_kind kind, enum cp_direction direction);

/* From a checked question and its output shape. */
struct cp_frame cp_frame_of(const struct cp_reference *reference, const struct cp_shape *output);

int64_t cp_frame_kernel_count(const struct cp_frame *frame);
int64_t cp_frame_big_count(const struct cp_frame *frame);   /* spatial */
int64_t cp_frame_small_count(const struct cp_frame *frame); /* spatial */

/* Pairs (small unit, kernel position) of one axis: those that meet a real unit of the big side. */
int64_t cp_axis_real_pairs(const struct cp_frame_axis *axis);

/* Pairs (big unit, kernel position) of one axis that meet the small side's grid, continued past its borders. */
int64_t cp_axis_grid_pairs(const struct cp_frame_axis *axis);

/* The operands of a sum over a frame, as double or int64_t arrays: `big`, `small` and `weight` in their layouts, of
 * which the one that is computed is the result; `bias` has one element per channel of the result, or is NULL. */
struct cp_frame_data {
    void *big, *small, *weight;
    const void *bias;
};

/* Where the core stands that computes: shared by all methods. */
struct cp_computation {
    struct cp_frame frame;
    enum cp_sense sense;
    bool integer; /* int64_t, else double */
    struct cp_frame_data data;
    int64_t result_count;
    enum cp_instruction_set instructions;
    struct cp_stop stop;
    struct cp_arena *arena;
    int64_t overflow; /* index in the result that does not fit, when a method returns CP_CONTRACT_OVERFLOW */
};

/* The result's array: data.small, .big or .weight by sense. */
void *cp_computation_result(const struct cp_computation *computation);

/* The direct method: one contraction for every phase, group and sample. */
CP_MUST_CHECK enum cp_contract_status cp_compute_direct(struct cp_computation *computation);

/* Scratch of the direct method in bytes, at most; false when it is over CP_MAX_COUNT. */
CP_MUST_CHECK bool cp_direct_scratch(const struct cp_frame *frame, enum cp_sense sense, int64_t *bytes);

#endif
