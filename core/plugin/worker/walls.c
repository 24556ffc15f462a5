/* The walls of a worker, in the order in which they go up; each that the kernel lacks is
 * named in the text, and later ones do not depend on it.
 *
 *     of all       no core, open files, and first to go when the machine has no memory left;
 *                  no_new_privs and no capabilities; seccomp: calls that no component needs.
 *                  A zygote has them for all its copies
 *     of one job   memory by RLIMIT_DATA (RLIMIT_AS would refuse to map large inputs)
 *     Landlock     files by path; numbers of the kernel's interface up to ABI 7 are our own,
 *                  since older headers lack the later ones
 *     seccomp      calls that it did not ask for, and those on others than itself
 *
 * The kernel runs each filter once for every call that there is when it is installed, so the long
 * one is that of all.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fcntl.h>

#include "plugin/worker/state.h"

/* -- Landlock -------------------------------------------------------------- */

enum {
    FS_EXECUTE = 1 << 0,
    FS_WRITE_FILE = 1 << 1,
    FS_READ_FILE = 1 << 2,
    FS_READ_DIR = 1 << 3,
    FS_DEVICES = 1 << 6 | 1 << 11, /* making character and block devices */
    FS_ALL_1 = (1 << 13) - 1,
    FS_REFER = 1 << 13,    /* ABI 2 */
    FS_TRUNCATE = 1 << 14, /* ABI 3 */
    FS_IOCTL_DEV = 1 << 15, /* ABI 5 */
    NET_ALL = 3,           /* ABI 4: bind, connect */
    SCOPE_ALL = 3,         /* ABI 6: abstract sockets, signals */
    ON_FILES = FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV,
    READ = FS_READ_FILE | FS_READ_DIR,
    LANDLOCK_CREATE = 444, /* system calls, equal on all architectures */
    LANDLOCK_ADD = 445,
    LANDLOCK_RESTRICT = 446
};

struct ruleset {
    uint64_t fs, net, scoped;
};

struct beneath {
    uint64_t access;
    int32_t fd;
} __attribute__((packed));

/* What every job may read, and run if it may run anything; /dev/null it may write. */
static const char *const system_paths[HR_WALLS_PATHS] = {
    "/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/ssl", "/etc/localtime", "/proc/cpuinfo",
    "/proc/meminfo", "/sys/devices/system/cpu", "/dev/urandom", "/dev/null"
};
enum { DEV_NULL = 10 };

/* Path lookups are a good part of what a short job costs, so they are made once for all. */
static void open_paths(struct hr_walls *walls)
{
    struct stat st;
    int i, low;

    for (i = 0; i < HR_WALLS_PATHS; i++) {
        low = open(system_paths[i], O_PATH | O_CLOEXEC);
        walls->paths[i].fd = low < 0 ? -1 : fcntl(low, F_DUPFD_CLOEXEC, HR_WALLS_FDS);
        walls->paths[i].is_dir = low >= 0 && fstat(low, &st) == 0 && S_ISDIR(st.st_mode);
        if (low >= 0)
            close(low);
    }
}

static int allow_open(int ruleset, uint64_t handled, int fd, bool is_dir, uint64_t access)
{
    struct beneath rule = { access & handled & (is_dir ? ~UINT64_C(0) : (uint64_t)ON_FILES), fd };

    return (int)syscall(LANDLOCK_ADD, ruleset, 1, &rule, 0);
}

static int allow(int ruleset, uint64_t handled, const char *path, uint64_t access)
{
    int fd = open(path, O_PATH | O_CLOEXEC), r;
    struct stat st;

    if (fd < 0)
        return 0; /* what is not there needs no rule */
    r = allow_open(ruleset, handled, fd, fstat(fd, &st) < 0 || S_ISDIR(st.st_mode), access);
    close(fd);
    return r;
}

static int allow_system(int ruleset, uint64_t handled, const struct hr_walls *all, bool run)
{
    uint64_t read = READ | (run ? FS_EXECUTE : 0), access;
    int i, r = 0;

    for (i = 0; i < HR_WALLS_PATHS; i++) {
        access = i == DEV_NULL ? FS_READ_FILE | FS_WRITE_FILE | FS_TRUNCATE : read;
        if (all->paths[i].fd < 0)
            r |= allow(ruleset, handled, system_paths[i], access);
        else
            r |= allow_open(ruleset, handled, all->paths[i].fd, all->paths[i].is_dir, access);
    }
    return r | allow(ruleset, handled, "/proc/self", read);
}

