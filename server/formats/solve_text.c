/* The reply of /v1/solve: a table of solutions for each axis. */
#include "server/formats/reply_text.h"
#include "server/formats/report.h"

enum { MOST_COLUMNS = 8 };

/* The columns are the members of the first solution, which all of them have. */
static int columns_of(const struct cp_json *solution, struct cp_arena *arena, struct cp_column columns[MOST_COLUMNS])
{
    int count = 0;
    for (const struct cp_json *at = cp_json_first(solution); at && count < MOST_COLUMNS; at = cp_json_next(at)) {
        struct cp_writer title;
        cp_writer_begin(&title, arena, 32);
        cp_put_text(&title, cp_json_name(at));
        cp_write_raw(&title, "", 1);
        columns[count++] = (struct cp_column){cp_writer_text(&title).bytes, CP_ALIGN_RIGHT};
    }
    return count;
}

/* "13 … 14" of inputs, "true" and "false", or the number; relationships beside the guide have none. */
static struct cp_text value_text(struct cp_arena *arena, const struct cp_json *value)
{
    struct cp_writer out;
    if (cp_json_type(value) == CP_JSON_TRUE) return CP_TEXT("true");
    if (cp_json_type(value) == CP_JSON_FALSE) return CP_TEXT("false");
    if (cp_json_type(value) != CP_JSON_OBJECT) return cp_reply_text(arena, value, ", ", "–");
    struct cp_text least = cp_reply_text(arena, cp_reply_member(value, "min"), ", ", "?");
    struct cp_text most = cp_reply_text(arena, cp_reply_member(value, "max"), ", ", "?");
    if (cp_text_equal(least, most)) return least;
    cp_writer_begin(&out, arena, 32);
    cp_put_text(&out, least);
    cp_put(&out, " … ");
    cp_put_text(&out, most);
    return cp_writer_text(&out);
}

static void write_table(const struct cp_page *page, const struct cp_json *solutions)
{
    struct cp_column columns[MOST_COLUMNS];
    struct cp_text_table table;
    struct cp_arena *arena = page->out->arena;
    if (!solutions || !cp_json_first(solutions)) return;
    cp_table_begin(&table, arena, columns, columns_of(cp_json_first(solutions), arena, columns));
    for (const struct cp_json *solution = cp_json_first(solutions); solution; solution = cp_json_next(solution)) {
        cp_table_row(&table, CP_TONE_PLAIN);
        for (const struct cp_json *at = cp_json_first(solution); at; at = cp_json_next(at))
            cp_table_cell(&table, value_text(arena, at));
    }
    cp_table_write(&table, page);
}

/* `set`: the reply, or one of its axes. */
static void write_solutions(const struct cp_page *page, const struct cp_json *set)
{
    struct cp_text axis = cp_reply_string(cp_reply_member(set, "axis"));
    struct cp_text count = cp_reply_text(page->out->arena, cp_reply_member(set, "count"), ", ", "?");
    if (axis.size) {
        cp_put(page->out, "axis ");
        cp_page_put(page, CP_TONE_STRONG, axis);
        cp_put(page->out, "\n");
    }
    write_table(page, cp_reply_member(set, "solutions"));
    cp_page_put(page, CP_TONE_STRONG, count);
    cp_put(page->out, cp_text_is(count, "1") ? " solution" : " solutions");
    if (cp_reply_is_true(cp_reply_member(set, "truncated"))) cp_put(page->out, ", the simplest of which are listed");
    cp_put(page->out, "\n");
}

void cp_text_of_solve(const struct cp_page *page, const struct cp_json *reply)
{
    const struct cp_json *axes = cp_reply_member(reply, "axes");
    if (!axes) write_solutions(page, reply);
    for (const struct cp_json *at = axes ? cp_json_first(axes) : NULL; at; at = cp_json_next(at)) {
        if (at != cp_json_first(axes)) cp_put(page->out, "\n");
        write_solutions(page, at);
    }
}
