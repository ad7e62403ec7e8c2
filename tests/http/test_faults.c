/* What goes wrong around the server: signals under load, no descriptors, no memory, clocks that jump, a worker that
 * fails. It says what is wrong, goes on or ends with the right status, and never hangs. */
#define _GNU_SOURCE 1 /* memmem, dup3 */

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/http/http_client.h"
#include "tests/http/process.h"
#include "tests/http/seen.h"

#define HEALTH "GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n"
#define POST                                                                                                           \
    "POST /v1/shapes HTTP/1.1\r\nHost: t\r\nContent-Length: 53\r\n\r\n"                                                \
    "{\"input\": [1, 3, 8, 8], \"layers\": [{\"type\": \"ReLU\"}]}"

static struct cp_process_end end;

static int begin(const struct cp_process_start *start, struct cp_process *process)
{
    static const char prefix[] = "convplan is listening on http://127.0.0.1:";
    char line[256];
    cp_process_begin(start, process);
    cp_process_read_line(process, line, sizeof line);
    if (strncmp(line, prefix, sizeof prefix - 1) != 0) fail_msg("it says \"%s\"", line);
    return atoi(line + sizeof prefix - 1);
}

/* ---- SIGTERM under load -------------------------------------------------------------------------------------------- */

enum { LOADERS = 6 };

struct load {
    int port;
    atomic_int answered, failed;
    char why[128];
};

static bool is_described(const char *head, const char *body, size_t size)
{
    char type[64] = "", why[1024];
    const char *line = strstr(head, "\r\nContent-Type: ");
    if (line) sscanf(line, "%*s %63[^\r;]", type);
    const struct cp_seen seen = {.method = "POST",
                                 .target = "/v1/shapes",
                                 .status = atoi(head + 9),
                                 .content_type = type,
                                 .body = body,
                                 .body_size = size};
    return cp_seen(&seen, why, sizeof why);
}

/* The status of the next reply. -1: the connection ended before its end, or openapi.yaml describes no such reply. */
static int read_reply(int client, bool *closes)
{
    char bytes[8192];
    size_t used = 0;
    for (;;) {
        ssize_t got = recv(client, bytes + used, sizeof bytes - 1 - used, 0);
        if (got <= 0) return -1;
        used += (size_t)got;
        bytes[used] = '\0';
        const char *body = strstr(bytes, "\r\n\r\n"), *size = strstr(bytes, "Content-Length: ");
        if (!body || (size_t)(bytes + used - body - 4) < strtoul(size + 16, NULL, 10)) continue;
        *closes = strstr(bytes, "Connection: close") != NULL;
        return is_described(bytes, body + 4, (size_t)(bytes + used - body - 4)) ? atoi(bytes + 9) : -1;
    }
}

/* Ask again and again, on a new connection when the server closes the old one, until it lets no one in. What was sent
 * whole on a connection that was let in is answered. */
static void *put_load(void *context)
{
    struct load *load = context;
    for (;;) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)load->port)};
        bool closes = false;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(client, (struct sockaddr *)&address, sizeof address) != 0) {
            close(client);
            return NULL;
        }
        while (!closes) {
            ssize_t sent = send(client, POST, sizeof POST - 1, MSG_NOSIGNAL);
            int status = sent == sizeof POST - 1 ? read_reply(client, &closes) : -1;
            if (status != 200) {
                atomic_fetch_add(&load->failed, 1);
                snprintf(load->why, sizeof load->why, "sent %zd, status %d, %s", sent, status, strerror(errno));
                close(client);
                return NULL;
            }
            atomic_fetch_add(&load->answered, 1);
        }
        close(client);
    }
}

static void test_sigterm_under_load(void **state)
{
    static const struct cp_process_start start = {.arguments = {"serve", "--port", "0", "--workers=2"}};
    static struct load load;
    struct cp_process process;
    pthread_t loaders[LOADERS];
    struct cp_client_reply reply;
    (void)state;
    load.port = begin(&start, &process);
    struct cp_client *probe = cp_client_open(load.port);
    cp_client_send_text(probe, "GET /readyz HTTP/1.1\r\nHost:");
    for (int at = 0; at < LOADERS; at++) assert_int_equal(pthread_create(&loaders[at], NULL, put_load, &load), 0);
    while (atomic_load(&load.answered) < 500 && !atomic_load(&load.failed)) sched_yield();
    assert_int_equal(kill(process.id, SIGTERM), 0);
    for (int at = 0; at < LOADERS; at++) pthread_join(loaders[at], NULL);
    cp_client_send_text(probe, " t\r\n\r\n");
    cp_client_read(probe, &reply, false);
    cp_expect_status("ready while draining", 503, &reply);
    cp_client_close(probe);
    cp_process_finish(&process, 0, &end);
    if (load.failed) fail_msg("%d of the loaders: %s", load.failed, load.why);
    assert_int_equal(end.status, 0);
    assert_null(strstr(end.errors, "cut off"));
}

