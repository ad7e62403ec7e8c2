/* The skeleton of a JSON text: what cJSON is given to read. cJSON takes most of its time for numbers, of which it reads
 * only 63 bytes and through the locale, and for strings, which it goes over byte by byte several times; so it builds the
 * tree, and numbers and plain strings are put in after. */
#ifndef CP_OUTLINE_H
#define CP_OUTLINE_H

#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/text.h"
#include "server/json/json_check.h"

/* An integer that binary64 may not hold: written in digits alone, of 2^53 or more, and within int64. */
struct cp_long_integer {
    const double *number; /* in cp_outline.numbers */
    int64_t value;
    struct cp_long_integer *next;
};

struct cp_outline {
    const char *text; /* JSON without white space, with null for every number and "" for every string without escapes */
    size_t size;
    double *numbers;                       /* what each null stands for, in the text's order; NaN for a true one */
    struct cp_long_integer *long_integers; /* in the text's order */
    struct cp_text *texts; /* what each string stands for, names and values; those with escapes are to be filled in */
};

/* The outline of a checked text that holds so much. Numbers are rounded to binary64; none is beyond it. The texts lie in
 * a copy of the bytes. */
struct cp_outline cp_json_outline(struct cp_arena *arena, const char *bytes, size_t size,
                                  const struct cp_json_counts *counts);

#endif
