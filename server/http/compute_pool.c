#define _GNU_SOURCE 1 /* gettid */

#include "server/http/compute_pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* What the threads are nicer by than the event loops: about a tenth of the processor is left to them where both want all
 * of it, and an event loop that wakes up runs at once. */
#define NICENESS 10

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
    /* On Linux a priority is a thread's own. Without it the pool works as well, only less politely. */
    (void)!setpriority(PRIO_PROCESS, (id_t)gettid(), getpriority(PRIO_PROCESS, 0) + NICENESS);
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
