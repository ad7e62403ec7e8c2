/* openapi.yaml says what the service does: the same operations, the same codes, and every example is what the service
 * answers. */
#define _GNU_SOURCE 1 /* memmem */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/finding.h"
#include "server/embedded.h"
#include "server/formats/yaml.h"
#include "server/problem.h"
#include "server/state.h"
#include "tests/contract/description.h"
#include "tests/contract/schema.h"

/* ---- Operations --------------------------------------------------------------------------------------------------- */

static void every_endpoint_is_described(void **state)
{
    (void)state;
    const struct cp_json *paths = cp_described("paths");
    for (int index = 0; index < cp_endpoint_count; index++) {
        const struct cp_endpoint *endpoint = &cp_endpoints[index];
        const struct cp_json *operation =
            cp_at(cp_at(paths, endpoint->path), endpoint->method == CP_POST ? "post" : "get");
        const struct cp_json *id = cp_at(operation, "operationId");
        if (!id)
            cp_complain("%s is not described", endpoint->operation_id);
        else if (!cp_text_is(cp_json_text(id), endpoint->operation_id))
            cp_complain("%s is called %.*s", endpoint->operation_id, CP_SHOWN(cp_json_text(id)));
        else if ((endpoint->body_limit != NULL) != (cp_at(operation, "requestBody") != NULL))
            cp_complain("%s: a body is described or taken, but not both", endpoint->operation_id);
    }
    cp_no_complaints();
}

static bool is_endpoint(struct cp_text path, struct cp_text method)
{
    for (int index = 0; index < cp_endpoint_count; index++) {
        const char *name = cp_endpoints[index].method == CP_POST ? "post" : "get";
        if (cp_text_is(path, cp_endpoints[index].path) && cp_text_is(method, name)) return true;
    }
    return false;
}

static void every_operation_exists(void **state)
{
    (void)state;
    const struct cp_json *paths = cp_described("paths");
    for (const struct cp_json *path = cp_json_first(paths); path; path = cp_json_next(path))
        for (const struct cp_json *method = cp_json_first(path); method; method = cp_json_next(method))
            if (!is_endpoint(cp_json_name(path), cp_json_name(method)))
                cp_complain("%.*s %.*s is no endpoint", CP_SHOWN(cp_json_name(method)), CP_SHOWN(cp_json_name(path)));
    cp_no_complaints();
}

/* ---- Codes -------------------------------------------------------------------------------------------------------- */

static void codes_are_those_of_the_table(void **state)
{
    (void)state;
    const struct cp_json *finding = cp_json_first(cp_at(cp_described_schema("FindingCode"), "enum"));
    const struct cp_json *problem = cp_json_first(cp_at(cp_described_schema("ProblemCode"), "enum"));
    for (int code = 0; code < CP_CODE_COUNT; code++) {
        const struct cp_json **next = cp_statuses[code].http_status == 200 ? &finding : &problem;
        if (!*next || !cp_text_is(cp_json_text(*next), cp_statuses[code].code))
            fail_msg("in the order of core/status.def, %s is due, and there is %.*s", cp_statuses[code].code,
                     CP_SHOWN(*next ? cp_json_text(*next) : CP_TEXT("nothing")));
        *next = cp_json_next(*next);
    }
    assert_null(finding);
    assert_null(problem);
}

/* Can the code be in a reply of the endpoint, whatever is asked of it? Those of the transport can; two are of bodies, one of
 * tokens. All can where there is a body. */
static bool is_of_transport(const struct cp_endpoint *endpoint, int code)
{
    if (code == CP_CODE_unauthorized) return !endpoint->open;
    if (code == CP_CODE_not_found) return false;
    if (endpoint->method == CP_POST) return true;
    return code <= CP_CODE_overloaded && code != CP_CODE_length_required && code != CP_CODE_unsupported_media_type;
}

