/* One worker: its event loop and its connections. The only file that knows libmicrohttpd.
 *
 * Each worker runs a daemon of its own from a loop of its own: libmicrohttpd's internal epoll thread stalls when the
 * ready events are an exact multiple of its buffer. The workers accept from one shared socket and hand connections to
 * their daemon, so that the listener's end, the limit on connections and their fair spread are decided here. */
#define _GNU_SOURCE 1 /* RTLD_NEXT */

#include <arpa/inet.h>
#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/endpoints/endpoints.h"
#include "server/http/acceptor.h"
#include "server/http/connection.h"
#include "server/http/credentials.h"
#include "server/http/reply_head.h"
#include "server/http/rounds.h"
#include "server/http/worker.h"
#include "server/memory.h"
#include "server/seed.h"
#include "server/service.h"
#include "server/state.h"

/* Between two looks at the connections' deadlines, and at a drain's progress. */
#define SWEEP_MS 1000
#define DRAIN_SWEEP_MS 10

/* How much later than our own deadlines libmicrohttpd's timeout strikes: it closes without an answer, and is there for
 * replies that make no progress, which only it can see. */
#define LIBRARY_TIMEOUT_SECONDS(options) ((unsigned)((options)->request_seconds + (options)->idle_seconds) + 5)

/* After new handshakes are dropped, those under way still need their last segment: a long round trip. */
#define HANDSHAKE_MS 200

/* How long a drain leaves idle connections open, so that most learn of it from the reply to their next request and not
 * from a reset. */
#define IDLE_DRAIN_MS 1000

/* libmicrohttpd's memory of one connection. Half of it is the buffer that the head and then the body are read through,
 * which what came behind the request keeps; beside it, or beside the head where that is longer, lie an entry for each header,
 * argument and cookie, the cookies' text again, and the reply's head. Half must be well over header_bytes: else a long head
 * leaves a few bytes for the body to come through, and the answer to one too long is not ours. */
#define ENTRY_BYTES 64
#define REPLY_HEAD_BYTES 2048
#define CONNECTION_MEMORY_BYTES(header_bytes) (2 * (size_t)(header_bytes) + REPLY_HEAD_BYTES)

static_assert(CONNECTION_MEMORY_BYTES(8192) / 2 >= 8192 + 1024, "the longest head leaves 1 KiB for the body");

/* Rounds without a look at the listener and at `wake`, while libmicrohttpd has something to do. */
#define MOST_ROUNDS_ON 2

struct cp_worker {
    struct cp_http *http;
    struct cp_worker_thread *own;
    struct MHD_Daemon *daemon;
    int epoll; /* over the daemon's own, the listener and `wake` */
    int wake;
    struct cp_acceptor acceptor;
    int64_t swept_ms;
    int64_t drain_began_ms; /* as this worker saw it; below 0: it has not */
    struct cp_memory_pool *pool;
    struct cp_site site;
    struct cp_connection *connections;
    atomic_int computing; /* connections that are suspended */
    struct cp_rounds rounds;
    int rounds_on; /* since the last look at the events */
};

enum event_source { EVENT_DAEMON, EVENT_WAKE, EVENT_LISTENER };

static int64_t clock_ms(void)
{
    return (int64_t)(cp_now_ns() / 1000000);
}

static bool is_draining(const struct cp_http *http)
{
    return atomic_load_explicit(&http->draining, memory_order_relaxed);
}

/* ---- Requests and replies --------------------------------------------------------------------------------------- */

typedef enum MHD_Result queue_function(struct MHD_Connection *peer, unsigned status, struct MHD_Response *response);

/* libmicrohttpd's own: the name is taken below. */
static queue_function *queue;

static __attribute__((constructor)) void find_queue(void)
{
    queue = (queue_function *)(intptr_t)dlsym(RTLD_NEXT, "MHD_queue_response");
}

