/* What the kernel knows of a connection's past. */
#ifndef CP_TCP_ACTIVITY_H
#define CP_TCP_ACTIVITY_H

#include <stdbool.h>
#include <stdint.h>

/* The bytes that the peer has sent on this connection, read or not. False where the kernel does not tell. */
bool cp_tcp_received(int socket, uint64_t *bytes);

#endif
