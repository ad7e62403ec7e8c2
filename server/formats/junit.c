/* JUnit XML, as CI systems read it: one test case for each file. */
#include <stdio.h>

#include "server/formats/report.h"

/* Cleaned first, since XML 1.0 has no way to write most control characters. */
static void write_escaped(struct cp_writer *out, struct cp_text text)
{
    struct cp_text cleaned = cp_display_clean(out->arena, text);
    for (size_t at = 0; at < cleaned.size; at++) {
        switch (cleaned.bytes[at]) {
        case '&': cp_put(out, "&amp;"); break;
        case '<': cp_put(out, "&lt;"); break;
        case '>': cp_put(out, "&gt;"); break;
        case '"': cp_put(out, "&quot;"); break;
        default: cp_write_raw(out, &cleaned.bytes[at], 1);
        }
    }
}

static void write_lines(struct cp_writer *out, const struct cp_report *report, bool errors)
{
    for (const struct cp_remark *remark = report->first; remark; remark = remark->next) {
        char place[64];
        if (remark->is_error != errors) continue;
        snprintf(place, sizeof place, "line %lld: ", (long long)remark->position.line);
        cp_put(out, place);
        write_escaped(out, remark->code);
        cp_put(out, ": ");
        write_escaped(out, cp_remark_message(out->arena, remark));
        cp_put(out, "\n");
    }
}

static const struct cp_remark *first_error(const struct cp_report *report)
{
    const struct cp_remark *remark = report->first;
    while (remark && !remark->is_error) remark = remark->next;
    return remark;
}

/* A file that was answered fails; one that was not is an error. */
static void write_failure(struct cp_writer *out, const struct cp_report *report)
{
    const struct cp_remark *first = first_error(report);
    cp_put(out, report->is_answer ? "    <failure type=\"" : "    <error type=\"");
    write_escaped(out, first ? first->code : CP_TEXT("not_valid"));
    cp_put(out, "\" message=\"");
    write_escaped(out, first ? first->detail : CP_TEXT("not valid"));
    cp_put(out, "\">");
    write_lines(out, report, true);
    cp_put(out, report->is_answer ? "</failure>\n" : "</error>\n");
}

static void write_case(const struct cp_output *output, const struct cp_report *report)
{
    struct cp_writer *out = output->page.out;
    cp_put(out, "  <testcase classname=\"convplan.");
    cp_put(out, output->command->name);
    cp_put(out, "\" name=\"");
    write_escaped(out, cp_text_of(cp_report_file_name(report)));
    cp_put(out, "\">\n");
    if (report->status != CP_EXIT_VALID) write_failure(out, report);
    if (report->warnings) {
        cp_put(out, "    <system-out>");
        write_lines(out, report, false);
        cp_put(out, "</system-out>\n");
    }
    cp_put(out, "  </testcase>\n");
}

void cp_format_junit(const struct cp_output *output, const struct cp_report *reports)
{
    long long files = 0;
    long long counts[CP_EXIT_WRONG + 1] = {0};
    char attributes[160];
    struct cp_writer *out = output->page.out;
    for (const struct cp_report *report = reports; report; report = report->next, files++) counts[report->status]++;
    snprintf(attributes, sizeof attributes, " tests=\"%lld\" failures=\"%lld\" errors=\"%lld\">\n", files,
             counts[CP_EXIT_NOT_VALID], counts[CP_EXIT_WRONG]);
    cp_put(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite name=\"convplan ");
    cp_put(out, output->command->name);
    cp_put(out, "\"");
    cp_put(out, attributes);
    for (const struct cp_report *report = reports; report; report = report->next) write_case(output, report);
    cp_put(out, "</testsuite>\n</testsuites>\n");
}
