/* Looking at the bytes of UTF-8 text: where a run of harmless ASCII ends, and whether a sequence is well-formed. */
#ifndef CP_UTF8_H
#define CP_UTF8_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* A byte that a JSON string cannot hold as it is, or that opens a longer sequence. */
static inline bool cp_is_special(unsigned char byte)
{
    return byte < 0x20 || byte == '"' || byte == '\\' || byte >= 0x80;
}

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
/* Eight bytes at once: the index of the first special one, 8 for none. A subtraction borrows into a byte's top bit
 * where the byte is special; a borrow may spill into the bytes above that one, never below, and only the lowest mark
 * counts. */
static inline int cp_plain_prefix_8(const unsigned char *at)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t word;
    memcpy(&word, at, sizeof word);
    uint64_t control = word - ones * 0x20;
    uint64_t quote = (word ^ ones * '"') - ones;
    uint64_t backslash = (word ^ ones * '\\') - ones;
    uint64_t marks = (control | quote | backslash | word) & ones * 0x80;
    return marks ? __builtin_ctzll(marks) / 8 : 8;
}
#else
static inline int cp_plain_prefix_8(const unsigned char *at)
{
    int index = 0;
    while (index < 8 && !cp_is_special(at[index])) index++;
    return index;
}
#endif

#ifdef __SSE2__
/* Bit n: byte n is special. */
static inline unsigned cp_special_bytes(__m128i bytes)
{
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
    __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
    __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    __m128i marks = _mm_or_si128(_mm_or_si128(control, quote), _mm_or_si128(backslash, bytes));
    return (unsigned)_mm_movemask_epi8(marks);
}

/* Sixteen: nearly every name and word of a request ends within them, so that the branch on it is predicted. */
static inline int cp_plain_prefix_16(const unsigned char *at)
{
    return __builtin_ctz(cp_special_bytes(_mm_loadu_si128((const __m128i *)(const void *)at)) | 0x10000);
}

/* Are the eight bytes at both places plain? */
static inline bool cp_both_plain_8(const unsigned char *one, const unsigned char *other)
{
    __m128i first = _mm_loadl_epi64((const __m128i *)(const void *)one);
    return !cp_special_bytes(_mm_unpacklo_epi64(first, _mm_loadl_epi64((const __m128i *)(const void *)other)));
}
#else
static inline int cp_plain_prefix_16(const unsigned char *at)
{
    int prefix = cp_plain_prefix_8(at);
    return prefix < 8 ? prefix : 8 + cp_plain_prefix_8(at + 8);
}

static inline bool cp_both_plain_8(const unsigned char *one, const unsigned char *other)
{
    return cp_plain_prefix_8(one) == 8 && cp_plain_prefix_8(other) == 8;
}
#endif

/* The first special byte of [at, end), or end. */
static inline const unsigned char *cp_skip_plain(const unsigned char *at, const unsigned char *end)
{
    while (end - at >= 16) {
        int prefix = cp_plain_prefix_16(at);
        at += prefix;
        if (prefix < 16) return at;
    }
    while (at < end && !cp_is_special(*at)) at++;
    return at;
}

/* The sequence that a byte >= 0x80 opens (RFC 3629). Well-formed: its length, 2 to 4. Else: minus the number of bytes,
 * 0 to 3, that could still have begun one, so that the byte after those is the wrong one. */
static inline int cp_utf8_sequence(const unsigned char *at, const unsigned char *end)
{
    unsigned char lead = *at;
    if (lead < 0xC2 || lead > 0xF4) return 0;
    int length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    unsigned char low = 0x80;
    unsigned char high = 0xBF;
    if (lead == 0xE0) low = 0xA0;  /* overlong */
    if (lead == 0xED) high = 0x9F; /* surrogates */
    if (lead == 0xF0) low = 0x90;  /* overlong */
    if (lead == 0xF4) high = 0x8F; /* above U+10FFFF */
    for (int index = 1; index < length; index++) {
        if (at + index == end || at[index] < low || at[index] > high) return -index;
        low = 0x80;
        high = 0xBF;
    }
    return length;
}

#endif
