/* What becomes of a stack when the fixes of its findings are applied. */
#ifndef CP_FIX_H
#define CP_FIX_H

#include "core/plan.h"

/* A copy of the layer with the fix in it. */
struct cp_layer cp_layer_fixed(const struct cp_layer *layer, const struct cp_fix *fix, struct cp_arena *arena);

/* A copy of the plan's stack with the fixes of all its findings in it, in their order. */
struct cp_stack cp_stack_fixed(const struct cp_plan *plan, struct cp_arena *arena);

#endif
