/* Every network of /v1/examples is a request as it is described, plans without an error, and has the published totals
 * that its `meta` tells. */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "server/embedded.h"
#include "tests/contract/description.h"
#include "tests/contract/schema.h"

static void check_total(const char *network, const struct cp_json *meta, const struct cp_json *totals, const char *name)
{
    int64_t published = -1, planned = -1;
    (void)!cp_json_integer(cp_at(meta, name), &published);
    (void)!cp_json_integer(cp_at(totals, name), &planned);
    if (planned < 0 || planned != published)
        cp_complain("%s: %s %lld, published %lld", network, name, (long long)planned, (long long)published);
}

static void check_network(const struct cp_example *example)
{
    const struct cp_json *request = cp_parsed(example->request), *meta = cp_at(request, "meta");
    struct cp_reply reply = cp_post_shapes(example->request);
    const struct cp_json *plan = cp_parsed(reply.body);
    assert_non_null(meta);
    struct cp_text broken =
        cp_schema_check(cp_description(), cp_described_schema("ShapesRequest"), request, true, cp_test_arena());
    if (broken.size) cp_complain("%s: %.*s", example->name, CP_SHOWN(broken));
    if (reply.status != 200 || cp_json_type(cp_at(plan, "valid")) != CP_JSON_TRUE) {
        cp_complain("%s: %.*s", example->name,
                    CP_SHOWN(cp_written(reply.status == 200 ? cp_at(plan, "findings") : plan)));
        return;
    }
    broken = cp_schema_check(cp_description(), cp_described_schema("Plan"), plan, true, cp_test_arena());
    if (broken.size) cp_complain("%s: the plan %.*s", example->name, CP_SHOWN(broken));
    struct cp_text difference =
        cp_json_difference(cp_at(meta, "output"), cp_at(plan, "output"), false, cp_test_arena());
    if (difference.size) cp_complain("%s: output %.*s", example->name, CP_SHOWN(difference));
    check_total(example->name, meta, cp_at(plan, "totals"), "params");
    check_total(example->name, meta, cp_at(plan, "totals"), "macs");
}

static void every_network_has_its_published_totals(void **state)
{
    (void)state;
    assert_true(cp_example_count > 0);
    for (int index = 0; index < cp_example_count; index++) check_network(&cp_examples[index]);
    cp_no_complaints();
}

/* A list entry says who the network is; the texts are what the list of /v1/examples shows. */
static void every_network_says_what_it_is(void **state)
{
    static const char *const texts[] = {"title", "summary", "reference"};
    (void)state;
    for (int index = 0; index < cp_example_count; index++) {
        const struct cp_json *meta = cp_at(cp_parsed(cp_examples[index].request), "meta");
        for (size_t text = 0; text < sizeof texts / sizeof texts[0]; text++)
            if (!cp_at(meta, texts[text]) || cp_json_text(cp_at(meta, texts[text])).size == 0)
                cp_complain("%s: no %s", cp_examples[index].name, texts[text]);
    }
    cp_no_complaints();
}

static bool is_embedded(struct cp_text name)
{
    for (int index = 0; index < cp_example_count; index++)
        if (cp_text_is(name, cp_examples[index].name)) return true;
    return false;
}

/* A file that nobody listed in server/examples.def would be no example and no test. */
static void every_file_is_listed(void **state)
{
    (void)state;
    static const char directory[] = "server/examples/", extension[] = ".json";
    glob_t files;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread. */
    assert_int_equal(glob("server/examples/*.json", 0, NULL, &files), 0); /* tests run in the root of the tree */
    for (size_t index = 0; index < files.gl_pathc; index++) {
        const char *name = files.gl_pathv[index] + sizeof directory - 1;
        if (!is_embedded((struct cp_text){name, strlen(name) - (sizeof extension - 1)}))
            cp_complain("%s is not listed in server/examples.def", name);
    }
    int count = (int)files.gl_pathc;
    globfree(&files);
    assert_int_equal(count, cp_example_count);
    cp_no_complaints();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_network_has_its_published_totals),
        cmocka_unit_test(every_network_says_what_it_is),
        cmocka_unit_test(every_file_is_listed),
    };
    return cmocka_run_group_tests(tests, cp_description_open, cp_description_close);
}
