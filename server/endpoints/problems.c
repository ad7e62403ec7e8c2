/* GET /problems/{code}: what a code of a problem or finding means and how to mend it. */
#include "core/finding.h"
#include "core/nearest.h"
#include "server/endpoints/endpoints.h"
#include "server/problem.h"

static struct cp_text code_at(const void *list, int64_t index)
{
    (void)list;
    return cp_text_of(cp_statuses[index].code);
}

static void write_page(struct cp_writer *writer, const struct cp_status *status)
{
    bool finding = status->http_status == 200;
    cp_write_object_begin(writer);
    CP_WRITE_NAME(writer, "code");
    cp_write_string(writer, status->code);
    CP_WRITE_NAME(writer, "kind");
    cp_write_string(writer, finding ? "finding" : "problem");
    CP_WRITE_NAME(writer, "title");
    cp_write_string(writer, status->title);
    CP_WRITE_NAME(writer, "status");
    cp_write_integer(writer, status->http_status);
    CP_WRITE_NAME(writer, "severity");
    cp_write_string(writer, status->severity == CP_SEVERITY_ERROR ? "error" : "warning");
    CP_WRITE_NAME(writer, "explanation");
    cp_write_string(writer, status->page);
    cp_write_object_end(writer);
}

void cp_endpoint_problem(struct cp_exchange *exchange)
{
    enum { EXPECTED_BYTES = 1 << 10 };
    struct cp_writer writer;
    for (int code = 0; code < CP_CODE_COUNT; code++) {
        if (!cp_text_is(exchange->parameter, cp_statuses[code].code)) continue;
        cp_writer_begin(&writer, exchange->arena, EXPECTED_BYTES);
        write_page(&writer, &cp_statuses[code]);
        cp_reply_json(exchange, &writer);
        return;
    }
    int64_t nearest = cp_nearest(exchange->parameter, CP_CODE_COUNT, code_at, NULL);
    cp_reply_not_found(exchange,
                       cp_did_you_mean(exchange->arena, nearest < 0 ? (struct cp_text){0} : code_at(NULL, nearest)));
}
