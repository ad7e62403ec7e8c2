/* The service without its transport: every endpoint is a pure function from a request to a reply. The HTTP server, the
 * command line, the tests, the fuzzers and the benchmarks all call cp_service_answer. */
#ifndef CP_SERVICE_H
#define CP_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/finding.h"
#include "core/text.h"

struct cp_endpoint;

/* Where a request goes. */
struct cp_route {
    const struct cp_endpoint *endpoint;
    struct cp_text parameter; /* the part of the path that {…} stands for, decoded */
};

enum cp_request_method { CP_GET, CP_HEAD, CP_POST, CP_OPTIONS, CP_OTHER_METHOD };

struct cp_request {
    enum cp_request_method method;
    struct cp_text method_name; /* as sent */
    struct cp_text path;        /* as sent: percent-encoded, without the query */
    struct cp_text query;       /* as sent, without the '?' ; empty for none */
    struct cp_text content_type;
    struct cp_text content_encoding;
    struct cp_text accept;
    struct cp_text body;
    bool brief;            /* to be answered only if it takes little time; else reply->deferred */
    uint64_t begun_ns;     /* by cp_now_ns, where its answer begins at once; 0: that is to be looked at */
    struct cp_route route; /* as cp_service_admit found it; without an endpoint it is still to be found */
};

#define CP_MAX_REPLY_HEADERS 8

/* What the time of an answer goes to. */
enum cp_answer_phase { CP_DECODING, CP_COMPUTING, CP_ENCODING, CP_PHASE_COUNT };

struct cp_header {
    const char *name;
    const char *value; /* terminated; a constant or in the arena */
};

struct cp_reply {
    int status;
    const char *content_type; /* NULL: no body */
    struct cp_text body;      /* in the arena, or a constant with `is_static` */
    bool is_static;           /* the body is the same for every request and outlives them all */
    struct cp_header headers[CP_MAX_REPLY_HEADERS];
    int header_count;
    uint64_t phase_ns[CP_PHASE_COUNT]; /* for Server-Timing */
    bool deferred;                     /* there is no reply: ask again, not `brief`, where time does not matter */
    /* What it is about, for those who count. */
    const struct cp_endpoint *endpoint; /* that answered; NULL: none was found or asked */
    const struct cp_finding *findings;  /* written into it, as a list */
    const struct cp_status *problem;    /* the first, of a refusal */
};

/* What an endpoint is given. */
struct cp_exchange {
    struct cp_arena *arena; /* of this request: all that the reply points to lies here or is constant */
    const struct cp_request *request;
    struct cp_reply *reply;
    struct cp_text parameter;   /* the part of the path that {…} stands for, decoded */
    enum cp_answer_phase phase; /* see cp_enter */
    uint64_t entered_ns;
};

/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): in the order in which rows read best; there are few */
struct cp_endpoint {
    enum cp_request_method method; /* GET also answers HEAD */
    const char *path;              /* may end in one {parameter} */
    void (*answer)(struct cp_exchange *exchange);
    const int64_t *body_limit; /* bytes, of cp_budgets; NULL: takes no body */
    const char *operation_id;  /* as in openapi.yaml */
    bool open;                 /* for those who have no token, too */
    bool live;                 /* the reply tells of this moment: never kept */
};

/* THE table of endpoints: server/service.c. */
extern const struct cp_endpoint cp_endpoints[];
extern const int cp_endpoint_count;

/* Answer one request completely. Never fails: what goes wrong is a problem reply. Thread-safe; takes memory from the
 * arena only. `arena->exhausted` must be cp_service_exhausted and is handled inside: reply 503. */
void cp_service_answer(const struct cp_request *request, struct cp_reply *reply, struct cp_arena *arena);

/* Look only at the request line and headers (body empty): true when the body is worth reading, with *body_limit and the
 * request's route set; else *reply is the refusal. */
bool cp_service_admit(struct cp_request *request, size_t *body_limit, struct cp_reply *reply, struct cp_arena *arena);

/* Does this go to an endpoint that answers everyone, with a token or without? Its request line is looked at only. */
bool cp_service_is_open(const struct cp_request *request);

/* A problem of the transport's own (431, 408, 413, 503 …; a status that no code has is told as 400) in the service's form.
 * What *reply knows of its endpoint stays. */
void cp_service_refuse(int http_status, const char *detail, struct cp_reply *reply, struct cp_arena *arena);

void cp_service_exhausted(struct cp_arena *arena) __attribute__((noreturn));

#endif
