/* The transport over real sockets: keep-alive, many connections, deadlines, drain. What a single request may look like is in
 * test_framing.c. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "server/service.h"
#include "tests/http/requests.h"

/* ---- Replies ----------------------------------------------------------------------------------------------------- */

static void test_standard_headers(void **state)
{
    (void)state;
    static const struct {
        const char *request, *sniffing, *cache;
    } rows[] = {{GOOD_POST, "", ""},
                {POST_SHAPES "Content-Length: 2\r\n\r\n{]", "nosniff", ""},
                {HEALTH, "nosniff", "no-store"}};
    struct cp_http *http = cp_serve_with_two();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cp_client_reply reply;
        char timing[256];
        double decode, compute, encode;
        int end = 0;
        struct cp_client *client = cp_client_ask(cp_http_port(http), rows[i].request, &reply, false);
        cp_client_header(&reply, "Server-Timing", timing, sizeof timing);
        sscanf(timing, "decode;dur=%lf, compute;dur=%lf, encode;dur=%lf%n", &decode, &compute, &encode, &end);
        if (!end || timing[end]) fail_msg("Server-Timing: %s", timing);
        for (const char *dot = strchr(timing, '.'); dot; dot = strchr(dot + 1, '.')) {
            if (strspn(dot + 1, "0123456789") != 6) fail_msg("not six decimals: %s", timing);
        }
        cp_expect_header(rows[i].request, &reply, "X-Content-Type-Options", rows[i].sniffing);
        cp_expect_header(rows[i].request, &reply, "Cache-Control", rows[i].cache);
        cp_client_close(client);
    }
    cp_http_free(http);
}

/* ---- Methods ---------------------------------------------------------------------------------------------------- */

/* The endpoint's path with a name that exists for its parameter. */
static void make_path(char path[128], const struct cp_endpoint *endpoint)
{
    static const char *const names[][2] = {{"/v1/figure.svg", "/v1/figure.svg?op=conv&i=5&k=3"},
                                           {"/v1/relationships/{number}", "/v1/relationships/14"},
                                           {"/v1/examples/{name}", "/v1/examples/resnet50"},
                                           {"/problems/{code}", "/problems/kernel_exceeds_input"},
                                           {"/web/{file}", "/web/main.js"}};
    snprintf(path, 128, "%s", endpoint->path);
    for (size_t at = 0; at < sizeof names / sizeof *names; at++)
        if (strcmp(endpoint->path, names[at][0]) == 0) snprintf(path, 128, "%s", names[at][1]);
    if (strchr(path, '{')) fail_msg("%s: a name is missing here", path);
}

/* Ask with HEAD; a body would come before the next reply. */
static void ask_head(int port, const char *request, struct cp_client_reply *head)
{
    struct cp_client_reply next;
    struct cp_client *client = cp_client_ask(port, request, head, true);
    cp_client_send_text(client, HEALTH);
    cp_client_read(client, &next, false);
    cp_expect_status("after HEAD", 200, &next);
    cp_client_close(client);
}

/* Of whatever answers GET, compressed and not, and of what is not there. */
static void test_head_is_get_without_body(void **state)
{
    static const char *const names[] = {"Content-Type", "Content-Encoding", "Vary", "ETag", "Content-Length"};
    static const char *const encodings[] = {"identity", "gzip"};
    enum { NAMES = sizeof names / sizeof *names };
    int compressed = 0;
    (void)state;
    struct cp_http *http = cp_serve_with_two();
    for (int i = 0; i < 2 * (cp_endpoint_count + 1); i++) {
        bool exists = i / 2 < cp_endpoint_count;
        struct cp_client_reply get, head;
        char path[128] = "/nope", text[256], value[256];
        if (exists && cp_endpoints[i / 2].method != CP_GET) continue;
        if (exists) make_path(path, &cp_endpoints[i / 2]);
        static const char form[] = "%s %s HTTP/1.1\r\nHost: t\r\nAccept-Encoding: %s\r\n\r\n";
        snprintf(text, sizeof text, form, "GET", path, encodings[i % 2]);
        cp_client_close(cp_client_ask(cp_http_port(http), text, &get, false));
        snprintf(text, sizeof text, form, "HEAD", path, encodings[i % 2]);
        ask_head(cp_http_port(http), text, &head);
        cp_expect_status(path, exists ? 200 : 404, &get);
        cp_expect_status(path, get.status, &head);
        bool live = exists && cp_endpoints[i / 2].live; /* its length changes */
        for (int n = 0; n < NAMES - live; n++)
            cp_expect_header(path, &head, names[n], cp_client_header(&get, names[n], value, sizeof value));
        compressed += *cp_client_header(&head, "Content-Encoding", value, sizeof value) != 0;
    }
    assert_true(compressed > 3);
    cp_http_free(http);
}

