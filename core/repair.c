#include "core/repair.h"

#include "core/layers/kinds.h"

/* What a layer of which padding decides whether it is a stage has to become. */
enum turn { AS_IT_IS, KEEPS, GROWS, SHRINKS, TURNS };

struct walk {
    const struct cp_plan *plan;
    const struct cp_pairing *pairing;
    struct cp_repair *repair;
    struct cp_range *wanted; /* [position in the path][axis]: what each stage may give */
    const bool *is_stage;    /* [position in the path]; a layer that is none keeps its size */
    const enum turn *turns;  /* [position in the path]; NULL: no demands */
    int turning_axis;        /* to which GROWS and SHRINKS apply */
    int64_t *sizes;          /* [decoder layer][axis]: after the changes so far; 0 where not known */
};

static const struct cp_range any_size = {1, CP_MAX_COUNT, 1};
static const struct cp_range no_size = {1, 0, 1};

static size_t slot(uint32_t index, int axis)
{
    return (size_t)index * CP_MAX_AXES + (size_t)axis;
}

static uint32_t decoder_begins(const struct walk *walk)
{
    return walk->plan->stack->encoder_count;
}

/* The size of a planned shape on a spatial axis; 0 where it is not known or has another rank than the network's input. */
static int64_t planned_size(const struct walk *walk, uint32_t source, int axis)
{
    const struct cp_shape *shape = cp_plan_source_shape(walk->plan, source);
    return shape && shape->rank == walk->repair->axes + 2 ? shape->size[axis + 2] : 0;
}

static bool is_in_decoder(const struct walk *walk, uint32_t source)
{
    return source >= walk->plan->stack->input_count + decoder_begins(walk);
}

static int64_t size_of(const struct walk *walk, uint32_t source, int axis)
{
    if (!is_in_decoder(walk, source)) return planned_size(walk, source, axis);
    return walk->sizes[slot(source - walk->plan->stack->input_count - decoder_begins(walk), axis)];
}

/* ---- Layers that are no stages ------------------------------------------------------------------------------------ */

static bool is_spatial(const struct walk *walk, int64_t dim)
{
    return dim >= 2 || (dim < 0 && dim >= -walk->repair->axes);
}

/* Does a layer that is no stage mix spatial axes with others, or take cells from them? */
static bool rearranges(const struct walk *walk, const struct cp_layer *layer)
{
    static const struct cp_layer_kind *const kinds[] = {&cp_linear_kind,  &cp_flatten_kind, &cp_unflatten_kind,
                                                        &cp_reshape_kind, &cp_permute_kind, &cp_mean_kind,
                                                        &cp_opaque_kind};
    const struct cp_layer_kind *kind = layer->type->kind;
    if (kind == &cp_slice_kind) return is_spatial(walk, ((const struct cp_slice *)layer->params)->dim);
    if (kind == &cp_concat_kind) return is_spatial(walk, ((const struct cp_concat *)layer->params)->dim);
    for (int at = 0; at < CP_COUNT_OF(kinds); at++)
        if (kind == kinds[at]) return true;
    return false;
}

/* What such a layer gives is known from the plan, as long as it still gets what was planned. */
static void keep_planned(struct walk *walk, uint32_t at)
{
    const struct cp_stack *stack = walk->plan->stack;
    const struct cp_layer *layer = &stack->layers[at];
    bool unchanged = true;
    for (uint32_t entry = 0; entry < layer->source_count; entry++)
        for (int axis = 0; axis < walk->repair->axes; axis++)
            unchanged = unchanged &&
                        size_of(walk, layer->sources[entry], axis) == planned_size(walk, layer->sources[entry], axis);
    for (int axis = 0; unchanged && axis < walk->repair->axes; axis++)
        walk->sizes[slot(at - decoder_begins(walk), axis)] = planned_size(walk, stack->input_count + at, axis);
}

/* Sources meet in one size; one cell is repeated where a layer broadcasts. 0 where they do not. */
static int64_t merged_size(const struct walk *walk, const struct cp_layer *layer, int axis)
{
    bool broadcasts = layer->type->kind != &cp_concat_kind;
    int64_t total = size_of(walk, layer->sources[0], axis);
    for (uint32_t entry = 1; entry < layer->source_count; entry++) {
        int64_t size = size_of(walk, layer->sources[entry], axis);
        if (size == 0 || total == 0) return 0;
        if (size == total || (broadcasts && size == 1)) continue;
        if (!broadcasts || total != 1) return 0;
        total = size;
    }
    return total;
}

/* Give a stage what it has to know beside its layer. */
static bool stage_at(const struct walk *walk, uint32_t at, int axis, struct cp_stage *stage)
{
    const struct cp_layer *layer = &walk->plan->stack->layers[at];
    if (!cp_stage_of(stage, layer, axis, walk->repair->axes)) return false;
    if (stage->is_like) stage->like = size_of(walk, ((const struct cp_crop *)layer->params)->like.source, axis);
    return true;
}

