#include "server/http/origins.h"

#include <stdio.h>

static const char separators[] = ", \t";

/* The next element of the list; empty at its end. */
static struct cp_text next_of(const char **list)
{
    const char *start = *list + strspn(*list, separators);
    size_t size = strcspn(start, separators);
    *list = start + size;
    return (struct cp_text){start, size};
}

/* scheme://authority, in small letters as browsers send it, and nothing behind it. */
static bool is_origin(struct cp_text text)
{
    static const char signs[] = "abcdefghijklmnopqrstuvwxyz0123456789-.:[]_+";
    const char *mark = memchr(text.bytes, ':', text.size);
    size_t scheme = mark ? (size_t)(mark - text.bytes) : 0;
    if (!scheme || text.size < scheme + 4 || memcmp(mark, "://", 3) != 0) return false;
    for (size_t at = 0; at < text.size; at++) {
        bool slash = at == scheme + 1 || at == scheme + 2;
        if (!slash && !memchr(signs, text.bytes[at], sizeof signs - 1)) return false;
    }
    return true;
}

bool cp_origins_check(const char *list, char *error, size_t error_size)
{
    for (struct cp_text origin = next_of(&list); origin.size; origin = next_of(&list)) {
        if (cp_text_is(origin, "*") || is_origin(origin)) continue;
        int shown = origin.size > 100 ? 100 : (int)origin.size;
        snprintf(error, error_size, "--cors-origin cannot be \"%.*s\"; it takes * or origins such as %s", shown,
                 origin.bytes, "https://example.org or http://localhost:3000, without a path, separated by commas");
        return false;
    }
    return true;
}

bool cp_origins_hold(const char *list, struct cp_text origin)
{
    for (struct cp_text allowed = next_of(&list); allowed.size; allowed = next_of(&list))
        if (cp_text_is(allowed, "*") || cp_text_equal(allowed, origin)) return true;
    return false;
}
