/* process.h - a hook that runs.
 *
 * The host spawns the worker program, gives it the .so files as sealed copies and a job as
 * JSON, and reads what comes back: log lines, progress, lines that the plugin printed, one
 * result.  With HR_ISOLATE_NONE the same code runs on a thread of this process, behind the
 * same socket.
 *
 * Descriptors of a worker: 0 /dev/null, 1 and 2 pipes, 3 the control socket, 4 the job, from
 * 5 on the .so files.  A message on the socket is one packet of at most 64 KiB:
 *
 *     L level text        a log line
 *     P done total unit   progress, two doubles and a text
 *     W text              the walls that stand, told once, before the .so is loaded
 *     R text              the result, JSON; or with an empty text and a descriptor, in a memfd
 *
 * From the host: C asks to cancel.  Both ends are of one build; this is no interface.
 */
#ifndef HR_PROCESS_H
#define HR_PROCESS_H

#include "plugin/crew.h"
#include "plugin/info.h"
#include "plugin/zygote.h"

enum { HR_WORKER_SOCKET = 3, HR_WORKER_JOB = 4, HR_WORKER_PLUGINS = 5, HR_MAX_PACKET = 65536 };

/* The worker's one argument where it is not to work but to be copied (zygote.h). */
#define HR_WORKER_ZYGOTE "zygote"

struct hr_process;

/* The worker's own code, to be run on a thread: it answers on socket as the program does.  *cancel
 * is set where that is sent C. */
typedef void hr_in_process(int socket, const char *job, size_t job_size,
                           const struct hr_plugin_info *const *plugins, size_t plugin_count,
                           volatile int32_t *cancel);

struct hr_process_config {
    const char *worker;                          /* the program; NULL: a thread of this process */
    struct hr_zygote *zygote;                    /* what it is copied from; NULL: it is spawned */
    hr_in_process *in_process;                   /* what that thread runs, */
    struct hr_crew *crew;                        /* and whose it is */
    const struct hr_plugin_info *const *plugins; /* the first has the component; the others
                                                  * load models */
    size_t plugin_count;
    const char *job;
    size_t job_size;
    int watch; /* a watch of the OS table that gets the descriptors; -1: none */
};

enum hr_message_kind {
    HR_MESSAGE_NONE, /* nothing now */
    HR_MESSAGE_LOG,
    HR_MESSAGE_PROGRESS,
    HR_MESSAGE_PRINT, /* a line on stdout (level HR_INFO) or stderr (HR_WARN) */
    HR_MESSAGE_WALLS,
    HR_MESSAGE_RESULT,
    HR_MESSAGE_END /* the last: status and text say how, where there was no result */
};

struct hr_message {
    enum hr_message_kind kind;
    hr_level level;
    const char *text; /* until the next call */
    double done, total;
};

/* HR_DATA_LOSS: a .so is not what its manifest was made of. */
hr_status hr_process_start(struct hr_env *env, const struct hr_process_config *config,
                           struct hr_process **ret);

/* What has come; never waits. */
hr_status hr_process_read(struct hr_process *process, struct hr_message *ret);

/* Ask it to stop; a second stage ends it by SIGTERM, a third by SIGKILL, with all that it
 * started in its process group.  A thread can only be asked. */
enum { HR_STOP_ASK = 0, HR_STOP_TERM = 1, HR_STOP_KILL = 2 };
void hr_process_stop(struct hr_process *process, int stage);

/* How it ended, after HR_MESSAGE_END: "" for a clean exit; else "ended by signal 11 (SIGSEGV)",
 * "exited with status 3 without a result". */
const char *hr_process_ending(const struct hr_process *process);
int hr_process_signal(const struct hr_process *process); /* 0: none */

/* Kills it if it still runs.  NULL is allowed. */
void hr_process_free(struct hr_process *process);

/* A sealed copy of the .so, by its digest.  HR_DATA_LOSS: it is another by now. */
hr_status hr_plugin_copy(struct hr_env *env, const struct hr_plugin_info *plugin, int *ret);

/* Run a worker to its end and give what it printed; for manifests.  HR_INVALID: told. */
hr_status hr_process_manifest(struct hr_env *env, const char *worker, const char *path,
                              struct hr_buf *ret);

#endif
