#include "server/http/connection.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "server/endpoints/endpoints.h"
#include "server/http/origins.h"
#include "server/http/tcp_activity.h"

/* Bytes: of a body in chunks at first, and of one whose size is known. */
#define LEAST_BODY_CAPACITY 16384
#define FIRST_BODY_CAPACITY 65536

static void refuse(struct cp_connection *connection, int status, const char *detail)
{
    cp_service_refuse(status, detail, &connection->reply, &connection->memory.arena);
    connection->phase = CP_PHASE_SWALLOW;
}

static void refuse_size(struct cp_connection *connection)
{
    char detail[96];
    snprintf(detail, sizeof detail, "The body is over the limit of %zu bytes.", connection->body_limit);
    refuse(connection, 413, detail);
}

/* What was read so far makes room for the reply. */
static void refuse_exhausted(struct cp_connection *connection)
{
    connection->body = NULL;
    cp_memory_reset(&connection->memory);
    refuse(connection, 503, "The request needs more memory than the service may use for one.");
}

/* ---- Accounts --------------------------------------------------------------------------------------------------- */

static bool is_id(struct cp_text text)
{
    for (size_t at = 0; at < text.size; at++) {
        char letter = text.bytes[at];
        bool plain = (letter >= '0' && letter <= '9') || ((letter | 32) >= 'a' && (letter | 32) <= 'z');
        if (!plain && !(letter && strchr("-._~:+/=@", letter))) return false;
    }
    return text.size > 0 && text.size <= CP_MAX_ID_BYTES;
}

/* The client's id if it is a harmless one, else the next of our own: 16 digits that do not tell how many there were. */
static void name_request(struct cp_connection *connection)
{
    static const char digits[] = "0123456789abcdef";
    struct cp_text given = connection->head.request_id;
    char *id = connection->id;
    if (is_id(given)) {
        memcpy(id, given.bytes, given.size);
        id[given.size] = 0;
        return;
    }
    uint64_t number = connection->site->next_id += UINT64_C(0x9e3779b97f4a7c15);
    number = (number ^ number >> 32) * UINT64_C(0xd6e8feb86659fd93);
    for (int at = 0; at < 16; at++) id[at] = digits[number >> 4 * at & 15];
    id[16] = 0;
}

/* From the request's turn to its reply. What an endpoint answered at once, and is for no cache, has been timed already. */
static uint64_t duration_of(const struct cp_connection *connection)
{
    const uint64_t *spent = connection->reply.phase_ns;
    uint64_t timed_ns = spent[CP_DECODING] + spent[CP_COMPUTING] + spent[CP_ENCODING];
    if (!connection->begun_ns) return 0;
    bool whole = connection->request.begun_ns && connection->request.method == CP_POST && !connection->form.gzip;
    return whole && timed_ns ? timed_ns : cp_now_ns() - connection->begun_ns;
}

static void account(struct cp_connection *connection)
{
    struct cp_site *site = connection->site;
    const struct cp_reply *reply = &connection->reply;
    uint64_t duration_ns = duration_of(connection);
    bool bodiless = connection->request.method == CP_HEAD || reply->status == 304;
    uint64_t sent_bytes = bodiless ? 0 : reply->body.size;
    uint64_t received_bytes = connection->request_bytes + connection->received;
    const struct cp_observation observation = {reply, duration_ns, received_bytes, sent_bytes};
    cp_metrics_observe(site->metrics, &observation);
    if (!cp_access_log_wants(&site->log, reply->status)) return;
    const struct cp_access access = {connection->id,
                                     connection->client,
                                     connection->request.method_name,
                                     connection->request.path,
                                     reply,
                                     received_bytes,
                                     sent_bytes,
                                     duration_ns};
    cp_access_log_add(&site->log, &access);
}

void cp_connection_send_raw(struct cp_connection *connection)
{
    cp_reply_send_raw(connection->socket, connection->session, &connection->reply, connection->id);
    account(connection);
    connection->phase = CP_PHASE_ABANDONED;
}

