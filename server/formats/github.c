/* Workflow commands of GitHub Actions: each remark becomes an annotation of its line. */
#include <stdio.h>

#include "server/formats/report.h"

/* Percent signs and line ends have a meaning in messages, colons and commas in properties too. */
static void write_escaped(struct cp_writer *out, struct cp_text text, const char *special)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t at = 0; at < text.size; at++) {
        unsigned char byte = (unsigned char)text.bytes[at];
        if (byte && strchr(special, byte))
            cp_write_raw(out, (char[]){'%', digits[byte >> 4], digits[byte & 15]}, 3);
        else
            cp_write_raw(out, &text.bytes[at], 1);
    }
}

static void write_remark(struct cp_writer *out, const struct cp_report *report, const struct cp_remark *remark)
{
    char place[64];
    snprintf(place, sizeof place, ",line=%lld,col=%lld,title=", (long long)remark->position.line,
             (long long)remark->position.column);
    cp_put(out, remark->is_error ? "::error file=" : "::warning file=");
    write_escaped(out, cp_display_clean(out->arena, cp_text_of(report->file)), "%:,");
    cp_put(out, place);
    write_escaped(out, cp_display_clean(out->arena, remark->code), "%:,");
    cp_put(out, "::");
    write_escaped(out, cp_display_clean(out->arena, cp_remark_message(out->arena, remark)), "%");
    cp_put(out, "\n");
}

void cp_format_github(const struct cp_output *output, const struct cp_report *reports)
{
    for (const struct cp_report *report = reports; report; report = report->next)
        for (const struct cp_remark *remark = report->first; remark; remark = remark->next)
            write_remark(output->page.out, report, remark);
}
