/* A plan as JSON, and the directory that holds it.
 *
 *     {"format": 1,
 *      "inputs": [{"name": "fare", "type": "float", "shape": "optional", "dims": []}, ...],
 *      "vocabularies": [{"name": "vocab_...", "type": "bytes", "empty": false}, ...],
 *      "steps": [{"op": "input", "args": [], "ints": [0], "floats": [], "texts": []}, ...],
 *      "outputs": [{"name": "fare_xf", "step": 7}, ...]}
 *
 * Empty lists of a step are left out.  What ints, floats and texts mean is in ir.h, by op;
 * floats that are not finite are texts: "nan", "inf", "-inf".
 */
#include <stdio.h>
#include <string.h>

#include "transform/plan.h"

enum { FORMAT = 1 };

static const char *const types[] = { "", "int", "float", "bytes" };
static const char *const shapes[] = { "", "dense", "optional", "list" };

/* -- writing ---------------------------------------- */

static void put_inputs(struct hr_json_writer *w, const struct hr_plan *p)
{
    size_t i;
    int k;

    hr_json_put_key(w, "inputs");
    hr_json_open_array(w);
    for (i = 0; i < p->ir.ninputs; i++) {
        const struct hr_feature *f = &p->ir.inputs[i];

        hr_json_open_object(w);
        hr_json_put_member_text(w, "name", f->name);
        hr_json_put_member_text(w, "type", types[f->type]);
        hr_json_put_member_text(w, "shape", shapes[f->shape]);
        hr_json_put_key(w, "dims");
        hr_json_open_array(w);
        for (k = 0; k < f->rank; k++)
            hr_json_put_int(w, f->dims[k]);
        hr_json_close_array(w);
        hr_json_close_object(w);
    }
    hr_json_close_array(w);
}

static void put_float(struct hr_json_writer *w, float v)
{
    char text[HR_NUM_TEXT];
    size_t n = hr_num_put_float(text, v);

    if (v - v != 0)
        hr_json_put_text(w, text);
    else
        hr_json_put_raw(w, text, n);
}

static void put_step(struct hr_json_writer *w, const struct hr_step *s)
{
    int32_t i;

    hr_json_open_object(w);
    hr_json_put_member_text(w, "op", hr_op_name(s->op));
    if (s->nargs) {
        hr_json_put_key(w, "args");
        hr_json_open_array(w);
        for (i = 0; i < s->nargs; i++)
            hr_json_put_int(w, s->args[i]);
        hr_json_close_array(w);
    }
    if (s->nints) {
        hr_json_put_key(w, "ints");
        hr_json_open_array(w);
        for (i = 0; i < s->nints; i++)
            hr_json_put_int(w, s->ints[i]);
        hr_json_close_array(w);
    }
    if (s->nfloats) {
        hr_json_put_key(w, "floats");
        hr_json_open_array(w);
        for (i = 0; i < s->nfloats; i++)
            put_float(w, s->floats[i]);
        hr_json_close_array(w);
    }
    if (s->ntexts) {
        hr_json_put_key(w, "texts");
        hr_json_open_array(w);
        for (i = 0; i < s->ntexts; i++)
            hr_json_put_bytes(w, s->texts[i].text, s->texts[i].len);
        hr_json_close_array(w);
    }
    hr_json_close_object(w);
}

