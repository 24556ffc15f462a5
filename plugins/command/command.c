/* Command - a program as a node: started, watched, and its ending told. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "headrace/easy.h"

#define PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

enum { TRY_AGAIN = 75, POLL_MS = 50, NO_EXEC = 127 };

struct command {
    struct hr_env env;
    struct hr_arena arena;
    const struct hr_easy *easy;
    hr_run *run;
    char **words, **variables; /* ended by NULL */
};

/* -- words ----------------------------------------------------------------- */

/* A word that names something beside the pipeline's file is that file, wherever this runs. */
static const char *beside(struct command *c, const char *word, bool first)
{
    const char *dir = c->easy->run->prop_text(c->run, "directory");
    char path[HR_MAX_PATH];
    struct stat s;

    if (!*word || *word == '-' || *word == '/' || (first && !strchr(word, '/')) ||
        hr_path_join(&c->env, dir, word, path) < 0 || stat(path, &s) < 0)
        return word;
    return hr_arena_text(&c->arena, path);
}

static hr_status read_words(struct command *c)
{
    const char *json = c->easy->run->prop_text(c->run, "command");
    const struct hr_json *w;
    struct hr_json_doc *doc;
    struct hr_buf word;
    hr_status r = hr_json_parse(&c->env, "command", json, strlen(json), 0, &doc);
    size_t n = 0;

    if (r < 0)
        return r;
    hr_buf_of(&word, HR_MAX_JSON_BYTES, &c->env);
    c->words = hr_arena_array(&c->arena, hr_json_count(hr_json_root(doc)) + 1, sizeof *c->words);
    r = c->words ? HR_OK : HR_EXHAUSTED;
    for (w = hr_json_first(hr_json_root(doc)); w && r == HR_OK; w = hr_json_next(w), n++) {
        hr_buf_cut(&word, 0);
        if (hr_json_text(w))
            r = hr_buf_text(&word, beside(c, hr_json_text(w), n == 0));
        else /* an expression that gave a number */
            r = hr_json_print(doc, w, false, &word);
        if (r == HR_OK && !(c->words[n] = hr_arena_text(&c->arena, word.text ? word.text : "")))
            r = HR_EXHAUSTED;
    }
    hr_buf_clear(&word);
    hr_json_free(doc);
    return r;
}

/* -- variables ------------------------------------------------------------- */

/* A text stands for itself, anything else for its JSON. */
static char *variable(struct command *c, const char *name, const char *json)
{
    struct hr_json_doc *doc;
    char *text = NULL;

    if (json[0] != '"')
        return hr_arena_format(&c->arena, "%s=%s", name, json);
    if (hr_json_parse(&c->env, name, json, strlen(json), 0, &doc) < 0)
        return NULL;
    text = hr_arena_format(&c->arena, "%s=%s", name, hr_json_text(hr_json_root(doc)));
    hr_json_free(doc);
    return text;
}

static hr_status read_variables(struct command *c)
{
    const hr_run_1 *rt = c->easy->run;
    const char *json = rt->prop_text(c->run, "environment"), *tmp = rt->tmp_dir(c->run);
    const struct hr_json *m;
    struct hr_json_doc *doc;
    hr_status r = hr_json_parse(&c->env, "environment", json, strlen(json), 0, &doc);
    char **v;
    size_t n = 0;

    if (r < 0)
        return r;
    v = c->variables =
        hr_arena_array(&c->arena, hr_json_count(hr_json_root(doc)) + 5, sizeof *c->variables);
    if (v) {
        v[n++] = hr_arena_text(&c->arena, "PATH=" PATH);
        v[n++] = hr_arena_text(&c->arena, "LANG=C.UTF-8");
        v[n++] = hr_arena_format(&c->arena, "HOME=%s", tmp);
        v[n++] = hr_arena_format(&c->arena, "TMPDIR=%s", tmp);
        for (m = hr_json_first(hr_json_root(doc)); m; m = hr_json_next(m))
            v[n++] = variable(c, hr_json_text(m), rt->prop_text(c->run, hr_json_text(m)));
        while (n && v[n - 1])
            n--;
    }
    hr_json_free(doc);
    return v && !n ? HR_OK : HR_EXHAUSTED;
}

/* -- the process ----------------------------------------------------------- */

