/* convplan health: does the server at this address answer? For where there is a program to run but no other client, such as
 * the health check of a container. */
#define _GNU_SOURCE 1 /* strerrordesc_np */

#include <errno.h>
#include <gnutls/gnutls.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "server/commands.h"

struct settings {
    const char *host, *certificate;
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
    {"--tls-cert", "CONVPLAN_TLS_CERT", "", .kind = CP_OPTION_TEXT, .unit = "FILE",
     .help = "the server's certificate: ask over TLS; the file is not read, and whose certificate it is not checked",
     AT(certificate)},
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
    bool secure;
    gnutls_session_t session; /* NULL: no TLS (yet) */
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

/* ---- Over TLS ----------------------------------------------------------------------------------------------------- */

/* True: what returned this code is to be tried again. False: it is done, or *asking says why not. */
static bool is_to_be_continued(struct asking *asking, ssize_t code)
{
    if (code == GNUTLS_E_AGAIN || code == GNUTLS_E_INTERRUPTED)
        return wait_for(asking, gnutls_record_get_direction(asking->session) ? POLLOUT : POLLIN);
    return code < 0 && fail(asking, gnutls_strerror((int)code));
}

/* Whose certificate it is does not matter here: the question is no secret, and the answer whether anything answers. */
static bool begin_tls(struct asking *asking, gnutls_certificate_credentials_t nothing)
{
    int code;
    if (gnutls_init(&asking->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK) != 0) return fail(asking, "out of memory");
    gnutls_set_default_priority(asking->session);
    gnutls_credentials_set(asking->session, GNUTLS_CRD_CERTIFICATE, nothing);
    gnutls_transport_set_int(asking->session, asking->socket);
    do code = gnutls_handshake(asking->session);
    while (is_to_be_continued(asking, code));
    return code == 0;
}

/* ---- The question ------------------------------------------------------------------------------------------------- */

static bool put(struct asking *asking, const char *bytes, size_t size)
{
    ssize_t sent;
    if (!asking->session)
        sent = send(asking->socket, bytes, size, MSG_NOSIGNAL);
    else
        do sent = gnutls_record_send(asking->session, bytes, size);
        while (is_to_be_continued(asking, sent));
    return sent == (ssize_t)size || (!asking->failure && fail(asking, "it does not take the request"));
}

/* How many bytes came; 0 after saying why none did. */
static size_t take(struct asking *asking, char *bytes, size_t size)
{
    ssize_t got;
    if (asking->session) {
        do got = gnutls_record_recv(asking->session, bytes, size);
        while (is_to_be_continued(asking, got));
    } else {
        if (!wait_for(asking, POLLIN)) return 0;
        got = recv(asking->socket, bytes, size, 0);
    }
    if (got <= 0 && !asking->failure) fail(asking, "it ends the connection without an answer");
    return got > 0 ? (size_t)got : 0;
}

/* Ask, and look at the status line. */
static bool answers_well(struct asking *asking)
{
    static const char question[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    static const char wanted[] = "HTTP/1.1 200 ";
    char answer[sizeof wanted - 1];
    size_t size = 0;
    if (!put(asking, question, sizeof question - 1)) return false;
    while (size < sizeof answer) {
        size_t got = take(asking, answer + size, sizeof answer - size);
        if (got == 0) return false;
        size += got;
    }
    return memcmp(answer, wanted, sizeof answer) == 0 || fail(asking, "its answer is not 200");
}

static bool is_healthy(struct asking *asking, const struct addrinfo *address)
{
    gnutls_certificate_credentials_t nothing = NULL;
    asking->failure = NULL;
    asking->session = NULL;
    bool reached = connect_to(asking, address);
    if (reached && asking->secure) {
        reached = gnutls_certificate_allocate_credentials(&nothing) == 0 && begin_tls(asking, nothing);
    }
    bool healthy = reached && answers_well(asking);
    if (asking->session) gnutls_deinit(asking->session);
    if (nothing) gnutls_certificate_free_credentials(nothing);
    if (asking->socket >= 0) close(asking->socket);
    return healthy;
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
    struct asking asking = {.secure = *settings->certificate};
    bool healthy = false;
    snprintf(service, sizeof service, "%d", (int)settings->port);
    clock_gettime(CLOCK_MONOTONIC, &asking.deadline);
    asking.deadline.tv_sec += settings->seconds;
    int code = getaddrinfo(name_to_ask(settings->host, name, sizeof name), service, &hints, &found);
    if (code) asking.failure = gai_strerror(code);
    for (const struct addrinfo *address = found; address && !healthy; address = address->ai_next)
        healthy = is_healthy(&asking, address);
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
