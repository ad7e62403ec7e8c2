#include "server/http/rounds.h"

#include <stddef.h>

static enum cp_round next_round(const struct cp_rounds *rounds)
{
    if (rounds->put_off == CP_MOST_PUT_OFF) return CP_ROUND_ANSWERS;
    if (rounds->round == CP_ROUND_ANSWERS && rounds->has_answered) return CP_ROUND_SENDS;
    return rounds->round == CP_ROUND_SENDS ? CP_ROUND_READS : CP_ROUND_ANSWERS;
}

void cp_rounds_begin(struct cp_rounds *rounds)
{
    *rounds = (struct cp_rounds){.round = next_round(rounds), .seen_first = rounds->twice};
}

/* In each round libmicrohttpd looks first at the connection that has been silent for longest, for its timeout, and at those
 * that are ready after it. Where that is one of them, its request is asked for twice. Answered at the first look, it would
 * be sent at the second, and wake its peer for one reply: so one that was asked for twice in the last round waits for the
 * second look. */
bool cp_rounds_put_off(struct cp_rounds *rounds, const void *request, bool is_new)
{
    bool again = !is_new && request == rounds->first;
    if (again) rounds->twice = request;
    if (!rounds->first) rounds->first = request;
    bool early = request == rounds->seen_first && !again;
    bool waits = is_new || rounds->round != CP_ROUND_ANSWERS || early;
    if (waits && (again || rounds->put_off < CP_MOST_PUT_OFF)) {
        rounds->put_off += !again;
        return true;
    }
    rounds->has_answered = true;
    return false;
}