static void pass(struct walk *walk, uint32_t at)
{
    const struct cp_layer *layer = &walk->plan->stack->layers[at];
    if (rearranges(walk, layer)) {
        keep_planned(walk, at);
        return;
    }
    for (int axis = 0; axis < walk->repair->axes; axis++) {
        struct cp_stage stage;
        int64_t size = merged_size(walk, layer, axis);
        if (cp_is_stage(layer)) size = stage_at(walk, at, axis, &stage) ? cp_stage_output(&stage, size) : 0;
        walk->sizes[slot(at - decoder_begins(walk), axis)] = size;
    }
}

/* ---- What each stage may give ------------------------------------------------------------------------------------- */

static uint32_t stages_left(const struct walk *walk)
{
    uint32_t count = 0;
    for (uint32_t position = 0; position < walk->pairing->path_count; position++) count += walk->is_stage[position];
    return count;
}

/* What the encoder's stage that is the partner took on this axis. */
static int64_t partners_size(const struct walk *walk, uint32_t pair, int axis)
{
    uint32_t partner = walk->pairing->encoder_at[walk->pairing->encoder_stages - 1 - pair];
    return planned_size(walk, walk->plan->stack->layers[partner].sources[0], axis);
}

/* With as many stages on both sides each has its partner's input to give. */
static void want_partners(struct walk *walk, int axis)
{
    uint32_t pair = 0;
    for (uint32_t position = 0; position < walk->pairing->path_count; position++) {
        if (!walk->is_stage[position]) continue;
        int64_t size = partners_size(walk, pair++, axis);
        walk->wanted[slot(position, axis)] = size ? (struct cp_range){size, size, 1} : no_size;
    }
}

/* What meets the path in a merge and comes from the encoder cannot change. */
static struct cp_range meet(const struct walk *walk, const struct cp_layer *layer, int axis, struct cp_range wanted)
{
    for (uint32_t entry = 0; entry < layer->source_count; entry++) {
        int64_t size = is_in_decoder(walk, layer->sources[entry]) ? 0 : planned_size(walk, layer->sources[entry], axis);
        if (layer->source_count < 2 || size == 0) continue;
        if (size == 1 && layer->type->kind != &cp_concat_kind) continue;
        int64_t meeting = cp_range_nearest((struct cp_range){size, size, 1}, wanted, size);
        wanted = meeting ? (struct cp_range){size, size, 1} : no_size;
    }
    return wanted;
}

static struct cp_range at_most(struct cp_range range, int64_t limit)
{
    if (range.high > limit) range.high = limit;
    return range;
}

static struct cp_range at_least(struct cp_range range, int64_t limit)
{
    if (range.low < limit) range.low = limit;
    return range;
}

static enum turn turn_at(const struct walk *walk, uint32_t position, int axis)
{
    return walk->turns && axis == walk->turning_axis ? walk->turns[position] : AS_IT_IS;
}

/* Else only the last size counts, and what the stages before it may give follows backwards. */
static void want_last(struct walk *walk, int axis)
{
    const struct cp_pairing *pairing = walk->pairing;
    int64_t last = walk->plan->stack->inputs[0].shape.size[axis + 2];
    struct cp_range wanted = {last, last, 1};
    for (uint32_t position = pairing->path_count; position-- > 0;) {
        const struct cp_layer *layer = &walk->plan->stack->layers[pairing->path[position]];
        struct cp_stage stage;
        walk->wanted[slot(position, axis)] = wanted;
        if (walk->is_stage[position])
            wanted = stage_at(walk, pairing->path[position], axis, &stage) ? cp_stage_demand(&stage, wanted) : no_size;
        else
            wanted = rearranges(walk, layer) ? any_size : meet(walk, layer, axis, wanted);
        enum turn turn = turn_at(walk, position, axis);
        if (turn == GROWS) wanted = at_most(wanted, walk->wanted[slot(position, axis)].high - 1);
        if (turn == SHRINKS) wanted = at_least(wanted, walk->wanted[slot(position, axis)].low + 1);
    }
}

/* ---- The walk ----------------------------------------------------------------------------------------------------- */

static void get_stuck(struct walk *walk, uint32_t position)
{
    walk->repair->result = CP_REPAIR_STUCK;
    walk->repair->count = position;
    walk->repair->wanted->rank = walk->repair->axes;
    for (int axis = 0; axis < walk->repair->axes; axis++) {
        const struct cp_range *wanted = &walk->wanted[slot(position, axis)];
        walk->repair->wanted->size[axis] = wanted->low == wanted->high ? wanted->low : CP_ANY_SIZE;
    }
}

