#include "tests/fuzz/ask.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/limits.h"

#define MOST_BYTES ((size_t)1 << 29) /* of one exchange; a fuzzer is stopped at four times as much */

/* ---- Memory ------------------------------------------------------------------------------------------------------- */

static void *more(struct cp_arena *arena, size_t size, size_t *given)
{
    struct cp_exact_memory *memory = (struct cp_exact_memory *)(void *)arena;
    if (size > MOST_BYTES - memory->held_bytes) return NULL;
    if (memory->count == memory->capacity) {
        memory->capacity = 2 * memory->capacity + 64;
        memory->blocks = realloc(memory->blocks, memory->capacity * sizeof *memory->blocks);
        if (!memory->blocks) abort();
    }
    void *block = malloc(size);
    if (!block) return NULL;
    memory->blocks[memory->count++] = block;
    memory->held_bytes += size;
    *given = size;
    return block;
}

void cp_exact_memory_open(struct cp_exact_memory *memory)
{
    *memory = (struct cp_exact_memory){.arena = {.more = more, .exhausted = cp_service_exhausted}};
}

void cp_exact_memory_close(struct cp_exact_memory *memory)
{
    for (size_t at = 0; at < memory->count; at++) free(memory->blocks[at]);
    free(memory->blocks);
}

/* ---- Requests ----------------------------------------------------------------------------------------------------- */

/* The text up to a byte, which is taken off with it; all of it where there is none. */
static struct cp_text take_until(struct cp_text *rest, char separator)
{
    struct cp_text part = *rest;
    const char *end = rest->size ? memchr(rest->bytes, separator, rest->size) : NULL;
    if (end) part.size = (size_t)(end - part.bytes);
    size_t taken = part.size + (end ? 1 : 0);
    *rest = (struct cp_text){rest->bytes + taken, rest->size - taken};
    return part;
}

static enum cp_request_method method_of(struct cp_text name)
{
    static const char *const names[] = {"GET", "HEAD", "POST", "OPTIONS"};
    for (int at = 0; at < CP_OTHER_METHOD; at++)
        if (cp_text_is(name, names[at])) return (enum cp_request_method)at;
    return CP_OTHER_METHOD;
}

static void take_header(struct cp_request *request, struct cp_text line)
{
    struct cp_text name = take_until(&line, ':');
    while (line.size && *line.bytes == ' ') line.bytes++, line.size--;
    if (cp_text_is(name, "Content-Type")) request->content_type = line;
    if (cp_text_is(name, "Accept")) request->accept = line;
}

struct cp_request cp_request_of_text(struct cp_text text)
{
    struct cp_request request = {0};
    struct cp_text line = take_until(&text, '\n');
    request.method_name = take_until(&line, ' ');
    request.method = method_of(request.method_name);
    request.path = take_until(&line, '?');
    request.query = line;
    while (text.size && (line = take_until(&text, '\n')).size) take_header(&request, line);
    request.body = text;
    return request;
}

bool cp_fuzz_answer(const struct cp_request *request, struct cp_reply *reply, struct cp_arena *arena)
{
    struct cp_request asked = *request;
    asked.brief = request->body.size <= CP_MAX_BRIEF_BYTES;
    cp_service_answer(&asked, reply, arena);
    return !reply->deferred;
}

const struct cp_json *cp_fuzz_post(const char *path, struct cp_text body, struct cp_arena *arena)
{
    struct cp_json_error error;
    struct cp_reply reply;
    struct cp_request request = {
        .method = CP_POST, .method_name = CP_TEXT("POST"), .path = cp_text_of(path), .body = body};
    if (!cp_fuzz_answer(&request, &reply, arena) || reply.status != 200) return NULL;
    return cp_json_parse(arena, reply.body.bytes, reply.body.size, &error);
}

const struct cp_json *cp_fuzz_member(const struct cp_json *object, const char *name)
{
    if (!object || cp_json_type(object) != CP_JSON_OBJECT) return NULL;
    return cp_json_member(object, cp_text_of(name));
}

static void write_children(struct cp_writer *writer, const struct cp_json *value)
{
    bool object = cp_json_type(value) == CP_JSON_OBJECT;
    for (const struct cp_json *child = cp_json_first(value); child; child = cp_json_next(child)) {
        if (object) cp_write_name(writer, cp_json_name(child));
        cp_fuzz_write(writer, child);
    }
}

void cp_fuzz_write(struct cp_writer *writer, const struct cp_json *value)
{
    int64_t integer;
    switch (cp_json_type(value)) {
    case CP_JSON_NULL: cp_write_null(writer); return;
    case CP_JSON_FALSE:
    case CP_JSON_TRUE: cp_write_boolean(writer, cp_json_type(value) == CP_JSON_TRUE); return;
    case CP_JSON_STRING: cp_write_text(writer, cp_json_text(value)); return;
    case CP_JSON_NUMBER:
        if (cp_json_long_integer(value, &integer))
            cp_write_integer(writer, integer);
        else
            cp_write_double(writer, cp_json_number(value));
        return;
    case CP_JSON_ARRAY:
        cp_write_array_begin(writer);
        write_children(writer, value);
        cp_write_array_end(writer);
        return;
    case CP_JSON_OBJECT:
        cp_write_object_begin(writer);
        write_children(writer, value);
        cp_write_object_end(writer);
    }
}

void cp_fuzz_fail(const struct cp_request *request, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\nin answer to\n%.*s %.*s?%.*s\nContent-Type: %.*s\nAccept: %.*s\n\n%.*s\n",
            CP_FUZZ_SHOWN(request->method_name), CP_FUZZ_SHOWN(request->path), CP_FUZZ_SHOWN(request->query),
            CP_FUZZ_SHOWN(request->content_type), CP_FUZZ_SHOWN(request->accept), CP_FUZZ_SHOWN(request->body));
    abort();
}
