#include "core/repair_walk.h"

#include "core/layers/kinds.h"

enum {
    MOST_SIEVES = 256, /* one after another */
    WORK_PER_VISIT = 400,
};

static const struct cp_range any_size = {1, CP_MAX_COUNT, 1};
static const struct cp_wish nothing = {{1, 0, 1}, 0};

/* The size of a planned shape on a spatial axis; 0 where it is not known or has another rank than the network's input. */
int64_t cp_walk_planned_size(const struct cp_walk *walk, uint32_t source, int axis)
{
    const struct cp_shape *shape = cp_plan_source_shape(walk->plan, source);
    return shape && shape->rank == walk->repair->axes + 2 ? shape->size[axis + 2] : 0;
}

static bool is_in_decoder(const struct cp_walk *walk, uint32_t source)
{
    return source >= walk->plan->stack->input_count + cp_walk_decoder_begins(walk);
}

int64_t cp_walk_size_of(const struct cp_walk *walk, uint32_t source, int axis)
{
    if (!is_in_decoder(walk, source)) return cp_walk_planned_size(walk, source, axis);
    return walk->sizes[cp_walk_slot(source - walk->plan->stack->input_count - cp_walk_decoder_begins(walk), axis)];
}

/* ---- Layers without a stage form ---------------------------------------------------------------------------------- */

static bool is_spatial(const struct cp_walk *walk, int64_t dim)
{
    return dim >= 2 || (dim < 0 && dim >= -walk->repair->axes);
}

/* Does a layer without a stage form mix spatial axes with others, or take cells from them? */
bool cp_walk_rearranges(const struct cp_walk *walk, const struct cp_layer *layer)
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
static void keep_planned(struct cp_walk *walk, uint32_t at)
{
    const struct cp_stack *stack = walk->plan->stack;
    const struct cp_layer *layer = &stack->layers[at];
    bool unchanged = true;
    for (uint32_t entry = 0; entry < layer->source_count; entry++)
        for (int axis = 0; axis < walk->repair->axes; axis++)
            unchanged = unchanged && cp_walk_size_of(walk, layer->sources[entry], axis) ==
                                         cp_walk_planned_size(walk, layer->sources[entry], axis);
    for (int axis = 0; unchanged && axis < walk->repair->axes; axis++)
        walk->sizes[cp_walk_slot(at - cp_walk_decoder_begins(walk), axis)] =
            cp_walk_planned_size(walk, stack->input_count + at, axis);
}

/* Sources meet in one size; one cell is repeated where a layer broadcasts. 0 where they do not. */
static int64_t merged_size(const struct cp_walk *walk, const struct cp_layer *layer, int axis)
{
    bool broadcasts = layer->type->kind != &cp_concat_kind;
    int64_t total = cp_walk_size_of(walk, layer->sources[0], axis);
    for (uint32_t entry = 1; entry < layer->source_count; entry++) {
        int64_t size = cp_walk_size_of(walk, layer->sources[entry], axis);
        if (size == 0 || total == 0) return 0;
        if (size == total || (broadcasts && size == 1)) continue;
        if (!broadcasts || total != 1) return 0;
        total = size;
    }
    return total;
}

/* Give a stage what it has to know beside its layer. What a decoder's layer gives is as planned until it has changed. */
bool cp_walk_stage_at(const struct cp_walk *walk, uint32_t at, int axis, struct cp_stage *stage)
{
    const struct cp_layer *layer = &walk->plan->stack->layers[at];
    if (!cp_stage_of(stage, layer, axis, walk->repair->axes)) return false;
    if (!stage->is_like) return true;
    uint32_t like = ((const struct cp_crop *)layer->params)->like.source;
    stage->like = cp_walk_size_of(walk, like, axis);
    if (!stage->like) stage->like = cp_walk_planned_size(walk, like, axis);
    return true;
}

static void pass(struct cp_walk *walk, uint32_t at)
{
    const struct cp_layer *layer = &walk->plan->stack->layers[at];
    if (cp_walk_rearranges(walk, layer)) {
        keep_planned(walk, at);
        return;
    }
    for (int axis = 0; axis < walk->repair->axes; axis++) {
        struct cp_stage stage;
        int64_t size = merged_size(walk, layer, axis);
        if (walk->pairing->is_stage[at])
            size = cp_walk_stage_at(walk, at, axis, &stage) ? cp_stage_output(&stage, size) : 0;
        walk->sizes[cp_walk_slot(at - cp_walk_decoder_begins(walk), axis)] = size;
    }
}

