/* convplan serve as a process: what it says, how it ends; and convplan health, which asks it. */
#define _GNU_SOURCE 1 /* sched_setaffinity */

#include <dirent.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/http/http_client.h"
#include "tests/http/process.h"

/* Start, and return the port that it says it listens on. */
static int begin(const struct cp_process_start *start, struct cp_process *process, const char *prefix)
{
    char line[256];
    char *end = line;
    cp_process_begin(start, process);
    cp_process_read_line(process, line, sizeof line);
    bool good = strncmp(line, prefix, strlen(prefix)) == 0;
    long port = good ? strtol(line + strlen(prefix), &end, 10) : 0;
    if (!good || *end) fail_msg("it says \"%s\"", line);
    assert_in_range(port, 1, 65535);
    return (int)port;
}

static const char plain[] = "convplan is listening on http://127.0.0.1:";

static void signals_end_it(void **state)
{
    static const struct cp_process_start start = {.arguments = {"serve", "--port", "0", "--workers=2"}};
    static const int signals[] = {SIGTERM, SIGINT};
    static struct cp_process_end end;
    (void)state;
    for (int at = 0; at < 2; at++) {
        struct cp_process process;
        struct cp_client_reply reply;
        int port = begin(&start, &process, plain);
        struct cp_client *client = cp_client_open(port);
        cp_client_send_text(client, "GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n");
        cp_client_read(client, &reply, false);
        cp_client_close(client);
        assert_int_equal(reply.status, 200);
        cp_process_finish(&process, signals[at], &end);
        assert_string_equal(end.errors, "");
        assert_string_equal(end.output, "");
        assert_int_equal(end.status, 0);
    }
}

static void environment_configures_it(void **state)
{
    static const struct cp_process_start start = {.arguments = {"serve"},
                                                  .environment = {"CONVPLAN_PORT=0", "CONVPLAN_WORKERS=1"}};
    static struct cp_process_end end;
    struct cp_process process;
    (void)state;
    begin(&start, &process, plain);
    cp_process_finish(&process, SIGTERM, &end);
    assert_int_equal(end.status, 0);
}

/* Threads of a server that is started like this. */
static int threads_of(const struct cp_process_start *start)
{
    static struct cp_process_end end;
    struct cp_process process;
    char path[64];
    struct dirent **threads;
    begin(start, &process, plain);
    snprintf(path, sizeof path, "/proc/%d/task", (int)process.id);
    int count = scandir(path, &threads, NULL, alphasort);
    assert_true(count > 2);
    for (int at = 0; at < count; at++) free(threads[at]);
    free(threads);
    cp_process_finish(&process, SIGTERM, &end);
    assert_int_equal(end.status, 0);
    return count - 2; /* . and .. */
}

/* As many workers as there are processors that it may run on. */
static void a_worker_for_each_processor(void **state)
{
    static const struct cp_process_start usual = {.arguments = {"serve", "--port=0"}},
                                         one = {.arguments = {"serve", "--port=0", "--workers=1"}},
                                         two = {.arguments = {"serve", "--port=0", "--workers=2"}};
    cpu_set_t all, first;
    int processor = 0;
    (void)state;
    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    while (!CPU_ISSET(processor, &all)) processor++;
    CPU_ZERO(&first);
    CPU_SET(processor, &first);
    assert_int_equal(sched_setaffinity(0, sizeof first, &first), 0); /* the servers inherit it */
    int bound = threads_of(&usual);
    assert_int_equal(sched_setaffinity(0, sizeof all, &all), 0);
    assert_int_equal(bound, threads_of(&one));
    assert_true(bound < threads_of(&two));
}

static void a_taken_port(void **state)
{
    static const struct cp_process_start start = {.arguments = {"serve", "--port", "0"}};
    static struct cp_process_end end;
    struct cp_process process;
    char port[16];
    char errors[256];
    (void)state;
    snprintf(port, sizeof port, "%d", begin(&start, &process, plain));
    struct cp_process_start second = {.arguments = {"serve", "--port", port}};
    cp_process_run(&second, &end);
    snprintf(errors, sizeof errors, "convplan serve: cannot listen on host 127.0.0.1, port %s: the port is taken",
             port);
    assert_int_equal(end.status, 2);
    assert_string_equal(end.output, "");
    assert_memory_equal(end.errors, errors, strlen(errors));
    cp_process_finish(&process, SIGTERM, &end);
    assert_int_equal(end.status, 0);
}

