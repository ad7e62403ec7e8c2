#include "core/sizes.h"

#include "core/checked.h"
#include "core/layers/laws.h"
#include "core/roundtrip.h"

/* ---- The stack as an axis program --------------------------------------------------------------------------------- */

struct trace {
    const struct cp_sizes_question *question;
    struct cp_axis_program program;
    struct cp_dims *sources; /* inputs, then layers */
    struct cp_arena *arena;
};

static void trace_inputs(struct trace *trace)
{
    const struct cp_stack *stack = trace->question->stack;
    for (uint32_t at = 0; at < stack->input_count; at++) {
        const struct cp_shape *shape = &stack->inputs[at].shape;
        trace->sources[at].rank = shape->rank;
        for (int dim = 0; dim < shape->rank; dim++) {
            int8_t symbol = trace->question->symbols[at][dim];
            trace->sources[at].at[dim] = symbol == CP_FIXED_SIZE ? cp_axis_constant(&trace->program, shape->size[dim])
                                                                 : cp_axis_free(&trace->program, symbol);
        }
    }
}

static bool meets_expectation(struct cp_tracing *tracing)
{
    const struct cp_shape *expect = tracing->layer->expect;
    if (expect->rank != tracing->output.rank) return false;
    for (int dim = 0; dim < expect->rank; dim++) {
        uint32_t *size = &tracing->output.at[dim];
        if (expect->size[dim] != CP_ANY_SIZE) *size = cp_law_declared(tracing, expect->size[dim], *size);
    }
    return true;
}

static bool trace_layer(struct trace *trace, uint32_t at, const struct cp_dims **inputs)
{
    const struct cp_stack *stack = trace->question->stack;
    const struct cp_layer *layer = &stack->layers[at];
    const struct cp_layer_kind *kind = layer->type->kind;
    struct cp_tracing tracing = {.stack = stack,
                                 .layer = layer,
                                 .axes = layer->type->axes,
                                 .inputs = inputs,
                                 .input_count = layer->source_count,
                                 .sources = trace->sources,
                                 .program = &trace->program};
    for (uint32_t input = 0; input < layer->source_count; input++)
        inputs[input] = &trace->sources[layer->sources[input]];
    trace->program.layer = at;
    if (!(kind->law ? kind->law : cp_law_same)(&tracing)) return false;
    if (layer->expect && !meets_expectation(&tracing)) return false;
    trace->sources[stack->input_count + at] = tracing.output;
    return true;
}

static bool same_spatial_sizes(struct trace *trace, const struct cp_dims *a, const struct cp_dims *b)
{
    if (a->rank != b->rank) return false;
    for (int dim = 2; dim < a->rank; dim++) cp_axis_require_equal(&trace->program, a->at[dim], b->at[dim]);
    return true;
}

/* What /v1/roundtrip demands: each stage of the decoder gives what its partner took, and the last output is the input. */
static bool trace_roundtrip(struct trace *trace)
{
    const struct cp_stack *stack = trace->question->stack;
    struct cp_pairing pairing;
    bool right = true;
    cp_pair_stages(&pairing, stack, trace->arena);
    for (uint32_t at = 0; at < pairing.pair_count && pairing.encoder_stages == pairing.decoder_stages; at++) {
        trace->program.layer = pairing.pairs[at].decoder;
        right = same_spatial_sizes(trace, &trace->sources[stack->input_count + pairing.pairs[at].decoder],
                                   &trace->sources[stack->layers[pairing.pairs[at].encoder].sources[0]]) &&
                right;
    }
    trace->program.layer = stack->layer_count - 1;
    return same_spatial_sizes(trace, &trace->sources[stack->input_count + stack->layer_count - 1],
                              &trace->sources[0]) &&
           right;
}

