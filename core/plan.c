#include "core/plan.h"

#include "core/checked.h"
#include "core/fix.h"
#include "core/memory.h"
#include "core/relationships.h"

struct cp_finding *cp_report(struct cp_inference *inference, enum cp_code code, const char *member, int axis,
                             const struct cp_argument *arguments, int argument_count)
{
    struct cp_finding *finding =
        cp_findings_add(&inference->whole->findings, code, inference->index, arguments, argument_count);
    finding->member = member;
    finding->axis = axis;
    finding->axes = inference->axes ? inference->axes : inference->inputs[0]->rank - 2;
    return finding;
}

const struct cp_shape *cp_plan_source_shape(const struct cp_plan *plan, uint32_t source)
{
    uint32_t inputs = plan->stack->input_count;
    if (source < inputs) return &plan->stack->inputs[source].shape;
    const struct cp_layer_plan *layer = &plan->layers[source - inputs];
    return layer->state == CP_LAYER_PLANNED ? &layer->output : NULL;
}

/* Room for what the inputs of the widest merge need, taken once per plan. */
struct workspace {
    const struct cp_shape **shapes;
    const struct cp_field **fields;
    const struct cp_field **input_fields; /* of the network's inputs */
};

static const struct cp_field *source_field(const struct cp_plan *plan, const struct workspace *work, uint32_t source)
{
    uint32_t inputs = plan->stack->input_count;
    return source < inputs ? work->input_fields[source] : plan->layers[source - inputs].field;
}

/* False when an input of the layer is not known. */
static bool gather_inputs(struct cp_inference *inference, const struct workspace *work)
{
    const struct cp_layer *layer = inference->layer;
    for (uint32_t at = 0; at < layer->source_count; at++) {
        work->shapes[at] = cp_plan_source_shape(inference->whole, layer->sources[at]);
        if (!work->shapes[at]) return false;
    }
    return true;
}

static void check_expectation(struct cp_inference *inference)
{
    const struct cp_shape *expected = inference->layer->expect, *output = &inference->plan->output;
    bool same = expected->rank == output->rank;
    for (int dim = 0; same && dim < output->rank; dim++)
        same = expected->size[dim] == CP_ANY_SIZE || expected->size[dim] == output->size[dim];
    if (same) return;
    cp_report(inference, CP_CODE_expectation_failed, "expect", CP_NO_AXIS,
              CP_ARGUMENTS(cp_dimensions(expected), cp_dimensions(output)));
}

/* ---- One layer --------------------------------------------------------------------------------------------------- */

/* Element by element: the only input's field. A merge has a reach of its own. */
static const struct cp_field *reach_of(struct cp_inference *inference)
{
    const struct cp_layer_kind *kind = inference->layer->type->kind;
    if (!inference->fields[0] && !kind->merges) return NULL;
    return kind->reach ? kind->reach(inference) : inference->fields[0];
}

static bool is_known(const struct cp_field *field)
{
    return field && cp_field_kind(field) != CP_FIELD_NONE;
}

static void plan_field(struct cp_inference *inference, const struct workspace *work)
{
    for (uint32_t at = 0; at < inference->input_count; at++)
        work->fields[at] = source_field(inference->whole, work, inference->layer->sources[at]);
    inference->plan->field = reach_of(inference);
    if (inference->plan->field == work->fields[0] || is_known(inference->plan->field)) return;
    for (uint32_t at = 0; at < inference->input_count; at++)
        if (!is_known(work->fields[at])) return; /* reported where it became so */
    const char *reason = inference->field_reason ? inference->field_reason : "it has too many phases";
    cp_report(inference, CP_CODE_receptive_field_unknown, NULL, CP_NO_AXIS, CP_ARGUMENTS(cp_words(reason)));
}

static bool plan_cost(struct cp_inference *inference)
{
    struct cp_layer_plan *plan = inference->plan;
    const struct cp_layer_kind *kind = inference->layer->type->kind;
    int64_t elements;
    bool fits = cp_shape_product(&plan->output, 0, plan->output.rank, &elements) &&
                cp_multiply(elements, inference->stack->element_bytes, &plan->output_bytes);
    const char *what = "the output's bytes";
    plan->params = plan->macs = 0;
    if (fits && kind->cost) {
        fits = kind->cost(inference);
        what = "params or macs";
    }
    if (!fits) cp_report(inference, CP_CODE_count_overflow, NULL, CP_NO_AXIS, CP_ARGUMENTS(cp_words(what)));
    return fits;
}

static void plan_layer(struct cp_inference *inference, const struct workspace *work, enum cp_plan_depth depth)
{
    struct cp_layer_plan *plan = inference->plan;
    const struct cp_layer_type *type = inference->layer->type;
    plan->params = plan->macs = plan->output_bytes = CP_UNKNOWN;
    plan->state = CP_LAYER_SKIPPED;
    if (!gather_inputs(inference, work)) return;
    plan->state = CP_LAYER_FAILED;
    if (!type->kind->infer(inference)) return;
    plan->state = CP_LAYER_PLANNED;
    if (depth == CP_PLAN_ALL) {
        if (!plan_cost(inference)) {
            plan->params = plan->macs = plan->output_bytes = CP_UNKNOWN;
            plan->state = CP_LAYER_FAILED;
            return;
        }
        plan_field(inference, work);
        if (plan->trace) plan->relationship = cp_relationship_of(plan->operation, plan->trace, inference->axes);
    }
    if (inference->layer->expect) check_expectation(inference);
}

