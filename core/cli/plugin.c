#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "cli/cli.h"
#include "cli/draw.h"
#include "cli/plugins.h"

static int list(const struct args *a)
{
    static const char *const columns[] = { "plugin", "version", "state", "components",
                                           "path",   "signed",  "reason", NULL };

    return list_rows(a, "plugins", columns, false);
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

static int inspect_of(hr_project *p, const char *what, bool json)
{
    hr_cursor *c;
    bool found = false;

    if (hr_query(p, "plugins", NULL, &c) < 0)
        return tell_error(p);
    while (hr_cursor_next(c) > 0) {
        const char *text = hr_cursor_text(c, "manifest");
        cJSON *manifest = text ? parse_json(text) : NULL;
        const cJSON *component;

        if (manifest && is_meant(manifest, what)) {
            found = true;
            if (json) {
                puts(text);
            } else {
                printf("%s %s   %s\n  ABI %d.%d   %s", get_text(manifest, "id"),
                       get_text(manifest, "version"), hr_cursor_text(c, "path"), HR_ABI_MAJOR,
                       HR_ABI_MINOR, hr_cursor_text(c, "state"));
                if (hr_cursor_text(c, "signed"))
                    printf("   package %s", hr_cursor_text(c, "signed"));
                putchar('\n');
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

static int inspect(const struct args *a)
{
    hr_project *p = open_project_if_there(a);
    int code;

    if (!p)
        return EXIT_WRONG;
    code = inspect_of(p, a->words[0], arg_flag(a, "--json"));
    hr_free(p);
    return code;
}

static const struct option list_options[] = { LIST_OPTIONS, PROJECT_OPTIONS, END_OPTIONS };
static const struct verb plugin_list = {
    .name = "list",
    .words = "",
    .line = "list them",
    .page = "Lists plugins, also broken ones, with the reason.",
    .options = list_options,
    .run = list,
};
static const struct option inspect_options[] = {
    FLAG("--json", "the manifest, as JSON"),
    PROJECT_OPTIONS,
    END_OPTIONS,
};
static const struct verb plugin_inspect = {
    .name = "inspect",
    .words = "PLUGIN",
    .line = "components and their ports",
    .page = "Shows components, inputs, outputs and properties.  PLUGIN is an id, or the name of a "
            "component.",
    .options = inspect_options,
    .run = inspect,
};
static const struct verb *const nouns[] = { &plugin_list,    &plugin_inspect, &package_pack,
                                            &plugin_install, &plugin_remove,  &plugin_rescan,
                                            NULL };
const struct verb verb_plugin = {
    .name = "plugin",
    .group = GROUP_KEEP,
    .line = "plugins and components",
    .page = "Plugins and the components that they offer.",
    .nouns = nouns,
};
