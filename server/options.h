/* Options: one table drives the reading of flags and environment variables, --help, and the table in README.md. */
#ifndef CP_OPTIONS_H
#define CP_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "server/json/writer.h"

enum cp_option_kind {
    CP_OPTION_TEXT,    /* const char *, kept by reference */
    CP_OPTION_INTEGER, /* int64_t within least … most */
    CP_OPTION_BYTES,   /* the same; KiB, MiB, GiB and TiB may follow the number */
    CP_OPTION_WORD,    /* int64_t: the index of one of `words` */
};

struct cp_option {
    const char *flag;        /* with its dashes */
    const char *environment; /* the variable that sets it when the flag does not; an empty one counts as not set */
    const char *initial;     /* the default, as a user would write it */
    enum cp_option_kind kind;
    int64_t least, most;
    const char *const *words; /* NULL-terminated */
    const char *unit;         /* what stands for the value in --help */
    const char *help;
    size_t offset; /* of the value in the struct that is filled */
};

struct cp_option_table {
    const char *command;  /* "convplan serve" */
    const char *operands; /* as in --help, "FILE…"; NULL: it takes none */
    const char *help;     /* what the command does */
    const struct cp_option *options;
    int count; /* at most 64 */
};

enum cp_options_outcome { CP_OPTIONS_READ, CP_OPTIONS_HELP, CP_OPTIONS_MARKDOWN, CP_OPTIONS_WRONG };

/* Fill `values`: each option from its flag (the last, when given twice), else its variable, else its default.
 * `--flag value` and `--flag=value` both do, "--" ends the options, "-" is an operand. A variable whose flag is given is
 * not looked at. The operands are moved to the front of `arguments` in their order,
 * *operand_count of them. CP_OPTIONS_HELP for --help and -h, CP_OPTIONS_MARKDOWN for --help=markdown, whatever else is
 * given; CP_OPTIONS_WRONG: error[error_size] says what would be right (it quotes the user: not fit for a terminal). */
enum cp_options_outcome cp_options_read(const struct cp_option_table *table, void *values, char *const *environment,
                                        char **arguments, int argument_count, int *operand_count, char *error,
                                        size_t error_size);

/* The value in a NULL-terminated list of "NAME=value", or NULL. */
const char *cp_environment_value(char *const *environment, const char *name);

/* The text of --help. */
void cp_options_help(const struct cp_option_table *table, struct cp_writer *out);

/* The options as a table in Markdown. */
void cp_options_markdown(const struct cp_option_table *table, struct cp_writer *out);

#endif
