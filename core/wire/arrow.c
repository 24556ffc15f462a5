#include "wire/arrow.h"

#include <string.h>

#include "headrace/rows.h"

enum { MAX_DEPTH = 32 }; /* of nested types: ours have two, recursion needs some bound */

struct check {
    struct hr_env *env;
    const char *what;
    const char *column; /* NULL: the batch itself */
};

/* -- types ------------------------------------------------------------------------- */

static enum hr_arrow_type nested(const char *format, int64_t *ret_width)
{
    if (!strcmp(format, "+s"))
        return HR_ARROW_STRUCT;
    if (!strcmp(format, "+l") || !strcmp(format, "+L")) {
        *ret_width = format[1] == 'l' ? 4 : 8;
        return HR_ARROW_LIST;
    }
    if (!strncmp(format, "+w:", 3) && hr_num_int(format + 3, strlen(format + 3), ret_width) &&
        *ret_width >= 0 && *ret_width <= INT32_MAX)
        return HR_ARROW_ARRAY;
    return HR_ARROW_BAD;
}

enum hr_arrow_type hr_arrow_type(const char *format, int64_t *ret_width)
{
    static const char singles[] = "cCsSiIlLfg";
    static const uint8_t widths[] = { 1, 1, 2, 2, 4, 4, 8, 8, 4, 8 };
    const char *at;

    *ret_width = 0;
    if (format[0] == '+')
        return nested(format, ret_width);
    if (format[0] && !format[1]) {
        if ((at = strchr(singles, format[0]))) {
            *ret_width = widths[at - singles];
            return HR_ARROW_FIXED;
        }
        *ret_width = format[0] == 'u' || format[0] == 'z' ? 4 : 8;
        if (strchr("uzUZ", format[0]))
            return HR_ARROW_BYTES;
        *ret_width = 0;
        if (format[0] == 'n')
            return HR_ARROW_NULL;
        return format[0] == 'b' ? HR_ARROW_BOOL : HR_ARROW_BAD;
    }
    if (!strcmp(format, "tdD")) {
        *ret_width = 4;
        return HR_ARROW_FIXED;
    }
    if (!strncmp(format, "ts", 2) && format[2] && strchr("smun", format[2]) && format[3] == ':') {
        *ret_width = 8;
        return HR_ARROW_FIXED;
    }
    return HR_ARROW_BAD;
}

int64_t hr_arrow_buffers(enum hr_arrow_type type)
{
    switch (type) {
    case HR_ARROW_NULL:
        return 0;
    case HR_ARROW_BYTES:
        return 3;
    case HR_ARROW_STRUCT:
    case HR_ARROW_ARRAY:
        return 1;
    default:
        return 2;
    }
}

/* -- schemas ----------------------------------------------------------------------- */

static hr_status bad_schema(const struct check *c, const struct ArrowSchema *s, const char *why)
{
    if (!c->column)
        return hr_fail(c->env, HR_INVALID, "%s: the schema %s", c->what, why);
    return hr_fail(c->env, HR_INVALID, "%s: column \"%s\" of format \"%s\" %s", c->what, c->column,
                   s->format ? s->format : "", why);
}

static bool is_index(const char *format)
{
    return format[0] && !format[1] && strchr("cCsSiIlL", format[0]);
}

/* Has it as many children as its type wants? */
static bool children_fit(const struct ArrowSchema *s, enum hr_arrow_type type)
{
    if (type == HR_ARROW_LIST || type == HR_ARROW_ARRAY)
        return s->n_children == 1;
    if (type == HR_ARROW_STRUCT)
        return s->n_children >= 0 && s->n_children <= HR_MAX_COLUMNS;
    return !s->n_children;
}

static hr_status check_type(const struct check *c, const struct ArrowSchema *s, int depth)
{
    enum hr_arrow_type type;
    int64_t width, i;
    hr_status r;

    if (depth > MAX_DEPTH)
        return bad_schema(c, s, "is nested too deeply");
    if (!s->release || !s->format)
        return bad_schema(c, s, "is empty: it was released or never filled");
    type = hr_arrow_type(s->format, &width);
    if (type == HR_ARROW_BAD)
        return bad_schema(c, s, "has a type that is not supported");
    if (s->dictionary && !is_index(s->format))
        return bad_schema(c, s, "has a dictionary, but no codes of an integer type");
    if (!children_fit(s, type))
        return bad_schema(c, s, "has a wrong number of children");
    for (i = 0; i < s->n_children; i++) {
        if (!s->children || !s->children[i])
            return bad_schema(c, s, "has no pointer to a child");
        if ((r = check_type(c, s->children[i], depth + 1)) < 0)
            return r;
    }
    return s->dictionary ? check_type(c, s->dictionary, depth + 1) : HR_OK;
}

