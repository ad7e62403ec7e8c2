/* A view of UTF-8 bytes, not terminated, not owned: names that point into a request body or a constant. */
#ifndef CP_TEXT_H
#define CP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct cp_text {
    const char *bytes;
    size_t size;
};

#define CP_TEXT(literal) ((struct cp_text){(literal), sizeof(literal) - 1})

static inline struct cp_text cp_text_of(const char *string)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): a string is never NULL */
    return (struct cp_text){string, strlen(string)};
}

static inline bool cp_text_equal(struct cp_text a, struct cp_text b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.bytes, b.bytes, a.size) == 0);
}

/* Most texts differ in their first byte: those need no call. */
static inline bool cp_text_is(struct cp_text a, const char *string)
{
    return (a.size == 0 || *a.bytes == *string) && cp_text_equal(a, cp_text_of(string));
}

#endif
