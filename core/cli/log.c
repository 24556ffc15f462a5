#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "cli/cli.h"
#include "cli/draw.h"

/* A number, or the newest execution of a node. */
int64_t execution_of(hr_project *p, const char *what)
{
    const char *json = NULL;
    char *end;
    long long id = strtoll(what, &end, 10);
    cJSON *root;
    const cJSON *v;

    if (end != what && !*end)
        return id;
    if (hr_show(p, what, &json) < 0 || !(root = parse_json(json)))
        return 0;
    v = cJSON_GetObjectItemCaseSensitive(root, "execution");
    id = cJSON_IsNumber(v) ? (long long)v->valuedouble : 0;
    cJSON_Delete(root);
    return id;
}

static int log_of(const struct args *a)
{
    const char *text = NULL;
    hr_project *p;
    int64_t id;
    int code = EXIT_DONE;

    if (!(p = open_project(a, true)))
        return EXIT_WRONG;
    id = execution_of(p, a->words[0]);
    if (!id || hr_log_of(p, id, &text) < 0)
        code = tell_error(p);
    else if (*text && isatty(STDOUT_FILENO)) /* a file gets what was written, to the byte */
        put_shown(stdout, text);
    else if (*text)
        fputs(text, stdout);
    else
        fprintf(stderr, "execution %lld has written nothing\n", (long long)id);
    hr_free(p);
    return code;
}

static const struct option options[] = { PROJECT_OPTIONS, END_OPTIONS };
const struct verb verb_log = {
    .name = "log",
    .group = GROUP_LOOK,
    .words = "EXECUTION",
    .line = "what an execution wrote",
    .page = "Prints the log lines of an execution, and what it wrote to stdout and stderr.  "
            "EXECUTION is its number, or the name of a node, or node[2] of one of its instances, "
            "for its newest.",
    .options = options,
    .run = log_of,
};
