/* Did you mean …? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/nearest.h"

static struct cp_text candidate(const void *list, int64_t index)
{
    return cp_text_of(((const char *const *)list)[index]);
}

enum { MOST = 5 };

struct row {
    const char *name;
    const char *written;
    const char *candidates[MOST + 1];
    int64_t nearest;
};

#define TEN "aaaaaaaaaa"

static const struct row rows[] = {
    {"the name itself", "stride", {"padding", "stride"}, 1},
    {"another case", "conv2D", {"Conv1d", "Conv2d"}, 1},
    {"a letter too few", "strde", {"padding", "stride"}, 1},
    {"a letter too many", "strides", {"padding", "stride"}, 1},
    {"another letter", "stribe", {"padding", "stride"}, 1},
    {"neighbours swapped", "stirde", {"padding", "stride"}, 1},
    {"neighbours swapped in a short name", "form", {"name", "from"}, 1},
    {"two mistakes in six letters", "strudes", {"stride"}, 0},
    {"three mistakes in six letters", "sxrxdx", {"stride"}, -1},
    {"two mistakes in five letters", "naxxe", {"naame"}, -1},
    {"one mistake in one letter", "a", {"b"}, 0},
    {"two more letters than one", "a", {"abc"}, -1},
    {"the nearer one", "kernel_sise", {"kernel_sizes", "kernel_size"}, 1},
    {"the first of equals", "ab", {"ac", "ad"}, 0},
    {"an exact one after a near one", "abc", {"abd", "abc"}, 1},
    {"no candidates", "stride", {NULL}, -1},
    {"nothing written", "", {"a"}, -1},
    {"an empty candidate", "a", {""}, 0},
    {"a beginning only", "kernel", {"kernel_size"}, -1},
    {"64 bytes", TEN TEN TEN TEN TEN TEN "aaaa", {TEN TEN TEN TEN TEN TEN "aaab"}, 0},
    {"65 bytes", TEN TEN TEN TEN TEN TEN "aaaaa", {TEN TEN TEN TEN TEN TEN "aaaaa"}, -1},
    {"a candidate of 65 bytes", TEN TEN TEN TEN TEN TEN "aaaa", {TEN TEN TEN TEN TEN TEN "aaaab"}, -1},
    {"a letter of two bytes counts twice", "größe", {"grösse"}, 0},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t at = 0; at < sizeof rows / sizeof rows[0]; at++) {
        const struct row *row = &rows[at];
        int64_t count = 0;
        while (row->candidates[count]) count++;
        int64_t nearest = cp_nearest(cp_text_of(row->written), count, candidate, row->candidates);
        if (nearest != row->nearest) fail_msg("%s: %lld", row->name, (long long)nearest);
    }
}

/* Optimal string alignment by its recurrence, all rows kept. */
static int distance(const char *a, int a_size, const char *b, int b_size)
{
    int table[8][8];
    for (int i = 0; i <= a_size; i++)
        for (int j = 0; j <= b_size; j++) {
            int best = i == 0 ? j : i;
            if (i && j) {
                best = table[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
                if (table[i - 1][j] + 1 < best) best = table[i - 1][j] + 1;
                if (table[i][j - 1] + 1 < best) best = table[i][j - 1] + 1;
                bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                if (swapped && table[i - 2][j - 2] + 1 < best) best = table[i - 2][j - 2] + 1;
            }
            table[i][j] = best;
        }
    return table[a_size][b_size];
}

static void spell(int number, int size, char *word)
{
    for (int at = 0; at < size; at++, number /= 3) word[at] = (char)('a' + number % 3);
    word[size] = '\0';
}

/* All words of three letters' alphabet, six letters against four to seven: at most two may differ. */
static void test_against_the_recurrence(void **state)
{
    (void)state;
    int near = 0;
    for (int first = 0; first < 729; first += 7)
        for (int size = 4; size <= 7; size++)
            for (int second = 0; second < 2187; second += 11) {
                char a[8];
                char b[8];
                const char *const list[] = {b};
                spell(first, 6, a);
                spell(second, size, b);
                bool expected = distance(a, 6, b, size) <= 2;
                near += expected;
                if ((cp_nearest(cp_text_of(a), 1, candidate, list) == 0) != expected) fail_msg("%s and %s", a, b);
            }
    assert_in_range(near, 100, 50000);
}

static struct cp_text numbered(const void *list, int64_t index)
{
    static char name[32];
    ++**(int64_t *const *)list;
    (void)snprintf(name, sizeof name, "layer%lld", (long long)index);
    return cp_text_of(name);
}

static void test_bounded_work(void **state)
{
    (void)state;
    int64_t asked = 0;
    int64_t *counter = &asked;
    assert_int_equal(cp_nearest(CP_TEXT("something_else"), 1000000, numbered, &counter), -1);
    assert_int_equal(asked, 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_against_the_recurrence),
        cmocka_unit_test(test_bounded_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
