#include "validation/features.h"

#include <math.h>
#include <string.h>

#include "validation/quantile.h"

/* Scalars that are zero are not set, as in messages of the third syntax. */
#define SET(m, field, v) ((m)->field = (v), (m)->has_##field = (m)->field != 0)

/* Sorted entries of a table; *ret_n 0: it is empty. */
static struct hr_entry *entries_of(struct hr_arena *arena, const struct hr_counts *t, double min,
                                   double max, size_t *ret_n)
{
    const struct hr_counted counted = { t->items, t->n, min, max };
    size_t room = hr_quantile_room(t->n, HR_STATISTICS_EPSILON);
    struct hr_entry *e = hr_arena_array(arena, room + 1, sizeof *e);

    if (e)
        *ret_n = hr_quantile_summary(&counted, HR_STATISTICS_EPSILON, e);
    return e;
}

static HR_MD(CommonStatistics) * common(struct hr_arena *arena, const struct hr_column *c)
{
    HR_MD(CommonStatistics) *m = hr_pb_new(arena, &HR_MD_OF(common_statistics));
    struct hr_histogram_args args = { .buckets = HR_HISTOGRAM_BUCKETS };
    struct hr_entry *e;
    size_t n = 0;

    if (!m)
        return NULL;
    SET(m, num_non_missing, c->present);
    SET(m, num_missing, c->rows - c->present);
    if (!c->present)
        return m;
    e = entries_of(arena, &c->lengths, 0, INFINITY, &n);
    args.borders = hr_arena_array(arena, HR_HISTOGRAM_BUCKETS + 1, sizeof *args.borders);
    if (!e || !args.borders)
        return NULL;
    SET(m, min_num_values, (uint64_t)e[0].value);
    SET(m, max_num_values, (uint64_t)e[n - 1].value);
    SET(m, tot_num_values, c->values);
    SET(m, avg_num_values, (float)((double)c->values / (double)c->present));
    args.n = HR_HISTOGRAM_BUCKETS + 1;
    hr_quantile_borders(e, n, HR_HISTOGRAM_BUCKETS, args.borders);
    m->num_values_histogram = hr_histogram_quantiles(arena, &args);
    return m->num_values_histogram ? m : NULL;
}

/* -- numbers --------------------------------------------------------------------------- */

static hr_status moments(struct hr_arena *arena, const struct hr_column *c, double *ret_mean,
                         double *ret_variance)
{
    struct hr_exact *e;
    double *scratch;

    if (c->positive || c->negative) {
        *ret_variance = NAN;
        if (c->positive && c->negative)
            *ret_mean = copysign(NAN, -1); /* as processors give it for inf - inf */
        else
            *ret_mean = c->positive ? INFINITY : -INFINITY;
        return HR_OK;
    }
    if (!c->head_over) {
        scratch = hr_arena_array(arena, c->head_n, sizeof *scratch);
        if (scratch)
            hr_pairwise_moments(c->head, c->head_n, scratch, ret_mean, ret_variance);
        return scratch ? HR_OK : HR_EXHAUSTED;
    }
    e = hr_arena_get(arena, sizeof *e);
    if (!e)
        return HR_EXHAUSTED;
    if (c->sums)
        *e = *c->sums;
    else
        hr_exact_counts(e, c->numbers.items, c->numbers.n);
    hr_exact_moments(e, ret_mean, ret_variance);
    return HR_OK;
}

static bool add_histogram(struct hr_arena *arena, HR_MD(NumericStatistics) * m,
                          HR_MD(Histogram) * h)
{
    HR_MD(Histogram) **place = h ? HR_PB_PUSH(arena, m, histograms) : NULL;

    if (place)
        *place = h;
    return place;
}

static hr_status histograms(struct hr_arena *arena, const struct hr_column *c,
                            HR_MD(NumericStatistics) * m)
{
    size_t quantiles = HR_HISTOGRAM_BUCKETS * HR_QUANTILES_OF_A_BUCKET, n = 0;
    struct hr_histogram_args args = { .buckets = HR_HISTOGRAM_BUCKETS,
                                      .finite_min = c->finite_min,
                                      .finite_max = c->finite_max,
                                      .negative = (double)c->negative,
                                      .positive = (double)c->positive,
                                      .nan = c->nan };
    struct hr_entry *e = entries_of(arena, &c->numbers, c->min, c->max, &n);
    HR_MD(Histogram) * by_quantiles, *standard;

    args.borders = hr_arena_array(arena, quantiles + 1, sizeof *args.borders);
    if (!e || !args.borders)
        return HR_EXHAUSTED;
    if (n) {
        args.n = quantiles + 1;
        hr_quantile_borders(e, n, quantiles, args.borders);
        SET(m, median, args.borders[quantiles / 2].value);
    }
    by_quantiles = hr_histogram_quantiles(arena, &args);
    standard = hr_histogram_standard(arena, &args);
    if (!add_histogram(arena, m, standard) || !add_histogram(arena, m, by_quantiles))
        return HR_EXHAUSTED;
    return HR_OK;
}

static hr_status numeric(struct hr_arena *arena, const struct hr_column *c,
                         HR_MD(FeatureNameStatistics) * to)
{
    HR_MD(NumericStatistics) *m = hr_pb_new(arena, &HR_MD_OF(numeric_statistics));
    double mean = 0, variance = 0;
    hr_status r;

    if (!m)
        return HR_EXHAUSTED;
    to->stats_case = HR_MD_E(FEATURE_NAME_STATISTICS__STATS_NUM_STATS);
    to->num_stats = m;
    m->common_stats = common(arena, c);
    if (!m->common_stats)
        return HR_EXHAUSTED;
    if (!c->values)
        return HR_OK;
    if (c->numbers.n) {
        r = moments(arena, c, &mean, &variance);
        if (r < 0)
            return r;
        SET(m, mean, mean);
        SET(m, std_dev, variance > 0 ? sqrt(variance) : 0);
        SET(m, num_zeros, c->zeros);
        SET(m, min, c->min);
        SET(m, max, c->max);
    }
    return histograms(arena, c, m);
}

