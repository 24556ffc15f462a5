#include "plugin/cache.h"

#include <sqlite3.h>
#include <string.h>

enum sql {
    GET_DIGEST,
    PUT_DIGEST,
    GET_MANIFEST,
    PUT_MANIFEST,
    TAKE,
    HOLDER,
    DROP,
    DROP_ALL,
    HOLDERS,
    COUNT
};

static const char *const texts[COUNT] = {
    "SELECT sha256 FROM digest WHERE device = ?1 AND inode = ?2 AND size = ?3 AND mtime = ?4"
    " AND ctime = ?5",
    "INSERT OR REPLACE INTO digest (device, inode, size, mtime, ctime, sha256)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    "SELECT manifest, reason FROM manifest WHERE sha256 = ?1 AND host = ?2",
    "INSERT OR REPLACE INTO manifest (sha256, manifest, reason, host) VALUES (?1, ?2, ?3, ?4)",
    "INSERT OR IGNORE INTO lease (key, host) VALUES (?1, ?2)",
    "SELECT host FROM lease WHERE key = ?1",
    "DELETE FROM lease WHERE key = ?1 AND host = ?2",
    "DELETE FROM lease WHERE host = ?1",
    "SELECT DISTINCT host FROM lease ORDER BY host LIMIT 1000",
};

static const char tables[] =
    "CREATE TABLE IF NOT EXISTS digest (device INT, inode INT, size INT, mtime INT, ctime INT,"
    " sha256 BLOB, PRIMARY KEY (device, inode)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS manifest (sha256 TEXT PRIMARY KEY, manifest TEXT, reason TEXT,"
    " host INT) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS lease (key TEXT PRIMARY KEY, host TEXT) WITHOUT ROWID;";

enum { BUSY_MS = 5000, FRESH_NS = 2000000000 };

struct hr_cache {
    struct hr_env *env;
    sqlite3 *db;
    sqlite3_stmt *statements[COUNT];
    bool broken; /* it is asked no more: each answer of a bad disk takes SQLite many seconds */
};

static bool open_db(struct hr_cache *cache, const char *path)
{
    if (sqlite3_open_v2(path, &cache->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL))
        return false;
    sqlite3_busy_timeout(cache->db, BUSY_MS);
    /* Nothing here waits for the disk: what a power cut takes, or damages, is made again. */
    return !sqlite3_exec(cache->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF", NULL,
                         NULL, NULL) &&
           !sqlite3_exec(cache->db, tables, NULL, NULL, NULL);
}

struct hr_cache *hr_cache_open(struct hr_env *env, const char *path)
{
    struct hr_cache *cache = hr_mem_zero(env, sizeof *cache);
    int code;

    if (!cache)
        return NULL;
    cache->env = env;
    if (open_db(cache, path))
        return cache;
    code = cache->db ? sqlite3_errcode(cache->db) : SQLITE_NOMEM;
    sqlite3_close(cache->db);
    cache->db = NULL;
    if ((code == SQLITE_CORRUPT || code == SQLITE_NOTADB) &&
        env->os->unlink(env->os->user, path) == 0 && open_db(cache, path))
        return cache;
    hr_cache_close(cache);
    return NULL;
}

/* Not read-only, for that would leave the log's files behind. */
struct hr_cache *hr_cache_open_to_look(struct hr_env *env, const char *path)
{
    struct hr_cache *cache = hr_mem_zero(env, sizeof *cache);

    if (!cache)
        return NULL;
    cache->env = env;
    if (!sqlite3_open_v2(path, &cache->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) &&
        !sqlite3_busy_timeout(cache->db, BUSY_MS) &&
        !sqlite3_exec(cache->db, "PRAGMA query_only = ON", NULL, NULL, NULL))
        return cache;
    hr_cache_close(cache);
    return NULL;
}

void hr_cache_close(struct hr_cache *cache)
{
    int i;

    if (!cache)
        return;
    for (i = 0; i < COUNT; i++)
        sqlite3_finalize(cache->statements[i]);
    sqlite3_close(cache->db);
    hr_mem_put(cache->env, cache, sizeof *cache);
}

