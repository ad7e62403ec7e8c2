/* Valgrind computes long double in 64 bits and some signs of zero otherwise than processors do, and its steps are its own:
 * tests of just that are skipped under it. */
#ifndef CP_UNDER_VALGRIND_H
#define CP_UNDER_VALGRIND_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static inline bool cp_under_valgrind(void)
{
    const char *tool = getenv("RUN_UNDER");
    return tool && strstr(tool, "valgrind");
}

#endif
