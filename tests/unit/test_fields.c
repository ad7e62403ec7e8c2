/* Receptive fields: published end points, limits, and what happens to axes as dimensions move and merge. */
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

static const struct cp_shape one_axis = {3, {1, 1, 1000}};

/* ---- Published end points -------------------------------------------------------------------------------------------
 */

static const struct cp_field *convolve(struct cp_arena *arena, const struct cp_field *field, int k, int s, int p)
{
    return cp_field_window(arena, field, 2, &(struct cp_window){k, s, 1, p, p, CP_ROUND_FLOOR});
}

static void check_end_point(const struct cp_field *field, int64_t size, int64_t stride, int64_t padding)
{
    const struct cp_axis_field *axis = &field->axis[0];
    assert_int_equal(axis->phases, 1);
    assert_int_equal(cp_axis_field_size(axis), size);
    assert_int_equal(axis->advance, stride);
    assert_int_equal(-axis->first.low, padding);
}

static void vgg_a(void **state)
{
    static const struct {
        int pool, size, stride, padding;
    } rows[] = {{0, 3, 1, 1},     {1, 4, 2, 1},     {0, 8, 2, 3},    {1, 10, 4, 3},  {0, 18, 4, 7},
                {0, 26, 4, 11},   {1, 30, 8, 11},   {0, 46, 8, 19},  {0, 62, 8, 27}, {1, 70, 16, 27},
                {0, 102, 16, 43}, {0, 134, 16, 59}, {1, 150, 32, 59}};
    struct cp_arena arena = new_arena();
    const struct cp_field *field = cp_field_of_input(&arena, &one_axis);
    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        field = rows[row].pool ? convolve(&arena, field, 2, 2, 0) : convolve(&arena, field, 3, 1, 1);
        check_end_point(field, rows[row].size, rows[row].stride, rows[row].padding);
    }
}

/* ResNet-50 v1 at 224 with the stride in the last unit of a block. Strided convolutions are padded by (k − 1)/2 at the
 * begin whatever the size; the stem's pool has SAME padding of 112: (0, 1). */
static void resnet_50(void **state)
{
    static const struct {
        int units, stride;
    } blocks[] = {{3, 2}, {4, 2}, {6, 2}, {3, 1}};
    struct cp_arena arena = new_arena();
    const struct cp_field *field = cp_field_of_input(&arena, &one_axis);
    (void)state;
    field = convolve(&arena, field, 7, 2, 3);
    field = convolve(&arena, field, 3, 2, 0);
    for (int block = 0; block < 4; block++)
        for (int unit = 1; unit <= blocks[block].units; unit++) {
            int stride = unit == blocks[block].units ? blocks[block].stride : 1;
            const struct cp_field *body = convolve(&arena, convolve(&arena, field, 1, 1, 0), 3, stride, 1);
            field = cp_field_union(&arena, body, convolve(&arena, field, 1, stride, 0));
        }
    check_end_point(field, 483, 32, 239);
}

/* ---- Limits
 * ---------------------------------------------------------------------------------------------------------- */

static void check_unknown(const struct cp_field *field)
{
    assert_int_equal(field->axis[0].state, CP_FIELD_UNKNOWN);
    assert_int_equal(cp_field_kind(field), CP_FIELD_NONE);
}

