/* The validator that judges the contract is judged first: each keyword admits and refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/contract/description.h"
#include "tests/contract/schema.h"

struct schema_row {
    const char *name, *schema;
    const char *right[6], *wrong[6]; /* values; ended by NULL */
    bool closed;
};

static const struct schema_row rows[] = {
    {"type", "{\"type\": \"integer\"}", {"1", "-1", "8.0"}, {"1.5", "\"1\"", "null", "true", "[]"}, false},
    {"number", "{\"type\": \"number\"}", {"1", "1.5"}, {"\"1\"", "null"}, false},
    {"types", "{\"type\": [\"string\", \"null\"]}", {"\"a\"", "null"}, {"1", "{}"}, false},
    {"boolean", "{\"type\": \"boolean\"}", {"true", "false"}, {"0", "\"true\""}, false},
    {"enum", "{\"enum\": [1, \"a\", null, [2]]}", {"1", "\"a\"", "null", "[2]"}, {"2", "\"b\"", "[1]", "[]"}, false},
    {"const", "{\"const\": {\"a\": 1, \"b\": 2}}", {"{\"b\": 2, \"a\": 1}"}, {"{\"a\": 1}", "1"}, false},
    {"minimum", "{\"minimum\": 2}", {"2", "3", "\"a\""}, {"1.9", "-3"}, false},
    {"maximum", "{\"maximum\": 2}", {"2", "-3", "null"}, {"2.1"}, false},
    {"exclusive minimum", "{\"exclusiveMinimum\": 0}", {"0.1"}, {"0", "-1"}, false},
    {"lengths", "{\"minLength\": 1, \"maxLength\": 2}", {"\"a\"", "\"⌊⌋\"", "[]"}, {"\"\"", "\"abc\""}, false},
    {"items",
     "{\"items\": {\"type\": \"integer\"}, \"minItems\": 1, \"maxItems\": 2}",
     {"[1]", "[1, 2]", "7"},
     {"[]", "[1, 2, 3]", "[\"a\"]", "[1, null]"},
     false},
    {"required", "{\"required\": [\"a\"]}", {"{\"a\": null}", "[]"}, {"{}", "{\"b\": 1}"}, false},
    {"properties",
     "{\"properties\": {\"a\": {\"type\": \"integer\"}}}",
     {"{}", "{\"a\": 1}", "{\"b\": \"x\"}"},
     {"{\"a\": \"x\"}"},
     false},
    {"closed", "{\"properties\": {\"a\": {\"type\": \"integer\"}}}", {"{}", "{\"a\": 1}"}, {"{\"b\": 1}"}, true},
    {"no others",
     "{\"properties\": {\"a\": {}}, \"additionalProperties\": false}",
     {"{}", "{\"a\": 1}"},
     {"{\"b\": 1}"},
     false},
    {"others", "{\"additionalProperties\": {\"type\": \"integer\"}}", {"{}", "{\"a\": 1}"}, {"{\"a\": \"x\"}"}, true},
    {"count of members",
     "{\"minProperties\": 1, \"maxProperties\": 1}",
     {"{\"a\": 1}", "1"},
     {"{}", "{\"a\": 1, \"b\": 1}"},
     false},
    {"names", "{\"propertyNames\": {\"minLength\": 1}}", {"{\"a\": 1}", "[]"}, {"{\"\": 1}"}, false},
    {"any of",
     "{\"anyOf\": [{\"type\": \"null\"}, {\"minimum\": 1, \"type\": \"integer\"}]}",
     {"null", "1"},
     {"0", "\"\""},
     false},
    {"all of",
     "{\"allOf\": [{\"required\": [\"a\"]}, {\"required\": [\"b\"]}]}",
     {"{\"a\": 1, \"b\": 1}", "1"},
     {"{}", "{\"b\": 1}"},
     false},
    {"one of",
     "{\"oneOf\": [{\"required\": [\"a\"]}, {\"required\": [\"b\"]}]}",
     {"{\"a\": 1}", "{\"b\": 1}"},
     {"{}", "{\"a\": 1, \"b\": 1}"},
     false},
    {"not", "{\"not\": {\"const\": 0}}", {"1", "null"}, {"0"}, false},
    {"true", "true", {"1", "null"}, {NULL}, false},
    {"false", "false", {NULL}, {"1", "null"}, false},
    {"reference",
     "{\"$ref\": \"#/components/schemas/Size\"}",
     {"1", "9007199254740991"},
     {"0", "1e300", "null"},
     false},
    {"neighbours of a reference",
     "{\"$ref\": \"#/components/schemas/Size\", \"maximum\": 7}",
     {"7"},
     {"8", "0"},
     false},
    {"reference to nothing", "{\"$ref\": \"#/components/schemas/Nothing\"}", {NULL}, {"1"}, false},
    {"discriminator",
     "{\"$ref\": \"#/components/schemas/Layer\"}",
     {"{\"type\": \"ReLU\"}", "{\"type\": \"Conv2d\", \"out_channels\": 1, \"kernel_size\": [3, 3]}"},
     {"{\"type\": \"Relu\"}", "{\"type\": \"Conv2d\"}", "{\"type\": \"ReLU\", \"alpha\": 1}", "{}", "1"},
     false},
    {"unknown keyword", "{\"minimun\": 1}", {NULL}, {"1"}, false},
    {"depth", "{\"items\": {\"items\": {\"type\": \"integer\"}}}", {"[[1]]", "[]", "[[]]"}, {"[[\"a\"]]"}, false},
};