static void every_status_is_described(void **state)
{
    (void)state;
    for (int index = 0; index < cp_endpoint_count; index++) {
        const struct cp_endpoint *endpoint = &cp_endpoints[index];
        const struct cp_json *path = cp_at(cp_described("paths"), endpoint->path);
        const struct cp_json *responses = cp_at(cp_at(path, endpoint->method == CP_POST ? "post" : "get"), "responses");
        for (int code = CP_CODE_bad_request; code < CP_CODE_COUNT; code++) {
            char status[8];
            snprintf(status, sizeof status, "%d", cp_statuses[code].http_status);
            if (is_of_transport(endpoint, code) && !cp_at(responses, status))
                cp_complain("%s: %s has status %s", endpoint->operation_id, cp_statuses[code].code, status);
            if (endpoint->open && code == CP_CODE_unauthorized && cp_at(responses, status))
                cp_complain("%s: it is for everyone", endpoint->operation_id);
        }
    }
    cp_no_complaints();
}

/* ---- Examples ----------------------------------------------------------------------------------------------------- */

/* One example of a reply: where it stands. */
struct reply_example {
    const struct cp_json *path, *operation, *response, *media, *example; /* a response by its resolved object */
    struct cp_text status;
};

static void complain_of(const struct reply_example *one, const char *what, struct cp_text detail)
{
    cp_complain("%.*s, %.*s, example %.*s: %s %.*s", CP_SHOWN(cp_json_name(one->path)), CP_SHOWN(one->status),
                CP_SHOWN(cp_json_name(one->example)), what, CP_SHOWN(detail));
}

static struct cp_text text_at(const struct cp_json *object, const char *name)
{
    const struct cp_json *value = cp_at(object, name);
    return value ? cp_json_text(value) : (struct cp_text){0};
}

static enum cp_request_method method_of(struct cp_text name)
{
    if (cp_text_is(name, "GET") || cp_text_is(name, "get")) return CP_GET;
    return cp_text_is(name, "POST") || cp_text_is(name, "post") ? CP_POST : CP_OTHER_METHOD;
}

/* The value of an example of the same name, from a list of examples; NULL where there is none. */
static const struct cp_json *value_for(const struct cp_json *owner, struct cp_text name)
{
    const struct cp_json *examples = cp_at(owner, "examples");
    return examples ? cp_at(cp_json_member(examples, name), "value") : NULL;
}

/* The path with its parameter put in. */
static struct cp_text filled_path(const struct reply_example *one)
{
    struct cp_text path = cp_json_name(one->path);
    const char *brace = memchr(path.bytes, '{', path.size);
    if (!brace) return path;
    const struct cp_json *parameter = cp_json_first(cp_at(one->operation, "parameters"));
    const struct cp_json *value = value_for(parameter, cp_json_name(one->example));
    if (!value) return (struct cp_text){0};
    struct cp_text fixed = {path.bytes, (size_t)(brace - path.bytes)};
    struct cp_text written = cp_json_type(value) == CP_JSON_STRING ? cp_json_text(value) : cp_written(value);
    return cp_message(cp_test_arena(), "{0}{1}", CP_ARGUMENTS(cp_name(fixed), cp_name(written)));
}

/* From the request example of the same name. False: there is none. */
static bool request_by_name(const struct reply_example *one, struct cp_request *request)
{
    const struct cp_json *content = cp_at(cp_at(one->operation, "requestBody"), "content");
    request->method_name = cp_json_name(one->operation);
    request->method = method_of(request->method_name);
    request->path = filled_path(one);
    if (!content) return request->path.size != 0;
    const struct cp_json *body = value_for(cp_json_first(content), cp_json_name(one->example));
    request->content_type = cp_json_name(cp_json_first(content));
    if (body) request->body = cp_written(body);
    return body;
}

/* "/path?query" in one text, as requests are written in examples. */
static void set_target(struct cp_request *request, struct cp_text target)
{
    const char *mark = target.size ? memchr(target.bytes, '?', target.size) : NULL;
    request->path = target;
    if (!mark) return;
    request->path.size = (size_t)(mark - target.bytes);
    request->query = (struct cp_text){mark + 1, target.size - request->path.size - 1};
}

