/* Requests in bytes that several tests send, and the server that they send them to. */
#ifndef CP_REQUESTS_H
#define CP_REQUESTS_H

#include "tests/http/http_client.h"

#define STACK "{\"input\": [1, 3, 8, 8], \"layers\": [{\"type\": \"ReLU\"}]}"
#define STACK_SIZE "53"
#define JSON "Host: t\r\nContent-Type: application/json\r\n"
#define POST_SHAPES "POST /v1/shapes HTTP/1.1\r\n" JSON
#define GOOD_POST POST_SHAPES "Content-Length: " STACK_SIZE "\r\n\r\n" STACK
#define HEALTH "GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n"
#define PROBLEM "application/problem+json"

_Static_assert(sizeof STACK - 1 == 53, "STACK_SIZE");

static const struct cp_http_options defaults = CP_HTTP_DEFAULTS;

static inline struct cp_http *cp_serve_with_two(void)
{
    struct cp_http_options options = defaults;
    options.workers = 2;
    return cp_client_server(options);
}

#endif
