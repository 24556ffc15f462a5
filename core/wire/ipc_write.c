/* Rows are collected until there are HR_IPC_ROWS of them, gathered into new arrays, which begin
 * at offset 0 and have zeros behind their last bit, and written as one record batch.
 */
#include <string.h>

#include "headrace/rows.h"
#include "wire/arrow.h"
#include "wire/ipc.h"
#include "wire/ipc_fb.h"

enum { ALIGN = 64 };
/* A batch of more bytes is written as two of half the rows, for offsets have 32 bits. */
static const size_t most_bytes = (size_t)1 << 29;

struct block {
    uint64_t offset, body;
    uint32_t meta;
};

/* Values of a dictionary in the order of their first use. */
struct dictionary {
    struct hr_builder values;
    const struct ArrowSchema *schema;
    uint32_t *slots; /* index plus one, by hash */
    uint64_t *hashes;
    size_t n, cap, n_slots;
};

struct hr_ipc_out {
    struct hr_env *env;
    struct hr_out *out;
    struct ArrowSchema schema;
    struct ArrowArray *pending;
    size_t n_pending, cap_pending;
    struct hr_pick *picks; /* rows of the pending batches */
    size_t cap_picks;
    int64_t rows; /* how many */
    struct block *blocks;
    size_t n_blocks, cap_blocks;
    struct dictionary *dictionaries;
    struct block *dictionary_blocks;
    size_t n_dictionaries, cap_dictionaries, cap_dictionary_blocks;
    struct hr_buf meta;
};

/* -- schema ------------------------------------------------------------------------ */

static void put_meta(struct fb_out *o, size_t link, const char *metadata)
{
    static const uint8_t sizes[] = { 4, 4 };
    const char *p = metadata;
    int32_t n, size, i, k;
    size_t vector, fields[2];

    if (!p)
        return;
    memcpy(&n, p, sizeof n);
    p += sizeof n;
    vector = fb_vector(o, (size_t)n, 4, 4);
    fb_link(o, link, vector);
    for (i = 0; i < n; i++) {
        fb_link(o, vector + 4 + 4 * (size_t)i, fb_table(o, sizes, 2, fields));
        for (k = 0; k < 2; k++) {
            memcpy(&size, p, sizeof size);
            fb_link(o, fields[k], fb_string(o, p + sizeof size, (size_t)size));
            p += sizeof size + (size_t)size;
        }
    }
}

static size_t put_int_type(struct fb_out *o, char format)
{
    static const uint8_t sizes[] = { 4, 1 };
    static const char letters[] = "cCsSiIlL";
    size_t fields[2], k = (size_t)(strchr(letters, format) - letters);
    size_t at = fb_table(o, sizes, 2, fields);

    fb_put(o, fields[0], (uint64_t)8 << k / 2, 4);
    fb_put(o, fields[1], !(k & 1), 1);
    return at;
}

static size_t put_one(struct fb_out *o, uint8_t size, uint64_t v)
{
    size_t field, at = fb_table(o, &size, 1, &field);

    fb_put(o, field, v, size);
    return at;
}

static size_t put_timestamp(struct fb_out *o, const char *format)
{
    static const uint8_t sizes[] = { 2, 4 };
    static const char units[] = "smun";
    size_t fields[2], at;
    const char *zone = format + 4;

    at = fb_table(o, sizes, *zone ? 2 : 1, fields);
    fb_put(o, fields[0], (uint64_t)(strchr(units, format[2]) - units), 2);
    if (*zone)
        fb_link(o, fields[1], fb_string(o, zone, strlen(zone)));
    return at;
}

