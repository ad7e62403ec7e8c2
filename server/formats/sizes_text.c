/* The reply of /v1/sizes: the set of each free size in words, what is near, what comes out, and what fails around. */
#include "server/formats/reply_text.h"
#include "server/formats/report.h"

enum { SYMBOL, WORKS, MINIMUM, BELOW, ABOVE, COLUMNS };

static const struct cp_column columns[COLUMNS] = {
    [SYMBOL] = {"size", CP_ALIGN_LEFT},    [WORKS] = {"works", CP_ALIGN_LEFT},
    [MINIMUM] = {"least", CP_ALIGN_RIGHT}, [BELOW] = {"nearest below", CP_ALIGN_RIGHT},
    [ABOVE] = {"above", CP_ALIGN_RIGHT},
};

static void add_symbol(struct cp_text_table *table, const struct cp_json *symbol)
{
    const struct cp_json *nearest = cp_reply_member(symbol, "nearest");
    bool works = cp_json_type(cp_reply_member(symbol, "minimum")) != CP_JSON_NULL;
    cp_table_row(table, works ? CP_TONE_PLAIN : CP_TONE_ERROR);
    cp_table_cell(table, cp_json_name(symbol));
    cp_table_cell(table, works ? cp_reply_string(cp_reply_member(symbol, "statement")) : CP_TEXT("no size works"));
    cp_table_cell(table, cp_reply_text(table->arena, cp_reply_member(symbol, "minimum"), ", ", "–"));
    if (!nearest) return;
    cp_table_cell(table, cp_reply_text(table->arena, cp_reply_member(nearest, "below"), ", ", "–"));
    cp_table_cell(table, cp_reply_text(table->arena, cp_reply_member(nearest, "above"), ", ", "–"));
}

static bool any_near(const struct cp_json *symbols)
{
    for (const struct cp_json *at = cp_json_first(symbols); at; at = cp_json_next(at))
        if (cp_reply_member(at, "nearest")) return true;
    return false;
}

static void write_symbols(const struct cp_page *page, const struct cp_json *symbols)
{
    struct cp_text_table table;
    cp_table_begin(&table, page->out->arena, columns, any_near(symbols) ? COLUMNS : BELOW);
    for (const struct cp_json *at = cp_json_first(symbols); at; at = cp_json_next(at)) add_symbol(&table, at);
    cp_table_write(&table, page);
}

static void write_shape(const struct cp_page *page, struct cp_text name, const struct cp_json *shape)
{
    if (!shape || cp_json_type(shape) != CP_JSON_ARRAY) return;
    cp_page_put(page, CP_TONE_FAINT, name);
    cp_put(page->out, " ");
    cp_page_put(page, CP_TONE_STRONG, cp_reply_text(page->out->arena, shape, " × ", "?"));
    cp_put(page->out, "\n");
}

static void write_shapes(const struct cp_page *page, const struct cp_json *reply)
{
    const struct cp_json *inputs = cp_reply_member(reply, "inputs");
    write_shape(page, CP_TEXT("input "), cp_reply_member(reply, "input"));
    for (const struct cp_json *at = inputs ? cp_json_first(inputs) : NULL; at; at = cp_json_next(at))
        write_shape(page, cp_json_name(at), at);
    write_shape(page, CP_TEXT("output"), cp_reply_member(reply, "output"));
}

/* "n = 99 fails at concat_5: …" for the size asked about and its neighbours. */
static void write_failures(const struct cp_page *page, const struct cp_json *symbol)
{
    static const char *const sides[] = {"below", "at", "above"};
    for (size_t side = 0; side < sizeof sides / sizeof sides[0]; side++) {
        const struct cp_json *failure = cp_reply_member(cp_reply_member(symbol, "fails"), sides[side]);
        if (!failure || cp_json_type(failure) != CP_JSON_OBJECT) continue;
        cp_page_put(page, CP_TONE_PLAIN, cp_json_name(symbol));
        cp_put(page->out, " = ");
        cp_put_text(page->out, cp_reply_text(page->out->arena, cp_reply_member(failure, "size"), ", ", "?"));
        cp_put(page->out, " fails at ");
        cp_page_put(page, CP_TONE_STRONG, cp_reply_string(cp_reply_member(failure, "layer")));
        cp_put(page->out, ": ");
        const struct cp_json *finding = cp_reply_member(failure, "finding");
        cp_page_put(page, CP_TONE_PLAIN, cp_reply_string(cp_reply_member(finding, "detail")));
        cp_put(page->out, "\n");
    }
}

void cp_text_of_sizes(const struct cp_page *page, const struct cp_json *reply)
{
    const struct cp_json *symbols = cp_reply_member(reply, "symbols");
    write_symbols(page, symbols);
    write_shapes(page, reply);
    if (!cp_reply_is_true(cp_reply_member(reply, "valid"))) return; /* a finding says why */
    for (const struct cp_json *at = cp_json_first(symbols); at; at = cp_json_next(at)) write_failures(page, at);
}
