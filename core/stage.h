/* One spatial axis of a stage of an encoder or decoder: which sizes it can give, and with which parameters. */
#ifndef CP_STAGE_H
#define CP_STAGE_H

#include "core/layer.h"

/* What is demanded of a layer beside the size that it gives. */
enum cp_turn { CP_TURN_FREE, CP_TURN_KEEPS, CP_TURN_GROWS, CP_TURN_SHRINKS };

struct cp_stage {
    const struct cp_layer *layer;
    enum cp_stage_form form;
    enum cp_turn turn; /* to be filled in by the caller; free otherwise */
    int axis;
    struct cp_window window; /* kernel, stride, dilation; pads as written where they are numbers */
    int64_t span;            /* k̂ */
    int64_t most_padding;    /* of output_padding, or of what output_size may add */
    int64_t least_padding;   /* 0; below it for unpooling, whose output_size may also be smaller */
    bool sized;              /* output_size was written, on any axis */
    int64_t factor;          /* (un)shuffling: of this axis */
    bool is_like;            /* a crop to the size of another tensor */
    int64_t like;            /* that size, to be filled in by the caller; 0 while it is not known */
};

/* What has to be written for the stage to give a certain size: every value, and which members differ from now. */
struct cp_adjustment {
    bool padding, output_padding, output_size; /* changed; for Upsample `size` stands for output_size */
    int64_t begin, end;                        /* padding in cells, both >= 0 but for borders */
    int64_t extra;                             /* output_padding */
    int64_t size;                              /* the output */
};

/* The multiples of `step` from `low` to `high`; none when low > high. */
struct cp_range {
    int64_t low, high, step;
};

/* The stage on one of `axes` spatial axes. False for a layer of another rank, and when numbers are over the range of
 * counts. */
CP_MUST_CHECK bool cp_stage_of(struct cp_stage *stage, const struct cp_layer *layer, int axis, int axes);

/* The size that the stage gives as it is written, or 0 when it gives none. */
int64_t cp_stage_output(const struct cp_stage *stage, int64_t input);

/* The sizes that it can give from this input when padding, output_padding and output_size may be changed: all within
 * the result, whose step is 1. Neither end falls as the input grows, but that of PixelUnshuffle takes multiples only. */
struct cp_range cp_stage_reach(const struct cp_stage *stage, int64_t input);

/* The inputs from which it can give a size within `wanted`: none lies outside the result. */
struct cp_range cp_stage_demand(const struct cp_stage *stage, struct cp_range wanted);

/* Whether cp_stage_demand's result holds inputs that cannot give what is wanted, where that has gaps: the multiples of a
 * step, or more irregular. */
bool cp_stage_sieves(const struct cp_stage *stage, bool multiples);

/* The least input of which the most (or else: the least) that it can give is at least `size`; over all counts: none. */
int64_t cp_stage_first_input(const struct cp_stage *stage, bool of_most, int64_t size);

/* How to give `output` from `input`, changing least; `output` is within reach. */
struct cp_adjustment cp_stage_adjust(const struct cp_stage *stage, int64_t input, int64_t output);

#endif
