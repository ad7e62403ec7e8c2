/* Designed decoders against PyTorch: tests/vectors/decoders.jsonl, made by make_decoders.py. A line holds a request of
 * /v1/decoder, the decoder that PyTorch has run, and the shape that came out of each of its layers. */
#include "tests/service_client.h"

static const char *const vectors_path = "tests/vectors/decoders.jsonl";
enum { LEAST_CASES = 150 };

/* What is wrong with the answer, or NULL. */
static const char *compare(struct cp_text line, struct cp_text body)
{
    struct cp_text shapes = cp_test_at(line, "/shapes");
    if (!cp_text_equal(cp_test_at(body, "/decoder"), cp_test_at(line, "/decoder"))) return "another decoder";
    if (!cp_test_is(cp_test_at(body, "/roundtrip/valid"), "true")) return "valid";
    if (cp_test_count(shapes) != cp_test_count(cp_test_at(body, "/roundtrip/decoder"))) return "the number of layers";
    for (int at = 0; at < cp_test_count(shapes); at++)
        if (!cp_text_equal(cp_test_atf(shapes, "/%d", at), cp_test_atf(body, "/roundtrip/decoder/%d/output", at)))
            return "a shape";
    return NULL;
}

static bool check_line(struct cp_text line, int number)
{
    struct cp_test_exchange exchange;
    const struct cp_request request = {.method = CP_POST,
                                       .method_name = CP_TEXT("POST"),
                                       .path = CP_TEXT("/v1/decoder"),
                                       .body = cp_test_at(line, "/request")};
    cp_test_ask(&exchange, &request);
    struct cp_text body = exchange.reply.body;
    const char *wrong = exchange.reply.status == 200 ? compare(line, body) : "status";
    if (wrong)
        print_error("%s:%d: %s\n  %.*s\n  %.*s\n", vectors_path, number, wrong, (int)line.size, line.bytes,
                    (int)body.size, body.bytes);
    cp_test_close(&exchange);
    return !wrong;
}

static void test_against_pytorch(void **state)
{
    (void)state;
    FILE *file = fopen(vectors_path, "r");
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    int cases = 0, wrong = 0;
    assert_non_null(file);
    while ((size = getline(&line, &room, file)) > 0)
        wrong += !check_line((struct cp_text){line, (size_t)size}, ++cases);
    free(line);
    fclose(file);
    assert_int_equal(wrong, 0);
    assert_true(cases >= LEAST_CASES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_pytorch)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
