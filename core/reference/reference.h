/* Reference computations: convolutions, transposed convolutions and poolings, really computed, forward and backward.
 *
 * What "reference" means. Every number is a chain of fused multiply-adds, sum ← fma(a, b, sum), in one order, so that
 * the bytes do not depend on processor, instruction set, compiler or batch:
 *
 *   convolution, forward           starts at the bias (+0 without one); then input channels of the group in ascending
 *                                  order, and within each the kernel positions row-major. Every kernel position is a
 *                                  term: one that lies on padding multiplies a +0 (so an infinite or NaN weight there
 *                                  gives NaN, and a −0 bias may turn into +0).
 *   transposed convolution         the same: bias, input channel, kernel position row-major in the weight's own layout.
 *                                  The terms are the kernel positions that meet a unit of the input's grid, continued
 *                                  past its borders by +0 (the padding). A kernel position that falls *between* units
 *                                  (on one of the s − 1 zeros of the stretched picture) is no term: those zeros belong
 *                                  to the emulation, where they are multiplied.
 *   backward_input                 +0, then output channel, then kernel position: the order of the operation that it
 *                                  is, transposed for a convolution and a convolution for a transposed one.
 *   backward_weight                +0, then batch, then output position row-major; a position whose partner lies on
 *                                  padding multiplies a +0. (For a transposed convolution the positions of its input
 *                                  ascend exactly as those of its output do; terms are counted on its input.)
 *   average, LP                    +0, then the cells of the window row-major, padding left out; one division.
 *   backward of a pooling          +0, then output positions row-major.
 *
 * Any NaN that results is the one quiet NaN with a clear sign and an empty payload, since processors differ in which
 * NaN they pass on. float32 computes the same chains in binary64 on the widened operands and rounds each result once.
 * int64 results are exact: the sum of exact products, an error only if the value itself does not fit.
 *
 * The other methods are the guide's claims about the same operation; they have orders of their own (see matrix.h,
 * emulation.h) and agree exactly in int64, to rounding in binary64. */
#ifndef CP_REFERENCE_H
#define CP_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/attributes.h"
#include "core/reference/contraction.h"
#include "core/reference/tensor.h"
#include "core/shape.h"
#include "core/window.h"

enum cp_operation_kind {
    CP_CONVOLUTION,
    CP_TRANSPOSED_CONVOLUTION,
    CP_MAX_POOL,
    CP_AVERAGE_POOL,
    CP_LP_POOL,
    CP_ADAPTIVE_AVERAGE_POOL,
    CP_ADAPTIVE_MAX_POOL,
};

/* What is computed. Only the members of its kind are read. */
struct cp_operation {
    enum cp_operation_kind kind;
    int axes; /* spatial axes, 1 … CP_MAX_AXES */

    /* All but adaptive. Padding is explicit; it may be negative: that crops the input of a convolution, and extends the
     * output of a transposed one. Pools need kernel, stride, dilation >= 1 as everyone does, and dilation 1 unless max.
     * A window of a max pool without any real cell gives −∞, of an average without a count NaN. */
    struct cp_window window[CP_MAX_AXES];

    int64_t groups;                       /* convolutions: >= 1 */
    int64_t out_channels;                 /* convolutions: >= 1 */
    int64_t output_padding[CP_MAX_AXES];  /* transposed: >= 0, less than stride or less than dilation */
    int64_t adaptive_output[CP_MAX_AXES]; /* adaptive: >= 1, or 0 to keep the axis */
    bool count_include_pad;               /* average: divide by the window clipped to input and padding */
    double norm_type;                     /* LP: the p of (Σ x^p)^(1/p), finite and not 0 */
};

enum cp_direction { CP_FORWARD, CP_BACKWARD_INPUT, CP_BACKWARD_WEIGHT };

enum cp_method {
    CP_DIRECT,
    CP_MATRIX,   /* C or Cᵀ of the guide's §4.1: convolutions, every direction */
    CP_EMULATED, /* a stride-1 convolution over the stretched input, kernel flipped: what is transposed (forward
                    transposed, backward_input of a convolution) */
    CP_GRADIENT, /* each input unit adds its kernel into the output, as backpropagation does: what is transposed */
    CP_METHOD_COUNT,
};

enum cp_operand {
    CP_OPERAND_NONE,
    CP_OPERAND_INPUT, /* or input_shape */
    CP_OPERAND_WEIGHT,
    CP_OPERAND_BIAS,
    CP_OPERAND_OUTPUT_GRADIENT,
};

