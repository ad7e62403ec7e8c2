/* What the whole process is doing: the one thing that endpoints need to know of the server around them. */
#ifndef CP_STATE_H
#define CP_STATE_H

#include <stdatomic.h>

/* True from the first termination signal on: /readyz answers 503, and no connection is kept alive. */
extern atomic_bool cp_draining;

/* True once no more time is left to answer: computations under way stop. */
extern atomic_bool cp_stopping;

#endif
