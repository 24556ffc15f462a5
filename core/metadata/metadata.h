/* metadata.h - the ML Metadata store: schema version 10 on SQLite, as typed functions.
 *
 *     hr_store_open(env, "m.sqlite", HR_STORE_CREATE, &store);
 *     hr_store_begin(store, true);
 *     hr_store_put_type(store, &type, &type_id);
 *     hr_store_add_artifact(store, &artifact, &id);
 *     if (hr_store_commit(store) < 0) ...
 *
 * What is stored is ml-metadata's schema to the letter, so that its own clients open our
 * files and we theirs; two processes on one file are normal use.  Nothing is cached that
 * another process may change.
 *
 * Transactions.  Every write stands between begin(true) and commit; a function that fails
 * leaves the transaction open, and rollback undoes it.  A write transaction is begun
 * IMMEDIATE, so it waits for another writer at its begin (HR_UNAVAILABLE after the time-out)
 * and never in the middle.  Keep it short: no hook and no file work inside.
 *
 * Memory.  What is read lives in the arena that was given.  A store is used by one thread.
 */
#ifndef HR_METADATA_H
#define HR_METADATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

struct hr_store;

enum {
    HR_STORE_CREATE = 1, /* make the tables where there are none */
    HR_STORE_LOOK = 4,   /* what writes fails: the file stays as it is */
    HR_STORE_WAL = 2     /* put a file that is made here into WAL mode */
};

/* path, or ":memory:".  HR_NOT_FOUND: no such file; HR_PRECONDITION: of another schema
 * version, or not a metadata store; HR_UNAVAILABLE: locked; HR_DATA_LOSS: damaged. */
hr_status hr_store_open(struct hr_env *env, const char *path, int flags, struct hr_store **ret);
void hr_store_close(struct hr_store *store);

/* Was it opened where nothing may be written?  Then it is read, and begin(true) fails. */
bool hr_store_read_only(const struct hr_store *store);

/* Is the file as SQLite wants it?  HR_DATA_LOSS: told. */
hr_status hr_store_check(struct hr_store *store);

hr_status hr_store_begin(struct hr_store *store, bool write);
/* As begin(true), for what a power cut may take back with no harm, as that an execution is
 * RUNNING: the commit does not wait for the disk.  The next durable commit, or
 * hr_store_sync(), makes it last; a crash of the process alone loses nothing. */
hr_status hr_store_begin_relaxed(struct hr_store *store);
hr_status hr_store_sync(struct hr_store *store);

/* The same on a thread, while more is written: it covers what was committed before its begin.
 * *ret_fd, which is the store's and closed by the end, is readable once the result is there; the
 * end waits for it.  One at a time: HR_UNAVAILABLE, not told, while one is under way.  Without a
 * begin, the end is HR_OK. */
hr_status hr_store_sync_begin(struct hr_store *store, int *ret_fd);
hr_status hr_store_sync_end(struct hr_store *store);

/* From here to the end of the group, write transactions are parts of one that is begun with the
 * first of them: each is still undone by itself, all become visible together, and a group without
 * writes costs nothing.  If the end fails, none of them has happened. */
void hr_store_group(struct hr_store *store);
hr_status hr_store_group_end(struct hr_store *store);

/* A relaxed part that cannot be undone by itself, which costs a third less: for one that fails only
 * where all would.  If it does, its rollback undoes the group, and the end of that, which is to
 * come next, fails.  Outside of a group, as hr_store_begin_relaxed(). */
hr_status hr_store_begin_bare(struct hr_store *store);

hr_status hr_store_commit(struct hr_store *store);
/* Nothing happens outside a transaction.  Cannot fail. */
void hr_store_rollback(struct hr_store *store);

/* -- numbers of the format ------------------------------------------------- */

enum hr_type_kind { HR_KIND_EXECUTION = 0, HR_KIND_ARTIFACT = 1, HR_KIND_CONTEXT = 2 };

enum hr_value_kind { /* as TypeProperty.data_type */
                     HR_VALUE_INT = 1,
                     HR_VALUE_DOUBLE = 2,
                     HR_VALUE_STRING = 3,
                     HR_VALUE_STRUCT =
                         4, /* text: JSON; stored as google.protobuf.Struct in base64 */
                     HR_VALUE_PROTO = 5, /* kept, not made here */
                     HR_VALUE_BOOL = 6
};

