#include <string.h>

#include "metadata/sql.h"

hr_status hr_store_add_event(struct hr_store *store, const struct hr_meta_event *event)
{
    sqlite3_stmt *s = hr_sql_get(store, HR_SQL_ADD_EVENT);
    int64_t id;
    hr_status r;
    size_t i;

    if (!s)
        return HR_INTERNAL;
    sqlite3_bind_int64(s, 1, event->artifact);
    sqlite3_bind_int64(s, 2, event->execution);
    sqlite3_bind_int64(s, 3, event->type);
    sqlite3_bind_int64(s, 4, event->ms ? event->ms : hr_store_now_ms(store));
    if ((r = hr_sql_run(store, s)) < 0)
        return r;
    id = sqlite3_last_insert_rowid(store->db);
    for (i = 0; i < event->count && r == HR_OK; i++) {
        const struct hr_meta_step *step = &event->steps[i];

        if (!(s = hr_sql_get(store, HR_SQL_ADD_STEP)))
            return HR_INTERNAL;
        sqlite3_bind_int64(s, 1, id);
        sqlite3_bind_int64(s, 2, step->key == NULL);
        if (!step->key)
            sqlite3_bind_int64(s, 3, step->index);
        hr_sql_text(s, 4, step->key);
        r = hr_sql_run(store, s);
    }
    return r;
}

static hr_status put_pair(struct hr_store *store, int statement, int64_t a, int64_t b)
{
    sqlite3_stmt *s = hr_sql_get(store, statement);

    if (!s)
        return HR_INTERNAL;
    sqlite3_bind_int64(s, 1, a);
    sqlite3_bind_int64(s, 2, b);
    return hr_sql_run(store, s);
}

hr_status hr_store_put_association(struct hr_store *store, int64_t context, int64_t execution)
{
    return put_pair(store, HR_SQL_ADD_ASSOCIATION, context, execution);
}

hr_status hr_store_put_attribution(struct hr_store *store, int64_t context, int64_t artifact)
{
    return put_pair(store, HR_SQL_ADD_ATTRIBUTION, context, artifact);
}

hr_status hr_store_put_parent(struct hr_store *store, int64_t child, int64_t parent)
{
    return put_pair(store, HR_SQL_ADD_PARENT, child, parent);
}

/* Room for one more in an arena's array of count items of one size. */
static bool more(struct hr_arena *arena, void **items, size_t count, size_t size)
{
    void *p;

    if (count & (count - 1) || count == 1) /* full at 0, 2, 4, 8, ...; 1 has room for 2 */
        return true;
    if (!(p = hr_arena_array(arena, count ? count * 2 : 2, size)))
        return false;
    if (count)
        memcpy(p, *items, count * size);
    *items = p;
    return true;
}

static hr_status read_steps(struct hr_store *store, int64_t id, struct hr_arena *arena,
                            struct hr_meta_event *event)
{
    sqlite3_stmt *s = hr_sql_get(store, HR_SQL_STEPS);
    int r;

    if (!s)
        return HR_INTERNAL;
    sqlite3_bind_int64(s, 1, id);
    while ((r = hr_sql_step(store, s)) > 0) {
        struct hr_meta_step *step;

        if (!more(arena, (void **)&event->steps, event->count, sizeof *event->steps)) {
            r = HR_EXHAUSTED;
            break;
        }
        step = &event->steps[event->count++];
        step->key = NULL;
        step->index = sqlite3_column_int64(s, 1);
        if (!sqlite3_column_int(s, 0) && (r = hr_sql_column(s, 2, arena, &step->key)) < 0)
            break;
    }
    sqlite3_reset(s);
    return r;
}

static hr_status read_events(struct hr_store *store, int statement, int64_t node,
                             struct hr_arena *arena, struct hr_meta_events *ret)
{
    sqlite3_stmt *s = hr_sql_get(store, statement);
    struct hr_meta_events rows = { 0 };
    int r;

    if (!s)
        return HR_INTERNAL;
    sqlite3_bind_int64(s, 1, node);
    while ((r = hr_sql_step(store, s)) > 0) {
        struct hr_meta_event *event;

        if (!more(arena, (void **)&rows.items, rows.count, sizeof *rows.items)) {
            r = HR_EXHAUSTED;
            break;
        }
        event = &rows.items[rows.count++];
        *event = (struct hr_meta_event){ .artifact = sqlite3_column_int64(s, 1),
                                         .execution = sqlite3_column_int64(s, 2),
                                         .type = sqlite3_column_int64(s, 3),
                                         .ms = sqlite3_column_int64(s, 4) };
        if ((r = read_steps(store, sqlite3_column_int64(s, 0), arena, event)) < 0)
            break;
    }
    sqlite3_reset(s);
    if (r == HR_OK)
        *ret = rows;
    return r;
}

hr_status hr_store_events_of_execution(struct hr_store *store, int64_t execution,
                                       struct hr_arena *arena, struct hr_meta_events *ret)
{
    return read_events(store, HR_SQL_EVENTS_OF_EXECUTION, execution, arena, ret);
}

hr_status hr_store_events_of_artifact(struct hr_store *store, int64_t artifact,
                                      struct hr_arena *arena, struct hr_meta_events *ret)
{
    return read_events(store, HR_SQL_EVENTS_OF_ARTIFACT, artifact, arena, ret);
}

