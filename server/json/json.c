#include "server/json/json.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/limits.h"
#include "server/json/json_check.h"
#include "server/json/outline.h"

/* A struct cp_json is a cJSON by another name. The tree's own use of cJSON's fields: `string` and `valuestring` point to
 * a struct cp_text, the latter of a number to the int64_t that it exactly is where binary64 may not hold it, `valueint`
 * counts the children, and in `type` there may be: */
enum {
    IS_DUPLICATE = 1 << 30, /* the member's name was there before */
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

static struct cp_text text_at(const char *pointer)
{
    return *(const struct cp_text *)(const void *)pointer; /* NOLINT(clang-analyzer-core.NullDereference) */
}

/* A member's name with what orders it: the hash first, which is nearly always enough. */
struct name {
    uint64_t hash;
    cJSON *member;
    size_t index;
};

static uint64_t hash_name(struct cp_text name)
{
    uint64_t hash = name.size;
    for (size_t at = 0; at < name.size; at++)
        hash = (hash ^ (unsigned char)name.bytes[at]) * UINT64_C(0x9E3779B97F4A7C15) ^ hash >> 29;
    return hash;
}

static int compare_names(const struct name *a, const struct name *b)
{
    struct cp_text one = text_at(a->member->string);
    struct cp_text other = text_at(b->member->string);
    if (a->hash != b->hash) return a->hash < b->hash ? -1 : 1;
    if (one.size != other.size) return one.size < other.size ? -1 : 1;
    return one.size ? memcmp(one.bytes, other.bytes, one.size) : 0;
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

/* The first member of an object whose name is that of an earlier one, or NULL. */
static cJSON *find_duplicate(struct cp_arena *arena, const cJSON *object)
{
    size_t count = (size_t)object->valueint;
    struct name *names = CP_NEW_ARRAY(arena, struct name, count);
    struct name *other = CP_NEW_ARRAY(arena, struct name, count);
    size_t index = 0;
    for (cJSON *member = object->child; member; member = member->next, index++)
        names[index] = (struct name){hash_name(text_at(member->string)), member, index};
    names = sort_names(names, other, count);
    const struct name *first = NULL;
    for (index = 1; index < count; index++)
        if (compare_names(names + index - 1, names + index) == 0 && (!first || names[index].index < first->index))
            first = names + index;
    return first ? first->member : NULL;
}

/* ---- From the skeleton to the tree -------------------------------------------------------------------------------- */

struct container {
    cJSON *item;
    uint64_t seen; /* bits that stand for the names so far, to tell most new ones without comparing */
};

struct filler {
    struct cp_arena *arena;
    const double *numbers; /* the next ones of the outline */
    struct cp_long_integer *long_integers;
    struct cp_text *texts;
    bool has_duplicates; /* of which at least the first of each object is marked */
};

/* A string that is not empty has escapes, and cJSON has read it. */
static char *next_text(struct filler *filler, const char *read)
{
    struct cp_text *text = filler->texts++;
    if (*read) *text = cp_text_of(read);
    return (char *)text;
}

static void mark_duplicate(struct filler *filler, cJSON *member)
{
    filler->has_duplicates = true;
    member->type |= IS_DUPLICATE;
}

/* The name of the newest member of an object; in large ones duplicates are looked for at the end. */
static void fill_name(struct filler *filler, struct container *object, cJSON *member)
{
    member->string = next_text(filler, member->string);
    struct cp_text name = text_at(member->string);
    uint64_t bit = UINT64_C(1) << ((name.size * 8 ^ (name.size ? (unsigned char)*name.bytes : 0)) & 63);
    bool is_new = !(object->seen & bit);
    object->seen |= bit;
    if (is_new || object->item->valueint > FEW_MEMBERS) return;
    for (const cJSON *earlier = object->item->child; earlier != member; earlier = earlier->next)
        if (cp_text_equal(text_at(earlier->string), name)) mark_duplicate(filler, member);
}

static void fill_value(struct filler *filler, cJSON *item)
{
    if (item->type == cJSON_NULL) {
        const double *number = filler->numbers++;
        if (isnan(*number)) return;
        item->type = cJSON_Number;
        item->valuedouble = *number;
        if (__builtin_expect(filler->long_integers && filler->long_integers->number == number, 0)) {
            item->valuestring = (char *)&filler->long_integers->value;
            filler->long_integers = filler->long_integers->next;
        }
    } else if (item->type == cJSON_String) {
        item->valuestring = next_text(filler, item->valuestring);
    }
}

static void close_container(struct filler *filler, const cJSON *item)
{
    if (item->type != cJSON_Object || item->valueint <= FEW_MEMBERS) return;
    cJSON *duplicate = find_duplicate(filler->arena, item);
    if (duplicate) mark_duplicate(filler, duplicate);
}

/* Go through the whole tree in the order of the text. */
static void fill_tree(struct filler *filler, cJSON *item)
{
    struct container open[CP_MAX_JSON_DEPTH];
    int depth = 0;
    for (;;) {
        if (depth) open[depth - 1].item->valueint++;
        if (depth && item->string) fill_name(filler, &open[depth - 1], item);
        fill_value(filler, item);
        if (item->child) {
            open[depth++] = (struct container){item, 0};
            item = item->child;
            continue;
        }
        while (!item->next) {
            if (depth == 0) return;
            item = open[--depth].item;
            close_container(filler, item);
        }
        item = item->next;
    }
}

/* ---- Where a duplicate stands ------------------------------------------------------------------------------------- */

/* How many values come before the first one that is marked; one is. */
static size_t values_before_duplicate(const cJSON *item)
{
    const cJSON *open[CP_MAX_JSON_DEPTH];
    int depth = 0;
    for (size_t ordinal = 0;; ordinal++) {
        if (item->type & IS_DUPLICATE) return ordinal;
        if (item->child) {
            open[depth++] = item;
            item = item->child;
            continue;
        }
        /* The marked value comes before the root's end, so there is always something open. */
        while (!item->next) item = open[--depth]; /* NOLINT(clang-analyzer-core.uninitialized.Assign) */
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
    struct cp_json_counts counts;
    if (!cp_json_check_and_count(bytes, size, &counts, error)) return NULL;
    struct cp_outline outline = cp_json_outline(arena, bytes, size, &counts);
    cJSON *root = build_tree(arena, &outline);
    struct filler filler = {
        .arena = arena, .numbers = outline.numbers, .long_integers = outline.long_integers, .texts = outline.texts};
    fill_tree(&filler, root);
    if (filler.has_duplicates) {
        size_t offset = offset_of_name(bytes, size, values_before_duplicate(root));
        *error = (struct cp_json_error){CP_JSON_DUPLICATE, offset, "another name"};
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
    static_assert(cJSON_False == 1 && cJSON_Object == 64, "cJSON's types are bits, in this order");
    static const unsigned char types[] = {CP_JSON_FALSE,  CP_JSON_TRUE,  CP_JSON_NULL,  CP_JSON_NUMBER,
                                          CP_JSON_STRING, CP_JSON_ARRAY, CP_JSON_OBJECT};
    return (enum cp_json_type)types[__builtin_ctz((unsigned)item_of(value)->type)];
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
    return name ? text_at(name) : CP_TEXT("");
}

struct cp_text cp_json_text(const struct cp_json *value)
{
    return text_at(item_of(value)->valuestring);
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

bool cp_json_long_integer(const struct cp_json *value, int64_t *integer)
{
    const cJSON *item = item_of(value);
    if (item->type != cJSON_Number || !item->valuestring) return cp_json_integer(value, integer);
    *integer = *(const int64_t *)(const void *)item->valuestring;
    return true;
}

const struct cp_json *cp_json_member(const struct cp_json *object, struct cp_text name)
{
    if (item_of(object)->type != cJSON_Object) return NULL;
    for (const cJSON *member = item_of(object)->child; member; member = member->next)
        if (cp_text_equal(text_at(member->string), name)) return (const struct cp_json *)member;
    return NULL;
}
