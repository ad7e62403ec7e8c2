/* What the targets share: memory in which AddressSanitizer sees every step too far, requests as text, and the service in
 * this process. */
#ifndef CP_FUZZ_ASK_H
#define CP_FUZZ_ASK_H

#include "server/json/json.h"
#include "server/json/writer.h"
#include "server/service.h"

/* Blocks of exactly the sizes that are asked for, each from malloc: what lies behind one is not the next. */
struct cp_exact_memory {
    struct cp_arena arena; /* first: the one is the other */
    void **blocks;
    size_t count, capacity;
    size_t held_bytes;
};

/* Running out is the service's business: cp_service_exhausted. */
void cp_exact_memory_open(struct cp_exact_memory *memory);
void cp_exact_memory_close(struct cp_exact_memory *memory);

/* A request as text, like one of HTTP: "POST /v1/shapes?query", then lines "Content-Type: …" and "Accept: …" as needed,
 * an empty line, and the body. Lines end in LF. Whatever the text, there is a request in it. */
struct cp_request cp_request_of_text(struct cp_text text);

/* The longest work that the targets wait for: a brief request's, and that of a body over CP_MAX_BRIEF_BYTES. False: the
 * request takes longer, and has no reply. */
bool cp_fuzz_answer(const struct cp_request *request, struct cp_reply *reply, struct cp_arena *arena);

/* POST a body to a path: its reply, parsed; NULL when its status is not 200. */
const struct cp_json *cp_fuzz_post(const char *path, struct cp_text body, struct cp_arena *arena);

/* A member of an object by its name; NULL for other values. */
const struct cp_json *cp_fuzz_member(const struct cp_json *object, const char *name);

/* Write a value as it was read. */
void cp_fuzz_write(struct cp_writer *writer, const struct cp_json *value);

/* Something does not hold: print the message and the request, and die. */
void cp_fuzz_fail(const struct cp_request *request, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));

#define CP_FUZZ_SHOWN(text) (int)(text).size, (text).bytes

#endif
