/* What the connections of a worker have in common. */
#ifndef CP_SITE_H
#define CP_SITE_H

#include <stdatomic.h>
#include <stdint.h>

#include "server/http/access_log.h"
#include "server/http/http.h"
#include "server/http/tokens.h"
#include "server/metrics.h"

/* A request id: what the client gave it, or 16 digits. */
#define CP_MAX_ID_BYTES 64

/* One for each worker, used by its thread alone. */
struct cp_site {
    const struct cp_http_options *options;
    struct cp_tokens *_Atomic const *tokens; /* the list that holds now; NULL in it: everyone may ask */
    struct cp_metrics *metrics;
    struct cp_access_log log;
    int64_t now_ms;   /* of cp_now_ns, when the worker last woke up */
    uint64_t next_id; /* counts on from a random number */
    bool tls;
};

#endif