/* The type of a format; returns its number in the union, *ret_at its table. */
static uint8_t put_type(struct fb_out *o, const char *format, size_t *ret_at)
{
    static const char plain[] = "nzubZU";
    static const uint8_t numbers[] = { TYPE_NULL, TYPE_BINARY,       TYPE_UTF8,
                                       TYPE_BOOL, TYPE_LARGE_BINARY, TYPE_LARGE_UTF8 };
    const char *at = format[1] ? NULL : strchr(plain, format[0]);
    int64_t width;

    if (!strncmp(format, "td", 2)) {
        *ret_at = put_one(o, 2, 0);
        return TYPE_DATE;
    }
    if (!strncmp(format, "ts", 2)) {
        *ret_at = put_timestamp(o, format);
        return TYPE_TIMESTAMP;
    }
    if (!strncmp(format, "+w", 2)) {
        hr_arrow_type(format, &width);
        *ret_at = put_one(o, 4, (uint64_t)width);
        return TYPE_FIXED_LIST;
    }
    if (format[0] == 'f' || format[0] == 'g') {
        *ret_at = put_one(o, 2, format[0] == 'f' ? 1 : 2);
        return TYPE_FLOAT;
    }
    if (!at && format[0] != '+') {
        *ret_at = put_int_type(o, format[0]);
        return TYPE_INT;
    }
    *ret_at = fb_table(o, NULL, 0, NULL);
    if (at)
        return numbers[at - plain];
    if (format[1] == 's')
        return TYPE_STRUCT;
    return format[1] == 'l' ? TYPE_LIST : TYPE_LARGE_LIST;
}

static void put_dictionary(struct fb_out *o, size_t link, char format, int64_t *id)
{
    static const uint8_t sizes[] = { 8, 4 };
    size_t fields[2];

    fb_link(o, link, fb_table(o, sizes, 2, fields));
    fb_put(o, fields[0], (uint64_t)(*id)++, 8);
    fb_link(o, fields[1], put_int_type(o, format));
}

static size_t put_field(struct fb_out *o, const struct ArrowSchema *s, int64_t *id)
{
    const uint8_t sizes[] = { 4, 1, 1, 4, s->dictionary ? 4 : 0, 4, s->metadata ? 4 : 0 };
    const char *name = s->name ? s->name : "";
    size_t fields[7], at = fb_table(o, sizes, 7, fields), type = 0, children;
    int64_t k;

    fb_link(o, fields[0], fb_string(o, name, strlen(name)));
    fb_put(o, fields[1], 1, 1);
    fb_put(o, fields[2], put_type(o, s->dictionary ? s->dictionary->format : s->format, &type), 1);
    fb_link(o, fields[3], type);
    if (s->dictionary)
        put_dictionary(o, fields[4], s->format[0], id);
    children = fb_vector(o, (size_t)s->n_children, 4, 4);
    fb_link(o, fields[5], children);
    for (k = 0; k < s->n_children; k++)
        fb_link(o, children + 4 + 4 * (size_t)k, put_field(o, s->children[k], id));
    if (s->metadata)
        put_meta(o, fields[6], s->metadata);
    return at;
}

static size_t put_schema(struct fb_out *o, const struct ArrowSchema *s)
{
    const uint8_t sizes[] = { 2, 4, s->metadata ? 4 : 0 };
    size_t fields[3], at = fb_table(o, sizes, 3, fields), vector;
    int64_t k, id = 0;

    vector = fb_vector(o, (size_t)s->n_children, 4, 4);
    fb_link(o, fields[1], vector);
    for (k = 0; k < s->n_children; k++)
        fb_link(o, vector + 4 + 4 * (size_t)k, put_field(o, s->children[k], &id));
    if (s->metadata)
        put_meta(o, fields[2], s->metadata);
    return at;
}

/* -- messages ---------------------------------------------------------------------- */

static hr_status pad_file(struct hr_ipc_out *out, size_t align)
{
    static const char zeros[ALIGN];
    size_t over = (size_t)(hr_out_size(out->out) % align);

    return over ? hr_out_add(out->out, zeros, align - over) : HR_OK;
}

