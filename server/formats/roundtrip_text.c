/* The reply of /v1/roundtrip as a table of pairs. */
#include "server/formats/report.h"

enum {
    ENCODER,
    DECODER,
    AXIS,
    INPUT,
    KERNEL,
    STRIDE,
    PADDING,
    LATENT,
    REST,
    EXTRA,
    OUTPUT,
    EXPECTED,
    VERDICT,
    COLUMNS
};

static const struct cp_column columns[COLUMNS] = {
    [ENCODER] = {"encoder", CP_ALIGN_LEFT}, [DECODER] = {"decoder", CP_ALIGN_LEFT},
    [AXIS] = {"axis", CP_ALIGN_LEFT},       [INPUT] = {"i", CP_ALIGN_RIGHT},
    [KERNEL] = {"k", CP_ALIGN_RIGHT},       [STRIDE] = {"s", CP_ALIGN_RIGHT},
    [PADDING] = {"p", CP_ALIGN_RIGHT},      [LATENT] = {"i′", CP_ALIGN_RIGHT},
    [REST] = {"a", CP_ALIGN_RIGHT},         [EXTRA] = {"output_padding", CP_ALIGN_RIGHT},
    [OUTPUT] = {"output", CP_ALIGN_RIGHT},  [EXPECTED] = {"expected", CP_ALIGN_RIGHT},
    [VERDICT] = {"", CP_ALIGN_LEFT},
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

static void write_number(struct cp_writer *out, const struct cp_json *value, const char *otherwise)
{
    int64_t integer;
    char digits[CP_DISPLAY_COUNT_ROOM];
    if (!value || !cp_json_integer(value, &integer)) {
        cp_put(out, otherwise);
        return;
    }
    cp_display_count(integer, digits);
    cp_put(out, digits);
}

/* A number, or the numbers of a list with `between` them; `otherwise` for null. */
static struct cp_text numbers_text(struct cp_arena *arena, const struct cp_json *value, const char *between,
                                   const char *otherwise)
{
    struct cp_writer out;
    cp_writer_begin(&out, arena, 32);
    if (!value || cp_json_type(value) != CP_JSON_ARRAY) {
        write_number(&out, value, otherwise);
        return cp_writer_text(&out);
    }
    for (const struct cp_json *at = cp_json_first(value); at; at = cp_json_next(at)) {
        if (at != cp_json_first(value)) cp_put(&out, between);
        write_number(&out, at, "?");
    }
    return cp_writer_text(&out);
}

static bool is_true(const struct cp_json *value)
{
    return value && cp_json_type(value) == CP_JSON_TRUE;
}

static void add_axis(struct cp_text_table *table, const struct cp_json *pair, const struct cp_json *axis)
{
    static const char *const names[] = {[INPUT] = "i",
                                        [KERNEL] = "k",
                                        [STRIDE] = "s",
                                        [PADDING] = "p",
                                        [LATENT] = "i_prime",
                                        [REST] = "a",
                                        [EXTRA] = "output_padding"};
    bool right = is_true(member(axis, "round_trips"));
    cp_table_row(table, right ? CP_TONE_PLAIN : CP_TONE_ERROR);
    cp_table_cell(table, text_of(member(pair, "encoder")));
    cp_table_cell(table, text_of(member(pair, "decoder")));
    cp_table_cell(table, text_of(member(axis, "axis")));
    for (int column = INPUT; column <= EXTRA; column++)
        cp_table_cell(table, numbers_text(table->arena, member(axis, names[column]), ",", "–"));
    cp_table_cell(table, numbers_text(table->arena, member(axis, "output"), ",", "?"));
    cp_table_cell(table, numbers_text(table->arena, member(axis, "expected"), ",", "?"));
    cp_table_cell(table, right ? CP_TEXT("✓") : CP_TEXT("✗"));
}

static void write_pairs(const struct cp_page *page, const struct cp_json *pairs)
{
    struct cp_text_table table;
    if (!pairs || !cp_json_first(pairs)) return;
    cp_table_begin(&table, page->out->arena, columns, COLUMNS);
    for (const struct cp_json *pair = cp_json_first(pairs); pair; pair = cp_json_next(pair)) {
        const struct cp_json *axes = member(pair, "axes");
        for (const struct cp_json *axis = axes ? cp_json_first(axes) : NULL; axis; axis = cp_json_next(axis))
            add_axis(&table, pair, axis);
    }
    cp_table_write(&table, page);
}

static void write_shape(const struct cp_page *page, const char *label, const struct cp_json *shape)
{
    cp_page_put(page, CP_TONE_FAINT, cp_text_of(label));
    cp_page_put(page, CP_TONE_STRONG, numbers_text(page->out->arena, shape, " × ", "?"));
}

void cp_text_of_roundtrip(const struct cp_page *page, const struct cp_json *reply)
{
    write_shape(page, "input ", member(reply, "input"));
    write_shape(page, "  →  latent ", member(reply, "latent"));
    write_shape(page, "  →  output ", member(reply, "output"));
    cp_put(page->out, "\n");
    write_pairs(page, member(reply, "pairs"));
}
