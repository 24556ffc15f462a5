/* A net in two files.
 *
 *     net.json      {"format": 1, "kind": "dnn", "task": "classes", "ids": "wide",
 *                    "embedding": 0, "hidden": [8, 8], "classes": 3, "label": "species",
 *                    "labels": ["a", "b", "c"],
 *                    "inputs": [{"name": "x", "kind": "float", "size": 1},
 *                               {"name": "c", "kind": "id", "first": 0, "depth": 10}],
 *                    "weights": 131, "sha256": "..."}
 *     weights.bin   "HRWEIGHT", u32 1, u32 0, u64 n, n float32, all little-endian
 *
 * sha256 is of weights.bin.  The order of the weights is in net.h.
 */
#include <string.h>

#include "learn/net.h"

enum { FORMAT = 1, HEAD = 24 };

static const char *const kinds[] = { "", "linear", "dnn" };
static const char *const tasks[] = { "", "regression", "binary", "classes" };
static const char *const ways[] = { "", "wide", "deep", "embedding" };

static void put_u64(uint8_t *to, uint64_t v)
{
    int i;

    for (i = 0; i < 8; i++)
        to[i] = (uint8_t)(v >> 8 * i);
}

static uint64_t get_u64(const uint8_t *p)
{
    uint64_t v = 0;
    int i;

    for (i = 7; i >= 0; i--)
        v = v << 8 | p[i];
    return v;
}

static hr_status put_weights(const struct hr_net *net, struct hr_buf *to)
{
    uint8_t head[HEAD] = "HRWEIGHT";
    char *p;
    size_t i;
    hr_status r;

    put_u64(head + 8, FORMAT);
    put_u64(head + 16, net->n);
    if ((r = hr_buf_add(to, head, HEAD)) < 0 || (r = hr_buf_room(to, net->n * 4, &p)) < 0)
        return r;
    for (i = 0; i < net->n; i++, p += 4) {
        uint32_t bits;

        memcpy(&bits, &net->weights[i], 4);
        p[0] = (char)bits;
        p[1] = (char)(bits >> 8);
        p[2] = (char)(bits >> 16);
        p[3] = (char)(bits >> 24);
    }
    return HR_OK;
}

static void put_inputs(struct hr_json_writer *w, const struct hr_net_shape *s)
{
    size_t i;

    hr_json_put_key(w, "inputs");
    hr_json_open_array(w);
    for (i = 0; i < s->ninputs; i++) {
        const struct hr_net_input *x = &s->inputs[i];

        hr_json_open_object(w);
        hr_json_put_member_text(w, "name", x->name);
        hr_json_put_member_text(w, "kind", x->kind == HR_INPUT_FLOAT ? "float" : "id");
        if (x->kind == HR_INPUT_FLOAT) {
            hr_json_put_member_int(w, "size", x->size);
        } else {
            hr_json_put_member_int(w, "first", x->first);
            hr_json_put_member_int(w, "depth", x->depth);
        }
        hr_json_close_object(w);
    }
    hr_json_close_array(w);
}

static hr_status put_json(const struct hr_net *net, const char *sha, struct hr_buf *to)
{
    const struct hr_net_shape *s = &net->shape;
    struct hr_json_writer w;
    int32_t i;

    hr_json_begin(&w, to, 2);
    hr_json_open_object(&w);
    hr_json_put_member_int(&w, "format", FORMAT);
    hr_json_put_member_text(&w, "kind", kinds[s->kind]);
    hr_json_put_member_text(&w, "task", tasks[s->task]);
    hr_json_put_member_text(&w, "ids", ways[s->ids]);
    hr_json_put_member_int(&w, "embedding", s->embedding);
    hr_json_put_key(&w, "hidden");
    hr_json_open_array(&w);
    for (i = 0; i < s->nhidden; i++)
        hr_json_put_int(&w, s->hidden[i]);
    hr_json_close_array(&w);
    hr_json_put_member_int(&w, "classes", s->classes);
    hr_json_put_member_text(&w, "label", s->label);
    hr_json_put_key(&w, "labels");
    hr_json_open_array(&w);
    for (i = 0; s->labels && i < (s->task == HR_TASK_BINARY ? 2 : s->classes); i++)
        hr_json_put_text(&w, s->labels[i]);
    hr_json_close_array(&w);
    put_inputs(&w, s);
    hr_json_put_member_int(&w, "weights", (int64_t)net->n);
    hr_json_put_member_text(&w, "sha256", sha);
    hr_json_close_object(&w);
    return hr_json_end(&w);
}

