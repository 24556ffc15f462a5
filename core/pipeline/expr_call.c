/* The functions of expressions: one row each, in byte order of their names. */
#include <math.h>
#include <string.h>

#include "pipeline/expr_tree.h"

typedef hr_status function(const struct hr_call *c, struct hr_term *ret);

static hr_status fail(const struct hr_call *c, const char *what)
{
    return hr_expr_fail(c->env, c->t, c->expr->at, NULL, "%s: %s", c->expr->text, what);
}

static hr_status text_of(const struct hr_call *c, const char *text, size_t n, struct hr_term *ret)
{
    *ret = (struct hr_term){ .kind = HR_TERM_TEXT, .text = hr_arena_bytes(c->arena, text, n) };
    return ret->text ? HR_OK : HR_EXHAUSTED;
}

static bool is_text(const struct hr_call *c, size_t i)
{
    return c->args[i].kind == HR_TERM_TEXT;
}

static hr_status do_base64(const struct hr_call *c, struct hr_term *ret)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p;
    size_t n, i, k = 0;
    char *to;

    if (!is_text(c, 0))
        return fail(c, "a text is wanted");
    p = (const unsigned char *)c->args[0].text;
    n = strlen(c->args[0].text);
    if (!(to = hr_arena_get(c->arena, (n + 2) / 3 * 4 + 1)))
        return HR_EXHAUSTED;
    for (i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)p[i] << 16 | (i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0) |
                     (i + 2 < n ? p[i + 2] : 0);

        to[k++] = digits[v >> 18];
        to[k++] = digits[v >> 12 & 63];
        to[k++] = i + 1 < n ? digits[v >> 6 & 63] : '=';
        to[k++] = i + 2 < n ? digits[v & 63] : '=';
    }
    *ret = (struct hr_term){ .kind = HR_TERM_TEXT, .text = to };
    return HR_OK;
}

static hr_status do_basename(const struct hr_call *c, struct hr_term *ret)
{
    if (!is_text(c, 0))
        return fail(c, "a text is wanted");
    *ret = (struct hr_term){ .kind = HR_TERM_TEXT, .text = hr_path_name(c->args[0].text) };
    return HR_OK;
}

static hr_status do_dirname(const struct hr_call *c, struct hr_term *ret)
{
    char dir[HR_MAX_PATH];

    if (!is_text(c, 0))
        return fail(c, "a text is wanted");
    hr_path_dir(c->args[0].text, dir);
    return text_of(c, dir, strlen(dir), ret);
}

static hr_status do_exists(const struct hr_call *c, struct hr_term *ret)
{
    *ret = (struct hr_term){ .kind = HR_TERM_BOOL, .i = c->args[0].kind != HR_TERM_NULL };
    return HR_OK;
}

static hr_status do_float(const struct hr_call *c, struct hr_term *ret)
{
    const struct hr_term *a = &c->args[0];

    *ret = (struct hr_term){ .kind = HR_TERM_FLOAT, .d = a->d };
    if (a->kind == HR_TERM_INT)
        ret->d = (double)a->i;
    else if (a->kind == HR_TERM_TEXT ? !hr_num_double(a->text, strlen(a->text), &ret->d)
                                     : a->kind != HR_TERM_FLOAT)
        return fail(c, "a number, or a text that is one, is wanted");
    return HR_OK;
}

static hr_status do_int(const struct hr_call *c, struct hr_term *ret)
{
    const struct hr_term *a = &c->args[0];

    *ret = (struct hr_term){ .kind = HR_TERM_INT, .i = a->i };
    if (a->kind == HR_TERM_FLOAT) {
        if (!(fabs(a->d) < 9.2e18))
            return fail(c, "the number passes 64 bits");
        ret->i = (int64_t)a->d;
    } else if (a->kind == HR_TERM_TEXT ? !hr_num_int(a->text, strlen(a->text), &ret->i)
                                       : a->kind != HR_TERM_INT && a->kind != HR_TERM_BOOL) {
        return fail(c, "a number, or a text that is an int, is wanted");
    }
    return HR_OK;
}