/* The metadata in out->meta, padded so that what follows stands at a multiple of ALIGN. */
static hr_status write_meta(struct hr_ipc_out *out, uint32_t *ret_size)
{
    uint64_t at = hr_out_size(out->out) + 8 + out->meta.len;
    uint8_t head[8] = { 0xff, 0xff, 0xff, 0xff };
    size_t size = out->meta.len + (ALIGN - (size_t)(at % ALIGN)) % ALIGN, i;
    hr_status r;

    for (i = 0; i < 4; i++)
        head[4 + i] = (uint8_t)(size >> 8 * i);
    if ((r = hr_out_add(out->out, head, sizeof head)) < 0 ||
        (r = hr_out_add(out->out, out->meta.text, out->meta.len)) < 0)
        return r;
    *ret_size = (uint32_t)size + 8;
    return pad_file(out, ALIGN);
}

/* Begin a message; *ret_header: the link to its header. */
static void begin_message(struct hr_ipc_out *out, struct fb_out *o, uint8_t type, uint64_t body,
                          size_t *ret_header)
{
    static const uint8_t sizes[] = { 2, 1, 4, 8 };
    size_t fields[4];

    hr_buf_cut(&out->meta, 0);
    fb_begin(o, &out->meta);
    fb_link(o, 0, fb_table(o, sizes, 4, fields));
    fb_put(o, fields[0], IPC_V5, 2);
    fb_put(o, fields[1], type, 1);
    fb_put(o, fields[3], body, 8);
    *ret_header = fields[2];
}

/* What a body is made of, in order. */
struct body {
    struct hr_env *env;
    struct {
        int64_t length, nulls;
    } * nodes;
    struct {
        const void *p;
        size_t size;
    } * buffers;
    size_t n_nodes, cap_nodes, n_buffers, cap_buffers;
};

static hr_status add_buffer(struct body *b, const void *p, size_t size)
{
    if (!hr_mem_reserve(b->env, (void **)&b->buffers, &b->cap_buffers, b->n_buffers + 1,
                        sizeof *b->buffers, 4 * IPC_MAX_FIELDS))
        return HR_EXHAUSTED;
    b->buffers[b->n_buffers].p = p;
    b->buffers[b->n_buffers++].size = p ? size : 0;
    return HR_OK;
}

static hr_status add_values(struct body *b, const struct ArrowSchema *s, const struct ArrowArray *a)
{
    int64_t width, end;
    enum hr_arrow_type type = hr_arrow_type(s->format, &width);
    size_t n = (size_t)a->length;
    hr_status r;

    switch (type) {
    case HR_ARROW_BOOL:
        return add_buffer(b, a->buffers[1], (n + 7) / 8);
    case HR_ARROW_FIXED:
        return add_buffer(b, a->buffers[1], n * (size_t)width);
    case HR_ARROW_BYTES:
    case HR_ARROW_LIST:
        r = add_buffer(b, a->buffers[1], (n + 1) * (size_t)width);
        if (r < 0 || type == HR_ARROW_LIST)
            return r;
        end =
            width == 4 ? ((const int32_t *)a->buffers[1])[n] : ((const int64_t *)a->buffers[1])[n];
        return add_buffer(b, a->buffers[2], (size_t)end);
    default:
        return HR_OK;
    }
}

static hr_status add_array(struct body *b, const struct ArrowSchema *s, const struct ArrowArray *a)
{
    hr_status r;
    int64_t k;

    if (!hr_mem_reserve(b->env, (void **)&b->nodes, &b->cap_nodes, b->n_nodes + 1, sizeof *b->nodes,
                        IPC_MAX_FIELDS))
        return HR_EXHAUSTED;
    b->nodes[b->n_nodes].length = a->length;
    b->nodes[b->n_nodes++].nulls = a->null_count;
    if (strcmp(s->format, "n")) {
        r = add_buffer(b, a->null_count ? a->buffers[0] : NULL, ((size_t)a->length + 7) / 8);
        if (r < 0 || (r = add_values(b, s, a)) < 0)
            return r;
    }
    for (k = 0; k < a->n_children; k++)
        if ((r = add_array(b, s->children[k], a->children[k])) < 0)
            return r;
    return HR_OK;
}

