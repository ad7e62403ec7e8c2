/* The service without its transport: routing, methods, media types, and what every GET gives. */
#include "tests/service_client.h"

#include "core/finding.h"
#include "core/layer.h"
#include "server/embedded.h"
#include "server/state.h"

/* ---- Routing ------------------------------------------------------------------------------------------------------ */

struct row {
    const char *name;
    enum cp_request_method method;
    int status;
    const char *path;
    const char *code;  /* of the problem; NULL: no problem */
    const char *hint;  /* in the problem's suggestion; NULL: not looked at */
    const char *allow; /* NULL: no such header */
};

static const struct row rows[] = {
    {"the list of layers", CP_GET, 200, "/v1/layers", NULL, NULL, NULL},
    {"a misspelt path", CP_GET, 404, "/v1/layer", "not_found", "did you mean `/v1/layers`?", NULL},
    {"a trailing slash", CP_GET, 404, "/v1/layers/", "not_found", "did you mean `/v1/layers`?", NULL},
    {"a trailing slash of a list with names", CP_GET, 404, "/v1/examples/", "not_found", "did you mean `/v1/examples`?",
     NULL},
    {"a doubled slash", CP_GET, 404, "//v1/layers", "not_found", "did you mean `/v1/layers`?", NULL},
    {"capitals", CP_GET, 404, "/V1/Layers", "not_found", "did you mean `/v1/layers`?", NULL},
    {"a path like none", CP_GET, 404, "/index.php", "not_found", "GET / lists what is there", NULL},
    {"no path", CP_GET, 404, "", "not_found", NULL, NULL},
    {"a path without its slash", CP_GET, 404, "v1/layers", "not_found", NULL, NULL},
    {"dots", CP_GET, 404, "/v1/../v1/layers", "not_found", NULL, NULL},
    {"an escaped letter", CP_GET, 200, "/v1/l%61yers", NULL, NULL, NULL},
    {"an escaped letter, the other case", CP_GET, 200, "/v1/%6Cay%65rs", NULL, NULL, NULL},
    {"an escaped slash is no separator of a name", CP_GET, 404, "/v1/examples/a%2Fb", "not_found", NULL, NULL},
    {"an escaped zero", CP_GET, 400, "/v1/layers%00", "bad_request", NULL, NULL},
    {"an escape cut off", CP_GET, 400, "/v1/layers%6", "bad_request", NULL, NULL},
    {"an escape of nothing", CP_GET, 400, "/v1/layers%", "bad_request", NULL, NULL},
    {"an escape of no digits", CP_GET, 400, "/v1/layers%zz", "bad_request", NULL, NULL},
    {"bytes that are no UTF-8", CP_GET, 404, "/v1/\xff\xfe", "not_found", NULL, NULL},
    {"escaped bytes that are no UTF-8", CP_GET, 404, "/v1/%ff%fe", "not_found", NULL, NULL},
    {"an example by name", CP_GET, 200, "/v1/examples/resnet50", NULL, NULL, NULL},
    {"an example by an escaped name", CP_GET, 200, "/v1/examples/resnet%350", NULL, NULL, NULL},
    {"a misspelt example", CP_GET, 404, "/v1/examples/resnet51", "not_found", "did you mean `resnet50`?", NULL},
    {"an unknown example", CP_GET, 404, "/v1/examples/zzzzzzzzzz", "not_found", NULL, NULL},
    {"a path within an example", CP_GET, 404, "/v1/examples/resnet50/layers", "not_found", NULL, NULL},
    {"a relationship", CP_GET, 200, "/v1/relationships/15", NULL, NULL, NULL},
    {"relationship 0", CP_GET, 404, "/v1/relationships/0", "not_found", "1 to 15", NULL},
    {"relationship 16", CP_GET, 404, "/v1/relationships/16", "not_found", "1 to 15", NULL},
    {"relationship 01", CP_GET, 404, "/v1/relationships/01", "not_found", "1 to 15", NULL},
    {"relationship 1e0", CP_GET, 404, "/v1/relationships/1e0", "not_found", "1 to 15", NULL},
    {"relationship -1", CP_GET, 404, "/v1/relationships/-1", "not_found", "1 to 15", NULL},
    {"relationship 4294967297", CP_GET, 404, "/v1/relationships/4294967297", "not_found", "1 to 15", NULL},
    {"a problem", CP_GET, 200, "/problems/unknown_member", NULL, NULL, NULL},
    {"a misspelt problem", CP_GET, 404, "/problems/unknown_membr", "not_found", "did you mean `unknown_member`?", NULL},
    {"HEAD", CP_HEAD, 200, "/v1/layers", NULL, NULL, NULL},
    {"HEAD of nothing", CP_HEAD, 404, "/v1/nothing", "not_found", NULL, NULL},
    {"HEAD of a POST", CP_HEAD, 405, "/v1/shapes", "method_not_allowed", "it takes POST, OPTIONS", "POST, OPTIONS"},
    {"GET of a POST", CP_GET, 405, "/v1/shapes", "method_not_allowed", "it takes POST, OPTIONS", "POST, OPTIONS"},
    {"POST to a GET", CP_POST, 405, "/v1/layers", "method_not_allowed", "it takes GET, HEAD, OPTIONS",
     "GET, HEAD, OPTIONS"},
    {"POST to a name", CP_POST, 405, "/v1/examples/resnet50", "method_not_allowed", NULL, "GET, HEAD, OPTIONS"},
    {"another method", CP_OTHER_METHOD, 405, "/v1/shapes", "method_not_allowed", NULL, "POST, OPTIONS"},
    {"another method of nothing", CP_OTHER_METHOD, 404, "/v1/nothing", "not_found", NULL, NULL},
    {"OPTIONS of a POST", CP_OPTIONS, 204, "/v1/shapes", NULL, NULL, "POST, OPTIONS"},
    {"OPTIONS of a GET", CP_OPTIONS, 204, "/v1/layers", NULL, NULL, "GET, HEAD, OPTIONS"},
    {"OPTIONS of a name", CP_OPTIONS, 204, "/v1/examples/anything", NULL, NULL, "GET, HEAD, OPTIONS"},
    {"OPTIONS of the server", CP_OPTIONS, 204, "*", NULL, NULL, "GET, HEAD, POST, OPTIONS"},
    {"OPTIONS of nothing", CP_OPTIONS, 404, "/v1/nothing", "not_found", NULL, NULL},
    {"the server without OPTIONS", CP_GET, 404, "*", "not_found", NULL, NULL},
};

