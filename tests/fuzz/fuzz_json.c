/* The strict parser, beside cJSON, which takes more than RFC 8259 does: what ours takes cJSON takes too, and finds the
 * same values in it; so what cJSON refuses ours refuses. And what ours has read it reads again when it is written. */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/json/json.h"
#include "tests/contract/schema.h"
#include "tests/fuzz/ask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fail(const char *what, const char *text, size_t size)
{
    fprintf(stderr, "%s: %.*s\n", what, (int)size, text);
    abort();
}

static bool same_text(struct cp_text ours, const char *theirs)
{
    return theirs && cp_text_is(ours, theirs);
}

static bool same(const struct cp_json *ours, const cJSON *theirs);

static bool same_children(const struct cp_json *ours, const cJSON *theirs)
{
    size_t count = 0;
    const struct cp_json *one = cp_json_first(ours);
    const cJSON *other = theirs->child;
    for (; one && other; one = cp_json_next(one), other = other->next, count++) {
        if (cp_json_type(ours) == CP_JSON_OBJECT && !same_text(cp_json_name(one), other->string)) return false;
        if (!same(one, other)) return false;
    }
    return !one && !other && cp_json_count(ours) == count;
}

static bool same(const struct cp_json *ours, const cJSON *theirs)
{
    switch (cp_json_type(ours)) {
    case CP_JSON_NULL: return cJSON_IsNull(theirs);
    case CP_JSON_FALSE: return cJSON_IsFalse(theirs);
    case CP_JSON_TRUE: return cJSON_IsTrue(theirs);
    case CP_JSON_NUMBER: return cJSON_IsNumber(theirs) && cp_json_number(ours) == theirs->valuedouble;
    case CP_JSON_STRING: return cJSON_IsString(theirs) && same_text(cp_json_text(ours), theirs->valuestring);
    case CP_JSON_ARRAY: return cJSON_IsArray(theirs) && same_children(ours, theirs);
    case CP_JSON_OBJECT: return cJSON_IsObject(theirs) && same_children(ours, theirs);
    }
    return false;
}

/* cJSON cuts a number after its 63rd byte. */
static bool has_long_number(const char *text, size_t size)
{
    enum { LONGEST = 63 };
    size_t length = 0;
    for (size_t at = 0; at < size; at++) {
        bool of_number = strchr("+-.0123456789eE", text[at]) && text[at];
        length = of_number ? length + 1 : 0;
        if (length > LONGEST) return true;
    }
    return false;
}

static void check_beside_cjson(const struct cp_json *ours, const char *text, size_t size)
{
    const char *end = NULL;
    if (has_long_number(text, size)) return;
    cJSON *theirs = cJSON_ParseWithLengthOpts(text, size, &end, false);
    if (!theirs) fail("cJSON refuses", text, size);
    while (end < text + size && strchr(" \t\n\r", *end) && *end) end++;
    if (end != text + size) fail("cJSON sees something behind", text, size);
    if (!same(ours, theirs)) fail("cJSON reads something else", text, size);
    cJSON_Delete(theirs);
}

static void check_written(const struct cp_json *value, struct cp_arena *arena, const char *text, size_t size)
{
    struct cp_writer writer;
    struct cp_json_error error;
    cp_writer_begin(&writer, arena, 64);
    cp_fuzz_write(&writer, value);
    struct cp_text written = cp_writer_text(&writer);
    const struct cp_json *again = cp_json_parse(arena, written.bytes, written.size, &error);
    if (!again || cp_json_difference(value, again, false, arena).size) fail("written otherwise", text, size);
}

static bool has_zero(struct cp_text text)
{
    return text.size > 0 && memchr(text.bytes, 0, text.size);
}

/* What only a `meta` may hold, since nobody looks at it: zero characters, and numbers beyond binary64. */
static bool holds_foreign(const struct cp_json *value, bool in_meta, const char *text, size_t size)
{
    bool infinite = cp_json_type(value) == CP_JSON_NUMBER && !isfinite(cp_json_number(value));
    bool foreign = infinite || (cp_json_type(value) == CP_JSON_STRING && has_zero(cp_json_text(value)));
    in_meta = in_meta || cp_text_is(cp_json_name(value), "meta");
    for (const struct cp_json *child = cp_json_first(value); child; child = cp_json_next(child)) {
        bool name_is = has_zero(cp_json_name(child));
        if (name_is && !in_meta) fail("a zero in a name", text, size);
        foreign = holds_foreign(child, in_meta, text, size) || name_is || foreign;
    }
    if (foreign && !in_meta && (infinite || cp_json_type(value) == CP_JSON_STRING))
        fail("held outside of meta", text, size);
    return foreign;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct cp_exact_memory memory;
    struct cp_json_error error = {0};
    cp_exact_memory_open(&memory);
    const struct cp_json *value = cp_json_parse(&memory.arena, text, size, &error);
    if (value && !holds_foreign(value, false, text, size)) {
        check_beside_cjson(value, text, size);
        check_written(value, &memory.arena, text, size);
    } else if (!value && (error.fault == CP_JSON_OK || error.offset > size || !error.expected)) {
        fail("refused without a reason", text, size);
    }
    cp_exact_memory_close(&memory);
    return 0;
}
