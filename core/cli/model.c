#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/verbs.h"

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

static int predict(hr_project *p, const char *model, const char *rows, const char *signature)
{
    char *text = !rows || !strcmp(rows, "-") ? read_all(stdin) : NULL;
    const char *result = NULL;
    hr_model *m = NULL;
    int code = EXIT_DONE;

    if ((!rows || !strcmp(rows, "-")) && !text)
        return EXIT_WRONG;
    if (hr_model_open(p, model, signature, &m) < 0) {
        code = tell_error(p);
    } else if (hr_model_predict_json(m, text ? text : rows, &result) < 0) {
        fprintf(stderr, "%s\n", hr_model_error(m));
        code = EXIT_WRONG;
    } else {
        puts(result);
    }
    hr_model_close(m);
    free(text);
    return code;
}

static int list(hr_project *p, bool json)
{
    static const char *const columns[] = { "model",   "version",     "number",
                                           "created", "destination", NULL };
    struct list_spec spec = { .what = "models", .columns = columns, .json = json };

    return print_rows(p, &spec);
}

/* A directory is asked without a project around it. */
static hr_project *open_for(const struct project_options *where, char **rest, int n)
{
    FILE *f;
    char path[4096];

    if (n > 1 && !strcmp(rest[0], "predict") &&
        snprintf(path, sizeof path, "%s/model.json", rest[1]) < (int)sizeof path &&
        (f = fopen(path, "r"))) {
        fclose(f);
        return open_project(where, false);
    }
    return open_project(where, true);
}

int verb_model(int argc, char **argv)
{
    struct project_options where = { 0 };
    const char *signature = NULL;
    bool json = false;
    const struct option_spec options[] = {
        { .name = "--json", .flag = &json },
        { .name = "--signature", .value = &signature },
        { .name = "--root", .value = &where.root },
        { .name = "--plugin-path", .value = &where.plugin_path },
        { .name = NULL },
    };
    char *rest[MAX_WORDS];
    hr_project *p;
    int n = 0, code;

    if ((code = take_options(argc, argv, options, rest, &n)) != EXIT_DONE)
        return code;
    if (!((n == 1 && !strcmp(rest[0], "list")) || (n == 2 && !strcmp(rest[0], "show")) ||
          ((n == 2 || n == 3) && !strcmp(rest[0], "predict"))))
        return usage(argv[0], "list, show NAME, or predict MODEL ROWS is wanted");
    if (!(p = open_for(&where, rest, n)))
        return EXIT_WRONG;
    if (!strcmp(rest[0], "list"))
        code = list(p, json);
    else if (!strcmp(rest[0], "show"))
        code = show_thing(p, rest[1], json);
    else
        code = predict(p, rest[1], n == 3 ? rest[2] : NULL, signature);
    hr_free(p);
    return code;
}
