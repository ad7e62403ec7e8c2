#define _GNU_SOURCE 1 /* memmem, strcasestr */

#include "tests/http/mixed_load.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/http/seen.h"

enum { PATIENCE_MS = 120000, MOST_REPLY_BYTES = 1 << 22, REQUESTS_PER_CONNECTION = 200 };

/* ---- Requests ----------------------------------------------------------------------------------------------------- */

#define CONV "{\"type\": \"Conv2d\", \"out_channels\": 8, \"kernel_size\": 3, \"stride\": 2, \"padding\": 1}"

struct kind {
    const char *method, *target, *body; /* body NULL: none */
    int status;
    size_t repeated; /* the body's %s is a list with so many times `element` */
    const char *element;
};

static const struct kind kinds[] = {
    {"POST", "/v1/shapes", "{\"input\": [1, 3, 224, 224], \"layers\": [" CONV "," CONV "], \"explain\": true}",
     .status = 200},
    {"POST", "/v1/roundtrip",
     "{\"input\": [1, 1, 28, 28], \"encoder\": [" CONV "], \"decoder\": [{\"type\": \"ConvTranspose2d\", "
     "\"out_channels\": 1, \"kernel_size\": 3, \"stride\": 2, \"padding\": 1}]}",
     .status = 200},
    {"POST", "/v1/decoder", "{\"input\": [1, 1, 28, 28], \"encoder\": [" CONV "," CONV "]}", .status = 200},
    {"POST", "/v1/sizes",
     "{\"input\": [1, 1, \"n\", \"n\"], \"layers\": [" CONV ", {\"type\": \"MaxPool2d\", \"kernel_size\": 3}], "
     "\"covered\": true}",
     .status = 200},
    {"POST", "/v1/solve", "{\"type\": \"Conv2d\", \"input\": 224, \"output\": 112}", .status = 200},
    {"POST", "/v1/convolve",
     "{\"layer\": {\"type\": \"Conv1d\", \"out_channels\": 1, \"kernel_size\": 2}, \"input\": [[[1, 2, 3]]], "
     "\"weight\": [[[1, -1]]], \"verify\": true}",
     .status = 200},
    /* Too long for an event loop: by its work, and by its body. */
    {"POST", "/v1/convolve",
     "{\"layer\": {\"type\": \"MaxPool1d\", \"kernel_size\": 300, \"stride\": 1}, \"input\": [[%s]]}", .status = 200,
     .repeated = 3000, .element = "0.5"},
    {"POST", "/v1/shapes", "{\"input\": [1, 8, 9, 9], \"layers\": %s}", .status = 200, .repeated = 2000,
     .element = "{\"type\": \"ReLU\"}"},
    {"POST", "/v1/shapes", "{\"input\": [1, 3, 224, 224], \"layers\": [],}", .status = 400},
    {"POST", "/v1/shapes", "{\"input\": [1, 3], \"layers\": [{\"type\": \"Conf2d\"}]}", .status = 422},
    {"POST", "/v1/layers", "{}", .status = 405},
    {"GET", "/v1/layers", NULL, .status = 200},
    {"GET", "/v1/examples/resnet50", NULL, .status = 200},
    {"GET", "/v1/relationships/14", NULL, .status = 200},
    {"GET", "/openapi.json", NULL, .status = 200},
    {"GET", "/nothing", NULL, .status = 404},
    {"HEAD", "/v1/relationships", NULL, .status = 200},
};

enum { KINDS = sizeof kinds / sizeof *kinds };

/* The whole request, allocated. */
static char *make_request(const struct kind *kind, size_t *size)
{
    char *list = NULL, *body = NULL, *request = NULL;
    size_t list_size, body_size = 0;
    FILE *out = open_memstream(&list, &list_size);
    for (size_t at = 0; at < kind->repeated; at++) fprintf(out, "%c%s", at ? ',' : '[', kind->element);
    fputs(kind->repeated ? "]" : "", out);
    fclose(out);
    out = open_memstream(&body, &body_size);
    const char *place = kind->body ? strstr(kind->body, "%s") : NULL;
    if (place)
        fprintf(out, "%.*s%s%s", (int)(place - kind->body), kind->body, list, place + 2);
    else
        fputs(kind->body ? kind->body : "", out);
    fclose(out);
    out = open_memstream(&request, size);
    fprintf(out, "%s %s HTTP/1.1\r\nHost: t\r\n", kind->method, kind->target);
    if (kind->body) fprintf(out, "Content-Type: application/json\r\nContent-Length: %zu\r\n", body_size);
    fprintf(out, "\r\n%s", body);
    fclose(out);
    free(list);
    free(body);
    return request;
}

