/* Opening a store, and its transactions. */
#include <errno.h>
#include <string.h>

#include "metadata/schema.h"
#include "metadata/sql.h"

enum { BUSY_MS = 20000 };

hr_status hr_sql_fail(struct hr_store *store, const char *what)
{
    int code = store->db ? sqlite3_extended_errcode(store->db) : SQLITE_NOMEM;
    const char *text = store->db ? sqlite3_errmsg(store->db) : "no memory";
    hr_status r;

    /* What the system has said, where SQLite has a word for all that a disk may do. */
    if ((code & 0xff) == SQLITE_IOERR && sqlite3_system_errno(store->db) == ENOSPC) {
        code = SQLITE_FULL;
        text = "the disk is full";
    }

    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        r = HR_UNAVAILABLE;
        break;
    case SQLITE_NOMEM:
    case SQLITE_FULL:
        r = HR_EXHAUSTED;
        break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_IOERR:
        r = HR_DATA_LOSS;
        break;
    case SQLITE_CONSTRAINT:
        r = HR_EXISTS;
        break;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        r = HR_DENIED;
        break;
    case SQLITE_CANTOPEN:
        r = HR_NOT_FOUND;
        break;
    default:
        r = HR_INTERNAL;
    }
    return hr_fail(store->env, r, "metadata store \"%s\": %s: %s", store->path, what, text);
}

sqlite3_stmt *hr_sql_get(struct hr_store *store, int id)
{
    static const char *const texts[] = {
#define TEXT(id, text) text,
        HR_SQL_LIST(TEXT)
#undef TEXT
    };
    sqlite3_stmt **s = &store->statements[id];

    if (!*s && sqlite3_prepare_v3(store->db, texts[id], -1, SQLITE_PREPARE_PERSISTENT, s, NULL)) {
        hr_sql_fail(store, "cannot prepare");
        return NULL;
    }
    sqlite3_reset(*s);
    sqlite3_clear_bindings(*s);
    return *s;
}

int hr_sql_step(struct hr_store *store, sqlite3_stmt *s)
{
    int code = sqlite3_step(s);

    if (code == SQLITE_ROW)
        return 1;
    if (code == SQLITE_DONE)
        return 0;
    return hr_sql_fail(store, "cannot run a statement");
}

hr_status hr_sql_run(struct hr_store *store, sqlite3_stmt *s)
{
    int r;

    if (!s)
        return HR_INTERNAL;
    do
        r = hr_sql_step(store, s);
    while (r > 0);
    sqlite3_reset(s);
    return r;
}

void hr_sql_text(sqlite3_stmt *s, int i, const char *text)
{
    if (text)
        sqlite3_bind_text(s, i, text, -1, SQLITE_STATIC);
}

hr_status hr_sql_column(sqlite3_stmt *s, int i, struct hr_arena *arena, const char **ret)
{
    bool null = sqlite3_column_type(s, i) == SQLITE_NULL; /* asked first: it may be converted */
    const char *text = null ? NULL : (const char *)sqlite3_column_text(s, i);

    if (!null && !text)
        return hr_fail_memory(arena->env);
    *ret = NULL;
    return null || (*ret = hr_arena_text(arena, text)) ? HR_OK : HR_EXHAUSTED;
}

int64_t hr_store_now_ms(const struct hr_store *store)
{
    return store->env->os->realtime_us(store->env->os->user) / 1000;
}

static hr_status run_text(struct hr_store *store, const char *sql)
{
    if (sqlite3_exec(store->db, sql, NULL, NULL, NULL))
        return hr_sql_fail(store, "cannot run a statement");
    return HR_OK;
}

static bool probe(struct hr_store *store, const char *sql)
{
    sqlite3_stmt *s = NULL;
    int code = sqlite3_prepare_v2(store->db, sql, -1, &s, NULL);

    sqlite3_finalize(s);
    return code == SQLITE_OK;
}

/* *ret: the version, 0 where there is no store yet. */
static hr_status version(struct hr_store *store, int64_t *ret)
{
    sqlite3_stmt *s = NULL;
    int code = sqlite3_prepare_v2(store->db, "SELECT schema_version FROM MLMDEnv", -1, &s, NULL);
    int64_t rows = 0, v = 0;

    if (code == SQLITE_ERROR) { /* no such table */
        *ret = 0;
        return HR_OK;
    }
    if (code != SQLITE_OK)
        return hr_sql_fail(store, "cannot read the schema version");
    while ((code = sqlite3_step(s)) == SQLITE_ROW) {
        v = sqlite3_column_int64(s, 0);
        rows++;
    }
    sqlite3_finalize(s);
    if (code != SQLITE_DONE)
        return hr_sql_fail(store, "cannot read the schema version");
    if (rows != 1)
        return hr_fail(store->env, HR_DATA_LOSS,
                       "metadata store \"%s\": MLMDEnv has %lld rows, and one is wanted",
                       store->path, (long long)rows);
    *ret = v;
    return HR_OK;
}