static hr_status do_join(const struct hr_call *c, struct hr_term *ret)
{
    struct hr_buf text;
    hr_status r = HR_OK;
    size_t i;

    if (c->args[0].kind != HR_TERM_LIST || !is_text(c, 1))
        return fail(c, "a list of texts and a separator are wanted");
    hr_buf_of(&text, 1 << 20, c->env);
    for (i = 0; i < c->args[0].count && r == HR_OK; i++) {
        if (c->args[0].items[i].kind != HR_TERM_TEXT)
            r = fail(c, "an element is no text");
        else if (i)
            r = hr_buf_text(&text, c->args[1].text);
        if (r == HR_OK)
            r = hr_buf_text(&text, c->args[0].items[i].text);
    }
    if (r == HR_OK)
        r = text_of(c, text.text, text.len, ret);
    hr_buf_clear(&text);
    return r;
}

static hr_status do_json(const struct hr_call *c, struct hr_term *ret)
{
    struct hr_buf text;
    hr_status r;

    hr_buf_of(&text, 1 << 24, c->env);
    r = hr_term_json(&c->args[0], &text);
    if (r == HR_OK)
        r = text_of(c, text.text, text.len, ret);
    hr_buf_clear(&text);
    return r;
}

static hr_status do_len(const struct hr_call *c, struct hr_term *ret)
{
    const struct hr_term *a = &c->args[0];
    const char *p, *end;

    *ret = (struct hr_term){ .kind = HR_TERM_INT, .i = (int64_t)a->count };
    if (a->kind == HR_TERM_LIST)
        return HR_OK;
    if (a->kind != HR_TERM_TEXT)
        return fail(c, "a text or a list is wanted");
    for (ret->i = 0, p = a->text, end = p + strlen(p); p < end; ret->i++)
        hr_utf8_next(&p, end);
    return HR_OK;
}

/* ASCII only: what a letter is elsewhere depends on the language. */
static hr_status change_case(const struct hr_call *c, char from, int by, struct hr_term *ret)
{
    char *p;
    hr_status r;

    if (!is_text(c, 0))
        return fail(c, "a text is wanted");
    r = text_of(c, c->args[0].text, strlen(c->args[0].text), ret);
    for (p = r == HR_OK ? (char *)(uintptr_t)ret->text : NULL; p && *p; p++)
        if (*p >= from && *p < from + 26)
            *p = (char)(*p + by);
    return r;
}

static hr_status do_lower(const struct hr_call *c, struct hr_term *ret)
{
    return change_case(c, 'A', 32, ret);
}

static hr_status do_upper(const struct hr_call *c, struct hr_term *ret)
{
    return change_case(c, 'a', -32, ret);
}

/* Of the arguments, or of one list. */
static hr_status extreme(const struct hr_call *c, int sign, struct hr_term *ret)
{
    bool list = c->count == 1 && c->args[0].kind == HR_TERM_LIST, comparable = true;
    const struct hr_term *items = list ? c->args[0].items : c->args;
    size_t n = list ? c->args[0].count : c->count, i;

    if (!n)
        return fail(c, "no values");
    *ret = items[0];
    for (i = 1; i < n; i++) {
        int order = hr_term_compare(&items[i], ret, &comparable);

        if (!comparable || order == 2)
            return fail(c, "the values cannot be compared");
        if (order == sign)
            *ret = items[i];
    }
    return HR_OK;
}

static hr_status do_max(const struct hr_call *c, struct hr_term *ret)
{
    return extreme(c, 1, ret);
}

static hr_status do_min(const struct hr_call *c, struct hr_term *ret)
{
    return extreme(c, -1, ret);
}

