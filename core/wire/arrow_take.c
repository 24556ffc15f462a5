/* Rows are gathered column by column.  A pick names a row of an array as its reader counts,
 * from its offset on; shift[b] is what is added to get there in the arrays of batch b, for the
 * children of a struct count from the struct's own offset.
 */
#include "wire/arrow.h"

#include <stdlib.h>
#include <string.h>

struct take {
    struct hr_env *env;
    const struct ArrowSchema *type;
    const struct ArrowArray *const *from; /* one array a batch */
    const int64_t *shift;                 /* one a batch */
    uint32_t n_batches;
    const struct hr_pick *picks;
    int64_t n;
    bool gaps;  /* some picks are -1 */
    bool nulls; /* some rows may be null: gaps, or a batch has a validity bitmap */
};

static hr_status take_array(const struct take *t, struct ArrowArray *ret);

/* Physical row in the buffers of its array; -1: null by the pick. */
static int64_t place(const struct take *t, int64_t i)
{
    const struct hr_pick *p = &t->picks[i];

    return p->row < 0 ? -1 : p->row + t->shift[p->batch] + t->from[p->batch]->offset;
}

static bool valid(const struct take *t, int64_t i)
{
    const struct ArrowArray *a = t->from[t->picks[i].batch];
    int64_t at = place(t, i);
    const uint8_t *bitmap;

    if (at < 0)
        return false;
    bitmap = a->n_buffers ? a->buffers[0] : NULL;
    return !bitmap || (bitmap[at >> 3] >> (at & 7) & 1);
}

static hr_status no_memory(const struct take *t)
{
    return hr_fail_memory(t->env);
}

static hr_status too_long(const struct take *t)
{
    return hr_fail(t->env, HR_EXHAUSTED,
                   "column \"%s\" of format \"%s\" would pass 2^31 in one batch; use fewer rows a "
                   "batch or smaller values",
                   t->type->name ? t->type->name : "", t->type->format);
}

/* Picks behind one another that are of one batch, as most are: what depends on the batch is looked
 * up once for all of them.  Begin with zeros. */
struct run {
    const struct ArrowArray *a;
    const uint8_t *bitmap; /* of validity, or NULL */
    int64_t add;           /* to a row, for its place in the buffers */
    int64_t from, to;      /* picks */
};

static bool next_run(const struct take *t, struct run *r)
{
    int64_t i = r->to;
    uint32_t b;

    if (i == t->n)
        return false;
    b = t->picks[i].batch;
    r->from = i;
    for (i++; i < t->n && t->picks[i].batch == b; i++)
        ;
    r->to = i;
    r->a = t->from[b];
    r->bitmap = r->a->n_buffers ? r->a->buffers[0] : NULL;
    r->add = t->shift[b] + r->a->offset;
    return true;
}

/* Validity bits of n picks, at most eight. */
static inline unsigned valid_bits(const struct run *r, const struct hr_pick *p, int64_t n)
{
    unsigned bits = 0;
    int64_t k, at;

    for (k = 0; k < n; k++) {
        at = p[k].row + r->add;
        if (p[k].row < 0)
            continue;
        bits |= (r->bitmap ? (unsigned)r->bitmap[at >> 3] >> (at & 7) & 1 : 1u) << k;
    }
    return bits;
}

/* The same where no pick is -1 and there is a bitmap. */
static inline unsigned eight_valid(const struct run *r, const struct hr_pick *p)
{
    unsigned bits = 0;
    int64_t k, at;

    for (k = 0; k < 8; k++) {
        at = p[k].row + r->add;
        bits |= ((unsigned)r->bitmap[at >> 3] >> (at & 7) & 1) << k;
    }
    return bits;
}

