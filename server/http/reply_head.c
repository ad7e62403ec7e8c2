#include "server/http/reply_head.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

static char *put_text(char *at, const char *text)
{
    size_t size = strlen(text);
    memcpy(at, text, size);
    return at + size;
}

/* Nanoseconds as milliseconds with six decimals. */
static char *put_milliseconds(char *at, uint64_t nanoseconds)
{
    char digits[32];
    char *first = digits + sizeof digits;
    for (int written = 0; written < 7 || nanoseconds; written++) {
        *--first = (char)('0' + nanoseconds % 10);
        nanoseconds /= 10;
        if (written == 5) *--first = '.';
    }
    size_t size = (size_t)(digits + sizeof digits - first);
    memcpy(at, first, size);
    return at + size;
}

void cp_server_timing(char text[CP_SERVER_TIMING_BYTES], const struct cp_reply *reply)
{
    char *at = put_text(text, "decode;dur=");
    at = put_milliseconds(at, reply->decode_ns);
    at = put_text(at, ", compute;dur=");
    at = put_milliseconds(at, reply->compute_ns);
    at = put_text(at, ", encode;dur=");
    at = put_milliseconds(at, reply->encode_ns);
    *at = 0;
}

static void add(struct cp_reply_head *head, const char *name, const char *value)
{
    head->headers[head->count++] = (struct cp_header){name, value};
}

void cp_reply_head_make(struct cp_reply_head *head, enum cp_request_method method, const struct cp_reply *reply,
                        bool close)
{
    head->count = 0;
    cp_server_timing(head->server_timing, reply);
    if (reply->content_type) add(head, "Content-Type", reply->content_type);
    for (int i = 0; i < reply->header_count; i++) add(head, reply->headers[i].name, reply->headers[i].value);
    add(head, "Server-Timing", head->server_timing);
    add(head, "X-Content-Type-Options", "nosniff");
    if (method == CP_POST) add(head, "Cache-Control", "no-store");
    if (close) add(head, "Connection", "close");
}

static size_t put_head(char *text, size_t size, const struct cp_reply *reply)
{
    struct cp_reply_head head;
    cp_reply_head_make(&head, CP_POST, reply, true);
    size_t used =
        (size_t)snprintf(text, size, "HTTP/1.1 %d Refused\r\nContent-Length: %zu\r\n", reply->status, reply->body.size);
    for (int i = 0; i < head.count && used < size; i++) {
        used += (size_t)snprintf(text + used, size - used, "%s: %s\r\n", head.headers[i].name, head.headers[i].value);
    }
    if (used < size) used += (size_t)snprintf(text + used, size - used, "\r\n");
    return used < size ? used : 0;
}

void cp_reply_send_raw(int socket, const struct cp_reply *reply)
{
    char text[4096];
    size_t size = put_head(text, sizeof text, reply);
    if (!size) return;
    struct iovec parts[2] = {{text, size}, {(void *)(size_t)reply->body.bytes, reply->body.size}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    if (sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) return; /* the peer is gone */
}
