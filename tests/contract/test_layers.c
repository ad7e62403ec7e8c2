/* The schemas of requests admit what the service reads, and nothing else. Structure is compared with the table of layer
 * kinds; ranges, types and words by giving both the same probes and comparing their verdicts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/layer.h"
#include "server/problem.h"
#include "server/reading.h"
#include "tests/contract/description.h"
#include "tests/contract/schema.h"

static const char *const common_members[] = {"type", "name", "from", "expect", "meta"};
enum { COMMON_MEMBERS = sizeof common_members / sizeof common_members[0] };

/* ---- Types -------------------------------------------------------------------------------------------------------- */

/* The schema of a type, by the discriminator; NULL after a complaint. */
static const struct cp_json *schema_of(const char *type)
{
    const struct cp_json *mapping = cp_at(cp_at(cp_described_schema("Layer"), "discriminator"), "mapping");
    const struct cp_json *reference = cp_at(mapping, type);
    const struct cp_json *schema =
        reference ? cp_schema_resolve(cp_description(), cp_json_text(reference), cp_test_arena()) : NULL;
    if (!schema) cp_complain("%s: no schema", type);
    return schema;
}

static const struct cp_json *property(const struct cp_json *schema, const char *name)
{
    return cp_at(cp_at(schema, "properties"), name);
}

static void every_type_has_its_schema(void **state)
{
    (void)state;
    const struct cp_json *name = cp_json_first(cp_at(cp_described_schema("LayerTypeName"), "enum"));
    for (int row = 0; row < cp_layer_type_count; row++) {
        const char *type = cp_layer_types[row].name;
        const struct cp_json *schema = schema_of(type);
        if (!schema) continue;
        if (!cp_lists(cp_at(property(schema, "type"), "enum"), type)) cp_complain("%s: not in its schema's enum", type);
        if (!name || !cp_text_is(cp_json_text(name), type)) cp_complain("%s: not in its place in LayerTypeName", type);
        if (name) name = cp_json_next(name);
    }
    assert_null(name);
    cp_no_complaints();
}

/* The branches of Layer, the discriminator and the enums of the branches name the same types. */
static void every_schema_is_of_known_types(void **state)
{
    (void)state;
    const struct cp_json *layer = cp_described_schema("Layer");
    const struct cp_json *mapping = cp_at(cp_at(layer, "discriminator"), "mapping");
    int types = 0;
    for (const struct cp_json *branch = cp_json_first(cp_at(layer, "anyOf")); branch; branch = cp_json_next(branch)) {
        struct cp_text reference = cp_json_text(cp_at(branch, "$ref"));
        const struct cp_json *enumeration = cp_at(property(cp_referred(branch), "type"), "enum");
        for (const struct cp_json *type = cp_json_first(enumeration); type; type = cp_json_next(type), types++) {
            const struct cp_json *mapped = cp_json_member(mapping, cp_json_text(type));
            if (!mapped || !cp_text_equal(cp_json_text(mapped), reference))
                cp_complain("%.*s of %.*s is mapped elsewhere", CP_SHOWN(cp_json_text(type)), CP_SHOWN(reference));
            if (!cp_layer_type_find(cp_json_text(type))) cp_complain("%.*s is no type", CP_SHOWN(cp_json_text(type)));
        }
    }
    assert_int_equal(types, cp_layer_type_count);
    assert_int_equal(cp_json_count(mapping), cp_layer_type_count);
    cp_no_complaints();
}

/* ---- Members ------------------------------------------------------------------------------------------------------ */

static const struct cp_member *member_of(const struct cp_layer_kind *kind, struct cp_text name)
{
    for (int index = 0; index < kind->member_count; index++)
        if (cp_text_equal(name, kind->members[index].name)) return &kind->members[index];
    return NULL;
}

static bool is_common(struct cp_text name)
{
    for (int index = 0; index < COMMON_MEMBERS; index++)
        if (cp_text_is(name, common_members[index])) return true;
    return false;
}

