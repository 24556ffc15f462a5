#include "validation/view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const hr_dataset *hr_view_dataset(struct hr_env *env, const hr_statistics *list)
{
    size_t i;

    if (list->n_datasets == 1)
        return list->datasets[0];
    for (i = 0; i < list->n_datasets; i++)
        if (list->datasets[i]->name && !strcmp(list->datasets[i]->name, "All Examples"))
            return list->datasets[i];
    hr_fail(env, HR_INVALID, "the statistics are of %zu slices, none of which is \"All Examples\"",
            list->n_datasets);
    return NULL;
}

bool hr_view_of(const hr_dataset *set, const hr_feature_stats *f, struct hr_view *ret)
{
    static const HR_MD(CommonStatistics) none = TENSORFLOW__METADATA__V0__COMMON_STATISTICS__INIT;
    const HR_MD(CommonStatistics) *c = NULL;

    switch (f->stats_case) {
    case HR_MD_E(FEATURE_NAME_STATISTICS__STATS_NUM_STATS):
        c = f->num_stats->common_stats;
        break;
    case HR_MD_E(FEATURE_NAME_STATISTICS__STATS_STRING_STATS):
        c = f->string_stats->common_stats;
        break;
    case HR_MD_E(FEATURE_NAME_STATISTICS__STATS_BYTES_STATS):
        c = f->bytes_stats->common_stats;
        break;
    case HR_MD_E(FEATURE_NAME_STATISTICS__STATS_STRUCT_STATS):
        c = f->struct_stats->common_stats;
        break;
    default:
        return false;
    }
    *ret = (struct hr_view){ set, f, c ? c : &none };
    return true;
}

size_t hr_path_steps(const hr_feature_stats *f)
{
    if (f->field_id_case == HR_MD_E(FEATURE_NAME_STATISTICS__FIELD_ID_PATH))
        return f->path->n_step;
    return f->field_id_case == HR_MD_E(FEATURE_NAME_STATISTICS__FIELD_ID_NAME);
}

bool hr_same_bytes(const void *a, size_t n, const void *b, size_t m)
{
    return n == m && (!n || !memcmp(a, b, n));
}

struct hr_slice hr_path_step(const hr_feature_stats *f, size_t i)
{
    if (f->field_id_case == HR_MD_E(FEATURE_NAME_STATISTICS__FIELD_ID_PATH))
        return hr_slice((const char *)f->path->step[i].data, f->path->step[i].len);
    return hr_slice(f->name, strlen(f->name));
}

static bool same_path(const hr_feature_stats *a, const hr_feature_stats *b)
{
    size_t n = hr_path_steps(a), i;
    struct hr_slice x, y;

    if (n != hr_path_steps(b))
        return false;
    for (i = 0; i < n; i++) {
        x = hr_path_step(a, i);
        y = hr_path_step(b, i);
        if (!hr_same_bytes(x.text, x.len, y.text, y.len))
            return false;
    }
    return true;
}

bool hr_view_find(const hr_dataset *set, const hr_feature_stats *like, struct hr_view *ret)
{
    size_t i;

    for (i = 0; i < set->n_features; i++)
        if (same_path(set->features[i], like))
            return hr_view_of(set, set->features[i], ret);
    return false;
}

size_t hr_view_levels(const struct hr_view *v)
{
    size_t n = v->common->n_presence_and_valency_stats;

    return n ? n : 1;
}

struct hr_level hr_view_level(const struct hr_view *v, size_t i)
{
    const HR_MD(CommonStatistics) *c = v->common;
    const HR_MD(PresenceAndValencyStatistics) * p;

    if (!c->n_presence_and_valency_stats)
        return (struct hr_level){ c->num_non_missing, c->num_missing, c->min_num_values,
                                  c->max_num_values };
    p = c->presence_and_valency_stats[i];
    return (struct hr_level){ p->num_non_missing, p->num_missing, p->min_num_values,
                              p->max_num_values };
}

int32_t hr_view_type(const struct hr_view *v)
{
    switch (v->f->type) {
    case HR_MD_E(FEATURE_NAME_STATISTICS__TYPE__INT):
        return HR_MD_E(FEATURE_TYPE__INT);
    case HR_MD_E(FEATURE_NAME_STATISTICS__TYPE__FLOAT):
        return HR_MD_E(FEATURE_TYPE__FLOAT);
    case HR_MD_E(FEATURE_NAME_STATISTICS__TYPE__STRUCT):
        return HR_MD_E(FEATURE_TYPE__STRUCT);
    case HR_MD_E(FEATURE_NAME_STATISTICS__TYPE__STRING):
    case HR_MD_E(FEATURE_NAME_STATISTICS__TYPE__BYTES):
        return HR_MD_E(FEATURE_TYPE__BYTES);
    default:
        return HR_MD_E(FEATURE_TYPE__TYPE_UNKNOWN);
    }
}

