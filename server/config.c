#include "server/config.h"

#define KIB ((int64_t)1 << 10)
#define MIB ((int64_t)1 << 20)
#define TIB ((int64_t)1 << 40)
#define DAY_SECONDS 86400
#define BILLION INT64_C(1000000000)

static const char *const access_log_words[] = {"off", "errors", "all", NULL};

#define AT(member) .offset = offsetof(struct cp_config, member)

static const struct cp_option options[] = {
    {"--host", "CONVPLAN_HOST", "127.0.0.1", .kind = CP_OPTION_TEXT, .unit = "ADDRESS",
     .help = "address or name to listen on; 0.0.0.0 or :: for every interface", AT(host)},
    {"--port", "CONVPLAN_PORT", "8080", .kind = CP_OPTION_INTEGER, .least = 0, .most = 65535, .unit = "PORT",
     .help = "port to listen on; 0: any free one, which is then printed", AT(port)},
    {"--workers", "CONVPLAN_WORKERS", "0", .kind = CP_OPTION_INTEGER, .least = 0, .most = 256, .unit = "THREADS",
     .help = "threads that answer; 0: one for each processor", AT(workers)},
    {"--drain-seconds", "CONVPLAN_DRAIN_SECONDS", "10", .kind = CP_OPTION_INTEGER, .least = 0, .most = DAY_SECONDS,
     .unit = "SECONDS", .help = "time that requests already begun have after SIGTERM or SIGINT", AT(drain_seconds)},
    {"--connection-limit", "CONVPLAN_CONNECTION_LIMIT", "4096", .kind = CP_OPTION_INTEGER, .least = 1, .most = 1000000,
     .unit = "COUNT", .help = "connections open at once; further ones are answered 503", AT(connection_limit)},
    {"--address-limit", "CONVPLAN_ADDRESS_LIMIT", "2048", .kind = CP_OPTION_INTEGER, .least = 1, .most = 1000000,
     .unit = "COUNT", .help = "connections open at once from one client address; further ones are answered 429",
     AT(address_limit)},
    {"--idle-seconds", "CONVPLAN_IDLE_SECONDS", "60", .kind = CP_OPTION_INTEGER, .least = 1, .most = DAY_SECONDS,
     .unit = "SECONDS", .help = "time after which a connection without a whole request is closed", AT(idle_seconds)},
    {"--request-seconds", "CONVPLAN_REQUEST_SECONDS", "30", .kind = CP_OPTION_INTEGER, .least = 1, .most = DAY_SECONDS,
     .unit = "SECONDS", .help = "time that a body or a reply may stand still", AT(request_seconds)},
    {"--header-bytes", "CONVPLAN_HEADER_BYTES", "8KiB", .kind = CP_OPTION_BYTES, .least = KIB, .most = MIB,
     .unit = "BYTES",
     .help = "largest request line and headers together; past it, or where there are very many of them, 431",
     AT(header_bytes)},
    {"--request-memory", "CONVPLAN_REQUEST_MEMORY", "1GiB", .kind = CP_OPTION_BYTES, .least = MIB, .most = TIB,
     .unit = "BYTES", .help = "memory of one request, its body included; past it 503", AT(request_memory_bytes)},
    {"--memory", "CONVPLAN_MEMORY", "0", .kind = CP_OPTION_BYTES, .least = 0, .most = TIB, .unit = "BYTES",
     .help = "memory of all requests; past it 503; 0: three quarters of the machine's or container's",
     AT(memory_bytes)},
    {"--keep-memory", "CONVPLAN_KEEP_MEMORY", "64MiB", .kind = CP_OPTION_BYTES, .least = 0, .most = TIB,
     .unit = "BYTES", .help = "memory that each worker keeps between requests", AT(keep_memory_bytes)},
    {"--body-bytes", "CONVPLAN_BODY_BYTES", "8MiB", .kind = CP_OPTION_BYTES, .least = KIB, .most = TIB, .unit = "BYTES",
     .help = "largest body of a request; past it 413", AT(budgets.body_bytes)},
    {"--layers", "CONVPLAN_LAYERS", "100000", .kind = CP_OPTION_INTEGER, .least = 1, .most = 10000000, .unit = "COUNT",
     .help = "most layers in a request; past it 422", AT(budgets.layers)},
    {"--symbols", "CONVPLAN_SYMBOLS", "2", .kind = CP_OPTION_INTEGER, .least = 1, .most = CP_MAX_SYMBOLS,
     .unit = "COUNT", .help = "most free sizes in a question to /v1/sizes; past it 422", AT(budgets.symbols)},
    {"--size-steps", "CONVPLAN_SIZE_STEPS", "30000000", .kind = CP_OPTION_INTEGER, .least = 1000, .most = BILLION,
     .unit = "COUNT", .help = "most sizes that /v1/sizes tries, times steps of the network; past it 422",
     AT(budgets.size_steps)},
    {"--solve-combinations", "CONVPLAN_SOLVE_COMBINATIONS", "250000", .kind = CP_OPTION_INTEGER, .least = 1000,
     .most = BILLION, .unit = "COUNT", .help = "most combinations that /v1/solve tries on an axis; past it 422",
     AT(budgets.solve_combinations)},
    {"--multiplications", "CONVPLAN_MULTIPLICATIONS", "4000000000", .kind = CP_OPTION_INTEGER, .least = 1000,
     .most = 1000 * BILLION, .unit = "COUNT", .help = "most multiplications of a /v1/convolve; past it 422",
     AT(budgets.multiplications)},
    {"--compute-seconds", "CONVPLAN_COMPUTE_SECONDS", "10", .kind = CP_OPTION_INTEGER, .least = 1, .most = DAY_SECONDS,
     .unit = "SECONDS", .help = "time that computing one reply may take; past it 503", AT(budgets.seconds)},
    {"--gzip-bytes", "CONVPLAN_GZIP_BYTES", "16KiB", .kind = CP_OPTION_BYTES, .least = 0, .most = TIB, .unit = "BYTES",
     .help = "size from which replies are compressed for clients that ask for it; 0: never", AT(gzip_bytes)},
    {"--access-log", "CONVPLAN_ACCESS_LOG", "errors", .kind = CP_OPTION_WORD, .words = access_log_words, .unit = "WHAT",
     .help = "requests logged on standard error, one line of JSON each", AT(access_log)},
    {"--token-file", "CONVPLAN_TOKEN_FILE", "", .kind = CP_OPTION_TEXT, .unit = "FILE",
     .help = "bearer tokens, one a line, of which requests must carry one; read again on SIGHUP", AT(token_file)},
    {"--tls-cert", "CONVPLAN_TLS_CERT", "", .kind = CP_OPTION_TEXT, .unit = "FILE",
     .help = "certificate in PEM, with those that signed it: serve HTTPS; read again on SIGHUP", AT(tls_certificate)},
    {"--tls-key", "CONVPLAN_TLS_KEY", "", .kind = CP_OPTION_TEXT, .unit = "FILE",
     .help = "its private key in PEM; read again on SIGHUP", AT(tls_key)},
    {"--cors-origin", "CONVPLAN_CORS_ORIGIN", "", .kind = CP_OPTION_TEXT, .unit = "ORIGINS",
     .help = "origins, separated by commas, whose pages may read replies; * for all", AT(cors_origins)},
};

