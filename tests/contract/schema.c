#include "tests/contract/schema.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "server/problem.h"

struct checker {
    const struct cp_json *document;
    struct cp_arena *arena;
    bool closed;
    int depth;
    int trials;           /* one of several schemas is tried: that it does not fit need not be told */
    struct cp_text error; /* of the check that failed last */
    /* What references lead to, kept by where they stand: a reply of many layers follows the same few again and again. */
    struct resolved {
        const struct cp_json *reference, *target;
    } resolved[128];
};

/* A schema's keyword is checked with the schema around it, as some depend on their neighbours. */
struct keyword {
    const char *name;
    bool (*check)(struct checker *checker, const struct cp_json *schema, const struct cp_json *operand,
                  const struct cp_json *value, const struct cp_path *at);
};

/* NOLINTBEGIN(misc-no-recursion): it goes as deep as values and schemas do, which check() bounds. */

static bool check(struct checker *checker, const struct cp_json *schema, const struct cp_json *value,
                  const struct cp_path *at);

static bool fail(struct checker *checker, const struct cp_path *at, const char *rule, struct cp_text operand)
{
    if (checker->trials) return false;
    checker->error =
        cp_message(checker->arena, "at {0}: {1} {2}",
                   CP_ARGUMENTS(cp_name(cp_path_pointer(checker->arena, at)), cp_words(rule), cp_name(operand)));
    return false;
}

static bool fail_value(struct checker *checker, const struct cp_path *at, const char *rule,
                       const struct cp_json *operand)
{
    return checker->trials ? false : fail(checker, at, rule, cp_describe_json(checker->arena, operand));
}

static const struct cp_json *member(const struct cp_json *object, const char *name)
{
    return cp_json_type(object) == CP_JSON_OBJECT ? cp_json_member(object, cp_text_of(name)) : NULL;
}

/* ---- Any value ---------------------------------------------------------------------------------------------------- */

static bool is_of_type(const struct cp_json *value, struct cp_text type)
{
    switch (cp_json_type(value)) {
    case CP_JSON_NULL: return cp_text_is(type, "null");
    case CP_JSON_FALSE:
    case CP_JSON_TRUE: return cp_text_is(type, "boolean");
    case CP_JSON_STRING: return cp_text_is(type, "string");
    case CP_JSON_ARRAY: return cp_text_is(type, "array");
    case CP_JSON_OBJECT: return cp_text_is(type, "object");
    case CP_JSON_NUMBER: break;
    }
    double number = cp_json_number(value);
    return cp_text_is(type, "number") || (cp_text_is(type, "integer") && number == floor(number));
}

static bool check_type(struct checker *checker, const struct cp_json *schema, const struct cp_json *operand,
                       const struct cp_json *value, const struct cp_path *at)
{
    (void)schema;
    if (cp_json_type(operand) == CP_JSON_STRING && is_of_type(value, cp_json_text(operand))) return true;
    for (const struct cp_json *type = cp_json_first(operand); type; type = cp_json_next(type))
        if (is_of_type(value, cp_json_text(type))) return true;
    return fail_value(checker, at, "the type does not admit", value);
}

/* Strings, which long lists of words are made of, take no memory. */
static bool equal(struct checker *checker, const struct cp_json *a, const struct cp_json *b)
{
    if (cp_json_type(a) == CP_JSON_STRING && cp_json_type(b) == CP_JSON_STRING)
        return cp_text_equal(cp_json_text(a), cp_json_text(b));
    return cp_json_difference(a, b, false, checker->arena).size == 0;
}

static bool check_enum(struct checker *checker, const struct cp_json *schema, const struct cp_json *operand,
                       const struct cp_json *value, const struct cp_path *at)
{
    (void)schema;
    for (const struct cp_json *one = cp_json_first(operand); one; one = cp_json_next(one))
        if (equal(checker, one, value)) return true;
    return fail_value(checker, at, "the enum does not hold", value);
}

