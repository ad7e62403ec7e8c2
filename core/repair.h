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
    bool undecided; /* not repaired, but not every way has been tried: there were too many */
    bool beside;    /* not repaired, and layers beside the path, which stay as they are, change sizes */
    bool paired;    /* as many stages as the encoder has, which are its partners; else the last size decides alone */
    int axes;       /* of the network's input */
    /* Layers of pairing->path that have been looked at: all of them, or those before the one that is stuck. Adjustments
     * are all zero for layers whose kind never changes sizes. */
    uint32_t count;
    struct cp_adjustment *adjustments; /* [position in the path][CP_MAX_AXES] */
    struct cp_shape *wanted; /* of the stuck layer: the spatial sizes needed, CP_ANY_SIZE where not one alone */
};

/* Find values of padding, output_padding and output_size of the layers on the decoder's path with which the pair
 * round-trips. Each layer on the way gives the size nearest to what it gives now among those that lead there, and the
 * layers that are stages stay so where they can. A layer beside the path, which another branch goes through, stays as it
 * is written. All memory is from `arena`.
 *
 * Exact but where it says so (undecided). On one axis what may follow is known for each size by going backwards. The axes
 * meet in one question only: which layers are stages, as one axis is enough for that. With as many stages as the encoder
 * has all sizes are given, and the fewest layers that turn are found by dynamic programming over how many have become
 * stages; with another count the layers that can turn are decided one by one, each decision being kept only where every
 * axis can still arrive. */
void cp_find_repair(struct cp_repair *repair, const struct cp_plan *plan, const struct cp_pairing *pairing,
                    struct cp_arena *arena);

/* The adjustment of a layer of the path on an axis. */
static inline const struct cp_adjustment *cp_adjustment_of(const struct cp_repair *repair, uint32_t position, int axis)
{
    return &repair->adjustments[position * CP_MAX_AXES + (uint32_t)axis];
}

#endif
