/* runs, executions, artifacts: rows of the store. */
#include "cli/cli.h"
#include "cli/verbs.h"

static int list(int argc, char **argv, const char *what, const char *const *columns)
{
    struct project_options where = { 0 };
    struct list_spec spec = { .what = what, .columns = columns };
    const struct option_spec options[] = {
        { .name = "--filter", .value = &spec.filter },
        { .name = "--limit", .value = &spec.limit },
        { .name = "--json", .flag = &spec.json },
        { .name = "--root", .value = &where.root },
        { .name = "--plugin-path", .value = &where.plugin_path },
        { .name = NULL },
    };
    char *rest[MAX_WORDS];
    hr_project *p;
    int n = 0, code;

    if ((code = take_options(argc, argv, options, rest, &n)) != EXIT_DONE)
        return code;
    if (n)
        return usage(argv[0], "\"%s\" is too much", rest[0]);
    if (!(p = open_project(&where, true)))
        return EXIT_WRONG;
    code = print_rows(p, &spec);
    hr_free(p);
    return code;
}

int verb_runs(int argc, char **argv)
{
    static const char *const columns[] = { "number",      "pipeline",   "state", "started",
                                           "duration_ms", "executions", "run",   NULL };

    return list(argc, argv, "runs", columns);
}

int verb_executions(int argc, char **argv)
{
    static const char *const columns[] = { "id",    "number",      "node",    "component",
                                           "state", "duration_ms", "summary", NULL };

    return list(argc, argv, "executions", columns);
}

int verb_artifacts(int argc, char **argv)
{
    static const char *const columns[] = { "id",    "type",    "node", "number",
                                           "state", "created", "uri",  NULL };

    return list(argc, argv, "artifacts", columns);
}
