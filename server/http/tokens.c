#define _GNU_SOURCE /* strerrordesc_np, explicit_bzero */
#include "server/http/tokens.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

struct token {
    struct token *next;
    size_t size;
    char bytes[CP_MAX_TOKEN_BYTES];
};

struct cp_tokens {
    struct token *first;
};

static bool is_token(const char *bytes, size_t size)
{
    static const char signs[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/";
    while (size > 1 && bytes[size - 1] == '=') size--;
    for (size_t at = 0; at < size; at++)
        if (!bytes[at] || !strchr(signs, bytes[at])) return false;
    return size > 0;
}

static bool add(struct cp_tokens *tokens, const char *bytes, size_t size)
{
    struct token *token = calloc(1, sizeof *token);
    if (!token) return false;
    token->size = size;
    memcpy(token->bytes, bytes, size);
    token->next = tokens->first;
    tokens->first = token;
    return true;
}

/* NULL, or what is wrong with the line. */
static const char *take_line(struct cp_tokens *tokens, const char *line)
{
    size_t size = strcspn(line, "\r\n");
    while (size && (line[size - 1] == ' ' || line[size - 1] == '\t')) size--;
    if (!size || *line == '#') return NULL;
    if (size > CP_MAX_TOKEN_BYTES) return "is longer than 512 characters";
    if (!is_token(line, size)) return "is no token: letters, digits, - . _ ~ + / and = at the end may stand in one";
    return add(tokens, line, size) ? NULL : "does not fit the memory";
}

static bool take_lines(struct cp_tokens *tokens, FILE *file, const char *path, char *error, size_t error_size)
{
    char line[CP_MAX_TOKEN_BYTES + 64];
    const char *wrong = NULL;
    for (int number = 1; !wrong && fgets(line, sizeof line, file); number++) {
        wrong = take_line(tokens, line);
        if (wrong) snprintf(error, error_size, "the token file %s: line %d %s", path, number, wrong);
    }
    explicit_bzero(line, sizeof line);
    if (!wrong && ferror(file)) {
        wrong = strerrordesc_np(errno);
        snprintf(error, error_size, "cannot read the token file %s: %s", path, wrong);
    } else if (!wrong && !tokens->first) {
        wrong = "empty";
        snprintf(error, error_size, "the token file %s holds no token; write one to a line", path);
    }
    return !wrong;
}

struct cp_tokens *cp_tokens_read(const char *path, char *error, size_t error_size)
{
    struct cp_tokens *tokens = calloc(1, sizeof *tokens);
    FILE *file = tokens ? fopen(path, "re") : NULL;
    bool right = false;
    if (file) {
        right = take_lines(tokens, file, path, error, error_size);
        fclose(file);
    } else {
        snprintf(error, error_size, "cannot read the token file %s: %s", path, strerrordesc_np(errno));
    }
    if (right) return tokens;
    cp_tokens_free(tokens);
    return NULL;
}

void cp_tokens_free(struct cp_tokens *tokens)
{
    struct token *next;
    if (!tokens) return;
    for (struct token *token = tokens->first; token; token = next) {
        next = token->next;
        explicit_bzero(token, sizeof *token);
        free(token);
    }
    free(tokens);
}

/* Every byte given is compared with some byte of the token. */
static bool is_equal(const struct token *token, struct cp_text given)
{
    volatile uint8_t different = token->size != given.size;
    for (size_t at = 0; at < given.size; at++)
        different = (uint8_t)(different | (token->bytes[at % token->size] ^ given.bytes[at]));
    return !different;
}

bool cp_tokens_admit(const struct cp_tokens *tokens, struct cp_text authorization)
{
    static const char scheme[] = "Bearer ";
    bool admitted = false;
    if (authorization.size < sizeof scheme || strncasecmp(authorization.bytes, scheme, sizeof scheme - 1) != 0)
        return false;
    struct cp_text given = {authorization.bytes + sizeof scheme - 1, authorization.size - (sizeof scheme - 1)};
    while (given.size && given.bytes[0] == ' ') given.bytes++, given.size--;
    for (const struct token *token = tokens->first; token; token = token->next) admitted |= is_equal(token, given);
    return admitted;
}
