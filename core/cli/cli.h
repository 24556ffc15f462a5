/* cli.h - private to cli: what the commands share.  They use headrace.h and the C library.
 *
 *     main.c   finds the verb              verbs.h, verbs.c, args.c   the table, and parsing
 *     help.c, man.c, completion.c          the table as help, man page and shell completion
 *     term.c   what the terminal can       table.c  rows of a cursor: a table, JSON, CSV
 *     text.c   texts                       draw*.c, show.c            one thing, drawn
 *     run.c, view.c   running and what is seen meanwhile
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

#include "cli/verbs.h"

enum { EXIT_DONE = 0, EXIT_WRONG = 1, EXIT_USAGE = 2, EXIT_GATE = 3, EXIT_INTERRUPTED = 130 };

/* What the terminal can. */
struct term {
    bool tty, color, utf8;
    int width;
};

void term_ask(struct term *ret, FILE *f);
int text_width(const char *text); /* columns */
/* What would do something to a terminal - move the cursor, change colours - shown, as \x1b; of
 * lines, line feeds and tabs stay.  Cut where n bytes end. */
void shown(char *to, size_t n, const char *text, bool lines);
void put_shown(FILE *f, const char *text); /* lines */
/* The text in n columns: cut with an ellipsis, or filled with blanks. */
void put_column(FILE *f, const struct term *t, const char *text, int n);
const char *color(const struct term *t, const char *name); /* "red", "green", ..., "off" */

/* -- what goes wrong beside the work ----------------------------------------- */

/* Without memory for something that is printed: says so, once. */
void no_memory(void);
/* The exit status is EXIT_WRONG and not EXIT_DONE, for what was told already. */
void end_wrong(void);
bool ends_wrong(void);

/* -- projects -------------------------------------------------------------- */

/* A handle, with the project of --root or of this directory opened if it is needed.  NULL:
 * told. */
hr_project *open_project(const struct args *a, bool needed);

/* The same, and nothing in it is changed. */
hr_project *open_project_to_look(const struct args *a, bool needed);

/* The same with the project of this directory, if there is one: for what works without, but
 * heeds what a project says.  A project that cannot be opened is told, and NULL. */
hr_project *open_project_if_there(const struct args *a);

/* hr_error() to stderr, as it is.  Returns EXIT_WRONG. */
int tell_error(const hr_project *p);

/* How rows are printed; what --json and --csv say, which exclude each other: EXIT_DONE, or
 * EXIT_USAGE with that told. */
enum row_form { ROWS_TABLE, ROWS_JSON, ROWS_CSV };
int arg_row_form(const struct args *a, enum row_form *ret);

/* Rows of hr_query_newest(): a table, the newest first, or JSON lines or CSV, the oldest first.
 * A table without a limit shows the newest 50, and says so. */
struct list_spec {
    const char *what, *filter;
    const char *const *columns; /* that a person sees, ended by NULL */
    int64_t limit;              /* 0: all */
    enum row_form form;
};
int print_rows(hr_project *p, const struct list_spec *spec);
/* The same as a verb: what --filter, --limit, --json and --csv say. */
int list_rows(const struct args *a, const char *what, const char *const *columns, bool project);

/* Rows of hr_examples(): a table of the first 20, or CSV or JSON lines of all. */
int print_examples(hr_project *p, hr_cursor *c, int64_t limit, enum row_form form);

/* The number of an artifact or execution: a number, "artifact 12", or the name of a node for its
 * newest execution.  0: told. */
int64_t execution_of(hr_project *p, const char *what);

/* The words of a thing as one text, "run 7". */
void join_words(const struct args *a, char *to, size_t n);

/* One thing, drawn or as JSON. */
int show_thing(hr_project *p, const char *what, bool json);

/* --dry-run: what run_pipeline() would do. */
int preview_pipeline(const struct args *a, bool resume);

/* --replay: one execution again. */
int replay_execution(const struct args *a);

/* Run the pipeline of the command line; or go on with the run that it names. */
int run_pipeline(const struct args *a, bool resume);

/* -- texts ----------------------------------------------------------------- */

/* "31 ms", "1.2 s", "3 min 05 s" */
void format_duration(int64_t us, char *to, size_t n);
/* "2026-11-25 10:15:02", in local time */
void format_time(int64_t ms, char *to, size_t n);

/* The name of the list that may have been meant by word; NULL: none is near. */
const char *meant(const char *word, const char *const *names, size_t n);

/* Bytes as UTF-8 that the caller frees, with U+FFFD for each that is none; NULL: no memory. */
char *utf8_of(const char *bytes, size_t n);

/* A text as a JSON string literal, freed by the caller. */
char *json_quote(const char *text);

/* A text that grows; bytes is freed by the caller.  failed: there was no memory, which is told. */
struct text {
    char *bytes;
    size_t len, cap;
    bool failed;
};
void text_add(struct text *t, const char *bytes);
void text_quoted(struct text *t, const char *bytes); /* as a JSON string literal */

/* Paragraphs, wrapped to a width; lines but the first begin behind indent blanks. */
void put_wrapped(FILE *f, const char *text, int indent, int width);

#endif
