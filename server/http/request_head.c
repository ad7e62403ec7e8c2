#define _GNU_SOURCE 1 /* memmem */

#include "server/http/request_head.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

static bool same_name(struct cp_text text, const char *lower)
{
    return strncasecmp(text.bytes, lower, text.size) == 0;
}

static void note_first(struct cp_text *kept, struct cp_text value)
{
    if (!kept->bytes) *kept = value;
}

static void note_counted(struct cp_text *kept, uint16_t *count, struct cp_text value)
{
    note_first(kept, value);
    if (*count < UINT16_MAX) ++*count;
}

/* Ranges that come in several lines are not put together: then everything is accepted. */
static void note_accept(struct cp_request_head *head, struct cp_text value)
{
    head->accept = head->accept.bytes ? CP_TEXT("") : value;
}

static void note_authorization(struct cp_request_head *head, struct cp_text value)
{
    note_counted(&head->authorization, &head->authorizations, value);
    if (head->authorizations > 1) head->authorization = CP_TEXT("");
}

/* A bit for each byte. */
struct byte_set {
    uint64_t quarter[4];
};

#define BIT(byte) (UINT64_C(1) << ((byte)&63))
#define DIGITS (UINT64_C(0x3FF) << '0')
#define LETTERS (UINT64_C(0x3FFFFFF) << ('A' & 63) | UINT64_C(0x3FFFFFF) << ('a' & 63))
#define LOW_OF_BOTH                                                                                                    \
    (DIGITS | BIT('!') | BIT('$') | BIT('%') | BIT('&') | BIT('\'') | BIT('*') | BIT('+') | BIT('-') | BIT('.'))
#define HIGH_OF_BOTH (LETTERS | BIT('_') | BIT('~'))

/* A header's name (RFC 9110 §5.6.2). */
static const struct byte_set token = {{LOW_OF_BOTH | BIT('#'), HIGH_OF_BOTH | BIT('^') | BIT('`') | BIT('|')}};

/* A host and its port (RFC 3986 §3.2). */
static const struct byte_set host = {{LOW_OF_BOTH | BIT('(') | BIT(')') | BIT(',') | BIT(';') | BIT('=') | BIT(':'),
                                      HIGH_OF_BOTH | BIT('[') | BIT(']')}};

static bool is_made_of(struct cp_text text, const struct byte_set *set)
{
    for (size_t at = 0; at < text.size; at++) {
        unsigned char byte = (unsigned char)text.bytes[at];
        if (!(set->quarter[byte / 64] & BIT(byte))) return false;
    }
    return true;
}

static void note_host(struct cp_request_head *head, struct cp_text value)
{
    if (head->hosts < UINT16_MAX) head->hosts++;
    head->bad_host |= !is_made_of(value, &host);
}

static void note_expect(struct cp_request_head *head, struct cp_text value)
{
    if (value.size == 12) head->expects_continue = same_name(value, "100-continue");
}

/* White space behind a value is not part of it (RFC 9110 §5.5). */
static struct cp_text without_end_space(struct cp_text value)
{
    while (value.size && (value.bytes[value.size - 1] == ' ' || value.bytes[value.size - 1] == '\t')) value.size--;
    return value;
}

/* False: no header that matters here. */
static bool note_known(struct cp_request_head *head, struct cp_text name, struct cp_text value, struct cp_text sent)
{
    switch (name.size) { /* the length alone tells most headers apart */
    case 4:
        if (same_name(name, "host")) return note_host(head, value), true;
        break;
    case 6:
        if (same_name(name, "accept")) return note_accept(head, value), true;
        if (same_name(name, "origin")) return note_first(&head->origin, value), true;
        if (same_name(name, "expect")) return note_expect(head, value), true;
        break;
    case 12:
        if (same_name(name, "content-type")) return note_first(&head->content_type, value), true;
        if (same_name(name, "x-request-id")) return note_first(&head->request_id, value), true;
        break;
    case 13:
        if (same_name(name, "if-none-match")) return note_first(&head->if_none_match, value), true;
        if (same_name(name, "authorization")) return note_authorization(head, value), true;
        break;
    case 14:
        if (same_name(name, "content-length"))
            return note_counted(&head->content_length, &head->content_lengths, sent), true;
        break;
    case 15:
        if (same_name(name, "accept-encoding")) return note_first(&head->accept_encoding, value), true;
        break;
    case 16:
        if (same_name(name, "content-encoding")) return note_first(&head->content_encoding, value), true;
        break;
    case 17:
        if (same_name(name, "transfer-encoding"))
            return note_counted(&head->transfer_encoding, &head->transfer_encodings, sent), true;
        break;
    case 29:
        if (same_name(name, "access-control-request-method")) return head->asks_method = true;
        break;
    default: break;
    }
    return false;
}

void cp_request_head_note(struct cp_request_head *head, struct cp_text name, struct cp_text sent)
{
    bool known = note_known(head, name, without_end_space(sent), sent);
    if (!known && (!name.size || !is_made_of(name, &token))) head->bad_name = true;
}

