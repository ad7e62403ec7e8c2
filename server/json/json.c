#include "server/json/json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/limits.h"
#include "server/json/json_check.h"
#include "server/json/outline.h"

/* A struct cp_json is a cJSON by another name. The tree's own use of cJSON's fields: */
enum {
    IS_DUPLICATE = 1 << 30, /* in `type`: the member's name was there before */
    FEW_MEMBERS = 16,       /* up to here comparing every two names is the fastest */
};

/* cJSON's allocation hooks hold for the whole process and are given no context: the arena of the parse that this thread
 * is in, else NULL. */
static _Thread_local struct cp_arena *parse_arena;

__attribute__((cold, noinline, noreturn)) static void refuse_to_allocate(void)
{
    fputs("cJSON asked for memory outside cp_json_parse\n", stderr);
    abort();
}

/* The arena may unwind past the parse: it must not find itself installed afterwards. */
__attribute__((cold, noinline)) static void *take_slowly(struct cp_arena *arena, size_t size)
{
    parse_arena = NULL;
    void *memory = cp_arena_take(arena, size, alignof(cJSON));
    parse_arena = arena;
    return memory;
}

/* cp_arena_take with its usual case inline: this is called twice per member. */
static void *take_from_arena(size_t size)
{
    struct cp_arena *arena = parse_arena;
    if (__builtin_expect(!arena, 0)) refuse_to_allocate();
    size_t gap = -(uintptr_t)arena->next & (alignof(cJSON) - 1);
    if (__builtin_expect(gap + size > (size_t)(arena->end - arena->next), 0)) return take_slowly(arena, size);
    unsigned char *memory = arena->next + gap;
    arena->next = memory + size;
    arena->taken += gap + size;
    return memory;
}

static void leave_to_arena(void *memory)
{
    (void)memory;
}

__attribute__((constructor)) static void install_hooks(void)
{
    cJSON_InitHooks(&(cJSON_Hooks){take_from_arena, leave_to_arena});
}

static cJSON *build_tree(struct cp_arena *arena, const struct cp_outline *outline)
{
    parse_arena = arena;
    cJSON *root = cJSON_ParseWithLength(outline->text, outline->size);
    parse_arena = NULL;
    if (!root) abort(); /* a checked text that cJSON does not take: no request could be trusted any more */
    return root;
}

/* A member's name with what orders it: the hash first, which is nearly always enough. */
struct name {
    uint64_t hash;
    cJSON *member;
    size_t index;
};

static uint64_t hash_name(const char *name)
{
    uint64_t hash = 0;
    for (; *name; name++) hash = (hash ^ (unsigned char)*name) * UINT64_C(0x9E3779B97F4A7C15) ^ hash >> 29;
    return hash;
}

static int compare_names(const struct name *a, const struct name *b)
{
    if (a->hash != b->hash) return a->hash < b->hash ? -1 : 1;
    return strcmp(a->member->string, b->member->string);
}

static void merge(const struct name *from, size_t begin, size_t middle, size_t end, struct name *to)
{
    size_t left = begin;
    size_t right = middle;
    for (size_t index = begin; index < end; index++) {
        bool take_left = right == end || (left < middle && compare_names(from + left, from + right) <= 0);
        to[index] = from[take_left ? left++ : right++];
    }
}

/* A stable merge sort: whatever the names, and though they all had one hash, it takes n·log(n) comparisons. */
static struct name *sort_names(struct name *names, struct name *other, size_t count)
{
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t begin = 0; begin < count; begin += 2 * width) {
            size_t middle = begin + width < count ? begin + width : count;
            size_t end = middle + width < count ? middle + width : count;
            merge(names, begin, middle, end, other);
        }
        struct name *sorted = other;
        other = names;
        names = sorted;
    }
    return names;
}

static cJSON *find_duplicate_of_many(struct cp_arena *arena, const cJSON *object, size_t count)
{
    struct name *names = CP_NEW_ARRAY(arena, struct name, count);
    struct name *other = CP_NEW_ARRAY(arena, struct name, count);
    size_t index = 0;
    for (cJSON *member = object->child; member; member = member->next, index++)
        names[index] = (struct name){hash_name(member->string), member, index};
    names = sort_names(names, other, count);
    const struct name *first = NULL;
    for (index = 1; index < count; index++)
        if (compare_names(names + index - 1, names + index) == 0 && (!first || names[index].index < first->index))
            first = names + index;
    return first ? first->member : NULL;
}

/* The first member whose name is that of an earlier one, or NULL. */
static cJSON *find_duplicate(struct cp_arena *arena, const cJSON *object)
{
    const char *names[FEW_MEMBERS];
    size_t count = 0;
    for (cJSON *member = object->child; member; member = member->next) {
        const char *name = member->string;
        if (count == FEW_MEMBERS) {
            while ((member = member->next)) count++;
            return find_duplicate_of_many(arena, object, count + 1);
        }
        for (size_t earlier = 0; earlier < count; earlier++)
            if (*name == *names[earlier] && strcmp(name, names[earlier]) == 0) return member;
        names[count++] = name;
    }
    return NULL;
}

static void put_number(cJSON *item, double number)
{
    if (isnan(number)) return;
    item->type = cJSON_Number;
    item->valuedouble = number;
}

