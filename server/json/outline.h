/* A JSON text without its numbers: what cJSON is given to read. cJSON takes most of its time for numbers, reads only
 * 63 bytes of each, and through the locale; so it builds the tree and the strings, and the numbers are put in after. */
#ifndef CP_OUTLINE_H
#define CP_OUTLINE_H

#include <stddef.h>

#include "core/arena.h"

struct cp_outline {
    const char *text; /* the same JSON without white space, with `null` for every number */
    size_t size;
    const double *numbers; /* what each `null` stands for, in the text's order; NaN for a true one */
};

/* The outline of a checked text with so many values. Numbers are rounded to binary64; none is beyond it. */
struct cp_outline cp_json_outline(struct cp_arena *arena, const char *bytes, size_t size, size_t values);

#endif
