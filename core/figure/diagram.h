/* A picture of a planned stack, as SVG: a block for each layer, as high as its map and as wide as the logarithm of its
 * channels, in lines like a text; what takes its input from elsewhere than the layer before is joined by an arc. */
#ifndef CP_DIAGRAM_H
#define CP_DIAGRAM_H

#include "core/figure/style.h"
#include "core/plan.h"

/* A finding in words, for the foot of the picture. */
struct cp_diagram_note {
    uint32_t layer;
    bool error;
    struct cp_text text; /* plain, not XML */
};

struct cp_diagram {
    const struct cp_plan *plan; /* of at most CP_MAX_DIAGRAM_LAYERS layers and CP_MAX_DIAGRAM_CONNECTIONS sources */
    const struct cp_diagram_note *notes; /* in the order of findings */
    uint32_t note_count;
    bool channels_last; /* how shapes are written */
    enum cp_theme theme;
};

/* Inputs that layers take from elsewhere than the layer before: arcs. */
int64_t cp_diagram_connections(const struct cp_stack *stack);

/* The picture, a whole SVG document: one <rect> for each input of the network (of the class input) and each layer (of the
 * class that is its family, and failed where its shape is not known); a <path> of the class arc for each connection
 * within a line, and one for all that come from, or go to, other lines at a block; a <g> of the class badge on each layer
 * with findings. */
struct cp_text cp_diagram_draw(const struct cp_diagram *diagram, struct cp_arena *arena);

#endif