/* The nodes whose ids a statement gives. */
static hr_status read_linked(struct hr_store *store, int statement, int64_t of,
                             struct hr_arena *arena, struct hr_meta_nodes *ret)
{
    sqlite3_stmt *s = hr_sql_get(store, statement);
    struct hr_meta_nodes nodes = { 0 };
    int r;

    if (!s)
        return HR_INTERNAL;
    sqlite3_bind_int64(s, 1, of);
    while ((r = hr_sql_step(store, s)) > 0) {
        if (!more(arena, (void **)&nodes.items, nodes.count, sizeof *nodes.items)) {
            r = HR_EXHAUSTED;
            break;
        }
        r = hr_store_get(store, HR_KIND_CONTEXT, sqlite3_column_int64(s, 0), arena,
                         &nodes.items[nodes.count]);
        if (r == HR_OK)
            nodes.count++;
        else if (r != HR_NOT_FOUND) /* an edge to nowhere is another client's; leave it */
            break;
    }
    sqlite3_reset(s);
    if (r == HR_OK)
        *ret = nodes;
    return r;
}

hr_status hr_store_contexts_of(struct hr_store *store, enum hr_type_kind kind, int64_t id,
                               struct hr_arena *arena, struct hr_meta_nodes *ret)
{
    return read_linked(store, HR_SQL_CONTEXTS_OF_EXECUTION + (int)kind, id, arena, ret);
}

hr_status hr_store_children(struct hr_store *store, int64_t context, struct hr_arena *arena,
                            struct hr_meta_nodes *ret)
{
    return read_linked(store, HR_SQL_CHILDREN, context, arena, ret);
}

hr_status hr_store_rank(struct hr_store *store, int64_t parent, int64_t child, int64_t *ret)
{
    sqlite3_stmt *s = hr_sql_get(store, HR_SQL_RANK);
    int r;

    if (!s)
        return HR_INTERNAL;
    sqlite3_bind_int64(s, 1, parent);
    sqlite3_bind_int64(s, 2, child);
    if ((r = hr_sql_step(store, s)) > 0)
        *ret = sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    return r < 0 ? r : HR_OK;
}

hr_status hr_store_sum(struct hr_store *store, int64_t context, struct hr_meta_sum *ret)
{
    sqlite3_stmt *s = hr_sql_get(store, HR_SQL_SUM);
    int r;

    if (!s)
        return HR_INTERNAL;
    sqlite3_bind_int64(s, 1, context);
    if ((r = hr_sql_step(store, s)) > 0)
        *ret = (struct hr_meta_sum){ .executions = sqlite3_column_int64(s, 0),
                                     .running = sqlite3_column_int64(s, 1),
                                     .failed = sqlite3_column_int64(s, 2),
                                     .canceled = sqlite3_column_int64(s, 3),
                                     .last_ms = sqlite3_column_int64(s, 4) };
    sqlite3_reset(s);
    return r < 0 ? r : HR_OK;
}

hr_status hr_store_links(struct hr_store *store, enum hr_type_kind kind, int64_t id,
                         struct hr_arena *arena, struct hr_meta_links *ret)
{
    sqlite3_stmt *s = hr_sql_get(store, kind == HR_KIND_ARTIFACT ? HR_SQL_LINKS_OF_ARTIFACT
                                                                 : HR_SQL_LINKS_OF_EXECUTION);
    struct hr_meta_links links = { 0 };
    size_t cap = 0;
    int r;

    if (!s)
        return HR_INTERNAL;
    sqlite3_bind_int64(s, 1, id);
    while ((r = hr_sql_step(store, s)) > 0) {
        struct hr_meta_link *more;

        if (links.count == cap) {
            cap = cap ? cap * 2 : 16;
            if (!(more = hr_arena_array(arena, cap, sizeof *more))) {
                r = HR_EXHAUSTED;
                break;
            }
            if (links.count)
                memcpy(more, links.items, links.count * sizeof *more);
            links.items = more;
        }
        links.items[links.count++] = (struct hr_meta_link){ .id = sqlite3_column_int64(s, 0),
                                                            .type = sqlite3_column_int64(s, 1),
                                                            .state = sqlite3_column_int64(s, 2) };
    }
    sqlite3_reset(s);
    if (r == HR_OK)
        *ret = links;
    return r;
}

hr_status hr_store_child(struct hr_store *store, int64_t parent, int64_t rank, int64_t *ret)
{
    sqlite3_stmt *s = hr_sql_get(store, HR_SQL_CHILD);
    int r;

    if (!s)
        return HR_INTERNAL;
    sqlite3_bind_int64(s, 1, parent);
    sqlite3_bind_int64(s, 2, rank);
    if ((r = hr_sql_step(store, s)) > 0)
        *ret = sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    return r < 0 ? r : r > 0 ? HR_OK : HR_NOT_FOUND;
}

hr_status hr_store_children_between(struct hr_store *store, int64_t parent, int64_t above,
                                    int64_t to, int64_t *ret)
{
    sqlite3_stmt *s = hr_sql_get(store, HR_SQL_CHILDREN_BETWEEN);
    int r;

    if (!s)
        return HR_INTERNAL;
    sqlite3_bind_int64(s, 1, parent);
    sqlite3_bind_int64(s, 2, above);
    sqlite3_bind_int64(s, 3, to);
    if ((r = hr_sql_step(store, s)) > 0)
        *ret = sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    return r < 0 ? r : HR_OK;
}
