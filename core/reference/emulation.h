/* What is transposed, done in the two other ways that the guide describes.
 *
 * Emulated (Relationships 8-14): the small side is stretched by stride − 1 zeros between its units, padded by
 * k̂ − 1 − p on each side (a negative number crops, output_padding adds at the end), and convolved at stride 1 with the
 * *flipped* kernel, input and output channels of each group exchanged. The order of its sums is that of this direct
 * convolution: channel, then position of the flipped kernel, zeros included.
 *
 * Gradient: every unit of the small side adds its multiple of the kernel into the big side, as backpropagation through
 * the convolution does. The order of its sums: channel of the small side, then its unit; what falls into the padding is
 * dropped. */
#ifndef CP_REFERENCE_EMULATION_H
#define CP_REFERENCE_EMULATION_H

#include "core/attributes.h"
#include "core/reference/frame.h"

/* The small side stretched: sizes s(i′ − 1) + 1. */
struct cp_shape cp_stretched_shape(const struct cp_frame *frame, int axes);

/* The stretched side padded and cropped, as the stride-1 convolution reads it: sizes o + k̂ − 1. */
struct cp_shape cp_stretched_padded_shape(const struct cp_frame *frame, int axes);

/* The big side padded and cropped, as far as its convolution reads it: sizes (o − 1)s + k̂. */
struct cp_shape cp_padded_shape(const struct cp_frame *frame, int axes);

/* The three as tensors in `arena`, with the shapes above, and the flipped kernel, [big channels, small channels /
 * groups, kernel …]: the weight of the emulating convolution. `source` is the small side; the big side; the weight.
 * Elements of any type. The caller checks the shapes' products first. */
struct cp_tensor cp_stretched(const struct cp_frame *frame, int axes, const struct cp_tensor *small,
                              struct cp_arena *arena);
struct cp_tensor cp_stretched_padded(const struct cp_frame *frame, int axes, const struct cp_tensor *small,
                                     struct cp_arena *arena);
struct cp_tensor cp_padded(const struct cp_frame *frame, int axes, const struct cp_tensor *big, struct cp_arena *arena);
struct cp_tensor cp_flipped_kernel(const struct cp_frame *frame, int axes, const struct cp_tensor *weight,
                                   struct cp_arena *arena);

/* The frame of the emulating convolution: its big side is the stretched and padded one. */
struct cp_frame cp_emulating_frame(const struct cp_frame *frame);

CP_MUST_CHECK enum cp_contract_status cp_compute_emulated(struct cp_computation *computation);
CP_MUST_CHECK enum cp_contract_status cp_compute_gradient(struct cp_computation *computation);

#endif