static hr_status write_in(struct hr_env *env, const char *dir, const char *name,
                          const struct hr_buf *b)
{
    char path[HR_MAX_PATH];
    hr_status r = hr_path_join(env, dir, name, path);

    return r < 0 ? r : hr_file_put(env, path, b->text, b->len);
}

hr_status hr_net_save(struct hr_env *env, const struct hr_net *net, const char *dir)
{
    uint8_t digest[HR_SHA256_SIZE];
    char hex[HR_SHA256_HEX];
    struct hr_buf weights, json;
    hr_status r = hr_dir_make(env, dir);

    hr_buf_of(&weights, HR_MAX_FILE_BYTES, env);
    hr_buf_of(&json, HR_MAX_JSON_BYTES, env);
    if (r == HR_OK && (r = put_weights(net, &weights)) < 0)
        r = hr_fail_memory(env);
    if (r == HR_OK) {
        hr_sha256(weights.text, weights.len, digest);
        hr_sha256_hex(digest, hex);
        if ((r = put_json(net, hex, &json)) == HR_OK &&
            (r = write_in(env, dir, "net.json", &json)) == HR_OK)
            r = write_in(env, dir, "weights.bin", &weights);
    }
    hr_buf_clear(&weights);
    hr_buf_clear(&json);
    return r;
}

/* -- reading ---------------------------------------- */

struct reading {
    struct hr_env *env;
    struct hr_json_doc *doc;
    struct hr_arena arena;
    struct hr_net_shape shape;
};

static hr_status wrong(struct reading *d, const char *what)
{
    return hr_fail(d->env, HR_DATA_LOSS, "net.json: %s", what);
}

static bool small(struct reading *d, const struct hr_json *v, int32_t *ret)
{
    int64_t n;

    if (!v || !hr_json_int(d->doc, v, &n) || n < 0 || n > HR_MAX_WEIGHTS)
        return false;
    *ret = (int32_t)n;
    return true;
}

static hr_status read_inputs(struct reading *d, const struct hr_json *list)
{
    size_t n = hr_json_count(list), i = 0;
    struct hr_net_input *inputs = hr_arena_array(&d->arena, n + 1, sizeof *inputs);
    const struct hr_json *v;

    if (!inputs)
        return HR_EXHAUSTED;
    for (v = hr_json_first(list); v; v = hr_json_next(v), i++) {
        struct hr_net_input *x = &inputs[i];
        const char *kind = hr_json_text(hr_json_get(v, "kind"));

        x->name = hr_json_text(hr_json_get(v, "name"));
        if (!x->name || !kind)
            return wrong(d, "an input wants a name and a kind");
        x->kind = !strcmp(kind, "float") ? HR_INPUT_FLOAT : HR_INPUT_ID;
        if (x->kind == HR_INPUT_FLOAT
                ? !small(d, hr_json_get(v, "size"), &x->size)
                : !hr_json_int(d->doc, hr_json_get(v, "first"), &x->first) ||
                      !hr_json_int(d->doc, hr_json_get(v, "depth"), &x->depth))
            return wrong(d, "an input wants a size, or first and depth");
    }
    d->shape.inputs = inputs;
    d->shape.ninputs = n;
    return HR_OK;
}

/* Names of the classes: none, or as many as there are. */
static hr_status read_labels(struct reading *d, const struct hr_json *labels)
{
    struct hr_net_shape *s = &d->shape;
    const char **names = hr_arena_array(&d->arena, hr_json_count(labels) + 1, sizeof *names);
    const struct hr_json *v;
    size_t n = 0;

    if (!names)
        return HR_EXHAUSTED;
    for (v = hr_json_first(labels); v; v = hr_json_next(v))
        if (!(names[n++] = hr_json_text(v)))
            return wrong(d, "labels are texts");
    if (n && n != (s->task == HR_TASK_BINARY ? 2 : (size_t)s->classes))
        return wrong(d, "there are not as many labels as classes");
    s->labels = n ? names : NULL;
    return HR_OK;
}

static hr_status read_shape(struct reading *d, const struct hr_json *root)
{
    struct hr_net_shape *s = &d->shape;
    const struct hr_json *v;
    hr_status r;

    s->kind = hr_json_word(hr_json_get(root, "kind"), kinds, 3);
    s->task = hr_json_word(hr_json_get(root, "task"), tasks, 4);
    s->ids = hr_json_word(hr_json_get(root, "ids"), ways, 4);
    s->label = hr_json_text(hr_json_get(root, "label"));
    if (!s->kind || !s->task || !s->ids || !s->label ||
        !small(d, hr_json_get(root, "embedding"), &s->embedding) ||
        !small(d, hr_json_get(root, "classes"), &s->classes))
        return wrong(d, "kind, task, ids, embedding, classes and label are wanted");
    for (v = hr_json_first(hr_json_get(root, "hidden")); v; v = hr_json_next(v))
        if (s->nhidden == HR_MAX_LAYERS || !small(d, v, &s->hidden[s->nhidden++]))
            return wrong(d, "there are at most 16 hidden layers");
    r = read_labels(d, hr_json_get(root, "labels"));
    return r < 0 ? r : read_inputs(d, hr_json_get(root, "inputs"));
}

