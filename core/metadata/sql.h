/* sql.h - private to metadata: the statements, prepared once for each store. */
#ifndef HR_SQL_H
#define HR_SQL_H

#include <sqlite3.h>

#include "metadata/metadata.h"

/* X(id, text).  Statements that differ by the kind of node stand in the order of
 * hr_type_kind: execution, artifact, context. */
#define HR_SQL_LIST(X)                                                                             \
    X(BEGIN_READ, "BEGIN")                                                                         \
    X(BEGIN_WRITE, "BEGIN IMMEDIATE")                                                              \
    X(RELAXED, "PRAGMA synchronous = NORMAL")                                                      \
    X(DURABLE, "PRAGMA synchronous = FULL")                                                        \
    X(COMMIT, "COMMIT")                                                                            \
    X(PART, "SAVEPOINT part")                                                                      \
    X(PART_COMMIT, "RELEASE part")                                                                 \
    X(PART_ROLLBACK, "ROLLBACK TO part")                                                           \
    X(TOUCH, "UPDATE MLMDEnv SET schema_version = schema_version")                                 \
    X(ROLLBACK, "ROLLBACK")                                                                        \
    X(FIND_TYPE, "SELECT id FROM Type WHERE name = ?1 AND type_kind = ?2 AND version IS NULL"      \
                 " ORDER BY id LIMIT 1")                                                           \
    X(ADD_TYPE, "INSERT INTO Type (name, type_kind) VALUES (?1, ?2)")                              \
    X(TYPE_PROPERTIES, "SELECT name, data_type FROM TypeProperty WHERE type_id = ?1")              \
    X(ADD_TYPE_PROPERTY,                                                                           \
      "INSERT INTO TypeProperty (type_id, name, data_type) VALUES (?1, ?2, ?3)")                   \
    X(ADD_PARENT_TYPE,                                                                             \
      "INSERT OR IGNORE INTO ParentType (type_id, parent_type_id) VALUES (?1, ?2)")                \
    X(ADD_EXECUTION, "INSERT INTO Execution (type_id, last_known_state, name,"                     \
                     " create_time_since_epoch, last_update_time_since_epoch)"                     \
                     " VALUES (?1, ?2, ?3, ?4, ?4)")                                               \
    X(ADD_ARTIFACT, "INSERT INTO Artifact (type_id, state, name, create_time_since_epoch,"         \
                    " last_update_time_since_epoch, uri) VALUES (?1, ?2, ?3, ?4, ?4, ?5)")         \
    X(ADD_CONTEXT, "INSERT INTO Context (type_id, name, create_time_since_epoch,"                  \
                   " last_update_time_since_epoch) VALUES (?1, ?2, ?3, ?3)")                       \
    X(FIND_CONTEXT, "SELECT id FROM Context WHERE type_id = ?1 AND name = ?2")                     \
    X(SET_EXECUTION, "UPDATE Execution SET last_known_state = ?2,"                                 \
                     " last_update_time_since_epoch = ?3 WHERE id = ?1")                           \
    X(SET_ARTIFACT, "UPDATE Artifact SET state = ?2, last_update_time_since_epoch = ?3"            \
                    " WHERE id = ?1")                                                              \
    X(SET_CONTEXT, "UPDATE Context SET last_update_time_since_epoch = ?3 WHERE id = ?1 AND"        \
                   " ?2 = ?2")                                                                     \
    X(PUT_EXECUTION_PROPERTY, HR_SQL_PUT_PROPERTY("ExecutionProperty", "execution_id"))            \
    X(PUT_ARTIFACT_PROPERTY, HR_SQL_PUT_PROPERTY("ArtifactProperty", "artifact_id"))               \
    X(PUT_CONTEXT_PROPERTY, HR_SQL_PUT_PROPERTY("ContextProperty", "context_id"))                  \
    X(GET_EXECUTION, "SELECT n.id, n.type_id, t.name, n.name, '', n.last_known_state,"             \
                     " n.create_time_since_epoch, n.last_update_time_since_epoch"                  \
                     " FROM Execution n JOIN Type t ON t.id = n.type_id WHERE n.id = ?1")          \
    X(GET_ARTIFACT, "SELECT n.id, n.type_id, t.name, n.name, n.uri, n.state,"                      \
                    " n.create_time_since_epoch, n.last_update_time_since_epoch"                   \
                    " FROM Artifact n JOIN Type t ON t.id = n.type_id WHERE n.id = ?1")            \
    X(GET_CONTEXT, "SELECT n.id, n.type_id, t.name, n.name, '', 0,"                                \
                   " n.create_time_since_epoch, n.last_update_time_since_epoch"                    \
                   " FROM Context n JOIN Type t ON t.id = n.type_id WHERE n.id = ?1")              \
    X(EXECUTION_PROPERTIES, HR_SQL_PROPERTIES("ExecutionProperty", "execution_id"))                \
    X(ARTIFACT_PROPERTIES, HR_SQL_PROPERTIES("ArtifactProperty", "artifact_id"))                   \
    X(CONTEXT_PROPERTIES, HR_SQL_PROPERTIES("ContextProperty", "context_id"))                      \
    X(ADD_EVENT, "INSERT INTO Event (artifact_id, execution_id, type,"                             \
                 " milliseconds_since_epoch) VALUES (?1, ?2, ?3, ?4)")                             \
    X(ADD_STEP, "INSERT INTO EventPath (event_id, is_index_step, step_index, step_key)"            \
                " VALUES (?1, ?2, ?3, ?4)")                                                        \
    X(EVENTS_OF_EXECUTION, "SELECT id, artifact_id, execution_id, type,"                           \
                           " milliseconds_since_epoch FROM Event WHERE execution_id = ?1"          \
                           " ORDER BY id")                                                         \
    X(EVENTS_OF_ARTIFACT, "SELECT id, artifact_id, execution_id, type,"                            \
                          " milliseconds_since_epoch FROM Event WHERE artifact_id = ?1"            \
                          " ORDER BY id")                                                          \
    X(STEPS, "SELECT is_index_step, step_index, step_key FROM EventPath WHERE event_id = ?1"       \
             " ORDER BY rowid")                                                                    \
    X(ADD_ASSOCIATION,                                                                             \
      "INSERT OR IGNORE INTO Association (context_id, execution_id) VALUES (?1, ?2)")              \
    X(ADD_ATTRIBUTION,                                                                             \
      "INSERT OR IGNORE INTO Attribution (context_id, artifact_id) VALUES (?1, ?2)")               \
    X(ADD_PARENT, "INSERT OR IGNORE INTO ParentContext (context_id, parent_context_id)"            \
                  " VALUES (?1, ?2)")                                                              \
    X(CONTEXTS_OF_EXECUTION,                                                                       \
      "SELECT context_id FROM Association WHERE execution_id = ?1 ORDER BY context_id")            \
    X(CONTEXTS_OF_ARTIFACT,                                                                        \
      "SELECT context_id FROM Attribution WHERE artifact_id = ?1 ORDER BY context_id")             \
    X(PARENTS_OF_CONTEXT, "SELECT parent_context_id FROM ParentContext WHERE context_id = ?1"      \
                          " ORDER BY parent_context_id")                                           \
    X(RANK, "SELECT count(*) FROM ParentContext WHERE parent_context_id = ?1 AND"                  \
            " context_id <= ?2")                                                                   \
    X(SUM, "SELECT count(*), total(e.last_known_state = 2), total(e.last_known_state = 4),"        \
           " total(e.last_known_state = 6), max(e.last_update_time_since_epoch)"                   \
           " FROM Association a JOIN Execution e ON e.id = a.execution_id"                         \
           " WHERE a.context_id = ?1")                                                             \
    X(CHILDREN_BETWEEN, "SELECT count(*) FROM ParentContext WHERE parent_context_id = ?1 AND"      \
                        " context_id > ?2 AND context_id <= ?3")                                   \
    X(SET_URI, "UPDATE Artifact SET uri = ?2, last_update_time_since_epoch = ?3 WHERE id = ?1")    \
    X(CHECK, "PRAGMA quick_check(1)")                                                              \
    X(CHILD, "SELECT context_id FROM ParentContext WHERE parent_context_id = ?1"                   \
             " ORDER BY context_id LIMIT 1 OFFSET ?2 - 1")                                         \
    X(LINKS_OF_EXECUTION, "SELECT e.artifact_id, e.type, n.state FROM Event e JOIN Artifact n"     \
                          " ON n.id = e.artifact_id WHERE e.execution_id = ?1 ORDER BY e.id")      \
    X(LINKS_OF_ARTIFACT, "SELECT e.execution_id, e.type, n.last_known_state FROM Event e"          \
                         " JOIN Execution n ON n.id = e.execution_id WHERE e.artifact_id = ?1"     \
                         " ORDER BY e.id")                                                         \
    X(CHILDREN, "SELECT context_id FROM ParentContext WHERE parent_context_id = ?1"                \
                " ORDER BY context_id")

