/* The floor under every figure over HTTP: libmicrohttpd with nothing behind it. It reads a body whole, as any service
 * must, and answers with so many constant bytes; each worker is a thread with a daemon, a listener on the common port and
 * an event loop of its own.
 *
 *     bench_floor WORKERS REPLY_BYTES      prints its port, then serves until its standard input ends
 */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LONGEST_WAIT_MS = 1000 };

static pthread_barrier_t listening;

struct upload {
    char *bytes;
    size_t size;
};

static char *reply;
static size_t reply_size;

/* A response of its own for each request, as in a service whose answers differ. */
static enum MHD_Result answer(struct MHD_Connection *peer)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(reply_size, reply, MHD_RESPMEM_PERSISTENT);
    if (!response) return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
    enum MHD_Result queued = MHD_queue_response(peer, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return queued;
}

static enum MHD_Result on_request(void *unused, struct MHD_Connection *peer, const char *url, const char *method,
                                  const char *version, const char *bytes, size_t *size, void **context)
{
    (void)unused, (void)url, (void)method, (void)version;
    struct upload *upload = *context;
    if (!upload) return (*context = calloc(1, sizeof *upload)) ? MHD_YES : MHD_NO;
    if (*size == 0) return answer(peer);
    char *grown = realloc(upload->bytes, upload->size + *size);
    if (!grown) return MHD_NO;
    memcpy(grown + upload->size, bytes, *size);
    upload->bytes = grown;
    upload->size += *size;
    *size = 0;
    return MHD_YES;
}

static void on_completed(void *unused, struct MHD_Connection *peer, void **context, enum MHD_RequestTerminationCode why)
{
    (void)unused, (void)peer, (void)why;
    struct upload *upload = *context;
    if (upload) free(upload->bytes);
    free(upload);
}

/* A port that every worker's listener may share, held by a socket that does not listen. */
static struct sockaddr_in reserve_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int on = 1;
    static int holder; /* until the end */
    holder = socket(AF_INET, SOCK_STREAM, 0);
    if (holder < 0 || setsockopt(holder, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) ||
        bind(holder, (struct sockaddr *)&address, size) || getsockname(holder, (struct sockaddr *)&address, &size)) {
        perror("bench_floor");
        exit(1);
    }
    return address;
}

static void *serve(void *address)
{
    struct MHD_Daemon *daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, NULL, MHD_OPTION_SOCK_ADDR,
                                                 (struct sockaddr *)address, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u,
                                                 MHD_OPTION_CONNECTION_LIMIT, 2000u, MHD_OPTION_CONNECTION_TIMEOUT, 30u,
                                                 MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_END);
    if (!daemon) exit(1);
    pthread_barrier_wait(&listening);
    struct pollfd events = {.fd = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, .events = POLLIN};
    for (;;) {
        MHD_UNSIGNED_LONG_LONG timeout;
        bool soon = MHD_get_timeout(daemon, &timeout) == MHD_YES && timeout < LONGEST_WAIT_MS;
        poll(&events, 1, soon ? (int)timeout : LONGEST_WAIT_MS);
        MHD_run(daemon);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    int workers = argc == 3 ? atoi(argv[1]) : 0;
    reply_size = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    reply = reply_size ? malloc(reply_size) : NULL;
    char end;
    if (workers < 1 || !reply) {
        fputs("usage: bench_floor WORKERS REPLY_BYTES\n", stderr);
        return 2;
    }
    memset(reply, ' ', reply_size);
    struct sockaddr_in address = reserve_port();
    pthread_barrier_init(&listening, NULL, (unsigned)workers + 1);
    for (int at = 0; at < workers; at++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, serve, &address)) return 1;
    }
    pthread_barrier_wait(&listening);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    while (read(STDIN_FILENO, &end, 1) > 0) continue;
    return 0;
}
