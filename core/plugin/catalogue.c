#include "plugin/catalogue.h"

#include <stdio.h>
#include <string.h>

#include "plugin/manifest_of.h"
#include "plugin/process.h"

enum { MAX_PLUGINS = 1000 };

struct hr_catalogue {
    struct hr_env *env;
    struct hr_arena arena;
    struct hr_catalogue_config config;
    struct hr_catalogue_entry *entries;
    size_t count, cap;
    char *places;
};

static struct hr_catalogue_entry *add(struct hr_catalogue *c)
{
    if (!hr_mem_reserve(c->env, (void **)&c->entries, &c->cap, c->count + 1, sizeof *c->entries,
                        MAX_PLUGINS))
        return NULL;
    return &c->entries[c->count++];
}

/* The errors since count become the reason of an entry. */
static void take_reason(struct hr_catalogue *c, size_t count, struct hr_catalogue_entry *entry)
{
    struct hr_errors *errors = &c->env->errors;
    struct hr_buf text;
    size_t i;

    hr_buf_of(&text, HR_MAX_ERROR_TEXT, c->env);
    for (i = errors->count; i > count; i--) {
        if (text.len)
            hr_buf_text(&text, ": ");
        hr_error_format(&errors->items[i - 1], &text);
    }
    entry->reason = hr_arena_text(&c->arena, text.len ? text.text : "no memory");
    hr_buf_clear(&text);
    hr_errors_cut(c->env, count);
}

/* NAME.json beside NAME.so, if it was made from a .so of this digest. */
static const char *beside(struct hr_catalogue *c, const char *path, const char *digest)
{
    size_t n = strlen(path) - 3, kept = c->env->errors.count;
    const char *name = hr_arena_format(&c->arena, "%.*s.json", (int)n, path), *text = NULL;
    struct hr_json_doc *doc;
    struct hr_buf b;

    hr_buf_of(&b, HR_MAX_JSON_BYTES, c->env);
    if (name && hr_file_exists(c->env, name) &&
        hr_file_read(c->env, name, HR_MAX_JSON_BYTES, &b) == HR_OK &&
        hr_json_parse(c->env, name, b.text, b.len, 0, &doc) == HR_OK) {
        if (hr_text_eq(hr_json_text(hr_json_get(hr_json_root(doc), "sha256")), digest))
            text = hr_arena_bytes(&c->arena, b.text, b.len);
        hr_json_free(doc);
    }
    hr_buf_clear(&b);
    hr_errors_cut(c->env, kept);
    return text;
}

static hr_status ask_worker(struct hr_catalogue *c, const char *path, const char *digest,
                            const char **ret)
{
    struct hr_buf b;
    hr_status r;

    if (!c->config.worker)
        return hr_fail(c->env, HR_UNAVAILABLE, "there is no worker to make its manifest");
    hr_buf_of(&b, HR_MAX_JSON_BYTES, c->env);
    r = hr_process_manifest(c->env, c->config.worker, path, &b);
    if (r == HR_OK) {
        *ret = hr_arena_bytes(&c->arena, b.text, b.len);
        hr_cache_put_manifest(c->config.cache, digest, b.text, NULL);
    }
    hr_buf_clear(&b);
    return r < 0 ? r : *ret ? HR_OK : HR_EXHAUSTED;
}

