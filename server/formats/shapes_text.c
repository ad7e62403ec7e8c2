/* The reply of /v1/shapes as a table. */
#include "server/formats/report.h"

enum { NAME, TYPE, OUTPUT, PARAMS, MACS, FIELD, COLUMNS };

static const struct cp_column columns[COLUMNS] = {
    [NAME] = {"layer", CP_ALIGN_LEFT},    [TYPE] = {"type", CP_ALIGN_LEFT},
    [OUTPUT] = {"output", CP_ALIGN_LEFT}, [PARAMS] = {"params", CP_ALIGN_RIGHT},
    [MACS] = {"MACs", CP_ALIGN_RIGHT},    [FIELD] = {"receptive field", CP_ALIGN_RIGHT},
};

static const struct cp_json *member(const struct cp_json *object, const char *name)
{
    return object ? cp_json_member(object, cp_text_of(name)) : NULL;
}

static struct cp_text text_of(const struct cp_json *value)
{
    if (!value || cp_json_type(value) != CP_JSON_STRING) return (struct cp_text){0};
    return cp_json_text(value);
}

/* The integers of a list with `between` them; "?" for null, for what is no list too. */
static void write_list(struct cp_writer *out, const struct cp_json *list, const char *between)
{
    int64_t integer;
    char digits[CP_DISPLAY_COUNT_ROOM];
    if (!list || cp_json_type(list) != CP_JSON_ARRAY) {
        cp_put(out, "?");
        return;
    }
    for (const struct cp_json *at = cp_json_first(list); at; at = cp_json_next(at)) {
        if (at != cp_json_first(list)) cp_put(out, between);
        if (cp_json_integer(at, &integer))
            cp_write_raw(out, digits, cp_display_count(integer, digits));
        else
            cp_put(out, "?");
    }
}

static struct cp_text list_text(struct cp_arena *arena, const struct cp_json *list, const char *between)
{
    struct cp_writer out;
    cp_writer_begin(&out, arena, 64);
    write_list(&out, list, between);
    return cp_writer_text(&out);
}

static struct cp_text field_text(struct cp_arena *arena, const struct cp_json *field)
{
    if (field && cp_json_type(field) == CP_JSON_STRING) return cp_json_text(field);
    if (!field || cp_json_type(field) != CP_JSON_OBJECT) return CP_TEXT("–");
    struct cp_text sizes = list_text(arena, member(field, "size"), "×");
    return sizes.size ? sizes : CP_TEXT("–");
}

static void add_count(struct cp_text_table *table, const struct cp_json *count)
{
    int64_t integer;
    if (count && cp_json_integer(count, &integer))
        cp_table_count(table, integer);
    else
        cp_table_cell(table, CP_TEXT("?"));
}

static void add_layer(struct cp_text_table *table, const struct cp_json *layer)
{
    const struct cp_json *output = member(layer, "output");
    bool planned = output && cp_json_type(output) == CP_JSON_ARRAY;
    cp_table_row(table, planned ? CP_TONE_PLAIN : CP_TONE_ERROR);
    cp_table_cell(table, text_of(member(layer, "name")));
    cp_table_cell(table, text_of(member(layer, "type")));
    cp_table_cell(table, list_text(table->arena, output, " × "));
    add_count(table, member(layer, "params"));
    add_count(table, member(layer, "macs"));
    cp_table_cell(table, field_text(table->arena, member(layer, "receptive_field")));
}

static void add_input(struct cp_text_table *table, struct cp_text name, const struct cp_json *shape)
{
    cp_table_row(table, CP_TONE_FAINT);
    cp_table_cell(table, name);
    cp_table_cell(table, (struct cp_text){0});
    cp_table_cell(table, list_text(table->arena, shape, " × "));
}

static void add_inputs(struct cp_text_table *table, const struct cp_json *reply)
{
    const struct cp_json *input = member(reply, "input");
    const struct cp_json *inputs = member(reply, "inputs");
    if (input) add_input(table, CP_TEXT("input"), input);
    for (const struct cp_json *at = inputs ? cp_json_first(inputs) : NULL; at; at = cp_json_next(at))
        add_input(table, cp_json_name(at), at);
}

static void add_totals(struct cp_text_table *table, const struct cp_json *reply)
{
    const struct cp_json *totals = member(reply, "totals");
    cp_table_rule(table);
    cp_table_row(table, CP_TONE_STRONG);
    cp_table_cell(table, CP_TEXT("total"));
    cp_table_cell(table, (struct cp_text){0});
    cp_table_cell(table, list_text(table->arena, member(reply, "output"), " × "));
    add_count(table, member(totals, "params"));
    add_count(table, member(totals, "macs"));
}

static void write_peak(const struct cp_page *page, const struct cp_json *reply)
{
    int64_t bytes;
    char digits[CP_DISPLAY_COUNT_ROOM];
    const struct cp_json *peak = member(member(reply, "totals"), "peak_activation_bytes");
    if (!peak || !cp_json_integer(peak, &bytes)) return;
    cp_display_count(bytes, digits);
    cp_put(page->out, "peak activation memory: ");
    cp_put(page->out, digits);
    cp_put(page->out, " bytes\n");
}

/* With "explain" in the request: how each size comes about. */
static void write_formulas(const struct cp_page *page, const struct cp_json *layers)
{
    for (const struct cp_json *layer = layers ? cp_json_first(layers) : NULL; layer; layer = cp_json_next(layer)) {
        const struct cp_json *formulas = member(layer, "formula");
        for (const struct cp_json *at = formulas ? cp_json_first(formulas) : NULL; at; at = cp_json_next(at)) {
            cp_page_put(page, CP_TONE_STRONG, text_of(member(layer, "name")));
            cp_put(page->out, "  ");
            cp_page_put(page, CP_TONE_PLAIN, text_of(at));
            cp_put(page->out, "\n");
        }
    }
}

void cp_text_of_shapes(const struct cp_page *page, const struct cp_json *reply)
{
    struct cp_text_table table;
    const struct cp_json *layers = member(reply, "layers");
    cp_table_begin(&table, page->out->arena, columns, COLUMNS);
    add_inputs(&table, reply);
    for (const struct cp_json *at = layers ? cp_json_first(layers) : NULL; at; at = cp_json_next(at))
        add_layer(&table, at);
    add_totals(&table, reply);
    cp_table_write(&table, page);
    write_peak(page, reply);
    write_formulas(page, layers);
}