/* In the child, between fork and exec: only what may be called there. */
static void become(const struct command *c, const char *dir)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGXFSZ, SIG_DFL); /* which the worker ignores */
    signal(SIGXCPU, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    if (null >= 0)
        dup2(null, STDIN_FILENO);
    if (chdir(dir) == 0)
        execvpe(c->words[0], c->words, c->variables);
    _exit(NO_EXEC);
}

/* Until it has ended, or is to stop: a program that is asked to stop is killed. */
static hr_status await(struct command *c, pid_t pid, int *ret_status)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd p = { fd, POLLIN, 0 };
    hr_status r = HR_OK;
    pid_t got;

    while ((got = waitpid(pid, ret_status, WNOHANG)) == 0 || (got < 0 && errno == EINTR)) {
        if (r == HR_OK && c->easy->progress && c->easy->progress->cancelled(c->run)) {
            kill(pid, SIGKILL);
            r = HR_CANCELLED;
            if (fd < 0)
                break;
        }
        poll(&p, fd >= 0, POLL_MS);
    }
    if (fd >= 0)
        close(fd);
    return r;
}

static hr_status judge(struct command *c, int status)
{
    hr_status code = HR_INTERNAL;
    const char *text;

    if (WIFEXITED(status) && !WEXITSTATUS(status))
        return HR_OK;
    if (WIFSIGNALED(status)) {
        text = hr_arena_format(&c->arena, "the command \"%s\" was ended by signal %d (%s)",
                               c->words[0], WTERMSIG(status), strsignal(WTERMSIG(status)));
    } else if (WEXITSTATUS(status) == NO_EXEC) {
        code = HR_INVALID;
        text = hr_arena_format(&c->arena, "the command \"%s\" could not be started, or ended with "
                                          "status 127: is it installed, and in %s?",
                               c->words[0], PATH);
    } else {
        code = WEXITSTATUS(status) == TRY_AGAIN ? HR_UNAVAILABLE : HR_INTERNAL;
        text = hr_arena_format(&c->arena, "the command \"%s\" ended with status %d", c->words[0],
                               WEXITSTATUS(status));
    }
    return c->easy->run->fail(c->run, code, text ? text : "no memory");
}

static hr_status execute(struct command *c)
{
    const char *dir = c->easy->run->tmp_dir(c->run);
    int status = 0;
    hr_status r = read_words(c);
    pid_t pid;

    if (r == HR_OK)
        r = read_variables(c);
    if (r < 0)
        return r;
    pid = fork();
    if (pid == 0)
        become(c, dir);
    if (pid < 0)
        return c->easy->run->fail(c->run, HR_EXHAUSTED, "no process could be started");
    r = await(c, pid, &status);
    return r < 0 ? r : judge(c, status);
}

static hr_status run_command(void *self, hr_run *run)
{
    struct command c = { .easy = self, .run = run };
    hr_status r;

    hr_env_init(&c.env, NULL);
    hr_arena_init(&c.arena, &c.env, 0);
    r = execute(&c);
    if (r < 0 && c.env.errors.count)
        c.easy->run->fail(run, r, hr_env_error(&c.env));
    hr_arena_clear(&c.arena);
    hr_env_clear(&c.env);
    return r;
}

static const hr_executor_1 hooks = { hr_easy_make, run_command, free };
static const hr_offer executor = HR_OFFER(HR_EXECUTOR, &hooks);

static const hr_property command =
    HR_PROPERTY(HR_JSON, "command", NULL, NULL, "The words: a program and its arguments.");
static const hr_property directory =
    HR_PROPERTY(HR_STRING, "directory", ".", NULL,
                "Where words that name files look for them; made by the host.");
static const hr_property environment = HR_PROPERTY(
    HR_JSON, "environment", "[]", NULL, "Properties that become variables; made by the host.");

static const hr_component component = {
    .struct_size = sizeof component,
    .flags = HR_COMPONENT_PROCESS,
    .id = "org.headrace.command.Command",
    .version = "0.1.0",
    .doc = "Runs a program; a node with \"command\" is one of these.",
    .inputs = HR_LIST(hr_port, NULL),
    .outputs = HR_LIST(hr_port, NULL),
    .properties = HR_LIST(hr_property, &command, &directory, &environment),
    .needs = HR_IDS(HR_RUN),
    .uses = HR_IDS(HR_PROGRESS),
    .offers = HR_LIST(hr_offer, &executor),
};

HR_PLUGIN("org.headrace.command", "0.1.0", &component);