static hr_status take_validity(const struct take *t, struct ArrowArray *ret)
{
    struct run r = { 0 };
    int64_t i, n, valid_n = 0;
    uint8_t *bitmap;

    if (!t->nulls)
        return HR_OK;
    if (!(bitmap = calloc((size_t)t->n / 8 + 1, 1)))
        return no_memory(t);
    while (next_run(t, &r))
        for (i = r.from; i < r.to; i += n) {
            const struct hr_pick *p = &t->picks[i];
            unsigned bits;

            n = r.to - i < 8 - i % 8 ? r.to - i : 8 - i % 8;
            bits = n == 8 && r.bitmap && !t->gaps ? eight_valid(&r, p) : valid_bits(&r, p, n);
            bitmap[i / 8] |= (uint8_t)(bits << i % 8);
            valid_n += __builtin_popcount(bits);
        }
    ret->null_count = t->n - valid_n;
    if (ret->null_count)
        hr_arrow_put(ret, 0, bitmap, true);
    else
        free(bitmap);
    return HR_OK;
}

/* All bits set where pick i is valid, by the bitmap that was taken (NULL: none is null). */
static inline uint64_t kept(const uint8_t *bitmap, int64_t i)
{
    return 0 - (uint64_t)(bitmap ? bitmap[i >> 3] >> (i & 7) & 1 : 1);
}

static inline uint64_t get8(const char *from, int64_t at)
{
    uint64_t v;

    memcpy(&v, from + at * 8, sizeof v);
    return v;
}

static inline uint32_t get4(const char *from, int64_t at)
{
    uint32_t v;

    memcpy(&v, from + at * 4, sizeof v);
    return v;
}

/* Values of 4 or 8 bytes, none of them null. */
static void take_plain(const struct take *t, int64_t width, char *to)
{
    const struct hr_pick *p = t->picks;
    struct run r = { 0 };
    int64_t i;

    while (next_run(t, &r)) {
        const char *from = r.a->buffers[1];

        for (i = r.from; width == 8 && i < r.to; i++) {
            uint64_t v = get8(from, p[i].row + r.add);

            memcpy(to + i * 8, &v, sizeof v);
        }
        for (i = r.from; width == 4 && i < r.to; i++) {
            uint32_t v = get4(from, p[i].row + r.add);

            memcpy(to + i * 4, &v, sizeof v);
        }
    }
}

/* The same where some may be null, which are 0. */
static void take_nullable(const struct take *t, int64_t width, const uint8_t *bitmap, char *to)
{
    const struct hr_pick *p = t->picks;
    struct run r = { 0 };
    int64_t i;

    while (next_run(t, &r)) {
        const char *from = r.a->buffers[1];

        for (i = r.from; width == 8 && i < r.to; i++) {
            uint64_t v = p[i].row < 0 ? 0 : get8(from, p[i].row + r.add) & kept(bitmap, i);

            memcpy(to + i * 8, &v, sizeof v);
        }
        for (i = r.from; width == 4 && i < r.to; i++) {
            uint32_t v =
                p[i].row < 0 ? 0 : get4(from, p[i].row + r.add) & (uint32_t)kept(bitmap, i);

            memcpy(to + i * 4, &v, sizeof v);
        }
    }
}

static hr_status take_fixed(const struct take *t, int64_t width, struct ArrowArray *ret)
{
    bool plain = width == 4 || width == 8;
    char *to = plain ? malloc(((size_t)t->n + 1) * (size_t)width)
                     : calloc((size_t)t->n + 1, (size_t)width);
    int64_t i, at;

    if (!to)
        return no_memory(t);
    hr_arrow_put(ret, 1, to, true);
    if (plain) {
        if (t->nulls)
            take_nullable(t, width, ret->buffers[0], to);
        else
            take_plain(t, width, to);
        return HR_OK;
    }
    for (i = 0; i < t->n; i++, to += width) {
        if (!valid(t, i))
            continue;
        at = place(t, i);
        memcpy(to, (const char *)t->from[t->picks[i].batch]->buffers[1] + at * width,
               (size_t)width);
    }
    return HR_OK;
}

static hr_status take_bits(const struct take *t, struct ArrowArray *ret)
{
    uint8_t *to = calloc((size_t)t->n / 8 + 1, 1);
    int64_t i, at;

    if (!to)
        return no_memory(t);
    hr_arrow_put(ret, 1, to, true);
    for (i = 0; i < t->n; i++) {
        const uint8_t *from;

        if (!valid(t, i))
            continue;
        at = place(t, i);
        from = t->from[t->picks[i].batch]->buffers[1];
        if (from[at >> 3] >> (at & 7) & 1)
            to[i >> 3] |= (uint8_t)(1u << (i & 7));
    }
    return HR_OK;
}

