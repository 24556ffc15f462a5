#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "help_fix.h"
#include "help_flow.h"
#include "help_statistics.h"
#include "help_table.h"
#include "validation/column_store.h"
#include "validation/exact.h"
#include "validation/quantile.h"
#include "validation/validation.h"
#include "validation/view.h"

static const hr_function statistics = HR_STATISTICS;

/* The statistics that TFX wrote of the same rows, field for field. */
static void test_reference(void **state)
{
    static const char *const sets[] = { "mixed_a", "mixed_b", "penguins_raw", "taxi_10k" };
    static const char *const splits[] = { "train", "eval" };
    char dir[64], name[64];
    struct help_rows rows;
    struct hr_buf b;
    struct fix f;
    size_t i, k;

    (void)state;
    begin(&f);
    hr_buf_of(&b, HR_MAX_FILE_BYTES, &f.env);
    for (i = 0; i < 4; i++)
        for (k = 0; k < 2; k++) {
            snprintf(dir, sizeof dir, "validation/%s", sets[i]);
            snprintf(name, sizeof name, "%s.rows.json", splits[k]);
            help_table(dir, name, &rows);
            help_statistics(&rows, 2, 500, &b);
            help_same_statistics(&f.arena, sets[i], splits[k],
                                 help_statistics_read(&f.arena, &b));
            help_clear(&rows);
        }
    hr_buf_clear(&b);
    end(&f);
}

/* Equal bytes by any number of threads and any size of batches. */
static void test_batches(void **state)
{
    static const int sizes[] = { 7, 100, 4096 };
    struct hr_buf first, b;
    struct help_rows rows;
    struct fix f;
    int threads;
    size_t i;

    (void)state;
    begin(&f);
    hr_buf_of(&first, HR_MAX_FILE_BYTES, &f.env);
    hr_buf_of(&b, HR_MAX_FILE_BYTES, &f.env);
    for (i = 0; i < 2; i++) { /* below and above a thousand rows */
        help_table(i ? "validation/mixed_a" : "validation/mixed_b", "train.rows.json", &rows);
        help_statistics(&rows, 1, 1, &first);
        for (threads = 1; threads <= 3; threads++) {
            size_t k;

            for (k = 0; k < 3; k++) {
                help_statistics(&rows, threads, sizes[k], &b);
                assert_int_equal(b.len, first.len);
                assert_memory_equal(b.text, first.text, b.len);
            }
        }
        help_clear(&rows);
    }
    hr_buf_clear(&first);
    hr_buf_clear(&b);
    end(&f);
}

/* Rows that are null do not count, in whole numbers and floats, wherever a batch begins. */
static void test_nulls(void **state)
{
    const HR_MD(NumericStatistics) * x;
    const hr_statistics *got;
    char text[4000], *at = text;
    struct help_rows rows;
    struct hr_buf b;
    struct fix f;
    int i, n = 0, batch;
    double sum = 0, squares = 0;

    (void)state;
    begin(&f);
    hr_buf_of(&b, HR_MAX_FILE_BYTES, &f.env);
    for (i = 0; i < 100; i++) {
        bool null = i % 3 == 1 || i % 7 == 2;

        at += sprintf(at, null ? "%s[null,null]" : "%s[%d,%d]", i ? "," : "[", i * i, i * i);
        n += !null;
        sum += null ? 0 : i * i;
        squares += null ? 0 : (double)i * i * i * i;
    }
    strcpy(at, "]");
    help_rows("l:l f:f", text, &rows);
    for (batch = 1; batch <= 100; batch += 33) {
        size_t k;

        help_statistics(&rows, 1, batch, &b);
        got = help_statistics_read(&f.arena, &b);
        assert_int_equal(got->datasets[0]->n_features, 2);
        for (k = 0; k < 2; k++) {
            x = got->datasets[0]->features[k]->num_stats;
            assert_int_equal(x->common_stats->num_non_missing, n);
            assert_int_equal(x->common_stats->num_missing, 100 - n);
            assert_int_equal(x->common_stats->tot_num_values, n);
            assert_true(fabs(x->mean - sum / n) < 1e-9 * x->mean);
            assert_true(fabs(x->std_dev * x->std_dev - (squares / n - sum / n * sum / n)) <
                        1e-6 * squares / n);
            assert_true(x->min == 0 && x->max == 99 * 99);
            assert_int_equal(x->num_zeros, 1);
        }
    }
    help_clear(&rows);
    hr_buf_clear(&b);
    end(&f);
}