static void check_members(const struct cp_layer_type *type, const struct cp_json *schema)
{
    const struct cp_json *properties = cp_at(schema, "properties");
    for (int index = 0; index < type->kind->member_count; index++)
        if (!cp_at(properties, type->kind->members[index].name.bytes))
            cp_complain("%s.%s is not described", type->name, type->kind->members[index].name.bytes);
    for (int index = 0; index < COMMON_MEMBERS; index++)
        if (!cp_at(properties, common_members[index]))
            cp_complain("%s.%s is not described", type->name, common_members[index]);
    for (const struct cp_json *one = cp_json_first(properties); one; one = cp_json_next(one))
        if (!is_common(cp_json_name(one)) && !member_of(type->kind, cp_json_name(one)))
            cp_complain("%s has no member %.*s", type->name, CP_SHOWN(cp_json_name(one)));
    if (!cp_at(schema, "additionalProperties") || cp_json_type(cp_at(schema, "additionalProperties")) != CP_JSON_FALSE)
        cp_complain("%s admits unknown members", type->name);
}

static void check_required(const struct cp_layer_type *type, const struct cp_json *schema)
{
    const struct cp_json *required = cp_at(schema, "required");
    size_t count = 1;
    if (!cp_lists(required, "type")) cp_complain("%s: type is not required", type->name);
    for (int index = 0; index < type->kind->member_count; index++) {
        const struct cp_member *member = &type->kind->members[index];
        count += member->required;
        if (cp_lists(required, member->name.bytes) != member->required)
            cp_complain("%s.%s: required is otherwise", type->name, member->name.bytes);
    }
    if (cp_json_count(required) != count) cp_complain("%s: more is required than it has", type->name);
}

/* The default as it stands in the kind's own parameters; empty where there is none, or none in one number. */
static struct cp_text default_of(const struct cp_layer_kind *kind, const struct cp_member *member)
{
    struct cp_writer writer;
    const void *value = (const char *)kind->defaults + member->offset;
    if (member->required || member->default_text) return (struct cp_text){0};
    cp_writer_begin(&writer, cp_test_arena(), 32);
    switch (member->type) {
    case CP_MEMBER_INTEGER:
    case CP_MEMBER_AXES: cp_write_integer(&writer, *(const int64_t *)value); break;
    case CP_MEMBER_BOOLEAN: cp_write_boolean(&writer, *(const bool *)value); break;
    case CP_MEMBER_NUMBER: cp_write_double(&writer, *(const double *)value); break;
    case CP_MEMBER_WORD: cp_write_string(&writer, member->words[*(const int *)value]); break;
    case CP_MEMBER_PADDING:
    case CP_MEMBER_BORDERS: cp_write_integer(&writer, ((const struct cp_padding *)value)->begin[0]); break;
    case CP_MEMBER_SIZES:
    case CP_MEMBER_SHAPE:
    case CP_MEMBER_FACTORS:
    case CP_MEMBER_LAYER: return (struct cp_text){0};
    }
    return cp_writer_text(&writer);
}

static void check_default(const struct cp_layer_type *type, const struct cp_member *member,
                          const struct cp_json *schema)
{
    const struct cp_json *described = cp_at(property(schema, member->name.bytes), "default");
    struct cp_text expected = default_of(type->kind, member);
    struct cp_text written = described ? cp_written(described) : (struct cp_text){0};
    if (!cp_text_equal(written, expected))
        cp_complain("%s.%s: default %.*s, described %.*s", type->name, member->name.bytes, CP_SHOWN(expected),
                    CP_SHOWN(written));
    if (!cp_at(property(schema, member->name.bytes), "description"))
        cp_complain("%s.%s has no description", type->name, member->name.bytes);
}

static void members_are_those_of_the_table(void **state)
{
    (void)state;
    for (int row = 0; row < cp_layer_type_count; row++) {
        const struct cp_layer_type *type = &cp_layer_types[row];
        const struct cp_json *schema = schema_of(type->name);
        if (!schema) continue;
        check_members(type, schema);
        check_required(type, schema);
        for (int index = 0; index < type->kind->member_count; index++)
            check_default(type, &type->kind->members[index], schema);
    }
    cp_no_complaints();
}

