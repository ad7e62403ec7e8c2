/* What the transport itself must know of a request line and headers: how the body is framed, and whether that is said
 * without contradiction (a proxy in front that reads it otherwise could be made to smuggle requests). Pure functions on
 * bytes. */
#ifndef CP_REQUEST_HEAD_H
#define CP_REQUEST_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/text.h"
#include "server/service.h"

struct cp_request_head {
    struct cp_text content_type, content_encoding, accept; /* the first of each; empty when absent */
    struct cp_text accept_encoding, if_none_match, origin, request_id;
    struct cp_text authorization;                     /* empty when sent more than once, too */
    struct cp_text content_length, transfer_encoding; /* with any white space behind, as libmicrohttpd reads them */
    uint16_t hosts, content_lengths, transfer_encodings, authorizations; /* how often each was sent */
    bool expects_continue;
    bool asks_method; /* Access-Control-Request-Method: a browser asks what it may ask */
    bool bad_name;    /* a header name that is empty, or has white space or control characters in it */
    bool bad_host;    /* a Host that is no host and port */
    bool bad_bytes;   /* see cp_request_head_is_plain */
};

/* Take note of one header, in the order sent. The bytes are kept by reference. */
void cp_request_head_note(struct cp_request_head *head, struct cp_text name, struct cp_text sent);

/* What libmicrohttpd passes over in silence: headers that go on in a second line, which it reads as headers of other names;
 * zero bytes, where it stops reading; carriage returns that end no line. `raw`[size] is the head as it leaves it, with
 * zeros for what ends a word, a name or a line; in it stands the `version`, behind the method and a target of
 * `target_size`. `headers`: how many it has read. True, too, where the head is not left so. */
bool cp_request_head_is_plain(const char *raw, size_t size, const char *version, size_t target_size, int headers);

/* How the body comes. */
struct cp_framing {
    enum { CP_BODY_NONE, CP_BODY_SIZED, CP_BODY_CHUNKED } form;
    uint64_t size; /* CP_BODY_SIZED */
};

/* 0 with *framing set; or the HTTP status of the refusal, with *detail saying why. After a refusal the connection must
 * be closed: where the next request begins is not known. `old_version`: HTTP/1.0, which has no chunks and needs no Host. */
int cp_request_head_framing(const struct cp_request_head *head, bool old_version, struct cp_framing *framing,
                            const char **detail);

/* Split a request target as sent into path and query. The scheme and authority of the absolute form are taken off;
 * "*" stays. False when it is none of these forms, or has white space or control characters in it. */
bool cp_target_split(struct cp_text target, struct cp_text *path, struct cp_text *query);

enum cp_request_method cp_method_of(struct cp_text name);

#endif
