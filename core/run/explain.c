#include "run/explain.h"

#include <string.h>

enum { MAX_DIFFERENCES = 200 };

struct comparer {
    struct hr_env *env;
    struct hr_arena *arena;
    const struct hr_json_doc *before, *now;
    struct hr_differences *to;
    hr_status status;
};

hr_status hr_key_path(struct hr_env *env, const struct hr_paths *paths, const char *key,
                      char to[HR_MAX_PATH])
{
    char name[HR_SHA256_HEX + 8];
    size_t n = strlen(key);

    if (n != HR_SHA256_HEX - 1)
        return hr_fail(env, HR_INVALID, "\"%s\" is no cache key", key);
    memcpy(name, key, n);
    memcpy(name + n, ".json", 6);
    return hr_path_join(env, paths->cache, name, to);
}

static const char *text_of(struct comparer *c, const struct hr_json_doc *doc,
                           const struct hr_json *v)
{
    const char *text = NULL;
    struct hr_buf buf;

    if (!v)
        return NULL;
    hr_buf_of(&buf, HR_MAX_JSON_BYTES, c->env);
    if (hr_json_print(doc, v, true, &buf) == HR_OK)
        text = hr_arena_text(c->arena, buf.text);
    hr_buf_clear(&buf);
    if (!text)
        c->status = HR_EXHAUSTED;
    return text;
}

/* Compare two values; what they are is said only if they differ. */
HR_PRINTF(4, 5)
static void compare(struct comparer *c, const struct hr_json *a, const struct hr_json *b,
                    const char *format, ...)
{
    const char *before = text_of(c, c->before, a), *now = text_of(c, c->now, b);
    struct hr_difference *d;
    struct hr_buf what;
    va_list args;

    if (c->status < 0 || hr_text_eq(before, now) || (!before && !now) ||
        c->to->count == MAX_DIFFERENCES)
        return;
    d = &c->to->items[c->to->count++];
    *d = (struct hr_difference){ .before = before, .now = now };
    hr_buf_of(&what, 1 << 16, c->env);
    va_start(args, format);
    hr_buf_vformat(&what, format, args);
    va_end(args);
    d->what = hr_arena_text(c->arena, what.text);
    if (!d->what || !hr_buf_whole(&what))
        c->status = HR_EXHAUSTED;
    hr_buf_clear(&what);
}

/* A value that is a digest stands for content. */
static bool is_digest(const struct hr_json *v)
{
    const char *text = v ? hr_json_text(v) : NULL;

    return text && strlen(text) == HR_SHA256_HEX - 1 &&
           strspn(text, "0123456789abcdef") == HR_SHA256_HEX - 1;
}

static const struct hr_json *get(const struct hr_json *object, const char *key)
{
    return object && hr_json_kind(object) == HR_JSON_OBJECT ? hr_json_get(object, key) : NULL;
}

typedef void visit(struct comparer *c, const char *key, const struct hr_json *a,
                   const struct hr_json *b, const char *of);

/* Each member of either object, in the order of the older, then what is new. */
static void members(struct comparer *c, const struct hr_json *a, const struct hr_json *b,
                    visit *each, const char *of)
{
    const struct hr_json *m;

    for (m = a && hr_json_kind(a) == HR_JSON_OBJECT ? hr_json_first(a) : NULL; m;
         m = hr_json_next(m))
        each(c, hr_json_key(m), m, get(b, hr_json_key(m)), of);
    for (m = b && hr_json_kind(b) == HR_JSON_OBJECT ? hr_json_first(b) : NULL; m;
         m = hr_json_next(m))
        if (!get(a, hr_json_key(m)))
            each(c, hr_json_key(m), NULL, m, of);
}

static void property(struct comparer *c, const char *key, const struct hr_json *a,
                     const struct hr_json *b, const char *of)
{
    (void)of;
    if (is_digest(a) || is_digest(b))
        compare(c, a, b, "the content that property \"%s\" names", key);
    else
        compare(c, a, b, "property \"%s\"", key);
}