static void ask(const struct reply_example *one, struct cp_reply *reply)
{
    const struct cp_json *asked = cp_at(one->example, "x-request");
    struct cp_request request = {
        .method_name = text_at(asked, "method"),
        .body = text_at(asked, "body"),
        .accept = text_at(asked, "accept"),
        .content_type = text_at(asked, "content_type"),
    };
    struct cp_text transport = text_at(asked, "transport");
    if (transport.size) {
        struct cp_text terminated = cp_message(cp_test_arena(), "{0}", CP_ARGUMENTS(cp_name(transport)));
        char *detail = cp_arena_take(cp_test_arena(), terminated.size + 1, 1);
        memcpy(detail, terminated.bytes, terminated.size);
        detail[terminated.size] = '\0';
        cp_service_refuse((int)cp_json_number(cp_at(asked, "status")), detail, reply, cp_test_arena());
        return;
    }
    request.method = method_of(request.method_name);
    set_target(&request, text_at(asked, "path"));
    if (!asked && !request_by_name(one, &request)) {
        complain_of(one, "no request gives it", (struct cp_text){0});
        return;
    }
    cp_draining = cp_at(asked, "draining") != NULL;
    cp_service_answer(&request, reply, cp_test_arena());
    cp_draining = false;
}

/* A picture, a page, a script: not read, but looked into. */
static bool is_opaque(const struct reply_example *one)
{
    struct cp_text type = cp_json_name(one->media);
    return cp_text_is(type, "image/svg+xml") || (type.size > 5 && memcmp(type.bytes, "text/", 5) == 0);
}

static bool is_yaml(const struct reply_example *one)
{
    return cp_text_is(cp_json_name(one->media), "application/yaml");
}

/* Their examples are parts of them. */
static void compare_part(const struct reply_example *one, const struct cp_reply *reply)
{
    struct cp_text part = text_at(one->example, "value");
    if (!part.size || !memmem(reply->body.bytes, reply->body.size, part.bytes, part.size))
        complain_of(one, "the reply does not hold", part);
}

static void compare_body(const struct reply_example *one, const struct cp_reply *reply)
{
    struct cp_text body = reply->body;
    struct cp_yaml_error error;
    if (is_yaml(one) && !cp_yaml_to_json(reply->body, cp_test_arena(), &body, &error))
        complain_of(one, "is no YAML:", cp_text_of(error.problem));
    const struct cp_json *actual = cp_parsed(body);
    const struct cp_json *expected = cp_at(one->example, "value");
    struct cp_text difference =
        cp_json_difference(expected, actual, cp_at(one->example, "x-excerpt") != NULL, cp_test_arena());
    if (difference.size) complain_of(one, "the service answers otherwise,", difference);
    const struct cp_json *schema = cp_at(one->media, "schema");
    struct cp_text broken = cp_schema_check(cp_description(), schema, actual, true, cp_test_arena());
    if (broken.size) complain_of(one, "the reply breaks its schema", broken);
    broken = cp_schema_check(cp_description(), schema, expected, true, cp_test_arena());
    if (broken.size) complain_of(one, "the example breaks its schema", broken);
}

/* All headers but Server-Timing, which the transport adds to every reply. */
static void compare_headers(const struct reply_example *one, const struct cp_reply *reply)
{
    const struct cp_json *headers = cp_at(one->response, "headers");
    if (!cp_at(headers, "Server-Timing")) complain_of(one, "lacks the header", CP_TEXT("Server-Timing"));
    for (int index = 0; index < reply->header_count; index++)
        if (!cp_at(headers, reply->headers[index].name))
            complain_of(one, "the reply has the header", cp_text_of(reply->headers[index].name));
    if (headers && cp_json_count(headers) != (size_t)reply->header_count + 1)
        complain_of(one, "describes more headers than the reply has", (struct cp_text){0});
}

static void check_example(const struct reply_example *one)
{
    struct cp_reply reply = {0};
    char status[8];
    ask(one, &reply);
    if (!reply.status) return;
    snprintf(status, sizeof status, "%d", reply.status);
    if (!cp_text_is(one->status, status)) {
        complain_of(one, "the service answers with status", cp_text_of(status));
        return;
    }
    struct cp_text type = {reply.content_type, strcspn(reply.content_type, ";")};
    if (!cp_text_is(cp_json_name(one->media), reply.content_type) && !cp_text_equal(cp_json_name(one->media), type))
        complain_of(one, "the service answers with the type", cp_text_of(reply.content_type));
    if (is_opaque(one))
        compare_part(one, &reply);
    else
        compare_body(one, &reply);
    compare_headers(one, &reply);
}

