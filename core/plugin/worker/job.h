/* job.h - what a worker is to do.
 *
 * As JSON, made by core/run:
 *
 *     {"hook": "run" | "decide" | "publish" | "manifest", "component": id, "executed": code,
 *      "inputs":  [{"key", "artifacts": [{"uri", "id", "type", "set": [value]}]}],
 *      "outputs": [{"key", "flags", "base", "properties": [property],
 *                   "artifacts": [{"uri", "set": [value]}]}],
 *      "properties": [property with "value"], "set": [value], "tmp": dir, "state": dir,
 *      "models": [{"format", "component", "plugin": n}],
 *      "walls": {"required", "read": [path], "write": [path], "network", "process",
 *                "memory": bytes}, "check": bool}
 *     property {"key", "type": n, "constraint", "value"}
 *     value    {"name", "int": n} or {"name", "float": x} or {"name", "text": t}
 */
#ifndef HR_JOB_H
#define HR_JOB_H

#include "plugin/info.h"
#include "plugin/worker/values.h"

enum hr_hook { HR_HOOK_RUN, HR_HOOK_DECIDE, HR_HOOK_PUBLISH, HR_HOOK_MANIFEST };

struct hr_job_artifact {
    const char *uri; /* a directory; NULL: not there yet */
    const char *type;
    int64_t id;
    struct hr_values set; /* its properties */
};

struct hr_job_port {
    const char *key;
    bool output;
    uint32_t flags;   /* HR_PORT_ */
    const char *base; /* of an output: where its artifacts lie; NULL: nowhere yet */
    struct hr_property_info *properties; /* declared ones of an output */
    size_t property_count;
    struct hr_job_artifact *artifacts;
    size_t count, cap;
};

struct hr_job_property {
    struct hr_property_info info;
    int64_t i;
    double d;
    const char *text;
};

struct hr_job_model {
    const char *format, *component;
    size_t plugin;
};

struct hr_job_walls {
    bool required, network, process;
    int64_t memory; /* bytes; 0: no limit */
    const char **read, **write; /* ended by NULL */
};

struct hr_job {
    enum hr_hook hook;
    const char *component;
    hr_status executed;
    struct hr_job_port *ports;
    size_t port_count;
    struct hr_job_property *properties;
    size_t property_count;
    struct hr_values set; /* of the execution */
    const char *tmp, *state;
    struct hr_job_model *models;
    size_t model_count;
    struct hr_job_walls walls;
    bool check;
};

/* Everything lives in the arena. */
hr_status hr_job_read(struct hr_env *env, struct hr_arena *arena, const char *text, size_t n,
                      struct hr_job *ret);

#endif
