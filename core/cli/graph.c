/* graph: a pipeline as text, for Graphviz or Mermaid; with --run coloured by how nodes ended. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/draw.h"

/* What of a run is seen at its nodes. */
struct graph {
    cJSON *pipeline, *run; /* run: NULL without one */
    const cJSON *nodes;
    struct term term;
};

/* The last state of a node in the run; "" without a run, or where it has not run. */
static const char *state_of(const struct graph *g, const char *node)
{
    const cJSON *e;
    const char *state = "";

    if (g->run)
        cJSON_ArrayForEach(e, cJSON_GetObjectItemCaseSensitive(g->run, "executions"))
            if (!strcmp(get_text(e, "node"), node))
                state = get_text(e, "state");
    return state;
}

static const struct look {
    const char *state, *word, *terminal, *fill;
} looks[] = {
    { "COMPLETE", "done", "green", "#b7e1b0" },  { "CACHED", "cached", "blue", "#b5d0ee" },
    { "FAILED", "failed", "red", "#f2b0a8" },    { "RUNNING", "running", "yellow", "#f6e3a1" },
    { "CANCELED", "skipped", "dim", "#dddddd" }, { "", "", "off", "#ffffff" },
};

static const struct look *look_of(const struct graph *g, const char *node)
{
    const char *state = state_of(g, node);
    size_t i;

    for (i = 0; *looks[i].state && strcmp(looks[i].state, state) != 0; i++)
        ;
    return &looks[i];
}

/* What stands in a node: the last part of its component, or its kind. */
static const char *kind_of(const cJSON *node)
{
    static const char *const kinds[] = { "resolver", "importer", "pipeline", "command" };
    const char *id = get_text(node, "component"), *dot = strrchr(id, '.');
    size_t i;

    if (*id)
        return dot ? dot + 1 : id;
    for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (has(node, kinds[i]))
            return kinds[i];
    return "";
}

static const cJSON *after(const cJSON *node)
{
    return cJSON_GetObjectItemCaseSensitive(node, "after");
}

/* Longest way from a node without anything before it; the graph has no circles. */
static int level_of(const struct graph *g, const cJSON *node, int depth)
{
    const cJSON *up;
    int level = 0, above;

    if (depth > 1000)
        return 0;
    cJSON_ArrayForEach(up, after(node))
    {
        above = level_of(g, cJSON_GetObjectItemCaseSensitive(g->nodes, cJSON_GetStringValue(up)),
                         depth + 1) + 1;
        level = above > level ? above : level;
    }
    return level;
}

static void print_text(const struct graph *g)
{
    const cJSON *n, *up;
    int width = 0, left;
    char line[1024];

    cJSON_ArrayForEach(n, g->nodes)
        width = text_width(n->string) > width ? text_width(n->string) : width;
    cJSON_ArrayForEach(n, g->nodes)
    {
        const struct look *look = look_of(g, n->string);
        size_t used;

        fputs(color(&g->term, look->terminal), stdout);
        put_column(stdout, &g->term, n->string, width);
        fputs(color(&g->term, "off"), stdout);
        if (g->run)
            printf("  %-8s", *look->word ? look->word : "not run");
        used = (size_t)snprintf(line, sizeof line, after(n)->child ? "  %-18s" : "  %s",
                                kind_of(n));
        cJSON_ArrayForEach(up, after(n)) if (used < sizeof line)
            used += (size_t)snprintf(line + used, sizeof line - used, "%s%s",
                                     up == after(n)->child ? " <- " : ", ",
                                     cJSON_GetStringValue(up));
        left = g->term.width - width - (g->run ? 10 : 0);
        put_column(stdout, &g->term, line,
                   text_width(line) < left ? text_width(line) : left > 4 ? left : 4);
        putchar('\n');
    }
}

static void print_dot(const struct graph *g)
{
    const cJSON *n, *up;

    printf("digraph \"%s\" {\n    rankdir = LR;\n"
           "    node [shape = box, style = filled, fontname = \"sans-serif\"];\n",
           get_text(g->pipeline, "name"));
    cJSON_ArrayForEach(n, g->nodes)
    {
        const struct look *look = look_of(g, n->string);

        printf("    \"%s\" [label = \"%s\\n%s%s%s\", fillcolor = \"%s\"];\n", n->string, n->string,
               kind_of(n), *look->word ? "\\n" : "", look->word, look->fill);
    }
    cJSON_ArrayForEach(n, g->nodes) cJSON_ArrayForEach(up, after(n))
        printf("    \"%s\" -> \"%s\";\n", cJSON_GetStringValue(up), n->string);
    puts("}");
}

