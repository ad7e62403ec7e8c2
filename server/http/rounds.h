/* When a worker answers. The rounds of its loop take turns, so that requests which have come together are answered in one
 * round and sent in the next: the code of each step stays in the processor's caches, and a peer is woken once for all of
 * them. Answered in each round, groups fall apart into twos and threes, and most replies wake a peer that sleeps again. */
#ifndef CP_ROUNDS_H
#define CP_ROUNDS_H

#include <stdbool.h>

/* Requests that one round may leave to the next. Further ones are answered at once. */
#define CP_MOST_PUT_OFF 128

/* What a round does with requests that were put off before it. New ones it puts off, whichever it is. */
enum cp_round {
    CP_ROUND_ANSWERS,
    CP_ROUND_SENDS, /* what the last one answered; nothing with these */
    CP_ROUND_READS, /* what has come while that was sent, to be answered with these */
};

/* Of one worker; zeroed: before the first round. */
struct cp_rounds {
    enum cp_round round;
    bool has_asked, has_answered; /* in this round */
    int put_off, were_put_off;    /* by this round and by the last */
    const void *passed;           /* put off as the first of its round, and not answered since */
};

void cp_rounds_begin(struct cp_rounds *rounds);

/* Is the request, which is complete, to be asked for again in the next round? Else it is answered now. That is so at the
 * latest in the sixth round after the one that it came in, and in the first or second where it is alone. */
bool cp_rounds_put_off(struct cp_rounds *rounds, const void *request, bool is_new);

#endif
