/* Members of layers, one function per type of the member tables. */
#include <math.h>

#include "core/nearest.h"
#include "server/reading.h"

struct place {
    struct cp_reader *reader;
    const struct cp_path *at;
    const struct cp_member *member;
    int axes;
};

void cp_read_wrong(struct cp_reader *reader, enum cp_code code, const struct cp_path *at, const char *expected,
                   const struct cp_json *got)
{
    bool full = cp_problems_full(&reader->problems);
    struct cp_text shown = full ? (struct cp_text){0} : cp_describe_json(reader->arena, got);
    cp_problem_add(&reader->problems, code, at, CP_ARGUMENTS(cp_words(expected), cp_name(shown)));
}

static void wrong_type(const struct place *place, const char *expected, const struct cp_json *got)
{
    cp_read_wrong(place->reader, CP_CODE_wrong_type, place->at, expected, got);
}

static void out_of_range(const struct place *place, int64_t least, int64_t most, bool nonzero,
                         const struct cp_json *got)
{
    const char *pattern = most == CP_MAX_COUNT ? least == -CP_MAX_COUNT ? "an integer of at most 2^53 − 1 in size"
                                                                        : "an integer from {0} to 2^53 − 1"
                                               : "an integer from {0} to {1}";
    struct cp_arena *arena = place->reader->arena;
    struct cp_text expected = cp_message(arena, pattern, CP_ARGUMENTS(cp_number(least), cp_number(most)));
    if (nonzero) expected = cp_message(arena, "{0}, not 0", CP_ARGUMENTS(cp_name(expected)));
    cp_problem_add(&place->reader->problems, CP_CODE_out_of_range, place->at,
                   CP_ARGUMENTS(cp_name(expected), cp_name(cp_describe_json(arena, got))));
}

static int64_t most_of(const struct cp_member *member)
{
    return member->maximum ? member->maximum : CP_MAX_COUNT;
}

/* One integer within the member's range. */
static bool is_integer_of(const struct cp_member *member, const struct cp_json *value, int64_t *integer)
{
    return cp_json_integer(value, integer) && *integer >= member->minimum && *integer <= most_of(member) &&
           !(member->nonzero && *integer == 0);
}

/* Says why the value is no integer of the member's. */
__attribute__((cold, noinline)) static void refuse_integer(const struct place *place, const struct cp_json *value)
{
    const struct cp_member *member = place->member;
    bool whole = cp_json_type(value) == CP_JSON_NUMBER && cp_json_number(value) == floor(cp_json_number(value));
    if (whole)
        out_of_range(place, member->minimum, most_of(member), member->nonzero, value);
    else
        wrong_type(place, "an integer", value);
}

/* False, and *integer as it was, after recording why not. */
static bool read_integer(const struct place *place, const struct cp_json *value, int64_t *integer)
{
    int64_t read;
    bool right = is_integer_of(place->member, value, &read);
    if (right)
        *integer = read;
    else
        refuse_integer(place, value);
    return right;
}

static void fill_axes(int64_t integers[CP_MAX_AXES], int axes, int64_t all)
{
    for (int axis = 0; axis < axes; axis++) integers[axis] = all;
}

bool cp_read_plain_integer(const struct cp_json *value, const struct cp_member *member, int axes, void *parameters)
{
    void *target = (char *)parameters + member->offset;
    struct cp_padding *padding = target;
    int64_t integer;
    if (!is_integer_of(member, value, &integer)) return false;
    switch (member->type) {
    case CP_MEMBER_INTEGER: *(int64_t *)target = integer; return true;
    case CP_MEMBER_AXES: fill_axes(target, axes, integer); return true;
    case CP_MEMBER_PADDING:
    case CP_MEMBER_BORDERS:
        fill_axes(padding->begin, axes, integer);
        fill_axes(padding->end, axes, integer);
        return true;
    default: return false;
    }
}

static void wrong_length(const struct place *place, const char *pattern, int64_t length, const struct cp_json *got)
{
    struct cp_text expected = cp_message(place->reader->arena, pattern, CP_ARGUMENTS(cp_number(length)));
    cp_problem_add(&place->reader->problems, CP_CODE_wrong_length, place->at,
                   CP_ARGUMENTS(cp_name(expected), cp_name(cp_describe_json(place->reader->arena, got))));
}

