/* Did you mean …? */
#ifndef CP_NEAREST_H
#define CP_NEAREST_H

#include <stdint.h>

#include "core/text.h"

/* The index of the spelling nearest to `name` among `count` candidates, or -1 when none is similar: at most a third of
 * the letters (at least one) differ by insertion, deletion, replacement or a swap of neighbours, letter case aside. Of
 * equals the first. Names over 64 bytes and candidates past the 2,000th are not looked at, which bounds the work. */
int64_t cp_nearest(struct cp_text name, int64_t count, struct cp_text (*candidate)(const void *list, int64_t index),
                   const void *list);

#endif