static sqlite3_stmt *get(struct hr_cache *cache, enum sql id)
{
    sqlite3_stmt **s = &cache->statements[id];

    if (cache->broken)
        return NULL;
    if (!*s && sqlite3_prepare_v2(cache->db, texts[id], -1, s, NULL))
        return NULL;
    sqlite3_reset(*s);
    sqlite3_clear_bindings(*s);
    return *s;
}

static int step(struct hr_cache *cache, sqlite3_stmt *s)
{
    int code = sqlite3_step(s);

    switch (code & 0xff) {
    case SQLITE_IOERR:
    case SQLITE_PROTOCOL:
    case SQLITE_CANTOPEN:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        cache->broken = true;
        break;
    default:
        break;
    }
    return code;
}

static bool run(struct hr_cache *cache, sqlite3_stmt *s)
{
    bool done = s && step(cache, s) == SQLITE_DONE;

    if (s)
        sqlite3_reset(s);
    return done;
}

static void bind_stat(sqlite3_stmt *s, const struct hr_stat *st)
{
    sqlite3_bind_int64(s, 1, (int64_t)st->device);
    sqlite3_bind_int64(s, 2, (int64_t)st->inode);
    sqlite3_bind_int64(s, 3, (int64_t)st->size);
    sqlite3_bind_int64(s, 4, st->mtime_ns);
    sqlite3_bind_int64(s, 5, st->ctime_ns);
}

/* A change within the clock's grain after the reading would go unseen. */
static bool settled(struct hr_env *env, const struct hr_stat *st)
{
    int64_t now = env->os->realtime_us(env->os->user) * 1000;

    return now - st->mtime_ns > FRESH_NS && now - st->ctime_ns > FRESH_NS;
}

static bool same(const struct hr_stat *a, const struct hr_stat *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns;
}

static bool look(struct hr_cache *cache, const struct hr_stat *st, uint8_t ret[HR_SHA256_SIZE])
{
    sqlite3_stmt *s = get(cache, GET_DIGEST);
    bool known = false;

    if (!s)
        return false;
    bind_stat(s, st);
    if (step(cache, s) == SQLITE_ROW && sqlite3_column_bytes(s, 0) == HR_SHA256_SIZE) {
        memcpy(ret, sqlite3_column_blob(s, 0), HR_SHA256_SIZE);
        known = true;
    }
    sqlite3_reset(s);
    return known;
}

static void put(struct hr_cache *cache, const struct hr_stat *st,
                const uint8_t digest[HR_SHA256_SIZE])
{
    sqlite3_stmt *s = get(cache, PUT_DIGEST);

    if (!s)
        return;
    bind_stat(s, st);
    sqlite3_bind_blob(s, 6, digest, HR_SHA256_SIZE, SQLITE_TRANSIENT);
    run(cache, s);
}

void hr_cache_keep(struct hr_cache *cache, struct hr_env *env, const char *path,
                   const uint8_t digest[HR_SHA256_SIZE])
{
    struct hr_stat st;

    if (cache && env->os->stat(env->os->user, path, false, &st) == 0 && st.is_file)
        put(cache, &st, digest);
}

bool hr_cache_known(struct hr_cache *cache, struct hr_env *env, const char *path,
                    uint8_t ret[HR_SHA256_SIZE])
{
    struct hr_stat st;

    return cache && env->os->stat(env->os->user, path, false, &st) == 0 && st.is_file &&
           look(cache, &st, ret);
}

hr_status hr_cache_digest(struct hr_cache *cache, struct hr_env *env, const char *path,
                          uint8_t ret[HR_SHA256_SIZE], uint64_t *ret_size)
{
    struct hr_stat st, after;
    hr_status r;
    int e = env->os->stat(env->os->user, path, true, &st);

    if (e < 0)
        return hr_fail_os(env, e, "look at", path);
    if (!cache || !settled(env, &st))
        return hr_file_digest(env, path, ret, ret_size);
    if (look(cache, &st, ret)) {
        if (ret_size)
            *ret_size = st.size;
        return HR_OK;
    }
    if ((r = hr_file_digest(env, path, ret, ret_size)) < 0)
        return r;
    if (env->os->stat(env->os->user, path, true, &after) < 0 || !same(&st, &after))
        return HR_OK;
    put(cache, &st, ret);
    return HR_OK;
}

