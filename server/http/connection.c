#include "server/http/connection.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "server/http/reply_head.h"
#include "server/http/tcp_activity.h"

#define LEAST_BODY_CAPACITY 16384

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

/* libmicrohttpd takes no reply in the middle of a body: send it past it, and end the connection. */
static void abandon_with(struct cp_connection *connection, int status, const char *detail)
{
    cp_memory_reset(&connection->memory);
    cp_service_refuse(status, detail, &connection->reply, &connection->memory.arena);
    cp_reply_send_raw(connection->socket, &connection->reply);
    connection->phase = CP_PHASE_ABANDONED;
}

/* ---- The head --------------------------------------------------------------------------------------------------- */

bool cp_connection_begin(struct cp_connection *connection, const char *target, int64_t now_ms)
{
    size_t size = strlen(target);
    bool is_short = size <= CP_SHORT_TARGET_BYTES;
    char *copy = is_short ? connection->short_target : cp_memory_resize(&connection->memory, NULL, 0, size);
    if (!copy) return false;
    connection->target = (struct cp_text){memcpy(copy, target, size), size};
    connection->phase = CP_PHASE_HEAD;
    connection->close = connection->chunked = false;
    connection->since_ms = connection->progress_ms = now_ms;
    connection->received = 0;
    connection->body = NULL;
    connection->body_limit = connection->body_capacity = 0;
    return true;
}

/* Room for all of the body when its size is known; untouched pages cost nothing. */
static bool prepare_body(struct cp_connection *connection, const struct cp_framing *framing)
{
    if (framing->form != CP_BODY_SIZED || framing->size == 0) return true;
    connection->body = cp_memory_resize(&connection->memory, NULL, 0, (size_t)framing->size);
    connection->body_capacity = (size_t)framing->size;
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
static int check_head(struct cp_connection *connection, const struct cp_request_head *head, size_t head_bytes,
                      bool old_version, struct cp_framing *framing, const char **detail)
{
    int status = cp_request_head_framing(head, old_version, framing, detail);
    if (status) return status;
    if (head_bytes > connection->options->header_bytes) {
        *detail = "The request line and headers are too long.";
        return 431;
    }
    if (cp_target_split(connection->target, &connection->request.path, &connection->request.query)) return 0;
    *detail = "The request target has white space or control characters in it.";
    return 400;
}

bool cp_connection_take_head(struct cp_connection *connection, const struct cp_request_head *head, size_t head_bytes,
                             const char *method, bool old_version)
{
    struct cp_request *request = &connection->request;
    struct cp_framing framing;
    const char *detail = NULL;
    *request = (struct cp_request){
        .method_name = cp_text_of(method), .content_type = head->content_type, .accept = head->accept};
    request->method = cp_method_of(request->method_name);
    connection->reply = (struct cp_reply){0};
    connection->phase = CP_PHASE_BODY;
    connection->consumed += head_bytes;
    int status = check_head(connection, head, head_bytes, old_version, &framing, &detail);
    if (status) {
        refuse(connection, status, detail);
        return connection->close = true;
    }
    connection->chunked = framing.form == CP_BODY_CHUNKED;
    bool has_body = connection->chunked || framing.size > 0;
    if (request->method == CP_OPTIONS && cp_text_is(request->path, "*"))
        answer_server_options(connection);
    else if (has_body || request->method == CP_POST)
        admit(connection, &framing);
    bool spare_body = has_body && (head->expects_continue || framing.size > CP_HTTP_SWALLOW_BYTES);
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

bool cp_connection_take_body(struct cp_connection *connection, const char *bytes, size_t size, int64_t now_ms)
{
    connection->received += size;
    connection->progress_ms = now_ms;
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

bool cp_connection_answer(struct cp_connection *connection)
{
    if (connection->phase != CP_PHASE_BODY) return true;
    if (connection->body) connection->request.body = (struct cp_text){connection->body, (size_t)connection->received};
    connection->request.brief = true;
    cp_service_answer(&connection->request, &connection->reply, &connection->memory.arena);
    if (!connection->reply.deferred) return true;
    connection->phase = CP_PHASE_COMPUTING;
    return false;
}

void cp_connection_compute(struct cp_connection *connection)
{
    connection->request.brief = false;
    cp_service_answer(&connection->request, &connection->reply, &connection->memory.arena);
}

void cp_connection_end(struct cp_connection *connection, int64_t now_ms)
{
    /* How many bytes the chunks' own framing took is not seen here; the kernel knows. */
    if (!connection->chunked)
        connection->consumed += connection->received;
    else if (!cp_tcp_received(connection->socket, &connection->consumed))
        connection->consumed = UINT64_MAX / 2;
    cp_memory_reset(&connection->memory);
    connection->since_ms = now_ms;
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
    return connection->phase < CP_PHASE_COMPUTING && recv(connection->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
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
        if (connection->phase == CP_PHASE_HEAD) abandon_with(connection, 408, "The request's headers took too long.");
        break;
    case CP_PHASE_BODY:
    case CP_PHASE_SWALLOW:
        if (in_time(connection, connection->received, now_ms) &&
            now_ms - connection->progress_ms <= (int64_t)options->request_seconds * 1000)
            return;
        abandon_with(connection, 408, "The request's body took too long.");
        break;
    case CP_PHASE_ANSWERED: /* a reply without any progress is cut off by libmicrohttpd */
        if (in_time(connection, connection->reply.body.size, now_ms)) return;
        break;
    case CP_PHASE_COMPUTING: /* computations end by themselves */
    case CP_PHASE_ABANDONED: return;
    }
    cut_off(connection);
}

void cp_connection_cut_idle(struct cp_connection *connection)
{
    uint64_t received;
    if (connection->phase != CP_PHASE_IDLE) return;
    if (cp_tcp_received(connection->socket, &received) && received > connection->consumed) return;
    cut_off(connection);
}

bool cp_connection_is_busy(const struct cp_connection *connection)
{
    return connection->phase != CP_PHASE_IDLE && connection->phase != CP_PHASE_ABANDONED;
}
