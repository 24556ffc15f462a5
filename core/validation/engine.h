/* engine.h - one feature of a schema against its statistics: what is wrong, and mending it. */
#ifndef HR_ENGINE_H
#define HR_ENGINE_H

#include "validation/view.h"

typedef HR_MD(AnomalyInfo) hr_anomaly;

/* What the checks of one feature share. */
struct hr_check {
    struct hr_arena *arena;
    hr_schema *schema;
    bool on_copies; /* domains of the schema are copied before they are mended */
    HR_MD(StringDomain) * domain_copy;
    const char *environment;
    const hr_dataset *previous, *serving;
    int32_t domain_max;
    struct hr_view view;
    char *path;
    hr_anomaly *anomaly;             /* reasons are added to it */
    HR_MD(DriftSkewInfo) * measured; /* NULL: nothing was measured */
    struct hr_buf *warnings;
    hr_status r; /* HR_EXHAUSTED: something is lacking */
};

/* Add a reason; long_text NULL: none.  Texts are kept, not copied. */
void hr_reason(struct hr_check *c, int32_t type, const char *short_text, const char *long_text);

/* A text of the arena; "" and c->r where there is no memory. */
HR_PRINTF(2, 3) const char *hr_check_text(struct hr_check *c, const char *format, ...);

/* Six significant digits, as %g. */
const char *hr_check_g6(struct hr_check *c, double v);

bool hr_feature_deprecated(const hr_feature *f);
void hr_feature_deprecate(hr_feature *f);
bool hr_feature_in_environment(const hr_schema *schema, const hr_feature *f, const char *e);
bool hr_feature_required(const hr_schema *schema, const hr_feature *f, const char *e);

/* NULL: there is none of the name. */
HR_MD(StringDomain) * hr_check_domain(struct hr_check *c, const char *name);

/* Is f all right in itself?  (checks_self.c) */
void hr_check_self(struct hr_check *c, hr_feature *f);

/* The domain against the values.  (checks_domain.c) */
void hr_check_values(struct hr_check *c, hr_feature *f);

/* A double as an integer; what does not fit is the least one.  (checks_domain.c) */
int64_t hr_int_of(double v);

/* Drift and skew.  (compare.c) */
void hr_check_comparators(struct hr_check *c, hr_feature *f);

/* All of it, in the order in which reasons are told.  (engine.c) */
void hr_check_feature(struct hr_check *c, hr_feature *f);

/* A new feature for c->view behind the others.  (infer.c) */
hr_feature *hr_feature_create(struct hr_check *c, bool infer_shape);

/* The semantic domain that a custom statistic names; false: none.  (infer.c) */
bool hr_feature_semantic(struct hr_check *c, hr_feature *f);

/* value_count or value_counts as they were seen.  (infer.c) */
void hr_feature_value_count(struct hr_check *c, hr_feature *f);

/* Add to a domain the tokens that it lacks, which are in byte order.  (infer.c) */
void hr_domain_add(struct hr_check *c, HR_MD(StringDomain) * d, const struct hr_token *tokens,
                   size_t n);

#define HR_ANOMALY(name) HR_MD_E(ANOMALY_INFO__TYPE__##name)
#define HR_DOMAIN(name) HR_MD_E(FEATURE__DOMAIN_INFO_##name)

#endif
