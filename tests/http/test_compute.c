/* Requests that take long over real sockets: other threads answer them, no event loop waits, a full queue is said, and a
 * drain or a stop leaves none behind. One worker, so that anything that held it up would hold up all. */
#define _GNU_SOURCE 1 /* memmem */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/limits.h"
#include "tests/http/http_client.h"

#define HEALTH "GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n"

static struct cp_http *start(int drain_seconds)
{
    struct cp_http_options options = CP_HTTP_DEFAULTS;
    options.workers = 1;
    options.drain_seconds = drain_seconds;
    return cp_client_server(options);
}

/* A whole request: a pool over `cells` zeros with windows of `kernel`. */
static char *make_request(int cells, int kernel)
{
    char *body, *request;
    size_t size, whole;
    FILE *file = open_memstream(&body, &size);
    fprintf(file, "{\"layer\": {\"type\": \"MaxPool1d\", \"kernel_size\": %d, \"stride\": 1}, \"input\": [[[", kernel);
    for (int at = 0; at < cells; at++) fputs(at ? ",0" : "0", file);
    fputs("]]]}", file);
    fclose(file);
    file = open_memstream(&request, &whole);
    fprintf(file, "POST /v1/convolve HTTP/1.1\r\nHost: t\r\nContent-Length: %zu\r\n\r\n%s", size, body);
    fclose(file);
    free(body);
    return request;
}

/* Brief, long by its work, long by its body: the same pool, and the connection lives on. */
static void test_answers(void **state)
{
    static const int cells[][2] = {{3, 2}, {2000, 1000}, {30000, 29998}};
    static const char *const shapes[] = {"\"shape\":[1,1,2]", "\"shape\":[1,1,1001]", "\"shape\":[1,1,3]"};
    (void)state;
    struct cp_http *http = start(10);
    struct cp_client *client = cp_client_open(cp_http_port(http));
    for (int round = 0; round < 6; round++) {
        struct cp_client_reply reply;
        char *request = make_request(cells[round % 3][0], cells[round % 3][1]);
        cp_client_send_text(client, request);
        cp_client_read(client, &reply, false);
        if (reply.status != 200 || !memmem(reply.body, reply.body_size, shapes[round % 3], strlen(shapes[round % 3])))
            fail_msg("round %d: %.*s", round, (int)reply.body_size, reply.body);
        free(request);
    }
    cp_client_close(client);
    cp_http_free(http);
}

/* More requests than may wait and be worked on, each of about half a second or more: while they last, the only worker
 * answers others, and those past the queue at once. */
static void test_full_queue(void **state)
{
    enum { MOST = CP_MAX_WAITING + 3 };
    struct cp_client *clients[MOST];
    struct cp_client_reply reply;
    char value[16];
    (void)state;
    struct cp_http *http = start(0);
    char *request = make_request(100000, 40000);
    for (int at = 0; at < MOST; at++) {
        clients[at] = cp_client_open(cp_http_port(http));
        cp_client_send_text(clients[at], request);
    }
    /* One is worked on, or has not been begun yet: of the last two, one at least found no room. */
    struct cp_client *other = cp_client_open(cp_http_port(http));
    cp_client_send_text(other, HEALTH);
    cp_client_read(other, &reply, false);
    assert_int_equal(reply.status, 200);
    cp_client_close(other);
    cp_client_read(clients[MOST - 1], &reply, false);
    assert_int_equal(reply.status, 503);
    assert_string_equal(cp_client_header(&reply, "Retry-After", value, sizeof value), "1");
    free(request);
    cp_http_free(http); /* at once: all that computes or waits is given up */
    for (int at = 0; at < MOST; at++) cp_client_close(clients[at]);
}

/* A client that goes away while its request is computed takes nothing with it. */
static void test_gone(void **state)
{
    (void)state;
    struct cp_http *http = start(10);
    char *request = make_request(10000, 3000);
    for (int round = 0; round < 3; round++) {
        struct cp_client *client = cp_client_open(cp_http_port(http));
        cp_client_send_text(client, request);
        cp_client_close(client);
    }
    free(request);
    cp_http_drain(http);
    assert_true(cp_http_wait(http, CP_CLIENT_PATIENCE_MS));
    cp_http_free(http);
}

/* What has begun when a drain begins is answered. */
static void test_drain(void **state)
{
    struct cp_client_reply reply;
    (void)state;
    struct cp_http *http = start(20);
    char *request = make_request(10000, 3000);
    struct cp_client *client = cp_client_open(cp_http_port(http));
    cp_client_send_text(client, request);
    cp_http_drain(http);
    cp_client_read(client, &reply, false);
    assert_int_equal(reply.status, 200);
    assert_true(cp_http_wait(http, CP_CLIENT_PATIENCE_MS));
    assert_int_equal(cp_http_unanswered(http), 0);
    free(request);
    cp_client_close(client);
    cp_http_free(http);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_full_queue),
        cmocka_unit_test(test_gone),
        cmocka_unit_test(test_drain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