/* The whole tree in the order of the text: puts in the outline's numbers, counts the children of every container into
 * its `valueint`, and looks for duplicates. The first value whose name is one ends the walk, with the number of values
 * before it in *ordinal. */
static bool walk_to_duplicate(struct cp_arena *arena, cJSON *item, const double *numbers, size_t *ordinal)
{
    cJSON *open[CP_MAX_JSON_DEPTH];
    int depth = 0;
    for (*ordinal = 0;; ++*ordinal) {
        if (item->type & IS_DUPLICATE) return true;
        if (depth) open[depth - 1]->valueint++;
        if (item->type == cJSON_NULL) {
            put_number(item, *numbers++);
        } else if (item->child) {
            cJSON *duplicate = cJSON_IsObject(item) ? find_duplicate(arena, item) : NULL;
            if (duplicate) duplicate->type |= IS_DUPLICATE;
            open[depth++] = item;
            item = item->child;
            continue;
        }
        while (!item->next) {
            if (depth == 0) return false;
            item = open[--depth];
        }
        item = item->next;
    }
}

static const char *skip_string(const char *quote)
{
    const char *at = quote + 1;
    for (; *at != '"'; at++) at += *at == '\\';
    return at + 1;
}

/* The next string, number, literal or bracket of a checked text from `at` on; *end is one past it. NULL at the end. */
static const char *next_token(const char *at, const char *text_end, const char **end)
{
    while (at < text_end && (*at <= ' ' || *at == ',' || *at == ':')) at++;
    if (at == text_end) return NULL;
    *end = at + 1;
    if (*at == '"')
        *end = skip_string(at);
    else if (!strchr("[]{}", *at))
        while (*end<text_end &&* * end> ' ' && !strchr(",:[]{}", **end)) ++*end;
    return at;
}

/* Where the name of a member stands, by the number of values before that member's own. */
static size_t offset_of_name(const char *bytes, size_t size, size_t ordinal)
{
    const char *name = bytes;
    const char *end = bytes;
    for (const char *at = bytes; (at = next_token(at, bytes + size, &end)); at = end) {
        const char *after = end;
        if (*at == ']' || *at == '}') continue;
        while (after < bytes + size && *after <= ' ') after++;
        if (*at == '"' && after < bytes + size && *after == ':')
            name = at;
        else if (ordinal-- == 0)
            break;
    }
    return (size_t)(name - bytes);
}

const struct cp_json *cp_json_parse(struct cp_arena *arena, const char *bytes, size_t size, struct cp_json_error *error)
{
    size_t values;
    size_t ordinal;
    if (!cp_json_check_and_count(bytes, size, &values, error)) return NULL;
    struct cp_outline outline = cp_json_outline(arena, bytes, size, values);
    cJSON *root = build_tree(arena, &outline);
    if (walk_to_duplicate(arena, root, outline.numbers, &ordinal)) {
        *error = (struct cp_json_error){CP_JSON_DUPLICATE, offset_of_name(bytes, size, ordinal), "another name"};
        return NULL;
    }
    return (const struct cp_json *)root;
}

static const cJSON *item_of(const struct cp_json *value)
{
    return (const cJSON *)value;
}

enum cp_json_type cp_json_type(const struct cp_json *value)
{
    switch (item_of(value)->type) {
    case cJSON_False: return CP_JSON_FALSE;
    case cJSON_True: return CP_JSON_TRUE;
    case cJSON_Number: return CP_JSON_NUMBER;
    case cJSON_String: return CP_JSON_STRING;
    case cJSON_Array: return CP_JSON_ARRAY;
    case cJSON_Object: return CP_JSON_OBJECT;
    default: return CP_JSON_NULL;
    }
}

const struct cp_json *cp_json_first(const struct cp_json *value)
{
    return (const struct cp_json *)item_of(value)->child;
}

const struct cp_json *cp_json_next(const struct cp_json *value)
{
    return (const struct cp_json *)item_of(value)->next;
}

size_t cp_json_count(const struct cp_json *value)
{
    return item_of(value)->child ? (size_t)item_of(value)->valueint : 0;
}

struct cp_text cp_json_name(const struct cp_json *value)
{
    const char *name = item_of(value)->string;
    return name ? cp_text_of(name) : CP_TEXT("");
}

struct cp_text cp_json_text(const struct cp_json *value)
{
    return cp_text_of(item_of(value)->valuestring);
}

double cp_json_number(const struct cp_json *value)
{
    return item_of(value)->valuedouble;
}

bool cp_json_integer(const struct cp_json *value, int64_t *integer)
{
    const cJSON *item = item_of(value);
    if (item->type != cJSON_Number || fabs(item->valuedouble) > CP_MAX_COUNT) return false;
    int64_t whole = (int64_t)item->valuedouble;
    if ((double)whole != item->valuedouble) return false;
    *integer = whole;
    return true;
}

const struct cp_json *cp_json_member(const struct cp_json *object, struct cp_text name)
{
    if (item_of(object)->type != cJSON_Object) return NULL;
    for (const cJSON *member = item_of(object)->child; member; member = member->next)
        if (strncmp(member->string, name.bytes, name.size) == 0 && !member->string[name.size])
            return (const struct cp_json *)member;
    return NULL;
}
