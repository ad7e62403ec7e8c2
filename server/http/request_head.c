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

void cp_request_head_note(struct cp_request_head *head, struct cp_text name, struct cp_text value)
{
    if (!name.size || name.bytes[name.size - 1] <= ' ') head->bad_name = true;
    switch (name.size) { /* the length alone tells most headers apart */
    case 4:
        if (same_name(name, "host") && head->hosts < UINT16_MAX) head->hosts++;
        break;
    case 6:
        if (same_name(name, "accept")) note_accept(head, value);
        if (same_name(name, "origin")) note_first(&head->origin, value);
        if (same_name(name, "expect") && value.size == 12) head->expects_continue = same_name(value, "100-continue");
        break;
    case 12:
        if (same_name(name, "content-type")) note_first(&head->content_type, value);
        if (same_name(name, "x-request-id")) note_first(&head->request_id, value);
        break;
    case 13:
        if (same_name(name, "if-none-match")) note_first(&head->if_none_match, value);
        if (same_name(name, "authorization")) note_authorization(head, value);
        break;
    case 14:
        if (same_name(name, "content-length")) note_counted(&head->content_length, &head->content_lengths, value);
        break;
    case 15:
        if (same_name(name, "accept-encoding")) note_first(&head->accept_encoding, value);
        break;
    case 17:
        if (same_name(name, "transfer-encoding")) {
            note_counted(&head->transfer_encoding, &head->transfer_encodings, value);
        }
        break;
    case 29: head->asks_method |= same_name(name, "access-control-request-method"); break;
    default: break;
    }
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
    if (head->bad_name) return refuse(detail, 400, "A header name is empty or ends in white space.");
    if (head->hosts > 1) return refuse(detail, 400, "The Host header was sent more than once.");
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

/* Past "scheme://authority", where the target begins with one. */
static struct cp_text without_authority(struct cp_text target)
{
    if (target.size == 0 || target.bytes[0] == '/') return target;
    const char *scheme_end = memmem(target.bytes, target.size, "://", 3);
    if (!scheme_end) return target;
    const char *at = scheme_end + 3, *end = target.bytes + target.size;
    while (at < end && *at != '/' && *at != '?') at++;
    return (struct cp_text){at, (size_t)(end - at)};
}

bool cp_target_split(struct cp_text target, struct cp_text *path, struct cp_text *query)
{
    for (size_t i = 0; i < target.size; i++) {
        unsigned char byte = (unsigned char)target.bytes[i];
        if (byte <= ' ' || byte == 0x7f) return false;
    }
    struct cp_text local = without_authority(target);
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
