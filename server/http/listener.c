#define _GNU_SOURCE /* strerrordesc_np */
#include "server/http/listener.h"

#include <errno.h>
#include <linux/filter.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Connections that wait to be accepted; the kernel lowers it to net.core.somaxconn. */
#define BACKLOG 4096

/* What of a reply waits in the kernel before it goes on its way; each connection has it from the listener. A reply of
 * megabytes is then handed over in many small parts, and the event loop answers others in between. What is on its way
 * is not limited by this, so that a far client gets it as fast. */
enum { MOST_UNSENT_BYTES = 1 << 17 };

static const char *reason_of(int code)
{
    switch (code) {
    case EADDRINUSE: return "the port is taken by another process; choose another one, or 0 for any";
    case EACCES: return "no permission; ports below 1024 are privileged, choose a higher one";
    case EADDRNOTAVAIL: return "no interface of this machine has that address";
    default: return strerrordesc_np(code);
    }
}

static int open_at(const struct addrinfo *address)
{
    int listener = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0) return -1;
    int on = 1, off = 0, unsent = MOST_UNSENT_BYTES;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(listener, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
    if (address->ai_family == AF_INET6) setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(listener, address->ai_addr, address->ai_addrlen) == 0 && listen(listener, BACKLOG) == 0) return listener;
    int code = errno;
    close(listener);
    errno = code;
    return -1;
}

/* The name without the brackets that URLs put around an IPv6 address. */
static void copy_host(const char *host, char *name, size_t name_size)
{
    size_t size = strlen(host);
    bool bracketed = size >= 2 && host[0] == '[' && host[size - 1] == ']';
    snprintf(name, name_size, "%.*s", (int)(bracketed ? size - 2 : size), host + bracketed);
}

/* -1 with *error set; *no_family tells whether it was for want of the address family. */
static int open_host(const char *host, int port, char *error, size_t error_size, bool *no_family)
{
    char name[256], service[16];
    *no_family = false;
    copy_host(host, name, sizeof name);
    snprintf(service, sizeof service, "%d", port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int failure = port < 0 || port > 65535 ? EAI_SERVICE : getaddrinfo(name, service, &hints, &found);
    if (failure) {
        snprintf(error, error_size, "cannot listen on host %s, port %d: %s", name, port,
                 failure == EAI_SERVICE ? "a port is a number from 0 to 65535" : gai_strerror(failure));
        return -1;
    }
    int listener = -1;
    for (const struct addrinfo *at = found; at && listener < 0; at = at->ai_next) listener = open_at(at);
    int code = errno;
    freeaddrinfo(found);
    if (listener >= 0) return listener;
    *no_family = code == EAFNOSUPPORT;
    snprintf(error, error_size, "cannot listen on host %s, port %d: %s", name, port, reason_of(code));
    return -1;
}

int cp_listener_open(const char *host, int port, char *error, size_t error_size)
{
    bool any = !host || !*host, no_family = false;
    int listener = open_host(any ? "::" : host, port, error, error_size, &no_family);
    return any && no_family ? open_host("0.0.0.0", port, error, error_size, &no_family) : listener;
}

int cp_listener_port(int listener)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;
    if (getsockname(listener, (struct sockaddr *)&address, &size) != 0) return 0;
    /* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): getsockname has filled it in */
    return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                               : ((struct sockaddr_in *)&address)->sin_port);
}

void cp_listener_drop_new(int listener)
{
    /* The filter sees segments from the TCP header on; its byte 13 holds the flags, 2 is SYN. */
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x02, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
    };
    struct sock_fprog filter = {.len = sizeof program / sizeof *program, .filter = program};
    setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
}
