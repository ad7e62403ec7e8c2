/* The decoder that undoes an encoder: every layer of its path mirrored, sizes exact by Relationship 14. */
#ifndef CP_DECODER_H
#define CP_DECODER_H

#include "core/attributes.h"
#include "core/plan.h"

/* What stands for a pool in the decoder. */
enum cp_pool_inverse {
    CP_INVERT_BY_CONV_TRANSPOSE, /* ConvTranspose with the pool's window, channels to channels */
    CP_INVERT_BY_UNPOOL,         /* MaxUnpool; an average or dilated pool gets an Upsample instead, with a warning */
    CP_INVERT_BY_UPSAMPLE,       /* nearest Upsample to the pool's input size */
};

struct cp_decoder {
    struct cp_layer *layers; /* not linked; `given` marks the members worth writing */
    uint32_t layer_count;
};

/* Design the decoder of a planned encoder with one input, all of whose layers on the path from the last one back to the
 * input are planned. At a merge the path follows the first input, with a warning. Normalisation, activations and dropout
 * keep their place between the layers that they stood between; what stood before the first or after the last of these is
 * left to the user. False after adding findings to the plan: no_inverse on each layer that has none. */
CP_MUST_CHECK bool cp_design_decoder(struct cp_decoder *decoder, struct cp_plan *plan, enum cp_pool_inverse pools,
                                     struct cp_arena *arena);

#endif
