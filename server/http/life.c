/* The server's life: start, drain, end. */
#define _GNU_SOURCE /* strerrordesc_np, sched_getaffinity */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "core/limits.h"
#include "server/http/addresses.h"
#include "server/http/credentials.h"
#include "server/http/listener.h"
#include "server/http/origins.h"
#include "server/http/worker.h"
#include "server/metrics.h"
#include "server/state.h"

/* Descriptors beside the connections: listener, standard streams, files; and of each worker: events, epolls. */
#define OTHER_DESCRIPTORS 32
#define WORKER_DESCRIPTORS 8

/* Those that this process may run on, which may be fewer than there are. */
static int usable_processors(void)
{
    cpu_set_t processors;
    if (sched_getaffinity(0, sizeof processors, &processors) == 0) return CPU_COUNT(&processors);
    long count = sysconf(_SC_NPROCESSORS_ONLN); /* more than the set holds */
    return count < 1 ? 1 : (int)count;
}

/* Allow descriptors for all connections, or lower their limit to those that may be had. False: there are too few. */
static bool allow_descriptors(struct cp_http_options *options)
{
    struct rlimit limit;
    rlim_t others = OTHER_DESCRIPTORS + WORKER_DESCRIPTORS * (rlim_t)options->workers;
    rlim_t wanted = (rlim_t)options->connection_limit + others;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return true;
    bool enough = wanted <= limit.rlim_max;
    limit.rlim_cur = enough ? wanted : limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && enough) return true;
    errno = EMFILE;
    if (limit.rlim_cur <= others) return false;
    options->connection_limit = (int)(limit.rlim_cur - others);
    return true;
}

/* The least of what a container may have and what the machine has, in bytes. */
static size_t available_memory(void)
{
    size_t available = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE), limit = 0;
    char line[64]; /* a number, or "max" */
    FILE *file = fopen("/sys/fs/cgroup/memory.max", "re");
    if (!file) return available;
    if (fgets(line, sizeof line, file)) limit = strtoull(line, NULL, 10);
    fclose(file);
    return limit && limit < available ? limit : available;
}

static bool set_limits(struct cp_http *http)
{
    struct cp_http_options *options = &http->options;
    size_t memory_bytes = options->memory_bytes;
    http->memory.limit_bytes = memory_bytes ? memory_bytes : available_memory() / 4 * 3;
    if (!allow_descriptors(options)) return false;
    if (options->address_limit >= options->connection_limit) return true;
    http->addresses = cp_addresses_create(options->connection_limit, options->address_limit);
    return http->addresses;
}

static void *thread_main(void *worker)
{
    cp_worker_run(worker);
    return NULL;
}

/* With all signals blocked in it: they are for the thread that started the server. */
static bool start_worker(struct cp_http *http)
{
    struct cp_worker_thread *slot = &http->workers[http->worker_count];
    slot->worker = cp_worker_create(http, slot);
    if (!slot->worker) return false;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&slot->thread, NULL, thread_main, slot->worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code != 0) {
        cp_worker_free(slot->worker);
        errno = code;
        return false;
    }
    http->worker_count++;
    return true;
}

static bool start_workers(struct cp_http *http)
{
    atomic_store(&http->accepting, http->options.workers);
    atomic_store(&http->running, http->options.workers);
    while (http->worker_count < http->options.workers) {
        if (!start_worker(http)) return false;
    }
    return true;
}

static void read_gauges(const void *server, struct cp_gauges *gauges)
{
    const struct cp_http *http = server;
    gauges->connections = atomic_load(&http->connections);
    gauges->queue = cp_compute_pool_waiting(http->compute);
    gauges->memory_bytes = (int64_t)atomic_load(&http->memory.held_bytes);
}

static void awaited_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGHUP);
}

static int open_signals(void)
{
    sigset_t signals;
    awaited_signals(&signals);
    return signalfd(-1, &signals, SFD_CLOEXEC);
}