static void test_options_everywhere(void **state)
{
    (void)state;
    struct cp_http *http = cp_serve_with_two();
    for (int i = 0; i < cp_endpoint_count; i++) {
        struct cp_client_reply reply;
        char path[128], text[256], allow[64];
        make_path(path, &cp_endpoints[i]);
        snprintf(text, sizeof text, "OPTIONS %s HTTP/1.1\r\nHost: t\r\n\r\n", path);
        cp_client_close(cp_client_ask(cp_http_port(http), text, &reply, false));
        cp_expect_status(path, 204, &reply);
        cp_client_header(&reply, "Allow", allow, sizeof allow);
        if (!strstr(allow, cp_endpoints[i].method == CP_GET ? "GET, HEAD" : "POST") || !strstr(allow, "OPTIONS"))
            fail_msg("%s: Allow: %s", path, allow);
    }
    cp_http_free(http);
}

static void test_allow(void **state)
{
    (void)state;
    static const struct {
        const char *request;
        int status;
        const char *allowed, *other;
    } rows[] = {{"OPTIONS /v1/shapes HTTP/1.1\r\nHost: t\r\n\r\n", 204, "POST", "GET"},
                {"OPTIONS /healthz HTTP/1.1\r\nHost: t\r\n\r\n", 204, "GET", "POST"},
                {"GET /v1/shapes HTTP/1.1\r\nHost: t\r\n\r\n", 405, "POST", "GET"},
                {"DELETE /healthz HTTP/1.1\r\nHost: t\r\n\r\n", 405, "HEAD", "POST"}};
    struct cp_http *http = cp_serve_with_two();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cp_client_reply reply;
        char allow[256];
        cp_client_close(cp_client_ask(cp_http_port(http), rows[i].request, &reply, false));
        cp_expect_status(rows[i].request, rows[i].status, &reply);
        cp_client_header(&reply, "Allow", allow, sizeof allow);
        if (!strstr(allow, rows[i].allowed) || strstr(allow, rows[i].other)) {
            fail_msg("%s: Allow: %s", rows[i].request, allow);
        }
    }
    cp_http_free(http);
}

/* ---- How bytes arrive ------------------------------------------------------------------------------------------- */

static void test_byte_by_byte(void **state)
{
    (void)state;
    struct cp_http *http = cp_serve_with_two();
    struct cp_client *client = cp_client_open(cp_http_port(http));
    struct cp_client_reply reply;
    for (const char *byte = GOOD_POST; *byte; byte++) cp_client_send(client, byte, 1);
    cp_client_read(client, &reply, false);
    cp_expect_status("byte by byte", 200, &reply);
    cp_client_close(client);
    cp_http_free(http);
}

static void test_pipelined(void **state)
{
    (void)state;
    struct cp_http *http = cp_serve_with_two();
    struct cp_client *client = cp_client_open(cp_http_port(http));
    static const char unknown[] = "GET /nope HTTP/1.1\r\nHost: t\r\n\r\n";
    enum { DEPTH = 1000 };
    for (int i = 0; i < DEPTH; i++) cp_client_send_text(client, i % 3 ? GOOD_POST : unknown);
    for (int i = 0; i < DEPTH; i++) {
        struct cp_client_reply reply;
        cp_client_read(client, &reply, false);
        cp_expect_status("pipelined", i % 3 ? 200 : 404, &reply);
    }
    cp_client_close(client);
    cp_http_free(http);
}