/* ---- What each layer of the path may give ------------------------------------------------------------------------- */

static bool turned_stage_at(const struct cp_walk *walk, uint32_t position, int axis, struct cp_stage *stage)
{
    if (!cp_walk_stage_at(walk, walk->pairing->path[position], axis, stage)) return false;
    stage->turn = walk->turns[cp_walk_slot(position, axis)];
    return true;
}

/* The multiple of the step within the range nearest to `size` in one direction, or 0 where there is none. */
static int64_t within(struct cp_range range, int64_t size, bool up)
{
    if (up && size < range.low) size = range.low;
    if (!up && size > range.high) size = range.high;
    size = (up ? cp_ceil_divide(size, range.step) : cp_floor_divide(size, range.step)) * range.step;
    return size >= range.low && size <= range.high ? size : 0;
}

/* What the layer after a position can give from a size; none where it is not known. */
static struct cp_range reach_after(const struct cp_walk *walk, uint32_t position, int axis, int64_t size)
{
    struct cp_stage stage;
    return turned_stage_at(walk, position + 1, axis, &stage) ? cp_stage_reach(&stage, size) : nothing.range;
}

/* The next size from which the layer after a position can give `wanted`, or 0. */
static int64_t step_to(const struct cp_walk *walk, uint32_t position, int axis, int64_t wanted, bool up)
{
    struct cp_stage stage;
    if (!turned_stage_at(walk, position + 1, axis, &stage)) return 0;
    return up ? cp_stage_first_input(&stage, true, wanted) : cp_stage_first_input(&stage, false, wanted + 1) - 1;
}

/* The size that a layer may give nearest to `size` in one direction, or 0 where there is none. Layer after layer is asked,
 * as far as they have a say, which size it may give, until all agree. */
static int64_t find_wanted(struct cp_walk *walk, uint32_t position, int axis, int64_t size, bool up)
{
    int64_t sizes[MOST_SIEVES + 1] = {size};
    uint32_t asked = 0;
    for (;;) {
        const struct cp_wish *wish = &walk->wishes[cp_walk_slot(position + asked, axis)];
        sizes[asked] = within(wish->range, sizes[asked], up);
        if (sizes[asked] == 0) return 0;
        if (wish->sieves && walk->visits_left-- <= 0) break;
        if (wish->sieves) {
            cp_arena_work(walk->arena, WORK_PER_VISIT);
            struct cp_range reach = reach_after(walk, position + asked, axis, sizes[asked]);
            sizes[++asked] = up ? reach.low : reach.high;
            continue;
        }
        for (; asked > 0; asked--) {
            struct cp_range reach = reach_after(walk, position + asked - 1, axis, sizes[asked - 1]);
            if (sizes[asked] < reach.low || sizes[asked] > reach.high) break;
        }
        if (asked == 0) return sizes[0];
        asked--;
        sizes[asked] = step_to(walk, position + asked, axis, sizes[asked + 1], up);
        if (sizes[asked] == 0) return 0;
    }
    walk->repair->undecided = true;
    return 0;
}

static bool is_wanted(struct cp_walk *walk, uint32_t position, int axis, int64_t size)
{
    return find_wanted(walk, position, axis, size, true) == size;
}

/* The size within both reach and wish that is nearest to `size`, or 0 when there is none. */
static int64_t choose(struct cp_walk *walk, uint32_t position, int axis, struct cp_range reach, int64_t size)
{
    int64_t from = size < reach.low ? reach.low : size > reach.high ? reach.high : size;
    if (reach.low > reach.high) return 0;
    int64_t above = find_wanted(walk, position, axis, from, true);
    int64_t below = find_wanted(walk, position, axis, from, false);
    if (above > reach.high) above = 0;
    if (below < reach.low) below = 0;
    return below && (!above || size - below <= above - size) ? below : above;
}

int64_t cp_walk_met_size(const struct cp_walk *walk, uint32_t position, int axis)
{
    const struct cp_layer *layer = cp_walk_layer_at(walk, position);
    int64_t met = 0;
    for (uint32_t entry = 0; entry < layer->source_count; entry++) {
        int64_t size =
            is_in_decoder(walk, layer->sources[entry]) ? 0 : cp_walk_planned_size(walk, layer->sources[entry], axis);
        if (size == 0 || (size == 1 && layer->type->kind != &cp_concat_kind)) continue;
        if (met && met != size) return CP_UNKNOWN;
        met = size;
    }
    return met;
}

