/* From splits to inputs: which features a net takes, and of what kind.
 *
 *     float                                   as it is
 *     int with a domain of categories         ids, from its min to its max
 *     int whose values span at most 1 000     ids, from the least to the greatest
 *     other ints                              a float
 *     bytes, and what is always missing       left out
 */
#include <string.h>

#include "trainer.h"

enum { SPAN_MAX = 1000 };

/* -- reading ---------------------------------------- */

static bool is_transformed(const struct trainer *t, const struct ArrowSchema *schema)
{
    const struct hr_feature *outputs;
    size_t n = hr_plan_outputs(t->plan, &outputs), i;

    for (i = 0; i < n; i++)
        if (hr_col_find(schema, outputs[i].name) < 0)
            return false;
    return true;
}

static hr_status keep(struct trainer *t, struct split_rows *to, struct ArrowArray *rows)
{
    if (!hr_mem_reserve(&t->env, (void **)&to->list, &to->cap, to->n + 1, sizeof *to->list,
                        SIZE_MAX / 256)) {
        rows->release(rows);
        return HR_EXHAUSTED;
    }
    to->rows += rows->length;
    to->list[to->n++] = *rows;
    return HR_OK;
}

static hr_status take(struct trainer *t, struct hr_apply *apply, struct split_rows *to,
                      struct ArrowArray *rows)
{
    struct hr_apply_error error;
    struct ArrowArray out;
    hr_status r;

    if (!apply)
        return keep(t, to, rows);
    r = hr_apply_batch(apply, rows, &out, &error);
    rows->release(rows);
    if (r < 0)
        return hr_fail(&t->env, r, "row %lld: %s", (long long)error.row, error.text);
    return keep(t, to, &out);
}

static hr_status drain(struct trainer *t, struct ArrowArrayStream *s, struct split_rows *to)
{
    struct ArrowSchema schema = { 0 };
    struct hr_apply *apply = NULL;
    struct ArrowArray rows;
    hr_status r = HR_OK;

    if (s->get_schema(s, &schema))
        return hr_fail(&t->env, HR_INVALID, "the rows cannot be read: %s", s->get_last_error(s));
    if (t->plan && !is_transformed(t, &schema))
        r = hr_apply_new(&t->env, t->plan, &schema, 0, &apply);
    if (r == HR_OK && !to->schema.release)
        r = apply ? hr_apply_schema(apply, &to->schema) : hr_schema_copy(&schema, &to->schema);
    while (r == HR_OK) {
        memset(&rows, 0, sizeof rows);
        if (s->get_next(s, &rows))
            r = hr_fail(&t->env, HR_INVALID, "the rows cannot be read: %s", s->get_last_error(s));
        else if (!rows.release)
            break;
        else
            r = take(t, apply, to, &rows);
    }
    hr_apply_free(apply);
    schema.release(&schema);
    return r;
}

hr_status trainer_read(struct trainer *t, const char *split, struct split_rows *ret)
{
    uint32_t i, n = t->easy.run->count(t->run, "examples");
    struct ArrowArrayStream stream;
    hr_status r = HR_OK;
    bool there;

    for (i = 0; i < n && r == HR_OK; i++) {
        if ((r = hr_easy_has_split(&t->easy, t->run, "examples", i, split, &there)) < 0)
            break;
        if (!there)
            continue;
        if ((r = t->easy.table->read(t->run, "examples", i, split, &stream)) < 0)
            break;
        r = drain(t, &stream, ret);
        stream.release(&stream);
    }
    return r;
}

void trainer_rows_clear(struct trainer *t, struct split_rows *rows)
{
    size_t i;

    for (i = 0; i < rows->n; i++)
        rows->list[i].release(&rows->list[i]);
    hr_mem_put(&t->env, rows->list, rows->cap * sizeof *rows->list);
    if (rows->schema.release)
        rows->schema.release(&rows->schema);
    memset(rows, 0, sizeof *rows);
}

/* -- choosing ---------------------------------------- */

/* What the train split says of a column. */
struct facts {
    int32_t kind;
    int64_t least, most; /* of ints; least above most: there is none */
    int64_t values;      /* the most in a row */
    int64_t fewest;
    bool whole; /* floats are all integers */
};

/* n values of a row, from a position on, as its column has them. */
static void look_ints(const struct hr_col *c, int64_t at, int64_t n, struct facts *f)
{
    for (; n > 0; n--, at++) {
        int64_t v = hr_col_int(c, at);

        f->least = v < f->least ? v : f->least;
        f->most = v > f->most ? v : f->most;
    }
}

