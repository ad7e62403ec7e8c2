/* The reply as it is, a line for each file. */
#include "server/formats/report.h"

void cp_format_json(const struct cp_output *output, const struct cp_report *reports)
{
    for (const struct cp_report *report = reports; report; report = report->next) {
        if (!report->body.size) continue;
        cp_put_text(output->page.out, report->body);
        if (report->body.bytes[report->body.size - 1] != '\n') cp_put(output->page.out, "\n");
    }
}