/* ---- Descriptors --------------------------------------------------------------------------------------------------- */

static void test_too_few_descriptors_to_start(void **state)
{
    static const struct cp_process_start start = {.arguments = {"serve", "--port", "0", "--workers=64"},
                                                  .limits = "-n 100"};
    (void)state;
    cp_process_run(&start, &end);
    assert_int_equal(end.status, 2);
    assert_string_equal(end.errors, "convplan serve: cannot start 64 workers: Too many open files\n");
}

/* As many connections as there may be are let in, the others told so; when they are gone all is well. */
static void test_descriptors_run_out(void **state)
{
    static const struct cp_process_start start = {.arguments = {"serve", "--port", "0", "--workers=1"},
                                                  .limits = "-n 100"};
    enum { MOST = 80, LET_IN = 60 };
    struct cp_client *clients[MOST];
    struct cp_process process;
    int good = 0, refused = 0;
    (void)state;
    int port = begin(&start, &process);
    for (int at = 0; at < MOST; at++) {
        struct cp_client_reply reply;
        clients[at] = cp_client_ask(port, HEALTH, &reply, false);
        good += reply.status == 200;
        refused += reply.status == 503;
    }
    for (int at = 0; at < MOST; at++) cp_client_close(clients[at]);
    assert_int_equal(good, LET_IN);
    assert_int_equal(refused, MOST - LET_IN);
    for (int status = 0; status != 200;) { /* until it has seen that they are gone */
        struct cp_client_reply reply;
        cp_client_close(cp_client_ask(port, HEALTH, &reply, false));
        status = reply.status;
    }
    cp_process_finish(&process, SIGTERM, &end);
    assert_int_equal(end.status, 0);
    assert_memory_equal(end.errors, "convplan serve: too few files may be open (ulimit -n): at most 60 connections",
                        76);
}

/* ---- Memory -------------------------------------------------------------------------------------------------------- */

/* Half a body of `size` bytes, so that the server holds it. */
static struct cp_client *hold(int port, size_t size, char *bytes)
{
    struct cp_client *client = cp_client_open(port);
    char head[128];
    snprintf(head, sizeof head, "POST /v1/shapes HTTP/1.1\r\nHost: t\r\nContent-Length: %zu\r\n\r\n", size + 1);
    cp_client_send_text(client, head);
    cp_client_send(client, bytes, size);
    return client;
}

static void expect(int port, const char *what, const char *request, int status)
{
    struct cp_client_reply reply;
    cp_client_close(cp_client_ask(port, request, &reply, false));
    cp_expect_status(what, status, &reply);
    if (status != 200) cp_expect_header(what, &reply, "Content-Type", "application/problem+json");
}

static int metric(int port, const char *name)
{
    struct cp_client_reply reply;
    struct cp_client *client = cp_client_ask(port, "GET /metrics HTTP/1.1\r\nHost: t\r\n\r\n", &reply, false);
    char *at = reply.status == 200 ? memmem(reply.body, reply.body_size, name, strlen(name)) : NULL;
    int value = at ? atoi(at + strlen(name)) : -1;
    cp_client_close(client);
    return value;
}

/* Bodies fill the memory of all requests: the next is refused, the server is well, and later all is as before. */
static void test_memory_runs_out(void **state)
{
    enum { BODY = 3 << 20 };
    struct cp_http_options options = CP_HTTP_DEFAULTS;
    struct cp_client_reply reply;
    char *bytes = malloc(BODY);
    (void)state;
    assert_non_null(bytes);
    memset(bytes, ' ', BODY);
    options.workers = 1;
    options.memory_bytes = (size_t)5 << 20;
    options.keep_memory_bytes = 0;
    struct cp_http *http = cp_client_server(options);
    int port = cp_http_port(http);
    struct cp_client *first = hold(port, BODY, bytes);
    while (metric(port, "\nconvplan_memory_bytes ") < BODY) sched_yield(); /* it has come */
    struct cp_client *second = hold(port, BODY, bytes);
    cp_client_send(second, "]", 1);
    cp_client_read(second, &reply, false);
    cp_expect_status("no memory for the body", 503, &reply);
    cp_expect_header("no memory for the body", &reply, "Retry-After", "1");
    cp_client_close(second);
    expect(port, "small requests", POST, 200);
    cp_client_send(first, "]", 1);
    cp_client_read(first, &reply, false);
    cp_expect_status("the first", 400, &reply);
    cp_client_close(first);
    cp_http_free(http);
    free(bytes);
}

