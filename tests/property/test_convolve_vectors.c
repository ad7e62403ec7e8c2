/* /v1/convolve against PyTorch in float64: tests/vectors/reference.jsonl, made by make_reference.py. A line holds a
 * request, the numbers that PyTorch gives, and whether they are exact. Each request is asked four times: as it stands,
 * with every method that applies compared, in base64, and in float32. */
#include <math.h>

#include "tests/service_client.h"

#include "server/json/json.h"

static const char *const vectors_path = "tests/vectors/reference.jsonl";
enum { LEAST_CASES = 240, LINE_MEMORY_BYTES = 1 << 24 };

/* A request with a member more. */
static struct cp_text with(struct cp_test_text *text, struct cp_text request, const char *pointer, const char *value)
{
    cp_test_patch(cp_test_begin(text), request, pointer, cp_text_of(value));
    return cp_test_finish(text);
}

static void ask(struct cp_test_exchange *exchange, struct cp_text body)
{
    const struct cp_request request = {
        .method = CP_POST, .method_name = CP_TEXT("POST"), .path = CP_TEXT("/v1/convolve"), .body = body};
    cp_test_ask(exchange, &request);
}

static bool is_close(double a, double b, double tolerance)
{
    return a == b || fabs(a - b) <= tolerance * fmax(fabs(a), fabs(b));
}

/* Numbers of two nested lists, one by one. No recursion deeper than a tensor's axes. */
static bool is_same(const struct cp_json *a, const struct cp_json *b, double tolerance)
{
    if (cp_json_type(a) != cp_json_type(b)) return false;
    if (cp_json_type(a) == CP_JSON_NUMBER) return is_close(cp_json_number(a), cp_json_number(b), tolerance);
    if (cp_json_count(a) != cp_json_count(b)) return false;
    const struct cp_json *y = cp_json_first(b);
    for (const struct cp_json *x = cp_json_first(a); x; x = cp_json_next(x), y = cp_json_next(y))
        if (!is_same(x, y, tolerance)) return false;
    return true;
}

static const struct cp_json *parse(struct cp_memory *memory, struct cp_text text)
{
    struct cp_json_error error;
    return cp_json_parse(&memory->arena, text.bytes, text.size, &error);
}

/* Is the reply to this request close to the numbers? */
static bool answers(struct cp_text request, const struct cp_json *wanted, double tolerance, const char *what)
{
    struct cp_test_exchange exchange;
    ask(&exchange, request);
    struct cp_text output = cp_test_at(exchange.reply.body, "/output");
    const struct cp_json *got = output.size ? parse(&exchange.memory, output) : NULL;
    bool right = exchange.reply.status == 200 && got && is_same(wanted, got, tolerance);
    if (!right)
        fprintf(stderr, "%s: %.*s\n  %d %.*s\n", what, (int)request.size, request.bytes, exchange.reply.status,
                (int)exchange.reply.body.size, exchange.reply.body.bytes);
    cp_test_close(&exchange);
    return right;
}

/* Every method that applies gives the same numbers, exactly where they are exact. */
static bool methods_agree(struct cp_text request, bool exact)
{
    struct cp_test_exchange exchange;
    struct cp_test_text text;
    ask(&exchange, with(&text, request, "/verify", "true"));
    struct cp_text checks = cp_test_at(exchange.reply.body, "/checks");
    int count = cp_test_count(checks);
    bool right = exchange.reply.status == 200 && count > 0;
    for (int at = 0; at < count; at++) {
        struct cp_text difference = cp_test_atf(checks, "/%d/max_abs_difference", at);
        right = right && (cp_test_is(difference, "0") || (!exact && strtod(difference.bytes, NULL) < 1e-9));
    }
    if (!right)
        fprintf(stderr, "methods: %.*s\n  %.*s\n", (int)request.size, request.bytes, (int)checks.size, checks.bytes);
    cp_test_close(&exchange);
    cp_test_free(&text);
    return right;
}

/* What base64 says is what the lists say: posted back through a pool that keeps every number. */
static bool encodings_agree(struct cp_text request, const struct cp_json *wanted, double tolerance)
{
    struct cp_test_exchange exchange;
    struct cp_test_text text, back;
    ask(&exchange, with(&text, request, "/encoding", "\"base64\""));
    struct cp_text output = cp_test_at(exchange.reply.body, "/output");
    int axes = cp_test_count(cp_test_at(output, "/shape")) - 2;
    if (exchange.reply.status != 200) fail_msg("%.*s", (int)request.size, request.bytes);
    FILE *file = cp_test_begin(&back);
    fprintf(file, "{\"layer\": {\"type\": \"MaxPool%dd\", \"kernel_size\": 1}, \"input\": %.*s}", axes,
            (int)output.size, output.bytes);
    bool right = answers(cp_test_finish(&back), wanted, tolerance, "base64 read back");
    cp_test_close(&exchange);
    cp_test_free(&text);
    cp_test_free(&back);
    return right;
}

static bool check_line(const char *line)
{
    struct cp_memory memory;
    struct cp_test_text text;
    cp_memory_open(&memory, NULL, LINE_MEMORY_BYTES, cp_service_exhausted);
    struct cp_text request = cp_test_at(cp_text_of(line), "/request");
    const struct cp_json *wanted = parse(&memory, cp_test_at(cp_text_of(line), "/output"));
    bool exact = cp_test_is(cp_test_at(cp_text_of(line), "/exact"), "true");
    double tolerance = exact ? 0 : 1e-12;
    assert_non_null(wanted);
    bool right = answers(request, wanted, tolerance, "float64");
    right = methods_agree(request, exact) && right;
    right = encodings_agree(request, wanted, tolerance) && right;
    right = answers(with(&text, request, "/dtype", "\"float32\""), wanted, exact ? 0 : 1e-6, "float32") && right;
    cp_test_free(&text);
    cp_memory_reset(&memory);
    return right;
}

static void test_against_pytorch(void **state)
{
    (void)state;
    FILE *file = fopen(vectors_path, "r");
    char *line = NULL;
    size_t room = 0;
    int cases = 0, wrong = 0;
    assert_non_null(file);
    while (getline(&line, &room, file) > 0) wrong += !check_line(line), cases++;
    free(line);
    fclose(file);
    if (wrong) fail_msg("%d of %d cases differ from PyTorch", wrong, cases);
    assert_in_range(cases, LEAST_CASES, LEAST_CASES * 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_pytorch)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
