/* /v1/sizes against the plain planner on every size up to several periods: random chains, graphs and pairs. The planner
 * shares no code with the laws but the window formulas. A failing case prints its request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/memory.h"
#include "server/symbolic_inputs.h"
#include "tests/property/random_stacks.h"

enum { SEED = 20260117, MEMORY_LIMIT = 1 << 28, LEAST_SIZE = 40, MOST_SIZE = 700 };

/* ---- Checking ----------------------------------------------------------------------------------------------------- */

struct tally {
    int answered, refused, empty, finite, periodic, formed;
};

struct subject {
    struct cp_memory memory;
    struct cp_stack stack;
    struct cp_symbols symbols;
    struct cp_sizes_question question;
    struct cp_valid_sizes sizes;
};

static bool read_subject(struct subject *subject, const struct cp_random_request *request)
{
    struct cp_reader reader;
    cp_memory_open(&subject->memory, NULL, MEMORY_LIMIT, NULL);
    cp_reader_begin(&reader, &subject->memory.arena);
    const struct cp_json *json = cp_read_body(&reader, (struct cp_text){request->text, request->size});
    assert_non_null(json);
    subject->stack = (struct cp_stack){.element_bytes = 4, .covered = cp_read_boolean(&reader, json, "covered", false)};
    cp_read_symbolic_inputs(&reader, json, &subject->stack, &subject->symbols);
    if (cp_json_member(json, CP_TEXT("layers")))
        cp_read_layers(&reader, json, "layers", &subject->stack);
    else
        cp_read_encoder_and_decoder(&reader, json, &subject->stack);
    subject->question =
        (struct cp_sizes_question){&subject->stack, subject->symbols.at, subject->symbols.count, CP_MAX_SIZES_STEPS};
    return reader.problems.count == 0;
}

static int64_t value_at(const struct cp_size_law *law, int64_t n)
{
    if (n < law->from) return law->values_below[n];
    return law->values[(n - law->from) % law->period] + law->increment * ((n - law->from) / law->period);
}

static int64_t form_at(const struct cp_size_form *form, int64_t n)
{
    int64_t sum = form->slope * n + form->offset;
    if (form->exact) assert_true(sum % form->divisor == 0);
    int64_t quotient = sum >= 0 ? sum / form->divisor : -((-sum + form->divisor - 1) / form->divisor);
    return form->scale * quotient + form->shift;
}

static const char *compare_output(const struct cp_valid_sizes *sizes, const struct cp_shape *output,
                                  const int64_t *values)
{
    if (!sizes->possible || sizes->rank != output->rank) return "rank of the output";
    for (int dim = 0; dim < output->rank; dim++) {
        const struct cp_sizes_output *claim = &sizes->output[dim];
        if (claim->fixed) {
            if (claim->size != output->size[dim]) return "fixed output";
            continue;
        }
        if (claim->symbol == CP_FIXED_SIZE) continue;
        int64_t n = values[claim->symbol];
        if (claim->has_law && value_at(&claim->law, n) != output->size[dim]) return "law of the output";
        if (claim->has_form && form_at(&claim->form, n) != output->size[dim]) return "closed form of the output";
    }
    return NULL;
}

/* The answer at one point against the planner. */
static const char *compare_at(struct subject *subject, const int64_t *values)
{
    struct cp_memory memory;
    struct cp_stack stack;
    struct cp_plan plan;
    cp_memory_open(&memory, NULL, MEMORY_LIMIT, NULL);
    cp_plan_sizes(&plan, &stack, &subject->question, values, &memory.arena);
    bool expected = true;
    for (int symbol = 0; symbol < subject->symbols.count; symbol++)
        expected = expected && cp_size_set_has(&subject->sizes.sets[symbol], values[symbol]);
    const char *wrong = NULL;
    if (plan.valid != expected)
        wrong = plan.valid ? "a size that works is missing" : "a size that does not work";
    else if (plan.valid)
        wrong = compare_output(&subject->sizes, &plan.layers[stack.layer_count - 1].output, values);
    cp_memory_reset(&memory);
    return wrong;
}

static const char *check_canonical(const struct cp_size_set *set)
{
    for (int64_t shorter = 1; shorter < set->period; shorter++) {
        bool repeats = set->period % shorter == 0;
        for (int64_t n = set->from; repeats && n < set->from + set->period; n++)
            repeats = cp_size_set_has(set, n) == cp_size_set_has(set, n + shorter);
        if (repeats) return "a smaller period would do";
    }
    int64_t before = set->from - 1;
    if (before >= 1 && cp_size_set_has(set, before) == cp_size_set_has(set, before + set->period))
        return "a smaller `from` would do";
    return NULL;
}

