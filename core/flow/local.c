#include "flow/local.h"

#include <stdio.h>
#include <string.h>

#include "flow/flow.h"
#include "wire/wire.h"

/* Rows of an artifact's split. */
struct item {
    char *key, *split;
    uint32_t i;
    struct ArrowSchema schema;
    struct ArrowArray *batches;
    size_t n, cap;
    struct item *next;
};

/* A split of an artifact; split NULL: all of it. */
struct part {
    const char *key;
    uint32_t i;
    const char *split;
};

/* A text about an artifact (its path has name ""), or with key NULL about the execution; what
 * hr_local_set() gave has i UINT32_MAX. */
struct fact {
    char *key, *name, *text;
    uint32_t i;
    struct fact *next;
};

#define PROPERTY UINT32_MAX

/* What an hr_run points to here. */
struct local_run {
    struct hr_local *local;
    struct hr_flow_call *call; /* NULL: of the hook */
};

struct hr_local {
    hr_host host; /* first: get_interface() gets a pointer to it */
    struct hr_env *env;
    const hr_component *component;
    hr_flow_1 flow;
    struct hr_flow_host flow_host;
    struct local_run hook;
    struct hr_arena arena;
    struct item *inputs, *outputs;
    struct fact *facts;
    struct flows {
        hr_flow *flow;
        struct flows *next;
    } * flows;
    bool check;
};

static struct local_run *of(const hr_run *run)
{
    return (struct local_run *)(uintptr_t)run;
}

/* -- facts ------------------------------------------------------------------------- */

static struct fact *find_fact(const struct hr_local *l, const char *key, uint32_t i,
                              const char *name)
{
    struct fact *f;

    for (f = l->facts; f; f = f->next)
        if (f->i == i && hr_text_eq(f->key, key) && hr_text_eq(f->name, name))
            return f;
    return NULL;
}

static hr_status put_fact(struct hr_local *l, const char *key, uint32_t i, const char *name,
                          const char *text)
{
    struct fact *f = find_fact(l, key, i, name);

    if (!f) {
        f = hr_arena_get(&l->arena, sizeof *f);
        if (!f || (key && !(f->key = hr_arena_text(&l->arena, key))) ||
            !(f->name = hr_arena_text(&l->arena, name)))
            return HR_EXHAUSTED;
        f->i = i;
        f->next = l->facts;
        l->facts = f;
    }
    f->text = hr_arena_text(&l->arena, text);
    return f->text ? HR_OK : HR_EXHAUSTED;
}

/* -- rows -------------------------------------------------------------------------- */

static struct item *find_item(struct item *list, const char *key, uint32_t i, const char *split)
{
    for (; list; list = list->next)
        if (list->i == i && !strcmp(list->key, key) && hr_text_eq(list->split, split))
            return list;
    return NULL;
}

static hr_status fill_item(struct hr_local *l, struct item *it, struct ArrowArrayStream *rows)
{
    hr_status r = hr_arrow_stream_schema(l->env, rows, it->key, &it->schema);
    struct ArrowArray batch;

    while (r == HR_OK) {
        r = hr_arrow_stream_next(l->env, rows, it->key, &batch);
        if (r < 0 || !batch.release)
            return r;
        r = hr_arrow_check(l->env, &it->schema, &batch, it->key);
        if (r == HR_OK && !hr_mem_reserve(l->env, (void **)&it->batches, &it->cap, it->n + 1,
                                          sizeof *it->batches, SIZE_MAX / 256))
            r = HR_EXHAUSTED;
        if (r == HR_OK)
            it->batches[it->n++] = batch;
        else
            HR_RELEASE(&batch);
    }
    return r;
}

static void clear_item(struct hr_local *l, struct item *it)
{
    size_t k;

    for (k = 0; k < it->n; k++)
        HR_RELEASE(&it->batches[k]);
    hr_mem_put(l->env, it->batches, it->cap * sizeof *it->batches);
    HR_RELEASE(&it->schema);
    it->batches = NULL;
    it->n = it->cap = 0;
}

