/* The headers that every reply of the service carries, and a reply as plain bytes for where libmicrohttpd cannot send
 * one. */
#ifndef CP_REPLY_HEAD_H
#define CP_REPLY_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "server/service.h"

#define CP_SERVER_TIMING_BYTES 128

/* All headers of a reply but Date, Content-Length and those of the connection. */
struct cp_reply_head {
    struct cp_header headers[CP_MAX_REPLY_HEADERS + 5];
    int count;
    char server_timing[CP_SERVER_TIMING_BYTES];
};

/* `close`: the connection ends with this reply. `head` keeps pointers into itself and into the reply. */
void cp_reply_head_make(struct cp_reply_head *head, enum cp_request_method method, const struct cp_reply *reply,
                        bool close);

/* "decode;dur=0.012345, compute;dur=…, encode;dur=…": milliseconds with six decimals, so nanoseconds. Terminated. */
void cp_server_timing(char text[CP_SERVER_TIMING_BYTES], const struct cp_reply *reply);

/* Send a whole reply with Connection: close on a socket without waiting; what does not fit its buffer is lost. */
void cp_reply_send_raw(int socket, const struct cp_reply *reply);

#endif
