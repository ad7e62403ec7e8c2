/* Every limit of the service, with its reason; those that flags change (server/budgets.h) by their default. A limit that
 * is hit gives a clear error. */
#ifndef CP_LIMITS_H
#define CP_LIMITS_H

/* Largest size, count or parameter: 2^53 - 1, so that every JSON reader sees the number exactly (RFC 8259 §6). */
#define CP_MAX_COUNT 9007199254740991

/* Bytes of a POST body: CP_MAX_LAYERS layers with every member written out take less. */
#define CP_MAX_BODY_BYTES 8388608

/* Dimensions of a shape: batch, channels and three spatial axes, and room for Unflatten and Reshape. */
#define CP_MAX_RANK 8

/* Spatial axes of a layer: torch.nn has 1-D to 3-D kinds. */
#define CP_MAX_AXES 3

/* Layers of a stack: a hundred times the deepest published networks, planned in a fraction of a second. */
#define CP_MAX_LAYERS 100000

/* Named inputs of a network: multi-branch and siamese networks have a handful. */
#define CP_MAX_INPUTS 64

/* Inputs of one merge: the widest dense blocks join fewer than a hundred. */
#define CP_MAX_LAYER_INPUTS 1024

/* Bytes of a layer or input name: printed in every finding that points at it. */
#define CP_MAX_NAME_BYTES 128

/* Phases of a receptive field on one axis: the product of the strides of a decoder; past it the field is null.
 * Eight doublings; each phase costs 16 bytes and some ten nanoseconds per layer. */
#define CP_MAX_FIELD_PHASES 256

/* Findings of one reply: a stack of CP_MAX_LAYERS bad layers would answer with tens of megabytes. */
#define CP_MAX_FINDINGS 1000

/* Errors of one problem document, for the same reason. */
#define CP_MAX_PROBLEM_ERRORS 100

/* Free sizes of a question to /v1/sizes: height and width; each gets a law of its own. */
#define CP_MAX_SYMBOLS 2

/* Free sizes that are tried one by one by /v1/sizes: the period of their law and what lies before it. A thousandfold
 * of the strides of the deepest published networks. */
#define CP_MAX_SIZES_RANGE 1048576

/* Steps of that: sizes to be tried times steps for one; about half a second. */
#define CP_MAX_SIZES_STEPS 30000000

/* Residues, exceptions and values listed in a reply of /v1/sizes; the rest is counted. */
#define CP_MAX_SIZES_LISTED 4096

/* Denominators q of an Upsample by p/q that is followed exactly. */
#define CP_MAX_SIZES_DENOMINATOR 1000

/* Elements of one tensor of a request, and of all tensors of a reply together: 16 MiB in binary64, some 40 MB written as
 * decimals. The widest layers of the well-known networks hold half of it per picture. */
#define CP_MAX_TENSOR_ELEMENTS 2097152

/* Multiplications of one request of /v1/convolve, all methods that are run taken together, those by zero included where
 * they are carried out; cells for pools. The large layers of well-known networks have 10^8 to 2 · 10^9, and two thousand
 * million take a tenth of a second to some seconds by method and processor. */
#define CP_MAX_COMPUTED_TERMS 4000000000

/* Bytes that such a computation may work in, beside its request and reply. */
#define CP_MAX_COMPUTED_BYTES 536870912

/* Seconds that it may take before it is stopped: slow methods on a slow processor, for which the number of terms is not
 * known to be too large. */
#define CP_MAX_COMPUTED_SECONDS 10

/* Combinations of parameters that one axis of /v1/solve goes through: about a quarter of a second, and up to two seconds
 * where each has a list of a thousand paddings beside a given input. */
#define CP_MAX_SOLVE_COMBINATIONS 250000

/* Sizes and parameters of /v1/solve: products of two, and with them all sizes on the way, can be counted. */
#define CP_MAX_SOLVE_NUMBER 67108864

/* Values in a list of one parameter of /v1/solve. */
#define CP_MAX_SOLVE_LIST 1000

/* Solutions of one axis listed in a reply of /v1/solve; the count is that of all. */
#define CP_MAX_SOLUTIONS_LISTED 1000

/* Cells of a figure, padded input and output together: two grids of 90 × 90; in larger ones no eye tells cells apart. */
#define CP_MAX_FIGURE_CELLS 16384

/* Layers of a diagram: what still prints on one page. */
#define CP_MAX_DIAGRAM_LAYERS 500

/* Inputs of its layers from elsewhere than the layer before: an arc each. */
#define CP_MAX_DIAGRAM_CONNECTIONS 4000

/* Bytes of a body, and work (cp_arena_work) up to which an event loop answers by itself: about half a millisecond. What is
 * more goes to the threads that compute. */
#define CP_MAX_BRIEF_BYTES 32768
#define CP_MAX_BRIEF_WORK 200000

/* Requests that wait for those threads; further ones are answered 503. Each holds its body. */
#define CP_MAX_WAITING 64

/* Nesting of JSON: our deepest request needs 8, the rest is a caller's own `meta`. */
#define CP_MAX_JSON_DEPTH 64

/* Values of one JSON text: each takes 32 bytes while the request is read. */
#define CP_MAX_JSON_VALUES 4000000

#endif
