/* convplan shapes and its like: files answered by an endpoint, without HTTP. */
#define _GNU_SOURCE 1 /* strerrordesc_np */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/commands.h"
#include "server/formats/report.h"
#include "server/http/http.h"
#include "server/memory.h"
#include "server/problem.h"
#include "server/service.h"

const struct cp_file_command cp_file_commands[] = {
    {"shapes", "/v1/shapes", "application/json", "every layer's output shape, parameters and cost", cp_text_of_shapes},
    {"roundtrip", "/v1/roundtrip", "application/json", "whether a decoder undoes an encoder", cp_text_of_roundtrip},
    {"decoder", "/v1/decoder", "application/json", "the decoder that undoes an encoder", cp_text_of_decoder},
    {"sizes", "/v1/sizes", "application/json", "exactly which input sizes work", cp_text_of_sizes},
    {"solve", "/v1/solve", "application/json", "all parameters that turn one size into another", cp_text_of_solve},
    {"convolve", "/v1/convolve", "application/json", "the numbers of a small convolution or pooling",
     cp_text_of_convolve},
};
const int cp_file_command_count = sizeof cp_file_commands / sizeof *cp_file_commands;

/* ---- Options ------------------------------------------------------------------------------------------------------ */

enum { FORMAT_AUTO, FORMAT_JSON, FORMAT_TEXT, FORMAT_GITHUB, FORMAT_JUNIT, FORMAT_SARIF };

static const char *const format_names[] = {"auto", "json", "text", "github", "junit", "sarif", NULL};

static const struct cp_format formats[] = {
    [FORMAT_JSON] = {.write = cp_format_json},
    [FORMAT_TEXT] = {.write = cp_format_text, .needs_remarks = true},
    [FORMAT_GITHUB] = {.write = cp_format_github, .needs_remarks = true},
    [FORMAT_JUNIT] = {.write = cp_format_junit, .needs_remarks = true, .together = true},
    [FORMAT_SARIF] = {.write = cp_format_sarif, .needs_remarks = true, .together = true},
};

enum { COLOURS_AUTO, COLOURS_ALWAYS, COLOURS_NEVER };

static const char *const colour_words[] = {"auto", "always", "never", NULL};

struct file_options {
    int64_t format, colours;
};

static const struct cp_option file_options[] = {
    {"--format", "CONVPLAN_FORMAT", "auto", .kind = CP_OPTION_WORD, .words = format_names, .unit = "FORMAT",
     .help = "what to print; auto: text on a terminal, else json", .offset = offsetof(struct file_options, format)},
    {"--color", "CONVPLAN_COLOR", "auto", .kind = CP_OPTION_WORD, .words = colour_words, .unit = "WHEN",
     .help = "colours in text; auto: on a terminal, unless NO_COLOR is set",
     .offset = offsetof(struct file_options, colours)},
};

static bool wants_colours(const struct file_options *options, char *const *environment)
{
    if (options->colours != COLOURS_AUTO) return options->colours == COLOURS_ALWAYS;
    const char *terminal = cp_environment_value(environment, "TERM");
    const char *unwanted = cp_environment_value(environment, "NO_COLOR");
    return isatty(STDOUT_FILENO) && !(unwanted && *unwanted) && !(terminal && strcmp(terminal, "dumb") == 0);
}

/* ---- Files -------------------------------------------------------------------------------------------------------- */

/* Read at most `limit` + 1 bytes: one more than the limit shows that there is too much. False: errno says why. */
static bool read_all(int descriptor, struct cp_memory *memory, size_t limit, struct cp_text *content)
{
    enum { FIRST_BYTES = 65536 };
    size_t size = 0;
    size_t capacity = limit < FIRST_BYTES ? limit + 1 : FIRST_BYTES;
    char *bytes = cp_memory_resize(memory, NULL, 0, capacity);
    ssize_t got = 1;
    while (bytes && got && size <= limit) {
        if (size == capacity) {
            size_t wanted = capacity > limit / 2 ? limit + 1 : 2 * capacity;
            bytes = cp_memory_resize(memory, bytes, capacity, wanted);
            capacity = wanted;
            continue;
        }
        do got = read(descriptor, bytes + size, capacity - size);
        while (got < 0 && errno == EINTR);
        if (got < 0) return false;
        size += (size_t)got;
    }
    if (!bytes) {
        errno = ENOMEM;
        return false;
    }
    *content = (struct cp_text){bytes, size};
    return true;
}

