#include "server/json/writer.h"

#include <assert.h>
#include <math.h>

#include "server/json/number.h"
#include "server/json/put.h"
#include "server/json/utf8.h"

enum { SMALLEST_CAPACITY = 128 };

static_assert(CP_NUMBER_ROOM + 1 <= CP_WRITER_SLACK, "numbers fit the slack");

void cp_writer_begin(struct cp_writer *writer, struct cp_arena *arena, size_t expected_bytes)
{
    size_t capacity = expected_bytes < SMALLEST_CAPACITY ? SMALLEST_CAPACITY : expected_bytes;
    char *start = cp_arena_take(arena, capacity, 1);
    *writer =
        (struct cp_writer){.arena = arena, .start = start, .at = start, .full = start + (capacity - CP_WRITER_SLACK)};
}

struct cp_text cp_writer_text(const struct cp_writer *writer)
{
    return (struct cp_text){writer->start, (size_t)(writer->at - writer->start)};
}

void cp_writer_grow(struct cp_writer *writer, size_t bytes)
{
    size_t size = (size_t)(writer->at - writer->start);
    size_t old_capacity = (size_t)(writer->full - writer->start) + CP_WRITER_SLACK;
    size_t capacity;
    if (__builtin_add_overflow(size + CP_WRITER_SLACK, bytes, &capacity)) writer->arena->exhausted(writer->arena);
    if (capacity < 2 * old_capacity) capacity = 2 * old_capacity;
    writer->start = cp_arena_extend(writer->arena, writer->start, old_capacity, capacity);
    writer->at = writer->start + size;
    writer->full = writer->start + (capacity - CP_WRITER_SLACK);
}

static inline void append(struct cp_writer *writer, const char *bytes, size_t size)
{
    char *out = cp_writer_room(writer, size);
    memcpy(out, bytes, size);
    writer->at = out + size;
}

void cp_write_raw(struct cp_writer *writer, const char *bytes, size_t size)
{
    append(writer, bytes, size);
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

/* Apart, since few texts need it. */
__attribute__((cold, noinline)) static void write_escaped(struct cp_writer *writer, const unsigned char *at,
                                                          const unsigned char *end)
{
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
}

/* Copy the text if it goes between quotes as it is. Blocks that overlap reach its end, with no look past it. */
static inline bool copy_plain(char *out, struct cp_text text)
{
    const unsigned char *at = (const unsigned char *)text.bytes, *end = at + text.size;
    if (text.size >= 16) {
        memcpy(out, at, text.size);
        for (; end - at > 16; at += 16)
            if (cp_plain_prefix_16(at) < 16) return false;
        return cp_plain_prefix_16(end - 16) == 16;
    }
    if (text.size >= 8) {
        memcpy(out, at, 8);
        memcpy(out + text.size - 8, end - 8, 8);
        return cp_both_plain_8(at, end - 8);
    }
    for (; at < end && !cp_is_special(*at); at++) *out++ = (char)*at;
    return at == end;
}

/* Without a word on whether a value follows: names and strings end differently. */
static void write_quoted(struct cp_writer *writer, struct cp_text text)
{
    (void)cp_writer_room(writer, text.size); /* the quotes go into the slack */
    char *out = cp_writer_comma(writer);
    *out++ = '"';
    if (copy_plain(out, text)) {
        out += text.size;
    } else {
        writer->at = out;
        write_escaped(writer, (const unsigned char *)text.bytes, (const unsigned char *)text.bytes + text.size);
        out = writer->at;
    }
    *out = '"';
    cp_writer_advance(writer, out + 1);
}

void cp_write_name(struct cp_writer *writer, struct cp_text name)
{
    write_quoted(writer, name);
    writer->follows = false;
    *writer->at = ':';
    cp_writer_advance(writer, writer->at + 1);
}

static void write_word(struct cp_writer *writer, const char *word)
{
    char *out = cp_writer_comma(writer);
    size_t size = strlen(word);
    memcpy(out, word, size);
    cp_writer_end_value(writer, out + size);
}

void cp_write_null(struct cp_writer *writer)
{
    write_word(writer, "null");
}

void cp_write_boolean(struct cp_writer *writer, bool value)
{
    write_word(writer, value ? "true" : "false");
}

void cp_write_double(struct cp_writer *writer, double value)
{
    char *out = cp_writer_comma(writer);
    if (isfinite(value))
        cp_writer_end_value(writer, out + cp_number_format(value, out));
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
    cp_writer_open(writer, '[');
    for (int index = 0; index < count; index++) cp_write_integer(writer, values[index]);
    cp_writer_close(writer, ']');
}

void cp_write_shape(struct cp_writer *writer, const struct cp_shape *shape)
{
    /* NOLINTNEXTLINE(misc-redundant-expression): two constants that have to agree */
    static_assert(CP_ANY_SIZE == CP_UNKNOWN, "both are written as null by cp_put_count");
    (void)cp_writer_room(writer, CP_MAX_RANK * CP_NUMBER_ROOM); /* comma and brackets go into the slack */
    cp_writer_end_value(writer, cp_put_shape(cp_writer_comma(writer), shape));
}

void cp_write_json(struct cp_writer *writer, struct cp_text json)
{
    (void)cp_writer_room(writer, json.size); /* the comma goes into the slack */
    char *out = cp_writer_comma(writer);
    memcpy(out, json.bytes, json.size);
    cp_writer_end_value(writer, out + json.size);
}
