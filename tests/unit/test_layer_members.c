/* The table of layers as requests meet it: every member of every type with every type of value, the ends of its range,
 * and both layouts. */
#include "core/layer.h"
#include "core/limits.h"
#include "tests/service_client.h"

/* ---- Every member ---------------------------------------------------------------------------------------------------- */

/* A value that the member takes, whatever the layer. */
static const char *plain_value(const struct cp_member *member)
{
    static const struct {
        const char *name, *value;
    } values[] = {{"normalized_shape", "[9]"},
                  {"dims", "[0, 1, 3, 2]"},
                  {"unflattened_size", "[2, 2]"},
                  {"shape", "[2, -1]"},
                  {"dim", "1"},
                  {"num_groups", "2"},
                  {"upscale_factor", "2"},
                  {"downscale_factor", "1"}};
    for (size_t at = 0; at < sizeof values / sizeof values[0]; at++)
        if (strcmp(member->name.bytes, values[at].name) == 0) return values[at].value;
    return "2";
}

static bool takes(const struct cp_member *member, enum cp_json_type type)
{
    switch (type) {
    case CP_JSON_NULL: return member->nullable;
    case CP_JSON_FALSE:
    case CP_JSON_TRUE: return member->type == CP_MEMBER_BOOLEAN;
    case CP_JSON_STRING:
        return member->type == CP_MEMBER_WORD || member->type == CP_MEMBER_LAYER || member->type == CP_MEMBER_PADDING;
    case CP_JSON_NUMBER:
        return member->type != CP_MEMBER_BOOLEAN && member->type != CP_MEMBER_WORD && member->type != CP_MEMBER_LAYER &&
               member->type != CP_MEMBER_SHAPE;
    case CP_JSON_ARRAY:
        return member->type == CP_MEMBER_AXES || member->type == CP_MEMBER_PADDING ||
               member->type == CP_MEMBER_BORDERS || member->type == CP_MEMBER_SIZES ||
               member->type == CP_MEMBER_SHAPE || member->type == CP_MEMBER_FACTORS;
    case CP_JSON_OBJECT: return false;
    }
    return false;
}

/* One layer of the type with the member as given and all other required ones. */
static void write_layer(FILE *file, const struct cp_layer_type *type, const struct cp_member *member, const char *value)
{
    (void)fprintf(file, "{\"type\": \"%s\"", type->name);
    for (int at = 0; at < type->kind->member_count; at++) {
        const struct cp_member *other = &type->kind->members[at];
        if (member && other == member)
            (void)fprintf(file, ", \"%s\": %s", member->name.bytes, value);
        else if (other->required)
            (void)fprintf(file, ", \"%s\": %s", other->name.bytes, plain_value(other));
    }
    (void)fprintf(file, "}");
}

/* Is there an error with this code (NULL: any) at or below the member? */
static bool has_error(struct cp_text body, const char *member, const char *code)
{
    char pointer[64];
    int size = snprintf(pointer, sizeof pointer, "\"/layers/0/%s", member);
    int count = cp_test_count(cp_test_at(body, "/errors"));
    for (int at = 0; at < count; at++) {
        struct cp_text found = cp_test_atf(body, "/errors/%d/pointer", at);
        if (found.size <= (size_t)size || memcmp(found.bytes, pointer, (size_t)size) != 0) continue;
        if (found.bytes[size] != '"' && found.bytes[size] != '/') continue;
        if (!code || cp_test_is_string(cp_test_atf(body, "/errors/%d/code", at), code)) return true;
    }
    return false;
}

enum verdict { ACCEPTED, REFUSED };