static void numbers_out_of_range(void **state)
{
    struct cp_arena arena = new_arena();
    const struct cp_field *input = cp_field_of_input(&arena, &one_axis);
    const int64_t most = CP_MAX_COUNT;
    (void)state;
    const struct cp_window fits[] = {{most, 1, 1, 0, 0, 0}, {2, most, most - 1, 0, 0, 0}, {1, 1, 1, most, 0, 0}};
    const struct cp_window not [] = {{3, 1, most / 2 + 1, 0, 0, 0}, {most, 1, 2, 0, 0, 0}, {most, 1, most, 0, 0, 0}};
    for (size_t i = 0; i < 3; i++) {
        const struct cp_field *field = cp_field_window(&arena, input, 2, &fits[i]);
        assert_int_equal(field->axis[0].state, CP_FIELD_TRACKED);
        assert_int_equal(cp_axis_field_size(&field->axis[0]), i < 2 ? most : 1);
        assert_int_equal(field->axis[0].advance, i == 1 ? most : 1);
        check_unknown(cp_field_window(&arena, input, 2, &not [i]));
        check_unknown(cp_field_transposed(&arena, cp_field_transposed(&arena, input, 2, &not [i]), 2, &not [1]));
    }
    const struct cp_field *far = cp_field_window(&arena, input, 2, &(struct cp_window){1, most, 1, 0, 0, 0});
    check_unknown(cp_field_window(&arena, far, 2, &(struct cp_window){1, 2, 1, 0, 0, 0}));
    check_unknown(cp_field_window(&arena, far, 2, &(struct cp_window){3, 1, 1, 0, 0, 0}));
    /* Both ends in range, yet more units between them than can be counted. */
    const struct cp_field *wide =
        cp_field_union(&arena, cp_field_window(&arena, input, 2, &fits[2]),
                       cp_field_window(&arena, input, 2, &(struct cp_window){1, 1, 1, -most, 0, 0}));
    check_unknown(wide);
    /* One unit fewer, and it can. */
    const struct cp_field *just =
        cp_field_union(&arena, cp_field_window(&arena, input, 2, &(struct cp_window){1, 1, 1, most - 1, 0, 0}), input);
    assert_int_equal(cp_axis_field_size(&just->axis[0]), most);
    check_unknown(
        cp_field_union(&arena, cp_field_window(&arena, input, 2, &(struct cp_window){1, 1, 1, most, 0, 0}), input));
    check_unknown(cp_field_union(&arena, wide, input));
    check_unknown(cp_field_union(&arena, input, wide));
    check_unknown(cp_field_window(&arena, wide, 2, &fits[0]));
    check_unknown(cp_field_resample(&arena, far, 2, &(struct cp_resample){.numerator = most, .denominator = 2}));
}

/* A kernel of 2^31 and more over many phases takes no longer than one of as many taps as there are phases. */
static void huge_kernels_over_phases(void **state)
{
    struct cp_arena arena = new_arena();
    const struct cp_field *input = cp_field_of_input(&arena, &one_axis);
    const int64_t huge = INT64_C(1) << 40;
    (void)state;
    const struct cp_field *many = cp_field_transposed(&arena, input, 2, &(struct cp_window){255, 255, 1, 0, 0, 0});
    assert_int_equal(many->axis[0].phases, 255);
    assert_int_equal(many->axis[0].advance, 1);
    const struct cp_field *field = cp_field_window(&arena, many, 2, &(struct cp_window){huge, 1, 7, 11, 0, 0});
    assert_int_equal(field->axis[0].phases, 255);
    for (int64_t unit = 0; unit < 255; unit++) {
        int64_t first = unit - 11;
        int64_t last = first + (huge - 1) * 7;
        assert_int_equal(field->axis[0].spans[unit].low, first < 0 ? -1 : 0);
        assert_int_equal(field->axis[0].spans[unit].high, last / 255);
    }
    const struct cp_field *back = cp_field_window(&arena, field, 2, &(struct cp_window){1, 255, 1, 0, 0, 0});
    assert_int_equal(back->axis[0].phases, 1);
    assert_null(back->axis[0].spans);
    field = cp_field_transposed(&arena, input, 2, &(struct cp_window){huge, 3, 5, 0, 0, 0});
    assert_int_equal(field->axis[0].phases, 3);
    for (int64_t unit = 0; unit < 3; unit++) { /* lowest: the last tap whose spread is a multiple of 3 */
        int64_t tap = huge - 1;
        while ((unit - tap * 5) % 3) tap--;
        assert_int_equal(field->axis[0].spans[unit].low, (unit - tap * 5) / 3);
        tap = 0;
        while ((unit - tap * 5) % 3) tap++;
        assert_int_equal(field->axis[0].spans[unit].high, (unit - tap * 5) / 3);
    }
}

