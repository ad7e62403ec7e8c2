#include "core/law.h"

#include "core/checked.h"

/* Products of two counts fit. */
__extension__ typedef __int128 wide;

static wide ceil_divide(wide dividend, wide divisor)
{
    return dividend / divisor + (dividend % divisor > 0);
}

static wide floor_divide(wide dividend, wide divisor)
{
    return dividend / divisor - (dividend % divisor < 0);
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* A count, or the nearest one with *state telling so. */
static int64_t narrow(wide value, enum cp_law_state *state)
{
    if (value >= -(wide)CP_MAX_COUNT && value <= (wide)CP_MAX_COUNT) return (int64_t)value;
    *state = CP_LAW_TOO_LARGE;
    return value > 0 ? CP_MAX_COUNT : -CP_MAX_COUNT;
}

static bool is_known(const struct cp_law *law)
{
    return law->state == CP_LAW_LINEAR || law->state == CP_LAW_STEEP;
}

static bool is_constant(const struct cp_law *law)
{
    return law->state == CP_LAW_LINEAR && law->increment == 0;
}

static struct cp_law constant_from(int64_t size, int64_t from)
{
    return (struct cp_law){.from = from, .period = 1, .below = -size, .above = size};
}

struct cp_law cp_law_constant(int64_t size)
{
    return constant_from(size, 1);
}

struct cp_law cp_law_free(void)
{
    return (struct cp_law){.from = 1, .period = 1, .increment = 1};
}

static struct cp_law no_law(enum cp_law_state state)
{
    return (struct cp_law){.state = state, .from = CP_MAX_COUNT, .period = CP_MAX_COUNT};
}

struct cp_law cp_law_none(void)
{
    return no_law(CP_LAW_APERIODIC);
}

/* The worse of two laws that are not both known. */
static struct cp_law worse_law(const struct cp_law *a, const struct cp_law *b)
{
    return no_law(a->state > b->state ? a->state : b->state);
}

static struct cp_condition true_from(wide from)
{
    struct cp_condition condition = {.period = 1, .end = CP_NO_END};
    condition.from = narrow(from, &condition.state);
    return condition;
}

struct cp_condition cp_condition_true(void)
{
    return true_from(1);
}

static struct cp_condition not_known(enum cp_law_state state)
{
    return (struct cp_condition){state, CP_MAX_COUNT, CP_MAX_COUNT, CP_NO_END};
}

static struct cp_condition false_from(wide from)
{
    struct cp_condition condition = true_from(from);
    if (condition.state == CP_LAW_LINEAR) condition.end = condition.from;
    return condition;
}

static struct cp_condition periodic_from(int64_t from, wide period)
{
    struct cp_condition condition = true_from(from);
    condition.period = narrow(period, &condition.state);
    return condition;
}

/* The least n, not before the law's own start, from which on the size is at least `least`; the law grows. */
static wide reaches(const struct cp_law *law, int64_t least)
{
    wide n = ceil_divide((wide)law->period * least + law->below, law->increment);
    return n > law->from ? n : law->from;
}

static wide common_multiple(int64_t a, int64_t b)
{
    return (wide)a / cp_greatest_common_divisor(a, b) * b;
}

/* ---- Maps -------------------------------------------------------------------------------------------------------- */

static struct cp_condition map_constant(const struct cp_law *law, const struct cp_axis_map *map, struct cp_law *result)
{
    int64_t size;
    *result = constant_from(1, law->from);
    if (!map->apply(map->numbers, law->above, &size)) return false_from(law->from);
    *result = constant_from(size, law->from);
    return true_from(law->from);
}

/* Bounds of the map for i >= from: period·map(i) lies in [increment·i − below, increment·i + above], as it never
 * decreases. False on overflow. */
static bool map_bounds(const struct cp_axis_map *map, wide *below, wide *above)
{
    int64_t first, last;
    if (!map->apply(map->numbers, map->from, &first)) return false;
    if (!map->apply(map->numbers, map->from + map->period - 1, &last)) return false;
    *below = (wide)map->increment * (map->from + map->period - 1) - (wide)map->period * first;
    *above = (wide)map->period * last - (wide)map->increment * map->from;
    return *below < CP_MAX_COUNT && *above < CP_MAX_COUNT;
}

static struct cp_law map_growing(const struct cp_law *law, const struct cp_axis_map *map, int64_t from)
{
    wide below, above;
    if (!map_bounds(map, &below, &above)) return no_law(CP_LAW_TOO_LARGE);
    int64_t common = cp_greatest_common_divisor(map->period, law->increment);
    struct cp_law result = {.state = law->state, .from = from};
    wide period = (wide)law->period * (map->period / common);
    wide increment = (wide)(law->increment / common) * map->increment;
    below = ceil_divide((wide)map->increment * law->below + below * law->period, common);
    above = ceil_divide((wide)map->increment * law->above + above * law->period, common);
    result.period = narrow(period, &result.state);
    result.increment = narrow(increment, &result.state);
    result.below = narrow(below, &result.state);
    result.above = narrow(above, &result.state);
    return result.state == CP_LAW_TOO_LARGE ? no_law(CP_LAW_TOO_LARGE) : result;
}

struct cp_condition cp_law_map(const struct cp_law *law, const struct cp_axis_map *map, struct cp_law *result)
{
    if (is_constant(law)) return map_constant(law, map, result);
    *result = no_law(is_known(law) ? CP_LAW_APERIODIC : law->state);
    if (!is_known(law) || map->period == 0) return not_known(result->state);
    struct cp_condition reached = true_from(reaches(law, map->from));
    int64_t size;
    if (reached.state != CP_LAW_LINEAR) {
        *result = no_law(CP_LAW_TOO_LARGE);
    } else if (map->ends) {
        *result = constant_from(1, reached.from);
        reached = false_from(reached.from);
    } else if (map->increment) {
        *result = map_growing(law, map, reached.from);
    } else if (map->apply(map->numbers, map->from, &size)) {
        *result = constant_from(size, reached.from);
    }
    return reached;
}

/* ---- Sums and products ------------------------------------------------------------------------------------------- */

static struct cp_law checked(struct cp_law law, wide period, wide increment, wide below, wide above)
{
    law.period = narrow(period, &law.state);
    law.increment = narrow(increment, &law.state);
    law.below = narrow(below, &law.state);
    law.above = law.state == CP_LAW_STEEP ? 0 : narrow(above, &law.state);
    return law.state == CP_LAW_TOO_LARGE ? no_law(CP_LAW_TOO_LARGE) : law;
}

/* Of two growing sizes the one that bounds both from below the better: the steeper slope. */
static const struct cp_law *steeper(const struct cp_law *a, const struct cp_law *b)
{
    return (wide)a->increment * b->period >= (wide)b->increment * a->period ? a : b;
}

static struct cp_law steep_above(const struct cp_law *a, const struct cp_law *b)
{
    struct cp_law law = *steeper(a, b);
    law.state = CP_LAW_STEEP;
    law.from = larger(a->from, b->from);
    return law;
}

struct cp_law cp_law_sum(const struct cp_law *a, const struct cp_law *b)
{
    if (!is_known(a) || !is_known(b)) return worse_law(a, b);
    if (a->state == CP_LAW_STEEP || b->state == CP_LAW_STEEP) return steep_above(a, b);
    wide period = common_multiple(a->period, b->period);
    wide times_a = period / a->period, times_b = period / b->period;
    struct cp_law law = {.from = larger(a->from, b->from)};
    if (period > CP_MAX_COUNT) return no_law(CP_LAW_TOO_LARGE);
    return checked(law, period, times_a * a->increment + times_b * b->increment,
                   times_a * a->below + times_b * b->below, times_a * a->above + times_b * b->above);
}

struct cp_law cp_law_product(const struct cp_law *a, const struct cp_law *b)
{
    if (!is_known(a) || !is_known(b)) return worse_law(a, b);
    if (!is_constant(a) && !is_constant(b)) return steep_above(a, b);
    const struct cp_law *factor = is_constant(a) ? a : b, *other = factor == a ? b : a;
    wide times = factor->above;
    struct cp_law law = {.state = other->state, .from = larger(a->from, b->from)};
    return checked(law, other->period, times * other->increment, times * other->below, times * other->above);
}

/* ---- Conditions -------------------------------------------------------------------------------------------------- */

/* What makes two laws comparable: da and db are their slopes on a common denominator. */
struct comparison {
    wide slope_a, slope_b;
    int64_t from;
};

static struct comparison compare(const struct cp_law *a, const struct cp_law *b)
{
    return (struct comparison){(wide)a->increment * b->period, (wide)b->increment * a->period,
                               larger(a->from, b->from)};
}

/* The least n from which on a > b for sure, a being the steeper: P_a·P_b·(a − b) >= slope·n − gap. */
static wide overtakes(const struct cp_law *a, const struct cp_law *b, const struct comparison *both)
{
    wide gap = (wide)a->below * b->period + (wide)b->above * a->period;
    wide n = floor_divide(gap, both->slope_a - both->slope_b) + 1;
    return n > both->from ? n : both->from;
}

/* The same with the sides in the order in which the slopes are. False: the slopes are equal, or nothing is known. */
static bool parting(const struct cp_law *a, const struct cp_law *b, wide *n, bool *first_wins)
{
    struct comparison forward = compare(a, b), backward = compare(b, a);
    if (a->state == CP_LAW_STEEP && b->state == CP_LAW_STEEP) return false;
    *first_wins = a->state == CP_LAW_STEEP || (b->state != CP_LAW_STEEP && forward.slope_a > forward.slope_b);
    const struct comparison *both = *first_wins ? &forward : &backward;
    if (both->slope_a <= both->slope_b) return false;
    *n = *first_wins ? overtakes(a, b, both) : overtakes(b, a, both);
    return true;
}

static struct cp_condition incomparable(const struct cp_law *a, const struct cp_law *b)
{
    enum cp_law_state worst = a->state > b->state ? a->state : b->state;
    return not_known(worst == CP_LAW_STEEP ? CP_LAW_APERIODIC : worst);
}

struct cp_condition cp_law_equal(const struct cp_law *a, const struct cp_law *b)
{
    wide n;
    bool first_wins;
    if (!is_known(a) || !is_known(b)) return incomparable(a, b);
    if (parting(a, b, &n, &first_wins)) return false_from(n);
    if (a->state == CP_LAW_STEEP || b->state == CP_LAW_STEEP) return incomparable(a, b);
    return periodic_from(larger(a->from, b->from), common_multiple(a->period, b->period));
}

struct cp_condition cp_law_at_least(const struct cp_law *a, const struct cp_law *b)
{
    wide n;
    bool first_wins;
    if (!is_known(a) || !is_known(b)) return incomparable(a, b);
    if (parting(a, b, &n, &first_wins)) return first_wins ? true_from(n) : false_from(n);
    if (a->state == CP_LAW_STEEP || b->state == CP_LAW_STEEP) return incomparable(a, b);
    return periodic_from(larger(a->from, b->from), common_multiple(a->period, b->period));
}

struct cp_condition cp_law_congruent(const struct cp_law *a, int64_t modulus)
{
    if (a->state != CP_LAW_LINEAR) return incomparable(a, a);
    return periodic_from(a->from, (wide)a->period * (modulus / cp_greatest_common_divisor(a->increment, modulus)));
}

bool cp_law_stays_above(const struct cp_law *law, int64_t from, int64_t least)
{
    return is_known(law) && from >= law->from && (wide)law->increment * from - law->below >= (wide)law->period * least;
}

/* A constant against a growing size: nothing is left once that has passed both the constant and 1. */
static struct cp_condition broadcast_constant(const struct cp_law *constant, const struct cp_law *other,
                                              struct cp_law *result)
{
    *result = *other;
    result->from = larger(constant->from, other->from);
    if (constant->above == 1) return true_from(result->from);
    if (!is_constant(other)) {
        wide n = reaches(other, constant->above + 1);
        return false_from(n > constant->from ? n : constant->from);
    }
    if (other->above == 1) result->above = constant->above, result->below = -constant->above;
    return other->above == 1 || other->above == constant->above ? true_from(result->from) : false_from(result->from);
}

struct cp_condition cp_law_broadcast(const struct cp_law *a, const struct cp_law *b, struct cp_law *result)
{
    *result = worse_law(a, b);
    if (!is_known(a) || !is_known(b)) return incomparable(a, b);
    if (is_constant(a)) return broadcast_constant(a, b, result);
    if (is_constant(b)) return broadcast_constant(b, a, result);
    struct cp_condition equal = cp_law_equal(a, b);
    struct cp_condition past_one = true_from(reaches(a, 2)), past_one_too = true_from(reaches(b, 2));
    if (equal.end != CP_NO_END) equal.end = larger(equal.end, larger(past_one.from, past_one_too.from));
    equal = cp_condition_and(&equal, &past_one);
    equal = cp_condition_and(&equal, &past_one_too);
    *result = a->state == CP_LAW_LINEAR ? *a : *b;
    result->from = equal.from;
    return equal;
}

struct cp_condition cp_condition_and(const struct cp_condition *a, const struct cp_condition *b)
{
    struct cp_condition both = {.state = a->state > b->state ? a->state : b->state};
    both.from = larger(a->from, b->from);
    both.period = narrow(common_multiple(a->period, b->period), &both.state);
    both.end = a->end < b->end ? a->end : b->end;
    return both;
}
