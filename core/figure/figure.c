#include "core/figure/figure.h"

#include "core/checked.h"
#include "core/figure/caption.h"
#include "core/figure/strip.h"

/* ---- The look ----------------------------------------------------------------------------------------------------- */

static const struct cp_style_rule rules[] = {
    {".paper", "", "fill:#ffffff", "fill:#12171d"},
    {"text", CP_SANS ";font-size:12px;text-anchor:middle;", "fill:#5b6775", "fill:#9aa7b4"},
    {".heading", "font-size:15px;font-weight:600;", "fill:#1f2933", "fill:#e4e9ee"},
    {".math", CP_SERIF ";font-size:15px;", "fill:#1f2933", "fill:#e4e9ee"},
    {".variable", CP_SERIF ";font-style:italic", "", ""},
    {".index", "font-size:75%;font-style:italic", "", ""},
    {".label", "font-size:13px;font-weight:600;", "", ""},
    {".from", "", "fill:#1f5c9e", "fill:#8fc1f2"},
    {".to", "", "fill:#0f6e60", "fill:#6ad3c0"},
    {".legend text", "text-anchor:start", "", ""},
    {".input", "", "fill:#b7d3f2;stroke:#3b76b8", "fill:#2c4f78;stroke:#6fa8e0"},
    {".zero", "", "fill:#f4f7fa;stroke:#b4c0cb", "fill:#1b232c;stroke:#4d5a67"},
    {".extra", "stroke-dasharray:3 2;", "fill:#faf3e3;stroke:#a67c2d", "fill:#332c1d;stroke:#c8a354"},
    {".padding", "stroke-dasharray:3 2;", "fill:none;stroke:#8a97a5", "fill:none;stroke:#71808f"},
    {".beyond", "stroke-dasharray:1 3;", "fill:none;stroke:#8a97a5", "fill:none;stroke:#71808f"},
    {".unseen", "opacity:.35;", "", ""},
    {".cropped", "opacity:.6;stroke-dasharray:2 2;", "fill:none", "fill:none"},
    {".strike", "stroke-width:1;", "stroke:#b0413e", "stroke:#e58a86"},
    {".taps", "", "fill:#12324f;fill-opacity:.42", "fill:#eaf2fb;fill-opacity:.42"},
    {".taps text", "font-size:9px;fill-opacity:.9;", "fill:#ffffff", "fill:#0b0f14"},
    {".frame", "fill:none;stroke-width:2;", "stroke:#12324f", "stroke:#eaf2fb"},
    {".cone", "", "fill:#12324f;fill-opacity:.045;stroke:#12324f;stroke-opacity:.3",
     "fill:#eaf2fb;fill-opacity:.05;stroke:#eaf2fb;stroke-opacity:.35"},
    {".made", "", "fill:#a5dfd3;stroke:#1c8a78", "fill:#1f5f55;stroke:#4fc0ad"},
    {".now", "", "fill:#2aa58f;stroke:#0d5f52", "fill:#46c2ab;stroke:#c2f5ea"},
    {".blank", "", "fill:none;stroke:#c3ccd4", "fill:none;stroke:#3d4955"},
};
enum { RULE_COUNT = sizeof rules / sizeof rules[0] };

static const char *const cell_names[CP_CELL_KINDS] = {
    [CP_CELL_INPUT] = "input",     [CP_CELL_ZERO] = "zero",     [CP_CELL_EXTRA] = "extra",
    [CP_CELL_PADDING] = "padding", [CP_CELL_BEYOND] = "beyond",
};
static const char *const sight_names[CP_SIGHTS] = {
    [CP_SIGHT_SEEN] = "",
    [CP_SIGHT_UNSEEN] = " unseen",
    [CP_SIGHT_CROPPED] = " cropped",
};

/* ---- What is drawn, and where ------------------------------------------------------------------------------------- */

enum { ROWS, COLUMNS };