/* The elements of a list by read_integer; `null` gives 0 where `nulls` allows it. */
static void read_integers(const struct place *place, const struct cp_json *list, bool nulls, int64_t *integers)
{
    int64_t index = 0;
    for (const struct cp_json *value = cp_json_first(list); value; value = cp_json_next(value), index++) {
        struct cp_path element = CP_PATH_INDEX(place->at, index);
        struct place inner = {place->reader, &element, place->member, place->axes};
        if (nulls && cp_json_type(value) == CP_JSON_NULL)
            integers[index] = 0;
        else
            (void)!read_integer(&inner, value, &integers[index]);
    }
}

static void read_axes(const struct place *place, const struct cp_json *value, int64_t *integers)
{
    if (cp_json_type(value) == CP_JSON_NUMBER)
        refuse_integer(place, value);
    else if (cp_json_type(value) != CP_JSON_ARRAY)
        wrong_type(place, "an integer or a list with one per axis", value);
    else if (cp_json_count(value) != (size_t)place->axes)
        wrong_length(place, "one value for each of {0} axes", place->axes, value);
    else
        read_integers(place, value, place->member->open_axes, integers);
}

/* ---- Words -------------------------------------------------------------------------------------------------------- */

static struct cp_text word_at(const void *list, int64_t index)
{
    return cp_text_of(((const char *const *)list)[index]);
}

/* The index of the word, or -1 after recording that it is none. */
static int read_word(const struct place *place, const struct cp_json *value)
{
    const char *const *words = place->member->words;
    struct cp_text written = cp_json_text(value), list = {0};
    struct cp_arena *arena = place->reader->arena;
    int count = 0;
    for (; words[count]; count++) {
        if (!words[count][0]) continue;
        if (cp_text_is(written, words[count])) return count;
        list = cp_message(arena, list.size ? "{0}, \"{1}\"" : "{0}\"{1}\"",
                          CP_ARGUMENTS(cp_name(list), cp_words(words[count])));
    }
    int64_t nearest = cp_nearest(written, count, word_at, words);
    struct cp_text meant = nearest < 0 ? (struct cp_text){0} : cp_text_of(words[nearest]);
    cp_problem_add(&place->reader->problems, CP_CODE_unknown_word, place->at,
                   CP_ARGUMENTS(cp_name(written), cp_name(list), cp_name(cp_did_you_mean(arena, meant))));
    return -1;
}

/* ---- Padding ------------------------------------------------------------------------------------------------------ */

static void read_pair(const struct place *place, const struct cp_json *value, int64_t *begin, int64_t *end)
{
    int64_t pair[2] = {0, 0};
    if (cp_json_type(value) != CP_JSON_ARRAY) {
        wrong_type(place, "a [begin, end] pair", value);
        return;
    }
    if (cp_json_count(value) != 2) {
        wrong_length(place, "a [begin, end] pair", 2, value);
        return;
    }
    read_integers(place, value, false, pair);
    *begin = pair[0];
    *end = pair[1];
}

static void read_pairs(const struct place *place, const struct cp_json *list, struct cp_padding *padding)
{
    int64_t axis = 0;
    if (cp_json_count(list) != (size_t)place->axes) {
        wrong_length(place, "one [begin, end] pair for each of {0} axes", place->axes, list);
        return;
    }
    for (const struct cp_json *value = cp_json_first(list); value; value = cp_json_next(value), axis++) {
        struct cp_path element = CP_PATH_INDEX(place->at, axis);
        struct place inner = {place->reader, &element, place->member, place->axes};
        read_pair(&inner, value, &padding->begin[axis], &padding->end[axis]);
    }
}

