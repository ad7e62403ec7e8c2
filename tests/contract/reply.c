#include "tests/contract/reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/embedded.h"
#include "server/formats/yaml.h"
#include "server/memory.h"
#include "server/problem.h"
#include "tests/contract/schema.h"

const struct cp_json *cp_openapi(void)
{
    static struct cp_memory memory;
    static const struct cp_json *document;
    struct cp_text text;
    struct cp_yaml_error yaml_error;
    struct cp_json_error error;
    if (document) return document;
    cp_memory_open(&memory, NULL, (size_t)1 << 30, NULL);
    if (!cp_yaml_to_json(cp_embedded_openapi_yaml, &memory.arena, &text, &yaml_error))
        fprintf(stderr, "openapi.yaml:%zu:%zu: %s\n", yaml_error.line, yaml_error.column, yaml_error.problem);
    else if (!(document = cp_json_parse(&memory.arena, text.bytes, text.size, &error)))
        fprintf(stderr, "openapi.yaml as JSON, byte %zu: %s\n", error.offset, error.expected);
    if (!document) exit(1);
    return document;
}

/* ---- Looking things up -------------------------------------------------------------------------------------------- */

static const struct cp_json *member(const struct cp_json *object, const char *name)
{
    if (!object || cp_json_type(object) != CP_JSON_OBJECT) return NULL;
    return cp_json_member(object, cp_text_of(name));
}

static bool is_path_of(struct cp_text path, const char *pattern)
{
    size_t fixed = strcspn(pattern, "{");
    if (!pattern[fixed]) return cp_text_is(path, pattern);
    if (path.size <= fixed || memcmp(path.bytes, pattern, fixed) != 0) return false;
    return !memchr(path.bytes + fixed, '/', path.size - fixed) && !memchr(path.bytes, '%', path.size);
}

const struct cp_endpoint *cp_asked_endpoint(const struct cp_request *request)
{
    enum cp_request_method method = request->method == CP_HEAD ? CP_GET : request->method;
    for (int at = 0; at < cp_endpoint_count; at++)
        if (cp_endpoints[at].method == method && is_path_of(request->path, cp_endpoints[at].path))
            return &cp_endpoints[at];
    return NULL;
}

static const struct cp_json *response_of(const struct cp_endpoint *endpoint, int status, struct cp_arena *arena)
{
    char name[16];
    const struct cp_json *path = member(member(cp_openapi(), "paths"), endpoint->path);
    snprintf(name, sizeof name, "%d", status);
    const struct cp_json *operation = member(path, endpoint->method == CP_POST ? "post" : "get");
    const struct cp_json *response = member(member(operation, "responses"), name);
    const struct cp_json *reference = member(response, "$ref");
    return reference ? cp_schema_resolve(cp_openapi(), cp_json_text(reference), arena) : response;
}

/* A media type without its parameters. */
static struct cp_text bare_type(const char *type)
{
    return (struct cp_text){type, type ? strcspn(type, ";") : 0};
}

/* ---- What can be wrong -------------------------------------------------------------------------------------------- */

#define FAULT(pattern, ...) cp_message(arena, pattern, CP_ARGUMENTS(__VA_ARGS__))

/* A problem's status is that of the reply, and its type the page of its first error. */
static struct cp_text problem_fault(const struct cp_json *problem, int status, struct cp_arena *arena)
{
    struct cp_text code = cp_json_text(member(cp_json_first(member(problem, "errors")), "code"));
    struct cp_text page = FAULT("/problems/{0}", cp_name(code));
    double told = cp_json_number(member(problem, "status"));
    if (told != status) return FAULT("the problem tells status {0}", cp_number((int64_t)told));
    if (!cp_text_equal(cp_json_text(member(problem, "type")), page))
        return FAULT("the type of the problem is not {0}", cp_name(page));
    return (struct cp_text){0};
}

static struct cp_text body_fault(const struct cp_reply *reply, const struct cp_json *schema,
                                 const struct cp_json **value, struct cp_arena *arena)
{
    struct cp_json_error error;
    *value = cp_json_parse(arena, reply->body.bytes, reply->body.size, &error);
    if (!*value) return FAULT("no JSON from byte {0}", cp_number((int64_t)error.offset));
    struct cp_text fault = cp_schema_check(cp_openapi(), schema, *value, true, arena);
    bool problem = cp_text_is(bare_type(reply->content_type), "application/problem+json");
    return fault.size || !problem ? fault : problem_fault(*value, reply->status, arena);
}

/* The schema of the body, NULL for an answer without one; or a fault. */
static struct cp_text find_schema(const struct cp_request *request, const struct cp_reply *reply,
                                  const struct cp_json **schema, struct cp_arena *arena)
{
    const struct cp_endpoint *endpoint = cp_asked_endpoint(request);
    struct cp_text type = bare_type(reply->content_type);
    if (!endpoint) {
        *schema = member(member(member(cp_openapi(), "components"), "schemas"), "Problem");
        if (reply->status >= 400 && cp_text_is(type, "application/problem+json")) return (struct cp_text){0};
        *schema = NULL;
        /* An escape may hide a path that has an operation. */
        if (reply->status == 204 || memchr(request->path.bytes, '%', request->path.size)) return (struct cp_text){0};
        return FAULT("status {0} as {1} where there is no operation", cp_number(reply->status), cp_name(type));
    }
    const struct cp_json *response = response_of(endpoint, reply->status, arena);
    if (!response) return FAULT("{0} lists no status {1}", cp_words(endpoint->operation_id), cp_number(reply->status));
    const struct cp_json *content = member(response, "content");
    if (!content && !type.size) return (struct cp_text){0};
    const struct cp_json *media =
        content && type.size ? cp_json_member(content, cp_text_of(reply->content_type)) : NULL;
    if (content && type.size && !media) media = cp_json_member(content, type);
    if (!media)
        return FAULT("{0} lists no media type {2} with status {1}", cp_words(endpoint->operation_id),
                     cp_number(reply->status), cp_name(type));
    *schema = member(media, "schema");
    return (struct cp_text){0};
}

struct cp_text cp_reply_fault(const struct cp_request *request, const struct cp_reply *reply,
                              const struct cp_json **value, struct cp_arena *arena)
{
    const struct cp_json *schema = NULL;
    *value = NULL;
    struct cp_text fault = find_schema(request, reply, &schema, arena);
    bool bodiless = request->method == CP_HEAD || reply->status == 304;
    bool json = reply->content_type && strstr(reply->content_type, "json");
    if (fault.size || !schema || bodiless || !json) return fault;
    return body_fault(reply, schema, value, arena);
}
