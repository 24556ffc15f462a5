/* headrace - the command: a table of verbs. */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/verbs.h"

const struct verb *find_verb(const char *name)
{
    const struct verb *v;

    for (v = verbs; v->name; v++)
        if (!strcmp(v->name, name))
            return v;
    return NULL;
}

/* Letters that must be changed to come from a to b, for a word that was mistyped. */
static int distance(const char *a, const char *b)
{
    int d[32][32], n = (int)strlen(a), m = (int)strlen(b), i, j;

    if (n > 31 || m > 31)
        return 99;
    for (i = 0; i <= n; i++)
        d[i][0] = i;
    for (j = 0; j <= m; j++)
        d[0][j] = j;
    for (i = 1; i <= n; i++)
        for (j = 1; j <= m; j++) {
            int best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);

            best = d[i - 1][j] + 1 < best ? d[i - 1][j] + 1 : best;
            d[i][j] = d[i][j - 1] + 1 < best ? d[i][j - 1] + 1 : best;
        }
    return d[n][m];
}

static int unknown(const char *name)
{
    const struct verb *v, *best = NULL;

    for (v = verbs; v->name; v++)
        if (distance(name, v->name) <= 2 &&
            (!best || distance(name, v->name) < distance(name, best->name)))
            best = v;
    fprintf(stderr, "headrace: there is no command \"%s\"", name);
    if (best)
        fprintf(stderr, "; did you mean \"%s\"?", best->name);
    fprintf(stderr, "\nheadrace help lists them\n");
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    const struct verb *v;
    int code;

    setlocale(LC_CTYPE, ""); /* only to know whether the terminal takes UTF-8 */
    signal(SIGPIPE, SIG_IGN);
    if (argc < 2)
        return verb_help(1, (char *[]){ (char *)(uintptr_t) "help", NULL });
    if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V"))
        argv[1] = (char *)(uintptr_t) "version";
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
        argv[1] = (char *)(uintptr_t) "help";
    v = find_verb(argv[1]);
    if (!v)
        return unknown(argv[1]);
    if (argc > 2 && (!strcmp(argv[2], "--help") || !strcmp(argv[2], "-h")))
        code = verb_help(2, (char *[]){ argv[0], argv[1], NULL });
    else
        code = v->run(argc - 1, argv + 1);
    if (fflush(stdout) == EOF && code == EXIT_DONE) {
        fprintf(stderr, "headrace: cannot write the output\n");
        code = EXIT_WRONG;
    }
    return code;
}
