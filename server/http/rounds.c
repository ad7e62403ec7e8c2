#include "server/http/rounds.h"

#include <stddef.h>

void cp_rounds_begin(struct cp_rounds *rounds)
{
    switch (rounds->round) {
    case CP_ROUND_ANSWERS:
        if (rounds->has_answered) rounds->round = CP_ROUND_SENDS;
        break;
    case CP_ROUND_SENDS: rounds->round = CP_ROUND_READS; break;
    case CP_ROUND_READS: rounds->round = CP_ROUND_ANSWERS; break;
    }
    rounds->were_put_off = rounds->put_off;
    rounds->put_off = 0;
    rounds->has_asked = rounds->has_answered = false;
}

/* In each round, libmicrohttpd first looks at the connection that has been silent for longest, for its timeout, and later at
 * it again with the others. Answered at the first look, it would be sent at the second, and wake its peer for one reply. */
static bool is_passed(struct cp_rounds *rounds, const void *request)
{
    bool first = !rounds->has_asked;
    rounds->has_asked = true;
    if (!first || rounds->were_put_off < 2 || rounds->passed == request) return false;
    rounds->passed = request; /* once only, should there be no second look */
    return true;
}

bool cp_rounds_put_off(struct cp_rounds *rounds, const void *request, bool is_new)
{
    bool waits = is_new || rounds->round != CP_ROUND_ANSWERS || is_passed(rounds, request);
    if (waits && rounds->put_off < CP_MOST_PUT_OFF) {
        rounds->put_off++;
        return true;
    }
    rounds->has_answered = true;
    if (rounds->passed == request) rounds->passed = NULL;
    return false;
}
