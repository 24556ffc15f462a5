/* Reading tf.Example: a walk over the wire format that checks every length.  A record's
 * features are first found (the last of a name counts, as maps have it), then their values are
 * read, so that columns are filled in their own order.
 */
#include "wire/example.h"

#include <stdlib.h>
#include <string.h>

#include "headrace/rows.h"
#include "wire/arrow.h"

enum { KIND_NONE = 0, KIND_BYTES = 1, KIND_FLOAT = 2, KIND_INT = 3 };

static const char *const kinds[] = { "no kind", "bytes", "floats", "int64s" };

/* -- the wire ---------------------------------------------------------------------- */

struct wire {
    const uint8_t *p, *end;
};

static bool get_varint(struct wire *w, uint64_t *ret)
{
    uint64_t v = 0;
    int shift;

    if (w->p < w->end && *w->p < 0x80) { /* nearly all of them */
        *ret = *w->p++;
        return true;
    }
    for (shift = 0; shift < 70 && w->p < w->end; shift += 7) {
        uint8_t b = *w->p++;

        v |= (uint64_t)(b & 0x7f) << (shift & 63);
        if (!(b & 0x80)) {
            *ret = v;
            return shift < 63 || b <= 1;
        }
    }
    return false;
}

/* The next field; one of a length is in *part.  false: not valid. */
static bool get_field(struct wire *w, uint32_t *ret_number, uint32_t *ret_type, struct wire *part)
{
    uint64_t tag, n = 0;

    /* a short one of a length, with a number below 16: both are one byte */
    if (w->end - w->p >= 2 && (w->p[0] & 0x87) == 2 && w->p[0] > 7 && w->p[1] < 0x80 &&
        w->p[1] <= w->end - w->p - 2) {
        *ret_number = w->p[0] >> 3;
        *ret_type = 2;
        part->p = w->p + 2;
        part->end = w->p = part->p + w->p[1];
        return true;
    }
    if (!get_varint(w, &tag) || tag >> 3 == 0 || tag >> 3 > 0x1fffffff)
        return false;
    *ret_number = (uint32_t)(tag >> 3);
    *ret_type = (uint32_t)tag & 7;
    part->p = w->p;
    switch (*ret_type) {
    case 0:
        if (!get_varint(w, &n))
            return false;
        part->end = w->p;
        return true;
    case 1:
        n = 8;
        break;
    case 2:
        if (!get_varint(w, &n))
            return false;
        part->p = w->p;
        break;
    case 5:
        n = 4;
        break;
    default:
        return false;
    }
    if (n > (uint64_t)(w->end - w->p))
        return false;
    w->p += n;
    part->end = w->p;
    return true;
}

/* -- features by name -------------------------------------------------------------- */

struct names {
    struct hr_env *env;
    struct hr_arena arena;
    struct column {
        const char *name;
        size_t size;
        uint64_t hash;
        int kind;
        int64_t seen;      /* record in which it was found last, from 1 */
        struct wire value; /* the Feature */
        int64_t present, empty, most;
    } * columns;
    size_t n, cap;
    uint32_t *slots;
    size_t n_slots;
    int64_t record; /* number of the one at hand, from 1 */
    size_t next;    /* the column that is expected next */
};

static void names_clear(struct names *s)
{
    hr_mem_put(s->env, s->columns, s->cap * sizeof *s->columns);
    hr_mem_put(s->env, s->slots, s->n_slots * sizeof *s->slots);
    hr_arena_clear(&s->arena);
}

static hr_status names_index(struct names *s)
{
    size_t n = s->n_slots ? s->n_slots * 2 : 64, i, at;
    uint32_t *slots = hr_mem_zero(s->env, n * sizeof *slots);

    if (!slots)
        return HR_EXHAUSTED;
    hr_mem_put(s->env, s->slots, s->n_slots * sizeof *s->slots);
    s->slots = slots;
    s->n_slots = n;
    for (i = 0; i < s->n; i++) {
        for (at = s->columns[i].hash & (n - 1); slots[at]; at = (at + 1) & (n - 1))
            ;
        slots[at] = (uint32_t)i + 1;
    }
    return HR_OK;
}