static void check_values(const struct schema_row *row, const char *const *values, bool right)
{
    const struct cp_json *schema = cp_parsed(cp_text_of(row->schema));
    for (int index = 0; index < 6 && values[index]; index++) {
        const struct cp_json *value = cp_parsed(cp_text_of(values[index]));
        struct cp_text error = cp_schema_check(cp_description(), schema, value, row->closed, cp_test_arena());
        if ((error.size == 0) != right)
            cp_complain("%s: %s of %s: %.*s", row->name, values[index], row->schema,
                        CP_SHOWN(error.size ? error : CP_TEXT("admitted")));
    }
}

static void keywords_admit_and_refuse(void **state)
{
    (void)state;
    for (size_t index = 0; index < sizeof rows / sizeof rows[0]; index++) {
        check_values(&rows[index], rows[index].right, true);
        check_values(&rows[index], rows[index].wrong, false);
    }
    cp_no_complaints();
}

static void errors_say_where(void **state)
{
    (void)state;
    const struct cp_json *value = cp_parsed(
        CP_TEXT("{\"input\": [1], \"layers\": [{\"type\": \"ReLU\"}, {\"type\": \"Flatten\", \"start_dim\": 8}]}"));
    struct cp_text error =
        cp_schema_check(cp_description(), cp_described_schema("ShapesRequest"), value, true, cp_test_arena());
    static const char expected[] = "at /layers/1/start_dim: is more than 7";
    if (!cp_text_is(error, expected)) fail_msg("%.*s", CP_SHOWN(error));
}

struct comparison_row {
    const char *name, *expected, *actual;
    bool excerpt, same;
};

static const struct comparison_row comparisons[] = {
    {"numbers by value", "[1, 1e1]", "[1.0, 10]", false, true},
    {"other number", "1", "2", false, false},
    {"order of members", "{\"a\": 1, \"b\": 2}", "{\"b\": 2, \"a\": 1}", false, true},
    {"order of elements", "[1, 2]", "[2, 1]", false, false},
    {"missing member", "{\"a\": 1}", "{}", false, false},
    {"added member", "{}", "{\"a\": 1}", false, false},
    {"added element", "[1]", "[1, 2]", false, false},
    {"missing element", "[1, 2]", "[1]", false, false},
    {"other type", "null", "false", false, false},
    {"other string", "\"a\"", "\"b\"", false, false},
    {"excerpt of members", "{\"a\": {\"b\": 1}}", "{\"a\": {\"b\": 1, \"c\": 2}, \"d\": 3}", true, true},
    {"excerpt of elements", "[{\"a\": 2}, 4]", "[1, {\"a\": 2, \"b\": 0}, 3, 4, 5]", true, true},
    {"excerpt in order", "[2, 1]", "[1, 2]", true, false},
    {"excerpt that is not there", "{\"a\": [7]}", "{\"a\": [1, 2]}", true, false},
};

static void differences_are_found(void **state)
{
    (void)state;
    for (size_t index = 0; index < sizeof comparisons / sizeof comparisons[0]; index++) {
        const struct comparison_row *row = &comparisons[index];
        struct cp_text difference = cp_json_difference(
            cp_parsed(cp_text_of(row->expected)), cp_parsed(cp_text_of(row->actual)), row->excerpt, cp_test_arena());
        if ((difference.size == 0) != row->same) cp_complain("%s: %.*s", row->name, CP_SHOWN(difference));
    }
    cp_no_complaints();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keywords_admit_and_refuse),
        cmocka_unit_test(errors_say_where),
        cmocka_unit_test(differences_are_found),
    };
    return cmocka_run_group_tests(tests, cp_description_open, cp_description_close);
}
