/* Many short pieces in a row, the fast way: the caller makes room for all of them at once (cp_writer_room), lays them one
 * behind the other, commas and brackets among the literals, and hands the end back (cp_writer_end_value). Each of these
 * returns one past what it wrote. Room for integers and counts: CP_NUMBER_ROOM each, most of which is not used. */
#ifndef CP_PUT_H
#define CP_PUT_H

#include <string.h>

#include "core/shape.h"
#include "server/json/number.h"

static inline char *cp_put_bytes(char *out, const char *bytes, size_t size)
{
    memcpy(out, bytes, size);
    return out + size;
}

/* JSON as it is. */
#define CP_PUT(out, literal) cp_put_bytes((out), (literal), sizeof(literal) - 1)

static inline char *cp_put_integer(char *out, int64_t value)
{
    return out + cp_number_format_integer(value, out);
}

/* CP_UNKNOWN is written as null. */
static inline char *cp_put_count(char *out, int64_t value)
{
    if (__builtin_expect(value == CP_UNKNOWN, 0)) return CP_PUT(out, "null");
    return cp_put_integer(out, value);
}

/* A list of sizes; CP_ANY_SIZE is CP_UNKNOWN, and so null. */
static inline char *cp_put_shape(char *out, const struct cp_shape *shape)
{
    *out++ = '[';
    for (int axis = 0; axis < shape->rank; axis++) {
        *out = ',';
        out = cp_put_count(out + (axis > 0), shape->size[axis]);
    }
    *out = ']';
    return out + 1;
}

#endif
