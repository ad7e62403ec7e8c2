#include "server/http/tcp_activity.h"

#include <linux/tcp.h> /* <netinet/tcp.h> lacks tcpi_bytes_received, and the two cannot be mixed */
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>

bool cp_tcp_received(int socket, uint64_t *bytes)
{
    struct tcp_info info;
    socklen_t size = sizeof info;
    if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return false;
    if (size < offsetof(struct tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received) return false;
    *bytes = info.tcpi_bytes_received;
    return true;
}