/* The range of values of row i in bytes or in a list; empty where it is null. */
static void range(const struct take *t, int64_t width, int64_t i, int64_t *ret_from,
                  int64_t *ret_to)
{
    const void *offsets;
    int64_t at;

    *ret_from = *ret_to = 0;
    if (t->nulls && !valid(t, i))
        return;
    at = place(t, i);
    offsets = t->from[t->picks[i].batch]->buffers[1];
    *ret_from = width == 4 ? ((const int32_t *)offsets)[at] : ((const int64_t *)offsets)[at];
    *ret_to = width == 4 ? ((const int32_t *)offsets)[at + 1] : ((const int64_t *)offsets)[at + 1];
}

/* Offsets of the rows, one after the other; *ret_total: how much it is in all. */
static hr_status take_offsets(const struct take *t, int64_t width, struct ArrowArray *ret,
                              int64_t *ret_total)
{
    void *offsets = calloc((size_t)t->n + 1, (size_t)width);
    int64_t i, from, to, total = 0;

    if (!offsets)
        return no_memory(t);
    hr_arrow_put(ret, 1, offsets, true);
    for (i = 0; i <= t->n; i++) {
        if (width == 4)
            ((int32_t *)offsets)[i] = (int32_t)total;
        else
            ((int64_t *)offsets)[i] = total;
        if (i == t->n)
            break;
        range(t, width, i, &from, &to);
        total += to - from;
        if (width == 4 && total > INT32_MAX)
            return too_long(t);
    }
    *ret_total = total;
    return HR_OK;
}

static hr_status take_bytes(const struct take *t, int64_t width, struct ArrowArray *ret)
{
    int64_t total, i, from, to;
    hr_status r = take_offsets(t, width, ret, &total);
    char *bytes;

    if (r < 0)
        return r;
    if (!(bytes = malloc((size_t)total + 1)))
        return no_memory(t);
    hr_arrow_put(ret, 2, bytes, true);
    for (i = 0; i < t->n; i++) {
        range(t, width, i, &from, &to);
        if (to > from)
            memcpy(bytes, (const char *)t->from[t->picks[i].batch]->buffers[2] + from,
                   (size_t)(to - from));
        bytes += to - from;
    }
    return HR_OK;
}

static bool has_gaps(const struct hr_pick *picks, int64_t n)
{
    int64_t i;

    for (i = 0; i < n; i++)
        if (picks[i].row < 0)
            return true;
    return false;
}

/* What is taken from a child. */
struct part {
    const int64_t *shift;
    const struct hr_pick *picks;
    int64_t n;
};

/* Take a part from child k of each array (k -1: its dictionary). */
static hr_status take_child(const struct take *t, int64_t k, const struct part *part,
                            struct ArrowArray *ret)
{
    const struct ArrowArray **from = calloc((size_t)t->n_batches + 1, sizeof *from);
    struct take sub = *t;
    uint32_t b;
    hr_status r;

    if (!from)
        return no_memory(t);
    for (b = 0; b < t->n_batches; b++)
        from[b] = k < 0 ? t->from[b]->dictionary : t->from[b]->children[k];
    sub.type = k < 0 ? t->type->dictionary : t->type->children[k];
    sub.from = from;
    sub.shift = part->shift;
    sub.picks = part->picks;
    sub.n = part->n;
    sub.gaps = part->picks == t->picks ? t->gaps : has_gaps(part->picks, part->n);
    r = take_array(&sub, ret);
    free(from);
    return r;
}

static int64_t *no_shift(const struct take *t)
{
    int64_t *shift = calloc((size_t)t->n_batches + 1, sizeof *shift);

    if (!shift)
        hr_fail_memory(t->env);
    return shift;
}

static hr_status take_items(const struct take *t, int64_t width, bool fixed, int64_t total,
                            struct ArrowArray *ret)
{
    struct hr_pick *picks = malloc(((size_t)total + 1) * sizeof *picks);
    int64_t *shift = no_shift(t), i, k, from, to, n = 0;
    hr_status r = HR_EXHAUSTED;

