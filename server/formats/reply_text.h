/* Members of a reply as text for tables. A value of another type than expected, or none, is no error here. */
#ifndef CP_REPLY_TEXT_H
#define CP_REPLY_TEXT_H

#include "server/formats/display.h"
#include "server/json/json.h"

/* NULL where the object or the member is missing. */
const struct cp_json *cp_reply_member(const struct cp_json *object, const char *name);

/* The value of a string, by reference; else empty. */
struct cp_text cp_reply_string(const struct cp_json *value);

bool cp_reply_is_true(const struct cp_json *value);

/* A number with separators between thousands, or a string; of a list, its elements with `between` them; `otherwise` for
 * what is neither, elements included. */
struct cp_text cp_reply_text(struct cp_arena *arena, const struct cp_json *value, const char *between,
                             const char *otherwise);

#endif