static void ipv6_in_brackets(void **state)
{
    static const struct cp_process_start start = {.arguments = {"serve", "--port=0", "--host", "::1", "--workers=1"}};
    static struct cp_process_end end;
    struct cp_process process;
    FILE *interfaces = fopen("/proc/net/if_inet6", "r");
    bool has_ipv6 = interfaces && fgetc(interfaces) != EOF;
    (void)state;
    if (interfaces) fclose(interfaces);
    if (!has_ipv6) {
        cp_process_run(&start, &end);
        assert_int_equal(end.status, 2);
        assert_non_null(strstr(end.errors, "cannot listen on host ::1"));
        return;
    }
    begin(&start, &process, "convplan is listening on http://[::1]:");
    cp_process_finish(&process, SIGTERM, &end);
    assert_int_equal(end.status, 0);
}

static void wrong_options(void **state)
{
    static const struct {
        const char *arguments[CP_PROCESS_WORDS];
        const char *errors;
    } rows[] = {
        {{"serve", "--port", "65536"},
         "convplan serve: --port cannot be \"65536\"; it takes a whole number from 0 to 65535\n"},
        {{"serve", "--prot=1"}, "convplan serve: there is no option --prot; did you mean --port?\n"},
        {{"serve", "8080"}, "convplan serve: \"8080\" is one argument too many; see convplan serve --help\n"},
    };
    static struct cp_process_end end;
    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        struct cp_process_start start = {0};
        memcpy(start.arguments, rows[row].arguments, sizeof start.arguments);
        cp_process_run(&start, &end);
        assert_string_equal(end.errors, rows[row].errors);
        assert_string_equal(end.output, "");
        assert_int_equal(end.status, 2);
    }
}

/* convplan health: with the variables that configure the server. */
static void expect_health(const char *host, int port, int status, const char *errors)
{
    static struct cp_process_end end;
    char variable[32], address[64];
    snprintf(variable, sizeof variable, "CONVPLAN_PORT=%d", port);
    snprintf(address, sizeof address, "--host=%s", host);
    struct cp_process_start start = {.arguments = {"health", address, "--seconds=20"}, .environment = {variable}};
    cp_process_run(&start, &end);
    assert_string_equal(end.errors, errors);
    assert_string_equal(end.output, "");
    assert_int_equal(end.status, status);
}

static void health_asks_it(void **state)
{
    static const struct cp_process_start start = {.arguments = {"serve", "--port=0", "--workers=1"}};
    static struct cp_process_end end;
    struct cp_process process;
    char errors[128];
    (void)state;
    int port = begin(&start, &process, plain);
    expect_health("127.0.0.1", port, 0, "");
    expect_health("127.1", port, 0, ""); /* a name that needs neither a resolver nor /etc/hosts */
    expect_health("0.0.0.0", port, 0, "");
    expect_health("", port, 0, "");
    cp_process_finish(&process, SIGTERM, &end);
    snprintf(errors, sizeof errors, "convplan health: no answer from host 127.0.0.1, port %d: Connection refused\n",
             port);
    expect_health("127.0.0.1", port, 1, errors);
}

/* Who answers, but not as it should, is not healthy. */
static void health_tells_answers_apart(void **state)
{
    static const struct {
        const char *answer, *complaint;
    } rows[] = {{"HTTP/1.1 503 Service Unavailable\r\n\r\n", "its answer is not 200"},
                {"HTTP/1.1 2", "it ends the connection without an answer"}};
    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t size = sizeof address;
        char errors[128], port[16], request[256];
        int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
        assert_int_equal(listen(listener, 1), 0);
        assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
        snprintf(port, sizeof port, "--port=%d", ntohs(address.sin_port));
        struct cp_process_start start = {.arguments = {"health", port, "--seconds=20"}};
        struct cp_process process;
        static struct cp_process_end end;
        cp_process_begin(&start, &process);
        int client = accept(listener, NULL, NULL);
        assert_true(recv(client, request, sizeof request, 0) > 0);
        assert_int_equal(send(client, rows[row].answer, strlen(rows[row].answer), 0), strlen(rows[row].answer));
        close(client);
        close(listener);
        cp_process_finish(&process, 0, &end);
        snprintf(errors, sizeof errors, "convplan health: no answer from host 127.0.0.1, port %d: %s\n",
                 ntohs(address.sin_port), rows[row].complaint);
        assert_string_equal(end.errors, errors);
        assert_int_equal(end.status, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(health_asks_it), cmocka_unit_test(health_tells_answers_apart),
        cmocka_unit_test(signals_end_it), cmocka_unit_test(environment_configures_it),
        cmocka_unit_test(a_taken_port),   cmocka_unit_test(ipv6_in_brackets),
        cmocka_unit_test(wrong_options),  cmocka_unit_test(a_worker_for_each_processor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
