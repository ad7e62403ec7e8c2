#define _GNU_SOURCE 1 /* accept4 */

#include "server/http/acceptor.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "server/endpoints/endpoints.h"
#include "server/http/reply_head.h"
#include "server/http/worker.h"

/* How long a worker leaves a new connection to those that have fewer. It takes it then, for they may be busy. */
#define GIVE_WAY_MS 1

static void listen_again(struct cp_acceptor *acceptor, bool listen)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = acceptor->event};
    if (listen == acceptor->listening) return;
    int operation = listen ? EPOLL_CTL_ADD : EPOLL_CTL_DEL;
    if (epoll_ctl(acceptor->epoll, operation, acceptor->http->listener, &event) == 0) acceptor->listening = listen;
}

bool cp_acceptor_begin(struct cp_acceptor *acceptor)
{
    acceptor->open = true;
    listen_again(acceptor, true);
    return acceptor->listening;
}

/* ---- Limits ------------------------------------------------------------------------------------------------------- */

static int count_connections(struct cp_acceptor *acceptor, int change)
{
    atomic_fetch_add(acceptor->own_connections, change);
    return atomic_fetch_add(&acceptor->http->connections, change) + change;
}

/* Count a connection of this address: 0, or the status with which it is turned away. */
static int enter(struct cp_acceptor *acceptor, const struct sockaddr *address)
{
    struct cp_http *http = acceptor->http;
    int status = 0;
    if (count_connections(acceptor, 1) > http->options.connection_limit)
        status = 503;
    else if (http->addresses && !cp_addresses_enter(http->addresses, address))
        status = 429;
    if (status) count_connections(acceptor, -1);
    return status;
}

void cp_acceptor_leave(struct cp_acceptor *acceptor, const struct sockaddr *address)
{
    if (acceptor->http->addresses) cp_addresses_leave(acceptor->http->addresses, address);
    count_connections(acceptor, -1);
}

/* Too many connections, in all or of this address: say so. */
static void turn_away(struct cp_acceptor *acceptor, int socket, int status)
{
    const char *why =
        status == 429 ? "Too many connections of your address are open." : "Too many connections are open.";
    struct cp_memory memory;
    struct cp_reply reply = {0};
    cp_memory_open(&memory, acceptor->pool, acceptor->http->options.request_memory_bytes, cp_service_exhausted);
    cp_service_refuse(status, why, &reply, &memory.arena);
    if (!acceptor->site->tls) cp_reply_send_raw(socket, NULL, &reply, NULL);
    cp_metrics_turn_away(acceptor->site->metrics, status == 429);
    close(socket);
    cp_memory_reset(&memory);
}

/* ---- Accepting ---------------------------------------------------------------------------------------------------- */

/* Accept one connection. False: there is none. */
static bool accept_one(struct cp_acceptor *acceptor)
{
    struct sockaddr_storage storage;
    struct sockaddr *address = (struct sockaddr *)&storage;
    socklen_t size = sizeof storage;
    int socket = accept4(acceptor->http->listener, address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0) {
        bool out_of_descriptors = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
        if (out_of_descriptors) listen_again(acceptor, false); /* until the next sweep: others may have closed */
        return errno == ECONNABORTED || errno == EINTR;
    }
    int refusal = enter(acceptor, address);
    if (refusal)
        turn_away(acceptor, socket, refusal);
    else if (!acceptor->adopt(acceptor->worker, socket, address, size))
        cp_acceptor_leave(acceptor, address);
    return true;
}

/* A difference of an eighth is fair enough. */
static bool has_more_than_another(const struct cp_acceptor *acceptor)
{
    const struct cp_http *http = acceptor->http;
    int own = atomic_load_explicit(acceptor->own_connections, memory_order_relaxed);
    for (int i = 0; i < http->options.workers; i++) {
        if (atomic_load_explicit(&http->workers[i].connections, memory_order_relaxed) < own - own / 8) return true;
    }
    return false;
}

void cp_acceptor_look(struct cp_acceptor *acceptor, bool waiting)
{
    if (!waiting) {
        if (acceptor->listening) acceptor->gave_way = false; /* another took it */
    } else if (acceptor->gave_way || !has_more_than_another(acceptor)) {
        accept_one(acceptor);
        acceptor->gave_way = false;
    } else {
        acceptor->gave_way = true;
        acceptor->gave_way_ns = cp_now_ns();
        listen_again(acceptor, false);
    }
}

void cp_acceptor_resume(struct cp_acceptor *acceptor, bool always)
{
    bool waited = acceptor->gave_way && cp_now_ns() - acceptor->gave_way_ns >= GIVE_WAY_MS * 1000000;
    if (always || waited) listen_again(acceptor, acceptor->open);
}

int cp_acceptor_wait_ms(const struct cp_acceptor *acceptor, int most_ms)
{
    return acceptor->gave_way && !acceptor->listening ? GIVE_WAY_MS : most_ms;
}

void cp_acceptor_end(struct cp_acceptor *acceptor)
{
    struct cp_http *http = acceptor->http;
    if (!acceptor->open) return;
    while (accept_one(acceptor)) continue;
    listen_again(acceptor, false);
    acceptor->open = false;
    if (atomic_fetch_sub(&http->accepting, 1) > 1) return;
    close(http->listener);
    http->listener = -1;
}