/* -- the parts ------------------------------------------------------------------------- */

static double random_double(uint64_t i)
{
    union {
        uint64_t u;
        double d;
    } x = { hr_random_at(5, i) };

    return isfinite(x.d) ? x.d : 1.0;
}

/* Count what waits in t. */
static void count(struct hr_env *env, struct hr_tally *t, struct hr_counts *to)
{
    struct hr_runs runs;
    int near;

    for (near = 0; near < 2; near++) {
        assert_int_equal(near ? hr_tally_near(env, t, &runs) : hr_tally_runs(env, t, &runs), HR_OK);
        assert_int_equal(hr_counts_unite(env, to, runs.items, runs.n), HR_OK);
        hr_runs_clear(env, &runs);
        hr_counts_fit(to);
        assert_true(hr_counts_sane(to));
    }
}

/* Many more numbers than a table holds, in two orders and merged: the same table. */
static void test_counts(void **state)
{
    enum { N = 200000 };
    struct hr_counts a, b, c;
    struct hr_tally t;
    size_t i, n;
    struct fix f;
    double v;

    (void)state;
    begin(&f);
    hr_counts_init(&a);
    hr_counts_init(&b);
    hr_counts_init(&c);
    hr_tally_init(&t, 1000);
    for (i = 0; i < 2 * N; i++) {
        assert_int_equal(hr_tally_room(&f.env, &t, HR_TALLY_DOUBLE, 1, &n), HR_OK);
        if (!n || i == N) {
            count(&f.env, &t, i <= N ? &a : i % 3 ? &b : &c);
            assert_int_equal(hr_tally_room(&f.env, &t, HR_TALLY_DOUBLE, 1, &n), HR_OK);
        }
        assert_int_equal(n, 1);
        v = random_double(i < N ? i : 2 * N - 1 - i);
        assert_int_equal(hr_tally_doubles(&t, &v, 1), 0);
    }
    count(&f.env, &t, &c);
    assert_false(hr_counts_exact(&a));
    assert_true(b.n > 1000 && c.n > 1000);
    hr_counts_keep(&b, c.bits);
    assert_int_equal(hr_counts_unite(&f.env, &b, c.items, c.n), HR_OK);
    hr_counts_fit(&b);
    assert_true(hr_counts_sane(&b));
    assert_int_equal(a.bits, b.bits);
    assert_int_equal(a.n, b.n);
    assert_memory_equal(a.items, b.items, a.n * sizeof *a.items);
    hr_tally_clear(&f.env, &t);
    hr_counts_clear(&f.env, &a);
    hr_counts_clear(&f.env, &b);
    hr_counts_clear(&f.env, &c);
    end(&f);
}

