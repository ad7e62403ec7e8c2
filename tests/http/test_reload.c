/* TLS, and what is read again on SIGHUP, with the program as a process and libcurl as the client. */
#define _GNU_SOURCE 1 /* mkdtemp */

#include <curl/curl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/http/http_client.h"
#include "tests/http/process.h"
#include "tests/http/seen.h"

static char directory[] = "/tmp/convplan-test-XXXXXX", certificate[64], key[64], tokens[64];

static void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* A certificate for localhost that signs itself, of this serial number, and its key. */
static void make_pair(unsigned char serial)
{
    gnutls_x509_privkey_t private;
    gnutls_x509_crt_t public;
    gnutls_datum_t text;
    assert_int_equal(gnutls_x509_privkey_init(&private), 0);
    assert_int_equal(
        gnutls_x509_privkey_generate(private, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0), 0);
    assert_int_equal(gnutls_x509_crt_init(&public), 0);
    gnutls_x509_crt_set_version(public, 3);
    gnutls_x509_crt_set_serial(public, &serial, 1);
    gnutls_x509_crt_set_activation_time(public, time(NULL) - 86400);
    gnutls_x509_crt_set_expiration_time(public, time(NULL) + 86400);
    gnutls_x509_crt_set_dn_by_oid(public, GNUTLS_OID_X520_COMMON_NAME, 0, "localhost", 9);
    gnutls_x509_crt_set_subject_alt_name(public, GNUTLS_SAN_DNSNAME, "localhost", 9, GNUTLS_FSAN_SET);
    gnutls_x509_crt_set_basic_constraints(public, 1, -1);
    gnutls_x509_crt_set_key(public, private);
    assert_int_equal(gnutls_x509_crt_sign2(public, public, private, GNUTLS_DIG_SHA256, 0), 0);
    assert_int_equal(gnutls_x509_crt_export2(public, GNUTLS_X509_FMT_PEM, &text), 0);
    write_file(certificate, text.data, text.size);
    gnutls_free(text.data);
    assert_int_equal(gnutls_x509_privkey_export2(private, GNUTLS_X509_FMT_PEM, &text), 0);
    write_file(key, text.data, text.size);
    gnutls_free(text.data);
    gnutls_x509_crt_deinit(public);
    gnutls_x509_privkey_deinit(private);
}

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(directory)) return -1;
    snprintf(certificate, sizeof certificate, "%s/cert.pem", directory);
    snprintf(key, sizeof key, "%s/key.pem", directory);
    snprintf(tokens, sizeof tokens, "%s/tokens", directory);
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(certificate);
    unlink(key);
    unlink(tokens);
    curl_global_cleanup();
    return rmdir(directory);
}

static int begin(const struct cp_process_start *start, struct cp_process *process, const char *scheme)
{
    char line[256], prefix[64];
    snprintf(prefix, sizeof prefix, "convplan is listening on %s://127.0.0.1:", scheme);
    cp_process_begin(start, process);
    cp_process_read_line(process, line, sizeof line);
    assert_memory_equal(line, prefix, strlen(prefix));
    return atoi(line + strlen(prefix));
}

/* Tell it to read its files again, and wait until it says that it has, or has not. */
static void reload(const struct cp_process *process, const char *wanted)
{
    struct cp_process errors = *process;
    char line[512];
    errors.output = process->errors;
    assert_int_equal(kill(process->id, SIGHUP), 0);
    cp_process_read_line(&errors, line, sizeof line);
    if (!strstr(line, wanted)) fail_msg("it says \"%s\"", line);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the type is libcurl's */
static size_t take(char *bytes, size_t one, size_t count, void *context)
{
    return one * fwrite(bytes, one, count, context);
}

static void hold_to_description(CURL *curl, const char *method, const char *path, const char *body, size_t size)
{
    char why[4096], *type = NULL;
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    const struct cp_seen seen = {.method = method,
                                 .target = path,
                                 .status = (int)status,
                                 .content_type = type ? type : "",
                                 .body = body,
                                 .body_size = size};
    if (!cp_seen(&seen, why, sizeof why)) fail_msg("%s", why);
}

/* The status of a request to https://localhost, 0 where the certificate in the file is not the server's. `body` NULL: GET. */
static long ask(CURL *curl, int port, const char *path, const char *body, size_t *received)
{
    char url[8192], host[64], *bytes;
    long status = 0;
    FILE *reply = open_memstream(&bytes, received);
    assert_non_null(reply);
    snprintf(url, sizeof url, "https://localhost:%d%s", port, path);
    snprintf(host, sizeof host, "localhost:%d:127.0.0.1", port);
    struct curl_slist *hosts = curl_slist_append(NULL, host);
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_RESOLVE, hosts);
    curl_easy_setopt(curl, CURLOPT_CAINFO, certificate);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, reply);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    if (body) curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    if (body) curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    CURLcode code = curl_easy_perform(curl);
    fclose(reply);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK)
        hold_to_description(curl, body ? "POST" : "GET", path, bytes, *received);
    else if (code != CURLE_PEER_FAILED_VERIFICATION)
        fail_msg("%s: %s", url, curl_easy_strerror(code));
    free(bytes);
    curl_slist_free_all(hosts);
    curl_slist_free_all(headers);
    return status;
}