static hr_status do_replace(const struct hr_call *c, struct hr_term *ret)
{
    const char *p, *hit;
    struct hr_buf text;
    hr_status r = HR_OK;

    if (!is_text(c, 0) || !is_text(c, 1) || !is_text(c, 2) || !c->args[1].text[0])
        return fail(c, "three texts are wanted, the second not empty");
    hr_buf_of(&text, 1 << 20, c->env);
    for (p = c->args[0].text; r == HR_OK && (hit = strstr(p, c->args[1].text));
         p = hit + strlen(c->args[1].text)) {
        r = hr_buf_add(&text, p, (size_t)(hit - p));
        if (r == HR_OK)
            r = hr_buf_text(&text, c->args[2].text);
    }
    if (r == HR_OK)
        r = hr_buf_text(&text, p);
    if (r == HR_OK)
        r = text_of(c, text.text, text.len, ret);
    hr_buf_clear(&text);
    return r;
}

static hr_status do_round(const struct hr_call *c, struct hr_term *ret)
{
    const struct hr_term *a = &c->args[0];

    *ret = *a;
    if (a->kind == HR_TERM_INT)
        return HR_OK;
    if (a->kind != HR_TERM_FLOAT || !(fabs(a->d) < 9.2e18))
        return fail(c, "a number within 64 bits is wanted");
    *ret = (struct hr_term){ .kind = HR_TERM_INT, .i = (int64_t)rint(a->d) };
    return HR_OK;
}

/* [a, b, c, d] and 2: [[a, b], [b, c], [c, d]].  A window that the list does not fill is none. */
static hr_status do_sliding_window(const struct hr_call *c, struct hr_term *ret)
{
    const struct hr_term *list = &c->args[0], *size = &c->args[1];
    int64_t stride = c->count > 2 && c->args[2].kind == HR_TERM_INT ? c->args[2].i : c->count < 3;
    struct hr_term *windows;
    size_t n = 0, at;

    if (list->kind != HR_TERM_LIST || size->kind != HR_TERM_INT || size->i < 1 || stride < 1)
        return fail(c, "a list, the size of a window and perhaps a stride, both ints from 1 on, "
                       "are wanted");
    if (!(windows = hr_arena_array(c->arena, list->count + 1, sizeof *windows)))
        return HR_EXHAUSTED;
    for (at = 0; at < list->count && (uint64_t)size->i <= list->count - at; n++) {
        windows[n] = (struct hr_term){ .kind = HR_TERM_LIST,
                                       .items = list->items + at,
                                       .count = (size_t)size->i };
        at += (uint64_t)stride < list->count - at ? (size_t)stride : list->count - at;
    }
    *ret = (struct hr_term){ .kind = HR_TERM_LIST, .items = windows, .count = n };
    return HR_OK;
}

static hr_status do_string(const struct hr_call *c, struct hr_term *ret)
{
    if (!is_text(c, 0))
        return do_json(c, ret);
    *ret = c->args[0];
    return HR_OK;
}

static const struct row {
    const char *name;
    size_t least, most;
    function *call;
} rows[] = {
    { "base64", 1, 1, do_base64 },   { "basename", 1, 1, do_basename },
    { "dirname", 1, 1, do_dirname }, { "exists", 1, 1, do_exists },
    { "float", 1, 1, do_float },     { "int", 1, 1, do_int },
    { "join", 2, 2, do_join },       { "json", 1, 1, do_json },
    { "len", 1, 1, do_len },         { "lower", 1, 1, do_lower },
    { "max", 1, 64, do_max },        { "min", 1, 64, do_min },
    { "replace", 3, 3, do_replace }, { "round", 1, 1, do_round },
    { "sliding_window", 2, 3, do_sliding_window },
    { "string", 1, 1, do_string },   { "upper", 1, 1, do_upper },
};

