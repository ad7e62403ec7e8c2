#define ZLIB_CONST
#include "server/http/gzip.h"

#include <limits.h>
#include <stdint.h>
#include <zlib.h>

#include "server/field_list.h"

bool cp_gzip_is_wanted(struct cp_text accept_encoding)
{
    bool any = false;
    while (accept_encoding.size) {
        struct cp_text element = cp_field_part(&accept_encoding, ',');
        struct cp_text coding = cp_field_part(&element, ';');
        if (cp_field_is(coding, CP_TEXT("gzip")) || cp_field_is(coding, CP_TEXT("x-gzip")))
            return cp_field_quality(element) > 0;
        if (cp_text_is(coding, "*")) any = cp_field_quality(element) > 0;
    }
    return any;
}

/* zlib's own memory counts as the request's, and goes with it. */
static void *take_memory(void *memory, unsigned count, unsigned size)
{
    return cp_memory_resize(memory, NULL, 0, (size_t)count * size);
}

static void leave_memory(void *memory, void *taken)
{
    (void)memory, (void)taken;
}

static bool begin(z_stream *stream, enum cp_gzip_effort effort, struct cp_memory *memory)
{
    enum { GZIP_WINDOW_BITS = 15 + 16, MEMORY_LEVEL = 8 };
    *stream = (z_stream){.zalloc = take_memory, .zfree = leave_memory, .opaque = memory};
    return deflateInit2(stream, (int)effort, Z_DEFLATED, GZIP_WINDOW_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK;
}

bool cp_gzip(struct cp_text plain, enum cp_gzip_effort effort, struct cp_memory *memory, struct cp_text *packed)
{
    z_stream stream;
    if (plain.size > UINT_MAX || !begin(&stream, effort, memory)) return false;
    char *room = cp_memory_resize(memory, NULL, 0, plain.size);
    if (!room) return false;
    stream.next_in = (const unsigned char *)plain.bytes;
    stream.avail_in = (unsigned)plain.size;
    stream.next_out = (unsigned char *)room;
    stream.avail_out = (unsigned)plain.size;
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END) return false; /* the room is used up: not smaller */
    *packed = (struct cp_text){room, (size_t)stream.total_out};
    return true;
}