/* False when the walk ends here. */
static bool adjust(struct walk *walk, uint32_t position)
{
    uint32_t at = walk->pairing->path[position];
    const struct cp_layer *layer = &walk->plan->stack->layers[at];
    walk->repair->result = CP_REPAIR_UNKNOWN;
    if (layer->type->axes && layer->type->axes != walk->repair->axes) return false;
    for (int axis = 0; axis < walk->repair->axes; axis++) {
        struct cp_stage stage;
        struct cp_range *wanted = &walk->wanted[slot(position, axis)];
        int64_t input = size_of(walk, layer->sources[0], axis);
        if (input == 0 || !stage_at(walk, at, axis, &stage)) return false;
        if (!walk->is_stage[position]) *wanted = (struct cp_range){input, input, 1};
        struct cp_range reach = cp_stage_reach(&stage, input);
        if (turn_at(walk, position, axis) == GROWS) reach = at_least(reach, input + 1);
        if (turn_at(walk, position, axis) == SHRINKS) reach = at_most(reach, input - 1);
        int64_t output = cp_range_nearest(reach, *wanted, cp_stage_output(&stage, input));
        if (output == 0) {
            get_stuck(walk, position);
            return false;
        }
        walk->repair->adjustments[slot(position, axis)] = cp_stage_adjust(&stage, input, output);
        walk->sizes[slot(at - decoder_begins(walk), axis)] = output;
    }
    return true;
}

static enum cp_repair_result compare_ends(const struct walk *walk)
{
    const struct cp_stack *stack = walk->plan->stack;
    enum cp_repair_result result = CP_REPAIRED;
    for (int axis = 0; axis < walk->repair->axes; axis++) {
        int64_t last = size_of(walk, stack->input_count + stack->layer_count - 1, axis);
        if (last == 0) return CP_REPAIR_UNKNOWN;
        if (last != stack->inputs[0].shape.size[axis + 2]) result = CP_REPAIR_MISSES;
    }
    return result;
}

static void walk_decoder(struct walk *walk)
{
    const struct cp_pairing *pairing = walk->pairing;
    uint32_t next = 0;
    for (uint32_t at = decoder_begins(walk); at < walk->plan->stack->layer_count; at++) {
        bool on_path = next < pairing->path_count && pairing->path[next] == at;
        bool can_change = on_path && walk->plan->stack->layers[at].type->kind->stage != CP_STAGE_NONE;
        if (can_change && !adjust(walk, next)) return;
        if (!can_change) pass(walk, at);
        next += on_path;
    }
    walk->repair->result = compare_ends(walk);
}

static void attempt(struct walk *walk)
{
    const struct cp_stack *stack = walk->plan->stack;
    size_t slots = (size_t)(stack->layer_count - stack->encoder_count) * CP_MAX_AXES;
    memset(walk->sizes, 0, slots * sizeof *walk->sizes);
    walk->repair->count = walk->pairing->path_count;
    walk->repair->paired = stages_left(walk) == walk->pairing->encoder_stages;
    for (int axis = 0; axis < walk->repair->axes; axis++) {
        if (walk->repair->paired)
            want_partners(walk, axis);
        else
            want_last(walk, axis);
    }
    walk_decoder(walk);
}

/* ---- When the repair itself makes partners ------------------------------------------------------------------------ */

static int64_t new_size(const struct walk *walk, uint32_t position, int axis)
{
    return walk->sizes[slot(walk->pairing->path[position] - decoder_begins(walk), axis)];
}

/* Whether padding decides if this layer is a stage: one of stride 1, or a border. */
static bool can_be_either(const struct walk *walk, uint32_t position)
{
    const struct cp_layer *layer = &walk->plan->stack->layers[walk->pairing->path[position]];
    for (int axis = 0; axis < walk->repair->axes; axis++) {
        struct cp_stage stage;
        if (!stage_at(walk, walk->pairing->path[position], axis, &stage)) return false;
        if (stage.form != CP_STAGE_BORDER && stage.window.stride != 1) return false;
    }
    return layer->type->axes == walk->repair->axes;
}

/* Will this stage be none once the repair is made? */
static bool becomes_keeper(const struct walk *walk, uint32_t position)
{
    const struct cp_layer *layer = &walk->plan->stack->layers[walk->pairing->path[position]];
    for (int axis = 0; axis < walk->repair->axes; axis++)
        if (new_size(walk, position, axis) != size_of(walk, layer->sources[0], axis)) return false;
    return can_be_either(walk, position);
}

static bool partners_agree(const struct walk *walk)
{
    uint32_t pair = 0;
    for (uint32_t position = 0; position < walk->pairing->path_count; position++) {
        if (!walk->is_stage[position]) continue;
        for (int axis = 0; axis < walk->repair->axes; axis++)
            if (new_size(walk, position, axis) != partners_size(walk, pair, axis)) return false;
        pair++;
    }
    return true;
}

