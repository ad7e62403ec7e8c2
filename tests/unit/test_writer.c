/* The writer: commas, escapes, numbers, and growth over the arena's blocks. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/json/writer.h"
#include "tests/json_text.h"

/* ---- An arena of many small blocks ---- */

struct owner {
    struct cp_arena arena;
    size_t block_bytes;
    int blocks, allowed;
    void *block[64];
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

static void expect_written(const char *name, const struct cp_writer *writer, const char *expected)
{
    struct cp_text text = cp_writer_text(writer);
    if (text.size == strlen(expected) && memcmp(text.bytes, expected, text.size) == 0) return;
    fprintf(stderr, "%s: got %.*s, not %s\n", name, (int)text.size, text.bytes, expected);
    fail();
}

/* ---- Tests ---- */

static void commas_and_colons(void **state)
{
    struct owner owner;
    struct cp_writer writer;
    (void)state;
    open_arena(&owner, 4096, 8);
    cp_writer_begin(&writer, &owner.arena, 0);
    cp_write_object_begin(&writer);
    CP_WRITE_NAME(&writer, "empty");
    cp_write_object_begin(&writer);
    cp_write_object_end(&writer);
    cp_write_name(&writer, CP_TEXT("a \"b\""));
    cp_write_array_begin(&writer);
    cp_write_array_begin(&writer);
    cp_write_array_end(&writer);
    cp_write_null(&writer);
    cp_write_boolean(&writer, true);
    cp_write_boolean(&writer, false);
    cp_write_integer(&writer, -7);
    cp_write_double(&writer, 0.5);
    cp_write_string(&writer, "x");
    cp_write_json(&writer, CP_TEXT("{\"y\":1}"));
    cp_write_object_begin(&writer);
    CP_WRITE_NAME(&writer, "z");
    cp_write_integer(&writer, 0);
    cp_write_object_end(&writer);
    cp_write_array_end(&writer);
    cp_write_name(&writer, (struct cp_text){NULL, 0});
    cp_write_text(&writer, (struct cp_text){NULL, 0});
    cp_write_object_end(&writer);
    cp_write_raw(&writer, "\n", 1);
    expect_written("all", &writer,
                   "{\"empty\":{},\"a \\\"b\\\"\":[[],null,true,false,-7,0.5,\"x\",{\"y\":1},{\"z\":0}],\"\":\"\"}\n");
    close_arena(&owner);
}

#define BYTES(literal)                                                                                                 \
    {                                                                                                                  \
        (literal), sizeof(literal) - 1                                                                                 \
    }

static void texts(void **state)
{
    static const struct {
        const char *name;
        struct cp_text text;
        const char *written;
    } rows[] = {
        {"empty", BYTES(""), "\"\""},
        {"plain", BYTES("conv1/x"), "\"conv1/x\""},
        {"short escapes", BYTES("\"\\\b\f\n\r\t"), "\"\\\"\\\\\\b\\f\\n\\r\\t\""},
        {"NUL", BYTES("a\0b"), "\"a\\u0000b\""},
        {"control characters", BYTES("\x01\x0B\x1F"), "\"\\u0001\\u000b\\u001f\""},
        {"DEL stays", BYTES("\x7F"), "\"\x7F\""},
        {"escape after sixteen", BYTES("0123456789abcdef\n0123456789abcdef"),
         "\"0123456789abcdef\\n0123456789abcdef\""},
        {"UTF-8", BYTES("o′ = ⌊é⌋ 😀"), "\"o′ = ⌊é⌋ 😀\""},
        {"lone continuation", BYTES("a\x80z"), "\"a\xEF\xBF\xBDz\""},
        {"lead at the end", BYTES("a\xC3"), "\"a\xEF\xBF\xBD\""},
        {"two of three", BYTES("\xE2\x82z"), "\"\xEF\xBF\xBDz\""},
        {"three of four", BYTES("\xF0\x9F\x98"), "\"\xEF\xBF\xBD\""},
        {"overlong", BYTES("\xC0\xAF"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {"surrogate", BYTES("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {"FF", BYTES("\xFF\""), "\"\xEF\xBF\xBD\\\"\""},
    };
    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        struct owner owner;
        struct cp_writer writer;
        open_arena(&owner, 64, 8);
        cp_writer_begin(&writer, &owner.arena, 0);
        cp_write_text(&writer, rows[row].text);
        expect_written(rows[row].name, &writer, rows[row].written);
        close_arena(&owner);
    }
}

/* Whatever the bytes, what is written is JSON (but for U+0000, which the check does not let pass). */
static void any_bytes_make_json(void **state)
{
    struct owner owner;
    uint32_t seed = 1;
    (void)state;
    for (int round = 0; round < 3000; round++) {
        char bytes[40];
        struct cp_writer writer;
        struct cp_json_error error;
        for (size_t at = 0; at < sizeof bytes; at++) bytes[at] = (char)((seed = seed * 1664525 + 1013904223) >> 24);
        open_arena(&owner, 4096, 1);
        cp_writer_begin(&writer, &owner.arena, 0);
        cp_write_text(&writer, (struct cp_text){bytes, (size_t)round % sizeof bytes});
        struct cp_text text = cp_writer_text(&writer);
        bool accepted = cp_test_is_json(text.bytes, text.size, &error);
        assert_true(accepted || error.fault == CP_JSON_NUL);
        close_arena(&owner);
    }
}

static void check_integer(int64_t value)
{
    struct owner owner;
    struct cp_writer writer;
    char expected[32];
    open_arena(&owner, 128, 1);
    cp_writer_begin(&writer, &owner.arena, 0);
    cp_write_integer(&writer, value);
    snprintf(expected, sizeof expected, "%lld", (long long)value);
    expect_written("integer", &writer, expected);
    close_arena(&owner);
}

static void integer_boundaries(void **state)
{
    (void)state;
    for (int64_t power = 1;; power *= 10) {
        for (int64_t near = power - 1; near <= power + 1; near++) {
            check_integer(near);
            check_integer(-near);
        }
        if (power > INT64_MAX / 10) break;
    }
    for (int bit = 0; bit < 63; bit++) {
        check_integer((INT64_C(1) << bit) - 1);
        check_integer(INT64_C(1) << bit);
        check_integer(-(INT64_C(1) << bit));
    }
    check_integer(INT64_MAX);
    check_integer(INT64_MIN);
    check_integer(INT64_MIN + 1);
    check_integer(CP_MAX_COUNT);
    for (int64_t value = -1100; value <= 1100; value++) check_integer(value);
}

static void counts_shapes_and_doubles(void **state)
{
    struct owner owner;
    struct cp_writer writer;
    static const int64_t integers[] = {0, -1, CP_MAX_COUNT};
    static const struct cp_shape shape = {4, {1, CP_ANY_SIZE, 224, CP_MAX_COUNT}};
    (void)state;
    open_arena(&owner, 4096, 1);
    cp_writer_begin(&writer, &owner.arena, 0);
    cp_write_array_begin(&writer);
    cp_write_count(&writer, CP_UNKNOWN);
    cp_write_count(&writer, 0);
    cp_write_count(&writer, CP_MAX_COUNT);
    cp_write_integers(&writer, integers, 3);
    cp_write_integers(&writer, integers, 0);
    cp_write_shape(&writer, &shape);
    cp_write_shape(&writer, &(struct cp_shape){0, {0}});
    cp_write_double(&writer, 0.1);
    cp_write_double(&writer, -0.0);
    cp_write_double(&writer, 1e300);
    cp_write_double(&writer, (double)NAN);
    cp_write_double(&writer, -(double)INFINITY);
    cp_write_array_end(&writer);
    expect_written(
        "all", &writer,
        "[null,0,9007199254740991,[0,-1,9007199254740991],[],[1,null,224,9007199254740991],[],0.1,-0.0,1e+300,"
        "null,null]");
    close_arena(&owner);
}

/* Two thousand members from the smallest capacity on, whether the text can grow in place or must move. */
static void growth(void **state)
{
    const size_t block_sizes[] = {1, 100, 1000, 1 << 20};
    (void)state;
    for (size_t row = 0; row < sizeof block_sizes / sizeof block_sizes[0]; row++) {
        struct owner owner;
        struct cp_writer writer;
        struct cp_json_error error;
        open_arena(&owner, block_sizes[row], 64);
        cp_writer_begin(&writer, &owner.arena, 0);
        cp_write_array_begin(&writer);
        for (int index = 0; index < 2000; index++) {
            cp_write_integer(&writer, index);
            if (index == 1000) cp_arena_take(&owner.arena, 8, 8);
        }
        cp_write_array_end(&writer);
        struct cp_text text = cp_writer_text(&writer);
        assert_true(cp_test_is_json(text.bytes, text.size, &error));
        assert_int_equal(text.size, 2 + 10 + 90 * 2 + 900 * 3 + 1000 * 4 + 1999);
        assert_memory_equal(text.bytes, "[0,1,2,", 7);
        assert_memory_equal(text.bytes + text.size - 11, ",1998,1999]", 11);
        assert_true(owner.arena.taken < 5 * text.size + 200);
        close_arena(&owner);
    }
}

static void a_long_text(void **state)
{
    enum { SIZE = 100000 };
    struct owner owner;
    struct cp_writer writer;
    char *bytes = malloc(SIZE);
    (void)state;
    memset(bytes, '\001', SIZE);
    open_arena(&owner, 64, 64);
    cp_writer_begin(&writer, &owner.arena, 0);
    cp_write_text(&writer, (struct cp_text){bytes, SIZE});
    assert_int_equal(cp_writer_text(&writer).size, 6 * SIZE + 2);
    close_arena(&owner);
    free(bytes);
}

static void room_for_others(void **state)
{
    struct owner owner;
    struct cp_writer writer;
    (void)state;
    open_arena(&owner, 64, 64);
    cp_writer_begin(&writer, &owner.arena, 0);
    cp_write_raw(&writer, "<", 1);
    memset(cp_writer_room(&writer, 1000), 'x', 1000);
    writer.at += 3;
    cp_write_raw(&writer, ">", 1);
    expect_written("room", &writer, "<xxx>");
    close_arena(&owner);
}

static void running_out(void **state)
{
    (void)state;
    for (volatile int allowed = 1; allowed < 6; allowed++) {
        struct owner owner;
        struct cp_writer writer;
        volatile bool unwound = false;
        open_arena(&owner, 64, allowed);
        if (setjmp(owner.out) == 0) {
            cp_writer_begin(&writer, &owner.arena, 0);
            for (int index = 0; index < 100000; index++) cp_write_integer(&writer, index);
        } else {
            unwound = true;
        }
        assert_true(unwound);
        assert_int_equal(owner.blocks, allowed);
        close_arena(&owner);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_and_colons),
        cmocka_unit_test(texts),
        cmocka_unit_test(any_bytes_make_json),
        cmocka_unit_test(integer_boundaries),
        cmocka_unit_test(counts_shapes_and_doubles),
        cmocka_unit_test(growth),
        cmocka_unit_test(a_long_text),
        cmocka_unit_test(room_for_others),
        cmocka_unit_test(running_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
