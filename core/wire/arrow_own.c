/* An array that is made here is one block: the pointers to its buffers, its children and its
 * dictionary.  A child that is moved away takes its own block along, and the owner with it, so
 * each block holds its own reference.
 */
#include "wire/arrow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "headrace/rows.h"

struct node {
    struct hr_owner *owner;
    const void *buffers[3];
    uint32_t own; /* bit k: buffer k is freed with this */
    struct ArrowArray dictionary;
    struct ArrowArray **children; /* pointers to kids */
    struct ArrowArray kids[];
};

/* -- owners ------------------------------------------------------------------------ */

struct hr_owner *hr_owner_new(struct hr_env *env, void (*drop)(void *user), void *user)
{
    struct hr_owner *o = calloc(1, sizeof *o);

    if (!o) {
        hr_fail_memory(env);
        return NULL;
    }
    o->refs = 1;
    o->drop = drop;
    o->user = user;
    return o;
}

struct hr_owner *hr_owner_ref(struct hr_owner *o)
{
    __atomic_add_fetch(&o->refs, 1, __ATOMIC_RELAXED);
    return o;
}

void hr_owner_drop(struct hr_owner *o)
{
    if (!o || __atomic_sub_fetch(&o->refs, 1, __ATOMIC_ACQ_REL))
        return;
    if (o->drop)
        o->drop(o->user);
    free(o);
}

static void drop_rows(void *user)
{
    struct ArrowArray *rows = user;

    HR_RELEASE(rows);
}

hr_status hr_arrow_owner(struct hr_env *env, struct ArrowArray *rows, struct hr_owner **ret)
{
    struct hr_owner *o = hr_owner_new(env, drop_rows, NULL);

    if (!o) {
        HR_RELEASE(rows);
        return HR_EXHAUSTED;
    }
    o->rows = *rows;
    o->user = &o->rows;
    rows->release = NULL;
    *ret = o;
    return HR_OK;
}

/* -- arrays ------------------------------------------------------------------------ */

static void release_node(struct ArrowArray *a)
{
    struct node *n = a->private_data;
    int64_t i;
    int k;

    for (i = 0; i < a->n_children; i++)
        HR_RELEASE(&n->kids[i]);
    HR_RELEASE(&n->dictionary);
    for (k = 0; k < 3; k++)
        if (n->own >> k & 1)
            free((void *)(uintptr_t)n->buffers[k]);
    hr_owner_drop(n->owner);
    free(n);
    a->release = NULL;
}

hr_status hr_arrow_new(struct hr_env *env, int64_t n_buffers, int64_t n_children, bool dictionary,
                       struct ArrowArray *ret)
{
    size_t kids = (size_t)n_children;
    struct node *n;
    size_t i;

    n = calloc(1, sizeof *n + kids * (sizeof n->kids[0] + sizeof n->children[0]));
    if (!n)
        return hr_fail_memory(env);
    n->children = (struct ArrowArray **)(void *)&n->kids[kids];
    for (i = 0; i < kids; i++)
        n->children[i] = &n->kids[i];
    *ret = (struct ArrowArray){
        .n_buffers = n_buffers,
        .n_children = n_children,
        .buffers = n->buffers,
        .children = kids ? n->children : NULL,
        .dictionary = dictionary ? &n->dictionary : NULL,
        .release = release_node,
        .private_data = n,
    };
    return HR_OK;
}

void hr_arrow_put(struct ArrowArray *a, int k, const void *buffer, bool own)
{
    struct node *n = a->private_data;

    n->buffers[k] = buffer;
    if (own)
        n->own |= 1u << k;
}

void hr_arrow_hold(struct ArrowArray *a, struct hr_owner *owner)
{
    struct node *n = a->private_data;

    n->owner = hr_owner_ref(owner);
}

