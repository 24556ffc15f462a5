/* Command lines, read by the table of verbs. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/verbs.h"

/* -- placeholders ---------------------------------------------------------- */

bool next_placeholder(const char **at, struct placeholder *ret)
{
    const char *end;
    size_t n;

    while (**at == ' ')
        (*at)++;
    end = *at + strcspn(*at, " ");
    if (end == *at)
        return false;
    memset(ret, 0, sizeof *ret);
    ret->optional = **at == '[';
    *at += ret->optional;
    n = (size_t)(end - *at);
    if (n > 3 && !memcmp(end - 3, "...", 3)) {
        ret->many = true;
        n -= 3;
    }
    if (ret->optional && n && (*at)[n - 1] == ']')
        n--;
    n = n < sizeof ret->text ? n : sizeof ret->text - 1;
    memcpy(ret->text, *at, n);
    ret->choice = ret->text[0] >= 'a' && ret->text[0] <= 'z';
    ret->file = !strcmp(ret->text, "FILE") || strstr(ret->text, "|FILE") != NULL;
    ret->dir = !strcmp(ret->text, "DIR") || !strcmp(ret->text, "DIRS");
    *at = end;
    return true;
}

/* Is text one of "a|b|c"? */
static bool chosen(const char *choices, const char *text)
{
    size_t n = strlen(text), k;

    while (*choices) {
        k = strcspn(choices, "|");
        if (k == n && !memcmp(choices, text, n))
            return true;
        choices += k + (choices[k] != '\0');
    }
    return false;
}

/* "penguin, taxi or blank" */
static void list_choices(const char *choices, char *to, size_t size)
{
    size_t used = 0, k;

    to[0] = '\0';
    while (*choices && used + 1 < size) {
        const char *mark;

        k = strcspn(choices, "|");
        mark = !used ? "" : choices[k] ? ", " : " or ";
        used += (size_t)snprintf(to + used, size - used, "%s%.*s", mark, (int)k, choices);
        choices += k + (choices[k] != '\0');
    }
}

/* -- telling --------------------------------------------------------------- */

void put_usage(void *file, const struct verb *v, const char *full)
{
    FILE *f = file;

    fprintf(f, "headrace %s", full);
    if (v->nouns)
        fprintf(f, " NOUN [OPTIONS]");
    if (v->words && *v->words)
        fprintf(f, " %s", v->words);
    if (v->options)
        fprintf(f, " [OPTIONS]");
}

int usage(const struct args *a, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "headrace %s: ", a->full);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\nusage: ");
    put_usage(stderr, a->verb, a->full);
    fprintf(stderr, "\n");
    return EXIT_USAGE;
}

/* -- reading --------------------------------------------------------------- */

/* --name value and --name=value. */
static const struct option *match(const struct verb *v, const char *arg, const char **ret_value)
{
    const struct option *o;
    size_t n;

    for (o = v->options; o && o->name; o++) {
        n = strlen(o->name);
        if (strncmp(arg, o->name, n) != 0 || (arg[n] != '=' && arg[n]))
            continue;
        *ret_value = arg[n] == '=' ? arg + n + 1 : NULL;
        return o;
    }
    return NULL;
}

static int no_option(const struct args *a, const char *arg)
{
    const char *names[64];
    const struct option *o;
    const char *best;
    char name[64];
    size_t n = 0;

    for (o = a->verb->options; o && o->name && n < 64; o++)
        names[n++] = o->name;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(arg, "="), arg);
    best = meant(name, names, n);
    if (best)
        return usage(a, "there is no option \"%s\"; did you mean \"%s\"?", name, best);
    return usage(a, "there is no option \"%s\"", name);
}

static int add_option(struct args *a, const struct option *o, const char *value)
{
    struct placeholder p;
    const char *at = o->value ? o->value : "";
    char choices[200];
    int i;

    if (next_placeholder(&at, &p) && p.choice && !chosen(p.text, value)) {
        list_choices(p.text, choices, sizeof choices);
        return usage(a, "option %s wants %s, not \"%s\"", o->name, choices, value);
    }
    for (i = 0; !o->many && i < a->given_count; i++)
        if (a->given[i].option == o) {
            a->given[i].value = value;
            return EXIT_DONE;
        }
    if (a->given_count == MAX_GIVEN)
        return usage(a, "too many options");
    a->given[a->given_count++] = (struct given){ o, value };
    return EXIT_DONE;
}

static int check_words(const struct args *a)
{
    const char *at = a->verb->words ? a->verb->words : "";
    struct placeholder p;
    char choices[200];
    int n = 0;

    while (next_placeholder(&at, &p)) {
        if (n == a->count && !p.optional)
            return usage(a, "%s is missing", p.text);
        if (n < a->count && p.choice && !chosen(p.text, a->words[n])) {
            list_choices(p.text, choices, sizeof choices);
            return usage(a, "%s is wanted, not \"%s\"", choices, a->words[n]);
        }
        n = p.many ? a->count : n + (n < a->count);
    }
    if (n < a->count)
        return usage(a, "\"%s\" is too much", a->words[n]);
    return EXIT_DONE;
}

