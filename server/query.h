/* The query of a request target: name=value pairs, decoded, every error recorded. A parameter's place in a problem is
 * that of a member of its name: "/k". */
#ifndef CP_QUERY_H
#define CP_QUERY_H

#include "server/problem.h"

/* Parameters of one query: several times what any endpoint takes. */
#define CP_MAX_QUERY_PARAMETERS 64

struct cp_query {
    struct cp_problems *problems;
    struct {
        struct cp_text name, value;
    } parameters[CP_MAX_QUERY_PARAMETERS];
    int count;
};

/* Split and decode `text` ("a=1&b=%202", without the '?'; a plus is a space) into `query`. Records broken escapes,
 * parameters that are not among `known` (NULL-terminated, with the nearest of them), those that stand twice, and each of
 * the first `required_count` of `known` that is missing. */
void cp_query_read(struct cp_query *query, struct cp_text text, const char *const *known, int required_count,
                   struct cp_problems *problems);

/* The value of a parameter; no bytes where it is not given. */
struct cp_text cp_query_value(const struct cp_query *query, const char *name);

/* An integer of [least, most] in decimal digits, or `otherwise` where it is not given or wrong. */
int64_t cp_query_integer(const struct cp_query *query, const char *name, int64_t least, int64_t most,
                         int64_t otherwise);

/* One number for all of `axes` axes, or a list of one per axis with commas; as above. False where it is not given or
 * wrong: the values are then as before. */
bool cp_query_per_axis(const struct cp_query *query, const char *name, int axes, int64_t least, int64_t *values);

/* The same, where each number may be begin:end for the two sides of an axis. */
bool cp_query_sides(const struct cp_query *query, const char *name, int axes, int64_t least, int64_t *begin,
                    int64_t *end);

/* The index of the value among `words` (NULL-terminated, empty ones do not count), or `otherwise`. */
int cp_query_word(const struct cp_query *query, const char *name, const char *const *words, int otherwise);

/* true or false, or false where it is not given or wrong. */
bool cp_query_boolean(const struct cp_query *query, const char *name);

/* Record that a parameter's value is not as it should be: "expected …, got …". */
void cp_query_wrong(const struct cp_query *query, enum cp_code code, const char *name, struct cp_text expected);

/* Percent-decoding, of a path or of a query, where a plus is a space. False for a broken escape or an encoded zero
 * byte. */
bool cp_percent_decode(struct cp_arena *arena, struct cp_text raw, bool plus_is_space, struct cp_text *decoded);

#endif
