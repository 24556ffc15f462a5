/* init: a project in a directory. */
#include <stdio.h>

#include "cli/cli.h"

static int init(const struct args *a)
{
    const char *dir = a->count ? a->words[0] : ".";
    hr_project *p = hr_new(NULL);
    int code = EXIT_DONE;

    if (!p) {
        no_memory();
        return EXIT_WRONG;
    }
    if (hr_open(p, dir, HR_OPEN_HERE) == HR_OK)
        fprintf(stderr, "there is a project in \"%s\" already\n", dir);
    else if (hr_open(p, dir, HR_OPEN_HERE | HR_OPEN_NEW) < 0)
        code = tell_error(p);
    else
        fprintf(stderr, "a project begins in \"%s\"; its state is in .headrace/\n", dir);
    hr_free(p);
    return code;
}

const struct verb verb_init = {
    .name = "init",
    .group = GROUP_RUN,
    .words = "[DIR]",
    .line = "begin a project here",
    .page = "Makes .headrace/ in a directory, this one unless given, so that what runs below it "
            "belongs to one project; a directory that is not there is made.  The first run does "
            "so too, beside its pipeline.",
    .run = init,
};