/* `code` NULL: any. */
static bool try_value(const struct cp_layer_type *type, const struct cp_member *member, const char *value,
                      enum verdict verdict, const char *code)
{
    struct cp_test_text text;
    struct cp_test_exchange exchange;
    FILE *file = cp_test_begin(&text);
    (void)fprintf(file, "{\"input\": [2, 4, 8, 9], \"layers\": [");
    write_layer(file, type, member, value);
    (void)fprintf(file, "]}");
    cp_test_post(&exchange, cp_test_finish(&text));
    bool found = has_error(exchange.reply.body, member->name.bytes, verdict == REFUSED ? code : NULL);
    bool right = verdict == REFUSED ? found && exchange.reply.status == 422 : !found;
    if (!right)
        print_error("%s with %s: %s, wanted %s %s\n  %.*s\n", type->name, member->name.bytes, value,
                    verdict == REFUSED ? "it refused," : "no error", code ? code : "", (int)exchange.reply.body.size,
                    exchange.reply.body.bytes);
    cp_test_close(&exchange);
    cp_test_free(&text);
    return right;
}

static int try_types(const struct cp_layer_type *type, const struct cp_member *member)
{
    static const char *const samples[] = {
        [CP_JSON_NULL] = "null",      [CP_JSON_FALSE] = "false", [CP_JSON_TRUE] = "true", [CP_JSON_NUMBER] = "1",
        [CP_JSON_STRING] = "\"xyz\"", [CP_JSON_ARRAY] = "[]",    [CP_JSON_OBJECT] = "{}"};
    int wrong = 0;
    for (enum cp_json_type sample = CP_JSON_NULL; sample <= CP_JSON_OBJECT; sample++) {
        bool taken = takes(member, sample);
        if (taken && sample == CP_JSON_STRING) /* but not this one */
            wrong +=
                member->type != CP_MEMBER_LAYER && !try_value(type, member, samples[sample], REFUSED, "unknown_word");
        else if (taken && sample == CP_JSON_ARRAY) /* but not an empty one */
            wrong += !try_value(type, member, samples[sample], REFUSED, "wrong_length");
        else
            wrong += !try_value(type, member, samples[sample], taken ? ACCEPTED : REFUSED, "wrong_type");
    }
    return wrong;
}

/* Numbers at the ends of the range and past them; in a list too where the member takes one. */
static int try_range(const struct cp_layer_type *type, const struct cp_member *member)
{
    char value[64];
    int64_t most = member->maximum ? member->maximum : CP_MAX_COUNT;
    bool whole = member->type == CP_MEMBER_SHAPE;
    bool listed = takes(member, CP_JSON_ARRAY);
    int wrong = 0;
    const struct {
        int64_t number;
        enum verdict verdict;
    } ends[] = {{member->minimum, ACCEPTED}, {member->minimum - 1, REFUSED}, {most, ACCEPTED}, {most + 1, REFUSED}};
    for (int at = 0; at < 4; at++) {
        (void)snprintf(value, sizeof value, whole ? "[%lld]" : "%lld", (long long)ends[at].number);
        wrong += !try_value(type, member, value, ends[at].verdict, "out_of_range");
    }
    if (member->nonzero) wrong += !try_value(type, member, "[0]", REFUSED, "out_of_range");
    static const char *const others[][2] = {{"1e300", "out_of_range"}, {"-1e300", "out_of_range"},
                                            {"1.5", "wrong_type"},     {"9007199254740993", "out_of_range"},
                                            {"1e-9", "wrong_type"},    {"18446744073709551616", "out_of_range"},
                                            {"-1e99", "out_of_range"}};
    for (size_t at = 0; at < sizeof others / sizeof others[0]; at++) {
        (void)snprintf(value, sizeof value, whole ? "[%s]" : "%s", others[at][0]);
        wrong += !try_value(type, member, value, REFUSED, others[at][1]);
    }
    if (listed) wrong += !try_value(type, member, "[1, 1, 1, 1, 1, 1, 1, 1, 1]", REFUSED, "wrong_length");
    if (listed) wrong += !try_value(type, member, "{\"0\": 1}", REFUSED, "wrong_type");
    return wrong;
}

static bool is_integral(const struct cp_member *member)
{
    return member->type == CP_MEMBER_INTEGER || member->type == CP_MEMBER_AXES || member->type == CP_MEMBER_PADDING ||
           member->type == CP_MEMBER_BORDERS || member->type == CP_MEMBER_SIZES || member->type == CP_MEMBER_SHAPE;
}