/* ---- Probes ------------------------------------------------------------------------------------------------------- */

/* JSON that a member may be given, right or wrong; beside the words of the table and those of the schema. */
/* clang-format off */
static const char *const probes[] = {
    "null", "true", "false", "{}", "[]", "\"\"", "\"x\"", "\"input\"", "[\"input\"]", "[\"input\", 1]", "0", "1",
    "2", "7", "8", "-1", "-8", "-9", "-2", "0.5", "1.5", "8.0", "1e1", "-0.5", "1e300", "3", "9007199254740991",
    "9007199254740992", "-9007199254740991", "-9007199254740992", "[null]", "[true]", "[{}]", "[[]]", "[[1]]",
    "[[1, 2, 3]]", "[\"1\"]", "[1, 1, 1, 1, 1, 1, 1, 1]", "[1, 1, 1, 1, 1, 1, 1, 1, 1]", "[-8, 7]", "[-9]", "[8]",
    "[0.5]", "[-1, 2]", "\"valid\"", "\"Same\"", "\"nearest\"", "\"float\"", "{\"input\": [1]}", "{\"\": [1]}",
    "{\"a\": [0]}", "{\"a\": 1}", "[{\"type\": \"ReLU\"}]", "[{\"type\": \"Relu\"}]",
};
/* clang-format on */

/* Lists that need as many elements as the type has axes: each is repeated so often. */
static const char *const elements[] = {
    "0",      "1",      "-1",      "8",   "0.5",       "null",     "true", "9007199254740991", "9007199254740992",
    "[1, 2]", "[0, 0]", "[-1, 1]", "[1]", "[1, 2, 3]", "[1, null]"};
enum { PROBES = sizeof probes / sizeof probes[0], ELEMENTS = sizeof elements / sizeof elements[0] };

static struct cp_text repeated(const char *element, int times)
{
    struct cp_text list = CP_TEXT("");
    for (int index = 0; index < times; index++)
        list =
            cp_message(cp_test_arena(), index ? "{0}, {1}" : "{0}{1}", CP_ARGUMENTS(cp_name(list), cp_words(element)));
    return cp_message(cp_test_arena(), "[{0}]", CP_ARGUMENTS(cp_name(list)));
}

/* Mistakes that are not of the value alone: what it names, and what stands beside it. */
static bool is_of_the_whole(const struct cp_json *error)
{
    static const enum cp_code codes[] = {CP_CODE_conflicting_members, CP_CODE_two_open_sizes,
                                         CP_CODE_unknown_layer_name,  CP_CODE_duplicate_name,
                                         CP_CODE_later_layer,         CP_CODE_cycle};
    for (size_t index = 0; index < sizeof codes / sizeof codes[0]; index++)
        if (cp_text_is(cp_json_text(cp_at(error, "code")), cp_statuses[codes[index]].code)) return true;
    return false;
}

/* Does the service find nothing wrong with the value at this pointer, or below it? */
static bool service_admits(struct cp_text body, const char *pointer)
{
    struct cp_reply reply = cp_post_shapes(body);
    if (reply.status == 200) return true;
    const struct cp_json *errors = cp_at(cp_parsed(reply.body), "errors");
    size_t size = strlen(pointer);
    for (const struct cp_json *error = cp_json_first(errors); error; error = cp_json_next(error)) {
        struct cp_text at = cp_json_text(cp_at(error, "pointer"));
        bool inside =
            at.size >= size && memcmp(at.bytes, pointer, size) == 0 && (at.size == size || at.bytes[size] == '/');
        if (inside && !is_of_the_whole(error)) return false;
    }
    return true;
}

