/* The fifteen relationships of Dumoulin & Visin, A guide to convolution arithmetic for deep learning, arXiv 1603.07285:
 * as data, which of them a layer follows, and their formulas with a layer's numbers put in.
 *
 * Letters are those of core/window.h. A prime marks what belongs to a transposed convolution: i′ is its own input, o′ its
 * output; k, s and p are those of the convolution that it is the transpose of. All text is UTF-8. */
#ifndef CP_RELATIONSHIPS_H
#define CP_RELATIONSHIPS_H

#include <stddef.h>
#include <stdint.h>

#include "core/plan.h"

#define CP_RELATIONSHIP_COUNT 15

/* Numbers that the relationship holds for, and the parameters of a figure of it: op=…&i=…&k=…&s=…&p=…&d=…&a=… */
struct cp_relationship_example {
    enum cp_traced operation;
    const char *figure; /* the figure's `op`: "conv", "pool" or "conv_transpose" */
    int64_t input;      /* i, or i′ of a transposed convolution */
    int64_t kernel, stride, padding, dilation;
    int64_t output_padding; /* a; 0 but for Relationship 14 */
    int64_t output;         /* o or o′ */
};

struct cp_relationship {
    int number; /* 1 … CP_RELATIONSHIP_COUNT */
    const char *title;
    const char *applies_to; /* "convolution", "pooling" or "transposed convolution" */
    const char *conditions;
    const char *equivalent; /* the direct convolution that a transposed one equals; NULL where it is direct itself */
    const char *formula;    /* "o = ⌊(i + 2p − k)/s⌋ + 1" */
    const char *expression; /* its right-hand side, before any simplification */
    struct cp_relationship_example example;
};

/* In order: relationship n is entry n − 1. */
extern const struct cp_relationship cp_relationships[CP_RELATIONSHIP_COUNT];

/* Relationship `number`, or NULL where there is none. */
const struct cp_relationship *cp_relationship_find(int64_t number);

/* The first relationship whose conditions hold on each of the `count` axes, or 0: none of the guide's (ceiling, which it
 * does not treat; unpooling; no window). Unequal paddings of an axis follow the general ones only: 2, 6, 15 and 14, with
 * p_b + p_e for 2p. */
int cp_relationship_of(enum cp_traced operation, const struct cp_axis_trace *axes, int count);

/* Write the formula of one axis in symbols, with its numbers, and the result:
 * "o = ⌊(i + 2p − k)/s⌋ + 1 = ⌊(224 + 2·3 − 7)/2⌋ + 1 = 112". `relationship` is what cp_relationship_of gave for the
 * layer; 0 writes the rule that holds instead, and nothing where there is no window. A dilated kernel for which a
 * formula has no d is written k̂, with its own formula after "; ".
 *
 * Returns the bytes of the whole text, without the zero; `buffer` holds as much of it as fits with a zero after it (no
 * more than CP_FORMULA_BYTES are ever needed). `capacity` may be 0. */
size_t cp_relationship_formula(char *buffer, size_t capacity, int relationship, enum cp_traced operation,
                               const struct cp_axis_trace *axis);

/* Every formula with 16-digit numbers fits. */
#define CP_FORMULA_BYTES 512

#endif
