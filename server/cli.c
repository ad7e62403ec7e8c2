#include "server/cli.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/nearest.h"
#include "server/commands.h"
#include "server/memory.h"
#include "server/version.h"

#define OWN_MEMORY_BYTES ((size_t)16 << 20) /* help and messages */

/* ---- What the commands share -------------------------------------------------------------------------------------- */

void cp_command_exhausted(struct cp_arena *arena)
{
    (void)arena;
    fputs("convplan: out of memory\n", stderr);
    _exit(CP_EXIT_WRONG);
}

static bool write_all(FILE *stream, struct cp_text text)
{
    return (!text.size || fwrite(text.bytes, text.size, 1, stream) == 1) && fflush(stream) == 0;
}

void cp_complain(const char *who, struct cp_text message)
{
    struct cp_memory memory;
    struct cp_writer out;
    cp_memory_open(&memory, NULL, OWN_MEMORY_BYTES, cp_command_exhausted);
    cp_writer_begin(&out, &memory.arena, 256);
    cp_display_write(&out, cp_text_of(who));
    cp_put(&out, ": ");
    cp_display_write(&out, message);
    cp_put(&out, "\n");
    write_all(stderr, cp_writer_text(&out));
    cp_memory_reset(&memory);
}

bool cp_print(const char *who, struct cp_text text)
{
    if (write_all(stdout, text)) return true;
    cp_complain(who, CP_TEXT("standard output cannot be written"));
    return false;
}

static int print_help(const struct cp_option_table *table,
                      void (*write)(const struct cp_option_table *, struct cp_writer *))
{
    struct cp_memory memory;
    struct cp_writer out;
    cp_memory_open(&memory, NULL, OWN_MEMORY_BYTES, cp_command_exhausted);
    cp_writer_begin(&out, &memory.arena, 4096);
    write(table, &out);
    bool printed = cp_print(table->command, cp_writer_text(&out));
    cp_memory_reset(&memory);
    return printed ? CP_EXIT_VALID : CP_EXIT_WRONG;
}

bool cp_command_options(const struct cp_option_table *table, void *values, char *const *environment, char **arguments,
                        int argument_count, int *operand_count, int *status)
{
    char error[512];
    switch (
        cp_options_read(table, values, environment, arguments, argument_count, operand_count, error, sizeof error)) {
    case CP_OPTIONS_READ: return true;
    case CP_OPTIONS_HELP: *status = print_help(table, cp_options_help); return false;
    case CP_OPTIONS_MARKDOWN: *status = print_help(table, cp_options_markdown); return false;
    case CP_OPTIONS_WRONG: break;
    }
    cp_complain(table->command, cp_text_of(error));
    *status = CP_EXIT_WRONG;
    return false;
}

/* ---- The choice of a command -------------------------------------------------------------------------------------- */

/* The commands without files. */
static const struct {
    const char *name, *help;
    int (*run)(char **arguments, int argument_count, char *const *environment);
} server_commands[] = {
    {"serve", "answer over HTTP", cp_run_serve},
    {"health", "ask a server on this machine whether it answers", cp_run_health},
};
enum { SERVER_COMMAND_COUNT = sizeof server_commands / sizeof server_commands[0] };

/* These, then the commands that take files. */
static struct cp_text command_at(const void *unused, int64_t index)
{
    (void)unused;
    return cp_text_of(index < SERVER_COMMAND_COUNT ? server_commands[index].name
                                                   : cp_file_commands[index - SERVER_COMMAND_COUNT].name);
}

static bool usage(FILE *stream)
{
    fputs("Usage: convplan COMMAND [OPTION]… [FILE]…\n\n"
          "Shape and layer planning of convolutional networks.\n\n",
          stream);
    for (int at = 0; at < SERVER_COMMAND_COUNT; at++)
        fprintf(stream, "  %-10s  %s\n", server_commands[at].name, server_commands[at].help);
    for (int at = 0; at < cp_file_command_count; at++)
        fprintf(stream, "  %-10s  %s\n", cp_file_commands[at].name, cp_file_commands[at].help);
    fputs("\nconvplan COMMAND --help says more, convplan --version which version this is.\n"
          "Exit status: 0 valid, 1 not valid, 2 malformed input or wrong usage.\n",
          stream);
    return fflush(stream) == 0;
}

static int unknown_command(const char *name)
{
    char message[256];
    int64_t nearest = cp_nearest(cp_text_of(name), cp_file_command_count + SERVER_COMMAND_COUNT, command_at, NULL);
    if (nearest >= 0)
        snprintf(message, sizeof message, "there is no command \"%.100s\"; did you mean %s?", name,
                 command_at(NULL, nearest).bytes);
    else
        snprintf(message, sizeof message, "there is no command \"%.100s\"; see convplan --help", name);
    cp_complain("convplan", cp_text_of(message));
    return CP_EXIT_WRONG;
}

int cp_cli(int argument_count, char **arguments, char *const *environment)
{
    const char *name = argument_count > 1 ? arguments[1] : "";
    if (argument_count < 2) {
        usage(stderr);
        return CP_EXIT_WRONG;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0)
        return usage(stdout) ? CP_EXIT_VALID : CP_EXIT_WRONG;
    if (strcmp(name, "--version") == 0)
        return cp_print("convplan", CP_TEXT("convplan " CP_VERSION "\n")) ? CP_EXIT_VALID : CP_EXIT_WRONG;
    for (int at = 0; at < SERVER_COMMAND_COUNT; at++)
        if (strcmp(name, server_commands[at].name) == 0)
            return server_commands[at].run(arguments + 2, argument_count - 2, environment);
    for (int at = 0; at < cp_file_command_count; at++)
        if (strcmp(name, cp_file_commands[at].name) == 0)
            return cp_run_files(&cp_file_commands[at], arguments + 2, argument_count - 2, environment);
    return unknown_command(name);
}