static hr_status read_weights(struct reading *d, struct hr_slice bytes, struct hr_net *net)
{
    const uint8_t *p = (const uint8_t *)bytes.text;
    const char *want = hr_json_text(hr_json_get(hr_json_root(d->doc), "sha256"));
    uint8_t digest[HR_SHA256_SIZE];
    char hex[HR_SHA256_HEX];
    size_t i;

    if (bytes.len != HEAD + net->n * 4 || memcmp(p, "HRWEIGHT", 8) || get_u64(p + 8) != FORMAT ||
        get_u64(p + 16) != net->n)
        return hr_fail(d->env, HR_DATA_LOSS, "weights.bin is not of %zu weights, as net.json wants",
                       net->n);
    hr_sha256(p, bytes.len, digest);
    hr_sha256_hex(digest, hex);
    if (!want || strcmp(want, hex))
        return hr_fail(d->env, HR_DATA_LOSS,
                       "weights.bin is not the one that net.json names; "
                       "take both from where they were written");
    for (i = 0, p += HEAD; i < net->n; i++, p += 4) {
        uint32_t bits =
            (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;

        memcpy(&net->weights[i], &bits, 4);
    }
    return HR_OK;
}

static hr_status read_all(struct reading *d, struct hr_slice weights, struct hr_net **ret)
{
    const struct hr_json *root = hr_json_root(d->doc), *v = hr_json_get(root, "format");
    int64_t format, n;
    hr_status r;

    if (!v || !hr_json_int(d->doc, v, &format) || format < 1)
        return wrong(d, "it has no number \"format\"");
    if (format > FORMAT)
        return hr_fail(d->env, HR_UNIMPLEMENTED,
                       "the model is of format %lld, and this program knows 1: take a newer one",
                       (long long)format);
    if ((r = read_shape(d, root)) < 0)
        return r;
    /* the size first, so that nothing is allocated that the file does not bear out */
    if (!hr_json_int(d->doc, hr_json_get(root, "weights"), &n) || n < 1 || n > HR_MAX_WEIGHTS ||
        (uint64_t)n * 4 + HEAD != weights.len)
        return wrong(d, "weights.bin has not the size that it should");
    if ((r = hr_net_make(d->env, &d->shape, (size_t)n, ret)) < 0)
        return r == HR_EXHAUSTED ? r : HR_DATA_LOSS;
    if ((r = read_weights(d, weights, *ret)) < 0) {
        hr_net_free(*ret);
        *ret = NULL;
    }
    return r;
}

hr_status hr_net_read(struct hr_env *env, struct hr_slice json, struct hr_slice weights,
                      struct hr_net **ret)
{
    struct reading d = { .env = env };
    struct hr_net *net = NULL;
    hr_status r = hr_json_parse(env, "net.json", json.text, json.len, 0, &d.doc);

    if (r < 0)
        return r;
    hr_arena_init(&d.arena, env, 0);
    r = read_all(&d, weights, &net);
    hr_arena_clear(&d.arena);
    hr_json_free(d.doc);
    if (r == HR_OK)
        *ret = net;
    return r;
}

hr_status hr_net_open(struct hr_env *env, const char *dir, struct hr_net **ret)
{
    struct hr_buf json, weights;
    char path[HR_MAX_PATH];
    hr_status r;

    hr_buf_of(&json, HR_MAX_JSON_BYTES, env);
    hr_buf_of(&weights, HR_MAX_FILE_BYTES, env);
    if ((r = hr_path_join(env, dir, "net.json", path)) == HR_OK &&
        (r = hr_file_read(env, path, HR_MAX_JSON_BYTES, &json)) == HR_OK &&
        (r = hr_path_join(env, dir, "weights.bin", path)) == HR_OK &&
        (r = hr_file_read(env, path, HR_MAX_FILE_BYTES, &weights)) == HR_OK)
        r = hr_net_read(env, hr_slice(json.text, json.len), hr_slice(weights.text, weights.len),
                        ret);
    hr_buf_clear(&json);
    hr_buf_clear(&weights);
    return r;
}
