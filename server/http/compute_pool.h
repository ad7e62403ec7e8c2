/* Threads for requests that take long, so that no event loop does: a bounded queue, and threads that give way to the
 * event loops where both want the processor. */
#ifndef CP_COMPUTE_POOL_H
#define CP_COMPUTE_POOL_H

#include <stdbool.h>

struct cp_compute_pool;

/* A piece of work, kept by its owner. `run` is called in a thread of the pool; it may hand the job back, so the pool does
 * not touch it afterwards. */
struct cp_compute_job {
    void (*run)(struct cp_compute_job *job);
    struct cp_compute_job *next;
};

/* At least one thread. NULL: no memory or no thread, errno says why. */
struct cp_compute_pool *cp_compute_pool_start(int threads, int queue_limit);

/* False: `queue_limit` jobs are waiting already. Callable from any thread. */
bool cp_compute_pool_submit(struct cp_compute_pool *pool, struct cp_compute_job *job);

/* Jobs that wait for a thread. */
int cp_compute_pool_waiting(struct cp_compute_pool *pool);

/* Run what is waiting, then end the threads and free all. Nothing may be submitted any more. NULL is allowed. */
void cp_compute_pool_stop(struct cp_compute_pool *pool);

#endif