/* -- texts ----------------------------------------------------------------------------- */

static bool label(struct hr_arena *arena, const struct hr_rank *rank, ProtobufCBinaryData *to,
                  protobuf_c_boolean *ret_has)
{
    static const char not_text[] = "__BYTES_VALUE__";

    *ret_has = rank->size > 0;
    if (rank->is_bytes)
        return hr_pb_bytes(arena, to, not_text, sizeof not_text - 1);
    return hr_pb_bytes(arena, to, rank->text, rank->size);
}

static hr_status put_ranks(struct hr_arena *arena, const struct hr_ranks *ranks,
                           HR_MD(StringStatistics) * m)
{
    HR_MD(StringStatistics__FreqAndValue) * v;
    HR_MD(RankHistogram__Bucket) * b;
    size_t i;

    m->rank_histogram = hr_pb_new(arena, &HR_MD_OF(rank_histogram));
    if (!m->rank_histogram)
        return HR_EXHAUSTED;
    for (i = 0; i < ranks->n; i++) {
        b = HR_PB_ADD(arena, m->rank_histogram, buckets, &HR_MD_OF(rank_histogram__bucket));
        if (!b || !label(arena, &ranks->list[i], &b->label, &b->has_label))
            return HR_EXHAUSTED;
        SET(b, low_rank, i);
        SET(b, high_rank, i);
        SET(b, sample_count, (double)ranks->list[i].n);
        if (i >= HR_TOP_VALUES)
            continue;
        v = HR_PB_ADD(arena, m, top_values, &HR_MD_OF(string_statistics__freq_and_value));
        if (!v)
            return HR_EXHAUSTED;
        v->value = b->label;
        v->has_value = b->has_label;
        SET(v, frequency, (double)ranks->list[i].n);
    }
    SET(m, unique, ranks->unique);
    return HR_OK;
}

static hr_status ranks(struct hr_arena *arena, const struct hr_words *t,
                       HR_MD(StringStatistics) * m)
{
    struct hr_ranks ranks;
    hr_status r = hr_words_rank(arena->env, t, HR_RANK_BUCKETS, &ranks);

    if (r == HR_OK)
        r = put_ranks(arena, &ranks, m);
    hr_ranks_clear(arena->env, &ranks);
    return r;
}

static hr_status string(struct hr_arena *arena, const struct hr_column *c, enum hr_column_use use,
                        HR_MD(FeatureNameStatistics) * to)
{
    HR_MD(StringStatistics) *m = hr_pb_new(arena, &HR_MD_OF(string_statistics));

    if (!m)
        return HR_EXHAUSTED;
    to->stats_case = HR_MD_E(FEATURE_NAME_STATISTICS__STATS_STRING_STATS);
    to->string_stats = m;
    m->common_stats = common(arena, c);
    if (!m->common_stats)
        return HR_EXHAUSTED;
    if (!c->words.total)
        return HR_OK;
    SET(m, avg_length, (float)((double)c->words.total_size / (double)c->words.total));
    if (use == HR_COLUMN_SIZES)
        return HR_OK;
    SET(m, invalid_utf8_count, c->words.not_utf8);
    return ranks(arena, &c->words, m);
}

static hr_status bytes(struct hr_arena *arena, const struct hr_column *c,
                       HR_MD(FeatureNameStatistics) * to)
{
    HR_MD(BytesStatistics) *m = hr_pb_new(arena, &HR_MD_OF(bytes_statistics));

    if (!m)
        return HR_EXHAUSTED;
    to->stats_case = HR_MD_E(FEATURE_NAME_STATISTICS__STATS_BYTES_STATS);
    to->bytes_stats = m;
    m->common_stats = common(arena, c);
    if (!m->common_stats)
        return HR_EXHAUSTED;
    if (!c->words.total)
        return HR_OK;
    SET(m, avg_num_bytes, (float)((double)c->words.total_size / (double)c->words.total));
    SET(m, min_num_bytes, (float)c->words.least);
    SET(m, max_num_bytes, (float)c->words.most);
    SET(m, max_num_bytes_int, (int64_t)c->words.most);
    return HR_OK;
}

hr_status hr_feature_make(struct hr_arena *arena, const struct hr_column *c,
                          const struct hr_feature_args *args, HR_MD(DatasetFeatureStatistics) * to)
{
    HR_MD(FeatureNameStatistics) *f =
        HR_PB_ADD(arena, to, features, &HR_MD_OF(feature_name_statistics));
    ProtobufCBinaryData *step;

    if (!f)
        return HR_EXHAUSTED;
    f->field_id_case = HR_MD_E(FEATURE_NAME_STATISTICS__FIELD_ID_PATH);
    f->path = hr_pb_new(arena, &HR_MD_OF(path));
    step = f->path ? HR_PB_PUSH(arena, f->path, step) : NULL;
    if (!step || !hr_pb_bytes(arena, step, args->name, strlen(args->name)))
        return HR_EXHAUSTED;
    f->type = (HR_MD(FeatureNameStatistics__Type))args->type;
    f->has_type = args->type != 0;
    if (args->use == HR_COLUMN_NUMBERS)
        return numeric(arena, c, f);
    if (f->type == HR_MD_E(FEATURE_NAME_STATISTICS__TYPE__BYTES))
        return bytes(arena, c, f);
    return string(arena, c, args->use, f);
}
