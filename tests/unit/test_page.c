/* The web pages as replies: who gets the playground at /, and how its files are served. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "server/embedded.h"
#include "tests/service_client.h"

#define JSON "application/json"
#define HTML "text/html; charset=utf-8"

static void ask(struct cp_test_exchange *exchange, const char *path, const char *accept)
{
    const struct cp_request request = {
        .method = CP_GET, .method_name = CP_TEXT("GET"), .path = cp_text_of(path), .accept = cp_text_of(accept)};
    cp_test_ask(exchange, &request);
}

static const char *header(const struct cp_reply *reply, const char *name)
{
    for (int at = 0; at < reply->header_count; at++)
        if (strcmp(reply->headers[at].name, name) == 0) return reply->headers[at].value;
    return "";
}

/* Whoever wants HTML more than JSON gets the page. */
static void test_index_is_negotiated(void **state)
{
    (void)state;
    static const struct {
        const char *name, *accept, *content_type; /* NULL: 406 */
    } rows[] = {
        {"nothing said", "", JSON},
        {"curl", "*/*", JSON},
        {"a program", "application/json", JSON},
        {"a program that would take HTML", "application/json, text/html;q=0.9", JSON},
        {"a browser", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", HTML},
        {"HTML alone", "text/html", HTML},
        {"any text", "text/*", HTML},
        {"HTML a little more", "application/json;q=0.4, text/html;q=0.401", HTML},
        {"HTML a little less", "application/json;q=.5, text/html;q=0.499", JSON},
        {"both alike", "text/html, application/json", JSON},
        {"all but JSON", "application/json;q=0, */*", HTML},
        {"all but HTML", "text/html;q=0, */*", JSON},
        {"a weight that is none", "text/html;q=high, application/json;q=0.5", HTML},
        {"a weight with a sign", "text/html;q=-1, application/json;q=0.5", HTML},
        {"a weight of many digits", "text/html;q=0.00000000000000000001, */*;q=0.1", JSON},
        {"a weight past 1", "text/html;q=99999999999999999999, application/json", JSON},
        {"pictures", "image/png", NULL},
    };
    for (size_t at = 0; at < sizeof rows / sizeof rows[0]; at++) {
        struct cp_test_exchange exchange;
        ask(&exchange, "/", rows[at].accept);
        const char *wanted = rows[at].content_type ? rows[at].content_type : "application/problem+json";
        if (exchange.reply.status != (rows[at].content_type ? 200 : 406) ||
            strcmp(exchange.reply.content_type, wanted) != 0)
            fail_msg("%s: %d, %s", rows[at].name, exchange.reply.status, exchange.reply.content_type);
        if (rows[at].content_type) assert_string_equal(header(&exchange.reply, "Vary"), "Accept");
        cp_test_close(&exchange);
    }
}

static void test_every_file_has_its_type(void **state)
{
    (void)state;
    static const struct {
        const char *extension, *content_type;
    } types[] = {{".html", HTML},
                 {".css", "text/css; charset=utf-8"},
                 {".js", "text/javascript; charset=utf-8"},
                 {".svg", "image/svg+xml"}};
    assert_true(cp_web_file_count > 10);
    for (int at = 0; at < cp_web_file_count; at++) {
        const struct cp_web_file *file = &cp_web_files[at];
        struct cp_test_exchange exchange;
        char path[128];
        snprintf(path, sizeof path, "/web/%s", file->name);
        ask(&exchange, path, "*/*");
        size_t type = 0;
        while (type < 4 && strcmp(strrchr(file->name, '.'), types[type].extension) != 0) type++;
        if (type == 4 || strcmp(exchange.reply.content_type, types[type].content_type) != 0)
            fail_msg("%s: %s", file->name, exchange.reply.content_type);
        assert_true(file->bytes.size > 0);
        assert_ptr_equal(exchange.reply.body.bytes, file->bytes.bytes);
        assert_string_equal(header(&exchange.reply, "Cache-Control"), "no-cache");
        cp_test_close(&exchange);
    }
}

/* Only what the page is made of may run, in any browser that keeps to the policy. */
static void test_pages_have_a_policy(void **state)
{
    (void)state;
    static const char *const paths[] = {"/", "/docs", "/web/main.js"};
    for (size_t at = 0; at < sizeof paths / sizeof paths[0]; at++) {
        struct cp_test_exchange exchange;
        ask(&exchange, paths[at], "text/html, */*;q=0.1");
        const char *policy = header(&exchange.reply, "Content-Security-Policy");
        if (!strstr(policy, "default-src 'none'") || !strstr(policy, "script-src 'self';") ||
            !strstr(policy, "frame-ancestors 'none'") || strstr(policy, "unsafe"))
            fail_msg("%s: %s", paths[at], policy);
        cp_test_close(&exchange);
    }
}

static void test_a_file_that_is_not_there(void **state)
{
    (void)state;
    struct cp_test_exchange exchange;
    ask(&exchange, "/web/mian.js", "*/*");
    assert_int_equal(exchange.reply.status, 404);
    assert_true(cp_test_is_string(cp_test_at(exchange.reply.body, "/errors/0/suggestion"), "did you mean `main.js`?"));
    cp_test_close(&exchange);
    ask(&exchange, "/web/zzzzzzzzzzzzzzzzzzzzzz", "*/*");
    assert_int_equal(exchange.reply.status, 404);
    cp_test_close(&exchange);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_index_is_negotiated),
        cmocka_unit_test(test_every_file_has_its_type),
        cmocka_unit_test(test_pages_have_a_policy),
        cmocka_unit_test(test_a_file_that_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
