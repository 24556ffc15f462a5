/* Nothing in the file is believed: the flatbuffers are read by checked accesses, buffers must
 * lie in their message's body and be as long as their type and length ask for, and what the
 * values say (offsets, codes) is checked by hr_arrow_check() before anybody sees them.
 */
#include <stdlib.h>
#include <string.h>

#include "headrace/rows.h"
#include "wire/arrow.h"
#include "wire/ipc.h"
#include "wire/ipc_fb.h"

enum { HEAD = 8, TAIL = 10, MAX_DEPTH = 16, MAX_DICTIONARIES = 100000 };

struct block {
    uint64_t offset, body;
    uint32_t meta;
};

struct dictionary {
    int64_t id;
    char index;                       /* format of its codes in the file */
    const struct ArrowSchema *values; /* in the schema */
    struct hr_owner *owner;           /* a batch of one column; NULL: not yet read */
};

struct hr_ipc {
    struct hr_env *env;
    char *name;
    struct hr_owner *owner;      /* of the bytes */
    const struct mapped *mapped; /* whose they are; NULL: in memory */
    const uint8_t *p;
    size_t n;
    struct ArrowSchema schema;
    struct block *blocks;
    size_t n_blocks;
    struct dictionary *dictionaries; /* in the order of the schema */
    size_t n_dictionaries, cap_dictionaries;
    size_t fields; /* seen so far */
};

struct mapped {
    const struct hr_os *os;
    struct hr_map map;
};

/* The bytes of a batch: memory that is let go with it. */
struct piece {
    struct hr_owner *whole;
    const struct mapped *mapped; /* whole keeps it */
    size_t from, to;
};

static hr_status damaged(const struct hr_ipc *ipc, const char *why)
{
    return hr_fail(ipc->env, HR_DATA_LOSS, "\"%s\" is no sound Arrow file: %s", ipc->name, why);
}

static hr_status refused(const struct hr_ipc *ipc, const char *column, const char *why)
{
    return hr_fail(ipc->env, HR_INVALID, "\"%s\": column \"%s\" %s", ipc->name, column, why);
}

/* -- schema ------------------------------------------------------------------------ */

static hr_status read_meta(struct hr_ipc *ipc, struct fb_in *in, const struct fb_table *t,
                           int field, struct ArrowSchema *s)
{
    size_t n, at = fb_get_vector(in, t, field, 4, &n), i;
    char key[4096], value[4096];
    hr_status r = HR_OK;

    if (n > 1000)
        return damaged(ipc, "it has more than 1000 keys of metadata");
    for (i = 0; r == HR_OK && i < n; i++) {
        struct fb_table pair = fb_table_at(in, at + 4 * i);
        struct hr_slice k = fb_get_string(in, &pair, 0), v = fb_get_string(in, &pair, 1);

        if (k.len >= sizeof key || v.len >= sizeof value || memchr(k.text, 0, k.len) ||
            memchr(v.text, 0, v.len))
            continue; /* other programs keep large things there: not ours */
        memcpy(key, k.text, k.len);
        memcpy(value, v.text, v.len);
        key[k.len] = value[v.len] = '\0';
        if (hr_schema_add_meta(s, key, value) < 0)
            r = hr_fail_memory(ipc->env);
    }
    return r;
}

static const char *int_format(struct fb_in *in, const struct fb_table *t)
{
    static const char *const formats[] = { "C", "c", "S", "s", "I", "i", "L", "l" };
    uint64_t bits = fb_get(in, t, 0, 4, 0);
    int sign = fb_get(in, t, 1, 1, 0) != 0, k;

    for (k = 0; k < 4; k++)
        if (bits == (uint64_t)8 << k)
            return formats[2 * k + sign];
    return NULL;
}

