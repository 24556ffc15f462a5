#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/draw.h"

static void fact(const struct term *t, const char *name, const char *text)
{
    if (!text || !*text)
        return;
    printf("  %s%-12s%s ", color(t, "dim"), name, color(t, "off"));
    put_shown(stdout, text);
    putchar('\n');
}

static void fact_time(const struct term *t, const char *name, const cJSON *o, const char *key)
{
    char text[64];

    if (!has(o, key))
        return;
    format_time((int64_t)get_number(o, key), text, sizeof text);
    fact(t, name, text);
}

static void fact_duration(const struct term *t, const cJSON *o)
{
    char text[64];

    format_duration((int64_t)get_number(o, "duration_ms") * 1000, text, sizeof text);
    fact(t, "took", text);
}

/* The node of an execution, or which of its instances it is. */
static const char *node_of(const cJSON *o)
{
    return get_text(o, has(o, "instance") ? "instance" : "node");
}

static void facts_home(const struct term *t, const cJSON *o)
{
    char text[256];

    if (!has(o, "run"))
        return;
    snprintf(text, sizeof text, "%s run %.0f (%s)", get_text(o, "pipeline"),
             get_number(o, "number"), get_text(o, "run"));
    fact(t, "run", text);
    fact(t, "node", node_of(o));
}

static void put_value(const cJSON *v)
{
    char *text = cJSON_IsString(v) ? NULL : json_text(v);

    put_shown(stdout, text ? text : cJSON_GetStringValue(v) ? cJSON_GetStringValue(v) : "");
    putchar('\n');
    free(text);
}

static void properties(const struct term *t, const cJSON *o)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(o, "properties"), *p;
    bool some = false;

    cJSON_ArrayForEach(p, list)
    {
        if (!strncmp(p->string, "__", 2) || !strcmp(p->string, "tfx_version") ||
            !strcmp(p->string, "is_external"))
            continue;
        if (!some)
            printf("\n  %sproperties%s\n", color(t, "bold"), color(t, "off"));
        some = true;
        printf("    %-24s ", p->string);
        put_value(p);
    }
}

static void links(const struct term *t, const cJSON *o, const char *key)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(o, key), *a;

    if (!cJSON_GetArraySize(list))
        return;
    printf("\n  %s%s%s\n", color(t, "bold"), key, color(t, "off"));
    cJSON_ArrayForEach(a, list)
        printf("    %-24s artifact %-5.0f %-18s %s\n", get_text(a, "key"),
               get_number(a, "artifact"), get_text(a, "type"), get_text(a, "uri"));
}

/* What has become of it, for an execution: the pictures of its outputs. */
static void draw_outputs(hr_project *p, const struct term *t, const cJSON *o)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(o, "outputs"), *a;

    cJSON_ArrayForEach(a, list)
    {
        const char *json = NULL;
        char what[64];
        cJSON *artifact;

        snprintf(what, sizeof what, "artifact %.0f", get_number(a, "artifact"));
        if (hr_show(p, what, &json) < 0) {
            tell_error(p);
            end_wrong();
            continue;
        }
        if (!(artifact = parse_json(json)))
            continue;
        draw_content(t, get_text(a, "type"), cJSON_GetObjectItemCaseSensitive(artifact, "content"));
        cJSON_Delete(artifact);
    }
}

static void show_execution(hr_project *p, const struct term *t, const cJSON *o)
{
    printf("%sexecution %.0f%s  %s\n", color(t, "bold"), get_number(o, "execution"),
           color(t, "off"), get_text(o, "component"));
    fact(t, "state", get_text(o, "state"));
    fact(t, "because", get_text(o, "reason"));
    fact(t, "summary", get_text(o, "summary"));
    facts_home(t, o);
    fact_time(t, "began", o, "started_ms");
    fact_duration(t, o);
    fact(t, "result", get_text(o, "result"));
    properties(t, o);
    links(t, o, "inputs");
    links(t, o, "outputs");
    draw_outputs(p, t, o);
}

