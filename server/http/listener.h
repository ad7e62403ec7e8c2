/* The listening socket: one for all workers, so that a connection in its queue is never bound to a worker that is busy
 * or about to stop. */
#ifndef CP_LISTENER_H
#define CP_LISTENER_H

#include <stddef.h>

/* Bind and listen. `host`: an IPv4 or IPv6 address (brackets allowed) or a name; "::" listens on IPv4 too; NULL or "":
 * every interface. `port`: 0 for any free one. Returns a non-blocking descriptor, or -1 with the reason as a sentence
 * in error[error_size]. */
int cp_listener_open(const char *host, int port, char *error, size_t error_size);

/* The port it is bound to. */
int cp_listener_port(int listener);

/* From now on no new handshake begins: SYN segments are dropped, so that the queue of established connections can be
 * emptied before the descriptor is closed (closing resets what is still queued). Clients try again a second later and
 * are then refused. Where the kernel does not allow it nothing happens. */
void cp_listener_drop_new(int listener);

#endif