/* The format of a type; NULL: one that is not supported.  text has room for 300 bytes. */
static const char *format_of(struct fb_in *in, uint8_t type, const struct fb_table *t, char *text)
{
    static const char units[] = "smun";
    struct hr_slice zone;
    uint64_t v;

    switch (type) {
    case TYPE_NULL:
        return "n";
    case TYPE_INT:
        return int_format(in, t);
    case TYPE_FLOAT:
        v = fb_get(in, t, 0, 2, 0);
        if (v != 1 && v != 2)
            return NULL;
        return v == 1 ? "f" : "g";
    case TYPE_BINARY:
        return "z";
    case TYPE_UTF8:
        return "u";
    case TYPE_BOOL:
        return "b";
    case TYPE_LARGE_BINARY:
        return "Z";
    case TYPE_LARGE_UTF8:
        return "U";
    case TYPE_LIST:
        return "+l";
    case TYPE_LARGE_LIST:
        return "+L";
    case TYPE_STRUCT:
        return "+s";
    case TYPE_DATE:
        return fb_get(in, t, 0, 2, 1) ? NULL : "tdD";
    case TYPE_TIMESTAMP:
        v = fb_get(in, t, 0, 2, 0);
        zone = fb_get_string(in, t, 1);
        if (v > 3 || zone.len > 200 || memchr(zone.text, 0, zone.len))
            return NULL;
        memcpy(text, "ts?:", 4);
        text[2] = units[v];
        memcpy(text + 4, zone.text, zone.len);
        text[4 + zone.len] = '\0';
        return text;
    case TYPE_FIXED_LIST:
        v = fb_get(in, t, 0, 4, 0);
        memcpy(text, "+w:", 3);
        hr_num_put_uint(text + 3, v);
        return v > INT32_MAX ? NULL : text;
    default:
        return NULL;
    }
}

static hr_status add_dictionary(struct hr_ipc *ipc, const struct dictionary *d)
{
    if (!hr_mem_reserve(ipc->env, (void **)&ipc->dictionaries, &ipc->cap_dictionaries,
                        ipc->n_dictionaries + 1, sizeof *d, MAX_DICTIONARIES))
        return HR_EXHAUSTED;
    ipc->dictionaries[ipc->n_dictionaries++] = *d;
    return HR_OK;
}

/* A coded column: its codes become int32, the type of the values goes below. */
static hr_status read_coded(struct hr_ipc *ipc, struct fb_in *in, const struct fb_table *encoding,
                            const char *format, struct ArrowSchema *ret)
{
    struct fb_table type = fb_get_table(in, encoding, 1);
    const char *index = type.size ? int_format(in, &type) : "i";
    struct dictionary d = { .id = (int64_t)fb_get(in, encoding, 0, 8, 0) };
    int64_t width;

    if (!index)
        return refused(ipc, ret->name, "has codes of a type that is not supported");
    if (hr_arrow_buffers(hr_arrow_type(format, &width)) != 3)
        return refused(ipc, ret->name, "has a dictionary of something else than text or bytes");
    if (!(ret->dictionary = calloc(1, sizeof *ret->dictionary)) ||
        hr_schema_column(ret->dictionary, "", format, 0) < 0)
        return hr_fail_memory(ipc->env);
    d.index = index[0];
    d.values = ret->dictionary;
    return add_dictionary(ipc, &d);
}

static hr_status read_field(struct hr_ipc *ipc, struct fb_in *in, const struct fb_table *t,
                            int depth, struct ArrowSchema *ret)
{
    uint8_t type = (uint8_t)fb_get(in, t, 2, 1, 0);
    struct fb_table detail = fb_get_table(in, t, 3), encoding = fb_get_table(in, t, 4);
    struct hr_slice text = fb_get_string(in, t, 0);
    size_t n, at = fb_get_vector(in, t, 5, 4, &n), i;
    char format_text[300], column[1024];
    const char *format = format_of(in, type, &detail, format_text);
    hr_status r;

    if (in->bad || depth > MAX_DEPTH || ++ipc->fields > IPC_MAX_FIELDS)
        return damaged(ipc, "its schema is damaged, or nested too deeply");
    if (text.len >= sizeof column || memchr(text.text, 0, text.len))
        return damaged(ipc, "the name of a column is too long, or has a NUL");
    memcpy(column, text.text, text.len);
    column[text.len] = '\0';
    if (!format)
        return refused(ipc, column, "has a type that is not supported");
    if (n > HR_MAX_COLUMNS)
        return refused(ipc, column, "has too many children");
    if (hr_schema_new(encoding.size ? "i" : format, column, (int64_t)n, ret) < 0)
        return hr_fail_memory(ipc->env);
    if (encoding.size && (r = read_coded(ipc, in, &encoding, format, ret)) < 0)
        return r;
    for (i = 0; i < n; i++) {
        struct fb_table child = fb_table_at(in, at + 4 * i);

        if ((r = read_field(ipc, in, &child, depth + 1, ret->children[i])) < 0)
            return r;
    }
    return read_meta(ipc, in, t, 6, ret);
}

