#include "core/figure/diagram.h"

#include "core/figure/diagram_layout.h"

/* ---- The look ----------------------------------------------------------------------------------------------------- */

static const struct cp_style_rule rules[] = {
    {".paper", "", "fill:#ffffff", "fill:#12171d"},
    {"text", CP_SANS ";font-size:9px;", "fill:#1f2933", "fill:#e4e9ee"},
    {".heading", "font-size:15px;font-weight:600", "", ""},
    {".facts", "font-size:12px;", "fill:#5b6775", "fill:#9aa7b4"},
    {".size", "", "fill:#5b6775", "fill:#9aa7b4"},
    {".legend", "font-size:11px;", "fill:#5b6775", "fill:#9aa7b4"},
    {".wire", "fill:none;", "stroke:#8a97a5", "stroke:#71808f"},
    {".arc", "fill:none;stroke-width:1.2;", "stroke:#b0466b", "stroke:#e38aa9"},
    {".end", "", "fill:#b0466b", "fill:#e38aa9"},
    {".input", "", "fill:#eef2f6;stroke:#5b6775", "fill:#232c36;stroke:#9aa7b4"},
    {".convolution", "", "fill:#b7d3f2;stroke:#3b76b8", "fill:#2c4f78;stroke:#6fa8e0"},
    {".transposed", "", "fill:#d3c6ee;stroke:#6f55b5", "fill:#44357a;stroke:#a893e0"},
    {".pooling", "", "fill:#f6d3ad;stroke:#b8742a", "fill:#6b451c;stroke:#e0a35f"},
    {".unpooling", "", "fill:#f3c6b8;stroke:#b3593a", "fill:#6b3423;stroke:#e08d6f"},
    {".adaptive", "", "fill:#f2dfa6;stroke:#9c7b1c", "fill:#5a4813;stroke:#d3b352"},
    {".padding", "stroke-dasharray:3 2;", "fill:#eef2f6;stroke:#7b8b9a", "fill:#232c36;stroke:#8fa0b0"},
    {".cropping", "stroke-dasharray:3 2;", "fill:#ffffff;stroke:#7b8b9a", "fill:#12171d;stroke:#8fa0b0"},
    {".resampling", "", "fill:#c9e4c5;stroke:#4b8b46", "fill:#2c5229;stroke:#83c07d"},
    {".dense", "", "fill:#a5dfd3;stroke:#1c8a78", "fill:#1f5f55;stroke:#4fc0ad"},
    {".shape", "", "fill:#e6e9ed;stroke:#8a97a5", "fill:#2a323b;stroke:#8a97a5"},
    {".merge", "", "fill:#f4c7d5;stroke:#b0466b", "fill:#662a40;stroke:#e38aa9"},
    {".normalisation", "", "fill:#e3ead0;stroke:#7c8f3e", "fill:#3f4a1e;stroke:#a9bd66"},
    {".constant", "", "fill:#d9e5d0;stroke:#5f7f4e", "fill:#33452a;stroke:#93b580"},
    {".activation", "", "fill:#fbd7d0;stroke:#c0604e", "fill:#6b3027;stroke:#e68d7d"},
    {".dropout", "", "fill:#e9e2f4;stroke:#8e7bb8", "fill:#403559;stroke:#b3a2d8"},
    {".unknown", "stroke-dasharray:2 2;", "fill:#ffffff;stroke:#5b6775", "fill:#12171d;stroke:#9aa7b4"},
    {".failed", "stroke-dasharray:3 2;", "fill:#ffffff", "fill:#12171d"},
    {".error", "", "stroke:#c62f2b;stroke-width:2", "stroke:#ff7b74;stroke-width:2"},
    {".warning", "", "stroke:#b8742a;stroke-width:2", "stroke:#e0a35f;stroke-width:2"},
    {".badge", "", "fill:#c62f2b", "fill:#ff7b74"},
    {".caution", "", "fill:#a86a1f", "fill:#e0a35f"},
    {".number", "font-size:8px;font-weight:700;text-anchor:middle;", "fill:#ffffff", "fill:#12171d"},
    {".note", "font-size:11px", "", ""},
};
enum { RULE_COUNT = sizeof rules / sizeof rules[0] };