static int take_word(struct args *ret, const char *word)
{
    if (ret->count == MAX_WORDS - 1)
        return usage(ret, "too many arguments");
    ret->words[ret->count++] = word;
    return EXIT_DONE;
}

/* The option at argv[*i]; moves to its value where that is the next argument. */
static int take_option(struct args *ret, int argc, char **argv, int *i)
{
    const char *value;
    const struct option *o = match(ret->verb, argv[*i], &value);

    if (!o)
        return no_option(ret, argv[*i]);
    if (!o->value && value)
        return usage(ret, "option %s takes no value", o->name);
    if (o->value && !value && !(value = ++*i < argc ? argv[*i] : NULL))
        return usage(ret, "option %s wants a value", o->name);
    return add_option(ret, o, value);
}

int read_args(const struct verb *v, const char *full, int argc, char **argv, struct args *ret)
{
    bool only_words = false;
    int i, code = EXIT_DONE;

    memset(ret, 0, sizeof *ret);
    ret->verb = v;
    ret->full = full;
    for (i = 0; i < argc && code == EXIT_DONE; i++) {
        if (!only_words && !strcmp(argv[i], "--"))
            only_words = true;
        else if (only_words || argv[i][0] != '-' || !argv[i][1])
            code = take_word(ret, argv[i]);
        else
            code = take_option(ret, argc, argv, &i);
    }
    return code == EXIT_DONE ? check_words(ret) : code;
}

/* -- asking ---------------------------------------------------------------- */

const char *arg_next(const struct args *a, const char *name, int *at)
{
    for (; *at < a->given_count; (*at)++)
        if (!strcmp(a->given[*at].option->name, name))
            return a->given[(*at)++].value;
    return NULL;
}

const char *arg_text(const struct args *a, const char *name)
{
    int at = 0;

    return arg_next(a, name, &at);
}

bool arg_flag(const struct args *a, const char *name)
{
    int i;

    for (i = 0; i < a->given_count; i++)
        if (!strcmp(a->given[i].option->name, name))
            return true;
    return false;
}

int arg_number(const struct args *a, const char *name, int64_t least, int64_t *ret)
{
    const char *text = arg_text(a, name), *p = text;
    int64_t v = 0;

    if (!text)
        return EXIT_DONE;
    while (*p >= '0' && *p <= '9' && v < INT64_MAX / 10 - 9)
        v = v * 10 + (*p++ - '0');
    if (*p || p == text || v < least)
        return usage(a, "option %s wants a number from %lld on, not \"%s\"", name,
                     (long long)least, text);
    *ret = v;
    return EXIT_DONE;
}

void join_words(const struct args *a, char *to, size_t n)
{
    size_t used = 0;
    int i;

    to[0] = '\0';
    for (i = 0; i < a->count && used < n; i++)
        used += (size_t)snprintf(to + used, n - used, "%s%s", i ? " " : "", a->words[i]);
}

/* -- projects -------------------------------------------------------------- */

static void tell_log(void *user, hr_level level, const char *text)
{
    (void)user;
    if (level >= HR_WARN)
        fprintf(stderr, "%s\n", text);
}

static hr_project *open_with(const struct args *a, bool needed, uint32_t flags)
{
    hr_config config = { .struct_size = sizeof config,
                         .log = tell_log,
                         .plugin_path = arg_text(a, "--plugin-path") };
    const char *root = arg_text(a, "--root");
    hr_project *p = hr_new(&config);

    if (!p) {
        no_memory();
        return NULL;
    }
    if (!needed && !root)
        return p;
    if (hr_open(p, root ? root : ".", flags) < 0) {
        tell_error(p);
        hr_free(p);
        return NULL;
    }
    return p;
}

hr_project *open_project(const struct args *a, bool needed)
{
    return open_with(a, needed, needed ? 0 : HR_OPEN_NEW);
}

hr_project *open_project_to_look(const struct args *a, bool needed)
{
    return open_with(a, needed, HR_OPEN_LOOK);
}

hr_project *open_project_if_there(const struct args *a)
{
    const char *root = arg_text(a, "--root");
    hr_config config = { .struct_size = sizeof config,
                         .plugin_path = arg_text(a, "--plugin-path") };
    hr_project *p = hr_new(&config);
    hr_status r;

    if (!p) {
        no_memory();
        return NULL;
    }
    r = hr_open(p, root ? root : ".", 0);
    /* Nothing has run here as yet, and whom to trust is known already. */
    if (r == HR_NOT_FOUND && !root && access("trust.json", F_OK) == 0) {
        config.trust = "trust.json";
        hr_free(p);
        if (!(p = hr_new(&config))) {
            no_memory();
            return NULL;
        }
    }
    if (r < 0 && (r != HR_NOT_FOUND || root)) {
        tell_error(p);
        hr_free(p);
        return NULL;
    }
    return p;
}

int tell_error(const hr_project *p)
{
    fprintf(stderr, "%s\n", hr_error(p));
    return EXIT_WRONG;
}