static hr_status read_schema(struct hr_ipc *ipc, struct fb_in *in, const struct fb_table *t)
{
    size_t n, at = fb_get_vector(in, t, 1, 4, &n), i;
    hr_status r;

    if (fb_get(in, t, 0, 2, 0))
        return damaged(ipc, "it is of big-endian numbers");
    if (n > HR_MAX_COLUMNS)
        return damaged(ipc, "it has too many columns");
    if (hr_schema_new("+s", "", (int64_t)n, &ipc->schema) < 0)
        return hr_fail_memory(ipc->env);
    for (i = 0; i < n; i++) {
        struct fb_table field = fb_table_at(in, at + 4 * i);

        if ((r = read_field(ipc, in, &field, 1, ipc->schema.children[i])) < 0)
            return r;
    }
    if (in->bad)
        return damaged(ipc, "its schema is damaged");
    if ((r = read_meta(ipc, in, t, 2, &ipc->schema)) < 0)
        return r;
    return hr_arrow_check_schema(ipc->env, &ipc->schema, ipc->name);
}

/* -- batches ----------------------------------------------------------------------- */

/* A record batch that is being read. */
struct records {
    struct hr_ipc *ipc;
    struct hr_owner *owner; /* of its bytes */
    struct fb_in in;
    uint64_t length;
    size_t nodes, n_nodes, buffers, n_buffers; /* vectors, and how much is left of them */
    const uint8_t *body;
    uint64_t body_size;
    size_t next_dictionary;
};

static hr_status next_node(struct records *b, struct ArrowArray *a)
{
    uint64_t length, nulls;

    if (!b->n_nodes)
        return damaged(b->ipc, "a batch has too few columns");
    length = fb_number(&b->in, b->nodes, 8);
    nulls = fb_number(&b->in, b->nodes + 8, 8);
    b->nodes += 16;
    b->n_nodes--;
    if (length > INT64_MAX / 64 || nulls > length)
        return damaged(b->ipc, "a column has an impossible length");
    a->length = (int64_t)length;
    a->null_count = (int64_t)nulls;
    return HR_OK;
}

/* The next buffer, of at least `least` bytes; shorter ones may be empty if may_lack. */
static hr_status next_buffer(struct records *b, uint64_t least, bool may_lack, const void **ret,
                             uint64_t *ret_size)
{
    uint64_t offset, size;

    if (!b->n_buffers)
        return damaged(b->ipc, "a batch has too few buffers");
    offset = fb_number(&b->in, b->buffers, 8);
    size = fb_number(&b->in, b->buffers + 8, 8);
    b->buffers += 16;
    b->n_buffers--;
    if (offset > b->body_size || size > b->body_size - offset)
        return damaged(b->ipc, "a buffer lies outside of its batch");
    *ret = size ? b->body + offset : NULL;
    *ret_size = size;
    if (!size && may_lack)
        return HR_OK;
    if (size < least)
        return damaged(b->ipc, "a buffer is too short for its column");
    if (size && (uintptr_t)*ret % 8)
        return damaged(b->ipc, "a buffer is not aligned");
    return HR_OK;
}

static hr_status read_array(struct records *b, const struct ArrowSchema *s, struct ArrowArray *ret);

static int64_t last_offset(const void *offsets, int64_t width, int64_t n)
{
    return width == 4 ? ((const int32_t *)offsets)[n] : ((const int64_t *)offsets)[n];
}

/* Offsets, and of bytes the bytes.  An array of no rows may have no offsets at all. */
static hr_status read_offsets(struct records *b, int64_t width, bool bytes, struct ArrowArray *a)
{
    static const int64_t none[2];
    uint64_t size, least = ((uint64_t)a->length + 1) * (uint64_t)width;
    const void *p, *q;
    int64_t end = 0;
    hr_status r = next_buffer(b, least, a->length == 0, &p, &size);

    if (r < 0)
        return r;
    if (p)
        end = last_offset(p, width, a->length);
    hr_arrow_put(a, 1, p ? p : none, false);
    if (!bytes)
        return HR_OK;
    if (end < 0)
        return damaged(b->ipc, "an offset is negative");
    if ((r = next_buffer(b, (uint64_t)end, end == 0, &q, &size)) < 0)
        return r;
    hr_arrow_put(a, 2, q, false);
    return HR_OK;
}