enum cp_reference_code {
    CP_REFERENCE_OK,
    CP_REFERENCE_RANK,           /* operand has rank `got`, not `expected` */
    CP_REFERENCE_SIZE,           /* operand's axis has size `got`, not `expected` */
    CP_REFERENCE_ELEMENT,        /* operand's element type is not that of the request */
    CP_REFERENCE_MISSING,        /* this direction needs the operand */
    CP_REFERENCE_GROUPS,         /* `got` channels (of the input; operand weight: out_channels), `expected` groups */
    CP_REFERENCE_OUTPUT_PADDING, /* `axis`: `got` is neither less than stride nor less than dilation (the larger:
                                    `expected`) */
    CP_REFERENCE_TOO_LARGE,      /* `axis`: the kernel does not fit the padded input of size `got` */
    CP_REFERENCE_EMPTY,          /* `axis`: a transposed layer's crop leaves nothing */
    CP_REFERENCE_COUNT,          /* `axis` or −1: a size or count over CP_MAX_COUNT */
    CP_REFERENCE_DIRECTION,      /* pools have no weight */
    CP_REFERENCE_METHOD,         /* the method does not apply to this operation and direction */
    CP_REFERENCE_NORM,           /* norm_type is 0 or not finite, or LP in int64 */
    CP_REFERENCE_OVERFLOW,       /* int64: the result at `position` does not fit */
    CP_REFERENCE_INEXACT,        /* int64: the average at `position` is no integer */
    CP_REFERENCE_EMPTY_WINDOW,   /* int64: the window at `position` has no cell to take the maximum of */
    CP_REFERENCE_STOPPED,        /* `stop` said so */
};

/* Numbers, not words: the edge turns them into a message. */
struct cp_reference_status {
    enum cp_reference_code code;
    enum cp_operand operand;
    int axis; /* of the operand's shape (RANK, SIZE) or a spatial axis; −1: none */
    int64_t got;
    int64_t expected;
    struct cp_shape position; /* index in the result, one number per axis of it; rank 0: none */
};

/* A question. Nothing is owned; operands that the direction does not use may be NULL. */
struct cp_reference {
    struct cp_operation operation;
    enum cp_direction direction;
    enum cp_method method;
    enum cp_element element;
    struct cp_shape input_shape;             /* [batch, channels, spatial …], rank axes + 2; always */
    const struct cp_tensor *input;           /* forward, backward_weight, backward_input of max and LP; input_shape */
    const struct cp_tensor *weight;          /* convolutions but backward_weight: [out, in/groups, k …],
                                                 transposed [in, out/groups, k …] */
    const struct cp_tensor *bias;            /* forward of convolutions: [out], or NULL */
    const struct cp_tensor *output_gradient; /* backward: the output's shape */
    enum cp_instruction_set instructions;    /* CP_INSTRUCTIONS_BEST unless a test says otherwise */
    bool (*stop)(void *context);             /* polled often; true ends the computation. NULL: never */
    void *stop_context;
};

/* Does the question make sense? Looks at shapes only, so `data` may be NULL. On CP_REFERENCE_OK *result is the shape of
 * the answer, and *output that of the forward output (the same when forward). Parameters themselves (kernel >= 1 …) are
 * taken to be legal, as are the sizes of every shape. */
struct cp_reference_status cp_reference_check(const struct cp_reference *reference, struct cp_shape *output,
                                              struct cp_shape *result);

/* What an answer takes, for limits that are checked before any work. */
struct cp_reference_cost {
    int64_t macs;                    /* of the layer, as a plan counts them; pools 0 */
    int64_t terms;                   /* steps of the computation: multiplications, or cells that a pool looks at (an
                                        upper bound) */
    int64_t multiplications;         /* of the method as described; the matrix counts as the dense product it is, though
                                        its zeros are stored nowhere. Pools 0 */
    int64_t multiplications_by_zero; /* how many of these meet a structural zero (padding, stretching, an empty place of
                                        the matrix); CP_UNKNOWN for kernels past 2^24 on an axis */
    int64_t scratch_bytes;           /* at most, from the arena, the result not counted */
    int64_t result_bytes;
};

/* After cp_reference_check; takes time proportional to the kernel sizes and adaptive outputs. False when a number is
 * over CP_MAX_COUNT. */
CP_MUST_CHECK bool cp_reference_cost(const struct cp_reference *reference, struct cp_reference_cost *cost);

/* Compute. Checks first, as cp_reference_check does. On CP_REFERENCE_OK *result is a tensor in `arena`, like all the
 * scratch; on any other status it is untouched. */
struct cp_reference_status cp_reference_compute(const struct cp_reference *reference, struct cp_arena *arena,
                                                struct cp_tensor *result);

/* Does the method apply to this operation and direction? */
bool cp_method_applies(enum cp_method method, const struct cp_operation *operation, enum cp_direction direction);

#endif
