/* Every limit of the service that is not a flag, with its reason. A limit that is hit gives a clear error. */
#ifndef CP_LIMITS_H
#define CP_LIMITS_H

/* Largest size, count or parameter: 2^53 - 1, so that every JSON reader sees the number exactly (RFC 8259 §6). */
#define CP_MAX_COUNT 9007199254740991

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

/* Nesting of JSON: our deepest request needs 8, the rest is a caller's own `meta`. */
#define CP_MAX_JSON_DEPTH 64

/* Values of one JSON text: each takes 64 bytes and a string while the request is read. */
#define CP_MAX_JSON_VALUES 4000000

#endif
