/* The worker's program: descriptors as plugin/process.h lays them out, no arguments; or as a
 * zygote, from which the host copies its workers, with no job yet.
 *
 * A hook has ended when the process has; nothing that the plugin left behind - destructors,
 * threads, functions for exit() - runs after it.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/worker/worker.h"

enum { MAX_PLUGINS = 11 };

#if defined(HR_SANITIZED)
void __lsan_do_leak_check(void) __attribute__((weak));
#endif

static bool read_job(struct hr_env *env, struct hr_buf *to)
{
    struct hr_stat st;
    char *p;

    return env->os->fstat(env->os->user, HR_WORKER_JOB, &st) == 0 &&
           st.size < HR_MAX_JSON_BYTES && hr_buf_room(to, (size_t)st.size, &p) == HR_OK &&
           env->os->pread(env->os->user, HR_WORKER_JOB, p, (size_t)st.size, 0) ==
               (int64_t)st.size;
}

static void digest_of(struct hr_env *env, int fd, char hex[HR_SHA256_HEX])
{
    uint8_t digest[HR_SHA256_SIZE];
    const void *p = "";
    struct hr_stat st;

    hex[0] = '\0';
    if (env->os->fstat(env->os->user, fd, &st) < 0 || !st.size ||
        env->os->map(env->os->user, fd, (size_t)st.size, &p) < 0)
        return;
    hr_sha256(p, (size_t)st.size, digest);
    hr_sha256_hex(digest, hex);
    env->os->unmap(env->os->user, p, (size_t)st.size);
}

/* One worker's life.  The status of the process is 0 also where the hook has failed: that is told
 * in its result. */
static int work(const struct hr_walls *walls)
{
    struct hr_worker_start start = { .socket = HR_WORKER_SOCKET, .walls = walls };
    struct hr_worker_source sources[MAX_PLUGINS];
    char paths[MAX_PLUGINS][32], digest[HR_SHA256_HEX];
    struct hr_env env;
    struct hr_buf job;
    size_t n = 0;
    int fd;

    signal(SIGXFSZ, SIG_IGN);
    signal(SIGXCPU, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    umask(022);
    hr_env_init(&env, NULL);
    hr_buf_of(&job, HR_MAX_JSON_BYTES, &env);
    if (!read_job(&env, &job)) {
        fprintf(stderr, "headrace-worker: started by headrace itself, not by hand\n");
        return 2;
    }
    for (fd = HR_WORKER_PLUGINS; n < MAX_PLUGINS && fcntl(fd, F_GETFD) >= 0; fd++, n++) {
        snprintf(paths[n], sizeof paths[n], "/proc/self/fd/%d", fd);
        sources[n] = (struct hr_worker_source){ .path = paths[n] };
    }
    if (strstr(job.text, "\"manifest\"") && n) { /* only a manifest names the digest */
        digest_of(&env, HR_WORKER_PLUGINS, digest);
        sources[0].digest = digest;
    }
    start.job = job.text;
    start.job_size = job.len;
    start.sources = sources;
    start.source_count = n;
    hr_worker_serve(&start);
    hr_buf_clear(&job);
    hr_env_clear(&env);
    fflush(NULL);
#if defined(HR_SANITIZED)
    if (__lsan_do_leak_check)
        __lsan_do_leak_check();
#endif
    return 0;
}

int main(int argc, char **argv)
{
    struct hr_walls walls;

    hr_worker_walls_of_all(&walls);
    if (argc == 2 && !strcmp(argv[1], HR_WORKER_ZYGOTE)) {
        int copied = hr_os_zygote(HR_WORKER_SOCKET, HR_WALLS_FDS);

        if (copied <= 0)
            _exit(copied ? 1 : 0);
    }
    _exit(work(&walls));
}