static const char *column(sqlite3_stmt *s, int i, struct hr_arena *arena)
{
    const unsigned char *t = sqlite3_column_text(s, i);

    return t ? hr_arena_text(arena, (const char *)t) : NULL;
}

const char *hr_cache_manifest(struct hr_cache *cache, const char *digest, struct hr_arena *arena,
                              const char **ret_reason)
{
    sqlite3_stmt *s = cache ? get(cache, GET_MANIFEST) : NULL;
    const char *manifest = NULL;

    if (!s)
        return NULL;
    sqlite3_bind_text(s, 1, digest, -1, SQLITE_STATIC);
    sqlite3_bind_int(s, 2, HR_VERSION_NUMBER);
    if (step(cache, s) == SQLITE_ROW) {
        manifest = column(s, 0, arena);
        *ret_reason = column(s, 1, arena);
    }
    sqlite3_reset(s);
    return manifest;
}

void hr_cache_put_manifest(struct hr_cache *cache, const char *digest, const char *manifest,
                           const char *reason)
{
    sqlite3_stmt *s = cache ? get(cache, PUT_MANIFEST) : NULL;

    if (!s)
        return;
    sqlite3_bind_text(s, 1, digest, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, manifest, -1, SQLITE_STATIC);
    if (reason)
        sqlite3_bind_text(s, 3, reason, -1, SQLITE_STATIC);
    sqlite3_bind_int(s, 4, HR_VERSION_NUMBER);
    run(cache, s);
}

void hr_cache_forget_manifests(struct hr_cache *cache)
{
    if (cache)
        sqlite3_exec(cache->db, "DELETE FROM manifest", NULL, NULL, NULL);
}

bool hr_cache_lease(struct hr_cache *cache, const char *key, const char *host,
                    struct hr_arena *arena, const char **ret_holder)
{
    sqlite3_stmt *s = cache ? get(cache, TAKE) : NULL;
    const char *holder = NULL;

    if (!s)
        return true;
    sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, host, -1, SQLITE_STATIC);
    if (run(cache, s) && sqlite3_changes(cache->db) > 0)
        return true;
    if (!(s = get(cache, HOLDER)))
        return true;
    sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
    if (step(cache, s) == SQLITE_ROW)
        holder = column(s, 0, arena);
    sqlite3_reset(s);
    if (!holder) /* let go just now, or nobody can say */
        return true;
    *ret_holder = holder;
    return false;
}

void hr_cache_release(struct hr_cache *cache, const char *key, const char *host)
{
    sqlite3_stmt *s = cache ? get(cache, DROP) : NULL;

    if (!s)
        return;
    sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, host, -1, SQLITE_STATIC);
    run(cache, s);
}

void hr_cache_release_all(struct hr_cache *cache, const char *host)
{
    sqlite3_stmt *s = cache ? get(cache, DROP_ALL) : NULL;

    if (!s)
        return;
    sqlite3_bind_text(s, 1, host, -1, SQLITE_STATIC);
    run(cache, s);
}

hr_status hr_cache_holders(struct hr_cache *cache, struct hr_arena *arena, const char ***ret,
                           size_t *ret_count)
{
    enum { MOST = 1000 };
    sqlite3_stmt *s = cache ? get(cache, HOLDERS) : NULL;
    const char **hosts = hr_arena_array(arena, MOST, sizeof *hosts);
    size_t n = 0;

    if (!hosts)
        return HR_EXHAUSTED;
    while (s && n < MOST && step(cache, s) == SQLITE_ROW)
        if ((hosts[n] = column(s, 0, arena)))
            n++;
    if (s)
        sqlite3_reset(s);
    *ret = hosts;
    *ret_count = n;
    return HR_OK;
}