static uint64_t body_size(const struct body *b)
{
    uint64_t size = 0;
    size_t i;

    for (i = 0; i < b->n_buffers; i++)
        size += (b->buffers[i].size + ALIGN - 1) / ALIGN * ALIGN;
    return size;
}

static size_t put_records(struct fb_out *o, const struct body *b, int64_t length)
{
    static const uint8_t sizes[] = { 8, 4, 4 };
    size_t fields[3], at = fb_table(o, sizes, 3, fields), vector, i;
    uint64_t offset = 0;

    fb_put(o, fields[0], (uint64_t)length, 8);
    vector = fb_vector(o, b->n_nodes, 16, 8);
    fb_link(o, fields[1], vector);
    for (i = 0; i < b->n_nodes; i++) {
        fb_put(o, vector + 4 + 16 * i, (uint64_t)b->nodes[i].length, 8);
        fb_put(o, vector + 12 + 16 * i, (uint64_t)b->nodes[i].nulls, 8);
    }
    vector = fb_vector(o, b->n_buffers, 16, 8);
    fb_link(o, fields[2], vector);
    for (i = 0; i < b->n_buffers; i++) {
        fb_put(o, vector + 4 + 16 * i, offset, 8);
        fb_put(o, vector + 12 + 16 * i, b->buffers[i].size, 8);
        offset += (b->buffers[i].size + ALIGN - 1) / ALIGN * ALIGN;
    }
    return at;
}

static hr_status write_body(struct hr_ipc_out *out, const struct body *b)
{
    hr_status r = HR_OK;
    size_t i;

    for (i = 0; r == HR_OK && i < b->n_buffers; i++)
        if (b->buffers[i].size &&
            (r = hr_out_add(out->out, b->buffers[i].p, b->buffers[i].size)) == HR_OK)
            r = pad_file(out, ALIGN);
    return r;
}

/* id < 0: a record batch, else the dictionary of that id. */
static hr_status write_records(struct hr_ipc_out *out, const struct body *b, int64_t length,
                               int64_t id, struct block *ret)
{
    static const uint8_t sizes[] = { 8, 4 };
    struct fb_out o;
    size_t header, fields[2];
    hr_status r;

    ret->offset = hr_out_size(out->out);
    ret->body = body_size(b);
    begin_message(out, &o, id < 0 ? IPC_RECORDS : IPC_DICTIONARY, ret->body, &header);
    if (id >= 0) {
        fb_link(&o, header, fb_table(&o, sizes, 2, fields));
        fb_put(&o, fields[0], (uint64_t)id, 8);
        header = fields[1];
    }
    fb_link(&o, header, put_records(&o, b, length));
    if (o.status < 0)
        return hr_fail_memory(out->env);
    r = write_meta(out, &ret->meta);
    return r < 0 ? r : write_body(out, b);
}

static void body_clear(struct body *b)
{
    hr_mem_put(b->env, b->nodes, b->cap_nodes * sizeof *b->nodes);
    hr_mem_put(b->env, b->buffers, b->cap_buffers * sizeof *b->buffers);
}

/* -- dictionaries ------------------------------------------------------------------ */

static hr_status grow(struct hr_ipc_out *out, struct dictionary *d)
{
    size_t n = d->n_slots ? d->n_slots * 2 : 64, i, at;
    uint32_t *slots = hr_mem_zero(out->env, n * sizeof *slots);

    if (!slots)
        return HR_EXHAUSTED;
    hr_mem_put(out->env, d->slots, d->n_slots * sizeof *d->slots);
    d->slots = slots;
    d->n_slots = n;
    for (i = 0; i < d->n; i++) {
        for (at = d->hashes[i] & (n - 1); slots[at]; at = (at + 1) & (n - 1))
            ;
        slots[at] = (uint32_t)i + 1;
    }
    return HR_OK;
}