/* Numbers of each kind, near to one another and far, against one look-up for each. */
static void test_tally(void **state)
{
    static const int64_t ends[] = { INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX };
    enum { N = 20000 };
    struct hr_counts sorted, plain;
    struct hr_tally t;
    enum hr_tally_kind kind;
    size_t i, n, nan, nans;
    struct fix f;

    (void)state;
    begin(&f);
    for (kind = HR_TALLY_FLOAT; kind <= HR_TALLY_DOUBLE; kind++) {
        hr_counts_init(&sorted);
        hr_counts_init(&plain);
        hr_tally_init(&t, 5000);
        for (nan = nans = i = 0; i < N; i++) {
            uint64_t u = hr_random_at(kind, i);
            int64_t l = u % 3 || !i ? (int64_t)(u >> 32) % 9000 - 3000 : (int64_t)u;
            float v = (float)l * 0.125f;
            double d = (double)l * (u & 8 ? 0.0 : -1.0);

            if (u % 9 == 0) {
                l = ends[u >> 40 & 3] + (int64_t)(u >> 60 & 1);
                v = u & 16 ? NAN : u & 32 ? -INFINITY : -0.0f;
                d = u & 16 ? -NAN : u & 32 ? INFINITY : 1e308;
            }
            assert_int_equal(hr_tally_room(&f.env, &t, kind, 1, &n), HR_OK);
            if (!n) {
                count(&f.env, &t, &sorted);
                assert_int_equal(hr_tally_room(&f.env, &t, kind, 1, &n), HR_OK);
            }
            if (kind == HR_TALLY_FLOAT) {
                nan += hr_tally_floats(&t, &v, 1);
                d = (double)v;
            } else if (kind == HR_TALLY_DOUBLE) {
                nan += hr_tally_doubles(&t, &d, 1);
            } else {
                assert_int_equal(hr_tally_ints(&f.env, &t, &l, 1), HR_OK);
                d = (double)l;
            }
            nans += isnan(d) ? 1 : 0;
            if (!isnan(d))
                assert_int_equal(hr_counts_add(&f.env, &plain, hr_count_key(d), 1), HR_OK);
        }
        assert_true(kind != HR_TALLY_INT || (t.near_n > 1000 && t.range >= 8192));
        count(&f.env, &t, &sorted);
        assert_int_equal(nan, nans);
        assert_int_equal(sorted.n, plain.n);
        assert_memory_equal(sorted.items, plain.items, plain.n * sizeof *plain.items);
        hr_tally_clear(&f.env, &t);
        hr_counts_clear(&f.env, &sorted);
        hr_counts_clear(&f.env, &plain);
    }
    end(&f);
}

/* Sums of counts are those of their numbers one by one, whatever the exponents. */
static void test_exact_counts(void **state)
{
    enum { N = 3000 };
    struct hr_exact one, all;
    struct hr_counts t;
    struct fix f;
    size_t i;

    (void)state;
    begin(&f);
    hr_counts_init(&t);
    memset(&one, 0, sizeof one);
    memset(&all, 0, sizeof all);
    for (i = 0; i < N; i++) {
        uint64_t n = i % 50 ? i % 7 + 1 : (uint64_t)1 << (i % 40);
        double v = i % 3 ? random_double(i) : (double)(i % 500) - 250.5;

        hr_exact_add(&one, v, n);
        assert_int_equal(hr_counts_add(&f.env, &t, hr_count_key(v), n), HR_OK);
    }
    assert_int_equal(hr_counts_add(&f.env, &t, hr_count_key(-INFINITY), 3), HR_OK);
    hr_exact_counts(&all, t.items, t.n);
    hr_exact_settle(&one);
    hr_exact_settle(&all);
    assert_memory_equal(&one, &all, sizeof one);
    hr_counts_clear(&f.env, &t);
    end(&f);
}

/* Moments of numbers whose sums by doubles would be lost. */
static void test_exact(void **state)
{
    static const struct {
        double v[4];
        size_t n;
        double mean, variance;
    } cases[] = {
        { { 1, 2, 3, 4 }, 4, 2.5, 1.25 },
        { { 1e308, -1e308, 1, 2 }, 4, 0.75, INFINITY },
        { { 1e17, 1, -1e17, 2 }, 4, 0.75, 5e33 },
        { { 9007199254740993.0, 9007199254740995.0 }, 2, 9007199254740994.0, 4 },
        { { 5e-324, 5e-324 }, 2, 5e-324, 0 },
        { { -3, -3, -3 }, 3, -3, 0 },
        { { 1700000000.25, 1700000000.75 }, 2, 1700000000.5, 0.0625 },
    };
    double mean, variance;
    struct hr_exact e, half;
    size_t i, k;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        memset(&e, 0, sizeof e);
        memset(&half, 0, sizeof half);
        for (k = 0; k < cases[i].n; k++) {
            hr_exact_add(k % 2 ? &e : &half, cases[i].v[k], (uint64_t)1 << 33);
            hr_exact_add(k % 2 ? &e : &half, cases[i].v[k], 1);
        }
        hr_exact_merge(&e, &half);
        hr_exact_moments(&e, &mean, &variance);
        assert_true(mean == cases[i].mean);
        assert_true(variance == cases[i].variance);
    }
}

