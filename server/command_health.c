/* convplan health: does the server at this address answer? For where there is a program to run but no other client, such as
 * the health check of a container. */
#define _GNU_SOURCE 1 /* strerrordesc_np */

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "server/commands.h"

struct settings {
    const char *host;
    int64_t port, seconds;
};

#define AT(member) .offset = offsetof(struct settings, member)

/* The variables are those of the server, so that both read the same settings. */
static const struct cp_option options[] = {
    {"--host", "CONVPLAN_HOST", "127.0.0.1", .kind = CP_OPTION_TEXT, .unit = "ADDRESS",
     .help = "address or name that the server listens on; one for every interface is asked on this machine's own",
     AT(host)},
    {"--port", "CONVPLAN_PORT", "8080", .kind = CP_OPTION_INTEGER, .least = 1, .most = 65535, .unit = "PORT",
     .help = "port that it listens on", AT(port)},
    {"--seconds", "CONVPLAN_HEALTH_SECONDS", "3", .kind = CP_OPTION_INTEGER, .least = 1, .most = 3600,
     .unit = "SECONDS", .help = "time that it may take to answer", AT(seconds)},
};

static const struct cp_option_table table = {
    .command = "convplan health",
    .help = "Ask a server on this machine for GET /healthz. Exit status 0: it answers 200; 1: it does not.",
    .options = options,
    .count = sizeof options / sizeof *options,
};

struct asking {
    int socket;
    struct timespec deadline;
    const char *failure; /* a constant */
};

static int left_ms(const struct asking *asking)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    long long left =
        (long long)(asking->deadline.tv_sec - now.tv_sec) * 1000 + (asking->deadline.tv_nsec - now.tv_nsec) / 1000000;
    return left > 0 ? (int)left : 0;
}

static bool fail(struct asking *asking, const char *failure)
{
    asking->failure = failure;
    return false;
}

static bool wait_for(struct asking *asking, short events)
{
    struct pollfd ready = {.fd = asking->socket, .events = events};
    return poll(&ready, 1, left_ms(asking)) > 0 || fail(asking, "it takes too long");
}

static bool connect_to(struct asking *asking, const struct addrinfo *address)
{
    int code = 0;
    socklen_t size = sizeof code;
    asking->socket = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (asking->socket < 0) return fail(asking, strerrordesc_np(errno));
    if (connect(asking->socket, address->ai_addr, address->ai_addrlen) == 0) return true;
    if (errno != EINPROGRESS) return fail(asking, strerrordesc_np(errno));
    if (!wait_for(asking, POLLOUT)) return false;
    getsockopt(asking->socket, SOL_SOCKET, SO_ERROR, &code, &size);
    return code == 0 || fail(asking, strerrordesc_np(code));
}

/* Ask, and look at the status line. */
static bool is_healthy(struct asking *asking)
{
    static const char question[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    static const char wanted[] = "HTTP/1.1 200 ";
    char answer[sizeof wanted - 1];
    size_t size = 0;
    if (send(asking->socket, question, sizeof question - 1, MSG_NOSIGNAL) != (ssize_t)(sizeof question - 1))
        return fail(asking, "it does not take the request");
    while (size < sizeof answer) {
        if (!wait_for(asking, POLLIN)) return false;
        ssize_t got = recv(asking->socket, answer + size, sizeof answer - size, 0);
        if (got <= 0) return fail(asking, "it ends the connection without an answer");
        size += (size_t)got;
    }
    return memcmp(answer, wanted, sizeof answer) == 0 || fail(asking, "its answer is not 200");
}

/* Of a server that listens on every interface the loopback ones are asked. Brackets are those of a URL. */
static const char *name_to_ask(const char *host, char *name, size_t size)
{
    size_t length = strlen(host);
    bool bracketed = length >= 2 && host[0] == '[' && host[length - 1] == ']';
    snprintf(name, size, "%.*s", (int)(bracketed ? length - 2 : length), host + bracketed);
    if (!*name || strcmp(name, "0.0.0.0") == 0 || strcmp(name, "::") == 0) return NULL;
    return name;
}

/* Each address that the name has, until one is healthy. */
static bool ask(const struct settings *settings, const char **failure)
{
    char name[256], service[16];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *found = NULL;
    struct asking asking = {0};
    bool healthy = false;
    snprintf(service, sizeof service, "%d", (int)settings->port);
    clock_gettime(CLOCK_MONOTONIC, &asking.deadline);
    asking.deadline.tv_sec += settings->seconds;
    int code = getaddrinfo(name_to_ask(settings->host, name, sizeof name), service, &hints, &found);
    if (code) asking.failure = gai_strerror(code);
    for (const struct addrinfo *address = found; address && !healthy; address = address->ai_next) {
        healthy = connect_to(&asking, address) && is_healthy(&asking);
        if (asking.socket >= 0) close(asking.socket);
    }
    if (found) freeaddrinfo(found);
    *failure = asking.failure;
    return healthy;
}

int cp_run_health(char **arguments, int argument_count, char *const *environment)
{
    struct settings settings;
    const char *failure;
    char message[512];
    int operand_count, status;
    if (!cp_command_options(&table, &settings, environment, arguments, argument_count, &operand_count, &status))
        return status;
    if (ask(&settings, &failure)) return CP_EXIT_VALID;
    snprintf(message, sizeof message, "no answer from host %.250s, port %d: %s", settings.host, (int)settings.port,
             failure);
    cp_complain(table.command, cp_text_of(message));
    return CP_EXIT_NOT_VALID;
}
