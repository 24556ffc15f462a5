#include <math.h>
#include <string.h>

#include "metadata/sql.h"

const char *hr_artifact_state_name(int64_t state)
{
    static const char *const names[] = { "UNKNOWN", "PENDING",   "LIVE",     "MARKED_FOR_DELETION",
                                         "DELETED", "ABANDONED", "REFERENCE" };

    return state >= 0 && state <= 6 ? names[state] : "UNKNOWN";
}

const char *hr_execution_state_name(int64_t state)
{
    static const char *const names[] = { "UNKNOWN", "NEW",    "RUNNING", "COMPLETE",
                                         "FAILED",  "CACHED", "CANCELED" };

    return state >= 0 && state <= 6 ? names[state] : "UNKNOWN";
}

/* text: what holds the value until the statement has run. */
static hr_status bind_value(struct hr_store *store, sqlite3_stmt *s, const char *name,
                            const struct hr_meta_value *v, struct hr_buf *text)
{
    hr_status r;

    switch (v->kind) {
    case HR_VALUE_INT:
        sqlite3_bind_int64(s, 4, v->i);
        return HR_OK;
    case HR_VALUE_BOOL:
        sqlite3_bind_int64(s, 7, v->i != 0);
        return HR_OK;
    case HR_VALUE_DOUBLE:
        if (isnan(v->d))
            return hr_fail(store->env, HR_INVALID, "the property \"%s\" is not a number", name);
        sqlite3_bind_double(s, 5, v->d);
        return HR_OK;
    case HR_VALUE_STRING:
        hr_sql_text(s, 6, v->text);
        return HR_OK;
    case HR_VALUE_STRUCT:
        r = hr_struct_encode(store->env, v->text, text);
        if (r == HR_OK)
            hr_sql_text(s, 6, text->text);
        return r;
    default:
        return hr_fail(store->env, HR_UNIMPLEMENTED,
                       "the property \"%s\" is a message, which is read but not written", name);
    }
}

hr_status hr_store_set_property(struct hr_store *store, enum hr_type_kind kind, int64_t id,
                                const struct hr_meta_property *p)
{
    sqlite3_stmt *s = hr_sql_get(store, HR_SQL_PUT_EXECUTION_PROPERTY + (int)kind);
    struct hr_buf text;
    hr_status r;

    if (!s)
        return HR_INTERNAL;
    hr_buf_of(&text, HR_MAX_JSON_BYTES, store->env);
    sqlite3_bind_int64(s, 1, id);
    hr_sql_text(s, 2, p->name);
    sqlite3_bind_int64(s, 3, p->custom);
    r = bind_value(store, s, p->name, &p->value, &text);
    if (r == HR_OK)
        r = hr_sql_run(store, s);
    hr_buf_clear(&text);
    return r;
}

static hr_status add_node(struct hr_store *store, enum hr_type_kind kind,
                          const struct hr_meta_node *node, int64_t *ret_id)
{
    sqlite3_stmt *s = hr_sql_get(store, HR_SQL_ADD_EXECUTION + (int)kind);
    hr_status r;
    int64_t id;
    size_t i;

    if (!s)
        return HR_INTERNAL;
    sqlite3_bind_int64(s, 1, node->type_id);
    if (node->state)
        sqlite3_bind_int64(s, 2, node->state);
    hr_sql_text(s, 3, node->name);
    sqlite3_bind_int64(s, 4, node->create_ms ? node->create_ms : hr_store_now_ms(store));
    if (kind == HR_KIND_ARTIFACT)
        hr_sql_text(s, 5, node->uri ? node->uri : "");
    if ((r = hr_sql_run(store, s)) < 0)
        return r;
    id = sqlite3_last_insert_rowid(store->db);
    for (i = 0; i < node->count && r == HR_OK; i++)
        r = hr_store_set_property(store, kind, id, &node->properties[i]);
    if (r == HR_OK)
        *ret_id = id;
    return r;
}

hr_status hr_store_add_artifact(struct hr_store *store, const struct hr_meta_node *node,
                                int64_t *ret_id)
{
    return add_node(store, HR_KIND_ARTIFACT, node, ret_id);
}