static void read_padding_list(const struct place *place, const struct cp_json *list, struct cp_padding *padding)
{
    const struct cp_json *first = cp_json_first(list);
    if (first && cp_json_type(first) == CP_JSON_ARRAY) {
        read_pairs(place, list, padding);
        return;
    }
    if (cp_json_count(list) != (size_t)place->axes) {
        wrong_length(place, "one value or [begin, end] pair for each of {0} axes", place->axes, list);
        return;
    }
    read_integers(place, list, false, padding->begin);
    memcpy(padding->end, padding->begin, sizeof padding->end);
}

static void read_padding(const struct place *place, const struct cp_json *value, struct cp_padding *padding)
{
    int word;
    switch (cp_json_type(value)) {
    case CP_JSON_NUMBER: refuse_integer(place, value); break;
    case CP_JSON_ARRAY: read_padding_list(place, value, padding); break;
    case CP_JSON_STRING:
        word = read_word(place, value);
        if (word >= 0) padding->mode = (enum cp_padding_mode)(CP_PAD_VALID + word);
        break;
    default: wrong_type(place, "an integer, a list, [begin, end] pairs or a word", value); break;
    }
}

/* PyTorch's flat list: last axis first, begin before end. */
static void read_flat_borders(const struct place *place, const struct cp_json *list, struct cp_padding *padding)
{
    int64_t flat[2 * CP_MAX_AXES] = {0};
    if (cp_json_count(list) != 2 * (size_t)place->axes) {
        wrong_length(place, "{0} values (begin and end of each axis, last axis first), or [begin, end] pairs",
                     2 * (int64_t)place->axes, list);
        return;
    }
    read_integers(place, list, false, flat);
    for (int axis = 0; axis < place->axes; axis++) {
        padding->begin[axis] = flat[2 * (place->axes - 1 - axis)];
        padding->end[axis] = flat[2 * (place->axes - 1 - axis) + 1];
    }
}

static void read_borders(const struct place *place, const struct cp_json *value, struct cp_padding *padding)
{
    const struct cp_json *first;
    switch (cp_json_type(value)) {
    case CP_JSON_NUMBER: refuse_integer(place, value); break;
    case CP_JSON_ARRAY:
        first = cp_json_first(value);
        if (first && cp_json_type(first) == CP_JSON_ARRAY)
            read_pairs(place, value, padding);
        else
            read_flat_borders(place, value, padding);
        break;
    default: wrong_type(place, "an integer, a flat list or [begin, end] pairs", value); break;
    }
}

/* ---- Lists of sizes, numbers -------------------------------------------------------------------------------------- */

static void to_channels_first(struct cp_sizes *sizes)
{
    struct cp_shape shape = {.rank = sizes->count};
    memcpy(shape.size, sizes->at, sizeof shape.size);
    shape = cp_shape_from_channels_last(&shape);
    memcpy(sizes->at, shape.size, sizeof sizes->at);
}

static void read_sizes(const struct place *place, const struct cp_json *value, struct cp_sizes *sizes)
{
    bool whole = place->member->type == CP_MEMBER_SHAPE;
    if (cp_json_type(value) == CP_JSON_NUMBER && !whole) {
        sizes->scalar = read_integer(place, value, &sizes->at[0]);
        sizes->count = sizes->scalar;
        for (int at = 1; at < CP_MAX_RANK; at++) sizes->at[at] = sizes->at[0];
        return;
    }
    size_t count = cp_json_count(value);
    if (cp_json_type(value) != CP_JSON_ARRAY) {
        wrong_type(place, whole ? "a list of sizes" : "an integer or a list of them", value);
        return;
    }
    if (count < 1 || count > CP_MAX_RANK) {
        wrong_length(place, "1 to {0} values", CP_MAX_RANK, value);
        return;
    }
    sizes->count = (int)count;
    read_integers(place, value, false, sizes->at);
    if (whole && place->reader->channels_last) to_channels_first(sizes);
}

static bool read_factor(const struct place *place, const struct cp_json *value, double *factor)
{
    if (cp_json_type(value) != CP_JSON_NUMBER || cp_json_number(value) <= 0) {
        cp_read_wrong(place->reader, cp_json_type(value) == CP_JSON_NUMBER ? CP_CODE_out_of_range : CP_CODE_wrong_type,
                      place->at, "a number above 0", value);
        return false;
    }
    *factor = cp_json_number(value);
    return true;
}

