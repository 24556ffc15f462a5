/* help, version: the table of verbs as text. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

enum { NAME = 11, COLUMN = 41, PAGE = 80 };

static int page_width(void)
{
    struct term t;

    term_ask(&t, stdout);
    return t.width < PAGE ? t.width : PAGE;
}

/* What most people need, in the order in which they do. */
int help_short(void)
{
    static const struct verb *const some[] = { &verb_new,       &verb_check, &verb_run,
                                               &verb_show,      &verb_runs,  &verb_executions,
                                               &verb_artifacts, &verb_log,   &verb_model,
                                               &verb_plugin };
    size_t i;

    printf("headrace %s - machine-learning pipelines in native code\n\n", HR_VERSION_TEXT);
    for (i = 0; i < sizeof some / sizeof some[0]; i++)
        printf("  headrace %-*s %s\n", NAME, some[i]->name, some[i]->line);
    printf("\n");
    put_wrapped(stdout,
                "\"headrace help\" lists all commands, \"headrace help VERB\" tells more of one. "
                "To begin: headrace new DIR, then headrace run in it.",
                0, page_width());
    return EXIT_DONE;
}

/* One group, down the first column and then the second where there is room for two. */
static void put_group(enum group group, int width)
{
    const struct verb *list[64];
    size_t n = 0, i, rows;
    bool two = width >= 2 * COLUMN - 2;

    for (i = 0; verbs[i] && n < 64; i++)
        if (verbs[i]->group == group)
            list[n++] = verbs[i];
    rows = two ? (n + 1) / 2 : n;
    printf("%s\n", group_title(group));
    for (i = 0; i < rows; i++) {
        int used = printf("  %-*s ", NAME, list[i]->name);

        if (!two) {
            put_wrapped(stdout, list[i]->line, used, width);
            continue;
        }
        used += printf("%s", list[i]->line);
        if (i + rows < n)
            printf("%*s%-*s %s", used < COLUMN ? COLUMN - used : 1, "", NAME, list[i + rows]->name,
                   list[i + rows]->line);
        putchar('\n');
    }
}

static int help_all(void)
{
    int width = page_width(), group;

    put_wrapped(stdout, "headrace " HR_VERSION_TEXT " - machine-learning pipelines in native code",
                0, width);
    for (group = 0; group < GROUPS; group++)
        put_group((enum group)group, width);
    put_wrapped(stdout, "\"headrace help VERB\" tells more; man headrace has all of it.", 0, width);
    return EXIT_DONE;
}

static void put_options(const struct verb *v, int width)
{
    const struct option *o;
    char name[64];
    int indent = width < 60 ? 6 : 24;

    for (o = v->options; o && o->name; o++) {
        snprintf(name, sizeof name, "  %s%s%s", o->name, o->value ? " " : "",
                 o->value ? o->value : "");
        if ((int)strlen(name) + 2 > indent)
            printf("%s\n%*s", name, indent, "");
        else
            printf("%-*s", indent, name);
        if (o->many) {
            char help[256];

            snprintf(help, sizeof help, "%s; repeatable", o->help);
            put_wrapped(stdout, help, indent, width);
        } else {
            put_wrapped(stdout, o->help, indent, width);
        }
    }
}

int help_verb(const struct verb *v, const char *full)
{
    int width = page_width();
    size_t i;

    printf("%s - %s\n\nusage: ", full, v->line);
    put_usage(stdout, v, full);
    printf("\n\n");
    put_wrapped(stdout, v->page, 0, width);
    if (v->nouns)
        putchar('\n');
    for (i = 0; v->nouns && v->nouns[i]; i++)
        printf("  %-*s %s\n", NAME, v->nouns[i]->name, v->nouns[i]->line);
    if (v->nouns)
        printf("\n\"headrace help %s NOUN\" tells more.\n", v->name);
    if (v->options)
        putchar('\n');
    put_options(v, width);
    return EXIT_DONE;
}

static int help(const struct args *a)
{
    const struct verb *v = a->count ? find_verb(a->words[0]) : NULL, *noun;
    char full[64];

    if (arg_flag(a, "--man")) {
        print_man();
        return EXIT_DONE;
    }
    if (!a->count)
        return help_all();
    if (!v)
        return usage(a, "there is no command \"%s\"", a->words[0]);
    if (a->count == 1)
        return help_verb(v, v->name);
    if (!(noun = find_noun(v, a->words[1])))
        return usage(a, "there is no command \"%s %s\"", v->name, a->words[1]);
    snprintf(full, sizeof full, "%s %s", v->name, noun->name);
    return help_verb(noun, full);
}

static int version(const struct args *a)
{
    uint32_t v = hr_version();

    (void)a;
    printf("headrace %u.%u.%u\n", v / 10000, v / 100 % 100, v % 100);
    return EXIT_DONE;
}

const struct verb verb_version = {
    .name = "version",
    .group = GROUP_KEEP,
    .words = "",
    .line = "the version",
    .page = "Prints the version of the library that the command is linked with.",
    .run = version,
};

static const struct option help_options[] = {
    FLAG("--man", "print the manual page headrace(1) instead, for man"),
    END_OPTIONS,
};
const struct verb verb_help = {
    .name = "help",
    .group = GROUP_KEEP,
    .words = "[VERB] [NOUN]",
    .line = "this list, or a page",
    .page = "Prints the list of all commands, or the page of one.",
    .options = help_options,
    .run = help,
};
