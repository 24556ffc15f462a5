#include <cjson/cJSON.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/draw.h"
#include "cli/options.h"
#include "cli/view.h"

/* What a signal handler can reach. */
static hr_job *volatile running;
static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
    if (running)
        hr_cancel(running);
}

struct runner {
    const char *file; /* NULL: a run is resumed */
    const char *resumed;
    bool json, quiet, no_color, strict, refused;
    struct term term;
    char name[64], model[160]; /* for the last line */
    char *failed;              /* what failed first: "node: text" */
    int64_t failed_execution;
};

/* Node names in graph order, from the normalized pipeline; the tree holds the texts. */
static cJSON *read_nodes(hr_project *p, const struct runner *r, const char *options,
                         const char ***ret, size_t *ret_n)
{
    const char *normal = NULL;
    cJSON *root, *nodes, *node;
    size_t n = 0;

    if (hr_normalize(p, r->file, options, &normal) < 0 || !(root = parse_json(normal)))
        return NULL;
    nodes = cJSON_GetObjectItemCaseSensitive(root, "nodes");
    *ret = calloc((size_t)cJSON_GetArraySize(nodes) + 1, sizeof **ret);
    for (node = nodes && *ret ? nodes->child : NULL; node; node = node->next)
        (*ret)[n++] = node->string;
    *ret_n = n;
    return root;
}

static void remember(struct runner *r, const hr_event *e)
{
    size_t n;

    if (e->kind == HR_EVENT_GATE)
        r->refused = r->refused || e->status < 0;
    if (e->kind == HR_EVENT_FINISHED && e->component && strstr(e->component, ".Pusher") &&
        e->text && strstr(e->text, "registry ")) {
        n = strcspn(strstr(e->text, "registry ") + 9, " ");
        if (n < sizeof r->model)
            memcpy(r->model, strstr(e->text, "registry ") + 9, n); /* zeroed, so it has an end */
    }
    if (e->kind == HR_EVENT_FAILED && !r->failed) {
        n = strlen(e->node) + strlen(e->text) + 3;
        if ((r->failed = malloc(n)))
            snprintf(r->failed, n, "%s: %s", e->node, e->text);
        r->failed_execution = e->execution;
    }
}

static void print_end(const struct runner *r, const hr_event *e, const char *packages)
{
    char took[32], line[512];

    format_duration(e->duration_us, took, sizeof took);
    if (r->failed) {
        fflush(stdout);
        fputc('\n', stderr);
        put_shown(stderr, r->failed);
        fputc('\n', stderr);
        if (r->failed_execution)
            fprintf(stderr, "the log: headrace log %lld\n", (long long)r->failed_execution);
    }
    snprintf(line, sizeof line, "%s in %s: %s.%s%s",
             e->status == HR_OK          ? "done"
             : e->status == HR_CANCELLED ? "interrupted"
                                         : "failed",
             took, e->text, r->model[0] ? "    next: headrace show " : "", r->model);
    if (text_width(line) > r->term.width)
        put_wrapped(stdout, line, 2, r->term.width);
    else
        puts(line);
    if (*packages) {
        snprintf(line, sizeof line, "plugins from packages: %s", packages);
        put_wrapped(stdout, line, 2, r->term.width);
    }
}

static int exit_of(const struct runner *r, hr_status status)
{
    if (interrupted)
        return EXIT_INTERRUPTED;
    if (status < 0)
        return EXIT_WRONG;
    return r->strict && r->refused ? EXIT_GATE : EXIT_DONE;
}

/* Said in the end even where nothing else is. */
static void tell_failure(const char *who, const char *text)
{
    fprintf(stderr, "%s: ", who);
    put_shown(stderr, text);
    fputc('\n', stderr);
}

static int follow(hr_job *job, struct runner *r, struct view *view)
{
    const hr_event *e;
    hr_status status = HR_INTERNAL; /* until the end is told */
    int32_t got;

    while ((got = hr_next(job, 1000, &e)) != 0) {
        if (got < 0)
            continue;
        remember(r, e);
        if (e->kind == HR_EVENT_DONE)
            status = e->status;
        if (r->json) {
            puts(hr_job_event_json(job, e));
            fflush(stdout);
        } else if (view) {
            view_event(view, e);
            if (e->kind == HR_EVENT_DONE)
                print_end(r, e, hr_job_packages(job));
        } else if (e->kind == HR_EVENT_FAILED) {
            tell_failure(e->node, e->text);
        } else if (e->kind == HR_EVENT_DONE && e->status < 0 && !r->failed && !interrupted) {
            tell_failure("the run", e->text); /* no node has said why */
        }
    }
    return exit_of(r, status);
}

static void catch_signals(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = interrupt;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static void print_title(const struct runner *r, const cJSON *root, const hr_job *job)
{
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "name"));

    printf("%s%s%s  run %lld%s\n", color(&r->term, "bold"), name ? name : hr_job_run(job),
           color(&r->term, "off"), (long long)hr_job_number(job),
           r->file ? "" : ", which resumes an earlier one");
}