/* What meets the path in a merge and comes from the encoder cannot change. */
static struct cp_wish meet(struct cp_walk *walk, uint32_t position, int axis)
{
    const struct cp_wish *wish = &walk->wishes[cp_walk_slot(position, axis)];
    int64_t size = cp_walk_met_size(walk, position, axis);
    if (size == 0) return *wish;
    return size != CP_UNKNOWN && is_wanted(walk, position, axis, size) ? (struct cp_wish){{size, size, 1}, 0} : nothing;
}

/* The inputs with which a layer of the path gives what is wanted of it. */
static struct cp_wish demand_of(struct cp_walk *walk, uint32_t position, int axis)
{
    const struct cp_layer *layer = cp_walk_layer_at(walk, position);
    const struct cp_wish *wish = &walk->wishes[cp_walk_slot(position, axis)];
    struct cp_stage stage;
    if (cp_walk_rearranges(walk, layer)) {
        int64_t size = cp_walk_planned_size(walk, layer->sources[0], axis);
        return (struct cp_wish){size ? (struct cp_range){size, size, 1} : any_size, 0};
    }
    if (layer->type->kind->stage == CP_STAGE_NONE && layer->source_count > 1) return meet(walk, position, axis);
    if (!turned_stage_at(walk, position, axis, &stage)) return nothing;
    bool has_gaps = wish->sieves || wish->range.step != 1;
    bool sieves = has_gaps && cp_stage_sieves(&stage, !wish->sieves);
    return (struct cp_wish){cp_stage_demand(&stage, wish->range), sieves ? wish->sieves + 1 : 0};
}

/* The ends of a wish become sizes that do, as some layers look at these alone. */
static void tighten(struct cp_walk *walk, uint32_t position, int axis)
{
    struct cp_wish *wish = &walk->wishes[cp_walk_slot(position, axis)];
    if (!wish->sieves) return;
    if (wish->sieves > MOST_SIEVES) walk->repair->undecided = true;
    int64_t least = wish->sieves > MOST_SIEVES ? 0 : find_wanted(walk, position, axis, wish->range.low, true);
    if (least == 0) {
        *wish = nothing;
        return;
    }
    wish->range.low = least;
    int64_t most = find_wanted(walk, position, axis, wish->range.high, false);
    wish->range.high = most ? most : least;
}

/* Only the last size counts, and what the layers before it may give follows backwards. */
static void want_last(struct cp_walk *walk, int axis)
{
    int64_t last = walk->plan->stack->inputs[0].shape.size[axis + 2];
    uint32_t position = walk->pairing->path_count - 1;
    walk->wishes[cp_walk_slot(position, axis)] = (struct cp_wish){{last, last, 1}, 0};
    for (; position > 0; position--) {
        walk->wishes[cp_walk_slot(position - 1, axis)] = demand_of(walk, position, axis);
        tighten(walk, position - 1, axis);
    }
}

/* What the encoder's stage that is the partner took on this axis. */
int64_t cp_walk_partners_size(const struct cp_walk *walk, uint32_t pair, int axis)
{
    uint32_t partner = walk->pairing->encoder_at[walk->pairing->encoder_stages - 1 - pair];
    return cp_walk_planned_size(walk, walk->plan->stack->layers[partner].sources[0], axis);
}

/* With as many stages on both sides each has its partner's input to give. */
static void want_partners(struct cp_walk *walk, const bool *is_stage, int axis)
{
    uint32_t pair = 0;
    for (uint32_t position = 0; position < walk->pairing->path_count; position++) {
        int64_t size = is_stage[position] ? cp_walk_partners_size(walk, pair++, axis) : 0;
        struct cp_range wanted = !is_stage[position] ? any_size
                                 : size              ? (struct cp_range){size, size, 1}
                                                     : nothing.range;
        walk->wishes[cp_walk_slot(position, axis)] = (struct cp_wish){wanted, 0};
    }
}

/* ---- The walk ----------------------------------------------------------------------------------------------------- */

