/* When a worker answers. The rounds of its loop take turns, so that requests which have come together are answered in one
 * round and sent in the next: the code of each step stays in the processor's caches, and a peer is woken once for all of
 * them. Answered in each round, groups fall apart into twos and threes, and most replies wake a peer that sleeps again. */
#ifndef CP_ROUNDS_H
#define CP_ROUNDS_H

#include <stdbool.h>

/* Requests that one round may leave to the next: as many as libmicrohttpd's epoll tells of at once. Past them new ones are
 * answered as they come, and the next round answers those that wait, whichever it would have been. */
#define CP_MOST_PUT_OFF 128

/* What a round does with requests that were put off before it. New ones it puts off, whichever it is. */
enum cp_round {
    CP_ROUND_ANSWERS,
    CP_ROUND_SENDS, /* what the last one answered; these wait */
    CP_ROUND_READS, /* what has come while that was sent, to be answered with these, which wait */
};

/* Of one worker; zeroed: before the first round. Requests are compared only: they may be gone. */
struct cp_rounds {
    enum cp_round round;
    int put_off;            /* how many, in this round */
    bool has_answered;      /* one, in this round */
    const void *first;      /* the first that was asked for in this round */
    const void *twice;      /* one that was asked for again in this round */
    const void *seen_first; /* one that was asked for twice in the last round */
};

void cp_rounds_begin(struct cp_rounds *rounds);

/* Is the request, which is complete, to be asked for again? Else it is answered now. That is in the third round after the
 * one that it came in at the latest, and in the next where the worker was idle. */
bool cp_rounds_put_off(struct cp_rounds *rounds, const void *request, bool is_new);

#endif