hr_status hr_plan_json(const struct hr_plan *p, struct hr_buf *to)
{
    struct hr_json_writer w;
    size_t i;

    hr_json_begin(&w, to, 1);
    hr_json_open_object(&w);
    hr_json_put_member_int(&w, "format", FORMAT);
    put_inputs(&w, p);
    hr_json_put_key(&w, "vocabularies");
    hr_json_open_array(&w);
    for (i = 0; i < p->ir.nvocabs; i++) {
        hr_json_open_object(&w);
        hr_json_put_member_text(&w, "name", p->ir.vocabs[i].name);
        hr_json_put_member_text(&w, "type", p->ir.vocabs[i].ints ? "int" : "bytes");
        hr_json_put_member_bool(&w, "empty", p->ir.vocabs[i].empty);
        hr_json_close_object(&w);
    }
    hr_json_close_array(&w);
    hr_json_put_key(&w, "steps");
    hr_json_open_array(&w);
    for (i = 0; i < p->ir.nsteps; i++)
        put_step(&w, &p->ir.steps[i]);
    hr_json_close_array(&w);
    hr_json_put_key(&w, "outputs");
    hr_json_open_array(&w);
    for (i = 0; i < p->noutputs; i++) {
        hr_json_open_object(&w);
        hr_json_put_member_text(&w, "name", p->outputs[i].name);
        hr_json_put_member_int(&w, "step", p->steps[i]);
        hr_json_close_object(&w);
    }
    hr_json_close_array(&w);
    hr_json_close_object(&w);
    return hr_json_end(&w);
}

/* -- reading ---------------------------------------- */

struct reading {
    struct hr_plan *p;
    struct hr_json_doc *doc;
    const struct hr_slice *files;
    size_t nfiles;
};

static hr_status wrong(struct reading *d, const struct hr_json *at, const char *what)
{
    struct hr_place place = { hr_json_name(d->doc), 0, 0 };

    if (at)
        place = hr_json_place(d->doc, at);
    return hr_fail_at(d->p->env, HR_DATA_LOSS, &place, "%s", what);
}

static hr_status read_input(struct reading *d, const struct hr_json *v, struct hr_feature *f)
{
    const char *name = hr_json_text(hr_json_get(v, "name"));
    const struct hr_json *dim;
    int64_t n, size = 1;

    if (!name || !(f->type = hr_json_word(hr_json_get(v, "type"), types, 4)) ||
        !(f->shape = hr_json_word(hr_json_get(v, "shape"), shapes, 4)))
        return wrong(d, v, "an input wants a name, a type and a shape");
    for (dim = hr_json_first(hr_json_get(v, "dims")); dim; dim = hr_json_next(dim)) {
        if (f->rank == HR_FEATURE_RANK || !hr_json_int(d->doc, dim, &n) || n < 1 ||
            n > HR_MAX_FEATURE_SIZE || (size *= n) > HR_MAX_FEATURE_SIZE)
            return wrong(d, dim, "a dimension is from 1 to 1048576, and there are at most 4");
        f->dims[f->rank++] = (int32_t)n;
    }
    if (f->rank && f->shape != HR_FEATURE_DENSE)
        return wrong(d, v, "dimensions are of dense inputs only");
    f->name = hr_arena_text(&d->p->ir.arena, name);
    return f->name ? HR_OK : HR_EXHAUSTED;
}

static hr_status read_inputs(struct reading *d, const struct hr_json *list)
{
    struct hr_ir *ir = &d->p->ir;
    const struct hr_json *v;
    hr_status r = HR_OK;

    ir->inputs = hr_arena_array(&ir->arena, hr_json_count(list) + 1, sizeof *ir->inputs);
    if (!ir->inputs)
        return HR_EXHAUSTED;
    for (v = hr_json_first(list); v && r == HR_OK; v = hr_json_next(v))
        if ((r = read_input(d, v, &ir->inputs[ir->ninputs])) == HR_OK)
            ir->ninputs++;
    return r;
}

static size_t count_lines(struct hr_slice file)
{
    const char *p = file.text, *end = p + file.len;
    size_t n = 0;

    while (p < end && (p = memchr(p, '\n', (size_t)(end - p)))) {
        p++;
        n++;
    }
    return n;
}

