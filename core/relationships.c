#include "core/relationships.h"

#include <string.h>

/* ---- The guide's table ------------------------------------------------------------------------------------------- */

#define DIRECT(expression_text) .formula = "o = " expression_text, .expression = expression_text
#define TRANSPOSED(expression_text)                                                                                    \
    .applies_to = "transposed convolution", .formula = "o′ = " expression_text, .expression = expression_text

const struct cp_relationship cp_relationships[CP_RELATIONSHIP_COUNT] = {
    {
        .number = 1,
        .title = "No zero padding, unit strides",
        .applies_to = "convolution",
        .conditions = "s = 1 and p = 0",
        DIRECT("(i − k) + 1"),
        .example = {CP_TRACED_CONVOLUTION, "conv", 4, 3, 1, 0, 1, 0, 2},
    },
    {
        .number = 2,
        .title = "Zero padding, unit strides",
        .applies_to = "convolution",
        .conditions = "s = 1, any p",
        DIRECT("(i − k) + 2p + 1"),
        .example = {CP_TRACED_CONVOLUTION, "conv", 5, 4, 1, 2, 1, 0, 6},
    },
    {
        .number = 3,
        .title = "Half (same) padding",
        .applies_to = "convolution",
        .conditions = "s = 1, k odd, k = 2n + 1, and p = ⌊k/2⌋ = n: the size is kept",
        .formula = "o = i + 2⌊k/2⌋ − (k − 1) = i",
        .expression = "i + 2⌊k/2⌋ − (k − 1)",
        .example = {CP_TRACED_CONVOLUTION, "conv", 5, 3, 1, 1, 1, 0, 5},
    },
    {
        .number = 4,
        .title = "Full padding",
        .applies_to = "convolution",
        .conditions = "s = 1 and p = k − 1: every overlap of kernel and input, however partial, counts",
        DIRECT("i + (k − 1)"),
        .example = {CP_TRACED_CONVOLUTION, "conv", 5, 3, 1, 2, 1, 0, 7},
    },
    {
        .number = 5,
        .title = "No zero padding, strides",
        .applies_to = "convolution",
        .conditions = "p = 0, any s",
        DIRECT("⌊(i − k)/s⌋ + 1"),
        .example = {CP_TRACED_CONVOLUTION, "conv", 5, 3, 2, 0, 1, 0, 2},
    },
    {
        .number = 6,
        .title = "Zero padding, strides",
        .applies_to = "convolution",
        .conditions = "any s and p; (i + 2p − k) mod s cells at the end are not seen",
        DIRECT("⌊(i + 2p − k)/s⌋ + 1"),
        .example = {CP_TRACED_CONVOLUTION, "conv", 5, 3, 2, 1, 1, 0, 3},
    },
    {
        .number = 7,
        .title = "Pooling",
        .applies_to = "pooling",
        .conditions = "no padding, any s",
        DIRECT("⌊(i − k)/s⌋ + 1"),
        .example = {CP_TRACED_POOLING, "pool", 5, 3, 1, 0, 1, 0, 3},
    },
    {
        .number = 8,
        .title = "No zero padding, unit strides, transposed",
        .conditions = "transpose of a convolution with s = 1 and p = 0",
        .equivalent = "k′ = k, s′ = s, p′ = k − 1, kernel flipped",
        TRANSPOSED("i′ + (k − 1)"),
        .example = {CP_TRACED_TRANSPOSED, "conv_transpose", 2, 3, 1, 0, 1, 0, 4},
    },
    {
        .number = 9,
        .title = "Zero padding, unit strides, transposed",
        .conditions = "transpose of a convolution with s = 1, any p",
        .equivalent = "k′ = k, s′ = s, p′ = k − p − 1 (cropping where negative), kernel flipped",
        TRANSPOSED("i′ + (k − 1) − 2p"),
        .example = {CP_TRACED_TRANSPOSED, "conv_transpose", 6, 4, 1, 2, 1, 0, 5},
    },
    {
        .number = 10,
        .title = "Half (same) padding, transposed",
        .conditions = "transpose of a convolution with s = 1, k = 2n + 1 and p = ⌊k/2⌋ = n: the size is kept",
        .equivalent = "k′ = k, s′ = s, p′ = p, kernel flipped",
        TRANSPOSED("i′"),
        .example = {CP_TRACED_TRANSPOSED, "conv_transpose", 5, 3, 1, 1, 1, 0, 5},
    },
    {
        .number = 11,
        .title = "Full padding, transposed",
        .conditions = "transpose of a convolution with s = 1 and p = k − 1",
        .equivalent = "k′ = k, s′ = s, p′ = 0, kernel flipped",
        TRANSPOSED("i′ − (k − 1)"),
        .example = {CP_TRACED_TRANSPOSED, "conv_transpose", 7, 3, 1, 2, 1, 0, 5},
    },
    {
        .number = 12,
        .title = "No zero padding, strides, transposed",
        .conditions = "transpose of a convolution with p = 0 whose s divides i − k",
        .equivalent =
            "over ĩ′, which is i′ with s − 1 zeros between its units: k′ = k, s′ = 1, p′ = k − 1, kernel flipped",
        TRANSPOSED("s(i′ − 1) + k"),
        .example = {CP_TRACED_TRANSPOSED, "conv_transpose", 2, 3, 2, 0, 1, 0, 5},
    },
    {
        .number = 13,
        .title = "Zero padding, strides, transposed",
        .conditions = "transpose of a convolution whose s divides i + 2p − k",
        .equivalent =
            "over ĩ′, which is i′ with s − 1 zeros between its units: k′ = k, s′ = 1, p′ = k − p − 1 (cropping "
            "where negative), kernel flipped",
        TRANSPOSED("s(i′ − 1) + k − 2p"),
        .example = {CP_TRACED_TRANSPOSED, "conv_transpose", 3, 3, 2, 1, 1, 0, 5},
    },
    {
        .number = 14,
        .title = "Zero padding, any strides, transposed",
        .conditions = "any; a = (i + 2p − k) mod s, the output padding, chooses among the s sizes that the convolution "
                      "maps to i′; with dilation k̂ stands for k",
        .equivalent = "over ĩ′, which is i′ with s − 1 zeros between its units and a more at its end: k′ = k, s′ = 1, "
                      "p′ = k − p − 1 (cropping where negative), kernel flipped",
        TRANSPOSED("s(i′ − 1) + a + k − 2p"),
        .example = {CP_TRACED_TRANSPOSED, "conv_transpose", 3, 3, 2, 1, 1, 1, 6},
    },
    {
        .number = 15,
        .title = "Dilated convolution",
        .applies_to = "convolution",
        .conditions = "any d: the kernel spans k̂ = k + (k − 1)(d − 1) cells",
        DIRECT("⌊(i + 2p − k − (k − 1)(d − 1))/s⌋ + 1"),
        .example = {CP_TRACED_CONVOLUTION, "conv", 7, 3, 1, 0, 2, 0, 3},
    },
};

