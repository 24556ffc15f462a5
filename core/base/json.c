/* The tree is cJSON's.  Its nodes, met in document order, are as many as the scanner's
 * spots; each keeps the number of its spot in valueint, which we do not use otherwise. */
#include "base/json.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/env.h"
#include "base/json_scan.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/num.h"

struct hr_json_doc {
    struct hr_json_mark mark; /* the last place that was asked for: the next is likely behind it */
    struct hr_env *env;
    char *name;
    char *text; /* comments blanked */
    size_t n;
    struct hr_json_spots spots;
    cJSON *root;
};

static const cJSON *in(const struct hr_json *v)
{
    return (const cJSON *)(const void *)v;
}

static const struct hr_json *out(const cJSON *v)
{
    return (const struct hr_json *)(const void *)v;
}

static const struct hr_json_spot *spot(const struct hr_json_doc *doc, const struct hr_json *v)
{
    return &doc->spots.items[in(v)->valueint];
}

static void count_nodes(cJSON *node, int *number)
{
    for (; node; node = node->next) {
        node->valueint = (*number)++;
        count_nodes(node->child, number);
    }
}

struct member {
    const char *key;
    const cJSON *node;
};

static int by_key(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    int c = strcmp(x->key, y->key);

    return c ? c
             : (x->node->valueint > y->node->valueint) - (x->node->valueint < y->node->valueint);
}

/* No name twice in an object, here and below. */
static hr_status unique(struct hr_json_doc *doc, const cJSON *object)
{
    struct member *members = NULL;
    size_t cap = 0, n = 0, i;
    hr_status r = HR_OK;
    const cJSON *m;

    for (m = object->child; m && r == HR_OK; m = m->next)
        if (m->child)
            r = unique(doc, m);
    if (r < 0 || !cJSON_IsObject(object) || !object->child)
        return r;
    for (m = object->child; m; m = m->next) {
        if (!hr_mem_reserve(doc->env, (void **)&members, &cap, n + 1, sizeof *members,
                            HR_MAX_JSON_BYTES)) {
            r = HR_EXHAUSTED;
            goto out;
        }
        members[n++] = (struct member){ m->string, m };
    }
    qsort(members, n, sizeof *members, by_key);
    for (i = 1; i < n; i++)
        if (!strcmp(members[i].key, members[i - 1].key)) {
            struct hr_place place = hr_json_key_place(doc, out(members[i].node));

            r = hr_fail_at(doc->env, HR_INVALID, &place, "\"%s\" is given twice", members[i].key);
        }
out:
    hr_mem_put(doc->env, members, cap * sizeof *members);
    return r;
}

hr_status hr_json_parse(struct hr_env *env, const char *name, const char *text, size_t n, int flags,
                        struct hr_json_doc **ret)
{
    struct hr_json_doc *doc;
    struct hr_place whole = { .file = name };
    hr_status r = HR_EXHAUSTED;
    int number = 0;

    if (n > HR_MAX_JSON_BYTES)
        return hr_fail_at(env, HR_INVALID, &whole,
                          "%zu bytes, and JSON of more than %d is not read", n, HR_MAX_JSON_BYTES);
    if (!(doc = hr_mem_zero(env, sizeof *doc)))
        return HR_EXHAUSTED;
    doc->env = env;
    doc->n = n;
    if (!(doc->name = hr_mem_text(env, name)) || !(doc->text = hr_mem_zero(env, n + 1)))
        goto out;
    if (n)
        memcpy(doc->text, text, n);
    if ((r = hr_json_scan(env, doc->name, doc->text, n, flags, &doc->spots)) < 0)
        goto out;
    doc->root = cJSON_ParseWithLengthOpts(doc->text, n + 1, NULL, 1);
    if (!doc->root) {
        r = hr_fail_memory(env);
        goto out;
    }
    count_nodes(doc->root, &number);
    if ((size_t)number != doc->spots.count) {
        r = hr_fail_at(env, HR_INTERNAL, &whole, "the JSON was understood in two ways");
        goto out;
    }
    r = unique(doc, doc->root);
out:
    if (r < 0) {
        hr_json_free(doc);
        return r;
    }
    *ret = doc;
    return HR_OK;
}

void hr_json_free(struct hr_json_doc *doc)
{
    if (!doc)
        return;
    cJSON_Delete(doc->root);
    hr_mem_put(doc->env, doc->spots.items, doc->spots.cap * sizeof *doc->spots.items);
    hr_mem_put(doc->env, doc->text, doc->n + 1);
    hr_mem_text_put(doc->env, doc->name);
    hr_mem_put(doc->env, doc, sizeof *doc);
}

