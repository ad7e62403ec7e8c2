/* The form in which a reply is sent: with a validator, not at all where the client has it already, or compressed. */
#ifndef CP_REPRESENTATION_H
#define CP_REPRESENTATION_H

#include <stdbool.h>
#include <stddef.h>

#include "core/text.h"
#include "server/memory.h"
#include "server/service.h"

/* A strong validator in its quotes: 16 digits of a hash, the size, and the coding. */
#define CP_ETAG_BYTES 40

/* What the client says that it takes. */
struct cp_preferences {
    struct cp_text accept_encoding, if_none_match; /* the headers; empty when absent */
    size_t gzip_bytes;                             /* bodies of at least so many are compressed; 0: none */
    bool brief;                                    /* leave what takes long undone, and say so */
};

/* How the reply goes out; it is changed to match. */
struct cp_representation {
    char etag[CP_ETAG_BYTES]; /* "": none */
    bool gzip;                /* the body is compressed */
    bool varies;              /* with Accept-Encoding */
};

/* Give a 200 reply its form. GET and HEAD get a validator, and 304 where If-None-Match holds it. False: not done, for it
 * takes long; call again, not `brief`. Compressed constants are kept for all further requests. Thread-safe. */
bool cp_represent(struct cp_representation *form, enum cp_request_method method,
                  const struct cp_preferences *preferences, struct cp_reply *reply, struct cp_memory *memory);

#endif
