/* Exactly which input sizes work: the set of all n >= 1 for which a stack with free sizes in its input is valid. */
#ifndef CP_SIZES_H
#define CP_SIZES_H

#include "core/axis_program.h"
#include "core/plan.h"
#include "core/size_set.h"

struct cp_sizes_question {
    const struct cp_stack *stack; /* free sizes of its inputs are 1 there; an encoder and decoder have to round-trip */
    /* For each input and dimension the free size that stands there, 0 or 1, or CP_FIXED_SIZE. */
    int8_t (*symbols)[CP_MAX_RANK];
    int symbol_count;   /* 1 … CP_MAX_SYMBOLS */
    int64_t most_steps; /* sizes to be tried times steps for one; past it the question is refused */
};

#define CP_FIXED_SIZE (-1)

/* One dimension of the output. */
struct cp_sizes_output {
    bool fixed; /* `size` for every n */
    int64_t size;
    int symbol;    /* the free size that it depends on; CP_FIXED_SIZE: on both */
    bool has_law;  /* not when it grows faster than n, or its period is over the limit */
    bool has_form; /* a closed form */
    struct cp_size_law law;
    struct cp_size_form form;
};

struct cp_valid_sizes {
    /* Why there is no answer, in the terms of core/status.def: CP_CODE_COUNT (there is one), coupled_symbols,
     * limit_exceeded, sizes_not_periodic. `layer` is where, `number` what was over the limit. */
    enum cp_code refusal;
    uint32_t layer;
    int64_t number, limit;
    const char *what; /* the number is of */

    struct cp_size_set sets[CP_MAX_SYMBOLS];
    int64_t furthest[CP_MAX_SYMBOLS]; /* a size of which most layers work; the smallest that works if any does */
    bool possible;                    /* none of the sets is empty */
    int rank;                         /* of the output; 0 when not possible */
    struct cp_sizes_output output[CP_MAX_RANK];
};

/* Sizes are integers without end here: that counts are limited to CP_MAX_COUNT does not make a size invalid. */
void cp_find_sizes(struct cp_valid_sizes *sizes, const struct cp_sizes_question *question, struct cp_arena *arena);

/* Plan the stack with numbers for its free sizes: the shapes alone, and the round trip where it has a decoder. The plan
 * holds on to `stack`, which is filled in. */
void cp_plan_sizes(struct cp_plan *plan, struct cp_stack *stack, const struct cp_sizes_question *question,
                   const int64_t *values, struct cp_arena *arena);

/* The first layer's error of a plan, or NULL when it is valid. */
const struct cp_finding *cp_first_failure(const struct cp_plan *plan);

#endif
