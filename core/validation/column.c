#include "validation/column.h"

#include <math.h>
#include <string.h>

enum { CHUNK = 1024 };

void hr_column_init(struct hr_column *c)
{
    memset(c, 0, sizeof *c);
    hr_counts_init(&c->lengths);
    hr_counts_init(&c->numbers);
    hr_words_init(&c->words);
    c->min = c->finite_min = INFINITY;
    c->max = c->finite_max = -INFINITY;
    hr_column_wait(c, HR_COLUMN_LATE);
}

void hr_column_wait(struct hr_column *c, size_t most)
{
    hr_tally_init(&c->waiting, most < HR_TALLY_MOST ? most : HR_TALLY_MOST);
    c->words.late_most = most;
}

static void drop_head(struct hr_env *env, struct hr_column *c)
{
    if (c->head)
        hr_mem_put(env, c->head, c->head_cap * sizeof *c->head);
    c->head = NULL;
    c->head_n = c->head_cap = 0;
    c->head_over = true;
}

void hr_column_clear(struct hr_env *env, struct hr_column *c)
{
    hr_counts_clear(env, &c->lengths);
    hr_counts_clear(env, &c->numbers);
    hr_words_clear(env, &c->words);
    drop_head(env, c);
    hr_tally_clear(env, &c->waiting);
    if (c->sums)
        hr_mem_put(env, c->sums, sizeof *c->sums);
    c->sums = NULL;
}

/* -- numbers --------------------------------------------------------------------------- */

/* From now on sums are kept apart: the keys, exact as yet, are to lose bits. */
static hr_status begin_sums(struct hr_env *env, struct hr_column *c)
{
    c->sums = hr_mem_zero(env, sizeof *c->sums);
    if (!c->sums)
        return HR_EXHAUSTED;
    hr_exact_counts(c->sums, c->numbers.items, c->numbers.n);
    return HR_OK;
}

/* After more were united with the numbers. */
static hr_status fit_numbers(struct hr_env *env, struct hr_column *c)
{
    hr_status r = HR_OK;

    if (c->numbers.n > HR_COUNTS_MAX && !c->sums)
        r = begin_sums(env, c);
    hr_counts_fit(&c->numbers);
    return r;
}

static uint64_t zeros_of(const struct hr_count *list, size_t n)
{
    const uint64_t zero = hr_count_key(0);
    size_t from = 0, half;

    while (n > 1) { /* the last that is not greater */
        half = n / 2;
        from += list[from + half].key <= zero ? half : 0;
        n -= half;
    }
    return n && list[from].key == zero ? list[from].n : 0;
}

/* Count the special ones, find the bounds, and add all to the table. */
static hr_status count_runs(struct hr_env *env, struct hr_column *c, struct hr_runs *runs)
{
    size_t from = 0, to = runs->n;
    double least, most;
    hr_status r;

    if (to && runs->items[to - 1].key == hr_count_key(INFINITY))
        c->positive += runs->items[--to].n;
    if (from < to && runs->items[from].key == hr_count_key(-INFINITY))
        c->negative += runs->items[from++].n;
    if (from < to) {
        least = hr_count_value(runs->items[from].key);
        most = hr_count_value(runs->items[to - 1].key);
        c->finite_min = least < c->finite_min ? least : c->finite_min;
        c->finite_max = most > c->finite_max ? most : c->finite_max;
        c->zeros += zeros_of(runs->items + from, to - from);
    }
    if (c->sums)
        hr_exact_counts(c->sums, runs->items, runs->n);
    r = hr_counts_unite(env, &c->numbers, runs->items, runs->n);
    return r < 0 ? r : fit_numbers(env, c);
}

/* Count the numbers that wait: those of the list, or those that are counted by distance. */
static hr_status settle_numbers(struct hr_env *env, struct hr_column *c, bool near)
{
    struct hr_runs runs;
    hr_status r =
        near ? hr_tally_near(env, &c->waiting, &runs) : hr_tally_runs(env, &c->waiting, &runs);

    if (r == HR_OK && runs.n)
        r = count_runs(env, c, &runs);
    hr_runs_clear(env, &runs);
    return r;
}

hr_status hr_column_settle(struct hr_env *env, struct hr_column *c)
{
    hr_status r = settle_numbers(env, c, false);

    if (r == HR_OK)
        r = settle_numbers(env, c, true);
    hr_column_bounds(c);
    return r < 0 ? r : hr_words_settle(env, &c->words);
}