static hr_status add_item(struct hr_local *l, struct item **list, const struct part *part,
                          struct ArrowArrayStream *rows)
{
    struct item *it = find_item(*list, part->key, part->i, part->split), **end = list;
    hr_status r;

    if (it) {
        clear_item(l, it);
    } else {
        it = hr_arena_get(&l->arena, sizeof *it);
        if (!it || !(it->key = hr_arena_text(&l->arena, part->key)) ||
            (part->split && !(it->split = hr_arena_text(&l->arena, part->split)))) {
            HR_RELEASE(rows);
            return HR_EXHAUSTED;
        }
        it->i = part->i;
        while (*end)
            end = &(*end)->next;
        *end = it;
    }
    r = fill_item(l, it, rows);
    HR_RELEASE(rows);
    return r;
}

/* Shares of all batches of an item, one after the other in list. */
static hr_status share_item(struct hr_local *l, struct item *it, struct ArrowArray *list)
{
    hr_status r = HR_OK;
    size_t k;

    for (k = 0; r == HR_OK && k < it->n; k++) {
        struct hr_owner *owner = NULL;

        if ((r = hr_arrow_owner(l->env, &it->batches[k], &owner)) < 0)
            return r;
        r = hr_arrow_share(l->env, &owner->rows, owner, hr_cut(0, owner->rows.length),
                           &it->batches[k]);
        if (r == HR_OK)
            r = hr_arrow_share(l->env, &owner->rows, owner, hr_cut(0, owner->rows.length),
                               &list[k]);
        hr_owner_drop(owner);
    }
    return r;
}

static bool is_part(const struct item *it, const struct part *part)
{
    return it->i == part->i && !strcmp(it->key, part->key) &&
           (!part->split || hr_text_eq(it->split, part->split));
}

/* All rows of the items that match; split NULL: of each split in turn. */
static hr_status open_items(struct hr_local *l, struct item *items, const struct part *part,
                            struct ArrowArrayStream *ret)
{
    struct item *it, *first = NULL;
    struct ArrowArray *list;
    hr_status r = HR_OK;
    size_t n = 0, at = 0, k;

    for (it = items; it; it = it->next)
        if (is_part(it, part)) {
            first = first ? first : it;
            n += it->n;
            if (!hr_arrow_schema_equal(&first->schema, &it->schema))
                return hr_fail(l->env, HR_INVALID, "the splits of \"%s\" have different columns",
                               part->key);
        }
    if (!first)
        return hr_fail(l->env, HR_NOT_FOUND, "\"%s\" has no split \"%s\"", part->key,
                       part->split ? part->split : "");
    if (!(list = hr_mem_zero(l->env, (n + 1) * sizeof *list)))
        return HR_EXHAUSTED;
    for (it = items; r == HR_OK && it; it = it->next)
        if (is_part(it, part)) {
            r = share_item(l, it, list + at);
            at += it->n;
        }
    if (r == HR_OK)
        r = hr_arrow_stream_list(l->env, &first->schema, list, n, ret);
    else
        for (k = 0; k < n; k++)
            HR_RELEASE(&list[k]);
    hr_mem_put(l->env, list, (n + 1) * sizeof *list);
    return r;
}

/* -- hr.run/1 ---------------------------------------------------------------------- */

static uint32_t run_count(const hr_run *run, const char *key)
{
    const struct hr_local *l = of(run)->local;
    const struct item *it;
    const struct fact *f;
    uint32_t n = 0;

    for (it = l->inputs; it; it = it->next)
        if (!strcmp(it->key, key) && it->i >= n)
            n = it->i + 1;
    for (f = l->facts; f; f = f->next)
        if (f->key && !strcmp(f->key, key) && !f->name[0] && f->i >= n)
            n = f->i + 1;
    return n;
}

static hr_status run_fail(hr_run *run, hr_status code, const char *text)
{
    struct local_run *lr = of(run);

    if (lr->call)
        return hr_flow_call_fail(lr->call, code, text);
    return hr_fail(lr->local->env, code, "%s", text);
}

