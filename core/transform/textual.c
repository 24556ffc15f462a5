/* Text value by value, and regular expressions: PCRE2 in UTF mode, with bounds on matching. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <stdio.h>
#include <string.h>

#include "transform/compile.h"
#include "transform/eval.h"

enum { MATCH_LIMIT = 1000000, DEPTH_LIMIT = 1000, HEAP_LIMIT = 16 * 1024 /* KiB */ };

struct hr_regex {
    pcre2_code *code;
    pcre2_match_context *context;
};

static pcre2_code *compile(struct hr_slice pattern, uint32_t more, int *error)
{
    PCRE2_SIZE at;

    return pcre2_compile((PCRE2_SPTR)pattern.text, pattern.len,
                         PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C | more,
                         error, &at, NULL);
}

bool hr_regex_check(struct hr_slice pattern, char *text, size_t size)
{
    pcre2_code *code;
    int error = 0;

    if ((code = compile(pattern, 0, &error))) {
        pcre2_code_free(code);
        return true;
    }
    if (pcre2_get_error_message(error, (PCRE2_UCHAR *)text, size) < 0)
        snprintf(text, size, "error %d", error);
    return false;
}

hr_status hr_regex_new(struct hr_env *env, struct hr_slice pattern, struct hr_regex **ret)
{
    struct hr_regex *x = hr_mem_zero(env, sizeof *x);
    int error = 0;

    if (!x)
        return HR_EXHAUSTED;
    if (!(x->code = compile(pattern, 0, &error)) ||
        !(x->context = pcre2_match_context_create(NULL))) {
        hr_regex_free(env, x);
        return hr_fail(env, HR_DATA_LOSS, "\"%.*s\" is no pattern", (int)pattern.len, pattern.text);
    }
    pcre2_jit_compile(x->code, PCRE2_JIT_COMPLETE); /* without it it is slower, no more */
    pcre2_set_match_limit(x->context, MATCH_LIMIT);
    pcre2_set_depth_limit(x->context, DEPTH_LIMIT);
    pcre2_set_heap_limit(x->context, HEAP_LIMIT);
    *ret = x;
    return HR_OK;
}

void hr_regex_free(struct hr_env *env, struct hr_regex *x)
{
    if (!x)
        return;
    pcre2_match_context_free(x->context);
    pcre2_code_free(x->code);
    hr_mem_put(env, x, sizeof *x);
}

void hr_regex_match_free(void *match)
{
    pcre2_match_data_free(match);
}

/* Groups of a match from at on, or 0; *ret_v are their limits.  <0: it was cut off. */
static int match(struct hr_eval *e, const struct hr_extra *x, struct hr_slice s, size_t at,
                 uint32_t options, PCRE2_SIZE **ret_v)
{
    int n;

    if (!e->match && !(e->match = pcre2_match_data_create(10, NULL)))
        return -1000;
    n = pcre2_match(x->regex->code, (PCRE2_SPTR)(s.len ? s.text : ""), s.len, at, options, e->match,
                    x->regex->context);
    *ret_v = pcre2_get_ovector_pointer(e->match);
    if (n == PCRE2_ERROR_NOMATCH)
        return 0;
    return n == 0 ? 10 : n;
}

static hr_status cut_off(struct hr_eval *e, const struct hr_reg *r, int64_t i, int code)
{
    if (code == -1000 || code == PCRE2_ERROR_NOMEMORY)
        return hr_eval_memory(e);
    return hr_eval_fail(e, r, i,
                        "a regular expression takes too many steps (code %d); write it "
                        "so that it need not try so many ways",
                        code);
}

/* Append to the bytes that a result is made of. */
static bool put(struct hr_buf *b, const char *text, size_t n)
{
    return hr_buf_add(b, text, n) == HR_OK;
}

