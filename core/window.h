/* THE window formulas of convolution arithmetic, for one axis. The only place where the size of a window layer is
 * computed. Numbers of relationships are those of Dumoulin & Visin, arXiv 1603.07285.
 *
 * Letters, as in the guide: i input size, o output size, k kernel_size, s stride, d dilation, p_b and p_e padding at the
 * begin and the end, k̂ = d(k − 1) + 1 the cells that a dilated kernel spans. All sizes are in cells. */
#ifndef CP_WINDOW_H
#define CP_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "core/attributes.h"

enum cp_rounding {
    CP_ROUND_FLOOR, /* windows that fit entirely */
    CP_ROUND_CEIL,  /* and one that starts inside the input or the begin padding but reaches past the end (PyTorch) */
};

/* Where SAME puts the odd unit of padding. */
enum cp_same_side { CP_SAME_UPPER /* at the end */, CP_SAME_LOWER /* at the beginning */ };

struct cp_window {
    int64_t kernel;    /* k >= 1 */
    int64_t stride;    /* s >= 1 */
    int64_t dilation;  /* d >= 1; 1 is dense */
    int64_t pad_begin; /* p_b >= 0; negative crops the output of a transposed layer less than nothing: see below */
    int64_t pad_end;   /* p_e; on a transposed layer a negative value extends the output at its end */
    enum cp_rounding rounding;
};

enum cp_window_status {
    CP_WINDOW_OK,
    CP_WINDOW_TOO_LARGE, /* the kernel does not fit the padded input (Relationship 6 would give o < 1) */
    CP_WINDOW_EMPTY,     /* a transposed layer whose crop leaves nothing */
    CP_WINDOW_OVERFLOW,  /* a number on the way is over CP_MAX_COUNT */
};

/* k̂ = d(k − 1) + 1 (Relationship 15); false on overflow. */
CP_MUST_CHECK bool cp_window_span(const struct cp_window *window, int64_t *span);

/* o = ⌊(i + p_b + p_e − k̂)/s⌋ + 1 (Relationships 1-7 and 15), or with CP_ROUND_CEIL ⌈…⌉ + 1, less one if
 * (o − 1)s >= i + p_b. `input` >= 1. *output is set on CP_WINDOW_OK only. */
CP_MUST_CHECK enum cp_window_status cp_window_output(const struct cp_window *window, int64_t input, int64_t *output);

/* (i + p_b + p_e − k̂) mod s: padded units at the end that no window sees with CP_ROUND_FLOOR; the a of
 * Relationship 14. Call after cp_window_output succeeded. */
int64_t cp_window_remainder(const struct cp_window *window, int64_t input);

/* s(i − 1) + k̂ − p_b − p_e, the output of a transposed layer before output_padding: may be less than 1. False on
 * overflow. */
CP_MUST_CHECK bool cp_transposed_natural(const struct cp_window *window, int64_t input, int64_t *size);

/* Transposed: o = s(i − 1) + k̂ − p_b − p_e + output_padding (Relationships 8-14, i being the transposed layer's own
 * input i′). Rounding is not looked at. */
CP_MUST_CHECK enum cp_window_status cp_transposed_output(const struct cp_window *window, int64_t output_padding,
                                                         int64_t input, int64_t *output);

/* SAME of ONNX and TensorFlow: set pads so that o = ⌈i/s⌉: total max(0, (o − 1)s + k̂ − i), the odd unit at `side`. */
CP_MUST_CHECK enum cp_window_status cp_window_pad_same(struct cp_window *window, int64_t input, enum cp_same_side side);

/* SAME of a transposed layer: set pads so that o = i·s: crop k̂ − s in all, the odd unit at `side`; where that is
 * negative the output is extended at its end (pad_end < 0). */
CP_MUST_CHECK enum cp_window_status cp_transposed_pad_same(struct cp_window *window, enum cp_same_side side);

/* PyTorch's padding="same" (s = 1): d(k − 1) in all, the odd unit at the end. False on overflow. */
CP_MUST_CHECK bool cp_window_pad_torch_same(struct cp_window *window);

/* The smallest input, >= 1, that gives at least one output; CP_MAX_COUNT + 1 when there is none in range. */
int64_t cp_window_minimum_input(const struct cp_window *window);

#endif
