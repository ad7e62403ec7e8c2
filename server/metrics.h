/* What the server has done, counted: each worker counts for itself, with plain stores, and GET /metrics adds up. */
#ifndef CP_METRICS_H
#define CP_METRICS_H

#include <stdatomic.h>
#include <stdint.h>

#include "server/json/writer.h"
#include "server/service.h"

/* One worker's counters. */
struct cp_metrics;

/* From now on they are part of the sums. NULL: no memory. */
struct cp_metrics *cp_metrics_open(void);

/* They leave the sums. NULL is allowed. */
void cp_metrics_close(struct cp_metrics *metrics);

/* A request that is over. */
struct cp_observation {
    const struct cp_reply *reply;
    uint64_t duration_ns;    /* from the end of the request to its reply */
    uint64_t received_bytes; /* head and body */
    uint64_t sent_bytes;     /* body, as sent */
};

/* Called by one thread at a time for the same counters. */
void cp_metrics_begin_request(struct cp_metrics *metrics);
void cp_metrics_end_request(struct cp_metrics *metrics);
void cp_metrics_observe(struct cp_metrics *metrics, const struct cp_observation *observation);
void cp_metrics_turn_away(struct cp_metrics *metrics, bool for_its_address);
void cp_metrics_drop_log_lines(struct cp_metrics *metrics, uint64_t lines);

/* What is true of the server now. */
struct cp_gauges {
    int64_t connections, queue, memory_bytes;
};

/* Where to ask for that; NULL: there is no server. */
void cp_metrics_set_server(void (*read)(const void *server, struct cp_gauges *gauges), const void *of);

/* All of it in the text format of Prometheus, version 0.0.4. */
void cp_metrics_write(struct cp_writer *writer);

#endif