static hr_status names_add(struct names *s, const char *name, size_t size, uint64_t hash)
{
    struct column *c;
    hr_status r;
    size_t at;

    if (s->n * 2 >= s->n_slots && (r = names_index(s)) < 0)
        return r;
    if (!hr_mem_reserve(s->env, (void **)&s->columns, &s->cap, s->n + 1, sizeof *s->columns,
                        HR_MAX_COLUMNS))
        return HR_EXHAUSTED;
    c = &s->columns[s->n];
    memset(c, 0, sizeof *c);
    if (!(c->name = hr_arena_bytes(&s->arena, name, size)))
        return HR_EXHAUSTED;
    c->size = size;
    c->hash = hash;
    for (at = hash & (s->n_slots - 1); s->slots[at]; at = (at + 1) & (s->n_slots - 1))
        ;
    s->slots[at] = (uint32_t)++s->n;
    return HR_OK;
}

static struct column *names_find(struct names *s, const char *name, size_t size, uint64_t *hash)
{
    size_t at;

    if (s->next < s->n && s->columns[s->next].size == size &&
        !memcmp(s->columns[s->next].name, name, size))
        return &s->columns[s->next++];
    *hash = hr_hash64(name, size, 0);
    if (!s->n_slots)
        return NULL;
    for (at = *hash & (s->n_slots - 1); s->slots[at]; at = (at + 1) & (s->n_slots - 1)) {
        struct column *c = &s->columns[s->slots[at] - 1];

        if (c->hash == *hash && c->size == size && !memcmp(c->name, name, size)) {
            s->next = s->slots[at];
            return c;
        }
    }
    return NULL;
}

static hr_status bad(struct names *s, const char *why)
{
    return hr_fail(s->env, HR_DATA_LOSS, "record %lld is no tf.Example: %s",
                   (long long)s->record - 1, why);
}

/* A name that is new. */
static hr_status take_name(struct names *s, const char *name, size_t size, bool grow)
{
    hr_status r;

    if (!grow)
        return hr_fail(s->env, HR_INVALID,
                       "record %lld has the feature \"%.*s\", which its schema has not",
                       (long long)s->record - 1, (int)(size < 200 ? size : 200), name);
    if (hr_utf8_valid(name, size) != size || (size && memchr(name, 0, size)))
        return bad(s, "the name of a feature is not UTF-8, or has a NUL");
    if ((r = names_add(s, name, size, hr_hash64(name, size, 0))) == HR_OK)
        s->next = s->n;
    return r;
}

/* An entry of the map; grow: take names that are new. */
static hr_status take_entry(struct names *s, struct wire entry, bool grow)
{
    struct wire part, name = { NULL, NULL }, value = { NULL, NULL };
    uint32_t number, type;
    struct column *c;
    uint64_t hash = 0;
    const char *text;
    size_t size;
    hr_status r;

    while (entry.p < entry.end) {
        if (!get_field(&entry, &number, &type, &part))
            return bad(s, "an entry of the map of features is damaged");
        if (number == 1 && type == 2)
            name = part;
        else if (number == 2 && type == 2)
            value = part;
    }
    text = name.p ? (const char *)name.p : "";
    size = (size_t)(name.end - name.p);
    c = names_find(s, text, size, &hash);
    if (!c) {
        if ((r = take_name(s, text, size, grow)) < 0)
            return r;
        c = &s->columns[s->n - 1];
    }
    c->seen = s->record;
    c->value = value;
    return HR_OK;
}

/* Find the features of a record. */
static hr_status take_record(struct names *s, const void *bytes, size_t n, bool grow)
{
    struct wire w = { bytes, bytes }, features, entry;
    uint32_t number, type;
    hr_status r;

    w.end += n;
    s->record++;
    s->next = 0;
    while (w.p < w.end) {
        if (!get_field(&w, &number, &type, &features))
            return bad(s, "its bytes are not a message");
        if (number != 1)
            continue;
        if (type != 2)
            return bad(s, "its features are not a message");
        while (features.p < features.end) {
            if (!get_field(&features, &number, &type, &entry))
                return bad(s, "its map of features is damaged");
            if (number == 1 && type == 2 && (r = take_entry(s, entry, grow)) < 0)
                return r;
        }
    }
    return HR_OK;
}

/* The kind of a Feature; *ret_lists: the fields of that kind, one after the other from there. */
static hr_status feature_kind(struct names *s, const struct column *c, int *ret_kind,
                              struct wire *ret_lists)
{
    struct wire w = c->value, part;
    const uint8_t *at;
    uint32_t number, type;

