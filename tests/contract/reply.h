/* Whether a reply is one that openapi.yaml describes, for whoever gets one: the clients of the tests and the fuzzers. */
#ifndef CP_CONTRACT_REPLY_H
#define CP_CONTRACT_REPLY_H

#include "server/json/json.h"
#include "server/service.h"

/* openapi.yaml, read once in a process and kept; the process ends when it cannot be read. Not for two threads at once. */
const struct cp_json *cp_openapi(void);

/* The endpoint that a request is for, HEAD as GET; NULL where the table has none, and for paths with escapes. */
const struct cp_endpoint *cp_asked_endpoint(const struct cp_request *request);

/* Why the reply is none of those described, in the arena; an empty text where it is one. Status and media type have to be
 * listed with the operation; where there is none, it is a problem or the answer to OPTIONS. What is JSON has to be admitted
 * by the schema, member by member, and a problem has to tell its own status and page. Looks at method and path of the
 * request, and at status, content_type and body of the reply; with HEAD and 304 the body is not looked at.
 * `*value`: the body, parsed into the arena; NULL where it is no JSON. */
struct cp_text cp_reply_fault(const struct cp_request *request, const struct cp_reply *reply,
                              const struct cp_json **value, struct cp_arena *arena);

#endif