hr_status hr_arrow_check_schema(struct hr_env *env, const struct ArrowSchema *schema,
                                const char *what)
{
    struct check c = { env, what, NULL };
    hr_status r;
    int64_t i;

    if (!schema->release || !schema->format)
        return bad_schema(&c, schema, "is empty: it was released or never filled");
    if (strcmp(schema->format, "+s") || schema->dictionary)
        return hr_fail(env, HR_INVALID, "%s: the schema has format \"%s\"; a batch has \"+s\"",
                       what, schema->format);
    if (schema->n_children < 0 || schema->n_children > HR_MAX_COLUMNS)
        return bad_schema(&c, schema, "has too many columns");
    for (i = 0; i < schema->n_children; i++) {
        const struct ArrowSchema *s = schema->children ? schema->children[i] : NULL;

        c.column = NULL;
        if (!s || !s->name)
            return bad_schema(&c, schema, "has a column without a name");
        c.column = s->name;
        if (hr_utf8_valid(s->name, strlen(s->name)) != strlen(s->name))
            return bad_schema(&c, s, "has a name that is not UTF-8");
        if ((r = check_type(&c, s, 1)) < 0)
            return r;
    }
    return HR_OK;
}

static bool meta_equal(const struct ArrowSchema *a, const struct ArrowSchema *b)
{
    const char *p = a->metadata;
    int32_t n, nk, nv, other = 0;
    const char *value;
    char key[64];

    if (!p)
        return true;
    memcpy(&n, p, sizeof n);
    for (p += sizeof n; n > 0; n--) {
        const char *k = p + sizeof nk;

        memcpy(&nk, p, sizeof nk);
        memcpy(&nv, k + nk, sizeof nv);
        p = k + nk + sizeof nv + nv;
        if (nk < 3 || memcmp(k, "hr:", 3) || (size_t)nk >= sizeof key)
            continue;
        memcpy(key, k, (size_t)nk);
        key[nk] = '\0';
        value = hr_schema_meta(b, key, &other);
        if (!value || other != nv || memcmp(value, p - nv, (size_t)nv))
            return false;
    }
    return true;
}

bool hr_arrow_schema_equal(const struct ArrowSchema *a, const struct ArrowSchema *b)
{
    int64_t i;

    if (strcmp(a->format, b->format) || a->n_children != b->n_children ||
        !a->dictionary != !b->dictionary || !meta_equal(a, b) || !meta_equal(b, a))
        return false;
    for (i = 0; i < a->n_children; i++) {
        const char *x = a->children[i]->name, *y = b->children[i]->name;

        /* the child of a list is called "item" by some and "element" by others */
        if (a->format[1] == 's' && strcmp(x ? x : "", y ? y : ""))
            return false;
        if (!hr_arrow_schema_equal(a->children[i], b->children[i]))
            return false;
    }
    return !a->dictionary || hr_arrow_schema_equal(a->dictionary, b->dictionary);
}

/* The type in one word, dictionaries and lists spelt out: "+l of z". */
static hr_status put_type(const struct ArrowSchema *s, struct hr_buf *to)
{
    hr_status r = hr_buf_format(to, "\"%s\" of format \"%s\"", s->name ? s->name : "", s->format);

    if (r == HR_OK && s->n_children == 1)
        r = hr_buf_format(to, " of \"%s\"", s->children[0]->format);
    if (r == HR_OK && s->dictionary)
        r = hr_buf_format(to, " by a dictionary of \"%s\"", s->dictionary->format);
    if (r == HR_OK && hr_schema_meta_is(s, "hr:null", "empty"))
        r = hr_buf_text(to, " where null is empty");
    return r;
}

hr_status hr_arrow_schema_differ(const struct ArrowSchema *a, const struct ArrowSchema *b,
                                 struct hr_buf *to)
{
    int64_t i;
    hr_status r;

