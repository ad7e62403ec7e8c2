/* Load of every kind at once on a server, from threads with a connection each: small and large, brief and long, right and
 * wrong, pipelined, and abandoned ones. Every reply is held to the status that is due, and to the bytes of the first reply
 * to the same request, which is held to openapi.yaml. */
#ifndef CP_MIXED_LOAD_H
#define CP_MIXED_LOAD_H

#include <stdbool.h>

struct cp_load;

struct cp_load_result {
    long long answered; /* requests with the reply that is due */
    long long failed;   /* any other */
    char failure[1024]; /* the first of these, in words */
};

/* Load 127.0.0.1:port from `clients` threads; returns at once. NULL: no memory or no threads. */
struct cp_load *cp_load_start(int port, int clients);

/* So far, callable while it runs: how many were answered; whether a reply was not the one that is due. */
long long cp_load_answered(const struct cp_load *load);
bool cp_load_has_failed(const struct cp_load *load);

/* The server is about to drain: a connection that ends after a reply that says so is no failure, nor is one that is then
 * refused. The load ends with its connections. */
void cp_load_expect_drain(struct cp_load *load);

/* End it, wait for the threads, and free it. */
struct cp_load_result cp_load_end(struct cp_load *load);

#endif
