#include "core/nearest.h"

#include <stdlib.h>

enum { LONGEST = 64, MOST_CANDIDATES = 2000 };

static char lower(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? (char)(letter + 'a' - 'A') : letter;
}

static int least_of(int a, int b, int c)
{
    int least = a < b ? a : b;
    return least < c ? least : c;
}

/* Optimal string alignment distance, three rows at a time. */
static int distance_between(struct cp_text a, struct cp_text b)
{
    int rows[3][LONGEST + 1];
    for (size_t j = 0; j <= b.size; j++) rows[0][j] = (int)j;
    for (size_t i = 1; i <= a.size; i++) {
        int *row = rows[i % 3];
        const int *above = rows[(i - 1) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = (int)i;
        for (size_t j = 1; j <= b.size; j++) {
            int differs = lower(a.bytes[i - 1]) != lower(b.bytes[j - 1]);
            row[j] = least_of(above[j] + 1, row[j - 1] + 1, above[j - 1] + differs);
            bool swapped = i > 1 && j > 1 && lower(a.bytes[i - 1]) == lower(b.bytes[j - 2]) &&
                           lower(a.bytes[i - 2]) == lower(b.bytes[j - 1]);
            if (swapped && above2[j - 2] + 1 < row[j]) row[j] = above2[j - 2] + 1;
        }
    }
    return rows[a.size % 3][b.size];
}

int64_t cp_nearest(struct cp_text name, int64_t count, struct cp_text (*candidate)(const void *list, int64_t index),
                   const void *list)
{
    int64_t best = -1;
    int allowed = name.size < 6 ? 1 : (int)(name.size / 3);
    if (name.size == 0 || name.size > LONGEST) return -1;
    for (int64_t at = 0; at < count && at < MOST_CANDIDATES; at++) {
        struct cp_text other = candidate(list, at);
        if (other.size > LONGEST || llabs((long long)other.size - (long long)name.size) > allowed) continue;
        int distance = distance_between(name, other);
        if (distance > allowed || (best >= 0 && distance == allowed)) continue;
        best = at;
        allowed = distance;
    }
    return best;
}
