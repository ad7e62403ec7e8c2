#include "server/sizes_writing.h"

#include "server/problem.h"

/* ---- Words -------------------------------------------------------------------------------------------------------- */

/* What is listed in words; more is counted. */
enum { MOST_IN_WORDS = 8 };

static struct cp_text joined(struct cp_arena *arena, struct cp_text list, int64_t number, bool first, bool last,
                             const char *conjunction)
{
    if (first) return cp_message(arena, "{0}", CP_ARGUMENTS(cp_number(number)));
    return cp_message(arena, last ? "{0} {1} {2}" : "{0}, {2}",
                      CP_ARGUMENTS(cp_name(list), cp_words(conjunction), cp_number(number)));
}

/* "3, 5 and 7": the sizes below set->from. */
static struct cp_text list_exceptions(struct cp_arena *arena, const struct cp_size_set *set)
{
    struct cp_text list = {0};
    int64_t listed = 0;
    for (int64_t n = 1; n < set->from; n++) {
        if (!set->works[n]) continue;
        listed++;
        list = joined(arena, list, n, listed == 1, listed == set->exception_count, "and");
    }
    return list;
}

static struct cp_text list_residues(struct cp_arena *arena, const struct cp_size_set *set, bool present)
{
    int64_t count = present ? set->residue_count : set->period - set->residue_count, listed = 0;
    struct cp_text list = {0};
    for (int64_t residue = 0; listed < count; residue++) {
        if (cp_size_set_has_residue(set, residue) != present) continue;
        listed++;
        list = joined(arena, list, residue, listed == 1, listed == count, "or");
    }
    return list;
}

static struct cp_text describe_finite(struct cp_arena *arena, const struct cp_size_set *set)
{
    enum { FEWEST_IN_A_ROW = 4 };
    int64_t last = cp_size_set_below(set, set->from, true);
    bool all = set->exception_count >= FEWEST_IN_A_ROW && last - set->minimum + 1 == set->exception_count;
    if (!all && set->exception_count <= MOST_IN_WORDS)
        return cp_message(arena, "only {0}", CP_ARGUMENTS(cp_name(list_exceptions(arena, set))));
    const char *pattern = all ? "only {1} to {2}" : "only {0} sizes from {1} to {2}";
    return cp_message(arena, pattern,
                      CP_ARGUMENTS(cp_number(set->exception_count), cp_number(set->minimum), cp_number(last)));
}

static struct cp_text describe_periodic(struct cp_arena *arena, struct cp_text symbol, const struct cp_size_set *set)
{
    int64_t first = cp_size_set_above(set, set->from, true);
    if (set->period == 1)
        return cp_message(arena, first == 1 ? "any {0}" : "any {0} ≥ {1}",
                          CP_ARGUMENTS(cp_name(symbol), cp_number(first)));
    bool absent = set->period - set->residue_count < set->residue_count;
    int64_t count = absent ? set->period - set->residue_count : set->residue_count;
    if (count > MOST_IN_WORDS)
        return cp_message(
            arena, "{0} mod {1} in {2} of {1} residues, {0} ≥ {3}",
            CP_ARGUMENTS(cp_name(symbol), cp_number(set->period), cp_number(set->residue_count), cp_number(first)));
    return cp_message(arena, absent ? "{0} ≢ {1} (mod {2}), {0} ≥ {3}" : "{0} ≡ {1} (mod {2}), {0} ≥ {3}",
                      CP_ARGUMENTS(cp_name(symbol), cp_name(list_residues(arena, set, !absent)), cp_number(set->period),
                                   cp_number(first)));
}

struct cp_text cp_describe_size_set(struct cp_arena *arena, struct cp_text symbol, const struct cp_size_set *set)
{
    if (set->residue_count == 0) return describe_finite(arena, set);
    struct cp_text law = describe_periodic(arena, symbol, set);
    if (set->exception_count == 0) return law;
    if (set->exception_count > MOST_IN_WORDS)
        return cp_message(arena, "{0}, and {1} smaller sizes",
                          CP_ARGUMENTS(cp_name(law), cp_number(set->exception_count)));
    return cp_message(arena, "{0}, and {1}", CP_ARGUMENTS(cp_name(law), cp_name(list_exceptions(arena, set))));
}

