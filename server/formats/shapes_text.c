/* The reply of /v1/shapes as a table. */
#include "server/formats/reply_text.h"
#include "server/formats/report.h"

enum { NAME, TYPE, OUTPUT, PARAMS, MACS, FIELD, COLUMNS };

static const struct cp_column columns[COLUMNS] = {
    [NAME] = {"layer", CP_ALIGN_LEFT},    [TYPE] = {"type", CP_ALIGN_LEFT},
    [OUTPUT] = {"output", CP_ALIGN_LEFT}, [PARAMS] = {"params", CP_ALIGN_RIGHT},
    [MACS] = {"MACs", CP_ALIGN_RIGHT},    [FIELD] = {"receptive field", CP_ALIGN_RIGHT},
};

static struct cp_text field_text(struct cp_arena *arena, const struct cp_json *field)
{
    if (field && cp_json_type(field) == CP_JSON_STRING) return cp_json_text(field);
    if (!field || cp_json_type(field) != CP_JSON_OBJECT) return CP_TEXT("–");
    struct cp_text sizes = cp_reply_text(arena, cp_reply_member(field, "size"), "×", "?");
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
    const struct cp_json *output = cp_reply_member(layer, "output");
    bool planned = output && cp_json_type(output) == CP_JSON_ARRAY;
    cp_table_row(table, planned ? CP_TONE_PLAIN : CP_TONE_ERROR);
    cp_table_cell(table, cp_reply_string(cp_reply_member(layer, "name")));
    cp_table_cell(table, cp_reply_string(cp_reply_member(layer, "type")));
    cp_table_cell(table, cp_reply_text(table->arena, output, " × ", "?"));
    add_count(table, cp_reply_member(layer, "params"));
    add_count(table, cp_reply_member(layer, "macs"));
    cp_table_cell(table, field_text(table->arena, cp_reply_member(layer, "receptive_field")));
}

static void add_input(struct cp_text_table *table, struct cp_text name, const struct cp_json *shape)
{
    cp_table_row(table, CP_TONE_FAINT);
    cp_table_cell(table, name);
    cp_table_cell(table, (struct cp_text){0});
    cp_table_cell(table, cp_reply_text(table->arena, shape, " × ", "?"));
}

static void add_inputs(struct cp_text_table *table, const struct cp_json *reply)
{
    const struct cp_json *input = cp_reply_member(reply, "input");
    const struct cp_json *inputs = cp_reply_member(reply, "inputs");
    if (input) add_input(table, CP_TEXT("input"), input);
    for (const struct cp_json *at = inputs ? cp_json_first(inputs) : NULL; at; at = cp_json_next(at))
        add_input(table, cp_json_name(at), at);
}

static void add_totals(struct cp_text_table *table, const struct cp_json *reply)
{
    const struct cp_json *totals = cp_reply_member(reply, "totals");
    cp_table_rule(table);
    cp_table_row(table, CP_TONE_STRONG);
    cp_table_cell(table, CP_TEXT("total"));
    cp_table_cell(table, (struct cp_text){0});
    cp_table_cell(table, cp_reply_text(table->arena, cp_reply_member(reply, "output"), " × ", "?"));
    add_count(table, cp_reply_member(totals, "params"));
    add_count(table, cp_reply_member(totals, "macs"));
}

static void write_peak(const struct cp_page *page, const struct cp_json *reply)
{
    int64_t bytes;
    char digits[CP_DISPLAY_COUNT_ROOM];
    const struct cp_json *peak = cp_reply_member(cp_reply_member(reply, "totals"), "peak_activation_bytes");
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
        const struct cp_json *formulas = cp_reply_member(layer, "formula");
        for (const struct cp_json *at = formulas ? cp_json_first(formulas) : NULL; at; at = cp_json_next(at)) {
            cp_page_put(page, CP_TONE_STRONG, cp_reply_string(cp_reply_member(layer, "name")));
            cp_put(page->out, "  ");
            cp_page_put(page, CP_TONE_PLAIN, cp_reply_string(at));
            cp_put(page->out, "\n");
        }
    }
}

void cp_text_of_shapes(const struct cp_page *page, const struct cp_json *reply)
{
    struct cp_text_table table;
    const struct cp_json *layers = cp_reply_member(reply, "layers");
    cp_table_begin(&table, page->out->arena, columns, COLUMNS);
    add_inputs(&table, reply);
    for (const struct cp_json *at = layers ? cp_json_first(layers) : NULL; at; at = cp_json_next(at))
        add_layer(&table, at);
    add_totals(&table, reply);
    cp_table_write(&table, page);
    write_peak(page, reply);
    write_formulas(page, layers);
}