static void look_floats(const struct hr_col *c, int64_t at, int64_t n, struct facts *f)
{
    for (; n > 0; n--, at++) {
        double v = hr_col_double(c, at);

        f->whole &= v >= -1e9 && v <= 1e9 && (double)(int64_t)v == v;
        if (f->whole) {
            f->least = (int64_t)v < f->least ? (int64_t)v : f->least;
            f->most = (int64_t)v > f->most ? (int64_t)v : f->most;
        }
    }
}

static hr_status look(struct trainer *t, int64_t column, struct facts *f)
{
    struct hr_col c;
    int64_t i, n, at;
    size_t b;

    *f = (struct facts){ HR_COL_NULL, INT64_MAX, INT64_MIN, 0, INT64_MAX, true };
    for (b = 0; b < t->train.n; b++) {
        if (hr_col_open(&t->train.schema, &t->train.list[b], column, &c) < 0)
            return hr_fail(&t->env, HR_INVALID, "the column \"%s\" is of a type without values",
                           t->train.schema.children[column]->name);
        f->kind = c.kind;
        for (i = 0; i < c.length; i++) {
            n = hr_col_count(&c, i, &at);
            f->values = n > f->values ? n : f->values;
            f->fewest = n < f->fewest ? n : f->fewest;
            if (c.kind == HR_COL_INT)
                look_ints(&c, at, n, f);
            else if (c.kind == HR_COL_FLOAT)
                look_floats(&c, at, n, f);
        }
    }
    return HR_OK;
}

static const struct hr_feature *feature_of(const struct trainer *t, const char *name)
{
    const struct hr_feature *list;
    size_t n = t->plan ? hr_plan_outputs(t->plan, &list) : 0, i;

    for (i = 0; i < n; i++)
        if (!strcmp(list[i].name, name))
            return &list[i];
    return NULL;
}

/* Is it a number that stands for something, and from which to which? */
static bool is_id(const struct hr_feature *feature, const struct facts *f, int64_t *ret_first,
                  int64_t *ret_last)
{
    if (f->kind != HR_COL_INT)
        return false;
    if (feature && feature->has_domain && feature->categorical &&
        feature->domain_max - feature->domain_min < HR_MAX_WEIGHTS) {
        *ret_first = feature->domain_min;
        *ret_last = feature->domain_max;
        return true;
    }
    *ret_first = f->least;
    *ret_last = f->most;
    return f->least <= f->most && (uint64_t)f->most - (uint64_t)f->least <= SPAN_MAX;
}

/* false: it is left out, which is said. */
static bool input_of(struct trainer *t, const char *name, const struct facts *f,
                     struct hr_net_input *x)
{
    int64_t first, last;

    *x = (struct hr_net_input){ .name = name, .kind = HR_INPUT_FLOAT };
    if (f->kind == HR_COL_BYTES || f->kind == HR_COL_NULL || !f->values) {
        hr_logf(t->easy.log, t->run, HR_WARN, "%s is left out: %s", name,
                f->kind == HR_COL_BYTES ? "it is bytes; give it a vocabulary or hash_strings"
                                        : "no row has a value");
        return false;
    }
    if (is_id(feature_of(t, name), f, &first, &last)) {
        x->kind = HR_INPUT_ID;
        x->first = first;
        x->depth = last - first + 1;
        return true;
    }
    if (f->fewest != f->values && (f->fewest || f->values > 1)) {
        hr_logf(t->easy.log, t->run, HR_WARN,
                "%s is left out: rows have from %lld to %lld numbers; use densify or reduce_", name,
                (long long)f->fewest, (long long)f->values);
        return false;
    }
    x->size = (int32_t)f->values;
    return true;
}

/* Is the name among the property "features", or is that empty? */
static hr_status wanted(struct trainer *t, const struct hr_json *list, const char *name, bool *ret)
{
    const struct hr_json *v;

    *ret = !hr_json_first(list);
    for (v = hr_json_first(list); v; v = hr_json_next(v)) {
        const char *text = hr_json_text(v);

        if (!text)
            return hr_fail(&t->env, HR_INVALID, "features is a list of names");
        *ret |= !strcmp(text, name);
    }
    return HR_OK;
}

static hr_status no_feature(struct trainer *t, const char *name)
{
    const char *names[256];
    int64_t i, n = 0;

    for (i = 0; i < t->train.schema.n_children && n < 256; i++)
        names[n++] = t->train.schema.children[i]->name;
    return hr_fail_meant(&t->env, HR_INVALID, NULL, hr_text_meant(name, names, (size_t)n),
                         "the examples have no feature \"%s\"", name);
}

static hr_status check_names(struct trainer *t, const struct hr_json *list)
{
    const struct hr_json *v;

    for (v = hr_json_first(list); v; v = hr_json_next(v))
        if (!hr_json_text(v) || hr_col_find(&t->train.schema, hr_json_text(v)) < 0)
            return no_feature(t, hr_json_text(v) ? hr_json_text(v) : "?");
    return HR_OK;
}

