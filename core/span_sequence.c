#include "core/span_sequence.h"

#include "core/checked.h"

const struct cp_span cp_nothing_seen = {0, -1};

static bool sees_nothing(struct cp_span span)
{
    return span.low > span.high;
}

static struct cp_span hull_of(struct cp_span a, struct cp_span b)
{
    if (sees_nothing(a)) return b;
    if (sees_nothing(b)) return a;
    return (struct cp_span){a.low < b.low ? a.low : b.low, a.high > b.high ? a.high : b.high};
}

/* False when a number of the moved span is out of range. */
static bool move_span(struct cp_span *span, int64_t shift)
{
    return sees_nothing(*span) || (cp_add(span->low, shift, &span->low) && cp_add(span->high, shift, &span->high));
}

bool cp_sequence_at(const struct cp_sequence *sequence, int64_t unit, struct cp_span *span)
{
    int64_t phase = 0;
    int64_t turns = unit;
    int64_t shift;
    if (sequence->phases > 1) {
        phase = cp_floor_remainder(unit, sequence->phases);
        turns = cp_floor_divide(unit, sequence->phases);
    }
    *span = sequence->spans[phase];
    return cp_multiply(turns, sequence->advance, &shift) && move_span(span, shift);
}

bool cp_sequence_joined_at(const struct cp_sequence *sequence, int64_t unit, int64_t offset, struct cp_span *span)
{
    struct cp_span other;
    int64_t second;
    if (!cp_add(unit, offset, &second)) return false;
    if (!cp_sequence_at(sequence, unit, span) || !cp_sequence_at(sequence, second, &other)) return false;
    *span = hull_of(*span, other);
    return true;
}

/* cp_sequence_joined_at of every phase at once, without a division in the loop. */
static bool join_every_phase(const struct cp_sequence *from, int64_t offset, struct cp_span *to)
{
    int64_t phase = cp_floor_remainder(offset, from->phases);
    int64_t shift;
    int64_t shift_past_end;
    if (!cp_multiply(cp_floor_divide(offset, from->phases), from->advance, &shift)) return false;
    if (!cp_add(shift, from->advance, &shift_past_end)) return false;
    for (int64_t unit = 0; unit < from->phases; unit++) {
        struct cp_span other = from->spans[phase];
        if (!move_span(&other, shift)) return false;
        to[unit] = hull_of(from->spans[unit], other);
        if (++phase == from->phases) {
            phase = 0;
            shift = shift_past_end;
        }
    }
    return true;
}

int64_t cp_distinct_units(int64_t phases, int64_t step)
{
    return phases / cp_greatest_common_divisor(phases, step);
}

/* Hulls may overlap, so doubling takes log2(count) passes. */
bool cp_sequence_hulls(struct cp_sequence *sequence, int64_t count, int64_t step, struct cp_workspace *workspace)
{
    int table = 0;
    int64_t done = 1;
    while (done < count) {
        int64_t more = done < count - done ? done : count - done;
        int64_t offset;
        if (!cp_multiply(more, step, &offset)) return false;
        if (!join_every_phase(sequence, offset, workspace->tables[table])) return false;
        sequence->spans = workspace->tables[table];
        table = !table;
        done += more;
    }
    return true;
}

static bool repeats_after(const struct cp_sequence *sequence, int64_t phases, int64_t advance)
{
    for (int64_t unit = 0; unit + phases < sequence->phases; unit++) {
        struct cp_span moved = sequence->spans[unit];
        if (!move_span(&moved, advance) || !cp_same_span(moved, sequence->spans[unit + phases])) return false;
    }
    return true;
}

/* All periods of a sequence are multiples of the smallest, so dividing by one factor at a time finds it. */
void cp_sequence_reduce(struct cp_sequence *sequence)
{
    if (sequence->phases == 1) return;
    int64_t common = cp_greatest_common_divisor(sequence->phases, sequence->advance);
    for (int64_t factor = 2; factor <= common; factor++) {
        while (common % factor == 0 && repeats_after(sequence, sequence->phases / factor, sequence->advance / factor)) {
            sequence->phases /= factor;
            sequence->advance /= factor;
            common /= factor;
        }
    }
}

bool cp_sequence_in_range(const struct cp_sequence *sequence)
{
    for (int64_t unit = 0; unit < sequence->phases; unit++)
        if (sequence->spans[unit].high - sequence->spans[unit].low >= CP_MAX_COUNT) return false;
    return true;
}

bool cp_sequence_union(const struct cp_sequence *a, const struct cp_sequence *b, struct cp_workspace *workspace,
                       struct cp_sequence *result)
{
    int64_t common = cp_greatest_common_divisor(a->phases, b->phases);
    int64_t phases = a->phases / common * b->phases;
    if (phases > CP_MAX_FIELD_PHASES) return false;
    *result = (struct cp_sequence){workspace->result, phases, 0};
    if (!cp_multiply(a->advance, b->phases / common, &result->advance)) return false;
    for (int64_t unit = 0; unit < phases; unit++) {
        struct cp_span other;
        if (!cp_sequence_at(a, unit, &workspace->result[unit]) || !cp_sequence_at(b, unit, &other)) return false;
        workspace->result[unit] = hull_of(workspace->result[unit], other);
    }
    return true;
}
