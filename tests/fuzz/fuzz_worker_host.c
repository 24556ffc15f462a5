/* What a worker sends, read by its host; the result is taken as that of a node, and as a
 * manifest.
 *
 * The input is records: a byte says where, two how long (the least first), then the bytes.
 * 0 a packet on the socket; 1 and 2 what is printed; 3 a packet with a descriptor, of a memfd
 * that holds the bytes; 4 the worker ends, with its status.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "plugin/process.h"
#include "run/task.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SOCKET = 100, OUT, ERR, PIDFD, PASSED, OTHER };
enum { PACKET, PRINT_OUT, PRINT_ERR, PACKET_FD, END, KINDS };

/* A twin of the OS table with a worker whose side is the input. */
struct twin {
    struct hr_os os;
    const uint8_t *p, *end;
    const uint8_t *memfd; /* of the packet that was received last */
    size_t memfd_size;
    int kind; /* of the first record; -1: there is none */
    size_t n;
    int pipes, open;
    bool ended;
};

static void next(struct twin *t)
{
    t->kind = -1;
    t->n = 0;
    if (t->end - t->p < 3)
        return;
    t->kind = t->p[0] % KINDS;
    t->n = (size_t)t->p[1] | (size_t)t->p[2] << 8;
    t->p += 3;
    if (t->n > (size_t)(t->end - t->p))
        t->n = (size_t)(t->end - t->p);
}

static void skip(struct twin *t, size_t n)
{
    t->p += n;
    t->n -= n;
    if (!t->n)
        next(t);
}

static int twin_socketpair(void *user, int ret[2])
{
    ret[0] = SOCKET;
    ret[1] = OTHER;
    ((struct twin *)user)->open += 2;
    return 0;
}

static int twin_pipe(void *user, int ret[2])
{
    struct twin *t = user;

    ret[0] = OUT + t->pipes++;
    ret[1] = OTHER;
    t->open += 2;
    return 0;
}

static int twin_memfd(void *user, const char *name)
{
    (void)name;
    ((struct twin *)user)->open++;
    return OTHER;
}

static int twin_seal(void *user, int fd)
{
    (void)user, (void)fd;
    return 0;
}

static int64_t twin_write(void *user, int fd, const void *from, size_t n)
{
    (void)user, (void)fd, (void)from;
    return (int64_t)n;
}

static int twin_close(void *user, int fd)
{
    (void)fd;
    ((struct twin *)user)->open--;
    return 0;
}

static int twin_spawn(void *user, const struct hr_spawn *spawn, int *ret_pidfd)
{
    (void)spawn;
    ((struct twin *)user)->open++;
    *ret_pidfd = PIDFD;
    return 1 << 30;
}

static int twin_kill(void *user, int pid, int signal, bool group)
{
    (void)pid, (void)signal, (void)group;
    ((struct twin *)user)->ended = true;
    return 0;
}

static int twin_wait(void *user, int pid, int *ret_status)
{
    struct twin *t = user;

    (void)pid;
    *ret_status = 0;
    if (t->kind == END) {
        *ret_status = t->n ? t->p[0] << 8 & 0x7f00 : 11;
        t->ended = true;
        skip(t, t->n);
    }
    return t->ended || t->kind < 0;
}

static int64_t twin_recv(void *user, int fd, void *to, size_t n, int *ret_fd)
{
    struct twin *t = user;

    (void)fd;
    if (t->kind != PACKET && t->kind != PACKET_FD)
        return t->kind < 0 ? 0 : -EAGAIN;
    if (t->kind == PACKET) {
        n = n < t->n ? n : t->n;
        memcpy(to, t->p, n);
        skip(t, t->n);
        return (int64_t)n;
    }
    *(char *)to = 'R';
    t->memfd = t->p;
    t->memfd_size = t->n;
    t->open++;
    *ret_fd = PASSED;
    skip(t, t->n);
    return 1;
}

static int64_t twin_read(void *user, int fd, void *to, size_t n)
{
    struct twin *t = user;

    if (t->kind != PRINT_OUT + (fd - OUT))
        return t->kind < 0 ? 0 : -EAGAIN;
    n = n < t->n ? n : t->n;
    memcpy(to, t->p, n);
    skip(t, n);
    return n ? (int64_t)n : -EAGAIN;
}

static int twin_fstat(void *user, int fd, struct hr_stat *ret)
{
    (void)fd;
    *ret = (struct hr_stat){ .size = ((struct twin *)user)->memfd_size, .is_file = true };
    return 0;
}

static int64_t twin_pread(void *user, int fd, void *to, size_t n, uint64_t at)
{
    struct twin *t = user;

    (void)fd, (void)at;
    if (n)
        memcpy(to, t->memfd, n);
    return (int64_t)n;
}

static void twin_init(struct twin *t, const uint8_t *data, size_t size)
{
    *t = (struct twin){ .os = *hr_os_default(), .p = data, .end = data + size };
    t->os.user = t;
    t->os.socketpair = twin_socketpair;
    t->os.pipe = twin_pipe;
    t->os.nonblock = twin_seal;
    t->os.memfd = twin_memfd;
    t->os.seal = twin_seal;
    t->os.write = twin_write;
    t->os.close = twin_close;
    t->os.spawn = twin_spawn;
    t->os.kill = twin_kill;
    t->os.wait = twin_wait;
    t->os.recv = twin_recv;
    t->os.read = twin_read;
    t->os.fstat = twin_fstat;
    t->os.pread = twin_pread;
    next(t);
}

static void take(struct hr_env *env, const char *text)
{
    struct hr_runner runner = { .env = env };
    struct hr_node node = { .name = "n" };
    struct hr_task_artifact artifact = { .id = 1 };
    struct hr_task_channel output = { .key = "out", .artifacts = &artifact, .count = 1 };
    struct hr_task task = { .node = &node, .name = "n", .outputs = &output, .output_count = 1 };
    struct hr_plugin_info info;
    int32_t verdict;

    hr_arena_init(&task.arena, env, 1 << 26);
    if (hr_task_result(&runner, &task, text, &verdict) < 0 && !env->errors.count)
        abort(); /* a refusal has a reason */
    hr_task_text(&task, "summary");
    hr_manifest_read(env, "m", text, &task.arena, &info);
    hr_arena_clear(&task.arena);
}

static void listen_to(struct hr_env *env, struct twin *t, struct hr_process *p)
{
    volatile size_t said = 0;
    const uint8_t *before;
    struct hr_message m;

    do {
        before = t->p;
        if (hr_process_read(p, &m) < 0)
            abort();
        if (m.kind == HR_MESSAGE_RESULT)
            take(env, m.text);
        else if (m.kind == HR_MESSAGE_NONE && t->p == before && t->kind >= 0)
            skip(t, t->n); /* a print that nobody reads any more */
        else
            said = said + strlen(m.text ? m.text : "");
    } while (m.kind != HR_MESSAGE_END);
    said = said + strlen(hr_process_ending(p));
    hr_process_signal(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct twin twin;
    struct hr_env_config config = { .os = &twin.os, .threads = 1 };
    struct hr_process_config start = { .worker = "w", .job = "{}", .job_size = 2, .watch = -1 };
    struct hr_process *p = NULL;
    struct hr_env env;

    twin_init(&twin, data, size);
    hr_env_init(&env, &config);
    if (hr_process_start(&env, &start, &p) < 0)
        abort();
    listen_to(&env, &twin, p);
    hr_process_free(p);
    if (twin.open)
        abort(); /* a descriptor is lost */
    hr_env_clear(&env);
    return 0;
}
