/* Who may ask: a list of bearer tokens (RFC 6750), read from a file. */
#ifndef CP_TOKENS_H
#define CP_TOKENS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/text.h"

/* Bytes of one token. */
#define CP_MAX_TOKEN_BYTES 512

/* Read-only once read. */
struct cp_tokens;

/* One token a line: letters, digits, - . _ ~ + / and = at the end; empty lines and those that begin with # do not count.
 * NULL: error[error_size] says why in a sentence, without a token in it. The caller frees. */
struct cp_tokens *cp_tokens_read(const char *path, char *error, size_t error_size);

/* NULL is allowed. */
void cp_tokens_free(struct cp_tokens *tokens);

/* Is the value of an Authorization header "Bearer" and one of them? The time it takes depends on the length of the value
 * and the number of tokens, not on how alike they are. */
bool cp_tokens_admit(const struct cp_tokens *tokens, struct cp_text authorization);

#endif