static hr_status read_values(struct records *b, enum hr_arrow_type type, int64_t width,
                             struct ArrowArray *a)
{
    uint64_t size, n = (uint64_t)a->length;
    const void *p;
    hr_status r;

    switch (type) {
    case HR_ARROW_BOOL:
    case HR_ARROW_FIXED:
        r = next_buffer(b, type == HR_ARROW_BOOL ? (n + 7) / 8 : n * (uint64_t)width, n == 0, &p,
                        &size);
        if (r == HR_OK)
            hr_arrow_put(a, 1, p, false);
        return r;
    case HR_ARROW_BYTES:
    case HR_ARROW_LIST:
        return read_offsets(b, width, type == HR_ARROW_BYTES, a);
    default:
        return HR_OK;
    }
}

/* Codes of another width than 32 bit, made int32. */
static hr_status read_codes(struct records *b, char index, struct ArrowArray *a)
{
    char format[2] = { index, 0 };
    int64_t width, i, code, n = a->length;
    const uint8_t *valid = a->buffers[0];
    const void *from;
    uint64_t size;
    int32_t *to;
    hr_status r;

    hr_arrow_type(format, &width);
    if ((r = next_buffer(b, (uint64_t)(n * width), n == 0, &from, &size)) < 0)
        return r;
    if (index == 'i' || !from) {
        hr_arrow_put(a, 1, from, false);
        return HR_OK;
    }
    if (!(to = calloc((size_t)n + 1, sizeof *to)))
        return hr_fail_memory(b->ipc->env);
    hr_arrow_put(a, 1, to, true);
    for (i = 0; i < n; i++) {
        if (valid && !(valid[i >> 3] >> (i & 7) & 1))
            continue;
        code = hr_arrow_code(format, from, i);
        if (code < 0 || code > INT32_MAX)
            return damaged(b->ipc, "a code is not in its dictionary");
        to[i] = (int32_t)code;
    }
    return HR_OK;
}

static hr_status read_coded_array(struct records *b, struct ArrowArray *a)
{
    const struct dictionary *d;
    const struct ArrowArray *values;
    hr_status r;

    if (b->next_dictionary >= b->ipc->n_dictionaries ||
        !b->ipc->dictionaries[b->next_dictionary].owner)
        return damaged(b->ipc, "a dictionary is missing");
    d = &b->ipc->dictionaries[b->next_dictionary++];
    values = d->owner->rows.children[0];
    if ((r = read_codes(b, d->index, a)) < 0)
        return r;
    return hr_arrow_share(b->ipc->env, values, d->owner, hr_cut(0, values->length), a->dictionary);
}

static hr_status read_parts(struct records *b, const struct ArrowSchema *s, struct ArrowArray *a)
{
    int64_t width, k;
    enum hr_arrow_type type = hr_arrow_type(s->format, &width);
    const void *p = NULL;
    uint64_t size;
    hr_status r = next_node(b, a);

    if (r < 0)
        return r;
    if (type == HR_ARROW_NULL) {
        a->null_count = a->length;
        return HR_OK;
    }
    r = next_buffer(b, ((uint64_t)a->length + 7) / 8, a->null_count == 0, &p, &size);
    if (r < 0)
        return r;
    if (p && size < ((uint64_t)a->length + 7) / 8)
        return damaged(b->ipc, "a validity bitmap is too short");
    hr_arrow_put(a, 0, a->null_count ? p : NULL, false);
    if (s->dictionary)
        return read_coded_array(b, a);
    if ((r = read_values(b, type, width, a)) < 0)
        return r;
    for (k = 0; k < s->n_children; k++)
        if ((r = read_array(b, s->children[k], a->children[k])) < 0)
            return r;
    return HR_OK;
}