static void trace_stack(struct trace *trace)
{
    const struct cp_stack *stack = trace->question->stack;
    uint32_t widest = 1;
    for (uint32_t at = 0; at < stack->layer_count; at++)
        if (stack->layers[at].source_count > widest) widest = stack->layers[at].source_count;
    const struct cp_dims **inputs = CP_NEW_ARRAY(trace->arena, const struct cp_dims *, widest);
    trace->sources = CP_NEW_ARRAY(trace->arena, struct cp_dims, (size_t)stack->input_count + stack->layer_count);
    cp_axis_program_begin(&trace->program, trace->arena);
    trace_inputs(trace);
    for (uint32_t at = 0; at < stack->layer_count; at++)
        if (!trace_layer(trace, at, inputs)) {
            cp_axis_never(&trace->program);
            return;
        }
    if (stack->encoder_count && !trace_roundtrip(trace)) cp_axis_never(&trace->program);
}

/* ---- One free size ------------------------------------------------------------------------------------------------- */

static bool refuse(struct cp_valid_sizes *sizes, enum cp_code code, uint32_t layer, const char *what, int64_t number,
                   int64_t limit)
{
    sizes->refusal = code;
    sizes->layer = layer;
    sizes->what = what;
    sizes->number = number;
    sizes->limit = limit;
    return false;
}

/* How many n have to be run: all below `from` and one period. */
static bool range_of(struct cp_valid_sizes *sizes, const struct cp_axis_summary *summary, int64_t steps,
                     int64_t most_steps, int64_t *from, int64_t *period)
{
    const struct cp_condition *condition = &summary->condition;
    bool finite = condition->end != CP_NO_END;
    int64_t range;
    *from = finite ? condition->end : condition->from;
    *period = finite ? 1 : condition->period;
    if (!finite && condition->state == CP_LAW_APERIODIC)
        return refuse(sizes, CP_CODE_sizes_not_periodic, summary->unknown_layer, NULL, 0, 0);
    if (*period > CP_MAX_SIZES_RANGE)
        return refuse(sizes, CP_CODE_limit_exceeded, summary->unknown_layer, "period of the sizes that work", *period,
                      CP_MAX_SIZES_RANGE);
    if (*from > CP_MAX_SIZES_RANGE)
        return refuse(sizes, CP_CODE_limit_exceeded, summary->unknown_layer,
                      "size from which the law of the sizes holds", *from, CP_MAX_SIZES_RANGE);
    range = (*from + *period) * (steps + 1);
    if (range > most_steps)
        return refuse(sizes, CP_CODE_limit_exceeded, CP_NO_LAYER, "sizes to try times steps of the network", range,
                      most_steps);
    return true;
}

/* How many sizes may be run beside the search for the set itself, so that it stays the most of the work. */
static int64_t few_sizes(const struct cp_axis_run *run)
{
    return CP_MAX_SIZES_STEPS / 8 / ((int64_t)run->count + 1);
}

/* By how much the step that stopped the run misses, where it compares two sizes. */
static int64_t gap_of(const struct cp_axis_run *run, uint32_t done)
{
    if (done >= run->count) return 0;
    const struct cp_step *step = &run->program->steps[run->order[done]];
    if (step->form != CP_STEP_EQUAL) return 0;
    int64_t gap = run->sizes[step->left] - run->sizes[step->right];
    return gap < 0 ? -gap : gap;
}

/* A size that gets furthest, for an explanation where none works: among the small ones, or where the law holds. Of those
 * that get as far, the first that misses least. */
static int64_t furthest_size(struct cp_axis_run *run, int64_t from)
{
    enum { MOST_TRIED = 1024 };
    uint32_t done, most = 0;
    int64_t tried = few_sizes(run) < MOST_TRIED ? few_sizes(run) : MOST_TRIED;
    int64_t best = 1, least_gap = CP_MAX_COUNT, end = from < tried ? tried : from;
    for (int64_t n = 1; n <= tried; n++) {
        (void)!cp_axis_run(run, n, &done);
        int64_t gap = gap_of(run, done);
        if (done < most || (done == most && gap >= least_gap)) continue;
        most = done, least_gap = gap, best = n;
    }
    (void)!cp_axis_run(run, end, &done);
    return done > most ? end : best;
}

