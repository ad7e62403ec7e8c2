#define _GNU_SOURCE 1 /* pipe2, posix_openpt, umount2, environ, strerrordesc_np */

#include "tests/http/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { PATIENCE_MS = 30000, MOST_VARIABLES = 512 };

/* Variables that would change what the program does. */
static bool is_configuration(const char *assignment)
{
    static const char *const names[] = {"CONVPLAN_", "NO_COLOR=", "TERM="};
    for (size_t at = 0; at < sizeof names / sizeof *names; at++)
        if (strncmp(assignment, names[at], strlen(names[at])) == 0) return true;
    return false;
}

static void make_environment(const struct cp_process_start *start, char *environment[MOST_VARIABLES])
{
    int count = 0;
    for (char **at = environ; *at && count < MOST_VARIABLES - CP_PROCESS_WORDS - 1; at++)
        if (!is_configuration(*at)) environment[count++] = *at;
    for (int at = 0; at < CP_PROCESS_WORDS && start->environment[at]; at++)
        environment[count++] = (char *)start->environment[at];
    environment[count] = NULL;
}

/* The master of a new terminal. Where no devpts is mounted, as in a bare chroot, it is of an instance that is gone from the
 * file system at once. */
static int open_terminal(void)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0) {
        char place[] = "/tmp/convplan-pts-XXXXXX", name[sizeof place + 8];
        assert_non_null(mkdtemp(place));
        snprintf(name, sizeof name, "%s/ptmx", place);
        if (mount("devpts", place, "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0600") == 0) {
            master = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
            umount2(place, MNT_DETACH);
        }
        rmdir(place);
    }
    if (master < 0 || unlockpt(master) != 0) fail_msg("no terminal can be made: %s", strerror(errno));
    return master;
}

/* Both ends of a pipe, or of a terminal that passes bytes as they are: [0] reads, [1] writes. */
static void open_pipe(int ends[2], bool terminal)
{
    struct termios modes;
    if (!terminal) {
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        return;
    }
    ends[0] = open_terminal();
    ends[1] = ioctl(ends[0], TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(ends[1] >= 0 && tcgetattr(ends[1], &modes) == 0);
    cfmakeraw(&modes);
    assert_int_equal(tcsetattr(ends[1], TCSANOW, &modes), 0);
}

const char *cp_process_program(void)
{
    static char program[PATH_MAX];
    const char *named = getenv("CONVPLAN");
    if (!named || !*named) named = "build/asan/convplan";
    if (!*program && !realpath(named, program)) fail_msg("%s: there is no such program", named);
    return program;
}

void cp_process_begin(const struct cp_process_start *start, struct cp_process *process)
{
    char script[64], *words[CP_PROCESS_WORDS + 5] = {"/bin/sh", "-c", script, (char *)cp_process_program()};
    char **arguments = words + 3;
    snprintf(script, sizeof script, "ulimit %s; exec \"$0\" \"$@\"", start->limits ? start->limits : "");
    char *environment[MOST_VARIABLES];
    int input[2], output[2], errors[2];
    posix_spawn_file_actions_t actions;
    for (int at = 0; at < CP_PROCESS_WORDS && start->arguments[at]; at++)
        arguments[at + 1] = (char *)start->arguments[at];
    make_environment(start, environment);
    open_pipe(input, false);
    open_pipe(output, start->on_terminal);
    open_pipe(errors, false);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, errors[1], STDERR_FILENO);
    if (start->limits) arguments = words;
    int code = posix_spawn(&process->id, arguments[0], &actions, NULL, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    close(input[0]);
    close(output[1]);
    close(errors[1]);
    if (code) fail_msg("%s: %s", arguments[0], strerrordesc_np(code));
    *process = (struct cp_process){process->id, input[1], output[0], errors[0]};
    /* What the tests send fits a pipe's buffer, and a program that does not read it may end first. */
    signal(SIGPIPE, SIG_IGN);
    if (start->input && write(process->input, start->input, strlen(start->input)) < 0) assert_int_equal(errno, EPIPE);
    close(process->input);
}

static void wait_readable(struct pollfd *polled, nfds_t count)
{
    int ready;
    do ready = poll(polled, count, PATIENCE_MS);
    while (ready < 0 && errno == EINTR);
    if (ready <= 0) fail_msg("the program says nothing and does not end");
}

/* Append what is there to read; false at the end, which a terminal shows as EIO. */
static bool take(int descriptor, char *text, size_t room)
{
    size_t used = strlen(text);
    assert_true(used + 1 < room);
    ssize_t got = read(descriptor, text + used, room - used - 1);
    if (got > 0) text[used + (size_t)got] = '\0';
    return got > 0;
}

void cp_process_read_line(const struct cp_process *process, char *line, size_t size)
{
    struct pollfd polled = {.fd = process->output, .events = POLLIN};
    for (size_t used = 0; used + 1 < size; used++) {
        wait_readable(&polled, 1);
        if (read(process->output, line + used, 1) == 1 && line[used] != '\n') continue;
        line[used] = '\0';
        return;
    }
    fail_msg("the line is too long");
}

void cp_process_finish(struct cp_process *process, int signal_number, struct cp_process_end *end)
{
    struct pollfd polled[] = {{.fd = process->output, .events = POLLIN}, {.fd = process->errors, .events = POLLIN}};
    int status;
    *end = (struct cp_process_end){0};
    if (signal_number) assert_int_equal(kill(process->id, signal_number), 0);
    while (polled[0].fd >= 0 || polled[1].fd >= 0) {
        wait_readable(polled, 2);
        if (polled[0].revents && !take(polled[0].fd, end->output, sizeof end->output)) polled[0].fd = -1;
        if (polled[1].revents && !take(polled[1].fd, end->errors, sizeof end->errors)) polled[1].fd = -1;
    }
    close(process->output);
    close(process->errors);
    assert_int_equal(waitpid(process->id, &status, 0), process->id);
    end->status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void cp_process_run(const struct cp_process_start *start, struct cp_process_end *end)
{
    struct cp_process process;
    cp_process_begin(start, &process);
    cp_process_finish(&process, 0, end);
}