enum {
    HEADING_BASELINE = 36,
    FACTS_BASELINE = 56,
    LINES_TOP = 66,
    SWATCH = 11,
    LEGEND_LINE = 18,
    LEGEND_SIZE = 11,
    NOTE_LINE = 17,
    NOTES_SHOWN = 20,
    LEAST_WIDTH = 480,
    LEAST_WIDTH_OF_NOTES = 720,
    STUB = 16, /* of what goes on in another line */
};

struct drawing {
    const struct cp_diagram *diagram;
    const struct cp_stack *stack;
    struct cp_text_builder *svg;
    struct cp_arena *arena;
    struct cp_diagram_layout layout;
    uint32_t *first_note; /* of each block, from 1; 0: none */
};

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static const char *class_of(const struct drawing *drawing, uint32_t source)
{
    if (source < drawing->stack->input_count) return "input";
    return drawing->stack->layers[source - drawing->stack->input_count].type->kind->family;
}

static int64_t top_of(const struct drawing *drawing, uint32_t source)
{
    const struct cp_diagram_block *block = &drawing->layout.blocks[source];
    return drawing->layout.lines[block->line].middle - block->height / 2;
}

static int64_t center_of(const struct drawing *drawing, uint32_t source)
{
    return drawing->layout.blocks[source].x + drawing->layout.blocks[source].width / 2;
}

static int64_t middle_of(const struct drawing *drawing, uint32_t source)
{
    return drawing->layout.lines[drawing->layout.blocks[source].line].middle;
}

static void draw_text(const struct drawing *drawing, const char *name, int64_t x, int64_t y, struct cp_text text)
{
    cp_text_addf(drawing->svg, "<text class=\"%s\" x=\"%d\" y=\"%d\">", name, (int)x, (int)y);
    cp_text_add_xml(drawing->svg, text);
    cp_text_add_string(drawing->svg, "</text>\n");
}

/* ---- Blocks ------------------------------------------------------------------------------------------------------- */

static void draw_label(const struct drawing *drawing, uint32_t source)
{
    const struct cp_diagram_block *block = &drawing->layout.blocks[source];
    const struct cp_diagram_line *line = &drawing->layout.lines[block->line];
    cp_text_addf(drawing->svg, "<text transform=\"translate(%d %d) rotate(90)\">", (int)center_of(drawing, source) - 3,
                 (int)(line->middle + line->reach + 8));
    cp_text_add_xml(drawing->svg, block->name);
    if (block->size.size) cp_text_add_string(drawing->svg, "<tspan class=\"size\" dx=\"5\">");
    cp_text_add(drawing->svg, block->size);
    if (block->size.size) cp_text_add_string(drawing->svg, "</tspan>");
    cp_text_add_string(drawing->svg, "</text>\n");
}

static const char *severity_of(const struct drawing *drawing, uint32_t source)
{
    bool any = false;
    for (uint32_t at = 0; at < drawing->diagram->note_count; at++) {
        if (drawing->diagram->notes[at].layer + drawing->stack->input_count != source) continue;
        if (drawing->diagram->notes[at].error) return " error";
        any = true;
    }
    return any ? " warning" : "";
}

static void draw_block(const struct drawing *drawing, uint32_t source)
{
    const struct cp_diagram_block *block = &drawing->layout.blocks[source];
    bool known = cp_plan_source_shape(drawing->diagram->plan, source) != NULL;
    cp_text_addf(drawing->svg, "<rect class=\"%s%s%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"2\"/>\n",
                 class_of(drawing, source), known ? "" : " failed",
                 drawing->first_note[source] ? severity_of(drawing, source) : "", (int)block->x,
                 (int)top_of(drawing, source), (int)block->width, (int)block->height);
    draw_label(drawing, source);
}

/* ---- Connections -------------------------------------------------------------------------------------------------- */

