#include "core/repair.h"

#include "core/repair_walk.h"

enum {
    MOST_VISITS = 1 << 15, /* of layers on an axis, by the search for turns; of sizes that are asked for */
    MOST_STATES = 1 << 20, /* positions times stages */
    WORK_PER_STATE = 20,
};

/* ---- Which layers are stages -------------------------------------------------------------------------------------- */

static void set_turn(struct cp_walk *walk, uint32_t position, enum cp_turn turn)
{
    for (int axis = 0; axis < walk->repair->axes; axis++) walk->turns[cp_walk_slot(position, axis)] = turn;
}

static void set_stages(struct cp_walk *walk, const bool *is_stage)
{
    for (uint32_t position = 0; position < walk->pairing->path_count; position++)
        set_turn(walk, position, is_stage[position] ? CP_TURN_FREE : CP_TURN_KEEPS);
}

/* Whether padding decides if this layer is a stage: one of stride 1, or a border. */
static bool can_be_either(const struct cp_walk *walk, uint32_t position)
{
    for (int axis = 0; axis < walk->repair->axes; axis++) {
        struct cp_stage stage;
        if (!cp_walk_stage_at(walk, walk->pairing->path[position], axis, &stage)) return false;
        if (stage.form != CP_STAGE_BORDER && stage.window.stride != 1) return false;
    }
    return cp_walk_layer_at(walk, position)->type->axes == walk->repair->axes;
}

static bool keeps_size(const struct cp_walk *walk, uint32_t position)
{
    const struct cp_layer *layer = cp_walk_layer_at(walk, position);
    for (int axis = 0; axis < walk->repair->axes; axis++)
        if (cp_walk_size_of(walk, walk->plan->stack->input_count + walk->pairing->path[position], axis) !=
            cp_walk_size_of(walk, layer->sources[0], axis))
            return false;
    return true;
}

/* Attempt it without partners. Where as many stages are left as the encoder has, they would be partners. */
static bool attempt_unpaired(struct cp_walk *walk)
{
    uint32_t stages = 0;
    if (!cp_walk_attempt(walk, NULL)) return false;
    for (uint32_t position = 0; position < walk->pairing->path_count; position++)
        stages += walk->either[position] ? !keeps_size(walk, position) : walk->is_stage[position];
    return stages != walk->pairing->encoder_stages;
}

/* Demand that a layer keeps its size, or grows or shrinks on one axis. */
static void set_way(struct cp_walk *walk, uint32_t position, int way)
{
    set_turn(walk, position, way ? CP_TURN_FREE : CP_TURN_KEEPS);
    if (way) walk->turns[cp_walk_slot(position, (way - 1) / 2)] = way % 2 ? CP_TURN_GROWS : CP_TURN_SHRINKS;
}

enum { MOST_WAYS = 1 + 2 * CP_MAX_AXES };

/* A layer that can be either, which of its ways lead to the end, and the one to go next. */
struct decision {
    uint32_t position;
    int next;
    bool leads_there[MOST_WAYS];
};

static uint32_t next_either(const struct cp_walk *walk, uint32_t position)
{
    while (position < walk->pairing->path_count && !walk->either[position]) position++;
    return position;
}

/* Whether one of the ways will do, with those that have been decided before it. */
static bool one_will_do(struct cp_walk *walk, struct decision *decision)
{
    for (int way = 0; way <= 2 * walk->repair->axes; way++) {
        if (walk->visits_left <= 0) {
            walk->repair->undecided = true;
            return false;
        }
        set_way(walk, decision->position, way);
        if (attempt_unpaired(walk)) return true;
        decision->leads_there[way] = walk->repair->result == CP_REPAIRED;
    }
    return false;
}

/* Go the next way that leads to the end; false when there is none left. */
static bool go_on(struct cp_walk *walk, struct decision *decision)
{
    while (decision->next < MOST_WAYS) {
        int way = decision->next++;
        if (!decision->leads_there[way]) continue;
        set_way(walk, decision->position, way);
        return true;
    }
    set_turn(walk, decision->position, CP_TURN_FREE);
    return false;
}

