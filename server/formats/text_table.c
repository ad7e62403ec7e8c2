#include "server/formats/text_table.h"

#define GAP 2 /* columns of space between two cells */

/* ---- Tones -------------------------------------------------------------------------------------------------------- */

void cp_page_tone(const struct cp_page *page, enum cp_tone tone)
{
    static const char *const codes[] = {
        [CP_TONE_PLAIN] = "\x1b[0m",  [CP_TONE_STRONG] = "\x1b[1m",   [CP_TONE_FAINT] = "\x1b[2m",
        [CP_TONE_ERROR] = "\x1b[31m", [CP_TONE_WARNING] = "\x1b[33m", [CP_TONE_GOOD] = "\x1b[32m",
    };
    if (page->colours) cp_put(page->out, codes[tone]);
}

void cp_page_put(const struct cp_page *page, enum cp_tone tone, struct cp_text text)
{
    if (tone != CP_TONE_PLAIN) cp_page_tone(page, tone);
    cp_display_write(page->out, text);
    if (tone != CP_TONE_PLAIN) cp_page_tone(page, CP_TONE_PLAIN);
}

/* ---- Filling ------------------------------------------------------------------------------------------------------ */

struct cp_table_row {
    struct cp_table_row *next;
    enum cp_tone tone;
    bool is_rule;
    struct cp_text cells[CP_MAX_COLUMNS];
};

void cp_table_begin(struct cp_text_table *table, struct cp_arena *arena, const struct cp_column *columns,
                    int column_count)
{
    *table = (struct cp_text_table){.arena = arena, .columns = columns, .column_count = column_count};
    cp_table_row(table, CP_TONE_STRONG);
    for (int column = 0; column < column_count; column++) cp_table_cell(table, cp_text_of(columns[column].title));
    cp_table_rule(table);
}

void cp_table_row(struct cp_text_table *table, enum cp_tone tone)
{
    struct cp_table_row *row = CP_NEW(table->arena, struct cp_table_row);
    row->tone = tone;
    if (table->last)
        table->last->next = row;
    else
        table->first = row;
    table->last = row;
    table->filled = 0;
}

void cp_table_rule(struct cp_text_table *table)
{
    cp_table_row(table, CP_TONE_FAINT);
    table->last->is_rule = true;
    table->filled = table->column_count;
}

void cp_table_cell(struct cp_text_table *table, struct cp_text text)
{
    if (table->filled >= table->column_count) return;
    struct cp_text cleaned = cp_display_clean(table->arena, text);
    size_t width = cp_display_width(cleaned);
    if (width > table->widths[table->filled]) table->widths[table->filled] = width;
    table->last->cells[table->filled++] = cleaned;
}

void cp_table_count(struct cp_text_table *table, int64_t count)
{
    char digits[CP_DISPLAY_COUNT_ROOM];
    size_t size = cp_display_count(count, digits);
    cp_table_cell(table, (struct cp_text){digits, size});
}

/* ---- Writing ------------------------------------------------------------------------------------------------------ */

static void repeat(struct cp_writer *out, const char *string, size_t times)
{
    while (times--) cp_put(out, string);
}

static void write_rule(const struct cp_text_table *table, struct cp_writer *out)
{
    size_t width = (size_t)(table->column_count - 1) * GAP;
    for (int column = 0; column < table->column_count; column++) width += table->widths[column];
    repeat(out, "─", width);
}

/* Spaces are owed until something follows them. */
static void write_cells(const struct cp_text_table *table, const struct cp_table_row *row, struct cp_writer *out)
{
    size_t owed = 0;
    for (int column = 0; column < table->column_count; column++) {
        struct cp_text cell = row->cells[column];
        size_t rest = table->widths[column] - cp_display_width(cell);
        bool right = table->columns[column].alignment == CP_ALIGN_RIGHT;
        if (right || !cell.size) owed += rest;
        if (cell.size) {
            repeat(out, " ", owed);
            cp_put_text(out, cell);
            owed = right ? 0 : rest;
        }
        owed += GAP;
    }
}

void cp_table_write(const struct cp_text_table *table, const struct cp_page *page)
{
    for (const struct cp_table_row *row = table->first; row; row = row->next) {
        if (row->tone != CP_TONE_PLAIN) cp_page_tone(page, row->tone);
        if (row->is_rule)
            write_rule(table, page->out);
        else
            write_cells(table, row, page->out);
        if (row->tone != CP_TONE_PLAIN) cp_page_tone(page, CP_TONE_PLAIN);
        cp_put(page->out, "\n");
    }
}
