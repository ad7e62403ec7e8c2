#include "server/problem.h"

#include <math.h>

#include "core/text_builder.h"
#include "server/budgets.h"
#include "server/plan_writing.h"
#include "server/state.h"

/* ---- Words -------------------------------------------------------------------------------------------------------- */

static void append_shape(struct cp_text_builder *text, const struct cp_shape *shape)
{
    cp_text_add_string(text, "[");
    for (int dim = 0; dim < shape->rank; dim++) {
        if (dim) cp_text_add_string(text, ", ");
        if (shape->size[dim] == CP_ANY_SIZE)
            cp_text_add_string(text, "null");
        else
            cp_text_add_number(text, shape->size[dim]);
    }
    cp_text_add_string(text, "]");
}

static void append_argument(struct cp_text_builder *text, const struct cp_argument *argument)
{
    switch (argument->kind) {
    case CP_ARGUMENT_NUMBER: cp_text_add_number(text, argument->number); break;
    case CP_ARGUMENT_TEXT: cp_text_add(text, argument->text); break;
    case CP_ARGUMENT_SHAPE: append_shape(text, argument->shape); break;
    }
}

struct cp_text cp_message(struct cp_arena *arena, const char *pattern, const struct cp_argument *arguments,
                          int argument_count)
{
    struct cp_text_builder text = {.arena = arena};
    for (const char *next = pattern; *next;) {
        int index = next[0] == '{' && next[1] && next[2] == '}' ? next[1] - '0' : -1;
        if (index >= 0 && index < argument_count) {
            append_argument(&text, &arguments[index]);
            next += 3;
            continue;
        }
        size_t plain = 1 + strcspn(next + 1, "{");
        cp_text_add(&text, (struct cp_text){next, plain});
        next += plain;
    }
    return cp_text_built(&text);
}

struct cp_text cp_did_you_mean(struct cp_arena *arena, struct cp_text nearest)
{
    if (nearest.size == 0) return (struct cp_text){0};
    return cp_message(arena, "did you mean `{0}`?", CP_ARGUMENTS(cp_name(nearest)));
}

struct cp_text cp_shown_string(struct cp_arena *arena, struct cp_text string)
{
    enum { SHOWN = 60 };
    bool cut = string.size > SHOWN;
    if (cut) string.size = SHOWN;
    while (cut && string.size && ((unsigned char)string.bytes[string.size] & 0xc0) == 0x80) string.size--;
    return cp_message(arena, cut ? "\"{0}…\"" : "\"{0}\"", CP_ARGUMENTS(cp_name(string)));
}

/* To the last digit where that is known: of an integer beyond int64 binary64 keeps the first ones alone. */
static struct cp_text describe_number(struct cp_arena *arena, const struct cp_json *value)
{
    int64_t integer;
    struct cp_writer number;
    if (isinf(cp_json_number(value))) return CP_TEXT("a number beyond binary64");
    if (cp_json_long_integer(value, &integer)) return cp_message(arena, "{0}", CP_ARGUMENTS(cp_number(integer)));
    cp_writer_begin(&number, arena, CP_NUMBER_ROOM);
    cp_write_double(&number, cp_json_number(value));
    bool rounded = fabs(cp_json_number(value)) > CP_MAX_COUNT;
    return cp_message(arena, rounded ? "about {0}" : "{0}", CP_ARGUMENTS(cp_name(cp_writer_text(&number))));
}

struct cp_text cp_describe_json(struct cp_arena *arena, const struct cp_json *value)
{
    switch (cp_json_type(value)) {
    case CP_JSON_NULL: return CP_TEXT("null");
    case CP_JSON_FALSE: return CP_TEXT("false");
    case CP_JSON_TRUE: return CP_TEXT("true");
    case CP_JSON_NUMBER: return describe_number(arena, value);
    case CP_JSON_STRING: return cp_shown_string(arena, cp_json_text(value));
    case CP_JSON_ARRAY:
        return cp_message(arena, cp_json_count(value) == 1 ? "a list of {0} value" : "a list of {0} values",
                          CP_ARGUMENTS(cp_number((int64_t)cp_json_count(value))));
    case CP_JSON_OBJECT: return CP_TEXT("an object");
    }
    return CP_TEXT("nothing");
}

