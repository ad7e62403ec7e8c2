#include "server/seed.h"

#include <sys/random.h>
#include <time.h>

static uint64_t seed;

__attribute__((constructor)) static void draw_seed(void)
{
    struct timespec now;
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) == (ssize_t)sizeof seed) return;
    clock_gettime(CLOCK_REALTIME, &now); /* before the kernel's pool is ready: harder to guess than a constant */
    seed = (uint64_t)now.tv_nsec * 0x9e3779b97f4a7c15u ^ (uint64_t)now.tv_sec;
}

uint64_t cp_process_seed(void)
{
    return seed;
}