    if (!picks) {
        hr_fail_memory(t->env);
        goto out;
    }
    if (!shift)
        goto out;
    for (i = 0; i < t->n; i++) {
        if (fixed) {
            from = valid(t, i) ? place(t, i) * width : -width;
            to = from + width;
        } else {
            range(t, width, i, &from, &to);
        }
        for (k = from; k < to; k++)
            picks[n++] = (struct hr_pick){ t->picks[i].batch, k < 0 ? -1 : k };
    }
    r = take_child(t, 0, &(struct part){ shift, picks, n }, ret->children[0]);
out:
    free(picks);
    free(shift);
    return r;
}

static hr_status take_list(const struct take *t, int64_t width, struct ArrowArray *ret)
{
    int64_t total;
    hr_status r = take_offsets(t, width, ret, &total);

    return r < 0 ? r : take_items(t, width, false, total, ret);
}

static hr_status take_arrays(const struct take *t, int64_t width, struct ArrowArray *ret)
{
    if (width && t->n > INT32_MAX / width)
        return too_long(t);
    return take_items(t, width, true, t->n * width, ret);
}

static hr_status take_struct(const struct take *t, struct ArrowArray *ret)
{
    int64_t *shift = no_shift(t), k;
    hr_status r = HR_OK;
    uint32_t b;

    if (!shift)
        return HR_EXHAUSTED;
    for (b = 0; b < t->n_batches; b++)
        shift[b] = t->shift[b] + t->from[b]->offset;
    for (k = 0; r == HR_OK && k < t->type->n_children; k++)
        r = take_child(t, k, &(struct part){ shift, t->picks, t->n }, ret->children[k]);
    free(shift);
    return r;
}

/* -- dictionaries ------------------------------------------------------------------ */

static void put_code(const char *format, void *codes, int64_t i, int64_t code)
{
    switch (format[0]) {
    case 'c':
    case 'C':
        ((int8_t *)codes)[i] = (int8_t)code;
        break;
    case 's':
    case 'S':
        ((int16_t *)codes)[i] = (int16_t)code;
        break;
    case 'i':
    case 'I':
        ((int32_t *)codes)[i] = (int32_t)code;
        break;
    default:
        ((int64_t *)codes)[i] = code;
    }
}

/* Where the dictionary of each batch begins in map, which has a new code for each entry. */
struct recode {
    int64_t *begin;
    int64_t *map;
    struct hr_pick *used;
    int64_t n_used;
};

/* The new code of what has an old one in batch b; -1: there would be too many. */
static inline int64_t recode_one(struct recode *c, uint32_t b, int64_t code, int64_t most)
{
    int64_t *to = &c->map[c->begin[b] + code];

    if (*to >= 0)
        return *to;
    if (c->n_used > most)
        return -1;
    *to = c->n_used;
    c->used[c->n_used++] = (struct hr_pick){ b, code };
    return *to;
}

/* bitmap: of validity, as it was taken; NULL: none is null. */
static hr_status recode_rows(const struct take *t, struct recode *c, int64_t width,
                             const uint8_t *bitmap, void *codes)
{
    int64_t i, code, most = width >= 4 ? INT32_MAX : (1 << (8 * width - 1)) - 1;
    bool usual = t->type->format[0] == 'i';
    struct run r = { 0 };

    while (next_run(t, &r)) {
        uint32_t b = t->picks[r.from].batch;
        const void *from = r.a->buffers[1];

        for (i = r.from; i < r.to; i++) {
            int64_t at = t->picks[i].row + r.add;

            if (bitmap && !(bitmap[i >> 3] >> (i & 7) & 1))
                continue;
            code = usual ? ((const int32_t *)from)[at] : hr_arrow_code(t->type->format, from, at);
            if ((code = recode_one(c, b, code, most)) < 0)
                return too_long(t);
            if (usual)
                ((int32_t *)codes)[i] = (int32_t)code;
            else
                put_code(t->type->format, codes, i, code);
        }
    }
    return HR_OK;
}

/* Slices of one batch share their dictionary: it is one here, too. */
static bool same_dictionary(const struct ArrowArray *a, const struct ArrowArray *b)
{
    return a->buffers[1] == b->buffers[1] && a->offset == b->offset && a->length == b->length &&
           b->n_buffers > 1;
}

