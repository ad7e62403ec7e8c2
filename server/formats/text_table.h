/* A table of text in columns, aligned by what the eye sees, not by bytes. */
#ifndef CP_TEXT_TABLE_H
#define CP_TEXT_TABLE_H

#include "server/formats/display.h"

/* How a piece of text stands out where colours are on. */
enum cp_tone { CP_TONE_PLAIN, CP_TONE_STRONG, CP_TONE_FAINT, CP_TONE_ERROR, CP_TONE_WARNING, CP_TONE_GOOD };

/* Where text for people goes. */
struct cp_page {
    struct cp_writer *out;
    bool colours;
};

void cp_page_tone(const struct cp_page *page, enum cp_tone tone);

/* Text of any origin, cleaned, in a tone. */
void cp_page_put(const struct cp_page *page, enum cp_tone tone, struct cp_text text);

struct cp_column {
    const char *title;
    enum cp_alignment { CP_ALIGN_LEFT, CP_ALIGN_RIGHT } alignment;
};

#define CP_MAX_COLUMNS 16

struct cp_table_row;

/* Filled cell by cell, row by row; lives in the arena of the page's writer. */
struct cp_text_table {
    struct cp_arena *arena;
    const struct cp_column *columns; /* kept by reference */
    int column_count;
    size_t widths[CP_MAX_COLUMNS]; /* of the widest cell so far, the title included */
    int filled;                    /* cells of the last row */
    struct cp_table_row *first, *last;
};

/* `column_count`: 1 … CP_MAX_COLUMNS. */
void cp_table_begin(struct cp_text_table *table, struct cp_arena *arena, const struct cp_column *columns,
                    int column_count);

/* A new row, in a tone; the one before is ended, and its missing cells are empty. */
void cp_table_row(struct cp_text_table *table, enum cp_tone tone);

/* A line across, between the row before and the next. */
void cp_table_rule(struct cp_text_table *table);

/* The next cell of the row; past the last column it is dropped. Text of any origin: it is cleaned. */
void cp_table_cell(struct cp_text_table *table, struct cp_text text);

/* A number with separators between thousands. */
void cp_table_count(struct cp_text_table *table, int64_t count);

/* Titles, a line, the rows; no spaces at the ends of lines. */
void cp_table_write(const struct cp_text_table *table, const struct cp_page *page);

#endif
