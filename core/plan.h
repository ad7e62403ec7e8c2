/* Planning: every layer's output shape, cost, receptive field and memory, in one pass over the stack. */
#ifndef CP_PLAN_H
#define CP_PLAN_H

#include "core/attributes.h"
#include "core/layer.h"

/* How one spatial axis of a window layer came about: the numbers of its relationship. */
struct cp_axis_trace {
    struct cp_window window; /* padding resolved to explicit cells */
    int64_t input;           /* i; for a transposed layer its own input, i′ */
    int64_t output;
    int64_t output_padding; /* transposed layers */
    int64_t remainder;      /* (i + p_b + p_e − k̂) mod s of a convolution or pool with floor rounding */
};

enum cp_traced {
    CP_TRACED_NOTHING,
    CP_TRACED_CONVOLUTION,
    CP_TRACED_POOLING,
    CP_TRACED_TRANSPOSED,
    CP_TRACED_UNPOOLING
};

enum cp_layer_state {
    CP_LAYER_PLANNED, /* output is known */
    CP_LAYER_FAILED,  /* it has a finding of severity error that leaves its output unknown */
    CP_LAYER_SKIPPED, /* an input of it is unknown */
};

struct cp_layer_plan {
    enum cp_layer_state state;
    struct cp_shape output; /* valid when planned */
    int64_t params;         /* trainable numbers; CP_UNKNOWN when not known */
    int64_t macs;           /* multiplications of convolution and linear layers; CP_UNKNOWN when not known */
    int64_t output_bytes;   /* CP_UNKNOWN when not known */
    int relationship;       /* 1 … 15, or 0: none of the guide's */
    enum cp_traced operation;
    struct cp_axis_trace *trace;  /* one per spatial axis, NULL without a window */
    const char *rule;             /* without a window: what gives the output its size, in symbols */
    const struct cp_field *field; /* receptive field; NULL where it is not known */
};

struct cp_plan {
    const struct cp_stack *stack;
    struct cp_layer_plan *layers;
    struct cp_findings findings;
    bool valid;                    /* no finding of severity error */
    int64_t params, macs, flops;   /* totals; CP_UNKNOWN when any layer's is */
    int64_t output_bytes;          /* all outputs together; CP_UNKNOWN when any layer's is */
    int64_t peak_activation_bytes; /* CP_UNKNOWN when any shape is */
};

/* What is planned: shapes alone are what searches over sizes need. */
enum cp_plan_depth { CP_PLAN_SHAPES, CP_PLAN_ALL };

/* Plan a linked stack. All memory is from `arena`; the stack must outlive the plan. Cost: O(layers + edges). */
void cp_plan_stack(struct cp_plan *plan, const struct cp_stack *stack, enum cp_plan_depth depth,
                   struct cp_arena *arena);

/* What a layer kind's functions see and fill in. */
struct cp_inference {
    const struct cp_stack *stack;
    const struct cp_layer *layer;
    uint32_t index;                       /* of the layer in its stack */
    int axes;                             /* N of the layer's type, 0 where it has none */
    const struct cp_shape *const *inputs; /* source_count shapes, all known */
    const struct cp_field *const *fields; /* theirs; an entry is NULL where not known */
    uint32_t input_count;
    struct cp_layer_plan *plan;
    struct cp_plan *whole;
    struct cp_arena *arena;
    const char *field_reason; /* set by `reach` where the receptive field becomes unknown: why */
};

/* Report a finding on the layer under inference: `member` as in the table or NULL, `axis` spatial or CP_NO_AXIS. */
struct cp_finding *cp_report(struct cp_inference *inference, enum cp_code code, const char *member, int axis,
                             const struct cp_argument *arguments, int argument_count) CP_RARE;

/* The shape of a source of the stack, or NULL where it is not known (yet). */
const struct cp_shape *cp_plan_source_shape(const struct cp_plan *plan, uint32_t source);

#endif