/* "2n + 3", "n − 4", "n" */
static struct cp_text describe_sum(struct cp_arena *arena, struct cp_text symbol, int64_t slope, int64_t offset)
{
    struct cp_text product =
        slope == 1 ? symbol : cp_message(arena, "{0}{1}", CP_ARGUMENTS(cp_number(slope), cp_name(symbol)));
    if (offset == 0) return product;
    return cp_message(arena, offset < 0 ? "{0} − {1}" : "{0} + {1}",
                      CP_ARGUMENTS(cp_name(product), cp_number(offset < 0 ? -offset : offset)));
}

/* "⌊(n + 1)/2⌋", "⌈n/2⌉", "n/2" */
static struct cp_text describe_quotient(struct cp_arena *arena, struct cp_text symbol, const struct cp_size_form *form)
{
    bool ceiling = !form->exact && form->slope == 1 && form->offset == form->divisor - 1;
    struct cp_text sum = describe_sum(arena, symbol, form->slope, ceiling ? 0 : form->offset);
    bool alone = ceiling || form->offset == 0;
    if (form->divisor == 1) return sum;
    const char *pattern = ceiling       ? "⌈{0}/{1}⌉"
                          : form->exact ? alone ? "{0}/{1}" : "({0})/{1}"
                          : alone       ? "⌊{0}/{1}⌋"
                                        : "⌊({0})/{1}⌋";
    return cp_message(arena, pattern, CP_ARGUMENTS(cp_name(sum), cp_number(form->divisor)));
}

struct cp_text cp_describe_size_form(struct cp_arena *arena, struct cp_text symbol, const struct cp_size_form *form)
{
    struct cp_text quotient = describe_quotient(arena, symbol, form);
    return form->scale == 1 ? quotient : describe_sum(arena, quotient, form->scale, form->shift);
}

/* ---- Failures ----------------------------------------------------------------------------------------------------- */

/* Plan with `n` for one symbol, the other where it works, and return what fails first; NULL when nothing does. */
static const struct cp_finding *failure_at(const struct cp_sizes_reply *reply, int symbol, int64_t n,
                                           struct cp_stack *stack)
{
    struct cp_plan *plan = CP_NEW(reply->arena, struct cp_plan);
    int64_t values[CP_MAX_SYMBOLS] = {reply->sizes->furthest[0], reply->sizes->furthest[1]};
    values[symbol] = n;
    cp_plan_sizes(plan, stack, reply->question, values, reply->arena);
    return cp_first_failure(plan);
}

static void write_failure(struct cp_writer *writer, const struct cp_sizes_reply *reply, int symbol, int64_t n)
{
    struct cp_stack stack;
    const struct cp_finding *finding = n > 0 ? failure_at(reply, symbol, n, &stack) : NULL;
    if (!finding) {
        cp_write_null(writer);
        return;
    }
    cp_write_object_begin(writer);
    CP_WRITE_NAME(writer, "size");
    cp_write_integer(writer, n);
    CP_WRITE_NAME(writer, "layer");
    cp_write_text(writer, stack.layers[finding->layer].name);
    CP_WRITE_NAME(writer, "finding");
    cp_write_finding(writer, &stack, finding, &reply->style);
    cp_write_object_end(writer);
}

/* The first layer to fail at the size asked about (or the smallest that works), and at the next sizes on both sides of
 * it that do not work. Where none works, at the one that gets furthest. */
