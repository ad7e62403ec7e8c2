#include "server/formats/report.h"

/* The service writes `valid` before all else, so that a reply too large for a tree has its verdict too. */
static enum cp_exit verdict(const struct cp_reply *reply)
{
    static const char not_valid[] = "{\"valid\":false";
    if (reply->status != 200) return CP_EXIT_WRONG;
    bool is_not =
        reply->body.size >= sizeof not_valid - 1 && memcmp(reply->body.bytes, not_valid, sizeof not_valid - 1) == 0;
    return is_not ? CP_EXIT_NOT_VALID : CP_EXIT_VALID;
}

static struct cp_report *begin(struct cp_arena *arena, const char *file)
{
    struct cp_report *report = CP_NEW(arena, struct cp_report);
    report->file = file;
    report->tail = &report->first;
    return report;
}

static struct cp_remark *add_remark(struct cp_arena *arena, struct cp_report *report, bool is_error)
{
    struct cp_remark *remark = CP_NEW(arena, struct cp_remark);
    remark->is_error = is_error;
    remark->position = (struct cp_position){1, 1};
    *report->tail = remark;
    report->tail = &remark->next;
    if (is_error)
        report->errors++;
    else
        report->warnings++;
    return remark;
}

static void add_failure(struct cp_arena *arena, struct cp_report *report, struct cp_text code, const char *detail)
{
    struct cp_remark *remark = add_remark(arena, report, true);
    remark->code = code;
    remark->detail = cp_text_of(detail);
    report->status = CP_EXIT_WRONG;
    report->is_answer = false;
}

struct cp_report *cp_report_unreadable(struct cp_arena *arena, const char *file, const char *detail)
{
    struct cp_report *report = begin(arena, file);
    add_failure(arena, report, CP_TEXT("unreadable_file"), detail);
    return report;
}

/* ---- From JSON to remarks ----------------------------------------------------------------------------------------- */

/* A text member, copied; empty where it is absent or no string. */
static struct cp_text member_text(struct cp_arena *arena, const struct cp_json *object, const char *name)
{
    const struct cp_json *value = cp_json_member(object, cp_text_of(name));
    if (!value || cp_json_type(value) != CP_JSON_STRING) return (struct cp_text){0};
    struct cp_text text = cp_json_text(value);
    if (!text.size) return (struct cp_text){0};
    return (struct cp_text){memcpy(cp_arena_take(arena, text.size, 1), text.bytes, text.size), text.size};
}

static void write_scalar(struct cp_writer *out, const struct cp_json *value)
{
    int64_t integer;
    if (cp_json_type(value) == CP_JSON_STRING)
        cp_write_text(out, cp_json_text(value));
    else if (cp_json_integer(value, &integer))
        cp_write_integer(out, integer);
    else if (cp_json_type(value) == CP_JSON_NUMBER)
        cp_write_double(out, cp_json_number(value));
    else if (cp_json_type(value) == CP_JSON_NULL)
        cp_write_null(out);
    else
        cp_write_boolean(out, cp_json_type(value) == CP_JSON_TRUE);
}

/* The values of fixes: a scalar, a list of them, or a list of pairs. */
static void write_fix_value(struct cp_writer *out, const struct cp_json *value)
{
    if (cp_json_type(value) != CP_JSON_ARRAY) {
        write_scalar(out, value);
        return;
    }
    cp_write_array_begin(out);
    for (const struct cp_json *at = cp_json_first(value); at; at = cp_json_next(at)) {
        bool is_pair = cp_json_type(at) == CP_JSON_ARRAY;
        if (is_pair) cp_write_array_begin(out);
        for (const struct cp_json *of = is_pair ? cp_json_first(at) : at; of; of = is_pair ? cp_json_next(of) : NULL)
            write_scalar(out, of);
        if (is_pair) cp_write_array_end(out);
    }
    cp_write_array_end(out);
}

