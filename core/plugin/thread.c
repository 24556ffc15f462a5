#include "plugin/thread.h"

#include <pthread.h>
#include <string.h>

#include "base/base.h"

/* A thread of a crew: at a hook, or idle until the next.  What the host and it share is under lock,
 * but for cancel and ended. */
struct hr_thread {
    struct hr_env *env;
    struct hr_crew *crew;
    struct hr_thread *next; /* of those idle */
    pthread_t id;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool busy, quit;
    int socket;
    volatile int32_t cancel;
    int ended; /* set by the thread, after all that the hook did */
    hr_in_process *run;
    const struct hr_plugin_info *plugins[16];
    size_t plugin_count, job_size;
    char *job;
};

struct hr_crew {
    struct hr_env *env;
    struct hr_thread *idle;
};

static void serve(struct hr_thread *t)
{
    t->run(t->socket, t->job, t->job_size, t->plugins, t->plugin_count, &t->cancel);
    __atomic_store_n(&t->ended, 1, __ATOMIC_RELEASE);
    t->env->os->close(t->env->os->user, t->socket); /* tells who waits */
}

static void *live(void *arg)
{
    struct hr_thread *t = arg;

    pthread_mutex_lock(&t->lock);
    while (!t->quit) {
        if (!t->busy) {
            pthread_cond_wait(&t->changed, &t->lock);
            continue;
        }
        pthread_mutex_unlock(&t->lock);
        serve(t);
        pthread_mutex_lock(&t->lock);
        t->busy = false;
        pthread_cond_broadcast(&t->changed);
    }
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

static void drop(struct hr_thread *t)
{
    pthread_cond_destroy(&t->changed);
    pthread_mutex_destroy(&t->lock);
    hr_mem_put(t->env, t, sizeof *t);
}

/* One more that is idle. */
static hr_status hire(struct hr_crew *crew)
{
    struct hr_thread *t = hr_mem_zero(crew->env, sizeof *t);

    if (!t)
        return HR_EXHAUSTED;
    t->env = crew->env;
    t->crew = crew;
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->changed, NULL);
    if (pthread_create(&t->id, NULL, live, t)) {
        drop(t);
        return hr_fail(crew->env, HR_EXHAUSTED, "cannot start a thread");
    }
    t->next = crew->idle;
    crew->idle = t;
    return HR_OK;
}

/* -- the crew -------------------------------------------------------------- */

hr_status hr_crew_new(struct hr_env *env, struct hr_crew **ret)
{
    struct hr_crew *crew = hr_mem_zero(env, sizeof *crew);

    if (!crew)
        return HR_EXHAUSTED;
    crew->env = env;
    *ret = crew;
    return HR_OK;
}

void hr_crew_free(struct hr_crew *crew)
{
    struct hr_thread *t;

    if (!crew)
        return;
    while ((t = crew->idle)) {
        crew->idle = t->next;
        pthread_mutex_lock(&t->lock);
        t->quit = true;
        pthread_cond_broadcast(&t->changed);
        pthread_mutex_unlock(&t->lock);
        pthread_join(t->id, NULL);
        drop(t);
    }
    hr_mem_put(crew->env, crew, sizeof *crew);
}

/* -- a hook ---------------------------------------------------------------- */

static void put_to_rest(struct hr_thread *t)
{
    hr_mem_put(t->env, t->job, t->job_size + 1);
    t->job = NULL;
    t->next = t->crew->idle;
    t->crew->idle = t;
}

hr_status hr_thread_start(struct hr_crew *crew, const struct hr_process_config *config, int socket,
                          struct hr_thread **ret)
{
    struct hr_thread *t;
    hr_status r = HR_OK;

    if (!config->in_process || config->plugin_count > 16)
        return hr_fail(crew->env, HR_UNIMPLEMENTED,
                       "this program runs no plugin in its own process");
    if (!crew->idle && (r = hire(crew)) < 0)
        return r;
    t = crew->idle;
    crew->idle = t->next;
    t->socket = socket;
    t->run = config->in_process;
    t->plugin_count = config->plugin_count;
    t->job_size = config->job_size;
    t->cancel = t->ended = 0;
    if (config->plugin_count)
        memcpy(t->plugins, config->plugins, config->plugin_count * sizeof *t->plugins);
    if (!(t->job = hr_mem_zero(t->env, t->job_size + 1))) {
        put_to_rest(t);
        return HR_EXHAUSTED;
    }
    memcpy(t->job, config->job, t->job_size);
    pthread_mutex_lock(&t->lock);
    t->busy = true;
    pthread_cond_broadcast(&t->changed);
    pthread_mutex_unlock(&t->lock);
    *ret = t;
    return HR_OK;
}

void hr_thread_cancel(struct hr_thread *t)
{
    __atomic_store_n(&t->cancel, 1, __ATOMIC_RELAXED);
}

bool hr_thread_ended(const struct hr_thread *t)
{
    return __atomic_load_n(&t->ended, __ATOMIC_ACQUIRE) != 0;
}

void hr_thread_join(struct hr_thread *t)
{
    pthread_mutex_lock(&t->lock);
    while (t->busy)
        pthread_cond_wait(&t->changed, &t->lock);
    pthread_mutex_unlock(&t->lock);
    put_to_rest(t);
}
