/* What goes wrong around the server: signals under load, no descriptors, no memory, clocks that jump, a worker that
 * fails. It says what is wrong, goes on or ends with the right status, and never hangs. */
#define _GNU_SOURCE 1 /* memmem, pipe2, strptime, timegm */

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
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

#include "server/commands.h"
#include "server/endpoints/endpoints.h"
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

static atomic_llong wall_offset, steady_offset; /* seconds */

/* Called in place of the C library's, by the server and libmicrohttpd too. */
/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
int clock_gettime(clockid_t clock, struct timespec *now)
{
    bool wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
    bool steady = clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE;
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    now->tv_sec += (time_t)(wall ? atomic_load(&wall_offset) : steady ? atomic_load(&steady_offset) : 0);
    return result;
}

/* The same, for the Date of replies. */
/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
time_t time(time_t *copy)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (copy) *copy = now.tv_sec;
    return now.tv_sec;
}

/* The reply's Date is the wall clock's at some time between two looks at it. */
static void expect_date(const struct cp_client_reply *reply, time_t asked, time_t answered)
{
    char date[64];
    struct tm parts = {0};
    cp_client_header(reply, "Date", date, sizeof date);
    const char *rest = strptime(date, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    time_t said = timegm(&parts);
    if (!rest || *rest || said < asked || said > answered) fail_msg("Date: %s", date);
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
        time_t asked = time(NULL);
        expect(cp_http_port(http), "after a jump", POST, 200);
        cp_client_send_text(kept, HEALTH);
        cp_client_read(kept, &reply, false);
        cp_expect_status("kept over a jump", 200, &reply);
        expect_date(&reply, asked, time(NULL));
    }
    cp_client_send_text(half, &POST[30]);
    cp_client_read(half, &reply, false);
    cp_expect_status("begun before the jumps", 200, &reply);
    atomic_store(&wall_offset, 0);
    cp_client_close(half);
    cp_client_close(kept);
    cp_http_free(http);
}

/* Our clock goes on over jumps of the system's; past what it has gone back by, both are one again. */
static void test_durations(void **state)
{
    static const long long offsets[] = {100000, 96400, 0, -5000, -4000, 100000};
    uint64_t before_ns = cp_now_ns();
    (void)state;
    for (size_t at = 0; at < sizeof offsets / sizeof *offsets; at++) {
        long long jump = offsets[at] - (at ? offsets[at - 1] : 0);
        atomic_store(&steady_offset, offsets[at]);
        uint64_t now_ns = cp_now_ns(), least_ns = jump > 0 ? (uint64_t)jump * UINT64_C(1000000000) : 0;
        if (now_ns < before_ns || now_ns - before_ns < least_ns ||
            now_ns - before_ns > least_ns + UINT64_C(900000000000))
            fail_msg("jump %zu, of %lld s: %llu ns", at, jump, (unsigned long long)(now_ns - before_ns));
        before_ns = now_ns;
    }
    atomic_store(&steady_offset, 0);
}

/* Send, and wait for a reply or the connection's end: the status, 0 for an end. */
static int answer_or_end(struct cp_client *client, const char *text)
{
    char head[16] = "";
    struct pollfd ready = {.fd = client->socket, .events = POLLIN};
    (void)!send(client->socket, text, strlen(text), MSG_NOSIGNAL);
    if (poll(&ready, 1, CP_CLIENT_PATIENCE_MS) != 1) fail_msg("neither a reply nor the end of the connection");
    ssize_t got = recv(client->socket, head, sizeof head - 1, MSG_WAITALL);
    cp_client_close(client);
    return got > 0 ? atoi(head + 9) : 0;
}

/* New clients are served, and what the server says of durations can be. */
static void expect_served(int port, const char *what)
{
    struct cp_client_reply reply;
    char timing[256];
    for (int round = 0; round < 20; round++) {
        cp_client_close(cp_client_ask(port, POST, &reply, false));
        cp_expect_status(what, 200, &reply);
        if (strchr(cp_client_header(&reply, "Server-Timing", timing, sizeof timing), '-'))
            fail_msg("%s: %s", what, timing);
    }
    int seconds = metric(port, "\nconvplan_http_request_duration_seconds_sum{endpoint=\"/v1/shapes\"} ");
    if (seconds < 0 || seconds > 100000) fail_msg("%s: all requests together took %d s", what, seconds);
}

/* The clock that knows no jumps makes one, as where a machine slept or was moved. Connections of before may be closed, by
 * deadlines that are over; not one hangs, new ones are served, and deadlines and the drain hold from then on. */