/* Beside the guide. */
static const char ceiling_expression[] = "⌈(i + 2p − k)/s⌉ + 1";
static const char unpooling_expression[] = "s(i − 1) + k − 2p";
static const char extended_unpooling_expression[] = "s(i − 1) + a + k − 2p"; /* to an output_size of the author's */

const struct cp_relationship *cp_relationship_find(int64_t number)
{
    return number >= 1 && number <= CP_RELATIONSHIP_COUNT ? &cp_relationships[number - 1] : NULL;
}

/* ---- Which one a layer follows ----------------------------------------------------------------------------------- */

/* Conditions of the guide. */
enum condition {
    FLOOR = 1 << 0,     /* rounding */
    DENSE = 1 << 1,     /* d = 1 */
    SYMMETRIC = 1 << 2, /* p_b = p_e */
    UNIT_STRIDE = 1 << 3,
    UNPADDED = 1 << 4, /* p = 0 */
    HALF = 1 << 5,     /* 2p = k − 1 */
    FULL = 1 << 6,     /* p = k − 1 */
    EXACT = 1 << 7,    /* no output padding */
    ALL = (1 << 8) - 1,
};

static unsigned conditions_of(const struct cp_axis_trace *axis)
{
    const struct cp_window *window = &axis->window;
    int64_t reach = window->kernel - 1, pad = window->pad_begin;
    unsigned met = (window->rounding == CP_ROUND_FLOOR ? FLOOR : 0) | (window->dilation == 1 ? DENSE : 0) |
                   (window->stride == 1 ? UNIT_STRIDE : 0) | (axis->output_padding == 0 ? EXACT : 0);
    if (pad != window->pad_end) return met;
    return met | SYMMETRIC | (pad == 0 ? UNPADDED : 0) | (2 * pad == reach ? HALF : 0) | (pad == reach ? FULL : 0);
}

