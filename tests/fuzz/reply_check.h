/* What holds of every reply, whatever the request. */
#ifndef CP_REPLY_CHECK_H
#define CP_REPLY_CHECK_H

#include "server/json/json.h"
#include "server/service.h"

/* Dies unless the reply is one that openapi.yaml describes (tests/contract/reply.h), with numbers that are exact in every
 * reader. Returns the body, parsed into the arena; NULL where it is no JSON. */
const struct cp_json *cp_check_reply(const struct cp_request *request, const struct cp_reply *reply,
                                     struct cp_arena *arena);

#endif
