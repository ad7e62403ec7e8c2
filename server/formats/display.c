#include "server/formats/display.h"

#include <stdio.h>

#include "server/json/utf8.h"

struct range {
    uint32_t first, last;
};

static bool is_in(uint32_t character, const struct range *ranges, size_t count)
{
    for (size_t at = 0; at < count; at++)
        if (character >= ranges[at].first && character <= ranges[at].last) return true;
    return false;
}

#define IS_IN(character, ranges) is_in((character), (ranges), sizeof(ranges) / sizeof *(ranges))

/* What a terminal may act on, what changes the order of what is shown, and what no XML may hold. */
static const struct range unsafe[] = {
    {0x00, 0x1F},     {0x7F, 0x9F},     {0x061C, 0x061C}, {0x200E, 0x200F}, {0x2028, 0x202E},
    {0x2060, 0x206F}, {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}, {0xFFFE, 0xFFFF},
};

/* After Unicode's EastAsianWidth (W, F) and its emoji. */
static const struct range wide[] = {
    {0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},
    {0xA000, 0xA4CF},   {0xA960, 0xA97F},   {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},
    {0xFF01, 0xFF60},   {0xFFE0, 0xFFE6},   {0x16FE0, 0x18DFF}, {0x1AFF0, 0x1B2FF}, {0x1F200, 0x1F2FF},
    {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1FAFF}, {0x20000, 0x3FFFD},
};

static const struct range combining[] = {
    {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x064B, 0x065F}, {0x0900, 0x0902}, {0x093C, 0x093C},
    {0x0941, 0x0948}, {0x0E31, 0x0E31}, {0x0E34, 0x0E3A}, {0x0E47, 0x0E4E}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF},
    {0x200B, 0x200D}, {0x20D0, 0x20FF}, {0x302A, 0x302D}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xE0100, 0xE01EF},
};

/* The character at `at` with its length in bytes; U+FFFD of length 1 where the bytes are not UTF-8. */
static uint32_t decode(const char *at, const char *end, int *length)
{
    const unsigned char *bytes = (const unsigned char *)at;
    *length = 1;
    if (*bytes < 0x80) return *bytes;
    int size = cp_utf8_sequence(bytes, (const unsigned char *)end);
    if (size < 2) return 0xFFFD;
    *length = size;
    uint32_t character = *bytes & (0x7Fu >> size);
    for (int index = 1; index < size; index++) character = character << 6 | (bytes[index] & 0x3Fu);
    return character;
}

void cp_display_write(struct cp_writer *out, struct cp_text text)
{
    const char *end = text.bytes + text.size;
    int length = 0;
    for (const char *at = text.bytes; at < end; at += length) {
        uint32_t character = decode(at, end, &length);
        if (IS_IN(character, unsafe)) {
            char escape[16];
            cp_write_raw(out, escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", (unsigned)character));
        } else if (character == 0xFFFD) {
            cp_put(out, "\uFFFD");
        } else {
            cp_write_raw(out, at, (size_t)length);
        }
    }
}

struct cp_text cp_display_clean(struct cp_arena *arena, struct cp_text text)
{
    struct cp_writer writer;
    cp_writer_begin(&writer, arena, text.size + 1);
    cp_display_write(&writer, text);
    return cp_writer_text(&writer);
}

size_t cp_display_width(struct cp_text cleaned)
{
    const char *end = cleaned.bytes + cleaned.size;
    size_t width = 0;
    int length = 0;
    for (const char *at = cleaned.bytes; at < end; at += length) {
        uint32_t character = decode(at, end, &length);
        if (IS_IN(character, combining)) continue;
        width += IS_IN(character, wide) ? 2 : 1;
    }
    return width;
}

size_t cp_display_count(int64_t count, char *out)
{
    char digits[CP_DISPLAY_COUNT_ROOM];
    int size = snprintf(digits, sizeof digits, "%lld", (long long)count);
    size_t used = 0;
    for (int at = 0; at < size; at++) {
        out[used++] = digits[at];
        if (digits[at] != '-' && at + 1 < size && (size - at - 1) % 3 == 0) out[used++] = ',';
    }
    out[used] = '\0';
    return used;
}