static const char *header_of(const struct cp_reply *reply, const char *name)
{
    for (int at = 0; at < reply->header_count; at++)
        if (strcmp(reply->headers[at].name, name) == 0) return reply->headers[at].value;
    return NULL;
}

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static const char *compare(const struct row *row, const struct cp_reply *reply)
{
    if (reply->status != row->status) return "status";
    if (!same(header_of(reply, "Allow"), row->allow)) return "Allow";
    if (row->status == 204) return reply->body.size || reply->content_type ? "a body" : NULL;
    if (!row->code) return reply->body.size && same(reply->content_type, "application/json") ? NULL : "content type";
    if (!same(reply->content_type, "application/problem+json")) return "content type";
    if (!cp_test_is_string(cp_test_at(reply->body, "/errors/0/code"), row->code)) return "code";
    if (cp_test_number(cp_test_at(reply->body, "/status")) != row->status) return "status in the body";
    if (row->hint && !cp_test_holds(cp_test_at(reply->body, "/errors/0/suggestion"), row->hint)) return "hint";
    return NULL;
}

static void test_routing(void **state)
{
    (void)state;
    static const char *const names[] = {"GET", "HEAD", "POST", "OPTIONS", "DELETE"};
    int wrong = 0;
    for (size_t at = 0; at < sizeof rows / sizeof rows[0]; at++) {
        const struct cp_request request = {.method = rows[at].method,
                                           .method_name = cp_text_of(names[rows[at].method]),
                                           .path = cp_text_of(rows[at].path)};
        struct cp_test_exchange exchange;
        cp_test_ask(&exchange, &request);
        const char *what = compare(&rows[at], &exchange.reply);
        if (what)
            print_error("%s: %s: %d %.*s\n", rows[at].name, what, exchange.reply.status, (int)exchange.reply.body.size,
                        exchange.reply.body.bytes);
        wrong += what != NULL;
        cp_test_close(&exchange);
    }
    if (wrong) fail_msg("%d rows failed", wrong);
}