static void probe_layer_member(const struct cp_layer_type *type, const struct cp_json *described, struct cp_text name,
                               struct cp_text probe)
{
    struct cp_text body = cp_message(cp_test_arena(), "[{\"type\": \"{0}\", \"{1}\": {2}}]",
                                     CP_ARGUMENTS(cp_words(type->name), cp_name(name), cp_name(probe)));
    body = cp_message(cp_test_arena(), "{\"input\": [1, 2, 3], \"layers\": {0}}", CP_ARGUMENTS(cp_name(body)));
    struct cp_text pointer = cp_message(cp_test_arena(), "/layers/0/{0}", CP_ARGUMENTS(cp_name(name)));
    char terminated[80];
    snprintf(terminated, sizeof terminated, "%.*s", CP_SHOWN(pointer));
    bool admitted = service_admits(body, terminated);
    struct cp_text broken = cp_schema_check(cp_description(), described, cp_parsed(probe), false, cp_test_arena());
    if (admitted != (broken.size == 0))
        cp_complain("%s.%.*s = %.*s: the service says %s, the schema %.*s", type->name, CP_SHOWN(name), CP_SHOWN(probe),
                    admitted ? "yes" : "no", CP_SHOWN(broken.size ? broken : CP_TEXT("yes")));
}

/* Lists that have a length of their own for each number of axes are only given in the right ones, and in none that is
 * right for no number of axes: how long a list has to be for which type is more than the schema says. */
static bool is_worth_asking(const struct cp_member *member, const struct cp_json *probe)
{
    bool per_axis = member && (member->type == CP_MEMBER_AXES || member->type == CP_MEMBER_PADDING ||
                               member->type == CP_MEMBER_BORDERS);
    size_t count = cp_json_count(probe);
    return !per_axis || cp_json_type(probe) != CP_JSON_ARRAY || count == 0 || count > 2 * CP_MAX_AXES;
}

/* Words that the table takes. */
static void probe_words(const struct cp_layer_type *type, const struct cp_json *described,
                        const struct cp_member *member)
{
    for (const char *const *word = member->words; *word; word++)
        if (**word)
            probe_layer_member(type, described, cp_json_name(described),
                               cp_message(cp_test_arena(), "\"{0}\"", CP_ARGUMENTS(cp_words(*word))));
}

/* Values that the schema lists, in its branches too. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the schema. */
static void probe_enums(const struct cp_layer_type *type, const struct cp_json *described, const struct cp_json *schema)
{
    const struct cp_json *values = cp_at(schema, "enum"), *branches = cp_at(schema, "anyOf");
    for (const struct cp_json *value = values ? cp_json_first(values) : NULL; value; value = cp_json_next(value))
        probe_layer_member(type, described, cp_json_name(described), cp_written(value));
    for (const struct cp_json *one = branches ? cp_json_first(branches) : NULL; one; one = cp_json_next(one))
        probe_enums(type, described, one);
    if (cp_at(schema, "$ref")) probe_enums(type, described, cp_referred(schema));
}

static void probe_member(const struct cp_layer_type *type, const struct cp_json *described)
{
    struct cp_text name = cp_json_name(described);
    const struct cp_member *member = member_of(type->kind, name);
    for (int index = 0; index < PROBES; index++) {
        struct cp_text probe = cp_text_of(probes[index]);
        if (is_worth_asking(member, cp_parsed(probe))) probe_layer_member(type, described, name, probe);
    }
    if (member && member->words) probe_words(type, described, member);
    probe_enums(type, described, described);
    for (int index = 0; index < ELEMENTS; index++) {
        bool flat = member && member->type == CP_MEMBER_BORDERS && elements[index][0] != '[';
        int times = type->axes ? type->axes : 1;
        probe_layer_member(type, described, name, repeated(elements[index], flat ? 2 * times : times));
    }
}

static void members_admit_what_the_service_reads(void **state)
{
    (void)state;
    for (int row = 0; row < cp_layer_type_count; row++) {
        const struct cp_json *schema = schema_of(cp_layer_types[row].name);
        const struct cp_json *properties = cp_at(schema, "properties");
        for (const struct cp_json *one = properties ? cp_json_first(properties) : NULL; one; one = cp_json_next(one))
            if (!cp_text_is(cp_json_name(one), "type")) probe_member(&cp_layer_types[row], one);
    }
    cp_no_complaints();
}

/* ---- The request around the layers -------------------------------------------------------------------------------- */

