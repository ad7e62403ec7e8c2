/* GET /healthz, /readyz and / : is it alive, is it ready, what is there. */
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

void cp_endpoint_index(struct cp_exchange *exchange)
{
    enum { EXPECTED_BYTES = 1 << 11 };
    struct cp_writer writer;
    cp_writer_begin(&writer, exchange->arena, EXPECTED_BYTES);
    cp_write_object_begin(&writer);
    CP_WRITE_NAME(&writer, "service");
    cp_write_string(&writer, "convplan");
    CP_WRITE_NAME(&writer, "operations");
    cp_write_array_begin(&writer);
    for (int at = 0; at < cp_endpoint_count; at++) {
        const struct cp_endpoint *endpoint = &cp_endpoints[at];
        cp_write_object_begin(&writer);
        CP_WRITE_NAME(&writer, "method");
        cp_write_string(&writer, endpoint->method == CP_POST ? "POST" : "GET");
        CP_WRITE_NAME(&writer, "path");
        cp_write_string(&writer, endpoint->path);
        CP_WRITE_NAME(&writer, "operation");
        cp_write_string(&writer, endpoint->operation_id);
        cp_write_object_end(&writer);
    }
    cp_write_array_end(&writer);
    cp_write_object_end(&writer);
    cp_reply_json(exchange, &writer);
}
