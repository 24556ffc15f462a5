/* The registry is a shared object of its own, since what it links costs every start of a
 * program; it is loaded here when a package is touched for the first time. */
#include <dlfcn.h>
#include <string.h>

#include "host/package.h"

hr_status hr_host_registry(struct hr_project *p, const struct hr_registry_1 **ret)
{
    void *so = dlopen(p->where.registry, RTLD_NOW | RTLD_LOCAL);

    if (!so)
        return hr_fail(&p->env, HR_NOT_FOUND, "the registry cannot be loaded: %s", dlerror());
    *ret = dlsym(so, "hr_registry_v1");
    return *ret ? HR_OK
                : hr_fail(&p->env, HR_INVALID, "\"%s\" is not the registry", p->where.registry);
}

/* -- files that nobody else reads ---------------------------------------------- */

#define OS(env, call, ...) (env)->os->call((env)->os->user, __VA_ARGS__)

hr_status hr_host_private_dir(struct hr_project *p, char ret[HR_MAX_PATH])
{
    const char *tmp = OS(&p->env, getenv, "TMPDIR");
    uint64_t chance = 0;
    struct hr_buf name;
    hr_status r;
    int e;

    OS(&p->env, random, &chance, sizeof chance);
    hr_buf_of(&name, HR_MAX_PATH - 1, &p->env);
    r = hr_buf_format(&name, "%s/headrace-%016llx", tmp && tmp[0] == '/' ? tmp : "/tmp",
                      (unsigned long long)chance);
    if (r == HR_OK)
        memcpy(ret, name.text, name.len + 1);
    hr_buf_clear(&name);
    if (r < 0)
        return hr_fail(&p->env, HR_INVALID, "the name of the temporary directory is too long");
    e = OS(&p->env, mkdir, ret, 0700);
    return e < 0 ? hr_fail_os(&p->env, e, "make the directory", ret) : HR_OK;
}

hr_status hr_host_copy(struct hr_project *p, const char *from, const char *to)
{
    struct hr_out *out = NULL;
    struct hr_map map;
    hr_status r = hr_file_map(&p->env, from, &map);

    if (r < 0)
        return r;
    r = hr_out_open(&p->env, to, &out);
    if (r == HR_OK)
        r = hr_out_add(out, map.data, map.size);
    if (r == HR_OK)
        r = hr_out_close(out, true);
    else
        hr_out_drop(out);
    hr_file_unmap(&p->env, &map);
    return r;
}

hr_status hr_host_secret(struct hr_project *p, const char *path, const char *bytes, size_t n)
{
    int fd = OS(&p->env, open, path, HR_OPEN_WRITE | HR_OPEN_CREATE | HR_OPEN_EXCLUSIVE, 0600);
    int64_t w;
    int e;

    if (fd < 0)
        return hr_fail_os(&p->env, fd, "write", path);
    w = OS(&p->env, write, fd, bytes, n);
    e = w < 0 ? (int)w : w < (int64_t)n ? -5 : OS(&p->env, sync, fd);
    OS(&p->env, close, fd);
    if (e == 0)
        return HR_OK;
    OS(&p->env, unlink, path);
    return hr_fail_os(&p->env, e, "write", path);
}
