#include "server/service.h"

#include <setjmp.h>
#include <time.h>

#include "core/nearest.h"
#include "server/budgets.h"
#include "server/endpoints/endpoints.h"
#include "server/field_list.h"
#include "server/problem.h"
#include "server/query.h"
#include "server/state.h"

/* THE table of endpoints. */
const struct cp_endpoint cp_endpoints[] = {
    {CP_POST, "/v1/shapes", cp_endpoint_shapes, .body_limit = &cp_budgets.body_bytes, .operation_id = "planShapes"},
    {CP_POST, "/v1/roundtrip", cp_endpoint_roundtrip, .body_limit = &cp_budgets.body_bytes,
     .operation_id = "checkRoundTrip"},
    {CP_POST, "/v1/decoder", cp_endpoint_decoder, .body_limit = &cp_budgets.body_bytes,
     .operation_id = "designDecoder"},
    {CP_POST, "/v1/sizes", cp_endpoint_sizes, .body_limit = &cp_budgets.body_bytes, .operation_id = "findSizes"},
    {CP_POST, "/v1/solve", cp_endpoint_solve, .body_limit = &cp_budgets.body_bytes, .operation_id = "solveLayer"},
    {CP_POST, "/v1/convolve", cp_endpoint_convolve, .body_limit = &cp_budgets.body_bytes, .operation_id = "convolve"},
    {CP_POST, "/v1/diagram.svg", cp_endpoint_diagram, .body_limit = &cp_budgets.body_bytes,
     .operation_id = "drawDiagram"},
    {CP_GET, "/v1/figure.svg", cp_endpoint_figure, .operation_id = "drawFigure"},
    {CP_GET, "/v1/layers", cp_endpoint_layers, .operation_id = "listLayers"},
    {CP_GET, "/v1/relationships", cp_endpoint_relationships, .operation_id = "listRelationships"},
    {CP_GET, "/v1/relationships/{number}", cp_endpoint_relationship, .operation_id = "getRelationship"},
    {CP_GET, "/v1/examples", cp_endpoint_examples, .operation_id = "listExamples"},
    {CP_GET, "/v1/examples/{name}", cp_endpoint_example, .operation_id = "getExample"},
    {CP_GET, "/problems/{code}", cp_endpoint_problem, .operation_id = "getProblem", .open = true},
    {CP_GET, "/openapi.yaml", cp_endpoint_openapi_yaml, .operation_id = "getOpenapiYaml", .open = true},
    {CP_GET, "/openapi.json", cp_endpoint_openapi_json, .operation_id = "getOpenapiJson", .open = true},
    {CP_GET, "/healthz", cp_endpoint_health, .operation_id = "getHealth", .open = true, .live = true},
    {CP_GET, "/readyz", cp_endpoint_readiness, .operation_id = "getReadiness", .open = true, .live = true},
    {CP_GET, "/metrics", cp_endpoint_metrics, .operation_id = "getMetrics", .live = true},
    {CP_GET, "/", cp_endpoint_index, .operation_id = "getIndex", .open = true},
    {CP_GET, "/docs", cp_endpoint_docs, .operation_id = "getDocs", .open = true},
    {CP_GET, "/web/{file}", cp_endpoint_web_file, .operation_id = "getWebFile", .open = true},
};
const int cp_endpoint_count = sizeof cp_endpoints / sizeof cp_endpoints[0];

uint64_t cp_now_ns(void)
{
    static _Thread_local uint64_t latest_ns, lost_ns; /* lost: by which the system's clock has gone back */
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t now_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec + lost_ns;
    if (now_ns < latest_ns) {
        lost_ns += latest_ns - now_ns;
        now_ns = latest_ns;
    }
    return latest_ns = now_ns;
}