static bool check_const(struct checker *checker, const struct cp_json *schema, const struct cp_json *operand,
                        const struct cp_json *value, const struct cp_path *at)
{
    (void)schema;
    return equal(checker, operand, value) || fail_value(checker, at, "must be", operand);
}

/* ---- Schemas of schemas ------------------------------------------------------------------------------------------- */

static const struct cp_json *resolve(struct checker *checker, const struct cp_json *reference)
{
    enum { PLACES = sizeof checker->resolved / sizeof *checker->resolved };
    struct resolved *kept = &checker->resolved[(uintptr_t)reference / sizeof(max_align_t) % PLACES];
    if (kept->reference != reference)
        *kept =
            (struct resolved){reference, cp_schema_resolve(checker->document, cp_json_text(reference), checker->arena)};
    return kept->target;
}

static bool check_reference(struct checker *checker, const struct cp_json *schema, const struct cp_json *operand,
                            const struct cp_json *value, const struct cp_path *at)
{
    (void)schema;
    const struct cp_json *target = resolve(checker, operand);
    if (!target) return fail(checker, at, "the schema refers to nothing:", cp_json_text(operand));
    return check(checker, target, value, at);
}

/* The branch that a discriminator chooses, or NULL. */
static const struct cp_json *chosen_branch(struct checker *checker, const struct cp_json *schema,
                                           const struct cp_json *value)
{
    const struct cp_json *discriminator = member(schema, "discriminator");
    if (!discriminator) return NULL;
    const struct cp_json *tag = cp_json_member(value, cp_json_text(member(discriminator, "propertyName")));
    if (!tag || cp_json_type(tag) != CP_JSON_STRING) return NULL;
    const struct cp_json *target = cp_json_member(member(discriminator, "mapping"), cp_json_text(tag));
    return target ? resolve(checker, target) : NULL;
}

static int matching_branches(struct checker *checker, const struct cp_json *branches, const struct cp_json *value,
                             const struct cp_path *at)
{
    int matching = 0;
    checker->trials++;
    for (const struct cp_json *branch = cp_json_first(branches); branch; branch = cp_json_next(branch))
        matching += check(checker, branch, value, at);
    checker->trials--;
    return matching;
}

/* With a discriminator the branch that it chooses decides, so that the message is about the layer that was meant. */
static bool check_any_of(struct checker *checker, const struct cp_json *schema, const struct cp_json *operand,
                         const struct cp_json *value, const struct cp_path *at)
{
    const struct cp_json *chosen = chosen_branch(checker, schema, value);
    if (chosen) return check(checker, chosen, value, at);
    if (matching_branches(checker, operand, value, at)) return true;
    return fail_value(checker, at, "no branch of anyOf admits", value);
}

static bool check_all_of(struct checker *checker, const struct cp_json *schema, const struct cp_json *operand,
                         const struct cp_json *value, const struct cp_path *at)
{
    (void)schema;
    for (const struct cp_json *branch = cp_json_first(operand); branch; branch = cp_json_next(branch))
        if (!check(checker, branch, value, at)) return false;
    return true;
}

static bool check_one_of(struct checker *checker, const struct cp_json *schema, const struct cp_json *operand,
                         const struct cp_json *value, const struct cp_path *at)
{
    (void)schema;
    if (matching_branches(checker, operand, value, at) == 1) return true;
    return fail_value(checker, at, "not one branch of oneOf admits", value);
}

static bool check_not(struct checker *checker, const struct cp_json *schema, const struct cp_json *operand,
                      const struct cp_json *value, const struct cp_path *at)
{
    (void)schema;
    checker->trials++;
    bool excluded = check(checker, operand, value, at);
    checker->trials--;
    return !excluded || fail_value(checker, at, "is excluded:", value);
}

/* ---- Numbers, strings, lists -------------------------------------------------------------------------------------- */

