#include "server/query.h"

#include "core/nearest.h"

/* ---- Decoding ----------------------------------------------------------------------------------------------------- */

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}

bool cp_percent_decode(struct cp_arena *arena, struct cp_text raw, bool plus_is_space, struct cp_text *decoded)
{
    *decoded = raw;
    bool escapes =
        raw.size && (memchr(raw.bytes, '%', raw.size) || (plus_is_space && memchr(raw.bytes, '+', raw.size)));
    if (!escapes) return true;
    char *bytes = cp_arena_take(arena, raw.size, 1);
    size_t size = 0;
    for (size_t at = 0; at < raw.size; at++) {
        if (raw.bytes[at] != '%') {
            bytes[size++] = plus_is_space && raw.bytes[at] == '+' ? ' ' : raw.bytes[at];
            continue;
        }
        int high = at + 2 < raw.size ? hex_value(raw.bytes[at + 1]) : -1;
        int low = at + 2 < raw.size ? hex_value(raw.bytes[at + 2]) : -1;
        if (high < 0 || low < 0 || high + low == 0) return false;
        bytes[size++] = (char)(16 * high + low);
        at += 2;
    }
    *decoded = (struct cp_text){bytes, size};
    return true;
}

/* The part before `separator`; *rest becomes what follows it, and *more tells whether there was one. */
static struct cp_text cut(struct cp_text *rest, char separator, bool *more)
{
    struct cp_text part = *rest;
    const char *end = part.size ? memchr(part.bytes, separator, part.size) : NULL;
    *more = end != NULL;
    if (!end) {
        *rest = (struct cp_text){part.bytes + part.size, 0};
        return part;
    }
    part.size = (size_t)(end - part.bytes);
    rest->bytes = end + 1;
    rest->size -= part.size + 1;
    return part;
}

/* ---- Parameters --------------------------------------------------------------------------------------------------- */

static const struct cp_path root = {0};

static struct cp_text known_at(const void *list, int64_t index)
{
    return cp_text_of(((const char *const *)list)[index]);
}

static int find(const struct cp_query *query, struct cp_text name)
{
    for (int at = 0; at < query->count; at++)
        if (cp_text_equal(query->parameters[at].name, name)) return at;
    return -1;
}

static void refuse_unknown(struct cp_query *query, struct cp_text name, const char *const *known, int known_count)
{
    struct cp_path at = CP_PATH_MEMBER(&root, name);
    struct cp_arena *arena = query->problems->arena;
    int64_t nearest = cp_nearest(name, known_count, known_at, known);
    struct cp_text hint = nearest < 0 ? CP_TEXT("known are") : cp_did_you_mean(arena, known_at(known, nearest));
    for (int index = 0; nearest < 0 && index < known_count; index++)
        hint =
            cp_message(arena, index ? "{0}, `{1}`" : "{0} `{1}`", CP_ARGUMENTS(cp_name(hint), cp_words(known[index])));
    cp_problem_add(query->problems, CP_CODE_unknown_parameter, &at, CP_ARGUMENTS(cp_name(name), cp_name(hint)));
}

static void add_parameter(struct cp_query *query, struct cp_text name, struct cp_text value, const char *const *known)
{
    struct cp_path at = CP_PATH_MEMBER(&root, name);
    int known_count = 0;
    bool is_known = false;
    for (; known[known_count]; known_count++) is_known = is_known || cp_text_is(name, known[known_count]);
    if (!is_known) {
        refuse_unknown(query, name, known, known_count);
    } else if (find(query, name) >= 0) {
        cp_problem_add(query->problems, CP_CODE_duplicate_parameter, &at, CP_ARGUMENTS(cp_name(name)));
    } else {
        query->parameters[query->count].name = name;
        query->parameters[query->count++].value = value;
    }
}

void cp_query_read(struct cp_query *query, struct cp_text text, const char *const *known, int required_count,
                   struct cp_problems *problems)
{
    query->problems = problems;
    query->count = 0;
    bool broken = false;
    for (bool more = text.size > 0; more;) {
        bool valued;
        struct cp_text value = cut(&text, '&', &more);
        struct cp_text name = cut(&value, '=', &valued);
        if (name.size == 0 && !valued) continue;
        if (cp_percent_decode(problems->arena, name, true, &name) &&
            cp_percent_decode(problems->arena, value, true, &value))
            add_parameter(query, name, value, known);
        else
            broken = true;
    }
    if (broken)
        cp_problem_add(problems, CP_CODE_bad_request, NULL,
                       CP_ARGUMENTS(cp_words("the query has a broken percent-escape"), cp_words("")));
    /* What is broken may be what would be missing. */
    for (int at = 0; !broken && at < required_count; at++)
        if (find(query, cp_text_of(known[at])) < 0)
            cp_problem_add(problems, CP_CODE_missing_parameter, &root, CP_ARGUMENTS(cp_words(known[at])));
}

struct cp_text cp_query_value(const struct cp_query *query, const char *name)
{
    int at = find(query, cp_text_of(name));
    return at < 0 ? (struct cp_text){0} : query->parameters[at].value;
}

/* ---- Values ------------------------------------------------------------------------------------------------------- */

void cp_query_wrong(const struct cp_query *query, enum cp_code code, const char *name, struct cp_text expected)
{
    struct cp_path at = CP_PATH_MEMBER(&root, cp_text_of(name));
    struct cp_text value = cp_shown_string(query->problems->arena, cp_query_value(query, name));
    cp_problem_add(query->problems, code, &at, CP_ARGUMENTS(cp_name(expected), cp_name(value)));
}

