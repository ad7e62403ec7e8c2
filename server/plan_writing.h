/* A plan as JSON, in the request's layout. */
#ifndef CP_PLAN_WRITING_H
#define CP_PLAN_WRITING_H

#include "core/plan.h"
#include "server/json/writer.h"

struct cp_plan_style {
    bool channels_last;
    bool explain;     /* with formulas */
    const char *base; /* pointer of the list of layers: "/layers"; of an encoder and decoder not looked at */
};

/* A shape in the request's layout. */
void cp_write_layout_shape(struct cp_writer *writer, const struct cp_plan_style *style, const struct cp_shape *shape);

/* The array of layers [begin, end) with all that is known of each. */
void cp_write_planned_layers(struct cp_writer *writer, const struct cp_plan *plan, uint32_t begin, uint32_t end,
                             const struct cp_plan_style *style);

/* The member "findings", and "findings_omitted" where there were too many. */
void cp_write_all_findings(struct cp_writer *writer, const struct cp_plan *plan, const struct cp_plan_style *style);

/* One finding as an object. */
void cp_write_finding(struct cp_writer *writer, const struct cp_stack *stack, const struct cp_finding *finding,
                      const struct cp_plan_style *style);

/* The arguments of a finding with its shapes in the request's layout. */
void cp_arguments_in_layout(struct cp_arena *arena, const struct cp_finding *finding, bool channels_last,
                            struct cp_argument arguments[CP_MAX_ARGUMENTS]);

/* The letter of a spatial axis: L; H and W; D, H and W. NULL where it has none. */
const char *cp_axis_letter(int axis, int axes);

#endif