static hr_status read_array(struct records *b, const struct ArrowSchema *s, struct ArrowArray *ret)
{
    int64_t width;
    struct ArrowArray made;
    hr_status r = hr_arrow_new(b->ipc->env, hr_arrow_buffers(hr_arrow_type(s->format, &width)),
                               s->n_children, s->dictionary != NULL, &made);

    if (r < 0)
        return r;
    hr_arrow_hold(&made, b->owner);
    if ((r = read_parts(b, s, &made)) < 0) {
        HR_RELEASE(&made);
        return r;
    }
    *ret = made;
    return HR_OK;
}

/* The message of a block; *ret_header: its header, of the type that is wanted. */
static hr_status open_block(struct hr_ipc *ipc, const struct block *block, uint8_t type,
                            struct records *ret, struct fb_table *ret_header)
{
    uint64_t size, rest = ipc->n;
    const uint8_t *p;
    struct fb_table root;

    if (block->offset > rest || block->meta > rest - block->offset || block->meta < HEAD ||
        block->body > rest - block->offset - block->meta || block->offset % 8)
        return damaged(ipc, "a batch lies outside of the file");
    p = ipc->p + block->offset;
    memset(ret, 0, sizeof *ret);
    ret->ipc = ipc;
    ret->owner = ipc->owner;
    ret->body = p + block->meta;
    ret->body_size = block->body;
    ret->in = (struct fb_in){ p, block->meta, false };
    if (fb_number(&ret->in, 0, 4) == 0xffffffffu) {
        size = fb_number(&ret->in, 4, 4);
        ret->in = (struct fb_in){ p + 8, block->meta - 8, false };
    } else { /* of before version 0.15 */
        size = fb_number(&ret->in, 0, 4);
        ret->in = (struct fb_in){ p + 4, block->meta - 4, false };
    }
    if (size > ret->in.n)
        return damaged(ipc, "the metadata of a batch is too long");
    ret->in.n = (size_t)size;
    root = fb_root(&ret->in);
    if (ret->in.bad || fb_get(&ret->in, &root, 1, 1, 0) != type)
        return damaged(ipc, "a message is not what the footer says");
    *ret_header = fb_get_table(&ret->in, &root, 2);
    return ret->in.bad || !ret_header->size ? damaged(ipc, "a message is damaged") : HR_OK;
}

static hr_status read_columns(struct records *b, struct fb_table *t,
                              const struct ArrowSchema *schema, struct ArrowArray *ret)
{
    struct hr_ipc *ipc = b->ipc;
    struct ArrowArray made;
    hr_status r;
    int64_t k;

    if (fb_get_table(&b->in, t, 3).size)
        return hr_fail(ipc->env, HR_INVALID,
                       "\"%s\" is compressed; write it again without compression", ipc->name);
    b->length = fb_get(&b->in, t, 0, 8, 0);
    b->nodes = fb_get_vector(&b->in, t, 1, 16, &b->n_nodes);
    b->buffers = fb_get_vector(&b->in, t, 2, 16, &b->n_buffers);
    if (b->in.bad || b->length > INT32_MAX)
        return damaged(ipc, "a batch is damaged, or has more than 2^31 rows");
    if ((r = hr_arrow_new(ipc->env, 1, schema->n_children, false, &made)) < 0)
        return r;
    made.length = (int64_t)b->length;
    hr_arrow_hold(&made, b->owner);
    for (k = 0; r == HR_OK && k < schema->n_children; k++)
        r = read_array(b, schema->children[k], made.children[k]);
    if (r == HR_OK)
        r = hr_arrow_check(ipc->env, schema, &made, ipc->name);
    if (r < 0) {
        HR_RELEASE(&made);
        return r;
    }
    *ret = made;
    return HR_OK;
}

static void let_go(void *user)
{
    struct piece *p = user;
    const struct mapped *m = p->mapped;

    hr_map_passed(m->os, &m->map, p->from, p->to);
    hr_owner_drop(p->whole);
    free(p);
}

