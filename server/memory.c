#include "server/memory.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* A usual request, from body to reply, fits one block of the smallest class; each further block of a request doubles. */
#define SMALLEST_BLOCK_BYTES ((size_t)64 << 10)
#define CLASS_COUNT 7 /* 64 KiB … 4 MiB; larger blocks are made to measure and never kept */

struct cp_memory_block {
    struct cp_memory_block *next;
    size_t capacity; /* bytes after this header */
    alignas(max_align_t) unsigned char bytes[];
};

struct cp_memory_pool {
    pthread_mutex_t mutex;
    struct cp_memory_block *kept[CLASS_COUNT];
    size_t kept_bytes, keep_bytes;
    struct cp_memory_budget *budget;
};

struct cp_memory_pool *cp_memory_pool_create(size_t keep_bytes, struct cp_memory_budget *budget)
{
    struct cp_memory_pool *pool = calloc(1, sizeof *pool);
    if (!pool) return NULL;
    pthread_mutex_init(&pool->mutex, NULL);
    pool->keep_bytes = keep_bytes;
    pool->budget = budget;
    return pool;
}

/* Take `bytes` of the budget that the pool shares. False: they are not there. */
static bool spend(struct cp_memory_pool *pool, size_t bytes)
{
    struct cp_memory_budget *budget = pool ? pool->budget : NULL;
    if (!budget || atomic_fetch_add(&budget->held_bytes, bytes) + bytes <= budget->limit_bytes) return true;
    atomic_fetch_sub(&budget->held_bytes, bytes);
    return false;
}

static void give_back(struct cp_memory_pool *pool, size_t bytes)
{
    if (pool && pool->budget) atomic_fetch_sub(&pool->budget->held_bytes, bytes);
}

/* In large pages, where the system has them, a large block takes some tens of faults and not some ten thousand. */
static void prefer_large_pages(struct cp_memory_block *block)
{
    enum { PAGE = 2 << 20, FEW = 4 };
    uintptr_t start = ((uintptr_t)block + PAGE - 1) & -(uintptr_t)PAGE, end = (uintptr_t)block->bytes + block->capacity;
    if (block->capacity >= (size_t)FEW * PAGE) (void)madvise((void *)start, end - start, MADV_HUGEPAGE);
}

static struct cp_memory_block *allocate(struct cp_memory_pool *pool, size_t capacity)
{
    if (capacity > SIZE_MAX - sizeof(struct cp_memory_block) || !spend(pool, capacity)) return NULL;
    struct cp_memory_block *block = malloc(sizeof *block + capacity);
    if (!block) {
        give_back(pool, capacity);
        return NULL;
    }
    block->capacity = capacity;
    prefer_large_pages(block);
    return block;
}

static void release(struct cp_memory_pool *pool, struct cp_memory_block *block)
{
    give_back(pool, block->capacity);
    free(block);
}

static void free_chain(struct cp_memory_pool *pool, struct cp_memory_block *block)
{
    while (block) {
        struct cp_memory_block *next = block->next;
        release(pool, block);
        block = next;
    }
}

void cp_memory_pool_free(struct cp_memory_pool *pool)
{
    if (!pool) return;
    for (int class = 0; class < CLASS_COUNT; class ++) free_chain(pool, pool->kept[class]);
    pthread_mutex_destroy(&pool->mutex);
    free(pool);
}

/* The smallest class that holds `size` bytes, or CLASS_COUNT. */
static int class_of(size_t size)
{
    int class = 0;
    while (class < CLASS_COUNT && SMALLEST_BLOCK_BYTES << class < size) class ++;
    return class;
}

static struct cp_memory_block *take_kept(struct cp_memory_pool *pool, int class)
{
    if (!pool || class == CLASS_COUNT) return NULL;
    pthread_mutex_lock(&pool->mutex);
    struct cp_memory_block *block = pool->kept[class];
    if (block) {
        pool->kept[class] = block->next;
        pool->kept_bytes -= block->capacity;
    }
    pthread_mutex_unlock(&pool->mutex);
    return block;
}

