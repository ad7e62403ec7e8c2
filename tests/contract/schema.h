/* A subset of JSON Schema (draft 2020-12): what openapi.yaml uses, and no more. An unknown keyword makes a value invalid,
 * for a keyword that is passed by would be a check that cannot fail. */
#ifndef CP_SCHEMA_H
#define CP_SCHEMA_H

#include <stdbool.h>

#include "server/json/json.h"

/* Why `value` breaks `schema`, with the place in the value, in the arena; an empty text where it does not.
 * `document` is what "#/…" refers to. `closed`: an object may have the members of `properties` only, also where the
 * schema leaves it open: so a reply that says more than is described is found. Recursive, within the depth of JSON. */
struct cp_text cp_schema_check(const struct cp_json *document, const struct cp_json *schema,
                               const struct cp_json *value, bool closed, struct cp_arena *arena);

/* What a "#/…" reference names in the document, or NULL. Without escapes but ~0 and ~1. */
const struct cp_json *cp_schema_resolve(const struct cp_json *document, struct cp_text reference,
                                        struct cp_arena *arena);

/* The first difference between two values, with its place, or an empty text: numbers by value, objects in any order.
 * `excerpt`: `actual` may have more members, and more elements between those expected. */
struct cp_text cp_json_difference(const struct cp_json *expected, const struct cp_json *actual, bool excerpt,
                                  struct cp_arena *arena);

#endif