static hr_status read_vocab(struct reading *d, const struct hr_json *v, struct hr_slice file)
{
    struct hr_ir *ir = &d->p->ir;
    const char *name = hr_json_text(hr_json_get(v, "name")), *p;
    size_t n = count_lines(file), i;
    struct hr_slice *tokens = hr_arena_array(&ir->arena, n + 1, sizeof *tokens);
    int32_t index;

    if (!tokens || !(p = hr_arena_bytes(&ir->arena, file.text, file.len)))
        return HR_EXHAUSTED;
    if (!name || !name[0] || strchr(name, '/') || name[0] == '.')
        return wrong(d, v, "a vocabulary wants a name that is one of a file");
    if (file.len && file.text[file.len - 1] != '\n')
        return wrong(d, v, "the file of a vocabulary does not end with a line");
    for (i = 0; i < n; i++) {
        const char *end = strchr(p, '\n');

        if (!end || memchr(p, '\0', (size_t)(end - p)))
            return wrong(d, v, "the file of a vocabulary holds a byte 0");
        tokens[i] = hr_slice(p, (size_t)(end - p));
        p = end + 1;
    }
    index = hr_ir_vocab(ir, name, hr_json_word(hr_json_get(v, "type"), types, 4) == 1, tokens, n);
    if (index < 0)
        return HR_EXHAUSTED;
    ir->vocabs[index].empty = hr_json_bool(hr_json_get(v, "empty"));
    return HR_OK;
}

static hr_status read_vocabs(struct reading *d, const struct hr_json *list)
{
    const struct hr_json *v;
    hr_status r = HR_OK;
    size_t i = 0;

    if (hr_json_count(list) != d->nfiles)
        return wrong(d, list, "there are not as many vocabularies as files");
    for (v = hr_json_first(list); v && r == HR_OK; v = hr_json_next(v))
        r = read_vocab(d, v, d->files[i++]);
    return r;
}

static bool read_float(struct reading *d, const struct hr_json *v, float *ret)
{
    const char *text = hr_json_text(v);
    double x;
    size_t n;

    if (text) {
        if (!hr_num_python(text, strlen(text), &x))
            return false;
        *ret = (float)x;
        return true;
    }
    if (hr_json_kind(v) != HR_JSON_NUMBER)
        return false;
    text = hr_json_number(d->doc, v, &n);
    return hr_num_float(text, n, ret);
}

/* The four lists of a step, in an arena of the step's own. */
static hr_status read_lists(struct reading *d, const struct hr_json *v, struct hr_arena *arena,
                            struct hr_step *s)
{
    const struct hr_json *args = hr_json_get(v, "args"), *ints = hr_json_get(v, "ints");
    const struct hr_json *floats = hr_json_get(v, "floats"), *texts = hr_json_get(v, "texts"), *x;
    int32_t *a = hr_arena_array(arena, hr_json_count(args) + 1, sizeof *a);
    int64_t *i = hr_arena_array(arena, hr_json_count(ints) + 1, sizeof *i), n;
    float *f = hr_arena_array(arena, hr_json_count(floats) + 1, sizeof *f);
    struct hr_slice *t = hr_arena_array(arena, hr_json_count(texts) + 1, sizeof *t);

    if (!a || !i || !f || !t)
        return HR_EXHAUSTED;
    for (x = hr_json_first(args); x; x = hr_json_next(x)) {
        if (!hr_json_int(d->doc, x, &n) || n < 0 || n > HR_MAX_PLAN_STEPS)
            return wrong(d, x, "an argument is the number of a step");
        a[s->nargs++] = (int32_t)n;
    }
    for (x = hr_json_first(ints); x; x = hr_json_next(x))
        if (!hr_json_int(d->doc, x, &i[s->nints++]))
            return wrong(d, x, "expected an integer");
    for (x = hr_json_first(floats); x; x = hr_json_next(x))
        if (!read_float(d, x, &f[s->nfloats++]))
            return wrong(d, x, "expected a number");
    for (x = hr_json_first(texts); x; x = hr_json_next(x)) {
        if (!(t[s->ntexts].text = hr_json_text(x)))
            return wrong(d, x, "expected a text");
        t[s->ntexts].len = strlen(t[s->ntexts].text);
        s->ntexts++;
    }
    s->args = a;
    s->ints = i;
    s->floats = f;
    s->texts = t;
    return HR_OK;
}

