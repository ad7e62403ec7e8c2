/* The memory of one request: a bump allocator over blocks that its owner supplies. Nothing is freed singly; the
 * owner resets the whole. The core allocates from nowhere else.
 *
 * Running out does not return: cp_arena_take calls `exhausted`, which must not return (the service unwinds to the
 * request's entry with longjmp; all that the request holds lies in the arena, so nothing leaks). */
#ifndef CP_ARENA_H
#define CP_ARENA_H

#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cp_arena {
    unsigned char *next; /* first free byte of the current block */
    unsigned char *end;  /* one past its last */
    size_t taken;        /* bytes handed out since the last reset */
    /* A block of at least `size` bytes, aligned for any type; the block's true size goes to *given. NULL: none. */
    void *(*more)(struct cp_arena *arena, size_t size, size_t *given);
    void (*exhausted)(struct cp_arena *arena) __attribute__((noreturn));
    void *owner;                            /* for the callbacks */
    int64_t work_left;                      /* see cp_arena_work */
    void (*worked)(struct cp_arena *arena); /* NULL: work is not counted */
};

/* A request's time is bounded as its memory is: loops that may take long say how much they do, in units of some
 * nanoseconds. When work_left is used up, `worked` grants more of it, or does not return, as `exhausted`. */
static inline void cp_arena_work(struct cp_arena *arena, int64_t units)
{
    arena->work_left -= units;
    if (__builtin_expect(arena->work_left < 0 && arena->worked, 0)) arena->worked(arena);
}

/* cp_arena_take for what does not fit the current block. */
void *cp_arena_take_from_next(struct cp_arena *arena, size_t size)
    __attribute__((returns_nonnull, alloc_size(2), malloc, cold));

/* `size` bytes, uninitialised, aligned to `alignment` (a power of two up to alignof(max_align_t)). Never NULL. */
__attribute__((returns_nonnull, alloc_size(2), malloc)) static inline void *cp_arena_take(struct cp_arena *arena,
                                                                                          size_t size, size_t alignment)
{
    size_t gap = -(uintptr_t)arena->next & (alignment - 1);
    size_t room = (size_t)(arena->end - arena->next);
    if (__builtin_expect(!arena->next || gap > room || size > room - gap, 0))
        return cp_arena_take_from_next(arena, size);
    unsigned char *start = arena->next + gap;
    arena->next = start + size;
    arena->taken += gap + size;
    return start;
}

/* `count` objects of `size` bytes, all zero; a product that overflows counts as exhausted. */
__attribute__((returns_nonnull, malloc)) static inline void *cp_arena_zeroed(struct cp_arena *arena, size_t count,
                                                                             size_t size, size_t alignment)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total)) arena->exhausted(arena);
    return memset(cp_arena_take(arena, total, alignment), 0, total);
}

/* Grow the most recent allocation [start, start + old_size) in place where it is the last of its block, else move it.
 * Returns the new start; the first old_size bytes are kept. */
void *cp_arena_extend(struct cp_arena *arena, void *start, size_t old_size, size_t new_size)
    __attribute__((returns_nonnull));

/* Give back what the most recent allocation [start, start + old_size) holds beyond new_size, where it is still the last. */
static inline void cp_arena_trim(struct cp_arena *arena, void *start, size_t old_size, size_t new_size)
{
    if ((unsigned char *)start + old_size != arena->next) return;
    arena->next -= old_size - new_size;
    arena->taken -= old_size - new_size;
}

#define CP_NEW(arena, type) ((type *)cp_arena_zeroed((arena), 1, sizeof(type), alignof(type)))
#define CP_NEW_ARRAY(arena, type, count)                                                                               \
    ((type *)cp_arena_zeroed((arena), (size_t)(count), sizeof(type), alignof(type)))

#endif
