/* The .so: loaded once, never unloaded, and not before all walls stand. */
#include <dlfcn.h>
#include <string.h>

#include "plugin/worker/state.h"

static const hr_plugin *open_so(struct hr_worker *w, const char *path)
{
    void *so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const hr_plugin *plugin;

    if (!so) {
        hr_fail(&w->env, HR_INVALID, "the plugin cannot be loaded: %s", dlerror());
        return NULL;
    }
    plugin = dlsym(so, "hr_plugin_v1");
    if (!plugin)
        hr_fail(&w->env, HR_INVALID, "the file exports no hr_plugin_v1, so it is no plugin");
    return plugin;
}

hr_status hr_worker_load(struct hr_worker *w, size_t source, const hr_plugin **ret)
{
    const hr_plugin *plugin;

    if (source >= w->source_count)
        return hr_fail(&w->env, HR_INTERNAL, "the host has given no plugin %zu", source);
    plugin = w->plugins[source];
    if (!plugin && w->sources[source].linked)
        plugin = w->sources[source].linked;
    if (!plugin && !(plugin = open_so(w, w->sources[source].path)))
        return HR_INVALID;
    if (plugin->abi_major != HR_ABI_MAJOR || !HR_HAS(plugin, components))
        return hr_fail(&w->env, HR_PRECONDITION, "the plugin is made for ABI %d, and this is %d",
                       plugin->abi_major, HR_ABI_MAJOR);
    w->plugins[source] = plugin;
    *ret = plugin;
    return HR_OK;
}