static hr_status read_step(struct reading *d, const struct hr_json *v, size_t i)
{
    const char *name = hr_json_text(hr_json_get(v, "op"));
    int op = name ? hr_op_find(name) : -1;
    struct hr_step s = { 0 };
    struct hr_arena arena;
    char text[240] = "";
    hr_status r;
    int32_t step;

    if (op < 0 || hr_op_class(op) == HR_C_ANALYZER)
        return wrong(d, v, "a step wants an op that is known");
    hr_arena_init(&arena, d->p->env, 0);
    s.op = (uint8_t)op;
    if ((r = read_lists(d, v, &arena, &s)) == HR_OK) {
        step = hr_ir_add(&d->p->ir, &s, text, sizeof text);
        if (step < 0)
            r = text[0] ? wrong(d, v, text) : HR_EXHAUSTED;
        else if ((size_t)step != i)
            r = wrong(d, v, "this step is there already");
    }
    hr_arena_clear(&arena);
    return r;
}

static hr_status read_outputs(struct reading *d, const struct hr_json *list)
{
    struct hr_plan *p = d->p;
    const struct hr_json *v;
    const char *name;
    int64_t step;
    size_t n = 0;

    p->outputs = hr_arena_array(&p->ir.arena, hr_json_count(list) + 1, sizeof *p->outputs);
    p->steps = hr_arena_array(&p->ir.arena, hr_json_count(list) + 1, sizeof *p->steps);
    if (!p->outputs || !p->steps)
        return HR_EXHAUSTED;
    for (v = hr_json_first(list); v; v = hr_json_next(v), n++) {
        name = hr_json_text(hr_json_get(v, "name"));
        if (!name || !hr_json_get(v, "step") ||
            !hr_json_int(d->doc, hr_json_get(v, "step"), &step) || step < 0 ||
            (uint64_t)step >= p->ir.nsteps || (n && strcmp(p->outputs[n - 1].name, name) >= 0))
            return wrong(d, v, "an output wants a name, in order of the names, and a step");
        if (!(p->outputs[n].name = hr_arena_text(&p->ir.arena, name)))
            return HR_EXHAUSTED;
        p->steps[n] = (int32_t)step;
    }
    p->noutputs = n;
    return HR_OK;
}

static hr_status read_all(struct reading *d)
{
    const struct hr_json *root = hr_json_root(d->doc), *v;
    int64_t format = 0;
    size_t i = 0;
    hr_status r;

    v = hr_json_get(root, "format");
    if (!v || !hr_json_int(d->doc, v, &format) || format < 1)
        return wrong(d, root, "a plan has a number \"format\"");
    if (format > FORMAT)
        return hr_fail(d->p->env, HR_UNIMPLEMENTED,
                       "the plan is of format %lld, and this program knows 1: take a newer one",
                       (long long)format);
    if ((r = read_inputs(d, hr_json_get(root, "inputs"))) < 0 ||
        (r = read_vocabs(d, hr_json_get(root, "vocabularies"))) < 0)
        return r;
    for (v = hr_json_first(hr_json_get(root, "steps")); v; v = hr_json_next(v))
        if ((r = read_step(d, v, i++)) < 0)
            return r;
    if ((r = read_outputs(d, hr_json_get(root, "outputs"))) < 0)
        return r;
    return hr_plan_finish(d->p);
}

hr_status hr_plan_read(struct hr_env *env, const char *name, struct hr_slice json,
                       const struct hr_slice *files, size_t nfiles, struct hr_plan **ret)
{
    struct reading d = { .files = files, .nfiles = nfiles };
    hr_status r = hr_json_parse(env, name, json.text, json.len, 0, &d.doc);

    if (r < 0)
        return r;
    if (!(d.p = hr_mem_zero(env, sizeof *d.p))) {
        hr_json_free(d.doc);
        return HR_EXHAUSTED;
    }
    d.p->env = env;
    hr_ir_init(&d.p->ir, env);
    r = read_all(&d);
    hr_json_free(d.doc);
    if (r < 0)
        hr_plan_close(d.p);
    else
        *ret = d.p;
    return r;
}

/* -- the directory ---------------------------------------- */

