/* The form of replies over real sockets: validators, 304, gzip. */
#define _GNU_SOURCE 1 /* memmem */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "server/http/gzip.h"
#include "tests/http/http_client.h"

enum { GZIP_BYTES = 4096 };

static struct cp_http *serve(void)
{
    struct cp_http_options options = CP_HTTP_DEFAULTS;
    options.workers = 1;
    options.gzip_bytes = GZIP_BYTES;
    return cp_client_server(options);
}

/* A request for `path` with one more header, or none. */
static struct cp_client *get(int port, const char *method, const char *path, const char *header,
                             struct cp_client_reply *reply)
{
    char text[1024];
    snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: t\r\n%s%s\r\n", method, path, header, *header ? "\r\n" : "");
    struct cp_client *client = cp_client_open(port);
    cp_client_send_text(client, text);
    cp_client_read(client, reply, strcmp(method, "HEAD") == 0);
    return client;
}

static const char *const lasting[] = {"/v1/layers",    "/v1/examples",  "/v1/examples/resnet50", "/v1/relationships/14",
                                      "/openapi.yaml", "/openapi.json", "/problems/not_found"};

/* ---- Validators --------------------------------------------------------------------------------------------------- */

static void test_etags(void **state)
{
    (void)state;
    struct cp_http *http = serve();
    char etag[256], other[256] = "";
    for (size_t at = 0; at < sizeof lasting / sizeof *lasting; at++) {
        struct cp_client_reply reply;
        cp_client_close(get(cp_http_port(http), "GET", lasting[at], "", &reply));
        cp_expect_status(lasting[at], 200, &reply);
        cp_expect_header(lasting[at], &reply, "Cache-Control", "no-cache");
        cp_client_header(&reply, "ETag", etag, sizeof etag);
        if (strlen(etag) < 10 || *etag != '"' || etag[strlen(etag) - 1] != '"') fail_msg("%s: %s", lasting[at], etag);
        assert_string_not_equal(etag, other);
        cp_client_close(get(cp_http_port(http), "HEAD", lasting[at], "", &reply));
        cp_expect_header(lasting[at], &reply, "ETag", etag);
        strcpy(other, etag);
    }
    cp_http_free(http);
}

/* What a header If-None-Match makes of a reply whose validator stands for %s. */
static void test_if_none_match(void **state)
{
    static const struct {
        const char *name, *header;
        int status;
    } rows[] = {
        {"itself", "If-None-Match: %s", 304},
        {"weak", "If-None-Match: W/%s", 304},
        {"in a list", "If-None-Match: \"a\", W/\"b\" ,%s", 304},
        {"first of a list", "if-none-match: %s, \"c\"", 304},
        {"any", "If-None-Match: *", 304},
        {"another", "If-None-Match: \"a\"", 200},
        {"without quotes", "If-None-Match: %.5s", 200},
        {"empty", "If-None-Match: ", 200},
    };
    (void)state;
    struct cp_http *http = serve();
    for (size_t at = 0; at < 2 * sizeof rows / sizeof *rows; at++) {
        const char *path = lasting[at % 2 ? 0 : 4], *name = rows[at / 2].name;
        struct cp_client_reply reply;
        char etag[256], header[512], size[64];
        cp_client_close(get(cp_http_port(http), "GET", path, "", &reply));
        cp_client_header(&reply, "ETag", etag, sizeof etag);
        cp_client_header(&reply, "Content-Length", size, sizeof size);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
        snprintf(header, sizeof header, rows[at / 2].header, etag);
#pragma GCC diagnostic pop
        struct cp_client *client = get(cp_http_port(http), "GET", path, header, &reply);
        cp_expect_status(name, rows[at / 2].status, &reply);
        cp_expect_header(name, &reply, "ETag", etag);
        if (reply.status == 304) {
            char value[64];
            cp_expect_header(name, &reply, "Content-Length", size); /* of what it would be */
            assert_string_equal(cp_client_header(&reply, "Content-Type", value, sizeof value), "");
            cp_client_send_text(client, "GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n"); /* nothing came in between */
            cp_client_read(client, &reply, false);
            cp_expect_status(name, 200, &reply);
        }
        cp_client_close(client);
    }
    cp_http_free(http);
}

