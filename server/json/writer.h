/* Writing JSON into an arena: commas and colons placed by the writer, numbers exact, strings escaped. */
#ifndef CP_WRITER_H
#define CP_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/arena.h"
#include "core/shape.h"
#include "core/text.h"
#include "server/json/number.h"

struct cp_writer {
    struct cp_arena *arena;
    char *start;
    size_t size, capacity;
    bool follows; /* a value stands before: the next one needs a comma */
};

void cp_writer_begin(struct cp_writer *writer, struct cp_arena *arena, size_t expected_bytes);
struct cp_text cp_writer_text(const struct cp_writer *writer);

/* cp_writer_room when the capacity does not do: to twice of it at least, so that a text of n bytes moves fewer than 2n. */
void cp_writer_grow(struct cp_writer *writer, size_t bytes) __attribute__((cold));

/* Make room for `bytes` more and return where they go; the caller adds to writer->size what it wrote. */
static inline char *cp_writer_room(struct cp_writer *writer, size_t bytes)
{
    if (__builtin_expect(bytes > writer->capacity - writer->size, 0)) cp_writer_grow(writer, bytes);
    return writer->start + writer->size;
}

/* The comma that is due, and then room for `bytes` of a value or name: where they go. */
static inline char *cp_writer_begin_value(struct cp_writer *writer, size_t bytes)
{
    char *out = cp_writer_room(writer, bytes + 1);
    *out = ',';
    writer->size += writer->follows;
    return out + writer->follows;
}

static inline void cp_writer_end_value(struct cp_writer *writer, size_t bytes)
{
    writer->size += bytes;
    writer->follows = true;
}

/* Bytes as they are, no comma logic. */
void cp_write_raw(struct cp_writer *writer, const char *bytes, size_t size);

static inline void cp_writer_open(struct cp_writer *writer, char bracket)
{
    *cp_writer_begin_value(writer, 1) = bracket;
    writer->size++;
    writer->follows = false;
}

static inline void cp_writer_close(struct cp_writer *writer, char bracket)
{
    *cp_writer_room(writer, 1) = bracket;
    cp_writer_end_value(writer, 1);
}

static inline void cp_write_object_begin(struct cp_writer *writer)
{
    cp_writer_open(writer, '{');
}

static inline void cp_write_object_end(struct cp_writer *writer)
{
    cp_writer_close(writer, '}');
}

static inline void cp_write_array_begin(struct cp_writer *writer)
{
    cp_writer_open(writer, '[');
}

static inline void cp_write_array_end(struct cp_writer *writer)
{
    cp_writer_close(writer, ']');
}

/* A member's name. CP_WRITE_NAME takes a literal that needs no escapes and is the fast way. */
void cp_write_name(struct cp_writer *writer, struct cp_text name);

static inline void cp_write_plain_name(struct cp_writer *writer, const char *quoted_with_colon, size_t size)
{
    memcpy(cp_writer_begin_value(writer, size), quoted_with_colon, size);
    writer->size += size;
    writer->follows = false;
}
#define CP_WRITE_NAME(writer, literal) cp_write_plain_name((writer), "\"" literal "\":", sizeof(literal) + 2)

/* Values. */
void cp_write_null(struct cp_writer *writer);
void cp_write_boolean(struct cp_writer *writer, bool value);

/* Most of a reply's numbers have one digit or two. */
static inline void cp_write_integer(struct cp_writer *writer, int64_t value)
{
    char *out = cp_writer_begin_value(writer, CP_NUMBER_ROOM);
    cp_writer_end_value(writer, cp_number_format_integer(value, out));
}

void cp_write_count(struct cp_writer *writer, int64_t value); /* CP_UNKNOWN is written as null */
void cp_write_double(struct cp_writer *writer,
                     double value); /* the shortest decimal that reads back the same; finite */
void cp_write_text(struct cp_writer *writer, struct cp_text text); /* invalid UTF-8 becomes U+FFFD */
void cp_write_string(struct cp_writer *writer, const char *string);
void cp_write_integers(struct cp_writer *writer, const int64_t *values, int count); /* as an array */
void cp_write_shape(struct cp_writer *writer, const struct cp_shape *shape);        /* CP_ANY_SIZE is written as null */

/* A JSON text that was made by another writer, as one value. */
void cp_write_json(struct cp_writer *writer, struct cp_text json);

#endif