static void count(struct tally *tally, const struct cp_valid_sizes *sizes)
{
    const struct cp_size_set *set = &sizes->sets[0];
    tally->answered++;
    tally->empty += set->minimum == 0;
    tally->finite += set->minimum && set->residue_count == 0;
    tally->periodic += set->residue_count && set->period > 1;
    for (int dim = 0; dim < sizes->rank; dim++) tally->formed += sizes->output[dim].has_form;
}

static const char *check_every_size(struct subject *subject)
{
    const struct cp_size_set *set = &subject->sizes.sets[0];
    int64_t last = set->from + 3 * set->period;
    last = last < LEAST_SIZE ? LEAST_SIZE : last > MOST_SIZE ? MOST_SIZE : last;
    for (int64_t n = 1; n <= last; n++) {
        const char *wrong = compare_at(subject, &n);
        if (wrong) {
            fprintf(stderr, "n = %lld: ", (long long)n);
            return wrong;
        }
    }
    return check_canonical(set);
}

static const char *check_grid(struct subject *subject)
{
    enum { SIDE = 24 };
    for (int64_t h = 1; h <= SIDE; h++)
        for (int64_t w = 1; w <= SIDE; w++) {
            const char *wrong = compare_at(subject, (const int64_t[]){h, w});
            if (wrong) {
                fprintf(stderr, "h = %lld, w = %lld: ", (long long)h, (long long)w);
                return wrong;
            }
        }
    return NULL;
}

static bool check(struct cp_random_request *request, struct tally *tally)
{
    struct subject subject;
    const char *wrong = NULL;
    if (read_subject(&subject, request)) {
        cp_find_sizes(&subject.sizes, &subject.question, &subject.memory.arena);
        if (subject.sizes.refusal != CP_CODE_COUNT) {
            tally->refused++;
        } else {
            count(tally, &subject.sizes);
            wrong = subject.symbols.count == 2 ? check_grid(&subject) : check_every_size(&subject);
        }
    }
    cp_memory_reset(&subject.memory);
    if (wrong) fprintf(stderr, "%s\n  %.*s\n", wrong, (int)request->size, request->text);
    return wrong == NULL;
}

static void check_many(void (*make)(struct cp_random_request *, uint64_t), int cases, int least_answered,
                       struct tally *tally)
{
    static struct cp_random_request request;
    int wrong = 0;
    *tally = (struct tally){0};
    for (int at = 0; at < cases && wrong < 10; at++) {
        make(&request, SEED + (uint64_t)at);
        wrong += !check(&request, tally);
    }
    printf("answered %d, refused %d, empty %d, finite %d, periodic %d, closed forms %d\n", tally->answered,
           tally->refused, tally->empty, tally->finite, tally->periodic, tally->formed);
    if (wrong) fail_msg("%d cases differ from the planner", wrong);
    assert_in_range(tally->answered, least_answered, cases);
}

static void random_stacks(void **state)
{
    struct tally tally;
    (void)state;
    check_many(cp_random_stack, 3000, 2600, &tally);
    assert_in_range(tally.finite, 100, 3000);
    assert_in_range(tally.periodic, 100, 3000);
    assert_in_range(tally.formed, 500, 30000);
}

static void random_unets(void **state)
{
    struct tally tally;
    (void)state;
    check_many(cp_random_unet, 1500, 1200, &tally);
    assert_in_range(tally.periodic, 300, 1500);
}

static void random_pairs(void **state)
{
    struct tally tally;
    (void)state;
    check_many(cp_random_pair, 1500, 1100, &tally);
    assert_in_range(tally.finite, 20, 1500);
    assert_in_range(tally.periodic, 300, 1500);
}

static void two_free_sizes(void **state)
{
    struct tally tally;
    (void)state;
    check_many(cp_random_two, 600, 400, &tally);
}

/* None of them is refused: no two sizes are left to be coupled. */
static void pinned_sizes(void **state)
{
    struct tally tally;
    (void)state;
    check_many(cp_random_pinned, 500, 500, &tally);
    assert_in_range(tally.empty, 10, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_stacks), cmocka_unit_test(random_unets),
                                       cmocka_unit_test(random_pairs), cmocka_unit_test(two_free_sizes),
                                       cmocka_unit_test(pinned_sizes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