/* Each: of conditions that every axis meets. */
static int convolution_relationship(unsigned met)
{
    if (!(met & DENSE)) return 15;
    if (!(met & UNIT_STRIDE)) return met & UNPADDED ? 5 : 6;
    if (met & UNPADDED) return 1;
    if (met & HALF) return 3;
    return met & FULL ? 4 : 2;
}

static int pooling_relationship(unsigned met)
{
    if (!(met & FLOOR)) return 0;
    if (!(met & DENSE)) return 15;
    return met & UNPADDED ? 7 : 6;
}

static int transposed_relationship(unsigned met)
{
    if (~met & (DENSE | SYMMETRIC | EXACT)) return 14;
    if (!(met & UNIT_STRIDE)) return met & UNPADDED ? 12 : 13;
    if (met & UNPADDED) return 8;
    if (met & HALF) return 10;
    return met & FULL ? 11 : 9;
}

int cp_relationship_of(enum cp_traced operation, const struct cp_axis_trace *axes, int count)
{
    unsigned met = ALL;
    for (int axis = 0; axis < count; axis++) met &= conditions_of(&axes[axis]);
    switch (operation) {
    case CP_TRACED_CONVOLUTION: return convolution_relationship(met);
    case CP_TRACED_POOLING: return pooling_relationship(met);
    case CP_TRACED_TRANSPOSED: return transposed_relationship(met);
    case CP_TRACED_NOTHING:
    case CP_TRACED_UNPOOLING: break;
    }
    return 0;
}

/* ---- Writing ----------------------------------------------------------------------------------------------------- */

struct writer {
    char *buffer;
    size_t capacity;
    size_t size; /* of the whole text, also where it does not fit */
};

static void write_bytes(struct writer *writer, const char *bytes, size_t size)
{
    if (writer->size + 1 < writer->capacity) {
        size_t room = writer->capacity - 1 - writer->size;
        memcpy(writer->buffer + writer->size, bytes, size < room ? size : room);
    }
    writer->size += size;
}

static void write_text(struct writer *writer, const char *text)
{
    write_bytes(writer, text, strlen(text));
}