int64_t cp_diagram_connections(const struct cp_stack *stack)
{
    int64_t count = 0;
    for (uint32_t at = 0; at < stack->layer_count; at++)
        for (uint32_t source = 0; source < stack->layers[at].source_count; source++)
            count += stack->layers[at].sources[source] + 1 != at + stack->input_count;
    return count;
}

/* From the block before; from one line to the next in two stubs. */
static void draw_wire(const struct drawing *drawing, uint32_t source)
{
    const struct cp_diagram_block *block = &drawing->layout.blocks[source], *before = block - 1;
    if (!block->chained || block->attached) return;
    int64_t from = before->x + before->width, y = middle_of(drawing, source);
    if (before->line == block->line)
        cp_text_addf(drawing->svg, "<path class=\"wire\" d=\"M%d %dH%d\"/>\n", (int)from, (int)y, (int)block->x);
    else
        cp_text_addf(drawing->svg, "<path class=\"wire\" d=\"M%d %dh%dM%d %dh-%d\"/>\n", (int)from,
                     (int)middle_of(drawing, source - 1), STUB, (int)block->x, (int)y, STUB);
}

/* Arcs of a block that go on in other lines, in one direction: how many, and the first block that they go to. */
struct stub {
    uint32_t count, other;
};

static struct cp_text stub_text(const struct drawing *drawing, const struct stub *stub, bool forward)
{
    enum { NAME = 24 };
    struct cp_text_builder text = {.arena = drawing->arena};
    if (forward) cp_text_add_string(&text, "→ ");
    cp_text_add(&text, cp_text_shortened(drawing->arena, drawing->layout.blocks[stub->other].name, NAME));
    if (stub->count > 1) cp_text_addf(&text, " and %d more", (int)stub->count - 1);
    if (!forward) cp_text_add_string(&text, " →");
    return cp_text_built(&text);
}

/* The begin or the end of arcs that go on in other lines, with the name of what is there: beside it, or above where the
 * picture has its own end. */
static void draw_stub(const struct drawing *drawing, uint32_t at, const struct stub *stub, bool forward)
{
    enum { RISE = 30, GAP = 3, UP = 6 };
    if (!stub->count) return;
    int64_t x = center_of(drawing, at), y = top_of(drawing, at), end = x + (forward ? STUB : -STUB);
    struct cp_text text = stub_text(drawing, stub, forward);
    int64_t length = cp_svg_text_width(text, CP_DIAGRAM_LABEL_SIZE) + GAP;
    bool fits = forward ? end + length <= drawing->layout.width : end >= length;
    cp_text_addf(drawing->svg, "<path class=\"arc\" d=\"M%d %dQ%d %d %d %d\"/>\n", (int)x, (int)y, (int)x,
                 (int)(y - RISE), (int)end, (int)(y - RISE));
    cp_text_addf(drawing->svg, "<text class=\"size\" x=\"%d\" y=\"%d\" text-anchor=\"%s\">",
                 (int)(fits ? end + (forward ? GAP : -GAP) : end), (int)(y - RISE + (fits ? GAP : -UP)),
                 forward == fits ? "start" : "end");
    cp_text_add_xml(drawing->svg, text);
    cp_text_add_string(drawing->svg, "</text>\n");
}

static void draw_arc(const struct drawing *drawing, uint32_t from, uint32_t to)
{
    int64_t lift = cp_diagram_arc_lift(&drawing->layout, from, to);
    int64_t control = (top_of(drawing, from) + top_of(drawing, to)) / 2 - lift;
    cp_text_addf(drawing->svg, "<path class=\"arc\" d=\"M%d %dC%d %d %d %d %d %d\"/>\n", (int)center_of(drawing, from),
                 (int)top_of(drawing, from), (int)center_of(drawing, from), (int)control, (int)center_of(drawing, to),
                 (int)control, (int)center_of(drawing, to), (int)top_of(drawing, to) - 4);
}

static void add_to(struct stub *stub, uint32_t other)
{
    if (stub->count++ == 0) stub->other = other;
}