static struct cp_text fix_text(struct cp_arena *arena, const struct cp_json *finding)
{
    const struct cp_json *fix = cp_json_member(finding, CP_TEXT("fix"));
    const struct cp_json *value = fix ? cp_json_member(fix, CP_TEXT("value")) : NULL;
    struct cp_writer pointer;
    struct cp_writer written;
    if (!value) return (struct cp_text){0};
    cp_writer_begin(&written, arena, 64);
    write_fix_value(&written, value);
    struct cp_text text = cp_writer_text(&written);
    cp_writer_begin(&pointer, arena, 64 + text.size);
    cp_put_text(&pointer, member_text(arena, fix, "pointer"));
    cp_put(&pointer, " = ");
    cp_put_text(&pointer, text);
    return cp_writer_text(&pointer);
}

static void add_remark_of(struct cp_arena *arena, struct cp_report *report, const struct cp_json *said,
                          struct cp_locator *locator)
{
    struct cp_text severity = member_text(arena, said, "severity");
    struct cp_remark *remark = add_remark(arena, report, !cp_text_is(severity, "warning"));
    const struct cp_json *offset = cp_json_member(said, CP_TEXT("offset"));
    int64_t byte;
    remark->code = member_text(arena, said, "code");
    remark->pointer = member_text(arena, said, "pointer");
    remark->layer = member_text(arena, said, "layer");
    remark->axis = member_text(arena, said, "axis");
    remark->detail = member_text(arena, said, "detail");
    remark->suggestion = member_text(arena, said, "suggestion");
    remark->fix = fix_text(arena, said);
    bool at_byte = offset && cp_json_integer(offset, &byte) && byte >= 0;
    remark->position = cp_locator_position(locator, at_byte ? (size_t)byte : cp_locate(locator, remark->pointer));
}

static void add_remarks(struct cp_arena *arena, struct cp_report *report, struct cp_text source)
{
    struct cp_locator locator;
    const struct cp_json *list =
        cp_json_member(report->reply, report->is_answer ? CP_TEXT("findings") : CP_TEXT("errors"));
    const struct cp_json *omitted =
        cp_json_member(report->reply, report->is_answer ? CP_TEXT("findings_omitted") : CP_TEXT("errors_omitted"));
    if (omitted && !cp_json_integer(omitted, &report->omitted)) report->omitted = 0;
    cp_locator_begin(&locator, source);
    for (const struct cp_json *at = list ? cp_json_first(list) : NULL; at; at = cp_json_next(at))
        add_remark_of(arena, report, at, &locator);
    if (report->is_answer || report->errors) return;
    struct cp_remark *remark = add_remark(arena, report, true);
    remark->code = member_text(arena, report->reply, "title");
    remark->detail = member_text(arena, report->reply, "detail");
}

struct cp_report *cp_report_of(struct cp_arena *arena, struct cp_arena *reply_arena, const char *file,
                               struct cp_text source, const struct cp_reply *reply, bool with_remarks)
{
    struct cp_json_error error;
    struct cp_report *report = begin(arena, file);
    report->status = verdict(reply);
    report->is_answer = reply->status == 200;
    report->body = reply->body;
    if (!with_remarks) return report;
    report->reply = cp_json_parse(reply_arena, reply->body.bytes, reply->body.size, &error);
    if (report->reply)
        add_remarks(arena, report, source);
    else
        add_failure(arena, report, CP_TEXT("reply_too_large"),
                    "the reply is too large for this format; --format json has it");
    return report;
}

/* ---- For the formats ---------------------------------------------------------------------------------------------- */

const char *cp_report_file_name(const struct cp_report *report)
{
    return strcmp(report->file, "-") == 0 ? "standard input" : report->file;
}

struct cp_text cp_remark_message(struct cp_arena *arena, const struct cp_remark *remark)
{
    struct cp_writer out;
    cp_writer_begin(&out, arena, 128);
    if (remark->pointer.size) {
        cp_put_text(&out, remark->pointer);
        cp_put(&out, ": ");
    }
    cp_put_text(&out, remark->detail);
    if (remark->suggestion.size || remark->fix.size) cp_put(&out, " (");
    cp_put_text(&out, remark->suggestion);
    if (remark->fix.size) {
        cp_put(&out, remark->suggestion.size ? "; set " : "set ");
        cp_put_text(&out, remark->fix);
    }
    if (remark->suggestion.size || remark->fix.size) cp_put(&out, ")");
    return cp_writer_text(&out);
}
