/* What the service replied to one file, in the form that all report formats are written from. */
#ifndef CP_REPORT_H
#define CP_REPORT_H

#include "server/commands.h"
#include "server/formats/locate.h"
#include "server/formats/text_table.h"
#include "server/json/json.h"
#include "server/service.h"

/* One thing said about a file: a finding, an error of a problem document, or why the file cannot be read. */
struct cp_remark {
    bool is_error;                /* else a warning */
    struct cp_text code, pointer; /* the pointer is empty for the file as a whole */
    struct cp_text layer, axis;   /* empty when none */
    struct cp_text detail, suggestion;
    struct cp_text fix; /* "/layers/3/padding = [1, 1]", or empty */
    struct cp_position position;
    struct cp_remark *next;
};

struct cp_report {
    const char *file; /* as named by the user; "-" is standard input */
    enum cp_exit status;
    bool is_answer;              /* a 200 reply; else remarks say why there is none */
    struct cp_text body;         /* of the reply; empty when the file cannot be read */
    const struct cp_json *reply; /* NULL when the format has no need of it, or it is too large */
    struct cp_remark *first, **tail;
    int64_t errors, warnings;
    int64_t omitted; /* further ones that the reply left out */
    struct cp_report *next;
};

/* A report with one remark: there is no reply. The detail is kept by reference. */
struct cp_report *cp_report_unreadable(struct cp_arena *arena, const char *file, const char *detail);

/* A report of a reply. `source`: the file's bytes. The remarks are copied to `arena`, body and tree are kept by
 * reference to the reply's memory. Without `with_remarks` only the status is set: the reply is not parsed. */
struct cp_report *cp_report_of(struct cp_arena *arena, struct cp_arena *reply_arena, const char *file,
                               struct cp_text source, const struct cp_reply *reply, bool with_remarks);

/* "standard input" for "-". */
const char *cp_report_file_name(const struct cp_report *report);

/* Detail, suggestion and fix as one sentence after another. */
struct cp_text cp_remark_message(struct cp_arena *arena, const struct cp_remark *remark);

/* ---- Formats ------------------------------------------------------------------------------------------------------ */

/* What a format has to work with. */
struct cp_output {
    struct cp_page page;                   /* standard output; its writer's arena is free to use */
    const struct cp_file_command *command; /* the one that was run */
    bool several;                          /* files were named */
};

struct cp_format {
    bool together;      /* one document for all files: written once, with the list of all reports */
    bool needs_remarks; /* else body and status do */
    /* Reports are linked by `next`; without `together` there is one. */
    void (*write)(const struct cp_output *output, const struct cp_report *reports);
};

void cp_format_json(const struct cp_output *output, const struct cp_report *reports);
void cp_format_text(const struct cp_output *output, const struct cp_report *reports);
void cp_format_github(const struct cp_output *output, const struct cp_report *reports);
void cp_format_junit(const struct cp_output *output, const struct cp_report *reports);
void cp_format_sarif(const struct cp_output *output, const struct cp_report *reports);

/* ---- Text for people, of one command's reply ---------------------------------------------------------------------- */

void cp_text_of_shapes(const struct cp_page *page, const struct cp_json *reply);
void cp_text_of_roundtrip(const struct cp_page *page, const struct cp_json *reply);
void cp_text_of_decoder(const struct cp_page *page, const struct cp_json *reply);
void cp_text_of_sizes(const struct cp_page *page, const struct cp_json *reply);
void cp_text_of_solve(const struct cp_page *page, const struct cp_json *reply);
void cp_text_of_convolve(const struct cp_page *page, const struct cp_json *reply);

#endif