static int allow_paths(int ruleset, uint64_t handled, const struct hr_job *job)
{
    uint64_t write = handled & ~(uint64_t)(FS_EXECUTE | FS_DEVICES | FS_IOCTL_DEV);
    const char *const *p;
    int r = 0;
    size_t i, k;

    for (p = job->walls.read; *p; p++)
        r |= allow(ruleset, handled, *p, READ);
    for (p = job->walls.write; *p; p++)
        r |= allow(ruleset, handled, *p, write);
    for (i = 0; i < job->port_count; i++) {
        const struct hr_job_port *port = &job->ports[i];
        bool may_write = port->output && job->hook == HR_HOOK_RUN;

        for (k = 0; k < port->count; k++)
            if (port->artifacts[k].uri)
                r |= allow(ruleset, handled, port->artifacts[k].uri, may_write ? write : READ);
        if (port->base && may_write)
            r |= allow(ruleset, handled, port->base, write);
    }
    if (job->tmp)
        r |= allow(ruleset, handled, job->tmp, write);
    if (job->state && job->hook == HR_HOOK_RUN)
        r |= allow(ruleset, handled, job->state, write);
    return r;
}

/* The ABI of Landlock that stands now, 0 for none. */
static int landlock(const struct hr_job *job, const struct hr_walls *all)
{
    int abi = (int)syscall(LANDLOCK_CREATE, NULL, 0, 1), fd;
    struct ruleset set = { .fs = FS_ALL_1 };
    size_t size = 8;

    if (abi < 1)
        return 0;
    if (abi >= 2)
        set.fs |= FS_REFER;
    if (abi >= 3)
        set.fs |= FS_TRUNCATE;
    if (abi >= 4) {
        size = 16;
        set.net = job->walls.network ? 0 : NET_ALL;
    }
    if (abi >= 5)
        set.fs |= FS_IOCTL_DEV;
    if (abi >= 6) {
        size = 24;
        set.scoped = SCOPE_ALL;
    }
    fd = (int)syscall(LANDLOCK_CREATE, &set, size, 0);
    if (fd < 0)
        return 0;
    if (allow_system(fd, set.fs, all, job->walls.process) < 0 ||
        allow_paths(fd, set.fs, job) < 0 || syscall(LANDLOCK_RESTRICT, fd, 0) < 0)
        abi = 0;
    close(fd);
    return abi;
}

/* -- seccomp --------------------------------------------------------------- */

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#define ARCH 0
#endif

enum { PROGRAM = 256, MOST_FILES = 8192 };

struct program {
    struct sock_filter code[PROGRAM];
    unsigned short n;
};

static void add(struct program *p, uint16_t code, uint8_t yes, uint8_t no, uint32_t k)
{
    if (p->n < PROGRAM)
        p->code[p->n++] = (struct sock_filter){ code, yes, no, k };
}

