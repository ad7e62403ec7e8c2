/* Who may ask, and what the server tells of itself, over real sockets: tokens, CORS, request ids, headers. */
#define _GNU_SOURCE 1 /* memmem, mkstemp */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/http/origins.h"
#include "server/http/tokens.h"
#include "server/version.h"
#include "tests/http/http_client.h"

#define STACK "{\"input\": [1, 3, 8, 8], \"layers\": [{\"type\": \"ReLU\"}]}"

/* A file of this run; the caller unlinks it. */
static void write_file(char path[32], const char *content)
{
    strcpy(path, "/tmp/convplan-test-XXXXXX");
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, content, strlen(content)), strlen(content));
    close(file);
}

/* ---- Tokens ------------------------------------------------------------------------------------------------------- */

static void test_token_files(void **state)
{
    static const struct {
        const char *content, *error; /* a part of it; NULL: good */
    } rows[] = {
        {"abc\n", NULL},
        {"abc", NULL},
        {"# people\nabc\r\n\n  \nd.e-f_g~h+i/j==  \n", NULL},
        {"", "holds no token"},
        {"# none\n\n", "holds no token"},
        {"abc\nd e\n", "line 2 is no token"},
        {"d\xc3\xa9", "line 1 is no token"},
        {"=", "line 1 is no token"},
        {"a=b", "line 1 is no token"},
    };
    (void)state;
    for (size_t at = 0; at < sizeof rows / sizeof *rows; at++) {
        char path[32], error[256] = "";
        write_file(path, rows[at].content);
        struct cp_tokens *tokens = cp_tokens_read(path, error, sizeof error);
        unlink(path);
        if (!tokens != !!rows[at].error || (rows[at].error && !strstr(error, rows[at].error)))
            fail_msg("row %zu: \"%s\"", at, error);
        if (rows[at].error && strstr(rows[at].error, "line")) assert_null(strstr(error, "d e"));
        cp_tokens_free(tokens);
    }
    char error[256];
    assert_null(cp_tokens_read("/no/such/file", error, sizeof error));
    assert_non_null(strstr(error, "/no/such/file"));
}

static void test_longest_token(void **state)
{
    char content[CP_MAX_TOKEN_BYTES + 2], path[32], error[256];
    (void)state;
    for (int longer = 0; longer < 2; longer++) {
        memset(content, 'a', sizeof content);
        content[CP_MAX_TOKEN_BYTES + longer] = '\0';
        write_file(path, content);
        struct cp_tokens *tokens = cp_tokens_read(path, error, sizeof error);
        unlink(path);
        assert_int_equal(tokens == NULL, longer);
        cp_tokens_free(tokens);
    }
}

static void test_admission(void **state)
{
    static const struct {
        const char *authorization;
        bool admitted;
    } rows[] = {
        {"Bearer first-token", true},
        {"bearer first-token", true},
        {"BEARER  second/token==", true},
        {"Bearer third", true},
        {"", false},
        {"Bearer", false},
        {"Bearer ", false},
        {"first-token", false},
        {"Bearer first-toke", false},
        {"Bearer first-token2", false},
        {"Bearer second", false},
        {"Basic first-token", false},
        {"Bearer thirdthird", false},
        {"Bearer First-token", false},
        {"Bearer first-token,third", false},
        {"Bearer # no", false},
    };
    char path[32], error[256];
    (void)state;
    write_file(path, "first-token\n# no\nsecond/token==\nthird");
    struct cp_tokens *tokens = cp_tokens_read(path, error, sizeof error);
    unlink(path);
    assert_non_null(tokens);
    for (size_t at = 0; at < sizeof rows / sizeof *rows; at++)
        if (cp_tokens_admit(tokens, cp_text_of(rows[at].authorization)) != rows[at].admitted)
            fail_msg("%s", rows[at].authorization);
    cp_tokens_free(tokens);
}

