/* Reading JSON: strict RFC 8259, as a tree. */
#ifndef CP_JSON_H
#define CP_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/text.h"

enum cp_json_type {
    CP_JSON_NULL,
    CP_JSON_FALSE,
    CP_JSON_TRUE,
    CP_JSON_NUMBER,
    CP_JSON_STRING,
    CP_JSON_ARRAY, /* this and the next have children */
    CP_JSON_OBJECT
};

/* A value of the tree; lives in the arena it was parsed into. */
struct cp_json;

/* Why bytes were refused: `offset` is the first byte at which the text cannot be JSON any more (or breaks a limit). */
struct cp_json_error {
    enum cp_json_fault {
        CP_JSON_OK,
        CP_JSON_SYNTAX,    /* grammar, numbers, escapes, lone surrogates, control characters, invalid UTF-8 */
        CP_JSON_DUPLICATE, /* a member name twice in one object */
        CP_JSON_TOO_DEEP,  /* over CP_MAX_JSON_DEPTH */
        CP_JSON_TOO_MANY,  /* over CP_MAX_JSON_VALUES */
        /* JSON, but not what this service can hold; within a member `meta`, which nobody reads, no fault. */
        CP_JSON_NUL,  /* \u0000 in a string */
        CP_JSON_HUGE, /* a number beyond binary64, infinite there */
    } fault;
    size_t offset;
    const char *expected; /* what would have been right there, in a few words */
};

/* Parse `size` bytes as one JSON text. NULL: *error says why. The bytes need not be terminated; they must outlive the
 * tree, whose texts point into them. Time and memory are proportional to `size` (times its logarithm, for the names of
 * large objects). */
const struct cp_json *cp_json_parse(struct cp_arena *arena, const char *bytes, size_t size,
                                    struct cp_json_error *error);

enum cp_json_type cp_json_type(const struct cp_json *value);

/* Children of an array or object in order: NULL at the end, and for other types. */
const struct cp_json *cp_json_first(const struct cp_json *value);
const struct cp_json *cp_json_next(const struct cp_json *value);
size_t cp_json_count(const struct cp_json *value);

/* The name of an object's member; empty for others. */
struct cp_text cp_json_name(const struct cp_json *value);

/* CP_JSON_STRING: its text, decoded. */
struct cp_text cp_json_text(const struct cp_json *value);

/* CP_JSON_NUMBER: its value, finite but within a `meta`. */
double cp_json_number(const struct cp_json *value);

/* A number that is integral and within +-CP_MAX_COUNT (8, 8.0 and 1e1 are); false for all else. */
bool cp_json_integer(const struct cp_json *value, int64_t *integer);

/* A number that is an integer of int64, exactly as written: integral and within +-CP_MAX_COUNT, or beyond that written in
 * digits alone (a point or an exponent would leave its last digits in doubt); false for all else. */
bool cp_json_long_integer(const struct cp_json *value, int64_t *integer);

/* The member of an object by name, or NULL. Linear: for objects with few members. */
const struct cp_json *cp_json_member(const struct cp_json *object, struct cp_text name);

#endif