/* Admission and answer agree: what is not admitted is refused in the same words. */
static void test_admission(void **state)
{
    (void)state;
    static const char *const names[] = {"GET", "HEAD", "POST", "OPTIONS", "DELETE"};
    for (size_t at = 0; at < sizeof rows / sizeof rows[0]; at++) {
        struct cp_request request = {.method = rows[at].method,
                                     .method_name = cp_text_of(names[rows[at].method]),
                                     .path = cp_text_of(rows[at].path)};
        struct cp_test_exchange early;
        struct cp_test_exchange exchange;
        size_t limit = 12345;
        cp_memory_open(&early.memory, NULL, CP_TEST_MEMORY_BYTES, cp_service_exhausted);
        bool admitted = cp_service_admit(&request, &limit, &early.reply, &early.memory.arena);
        cp_test_ask(&exchange, &request);
        if (admitted)
            assert_int_equal(limit, request.method == CP_POST ? 8 << 20 : 0);
        else if (early.reply.status != exchange.reply.status || !cp_text_equal(early.reply.body, exchange.reply.body))
            fail_msg("%s: %d %.*s", rows[at].name, early.reply.status, (int)early.reply.body.size,
                     early.reply.body.bytes);
        cp_test_close(&exchange);
        cp_test_close(&early);
    }
}

static void test_every_endpoint_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int at = 0; at < cp_endpoint_count; at++)
        for (int other = 0; other < at; other++) {
            assert_string_not_equal(cp_endpoints[at].operation_id, cp_endpoints[other].operation_id);
            assert_true(cp_endpoints[at].method != cp_endpoints[other].method ||
                        strcmp(cp_endpoints[at].path, cp_endpoints[other].path) != 0);
        }
}

/* ---- Media types --------------------------------------------------------------------------------------------------- */

#define STACK "{\"input\": [3], \"layers\": [{\"type\": \"ReLU\"}]}"

static void test_content_type(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        int status;
        const char *hint;
    } cases[] = {
        {"", 200, NULL},
        {"application/json", 200, NULL},
        {"Application/JSON", 200, NULL},
        {"application/json; charset=utf-8", 200, NULL},
        {" application/json ;charset=utf-8", 200, NULL},
        {"application/json;", 200, NULL},
        {"application/x-www-form-urlencoded", 415, "-H 'Content-Type: application/json'"},
        {"application/x-www-form-urlencoded; charset=utf-8", 415, "-H 'Content-Type: application/json'"},
        {"text/plain", 415, "send the body as application/json"},
        {"application/jsonl", 415, NULL},
        {"application/vnd.api+json", 415, NULL},
        {"multipart/form-data; boundary=x", 415, NULL},
    };
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++) {
        const struct cp_request request = {.method = CP_POST,
                                           .method_name = CP_TEXT("POST"),
                                           .path = CP_TEXT("/v1/shapes"),
                                           .content_type = cp_text_of(cases[at].type),
                                           .body = CP_TEXT(STACK)};
        struct cp_test_exchange exchange;
        cp_test_ask(&exchange, &request);
        struct cp_text suggestion = cp_test_at(exchange.reply.body, "/errors/0/suggestion");
        if (exchange.reply.status != cases[at].status || (cases[at].hint && !cp_test_holds(suggestion, cases[at].hint)))
            fail_msg("'%s': %d %.*s", cases[at].type, exchange.reply.status, (int)exchange.reply.body.size,
                     exchange.reply.body.bytes);
        cp_test_close(&exchange);
    }
}