void cp_enter(struct cp_exchange *exchange, enum cp_answer_phase phase)
{
    uint64_t now = cp_now_ns();
    exchange->reply->phase_ns[exchange->phase] += now - exchange->entered_ns;
    exchange->phase = phase;
    exchange->entered_ns = now;
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

/* How closely a range names the type: 3 itself, 2 type slash star, 1 anything, 0 not at all. */
static int closeness(struct cp_text range, const char *type)
{
    size_t major = strcspn(type, "/") + 1;
    if (cp_field_is(range, (struct cp_text){type, strcspn(type, ";")})) return 3;
    if (range.size == major + 1 && range.bytes[major] == '*' &&
        cp_field_is((struct cp_text){range.bytes, major}, (struct cp_text){type, major}))
        return 2;
    return cp_text_is(range, "*/*") ? 1 : 0;
}

/* Of the ranges that match, the closest decides (RFC 9110 §12.5.1). */
int cp_accept_quality(struct cp_text accept, const char *type)
{
    int best = 0, found = accept.size == 0 ? 1000 : 0;
    while (accept.size) {
        struct cp_text item = cp_field_part(&accept, ',');
        struct cp_text range = cp_field_part(&item, ';');
        int close = closeness(range, type);
        if (close <= best) continue;
        best = close;
        found = cp_field_quality(item);
    }
    return found;
}

/* ---- Routing ------------------------------------------------------------------------------------------------------ */

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

/* Bodies are read as they come (RFC 9110 §15.5.16). */
static bool check_coding(const struct cp_request *request, struct cp_reply *reply, struct cp_arena *arena)
{
    if (request->content_encoding.size == 0 || cp_field_is(request->content_encoding, CP_TEXT("identity"))) return true;
    cp_problem_reply(CP_CODE_unsupported_media_type, arena, reply,
                     CP_ARGUMENTS(cp_name(request->path), cp_words("bodies without Content-Encoding"),
                                  cp_name(request->content_encoding), cp_words("send the body uncompressed")));
    cp_reply_header(reply, "Accept-Encoding", "identity");
    return false;
}

/* No Content-Type counts as JSON; parameters such as charset do not matter, as JSON is UTF-8. */
static bool check_media_type(const struct cp_request *request, struct cp_reply *reply, struct cp_arena *arena)
{
    struct cp_text rest = request->content_type;
    struct cp_text type = cp_field_part(&rest, ';');
    static const char json[] = "application/json";
    if (type.size == 0 || cp_field_is(type, cp_text_of(json))) return true;
    const char *hint = cp_field_is(type, CP_TEXT("application/x-www-form-urlencoded"))
                           ? "with curl, add -H 'Content-Type: application/json'"
                           : "send the body as application/json";
    cp_problem_reply(CP_CODE_unsupported_media_type, arena, reply,
                     CP_ARGUMENTS(cp_name(request->path), cp_words(json), cp_name(type), cp_words(hint)));
    return false;
}

/* Without an endpoint when the reply is already there. */
static struct cp_route find_route(const struct cp_request *request, struct cp_reply *reply, struct cp_arena *arena)
{
    struct cp_route route = {0};
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
        bool posted = endpoint->method == CP_POST;
        if (posted && !(check_coding(request, reply, arena) && check_media_type(request, reply, arena))) return route;
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

/* Where a request is left from within, by longjmp: that which this thread is answering. */
static _Thread_local jmp_buf *recovery;
static _Thread_local uint64_t deadline_ns; /* of it */

enum departure { EXHAUSTED = 1, TOO_LONG };

/* Between two looks at the clock, some milliseconds. */
#define WORK_BETWEEN_LOOKS 1000000

void cp_service_exhausted(struct cp_arena *arena)
{
    (void)arena;
    longjmp(*recovery, EXHAUSTED);
}

static void leave(struct cp_arena *arena)
{
    (void)arena;
    longjmp(*recovery, TOO_LONG);
}

static void look_at_clock(struct cp_arena *arena)
{
    if (cp_stopping || cp_now_ns() > deadline_ns) leave(arena);
    arena->work_left = WORK_BETWEEN_LOOKS;
}

static void bound_work(const struct cp_request *request, struct cp_arena *arena)
{
    arena->worked = request->brief ? leave : look_at_clock;
    arena->work_left = request->brief ? CP_MAX_BRIEF_WORK : WORK_BETWEEN_LOOKS;
    if (!request->brief) deadline_ns = cp_now_ns() + (uint64_t)cp_budgets.seconds * UINT64_C(1000000000);
}

static void answer(const struct cp_request *request, struct cp_reply *reply, struct cp_arena *arena)
{
    struct cp_route route = request->route.endpoint ? request->route : find_route(request, reply, arena);
    reply->endpoint = route.endpoint;
    if (!route.endpoint) return;
    if (request->brief && request->body.size > CP_MAX_BRIEF_BYTES) {
        reply->deferred = true;
        return;
    }
    uint64_t begun_ns = request->begun_ns ? request->begun_ns : cp_now_ns();
    struct cp_exchange exchange = {arena, request, reply, route.parameter, CP_DECODING, begun_ns};
    route.endpoint->answer(&exchange);
    cp_enter(&exchange, CP_ENCODING);
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
        .problem = &cp_statuses[CP_CODE_overloaded],
    };
    cp_reply_header(reply, "Retry-After", "1");
}

static void reply_stopped(struct cp_reply *reply, struct cp_arena *arena)
{
    struct cp_problems problems;
    jmp_buf here;
    recovery = &here;
    if (setjmp(here)) {
        reply_exhausted(reply);
    } else {
        cp_problems_begin(&problems, arena);
        cp_report_stopped(&problems);
        cp_problems_reply(&problems, reply);
        cp_reply_header(reply, "Retry-After", "1");
    }
    recovery = NULL;
}

/* The reply to a request that takes too long: none yet, where time matters. */
static void give_up(const struct cp_request *request, struct cp_reply *reply, struct cp_arena *arena)
{
    *reply = (struct cp_reply){.endpoint = reply->endpoint, .deferred = request->brief};
    if (!request->brief) reply_stopped(reply, arena);
}

void cp_service_answer(const struct cp_request *request, struct cp_reply *reply, struct cp_arena *arena)
{
    jmp_buf here;
    *reply = (struct cp_reply){0};
    recovery = &here;
    bound_work(request, arena);
    switch ((enum departure)setjmp(here)) {
    case EXHAUSTED: reply_exhausted(reply); break;
    case TOO_LONG: arena->worked = NULL, give_up(request, reply, arena); break;
    default: answer(request, reply, arena);
    }
    arena->worked = NULL;
    recovery = NULL;
}

bool cp_service_admit(struct cp_request *request, size_t *body_limit, struct cp_reply *reply, struct cp_arena *arena)
{
    jmp_buf here;
    bool admitted = false;
    *reply = (struct cp_reply){0};
    recovery = &here;
    if (setjmp(here)) {
        reply_exhausted(reply);
    } else {
        const struct cp_endpoint *endpoint = (request->route = find_route(request, reply, arena)).endpoint;
        if (endpoint) *body_limit = endpoint->body_limit ? (size_t)*endpoint->body_limit : 0;
        reply->endpoint = endpoint;
        admitted = endpoint != NULL;
    }
    recovery = NULL;
    return admitted;
}

bool cp_service_is_open(const struct cp_request *request)
{
    struct cp_text parameter;
    for (int at = 0; at < cp_endpoint_count; at++)
        if (cp_endpoints[at].open && path_matches(cp_endpoints[at].path, request->path, &parameter)) return true;
    return false;
}

static void refuse(int http_status, const char *detail, struct cp_reply *reply, struct cp_arena *arena)
{
    enum cp_code code = CP_CODE_bad_request;
    for (int at = CP_CODE_bad_request; at <= CP_CODE_overloaded; at++)
        if (cp_statuses[at].http_status == http_status) code = (enum cp_code)at;
    cp_problem_reply(code, arena, reply, CP_ARGUMENTS(cp_words(detail), cp_words("")));
    if (http_status == 401) cp_reply_header(reply, "WWW-Authenticate", "Bearer");
    if (http_status == 429 || http_status == 503) cp_reply_header(reply, "Retry-After", "1");
}

void cp_service_refuse(int http_status, const char *detail, struct cp_reply *reply, struct cp_arena *arena)
{
    jmp_buf here, *outer = recovery;
    *reply = (struct cp_reply){.endpoint = reply->endpoint};
    recovery = &here;
    if (setjmp(here))
        reply_exhausted(reply);
    else
        refuse(http_status, detail, reply, arena);
    recovery = outer;
}