static void test_continue(void **state)
{
    (void)state;
    struct cp_http *http = cp_serve_with_two();
    struct cp_client_reply reply;
    struct cp_client *client = cp_client_ask(
        cp_http_port(http), POST_SHAPES "Expect: 100-continue\r\nContent-Length: " STACK_SIZE "\r\n\r\n", &reply, true);
    cp_expect_status("before the body", 100, &reply);
    cp_client_send_text(client, STACK);
    cp_client_read(client, &reply, false);
    cp_expect_status("after the body", 200, &reply);
    cp_client_close(client);
    cp_http_free(http);
}

/* Over the limit by a byte: the body is dropped, the answer comes, the connection lives on. */
static void test_body_over_limit(void **state)
{
    (void)state;
    enum { SIZE = (8 << 20) + 1 };
    static const char *const framings[] = {"Content-Length: 8388609\r\n\r\n",
                                           "Transfer-Encoding: chunked\r\n\r\n800001\r\n"};
    struct cp_http *http = cp_serve_with_two();
    char *body = malloc(SIZE);
    assert_non_null(body);
    memset(body, ' ', SIZE);
    struct cp_client *client = cp_client_open(cp_http_port(http));
    for (int i = 0; i < 2; i++) {
        struct cp_client_reply reply;
        cp_client_send_text(client, POST_SHAPES);
        cp_client_send_text(client, framings[i]);
        cp_client_send(client, body, SIZE);
        if (i) cp_client_send_text(client, "\r\n0\r\n\r\n");
        cp_client_read(client, &reply, false);
        cp_expect_status(framings[i], 413, &reply);
        cp_expect_header(framings[i], &reply, "Content-Type", PROBLEM);
    }
    cp_client_close(client);
    free(body);
    cp_http_free(http);
}

/* ---- Many requests, many connections ---------------------------------------------------------------------------- */

static void test_keep_alive(void **state)
{
    (void)state;
    struct cp_http *http = cp_serve_with_two();
    struct cp_client *client = cp_client_open(cp_http_port(http));
    for (int i = 0; i < 2000; i++) {
        struct cp_client_reply reply;
        cp_client_send_text(client, GOOD_POST);
        cp_client_read(client, &reply, false);
        cp_expect_status("keep-alive", 200, &reply);
    }
    cp_client_close(client);
    cp_http_free(http);
}

/* One worker, and as many requests ready at once as libmicrohttpd's event buffer holds, or a multiple of it. */
static void test_many_connections(void **state)
{
    (void)state;
    static const int counts[] = {127, 128, 256, 512};
    static struct cp_client *clients[512];
    struct cp_http_options options = defaults;
    options.workers = 1;
    struct cp_http *http = cp_client_server(options);
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        for (int i = 0; i < counts[c]; i++) clients[i] = cp_client_open(cp_http_port(http));
        for (int round = 0; round < 5; round++) {
            for (int i = 0; i < counts[c]; i++) cp_client_send_text(clients[i], GOOD_POST);
            for (int i = 0; i < counts[c]; i++) {
                struct cp_client_reply reply;
                cp_client_read(clients[i], &reply, false);
                cp_expect_status("many connections", 200, &reply);
            }
        }
        for (int i = 0; i < counts[c]; i++) cp_client_close(clients[i]);
    }
    cp_http_free(http);
}

static void test_connection_limit(void **state)
{
    (void)state;
    struct cp_http_options options = defaults;
    options.connection_limit = 4;
    options.workers = 2;
    struct cp_http *http = cp_client_server(options);
    struct cp_client *clients[5];
    struct cp_client_reply reply;
    for (int i = 0; i < 4; i++) {
        clients[i] = cp_client_ask(cp_http_port(http), HEALTH, &reply, false);
        cp_expect_status("within the limit", 200, &reply);
    }
    clients[4] = cp_client_open(cp_http_port(http));
    cp_client_read(clients[4], &reply, false);
    cp_expect_status("over the limit", 503, &reply);
    cp_expect_header("over the limit", &reply, "Content-Type", PROBLEM);
    cp_client_expect_end(clients[4]);
    cp_client_send_text(clients[0], HEALTH);
    cp_client_read(clients[0], &reply, false);
    cp_expect_status("still served", 200, &reply);
    for (int i = 0; i < 5; i++) cp_client_close(clients[i]);
    cp_http_free(http);
}