    if (a->n_children != b->n_children)
        return hr_buf_format(to, "%lld columns, not %lld", (long long)a->n_children,
                             (long long)b->n_children);
    for (i = 0; i < a->n_children; i++) {
        const struct ArrowSchema *x = a->children[i], *y = b->children[i];

        if (hr_text_eq(x->name, y->name) && hr_arrow_schema_equal(x, y))
            continue;
        if ((r = hr_buf_format(to, "column %lld is ", (long long)i + 1)) < 0 ||
            (r = put_type(x, to)) < 0 || (r = hr_buf_text(to, ", not ")) < 0)
            return r;
        return put_type(y, to);
    }
    return hr_buf_text(to, "the metadata differs");
}

/* -- batches ----------------------------------------------------------------------- */

static hr_status bad(const struct check *c, const struct ArrowSchema *s, const char *why)
{
    if (!c->column)
        return hr_fail(c->env, HR_INVALID, "%s: a batch %s", c->what, why);
    return hr_fail(c->env, HR_INVALID, "%s: column \"%s\" of format \"%s\" %s", c->what, c->column,
                   s->format, why);
}

static hr_status bad_at(const struct check *c, const struct ArrowSchema *s, int64_t row,
                        const char *why)
{
    return hr_fail(c->env, HR_INVALID, "%s: column \"%s\" of format \"%s\", row %lld: %s", c->what,
                   c->column, s->format, (long long)row, why);
}

static bool bit(const void *bitmap, int64_t i)
{
    return ((const uint8_t *)bitmap)[i >> 3] >> (i & 7) & 1;
}

static int64_t count_nulls(const void *bitmap, int64_t from, int64_t n)
{
    int64_t i, count = 0;

    for (i = from; i < from + n && (i & 7); i++)
        count += !bit(bitmap, i);
    for (; i + 8 <= from + n; i += 8)
        count += 8 - __builtin_popcount(((const uint8_t *)bitmap)[i >> 3]);
    for (; i < from + n; i++)
        count += !bit(bitmap, i);
    return count;
}

static hr_status check_nulls(const struct check *c, const struct ArrowSchema *s,
                             const struct ArrowArray *a)
{
    const void *bitmap = a->n_buffers > 0 ? a->buffers[0] : NULL;

    if (a->null_count < -1 || a->null_count > a->length)
        return bad(c, s, "has an impossible number of nulls");
    if (a->n_buffers == 0)
        return HR_OK;
    if (!bitmap)
        return a->null_count > 0 ? bad(c, s, "counts nulls but has no validity bitmap") : HR_OK;
    if (a->null_count >= 0 && count_nulls(bitmap, a->offset, a->length) != a->null_count)
        return bad(c, s, "counts other nulls than its validity bitmap");
    return HR_OK;
}

static int64_t offset_at(const void *offsets, int64_t width, int64_t i)
{
    return width == 4 ? ((const int32_t *)offsets)[i] : ((const int64_t *)offsets)[i];
}

/* Offsets must not fall, and stay within [0, limit].  *ret_end: the last. */
static hr_status check_offsets(const struct check *c, const struct ArrowSchema *s,
                               const struct ArrowArray *a, int64_t width, int64_t limit)
{
    const void *offsets = a->buffers[1];
    int64_t i, at, last;

    if (!offsets)
        return a->length ? bad(c, s, "has no buffer of offsets") : HR_OK;
    if (a->length == 0)
        return HR_OK;
    last = offset_at(offsets, width, a->offset);
    if (last < 0)
        return bad_at(c, s, 0, "its offset is negative");
    for (i = 1; i <= a->length; i++, last = at) {
        at = offset_at(offsets, width, a->offset + i);
        if (at < last)
            return bad_at(c, s, i - 1, "it ends before it begins; offsets must not fall");
        if (at > limit)
            return bad_at(c, s, i - 1, "it ends beyond the values");
    }
    return HR_OK;
}

int64_t hr_arrow_code(const char *format, const void *codes, int64_t i)
{
    switch (format[0]) {
    case 'c':
        return ((const int8_t *)codes)[i];
    case 'C':
        return ((const uint8_t *)codes)[i];
    case 's':
        return ((const int16_t *)codes)[i];
    case 'S':
        return ((const uint16_t *)codes)[i];
    case 'i':
        return ((const int32_t *)codes)[i];
    case 'I':
        return ((const uint32_t *)codes)[i];
    default:
        return ((const int64_t *)codes)[i];
    }
}