hr_status hr_expr_call(const struct hr_call *c, struct hr_term *ret)
{
    const char *names[sizeof rows / sizeof rows[0]];
    size_t n = sizeof rows / sizeof rows[0], i;

    for (i = 0; i < n; i++) {
        names[i] = rows[i].name;
        if (strcmp(rows[i].name, c->expr->text) != 0)
            continue;
        if (c->count >= rows[i].least && c->count <= rows[i].most)
            return rows[i].call(c, ret);
        if (rows[i].least != rows[i].most)
            return hr_expr_fail(c->env, c->t, c->expr->at, NULL,
                                "%s takes %zu to %zu arguments, not %zu", rows[i].name,
                                rows[i].least, rows[i].most, c->count);
        return hr_expr_fail(c->env, c->t, c->expr->at, NULL, "%s takes %zu arguments, not %zu",
                            rows[i].name, rows[i].least, c->count);
    }
    return hr_expr_fail(c->env, c->t, c->expr->at, hr_text_meant(c->expr->text, names, n),
                        "there is no function \"%s\"", c->expr->text);
}

/* -- terms and JSON -------------------------------------------------------- */

static void put(struct hr_json_writer *w, const struct hr_term *t)
{
    size_t i;

    switch (t->kind) {
    case HR_TERM_BOOL:
        hr_json_put_bool(w, t->i != 0);
        break;
    case HR_TERM_INT:
        hr_json_put_int(w, t->i);
        break;
    case HR_TERM_FLOAT:
        hr_json_put_double(w, t->d);
        break;
    case HR_TERM_TEXT:
    case HR_TERM_ARTIFACT:
        hr_json_put_text(w, t->text);
        break;
    case HR_TERM_JSON:
        hr_json_put_raw(w, t->text, strlen(t->text));
        break;
    case HR_TERM_LIST:
        hr_json_open_array(w);
        for (i = 0; i < t->count; i++)
            put(w, &t->items[i]);
        hr_json_close_array(w);
        break;
    default:
        hr_json_put_null(w);
    }
}

hr_status hr_term_json(const struct hr_term *term, struct hr_buf *to)
{
    struct hr_json_writer w;

    hr_json_begin(&w, to, 0);
    put(&w, term);
    return hr_json_end(&w);
}

static hr_status list_of(const struct hr_json_doc *doc, const struct hr_json *v,
                         struct hr_arena *arena, struct hr_term *ret)
{
    size_t n = hr_json_count(v), i = 0;
    struct hr_term *items = hr_arena_array(arena, n + 1, sizeof *items);
    const struct hr_json *m;
    hr_status r = items ? HR_OK : HR_EXHAUSTED;

    for (m = hr_json_first(v); m && r == HR_OK; m = hr_json_next(m))
        r = hr_term_of_json(doc, m, arena, &items[i++]);
    *ret = (struct hr_term){ .kind = HR_TERM_LIST, .items = items, .count = n };
    return r;
}

hr_status hr_term_of_json(const struct hr_json_doc *doc, const struct hr_json *v,
                          struct hr_arena *arena, struct hr_term *ret)
{
    struct hr_slice source;

    *ret = (struct hr_term){ .kind = HR_TERM_NULL };
    switch (hr_json_kind(v)) {
    case HR_JSON_NULL:
        return HR_OK;
    case HR_JSON_BOOL:
        *ret = (struct hr_term){ .kind = HR_TERM_BOOL, .i = hr_json_bool(v) };
        return HR_OK;
    case HR_JSON_NUMBER:
        ret->kind = HR_TERM_INT;
        if (hr_json_int(doc, v, &ret->i))
            return HR_OK;
        ret->kind = HR_TERM_FLOAT;
        hr_json_double(doc, v, &ret->d);
        return HR_OK;
    case HR_JSON_STRING:
        ret->kind = HR_TERM_TEXT;
        ret->text = hr_arena_text(arena, hr_json_text(v));
        break;
    case HR_JSON_ARRAY:
        return list_of(doc, v, arena, ret);
    default:
        source = hr_json_source(doc, v);
        ret->kind = HR_TERM_JSON;
        ret->text = hr_arena_bytes(arena, source.text, source.len);
    }
    return ret->text ? HR_OK : HR_EXHAUSTED;
}
