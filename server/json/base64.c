#include "server/json/base64.h"

#include <stdint.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The two characters of every twelve bits. */
enum { PAIRS = 1 << 12 };
static char pairs[PAIRS][2];

__attribute__((constructor)) static void make_pairs(void)
{
    for (int bits = 0; bits < PAIRS; bits++) {
        pairs[bits][0] = alphabet[bits >> 6];
        pairs[bits][1] = alphabet[bits & 63];
    }
}

/* Six bytes at a time, of which one word is read: two more must be readable. */
enum { WORD_BYTES = 8, STEP_BYTES = 6, STEP_CHARACTERS = 8 };

static uint64_t load_big_endian(const unsigned char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap64(word) : word;
}

static void encode_step(const unsigned char *bytes, char *out)
{
    uint64_t word = load_big_endian(bytes);
    for (int pair = 0; pair < 4; pair++) memcpy(out + 2 * pair, pairs[word >> (52 - 12 * pair) & (PAIRS - 1)], 2);
}

static void encode_rest(const unsigned char *bytes, size_t size, char *out)
{
    for (; size > 0; bytes += 3, out += 4) {
        uint32_t three = (uint32_t)bytes[0] << 16;
        if (size >= 2) three |= (uint32_t)bytes[1] << 8;
        if (size >= 3) three |= bytes[2];
        for (size_t at = 0; at < 4; at++) out[at] = at <= size ? alphabet[three >> (18 - 6 * at) & 63] : '=';
        size -= size < 3 ? size : 3;
    }
}

void cp_base64_encode(const void *bytes, size_t size, char *out)
{
    const unsigned char *at = bytes;
    for (; size >= WORD_BYTES; at += STEP_BYTES, size -= STEP_BYTES, out += STEP_CHARACTERS) encode_step(at, out);
    encode_rest(at, size, out);
}

/* ---- Decoding ----------------------------------------------------------------------------------------------------- */

/* Sixteen characters at a time, lane by lane without a table, which compilers do in vectors. */
enum { BLOCK_BYTES = 12, BLOCK_CHARACTERS = 16 };

typedef unsigned char lanes __attribute__((vector_size(BLOCK_CHARACTERS)));

/* The value of a character, or −1. */
static int value_of(char character)
{
    if (character >= 'A' && character <= 'Z') return character - 'A';
    if (character >= 'a' && character <= 'z') return character - 'a' + 26;
    if (character >= '0' && character <= '9') return character - '0' + 52;
    return character == '+' ? 62 : character == '/' ? 63 : -1;
}

/* Sixteen characters as values; *valid becomes false where one is none. */
static lanes values_of(lanes text, bool *valid)
{
    lanes upper = (lanes)(text - 'A' < 26), lower = (lanes)(text - 'a' < 26), digit = (lanes)(text - '0' < 10);
    lanes plus = (lanes)(text == '+'), slash = (lanes)(text == '/');
    lanes known = upper | lower | digit | plus | slash;
    uint64_t all[2];
    memcpy(all, &known, sizeof all);
    *valid = (all[0] & all[1]) == UINT64_MAX;
    return (upper & (text - 'A')) | (lower & (text - ('a' - 26))) | (digit & (text + (52 - '0'))) | (plus & 62) |
           (slash & 63);
}

static bool decode_block(const char *text, unsigned char *out)
{
    lanes values;
    uint32_t words[4];
    bool valid;
    memcpy(&values, text, sizeof values);
    values = values_of(values, &valid);
    memcpy(words, &values, sizeof words);
    for (int at = 0; at < 4; at++) {
        uint32_t four = words[at];
        uint32_t three = (four & 63) << 18 | (four >> 8 & 63) << 12 | (four >> 16 & 63) << 6 | four >> 24;
        out[3 * at] = (unsigned char)(three >> 16);
        out[3 * at + 1] = (unsigned char)(three >> 8);
        out[3 * at + 2] = (unsigned char)three;
    }
    return valid;
}

/* The last group, of one to three bytes; *wrong is the character at fault when false. */
static bool decode_group(const char *text, unsigned char *out, size_t size, size_t *wrong)
{
    uint32_t three = 0;
    for (size_t at = 0; at < 4; at++) {
        int value = at <= size ? value_of(text[at]) : text[at] == '=' ? 0 : -1;
        *wrong = at;
        if (value < 0) return false;
        three |= (uint32_t)value << (18 - 6 * at);
    }
    for (size_t at = 0; at < size; at++) out[at] = (unsigned char)(three >> (16 - 8 * at));
    *wrong = size;
    return size == 3 || (three & (0xffffffu >> (8 * size))) == 0;
}

bool cp_base64_decode(const char *text, void *out, size_t size, size_t *offset)
{
    const char *at = text;
    unsigned char *to = out;
    size_t wrong = 0;
    while (size >= BLOCK_BYTES && decode_block(at, to)) at += BLOCK_CHARACTERS, to += BLOCK_BYTES, size -= BLOCK_BYTES;
    while (size > 0) {
        size_t group = size < 3 ? size : 3;
        if (!decode_group(at, to, group, &wrong)) {
            *offset = (size_t)(at - text) + wrong;
            return false;
        }
        at += 4, to += group, size -= group;
    }
    return true;
}
