/* The HTTP server around the service: workers, each with its own event loop, that share one listening socket. */
#ifndef CP_HTTP_H
#define CP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cp_http_options {
    const char *host;  /* IPv4 or IPv6 address, or a name; NULL: every interface; kept by reference during start only */
    int port;          /* 0: any free one, see cp_http_port */
    int workers;       /* threads; 0: as many as processors that this process may use */
    int drain_seconds; /* how long begun requests may take after a drain begins */
    int connection_limit; /* open at once, all workers together; further ones are answered 503 and closed */
    int address_limit;    /* open at once for one client address; further ones are answered 429 and closed */
    int idle_seconds;     /* a connection without a request is closed after this, one that trickles headers too */
    int request_seconds;  /* a body or reply that makes no progress for this long ends in 408, or is cut off */
    size_t header_bytes;  /* of request line and headers together; past it 431 */
    size_t request_memory_bytes; /* of one request, body included; past it 503 */
    size_t memory_bytes;         /* of all requests; past it 503; 0: most of what the machine or container has */
    size_t keep_memory_bytes;    /* each worker keeps this much for further requests */
    size_t gzip_bytes;           /* replies of at least so many bytes are compressed on request; 0: none */
    int access_log;              /* enum cp_access_log_level */
    const char *cors_origins;    /* see server/http/origins.h; NULL or "": none; kept by reference */
    const char *token_file;      /* see server/http/tokens.h; NULL or "": everyone may ask; kept by reference */
    const char *tls_certificate, *tls_key; /* files; NULL or "": without TLS; kept by reference */
};

#define CP_HTTP_DEFAULTS                                                                                               \
    {                                                                                                                  \
        .host = NULL, .port = 8080, .workers = 0, .drain_seconds = 10, .connection_limit = 4096,                       \
        .address_limit = 2048, .idle_seconds = 60, .request_seconds = 30, .header_bytes = 8192,                        \
        .request_memory_bytes = (size_t)1 << 30, .keep_memory_bytes = (size_t)64 << 20, .gzip_bytes = 16384,           \
    }

/* Refused bodies are read and dropped up to this size, so that the client sees the answer and keeps its connection;
 * past it the answer goes out at once and the connection is closed. */
#define CP_HTTP_SWALLOW_BYTES ((uint64_t)64 << 20)

/* A body or a reply may take request_seconds and a second for each this many bytes: else a client that sends one byte
 * now and then holds its connection for days. */
#define CP_HTTP_LEAST_BYTES_PER_SECOND 8192

struct cp_http;

/* Listen and serve; returns when connections are accepted. NULL: error[error_size] says why in a sentence. One server
 * in a process at a time (its state is that of /readyz). */
struct cp_http *cp_http_start(const struct cp_http_options *options, char *error, size_t error_size);

int cp_http_port(const struct cp_http *http);

/* The connections that are let in: the option's, or as many as there may be descriptors. */
int cp_http_connection_limit(const struct cp_http *http);

/* Begin to drain, and return at once: /readyz turns 503, every reply ends its connection, connections already made are
 * accepted and new ones are not, idle ones are closed after a second. A second call changes nothing. */
void cp_http_drain(struct cp_http *http);

/* Wait until nothing is left to answer, or the deadline is over, after cp_http_drain. -1 waits as long as it takes.
 * True: all workers have ended. */
bool cp_http_wait(struct cp_http *http, int timeout_ms);

/* Requests that had begun and were cut off; known once the workers have ended. */
int cp_http_unanswered(const struct cp_http *http);

/* Why a worker ended before its time, as a sentence; NULL: none did. */
const char *cp_http_failure(const struct cp_http *http);

/* Stop whatever runs (at once, unless it has drained), and free all. NULL is allowed. */
void cp_http_free(struct cp_http *http);

/* Block SIGTERM, SIGINT and SIGHUP in this thread and those it starts, and ignore SIGPIPE: call before cp_http_start. */
void cp_http_block_signals(void);

/* Serve until SIGTERM or SIGINT, or until a worker fails; then drain. SIGHUP: read tokens, certificate and key again, and
 * say so, or why the old ones stay; where there are none, it is one more signal to end. A second signal ends the drain at once. Returns the
 * number of requests that were cut off. The server is still to be freed. */
int cp_http_run_until_signal(struct cp_http *http, void (*say)(const char *sentence));

#endif
