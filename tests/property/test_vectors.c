/* Every layer kind against PyTorch: tests/vectors/layers.jsonl, made by make_layers.py. A line holds a request of
 * /v1/shapes, the output's shape (null where PyTorch raises an error) and the module's number of parameters. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/json/json.h"
#include "server/memory.h"
#include "server/service.h"

static const char *const vectors_path = "tests/vectors/layers.jsonl";
enum { LEAST_CASES = 3000, MEMORY_LIMIT = 1 << 26 };

/* Where `name` stands in a line, and the JSON text of its value, found by the tree and a scan for its brackets. */
static struct cp_text request_of(const char *line)
{
    const char *start = strstr(line, "{\"input");
    const char *end = start;
    int depth = 0;
    do {
        depth += *end == '{';
        depth -= *end == '}';
        end++;
    } while (depth && *end);
    return (struct cp_text){start, (size_t)(end - start)};
}

static bool same_json(const struct cp_json *a, const struct cp_json *b)
{
    if (!a || !b || cp_json_type(a) != cp_json_type(b)) return false;
    if (cp_json_type(a) == CP_JSON_NUMBER) return cp_json_number(a) == cp_json_number(b);
    if (cp_json_count(a) != cp_json_count(b)) return false;
    const struct cp_json *y = cp_json_first(b);
    for (const struct cp_json *x = cp_json_first(a); x; x = cp_json_next(x), y = cp_json_next(y))
        if (!same_json(x, y)) return false;
    return true;
}

/* What is wrong with the answer, or NULL. */
static const char *compare(const struct cp_json *line, const struct cp_json *answer, int status)
{
    const struct cp_json *output = cp_json_member(line, CP_TEXT("output"));
    const struct cp_json *params = cp_json_member(line, CP_TEXT("params"));
    if (cp_json_type(output) == CP_JSON_NULL) {
        if (status == 422) return NULL;
        if (status != 200) return "status";
        return cp_json_type(cp_json_member(answer, CP_TEXT("valid"))) == CP_JSON_FALSE ? NULL : "PyTorch refuses it";
    }
    if (status != 200) return "status";
    if (cp_json_type(cp_json_member(answer, CP_TEXT("valid"))) != CP_JSON_TRUE) return "PyTorch takes it";
    if (!same_json(output, cp_json_member(answer, CP_TEXT("output")))) return "output";
    const struct cp_json *totals = cp_json_member(answer, CP_TEXT("totals"));
    if (params && !same_json(params, cp_json_member(totals, CP_TEXT("params")))) return "params";
    return NULL;
}

static bool check_line(const char *text, int number)
{
    struct cp_memory memory;
    struct cp_reply reply;
    struct cp_json_error error;
    cp_memory_open(&memory, NULL, MEMORY_LIMIT, cp_service_exhausted);
    const struct cp_json *line = cp_json_parse(&memory.arena, text, strlen(text), &error);
    assert_non_null(line);
    struct cp_request request = {.method = CP_POST, .path = CP_TEXT("/v1/shapes"), .body = request_of(text)};
    cp_service_answer(&request, &reply, &memory.arena);
    const struct cp_json *answer = cp_json_parse(&memory.arena, reply.body.bytes, reply.body.size, &error);
    const char *wrong = answer ? compare(line, answer, reply.status) : "the reply is no JSON";
    if (wrong)
        fprintf(stderr, "%s:%d: %s\n  %s  %d %.*s\n", vectors_path, number, wrong, text, reply.status,
                (int)reply.body.size, reply.body.bytes);
    cp_memory_reset(&memory);
    return wrong == NULL;
}

static void test_against_pytorch(void **state)
{
    (void)state;
    FILE *file = fopen(vectors_path, "r");
    char *line = NULL;
    size_t room = 0;
    int cases = 0, wrong = 0;
    assert_non_null(file);
    while (getline(&line, &room, file) > 0) wrong += !check_line(line, ++cases);
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
