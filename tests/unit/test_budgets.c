/* What a request may cost: what takes long is left to threads that may, and each budget that is used up is said. */
#include "core/limits.h"
#include "server/budgets.h"
#include "server/state.h"
#include "tests/service_client.h"

struct question {
    const char *path;
    struct cp_text body;
};

/* Doublings that end in CP_MAX_FIELD_PHASES phases on three axes, and windows over them. */
static struct question many_phases(struct cp_test_text *text)
{
    FILE *file = cp_test_begin(text);
    fputs("{\"input\": [1, 1, 64, 64, 64], \"layers\": [", file);
    for (int at = 0; at < 8; at++)
        fputs("{\"type\": \"ConvTranspose3d\", \"out_channels\": 1, \"kernel_size\": 3, \"stride\": 2}, ", file);
    for (int at = 0; at < 400; at++) fputs("{\"type\":\"MaxPool3d\",\"kernel_size\":3,\"stride\":1},", file);
    fputs("{\"type\": \"ReLU\"}]}", file);
    return (struct question){"/v1/shapes", cp_test_finish(text)};
}

/* A period that is the product of two primes. */
static struct question long_period(struct cp_test_text *text)
{
    fputs("{\"input\": [1, 1, \"n\"], \"layers\": [{\"type\": \"MaxPool1d\", \"kernel_size\": 997},"
          "{\"type\": \"MaxPool1d\", \"kernel_size\": 991}], \"covered\": true}",
          cp_test_begin(text));
    return (struct question){"/v1/sizes", cp_test_finish(text)};
}

static struct question many_combinations(struct cp_test_text *text)
{
    fputs("{\"type\": \"Conv2d\", \"input\": 600, \"output\": 300, \"kernel_size\": {\"min\": 1, \"max\": 300},"
          "\"stride\": {\"min\": 1, \"max\": 100}}",
          cp_test_begin(text));
    return (struct question){"/v1/solve", cp_test_finish(text)};
}

static struct question many_multiplications(struct cp_test_text *text)
{
    FILE *file = cp_test_begin(text);
    fputs("{\"layer\": {\"type\": \"MaxPool1d\", \"kernel_size\": 1000, \"stride\": 1}, \"input\": [[[0", file);
    for (int at = 1; at < 2000; at++) fputs(",0", file);
    fputs("]]]}", file);
    return (struct question){"/v1/convolve", cp_test_finish(text)};
}

static struct question (*const heavy[])(struct cp_test_text *) = {many_phases, long_period, many_combinations,
                                                                  many_multiplications};

static void ask(struct cp_test_exchange *exchange, const struct question *question, bool brief)
{
    const struct cp_request request = {.method = CP_POST,
                                       .method_name = CP_TEXT("POST"),
                                       .path = cp_text_of(question->path),
                                       .body = question->body,
                                       .brief = brief};
    assert_true(question->body.size < CP_MAX_BRIEF_BYTES);
    cp_test_ask(exchange, &request);
}

/* Left alone where time matters, answered where it does not. */
static void test_heavy_requests_are_deferred(void **state)
{
    (void)state;
    cp_budgets.seconds = 1000; /* more than they take under any tool */
    for (size_t at = 0; at < sizeof heavy / sizeof *heavy; at++) {
        struct cp_test_text text;
        struct cp_test_exchange exchange;
        struct question question = heavy[at](&text);
        ask(&exchange, &question, true);
        if (!exchange.reply.deferred) fail_msg("%s is answered at once", question.path);
        cp_test_close(&exchange);
        ask(&exchange, &question, false);
        if (exchange.reply.status != 200 || exchange.reply.deferred)
            fail_msg("%s: %.*s", question.path, (int)exchange.reply.body.size, exchange.reply.body.bytes);
        cp_test_close(&exchange);
        cp_test_free(&text);
    }
    cp_budgets.seconds = CP_MAX_COMPUTED_SECONDS;
}

static void test_usual_requests_are_not(void **state)
{
    static const char *const examples[] = {"lenet5", "resnet18", "googlenet", "unet_padded", "dcgan_generator"};
    (void)state;
    for (size_t at = 0; at < sizeof examples / sizeof *examples; at++) {
        struct cp_test_exchange example, answer;
        char path[64];
        snprintf(path, sizeof path, "/v1/examples/%s", examples[at]);
        cp_test_get(&example, path);
        ask(&answer, &(struct question){"/v1/shapes", example.reply.body}, true);
        assert_false(answer.reply.deferred);
        assert_int_equal(answer.reply.status, 200);
        cp_test_close(&answer);
        cp_test_close(&example);
    }
}

