/* Base64 of RFC 4648 §4, strictly: its alphabet, padding, no line breaks, no bits set that stand for nothing. */
#ifndef CP_BASE64_H
#define CP_BASE64_H

#include <stdbool.h>
#include <stddef.h>

/* Characters for so many bytes, padding included. `size` up to SIZE_MAX / 2. */
static inline size_t cp_base64_size(size_t size)
{
    return (size + 2) / 3 * 4;
}

/* Write cp_base64_size(size) characters to `out`, not terminated. */
void cp_base64_encode(const void *bytes, size_t size, char *out);

/* Decode exactly `size` bytes from cp_base64_size(size) characters. False when they are not base64 of that many bytes:
 * *offset is the first character at fault, and what `out` holds is of no use. */
bool cp_base64_decode(const char *text, void *out, size_t size, size_t *offset);

#endif
