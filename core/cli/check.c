#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/options.h"

static int check(const struct args *a)
{
    const char *file = a->count ? a->words[0] : "pipeline.json", *normal = NULL;
    char *text = NULL;
    hr_project *p;
    int code = run_options_json(a, &text);

    if (code != EXIT_DONE)
        return code;
    if (!(p = open_project(a, false))) {
        free(text);
        return EXIT_WRONG;
    }
    if (hr_check(p, file, text) < 0 ||
        (arg_flag(a, "--json") && hr_normalize(p, file, text, &normal) < 0)) {
        code = tell_error(p);
        fprintf(stderr, "nothing was run\n");
    } else if (arg_flag(a, "--json")) {
        puts(normal);
    } else {
        printf("%s is right\n", file);
    }
    hr_free(p);
    free(text);
    return code;
}

static const struct option options[] = {
    MANY("--param", "K=V", "a parameter of the pipeline"),
    VALUE("--params", "FILE",
          "parameters from a JSON file, as {\"steps\": 200}; --param counts over it"),
    FLAG("--json", "print the pipeline with all defaults filled in and all names full"),
    PROJECT_OPTIONS,
    END_OPTIONS,
};
const struct verb verb_check = {
    .name = "check",
    .group = GROUP_RUN,
    .words = "[FILE]",
    .line = "tell all mistakes, run none",
    .page = "Checks a pipeline, pipeline.json unless given, and runs nothing.  Every mistake is "
            "told at once, with file, line and column, and what may have been meant.",
    .options = options,
    .run = check,
};
