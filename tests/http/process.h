/* For tests of the program itself: start it, feed it, and see what it prints and how it ends. Whatever fails here fails
 * the running cmocka test. */
#ifndef CP_PROCESS_H
#define CP_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define CP_PROCESS_WORDS 12

/* The path of the program: what the variable CONVPLAN names, else build/asan/convplan. A test that changes its directory
 * calls this before. */
const char *cp_process_program(void);

/* How to start it. */
struct cp_process_start {
    const char *arguments[CP_PROCESS_WORDS]; /* without the program's name; NULL ends them */
    const char
        *environment[CP_PROCESS_WORDS]; /* "NAME=value", added to the test's own less what configures the program */
    const char *input;                  /* standard input; NULL: empty */
    bool on_terminal;                   /* standard output is a terminal */
    const char *limits;                 /* options of the shell's ulimit, "-n 64"; NULL: as they are */
};

struct cp_process_end {
    int status;                            /* exit status; minus the signal that ended it */
    char output[1 << 16], errors[1 << 14]; /* terminated */
};

/* Run to its end. `end` is large: let it be static. */
void cp_process_run(const struct cp_process_start *start, struct cp_process_end *end);

/* A process that is to be ended by a signal. */
struct cp_process {
    pid_t id;
    int input, output, errors; /* descriptors; input is closed once written */
};

void cp_process_begin(const struct cp_process_start *start, struct cp_process *process);

/* Its first line on standard output, without the line end, into line[size]. */
void cp_process_read_line(const struct cp_process *process, char *line, size_t size);

/* Send a signal unless 0, read all that is printed, and wait for the end. */
void cp_process_finish(struct cp_process *process, int signal_number, struct cp_process_end *end);

#endif