static void test_tokens_over_http(void **state)
{
    static const struct {
        const char *name, *request;
        int status;
    } rows[] = {
        {"none", "GET /v1/layers HTTP/1.1\r\nHost: t\r\n\r\n", 401},
        {"wrong", "GET /v1/layers HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer other\r\n\r\n", 401},
        {"right", "GET /v1/layers HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer right\r\n\r\n", 200},
        {"right, and white space", "GET /v1/layers HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer right \t\r\n\r\n", 200},
        {"twice",
         "GET /v1/layers HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer right\r\nAuthorization: Bearer right\r\n\r\n",
         401},
        {"posted", "POST /v1/shapes HTTP/1.1\r\nHost: t\r\nContent-Length: 53\r\n\r\n" STACK, 401},
        {"posted and held back",
         "POST /v1/shapes HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 53\r\n\r\n", 401},
        {"posted with it",
         "POST /v1/shapes HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer right\r\nContent-Length: 53\r\n\r\n" STACK, 200},
        {"what is not there is not told", "GET /nope HTTP/1.1\r\nHost: t\r\n\r\n", 401},
        {"metrics", "GET /metrics HTTP/1.1\r\nHost: t\r\n\r\n", 401},
        {"health", "GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n", 200},
        {"readiness", "HEAD /readyz HTTP/1.1\r\nHost: t\r\n\r\n", 200},
        {"page", "GET / HTTP/1.1\r\nHost: t\r\nAccept: text/html\r\n\r\n", 200},
        {"reference", "GET /docs HTTP/1.1\r\nHost: t\r\n\r\n", 200},
        {"script of the page", "GET /web/main.js HTTP/1.1\r\nHost: t\r\n\r\n", 200},
        {"description", "GET /openapi.json HTTP/1.1\r\nHost: t\r\n\r\n", 200},
        {"what a code means", "GET /problems/unauthorized HTTP/1.1\r\nHost: t\r\n\r\n", 200},
        {"behind the page", "GET /web/../v1/layers HTTP/1.1\r\nHost: t\r\n\r\n", 401},
        {"behind the page, escaped", "GET /web/..%2fv1%2flayers HTTP/1.1\r\nHost: t\r\n\r\n", 404},
        {"escaped", "GET /%76%31/layers HTTP/1.1\r\nHost: t\r\n\r\n", 401},
        {"options", "OPTIONS /v1/shapes HTTP/1.1\r\nHost: t\r\n\r\n", 204},
    };
    struct cp_http_options options = CP_HTTP_DEFAULTS;
    char path[32];
    (void)state;
    write_file(path, "right\n");
    options.token_file = path;
    struct cp_http *http = cp_client_server(options);
    unlink(path);
    for (size_t at = 0; at < sizeof rows / sizeof *rows; at++) {
        struct cp_client_reply reply;
        cp_client_close(cp_client_ask(cp_http_port(http), rows[at].request, &reply, rows[at].request[0] == 'H'));
        cp_expect_status(rows[at].name, rows[at].status, &reply);
        cp_expect_header(rows[at].name, &reply, "WWW-Authenticate", rows[at].status == 401 ? "Bearer" : "");
        if (rows[at].status == 401) cp_expect_header(rows[at].name, &reply, "Content-Type", "application/problem+json");
    }
    cp_http_free(http);
}

/* A server whose tokens cannot be read must not start without them. */
static void test_no_start(void **state)
{
    struct cp_http_options options = CP_HTTP_DEFAULTS;
    char error[256] = "";
    (void)state;
    options.host = "127.0.0.1";
    options.port = 0;
    options.token_file = "/no/such/file";
    assert_null(cp_http_start(&options, error, sizeof error));
    assert_non_null(strstr(error, "/no/such/file"));
    options.token_file = NULL;
    options.cors_origins = "example.org";
    assert_null(cp_http_start(&options, error, sizeof error));
    assert_non_null(strstr(error, "--cors-origin cannot be \"example.org\""));
}

/* ---- CORS --------------------------------------------------------------------------------------------------------- */

