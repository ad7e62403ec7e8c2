/* YAML to JSON: what is converted, what is refused, and where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "server/formats/yaml.h"
#include "tests/contract/description.h"

struct conversion {
    const char *name, *yaml, *json;
};

static const struct conversion conversions[] = {
    {"block mapping", "a: 1\nb:\n  c: x\n", "{\"a\":1,\"b\":{\"c\":\"x\"}}"},
    {"block sequence", "- 1\n- - 2\n  - 3\n", "[1,[2,3]]"},
    {"flow", "{a: [1, {b: 2}], c: {}, d: []}", "{\"a\":[1,{\"b\":2}],\"c\":{},\"d\":[]}"},
    {"JSON", "{\"a\": [1, true, null, \"x\"]}", "{\"a\":[1,true,null,\"x\"]}"},
    {"nulls", "[null, Null, NULL, ~]", "[null,null,null,null]"},
    {"empty value", "a:\nb: 1\n", "{\"a\":null,\"b\":1}"},
    {"booleans", "[true, True, TRUE, false, False, FALSE]", "[true,true,true,false,false,false]"},
    {"words of YAML 1.1 are strings", "[yes, no, on, off, y, n]", "[\"yes\",\"no\",\"on\",\"off\",\"y\",\"n\"]"},
    {"integers", "[0, -7, 9007199254740991, 12345678901234567890]", "[0,-7,9007199254740991,12345678901234567890]"},
    {"floats", "[1.5, -0.25, 1e-4, 2E+3]", "[1.5,-0.25,1e-4,2E+3]"},
    {"versions and dates are strings", "[3.1.0, 2024-01-01, 1-2, 1e, 0x, 0b1]",
     "[\"3.1.0\",\"2024-01-01\",\"1-2\",\"1e\",\"0x\",\"0b1\"]"},
    {"quoted scalars are strings", "['1', \"true\", 'null', '']", "[\"1\",\"true\",\"null\",\"\"]"},
    {"escapes", "[\"a\\tb\\u230a\", 'it''s']", "[\"a\\tb⌊\",\"it's\"]"},
    {"literal block", "a: |\n  x\n   y\n\n  z\n", "{\"a\":\"x\\n y\\n\\nz\\n\"}"},
    {"folded block, stripped", "a: >-\n  x\n  y\n", "{\"a\":\"x y\"}"},
    {"quoted scalar over lines", "a: \"x\n  y\"\n", "{\"a\":\"x y\"}"},
    {"comments", "# c\na: 1 # d\n", "{\"a\":1}"},
    {"keys are strings", "{200: a, true: b, 'c': d}", "{\"200\":\"a\",\"true\":\"b\",\"c\":\"d\"}"},
    {"key that is quoted like a merge", "{'<<': 1}", "{\"<<\":1}"},
    {"scalar alone", "x", "\"x\""},
    {"document markers", "--- 1\n...\n", "1"},
};

static void documents_become_json(void **state)
{
    (void)state;
    for (size_t index = 0; index < sizeof conversions / sizeof conversions[0]; index++) {
        const struct conversion *row = &conversions[index];
        struct cp_text json;
        struct cp_yaml_error error;
        if (!cp_yaml_to_json(cp_text_of(row->yaml), cp_test_arena(), &json, &error))
            cp_complain("%s: %zu:%zu: %s", row->name, error.line, error.column, error.problem);
        else if (!cp_text_is(json, row->json))
            cp_complain("%s: %.*s", row->name, CP_SHOWN(json));
    }
    cp_no_complaints();
}

struct refusal {
    const char *name, *yaml;
    size_t line, column;
    const char *problem; /* NULL: whatever libyaml says */
};

static const struct refusal refusals[] = {
    {"anchor on a scalar", "a: &x 1\n", 1, 4, "an anchor"},
    {"anchor on a mapping", "a: &x {}\n", 1, 4, "an anchor"},
    {"anchor on a sequence", "a: &x []\n", 1, 4, "an anchor"},
    {"alias", "a: 1\nb: *a\n", 2, 4, "an alias"},
    {"tag on a scalar", "a: !!str 1\n", 1, 4, "a tag"},
    {"tag on a mapping", "a: !!map {}\n", 1, 4, "a tag"},
    {"tag on a sequence", "!!seq []\n", 1, 1, "a tag"},
    {"merge key", "<<: {a: 1}\n", 1, 1, "a merge key"},
    {"mapping as a key", "? {a: 1}\n: 2\n", 1, 3, "a key that is no scalar"},
    {"sequence as a key", "? [a]\n: 2\n", 1, 3, "a key that is no scalar"},
    {"second document", "a: 1\n---\nb: 2\n", 2, 1, "a second document"},
    {"no document", "# nothing\n", 2, 1, "no document"},
    {"plus sign", "- +1\n", 1, 3, "a number that JSON writes otherwise"},
    {"leading zero", "- 007\n", 1, 3, "a number that JSON writes otherwise"},
    {"no digit before the point", "- .5\n", 1, 3, "a number that JSON writes otherwise"},
    {"no digit after the point", "- -1.\n", 1, 3, "a number that JSON writes otherwise"},
    {"hexadecimal", "- 0x1F\n", 1, 3, "a number that JSON writes otherwise"},
    {"octal", "- 0o17\n", 1, 3, "a number that JSON writes otherwise"},
    {"infinity", "- -.inf\n", 1, 3, "a number that JSON writes otherwise"},
    {"not a number", "- .NaN\n", 1, 3, "a number that JSON writes otherwise"},
    {"syntax", "a: [1, 2\nb: 3\n", 2, 2, NULL},
    {"tabs", "a:\n\t- 1\n", 2, 1, NULL},
    {"invalid UTF-8", "a: \xff\n", 1, 1, NULL},
};

static void others_are_refused_with_their_place(void **state)
{
    (void)state;
    for (size_t index = 0; index < sizeof refusals / sizeof refusals[0]; index++) {
        const struct refusal *row = &refusals[index];
        struct cp_text json;
        struct cp_yaml_error error;
        if (cp_yaml_to_json(cp_text_of(row->yaml), cp_test_arena(), &json, &error))
            cp_complain("%s: became %.*s", row->name, CP_SHOWN(json));
        else if (error.line != row->line || error.column != row->column ||
                 (row->problem && strcmp(error.problem, row->problem) != 0))
            cp_complain("%s: %zu:%zu: %s", row->name, error.line, error.column, error.problem);
    }
    cp_no_complaints();
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    enum { DEEP = 1000 };
    static char brackets[DEEP];
    struct cp_text json;
    struct cp_yaml_error error = {0};
    memset(brackets, '[', sizeof brackets);
    assert_false(cp_yaml_to_json((struct cp_text){brackets, sizeof brackets}, cp_test_arena(), &json, &error));
    assert_string_equal(error.problem, "nested too deeply");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_become_json),
        cmocka_unit_test(others_are_refused_with_their_place),
        cmocka_unit_test(nesting_is_bounded),
    };
    return cmocka_run_group_tests(tests, cp_description_open, cp_description_close);
}
