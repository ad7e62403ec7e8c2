#include "server/roundtrip_writing.h"

#include "core/relationships.h"
#include "server/problem.h"

static void write_shape_or_null(struct cp_writer *writer, const struct cp_plan *plan, uint32_t layer,
                                const struct cp_plan_style *style)
{
    const struct cp_shape *shape = cp_plan_source_shape(plan, plan->stack->input_count + layer);
    if (shape)
        cp_write_layout_shape(writer, style, shape);
    else
        cp_write_null(writer);
}

/* A number where both sides are the same, else [begin, end]. */
static void write_padding(struct cp_writer *writer, const struct cp_window *window)
{
    int64_t sides[] = {window->pad_begin, window->pad_end};
    if (sides[0] == sides[1])
        cp_write_integer(writer, sides[0]);
    else
        cp_write_integers(writer, sides, 2);
}

/* The numbers of the stage that is undone: i and, where it has a window, k, s, p, d and a. */
static void write_undone(struct cp_writer *writer, const struct cp_layer_plan *stage, int64_t input, int axis)
{
    const struct cp_axis_trace *trace = stage->trace ? &stage->trace[axis] : NULL;
    CP_WRITE_NAME(writer, "i");
    cp_write_count(writer, input);
    CP_WRITE_NAME(writer, "k");
    cp_write_count(writer, trace ? trace->window.kernel : CP_UNKNOWN);
    CP_WRITE_NAME(writer, "s");
    cp_write_count(writer, trace ? trace->window.stride : CP_UNKNOWN);
    CP_WRITE_NAME(writer, "p");
    if (trace)
        write_padding(writer, &trace->window);
    else
        cp_write_null(writer);
    CP_WRITE_NAME(writer, "d");
    cp_write_count(writer, trace ? trace->window.dilation : CP_UNKNOWN);
    CP_WRITE_NAME(writer, "a");
    bool convolves = stage->operation == CP_TRACED_CONVOLUTION || stage->operation == CP_TRACED_POOLING;
    cp_write_count(writer, trace && convolves ? cp_window_remainder(&trace->window, input) : CP_UNKNOWN);
}

static void write_formula(struct cp_writer *writer, const struct cp_layer_plan *stage, int axis, int64_t output)
{
    char formula[CP_FORMULA_BYTES];
    CP_WRITE_NAME(writer, "formula");
    if (stage->state != CP_LAYER_PLANNED) {
        cp_write_null(writer);
    } else if (stage->trace) {
        size_t size = cp_relationship_formula(formula, sizeof formula, stage->relationship, stage->operation,
                                              &stage->trace[axis]);
        cp_write_text(writer, (struct cp_text){formula, size});
    } else {
        cp_write_text(writer, cp_message(writer->arena, "{0} = {1}",
                                         CP_ARGUMENTS(cp_words(stage->rule ? stage->rule : "o"), cp_number(output))));
    }
}

static int64_t size_or_unknown(const struct cp_shape *shape, int axis)
{
    return shape && axis + 2 < shape->rank ? shape->size[axis + 2] : CP_UNKNOWN;
}

static void write_axis(struct cp_writer *writer, const struct cp_plan *plan, const struct cp_pair *pair, int axis,
                       int axes)
{
    const struct cp_layer_plan *undone = &plan->layers[pair->encoder], *stage = &plan->layers[pair->decoder];
    const struct cp_shape *latent = cp_plan_source_shape(plan, plan->stack->layers[pair->decoder].sources[0]);
    int64_t output = size_or_unknown(cp_pair_output(plan, pair), axis);
    int64_t expected = size_or_unknown(cp_pair_expected(plan, pair), axis);
    const char *letter = cp_axis_letter(axis, axes);
    cp_write_object_begin(writer);
    CP_WRITE_NAME(writer, "axis");
    cp_write_string(writer, letter ? letter : "");
    write_undone(writer, undone, expected, axis);
    CP_WRITE_NAME(writer, "i_prime");
    cp_write_count(writer, size_or_unknown(latent, axis));
    CP_WRITE_NAME(writer, "output_padding");
    bool transposed =
        stage->trace && (stage->operation == CP_TRACED_TRANSPOSED || stage->operation == CP_TRACED_UNPOOLING);
    if (transposed)
        cp_write_integer(writer, stage->trace[axis].output_padding);
    else
        cp_write_null(writer);
    CP_WRITE_NAME(writer, "output");
    cp_write_count(writer, output);
    CP_WRITE_NAME(writer, "expected");
    cp_write_count(writer, expected);
    CP_WRITE_NAME(writer, "round_trips");
    cp_write_boolean(writer, output != CP_UNKNOWN && output == expected);
    CP_WRITE_NAME(writer, "relationship");
    cp_write_count(writer, stage->relationship ? stage->relationship : CP_UNKNOWN);
    write_formula(writer, stage, axis, output);
    cp_write_object_end(writer);
}

static void write_pair(struct cp_writer *writer, const struct cp_plan *plan, const struct cp_pair *pair)
{
    const struct cp_stack *stack = plan->stack;
    const struct cp_shape *expected = cp_pair_expected(plan, pair);
    int axes = expected ? expected->rank - 2 : 0;
    cp_write_object_begin(writer);
    CP_WRITE_NAME(writer, "encoder");
    cp_write_text(writer, stack->layers[pair->encoder].name);
    CP_WRITE_NAME(writer, "decoder");
    cp_write_text(writer, stack->layers[pair->decoder].name);
    CP_WRITE_NAME(writer, "axes");
    cp_write_array_begin(writer);
    for (int axis = 0; axis < axes && axis < CP_MAX_AXES; axis++) write_axis(writer, plan, pair, axis, axes);
    cp_write_array_end(writer);
    cp_write_object_end(writer);
}

void cp_write_roundtrip(struct cp_writer *writer, const struct cp_plan *plan, const struct cp_pairing *pairing,
                        const struct cp_plan_style *style)
{
    const struct cp_stack *stack = plan->stack;
    cp_write_object_begin(writer);
    CP_WRITE_NAME(writer, "valid");
    cp_write_boolean(writer, plan->valid);
    CP_WRITE_NAME(writer, "input");
    cp_write_layout_shape(writer, style, &stack->inputs[0].shape);
    CP_WRITE_NAME(writer, "latent");
    write_shape_or_null(writer, plan, stack->encoder_count - 1, style);
    CP_WRITE_NAME(writer, "output");
    write_shape_or_null(writer, plan, stack->layer_count - 1, style);
    CP_WRITE_NAME(writer, "encoder");
    cp_write_planned_layers(writer, plan, 0, stack->encoder_count, style);
    CP_WRITE_NAME(writer, "decoder");
    cp_write_planned_layers(writer, plan, stack->encoder_count, stack->layer_count, style);
    CP_WRITE_NAME(writer, "pairs");
    cp_write_array_begin(writer);
    for (uint32_t at = 0; at < pairing->pair_count; at++) write_pair(writer, plan, &pairing->pairs[at]);
    cp_write_array_end(writer);
    cp_write_all_findings(writer, plan, style);
    cp_write_object_end(writer);
}