static void expect_stopped(const char *why)
{
    for (size_t at = 0; at < sizeof heavy / sizeof *heavy; at++) {
        struct cp_test_text text;
        struct cp_test_exchange exchange;
        struct question question = heavy[at](&text);
        ask(&exchange, &question, false);
        struct cp_text body = exchange.reply.body;
        if (exchange.reply.status != 503 || !cp_test_holds(body, "computation_stopped") || !cp_test_holds(body, why))
            fail_msg("%s: %d %.*s", question.path, exchange.reply.status, (int)body.size, body.bytes);
        cp_test_close(&exchange);
        cp_test_free(&text);
    }
}

static void test_time_is_up(void **state)
{
    (void)state;
    cp_budgets.seconds = 0;
    expect_stopped("was not done after 0 seconds");
    cp_budgets.seconds = CP_MAX_COMPUTED_SECONDS;
    cp_stopping = true;
    expect_stopped("as the server shuts down");
    cp_stopping = false;
}

static void test_flags_change_limits(void **state)
{
    static const struct cp_budgets defaults = CP_DEFAULT_BUDGETS;
    struct cp_budgets small = defaults;
    struct cp_test_text text;
    (void)state;
    small.layers = 408;
    small.size_steps = small.solve_combinations = small.multiplications = 1000;
    cp_budgets = small;
    for (size_t at = 0; at < sizeof heavy / sizeof *heavy; at++) {
        struct cp_test_exchange exchange;
        struct question question = heavy[at](&text);
        ask(&exchange, &question, false);
        struct cp_text body = exchange.reply.body;
        if (exchange.reply.status != 422 || !cp_test_holds(body, at ? "the limit is 1000" : "the limit is 408"))
            fail_msg("%s: %d %.*s", question.path, exchange.reply.status, (int)body.size, body.bytes);
        cp_test_close(&exchange);
        cp_test_free(&text);
    }
    cp_budgets = defaults;
}

static void test_symbols(void **state)
{
    static const struct {
        const char *input;
        int64_t symbols;
        int status;
        const char *holds;
    } rows[] = {
        {"[1, 1, \"h\", \"w\"]", 2, 200, "\"w\":{"},
        {"[1, 1, \"h\", \"w\"]", 1, 422, "there is more than one free size"},
        {"[1, 1, \"h\", \"h\"]", 1, 200, "\"h\":{"},
    };
    (void)state;
    for (size_t at = 0; at < sizeof rows / sizeof *rows; at++) {
        struct cp_test_text text;
        struct cp_test_exchange exchange;
        fprintf(cp_test_begin(&text), "{\"input\": %s, \"layers\": [{\"type\": \"ReLU\"}]}", rows[at].input);
        cp_budgets.symbols = rows[at].symbols;
        ask(&exchange, &(struct question){"/v1/sizes", cp_test_finish(&text)}, false);
        struct cp_text body = exchange.reply.body;
        if (exchange.reply.status != rows[at].status || !cp_test_holds(body, rows[at].holds))
            fail_msg("%s: %d %.*s", rows[at].input, exchange.reply.status, (int)body.size, body.bytes);
        cp_test_close(&exchange);
        cp_test_free(&text);
    }
    cp_budgets.symbols = CP_MAX_SYMBOLS;
}

static void test_body_limits(void **state)
{
    static const struct cp_budgets defaults = CP_DEFAULT_BUDGETS;
    struct cp_request request = {.method = CP_POST, .method_name = CP_TEXT("POST"), .path = CP_TEXT("/v1/shapes")};
    struct cp_test_exchange exchange;
    size_t limit = 0;
    (void)state;
    cp_memory_open(&exchange.memory, NULL, CP_TEST_MEMORY_BYTES, cp_service_exhausted);
    assert_true(cp_service_admit(&request, &limit, &exchange.reply, &exchange.memory.arena));
    assert_int_equal(limit, CP_MAX_BODY_BYTES);
    cp_budgets.body_bytes = 1234;
    assert_true(cp_service_admit(&request, &limit, &exchange.reply, &exchange.memory.arena));
    assert_int_equal(limit, 1234);
    cp_budgets = defaults;
    cp_test_close(&exchange);
}

/* A refusal of the transport with no memory left to write it in. */
static void test_refusal_without_memory(void **state)
{
    struct cp_test_exchange exchange = {0};
    (void)state;
    cp_memory_open(&exchange.memory, NULL, 0, cp_service_exhausted);
    cp_service_refuse(413, "too large", &exchange.reply, &exchange.memory.arena);
    assert_int_equal(exchange.reply.status, 503);
    assert_true(cp_test_holds(exchange.reply.body, "overloaded"));
    cp_test_close(&exchange);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heavy_requests_are_deferred),
        cmocka_unit_test(test_usual_requests_are_not),
        cmocka_unit_test(test_time_is_up),
        cmocka_unit_test(test_flags_change_limits),
        cmocka_unit_test(test_symbols),
        cmocka_unit_test(test_body_limits),
        cmocka_unit_test(test_refusal_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
