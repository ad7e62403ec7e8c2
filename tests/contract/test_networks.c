/* Every network of /v1/examples is a request as it is described, plans without an error, and has the published totals
 * that its `meta` tells. */
#include <dirent.h>
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

static bool is_embedded(const char *file, size_t name_size)
{
    for (int index = 0; index < cp_example_count; index++)
        if (cp_text_equal(cp_text_of(cp_examples[index].name), (struct cp_text){file, name_size})) return true;
    return false;
}

/* A file that nobody listed in server/examples.def would be no example and no test. */
static void every_file_is_listed(void **state)
{
    (void)state;
    static const char extension[] = ".json";
    DIR *directory = opendir("server/examples"); /* tests run in the root of the tree */
    int files = 0;
    for (const struct dirent *entry; directory && (entry = readdir(directory));) {
        size_t size = strlen(entry->d_name);
        if (size < sizeof extension || strcmp(entry->d_name + size - (sizeof extension - 1), extension) != 0) continue;
        files++;
        if (!is_embedded(entry->d_name, size - (sizeof extension - 1))) cp_complain("%s is not listed", entry->d_name);
    }
    if (directory) closedir(directory);
    assert_int_equal(files, cp_example_count);
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