hr_status hr_store_add_execution(struct hr_store *store, const struct hr_meta_node *node,
                                 int64_t *ret_id)
{
    return add_node(store, HR_KIND_EXECUTION, node, ret_id);
}

static hr_status context_id(struct hr_store *store, int64_t type_id, const char *name,
                            int64_t *ret_id)
{
    sqlite3_stmt *s = hr_sql_get(store, HR_SQL_FIND_CONTEXT);
    int r;

    if (!s)
        return HR_INTERNAL;
    sqlite3_bind_int64(s, 1, type_id);
    hr_sql_text(s, 2, name);
    r = hr_sql_step(store, s);
    if (r > 0)
        *ret_id = sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    return r < 0 ? r : r ? HR_OK : HR_NOT_FOUND;
}

hr_status hr_store_put_context(struct hr_store *store, int64_t type_id, const char *name,
                               int64_t *ret_id)
{
    hr_status r = context_id(store, type_id, name, ret_id);
    sqlite3_stmt *s;

    if (r != HR_NOT_FOUND)
        return r;
    if (!(s = hr_sql_get(store, HR_SQL_ADD_CONTEXT)))
        return HR_INTERNAL;
    sqlite3_bind_int64(s, 1, type_id);
    hr_sql_text(s, 2, name);
    sqlite3_bind_int64(s, 3, hr_store_now_ms(store));
    if ((r = hr_sql_run(store, s)) == HR_OK)
        *ret_id = sqlite3_last_insert_rowid(store->db);
    return r;
}

hr_status hr_store_find_context(struct hr_store *store, const char *type, const char *name,
                                int64_t *ret_id)
{
    int64_t type_id;
    hr_status r = hr_store_find_type(store, HR_KIND_CONTEXT, type, &type_id);

    return r < 0 ? r : context_id(store, type_id, name, ret_id);
}

hr_status hr_store_set_state(struct hr_store *store, enum hr_type_kind kind, int64_t id,
                             int64_t state)
{
    sqlite3_stmt *s = hr_sql_get(store, HR_SQL_SET_EXECUTION + (int)kind);

    if (!s)
        return HR_INTERNAL;
    sqlite3_bind_int64(s, 1, id);
    sqlite3_bind_int64(s, 2, state);
    sqlite3_bind_int64(s, 3, hr_store_now_ms(store));
    return hr_sql_run(store, s);
}

hr_status hr_store_set_uri(struct hr_store *store, int64_t artifact, const char *uri)
{
    sqlite3_stmt *s = hr_sql_get(store, HR_SQL_SET_URI);

    if (!s)
        return HR_INTERNAL;
    sqlite3_bind_int64(s, 1, artifact);
    hr_sql_text(s, 2, uri);
    sqlite3_bind_int64(s, 3, hr_store_now_ms(store));
    return hr_sql_run(store, s);
}

/* -- reading --------------------------------------------------------------- */

static hr_status read_value(struct hr_store *store, sqlite3_stmt *s, struct hr_arena *arena,
                            struct hr_meta_value *v)
{
    const char *text;
    struct hr_buf json;
    hr_status r = HR_OK;

    *v = (struct hr_meta_value){ .kind = HR_VALUE_INT };
    if (sqlite3_column_type(s, 2) != SQLITE_NULL) {
        v->i = sqlite3_column_int64(s, 2);
    } else if (sqlite3_column_type(s, 3) != SQLITE_NULL) {
        v->kind = HR_VALUE_DOUBLE;
        v->d = sqlite3_column_double(s, 3);
    } else if (sqlite3_column_type(s, 4) != SQLITE_NULL) {
        v->kind = HR_VALUE_STRING;
        if ((r = hr_sql_column(s, 4, arena, &text)) < 0)
            return r;
        v->text = text;
        if (!hr_text_starts(text, "mlmd-struct::"))
            return HR_OK;
        v->kind = HR_VALUE_STRUCT;
        hr_buf_of(&json, HR_MAX_JSON_BYTES, store->env);
        r = hr_struct_decode(store->env, text, &json);
        v->text = r == HR_OK ? hr_arena_text(arena, json.text) : NULL;
        hr_buf_clear(&json);
        return r < 0 ? r : v->text ? HR_OK : HR_EXHAUSTED;
    } else if (sqlite3_column_type(s, 5) != SQLITE_NULL) {
        v->kind = HR_VALUE_PROTO;
        r = hr_sql_column(s, 5, arena, &v->text);
    } else {
        v->kind = HR_VALUE_BOOL;
        v->i = sqlite3_column_int64(s, 6) != 0;
    }
    return r;
}

