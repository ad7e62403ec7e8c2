/* The access log: one line of JSON for each request, on standard error. Neither bodies, nor queries, nor headers other
 * than the request's id are in it, so no token is. */
#ifndef CP_ACCESS_LOG_H
#define CP_ACCESS_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "core/text.h"
#include "server/service.h"

enum cp_access_log_level { CP_LOG_OFF, CP_LOG_ERRORS, CP_LOG_ALL };

/* One worker's lines that are not written yet: a write of so many bytes is one piece, also into a pipe (PIPE_BUF). */
struct cp_access_log {
    enum cp_access_log_level level;
    int descriptor;
    uint64_t dropped; /* lines that could not be written without waiting */
    size_t lines, size;
    char bytes[4096];
};

struct cp_access {
    const char *request_id, *client;
    struct cp_text method, path; /* empty: the request line was not understood */
    const struct cp_reply *reply;
    uint64_t request_bytes, reply_bytes, duration_ns;
};

/* Is a reply of this status to be logged? */
bool cp_access_log_wants(const struct cp_access_log *log, int status);

/* Add a line; long paths are cut short. Writes when the buffer is full. */
void cp_access_log_add(struct cp_access_log *log, const struct cp_access *access);

/* Write what is there, if that needs no waiting: else the lines are dropped and counted. */
void cp_access_log_flush(struct cp_access_log *log);

#endif