static hr_status check_codes(const struct check *c, const struct ArrowSchema *s,
                             const struct ArrowArray *a)
{
    const void *bitmap = a->buffers[0];
    int64_t i, code, n = a->dictionary->length;

    for (i = 0; i < a->length; i++) {
        code = hr_arrow_code(s->format, a->buffers[1], a->offset + i);
        if ((code < 0 || code >= n) && (!bitmap || bit(bitmap, a->offset + i)))
            return bad_at(c, s, i, "its code is not in the dictionary");
    }
    return HR_OK;
}

static hr_status check_array(const struct check *c, const struct ArrowSchema *s,
                             const struct ArrowArray *a, int64_t least);

/* Where the items of row i of a list begin, or, of the row behind the last, where they end. */
static int64_t items_at(const struct ArrowArray *a, enum hr_arrow_type type, int64_t width,
                        int64_t i)
{
    return type == HR_ARROW_ARRAY ? (a->offset + i) * width
                                  : offset_at(a->buffers[1], width, a->offset + i);
}

/* A row is missing, or has values: nobody asks whether one within is null. */
static hr_status check_items(const struct check *c, const struct ArrowSchema *s,
                             const struct ArrowArray *a, enum hr_arrow_type type, int64_t width)
{
    const struct ArrowArray *items = a->children[0];
    const void *valid = items->n_buffers > 0 ? items->buffers[0] : NULL;
    int64_t i, at, end;

    if (!valid || !items->null_count || !a->length)
        return HR_OK;
    at = items_at(a, type, width, 0);
    end = items_at(a, type, width, a->length);
    if (!count_nulls(valid, items->offset + at, end - at))
        return HR_OK;
    for (i = 0; i < a->length; i++, at = end) {
        end = items_at(a, type, width, i + 1);
        if ((!a->buffers[0] || bit(a->buffers[0], a->offset + i)) &&
            count_nulls(valid, items->offset + at, end - at))
            return bad_at(c, s, i, "a value within is null; leave it out, or make the row null");
    }
    return HR_OK;
}

static hr_status check_bytes(const struct check *c, const struct ArrowSchema *s,
                             const struct ArrowArray *a, int64_t width)
{
    hr_status r = check_offsets(c, s, a, width, width == 4 ? INT32_MAX : INT64_MAX);

    if (r < 0)
        return r;
    if (a->length && !a->buffers[2] && offset_at(a->buffers[1], width, a->offset + a->length) > 0)
        return bad(c, s, "has no buffer of bytes");
    return HR_OK;
}

static hr_status check_parts(const struct check *c, const struct ArrowSchema *s,
                             const struct ArrowArray *a, enum hr_arrow_type type, int64_t width)
{
    int64_t end = a->offset + a->length, i;
    hr_status r;

    switch (type) {
    case HR_ARROW_BOOL:
    case HR_ARROW_FIXED:
        return a->length && !a->buffers[1] ? bad(c, s, "has no buffer of values") : HR_OK;
    case HR_ARROW_BYTES:
        return check_bytes(c, s, a, width);
    case HR_ARROW_LIST:
        if ((r = check_offsets(c, s, a, width, a->children[0]->length)) < 0)
            return r;
        r = check_array(c, s->children[0], a->children[0], 0);
        return r < 0 ? r : check_items(c, s, a, type, width);
    case HR_ARROW_ARRAY:
        if (width && end > INT64_MAX / width)
            return bad(c, s, "has an impossible length");
        r = check_array(c, s->children[0], a->children[0], end * width);
        return r < 0 ? r : check_items(c, s, a, type, width);
    case HR_ARROW_STRUCT:
        for (i = 0; i < a->n_children; i++)
            if ((r = check_array(c, s->children[i], a->children[i], end)) < 0)
                return r;
        return HR_OK;
    default:
        return HR_OK;
    }
}

static hr_status check_children(const struct check *c, const struct ArrowSchema *s,
                                const struct ArrowArray *a)
{
    int64_t i;

    if (a->n_children != s->n_children || (a->n_children && !a->children))
        return bad(c, s, "has a wrong number of children");
    for (i = 0; i < a->n_children; i++)
        if (!a->children[i])
            return bad(c, s, "has no pointer to a child");
    return HR_OK;
}

