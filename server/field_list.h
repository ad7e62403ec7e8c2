/* Lists in header fields (RFC 9110 §5.6.1): "gzip;q=0.5, *;q=0". */
#ifndef CP_FIELD_LIST_H
#define CP_FIELD_LIST_H

#include <stdbool.h>

#include "core/text.h"

/* The part before `separator`, without the white space around it; *rest becomes what follows it. */
struct cp_text cp_field_part(struct cp_text *rest, char separator);

/* Is it `lower`, which is in small letters, whatever the case? */
bool cp_field_is(struct cp_text text, struct cp_text lower);

/* The weight of an element in thousandths, from its parameters: q=1, q=0.5, q=.125; 1000 where none, or none such, is
 * given. 0 rules the element out. */
int cp_field_quality(struct cp_text parameters);

#endif
