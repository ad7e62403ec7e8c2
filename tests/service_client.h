/* For tests of what lies between a body's bytes and a reply's: ask the service in this process, and look at JSON as
 * text. Requests of the tests and replies of the service hold no escapes in the names that are looked up here. */
#ifndef CP_SERVICE_CLIENT_H
#define CP_SERVICE_CLIENT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/memory.h"
#include "server/service.h"
#include "tests/contract/reply.h"
#include "tests/json_text.h"

/* ---- Text in the making ------------------------------------------------------------------------------------------- */

struct cp_test_text {
    char *bytes; /* terminated once it is finished */
    size_t size;
    FILE *file; /* write here */
};

static inline FILE *cp_test_begin(struct cp_test_text *text)
{
    *text = (struct cp_test_text){0};
    text->file = open_memstream(&text->bytes, &text->size);
    assert_non_null(text->file);
    return text->file;
}

/* The whole text; it lives until cp_test_free. */
static inline struct cp_text cp_test_finish(struct cp_test_text *text)
{
    assert_int_equal(fclose(text->file), 0);
    return (struct cp_text){text->bytes, text->size};
}

static inline void cp_test_free(struct cp_test_text *text)
{
    free(text->bytes);
}

/* ---- Requests ----------------------------------------------------------------------------------------------------- */

struct cp_test_exchange {
    struct cp_memory memory;
    struct cp_reply reply;
};

enum { CP_TEST_MEMORY_BYTES = 1 << 30 };

/* Answer the request; the reply has to be one that openapi.yaml describes. To be closed. */
static inline void cp_test_ask(struct cp_test_exchange *exchange, const struct cp_request *request)
{
    struct cp_memory memory;
    const struct cp_json *value;
    const struct cp_reply *reply = &exchange->reply;
    cp_memory_open(&exchange->memory, NULL, CP_TEST_MEMORY_BYTES, cp_service_exhausted);
    cp_service_answer(request, &exchange->reply, &exchange->memory.arena);
    cp_memory_open(&memory, NULL, CP_TEST_MEMORY_BYTES, NULL);
    struct cp_text fault =
        reply->deferred ? (struct cp_text){0} : cp_reply_fault(request, reply, &value, &memory.arena);
    if (fault.size)
        fail_msg("%.*s: status %d is not what openapi.yaml describes: %.*s: %.*s", (int)request->path.size,
                 request->path.bytes, reply->status, (int)fault.size, fault.bytes, (int)reply->body.size,
                 reply->body.bytes);
    cp_memory_reset(&memory);
}

static inline void cp_test_post(struct cp_test_exchange *exchange, struct cp_text body)
{
    const struct cp_request request = {
        .method = CP_POST, .method_name = CP_TEXT("POST"), .path = CP_TEXT("/v1/shapes"), .body = body};
    cp_test_ask(exchange, &request);
}

static inline void cp_test_get(struct cp_test_exchange *exchange, const char *path)
{
    const struct cp_request request = {.method = CP_GET, .method_name = CP_TEXT("GET"), .path = {path, strlen(path)}};
    cp_test_ask(exchange, &request);
}

static inline void cp_test_close(struct cp_test_exchange *exchange)
{
    cp_memory_reset(&exchange->memory);
}

/* ---- JSON as text ------------------------------------------------------------------------------------------------- */

static inline const char *cp_test_skip_space(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r')) at++;
    return at;
}

static inline const char *cp_test_skip_string(const char *quote)
{
    const char *at = quote + 1;
    while (*at != '"') at += *at == '\\' ? 2 : 1;
    return at + 1;
}

/* One past the value that begins at `at`. */
static inline const char *cp_test_skip_value(const char *at, const char *end)
{
    int depth = 0;
    if (*at == '"') return cp_test_skip_string(at);
    if (*at != '{' && *at != '[') {
        while (at < end && !strchr(",:]} \n\t\r", *at)) at++;
        return at;
    }
    do {
        if (*at == '"') {
            at = cp_test_skip_string(at);
            continue;
        }
        depth += *at == '{' || *at == '[';
        depth -= *at == '}' || *at == ']';
        at++;
    } while (depth > 0 && at < end);
    return at;
}

/* The child of a container that a token of a pointer names; nothing when there is none. */
static inline struct cp_text cp_test_child(struct cp_text container, const char *token, size_t token_size)
{
    const char *end = container.bytes + container.size;
    bool object = *container.bytes == '{';
    long index = object ? -1 : strtol(token, NULL, 10);
    const char *at = cp_test_skip_space(container.bytes + 1, end);
    while (at < end && *at != ']' && *at != '}') {
        bool found = !object && index-- == 0;
        if (object) {
            const char *name = at + 1;
            at = cp_test_skip_string(at);
            found = (size_t)(at - 1 - name) == token_size && memcmp(name, token, token_size) == 0;
            at = cp_test_skip_space(at, end) + 1; /* the colon */
            at = cp_test_skip_space(at, end);
        }
        const char *value = at;
        at = cp_test_skip_value(at, end);
        if (found) return (struct cp_text){value, (size_t)(at - value)};
        at = cp_test_skip_space(at, end);
        if (*at == ',') at = cp_test_skip_space(at + 1, end);
    }
    return (struct cp_text){0};
}

