/* A lane: one thread, its clients, and one handle on the model. */
#include "service.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* -- what the main thread leaves ------------------------------------------------ */

void lane_leave(struct lane *lane, struct handle *h)
{
    pthread_mutex_lock(&lane->lock);
    if (!h)
        lane->stop = true;
    if (h && lane->left) { /* it was not taken: a newer version has come */
        lane->left->next = lane->back;
        lane->back = lane->left;
    }
    if (h)
        lane->left = h;
    pthread_mutex_unlock(&lane->lock);
    if (write(lane->wake[1], "", 1) < 0)
        return; /* the pipe is full: the lane has been woken */
}

struct handle *lane_back(struct lane *lane)
{
    struct handle *back;

    pthread_mutex_lock(&lane->lock);
    back = lane->back;
    lane->back = NULL;
    pthread_mutex_unlock(&lane->lock);
    return back;
}

/* Between two requests: go on with what was left.  False: stop. */
static bool look(struct lane *lane)
{
    bool stop;

    pthread_mutex_lock(&lane->lock);
    if (lane->left) {
        lane->current->next = lane->back;
        lane->back = lane->current;
        lane->current = lane->left;
        lane->left = NULL;
    }
    stop = lane->stop;
    pthread_mutex_unlock(&lane->lock);
    return !stop;
}

/* -- answers -------------------------------------------------------------------- */

static void put_version(struct text *out, const struct handle *h)
{
    text_put(out, "{\"version\": ");
    text_json(out, h->version);
}

static void put_error(struct text *out, const struct handle *h, const char *error)
{
    put_version(out, h);
    text_put(out, ", \"error\": ");
    text_json(out, error);
    text_put(out, "}\n");
}

/* One request, a line without its end: a row or a list of rows. */
static void answer(struct lane *lane, struct client *c, char *line, size_t n)
{
    const char *rows = NULL;

    look(lane);
    line[n] = '\0';
    if (strlen(line) != n) {
        put_error(&c->out, lane->current, "a request is a line of JSON, and this has a NUL in it");
    } else if (hr_model_predict_json(lane->current->model, line, &rows) < 0) {
        put_error(&c->out, lane->current, hr_model_error(lane->current->model));
    } else {
        put_version(&c->out, lane->current);
        text_put(&c->out, ", \"rows\": ");
        text_put(&c->out, rows);
        text_put(&c->out, "}\n");
    }
}

static void answer_lines(struct lane *lane, struct client *c)
{
    size_t done = 0;
    char *end;

    while (done < c->in.n && (end = memchr(c->in.bytes + done, '\n', c->in.n - done))) {
        char *line = c->in.bytes + done;

        if (end > line)
            answer(lane, c, line, (size_t)(end - line));
        done = (size_t)(end - c->in.bytes) + 1;
    }
    if (done)
        text_cut(&c->in, done);
    if (c->in.n > MAX_LINE) {
        put_error(&c->out, lane->current, "a request has 1 MiB at most");
        text_clear(&c->in);
        c->ended = true;
    }
}

/* -- clients -------------------------------------------------------------------- */

static void let_go(struct client *c)
{
    close(c->fd);
    text_clear(&c->in);
    text_clear(&c->out);
    c->fd = -1;
}

/* What has come, answered.  False: nothing has. */
static bool read_some(struct lane *lane, struct client *c)
{
    char bytes[65536];
    ssize_t n = recv(c->fd, bytes, sizeof bytes, 0);

    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return false;
    if (n <= 0) {
        c->ended = true;
        return false;
    }
    text_add(&c->in, bytes, (size_t)n);
    answer_lines(lane, c);
    return true;
}

static void write_some(struct client *c)
{
    ssize_t n = c->out.n ? send(c->fd, c->out.bytes, c->out.n, MSG_NOSIGNAL) : 0;

    if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
        let_go(c);
        return;
    }
    if (n > 0)
        text_cut(&c->out, (size_t)n);
    if (c->in.bad || c->out.bad || (c->ended && !c->out.n))
        let_go(c);
}

static struct client *empty_place(struct lane *lane)
{
    int i;

    for (i = 0; i < MAX_CLIENTS; i++)
        if (lane->clients[i].fd < 0)
            return &lane->clients[i];
    return NULL;
}