static void test_accept(void **state)
{
    (void)state;
    static const struct {
        const char *accept;
        int status;
    } cases[] = {
        {"", 200},
        {"*/*", 200},
        {"application/json", 200},
        {"APPLICATION/Json", 200},
        {"application/*", 200},
        {"text/html, application/xhtml+xml, */*;q=0.8", 200},
        {"text/html;q=0.9,application/json;q=0.001", 200},
        {" application/json ; q=1 ", 200},
        {"application/json;charset=utf-8", 200},
        {"text/html", 406},
        {"text/*", 406},
        {"application/jsonp", 406},
        {"application/json;q=0", 406},
        {"application/json; q=0.000", 406},
        {"application/json;Q=0", 406},
        {"*/*, application/json;q=0", 406},
        {"application/json;q=0, */*", 406},
        {"application/*;q=0, */*", 406},
        {"application/*;q=0, application/json", 200},
        {"*/*;q=0", 406},
        {"*/*;q=0, application/json", 200},
        {"image/png,,", 406},
        {",application/json", 200},
    };
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++) {
        const struct cp_request request = {.method = CP_POST,
                                           .method_name = CP_TEXT("POST"),
                                           .path = CP_TEXT("/v1/shapes"),
                                           .accept = cp_text_of(cases[at].accept),
                                           .body = CP_TEXT(STACK)};
        struct cp_test_exchange exchange;
        cp_test_ask(&exchange, &request);
        if (exchange.reply.status != cases[at].status) fail_msg("'%s': %d", cases[at].accept, exchange.reply.status);
        if (exchange.reply.status == 406)
            assert_true(cp_test_is_string(cp_test_at(exchange.reply.body, "/type"), "/problems/not_acceptable"));
        cp_test_close(&exchange);
    }
}

/* A problem is told whatever the client accepts. */
static void test_problems_need_no_accept(void **state)
{
    (void)state;
    const struct cp_request request = {.method = CP_POST,
                                       .method_name = CP_TEXT("POST"),
                                       .path = CP_TEXT("/v1/shapes"),
                                       .accept = CP_TEXT("text/html"),
                                       .body = CP_TEXT("{}")};
    struct cp_test_exchange exchange;
    cp_test_ask(&exchange, &request);
    assert_int_equal(exchange.reply.status, 422);
    cp_test_close(&exchange);
}

/* ---- What the GET endpoints give ----------------------------------------------------------------------------------- */

static void get(struct cp_test_exchange *exchange, const char *path)
{
    cp_test_get(exchange, path);
    if (exchange->reply.status != 200)
        fail_msg("%s: %d %.*s", path, exchange->reply.status, (int)exchange->reply.body.size,
                 exchange->reply.body.bytes);
}

static bool is_text(struct cp_text value)
{
    return value.size > 2 && *value.bytes == '"';
}

static bool is_boolean(struct cp_text value)
{
    return cp_test_is(value, "true") || cp_test_is(value, "false");
}

static void check_member(const char *type, const struct cp_member *member, struct cp_text json)
{
    bool required = cp_test_is(cp_test_at(json, "/required"), "true");
    if (!cp_test_is_string(cp_test_at(json, "/name"), member->name.bytes) || !is_text(cp_test_at(json, "/type")) ||
        !is_boolean(cp_test_at(json, "/required")) || !is_boolean(cp_test_at(json, "/nullable")) ||
        !is_text(cp_test_at(json, "/summary")) || required == (cp_test_at(json, "/default").size > 0) ||
        (member->words && cp_test_count(cp_test_at(json, "/words")) < 2))
        fail_msg("%s: %.*s", type, (int)json.size, json.bytes);
}

static void test_layers(void **state)
{
    (void)state;
    struct cp_test_exchange exchange;
    get(&exchange, "/v1/layers");
    struct cp_text layers = cp_test_at(exchange.reply.body, "/layers");
    assert_int_equal(cp_test_count(layers), cp_layer_type_count);
    for (int row = 0; row < cp_layer_type_count; row++) {
        const struct cp_layer_type *type = &cp_layer_types[row];
        struct cp_text json = cp_test_atf(layers, "/%d", row);
        assert_true(cp_test_is_string(cp_test_at(json, "/type"), type->name));
        assert_true(is_text(cp_test_at(json, "/family")) && is_text(cp_test_at(json, "/summary")));
        assert_int_equal(cp_test_number(cp_test_at(json, "/axes")), type->axes ? type->axes : -1);
        assert_true(cp_test_is(cp_test_at(json, "/merges"), type->kind->merges ? "true" : "false"));
        assert_int_equal(cp_test_count(cp_test_at(json, "/members")), type->kind->member_count);
        for (int at = 0; at < type->kind->member_count; at++)
            check_member(type->name, &type->kind->members[at], cp_test_atf(json, "/members/%d", at));
    }
    cp_test_close(&exchange);
}

