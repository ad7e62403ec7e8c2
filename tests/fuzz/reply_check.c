#include "tests/fuzz/reply_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/limits.h"
#include "server/embedded.h"
#include "server/formats/yaml.h"
#include "server/memory.h"
#include "tests/contract/schema.h"
#include "tests/fuzz/ask.h"

/* ---- The description ---------------------------------------------------------------------------------------------- */

/* openapi.yaml, read once and kept. */
static const struct cp_json *description(void)
{
    static struct cp_memory memory;
    static const struct cp_json *document;
    struct cp_text text;
    struct cp_yaml_error yaml_error;
    struct cp_json_error error;
    if (document) return document;
    cp_memory_open(&memory, NULL, (size_t)1 << 30, NULL);
    if (cp_yaml_to_json(cp_embedded_openapi_yaml, &memory.arena, &text, &yaml_error))
        document = cp_json_parse(&memory.arena, text.bytes, text.size, &error);
    if (!document) abort();
    return document;
}

static const struct cp_json *referred(const struct cp_json *object, struct cp_arena *arena)
{
    const struct cp_json *reference = cp_fuzz_member(object, "$ref");
    return reference ? cp_schema_resolve(description(), cp_json_text(reference), arena) : object;
}

/* Is the path, as sent, one of this pattern? Those with escapes count as none. */
static bool is_path_of(struct cp_text path, const char *pattern)
{
    size_t fixed = strcspn(pattern, "{");
    if (!pattern[fixed]) return cp_text_is(path, pattern);
    if (path.size <= fixed || memcmp(path.bytes, pattern, fixed) != 0) return false;
    return !memchr(path.bytes + fixed, '/', path.size - fixed) && !memchr(path.bytes, '%', path.size);
}

/* The responses of the operation that the request is for, or NULL. */
static const struct cp_json *responses_for(const struct cp_request *request)
{
    enum cp_request_method method = request->method == CP_HEAD ? CP_GET : request->method;
    for (int at = 0; at < cp_endpoint_count; at++) {
        if (cp_endpoints[at].method != method || !is_path_of(request->path, cp_endpoints[at].path)) continue;
        const struct cp_json *path = cp_fuzz_member(cp_fuzz_member(description(), "paths"), cp_endpoints[at].path);
        return cp_fuzz_member(cp_fuzz_member(path, method == CP_POST ? "post" : "get"), "responses");
    }
    return NULL;
}

/* The schema of the reply's body, or NULL where it has none; dies where such a reply is not described. */
static const struct cp_json *schema_for(const struct cp_request *request, const struct cp_reply *reply,
                                        struct cp_arena *arena)
{
    char status[16];
    const struct cp_json *responses = responses_for(request);
    if (!responses) {
        static const int usual[] = {204, 400, 404, 405, 406, 415};
        bool known = false;
        for (size_t at = 0; at < sizeof usual / sizeof *usual; at++) known = known || reply->status == usual[at];
        /* An escape may hide a path that has an operation. */
        if (!known && !memchr(request->path.bytes, '%', request->path.size))
            cp_fuzz_fail(request, "status %d where there is no operation", reply->status);
        const struct cp_json *schemas = cp_fuzz_member(cp_fuzz_member(description(), "components"), "schemas");
        return reply->status >= 400 ? cp_fuzz_member(schemas, "Problem") : NULL;
    }
    snprintf(status, sizeof status, "%d", reply->status);
    const struct cp_json *response = referred(cp_fuzz_member(responses, status), arena);
    if (!response) cp_fuzz_fail(request, "the operation lists no status %d", reply->status);
    const struct cp_json *content = cp_fuzz_member(response, "content");
    if (!content && !reply->content_type) return NULL;
    for (const struct cp_json *media = cp_json_first(content); media; media = cp_json_next(media)) {
        struct cp_text name = cp_json_name(media);
        if (strncmp(reply->content_type, name.bytes, name.size) == 0) return cp_fuzz_member(media, "schema");
    }
    cp_fuzz_fail(request, "status %d has no media type %s", reply->status, reply->content_type);
}

/* ---- Numbers ------------------------------------------------------------------------------------------------------ */

/* Every number, but for those that users have computed: no reader of JSON may see another one. */
static void check_numbers(const struct cp_request *request, const struct cp_json *value)
{
    if (cp_json_type(value) == CP_JSON_NUMBER) {
        double number = cp_json_number(value);
        if (number > CP_MAX_COUNT || number < -CP_MAX_COUNT) cp_fuzz_fail(request, "the number %.17g", number);
    }
    for (const struct cp_json *child = cp_json_first(value); child; child = cp_json_next(child))
        check_numbers(request, child);
}

const struct cp_json *cp_check_reply(const struct cp_request *request, const struct cp_reply *reply,
                                     struct cp_arena *arena)
{
    struct cp_json_error error;
    if (reply->status == 500) cp_fuzz_fail(request, "status 500: %.*s", CP_FUZZ_SHOWN(reply->body));
    const struct cp_json *schema = schema_for(request, reply, arena);
    const char *type = reply->content_type;
    if (!type || reply->is_static || !strstr(type, "json")) return NULL;
    const struct cp_json *value = cp_json_parse(arena, reply->body.bytes, reply->body.size, &error);
    if (!value) cp_fuzz_fail(request, "no JSON from byte %zu: %.*s", error.offset, CP_FUZZ_SHOWN(reply->body));
    if (!cp_text_is(request->path, "/v1/convolve")) check_numbers(request, value);
    if (!schema) return value;
    struct cp_text broken = cp_schema_check(description(), schema, value, true, arena);
    if (broken.size)
        cp_fuzz_fail(request, "status %d: %.*s: %.*s", reply->status, CP_FUZZ_SHOWN(broken),
                     CP_FUZZ_SHOWN(reply->body));
    return value;
}
