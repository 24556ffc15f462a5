#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/options.h"
#include "cli/verbs.h"

int verb_check(int argc, char **argv)
{
    struct project_options where = { 0 };
    struct run_options run = { 0 };
    bool json = false;
    const struct option_spec options[] = {
        { .name = "--param", .add = add_param, .user = &run },
        { .name = "--json", .flag = &json },
        { .name = "--root", .value = &where.root },
        { .name = "--plugin-path", .value = &where.plugin_path },
        { .name = NULL },
    };
    char *rest[MAX_WORDS], *text;
    const char *normal = NULL;
    hr_project *p;
    int n = 0, code;

    if ((code = take_options(argc, argv, options, rest, &n)) != EXIT_DONE)
        return code;
    if (n > 1)
        return usage(argv[0], "one pipeline at a time, and \"%s\" is a second", rest[1]);
    if (!(text = run_options_json(&run)) || !(p = open_project(&where, false)))
        return EXIT_WRONG;
    if (hr_normalize(p, n ? rest[0] : "pipeline.json", text, &normal) < 0) {
        code = tell_error(p);
        fprintf(stderr, "nothing was run\n");
    } else if (json) {
        puts(normal);
    } else {
        printf("%s is right\n", n ? rest[0] : "pipeline.json");
    }
    hr_free(p);
    free(text);
    return code;
}