static void phases_over_the_limit(void **state)
{
    struct cp_arena arena = new_arena();
    const struct cp_field *input = cp_field_of_input(&arena, &one_axis);
    const int most = CP_MAX_FIELD_PHASES;
    (void)state;
    const struct cp_field *full = cp_field_transposed(&arena, input, 2, &(struct cp_window){most, most, 1, 0, 0, 0});
    assert_int_equal(full->axis[0].phases, most);
    check_unknown(cp_field_transposed(&arena, full, 2, &(struct cp_window){2, 2, 1, 0, 0, 0}));
    check_unknown(cp_field_transposed(&arena, input, 2, &(struct cp_window){2, most + 1, 1, 0, 0, 0}));
    check_unknown(cp_field_transposed(&arena, input, 2, &(struct cp_window){2, CP_MAX_COUNT, 1, 0, 0, 0}));
    check_unknown(cp_field_resample(&arena, full, 2, &(struct cp_resample){.numerator = 1, .denominator = 2}));
    check_unknown(cp_field_resample(&arena, input, 2, &(struct cp_resample){.numerator = 1, .denominator = most + 1}));
    assert_int_equal(
        cp_field_resample(&arena, full, 2, &(struct cp_resample){.numerator = 2, .denominator = 2})->axis[0].phases,
        most);
    /* Branches of equal stride whose phases have too large a common multiple: 1/1 each, in 37 and in 41 phases. */
    const struct cp_field *branch[2];
    const int period[] = {37, 41};
    for (int i = 0; i < 2; i++) {
        branch[i] = cp_field_window(&arena, input, 2, &(struct cp_window){1, period[i], 1, 0, 0, 0});
        branch[i] = cp_field_transposed(&arena, branch[i], 2, &(struct cp_window){period[i], period[i], 1, 0, 0, 0});
        assert_int_equal(branch[i]->axis[0].phases, period[i]);
    }
    check_unknown(cp_field_union(&arena, branch[0], branch[1]));
    assert_ptr_equal(cp_field_union(&arena, branch[0], branch[0]), branch[0]);
}

/* ---- Dimensions
 * ------------------------------------------------------------------------------------------------------ */

static const struct cp_shape image = {4, {1, 64, 7, 5}};

static void reshapes(void **state)
{
    enum { LOST = CP_FIELD_UNKNOWN, KEPT = CP_FIELD_TRACKED, MIXED = CP_FIELD_SCATTERED };
    static const struct {
        const char *name;
        struct cp_shape before, after;
        struct {
            int state;
            uint32_t dims;
        } axis[3];
    } rows[] = {
        {"flatten", {4, {1, 64, 7, 5}}, {2, {1, 2240}}, {{MIXED, 2}, {MIXED, 2}}},
        {"flatten space", {4, {1, 64, 7, 5}}, {3, {1, 64, 35}}, {{MIXED, 4}, {MIXED, 4}}},
        {"flatten rows with channels", {4, {1, 64, 7, 5}}, {3, {1, 448, 5}}, {{MIXED, 2}, {KEPT, 4}}},
        {"split channels", {4, {1, 64, 7, 5}}, {5, {1, 2, 32, 7, 5}}, {{KEPT, 8}, {KEPT, 16}}},
        {"split rows", {4, {1, 64, 8, 5}}, {5, {1, 64, 4, 2, 5}}, {{MIXED, 12}, {KEPT, 16}}},
        {"groups of channels", {4, {1, 64, 7, 5}}, {3, {1, 8, 280}}, {{MIXED, 4}, {MIXED, 4}}},
        {"halves of rows with channels", {4, {1, 4, 6, 5}}, {4, {1, 8, 3, 5}}, {{MIXED, 6}, {KEPT, 8}}},
        {"a row of one unit among others", {5, {1, 4, 1, 6, 5}}, {3, {1, 8, 15}}, {{MIXED, 2}, {MIXED, 6}, {MIXED, 4}}},
        {"pairs of columns", {4, {1, 1, 3, 4}}, {3, {1, 6, 2}}, {{MIXED, 2}, {MIXED, 6}}},
        {"swap by reshape", {4, {1, 64, 7, 5}}, {4, {1, 64, 5, 7}}, {{MIXED, 12}, {MIXED, 12}}},
        {"nothing", {4, {1, 64, 7, 5}}, {4, {1, 64, 7, 5}}, {{KEPT, 4}, {KEPT, 8}}},
        {"classifier", {4, {1, 64, 1, 1}}, {2, {1, 64}}, {{MIXED, 2}, {MIXED, 2}}},
        {"squeeze rows", {4, {1, 64, 1, 5}}, {3, {1, 64, 5}}, {{MIXED, 4}, {KEPT, 4}}},
        {"squeeze columns", {4, {1, 64, 7, 1}}, {3, {1, 64, 7}}, {{KEPT, 4}, {MIXED, 4}}},
        {"drop the batch", {4, {1, 64, 1, 5}}, {3, {64, 1, 5}}, {{KEPT, 2}, {KEPT, 4}}},
        {"new dimension", {4, {1, 64, 7, 5}}, {5, {1, 64, 1, 7, 5}}, {{KEPT, 8}, {KEPT, 16}}},
        {"new last dimension", {4, {1, 64, 7, 5}}, {5, {1, 64, 7, 5, 1}}, {{KEPT, 4}, {KEPT, 8}}},
        {"ones stay", {4, {1, 64, 1, 1}}, {4, {1, 64, 1, 1}}, {{KEPT, 4}, {KEPT, 8}}},
        {"three axes", {5, {2, 8, 4, 4, 4}}, {4, {2, 8, 16, 4}}, {{MIXED, 4}, {MIXED, 4}, {KEPT, 8}}},
        {"to nothing", {3, {1, 1, 1}}, {0, {0}}, {{LOST, 0}}},
        {"sizes that differ", {4, {1, 64, 7, 5}}, {2, {1, 64}}, {{LOST, 0}, {LOST, 0}}},
        {"beyond counting", {4, {1, 64, CP_MAX_COUNT, 5}}, {3, {1, 63, 5}}, {{LOST, 0}, {LOST, 0}}},
    };
    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        struct cp_arena arena = new_arena();
        const struct cp_field *field = cp_field_of_input(&arena, &rows[row].before);
        field = cp_field_reshape(&arena, field, &rows[row].before, &rows[row].after);
        for (int axis = 0; axis < field->axis_count; axis++) {
            bool good = (int)field->axis[axis].state == rows[row].axis[axis].state &&
                        field->axis[axis].dims == rows[row].axis[axis].dims;
            if (good) continue;
            fprintf(stderr, "%s, axis %d: state %d, dims %x\n", rows[row].name, axis, field->axis[axis].state,
                    field->axis[axis].dims);
            fail();
        }
    }
}

