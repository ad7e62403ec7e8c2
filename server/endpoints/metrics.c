/* GET /metrics: what the server has done, for Prometheus. */
#include "server/metrics.h"

#include "server/endpoints/endpoints.h"

void cp_endpoint_metrics(struct cp_exchange *exchange)
{
    enum { EXPECTED_BYTES = 1 << 14 };
    struct cp_writer writer;
    cp_writer_begin(&writer, exchange->arena, EXPECTED_BYTES);
    cp_metrics_write(&writer);
    cp_reply_json(exchange, &writer);
    exchange->reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
}