#define BOUND(name, applies_to, measure, comparison, rule)                                                             \
    static bool name(struct checker *checker, const struct cp_json *schema, const struct cp_json *operand,             \
                     const struct cp_json *value, const struct cp_path *at)                                            \
    {                                                                                                                  \
        (void)schema;                                                                                                  \
        if (cp_json_type(value) != (applies_to) || (measure)comparison cp_json_number(operand)) return true;           \
        return fail_value(checker, at, rule, operand);                                                                 \
    }

/* Code points. */
static double length_of(const struct cp_json *string)
{
    struct cp_text text = cp_json_text(string);
    double length = 0;
    for (size_t at = 0; at < text.size; at++) length += ((unsigned char)text.bytes[at] & 0xc0) != 0x80;
    return length;
}

BOUND(check_minimum, CP_JSON_NUMBER, cp_json_number(value), >=, "is less than")
BOUND(check_maximum, CP_JSON_NUMBER, cp_json_number(value), <=, "is more than")
BOUND(check_exclusive_minimum, CP_JSON_NUMBER, cp_json_number(value), >, "is not more than")
BOUND(check_min_length, CP_JSON_STRING, length_of(value), >=, "is shorter than")
BOUND(check_max_length, CP_JSON_STRING, length_of(value), <=, "is longer than")
BOUND(check_min_items, CP_JSON_ARRAY, (double)cp_json_count(value), >=, "has fewer elements than")
BOUND(check_max_items, CP_JSON_ARRAY, (double)cp_json_count(value), <=, "has more elements than")
BOUND(check_min_properties, CP_JSON_OBJECT, (double)cp_json_count(value), >=, "has fewer members than")
BOUND(check_max_properties, CP_JSON_OBJECT, (double)cp_json_count(value), <=, "has more members than")

static bool check_items(struct checker *checker, const struct cp_json *schema, const struct cp_json *operand,
                        const struct cp_json *value, const struct cp_path *at)
{
    (void)schema;
    int64_t index = 0;
    if (cp_json_type(value) != CP_JSON_ARRAY) return true;
    for (const struct cp_json *element = cp_json_first(value); element; element = cp_json_next(element), index++) {
        struct cp_path path = CP_PATH_INDEX(at, index);
        if (!check(checker, operand, element, &path)) return false;
    }
    return true;
}

/* ---- Objects ------------------------------------------------------------------------------------------------------ */

static bool check_required(struct checker *checker, const struct cp_json *schema, const struct cp_json *operand,
                           const struct cp_json *value, const struct cp_path *at)
{
    (void)schema;
    if (cp_json_type(value) != CP_JSON_OBJECT) return true;
    for (const struct cp_json *name = cp_json_first(operand); name; name = cp_json_next(name))
        if (!cp_json_member(value, cp_json_text(name)))
            return fail(checker, at, "lacks the member", cp_json_text(name));
    return true;
}

/* The schema of the members that `properties` does not name: NULL admits them. */
static bool check_other_member(struct checker *checker, const struct cp_json *schema, const struct cp_json *value,
                               const struct cp_path *at)
{
    const struct cp_json *others = member(schema, "additionalProperties");
    if (others) return check(checker, others, value, at);
    return !checker->closed || fail(checker, at, "is not described", (struct cp_text){0});
}

static bool check_members(struct checker *checker, const struct cp_json *schema, const struct cp_json *value,
                          const struct cp_path *at)
{
    const struct cp_json *properties = member(schema, "properties");
    if (cp_json_type(value) != CP_JSON_OBJECT) return true;
    for (const struct cp_json *one = cp_json_first(value); one; one = cp_json_next(one)) {
        struct cp_path path = CP_PATH_MEMBER(at, cp_json_name(one));
        const struct cp_json *known = properties ? cp_json_member(properties, cp_json_name(one)) : NULL;
        if (known ? !check(checker, known, one, &path) : !check_other_member(checker, schema, one, &path)) return false;
    }
    return true;
}

static bool check_properties(struct checker *checker, const struct cp_json *schema, const struct cp_json *operand,
                             const struct cp_json *value, const struct cp_path *at)
{
    (void)operand;
    return check_members(checker, schema, value, at);
}