static void write_failures(struct cp_writer *writer, const struct cp_sizes_reply *reply, int symbol)
{
    const struct cp_size_set *set = &reply->sizes->sets[symbol];
    int64_t asked = reply->symbols->near[symbol], about = asked ? asked : set->minimum;
    bool none = set->minimum == 0;
    if (none && !asked) about = reply->sizes->furthest[symbol];
    CP_WRITE_NAME(writer, "fails");
    cp_write_object_begin(writer);
    CP_WRITE_NAME(writer, "below");
    write_failure(writer, reply, symbol, none ? 0 : cp_size_set_below(set, about - 1, false));
    CP_WRITE_NAME(writer, "at");
    write_failure(writer, reply, symbol, none || !cp_size_set_has(set, about) ? about : 0);
    CP_WRITE_NAME(writer, "above");
    write_failure(writer, reply, symbol, none ? 0 : cp_size_set_above(set, about + 1, false));
    cp_write_object_end(writer);
}

/* Why no size works, at the layer that stops the one that gets furthest; false where nothing fails there alone. */
static bool explain_nothing(const struct cp_sizes_reply *reply, int symbol, struct cp_stack *stack,
                            struct cp_finding *nothing)
{
    int64_t n = reply->sizes->furthest[symbol];
    const struct cp_finding *finding = failure_at(reply, symbol, n, stack);
    if (!finding) return false;
    struct cp_argument arguments[CP_MAX_ARGUMENTS];
    cp_arguments_in_layout(reply->arena, finding, reply->style.channels_last, arguments);
    struct cp_text detail =
        cp_message(reply->arena, cp_statuses[finding->code].detail, arguments, finding->argument_count);
    *nothing = *finding;
    nothing->code = CP_CODE_no_size_works;
    nothing->fix.member = NULL;
    nothing->argument_count = 4;
    nothing->arguments[0] = cp_name(reply->symbols->names[symbol]);
    nothing->arguments[1] = cp_number(n);
    nothing->arguments[2] = cp_name(stack->layers[finding->layer].name);
    nothing->arguments[3] = cp_name(detail);
    return true;
}

static struct cp_text describe_nothing(const struct cp_sizes_reply *reply, int symbol)
{
    struct cp_stack stack;
    struct cp_finding nothing;
    if (!explain_nothing(reply, symbol, &stack, &nothing)) return CP_TEXT("no size works");
    return cp_message(reply->arena, "no size works: with {0} = {1}, layer `{2}` fails: {3}", nothing.arguments,
                      nothing.argument_count);
}

/* One for each free size of which none works. */
static void write_findings(struct cp_writer *writer, const struct cp_sizes_reply *reply)
{
    struct cp_stack stack;
    struct cp_finding nothing;
    CP_WRITE_NAME(writer, "findings");
    cp_write_array_begin(writer);
    for (int symbol = 0; symbol < reply->symbols->count; symbol++)
        if (reply->sizes->sets[symbol].minimum == 0 && explain_nothing(reply, symbol, &stack, &nothing))
            cp_write_finding(writer, &stack, &nothing, &reply->style);
    cp_write_array_end(writer);
}

/* ---- Symbols ------------------------------------------------------------------------------------------------------ */

/* "residues" or "exceptions", cut at CP_MAX_SIZES_LISTED. */
static void write_residues(struct cp_writer *writer, const struct cp_size_set *set)
{
    int64_t listed = 0, count = set->residue_count < CP_MAX_SIZES_LISTED ? set->residue_count : CP_MAX_SIZES_LISTED;
    CP_WRITE_NAME(writer, "residues");
    cp_write_array_begin(writer);
    for (int64_t residue = 0; listed < count; residue++) {
        if (!cp_size_set_has_residue(set, residue)) continue;
        cp_write_integer(writer, residue);
        listed++;
    }
    cp_write_array_end(writer);
    if (set->residue_count == listed) return;
    CP_WRITE_NAME(writer, "residues_omitted");
    cp_write_integer(writer, set->residue_count - listed);
}