hr_status hr_arrow_share(struct hr_env *env, const struct ArrowArray *a, struct hr_owner *owner,
                         struct hr_cut cut, struct ArrowArray *ret)
{
    struct ArrowArray made;
    hr_status r = hr_arrow_new(env, a->n_buffers, a->n_children, a->dictionary != NULL, &made);
    int64_t i;

    if (r < 0)
        return r;
    for (i = 0; i < a->n_buffers && i < 3; i++)
        hr_arrow_put(&made, (int)i, a->buffers[i], false);
    made.length = cut.n;
    made.offset = a->offset + cut.from;
    made.null_count = cut.n == a->length || a->null_count == 0 ? a->null_count : -1;
    hr_arrow_hold(&made, owner);
    for (i = 0; r == HR_OK && i < a->n_children; i++)
        r = hr_arrow_share(env, a->children[i], owner, hr_cut(0, a->children[i]->length),
                           made.children[i]);
    if (r == HR_OK && a->dictionary)
        r = hr_arrow_share(env, a->dictionary, owner, hr_cut(0, a->dictionary->length),
                           made.dictionary);
    if (r < 0) {
        HR_RELEASE(&made);
        return r;
    }
    *ret = made;
    return HR_OK;
}

hr_status hr_arrow_select(struct hr_env *env, struct ArrowArray *rows, const int64_t *cols,
                          int64_t n, struct ArrowArray *ret)
{
    struct hr_owner *owner = NULL;
    struct ArrowArray made;
    int64_t i;
    hr_status r = hr_arrow_owner(env, rows, &owner);

    if (r < 0)
        return r;
    r = hr_arrow_new(env, 1, n, false, &made);
    if (r == HR_OK) {
        made.length = owner->rows.length;
        made.offset = owner->rows.offset;
        for (i = 0; r == HR_OK && i < n; i++) {
            const struct ArrowArray *kid = owner->rows.children[cols[i]];

            r = hr_arrow_share(env, kid, owner, hr_cut(0, kid->length), made.children[i]);
        }
        if (r < 0)
            HR_RELEASE(&made);
    }
    hr_owner_drop(owner);
    if (r == HR_OK)
        *ret = made;
    return r;
}

/* -- streams ----------------------------------------------------------------------- */

struct stream {
    struct hr_env *env;
    struct hr_stream_calls calls;
    void *user;
    struct ArrowSchema schema;
    char text[1024]; /* of the last failure */
};

static int errno_of(hr_status r)
{
    switch (r) {
    case HR_CANCELLED:
        return ECANCELED;
    case HR_EXHAUSTED:
        return ENOMEM;
    case HR_NOT_FOUND:
        return ENOENT;
    case HR_DENIED:
        return EACCES;
    case HR_DATA_LOSS:
        return EIO;
    default:
        return EINVAL;
    }
}

static int stream_schema(struct ArrowArrayStream *s, struct ArrowSchema *ret)
{
    struct stream *t = s->private_data;

    return hr_schema_copy(&t->schema, ret) < 0 ? ENOMEM : 0;
}

static int stream_next(struct ArrowArrayStream *s, struct ArrowArray *ret)
{
    struct stream *t = s->private_data;
    size_t before = t->env->errors.count, n;
    hr_status r;

    memset(ret, 0, sizeof *ret);
    r = t->calls.next(t->user, ret);
    if (r == HR_OK)
        return 0;
    t->text[0] = '\0';
    if (t->env->errors.count > before) {
        const char *text = t->env->errors.items[t->env->errors.count - 1].text;

        n = strlen(text) < sizeof t->text - 1 ? strlen(text) : sizeof t->text - 1;
        n = hr_utf8_valid(text, n);
        memcpy(t->text, text, n);
        t->text[n] = '\0';
    }
    return errno_of(r);
}

static const char *stream_error(struct ArrowArrayStream *s)
{
    struct stream *t = s->private_data;

    return t->text[0] ? t->text : NULL;
}