static bool find_set(struct cp_valid_sizes *sizes, struct trace *trace, int symbol, struct cp_axis_run *run)
{
    const struct cp_axis_program *program = &trace->program;
    int64_t from = 1, period = 1;
    cp_axis_run_begin(run, program, symbol, trace->arena);
    if (!program->never &&
        !range_of(sizes, &program->summary[symbol], run->count, trace->question->most_steps, &from, &period))
        return false;
    bool *works = CP_NEW_ARRAY(trace->arena, bool, from + period);
    for (int64_t n = 1; n < from + period && !program->never; n++) works[n] = cp_axis_run(run, n, NULL);
    cp_size_set_reduce(&sizes->sets[symbol], works, from, period);
    sizes->furthest[symbol] = sizes->sets[symbol].minimum ? sizes->sets[symbol].minimum : furthest_size(run, from);
    if (sizes->sets[symbol].minimum == 0) sizes->possible = false;
    return true;
}

/* The smallest value of a step over all sizes that work, of which there are some; 1 where it would take too long. */
static int64_t smallest_value(struct cp_axis_run *run, const struct cp_size_set *set, uint32_t step)
{
    const struct cp_law *law = &run->program->steps[step].law;
    int64_t smallest = CP_MAX_COUNT;
    for (int64_t n = 1; n <= few_sizes(run); n++) {
        if (set->residue_count == 0 && n >= set->from) return smallest;
        if (cp_size_set_has(set, n) && cp_axis_run(run, n, NULL) && run->sizes[step] < smallest)
            smallest = run->sizes[step];
        if (cp_law_stays_above(law, n, smallest)) return smallest;
    }
    return 1;
}

/* A product of both free sizes that has to reach a constant does so for all sizes that work, or couples them. */
static void check_coupled_step(struct cp_valid_sizes *sizes, const struct trace *trace, struct cp_axis_run *runs)
{
    const struct cp_step *step = &trace->program.steps[trace->program.coupled_step];
    const struct cp_step *product = &trace->program.steps[step->left];
    int left = trace->program.steps[product->left].symbols >> 1;
    int64_t least, least_left = smallest_value(&runs[left], &sizes->sets[left], product->left);
    int64_t least_right = smallest_value(&runs[!left], &sizes->sets[!left], product->right);
    bool enough = !cp_multiply(least_left, least_right, &least) || least >= trace->program.steps[step->right].number[0];
    if (!enough) (void)!refuse(sizes, CP_CODE_coupled_symbols, step->layer, NULL, 0, 0);
}

/* ---- The output ---------------------------------------------------------------------------------------------------- */

static void find_law(struct cp_sizes_output *output, const struct cp_size_set *set, struct cp_axis_run *run,
                     uint32_t step, struct cp_arena *arena)
{
    enum { MOST_VALUES = 1 << 16 };
    const struct cp_law *law = &run->program->steps[step].law;
    if (law->state != CP_LAW_LINEAR) return;
    int64_t from = set->from > law->from ? set->from : law->from, period, increment;
    int64_t common = cp_greatest_common_divisor(set->period, law->period);
    if (!cp_multiply(set->period, law->period / common, &period) || period > MOST_VALUES) return;
    if (!cp_multiply(law->increment, period / law->period, &increment)) return;
    if (set->residue_count == 0) {
        from = set->from;
        period = 1;
        increment = 0;
    }
    if (from > MOST_VALUES || from + period > MOST_VALUES || from + period > few_sizes(run)) return;
    int64_t *values = CP_NEW_ARRAY(arena, int64_t, from + period);
    for (int64_t n = 1; n < from + period; n++)
        if (cp_size_set_has(set, n) && cp_axis_run(run, n, NULL)) values[n] = run->sizes[step];
    cp_size_law_reduce(&output->law, values, from, period, increment);
    output->has_law = true;
    output->has_form = cp_size_law_form(&output->law, &output->form);
    output->fixed = output->has_form && output->form.slope == 0 && output->form.divisor == 1;
    output->size = output->form.offset;
}