static hr_status look_into(struct hr_catalogue *c, const char *path, struct hr_plugin_info *info)
{
    uint8_t digest[HR_SHA256_SIZE];
    char hex[HR_SHA256_HEX];
    const char *text, *reason = NULL;
    hr_status r = hr_cache_digest(c->config.cache, c->env, path, digest, NULL);
    size_t i;

    if (r < 0)
        return r;
    hr_sha256_hex(digest, hex);
    text = hr_cache_manifest(c->config.cache, hex, &c->arena, &reason);
    if (!text && (text = beside(c, path, hex)))
        hr_cache_put_manifest(c->config.cache, hex, text, NULL);
    if (!text && (r = ask_worker(c, path, hex, &text)) < 0)
        return r;
    if ((r = hr_manifest_read(c->env, path, text, &c->arena, info)) < 0)
        return r;
    info->path = path;
    info->digest = hr_arena_text(&c->arena, hex);
    if (info->abi_major != HR_ABI_MAJOR)
        return hr_fail(c->env, HR_PRECONDITION, "it is made for ABI %lld, and this host has ABI %d",
                       (long long)info->abi_major, HR_ABI_MAJOR);
    for (i = 0; i < info->component_count; i++)
        info->components[i].plugin = info;
    return info->digest ? HR_OK : HR_EXHAUSTED;
}

/* Components point to their plugin, so they are joined when entries stay where they are. */
static void join(struct hr_catalogue *c)
{
    size_t i, k;

    for (i = 0; i < c->count; i++)
        for (k = 0; k < c->entries[i].info.component_count; k++)
            c->entries[i].info.components[k].plugin = &c->entries[i].info;
}

static hr_status add_file(struct hr_catalogue *c, const char *place, const char *name)
{
    struct hr_catalogue_entry *entry = add(c);
    size_t kept = c->env->errors.count;
    hr_status r;

    if (!entry || !(entry->path = hr_arena_format(&c->arena, "%s/%s", place, name)))
        return HR_EXHAUSTED;
    entry->standard = hr_text_eq(place, c->config.standard);
    r = look_into(c, entry->path, &entry->info);
    if (r < 0)
        take_reason(c, kept, entry);
    return r == HR_EXHAUSTED ? r : HR_OK;
}

static hr_status add_place(struct hr_catalogue *c, const char *place, struct hr_buf *places)
{
    size_t kept = c->env->errors.count, i, found = 0;
    struct hr_names names = { 0 };
    hr_status r = hr_dir_list(c->env, place, &names);

    if (r < 0) {
        hr_errors_cut(c->env, kept);
        hr_buf_format(places, "%s\"%s\" (not there)", places->len ? ", " : "", place);
        return HR_OK;
    }
    for (i = 0; i < names.count && r == HR_OK; i++)
        if (hr_text_ends(names.names[i], ".so")) {
            r = add_file(c, place, names.names[i]);
            found++;
        }
    hr_names_clear(c->env, &names);
    hr_buf_format(places, "%s\"%s\" (%zu)", places->len ? ", " : "", place, found);
    return r;
}

static hr_status add_linked(struct hr_catalogue *c, const hr_plugin *plugin)
{
    struct hr_catalogue_entry *entry = add(c);
    size_t kept = c->env->errors.count;
    struct hr_buf b;
    hr_status r;

    if (!entry)
        return HR_EXHAUSTED;
    entry->path = "(linked in)";
    hr_buf_of(&b, HR_MAX_JSON_BYTES, c->env);
    r = hr_manifest_of(plugin, "", &b);
    if (r == HR_OK)
        r = hr_manifest_read(c->env, entry->path, b.text, &c->arena, &entry->info);
    if (r == HR_OK) {
        uint8_t digest[HR_SHA256_SIZE];
        char hex[HR_SHA256_HEX];

        /* The code has no file; its description stands for it in cache keys. */
        hr_sha256(b.text, b.len, digest);
        hr_sha256_hex(digest, hex);
        entry->info.digest = hr_arena_text(&c->arena, hex);
        entry->info.path = "";
        entry->info.linked = plugin;
    } else {
        take_reason(c, kept, entry);
    }
    hr_buf_clear(&b);
    return r == HR_EXHAUSTED ? r : HR_OK;
}