static hr_status choose_one(struct trainer *t, const struct hr_json *list, int64_t column)
{
    const char *name = t->train.schema.children[column]->name;
    struct facts f;
    hr_status r;
    bool want;

    if (!strcmp(name, t->label) || !strncmp(name, "hr:", 3))
        return HR_OK;
    if ((r = wanted(t, list, name, &want)) < 0 || !want)
        return r;
    if ((r = look(t, column, &f)) == HR_OK && input_of(t, name, &f, &t->inputs[t->shape.ninputs]))
        t->shape.ninputs++;
    return r;
}

static hr_status choose(struct trainer *t, const struct hr_json *list)
{
    hr_status r = check_names(t, list);
    int64_t i, n = t->train.schema.n_children;

    if (r < 0)
        return r;
    if (!(t->inputs = hr_arena_array(&t->arena, (size_t)n + 1, sizeof *t->inputs)))
        return HR_EXHAUSTED;
    t->shape.inputs = t->inputs;
    for (i = 0; i < n && r == HR_OK; i++)
        r = choose_one(t, list, i);
    if (r == HR_OK && !t->shape.ninputs)
        r = hr_fail(&t->env, HR_INVALID, "no feature is left to learn from, beside the label");
    return r;
}

/* -- the label ---------------------------------------- */

static hr_status name_labels(struct trainer *t, int64_t n)
{
    const struct hr_slice *tokens;
    size_t count = 0;
    const char **names = hr_arena_array(&t->arena, (size_t)n + 1, sizeof *names);
    int64_t i;

    if (!names)
        return HR_EXHAUSTED;
    if (t->plan)
        hr_plan_vocabulary(t->plan, t->label, &tokens, &count);
    for (i = 0; i < n; i++)
        if (!(names[i] = (size_t)i < count
                             ? hr_arena_bytes(&t->arena, tokens[i].text, tokens[i].len)
                             : hr_arena_format(&t->arena, "%lld", (long long)i)))
            return HR_EXHAUSTED;
    t->shape.labels = names;
    return HR_OK;
}

/* Are they 0, 1, ... up to what there is room for? */
static bool are_classes(const struct facts *f)
{
    return f->kind != HR_COL_BYTES && f->whole && f->least >= 0 && f->most < HR_MAX_UNITS &&
           f->least <= f->most;
}

/* The label's values are to be classes: how many there are, and what of it. */
static hr_status choose_classes(struct trainer *t, const char *task, struct facts f)
{
    const struct hr_slice *tokens;
    size_t count = 0;
    int64_t n;

    if (t->plan && hr_plan_vocabulary(t->plan, t->label, &tokens, &count) && count &&
        f.most < (int64_t)count)
        f.most = (int64_t)count - 1;
    if (!are_classes(&f))
        return hr_fail(&t->env, HR_INVALID,
                       "the label \"%s\" is to be classes 0, 1, ..., and is not: give it a "
                       "vocabulary, leave out rows that lack it, or set task to regression",
                       t->label);
    n = f.most < 1 ? 2 : f.most + 1;
    t->shape.task = n > 2 || !strcmp(task, "classes") ? HR_TASK_CLASSES : HR_TASK_BINARY;
    if (!strcmp(task, "binary") && n > 2)
        return hr_fail(&t->env, HR_INVALID, "the label \"%s\" has %lld classes, not 2", t->label,
                       (long long)n);
    if (t->shape.task == HR_TASK_CLASSES)
        t->shape.classes = (int32_t)n;
    return name_labels(t, n);
}

static hr_status choose_task(struct trainer *t)
{
    const char *task = t->easy.run->prop_text(t->run, "task");
    int64_t column = hr_col_find(&t->train.schema, t->label);
    struct facts f;
    hr_status r;

    if (column < 0)
        return no_feature(t, t->label);
    if ((r = look(t, column, &f)) < 0)
        return r;
    t->shape.classes = 1;
    t->shape.label = t->label;
    if (!strcmp(task, "regression") || (!strcmp(task, "auto") && f.kind == HR_COL_FLOAT)) {
        t->shape.task = HR_TASK_REGRESSION;
        return HR_OK;
    }
    return choose_classes(t, task, f);
}

hr_status trainer_inputs(struct trainer *t)
{
    const char *text = t->easy.run->prop_text(t->run, "features");
    struct hr_json_doc *doc;
    hr_status r = hr_json_parse(&t->env, "features", text, strlen(text), 0, &doc);

    if (r < 0)
        return r;
    if ((r = choose_task(t)) == HR_OK)
        r = choose(t, hr_json_root(doc));
    hr_json_free(doc);
    return r;
}
