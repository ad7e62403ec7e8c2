#include "tests/fuzz/reply_check.h"

#include "core/limits.h"
#include "tests/contract/reply.h"
#include "tests/fuzz/ask.h"

/* ---- Numbers ------------------------------------------------------------------------------------------------------ */

/* Every number, but for those that users have computed: no reader of JSON may see another one. */
static void check_numbers(const struct cp_request *request, const struct cp_json *value)
{
    if (cp_json_type(value) == CP_JSON_NUMBER) {
        double number = cp_json_number(value);
        if (number > CP_MAX_COUNT || number < -CP_MAX_COUNT) cp_fuzz_fail(request, "the number %.17g", number);
    }
    for (const struct cp_json *child = cp_json_first(value); child; child = cp_json_next(child))
        check_numbers(request, child);
}

const struct cp_json *cp_check_reply(const struct cp_request *request, const struct cp_reply *reply,
                                     struct cp_arena *arena)
{
    const struct cp_json *value;
    struct cp_text fault = cp_reply_fault(request, reply, &value, arena);
    if (fault.size)
        cp_fuzz_fail(request, "status %d: %.*s: %.*s", reply->status, CP_FUZZ_SHOWN(fault), CP_FUZZ_SHOWN(reply->body));
    if (value && !reply->is_static && !cp_text_is(request->path, "/v1/convolve")) check_numbers(request, value);
    return value;
}