enum {
    MARGIN = 24,
    LEAST_WIDTH = 420,
    HEADING_BASELINE = 36,
    PARAMETERS_BASELINE = 60,
    LABEL_BASELINE = 94,
    GRID_TOP = 104,
    LABEL_HEIGHT = 26, /* above the output where it stands below the input */
    BETWEEN_GRIDS = 72,
    LEGEND_LINE = 22,
    SWATCH = 13,
    LEGEND_GAP = 20,
    LINE = 19,
    MATH_LINE = 22,
    TEXT_SIZE = 12,
    LABEL_SIZE = 13,
    MATH_SIZE_OF_WIDTH = 17, /* serifs for mathematics are wider than cp_svg_text_width takes them to be */
};

struct grid {
    int64_t x, y, rows, columns; /* of its top left corner, in pixels; in cells */
};

struct picture {
    const struct cp_figure *figure;
    struct cp_text_builder *svg;
    struct cp_arena *arena;
    struct cp_strip strips[CP_FIGURE_AXES];
    const enum cp_cell *kinds[CP_FIGURE_AXES];
    const enum cp_sight *sights[CP_FIGURE_AXES];
    int64_t steps;
    struct cp_caption caption;
    bool numbered;       /* the kernel's cells carry the row and column of their weight */
    int64_t pitch, side; /* from one cell to the next, and a cell's own, in pixels */
    struct grid input, output;
    int64_t width, height;
    int64_t legend_y, formula_y, note_y;
};

/* An axis that the figure does not have: one cell, seen once. */
static const struct cp_axis_trace no_axis = {.window = {.kernel = 1, .stride = 1, .dilation = 1},
                                             .input = 1,
                                             .output = 1};

static const struct cp_axis_trace *trace_of(const struct cp_figure *figure, int direction)
{
    int axis = direction - (CP_FIGURE_AXES - figure->axes);
    return axis < 0 ? &no_axis : &figure->trace[axis];
}