static bool read_file(const char *file, struct cp_memory *memory, size_t limit, struct cp_text *content)
{
    if (strcmp(file, "-") == 0) return read_all(STDIN_FILENO, memory, limit, content);
    int descriptor = open(file, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return false;
    bool read = read_all(descriptor, memory, limit, content);
    int code = errno;
    close(descriptor);
    errno = code;
    return read;
}

/* ---- Answers ------------------------------------------------------------------------------------------------------ */

struct run {
    struct cp_output output;
    const struct cp_format *format;
    struct cp_memory lasting; /* of the reports and the output */
    struct cp_memory passing; /* of one file's request and reply */
};

static void answer(const struct cp_file_command *command, struct cp_memory *memory, struct cp_text *body,
                   const char *file, struct cp_reply *reply, const char **unreadable)
{
    size_t limit;
    struct cp_request request = {
        .method = CP_POST,
        .method_name = CP_TEXT("POST"),
        .path = cp_text_of(command->path),
        .content_type = cp_text_of(command->media_type),
    };
    if (!cp_service_admit(&request, &limit, reply, &memory->arena)) return;
    if (!read_file(file, memory, limit, body)) {
        const char *description = strerrordesc_np(errno);
        *unreadable = description ? description : "cannot be read";
        return;
    }
    if (body->size > limit) {
        struct cp_text detail = cp_message(&memory->arena, "the file is over {0} bytes, the limit here",
                                           CP_ARGUMENTS(cp_number((int64_t)limit)));
        cp_problem_reply(CP_CODE_body_too_large, &memory->arena, reply, CP_ARGUMENTS(cp_name(detail)));
        return;
    }
    request.body = *body;
    cp_service_answer(&request, reply, &memory->arena);
}

static struct cp_report *report_on(struct run *run, const char *file)
{
    struct cp_reply reply = {0};
    struct cp_text body = {0};
    const char *unreadable = NULL;
    struct cp_arena *lasting = &run->lasting.arena;
    run->passing.arena.exhausted = cp_service_exhausted;
    answer(run->output.command, &run->passing, &body, file, &reply, &unreadable);
    run->passing.arena.exhausted = cp_command_exhausted;
    if (unreadable) return cp_report_unreadable(lasting, file, unreadable);
    return cp_report_of(lasting, &run->passing.arena, file, body, &reply, run->format->needs_remarks);
}

/* Standard error has what no document on standard output shows: in text all that hinders an answer, in JSON what has
 * no reply. The other formats have room for everything. */
static void say_failures(struct run *run, const struct cp_report *report)
{
    bool is_text = run->format == &formats[FORMAT_TEXT];
    bool is_json = run->format == &formats[FORMAT_JSON];
    if (report->is_answer || !(is_text || (is_json && !report->body.size))) return;
    for (const struct cp_remark *remark = report->first; remark; remark = remark->next)
        cp_complain(cp_report_file_name(report), cp_remark_message(&run->lasting.arena, remark));
}

static bool print(struct run *run, const struct cp_report *reports)
{
    struct cp_writer out;
    cp_writer_begin(&out, &run->lasting.arena, 4096);
    run->output.page.out = &out;
    run->format->write(&run->output, reports);
    run->output.page.out = NULL;
    return cp_print("convplan", cp_writer_text(&out));
}

static int answer_files(struct run *run, char *const *files, int file_count)
{
    struct cp_report *first = NULL;
    struct cp_report **tail = &first;
    int worst = CP_EXIT_VALID;
    for (int at = 0; at < file_count; at++) {
        struct cp_report *report = report_on(run, files[at]);
        if ((int)report->status > worst) worst = (int)report->status;
        say_failures(run, report);
        if (run->format->together) {
            *tail = report;
            tail = &report->next;
        } else {
            if (!print(run, report)) return CP_EXIT_WRONG;
            cp_memory_reset(&run->lasting);
        }
        cp_memory_reset(&run->passing);
    }
    if (run->format->together && !print(run, first)) return CP_EXIT_WRONG;
    return worst;
}

static int run_with(const struct cp_file_command *command, const struct file_options *options, bool colours,
                    char *const *files, int file_count)
{
    static const struct cp_http_options server = CP_HTTP_DEFAULTS;
    int64_t automatic = isatty(STDOUT_FILENO) ? FORMAT_TEXT : FORMAT_JSON;
    struct run run = {
        .output = {.command = command, .several = file_count > 1, .page.colours = colours},
        .format = &formats[options->format == FORMAT_AUTO ? automatic : options->format],
    };
    cp_memory_open(&run.lasting, NULL, SIZE_MAX, cp_command_exhausted);
    cp_memory_open(&run.passing, NULL, server.request_memory_bytes, cp_command_exhausted);
    int status = answer_files(&run, files, file_count);
    cp_memory_reset(&run.passing);
    cp_memory_reset(&run.lasting);
    return status;
}

int cp_run_files(const struct cp_file_command *command, char **arguments, int argument_count, char *const *environment)
{
    struct file_options options;
    char name[64];
    char help[512];
    int file_count;
    int status;
    snprintf(name, sizeof name, "convplan %s", command->name);
    snprintf(help, sizeof help,
             "Print %s, as POST %s answers them.\n"
             "FILE is a request (%s); - is standard input.\n"
             "Exit status: 0 valid, 1 not valid, 2 malformed or unreadable; the worst of several files.",
             command->help, command->path, command->media_type);
    struct cp_option_table table = {name, "FILE…", help, file_options, sizeof file_options / sizeof *file_options};
    if (!cp_command_options(&table, &options, environment, arguments, argument_count, &file_count, &status))
        return status;
    if (!file_count) {
        cp_complain(name, CP_TEXT("name a file, or - for standard input"));
        return CP_EXIT_WRONG;
    }
    return run_with(command, &options, wants_colours(&options, environment), arguments, file_count);
}
