/* The registry of models: what an alias means, models in and out, and who did what. */
#include "cli/models.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "cli/cli.h"
#include "cli/options.h"
#include "cli/draw.h"

static void put_reasons(const struct args *a, struct text *to)
{
    put_option(to, "by", arg_text(a, "--by"));
    put_option(to, "why", arg_text(a, "--why"));
}

static char *pull_json(const struct args *a)
{
    struct text t = { 0 };

    put_reasons(a, &t);
    put_option(&t, "name", arg_text(a, "--name"));
    put_option(&t, "version", arg_text(a, "--version"));
    put_trust(a, &t);
    return end_options(&t);
}

static char *change_json(const struct args *a)
{
    struct text t = { 0 };

    put_reasons(a, &t);
    put_option(&t, "expect", arg_text(a, "--expect"));
    put_option(&t, "alias", arg_text(a, "--alias"));
    return end_options(&t);
}

static void tell(const char *json)
{
    cJSON *change = parse_json(json);

    if (has(change, "alias"))
        printf("%s@%s is version %s", get_text(change, "model"), get_text(change, "alias"),
               get_text(change, "version"));
    else
        printf("%s@%s is in the registry", get_text(change, "model"), get_text(change, "version"));
    if (has(change, "from"))
        printf(", before it was %s", get_text(change, "from"));
    putchar('\n');
    cJSON_Delete(change);
}

typedef hr_status changes(hr_project *p, const struct args *a, const char *options,
                          const char **ret_json);

static int change(const struct args *a, changes *call, char *options)
{
    hr_project *p = open_project(a, true);
    const char *json = NULL;
    int code = EXIT_DONE;

    if (!p || !options)
        code = EXIT_WRONG;
    else if (call(p, a, options, &json) < 0)
        code = tell_error(p);
    else if (arg_flag(a, "--json"))
        puts(json);
    else
        tell(json);
    free(options);
    hr_free(p);
    return code;
}

static hr_status call_promote(hr_project *p, const struct args *a, const char *options,
                              const char **ret_json)
{
    return hr_model_promote(p, a->words[0], options, ret_json);
}

static hr_status call_alias(hr_project *p, const struct args *a, const char *options,
                            const char **ret_json)
{
    return hr_model_alias(p, a->words[0], a->words[1], options, ret_json);
}

static hr_status call_rollback(hr_project *p, const struct args *a, const char *options,
                               const char **ret_json)
{
    return hr_model_rollback(p, a->words[0], options, ret_json);
}

static hr_status call_pull(hr_project *p, const struct args *a, const char *options,
                           const char **ret_json)
{
    return hr_model_pull(p, a->words[0], options, ret_json);
}

static int promote(const struct args *a)
{
    return change(a, call_promote, change_json(a));
}

static int alias(const struct args *a)
{
    return change(a, call_alias, change_json(a));
}

static int rollback(const struct args *a)
{
    return change(a, call_rollback, change_json(a));
}

static int pull(const struct args *a)
{
    return change(a, call_pull, pull_json(a));
}

static hr_status export_package(hr_project *p, const char *what, const char *to)
{
    struct text options = { 0 };
    const char *file;
    char *text;
    hr_status r;

    put_option(&options, "out", to);
    text = end_options(&options);
    r = text ? hr_package_pack(p, what, text, &file) : HR_EXHAUSTED;
    free(text);
    return r;
}

static int export_model(const struct args *a)
{
    const char *to = a->words[1];
    size_t n = strlen(to);
    hr_project *p = open_project(a, true);
    int code = EXIT_DONE;
    hr_status r;

    if (!p)
        return EXIT_WRONG;
    r = n > 4 && !strcmp(to + n - 4, ".hrp") ? export_package(p, a->words[0], to)
                                             : hr_model_export(p, a->words[0], to);
    if (r < 0)
        code = tell_error(p);
    else
        printf("%s\n", to);
    hr_free(p);
    return code;
}

