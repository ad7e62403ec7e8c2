#include "server/http/representation.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/limits.h"
#include "server/field_list.h"
#include "server/http/gzip.h"

/* ---- Validators --------------------------------------------------------------------------------------------------- */

/* 64 bits over eight bytes at a time. Equal bodies have equal hashes, in every process: validators outlive restarts and
 * hold for each of several servers. */
static uint64_t hash_of(struct cp_text text)
{
    static const uint64_t factor = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t hash = text.size * factor;
    for (size_t at = 0; at < text.size; at += sizeof hash) {
        uint64_t word = 0;
        size_t rest = text.size - at;
        memcpy(&word, text.bytes + at, rest < sizeof word ? rest : sizeof word);
        hash = (hash ^ word) * factor;
        hash ^= hash >> 29;
    }
    return hash;
}

static void make_etag(char etag[CP_ETAG_BYTES], struct cp_text plain)
{
    snprintf(etag, CP_ETAG_BYTES, "\"%016llx-%zx\"", (unsigned long long)hash_of(plain), plain.size);
}

/* The compressed form is another one, and a strong validator tells them apart. */
static void mark_gzip(char etag[CP_ETAG_BYTES])
{
    size_t size = strlen(etag);
    if (size) snprintf(etag + size - 1, CP_ETAG_BYTES - size + 1, "-gzip\"");
}

/* Weak comparison, as RFC 9110 §13.1.2 asks: W/ does not count. */
static bool holds(struct cp_text if_none_match, const char *etag)
{
    while (if_none_match.size) {
        struct cp_text element = cp_field_part(&if_none_match, ',');
        if (element.size > 2 && memcmp(element.bytes, "W/", 2) == 0) element.bytes += 2, element.size -= 2;
        if (cp_text_is(element, "*") || cp_text_is(element, etag)) return true;
    }
    return false;
}

/* ---- Constants ---------------------------------------------------------------------------------------------------- */

/* A constant body and what has been made of it. Entries are only added; the bytes of `packed` are never freed. */
struct constant {
    const char *bytes;
    char etag[CP_ETAG_BYTES];
    bool pack_tried;
    struct cp_text packed; /* empty: not smaller, or not tried */
};

enum { MOST_CONSTANTS = 256, PACKING_MEMORY_BYTES = 64 << 20 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct constant constants[MOST_CONSTANTS];
static int constant_count;

static struct constant *find_constant(struct cp_text body)
{
    for (int at = 0; at < constant_count; at++)
        if (constants[at].bytes == body.bytes) return &constants[at];
    if (constant_count == MOST_CONSTANTS) return NULL;
    struct constant *added = &constants[constant_count++];
    added->bytes = body.bytes;
    make_etag(added->etag, body);
    return added;
}

static void pack_constant(struct constant *constant, struct cp_text body)
{
    struct cp_memory memory;
    struct cp_text packed;
    cp_memory_open(&memory, NULL, PACKING_MEMORY_BYTES, NULL);
    constant->pack_tried = true;
    char *kept = cp_gzip(body, CP_GZIP_SMALL, &memory, &packed) ? malloc(packed.size) : NULL;
    if (kept) constant->packed = (struct cp_text){memcpy(kept, packed.bytes, packed.size), packed.size};
    cp_memory_reset(&memory);
}

/* ---- The form ----------------------------------------------------------------------------------------------------- */

static bool pack(struct cp_representation *form, struct cp_text body, const struct constant *constant,
                 struct cp_memory *memory, struct cp_text *packed)
{
    if (constant) *packed = constant->packed;
    form->gzip = constant ? packed->size > 0 : cp_gzip(body, CP_GZIP_FAST, memory, packed);
    return form->gzip;
}

/* The body stays: libmicrohttpd announces its size, as RFC 9110 §8.6 has it, and does not send it. */
static void reply_not_modified(struct cp_reply *reply)
{
    reply->status = 304;
    reply->content_type = NULL;
}

static bool choose(struct cp_representation *form, bool cacheable, const struct cp_preferences *preferences,
                   struct cp_reply *reply, struct constant *constant, struct cp_memory *memory)
{
    struct cp_text body = reply->body, packed;
    form->varies = preferences->gzip_bytes && body.size >= preferences->gzip_bytes;
    bool wanted = form->varies && cp_gzip_is_wanted(preferences->accept_encoding);
    bool asks = cacheable && preferences->if_none_match.size;
    if (wanted && !constant && preferences->brief && body.size > CP_MAX_BRIEF_BYTES) return false;
    if (wanted && constant && !constant->pack_tried) pack_constant(constant, body);
    if (cacheable && constant)
        memcpy(form->etag, constant->etag, CP_ETAG_BYTES);
    else if (cacheable)
        make_etag(form->etag, body);
    if (wanted && pack(form, body, constant, memory, &packed)) {
        mark_gzip(form->etag);
        reply->body = packed;
    }
    if (asks && holds(preferences->if_none_match, form->etag)) reply_not_modified(reply);
    return true;
}

bool cp_represent(struct cp_representation *form, enum cp_request_method method,
                  const struct cp_preferences *preferences, struct cp_reply *reply, struct cp_memory *memory)
{
    bool gets = (method == CP_GET || method == CP_HEAD) && reply->endpoint && !reply->endpoint->live;
    *form = (struct cp_representation){0};
    bool large = preferences->gzip_bytes && reply->body.size >= preferences->gzip_bytes;
    if (reply->status != 200 || (!gets && !large)) return true;
    if (!reply->is_static) return choose(form, gets, preferences, reply, NULL, memory);
    pthread_mutex_lock(&lock);
    bool done = choose(form, gets, preferences, reply, find_constant(reply->body), memory);
    pthread_mutex_unlock(&lock);
    return done;
}
