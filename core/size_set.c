#include "core/size_set.h"

#include "core/checked.h"

/* ---- Canonical form ----------------------------------------------------------------------------------------------- */

static bool repeats(const bool *works, int64_t from, int64_t period, int64_t shorter)
{
    for (int64_t n = from; n + shorter < from + period; n++)
        if (works[n] != works[n + shorter]) return false;
    return true;
}

/* Each prime factor of the period as often as the pattern still repeats without it. */
static int64_t shortest_period(const bool *works, int64_t from, int64_t period)
{
    int64_t shortest = period, rest = period;
    for (int64_t prime = 2; rest > 1; prime++) {
        if (prime * prime > rest) prime = rest;
        for (; rest % prime == 0; rest /= prime)
            if (repeats(works, from, shortest, shortest / prime)) shortest /= prime;
    }
    return shortest;
}

void cp_size_set_reduce(struct cp_size_set *set, const bool *works, int64_t from, int64_t period)
{
    *set = (struct cp_size_set){.period = shortest_period(works, from, period), .from = from, .works = works};
    while (set->from > 1 && works[set->from - 1] == works[set->from - 1 + set->period]) set->from--;
    for (int64_t n = set->from + set->period - 1; n >= 1; n--) {
        if (!works[n]) continue;
        set->minimum = n;
        if (n >= set->from)
            set->residue_count++;
        else
            set->exception_count++;
    }
}

/* ---- Asking ------------------------------------------------------------------------------------------------------- */

bool cp_size_set_has(const struct cp_size_set *set, int64_t n)
{
    return set->works[n < set->from ? n : set->from + (n - set->from) % set->period];
}

bool cp_size_set_has_residue(const struct cp_size_set *set, int64_t residue)
{
    return set->works[set->from + cp_floor_remainder(residue - set->from, set->period)];
}

int64_t cp_size_set_below(const struct cp_size_set *set, int64_t limit, bool inside)
{
    bool none_periodic = set->residue_count == (inside ? 0 : set->period);
    int64_t n = limit;
    if (n >= set->from) {
        int64_t last = none_periodic ? set->from - 1 : n - set->period;
        if (last < set->from - 1) last = set->from - 1;
        for (; n > last && !none_periodic; n--)
            if (cp_size_set_has(set, n) == inside) return n;
        n = set->from - 1;
    }
    while (n >= 1 && set->works[n] != inside) n--;
    return n < 1 ? 0 : n;
}

int64_t cp_size_set_above(const struct cp_size_set *set, int64_t limit, bool inside)
{
    int64_t n = limit < 1 ? 1 : limit;
    for (; n < set->from; n++)
        if (set->works[n] == inside) return n;
    for (int64_t end = n + set->period; n < end; n++)
        if (cp_size_set_has(set, n) == inside) return n <= CP_MAX_COUNT ? n : 0;
    return 0;
}

/* ---- Laws --------------------------------------------------------------------------------------------------------- */

static bool follows(int64_t value, int64_t later, int64_t increment)
{
    return value ? later == value + increment : later == 0;
}

static bool law_repeats(const int64_t *values, int64_t from, int64_t period, int64_t shorter, int64_t increment)
{
    for (int64_t n = from; n + shorter < from + period; n++)
        if (!follows(values[n], values[n + shorter], increment)) return false;
    return true;
}

void cp_size_law_reduce(struct cp_size_law *law, const int64_t *values, int64_t from, int64_t period, int64_t increment)
{
    int64_t rest = period;
    for (int64_t prime = 2; rest > 1; prime++) {
        if (prime * prime > rest) prime = rest;
        for (; rest % prime == 0; rest /= prime) {
            bool divides = increment % prime == 0;
            if (!divides || !law_repeats(values, from, period, period / prime, increment / prime)) continue;
            period /= prime;
            increment /= prime;
        }
    }
    while (from > 1 && follows(values[from - 1], values[from - 1 + period], increment)) from--;
    bool any = false;
    for (int64_t n = from; n < from + period; n++) any = any || values[n];
    *law = (struct cp_size_law){.period = period,
                                .from = from,
                                .increment = any ? increment : 0,
                                .values = values + from,
                                .values_below = values};
}

/* The range of divisor·value − slope·n over all n of the law: over one period, since it repeats from there on. False
 * when there is no n. */
static bool spread_of(const struct cp_size_law *law, int64_t slope, int64_t divisor, int64_t *low, int64_t *high)
{
    bool any = false;
    for (int64_t n = 1; n < law->from + law->period; n++) {
        int64_t value = law->values_below[n], scaled, gap;
        if (!value) continue;
        if (!cp_multiply(divisor, value, &scaled) || !cp_multiply(-slope, n, &gap) || !cp_add(scaled, gap, &gap))
            return false;
        if (!any || gap < *low) *low = gap;
        if (!any || gap > *high) *high = gap;
        any = true;
    }
    return any;
}

static bool fit(const struct cp_size_law *law, int64_t slope, int64_t divisor, struct cp_size_form *form)
{
    int64_t low = 0, high = 0;
    if (!spread_of(law, slope, divisor, &low, &high) || high > low + divisor - 1) return false;
    *form = (struct cp_size_form){slope, high, divisor, low == high};
    int64_t most = low + divisor - 1; /* any offset in high … most will do; the nicest of them */
    if (form->exact) return true;
    if (high <= 0 && most >= 0)
        form->offset = 0;
    else if (most == divisor - 1 || high > 0)
        form->offset = high;
    else
        form->offset = most;
    return true;
}

bool cp_size_law_form(const struct cp_size_law *law, struct cp_size_form *form)
{
    int64_t common = cp_greatest_common_divisor(law->increment, law->period);
    bool finite = true;
    for (int64_t at = 0; at < law->period && finite; at++) finite = law->values[at] == 0;
    if (!finite && common > 0) return fit(law, law->increment / common, law->period / common, form);
    return fit(law, 0, 1, form) || fit(law, 1, 1, form);
}