/* Of the rows that a function has now; false: name is not of these, or nothing is known. */
static bool place_of(const hr_run *run, const char *key, const char *name,
                     struct hr_flow_place *ret)
{
    const struct local_run *lr = of(run);

    return !key && lr->call && !strncmp(name, "__", 2) && hr_flow_call_place(lr->call, ret);
}

static hr_status run_get_text(hr_run *run, const char *key, uint32_t i, const char *name,
                              const char **ret)
{
    const struct fact *f = find_fact(of(run)->local, key, i, name);
    struct hr_flow_place place;

    if (!f && !(place_of(run, key, name, &place) && place.split && !strcmp(name, "__split")))
        return HR_NOT_FOUND;
    *ret = f ? f->text : place.split;
    return HR_OK;
}

static hr_status run_path(hr_run *run, const char *key, uint32_t i, const char **ret)
{
    char text[512];

    if (run_get_text(run, key, i, "", ret) == HR_OK)
        return HR_OK;
    snprintf(text, sizeof text, "there is no artifact %u of \"%s\"", i, key);
    return run_fail(run, HR_NOT_FOUND, text);
}

static hr_status run_get_int(hr_run *run, const char *key, uint32_t i, const char *name,
                             int64_t *ret)
{
    struct hr_flow_place place;
    const char *text;
    hr_status r;

    if (place_of(run, key, name, &place) && !strcmp(name, "__row")) {
        *ret = place.row;
        return HR_OK;
    }
    r = run_get_text(run, key, i, name, &text);
    if (r == HR_OK && !hr_num_int(text, strlen(text), ret))
        r = HR_INVALID;
    return r;
}

static hr_status run_get_float(hr_run *run, const char *key, uint32_t i, const char *name,
                               double *ret)
{
    const char *text;
    hr_status r = run_get_text(run, key, i, name, &text);

    if (r == HR_OK && !hr_num_double(text, strlen(text), ret))
        r = HR_INVALID;
    return r;
}

static hr_status run_set_text(hr_run *run, const char *key, uint32_t i, const char *name,
                              const char *value)
{
    return put_fact(of(run)->local, key, i, name, value);
}

static hr_status run_set_int(hr_run *run, const char *key, uint32_t i, const char *name,
                             int64_t value)
{
    char text[HR_NUM_TEXT];

    hr_num_put_int(text, value);
    return run_set_text(run, key, i, name, text);
}

static hr_status run_set_float(hr_run *run, const char *key, uint32_t i, const char *name,
                               double value)
{
    char text[HR_NUM_TEXT];

    hr_num_put_double(text, value);
    return run_set_text(run, key, i, name, text);
}

static const char *run_prop_text(const hr_run *run, const char *key)
{
    const struct hr_local *l = of(run)->local;
    const struct fact *f = find_fact(l, key, PROPERTY, "");
    const hr_property *const *p = l->component->properties;

    if (f)
        return f->text;
    for (; p && *p; p++)
        if (!strcmp((*p)->key, key) && (*p)->default_value)
            return (*p)->default_value;
    return "";
}

static int64_t run_prop_int(const hr_run *run, const char *key)
{
    const char *text = run_prop_text(run, key);
    int64_t v = 0;

    if (!strcmp(text, "true"))
        return 1;
    hr_num_int(text, strlen(text), &v);
    return v;
}

static double run_prop_float(const hr_run *run, const char *key)
{
    const char *text = run_prop_text(run, key);
    double v = 0;

    hr_num_double(text, strlen(text), &v);
    return v;
}

static const char *run_dir(const hr_run *run)
{
    const struct fact *f = find_fact(of(run)->local, "tmp_dir", 0, "");

    return f ? f->text : ".";
}

static const hr_run_1 run_table = {
    run_count,     run_path,      run_get_int,  run_get_float, run_get_text,
    run_set_int,   run_set_float, run_set_text, run_prop_int,  run_prop_float,
    run_prop_text, run_dir,       run_dir,      run_fail,
};

