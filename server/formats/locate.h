/* Where in a file a JSON pointer points: lines and columns for reports. */
#ifndef CP_LOCATE_H
#define CP_LOCATE_H

#include <stdint.h>

#include "core/text.h"

struct cp_position {
    int64_t line, column; /* from 1; columns count characters */
};

/* Remembers how far it got, so that pointers in ascending order cost one pass through the file in all. */
struct cp_locator {
    struct cp_text json;
    struct cp_text list; /* the first step of the last pointer */
    int64_t index;       /* its second step, or -1 */
    size_t element;      /* where that element begins */
    size_t offset;       /* of the last position */
    struct cp_position position;
};

/* The text is kept by reference. It may be no JSON: then positions are approximate. */
void cp_locator_begin(struct cp_locator *locator, struct cp_text json);

/* The byte at which what the pointer (RFC 6901) names begins: of a member, its name. Where that is not in the file (a
 * member that is missing), the nearest thing around it that is. Names spelled with escapes are not recognised. */
size_t cp_locate(struct cp_locator *locator, struct cp_text pointer);

/* The line and column of a byte. */
struct cp_position cp_locator_position(struct cp_locator *locator, size_t offset);

#endif
