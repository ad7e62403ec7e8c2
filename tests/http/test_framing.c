/* What a single request may look like, over real sockets: the forms of its line, its headers and its body, and each
 * refusal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/http/requests.h"

/* ---- One request each: status, content type, and whether the connection lives on -------------------------------- */

enum fate { KEPT, CLOSED };

struct exchange_row {
    const char *name, *request;
    int status;
    const char *content_type; /* NULL: not looked at */
    enum fate fate;
};

static const struct exchange_row exchange_rows[] = {
    {"sized body", GOOD_POST, 200, "application/json", KEPT},
    {"chunked body",
     POST_SHAPES "Transfer-Encoding: chunked\r\n\r\n10\r\n{\"input\": [1, 3,\r\n25;x=y\r\n 8, 8], "
                 "\"layers\": [{\"type\": \"ReLU\"}]}\r\n0\r\nTrailer: x\r\n\r\n",
     200, "application/json", KEPT},
    {"no content type", "POST /v1/shapes HTTP/1.1\r\nHost: t\r\nContent-Length: " STACK_SIZE "\r\n\r\n" STACK, 200,
     "application/json", KEPT},
    {"empty body", POST_SHAPES "Content-Length: 0\r\n\r\n", 400, PROBLEM, KEPT},
    {"not JSON", POST_SHAPES "Content-Length: 2\r\n\r\n{]", 400, PROBLEM, KEPT},
    {"get", HEALTH, 200, NULL, KEPT},
    {"get with a body", "GET /healthz HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\n{}", 200, NULL, KEPT},
    {"ready", "GET /readyz HTTP/1.1\r\nHost: t\r\n\r\n", 200, NULL, KEPT},
    {"layers", "GET /v1/layers HTTP/1.1\r\nHost: t\r\n\r\n", 200, "application/json", KEPT},
    {"query", "GET /healthz?a=b HTTP/1.1\r\nHost: t\r\n\r\n", 200, NULL, KEPT},
    {"absolute form", "GET http://t:80/healthz HTTP/1.1\r\nHost: t\r\n\r\n", 200, NULL, KEPT},
    {"HTTP/1.0", "GET /healthz HTTP/1.0\r\n\r\n", 200, NULL, CLOSED},
    {"HTTP/1.0 keep-alive", "GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200, NULL, KEPT},
    {"client closes", "GET /healthz HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n", 200, NULL, CLOSED},
    {"options of the server", "OPTIONS * HTTP/1.1\r\nHost: t\r\n\r\n", 204, NULL, KEPT},
    {"unknown path", "GET /nope HTTP/1.1\r\nHost: t\r\n\r\n", 404, PROBLEM, KEPT},
    {"unknown path, posted", "POST /nope HTTP/1.1\r\n" JSON "Content-Length: 2\r\n\r\n{}", 404, PROBLEM, KEPT},
    {"encoded zero", "GET /healthz%00 HTTP/1.1\r\nHost: t\r\n\r\n", 400, PROBLEM, KEPT},
    {"encoded zero and more", "GET /healthz%00/x HTTP/1.1\r\nHost: t\r\n\r\n", 400, PROBLEM, KEPT},
    {"wrong method", "GET /v1/shapes HTTP/1.1\r\nHost: t\r\n\r\n", 405, PROBLEM, KEPT},
    {"wrong method, posted", "POST /healthz HTTP/1.1\r\n" JSON "Content-Length: 2\r\n\r\n{}", 405, PROBLEM, KEPT},
    {"unknown method", "BREW /healthz HTTP/1.1\r\nHost: t\r\n\r\n", 405, PROBLEM, KEPT},
    {"no length", POST_SHAPES "\r\n", 411, PROBLEM, KEPT},
    {"form type",
     "POST /v1/shapes HTTP/1.1\r\nHost: t\r\nContent-Type: application/x-www-form-urlencoded\r\n"
     "Content-Length: 2\r\n\r\n{}",
     415, PROBLEM, KEPT},
    {"white space behind values", "GET /v1/layers HTTP/1.1\r\nHost: t \t\r\nAccept: application/json \t\r\n\r\n", 200,
     "application/json", KEPT},
    {"compressed body",
     "POST /v1/shapes HTTP/1.1\r\n" JSON "Content-Encoding: gzip \r\nContent-Length: 2\r\n\r\n\x1f\x8b", 415, PROBLEM,
     KEPT},
    {"body in no coding", POST_SHAPES "Content-Encoding: Identity\r\nContent-Length: " STACK_SIZE "\r\n\r\n" STACK, 200,
     "application/json", KEPT},
    {"enormous length", POST_SHAPES "Content-Length: 9999999999\r\n\r\n", 413, PROBLEM, CLOSED},
    {"held back and too large", POST_SHAPES "Expect: 100-continue\r\nContent-Length: 9000000\r\n\r\n", 413, PROBLEM,
     CLOSED},
    {"held back and refused", "POST /nope HTTP/1.1\r\n" JSON "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n", 404,
     PROBLEM, CLOSED},
    {"length and chunks", POST_SHAPES "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
     400, PROBLEM, CLOSED},
    {"two lengths", POST_SHAPES "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400, PROBLEM, CLOSED},
    {"one length twice", POST_SHAPES "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 400, PROBLEM, CLOSED},
    {"chunks twice", POST_SHAPES "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
     PROBLEM, CLOSED},
    {"other coding", POST_SHAPES "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501, PROBLEM, CLOSED},
    {"space before the colon", POST_SHAPES "Content-Length : 2\r\n\r\n{}", 400, PROBLEM, CLOSED},
    {"folded header", "GET /healthz HTTP/1.1\r\nHost: t\r\nX: a\r\n b\r\n\r\n", 400, PROBLEM, CLOSED},
    {"folded by a tab, behind nothing", "GET /healthz HTTP/1.1\r\nHost: t\r\nX:\r\n\tb\r\n\r\n", 400, PROBLEM, CLOSED},
    {"folded where lines end in LF", "GET /healthz HTTP/1.1\nHost: t\nX: a\n b\n\n", 400, PROBLEM, CLOSED},
    {"folded length", POST_SHAPES "Content-Length:\r\n 2\r\n\r\n{}", 400, PROBLEM, CLOSED},
    {"folded into a length", POST_SHAPES "Content-Leng: 2\r\n th\r\n\r\n{}", 400, PROBLEM, CLOSED},
    {"folded into chunks", POST_SHAPES "Transfer-Encodin: chunked\r\n g\r\n\r\n0\r\n\r\n", 400, PROBLEM, CLOSED},
    {"white space before the first header", "GET /healthz HTTP/1.1\r\n X: a\r\nHost: t\r\n\r\n", 400, PROBLEM, CLOSED},
    {"carriage return in a header", "GET /healthz HTTP/1.1\r\nHost: t\r\nX: a\rb\r\n\r\n", 400, PROBLEM, CLOSED},
    {"space within a name", "GET /healthz HTTP/1.1\r\nHost: t\r\nA B: x\r\n\r\n", 400, PROBLEM, CLOSED},
    {"empty name", "GET /healthz HTTP/1.1\r\nHost: t\r\n: x\r\n\r\n", 400, PROBLEM, CLOSED},
    {"empty header", "GET /healthz HTTP/1.1\r\nX:\r\nHost: t\r\nY:\r\n\r\n", 200, NULL, KEPT},
    {"lines that end in LF", "GET /healthz HTTP/1.1\nX:\nHost: t\nY: z\n\n", 200, NULL, KEPT},
    {"escapes and a query", "GET /%68ealthz?a=%0d%00&b&c=+ HTTP/1.1\r\nHost: t\r\nCookie: a=b; c=d\r\n\r\n", 200, NULL,
     KEPT},
    {"host of two words", "GET /healthz HTTP/1.1\r\nHost: t u\r\n\r\n", 400, PROBLEM, CLOSED},
    {"host with a path", "GET /healthz HTTP/1.1\r\nHost: t/x\r\n\r\n", 400, PROBLEM, CLOSED},
    {"empty host", "GET /healthz HTTP/1.1\r\nHost:\r\n\r\n", 200, NULL, KEPT},
    {"host and port", "GET /healthz HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", 200, NULL, KEPT},
    {"no slash", "GET healthz HTTP/1.1\r\nHost: t\r\n\r\n", 400, PROBLEM, CLOSED},
    {"authority form", "CONNECT t:80 HTTP/1.1\r\nHost: t\r\n\r\n", 400, PROBLEM, CLOSED},
    {"absolute form without a path", "GET http://t HTTP/1.1\r\nHost: t\r\n\r\n", 200, NULL, KEPT},
    {"no host", "GET /healthz HTTP/1.1\r\n\r\n", 400, PROBLEM, CLOSED},
    {"two hosts", "GET /healthz HTTP/1.1\r\nHost: t\r\nHost: u\r\n\r\n", 400, PROBLEM, CLOSED},
    {"space in the target", "GET /health z HTTP/1.1\r\nHost: t\r\n\r\n", 400, PROBLEM, CLOSED},
    {"two dots", "GET /v1/../healthz HTTP/1.1\r\nHost: t\r\n\r\n", 404, PROBLEM, KEPT},
    {"encoded dots", "GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: t\r\n\r\n", 404, PROBLEM, KEPT},
    {"encoded slash", "GET /v1%2flayers HTTP/1.1\r\nHost: t\r\n\r\n", 200, "application/json", KEPT},
    {"broken escape", "GET /v1/%zz HTTP/1.1\r\nHost: t\r\n\r\n", 400, PROBLEM, KEPT},
    {"accepted", "GET /v1/layers HTTP/1.1\r\nHost: t\r\nAccept: text/html;q=0.9, */*;q=0.1\r\n\r\n", 200,
     "application/json", KEPT},
    {"accepted in two lines", "GET /v1/layers HTTP/1.1\r\nHost: t\r\nAccept: text/html\r\nAccept: */*\r\n\r\n", 200,
     "application/json", KEPT},
    {"not accepted", "GET /v1/layers HTTP/1.1\r\nHost: t\r\nAccept: text/html, application/json;q=0\r\n\r\n", 406,
     PROBLEM, KEPT},
    {"asterisk for another method", "GET * HTTP/1.1\r\nHost: t\r\n\r\n", 404, PROBLEM, KEPT},
    {"empty lines before", "\r\n\r\n" HEALTH, 200, NULL, KEPT},
    /* Found by libmicrohttpd, before any code of ours. */
    {"no version", "GET /healthz\r\n\r\n", 400, PROBLEM, CLOSED},
    {"HTTP/2's first words", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, PROBLEM, CLOSED},
    {"unknown version", "GET /healthz HTTP/2.0\r\nHost: t\r\n\r\n", 505, PROBLEM, CLOSED},
    {"no colon", "GET /healthz HTTP/1.1\r\nHost: t\r\nX\r\n\r\n", 400, PROBLEM, CLOSED},
    {"bad chunk", POST_SHAPES "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400, PROBLEM, CLOSED},
    {"chunk longer than it says", POST_SHAPES "Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n", 400, PROBLEM,
     CLOSED},
    {"length of letters", POST_SHAPES "Content-Length: abc\r\n\r\n{}", 400, PROBLEM, CLOSED},
    {"length below zero", POST_SHAPES "Content-Length: -2\r\n\r\n{}", 400, PROBLEM, CLOSED},
    {"list of lengths", POST_SHAPES "Content-Length: 2, 2\r\n\r\n{}", 400, PROBLEM, CLOSED},
    {"length in base 16", POST_SHAPES "Content-Length: 0x2\r\n\r\n{}", 400, PROBLEM, CLOSED},
    {"length past 64 bits", POST_SHAPES "Content-Length: 99999999999999999999999\r\n\r\n{}", 413, PROBLEM, CLOSED},
};

static void test_exchanges(void **state)
{
    (void)state;
    struct cp_http *http = cp_serve_with_two();
    for (size_t i = 0; i < sizeof exchange_rows / sizeof *exchange_rows; i++) {
        const struct exchange_row *row = &exchange_rows[i];
        struct cp_client_reply reply;
        struct cp_client *client = cp_client_ask(cp_http_port(http), row->request, &reply, false);
        cp_expect_status(row->name, row->status, &reply);
        if (row->content_type) cp_expect_header(row->name, &reply, "Content-Type", row->content_type);
        if (row->fate == CLOSED) {
            cp_expect_header(row->name, &reply, "Connection", "close");
            cp_client_expect_end(client);
        } else {
            cp_client_send_text(client, HEALTH);
            cp_client_read(client, &reply, false);
            cp_expect_status(row->name, 200, &reply);
        }
        cp_client_close(client);
    }
    cp_http_free(http);
}

/* Zero bytes, at which libmicrohttpd stops reading. */
static void test_zero_bytes(void **state)
{
    static const struct {
        const char *text;
        size_t size;
    } rows[] = {
#define ROW(text) {(text), sizeof(text) - 1}
        ROW("GET /healthz\0x HTTP/1.1\r\nHost: t\r\n\r\n"),
        ROW("G\0T /healthz HTTP/1.1\r\nHost: t\r\n\r\n"),
        ROW("GET /healthz?a\0b HTTP/1.1\r\nHost: t\r\n\r\n"),
        ROW("GET /healthz HTTP/1.1\0\r\nHost: t\r\n\r\n"),
        ROW("GET /healthz HTTP/1.1\r\nHost: t\r\nX: a\0b\r\n\r\n"),
        ROW("GET /healthz HTTP/1.1\r\nHost: t\r\nX: a\0 b\r\n\r\n"),
        ROW("GET /healthz HTTP/1.1\r\nHost: t\r\nX: \0b\r\nY: z\r\n\r\n"),
        ROW("GET /healthz HTTP/1.1\r\nHost: t\r\nX: a\0\r\nY: z\r\n\r\n"),
        ROW("GET /healthz HTTP/1.1\r\nHost: t\r\nX\0: a\r\nY: z\r\n\r\n"),
        ROW(POST_SHAPES "Content-Length: 2\0"
                        "3\r\n\r\n{}"),
#undef ROW
    };
    (void)state;
    struct cp_http *http = cp_serve_with_two();
    for (size_t at = 0; at < sizeof rows / sizeof *rows; at++) {
        struct cp_client_reply reply;
        struct cp_client *client = cp_client_open(cp_http_port(http));
        cp_client_send(client, rows[at].text, rows[at].size);
        cp_client_read(client, &reply, false);
        if (reply.status != 400) fail_msg("row %zu: status %d", at, reply.status);
        cp_expect_header("zero byte", &reply, "Content-Type", PROBLEM);
        cp_client_expect_end(client);
        cp_client_close(client);
    }
    cp_http_free(http);
}

/* Refused by us up to libmicrohttpd's memory for a connection, and by it past that, in one form. */
static void test_long_heads(void **state)
{
    (void)state;
    static const struct {
        const char *before, *after;
        size_t size;
        int status, other_status;
        const char *type;
    } rows[] = {{"GET /healthz HTTP/1.1\r\nHost: t\r\nX: ", "\r\n\r\n", 7000, 200, 200, NULL},
                {"GET /healthz HTTP/1.1\r\nHost: t\r\nX: ", "\r\n\r\n", 9000, 431, 431, PROBLEM},
                {"GET /healthz HTTP/1.1\r\nHost: t\r\nX: ", "\r\n\r\n", 40000, 431, 431, PROBLEM},
                {"GET /", " HTTP/1.1\r\nHost: t\r\n\r\n", 7000, 404, 404, PROBLEM},
                {"GET /", " HTTP/1.1\r\nHost: t\r\n\r\n", 8300, 414, 414, PROBLEM},
                {"GET /", " HTTP/1.1\r\nHost: t\r\n\r\n", 14000, 414, 414, PROBLEM},
                {"GET /", " HTTP/1.1\r\nHost: t\r\n\r\n", 40000, 414, 414, PROBLEM}};
    struct cp_http *http = cp_serve_with_two();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cp_client_reply reply;
        char *text = malloc(rows[i].size + 200);
        assert_non_null(text);
        size_t at = (size_t)sprintf(text, "%s", rows[i].before);
        memset(text + at, 'a', rows[i].size);
        strcpy(text + at + rows[i].size, rows[i].after);
        cp_client_close(cp_client_ask(cp_http_port(http), text, &reply, false));
        free(text);
        if (reply.status != rows[i].other_status) cp_expect_status(rows[i].before, rows[i].status, &reply);
        if (rows[i].type) cp_expect_header(rows[i].before, &reply, "Content-Type", rows[i].type);
    }
    cp_http_free(http);
}

/* `count` pieces that together are about `size` bytes, between the first and the last text; counted from 0 in their names. */
static char *text_of_pieces(const char *before, const char *name, int count, size_t size, const char *end_of_piece,
                            const char *after)
{
    char *text = malloc(2 * size + strlen(before) + strlen(after) + 1000), *at = text;
    assert_non_null(text);
    at += sprintf(at, "%s", before);
    for (int piece = 0; piece < count; piece++) {
        at += sprintf(at, name, piece);
        for (size_t more = size / (size_t)count; more > 10; more--) *at++ = 'v';
        at += sprintf(at, "%s", end_of_piece);
    }
    strcpy(at, after);
    return text;
}

/* Headers, cookies and arguments take libmicrohttpd's memory beside their text: any number of them is answered, or refused
 * in words. */
static void test_many_entries(void **state)
{
    static const struct {
        const char *before, *name, *end_of_piece, *after;
    } rows[] = {{"GET /healthz HTTP/1.1\r\nHost: t\r\n", "X-%03d: ", "\r\n", "\r\n"},
                {"GET /healthz HTTP/1.1\r\nHost: t\r\nCookie: ", "c%03d=", "; ", "d=e\r\n\r\n"},
                {"GET /healthz?", "a%03d=", "&", "z=1 HTTP/1.1\r\nHost: t\r\n\r\n"}};
    (void)state;
    struct cp_http *http = cp_serve_with_two();
    for (size_t at = 0; at < sizeof rows / sizeof *rows; at++) {
        int answered = 0, refused = 0;
        for (int count = 1; count <= 270; count++) {
            struct cp_client_reply reply;
            static const size_t sizes[] = {7900, 3000, 1000};
            size_t size = sizes[count % 3];
            char *text =
                text_of_pieces(rows[at].before, rows[at].name, count, size, rows[at].end_of_piece, rows[at].after);
            cp_client_close(cp_client_ask(cp_http_port(http), text, &reply, false));
            free(text);
            if (reply.status == 200)
                answered++;
            else if (reply.status == 431 || (reply.status == 414 && at == 2))
                refused++;
            else
                fail_msg("%d times %s: status %d", count, rows[at].name, reply.status);
        }
        if (answered < 50 || refused < 50) fail_msg("%s: %d answered, %d refused", rows[at].name, answered, refused);
    }
    cp_http_free(http);
}

/* What comes in one piece with many headers changes nothing: a body that fills the buffer, or a second request. */
static void test_many_entries_and_more(void **state)
{
    enum { BODY_BYTES = 7000 };
    static const char stack[] = "{\"input\": [1, 3, 8, 8], \"layers\": [{\"type\": \"ReLU\"}], \"meta\": \"";
    static char body[BODY_BYTES + 1], after[BODY_BYTES + 100];
    (void)state;
    struct cp_http *http = cp_serve_with_two();
    int answered = 0, refused = 0;
    memset(body, 'm', BODY_BYTES);
    memcpy(body, stack, sizeof stack - 1);
    memcpy(body + BODY_BYTES - 2, "\"}", 2);
    for (int count = 1; count <= 140; count++) {
        struct cp_client_reply reply;
        bool posts = count % 2;
        sprintf(after,
                posts ? "Content-Length: %d\r\n\r\n%s" : "\r\nGET /healthz HTTP/1.1\r\nHost: t\r\nX-Long: %.*s\r\n\r\n",
                posts ? BODY_BYTES : BODY_BYTES - 1000, body);
        char *text = text_of_pieces(posts ? POST_SHAPES : "GET /healthz HTTP/1.1\r\nHost: t\r\n", "X-%03d: ", count,
                                    1500, "\r\n", after);
        struct cp_client *client = cp_client_ask(cp_http_port(http), text, &reply, false);
        if (reply.status == 200) {
            answered++;
            if (!posts) cp_client_read(client, &reply, false);
            cp_expect_status("the second request", 200, &reply);
        } else {
            refused++;
            cp_expect_status("many headers", 431, &reply);
        }
        cp_client_close(client);
        free(text);
    }
    if (answered < 100 || refused < 10) fail_msg("%d answered, %d refused", answered, refused);
    cp_http_free(http);
}

/* A line between chunks that libmicrohttpd's buffer does not hold, which it waits with at full speed: it is refused, also
 * where the client does not wait for that. */
static void test_long_chunk_line(void **state)
{
    static const char *const begins[] = {"2;", "0"};
    static char line[30000];
    struct cp_client *clients[2];
    (void)state;
    struct cp_http *http = cp_serve_with_two();
    memset(line, '0', sizeof line);
    for (int at = 0; at < 2; at++) {
        clients[at] = cp_client_open(cp_http_port(http));
        cp_client_send_text(clients[at], POST_SHAPES "Transfer-Encoding: chunked\r\n\r\n");
        cp_client_send_text(clients[at], begins[at]);
        cp_client_send(clients[at], line, sizeof line);
    }
    for (int at = 0; at < 2; at++) {
        struct cp_client_reply reply;
        cp_client_read(clients[at], &reply, false);
        cp_expect_status(begins[at], 400, &reply);
        cp_expect_header(begins[at], &reply, "Content-Type", PROBLEM);
        cp_client_close(clients[at]);
    }
    cp_http_free(http);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exchanges),
        cmocka_unit_test(test_zero_bytes),
        cmocka_unit_test(test_long_heads),
        cmocka_unit_test(test_many_entries),
        cmocka_unit_test(test_many_entries_and_more),
        cmocka_unit_test(test_long_chunk_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