static void draw_arcs_to(const struct drawing *drawing, uint32_t to, struct stub *onwards)
{
    const struct cp_layer *layer = &drawing->stack->layers[to - drawing->stack->input_count];
    struct stub back = {0};
    bool any = false;
    for (uint32_t at = 0; at < layer->source_count; at++) {
        uint32_t from = layer->sources[at];
        if (from + 1 == to) continue;
        any = true;
        if (drawing->layout.blocks[from].line == drawing->layout.blocks[to].line) {
            draw_arc(drawing, from, to);
        } else {
            add_to(&back, from);
            add_to(&onwards[from], to);
        }
    }
    draw_stub(drawing, to, &back, false);
    if (any)
        cp_text_addf(drawing->svg, "<path class=\"end\" d=\"M%d %dl-3 -5h6z\"/>\n", (int)center_of(drawing, to),
                     (int)top_of(drawing, to));
}

static void draw_arcs(const struct drawing *drawing)
{
    struct stub *onwards = CP_NEW_ARRAY(drawing->arena, struct stub, drawing->layout.block_count);
    for (uint32_t to = drawing->stack->input_count; to < drawing->layout.block_count; to++)
        draw_arcs_to(drawing, to, onwards);
    for (uint32_t from = 0; from < drawing->layout.block_count; from++) draw_stub(drawing, from, &onwards[from], true);
}

/* ---- Findings ----------------------------------------------------------------------------------------------------- */

static void draw_badge(const struct drawing *drawing, uint32_t number, bool error, int64_t x, int64_t y)
{
    cp_text_addf(drawing->svg,
                 "<g class=\"%s\"><circle cx=\"%d\" cy=\"%d\" r=\"6.5\"/><text class=\"number\" x=\"%d\" "
                 "y=\"%d\">%d</text></g>\n",
                 error ? "badge" : "badge caution", (int)x, (int)y, (int)x, (int)y + 3, (int)number);
}

static void number_findings(struct drawing *drawing)
{
    for (uint32_t at = drawing->diagram->note_count; at-- > 0;)
        drawing->first_note[drawing->stack->input_count + drawing->diagram->notes[at].layer] = at + 1;
}

static void draw_badges(const struct drawing *drawing)
{
    for (uint32_t source = 0; source < drawing->layout.block_count; source++) {
        uint32_t number = drawing->first_note[source];
        if (number)
            draw_badge(drawing, number, strcmp(severity_of(drawing, source), " error") == 0, center_of(drawing, source),
                       top_of(drawing, source) - 9);
    }
}

/* A text in lines of at most `width` pixels, broken at spaces. Returns the y beneath. */
static int64_t draw_paragraph(const struct drawing *drawing, const char *name, struct cp_text text, int64_t x,
                              int64_t y, int64_t width)
{
    while (text.size) {
        struct cp_text line = {text.bytes, 0};
        for (size_t at = 0; at <= text.size; at++) {
            if (at < text.size && text.bytes[at] != ' ') continue;
            bool fits = cp_svg_text_width((struct cp_text){text.bytes, at}, LEGEND_SIZE) <= width;
            if (line.size && !fits) break;
            line.size = at;
        }
        draw_text(drawing, name, x, y, line);
        size_t taken = line.size + (line.size < text.size);
        text.bytes += taken;
        text.size -= taken;
        y += NOTE_LINE;
    }
    return y;
}

static int64_t draw_notes(const struct drawing *drawing, int64_t y, int64_t width)
{
    const struct cp_diagram *diagram = drawing->diagram;
    uint32_t shown = diagram->note_count < NOTES_SHOWN ? diagram->note_count : NOTES_SHOWN;
    enum { INDENT = 16 };
    /* cppcheck-suppress knownConditionTrueFalse; it takes the count for 0 */
    for (uint32_t at = 0; at < shown; at++) {
        draw_badge(drawing, at + 1, diagram->notes[at].error, CP_DIAGRAM_MARGIN + 6, y - 4);
        y = draw_paragraph(drawing, "note", diagram->notes[at].text, CP_DIAGRAM_MARGIN + INDENT, y,
                           width - 2 * (int64_t)CP_DIAGRAM_MARGIN - INDENT);
    }
    if (shown < diagram->note_count) {
        cp_text_addf(drawing->svg, "<text class=\"legend\" x=\"%d\" y=\"%d\">and %d more</text>\n", CP_DIAGRAM_MARGIN,
                     (int)y, (int)(diagram->note_count - shown));
        y += NOTE_LINE;
    }
    return y;
}