/* The rewrite with \0 to \9 for the groups. */
static bool rewrite(struct hr_buf *b, struct hr_slice to, struct hr_slice s, const PCRE2_SIZE *v,
                    int groups)
{
    size_t i;
    bool ok = true;

    for (i = 0; i < to.len && ok; i++) {
        int g = i + 1 < to.len ? to.text[i + 1] - '0' : -1;

        if (to.text[i] != '\\') {
            ok = put(b, to.text + i, 1);
        } else if (g >= 0 && g <= 9) {
            if (g < groups && v[2 * g] != PCRE2_UNSET)
                ok = put(b, s.text + v[2 * g], v[2 * g + 1] - v[2 * g]);
            i++;
        } else {
            i += i + 1 < to.len && to.text[i + 1] == '\\';
            ok = put(b, "\\", 1);
        }
    }
    return ok;
}

static hr_status replace_one(struct hr_eval *e, const struct hr_step *st, const struct hr_extra *x,
                             struct hr_slice s, struct hr_buf *b)
{
    size_t at = 0, done = 0;
    PCRE2_SIZE *v;
    int n;

    while (at <= s.len && (n = match(e, x, s, at, 0, &v))) {
        if (n < 0)
            return (hr_status)n;
        if (!put(b, s.text + done, v[0] - done) || !rewrite(b, st->texts[1], s, v, n))
            return -1000;
        done = v[1];
        at = v[1];
        if (v[1] > v[0])
            continue;
        if (at < s.len && !put(b, s.text + at, 1))
            return -1000;
        done = ++at;
        for (; at < s.len && ((unsigned char)s.text[at] & 0xC0) == 0x80; done = ++at)
            if (!put(b, s.text + at, 1))
                return -1000;
    }
    return done < s.len && !put(b, s.text + done, s.len - done) ? -1000 : 0;
}

static hr_status replace(struct hr_eval *e, const struct hr_step *s, const struct hr_extra *x,
                         struct hr_reg *r, struct hr_reg *const *a)
{
    const struct hr_slice *p = a[0]->v;
    struct hr_slice *o = r->own;
    struct hr_buf b;
    hr_status status = HR_OK;
    int64_t i;

    hr_buf_of(&b, HR_MAX_VALUE_BYTES, e->env);
    for (i = 0; i < r->n && status == HR_OK; i++) {
        char *text;

        hr_buf_cut(&b, 0);
        if ((status = replace_one(e, s, x, p[i], &b)) < 0) {
            status = cut_off(e, r, i, status);
            break;
        }
        if (!(text = hr_pool_get(e, b.len + 1))) {
            status = hr_eval_memory(e);
            break;
        }
        memcpy(text, b.text, b.len);
        o[i] = hr_slice(text, b.len);
    }
    hr_buf_clear(&b);
    return status;
}

static hr_status matches(struct hr_eval *e, const struct hr_extra *x, struct hr_reg *r,
                         struct hr_reg *const *a)
{
    const struct hr_slice *p = a[0]->v;
    uint8_t *o = r->own;
    PCRE2_SIZE *v;
    int64_t i;
    int n;

    for (i = 0; i < r->n; i++) {
        n = match(e, x, p[i], 0, PCRE2_ANCHORED | PCRE2_ENDANCHORED, &v);
        if (n < 0)
            return cut_off(e, r, i, n);
        o[i] = n > 0;
    }
    return HR_OK;
}

/* The first match of each row: a group of it, or the first, or all where it has none. */
static hr_status extract(struct hr_eval *e, const struct hr_step *s, const struct hr_extra *x,
                         struct hr_reg *r, struct hr_reg *const *a)
{
    const struct hr_slice *p = a[0]->v;
    struct hr_slice *o;
    PCRE2_SIZE *v;
    int64_t i;

