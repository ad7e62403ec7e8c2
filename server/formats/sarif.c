/* SARIF 2.1.0, as code scanning services read it. */
#include "core/finding.h"
#include "server/formats/report.h"
#include "server/version.h"

#define SCHEMA "https://json.schemastore.org/sarif-2.1.0.json"

static bool is_used(const struct cp_report *reports, const char *code)
{
    for (const struct cp_report *report = reports; report; report = report->next)
        for (const struct cp_remark *remark = report->first; remark; remark = remark->next)
            if (cp_text_is(remark->code, code)) return true;
    return false;
}

static void write_message(struct cp_writer *out, const char *quoted_name, struct cp_text text)
{
    cp_write_plain_name(out, quoted_name, strlen(quoted_name));
    cp_write_object_begin(out);
    CP_WRITE_NAME(out, "text");
    cp_write_text(out, text);
    cp_write_object_end(out);
}

static void write_rule(struct cp_writer *out, const struct cp_status *status)
{
    cp_write_object_begin(out);
    CP_WRITE_NAME(out, "id");
    cp_write_string(out, status->code);
    write_message(out, "\"shortDescription\":", cp_text_of(status->title));
    write_message(out, "\"fullDescription\":", cp_text_of(status->page));
    cp_write_object_end(out);
}

static void write_tool(struct cp_writer *out, const struct cp_report *reports)
{
    CP_WRITE_NAME(out, "tool");
    cp_write_object_begin(out);
    CP_WRITE_NAME(out, "driver");
    cp_write_object_begin(out);
    CP_WRITE_NAME(out, "name");
    cp_write_string(out, "convplan");
    CP_WRITE_NAME(out, "version");
    cp_write_string(out, CP_VERSION);
    CP_WRITE_NAME(out, "rules");
    cp_write_array_begin(out);
    for (int code = 0; code < CP_CODE_COUNT; code++)
        if (is_used(reports, cp_statuses[code].code)) write_rule(out, &cp_statuses[code]);
    cp_write_array_end(out);
    cp_write_object_end(out);
    cp_write_object_end(out);
}

/* A path as a relative or absolute URI reference. */
static void write_uri(struct cp_writer *out, const char *file)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
    static const char digits[] = "0123456789ABCDEF";
    struct cp_writer uri;
    cp_writer_begin(&uri, out->arena, 64);
    if (*file == '/') cp_put(&uri, "file://");
    for (const char *at = file; *at; at++) {
        unsigned char byte = (unsigned char)*at;
        if (strchr(plain, byte))
            cp_write_raw(&uri, at, 1);
        else
            cp_write_raw(&uri, (char[]){'%', digits[byte >> 4], digits[byte & 15]}, 3);
    }
    cp_write_text(out, cp_writer_text(&uri));
}

static void write_physical_location(struct cp_writer *out, const char *file, const struct cp_position *position)
{
    CP_WRITE_NAME(out, "physicalLocation");
    cp_write_object_begin(out);
    CP_WRITE_NAME(out, "artifactLocation");
    cp_write_object_begin(out);
    CP_WRITE_NAME(out, "uri");
    write_uri(out, file);
    cp_write_object_end(out);
    CP_WRITE_NAME(out, "region");
    cp_write_object_begin(out);
    CP_WRITE_NAME(out, "startLine");
    cp_write_integer(out, position->line);
    CP_WRITE_NAME(out, "startColumn");
    cp_write_integer(out, position->column);
    cp_write_object_end(out);
    cp_write_object_end(out);
}

static void write_location(struct cp_writer *out, const char *file, const struct cp_remark *remark)
{
    cp_write_object_begin(out);
    write_physical_location(out, file, &remark->position);
    if (remark->pointer.size) {
        CP_WRITE_NAME(out, "logicalLocations");
        cp_write_array_begin(out);
        cp_write_object_begin(out);
        CP_WRITE_NAME(out, "fullyQualifiedName");
        cp_write_text(out, remark->pointer);
        cp_write_object_end(out);
        cp_write_array_end(out);
    }
    cp_write_object_end(out);
}

static void write_result(struct cp_writer *out, const char *file, const struct cp_remark *remark)
{
    cp_write_object_begin(out);
    CP_WRITE_NAME(out, "ruleId");
    cp_write_text(out, remark->code);
    CP_WRITE_NAME(out, "level");
    cp_write_string(out, remark->is_error ? "error" : "warning");
    write_message(out, "\"message\":", cp_remark_message(out->arena, remark));
    CP_WRITE_NAME(out, "locations");
    cp_write_array_begin(out);
    write_location(out, file, remark);
    cp_write_array_end(out);
    cp_write_object_end(out);
}

static void write_run(struct cp_writer *out, const struct cp_report *reports)
{
    cp_write_object_begin(out);
    write_tool(out, reports);
    CP_WRITE_NAME(out, "columnKind");
    cp_write_string(out, "unicodeCodePoints");
    CP_WRITE_NAME(out, "results");
    cp_write_array_begin(out);
    for (const struct cp_report *report = reports; report; report = report->next)
        for (const struct cp_remark *remark = report->first; remark; remark = remark->next)
            write_result(out, report->file, remark);
    cp_write_array_end(out);
    cp_write_object_end(out);
}

void cp_format_sarif(const struct cp_output *output, const struct cp_report *reports)
{
    struct cp_writer *out = output->page.out;
    cp_write_object_begin(out);
    CP_WRITE_NAME(out, "$schema");
    cp_write_string(out, SCHEMA);
    CP_WRITE_NAME(out, "version");
    cp_write_string(out, "2.1.0");
    CP_WRITE_NAME(out, "runs");
    cp_write_array_begin(out);
    write_run(out, reports);
    cp_write_array_end(out);
    cp_write_object_end(out);
    cp_put(out, "\n");
}
