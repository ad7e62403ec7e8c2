/* Receptive fields against brute force: dependencies are walked backwards through each layer as explicit sets of unit
 * indexes on an unbounded axis, straight from the definitions of the layers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/limits.h"
#include "core/receptive_field.h"
#include "core/window.h"

/* ---- An arena for one case ----------------------------------------------------------------------------------------
 */

static unsigned char pool[1 << 22];

/* NOLINTNEXTLINE(readability-non-const-parameter): the type is the arena's */
static void *no_more(struct cp_arena *arena, size_t size, size_t *given)
{
    (void)arena;
    (void)size;
    (void)given;
    return NULL;
}

__attribute__((noreturn)) static void out_of_memory(struct cp_arena *arena)
{
    (void)arena;
    abort();
}

static struct cp_arena new_arena(void)
{
    return (struct cp_arena){.next = pool, .end = pool + sizeof pool, .more = no_more, .exhausted = out_of_memory};
}

/* ---- Layers of one axis --------------------------------------------------------------------------------------------
 */

enum kind { WINDOW, TRANSPOSED, NEAREST, LINEAR, IDENTITY, KIND_COUNT };

struct unit_layer {
    enum kind kind;
    int k, s, p, d; /* s is the factor of a resampling */
};

#define MOST_LAYERS 6

struct chain {
    int count;
    struct unit_layer layer[MOST_LAYERS];
};

static void print_chain(const char *what, const struct chain *chain)
{
    static const char *const names[] = {"WINDOW", "TRANSPOSED", "NEAREST", "LINEAR", "IDENTITY"};
    fprintf(stderr, "%s: {%d, {", what, chain->count);
    for (int i = 0; i < chain->count; i++) {
        const struct unit_layer *layer = &chain->layer[i];
        fprintf(stderr, "{%s, %d, %d, %d, %d}, ", names[layer->kind], layer->k, layer->s, layer->p, layer->d);
    }
    fprintf(stderr, "}}\n");
}

/* ---- Brute force ----------------------------------------------------------------------------------------------------
 */

#define REACH 60000 /* units on either side of 0 */

struct unit_set {
    long low, high; /* nothing outside; low > high: empty */
    unsigned char has[2 * REACH + 1];
};

static void clear(struct unit_set *set)
{
    set->low = 1;
    set->high = 0;
}

static void insert(struct unit_set *set, long unit)
{
    assert_true(unit >= -REACH && unit <= REACH);
    if (set->low > set->high) {
        set->low = set->high = unit;
        set->has[unit + REACH] = 0;
    }
    while (set->low > unit) set->has[--set->low + REACH] = 0;
    while (set->high < unit) set->has[++set->high + REACH] = 0;
    set->has[unit + REACH] = 1;
}

static void insert_sources(struct unit_set *set, const struct unit_layer *layer, long unit)
{
    switch (layer->kind) {
    case WINDOW:
        for (long tap = 0; tap < layer->k; tap++) insert(set, unit * layer->s - layer->p + tap * layer->d);
        break;
    case TRANSPOSED: /* input m is spread over outputs m·s − p + tap·d */
        for (long tap = 0; tap < layer->k; tap++) {
            long spread = unit + layer->p - tap * layer->d;
            if (spread % layer->s == 0) insert(set, spread / layer->s);
        }
        break;
    case NEAREST: {
        long source = unit / layer->s;
        while (source * layer->s > unit) source--;
        insert(set, source);
        break;
    }
    case LINEAR: { /* centres of pixels aligned; the quotient is exact wherever it is whole */
        double source = ((double)unit + 0.5) / layer->s - 0.5;
        long below = (long)source;
        while ((double)below > source) below--;
        insert(set, below);
        if ((double)below != source) insert(set, below + 1);
        break;
    }
    default: insert(set, unit); break;
    }
}

/* The input units that output `unit` of the chain depends on, into *result. */
static void depend(const struct chain *chain, long unit, struct unit_set *result)
{
    static struct unit_set other;
    struct unit_set *now = result;
    struct unit_set *before = &other;
    clear(now);
    insert(now, unit);
    for (int i = chain->count - 1; i >= 0; i--) {
        clear(before);
        for (long index = now->low; index <= now->high; index++)
            if (now->has[index + REACH]) insert_sources(before, &chain->layer[i], index);
        struct unit_set *swap = now;
        now = before;
        before = swap;
    }
    if (now != result) *result = *now;
}

/* ---- The same through the code under test
 * ---------------------------------------------------------------------------- */

static const struct cp_shape one_axis = {3, {1, 1, 1000}};

static const struct cp_field *apply(struct cp_arena *arena, const struct cp_field *field,
                                    const struct unit_layer *layer)
{
    struct cp_window window = {layer->k, layer->s, layer->d, layer->p, layer->p, CP_ROUND_FLOOR};
    switch (layer->kind) {
    case WINDOW: return cp_field_window(arena, field, 2, &window);
    case TRANSPOSED: return cp_field_transposed(arena, field, 2, &window);
    case NEAREST:
        return cp_field_resample(arena, field, 2, &(struct cp_resample){.numerator = 1, .denominator = layer->s});
    case LINEAR:
        return cp_field_resample(
            arena, field, 2,
            &(struct cp_resample){
                .numerator = 2, .offset = 1 - layer->s, .denominator = 2 * layer->s, .after = 1, .exact_single = true});
    default: return field;
    }
}

