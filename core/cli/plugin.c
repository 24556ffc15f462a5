#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "cli/cli.h"
#include "cli/draw.h"
#include "cli/verbs.h"

static int list(hr_project *p, bool json)
{
    static const char *const columns[] = { "plugin", "version", "state", "components",
                                           "path",   "reason",  NULL };
    struct list_spec spec = { .what = "plugins", .columns = columns, .json = json };

    return print_rows(p, &spec);
}

static void put_ports(const cJSON *component, const char *key)
{
    const cJSON *port;
    bool first = true;

    cJSON_ArrayForEach(port, cJSON_GetObjectItemCaseSensitive(component, key))
    {
        int flags = (int)get_number(port, "flags");

        printf("    %-11s %-18s %-18s %-9s %s\n", first ? key : "", get_text(port, "key"),
               get_text(port, "type"),
               flags & HR_PORT_OPTIONAL ? "optional"
               : flags & HR_PORT_EMPTY  ? "may lack"
                                        : "",
               get_text(port, "doc"));
        first = false;
    }
}

static const char *type_text(int type)
{
    static const char *const names[] = { "?",    "int",  "float", "string",
                                         "bool", "json", "path",  "path" };

    return type > 0 && type < 8 ? names[type] : names[0];
}

static void put_properties(const cJSON *component)
{
    const cJSON *p;
    bool first = true;

    cJSON_ArrayForEach(p, cJSON_GetObjectItemCaseSensitive(component, "properties"))
    {
        printf("    %-11s %-18s %-18s %-9s %s", first ? "properties" : "", get_text(p, "key"),
               type_text((int)get_number(p, "type")),
               has(p, "default") ? get_text(p, "default") : "required", get_text(p, "doc"));
        if (*get_text(p, "constraint"))
            printf(" (%s)", get_text(p, "constraint"));
        putchar('\n');
        first = false;
    }
}

static void put_list(const cJSON *component, const char *key)
{
    const cJSON *v;
    bool first = true;

    cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(component, key))
    {
        const char *text = cJSON_IsString(v) ? cJSON_GetStringValue(v) : get_text(v, "name");

        if (first)
            printf("    %-11s %s", key, text);
        else
            printf(", %s", text);
        first = false;
    }
    if (!first)
        putchar('\n');
}

static void put_component(const cJSON *c)
{
    int flags = (int)get_number(c, "flags");

    printf("\n  %s %s   %s\n", get_text(c, "id"), get_text(c, "version"), get_text(c, "doc"));
    put_ports(c, "inputs");
    put_ports(c, "outputs");
    put_properties(c);
    put_list(c, "offers");
    put_list(c, "needs");
    put_list(c, "uses");
    put_list(c, "functions");
    put_list(c, "formats");
    printf("    %-11s %s, %s, %s\n", "sandbox",
           flags & HR_COMPONENT_NETWORK ? "network" : "no network",
           flags & HR_COMPONENT_DEVICE ? "devices" : "no devices",
           flags & HR_COMPONENT_PROCESS ? "may start programs" : "starts no program");
}

/* Is it the plugin's id, or a component of it, by full or short name? */
static bool is_meant(const cJSON *manifest, const char *what)
{
    const cJSON *c;

    if (!strcmp(get_text(manifest, "id"), what))
        return true;
    cJSON_ArrayForEach(c, cJSON_GetObjectItemCaseSensitive(manifest, "components"))
    {
        const char *id = get_text(c, "id"), *dot = strrchr(id, '.');

        if (!strcmp(id, what) || (dot && !strcmp(dot + 1, what)))
            return true;
    }
    return false;
}

static int inspect(hr_project *p, const char *what, bool json)
{
    hr_cursor *c;
    bool found = false;

    if (hr_query(p, "plugins", NULL, &c) < 0)
        return tell_error(p);
    while (hr_cursor_next(c) > 0) {
        const char *text = hr_cursor_text(c, "manifest");
        cJSON *manifest = text ? cJSON_Parse(text) : NULL;
        const cJSON *component;

        if (manifest && is_meant(manifest, what)) {
            found = true;
            if (json) {
                puts(text);
            } else {
                printf("%s %s   %s\n  ABI %d.%d   %s\n", get_text(manifest, "id"),
                       get_text(manifest, "version"), hr_cursor_text(c, "path"), HR_ABI_MAJOR,
                       HR_ABI_MINOR, hr_cursor_text(c, "state"));
                cJSON_ArrayForEach(component,
                                   cJSON_GetObjectItemCaseSensitive(manifest, "components"))
                    put_component(component);
            }
        } else if (!manifest && !strcmp(hr_cursor_text(c, "plugin"), what)) {
            found = true;
            printf("%s is broken: %s\n", hr_cursor_text(c, "path"), hr_cursor_text(c, "reason"));
        }
        cJSON_Delete(manifest);
    }
    hr_cursor_free(c);
    if (found)
        return EXIT_DONE;
    fprintf(stderr, "there is no plugin or component \"%s\"; \"headrace plugin list\" lists them\n",
            what);
    return EXIT_WRONG;
}

int verb_plugin(int argc, char **argv)
{
    struct project_options where = { 0 };
    bool json = false;
    const struct option_spec options[] = {
        { .name = "--json", .flag = &json },
        { .name = "--root", .value = &where.root },
        { .name = "--plugin-path", .value = &where.plugin_path },
        { .name = NULL },
    };
    char *rest[MAX_WORDS];
    hr_project *p;
    int n = 0, code;

    if ((code = take_options(argc, argv, options, rest, &n)) != EXIT_DONE)
        return code;
    if (!((n == 1 && !strcmp(rest[0], "list")) || (n == 2 && !strcmp(rest[0], "inspect"))))
        return usage(argv[0], "list, or inspect PLUGIN is wanted");
    if (!(p = open_project(&where, false)))
        return EXIT_WRONG;
    code = n == 1 ? list(p, json) : inspect(p, rest[1], json);
    hr_free(p);
    return code;
}
