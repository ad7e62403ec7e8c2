#include "core/figure/caption.h"

#include "core/relationships.h"

/* ---- Numbers of both axes ----------------------------------------------------------------------------------------- */

struct pair {
    int64_t at[CP_FIGURE_AXES];
};

/* "5" where the axes agree, else "5 × 6". */
static void add_pair(struct cp_text_builder *text, const struct cp_figure *figure, struct pair pair)
{
    cp_text_add_number(text, pair.at[0]);
    if (figure->axes == 1 || pair.at[0] == pair.at[1]) return;
    cp_text_add_string(text, " × ");
    cp_text_add_number(text, pair.at[1]);
}

/* "5" on one axis, "5 × 5" on two. */
static void add_sizes(struct cp_text_builder *text, const struct cp_figure *figure, struct pair pair)
{
    cp_text_add_number(text, pair.at[0]);
    if (figure->axes == 1) return;
    cp_text_add_string(text, " × ");
    cp_text_add_number(text, pair.at[1]);
}

/* With a true minus sign. */
static void add_signed(struct cp_text_builder *text, int64_t number)
{
    if (number < 0) cp_text_add_string(text, "−");
    cp_text_add_number(text, number < 0 ? -number : number);
}

/* One padding, or (begin, end) where they differ. */
static void add_sides(struct cp_text_builder *text, int64_t begin, int64_t end)
{
    if (begin == end) {
        add_signed(text, begin);
        return;
    }
    cp_text_add_string(text, "(");
    add_signed(text, begin);
    cp_text_add_string(text, ", ");
    add_signed(text, end);
    cp_text_add_string(text, ")");
}

static void add_paddings(struct cp_text_builder *text, const struct cp_figure *figure, struct pair begin,
                         struct pair end)
{
    add_sides(text, begin.at[0], end.at[0]);
    if (figure->axes == 1 || (begin.at[0] == begin.at[1] && end.at[0] == end.at[1])) return;
    cp_text_add_string(text, " × ");
    add_sides(text, begin.at[1], end.at[1]);
}

/* A member of the traces, or of the strips that stand for the figure's axes, as a pair. */
#define OF_TRACES(figure, member)                                                                                      \
    ((struct pair){{(figure)->trace[0].member, (figure)->trace[(figure)->axes - 1].member}})
#define OF_STRIPS(subject, member)                                                                                     \
    ((struct pair){{(subject)->strips[CP_FIGURE_AXES - (subject)->figure->axes].member, (subject)->strips[1].member}})

static bool is_everywhere(const struct cp_figure *figure, struct pair pair, int64_t value)
{
    return pair.at[0] == value && pair.at[figure->axes - 1] == value;
}

static bool is_transposed(const struct cp_figure *figure)
{
    return figure->operation == CP_TRACED_TRANSPOSED;
}

static bool is_dilated(const struct cp_figure *figure)
{
    return !is_everywhere(figure, OF_TRACES(figure, window.dilation), 1);
}

/* ---- Lines -------------------------------------------------------------------------------------------------------- */

static void add_parameter(struct cp_text_builder *text, const struct cp_figure *figure, const char *name,
                          struct pair pair)
{
    cp_text_addf(text, "%s = ", name);
    add_pair(text, figure, pair);
}

static struct cp_text parameters(const struct cp_figure *figure, struct cp_arena *arena)
{
    struct cp_text_builder text = {.arena = arena};
    bool transposed = is_transposed(figure);
    add_parameter(&text, figure, transposed ? "i′" : "i", OF_TRACES(figure, input));
    add_parameter(&text, figure, ", k", OF_TRACES(figure, window.kernel));
    add_parameter(&text, figure, ", s", OF_TRACES(figure, window.stride));
    cp_text_add_string(&text, ", p = ");
    add_paddings(&text, figure, OF_TRACES(figure, window.pad_begin), OF_TRACES(figure, window.pad_end));
    if (is_dilated(figure)) add_parameter(&text, figure, ", d", OF_TRACES(figure, window.dilation));
    struct pair extra = OF_TRACES(figure, output_padding);
    if (!is_everywhere(figure, extra, 0)) add_parameter(&text, figure, ", a", extra);
    if (figure->trace[0].window.rounding == CP_ROUND_CEIL) cp_text_add_string(&text, ", rounded up");
    add_parameter(&text, figure, transposed ? "  →  o′" : "  →  o", OF_TRACES(figure, output));
    return cp_text_built(&text);
}

static struct cp_text input_label(const struct cp_caption_subject *subject, struct cp_arena *arena)
{
    struct cp_text_builder text = {.arena = arena};
    cp_text_add_string(&text, is_transposed(subject->figure) ? "input i′: " : "input: ");
    add_sizes(&text, subject->figure, OF_TRACES(subject->figure, input));
    if (subject->present[CP_CELL_ZERO]) {
        cp_text_add_string(&text, ", stretched to ");
        add_sizes(&text, subject->figure, OF_STRIPS(subject, stretched));
    }
    return cp_text_built(&text);
}

