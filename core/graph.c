#include "core/graph.h"

#include "core/nearest.h"

/* Names to sources: open addressing, at most half full. */
struct name_table {
    uint32_t mask;
    uint32_t *slots; /* source + 1, or 0; NULL: no name is looked for */
    uint64_t seed;
};

struct linker {
    struct cp_stack *stack;
    struct cp_layer *layers;
    struct cp_arena *arena;
    struct name_table names;
    uint32_t first_of_list; /* the list that is being linked begins with this layer */
    struct cp_link_error *first, **tail;
    uint32_t reported; /* references that could not be resolved */
    uint32_t followed; /* edges looked at in search of cycles */
};

enum { MOST_SUGGESTIONS = 20, MOST_PASSES = 16, MOST_EDGES_FOLLOWED = 1 << 24 };

static struct cp_text name_of(const struct cp_stack *stack, uint32_t source)
{
    return source < stack->input_count ? stack->inputs[source].name : stack->layers[source - stack->input_count].name;
}

static struct cp_link_error *fail(struct linker *linker, enum cp_code code, uint32_t layer, int64_t entry,
                                  struct cp_text name)
{
    struct cp_link_error *error = CP_NEW(linker->arena, struct cp_link_error);
    *error = (struct cp_link_error){.code = code, .layer = layer, .entry = entry, .name = name};
    *linker->tail = error;
    linker->tail = &error->next;
    return error;
}

/* ---- The table of names ------------------------------------------------------------------------------------------ */

__extension__ typedef unsigned __int128 wide_product;

/* Multiply and fold, 8 bytes at a time, keyed by the seed. */
static uint32_t hash_of(const struct name_table *table, struct cp_text name)
{
    uint64_t hash = table->seed ^ name.size;
    for (size_t at = 0; at < name.size; at += 8) {
        uint64_t word = 0;
        memcpy(&word, name.bytes + at, name.size - at < 8 ? name.size - at : 8);
        wide_product product = (wide_product)(hash ^ word) * (table->seed | 1);
        hash = (uint64_t)product ^ (uint64_t)(product >> 64) ^ 0x9e3779b97f4a7c15u;
    }
    return (uint32_t)(hash ^ hash >> 32) & table->mask;
}

/* The slot that holds the name, or the empty one where it belongs. */
static uint32_t *slot_of(const struct linker *linker, struct cp_text name)
{
    const struct name_table *table = &linker->names;
    uint32_t slot = hash_of(table, name);
    while (table->slots[slot] && !cp_text_equal(name_of(linker->stack, table->slots[slot] - 1), name))
        slot = (slot + 1) & table->mask;
    return &table->slots[slot];
}

/* Is any name of an author's choice, or asked for? Those that are made for one list differ by themselves. */
static bool needs_table(const struct cp_stack *stack)
{
    if (stack->encoder_count || stack->input_count != 1) return true;
    if (!cp_text_equal(stack->inputs[0].name, CP_TEXT("input"))) return true;
    for (uint32_t at = 0; at < stack->layer_count; at++) {
        const struct cp_layer *layer = &stack->layers[at];
        if (layer->name.size || layer->from || layer->type->kind->refers) return true;
    }
    return false;
}

static void make_table(struct linker *linker, uint64_t seed)
{
    uint32_t sources = linker->stack->input_count + linker->stack->layer_count, size = 16;
    while (size < 2 * sources) size *= 2;
    linker->names =
        (struct name_table){.mask = size - 1, .slots = CP_NEW_ARRAY(linker->arena, uint32_t, size), .seed = seed};
}

/* Names of an earlier list give way to those of a later one. */
static void enter_name(struct linker *linker, uint32_t source)
{
    uint32_t *slot = slot_of(linker, name_of(linker->stack, source));
    bool older = *slot > linker->stack->input_count && *slot - 1 - linker->stack->input_count < linker->first_of_list;
    if (*slot == 0 || older) {
        *slot = source + 1;
        return;
    }
    uint32_t layer = source < linker->stack->input_count ? 0 : source - linker->stack->input_count;
    fail(linker, CP_CODE_duplicate_name, layer, CP_ENTRY_NAME, name_of(linker->stack, source))->other = *slot - 1;
}