/* The code of a value. */
static hr_status look_up(struct hr_ipc_out *out, struct dictionary *d, const char *bytes,
                         size_t size, int32_t *ret)
{
    uint64_t hash = hr_hash64(bytes, size, 0);
    const int32_t *ends;
    hr_status r;
    size_t at;

    if (d->n * 2 >= d->n_slots && (r = grow(out, d)) < 0)
        return r;
    for (at = hash & (d->n_slots - 1); d->slots[at]; at = (at + 1) & (d->n_slots - 1)) {
        size_t k = d->slots[at] - 1;

        ends = d->values.data;
        if (d->hashes[k] == hash && (size_t)(ends[k + 1] - ends[k]) == size &&
            !memcmp(d->values.bytes + ends[k], bytes, size)) {
            *ret = (int32_t)k;
            return HR_OK;
        }
    }
    if (!hr_mem_reserve(out->env, (void **)&d->hashes, &d->cap, d->n + 1, sizeof *d->hashes,
                        INT32_MAX))
        return HR_EXHAUSTED;
    hr_builder_bytes(&d->values, bytes, size);
    if (d->values.failed)
        return hr_fail(out->env, HR_EXHAUSTED,
                       "the dictionary of column \"%s\" passes 2^31 bytes, or memory is short",
                       d->schema->name ? d->schema->name : "");
    d->hashes[d->n] = hash;
    *ret = (int32_t)d->n++;
    d->slots[at] = (uint32_t)d->n;
    return HR_OK;
}

/* Turn the codes of an array made by hr_arrow_take() into those of the file. */
static hr_status recode(struct hr_ipc_out *out, struct dictionary *d, const struct ArrowSchema *s,
                        struct ArrowArray *a)
{
    struct ArrowSchema *columns[1] = { (struct ArrowSchema *)(uintptr_t)s->dictionary };
    const struct ArrowSchema parent = { .format = "+s", .n_children = 1, .children = columns };
    struct ArrowArray *arrays[1] = { a->dictionary };
    const struct ArrowArray batch = { .length = a->dictionary->length,
                                      .n_children = 1,
                                      .children = arrays };
    int32_t *codes = (int32_t *)(uintptr_t)a->buffers[1], *map;
    size_t map_size = (size_t)a->dictionary->length * sizeof *map;
    const uint8_t *valid = a->null_count ? a->buffers[0] : NULL;
    hr_status r = HR_OK;
    struct hr_col c;
    const char *bytes;
    int64_t i;
    size_t n;

    if (!(map = hr_mem_zero(out->env, map_size)))
        return HR_EXHAUSTED;
    hr_col_open(&parent, &batch, 0, &c);
    for (i = 0; r == HR_OK && i < c.length; i++) {
        bytes = hr_col_bytes(&c, c.at + i, &n);
        r = look_up(out, d, bytes, n, &map[i]);
    }
    for (i = 0; r == HR_OK && i < a->length; i++)
        if (!valid || (valid[i >> 3] >> (i & 7) & 1))
            codes[i] = map[codes[i]];
    hr_mem_put(out->env, map, map_size);
    return r;
}

static hr_status recode_all(struct hr_ipc_out *out, const struct ArrowSchema *s,
                            struct ArrowArray *a, size_t *id)
{
    hr_status r = HR_OK;
    int64_t k;

    if (s->dictionary)
        return recode(out, &out->dictionaries[(*id)++], s, a);
    for (k = 0; r == HR_OK && k < s->n_children; k++)
        r = recode_all(out, s->children[k], a->children[k], id);
    return r;
}