static hr_status read_properties(struct hr_store *store, enum hr_type_kind kind,
                                 struct hr_arena *arena, struct hr_meta_node *node)
{
    sqlite3_stmt *s = hr_sql_get(store, HR_SQL_EXECUTION_PROPERTIES + (int)kind);
    size_t cap = 0;
    int r;

    if (!s)
        return HR_INTERNAL;
    sqlite3_bind_int64(s, 1, node->id);
    while ((r = hr_sql_step(store, s)) > 0) {
        struct hr_meta_property *p;

        if (node->count == cap) {
            cap = cap ? cap * 2 : 16;
            if (!(p = hr_arena_array(arena, cap, sizeof *p))) {
                r = HR_EXHAUSTED;
                break;
            }
            if (node->count)
                memcpy(p, node->properties, node->count * sizeof *p);
            node->properties = p;
        }
        p = &node->properties[node->count];
        p->custom = sqlite3_column_int(s, 1) != 0;
        if ((r = hr_sql_column(s, 0, arena, &p->name)) < 0 ||
            (r = read_value(store, s, arena, &p->value)) < 0)
            break;
        if (!p->name)
            p->name = "";
        node->count++;
    }
    sqlite3_reset(s);
    return r;
}

/* What a row says of a node itself. */
static hr_status read_node(sqlite3_stmt *s, struct hr_arena *arena, struct hr_meta_node *node)
{
    hr_status r = hr_sql_column(s, 2, arena, &node->type);

    if (r == HR_OK)
        r = hr_sql_column(s, 3, arena, &node->name);
    if (r == HR_OK)
        r = hr_sql_column(s, 4, arena, &node->uri);
    node->id = sqlite3_column_int64(s, 0);
    node->type_id = sqlite3_column_int64(s, 1);
    node->state = sqlite3_column_int64(s, 5);
    node->create_ms = sqlite3_column_int64(s, 6);
    node->update_ms = sqlite3_column_int64(s, 7);
    if (!node->uri)
        node->uri = "";
    if (!node->type)
        node->type = "";
    return r;
}

hr_status hr_store_get(struct hr_store *store, enum hr_type_kind kind, int64_t id,
                       struct hr_arena *arena, struct hr_meta_node *ret)
{
    sqlite3_stmt *s = hr_sql_get(store, HR_SQL_GET_EXECUTION + (int)kind);
    struct hr_meta_node node = { 0 };
    bool found = false;
    int r;

    if (!s)
        return HR_INTERNAL;
    sqlite3_bind_int64(s, 1, id);
    if ((r = hr_sql_step(store, s)) > 0) {
        found = true;
        r = read_node(s, arena, &node);
    }
    sqlite3_reset(s);
    if (r < 0 || !found)
        return r < 0 ? r : HR_NOT_FOUND;
    if ((r = read_properties(store, kind, arena, &node)) < 0)
        return r;
    *ret = node;
    return HR_OK;
}

const struct hr_meta_value *hr_meta_value(const struct hr_meta_node *node, const char *name)
{
    size_t i;

    for (i = 0; i < node->count; i++)
        if (!strcmp(node->properties[i].name, name))
            return &node->properties[i].value;
    return NULL;
}

const char *hr_meta_text(const struct hr_meta_node *node, const char *name)
{
    const struct hr_meta_value *v = hr_meta_value(node, name);

    return v && (v->kind == HR_VALUE_STRING || v->kind == HR_VALUE_STRUCT) ? v->text : NULL;
}

int64_t hr_meta_int(const struct hr_meta_node *node, const char *name, int64_t without)
{
    const struct hr_meta_value *v = hr_meta_value(node, name);

    return v && (v->kind == HR_VALUE_INT || v->kind == HR_VALUE_BOOL) ? v->i : without;
}
