#include "registry/sink.h"

#include <string.h>

#define OS(env, call, ...) (env)->os->call((env)->os->user, __VA_ARGS__)

enum { BLOCK = 1 << 21, BLOCKS = 4, ALIGNED = 4096, MEMORY = BLOCKS * BLOCK + ALIGNED };

hr_status hr_sink_open(struct hr_sink *s, struct hr_env *env, const char *path,
                       enum hr_sink_from from)
{
    static const int flags[] = { HR_OPEN_CREATE | HR_OPEN_TRUNCATE, 0, HR_OPEN_APPEND };
    int e;

    *s = (struct hr_sink){ .env = env, .fd = -1, .tried = from != HR_SINK_NEW };
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    s->path = hr_mem_text(env, path);
    s->memory = s->path ? hr_mem_resize(env, NULL, 0, MEMORY) : NULL;
    if (!s->memory) {
        hr_sink_close(s);
        return HR_EXHAUSTED;
    }
    s->blocks = s->memory + (ALIGNED - (uintptr_t)s->memory % ALIGNED);
    s->fd = e = OS(env, open, path, HR_OPEN_WRITE | flags[from], 0644);
    if (e < 0) {
        hr_sink_close(s);
        return hr_fail_os(env, e, "write", path);
    }
    return HR_OK;
}

/* -- full blocks ----------------------------------------------------------- */

/* Write the first full block past the cache, and go on so if that went well: a small file is
 * not worth it, and not every file system has it.  False: nothing was written that counts. */
static bool go_direct(struct hr_sink *s, const char *block)
{
    int fd = OS(s->env, open, s->path, HR_OPEN_WRITE | HR_OPEN_DIRECT, 0);

    s->tried = true;
    if (fd < 0)
        return false;
    if (OS(s->env, write, fd, block, BLOCK) != BLOCK) {
        OS(s->env, close, fd); /* the other writes from the start, and tells what is wrong */
        return false;
    }
    OS(s->env, close, s->fd);
    s->fd = fd;
    return s->direct = true;
}

static hr_status write_block(struct hr_sink *s, size_t i)
{
    const char *block = s->blocks + i * BLOCK;

    if (!s->tried && go_direct(s, block))
        return HR_OK;
    return hr_fd_write(s->env, s->fd, s->path, block, BLOCK);
}

/* After a failure blocks are taken and dropped, so that nobody waits for ever. */
static void *write_full(void *arg)
{
    struct hr_sink *s = arg;
    hr_status r = HR_OK;
    size_t i = 0;

    pthread_mutex_lock(&s->lock);
    for (;;) {
        while (!s->full && !s->last)
            pthread_cond_wait(&s->changed, &s->lock);
        if (!s->full)
            break;
        pthread_mutex_unlock(&s->lock);
        if (r == HR_OK)
            r = write_block(s, i);
        i = (i + 1) % BLOCKS;
        pthread_mutex_lock(&s->lock);
        s->full--;
        s->written = r;
        pthread_cond_broadcast(&s->changed);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* Give the block to the thread, and wait until another one is free. */
static hr_status hand_over(struct hr_sink *s)
{
    hr_status r;

    pthread_mutex_lock(&s->lock);
    s->full++;
    pthread_cond_broadcast(&s->changed);
    while (s->full == BLOCKS)
        pthread_cond_wait(&s->changed, &s->lock);
    r = s->written;
    pthread_mutex_unlock(&s->lock);
    s->next = (s->next + 1) % BLOCKS;
    return r;
}

static hr_status end_block(struct hr_sink *s)
{
    s->filled = 0;
    if (!s->threaded && s->env->threads > 1)
        s->threaded = !pthread_create(&s->thread, NULL, write_full, s);
    return s->threaded ? hand_over(s) : write_block(s, 0);
}

static hr_status end_thread(struct hr_sink *s)
{
    if (s->threaded) {
        pthread_mutex_lock(&s->lock);
        s->last = true;
        pthread_cond_broadcast(&s->changed);
        pthread_mutex_unlock(&s->lock);
        pthread_join(s->thread, NULL);
    }
    s->threaded = false;
    return s->written;
}

/* -- bytes ----------------------------------------------------------------- */

hr_status hr_sink_add(struct hr_sink *s, const void *bytes, size_t n)
{
    const char *p = bytes;
    hr_status r = HR_OK;

    s->size += n;
    while (n && r == HR_OK) {
        size_t part = BLOCK - s->filled < n ? BLOCK - s->filled : n;

        memcpy(s->blocks + s->next * BLOCK + s->filled, p, part);
        s->filled += part;
        p += part;
        n -= part;
        if (s->filled == BLOCK)
            r = end_block(s);
    }
    return r;
}

/* The last block: a whole number of the disk's, and what is too much cut off again. */
hr_status hr_sink_flush(struct hr_sink *s)
{
    hr_status r = end_thread(s);
    char *block = s->blocks + s->next * BLOCK;
    size_t n = s->filled, more = s->direct ? (ALIGNED - n % ALIGNED) % ALIGNED : 0;
    int e;

    if (r < 0)
        return r;
    memset(block + n, 0, more);
    r = hr_fd_write(s->env, s->fd, s->path, block, n + more);
    s->filled = 0;
    if (r == HR_OK && more && (e = OS(s->env, truncate, s->fd, s->size)) < 0)
        r = hr_fail_os(s->env, e, "write", s->path);
    return r;
}

hr_status hr_sink_close(struct hr_sink *s)
{
    hr_status r = HR_OK;
    int e;

    if (!s->env)
        return r;
    end_thread(s);
    if (s->fd >= 0 && (e = OS(s->env, close, s->fd)) < 0)
        r = hr_fail_os(s->env, e, "close", s->path);
    hr_mem_put(s->env, s->memory, MEMORY);
    hr_mem_text_put(s->env, s->path);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->changed);
    *s = (struct hr_sink){ 0 };
    return r;
}