static void check_response(struct reply_example *one, const struct cp_json *response)
{
    int examples = 0;
    one->status = cp_json_name(response);
    one->response = cp_referred(response);
    const struct cp_json *content = cp_at(one->response, "content");
    for (one->media = content ? cp_json_first(content) : NULL; one->media; one->media = cp_json_next(one->media)) {
        const struct cp_json *list = cp_at(one->media, "examples");
        for (one->example = list ? cp_json_first(list) : NULL; one->example;
             one->example = cp_json_next(one->example)) {
            check_example(one);
            examples++;
        }
    }
    bool bodiless = cp_text_is(one->status, "304");
    if (!examples && !bodiless)
        cp_complain("%.*s, %.*s: no example", CP_SHOWN(cp_json_name(one->path)), CP_SHOWN(one->status));
}

static void every_example_is_what_the_service_answers(void **state)
{
    (void)state;
    const struct cp_json *paths = cp_described("paths");
    struct reply_example one = {0};
    for (one.path = cp_json_first(paths); one.path; one.path = cp_json_next(one.path))
        for (one.operation = cp_json_first(one.path); one.operation; one.operation = cp_json_next(one.operation)) {
            const struct cp_json *responses = cp_at(one.operation, "responses");
            for (const struct cp_json *response = cp_json_first(responses); response; response = cp_json_next(response))
                check_response(&one, response);
        }
    cp_no_complaints();
}

/* Request examples keep to their schema, and each has a reply. */
static void every_request_example_is_answered(void **state)
{
    (void)state;
    const struct cp_json *operation = cp_at(cp_at(cp_described("paths"), "/v1/shapes"), "post");
    const struct cp_json *media = cp_at(cp_at(cp_at(operation, "requestBody"), "content"), "application/json");
    const struct cp_json *reply =
        cp_at(cp_at(cp_at(cp_at(operation, "responses"), "200"), "content"), "application/json");
    const struct cp_json *example = cp_json_first(cp_at(media, "examples"));
    assert_non_null(example);
    for (; example; example = cp_json_next(example)) {
        struct cp_text broken =
            cp_schema_check(cp_description(), cp_at(media, "schema"), cp_at(example, "value"), true, cp_test_arena());
        if (broken.size) cp_complain("%.*s: %.*s", CP_SHOWN(cp_json_name(example)), CP_SHOWN(broken));
        if (!value_for(reply, cp_json_name(example))) cp_complain("%.*s: no reply", CP_SHOWN(cp_json_name(example)));
    }
    cp_no_complaints();
}

/* ---- The description itself --------------------------------------------------------------------------------------- */

static struct cp_reply get(const char *path)
{
    struct cp_reply reply;
    struct cp_request request = {.method = CP_GET, .method_name = CP_TEXT("GET"), .path = cp_text_of(path)};
    cp_service_answer(&request, &reply, cp_test_arena());
    return reply;
}

static void description_is_served_as_it_stands(void **state)
{
    (void)state;
    struct cp_reply yaml = get("/openapi.yaml");
    assert_true(yaml.is_static);
    assert_ptr_equal(yaml.body.bytes, cp_embedded_openapi_yaml.bytes);
    assert_true(yaml.body.size == cp_embedded_openapi_yaml.size);
}

static void json_is_made_once_and_says_the_same(void **state)
{
    (void)state;
    struct cp_reply first = get("/openapi.json"), second = get("/openapi.json");
    assert_true(first.is_static);
    assert_ptr_equal(first.body.bytes, second.body.bytes);
    struct cp_text difference = cp_json_difference(cp_description(), cp_parsed(first.body), false, cp_test_arena());
    if (difference.size) fail_msg("%.*s", CP_SHOWN(difference));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_endpoint_is_described),
        cmocka_unit_test(every_operation_exists),
        cmocka_unit_test(codes_are_those_of_the_table),
        cmocka_unit_test(every_status_is_described),
        cmocka_unit_test(every_example_is_what_the_service_answers),
        cmocka_unit_test(every_request_example_is_answered),
        cmocka_unit_test(description_is_served_as_it_stands),
        cmocka_unit_test(json_is_made_once_and_says_the_same),
    };
    return cmocka_run_group_tests(tests, cp_description_open, cp_description_close);
}