static struct cp_text output_label(const struct cp_caption_subject *subject, struct cp_arena *arena)
{
    struct cp_text_builder text = {.arena = arena};
    cp_text_add_string(&text, is_transposed(subject->figure) ? "output o′: " : "output: ");
    add_sizes(&text, subject->figure, OF_TRACES(subject->figure, output));
    return cp_text_built(&text);
}

/* ---- Legend ------------------------------------------------------------------------------------------------------- */

static struct cp_text_builder begin_label(struct cp_arena *arena, const char *start)
{
    struct cp_text_builder text = {.arena = arena};
    cp_text_add_string(&text, start);
    return text;
}

static void enter(struct cp_caption *caption, const char *classes, const char *look,
                  const struct cp_text_builder *label)
{
    caption->legend[caption->legend_count++] = (struct cp_legend_entry){classes, look, cp_text_built(label)};
}

static void enter_padding(struct cp_caption *caption, const struct cp_caption_subject *subject, struct cp_arena *arena)
{
    const struct cp_figure *figure = subject->figure;
    if (!subject->present[CP_CELL_PADDING]) return;
    struct cp_text_builder label = begin_label(arena, is_transposed(figure) ? "padding p′ = " : "padding p = ");
    add_paddings(&label, figure, OF_STRIPS(subject, pad_begin), OF_STRIPS(subject, pad_end));
    enter(caption, "padding", "dashed cells", &label);
}

static void enter_zeros(struct cp_caption *caption, const struct cp_caption_subject *subject, struct cp_arena *arena)
{
    const struct cp_figure *figure = subject->figure;
    struct pair zeros = OF_TRACES(figure, window.stride);
    zeros.at[0]--, zeros.at[1]--;
    if (subject->present[CP_CELL_ZERO]) {
        struct cp_text_builder label = begin_label(arena, "zeros between units, s − 1 = ");
        add_pair(&label, figure, zeros);
        enter(caption, "zero", "pale cells", &label);
    }
    if (subject->present[CP_CELL_EXTRA]) {
        struct cp_text_builder label = begin_label(arena, "more zeros at the end, a = ");
        add_pair(&label, figure, OF_TRACES(figure, output_padding));
        enter(caption, "extra", "dashed amber cells", &label);
    }
}

static void enter_window(struct cp_caption *caption, const struct cp_caption_subject *subject, struct cp_arena *arena)
{
    const struct cp_figure *figure = subject->figure;
    struct cp_text_builder label =
        begin_label(arena, figure->operation == CP_TRACED_POOLING ? "window, k = " : "kernel, k = ");
    if (is_transposed(figure)) label = begin_label(arena, "kernel, flipped, k = ");
    add_pair(&label, figure, OF_TRACES(figure, window.kernel));
    if (is_dilated(figure)) {
        cp_text_add_string(&label, ", k̂ = ");
        add_pair(&label, figure, OF_STRIPS(subject, span));
    }
    if (subject->numbered)
        cp_text_add_string(&label,
                           figure->axes == 1 ? "; digits: its weights" : "; digits: row and column of each weight");
    enter(caption, "taps", "the dark shade", &label);
}

static void write_legend(struct cp_caption *caption, const struct cp_caption_subject *subject, struct cp_arena *arena)
{
    struct cp_text_builder label = begin_label(arena, "input");
    enter(caption, "input", NULL, &label);
    enter_zeros(caption, subject, arena);
    enter_padding(caption, subject, arena);
    if (subject->present[CP_CELL_BEYOND]) {
        label = begin_label(arena, "past the end (ceil_mode)");
        enter(caption, "beyond", "dotted cells", &label);
    }
    if (subject->unseen) {
        label = begin_label(arena, "seen by no window");
        enter(caption, subject->unseen_input ? "input unseen" : "padding unseen", "faded cells", &label);
    }
    if (subject->cropped) {
        label = begin_label(arena, "cropped, as p′ is negative");
        enter(caption, "input cropped", "struck-out cells", &label);
    }
    enter_window(caption, subject, arena);
    label = begin_label(arena, "output");
    enter(caption, "made", NULL, &label);
}

/* ---- Formulas and notes ------------------------------------------------------------------------------------------- */

static bool same_axes(const struct cp_figure *figure)
{
    const struct cp_axis_trace *a = &figure->trace[0], *b = &figure->trace[figure->axes - 1];
    return a->input == b->input && a->output_padding == b->output_padding && a->window.kernel == b->window.kernel &&
           a->window.stride == b->window.stride && a->window.dilation == b->window.dilation &&
           a->window.pad_begin == b->window.pad_begin && a->window.pad_end == b->window.pad_end;
}