static const struct cp_field *field_of(struct cp_arena *arena, const struct chain *chain)
{
    const struct cp_field *field = cp_field_of_input(arena, &one_axis);
    for (int i = 0; i < chain->count; i++) field = apply(arena, field, &chain->layer[i]);
    return field;
}

static struct cp_span span_of(const struct cp_axis_field *axis, int64_t unit)
{
    int64_t turns = 0;
    while (unit >= axis->phases) {
        unit -= axis->phases;
        turns++;
    }
    struct cp_span span = axis->phases > 1 ? axis->spans[unit] : axis->first;
    if (span.low <= span.high) {
        span.low += turns * axis->advance;
        span.high += turns * axis->advance;
    }
    return span;
}

/* Stride of a chain, by its definition: the product of strides over that of scale factors, as a reduced fraction. */
static void stride_of(const struct chain *chain, long *numerator, long *denominator)
{
    *numerator = *denominator = 1;
    for (int i = 0; i < chain->count; i++) {
        if (chain->layer[i].kind == WINDOW)
            *numerator *= chain->layer[i].s;
        else if (chain->layer[i].kind != IDENTITY)
            *denominator *= chain->layer[i].s;
    }
}

static void widen(struct cp_span *span, const struct unit_set *set)
{
    if (set->low > set->high) return;
    bool empty = span->low > span->high;
    if (empty || set->low < span->low) span->low = set->low;
    if (empty || set->high > span->high) span->high = set->high;
}

static bool agrees(struct cp_span span, struct cp_span expected)
{
    if (expected.low > expected.high) return span.low > span.high;
    return span.low == expected.low && span.high == expected.high;
}

/* No smaller period would do: checked on units that brute force has confirmed. */
static bool is_smallest(const struct cp_axis_field *axis)
{
    for (int64_t period = 1; period < axis->phases; period++) {
        if (axis->advance * period % axis->phases) continue;
        int64_t shift = axis->advance * period / axis->phases;
        bool repeats = true;
        for (int64_t unit = 0; unit < axis->phases && repeats; unit++) {
            struct cp_span now = span_of(axis, unit);
            struct cp_span later = span_of(axis, unit + period);
            bool empty = now.low > now.high;
            repeats = empty == (later.low > later.high) &&
                      (empty || (later.low == now.low + shift && later.high == now.high + shift));
        }
        if (repeats) return false;
    }
    return true;
}

/* Compare with brute force: the union over `count` chains of the same stride. */
static void check_chains(const struct chain *chains, int count, const struct cp_axis_field *axis)
{
    static struct unit_set set;
    long numerator;
    long denominator;
    int64_t most = 0;
    stride_of(&chains[0], &numerator, &denominator);
    bool good = axis->state == CP_FIELD_TRACKED && axis->dims == 4 &&
                axis->advance * denominator == axis->phases * numerator && is_smallest(axis);
    for (int64_t unit = 0; unit <= 3 * axis->phases && good; unit++) {
        struct cp_span all = {1, 0};
        for (int one = 0; one < count; one++) {
            depend(&chains[one], unit, &set);
            widen(&all, &set);
        }
        if (all.high - all.low + 1 > most) most = all.high - all.low + 1;
        good = agrees(span_of(axis, unit), all);
        if (!good) fprintf(stderr, "unit %ld: [%ld, %ld] expected\n", (long)unit, (long)all.low, (long)all.high);
    }
    if (good && cp_axis_field_size(axis) == most) return;
    for (int i = 0; i < count; i++) print_chain("fails", &chains[i]);
    fprintf(stderr, "P = %ld, Q = %ld, phase 0 [%ld, %ld], size %ld, brute force %ld\n", (long)axis->phases,
            (long)axis->advance, (long)axis->first.low, (long)axis->first.high, (long)cp_axis_field_size(axis),
            (long)most);
    fail();
}

/* ---- Chains
 * ----------------------------------------------------------------------------------------------------------- */

static uint64_t random_state;

static int draw(int least, int most)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return least + (int)((random_state >> 33) % (uint64_t)(most - least + 1));
}

static struct chain draw_chain(int most_stride)
{
    struct chain chain = {.count = draw(1, MOST_LAYERS)};
    for (int i = 0; i < chain.count; i++) {
        struct unit_layer *layer = &chain.layer[i];
        layer->kind = (enum kind)draw(0, KIND_COUNT - 1);
        layer->k = draw(1, 5);
        layer->s = draw(1, most_stride);
        layer->p = draw(0, 4);
        layer->d = draw(1, 3);
    }
    return chain;
}

