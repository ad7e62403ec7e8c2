/* The reply of /v1/roundtrip as a table of pairs. */
#include "server/formats/reply_text.h"
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

static void add_axis(struct cp_text_table *table, const struct cp_json *pair, const struct cp_json *axis)
{
    static const char *const names[] = {[INPUT] = "i",
                                        [KERNEL] = "k",
                                        [STRIDE] = "s",
                                        [PADDING] = "p",
                                        [LATENT] = "i_prime",
                                        [REST] = "a",
                                        [EXTRA] = "output_padding"};
    bool right = cp_reply_is_true(cp_reply_member(axis, "round_trips"));
    cp_table_row(table, right ? CP_TONE_PLAIN : CP_TONE_ERROR);
    cp_table_cell(table, cp_reply_string(cp_reply_member(pair, "encoder")));
    cp_table_cell(table, cp_reply_string(cp_reply_member(pair, "decoder")));
    cp_table_cell(table, cp_reply_string(cp_reply_member(axis, "axis")));
    for (int column = INPUT; column <= EXTRA; column++)
        cp_table_cell(table, cp_reply_text(table->arena, cp_reply_member(axis, names[column]), ",", "–"));
    cp_table_cell(table, cp_reply_text(table->arena, cp_reply_member(axis, "output"), ",", "?"));
    cp_table_cell(table, cp_reply_text(table->arena, cp_reply_member(axis, "expected"), ",", "?"));
    cp_table_cell(table, right ? CP_TEXT("✓") : CP_TEXT("✗"));
}

static void write_pairs(const struct cp_page *page, const struct cp_json *pairs)
{
    struct cp_text_table table;
    if (!pairs || !cp_json_first(pairs)) return;
    cp_table_begin(&table, page->out->arena, columns, COLUMNS);
    for (const struct cp_json *pair = cp_json_first(pairs); pair; pair = cp_json_next(pair)) {
        const struct cp_json *axes = cp_reply_member(pair, "axes");
        for (const struct cp_json *axis = axes ? cp_json_first(axes) : NULL; axis; axis = cp_json_next(axis))
            add_axis(&table, pair, axis);
    }
    cp_table_write(&table, page);
}

static void write_shape(const struct cp_page *page, const char *label, const struct cp_json *shape)
{
    cp_page_put(page, CP_TONE_FAINT, cp_text_of(label));
    cp_page_put(page, CP_TONE_STRONG, cp_reply_text(page->out->arena, shape, " × ", "?"));
}

void cp_text_of_roundtrip(const struct cp_page *page, const struct cp_json *reply)
{
    write_shape(page, "input ", cp_reply_member(reply, "input"));
    write_shape(page, "  →  latent ", cp_reply_member(reply, "latent"));
    write_shape(page, "  →  output ", cp_reply_member(reply, "output"));
    cp_put(page->out, "\n");
    write_pairs(page, cp_reply_member(reply, "pairs"));
}