static hr_status own_piece(struct hr_ipc *ipc, const struct block *block, struct hr_owner **ret)
{
    struct piece *p = calloc(1, sizeof *p); /* batches may outlive the env */

    if (!p)
        return hr_fail_memory(ipc->env);
    p->mapped = ipc->mapped;
    p->from = (size_t)block->offset;
    p->to = p->from + block->meta + (size_t)block->body;
    p->whole = hr_owner_ref(ipc->owner);
    if (!(*ret = hr_owner_new(ipc->env, let_go, p))) {
        let_go(p);
        return HR_EXHAUSTED;
    }
    return HR_OK;
}

hr_status hr_ipc_batch(struct hr_ipc *ipc, size_t i, struct ArrowArray *ret)
{
    struct hr_owner *piece = NULL;
    struct records b;
    struct fb_table t;
    hr_status r = open_block(ipc, &ipc->blocks[i], IPC_RECORDS, &b, &t);

    if (r == HR_OK && ipc->mapped)
        r = own_piece(ipc, &ipc->blocks[i], &piece);
    if (r < 0)
        return r;
    b.owner = piece ? piece : ipc->owner;
    r = read_columns(&b, &t, &ipc->schema, ret);
    hr_owner_drop(piece);
    return r;
}

/* -- dictionaries ------------------------------------------------------------------ */

static hr_status read_dictionary(struct hr_ipc *ipc, const struct block *block)
{
    struct ArrowSchema *columns[1];
    struct ArrowSchema parent = { .format = "+s", .n_children = 1, .children = columns };
    struct ArrowArray rows;
    struct fb_table t, data;
    struct records b;
    hr_status r = open_block(ipc, block, IPC_DICTIONARY, &b, &t);
    int64_t id;
    size_t i;

    if (r < 0)
        return r;
    id = (int64_t)fb_get(&b.in, &t, 0, 8, 0);
    data = fb_get_table(&b.in, &t, 1);
    if (b.in.bad || !data.size)
        return damaged(ipc, "a dictionary is damaged");
    if (fb_get(&b.in, &t, 2, 1, 0))
        return hr_fail(ipc->env, HR_INVALID,
                       "\"%s\" has a dictionary in several pieces; write it again with one",
                       ipc->name);
    for (i = 0; i < ipc->n_dictionaries; i++) {
        struct dictionary *d = &ipc->dictionaries[i];

        if (d->id != id)
            continue;
        if (d->owner)
            return damaged(ipc, "it has two dictionaries of one number");
        columns[0] = (struct ArrowSchema *)(uintptr_t)d->values;
        if ((r = read_columns(&b, &data, &parent, &rows)) < 0)
            return r;
        if (rows.children[0]->length != rows.length || rows.children[0]->null_count) {
            HR_RELEASE(&rows);
            return damaged(ipc, "a dictionary has nulls or a wrong length");
        }
        if ((r = hr_arrow_owner(ipc->env, &rows, &d->owner)) < 0)
            return r;
        /* the vectors were read through: begin again for a column that shares the number */
        if ((r = open_block(ipc, block, IPC_DICTIONARY, &b, &t)) < 0)
            return r;
        data = fb_get_table(&b.in, &t, 1);
    }
    return HR_OK;
}

/* -- opening ----------------------------------------------------------------------- */

static hr_status read_block(struct hr_ipc *ipc, struct fb_in *in, size_t at, struct block *ret)
{
    uint64_t meta = fb_number(in, at + 8, 4);

    ret->offset = fb_number(in, at, 8);
    ret->meta = (uint32_t)meta;
    ret->body = fb_number(in, at + 16, 8);
    return in->bad || meta > INT32_MAX ? damaged(ipc, "its footer is damaged") : HR_OK;
}

static hr_status read_footer(struct hr_ipc *ipc, struct fb_in *in)
{
    struct fb_table root = fb_root(in), schema = fb_get_table(in, &root, 1);
    size_t n_dictionaries, n, i;
    size_t at = fb_get_vector(in, &root, 2, 24, &n_dictionaries);
    size_t batches = fb_get_vector(in, &root, 3, 24, &n);
    struct block block;
    hr_status r;

    if (in->bad || !schema.size)
        return damaged(ipc, "its footer is damaged");
    if ((r = read_schema(ipc, in, &schema)) < 0)
        return r;
    for (i = 0; i < n_dictionaries; i++)
        if ((r = read_block(ipc, in, at + 24 * i, &block)) < 0 ||
            (r = read_dictionary(ipc, &block)) < 0)
            return r;
    if (!(ipc->blocks = hr_mem_zero(ipc->env, n * sizeof *ipc->blocks)))
        return HR_EXHAUSTED;
    ipc->n_blocks = n;
    for (i = 0; i < n; i++)
        if ((r = read_block(ipc, in, batches + 24 * i, &ipc->blocks[i])) < 0)
            return r;
    return HR_OK;
}

