/* cli.h - private to cli: what the commands share.  They use headrace.h and the C library.
 *
 *     main.c   the table of verbs          args.c   options
 *     term.c   what the terminal can       table.c  rows of a cursor, as a table or as JSON
 *     run.c, view.c   running and what is seen meanwhile
 *     show.c, draw.c, draw_data.c, draw_model.c   one thing, drawn
 *     the others: one command a file
 *
 * Only results go to stdout; what is said beside them goes to stderr.
 */
#ifndef HR_CLI_H
#define HR_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "headrace/headrace.h"

enum { EXIT_DONE = 0, EXIT_WRONG = 1, EXIT_USAGE = 2, EXIT_GATE = 3, EXIT_INTERRUPTED = 130 };

/* What the terminal can. */
struct term {
    bool tty, color, utf8;
    int width;
};

/* A verb: its name, how it is called, one line and a page of help, and what it does. */
struct verb {
    const char *name, *usage, *line, *page;
    int (*run)(int argc, char **argv); /* argv[0] is the verb */
};
extern const struct verb verbs[]; /* ended by an empty name */
const struct verb *find_verb(const char *name);

void term_ask(struct term *ret, FILE *f);
int text_width(const char *text); /* columns */
/* The text in n columns: cut with an ellipsis, or filled with blanks. */
void put_column(FILE *f, const struct term *t, const char *text, int n);
const char *color(const struct term *t, const char *name); /* "red", "green", ..., "off" */

/* -- options --------------------------------------------------------------- */

/* An option that a verb takes; value NULL: a flag. */
struct option_spec {
    const char *name;   /* "--jobs" */
    const char **value; /* where its value goes */
    bool *flag;
    bool many; /* may be given several times: given to add */
    int (*add)(void *user, const char *value);
    void *user;
};

#define MAX_WORDS 64

/* Take the options out; rest has room for MAX_WORDS and gets the words that are left, ended by
 * NULL.  EXIT_USAGE: told, also when there are too many words. */
int take_options(int argc, char **argv, const struct option_spec *specs, char **rest, int *ret_n);

/* "usage: ..." of a verb to stderr, with a sentence before it. */
int usage(const char *verb, const char *format, ...);

/* -- projects -------------------------------------------------------------- */

struct project_options {
    const char *root, *plugin_path;
};

/* A handle, with the project of root or of this directory opened if it is needed.  NULL:
 * told. */
hr_project *open_project(const struct project_options *options, bool needed);

/* hr_error() to stderr, as it is.  Returns EXIT_WRONG. */
int tell_error(const hr_project *p);

/* Rows of hr_query(): a table, or with json a line for each. */
struct list_spec {
    const char *what, *filter;
    const char *const *columns; /* that a person sees, ended by NULL */
    const char *limit;
    bool json;
};
int print_rows(hr_project *p, const struct list_spec *spec);

/* One thing, drawn or as JSON. */
int show_thing(hr_project *p, const char *what, bool json);

/* "31 ms", "1.2 s", "3 min 05 s" */
void format_duration(int64_t us, char *to, size_t n);
/* "2026-11-25 10:15:02", in local time */
void format_time(int64_t ms, char *to, size_t n);

/* A JSON text as a JSON string literal, freed by the caller. */
char *json_quote(const char *text);

#endif
