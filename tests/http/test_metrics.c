/* What can be seen of the server: GET /metrics, and the access log of the program. */
#define _GNU_SOURCE 1 /* memmem */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/http/http_client.h"
#include "tests/http/process.h"
#include "tests/json_text.h"

#define SHAPES(body, size) "POST /v1/shapes HTTP/1.1\r\nHost: t\r\nContent-Length: " size "\r\n\r\n" body
#define GOOD SHAPES("{\"input\": [1, 3, 8, 8], \"layers\": [{\"type\": \"ReLU\"}]}", "53")
#define TOO_LARGE SHAPES("{\"input\": [1, 3, 8], \"layers\": [{\"type\": \"MaxPool1d\", \"kernel_size\": 9}]}", "73")
#define BROKEN SHAPES("{]", "2")

/* ---- Metrics ------------------------------------------------------------------------------------------------------ */

static char text[1 << 18];

static void scrape(int port)
{
    struct cp_client_reply reply;
    struct cp_client *client = cp_client_ask(port, "GET /metrics HTTP/1.1\r\nHost: t\r\n\r\n", &reply, false);
    cp_expect_status("metrics", 200, &reply);
    cp_expect_header("metrics", &reply, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    assert_true(reply.body_size < sizeof text);
    memcpy(text, reply.body, reply.body_size);
    text[reply.body_size] = '\0';
    cp_client_close(client);
}

/* The sample of this name and labels; -1 where there is none. */
static double sample(const char *name)
{
    size_t size = strlen(name);
    for (const char *line = text; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
        if (strncmp(line, name, size) == 0 && line[size] == ' ') return strtod(line + size, NULL);
    return -1;
}

static void expect_sample(const char *name, double wanted)
{
    if (sample(name) != wanted) fail_msg("%s is %g, wanted %g", name, sample(name), wanted);
}

static struct cp_http *serve(void)
{
    struct cp_http_options options = CP_HTTP_DEFAULTS;
    options.workers = 2;
    return cp_client_server(options);
}

static void ask_all(int port)
{
    static const struct {
        const char *request;
        int times;
    } rows[] = {{GOOD, 5},
                {TOO_LARGE, 3},
                {BROKEN, 2},
                {"GET /nope HTTP/1.1\r\nHost: t\r\n\r\n", 4},
                {"GET /healthz\r\n\r\n", 1}};
    for (size_t at = 0; at < sizeof rows / sizeof *rows; at++)
        for (int time = 0; time < rows[at].times; time++) {
            struct cp_client_reply reply;
            cp_client_close(cp_client_ask(port, rows[at].request, &reply, false));
        }
}

/* A request is in flight until its worker has seen its reply out, which may be after the client has. Returns how many
 * scrapes it took. */
static int scrape_when_quiet(int port)
{
    enum { MOST = 100000 };
    int scrapes = 0;
    do {
        scrape(port);
        scrapes++;
    } while (sample("convplan_http_requests_in_flight") != 1 && scrapes < MOST);
    return scrapes;
}

static void test_counts(void **state)
{
    (void)state;
    struct cp_http *http = serve();
    ask_all(cp_http_port(http));
    int scrapes = scrape_when_quiet(cp_http_port(http));
    expect_sample("convplan_http_requests_total{endpoint=\"/v1/shapes\",status=\"200\"}", 8);
    expect_sample("convplan_http_requests_total{endpoint=\"/v1/shapes\",status=\"400\"}", 2);
    expect_sample("convplan_http_requests_total{endpoint=\"other\",status=\"404\"}", 4);
    expect_sample("convplan_http_requests_total{endpoint=\"other\",status=\"400\"}", 1);
    expect_sample("convplan_http_request_duration_seconds_count{endpoint=\"/v1/shapes\"}", 10);
    expect_sample("convplan_http_request_duration_seconds_bucket{endpoint=\"/v1/shapes\",le=\"+Inf\"}", 10);
    assert_true(sample("convplan_http_request_duration_seconds_sum{endpoint=\"/v1/shapes\"}") > 0);
    assert_true(sample("convplan_http_request_duration_seconds_sum{endpoint=\"other\"}") > 0);
    expect_sample("convplan_findings_total{code=\"kernel_exceeds_input\"}", 3);
    expect_sample("convplan_problems_total{code=\"invalid_json\"}", 2);
    expect_sample("convplan_problems_total{code=\"not_found\"}", 4);
    expect_sample("convplan_http_requests_in_flight", 1); /* this one */
    expect_sample("convplan_compute_queue_length", 0);
    expect_sample("convplan_draining", 0);
    assert_true(sample("convplan_http_connections") >= 1);
    assert_true(sample("convplan_http_received_bytes_total") > 8 * sizeof GOOD);
    assert_true(sample("convplan_http_sent_bytes_total") > 8 * sizeof GOOD);
    assert_true(sample("process_resident_memory_bytes") > 0);
    scrape(cp_http_port(http));
    expect_sample("convplan_http_requests_total{endpoint=\"/metrics\",status=\"200\"}", scrapes);
    cp_http_free(http);
}

static void check_histogram(const char *endpoint)
{
    char prefix[256];
    double before = 0;
    int buckets = 0;
    snprintf(prefix, sizeof prefix, "convplan_http_request_duration_seconds_bucket{endpoint=\"%s\",le=", endpoint);
    for (const char *at = strstr(text, prefix); at; at = strstr(at + 1, prefix), buckets++) {
        double count = strtod(strchr(at, '}') + 1, NULL);
        if (count < before) fail_msg("a bucket of %s holds less than the one before", endpoint);
        before = count;
    }
    assert_true(buckets > 5);
}

/* Every line is a comment or a sample, each family is introduced once and stands together, no sample comes twice. */
static void test_format(void **state)
{
    (void)state;
    struct cp_http *http = serve();
    ask_all(cp_http_port(http));
    scrape(cp_http_port(http));
    cp_http_free(http);
    check_histogram("/v1/shapes");
    check_histogram("other");
    char family[128] = "";
    assert_int_equal(text[strlen(text) - 1], '\n');
    for (char *line = text, *end; *line; line = end + 1) {
        end = strchr(line, '\n');
        size_t name = strspn(line, "abcdefghijklmnopqrstuvwxyz_");
        if (strncmp(line, "# HELP ", 7) == 0) {
            char again[160];
            assert_int_equal(sscanf(line + 7, "%127s", family), 1);
            snprintf(again, sizeof again, "# HELP %s ", family);
            if (strstr(end, again)) fail_msg("%s is introduced twice", family);
            snprintf(again, sizeof again, "\n# TYPE %s ", family);
            assert_memory_equal(end, again, strlen(again));
        } else if (*line != '#') {
            if (strncmp(line, family, strlen(family)) != 0) fail_msg("not of %s: %.60s", family, line);
            const char *value = line + name;
            if (*value == '{') value = strchr(value, '}') + 1;
            size_t digits = strspn(value + 1, "0123456789.");
            if (*value != ' ' || !digits || value + 1 + digits != end) fail_msg("no sample: %.80s", line);
            char whole[256];
            snprintf(whole, sizeof whole, "\n%.*s ", (int)(value - line), line);
            if (memmem(end, strlen(end), whole, strlen(whole))) fail_msg("twice: %s", whole);
        }
    }
}

/* The judge is Prometheus itself, in `make promtool-test`, which installs it. */
static void test_promtool(void **state)
{
    (void)state;
    struct cp_http *http = serve();
    ask_all(cp_http_port(http));
    scrape(cp_http_port(http));
    cp_http_free(http);
    /* NOLINTNEXTLINE(cert-env33-c): the command is a constant */
    FILE *promtool = popen("promtool check metrics >&2", "w");
    assert_non_null(promtool);
    assert_int_equal(fwrite(text, 1, strlen(text), promtool), strlen(text));
    assert_int_equal(pclose(promtool), 0);
}

/* ---- The access log ----------------------------------------------------------------------------------------------- */

#define SECRET "Authorization: Bearer do-not-log-me\r\n"

static const char *const logged_requests[] = {
    "GET /v1/layers?token=do-not-log-me HTTP/1.1\r\nHost: t\r\n" SECRET "X-Request-Id: one\r\n\r\n",
    "POST /v1/shapes HTTP/1.1\r\nHost: t\r\n" SECRET "X-Request-Id: two\r\nContent-Length: 15\r\n\r\ndo-not-log-me{]",
    "GET /\"\x1b[31m\\\x7f\xc3 HTTP/1.1\r\nHost: t\r\nX-Request-Id: three\r\n\r\n",
    "GET /%2e\"<>\\ HTTP/1.1\r\nHost: t\r\nX-Request-Id: four\r\n\r\n",
};

/* Start the program with this log, ask all of that, and end it. */
static void run_with_log(const char *level, struct cp_process_end *end)
{
    static const char prefix[] = "convplan is listening on http://127.0.0.1:";
    const struct cp_process_start start = {.arguments = {"serve", "--port", "0", "--access-log", level}};
    struct cp_process process;
    char line[256];
    cp_process_begin(&start, &process);
    cp_process_read_line(&process, line, sizeof line);
    assert_memory_equal(line, prefix, sizeof prefix - 1);
    int port = atoi(line + sizeof prefix - 1);
    for (size_t at = 0; at < sizeof logged_requests / sizeof *logged_requests; at++) {
        struct cp_client_reply reply;
        cp_client_close(cp_client_ask(port, logged_requests[at], &reply, false));
    }
    cp_process_finish(&process, SIGTERM, end);
    assert_int_equal(end->status, 0);
    assert_string_equal(end->output, "");
}

/* Lines, each of which is one JSON object in printable ASCII. */
static int count_lines(const char *log)
{
    int lines = 0;
    for (const char *line = log; *line; lines++) {
        struct cp_json_error error;
        const char *end = strchr(line, '\n');
        assert_non_null(end);
        if (*line != '{' || !cp_test_is_json(line, (size_t)(end - line), &error)) fail_msg("no JSON: %s", line);
        for (const char *at = line; at < end; at++) assert_in_range((unsigned char)*at, ' ', '~');
        line = end + 1;
    }
    return lines;
}

static void test_access_log(void **state)
{
    static const struct {
        const char *level;
        int lines;
    } rows[] = {{"off", 0}, {"errors", 3}, {"all", 4}};
    static struct cp_process_end end;
    (void)state;
    for (size_t at = 0; at < sizeof rows / sizeof *rows; at++) {
        run_with_log(rows[at].level, &end);
        if (count_lines(end.errors) != rows[at].lines) fail_msg("%s: %s", rows[at].level, end.errors);
        assert_null(strstr(end.errors, "do-not-log-me"));
    }
    assert_non_null(strstr(end.errors,
                           "\"id\":\"one\",\"client\":\"127.0.0.1\",\"method\":\"GET\",\"path\":\"/v1/layers\""
                           ",\"status\":200,"));
    assert_non_null(strstr(end.errors, "\"id\":\"two\",\"client\":\"127.0.0.1\",\"method\":\"POST\","
                                       "\"path\":\"/v1/shapes\",\"status\":400,"));
    assert_non_null(strstr(end.errors, ",\"problem\":\"invalid_json\"}"));
    assert_non_null(strstr(end.errors, "\"path\":\"/%2e\\u0022<>\\u005c\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_access_log),
    };
    const struct CMUnitTest judged[] = {cmocka_unit_test(test_promtool)};
    if (getenv("PROMTOOL")) return cmocka_run_group_tests(judged, NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
