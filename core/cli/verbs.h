/* verbs.h - private to cli: the table of verbs, and what was given on a command line.
 *
 * Each verb is described once, beside the function that does it: its words, options and help.
 * From that come parsing, "help", the man page and the completion of shells.
 *
 *     static const struct option options[] = {
 *         VALUE("--limit", "N", "the newest N rows"),
 *         FLAG("--json", "one JSON object a line"),
 *         PROJECT_OPTIONS,
 *         END_OPTIONS,
 *     };
 *     const struct verb verb_runs = { .name = "runs", .group = GROUP_LOOK, .words = "",
 *         .line = "the runs", .page = "...", .options = options, .run = runs };
 *
 * A verb with nouns ("model list") only holds them: each noun is a verb of its own.
 *
 * Words are blanks between placeholders: "DIR", "[FILE]" may lack, "NODE..." any number from
 * one on.  The value of an option is a placeholder too.  "a|b" is one of these and nothing
 * else; FILE and DIR are completed by the shell as such.
 */
#ifndef HR_CLI_VERBS_H
#define HR_CLI_VERBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum group { GROUP_RUN, GROUP_LOOK, GROUP_KEEP, GROUPS };

struct option {
    const char *name;  /* "--jobs" */
    const char *value; /* "N"; NULL: a flag */
    const char *help;  /* a line without full stop; wrapped where it is long */
    bool many;         /* may be given several times; else the last one counts */
};
#define FLAG(name, help) { name, NULL, help, false }
#define VALUE(name, value, help) { name, value, help, false }
#define MANY(name, value, help) { name, value, help, true }
#define END_OPTIONS { NULL, NULL, NULL, false }
#define PROJECT_OPTIONS                                                                            \
    VALUE("--root", "DIR", "the project's directory (default: the one here or above)"),            \
        VALUE("--plugin-path", "DIRS", "where plugins are looked for first, separated by colons")
#define LIST_OPTIONS                                                                               \
    VALUE("--filter", "TEXT", "rows that match, as \"state = FAILED and node = trainer\""),        \
        VALUE("--limit", "N", "the newest N rows"),                                                \
        FLAG("--json", "one JSON object a line, with all columns, the oldest first"),              \
        FLAG("--csv", "CSV with a header, with all columns, the oldest first")

struct args;

struct verb {
    const char *name;
    enum group group;
    const char *words;
    const char *line; /* at most 27 columns: the list of "help" has two of them side by side */
    const char *page; /* paragraphs, wrapped; a line that begins with a blank stays as it is */
    const struct option *options;     /* ended by END_OPTIONS; NULL: none */
    const struct verb *const *nouns;  /* ended by NULL; NULL: none */
    int (*run)(const struct args *a); /* returns the exit status */
};
extern const struct verb *const verbs[]; /* in the order of the groups; ended by NULL */

const struct verb *find_verb(const char *name);
const struct verb *find_noun(const struct verb *v, const char *name);
const char *group_title(enum group group);

/* -- what was given -------------------------------------------------------- */

enum { MAX_WORDS = 64, MAX_GIVEN = 256 };

struct given {
    const struct option *option;
    const char *value; /* NULL: a flag */
};

struct args {
    const struct verb *verb;
    const char *full; /* "model list" */
    const char *words[MAX_WORDS];
    int count;
    struct given given[MAX_GIVEN];
    int given_count;
};

/* Read argv, which begins behind the verb, by the table.  EXIT_USAGE: told. */
int read_args(const struct verb *v, const char *full, int argc, char **argv, struct args *ret);

/* The value of an option; NULL: it was not given.  Of one that may be given several times:
 * each in turn, *at begins with 0.  The option must be in the verb's table. */
const char *arg_text(const struct args *a, const char *name);
bool arg_flag(const struct args *a, const char *name);
const char *arg_next(const struct args *a, const char *name, int *at);
/* A whole number from least on; *ret stays where it was not given.  EXIT_USAGE: told. */
int arg_number(const struct args *a, const char *name, int64_t least, int64_t *ret);

/* A sentence about what was given to stderr, with the usage below it.  Returns EXIT_USAGE. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
int usage(const struct args *a, const char *format, ...);

/* -- the table as text ----------------------------------------------------- */

/* "headrace runs [OPTIONS]" */
void put_usage(void *file, const struct verb *v, const char *full);

/* Does the placeholder at *at, which moves behind it, name a choice, a file, a directory?  Its
 * text without brackets and dots goes into to.  false: there was none left. */
struct placeholder {
    char text[160];
    bool optional, many, choice, file, dir;
};
bool next_placeholder(const char **at, struct placeholder *ret);

int help_short(void);
int help_verb(const struct verb *v, const char *full);
void print_man(void);

/* X(name): the descriptions, each in the file of its verb. */
#define VERB_LIST(X)                                                                               \
    X(new)                                                                                         \
    X(init)                                                                                        \
    X(check)                                                                                       \
    X(run)                                                                                         \
    X(resume)                                                                                      \
    X(graph)                                                                                       \
    X(why)                                                                                         \
    X(watch)                                                                                       \
    X(cancel)                                                                                      \
    X(runs)                                                                                        \
    X(executions)                                                                                  \
    X(artifacts)                                                                                   \
    X(show)                                                                                        \
    X(lineage)                                                                                     \
    X(diff)                                                                                        \
    X(log)                                                                                         \
    X(open)                                                                                        \
    X(gc)                                                                                          \
    X(doctor)                                                                                      \
    X(cache)                                                                                       \
    X(model)                                                                                       \
    X(plugin)                                                                                      \
    X(package)                                                                                     \
    X(lock)                                                                                        \
    X(completion)                                                                                  \
    X(version)                                                                                     \
    X(help)
#define VERB_DECLARE(name) extern const struct verb verb_##name;
VERB_LIST(VERB_DECLARE)
#undef VERB_DECLARE

#endif
