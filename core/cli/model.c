#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/models.h"

enum { MOST = 1 << 28 };

/* All of standard input, freed by the caller.  NULL: told. */
static char *read_all(FILE *f)
{
    size_t n = 0, cap = 65536, got;
    char *text = malloc(cap), *more;

    while (text && (got = fread(text + n, 1, cap - n - 1, f)) > 0) {
        n += got;
        if (n + 1 < cap)
            continue;
        if (cap >= MOST || !(more = realloc(text, cap * 2))) {
            free(text);
            text = NULL;
            break;
        }
        text = more;
        cap *= 2;
    }
    if (!text || ferror(f)) {
        fprintf(stderr, "headrace: the rows cannot be read, or are more than 256 MiB\n");
        free(text);
        return NULL;
    }
    text[n] = '\0';
    return text;
}

/* A directory is asked without a project around it. */
static bool is_model_dir(const char *dir)
{
    char path[4096];
    FILE *f;

    if (snprintf(path, sizeof path, "%s/model.json", dir) >= (int)sizeof path ||
        !(f = fopen(path, "r")))
        return false;
    fclose(f);
    return true;
}

/* A package is asked without one too, but heeds whom a project trusts. */
static bool is_package(const char *file)
{
    size_t n = strlen(file);

    return n > 4 && !strcmp(file + n - 4, ".hrp");
}

static int predict(const struct args *a)
{
    const char *rows = a->count > 1 ? a->words[1] : "-", *result = NULL;
    char *text = NULL;
    hr_model *m = NULL;
    hr_project *p;
    int code = EXIT_DONE;

    p = is_package(a->words[0]) ? open_project_if_there(a)
                                : open_project(a, !is_model_dir(a->words[0]));
    if (!p)
        return EXIT_WRONG;
    if (!strcmp(rows, "-") && !(rows = text = read_all(stdin))) {
        code = EXIT_WRONG;
    } else if (hr_model_open(p, a->words[0], arg_text(a, "--signature"), &m) < 0) {
        code = tell_error(p);
    } else if (hr_model_predict_json(m, rows, &result) < 0) {
        fprintf(stderr, "%s\n", hr_model_error(m));
        if (!text && access(rows, R_OK) == 0)
            fprintf(stderr, "\"%s\" is a file; for rows that stand in it: headrace model predict "
                            "%s - < %s\n", rows, a->words[0], rows);
        code = EXIT_WRONG;
    } else {
        puts(result);
    }
    hr_model_close(m);
    hr_free(p);
    free(text);
    return code;
}

static int list(const struct args *a)
{
    static const char *const columns[] = { "model",   "version", "number",
                                           "created", "aliases", "destination", NULL };

    return list_rows(a, "models", columns, true);
}

static int show(const struct args *a)
{
    hr_project *p = open_project(a, true);
    int code;

    if (!p)
        return EXIT_WRONG;
    code = show_thing(p, a->words[0], arg_flag(a, "--json"));
    hr_free(p);
    return code;
}

static const struct option list_options[] = { LIST_OPTIONS, PROJECT_OPTIONS, END_OPTIONS };
static const struct verb model_list = {
    .name = "list",
    .words = "",
    .line = "list them",
    .page = "Lists the models that were pushed, the newest first.",
    .options = list_options,
    .run = list,
};
static const struct option show_options[] = {
    FLAG("--json", "all that is known, as JSON"),
    PROJECT_OPTIONS,
    END_OPTIONS,
};
static const struct verb model_show = {
    .name = "show",
    .words = "NAME",
    .line = "what it is and came from",
    .page = "Shows a model, as \"penguin\" for its newest version, or \"penguin@7\", and all that "
            "it came from.",
    .options = show_options,
    .run = show,
};
static const struct option predict_options[] = {
    VALUE("--signature", "NAME", "what to ask the model for"),
    PROJECT_OPTIONS,
    END_OPTIONS,
};
static const struct verb model_predict = {
    .name = "predict",
    .words = "MODEL|DIR|FILE [ROWS]",
    .line = "ask it",
    .page = "Prints what a model says of rows.  The model is a name, name@version, a directory or "
            "a package (.hrp), which is verified first; ROWS a JSON object, a list of them, or - "
            "(default) for one on standard input.",
    .options = predict_options,
    .run = predict,
};
static const struct verb *const nouns[] = { &model_list,     &model_show,    &model_predict,
                                            &model_promote,  &model_alias,   &model_rollback,
                                            &model_aliases,  &model_history, &model_pull,
                                            &model_export,   NULL };
const struct verb verb_model = {
    .name = "model",
    .group = GROUP_KEEP,
    .line = "models of the registry",
    .page = "Models that pipelines have pushed, by name, version and alias.",
    .nouns = nouns,
};
