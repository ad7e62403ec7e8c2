/* The tree that json_parse.c makes and json.c reads. For those two alone. */
#ifndef CP_JSON_TREE_H
#define CP_JSON_TREE_H

#include "server/json/json.h"

/* One value. All of a text lie in one array, in the order of the text: a container's first child follows it. */
struct cp_json {
    const char *name; /* of an object's member: in the text where it has no escapes */
    union {
        double number;
        int64_t integer;   /* of a number with is_integer */
        const char *bytes; /* of a string: in the text where it has no escapes */
    } of;
    uint32_t name_size;
    uint32_t size; /* bytes of a string, children of a container */
    uint32_t next; /* how many values further the next sibling lies; 0: there is none */
    unsigned char type;
    bool is_integer; /* of int64, written in digits alone: all that binary64 does not hold, and most others */
};

#endif
