#include "plugin/thread.h"

#include <pthread.h>
#include <string.h>

#include "base/base.h"

struct hr_thread {
    struct hr_env *env;
    pthread_t id;
    int socket;
    int ended; /* set by the thread, last of all */
    hr_in_process *run;
    const struct hr_plugin_info *plugins[16];
    size_t plugin_count, job_size;
    char *job;
};

static void *run(void *arg)
{
    struct hr_thread *t = arg;

    t->run(t->socket, t->job, t->job_size, t->plugins, t->plugin_count);
    __atomic_store_n(&t->ended, 1, __ATOMIC_RELEASE);
    t->env->os->close(t->env->os->user, t->socket); /* tells who waits */
    return NULL;
}

static void drop(struct hr_thread *t)
{
    hr_mem_put(t->env, t->job, t->job_size + 1);
    hr_mem_put(t->env, t, sizeof *t);
}

hr_status hr_thread_start(struct hr_env *env, const struct hr_process_config *config, int socket,
                          struct hr_thread **ret)
{
    struct hr_thread *t;

    if (!config->in_process || config->plugin_count > 16)
        return hr_fail(env, HR_UNIMPLEMENTED, "this program runs no plugin in its own process");
    if (!(t = hr_mem_zero(env, sizeof *t)))
        return HR_EXHAUSTED;
    t->env = env;
    t->socket = socket;
    t->run = config->in_process;
    t->plugin_count = config->plugin_count;
    t->job_size = config->job_size;
    if (config->plugin_count)
        memcpy(t->plugins, config->plugins, config->plugin_count * sizeof *t->plugins);
    if (!(t->job = hr_mem_zero(env, t->job_size + 1))) {
        hr_mem_put(env, t, sizeof *t);
        return HR_EXHAUSTED;
    }
    memcpy(t->job, config->job, t->job_size);
    if (pthread_create(&t->id, NULL, run, t)) {
        drop(t);
        return hr_fail(env, HR_EXHAUSTED, "cannot start a thread");
    }
    *ret = t;
    return HR_OK;
}

bool hr_thread_ended(const struct hr_thread *t)
{
    return __atomic_load_n(&t->ended, __ATOMIC_ACQUIRE) != 0;
}

void hr_thread_join(struct hr_thread *t)
{
    pthread_join(t->id, NULL);
    drop(t);
}