static void load(struct program *p, size_t offset)
{
    add(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}

static void give(struct program *p, uint32_t what)
{
    add(p, BPF_RET | BPF_K, 0, 0, what);
}

static void deny(struct program *p, long number, int error)
{
    if (number < 0)
        return;
    add(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, (uint32_t)number);
    give(p, SECCOMP_RET_ERRNO | (uint32_t)error);
}

/* Allowed where an argument is own, or 0 where that means the caller; EPERM else. */
static void only_own(struct program *p, long number, int argument, uint32_t own, bool zero_too)
{
    add(p, BPF_JMP | BPF_JEQ | BPF_K, 0, zero_too ? 5 : 4, (uint32_t)number);
    load(p, offsetof(struct seccomp_data, args) + (size_t)argument * sizeof(uint64_t));
    if (zero_too)
        add(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 0);
    add(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, own);
    give(p, SECCOMP_RET_ALLOW);
    give(p, SECCOMP_RET_ERRNO | EPERM);
}

/* Opening for reading cannot cut a file off.  Landlock sees to it from its ABI 3 on. */
static void no_cutting(struct program *p, long number, int argument)
{
    if (number < 0)
        return;
    add(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 5, (uint32_t)number);
    load(p, offsetof(struct seccomp_data, args) + (size_t)argument * sizeof(uint64_t));
    add(p, BPF_JMP | BPF_JSET | BPF_K, 0, 2, O_TRUNC);
    add(p, BPF_JMP | BPF_JSET | BPF_K, 1, 0, O_ACCMODE);
    give(p, SECCOMP_RET_ERRNO | EACCES);
    give(p, SECCOMP_RET_ALLOW);
}

static void deny_cutting(struct program *p)
{
    deny(p, SYS_truncate, EACCES);
    deny(p, SYS_openat2, ENOSYS); /* its flags lie in memory; callers fall back to openat */
    no_cutting(p, SYS_openat, 2);
#if defined(__x86_64__)
    no_cutting(p, SYS_open, 1);
#endif
}

#if !defined(HR_SANITIZED)
static void only_threads(struct program *p)
{
    add(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 4, SYS_clone);
    load(p, offsetof(struct seccomp_data, args[0]));
    add(p, BPF_JMP | BPF_JSET | BPF_K, 0, 1, CLONE_THREAD);
    give(p, SECCOMP_RET_ALLOW);
    give(p, SECCOMP_RET_ERRNO | EPERM);
}
#endif

static void deny_always(struct program *p)
{
    static const long calls[] = {
        SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_bpf, SYS_kexec_load, SYS_keyctl,
        SYS_add_key, SYS_request_key, SYS_perf_event_open, SYS_userfaultfd, SYS_init_module,
        SYS_finit_module, SYS_delete_module, SYS_io_uring_setup, SYS_io_uring_enter,
        SYS_io_uring_register, SYS_fchown, SYS_fchownat, SYS_setxattr, SYS_lsetxattr,
        SYS_fsetxattr, SYS_removexattr, SYS_lremovexattr, SYS_fremovexattr, SYS_reboot, SYS_swapon,
        SYS_swapoff, SYS_setns, SYS_unshare, SYS_acct, SYS_settimeofday, SYS_clock_settime,
        SYS_sethostname, SYS_setdomainname, SYS_process_vm_readv, SYS_process_vm_writev,
        SYS_pidfd_getfd, SYS_kcmp,
        /* what stays when the process is gone, or belongs to others */
        SYS_shmget, SYS_shmat, SYS_shmctl, SYS_semget, SYS_semop, SYS_semtimedop, SYS_semctl,
        SYS_msgget, SYS_msgsnd, SYS_msgrcv, SYS_msgctl, SYS_mq_open, SYS_mq_unlink,
        SYS_setsid,
#if defined(__x86_64__)
        SYS_chown, SYS_lchown, SYS_iopl, SYS_ioperm,
#endif
#if !defined(HR_SANITIZED)
        SYS_ptrace, /* a leak check stops its own threads by it */
#endif
    };
    size_t i;

    for (i = 0; i < sizeof calls / sizeof calls[0]; i++)
        deny(p, calls[i], EPERM);
}

/* From its ABI 6 on Landlock lets a process signal those behind the same walls and nobody else,
 * itself and its children; only the signal to all, which it would let pass with no effect, is
 * refused here.  Before that nobody can tell a child from a stranger by its number: the worker may
 * signal itself and its group, and what it has started may signal that group, but not itself by
 * number. */
static void limit_signals(struct program *p, int landlock_abi)
{
    static const long others[] = { SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo,
                                   SYS_pidfd_send_signal, SYS_tkill };
    uint32_t own = (uint32_t)getpid();
    size_t i;

    if (landlock_abi < 6) {
        for (i = 0; i < sizeof others / sizeof others[0]; i++)
            deny(p, others[i], EPERM);
        only_own(p, SYS_tgkill, 0, own, false);
    }
    add(p, BPF_JMP | BPF_JEQ | BPF_K, 0, landlock_abi < 6 ? 6 : 4, SYS_kill);
    load(p, offsetof(struct seccomp_data, args[0]));
    if (landlock_abi < 6) {
        add(p, BPF_JMP | BPF_JEQ | BPF_K, 3, 0, own);
        add(p, BPF_JMP | BPF_JEQ | BPF_K, 2, 0, 0);
        add(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 0 - own);
    } else {
        add(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, (uint32_t)-1);
    }
    give(p, SECCOMP_RET_ERRNO | EPERM);
    give(p, SECCOMP_RET_ALLOW);
}

static void deny_processes(struct program *p)
{
    deny(p, SYS_execve, EPERM);
    deny(p, SYS_execveat, EPERM);
#if !defined(HR_SANITIZED)
#if defined(__x86_64__)
    deny(p, SYS_fork, EPERM);
    deny(p, SYS_vfork, EPERM);
#endif
    deny(p, SYS_clone3, ENOSYS); /* its flags lie in memory; callers fall back to clone */
    only_threads(p);
#endif
}

static bool install(struct program *p)
{
    struct sock_fprog prog;

    give(p, SECCOMP_RET_ALLOW);
    prog = (struct sock_fprog){ p->n, p->code };
    return ARCH && p->n < PROGRAM &&
           syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &prog) == 0;
}