const struct cp_option_table cp_config_table = {
    .command = "convplan serve",
    .help = "Serve over HTTP until SIGTERM or SIGINT, then answer what has begun and exit with status 0.\n"
            "A second signal ends at once. What hinders it from starting gives status 2.",
    .options = options,
    .count = sizeof options / sizeof *options,
};

struct cp_http_options cp_config_http(const struct cp_config *config)
{
    return (struct cp_http_options){
        .host = config->host,
        .port = (int)config->port,
        .workers = (int)config->workers,
        .drain_seconds = (int)config->drain_seconds,
        .connection_limit = (int)config->connection_limit,
        .address_limit = (int)config->address_limit,
        .memory_bytes = (size_t)config->memory_bytes,
        .idle_seconds = (int)config->idle_seconds,
        .request_seconds = (int)config->request_seconds,
        .header_bytes = (size_t)config->header_bytes,
        .request_memory_bytes = (size_t)config->request_memory_bytes,
        .keep_memory_bytes = (size_t)config->keep_memory_bytes,
        .gzip_bytes = (size_t)config->gzip_bytes,
        .access_log = (int)config->access_log,
        .cors_origins = config->cors_origins,
        .token_file = config->token_file,
        .tls_certificate = config->tls_certificate,
        .tls_key = config->tls_key,
    };
}
