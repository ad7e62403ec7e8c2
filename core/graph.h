/* Linking: the names in `from` become sources, layers without a name get one. */
#ifndef CP_GRAPH_H
#define CP_GRAPH_H

#include "core/layer.h"

/* What is wrong with the names of a stack. `entry` is the position within `from`, or one of the constants below. */
enum {
    CP_ENTRY_NAME = -1 /* the layer's own name */,
    CP_ENTRY_LIKE = -2 /* its `like` */,
    CP_ENTRY_FIRST = -3 /* no `from` */
};

struct cp_link_error {
    enum cp_code code; /* unknown_layer_name, later_layer, cycle, duplicate_name, missing_member */
    uint32_t layer;
    int64_t entry;
    struct cp_text name;    /* as written */
    struct cp_text nearest; /* unknown_layer_name: the most similar name that would do; may be empty */
    uint32_t other;         /* duplicate_name: the source that has it already */
    struct cp_link_error *next;
};

/* Fill in `name` (where empty), `sources` and the references of every layer; `layers` are the stack's, which are written
 * to. Without `from` a layer takes the one before, the first one the only input. A decoder may give its layers names that
 * its encoder has too: in the decoder they mean the decoder's. All errors are found, in the order of
 * layers; NULL when there is none. `seed` keys the hash of names, against names made to collide. O(layers + edges). */
struct cp_link_error *cp_graph_link(struct cp_stack *stack, struct cp_layer *layers, uint64_t seed,
                                    struct cp_arena *arena);

#endif
