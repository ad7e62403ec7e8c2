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

/* There is always room for CP_WRITER_SLACK bytes: what is shorter is written first and the room looked after then. */
#define CP_WRITER_SLACK 64

struct cp_writer {
    struct cp_arena *arena;
    char *start;
    char *at;     /* the end of what is written */
    char *full;   /* `at` may not pass it: the end of the room, less the slack */
    bool follows; /* a value stands before: the next one needs a comma */
};

void cp_writer_begin(struct cp_writer *writer, struct cp_arena *arena, size_t expected_bytes);
struct cp_text cp_writer_text(const struct cp_writer *writer);

/* Make room for `bytes` and the slack, twice the room there was at least, so that a text of n bytes moves fewer than 2n. */
void cp_writer_grow(struct cp_writer *writer, size_t bytes) __attribute__((cold));

/* Make room for `bytes` more and return where they go; then cp_writer_advance says how many were written. */
static inline char *cp_writer_room(struct cp_writer *writer, size_t bytes)
{
    if (__builtin_expect(bytes > (size_t)(writer->full - writer->at), 0)) cp_writer_grow(writer, bytes);
    return writer->at;
}

/* [writer->at, end) is written too, at most the slack and what was made room for. */
static inline void cp_writer_advance(struct cp_writer *writer, char *end)
{
    writer->at = end;
    if (__builtin_expect(end > writer->full, 0)) cp_writer_grow(writer, 0);
}

/* The comma that is due, within the slack: where a value or name goes. */
static inline char *cp_writer_comma(struct cp_writer *writer)
{
    *writer->at = ',';
    return writer->at + writer->follows;
}

/* A value ends here; as cp_writer_advance. */
static inline void cp_writer_end_value(struct cp_writer *writer, char *end)
{
    writer->follows = true;
    cp_writer_advance(writer, end);
}

/* Bytes as they are, no comma logic. */
void cp_write_raw(struct cp_writer *writer, const char *bytes, size_t size);

static inline void cp_writer_open(struct cp_writer *writer, char bracket)
{
    char *out = cp_writer_comma(writer);
    *out = bracket;
    writer->follows = false;
    cp_writer_advance(writer, out + 1);
}

static inline void cp_writer_close(struct cp_writer *writer, char bracket)
{
    *writer->at = bracket;
    cp_writer_end_value(writer, writer->at + 1);
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
    if (size >= CP_WRITER_SLACK) (void)cp_writer_room(writer, size);
    char *out = cp_writer_comma(writer);
    memcpy(out, quoted_with_colon, size);
    writer->follows = false;
    cp_writer_advance(writer, out + size);
}
#define CP_WRITE_NAME(writer, literal) cp_write_plain_name((writer), "\"" literal "\":", sizeof(literal) + 2)

/* Values. */
void cp_write_null(struct cp_writer *writer);
void cp_write_boolean(struct cp_writer *writer, bool value);

static inline void cp_write_integer(struct cp_writer *writer, int64_t value)
{
    char *out = cp_writer_comma(writer);
    cp_writer_end_value(writer, out + cp_number_format_integer(value, out));
}

/* CP_UNKNOWN is written as null. */
static inline void cp_write_count(struct cp_writer *writer, int64_t value)
{
    if (__builtin_expect(value == CP_UNKNOWN, 0))
        cp_write_null(writer);
    else
        cp_write_integer(writer, value);
}

void cp_write_double(struct cp_writer *writer,
                     double value); /* the shortest decimal that reads back the same; finite */
void cp_write_text(struct cp_writer *writer, struct cp_text text); /* invalid UTF-8 becomes U+FFFD */
void cp_write_string(struct cp_writer *writer, const char *string);
void cp_write_integers(struct cp_writer *writer, const int64_t *values, int count); /* as an array */
void cp_write_shape(struct cp_writer *writer, const struct cp_shape *shape);        /* CP_ANY_SIZE is written as null */

/* A JSON text that was made by another writer, as one value. */
void cp_write_json(struct cp_writer *writer, struct cp_text json);

#endif
