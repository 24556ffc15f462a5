#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "cli/cli.h"
#include "cli/verbs.h"

/* A number, or the newest execution of a node. */
static int64_t execution_of(hr_project *p, const char *what)
{
    const char *json = NULL;
    char *end;
    long long id = strtoll(what, &end, 10);
    cJSON *root;
    const cJSON *v;

    if (end != what && !*end)
        return id;
    if (hr_show(p, what, &json) < 0 || !(root = cJSON_Parse(json)))
        return 0;
    v = cJSON_GetObjectItemCaseSensitive(root, "execution");
    id = cJSON_IsNumber(v) ? (long long)v->valuedouble : 0;
    cJSON_Delete(root);
    return id;
}

int verb_log(int argc, char **argv)
{
    struct project_options where = { 0 };
    const struct option_spec options[] = {
        { .name = "--root", .value = &where.root },
        { .name = "--plugin-path", .value = &where.plugin_path },
        { .name = NULL },
    };
    const char *text = NULL;
    char *rest[MAX_WORDS];
    hr_project *p;
    int64_t id;
    int n = 0, code;

    if ((code = take_options(argc, argv, options, rest, &n)) != EXIT_DONE)
        return code;
    if (n != 1)
        return usage(argv[0], "one execution is wanted");
    if (!(p = open_project(&where, true)))
        return EXIT_WRONG;
    id = execution_of(p, rest[0]);
    if (!id || hr_log_of(p, id, &text) < 0)
        code = tell_error(p);
    else if (*text)
        fputs(text, stdout);
    else
        fprintf(stderr, "execution %lld has written nothing\n", (long long)id);
    hr_free(p);
    return code;
}