    r->n = e->rows;
    if (!(o = hr_reg_room(e, r, r->n, sizeof *o)) || !hr_reg_valid(e, r, r->n))
        return hr_eval_memory(e);
    for (i = 0; i < e->rows; i++) {
        int64_t k = a[0]->cst ? 0 : i;
        int n = 0, g = (int)s->ints[0];

        if (!a[0]->valid || a[0]->valid[k])
            n = match(e, x, p[k], 0, 0, &v);
        if (n < 0)
            return cut_off(e, r, i, n);
        if (g < 0)
            g = n > 1 ? 1 : 0;
        r->own_valid[i] = n > g && v[2 * g] != PCRE2_UNSET;
        o[i] = r->own_valid[i] ? hr_slice(p[k].text + v[2 * g], v[2 * g + 1] - v[2 * g])
                               : hr_slice("", 0);
    }
    return HR_OK;
}

/* -- plain text ---------------------------------------- */

/* Letters of ASCII, as TensorFlow's lower and upper. */
static hr_status change_case(struct hr_eval *e, const struct hr_step *s, struct hr_reg *r,
                             struct hr_reg *const *a)
{
    const struct hr_slice *p = a[0]->v;
    struct hr_slice *o = r->own;
    char from = s->op == HR_OP_LOWER ? 'A' : 'a';
    int64_t i;
    size_t k;

    for (i = 0; i < r->n; i++) {
        char *text = hr_pool_get(e, p[i].len + 1);

        if (!text)
            return hr_eval_memory(e);
        for (k = 0; k < p[i].len; k++) {
            char c = p[i].text[k];

            text[k] = c >= from && c <= from + 25 ? (char)(c ^ 32) : c;
        }
        o[i] = hr_slice(text, k);
    }
    return HR_OK;
}

static void strip(struct hr_reg *r, struct hr_reg *const *a)
{
    const struct hr_slice *p = a[0]->v;
    struct hr_slice *o = r->own;
    int64_t i;

    for (i = 0; i < r->n; i++) {
        struct hr_slice s = p[i];

        while (s.len && (*s.text == ' ' || (*s.text >= '\t' && *s.text <= '\r')))
            s.text++, s.len--;
        while (s.len && (s.text[s.len - 1] == ' ' ||
                         (s.text[s.len - 1] >= '\t' && s.text[s.len - 1] <= '\r')))
            s.len--;
        o[i] = s;
    }
}

static int64_t characters(struct hr_slice s)
{
    int64_t n = 0;
    size_t i;

    for (i = 0; i < s.len; i++)
        n += ((unsigned char)s.text[i] & 0xC0) != 0x80;
    return n;
}

/* Where character n begins; the end if there are fewer. */
static size_t character(struct hr_slice s, int64_t n)
{
    size_t i;

    for (i = 0; i < s.len; i++)
        if (((unsigned char)s.text[i] & 0xC0) != 0x80 && n-- == 0)
            break;
    return i;
}

static struct hr_slice cut(struct hr_slice s, int64_t from, int64_t n, bool chars)
{
    int64_t size = chars ? characters(s) : (int64_t)s.len;
    size_t begin, end;

    if (from < 0)
        from = from + size > 0 ? from + size : 0;
    if (from > size)
        from = size;
    if (n > size - from)
        n = size - from;
    begin = chars ? character(s, from) : (size_t)from;
    end = chars ? character(s, from + n) : (size_t)(from + n);
    return hr_slice(s.text + begin, end - begin);
}

static hr_status concat(struct hr_eval *e, const struct hr_step *s, struct hr_reg *r,
                        struct hr_reg *const *a)
{
    struct hr_slice *o = r->own;
    int64_t i;
    int32_t k;

    for (i = 0; i < r->n; i++) {
        size_t n = 0;
        char *text;

        for (k = 0; k < s->nargs; k++)
            n += ((const struct hr_slice *)a[k]->v)[a[k]->cst ? 0 : i].len;
        if (!(text = hr_pool_get(e, n + 1)))
            return hr_eval_memory(e);
        o[i] = hr_slice(text, n);
        for (k = 0; k < s->nargs; k++) {
            struct hr_slice part = ((const struct hr_slice *)a[k]->v)[a[k]->cst ? 0 : i];

            if (part.len)
                memcpy(text, part.text, part.len);
            text += part.len;
        }
    }
    return HR_OK;
}

