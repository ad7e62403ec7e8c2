/* Text for people: harmless on a terminal, and as wide as it says. */
#ifndef CP_DISPLAY_H
#define CP_DISPLAY_H

#include "server/json/writer.h"

/* Append `text` so that it can neither steer a terminal nor reorder the line: control characters, bidirectional
 * controls and line separators are written as \u001b; invalid UTF-8 becomes U+FFFD. */
void cp_display_write(struct cp_writer *out, struct cp_text text);

/* The same text in the writer's arena. */
struct cp_text cp_display_clean(struct cp_arena *arena, struct cp_text text);

/* The columns that cleaned text takes: 2 for East Asian wide characters and emoji, 0 for combining marks. */
size_t cp_display_width(struct cp_text cleaned);

/* 25557032 as "25,557,032"; `out` has room for CP_DISPLAY_COUNT_ROOM bytes. Terminated; returns the length. */
#define CP_DISPLAY_COUNT_ROOM 32
size_t cp_display_count(int64_t count, char *out);

/* Bytes that the program itself says. */
static inline void cp_put(struct cp_writer *out, const char *string)
{
    cp_write_raw(out, string, strlen(string));
}

static inline void cp_put_text(struct cp_writer *out, struct cp_text text)
{
    if (text.size) cp_write_raw(out, text.bytes, text.size);
}

#endif