/* The default that is shown is the one that is used: a layer that writes it out is planned in the same way. */
static void test_defaults(void **state)
{
    (void)state;
    static const char *const required[][2] = {
        {"Conv2d", "\"out_channels\": 4, \"kernel_size\": 3"},
        {"ConvTranspose2d", "\"out_channels\": 4, \"kernel_size\": 3"},
        {"MaxPool2d", "\"kernel_size\": 3"},
        {"AvgPool2d", "\"kernel_size\": 3"},
        {"LPPool2d", "\"kernel_size\": 3"},
        {"MaxUnpool2d", "\"kernel_size\": 3"},
        {"Linear", "\"out_features\": 3"},
        {"Flatten", "\"meta\": 1"},
        {"Slice", "\"dim\": 2"},
        {"Mean", "\"dim\": 2"},
        {"Concat", "\"from\": [\"input\", \"input\"]"},
        {"BatchNorm2d", "\"meta\": 1"},
        {"InstanceNorm2d", "\"meta\": 1"},
        {"GroupNorm", "\"num_groups\": 2"},
        {"LayerNorm", "\"normalized_shape\": 9"},
        {"LocalResponseNorm", "\"size\": 3"},
        {"Scale", "\"meta\": 1"},
        {"Upsample", "\"scale_factor\": 2"},
        {"PReLU", "\"meta\": 1"},
        {"Softmax", "\"meta\": 1"},
        {"Softplus", "\"meta\": 1"},
        {"Dropout2d", "\"meta\": 1"},
        {"GELU", "\"meta\": 1"},
    };
    struct cp_test_exchange table;
    get(&table, "/v1/layers");
    for (size_t row = 0; row < sizeof required / sizeof required[0]; row++) {
        const struct cp_layer_type *type = cp_layer_type_find(cp_text_of(required[row][0]));
        struct cp_test_exchange plain;
        struct cp_test_exchange written;
        struct cp_test_text text;
        FILE *file = cp_test_begin(&text);
        (void)fprintf(file, "{\"input\": [2, 4, 8, 9], \"layers\": [{\"type\": \"%s\", %s}]}", type->name,
                      required[row][1]);
        cp_test_post(&plain, cp_test_finish(&text));
        cp_test_free(&text);
        file = cp_test_begin(&text);
        (void)fprintf(file, "{\"input\": [2, 4, 8, 9], \"layers\": [{\"type\": \"%s\", %s", type->name,
                      required[row][1]);
        struct cp_text members = cp_test_atf(table.reply.body, "/layers/%d/members", (int)(type - cp_layer_types));
        for (int at = 0; at < type->kind->member_count; at++) {
            struct cp_text value = cp_test_atf(members, "/%d/default", at);
            if (value.size && !cp_test_is(value, "null"))
                (void)fprintf(file, ", \"%s\": %.*s", type->kind->members[at].name.bytes, (int)value.size, value.bytes);
        }
        (void)fprintf(file, "}]}");
        cp_test_post(&written, cp_test_finish(&text));
        if (plain.reply.status != 200 || !cp_text_equal(plain.reply.body, written.reply.body) ||
            !cp_test_is(cp_test_at(plain.reply.body, "/valid"), "true"))
            fail_msg("%s\n%.*s\n%.*s", text.bytes, (int)plain.reply.body.size, plain.reply.body.bytes,
                     (int)written.reply.body.size, written.reply.body.bytes);
        cp_test_close(&plain);
        cp_test_close(&written);
        cp_test_free(&text);
    }
    cp_test_close(&table);
}