static hr_status keep_head(struct hr_env *env, struct hr_column *c, const double *v, size_t n)
{
    if (c->head_over)
        return HR_OK;
    if (c->head_n + n > HR_COLUMN_HEAD_VALUES) {
        drop_head(env, c);
        return HR_OK;
    }
    if (!n)
        return HR_OK;
    if (!hr_mem_reserve(env, (void **)&c->head, &c->head_cap, c->head_n + n, sizeof *c->head,
                        HR_COLUMN_HEAD_VALUES))
        return HR_EXHAUSTED;
    memcpy(c->head + c->head_n, v, n * sizeof *v);
    c->head_n += n;
    return HR_OK;
}

/* At most CHUNK numbers of a kind. */
struct numbers {
    enum hr_tally_kind kind;
    const void *v;
    size_t n;
};

static double number(const struct numbers *x, size_t i)
{
    if (x->kind == HR_TALLY_FLOAT)
        return (double)((const float *)x->v)[i];
    if (x->kind == HR_TALLY_INT)
        return (double)((const int64_t *)x->v)[i];
    return ((const double *)x->v)[i];
}

static hr_status add_head(struct hr_env *env, struct hr_column *c, const struct numbers *x)
{
    double v[CHUNK];
    size_t i, n = 0;

    for (i = 0; i < x->n; i++) {
        v[n] = number(x, i);
        n += v[n] == v[n];
    }
    return keep_head(env, c, v, n);
}

static hr_status add_numbers(struct hr_env *env, struct hr_column *c, const struct numbers *x)
{
    hr_status r = c->head_over ? HR_OK : add_head(env, c, x);
    struct hr_tally *t = &c->waiting;
    size_t i, n;

    for (i = 0; i < x->n && r == HR_OK; i += n) {
        r = hr_tally_room(env, t, x->kind, x->n - i, &n);
        if (r == HR_OK && !n)
            r = settle_numbers(env, c, false);
        if (r == HR_OK && !n && t->near_n < t->most / 16) /* the first one was an odd one */
            r = settle_numbers(env, c, true);
        if (r < 0 || !n)
            continue;
        if (x->kind == HR_TALLY_FLOAT)
            c->nan += hr_tally_floats(t, (const float *)x->v + i, n);
        else if (x->kind == HR_TALLY_INT)
            r = hr_tally_ints(env, t, (const int64_t *)x->v + i, n);
        else
            c->nan += hr_tally_doubles(t, (const double *)x->v + i, n);
    }
    if (r == HR_OK && t->near_n > UINT32_MAX / 2)
        r = settle_numbers(env, c, true);
    return r;
}

void hr_column_bounds(struct hr_column *c)
{
    c->min = c->negative ? -INFINITY : c->finite_min;
    c->max = c->positive ? INFINITY : c->finite_max;
    if (c->positive && !c->negative && c->finite_min > c->finite_max)
        c->min = INFINITY;
    if (c->negative && !c->positive && c->finite_min > c->finite_max)
        c->max = -INFINITY;
}

static enum hr_tally_kind kind_of(const struct hr_col *col)
{
    if (col->format == 'f')
        return HR_TALLY_FLOAT;
    return col->kind == HR_COL_INT && col->format != 'L' ? HR_TALLY_INT : HR_TALLY_DOUBLE;
}

/* Values at..at + n, chunk by chunk. */
static hr_status add_run(struct hr_env *env, struct hr_column *c, const struct hr_col *col,
                         int64_t at, int64_t n)
{
    struct numbers x = { .kind = kind_of(col) };
    union {
        int64_t l[CHUNK];
        double d[CHUNK];
    } v;
    hr_status r = HR_OK;
    int64_t i, k;

    for (; n > 0 && r == HR_OK; at += k, n -= k) {
        k = n < CHUNK ? n : CHUNK;
        x.n = (size_t)k;
        x.v = &v;
        if (col->format == 'f')
            x.v = (const float *)col->values + at;
        else if (col->format == 'l')
            x.v = (const int64_t *)col->values + at;
        else if (x.kind == HR_TALLY_INT)
            for (i = 0; i < k; i++)
                v.l[i] = hr_col_int(col, at + i);
        else
            for (i = 0; i < k; i++)
                v.d[i] = hr_col_double(col, at + i);
        r = add_numbers(env, c, &x);
    }
    return r;
}