static hr_status read_file(struct hr_ipc *ipc)
{
    struct fb_in in;
    size_t size;

    if (ipc->n < HEAD + TAIL || memcmp(ipc->p, "ARROW1", 6) ||
        memcmp(ipc->p + ipc->n - 6, "ARROW1", 6))
        return damaged(ipc, "it does not begin and end with ARROW1");
    in = (struct fb_in){ ipc->p, ipc->n, false };
    size = (size_t)fb_number(&in, ipc->n - TAIL, 4);
    if (size > ipc->n - HEAD - TAIL)
        return damaged(ipc, "its footer is longer than the file");
    in = (struct fb_in){ ipc->p + ipc->n - TAIL - size, size, false };
    return read_footer(ipc, &in);
}

static void unmap(void *user)
{
    struct mapped *m = user;

    if (m->map.size)
        m->os->unmap(m->os->user, m->map.data, m->map.size);
    free(m);
}

static void forget(void *user)
{
    (void)user;
}

/* Takes the owner, also when failing. */
static hr_status open_over(struct hr_env *env, const char *name, struct hr_slice bytes,
                           struct hr_owner *owner, const struct mapped *mapped,
                           struct hr_ipc **ret)
{
    struct hr_ipc *ipc = hr_mem_zero(env, sizeof *ipc);
    hr_status r;

    if (!ipc) {
        hr_owner_drop(owner);
        return HR_EXHAUSTED;
    }
    ipc->env = env;
    ipc->owner = owner;
    ipc->mapped = mapped;
    ipc->p = (const uint8_t *)bytes.text;
    ipc->n = bytes.len;
    ipc->name = hr_mem_text(env, name);
    r = ipc->name ? read_file(ipc) : HR_EXHAUSTED;
    if (r < 0)
        hr_ipc_close(ipc);
    else
        *ret = ipc;
    return r;
}

hr_status hr_ipc_over(struct hr_env *env, const char *name, const void *bytes, size_t n,
                      struct hr_ipc **ret)
{
    struct hr_owner *owner = hr_owner_new(env, forget, NULL);

    return owner ? open_over(env, name, hr_slice(bytes, n), owner, NULL, ret) : HR_EXHAUSTED;
}

hr_status hr_ipc_open(struct hr_env *env, const char *path, struct hr_ipc **ret)
{
    struct mapped *m = calloc(1, sizeof *m); /* batches may outlive the env */
    struct hr_owner *owner;
    hr_status r;

    if (!m)
        return hr_fail_memory(env);
    m->os = env->os;
    if ((r = hr_file_map(env, path, &m->map)) < 0) {
        free(m);
        return r;
    }
    if (!(owner = hr_owner_new(env, unmap, m))) {
        unmap(m);
        return HR_EXHAUSTED;
    }
    return open_over(env, path, hr_slice(m->map.data, m->map.size), owner, m, ret);
}

const struct ArrowSchema *hr_ipc_schema(const struct hr_ipc *ipc)
{
    return &ipc->schema;
}

size_t hr_ipc_batches(const struct hr_ipc *ipc)
{
    return ipc->n_blocks;
}

void hr_ipc_close(struct hr_ipc *ipc)
{
    size_t i;

    if (!ipc)
        return;
    for (i = 0; i < ipc->n_dictionaries; i++)
        hr_owner_drop(ipc->dictionaries[i].owner);
    hr_mem_put(ipc->env, ipc->dictionaries, ipc->cap_dictionaries * sizeof *ipc->dictionaries);
    hr_mem_put(ipc->env, ipc->blocks, ipc->n_blocks * sizeof *ipc->blocks);
    HR_RELEASE(&ipc->schema);
    hr_owner_drop(ipc->owner);
    hr_mem_text_put(ipc->env, ipc->name);
    hr_mem_put(ipc->env, ipc, sizeof *ipc);
}