const struct hr_json *hr_json_root(const struct hr_json_doc *doc)
{
    return out(doc->root);
}

const char *hr_json_name(const struct hr_json_doc *doc)
{
    return doc->name;
}

enum hr_json_kind hr_json_kind(const struct hr_json *v)
{
    const cJSON *c = in(v);

    if (cJSON_IsObject(c))
        return HR_JSON_OBJECT;
    if (cJSON_IsArray(c))
        return HR_JSON_ARRAY;
    if (cJSON_IsString(c))
        return HR_JSON_STRING;
    if (cJSON_IsNumber(c))
        return HR_JSON_NUMBER;
    return cJSON_IsBool(c) ? HR_JSON_BOOL : HR_JSON_NULL;
}

const char *hr_json_kind_text(enum hr_json_kind kind)
{
    static const char *const texts[] = { "null",     "true or false", "a number",
                                         "a string", "a list",        "an object" };

    return texts[kind];
}

const struct hr_json *hr_json_first(const struct hr_json *v)
{
    return v ? out(in(v)->child) : NULL;
}

const struct hr_json *hr_json_next(const struct hr_json *v)
{
    return out(in(v)->next);
}

size_t hr_json_count(const struct hr_json *v)
{
    const struct hr_json *m;
    size_t n = 0;

    for (m = hr_json_first(v); m; m = hr_json_next(m))
        n++;
    return n;
}

const char *hr_json_key(const struct hr_json *v)
{
    return in(v)->string;
}

const struct hr_json *hr_json_get(const struct hr_json *v, const char *key)
{
    if (!v || !cJSON_IsObject(in(v)))
        return NULL;
    return out(cJSON_GetObjectItemCaseSensitive(in(v), key));
}

const char *hr_json_text(const struct hr_json *v)
{
    return v && cJSON_IsString(in(v)) ? in(v)->valuestring : NULL;
}

bool hr_json_bool(const struct hr_json *v)
{
    return v && cJSON_IsTrue(in(v));
}

int32_t hr_json_word(const struct hr_json *v, const char *const *words, int32_t n)
{
    const char *text = hr_json_text(v);
    int32_t i;

    for (i = 1; i < n && text; i++)
        if (!strcmp(text, words[i]))
            return i;
    return 0;
}

struct hr_slice hr_json_source(const struct hr_json_doc *doc, const struct hr_json *v)
{
    const struct hr_json_spot *s = spot(doc, v);

    return hr_slice(doc->text + s->from, s->to - s->from);
}

const char *hr_json_number(const struct hr_json_doc *doc, const struct hr_json *v, size_t *ret_n)
{
    struct hr_slice s = hr_json_source(doc, v);

    *ret_n = s.len;
    return s.text;
}

bool hr_json_int(const struct hr_json_doc *doc, const struct hr_json *v, int64_t *ret)
{
    size_t n;
    const char *text;

    if (!v || !cJSON_IsNumber(in(v)))
        return false;
    text = hr_json_number(doc, v, &n);
    return hr_num_int(text, n, ret);
}

bool hr_json_double(const struct hr_json_doc *doc, const struct hr_json *v, double *ret)
{
    size_t n;
    const char *text;

    if (!v || !cJSON_IsNumber(in(v)))
        return false;
    text = hr_json_number(doc, v, &n);
    return hr_num_double(text, n, ret);
}

static struct hr_place place_of(const struct hr_json_doc *doc, size_t at)
{
    struct hr_json_mark *mark = &((struct hr_json_doc *)(uintptr_t)doc)->mark;

    hr_json_locate(doc->text, at, mark);
    return (struct hr_place){ .file = doc->name, .line = mark->line, .column = mark->column };
}

struct hr_place hr_json_place(const struct hr_json_doc *doc, const struct hr_json *v)
{
    return place_of(doc, spot(doc, v)->from);
}

struct hr_place hr_json_key_place(const struct hr_json_doc *doc, const struct hr_json *v)
{
    const struct hr_json_spot *s = spot(doc, v);

    return place_of(doc, s->key_at == SIZE_MAX ? s->from : s->key_at);
}

hr_status hr_json_print(const struct hr_json_doc *doc, const struct hr_json *v, bool sorted,
                        struct hr_buf *to)
{
    struct hr_json_writer w;

    hr_json_begin(&w, to, 0);
    hr_json_put_value(&w, doc, v, sorted);
    return hr_json_end(&w);
}
