/* Plugins installed from packages, and removed; locks of pipelines. */
#include "cli/plugins.h"

#include <stdlib.h>

#include "cli/cli.h"
#include "cli/options.h"

static char *options_json(const struct args *a)
{
    struct text t = { 0 };

    put_trust(a, &t);
    if (arg_flag(a, "--project"))
        put_true(&t, "project");
    return end_options(&t);
}

static int install(const struct args *a)
{
    hr_project *p = arg_flag(a, "--project") ? open_project(a, true) : open_project_if_there(a);
    char *options = options_json(a);
    const char *text = NULL;
    int code = EXIT_DONE;

    if (!p || !options)
        code = EXIT_WRONG;
    else if (hr_plugin_install(p, a->words[0], options, &text) < 0)
        code = tell_error(p);
    else
        printf("installed %s\n", text);
    free(options);
    hr_free(p);
    return code;
}

static int remove_one(const struct args *a)
{
    hr_project *p = open_project_if_there(a);
    const char *text = NULL;
    int code = EXIT_DONE;

    if (!p)
        return EXIT_WRONG;
    if (hr_plugin_remove(p, a->words[0], &text) < 0)
        code = tell_error(p);
    else
        printf("removed %s\n", text);
    hr_free(p);
    return code;
}

static int rescan(const struct args *a)
{
    static const char *const columns[] = { "plugin", "version", "state", "components",
                                           "path",   "reason",  NULL };
    const struct list_spec spec = { .what = "plugins", .columns = columns };
    hr_project *p = open_project_if_there(a);
    int code;

    if (!p)
        return EXIT_WRONG;
    code = hr_plugin_rescan(p) < 0 ? tell_error(p) : print_rows(p, &spec);
    hr_free(p);
    return code;
}

static int lock(const struct args *a)
{
    hr_project *p = open_project_if_there(a);
    const char *file = NULL;
    int code = EXIT_DONE;

    if (!p)
        return EXIT_WRONG;
    if (hr_lock(p, a->count ? a->words[0] : "pipeline.json", &file) < 0)
        code = tell_error(p);
    else
        printf("%s\n", file);
    hr_free(p);
    return code;
}

static const struct option install_options[] = {
    FLAG("--project", "into the project, not for the user"),
    TRUST_OPTION,
    PROJECT_OPTIONS,
    END_OPTIONS,
};
const struct verb plugin_install = {
    .name = "install",
    .words = "FILE",
    .line = "from a package",
    .page = "Verifies a package of a plugin, makes its manifest again in a worker, compares, and "
            "installs it.  A package for another platform or ABI is refused before.",
    .options = install_options,
    .run = install,
};
static const struct option plain_options[] = { PROJECT_OPTIONS, END_OPTIONS };
const struct verb plugin_remove = {
    .name = "remove",
    .words = "PLUGIN",
    .line = "what was installed",
    .page = "Removes an installed plugin: its id, or id@version where there are several.",
    .options = plain_options,
    .run = remove_one,
};
const struct verb plugin_rescan = {
    .name = "rescan",
    .words = "",
    .line = "look at all of them anew",
    .page = "Forgets what is remembered of plugins, looks at all of them, and lists them.",
    .options = plain_options,
    .run = rescan,
};
const struct verb verb_lock = {
    .name = "lock",
    .group = GROUP_KEEP,
    .words = "[FILE]",
    .line = "pin a pipeline's plugins",
    .page = "Writes pipeline.lock beside the pipeline file (pipeline.json unless given): the "
            "version of each plugin that it uses, and the digest of those that did not come with "
            "headrace.  A run with others says so and stops, unless --unlocked is given.",
    .options = plain_options,
    .run = lock,
};