static hr_status simple_types(struct hr_store *store)
{
    hr_status r = HR_OK;
    int64_t id;
    size_t i;

    for (i = 0; i < HR_SIMPLE_TYPES && r == HR_OK; i++) {
        struct hr_meta_type type = { .kind = (enum hr_type_kind)hr_simple_types[i].kind,
                                     .name = hr_simple_types[i].name };

        r = hr_store_put_type(store, &type, &id);
    }
    return r;
}

/* A database that has tables, and none of ours, is somebody's. */
static hr_status check_empty(struct hr_store *store)
{
    sqlite3_stmt *s = NULL;
    hr_status r = HR_OK;
    const char *name;
    int code = sqlite3_prepare_v2(store->db,
                                  "SELECT name FROM sqlite_schema WHERE NOT EXISTS (SELECT 1 FROM"
                                  " sqlite_schema WHERE name = 'MLMDEnv') LIMIT 1",
                                  -1, &s, NULL);

    if (code == SQLITE_OK && (code = sqlite3_step(s)) == SQLITE_ROW) {
        name = (const char *)sqlite3_column_text(s, 0);
        r = hr_fail(store->env, HR_PRECONDITION,
                    "\"%s\" is the database of another program: it has a table \"%s\"; move it "
                    "away",
                    store->path, name ? name : "");
    } else if (code != SQLITE_DONE) {
        r = hr_sql_fail(store, "cannot read the schema");
    }
    sqlite3_finalize(s);
    return r;
}

/* All tables, the version and the simple types in one transaction: a client that opens the
 * file at this moment sees all or nothing. */
static hr_status create(struct hr_store *store)
{
    hr_status r = hr_store_begin(store, true);
    int64_t found = 0;
    size_t i;

    if (r == HR_OK)
        r = version(store, &found); /* somebody may have been quicker */
    if (r == HR_OK && !found)
        r = check_empty(store);
    for (i = 0; r == HR_OK && !found && hr_schema_create[i]; i++)
        r = run_text(store, hr_schema_create[i]);
    if (r == HR_OK && !found)
        r = run_text(store, "INSERT INTO MLMDEnv (schema_version) VALUES (10)");
    for (i = 0; r == HR_OK && hr_schema_more[i]; i++)
        r = run_text(store, hr_schema_more[i]);
    if (r == HR_OK)
        r = simple_types(store);
    if (r == HR_OK)
        return hr_store_commit(store);
    hr_store_rollback(store);
    return r;
}

static hr_status check_tables(struct hr_store *store, int64_t found)
{
    size_t i;

    if (found != HR_SCHEMA_VERSION)
        return hr_fail(store->env, HR_PRECONDITION,
                       "metadata store \"%s\" has schema version %lld, and this headrace reads"
                       " version %d; %s",
                       store->path, (long long)found, HR_SCHEMA_VERSION,
                       found > HR_SCHEMA_VERSION ? "use a newer headrace"
                                                 : "upgrade it with ml-metadata 1.11 or later");
    for (i = 0; i < HR_SCHEMA_TABLES; i++)
        if (!probe(store, hr_schema_probes[i]))
            return hr_sql_fail(store, "a table of the schema is not as it should be");
    return HR_OK;
}

/* The busy handler does not cover this change: two that open a new store at once would have one
 * of them told that it is locked. */
