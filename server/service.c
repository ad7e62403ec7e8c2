#include "server/service.h"

#include <setjmp.h>
#include <time.h>

#include "core/nearest.h"
#include "server/endpoints/endpoints.h"
#include "server/problem.h"
#include "server/query.h"

#define MIB ((size_t)1 << 20)

/* THE table of endpoints. */
const struct cp_endpoint cp_endpoints[] = {
    {CP_POST, "/v1/shapes", cp_endpoint_shapes, 8 * MIB, "planShapes"},
    {CP_POST, "/v1/roundtrip", cp_endpoint_roundtrip, 8 * MIB, "checkRoundTrip"},
    {CP_POST, "/v1/decoder", cp_endpoint_decoder, 8 * MIB, "designDecoder"},
    {CP_POST, "/v1/sizes", cp_endpoint_sizes, 8 * MIB, "findSizes"},
    {CP_POST, "/v1/solve", cp_endpoint_solve, MIB, "solveLayer"},
    {CP_POST, "/v1/convolve", cp_endpoint_convolve, 8 * MIB, "convolve"},
    {CP_POST, "/v1/diagram.svg", cp_endpoint_diagram, 8 * MIB, "drawDiagram"},
    {CP_GET, "/v1/figure.svg", cp_endpoint_figure, 0, "drawFigure"},
    {CP_GET, "/v1/layers", cp_endpoint_layers, 0, "listLayers"},
    {CP_GET, "/v1/relationships", cp_endpoint_relationships, 0, "listRelationships"},
    {CP_GET, "/v1/relationships/{number}", cp_endpoint_relationship, 0, "getRelationship"},
    {CP_GET, "/v1/examples", cp_endpoint_examples, 0, "listExamples"},
    {CP_GET, "/v1/examples/{name}", cp_endpoint_example, 0, "getExample"},
    {CP_GET, "/problems/{code}", cp_endpoint_problem, 0, "getProblem"},
    {CP_GET, "/openapi.yaml", cp_endpoint_openapi_yaml, 0, "getOpenapiYaml"},
    {CP_GET, "/openapi.json", cp_endpoint_openapi_json, 0, "getOpenapiJson"},
    {CP_GET, "/healthz", cp_endpoint_health, 0, "getHealth"},
    {CP_GET, "/readyz", cp_endpoint_readiness, 0, "getReadiness"},
    {CP_GET, "/", cp_endpoint_index, 0, "getIndex"},
    {CP_GET, "/docs", cp_endpoint_docs, 0, "getDocs"},
    {CP_GET, "/web/{file}", cp_endpoint_web_file, 0, "getWebFile"},
};
const int cp_endpoint_count = sizeof cp_endpoints / sizeof cp_endpoints[0];

uint64_t cp_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- Replies ------------------------------------------------------------------------------------------------------ */

void cp_reply_json(struct cp_exchange *exchange, const struct cp_writer *writer)
{
    exchange->reply->status = 200;
    exchange->reply->content_type = "application/json";
    exchange->reply->body = cp_writer_text(writer);
}

void cp_reply_not_found(struct cp_exchange *exchange, struct cp_text hint)
{
    cp_problem_reply(CP_CODE_not_found, exchange->arena, exchange->reply,
                     CP_ARGUMENTS(cp_name(exchange->request->path), cp_name(hint)));
}

void cp_reply_header(struct cp_reply *reply, const char *name, const char *value)
{
    if (reply->header_count < CP_MAX_REPLY_HEADERS)
        reply->headers[reply->header_count++] = (struct cp_header){name, value};
}

/* ---- Paths -------------------------------------------------------------------------------------------------------- */

/* A pattern is a path, or ends in one {parameter}, which stands for a last segment that is not empty. */
static bool path_matches(const char *pattern, struct cp_text path, struct cp_text *parameter)
{
    const char *brace = strchr(pattern, '{');
    *parameter = (struct cp_text){0};
    if (!brace) return cp_text_is(path, pattern);
    size_t fixed = (size_t)(brace - pattern);
    if (path.size <= fixed || memcmp(path.bytes, pattern, fixed) != 0) return false;
    *parameter = (struct cp_text){path.bytes + fixed, path.size - fixed};
    return memchr(parameter->bytes, '/', parameter->size) == NULL;
}

static bool takes_method(const struct cp_endpoint *endpoint, enum cp_request_method method)
{
    return endpoint->method == method || (endpoint->method == CP_GET && method == CP_HEAD);
}

/* ---- Content negotiation ------------------------------------------------------------------------------------------ */

static struct cp_text trimmed(struct cp_text text)
{
    while (text.size && (text.bytes[0] == ' ' || text.bytes[0] == '\t')) text.bytes++, text.size--;
    while (text.size && (text.bytes[text.size - 1] == ' ' || text.bytes[text.size - 1] == '\t')) text.size--;
    return text;
}

