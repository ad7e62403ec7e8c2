/* Replies compressed with gzip (RFC 1952), for those who ask for it. */
#ifndef CP_GZIP_H
#define CP_GZIP_H

#include <stdbool.h>

#include "core/text.h"
#include "server/memory.h"

/* Does an Accept-Encoding header (RFC 9110 §12.5.3) ask for gzip? Without one, only the plain form is sent. */
bool cp_gzip_is_wanted(struct cp_text accept_encoding);

enum cp_gzip_effort { CP_GZIP_FAST = 1, CP_GZIP_SMALL = 6 };

/* The compressed form, in `memory`. False when that is no smaller, or there is no memory for it. */
bool cp_gzip(struct cp_text plain, enum cp_gzip_effort effort, struct cp_memory *memory, struct cp_text *packed);

#endif