static size_t write_position(char *out, uint32_t at)
{
    char digits[10];
    size_t first = sizeof digits;
    do digits[--first] = (char)('0' + at % 10);
    while (at /= 10);
    memcpy(out, digits + first, sizeof digits - first);
    return sizeof digits - first;
}

/* Give layer `at` a name, "conv2d_7": the type in small letters and the position; underscores are added until no author
 * uses the name. */
static void make_name(struct linker *linker, uint32_t at)
{
    enum { LEAST_ROOM = 36, ROOM = 64 }; /* the small name, an underscore and ten digits; more underscores */
    const struct cp_layer_type *type = linker->layers[at].type;
    char *name = cp_arena_take(linker->arena, linker->names.slots ? ROOM : LEAST_ROOM, 1);
    size_t size = type->name_size;
    memcpy(name, cp_layer_type_small_name(type), CP_SMALL_NAME_ROOM);
    name[size++] = '_';
    size += write_position(name + size, at - linker->first_of_list);
    struct cp_text text = {name, size};
    if (!linker->names.slots) {
        linker->layers[at].name = text;
        return;
    }
    uint32_t *slot = slot_of(linker, text);
    while (*slot && text.size < ROOM) {
        name[text.size++] = '_';
        slot = slot_of(linker, text);
    }
    linker->layers[at].name = text;
    if (*slot)
        enter_name(linker, linker->stack->input_count + at); /* authors use all of them */
    else
        *slot = linker->stack->input_count + at + 1;
}

static void enter_names(struct linker *linker, uint32_t end)
{
    uint32_t inputs = linker->stack->input_count;
    for (uint32_t at = linker->first_of_list; at < end; at++)
        if (linker->layers[at].name.size) enter_name(linker, inputs + at);
    for (uint32_t at = linker->first_of_list; at < end; at++)
        if (!linker->layers[at].name.size) make_name(linker, at);
}

/* ---- References -------------------------------------------------------------------------------------------------- */

struct earlier_names {
    const struct cp_stack *stack;
    uint32_t count;
};

/* The most recent first: they are the likeliest to be meant. */
static struct cp_text earlier_name(const void *list, int64_t index)
{
    const struct earlier_names *names = list;
    return name_of(names->stack, names->count - 1 - (uint32_t)index);
}

static struct cp_text suggest(const struct linker *linker, uint32_t layer, struct cp_text name)
{
    struct earlier_names names = {linker->stack, linker->stack->input_count + layer};
    int64_t nearest = cp_nearest(name, names.count, earlier_name, &names);
    return nearest < 0 ? (struct cp_text){0} : earlier_name(&names, nearest);
}

/* The source that `name` stands for in layer `at`; on an error 0, after recording it. */
static uint32_t resolve(struct linker *linker, uint32_t at, int64_t entry, struct cp_text name)
{
    uint32_t found = *slot_of(linker, name);
    if (found && found - 1 < linker->stack->input_count + at) return found - 1;
    if (found) {
        linker->reported++;
        fail(linker, CP_CODE_later_layer, at, entry, name)->other = found - 1;
        return found - 1;
    }
    struct cp_link_error *error = fail(linker, CP_CODE_unknown_layer_name, at, entry, name);
    if (linker->reported < MOST_SUGGESTIONS) error->nearest = suggest(linker, at, name);
    linker->reported++;
    return 0;
}

