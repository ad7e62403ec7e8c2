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

/* The range of divisor·(value − shift)/scale − slope·n over all n of the law: over one period, since it repeats from there
 * on. False when there is no n. */
static bool spread_of(const struct cp_size_law *law, const struct cp_size_form *form, int64_t *low, int64_t *high)
{
    bool any = false;
    for (int64_t n = 1; n < law->from + law->period; n++) {
        int64_t value = law->values_below[n], scaled, gap;
        if (!value) continue;
        value = (value - form->shift) / form->scale;
        if (!cp_multiply(form->divisor, value, &scaled) || !cp_multiply(-form->slope, n, &gap) ||
            !cp_add(scaled, gap, &gap))
            return false;
        if (!any || gap < *low) *low = gap;
        if (!any || gap > *high) *high = gap;
        any = true;
    }
    return any;
}

/* Find the offset of a form of which all else is known. */
static bool fit(const struct cp_size_law *law, struct cp_size_form *form)
{
    int64_t low = 0, high = 0;
    if (!spread_of(law, form, &low, &high) || high > low + form->divisor - 1) return false;
    int64_t most = low + form->divisor - 1; /* any offset in high … most will do; the nicest of them */
    form->exact = low == high;
    form->offset = high;
    if (form->exact || most == form->divisor - 1 || high > 0) return true;
    form->offset = most >= 0 ? 0 : most;
    return true;
}

/* With the slope of the law. */
static bool fit_growing(const struct cp_size_law *law, int64_t scale, int64_t shift, struct cp_size_form *form)
{
    int64_t increment = law->increment / scale, common = cp_greatest_common_divisor(increment, law->period);
    *form = (struct cp_size_form){
        .slope = increment / common, .divisor = law->period / common, .scale = scale, .shift = shift};
    return fit(law, form);
}

static bool fit_slope(const struct cp_size_law *law, int64_t slope, struct cp_size_form *form)
{
    *form = (struct cp_size_form){.slope = slope, .divisor = 1, .scale = 1};
    return fit(law, form);
}

/* The largest number by which all values differ by multiples, growth included; *first is one of them. */
static int64_t common_scale(const struct cp_size_law *law, int64_t *first)
{
    int64_t scale = law->increment;
    *first = 0;
    for (int64_t n = 1; n < law->from + law->period; n++) {
        int64_t value = law->values_below[n];
        if (value && *first)
            scale = cp_greatest_common_divisor(scale, value > *first ? value - *first : *first - value);
        if (value && !*first) *first = value;
    }
    return scale;
}

bool cp_size_law_form(const struct cp_size_law *law, struct cp_size_form *form)
{
    bool finite = true;
    for (int64_t at = 0; at < law->period && finite; at++) finite = law->values[at] == 0;
    if (finite) return fit_slope(law, 0, form) || fit_slope(law, 1, form);
    if (law->increment == 0) return fit_slope(law, 0, form);
    if (fit_growing(law, 1, 0, form)) return true;
    int64_t first, scale = common_scale(law, &first);
    return scale > 1 && fit_growing(law, scale, first % scale, form);
}
