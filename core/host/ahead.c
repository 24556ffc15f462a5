/* The weights of a model that is pushed are packed while they are digested, which its output needs
 * in any case: what its package takes from then on is little.  If that goes wrong, or nothing
 * comes of the push, nobody is told: the package is made as if nothing had been. */
#include <string.h>

#include "host/package.h"

#define OS(env, call, ...) (env)->os->call((env)->os->user, __VA_ARGS__)

void hr_ahead_drop(struct hr_project *p)
{
    if (!p->ahead)
        return;
    if (p->ahead->part[0])
        OS(&p->env, unlink, p->ahead->part);
    hr_mem_put(&p->env, p->ahead, sizeof *p->ahead);
    p->ahead = NULL;
}

static hr_status pack_ahead(struct hr_project *p, const char *path, const char *name)
{
    const struct hr_registry_1 *registry;
    char dir[HR_MAX_PATH], member[HR_PACKAGE_NAME + 1];
    struct hr_buf text;
    hr_status r;

    hr_buf_of(&text, HR_PACKAGE_NAME, &p->env);
    r = hr_buf_format(&text, HR_MODEL_PATH "%s", name);
    if (r == HR_OK)
        memcpy(member, text.text, text.len + 1);
    hr_buf_clear(&text);
    if (r == HR_OK)
        r = hr_path_join(&p->env, p->paths.registry, "models", dir);
    if (r == HR_OK)
        r = hr_dir_make_safe(&p->env, dir);
    if (r == HR_OK)
        r = hr_host_registry(p, &registry);
    if (r == HR_OK && !(p->ahead = hr_mem_zero(&p->env, sizeof *p->ahead)))
        r = HR_EXHAUSTED;
    return r < 0 ? r : registry->ahead(&p->env, dir, member, path, p->ahead);
}

/* One at a time: of the files of a model the first large one is it. */
bool hr_host_sealed(void *user, const char *type, const char *path, const char *name,
                    uint8_t ret[HR_SHA256_SIZE], uint64_t *ret_size)
{
    struct hr_project *p = user;
    size_t kept = p->env.errors.count;
    struct hr_stat st;

    if (p->ahead || !hr_text_eq(type, "PushedModel") ||
        OS(&p->env, stat, path, false, &st) < 0 || !st.is_file || st.size < HR_PACKAGE_LARGE)
        return false;
    if (pack_ahead(p, path, name) < 0) {
        hr_errors_cut(&p->env, kept);
        hr_ahead_drop(p);
        return false;
    }
    memcpy(ret, p->ahead->digest, HR_SHA256_SIZE);
    *ret_size = p->ahead->size;
    return true;
}