static hr_status find_dictionaries(struct hr_ipc_out *out, const struct ArrowSchema *s)
{
    struct dictionary *d;
    hr_status r = HR_OK;
    int64_t k;

    for (k = 0; r == HR_OK && k < s->n_children; k++)
        r = find_dictionaries(out, s->children[k]);
    if (r < 0 || !s->dictionary)
        return r;
    if (strcmp(s->format, "i") || s->dictionary->format[1] ||
        !strchr("zu", s->dictionary->format[0]))
        return hr_fail(out->env, HR_INVALID,
                       "column \"%s\": only dictionaries of text or bytes by int32 are written",
                       s->name ? s->name : "");
    if (!hr_mem_reserve(out->env, (void **)&out->dictionaries, &out->cap_dictionaries,
                        out->n_dictionaries + 1, sizeof *d, IPC_MAX_FIELDS))
        return HR_EXHAUSTED;
    d = &out->dictionaries[out->n_dictionaries++];
    memset(d, 0, sizeof *d);
    d->schema = s;
    hr_builder_init(&d->values, s->dictionary->format, 0);
    return HR_OK;
}

static hr_status write_dictionary(struct hr_ipc_out *out, size_t id)
{
    struct dictionary *d = &out->dictionaries[id];
    struct body b = { .env = out->env };
    struct ArrowArray values;
    hr_status r = hr_builder_done(&d->values, &values);

    if (r < 0)
        return hr_fail_memory(out->env);
    r = add_array(&b, d->schema->dictionary, &values);
    if (r == HR_OK)
        r = write_records(out, &b, values.length, (int64_t)id, &out->dictionary_blocks[id]);
    body_clear(&b);
    HR_RELEASE(&values);
    return r;
}

/* -- record batches ---------------------------------------------------------------- */

static hr_status write_batch(struct hr_ipc_out *out, const struct hr_pick *picks, int64_t n)
{
    struct body b = { .env = out->env };
    const struct ArrowArray **from;
    struct ArrowArray rows;
    size_t k, id = 0, size = out->n_pending * sizeof *from;
    struct block block;
    hr_status r;
    int64_t c;

    if (!(from = hr_mem_zero(out->env, size)))
        return HR_EXHAUSTED;
    for (k = 0; k < out->n_pending; k++)
        from[k] = &out->pending[k];
    r = hr_arrow_take(out->env,
                      &(struct hr_taking){ &out->schema, from, (uint32_t)out->n_pending, picks, n },
                      &rows);
    hr_mem_put(out->env, from, size);
    if (r < 0)
        return r;
    for (c = 0; r == HR_OK && c < rows.n_children; c++)
        r = recode_all(out, out->schema.children[c], rows.children[c], &id);
    for (c = 0; r == HR_OK && c < rows.n_children; c++)
        r = add_array(&b, out->schema.children[c], rows.children[c]);
    if (r == HR_OK)
        r = write_records(out, &b, n, -1, &block);
    if (r == HR_OK && !hr_mem_reserve(out->env, (void **)&out->blocks, &out->cap_blocks,
                                      out->n_blocks + 1, sizeof *out->blocks, INT32_MAX))
        r = HR_EXHAUSTED;
    if (r == HR_OK)
        out->blocks[out->n_blocks++] = block;
    body_clear(&b);
    HR_RELEASE(&rows);
    return r;
}

/* Bytes of the pending rows; exact only where they are many. */
static size_t pending_size(const struct hr_ipc_out *out)
{
    size_t bytes = 0, k;
    int64_t i;

    for (k = 0; k < out->n_pending; k++)
        bytes += hr_arrow_size(&out->schema, &out->pending[k]);
    if (bytes <= most_bytes)
        return bytes;
    for (bytes = 0, i = 0; i < out->rows; i++) {
        struct ArrowArray row = out->pending[out->picks[i].batch];

        row.offset += out->picks[i].row;
        row.length = 1;
        bytes += hr_arrow_size(&out->schema, &row);
    }
    return bytes;
}