/* ---- The load ----------------------------------------------------------------------------------------------------- */

struct cp_load {
    int port, clients;
    atomic_bool ending, draining;
    atomic_llong answered, failed;
    pthread_mutex_t mutex; /* of what follows */
    char failure[1024];
    struct sample {
        char *request;
        size_t request_size;
        char *body; /* of the first reply; NULL: none yet */
        size_t body_size;
    } samples[KINDS];
    pthread_t threads[];
};

struct client {
    struct cp_load *load;
    int socket;
    size_t filled, taken; /* of `bytes` */
    uint64_t random;
    char *bytes;
};

static size_t pick(struct client *client, size_t choices)
{
    client->random = client->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(client->random >> 33) % choices;
}

static bool fail(struct cp_load *load, const struct kind *kind, const char *what, const char *bytes, size_t size)
{
    if (atomic_fetch_add(&load->failed, 1) > 0) return false;
    pthread_mutex_lock(&load->mutex);
    snprintf(load->failure, sizeof load->failure, "%s %s: %s: %.*s", kind->method, kind->target, what,
             (int)(size < 300 ? size : 300), bytes);
    pthread_mutex_unlock(&load->mutex);
    return false;
}

static bool connect_client(struct client *client)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)client->load->port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client->filled = client->taken = 0;
    client->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->socket < 0) return false;
    if (connect(client->socket, (struct sockaddr *)&address, sizeof address) == 0) return true;
    close(client->socket);
    return false;
}

static bool send_all(const struct client *client, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(client->socket, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes += sent;
        size -= (size_t)sent;
    }
    return true;
}

static bool read_more(struct client *client)
{
    struct pollfd ready = {.fd = client->socket, .events = POLLIN};
    if (client->filled == MOST_REPLY_BYTES || poll(&ready, 1, PATIENCE_MS) != 1) return false;
    ssize_t got = recv(client->socket, client->bytes + client->filled, MOST_REPLY_BYTES - client->filled, 0);
    if (got > 0) client->filled += (size_t)got;
    return got > 0;
}

/* Is the reply whose head is the first in the client's bytes one that openapi.yaml describes? */
static bool is_described(const struct client *client, const struct kind *kind, const char *body, size_t size)
{
    char why[sizeof client->load->failure], type[64] = "";
    const char *line = strcasestr(client->bytes, "\r\nContent-Type: ");
    if (line) sscanf(line, "%*s %63[^\r;]", type);
    const struct cp_seen seen = {.method = kind->method,
                                 .target = kind->target,
                                 .status = kind->status,
                                 .content_type = type,
                                 .body = body,
                                 .body_size = size};
    return cp_seen(&seen, why, sizeof why) || fail(client->load, kind, "", why, strlen(why));
}

/* The first reply to a request is kept; later ones must be the same. */
static bool is_as_before(struct cp_load *load, struct sample *sample, const char *body, size_t size, bool *first)
{
    pthread_mutex_lock(&load->mutex);
    *first = !sample->body;
    if (*first) {
        sample->body = memcpy(malloc(size + 1), body, size);
        sample->body_size = size;
    }
    bool same = sample->body_size == size && memcmp(sample->body, body, size) == 0;
    pthread_mutex_unlock(&load->mutex);
    return same;
}

enum outcome { GOES_ON, CLOSES, FAILED };

/* Read the reply to a request of this kind. */
static enum outcome take_reply(struct client *client, size_t index)
{
    const struct kind *kind = &kinds[index];
    int status = 0;
    memmove(client->bytes, client->bytes + client->taken, client->filled - client->taken);
    client->filled -= client->taken;
    client->taken = 0;
    char *end; /* of the head */
    while (!(end = memmem(client->bytes, client->filled, "\r\n\r\n", 4)))
        if (!read_more(client)) return fail(client->load, kind, "no reply", client->bytes, client->filled), FAILED;
    size_t head_size = (size_t)(end + 4 - client->bytes);
    end[2] = '\0';
    const char *length = strcasestr(client->bytes, "\r\nContent-Length:");
    bool closes = strcasestr(client->bytes, "\r\nConnection: close") != NULL;
    bool bodiless = strcmp(kind->method, "HEAD") == 0;
    size_t size = length && !bodiless ? strtoul(length + strlen("\r\nContent-Length:"), NULL, 10) : 0;
    while (client->filled < head_size + size)
        if (!read_more(client)) return fail(client->load, kind, "cut off", client->bytes, head_size), FAILED;
    const char *body = client->bytes + head_size;
    if (sscanf(client->bytes, "HTTP/1.1 %d ", &status) != 1 || status != kind->status)
        return fail(client->load, kind, client->bytes, body, size), FAILED;
    bool first;
    if (!is_as_before(client->load, &client->load->samples[index], body, size, &first))
        return fail(client->load, kind, "another reply than before", body, size), FAILED;
    if (first && !is_described(client, kind, body, size)) return FAILED;
    client->taken = head_size + size;
    atomic_fetch_add(&client->load->answered, 1);
    return closes ? CLOSES : GOES_ON;
}