static void shadow(struct hr_catalogue *c)
{
    size_t i, k;

    for (i = 0; i < c->count; i++)
        for (k = 0; k < c->count; k++) {
            struct hr_catalogue_entry *a = &c->entries[i], *b = &c->entries[k];
            int order;

            if (i == k || a->reason || b->reason || a->shadow || b->shadow ||
                strcmp(a->info.id, b->info.id) != 0)
                continue;
            order = hr_version_compare(a->info.version, b->info.version);
            if (order < 0 || (order == 0 && i > k))
                a->shadow = b->path;
        }
}

hr_status hr_catalogue_open(struct hr_env *env, const struct hr_catalogue_config *config,
                            struct hr_catalogue **ret)
{
    struct hr_catalogue *c = hr_mem_zero(env, sizeof *c);
    struct hr_buf places;
    hr_status r = HR_OK;
    size_t i;

    if (!c)
        return HR_EXHAUSTED;
    c->env = env;
    c->config = *config;
    hr_arena_init(&c->arena, env, 0);
    hr_buf_of(&places, 1 << 20, env);
    for (i = 0; config->linked && config->linked[i] && r == HR_OK; i++)
        r = add_linked(c, config->linked[i]);
    for (i = 0; config->places && config->places[i] && r == HR_OK; i++)
        r = add_place(c, config->places[i], &places);
    if (r == HR_OK && !(c->places = hr_arena_text(&c->arena, places.text)))
        r = HR_EXHAUSTED;
    hr_buf_clear(&places);
    if (r < 0) {
        hr_catalogue_close(c);
        return r;
    }
    join(c);
    shadow(c);
    *ret = c;
    return HR_OK;
}

void hr_catalogue_close(struct hr_catalogue *c)
{
    if (!c)
        return;
    hr_mem_put(c->env, c->entries, c->cap * sizeof *c->entries);
    hr_arena_clear(&c->arena);
    hr_mem_put(c->env, c, sizeof *c);
}

size_t hr_catalogue_count(const struct hr_catalogue *c)
{
    return c->count;
}

const struct hr_catalogue_entry *hr_catalogue_at(const struct hr_catalogue *c, size_t i)
{
    return &c->entries[i];
}

const char *hr_catalogue_places(const struct hr_catalogue *c)
{
    return c->places;
}

/* Call each for all components that count, until it says stop. */
struct search {
    const char *name;
    const bool *counts;
    const struct hr_component_info *found, *second;
    const char *names[2 * MAX_PLUGINS];
    size_t count;
};

static bool counts_here(const struct hr_catalogue *c, const bool *counts, size_t i)
{
    return counts ? counts[i] : !c->entries[i].reason && !c->entries[i].shadow;
}

static void search(const struct hr_catalogue *c, struct search *s)
{
    bool full = strchr(s->name, '.') != NULL;
    size_t i, k;

    for (i = 0; i < c->count; i++)
        for (k = 0; counts_here(c, s->counts, i) && k < c->entries[i].info.component_count; k++) {
            const struct hr_component_info *component = &c->entries[i].info.components[k];
            const char *name = full ? component->id : hr_component_short(component->id);

            if (!strcmp(name, s->name)) {
                s->second = s->found;
                s->found = component;
            }
            if (s->count < sizeof s->names / sizeof s->names[0])
                s->names[s->count++] = name;
        }
}

static hr_status judge(struct hr_catalogue *c, const struct hr_place *place,
                       const struct hr_plugin_info *plugin)
{
    return c->config.judge ? c->config.judge(c->config.judge_user, place, plugin) : HR_OK;
}

/* It is here, and the pipeline does not take it. */
static bool tell_left_out(struct hr_catalogue *c, const struct hr_place *place,
                          const struct search *s)
{
    struct search all = { .name = s->name };

    if (!s->counts)
        return false;
    search(c, &all);
    if (all.found)
        hr_fail_at(c->env, HR_NOT_FOUND, place,
                   "component \"%s\" is of plugin %s %s, which the list \"plugins\" of the "
                   "pipeline does not take; add \"%s@^%s\" to it",
                   s->name, all.found->plugin->id, all.found->plugin->version,
                   all.found->plugin->id, all.found->plugin->version);
    return all.found != NULL;
}

