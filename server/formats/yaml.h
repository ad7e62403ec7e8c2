/* YAML to JSON, for the description of the API: the only file that knows libyaml. */
#ifndef CP_YAML_H
#define CP_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "core/arena.h"
#include "core/text.h"

/* Where and why a text was refused. Lines and columns count from 1. */
struct cp_yaml_error {
    size_t line, column;
    const char *problem; /* a constant */
};

/* Write one YAML document as JSON: mappings in their order, scalars by the core schema of YAML 1.2. What would need
 * thought to be the same in both languages is refused: anchors, aliases, tags, merge keys, a second document, keys that
 * are no scalars, nesting over CP_MAX_JSON_DEPTH, and plain scalars that are numbers of the core schema but not of JSON
 * (+1, .5, 0x1F, .inf). Keys are strings however they are written; that no key stands twice is not checked.
 *
 * True: *json lies in the arena, as its only allocation. False: *error says why. If the arena runs out, libyaml's own
 * memory is lost: give it one that does not. */
bool cp_yaml_to_json(struct cp_text yaml, struct cp_arena *arena, struct cp_text *json, struct cp_yaml_error *error);

#endif