enum hr_artifact_state {
    HR_ARTIFACT_PENDING = 1,
    HR_ARTIFACT_LIVE = 2,
    HR_ARTIFACT_MARKED = 3,
    HR_ARTIFACT_DELETED = 4,
    HR_ARTIFACT_ABANDONED = 5,
    HR_ARTIFACT_REFERENCE = 6
};

enum hr_execution_state {
    HR_EXECUTION_NEW = 1,
    HR_EXECUTION_RUNNING = 2,
    HR_EXECUTION_COMPLETE = 3,
    HR_EXECUTION_FAILED = 4,
    HR_EXECUTION_CACHED = 5,
    HR_EXECUTION_CANCELED = 6
};

enum hr_event_type {
    HR_EVENT_DECLARED_OUTPUT = 1,
    HR_EVENT_DECLARED_INPUT = 2,
    HR_EVENT_INPUT = 3,
    HR_EVENT_OUTPUT = 4,
    HR_EVENT_INTERNAL_INPUT = 5,
    HR_EVENT_INTERNAL_OUTPUT = 6
};

const char *hr_artifact_state_name(int64_t state); /* "LIVE" */
const char *hr_execution_state_name(int64_t state);

/* -- types ----------------------------------------------------------------- */

struct hr_meta_type_property {
    const char *name;
    enum hr_value_kind kind;
};

struct hr_meta_type {
    enum hr_type_kind kind;
    const char *name;
    const char *base; /* "mlmd.Dataset" and so on; NULL: none */
    const struct hr_meta_type_property *properties;
    size_t count;
};

/* Insert, or find the one of kind and name without version and add the properties that it
 * lacks.  HR_EXISTS: it has one of another data type. */
hr_status hr_store_put_type(struct hr_store *store, const struct hr_meta_type *type,
                            int64_t *ret_id);

/* HR_NOT_FOUND is an answer: no error is told. */
hr_status hr_store_find_type(struct hr_store *store, enum hr_type_kind kind, const char *name,
                             int64_t *ret_id);

/* -- nodes ----------------------------------------------------------------- */

struct hr_meta_value {
    enum hr_value_kind kind;
    int64_t i; /* INT, BOOL */
    double d;
    const char *text; /* STRING, STRUCT */
};

struct hr_meta_property {
    const char *name;
    bool custom;
    struct hr_meta_value value;
};

/* An artifact, execution or context. */
struct hr_meta_node {
    int64_t id;
    int64_t type_id;
    const char *type; /* its name; filled when read */
    const char *name; /* NULL: none */
    const char *uri;  /* of an artifact; never NULL when read */
    int64_t state;    /* of an artifact or execution */
    int64_t create_ms, update_ms;
    struct hr_meta_property *properties; /* in order of custom, name */
    size_t count;
};

struct hr_meta_nodes {
    struct hr_meta_node *items;
    size_t count;
};

/* Insert.  HR_EXISTS: the name of that type is taken; HR_INVALID: a value is NaN. */
hr_status hr_store_add_artifact(struct hr_store *store, const struct hr_meta_node *node,
                                int64_t *ret_id);
hr_status hr_store_add_execution(struct hr_store *store, const struct hr_meta_node *node,
                                 int64_t *ret_id);

/* The context of a type and name, made if there is none. */
hr_status hr_store_put_context(struct hr_store *store, int64_t type_id, const char *name,
                               int64_t *ret_id);
/* HR_NOT_FOUND is an answer. */
hr_status hr_store_find_context(struct hr_store *store, const char *type, const char *name,
                                int64_t *ret_id);

/* New state of an execution or artifact; its time of update moves. */
hr_status hr_store_set_state(struct hr_store *store, enum hr_type_kind kind, int64_t id,
                             int64_t state);
/* New uri of an artifact; its time of update moves. */
hr_status hr_store_set_uri(struct hr_store *store, int64_t artifact, const char *uri);
/* Set one property, replacing it. */
hr_status hr_store_set_property(struct hr_store *store, enum hr_type_kind kind, int64_t id,
                                const struct hr_meta_property *property);