/* Borders of [1, 2, 3, 4] and of one value, and the block of an error. */
static void test_borders(void **state)
{
    static const struct hr_entry four[] = {
        { 1, 1, 0, 1 }, { 2, 1, 1, 2 }, { 3, 1, 2, 3 }, { 4, 1, 3, 4 }
    };
    static const double two[] = { 1, 3, 4 };
    struct hr_border b[5];
    int i;

    (void)state;
    hr_quantile_borders(four, 4, 2, b);
    for (i = 0; i < 3; i++)
        assert_true(b[i].value == two[i]);
    hr_quantile_borders(four, 2, 2, b);
    assert_true(b[0].value == 1 && b[1].value == 2 && b[2].value == 2);
    assert_true(b[0].weight == 1 && b[1].weight == 2 && b[2].weight == 2);
    assert_int_equal(hr_quantile_block(0.01), 5701);
    assert_int_equal(hr_quantile_block(0.001), 48001);
    assert_int_equal(hr_quantile_block(0.1), 661);
}

/* In how many of five places a heavy value among many light ones is kept of a summary. */
static size_t kept_of(struct hr_count *counts, size_t n, double heavy)
{
    struct hr_entry *entries = calloc(hr_quantile_room(n, 0.1), sizeof *entries);
    struct hr_counted all = { .counts = counts, .n = n, .min = 0, .max = (double)n };
    size_t kept = 0, at, count, i;

    for (at = n / 2; at < n / 2 + 5; at++) {
        counts[at].n = (uint64_t)heavy;
        count = hr_quantile_summary(&all, 0.1, entries);
        assert_true(count < n / 2 && entries[count - 1].max_rank == (double)n - 1 + floor(heavy));
        for (i = 0; i < count; i++)
            kept += entries[i].value == (double)at;
        counts[at].n = 1;
    }
    free(entries);
    return kept;
}

/* An entry is kept where the rank has moved by more than a third of the error: always one that
 * weighs more, and one that weighs a little less only by where it stands. */
static void test_summary(void **state)
{
    enum { N = 3000 };
    struct hr_count *counts = calloc(N, sizeof *counts);
    size_t i;

    (void)state;
    for (i = 0; i < N; i++)
        counts[i] = (struct hr_count){ hr_count_key((double)i), 1 };
    assert_int_equal(kept_of(counts, N, N * 0.1 / 3 / (1 - 0.1 / 3) + 2), 5);
    assert_true(kept_of(counts, N, N * 0.1 / 3 / (1 - 0.1 / 3) - 8) < 5);
    free(counts);
}

/* A feature is found in another dataset by its path, and not where that is without it. */
static void test_view(void **state)
{
    HR_MD(DatasetFeatureStatistics) set, *all;
    struct hr_view view = { 0 };
    struct help_rows rows;
    struct hr_buf b;
    struct fix f;

    (void)state;
    begin(&f);
    hr_buf_of(&b, HR_MAX_FILE_BYTES, &f.env);
    help_rows("a:l b:f", "[[1,2],[3,4]]", &rows);
    help_statistics(&rows, 1, 2, &b);
    all = help_statistics_read(&f.arena, &b)->datasets[0];
    set = *all;
    set.features++;
    set.n_features--;
    assert_true(hr_view_find(&set, all->features[1], &view) && view.f == all->features[1]);
    assert_false(hr_view_find(&set, all->features[0], &view));
    set.n_features = 0;
    assert_false(hr_view_find(&set, all->features[1], &view));
    help_clear(&rows);
    hr_buf_clear(&b);
    end(&f);
}

