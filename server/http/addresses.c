#include "server/http/addresses.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/seed.h"

struct entry {
    uint64_t key;
    int connections; /* 0: the entry is free */
};

/* A hash table with linear probing, at most half full: every entry has a connection. */
struct cp_addresses {
    pthread_mutex_t mutex;
    int limit;
    size_t mask; /* entries, less one */
    struct entry entries[];
};

struct cp_addresses *cp_addresses_create(int most_connections, int limit)
{
    size_t count = 1;
    while (count < 2 * ((size_t)most_connections + 1)) count *= 2;
    struct cp_addresses *addresses = calloc(1, sizeof *addresses + count * sizeof *addresses->entries);
    if (!addresses) return NULL;
    pthread_mutex_init(&addresses->mutex, NULL);
    addresses->limit = limit;
    addresses->mask = count - 1;
    return addresses;
}

void cp_addresses_free(struct cp_addresses *addresses)
{
    if (!addresses) return;
    pthread_mutex_destroy(&addresses->mutex);
    free(addresses);
}

/* The network of an IPv6 address; an IPv4 address, also one within IPv6, with a mark that no network has. */
static uint64_t key_of(const struct sockaddr *address)
{
    static const uint64_t ipv4 = UINT64_C(0xffff) << 48;
    uint64_t network = 0;
    uint32_t host;
    if (address->sa_family == AF_INET) {
        memcpy(&host, &((const struct sockaddr_in *)(const void *)address)->sin_addr, sizeof host);
        return ipv4 | host;
    }
    if (address->sa_family != AF_INET6) return network;
    const struct in6_addr *wide = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    memcpy(&host, &wide->s6_addr[12], sizeof host);
    if (IN6_IS_ADDR_V4MAPPED(wide)) return ipv4 | host;
    memcpy(&network, wide->s6_addr, sizeof network);
    return network;
}

/* Seeded, so that no one can choose addresses that meet in the table. */
static size_t home_of(const struct cp_addresses *addresses, uint64_t key)
{
    uint64_t hash = (key ^ cp_process_seed()) * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(hash ^ hash >> 32) & addresses->mask;
}

/* The entry of the key, or the free one where it would stand. */
static size_t place_of(const struct cp_addresses *addresses, uint64_t key)
{
    size_t at = home_of(addresses, key);
    while (addresses->entries[at].connections && addresses->entries[at].key != key) at = (at + 1) & addresses->mask;
    return at;
}

bool cp_addresses_enter(struct cp_addresses *addresses, const struct sockaddr *address)
{
    uint64_t key = key_of(address);
    pthread_mutex_lock(&addresses->mutex);
    struct entry *entry = &addresses->entries[place_of(addresses, key)];
    bool room = entry->connections < addresses->limit;
    entry->key = key;
    entry->connections += room;
    pthread_mutex_unlock(&addresses->mutex);
    return room;
}

/* Entries behind one that became free move up, so that a search never ends too early. */
static void close_gap(struct cp_addresses *addresses, size_t gap)
{
    for (size_t at = (gap + 1) & addresses->mask; addresses->entries[at].connections; at = (at + 1) & addresses->mask) {
        size_t home = home_of(addresses, addresses->entries[at].key);
        if (((at - home) & addresses->mask) < ((at - gap) & addresses->mask)) continue;
        addresses->entries[gap] = addresses->entries[at];
        addresses->entries[at].connections = 0;
        gap = at;
    }
}

void cp_addresses_leave(struct cp_addresses *addresses, const struct sockaddr *address)
{
    pthread_mutex_lock(&addresses->mutex);
    size_t at = place_of(addresses, key_of(address));
    if (--addresses->entries[at].connections == 0) close_gap(addresses, at);
    pthread_mutex_unlock(&addresses->mutex);
}
