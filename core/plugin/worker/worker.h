/* worker.h - the face of the worker: runs one hook of one component.
 *
 * The program (main.c) puts up the walls, then calls hr_worker_serve(); a host that runs
 * plugins in its own process calls hr_worker_in_process() on a thread, without walls.  Both
 * talk over the socket that plugin/process.h describes.
 *
 *     job.h      the job, from JSON           values.h   properties, set and got
 *     channel.h  messages to the host         state.h    one worker: what the rest shares
 *     run.c      hr.run/1                     host.c     get_interface, hr.log, hr.progress
 *     table.c    hr.table/1, by core/data     flows.c    hr.flow/1, by core/flow
 *     models.c   hr.models/1                  walls.c    limits, Landlock, seccomp
 *     load.c     the .so                      serve.c    the hook, from begin to result
 *     behind.h   what a hook has left running
 *     watch.h    the host, which may cancel or die
 *     resident.h a model that stays loaded in a host
 */
#ifndef HR_WORKER_H
#define HR_WORKER_H

#include "plugin/process.h"
#include "plugin/worker/resident.h"

/* What the worker is told to load: descriptors of .so files, or tables linked in. */
struct hr_worker_source {
    const char *path;       /* for dlopen(); NULL: linked */
    const hr_plugin *linked;
    const char *digest;     /* NULL: not told */
};

/* The walls that do not depend on a job, as they stand; and the paths of the system that every job
 * may read, open from HR_WALLS_FDS on until its walls are up. */
enum { HR_WALLS_FDS = 64, HR_WALLS_PATHS = 11 };

struct hr_walls {
    bool no_new_privs, capabilities, seccomp;
    struct {
        int fd; /* -1: it is not there, or there may be no descriptor so high */
        bool is_dir;
    } paths[HR_WALLS_PATHS];
};

struct hr_worker_start {
    int socket;
    const char *job;
    size_t job_size;
    const struct hr_worker_source *sources;
    size_t source_count;
    const struct hr_walls *walls; /* the process is a worker's own, behind them; NULL: not so */
    volatile int32_t *cancel;     /* then: set by who asks to cancel; NULL: nobody does */
};

/* Put up those walls, for this process and its children. */
void hr_worker_walls_of_all(struct hr_walls *ret);

/* Run the job to its end and send the result. */
void hr_worker_serve(const struct hr_worker_start *start);

/* hr_in_process of plugin/process.h. */
void hr_worker_in_process(int socket, const char *job, size_t job_size,
                          const struct hr_plugin_info *const *plugins, size_t plugin_count,
                          volatile int32_t *cancel);

#endif
