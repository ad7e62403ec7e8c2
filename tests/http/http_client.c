#define _GNU_SOURCE 1 /* memmem, strcasestr */

#include "tests/http/http_client.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/http/seen.h"

struct cp_http *cp_client_server(struct cp_http_options options)
{
    char error[256] = "";
    options.host = "127.0.0.1";
    options.port = 0;
    struct cp_http *http = cp_http_start(&options, error, sizeof error);
    if (!http) fail_msg("the server did not start: %s", error);
    return http;
}

static int connect_from(int host, int port, int *code)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)host - 1);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client < 0) fail_msg("socket: %s", strerror(errno));
    if (host != 1 && bind(client, (struct sockaddr *)&address, sizeof address) != 0)
        fail_msg("bind: %s", strerror(errno));
    address.sin_port = htons((uint16_t)port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    /* cppcheck-suppress invalidFunctionArg; fail_msg does not return */
    *code = connect(client, (struct sockaddr *)&address, sizeof address) == 0 ? 0 : errno;
    return client;
}

int cp_client_try(int port)
{
    int code;
    close(connect_from(1, port, &code));
    return code;
}

int cp_client_connect(int port, int host)
{
    int code, client = connect_from(host, port, &code);
    if (code) fail_msg("connect to port %d: %s", port, strerror(code));
    return client;
}

struct cp_client *cp_client_open_from(int port, int host)
{
    struct cp_client *client = malloc(sizeof *client);
    assert_non_null(client);
    client->filled = client->taken = client->sent_size = 0;
    client->sent = NULL;
    client->socket = cp_client_connect(port, host);
    return client;
}

struct cp_client *cp_client_open(int port)
{
    return cp_client_open_from(port, 1);
}

void cp_client_close(struct cp_client *client)
{
    close(client->socket);
    free(client->sent);
    free(client);
}

static void keep_sent(struct cp_client *client, const char *bytes, size_t size)
{
    client->sent = realloc(client->sent, client->sent_size + size + 1);
    assert_non_null(client->sent);
    memcpy(client->sent + client->sent_size, bytes, size);
    client->sent_size += size;
    client->sent[client->sent_size] = '\0';
}

void cp_client_send(struct cp_client *client, const char *bytes, size_t size)
{
    keep_sent(client, bytes, size);
    while (size) {
        ssize_t sent = send(client->socket, bytes, size, MSG_NOSIGNAL);
        if (sent < 0) fail_msg("send: %s", strerror(errno));
        bytes += sent;
        size -= (size_t)sent;
    }
}

void cp_client_send_text(struct cp_client *client, const char *text)
{
    cp_client_send(client, text, strlen(text));
}

/* Read what there is; false at the end of the connection. */
static bool read_more(struct cp_client *client)
{
    struct pollfd ready = {.fd = client->socket, .events = POLLIN};
    if (client->filled == sizeof client->bytes) fail_msg("a reply is over the client's %zu bytes", client->filled);
    if (poll(&ready, 1, CP_CLIENT_PATIENCE_MS) != 1) fail_msg("no answer within %d ms", CP_CLIENT_PATIENCE_MS);
    ssize_t got = recv(client->socket, client->bytes + client->filled, sizeof client->bytes - client->filled, 0);
    if (got < 0) fail_msg("receive: %s", strerror(errno));
    client->filled += (size_t)got;
    return got > 0;
}

static void need(struct cp_client *client, size_t size)
{
    while (client->filled - client->taken < size) {
        if (!read_more(client)) fail_msg("the connection ended in the middle of a reply");
    }
}

static size_t head_size(struct cp_client *client)
{
    for (;;) {
        char *from = client->bytes + client->taken;
        char *end = memmem(from, client->filled - client->taken, "\r\n\r\n", 4);
        if (end) return (size_t)(end + 4 - from);
        if (!read_more(client)) fail_msg("the connection ended before a reply");
    }
}

/* ---- What a reply is for ------------------------------------------------------------------------------------------ */

/* Chunks up to their end. */
static size_t chunked_size(const char *body)
{
    const char *at = body;
    for (unsigned long size = 1; size;) {
        const char *line_end = strstr(at, "\r\n");
        size = strtoul(at, NULL, 16);
        if (!line_end || (size && size + 4 > strlen(line_end))) return strlen(body);
        at = line_end + 2 + (size ? size + 2 : 0);
    }
    const char *end = strncmp(at, "\r\n", 2) == 0 ? at - 2 : strstr(at, "\r\n\r\n"); /* there may be trailers */
    return end ? (size_t)(end + 4 - body) : strlen(body);
}