/* Names of nodes may hold what Mermaid takes as its own, so nodes are numbered. */
static int number_of(const struct graph *g, const char *node)
{
    const cJSON *n;
    int i = 0;

    cJSON_ArrayForEach(n, g->nodes)
    {
        if (!strcmp(n->string, node))
            return i;
        i++;
    }
    return -1;
}

static void print_mermaid(const struct graph *g)
{
    const cJSON *n, *up;
    int i = 0;

    puts("flowchart LR");
    cJSON_ArrayForEach(n, g->nodes)
    {
        const struct look *look = look_of(g, n->string);

        printf("    n%d[\"%s<br/>%s%s%s\"]\n", i, n->string, kind_of(n), *look->word ? "<br/>" : "",
               look->word);
        if (g->run)
            printf("    style n%d fill:%s\n", i, look->fill);
        i++;
    }
    cJSON_ArrayForEach(n, g->nodes) cJSON_ArrayForEach(up, after(n))
        printf("    n%d --> n%d\n", number_of(g, cJSON_GetStringValue(up)),
               number_of(g, n->string));
}

/* The nodes in the order of the graph: by level, then as in the file. */
static bool sort_nodes(struct graph *g)
{
    cJSON *sorted = cJSON_CreateObject(), *copy;
    const cJSON *n;
    int level, most = 0;

    cJSON_ArrayForEach(n, g->nodes)
    {
        level = level_of(g, n, 0);
        most = level > most ? level : most;
    }
    for (level = 0; level <= most && sorted; level++)
        cJSON_ArrayForEach(n, g->nodes) if (level_of(g, n, 0) == level)
        {
            copy = cJSON_Duplicate(n, true);
            if (!copy || !cJSON_AddItemToObject(sorted, n->string, copy)) {
                cJSON_Delete(copy);
                cJSON_Delete(sorted);
                return false;
            }
        }
    if (!sorted)
        return false;
    cJSON_ReplaceItemInObjectCaseSensitive(g->pipeline, "nodes", sorted);
    g->nodes = cJSON_GetObjectItemCaseSensitive(g->pipeline, "nodes");
    return true;
}

static int print(struct graph *g, const char *format)
{
    g->nodes = cJSON_GetObjectItemCaseSensitive(g->pipeline, "nodes");
    if (!g->nodes || !sort_nodes(g)) {
        no_memory();
        return EXIT_WRONG;
    }
    term_ask(&g->term, stdout);
    if (format && !strcmp(format, "dot"))
        print_dot(g);
    else if (format && !strcmp(format, "mermaid"))
        print_mermaid(g);
    else
        print_text(g);
    return EXIT_DONE;
}

static int graph(const struct args *a)
{
    const char *run = arg_text(a, "--run"), *text = NULL;
    struct graph g = { 0 };
    hr_project *p = open_project(a, run != NULL);
    char what[256];
    int code = EXIT_DONE;

    if (!p)
        return EXIT_WRONG;
    if (hr_normalize(p, a->count ? a->words[0] : "pipeline.json", NULL, &text) < 0)
        code = tell_error(p);
    else
        g.pipeline = parse_json(text);
    if (code == EXIT_DONE && run) {
        snprintf(what, sizeof what, "run %s", !strncmp(run, "run ", 4) ? run + 4 : run);
        if (hr_show(p, what, &text) < 0)
            code = tell_error(p);
        else
            g.run = parse_json(text);
    }
    if (code == EXIT_DONE)
        code = print(&g, arg_text(a, "--format"));
    cJSON_Delete(g.pipeline);
    cJSON_Delete(g.run);
    hr_free(p);
    return code;
}

static const struct option options[] = {
    VALUE("--format", "text|dot|mermaid", "how to print it; dot is for Graphviz"),
    VALUE("--run", "RUN", "coloured by how the nodes of that run ended: its number or id"),
    PROJECT_OPTIONS,
    END_OPTIONS,
};
const struct verb verb_graph = {
    .name = "graph",
    .group = GROUP_RUN,
    .words = "[FILE]",
    .line = "draw a pipeline",
    .page = "Draws a pipeline, pipeline.json unless given: each node with those that it waits "
            "for.\n\n  headrace graph --format dot | dot -Tsvg > graph.svg",
    .options = options,
    .run = graph,
};
