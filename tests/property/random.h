/* Random numbers for tests: the same on every machine for a seed. */
#ifndef CP_TEST_RANDOM_H
#define CP_TEST_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct cp_random {
    uint64_t state; /* the seed, to begin with */
};

/* Steps of a fixed odd size, each mixed by multiplying and folding. */
static inline uint64_t cp_random_next(struct cp_random *random)
{
    uint64_t x = random->state += 0xd1342543de82ef95u;
    for (int round = 0; round < 3; round++) {
        x ^= x >> 31;
        x *= 0x9e6c63d0676a9a99u;
    }
    return x ^ x >> 29;
}

static inline int cp_random_within(struct cp_random *random, int least, int most)
{
    return least + (int)(cp_random_next(random) % (uint64_t)(most - least + 1));
}

/* True once in `times`. */
static inline bool cp_random_chance(struct cp_random *random, int times)
{
    return cp_random_within(random, 1, times) == 1;
}

#endif