static hr_status write_in(struct hr_env *env, const char *dir, const char *name, const void *bytes,
                          size_t n)
{
    char path[HR_MAX_PATH], parent[HR_MAX_PATH];
    hr_status r = hr_path_join(env, dir, name, path);

    if (r < 0)
        return r;
    hr_path_dir(path, parent);
    if ((r = hr_dir_make(env, parent)) < 0)
        return r;
    return hr_file_put(env, path, bytes, n);
}

static void put_name(struct hr_buf *b, const char *name)
{
    for (; *name; name++) {
        unsigned char c = (unsigned char)*name;

        if (c == '"' || c == '\\')
            hr_buf_format(b, "\\%c", c);
        else if (c < ' ' || c > '~')
            hr_buf_format(b, "\\%03o", c);
        else
            hr_buf_char(b, (char)c);
    }
}

/* A feature of the schema of what comes out, as TFT writes it. */
static void put_feature(struct hr_buf *b, const struct hr_feature *f)
{
    static const char *const names[] = { "", "INT", "FLOAT", "BYTES" };
    int i;

    hr_buf_text(b, "feature {\n  name: \"");
    put_name(b, f->name);
    hr_buf_format(b, "\"\n  type: %s\n", names[f->type]);
    if (f->has_domain) {
        hr_buf_format(b, "  int_domain {\n    min: %lld\n    max: %lld\n", (long long)f->domain_min,
                      (long long)f->domain_max);
        if (f->categorical)
            hr_buf_text(b, "    is_categorical: true\n");
        hr_buf_text(b, "  }\n");
    }
    if (f->shape == HR_FEATURE_DENSE) {
        hr_buf_text(b, "  presence {\n    min_fraction: 1.0\n  }\n  shape {\n");
        for (i = 0; i < f->rank; i++)
            hr_buf_format(b, "    dim {\n      size: %d\n    }\n", (int)f->dims[i]);
        hr_buf_text(b, "  }\n");
    }
    hr_buf_text(b, "}\n");
}

static hr_status save_schema(struct hr_env *env, const struct hr_plan *p, const char *dir,
                             struct hr_buf *b)
{
    struct hr_json_writer w;
    hr_status r;
    size_t i;

    hr_buf_cut(b, 0);
    for (i = 0; i < p->noutputs; i++)
        put_feature(b, &p->outputs[i]);
    if (!hr_buf_whole(b))
        return hr_fail_memory(env);
    if ((r = write_in(env, dir, "transformed_metadata/schema.pbtxt", b->text, b->len)) < 0 ||
        !p->ir.nvocabs)
        return r;
    hr_buf_cut(b, 0);
    hr_json_begin(&w, b, 0);
    w.spaced = true;
    hr_json_open_object(&w);
    for (i = 0; i < p->ir.nvocabs; i++)
        hr_json_put_member_text(&w, p->ir.vocabs[i].name, p->ir.vocabs[i].name);
    hr_json_close_object(&w);
    if ((r = hr_json_end(&w)) < 0)
        return r;
    return write_in(env, dir, "transformed_metadata/asset_map", b->text, b->len);
}

hr_status hr_plan_save(struct hr_env *env, const struct hr_plan *plan, const char *dir,
                       const char *source, size_t n)
{
    struct hr_buf b;
    char name[HR_MAX_PATH], line[HR_SHA256_HEX + 1];
    hr_status r;
    size_t i;

    hr_buf_of(&b, HR_MAX_FILE_BYTES, env);
    if ((r = hr_plan_json(plan, &b)) == HR_OK)
        r = write_in(env, dir, "transform_fn/plan.json", b.text, b.len);
    for (i = 0; i < plan->ir.nvocabs && r == HR_OK; i++) {
        hr_buf_cut(&b, 0);
        if ((r = hr_vocab_write(&plan->ir.vocabs[i], &b)) < 0)
            break;
        snprintf(name, sizeof name, "transform_fn/assets/%s", plan->ir.vocabs[i].name);
        r = write_in(env, dir, name, b.text, b.len);
    }
    snprintf(line, sizeof line, "%s\n", plan->digest);
    if (r == HR_OK)
        r = write_in(env, dir, "transform_fn/plan.sha256", line, strlen(line));
    if (r == HR_OK && source)
        r = write_in(env, dir, "transform_fn/source.features", source, n);
    if (r == HR_OK)
        r = save_schema(env, plan, dir, &b);
    hr_buf_clear(&b);
    return r;
}

