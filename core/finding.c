#include "core/finding.h"

#include <string.h>

const struct cp_status cp_statuses[CP_CODE_COUNT] = {
#define CP_FINDING(code, severity, title, detail, suggestion, page)                                                    \
    [CP_CODE_##code] = {#code, 200, CP_SEVERITY_##severity, title, detail, suggestion, page},
#define CP_PROBLEM(code, status, title, detail, suggestion, page)                                                      \
    [CP_CODE_##code] = {#code, status, CP_SEVERITY_ERROR, title, detail, suggestion, page},
#include "core/status.def"
#undef CP_FINDING
#undef CP_PROBLEM
};

void cp_findings_begin(struct cp_findings *findings, struct cp_arena *arena)
{
    *findings = (struct cp_findings){.arena = arena};
    findings->tail = &findings->first;
}

struct cp_finding *cp_findings_add(struct cp_findings *findings, enum cp_code code, uint32_t layer,
                                   const struct cp_argument *arguments, int argument_count)
{
    struct cp_finding *finding = CP_NEW(findings->arena, struct cp_finding);
    *finding = (struct cp_finding){.code = code,
                                   .severity = cp_statuses[code].severity,
                                   .layer = layer,
                                   .axis = CP_NO_AXIS,
                                   .argument_count = argument_count};
    if (argument_count) memcpy(finding->arguments, arguments, (size_t)argument_count * sizeof *arguments);
    if (finding->severity == CP_SEVERITY_ERROR) findings->errors++;
    if (findings->count == CP_MAX_FINDINGS) {
        findings->dropped++;
        return finding;
    }
    *findings->tail = finding;
    findings->tail = &finding->next;
    findings->count++;
    return finding;
}

void cp_finding_raise(struct cp_findings *findings, struct cp_finding *finding)
{
    if (finding->severity == CP_SEVERITY_ERROR) return;
    finding->severity = CP_SEVERITY_ERROR;
    findings->errors++;
}
