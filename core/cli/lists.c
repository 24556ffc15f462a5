/* runs, executions, artifacts: rows of the store. */
#include "cli/cli.h"

int list_rows(const struct args *a, const char *what, const char *const *columns, bool project)
{
    struct list_spec spec = { .what = what,
                              .columns = columns,
                              .filter = arg_text(a, "--filter") };
    hr_project *p;
    int code = arg_number(a, "--limit", 1, &spec.limit);

    if (code != EXIT_DONE || (code = arg_row_form(a, &spec.form)) != EXIT_DONE)
        return code;
    if (!(p = project ? open_project(a, true) : open_project_if_there(a)))
        return EXIT_WRONG;
    code = print_rows(p, &spec);
    hr_free(p);
    return code;
}

static int runs(const struct args *a)
{
    static const char *const columns[] = { "number",      "pipeline",   "state", "started",
                                           "duration_ms", "executions", "run",   NULL };

    return list_rows(a, "runs", columns, true);
}

static int executions(const struct args *a)
{
    static const char *const columns[] = { "id",    "number",      "instance", "component",
                                           "state", "duration_ms", "summary",  NULL };

    return list_rows(a, "executions", columns, true);
}

static int artifacts(const struct args *a)
{
    static const char *const columns[] = { "id",    "type",    "node", "number",
                                           "state", "created", "uri",  NULL };

    return list_rows(a, "artifacts", columns, true);
}

static const struct option options[] = {
    LIST_OPTIONS,
    PROJECT_OPTIONS,
    END_OPTIONS,
};

#define FILTERS                                                                                    \
    "Without --limit a table has the newest 50.\n\n"                                              \
    "A filter compares columns by = != < <= > >=, with \"and\" between comparisons; a value "      \
    "with blanks stands in quotes.  The columns, of which --json prints all, are: "

const struct verb verb_runs = {
    .name = "runs",
    .group = GROUP_LOOK,
    .words = "",
    .line = "list the runs",
    .page = "Lists runs, the newest first.\n\n" FILTERS
            "id run pipeline number state started duration_ms executions.",
    .options = options,
    .run = runs,
};
const struct verb verb_executions = {
    .name = "executions",
    .group = GROUP_LOOK,
    .words = "",
    .line = "list each try of each node",
    .page = "Lists executions, the newest first.\n\n" FILTERS
            "id node component run number state started duration_ms summary reason instance.  "
            "instance is the node and, of one with for_each, which of them, as show, why and log "
            "take it: gen[2]; node is the node alone.",
    .options = options,
    .run = executions,
};
const struct verb verb_artifacts = {
    .name = "artifacts",
    .group = GROUP_LOOK,
    .words = "",
    .line = "list what was made",
    .page = "Lists artifacts, the newest first.\n\n" FILTERS
            "id type node run number state created digest uri.",
    .options = options,
    .run = artifacts,
};
