/* For tests over real sockets: a server inside the test's process, and a client that sends exact bytes and holds every
 * reply to openapi.yaml. Whatever fails here fails the running cmocka test; no call waits longer than CP_CLIENT_PATIENCE_MS. */
#ifndef CP_HTTP_CLIENT_H
#define CP_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "server/http/http.h"

/* A bound on failures, never a wait: builds with sanitizers on a busy machine are slow. */
#define CP_CLIENT_PATIENCE_MS 60000

/* Start on 127.0.0.1, any port. It accepts connections when this returns. */
struct cp_http *cp_client_server(struct cp_http_options options);

struct cp_client {
    int socket;
    size_t filled, taken; /* of `bytes`: read from the socket; handed out in replies */
    char bytes[1 << 19];
    char *sent; /* the requests that are not answered yet, one behind the other */
    size_t sent_size;
};

struct cp_client_reply {
    int status;
    char head[4096];  /* status line and headers, terminated */
    const char *body; /* in the client; valid until its next read; not terminated */
    size_t body_size;
};

/* Owned by the caller: cp_client_close. */
struct cp_client *cp_client_open(int port);
struct cp_client *cp_client_open_from(int port, int host); /* of the client address 127.0.0.`host` */
void cp_client_close(struct cp_client *client);

/* A connection as a plain socket, of the client address 127.0.0.`host`. */
int cp_client_connect(int port, int host);

/* errno of connecting, 0 when it succeeds. */
int cp_client_try(int port);

void cp_client_send(struct cp_client *client, const char *bytes, size_t size);
void cp_client_send_text(struct cp_client *client, const char *text);

/* Read one reply; one that openapi.yaml does not describe for what was sent fails the test. `bodiless`: to HEAD, so that Content-Length announces nothing, as with 304. Interim replies (1xx) are replies. */
void cp_client_read(struct cp_client *client, struct cp_client_reply *reply, bool bodiless);

/* Send `text` on a connection of its own and read one reply. */
struct cp_client *cp_client_ask(int port, const char *text, struct cp_client_reply *reply, bool bodiless);

/* `what` is said with a failure. */
void cp_expect_status(const char *what, int wanted, const struct cp_client_reply *reply);
void cp_expect_header(const char *what, const struct cp_client_reply *reply, const char *name, const char *wanted);

/* Wait for the server's end of the connection; anything but its orderly close, after nothing more, fails. */
void cp_client_expect_end(struct cp_client *client);

/* The value of a header, copied to value[size]; "" when absent. */
const char *cp_client_header(const struct cp_client_reply *reply, const char *name, char *value, size_t size);

#endif