/* Rows of what, of one model if it is named, and of --filter. */
static int list(const struct args *a, const char *what, const char *const *columns)
{
    struct list_spec spec = { .what = what,
                              .columns = columns,
                              .form = arg_flag(a, "--json") ? ROWS_JSON : ROWS_TABLE };
    const char *model = a->count ? a->words[0] : NULL, *filter = arg_text(a, "--filter");
    char both[600];
    hr_project *p;
    int code;

    if ((code = arg_number(a, "--limit", 1, &spec.limit)) != EXIT_DONE)
        return code;
    if (model && (strchr(model, '\'') || snprintf(both, sizeof both, "model = '%s'%s%s", model,
                                                 filter ? " and " : "", filter ? filter : "") >=
                                            (int)sizeof both))
        return usage(a, "\"%s\" is no name of a model, or the filter is too long", model);
    spec.filter = model ? both : filter;
    if (!(p = open_project(a, true)))
        return EXIT_WRONG;
    code = print_rows(p, &spec);
    hr_free(p);
    return code;
}

static int aliases(const struct args *a)
{
    static const char *const columns[] = { "model",   "alias", "version", "before",
                                           "created", "by",    "why",     NULL };

    return list(a, "aliases", columns);
}

static int history(const struct args *a)
{
    static const char *const columns[] = { "created", "model", "action", "alias", "version",
                                           "from",    "by",    "why",    NULL };

    return list(a, "model_history", columns);
}

/* -- the table ------------------------------------------------------------------- */

#define WHO_OPTIONS                                                                                \
    VALUE("--by", "WHO", "who does it (default: the user)"),                                       \
        VALUE("--why", "TEXT", "what for; both are recorded with the change"),                     \
        FLAG("--json", "as JSON")
#define EXPECT_OPTION                                                                              \
    VALUE("--expect", "VERSION", "refuse if the alias means another by now; \"\" for none")

static const struct option promote_options[] = {
    VALUE("--alias", "NAME", "another alias than production"),
    EXPECT_OPTION,
    WHO_OPTIONS,
    PROJECT_OPTIONS,
    END_OPTIONS,
};
const struct verb model_promote = {
    .name = "promote",
    .words = "NAME",
    .line = "let production mean it",
    .page = "Lets the alias \"production\" of a model mean a version, \"penguin@7\".  It is "
            "refused where a gate refused that version.",
    .options = promote_options,
    .run = promote,
};
static const struct option alias_options[] = { EXPECT_OPTION, WHO_OPTIONS, PROJECT_OPTIONS,
                                               END_OPTIONS };
const struct verb model_alias = {
    .name = "alias",
    .words = "NAME ALIAS",
    .line = "let any alias mean it",
    .page = "Lets an alias of a model mean a version, \"penguin@7\": a letter, then letters, "
            "digits, \".\", \"_\" and \"-\".  Wherever a version is wanted, an alias will do.",
    .options = alias_options,
    .run = alias,
};
const struct verb model_rollback = {
    .name = "rollback",
    .words = "NAME",
    .line = "back to the one before",
    .page = "Undoes the last promotion of a model that was not undone.",
    .options = promote_options,
    .run = rollback,
};
static const struct option rows_options[] = { LIST_OPTIONS, PROJECT_OPTIONS, END_OPTIONS };
const struct verb model_aliases = {
    .name = "aliases",
    .words = "[NAME]",
    .line = "what aliases mean",
    .page = "Lists aliases, what each means, and what a rollback would go to.",
    .options = rows_options,
    .run = aliases,
};
const struct verb model_history = {
    .name = "history",
    .words = "[NAME]",
    .line = "who changed them",
    .page = "Lists all changes of aliases, who made them and why, the newest first.",
    .options = rows_options,
    .run = history,
};
static const struct option pull_options[] = {
    VALUE("--name", "NAME", "what it is called here"),
    VALUE("--version", "VERSION", "the version that it gets here"),
    TRUST_OPTION,
    WHO_OPTIONS,
    PROJECT_OPTIONS,
    END_OPTIONS,
};
const struct verb model_pull = {
    .name = "pull",
    .words = "FILE",
    .line = "take in a package",
    .page = "Verifies a package of a model and takes it into the registry.",
    .options = pull_options,
    .run = pull,
};
static const struct option export_options[] = { PROJECT_OPTIONS, END_OPTIONS };
const struct verb model_export = {
    .name = "export",
    .words = "NAME DIR|FILE",
    .line = "copy it out",
    .page = "Copies a version: as a package where the place ends in .hrp, else as the directory "
            "of the model, which appears whole or not at all.",
    .options = export_options,
    .run = export_model,
};