/* Where the dictionary of each batch begins among all; returns how many values there are. */
static int64_t line_up(const struct take *t, int64_t *begin)
{
    int64_t total = 0;
    uint32_t b;

    for (b = 0; b < t->n_batches; b++) {
        const struct ArrowArray *d = t->from[b]->dictionary;

        if (b && same_dictionary(t->from[b - 1]->dictionary, d)) {
            begin[b] = begin[b - 1];
            continue;
        }
        begin[b] = total;
        total += d->length;
    }
    return total;
}

static hr_status take_coded(const struct take *t, int64_t width, struct ArrowArray *ret)
{
    struct recode c = { .begin = calloc((size_t)t->n_batches + 1, sizeof *c.begin) };
    size_t total = c.begin ? (size_t)line_up(t, c.begin) : 0;
    int64_t *shift = no_shift(t);
    void *codes = calloc((size_t)t->n + 1, (size_t)width);
    hr_status r = HR_EXHAUSTED;

    if (codes)
        hr_arrow_put(ret, 1, codes, true);
    c.map = malloc((total + 1) * sizeof *c.map);
    c.used = malloc((total + 1) * sizeof *c.used);
    if (!c.begin || !c.map || !c.used || !shift || !codes) {
        hr_fail_memory(t->env);
        goto out;
    }
    memset(c.map, 0xff, (total + 1) * sizeof *c.map);
    if ((r = recode_rows(t, &c, width, ret->buffers[0], codes)) == HR_OK)
        r = take_child(t, -1, &(struct part){ shift, c.used, c.n_used }, ret->dictionary);
out:
    free(c.begin);
    free(c.map);
    free(c.used);
    free(shift);
    return r;
}

static bool may_be_null(const struct take *t)
{
    uint32_t b;

    for (b = 0; b < t->n_batches; b++)
        if (t->from[b]->n_buffers && t->from[b]->buffers[0])
            return true;
    return t->gaps;
}

static hr_status take_values(const struct take *t, enum hr_arrow_type type, int64_t width,
                             struct ArrowArray *ret)
{
    if (t->type->dictionary)
        return take_coded(t, width, ret);
    switch (type) {
    case HR_ARROW_FIXED:
        return take_fixed(t, width, ret);
    case HR_ARROW_BOOL:
        return take_bits(t, ret);
    case HR_ARROW_BYTES:
        return take_bytes(t, width, ret);
    case HR_ARROW_LIST:
        return take_list(t, width, ret);
    case HR_ARROW_ARRAY:
        return take_arrays(t, width, ret);
    case HR_ARROW_STRUCT:
        return take_struct(t, ret);
    default: /* of nulls: there are none */
        return HR_OK;
    }
}

static hr_status take_array(const struct take *given, struct ArrowArray *ret)
{
    struct take all = *given;
    const struct take *t = &all;
    int64_t width;
    enum hr_arrow_type type = hr_arrow_type(t->type->format, &width);
    struct ArrowArray made;
    hr_status r;

    all.nulls = may_be_null(t);
    r = hr_arrow_new(t->env, hr_arrow_buffers(type), t->type->n_children,
                     t->type->dictionary != NULL, &made);
    if (r < 0)
        return r;
    made.length = t->n;
    if (type == HR_ARROW_NULL)
        made.null_count = t->n;
    else
        r = take_validity(t, &made);
    if (r == HR_OK)
        r = take_values(t, type, width, &made);
    if (r < 0) {
        HR_RELEASE(&made);
        return r;
    }
    *ret = made;
    return HR_OK;
}

hr_status hr_arrow_take(struct hr_env *env, const struct hr_taking *taking, struct ArrowArray *ret)
{
    struct take t = { .env = env,
                      .type = taking->schema,
                      .from = taking->batches,
                      .n_batches = taking->n_batches,
                      .picks = taking->picks,
                      .n = taking->n,
                      .gaps = has_gaps(taking->picks, taking->n) };
    int64_t *shift = no_shift(&t);
    hr_status r;

    if (!shift)
        return HR_EXHAUSTED;
    t.shift = shift;
    r = take_array(&t, ret);
    free(shift);
    return r;
}