/* libmicrohttpd takes no reply in the middle of a body: send it past it, and end the connection. */
static void abandon_with(struct cp_connection *connection, int status, const char *detail)
{
    connection->request.path = cp_text_of(""); /* it may lie in what is freed next */
    cp_memory_reset(&connection->memory);
    if (!*connection->id) name_request(connection);
    cp_service_refuse(status, detail, &connection->reply, &connection->memory.arena);
    cp_connection_send_raw(connection);
}

/* ---- The head --------------------------------------------------------------------------------------------------- */

bool cp_connection_begin(struct cp_connection *connection, const char *target)
{
    size_t size = strlen(target);
    bool is_short = size <= CP_SHORT_TARGET_BYTES;
    char *copy = is_short ? connection->short_target : cp_memory_resize(&connection->memory, NULL, 0, size);
    if (!copy) return false;
    connection->target = (struct cp_text){memcpy(copy, target, size), size};
    connection->phase = CP_PHASE_HEAD;
    connection->begun = true;
    connection->close = connection->chunked = false;
    connection->taken_bytes = UINT64_MAX;
    connection->since_ms = connection->progress_ms = connection->site->now_ms;
    connection->begun_ns = connection->request_bytes = connection->received = 0;
    connection->head = (struct cp_request_head){0};
    connection->request = (struct cp_request){0};
    connection->reply = (struct cp_reply){0};
    connection->form = (struct cp_representation){0};
    *connection->id = *connection->origin = 0;
    cp_metrics_begin_request(connection->site->metrics);
    connection->body = NULL;
    connection->body_limit = connection->body_capacity = 0;
    return true;
}

/* Room for a usual body. One that is announced to be large gets more as it comes: an announcement alone must not take
 * memory from others. */
static bool prepare_body(struct cp_connection *connection, const struct cp_framing *framing)
{
    if (framing->form != CP_BODY_SIZED || framing->size == 0) return true;
    connection->body_limit = (size_t)framing->size;
    connection->body_capacity =
        connection->body_limit < FIRST_BODY_CAPACITY ? connection->body_limit : FIRST_BODY_CAPACITY;
    connection->body = cp_memory_resize(&connection->memory, NULL, 0, connection->body_capacity);
    return connection->body;
}

/* Decide on a request with a body, or that should have one, before it is read. */
static void admit(struct cp_connection *connection, const struct cp_framing *framing)
{
    struct cp_request *request = &connection->request;
    if (!cp_service_admit(request, &connection->body_limit, &connection->reply, &connection->memory.arena)) {
        connection->phase = CP_PHASE_SWALLOW;
    } else if (request->method == CP_POST && framing->form == CP_BODY_NONE) {
        refuse(connection, 411, "A POST request needs Content-Length or Transfer-Encoding: chunked.");
    } else if (connection->body_limit == 0) {
        return;
    } else if (framing->form == CP_BODY_SIZED && framing->size > connection->body_limit) {
        refuse_size(connection);
    } else if (!prepare_body(connection, framing)) {
        refuse_exhausted(connection);
    }
}

/* OPTIONS * asks about the server as a whole. */
static void answer_server_options(struct cp_connection *connection)
{
    connection->reply =
        (struct cp_reply){.status = 204, .headers = {{"Allow", "GET, HEAD, POST, OPTIONS"}}, .header_count = 1};
    connection->phase = CP_PHASE_SWALLOW;
}

/* What is wrong with the head as such: 0, or the status of the refusal. */
static int check_head(struct cp_connection *connection, bool old_version, struct cp_framing *framing,
                      const char **detail)
{
    bool split = cp_target_split(connection->target, &connection->request.path, &connection->request.query);
    int status = cp_request_head_framing(&connection->head, old_version, framing, detail);
    if (status) return status;
    if (connection->target.size > connection->options->header_bytes) {
        *detail = "The request target is too long.";
        return 414;
    }
    if (connection->request_bytes > connection->options->header_bytes) {
        *detail = "The request line and headers are too long or too many for --header-bytes.";
        return 431;
    }
    if (split) return 0;
    *detail = "The request target is neither a path nor a URL, or has white space or control characters in it.";
    return 400;
}

