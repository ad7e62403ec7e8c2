/* Sets of sizes that repeat from some size on, in canonical form, and functions on them. */
#ifndef CP_SIZE_SET_H
#define CP_SIZE_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "core/arena.h"

/* n >= from is in the set iff n mod period is a residue of it; below `from`, iff works[n]. Canonical: the smallest
 * period, then the smallest `from`; a set with nothing periodic in it has period 1 and no residues. */
struct cp_size_set {
    int64_t period, from;
    int64_t residue_count;
    int64_t exception_count; /* sizes below `from` */
    int64_t minimum;         /* the smallest size in it; 0: it is empty */
    const bool *works;       /* for n < from + period; works[0] is not used */
};

/* The canonical form of a set that is known for 1 <= n < from + period and repeats from there on. `works` is kept. */
void cp_size_set_reduce(struct cp_size_set *set, const bool *works, int64_t from, int64_t period);

bool cp_size_set_has(const struct cp_size_set *set, int64_t n);

/* Whether it has the residue 0 <= residue < period. */
bool cp_size_set_has_residue(const struct cp_size_set *set, int64_t residue);

/* The largest n <= limit that is in the set (`inside`) or not in it, and the smallest n >= limit; 0: there is none. */
int64_t cp_size_set_below(const struct cp_size_set *set, int64_t limit, bool inside);
int64_t cp_size_set_above(const struct cp_size_set *set, int64_t limit, bool inside);

/* A function on the sizes of a set: value(n) = values[(n − from) mod period] + increment·⌊(n − from)/period⌋ for
 * n >= from in the set; below, values_below[n]. 0 stands for sizes that are not in the set. */
struct cp_size_law {
    int64_t period, from, increment;
    const int64_t *values;       /* period of them */
    const int64_t *values_below; /* of n < from */
};

/* The canonical form of a law that is known for 1 <= n < from + period: values[n], 0 where n is not in the set. */
void cp_size_law_reduce(struct cp_size_law *law, const int64_t *values, int64_t from, int64_t period,
                        int64_t increment);

/* The value as scale·⌊(slope·n + offset)/divisor⌋ + shift, the fraction in lowest terms. The scale is 1, the shift 0, where
 * that will do. */
struct cp_size_form {
    int64_t slope, offset, divisor;
    int64_t scale, shift; /* 0 <= shift < scale, or 1 and 0 */
    bool exact;           /* the division leaves no rest */
};

/* A form that holds for every n of the law; false when there is none (or no n). */
bool cp_size_law_form(const struct cp_size_law *law, struct cp_size_form *form);

#endif
