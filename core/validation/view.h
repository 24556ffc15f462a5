/* view.h - the statistics of one feature as the schema sees them. */
#ifndef HR_VIEW_H
#define HR_VIEW_H

#include "validation/schema.h"

typedef HR_MD(DatasetFeatureStatistics) hr_dataset;
typedef HR_MD(FeatureNameStatistics) hr_feature_stats;
typedef HR_MD(Feature) hr_feature;

struct hr_view {
    const hr_dataset *set;
    const hr_feature_stats *f;
    const HR_MD(CommonStatistics) * common; /* never NULL */
};

/* One level of nesting: how many lists, how many values each has. */
struct hr_level {
    uint64_t present, missing, min, max;
};

/* The dataset of all examples.  NULL: there is none, told in env. */
const hr_dataset *hr_view_dataset(struct hr_env *env, const hr_statistics *list);

/* false: the entry has no statistics of a known kind, and is left alone. */
bool hr_view_of(const hr_dataset *set, const hr_feature_stats *f, struct hr_view *ret);

/* Of the feature of the same path in another dataset. */
bool hr_view_find(const hr_dataset *set, const hr_feature_stats *like, struct hr_view *ret);

size_t hr_view_levels(const struct hr_view *v);
struct hr_level hr_view_level(const struct hr_view *v, size_t i);

/* FeatureType of a schema. */
int32_t hr_view_type(const struct hr_view *v);

/* The tokens of a rank histogram in byte order.  *ret_n 0: none.  NULL: no memory. */
struct hr_token {
    struct hr_slice label;
    double n;
};
const struct hr_token *hr_view_tokens(struct hr_arena *arena, const struct hr_view *v,
                                      size_t *ret_n);

/* NULL: they are of no such kind. */
const HR_MD(NumericStatistics) * hr_view_numbers(const struct hr_view *v);
const HR_MD(StringStatistics) * hr_view_strings(const struct hr_view *v);
uint64_t hr_view_not_utf8(const struct hr_view *v);
uint64_t hr_view_nan(const struct hr_view *v);
const HR_MD(Histogram) * hr_view_histogram(const struct hr_view *v, int32_t type);

/* Bytes that are equal; either pointer may be NULL where there are none. */
bool hr_same_bytes(const void *a, size_t n, const void *b, size_t m);

/* The steps of a path joined by dots, quoted where they must be. */
char *hr_path_text(struct hr_arena *arena, const hr_feature_stats *f);
size_t hr_path_steps(const hr_feature_stats *f);
struct hr_slice hr_path_step(const hr_feature_stats *f, size_t i);

/* A token as an integer, as a float: blanks around it are allowed. */
bool hr_token_int(struct hr_slice t, int64_t *ret);
bool hr_token_float(struct hr_slice t, double *ret);

#endif
