#include "core/axis_program.h"

#include <string.h>

#include "core/checked.h"

void cp_axis_program_begin(struct cp_axis_program *program, struct cp_arena *arena)
{
    enum { FIRST_STEPS = 64 };
    *program = (struct cp_axis_program){
        .arena = arena,
        .steps = CP_NEW_ARRAY(arena, struct cp_step, FIRST_STEPS),
        .capacity = FIRST_STEPS,
        .slots = CP_NEW_ARRAY(arena, uint32_t, 2 * FIRST_STEPS),
        .slot_count = 2 * FIRST_STEPS,
        .free = {CP_NO_LAYER, CP_NO_LAYER},
        .coupled_layer = CP_NO_LAYER,
        .coupled_step = CP_NO_LAYER,
    };
    for (int symbol = 0; symbol < CP_MAX_SYMBOLS; symbol++)
        program->summary[symbol] = (struct cp_axis_summary){cp_condition_true(), CP_NO_LAYER};
}

/* ---- Steps by content --------------------------------------------------------------------------------------------- */

static bool same_step(const struct cp_step *a, const struct cp_step *b)
{
    return a->form == b->form && a->left == b->left && a->right == b->right && a->map.apply == b->map.apply &&
           memcmp(a->number, b->number, sizeof a->number) == 0 &&
           memcmp(a->map.numbers, b->map.numbers, sizeof a->map.numbers) == 0;
}

static uint32_t hash_of(const struct cp_step *step)
{
    const uint64_t odd = 0x9e3779b97f4a7c15u;
    uint64_t hash = ((uint64_t)step->left << 32 | step->right) * odd + step->form;
    for (int at = 0; at < 2; at++) hash = (hash ^ hash >> 29 ^ (uint64_t)step->number[at]) * odd;
    for (int at = 0; at < CP_MAP_NUMBERS; at++) hash = (hash ^ hash >> 29 ^ (uint64_t)step->map.numbers[at]) * odd;
    return (uint32_t)(hash >> 32);
}

static uint32_t *slot_of(const struct cp_axis_program *program, const struct cp_step *step)
{
    uint32_t mask = program->slot_count - 1, slot = hash_of(step) & mask;
    while (program->slots[slot] && !same_step(&program->steps[program->slots[slot] - 1], step))
        slot = (slot + 1) & mask;
    return &program->slots[slot];
}

static void grow(struct cp_axis_program *program)
{
    struct cp_step *steps = CP_NEW_ARRAY(program->arena, struct cp_step, 2 * (size_t)program->capacity);
    memcpy(steps, program->steps, program->count * sizeof *steps);
    program->steps = steps;
    program->capacity *= 2;
    program->slot_count = 2 * program->capacity;
    program->slots = CP_NEW_ARRAY(program->arena, uint32_t, program->slot_count);
    for (uint32_t at = 0; at < program->count; at++) *slot_of(program, &steps[at]) = at + 1;
}

/* The step with this content: found, or new, which *is_new tells. */
static uint32_t enter(struct cp_axis_program *program, struct cp_step *step, bool *is_new)
{
    if (program->count == program->capacity) grow(program);
    uint32_t *slot = slot_of(program, step);
    *is_new = *slot == 0;
    if (!*is_new) return *slot - 1;
    step->layer = program->layer;
    program->steps[program->count++] = *step;
    *slot = program->count;
    return program->count - 1;
}

/* Add a condition of the step to what is known about the free size that it depends on. */
static void conclude(struct cp_axis_program *program, const struct cp_step *step, const struct cp_condition *condition)
{
    struct cp_axis_summary *summary = &program->summary[step->symbols >> 1];
    enum cp_law_state before = summary->condition.state;
    summary->condition = cp_condition_and(&summary->condition, condition);
    if (before == CP_LAW_LINEAR && summary->condition.state != CP_LAW_LINEAR) summary->unknown_layer = program->layer;
}

/* A condition on both free sizes together. */
static void couple(struct cp_axis_program *program)
{
    if (program->coupled_layer == CP_NO_LAYER) program->coupled_layer = program->layer;
}

static bool is_constant(const struct cp_axis_program *program, uint32_t size)
{
    return program->steps[size].form == CP_STEP_CONSTANT;
}

static int64_t value_of(const struct cp_axis_program *program, uint32_t size)
{
    return program->steps[size].number[0];
}

/* ---- Sizes -------------------------------------------------------------------------------------------------------- */

uint32_t cp_axis_constant(struct cp_axis_program *program, int64_t size)
{
    bool is_new;
    struct cp_step step = {.form = CP_STEP_CONSTANT, .number = {size}, .law = cp_law_constant(size)};
    return enter(program, &step, &is_new);
}

uint32_t cp_axis_free(struct cp_axis_program *program, int symbol)
{
    bool is_new;
    struct cp_step step = {
        .form = CP_STEP_FREE, .symbols = (uint8_t)(1 << symbol), .number = {symbol}, .law = cp_law_free()};
    program->free[symbol] = enter(program, &step, &is_new);
    return program->free[symbol];
}

void cp_axis_never(struct cp_axis_program *program)
{
    program->never = true;
}

