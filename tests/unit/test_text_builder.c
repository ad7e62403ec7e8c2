/* Text that grows in an arena: what is added, escapes of XML, and shortening. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/text_builder.h"
#include "server/memory.h"
#include "server/service.h"

static struct cp_memory memory;

static int open_memory(void **state)
{
    (void)state;
    cp_memory_open(&memory, NULL, (size_t)1 << 24, cp_service_exhausted);
    return 0;
}

static int close_memory(void **state)
{
    (void)state;
    cp_memory_reset(&memory);
    return 0;
}

static void assert_text(struct cp_text text, const char *wanted)
{
    if (!cp_text_is(text, wanted)) fail_msg("\"%.*s\", not \"%s\"", (int)text.size, text.bytes, wanted);
}

static void test_adding(void **state)
{
    (void)state;
    struct cp_text_builder builder = {.arena = &memory.arena};
    assert_int_equal(cp_text_built(&builder).size, 0);
    cp_text_add(&builder, (struct cp_text){0});
    cp_text_add_string(&builder, "");
    assert_int_equal(cp_text_built(&builder).size, 0);
    cp_text_add(&builder, CP_TEXT("a"));
    cp_text_add_string(&builder, "b");
    cp_text_add_number(&builder, INT64_MIN);
    cp_text_addf(&builder, "[%d %s]", 7, "c");
    assert_text(cp_text_built(&builder), "ab-9223372036854775808[7 c]");
}

/* Longer than any room at first: as a whole, and piece by piece beside another allocation. */
static void test_growth(void **state)
{
    (void)state;
    enum { LONG = 5000 };
    struct cp_text_builder builder = {.arena = &memory.arena};
    char text[LONG + 1];
    memset(text, 'x', LONG);
    text[LONG] = '\0';
    cp_text_addf(&builder, "%s%s", text, "y");
    for (int at = 0; at < LONG; at++) {
        cp_text_add_string(&builder, "z");
        (void)cp_arena_take(&memory.arena, 1, 1);
    }
    struct cp_text built = cp_text_built(&builder);
    assert_int_equal(built.size, 2 * LONG + 1);
    assert_memory_equal(built.bytes, text, LONG);
    assert_int_equal(built.bytes[LONG], 'y');
    for (size_t at = LONG + 1; at < built.size; at++) assert_int_equal(built.bytes[at], 'z');
}

static void test_xml(void **state)
{
    (void)state;
    const struct {
        struct cp_text text;
        const char *wanted;
    } rows[] = {
        {{0}, ""},
        {CP_TEXT("plain"), "plain"},
        {CP_TEXT("<a b=\"c\" d='e'>&"), "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;"},
        {CP_TEXT("]]>"), "]]&gt;"},
        {CP_TEXT("k̂ − ⌊i′⌋ 😀"), "k̂ − ⌊i′⌋ 😀"},
        {CP_TEXT("\0\x01\t\n\r\x1f\x7f"), "\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\x7f"},
        {CP_TEXT("\xef\xbf\xbe\xef\xbf\xbf"), "\ufffd\ufffd"},
        {CP_TEXT("\xed\xa0\x80"), "\ufffd\ufffd\ufffd"}, /* a surrogate */
        {CP_TEXT("\xc0\xaf\xe0\x80\xaf\xf5\x80"), "\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd"},
        {CP_TEXT("\xf4\x90\x80\x80"), "\ufffd\ufffd\ufffd\ufffd"}, /* past U+10FFFF */
        {CP_TEXT("a\xe2\x82"), "a\ufffd\ufffd"},                   /* cut off */
        {CP_TEXT("\xf4\x8f\xbf\xbd"), "\xf4\x8f\xbf\xbd"},
    };
    for (size_t at = 0; at < sizeof rows / sizeof rows[0]; at++) {
        struct cp_text_builder builder = {.arena = &memory.arena};
        cp_text_add_xml(&builder, rows[at].text);
        assert_text(cp_text_built(&builder), rows[at].wanted);
    }
}

static void test_shortened(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int characters;
        const char *wanted;
    } rows[] = {
        {"", 1, ""},
        {"abc", 3, "abc"},
        {"abcd", 3, "…cd"},
        {"abcd", 1, "…"},
        {"abcdefghij", 7, "ab…ghij"},
        {"αβγδεζηθικ", 7, "αβ…ηθικ"},
        {"αβγδεζη", 7, "αβγδεζη"},
    };
    for (size_t at = 0; at < sizeof rows / sizeof rows[0]; at++) {
        struct cp_text text = cp_text_of(rows[at].text);
        assert_text(cp_text_shortened(&memory.arena, text, rows[at].characters), rows[at].wanted);
    }
    assert_int_equal(cp_text_characters(CP_TEXT("αbγ😀")), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_adding),
        cmocka_unit_test(test_growth),
        cmocka_unit_test(test_xml),
        cmocka_unit_test(test_shortened),
    };
    return cmocka_run_group_tests(tests, open_memory, close_memory);
}
