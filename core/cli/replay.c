/* run --replay: one execution again, compared with what it was. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "cli/cli.h"
#include "cli/draw.h"
#include "cli/options.h"

static void tell_line(void *user, hr_level level, const char *text)
{
    static const char *const names[] = { "debug: ", "", "warning: ", "error: " };

    (void)user;
    fprintf(stderr, "  %s%s\n", names[level >= 0 && level <= 3 ? level : 1], text);
}

static const char *text_of(const cJSON *o, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, key));

    return text ? text : "";
}

static bool is(const cJSON *o, const char *key)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(o, key));
}

static void put_answer(const cJSON *root)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "outputs"), *o;
    const char *text = text_of(root, "text");

    printf("%s, which is %s in the store: %s\n", text_of(root, "node"), text_of(root, "state"),
           cJSON_GetObjectItemCaseSensitive(root, "status")->valueint ? "failed now" : "ran now");
    if (*text)
        printf("  %s\n", text);
    if (is(root, "plugin_changed"))
        printf("  %s\n", text_of(root, "plugin_text"));
    cJSON_ArrayForEach(o, list)
    {
        if (is(o, "equal"))
            printf("  %s is equal\n", text_of(o, "output"));
        else
            printf("  %s differs: %.12s then, %.12s now\n", text_of(o, "output"),
                   text_of(o, "before"), *text_of(o, "now") ? text_of(o, "now") : "nothing");
    }
    if (*text_of(root, "dir"))
        printf("what it made lies in %s\n", text_of(root, "dir"));
}

static int replay(const struct args *a, hr_project *p, int64_t execution, const char *options)
{
    const char *json = NULL;
    cJSON *root;
    int code;

    if (hr_replay(p, execution, options, &json) < 0)
        return tell_error(p);
    if (!(root = parse_json(json)))
        return EXIT_WRONG;
    if (arg_flag(a, "--json"))
        puts(json);
    else
        put_answer(root);
    code = is(root, "equal") ? EXIT_DONE : EXIT_WRONG;
    cJSON_Delete(root);
    return code;
}

/* The same command within the debugger, where the plugin is in the command's own process. */
static int debug(const struct args *a)
{
    const char *argv[24] = { "gdb", "-q", "--args", "/proc/self/exe", "run", "--isolation", "none",
                             "--replay", arg_text(a, "--replay") };
    char self[4096];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    int n = 9;

    if (len > 0) {
        self[len] = '\0';
        argv[3] = self;
    }
    if (arg_text(a, "--root")) {
        argv[n++] = "--root";
        argv[n++] = arg_text(a, "--root");
    }
    if (arg_text(a, "--plugin-path")) {
        argv[n++] = "--plugin-path";
        argv[n++] = arg_text(a, "--plugin-path");
    }
    fflush(NULL);
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    fprintf(stderr,
            "headrace: cannot start gdb: %s; install it, or start another debugger on\n"
            "  headrace run --replay %s --isolation none\n",
            strerror(errno), argv[8]);
    return EXIT_WRONG;
}

int replay_execution(const struct args *a)
{
    hr_config config = { .struct_size = sizeof config,
                         .log = arg_flag(a, "--quiet") ? NULL : tell_line,
                         .plugin_path = arg_text(a, "--plugin-path") };
    const char *root = arg_text(a, "--root");
    int64_t execution = 0;
    hr_project *p;
    char *options;
    int code = arg_number(a, "--replay", 1, &execution);

    if (code != EXIT_DONE)
        return code;
    if (a->count)
        return usage(a, "--replay takes no FILE: the execution says all");
    if (arg_flag(a, "--gdb"))
        return debug(a);
    if ((code = run_options_json(a, &options)) != EXIT_DONE)
        return code;
    if (!(p = hr_new(&config))) {
        free(options);
        return EXIT_WRONG;
    }
    if (hr_open(p, root ? root : ".", HR_OPEN_LOOK) < 0)
        code = tell_error(p);
    else
        code = replay(a, p, execution, options);
    hr_free(p);
    free(options);
    return code;
}
