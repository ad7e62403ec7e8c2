/* Comparing JSON values, and following references within a document. */
#include "server/problem.h"
#include "tests/contract/schema.h"

struct comparison {
    struct cp_arena *arena;
    bool excerpt;
    struct cp_text difference;
};

/* NOLINTBEGIN(misc-no-recursion): it goes as deep as the values do, which the parser bounds. */

static bool same(struct comparison *comparison, const struct cp_json *expected, const struct cp_json *actual,
                 const struct cp_path *at);

static bool differ(struct comparison *comparison, const struct cp_path *at, const struct cp_json *expected,
                   const struct cp_json *actual)
{
    struct cp_arena *arena = comparison->arena;
    struct cp_text got = actual ? cp_describe_json(arena, actual) : CP_TEXT("nothing");
    struct cp_text wanted = expected ? cp_describe_json(arena, expected) : CP_TEXT("nothing");
    comparison->difference =
        cp_message(arena, "at {0}: expected {1}, got {2}",
                   CP_ARGUMENTS(cp_name(cp_path_pointer(arena, at)), cp_name(wanted), cp_name(got)));
    return false;
}

static bool same_members(struct comparison *comparison, const struct cp_json *expected, const struct cp_json *actual,
                         const struct cp_path *at)
{
    for (const struct cp_json *one = cp_json_first(expected); one; one = cp_json_next(one)) {
        struct cp_path path = CP_PATH_MEMBER(at, cp_json_name(one));
        const struct cp_json *other = cp_json_member(actual, cp_json_name(one));
        if (!other) return differ(comparison, &path, one, NULL);
        if (!same(comparison, one, other, &path)) return false;
    }
    for (const struct cp_json *one = cp_json_first(actual); one && !comparison->excerpt; one = cp_json_next(one)) {
        struct cp_path path = CP_PATH_MEMBER(at, cp_json_name(one));
        if (!cp_json_member(expected, cp_json_name(one))) return differ(comparison, &path, NULL, one);
    }
    return true;
}

static bool same_elements(struct comparison *comparison, const struct cp_json *expected, const struct cp_json *actual,
                          const struct cp_path *at)
{
    int64_t index = 0;
    const struct cp_json *other = cp_json_first(actual);
    for (const struct cp_json *one = cp_json_first(expected); one; one = cp_json_next(one), index++) {
        struct cp_path path = CP_PATH_INDEX(at, index);
        while (comparison->excerpt && other && !same(comparison, one, other, &path)) other = cp_json_next(other);
        if (!other) return differ(comparison, &path, one, NULL);
        if (!same(comparison, one, other, &path)) return false;
        other = cp_json_next(other);
    }
    struct cp_path path = CP_PATH_INDEX(at, index);
    return !other || comparison->excerpt || differ(comparison, &path, NULL, other);
}

static bool same(struct comparison *comparison, const struct cp_json *expected, const struct cp_json *actual,
                 const struct cp_path *at)
{
    bool equal = cp_json_type(expected) == cp_json_type(actual);
    if (equal && cp_json_type(expected) == CP_JSON_OBJECT) return same_members(comparison, expected, actual, at);
    if (equal && cp_json_type(expected) == CP_JSON_ARRAY) return same_elements(comparison, expected, actual, at);
    if (equal && cp_json_type(expected) == CP_JSON_NUMBER) equal = cp_json_number(expected) == cp_json_number(actual);
    if (equal && cp_json_type(expected) == CP_JSON_STRING)
        equal = cp_text_equal(cp_json_text(expected), cp_json_text(actual));
    return equal || differ(comparison, at, expected, actual);
}

/* NOLINTEND(misc-no-recursion) */

struct cp_text cp_json_difference(const struct cp_json *expected, const struct cp_json *actual, bool excerpt,
                                  struct cp_arena *arena)
{
    struct comparison comparison = {.arena = arena, .excerpt = excerpt};
    struct cp_path root = {0};
    if (!same(&comparison, expected, actual, &root)) return comparison.difference;
    return (struct cp_text){0};
}

/* ---- References --------------------------------------------------------------------------------------------------- */

static struct cp_text without_escapes(struct cp_text step, struct cp_arena *arena)
{
    char *bytes = cp_arena_take(arena, step.size + 1, 1);
    size_t size = 0;
    for (size_t at = 0; at < step.size; at++) {
        bool escape = step.bytes[at] == '~' && at + 1 < step.size;
        bytes[size++] = escape ? (step.bytes[at + 1] == '1' ? '/' : '~') : step.bytes[at];
        at += escape;
    }
    return (struct cp_text){bytes, size};
}

const struct cp_json *cp_schema_resolve(const struct cp_json *document, struct cp_text reference,
                                        struct cp_arena *arena)
{
    const struct cp_json *at = document;
    if (reference.size < 2 || memcmp(reference.bytes, "#/", 2) != 0) return NULL;
    struct cp_text rest = {reference.bytes + 2, reference.size - 2};
    while (at && rest.bytes) {
        const char *slash = memchr(rest.bytes, '/', rest.size);
        struct cp_text step = {rest.bytes, slash ? (size_t)(slash - rest.bytes) : rest.size};
        rest = slash ? (struct cp_text){slash + 1, rest.size - step.size - 1} : (struct cp_text){0};
        at = cp_json_type(at) == CP_JSON_OBJECT ? cp_json_member(at, without_escapes(step, arena)) : NULL;
    }
    return at;
}