/* A known size, or none for any n. */
static uint32_t fold(struct cp_axis_program *program, bool defined, int64_t size)
{
    if (!defined) cp_axis_never(program);
    return cp_axis_constant(program, defined ? size : 1);
}

static bool keeps_sizes(const struct cp_axis_map *map)
{
    int64_t one;
    return map->from == 1 && map->period == 1 && map->increment == 1 && !map->ends &&
           map->apply(map->numbers, 1, &one) && one == 1;
}

uint32_t cp_axis_map(struct cp_axis_program *program, uint32_t size, const struct cp_axis_map *map)
{
    int64_t known = 1;
    bool is_new;
    if (is_constant(program, size)) {
        bool defined = map->apply(map->numbers, value_of(program, size), &known);
        return fold(program, defined, known);
    }
    if (keeps_sizes(map)) return size;
    struct cp_step step = {
        .form = CP_STEP_MAP, .symbols = program->steps[size].symbols, .left = size, .map = *map, .law = cp_law_none()};
    struct cp_condition condition = {0};
    if (step.symbols != CP_ALL_SYMBOLS) condition = cp_law_map(&program->steps[size].law, map, &step.law);
    uint32_t index = enter(program, &step, &is_new);
    if (is_new && step.symbols != CP_ALL_SYMBOLS)
        conclude(program, &step, &condition);
    else if (is_new && (map->from > 1 || map->ends))
        couple(program);
    return map->only ? cp_axis_constant(program, map->only) : index;
}

/* Sums and products do not depend on the order of their operands. */
static struct cp_step commutative(const struct cp_axis_program *program, enum cp_step_form form, uint32_t a, uint32_t b)
{
    uint8_t symbols = program->steps[a].symbols | program->steps[b].symbols;
    return (struct cp_step){
        .form = form, .symbols = symbols, .left = a < b ? a : b, .right = a < b ? b : a, .law = cp_law_none()};
}

uint32_t cp_axis_sum(struct cp_axis_program *program, uint32_t a, uint32_t b)
{
    int64_t known = 1;
    bool is_new;
    if (is_constant(program, a) && is_constant(program, b)) {
        bool defined = cp_add(value_of(program, a), value_of(program, b), &known);
        return fold(program, defined, known);
    }
    struct cp_step step = commutative(program, CP_STEP_SUM, a, b);
    if (step.symbols != CP_ALL_SYMBOLS) step.law = cp_law_sum(&program->steps[a].law, &program->steps[b].law);
    return enter(program, &step, &is_new);
}

uint32_t cp_axis_product(struct cp_axis_program *program, uint32_t a, uint32_t b)
{
    int64_t known = 1;
    bool is_new;
    bool a_known = is_constant(program, a), b_known = is_constant(program, b);
    if (a_known && b_known) {
        bool defined = cp_multiply(value_of(program, a), value_of(program, b), &known);
        return fold(program, defined, known);
    }
    if (a_known && value_of(program, a) == 1) return b;
    if (b_known && value_of(program, b) == 1) return a;
    struct cp_step step = commutative(program, CP_STEP_PRODUCT, a, b);
    if (step.symbols != CP_ALL_SYMBOLS) step.law = cp_law_product(&program->steps[a].law, &program->steps[b].law);
    return enter(program, &step, &is_new);
}

uint32_t cp_axis_broadcast(struct cp_axis_program *program, uint32_t a, uint32_t b)
{
    bool is_new;
    if (a == b) return a;
    if (is_constant(program, a) && value_of(program, a) == 1) return b;
    if (is_constant(program, b) && value_of(program, b) == 1) return a;
    if (is_constant(program, a) && is_constant(program, b)) return fold(program, false, 1);
    struct cp_step step = commutative(program, CP_STEP_BROADCAST, a, b);
    struct cp_condition condition = cp_condition_true();
    if (step.symbols == CP_ALL_SYMBOLS)
        couple(program);
    else
        condition = cp_law_broadcast(&program->steps[a].law, &program->steps[b].law, &step.law);
    uint32_t index = enter(program, &step, &is_new);
    if (is_new && step.symbols != CP_ALL_SYMBOLS) conclude(program, &step, &condition);
    return is_constant(program, a) ? a : is_constant(program, b) ? b : index; /* not 1, and so the wider one */
}

/* ---- Conditions --------------------------------------------------------------------------------------------------- */

uint32_t cp_axis_require_equal(struct cp_axis_program *program, uint32_t a, uint32_t b)
{
    bool is_new;
    uint32_t both = is_constant(program, b) ? b : a;
    if (a == b) return both;
    if (is_constant(program, a) && is_constant(program, b)) {
        cp_axis_never(program);
        return both;
    }
    struct cp_step step = commutative(program, CP_STEP_EQUAL, a, b);
    if (step.symbols == CP_ALL_SYMBOLS) {
        couple(program);
        return both;
    }
    struct cp_condition condition = cp_law_equal(&program->steps[a].law, &program->steps[b].law);
    enter(program, &step, &is_new);
    if (is_new) conclude(program, &step, &condition);
    return both;
}