/* Quantiles of more values than are kept are within a hundredth of all. */
static void test_many_numbers(void **state)
{
    enum { N = 300000 };
    HR_MD(NumericStatistics) * m;
    struct help_rows rows;
    struct hr_builder b;
    struct hr_buf bytes, again;
    struct ArrowArray column;
    struct fix f;
    size_t i;

    (void)state;
    begin(&f);
    hr_buf_of(&bytes, HR_MAX_FILE_BYTES, &f.env);
    hr_buf_of(&again, HR_MAX_FILE_BYTES, &f.env);
    hr_builder_init(&b, "g", 0);
    for (i = 0; i < N; i++) /* each of 0..N-1 once, in an order of no use */
        hr_builder_double(&b, 1e9 + (double)(i * 7919 % N));
    assert_int_equal(hr_schema_new("+s", "", 1, &rows.schema), HR_OK);
    assert_int_equal(hr_schema_column(rows.schema.children[0], "x", "g", 0), HR_OK);
    assert_int_equal(hr_builder_done(&b, &column), HR_OK);
    assert_int_equal(hr_rows_make(&column, 1, N, &rows.rows), HR_OK);
    help_statistics(&rows, 1, 4096, &bytes);
    help_statistics(&rows, 3, 1000, &again);
    assert_int_equal(bytes.len, again.len);
    assert_memory_equal(bytes.text, again.text, bytes.len);
    m = help_statistics_read(&f.arena, &bytes)->datasets[0]->features[0]->num_stats;
    assert_true(m->mean == 1e9 + (N - 1) / 2.0);
    assert_true(m->std_dev == sqrt(((double)N * N - 1) / 12));
    assert_true(m->min == 1e9 && m->max == 1e9 + N - 1);
    for (i = 0; i < 10; i++) {
        const HR_MD(Histogram__Bucket) *q = m->histograms[1]->buckets[i];

        assert_true(fabs(q->high_value - 1e9 - (double)(i + 1) * N / 10) < 0.01 * N);
        assert_true(fabs(m->histograms[0]->buckets[i]->sample_count - N / 10) < 0.01 * N);
    }
    help_clear(&rows);
    hr_buf_clear(&bytes);
    hr_buf_clear(&again);
    end(&f);
}

/* Many different numbers, and infinite ones: minus infinity without its lowest bits is none. */
static void test_many_infinite(void **state)
{
    enum { N = 140000 };
    const HR_MD(NumericStatistics) * m;
    struct hr_column c, d;
    struct hr_stored in;
    struct help_rows rows;
    struct hr_builder b;
    struct hr_buf bytes;
    struct ArrowArray column;
    struct hr_col col;
    struct fix f;
    size_t i;

    (void)state;
    begin(&f);
    hr_buf_of(&bytes, HR_MAX_FILE_BYTES, &f.env);
    hr_builder_init(&b, "f", 0);
    for (i = 0; i < N; i++)
        hr_builder_double(&b, i % 1000 ? (double)i - N / 2 : i % 3000 ? -INFINITY : INFINITY);
    assert_int_equal(hr_schema_new("+s", "", 1, &rows.schema), HR_OK);
    assert_int_equal(hr_schema_column(rows.schema.children[0], "x", "f", 0), HR_OK);
    assert_int_equal(hr_builder_done(&b, &column), HR_OK);
    assert_int_equal(hr_rows_make(&column, 1, N, &rows.rows), HR_OK);
    help_statistics(&rows, 2, 4096, &bytes);
    m = help_statistics_read(&f.arena, &bytes)->datasets[0]->features[0]->num_stats;
    assert_true(m->min == -INFINITY && m->max == INFINITY);
    assert_true(m->histograms[0]->buckets[0]->low_value == -INFINITY);
    hr_buf_cut(&bytes, 0); /* and it is stored, and taken again */
    assert_int_equal(hr_col_open(&rows.schema, &rows.rows, 0, &col), HR_OK);
    hr_column_init(&c);
    hr_column_init(&d);
    assert_int_equal(hr_column_add(&f.env, &c, &col, HR_COLUMN_NUMBERS, 0, N, NULL), HR_OK);
    assert_int_equal(hr_column_settle(&f.env, &c), HR_OK);
    assert_false(hr_counts_exact(&c.numbers));
    assert_int_equal(hr_column_store(&f.env, &c, &bytes), HR_OK);
    in = (struct hr_stored){ bytes.text, bytes.text + bytes.len, true };
    assert_int_equal(hr_column_load(&f.env, &in, &d), HR_OK);
    assert_true(in.ok);
    hr_column_clear(&f.env, &c);
    hr_column_clear(&f.env, &d);
    help_clear(&rows);
    hr_buf_clear(&bytes);
    end(&f);
}