/* Decide layer by layer which way it goes, going back where nothing comes of it. */
static bool decide(struct cp_walk *walk)
{
    struct decision *decisions = CP_NEW_ARRAY(walk->arena, struct decision, walk->pairing->path_count);
    uint32_t made = 0, position = next_either(walk, 0);
    do {
        if (position < walk->pairing->path_count) {
            decisions[made] = (struct decision){.position = position};
            if (one_will_do(walk, &decisions[made++])) return true;
        }
        while (made > 0 && !go_on(walk, &decisions[made - 1])) made--;
        if (made > 0) position = next_either(walk, decisions[made - 1].position + 1);
    } while (made > 0);
    return false;
}

static bool succeeds_unpaired(struct cp_walk *walk)
{
    for (uint32_t position = 0; position < walk->pairing->path_count; position++)
        set_turn(walk, position, walk->either[position] || walk->is_stage[position] ? CP_TURN_FREE : CP_TURN_KEEPS);
    return attempt_unpaired(walk) || (walk->repair->result == CP_REPAIRED && decide(walk));
}

/* ---- As many stages as the encoder has: all sizes are given ------------------------------------------------------- */

/* Before each position of the path; [positions + 1] with the last. */
struct ladder {
    struct cp_walk *walk;
    uint32_t turning;  /* of the layers that can be either, so many have to be stages */
    uint32_t *firm;    /* stages before it that can be nothing else */
    uint32_t *eithers; /* layers before it that can be either */
    uint32_t *origin;  /* the source whose planned size is there as long as there was no stage */
    uint32_t *cost;    /* [position][turned so far]: layers yet to be made what they are not written as */
};

static const uint32_t no_way = UINT32_MAX;

static int64_t rung(const struct ladder *ladder, uint32_t position, uint32_t stages, int axis)
{
    return stages ? cp_walk_partners_size(ladder->walk, stages - 1, axis)
                  : cp_walk_planned_size(ladder->walk, ladder->origin[position], axis);
}

/* A stage that rearranges gives what is planned, from what is planned. */
static bool can_climb_as_planned(const struct ladder *ladder, uint32_t position, uint32_t stages)
{
    const struct cp_walk *walk = ladder->walk;
    uint32_t source = walk->plan->stack->input_count +
                      (position ? walk->pairing->path[position - 1] : cp_walk_decoder_begins(walk) - 1);
    for (int axis = 0; axis < walk->repair->axes; axis++) {
        int64_t from = cp_walk_planned_size(walk, source, axis), to = cp_walk_partners_size(walk, stages, axis);
        int64_t output =
            cp_walk_planned_size(walk, walk->plan->stack->input_count + walk->pairing->path[position], axis);
        if (from == 0 || from != rung(ladder, position, stages, axis) || output != to) return false;
    }
    return true;
}

/* Can the layer, as stage number `stages`, give what its partner took? One that can be either has to change a size. */
static bool can_climb(const struct ladder *ladder, uint32_t position, uint32_t stages)
{
    const struct cp_walk *walk = ladder->walk;
    bool changes = !walk->either[position];
    if (stages >= walk->pairing->encoder_stages) return false;
    if (cp_walk_rearranges(walk, cp_walk_layer_at(walk, position)))
        return can_climb_as_planned(ladder, position, stages);
    for (int axis = 0; axis < walk->repair->axes; axis++) {
        struct cp_stage stage;
        int64_t from = rung(ladder, position, stages, axis), to = cp_walk_partners_size(walk, stages, axis);
        if (from == 0 || !cp_walk_stage_at(walk, walk->pairing->path[position], axis, &stage)) return false;
        struct cp_range reach = cp_stage_reach(&stage, from);
        if (to < reach.low || to > reach.high) return false;
        changes = changes || to != from;
    }
    return changes;
}

/* Do the sizes fit what comes from the encoder in a merge, and what the plan has where axes are mixed? The walk looks at
 * those that are not known. */