struct cp_http *cp_http_start(const struct cp_http_options *options, char *error, size_t error_size)
{
    int workers = options->workers > 0 ? options->workers : usable_processors();
    struct cp_http *http = calloc(1, sizeof *http + (size_t)workers * sizeof *http->workers);
    int listener = http ? cp_listener_open(options->host, options->port, error, error_size) : -1;
    if (listener < 0) {
        if (!http) snprintf(error, error_size, "cannot start: out of memory");
        free(http);
        return NULL;
    }
    http->options = *options;
    http->options.workers = workers;
    http->listener = listener;
    http->port = cp_listener_port(listener);
    http->ended = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    http->trouble = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    http->signals = open_signals();
    bool origins = !options->cors_origins || cp_origins_check(options->cors_origins, error, error_size);
    if (!origins || !cp_http_read_files(http, error, error_size)) {
        cp_http_free(http);
        return NULL;
    }
    atomic_store(&cp_draining, false);
    atomic_store(&cp_stopping, false);
    bool limited = set_limits(http);
    http->compute = limited ? cp_compute_pool_start(workers, CP_MAX_WAITING) : NULL;
    if (http->ended < 0 || http->trouble < 0 || http->signals < 0 || !http->compute || !start_workers(http)) {
        snprintf(error, error_size, "cannot start %d workers: %s", workers, strerrordesc_np(errno));
        cp_http_free(http);
        return NULL;
    }
    cp_metrics_set_server(read_gauges, http);
    return http;
}

int cp_http_port(const struct cp_http *http)
{
    return http->port;
}

int cp_http_connection_limit(const struct cp_http *http)
{
    return http->options.connection_limit;
}

const char *cp_http_failure(const struct cp_http *http)
{
    int code = atomic_load(&http->failure);
    return code ? strerrordesc_np(code) : NULL;
}

static void wake_all(struct cp_http *http)
{
    for (int i = 0; i < http->worker_count; i++) cp_worker_wake(http->workers[i].worker);
}

void cp_http_drain(struct cp_http *http)
{
    atomic_store(&cp_draining, true);
    /* No worker closes the listener before it has seen what is stored next, so it is still open here. */
    if (!atomic_load(&http->draining)) cp_listener_drop_new(http->listener);
    atomic_store(&http->draining, true);
    wake_all(http);
}

bool cp_http_wait(struct cp_http *http, int timeout_ms)
{
    struct pollfd ended = {.fd = http->ended, .events = POLLIN};
    int ready;
    do ready = poll(&ended, 1, timeout_ms);
    while (ready < 0 && errno == EINTR && timeout_ms < 0);
    return ready > 0;
}

int cp_http_unanswered(const struct cp_http *http)
{
    return atomic_load(&http->unanswered);
}

void cp_http_free(struct cp_http *http)
{
    if (!http) return;
    cp_metrics_set_server(NULL, NULL);
    atomic_store(&http->stopping, true);
    wake_all(http);
    for (int i = 0; i < http->worker_count; i++) {
        pthread_join(http->workers[i].thread, NULL);
        cp_worker_free(http->workers[i].worker);
    }
    cp_compute_pool_stop(http->compute);
    cp_tokens_free(atomic_load(&http->tokens));
    cp_credentials_forget();
    if (http->listener >= 0) close(http->listener);
    cp_addresses_free(http->addresses);
    if (http->ended >= 0) close(http->ended);
    if (http->trouble >= 0) close(http->trouble);
    if (http->signals >= 0) close(http->signals);
    free(http);
}

void cp_http_block_signals(void)
{
    sigset_t signals;
    awaited_signals(&signals);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* Until a signal, which is returned, or another event, 0: the end of all workers, or one's failure. */
static int wait_for_signal(int signals, int other)
{
    struct pollfd ready[] = {{.fd = signals, .events = POLLIN}, {.fd = other, .events = POLLIN}};
    while (poll(ready, 2, -1) < 0) {
        if (errno != EINTR) return SIGTERM;
    }
    struct signalfd_siginfo taken;
    bool signalled = ready[0].revents && read(signals, &taken, sizeof taken) == sizeof taken;
    return signalled ? (int)taken.ssi_signo : 0;
}

static void reload(struct cp_http *http, void (*say)(const char *sentence))
{
    char error[512], sentence[600];
    bool right = cp_http_read_files(http, error, sizeof error);
    snprintf(sentence, sizeof sentence, "what was read before stays: %s", error);
    say(right ? "tokens, certificate and key are read again" : sentence);
}

int cp_http_run_until_signal(struct cp_http *http, void (*say)(const char *sentence))
{
    while (wait_for_signal(http->signals, http->trouble) == SIGHUP && cp_http_has_files(http)) reload(http, say);
    cp_http_drain(http);
    if (wait_for_signal(http->signals, http->ended)) {
        atomic_store(&http->stopping, true);
        wake_all(http);
        cp_http_wait(http, -1);
    }
    return cp_http_unanswered(http);
}
