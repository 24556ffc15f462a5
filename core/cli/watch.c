/* watch, cancel: runs of other processes. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/draw.h"

/* "  trainer     finished     24 ms   loss 0.031" */
static void put_event(const struct term *t, const cJSON *e)
{
    const char *kind = get_text(e, "event"), *text = get_text(e, "text");
    char took[32] = "", line[1024];
    int left;

    if (!strcmp(kind, "progress") || !strcmp(kind, "gate") ||
        (!strcmp(kind, "log") && get_number(e, "level") < HR_WARN))
        return;
    if (has(e, "duration_us"))
        format_duration((int64_t)get_number(e, "duration_us"), took, sizeof took);
    if (!strcmp(kind, "done")) {
        printf("%s in %s: %s\n", get_number(e, "status") < 0 ? "failed" : "done", took, text);
        return;
    }
    snprintf(line, sizeof line, "  %-16s %-9s %8s   ", get_text(e, "node"), kind, took);
    fputs(line, stdout);
    left = t->width - text_width(line);
    shown(line, sizeof line, text, true);
    line[strcspn(line, "\n")] = '\0';
    if (left >= 10)
        put_column(stdout, t, line, text_width(line) < left ? text_width(line) : left);
    putchar('\n');
}

static int follow(hr_project *p, hr_watch *w, bool json)
{
    const char *line = NULL;
    bool done = false;
    struct term t;
    int32_t got;
    int code = EXIT_WRONG;

    term_ask(&t, stdout);
    while ((got = hr_watch_next(w, 1000, &line)) > 0 || got == HR_DEADLINE) {
        cJSON *e = got > 0 ? parse_json(line) : NULL;

        if (got == HR_DEADLINE)
            continue;
        if (json)
            puts(line);
        else if (e)
            put_event(&t, e);
        if (!strcmp(get_text(e, "event"), "done")) {
            done = true;
            code = get_number(e, "status") < 0 ? EXIT_WRONG : EXIT_DONE;
        }
        cJSON_Delete(e);
        if (fflush(stdout) == EOF)
            return EXIT_WRONG;
    }
    if (got < 0)
        return tell_error(p);
    if (!done)
        fprintf(stderr, "headrace: the process that ran %s is gone, and the run has no end\n",
                hr_watch_run(w));
    return code;
}

static int watch(const struct args *a)
{
    hr_project *p = open_project(a, true);
    hr_watch *w = NULL;
    char what[256];
    int code;

    if (!p)
        return EXIT_WRONG;
    join_words(a, what, sizeof what);
    if (hr_watch_open(p, a->count ? what : NULL, &w) < 0) {
        code = tell_error(p);
    } else {
        fprintf(stderr, "%s\n", hr_watch_run(w));
        code = follow(p, w, arg_flag(a, "--json"));
    }
    hr_watch_free(w);
    hr_free(p);
    return code;
}

static int cancel(const struct args *a)
{
    hr_project *p = open_project(a, true);
    char what[256];
    int code = EXIT_DONE;

    if (!p)
        return EXIT_WRONG;
    join_words(a, what, sizeof what);
    if (hr_cancel_run(p, what) < 0)
        code = tell_error(p);
    else
        fprintf(stderr, "%s is asked to stop; \"headrace watch\" shows its end\n", what);
    hr_free(p);
    return code;
}

static const struct option watch_options[] = {
    FLAG("--json", "one event a line, as JSON"),
    PROJECT_OPTIONS,
    END_OPTIONS,
};
const struct verb verb_watch = {
    .name = "watch",
    .group = GROUP_RUN,
    .words = "[RUN] [NUMBER]",
    .line = "follow a run",
    .page = "Follows a run of any process, the newest unless given, from its begin to its end.  "
            "RUN is its number or id.  Exit status: 0 where the run has ended well, 1 where not, "
            "or where its process is gone.",
    .options = watch_options,
    .run = watch,
};
static const struct option cancel_options[] = { PROJECT_OPTIONS, END_OPTIONS };
const struct verb verb_cancel = {
    .name = "cancel",
    .group = GROUP_RUN,
    .words = "RUN [NUMBER]",
    .line = "stop a run",
    .page = "Asks a run of any process to stop, as Ctrl-C does: what runs is ended, what is "
            "finished is kept.  RUN is its number or id.",
    .options = cancel_options,
    .run = cancel,
};
