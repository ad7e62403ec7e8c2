#include "core/arena.h"

void *cp_arena_take_from_next(struct cp_arena *arena, size_t size)
{
    size_t given = 0;
    unsigned char *block = size > SIZE_MAX / 2 ? NULL : arena->more(arena, size, &given);
    if (!block) arena->exhausted(arena);
    arena->next = block + size;
    arena->end = block + given;
    arena->taken += size;
    return block;
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