static void test_origin_lists(void **state)
{
    static const struct {
        const char *list;
        bool good;
    } rows[] = {
        {"", true},
        {"*", true},
        {"https://example.org", true},
        {"http://localhost:3000, https://a.example,http://[::1]:80", true},
        {"moz-extension://4f1d", true},
        {"https://example.org/", false},
        {"https://example.org/path", false},
        {"https://EXAMPLE.org", false},
        {"example.org", false},
        {"https://", false},
        {"https://a b", false},
        {"null", false},
        {"https://*.example.org", false},
    };
    char error[512];
    (void)state;
    for (size_t at = 0; at < sizeof rows / sizeof *rows; at++)
        if (cp_origins_check(rows[at].list, error, sizeof error) != rows[at].good) fail_msg("%s", rows[at].list);
}

static void test_cors(void **state)
{
    static const struct {
        const char *name, *origins, *method, *headers;
        const char *allow_origin, *vary, *allow_methods;
    } rows[] = {
        {"off", "", "POST", "Origin: https://a.example\r\n", "", "", ""},
        {"off, preflight", "", "OPTIONS", "Origin: https://a.example\r\nAccess-Control-Request-Method: POST\r\n", "",
         "", ""},
        {"all", "*", "POST", "Origin: https://a.example\r\n", "*", "", ""},
        {"all, no origin", "*", "POST", "", "", "", ""},
        {"one", "https://a.example", "POST", "Origin: https://a.example\r\n", "https://a.example", "Origin", ""},
        {"one, another", "https://a.example", "POST", "Origin: https://b.example\r\n", "", "Origin", ""},
        {"one, longer", "https://a.example", "POST", "Origin: https://a.example.org\r\n", "", "Origin", ""},
        {"one, no origin", "https://a.example", "POST", "", "", "Origin", ""},
        {"two", "https://a.example http://b:1", "POST", "Origin: http://b:1\r\n", "http://b:1", "Origin", ""},
        {"preflight", "*", "OPTIONS", "Origin: https://a.example\r\nAccess-Control-Request-Method: POST\r\n", "*", "",
         "POST, OPTIONS"},
        {"preflight, another", "https://b.example", "OPTIONS",
         "Origin: https://a.example\r\nAccess-Control-Request-Method: POST\r\n", "", "Origin", ""},
        {"plain options", "*", "OPTIONS", "Origin: https://a.example\r\n", "*", "", ""},
    };
    (void)state;
    for (size_t at = 0; at < sizeof rows / sizeof *rows; at++) {
        struct cp_http_options options = CP_HTTP_DEFAULTS;
        struct cp_client_reply reply;
        char text[512], value[256];
        bool posts = strcmp(rows[at].method, "POST") == 0;
        options.cors_origins = rows[at].origins;
        struct cp_http *http = cp_client_server(options);
        snprintf(text, sizeof text, "%s /v1/shapes HTTP/1.1\r\nHost: t\r\n%s%s\r\n%s", rows[at].method,
                 rows[at].headers, posts ? "Content-Length: 53\r\n" : "", posts ? STACK : "");
        cp_client_close(cp_client_ask(cp_http_port(http), text, &reply, false));
        cp_expect_status(rows[at].name, posts ? 200 : 204, &reply);
        cp_expect_header(rows[at].name, &reply, "Access-Control-Allow-Origin", rows[at].allow_origin);
        cp_expect_header(rows[at].name, &reply, "Vary", rows[at].vary);
        cp_expect_header(rows[at].name, &reply, "Access-Control-Allow-Methods", rows[at].allow_methods);
        cp_client_header(&reply, "Access-Control-Expose-Headers", value, sizeof value);
        if (posts && !strstr(value, "ETag") == !!*rows[at].allow_origin) fail_msg("%s: %s", rows[at].name, value);
        cp_client_header(&reply, "Access-Control-Allow-Headers", value, sizeof value);
        if (!strstr(value, "Content-Type") == !!*rows[at].allow_methods) fail_msg("%s: %s", rows[at].name, value);
        cp_http_free(http);
    }
}