/* What can be seen without looking into a buffer. */
static hr_status check_head(const struct check *c, const struct ArrowSchema *s,
                            const struct ArrowArray *a, int64_t least, int64_t buffers)
{
    hr_status r;

    if (!a || !a->release)
        return bad(c, s, "is empty: it was released or never filled");
    if (a->length < 0 || a->offset < 0 || a->offset > INT64_MAX / 16 - a->length)
        return bad(c, s, "has an impossible length or offset");
    if (a->length < least)
        return hr_fail(c->env, HR_INVALID,
                       "%s: column \"%s\" of format \"%s\" has %lld values, too few for %lld",
                       c->what, c->column ? c->column : "", s->format, (long long)a->length,
                       (long long)least);
    if (a->n_buffers != buffers || (a->n_buffers && !a->buffers))
        return bad(c, s, "has a wrong number of buffers");
    if ((r = check_children(c, s, a)) < 0)
        return r;
    if (!a->dictionary != !s->dictionary)
        return bad(c, s, "and its schema disagree about a dictionary");
    return HR_OK;
}

/* An array of at least `least` values. */
static hr_status check_array(const struct check *c, const struct ArrowSchema *s,
                             const struct ArrowArray *a, int64_t least)
{
    int64_t width;
    enum hr_arrow_type type = hr_arrow_type(s->format, &width);
    hr_status r = check_head(c, s, a, least, hr_arrow_buffers(type));

    if (r < 0 || (r = check_nulls(c, s, a)) < 0 || (r = check_parts(c, s, a, type, width)) < 0)
        return r;
    if (!s->dictionary)
        return HR_OK;
    r = check_array(c, s->dictionary, a->dictionary, 0);
    return r < 0 ? r : check_codes(c, s, a);
}

hr_status hr_arrow_check(struct hr_env *env, const struct ArrowSchema *schema,
                         const struct ArrowArray *rows, const char *what)
{
    struct check c = { env, what, NULL };
    hr_status r;
    int64_t i;

    if (!rows->release)
        return bad(&c, schema, "is empty: it was released or never filled");
    if (rows->length < 0 || rows->offset < 0 || rows->offset > INT64_MAX / 16 - rows->length)
        return bad(&c, schema, "has an impossible length or offset");
    if (rows->n_children != schema->n_children)
        return hr_fail(env, HR_INVALID, "%s: a batch has %lld columns, its schema %lld", what,
                       (long long)rows->n_children, (long long)schema->n_children);
    if (rows->n_buffers != 1 || !rows->buffers || (rows->n_children && !rows->children))
        return bad(&c, schema, "has a wrong number of buffers");
    if (rows->dictionary)
        return bad(&c, schema, "has a dictionary");
    if (rows->buffers[0] && count_nulls(rows->buffers[0], rows->offset, rows->length))
        return bad(&c, schema, "has null rows");
    for (i = 0; i < rows->n_children; i++) {
        c.column = schema->children[i]->name;
        r = check_array(&c, schema->children[i], rows->children[i], rows->offset + rows->length);
        if (r < 0)
            return r;
    }
    return HR_OK;
}

static size_t size_of(const struct ArrowSchema *s, const struct ArrowArray *a, int64_t from,
                      int64_t n)
{
    int64_t width, i, first, last;
    enum hr_arrow_type type = hr_arrow_type(s->format, &width);
    size_t size = a->n_buffers && a->buffers[0] ? (size_t)n / 8 + 1 : 0;

    switch (type) {
    case HR_ARROW_BOOL:
        size += (size_t)n / 8 + 1;
        break;
    case HR_ARROW_FIXED:
        size += (size_t)(n * width);
        break;
    case HR_ARROW_BYTES:
    case HR_ARROW_LIST:
        if (!n || !a->buffers[1])
            break;
        first = offset_at(a->buffers[1], width, a->offset + from);
        last = offset_at(a->buffers[1], width, a->offset + from + n);
        size += (size_t)((n + 1) * width);
        if (type == HR_ARROW_BYTES)
            size += (size_t)(last - first);
        else
            size += size_of(s->children[0], a->children[0], first, last - first);
        break;
    case HR_ARROW_ARRAY:
        size += size_of(s->children[0], a->children[0], (a->offset + from) * width, n * width);
        break;
    case HR_ARROW_STRUCT:
        for (i = 0; i < a->n_children; i++)
            size += size_of(s->children[i], a->children[i], a->offset + from, n);
        break;
    default:
        break;
    }
    return size;
}

size_t hr_arrow_size(const struct ArrowSchema *schema, const struct ArrowArray *rows)
{
    return size_of(schema, rows, 0, rows->length);
}
