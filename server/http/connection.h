/* A connection and the request on it, without libmicrohttpd: what to do with a head, a body, a deadline. Used by its
 * worker's thread only. */
#ifndef CP_CONNECTION_H
#define CP_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/http/http.h"
#include "server/http/reply_head.h"
#include "server/http/representation.h"
#include "server/http/request_head.h"
#include "server/http/site.h"
#include "server/memory.h"
#include "server/service.h"

/* Request targets up to this length need no memory of their own. */
#define CP_SHORT_TARGET_BYTES 256

enum cp_phase {
    CP_PHASE_IDLE,      /* no request */
    CP_PHASE_HEAD,      /* the request line is here, the headers are still read */
    CP_PHASE_BODY,      /* reading the body; then the service answers */
    CP_PHASE_SWALLOW,   /* the reply is made, before the service was asked; dropping the body first */
    CP_PHASE_COMPLETE,  /* nothing is missing: the service answers in this round of the loop or in one of the next */
    CP_PHASE_COMPUTING, /* the reply is made in another thread, which alone touches request, reply and memory */
    CP_PHASE_ANSWERED,  /* the reply is queued */
    CP_PHASE_ABANDONED, /* cut off; waiting for libmicrohttpd to close the socket */
};

/* Bytes of an Origin header that is looked at. */
#define CP_MAX_ORIGIN_BYTES 255

/* There is at most one request that is not answered yet: a pipelined one waits in the socket. */
struct cp_connection {
    struct cp_connection *next, **back; /* in the worker's list */
    const struct cp_http_options *options;
    struct cp_site *site;
    int socket;
    void *session;   /* of TLS on it; NULL: plain bytes */
    char client[46]; /* its address in words; INET6_ADDRSTRLEN */
    enum cp_phase phase;
    bool begun;           /* a request, and it has not ended */
    bool close;           /* after this reply */
    bool chunked;         /* the body is */
    int64_t since_ms;     /* when the connection became idle, the request began, or its reply was queued */
    int64_t progress_ms;  /* when the last bytes of the request came */
    uint64_t received;    /* bytes of body, dropped ones included */
    uint64_t consumed;    /* bytes of all requests so far, on the wire */
    uint64_t taken_bytes; /* from the socket, where others waited when the deadline was looked at; else UINT64_MAX */
    uint64_t seen_bytes;  /* on the wire, when cp_connection_cut_idle last looked at a TLS connection */
    int64_t seen_ms;      /* when they became so many */
    size_t body_limit;    /* 0: a body means nothing here */
    size_t body_capacity;
    char *body;
    struct cp_text target; /* as sent */
    struct cp_request_head head;
    struct cp_request request;
    struct cp_reply reply;
    struct cp_representation form; /* of the reply */
    uint64_t begun_ns;             /* when it was the request's turn to be answered; 0: it has not been */
    uint64_t request_bytes;        /* of the head, then with what is read of the body */
    char id[CP_MAX_ID_BYTES + 1];
    char origin[CP_MAX_ORIGIN_BYTES + 1]; /* that may read the reply; "": only its own */
    struct cp_memory memory;              /* of the request; empty between requests */
    char short_target[CP_SHORT_TARGET_BYTES];
};

/* A request begins: its target is copied. False: no memory for it. */
bool cp_connection_begin(struct cp_connection *connection, const char *target);

/* Its head, connection->head, is complete: `head_bytes` long, it and `method`, which is terminated, valid until the
 * reply. Sets the phase: BODY, or SWALLOW with the reply made. True: the reply should go out at once, and the connection
 * end with it, because the body is too large to swallow, is still held back by the client, or has no known end. */
bool cp_connection_take_head(struct cp_connection *connection, size_t head_bytes, const char *method, bool old_version);

/* A part of the body. False: the connection is abandoned. */
bool cp_connection_take_body(struct cp_connection *connection, const char *bytes, size_t size);

/* The request is complete: make its reply, unless it has one. False: that takes long, the phase is COMPUTING now, and
 * cp_connection_compute makes it. */
bool cp_connection_answer(struct cp_connection *connection);

/* The same for as long as it takes; in any thread. */
void cp_connection_compute(struct cp_connection *connection);

/* The reply, as it is now, goes out: count and log it, and say what its headers are. */
void cp_connection_send(struct cp_connection *connection, bool close, struct cp_reply_head *head);

/* libmicrohttpd found fault with the request and ends the connection: the reply becomes ours for that status. */
void cp_connection_fail(struct cp_connection *connection, int status);

/* Send the reply past libmicrohttpd, as far as the socket takes it, and nothing after it. */
void cp_connection_send_raw(struct cp_connection *connection);

/* The request is over, its memory free for the next. */
void cp_connection_end(struct cp_connection *connection);

/* Cut the connection off where a deadline has passed, with a 408 where a request is under way. */
void cp_connection_look_at_deadline(struct cp_connection *connection, int64_t now_ms);

/* Cut it off where it is idle: no request is under way, not even the first byte of one. */
void cp_connection_cut_idle(struct cp_connection *connection, int64_t now_ms);

/* Is there a request that has begun and is not answered? */
bool cp_connection_is_busy(const struct cp_connection *connection);

#endif