/* A browser asks without a token whether it may ask with one, and loads the pages without; probes have none. */
static bool is_admitted(const struct cp_connection *connection)
{
    const struct cp_request *request = &connection->request;
    const struct cp_tokens *tokens = atomic_load_explicit(connection->site->tokens, memory_order_acquire);
    return !tokens || request->method == CP_OPTIONS || cp_service_is_open(request) ||
           cp_tokens_admit(tokens, connection->head.authorization);
}

/* Who asks, and from where. */
static void look_at_client(struct cp_connection *connection)
{
    struct cp_text origin = connection->head.origin;
    const char *origins = connection->options->cors_origins;
    name_request(connection);
    if (!origin.size || origin.size > CP_MAX_ORIGIN_BYTES || !origins || !cp_origins_hold(origins, origin)) return;
    memcpy(connection->origin, origin.bytes, origin.size);
    connection->origin[origin.size] = 0;
}

/* A request that may be asked. */
static void take_request(struct cp_connection *connection, const struct cp_framing *framing)
{
    struct cp_request *request = &connection->request;
    bool has_body = connection->chunked || framing->size > 0;
    if (!is_admitted(connection))
        refuse(connection, 401,
               connection->head.authorizations ? "The token is none of those that the server takes."
                                               : "The request has no token.");
    else if (request->method == CP_OPTIONS && cp_text_is(request->path, "*"))
        answer_server_options(connection);
    else if (has_body || request->method == CP_POST)
        admit(connection, framing);
}

bool cp_connection_take_head(struct cp_connection *connection, size_t head_bytes, const char *method, bool old_version)
{
    struct cp_request *request = &connection->request;
    const struct cp_request_head *head = &connection->head;
    struct cp_framing framing;
    const char *detail = NULL;
    request->method_name = cp_text_of(method);
    request->method = cp_method_of(request->method_name);
    request->content_type = head->content_type;
    request->content_encoding = head->content_encoding;
    request->accept = head->accept;
    connection->phase = CP_PHASE_BODY;
    connection->consumed += head_bytes;
    connection->request_bytes = head_bytes;
    look_at_client(connection);
    int status = check_head(connection, old_version, &framing, &detail);
    if (status) {
        refuse(connection, status, detail);
        return connection->close = true;
    }
    connection->chunked = framing.form == CP_BODY_CHUNKED;
    take_request(connection, &framing);
    bool spare_body =
        (connection->chunked || framing.size > 0) && (head->expects_continue || framing.size > CP_HTTP_SWALLOW_BYTES);
    return connection->close = connection->phase == CP_PHASE_SWALLOW && spare_body;
}

/* ---- The body, and the end -------------------------------------------------------------------------------------- */

static bool append_body(struct cp_connection *connection, const char *bytes, size_t size)
{
    size_t old_size = (size_t)connection->received - size, new_size = old_size + size;
    if (new_size > connection->body_capacity) {
        size_t capacity = 2 * new_size < LEAST_BODY_CAPACITY ? LEAST_BODY_CAPACITY : 2 * new_size;
        if (capacity > connection->body_limit) capacity = connection->body_limit;
        char *grown = cp_memory_resize(&connection->memory, connection->body, connection->body_capacity, capacity);
        if (!grown) return false;
        connection->body = grown;
        connection->body_capacity = capacity;
    }
    memcpy(connection->body + old_size, bytes, size);
    return true;
}

bool cp_connection_take_body(struct cp_connection *connection, const char *bytes, size_t size)
{
    connection->received += size;
    connection->progress_ms = connection->site->now_ms;
    if (connection->phase == CP_PHASE_BODY && connection->body_limit > 0) {
        if (connection->received > connection->body_limit)
            refuse_size(connection);
        else if (!append_body(connection, bytes, size))
            refuse_exhausted(connection);
        return true;
    }
    if (connection->received <= CP_HTTP_SWALLOW_BYTES) return true;
    abandon_with(connection, 413, "The body goes on past all that is read of one that is not wanted.");
    return false;
}

