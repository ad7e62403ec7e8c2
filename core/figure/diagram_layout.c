#include "core/figure/diagram_layout.h"

enum {
    HIGHEST = 140, /* of a block */
    LOWEST = 4,
    LEAST_WIDTH = 7,   /* of a block with one channel */
    OCTAVE = 3,        /* more for each doubling of the channels */
    VECTOR_WIDTH = 9,  /* of a block without space, which stands upright */
    VECTOR_OCTAVE = 7, /* its height for each doubling of the features */
    SLAB = 9,
    LABEL_PITCH = 11, /* between the middles of blocks, so that upright labels do not touch */
    GAP = 12,         /* before a block that follows the one before it */
    BREAK = 26,       /* before one that does not */
    LONGEST_SINGLE_LINE = 2100,
    LONGEST_LINE = 1500, /* where there are several */
    BETWEEN_LINES = 26,
    UNKNOWN_HEIGHT = 40,
    ARC_ROOM = 16,
    MOST_LIFT = 90,
    LONGEST_NAME = 28,
};

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static const struct cp_shape *shape_of(const struct cp_diagram *diagram, uint32_t source)
{
    return cp_plan_source_shape(diagram->plan, source);
}

/* The largest of the spatial axes; 0 without any. */
static int64_t spatial_size(const struct cp_shape *shape)
{
    int64_t size = 0;
    for (int dim = 2; dim < shape->rank; dim++) size = larger(size, shape->size[dim]);
    return size;
}

/* scale · log₂(number), with straight lines between the powers of 2. */
static int64_t scaled_logarithm(int64_t number, int64_t scale)
{
    int exponent = 63 - __builtin_clzll((unsigned long long)number);
    int64_t power = (int64_t)1 << exponent;
    return scale * exponent + (number - power) / larger(1, power / scale);
}

static int64_t largest_spatial_size(const struct cp_diagram *diagram, uint32_t count)
{
    int64_t size = 1;
    for (uint32_t source = 0; source < count; source++) {
        const struct cp_shape *shape = shape_of(diagram, source);
        if (shape) size = larger(size, spatial_size(shape));
    }
    return size;
}

/* ---- Blocks ------------------------------------------------------------------------------------------------------- */

static struct cp_text size_text(const struct cp_diagram *diagram, const struct cp_shape *shape, struct cp_arena *arena)
{
    struct cp_shape written = diagram->channels_last ? cp_shape_to_channels_last(shape) : *shape;
    struct cp_text_builder text = {.arena = arena};
    for (int dim = 1; dim < written.rank; dim++) {
        if (dim > 1) cp_text_add_string(&text, "×");
        cp_text_add_number(&text, written.size[dim]);
    }
    if (written.rank == 1) cp_text_add_number(&text, written.size[0]);
    return cp_text_built(&text);
}

static const struct cp_layer *layer_of(const struct cp_diagram *diagram, uint32_t source)
{
    const struct cp_stack *stack = diagram->plan->stack;
    return source < stack->input_count ? NULL : &stack->layers[source - stack->input_count];
}

static bool takes_from(const struct cp_layer *layer, uint32_t source)
{
    for (uint32_t at = 0; layer && at < layer->source_count; at++)
        if (layer->sources[at] == source) return true;
    return false;
}

/* What keeps a shape and has no map of its own to show. */
static bool is_slab(const struct cp_layer *layer)
{
    static const char *const families[] = {"normalisation", "activation", "dropout", "constant"};
    for (size_t at = 0; at < sizeof families / sizeof families[0]; at++)
        if (strcmp(layer->type->kind->family, families[at]) == 0) return layer->source_count == 1;
    return false;
}

static void set_size(struct cp_diagram_block *block, const struct cp_shape *shape, int64_t largest)
{
    int64_t spatial = shape ? spatial_size(shape) : 0;
    block->width = LEAST_WIDTH + 2 * (int64_t)OCTAVE;
    block->height = UNKNOWN_HEIGHT;
    if (!shape) return;
    int64_t channels = shape->rank > 1 ? shape->size[1] : 1;
    block->width = spatial ? LEAST_WIDTH + scaled_logarithm(channels, OCTAVE) : VECTOR_WIDTH;
    block->height = spatial ? (int64_t)((double)spatial * HIGHEST / (double)largest + 0.5)
                            : scaled_logarithm(channels, VECTOR_OCTAVE);
    block->height = larger(block->height, LOWEST);
}

static void make_block(struct cp_diagram_layout *layout, const struct cp_diagram *diagram, uint32_t source,
                       int64_t largest, struct cp_arena *arena)
{
    struct cp_diagram_block *block = &layout->blocks[source];
    const struct cp_layer *layer = layer_of(diagram, source);
    const struct cp_shape *shape = shape_of(diagram, source);
    const struct cp_shape *before = source ? shape_of(diagram, source - 1) : NULL;
    struct cp_text name = layer ? layer->name : diagram->plan->stack->inputs[source].name;
    bool same = shape && before && cp_shape_equal(shape, before);
    set_size(block, shape, largest);
    block->chained = layer && takes_from(layer, source - 1);
    block->attached = block->chained && same && is_slab(layer);
    if (block->attached) block->width = SLAB;
    block->name = cp_text_shortened(arena, name, LONGEST_NAME);
    if (shape && !(same && block->chained)) block->size = size_text(diagram, shape, arena);
}

/* ---- Lines -------------------------------------------------------------------------------------------------------- */