/* -- the others -------------------------------------------------------------------- */

static void log_log(hr_run *run, hr_level level, const char *text)
{
    (void)run, (void)level, (void)text;
}

static void progress_report(hr_run *run, double done, double total, const char *unit)
{
    (void)run, (void)done, (void)total, (void)unit;
}

static int32_t progress_cancelled(const hr_run *run)
{
    return hr_cancelled(of(run)->local->env);
}

static hr_status emit_emit(hr_run *run, uint32_t k, struct ArrowArray *batch)
{
    struct local_run *lr = of(run);

    if (lr->call)
        return hr_flow_emit(lr->call, k, batch);
    HR_RELEASE(batch);
    return hr_fail(lr->local->env, HR_INTERNAL, "emit() is for maps, not for hooks");
}

static hr_status table_read(hr_run *run, const char *key, uint32_t i, const char *split,
                            struct ArrowArrayStream *ret)
{
    struct hr_local *l = of(run)->local;

    return open_items(l, l->inputs, &(struct part){ key, i, split }, ret);
}

static hr_status table_write(hr_run *run, const char *key, uint32_t i, const char *split,
                             struct ArrowArrayStream *rows)
{
    struct hr_local *l = of(run)->local;

    return add_item(l, &l->outputs, &(struct part){ key, i, split }, rows);
}

static hr_status table_split(hr_run *run, const char *key, uint32_t i, uint32_t n, const char **ret)
{
    const struct item *it;

    for (it = of(run)->local->inputs; it; it = it->next)
        if (it->i == i && it->split && !strcmp(it->key, key) && !n--) {
            *ret = it->split;
            return HR_OK;
        }
    return HR_NOT_FOUND;
}

static const hr_log_1 log_table = { log_log };
static const hr_progress_1 progress_table = { progress_report, progress_cancelled };
static const hr_emit_1 emit_table = { emit_emit };
static const hr_table_1 rows_table = { table_read, table_write, table_split };

static const void *get_interface(const struct hr_host *host, const char *id)
{
    const struct hr_local *l = (const struct hr_local *)(const void *)host;

    if (!strcmp(id, HR_RUN))
        return &run_table;
    if (!strcmp(id, HR_LOG))
        return &log_table;
    if (!strcmp(id, HR_PROGRESS))
        return &progress_table;
    if (!strcmp(id, HR_EMIT))
        return &emit_table;
    if (!strcmp(id, HR_TABLE))
        return &rows_table;
    return strcmp(id, HR_FLOW) ? NULL : &l->flow;
}

/* -- hr.flow/1 --------------------------------------------------------------------- */

static hr_run *call_begin(void *user, struct hr_flow_call *call)
{
    struct hr_local *l = user;
    struct local_run *run = hr_mem_zero(l->env, sizeof *run);

    if (run)
        *run = (struct local_run){ l, call };
    return (hr_run *)(void *)run;
}

static void call_end_run(void *user, hr_run *run)
{
    hr_mem_put(((struct hr_local *)user)->env, of(run), sizeof(struct local_run));
}

static hr_status flow_read(void *user, const char *key, uint32_t i, const char *split,
                           struct ArrowArrayStream *ret)
{
    return open_items(user, ((struct hr_local *)user)->inputs, &(struct part){ key, i, split },
                      ret);
}

static hr_status flow_write(void *user, const char *key, uint32_t i, const char *split,
                            struct ArrowArrayStream *rows)
{
    return add_item(user, &((struct hr_local *)user)->outputs, &(struct part){ key, i, split },
                    rows);
}

static void flow_undo(void *user, const char *key, uint32_t i, const char *split)
{
    struct hr_local *l = user;
    struct item **p = &l->outputs, *it = find_item(l->outputs, key, i, split);

    while (*p && *p != it)
        p = &(*p)->next;
    if (*p) {
        *p = it->next;
        clear_item(l, it);
    }
}

