/* Periodic sequences of spans: what each unit of one axis sees, the arithmetic under receptive fields.
 * Nothing here allocates. A function that returns false met a number over CP_MAX_COUNT; its results are then void. */
#ifndef CP_SPAN_SEQUENCE_H
#define CP_SPAN_SEQUENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/attributes.h"
#include "core/limits.h"
#include "core/receptive_field.h"

/* Unit u + phases sees what unit u does, `advance` further on. */
struct cp_sequence {
    const struct cp_span *spans; /* of units 0 … phases − 1, not owned */
    int64_t phases;              /* 1 … CP_MAX_FIELD_PHASES */
    int64_t advance;             /* >= 0 */
};

/* Room for the sequences of one step, on the stack: a step keeps only its result, reduced, in the arena. */
struct cp_workspace {
    struct cp_span tables[2][CP_MAX_FIELD_PHASES]; /* of cp_sequence_hulls */
    struct cp_span result[CP_MAX_FIELD_PHASES];
};

/* The one form of an empty span, so that spans compare. */
extern const struct cp_span cp_nothing_seen;

static inline bool cp_same_span(struct cp_span a, struct cp_span b)
{
    return a.low == b.low && a.high == b.high;
}

/* What `unit` (of either sign) sees. */
CP_MUST_CHECK bool cp_sequence_at(const struct cp_sequence *sequence, int64_t unit, struct cp_span *span);

/* The hull of what units `unit` and `unit + offset` see. */
CP_MUST_CHECK bool cp_sequence_joined_at(const struct cp_sequence *sequence, int64_t unit, int64_t offset,
                                         struct cp_span *span);

/* How many units u, u + step, u + 2·step … pass before phases repeat. Further ones see later units only: the lowest
 * `low` is among so many of the first ones, the highest `high` among as many of the last ones. */
int64_t cp_distinct_units(int64_t phases, int64_t step);

/* Turn *sequence into that of the hulls over `count` units, `step` apart; 1 <= count <= phases bounds the work,
 * whatever the kernel is. The spans then lie in the workspace's tables, or where they were when count is 1. */
CP_MUST_CHECK bool cp_sequence_hulls(struct cp_sequence *sequence, int64_t count, int64_t step,
                                     struct cp_workspace *workspace);

/* The unit-by-unit hull of two sequences of the same stride, in workspace->result. False also when the common multiple
 * of their phases is over the limit. */
CP_MUST_CHECK bool cp_sequence_union(const struct cp_sequence *a, const struct cp_sequence *b,
                                     struct cp_workspace *workspace, struct cp_sequence *result);

/* Give *sequence its smallest period. */
void cp_sequence_reduce(struct cp_sequence *sequence);

/* Does every span hold at most CP_MAX_COUNT units? */
bool cp_sequence_in_range(const struct cp_sequence *sequence);

#endif