static void link_sources(struct linker *linker, uint32_t at)
{
    struct cp_layer *layer = &linker->layers[at];
    uint32_t *sources =
        cp_arena_take(linker->arena, sizeof *sources * (layer->from ? layer->source_count : 1), alignof(uint32_t));
    layer->sources = sources;
    if (layer->from) {
        for (uint32_t entry = 0; entry < layer->source_count; entry++)
            sources[entry] = layer->from[entry].bytes ? resolve(linker, at, entry, layer->from[entry]) : 0;
        return;
    }
    layer->source_count = 1;
    sources[0] = linker->stack->input_count + at - 1;
    if (at == 0 && linker->stack->input_count > 1)
        fail(linker, CP_CODE_missing_member, 0, CP_ENTRY_FIRST, CP_TEXT("from"));
}

/* `like` of a CenterCrop, and whatever other members name a layer. */
static void link_references(struct linker *linker, uint32_t at)
{
    const struct cp_layer *layer = &linker->layers[at];
    const struct cp_layer_kind *kind = layer->type->kind;
    if (!kind->refers) return;
    for (uint32_t given = layer->given; given; given &= given - 1) {
        int member = __builtin_ctz(given);
        if (kind->members[member].type != CP_MEMBER_LAYER) continue;
        struct cp_layer_reference *reference =
            (struct cp_layer_reference *)((char *)linker->layers[at].params + kind->members[member].offset);
        reference->source = resolve(linker, at, CP_ENTRY_LIKE, reference->name);
    }
}

/* ---- Cycles: an edge to a later layer is in one when that layer depends on the edge's owner ------------------------ */

/* Mark all layers that depend on `start`, in list order until nothing changes. Each edge that points forward in the list
 * may need another pass; past MOST_PASSES or MOST_EDGES_FOLLOWED the edge is called what it surely is, one to a later
 * layer. */
static bool depends_on(struct linker *linker, uint32_t target, uint32_t start, bool *marked)
{
    uint32_t inputs = linker->stack->input_count;
    memset(marked, 0, linker->stack->layer_count);
    marked[start] = true;
    bool changed = true;
    for (int pass = 0; changed && !marked[target] && pass < MOST_PASSES; pass++) {
        changed = false;
        if (linker->followed > MOST_EDGES_FOLLOWED) break;
        for (uint32_t at = 0; at < linker->stack->layer_count; at++) {
            const struct cp_layer *layer = &linker->layers[at];
            for (uint32_t edge = 0; !marked[at] && edge < layer->source_count; edge++, linker->followed++)
                if (layer->sources[edge] >= inputs && marked[layer->sources[edge] - inputs])
                    changed = marked[at] = true;
        }
    }
    return marked[target];
}

static void find_cycles(struct linker *linker)
{
    uint32_t looked_at = 0;
    bool *marked = CP_NEW_ARRAY(linker->arena, bool, linker->stack->layer_count);
    for (struct cp_link_error *error = linker->first; error && looked_at < MOST_SUGGESTIONS; error = error->next) {
        if (error->code != CP_CODE_later_layer) continue;
        looked_at++;
        if (depends_on(linker, error->other - linker->stack->input_count, error->layer, marked))
            error->code = CP_CODE_cycle;
    }
}

static void link_list(struct linker *linker, uint32_t begin, uint32_t end)
{
    linker->first_of_list = begin;
    enter_names(linker, end);
    for (uint32_t at = begin; at < end; at++) {
        link_sources(linker, at);
        link_references(linker, at);
    }
}

struct cp_link_error *cp_graph_link(struct cp_stack *stack, struct cp_layer *layers, uint64_t seed,
                                    struct cp_arena *arena)
{
    struct linker linker = {.stack = stack, .layers = layers, .arena = arena};
    linker.tail = &linker.first;
    if (needs_table(stack)) make_table(&linker, seed);
    for (uint32_t at = 0; linker.names.slots && at < stack->input_count; at++) enter_name(&linker, at);
    if (stack->encoder_count) link_list(&linker, 0, stack->encoder_count);
    link_list(&linker, stack->encoder_count, stack->layer_count);
    if (linker.first) find_cycles(&linker);
    return linker.first;
}