static hr_status tell_missing(struct hr_catalogue *c, const struct hr_place *place,
                              const struct search *s)
{
    const char *meant = hr_text_meant(s->name, s->names, s->count);
    size_t i;

    if (tell_left_out(c, place, s))
        return HR_NOT_FOUND;
    if (meant)
        return hr_fail_meant(c->env, HR_NOT_FOUND, place, meant, "there is no component \"%s\"",
                             s->name);
    hr_fail_at(c->env, HR_NOT_FOUND, place,
               "there is no component \"%s\"; plugins were looked for in %s", s->name, c->places);
    for (i = 0; i < c->count; i++)
        if (c->entries[i].reason)
            hr_fail_at(c->env, HR_NOT_FOUND, place, "plugin \"%s\" cannot be used: %s",
                       c->entries[i].path, c->entries[i].reason);
    return HR_NOT_FOUND;
}

const struct hr_component_info *
hr_catalogue_component(struct hr_catalogue *c, const bool *counts, const struct hr_place *place,
                       const char *name)
{
    struct search s = { .name = name, .counts = counts };

    search(c, &s);
    if (!s.found) {
        tell_missing(c, place, &s);
        return NULL;
    }
    if (s.second) {
        hr_fail_at(c->env, HR_INVALID, place, "\"%s\" may be \"%s\" or \"%s\"; write the full name",
                   name, s.second->id, s.found->id);
        return NULL;
    }
    return judge(c, place, s.found->plugin) < 0 ? NULL : s.found;
}

static bool loads(const struct hr_component_info *component, const char *format)
{
    const char **f;

    for (f = component->formats; *f; f++)
        if (!strcmp(*f, format))
            return hr_component_offers(component, "hr.model/1");
    return false;
}

hr_status hr_catalogue_model(struct hr_catalogue *c, const bool *counts, const char *format,
                             const char *prefer, const struct hr_component_info **ret)
{
    const struct hr_component_info *found = NULL;
    size_t i, k;

    for (i = 0; i < c->count; i++)
        for (k = 0; counts_here(c, counts, i) && k < c->entries[i].info.component_count; k++) {
            const struct hr_component_info *component = &c->entries[i].info.components[k];

            if (!loads(component, format))
                continue;
            if (prefer && !strcmp(component->id, prefer)) {
                *ret = component;
                return judge(c, NULL, component->plugin);
            }
            if (found)
                return hr_fail(c->env, HR_INVALID,
                               "models of format \"%s\" are loaded by \"%s\" and by \"%s\"; "
                               "remove one of the plugins",
                               format, found->id, component->id);
            found = component;
        }
    if (!found)
        return hr_fail(c->env, HR_NOT_FOUND,
                       "no plugin loads models of format \"%s\"; plugins were looked for in %s",
                       format, c->places);
    *ret = found;
    return judge(c, NULL, found->plugin);
}

static void add_declared(const struct hr_port_info *port, struct hr_property_info *to, size_t max,
                         size_t *n)
{
    size_t i;

    for (i = 0; i < port->property_count && *n < max; i++)
        if (!hr_property_find(to, *n, port->properties[i].key))
            to[(*n)++] = port->properties[i];
}

void hr_catalogue_declared(const struct hr_catalogue *c, const bool *counts, const char *type,
                           struct hr_property_info *to, size_t max, size_t *n)
{
    size_t i, k, o;

    for (i = 0; i < c->count; i++)
        for (k = 0; counts_here(c, counts, i) && k < c->entries[i].info.component_count; k++) {
            const struct hr_component_info *component = &c->entries[i].info.components[k];

            for (o = 0; o < component->output_count; o++)
                if (!strcmp(component->outputs[o].type, type))
                    add_declared(&component->outputs[o], to, max, n);
        }
}
