/* What one request may cost. The flags of `convplan serve` change it before the server starts; nothing does later. */
#ifndef CP_BUDGETS_H
#define CP_BUDGETS_H

#include <stdint.h>

#include "core/limits.h"

struct cp_budgets {
    int64_t body_bytes;         /* of a POST body */
    int64_t layers;             /* of a request, encoder and decoder together */
    int64_t symbols;            /* free sizes of /v1/sizes, at most CP_MAX_SYMBOLS */
    int64_t size_steps;         /* of /v1/sizes: free sizes to be tried times steps for one */
    int64_t solve_combinations; /* of /v1/solve, on one axis */
    int64_t multiplications;    /* of /v1/convolve, all methods that are run taken together */
    int64_t seconds;            /* of computing; reading and writing come to it */
};

/* The defaults, with their reasons in core/limits.h. */
#define CP_DEFAULT_BUDGETS                                                                                             \
    {                                                                                                                  \
        .body_bytes = CP_MAX_BODY_BYTES, .layers = CP_MAX_LAYERS, .symbols = CP_MAX_SYMBOLS,                           \
        .size_steps = CP_MAX_SIZES_STEPS, .solve_combinations = CP_MAX_SOLVE_COMBINATIONS,                             \
        .multiplications = CP_MAX_COMPUTED_TERMS, .seconds = CP_MAX_COMPUTED_SECONDS,                                  \
    }

extern struct cp_budgets cp_budgets;

#endif
