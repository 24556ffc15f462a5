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
    c->late_most = most;
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
    if (c->late)
        hr_mem_put(env, c->late, c->late_cap * sizeof *c->late);
    c->late = NULL;
    c->late_n = c->late_cap = 0;
    if (c->sums)
        hr_mem_put(env, c->sums, sizeof *c->sums);
    c->sums = NULL;
}

/* -- numbers --------------------------------------------------------------------------- */

/* From now on sums are kept apart: the keys may lose bits. */
static hr_status begin_sums(struct hr_env *env, struct hr_column *c)
{
    size_t slots = c->numbers.slots ? (size_t)1 << c->numbers.log_slots : 0, i;
    double v;

    c->sums = hr_mem_zero(env, sizeof *c->sums);
    if (!c->sums)
        return HR_EXHAUSTED;
    for (i = 0; i < slots; i++) {
        v = hr_count_value(c->numbers.slots[i].key);
        if (c->numbers.slots[i].n && isfinite(v))
            hr_exact_add(c->sums, v, c->numbers.slots[i].n);
    }
    return HR_OK;
}

/* Take out NaN, count the special ones, find the bounds.  Returns how many are left. */
static size_t sift(struct hr_column *c, double *v, size_t n)
{
    double least = c->finite_min, most = c->finite_max;
    size_t i, k = 0, zeros = 0;

    for (i = 0; i < n; i++) {
        double x = v[i];

        if (!(fabs(x) < INFINITY)) {
            if (isnan(x)) {
                c->nan++;
                continue;
            }
            c->positive += x > 0;
            c->negative += x < 0;
        } else {
            least = x < least ? x : least;
            most = x > most ? x : most;
            zeros += x == 0;
        }
        v[k++] = x;
    }
    c->zeros += zeros;
    c->finite_min = least;
    c->finite_max = most;
    return k;
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

static hr_status count_number(struct hr_env *env, struct hr_column *c, uint64_t key)
{
    hr_status r;
    double v;

    /* A table that is full has every value still; the next new one may cost bits. */
    if (!c->sums && c->numbers.n == HR_COUNTS_MAX) {
        r = begin_sums(env, c);
        if (r < 0)
            return r;
    }
    if (c->sums) {
        v = hr_count_value(key);
        if (isfinite(v))
            hr_exact_add(c->sums, v, 1);
    }
    return hr_counts_add(env, &c->numbers, key, 1);
}

hr_status hr_column_settle(struct hr_env *env, struct hr_column *c)
{
    hr_status r = hr_words_settle(env, &c->words);
    size_t i;

    for (i = 0; i < c->late_n && r == HR_OK; i++)
        r = count_number(env, c, c->late[i]);
    c->late_n = 0;
    return r;
}

static hr_status count_late(struct hr_env *env, struct hr_column *c, const uint64_t *keys, size_t n)
{
    hr_status r;

    if (c->late_n + n > c->late_most) {
        r = hr_column_settle(env, c);
        if (r < 0)
            return r;
    }
    if (!hr_mem_reserve(env, (void **)&c->late, &c->late_cap, c->late_n + n, sizeof *c->late,
                        HR_COLUMN_LATE))
        return HR_EXHAUSTED;
    memcpy(c->late + c->late_n, keys, n * sizeof *keys);
    c->late_n += n;
    return HR_OK;
}

/* A small table whose numbers are mostly different goes back to the list. */
static hr_status spill(struct hr_env *env, struct hr_column *c)
{
    size_t slots = (size_t)1 << c->numbers.log_slots, total = 0, n = 0, i, k;
    uint64_t keys[2 * HR_COLUMN_FEW];

    for (i = 0; i < slots; i++)
        total += c->numbers.slots[i].n;
    if (total > 2 * HR_COLUMN_FEW)
        return HR_OK;
    for (i = 0; i < slots; i++)
        for (k = 0; k < c->numbers.slots[i].n; k++)
            keys[n++] = c->numbers.slots[i].key;
    hr_counts_clear(env, &c->numbers);
    return count_late(env, c, keys, n);
}

static hr_status add_numbers(struct hr_env *env, struct hr_column *c, double *v, size_t n)
{
    uint64_t keys[CHUNK];
    hr_status r;
    size_t i;

    n = sift(c, v, n);
    r = keep_head(env, c, v, n);
    for (i = 0; i < n && !c->late_n && c->numbers.n < HR_COLUMN_FEW && r == HR_OK; i++)
        r = count_number(env, c, hr_count_key(v[i]));
    if (r < 0 || i == n)
        return r;
    if (!c->late_n && c->numbers.n == HR_COLUMN_FEW)
        r = spill(env, c);
    if (r < 0)
        return r;
    v += i;
    n -= i;
    for (i = 0; i < n; i++)
        keys[i] = hr_count_key(v[i]);
    return count_late(env, c, keys, n);
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

/* Values at..at + n, chunk by chunk. */
static hr_status add_run(struct hr_env *env, struct hr_column *c, const struct hr_col *col,
                         int64_t at, int64_t n)
{
    double v[CHUNK];
    hr_status r = HR_OK;
    int64_t i, k;

    for (; n > 0 && r == HR_OK; at += k, n -= k) {
        k = n < CHUNK ? n : CHUNK;
        if (col->format == 'f')
            for (i = 0; i < k; i++)
                v[i] = (double)((const float *)col->values)[at + i];
        else if (col->format == 'l')
            for (i = 0; i < k; i++)
                v[i] = (double)((const int64_t *)col->values)[at + i];
        else
            for (i = 0; i < k; i++)
                v[i] = hr_col_double(col, at + i);
        r = add_numbers(env, c, v, (size_t)k);
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

static hr_status add_lengths(struct hr_env *env, struct hr_column *c, const struct hr_col *col,
                             int64_t from, int64_t to)
{
    uint64_t none = 0, one = 0;
    hr_status r = HR_OK;
    int64_t i, n, at;

    c->rows += (uint64_t)(to - from);
    if (!col->list && !col->valid && col->kind != HR_COL_NULL) {
        one = (uint64_t)(to - from);
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
    r = add_number_rows(env, c, col, from, to);
    hr_column_bounds(c);
    return r;
}

static hr_status merge_numbers(struct hr_env *env, struct hr_column *c, struct hr_column *other)
{
    hr_status r = HR_OK;

    if (other->late_n)
        r = count_late(env, c, other->late, other->late_n);
    if (r < 0)
        return r;
    if (!c->sums && (other->sums || c->numbers.n + other->numbers.n > HR_COUNTS_MAX))
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
    if (r == HR_OK)
        r = hr_counts_merge(env, &c->numbers, &other->numbers);
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
    if (r == HR_OK)
        r = hr_counts_merge(env, &c->lengths, &other->lengths);
    if (r == HR_OK)
        r = hr_words_merge(env, &c->words, &other->words);
    return r;
}

bool hr_column_sane(const struct hr_column *c)
{
    if (c->present > c->rows || c->late_n > c->late_cap || c->head_n > c->head_cap ||
        c->head_n > HR_COLUMN_HEAD_VALUES || (c->sums == NULL && !hr_counts_exact(&c->numbers)))
        return false;
    return hr_counts_sane(&c->lengths) && hr_counts_sane(&c->numbers) && hr_words_sane(&c->words);
}
