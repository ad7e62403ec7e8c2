/* Where the blocks of a diagram stand. */
#ifndef CP_DIAGRAM_LAYOUT_H
#define CP_DIAGRAM_LAYOUT_H

#include "core/figure/diagram.h"

/* A network's input or a layer, by its number as a source; in pixels. */
struct cp_diagram_block {
    int64_t x, width, height; /* of its left edge; its middle is that of its line */
    uint32_t line;
    bool attached;             /* a thin slab on the block before, whose shape it keeps */
    bool chained;              /* it takes input from the block before */
    struct cp_text name, size; /* beneath it; size has no bytes where it is that of the block before */
};

struct cp_diagram_line {
    uint32_t begin, end; /* blocks */
    int64_t middle;      /* y */
    int64_t reach;       /* of the highest block above and below it */
    int64_t lift;        /* of the highest arc above that */
    int64_t label_height;
};

struct cp_diagram_layout {
    struct cp_diagram_block *blocks; /* inputs, then layers */
    uint32_t block_count;
    struct cp_diagram_line *lines;
    uint32_t line_count;
    int64_t width, bottom; /* of the lines; the top is `top` */
};

enum { CP_DIAGRAM_MARGIN = 28, CP_DIAGRAM_LABEL_SIZE = 9 };

/* Lay out a diagram beneath `top`. */
void cp_diagram_lay_out(struct cp_diagram_layout *layout, const struct cp_diagram *diagram, int64_t top,
                        struct cp_arena *arena);

/* How far above the blocks between them an arc between two of a line has its control points. */
int64_t cp_diagram_arc_lift(const struct cp_diagram_layout *layout, uint32_t from, uint32_t to);

#endif
