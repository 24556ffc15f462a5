/* embed_service - answers rows with a model, on a Unix socket, and follows its alias.
 *
 *     embed_service [-C DIR] [-t TRUST] [-j LANES] MODEL SOCKET
 *
 * MODEL is one of the registry of the project in DIR - "penguin@production", and whatever that
 * alias means later; "penguin", the newest; "penguin@7" - or a package, penguin-7.hrp, which is
 * verified against TRUST, a trust.json, or that of the project.  README.md has the protocol.
 */
#include "service.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { LOOK_EVERY_MS = 100 };

struct service {
    hr_project *p;
    const char *dir, *trust, *model, *path;
    int lane_count, listener;
    struct lane *lanes;
    char version[128]; /* what the lanes were given last */
    char said[1024];   /* the trouble that was told last */
};

static int stopping[2]; /* a pipe: the signal handler writes, the main thread reads */

static void on_signal(int number)
{
    int kept = errno;

    (void)number;
    if (write(stopping[1], "", 1) < 0)
        errno = 0; /* it is full: that is as good */
    errno = kept;
}

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "embed_service: %s%s%s\n", what, *why ? ": " : "", why);
    return 1;
}

/* Trouble while it serves: told once, and the version of until now goes on. */
static void tell(struct service *s, const char *why)
{
    if (strncmp(s->said, why, sizeof s->said - 1) != 0)
        fail("going on with the version of until now", why);
    snprintf(s->said, sizeof s->said, "%s", why);
}

/* -- which version is meant ------------------------------------------------------ */

static bool is_package(const char *model)
{
    size_t n = strlen(model);

    return n > 4 && !strcmp(model + n - 4, ".hrp");
}

/* The column "version" of the newest row; "": there is none. */
static hr_status version_of(struct service *s, const char *what, const char *filter, char *ret,
                            size_t n)
{
    hr_cursor *c = NULL;
    hr_status r = hr_query_newest(s->p, what, filter, 1, &c);
    const char *version = NULL;

    if (r == HR_OK && hr_cursor_next(c) > 0)
        version = hr_cursor_text(c, "version");
    snprintf(ret, n, "%s", version ? version : "");
    hr_cursor_free(c);
    return r;
}

static hr_status version_now(struct service *s, char *ret, size_t n)
{
    const char *at = strchr(s->model, '@');
    int name = at ? (int)(at - s->model) : (int)strlen(s->model);
    char filter[512] = "";
    hr_status r = HR_OK;

    if (is_package(s->model)) {
        snprintf(ret, n, "%s", s->model);
        return HR_OK;
    }
    *ret = '\0';
    if (at) {
        snprintf(filter, sizeof filter, "model = %.*s and alias = %s", name, s->model, at + 1);
        r = version_of(s, "aliases", filter, ret, n);
    }
    if (r < 0 || *ret)
        return r;
    snprintf(filter, sizeof filter, "model = %.*s%s%s", name, s->model,
             at ? " and version = " : "", at ? at + 1 : "");
    return version_of(s, "models", filter, ret, n);
}

/* -- handles ---------------------------------------------------------------------- */

static struct handle *open_handle(struct service *s, const char *version)
{
    const char *at = strchr(s->model, '@');
    int name = at ? (int)(at - s->model) : (int)strlen(s->model);
    struct handle *h = calloc(1, sizeof *h);
    char what[512];

    snprintf(what, sizeof what, "%.*s@%s", name, s->model, version);
    if (!h || hr_model_open(s->p, is_package(s->model) ? s->model : what, NULL, &h->model) < 0) {
        free(h);
        return NULL;
    }
    snprintf(h->version, sizeof h->version, "%s", version);
    return h;
}

static void close_handle(struct handle *h)
{
    hr_model_close(h->model);
    free(h);
}

/* A handle for each lane, or none for any. */
static bool open_all(struct service *s, const char *version, struct handle **ret)
{
    int i, k;

    for (i = 0; i < s->lane_count; i++)
        if (!(ret[i] = open_handle(s, version))) {
            for (k = 0; k < i; k++) /* no call on the project: its error is told by the caller */
                close_handle(ret[k]);
            return false;
        }
    return true;
}

static void close_handles(int lane, struct handle *h)
{
    struct handle *next;

    for (; h; h = next) {
        next = h->next;
        fprintf(stderr, "lane %d: version %s closed\n", lane, h->version);
        close_handle(h);
    }
}

static void close_old(struct service *s)
{
    int i;

    for (i = 0; i < s->lane_count; i++)
        close_handles(i, lane_back(&s->lanes[i]));
}

/* -- serving ---------------------------------------------------------------------- */