/* What is posted and what tells of this moment has none. */
static void test_without_etag(void **state)
{
    static const char *const requests[] = {
        "GET /healthz HTTP/1.1\r\nHost: t\r\nIf-None-Match: *\r\n\r\n",
        "GET /readyz HTTP/1.1\r\nHost: t\r\nIf-None-Match: *\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nHost: t\r\nIf-None-Match: *\r\n\r\n",
        ("POST /v1/solve HTTP/1.1\r\nHost: t\r\nIf-None-Match: *\r\nContent-Length: 50\r\n\r\n"
         "{\"type\": \"Conv2d\", \"input\": 8,\"output\": 8}        "),
    };
    (void)state;
    struct cp_http *http = serve();
    for (size_t at = 0; at < sizeof requests / sizeof *requests; at++) {
        struct cp_client_reply reply;
        cp_client_close(cp_client_ask(cp_http_port(http), requests[at], &reply, false));
        cp_expect_status(requests[at], 200, &reply);
        cp_expect_header(requests[at], &reply, "ETag", "");
        cp_expect_header(requests[at], &reply, "Cache-Control", *requests[at] == 'P' ? "" : "no-store");
    }
    cp_http_free(http);
}

/* ---- gzip --------------------------------------------------------------------------------------------------------- */

static void test_accept_encoding(void **state)
{
    static const struct {
        const char *header;
        bool wanted;
    } rows[] = {
        {"", false},
        {"gzip", true},
        {"GZIP", true},
        {"x-gzip", true},
        {"identity", false},
        {"gzip;q=0", false},
        {"gzip; q=0.000", false},
        {"gzip;q=0.001", true},
        {"*", true},
        {"*;q=0", false},
        {"*, gzip;q=0", false},
        {"br, deflate", false},
        {"br, gzip", true},
        {"*;q=0, gzip", true},
        {",,gzip,", true},
        {"gzipp", false},
        {"gzip;Q=0", false},
        {"deflate, *;q=.5", true},
    };
    (void)state;
    for (size_t at = 0; at < sizeof rows / sizeof *rows; at++)
        if (cp_gzip_is_wanted(cp_text_of(rows[at].header)) != rows[at].wanted) fail_msg("%s", rows[at].header);
}

static struct cp_text unpacked(const struct cp_client_reply *reply)
{
    enum { MOST = 1 << 21 };
    char *plain = malloc(MOST);
    z_stream stream = {.next_in = (unsigned char *)(size_t)reply->body, .avail_in = (unsigned)reply->body_size};
    assert_non_null(plain);
    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    stream.next_out = (unsigned char *)plain;
    stream.avail_out = MOST;
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.avail_in, 0);
    inflateEnd(&stream);
    return (struct cp_text){plain, (size_t)stream.total_out};
}

static char *copy_of(const struct cp_client_reply *reply)
{
    char *copy = malloc(reply->body_size + 1);
    assert_non_null(copy);
    return memcpy(copy, reply->body, reply->body_size);
}

