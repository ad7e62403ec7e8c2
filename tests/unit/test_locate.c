/* Pointers into JSON text: each row has a caret under the byte that is expected. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/formats/locate.h"

static void pointers(void **state)
{
    static const struct {
        const char *name, *json, *pointer, *caret;
    } rows[] = {
        {"the whole", "  {}", "", "  ^"},
        {"a member", "{\"a\": 1, \"b\": 2}", "/b", "         ^"},
        {"the first member", "{\"a\": 1, \"b\": 2}", "/a", " ^"},
        {"an element", "[1, [2, 3], 4]", "/2", "            ^"},
        {"nested elements", "[1, [2, 3], 4]", "/1/1", "        ^"},
        {"through strings", "[\"],[\\\"\", 7]", "/1", "          ^"},
        {"through objects", "[{\"x\": [1, 2]}, {\"y\": 3}]", "/1/y", "                 ^"},
        {"a name like another", "{\"ab\": 1, \"a\": 2}", "/a", "          ^"},
        {"escapes of pointers", "{\"a\": 1, \"b/c~d\": 2}", "/b~1c~0d", "         ^"},
        {"an empty name", "{\"a\": 1, \"\": 2}", "/", "         ^"},
        {"a missing member", "{\"a\": {\"b\": 1}}", "/a/c", " ^"},
        {"an element past the end", "{\"a\": [1, 2]}", "/a/2", " ^"},
        {"an element of nothing", "{\"a\": []}", "/a/0", " ^"},
        {"a step into a number", "{\"a\": 5}", "/a/0", " ^"},
        {"a word as an index", "[1, 2]", "/a", "^"},
        {"an index that is too long", "[1, 2]", "/00000000000000000001", "^"},
        {"not JSON", "{\"a\"", "/a", "^"},
        {"not JSON at all", "}", "/a/0", "^"},
        {"an open string", "{\"a", "/a", "^"},
        {"nothing", "", "/a/0", "^"},
    };
    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        struct cp_locator locator;
        cp_locator_begin(&locator, cp_text_of(rows[row].json));
        size_t offset = cp_locate(&locator, cp_text_of(rows[row].pointer));
        if (offset == strlen(rows[row].caret) - 1) continue;
        fprintf(stderr, "%s: %s in %s: %zu\n", rows[row].name, rows[row].pointer, rows[row].json, offset);
        fail();
    }
}

/* Whatever was asked before, the answer is the same. */
static void any_order(void **state)
{
    static const char json[] =
        "{\"layers\": [{\"a\": 1}, {\"a\": 2, \"b\": [3, 4]}, {\"c\": 5}], \"more\": [6, [7], 8]}";
    static const char *const list[] = {
        "",          "/layers", "/layers/0", "/layers/0/a", "/layers/1", "/layers/1/b", "/layers/1/b/1", "/layers/2/c",
        "/layers/3", "/more/0", "/more/1/0", "/more/2",     "/none/1",   "/layers/x"};
    enum { COUNT = sizeof list / sizeof *list };
    (void)state;
    for (int first = 0; first < COUNT; first++) {
        for (int second = 0; second < COUNT; second++) {
            struct cp_locator used, fresh;
            cp_locator_begin(&used, CP_TEXT(json));
            cp_locator_begin(&fresh, CP_TEXT(json));
            cp_locate(&used, cp_text_of(list[first]));
            size_t got = cp_locate(&used, cp_text_of(list[second]));
            size_t expected = cp_locate(&fresh, cp_text_of(list[second]));
            if (got == expected) continue;
            fprintf(stderr, "%s after %s: %zu, not %zu\n", list[second], list[first], got, expected);
            fail();
        }
    }
}

static void positions(void **state)
{
    static const char json[] = "{\n  \"ö\": 1,\n\n  \"b\": 2}";
    static const struct {
        size_t offset;
        int64_t line, column;
    } rows[] = {{0, 1, 1}, {1, 1, 2}, {2, 2, 1}, {4, 2, 3}, {7, 2, 5}, {16, 4, 3}, {4, 2, 3}, {9999, 4, 10}, {0, 1, 1}};
    struct cp_locator locator;
    (void)state;
    cp_locator_begin(&locator, CP_TEXT(json));
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        struct cp_position got = cp_locator_position(&locator, rows[row].offset);
        if (got.line == rows[row].line && got.column == rows[row].column) continue;
        fprintf(stderr, "byte %zu: %lld:%lld\n", rows[row].offset, (long long)got.line, (long long)got.column);
        fail();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pointers),
        cmocka_unit_test(any_order),
        cmocka_unit_test(positions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