static void write_exceptions(struct cp_writer *writer, const struct cp_size_set *set)
{
    int64_t listed = 0;
    CP_WRITE_NAME(writer, "exceptions");
    cp_write_array_begin(writer);
    for (int64_t n = 1; n < set->from && listed < CP_MAX_SIZES_LISTED; n++) {
        if (!set->works[n]) continue;
        cp_write_integer(writer, n);
        listed++;
    }
    cp_write_array_end(writer);
    if (set->exception_count == listed) return;
    CP_WRITE_NAME(writer, "exceptions_omitted");
    cp_write_integer(writer, set->exception_count - listed);
}

static void write_count_or_null(struct cp_writer *writer, int64_t n)
{
    cp_write_count(writer, n ? n : CP_UNKNOWN);
}

static void write_symbol(struct cp_writer *writer, const struct cp_sizes_reply *reply, int symbol)
{
    const struct cp_size_set *set = &reply->sizes->sets[symbol];
    int64_t near = reply->symbols->near[symbol];
    cp_write_object_begin(writer);
    CP_WRITE_NAME(writer, "period");
    cp_write_integer(writer, set->period);
    write_residues(writer, set);
    CP_WRITE_NAME(writer, "from");
    cp_write_integer(writer, set->from);
    write_exceptions(writer, set);
    CP_WRITE_NAME(writer, "minimum");
    write_count_or_null(writer, set->minimum);
    CP_WRITE_NAME(writer, "statement");
    cp_write_text(writer, set->minimum ? cp_describe_size_set(reply->arena, reply->symbols->names[symbol], set)
                                       : describe_nothing(reply, symbol));
    if (near) {
        CP_WRITE_NAME(writer, "nearest");
        cp_write_object_begin(writer);
        CP_WRITE_NAME(writer, "below");
        write_count_or_null(writer, cp_size_set_below(set, near, true));
        CP_WRITE_NAME(writer, "above");
        write_count_or_null(writer, cp_size_set_above(set, near, true));
        cp_write_object_end(writer);
    }
    write_failures(writer, reply, symbol);
    cp_write_object_end(writer);
}

/* ---- Shapes ------------------------------------------------------------------------------------------------------- */

/* The dimension, channels first, that stands at `position` of a shape in the request's layout. */
static int dim_at(const struct cp_sizes_reply *reply, int position, int rank)
{
    if (!reply->style.channels_last || rank < 3 || position == 0) return position;
    return position == rank - 1 ? 1 : position + 1;
}

static void write_input_shape(struct cp_writer *writer, const struct cp_sizes_reply *reply, uint32_t input)
{
    const struct cp_shape *shape = &reply->question->stack->inputs[input].shape;
    cp_write_array_begin(writer);
    for (int position = 0; position < shape->rank; position++) {
        int dim = dim_at(reply, position, shape->rank);
        int8_t symbol = reply->question->symbols[input][dim];
        if (symbol == CP_FIXED_SIZE)
            cp_write_integer(writer, shape->size[dim]);
        else
            cp_write_text(writer, reply->symbols->names[symbol]);
    }
    cp_write_array_end(writer);
}

static void write_inputs(struct cp_writer *writer, const struct cp_sizes_reply *reply)
{
    const struct cp_stack *stack = reply->question->stack;
    if (stack->input_count == 1 && cp_text_is(stack->inputs[0].name, "input")) {
        CP_WRITE_NAME(writer, "input");
        write_input_shape(writer, reply, 0);
        return;
    }
    CP_WRITE_NAME(writer, "inputs");
    cp_write_object_begin(writer);
    for (uint32_t input = 0; input < stack->input_count; input++) {
        cp_write_name(writer, stack->inputs[input].name);
        write_input_shape(writer, reply, input);
    }
    cp_write_object_end(writer);
}

