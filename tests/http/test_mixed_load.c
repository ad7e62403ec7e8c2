/* Every kind of request at once, and a drain in the midst of it: no reply is wrong, and none is missing. For
 * ThreadSanitizer above all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <poll.h>

#include <cmocka.h>

#include "tests/http/http_client.h"
#include "tests/http/mixed_load.h"

enum { CLIENTS = 8, ENOUGH = 400, MOST_MS = 240000, LOOK_MS = 5 };

static void expect_no_failure(struct cp_load *load)
{
    struct cp_load_result result = cp_load_end(load);
    if (result.failed) fail_msg("%lld of %lld: %s", result.failed, result.failed + result.answered, result.failure);
    assert_true(result.answered >= ENOUGH);
}

/* Until so much has been answered that every kind has been asked from several sides. */
static void wait_for_load(const struct cp_load *load)
{
    for (int waited = 0; waited < MOST_MS; waited += LOOK_MS) {
        if (cp_load_answered(load) >= ENOUGH || cp_load_has_failed(load)) return;
        poll(NULL, 0, LOOK_MS);
    }
}

static void under_load(void **state)
{
    struct cp_http_options options = CP_HTTP_DEFAULTS;
    (void)state;
    options.workers = 2;
    struct cp_http *http = cp_client_server(options);
    struct cp_load *load = cp_load_start(cp_http_port(http), CLIENTS);
    assert_non_null(load);
    wait_for_load(load);
    expect_no_failure(load);
    cp_http_free(http);
}

static void drained_under_load(void **state)
{
    struct cp_http_options options = CP_HTTP_DEFAULTS;
    (void)state;
    options.workers = 2;
    options.drain_seconds = 120;
    struct cp_http *http = cp_client_server(options);
    struct cp_load *load = cp_load_start(cp_http_port(http), CLIENTS);
    assert_non_null(load);
    wait_for_load(load);
    cp_load_expect_drain(load);
    cp_http_drain(http);
    assert_true(cp_http_wait(http, MOST_MS));
    assert_int_equal(cp_http_unanswered(http), 0);
    expect_no_failure(load);
    cp_http_free(http);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(under_load),
        cmocka_unit_test(drained_under_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