/* Decimal digits, maybe after a minus. What has too many of them becomes one more than any count. */
static bool parse_integer(struct cp_text text, int64_t *number)
{
    bool negative = text.size && *text.bytes == '-';
    int64_t magnitude = 0;
    if (text.size <= negative) return false;
    for (size_t at = negative; at < text.size; at++) {
        if (text.bytes[at] < '0' || text.bytes[at] > '9') return false;
        if (magnitude <= CP_MAX_COUNT) magnitude = 10 * magnitude + (text.bytes[at] - '0');
    }
    if (magnitude > CP_MAX_COUNT) magnitude = CP_MAX_COUNT + 1;
    *number = negative ? -magnitude : magnitude;
    return true;
}

static struct cp_text range_words(const struct cp_query *query, int64_t least, int64_t most)
{
    return cp_message(query->problems->arena,
                      most == CP_MAX_COUNT ? "an integer from {0} to 2^53 − 1" : "an integer from {0} to {1}",
                      CP_ARGUMENTS(cp_number(least), cp_number(most)));
}

int64_t cp_query_integer(const struct cp_query *query, const char *name, int64_t least, int64_t most, int64_t otherwise)
{
    int64_t number = otherwise;
    if (find(query, cp_text_of(name)) < 0) return otherwise;
    if (!parse_integer(cp_query_value(query, name), &number)) {
        cp_query_wrong(query, CP_CODE_wrong_type, name, range_words(query, least, most));
        return otherwise;
    }
    if (number >= least && number <= most) return number;
    cp_query_wrong(query, CP_CODE_out_of_range, name, range_words(query, least, most));
    return otherwise;
}

static struct cp_text list_words(const struct cp_query *query, int axes, bool sided)
{
    const char *pattern =
        sided ? "a number or begin:end, or {0} of these with a comma" : "one number, or {0} with a comma";
    if (axes == 1) return sided ? CP_TEXT("a number, or begin:end") : CP_TEXT("a number, as there is one axis");
    return cp_message(query->problems->arena, pattern, CP_ARGUMENTS(cp_number(axes)));
}

/* A number, or, for `sided` ones, begin:end. */
static bool parse_sides(struct cp_text text, bool sided, int64_t *begin, int64_t *end)
{
    bool two;
    struct cp_text first = cut(&text, ':', &two);
    if (!parse_integer(first, begin) || (two && !sided)) return false;
    *end = *begin;
    return !two || parse_integer(text, end);
}

static bool read_list(const struct cp_query *query, const char *name, int axes, bool sided, int64_t least,
                      int64_t *begin, int64_t *end)
{
    struct cp_text rest = cp_query_value(query, name);
    int64_t begins[CP_MAX_AXES], ends[CP_MAX_AXES];
    int count = 0;
    bool in_range = true;
    if (find(query, cp_text_of(name)) < 0) return false;
    for (bool more = true; more; count++) {
        int64_t first, last;
        if (!parse_sides(cut(&rest, ',', &more), sided, &first, &last)) {
            cp_query_wrong(query, CP_CODE_wrong_type, name, list_words(query, axes, sided));
            return false;
        }
        in_range = in_range && first >= least && last >= least && first <= CP_MAX_COUNT && last <= CP_MAX_COUNT;
        if (count < axes) begins[count] = first, ends[count] = last;
    }
    if (count != 1 && count != axes) {
        cp_query_wrong(query, CP_CODE_wrong_length, name, list_words(query, axes, sided));
        return false;
    }
    if (!in_range) {
        cp_query_wrong(query, CP_CODE_out_of_range, name, range_words(query, least, CP_MAX_COUNT));
        return false;
    }
    for (int axis = 0; axis < axes; axis++) {
        begin[axis] = begins[count == 1 ? 0 : axis];
        end[axis] = ends[count == 1 ? 0 : axis];
    }
    return true;
}

bool cp_query_per_axis(const struct cp_query *query, const char *name, int axes, int64_t least, int64_t *values)
{
    int64_t same[CP_MAX_AXES];
    return read_list(query, name, axes, false, least, values, same);
}

bool cp_query_sides(const struct cp_query *query, const char *name, int axes, int64_t least, int64_t *begin,
                    int64_t *end)
{
    return read_list(query, name, axes, true, least, begin, end);
}

int cp_query_word(const struct cp_query *query, const char *name, const char *const *words, int otherwise)
{
    struct cp_text value = cp_query_value(query, name);
    struct cp_path at = CP_PATH_MEMBER(&root, cp_text_of(name));
    struct cp_arena *arena = query->problems->arena;
    struct cp_text list = {0};
    int count = 0;
    if (find(query, cp_text_of(name)) < 0) return otherwise;
    for (; words[count]; count++) {
        if (*words[count] == '\0') continue;
        if (cp_text_is(value, words[count])) return count;
        list = cp_message(arena, list.size ? "{0}, {1}" : "{1}", CP_ARGUMENTS(cp_name(list), cp_words(words[count])));
    }
    int64_t nearest = cp_nearest(value, count, known_at, words);
    struct cp_text hint = cp_did_you_mean(arena, nearest < 0 ? (struct cp_text){0} : known_at(words, nearest));
    cp_problem_add(query->problems, CP_CODE_unknown_word, &at,
                   CP_ARGUMENTS(cp_name(value), cp_name(list), cp_name(hint)));
    return otherwise;
}

bool cp_query_boolean(const struct cp_query *query, const char *name)
{
    static const char *const words[] = {"false", "true", NULL};
    return cp_query_word(query, name, words, 0) == 1;
}
