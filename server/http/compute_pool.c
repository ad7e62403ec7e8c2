#define _GNU_SOURCE 1 /* gettid, syscall */

#include "server/http/compute_pool.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The nicest there is, an event loop that wants the processor gets it; and time slices as short as there are, so that it
 * gets it at once: Linux lets a thread that runs finish its slice before it looks at one that wakes up. Where an older
 * kernel knows no slices of a thread's own, or nothing of this is allowed, the pool works as well, only less politely. */
enum { NICENESS = 19, SLICE_NS = 100000 };

/* What sched_setattr(2) takes, which the C library does not declare. */
struct scheduling {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t slice_ns, deadline_ns, period_ns;
};

/* Step back behind the event loops. On Linux a priority is a thread's own. */
static void be_polite(void)
{
    const struct scheduling polite = {
        .size = sizeof polite, .policy = SCHED_OTHER, .nice = NICENESS, .slice_ns = SLICE_NS};
    (void)!setpriority(PRIO_PROCESS, (id_t)gettid(), NICENESS);
    (void)syscall(SYS_sched_setattr, 0, &polite, 0);
}

struct cp_compute_pool {
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* a job came, or the end */
    struct cp_compute_job *first, **tail;
    int waiting, queue_limit;
    bool ending;
    int thread_count;
    pthread_t threads[];
};

/* The next job; NULL at the end. */
static struct cp_compute_job *wait_for_job(struct cp_compute_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    while (!pool->first && !pool->ending) pthread_cond_wait(&pool->changed, &pool->mutex);
    struct cp_compute_job *job = pool->first;
    if (job) {
        pool->first = job->next;
        if (!pool->first) pool->tail = &pool->first;
        pool->waiting--;
    }
    pthread_mutex_unlock(&pool->mutex);
    return job;
}

static void *thread_main(void *context)
{
    struct cp_compute_pool *pool = context;
    struct cp_compute_job *job;
    be_polite();
    while ((job = wait_for_job(pool))) job->run(job);
    return NULL;
}

/* With all signals blocked in it: they are for the thread that started the server. */
static bool start_thread(struct cp_compute_pool *pool)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&pool->threads[pool->thread_count], NULL, thread_main, pool);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code == 0) pool->thread_count++;
    errno = code;
    return code == 0;
}

struct cp_compute_pool *cp_compute_pool_start(int threads, int queue_limit)
{
    struct cp_compute_pool *pool = calloc(1, sizeof *pool + (size_t)threads * sizeof *pool->threads);
    if (!pool) return NULL;
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->changed, NULL);
    pool->tail = &pool->first;
    pool->queue_limit = queue_limit;
    while (pool->thread_count < threads && start_thread(pool)) continue;
    if (pool->thread_count > 0) return pool;
    int code = errno;
    cp_compute_pool_stop(pool);
    errno = code;
    return NULL;
}

bool cp_compute_pool_submit(struct cp_compute_pool *pool, struct cp_compute_job *job)
{
    pthread_mutex_lock(&pool->mutex);
    bool room = pool->waiting < pool->queue_limit;
    if (room) {
        job->next = NULL;
        *pool->tail = job;
        pool->tail = &job->next;
        pool->waiting++;
        pthread_cond_signal(&pool->changed);
    }
    pthread_mutex_unlock(&pool->mutex);
    return room;
}

int cp_compute_pool_waiting(struct cp_compute_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    int waiting = pool->waiting;
    pthread_mutex_unlock(&pool->mutex);
    return waiting;
}

void cp_compute_pool_stop(struct cp_compute_pool *pool)
{
    if (!pool) return;
    pthread_mutex_lock(&pool->mutex);
    pool->ending = true;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->mutex);
    for (int at = 0; at < pool->thread_count; at++) pthread_join(pool->threads[at], NULL);
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->mutex);
    free(pool);
}