static int run_file(hr_project *p, struct runner *r, const char *options)
{
    bool shown = !r->json && !r->quiet;
    hr_status status;
    const char **nodes = NULL;
    struct view *view = NULL;
    cJSON *root = NULL;
    hr_job *job = NULL;
    size_t n = 0;
    int code;

    if (shown && r->file && !(root = read_nodes(p, r, options, &nodes, &n))) {
        code = tell_error(p);
        fprintf(stderr, "nothing was run\n");
        free(nodes);
        return code;
    }
    status = r->file ? hr_start(p, r->file, options, &job)
                     : hr_resume(p, r->resumed, options, &job);
    if (status < 0) {
        code = tell_error(p);
        fprintf(stderr, "nothing was run\n");
    } else {
        if (shown && (view = view_new(&r->term, nodes, n)))
            print_title(r, root, job);
        running = job;
        catch_signals();
        code = follow(job, r, view);
        running = NULL;
        hr_job_free(job);
    }
    view_free(view);
    cJSON_Delete(root);
    free(nodes);
    return code;
}

int run_pipeline(const struct args *a, bool resume)
{
    const char *word = a->count ? a->words[0] : NULL;
    struct runner r = { .file = resume ? NULL : word ? word : "pipeline.json",
                        .resumed = word,
                        .json = arg_flag(a, "--json"),
                        .quiet = arg_flag(a, "--quiet"),
                        .strict = arg_flag(a, "--strict") };
    char *text = NULL;
    hr_project *p;
    int code;

    if (arg_flag(a, "--dry-run"))
        return preview_pipeline(a, resume);
    if ((code = run_options_json(a, &text)) != EXIT_DONE)
        return code;
    term_ask(&r.term, stdout);
    if (arg_flag(a, "--no-color"))
        r.term.color = false;
    if (!(p = open_project(a, resume))) {
        free(text);
        return EXIT_WRONG;
    }
    code = run_file(p, &r, text);
    hr_free(p);
    free(text);
    free(r.failed);
    return code;
}

static int run(const struct args *a)
{
    if (arg_flag(a, "--replay"))
        return replay_execution(a);
    if (arg_flag(a, "--gdb"))
        return usage(a, "--gdb goes with --replay");
    return run_pipeline(a, false);
}

static const struct option options[] = {
    MANY("--param", "K=V", "a parameter of the pipeline"),
    VALUE("--params", "FILE",
          "parameters from a JSON file, as {\"steps\": 200}; --param counts over it"),
    VALUE("--jobs", "N", "nodes at once (default: as many as there are cores)"),
    MANY("--force", "NODE", "run this node though its result is there"),
    FLAG("--no-cache", "run every node"),
    MANY("--from", "NODE", "a partial run: this node and what comes after it"),
    MANY("--to", "NODE", "a partial run: this node and what comes before it"),
    MANY("--only", "NODE", "a partial run: this node alone"),
    VALUE("--base", "RUN", "where a partial run takes the other nodes from (default: the newest)"),
    FLAG("--retry-failed", "keep what the base run finished, run the rest"),
    FLAG("--changed", "with --retry-failed: run again what would be another by now"),
    FLAG("--keep-going", "other branches go on after a failure"),
    FLAG("--strict", "exit with 3 where a gate refused: unblessed, anomalies"),
    VALUE("--isolation", "worker|none", "none: plugins run in this process (default: worker)"),
    VALUE("--sandbox", "best|required", "required: fail where the kernel lacks a part of it"),
    VALUE("--name", "TEXT", "what people call the run"),
    VALUE("--replay", "EXECUTION", "one execution again, elsewhere and unrecorded, and compared"),
    FLAG("--gdb", "with --replay: in the debugger gdb, in one process"),
    FLAG("--check", "verify every batch of rows that a plugin makes"),
    FLAG("--unlocked", "run though the plugins are not those of pipeline.lock"),
    FLAG("--dry-run", "say what would run, be kept or cached, and why; write nothing"),
    FLAG("--json", "one event a line, as JSON; with --dry-run one object"),
    FLAG("--quiet", "nothing but errors"),
    FLAG("--no-color", "no colours"),
    PROJECT_OPTIONS,
    END_OPTIONS,
};
const struct verb verb_run = {
    .name = "run",
    .group = GROUP_RUN,
    .words = "[FILE]",
    .line = "run a pipeline",
    .page = "Runs a pipeline, pipeline.json unless given.  What was done before with equal inputs, "
            "properties and code is not done again.\n\n"
            "Exit status: 0 done, 1 a node failed or the input is wrong, 2 usage, 3 a gate refused "
            "and --strict was given, 130 interrupted.",
    .options = options,
    .run = run,
};
