/* The manual page headrace(1), from the table of verbs, in the man macros of troff. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

/* Text that troff takes as it is: no escape, no request at the begin of a line. */
static void put_plain(const char *text, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        if (i == 0 && (text[i] == '.' || text[i] == '\''))
            fputs("\\&", stdout);
        if (text[i] == '\\')
            fputs("\\e", stdout);
        else if (text[i] == '-')
            fputs("\\-", stdout);
        else
            putchar(text[i]);
    }
}

/* Paragraphs as paragraphs; lines that begin with a blank as an example. */
static void put_page(const char *text)
{
    bool example = false;

    while (*text) {
        size_t n = strcspn(text, "\n");

        if (example != (*text == ' ')) {
            example = !example;
            puts(example ? ".nf" : ".fi");
        }
        if (!n && text[1])
            puts(".PP");
        else if (n) {
            put_plain(text, n);
            putchar('\n');
        }
        text += n + (text[n] == '\n');
    }
    if (example)
        puts(".fi");
}

static void put_options(const struct verb *v)
{
    const struct option *o;

    for (o = v->options; o && o->name; o++) {
        fputs(".TP\n\\fB", stdout);
        put_plain(o->name, strlen(o->name));
        fputs("\\fR", stdout);
        if (o->value) {
            fputs(" \\fI", stdout);
            put_plain(o->value, strlen(o->value));
            fputs("\\fR", stdout);
        }
        putchar('\n');
        put_plain(o->help, strlen(o->help));
        puts(o->many ? "; repeatable" : "");
    }
}

static void put_verb(const struct verb *v, const char *full)
{
    size_t i;

    printf(".SS headrace %s", full);
    if (v->words && *v->words) {
        putchar(' ');
        put_plain(v->words, strlen(v->words));
    }
    puts("");
    put_page(v->page);
    put_options(v);
    for (i = 0; v->nouns && v->nouns[i]; i++) {
        char name[64];

        snprintf(name, sizeof name, "%s %s", v->name, v->nouns[i]->name);
        put_verb(v->nouns[i], name);
    }
}

void print_man(void)
{
    int group;
    size_t i;

    printf(".TH HEADRACE 1 \"\" \"headrace %s\"\n", HR_VERSION_TEXT);
    fputs(".SH NAME\nheadrace \\- machine\\-learning pipelines in native code\n"
          ".SH SYNOPSIS\n.B headrace\n\\fIVERB\\fR [\\fINOUN\\fR] [\\fIOPTIONS\\fR]\n"
          ".SH DESCRIPTION\n",
          stdout);
    put_page("Runs production machine-learning pipelines: ingest, validate, transform, train, "
             "evaluate, gate, push, with every step in an ML Metadata store.  A pipeline is one "
             "file, pipeline.json; a project keeps its state in .headrace/ beside it.\n\n"
             "Results go to standard output, all else to standard error.");
    for (group = 0; group < GROUPS; group++) {
        fputs(".SH \"", stdout);
        for (i = 0; group_title((enum group)group)[i]; i++) {
            char c = group_title((enum group)group)[i];

            putchar(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
        }
        puts("\"");
        for (i = 0; verbs[i]; i++)
            if ((int)verbs[i]->group == group)
                put_verb(verbs[i], verbs[i]->name);
    }
    puts(".SH \"EXIT STATUS\"");
    put_page("0 done; 1 something failed or the input was wrong; 2 usage; 3 a gate refused and "
             "--strict was given; 130 interrupted.");
    puts(".SH ENVIRONMENT\n.TP\n.B HEADRACE_PLUGIN_PATH\nwhere plugins are looked for first\n"
         ".TP\n.B HEADRACE_THREADS, HEADRACE_BATCH_ROWS\nhow work is cut; results do not depend on "
         "it\n.TP\n.B NO_COLOR\nno colours, whatever it holds");
    puts(".SH FILES\n.TP\n.I pipeline.json\nthe pipeline\n.TP\n.I .headrace/\nthe state of the "
         "project: metadata.sqlite, artifacts, registry, cache, run");
}
