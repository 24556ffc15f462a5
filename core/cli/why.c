#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "cli/cli.h"
#include "cli/draw.h"

static const char *text_of(const cJSON *o, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, key));

    return text ? text : "";
}

static long long number_of(const cJSON *o, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

    return cJSON_IsNumber(v) ? (long long)v->valuedouble : 0;
}

static const char *verb_of(const char *state)
{
    static const char *const words[][2] = { { "COMPLETE", "ran" },      { "CACHED", "was cached" },
                                            { "CANCELED", "did not run" }, { "FAILED", "failed" },
                                            { "RUNNING", "is running" },
                                            { "NOT_RUN", "did not run" } };
    size_t i;

    for (i = 0; i < sizeof words / sizeof words[0]; i++)
        if (!strcmp(words[i][0], state))
            return words[i][1];
    return state;
}

/* A long digest says no more than its beginning. */
static void put_side(const cJSON *v)
{
    char *text = v && !cJSON_IsNull(v) ? json_text(v) : NULL;

    if (text && strlen(text) == 66 && text[0] == '"')
        printf("%.12s...", text + 1);
    else
        put_shown(stdout, text ? text : "nothing");
    free(text);
}

/* name: as it was asked for, "node[2]" of an instance. */
static void print_answer(const cJSON *root, const char *name)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "differences"), *d;

    printf("%s %s in run %lld", name, verb_of(text_of(root, "state")), number_of(root, "number"));
    if (number_of(root, "execution"))
        printf(" (execution %lld)", number_of(root, "execution"));
    fputs(*text_of(root, "reason") ? ": " : "", stdout);
    put_shown(stdout, text_of(root, "reason"));
    putchar('\n');
    if (cJSON_GetArraySize(list))
        printf("since run %lld (execution %lld):\n", number_of(root, "before_number"),
               number_of(root, "before"));
    cJSON_ArrayForEach(d, list)
    {
        printf("  %s: ", text_of(d, "what"));
        put_side(cJSON_GetObjectItemCaseSensitive(d, "before"));
        fputs(" -> ", stdout);
        put_side(cJSON_GetObjectItemCaseSensitive(d, "now"));
        putchar('\n');
    }
}

static int why(const struct args *a)
{
    const char *json = NULL;
    hr_project *p;
    cJSON *root;
    int code = EXIT_DONE;

    if (!(p = open_project(a, true)))
        return EXIT_WRONG;
    if (hr_why(p, a->words[0], arg_text(a, "--run"), &json) < 0) {
        code = tell_error(p);
    } else if (arg_flag(a, "--json")) {
        puts(json);
    } else if ((root = parse_json(json))) {
        print_answer(root, *text_of(root, "instance") ? text_of(root, "instance") : a->words[0]);
        cJSON_Delete(root);
    }
    hr_free(p);
    return code;
}

static const struct option options[] = {
    VALUE("--run", "RUN", "its number or id (default: the newest run of the node)"),
    FLAG("--json", "as JSON"),
    PROJECT_OPTIONS,
    END_OPTIONS,
};
const struct verb verb_why = {
    .name = "why",
    .group = GROUP_RUN,
    .words = "NODE",
    .line = "why a node ran, or did not",
    .page = "Says why a node ran, was cached, was skipped or failed.  Of one that ran: which "
            "input, property, file or plugin differs from its last result, with the old and the "
            "new value.  Of one that no run has reached: what it waits for, by the pipeline as it "
            "is now.",
    .options = options,
    .run = why,
};