/* A list of pieces for each row. */
static hr_status split(struct hr_eval *e, const struct hr_step *s, struct hr_reg *r,
                       struct hr_reg *const *a)
{
    const struct hr_slice *p = a[0]->v, sep = s->texts[0];
    int32_t *offsets = hr_reg_offsets(e, r, e->rows);
    int64_t i, n = 0;

    if (!offsets)
        return hr_eval_memory(e);
    r->valid = a[0]->valid;
    offsets[0] = 0;
    for (i = 0; i < e->rows; i++, offsets[i] = (int32_t)n) {
        int64_t k = a[0]->cst ? 0 : i;
        struct hr_slice left = p[k];
        bool more = !a[0]->valid || a[0]->valid[k];

        while (more) {
            const char *at =
                left.len < sep.len ? NULL : memmem(left.text, left.len, sep.text, sep.len);
            size_t len = at ? (size_t)(at - left.text) : left.len;
            struct hr_slice *o;

            if (n == INT32_MAX || !(o = hr_reg_room(e, r, n + 1, sizeof *o)))
                return hr_eval_memory(e);
            o[n] = hr_slice(left.text, len);
            n += len || !s->ints[0];
            if ((more = at != NULL))
                left = hr_slice(at + sep.len, left.len - len - sep.len);
        }
    }
    r->n = n;
    return n || hr_reg_room(e, r, 1, sizeof(struct hr_slice)) ? HR_OK : hr_eval_memory(e);
}

static hr_status join(struct hr_eval *e, const struct hr_step *s, struct hr_reg *r,
                      struct hr_reg *const *a)
{
    const struct hr_slice *p = a[0]->v, sep = s->texts[0];
    struct hr_slice *o;
    int64_t i, k, n, at = 0;

    r->n = e->rows;
    if (!(o = hr_reg_room(e, r, r->n, sizeof *o)))
        return hr_eval_memory(e);
    r->valid = a[0]->valid;
    for (i = 0; i < e->rows; i++) {
        size_t size = 0;
        char *text;

        n = hr_reg_row(a[0], i, &at);
        for (k = 0; k < n; k++)
            size += p[at + k].len + sep.len;
        if (!(text = hr_pool_get(e, size + 1)))
            return hr_eval_memory(e);
        o[i] = hr_slice(text, n ? size - sep.len : 0);
        for (k = 0; k < n; k++) {
            if (k && sep.len)
                memcpy(text, sep.text, sep.len), text += sep.len;
            if (p[at + k].len)
                memcpy(text, p[at + k].text, p[at + k].len), text += p[at + k].len;
        }
    }
    return HR_OK;
}

hr_status hr_kernel_text(struct hr_eval *e, const struct hr_step *s, const struct hr_extra *x,
                         struct hr_reg *r, struct hr_reg *const *a)
{
    const struct hr_slice *p = a[0]->v;
    int64_t i;

    switch (s->op) {
    case HR_OP_LOWER:
    case HR_OP_UPPER:
        return change_case(e, s, r, a);
    case HR_OP_STRIP:
        strip(r, a);
        return HR_OK;
    case HR_OP_LENGTH:
        for (i = 0; i < r->n; i++)
            ((int64_t *)r->own)[i] = s->ints[0] ? characters(p[i]) : (int64_t)p[i].len;
        return HR_OK;
    case HR_OP_SUBSTR:
        for (i = 0; i < r->n; i++)
            ((struct hr_slice *)r->own)[i] = cut(p[i], s->ints[0], s->ints[1], s->ints[2] != 0);
        return HR_OK;
    case HR_OP_CONCAT_TEXT:
        return concat(e, s, r, a);
    case HR_OP_REPLACE:
        return replace(e, s, x, r, a);
    case HR_OP_MATCH:
        return matches(e, x, r, a);
    case HR_OP_EXTRACT:
        return extract(e, s, x, r, a);
    case HR_OP_SPLIT:
        return split(e, s, r, a);
    default:
        return join(e, s, r, a);
    }
}