static void came_from(const struct term *t, const cJSON *o)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(o, "came_from"), *e;

    if (!cJSON_GetArraySize(list))
        return;
    printf("\n  %scame from%s\n", color(t, "bold"), color(t, "off"));
    cJSON_ArrayForEach(e, list)
        printf("    %-16s %-18s execution %-5.0f run %-4.0f %s\n", node_of(e),
               get_text(e, "component"), get_number(e, "execution"), get_number(e, "number"),
               get_text(e, "summary"));
}

static void show_artifact(const struct term *t, const cJSON *o)
{
    const cJSON *p = cJSON_GetObjectItemCaseSensitive(o, "properties");

    if (!strcmp(get_text(o, "kind"), "model"))
        printf("%s%s@%s%s\n", color(t, "bold"), get_text(p, "model_name"),
               get_text(p, "pushed_version"), color(t, "off"));
    else
        printf("%sartifact %.0f%s  %s\n", color(t, "bold"), get_number(o, "artifact"),
               color(t, "off"), get_text(o, "type"));
    fact(t, "state", get_text(o, "state"));
    facts_home(t, o);
    fact_time(t, "made", o, "created_ms");
    fact(t, "digest", get_text(p, "__digest"));
    fact(t, "lies in", get_text(o, "uri"));
    properties(t, o);
    came_from(t, o);
    draw_content(t, get_text(o, "type"), cJSON_GetObjectItemCaseSensitive(o, "content"));
}

static void show_run(const struct term *t, const cJSON *o)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(o, "executions"), *e;
    char took[32], line[1024];

    printf("%s%s run %.0f%s  %s\n", color(t, "bold"), get_text(o, "pipeline"),
           get_number(o, "number"), color(t, "off"), get_text(o, "state"));
    fact(t, "id", get_text(o, "run"));
    fact_time(t, "began", o, "started_ms");
    fact_duration(t, o);
    putchar('\n');
    cJSON_ArrayForEach(e, list)
    {
        const char *text = *get_text(e, "summary") ? get_text(e, "summary") : get_text(e, "reason");

        format_duration((int64_t)get_number(e, "duration_ms") * 1000, took, sizeof took);
        snprintf(line, sizeof line, "  %-16s %-9s %8s   execution %-5.0f %s", node_of(e),
                 get_text(e, "state"), took, get_number(e, "execution"), text);
        put_column(stdout, t, line, text_width(line) < t->width ? text_width(line) : t->width);
        putchar('\n');
    }
}

int show_thing(hr_project *p, const char *what, bool json)
{
    const char *text = NULL;
    struct term t;
    cJSON *root;

    if (hr_show(p, what, &text) < 0)
        return tell_error(p);
    if (json) {
        puts(text);
        return EXIT_DONE;
    }
    term_ask(&t, stdout);
    if (!(root = parse_json(text))) {
        no_memory();
        return EXIT_WRONG;
    }
    if (!strcmp(get_text(root, "kind"), "run"))
        show_run(&t, root);
    else if (!strcmp(get_text(root, "kind"), "execution"))
        show_execution(p, &t, root);
    else
        show_artifact(&t, root);
    cJSON_Delete(root);
    return EXIT_DONE;
}

static int show(const struct args *a)
{
    char what[512];
    hr_project *p;
    int code;

    join_words(a, what, sizeof what);
    if (!(p = open_project(a, true)))
        return EXIT_WRONG;
    code = show_thing(p, what, arg_flag(a, "--json"));
    hr_free(p);
    return code;
}

static const struct option options[] = {
    FLAG("--json", "all that is known, as JSON"),
    PROJECT_OPTIONS,
    END_OPTIONS,
};
const struct verb verb_show = {
    .name = "show",
    .group = GROUP_LOOK,
    .words = "WHAT [NUMBER]",
    .line = "one thing, with a picture",
    .page = "Shows the facts of one thing, and a picture of its content where there is one.  WHAT "
            "is \"run 7\", \"execution 12\", \"artifact 12\", a model as \"penguin@7\", or the "
            "name of a node, which stands for its newest execution and draws what that has made.",
    .options = options,
    .run = show,
};