static void test_every_member(void **state)
{
    (void)state;
    int wrong = 0;
    int members = 0;
    for (int row = 0; row < cp_layer_type_count; row++) {
        const struct cp_layer_type *type = &cp_layer_types[row];
        bool refers = false;
        for (int at = 0; at < type->kind->member_count; at++, members++) {
            refers = refers || type->kind->members[at].type == CP_MEMBER_LAYER;
            wrong += try_types(type, &type->kind->members[at]);
            if (is_integral(&type->kind->members[at])) wrong += try_range(type, &type->kind->members[at]);
        }
        if (refers != type->kind->refers) fail_msg("%s: refers", type->name);
    }
    assert_in_range(members, 200, 2000);
    if (wrong) fail_msg("%d cases failed", wrong);
}

/* A required member that is left out is missed, and nothing else is. */
static void test_every_required_member(void **state)
{
    (void)state;
    for (int row = 0; row < cp_layer_type_count; row++) {
        const struct cp_layer_type *type = &cp_layer_types[row];
        int required = 0;
        for (int at = 0; at < type->kind->member_count; at++) required += type->kind->members[at].required;
        struct cp_test_text text;
        struct cp_test_exchange exchange;
        (void)fprintf(cp_test_begin(&text), "{\"input\": [2, 4, 8, 9], \"layers\": [{\"type\": \"%s\"}]}", type->name);
        cp_test_post(&exchange, cp_test_finish(&text));
        int errors = cp_test_count(cp_test_at(exchange.reply.body, "/errors"));
        bool either = strcmp(type->name, "Upsample") == 0 || strncmp(type->name, "CenterCrop", 10) == 0;
        if (errors != (either ? 1 : required)) fail_msg("%s: %d errors", type->name, errors);
        for (int at = 0; at < errors; at++)
            assert_true(cp_test_is_string(cp_test_atf(exchange.reply.body, "/errors/%d/code", at), "missing_member"));
        cp_test_close(&exchange);
        cp_test_free(&text);
    }
}

/* ---- Layouts -------------------------------------------------------------------------------------------------------- */

enum { MOST_DIMS = CP_MAX_AXES + 2 };

static void write_shape(FILE *file, const int sizes[MOST_DIMS], int rank, bool channels_last)
{
    if (rank > MOST_DIMS) rank = MOST_DIMS;
    (void)fprintf(file, "[%d", sizes[0]);
    for (int at = 1; at < rank; at++)
        (void)fprintf(file, ", %d", !channels_last ? sizes[at] : at == rank - 1 ? sizes[1] : sizes[at + 1]);
    (void)fprintf(file, "]");
}

/* Post one layer of the type in one layout. The input has the rank that it wants. */
static void post_layer(struct cp_test_exchange *exchange, const struct cp_layer_type *type, bool channels_last)
{
    static const int sizes[MOST_DIMS] = {2, 4, 8, 9, 10};
    static const char *const either[][2] = {{"Upsample", "scale_factor\": 2"}, {"CenterCrop", "output_size\": 2"}};
    struct cp_test_text text;
    FILE *file = cp_test_begin(&text);
    (void)fprintf(file, "{\"layout\": \"%s\", \"explain\": true, \"input\": ",
                  channels_last ? "channels_last" : "channels_first");
    write_shape(file, sizes, type->axes ? type->axes + 2 : 4, channels_last);
    (void)fprintf(file, ", \"layers\": [");
    write_layer(file, type, NULL, NULL);
    (void)fseeko(file, -1, SEEK_CUR);
    for (int at = 0; at < 2; at++)
        if (strncmp(type->name, either[at][0], strlen(either[at][0])) == 0)
            (void)fprintf(file, ", \"%s", either[at][1]);
    (void)fprintf(file, "}]}");
    cp_test_post(exchange, cp_test_finish(&text));
    if (exchange->reply.status != 200)
        fail_msg("%s\n%.*s", text.bytes, (int)exchange->reply.body.size, exchange->reply.body.bytes);
    cp_test_free(&text);
}

