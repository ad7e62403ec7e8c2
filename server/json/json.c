#include "server/json/json.h"

#include <math.h>

#include "core/limits.h"
#include "server/json/json_tree.h"

enum cp_json_type cp_json_type(const struct cp_json *value)
{
    return (enum cp_json_type)value->type;
}

const struct cp_json *cp_json_first(const struct cp_json *value)
{
    return value->type >= CP_JSON_ARRAY && value->size ? value + 1 : NULL;
}

const struct cp_json *cp_json_next(const struct cp_json *value)
{
    return value->next ? value + value->next : NULL;
}

size_t cp_json_count(const struct cp_json *value)
{
    return value->type >= CP_JSON_ARRAY ? value->size : 0;
}

struct cp_text cp_json_name(const struct cp_json *value)
{
    return (struct cp_text){value->name, value->name_size};
}

struct cp_text cp_json_text(const struct cp_json *value)
{
    return (struct cp_text){value->of.bytes, value->size};
}

double cp_json_number(const struct cp_json *value)
{
    return value->is_integer ? (double)value->of.integer : value->of.number;
}

bool cp_json_integer(const struct cp_json *value, int64_t *integer)
{
    if (value->type != CP_JSON_NUMBER) return false;
    int64_t whole = value->of.integer;
    if (!value->is_integer) {
        if (!(fabs(value->of.number) <= CP_MAX_COUNT)) return false;
        whole = (int64_t)value->of.number;
        if ((double)whole != value->of.number) return false;
    }
    if (whole < -CP_MAX_COUNT || whole > CP_MAX_COUNT) return false;
    *integer = whole;
    return true;
}

bool cp_json_long_integer(const struct cp_json *value, int64_t *integer)
{
    if (value->type != CP_JSON_NUMBER || !value->is_integer) return cp_json_integer(value, integer);
    *integer = value->of.integer;
    return true;
}

const struct cp_json *cp_json_member(const struct cp_json *object, struct cp_text name)
{
    if (object->type != CP_JSON_OBJECT) return NULL;
    for (const struct cp_json *member = cp_json_first(object); member; member = cp_json_next(member))
        if (cp_text_equal(cp_json_name(member), name)) return member;
    return NULL;
}
