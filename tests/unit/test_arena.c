/* The arena: alignment, blocks, growth in place, and running out at the n-th block. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/arena.h"

/* ---- An owner that hands out blocks of a chosen size and counts ----------------------------------------------------
 */

struct owner {
    struct cp_arena arena;
    size_t block_bytes;
    int blocks, allowed;
    void *block[16];
    unsigned char *first; /* of fill_until_exhausted */
    int pieces;
    jmp_buf out;
};

static void *give_block(struct cp_arena *arena, size_t size, size_t *given)
{
    struct owner *owner = arena->owner;
    if (owner->blocks == owner->allowed) return NULL;
    *given = size > owner->block_bytes ? size : owner->block_bytes;
    return owner->block[owner->blocks++] = malloc(*given);
}

__attribute__((noreturn)) static void run_out(struct cp_arena *arena)
{
    struct owner *owner = arena->owner;
    longjmp(owner->out, 1);
}

static void open_arena(struct owner *owner, size_t block_bytes, int allowed)
{
    *owner = (struct owner){.block_bytes = block_bytes, .allowed = allowed};
    owner->arena = (struct cp_arena){.more = give_block, .exhausted = run_out, .owner = owner};
}

static void close_arena(struct owner *owner)
{
    while (owner->blocks > 0) free(owner->block[--owner->blocks]);
}

/* ---- Tests
 * ----------------------------------------------------------------------------------------------------------- */

static void every_alignment(void **state)
{
    struct owner owner;
    (void)state;
    open_arena(&owner, 4096, 16);
    for (size_t alignment = 1; alignment <= alignof(max_align_t); alignment *= 2)
        for (size_t size = 0; size <= 33; size++) {
            unsigned char *start = cp_arena_take(&owner.arena, size, alignment);
            assert_non_null(start);
            assert_int_equal((uintptr_t)start % alignment, 0);
            memset(start, 0xa5, size);
        }
    close_arena(&owner);
}

/* Pieces do not overlap, within a block and across blocks: each keeps what was written to it. */
static void pieces_are_apart(void **state)
{
    struct owner owner;
    unsigned char *piece[64];
    (void)state;
    open_arena(&owner, 200, 16);
    for (int i = 0; i < 64; i++) {
        piece[i] = cp_arena_take(&owner.arena, 20, 4);
        memset(piece[i], i, 20);
    }
    for (int i = 0; i < 64; i++)
        for (int byte = 0; byte < 20; byte++) assert_int_equal(piece[i][byte], i);
    assert_true(owner.blocks > 6 && owner.blocks < 16);
    assert_true(owner.arena.taken >= (size_t)(64 * 20));
    close_arena(&owner);
}

static void larger_than_a_block(void **state)
{
    struct owner owner;
    (void)state;
    open_arena(&owner, 64, 16);
    unsigned char *large = cp_arena_take(&owner.arena, 10000, 16);
    memset(large, 1, 10000);
    assert_int_equal(owner.blocks, 1);
    assert_true(owner.arena.taken >= 10000);
    close_arena(&owner);
}

static void exactly_the_rest_of_a_block(void **state)
{
    struct owner owner;
    (void)state;
    open_arena(&owner, 64, 1);
    cp_arena_take(&owner.arena, 48, 16);
    cp_arena_take(&owner.arena, 16, 16);
    assert_ptr_equal(owner.arena.next, owner.arena.end);
    assert_int_equal(owner.arena.taken, 64);
    cp_arena_take(&owner.arena, 0, 1);
    assert_int_equal(owner.blocks, 1);
    close_arena(&owner);
}

static void zeroed(void **state)
{
    struct owner owner;
    (void)state;
    open_arena(&owner, 256, 16);
    unsigned char *dirty = cp_arena_take(&owner.arena, 256, 1);
    memset(dirty, 0xff, 256);
    owner.arena.next = dirty; /* a reset */
    int64_t *numbers = CP_NEW_ARRAY(&owner.arena, int64_t, 20);
    for (int i = 0; i < 20; i++) assert_true(numbers[i] == 0);
    assert_true(*CP_NEW(&owner.arena, int64_t) == 0);
    assert_int_equal(owner.blocks, 1);
    close_arena(&owner);
}

static void growth(void **state)
{
    struct owner owner;
    (void)state;
    open_arena(&owner, 100, 16);
    char *text = cp_arena_take(&owner.arena, 10, 1);
    memcpy(text, "0123456789", 10);
    assert_ptr_equal(cp_arena_extend(&owner.arena, text, 10, 60), text);
    assert_int_equal(owner.arena.taken, 60);
    assert_int_equal(owner.arena.end - owner.arena.next, 40);
    /* Not the last piece any more: moves within the block. */
    cp_arena_take(&owner.arena, 1, 1);
    char *moved = cp_arena_extend(&owner.arena, text, 10, 12);
    assert_ptr_not_equal(moved, text);
    assert_memory_equal(moved, "0123456789", 10);
    assert_int_equal(owner.blocks, 1);
    /* The last piece, but the block is full: moves to another. */
    char *far = cp_arena_extend(&owner.arena, moved, 12, 500);
    assert_memory_equal(far, "0123456789", 10);
    memset(far + 12, 'x', 488);
    assert_int_equal(owner.blocks, 2);
    assert_ptr_equal(cp_arena_extend(&owner.arena, far, 500, 500), far);
    close_arena(&owner);
}

static void fill_until_exhausted(struct owner *owner)
{
    if (setjmp(owner->out)) return;
    for (;;) {
        unsigned char *piece = cp_arena_take(&owner->arena, 64, 1);
        memset(piece, 0x5a, 64);
        if (owner->pieces++ == 0) owner->first = piece;
    }
}

/* With n blocks allowed, the piece that needs one more unwinds, and what was there is untouched. */
static void running_out_at_every_block(void **state)
{
    (void)state;
    for (int allowed = 0; allowed < 8; allowed++) {
        struct owner owner;
        open_arena(&owner, 128, allowed);
        fill_until_exhausted(&owner);
        assert_int_equal(owner.blocks, allowed);
        assert_int_equal(owner.pieces, 2 * allowed);
        if (allowed) assert_int_equal(owner.first[63], 0x5a);
        close_arena(&owner);
    }
}

static bool unwinds(struct owner *owner, size_t count, size_t size)
{
    if (setjmp(owner->out)) return true;
    cp_arena_zeroed(&owner->arena, count, size, 8);
    return false;
}

static void sizes_beyond_memory(void **state)
{
    static const struct {
        size_t count, size;
    } rows[] = {{SIZE_MAX, 2}, {SIZE_MAX / 2 + 1, 2}, {1, SIZE_MAX}, {1, SIZE_MAX - 8}, {SIZE_MAX / 2 + 1, 1}};
    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        struct owner owner;
        open_arena(&owner, 64, 1);
        assert_true(unwinds(&owner, rows[row].count, rows[row].size));
        assert_int_equal(owner.blocks, 0);
        close_arena(&owner);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_alignment),
        cmocka_unit_test(pieces_are_apart),
        cmocka_unit_test(larger_than_a_block),
        cmocka_unit_test(exactly_the_rest_of_a_block),
        cmocka_unit_test(zeroed),
        cmocka_unit_test(growth),
        cmocka_unit_test(running_out_at_every_block),
        cmocka_unit_test(sizes_beyond_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
