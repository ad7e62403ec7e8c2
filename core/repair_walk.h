/* One way through a decoder: what each layer of its path may give so that the end is reached, and the sizes that are
 * chosen. A part of core/repair.c. */
#ifndef CP_REPAIR_WALK_H
#define CP_REPAIR_WALK_H

#include "core/repair.h"

/* What a layer of the path may give on an axis. */
struct cp_wish {
    struct cp_range range;
    uint32_t sieves; /* layers after it that have to be asked which sizes of the range do; 0: all do */
};

struct cp_walk {
    const struct cp_plan *plan;
    const struct cp_pairing *pairing;
    struct cp_repair *repair; /* what comes out */
    struct cp_arena *arena;
    bool *is_stage;         /* [position in the path]: as written */
    bool *either;           /* [position in the path]: padding decides whether it is a stage */
    enum cp_turn *turns;    /* [position in the path][axis] */
    struct cp_wish *wishes; /* the same */
    int64_t *sizes;         /* [decoder layer][axis]: after the changes so far; 0 where not known */
    int64_t visits_left;    /* of layers on an axis; what cannot be found with these is undecided */
};

static inline size_t cp_walk_slot(uint32_t index, int axis)
{
    return (size_t)index * CP_MAX_AXES + (size_t)axis;
}

static inline uint32_t cp_walk_decoder_begins(const struct cp_walk *walk)
{
    return walk->plan->stack->encoder_count;
}

static inline const struct cp_layer *cp_walk_layer_at(const struct cp_walk *walk, uint32_t position)
{
    return &walk->plan->stack->layers[walk->pairing->path[position]];
}

/* The size of a source on a spatial axis, as planned or after the changes so far; 0 where it is not known or has another
 * rank than the network's input. */
int64_t cp_walk_planned_size(const struct cp_walk *walk, uint32_t source, int axis);
int64_t cp_walk_size_of(const struct cp_walk *walk, uint32_t source, int axis);

/* Does a layer without a stage form mix spatial axes with others, or take cells from them? */
bool cp_walk_rearranges(const struct cp_walk *walk, const struct cp_layer *layer);

/* A layer of the stack as a stage, with what it has to know beside its layer. False as cp_stage_of. */
bool cp_walk_stage_at(const struct cp_walk *walk, uint32_t at, int axis, struct cp_stage *stage);

/* What the encoder's stage that is the partner of the decoder's stage number `pair` took. */
int64_t cp_walk_partners_size(const struct cp_walk *walk, uint32_t pair, int axis);

/* The size that the encoder's tensors have in a merge of the path: 0 where any will do, CP_UNKNOWN where none will. */
int64_t cp_walk_met_size(const struct cp_walk *walk, uint32_t position, int axis);

/* Do the turns as they are set lead to the input's size, each partner (partners[position]) giving what its own partner
 * took? NULL: the last size alone counts. Fills walk->repair. */
bool cp_walk_attempt(struct cp_walk *walk, const bool *partners);

#endif
