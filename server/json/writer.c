#include "server/json/writer.h"

#include <assert.h>
#include <math.h>

#include "server/json/number.h"
#include "server/json/utf8.h"

enum { SMALLEST_CAPACITY = 64 };

void cp_writer_begin(struct cp_writer *writer, struct cp_arena *arena, size_t expected_bytes)
{
    size_t capacity = expected_bytes < SMALLEST_CAPACITY ? SMALLEST_CAPACITY : expected_bytes;
    *writer = (struct cp_writer){.arena = arena, .start = cp_arena_take(arena, capacity, 1), .capacity = capacity};
}

struct cp_text cp_writer_text(const struct cp_writer *writer)
{
    return (struct cp_text){writer->start, writer->size};
}

/* To twice the size at least, so that a text of n bytes moves fewer than 2n. */
__attribute__((noinline)) static void grow(struct cp_writer *writer, size_t bytes)
{
    size_t capacity;
    if (__builtin_add_overflow(writer->size, bytes, &capacity)) writer->arena->exhausted(writer->arena);
    if (capacity < 2 * writer->capacity) capacity = 2 * writer->capacity;
    writer->start = cp_arena_extend(writer->arena, writer->start, writer->capacity, capacity);
    writer->capacity = capacity;
}

static inline char *room(struct cp_writer *writer, size_t bytes)
{
    if (__builtin_expect(bytes > writer->capacity - writer->size, 0)) grow(writer, bytes);
    return writer->start + writer->size;
}

char *cp_writer_room(struct cp_writer *writer, size_t bytes)
{
    return room(writer, bytes);
}

static inline void append(struct cp_writer *writer, const char *bytes, size_t size)
{
    memcpy(room(writer, size), bytes, size);
    writer->size += size;
}

void cp_write_raw(struct cp_writer *writer, const char *bytes, size_t size)
{
    append(writer, bytes, size);
}

/* The comma that is due, and then room for `bytes` of a value or name: where they go. */
static inline char *begin_value(struct cp_writer *writer, size_t bytes)
{
    char *out = room(writer, bytes + 1);
    *out = ',';
    writer->size += writer->follows;
    return out + writer->follows;
}

static inline void end_value(struct cp_writer *writer, size_t bytes)
{
    writer->size += bytes;
    writer->follows = true;
}

static inline void write_value(struct cp_writer *writer, const char *bytes, size_t size)
{
    memcpy(begin_value(writer, size), bytes, size);
    end_value(writer, size);
}

static inline void open_container(struct cp_writer *writer, char bracket)
{
    *begin_value(writer, 1) = bracket;
    writer->size++;
    writer->follows = false;
}

static inline void close_container(struct cp_writer *writer, char bracket)
{
    *room(writer, 1) = bracket;
    end_value(writer, 1);
}

void cp_write_object_begin(struct cp_writer *writer)
{
    open_container(writer, '{');
}

void cp_write_object_end(struct cp_writer *writer)
{
    close_container(writer, '}');
}

void cp_write_array_begin(struct cp_writer *writer)
{
    open_container(writer, '[');
}

void cp_write_array_end(struct cp_writer *writer)
{
    close_container(writer, ']');
}

/* A character that may not stand in a string as it is. */
static void write_escape(struct cp_writer *writer, unsigned char byte)
{
    static const char short_forms[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* character and letter, in turn */
    for (const char *form = short_forms; *form; form += 2) {
        if ((unsigned char)*form != byte) continue;
        append(writer, (char[]){'\\', form[1]}, 2);
        return;
    }
    append(writer, (char[]){'\\', 'u', '0', '0', "0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]}, 6);
}

/* Past a byte >= 0x80: a well-formed sequence as it is; U+FFFD for each longest part of one that goes wrong. */
static const unsigned char *write_sequence(struct cp_writer *writer, const unsigned char *at, const unsigned char *end)
{
    int length = cp_utf8_sequence(at, end);
    if (length > 0) {
        append(writer, (const char *)at, (size_t)length);
        return at + length;
    }
    append(writer, "\xEF\xBF\xBD", 3);
    return at + (length < 0 ? -length : 1);
}

static void write_quoted(struct cp_writer *writer, struct cp_text text)
{
    const unsigned char *at = (const unsigned char *)text.bytes;
    const unsigned char *end = text.size ? at + text.size : at; /* no text may be a null pointer */
    *begin_value(writer, text.size + 1) = '"';
    writer->size++;
    while (at < end) {
        const unsigned char *plain = at;
        at = cp_skip_plain(at, end);
        append(writer, (const char *)plain, (size_t)(at - plain));
        if (at == end) break;
        if (*at >= 0x80)
            at = write_sequence(writer, at, end);
        else
            write_escape(writer, *at++);
    }
    append(writer, "\"", 1);
}

void cp_write_name(struct cp_writer *writer, struct cp_text name)
{
    write_quoted(writer, name);
    append(writer, ":", 1);
    writer->follows = false;
}

void cp_write_plain_name(struct cp_writer *writer, const char *quoted_with_colon, size_t size)
{
    memcpy(begin_value(writer, size), quoted_with_colon, size);
    writer->size += size;
    writer->follows = false;
}

void cp_write_null(struct cp_writer *writer)
{
    write_value(writer, "null", 4);
}

void cp_write_boolean(struct cp_writer *writer, bool value)
{
    if (value)
        write_value(writer, "true", 4);
    else
        write_value(writer, "false", 5);
}

void cp_write_integer(struct cp_writer *writer, int64_t value)
{
    end_value(writer, cp_number_format_integer(value, begin_value(writer, CP_NUMBER_ROOM)));
}

void cp_write_count(struct cp_writer *writer, int64_t value)
{
    if (value == CP_UNKNOWN)
        cp_write_null(writer);
    else
        cp_write_integer(writer, value);
}

void cp_write_double(struct cp_writer *writer, double value)
{
    if (isfinite(value))
        end_value(writer, cp_number_format(value, begin_value(writer, CP_NUMBER_ROOM)));
    else
        cp_write_null(writer); /* JSON has no word for it, and no number would be true */
}

void cp_write_text(struct cp_writer *writer, struct cp_text text)
{
    write_quoted(writer, text);
    writer->follows = true;
}

void cp_write_string(struct cp_writer *writer, const char *string)
{
    cp_write_text(writer, cp_text_of(string));
}

void cp_write_integers(struct cp_writer *writer, const int64_t *values, int count)
{
    open_container(writer, '[');
    for (int index = 0; index < count; index++) cp_write_integer(writer, values[index]);
    close_container(writer, ']');
}

void cp_write_shape(struct cp_writer *writer, const struct cp_shape *shape)
{
    static_assert(CP_ANY_SIZE == CP_UNKNOWN, "both are written as null by cp_write_count");
    open_container(writer, '[');
    for (int axis = 0; axis < shape->rank; axis++) cp_write_count(writer, shape->size[axis]);
    close_container(writer, ']');
}

void cp_write_json(struct cp_writer *writer, struct cp_text json)
{
    write_value(writer, json.bytes, json.size);
}