static enum MHD_Result queue_reply(struct cp_connection *connection, struct MHD_Connection *peer, bool close)
{
    const struct cp_reply *reply = &connection->reply;
    struct cp_reply_head head;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(reply->body.size, (void *)(size_t)reply->body.bytes, MHD_RESPMEM_PERSISTENT);
    if (!response) return MHD_NO;
    cp_connection_send(connection, close, &head);
    for (int i = 0; i < head.count; i++) {
        MHD_add_response_header(response, head.headers[i].name, head.headers[i].value);
    }
    enum MHD_Result queued = queue(peer, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return queued;
}

static void refuse_past_library(struct cp_connection *connection, unsigned status)
{
    cp_connection_fail(connection, (int)status);
    cp_connection_send_raw(connection);
}

static struct cp_connection *connection_of(struct MHD_Connection *peer)
{
    return MHD_get_connection_info(peer, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

/* libmicrohttpd answers what it cannot read with pages of its own, which no option replaces. But it queues them through
 * this function, of which the dynamic linker finds the program's first: so its refusals become ours, with the status that
 * it chose. Where a linker binds the library's calls to itself, its pages go out as they are. */
enum MHD_Result MHD_queue_response(struct MHD_Connection *peer, unsigned status, struct MHD_Response *page)
{
    struct cp_connection *connection = connection_of(peer);
    if (!connection) return queue(peer, status, page);
    if (connection->phase == CP_PHASE_HEAD) {
        /* It sends the head of its reply to a malformed Content-Length twice, and for a query that fills its memory it goes
         * on as if nothing were: with its own page, not with a refusal, which would free what it still uses. The page goes
         * nowhere, as the connection has ended. */
        refuse_past_library(connection, status);
        return queue(peer, status, page);
    }
    cp_connection_fail(connection, (int)status);
    return queue_reply(connection, peer, true);
}

/* The request line is here, its target not decoded yet. The return value is *context of on_request. */
static void *on_request_line(void *unused, const char *target, struct MHD_Connection *peer)
{
    (void)unused;
    struct cp_connection *connection = connection_of(peer);
    if (!connection || connection->phase == CP_PHASE_ABANDONED) return NULL;
    return cp_connection_begin(connection, target) ? connection : NULL;
}

/* What libmicrohttpd has found in a head. */
struct found {
    struct cp_request_head *head;
    int headers;
    size_t bytes; /* of its memory */
};

static enum MHD_Result note(void *noted, enum MHD_ValueKind kind, const char *name, size_t name_size, const char *value,
                            size_t value_size)
{
    struct found *found = noted;
    found->bytes += ENTRY_BYTES;
    if (kind == MHD_COOKIE_KIND) found->bytes += name_size + value_size + sizeof "=; ";
    if (kind != MHD_HEADER_KIND) return MHD_YES;
    found->headers++;
    cp_request_head_note(found->head, (struct cp_text){name, name_size}, (struct cp_text){value, value_size});
    return MHD_YES;
}

/* The answer at once, or MHD_YES where the request goes on. */
static enum MHD_Result take_head(struct cp_connection *connection, struct MHD_Connection *peer, const char *method,
                                 const char *version)
{
    struct found found = {.head = &connection->head};
    MHD_get_connection_values_n(peer, MHD_HEADER_KIND | MHD_COOKIE_KIND | MHD_GET_ARGUMENT_KIND, note, &found);
    size_t head_bytes = MHD_get_connection_info(peer, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size;
    size_t memory = CONNECTION_MEMORY_BYTES(connection->options->header_bytes);
    size_t taken = found.bytes + (head_bytes > memory / 2 ? head_bytes : memory / 2);
    /* Where the reply's head does not fit, libmicrohttpd closes without a word. */
    bool full = taken + REPLY_HEAD_BYTES > memory;
    if (full) {
        refuse_past_library(connection, MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE);
        return MHD_NO;
    }
    connection->head.bad_bytes =
        !cp_request_head_is_plain(method, head_bytes, version, connection->target.size, found.headers);
    bool old_version = strcmp(version, "HTTP/1.0") == 0;
    bool at_once = cp_connection_take_head(connection, head_bytes, method, old_version);
    return at_once ? queue_reply(connection, peer, true) : MHD_YES;
}

/* ---- Replies that take long ------------------------------------------------------------------------------------- */

/* A connection as its worker keeps it. */
struct slot {
    struct cp_connection connection; /* first: the one is the other */
    struct cp_compute_job job;
    struct cp_worker *worker;
    struct MHD_Connection *peer;
};

/* In a thread of the pool. Once it is resumed, the slot is the worker's again. */
static void compute(struct cp_compute_job *job)
{
    struct slot *slot = (struct slot *)(void *)((char *)job - offsetof(struct slot, job));
    struct cp_worker *worker = slot->worker;
    slot->connection.request.begun_ns = 0; /* it has waited */
    if (atomic_load(&cp_stopping))
        cp_service_refuse(503, "The server shuts down.", &slot->connection.reply, &slot->connection.memory.arena);
    else
        cp_connection_compute(&slot->connection);
    MHD_resume_connection(slot->peer);
    cp_worker_wake(worker); /* libmicrohttpd's own signal does not reach the loop */
    atomic_fetch_sub(&worker->computing, 1);
}

/* libmicrohttpd leaves the connection alone until it is resumed, and then asks for its reply. */
static void hand_over(struct cp_worker *worker, struct cp_connection *connection, struct MHD_Connection *peer)
{
    struct slot *slot = (struct slot *)(void *)connection;
    slot->worker = worker;
    slot->peer = peer;
    slot->job.run = compute;
    MHD_suspend_connection(peer);
    atomic_fetch_add(&worker->computing, 1);
    if (cp_compute_pool_submit(worker->http->compute, &slot->job)) return;
    connection->request.begun_ns = 0;
    atomic_fetch_sub(&worker->computing, 1);
    cp_service_refuse(503, "Too many long requests are waiting.", &connection->reply, &connection->memory.arena);
    MHD_resume_connection(peer);
    cp_worker_wake(worker);
}

/* No time is left: what computes gives up soon. */
static void end_computing(struct cp_worker *worker)
{
    enum { LOOK_AGAIN_MS = 1 };
    if (atomic_load(&worker->computing) > 0) atomic_store(&cp_stopping, true);
    while (atomic_load(&worker->computing) > 0) (void)!poll(NULL, 0, LOOK_AGAIN_MS);
}

/* ---- Requests ----------------------------------------------------------------------------------------------------- */

/* True: libmicrohttpd asks again, at the latest in the loop's next round, which begins at once. */
static bool put_off(struct cp_worker *worker, struct cp_connection *connection)
{
    bool is_new = connection->phase == CP_PHASE_BODY;
    if (!is_new && connection->phase != CP_PHASE_COMPLETE) return false;
    connection->phase = CP_PHASE_COMPLETE;
    return cp_rounds_put_off(&worker->rounds, connection, is_new);
}

/* Called for the head, for each part of the body, and at the end until there is a reply. One that is queued in the first of
 * these calls ends the connection. */
static enum MHD_Result on_request(void *own, struct MHD_Connection *peer, const char *url, const char *method,
                                  const char *version, const char *bytes, size_t *size, void **context)
{
    (void)url;
    struct cp_worker *worker = own;
    struct cp_connection *connection = *context;
    if (!connection || connection->phase == CP_PHASE_ABANDONED) return MHD_NO;
    if (connection->phase == CP_PHASE_HEAD) return take_head(connection, peer, method, version);
    if (*size) {
        size_t taken = *size;
        *size = 0;
        return cp_connection_take_body(connection, bytes, taken) ? MHD_YES : MHD_NO;
    }
    if (put_off(worker, connection)) return MHD_YES;
    if (connection->phase != CP_PHASE_COMPUTING && !cp_connection_answer(connection)) {
        hand_over(worker, connection, peer);
        return MHD_YES;
    }
    return queue_reply(connection, peer, is_draining(worker->http));
}

static void on_completed(void *unused, struct MHD_Connection *peer, void **context, enum MHD_RequestTerminationCode why)
{
    (void)unused, (void)peer, (void)why;
    if (*context) cp_connection_end(*context);
    *context = NULL;
}

/* ---- Connections ------------------------------------------------------------------------------------------------ */

static const struct sockaddr *address_of(struct MHD_Connection *peer)
{
    return MHD_get_connection_info(peer, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
}

/* IPv4 as such also where it comes through an IPv6 socket. */
static void address_in_words(char words[INET6_ADDRSTRLEN], const struct sockaddr *address)
{
    const struct in6_addr *wide = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    *words = 0;
    if (address->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr, words, INET6_ADDRSTRLEN);
    else if (address->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(wide))
        inet_ntop(AF_INET, &wide->s6_addr[12], words, INET6_ADDRSTRLEN);
    else if (address->sa_family == AF_INET6)
        inet_ntop(AF_INET6, wide, words, INET6_ADDRSTRLEN);
}

static void open_connection(struct cp_worker *worker, struct MHD_Connection *peer, void **context)
{
    struct slot *slot = calloc(1, sizeof *slot);
    struct cp_connection *connection = slot ? &slot->connection : NULL;
    *context = connection;
    /* Each request on it is then refused by closing it. */
    /* cppcheck-suppress memleak; the slot is kept as its connection */
    if (!connection) return;
    connection->options = &worker->http->options;
    connection->site = &worker->site;
    connection->socket = MHD_get_connection_info(peer, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    if (worker->site.tls)
        connection->session = MHD_get_connection_info(peer, MHD_CONNECTION_INFO_GNUTLS_SESSION)->tls_session;
    connection->since_ms = worker->site.now_ms;
    address_in_words(connection->client, address_of(peer));
    cp_memory_open(&connection->memory, worker->pool, connection->options->request_memory_bytes, cp_service_exhausted);
    connection->next = worker->connections;
    connection->back = &worker->connections;
    if (connection->next) connection->next->back = &connection->next;
    worker->connections = connection;
    /* cppcheck-suppress memleak; the slot is kept as its connection, and freed with it */
}

static void close_connection(struct cp_connection *connection)
{
    if (connection->next) connection->next->back = connection->back;
    *connection->back = connection->next;
    cp_connection_end(connection); /* where libmicrohttpd did not say so */
    cp_memory_reset(&connection->memory);
    free(connection);
}

static void on_connection(void *worker, struct MHD_Connection *peer, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        open_connection(worker, peer, context);
        return;
    }
    cp_acceptor_leave(&((struct cp_worker *)worker)->acceptor, address_of(peer));
    if (*context) close_connection(*context);
}

static void sweep(struct cp_worker *worker, int64_t now)
{
    for (struct cp_connection *at = worker->connections; at; at = at->next) cp_connection_look_at_deadline(at, now);
}

/* libmicrohttpd closes the socket where it does not take it. */
static bool adopt(void *worker, int socket, const struct sockaddr *address, socklen_t size)
{
    return MHD_add_connection(((struct cp_worker *)worker)->daemon, socket, address, size) == MHD_YES;
}

/* ---- The loop --------------------------------------------------------------------------------------------------- */

/* One step of a drain. True: nothing is left to do, or no time for it. */
static bool drain_step(struct cp_worker *worker, int64_t now)
{
    if (worker->drain_began_ms < 0) worker->drain_began_ms = now;
    int64_t elapsed = now - worker->drain_began_ms;
    if (elapsed >= HANDSHAKE_MS) cp_acceptor_end(&worker->acceptor);
    if (elapsed >= IDLE_DRAIN_MS) {
        for (struct cp_connection *at = worker->connections; at; at = at->next) cp_connection_cut_idle(at, now);
    }
    bool finished = !worker->acceptor.open && !worker->connections;
    return finished || elapsed > (int64_t)worker->http->options.drain_seconds * 1000;
}

static int wait_ms(struct cp_worker *worker)
{
    MHD_UNSIGNED_LONG_LONG due;
    int most = cp_acceptor_wait_ms(&worker->acceptor, is_draining(worker->http) ? DRAIN_SWEEP_MS : SWEEP_MS);
    return MHD_get_timeout(worker->daemon, &due) == MHD_YES && due < (unsigned)most ? (int)due : most;
}

static void flush_log(struct cp_worker *worker)
{
    struct cp_access_log *log = &worker->site.log;
    cp_access_log_flush(log);
    cp_metrics_drop_log_lines(worker->site.metrics, log->dropped);
    log->dropped = 0;
}

/* False: there is an error, in errno. */
static bool wait_for_events(struct cp_worker *worker)
{
    struct epoll_event events[4];
    bool waiting = false;
    int wait = wait_ms(worker);
    if (wait == 0 && worker->rounds_on++ < MOST_ROUNDS_ON) {
        worker->site.now_ms = clock_ms();
        return true;
    }
    worker->rounds_on = 0;
    if (worker->site.log.size || worker->site.log.dropped) flush_log(worker);
    int count = epoll_wait(worker->epoll, events, 4, wait);
    if (count < 0 && errno != EINTR) return false;
    for (int i = 0; i < count; i++) {
        uint64_t ignored;
        if (events[i].data.u32 == EVENT_LISTENER) waiting = true;
        if (events[i].data.u32 == EVENT_WAKE && read(worker->wake, &ignored, sizeof ignored) < 0) continue;
    }
    worker->site.now_ms = clock_ms();
    cp_acceptor_look(&worker->acceptor, waiting);
    return true;
}

/* libmicrohttpd does not tell when its own epoll fails, and would answer no one from then on. One that is gone has left
 * ours too. */
static bool has_daemon(const struct cp_worker *worker)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = EVENT_DAEMON};
    int descriptor = MHD_get_daemon_info(worker->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    if (epoll_ctl(worker->epoll, EPOLL_CTL_MOD, descriptor, &event) == 0) return true;
    errno = EBADF;
    return false;
}

enum course { GO_ON, DONE, FAILED };

static enum course housekeeping(struct cp_worker *worker)
{
    int64_t now = worker->site.now_ms;
    bool due = now - worker->swept_ms >= SWEEP_MS;
    if (due) {
        worker->swept_ms = now;
        if (!has_daemon(worker)) return FAILED;
        sweep(worker, now);
    }
    cp_acceptor_resume(&worker->acceptor, due);
    return is_draining(worker->http) && drain_step(worker, now) ? DONE : GO_ON;
}

static void count_unanswered(struct cp_worker *worker)
{
    for (const struct cp_connection *at = worker->connections; at; at = at->next) {
        if (cp_connection_is_busy(at)) atomic_fetch_add(&worker->http->unanswered, 1);
    }
}

static void report_failure(struct cp_http *http)
{
    int none = 0, code = errno ? errno : EIO;
    uint64_t one = 1;
    atomic_compare_exchange_strong(&http->failure, &none, code);
    if (write(http->trouble, &one, sizeof one) < 0) return;
}

void cp_worker_run(struct cp_worker *worker)
{
    struct cp_http *http = worker->http;
    while (!atomic_load_explicit(&http->stopping, memory_order_relaxed)) {
        atomic_fetch_add_explicit(&worker->own->rounds, 1, memory_order_release);
        /* Our deadlines are looked at before libmicrohttpd's: after a jump of the clock both have passed, and ours answer. */
        enum course course = wait_for_events(worker) ? housekeeping(worker) : FAILED;
        cp_rounds_begin(&worker->rounds);
        if (course == GO_ON && MHD_run(worker->daemon) != MHD_YES) course = FAILED;
        if (course == FAILED) report_failure(http);
        if (course != GO_ON) break;
    }
    count_unanswered(worker);
    end_computing(worker);
    cp_acceptor_end(&worker->acceptor);
    MHD_stop_daemon(worker->daemon);
    worker->daemon = NULL;
    flush_log(worker);
    atomic_store(&worker->own->ended, true);
    uint64_t one = 1;
    if (atomic_fetch_sub(&http->running, 1) == 1 && write(http->ended, &one, sizeof one) < 0) return;
}

void cp_worker_wake(struct cp_worker *worker)
{
    uint64_t one = 1;
    if (write(worker->wake, &one, sizeof one) < 0) return; /* full: it is awake already */
}

/* ---- Beginning and end ------------------------------------------------------------------------------------------ */

static struct MHD_Daemon *start_daemon(struct cp_worker *worker)
{
    const struct cp_http_options *options = &worker->http->options;
    unsigned flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME;
    return MHD_start_daemon(worker->site.tls ? flags | MHD_USE_TLS : flags, 0, NULL, NULL, on_request, worker,
                            MHD_OPTION_CONNECTION_LIMIT, (unsigned)options->connection_limit + 1,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY_BYTES(options->header_bytes),
                            MHD_OPTION_CONNECTION_TIMEOUT, LIBRARY_TIMEOUT_SECONDS(options),
                            MHD_OPTION_URI_LOG_CALLBACK, on_request_line, NULL, MHD_OPTION_NOTIFY_COMPLETED,
                            on_completed, NULL, MHD_OPTION_NOTIFY_CONNECTION, on_connection, worker,
                            /* Both of no meaning without TLS. */
                            MHD_OPTION_HTTPS_CERT_CALLBACK2, cp_credentials_callback(), MHD_OPTION_HTTPS_PRIORITIES,
                            cp_tls_priorities, MHD_OPTION_END);
}

static bool add_event(struct cp_worker *worker, int descriptor, enum event_source source)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = source};
    return epoll_ctl(worker->epoll, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

static bool set_up_site(struct cp_worker *worker)
{
    struct cp_http *http = worker->http;
    worker->site = (struct cp_site){
        .options = &http->options,
        .tokens = &http->tokens,
        .metrics = cp_metrics_open(),
        .log = {.level = (enum cp_access_log_level)http->options.access_log, .descriptor = STDERR_FILENO},
        .now_ms = clock_ms(),
        .tls = http->options.tls_certificate && *http->options.tls_certificate,
        .next_id = cp_process_seed() + (uint64_t)(uintptr_t)worker,
    };
    return worker->site.metrics;
}

static bool set_up(struct cp_worker *worker)
{
    worker->epoll = epoll_create1(EPOLL_CLOEXEC);
    worker->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    worker->pool = cp_memory_pool_create(worker->http->options.keep_memory_bytes, &worker->http->memory);
    worker->daemon = worker->pool && set_up_site(worker) ? start_daemon(worker) : NULL;
    if (worker->epoll < 0 || worker->wake < 0 || !worker->daemon) return false;
    worker->acceptor = (struct cp_acceptor){.http = worker->http,
                                            .site = &worker->site,
                                            .pool = worker->pool,
                                            .own_connections = &worker->own->connections,
                                            .epoll = worker->epoll,
                                            .event = EVENT_LISTENER,
                                            .adopt = adopt,
                                            .worker = worker};
    return cp_acceptor_begin(&worker->acceptor) && add_event(worker, worker->wake, EVENT_WAKE) &&
           add_event(worker, MHD_get_daemon_info(worker->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, EVENT_DAEMON);
}

struct cp_worker *cp_worker_create(struct cp_http *http, struct cp_worker_thread *own)
{
    struct cp_worker *worker = calloc(1, sizeof *worker);
    if (!worker) return NULL;
    worker->http = http;
    worker->own = own;
    worker->drain_began_ms = -1;
    if (set_up(worker)) return worker;
    int code = errno;
    cp_worker_free(worker);
    errno = code;
    return NULL;
}

void cp_worker_free(struct cp_worker *worker)
{
    if (worker->daemon) MHD_stop_daemon(worker->daemon);
    if (worker->epoll > 0) close(worker->epoll);
    if (worker->wake > 0) close(worker->wake);
    cp_metrics_close(worker->site.metrics);
    cp_memory_pool_free(worker->pool);
    free(worker);
}
