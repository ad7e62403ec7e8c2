#include "core/memory.h"

#include "core/checked.h"

/* Bytes of what a source gives; false where that is not known. */
static inline bool source_bytes(const struct cp_plan *plan, uint32_t source, int64_t *bytes)
{
    const struct cp_stack *stack = plan->stack;
    if (source >= stack->input_count) {
        *bytes = plan->layers[source - stack->input_count].output_bytes;
        return *bytes != CP_UNKNOWN;
    }
    const struct cp_shape *shape = &stack->inputs[source].shape;
    return cp_shape_product(shape, 0, shape->rank, bytes) && cp_multiply(*bytes, stack->element_bytes, bytes);
}

/* For each source, one past the last layer that reads it; 0 when none does. */
static uint32_t *last_readers(const struct cp_stack *stack, struct cp_arena *arena)
{
    uint32_t *last = CP_NEW_ARRAY(arena, uint32_t, stack->input_count + stack->layer_count);
    for (uint32_t at = 0; at < stack->layer_count; at++)
        for (uint32_t edge = 0; edge < stack->layers[at].source_count; edge++)
            last[stack->layers[at].sources[edge]] = at + 1;
    return last;
}

/* The bytes that end with layer `at`: sources that it reads last, each once, and its own output if nobody reads it. */
static int64_t released_by(const struct cp_plan *plan, uint32_t at, uint32_t *last)
{
    const struct cp_layer *layer = &plan->stack->layers[at];
    int64_t released = 0, bytes = 0;
    for (uint32_t edge = 0; edge < layer->source_count; edge++) {
        uint32_t source = layer->sources[edge];
        if (last[source] != at + 1 || !source_bytes(plan, source, &bytes)) continue;
        released += bytes;
        last[source] = 0; /* a layer may name the same source twice */
    }
    if (last[plan->stack->input_count + at] == 0) released += plan->layers[at].output_bytes;
    return released;
}

int64_t cp_peak_activation_bytes(const struct cp_plan *plan, struct cp_arena *arena)
{
    const struct cp_stack *stack = plan->stack;
    uint32_t *last = last_readers(stack, arena);
    int64_t alive = 0, peak = 0, bytes;
    for (uint32_t source = 0; source < stack->input_count; source++)
        if (last[source] && (!source_bytes(plan, source, &bytes) || !cp_add(alive, bytes, &alive))) return CP_UNKNOWN;
    for (uint32_t at = 0; at < stack->layer_count; at++) {
        if (!source_bytes(plan, stack->input_count + at, &bytes) || !cp_add(alive, bytes, &alive)) return CP_UNKNOWN;
        if (alive > peak) peak = alive;
        alive -= released_by(plan, at, last);
    }
    return peak;
}
