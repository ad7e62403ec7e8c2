/* Two ways to one answer: what an endpoint says, and what another one, or the same one asked otherwise, says of it. */
#ifndef CP_AGREEMENT_H
#define CP_AGREEMENT_H

#include "server/json/json.h"
#include "server/service.h"

/* `reply`: the body of status 200 that the request got. Dies where the ways disagree. */
void cp_check_agreement(const struct cp_request *request, const struct cp_json *reply);

#endif