/* The same bytes, fewer on the way, another validator; twice, for constants are kept. */
static void test_gzip(void **state)
{
    (void)state;
    struct cp_http *http = serve();
    for (size_t at = 0; at < 2 * sizeof lasting / sizeof *lasting; at++) {
        const char *path = lasting[at / 2];
        struct cp_client_reply plain, packed;
        char etag[256];
        struct cp_client *client = get(cp_http_port(http), "GET", path, "", &plain);
        bool large = plain.body_size >= GZIP_BYTES;
        cp_expect_header(path, &plain, "Content-Encoding", "");
        cp_expect_header(path, &plain, "Vary", large ? "Accept-Encoding" : "");
        cp_client_header(&plain, "ETag", etag, sizeof etag);
        char *bytes = copy_of(&plain);
        cp_client_close(client);
        client = get(cp_http_port(http), "GET", path, "Accept-Encoding: br, gzip", &packed);
        cp_expect_header(path, &packed, "Content-Encoding", large ? "gzip" : "");
        cp_expect_header(path, &packed, "Vary", large ? "Accept-Encoding" : "");
        if (large) {
            struct cp_text text = unpacked(&packed);
            assert_true(packed.body_size < plain.body_size);
            assert_int_equal(text.size, plain.body_size);
            assert_memory_equal(text.bytes, bytes, text.size);
            free((char *)(size_t)text.bytes);
            char packed_etag[256], header[300];
            cp_client_header(&packed, "ETag", packed_etag, sizeof packed_etag);
            assert_string_not_equal(packed_etag, etag);
            snprintf(header, sizeof header, "Accept-Encoding: gzip\r\nIf-None-Match: %s", packed_etag);
            cp_client_close(client);
            client = get(cp_http_port(http), "GET", path, header, &packed);
            cp_expect_status(path, 304, &packed);
            snprintf(header, sizeof header, "Accept-Encoding: gzip\r\nIf-None-Match: %s", etag);
            cp_client_close(client);
            client = get(cp_http_port(http), "GET", path, header, &packed);
            cp_expect_status(path, 200, &packed);
        }
        cp_client_close(client);
        free(bytes);
    }
    cp_http_free(http);
}

/* A stack of so many layers, posted; the reply is as large as many of the client's, so only its form is looked at. */
static char *make_stack(int layers, const char *header)
{
    char *body, *request;
    size_t size, whole;
    FILE *file = open_memstream(&body, &size);
    fputs("{\"input\": [1, 3, 8, 8], \"layers\": [", file);
    for (int at = 0; at < layers; at++) fputs(at ? ",{\"type\":\"ReLU\"}" : "{\"type\":\"ReLU\"}", file);
    fputs("]}", file);
    fclose(file);
    file = open_memstream(&request, &whole);
    fprintf(file, "POST /v1/shapes HTTP/1.1\r\nHost: t\r\n%sContent-Length: %zu\r\n\r\n%s", header, size, body);
    fclose(file);
    free(body);
    return request;
}

/* Small replies stay as they are; middling ones are compressed at once, large ones by the threads that compute. */
static void test_gzip_of_posts(void **state)
{
    static const struct {
        int layers;
        bool large;
    } rows[] = {{4, false}, {60, true}, {1000, true}, {3000, true}};
    (void)state;
    struct cp_http *http = serve();
    for (size_t at = 0; at < sizeof rows / sizeof *rows; at++) {
        struct cp_client_reply reply;
        char *request = make_stack(rows[at].layers, "Accept-Encoding: gzip\r\n");
        struct cp_client *client = cp_client_ask(cp_http_port(http), request, &reply, false);
        cp_expect_status("posted", 200, &reply);
        cp_expect_header("posted", &reply, "Content-Encoding", rows[at].large ? "gzip" : "");
        cp_expect_header("posted", &reply, "Vary", rows[at].large ? "Accept-Encoding" : "");
        if (rows[at].large) {
            struct cp_text text = unpacked(&reply);
            char last[32];
            snprintf(last, sizeof last, "\"relu_%d\"", rows[at].layers - 1);
            assert_non_null(memmem(text.bytes, text.size, last, strlen(last)));
            assert_int_equal(text.bytes[text.size - 1], '}');
            free((char *)(size_t)text.bytes);
        }
        cp_client_close(client);
        free(request);
    }
    cp_http_free(http);
}

static void test_gzip_off(void **state)
{
    (void)state;
    struct cp_http_options options = CP_HTTP_DEFAULTS;
    options.gzip_bytes = 0;
    struct cp_http *http = cp_client_server(options);
    struct cp_client_reply reply;
    cp_client_close(get(cp_http_port(http), "GET", "/openapi.yaml", "Accept-Encoding: gzip", &reply));
    cp_expect_header("off", &reply, "Content-Encoding", "");
    cp_expect_header("off", &reply, "Vary", "");
    cp_http_free(http);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_etags),        cmocka_unit_test(test_if_none_match),
        cmocka_unit_test(test_without_etag), cmocka_unit_test(test_accept_encoding),
        cmocka_unit_test(test_gzip),         cmocka_unit_test(test_gzip_of_posts),
        cmocka_unit_test(test_gzip_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
