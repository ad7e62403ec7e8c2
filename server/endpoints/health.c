/* GET /healthz and /readyz: is it alive, is it ready. */
#include "server/endpoints/endpoints.h"
#include "server/state.h"

static void reply_status(struct cp_exchange *exchange, const char *status)
{
    enum { EXPECTED_BYTES = 64 };
    struct cp_writer writer;
    cp_writer_begin(&writer, exchange->arena, EXPECTED_BYTES);
    cp_write_object_begin(&writer);
    CP_WRITE_NAME(&writer, "status");
    cp_write_string(&writer, status);
    cp_write_object_end(&writer);
    cp_reply_json(exchange, &writer);
}

void cp_endpoint_health(struct cp_exchange *exchange)
{
    reply_status(exchange, "alive");
}

void cp_endpoint_readiness(struct cp_exchange *exchange)
{
    if (cp_draining) {
        cp_service_refuse(503, "the server is draining", exchange->reply, exchange->arena);
        return;
    }
    reply_status(exchange, "ready");
}