/* HR_NOT_FOUND is an answer. */
hr_status hr_store_get(struct hr_store *store, enum hr_type_kind kind, int64_t id,
                       struct hr_arena *arena, struct hr_meta_node *ret);

/* The property of a name, custom or declared; NULL: none. */
const struct hr_meta_value *hr_meta_value(const struct hr_meta_node *node, const char *name);
const char *hr_meta_text(const struct hr_meta_node *node, const char *name); /* NULL: no text */
int64_t hr_meta_int(const struct hr_meta_node *node, const char *name, int64_t without);

/* -- links ----------------------------------------------------------------- */

struct hr_meta_step {
    const char *key; /* NULL: an index */
    int64_t index;
};

struct hr_meta_event {
    int64_t artifact, execution;
    int64_t type; /* HR_EVENT_ above */
    int64_t ms;   /* 0 when added: now */
    struct hr_meta_step *steps;
    size_t count;
};

struct hr_meta_events {
    struct hr_meta_event *items;
    size_t count;
};

/* HR_EXISTS: there is one of that artifact, execution and type. */
hr_status hr_store_add_event(struct hr_store *store, const struct hr_meta_event *event);
hr_status hr_store_put_association(struct hr_store *store, int64_t context, int64_t execution);
hr_status hr_store_put_attribution(struct hr_store *store, int64_t context, int64_t artifact);
hr_status hr_store_put_parent(struct hr_store *store, int64_t child, int64_t parent);

/* In the order of their ids. */
hr_status hr_store_events_of_execution(struct hr_store *store, int64_t execution,
                                       struct hr_arena *arena, struct hr_meta_events *ret);
hr_status hr_store_events_of_artifact(struct hr_store *store, int64_t artifact,
                                      struct hr_arena *arena, struct hr_meta_events *ret);

/* The other end of each event of an artifact or execution, without its path: by id of the
 * event; state is that of the other end. */
struct hr_meta_link {
    int64_t id, type, state;
};
struct hr_meta_links {
    struct hr_meta_link *items;
    size_t count;
};
hr_status hr_store_links(struct hr_store *store, enum hr_type_kind kind, int64_t id,
                         struct hr_arena *arena, struct hr_meta_links *ret);

/* -- looking up ------------------------------------------------------------ */

struct hr_look {
    enum hr_type_kind kind;
    const char *type;        /* NULL: any */
    const int64_t *contexts; /* linked to all of these */
    size_t context_count;
    int64_t state;          /* 0: any */
    const char *output_key; /* artifacts only: put out under this key by an execution that is
                                 linked to all contexts; NULL: any */
    const char *property;   /* with a custom text property of this name */
    const char *value;      /* and, if not NULL, this value */
    bool newest_first;      /* by id descending */
    int64_t before;         /* with a smaller id than this; 0: any */
    int64_t limit;          /* 0: all */
};

/* Nodes with their properties, by id. */
hr_status hr_store_look(struct hr_store *store, const struct hr_look *look, struct hr_arena *arena,
                        struct hr_meta_nodes *ret);

/* Contexts of an execution or artifact; children or parents of a context. */
hr_status hr_store_contexts_of(struct hr_store *store, enum hr_type_kind kind, int64_t id,
                               struct hr_arena *arena, struct hr_meta_nodes *ret);
/* How many children a context has with an id up to this one's: the number of a run. */
hr_status hr_store_rank(struct hr_store *store, int64_t parent, int64_t child, int64_t *ret);
/* How many children it has with an id above one and up to another. */
hr_status hr_store_children_between(struct hr_store *store, int64_t parent, int64_t above,
                                    int64_t to, int64_t *ret);
/* The child of that rank.  HR_NOT_FOUND is an answer. */
hr_status hr_store_child(struct hr_store *store, int64_t parent, int64_t rank, int64_t *ret);

/* The executions that are linked to a context, counted by one statement. */
struct hr_meta_sum {
    int64_t executions, running, failed, canceled;
    int64_t last_ms; /* the newest time of update; 0: there is none */
};
hr_status hr_store_sum(struct hr_store *store, int64_t context, struct hr_meta_sum *ret);
hr_status hr_store_children(struct hr_store *store, int64_t context, struct hr_arena *arena,
                            struct hr_meta_nodes *ret);

#endif
