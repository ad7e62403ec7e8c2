/* From a planned layer to the computation that it stands for. */
#ifndef CP_LAYER_OPERATION_H
#define CP_LAYER_OPERATION_H

#include "core/attributes.h"
#include "core/plan.h"
#include "core/reference/reference.h"

/* Is the layer of a kind that can be computed? */
CP_MUST_CHECK bool cp_layer_is_computed(const struct cp_layer_type *type);

/* The operation of such a layer, given its plan, which must not have failed: padding and output_padding are as resolved
 * there. */
struct cp_operation cp_operation_of(const struct cp_layer *layer, const struct cp_layer_plan *plan);

#endif
