/* Where arenas get their blocks: from malloc, through a pool that keeps blocks between requests, so that a steady load
 * allocates nothing. */
#ifndef CP_MEMORY_H
#define CP_MEMORY_H

#include <stdatomic.h>
#include <stddef.h>

#include "core/arena.h"

/* Blocks kept between requests. One for each worker; its functions may be called from any thread. */
struct cp_memory_pool;

/* What several pools may hold together, kept blocks included. */
struct cp_memory_budget {
    size_t limit_bytes;
    atomic_size_t held_bytes;
};

/* NULL: no memory. `keep_bytes` bounds what is kept while no request uses it. `budget` outlives the pool; NULL: none. */
struct cp_memory_pool *cp_memory_pool_create(size_t keep_bytes, struct cp_memory_budget *budget);

/* All memories that use the pool must have been reset before. NULL is allowed. */
void cp_memory_pool_free(struct cp_memory_pool *pool);

struct cp_memory_block;

/* The memory of one request: an arena and the blocks it has got. Used by one thread at a time. Must not move while it
 * holds blocks. */
struct cp_memory {
    struct cp_arena arena;
    struct cp_memory_pool *pool;
    struct cp_memory_block *blocks; /* newest first; the arena takes from the newest */
    size_t held_bytes;              /* of all blocks */
    size_t limit_bytes;             /* of held_bytes */
};

/* Set up an empty memory; no block is taken yet. `pool` NULL: blocks come from malloc and go back to it (command line,
 * tests). Past `limit_bytes`, or when malloc fails, the arena calls `exhausted`; NULL: one that prints and aborts. */
void cp_memory_open(struct cp_memory *memory, struct cp_memory_pool *pool, size_t limit_bytes,
                    void (*exhausted)(struct cp_arena *arena) __attribute__((noreturn)));

/* Give all blocks back, in time proportional to their number; the arena is empty and ready again. */
void cp_memory_reset(struct cp_memory *memory);

/* Grow the arena's most recent allocation from `old_size` to `new_size` bytes, or make a first one (`start` NULL), the
 * contents kept. Unlike the arena's own functions this returns NULL when memory is exhausted, with all as it was.
 * An allocation that outgrows its block gets one of its own, which realloc then extends: no copies pile up. */
void *cp_memory_resize(struct cp_memory *memory, void *start, size_t old_size, size_t new_size);

#endif
