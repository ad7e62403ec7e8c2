#include "server/formats/yaml.h"

#include <yaml.h>

#include "core/limits.h"
#include "server/json/writer.h"

struct converter {
    struct cp_writer writer;
    struct cp_yaml_error *error;
    int depth; /* of open collections */
    struct level {
        bool mapping;
        bool at_key; /* of a mapping: what comes next is a key */
    } levels[CP_MAX_JSON_DEPTH];
};

static bool refuse(struct converter *converter, const yaml_event_t *event, const char *problem)
{
    *converter->error = (struct cp_yaml_error){event->start_mark.line + 1, event->start_mark.column + 1, problem};
    return false;
}

/* ---- Plain scalars ------------------------------------------------------------------------------------------------ */

static bool is_one_of(struct cp_text text, const char *const *words)
{
    while (*words && !cp_text_is(text, *words)) words++;
    return *words;
}

enum notation { NO_NUMBER, JSON_NUMBER, OTHER_NUMBER };

/* A decimal of the core schema, [-+]?(digits[.[digits]] | .digits)[exponent], and whether JSON writes it so too: no plus,
 * no leading zero, digits on both sides of the point. Scalars of libyaml are terminated. */
static enum notation decimal_notation(const char *at)
{
    static const char digits[] = "0123456789";
    bool json = *at != '+';
    at += *at == '-' || *at == '+';
    size_t whole = strspn(at, digits);
    if (whole == 0 || (whole > 1 && *at == '0')) json = false;
    at += whole;
    if (*at == '.') {
        size_t fraction = strspn(at + 1, digits);
        if (whole + fraction == 0) return NO_NUMBER;
        if (fraction == 0) json = false;
        at += 1 + fraction;
    } else if (whole == 0) {
        return NO_NUMBER;
    }
    if (*at == 'e' || *at == 'E') {
        at += 1 + (at[1] == '+' || at[1] == '-');
        size_t exponent = strspn(at, digits);
        if (exponent == 0) return NO_NUMBER;
        at += exponent;
    }
    if (*at) return NO_NUMBER;
    return json ? JSON_NUMBER : OTHER_NUMBER;
}

static enum notation number_notation(const char *at)
{
    static const char *const words[] = {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN", NULL};
    const char *size = at + (*at == '-' || *at == '+');
    if (is_one_of(cp_text_of(size), words)) return OTHER_NUMBER;
    bool hexadecimal = at[0] == '0' && at[1] == 'x' && at[2], octal = at[0] == '0' && at[1] == 'o' && at[2];
    if (hexadecimal && at[2 + strspn(at + 2, "0123456789abcdefABCDEF")] == '\0') return OTHER_NUMBER;
    if (octal && at[2 + strspn(at + 2, "01234567")] == '\0') return OTHER_NUMBER;
    return decimal_notation(at);
}

static bool write_number_or_string(struct converter *converter, const yaml_event_t *event, struct cp_text text)
{
    switch (number_notation(text.bytes)) {
    case JSON_NUMBER: cp_write_json(&converter->writer, text); return true; /* its digits as they are */
    case OTHER_NUMBER: return refuse(converter, event, "a number that JSON writes otherwise");
    case NO_NUMBER: break;
    }
    cp_write_text(&converter->writer, text);
    return true;
}

static bool write_plain(struct converter *converter, const yaml_event_t *event, struct cp_text text)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"true", "True", "TRUE", NULL};
    static const char *const falses[] = {"false", "False", "FALSE", NULL};
    struct cp_writer *writer = &converter->writer;
    if (is_one_of(text, nulls))
        cp_write_null(writer);
    else if (is_one_of(text, trues))
        cp_write_boolean(writer, true);
    else if (is_one_of(text, falses))
        cp_write_boolean(writer, false);
    else
        return write_number_or_string(converter, event, text);
    return true;
}

/* ---- Events ------------------------------------------------------------------------------------------------------- */

static struct level *innermost(struct converter *converter)
{
    return converter->depth ? &converter->levels[converter->depth - 1] : NULL;
}

