/* Looking nodes up: one statement is made from what is asked, with bound values. */
#include <string.h>

#include "metadata/sql.h"

struct kind {
    const char *table, *state, *property, *property_id, *link, *link_id;
};
static const struct kind kinds[] = {
    { "Execution", "last_known_state", "ExecutionProperty", "execution_id", "Association",
      "execution_id" },
    { "Artifact", "state", "ArtifactProperty", "artifact_id", "Attribution", "artifact_id" },
    { "Context", NULL, "ContextProperty", "context_id", NULL, NULL },
};

/* Output of an execution that is linked to every context, under the key in any step. */
static hr_status add_output(const struct hr_look *look, struct hr_buf *sql)
{
    hr_status r =
        hr_buf_text(sql, " AND n.id IN (SELECT e.artifact_id FROM Event e JOIN EventPath p ON"
                         " p.event_id = e.id AND p.is_index_step = 0 AND p.step_key = ?1"
                         " WHERE e.type IN (1, 4, 6)");
    size_t i;

    for (i = 0; i < look->context_count && r == HR_OK; i++)
        r = hr_buf_format(sql,
                          " AND e.execution_id IN (SELECT execution_id FROM Association WHERE"
                          " context_id = %lld)",
                          (long long)look->contexts[i]);
    return r < 0 ? r : hr_buf_text(sql, ")");
}

static hr_status add_links(const struct hr_look *look, const struct kind *k, struct hr_buf *sql)
{
    hr_status r = HR_OK;
    size_t i;

    for (i = 0; i < look->context_count && r == HR_OK; i++)
        r = hr_buf_format(sql, " AND n.id IN (SELECT %s FROM %s WHERE context_id = %lld)",
                          k->link_id, k->link, (long long)look->contexts[i]);
    return r;
}

/* What a node is by itself. */
static hr_status add_own(const struct hr_look *look, const struct kind *k, struct hr_buf *sql)
{
    hr_status r = HR_OK;

    if (look->type)
        r = hr_buf_format(sql,
                          " AND %sn.type_id IN (SELECT id FROM Type WHERE name = ?2 AND"
                          " type_kind = %d AND version IS NULL)",
                          /* a few of the newest: walk the ids down, do not sort the type */
                          look->kind == HR_KIND_CONTEXT && look->limit ? "+" : "",
                          (int)look->kind);
    if (r == HR_OK && look->state)
        r = hr_buf_format(sql, " AND n.%s = %lld", k->state, (long long)look->state);
    return r;
}

static hr_status add_rest(const struct hr_look *look, const struct kind *k, struct hr_buf *sql)
{
    hr_status r = HR_OK;

    if (look->before)
        r = hr_buf_format(sql, " AND n.id < %lld", (long long)look->before);
    if (r == HR_OK && look->property)
        r = hr_buf_format(sql,
                          " AND EXISTS (SELECT 1 FROM %s q WHERE q.%s = n.id AND q.name = ?3 AND"
                          " q.is_custom_property = 1 AND (?4 IS NULL OR q.string_value = ?4))",
                          k->property, k->property_id);
    return r;
}

static hr_status make_sql(const struct hr_look *look, struct hr_buf *sql)
{
    const struct kind *k = &kinds[look->kind];
    hr_status r = hr_buf_format(sql, "SELECT n.id FROM %s n WHERE 1", k->table);

    if (r == HR_OK)
        r = add_own(look, k, sql);
    if (r == HR_OK && look->output_key)
        r = add_output(look, sql);
    else if (r == HR_OK && k->link)
        r = add_links(look, k, sql);
    if (r == HR_OK)
        r = add_rest(look, k, sql);
    if (r == HR_OK)
        r = hr_buf_text(sql, look->newest_first ? " ORDER BY n.id DESC" : " ORDER BY n.id");
    if (r == HR_OK && look->limit)
        r = hr_buf_format(sql, " LIMIT %lld", (long long)look->limit);
    return r;
}

/* All ids first: nodes are read by statements of their own. */
static hr_status read_ids(struct hr_store *store, sqlite3_stmt *s, int64_t **ids, size_t *count,
                          size_t *cap)
{
    int r;

    while ((r = hr_sql_step(store, s)) > 0) {
        if (!hr_mem_reserve(store->env, (void **)ids, cap, *count + 1, sizeof **ids, SIZE_MAX / 16))
            return HR_EXHAUSTED;
        (*ids)[(*count)++] = sqlite3_column_int64(s, 0);
    }
    return r;
}

hr_status hr_store_look(struct hr_store *store, const struct hr_look *look, struct hr_arena *arena,
                        struct hr_meta_nodes *ret)
{
    struct hr_meta_nodes nodes = { 0 };
    sqlite3_stmt *s = NULL;
    size_t count = 0, cap = 0, i;
    int64_t *ids = NULL;
    struct hr_buf sql;
    hr_status r;

    hr_buf_of(&sql, 1 << 20, store->env);
    if ((r = make_sql(look, &sql)) < 0)
        goto out;
    if (sqlite3_prepare_v2(store->db, sql.text, -1, &s, NULL)) {
        r = hr_sql_fail(store, "cannot look up");
        goto out;
    }
    hr_sql_text(s, 1, look->output_key);
    hr_sql_text(s, 2, look->type);
    hr_sql_text(s, 3, look->property);
    hr_sql_text(s, 4, look->value);
    if ((r = read_ids(store, s, &ids, &count, &cap)) < 0)
        goto out;
    if (count && !(nodes.items = hr_arena_array(arena, count, sizeof *nodes.items))) {
        r = HR_EXHAUSTED;
        goto out;
    }
    for (i = 0; i < count && r == HR_OK; i++)
        r = hr_store_get(store, look->kind, ids[i], arena, &nodes.items[nodes.count++]);
out:
    sqlite3_finalize(s);
    hr_buf_clear(&sql);
    hr_mem_put(store->env, ids, cap * sizeof *ids);
    if (r == HR_OK)
        *ret = nodes;
    return r;
}