/* ---- Deadlines and drain ---------------------------------------------------------------------------------------- */

static void test_deadlines(void **state)
{
    (void)state;
    struct cp_http_options options = defaults;
    options.idle_seconds = options.request_seconds = 1;
    struct cp_http *http = cp_client_server(options);
    struct cp_client_reply reply;
    struct cp_client *idle = cp_client_ask(cp_http_port(http), HEALTH, &reply, false);
    struct cp_client *headless = cp_client_open(cp_http_port(http));
    struct cp_client *speechless = cp_client_open(cp_http_port(http));
    struct cp_client *spaced = cp_client_ask(cp_http_port(http), "\r\n" HEALTH "\r\n", &reply, false);
    struct cp_client *stalled = cp_client_open(cp_http_port(http));
    cp_client_send_text(speechless, "GET /hea");
    cp_client_send_text(headless, "GET /healthz HTTP/1.1\r\nHost:");
    cp_client_send_text(stalled, POST_SHAPES "Content-Length: " STACK_SIZE "\r\n\r\n{");
    cp_client_expect_end(idle);
    cp_client_expect_end(spaced); /* without a word: nothing has begun */
    cp_client_read(speechless, &reply, false);
    cp_expect_status("stalled request line", 408, &reply);
    cp_expect_header("stalled request line", &reply, "Content-Type", PROBLEM);
    char id[64];
    cp_client_header(&reply, "X-Request-Id", id, sizeof id);
    assert_int_equal(strlen(id), 16);
    cp_client_read(headless, &reply, false);
    cp_expect_status("stalled headers", 408, &reply);
    cp_client_read(stalled, &reply, false);
    cp_expect_status("stalled body", 408, &reply);
    cp_expect_header("stalled body", &reply, "Content-Type", PROBLEM);
    cp_client_expect_end(stalled);
    cp_client_close(idle);
    cp_client_close(speechless);
    cp_client_close(spaced);
    cp_client_close(headless);
    cp_client_close(stalled);
    cp_http_free(http);
}

#define HALF_SENT 40

/* Bytes sent of the i-th: from the first to all but the last. */
static size_t half(int i)
{
    return 1 + (strlen(GOOD_POST) - 2) * (size_t)i / (HALF_SENT - 1);
}

/* Requests cut at places all over head and body, on new and on used connections, are all answered after the drain has
 * closed the idle connections; then nothing listens. */
static void test_drain(void **state)
{
    (void)state;
    struct cp_http *http = cp_serve_with_two();
    int port = cp_http_port(http);
    struct cp_client *clients[HALF_SENT];
    struct cp_client_reply reply;
    struct cp_client *idle = cp_client_ask(port, HEALTH, &reply, false);
    struct cp_client *probe = cp_client_open(port);
    cp_client_send_text(probe, "GET /readyz HTTP/1.1\r\n");
    for (int i = 0; i < HALF_SENT; i++) {
        clients[i] = i % 2 ? cp_client_open(port) : cp_client_ask(port, i % 4 ? GOOD_POST : HEALTH, &reply, false);
        cp_client_send(clients[i], GOOD_POST, half(i));
    }
    cp_http_drain(http);
    cp_client_expect_end(idle);
    cp_client_send_text(probe, "Host: t\r\n\r\n");
    cp_client_read(probe, &reply, false);
    cp_expect_status("ready while draining", 503, &reply);
    for (int i = 0; i < HALF_SENT; i++) {
        cp_client_send_text(clients[i], &GOOD_POST[half(i)]);
        cp_client_read(clients[i], &reply, false);
        cp_expect_status("begun before the drain", 200, &reply);
        cp_expect_header("begun before the drain", &reply, "Connection", "close");
        cp_client_expect_end(clients[i]);
        cp_client_close(clients[i]);
    }
    assert_true(cp_http_wait(http, CP_CLIENT_PATIENCE_MS));
    assert_int_equal(cp_http_unanswered(http), 0);
    assert_int_equal(cp_client_try(port), ECONNREFUSED);
    cp_client_close(idle);
    cp_client_close(probe);
    cp_http_free(http);
}

