/* GET /openapi.yaml and /openapi.json: the description of the API as it is written, and as programs read it. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/embedded.h"
#include "server/endpoints/endpoints.h"
#include "server/formats/yaml.h"
#include "server/problem.h"

static void reply_constant(struct cp_exchange *exchange, const char *content_type, struct cp_text body)
{
    exchange->reply->status = 200;
    exchange->reply->content_type = content_type;
    exchange->reply->body = body;
    exchange->reply->is_static = true;
}

void cp_endpoint_openapi_yaml(struct cp_exchange *exchange)
{
    reply_constant(exchange, "application/yaml", cp_embedded_openapi_yaml);
}

/* ---- The same in JSON --------------------------------------------------------------------------------------------- */

/* The text is a constant, and the tests convert it: it always fits. */
static void *no_more(struct cp_arena *arena, size_t size, size_t *given) /* NOLINT(readability-non-const-parameter) */
{
    (void)arena, (void)size, (void)given;
    return NULL;
}

__attribute__((noreturn)) static void cannot_happen(struct cp_arena *arena)
{
    (void)arena;
    fputs("openapi.yaml has outgrown the room for its conversion\n", stderr);
    abort();
}

/* Convert into memory that is kept; an empty text when there is none, or when the YAML is not as it should be. */
static struct cp_text convert(void)
{
    enum { GROWTH = 4 }; /* the writer doubles its room, and JSON is hardly longer than YAML */
    size_t room = GROWTH * cp_embedded_openapi_yaml.size;
    unsigned char *bytes = malloc(room);
    if (!bytes) return (struct cp_text){0};
    struct cp_arena arena = {.next = bytes, .end = bytes + room, .more = no_more, .exhausted = cannot_happen};
    struct cp_text json;
    struct cp_yaml_error error;
    if (!cp_yaml_to_json(cp_embedded_openapi_yaml, &arena, &json, &error)) {
        fprintf(stderr, "openapi.yaml:%zu:%zu: %s\n", error.line, error.column, error.problem);
        free(bytes);
        return (struct cp_text){0};
    }
    char *kept = realloc(bytes, json.size); /* the arena's only allocation, so it begins where the block does */
    return (struct cp_text){kept ? kept : json.bytes, json.size};
}

/* Made by the first request that asks for it; a failure is tried again by the next. */
static struct cp_text description(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static struct cp_text json;
    pthread_mutex_lock(&lock);
    if (!json.size) json = convert();
    struct cp_text found = json;
    pthread_mutex_unlock(&lock);
    return found;
}

void cp_endpoint_openapi_json(struct cp_exchange *exchange)
{
    struct cp_text json = description();
    if (json.size)
        reply_constant(exchange, "application/json", json);
    else
        cp_service_refuse(503, "there is no memory for the description in JSON", exchange->reply, exchange->arena);
}
