/* headrace - the command: finds the verb, and the noun where it has some. */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

/* The name of the verb or noun that may have been meant, behind the sentence. */
static int unknown(const char *name, const struct verb *of)
{
    const struct verb *const *list = of ? of->nouns : verbs;
    const char *names[128] = { NULL }, *best;
    size_t n;

    for (n = 0; list[n] && n < 128; n++)
        names[n] = list[n]->name;
    best = meant(name, names, n);
    fprintf(stderr, "headrace%s%s: there is no command \"%s\"", of ? " " : "", of ? of->name : "",
            name);
    if (best)
        fprintf(stderr, "; did you mean \"%s\"?", best);
    fprintf(stderr, "\nheadrace help%s%s lists them\n", of ? " " : "", of ? of->name : "");
    return EXIT_USAGE;
}

static bool is_help(const char *word)
{
    return !strcmp(word, "--help") || !strcmp(word, "-h");
}

static int run(const struct verb *v, const char *full, int argc, char **argv)
{
    struct args a;
    int code;

    if (argc && is_help(argv[0]))
        return help_verb(v, full);
    code = read_args(v, full, argc, argv, &a);
    return code == EXIT_DONE ? v->run(&a) : code;
}

static int run_noun(const struct verb *v, int argc, char **argv)
{
    const struct verb *noun = argc ? find_noun(v, argv[0]) : NULL;
    struct args a = { .verb = v, .full = v->name };
    char full[64];

    if (!argc)
        return usage(&a, "what is to be done is missing; \"headrace help %s\" lists it", v->name);
    if (is_help(argv[0]))
        return help_verb(v, v->name);
    if (!noun)
        return unknown(argv[0], v);
    snprintf(full, sizeof full, "%s %s", v->name, noun->name);
    return run(noun, full, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : NULL;
    const struct verb *v;
    int code;

    setlocale(LC_CTYPE, ""); /* only to know whether the terminal takes UTF-8 */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error like a full disk */
    if (name && (!strcmp(name, "--version") || !strcmp(name, "-V")))
        name = "version";
    if (name && is_help(name))
        name = "help";
    v = name ? find_verb(name) : NULL;
    if (!name)
        code = help_short();
    else if (!v)
        code = unknown(name, NULL);
    else if (v->nouns)
        code = run_noun(v, argc - 2, argv + 2);
    else
        code = run(v, v->name, argc - 2, argv + 2);
    if (fflush(stdout) == EOF && code == EXIT_DONE) {
        fprintf(stderr, "headrace: cannot write the output\n");
        code = EXIT_WRONG;
    }
    return code == EXIT_DONE && ends_wrong() ? EXIT_WRONG : code;
}