static bool expects_key(struct converter *converter)
{
    const struct level *level = innermost(converter);
    return level && level->mapping && level->at_key;
}

/* A value is complete, or a key was written: in a mapping the other is next. */
static void turn(struct converter *converter)
{
    struct level *level = innermost(converter);
    if (level) level->at_key = !level->at_key;
}

static bool write_scalar(struct converter *converter, const yaml_event_t *event)
{
    struct cp_text text = {(const char *)event->data.scalar.value, event->data.scalar.length};
    if (event->data.scalar.anchor) return refuse(converter, event, "an anchor");
    if (event->data.scalar.tag) return refuse(converter, event, "a tag");
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    bool right = true;
    if (!expects_key(converter))
        right = plain ? write_plain(converter, event, text) : (cp_write_text(&converter->writer, text), true);
    else if (plain && cp_text_is(text, "<<"))
        right = refuse(converter, event, "a merge key");
    else
        cp_write_name(&converter->writer, text);
    turn(converter);
    return right;
}

static bool open_collection(struct converter *converter, const yaml_event_t *event, bool mapping)
{
    const yaml_char_t *anchor = mapping ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
    const yaml_char_t *tag = mapping ? event->data.mapping_start.tag : event->data.sequence_start.tag;
    if (anchor) return refuse(converter, event, "an anchor");
    if (tag) return refuse(converter, event, "a tag");
    if (expects_key(converter)) return refuse(converter, event, "a key that is no scalar");
    if (converter->depth == CP_MAX_JSON_DEPTH) return refuse(converter, event, "nested too deeply");
    if (mapping)
        cp_write_object_begin(&converter->writer);
    else
        cp_write_array_begin(&converter->writer);
    converter->levels[converter->depth++] = (struct level){.mapping = mapping, .at_key = true};
    return true;
}

static bool close_collection(struct converter *converter)
{
    if (converter->levels[--converter->depth].mapping)
        cp_write_object_end(&converter->writer);
    else
        cp_write_array_end(&converter->writer);
    turn(converter);
    return true;
}

static bool convert_event(struct converter *converter, const yaml_event_t *event, int *documents)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT: return write_scalar(converter, event);
    case YAML_MAPPING_START_EVENT: return open_collection(converter, event, true);
    case YAML_SEQUENCE_START_EVENT: return open_collection(converter, event, false);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT: return close_collection(converter);
    case YAML_ALIAS_EVENT: return refuse(converter, event, "an alias");
    case YAML_DOCUMENT_START_EVENT: return ++*documents == 1 || refuse(converter, event, "a second document");
    case YAML_STREAM_END_EVENT: return *documents == 1 || refuse(converter, event, "no document");
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_END_EVENT: break;
    }
    return true;
}

/* What libyaml says of bytes that are no YAML. */
static bool refuse_syntax(struct converter *converter, const yaml_parser_t *parser)
{
    const char *problem = parser->problem ? parser->problem : "out of memory";
    *converter->error = (struct cp_yaml_error){parser->problem_mark.line + 1, parser->problem_mark.column + 1, problem};
    return false;
}

static bool convert_all(struct converter *converter, yaml_parser_t *parser)
{
    int documents = 0;
    for (bool ended = false; !ended;) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event)) return refuse_syntax(converter, parser);
        bool right = convert_event(converter, &event, &documents);
        ended = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        if (!right) return false;
    }
    return true;
}

bool cp_yaml_to_json(struct cp_text yaml, struct cp_arena *arena, struct cp_text *json, struct cp_yaml_error *error)
{
    struct converter converter = {.error = error};
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) {
        *error = (struct cp_yaml_error){1, 1, "out of memory"};
        return false;
    }
    cp_writer_begin(&converter.writer, arena, yaml.size);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)yaml.bytes, yaml.size);
    bool right = convert_all(&converter, &parser);
    yaml_parser_delete(&parser);
    *json = cp_writer_text(&converter.writer);
    return right;
}