/* A negative number in parentheses, with a true minus sign. */
static void write_number(struct writer *writer, int64_t number)
{
    char digits[20];
    size_t first = sizeof digits;
    uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
    do {
        digits[--first] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (number < 0) write_text(writer, "(−");
    write_bytes(writer, digits + first, sizeof digits - first);
    if (number < 0) write_text(writer, ")");
}

static size_t finish(struct writer *writer)
{
    if (writer->capacity) writer->buffer[writer->size < writer->capacity ? writer->size : writer->capacity - 1] = '\0';
    return writer->size;
}

/* ---- Numbers for letters ----------------------------------------------------------------------------------------- */

/* A letter of the formulas, and what may stand directly beside another factor, which then means a product. */
struct symbol {
    const char *text;
    enum { OPENS, CLOSES, LETTER } role;
    int64_t value; /* of a letter */
};

#define SYMBOL_COUNT 13

/* Longer ones before those that they begin with. */
static void list_symbols(struct symbol symbols[SYMBOL_COUNT], const struct cp_axis_trace *axis)
{
    const struct cp_window *window = &axis->window;
    const struct symbol all[SYMBOL_COUNT] = {
        {"i′", LETTER, axis->input},
        {"i", LETTER, axis->input},
        {"k", LETTER, window->kernel},
        {"s", LETTER, window->stride},
        {"p_b", LETTER, window->pad_begin},
        {"p_e", LETTER, window->pad_end},
        {"p", LETTER, window->pad_begin},
        {"d", LETTER, window->dilation},
        {"a", LETTER, axis->output_padding},
        {"(", OPENS, 0},
        {"⌊", OPENS, 0},
        {")", CLOSES, 0},
        {"⌋", CLOSES, 0},
    };
    memcpy(symbols, all, sizeof all);
}

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static const struct symbol *symbol_at(const struct symbol symbols[SYMBOL_COUNT], const char *text)
{
    for (int i = 0; i < SYMBOL_COUNT; i++)
        if (*text == *symbols[i].text && starts_with(text, symbols[i].text)) return &symbols[i];
    return NULL;
}

/* Write the symbolic text with values for its letters, and a dot where factors stood side by side. */
static void write_substituted(struct writer *writer, const char *symbolic, const struct symbol symbols[SYMBOL_COUNT])
{
    bool after_factor = false;
    while (*symbolic) {
        const struct symbol *symbol = symbol_at(symbols, symbolic);
        if (!symbol) {
            after_factor = *symbolic >= '0' && *symbolic <= '9';
            write_bytes(writer, symbolic++, 1);
            continue;
        }
        if (after_factor && symbol->role != CLOSES) write_text(writer, "·");
        if (symbol->role == LETTER)
            write_number(writer, symbol->value);
        else
            write_text(writer, symbol->text);
        after_factor = symbol->role != OPENS;
        symbolic += strlen(symbol->text);
    }
}

/* ---- Formulas ---------------------------------------------------------------------------------------------------- */

/* The expression as it holds for this axis: both paddings by name where they differ, and what a dilated kernel spans
 * in place of its k, as Relationship 15 has it. */
static void write_symbolic(struct writer *writer, const char *expression, bool unequal, bool dilated)
{
    while (*expression) {
        if (unequal && starts_with(expression, "+ 2p")) {
            write_text(writer, "+ p_b + p_e");
            expression += strlen("+ 2p");
        } else if (unequal && starts_with(expression, "− 2p")) {
            write_text(writer, "− p_b − p_e");
            expression += strlen("− 2p");
        } else if (dilated && starts_with(expression, "+ k")) {
            write_text(writer, "+ k + (k − 1)(d − 1)");
            expression += strlen("+ k");
        } else if (dilated && starts_with(expression, "− k")) {
            write_text(writer, "− k − (k − 1)(d − 1)");
            expression += strlen("− k");
        } else {
            write_bytes(writer, expression++, 1);
        }
    }
}

static const char *expression_of(int relationship, enum cp_traced operation, const struct cp_axis_trace *axis)
{
    const struct cp_relationship *found = cp_relationship_find(relationship);
    switch (operation) {
    case CP_TRACED_NOTHING: return NULL;
    case CP_TRACED_UNPOOLING: return axis->output_padding ? extended_unpooling_expression : unpooling_expression;
    case CP_TRACED_POOLING:
        if (axis->window.rounding == CP_ROUND_CEIL) return ceiling_expression;
        break;
    case CP_TRACED_CONVOLUTION:
    case CP_TRACED_TRANSPOSED: break;
    }
    return found ? found->expression : NULL;
}

/* With ceiling: was a window dropped because it would have started past the input? */
static bool dropped_last_window(const struct cp_axis_trace *axis)
{
    struct cp_window floor = axis->window;
    int64_t windows;
    floor.rounding = CP_ROUND_FLOOR;
    if (cp_window_output(&floor, axis->input, &windows) != CP_WINDOW_OK) return false;
    return windows + (cp_window_remainder(&floor, axis->input) > 0) > axis->output;
}

/* "text = text with numbers = result"; the numbers alone where they are the result already. */
static void write_equation(struct writer *writer, const char *symbolic, const struct symbol symbols[SYMBOL_COUNT],
                           int64_t result)
{
    char middle[CP_FORMULA_BYTES];
    char number[32];
    struct writer substituted = {middle, sizeof middle, 0};
    struct writer last = {number, sizeof number, 0};
    write_substituted(&substituted, symbolic, symbols);
    write_number(&last, result);
    finish(&substituted);
    finish(&last);
    write_text(writer, symbolic);
    write_text(writer, " = ");
    if (strcmp(middle, number) != 0) {
        write_text(writer, middle);
        write_text(writer, " = ");
    }
    write_text(writer, number);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): written to through `writer` */
size_t cp_relationship_formula(char *buffer, size_t capacity, int relationship, enum cp_traced operation,
                               const struct cp_axis_trace *axis)
{
    struct writer writer = {buffer, capacity, 0};
    const char *expression = expression_of(relationship, operation, axis);
    if (!expression) return finish(&writer);

    char symbolic[CP_FORMULA_BYTES];
    struct writer symbols_writer = {symbolic, sizeof symbolic, 0};
    struct symbol symbols[SYMBOL_COUNT];
    bool ceiling = expression == ceiling_expression;
    bool dilated = axis->window.dilation != 1 && !strchr(expression, 'd');
    bool dropped = ceiling && dropped_last_window(axis);
    list_symbols(symbols, axis);
    write_symbolic(&symbols_writer, expression, axis->window.pad_begin != axis->window.pad_end, dilated);
    finish(&symbols_writer);

    write_text(&writer, operation == CP_TRACED_TRANSPOSED ? "o′ = " : "o = ");
    write_equation(&writer, symbolic, symbols, axis->output + dropped);
    if (dropped) {
        write_text(&writer, ", less 1: the last window would start in the end padding, so o = ");
        write_number(&writer, axis->output);
    }
    return finish(&writer);
}
