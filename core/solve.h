/* The inverse problem on one axis: all parameters of a window layer that turn one size into another. */
#ifndef CP_SOLVE_H
#define CP_SOLVE_H

#include "core/arena.h"
#include "core/plan.h"

/* What a parameter may be: each of some values, or of a range. */
struct cp_choice {
    int64_t least, most;   /* of a range; least > most: none */
    const int64_t *values; /* or these, rising; NULL: the range */
    int64_t count;         /* of values */
};

/* Where no range is given. A stride goes up to 4, or up to the kernel's size where that is more, so that patches are
 * found; padding up to k̂ − 1 (half the window for pools); output_padding as far as it is legal. */
enum { CP_SOLVE_KERNEL_SIZE = 11, CP_SOLVE_STRIDE = 4 };

struct cp_solve_question {
    enum cp_traced operation; /* CP_TRACED_CONVOLUTION, CP_TRACED_POOLING or CP_TRACED_TRANSPOSED */
    int64_t input;            /* 0: not given, find those as well; numbers are at most CP_MAX_SOLVE_NUMBER */
    int64_t output;
    struct cp_choice kernel_size, stride, dilation, padding;
    struct cp_choice output_padding;  /* transposed layers */
    struct cp_choice ceil_mode;       /* pools: of 0 and 1 */
    int64_t most_combinations;        /* past it the search ends */
    bool stride_given, padding_given; /* else the ranges above; stride.most is then the largest that may be needed */
};

struct cp_solution {
    struct cp_axis_trace axis; /* its input: the smallest */
    int64_t most_input;        /* the largest input that gives the output */
    int relationship;
};

/* Simplest first: odd kernels, then even ones; within these half padding (2p = k̂ − 1), then none, then others; then by
 * stride, dilation, ceil_mode, kernel_size, padding and output_padding, the smallest first. */
struct cp_solutions {
    int64_t count;
    struct cp_solution *listed; /* the first CP_MAX_SOLUTIONS_LISTED of them */
    int64_t listed_count;
    /* Tried: windows, each with every value where output_padding is a list, and of padding where that is one too and no
     * input is given; all else of these two is counted, not tried. Over most_combinations: the search ended there. */
    int64_t combinations;
    bool too_many; /* their count is over CP_MAX_COUNT */
};

void cp_solve(struct cp_solutions *solutions, const struct cp_solve_question *question, struct cp_arena *arena);

#endif
