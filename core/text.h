/* A view of UTF-8 bytes, not terminated, not owned: names that point into a request body or a constant. */
#ifndef CP_TEXT_H
#define CP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cp_text {
    const char *bytes;
    size_t size;
};

#define CP_TEXT(literal) ((struct cp_text){(literal), sizeof(literal) - 1})

/* The same where C wants constants. */
#define CP_TEXT_INIT(literal)                                                                                          \
    {                                                                                                                  \
        (literal), sizeof(literal) - 1                                                                                 \
    }

static inline struct cp_text cp_text_of(const char *string)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): a string is never NULL */
    return (struct cp_text){string, strlen(string)};
}

/* The bits in which the first eight bytes of both differ, or four. */
static inline uint64_t cp_differ_8(const char *a, const char *b)
{
    uint64_t one, other;
    memcpy(&one, a, sizeof one);
    memcpy(&other, b, sizeof other);
    return one ^ other;
}

static inline uint32_t cp_differ_4(const char *a, const char *b)
{
    uint32_t one, other;
    memcpy(&one, a, sizeof one);
    memcpy(&other, b, sizeof other);
    return one ^ other;
}

/* memcmp() == 0 without a call: names are short. The last bytes may be looked at twice. */
static inline bool cp_same_bytes(const char *a, const char *b, size_t size)
{
    if (size < 4) {
        for (size_t at = 0; at < size; at++)
            if (a[at] != b[at]) return false;
        return true;
    }
    if (size < 8) return (cp_differ_4(a, b) | cp_differ_4(a + size - 4, b + size - 4)) == 0;
    for (size_t at = 0; at + 8 < size; at += 8)
        if (cp_differ_8(a + at, b + at)) return false;
    return cp_differ_8(a + size - 8, b + size - 8) == 0;
}

static inline bool cp_text_equal(struct cp_text a, struct cp_text b)
{
    return a.size == b.size && cp_same_bytes(a.bytes, b.bytes, a.size);
}

/* Most texts differ in their first byte: then the string is not measured. */
static inline bool cp_text_is(struct cp_text a, const char *string)
{
    return (a.size == 0 || *a.bytes == *string) && cp_text_equal(a, cp_text_of(string));
}

#endif