/* Of a column of floats or int64 some rows of which are null: values that are not close ranks. */
static hr_status add_valid(struct hr_env *env, struct hr_column *c, const struct hr_col *col,
                           int64_t from, int64_t to)
{
    struct numbers x = { .kind = kind_of(col) };
    union {
        float f[CHUNK];
        int64_t l[CHUNK];
    } v;
    hr_status r = HR_OK;
    int64_t i, end;
    size_t n;

    x.v = &v;
    for (i = col->at + from, to += col->at; i < to && r == HR_OK;) {
        end = to - i < CHUNK ? to : i + CHUNK;
        n = 0;
        if (col->format == 'f')
            for (; i < end; i++) {
                v.f[n] = ((const float *)col->values)[i];
                n += col->valid[i >> 3] >> (i & 7) & 1;
            }
        else
            for (; i < end; i++) {
                v.l[n] = ((const int64_t *)col->values)[i];
                n += col->valid[i >> 3] >> (i & 7) & 1;
            }
        x.n = n;
        r = add_numbers(env, c, &x);
    }
    return r;
}

/* The runs of values that stand in sequence: rows of lists, and rows that are not null. */
static hr_status add_number_rows(struct hr_env *env, struct hr_column *c, const struct hr_col *col,
                                 int64_t from, int64_t to)
{
    int64_t i, n, at, start = 0, have = 0;
    hr_status r = HR_OK;

    if (!col->list && !col->valid)
        return add_run(env, c, col, col->at + from, to - from);
    if (!col->list && (col->format == 'f' || col->format == 'l'))
        return add_valid(env, c, col, from, to);
    for (i = from; i < to && r == HR_OK; i++) {
        n = hr_col_count(col, i, &at);
        if (!n)
            continue;
        if (have && at == start + have) {
            have += n;
            continue;
        }
        if (have)
            r = add_run(env, c, col, start, have);
        start = at;
        have = n;
    }
    if (have && r == HR_OK)
        r = add_run(env, c, col, start, have);
    return r;
}

/* -- texts ----------------------------------------------------------------------------- */

static hr_status add_codes(struct hr_env *env, struct hr_column *c, const struct hr_col *col,
                           int64_t from, int64_t to, uint32_t *counts)
{
    hr_status r = HR_OK;
    int64_t i, k, n, at;
    const char *text;
    size_t size;

    for (i = from; i < to; i++)
        for (n = hr_col_count(col, i, &at), k = 0; k < n; k++)
            counts[hr_col_code(col, at + k)]++;
    for (i = 0; i < col->dict_length; i++) {
        if (!counts[i])
            continue;
        text = hr_col_entry(col, i, &size);
        if (r == HR_OK)
            r = hr_words_add(env, &c->words, text, size, counts[i]);
        counts[i] = 0;
    }
    return r;
}

static hr_status add_word(struct hr_env *env, struct hr_column *c, const struct hr_col *col,
                          enum hr_column_use use, int64_t at)
{
    char digits[HR_NUM_TEXT];
    const char *text = digits;
    size_t size;

    if (use == HR_COLUMN_WORDS)
        text = hr_col_bytes(col, at, &size);
    else if (use == HR_COLUMN_INT_WORDS)
        size = hr_num_put_int(digits, hr_col_int(col, at));
    else
        size = hr_num_put_double(digits, hr_col_double(col, at));
    return hr_words_add(env, &c->words, text, size, 1);
}

static hr_status add_word_rows(struct hr_env *env, struct hr_column *c, const struct hr_col *col,
                               enum hr_column_use use, int64_t from, int64_t to)
{
    hr_status r = HR_OK;
    int64_t i, k, n, at;

    for (i = from; i < to; i++)
        for (n = hr_col_count(col, i, &at), k = 0; k < n && r == HR_OK; k++)
            r = add_word(env, c, col, use, at + k);
    return r;
}

/* -- rows ------------------------------------------------------------------------------ */

/* How many rows of a scalar column are not null. */
static uint64_t count_valid(const struct hr_col *col, int64_t from, int64_t to)
{
    const uint8_t *valid = col->valid;
    uint64_t n = 0, eight;
    int64_t i = from + col->at, end = to + col->at;

    for (; i < end && i & 7; i++)
        n += valid[i >> 3] >> (i & 7) & 1;
    for (; i + 64 <= end; i += 64) {
        memcpy(&eight, valid + (i >> 3), sizeof eight);
        n += (uint64_t)__builtin_popcountll(eight);
    }
    for (; i < end; i++)
        n += valid[i >> 3] >> (i & 7) & 1;
    return n;
}