static bool seccomp_of_all(void)
{
    struct program p = { .n = 0 };

    load(&p, offsetof(struct seccomp_data, arch));
    add(&p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, ARCH);
    give(&p, SECCOMP_RET_KILL_PROCESS);
    load(&p, offsetof(struct seccomp_data, nr));
#if defined(__x86_64__)
    add(&p, BPF_JMP | BPF_JGE | BPF_K, 0, 1, 0x40000000); /* x32 */
    give(&p, SECCOMP_RET_ERRNO | EPERM);
#endif
    deny_always(&p);
    return install(&p);
}

/* On top of that of all, which has looked at the architecture. */
static bool seccomp_of_job(const struct hr_job *job, int landlock_abi)
{
    struct program p = { .n = 0 };

    load(&p, offsetof(struct seccomp_data, nr));
    /* The group of processes is killed at the end: nobody leaves it.  A copy of a zygote has
     * made its own by now. */
    deny(&p, SYS_setpgid, EPERM);
    if (!job->walls.network)
        deny(&p, SYS_socket, EPERM);
    if (!job->walls.process)
        deny_processes(&p);
    if (landlock_abi < 3)
        deny_cutting(&p);
    limit_signals(&p, landlock_abi);
    only_own(&p, SYS_prlimit64, 0, (uint32_t)getpid(), true);
    only_own(&p, SYS_setpriority, 1, (uint32_t)getpid(), true);
    return install(&p);
}

/* -- the rest -------------------------------------------------------------- */

/* If memory runs out, it is a worker that the kernel ends, not a host or a neighbour. */
static void offer_to_die(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    if (write(fd, "500", 3) < 0) {
        /* the wall of memory stands without it */
    }
    close(fd);
}

static void limits(void)
{
    struct rlimit none = { 0, 0 }, files;

    setrlimit(RLIMIT_CORE, &none);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_max > MOST_FILES) {
        files.rlim_cur = files.rlim_max = MOST_FILES; /* the table of all belongs to all */
        setrlimit(RLIMIT_NOFILE, &files);
    }
    offer_to_die();
}

static void limit_memory(const struct hr_job *job)
{
#if !defined(HR_SANITIZED)
    if (job->walls.memory > 0) {
        struct rlimit data = { (rlim_t)job->walls.memory, (rlim_t)job->walls.memory };

        setrlimit(RLIMIT_DATA, &data);
    }
#else
    (void)job; /* sanitizers reserve terabytes */
#endif
}

static bool drop_capabilities(void)
{
    struct {
        uint32_t version;
        int pid;
    } header = { 0x20080522, 0 };
    struct {
        uint32_t effective, permitted, inheritable;
    } none[2] = { { 0, 0, 0 }, { 0, 0, 0 } };
    int i;

    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    for (i = 0; i < 64 && prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++) /* those that there are */
        prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
    return syscall(SYS_capset, &header, none) == 0;
}

void hr_worker_walls_of_all(struct hr_walls *ret)
{
    limits();
    open_paths(ret);
    ret->capabilities = drop_capabilities();
    ret->no_new_privs = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
    ret->seccomp = seccomp_of_all();
}

hr_status hr_worker_walls(struct hr_env *env, const struct hr_job *job, const struct hr_walls *all,
                          char *text, size_t n)
{
    bool privs = all->no_new_privs, caps = all->capabilities, calls;
    int files;

    limit_memory(job);
    files = landlock(job, all);
    close_range(HR_WALLS_FDS, ~0U, 0);
    calls = seccomp_of_job(job, files) && all->seccomp;
    snprintf(text, n, "%s%s%s%s", privs ? "no_new_privs" : "-no_new_privs",
             caps ? " capabilities" : " -capabilities", files ? " landlock" : " -landlock",
             calls ? " seccomp" : " -seccomp");
    if (files)
        snprintf(text + strlen(text), n - strlen(text), " landlock_abi=%d", files);
    if (job->walls.required && (!privs || !caps || !files || !calls))
        return hr_fail(env, HR_PRECONDITION,
                       "the sandbox is not whole on this system (%s; - marks what lacks); run with"
                       " --sandbox best to go on with what there is",
                       text);
    return HR_OK;
}