/* ---- Ids ---------------------------------------------------------------------------------------------------------- */

static void test_request_ids(void **state)
{
    static const struct {
        const char *name, *header, *id; /* NULL: one of the server's own */
    } rows[] = {
        {"given", "X-Request-Id: 0f-A.b_c~d:e+f/g=@\r\n", "0f-A.b_c~d:e+f/g=@"},
        {"64 characters", "X-Request-Id: 0123456789012345678901234567890123456789012345678901234567890123\r\n",
         "0123456789012345678901234567890123456789012345678901234567890123"},
        {"65 characters", "X-Request-Id: 01234567890123456789012345678901234567890123456789012345678901234\r\n", NULL},
        {"with a space", "X-Request-Id: a b\r\n", NULL},
        {"with a quote", "X-Request-Id: a\"b\r\n", NULL},
        {"not ASCII", "X-Request-Id: \xc3\xa9\r\n", NULL},
        {"empty", "X-Request-Id: \r\n", NULL},
        {"none", "", NULL},
    };
    (void)state;
    struct cp_http_options options = CP_HTTP_DEFAULTS;
    struct cp_http *http = cp_client_server(options);
    char before[128] = "";
    for (size_t at = 0; at < 2 * sizeof rows / sizeof *rows; at++) {
        struct cp_client_reply reply;
        char text[512], id[128];
        snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: t\r\n%s\r\n", at % 2 ? "/healthz" : "/nope",
                 rows[at / 2].header);
        cp_client_close(cp_client_ask(cp_http_port(http), text, &reply, false));
        cp_client_header(&reply, "X-Request-Id", id, sizeof id);
        if (rows[at / 2].id) {
            assert_string_equal(id, rows[at / 2].id);
            continue;
        }
        if (strlen(id) != 16 || strspn(id, "0123456789abcdef") != 16) fail_msg("%s: %s", rows[at / 2].name, id);
        assert_string_not_equal(id, before);
        strcpy(before, id);
    }
    cp_http_free(http);
}

/* ---- What it tells ------------------------------------------------------------------------------------------------ */

static void test_protection(void **state)
{
    static const char *const requests[] = {
        "GET / HTTP/1.1\r\nHost: t\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n",
        "GET /v1/layers HTTP/1.1\r\nHost: t\r\n\r\n",
        "GET /openapi.yaml HTTP/1.1\r\nHost: t\r\n\r\n",
        "GET /<script> HTTP/1.1\r\nHost: t\r\n\r\n",
        "BREW / HTTP/1.1\r\nHost: t\r\n\r\n",
        "POST /v1/shapes HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\n{]",
        "GET /healthz\r\n\r\n",
    };
    (void)state;
    struct cp_http_options options = CP_HTTP_DEFAULTS;
    struct cp_http *http = cp_client_server(options);
    for (size_t at = 0; at < sizeof requests / sizeof *requests; at++) {
        struct cp_client_reply reply;
        char policy[256];
        cp_client_close(cp_client_ask(cp_http_port(http), requests[at], &reply, false));
        cp_expect_header(requests[at], &reply, "X-Content-Type-Options", "nosniff");
        cp_expect_header(requests[at], &reply, "Referrer-Policy", "no-referrer");
        cp_expect_header(requests[at], &reply, "Server", "");
        cp_client_header(&reply, "Content-Security-Policy", policy, sizeof policy);
        if (!strstr(policy, "frame-ancestors 'none'")) fail_msg("%s: policy \"%s\"", requests[at], policy);
        assert_null(strstr(reply.head, CP_VERSION));
        assert_null(strstr(reply.head, "microhttpd"));
    }
    cp_http_free(http);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_token_files), cmocka_unit_test(test_longest_token),
        cmocka_unit_test(test_admission),   cmocka_unit_test(test_tokens_over_http),
        cmocka_unit_test(test_no_start),    cmocka_unit_test(test_origin_lists),
        cmocka_unit_test(test_cors),        cmocka_unit_test(test_request_ids),
        cmocka_unit_test(test_protection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
