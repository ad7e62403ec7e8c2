/* Text for people: cleaned, measured by what the eye sees, aligned. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/formats/text_table.h"
#include "server/memory.h"

static int open_memory(void **state)
{
    static struct cp_memory memory;
    cp_memory_open(&memory, NULL, SIZE_MAX, NULL);
    *state = &memory;
    return 0;
}

static int close_memory(void **state)
{
    cp_memory_reset(*state);
    return 0;
}

static struct cp_arena *arena_of(void **state)
{
    struct cp_memory *memory = *state;
    return &memory->arena;
}

static void cleaning(void **state)
{
    static const struct {
        const char *name;
        const char *text, *cleaned;
        size_t width;
    } rows[] = {
        {"empty", "", "", 0},
        {"plain", "conv1", "conv1", 5},
        {"escape sequence", "a\x1b[31mb", "a\\u001b[31mb", 12},
        {"line end", "a\nb\r", "a\\u000ab\\u000d", 14},
        {"tab and delete", "\t\x7f", "\\u0009\\u007f", 12},
        {"C1 control: CSI in one character",
         "\xc2\x9b"
         "31m",
         "\\u009b31m", 9},
        {"right-to-left override",
         "a\xe2\x80\xae"
         "b\xe2\x80\xac",
         "a\\u202eb\\u202c", 14},
        {"isolates", "\xe2\x81\xa6\xe2\x81\xa9", "\\u2066\\u2069", 12},
        {"line separator", "\u2028", "\\u2028", 6},
        {"byte order mark", "\ufeff", "\\ufeff", 6},
        {"umlauts", "größe", "größe", 5},
        {"combining mark", "k\u0302", "k\u0302", 1},
        {"wide", "畳み込み", "畳み込み", 8},
        {"Hangul", "합성곱", "합성곱", 6},
        {"full width", "ＡＢ", "ＡＢ", 4},
        {"emoji", "🚀", "🚀", 2},
        {"mathematics", "⌊(i+2p−k)/s⌋", "⌊(i+2p−k)/s⌋", 12},
        {"not UTF-8",
         "a\xff\xfe"
         "b",
         "a\uFFFD\uFFFDb", 4},
        {"cut short", "a\xe2\x82", "a\uFFFD\uFFFD", 3},
        {"overlong", "\xc0\x9b", "\uFFFD\uFFFD", 2},
    };
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        struct cp_text cleaned = cp_display_clean(arena_of(state), cp_text_of(rows[row].text));
        size_t width = cp_display_width(cleaned);
        if (cp_text_is(cleaned, rows[row].cleaned) && width == rows[row].width) continue;
        fprintf(stderr, "%s: \"%.*s\", %zu wide\n", rows[row].name, (int)cleaned.size, cleaned.bytes, width);
        fail();
    }
}

static void counts(void **state)
{
    static const struct {
        int64_t count;
        const char *text;
    } rows[] = {
        {0, "0"},
        {7, "7"},
        {999, "999"},
        {1000, "1,000"},
        {25557032, "25,557,032"},
        {4089184256, "4,089,184,256"},
        {INT64_C(9007199254740991), "9,007,199,254,740,991"},
        {-999, "-999"},
        {-1000, "-1,000"},
        {INT64_MIN, "-9,223,372,036,854,775,808"},
    };
    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        char text[CP_DISPLAY_COUNT_ROOM];
        size_t size = cp_display_count(rows[row].count, text);
        if (strcmp(text, rows[row].text) == 0 && size == strlen(text)) continue;
        fprintf(stderr, "%lld: %s, size %zu\n", (long long)rows[row].count, text, size);
        fail();
    }
}

static const struct cp_column columns[] = {
    {"layer", CP_ALIGN_LEFT},
    {"params", CP_ALIGN_RIGHT},
    {"field", CP_ALIGN_LEFT},
};

static void fill(struct cp_text_table *table, struct cp_arena *arena)
{
    cp_table_begin(table, arena, columns, 3);
    cp_table_row(table, CP_TONE_PLAIN);
    cp_table_cell(table, CP_TEXT("größe"));
    cp_table_count(table, 1234567);
    cp_table_cell(table, CP_TEXT("7×7"));
    cp_table_row(table, CP_TONE_ERROR);
    cp_table_cell(table, CP_TEXT("畳み\n"));
    cp_table_count(table, 5);
    cp_table_row(table, CP_TONE_PLAIN);
    cp_table_cell(table, CP_TEXT("x"));
    cp_table_cell(table, (struct cp_text){0});
    cp_table_cell(table, CP_TEXT("global"));
    cp_table_cell(table, CP_TEXT("a cell too many"));
    cp_table_rule(table);
    cp_table_row(table, CP_TONE_STRONG);
    cp_table_cell(table, CP_TEXT("total"));
}

static void check_table(struct cp_arena *arena, bool colours, const char *expected)
{
    struct cp_writer out;
    struct cp_text_table table;
    fill(&table, arena);
    cp_writer_begin(&out, arena, 16);
    cp_table_write(&table, &(struct cp_page){&out, colours});
    struct cp_text text = cp_writer_text(&out);
    if (cp_text_is(text, expected)) return;
    fprintf(stderr, "%.*s", (int)text.size, text.bytes);
    fail();
}

static void plain_table(void **state)
{
    check_table(arena_of(state), false,
                "layer          params  field\n"
                "─────────────────────────────\n"
                "größe       1,234,567  7×7\n"
                "畳み\\u000a          5\n"
                "x                      global\n"
                "─────────────────────────────\n"
                "total\n");
}

static void coloured_table(void **state)
{
    check_table(arena_of(state), true,
                "\x1b[1mlayer          params  field\x1b[0m\n"
                "\x1b[2m─────────────────────────────\x1b[0m\n"
                "größe       1,234,567  7×7\n"
                "\x1b[31m畳み\\u000a          5\x1b[0m\n"
                "x                      global\n"
                "\x1b[2m─────────────────────────────\x1b[0m\n"
                "\x1b[1mtotal\x1b[0m\n");
}

static void empty_table(void **state)
{
    struct cp_writer out;
    struct cp_text_table table;
    cp_table_begin(&table, arena_of(state), columns, 1);
    cp_writer_begin(&out, arena_of(state), 16);
    cp_table_write(&table, &(struct cp_page){&out, false});
    struct cp_text text = cp_writer_text(&out);
    assert_true(cp_text_is(text, "layer\n─────\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cleaning),       cmocka_unit_test(counts),      cmocka_unit_test(plain_table),
        cmocka_unit_test(coloured_table), cmocka_unit_test(empty_table),
    };
    return cmocka_run_group_tests(tests, open_memory, close_memory);
}
