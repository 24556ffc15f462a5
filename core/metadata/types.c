#include <string.h>

#include "metadata/sql.h"

hr_status hr_store_find_type(struct hr_store *store, enum hr_type_kind kind, const char *name,
                             int64_t *ret_id)
{
    sqlite3_stmt *s = hr_sql_get(store, HR_SQL_FIND_TYPE);
    int r;

    if (!s)
        return HR_INTERNAL;
    hr_sql_text(s, 1, name);
    sqlite3_bind_int64(s, 2, kind);
    r = hr_sql_step(store, s);
    if (r > 0)
        *ret_id = sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    if (r < 0)
        return r;
    return r ? HR_OK : HR_NOT_FOUND;
}

/* *ret: the data type that is stored, 0 for none. */
static hr_status stored_kind(struct hr_store *store, int64_t type, const char *name, int64_t *ret)
{
    sqlite3_stmt *s = hr_sql_get(store, HR_SQL_TYPE_PROPERTIES);
    int r;

    *ret = 0;
    if (!s)
        return HR_INTERNAL;
    sqlite3_bind_int64(s, 1, type);
    while ((r = hr_sql_step(store, s)) > 0)
        if (hr_text_eq((const char *)sqlite3_column_text(s, 0), name))
            *ret = sqlite3_column_int64(s, 1);
    sqlite3_reset(s);
    return r;
}

static hr_status put_property(struct hr_store *store, const struct hr_meta_type *type, int64_t id,
                              const struct hr_meta_type_property *p)
{
    sqlite3_stmt *s;
    int64_t stored;
    hr_status r = stored_kind(store, id, p->name, &stored);

    if (r < 0 || stored == (int64_t)p->kind)
        return r;
    if (stored)
        return hr_fail(store->env, HR_EXISTS,
                       "type \"%s\" has a property \"%s\" of data type %lld, not %d; give the"
                       " property another name",
                       type->name, p->name, (long long)stored, (int)p->kind);
    if (!(s = hr_sql_get(store, HR_SQL_ADD_TYPE_PROPERTY)))
        return HR_INTERNAL;
    sqlite3_bind_int64(s, 1, id);
    hr_sql_text(s, 2, p->name);
    sqlite3_bind_int64(s, 3, p->kind);
    return hr_sql_run(store, s);
}

static hr_status add_type(struct hr_store *store, const struct hr_meta_type *type, int64_t *ret)
{
    sqlite3_stmt *s = hr_sql_get(store, HR_SQL_ADD_TYPE);
    int64_t base;
    hr_status r;

    if (!s)
        return HR_INTERNAL;
    hr_sql_text(s, 1, type->name);
    sqlite3_bind_int64(s, 2, type->kind);
    if ((r = hr_sql_run(store, s)) < 0)
        return r;
    *ret = sqlite3_last_insert_rowid(store->db);
    if (!type->base)
        return HR_OK;
    if ((r = hr_store_find_type(store, type->kind, type->base, &base)) < 0)
        return hr_fail(store->env, r, "there is no simple type \"%s\"", type->base);
    if (!(s = hr_sql_get(store, HR_SQL_ADD_PARENT_TYPE)))
        return HR_INTERNAL;
    sqlite3_bind_int64(s, 1, *ret);
    sqlite3_bind_int64(s, 2, base);
    return hr_sql_run(store, s);
}

hr_status hr_store_put_type(struct hr_store *store, const struct hr_meta_type *type,
                            int64_t *ret_id)
{
    int64_t id = 0;
    hr_status r = hr_store_find_type(store, type->kind, type->name, &id);
    size_t i;

    if (r == HR_NOT_FOUND)
        r = add_type(store, type, &id);
    for (i = 0; r == HR_OK && i < type->count; i++)
        r = put_property(store, type, id, &type->properties[i]);
    if (r == HR_OK)
        *ret_id = id;
    return r;
}
