/* info.h - a plugin as its manifest describes it.
 *
 * A manifest is JSON, made from the .so by a worker (never written by hand):
 *
 *     {"headrace_manifest": 1, "abi": [1, 0], "id": ..., "version": ..., "components": [
 *       {"id", "version", "doc", "flags", "inputs": [port], "outputs": [port],
 *        "properties": [property], "needs": [], "uses": [], "offers": [id],
 *        "functions": [{"name", "doc", "kind", "flags", "outputs", "max_rows"}],
 *        "formats": []}]}
 *     port      {"key", "type", "doc", "flags", "properties": [property]}
 *     property  {"key", "type", "default", "constraint", "doc"}
 *
 * All of it lives in the arena it was read into.
 */
#ifndef HR_INFO_H
#define HR_INFO_H

#include "base/base.h"

struct hr_property_info {
    hr_type type;
    const char *key;
    const char *default_value; /* NULL: required */
    const char *constraint;    /* NULL: none */
    const char *doc;
};

struct hr_port_info {
    uint32_t flags; /* HR_PORT_ */
    const char *key, *type, *doc;
    struct hr_property_info *properties;
    size_t property_count;
};

struct hr_component_info {
    uint32_t flags; /* HR_COMPONENT_ */
    const char *id, *version, *doc;
    struct hr_port_info *inputs, *outputs;
    size_t input_count, output_count;
    struct hr_property_info *properties;
    size_t property_count;
    const char **needs, **uses, **offers, **formats; /* ended by NULL */
    const struct hr_plugin_info *plugin;
};

struct hr_plugin_info {
    const char *path;     /* of the .so; "" of one that is linked in */
    const char *digest;   /* SHA-256 of the .so, hexadecimal */
    const char *manifest; /* the JSON */
    const char *id, *version;
    int64_t abi_major, abi_minor;
    struct hr_component_info *components;
    size_t component_count;
    const hr_plugin *linked; /* NULL: to be loaded */
};

/* HR_INVALID: the text is no manifest; name says whose, in errors. */
hr_status hr_manifest_read(struct hr_env *env, const char *name, const char *text,
                           struct hr_arena *arena, struct hr_plugin_info *ret);

/* NULL: there is none of that key. */
const struct hr_port_info *hr_port_find(const struct hr_port_info *ports, size_t n,
                                        const char *key);
const struct hr_property_info *hr_property_find(const struct hr_property_info *properties, size_t n,
                                                const char *key);

/* Does it offer the interface of this id? */
bool hr_component_offers(const struct hr_component_info *component, const char *id);

/* The name after the last dot of an id. */
const char *hr_component_short(const char *id);

const char *hr_type_text(hr_type type); /* "int", "path" */

/* Is the text, of a value of this type, within a constraint?  "1..10", "0..", "..5" for
 * numbers, "a|b" for texts; NULL allows all. */
bool hr_constraint_holds(const char *constraint, hr_type type, const char *text);

#endif