static hr_status use_wal(struct hr_store *store)
{
    enum { PAUSE_MS = 10 };
    int waited = 0, code;

    do {
        code = sqlite3_exec(store->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
    } while ((code == SQLITE_BUSY || code == SQLITE_LOCKED) && (waited += PAUSE_MS) < BUSY_MS &&
             sqlite3_sleep(PAUSE_MS) >= 0);
    return code ? hr_sql_fail(store, "cannot use a write-ahead log") : HR_OK;
}

static hr_status prepare(struct hr_store *store, int flags)
{
    int64_t found = 0;
    hr_status r;

    sqlite3_busy_timeout(store->db, BUSY_MS);
    if ((r = version(store, &found)) < 0)
        return r;
    if (!found && !(flags & HR_STORE_CREATE))
        return hr_fail(store->env, HR_PRECONDITION, "\"%s\" is not a metadata store", store->path);
    /* A transaction of a node is some 40 pages: SQLite's 1 000 would be copied back every 25. */
    if ((r = run_text(store, "PRAGMA wal_autocheckpoint = 8000")) < 0)
        return r;
    /* What a part of a group would be undone by, some 90 KB, would go to a file of its own. */
    if ((r = run_text(store, "PRAGMA temp_store = MEMORY")) < 0)
        return r;
    if (!found && (r = check_empty(store)) < 0)
        return r;
    if (!found && (flags & HR_STORE_WAL) && (r = use_wal(store)) < 0)
        return r;
    if (!found) {
        if ((r = create(store)) < 0)
            return r;
        found = HR_SCHEMA_VERSION;
    }
    return check_tables(store, found);
}

/* With its statements, without which it would stay open. */
static void close_database(struct hr_store *store)
{
    size_t i;

    for (i = 0; i < HR_SQL_COUNT; i++) {
        sqlite3_finalize(store->statements[i]);
        store->statements[i] = NULL;
    }
    sqlite3_close(store->db);
    store->db = NULL;
}

/* "file:PATH?immutable=1" */
static hr_status immutable_uri(const char *path, struct hr_buf *to)
{
    hr_status r = hr_buf_text(to, "file:");

    for (; *path && r == HR_OK; path++)
        if (strchr("%?#", *path))
            r = hr_buf_format(to, "%%%02x", (unsigned)(unsigned char)*path);
        else
            r = hr_buf_char(to, *path);
    return r < 0 ? r : hr_buf_text(to, "?immutable=1");
}

/* A file in WAL mode cannot be opened where nothing may be written beside it.  If nobody has it
 * open - there is no log - it does not change, and can be read as it is.  false: it is not so. */
static bool open_immutable(struct hr_store *store)
{
    struct hr_env *env = store->env;
    size_t kept = env->errors.count;
    struct hr_stat st;
    struct hr_buf name;
    bool ok = false;

    hr_buf_of(&name, 4 * HR_MAX_PATH, env);
    if (hr_buf_format(&name, "%s-wal", store->path) == HR_OK &&
        env->os->stat(env->os->user, name.text, true, &st) < 0) {
        hr_buf_cut(&name, 0);
        close_database(store);
        ok = immutable_uri(store->path, &name) == HR_OK &&
             sqlite3_open_v2(name.text, &store->db,
                             SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX,
                             NULL) == SQLITE_OK &&
             prepare(store, 0) == HR_OK;
    }
    hr_buf_clear(&name);
    hr_errors_cut(env, kept); /* the first failure is the one to tell */
    return ok;
}

bool hr_store_read_only(const struct hr_store *store)
{
    return sqlite3_db_readonly(store->db, "main") == 1;
}

hr_status hr_store_open(struct hr_env *env, const char *path, int flags, struct hr_store **ret)
{
    int open = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    struct hr_store *store = hr_mem_zero(env, sizeof *store);
    size_t kept = env->errors.count;
    hr_status r = HR_EXHAUSTED;

    if (!store)
        return HR_EXHAUSTED;
    store->env = env;
    if (flags & HR_STORE_CREATE)
        open |= SQLITE_OPEN_CREATE;
    if (!(store->path = hr_mem_text(env, path)))
        goto out;
    if (sqlite3_open_v2(path, &store->db, open, NULL)) {
        r = hr_sql_fail(store, "cannot open");
        goto out;
    }
    r = prepare(store, flags);
    if (r == HR_OK && (flags & HR_STORE_LOOK))
        r = run_text(store, "PRAGMA query_only = ON");
    if ((r == HR_DENIED || r == HR_NOT_FOUND) && open_immutable(store)) {
        hr_errors_cut(env, kept);
        r = HR_OK;
    }
out:
    if (r < 0) {
        hr_store_close(store);
        return r;
    }
    *ret = store;
    return HR_OK;
}

void hr_store_close(struct hr_store *store)
{
    if (!store)
        return;
    hr_store_sync_free(store);
    hr_store_rollback(store);
    close_database(store);
    hr_mem_text_put(store->env, store->path);
    hr_mem_put(store->env, store, sizeof *store);
}

hr_status hr_store_check(struct hr_store *store)
{
    sqlite3_stmt *s = hr_sql_get(store, HR_SQL_CHECK);
    static const char no_memory[] = "error code=7"; /* SQLITE_NOMEM, of a page that is well */
    const char *text;
    int r = s ? hr_sql_step(store, s) : HR_INTERNAL;

    if (r > 0) {
        text = (const char *)sqlite3_column_text(s, 0);
        if (!text || strstr(text, no_memory))
            r = hr_fail_memory(store->env);
        else if (!hr_text_eq(text, "ok"))
            r = hr_fail(store->env, HR_DATA_LOSS, "metadata store \"%s\" is damaged: %s",
                        store->path, text);
    }
    if (s)
        sqlite3_reset(s);
    return r < 0 ? r : HR_OK;
}

static hr_status set_relaxed(struct hr_store *store, bool relaxed)
{
    if (store->relaxed == relaxed)
        return HR_OK;
    store->relaxed = relaxed;
    return hr_sql_run(store, hr_sql_get(store, relaxed ? HR_SQL_RELAXED : HR_SQL_DURABLE));
}

/* One part of the group; how durable the whole is cannot change in its middle. */
static hr_status begin_part(struct hr_store *store, bool durable)
{
    hr_status r = HR_OK;

    if (!store->group_begun) {
        r = set_relaxed(store, true);
        if (r == HR_OK)
            r = hr_sql_run(store, hr_sql_get(store, HR_SQL_BEGIN_WRITE));
        store->group_begun = r == HR_OK;
    }
    store->unsynced = true;
    store->group_durable = store->group_durable || durable;
    return r < 0 || store->bare ? r : hr_sql_run(store, hr_sql_get(store, HR_SQL_PART));
}

static hr_status begin(struct hr_store *store, int statement, bool relaxed)
{
    hr_status r;

    if (store->grouping) {
        r = begin_part(store, !relaxed);
    } else {
        r = set_relaxed(store, relaxed);
        store->unsynced = store->unsynced || relaxed;
        if (r == HR_OK)
            r = hr_sql_run(store, hr_sql_get(store, statement));
    }
    store->in_transaction = r == HR_OK;
    return r;
}

hr_status hr_store_begin(struct hr_store *store, bool write)
{
    return begin(store, write ? HR_SQL_BEGIN_WRITE : HR_SQL_BEGIN_READ, false);
}

hr_status hr_store_begin_relaxed(struct hr_store *store)
{
    return begin(store, HR_SQL_BEGIN_WRITE, true);
}

hr_status hr_store_begin_bare(struct hr_store *store)
{
    hr_status r;

    store->bare = store->grouping;
    r = hr_store_begin_relaxed(store);
    store->bare = store->bare && r == HR_OK;
    return r;
}

/* A durable commit syncs the log with all that stands before it; this one changes nothing
 * but the row of the version, which stays as it is. */
hr_status hr_store_sync(struct hr_store *store)
{
    hr_status r = store->unsynced ? hr_store_begin(store, true) : HR_OK;

    if (r < 0 || !store->unsynced)
        return r;
    r = hr_sql_run(store, hr_sql_get(store, HR_SQL_TOUCH));
    if (r == HR_OK)
        return hr_store_commit(store);
    hr_store_rollback(store);
    return r;
}

hr_status hr_store_commit(struct hr_store *store)
{
    bool bare = store->bare;
    hr_status r = bare ? HR_OK
                       : hr_sql_run(store, hr_sql_get(store, store->grouping ? HR_SQL_PART_COMMIT
                                                                             : HR_SQL_COMMIT));

    store->bare = false;
    if (r < 0) {
        hr_store_rollback(store);
        return r;
    }
    store->in_transaction = false;
    store->unsynced = store->unsynced && store->relaxed;
    return HR_OK;
}

void hr_store_rollback(struct hr_store *store)
{
    size_t kept = store->env->errors.count;
    size_t i;

    if (!store->in_transaction)
        return;
    for (i = 0; i < HR_SQL_COUNT; i++)
        if (store->statements[i])
            sqlite3_reset(store->statements[i]);
    if (store->grouping && !store->bare) {
        hr_sql_run(store, hr_sql_get(store, HR_SQL_PART_ROLLBACK));
        hr_sql_run(store, hr_sql_get(store, HR_SQL_PART_COMMIT));
    } else {
        hr_sql_run(store, hr_sql_get(store, HR_SQL_ROLLBACK));
    }
    hr_errors_cut(store->env, kept); /* SQLite may have rolled back itself */
    store->in_transaction = store->bare = false;
}

/* -- groups ---------------------------------------------------------------- */

void hr_store_group(struct hr_store *store)
{
    store->grouping = true;
    store->group_begun = store->group_durable = false;
}

hr_status hr_store_group_end(struct hr_store *store)
{
    bool begun = store->group_begun, durable = store->group_durable;
    hr_status r;

    store->grouping = store->group_begun = false;
    if (!begun)
        return HR_OK;
    if (sqlite3_get_autocommit(store->db)) /* a full disk, say: SQLite has undone all of it */
        return hr_fail(store->env, HR_UNAVAILABLE,
                       "metadata store \"%s\": what several nodes had written was undone together",
                       store->path);
    store->in_transaction = true;
    r = hr_store_commit(store);
    return r == HR_OK && durable ? hr_store_sync(store) : r;
}
