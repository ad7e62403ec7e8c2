/* A stack reduced to what its free sizes go through: a straight program of maps, sums and comparisons on single sizes.
 * Axes that take the same way share it, and what does not depend on a free size is worked out once. Running it for one n
 * costs a few steps, and each step knows its law, so that it is known which n have to be run. */
#ifndef CP_AXIS_PROGRAM_H
#define CP_AXIS_PROGRAM_H

#include "core/arena.h"
#include "core/law.h"
#include "core/layer.h"

/* A size: a step of the program. */
struct cp_dims {
    int rank;
    uint32_t at[CP_MAX_RANK];
};

enum cp_step_form {
    CP_STEP_CONSTANT,
    CP_STEP_FREE, /* a free size itself */
    CP_STEP_MAP,
    CP_STEP_SUM,
    CP_STEP_PRODUCT,
    CP_STEP_BROADCAST,
    CP_STEP_EQUAL,     /* from here on: conditions, no sizes */
    CP_STEP_AT_LEAST,  /* left >= right */
    CP_STEP_CONGRUENT, /* left mod number[1] = number[0] */
};

struct cp_step {
    enum cp_step_form form;
    uint8_t symbols; /* bit s: it depends on free size s */
    uint32_t left, right;
    uint32_t layer;    /* that asked for it first */
    int64_t number[2]; /* constant: its size; free: which one; congruent: rest and modulus */
    struct cp_axis_map map;
    struct cp_law law; /* of a size */
};

enum { CP_ALL_SYMBOLS = (1 << CP_MAX_SYMBOLS) - 1 };

#define CP_NO_LAYER UINT32_MAX

/* What is known about one free size. */
struct cp_axis_summary {
    struct cp_condition condition; /* of all steps that depend on it alone */
    uint32_t unknown_layer;        /* the layer at which it became anything but CP_LAW_LINEAR, or CP_NO_LAYER */
};

struct cp_axis_program {
    struct cp_arena *arena;
    struct cp_step *steps;
    uint32_t count, capacity;
    uint32_t *slots; /* steps by content: index + 1, or 0 */
    uint32_t slot_count;
    uint32_t free[CP_MAX_SYMBOLS]; /* the step of each free size, or CP_NO_LAYER */
    uint32_t layer;                /* that is being written */
    bool never;                    /* some condition is false for all sizes */
    uint32_t coupled_layer;        /* that compares both free sizes, or CP_NO_LAYER */
    uint32_t coupled_step;         /* the CP_STEP_AT_LEAST of a product of both with a constant, or CP_NO_LAYER */
    struct cp_axis_summary summary[CP_MAX_SYMBOLS];
};

void cp_axis_program_begin(struct cp_axis_program *program, struct cp_arena *arena);

/* Sizes. Equal ones are the same step, and what is one number wherever it is anything is a constant: where it is nothing,
 * the size that it came from does not work. */
uint32_t cp_axis_constant(struct cp_axis_program *program, int64_t size);
uint32_t cp_axis_free(struct cp_axis_program *program, int symbol);
uint32_t cp_axis_map(struct cp_axis_program *program, uint32_t size, const struct cp_axis_map *map);
uint32_t cp_axis_sum(struct cp_axis_program *program, uint32_t a, uint32_t b);
uint32_t cp_axis_product(struct cp_axis_program *program, uint32_t a, uint32_t b);
uint32_t cp_axis_broadcast(struct cp_axis_program *program, uint32_t a, uint32_t b);

/* Conditions on which the stack depends. Equal sizes go on as one, a constant if either is. */
uint32_t cp_axis_require_equal(struct cp_axis_program *program, uint32_t a, uint32_t b);
void cp_axis_require_at_least(struct cp_axis_program *program, uint32_t a, uint32_t b);
void cp_axis_require_congruent(struct cp_axis_program *program, uint32_t size, int64_t rest, int64_t modulus);
void cp_axis_never(struct cp_axis_program *program);

/* ---- Running ------------------------------------------------------------------------------------------------------ */

/* The steps that depend on one free size alone, ready to run. */
struct cp_axis_run {
    const struct cp_axis_program *program;
    int symbol;
    uint32_t *order; /* the steps to run, in order */
    uint32_t count;
    int64_t *sizes;         /* of every step of the program; constants are filled in */
    struct cp_arena *arena; /* whose work it is */
};

void cp_axis_run_begin(struct cp_axis_run *run, const struct cp_axis_program *program, int symbol,
                       struct cp_arena *arena);

/* Whether size n works; the sizes of all steps run are then in run->sizes. `*done`, unless NULL: how many steps went
 * well. */
bool cp_axis_run(struct cp_axis_run *run, int64_t n, uint32_t *done);

/* ---- Layers ------------------------------------------------------------------------------------------------------- */

/* What a layer kind's `law` sees and fills in. */
struct cp_tracing {
    const struct cp_stack *stack;
    const struct cp_layer *layer;
    int axes;                            /* N of the layer's type, 0 where it has none */
    const struct cp_dims *const *inputs; /* source_count of them */
    uint32_t input_count;
    const struct cp_dims *sources; /* of every source of the stack up to this layer */
    struct cp_dims output;
    struct cp_axis_program *program;
};

#endif