/* False: nobody waits, or another lane was faster. */
static bool accept_one(struct lane *lane)
{
    struct client *c = empty_place(lane);
    int fd = c ? accept(lane->listener, NULL, NULL) : -1;

    if (fd < 0)
        return false;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    c->fd = fd;
    c->ended = false;
    return true;
}

/* -- the thread ----------------------------------------------------------------- */

static nfds_t watch(struct lane *lane, struct pollfd *fds, struct client **who)
{
    nfds_t n = 2;
    int i;

    fds[0] = (struct pollfd){ .fd = lane->wake[0], .events = POLLIN };
    fds[1] = (struct pollfd){ .fd = empty_place(lane) ? lane->listener : -1, .events = POLLIN };
    for (i = 0; i < MAX_CLIENTS; i++) {
        struct client *c = &lane->clients[i];
        bool more = !c->ended && c->out.n < MAX_UNREAD;

        if (c->fd < 0)
            continue;
        who[n] = c;
        fds[n++] = (struct pollfd){ .fd = c->fd,
                                    .events = (short)((more ? POLLIN : 0) |
                                                      (c->out.n ? POLLOUT : 0)) };
    }
    return n;
}

/* The end: what has come until now is answered, and clients get some seconds to read it. */
static void finish(struct lane *lane)
{
    int i, rounds, left = 1;

    while (accept_one(lane))
        ;
    for (i = 0; i < MAX_CLIENTS; i++)
        if (lane->clients[i].fd >= 0) {
            while (read_some(lane, &lane->clients[i]))
                ;
            lane->clients[i].ended = true;
        }
    for (rounds = 0; rounds < 300 && left; rounds++) {
        left = 0;
        for (i = 0; i < MAX_CLIENTS; i++)
            if (lane->clients[i].fd >= 0) {
                write_some(&lane->clients[i]);
                left += lane->clients[i].fd >= 0;
            }
        if (left)
            poll(NULL, 0, 10);
    }
    for (i = 0; i < MAX_CLIENTS; i++)
        if (lane->clients[i].fd >= 0)
            let_go(&lane->clients[i]);
}

static void *live(void *user)
{
    struct pollfd fds[MAX_CLIENTS + 2];
    struct client *who[MAX_CLIENTS + 2];
    struct lane *lane = user;
    char woken[64];
    nfds_t n, i;

    while (look(lane)) {
        n = watch(lane, fds, who);
        if (poll(fds, n, -1) < 0)
            continue;
        if (fds[0].revents && read(lane->wake[0], woken, sizeof woken) < 0)
            continue;
        for (i = 2; i < n; i++) {
            if (fds[i].revents & (POLLIN | POLLHUP | POLLERR))
                read_some(lane, who[i]);
            if (who[i]->out.n || who[i]->ended)
                write_some(who[i]);
        }
        if (fds[1].revents)
            accept_one(lane);
    }
    finish(lane);
    return NULL;
}

bool lane_start(struct lane *lane, int listener, struct handle *first)
{
    int i, e;

    lane->listener = listener;
    lane->current = first;
    for (i = 0; i < MAX_CLIENTS; i++)
        lane->clients[i].fd = -1;
    if (pipe(lane->wake) < 0)
        return false;
    for (i = 0; i < 2; i++) {
        fcntl(lane->wake[i], F_SETFD, FD_CLOEXEC);
        fcntl(lane->wake[i], F_SETFL, O_NONBLOCK);
    }
    pthread_mutex_init(&lane->lock, NULL);
    if ((e = pthread_create(&lane->thread, NULL, live, lane)) != 0) {
        pthread_mutex_destroy(&lane->lock);
        close(lane->wake[0]);
        close(lane->wake[1]);
        errno = e;
    }
    return e == 0;
}

struct handle *lane_join(struct lane *lane)
{
    pthread_join(lane->thread, NULL);
    lane->current->next = lane->back;
    lane->back = lane->current;
    if (lane->left) {
        lane->left->next = lane->back;
        lane->back = lane->left;
    }
    pthread_mutex_destroy(&lane->lock);
    close(lane->wake[0]);
    close(lane->wake[1]);
    return lane->back;
}