void cp_axis_require_at_least(struct cp_axis_program *program, uint32_t a, uint32_t b)
{
    bool is_new;
    if (a == b || (is_constant(program, b) && value_of(program, b) <= 1)) return;
    if (is_constant(program, a) && is_constant(program, b)) {
        if (value_of(program, a) < value_of(program, b)) cp_axis_never(program);
        return;
    }
    struct cp_step step = {.form = CP_STEP_AT_LEAST,
                           .symbols = program->steps[a].symbols | program->steps[b].symbols,
                           .left = a,
                           .right = b};
    if (step.symbols != CP_ALL_SYMBOLS) {
        struct cp_condition condition = cp_law_at_least(&program->steps[a].law, &program->steps[b].law);
        enter(program, &step, &is_new);
        if (is_new) conclude(program, &step, &condition);
        return;
    }
    const struct cp_step *left = &program->steps[a];
    bool separable = left->form == CP_STEP_PRODUCT && is_constant(program, b) &&
                     program->steps[left->left].symbols != CP_ALL_SYMBOLS &&
                     program->steps[left->right].symbols != CP_ALL_SYMBOLS;
    uint32_t index = enter(program, &step, &is_new);
    if (!separable || (program->coupled_step != CP_NO_LAYER && program->coupled_step != index))
        couple(program);
    else
        program->coupled_step = index;
}

/* A product of two sizes has a rest that repeats when those of both do. */
static struct cp_condition congruent(const struct cp_axis_program *program, uint32_t size, int64_t modulus)
{
    const struct cp_step *step = &program->steps[size];
    if (step->law.state != CP_LAW_STEEP || step->form != CP_STEP_PRODUCT) return cp_law_congruent(&step->law, modulus);
    struct cp_condition left = cp_law_congruent(&program->steps[step->left].law, modulus);
    struct cp_condition right = cp_law_congruent(&program->steps[step->right].law, modulus);
    return cp_condition_and(&left, &right);
}

void cp_axis_require_congruent(struct cp_axis_program *program, uint32_t size, int64_t rest, int64_t modulus)
{
    bool is_new;
    if (modulus == 1) return;
    if (is_constant(program, size)) {
        if (cp_floor_remainder(value_of(program, size) - rest, modulus)) cp_axis_never(program);
        return;
    }
    struct cp_step step = {.form = CP_STEP_CONGRUENT,
                           .symbols = program->steps[size].symbols,
                           .left = size,
                           .number = {cp_floor_remainder(rest, modulus), modulus}};
    if (step.symbols == CP_ALL_SYMBOLS) {
        couple(program);
        return;
    }
    struct cp_condition condition = congruent(program, size, modulus);
    enter(program, &step, &is_new);
    if (is_new) conclude(program, &step, &condition);
}

/* ---- Running ------------------------------------------------------------------------------------------------------ */

void cp_axis_run_begin(struct cp_axis_run *run, const struct cp_axis_program *program, int symbol,
                       struct cp_arena *arena)
{
    *run = (struct cp_axis_run){.program = program,
                                .arena = arena,
                                .symbol = symbol,
                                .order = CP_NEW_ARRAY(arena, uint32_t, program->count),
                                .sizes = CP_NEW_ARRAY(arena, int64_t, program->count)};
    for (uint32_t at = 0; at < program->count; at++) {
        const struct cp_step *step = &program->steps[at];
        if (step->form == CP_STEP_CONSTANT) run->sizes[at] = step->number[0];
        if (step->symbols == 1 << symbol && step->form != CP_STEP_FREE) run->order[run->count++] = at;
    }
}

static bool broadcast(int64_t a, int64_t b, int64_t *size)
{
    *size = a == 1 ? b : a;
    return a == b || a == 1 || b == 1;
}

static bool run_step(const struct cp_step *step, int64_t left, int64_t right, int64_t *size)
{
    switch (step->form) {
    case CP_STEP_CONSTANT:
    case CP_STEP_FREE: return true;
    case CP_STEP_MAP: return step->map.apply(step->map.numbers, left, size);
    case CP_STEP_SUM: return cp_add(left, right, size);
    case CP_STEP_PRODUCT: return cp_multiply(left, right, size);
    case CP_STEP_BROADCAST: return broadcast(left, right, size);
    case CP_STEP_EQUAL: return left == right;
    case CP_STEP_AT_LEAST: return left >= right;
    case CP_STEP_CONGRUENT: return left % step->number[1] == step->number[0];
    }
    return false;
}

bool cp_axis_run(struct cp_axis_run *run, int64_t n, uint32_t *done)
{
    enum { WORK_PER_STEP = 6 };
    const struct cp_step *steps = run->program->steps;
    uint32_t at = 0;
    cp_arena_work(run->arena, WORK_PER_STEP * ((int64_t)run->count + 1));
    run->sizes[run->program->free[run->symbol]] = n;
    while (at < run->count) {
        const struct cp_step *step = &steps[run->order[at]];
        if (!run_step(step, run->sizes[step->left], run->sizes[step->right], &run->sizes[run->order[at]])) break;
        at++;
    }
    if (done) *done = at;
    return at == run->count;
}