/* With other counts of stages only the last size is looked at. But a repair may turn some stages into layers that keep
 * every size; where as many are left as the encoder has, they are partners, which have to agree. */
static bool still_valid(const struct walk *walk, bool *stages_after)
{
    if (walk->repair->result != CP_REPAIRED || stages_left(walk) == walk->pairing->encoder_stages) return true;
    for (uint32_t position = 0; position < walk->pairing->path_count; position++)
        stages_after[position] = walk->is_stage[position] && !becomes_keeper(walk, position);
    struct walk after = *walk;
    after.is_stage = stages_after;
    return stages_left(&after) != walk->pairing->encoder_stages || partners_agree(&after);
}

/* Do these stages lead to a pair that round-trips? */
static bool succeeds(struct walk *walk, const bool *is_stage, const enum turn *turns, bool *stages_after)
{
    walk->is_stage = is_stage;
    walk->turns = turns;
    attempt(walk);
    return walk->repair->result == CP_REPAIRED && still_valid(walk, stages_after);
}

/* The layers of which padding decides whether they are stages: the first few, so that little is tried in all. */
static uint32_t find_turning(const struct walk *walk, uint32_t *turning, uint32_t room, uint32_t *combinations)
{
    enum { MOST_VISITS = 2048 };
    uint32_t count = walk->pairing->path_count, found = 0;
    *combinations = 1;
    for (uint32_t position = 0; position < count && found < room; position++) {
        if (!can_be_either(walk, position)) continue;
        if ((uint64_t)count * *combinations > MOST_VISITS) break;
        turning[found++] = position;
        *combinations *= TURNS - KEEPS;
    }
    return found;
}

/* Repairs that make a stage of a layer that keeps its size, or the other way round: others become partners then, or with
 * other counts of stages the last size decides alone. */
static bool succeeds_turning(struct walk *walk, const bool *is_stage, struct cp_arena *arena)
{
    enum { MOST_TURNING = 6 };
    uint32_t count = walk->pairing->path_count, turning[MOST_TURNING], combinations;
    uint32_t turning_count = find_turning(walk, turning, MOST_TURNING, &combinations);
    bool *others = CP_NEW_ARRAY(arena, bool, count), *stages_after = CP_NEW_ARRAY(arena, bool, count);
    enum turn *turns = CP_NEW_ARRAY(arena, enum turn, count);
    memcpy(others, is_stage, count * sizeof *others);
    for (uint32_t number = 0; number < combinations; number++) {
        uint32_t rest = number;
        for (uint32_t at = 0; at < turning_count; at++, rest /= TURNS - KEEPS) {
            turns[turning[at]] = (enum turn)(KEEPS + rest % (TURNS - KEEPS));
            others[turning[at]] = turns[turning[at]] != KEEPS;
        }
        for (walk->turning_axis = 0; walk->turning_axis < walk->repair->axes; walk->turning_axis++)
            if (succeeds(walk, others, turns, stages_after)) return true;
    }
    return false;
}

void cp_find_repair(struct cp_repair *repair, const struct cp_plan *plan, const struct cp_pairing *pairing,
                    struct cp_arena *arena)
{
    const struct cp_stack *stack = plan->stack;
    size_t slots = (size_t)(stack->layer_count - stack->encoder_count) * CP_MAX_AXES;
    *repair = (struct cp_repair){.result = CP_REPAIR_UNKNOWN, .axes = stack->inputs[0].shape.rank - 2};
    if (repair->axes < 1 || repair->axes > CP_MAX_AXES) return;
    repair->wanted = CP_NEW(arena, struct cp_shape);
    repair->adjustments = CP_NEW_ARRAY(arena, struct cp_adjustment, slots);
    bool *is_stage = CP_NEW_ARRAY(arena, bool, pairing->path_count);
    bool *stages_after = CP_NEW_ARRAY(arena, bool, pairing->path_count);
    for (uint32_t position = 0; position < pairing->path_count; position++)
        is_stage[position] = cp_is_stage(&stack->layers[pairing->path[position]]);
    struct walk walk = {.plan = plan,
                        .pairing = pairing,
                        .repair = repair,
                        .wanted = CP_NEW_ARRAY(arena, struct cp_range, slots),
                        .sizes = CP_NEW_ARRAY(arena, int64_t, slots)};
    if (succeeds(&walk, is_stage, NULL, stages_after) || succeeds_turning(&walk, is_stage, arena)) return;
    if (!succeeds(&walk, is_stage, NULL, stages_after) && repair->result == CP_REPAIRED)
        repair->result = CP_REPAIR_MISSES; /* it would fit at the end, but not with its partners */
}