static void find_output(struct cp_valid_sizes *sizes, struct trace *trace, struct cp_axis_run *runs)
{
    const struct cp_stack *stack = trace->question->stack;
    const struct cp_dims *dims = &trace->sources[stack->input_count + stack->layer_count - 1];
    sizes->rank = dims->rank;
    for (int dim = 0; dim < dims->rank; dim++) {
        const struct cp_step *step = &trace->program.steps[dims->at[dim]];
        struct cp_sizes_output *output = &sizes->output[dim];
        *output = (struct cp_sizes_output){.symbol = CP_FIXED_SIZE};
        for (int before = 0; before < dim; before++)
            if (dims->at[before] == dims->at[dim]) *output = sizes->output[before];
        if (step->form == CP_STEP_CONSTANT) {
            output->fixed = true;
            output->size = step->number[0];
        } else if (step->symbols != CP_ALL_SYMBOLS && output->symbol == CP_FIXED_SIZE) {
            output->symbol = step->symbols >> 1;
            find_law(output, &sizes->sets[output->symbol], &runs[output->symbol], dims->at[dim], trace->arena);
        }
    }
}

/* ---- The whole ----------------------------------------------------------------------------------------------------- */

void cp_find_sizes(struct cp_valid_sizes *sizes, const struct cp_sizes_question *question, struct cp_arena *arena)
{
    struct trace trace = {.question = question, .arena = arena};
    struct cp_axis_run runs[CP_MAX_SYMBOLS] = {{.program = &trace.program}, {.program = &trace.program}};
    *sizes = (struct cp_valid_sizes){.refusal = CP_CODE_COUNT, .possible = true};
    trace_stack(&trace);
    const struct cp_axis_program *program = &trace.program;
    if (!program->never && program->coupled_layer != CP_NO_LAYER) {
        (void)!refuse(sizes, CP_CODE_coupled_symbols, program->coupled_layer, NULL, 0, 0);
        return;
    }
    for (int symbol = 0; symbol < question->symbol_count; symbol++)
        if (!find_set(sizes, &trace, symbol, &runs[symbol])) return;
    if (!sizes->possible) return;
    if (program->coupled_step != CP_NO_LAYER) check_coupled_step(sizes, &trace, runs);
    if (sizes->refusal == CP_CODE_COUNT) find_output(sizes, &trace, runs);
}

/* ---- Explaining ---------------------------------------------------------------------------------------------------- */

void cp_plan_sizes(struct cp_plan *plan, struct cp_stack *stack, const struct cp_sizes_question *question,
                   const int64_t *values, struct cp_arena *arena)
{
    struct cp_pairing pairing;
    *stack = *question->stack;
    struct cp_input *inputs = CP_NEW_ARRAY(arena, struct cp_input, stack->input_count);
    for (uint32_t at = 0; at < stack->input_count; at++) {
        inputs[at] = stack->inputs[at];
        for (int dim = 0; dim < inputs[at].shape.rank; dim++)
            if (question->symbols[at][dim] != CP_FIXED_SIZE)
                inputs[at].shape.size[dim] = values[question->symbols[at][dim]];
    }
    stack->inputs = inputs;
    cp_plan_stack(plan, stack, CP_PLAN_SHAPES, arena);
    if (!plan->valid || !stack->encoder_count) return;
    cp_pair_stages(&pairing, stack, arena);
    cp_judge_roundtrip(plan, &pairing, arena);
}

const struct cp_finding *cp_first_failure(const struct cp_plan *plan)
{
    const struct cp_finding *first = NULL;
    for (const struct cp_finding *finding = plan->findings.first; finding; finding = finding->next)
        if (finding->severity == CP_SEVERITY_ERROR && (!first || finding->layer < first->layer)) first = finding;
    return first;
}