static bool can_pass(const struct ladder *ladder, uint32_t position, uint32_t stages)
{
    const struct cp_walk *walk = ladder->walk;
    const struct cp_layer *layer = cp_walk_layer_at(walk, position);
    for (int axis = 0; axis < walk->repair->axes; axis++) {
        int64_t size = rung(ladder, position, stages, axis);
        int64_t met = layer->source_count > 1 ? cp_walk_met_size(walk, position, axis) : 0;
        if (cp_walk_rearranges(walk, layer) && stages &&
            cp_walk_planned_size(walk, ladder->origin[position + 1], axis) != size)
            return false;
        if (size && met && met != size) return false;
    }
    return true;
}

static uint32_t cheaper(uint32_t cost, uint32_t other, bool differs)
{
    return other != no_way && other + differs < cost ? other + differs : cost;
}

static uint32_t cost_at(const struct ladder *ladder, uint32_t position, uint32_t turned)
{
    const struct cp_walk *walk = ladder->walk;
    const uint32_t *next = &ladder->cost[(size_t)(position + 1) * (ladder->turning + 1)];
    uint32_t stages = ladder->firm[position] + turned, cost = no_way;
    bool written = walk->is_stage[position];
    cp_arena_work(walk->arena, WORK_PER_STATE);
    if (walk->either[position]) {
        cost = cheaper(cost, next[turned], written);
        if (turned < ladder->turning && next[turned + 1] != no_way && can_climb(ladder, position, stages))
            cost = cheaper(cost, next[turned + 1], !written);
        return cost;
    }
    if (next[turned] == no_way) return no_way;
    return (written ? can_climb(ladder, position, stages) : can_pass(ladder, position, stages)) ? next[turned] : no_way;
}

static void build(struct ladder *ladder)
{
    const struct cp_walk *walk = ladder->walk;
    uint32_t count = walk->pairing->path_count, width = ladder->turning + 1;
    ladder->cost = cp_arena_take(walk->arena, ((size_t)count + 1) * width * sizeof *ladder->cost, alignof(uint32_t));
    memset(ladder->cost, UINT8_MAX, ((size_t)count + 1) * width * sizeof *ladder->cost);
    ladder->cost[(size_t)count * width + ladder->turning] = 0;
    for (uint32_t position = count; position-- > 0;) {
        uint32_t before = ladder->eithers[position], after = ladder->eithers[count] - before;
        for (uint32_t turned = after < ladder->turning ? ladder->turning - after : 0;
             turned <= before && turned <= ladder->turning; turned++)
            ladder->cost[(size_t)position * width + turned] = cost_at(ladder, position, turned);
    }
}

static void count_stages(struct ladder *ladder)
{
    const struct cp_walk *walk = ladder->walk;
    const struct cp_stack *stack = walk->plan->stack;
    uint32_t count = walk->pairing->path_count;
    ladder->firm = CP_NEW_ARRAY(walk->arena, uint32_t, count + 1);
    ladder->eithers = CP_NEW_ARRAY(walk->arena, uint32_t, count + 1);
    ladder->origin = CP_NEW_ARRAY(walk->arena, uint32_t, count + 1);
    ladder->origin[0] = stack->input_count + cp_walk_decoder_begins(walk) - 1;
    for (uint32_t position = 0; position < count; position++) {
        bool either = walk->either[position], mixes = cp_walk_rearranges(walk, cp_walk_layer_at(walk, position));
        ladder->firm[position + 1] = ladder->firm[position] + (walk->is_stage[position] && !either);
        ladder->eithers[position + 1] = ladder->eithers[position] + either;
        ladder->origin[position + 1] =
            mixes ? stack->input_count + walk->pairing->path[position] : ladder->origin[position];
    }
}

/* The stages of the cheapest way up. */
static const bool *climb(const struct ladder *ladder)
{
    const struct cp_walk *walk = ladder->walk;
    uint32_t width = ladder->turning + 1, turned = 0;
    bool *stages = CP_NEW_ARRAY(walk->arena, bool, walk->pairing->path_count);
    for (uint32_t position = 0; position < walk->pairing->path_count; position++) {
        const uint32_t *here = &ladder->cost[(size_t)position * width], *next = here + width;
        stages[position] = walk->is_stage[position];
        if (!walk->either[position]) continue;
        bool kept = next[turned] != no_way && next[turned] + walk->is_stage[position] == here[turned];
        stages[position] = !kept;
        turned += !kept;
    }
    return stages;
}

