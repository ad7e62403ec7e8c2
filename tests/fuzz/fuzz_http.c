/* The HTTP layer: bytes as recorded from the wire to a real worker over loopback, in two pieces, and then the client's end.
 * The server ends the connection too, without a wait, and what it has sent until then are whole replies of HTTP, none of
 * status 500, each problem in JSON. */
#define _GNU_SOURCE 1 /* memmem, ppoll */

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/http/http.h"
#include "tests/fuzz/ask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PAUSE_NS INT64_C(400000)
#define PATIENCE_NS INT64_C(20000000000)

enum { MOST_REPLY_BYTES = 1 << 24 };

static char replies[MOST_REPLY_BYTES];

static void fail(const char *what, const char *bytes, size_t size)
{
    fprintf(stderr, "%s: %.*s\n", what, (int)size, bytes);
    abort();
}

/* ---- Both ends ---------------------------------------------------------------------------------------------------- */

/* Started by the first input, and never ended. Its memory for heads is so small that short inputs fill it. */
static int server_port(void)
{
    static struct cp_http *http;
    char error[256] = "";
    struct cp_http_options options = CP_HTTP_DEFAULTS;
    if (http) return cp_http_port(http);
    options.host = "127.0.0.1";
    options.port = 0;
    options.workers = 1;
    options.header_bytes = 1024;
    cp_http_block_signals();
    http = cp_http_start(&options, error, sizeof error);
    if (!http) fail("no server", error, strlen(error));
    return cp_http_port(http);
}

static int open_client(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)server_port())};
    int on = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool begun = client >= 0 && connect(client, (struct sockaddr *)&address, sizeof address) == 0;
    if (!begun && errno != EINTR) {
        perror("connect");
        abort();
    }
    struct pollfd open = {client, POLLOUT, 0}; /* after a signal, of the fuzzer's clock, it goes on by itself */
    while (!begun) begun = poll(&open, 1, -1) == 1;
    /* So many connections would otherwise use up the ports. */
    setsockopt(client, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return client;
}

/* False: the server has ended the connection, which it may at any byte that it does not like. */
static bool send_all(int client, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(client, bytes, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return false;
        bytes += sent;
        size -= (size_t)sent;
    }
    return true;
}

/* The connection ended with a reset: bytes came to the server behind those that made it close, and with that the kernel
 * drops what is still to be sent. Sending may meet it first, and reading then sees an end like any other. */
static bool was_reset;

/* Read what comes, behind the `size` bytes that are there, until nothing has for so long; *ended: the server has ended
 * the connection. Returns how many there are then. */
static size_t read_until_quiet(int client, size_t size, int64_t patience_ns, bool *ended)
{
    struct timespec patience = {.tv_sec = patience_ns / 1000000000, .tv_nsec = patience_ns % 1000000000};
    for (;;) {
        struct pollfd ready = {.fd = client, .events = POLLIN};
        int found = ppoll(&ready, 1, &patience, NULL);
        if (found < 0 && errno == EINTR) continue; /* a fuzzer has a clock of its own */
        if (found == 0) return size;
        if (size == sizeof replies) fail("no end of replies", replies, 1024);
        ssize_t got = recv(client, replies + size, sizeof replies - size, 0);
        if (got < 0 && errno == EINTR) continue;
        *ended = got <= 0;
        was_reset = was_reset || got < 0;
        if (*ended) return size;
        size += (size_t)got;
    }
}

/* Half-close, and read to the end. A half-close that comes with the last bytes is seen only when the connections are looked
 * through, once a second: one that comes after a little pause makes many inputs a second. */
static size_t read_all(int client)
{
    bool ended = false;
    size_t size = read_until_quiet(client, 0, PAUSE_NS, &ended);
    shutdown(client, SHUT_WR);
    if (!ended) size = read_until_quiet(client, size, PATIENCE_NS, &ended);
    if (!ended) fail("the server does not end the connection after", replies, size);
    return size;
}

/* ---- Replies ------------------------------------------------------------------------------------------------------ */

static struct cp_text header(struct cp_text head, const char *name)
{
    size_t name_size = strlen(name);
    const char *end = head.bytes + head.size;
    for (const char *line = head.bytes; line < end; line = (const char *)memchr(line, '\n', (size_t)(end - line)) + 1) {
        if ((size_t)(end - line) <= name_size || strncasecmp(line, name, name_size) != 0 || line[name_size] != ':')
            continue;
        const char *value = line + name_size + 1;
        while (*value == ' ') value++;
        return (struct cp_text){value, (size_t)((const char *)memchr(value, '\r', (size_t)(end - value)) - value)};
    }
    return (struct cp_text){0};
}

static void check_body(struct cp_text head, struct cp_text body)
{
    struct cp_exact_memory memory;
    struct cp_json_error error;
    struct cp_text type = header(head, "Content-Type");
    if (!type.size || !memmem(type.bytes, type.size, "json", 4)) return;
    cp_exact_memory_open(&memory);
    if (!cp_json_parse(&memory.arena, body.bytes, body.size, &error)) fail("no JSON", body.bytes, body.size);
    cp_exact_memory_close(&memory);
}

static int status_of(struct cp_text head)
{
    static const int known[] = {100, 200, 204, 304, 400, 401, 404, 405, 406, 408, 411,
                                413, 414, 415, 417, 422, 429, 431, 501, 503, 505};
    int status = 0;
    if (head.size < 16 || memcmp(head.bytes, "HTTP/1.", 7) != 0) fail("no status line", head.bytes, head.size);
    status = atoi(head.bytes + 9);
    for (size_t at = 0; at < sizeof known / sizeof *known; at++)
        if (status == known[at]) return status;
    fail("an unknown status", head.bytes, head.size);
    return 0;
}

/* The body's size, as announced. Whether the request was HEAD is not known here: a body that is not there at all is that
 * of such a one. */
static size_t body_size(struct cp_text head, struct cp_text rest)
{
    struct cp_text length = header(head, "Content-Length");
    size_t size = length.size ? strtoul(length.bytes, NULL, 10) : 0;
    if (rest.size == 0 || (rest.size > 7 && memcmp(rest.bytes, "HTTP/1.", 7) == 0)) return 0;
    if (size > rest.size && !was_reset) fail("a reply is cut off", head.bytes, head.size + rest.size);
    return size;
}

static void check_replies(size_t size)
{
    struct cp_text rest = {replies, size};
    while (rest.size > 0) {
        const char *end = memmem(rest.bytes, rest.size, "\r\n\r\n", 4);
        if (!end && was_reset) return;
        if (!end) fail("a head is cut off", rest.bytes, rest.size);
        struct cp_text head = {rest.bytes, (size_t)(end + 4 - rest.bytes)};
        int status = status_of(head);
        rest = (struct cp_text){head.bytes + head.size, rest.size - head.size};
        if (status == 100) continue;
        struct cp_text body = {rest.bytes, body_size(head, rest)};
        if (body.size > rest.size) return;
        if (body.size > 0) check_body(head, body);
        rest = (struct cp_text){body.bytes + body.size, rest.size - body.size};
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    int client = open_client();
    /* Where the pieces meet depends on the input alone. */
    size_t first = size > 1 ? (data[size / 2] * (size_t)131 + data[size - 1]) % size : size;
    was_reset = !send_all(client, bytes, first) || !send_all(client, bytes + first, size - first);
    check_replies(read_all(client));
    close(client);
    return 0;
}