/* A stack of so many layers: a body that fills many TLS records, both ways. */
static char *stack_of(int layers)
{
    char *body;
    size_t size;
    FILE *file = open_memstream(&body, &size);
    fputs("{\"input\": [1, 3, 8, 8], \"layers\": [", file);
    for (int at = 0; at < layers; at++) fputs(at ? ",{\"type\":\"ReLU\"}" : "{\"type\":\"ReLU\"}", file);
    fputs("]}", file);
    fclose(file);
    return body;
}

static void test_tls(void **state)
{
    static struct cp_process_end end;
    struct cp_process process;
    size_t received;
    (void)state;
    make_pair(1);
    struct cp_process_start start = {
        .arguments = {"serve", "--port", "0", "--workers=1", "--tls-cert", certificate, "--tls-key", key}};
    int port = begin(&start, &process, "https");
    CURL *curl = curl_easy_init();
    char *large = stack_of(20000), *small = stack_of(3);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(ask(curl, port, "/openapi.json", NULL, &received), 200);
        assert_true(received > 100000);
        assert_int_equal(ask(curl, port, "/v1/shapes", small, &received), 200);
        assert_int_equal(ask(curl, port, "/v1/shapes", large, &received), 200);
        assert_true(received > 1000000);
        assert_int_equal(ask(curl, port, "/v1/shapes", "{", &received), 400);
        assert_int_equal(ask(curl, port, "/nope", NULL, &received), 404);
    }
    /* A query that fills the memory of a connection is refused past libmicrohttpd. */
    char query[8000] = "/healthz?";
    for (size_t at = strlen(query); at < sizeof query - 1; at++) query[at] = at % 2 ? 'a' : '&';
    assert_int_equal(ask(curl, port, query, NULL, &received), 431);
    assert_true(received > 100);
    assert_int_equal(ask(curl, port, "/healthz", NULL, &received), 200);
    /* Without TLS nothing can be had, and nothing is told. */
    struct cp_client *plain = cp_client_open(port);
    cp_client_send_text(plain, "GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n");
    char byte[64];
    while (read(plain->socket, byte, sizeof byte) > 0) assert_true(*byte != 'H');
    cp_client_close(plain);
    cp_process_finish(&process, SIGTERM, &end); /* with curl's idle connection open */
    assert_int_equal(end.status, 0);
    assert_null(strstr(end.errors, "convplan serve"));
    curl_easy_cleanup(curl);
    free(large);
    free(small);
}

/* convplan health, with the variable that makes the server speak TLS; and with TLS where there is none. */
static void test_health_over_tls(void **state)
{
    static struct cp_process_end end;
    struct cp_process process, plain;
    char port[32], variable[128];
    (void)state;
    make_pair(1);
    snprintf(variable, sizeof variable, "CONVPLAN_TLS_CERT=%s", certificate);
    struct cp_process_start start = {.arguments = {"serve", "--port=0", "--workers=1", "--tls-key", key},
                                     .environment = {variable}};
    snprintf(port, sizeof port, "--port=%d", begin(&start, &process, "https"));
    struct cp_process_start health = {.arguments = {"health", "--seconds=20", port}, .environment = {variable}};
    cp_process_run(&health, &end);
    assert_string_equal(end.errors, "");
    assert_int_equal(end.status, 0);
    health.environment[0] = NULL;
    cp_process_run(&health, &end);
    assert_int_equal(end.status, 1);
    cp_process_finish(&process, SIGTERM, &end);

    start = (struct cp_process_start){.arguments = {"serve", "--port=0", "--workers=1"}};
    snprintf(port, sizeof port, "--port=%d", begin(&start, &plain, "http"));
    health.environment[0] = variable;
    cp_process_run(&health, &end);
    assert_int_equal(end.status, 1);
    assert_non_null(strstr(end.errors, "TLS"));
    cp_process_finish(&plain, SIGTERM, &end);
}

