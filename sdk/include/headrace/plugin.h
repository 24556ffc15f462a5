/* plugin.h - the plugin ABI of Headrace: headers only, nothing to link, C99 and C++11.
 *
 * A component that works on files needs no other.  flow.h adds work on rows, here or on
 * many machines; model.h adds models; arrow.h has the structs that rows cross in; easy.h
 * has wrappers that save typing.
 *
 * Nothing in it is frozen before release 1.0.
 *
 * A plugin is a shared object that exports one symbol, hr_plugin_v1, a constant
 * that describes it.  It has no undefined symbol of ours: all that the host
 * offers comes through hr_host.get_interface().
 *
 * Within major version 1, for ever:
 *  - An interface, a struct of functions with the id "hr.NAME/REV", is frozen
 *    when released.  A change is a new REV and a new struct beside the old one.
 *  - A description, a struct that starts with struct_size, grows at its end
 *    only.  Zero means "not given".  HR_HAS() tells if a member is there.
 *  - Descriptions are passed by pointer: never nested, never an array of them.
 *  - The host leaves alone an offer of an id, or a function of a kind, that it does not know.
 *  - Strings are UTF-8, end in NUL, and are copied by whoever keeps them.
 *    What the host returns lives until the hook that asked returns.
 *  - Who allocates frees.  Nothing allocated crosses but the Arrow structs,
 *    which carry their own release().
 *  - A host function that fails has given the text already: return its code.
 *
 * Threads.  What the host offers is [any], from any thread at any time, or
 * [hook], only from the thread that the host called the hook on, while the hook
 * runs.  What a plugin offers is [one], never in two calls on one instance at
 * once, though each call may be on another thread, or [many], in several at once.
 *
 * Signals.  A worker is a process of its own and hears by SIGIO that it is to stop, or
 * that its host is gone: leave that signal alone.  A call of the system that waits may
 * end with EINTR then, and at no other time.
 */
#ifndef HR_PLUGIN_H
#define HR_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#define HR_ABI_MAJOR 1
#define HR_ABI_MINOR 0

#if defined(_WIN32)
#define HR_EXPORT __declspec(dllexport)
#elif defined(__GNUC__)
#define HR_EXPORT __attribute__((visibility("default")))
#else
#define HR_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* True if *p, made by the other side, is recent enough to have member m. */
#define HR_HAS(p, m) ((p)->struct_size >= (size_t)((const char *)(&(p)->m + 1) - (const char *)(p)))

/* Rows cross as Arrow batches: a struct ArrowArray of struct type, one child a
 * column, no null rows, any offset.  The schema is told once, before the first.
 * Who gets one as const leaves it alone; who gets one otherwise owns it, and
 * releases it or moves it on, also when failing.  arrow.h has the structs.  Names of
 * columns and keys of metadata that begin with "hr:" are ours: "hr:event_time". */
struct ArrowSchema;
struct ArrowArray;
struct ArrowArrayStream;

/* -- results ------------------------------------------------------------- */

/* 0 or one of these.  The codes of google.rpc.Code, negated. */
typedef int32_t hr_status;
enum {
    HR_OK = 0,
    HR_CANCELLED = -1,
    HR_INVALID = -3, /* the pipeline or an input is wrong; do not retry */
    HR_DEADLINE = -4,
    HR_NOT_FOUND = -5,
    HR_EXISTS = -6,
    HR_DENIED = -7,
    HR_EXHAUSTED = -8, /* memory, disk, quota */
    HR_PRECONDITION = -9,
    HR_UNIMPLEMENTED = -12,
    HR_INTERNAL = -13,    /* a bug, in the plugin or the host */
    HR_UNAVAILABLE = -14, /* retry later */
    HR_DATA_LOSS = -15
};

typedef int32_t hr_level;
enum { HR_DEBUG = 0, HR_INFO = 1, HR_WARN = 2, HR_ERROR = 3 };

/* The type of a property.  A bool crosses as an int, 0 or 1, and JSON as text. */
typedef int32_t hr_type;
enum {
    HR_INT = 1,
    HR_FLOAT = 2,
    HR_STRING = 3,
    HR_BOOL = 4,
    HR_JSON = 5,
    /* Of declared properties only; text where it crosses: a file or directory, made absolute
     * from where the pipeline file lies.  READ: the worker may read it, and its content is
     * part of the cache key.  WRITE: the worker may write it. */
    HR_PATH_READ = 6,
    HR_PATH_WRITE = 7
};

/* -- descriptions: constant data that the plugin exports ------------------ */

/* A property: of the execution, which the host parses, checks against constraint and
 * defaults before any hook runs; or, listed by an output port, of its artifacts. */
typedef struct hr_property {
    uint32_t struct_size;
    hr_type type;
    const char *key;
    const char *default_value; /* as text; NULL: required, or of an artifact: none */
    const char *constraint;    /* "1..100000", "adam|sgd", NULL: none */
    const char *doc;
} hr_property;