static void set(struct comparer *c, const char *key, const struct hr_json *a,
                const struct hr_json *b, const char *of)
{
    (void)of;
    compare(c, a, b, "\"%s\", which the driver has set", key);
}

static void output_property(struct comparer *c, const char *key, const struct hr_json *a,
                            const struct hr_json *b, const char *of)
{
    compare(c, a, b, "property \"%s\" that output \"%s\" is given", key, of);
}

static void output(struct comparer *c, const char *key, const struct hr_json *a,
                   const struct hr_json *b, const char *of)
{
    (void)of;
    members(c, a, b, output_property, key);
}

static void artifact_property(struct comparer *c, const char *key, const struct hr_json *a,
                              const struct hr_json *b, const char *of)
{
    compare(c, a, b, "property \"%s\" of input \"%s\"", key, of);
}

static void input(struct comparer *c, const char *key, const struct hr_json *a,
                  const struct hr_json *b, const char *of)
{
    const struct hr_json *x = a && hr_json_kind(a) == HR_JSON_ARRAY ? hr_json_first(a) : NULL;
    const struct hr_json *y = b && hr_json_kind(b) == HR_JSON_ARRAY ? hr_json_first(b) : NULL;

    (void)of;
    if (!x && !y)
        compare(c, a, b, "input \"%s\"", key);
    while (x || y) {
        compare(c, get(x, "digest"), get(y, "digest"), "the content of input \"%s\"", key);
        members(c, get(x, "properties"), get(y, "properties"), artifact_property, key);
        x = x ? hr_json_next(x) : NULL;
        y = y ? hr_json_next(y) : NULL;
    }
}

static void compare_all(struct comparer *c, bool with_set)
{
    const struct hr_json *a = hr_json_root(c->before), *b = hr_json_root(c->now);

    compare(c, get(a, "component"), get(b, "component"), "the component");
    compare(c, get(a, "version"), get(b, "version"), "the version of the component");
    compare(c, get(a, "plugin"), get(b, "plugin"), "the code of the plugin");
    compare(c, get(a, "models"), get(b, "models"), "the code of plugins that load models");
    members(c, get(a, "inputs"), get(b, "inputs"), input, NULL);
    members(c, get(a, "properties"), get(b, "properties"), property, NULL);
    members(c, get(a, "outputs"), get(b, "outputs"), output, NULL);
    if (with_set)
        members(c, get(a, "set"), get(b, "set"), set, NULL);
}

hr_status hr_key_compare(struct hr_env *env, const char *before, const char *now, bool with_set,
                         struct hr_arena *arena, struct hr_differences *ret)
{
    struct hr_json_doc *a = NULL, *b = NULL;
    struct comparer c = { .env = env, .arena = arena, .to = ret };

    *ret = (struct hr_differences){ hr_arena_array(arena, MAX_DIFFERENCES, sizeof *ret->items), 0 };
    if (!ret->items)
        return HR_EXHAUSTED;
    c.status = hr_json_parse(env, "cache key", before, strlen(before), 0, &a);
    if (c.status == HR_OK)
        c.status = hr_json_parse(env, "cache key", now, strlen(now), 0, &b);
    if (c.status == HR_OK) {
        c.before = a;
        c.now = b;
        compare_all(&c, with_set);
    }
    hr_json_free(a);
    hr_json_free(b);
    return c.status;
}

hr_status hr_key_read(struct hr_env *env, const struct hr_paths *paths, const char *key,
                      struct hr_buf *to)
{
    char path[HR_MAX_PATH], hex[HR_SHA256_HEX];
    uint8_t digest[HR_SHA256_SIZE];
    hr_status r = hr_key_path(env, paths, key, path);

