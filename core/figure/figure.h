/* The guide's figures (arXiv 1603.07285) for any parameters, as SVG: a window slides over the padded input, and the
 * output grows unit by unit, row by row. */
#ifndef CP_FIGURE_H
#define CP_FIGURE_H

#include "core/figure/style.h"
#include "core/plan.h"

#define CP_FIGURE_AXES 2

struct cp_figure {
    enum cp_traced operation;          /* CP_TRACED_CONVOLUTION, CP_TRACED_POOLING or CP_TRACED_TRANSPOSED */
    int axes;                          /* 1 or 2: rows and columns */
    const struct cp_axis_trace *trace; /* of a plan: one per axis, with its output */
    int relationship;                  /* as cp_relationship_of gives it; 0: none of the guide's */
    int64_t step;                      /* of cp_figure_size's, from 1; 0: animated */
    enum cp_theme theme;
};

struct cp_figure_size {
    int64_t cells; /* of the padded input and the output together; over CP_MAX_COUNT: that, plus 1 */
    int64_t steps; /* positions of the window: units of the output */
};

struct cp_figure_size cp_figure_measure(const struct cp_figure *figure);

/* The picture, a whole SVG document. It has one <rect> for each cell: those of the input in groups of the classes input,
 * zero, extra, padding and beyond, beside which unseen or cropped may stand; those of the output in groups of the classes
 * made, now and blank; those of the window in a group of the class taps. At most CP_MAX_FIGURE_CELLS cells. */
struct cp_text cp_figure_draw(const struct cp_figure *figure, struct cp_arena *arena);

#endif