/* The answer, and the form in which it goes out. False: it takes long, and `brief` was asked for. */
static bool make_reply(struct cp_connection *connection, bool brief)
{
    struct cp_request *request = &connection->request;
    struct cp_reply *reply = &connection->reply;
    const struct cp_preferences preferences = {.accept_encoding = connection->head.accept_encoding,
                                               .if_none_match = connection->head.if_none_match,
                                               .gzip_bytes = connection->options->gzip_bytes,
                                               .brief = brief};
    request->brief = brief;
    if (!reply->status) cp_service_answer(request, reply, &connection->memory.arena);
    return !reply->deferred &&
           cp_represent(&connection->form, request->method, &preferences, reply, &connection->memory);
}

bool cp_connection_answer(struct cp_connection *connection)
{
    if (connection->phase == CP_PHASE_SWALLOW) return true;
    if (connection->body) connection->request.body = (struct cp_text){connection->body, (size_t)connection->received};
    connection->begun_ns = connection->request.begun_ns = cp_now_ns();
    if (make_reply(connection, true)) return true;
    connection->phase = CP_PHASE_COMPUTING;
    return false;
}

void cp_connection_compute(struct cp_connection *connection)
{
    (void)!make_reply(connection, false);
}

void cp_connection_send(struct cp_connection *connection, bool close, struct cp_reply_head *head)
{
    const char *origins = connection->options->cors_origins;
    bool shared = *connection->origin;
    bool named = origins && *origins && strcmp(origins, "*") != 0; /* else everyone's, or no one's */
    const struct cp_reply_frame frame = {
        .method = connection->request.method,
        .close = close || connection->close,
        .gzip = connection->form.gzip,
        .varies = connection->form.varies,
        .varies_by_origin = named,
        .preflight = connection->request.method == CP_OPTIONS && connection->head.asks_method,
        .request_id = connection->id,
        .etag = connection->form.etag,
        .allow_origin = !shared ? NULL
                        : named ? connection->origin
                                : "*",
    };
    cp_reply_head_make(head, &frame, &connection->reply);
    account(connection);
    connection->phase = CP_PHASE_ANSWERED;
    connection->since_ms = connection->site->now_ms;
}

static const char *fault_of(int status)
{
    switch (status) {
    case 400: return "The request line, a header or the framing of the body breaks the rules of HTTP.";
    case 413: return "The body is larger than any that is read.";
    case 414: return "The request target is too long.";
    case 431: return "The request line and headers are too long or too many for --header-bytes.";
    case 505: return "The version in the request line is none that the server speaks.";
    default: return "The request could not be read.";
    }
}

void cp_connection_fail(struct cp_connection *connection, int status)
{
    struct cp_request *request = &connection->request;
    if (!connection->begun) (void)!cp_connection_begin(connection, "");
    request->path = cp_text_of("");
    if (connection->target.size &&
        connection->target.bytes == connection->short_target) /* else it lies in what is freed next */
        (void)!cp_target_split(connection->target, &request->path, &request->query);
    connection->body = NULL;
    connection->form = (struct cp_representation){0};
    cp_memory_reset(&connection->memory);
    if (!*connection->id) name_request(connection);
    cp_service_refuse(status, fault_of(status), &connection->reply, &connection->memory.arena);
    connection->close = true;
}

void cp_connection_end(struct cp_connection *connection)
{
    if (!connection->begun) return;
    connection->begun = false;
    cp_metrics_end_request(connection->site->metrics);
    /* How many bytes the chunks' own framing took is not seen here; the kernel knows. */
    if (!connection->chunked)
        connection->consumed += connection->received;
    else if (!cp_tcp_received(connection->socket, &connection->consumed))
        connection->consumed = UINT64_MAX / 2;
    cp_memory_reset(&connection->memory);
    connection->since_ms = connection->site->now_ms;
    if (connection->phase != CP_PHASE_ABANDONED) connection->phase = CP_PHASE_IDLE;
}

/* ---- Deadlines -------------------------------------------------------------------------------------------------- */

static void cut_off(struct cp_connection *connection)
{
    connection->phase = CP_PHASE_ABANDONED;
    shutdown(connection->socket, SHUT_RDWR);
}

