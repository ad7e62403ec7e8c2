/* The headers that every reply of the service carries, and a reply as plain bytes for where libmicrohttpd cannot send
 * one. */
#ifndef CP_REPLY_HEAD_H
#define CP_REPLY_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "server/service.h"

#define CP_SERVER_TIMING_BYTES 128

/* Headers of a reply beside its own: see cp_reply_head_make. */
#define CP_MAX_HEAD_HEADERS 16

/* All headers of a reply but Date, Content-Length and those of the connection. */
struct cp_reply_head {
    struct cp_header headers[CP_MAX_REPLY_HEADERS + CP_MAX_HEAD_HEADERS];
    int count;
    char server_timing[CP_SERVER_TIMING_BYTES];
};

/* What the headers say beside the reply itself. */
struct cp_reply_frame {
    enum cp_request_method method;
    bool close;               /* the connection ends with this reply */
    bool gzip, varies;        /* the body is compressed; it would differ with another Accept-Encoding */
    bool varies_by_origin;    /* only some origins are allowed */
    bool preflight;           /* the reply to a browser that asks what it may ask */
    const char *request_id;   /* NULL: none */
    const char *etag;         /* "" : none */
    const char *allow_origin; /* for pages of which origin the reply is; NULL: of its own */
};

/* `head` keeps pointers into itself, the frame and the reply. */
void cp_reply_head_make(struct cp_reply_head *head, const struct cp_reply_frame *frame, const struct cp_reply *reply);

/* "decode;dur=0.012345, compute;dur=…, encode;dur=…": milliseconds with six decimals, so nanoseconds. Terminated. */
void cp_server_timing(char text[CP_SERVER_TIMING_BYTES], const struct cp_reply *reply);

/* Send a whole reply with Connection: close on a socket, or the session of TLS on it where there is one, without waiting,
 * as the last that is sent; what does not fit its buffer is lost. What the client has sent is taken and dropped, else
 * closing the socket would reset the connection and the reply with it. `request_id` may be NULL. */
void cp_reply_send_raw(int socket, void *session, const struct cp_reply *reply, const char *request_id);

#endif
