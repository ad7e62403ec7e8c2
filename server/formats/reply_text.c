#include "server/formats/reply_text.h"

const struct cp_json *cp_reply_member(const struct cp_json *object, const char *name)
{
    return object ? cp_json_member(object, cp_text_of(name)) : NULL;
}

struct cp_text cp_reply_string(const struct cp_json *value)
{
    if (!value || cp_json_type(value) != CP_JSON_STRING) return (struct cp_text){0};
    return cp_json_text(value);
}

bool cp_reply_is_true(const struct cp_json *value)
{
    return value && cp_json_type(value) == CP_JSON_TRUE;
}

static void write_scalar(struct cp_writer *out, const struct cp_json *value, const char *otherwise)
{
    int64_t integer;
    if (value && cp_json_integer(value, &integer)) {
        char digits[CP_DISPLAY_COUNT_ROOM];
        cp_display_count(integer, digits);
        cp_put(out, digits);
    } else if (value && cp_json_type(value) == CP_JSON_STRING) {
        cp_put_text(out, cp_json_text(value));
    } else {
        cp_put(out, otherwise);
    }
}

struct cp_text cp_reply_text(struct cp_arena *arena, const struct cp_json *value, const char *between,
                             const char *otherwise)
{
    struct cp_writer out;
    cp_writer_begin(&out, arena, 32);
    if (!value || cp_json_type(value) != CP_JSON_ARRAY) {
        write_scalar(&out, value, otherwise);
        return cp_writer_text(&out);
    }
    for (const struct cp_json *at = cp_json_first(value); at; at = cp_json_next(at)) {
        if (at != cp_json_first(value)) cp_put(&out, between);
        write_scalar(&out, at, otherwise);
    }
    return cp_writer_text(&out);
}