static void read_factors(const struct place *place, const struct cp_json *value, struct cp_factors *factors)
{
    if (cp_json_type(value) == CP_JSON_NUMBER) {
        factors->scalar = read_factor(place, value, &factors->at[0]);
        factors->count = factors->scalar;
        for (int axis = 1; axis < CP_MAX_AXES; axis++) factors->at[axis] = factors->at[0];
        return;
    }
    size_t count = cp_json_count(value);
    if (cp_json_type(value) != CP_JSON_ARRAY) {
        wrong_type(place, "a number above 0, or a list with one per axis", value);
        return;
    }
    if (count < 1 || count > CP_MAX_AXES) {
        wrong_length(place, "1 to {0} values", CP_MAX_AXES, value);
        return;
    }
    factors->count = (int)count;
    int64_t index = 0;
    for (const struct cp_json *next = cp_json_first(value); next; next = cp_json_next(next), index++) {
        struct cp_path element = CP_PATH_INDEX(place->at, index);
        struct place inner = {place->reader, &element, place->member, place->axes};
        (void)!read_factor(&inner, next, &factors->at[index]);
    }
}

static void read_number(const struct place *place, const struct cp_json *value, double *number)
{
    const struct cp_member *member = place->member;
    if (cp_json_type(value) != CP_JSON_NUMBER) {
        wrong_type(place, "a number", value);
        return;
    }
    double read = cp_json_number(value);
    if (member->maximum && (read < (double)member->minimum || read > (double)member->maximum)) {
        struct cp_text expected = cp_message(place->reader->arena, "a number from {0} to {1}",
                                             CP_ARGUMENTS(cp_number(member->minimum), cp_number(member->maximum)));
        cp_problem_add(&place->reader->problems, CP_CODE_out_of_range, place->at,
                       CP_ARGUMENTS(cp_name(expected), cp_name(cp_describe_json(place->reader->arena, value))));
        return;
    }
    *number = read;
}

static void read_boolean(const struct place *place, const struct cp_json *value, bool *boolean)
{
    if (cp_json_type(value) == CP_JSON_TRUE || cp_json_type(value) == CP_JSON_FALSE)
        *boolean = cp_json_type(value) == CP_JSON_TRUE;
    else
        wrong_type(place, "true or false", value);
}

static void read_reference(const struct place *place, const struct cp_json *value, struct cp_layer_reference *reference)
{
    if (cp_json_type(value) == CP_JSON_STRING && cp_json_text(value).size)
        reference->name = cp_json_text(value);
    else
        wrong_type(place, "the name of an earlier layer", value);
}

void cp_read_layer_member(struct cp_reader *reader, const struct cp_json *value, const struct cp_path *at,
                          const struct cp_member *member, int axes, void *parameters)
{
    struct place place = {reader, at, member, axes};
    void *target = (char *)parameters + member->offset;
    if (member->nullable && cp_json_type(value) == CP_JSON_NULL) return;
    if (cp_read_plain_integer(value, member, axes, parameters)) return;
    switch (member->type) {
    case CP_MEMBER_INTEGER: refuse_integer(&place, value); break;
    case CP_MEMBER_AXES: read_axes(&place, value, target); break;
    case CP_MEMBER_BOOLEAN: read_boolean(&place, value, target); break;
    case CP_MEMBER_NUMBER: read_number(&place, value, target); break;
    case CP_MEMBER_PADDING: read_padding(&place, value, target); break;
    case CP_MEMBER_BORDERS: read_borders(&place, value, target); break;
    case CP_MEMBER_SIZES:
    case CP_MEMBER_SHAPE: read_sizes(&place, value, target); break;
    case CP_MEMBER_FACTORS: read_factors(&place, value, target); break;
    case CP_MEMBER_LAYER: read_reference(&place, value, target); break;
    case CP_MEMBER_WORD:
        if (cp_json_type(value) == CP_JSON_STRING) {
            int word = read_word(&place, value);
            if (word >= 0) *(int *)target = word;
        } else {
            wrong_type(&place, "a word", value);
        }
        break;
    }
}
