/* Activation memory of a plan. */
#ifndef CP_MEMORY_H
#define CP_MEMORY_H

#include "core/plan.h"

/* The most bytes of activations that are alive at once when the layers run in their order and nothing is done in
 * place: at each layer its inputs, its output, and every earlier output (network inputs too) that a later layer needs.
 * CP_UNKNOWN when a shape is not known or the sum is over CP_MAX_COUNT. Cost: O(layers + edges). */
int64_t cp_peak_activation_bytes(const struct cp_plan *plan, struct cp_arena *arena);

#endif
