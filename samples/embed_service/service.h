/* service.h - what the parts of embed_service share.
 *
 *     main.c     options, signals, and the watch over the model that is meant
 *     lane.c     threads that answer: sockets, lines, answers
 *     text.c     bytes that grow
 *
 * How a version is swapped: only the main thread uses the project, so it alone opens models and
 * closes them.  Each lane has a handle of its own on the model, and asks with no other.  For a
 * new version, the main thread opens a handle for each lane and leaves it there; the lane takes
 * it between two requests, and gives the old one back, to be closed.  So no request waits while
 * a model is loaded, none sees half of a swap, and a version is closed when the last request
 * that used it has been answered.
 */
#ifndef EMBED_SERVICE_H
#define EMBED_SERVICE_H

#include <headrace/headrace.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    MAX_LANES = 64,
    MAX_CLIENTS = 256,       /* of a lane */
    MAX_LINE = 1 << 20,      /* a longer request is refused, and its client let go */
    MAX_UNREAD = 4 * 1048576 /* of answers that a client does not read; then we read no more */
};

/* -- text.c ------------------------------------------------------------------- */

struct text {
    char *bytes;
    size_t n, cap;
    bool bad; /* there was no memory: what was added since is lacking */
};

void text_add(struct text *t, const char *bytes, size_t n);
void text_put(struct text *t, const char *words);
void text_json(struct text *t, const char *words); /* in quotes, as JSON has it */
void text_cut(struct text *t, size_t n);           /* the first n bytes */
void text_clear(struct text *t);

/* -- lane.c ------------------------------------------------------------------- */

/* One lane's handle on one version of the model. */
struct handle {
    hr_model *model;
    char version[128];
    struct handle *next; /* in a list of those that were given back */
};

struct client {
    int fd; /* -1: none */
    bool ended; /* it sends no more: what is left is to be written */
    struct text in, out;
};

struct lane {
    pthread_t thread;
    int listener, wake[2]; /* a pipe: something was left for the lane */
    struct handle *current;
    struct client clients[MAX_CLIENTS];
    pthread_mutex_t lock; /* of what follows */
    struct handle *left, *back;
    bool stop;
};

/* False: there is no such thing to be had; errno tells. */
bool lane_start(struct lane *lane, int listener, struct handle *first);
/* Leave it a handle to go on with, or NULL: it is to stop. */
void lane_leave(struct lane *lane, struct handle *h);
/* Handles that it needs no more, as a list. */
struct handle *lane_back(struct lane *lane);
/* Wait for the end of a lane that was told to stop.  Returns all handles that it still has. */
struct handle *lane_join(struct lane *lane);

#endif