/* An input or output channel. */
typedef struct hr_port {
    uint32_t struct_size;
    uint32_t flags;
    const char *key;                      /* "examples" */
    const char *artifact_type;            /* "Examples" */
    const char *doc;                      /* one sentence */
    const hr_property *const *properties; /* of an output's artifacts, ended by NULL; what is
                                           * set beside them is a custom property */
} hr_port;
enum {
    HR_PORT_OPTIONAL = 1u << 0, /* may be left unconnected */
    HR_PORT_EMPTY = 1u << 1,    /* connected, may still hold no artifact */
    HR_PORT_MANY = 1u << 2      /* may hold more than one */
};

/* A function over rows, found by its name; flow.h has what it is made of. */
typedef struct hr_function {
    uint32_t struct_size;
    uint32_t flags;
    uint32_t outputs;  /* collections that a map makes; 0: one */
    uint32_t max_rows; /* no batch has more; 0: as the runner likes */
    const char *name;  /* "tokenize", unique in the component */
    const char *doc;
    const char *kind;  /* HR_MAP or HR_COMBINE: the id of table */
    const void *table; /* an hr_map_1 or an hr_combine_1 */
} hr_function;
enum {
    HR_FUNCTION_EXACT = 1u << 0, /* same rows, same bytes, however batched, ordered and merged */
    HR_FUNCTION_SCALAR = 1u << 1 /* a map of one output: row for row, one column */
};

/* An interface that the component offers. */
typedef struct hr_offer {
    uint32_t struct_size;
    uint32_t flags;
    const char *id;    /* HR_EXECUTOR */
    const void *table; /* an hr_executor_1 */
} hr_offer;

typedef struct hr_component {
    uint32_t struct_size;
    uint32_t flags;
    const char *id;      /* "com.example.trainer" */
    const char *version; /* SemVer; part of the cache key */
    const char *doc;
    const hr_port *const *inputs; /* this list and those below end in NULL */
    const hr_port *const *outputs;
    const hr_property *const *properties;
    const char *const *needs;            /* host interfaces it cannot run without */
    const char *const *uses;             /* host interfaces it can run without */
    const hr_offer *const *offers;       /* each id once; HR_EXECUTOR is required */
    const hr_function *const *functions; /* NULL: none */
    const char *const *formats;          /* of models that its HR_MODEL loads: "onnx/1" */
} hr_component;
enum {
    HR_COMPONENT_DETERMINISTIC = 1u << 0, /* same inputs, same output bytes; flows: see flow.h */
    HR_COMPONENT_NETWORK = 1u << 1,       /* asks for the network */
    HR_COMPONENT_DEVICE = 1u << 2,        /* asks for /dev nodes of accelerators */
    HR_COMPONENT_PROCESS = 1u << 3        /* asks to start programs; else that is denied */
};

typedef struct hr_plugin {
    uint32_t struct_size;
    uint16_t abi_major, abi_minor; /* HR_ABI_MAJOR, HR_ABI_MINOR */
    const char *id;
    const char *version;
    const hr_component *const *components;
} hr_plugin;

extern HR_EXPORT const hr_plugin hr_plugin_v1;

/* -- the host ------------------------------------------------------------- */

typedef struct hr_host {
    uint32_t struct_size;
    uint16_t abi_major, abi_minor;
    const char *name;
    const char *version;
    /* The host interface of this id, if the component lists it in needs or uses (or
     * a function or a model has it always, see there) and the host has it, else NULL;
     * valid until the process ends.  [any] */
    const void *(*get_interface)(const struct hr_host *host, const char *id);
} hr_host;

/* One call of one hook.  Opaque; never kept after the hook returns. */
typedef struct hr_run hr_run;

