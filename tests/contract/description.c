#include "tests/contract/description.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "server/json/writer.h"
#include "server/memory.h"
#include "tests/contract/reply.h"
#include "tests/contract/schema.h"

static struct cp_memory memory;
static int complaints;

struct cp_arena *cp_test_arena(void)
{
    return &memory.arena;
}

const struct cp_json *cp_description(void)
{
    return cp_openapi();
}

const struct cp_json *cp_parsed(struct cp_text text)
{
    struct cp_json_error error;
    const struct cp_json *value = cp_json_parse(&memory.arena, text.bytes, text.size, &error);
    if (!value) fail_msg("no JSON at byte %zu (%s): %.*s", error.offset, error.expected, CP_SHOWN(text));
    return value;
}

int cp_description_open(void **state)
{
    (void)state;
    cp_memory_open(&memory, NULL, (size_t)1 << 30, NULL);
    return 0;
}

int cp_description_close(void **state)
{
    (void)state;
    cp_memory_reset(&memory);
    return 0;
}

const struct cp_json *cp_at(const struct cp_json *object, const char *name)
{
    bool has_members = object && cp_json_type(object) == CP_JSON_OBJECT;
    return has_members ? cp_json_member(object, cp_text_of(name)) : NULL;
}

const struct cp_json *cp_described(const char *steps)
{
    const struct cp_json *at = cp_openapi();
    for (const char *step = steps; at && *step;) {
        size_t size = strcspn(step, " ");
        at = cp_json_member(at, (struct cp_text){step, size});
        step += size + (step[size] == ' ');
    }
    if (!at) fail_msg("openapi.yaml has no %s", steps);
    return at;
}

const struct cp_json *cp_described_schema(const char *name)
{
    const struct cp_json *schema = cp_at(cp_described("components schemas"), name);
    if (!schema) fail_msg("openapi.yaml has no schema %s", name);
    return schema;
}

const struct cp_json *cp_referred(const struct cp_json *object)
{
    const struct cp_json *reference = cp_at(object, "$ref");
    return reference ? cp_schema_resolve(cp_openapi(), cp_json_text(reference), &memory.arena) : object;
}

bool cp_lists(const struct cp_json *list, const char *string)
{
    if (!list) return false;
    const struct cp_json *one = cp_json_first(list);
    while (one && !cp_text_is(cp_json_text(one), string)) one = cp_json_next(one);
    return one;
}

/* ---- Writing a value ---------------------------------------------------------------------------------------------- */

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the value, which the parser bounds. */
static void write_value(struct cp_writer *writer, const struct cp_json *value)
{
    bool object = cp_json_type(value) == CP_JSON_OBJECT;
    switch (cp_json_type(value)) {
    case CP_JSON_NULL: cp_write_null(writer); break;
    case CP_JSON_FALSE: cp_write_boolean(writer, false); break;
    case CP_JSON_TRUE: cp_write_boolean(writer, true); break;
    case CP_JSON_NUMBER: cp_write_double(writer, cp_json_number(value)); break;
    case CP_JSON_STRING: cp_write_text(writer, cp_json_text(value)); break;
    case CP_JSON_ARRAY:
    case CP_JSON_OBJECT:
        (object ? cp_write_object_begin : cp_write_array_begin)(writer);
        for (const struct cp_json *one = cp_json_first(value); one; one = cp_json_next(one)) {
            if (object) cp_write_name(writer, cp_json_name(one));
            write_value(writer, one);
        }
        (object ? cp_write_object_end : cp_write_array_end)(writer);
        break;
    }
}

struct cp_text cp_written(const struct cp_json *value)
{
    struct cp_writer writer;
    cp_writer_begin(&writer, &memory.arena, 256);
    write_value(&writer, value);
    return cp_writer_text(&writer);
}

/* ---- The service -------------------------------------------------------------------------------------------------- */

struct cp_reply cp_post_shapes(struct cp_text body)
{
    struct cp_reply reply;
    struct cp_request request = {
        .method = CP_POST, .method_name = CP_TEXT("POST"), .path = CP_TEXT("/v1/shapes"), .body = body};
    cp_service_answer(&request, &reply, &memory.arena);
    return reply;
}

/* ---- Complaints --------------------------------------------------------------------------------------------------- */

void cp_complain(const char *format, ...)
{
    enum { SHOWN = 40 };
    va_list arguments;
    if (++complaints > SHOWN) return;
    char line[4096];
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    print_error("%s\n", line);
}

void cp_no_complaints(void)
{
    int count = complaints;
    complaints = 0;
    if (count) fail_msg("%d complaints", count);
}
