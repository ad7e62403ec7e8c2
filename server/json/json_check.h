/* The strict check: is this one JSON text of RFC 8259, in valid UTF-8, within the limits? */
#ifndef CP_JSON_CHECK_H
#define CP_JSON_CHECK_H

#include "server/json/json.h"

/* True, or false with *error set. Duplicate names are not looked for here. No recursion, no allocation, one pass. */
bool cp_json_check(const char *bytes, size_t size, struct cp_json_error *error);

/* What a text holds. */
struct cp_json_counts {
    size_t values;  /* names are none */
    size_t strings; /* names and values */
};

/* The same; *counts is set when it is true. */
bool cp_json_check_and_count(const char *bytes, size_t size, struct cp_json_counts *counts,
                             struct cp_json_error *error);

#endif
