/* --dry-run of run and resume: the nodes with what would become of each. */
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "cli/cli.h"
#include "cli/draw.h"
#include "cli/options.h"

static const char *text_of(const cJSON *o, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, key));

    return text ? text : "";
}

static int count_of(const cJSON *root, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(root, key);

    return cJSON_IsNumber(v) ? v->valueint : 0;
}

/* How the plan is said, and in which colour. */
static const char *word_of(const char *plan, const char **ret_color)
{
    static const char *const words[][3] = {
        { "run", "run", "green" },     { "cached", "cached", "blue" },  { "kept", "kept", "blue" },
        { "skipped", "skip", "dim" },  { "depends", "open", "yellow" }, { "failed", "fail", "red" },
        { "not_run", "not run", "dim" }
    };
    size_t i;

    for (i = 0; i < sizeof words / sizeof words[0]; i++)
        if (!strcmp(words[i][0], plan)) {
            *ret_color = words[i][2];
            return words[i][1];
        }
    *ret_color = "dim";
    return plan;
}

static void put_node(const struct term *t, const cJSON *node, int width)
{
    const char *of, *word = word_of(text_of(node, "plan"), &of), *c;

    fputs("  ", stdout);
    put_column(stdout, t, text_of(node, "node"), width);
    printf("  %s%-7s%s  ", color(t, of), word, color(t, "off"));
    for (c = text_of(node, "why"); *c; c++)
        if (*c == '\n') /* an error of several lines */
            printf("\n%*s", width + 13, "");
        else
            putchar(*c);
    putchar('\n');
}

static void put_preview(const struct args *a, const cJSON *root)
{
    const cJSON *nodes = cJSON_GetObjectItemCaseSensitive(root, "nodes"), *node;
    int width = 0, failed = count_of(root, "failed");
    struct term t;

    term_ask(&t, stdout);
    if (arg_flag(a, "--no-color"))
        t.color = false;
    cJSON_ArrayForEach(node, nodes)
    {
        if (text_width(text_of(node, "node")) > width)
            width = text_width(text_of(node, "node"));
    }
    printf("%s%s%s  what a run would do\n", color(&t, "bold"), text_of(root, "pipeline"),
           color(&t, "off"));
    cJSON_ArrayForEach(node, nodes) put_node(&t, node, width);
    printf("nothing was run: %d to run, %d open until then, %d cached, %d kept, %d skipped",
           count_of(root, "run"), count_of(root, "depends"), count_of(root, "cached"),
           count_of(root, "kept"), count_of(root, "skipped"));
    if (failed)
        printf(", %d would fail, %d not run", failed, count_of(root, "not_run"));
    puts("");
}

static int show(const struct args *a, hr_project *p, bool resume, const char *options)
{
    const char *word = a->count ? a->words[0] : NULL, *json = NULL;
    hr_status r = resume ? hr_preview_resume(p, word, options, &json)
                         : hr_preview(p, word ? word : "pipeline.json", options, &json);
    cJSON *root;
    int code;

    if (r < 0) {
        code = tell_error(p);
        fprintf(stderr, "nothing was run\n");
        return code;
    }
    if (!(root = parse_json(json)))
        return EXIT_WRONG;
    if (arg_flag(a, "--json"))
        puts(json);
    else if (!arg_flag(a, "--quiet"))
        put_preview(a, root);
    code = count_of(root, "failed") ? EXIT_WRONG : EXIT_DONE;
    cJSON_Delete(root);
    return code;
}

int preview_pipeline(const struct args *a, bool resume)
{
    char *options = NULL;
    hr_project *p;
    int code = run_options_json(a, &options);

    if (code != EXIT_DONE)
        return code;
    if (!(p = open_project_to_look(a, resume))) {
        free(options);
        return EXIT_WRONG;
    }
    code = show(a, p, resume, options);
    hr_free(p);
    free(options);
    return code;
}
