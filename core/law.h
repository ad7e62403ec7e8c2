/* Laws of sizes: how one size of a network grows with one free size n, for every n from some point on.
 *
 * Along one axis every layer is a partial map on sizes with map(i + p) = map(i) + q from some size on, undefined sizes
 * included, and what is composed of such maps has such a law itself. So finitely many n tell about all. */
#ifndef CP_LAW_H
#define CP_LAW_H

#include <stdbool.h>
#include <stdint.h>

enum cp_law_state {
    CP_LAW_LINEAR,    /* all members hold */
    CP_LAW_STEEP,     /* grows faster than n; only `from` and `below` hold */
    CP_LAW_TOO_LARGE, /* a number is over CP_MAX_COUNT: nothing holds */
    CP_LAW_APERIODIC, /* there is no such law */
};

struct cp_law {
    enum cp_law_state state;
    int64_t from;      /* >= 1: the rest holds for n >= from where the size is defined */
    int64_t period;    /* P >= 1: size(n + P) = size(n) + Q */
    int64_t increment; /* Q >= 0; with 0 the size is the constant `above`, and the period is 1 */
    int64_t below;     /* P·size(n) >= Q·n − below */
    int64_t above;     /* P·size(n) <= Q·n + above */
};

enum { CP_MAP_NUMBERS = 7 };

/* A partial map on sizes, as one layer does it on one axis. Sizes are >= 1. */
struct cp_axis_map {
    bool (*apply)(const int64_t *numbers, int64_t size, int64_t *result); /* false: undefined there */
    int64_t numbers[CP_MAP_NUMBERS];                                      /* its parameters */
    int64_t from;      /* for sizes >= from: map(i + period) = map(i) + increment, nowhere decreasing */
    int64_t period;    /* >= 1; 0: there is no law */
    int64_t increment; /* >= 0; 0: constant, with period 1 */
    bool ends;         /* no size >= from has a result */
    int64_t only;      /* the only result that there is, below `from` as well; 0: there may be several */
};

/* When something that depends on n is true. */
struct cp_condition {
    enum cp_law_state
        state;            /* CP_LAW_LINEAR: known; CP_LAW_TOO_LARGE, CP_LAW_APERIODIC: only the end may be relied on */
    int64_t from, period; /* for n >= from it is true for n + period just as for n */
    int64_t end;          /* for n >= end it is false; CP_NO_END when there is no such n known */
};

#define CP_NO_END INT64_MAX

struct cp_law cp_law_constant(int64_t size);

/* Of what depends on more than one free size: aperiodic. */
struct cp_law cp_law_none(void);

/* n itself. */
struct cp_law cp_law_free(void);

/* The law of map(size), and when it is defined. */
struct cp_condition cp_law_map(const struct cp_law *law, const struct cp_axis_map *map, struct cp_law *result);

/* Laws of a sum and of a product. */
struct cp_law cp_law_sum(const struct cp_law *a, const struct cp_law *b);
struct cp_law cp_law_product(const struct cp_law *a, const struct cp_law *b);

/* The law of the broadcast of two sizes (the other one where one is 1), and when it is defined. */
struct cp_condition cp_law_broadcast(const struct cp_law *a, const struct cp_law *b, struct cp_law *result);

/* Whether the size is at least `least` for all n >= `from`, as far as the law alone tells. */
bool cp_law_stays_above(const struct cp_law *law, int64_t from, int64_t least);

/* When a = b, when a >= b, and when a leaves a given rest on division by `modulus`. */
struct cp_condition cp_law_equal(const struct cp_law *a, const struct cp_law *b);
struct cp_condition cp_law_at_least(const struct cp_law *a, const struct cp_law *b);
struct cp_condition cp_law_congruent(const struct cp_law *a, int64_t modulus);

/* Both conditions together. Numbers over CP_MAX_COUNT are cut to it, with the state to match. */
struct cp_condition cp_condition_and(const struct cp_condition *a, const struct cp_condition *b);

/* Always true. */
struct cp_condition cp_condition_true(void);

#endif