static void flatten_then_linear(void **state)
{
    struct cp_arena arena = new_arena();
    const struct cp_field *field = cp_field_of_input(&arena, &image);
    const struct cp_shape flat = {2, {1, 2240}};
    const struct cp_shape tokens = {3, {1, 64, 35}};
    (void)state;
    assert_int_equal(cp_field_kind(field), CP_FIELD_NUMBERS);
    const struct cp_field *flattened = cp_field_reshape(&arena, field, &image, &flat);
    assert_int_equal(cp_field_kind(flattened), CP_FIELD_NUMBERS);
    assert_int_equal(cp_field_kind(cp_field_see_all(&arena, flattened, 2)), CP_FIELD_GLOBAL);
    assert_ptr_equal(cp_field_see_all(&arena, field, 2), field);
    assert_int_equal(cp_field_kind(cp_field_see_all(&arena, field, 4)), CP_FIELD_NONE);
    assert_int_equal(cp_field_kind(cp_field_see_all(&arena, field, 12)), CP_FIELD_GLOBAL);
    /* Tokens of a transformer: a Linear over channels leaves positions alone, attention over positions sees all. */
    const struct cp_field *sequence = cp_field_reshape(&arena, field, &image, &tokens);
    sequence = cp_field_permute(&arena, sequence, (int[]){0, 2, 1}, 3);
    assert_int_equal(sequence->axis[0].dims, 2);
    assert_ptr_equal(cp_field_see_all(&arena, sequence, 4), sequence);
    assert_int_equal(cp_field_kind(cp_field_see_all(&arena, sequence, 2)), CP_FIELD_GLOBAL);
    /* Scattered over two dimensions, of which only one is seen whole. */
    const struct cp_shape swapped = {4, {1, 64, 5, 7}};
    const struct cp_field *scattered = cp_field_reshape(&arena, field, &image, &swapped);
    check_unknown(cp_field_see_all(&arena, scattered, 4));
    assert_int_equal(cp_field_kind(cp_field_see_all(&arena, scattered, 12)), CP_FIELD_GLOBAL);
    assert_ptr_equal(cp_field_window(&arena, scattered, 2, &(struct cp_window){3, 2, 1, 1, 1, 0}), scattered);
}

static void permutations(void **state)
{
    struct cp_arena arena = new_arena();
    const struct cp_field *field = cp_field_of_input(&arena, &image);
    (void)state;
    const struct cp_field *last = cp_field_permute(&arena, field, (int[]){0, 2, 3, 1}, 4);
    assert_int_equal(last->axis[0].dims, 2);
    assert_int_equal(last->axis[1].dims, 4);
    assert_int_equal(last->axis[0].state, CP_FIELD_TRACKED);
    last = cp_field_window(&arena, last, 2, &(struct cp_window){3, 2, 1, 1, 1, 0});
    assert_int_equal(cp_axis_field_size(&last->axis[0]), 1);
    assert_int_equal(cp_axis_field_size(&last->axis[1]), 3);
    assert_ptr_equal(cp_field_permute(&arena, field, (int[]){0, 1, 2, 3}, 4), field);
    /* Mean over space without keepdim, and a dimension that vanishes unseen. */
    const struct cp_field *mean = cp_field_see_all(&arena, field, 12);
    assert_int_equal(cp_field_kind(cp_field_permute(&arena, mean, (int[]){0, 1}, 2)), CP_FIELD_GLOBAL);
    check_unknown(cp_field_permute(&arena, field, (int[]){0, 1, 3}, 3));
    assert_int_equal(cp_field_permute(&arena, field, (int[]){0, 1, 3}, 3)->axis[1].dims, 4);
    check_unknown(cp_field_permute(&arena, field, (int[]){0, 1}, 2));
}