/* The part before `separator`, trimmed; *rest becomes what follows it. */
static struct cp_text split_at(struct cp_text *rest, char separator)
{
    struct cp_text part = *rest;
    const char *end = part.size ? memchr(part.bytes, separator, part.size) : NULL;
    if (end) {
        part.size = (size_t)(end - part.bytes);
        rest->size -= part.size + 1;
        rest->bytes = end + 1;
    } else {
        *rest = (struct cp_text){0};
    }
    return trimmed(part);
}

static bool equal_ignoring_case(struct cp_text text, const char *string, size_t size)
{
    if (text.size != size) return false;
    for (size_t at = 0; at < size; at++) {
        char letter = text.bytes[at] >= 'A' && text.bytes[at] <= 'Z' ? (char)(text.bytes[at] + 32) : text.bytes[at];
        if (letter != string[at]) return false;
    }
    return true;
}

/* The weight of a range in thousandths, from its parameters: q=1, q=0.5, q=.125; 1000 where none, or none such, is given. */
static int quality(struct cp_text parameters)
{
    while (parameters.size) {
        struct cp_text parameter = split_at(&parameters, ';');
        if (parameter.size < 3 || (parameter.bytes[0] | 32) != 'q' || parameter.bytes[1] != '=') continue;
        int thousandths = 0, unit = 1000;
        for (size_t at = 2; at < parameter.size; at++) {
            int digit = parameter.bytes[at] - '0';
            if (parameter.bytes[at] == '.') continue;
            if (digit < 0 || digit > 9) return 1000;
            thousandths += digit * unit;
            unit /= 10;
        }
        return thousandths < 1000 ? thousandths : 1000;
    }
    return 1000;
}

/* How closely a range names the type: 3 itself, 2 type slash star, 1 anything, 0 not at all. */
static int closeness(struct cp_text range, const char *type)
{
    size_t major = strcspn(type, "/") + 1;
    if (equal_ignoring_case(range, type, strcspn(type, ";"))) return 3;
    if (range.size == major + 1 && range.bytes[major] == '*' &&
        equal_ignoring_case((struct cp_text){range.bytes, major}, type, major))
        return 2;
    return cp_text_is(range, "*/*") ? 1 : 0;
}

/* Of the ranges that match, the closest decides (RFC 9110 §12.5.1). */
int cp_accept_quality(struct cp_text accept, const char *type)
{
    int best = 0, found = accept.size == 0 ? 1000 : 0;
    while (accept.size) {
        struct cp_text item = split_at(&accept, ',');
        struct cp_text range = split_at(&item, ';');
        int close = closeness(range, type);
        if (close <= best) continue;
        best = close;
        found = quality(item);
    }
    return found;
}

/* ---- Routing ------------------------------------------------------------------------------------------------------ */

struct route {
    const struct cp_endpoint *endpoint; /* NULL: the reply is already there */
    struct cp_text parameter;
};

/* "GET, HEAD, OPTIONS": what the endpoints at this path take. */
static const char *allowed_methods(struct cp_text path)
{
    struct cp_text parameter;
    bool get = false, post = false;
    for (int at = 0; at < cp_endpoint_count; at++) {
        if (!path_matches(cp_endpoints[at].path, path, &parameter)) continue;
        get = get || cp_endpoints[at].method == CP_GET;
        post = post || cp_endpoints[at].method == CP_POST;
    }
    if (get && post) return "GET, HEAD, POST, OPTIONS";
    if (get) return "GET, HEAD, OPTIONS";
    return post ? "POST, OPTIONS" : NULL;
}

static struct cp_text path_at(const void *list, int64_t index)
{
    (void)list;
    return cp_text_of(cp_endpoints[index].path);
}

static void refuse_path(const struct cp_request *request, struct cp_text path, struct cp_reply *reply,
                        struct cp_arena *arena)
{
    int64_t nearest = cp_nearest(path, cp_endpoint_count, path_at, NULL);
    struct cp_text hint =
        nearest < 0 ? CP_TEXT("GET / lists what is there") : cp_did_you_mean(arena, path_at(NULL, nearest));
    cp_problem_reply(CP_CODE_not_found, arena, reply, CP_ARGUMENTS(cp_name(request->path), cp_name(hint)));
}

static void answer_options(const char *allowed, struct cp_reply *reply)
{
    reply->status = 204;
    reply->content_type = NULL;
    cp_reply_header(reply, "Allow", allowed);
}

static void refuse_method(const struct cp_request *request, const char *allowed, struct cp_reply *reply,
                          struct cp_arena *arena)
{
    cp_problem_reply(CP_CODE_method_not_allowed, arena, reply,
                     CP_ARGUMENTS(cp_name(request->path), cp_name(request->method_name), cp_words(allowed)));
    cp_reply_header(reply, "Allow", allowed);
}