/* All that is pending, by halves where it is large. */
static hr_status write_pending(struct hr_ipc_out *out)
{
    int64_t n = out->rows, step = n, i;
    size_t bytes, k;
    hr_status r = HR_OK;

    for (bytes = pending_size(out); bytes > most_bytes && step > 1; bytes /= 2)
        step = (step + 1) / 2;
    for (i = 0; r == HR_OK && i < n; i += step)
        r = write_batch(out, out->picks + i, n - i < step ? n - i : step);
    for (k = 0; k < out->n_pending; k++)
        HR_RELEASE(&out->pending[k]);
    out->n_pending = 0;
    out->rows = 0;
    return r;
}

/* Let the batch of an owner be the last of those that rows are picked from. */
static hr_status hold(struct hr_ipc_out *out, struct hr_owner *owner)
{
    struct ArrowArray *to;
    hr_status r;

    if (!hr_mem_reserve(out->env, (void **)&out->pending, &out->cap_pending, out->n_pending + 1,
                        sizeof *out->pending, UINT32_MAX))
        return HR_EXHAUSTED;
    to = &out->pending[out->n_pending];
    r = hr_arrow_share(out->env, &owner->rows, owner, hr_cut(0, owner->rows.length), to);
    if (r == HR_OK)
        out->n_pending++;
    return r;
}

hr_status hr_ipc_add_rows(struct hr_ipc_out *out, struct hr_owner *owner, const uint32_t *rows,
                          size_t n)
{
    hr_status r = HR_OK;
    size_t i = 0, some, k;

    while (r == HR_OK && i < n) {
        struct hr_pick *picks;
        uint32_t batch;

        some = (size_t)(HR_IPC_ROWS - out->rows);
        some = n - i < some ? n - i : some;
        if ((r = hold(out, owner)) < 0)
            return r;
        if (!hr_mem_reserve(out->env, (void **)&out->picks, &out->cap_picks,
                            (size_t)out->rows + some, sizeof *out->picks, HR_IPC_ROWS))
            return HR_EXHAUSTED;
        picks = out->picks + out->rows;
        batch = (uint32_t)out->n_pending - 1;
        for (k = 0; k < some; k++, i++)
            picks[k] = (struct hr_pick){ batch, rows ? rows[i] : (int64_t)i };
        out->rows += (int64_t)some;
        if (out->rows == HR_IPC_ROWS)
            r = write_pending(out);
    }
    return r;
}

hr_status hr_ipc_add(struct hr_ipc_out *out, struct ArrowArray *rows)
{
    struct hr_owner *owner = NULL;
    size_t n = (size_t)rows->length;
    hr_status r = hr_arrow_owner(out->env, rows, &owner);

    if (r < 0)
        return r;
    r = hr_ipc_add_rows(out, owner, NULL, n);
    hr_owner_drop(owner);
    return r;
}

/* -- the whole file ---------------------------------------------------------------- */

static void put_blocks(struct fb_out *o, size_t link, const struct block *blocks, size_t n)
{
    size_t vector = fb_vector(o, n, 24, 8), i;

    fb_link(o, link, vector);
    for (i = 0; i < n; i++) {
        size_t at = vector + 4 + 24 * i;

        fb_put(o, at, blocks[i].offset, 8);
        fb_put(o, at + 8, blocks[i].meta, 4);
        fb_put(o, at + 16, blocks[i].body, 8);
    }
}

static hr_status write_footer(struct hr_ipc_out *out)
{
    static const uint8_t sizes[] = { 2, 4, 4, 4 }, end[8] = { 0xff, 0xff, 0xff, 0xff };
    uint8_t tail[10] = { 0, 0, 0, 0, 'A', 'R', 'R', 'O', 'W', '1' };
    size_t fields[4], i;
    struct fb_out o;
    hr_status r;

    hr_buf_cut(&out->meta, 0);
    fb_begin(&o, &out->meta);
    fb_link(&o, 0, fb_table(&o, sizes, 4, fields));
    fb_put(&o, fields[0], IPC_V5, 2);
    fb_link(&o, fields[1], put_schema(&o, &out->schema));
    put_blocks(&o, fields[2], out->dictionary_blocks, out->n_dictionaries);
    put_blocks(&o, fields[3], out->blocks, out->n_blocks);
    if (o.status < 0)
        return hr_fail_memory(out->env);
    for (i = 0; i < 4; i++)
        tail[i] = (uint8_t)(out->meta.len >> 8 * i);
    if ((r = hr_out_add(out->out, end, sizeof end)) < 0 ||
        (r = hr_out_add(out->out, out->meta.text, out->meta.len)) < 0)
        return r;
    return hr_out_add(out->out, tail, sizeof tail);
}