/* The text of the value at a JSON pointer; size 0 where there is none. */
static inline struct cp_text cp_test_at(struct cp_text json, const char *pointer)
{
    json.bytes = cp_test_skip_space(json.bytes, json.bytes + json.size);
    while (*pointer == '/' && json.size && strchr("{[", *json.bytes)) {
        size_t size = strcspn(pointer + 1, "/");
        json = cp_test_child(json, pointer + 1, size);
        pointer += 1 + size;
    }
    return *pointer ? (struct cp_text){0} : json;
}

/* The same, with the pointer made by printf. */
static inline struct cp_text __attribute__((format(printf, 2, 3)))
cp_test_atf(struct cp_text json, const char *format, ...)
{
    char pointer[256];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(pointer, sizeof pointer, format, arguments);
    va_end(arguments);
    return cp_test_at(json, pointer);
}

static inline bool cp_test_is(struct cp_text text, const char *wanted)
{
    return cp_text_equal(text, cp_text_of(wanted));
}

/* Is it the JSON string with these characters between its quotes? */
static inline bool cp_test_is_string(struct cp_text text, const char *wanted)
{
    return text.size >= 2 && cp_test_is((struct cp_text){text.bytes + 1, text.size - 2}, wanted);
}

static inline bool cp_test_holds(struct cp_text text, const char *part)
{
    size_t size = strlen(part);
    for (size_t at = 0; at + size <= text.size; at++)
        if (memcmp(text.bytes + at, part, size) == 0) return true;
    return false;
}

/* A number of a reply: -1 for null or a value that is not there. */
static inline long long cp_test_number(struct cp_text text)
{
    return text.size == 0 || *text.bytes == 'n' ? -1 : strtoll(text.bytes, NULL, 10);
}

static inline int cp_test_count(struct cp_text array)
{
    int count = 0;
    const char *end = array.bytes + array.size;
    if (array.size == 0) return 0;
    for (const char *at = cp_test_skip_space(array.bytes + 1, end); at < end && !strchr("]}", *at); count++) {
        at = cp_test_skip_space(cp_test_skip_value(at, end), end);
        if (*at == ',') at = cp_test_skip_space(at + 1, end);
    }
    return count;
}

/* Write `json` with the value at `pointer` replaced by `value`; a member that is missing is added first in its object. */
static inline void cp_test_patch(FILE *file, struct cp_text json, const char *pointer, struct cp_text value)
{
    struct cp_text old = cp_test_at(json, pointer);
    const char *name = strrchr(pointer, '/');
    char parent[256];
    if (old.size == 0) {
        (void)snprintf(parent, sizeof parent, "%.*s", (int)(name - pointer), pointer);
        struct cp_text object = cp_test_at(json, parent);
        assert_true(object.size && *object.bytes == '{');
        old = (struct cp_text){object.bytes + 1, 0};
    }
    size_t before = (size_t)(old.bytes - json.bytes);
    (void)fprintf(file, "%.*s", (int)before, json.bytes);
    if (old.size == 0) (void)fprintf(file, "\"%s\": ", name + 1);
    (void)fprintf(file, "%.*s%s", (int)value.size, value.bytes, old.size ? "" : ", ");
    (void)fprintf(file, "%.*s", (int)(json.size - before - old.size), old.bytes + old.size);
}

/* The request with the fix of one finding of its answer in it, or as it is where that has none; for cp_test_free. */
static inline struct cp_test_text cp_test_fixed(struct cp_text request, struct cp_text answer, int finding)
{
    struct cp_test_text fixed;
    struct cp_text pointer = cp_test_atf(answer, "/findings/%d/fix/pointer", finding);
    struct cp_text value = cp_test_atf(answer, "/findings/%d/fix/value", finding);
    char path[128];
    FILE *file = cp_test_begin(&fixed);
    if (pointer.size) {
        (void)snprintf(path, sizeof path, "%.*s", (int)pointer.size - 2, pointer.bytes + 1);
        cp_test_patch(file, request, path, value);
    } else {
        (void)fprintf(file, "%.*s", (int)request.size, request.bytes);
    }
    (void)cp_test_finish(&fixed);
    return fixed;
}

/* The same with all fixes, one after another. */
static inline struct cp_test_text cp_test_all_fixed(struct cp_text request, struct cp_text answer)
{
    int count = cp_test_count(cp_test_at(answer, "/findings"));
    struct cp_test_text fixed = cp_test_fixed(request, answer, count); /* past the last: nothing */
    for (int at = 0; at < count; at++) {
        struct cp_test_text next = cp_test_fixed((struct cp_text){fixed.bytes, fixed.size}, answer, at);
        cp_test_free(&fixed);
        fixed = next;
    }
    return fixed;
}

#endif
