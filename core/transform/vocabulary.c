/* Vocabularies: how often each token is there.
 *
 * Format 1:   u8 1, u64 n, for each token, in order of bytes: u64 count, u64 length, its bytes
 *
 * Empty tokens, and those with a line end, are left out: a line could not hold them.
 */
#include <stdlib.h>
#include <string.h>

#include "transform/analyze.h"

struct token {
    const char *text;
    uint32_t len;
    uint64_t count;
};

struct vocabulary {
    struct hr_arena arena;
    bool begun;
    struct token *tokens;
    size_t n, cap;
    uint32_t *slots; /* place + 1 */
    size_t nslots;
    uint64_t *codes; /* counts of a dictionary's entries */
    size_t cap_codes;
};

static struct hr_env *env_of(const struct hr_analyzer *a)
{
    return (struct hr_env *)&a->env;
}

static size_t slot_of(const struct vocabulary *v, const char *text, size_t n)
{
    size_t i = hr_hash64(text, n, 0) & (v->nslots - 1);

    while (v->slots[i] && (v->tokens[v->slots[i] - 1].len != n ||
                           memcmp(v->tokens[v->slots[i] - 1].text, text, n)))
        i = (i + 1) & (v->nslots - 1);
    return i;
}

static bool grow(const struct hr_analyzer *a, struct vocabulary *v)
{
    size_t old = v->nslots, i;

    if ((v->n + 1) * 2 <= old)
        return true;
    hr_mem_put(env_of(a), v->slots, old * sizeof *v->slots);
    v->nslots = 0;
    if (!(v->slots = hr_mem_zero(env_of(a), (old ? old * 2 : 256) * sizeof *v->slots)))
        return false;
    v->nslots = old ? old * 2 : 256;
    for (i = 0; i < v->n; i++)
        v->slots[slot_of(v, v->tokens[i].text, v->tokens[i].len)] = (uint32_t)i + 1;
    return true;
}

static hr_status count(const struct hr_analyzer *a, struct vocabulary *v, const char *text,
                       size_t n, uint64_t times)
{
    size_t i;
    char *copy;

    if (!times || !n || memchr(text, '\n', n) || memchr(text, '\r', n))
        return HR_OK;
    if (!v->begun) {
        hr_arena_init(&v->arena, env_of(a), 0);
        v->begun = true;
    }
    if (n > UINT32_MAX || !grow(a, v))
        return HR_EXHAUSTED;
    i = slot_of(v, text, n);
    if (v->slots[i]) {
        v->tokens[v->slots[i] - 1].count += times;
        return HR_OK;
    }
    if (!hr_mem_reserve(env_of(a), (void **)&v->tokens, &v->cap, v->n + 1, sizeof *v->tokens,
                        INT32_MAX) ||
        !(copy = hr_arena_bytes(&v->arena, text, n)))
        return HR_EXHAUSTED;
    v->tokens[v->n++] = (struct token){ copy, (uint32_t)n, times };
    v->slots[i] = (uint32_t)v->n;
    return HR_OK;
}

/* Counts of codes first, then one look-up for each entry. */
static hr_status add_codes(const struct hr_analyzer *a, struct vocabulary *v,
                           const struct hr_range *rows)
{
    const struct hr_col *c = rows->col;
    int64_t i, k, at, n;
    hr_status r = HR_OK;
    size_t size;

    if (!hr_mem_reserve(env_of(a), (void **)&v->codes, &v->cap_codes, (size_t)c->dict_length + 1,
                        sizeof *v->codes, SIZE_MAX / 64))
        return HR_EXHAUSTED;
    memset(v->codes, 0, (size_t)c->dict_length * sizeof *v->codes);
    for (i = rows->first; i < rows->end; i++)
        for (n = hr_col_count(c, i, &at), k = 0; k < n; k++)
            v->codes[hr_col_code(c, at + k)]++;
    for (i = 0; i < c->dict_length && r == HR_OK; i++) {
        const char *text = hr_col_entry(c, i, &size);

        r = count(a, v, text, size, v->codes[i]);
    }
    return r;
}

static hr_status vocabulary_add(const struct hr_analyzer *a, void *p, const struct hr_range *rows)
{
    const struct hr_col *c = rows->col;
    char text[HR_NUM_TEXT];
    hr_status r = HR_OK;
    int64_t i, k, at, n;
    size_t size;

    if (c->kind != HR_COL_INT && c->kind != HR_COL_BYTES)
        return HR_OK;
    if (c->codes && c->dict_length <= rows->end - rows->first)
        return add_codes(a, p, rows);
    for (i = rows->first; i < rows->end; i++) {
        n = hr_col_count(c, i, &at);
        for (k = 0; k < n && r == HR_OK; k++) {
            if (c->kind == HR_COL_BYTES) {
                const char *bytes = hr_col_bytes(c, at + k, &size);

                r = count(a, p, bytes, size, 1);
            } else {
                size = hr_num_put_int(text, hr_col_int(c, at + k));
                r = count(a, p, text, size, 1);
            }
        }
    }
    return r;
}