static void write_output(struct cp_writer *writer, const struct cp_sizes_reply *reply)
{
    const struct cp_valid_sizes *sizes = reply->sizes;
    CP_WRITE_NAME(writer, "output");
    if (!sizes->possible) {
        cp_write_null(writer);
        return;
    }
    cp_write_array_begin(writer);
    for (int position = 0; position < sizes->rank; position++) {
        const struct cp_sizes_output *output = &sizes->output[dim_at(reply, position, sizes->rank)];
        if (output->fixed)
            cp_write_integer(writer, output->size);
        else if (output->has_form)
            cp_write_text(writer,
                          cp_describe_size_form(reply->arena, reply->symbols->names[output->symbol], &output->form));
        else
            cp_write_null(writer);
    }
    cp_write_array_end(writer);
}

static void write_values(struct cp_writer *writer, const struct cp_size_law *law)
{
    int64_t count = law->period < CP_MAX_SIZES_LISTED ? law->period : CP_MAX_SIZES_LISTED;
    CP_WRITE_NAME(writer, "values");
    cp_write_array_begin(writer);
    for (int64_t at = 0; at < count; at++) write_count_or_null(writer, law->values[at]);
    cp_write_array_end(writer);
    if (count < law->period) {
        CP_WRITE_NAME(writer, "values_omitted");
        cp_write_integer(writer, law->period - count);
    }
}

static void write_values_below(struct cp_writer *writer, const struct cp_size_law *law)
{
    int64_t count = 0;
    CP_WRITE_NAME(writer, "exceptions");
    cp_write_array_begin(writer);
    for (int64_t n = 1; n < law->from; n++) {
        if (!law->values_below[n] || count++ >= CP_MAX_SIZES_LISTED) continue;
        cp_write_integers(writer, (const int64_t[]){n, law->values_below[n]}, 2);
    }
    cp_write_array_end(writer);
    if (count > CP_MAX_SIZES_LISTED) {
        CP_WRITE_NAME(writer, "exceptions_omitted");
        cp_write_integer(writer, count - CP_MAX_SIZES_LISTED);
    }
}

static void write_law(struct cp_writer *writer, const struct cp_sizes_reply *reply,
                      const struct cp_sizes_output *output)
{
    if (output->symbol == CP_FIXED_SIZE || !output->has_law) {
        cp_write_null(writer);
        return;
    }
    cp_write_object_begin(writer);
    CP_WRITE_NAME(writer, "symbol");
    cp_write_text(writer, reply->symbols->names[output->symbol]);
    CP_WRITE_NAME(writer, "from");
    cp_write_integer(writer, output->law.from);
    CP_WRITE_NAME(writer, "period");
    cp_write_integer(writer, output->law.period);
    CP_WRITE_NAME(writer, "increment");
    cp_write_integer(writer, output->law.increment);
    write_values(writer, &output->law);
    write_values_below(writer, &output->law);
    cp_write_object_end(writer);
}

static void write_laws(struct cp_writer *writer, const struct cp_sizes_reply *reply)
{
    const struct cp_valid_sizes *sizes = reply->sizes;
    CP_WRITE_NAME(writer, "law");
    if (!sizes->possible) {
        cp_write_null(writer);
        return;
    }
    cp_write_array_begin(writer);
    for (int position = 0; position < sizes->rank; position++)
        write_law(writer, reply, &sizes->output[dim_at(reply, position, sizes->rank)]);
    cp_write_array_end(writer);
}

void cp_write_sizes(struct cp_writer *writer, const struct cp_sizes_reply *reply)
{
    cp_write_object_begin(writer);
    CP_WRITE_NAME(writer, "valid");
    cp_write_boolean(writer, reply->sizes->possible);
    CP_WRITE_NAME(writer, "symbols");
    cp_write_object_begin(writer);
    for (int symbol = 0; symbol < reply->symbols->count; symbol++) {
        cp_write_name(writer, reply->symbols->names[symbol]);
        write_symbol(writer, reply, symbol);
    }
    cp_write_object_end(writer);
    write_inputs(writer, reply);
    write_output(writer, reply);
    write_laws(writer, reply);
    write_findings(writer, reply);
    cp_write_object_end(writer);
}