static hr_status write_head(struct hr_ipc_out *out)
{
    struct fb_out o;
    uint32_t size;
    size_t header;
    hr_status r = hr_out_add(out->out, "ARROW1\0\0", 8);

    if (r < 0)
        return r;
    begin_message(out, &o, IPC_SCHEMA, 0, &header);
    fb_link(&o, header, put_schema(&o, &out->schema));
    return o.status < 0 ? hr_fail_memory(out->env) : write_meta(out, &size);
}

hr_status hr_ipc_create(struct hr_env *env, const char *path, const struct ArrowSchema *schema,
                        struct hr_ipc_out **ret)
{
    struct hr_ipc_out *out = hr_mem_zero(env, sizeof *out);
    hr_status r;

    if (!out)
        return HR_EXHAUSTED;
    out->env = env;
    hr_buf_of(&out->meta, (size_t)1 << 30, env);
    r = hr_arrow_schema_copy(env, schema, &out->schema);
    if (r == HR_OK)
        r = find_dictionaries(out, &out->schema);
    if (r == HR_OK &&
        !hr_mem_reserve(env, (void **)&out->dictionary_blocks, &out->cap_dictionary_blocks,
                        out->n_dictionaries, sizeof *out->dictionary_blocks, IPC_MAX_FIELDS))
        r = HR_EXHAUSTED;
    if (r == HR_OK)
        r = hr_out_open(env, path, &out->out);
    if (r == HR_OK)
        r = write_head(out);
    if (r < 0)
        hr_ipc_drop(out);
    else
        *ret = out;
    return r;
}

hr_status hr_ipc_end(struct hr_ipc_out *out)
{
    hr_status r = out->rows ? write_pending(out) : HR_OK;
    struct hr_out *file = out->out;
    size_t id;

    for (id = 0; r == HR_OK && id < out->n_dictionaries; id++)
        r = write_dictionary(out, id);
    if (r == HR_OK)
        r = write_footer(out);
    if (r == HR_OK) {
        out->out = NULL;
        r = hr_out_close(file, false);
    }
    hr_ipc_drop(out);
    return r;
}

void hr_ipc_drop(struct hr_ipc_out *out)
{
    size_t k;

    if (!out)
        return;
    hr_out_drop(out->out);
    for (k = 0; k < out->n_pending; k++)
        HR_RELEASE(&out->pending[k]);
    for (k = 0; k < out->n_dictionaries; k++) {
        struct dictionary *d = &out->dictionaries[k];

        hr_builder_drop(&d->values);
        hr_mem_put(out->env, d->slots, d->n_slots * sizeof *d->slots);
        hr_mem_put(out->env, d->hashes, d->cap * sizeof *d->hashes);
    }
    hr_mem_put(out->env, out->pending, out->cap_pending * sizeof *out->pending);
    hr_mem_put(out->env, out->picks, out->cap_picks * sizeof *out->picks);
    hr_mem_put(out->env, out->blocks, out->cap_blocks * sizeof *out->blocks);
    hr_mem_put(out->env, out->dictionaries, out->cap_dictionaries * sizeof *out->dictionaries);
    hr_mem_put(out->env, out->dictionary_blocks,
               out->cap_dictionary_blocks * sizeof *out->dictionary_blocks);
    HR_RELEASE(&out->schema);
    hr_buf_clear(&out->meta);
    hr_mem_put(out->env, out, sizeof *out);
}