    *ret_kind = KIND_NONE;
    *ret_lists = (struct wire){ w.end, w.end };
    while ((at = w.p) < w.end) {
        if (!get_field(&w, &number, &type, &part))
            return bad(s, "a feature is damaged");
        if (number < 1 || number > 3 || type != 2 || (int)number == *ret_kind)
            continue;
        *ret_kind = (int)number;
        ret_lists->p = at;
    }
    return HR_OK;
}

/* The next value list of a kind. */
static bool next_list(struct wire *lists, int kind, struct wire *ret)
{
    uint32_t number, type;

    while (lists->p < lists->end && get_field(lists, &number, &type, ret))
        if ((int)number == kind && type == 2)
            return true;
    return false;
}

/* How many values a field of a list is, one or packed; -1: damaged.  *part is used up: a copy of
 * it, just written in halves, would be waited for. */
static int64_t count_field(struct wire *part, uint32_t type, int kind)
{
    int64_t n = 0;
    uint64_t v;

    switch (kind) {
    case KIND_BYTES:
        return type == 2 ? 1 : -1;
    case KIND_FLOAT:
        if (type == 5)
            return 1;
        return type == 2 && (part->end - part->p) % 4 == 0 ? (part->end - part->p) / 4 : -1;
    default:
        if (!type)
            return 1;
        if (type != 2)
            return -1;
        for (; part->p < part->end; n++)
            if (!get_varint(part, &v))
                return -1;
        return n;
    }
}

/* How many values a list has; -1: damaged. */
static int64_t count_values(struct wire list, int kind)
{
    struct wire part;
    uint32_t number, type;
    int64_t n = 0, more;

    while (list.p < list.end) {
        if (!get_field(&list, &number, &type, &part))
            return -1;
        if (number != 1)
            continue;
        if ((more = count_field(&part, type, kind)) < 0)
            return -1;
        n += more;
    }
    return n;
}

/* And all lists of a kind. */
static int64_t count_all(struct wire lists, int kind)
{
    struct wire list;
    int64_t n = 0, more;

    while (next_list(&lists, kind, &list)) {
        if ((more = count_values(list, kind)) < 0)
            return -1;
        n += more;
    }
    return n;
}

/* -- the survey -------------------------------------------------------------------- */

struct hr_example_survey {
    struct names names;
    /* of hr_example_canonical() */
    uint32_t *sorted; /* columns in byte order of their names */
    size_t n_sorted, cap_sorted;
    struct hr_buf list, value, entry, features;
};

hr_status hr_example_survey_new(struct hr_env *env, struct hr_example_survey **ret)
{
    struct hr_example_survey *s = hr_mem_zero(env, sizeof *s);

    if (!s)
        return HR_EXHAUSTED;
    s->names.env = env;
    hr_arena_init(&s->names.arena, env, 0);
    hr_buf_of(&s->list, HR_MAX_VALUE_BYTES, env);
    hr_buf_of(&s->value, HR_MAX_VALUE_BYTES, env);
    hr_buf_of(&s->entry, HR_MAX_VALUE_BYTES, env);
    hr_buf_of(&s->features, HR_MAX_VALUE_BYTES, env);
    *ret = s;
    return HR_OK;
}

void hr_example_survey_free(struct hr_example_survey *s)
{
    struct hr_env *env;

    if (!s)
        return;
    env = s->names.env;
    names_clear(&s->names);
    hr_mem_put(env, s->sorted, s->cap_sorted * sizeof *s->sorted);
    hr_buf_clear(&s->list);
    hr_buf_clear(&s->value);
    hr_buf_clear(&s->entry);
    hr_buf_clear(&s->features);
    hr_mem_put(env, s, sizeof *s);
}

static hr_status other_kind(struct names *s, const struct column *c, int kind)
{
    return hr_fail(
        s->env, HR_INVALID,
        "record %lld: the feature \"%s\" has %s, but %s in records before; a feature is of "
        "one kind",
        (long long)s->record - 1, c->name, kinds[kind], kinds[c->kind]);
}

static hr_status survey_feature(struct names *s, struct column *c)
{
    struct wire lists, list;
    int64_t n = 0, more;
    int kind;
    hr_status r = feature_kind(s, c, &kind, &lists);

    if (r < 0 || kind == KIND_NONE)
        return r;
    if (c->kind && c->kind != kind)
        return other_kind(s, c, kind);
    c->kind = kind;
    while (next_list(&lists, kind, &list)) {
        if ((more = count_values(list, kind)) < 0)
            return bad(s, "the values of a feature are damaged");
        n += more;
    }
    c->present++;
    c->empty += !n;
    c->most = n > c->most ? n : c->most;
    return HR_OK;
}