/* One to three requests on their way at once. A reply that ends the connection leaves those behind it unanswered, as it
 * says. */
static enum outcome exchange(struct client *client)
{
    size_t pipelined[3], count = pick(client, 8) ? 1 : 2 + pick(client, 2);
    for (size_t at = 0; at < count; at++) {
        pipelined[at] = pick(client, KINDS);
        const struct sample *sample = &client->load->samples[pipelined[at]];
        if (!send_all(client, sample->request, sample->request_size) && at == 0)
            return fail(client->load, &kinds[pipelined[at]], "not sent", "", 0), FAILED;
    }
    for (size_t at = 0; at < count; at++) {
        enum outcome outcome = take_reply(client, pipelined[at]);
        if (outcome != GOES_ON) return outcome;
    }
    return GOES_ON;
}

/* Go away in the middle of a request, or before its reply. */
static void abandon(struct client *client)
{
    const struct sample *sample = &client->load->samples[pick(client, KINDS)];
    size_t size = pick(client, 2) ? sample->request_size : sample->request_size / 2;
    (void)!send_all(client, sample->request, size);
}

/* As long as it lasts, one connection after another. */
static void *client_main(void *context)
{
    struct client *client = context;
    struct cp_load *load = client->load;
    while (!atomic_load(&load->ending)) {
        enum outcome outcome = GOES_ON;
        if (!connect_client(client)) {
            if (!atomic_load(&load->draining)) fail(load, &kinds[0], "not connected", "", 0);
            break;
        }
        for (int count = 0; count < REQUESTS_PER_CONNECTION && outcome == GOES_ON && !atomic_load(&load->ending);
             count++)
            outcome = exchange(client);
        if (outcome == GOES_ON && !atomic_load(&load->draining)) abandon(client);
        close(client->socket);
        if (atomic_load(&load->draining) || outcome == FAILED) break;
        if (outcome == CLOSES) fail(load, &kinds[0], "the connection is ended", "", 0);
    }
    free(client->bytes);
    free(client);
    return NULL;
}

static bool start_client(struct cp_load *load)
{
    struct client *client = calloc(1, sizeof *client);
    if (!client) return false;
    client->load = load;
    client->random = (uint64_t)load->clients;
    client->bytes = malloc(MOST_REPLY_BYTES);
    if (!client->bytes || pthread_create(&load->threads[load->clients], NULL, client_main, client) != 0) {
        free(client->bytes);
        free(client);
        return false;
    }
    load->clients++;
    return true;
}

struct cp_load *cp_load_start(int port, int clients)
{
    struct cp_load *load = calloc(1, sizeof *load + (size_t)clients * sizeof load->threads[0]);
    if (!load) return NULL;
    load->port = port;
    pthread_mutex_init(&load->mutex, NULL);
    for (size_t at = 0; at < KINDS; at++)
        load->samples[at].request = make_request(&kinds[at], &load->samples[at].request_size);
    while (load->clients < clients && start_client(load)) continue;
    if (load->clients == clients) return load;
    cp_load_end(load);
    return NULL;
}

long long cp_load_answered(const struct cp_load *load)
{
    return atomic_load(&load->answered);
}

bool cp_load_has_failed(const struct cp_load *load)
{
    return atomic_load(&load->failed) > 0;
}

void cp_load_expect_drain(struct cp_load *load)
{
    atomic_store(&load->draining, true);
}

struct cp_load_result cp_load_end(struct cp_load *load)
{
    struct cp_load_result result = {0};
    atomic_store(&load->ending, true);
    for (int at = 0; at < load->clients; at++) pthread_join(load->threads[at], NULL);
    result.answered = atomic_load(&load->answered);
    result.failed = atomic_load(&load->failed);
    memcpy(result.failure, load->failure, sizeof result.failure);
    for (size_t at = 0; at < KINDS; at++) {
        free(load->samples[at].request);
        free(load->samples[at].body);
    }
    pthread_mutex_destroy(&load->mutex);
    free(load);
    return result;
}
