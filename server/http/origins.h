/* Cross-origin requests (CORS, https://fetch.spec.whatwg.org/#http-cors-protocol): pages of which other origins may read
 * replies in a browser. Without a list there are none. */
#ifndef CP_ORIGINS_H
#define CP_ORIGINS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/text.h"

/* Is it "*", or origins such as https://example.org:8443, separated by commas or white space? False: error[error_size]
 * says what is wrong. An empty list is right, and allows none. */
bool cp_origins_check(const char *list, char *error, size_t error_size);

/* Does the list hold the value of an Origin header? "*" holds all. */
bool cp_origins_hold(const char *list, struct cp_text origin);

#endif