struct cp_figure_size cp_figure_measure(const struct cp_figure *figure)
{
    struct cp_strip strips[CP_FIGURE_AXES];
    struct cp_figure_size size = {CP_MAX_COUNT + 1, CP_MAX_COUNT + 1};
    for (int direction = 0; direction < CP_FIGURE_AXES; direction++)
        if (!cp_strip_of(&strips[direction], figure->operation, trace_of(figure, direction))) return size;
    int64_t cells;
    int64_t steps;
    if (cp_multiply(strips[ROWS].cells, strips[COLUMNS].cells, &cells) &&
        cp_multiply(strips[ROWS].output, strips[COLUMNS].output, &steps) && cp_add(cells, steps, &cells))
        size = (struct cp_figure_size){cells, steps};
    return size;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Large grids get small cells. Weights are numbered where there are any and digits fit: one for a row or column. */
static void choose_cells(struct picture *picture)
{
    enum { LARGEST = 28, SMALLEST = 8, ROOM = 448, COMFORTABLE = 20, DIGITS = 10 };
    const struct cp_strip *rows = &picture->strips[ROWS], *columns = &picture->strips[COLUMNS];
    picture->input = (struct grid){0, 0, rows->cells, columns->cells};
    picture->output = (struct grid){0, 0, rows->output, columns->output};
    int64_t pitch = ROOM / larger(larger(rows->cells, columns->cells), larger(rows->output, columns->output));
    picture->pitch = pitch > LARGEST ? LARGEST : larger(pitch, SMALLEST);
    picture->side = picture->pitch - (picture->pitch >= COMFORTABLE ? 3 : 2);
    picture->numbered = picture->figure->operation != CP_TRACED_POOLING && picture->pitch >= COMFORTABLE &&
                        rows->kernel <= DIGITS && columns->kernel <= DIGITS;
}

static int64_t extent(const struct picture *picture, int64_t cells)
{
    return cells * picture->pitch - (picture->pitch - picture->side);
}

static bool is_row(const struct picture *picture)
{
    return picture->figure->axes == 1;
}

static int64_t widest_line(const struct cp_caption *caption)
{
    int64_t width = cp_svg_text_width(caption->parameters, MATH_SIZE_OF_WIDTH);
    for (int at = 0; at < caption->formula_count; at++)
        width = larger(width, cp_svg_text_width(caption->formulas[at], MATH_SIZE_OF_WIDTH));
    for (int at = 0; at < caption->note_count; at++)
        width = larger(width, cp_svg_text_width(caption->notes[at], TEXT_SIZE));
    return width;
}

/* The grids side by side, each as wide as its label at least, or one above the other where they are rows. Returns the
 * width that they take and sets the output's y; x is relative to the left edge of that width. */
static int64_t place_grids(struct picture *picture)
{
    int64_t input_width = extent(picture, picture->input.columns), input_height = extent(picture, picture->input.rows);
    int64_t output_width = extent(picture, picture->output.columns);
    int64_t input_room = larger(input_width, cp_svg_text_width(picture->caption.input, LABEL_SIZE));
    int64_t output_room = larger(output_width, cp_svg_text_width(picture->caption.output, LABEL_SIZE));
    picture->input.y = picture->output.y = GRID_TOP;
    if (is_row(picture)) {
        int64_t width = larger(input_room, output_room);
        picture->input.x = (width - input_width) / 2;
        picture->output.x = (width - output_width) / 2;
        picture->output.y += input_height + BETWEEN_GRIDS;
        return width;
    }
    int64_t height = larger(input_height, extent(picture, picture->output.rows));
    picture->input.x = (input_room - input_width) / 2;
    picture->input.y += (height - input_height) / 2;
    picture->output.x = input_room + BETWEEN_GRIDS + (output_room - output_width) / 2;
    picture->output.y += (height - extent(picture, picture->output.rows)) / 2;
    return input_room + BETWEEN_GRIDS + output_room;
}

static int64_t legend_entry_width(const struct cp_legend_entry *entry)
{
    return SWATCH + 6 + cp_svg_text_width(entry->label, TEXT_SIZE);
}

/* Entries of the legend from `first` on that fit one line; their width goes to *taken. */
static int legend_line(const struct picture *picture, int first, int64_t *taken)
{
    int last = first;
    *taken = 0;
    for (; last < picture->caption.legend_count; last++) {
        int64_t width = legend_entry_width(&picture->caption.legend[last]) + (last > first ? LEGEND_GAP : 0);
        if (last > first && *taken + width > picture->width - 2 * MARGIN) break;
        *taken += width;
    }
    return last;
}

static void place_texts(struct picture *picture)
{
    int64_t bottom = is_row(picture) ? picture->output.y + picture->side + LABEL_HEIGHT
                                     : larger(picture->input.y + extent(picture, picture->input.rows),
                                              picture->output.y + extent(picture, picture->output.rows));
    int64_t width;
    picture->legend_y = bottom + 20;
    picture->formula_y = picture->legend_y + 8;
    for (int first = 0; first < picture->caption.legend_count; picture->formula_y += LEGEND_LINE)
        first = legend_line(picture, first, &width);
    picture->formula_y += MATH_LINE / 2;
    picture->note_y = picture->formula_y + (int64_t)MATH_LINE * picture->caption.formula_count + 2;
    picture->height = picture->note_y + (int64_t)LINE * picture->caption.note_count + 4;
}

static void lay_out(struct picture *picture)
{
    int64_t grids = place_grids(picture);
    picture->width = larger(larger(grids, widest_line(&picture->caption)) + 2 * (int64_t)MARGIN, LEAST_WIDTH);
    picture->input.x += (picture->width - grids) / 2;
    picture->output.x += (picture->width - grids) / 2;
    place_texts(picture);
}

/* ---- Cells -------------------------------------------------------------------------------------------------------- */

static void draw_cell(const struct picture *picture, int64_t x, int64_t y)
{
    cp_text_addf(picture->svg, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"%d\"/>\n", (int)x, (int)y,
                 (int)picture->side, (int)picture->side, picture->pitch >= 16 ? 3 : 1);
}

static int64_t x_of(const struct picture *picture, const struct grid *grid, int64_t column)
{
    return grid->x + column * picture->pitch;
}

static int64_t y_of(const struct picture *picture, const struct grid *grid, int64_t row)
{
    return grid->y + row * picture->pitch;
}

static enum cp_cell kind_at(const struct picture *picture, int64_t row, int64_t column)
{
    enum cp_cell a = picture->kinds[ROWS][row], b = picture->kinds[COLUMNS][column];
    return a > b ? a : b;
}

static enum cp_sight sight_at(const struct picture *picture, int64_t row, int64_t column)
{
    enum cp_sight a = picture->sights[ROWS][row], b = picture->sights[COLUMNS][column];
    return a > b ? a : b;
}

/* All cells of one look, in a group; nothing where there is none. */
static void draw_cells_like(const struct picture *picture, enum cp_cell kind, enum cp_sight sight)
{
    bool open = false;
    for (int64_t row = 0; row < picture->input.rows; row++)
        for (int64_t column = 0; column < picture->input.columns; column++) {
            if (kind_at(picture, row, column) != kind || sight_at(picture, row, column) != sight) continue;
            if (!open) cp_text_addf(picture->svg, "<g class=\"%s%s\">\n", cell_names[kind], sight_names[sight]);
            open = true;
            draw_cell(picture, x_of(picture, &picture->input, column), y_of(picture, &picture->input, row));
        }
    if (open) cp_text_add_string(picture->svg, "</g>\n");
}

/* A part of a path: a stroke across a cell of that side. */
static void draw_strike(const struct picture *picture, int64_t x, int64_t y, int64_t side)
{
    enum { INSET = 3 };
    int64_t far = side - INSET;
    cp_text_addf(picture->svg, "M%d %dl%d %d", (int)(x + INSET), (int)(y + far), (int)(far - INSET),
                 (int)(INSET - far));
}

static void strike_out_cropped(const struct picture *picture)
{
    cp_text_add_string(picture->svg, "<path class=\"strike\" d=\"");
    for (int64_t row = 0; row < picture->input.rows; row++)
        for (int64_t column = 0; column < picture->input.columns; column++)
            if (sight_at(picture, row, column) == CP_SIGHT_CROPPED)
                draw_strike(picture, x_of(picture, &picture->input, column), y_of(picture, &picture->input, row),
                            picture->side);
    cp_text_add_string(picture->svg, "\"/>\n");
}

static bool any_cropped(const struct picture *picture)
{
    return sight_at(picture, 0, 0) == CP_SIGHT_CROPPED ||
           sight_at(picture, picture->input.rows - 1, picture->input.columns - 1) == CP_SIGHT_CROPPED;
}

static void draw_input(const struct picture *picture)
{
    for (int kind = CP_CELL_KINDS - 1; kind >= 0; kind--)
        for (int sight = CP_SIGHTS - 1; sight >= 0; sight--)
            draw_cells_like(picture, (enum cp_cell)kind, (enum cp_sight)sight);
    if (any_cropped(picture)) strike_out_cropped(picture);
}

/* Cells [begin, end) of the output, counted row by row. */
static void draw_output(const struct picture *picture, const char *name, int64_t begin, int64_t end)
{
    if (begin >= end) return;
    cp_text_addf(picture->svg, "<g class=\"%s\">\n", name);
    for (int64_t at = begin; at < end; at++)
        draw_cell(picture, x_of(picture, &picture->output, at % picture->output.columns),
                  y_of(picture, &picture->output, at / picture->output.columns));
    cp_text_add_string(picture->svg, "</g>\n");
}

/* ---- The window --------------------------------------------------------------------------------------------------- */

/* One cell that the kernel reads, with the row and column of its weight where digits fit: flipped ones show. */
static void draw_tap(const struct picture *picture, int64_t row, int64_t column, int64_t x, int64_t y)
{
    draw_cell(picture, x, y);
    if (!picture->numbered) return;
    if (picture->figure->operation == CP_TRACED_TRANSPOSED) {
        row = picture->strips[ROWS].kernel - 1 - row;
        column = picture->strips[COLUMNS].kernel - 1 - column;
    }
    cp_text_addf(picture->svg, "<text x=\"%d\" y=\"%d\">", (int)(x + picture->side / 2),
                 (int)(y + picture->side / 2 + 3));
    if (!is_row(picture)) cp_text_add_number(picture->svg, row);
    cp_text_add_number(picture->svg, column);
    cp_text_add_string(picture->svg, "</text>\n");
}

/* The window at its place for one unit of the output: a shade on each cell that the kernel reads, and a frame. */
static void draw_window(const struct picture *picture, int64_t row, int64_t column)
{
    const struct cp_strip *rows = &picture->strips[ROWS], *columns = &picture->strips[COLUMNS];
    int64_t x = x_of(picture, &picture->input, columns->first + column * columns->stride);
    int64_t y = y_of(picture, &picture->input, rows->first + row * rows->stride);
    cp_text_add_string(picture->svg, "<g class=\"taps\">\n");
    for (int64_t v = 0; v < rows->kernel; v++)
        for (int64_t u = 0; u < columns->kernel; u++)
            draw_tap(picture, v, u, x + u * columns->dilation * picture->pitch,
                     y + v * rows->dilation * picture->pitch);
    cp_text_addf(picture->svg, "</g>\n<path class=\"frame\" d=\"M%d %dh%dv%dh-%dz\"/>\n", (int)x - 2, (int)y - 2,
                 (int)extent(picture, columns->span) + 4, (int)extent(picture, rows->span) + 4,
                 (int)extent(picture, columns->span) + 4);
}

/* From the side of the window that faces the output to the unit that it gives; `delay_ms` of its animation, 0: none. */
static void draw_cone(const struct picture *picture, int64_t row, int64_t column, int64_t delay_ms)
{
    const struct cp_strip *rows = &picture->strips[ROWS], *columns = &picture->strips[COLUMNS];
    int64_t left = x_of(picture, &picture->input, columns->first + column * columns->stride) - 2;
    int64_t top = y_of(picture, &picture->input, rows->first + row * rows->stride) - 2;
    int64_t right = left + extent(picture, columns->span) + 4, bottom = top + extent(picture, rows->span) + 4;
    int64_t x = x_of(picture, &picture->output, column), y = y_of(picture, &picture->output, row);
    cp_text_addf(picture->svg, "<path class=\"cone%s\"", delay_ms && (row || column) ? " later" : "");
    if (delay_ms) cp_text_addf(picture->svg, " style=\"animation-delay:%dms\"", (int)delay_ms);
    if (is_row(picture))
        cp_text_addf(picture->svg, " d=\"M%d %dH%dL%d %dH%dz\"/>\n", (int)left, (int)bottom, (int)right,
                     (int)(x + picture->side), (int)y, (int)x);
    else
        cp_text_addf(picture->svg, " d=\"M%d %dV%dL%d %dV%dz\"/>\n", (int)right, (int)top, (int)bottom, (int)x,
                     (int)(y + picture->side), (int)y);
}

static void draw_step(const struct picture *picture)
{
    int64_t at = picture->figure->step - 1;
    int64_t row = at / picture->output.columns, column = at % picture->output.columns;
    draw_output(picture, "blank", at + 1, picture->steps);
    draw_output(picture, "made", 0, at);
    draw_cone(picture, row, column, 0);
    draw_output(picture, "now", at, at + 1);
    draw_window(picture, row, column);
}

/* ---- Motion ------------------------------------------------------------------------------------------------------- */

/* What is drawn is the first step; the animations are switched on only for readers who do not object to motion. All
 * run in discrete steps: rows once in the whole time, columns once in each row. */

enum { MOST_CONES = 400 }; /* each step has its own */

static int64_t step_ms(const struct picture *picture)
{
    /* No multiple of a screen's frames, so that what changes together is not seen halfway. */
    enum { SLOW = 613, FAST = 83, WHOLE = 36000 };
    int64_t fitting = WHOLE / picture->steps;
    return fitting > SLOW ? SLOW : larger(fitting, FAST);
}

/* A part of a whole as a percentage with four decimals. */
static void add_percentage(struct cp_text_builder *svg, int64_t part, int64_t whole)
{
    int64_t parts = 1000000 * part / whole;
    cp_text_addf(svg, "%d.%04d%%", (int)(parts / 10000), (int)(parts % 10000));
}

/* `name` is hidden until `part` of its time has passed. */
static void write_appearance(const struct picture *picture, char name, int64_t part, int64_t whole)
{
    cp_text_addf(picture->svg, "@keyframes %c%d{0%%{opacity:0}", name, (int)part);
    add_percentage(picture->svg, part, whole);
    cp_text_add_string(picture->svg, "{opacity:1}}\n");
}

static void write_move(const struct picture *picture, const char *name, char axis, int64_t distance, int64_t ms,
                       int64_t count)
{
    cp_text_addf(picture->svg,
                 ".%s{animation:%s %dms steps(%d) infinite}\n@keyframes %s{to{transform:translate%c(%dpx)}}\n", name,
                 name, (int)ms, (int)count, name, axis, (int)(distance * count));
}

static void write_motion(const struct picture *picture)
{
    int64_t rows = picture->output.rows, columns = picture->output.columns;
    int64_t row_ms = columns * step_ms(picture), whole_ms = rows * row_ms;
    int64_t pitch = picture->pitch;
    cp_text_add_string(picture->svg, ".later{opacity:0}\n@media (prefers-reduced-motion:no-preference){\n");
    write_move(picture, "down", 'Y', picture->strips[ROWS].stride * pitch, whole_ms, rows);
    write_move(picture, "along", 'X', picture->strips[COLUMNS].stride * pitch, row_ms, columns);
    write_move(picture, "out-down", 'Y', pitch, whole_ms, rows);
    write_move(picture, "out-along", 'X', pitch, row_ms, columns);
    cp_text_addf(picture->svg, ".row{animation:%dms step-end infinite}\n.column{animation:%dms step-end infinite}\n",
                 (int)whole_ms, (int)row_ms);
    for (int64_t row = 1; row < rows; row++) write_appearance(picture, 'r', row, rows);
    for (int64_t column = 1; column < columns; column++) write_appearance(picture, 'c', column, columns);
    if (picture->steps <= MOST_CONES && picture->steps > 1) {
        cp_text_addf(picture->svg,
                     ".cone{opacity:0;animation:cone %dms step-end infinite}\n@keyframes cone{0%%{opacity:1}",
                     (int)whole_ms);
        add_percentage(picture->svg, 1, picture->steps);
        cp_text_add_string(picture->svg, "{opacity:0}}\n");
    }
    cp_text_add_string(picture->svg, "}\n");
}

/* Rows of the output that are done, each hidden until the next begins; the last one never is before all starts anew. */
static void draw_rows_done(const struct picture *picture)
{
    for (int64_t row = 0; row + 1 < picture->output.rows; row++) {
        cp_text_addf(picture->svg, "<g class=\"row later\" style=\"animation-name:r%d\">\n", (int)(row + 1));
        draw_output(picture, "made", row * picture->output.columns, (row + 1) * picture->output.columns);
        cp_text_add_string(picture->svg, "</g>\n");
    }
}

/* The row that is being made: its first cell, and the others when their time comes. */
static void draw_row_made(const struct picture *picture)
{
    cp_text_add_string(picture->svg, "<g class=\"out-down\">\n");
    for (int64_t column = 0; column < picture->output.columns; column++) {
        if (column)
            cp_text_addf(picture->svg, "<g class=\"column later\" style=\"animation-name:c%d\">\n", (int)column);
        draw_output(picture, "made", column, column + 1);
        if (column) cp_text_add_string(picture->svg, "</g>\n");
    }
    cp_text_add_string(picture->svg, "<g class=\"out-along\">\n");
    draw_output(picture, "now", 0, 1);
    cp_text_add_string(picture->svg, "</g>\n</g>\n");
}

static void draw_cones(const struct picture *picture)
{
    int64_t ms = step_ms(picture);
    int64_t count = picture->steps <= MOST_CONES ? picture->steps : 0;
    /* Negative delays: all cycles have begun when the picture is shown. */
    for (int64_t at = 0; at < count; at++)
        draw_cone(picture, at / picture->output.columns, at % picture->output.columns, (at - count) * ms);
}

static void draw_motion(const struct picture *picture)
{
    draw_output(picture, "blank", 0, picture->steps);
    draw_rows_done(picture);
    draw_cones(picture);
    draw_row_made(picture);
    cp_text_add_string(picture->svg, "<g class=\"down\">\n<g class=\"along\">\n");
    draw_window(picture, 0, 0);
    cp_text_add_string(picture->svg, "</g>\n</g>\n");
}

/* ---- Texts -------------------------------------------------------------------------------------------------------- */

static void draw_text(const struct picture *picture, const char *classes, int64_t x, int64_t y, struct cp_text text)
{
    cp_text_addf(picture->svg, "<text class=\"%s\" x=\"%d\" y=\"%d\">", classes, (int)x, (int)y);
    cp_svg_add_math(picture->svg, text);
    cp_text_add_string(picture->svg, "</text>\n");
}

static void draw_legend_entry(const struct picture *picture, const struct cp_legend_entry *entry, int64_t x, int64_t y)
{
    cp_text_addf(picture->svg, "<path class=\"%s\" d=\"M%d.5 %d.5h%dv%dh-%dz\"/>\n", entry->classes, (int)x,
                 (int)(y - SWATCH + 2), SWATCH - 1, SWATCH - 1, SWATCH - 1);
    if (strstr(entry->classes, "cropped")) {
        cp_text_add_string(picture->svg, "<path class=\"strike\" d=\"");
        draw_strike(picture, x, y - SWATCH + 2, SWATCH);
        cp_text_add_string(picture->svg, "\"/>\n");
    }
    draw_text(picture, "entry", x + SWATCH + 6, y, entry->label);
}

static void draw_legend(const struct picture *picture)
{
    int64_t y = picture->legend_y + TEXT_SIZE;
    cp_text_add_string(picture->svg, "<g class=\"legend\">\n");
    for (int first = 0, last; first < picture->caption.legend_count; first = last, y += LEGEND_LINE) {
        int64_t taken;
        last = legend_line(picture, first, &taken);
        int64_t x = (picture->width - taken) / 2;
        for (int at = first; at < last; at++) {
            const struct cp_legend_entry *entry = &picture->caption.legend[at];
            draw_legend_entry(picture, entry, x, y);
            x += legend_entry_width(entry) + LEGEND_GAP;
        }
    }
    cp_text_add_string(picture->svg, "</g>\n");
}

static void draw_texts(const struct picture *picture)
{
    const struct cp_caption *caption = &picture->caption;
    int64_t middle = picture->width / 2;
    int64_t input_middle = picture->input.x + extent(picture, picture->input.columns) / 2;
    int64_t output_middle = picture->output.x + extent(picture, picture->output.columns) / 2;
    draw_text(picture, "heading", middle, HEADING_BASELINE, caption->heading);
    draw_text(picture, "math", middle, PARAMETERS_BASELINE, caption->parameters);
    draw_text(picture, "label from", input_middle, LABEL_BASELINE, caption->input);
    draw_text(picture, "label to", output_middle,
              is_row(picture) ? picture->output.y + picture->side + LABEL_HEIGHT - 6 : LABEL_BASELINE, caption->output);
    draw_legend(picture);
    for (int at = 0; at < caption->formula_count; at++)
        draw_text(picture, "math", middle, picture->formula_y + (int64_t)MATH_LINE * at, caption->formulas[at]);
    for (int at = 0; at < caption->note_count; at++)
        draw_text(picture, "note", middle, picture->note_y + (int64_t)LINE * at, caption->notes[at]);
}

/* ---- The whole ---------------------------------------------------------------------------------------------------- */

static void write_caption(struct picture *picture)
{
    struct cp_caption_subject subject = {
        .figure = picture->figure, .strips = picture->strips, .numbered = picture->numbered, .steps = picture->steps};
    for (int64_t row = 0; row < picture->strips[ROWS].cells; row++)
        for (int64_t column = 0; column < picture->strips[COLUMNS].cells; column++) {
            enum cp_cell kind = kind_at(picture, row, column);
            enum cp_sight sight = sight_at(picture, row, column);
            subject.present[kind] = true;
            subject.unseen = subject.unseen || sight == CP_SIGHT_UNSEEN;
            subject.unseen_input = subject.unseen_input || (sight == CP_SIGHT_UNSEEN && kind == CP_CELL_INPUT);
            subject.cropped = subject.cropped || sight == CP_SIGHT_CROPPED;
        }
    cp_caption_write(&picture->caption, &subject, picture->arena);
}

static struct cp_text title_of(const struct picture *picture)
{
    struct cp_text_builder title = {.arena = picture->arena};
    cp_text_add(&title, picture->caption.heading);
    cp_text_add_string(&title, ": ");
    cp_text_add(&title, picture->caption.parameters);
    return cp_text_built(&title);
}

struct cp_text cp_figure_draw(const struct cp_figure *figure, struct cp_arena *arena)
{
    struct cp_figure_size size = cp_figure_measure(figure);
    struct cp_text_builder svg = {.arena = arena};
    struct picture picture = {.figure = figure, .svg = &svg, .arena = arena, .steps = size.steps};
    if (size.cells > CP_MAX_FIGURE_CELLS) return cp_text_built(&svg);
    for (int direction = 0; direction < CP_FIGURE_AXES; direction++) {
        const struct cp_axis_trace *trace = trace_of(figure, direction);
        (void)!cp_strip_of(&picture.strips[direction], figure->operation, trace);
        picture.kinds[direction] = cp_strip_kinds(&picture.strips[direction], trace, figure->operation, arena);
        picture.sights[direction] = cp_strip_sights(&picture.strips[direction], arena);
    }
    choose_cells(&picture);
    write_caption(&picture);
    lay_out(&picture);
    cp_svg_begin(&svg, picture.width, picture.height, title_of(&picture), picture.caption.description);
    cp_text_add_string(&svg, "<style>\n");
    cp_style_write(&svg, rules, RULE_COUNT, figure->theme);
    if (!figure->step) write_motion(&picture);
    cp_text_addf(&svg, "</style>\n<path class=\"paper\" d=\"M0 0h%dv%dH0z\"/>\n", (int)picture.width,
                 (int)picture.height);
    draw_input(&picture);
    if (figure->step)
        draw_step(&picture);
    else
        draw_motion(&picture);
    draw_texts(&picture);
    cp_text_add_string(&svg, "</svg>\n");
    return cp_text_built(&svg);
}