#define HR_RUN "hr.run/1"
typedef struct hr_run_1 {
    /* [hook] How many artifacts a channel holds. */
    uint32_t (*count)(const hr_run *run, const char *key);
    /* [hook] The directory of the i-th.  That of an output exists and is empty; on an
     * output with HR_PORT_MANY, i equal to count() makes one more. */
    hr_status (*path)(hr_run *run, const char *key, uint32_t i, const char **ret);
    /* [hook] A property of the i-th artifact; or, with key NULL and i 0, of the execution:
     * what a hook of it has set.  The host gives each artifact "__id", an int, "__uri" and
     * "__type", texts; they are in no cache key.  HR_NOT_FOUND: there is no such channel,
     * artifact or property; HR_INVALID: it is of another type, and nothing is converted.
     * *ret is left alone then.  HR_NOT_FOUND is an answer: its text counts only if the hook
     * returns it. */
    hr_status (*get_int)(hr_run *run, const char *key, uint32_t i, const char *name, int64_t *ret);
    /* [hook] */
    hr_status (*get_float)(hr_run *run, const char *key, uint32_t i, const char *name, double *ret);
    /* [hook] */
    hr_status (*get_text)(hr_run *run, const char *key, uint32_t i, const char *name,
                          const char **ret);
    /* [hook] Set one of an output; or, with key NULL and i 0, of the execution.  What the
     * port, or the component, declares is checked against it, and prop_ gives
     * the new value to later hooks; the rest become custom properties.  HR_NOT_FOUND:
     * there is no such channel or artifact; HR_INVALID: it is an input, the value is not of
     * the declared type or against the constraint, a NaN, not UTF-8 or not JSON, or name
     * begins with "__".  The old value stays then. */
    hr_status (*set_int)(hr_run *run, const char *key, uint32_t i, const char *name, int64_t value);
    /* [hook] */
    hr_status (*set_float)(hr_run *run, const char *key, uint32_t i, const char *name,
                           double value);
    /* [hook] */
    hr_status (*set_text)(hr_run *run, const char *key, uint32_t i, const char *name,
                          const char *value);
    /* [hook] A declared property: HR_INT or HR_BOOL, HR_FLOAT, any other (as text).
     * Cannot fail: the host has checked it. */
    int64_t (*prop_int)(const hr_run *run, const char *key);
    double (*prop_float)(const hr_run *run, const char *key);     /* [hook] */
    const char *(*prop_text)(const hr_run *run, const char *key); /* [hook] */
    /* [hook] A directory removed afterwards; one kept for a retry. */
    const char *(*tmp_dir)(const hr_run *run);
    const char *(*state_dir)(const hr_run *run); /* [hook] */
    /* [any] Say why the hook fails, and return code: return rt->fail(run, ...).  After a
     * failure it adds the outer reason to the inner one. */
    hr_status (*fail)(hr_run *run, hr_status code, const char *text);
} hr_run_1;

#define HR_LOG "hr.log/1"
typedef struct hr_log_1 {
    void (*log)(hr_run *run, hr_level level, const char *text); /* [any] */
} hr_log_1;

#define HR_PROGRESS "hr.progress/1"
typedef struct hr_progress_1 {
    void (*report)(hr_run *run, double done, double total, const char *unit); /* [any] */
    int32_t (*cancelled)(const hr_run *run);                                  /* [any] */
} hr_progress_1;

/* Rows of an artifact; of one of its splits, or with split NULL of all in turn. */
#define HR_TABLE "hr.table/1"
typedef struct hr_table_1 {
    /* [hook] Fill *ret; the caller releases it. */
    hr_status (*read)(hr_run *run, const char *key, uint32_t i, const char *split,
                      struct ArrowArrayStream *ret);
    /* [hook] Drain *rows into the artifact and release it.  The split is added to the
     * artifact's split_names; the format is its property file_format, if set before. */
    hr_status (*write)(hr_run *run, const char *key, uint32_t i, const char *split,
                       struct ArrowArrayStream *rows);
    /* [hook] The name of the n-th split of the i-th artifact, in the order of its
     * split_names.  HR_NOT_FOUND: it has no more; an answer, as of the get_ functions. */
    hr_status (*split)(hr_run *run, const char *key, uint32_t i, uint32_t n, const char **ret);
} hr_table_1;

/* -- hooks: what a component offers ---------------------------------------- */

/* Required.  Each call of a hook, these and the two below, has an instance of its own. */
#define HR_EXECUTOR "hr.executor/1"
typedef struct hr_executor_1 {
    hr_status (*make)(const hr_host *host, hr_run *run, void **ret_self); /* [many] */
    hr_status (*run)(void *self, hr_run *run);                            /* [one] */
    void (*drop)(void *self); /* [one] NULL is allowed and does nothing */
} hr_executor_1;

/* Optional.  Inputs are resolved and the execution is registered, RUNNING; outputs have no
 * directory yet.  What it sets, on outputs or on the execution, is part of the cache key and
 * recorded.  If it fails, the execution ends FAILED, with the text. */
#define HR_DRIVER "hr.driver/1"
typedef struct hr_driver_1 {
    hr_status (*decide)(void *self, hr_run *run, int32_t *ret_verdict); /* [one] */
} hr_driver_1;
enum {
    HR_EXECUTE = 0, /* go on: look into the cache, else run */
    HR_REUSE = 1,   /* end CACHED, with the outputs of this node's last success, whatever its key */
    HR_SKIP = 2     /* end CANCELED, without outputs */
};
/* Texts set with key NULL: why a driver reuses or skips; what a hook wants said in the
 * node's line, "334 rows: train 234, eval 100". */
#define HR_REASON "reason"
#define HR_SUMMARY "summary"

/* Optional: without it the host publishes what was written, as it is. */
#define HR_PUBLISHER "hr.publisher/1"
typedef struct hr_publisher_1 {
    hr_status (*publish)(void *self, hr_run *run, hr_status executed); /* [one] */
} hr_publisher_1;

#ifdef __cplusplus
}
#endif
#endif