static bool check_additional(struct checker *checker, const struct cp_json *schema, const struct cp_json *operand,
                             const struct cp_json *value, const struct cp_path *at)
{
    (void)operand;
    return member(schema, "properties") != NULL || check_members(checker, schema, value, at);
}

/* A name is looked at as the string that it is, which needs a value of its own. */
static bool check_names(struct checker *checker, const struct cp_json *schema, const struct cp_json *operand,
                        const struct cp_json *value, const struct cp_path *at)
{
    (void)schema;
    if (cp_json_type(value) != CP_JSON_OBJECT) return true;
    for (const struct cp_json *one = cp_json_first(value); one; one = cp_json_next(one)) {
        struct cp_writer writer;
        struct cp_json_error error;
        struct cp_path path = CP_PATH_MEMBER(at, cp_json_name(one));
        cp_writer_begin(&writer, checker->arena, cp_json_name(one).size + 2);
        cp_write_text(&writer, cp_json_name(one));
        struct cp_text text = cp_writer_text(&writer);
        const struct cp_json *name = cp_json_parse(checker->arena, text.bytes, text.size, &error);
        if (!name || !check(checker, operand, name, &path)) return false;
    }
    return true;
}

/* ---- All of it ---------------------------------------------------------------------------------------------------- */

/* Without a function: says nothing of the value. */
static const struct keyword keywords[] = {
    {"type", check_type},
    {"enum", check_enum},
    {"const", check_const},
    {"$ref", check_reference},
    {"anyOf", check_any_of},
    {"allOf", check_all_of},
    {"oneOf", check_one_of},
    {"not", check_not},
    {"minimum", check_minimum},
    {"maximum", check_maximum},
    {"exclusiveMinimum", check_exclusive_minimum},
    {"minLength", check_min_length},
    {"maxLength", check_max_length},
    {"minItems", check_min_items},
    {"maxItems", check_max_items},
    {"items", check_items},
    {"minProperties", check_min_properties},
    {"maxProperties", check_max_properties},
    {"required", check_required},
    {"properties", check_properties},
    {"additionalProperties", check_additional},
    {"propertyNames", check_names},
    {"title", NULL},
    {"description", NULL},
    {"default", NULL},
    {"discriminator", NULL},
    {"format", NULL},
    {"pattern", NULL},
};

static bool check_keyword(struct checker *checker, const struct cp_json *schema, const struct cp_json *operand,
                          const struct cp_json *value, const struct cp_path *at)
{
    for (size_t index = 0; index < sizeof keywords / sizeof keywords[0]; index++) {
        if (!cp_text_is(cp_json_name(operand), keywords[index].name)) continue;
        return !keywords[index].check || keywords[index].check(checker, schema, operand, value, at);
    }
    return fail(checker, at, "the schema has the unknown keyword", cp_json_name(operand));
}

static bool check(struct checker *checker, const struct cp_json *schema, const struct cp_json *value,
                  const struct cp_path *at)
{
    enum { DEEPEST = 256 }; /* references included */
    if (cp_json_type(schema) == CP_JSON_TRUE) return true;
    if (cp_json_type(schema) != CP_JSON_OBJECT) return fail(checker, at, "is not admitted", (struct cp_text){0});
    if (checker->depth == DEEPEST) return fail(checker, at, "the schema refers to itself", (struct cp_text){0});
    bool right = true;
    checker->depth++;
    for (const struct cp_json *operand = cp_json_first(schema); operand && right; operand = cp_json_next(operand))
        right = check_keyword(checker, schema, operand, value, at);
    checker->depth--;
    return right;
}

/* NOLINTEND(misc-no-recursion) */

struct cp_text cp_schema_check(const struct cp_json *document, const struct cp_json *schema,
                               const struct cp_json *value, bool closed, struct cp_arena *arena)
{
    struct checker checker = {.document = document, .arena = arena, .closed = closed};
    struct cp_path root = {0};
    if (!check(&checker, schema, value, &root)) return checker.error;
    return (struct cp_text){0};
}