/* ---- Texts -------------------------------------------------------------------------------------------------------- */

/* With narrow spaces between groups of three digits. */
static void add_grouped(struct cp_text_builder *text, int64_t number)
{
    enum { GROUP = 1000 };
    int64_t power = 1;
    while (number / power >= GROUP) power *= GROUP;
    cp_text_add_number(text, number / power);
    for (power /= GROUP; power; power /= GROUP) cp_text_addf(text, "\xe2\x80\xaf%03d", (int)(number / power % GROUP));
}

static struct cp_text facts(const struct drawing *drawing)
{
    const struct cp_plan *plan = drawing->diagram->plan;
    struct cp_text_builder text = {.arena = drawing->arena};
    uint32_t layers = drawing->stack->layer_count;
    cp_text_addf(&text, "%d layer%s", (int)layers, layers == 1 ? "" : "s");
    if (plan->params != CP_UNKNOWN) {
        cp_text_add_string(&text, "  ·  ");
        add_grouped(&text, plan->params);
        cp_text_add_string(&text, " parameters");
    }
    if (plan->macs != CP_UNKNOWN) {
        cp_text_add_string(&text, "  ·  ");
        add_grouped(&text, plan->macs);
        cp_text_add_string(&text, " multiplications");
    }
    if (!plan->valid)
        cp_text_addf(&text, "  ·  not valid: %d error%s", (int)plan->findings.errors,
                     plan->findings.errors == 1 ? "" : "s");
    return cp_text_built(&text);
}

static void add_shape(struct cp_text_builder *text, const struct drawing *drawing, const struct cp_shape *shape)
{
    struct cp_shape written = drawing->diagram->channels_last && shape ? cp_shape_to_channels_last(shape)
                              : shape                                  ? *shape
                                                                       : (struct cp_shape){0};
    if (!shape) cp_text_add_string(text, "unknown");
    for (int dim = 0; dim < written.rank; dim++) {
        if (dim) cp_text_add_string(text, " × ");
        cp_text_add_number(text, written.size[dim]);
    }
}

/* "1 × 3 × 224 × 224 → 1 × 1000" */
static struct cp_text heading(const struct drawing *drawing)
{
    struct cp_text_builder text = {.arena = drawing->arena};
    for (uint32_t at = 0; at < drawing->stack->input_count; at++) {
        if (at) cp_text_add_string(&text, ", ");
        add_shape(&text, drawing, &drawing->stack->inputs[at].shape);
    }
    cp_text_add_string(&text, "  →  ");
    add_shape(&text, drawing, cp_plan_source_shape(drawing->diagram->plan, drawing->layout.block_count - 1));
    return cp_text_built(&text);
}

static bool has_class(const struct drawing *drawing, const char *name)
{
    for (uint32_t source = 0; source < drawing->layout.block_count; source++)
        if (strcmp(class_of(drawing, source), name) == 0) return true;
    return false;
}

/* The families that there are, in the order of the rules, and what the sizes mean. Returns the y beneath. */
static int64_t draw_legend(const struct drawing *drawing, int64_t y, int64_t width)
{
    static const char scale[] =
        "height: the largest spatial axis, to scale; width: log₂ of the channels; upright without "
        "spatial axes: log₂ of the features";
    int64_t x = CP_DIAGRAM_MARGIN;
    for (int at = 0; at < RULE_COUNT; at++) {
        const char *name = rules[at].selector + 1;
        if (*rules[at].selector != '.' || !has_class(drawing, name)) continue;
        int64_t taken = SWATCH + 5 + cp_svg_text_width(cp_text_of(name), LEGEND_SIZE) + 14;
        if (x + taken > width - CP_DIAGRAM_MARGIN && x > CP_DIAGRAM_MARGIN) {
            x = CP_DIAGRAM_MARGIN;
            y += LEGEND_LINE;
        }
        cp_text_addf(drawing->svg, "<path class=\"%s\" d=\"M%d.5 %d.5h%dv%dh-%dz\"/>\n", name, (int)x,
                     (int)(y - SWATCH + 1), SWATCH - 1, SWATCH - 1, SWATCH - 1);
        draw_text(drawing, "legend", x + SWATCH + 5, y, cp_text_of(name));
        x += taken;
    }
    return draw_paragraph(drawing, "legend", cp_text_of(scale), CP_DIAGRAM_MARGIN, y + LEGEND_LINE,
                          width - 2 * (int64_t)CP_DIAGRAM_MARGIN);
}

