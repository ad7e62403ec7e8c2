/* How many connections each client address has open. */
#ifndef CP_ADDRESSES_H
#define CP_ADDRESSES_H

#include <stdbool.h>
#include <sys/socket.h>

struct cp_addresses;

/* For up to `most_connections` connections, `limit` for one address. NULL: no memory. */
struct cp_addresses *cp_addresses_create(int most_connections, int limit);

/* NULL is allowed. */
void cp_addresses_free(struct cp_addresses *addresses);

/* Count a connection. False: its address has as many as it may. An IPv6 client has the 2^64 addresses of its network, so
 * they count as one. Callable from any thread. */
bool cp_addresses_enter(struct cp_addresses *addresses, const struct sockaddr *address);

/* A connection that was counted is closed. */
void cp_addresses_leave(struct cp_addresses *addresses, const struct sockaddr *address);

#endif
