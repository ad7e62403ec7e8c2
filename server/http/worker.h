/* Between the server's life cycle and its workers; no one else includes this. */
#ifndef CP_WORKER_H
#define CP_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/http/addresses.h"
#include "server/http/compute_pool.h"
#include "server/http/http.h"
#include "server/http/tokens.h"
#include "server/memory.h"

struct cp_worker;

/* What the workers of one server share. */
struct cp_http {
    struct cp_http_options options;
    int listener;                   /* closed by the last worker that accepts; -1 then */
    int ended;                      /* eventfd: readable when the last worker has ended */
    atomic_int accepting;           /* workers that still accept */
    atomic_int running;             /* workers whose loop has not ended */
    atomic_int connections;         /* open now */
    atomic_int unanswered;          /* requests cut off at the end */
    atomic_bool draining, stopping; /* stopping: at once */
    int trouble;                    /* eventfd: readable when a worker has failed */
    int signals;                    /* signalfd: of those that end or reload the server */
    atomic_int failure;             /* errno of the first that has; 0: none */
    struct cp_addresses *addresses; /* NULL: no limit for one address */
    struct cp_memory_budget memory; /* of all requests */
    struct cp_compute_pool *compute;
    struct cp_tokens *_Atomic tokens; /* NULL: everyone may ask */
    int port;
    int worker_count; /* whose threads run */
    struct cp_worker_thread {
        struct cp_worker *worker;
        pthread_t thread;
        atomic_int connections; /* this worker's */
        atomic_uint rounds;     /* of its loop */
        atomic_bool ended;      /* the loop has */
    } workers[];
};

/* NULL: no memory or descriptors. `http` outlives the worker; `own` is its place there. */
struct cp_worker *cp_worker_create(struct cp_http *http, struct cp_worker_thread *own);

/* Read the files that the options name; called again, exchange what was read for what is there now. False: error says
 * why, and what was read before stays. */
bool cp_http_read_files(struct cp_http *http, char *error, size_t error_size);

/* Are there any? */
bool cp_http_has_files(const struct cp_http *http);

/* The event loop; returns when the server has drained or is stopping, with every connection closed. */
void cp_worker_run(struct cp_worker *worker);

/* Make the loop look at the server's state; callable from any thread. */
void cp_worker_wake(struct cp_worker *worker);

/* After cp_worker_run has returned, or if it never was called. */
void cp_worker_free(struct cp_worker *worker);

#endif
