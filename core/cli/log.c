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

static bool add_line(cJSON *lines, const char *text, size_t n)
{
    char *line = utf8_of(text, n);
    bool ok = line && cJSON_AddItemToArray(lines, cJSON_CreateString(line));

    free(line);
    return ok;
}

/* Whose log it is, as show tells it, and its lines. */
static int print_json(hr_project *p, int64_t execution, const char *text)
{
    static const char *const kept[] = { "execution", "node", "instance", "pipeline", "run",
                                        "number", "state" };
    cJSON *to = cJSON_CreateObject(), *lines = cJSON_CreateArray(), *of = NULL, *v;
    bool ok = to && lines;
    char name[40], *json = NULL;
    const char *end, *shown_json;
    int code = EXIT_DONE;
    size_t i;

    for (; ok && *text; text = *end ? end + 1 : end) {
        end = text + strcspn(text, "\n");
        ok = add_line(lines, text, (size_t)(end - text));
    }
    snprintf(name, sizeof name, "execution %lld", (long long)execution);
    if (ok && hr_show(p, name, &shown_json) < 0) {
        code = tell_error(p);
        goto out;
    }
    ok = ok && (of = parse_json(shown_json));
    for (i = 0; ok && i < sizeof kept / sizeof kept[0]; i++)
        if ((v = cJSON_DetachItemFromObjectCaseSensitive(of, kept[i])))
            ok = cJSON_AddItemToObject(to, kept[i], v);
    if (ok && (ok = cJSON_AddItemToObject(to, "lines", lines)))
        lines = NULL;
    if (ok && (json = json_text(to)))
        puts(json);
    else
        no_memory(); /* which is the status, too */
out:
    free(json);
    cJSON_Delete(of);
    cJSON_Delete(lines);
    cJSON_Delete(to);
    return code;
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
    else if (arg_flag(a, "--json"))
        code = print_json(p, id, text);
    else if (*text && isatty(STDOUT_FILENO)) /* a file gets what was written, to the byte */
        put_shown(stdout, text);
    else if (*text)
        fputs(text, stdout);
    else
        fprintf(stderr, "execution %lld has written nothing\n", (long long)id);
    hr_free(p);
    return code;
}

static const struct option options[] = {
    FLAG("--json", "as JSON, with whose log it is"),
    PROJECT_OPTIONS,
    END_OPTIONS,
};
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