static struct cp_text describe(const struct drawing *drawing)
{
    struct cp_text_builder text = {.arena = drawing->arena};
    cp_text_add(&text, facts(drawing));
    cp_text_add_string(&text, ". ");
    for (uint32_t at = 0; at < drawing->stack->layer_count; at++) {
        uint32_t source = at + drawing->stack->input_count;
        cp_text_add_string(&text, at ? "; " : "Layers: ");
        cp_text_add_xml(&text, drawing->layout.blocks[source].name);
        cp_text_addf(&text, " (%s) ", drawing->stack->layers[at].type->name);
        add_shape(&text, drawing, cp_plan_source_shape(drawing->diagram->plan, source));
    }
    cp_text_add_string(&text, ".");
    for (uint32_t at = 0; at < drawing->diagram->note_count && at < NOTES_SHOWN; at++) {
        cp_text_add_string(&text, " ");
        cp_text_add_xml(&text, drawing->diagram->notes[at].text);
        cp_text_add_string(&text, ".");
    }
    return cp_text_built(&text);
}

/* ---- The whole ---------------------------------------------------------------------------------------------------- */

static void draw_lines(const struct drawing *drawing)
{
    for (uint32_t source = 0; source < drawing->layout.block_count; source++) draw_wire(drawing, source);
    for (uint32_t source = 0; source < drawing->layout.block_count; source++) draw_block(drawing, source);
    draw_arcs(drawing);
    draw_badges(drawing);
}

/* The height is known once all is drawn: what is drawn goes into a text of its own first. */
struct cp_text cp_diagram_draw(const struct cp_diagram *diagram, struct cp_arena *arena)
{
    struct cp_text_builder body = {.arena = arena}, svg = {.arena = arena};
    struct drawing drawing = {.diagram = diagram, .stack = diagram->plan->stack, .svg = &body, .arena = arena};
    cp_diagram_lay_out(&drawing.layout, diagram, LINES_TOP, arena);
    drawing.first_note = CP_NEW_ARRAY(arena, uint32_t, drawing.layout.block_count);
    number_findings(&drawing);
    struct cp_text title = heading(&drawing), what = facts(&drawing);
    int64_t width = larger(drawing.layout.width, diagram->note_count ? LEAST_WIDTH_OF_NOTES : LEAST_WIDTH);
    width = larger(width, cp_svg_text_width(what, 12) + 2 * (int64_t)CP_DIAGRAM_MARGIN);
    draw_text(&drawing, "heading", CP_DIAGRAM_MARGIN, HEADING_BASELINE, title);
    draw_text(&drawing, "facts", CP_DIAGRAM_MARGIN, FACTS_BASELINE, what);
    draw_lines(&drawing);
    int64_t y = draw_legend(&drawing, drawing.layout.bottom, width);
    y = draw_notes(&drawing, y + 4, width);
    cp_svg_begin(&svg, width, y, title, describe(&drawing));
    cp_text_add_string(&svg, "<style>\n");
    cp_style_write(&svg, rules, RULE_COUNT, diagram->theme);
    cp_text_addf(&svg, "</style>\n<path class=\"paper\" d=\"M0 0h%dv%dH0z\"/>\n", (int)width, (int)y);
    cp_text_add(&svg, cp_text_built(&body));
    cp_text_add_string(&svg, "</svg>\n");
    return cp_text_built(&svg);
}