static bool succeeds_paired(struct cp_walk *walk)
{
    struct ladder ladder = {.walk = walk};
    uint32_t count = walk->pairing->path_count, stages = walk->pairing->encoder_stages;
    count_stages(&ladder);
    if (stages < ladder.firm[count] || stages > ladder.firm[count] + ladder.eithers[count]) return false;
    ladder.turning = stages - ladder.firm[count];
    if ((uint64_t)(count + 1) * (ladder.turning + 1) > MOST_STATES) {
        walk->repair->undecided = true;
        return false;
    }
    build(&ladder);
    if (ladder.cost[0] == no_way) return false;
    const bool *partners = climb(&ladder);
    set_stages(walk, partners);
    return cp_walk_attempt(walk, partners);
}

/* ---- All together ------------------------------------------------------------------------------------------------- */

/* Enough for some attempts, however many layers there are. */
static int64_t most_visits(const struct cp_walk *walk)
{
    enum { LEAST_ATTEMPTS = 8 };
    uint32_t decoder_count = walk->plan->stack->layer_count - cp_walk_decoder_begins(walk);
    return MOST_VISITS + (int64_t)LEAST_ATTEMPTS * decoder_count * walk->repair->axes;
}

static bool succeeds_as_written(struct cp_walk *walk)
{
    set_stages(walk, walk->is_stage);
    return cp_is_paired(walk->pairing) ? cp_walk_attempt(walk, walk->is_stage) : attempt_unpaired(walk);
}

/* Is there a layer of the decoder beside its path that could give another size? */
static bool has_stages_beside(const struct cp_walk *walk)
{
    const struct cp_stack *stack = walk->plan->stack;
    const struct cp_pairing *pairing = walk->pairing;
    uint32_t next = 0;
    for (uint32_t at = stack->encoder_count; at < stack->layer_count; at++) {
        bool on_path = next < pairing->path_count && pairing->path[next] == at;
        if (!on_path && stack->layers[at].type->kind->stage != CP_STAGE_NONE) return true;
        next += on_path;
    }
    return false;
}

static void search(struct cp_walk *walk)
{
    struct cp_repair *repair = walk->repair;
    if (succeeds_as_written(walk) || succeeds_paired(walk) || succeeds_unpaired(walk)) {
        repair->undecided = false;
        return;
    }
    bool undecided = repair->undecided;
    walk->visits_left = most_visits(walk);
    (void)succeeds_as_written(walk); /* what is in the way is told of the layers as they are */
    if (repair->result == CP_REPAIRED) repair->result = CP_REPAIR_MISSES;
    repair->undecided = undecided;
    repair->beside = has_stages_beside(walk);
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
    struct cp_walk walk = {
        .plan = plan,
        .pairing = pairing,
        .repair = repair,
        .arena = arena,
        .wishes = CP_NEW_ARRAY(arena, struct cp_wish, slots),
        .is_stage = CP_NEW_ARRAY(arena, bool, pairing->path_count),
        .either = CP_NEW_ARRAY(arena, bool, pairing->path_count),
        .turns = CP_NEW_ARRAY(arena, enum cp_turn, slots),
        .sizes = CP_NEW_ARRAY(arena, int64_t, slots),
    };
    walk.visits_left = most_visits(&walk);
    for (uint32_t position = 0; position < pairing->path_count; position++) {
        uint8_t axes = cp_walk_layer_at(&walk, position)->type->axes;
        if (axes && axes != repair->axes) return; /* the plan ends there, whatever the sizes are */
        walk.is_stage[position] = pairing->is_stage[pairing->path[position]];
        walk.either[position] = can_be_either(&walk, position);
    }
    search(&walk);
}
