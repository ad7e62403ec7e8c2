/* Does a decoder undo an encoder? Relationship 14, stage by stage.
 *
 * The two are one stack: the encoder's layers, then the decoder's (cp_stack.encoder_count). A layer is a stage when
 * its parameters do not keep every spatial size, while the number of dimensions stays and the channels are in their
 * place; the j-th stage of the decoder is the partner of the j-th from the end of the encoder, and has to give back
 * the size that its partner took. Where branches merge only one path has stages: that of the first inputs in the
 * encoder, that of the first inputs which lead to the latent in the decoder. */
#ifndef CP_ROUNDTRIP_H
#define CP_ROUNDTRIP_H

#include "core/plan.h"

/* Partners, as positions in the stack. */
struct cp_pair {
    uint32_t encoder, decoder;
};

struct cp_pairing {
    struct cp_pair *pairs; /* in the order of the decoder */
    uint32_t pair_count;
    /* All stages, as positions in the stack, in its order. Where the counts differ, the last output alone decides. */
    uint32_t *encoder_at, *decoder_at;
    uint32_t encoder_stages, decoder_stages;
    const bool *is_stage; /* [position in the stack] */
    uint32_t *path;       /* the decoder's layers from the latent to the end, stages or not */
    uint32_t path_count;
};

static inline bool cp_is_paired(const struct cp_pairing *pairing)
{
    return pairing->encoder_stages == pairing->decoder_stages;
}

/* Whether a layer's parameters change the size of any spatial axis of a tensor with `rank` dimensions. A layer that gives
 * another number of them does not: which axis became which is not known. */
bool cp_is_stage(const struct cp_layer *layer, int rank);

/* Find the partners. Looks at parameters only, so the answer is the same for every input size. */
void cp_pair_stages(struct cp_pairing *pairing, const struct cp_stack *stack, struct cp_arena *arena);

/* The spatial sizes that a planned pair's decoder stage gives and its partner took; NULL where not known. */
const struct cp_shape *cp_pair_output(const struct cp_plan *plan, const struct cp_pair *pair);
const struct cp_shape *cp_pair_expected(const struct cp_plan *plan, const struct cp_pair *pair);

/* Whether two shapes have the same spatial sizes (and number of them). NULL is never the same. */
bool cp_same_spatial_sizes(const struct cp_shape *a, const struct cp_shape *b);

/* Judge a plan of encoder and decoder: adds findings to it, with fixes that together make the pair round-trip wherever
 * padding, output_padding and output_size of decoder layers can, and sets plan->valid. */
void cp_judge_roundtrip(struct cp_plan *plan, const struct cp_pairing *pairing, struct cp_arena *arena);

#endif
