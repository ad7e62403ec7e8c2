/* A random number of this process, for keyed hashes. */
#ifndef CP_SEED_H
#define CP_SEED_H

#include <stdint.h>

uint64_t cp_process_seed(void);

#endif