static hr_flow *flow_begin(hr_run *run)
{
    struct hr_local *l = of(run)->local;
    struct flows *one = hr_arena_get(&l->arena, sizeof *one);
    hr_flow *f;

    l->flow_host.check = l->check;
    f = hr_flow_new(l->env, &l->flow_host);
    if (!one) {
        hr_flow_free(f);
        return hr_flow_none();
    }
    one->flow = f;
    one->next = l->flows;
    l->flows = one;
    return f;
}

/* -- life -------------------------------------------------------------------------- */

struct hr_local *hr_local_new(struct hr_env *env, const hr_component *component)
{
    struct hr_local *l = hr_mem_zero(env, sizeof *l);

    if (!l)
        return NULL;
    l->host = (hr_host){ .struct_size = sizeof l->host,
                         .abi_major = HR_ABI_MAJOR,
                         .abi_minor = HR_ABI_MINOR,
                         .name = "headrace-local",
                         .version = "0.1.0",
                         .get_interface = get_interface };
    l->env = env;
    l->component = component;
    l->hook.local = l;
    l->check = true;
    hr_arena_init(&l->arena, env, 0);
    hr_flow_table(flow_begin, &l->flow);
    l->flow_host = (struct hr_flow_host){ .user = l,
                                          .host = &l->host,
                                          .functions = component->functions,
                                          .call_begin = call_begin,
                                          .call_end = call_end_run,
                                          .read = flow_read,
                                          .write = flow_write,
                                          .undo = flow_undo };
    return l;
}

static void drop_flows(struct hr_local *l)
{
    for (; l->flows; l->flows = l->flows->next)
        hr_flow_free(l->flows->flow);
}

void hr_local_free(struct hr_local *l)
{
    if (!l)
        return;
    drop_flows(l);
    for (; l->inputs; l->inputs = l->inputs->next)
        clear_item(l, l->inputs);
    for (; l->outputs; l->outputs = l->outputs->next)
        clear_item(l, l->outputs);
    hr_arena_clear(&l->arena);
    hr_mem_put(l->env, l, sizeof *l);
}

hr_status hr_local_set(struct hr_local *l, const char *key, const char *value)
{
    return put_fact(l, key, PROPERTY, "", value);
}

hr_status hr_local_path(struct hr_local *l, const char *key, uint32_t i, const char *path)
{
    return put_fact(l, key, i, "", path);
}

hr_status hr_local_input(struct hr_local *l, const char *key, uint32_t i, const char *split,
                         struct ArrowArrayStream *rows)
{
    return add_item(l, &l->inputs, &(struct part){ key, i, split }, rows);
}

hr_status hr_local_execute(struct hr_local *l)
{
    const hr_offer *const *offers = l->component->offers;
    const hr_executor_1 *executor = NULL;
    hr_run *run = hr_local_run(l);
    void *self = NULL;
    hr_status r;

    for (; offers && *offers; offers++)
        if (!strcmp((*offers)->id, HR_EXECUTOR))
            executor = (*offers)->table;
    if (!executor)
        return hr_fail(l->env, HR_INVALID, "the component offers no \"%s\"", HR_EXECUTOR);
    r = executor->make(&l->host, run, &self);
    if (r == HR_OK)
        r = executor->run(self, run);
    executor->drop(self);
    drop_flows(l);
    return r;
}

hr_status hr_local_output(struct hr_local *l, const char *key, uint32_t i, const char *split,
                          struct ArrowArrayStream *ret)
{
    return open_items(l, l->outputs, &(struct part){ key, i, split }, ret);
}

const char *hr_local_text(struct hr_local *l, const char *key, uint32_t i, const char *name)
{
    const struct fact *f = find_fact(l, key, i, name);

    return f ? f->text : NULL;
}

const hr_host *hr_local_host(struct hr_local *l)
{
    return &l->host;
}

hr_run *hr_local_run(struct hr_local *l)
{
    return (hr_run *)(void *)&l->hook;
}

void hr_local_check(struct hr_local *l, bool check)
{
    l->check = check;
}

void hr_local_bytes(struct hr_local *l, bool bytes)
{
    l->flow_host.bytes = bytes;
}
