/* The command line: the endpoint functions without HTTP, and the server. */
#ifndef CP_CLI_H
#define CP_CLI_H

/* Exit statuses; of several files the worst. */
enum cp_exit {
    CP_EXIT_VALID = 0,
    CP_EXIT_NOT_VALID = 1, /* a well-formed question with the answer "valid": false */
    CP_EXIT_WRONG = 2,     /* malformed input, wrong usage, an unreadable file, a port that is taken */
};

/* Run the program: `arguments` as main() gets them, `environment` a NULL-terminated list of "NAME=value". The order of
 * `arguments` may change. Returns the exit status. */
int cp_cli(int argument_count, char **arguments, char *const *environment);

#endif