static void test_certificate_is_read_again(void **state)
{
    static struct cp_process_end end;
    struct cp_process process;
    size_t received;
    (void)state;
    make_pair(1);
    struct cp_process_start start = {
        .arguments = {"serve", "--port", "0", "--workers=2", "--tls-cert", certificate, "--tls-key", key}};
    int port = begin(&start, &process, "https");
    CURL *old = curl_easy_init(), *fresh = curl_easy_init();
    assert_int_equal(ask(old, port, "/healthz", NULL, &received), 200);
    make_pair(2);
    assert_int_equal(ask(fresh, port, "/healthz", NULL, &received), 0); /* not yet */
    reload(&process, "are read again");
    assert_int_equal(ask(fresh, port, "/healthz", NULL, &received), 200);
    assert_int_equal(ask(old, port, "/healthz", NULL, &received), 200); /* connections live on */
    write_file(key, "no key", 6);
    reload(&process, "what was read before stays");
    curl_easy_cleanup(fresh);
    fresh = curl_easy_init();
    assert_int_equal(ask(fresh, port, "/healthz", NULL, &received), 200);
    curl_easy_cleanup(old);
    curl_easy_cleanup(fresh);
    cp_process_finish(&process, SIGTERM, &end);
    assert_int_equal(end.status, 0);
}

static void test_wrong_files(void **state)
{
    static struct cp_process_end end;
    (void)state;
    make_pair(1);
    write_file(tokens, "none", 4);
    struct {
        struct cp_process_start start;
        const char *error;
    } rows[] = {
        {{.arguments = {"serve", "--port", "0", "--tls-cert", certificate}}, "--tls-key is missing"},
        {{.arguments = {"serve", "--port", "0", "--tls-key", key}}, "--tls-cert is missing"},
        {{.arguments = {"serve", "--port", "0", "--tls-cert", certificate, "--tls-key", tokens}}, "cannot be used"},
        {{.arguments = {"serve", "--port", "0", "--tls-cert", tokens, "--tls-key", key}}, "cannot be used"},
        {{.arguments = {"serve", "--port", "0", "--tls-cert", "/no/such", "--tls-key", key}}, "cannot read /no/such"},
        {{.arguments = {"serve", "--port", "0", "--token-file", "/no/such"}}, "/no/such"},
    };
    for (size_t at = 0; at < sizeof rows / sizeof *rows; at++) {
        cp_process_run(&rows[at].start, &end);
        if (end.status != 2 || !strstr(end.errors, rows[at].error)) fail_msg("row %zu: %s", at, end.errors);
        assert_string_equal(end.output, "");
    }
}

/* ---- Tokens -------------------------------------------------------------------------------------------------------- */

static void expect(int port, const char *token, int status)
{
    struct cp_client_reply reply;
    char text[256];
    snprintf(text, sizeof text, "GET /v1/layers HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer %s\r\n\r\n", token);
    cp_client_close(cp_client_ask(port, text, &reply, false));
    cp_expect_status(token, status, &reply);
}

static void test_tokens_are_read_again(void **state)
{
    static struct cp_process_end end;
    struct cp_process process;
    (void)state;
    write_file(tokens, "one\ntwo\n", 8);
    struct cp_process_start start = {
        .arguments = {"serve", "--port", "0", "--workers=2", "--access-log=off", "--token-file", tokens}};
    int port = begin(&start, &process, "http");
    expect(port, "one", 200);
    expect(port, "two", 200);
    expect(port, "three", 401);
    write_file(tokens, "two\nthree\n", 10);
    expect(port, "three", 401);
    reload(&process, "are read again");
    expect(port, "one", 401);
    expect(port, "two", 200);
    expect(port, "three", 200);
    write_file(tokens, "# none\n", 7);
    reload(&process, "holds no token");
    expect(port, "two", 200);
    cp_process_finish(&process, SIGTERM, &end);
    assert_int_equal(end.status, 0);
}

/* Without files to read it ends, as any program whose terminal is closed. */
static void test_hangup_without_files(void **state)
{
    static const struct cp_process_start start = {.arguments = {"serve", "--port", "0", "--workers=1"}};
    static struct cp_process_end end;
    struct cp_process process;
    (void)state;
    begin(&start, &process, "http");
    cp_process_finish(&process, SIGHUP, &end);
    assert_int_equal(end.status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tls),
        cmocka_unit_test(test_health_over_tls),
        cmocka_unit_test(test_certificate_is_read_again),
        cmocka_unit_test(test_wrong_files),
        cmocka_unit_test(test_tokens_are_read_again),
        cmocka_unit_test(test_hangup_without_files),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