/* Room before a block that is not the first of its line. */
static int64_t gap_before(const struct cp_diagram_layout *layout, uint32_t at)
{
    const struct cp_diagram_block *block = &layout->blocks[at], *before = block - 1;
    int64_t least = LABEL_PITCH - (block->width + before->width) / 2;
    if (block->attached) return larger(1, least);
    return larger(block->chained ? GAP : BREAK, least);
}

static int64_t whole_length(const struct cp_diagram_layout *layout)
{
    int64_t length = 0;
    for (uint32_t at = 0; at < layout->block_count; at++)
        length += layout->blocks[at].width + (at ? gap_before(layout, at) : 0);
    return length;
}

/* Lines of about one length; one line as long as it is not too long. */
static void break_lines(struct cp_diagram_layout *layout)
{
    int64_t length = whole_length(layout);
    int64_t count = length <= LONGEST_SINGLE_LINE ? 1 : (length + LONGEST_LINE - 1) / LONGEST_LINE;
    int64_t end = CP_DIAGRAM_MARGIN + length / count;
    int64_t x = CP_DIAGRAM_MARGIN;
    struct cp_diagram_line *line = layout->lines, *last = layout->lines + count - 1;
    *line = (struct cp_diagram_line){0};
    for (uint32_t at = 0; at < layout->block_count; at++) {
        struct cp_diagram_block *block = &layout->blocks[at];
        if (at > line->begin) x += gap_before(layout, at);
        if (at > line->begin && line < last && !block->attached && x + block->width / 2 > end) {
            line->end = at;
            *++line = (struct cp_diagram_line){.begin = at};
            x = CP_DIAGRAM_MARGIN;
        }
        block->line = (uint32_t)(line - layout->lines);
        block->x = x;
        x += block->width;
        layout->width = larger(layout->width, x + CP_DIAGRAM_MARGIN);
    }
    line->end = layout->block_count;
    layout->line_count = (uint32_t)(line - layout->lines) + 1;
}

/* ---- Heights ------------------------------------------------------------------------------------------------------ */

static int64_t label_length(const struct cp_diagram_block *block)
{
    return cp_svg_text_width(block->name, CP_DIAGRAM_LABEL_SIZE) +
           (block->size.size ? 6 + cp_svg_text_width(block->size, CP_DIAGRAM_LABEL_SIZE) : 0);
}

int64_t cp_diagram_arc_lift(const struct cp_diagram_layout *layout, uint32_t from, uint32_t to)
{
    const struct cp_diagram_block *a = &layout->blocks[from], *b = &layout->blocks[to];
    int64_t highest = 0;
    for (uint32_t at = from; at <= to; at++) highest = larger(highest, layout->blocks[at].height);
    /* A cubic whose control points lie at one height reaches three quarters of the way to it. */
    int64_t over = (highest - (a->height + b->height) / 2) / 2;
    int64_t lift = ARC_ROOM + over * 4 / 3 + (b->x - a->x) / 8;
    return lift < over * 4 / 3 + MOST_LIFT ? lift : over * 4 / 3 + MOST_LIFT;
}

/* How far above the line's highest block the arcs rise. */
static void set_lift(struct cp_diagram_layout *layout, const struct cp_diagram *diagram)
{
    for (uint32_t to = 0; to < layout->block_count; to++) {
        const struct cp_layer *layer = layer_of(diagram, to);
        struct cp_diagram_line *line = &layout->lines[layout->blocks[to].line];
        for (uint32_t at = 0; layer && at < layer->source_count; at++) {
            uint32_t from = layer->sources[at];
            if (from + 1 == to) continue;
            line->lift = larger(line->lift, ARC_ROOM + MOST_LIFT / 3);
            if (layout->blocks[from].line != layout->blocks[to].line) {
                struct cp_diagram_line *other = &layout->lines[layout->blocks[from].line];
                other->lift = larger(other->lift, ARC_ROOM + MOST_LIFT / 3);
                continue;
            }
            int64_t top = (layout->blocks[from].height + layout->blocks[to].height) / 4 +
                          cp_diagram_arc_lift(layout, from, to) * 3 / 4;
            line->lift = larger(line->lift, top - line->reach + 4);
        }
    }
}

static void stack_lines(struct cp_diagram_layout *layout, const struct cp_diagram *diagram, int64_t top)
{
    for (uint32_t at = 0; at < layout->block_count; at++) {
        const struct cp_diagram_block *block = &layout->blocks[at];
        struct cp_diagram_line *line = &layout->lines[block->line];
        line->reach = larger(line->reach, (block->height + 1) / 2);
        line->label_height = larger(line->label_height, label_length(block));
    }
    set_lift(layout, diagram);
    for (uint32_t at = 0; at < layout->line_count; at++) {
        struct cp_diagram_line *line = &layout->lines[at];
        line->middle = top + line->lift + line->reach + 14; /* and a badge */
        top = line->middle + line->reach + 8 + line->label_height + BETWEEN_LINES;
    }
    layout->bottom = top;
}

void cp_diagram_lay_out(struct cp_diagram_layout *layout, const struct cp_diagram *diagram, int64_t top,
                        struct cp_arena *arena)
{
    const struct cp_stack *stack = diagram->plan->stack;
    *layout = (struct cp_diagram_layout){.block_count = stack->input_count + stack->layer_count};
    layout->blocks = CP_NEW_ARRAY(arena, struct cp_diagram_block, layout->block_count);
    layout->lines = CP_NEW_ARRAY(arena, struct cp_diagram_line, layout->block_count);
    int64_t largest = largest_spatial_size(diagram, layout->block_count);
    for (uint32_t source = 0; source < layout->block_count; source++)
        make_block(layout, diagram, source, largest, arena);
    break_lines(layout);
    stack_lines(layout, diagram, top);
}
