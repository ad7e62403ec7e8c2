/* The configuration of the server: what `convplan serve` can be told, by flags or by environment variables. */
#ifndef CP_CONFIG_H
#define CP_CONFIG_H

#include "server/budgets.h"
#include "server/http/http.h"
#include "server/options.h"

/* Field by field what struct cp_http_options says, in the types that options have. */
struct cp_config {
    struct cp_budgets budgets;
    const char *host; /* "": every interface */
    int64_t port, workers;
    int64_t drain_seconds, idle_seconds, request_seconds;
    int64_t connection_limit, address_limit;
    int64_t header_bytes, request_memory_bytes, memory_bytes, keep_memory_bytes;
    int64_t gzip_bytes;
    int64_t access_log;                                                /* enum cp_access_log_level */
    const char *cors_origins, *token_file, *tls_certificate, *tls_key; /* "": none */
};

/* THE table of the configuration; it fills a struct cp_config. */
extern const struct cp_option_table cp_config_table;

/* Keeps config->host by reference. */
struct cp_http_options cp_config_http(const struct cp_config *config);

#endif