static void every_single_layer(void **state)
{
    (void)state;
    for (int kind = 0; kind < KIND_COUNT; kind++)
        for (int k = 1; k <= 5; k++)
            for (int s = 1; s <= 4; s++)
                for (int p = 0; p <= 4; p++)
                    for (int d = 1; d <= 3; d++) {
                        struct cp_arena arena = new_arena();
                        struct chain chain = {1, {{(enum kind)kind, k, s, p, d}}};
                        check_chains(&chain, 1, &field_of(&arena, &chain)->axis[0]);
                    }
}

static void random_chains(void **state)
{
    int reduced = 0; /* cases where several phases came back to one */
    (void)state;
    random_state = 20240611;
    for (int round = 0; round < 6000; round++) {
        struct cp_arena arena = new_arena();
        struct chain chain = draw_chain(round % 3 ? 3 : 2);
        long up;
        long down;
        stride_of(&chain, &down, &up);
        if (up > 81 || down > 81) continue;
        const struct cp_axis_field *axis = &field_of(&arena, &chain)->axis[0];
        reduced += up > 1 && axis->phases == 1;
        check_chains(&chain, 1, axis);
    }
    assert_true(reduced > 50);
}

/* Long kernels over several phases: more taps than phases, so that the shortcut is taken. */
static void long_kernels(void **state)
{
    (void)state;
    random_state = 7;
    for (int round = 0; round < 1500; round++) {
        struct cp_arena arena = new_arena();
        struct chain chain = {4,
                              {{WINDOW, draw(1, 5), draw(1, 4), draw(0, 4), 1},
                               {TRANSPOSED, draw(1, 9), draw(1, 6), draw(0, 4), draw(1, 4)},
                               {(enum kind)draw(WINDOW, TRANSPOSED), draw(1, 40), draw(1, 6), draw(0, 9), draw(1, 6)},
                               {WINDOW, draw(1, 40), draw(1, 6), draw(0, 9), draw(1, 6)}}};
        check_chains(&chain, 1, &field_of(&arena, &chain)->axis[0]);
    }
}

static void merged_branches(void **state)
{
    int merged = 0;
    int refused = 0;
    (void)state;
    random_state = 99;
    for (int round = 0; round < 20000; round++) {
        struct cp_arena arena = new_arena();
        struct chain chains[2] = {draw_chain(2), draw_chain(2)};
        long up[2];
        long down[2];
        for (int i = 0; i < 2; i++) stride_of(&chains[i], &down[i], &up[i]);
        const struct cp_field *one = field_of(&arena, &chains[0]);
        const struct cp_field *other = field_of(&arena, &chains[1]);
        const struct cp_field *both = cp_field_union(&arena, one, other);
        if (down[0] * up[1] == down[1] * up[0]) {
            check_chains(chains, 2, &both->axis[0]);
            merged++;
        } else {
            assert_int_equal(both->axis[0].state, CP_FIELD_UNKNOWN);
            assert_int_equal(cp_field_kind(both), CP_FIELD_NONE);
            refused++;
        }
    }
    assert_true(merged > 2000 && refused > 2000);
}

/* Rational resampling, ⌊(j·numerator + offset)/denominator⌋ + [before, after], after a layer that makes phases. */
static void rational_resampling(void **state)
{
    (void)state;
    random_state = 5;
    for (int round = 0; round < 4000; round++) {
        struct cp_arena arena = new_arena();
        struct chain chain = {1, {{TRANSPOSED, draw(1, 4), draw(1, 3), draw(0, 3), draw(1, 3)}}};
        struct cp_resample resample = {draw(0, 9), draw(-7, 7), draw(1, 9), draw(-2, 0), draw(0, 3), draw(0, 1)};
        const struct cp_field *field = field_of(&arena, &chain);
        const struct cp_axis_field *axis = &cp_field_resample(&arena, field, 2, &resample)->axis[0];
        assert_int_equal(axis->state, CP_FIELD_TRACKED);
        assert_true(is_smallest(axis));
        for (long unit = 0; unit <= 3 * axis->phases; unit++) {
            static struct unit_set set;
            struct cp_span all = {1, 0};
            long position = unit * resample.numerator + resample.offset;
            long below = -100;
            while ((below + 1) * resample.denominator <= position) below++;
            bool single = resample.exact_single && below * resample.denominator == position;
            for (long source = below + (single ? 0 : resample.before); source <= below + (single ? 0 : resample.after);
                 source++) {
                depend(&chain, source, &set);
                widen(&all, &set);
            }
            if (agrees(span_of(axis, unit), all)) continue;
            print_chain("fails", &chain);
            fprintf(stderr, "resample {%ld, %ld, %ld, %ld, %ld, %d} unit %ld\n", (long)resample.numerator,
                    (long)resample.offset, (long)resample.denominator, (long)resample.before, (long)resample.after,
                    resample.exact_single, unit);
            fail();
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_single_layer), cmocka_unit_test(random_chains),       cmocka_unit_test(long_kernels),
        cmocka_unit_test(merged_branches),    cmocka_unit_test(rational_resampling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
