/* lineage: what a thing came from, and what came of it. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/draw.h"

/* A text within the quotes of dot. */
static void put_dot(const char *text)
{
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            putchar('\\');
        putchar(*text == '\n' ? ' ' : *text);
    }
}

static void print_dot(const cJSON *root)
{
    const cJSON *n;

    puts("digraph lineage {\n    rankdir = LR;\n    node [fontname = \"sans-serif\"];");
    cJSON_ArrayForEach(n, cJSON_GetObjectItemCaseSensitive(root, "nodes"))
    {
        bool artifact = !strncmp(get_text(n, "id"), "artifact", 8);

        fputs("    \"", stdout);
        put_dot(get_text(n, "id"));
        fputs("\" [label = \"", stdout);
        put_dot(get_text(n, "type"));
        fputs("\\n", stdout);
        put_dot(get_text(n, "id"));
        if (has(n, "number"))
            printf(" of run %.0f", get_number(n, "number"));
        printf("\", shape = %s%s];\n", artifact ? "ellipse" : "box",
               get_number(n, "depth") == 0 ? ", style = bold" : "");
    }
    cJSON_ArrayForEach(n, cJSON_GetObjectItemCaseSensitive(root, "edges"))
    {
        fputs("    \"", stdout);
        put_dot(cJSON_GetStringValue(cJSON_GetArrayItem(n, 0)));
        fputs("\" -> \"", stdout);
        put_dot(cJSON_GetStringValue(cJSON_GetArrayItem(n, 1)));
        puts("\";");
    }
    puts("}");
}

static void print_node(const struct term *t, const cJSON *n)
{
    int depth = (int)get_number(n, "depth"), indent = 2 * (depth < 0 ? -depth : depth);
    bool artifact = !strncmp(get_text(n, "id"), "artifact", 8);
    const char *more = artifact ? get_text(n, "uri") : get_text(n, "summary");
    char line[512];
    int width;

    indent = indent < 24 ? indent : 24;
    snprintf(line, sizeof line, "%*s%-15s %-18s %-14s run %-4.0f %s%s%s", indent, "",
             get_text(n, "id"), get_text(n, "type"), get_text(n, "node"), get_number(n, "number"),
             artifact && strcmp(get_text(n, "state"), "LIVE") != 0 ? get_text(n, "state") : "",
             artifact ? " " : "", more);
    width = text_width(line);
    fputs(color(t, depth ? "off" : "bold"), stdout);
    put_column(stdout, t, line, width < t->width ? width : t->width);
    printf("%s\n", color(t, "off"));
}

/* Upward from the nearest, then the thing, then downward: each line as far in as it is away. */
static void print_text(const struct term *t, const cJSON *root)
{
    const cJSON *nodes = cJSON_GetObjectItemCaseSensitive(root, "nodes"), *n;
    int depth, least = 0, most = 0;

    cJSON_ArrayForEach(n, nodes)
    {
        depth = (int)get_number(n, "depth");
        least = depth < least ? depth : least;
        most = depth > most ? depth : most;
    }
    cJSON_ArrayForEach(n, nodes) if (get_number(n, "depth") == 0) print_node(t, n);
    if (least < 0)
        puts("came from");
    for (depth = -1; depth >= least; depth--)
        cJSON_ArrayForEach(n, nodes) if ((int)get_number(n, "depth") == depth) print_node(t, n);
    if (most > 0)
        puts("came of it");
    for (depth = 1; depth <= most; depth++)
        cJSON_ArrayForEach(n, nodes) if ((int)get_number(n, "depth") == depth) print_node(t, n);
}

static int print(const char *json, const char *format)
{
    struct term t;
    cJSON *root;

    if (format && !strcmp(format, "json")) {
        puts(json);
        return EXIT_DONE;
    }
    if (!(root = parse_json(json))) {
        no_memory();
        return EXIT_WRONG;
    }
    term_ask(&t, stdout);
    if (format && !strcmp(format, "dot"))
        print_dot(root);
    else
        print_text(&t, root);
    cJSON_Delete(root);
    return EXIT_DONE;
}

static int lineage(const struct args *a)
{
    uint32_t flags = (arg_flag(a, "--up") ? HR_LINEAGE_UP : 0) |
                     (arg_flag(a, "--down") ? HR_LINEAGE_DOWN : 0);
    const char *json = NULL;
    int64_t depth = 0;
    char what[512];
    hr_project *p;
    int code = arg_number(a, "--depth", 1, &depth);

    if (code != EXIT_DONE)
        return code;
    if (depth > INT32_MAX)
        depth = 0;
    join_words(a, what, sizeof what);
    if (!(p = open_project(a, true)))
        return EXIT_WRONG;
    if (hr_lineage(p, what, flags, (int32_t)depth, &json) < 0)
        code = tell_error(p);
    else
        code = print(json, arg_text(a, "--format"));
    hr_free(p);
    return code;
}

static const struct option options[] = {
    FLAG("--up", "only what it came from"),
    FLAG("--down", "only what came of it"),
    VALUE("--depth", "N", "at most N steps between artifacts and executions"),
    VALUE("--format", "text|dot|json", "how to print it; dot is for Graphviz"),
    PROJECT_OPTIONS,
    END_OPTIONS,
};
const struct verb verb_lineage = {
    .name = "lineage",
    .group = GROUP_LOOK,
    .words = "WHAT [NUMBER]",
    .line = "where a thing came from",
    .page = "Shows what a thing came from, and what came of it: artifacts and the executions "
            "between them, each with its run.  WHAT is as in show: \"artifact 12\", "
            "\"execution 12\", \"run 7\", \"penguin@7\" or the name of a node.",
    .options = options,
    .run = lineage,
};