/* Of the first request of those sent, which may be cut off or broken: then it is all there is. */
static size_t request_size(struct cp_client *client)
{
    char *end = strstr(client->sent, "\r\n\r\n");
    if (!end) return client->sent_size;
    *end = '\0';
    const char *length = strcasestr(client->sent, "\r\nContent-Length:");
    bool chunked = strcasestr(client->sent, "\r\nTransfer-Encoding:") != NULL;
    *end = '\r';
    size_t head = (size_t)(end + 4 - client->sent), rest = client->sent_size - head;
    size_t body = length ? strtoul(length + strlen("\r\nContent-Length:"), NULL, 10) : 0;
    if (chunked) body = chunked_size(client->sent + head);
    return head + (body < rest ? body : rest);
}

static void forget_sent(struct cp_client *client, size_t size)
{
    memmove(client->sent, client->sent + size, client->sent_size - size + 1);
    client->sent_size -= size;
}

/* Its method and target, terminated; empty where its first line is not one of a request. */
static void read_request_line(const char *sent, char method[16], char *target, size_t target_size)
{
    int from = 0, to = 0;
    *method = *target = '\0';
    if (sscanf(sent, "%15[A-Z] %n%*[^ \r\n]%n", method, &from, &to) < 1 || !to ||
        strncmp(sent + to, " HTTP/1.", 8) != 0)
        *method = '\0';
    else
        snprintf(target, target_size, "%.*s", to - from, sent + from);
}

/* Hold the reply to openapi.yaml, with the request that it answers, and forget that. */
static void look_at(struct cp_client *client, const struct cp_client_reply *reply)
{
    char method[16] = "", target[1024] = "", type[128], coding[16], why[4096];
    if (client->sent) {
        forget_sent(client, strspn(client->sent, "\r\n"));
        read_request_line(client->sent, method, target, sizeof target);
        forget_sent(client, request_size(client));
    }
    const struct cp_seen seen = {
        .method = method,
        .target = target,
        .status = reply->status,
        .content_type = cp_client_header(reply, "Content-Type", type, sizeof type),
        .gzip = *cp_client_header(reply, "Content-Encoding", coding, sizeof coding) != '\0',
        .body = reply->body,
        .body_size = reply->body_size,
    };
    if (!cp_seen(&seen, why, sizeof why)) fail_msg("%s", why);
}

void cp_client_read(struct cp_client *client, struct cp_client_reply *reply, bool bodiless)
{
    char length[32];
    memmove(client->bytes, client->bytes + client->taken, client->filled - client->taken);
    client->filled -= client->taken;
    client->taken = 0;
    size_t size = head_size(client);
    assert_true(size < sizeof reply->head);
    memcpy(reply->head, client->bytes, size);
    reply->head[size] = 0;
    if (sscanf(reply->head, "HTTP/1.1 %d ", &reply->status) != 1) fail_msg("no status line in: %s", reply->head);
    client->taken = size;
    cp_client_header(reply, "Content-Length", length, sizeof length);
    reply->body_size = bodiless || reply->status == 304 ? 0 : strtoul(length, NULL, 10);
    need(client, reply->body_size);
    reply->body = client->bytes + size;
    client->taken += reply->body_size;
    if (reply->status >= 200) look_at(client, reply);
}

void cp_client_expect_end(struct cp_client *client)
{
    if (client->filled > client->taken || read_more(client)) fail_msg("more bytes where the connection should end");
}

const char *cp_client_header(const struct cp_client_reply *reply, const char *name, char *value, size_t size)
{
    size_t name_size = strlen(name);
    *value = 0;
    for (const char *line = strstr(reply->head, "\r\n"); line && line[2] != '\r'; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, name, name_size) != 0 || line[2 + name_size] != ':') continue;
        const char *from = line + 3 + name_size + strspn(line + 3 + name_size, " ");
        snprintf(value, size, "%.*s", (int)strcspn(from, "\r"), from);
        break;
    }
    return value;
}

struct cp_client *cp_client_ask(int port, const char *text, struct cp_client_reply *reply, bool bodiless)
{
    struct cp_client *client = cp_client_open(port);
    cp_client_send_text(client, text);
    cp_client_read(client, reply, bodiless);
    return client;
}

void cp_expect_status(const char *what, int wanted, const struct cp_client_reply *reply)
{
    if (reply->status == wanted) return;
    fail_msg("%s: status %d, wanted %d, in:\n%s", what, reply->status, wanted, reply->head);
}

void cp_expect_header(const char *what, const struct cp_client_reply *reply, const char *name, const char *wanted)
{
    char value[256];
    cp_client_header(reply, name, value, sizeof value);
    if (strcmp(value, wanted) != 0) fail_msg("%s: %s is \"%s\", wanted \"%s\"", what, name, value, wanted);
}