static void test_drain_deadline(void **state)
{
    (void)state;
    struct cp_http_options options = defaults;
    options.drain_seconds = 0;
    struct cp_http *http = cp_client_server(options);
    struct cp_client_reply reply;
    struct cp_client *client = cp_client_ask(
        cp_http_port(http), POST_SHAPES "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n", &reply, true);
    cp_expect_status("begun", 100, &reply);
    cp_http_drain(http);
    assert_true(cp_http_wait(http, CP_CLIENT_PATIENCE_MS));
    assert_int_equal(cp_http_unanswered(http), 1);
    cp_client_close(client);
    cp_http_free(http);
}

/* ---- Starting --------------------------------------------------------------------------------------------------- */

static void test_start_errors(void **state)
{
    (void)state;
    struct cp_http *http = cp_serve_with_two();
    const struct {
        const char *host;
        int port;
        const char *part;
    } rows[] = {{"127.0.0.1", cp_http_port(http), "taken"},
                {"192.0.2.1", 0, "no interface"},
                {"127.0.0.1", 65536, "0 to 65535"},
                {"256.256.256.256", 0, "256.256.256.256"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cp_http_options options = defaults;
        char error[256] = "";
        options.host = rows[i].host;
        options.port = rows[i].port;
        struct cp_http *second = cp_http_start(&options, error, sizeof error);
        if (second || !strstr(error, rows[i].part)) fail_msg("host %s: \"%s\"", rows[i].host, error);
    }
    cp_http_free(http);
}

/* A client that ends its side along with its request, whole or not, is answered and let go of, not kept until it has
 * been idle for long. */
static void test_half_closed(void **state)
{
    static const char *const requests[] = {
        HEALTH, GOOD_POST, HEALTH HEALTH, "GET /healthz HTT", POST_SHAPES "Content-Length: " STACK_SIZE "\r\n\r\n{",
        ""};
    static const int replies[] = {1, 1, 2, 0, 0, 0};
    enum { ROWS = sizeof requests / sizeof *requests };
    struct cp_client *clients[ROWS];
    (void)state;
    struct cp_http *http = cp_serve_with_two();
    for (int at = 0; at < ROWS; at++) {
        clients[at] = cp_client_open(cp_http_port(http));
        cp_client_send_text(clients[at], requests[at]);
        assert_int_equal(shutdown(clients[at]->socket, SHUT_WR), 0);
    }
    for (int at = 0; at < ROWS; at++) {
        struct cp_client_reply reply;
        for (int count = 0; count < replies[at]; count++) {
            cp_client_read(clients[at], &reply, false);
            cp_expect_status(requests[at], 200, &reply);
        }
        cp_client_expect_end(clients[at]);
        cp_client_close(clients[at]);
    }
    cp_http_free(http);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_half_closed),
        cmocka_unit_test(test_standard_headers),
        cmocka_unit_test(test_head_is_get_without_body),
        cmocka_unit_test(test_options_everywhere),
        cmocka_unit_test(test_allow),
        cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_pipelined),
        cmocka_unit_test(test_continue),
        cmocka_unit_test(test_body_over_limit),
        cmocka_unit_test(test_keep_alive),
        cmocka_unit_test(test_many_connections),
        cmocka_unit_test(test_connection_limit),
        cmocka_unit_test(test_deadlines),
        cmocka_unit_test(test_drain),
        cmocka_unit_test(test_drain_deadline),
        cmocka_unit_test(test_start_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