static void test_relationships(void **state)
{
    (void)state;
    struct cp_test_exchange all;
    get(&all, "/v1/relationships");
    assert_int_equal(cp_test_count(cp_test_at(all.reply.body, "/relationships")), 15);
    for (int number = 1; number <= 15; number++) {
        char path[64];
        struct cp_test_exchange one;
        (void)snprintf(path, sizeof path, "/v1/relationships/%d", number);
        get(&one, path);
        struct cp_text body = one.reply.body;
        assert_true(cp_text_equal(cp_test_atf(all.reply.body, "/relationships/%d", number - 1), body));
        assert_int_equal(cp_test_number(cp_test_at(body, "/number")), number);
        static const char *const texts[] = {"/title",   "/applies_to",      "/conditions",
                                            "/formula", "/example/formula", "/figure"};
        for (size_t at = 0; at < sizeof texts / sizeof texts[0]; at++)
            assert_true(is_text(cp_test_at(body, texts[at])));
        assert_true(cp_test_number(cp_test_at(body, "/example/o")) > 0);
        cp_test_close(&one);
    }
    cp_test_close(&all);
}

static void test_problem_pages(void **state)
{
    (void)state;
    for (int code = 0; code < CP_CODE_COUNT; code++) {
        char path[64];
        struct cp_test_exchange exchange;
        (void)snprintf(path, sizeof path, "/problems/%s", cp_statuses[code].code);
        get(&exchange, path);
        struct cp_text body = exchange.reply.body;
        assert_true(cp_test_is_string(cp_test_at(body, "/code"), cp_statuses[code].code));
        assert_true(is_text(cp_test_at(body, "/title")) && is_text(cp_test_at(body, "/explanation")));
        assert_int_equal(cp_test_number(cp_test_at(body, "/status")), cp_statuses[code].http_status);
        assert_true(
            cp_test_is_string(cp_test_at(body, "/kind"), cp_statuses[code].http_status == 200 ? "finding" : "problem"));
        cp_test_close(&exchange);
    }
}

static void test_health(void **state)
{
    (void)state;
    struct cp_test_exchange exchange;
    get(&exchange, "/healthz");
    assert_true(cp_test_is(exchange.reply.body, "{\"status\":\"alive\"}"));
    cp_test_close(&exchange);
    get(&exchange, "/readyz");
    assert_true(cp_test_is(exchange.reply.body, "{\"status\":\"ready\"}"));
    cp_test_close(&exchange);
    cp_draining = true;
    cp_test_get(&exchange, "/readyz");
    assert_int_equal(exchange.reply.status, 503);
    assert_true(same(header_of(&exchange.reply, "Retry-After"), "1"));
    cp_test_close(&exchange);
    get(&exchange, "/healthz");
    cp_test_close(&exchange);
    cp_draining = false;
}

static void test_index(void **state)
{
    (void)state;
    struct cp_test_exchange exchange;
    get(&exchange, "/");
    struct cp_text operations = cp_test_at(exchange.reply.body, "/operations");
    assert_int_equal(cp_test_count(operations), cp_endpoint_count);
    for (int at = 0; at < cp_endpoint_count; at++) {
        assert_true(cp_test_is_string(cp_test_atf(operations, "/%d/path", at), cp_endpoints[at].path));
        assert_true(cp_test_is_string(cp_test_atf(operations, "/%d/operation", at), cp_endpoints[at].operation_id));
    }
    cp_test_close(&exchange);
}

static void test_description(void **state)
{
    (void)state;
    struct cp_test_exchange exchange;
    get(&exchange, "/openapi.yaml");
    assert_true(cp_test_holds(exchange.reply.body, "openapi: 3.1"));
    cp_test_close(&exchange);
    get(&exchange, "/openapi.json");
    assert_true(same(exchange.reply.content_type, "application/json"));
    assert_true(cp_test_at(exchange.reply.body, "/openapi").size > 2);
    cp_test_close(&exchange);
}

/* ---- Examples ------------------------------------------------------------------------------------------------------ */

/* Each is a request that is valid, and its totals are those that it states. */
static void check_example(struct cp_text request, struct cp_text entry, const char *name)
{
    struct cp_test_exchange exchange;
    cp_test_post(&exchange, request);
    struct cp_text body = exchange.reply.body;
    static const char *const totals[] = {"params", "macs"};
    if (!cp_test_is(cp_test_at(body, "/valid"), "true")) fail_msg("%s: %.*s", name, (int)body.size, body.bytes);
    for (int at = 0; at < 2; at++) {
        long long stated = cp_test_number(cp_test_atf(request, "/meta/%s", totals[at]));
        long long planned = cp_test_number(cp_test_atf(body, "/totals/%s", totals[at]));
        long long listed = cp_test_number(cp_test_atf(entry, "/%s", totals[at]));
        if (stated < 0 || stated != planned || stated != listed)
            fail_msg("%s: %s: stated %lld, planned %lld, listed %lld", name, totals[at], stated, planned, listed);
    }
    assert_int_equal(cp_test_number(cp_test_at(entry, "/layers")), cp_test_count(cp_test_at(request, "/layers")));
    cp_test_close(&exchange);
}