    if (r == HR_OK && !hr_file_exists(env, path))
        return HR_NOT_FOUND;
    if (r < 0 || (r = hr_file_read(env, path, HR_MAX_JSON_BYTES, to)) < 0)
        return r;
    hr_sha256(to->text, to->len, digest);
    hr_sha256_hex(digest, hex);
    return strcmp(hex, key) ? HR_NOT_FOUND : HR_OK;
}

hr_status hr_key_explain(struct hr_env *env, const struct hr_paths *paths, const char *before,
                         const char *now, struct hr_arena *arena, struct hr_differences *ret)
{
    struct hr_buf a, b;
    hr_status r;

    hr_buf_of(&a, HR_MAX_JSON_BYTES, env);
    hr_buf_of(&b, HR_MAX_JSON_BYTES, env);
    r = hr_key_read(env, paths, before, &a);
    if (r == HR_OK)
        r = hr_key_read(env, paths, now, &b);
    if (r == HR_OK)
        r = hr_key_compare(env, a.text, b.text, true, arena, ret);
    hr_buf_clear(&a);
    hr_buf_clear(&b);
    return r;
}

/* A few at a time: the last result is most often among the newest. */
hr_status hr_result_before(struct hr_store *store, int64_t node_context, int64_t index,
                           int64_t before, struct hr_arena *arena, struct hr_meta_node *ret)
{
    struct hr_look look = { .kind = HR_KIND_EXECUTION,
                            .contexts = &node_context,
                            .context_count = 1,
                            .newest_first = true,
                            .before = before,
                            .limit = 8 };
    struct hr_meta_nodes found = { 0 };
    hr_status r;
    size_t i;

    do {
        r = hr_store_look(store, &look, arena, &found);
        for (i = 0; r == HR_OK && i < found.count; i++) {
            const struct hr_meta_node *e = &found.items[i];

            look.before = e->id;
            if (hr_meta_text(e, "__cache_key") && hr_meta_int(e, "__index", -1) == index &&
                (e->state == HR_EXECUTION_COMPLETE || e->state == HR_EXECUTION_CACHED)) {
                *ret = *e;
                return HR_OK;
            }
        }
        look.limit *= 4;
    } while (r == HR_OK && found.count);
    return r < 0 ? r : HR_NOT_FOUND;
}

static void put_json(struct hr_json_writer *w, const char *key, const char *json)
{
    hr_json_put_key(w, key);
    if (json)
        hr_json_put_raw(w, json, strlen(json));
    else
        hr_json_put_null(w);
}

void hr_differences_put(struct hr_json_writer *w, const struct hr_differences *d)
{
    size_t i;

    hr_json_put_key(w, "differences");
    hr_json_open_array(w);
    for (i = 0; i < d->count; i++) {
        hr_json_open_object(w);
        hr_json_put_member_text(w, "what", d->items[i].what);
        put_json(w, "before", d->items[i].before);
        put_json(w, "now", d->items[i].now);
        hr_json_close_object(w);
    }
    hr_json_close_array(w);
}

const char *hr_result_read(struct hr_env *env, const struct hr_meta_node *execution,
                           struct hr_arena *arena, hr_status *ret_code)
{
    const char *json = hr_meta_text(execution, "__execution_result__"), *text = NULL;
    size_t kept = env->errors.count;
    struct hr_json_doc *doc;
    int64_t code = 0;

    *ret_code = HR_OK;
    if (!json)
        return NULL;
    if (hr_json_parse(env, "result", json, strlen(json), 0, &doc) < 0) {
        hr_errors_cut(env, kept);
        return NULL;
    }
    text = hr_json_text(hr_json_get(hr_json_root(doc), "resultMessage"));
    text = text ? hr_arena_text(arena, text) : NULL;
    if (hr_json_int(doc, hr_json_get(hr_json_root(doc), "code"), &code) && code > 0 && code < 100)
        *ret_code = (hr_status)-code;
    hr_json_free(doc);
    return text;
}