hr_status hr_example_survey_add(struct hr_example_survey *s, const void *bytes, size_t n)
{
    hr_status r = take_record(&s->names, bytes, n, true);
    size_t i;

    for (i = 0; r == HR_OK && i < s->names.n; i++)
        if (s->names.columns[i].seen == s->names.record)
            r = survey_feature(&s->names, &s->names.columns[i]);
    return r;
}

static int by_name(const void *pa, const void *pb)
{
    const struct column *a = *(const struct column *const *)pa,
                        *b = *(const struct column *const *)pb;

    return hr_bytes_compare(a->name, a->size, b->name, b->size);
}

static hr_status column_schema(const struct column *c, int64_t records, struct ArrowSchema *ret)
{
    static const char *const formats[] = { "n", "z", "f", "l" };
    bool missing = c->present < records;
    bool list = c->most > 1 || (missing && c->empty);
    hr_status r = hr_schema_column(ret, c->name, formats[c->kind], list);

    if (r == HR_OK && !list && c->empty)
        r = hr_schema_add_meta(ret, "hr:null", "empty");
    return r;
}

hr_status hr_example_survey_schema(struct hr_example_survey *s, struct ArrowSchema *ret)
{
    size_t n = s->names.n, i;
    const struct column **order = hr_mem_zero(s->names.env, n * sizeof *order);
    struct ArrowSchema made;
    hr_status r;

    if (!order)
        return HR_EXHAUSTED;
    for (i = 0; i < n; i++)
        order[i] = &s->names.columns[i];
    if (n)
        qsort(order, n, sizeof *order, by_name);
    r = hr_schema_new("+s", "", (int64_t)n, &made);
    for (i = 0; r == HR_OK && i < n; i++)
        if ((r = column_schema(order[i], s->names.record, made.children[i])) < 0)
            HR_RELEASE(&made);
    hr_mem_put(s->names.env, order, n * sizeof *order);
    if (r < 0)
        return hr_fail_memory(s->names.env);
    *ret = made;
    return HR_OK;
}

/* -- decoding ---------------------------------------------------------------------- */

struct hr_example_decoder {
    struct names names;
    struct hr_builder *builders; /* of column i; of format "n" unused */
    bool *lists, *empty_null;
    int64_t rows;
};

static int kind_of(const char *format)
{
    switch (format[0]) {
    case 'z':
    case 'u':
        return KIND_BYTES;
    case 'f':
        return KIND_FLOAT;
    case 'l':
        return KIND_INT;
    default:
        return KIND_NONE;
    }
}

static hr_status decoder_column(struct hr_example_decoder *d, const struct ArrowSchema *s, size_t i)
{
    bool list = !strcmp(s->format, "+l");
    const char *format = list ? s->children[0]->format : s->format;
    hr_status r;

    if (s->dictionary || (!kind_of(format) && strcmp(format, "n")))
        return hr_fail(d->names.env, HR_INVALID,
                       "column \"%s\" of format \"%s\" cannot be decoded from tf.Example", s->name,
                       s->format);
    r = names_add(&d->names, s->name, strlen(s->name), hr_hash64(s->name, strlen(s->name), 0));
    if (r < 0)
        return r;
    d->names.columns[i].kind = kind_of(format);
    d->lists[i] = list;
    d->empty_null[i] = hr_schema_meta_is(s, "hr:null", "empty");
    hr_builder_init(&d->builders[i], format, list);
    return HR_OK;
}

hr_status hr_example_decoder_new(struct hr_env *env, const struct ArrowSchema *schema,
                                 struct hr_example_decoder **ret)
{
    struct hr_example_decoder *d = hr_mem_zero(env, sizeof *d);
    size_t n = (size_t)schema->n_children, i;
    hr_status r = HR_OK;

    if (!d)
        return HR_EXHAUSTED;
    d->names.env = env;
    hr_arena_init(&d->names.arena, env, 0);
    d->builders = hr_arena_array(&d->names.arena, n, sizeof *d->builders);
    d->lists = hr_arena_array(&d->names.arena, n, sizeof *d->lists);
    d->empty_null = hr_arena_array(&d->names.arena, n, sizeof *d->empty_null);
    if (!d->builders || !d->lists || !d->empty_null)
        r = HR_EXHAUSTED;
    for (i = 0; r == HR_OK && i < n; i++)
        r = decoder_column(d, schema->children[i], i);
    if (r < 0)
        hr_example_decoder_free(d);
    else
        *ret = d;
    return r;
}