/* True: the pool has it now. */
static bool keep(struct cp_memory_pool *pool, struct cp_memory_block *block)
{
    int class = class_of(block->capacity);
    if (!pool || class == CLASS_COUNT || block->capacity != SMALLEST_BLOCK_BYTES << class) return false;
    pthread_mutex_lock(&pool->mutex);
    bool room = block->capacity <= pool->keep_bytes - pool->kept_bytes;
    if (room) {
        block->next = pool->kept[class];
        pool->kept[class] = block;
        pool->kept_bytes += block->capacity;
    }
    pthread_mutex_unlock(&pool->mutex);
    return room;
}

/* A block of at least `size` bytes, put first in the memory's list; NULL past the limit. */
static struct cp_memory_block *add_block(struct cp_memory *memory, size_t size)
{
    size_t room = memory->limit_bytes - memory->held_bytes;
    if (size > room) return NULL;
    size_t wish = size > memory->held_bytes ? size : memory->held_bytes;
    int class = class_of(wish);
    if (class == CLASS_COUNT) class = class_of(size);
    size_t capacity = class < CLASS_COUNT ? SMALLEST_BLOCK_BYTES << class : size;
    if (capacity > room) class = CLASS_COUNT, capacity = size;
    struct cp_memory_block *block = take_kept(memory->pool, class);
    if (!block) block = allocate(memory->pool, capacity);
    if (!block) block = allocate(memory->pool, capacity = size); /* little is left: without room to spare */
    if (!block) return NULL;
    block->next = memory->blocks;
    memory->blocks = block;
    memory->held_bytes += capacity;
    return block;
}

static void *more(struct cp_arena *arena, size_t size, size_t *given)
{
    struct cp_memory_block *block = add_block(arena->owner, size);
    if (!block) return NULL;
    *given = block->capacity;
    return block->bytes;
}

static void __attribute__((noreturn)) give_up(struct cp_arena *arena)
{
    (void)arena;
    fputs("out of memory\n", stderr);
    abort();
}

static void empty_arena(struct cp_memory *memory)
{
    memory->arena.next = memory->arena.end = NULL;
    memory->arena.taken = 0;
}

void cp_memory_open(struct cp_memory *memory, struct cp_memory_pool *pool, size_t limit_bytes,
                    void (*exhausted)(struct cp_arena *arena) __attribute__((noreturn)))
{
    *memory = (struct cp_memory){
        .arena = {.more = more, .exhausted = exhausted ? exhausted : give_up, .owner = memory},
        .pool = pool,
        .limit_bytes = limit_bytes,
    };
}

void cp_memory_reset(struct cp_memory *memory)
{
    while (memory->blocks) {
        struct cp_memory_block *block = memory->blocks;
        memory->blocks = block->next;
        if (!keep(memory->pool, block)) release(memory->pool, block);
    }
    memory->held_bytes = 0;
    empty_arena(memory);
}

/* Extend the newest block, which holds nothing but one allocation. */
static void *grow_block(struct cp_memory *memory, size_t new_size)
{
    struct cp_memory_block *block = memory->blocks;
    size_t extra = new_size - block->capacity;
    if (extra > memory->limit_bytes - memory->held_bytes || new_size > SIZE_MAX - sizeof *block) return NULL;
    if (!spend(memory->pool, extra)) return NULL;
    block = realloc(block, sizeof *block + new_size);
    if (!block) {
        give_back(memory->pool, extra);
        return NULL;
    }
    memory->blocks = block;
    memory->held_bytes += extra;
    block->capacity = new_size;
    memory->arena.next = memory->arena.end = block->bytes + new_size;
    return block->bytes;
}

void *cp_memory_resize(struct cp_memory *memory, void *start, size_t old_size, size_t new_size)
{
    struct cp_arena *arena = &memory->arena;
    size_t room = (size_t)(arena->end - arena->next);
    if (start && new_size - old_size <= room) return cp_arena_extend(arena, start, old_size, new_size);
    if (!start && new_size + alignof(max_align_t) <= room) return cp_arena_take(arena, new_size, alignof(max_align_t));
    if (start && memory->blocks && start == (void *)memory->blocks->bytes) {
        void *grown = grow_block(memory, new_size);
        if (grown) arena->taken += new_size - old_size;
        return grown;
    }
    struct cp_memory_block *block = add_block(memory, new_size);
    if (!block) return NULL;
    if (start) memcpy(block->bytes, start, old_size);
    arena->next = block->bytes + new_size;
    arena->end = block->bytes + block->capacity;
    arena->taken += new_size;
    return block->bytes;
}