/* May a body or reply of this size, begun at since_ms, still take its time? */
static bool in_time(const struct cp_connection *connection, uint64_t bytes, int64_t now_ms)
{
    int64_t patience_ms = (int64_t)connection->options->request_seconds * 1000;
    int64_t earned_ms = (int64_t)(bytes / CP_HTTP_LEAST_BYTES_PER_SECOND) * 1000;
    return now_ms - connection->since_ms <= patience_ms + earned_ms;
}

/* Nothing more will come. libmicrohttpd reads a connection until its buffer is not filled, so it does not see an end that
 * came together with the last bytes. */
static bool peer_has_ended(const struct cp_connection *connection)
{
    char byte;
    return connection->phase < CP_PHASE_COMPLETE && recv(connection->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* libmicrohttpd reads no more when a line between two chunks fills its buffer, and turns round at full speed until that is
 * mended. True: bytes wait, as before, and it has taken none since this was asked last. */
static bool is_stuck(struct cp_connection *connection)
{
    uint64_t received;
    int waiting = 0;
    if (!connection->chunked || ioctl(connection->socket, FIONREAD, &waiting) != 0) return false;
    if (!cp_tcp_received(connection->socket, &received)) return false;
    uint64_t taken = received - (uint64_t)waiting, before = connection->taken_bytes;
    connection->taken_bytes = waiting > 0 ? taken : UINT64_MAX;
    return waiting > 0 && taken == before;
}

/* Between requests: has the next one begun? Over TLS that is not seen. An empty line, or two, may stand before a request
 * and behind its body (RFC 9112 §2.2), and begins none. */
static bool has_begun(const struct cp_connection *connection)
{
    enum { EMPTY_LINES = 4 };
    uint64_t received;
    if (connection->site->tls || !cp_tcp_received(connection->socket, &received)) return false;
    return received > connection->consumed + EMPTY_LINES;
}

void cp_connection_look_at_deadline(struct cp_connection *connection, int64_t now_ms)
{
    const struct cp_http_options *options = connection->options;
    if (peer_has_ended(connection)) {
        cut_off(connection);
        return;
    }
    switch (connection->phase) {
    case CP_PHASE_IDLE:
    case CP_PHASE_HEAD:
        if (now_ms - connection->since_ms <= (int64_t)options->idle_seconds * 1000) return;
        if (connection->phase == CP_PHASE_HEAD || (has_begun(connection) && cp_connection_begin(connection, "")))
            abandon_with(connection, 408, "The request's line and headers took too long.");
        break;
    case CP_PHASE_BODY:
    case CP_PHASE_SWALLOW:
        if (is_stuck(connection)) {
            abandon_with(connection, 400, "A line between the chunks of the body is too long.");
            break;
        }
        if (in_time(connection, connection->received, now_ms) &&
            now_ms - connection->progress_ms <= (int64_t)options->request_seconds * 1000)
            return;
        abandon_with(connection, 408, "The request's body took too long.");
        break;
    case CP_PHASE_ANSWERED: /* a reply without any progress is cut off by libmicrohttpd */
        if (in_time(connection, connection->reply.body.size, now_ms)) return;
        break;
    case CP_PHASE_COMPLETE:
    case CP_PHASE_COMPUTING: /* computations end by themselves */
    case CP_PHASE_ABANDONED: return;
    }
    cut_off(connection);
}

/* Over TLS the bytes on the wire are others than those of the requests: it is idle while none come. */
static bool is_silent(struct cp_connection *connection, uint64_t received, int64_t now_ms)
{
    enum { SILENCE_MS = 1000 };
    if (received != connection->seen_bytes) connection->seen_ms = now_ms;
    connection->seen_bytes = received;
    return now_ms - connection->seen_ms >= SILENCE_MS;
}

void cp_connection_cut_idle(struct cp_connection *connection, int64_t now_ms)
{
    uint64_t received;
    if (connection->phase != CP_PHASE_IDLE) return;
    if (cp_tcp_received(connection->socket, &received)) {
        bool tls = connection->site->tls;
        if (tls ? !is_silent(connection, received, now_ms) : received > connection->consumed) return;
    }
    cut_off(connection);
}

bool cp_connection_is_busy(const struct cp_connection *connection)
{
    return connection->phase != CP_PHASE_IDLE && connection->phase != CP_PHASE_ABANDONED;
}