static struct cp_text request_with(struct cp_text name, struct cp_text probe)
{
    const char *rest = "";
    if (!cp_text_is(name, "layers")) rest = ", \"layers\": [{\"type\": \"ReLU\"}]";
    if (cp_text_is(name, "layers")) rest = ", \"input\": [1, 2, 3]";
    struct cp_text pattern =
        cp_message(cp_test_arena(), "\"{0}\": {1}{2}", CP_ARGUMENTS(cp_name(name), cp_name(probe), cp_words(rest)));
    bool has_input = cp_text_is(name, "input") || cp_text_is(name, "inputs") || cp_text_is(name, "layers");
    const char *whole = has_input ? "{{0}}" : "{\"input\": [1, 2, 3], {0}}";
    return cp_message(cp_test_arena(), whole, CP_ARGUMENTS(cp_name(pattern)));
}

static void probe_request_member(const struct cp_json *described, struct cp_text probe)
{
    struct cp_text name = cp_json_name(described);
    char pointer[80];
    snprintf(pointer, sizeof pointer, "/%.*s", CP_SHOWN(name));
    bool admitted = service_admits(request_with(name, probe), pointer);
    struct cp_text broken = cp_schema_check(cp_description(), described, cp_parsed(probe), false, cp_test_arena());
    if (admitted != (broken.size == 0))
        cp_complain("%.*s = %.*s: the service says %s, the schema %.*s", CP_SHOWN(name), CP_SHOWN(probe),
                    admitted ? "yes" : "no", CP_SHOWN(broken.size ? broken : CP_TEXT("yes")));
}

static void requests_admit_what_the_service_reads(void **state)
{
    (void)state;
    const struct cp_json *properties = cp_at(cp_described_schema("ShapesRequest"), "properties");
    for (const struct cp_json *one = cp_json_first(properties); one; one = cp_json_next(one)) {
        const struct cp_json *words = cp_at(one, "enum");
        for (int index = 0; index < PROBES; index++) probe_request_member(one, cp_text_of(probes[index]));
        for (const struct cp_json *word = words ? cp_json_first(words) : NULL; word; word = cp_json_next(word))
            probe_request_member(one, cp_written(word));
    }
    for (const char *const *dtype = cp_dtype_names; *dtype; dtype++)
        probe_request_member(cp_at(properties, "dtype"),
                             cp_message(cp_test_arena(), "\"{0}\"", CP_ARGUMENTS(cp_words(*dtype))));
    cp_no_complaints();
}

/* Of the words that are probed, the members of the request are the only ones that the service knows. */
static void members_of_requests_are_all_described(void **state)
{
    (void)state;
    struct cp_reply reply = cp_post_shapes(CP_TEXT("{\"zzzzzzzz\": 1}"));
    const struct cp_json *error = cp_json_first(cp_at(cp_parsed(reply.body), "errors"));
    const struct cp_json *properties = cp_at(cp_described_schema("ShapesRequest"), "properties");
    struct cp_text known = cp_json_text(cp_at(error, "suggestion")); /* known here: `a`, `b` … */
    size_t count = 1;                                                /* meta, which is known everywhere */
    for (const char *at = memchr(known.bytes, '`', known.size); at; count++) {
        const char *end = known.bytes + known.size;
        const char *close = memchr(at + 1, '`', (size_t)(end - at - 1));
        assert_non_null(close);
        struct cp_text name = {at + 1, (size_t)(close - at - 1)};
        if (!cp_json_member(properties, name)) cp_complain("%.*s is not described", CP_SHOWN(name));
        at = memchr(close + 1, '`', (size_t)(end - close - 1));
    }
    assert_true(count > 2);
    assert_int_equal(cp_json_count(properties), count);
    cp_no_complaints();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_has_its_schema),
        cmocka_unit_test(every_schema_is_of_known_types),
        cmocka_unit_test(members_are_those_of_the_table),
        cmocka_unit_test(members_admit_what_the_service_reads),
        cmocka_unit_test(requests_admit_what_the_service_reads),
        cmocka_unit_test(members_of_requests_are_all_described),
    };
    return cmocka_run_group_tests(tests, cp_description_open, cp_description_close);
}
