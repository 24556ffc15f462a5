#include <stdio.h>

#include "cli/cli.h"
#include "cli/verbs.h"

int verb_help(int argc, char **argv)
{
    const struct verb *v;

    if (argc > 1) {
        v = find_verb(argv[1]);
        if (!v)
            return usage("help", "there is no command \"%s\"", argv[1]);
        printf("%s - %s\n\nusage: %s\n\n%s", v->name, v->line, v->usage, v->page);
        return EXIT_DONE;
    }
    printf("headrace %s - machine-learning pipelines in native code\n\n", HR_VERSION_TEXT);
    for (v = verbs; v->name; v++)
        printf("  headrace %-11s %s\n", v->name, v->line);
    printf(
        "\nheadrace help VERB tells more.  To begin: headrace new DIR, then headrace run in it.\n");
    return EXIT_DONE;
}

int verb_version(int argc, char **argv)
{
    uint32_t v = hr_version();

    (void)argv;
    if (argc > 1)
        return usage("version", "version takes no arguments");
    printf("headrace %u.%u.%u\n", v / 10000, v / 100 % 100, v % 100);
    return EXIT_DONE;
}
