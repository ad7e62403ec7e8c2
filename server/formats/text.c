/* Text for people. What keeps a file from being answered goes to standard error, line by line; see cp_run_files. */
#include <stdio.h>

#include "server/formats/report.h"

static void write_place(const struct cp_page *page, const struct cp_remark *remark)
{
    if (remark->layer.size) {
        cp_page_put(page, CP_TONE_STRONG, remark->layer);
        cp_put(page->out, "  ");
    }
    cp_page_put(page, CP_TONE_FAINT, remark->pointer);
    if (remark->axis.size) {
        cp_put(page->out, "  axis ");
        cp_page_put(page, CP_TONE_PLAIN, remark->axis);
    }
    cp_put(page->out, "\n");
}

static void write_line(const struct cp_page *page, const char *label, struct cp_text text)
{
    if (!text.size) return;
    cp_put(page->out, "         ");
    if (*label) cp_page_put(page, CP_TONE_FAINT, cp_text_of(label));
    cp_page_put(page, CP_TONE_PLAIN, text);
    cp_put(page->out, "\n");
}

static void write_finding(const struct cp_page *page, const struct cp_remark *remark)
{
    if (remark->is_error)
        cp_page_put(page, CP_TONE_ERROR, CP_TEXT("error  "));
    else
        cp_page_put(page, CP_TONE_WARNING, CP_TEXT("warning"));
    cp_put(page->out, "  ");
    write_place(page, remark);
    write_line(page, "", remark->detail);
    write_line(page, "", remark->suggestion);
    write_line(page, "fix: ", remark->fix);
}

static void write_summary(const struct cp_page *page, const struct cp_report *report)
{
    char counts[128];
    snprintf(counts, sizeof counts, ": %lld error%s, %lld warning%s\n", (long long)report->errors,
             report->errors == 1 ? "" : "s", (long long)report->warnings, report->warnings == 1 ? "" : "s");
    if (report->status == CP_EXIT_VALID)
        cp_page_put(page, CP_TONE_GOOD, CP_TEXT("valid"));
    else
        cp_page_put(page, CP_TONE_ERROR, CP_TEXT("not valid"));
    if (report->first)
        cp_put(page->out, counts);
    else
        cp_put(page->out, "\n");
    if (report->omitted) {
        snprintf(counts, sizeof counts, "%lld further findings are not shown\n", (long long)report->omitted);
        cp_put(page->out, counts);
    }
}

void cp_format_text(const struct cp_output *output, const struct cp_report *reports)
{
    const struct cp_page *page = &output->page;
    if (!reports->is_answer) return;
    if (output->several) {
        cp_page_put(page, CP_TONE_STRONG, cp_text_of(cp_report_file_name(reports)));
        cp_put(page->out, "\n\n");
    }
    output->command->text(page, reports->reply);
    cp_put(page->out, "\n");
    for (const struct cp_remark *remark = reports->first; remark; remark = remark->next) write_finding(page, remark);
    if (reports->first) cp_put(page->out, "\n");
    write_summary(page, reports);
    if (output->several) cp_put(page->out, "\n");
}