static void forgotten_and_merged(void **state)
{
    struct cp_arena arena = new_arena();
    const struct cp_field *field = cp_field_of_input(&arena, &image);
    const struct cp_field *global = cp_field_see_all(&arena, field, 12);
    const struct cp_field *lost = cp_field_forget(&arena, field, 8);
    (void)state;
    assert_int_equal(lost->axis[0].state, CP_FIELD_TRACKED);
    assert_int_equal(lost->axis[1].state, CP_FIELD_UNKNOWN);
    assert_ptr_equal(cp_field_forget(&arena, field, 3), field);
    assert_ptr_equal(cp_field_forget(&arena, global, 12), global);
    /* A product with a global branch is global, whatever the other is. */
    assert_int_equal(cp_field_kind(cp_field_union(&arena, field, global)), CP_FIELD_GLOBAL);
    assert_int_equal(cp_field_kind(cp_field_union(&arena, global, lost)), CP_FIELD_GLOBAL);
    assert_int_equal(cp_field_kind(cp_field_union(&arena, lost, global)), CP_FIELD_GLOBAL);
    assert_int_equal(cp_field_kind(cp_field_union(&arena, lost, field)), CP_FIELD_NONE);
    /* The body of a residual sees what its shortcut sees: nothing new. */
    const struct cp_field *body = cp_field_window(&arena, field, 2, &(struct cp_window){3, 1, 1, 1, 1, 0});
    assert_ptr_equal(cp_field_union(&arena, body, field), body);
    assert_int_equal(cp_axis_field_size(&cp_field_union(&arena, field, body)->axis[0]), 3);
    /* An axis in another dimension is another axis. */
    const struct cp_field *turned = cp_field_permute(&arena, field, (int[]){0, 1, 3, 2}, 4);
    check_unknown(cp_field_union(&arena, field, turned));
    /* A vector input has no spatial axis, so it adds none to what the other branch sees. */
    const struct cp_field *vector = cp_field_of_input(&arena, &(struct cp_shape){2, {1, 10}});
    assert_int_equal(vector->axis_count, 0);
    assert_int_equal(cp_field_kind(vector), CP_FIELD_NUMBERS);
    assert_ptr_equal(cp_field_union(&arena, vector, body), body);
    assert_ptr_equal(cp_field_union(&arena, body, vector), body);
}

/* An output that only a bias reaches sees nothing, also when whole layers see nothing. */
static void bias_only(void **state)
{
    struct cp_arena arena = new_arena();
    const struct cp_field *field = cp_field_of_input(&arena, &one_axis);
    (void)state;
    field = cp_field_transposed(&arena, field, 2, &(struct cp_window){1, 2, 1, 0, 0, 0});
    assert_int_equal(field->axis[0].phases, 2);
    assert_true(field->axis[0].spans[1].low > field->axis[0].spans[1].high);
    assert_int_equal(cp_axis_field_size(&field->axis[0]), 1);
    field = cp_field_window(&arena, field, 2, &(struct cp_window){1, 2, 1, 1, 0, 0});
    assert_int_equal(field->axis[0].phases, 1);
    assert_int_equal(field->axis[0].advance, 1);
    assert_int_equal(cp_axis_field_size(&field->axis[0]), 0);
    field = cp_field_window(&arena, field, 2, &(struct cp_window){7, 3, 1, 3, 0, 0});
    assert_int_equal(cp_axis_field_size(&field->axis[0]), 0);
    assert_int_equal(field->axis[0].advance, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vgg_a),
        cmocka_unit_test(resnet_50),
        cmocka_unit_test(numbers_out_of_range),
        cmocka_unit_test(huge_kernels_over_phases),
        cmocka_unit_test(phases_over_the_limit),
        cmocka_unit_test(reshapes),
        cmocka_unit_test(flatten_then_linear),
        cmocka_unit_test(permutations),
        cmocka_unit_test(forgotten_and_merged),
        cmocka_unit_test(bias_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