/* ---- Places ------------------------------------------------------------------------------------------------------- */

static void append_escaped(struct cp_text_builder *text, struct cp_text name)
{
    for (size_t at = 0; at < name.size; at++) {
        if (name.bytes[at] == '~')
            cp_text_add_string(text, "~0");
        else if (name.bytes[at] == '/')
            cp_text_add_string(text, "~1");
        else
            cp_text_add(text, (struct cp_text){&name.bytes[at], 1});
    }
}

struct cp_text cp_path_pointer(struct cp_arena *arena, const struct cp_path *path)
{
    enum { DEEPEST = CP_MAX_JSON_DEPTH + 1 };
    const struct cp_path *steps[DEEPEST];
    int depth = 0;
    struct cp_text_builder text = {.arena = arena};
    for (; path && path->parent && depth < DEEPEST; path = path->parent) steps[depth++] = path;
    while (depth-- > 0) {
        cp_text_add_string(&text, "/");
        if (steps[depth]->name.bytes)
            append_escaped(&text, steps[depth]->name);
        else
            cp_text_add_number(&text, steps[depth]->index);
    }
    return cp_text_built(&text);
}

/* ---- The collection ----------------------------------------------------------------------------------------------- */

void cp_problems_begin(struct cp_problems *problems, struct cp_arena *arena)
{
    *problems = (struct cp_problems){.arena = arena};
    problems->tail = &problems->first;
}

static struct cp_problem_error *add_error(struct cp_problems *problems, enum cp_code code,
                                          const struct cp_argument *arguments, int argument_count)
{
    if (++problems->count > CP_MAX_PROBLEM_ERRORS) return NULL;
    struct cp_problem_error *error = CP_NEW(problems->arena, struct cp_problem_error);
    const struct cp_status *status = &cp_statuses[code];
    *error = (struct cp_problem_error){
        .code = code,
        .detail = cp_message(problems->arena, status->detail, arguments, argument_count),
        .suggestion = cp_message(problems->arena, status->suggestion, arguments, argument_count),
        .offset = CP_UNKNOWN,
    };
    *problems->tail = error;
    problems->tail = &error->next;
    return error;
}

void cp_problem_add(struct cp_problems *problems, enum cp_code code, const struct cp_path *at,
                    const struct cp_argument *arguments, int argument_count)
{
    struct cp_problem_error *error = add_error(problems, code, arguments, argument_count);
    if (error) error->pointer = cp_path_pointer(problems->arena, at);
}

void cp_problem_add_finding(struct cp_problems *problems, const struct cp_finding *finding, const struct cp_path *layer)
{
    struct cp_path member = CP_PATH_MEMBER(layer, cp_text_of(finding->member ? finding->member : ""));
    const char *axis = cp_axis_letter(finding->axis, finding->axes);
    struct cp_problem_error *error = add_error(problems, finding->code, finding->arguments, finding->argument_count);
    if (!error) return;
    error->pointer = cp_path_pointer(problems->arena, finding->member ? &member : layer);
    if (axis)
        error->detail =
            cp_message(problems->arena, "axis {0}: {1}", CP_ARGUMENTS(cp_words(axis), cp_name(error->detail)));
}

void cp_problem_add_json(struct cp_problems *problems, const struct cp_json_error *error)
{
    static const enum cp_code codes[] = {
        [CP_JSON_SYNTAX] = CP_CODE_invalid_json,    [CP_JSON_DUPLICATE] = CP_CODE_duplicate_member,
        [CP_JSON_TOO_DEEP] = CP_CODE_json_too_deep, [CP_JSON_TOO_MANY] = CP_CODE_json_too_many_values,
        [CP_JSON_NUL] = CP_CODE_nul_in_string,      [CP_JSON_HUGE] = CP_CODE_number_out_of_range,
    };
    int64_t offset = (int64_t)error->offset;
    struct cp_argument second = cp_words(error->expected ? error->expected : "");
    if (error->fault == CP_JSON_TOO_DEEP) second = cp_number(CP_MAX_JSON_DEPTH);
    if (error->fault == CP_JSON_TOO_MANY) second = cp_number(CP_MAX_JSON_VALUES);
    struct cp_problem_error *added = add_error(problems, codes[error->fault], CP_ARGUMENTS(cp_number(offset), second));
    if (added) added->offset = offset;
}