const HR_MD(NumericStatistics) * hr_view_numbers(const struct hr_view *v)
{
    return v->f->stats_case == HR_MD_E(FEATURE_NAME_STATISTICS__STATS_NUM_STATS) ? v->f->num_stats
                                                                                 : NULL;
}

const HR_MD(StringStatistics) * hr_view_strings(const struct hr_view *v)
{
    return v->f->stats_case == HR_MD_E(FEATURE_NAME_STATISTICS__STATS_STRING_STATS)
               ? v->f->string_stats
               : NULL;
}

uint64_t hr_view_not_utf8(const struct hr_view *v)
{
    const HR_MD(StringStatistics) *s = hr_view_strings(v);

    return s ? s->invalid_utf8_count : 0;
}

uint64_t hr_view_nan(const struct hr_view *v)
{
    const HR_MD(NumericStatistics) *n = hr_view_numbers(v);

    return n && n->n_histograms ? n->histograms[0]->num_nan : 0;
}

const HR_MD(Histogram) * hr_view_histogram(const struct hr_view *v, int32_t type)
{
    const HR_MD(NumericStatistics) *n = hr_view_numbers(v);
    size_t i;

    for (i = 0; n && i < n->n_histograms; i++)
        if ((int32_t)n->histograms[i]->type == type)
            return n->histograms[i];
    return NULL;
}

static int token_order(const void *a, const void *b)
{
    const struct hr_token *x = a, *y = b;

    return hr_bytes_compare(x->label.text, x->label.len, y->label.text, y->label.len);
}

const struct hr_token *hr_view_tokens(struct hr_arena *arena, const struct hr_view *v,
                                      size_t *ret_n)
{
    const HR_MD(StringStatistics) *s = hr_view_strings(v);
    const HR_MD(RankHistogram) *h = s ? s->rank_histogram : NULL;
    size_t n = h ? h->n_buckets : 0, i;
    struct hr_token *t = hr_arena_array(arena, n + 1, sizeof *t);

    if (!t)
        return NULL;
    for (i = 0; i < n; i++) {
        t[i].label = hr_slice((const char *)h->buckets[i]->label.data, h->buckets[i]->label.len);
        t[i].n = h->buckets[i]->sample_count;
    }
    qsort(t, n, sizeof *t, token_order);
    *ret_n = n;
    return t;
}

/* -- paths --------------------------------------------------------------------------- */

/* Must a step be quoted? */
static bool odd_step(struct hr_slice s)
{
    size_t i, from = 0, to = s.len;

    if (s.len >= 2 && s.text[0] == '(' && s.text[s.len - 1] == ')') {
        for (i = 1; i + 1 < s.len; i++)
            if (s.text[i] == '(' || s.text[i] == ')')
                return true;
        return false;
    }
    for (i = from; i < to; i++)
        if (strchr(".()'", s.text[i]) && s.text[i])
            return true;
    return !s.len;
}

char *hr_path_text(struct hr_arena *arena, const hr_feature_stats *f)
{
    size_t n = hr_path_steps(f), i, k;
    struct hr_slice s;
    hr_status r = HR_OK;
    char *ret = NULL;
    struct hr_buf b;

    hr_buf_of(&b, HR_MAX_VALUE_BYTES, arena->env);
    for (i = 0; i < n; i++) {
        s = hr_path_step(f, i);
        if (i)
            r |= hr_buf_char(&b, '.');
        if (!odd_step(s)) {
            r |= hr_buf_add(&b, s.text, s.len);
            continue;
        }
        r |= hr_buf_char(&b, '\'');
        for (k = 0; k < s.len; k++) {
            if (s.text[k] == '\'')
                r |= hr_buf_char(&b, '\'');
            r |= hr_buf_char(&b, s.text[k]);
        }
        r |= hr_buf_char(&b, '\'');
    }
    if (r == HR_OK)
        ret = hr_arena_bytes(arena, b.text, b.len);
    hr_buf_clear(&b);
    return ret;
}

/* -- tokens -------------------------------------------------------------------------- */

static struct hr_slice trimmed(struct hr_slice t)
{
    while (t.len && strchr(" \t\n\v\f\r", t.text[0]) && t.text[0]) {
        t.text++;
        t.len--;
    }
    while (t.len && strchr(" \t\n\v\f\r", t.text[t.len - 1]) && t.text[t.len - 1])
        t.len--;
    return t;
}

bool hr_token_int(struct hr_slice t, int64_t *ret)
{
    t = trimmed(t);
    return hr_num_int(t.text, t.len, ret);
}

bool hr_token_float(struct hr_slice t, double *ret)
{
    float f;

    t = trimmed(t);
    if (t.len && memchr(t.text, '_', t.len))
        return false;
    if (hr_num_float(t.text, t.len, &f)) {
        *ret = (double)f;
        return true;
    }
    return hr_num_python(t.text, t.len, ret) && !isfinite(*ret);
}
