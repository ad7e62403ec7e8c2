/* What the tests over HTTP get to see: every reply is held to openapi.yaml, and what has been seen at all is noted, for
 * tests/http/everything_seen to look through when all tests have run. */
#ifndef CP_SEEN_H
#define CP_SEEN_H

#include <stdbool.h>
#include <stddef.h>

/* One exchange. */
struct cp_seen {
    const char *method; /* "" where the request has no line that can be read */
    const char *target; /* path and query, as sent */
    int status;
    const char *content_type; /* "" for none */
    bool gzip;                /* of the body */
    const char *body;
    size_t body_size;
};

/* Hold the reply to openapi.yaml and append what it shows to the file that the variable CP_SEEN names, if it is set: lines
 * "operation ID" for a success, "code CODE" for each problem or finding, each once in a process. False: it is none that is
 * described; why[size] then says why, and of what. For any thread. */
bool cp_seen(const struct cp_seen *seen, char *why, size_t size);

#endif