static int read_shape(struct cp_text text, long long sizes[CP_MAX_RANK])
{
    int rank = cp_test_count(text);
    for (int at = 0; at < rank; at++) sizes[at] = cp_test_number(cp_test_atf(text, "/%d", at));
    return rank;
}

static void compare_layouts(const char *name, struct cp_text first, struct cp_text last)
{
    static const char *const same[] = {"/valid", "/totals", "/layers/0/relationship", "/layers/0/receptive_field"};
    long long a[CP_MAX_RANK] = {0};
    long long b[CP_MAX_RANK] = {0};
    for (size_t at = 0; at < sizeof same / sizeof same[0]; at++)
        if (!cp_text_equal(cp_test_at(first, same[at]), cp_test_at(last, same[at]))) fail_msg("%s: %s", name, same[at]);
    if (!cp_test_is(cp_test_at(first, "/valid"), "true")) fail_msg("%s: %.*s", name, (int)first.size, first.bytes);
    int rank = read_shape(cp_test_at(first, "/output"), a);
    if (read_shape(cp_test_at(last, "/output"), b) != rank) fail_msg("%s: rank", name);
    for (int dim = 0; dim < rank; dim++) {
        int there = rank < 3 || dim == 0 ? dim : dim == 1 ? rank - 1 : dim - 1;
        if (a[dim] != b[there]) fail_msg("%s: dimension %d: %lld and %lld", name, dim, a[dim], b[there]);
    }
}

static void test_channels_last(void **state)
{
    (void)state;
    for (int row = 0; row < cp_layer_type_count; row++) {
        struct cp_test_exchange first;
        struct cp_test_exchange last;
        if (strcmp(cp_layer_types[row].name, "Opaque") == 0) continue;
        post_layer(&first, &cp_layer_types[row], false);
        post_layer(&last, &cp_layer_types[row], true);
        compare_layouts(cp_layer_types[row].name, first.reply.body, last.reply.body);
        cp_test_close(&first);
        cp_test_close(&last);
    }
}

static void test_shapes_of_members_follow_the_layout(void **state)
{
    (void)state;
    static const char request[] =
        "{\"layout\": \"channels_last\", \"input\": [2, 8, 9, 4], \"layers\": ["
        "{\"type\": \"Opaque\", \"output_shape\": [2, 8, 10, 6], \"expect\": [2, 8, 10, null]}, "
        "{\"type\": \"Conv2d\", \"out_channels\": 3, \"kernel_size\": [1, 3], \"in_channels\": 6, "
        "\"expect\": [2, 8, 8, 3]}, {\"type\": \"Reshape\", \"shape\": [2, 4, 16, 3], \"expect\": [null, 4, 16, 3]}, "
        "{\"type\": \"ReLU\", \"expect\": [2, 4, 3, 16]}]}";
    struct cp_test_exchange exchange;
    cp_test_post(&exchange, CP_TEXT(request));
    struct cp_text body = exchange.reply.body;
    assert_true(cp_test_is(cp_test_at(body, "/input"), "[2,8,9,4]"));
    assert_true(cp_test_is(cp_test_at(body, "/layers/1/output"), "[2,8,8,3]"));
    assert_true(cp_test_is(cp_test_at(body, "/output"), "[2,4,16,3]"));
    int count = cp_test_count(cp_test_at(body, "/findings"));
    struct cp_text last = cp_test_atf(body, "/findings/%d/detail", count - 1);
    assert_true(cp_test_is_string(last, "expected [2, 4, 3, 16], the output is [2, 4, 16, 3]"));
    cp_test_close(&exchange);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_member),
        cmocka_unit_test(test_every_required_member),
        cmocka_unit_test(test_channels_last),
        cmocka_unit_test(test_shapes_of_members_follow_the_layout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
