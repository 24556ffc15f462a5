/* sink.h - private to registry: a file that is written from its start to its end, in blocks.
 *
 * A large one goes to the disk past the page cache: it has to be there before anybody is told of
 * it, and a copy in the cache would cost more than compressing and digesting it.  Full blocks are
 * written by a thread that waits for the disk and takes no core, while others are filled.
 */
#ifndef HR_REGISTRY_SINK_H
#define HR_REGISTRY_SINK_H

#include <pthread.h>

#include "base/base.h"

struct hr_sink {
    struct hr_env *env;
    char *path;
    int fd;
    uint64_t size; /* of what was added */
    char *memory, *blocks; /* one block behind another, aligned */
    size_t filled;         /* bytes of the block that is next */
    size_t next;           /* number of that block */
    bool tried, direct;    /* past the page cache; the thread's while it runs */
    bool threaded;
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    size_t full;       /* blocks before the next one that are not written yet */
    bool last;         /* no more will come */
    hr_status written; /* how writing went so far */
};

enum hr_sink_from {
    HR_SINK_NEW,   /* a new file, or one that becomes empty */
    HR_SINK_START, /* over the beginning of one that is there; what lies behind stays */
    HR_SINK_END    /* behind all of one that is there */
};

/* On failure there is nothing to close. */
hr_status hr_sink_open(struct hr_sink *s, struct hr_env *env, const char *path,
                       enum hr_sink_from from);
hr_status hr_sink_add(struct hr_sink *s, const void *bytes, size_t n);

/* Write what is left; nothing is added then.  Not synced. */
hr_status hr_sink_flush(struct hr_sink *s);

/* Close and free; what was not flushed is lost.  The code of closing.  A sink that is all zeros
 * is allowed. */
hr_status hr_sink_close(struct hr_sink *s);

#endif