/* A schema says which numbers are names, and which texts are bytes. */
static void test_schema(void **state)
{
    static const char schema[] =
        "feature { name: 'i' type: INT int_domain { is_categorical: true } } "
        "feature { name: 'b' type: INT bool_domain { } } "
        "feature { name: 'p' type: BYTES image_domain { } }";
    struct help_run how = { .function = &statistics };
    struct help_rows rows, out;
    ProtobufCMessage *m = NULL;
    HR_MD(DatasetFeatureStatistics) * set;
    struct hr_buf config, b;
    struct hr_col c;
    const char *p;
    struct fix f;
    size_t size;

    (void)state;
    begin(&f);
    hr_buf_of(&config, 1000, &f.env);
    hr_buf_of(&b, 100000, &f.env);
    assert_int_equal(
        hr_pb_text_read(&f.arena, &HR_MD_OF(schema), "s", schema, sizeof schema - 1, &m), HR_OK);
    assert_int_equal(hr_statistics_config(&f.env, (HR_MD(Schema) *)m, &config), HR_OK);
    how.config = config.text;
    how.config_size = config.len;
    help_rows("p:z i:+l b:l o:z", "[[\"abc\",[-5,10],1,null],[\"\",[10],0,null]]", &rows);
    assert_int_equal(help_combine(&how, &rows, &out), HR_OK);
    assert_int_equal(hr_col_open(&out.schema, &out.rows, 0, &c), HR_OK);
    p = hr_col_bytes(&c, c.at, &size);
    hr_buf_add(&b, p, size);
    set = help_statistics_read(&f.arena, &b)->datasets[0];
    assert_int_equal(set->n_features, 4);
    assert_int_equal(set->features[1]->type, HR_MD_E(FEATURE_NAME_STATISTICS__TYPE__INT));
    assert_int_equal(set->features[1]->string_stats->unique, 2);
    assert_memory_equal(set->features[1]->string_stats->top_values[0]->value.data, "10", 2);
    assert_true(set->features[1]->string_stats->avg_length == 2.0f);
    assert_int_equal(set->features[3]->type, HR_MD_E(FEATURE_NAME_STATISTICS__TYPE__BYTES));
    assert_true(set->features[3]->bytes_stats->avg_num_bytes == 1.5f);
    assert_int_equal(set->features[3]->bytes_stats->max_num_bytes_int, 3);
    assert_int_equal(set->features[2]->string_stats->common_stats->num_missing, 2);
    help_clear(&rows);
    help_clear(&out);
    hr_buf_clear(&config);
    hr_buf_clear(&b);
    end(&f);
}