static void follow(struct service *s)
{
    struct handle *handles[MAX_LANES];
    char version[sizeof s->version];
    int i;

    if (version_now(s, version, sizeof version) < 0) {
        tell(s, hr_error(s->p));
        return;
    }
    if (!*version) {
        tell(s, "the alias means nothing by now");
        return;
    }
    if (!strcmp(version, s->version))
        return;
    if (!open_all(s, version, handles)) {
        tell(s, hr_error(s->p));
        return;
    }
    fprintf(stderr, "serving version %s, after %s\n", version, s->version);
    memcpy(s->version, version, sizeof version);
    for (i = 0; i < s->lane_count; i++)
        lane_leave(&s->lanes[i], handles[i]);
}

static void serve(struct service *s)
{
    struct pollfd fd = { .fd = stopping[0], .events = POLLIN };

    while (poll(&fd, 1, LOOK_EVERY_MS) <= 0 || !(fd.revents & POLLIN)) {
        close_old(s);
        if (!is_package(s->model))
            follow(s);
    }
}

/* -- the socket --------------------------------------------------------------------- */

/* What a dead service has left behind is removed; a living one keeps its place. */
static int listen_at(const char *path, int *ret)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0), made;

    if (fd < 0 || strlen(path) >= sizeof at.sun_path)
        return fail(path, fd < 0 ? strerror(errno) : "the name is too long for a socket");
    memcpy(at.sun_path, path, strlen(path) + 1);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0) {
        close(fd);
        return fail(path, "another service answers there");
    }
    if (errno == ECONNREFUSED)
        unlink(path);
    umask(077); /* who may ask is who may open the socket */
    made = bind(fd, (struct sockaddr *)&at, sizeof at);
    if (made < 0 || listen(fd, 128) < 0) {
        made = fail(path, strerror(errno));
        close(fd);
        return made;
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    *ret = fd;
    return 0;
}

static void end(struct service *s)
{
    int i;

    unlink(s->path); /* nobody comes any more; who has come gets his answers */
    for (i = 0; i < s->lane_count; i++)
        lane_leave(&s->lanes[i], NULL);
    for (i = 0; i < s->lane_count; i++)
        close_handles(i, lane_join(&s->lanes[i]));
    close(s->listener);
}

static int start(struct service *s)
{
    struct handle *handles[MAX_LANES];
    int started = 0, i, code = 0;

    if (version_now(s, s->version, sizeof s->version) < 0)
        return fail(hr_error(s->p), "");
    if (!*s->version)
        return fail(s->model, "there is no such model or alias");
    if (!open_all(s, s->version, handles))
        return fail(hr_error(s->p), "");
    code = listen_at(s->path, &s->listener);
    while (!code && started < s->lane_count)
        if (lane_start(&s->lanes[started], s->listener, handles[started]))
            started++;
        else
            code = fail("starting a thread", strerror(errno));
    for (i = started; i < s->lane_count; i++)
        close_handle(handles[i]);
    s->lane_count = started;
    if (!code) {
        fprintf(stderr, "serving version %s on %s\n", s->version, s->path);
        serve(s);
    }
    if (s->listener >= 0)
        end(s);
    return code;
}

static void catch_signals(void)
{
    struct sigaction action = { .sa_handler = on_signal };

    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
}

static int read_options(struct service *s, int argc, char **argv)
{
    int c;

    while ((c = getopt(argc, argv, "C:t:j:")) != -1)
        if (c == 'C')
            s->dir = optarg;
        else if (c == 't')
            s->trust = optarg;
        else if (c == 'j')
            s->lane_count = atoi(optarg);
        else
            return 2;
    if (argc - optind != 2 || s->lane_count < 1 || s->lane_count > MAX_LANES)
        return 2;
    s->model = argv[optind];
    s->path = argv[optind + 1];
    return 0;
}

int main(int argc, char **argv)
{
    struct service s = { .lane_count = 2, .listener = -1 };
    hr_config config = { .struct_size = sizeof config };
    int code = read_options(&s, argc, argv);

    if (code) {
        fprintf(stderr, "usage: embed_service [-C DIR] [-t TRUST] [-j LANES] MODEL SOCKET\n");
        return code;
    }
    config.trust = s.trust;
    if (pipe(stopping) < 0 || fcntl(stopping[1], F_SETFL, O_NONBLOCK) < 0)
        return fail("a pipe", strerror(errno));
    catch_signals();
    s.lanes = calloc((size_t)s.lane_count, sizeof *s.lanes);
    s.p = hr_new(&config);
    if (!s.lanes || !s.p)
        code = fail("no memory", "");
    /* A package needs no project, but is judged by the trust.json of one that is named. */
    else if ((s.dir || !is_package(s.model)) && hr_open(s.p, s.dir ? s.dir : ".", 0) < 0)
        code = fail(hr_error(s.p), "");
    else
        code = start(&s);
    hr_free(s.p);
    free(s.lanes);
    return code;
}