static void get_stuck(struct cp_walk *walk, uint32_t position)
{
    walk->repair->result = CP_REPAIR_STUCK;
    walk->repair->count = position;
    walk->repair->wanted->rank = walk->repair->axes;
    for (int axis = 0; axis < walk->repair->axes; axis++) {
        const struct cp_range *wanted = &walk->wishes[cp_walk_slot(position, axis)].range;
        walk->repair->wanted->size[axis] = wanted->low == wanted->high ? wanted->low : CP_ANY_SIZE;
    }
}

/* False when the walk ends here. */
static bool adjust(struct cp_walk *walk, uint32_t position)
{
    uint32_t at = walk->pairing->path[position];
    const struct cp_layer *layer = &walk->plan->stack->layers[at];
    walk->repair->result = CP_REPAIR_UNKNOWN;
    for (int axis = 0; axis < walk->repair->axes; axis++) {
        struct cp_stage stage;
        int64_t input = cp_walk_size_of(walk, layer->sources[0], axis), output = input;
        if (input == 0 || !turned_stage_at(walk, position, axis, &stage)) return false;
        if (stage.turn != CP_TURN_KEEPS)
            output = choose(walk, position, axis, cp_stage_reach(&stage, input), cp_stage_output(&stage, input));
        if (output == 0) {
            get_stuck(walk, position);
            return false;
        }
        walk->repair->adjustments[cp_walk_slot(position, axis)] = cp_stage_adjust(&stage, input, output);
        walk->sizes[cp_walk_slot(at - cp_walk_decoder_begins(walk), axis)] = output;
    }
    return true;
}

/* Does a partner that gives what is planned give what its own partner took? False when the walk ends here. */
static bool fits(struct cp_walk *walk, uint32_t position)
{
    walk->repair->result = CP_REPAIR_UNKNOWN;
    for (int axis = 0; axis < walk->repair->axes; axis++) {
        const struct cp_range *wanted = &walk->wishes[cp_walk_slot(position, axis)].range;
        int64_t size = cp_walk_size_of(walk, walk->plan->stack->input_count + walk->pairing->path[position], axis);
        if (size == 0) return false;
        if (size >= wanted->low && size <= wanted->high) continue;
        get_stuck(walk, position);
        return false;
    }
    return true;
}

static enum cp_repair_result compare_ends(const struct cp_walk *walk)
{
    const struct cp_stack *stack = walk->plan->stack;
    enum cp_repair_result result = CP_REPAIRED;
    for (int axis = 0; axis < walk->repair->axes; axis++) {
        int64_t last = cp_walk_size_of(walk, stack->input_count + stack->layer_count - 1, axis);
        if (last == 0) return CP_REPAIR_UNKNOWN;
        if (last != stack->inputs[0].shape.size[axis + 2]) result = CP_REPAIR_MISSES;
    }
    return result;
}

static void walk_decoder(struct cp_walk *walk)
{
    const struct cp_pairing *pairing = walk->pairing;
    uint32_t next = 0;
    for (uint32_t at = cp_walk_decoder_begins(walk); at < walk->plan->stack->layer_count; at++) {
        bool on_path = next < pairing->path_count && pairing->path[next] == at;
        bool can_change = on_path && walk->plan->stack->layers[at].type->kind->stage != CP_STAGE_NONE;
        if (can_change && !adjust(walk, next)) return;
        if (!can_change) pass(walk, at);
        if (on_path && !can_change && walk->repair->paired && walk->is_stage[next] && !fits(walk, next)) return;
        next += on_path;
    }
    walk->repair->result = compare_ends(walk);
}

/* Do the turns as they are set lead to the input's size, with these stages as partners? NULL: without partners. */
bool cp_walk_attempt(struct cp_walk *walk, const bool *partners)
{
    uint32_t decoder_count = walk->plan->stack->layer_count - cp_walk_decoder_begins(walk);
    int64_t visits = (int64_t)decoder_count * walk->repair->axes;
    cp_arena_work(walk->arena, WORK_PER_VISIT * visits);
    walk->visits_left -= visits;
    memset(walk->sizes, 0, (size_t)decoder_count * CP_MAX_AXES * sizeof *walk->sizes);
    walk->repair->count = walk->pairing->path_count;
    walk->repair->paired = partners != NULL;
    for (int axis = 0; axis < walk->repair->axes; axis++) {
        if (partners)
            want_partners(walk, partners, axis);
        else
            want_last(walk, axis);
    }
    walk_decoder(walk);
    return walk->repair->result == CP_REPAIRED;
}
