/* The reply of /v1/decoder: the layers with what they are given and what comes out of each, then the verdict. */
#include "server/formats/reply_text.h"
#include "server/formats/report.h"

enum { NAME, TYPE, MEMBERS, OUTPUT, COLUMNS };

static const struct cp_column columns[COLUMNS] = {
    [NAME] = {"layer", CP_ALIGN_LEFT},
    [TYPE] = {"type", CP_ALIGN_LEFT},
    [MEMBERS] = {"parameters", CP_ALIGN_LEFT},
    [OUTPUT] = {"output", CP_ALIGN_LEFT},
};

static void write_number(struct cp_writer *out, const struct cp_json *number)
{
    struct cp_writer digits;
    int64_t integer;
    cp_writer_begin(&digits, out->arena, 32);
    if (cp_json_integer(number, &integer))
        cp_write_integer(&digits, integer);
    else
        cp_write_double(&digits, cp_json_number(number));
    cp_put_text(out, cp_writer_text(&digits));
}

static void write_scalar(struct cp_writer *out, const struct cp_json *value)
{
    switch (cp_json_type(value)) {
    case CP_JSON_NUMBER: write_number(out, value); break;
    case CP_JSON_STRING: cp_put_text(out, cp_json_text(value)); break;
    case CP_JSON_TRUE: cp_put(out, "true"); break;
    case CP_JSON_FALSE: cp_put(out, "false"); break;
    default: cp_put(out, "null"); break;
    }
}

/* A list of scalars. */
static void write_list(struct cp_writer *out, const struct cp_json *list, const char *between)
{
    for (const struct cp_json *at = cp_json_first(list); at; at = cp_json_next(at)) {
        if (at != cp_json_first(list)) cp_put(out, between);
        write_scalar(out, at);
    }
}

/* Of a layer: a scalar, a list of them, or the pairs of padding. */
static void write_value(struct cp_writer *out, const struct cp_json *value)
{
    if (cp_json_type(value) != CP_JSON_ARRAY) {
        write_scalar(out, value);
        return;
    }
    cp_put(out, "[");
    for (const struct cp_json *at = cp_json_first(value); at; at = cp_json_next(at)) {
        bool pair = cp_json_type(at) == CP_JSON_ARRAY;
        if (at != cp_json_first(value)) cp_put(out, ", ");
        if (pair) cp_put(out, "[");
        if (pair)
            write_list(out, at, ", ");
        else
            write_scalar(out, at);
        if (pair) cp_put(out, "]");
    }
    cp_put(out, "]");
}

static struct cp_text members_text(struct cp_arena *arena, const struct cp_json *layer)
{
    struct cp_writer out;
    bool follows = false;
    cp_writer_begin(&out, arena, 128);
    for (const struct cp_json *at = cp_json_first(layer); at; at = cp_json_next(at)) {
        struct cp_text name = cp_json_name(at);
        if (cp_text_is(name, "type") || cp_text_is(name, "name")) continue;
        if (follows) cp_put(&out, ", ");
        cp_put_text(&out, name);
        cp_put(&out, " ");
        write_value(&out, at);
        follows = true;
    }
    return cp_writer_text(&out);
}

static struct cp_text shape_text(struct cp_arena *arena, const struct cp_json *shape)
{
    struct cp_writer out;
    if (!shape || cp_json_type(shape) != CP_JSON_ARRAY) return CP_TEXT("?");
    cp_writer_begin(&out, arena, 64);
    write_list(&out, shape, " × ");
    return cp_writer_text(&out);
}

static void write_layers(const struct cp_page *page, const struct cp_json *layers, const struct cp_json *planned)
{
    struct cp_text_table table;
    cp_table_begin(&table, page->out->arena, columns, COLUMNS);
    const struct cp_json *plan = planned ? cp_json_first(planned) : NULL;
    for (const struct cp_json *at = cp_json_first(layers); at; at = cp_json_next(at)) {
        cp_table_row(&table, CP_TONE_PLAIN);
        cp_table_cell(&table, cp_reply_string(cp_reply_member(at, "name")));
        cp_table_cell(&table, cp_reply_string(cp_reply_member(at, "type")));
        cp_table_cell(&table, members_text(table.arena, at));
        cp_table_cell(&table, shape_text(table.arena, cp_reply_member(plan, "output")));
        plan = plan ? cp_json_next(plan) : NULL;
    }
    cp_table_write(&table, page);
}

static void write_notes(const struct cp_page *page, const struct cp_json *notes)
{
    for (const struct cp_json *at = notes ? cp_json_first(notes) : NULL; at; at = cp_json_next(at)) {
        cp_page_put(page, CP_TONE_FAINT, cp_reply_string(at));
        cp_put(page->out, "\n");
    }
}

void cp_text_of_decoder(const struct cp_page *page, const struct cp_json *reply)
{
    const struct cp_json *layers = cp_reply_member(reply, "decoder");
    const struct cp_json *roundtrip = cp_reply_member(reply, "roundtrip");
    if (!layers || cp_json_type(layers) != CP_JSON_ARRAY) {
        cp_put(page->out, "no decoder\n");
        return;
    }
    write_layers(page, layers, cp_reply_member(roundtrip, "decoder"));
    cp_put(page->out, "\n");
    cp_text_of_roundtrip(page, roundtrip);
    write_notes(page, cp_reply_member(reply, "notes"));
}
