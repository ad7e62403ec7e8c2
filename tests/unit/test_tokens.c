/* The comparison of tokens takes the same steps whatever is wrong with a guess. A debugger's eye: each guess is looked at
 * in a process of its own, one instruction at a time. */
#define _GNU_SOURCE 1 /* strerrordesc_np */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/http/tokens.h"
#include "tests/under_valgrind.h"

typedef bool judge_function(const struct cp_tokens *tokens, struct cp_text authorization);

/* What a processor did for a guess. */
struct steps {
    long count;
    uint64_t path; /* a hash of where they were, in order, on processors that are known here */
    bool admitted;
};

static uint64_t place_of(pid_t child)
{
#ifdef __x86_64__
    return (uint64_t)ptrace(PTRACE_PEEKUSER, child, offsetof(struct user, regs.rip), NULL);
#else
    (void)child;
    return 0;
#endif
}

/* In a child, which is the same for each guess: the memory is, and the guesses lie at one place. */
static struct steps watch(judge_function *judge, const struct cp_tokens *tokens, const char *guess)
{
    static char authorization[128];
    struct steps steps = {0};
    int status;
    size_t size = (size_t)snprintf(authorization, sizeof authorization, "Bearer %s", guess);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) _exit(2);
        kill(getpid(), SIGSTOP);
        bool admitted = judge(tokens, (struct cp_text){authorization, size});
        _exit(admitted ? 1 : 0);
    }
    while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
        steps.count++;
        steps.path = steps.path * 31 + place_of(child);
        if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) != 0) fail_msg("ptrace: %s", strerrordesc_np(errno));
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) > 1) fail_msg("ptrace may not be used here, or the child died");
    steps.admitted = WEXITSTATUS(status) == 1;
    return steps;
}

static struct cp_tokens *read_tokens(void)
{
    static const char text[] =
        "# for tests\nshort\nA-token-as-good-as-any/0123456789abcdef\n"
        "B-token-as-good-as-any/0123456789abcdef\nlonger-than-the-others-0123456789-0123456789\n";
    char path[] = "/tmp/convplan-tokens-XXXXXX", error[256] = "";
    int file = mkstemp(path);
    assert_true(file >= 0 && write(file, text, sizeof text - 1) == sizeof text - 1);
    close(file);
    struct cp_tokens *tokens = cp_tokens_read(path, error, sizeof error);
    unlink(path);
    if (!tokens) fail_msg("%s", error);
    return tokens;
}

static const struct {
    const char *name, *guess;
    bool admitted;
} rows[] = {
    {"a token", "A-token-as-good-as-any/0123456789abcdef", true},
    {"another token", "B-token-as-good-as-any/0123456789abcdef", true},
    {"first byte wrong", "C-token-as-good-as-any/0123456789abcdef", false},
    {"last byte wrong", "A-token-as-good-as-any/0123456789abcdeg", false},
    {"first half wrong", "xxxxxxxxxxxxxxxxxxxxxx/0123456789abcdef", false},
    {"all wrong", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", false},
    {"a longer one's beginning", "longer-than-the-others-0123456789-01234", false},
};

static void test_steps_tell_nothing(void **state)
{
    (void)state;
    if (cp_under_valgrind()) skip();
    struct cp_tokens *tokens = read_tokens();
    struct steps first = watch(cp_tokens_admit, tokens, rows[0].guess);
    for (size_t at = 0; at < sizeof rows / sizeof *rows; at++) {
        struct steps steps = watch(cp_tokens_admit, tokens, rows[at].guess);
        if (steps.admitted != rows[at].admitted) fail_msg("%s: admitted %d", rows[at].name, steps.admitted);
        if (steps.count != first.count || steps.path != first.path)
            fail_msg("%s: %ld steps, %ld for a token", rows[at].name, steps.count, first.count);
    }
    assert_true(first.count > (long)strlen(rows[0].guess));
    cp_tokens_free(tokens);
}

/* A comparison that stops at the first difference. */
static bool hasty(const struct cp_tokens *tokens, struct cp_text authorization)
{
    const char *token = rows[0].guess;
    size_t at = 0;
    (void)tokens;
    while (at + 7 < authorization.size && authorization.bytes[at + 7] == token[at]) at++;
    return at == strlen(token);
}

/* The eye sees what it is there for. */
static void test_steps_of_a_hasty_comparison(void **state)
{
    (void)state;
    if (cp_under_valgrind()) skip();
    struct steps right = watch(hasty, NULL, rows[0].guess), first = watch(hasty, NULL, rows[2].guess);
    struct steps last = watch(hasty, NULL, rows[3].guess);
    assert_true(right.admitted && !first.admitted && !last.admitted);
    assert_true(first.count < last.count && last.count < right.count);
    assert_true(first.path != last.path || first.path == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps_tell_nothing),
        cmocka_unit_test(test_steps_of_a_hasty_comparison),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