static hr_status vocabulary_merge(const struct hr_analyzer *a, void *p, void *other)
{
    struct vocabulary *o = other;
    hr_status r = HR_OK;
    size_t i;

    for (i = 0; i < o->n && r == HR_OK; i++)
        r = count(a, p, o->tokens[i].text, o->tokens[i].len, o->tokens[i].count);
    return r;
}

static int by_bytes(const void *p, const void *q)
{
    const struct token *a = p, *b = q;

    return hr_bytes_compare(a->text, a->len, b->text, b->len);
}

/* More often first, of equals the greater bytes first. */
static int by_count(const void *p, const void *q)
{
    const struct token *a = p, *b = q;

    if (a->count != b->count)
        return a->count < b->count ? 1 : -1;
    return by_bytes(b, a);
}

static struct token *sorted(const struct hr_analyzer *a, const struct vocabulary *v,
                            int (*order)(const void *, const void *))
{
    struct token *t = hr_mem_zero(env_of(a), (v->n + 1) * sizeof *t);

    if (t && v->n) {
        memcpy(t, v->tokens, v->n * sizeof *t);
        qsort(t, v->n, sizeof *t, order);
    }
    return t;
}

static void vocabulary_write(const struct hr_analyzer *a, const void *p, struct hr_buf *to)
{
    const struct vocabulary *v = p;
    struct token *t = sorted(a, v, by_bytes);
    size_t i;

    if (!t) /* an empty text is refused when it is read */
        return;
    hr_buf_char(to, 1);
    hr_write_u64(to, v->n);
    for (i = 0; i < v->n; i++) {
        hr_write_u64(to, t[i].count);
        hr_write_u64(to, t[i].len);
        hr_buf_add(to, t[i].text, t[i].len);
    }
    hr_mem_put(env_of(a), t, (v->n + 1) * sizeof *t);
}

static hr_status vocabulary_read(const struct hr_analyzer *a, void *p, struct hr_reader *from)
{
    uint64_t n, i, times, len;
    hr_status r = HR_OK;

    if (hr_read_u8(from) != 1)
        return HR_DATA_LOSS;
    n = hr_read_u64(from);
    for (i = 0; i < n && r == HR_OK; i++) {
        times = hr_read_u64(from);
        len = hr_read_u64(from);
        if (from->bad || len > (uint64_t)(from->end - from->p) || times >> 62)
            return HR_DATA_LOSS;
        r = count(a, p, (const char *)from->p, (size_t)len, times);
        from->p += len;
    }
    return from->bad ? HR_DATA_LOSS : r;
}

static hr_status vocabulary_result(const struct hr_analyzer *a, void *p, struct hr_builder *columns)
{
    struct vocabulary *v = p;
    struct token *t = sorted(a, v, by_count);
    size_t i, n = v->n;

    if (!t)
        return HR_EXHAUSTED;
    if (a->top_k >= 0 && n > (size_t)a->top_k)
        n = (size_t)a->top_k;
    for (i = 0; i < n; i++) {
        if (a->threshold >= 0 && t[i].count < (uint64_t)a->threshold)
            break;
        hr_builder_bytes(&columns[0], t[i].text, t[i].len);
        hr_builder_int(&columns[1], (int64_t)t[i].count);
    }
    hr_builder_end(&columns[0]);
    hr_builder_end(&columns[1]);
    hr_mem_put(env_of(a), t, (v->n + 1) * sizeof *t);
    return HR_OK;
}

static void vocabulary_clear(const struct hr_analyzer *a, void *p)
{
    struct vocabulary *v = p;

    hr_mem_put(env_of(a), v->tokens, v->cap * sizeof *v->tokens);
    hr_mem_put(env_of(a), v->slots, v->nslots * sizeof *v->slots);
    hr_mem_put(env_of(a), v->codes, v->cap_codes * sizeof *v->codes);
    if (v->begun)
        hr_arena_clear(&v->arena);
}

const struct hr_analyzer_kind hr_analyze_vocabulary = {
    "analyze.vocabulary",  sizeof(struct vocabulary), vocabulary_add,
    vocabulary_merge,      vocabulary_write,          vocabulary_read,
    "tokens:z* counts:l*", vocabulary_result,         vocabulary_clear,
};