/* ---- Fixes -------------------------------------------------------------------------------------------------------- */

/* Is the error one of those that the layer had beside `mended`? */
static bool stood_beside(const struct cp_finding *error, const struct cp_finding *first,
                         const struct cp_finding *mended)
{
    for (const struct cp_finding *other = first; other; other = other->next) {
        bool same_member =
            other->member && error->member ? strcmp(other->member, error->member) == 0 : other->member == error->member;
        if (other != mended && other->code == error->code && same_member && other->axis == error->axis) return true;
    }
    return false;
}

/* A fix repairs its finding and brings up no other error, or is none: something else may stand behind the finding, or come
 * with the new value. `first`: of the layer's findings. */
static void try_fix(const struct cp_inference *inference, const struct workspace *work, enum cp_plan_depth depth,
                    const struct cp_finding *first, struct cp_finding *finding)
{
    struct cp_layer fixed = cp_layer_fixed(inference->layer, &finding->fix, inference->arena);
    struct cp_layer_plan plan = {.state = CP_LAYER_SKIPPED};
    struct cp_plan whole = *inference->whole;
    struct cp_inference trial = *inference;
    trial.layer = &fixed;
    trial.plan = &plan;
    trial.whole = &whole;
    cp_findings_begin(&whole.findings, inference->arena);
    plan_layer(&trial, work, depth);
    for (const struct cp_finding *left = whole.findings.first; left; left = left->next)
        if (left->severity == CP_SEVERITY_ERROR && !stood_beside(left, first, finding)) finding->fix.member = NULL;
}

static void plan_and_try(struct cp_inference *inference, const struct workspace *work, enum cp_plan_depth depth)
{
    struct cp_finding **found = inference->whole->findings.tail;
    plan_layer(inference, work, depth);
    for (struct cp_finding *finding = *found; finding; finding = finding->next)
        if (finding->fix.member) try_fix(inference, work, depth, *found, finding);
}

/* ---- The whole --------------------------------------------------------------------------------------------------- */

static void prepare(struct workspace *work, const struct cp_stack *stack, enum cp_plan_depth depth,
                    struct cp_arena *arena)
{
    uint32_t widest = 1;
    for (uint32_t at = 0; at < stack->layer_count; at++)
        if (stack->layers[at].source_count > widest) widest = stack->layers[at].source_count;
    work->shapes = CP_NEW_ARRAY(arena, const struct cp_shape *, widest);
    work->fields = CP_NEW_ARRAY(arena, const struct cp_field *, widest);
    work->input_fields = CP_NEW_ARRAY(arena, const struct cp_field *, stack->input_count);
    for (uint32_t at = 0; depth == CP_PLAN_ALL && at < stack->input_count; at++)
        work->input_fields[at] = cp_field_of_input(arena, &stack->inputs[at].shape);
}

static void report_total(struct cp_plan *plan, uint32_t layer, const char *what)
{
    cp_findings_add(&plan->findings, CP_CODE_count_overflow, layer, CP_ARGUMENTS(cp_words(what)));
}

/* A sum of which one part is unknown is unknown; one that grows too large is reported at the layer where it does. */
static inline void add_count(struct cp_plan *plan, uint32_t layer, const char *what, int64_t *total, int64_t part)
{
    bool known = *total != CP_UNKNOWN && part != CP_UNKNOWN;
    if (known && cp_add(*total, part, total)) return;
    *total = CP_UNKNOWN;
    if (known) report_total(plan, layer, what);
}

static void sum_up(struct cp_plan *plan, struct cp_arena *arena)
{
    for (uint32_t at = 0; at < plan->stack->layer_count; at++) {
        const struct cp_layer_plan *layer = &plan->layers[at];
        int64_t flops = layer->macs == CP_UNKNOWN ? CP_UNKNOWN : 2 * layer->macs;
        add_count(plan, at, "the sum of params", &plan->params, layer->params);
        add_count(plan, at, "the sum of macs", &plan->macs, layer->macs);
        add_count(plan, at, "the sum of flops", &plan->flops, flops);
        add_count(plan, at, "the sum of output_bytes", &plan->output_bytes, layer->output_bytes);
    }
    plan->peak_activation_bytes = cp_peak_activation_bytes(plan, arena);
    if (plan->peak_activation_bytes == CP_UNKNOWN && plan->output_bytes != CP_UNKNOWN)
        report_total(plan, 0, "peak_activation_bytes");
}

void cp_plan_stack(struct cp_plan *plan, const struct cp_stack *stack, enum cp_plan_depth depth, struct cp_arena *arena)
{
    struct workspace work;
    *plan = (struct cp_plan){.stack = stack, .layers = CP_NEW_ARRAY(arena, struct cp_layer_plan, stack->layer_count)};
    cp_findings_begin(&plan->findings, arena);
    prepare(&work, stack, depth, arena);
    for (uint32_t at = 0; at < stack->layer_count; at++) {
        const struct cp_layer *layer = &stack->layers[at];
        struct cp_inference inference = {
            .stack = stack,
            .layer = layer,
            .index = at,
            .axes = layer->type->axes,
            .inputs = work.shapes,
            .fields = work.fields,
            .input_count = layer->source_count,
            .plan = &plan->layers[at],
            .whole = plan,
            .arena = arena,
        };
        plan_and_try(&inference, &work, depth);
    }
    if (depth == CP_PLAN_ALL) sum_up(plan, arena);
    plan->valid = plan->findings.errors == 0;
}
