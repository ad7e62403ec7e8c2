/* The reply of /v1/convolve: its tensors as matrices, and what each method cost. */
#include "server/formats/reply_text.h"
#include "server/formats/report.h"

/* Rows and columns that are shown of one matrix, and matrices of one tensor: what a person can look over. */
enum { MOST_ROWS = 64, MOST_COLUMNS = 32, MOST_MATRICES = 64 };

static struct cp_text number_text(struct cp_arena *arena, const struct cp_json *number)
{
    struct cp_writer out;
    int64_t integer;
    cp_writer_begin(&out, arena, CP_NUMBER_ROOM);
    if (cp_json_long_integer(number, &integer))
        cp_write_integer(&out, integer);
    else
        cp_write_double(&out, cp_json_number(number));
    return cp_writer_text(&out);
}

static bool is_list(const struct cp_json *value)
{
    return value && cp_json_type(value) == CP_JSON_ARRAY;
}

/* Numbers of a row to the right of columns as wide as the widest of the matrix. */
static void write_row(const struct cp_page *page, const struct cp_json *row, size_t width)
{
    int column = 0;
    cp_put(page->out, "   ");
    for (const struct cp_json *at = cp_json_first(row); at && column < MOST_COLUMNS; at = cp_json_next(at), column++) {
        struct cp_text text = number_text(page->out->arena, at);
        for (size_t space = text.size; space <= width; space++) cp_put(page->out, " ");
        cp_put_text(page->out, text);
    }
    cp_put(page->out, cp_json_count(row) > MOST_COLUMNS ? " …\n" : "\n");
}

static size_t widest(struct cp_arena *arena, const struct cp_json *matrix)
{
    size_t width = 0;
    int rows = 0;
    for (const struct cp_json *row = cp_json_first(matrix); row && rows < MOST_ROWS; row = cp_json_next(row), rows++) {
        int column = 0;
        for (const struct cp_json *at = cp_json_first(row); at && column < MOST_COLUMNS;
             at = cp_json_next(at), column++) {
            size_t size = number_text(arena, at).size;
            if (size > width) width = size;
        }
    }
    return width;
}

static void write_matrix(const struct cp_page *page, const struct cp_json *matrix)
{
    size_t width = widest(page->out->arena, matrix);
    int rows = 0;
    for (const struct cp_json *row = cp_json_first(matrix); row && rows < MOST_ROWS; row = cp_json_next(row), rows++)
        write_row(page, row, width);
    if (cp_json_count(matrix) > MOST_ROWS) cp_put(page->out, "    …\n");
}

/* "[0, 2]": where a matrix stands in its tensor. */
static void write_place(const struct cp_page *page, const int64_t *index, int count)
{
    struct cp_writer *out = page->out;
    char digits[CP_NUMBER_ROOM];
    cp_put(out, "  [");
    for (int at = 0; at < count; at++) {
        if (at) cp_put(out, ", ");
        cp_write_raw(out, digits, cp_number_format_integer(index[at], digits));
    }
    cp_put(out, "]\n");
}

/* Every matrix of nested lists, in order. */
static void write_nested(const struct cp_page *page, const struct cp_json *list)
{
    const struct cp_json *open[CP_MAX_JSON_DEPTH];
    int64_t index[CP_MAX_JSON_DEPTH] = {0};
    int depth = 0, shown = 0;
    while (list && shown < MOST_MATRICES) {
        if (is_list(cp_json_first(list)) && is_list(cp_json_first(cp_json_first(list)))) {
            open[depth] = list = cp_json_first(list);
            index[depth++] = 0;
            continue;
        }
        if (depth) write_place(page, index, depth);
        if (is_list(cp_json_first(list)))
            write_matrix(page, list);
        else
            write_row(page, list, widest(page->out->arena, list));
        shown++;
        for (list = NULL; depth && !list;) {
            list = open[depth - 1] = cp_json_next(open[depth - 1]);
            index[depth - 1]++;
            if (!list) depth--;
        }
    }
    if (list) cp_put(page->out, "  …\n");
}

static void write_tensor(const struct cp_page *page, const char *name, const struct cp_json *value)
{
    if (!value) return;
    cp_page_put(page, CP_TONE_STRONG, cp_text_of(name));
    if (is_list(value)) {
        cp_put(page->out, "\n");
        write_nested(page, value);
    } else {
        cp_put(page->out, ": --format json has it in full\n");
    }
    cp_put(page->out, "\n");
}

static void write_count(struct cp_text_table *table, const struct cp_json *count)
{
    int64_t integer;
    if (count && cp_json_integer(count, &integer))
        cp_table_count(table, integer);
    else
        cp_table_cell(table, CP_TEXT("?"));
}

static void write_checks(const struct cp_page *page, const struct cp_json *checks)
{
    static const struct cp_column columns[] = {{"method", CP_ALIGN_LEFT},
                                               {"largest difference", CP_ALIGN_RIGHT},
                                               {"multiplications", CP_ALIGN_RIGHT},
                                               {"by zero", CP_ALIGN_RIGHT}};
    struct cp_text_table table;
    if (!is_list(checks)) return;
    cp_table_begin(&table, page->out->arena, columns, sizeof columns / sizeof columns[0]);
    for (const struct cp_json *check = cp_json_first(checks); check; check = cp_json_next(check)) {
        const struct cp_json *method = cp_reply_member(check, "method"),
                             *difference = cp_reply_member(check, "max_abs_difference");
        bool number = difference && cp_json_type(difference) == CP_JSON_NUMBER;
        cp_table_row(&table, CP_TONE_PLAIN);
        cp_table_cell(&table, method ? cp_json_text(method) : CP_TEXT("?"));
        cp_table_cell(&table, number ? number_text(page->out->arena, difference) : CP_TEXT("?"));
        write_count(&table, cp_reply_member(check, "multiplications"));
        write_count(&table, cp_reply_member(check, "multiplications_by_zero"));
    }
    cp_table_write(&table, page);
}

void cp_text_of_convolve(const struct cp_page *page, const struct cp_json *reply)
{
    static const char *const views[] = {"matrix",       "stretched_input", "stretched_padded_input",
                                        "padded_input", "flipped_kernel",  NULL};
    write_tensor(page, "output", cp_reply_member(reply, "output"));
    for (int at = 0; views[at]; at++) write_tensor(page, views[at], cp_reply_member(reply, views[at]));
    write_checks(page, cp_reply_member(reply, "checks"));
}
