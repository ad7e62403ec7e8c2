/* How the stages of a decoder can be made to undo its encoder by other padding, output_padding and output_size. */
#ifndef CP_REPAIR_H
#define CP_REPAIR_H

#include "core/roundtrip.h"
#include "core/stage.h"

struct cp_repair {
    enum cp_repair_result {
        CP_REPAIRED,
        CP_REPAIR_STUCK,   /* a layer cannot give what is needed */
        CP_REPAIR_MISSES,  /* the last size is not the input's, and no stage has a say in it */
        CP_REPAIR_UNKNOWN, /* a size on the way is not known, or branches do not meet */
    } result;
    bool paired; /* as many stages as the encoder has, which are its partners; else the last size decides alone */
    int axes;    /* of the network's input */
    /* Layers of pairing->path that have been looked at: all of them, or those before the one that is stuck. Adjustments
     * are all zero for layers whose kind never changes sizes. */
    uint32_t count;
    struct cp_adjustment *adjustments; /* [position in the path][CP_MAX_AXES] */
    struct cp_shape *wanted; /* of the stuck layer: the spatial sizes needed, CP_ANY_SIZE where not one alone */
};

/* Walk the decoder from the latent to its end, each stage on the way giving the size nearest to what it gives now among
 * those with which the whole can round-trip, and each layer that is no stage keeping its size: it may be written so that
 * it refuses one. All memory is from `arena`. */
void cp_find_repair(struct cp_repair *repair, const struct cp_plan *plan, const struct cp_pairing *pairing,
                    struct cp_arena *arena);

/* The adjustment of a layer of the path on an axis. */
static inline const struct cp_adjustment *cp_adjustment_of(const struct cp_repair *repair, uint32_t position, int axis)
{
    return &repair->adjustments[position * CP_MAX_AXES + (uint32_t)axis];
}

#endif
