#include "base/env.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/os.h"

static void *default_alloc(void *user, void *p, size_t old_size, size_t new_size)
{
    (void)user, (void)old_size;
    if (new_size)
        return realloc(p, new_size);
    free(p);
    return NULL;
}

/* A number of the environment between 1 and max, or what there is without it. */
static int32_t setting(const struct hr_os *os, const char *name, int32_t without, int32_t max)
{
    const char *text = os->getenv(os->user, name);
    int64_t v;

    if (!text || !hr_num_int(text, strlen(text), &v) || v < 1 || v > max)
        return without;
    return (int32_t)v;
}

void hr_env_init(struct hr_env *env, const struct hr_env_config *config)
{
    static const struct hr_env_config none;
    const struct hr_env_config *c = config ? config : &none;
    int cores;

    *env = (struct hr_env){ .alloc = c->alloc ? c->alloc : default_alloc,
                            .alloc_user = c->alloc_user,
                            .os = c->os ? c->os : hr_os_default(),
                            .cancel = c->cancel,
                            .threads = c->threads,
                            .batch_rows = c->batch_rows };
    hr_buf_of(&env->errors.text, (size_t)1 << 20, env);
    if (env->threads < 1) {
        cores = env->os->cores(env->os->user);
        env->threads = setting(env->os, "HEADRACE_THREADS", cores, HR_MAX_THREADS);
    }
    if (env->threads > HR_MAX_THREADS)
        env->threads = HR_MAX_THREADS;
    if (env->batch_rows < 1)
        env->batch_rows = setting(env->os, "HEADRACE_BATCH_ROWS", 4096, 1 << 20);
}

void hr_env_clear(struct hr_env *env)
{
    if (!env)
        return;
    hr_errors_cut(env, 0);
    hr_mem_put(env, env->errors.items, env->errors.cap * sizeof *env->errors.items);
    env->errors.items = NULL;
    env->errors.cap = 0;
    hr_buf_clear(&env->errors.text);
}

bool hr_cancelled(const struct hr_env *env)
{
    return env->cancel && __atomic_load_n(env->cancel, __ATOMIC_RELAXED);
}

/* Errors of files stand in their order, reasons outermost first: a run of entries without
 * a file is turned round. */
const char *hr_env_error(struct hr_env *env)
{
    struct hr_errors *errors = &env->errors;
    size_t i = errors->count;

    hr_buf_cut(&errors->text, 0);
    while (i) {
        size_t from = i - 1, k;

        while (errors->items[i - 1].file && from && errors->items[from - 1].file)
            from--;
        for (k = from; k < i; k++) {
            if (errors->text.len && hr_buf_char(&errors->text, '\n') < 0)
                break;
            hr_error_format(&errors->items[k], &errors->text);
        }
        i = from;
    }
    if (errors->dropped && errors->count)
        hr_buf_format(&errors->text, "\n(and %zu more)", errors->dropped);
    else if (errors->dropped)
        return "no memory";
    return errors->text.text;
}