#define HR_SQL_PUT_PROPERTY(table, id)                                                             \
    "INSERT INTO " table " (" id ", name, is_custom_property, int_value, double_value,"            \
    " string_value, bool_value) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"                               \
    " ON CONFLICT (" id ", name, is_custom_property) DO UPDATE SET"                                \
    " int_value = excluded.int_value, double_value = excluded.double_value,"                       \
    " string_value = excluded.string_value, bool_value = excluded.bool_value,"                     \
    " byte_value = NULL, proto_value = NULL"

#define HR_SQL_PROPERTIES(table, id)                                                               \
    "SELECT name, is_custom_property, int_value, double_value, string_value, proto_value,"         \
    " bool_value FROM " table " WHERE " id " = ?1 ORDER BY is_custom_property, name"

enum hr_sql {
#define HR_SQL_ID(id, text) HR_SQL_##id,
    HR_SQL_LIST(HR_SQL_ID)
#undef HR_SQL_ID
        HR_SQL_COUNT
};

struct hr_store {
    struct hr_env *env;
    sqlite3 *db;
    char *path;
    bool in_transaction, relaxed, unsynced;
    bool grouping, group_begun, group_durable;
    bool bare; /* the part under way is undone with its group */
    struct hr_syncing *syncing; /* NULL: none under way */
    sqlite3_stmt *statements[HR_SQL_COUNT];
};

