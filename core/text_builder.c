#include "core/text_builder.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* Where `bytes` more go. */
static char *room_for(struct cp_text_builder *builder, size_t bytes)
{
    if (bytes > builder->capacity - builder->size) {
        size_t capacity = 2 * (builder->size + bytes) + 64;
        builder->start = builder->start ? cp_arena_extend(builder->arena, builder->start, builder->capacity, capacity)
                                        : cp_arena_take(builder->arena, capacity, 1);
        builder->capacity = capacity;
    }
    return builder->start + builder->size;
}

void cp_text_add(struct cp_text_builder *builder, struct cp_text text)
{
    if (text.size == 0) return;
    memcpy(room_for(builder, text.size), text.bytes, text.size);
    builder->size += text.size;
}

void cp_text_add_string(struct cp_text_builder *builder, const char *string)
{
    cp_text_add(builder, cp_text_of(string));
}

void cp_text_add_number(struct cp_text_builder *builder, int64_t number)
{
    cp_text_addf(builder, "%" PRId64, number);
}

void cp_text_addf(struct cp_text_builder *builder, const char *format, ...)
{
    enum { USUAL = 128 };
    va_list arguments;
    for (size_t room = USUAL;;) {
        char *out = room_for(builder, room);
        va_start(arguments, format);
        size_t size = (size_t)vsnprintf(out, room, format, arguments);
        va_end(arguments);
        if (size < room) {
            builder->size += size;
            return;
        }
        room = size + 1;
    }
}

/* ---- UTF-8 -------------------------------------------------------------------------------------------------------- */

/* The bytes of the well-formed character at the start of `text`, and its code point; 0 where there is none. */
static size_t decode(struct cp_text text, uint32_t *point)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char lead = (unsigned char)text.bytes[0];
    size_t size = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    if (size == 0 || size > text.size) return 0;
    *point = size == 1 ? lead : lead & (0x7fu >> size);
    for (size_t at = 1; at < size; at++) {
        unsigned char byte = (unsigned char)text.bytes[at];
        if ((byte & 0xc0) != 0x80) return 0;
        *point = *point << 6 | (byte & 0x3f);
    }
    bool surrogate = *point >= 0xd800 && *point <= 0xdfff;
    return *point < least[size] || *point > 0x10ffff || surrogate ? 0 : size;
}

int64_t cp_text_characters(struct cp_text text)
{
    int64_t count = 0;
    for (size_t at = 0; at < text.size; at++) count += ((unsigned char)text.bytes[at] & 0xc0) != 0x80;
    return count;
}

/* The bytes of the first `characters` of a text. */
static size_t prefix_size(struct cp_text text, int64_t characters)
{
    size_t end = 0;
    while (end < text.size && (((unsigned char)text.bytes[end] & 0xc0) == 0x80 || characters-- > 0)) end++;
    return end;
}

struct cp_text cp_text_shortened(struct cp_arena *arena, struct cp_text text, int64_t characters)
{
    int64_t count = cp_text_characters(text), head = (characters - 1) / 3;
    if (count <= characters) return text;
    struct cp_text_builder builder = {.arena = arena};
    size_t head_size = prefix_size(text, head), tail_at = prefix_size(text, count - (characters - 1 - head));
    cp_text_add(&builder, (struct cp_text){text.bytes, head_size});
    cp_text_add_string(&builder, "…");
    cp_text_add(&builder, (struct cp_text){text.bytes + tail_at, text.size - tail_at});
    return cp_text_built(&builder);
}

/* ---- XML ---------------------------------------------------------------------------------------------------------- */

static const char *entity_of(uint32_t point)
{
    switch (point) {
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '&': return "&amp;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return NULL;
    }
}

/* XML 1.0 §2.2, but for the white space that attributes normalise. */
static bool is_xml_character(uint32_t point)
{
    return point >= 0x20 && point != 0xfffe && point != 0xffff;
}

void cp_text_add_xml(struct cp_text_builder *builder, struct cp_text text)
{
    while (text.size) {
        uint32_t point = 0;
        size_t size = decode(text, &point);
        const char *entity = entity_of(point);
        if (size == 0 || !is_xml_character(point))
            cp_text_add_string(builder, "\xef\xbf\xbd");
        else if (entity)
            cp_text_add_string(builder, entity);
        else
            cp_text_add(builder, (struct cp_text){text.bytes, size});
        size += size == 0;
        text.bytes += size;
        text.size -= size;
    }
}
