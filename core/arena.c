#include "core/arena.h"

#include <stdint.h>
#include <string.h>

static void *take_slow(struct cp_arena *arena, size_t size, size_t alignment)
{
    size_t given = 0;
    unsigned char *block = size > SIZE_MAX / 2 ? NULL : arena->more(arena, size + alignment, &given);
    if (!block) arena->exhausted(arena);
    arena->next = block;
    arena->end = block + given;
    return cp_arena_take(arena, size, alignment);
}

void *cp_arena_take(struct cp_arena *arena, size_t size, size_t alignment)
{
    size_t gap = -(uintptr_t)arena->next & (alignment - 1);
    size_t room = (size_t)(arena->end - arena->next);
    if (!arena->next || gap > room || size > room - gap) return take_slow(arena, size, alignment);
    unsigned char *start = arena->next + gap;
    arena->next = start + size;
    arena->taken += gap + size;
    return start;
}

void *cp_arena_zeroed(struct cp_arena *arena, size_t count, size_t size, size_t alignment)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total)) arena->exhausted(arena);
    return memset(cp_arena_take(arena, total, alignment), 0, total);
}

void *cp_arena_extend(struct cp_arena *arena, void *start, size_t old_size, size_t new_size)
{
    unsigned char *first = start;
    size_t more = new_size - old_size;
    if (first + old_size == arena->next && more <= (size_t)(arena->end - arena->next)) {
        arena->next += more;
        arena->taken += more;
        return start;
    }
    return memcpy(cp_arena_take(arena, new_size, alignof(max_align_t)), start, old_size);
}
