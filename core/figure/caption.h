/* The words beside a figure: what is drawn, whose padding it is, which colour is whose, and the formula. */
#ifndef CP_FIGURE_CAPTION_H
#define CP_FIGURE_CAPTION_H

#include "core/figure/figure.h"
#include "core/figure/strip.h"

#define CP_CAPTION_LINES 4

struct cp_legend_entry {
    const char *classes; /* of the swatch: those of the cells that it stands for */
    const char *look;    /* of these cells, in words; NULL: told elsewhere */
    struct cp_text label;
};

#define CP_LEGEND_ENTRIES 8

/* Texts as cp_svg_add_math takes them. */
struct cp_caption {
    struct cp_text heading;    /* "Transposed convolution" */
    struct cp_text parameters; /* "i = 5, k = 3, s = 2, p = 1 → o = 3" */
    struct cp_text input, output;
    struct cp_legend_entry legend[CP_LEGEND_ENTRIES];
    int legend_count;
    struct cp_text formulas[CP_FIGURE_AXES];
    int formula_count;
    struct cp_text notes[CP_CAPTION_LINES];
    int note_count;
    struct cp_text description; /* all of it in sentences */
};

/* Where the cells that a legend explains are to be found. */
struct cp_caption_subject {
    const struct cp_figure *figure;
    const struct cp_strip *strips; /* CP_FIGURE_AXES of them: rows, columns */
    bool present[CP_CELL_KINDS];   /* whether a cell of the kind is there */
    bool cropped;                  /* whether any is cropped */
    bool unseen, unseen_input;     /* whether no window sees one, or one of the input's units */
    bool numbered;                 /* the kernel's cells carry the row and column of their weight */
    int64_t steps;
};

void cp_caption_write(struct cp_caption *caption, const struct cp_caption_subject *subject, struct cp_arena *arena);

#endif