static void stream_release(struct ArrowArrayStream *s)
{
    struct stream *t = s->private_data;

    if (t->calls.drop)
        t->calls.drop(t->user);
    HR_RELEASE(&t->schema);
    free(t);
    s->release = NULL;
}

hr_status hr_arrow_stream(struct hr_env *env, const struct ArrowSchema *schema,
                          const struct hr_stream_calls *calls, void *user,
                          struct ArrowArrayStream *ret)
{
    struct stream *t = calloc(1, sizeof *t);

    if (!t || hr_schema_copy(schema, &t->schema) < 0) {
        free(t);
        if (calls->drop)
            calls->drop(user);
        return hr_fail_memory(env);
    }
    t->env = env;
    t->calls = *calls;
    t->user = user;
    *ret = (struct ArrowArrayStream){ stream_schema, stream_next, stream_error, stream_release, t };
    return HR_OK;
}

struct list {
    struct ArrowArray *batches;
    size_t n, at;
};

static hr_status list_next(void *user, struct ArrowArray *ret)
{
    struct list *l = user;

    if (l->at < l->n) {
        *ret = l->batches[l->at];
        l->batches[l->at++].release = NULL;
    }
    return HR_OK;
}

static void list_drop(void *user)
{
    struct list *l = user;
    size_t i;

    for (i = l->at; i < l->n; i++)
        HR_RELEASE(&l->batches[i]);
    free(l->batches);
    free(l);
}

hr_status hr_arrow_stream_list(struct hr_env *env, const struct ArrowSchema *schema,
                               struct ArrowArray *batches, size_t n, struct ArrowArrayStream *ret)
{
    static const struct hr_stream_calls calls = { list_next, list_drop };
    struct list *l = calloc(1, sizeof *l);
    size_t i;

    if (l)
        l->batches = malloc((n + 1) * sizeof *l->batches);
    if (!l || !l->batches) {
        for (i = 0; i < n; i++)
            HR_RELEASE(&batches[i]);
        free(l);
        return hr_fail_memory(env);
    }
    if (n)
        memcpy(l->batches, batches, n * sizeof *batches);
    for (i = 0; i < n; i++)
        batches[i].release = NULL;
    l->n = n;
    return hr_arrow_stream(env, schema, &calls, l, ret);
}

static hr_status stream_failed(struct hr_env *env, struct ArrowArrayStream *s, const char *what,
                               int error, size_t before)
{
    const char *text = s->get_last_error ? s->get_last_error(s) : NULL;
    hr_status r = error == ECANCELED ? HR_CANCELLED : hr_status_of_errno(error);

    if (env->errors.count > before) /* a stream of ours has told it */
        return env->errors.items[env->errors.count - 1].code;
    return hr_fail(env, r, "%s: %s", what, text ? text : hr_errno_text(error));
}

hr_status hr_arrow_stream_schema(struct hr_env *env, struct ArrowArrayStream *s, const char *what,
                                 struct ArrowSchema *ret)
{
    size_t before = env->errors.count;
    struct ArrowSchema schema = { 0 };
    int error = s->get_schema(s, &schema);
    hr_status r;

    if (error)
        return stream_failed(env, s, what, error, before);
    if ((r = hr_arrow_check_schema(env, &schema, what)) < 0) {
        HR_RELEASE(&schema);
        return r;
    }
    *ret = schema;
    return HR_OK;
}

hr_status hr_arrow_stream_next(struct hr_env *env, struct ArrowArrayStream *s, const char *what,
                               struct ArrowArray *ret)
{
    size_t before = env->errors.count;
    struct ArrowArray rows = { 0 };
    int error = s->get_next(s, &rows);

    if (error)
        return stream_failed(env, s, what, error, before);
    *ret = rows;
    return HR_OK;
}

hr_status hr_arrow_schema_copy(struct hr_env *env, const struct ArrowSchema *from,
                               struct ArrowSchema *ret)
{
    return hr_schema_copy(from, ret) < 0 ? hr_fail_memory(env) : HR_OK;
}