/* Texts that are not UTF-8 have a label; ties are broken by the last in byte order. */
static void test_words(void **state)
{
    struct hr_ranks top;
    struct hr_words a, b;
    struct fix f;

    (void)state;
    begin(&f);
    hr_words_init(&a);
    hr_words_init(&b);
    assert_int_equal(hr_words_add(&f.env, &a, "x", 1, 2), HR_OK);
    assert_int_equal(hr_words_add(&f.env, &a, "\xff", 1, 1), HR_OK);
    assert_int_equal(hr_words_add(&f.env, &b, "x\0y", 3, 2), HR_OK);
    assert_int_equal(hr_words_add(&f.env, &b, "", 0, 5), HR_OK);
    assert_int_equal(hr_words_add(&f.env, &b, "w", 1, 1), HR_OK);
    assert_int_equal(hr_words_merge(&f.env, &a, &b), HR_OK);
    assert_true(hr_words_sane(&a));
    assert_int_equal(a.not_utf8, 1);
    assert_int_equal(a.total_size, 2 + 1 + 6 + 0 + 1);
    assert_int_equal(hr_words_settle(&f.env, &a), HR_OK);
    assert_int_equal(hr_words_rank(&f.env, &a, 8, &top), HR_OK);
    assert_int_equal(top.unique, 5);
    assert_int_equal(top.n, 5);
    assert_int_equal(top.list[0].size, 0);
    assert_int_equal(top.list[1].size, 3);
    assert_int_equal(top.list[2].size, 1);
    assert_true(top.list[3].is_bytes && !top.list[4].is_bytes);
    hr_ranks_clear(&f.env, &top);
    assert_int_equal(hr_words_rank(&f.env, &a, 2, &top), HR_OK);
    assert_int_equal(top.n, 2);
    assert_int_equal(top.list[1].size, 3);
    hr_ranks_clear(&f.env, &top);
    hr_words_clear(&f.env, &a);
    hr_words_clear(&f.env, &b);
    end(&f);
}

/* What is stored is refused where it is cut, anywhere, and when a byte of its head changes. */
static void test_stored(void **state)
{
    struct hr_column c, d;
    struct hr_stored in;
    struct help_rows rows;
    struct hr_col col;
    struct hr_buf b;
    struct fix f;
    size_t n;

    (void)state;
    begin(&f);
    hr_buf_of(&b, 100000, &f.env);
    help_rows("x:+g", "[[[1,2.5]],[null],[[]],[[\"nan\",\"inf\",0]]]", &rows);
    assert_int_equal(hr_col_open(&rows.schema, &rows.rows, 0, &col), HR_OK);
    hr_column_init(&c);
    assert_int_equal(hr_column_add(&f.env, &c, &col, HR_COLUMN_NUMBERS, 0, 4, NULL), HR_OK);
    assert_int_equal(hr_column_settle(&f.env, &c), HR_OK);
    assert_true(hr_column_sane(&c));
    assert_int_equal(hr_column_store(&f.env, &c, &b), HR_OK);
    for (n = 0; n <= b.len; n++) {
        in = (struct hr_stored){ b.text, b.text + n, true };
        hr_column_init(&d);
        assert_int_equal(hr_column_load(&f.env, &in, &d), HR_OK);
        assert_int_equal(in.ok, n == b.len);
        hr_column_clear(&f.env, &d);
    }
    b.text[8]++; /* one more row present than lengths are known of */
    in = (struct hr_stored){ b.text, b.text + b.len, true };
    hr_column_init(&d);
    assert_int_equal(hr_column_load(&f.env, &in, &d), HR_OK);
    assert_false(in.ok);
    hr_column_clear(&f.env, &d);
    hr_column_clear(&f.env, &c);
    help_clear(&rows);
    hr_buf_clear(&b);
    end(&f);
}

static void test_refused(void **state)
{
    struct help_run how = { .function = &statistics };
    struct help_rows rows, out;

    (void)state;
    help_rows("x:l", "[[1]]", &rows);
    free((void *)(uintptr_t)rows.schema.children[0]->format);
    rows.schema.children[0]->format = hr_schema_dup("+s", 2);
    assert_int_equal(help_combine(&how, &rows, &out), HR_INVALID);
    help_clear(&rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reference), cmocka_unit_test(test_batches),
        cmocka_unit_test(test_nulls),
        cmocka_unit_test(test_counts),    cmocka_unit_test(test_exact),
        cmocka_unit_test(test_summary),   cmocka_unit_test(test_view),
        cmocka_unit_test(test_borders),   cmocka_unit_test(test_many_numbers),
        cmocka_unit_test(test_schema),    cmocka_unit_test(test_words),
        cmocka_unit_test(test_stored),    cmocka_unit_test(test_refused),
        cmocka_unit_test(test_tally),     cmocka_unit_test(test_exact_counts),
        cmocka_unit_test(test_many_infinite),
    };

    return cmocka_run_group_tests_name("validation/statistics", tests, NULL, NULL);
}