bool cp_request_head_is_plain(const char *raw, size_t size, const char *version, size_t target_size, int headers)
{
    enum { LINE_END = 2 };
    const char *end = raw + size, *at = version;
    if ((uintptr_t)version - (uintptr_t)raw >= size) return true;
    if (version != raw + strlen(raw) + 1 + target_size + 1) return false;
    if (memchr(at, '\r', (size_t)(end - at))) return false;
    for (at += strlen(at); at < end; at += strnlen(at, (size_t)(end - at))) {
        size_t zeros = 0;
        while (at < end && !*at) at++, zeros++;
        if (at == end) break;
        if (zeros > LINE_END || *at == ' ' || *at == '\t' || headers-- == 0) return false;
        at += strnlen(at, (size_t)(end - at));
        if (at < end) at++; /* to the value */
    }
    return headers == 0;
}

/* Digits only; a number past 64 bits stays at their end, which is over every limit. */
static bool read_size(struct cp_text text, uint64_t *size)
{
    *size = 0;
    for (size_t i = 0; i < text.size; i++) {
        unsigned digit = (unsigned char)text.bytes[i] - '0';
        if (digit > 9) return false;
        if (*size > UINT64_MAX / 16) continue;
        *size = *size * 10 + digit;
    }
    return text.size > 0;
}

static int refuse(const char **detail, int status, const char *why)
{
    *detail = why;
    return status;
}

int cp_request_head_framing(const struct cp_request_head *head, bool old_version, struct cp_framing *framing,
                            const char **detail)
{
    *framing = (struct cp_framing){.form = CP_BODY_NONE};
    if (head->bad_bytes)
        return refuse(detail, 400,
                      "A header goes on in a second line, or zero bytes or lone carriage returns were sent.");
    if (head->bad_name) return refuse(detail, 400, "A header name is empty or has characters that none may have.");
    if (head->hosts > 1) return refuse(detail, 400, "The Host header was sent more than once.");
    if (head->bad_host) return refuse(detail, 400, "The Host header is no host and port.");
    if (!head->hosts && !old_version) return refuse(detail, 400, "HTTP/1.1 requests need a Host header.");
    if (head->transfer_encodings && head->content_lengths) {
        return refuse(detail, 400, "Content-Length and Transfer-Encoding were both sent.");
    }
    if (head->content_lengths > 1) return refuse(detail, 400, "Content-Length was sent more than once.");
    if (head->content_lengths) {
        framing->form = CP_BODY_SIZED;
        if (read_size(head->content_length, &framing->size)) return 0;
        return refuse(detail, 400, "Content-Length is not a decimal number.");
    }
    if (!head->transfer_encodings) return 0;
    if (old_version) return refuse(detail, 400, "Transfer-Encoding does not exist in HTTP/1.0.");
    if (head->transfer_encodings > 1) return refuse(detail, 400, "Transfer-Encoding was sent more than once.");
    if (head->transfer_encoding.size != 7 || !same_name(head->transfer_encoding, "chunked")) {
        return refuse(detail, 501, "The only transfer coding known here is chunked.");
    }
    framing->form = CP_BODY_CHUNKED;
    return 0;
}

/* Past "scheme://authority", where the target begins with one. False: it is a target of no known form. */
static bool take_authority(struct cp_text *target)
{
    if (target->size && (target->bytes[0] == '/' || cp_text_is(*target, "*"))) return true;
    const char *scheme_end = memmem(target->bytes, target->size, "://", 3);
    if (!scheme_end) return false;
    const char *at = scheme_end + 3, *end = target->bytes + target->size;
    while (at < end && *at != '/' && *at != '?') at++;
    *target = (struct cp_text){at, (size_t)(end - at)};
    return true;
}

bool cp_target_split(struct cp_text target, struct cp_text *path, struct cp_text *query)
{
    for (size_t i = 0; i < target.size; i++) {
        unsigned char byte = (unsigned char)target.bytes[i];
        if (byte <= ' ' || byte == 0x7f) return false;
    }
    struct cp_text local = target;
    if (!take_authority(&local)) return false;
    const char *mark = local.size ? memchr(local.bytes, '?', local.size) : NULL;
    size_t path_size = mark ? (size_t)(mark - local.bytes) : local.size;
    *path = path_size ? (struct cp_text){local.bytes, path_size} : CP_TEXT("/");
    *query = mark ? (struct cp_text){mark + 1, local.size - path_size - 1} : CP_TEXT("");
    return true;
}

enum cp_request_method cp_method_of(struct cp_text name)
{
    if (cp_text_is(name, "POST")) return CP_POST;
    if (cp_text_is(name, "GET")) return CP_GET;
    if (cp_text_is(name, "HEAD")) return CP_HEAD;
    if (cp_text_is(name, "OPTIONS")) return CP_OPTIONS;
    return CP_OTHER_METHOD;
}