static hr_status add_lengths(struct hr_env *env, struct hr_column *c, const struct hr_col *col,
                             int64_t from, int64_t to)
{
    uint64_t none = 0, one = 0;
    hr_status r = HR_OK;
    int64_t i, n, at;

    c->rows += (uint64_t)(to - from);
    if (!col->list && col->kind != HR_COL_NULL) {
        one = col->valid ? count_valid(col, from, to) : (uint64_t)(to - from);
        none = col->empty_null ? (uint64_t)(to - from) - one : 0;
    } else {
        for (i = from; i < to && r == HR_OK; i++) {
            if (!hr_col_present(col, i))
                continue;
            n = hr_col_count(col, i, &at);
            none += n == 0;
            one += n == 1;
            if (n < 2)
                continue;
            c->present++;
            c->values += (uint64_t)n;
            r = hr_counts_add(env, &c->lengths, hr_count_key((double)n), 1);
        }
    }
    c->present += none + one;
    c->values += one;
    if (r == HR_OK)
        r = hr_counts_add(env, &c->lengths, hr_count_key(0), none);
    if (r == HR_OK)
        r = hr_counts_add(env, &c->lengths, hr_count_key(1), one);
    return r;
}

hr_status hr_column_add(struct hr_env *env, struct hr_column *c, const struct hr_col *col,
                        enum hr_column_use use, int64_t from, int64_t to,
                        struct hr_column_scratch *scratch)
{
    hr_status r = add_lengths(env, c, col, from, to);

    if (r < 0 || use == HR_COLUMN_NOTHING)
        return r;
    if (use != HR_COLUMN_NUMBERS) {
        if (col->codes && (size_t)col->dict_length <= scratch->counts_n &&
            col->dict_length <= 4 * (to - from))
            return add_codes(env, c, col, from, to, scratch->counts);
        return add_word_rows(env, c, col, use, from, to);
    }
    if (c->rows > HR_COLUMN_HEAD_ROWS)
        drop_head(env, c);
    return add_number_rows(env, c, col, from, to);
}

/* What waits of other is counted where it cannot be added to what waits of c. */
static hr_status merge_waiting(struct hr_env *env, struct hr_column *c, struct hr_column *other)
{
    struct hr_tally *from = &other->waiting;
    size_t room;
    hr_status r = settle_numbers(env, other, true);

    if (r < 0 || !from->n)
        return r;
    r = hr_tally_room(env, &c->waiting, from->kind, from->n, &room);
    if (r < 0 || room < from->n)
        return r < 0 ? r : settle_numbers(env, other, false);
    hr_tally_take(&c->waiting, from);
    return HR_OK;
}

static hr_status merge_numbers(struct hr_env *env, struct hr_column *c, struct hr_column *other)
{
    hr_status r = merge_waiting(env, c, other);

    if (r == HR_OK && !c->sums && other->sums)
        r = begin_sums(env, c);
    if (r == HR_OK && c->sums && !other->sums)
        r = begin_sums(env, other);
    if (r < 0)
        return r;
    if (c->sums)
        hr_exact_merge(c->sums, other->sums);
    if (other->head_over || c->rows + other->rows > HR_COLUMN_HEAD_ROWS)
        drop_head(env, c);
    r = keep_head(env, c, other->head, other->head_n);
    hr_counts_keep(&c->numbers, other->numbers.bits);
    if (r == HR_OK)
        r = hr_counts_unite(env, &c->numbers, other->numbers.items, other->numbers.n);
    if (r == HR_OK)
        r = fit_numbers(env, c);
    c->zeros += other->zeros;
    c->nan += other->nan;
    c->positive += other->positive;
    c->negative += other->negative;
    c->finite_min = other->finite_min < c->finite_min ? other->finite_min : c->finite_min;
    c->finite_max = other->finite_max > c->finite_max ? other->finite_max : c->finite_max;
    hr_column_bounds(c);
    return r;
}

hr_status hr_column_merge(struct hr_env *env, struct hr_column *c, struct hr_column *other)
{
    hr_status r = merge_numbers(env, c, other);

    c->rows += other->rows;
    c->present += other->present;
    c->values += other->values;
    hr_counts_keep(&c->lengths, other->lengths.bits);
    if (r == HR_OK)
        r = hr_counts_unite(env, &c->lengths, other->lengths.items, other->lengths.n);
    hr_counts_fit(&c->lengths);
    if (r == HR_OK)
        r = hr_words_merge(env, &c->words, &other->words);
    return r;
}

bool hr_column_sane(const struct hr_column *c)
{
    if (c->present > c->rows || c->waiting.n > c->waiting.cap || c->head_n > c->head_cap ||
        c->head_n > HR_COLUMN_HEAD_VALUES || (c->sums == NULL && !hr_counts_exact(&c->numbers)))
        return false;
    return hr_counts_sane(&c->lengths) && hr_counts_sane(&c->numbers) && hr_words_sane(&c->words);
}
