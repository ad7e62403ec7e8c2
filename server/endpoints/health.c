/* GET /healthz and /readyz: is it alive, is it ready. */
#include "server/endpoints/endpoints.h"
#include "server/state.h"

/* A constant: it has to be said also when there is no memory left. */
static void reply_status(struct cp_exchange *exchange, struct cp_text body)
{
    exchange->reply->status = 200;
    exchange->reply->content_type = "application/json";
    exchange->reply->body = body;
    exchange->reply->is_static = true;
}

void cp_endpoint_health(struct cp_exchange *exchange)
{
    reply_status(exchange, CP_TEXT("{\"status\":\"alive\"}"));
}

void cp_endpoint_readiness(struct cp_exchange *exchange)
{
    if (cp_draining) {
        cp_service_refuse(503, "the server is draining", exchange->reply, exchange->arena);
        return;
    }
    reply_status(exchange, CP_TEXT("{\"status\":\"ready\"}"));
}
