#include "tests/http/seen.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "server/memory.h"
#include "tests/contract/reply.h"

enum { MOST_ENDPOINTS = 64 };

/* ---- Notes -------------------------------------------------------------------------------------------------------- */

/* One write each, which is whole beside those of other processes. */
static void note(const char *kind, const char *name, bool *noted)
{
    char line[128];
    const char *file = getenv("CP_SEEN");
    if (*noted || !file) return;
    *noted = true;
    int size = snprintf(line, sizeof line, "%s %s\n", kind, name);
    int notes = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (notes < 0 || write(notes, line, (size_t)size) != size) abort();
    close(notes);
}

static void note_code(struct cp_text name)
{
    static bool noted[CP_CODE_COUNT];
    for (int code = 0; code < CP_CODE_COUNT; code++)
        if (cp_text_is(name, cp_statuses[code].code)) note("code", cp_statuses[code].code, &noted[code]);
}

/* The codes in a list of errors or findings; there may be none. */
static void note_codes(const struct cp_json *owner, const char *list)
{
    const struct cp_json *entries = owner ? cp_json_member(owner, cp_text_of(list)) : NULL;
    if (!entries || cp_json_type(entries) != CP_JSON_ARRAY) return;
    for (const struct cp_json *one = cp_json_first(entries); one; one = cp_json_next(one))
        note_code(cp_json_text(cp_json_member(one, CP_TEXT("code"))));
}

static void note_all(const struct cp_request *request, const struct cp_reply *reply, const struct cp_json *value)
{
    static bool noted[MOST_ENDPOINTS];
    const struct cp_endpoint *endpoint = cp_asked_endpoint(request);
    if (endpoint && reply->status == 200)
        note("operation", endpoint->operation_id, &noted[(endpoint - cp_endpoints) % MOST_ENDPOINTS]);
    if (!value || cp_json_type(value) != CP_JSON_OBJECT) return;
    note_codes(value, "errors");
    note_codes(value, "findings");
    const struct cp_json *roundtrip = cp_json_member(value, CP_TEXT("roundtrip"));
    if (roundtrip) note_codes(roundtrip, "findings");
}

/* ---- One reply ---------------------------------------------------------------------------------------------------- */

static enum cp_request_method method_of(const char *name)
{
    static const char *const names[] = {"GET", "HEAD", "POST", "OPTIONS"};
    for (int at = 0; at < CP_OTHER_METHOD; at++)
        if (strcmp(name, names[at]) == 0) return (enum cp_request_method)at;
    return CP_OTHER_METHOD;
}

/* A target may be a path, or a whole URL (RFC 9112 §3.2). */
static struct cp_request request_of(const struct cp_seen *seen)
{
    const char *path = strstr(seen->target, "://");
    path = *seen->target == '/' || !path ? seen->target : path + 3 + strcspn(path + 3, "/");
    if (!*path) path = "/";
    return (struct cp_request){.method = method_of(seen->method), .path = {path, strcspn(path, "?")}};
}

/* The body as it was before it was packed; no bytes where it is no gzip. */
static struct cp_text unpacked(const struct cp_seen *seen, struct cp_arena *arena)
{
    enum { GZIP_WINDOW = 15 + 16 };
    uint32_t size; /* stands at the end (RFC 1952 §2.3.1) */
    if (seen->body_size < sizeof size) return (struct cp_text){0};
    memcpy(&size, seen->body + seen->body_size - sizeof size, sizeof size);
    char *bytes = cp_arena_take(arena, size, 1);
    z_stream stream = {.next_in = (Bytef *)(size_t)seen->body, .avail_in = (uInt)seen->body_size};
    stream.next_out = (Bytef *)bytes;
    stream.avail_out = size;
    if (inflateInit2(&stream, GZIP_WINDOW) != Z_OK) return (struct cp_text){0};
    bool whole = inflate(&stream, Z_FINISH) == Z_STREAM_END;
    inflateEnd(&stream);
    return (struct cp_text){bytes, whole ? size : 0};
}

static bool look(const struct cp_seen *seen, struct cp_arena *arena, char *why, size_t size)
{
    const struct cp_json *value;
    const struct cp_request request = request_of(seen);
    struct cp_reply reply = {
        .status = seen->status,
        .content_type = *seen->content_type ? seen->content_type : NULL,
        .body = {seen->body, seen->body_size},
    };
    if (seen->gzip && seen->body_size) reply.body = unpacked(seen, arena);
    struct cp_text fault = cp_reply_fault(&request, &reply, &value, arena);
    if (!fault.size) note_all(&request, &reply, value);
    int shown = (int)(reply.body.size < 1000 ? reply.body.size : 1000);
    snprintf(why, size, "%s %s: status %d is not what openapi.yaml describes: %.*s, in:\n%.*s", seen->method,
             seen->target, seen->status, (int)fault.size, fault.bytes, shown, reply.body.bytes);
    return !fault.size;
}

bool cp_seen(const struct cp_seen *seen, char *why, size_t size)
{
    static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
    struct cp_memory memory;
    pthread_mutex_lock(&one_at_a_time);
    cp_memory_open(&memory, NULL, (size_t)1 << 30, NULL);
    bool good = look(seen, &memory.arena, why, size);
    cp_memory_reset(&memory);
    pthread_mutex_unlock(&one_at_a_time);
    return good;
}