static void test_steady_clock_jumps(void **state)
{
    static const struct {
        const char *name;
        long long seconds;
    } rows[] = {{"an hour on", 3600}, {"an hour back", -3600}, {"a month on", 30 * 86400}, {"a little back", -3}};
    (void)state;
    for (size_t at = 0; at < sizeof rows / sizeof *rows; at++) {
        struct cp_http_options options = CP_HTTP_DEFAULTS;
        struct cp_client_reply reply;
        options.idle_seconds = options.request_seconds = options.drain_seconds = 1;
        options.workers = 2;
        struct cp_http *http = cp_client_server(options);
        int port = cp_http_port(http);
        struct cp_client *kept = cp_client_ask(port, HEALTH, &reply, false), *half = cp_client_open(port);
        cp_client_send(half, POST, 30);
        atomic_store(&steady_offset, rows[at].seconds);
        struct cp_client *stalled = cp_client_open(port);
        cp_client_send(stalled, POST, sizeof POST - 5);
        expect_served(port, rows[at].name);
        int kept_status = answer_or_end(kept, HEALTH), half_status = answer_or_end(half, &POST[30]);
        if (kept_status && kept_status != 200) fail_msg("%s: kept: %d", rows[at].name, kept_status);
        if (half_status && half_status != 200 && half_status != 408)
            fail_msg("%s: half: %d", rows[at].name, half_status);
        cp_client_read(stalled, &reply, false);
        cp_expect_status(rows[at].name, 408, &reply);
        cp_client_close(stalled);
        struct cp_client *last = cp_client_open(port);
        cp_client_send(last, POST, 30);
        cp_http_drain(http);
        atomic_fetch_sub(&steady_offset, 3600);
        if (!cp_http_wait(http, CP_CLIENT_PATIENCE_MS)) fail_msg("%s: the drain does not end", rows[at].name);
        cp_client_close(last);
        cp_http_free(http);
        atomic_store(&steady_offset, 0);
    }
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
        /* Behind the back of ThreadSanitizer, which rightly takes it for a race. */
        assert_true(null >= 0 && syscall(SYS_dup3, null, descriptor, O_CLOEXEC) == descriptor);
        close(null);
        return true;
    }
    return false;
}

/* Until the command says on its standard output that it listens; then break the epoll of this number. */
struct sabotage {
    int output, which;
    bool done;
};

static void *break_when_ready(void *context)
{
    struct sabotage *sabotage = context;
    char line[128];
    struct pollfd ready = {.fd = sabotage->output, .events = POLLIN};
    bool announced = poll(&ready, 1, CP_CLIENT_PATIENCE_MS) == 1 && read(sabotage->output, line, sizeof line) > 0;
    sabotage->done = announced && break_epoll(sabotage->which);
    return NULL;
}

/* `convplan serve` within this process, one epoll of which breaks: its exit status, and what it says on standard error. */
static int serve_and_break(int which, char *errors, size_t size)
{
    static char *arguments[] = {"--port=0", "--workers=2"};
    char *const environment[] = {NULL};
    struct sabotage sabotage = {.which = which};
    int output[2], said[2], kept[2] = {dup(STDOUT_FILENO), dup(STDERR_FILENO)};
    pthread_t thread;
    assert_int_equal(pipe2(output, O_CLOEXEC), 0);
    assert_int_equal(pipe2(said, O_CLOEXEC), 0);
    sabotage.output = output[0];
    assert_int_equal(pthread_create(&thread, NULL, break_when_ready, &sabotage), 0);
    fflush(stdout);
    dup2(output[1], STDOUT_FILENO);
    dup2(said[1], STDERR_FILENO);
    int status = cp_run_serve(arguments, 2, environment);
    fflush(stdout);
    dup2(kept[0], STDOUT_FILENO);
    dup2(kept[1], STDERR_FILENO);
    pthread_join(thread, NULL);
    close(said[1]);
    ssize_t got = read(said[0], errors, size - 1);
    errors[got > 0 ? got : 0] = '\0';
    const int opened[] = {output[0], output[1], said[0], kept[0], kept[1]};
    for (size_t at = 0; at < sizeof opened / sizeof *opened; at++) close(opened[at]);
    assert_true(sabotage.done);
    return status;
}

/* Whichever worker's epoll fails, its own or the one in libmicrohttpd, which does not tell: the server drains, ends, and
 * says why. */
static void test_worker_fails(void **state)
{
    enum { WORKERS = 2 };
    (void)state;
    for (int which = 0; which < 2 * WORKERS; which++) {
        char errors[256];
        int status = serve_and_break(which, errors, sizeof errors);
        if (status != 2 || strncmp(errors, "convplan serve: a worker failed: ", 33) != 0)
            fail_msg("epoll %d: status %d, \"%s\"", which, status, errors);
    }
    assert_false(break_epoll(0));
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
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_steady_clock_jumps),
        cmocka_unit_test(test_worker_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
