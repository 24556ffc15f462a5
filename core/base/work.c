#include "base/work.h"

#include <pthread.h>

#include "base/env.h"
#include "base/limits.h"

/* next, failed_at and status are shared; all are behind lock. */
struct work {
    struct hr_env *env;
    hr_status (*do_item)(void *user, size_t i);
    void *user;
    size_t n, next, failed_at;
    hr_status status;
    pthread_mutex_t lock;
};

static void *work(void *arg)
{
    struct work *w = arg;
    size_t i;
    hr_status r;

    for (;;) {
        pthread_mutex_lock(&w->lock);
        if (w->status == HR_OK && w->next < w->n && hr_cancelled(w->env)) {
            w->status = HR_CANCELLED;
            w->failed_at = w->n;
        }
        i = w->status == HR_OK ? w->next++ : w->n;
        pthread_mutex_unlock(&w->lock);
        if (i >= w->n)
            return NULL;
        r = w->do_item(w->user, i);
        if (r == HR_OK)
            continue;
        pthread_mutex_lock(&w->lock);
        if (w->status == HR_OK || i < w->failed_at) {
            w->status = r;
            w->failed_at = i;
        }
        pthread_mutex_unlock(&w->lock);
    }
}

hr_status hr_work(struct hr_env *env, size_t n, hr_status (*do_item)(void *user, size_t i),
                  void *user)
{
    struct work w = { .env = env, .do_item = do_item, .user = user, .n = n };
    size_t more = (size_t)env->threads < n ? (size_t)env->threads : n, i;
    pthread_t threads[HR_MAX_THREADS];

    pthread_mutex_init(&w.lock, NULL);
    more = more ? more - 1 : 0; /* this thread works too */
    for (i = 0; i < more; i++)
        if (pthread_create(&threads[i], NULL, work, &w))
            break; /* fewer threads, the same result */
    work(&w);
    while (i)
        pthread_join(threads[--i], NULL);
    pthread_mutex_destroy(&w.lock);
    return w.status;
}