/* Nothing is left at all: it is alive, and says what it can. */
static void test_no_memory_at_all(void **state)
{
    struct cp_http_options options = CP_HTTP_DEFAULTS;
    (void)state;
    options.memory_bytes = 1;
    struct cp_http *http = cp_client_server(options);
    expect(cp_http_port(http), "health", HEALTH, 200);
    expect(cp_http_port(http), "readiness", "GET /readyz HTTP/1.1\r\nHost: t\r\n\r\n", 200);
    expect(cp_http_port(http), "posted", POST, 503);
    expect(cp_http_port(http), "nothing there", "GET /nope HTTP/1.1\r\nHost: t\r\n\r\n", 503);
    expect(cp_http_port(http), "broken", "GET /healthz\r\n\r\n", 503);
    cp_http_free(http);
}

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
/* malloc itself fails, for what is over a megabyte. */
static void test_malloc_fails(void **state)
{
    static const struct cp_process_start start = {
        .arguments = {"serve", "--port", "0", "--workers=1", "--access-log=off"}};
    enum { BODY = 3 << 20 };
    struct cp_process process;
    struct cp_client_reply reply;
    char *bytes = malloc(BODY);
    (void)state;
    assert_non_null(bytes);
    memset(bytes, ' ', BODY);
    setenv("ASAN_OPTIONS", "max_allocation_size_mb=1:allocator_may_return_null=1", true);
    setenv("TSAN_OPTIONS", "max_allocation_size_mb=1:allocator_may_return_null=1", true);
    int port = begin(&start, &process);
    struct cp_client *client = hold(port, BODY, bytes);
    cp_client_send(client, "]", 1);
    cp_client_read(client, &reply, false);
    cp_expect_status("malloc fails", 503, &reply);
    cp_client_close(client);
    expect(port, "small requests", POST, 200);
    cp_process_finish(&process, SIGTERM, &end);
    assert_int_equal(end.status, 0);
    free(bytes);
}
#endif

/* ---- Clocks -------------------------------------------------------------------------------------------------------- */

static atomic_llong wall_offset; /* seconds */

/* Called in place of the C library's, by the server and libmicrohttpd too. */
/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) now->tv_sec += (time_t)atomic_load(&wall_offset);
    return result;
}

static void test_wall_clock_jumps(void **state)
{
    static const long long jumps[] = {86400, -86400, 365 * 86400LL, -3600};
    struct cp_http_options options = CP_HTTP_DEFAULTS;
    (void)state;
    struct cp_http *http = cp_client_server(options);
    struct cp_client_reply reply;
    struct cp_client *half = cp_client_open(cp_http_port(http));
    struct cp_client *kept = cp_client_ask(cp_http_port(http), HEALTH, &reply, false);
    cp_client_send(half, POST, 30);
    for (size_t at = 0; at < sizeof jumps / sizeof *jumps; at++) {
        atomic_store(&wall_offset, jumps[at]);
        expect(cp_http_port(http), "after a jump", POST, 200);
        cp_client_send_text(kept, HEALTH);
        cp_client_read(kept, &reply, false);
        cp_expect_status("kept over a jump", 200, &reply);
    }
    cp_client_send_text(half, &POST[30]);
    cp_client_read(half, &reply, false);
    cp_expect_status("begun before the jumps", 200, &reply);
    atomic_store(&wall_offset, 0);
    cp_client_close(half);
    cp_client_close(kept);
    cp_http_free(http);
}

/* ---- A worker's failure -------------------------------------------------------------------------------------------- */

/* Make the n-th epoll of this process none; false: there are fewer. */
static bool break_epoll(int n)
{
    for (int descriptor = 3; descriptor < 64; descriptor++) {
        char path[64], name[64];
        snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
        ssize_t size = readlink(path, name, sizeof name - 1);
        if (size < 0) continue;
        name[size] = '\0';
        if (strcmp(name, "anon_inode:[eventpoll]") != 0 || n--) continue;
        int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        assert_true(null >= 0 && dup3(null, descriptor, O_CLOEXEC) == descriptor);
        close(null);
        return true;
    }
    return false;
}

static void say_nothing(const char *sentence)
{
    (void)sentence;
}

/* Whichever worker's epoll fails, the server drains, ends, and says why. Every second epoll is libmicrohttpd's own, of
 * which it does not tell. */
static void test_worker_fails(void **state)
{
    (void)state;
    for (int which = 0;; which += 2) {
        struct cp_http_options options = CP_HTTP_DEFAULTS;
        options.workers = 2;
        struct cp_http *http = cp_client_server(options);
        assert_null(cp_http_failure(http));
        bool broken = break_epoll(which);
        if (broken) {
            cp_http_run_until_signal(http, say_nothing);
            if (!cp_http_failure(http)) fail_msg("epoll %d: nothing is said", which);
        }
        cp_http_free(http);
        if (!broken) {
            assert_int_equal(which, 4);
            return;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sigterm_under_load),
        cmocka_unit_test(test_too_few_descriptors_to_start),
        cmocka_unit_test(test_descriptors_run_out),
        cmocka_unit_test(test_memory_runs_out),
        cmocka_unit_test(test_no_memory_at_all),
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
        cmocka_unit_test(test_malloc_fails),
#endif
        cmocka_unit_test(test_wall_clock_jumps),
        cmocka_unit_test(test_worker_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