/* Ends what is under way; private to closing. */
void hr_store_sync_free(struct hr_store *store);

/* A statement, reset and without bindings.  NULL: told in env. */
sqlite3_stmt *hr_sql_get(struct hr_store *store, int id);

/* Step it once: 1 a row, 0 done; else a code, told. */
int hr_sql_step(struct hr_store *store, sqlite3_stmt *s);

/* Run it to its end; resets it. */
hr_status hr_sql_run(struct hr_store *store, sqlite3_stmt *s);

/* Tell the last error of the database. */
hr_status hr_sql_fail(struct hr_store *store, const char *what);

/* Bind a text, NULL: null.  It is not copied, which could fail and leave null in its place: it has
 * to stay until the statement has run. */
void hr_sql_text(sqlite3_stmt *s, int i, const char *text);

/* A column as text of the arena; *ret: NULL where it is null, and only there.  HR_EXHAUSTED. */
hr_status hr_sql_column(sqlite3_stmt *s, int i, struct hr_arena *arena, const char **ret);

int64_t hr_store_now_ms(const struct hr_store *store);

/* google.protobuf.Struct of a JSON text, as "mlmd-struct::" and base64; and back. */
hr_status hr_struct_encode(struct hr_env *env, const char *json, struct hr_buf *to);
hr_status hr_struct_decode(struct hr_env *env, const char *stored, struct hr_buf *to);

#endif