void hr_example_decoder_free(struct hr_example_decoder *d)
{
    struct hr_env *env;
    size_t i;

    if (!d)
        return;
    env = d->names.env;
    for (i = 0; i < d->names.n; i++)
        hr_builder_drop(&d->builders[i]);
    names_clear(&d->names);
    hr_mem_put(env, d, sizeof *d);
}

static float get_float(const uint8_t *p)
{
    uint32_t bits =
        (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    float v;

    memcpy(&v, &bits, sizeof v);
    return v;
}

/* All values of a list, which count_values() has found to be sound. */
static void put_values(struct wire list, int kind, struct hr_builder *b)
{
    struct wire part;
    uint32_t number, type;
    uint64_t v = 0;

    while (list.p < list.end && get_field(&list, &number, &type, &part)) {
        if (number != 1)
            continue;
        if (kind == KIND_BYTES)
            hr_builder_bytes(b, part.p, (size_t)(part.end - part.p));
        else if (kind == KIND_FLOAT)
            for (; part.p < part.end; part.p += 4)
                hr_builder_double(b, (double)get_float(part.p));
        else
            while (part.p < part.end && get_varint(&part, &v))
                hr_builder_int(b, (int64_t)v);
    }
}

static hr_status decode_feature(struct hr_example_decoder *d, size_t i)
{
    struct names *s = &d->names;
    struct column *c = &s->columns[i];
    struct hr_builder *b = &d->builders[i];
    struct wire lists = { NULL, NULL }, list;
    int64_t n;
    int kind = KIND_NONE;
    hr_status r = c->seen == s->record ? feature_kind(s, c, &kind, &lists) : HR_OK;

    if (r < 0)
        return r;
    if (kind && kind != c->kind)
        return other_kind(s, c, kind);
    n = kind ? count_all(lists, kind) : 0;
    if (n < 0)
        return bad(s, "the values of a feature are damaged");
    if (!d->lists[i] && n > 1)
        return hr_fail(s->env, HR_INVALID,
                       "record %lld: the feature \"%s\" has %lld values, not one",
                       (long long)s->record - 1, c->name, (long long)n);
    if (c->kind == KIND_NONE)
        return HR_OK;
    if (!kind || (!d->lists[i] && !n)) {
        hr_builder_null(b);
        return HR_OK;
    }
    while (next_list(&lists, kind, &list))
        put_values(list, kind, b);
    if (d->lists[i])
        hr_builder_end(b);
    return HR_OK;
}

hr_status hr_example_decode(struct hr_example_decoder *d, const void *bytes, size_t n)
{
    hr_status r = take_record(&d->names, bytes, n, false);
    size_t i;

    for (i = 0; r == HR_OK && i < d->names.n; i++)
        r = decode_feature(d, i);
    if (r == HR_OK)
        d->rows++;
    return r;
}

int64_t hr_example_rows(const struct hr_example_decoder *d)
{
    return d->rows;
}

static hr_status null_column(struct hr_env *env, int64_t rows, struct ArrowArray *ret)
{
    hr_status r = hr_arrow_new(env, 0, 0, false, ret);

    if (r == HR_OK)
        ret->length = ret->null_count = rows;
    return r;
}

hr_status hr_example_batch(struct hr_example_decoder *d, struct ArrowArray *ret)
{
    struct hr_env *env = d->names.env;
    struct ArrowArray made;
    hr_status r = hr_arrow_new(env, 1, (int64_t)d->names.n, false, &made);
    size_t i;

    if (r < 0)
        return r;
    made.length = d->rows;
    for (i = 0; r == HR_OK && i < d->names.n; i++) {
        if (!d->names.columns[i].kind)
            r = null_column(env, d->rows, made.children[i]);
        else if ((r = hr_builder_done(&d->builders[i], made.children[i])) < 0)
            hr_fail(env, r, "column \"%s\" has more than 2^31 bytes in a batch, or memory is short",
                    d->names.columns[i].name);
    }
    if (r < 0) {
        HR_RELEASE(&made);
        return r;
    }
    d->rows = 0;
    *ret = made;
    return HR_OK;
}

/* -- the canonical form ------------------------------------------------------------ */

static hr_status put_tagged(struct hr_buf *to, uint8_t tag, const void *bytes, size_t n)
{
    uint8_t head[11] = { tag };
    size_t size = n, k = 1;
    hr_status r;

    for (; size >= 0x80; size >>= 7)
        head[k++] = (uint8_t)(size | 0x80);
    head[k++] = (uint8_t)size;
    r = hr_buf_add(to, head, k);
    return r < 0 ? r : hr_buf_add(to, bytes, n);
}

/* The values of a list, packed: bytes each with its tag, numbers one after the other. */
static hr_status put_list(struct wire list, int kind, struct hr_buf *to)
{
    struct wire part;
    uint32_t number, type;
    hr_status r = HR_OK;

    while (r == HR_OK && list.p < list.end && get_field(&list, &number, &type, &part)) {
        if (number != 1)
            continue;
        if (kind == KIND_BYTES)
            r = put_tagged(to, 0x0a, part.p, (size_t)(part.end - part.p));
        else
            r = hr_buf_add(to, part.p, (size_t)(part.end - part.p));
    }
    return r;
}

/* A Feature: into value, by way of list. */
static hr_status put_feature(struct names *s, struct column *c, struct hr_buf *list,
                             struct hr_buf *value)
{
    static const uint8_t tags[] = { 0, 0x0a, 0x12, 0x1a };
    struct wire lists, one;
    int kind;
    hr_status r = feature_kind(s, c, &kind, &lists);

    hr_buf_cut(value, 0);
    if (r < 0 || kind == KIND_NONE)
        return r;
    hr_buf_cut(list, 0);
    while (r == HR_OK && next_list(&lists, kind, &one)) {
        if (count_values(one, kind) < 0)
            return bad(s, "the values of a feature are damaged");
        r = put_list(one, kind, list);
    }
    if (r == HR_OK && kind != KIND_BYTES && list->len) {
        if ((r = put_tagged(value, 0x0a, list->text, list->len)) < 0)
            return r;
        hr_buf_cut(list, 0);
        r = hr_buf_add(list, value->text, value->len);
        hr_buf_cut(value, 0);
    }
    return r < 0 ? r : put_tagged(value, tags[kind], list->text, list->len);
}

static hr_status sort_names(struct hr_example_survey *s)
{
    struct names *names = &s->names;
    size_t size = names->n * sizeof(struct column *), i;
    const struct column **order;

    if (!hr_mem_reserve(names->env, (void **)&s->sorted, &s->cap_sorted, names->n,
                        sizeof *s->sorted, HR_MAX_COLUMNS) ||
        !(order = hr_mem_zero(names->env, size)))
        return HR_EXHAUSTED;
    for (i = 0; i < names->n; i++)
        order[i] = &names->columns[i];
    qsort(order, names->n, sizeof *order, by_name);
    for (i = 0; i < names->n; i++)
        s->sorted[i] = (uint32_t)(order[i] - names->columns);
    s->n_sorted = names->n;
    hr_mem_put(names->env, order, size);
    return HR_OK;
}

static hr_status put_record(struct hr_example_survey *s)
{
    struct names *names = &s->names;
    hr_status r = HR_OK;
    size_t i;

    hr_buf_cut(&s->features, 0);
    for (i = 0; r == HR_OK && i < s->n_sorted; i++) {
        struct column *c = &names->columns[s->sorted[i]];

        if (c->seen != names->record)
            continue;
        if ((r = put_feature(names, c, &s->list, &s->value)) < 0)
            return r;
        hr_buf_cut(&s->entry, 0);
        if ((r = put_tagged(&s->entry, 0x0a, c->name, c->size)) == HR_OK &&
            (r = put_tagged(&s->entry, 0x12, s->value.text, s->value.len)) == HR_OK)
            r = put_tagged(&s->features, 0x0a, s->entry.text, s->entry.len);
    }
    hr_buf_cut(&s->entry, 0);
    return r < 0 ? r : put_tagged(&s->entry, 0x0a, s->features.text, s->features.len);
}

hr_status hr_example_canonical(struct hr_example_survey *s, const void *bytes, size_t n,
                               const uint8_t **ret, size_t *ret_size)
{
    hr_status r = take_record(&s->names, bytes, n, true);

    if (r == HR_OK && s->n_sorted < s->names.n)
        r = sort_names(s);
    if (r == HR_OK && (r = put_record(s)) == HR_EXHAUSTED)
        hr_fail_memory(s->names.env);
    if (r < 0)
        return r;
    *ret = (const uint8_t *)s->entry.text;
    *ret_size = s->entry.len;
    return HR_OK;
}
