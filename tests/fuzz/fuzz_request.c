/* Every endpoint, from a request as text (see cp_request_of_text): no crash; a reply as openapi.yaml describes it, and the
 * same when asked again; and, where there is another way to the same answer, that one too. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/agreement.h"
#include "tests/fuzz/ask.h"
#include "tests/fuzz/reply_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Metrics alone tell of the time. */
static bool is_same(const struct cp_reply *reply, const struct cp_reply *other)
{
    bool live = reply->content_type && strncmp(reply->content_type, "text/plain", 10) == 0;
    return other->status == reply->status && (live || cp_text_equal(other->body, reply->body));
}

static void check_again(const struct cp_request *request, const struct cp_reply *reply)
{
    struct cp_exact_memory memory;
    struct cp_reply again;
    cp_exact_memory_open(&memory);
    if (!cp_fuzz_answer(request, &again, &memory.arena) || !is_same(reply, &again))
        cp_fuzz_fail(request, "first %.*s\nthen  %.*s", CP_FUZZ_SHOWN(reply->body), CP_FUZZ_SHOWN(again.body));
    cp_exact_memory_close(&memory);
}

/* What is said before the body is read must be what is said after, as must the answer of one whose way is known by then. */
static void check_admission(const struct cp_request *request, const struct cp_reply *reply)
{
    struct cp_exact_memory memory;
    struct cp_request asked = *request;
    struct cp_reply early;
    size_t limit;
    cp_exact_memory_open(&memory);
    if (cp_service_admit(&asked, &limit, &early, &memory.arena) && !cp_fuzz_answer(&asked, &early, &memory.arena))
        cp_fuzz_fail(request, "no answer once it was admitted");
    if (!is_same(reply, &early)) cp_fuzz_fail(request, "%d after admission, %d without", early.status, reply->status);
    cp_exact_memory_close(&memory);
}

/* The transport sees to it that there are no zero bytes in a head. */
static bool can_be_sent(const struct cp_request *request, const char *begin)
{
    const char *end = request->body.bytes;
    return !memchr(begin, '\0', end ? (size_t)(end - begin) : 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cp_request request = cp_request_of_text((struct cp_text){(const char *)data, size});
    struct cp_exact_memory memory;
    struct cp_reply reply;
    if (!can_be_sent(&request, (const char *)data)) return 0;
    cp_exact_memory_open(&memory);
    if (cp_fuzz_answer(&request, &reply, &memory.arena)) {
        const struct cp_json *body = cp_check_reply(&request, &reply, &memory.arena);
        check_again(&request, &reply);
        check_admission(&request, &reply);
        if (body && reply.status == 200) cp_check_agreement(&request, body);
    }
    cp_exact_memory_close(&memory);
    return 0;
}