static void write_formulas(struct cp_caption *caption, const struct cp_figure *figure, struct cp_arena *arena)
{
    static const char *const axis_names[CP_FIGURE_AXES] = {"rows: ", "columns: "};
    caption->formula_count = same_axes(figure) ? 1 : figure->axes;
    for (int axis = 0; axis < caption->formula_count && axis < CP_FIGURE_AXES; axis++) {
        char formula[CP_FORMULA_BYTES];
        size_t size = cp_relationship_formula(formula, sizeof formula, figure->relationship, figure->operation,
                                              &figure->trace[axis]);
        struct cp_text_builder text = begin_label(arena, caption->formula_count > 1 ? axis_names[axis] : "");
        cp_text_add(&text, (struct cp_text){formula, size});
        caption->formulas[axis] = cp_text_built(&text);
    }
}

static void note(struct cp_caption *caption, struct cp_text text)
{
    caption->notes[caption->note_count++] = text;
}

/* Whose padding: what people misread in figures of transposed convolutions. */
static void note_transposed(struct cp_caption *caption, const struct cp_caption_subject *subject,
                            struct cp_arena *arena)
{
    const struct cp_figure *figure = subject->figure;
    struct cp_text_builder text = begin_label(arena, "p = ");
    add_paddings(&text, figure, OF_TRACES(figure, window.pad_begin), OF_TRACES(figure, window.pad_end));
    cp_text_addf(&text, " is the padding of the convolution that is transposed; here p′ = %s − p − 1 = ",
                 is_dilated(figure) ? "k̂" : "k");
    add_paddings(&text, figure, OF_STRIPS(subject, pad_begin), OF_STRIPS(subject, pad_end));
    note(caption, cp_text_built(&text));
    note(caption, CP_TEXT("drawn as the direct convolution that it equals: unit stride, kernel flipped"));
}

static void write_notes(struct cp_caption *caption, const struct cp_caption_subject *subject, struct cp_arena *arena)
{
    const struct cp_figure *figure = subject->figure;
    if (is_transposed(figure))
        note_transposed(caption, subject, arena);
    else if (subject->present[CP_CELL_PADDING])
        note(caption, figure->operation == CP_TRACED_POOLING
                          ? CP_TEXT("p is the padding of the pool, on each side of its input")
                          : CP_TEXT("p is the padding of this convolution, zeros on each side of its input"));
    struct cp_text_builder text = {.arena = arena};
    if (figure->relationship) cp_text_addf(&text, "Relationship %d  ·  ", figure->relationship);
    if (figure->step)
        cp_text_addf(&text, "step %lld of %lld", (long long)figure->step, (long long)subject->steps);
    else
        cp_text_addf(&text, "%lld step%s", (long long)subject->steps, subject->steps == 1 ? "" : "s");
    note(caption, cp_text_built(&text));
}

/* ---- Description -------------------------------------------------------------------------------------------------- */

static void describe_cells(struct cp_text_builder *text, const struct cp_caption *caption)
{
    for (int at = 0; at < caption->legend_count; at++) {
        if (!caption->legend[at].look) continue;
        cp_text_addf(text, "; %s: ", caption->legend[at].look);
        cp_text_add(text, caption->legend[at].label);
    }
}

static void describe_step(struct cp_text_builder *text, const struct cp_caption_subject *subject)
{
    int64_t columns = subject->strips[1].output;
    int64_t step = subject->figure->step;
    if (!step) {
        cp_text_addf(text, "Animated: %lld positions of the window, row by row, each giving one unit of the output.",
                     (long long)subject->steps);
        return;
    }
    int64_t row = (step - 1) / columns + 1, column = (step - 1) % columns + 1;
    cp_text_addf(text, "Step %lld of %lld: the window gives the output's unit in row %lld, column %lld.",
                 (long long)step, (long long)subject->steps, (long long)row, (long long)column);
}

static struct cp_text describe(const struct cp_caption *caption, const struct cp_caption_subject *subject,
                               struct cp_arena *arena)
{
    struct cp_text_builder text = begin_label(arena, "Blue is the ");
    cp_text_add(&text, caption->input);
    cp_text_add_string(&text, ". Green is the ");
    cp_text_add(&text, caption->output);
    describe_cells(&text, caption);
    cp_text_add_string(&text, ". ");
    for (int at = 0; at < caption->formula_count; at++) {
        cp_text_add(&text, caption->formulas[at]);
        cp_text_add_string(&text, ". ");
    }
    for (int at = 0; at + 1 < caption->note_count; at++) {
        cp_text_add(&text, caption->notes[at]);
        cp_text_add_string(&text, ". ");
    }
    describe_step(&text, subject);
    return cp_text_built(&text);
}

void cp_caption_write(struct cp_caption *caption, const struct cp_caption_subject *subject, struct cp_arena *arena)
{
    const struct cp_figure *figure = subject->figure;
    *caption = (struct cp_caption){.heading = is_transposed(figure) ? CP_TEXT("Transposed convolution")
                                              : figure->operation == CP_TRACED_POOLING ? CP_TEXT("Pooling")
                                                                                       : CP_TEXT("Convolution")};
    caption->parameters = parameters(figure, arena);
    caption->input = input_label(subject, arena);
    caption->output = output_label(subject, arena);
    write_legend(caption, subject, arena);
    write_formulas(caption, figure, arena);
    write_notes(caption, subject, arena);
    caption->description = describe(caption, subject, arena);
}