static void test_examples(void **state)
{
    (void)state;
    struct cp_test_exchange list;
    get(&list, "/v1/examples");
    struct cp_text entries = cp_test_at(list.reply.body, "/examples");
    assert_int_equal(cp_test_count(entries), cp_example_count);
    for (int at = 0; at < cp_example_count; at++) {
        char path[128];
        struct cp_test_exchange example;
        struct cp_text entry = cp_test_atf(entries, "/%d", at);
        (void)snprintf(path, sizeof path, "/v1/examples/%s", cp_examples[at].name);
        assert_true(cp_test_is_string(cp_test_at(entry, "/name"), cp_examples[at].name));
        assert_true(cp_test_is_string(cp_test_at(entry, "/href"), path));
        assert_true(is_text(cp_test_at(entry, "/title")) && is_text(cp_test_at(entry, "/summary")) &&
                    is_text(cp_test_at(entry, "/reference")));
        get(&example, path);
        check_example(example.reply.body, entry, cp_examples[at].name);
        cp_test_close(&example);
    }
    cp_test_close(&list);
}

/* What was published: torchvision's numbers. */
static void test_resnet50(void **state)
{
    (void)state;
    struct cp_test_exchange example;
    struct cp_test_exchange answer;
    get(&example, "/v1/examples/resnet50");
    cp_test_post(&answer, example.reply.body);
    assert_true(cp_test_is(cp_test_at(answer.reply.body, "/totals/params"), "25557032"));
    assert_true(cp_test_is(cp_test_at(answer.reply.body, "/totals/macs"), "4089184256"));
    assert_true(cp_test_is(cp_test_at(answer.reply.body, "/output"), "[1,1000]"));
    cp_test_close(&answer);
    cp_test_close(&example);
}

/* ---- Refusals of the transport ------------------------------------------------------------------------------------- */

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *code;
    } cases[] = {{400, "bad_request"},
                 {401, "unauthorized"},
                 {505, "version_not_supported"},
                 {408, "request_timeout"},
                 {411, "length_required"},
                 {413, "body_too_large"},
                 {414, "target_too_long"},
                 {429, "too_many_requests"},
                 {503, "overloaded"},
                 {431, "header_fields_too_large"}};
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++) {
        struct cp_test_exchange exchange;
        struct cp_json_error error;
        cp_memory_open(&exchange.memory, NULL, CP_TEST_MEMORY_BYTES, NULL);
        cp_service_refuse(cases[at].status, "why", &exchange.reply, &exchange.memory.arena);
        struct cp_text body = exchange.reply.body;
        assert_int_equal(exchange.reply.status, cases[at].status);
        assert_true(cp_test_is_json(body.bytes, body.size, &error));
        assert_true(cp_test_is_string(cp_test_at(body, "/errors/0/code"), cases[at].code));
        assert_false(cp_test_holds(body, "{0}") || cp_test_holds(body, "{1}"));
        assert_true(cases[at].status != 503 || header_of(&exchange.reply, "Retry-After"));
        cp_test_close(&exchange);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_routing),
        cmocka_unit_test(test_admission),
        cmocka_unit_test(test_every_endpoint_has_a_name_of_its_own),
        cmocka_unit_test(test_content_type),
        cmocka_unit_test(test_accept),
        cmocka_unit_test(test_problems_need_no_accept),
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_relationships),
        cmocka_unit_test(test_problem_pages),
        cmocka_unit_test(test_health),
        cmocka_unit_test(test_index),
        cmocka_unit_test(test_description),
        cmocka_unit_test(test_examples),
        cmocka_unit_test(test_resnet50),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
