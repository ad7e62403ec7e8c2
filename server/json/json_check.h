/* The strict check: is this one JSON text of RFC 8259, in valid UTF-8, within the limits? */
#ifndef CP_JSON_CHECK_H
#define CP_JSON_CHECK_H

#include "server/json/json.h"

/* True, or false with *error set. Duplicate names are not looked for here. No recursion, no allocation, one pass. */
bool cp_json_check(const char *bytes, size_t size, struct cp_json_error *error);

/* The same; and how many values the text has, names not among them, goes to *values when it is true. */
bool cp_json_check_and_count(const char *bytes, size_t size, size_t *values, struct cp_json_error *error);

#endif