static hr_status read_in(struct hr_env *env, const char *dir, const char *name, size_t max,
                         struct hr_buf *to)
{
    char path[HR_MAX_PATH];
    hr_status r = hr_path_join(env, dir, name, path);

    return r < 0 ? r : hr_file_read(env, path, max, to);
}

/* All vocabulary files behind each other in all; their limits in list. */
static hr_status read_assets(struct hr_env *env, const char *dir, const struct hr_json_doc *doc,
                             struct hr_buf *all, struct hr_slice **ret, size_t *ret_cap)
{
    const struct hr_json *v = hr_json_first(hr_json_get(hr_json_root(doc), "vocabularies"));
    size_t n = 0, at = 0, i;
    char path[HR_MAX_PATH];
    hr_status r = HR_OK;

    for (; v && r == HR_OK; v = hr_json_next(v)) {
        const char *name = hr_json_text(hr_json_get(v, "name"));

        if (!name || !name[0] || name[0] == '.' || strchr(name, '/'))
            return hr_fail(env, HR_DATA_LOSS, "\"%s\" names a vocabulary that cannot be a file",
                           dir);
        if (!hr_mem_reserve(env, (void **)ret, ret_cap, n + 1, sizeof **ret, HR_MAX_PLAN_STEPS))
            return HR_EXHAUSTED;
        snprintf(path, sizeof path, "transform_fn/assets/%s", name);
        r = read_in(env, dir, path, HR_MAX_FILE_BYTES, all);
        (*ret)[n++].len = all->len - at;
        at = all->len;
    }
    for (i = 0, at = 0; i < n; at += (*ret)[i++].len)
        (*ret)[i].text = all->text + at;
    return r;
}

static hr_status open_files(struct hr_env *env, const char *dir, struct hr_buf *json,
                            struct hr_buf *all, struct hr_plan **ret)
{
    struct hr_json_doc *doc = NULL;
    struct hr_slice *list = NULL;
    size_t cap = 0, n;
    hr_status r = hr_json_parse(env, "plan.json", json->text, json->len, 0, &doc);

    if (r < 0)
        return r;
    n = hr_json_count(hr_json_get(hr_json_root(doc), "vocabularies"));
    r = read_assets(env, dir, doc, all, &list, &cap);
    hr_json_free(doc);
    if (r == HR_OK)
        r = hr_plan_read(env, "plan.json", hr_slice(json->text, json->len), list, n, ret);
    hr_mem_put(env, list, cap * sizeof *list);
    return r;
}

hr_status hr_plan_open(struct hr_env *env, const char *dir, struct hr_plan **ret)
{
    struct hr_buf json, all, digest;
    struct hr_plan *p = NULL;
    hr_status r;

    hr_buf_of(&json, HR_MAX_JSON_BYTES, env);
    hr_buf_of(&all, HR_MAX_FILE_BYTES, env);
    hr_buf_of(&digest, 4096, env);
    if ((r = read_in(env, dir, "transform_fn/plan.json", HR_MAX_JSON_BYTES, &json)) == HR_OK &&
        (r = read_in(env, dir, "transform_fn/plan.sha256", 4096, &digest)) == HR_OK)
        r = open_files(env, dir, &json, &all, &p);
    if (r == HR_OK && (digest.len < 64 || memcmp(digest.text, p->digest, 64)))
        r = hr_fail(env, HR_DATA_LOSS,
                    "the plan in \"%s\" is not the one that its digest was made of; take it from "
                    "where it was written",
                    dir);
    hr_buf_clear(&json);
    hr_buf_clear(&all);
    hr_buf_clear(&digest);
    if (r < 0)
        hr_plan_close(p);
    else
        *ret = p;
    return r;
}
