/* The commands of the program. Each takes the arguments after its name and returns the exit status. */
#ifndef CP_COMMANDS_H
#define CP_COMMANDS_H

#include "server/cli.h"
#include "server/formats/text_table.h"
#include "server/json/json.h"
#include "server/options.h"

/* A command that has files answered by an endpoint. */
struct cp_file_command {
    const char *name;
    const char *path;       /* of the endpoint */
    const char *media_type; /* of the files */
    const char *help;       /* what it does, in a line */
    /* What --format text prints of a 200 reply, findings aside. */
    void (*text)(const struct cp_page *page, const struct cp_json *reply);
};

/* THE table of them. */
extern const struct cp_file_command cp_file_commands[];
extern const int cp_file_command_count;

int cp_run_serve(char **arguments, int argument_count, char *const *environment);

/* Status CP_EXIT_NOT_VALID after saying why: the server does not answer. */
int cp_run_health(char **arguments, int argument_count, char *const *environment);

int cp_run_files(const struct cp_file_command *command, char **arguments, int argument_count, char *const *environment);

/* Read the options; when there is nothing left to do (help was asked for, or an option is wrong, which is said) false,
 * with *status set. */
bool cp_command_options(const struct cp_option_table *table, void *values, char *const *environment, char **arguments,
                        int argument_count, int *operand_count, int *status);

/* Say what went wrong on standard error: "convplan serve: …". Both may be text of any origin. */
void cp_complain(const char *who, struct cp_text message);

/* For arenas of commands: says that memory ran out and ends the program with status 2. */
void cp_command_exhausted(struct cp_arena *arena) __attribute__((noreturn));

/* Write to standard output at once. False after saying that it cannot be written. */
bool cp_print(const char *who, struct cp_text text);

#endif
