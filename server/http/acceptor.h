/* How a worker takes connections from the socket that all of them listen on: as many as may be, and about as many as each
 * other worker. */
#ifndef CP_ACCEPTOR_H
#define CP_ACCEPTOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "server/http/site.h"
#include "server/memory.h"

struct cp_http;

/* One for each worker, used by its thread alone. */
struct cp_acceptor {
    struct cp_http *http;
    struct cp_site *site;
    struct cp_memory_pool *pool;
    atomic_int *own_connections;
    int epoll;            /* where the listener is waited for, */
    uint32_t event;       /* with this in its data */
    bool open;            /* the listener is not given up */
    bool listening;       /* it is in the epoll */
    bool gave_way;        /* on the connection that waits now */
    uint64_t gave_way_ns; /* when */
    /* Take a connection over. False: it was not, and the socket is closed. */
    bool (*adopt)(void *worker, int socket, const struct sockaddr *address, socklen_t size);
    void *worker;
};

/* Begin to listen. False: errno says why. */
bool cp_acceptor_begin(struct cp_acceptor *acceptor);

/* Called each time the worker wakes up: does a connection wait? */
void cp_acceptor_look(struct cp_acceptor *acceptor, bool waiting);

/* Called now and then: listen again after giving way, or after there was no descriptor left. */
void cp_acceptor_resume(struct cp_acceptor *acceptor, bool always);

/* The longest time to wait for events, in milliseconds, where others allow `most_ms`. */
int cp_acceptor_wait_ms(const struct cp_acceptor *acceptor, int most_ms);

/* Take all connections that wait, and listen no more; the last worker to do so closes the listener. */
void cp_acceptor_end(struct cp_acceptor *acceptor);

/* A connection that was adopted is closed. */
void cp_acceptor_leave(struct cp_acceptor *acceptor, const struct sockaddr *address);

#endif
