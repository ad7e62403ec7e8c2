/* Random requests of /v1/sizes, as text: chains, graphs, U-Nets, and pairs of encoder and decoder. */
#ifndef CP_TEST_RANDOM_STACKS_H
#define CP_TEST_RANDOM_STACKS_H

#include <stddef.h>

#include "tests/property/random.h"

struct cp_random_request {
    char text[1 << 14];
    size_t size;
    struct cp_random random;
    int axes;
    int layers; /* written so far in the list */
};

/* One axis or two of them, with the free size n on each, or on one and a number on the other. */
void cp_random_stack(struct cp_random_request *request, uint64_t seed);
void cp_random_unet(struct cp_random_request *request, uint64_t seed);
void cp_random_pair(struct cp_random_request *request, uint64_t seed);

/* Two axes with the free sizes h and w. */
void cp_random_two(struct cp_random_request *request, uint64_t seed);

/* The same, whose last layers take both sizes together, once something has made constants of them. */
void cp_random_pinned(struct cp_random_request *request, uint64_t seed);

#endif