/* No Content-Type counts as JSON; parameters such as charset do not matter, as JSON is UTF-8. */
static bool check_media_type(const struct cp_request *request, struct cp_reply *reply, struct cp_arena *arena)
{
    struct cp_text rest = request->content_type;
    struct cp_text type = split_at(&rest, ';');
    static const char json[] = "application/json", form[] = "application/x-www-form-urlencoded";
    if (type.size == 0 || equal_ignoring_case(type, json, sizeof json - 1)) return true;
    const char *hint = equal_ignoring_case(type, form, sizeof form - 1)
                           ? "with curl, add -H 'Content-Type: application/json'"
                           : "send the body as application/json";
    cp_problem_reply(CP_CODE_unsupported_media_type, arena, reply,
                     CP_ARGUMENTS(cp_name(request->path), cp_words(json), cp_name(type), cp_words(hint)));
    return false;
}

static struct route find_route(const struct cp_request *request, struct cp_reply *reply, struct cp_arena *arena)
{
    struct route route = {0};
    struct cp_text path;
    if (cp_text_is(request->path, "*") && request->method == CP_OPTIONS) {
        answer_options("GET, HEAD, POST, OPTIONS", reply);
        return route;
    }
    if (!cp_percent_decode(arena, request->path, false, &path)) {
        cp_problem_reply(CP_CODE_bad_request, arena, reply,
                         CP_ARGUMENTS(cp_words("the path has a broken percent-escape"), cp_words("")));
        return route;
    }
    for (int at = 0; at < cp_endpoint_count; at++) {
        const struct cp_endpoint *endpoint = &cp_endpoints[at];
        if (!takes_method(endpoint, request->method) || !path_matches(endpoint->path, path, &route.parameter)) continue;
        if (endpoint->method == CP_POST && !check_media_type(request, reply, arena)) return route;
        route.endpoint = endpoint;
        return route;
    }
    const char *allowed = allowed_methods(path);
    if (!allowed)
        refuse_path(request, path, reply, arena);
    else if (request->method == CP_OPTIONS)
        answer_options(allowed, reply);
    else
        refuse_method(request, allowed, reply, arena);
    return route;
}

/* ---- Answers ------------------------------------------------------------------------------------------------------ */

/* Where cp_service_exhausted unwinds to: the request that this thread is answering. */
static _Thread_local jmp_buf *recovery;

void cp_service_exhausted(struct cp_arena *arena)
{
    (void)arena;
    longjmp(*recovery, 1);
}

static void answer(const struct cp_request *request, struct cp_reply *reply, struct cp_arena *arena)
{
    struct route route = find_route(request, reply, arena);
    if (!route.endpoint) return;
    if (request->brief && request->body.size > CP_MAX_BRIEF_BYTES) {
        reply->deferred = true;
        return;
    }
    struct cp_exchange exchange = {arena, request, reply, route.parameter};
    route.endpoint->answer(&exchange);
    if (reply->deferred || reply->status != 200 || cp_accept_quality(request->accept, reply->content_type) > 0) return;
    reply->header_count = 0; /* they were of the reply that is not wanted */
    cp_problem_reply(CP_CODE_not_acceptable, arena, reply, CP_ARGUMENTS(cp_words(reply->content_type)));
}

/* Written out by hand, as there is no memory left to build it in. */
static void reply_exhausted(struct cp_reply *reply)
{
    static const char problem[] =
        "{\"type\":\"/problems/overloaded\",\"title\":\"Overloaded\",\"status\":503,\"detail\":\"the request takes "
        "more "
        "memory than is left\",\"errors\":[{\"code\":\"overloaded\",\"pointer\":\"\",\"detail\":\"the request takes "
        "more "
        "memory than is left\",\"suggestion\":\"try again later, or ask for less at once\"}]}";
    *reply = (struct cp_reply){
        .status = 503,
        .content_type = "application/problem+json",
        .body = {problem, sizeof problem - 1},
        .is_static = true,
    };
    cp_reply_header(reply, "Retry-After", "1");
}

void cp_service_answer(const struct cp_request *request, struct cp_reply *reply, struct cp_arena *arena)
{
    jmp_buf here;
    *reply = (struct cp_reply){0};
    recovery = &here;
    if (setjmp(here))
        reply_exhausted(reply);
    else
        answer(request, reply, arena);
    recovery = NULL;
}

bool cp_service_admit(const struct cp_request *request, size_t *body_limit, struct cp_reply *reply,
                      struct cp_arena *arena)
{
    jmp_buf here;
    bool admitted = false;
    *reply = (struct cp_reply){0};
    recovery = &here;
    if (setjmp(here)) {
        reply_exhausted(reply);
    } else {
        struct route route = find_route(request, reply, arena);
        if (route.endpoint) *body_limit = route.endpoint->body_limit;
        admitted = route.endpoint != NULL;
    }
    recovery = NULL;
    return admitted;
}

void cp_service_refuse(int http_status, const char *detail, struct cp_reply *reply, struct cp_arena *arena)
{
    enum cp_code code = CP_CODE_internal_error;
    for (int at = CP_CODE_bad_request; at <= CP_CODE_internal_error; at++)
        if (cp_statuses[at].http_status == http_status) code = (enum cp_code)at;
    *reply = (struct cp_reply){0};
    cp_problem_reply(code, arena, reply, CP_ARGUMENTS(cp_words(detail), cp_words("")));
    if (http_status == 503) cp_reply_header(reply, "Retry-After", "1");
}
