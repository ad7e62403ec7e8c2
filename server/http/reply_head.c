#include "server/http/reply_head.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "server/http/credentials.h"
#include "server/json/put.h"

/* Nanoseconds as milliseconds with six decimals. */
static char *put_milliseconds(char *at, uint64_t nanoseconds)
{
    enum { MILLISECOND = 1000000 };
    char *point = cp_put_integer(at, (int64_t)(nanoseconds / MILLISECOND));
    char *end = cp_put_integer(point, MILLISECOND + (int64_t)(nanoseconds % MILLISECOND)); /* its 1 makes way */
    *point = '.';
    return end;
}

void cp_server_timing(char text[CP_SERVER_TIMING_BYTES], const struct cp_reply *reply)
{
    char *at = CP_PUT(text, "decode;dur=");
    at = put_milliseconds(at, reply->phase_ns[CP_DECODING]);
    at = CP_PUT(at, ", compute;dur=");
    at = put_milliseconds(at, reply->phase_ns[CP_COMPUTING]);
    at = CP_PUT(at, ", encode;dur=");
    at = put_milliseconds(at, reply->phase_ns[CP_ENCODING]);
    *at = 0;
}

static void add(struct cp_reply_head *head, const char *name, const char *value)
{
    head->headers[head->count++] = (struct cp_header){name, value};
}

static const char *own_header(const struct cp_reply *reply, const char *name)
{
    for (int i = 0; i < reply->header_count; i++)
        if (strcmp(reply->headers[i].name, name) == 0) return reply->headers[i].value;
    return NULL;
}

static void add_form(struct cp_reply_head *head, const struct cp_reply_frame *frame)
{
    static const char *const varying[] = {NULL, "Accept-Encoding", "Origin", "Accept-Encoding, Origin"};
    const char *vary = varying[frame->varies + 2 * frame->varies_by_origin];
    if (frame->gzip) add(head, "Content-Encoding", "gzip");
    if (vary) add(head, "Vary", vary);
    if (frame->etag && *frame->etag) add(head, "ETag", frame->etag);
}

/* Constants and reference pages may be kept, and are asked for with their validator; what tells of this moment may not.
 * The reply to a POST is kept by no cache without leave (RFC 9110 §9.3.3). */
static void add_caching(struct cp_reply_head *head, const struct cp_reply_frame *frame, const struct cp_reply *reply)
{
    bool lasting = (reply->status == 200 || reply->status == 304) && reply->endpoint && !reply->endpoint->live;
    if (frame->method == CP_POST || own_header(reply, "Cache-Control")) return;
    add(head, "Cache-Control", lasting ? "no-cache" : "no-store");
}

/* A page of another site can neither run a reply nor show it in a frame; pages of our own bring their own policy. An
 * answer to a POST needs none: forms cannot send JSON, so a browser gives it to a script that asked, and to no one else. */
static void add_protection(struct cp_reply_head *head, const struct cp_reply_frame *frame, const struct cp_reply *reply)
{
    bool data = reply->content_type && strncmp(reply->content_type, "application/", 12) == 0;
    if (frame->method == CP_POST && reply->status == 200) return;
    add(head, "X-Content-Type-Options", "nosniff");
    add(head, "Referrer-Policy", "no-referrer");
    if (data && !own_header(reply, "Content-Security-Policy"))
        add(head, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
}

static void add_sharing(struct cp_reply_head *head, const struct cp_reply_frame *frame, const struct cp_reply *reply)
{
    const char *allowed = own_header(reply, "Allow");
    if (!frame->allow_origin) return;
    add(head, "Access-Control-Allow-Origin", frame->allow_origin);
    if (frame->preflight && allowed) {
        add(head, "Access-Control-Allow-Methods", allowed);
        add(head, "Access-Control-Allow-Headers", "Accept, Authorization, Content-Type, If-None-Match, X-Request-Id");
        add(head, "Access-Control-Max-Age", "7200");
    } else {
        add(head, "Access-Control-Expose-Headers",
            "Allow, ETag, Retry-After, Server-Timing, WWW-Authenticate, X-Request-Id");
    }
}

void cp_reply_head_make(struct cp_reply_head *head, const struct cp_reply_frame *frame, const struct cp_reply *reply)
{
    head->count = 0;
    cp_server_timing(head->server_timing, reply);
    if (reply->content_type) add(head, "Content-Type", reply->content_type);
    for (int i = 0; i < reply->header_count; i++) add(head, reply->headers[i].name, reply->headers[i].value);
    add(head, "Server-Timing", head->server_timing);
    if (frame->request_id) add(head, "X-Request-Id", frame->request_id);
    add_form(head, frame);
    add_caching(head, frame, reply);
    add_protection(head, frame, reply);
    add_sharing(head, frame, reply);
    if (frame->close) add(head, "Connection", "close");
}

static size_t put_head(char *text, size_t size, const struct cp_reply *reply, const char *request_id)
{
    const struct cp_reply_frame frame = {.method = CP_OTHER_METHOD, .close = true, .request_id = request_id};
    struct cp_reply_head head;
    cp_reply_head_make(&head, &frame, reply);
    size_t used =
        (size_t)snprintf(text, size, "HTTP/1.1 %d Refused\r\nContent-Length: %zu\r\n", reply->status, reply->body.size);
    for (int i = 0; i < head.count && used < size; i++) {
        used += (size_t)snprintf(text + used, size - used, "%s: %s\r\n", head.headers[i].name, head.headers[i].value);
    }
    if (used < size) used += (size_t)snprintf(text + used, size - used, "\r\n");
    return used < size ? used : 0;
}

void cp_reply_send_raw(int socket, void *session, const struct cp_reply *reply, const char *request_id)
{
    char text[4096];
    size_t size = put_head(text, sizeof text, reply, request_id);
    if (!size) return;
    struct iovec parts[2] = {{text, size}, {(void *)(size_t)reply->body.bytes, reply->body.size}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    if (session)
        cp_tls_send_last(session, parts, 2);
    else if (sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        return; /* the peer is gone */
    shutdown(socket, SHUT_WR);
    while (recv(socket, text, sizeof text, MSG_DONTWAIT) > 0) continue;
}
