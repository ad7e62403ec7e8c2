/* The files that are read at the start, and again on SIGHUP: tokens, certificate and key. */
#include <poll.h>
#include <stdio.h>

#include "server/http/credentials.h"
#include "server/http/worker.h"

static bool is_named(const char *path)
{
    return path && *path;
}

bool cp_http_has_files(const struct cp_http *http)
{
    return is_named(http->options.token_file) || is_named(http->options.tls_certificate);
}

/* Wait until each worker has begun another round of its loop: what it looked at before, it has let go of. */
static void let_go(struct cp_http *http)
{
    enum { LOOK_AGAIN_MS = 1 };
    for (int i = 0; i < http->worker_count; i++) {
        struct cp_worker_thread *worker = &http->workers[i];
        unsigned before = atomic_load(&worker->rounds);
        cp_worker_wake(worker->worker);
        while (atomic_load(&worker->rounds) == before && !atomic_load(&worker->ended))
            (void)!poll(NULL, 0, LOOK_AGAIN_MS);
    }
}

static bool read_tokens(struct cp_http *http, char *error, size_t error_size)
{
    struct cp_tokens *tokens = cp_tokens_read(http->options.token_file, error, error_size);
    if (!tokens) return false;
    struct cp_tokens *before = atomic_exchange(&http->tokens, tokens);
    if (before) let_go(http);
    cp_tokens_free(before);
    return true;
}

bool cp_http_read_files(struct cp_http *http, char *error, size_t error_size)
{
    const struct cp_http_options *options = &http->options;
    bool certificate = is_named(options->tls_certificate), key = is_named(options->tls_key);
    if (certificate != key) {
        snprintf(error, error_size, "--tls-cert and --tls-key need each other; %s is missing",
                 key ? "--tls-cert" : "--tls-key");
        return false;
    }
    if (key && !cp_credentials_read(options->tls_certificate, options->tls_key, error, error_size)) return false;
    return !is_named(options->token_file) || read_tokens(http, error, error_size);
}