void cp_report_stopped(struct cp_problems *problems)
{
    struct cp_text why = CP_TEXT("was stopped as the server shuts down");
    if (!cp_stopping)
        why = cp_message(problems->arena, "was not done after {0} seconds, the limit",
                         CP_ARGUMENTS(cp_number(cp_budgets.seconds)));
    cp_problem_add(problems, CP_CODE_computation_stopped, NULL, CP_ARGUMENTS(cp_name(why)));
}

static void write_error(struct cp_writer *writer, const struct cp_problem_error *error)
{
    cp_write_object_begin(writer);
    CP_WRITE_NAME(writer, "code");
    cp_write_string(writer, cp_statuses[error->code].code);
    CP_WRITE_NAME(writer, "pointer");
    cp_write_text(writer, error->pointer);
    if (error->offset != CP_UNKNOWN) {
        CP_WRITE_NAME(writer, "offset");
        cp_write_integer(writer, error->offset);
    }
    CP_WRITE_NAME(writer, "detail");
    cp_write_text(writer, error->detail);
    if (error->suggestion.size) {
        CP_WRITE_NAME(writer, "suggestion");
        cp_write_text(writer, error->suggestion);
    }
    cp_write_object_end(writer);
}

/* The detail of the whole: that of its only error, or how many there are. */
static struct cp_text overall_detail(const struct cp_problems *problems)
{
    if (problems->count > 1)
        return cp_message(problems->arena, "{0} errors; the first: {1}",
                          CP_ARGUMENTS(cp_number(problems->count), cp_name(problems->first->detail)));
    return problems->first->detail;
}

void cp_problems_reply(const struct cp_problems *problems, struct cp_reply *reply)
{
    const struct cp_status *status = &cp_statuses[problems->first->code];
    int http_status = status->http_status == 200 ? 422 : status->http_status;
    struct cp_writer writer;
    cp_writer_begin(&writer, problems->arena, 512);
    cp_write_object_begin(&writer);
    CP_WRITE_NAME(&writer, "type");
    cp_write_text(&writer, cp_message(problems->arena, "/problems/{0}", CP_ARGUMENTS(cp_words(status->code))));
    CP_WRITE_NAME(&writer, "title");
    cp_write_string(&writer, status->title);
    CP_WRITE_NAME(&writer, "status");
    cp_write_integer(&writer, http_status);
    CP_WRITE_NAME(&writer, "detail");
    cp_write_text(&writer, overall_detail(problems));
    CP_WRITE_NAME(&writer, "errors");
    cp_write_array_begin(&writer);
    for (const struct cp_problem_error *error = problems->first; error; error = error->next)
        write_error(&writer, error);
    cp_write_array_end(&writer);
    if (problems->count > CP_MAX_PROBLEM_ERRORS) {
        CP_WRITE_NAME(&writer, "errors_omitted");
        cp_write_integer(&writer, problems->count - CP_MAX_PROBLEM_ERRORS);
    }
    cp_write_object_end(&writer);
    reply->status = http_status;
    reply->content_type = "application/problem+json";
    reply->body = cp_writer_text(&writer);
    reply->is_static = false;
    reply->problem = status;
}

void cp_problem_reply(enum cp_code code, struct cp_arena *arena, struct cp_reply *reply,
                      const struct cp_argument *arguments, int argument_count)
{
    struct cp_problems problems;
    cp_problems_begin(&problems, arena);
    cp_problem_add(&problems, code, NULL, arguments, argument_count);
    cp_problems_reply(&problems, reply);
}
