/* Drift and skew: a feature against itself in another dataset. */
#include "validation/compare.h"
#include "validation/engine.h"

/* What a comparison is called, and where its measurements go. */
struct side {
    const hr_dataset *set;
    const char *treatment, *control;
    bool skew;
};

static void measured(struct hr_check *c, const struct side *s, int32_t type, double value,
                     double threshold)
{
    HR_MD(DriftSkewInfo__Measurement) *m = NULL;

    if (!c->measured)
        c->measured = hr_pb_new(c->arena, &HR_MD_OF(drift_skew_info));
    if (c->measured && s->skew)
        m = HR_PB_ADD(c->arena, c->measured, skew_measurements,
                      &HR_MD_OF(drift_skew_info__measurement));
    else if (c->measured)
        m = HR_PB_ADD(c->arena, c->measured, drift_measurements,
                      &HR_MD_OF(drift_skew_info__measurement));
    if (!m) {
        c->r = HR_EXHAUSTED;
        return;
    }
    m->has_type = m->has_value = m->has_threshold = 1;
    m->type = (HR_MD(DriftSkewInfo__Measurement__Type))type;
    m->value = value;
    m->threshold = threshold;
}

static void by_labels(struct hr_check *c, const struct side *s, const struct hr_view *control,
                      bool joint, double *threshold)
{
    static const char *const names[] = { "Linfty distance", "normalized absolute difference" };
    struct hr_distance d;
    const char *what = names[joint];

    if (hr_distance_labels(c->arena, &c->view, control, joint, &d) < 0) {
        c->r = HR_EXHAUSTED;
        return;
    }
    measured(c, s,
             joint ? HR_MD_E(DRIFT_SKEW_INFO__MEASUREMENT__TYPE__NORMALIZED_ABSOLUTE_DIFFERENCE)
                   : HR_MD_E(DRIFT_SKEW_INFO__MEASUREMENT__TYPE__L_INFTY),
             d.value, *threshold);
    if (hr_view_numbers(&c->view) && c->warnings)
        hr_buf_format(c->warnings,
                      "feature \"%s\" is numeric: its %s to the %s data is always 0; use "
                      "jensen_shannon_divergence\n",
                      c->path, what, s->control);
    if (!(d.value > *threshold))
        return;
    hr_reason(c,
              joint ? HR_ANOMALY(COMPARATOR_NORMALIZED_ABSOLUTE_DIFFERENCE_HIGH)
                    : HR_ANOMALY(COMPARATOR_L_INFTY_HIGH),
              hr_check_text(c, "High %s between %s and %s", what, s->treatment, s->control),
              hr_check_text(c,
                            "The %s between %s and %s is %s (up to six significant digits), above "
                            "the threshold %s. The feature value with maximum difference is: "
                            "%.*s",
                            what, s->treatment, s->control, hr_check_g6(c, d.value),
                            hr_check_g6(c, *threshold), (int)d.label.len, d.label.text));
    *threshold = d.value;
}

static void by_jsd(struct hr_check *c, const struct side *s, const struct hr_view *control,
                   HR_MD(JensenShannonDivergence) * j)
{
    bool quantiles = j->source && j->source->type == HR_MD_E(HISTOGRAM_SELECTION__TYPE__QUANTILES);
    double value = 0;
    hr_status r = hr_distance_jsd(c->arena, &c->view, control, quantiles, &value);

    if (r == HR_EXHAUSTED)
        c->r = r;
    if (r == HR_PRECONDITION && c->warnings)
        hr_buf_format(c->warnings,
                      "feature \"%s\" has no histograms in both datasets, so there is no "
                      "Jensen-Shannon divergence to the %s data\n",
                      c->path, s->control);
    if (r < 0)
        return;
    measured(c, s, HR_MD_E(DRIFT_SKEW_INFO__MEASUREMENT__TYPE__JENSEN_SHANNON_DIVERGENCE), value,
             j->threshold);
    if (!(value > j->threshold))
        return;
    hr_reason(c, HR_ANOMALY(COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH),
              hr_check_text(c, "High approximate Jensen-Shannon divergence between %s and %s",
                            s->treatment, s->control),
              hr_check_text(c,
                            "The approximate Jensen-Shannon divergence between %s and %s is %s (up "
                            "to six significant digits), above the threshold %s.",
                            s->treatment, s->control, hr_check_g6(c, value),
                            hr_check_g6(c, j->threshold)));
    j->threshold = value;
}

static void control_missing(struct hr_check *c, const struct side *s, HR_MD(FeatureComparator) * f)
{
    if (f->infinity_norm)
        f->infinity_norm->has_threshold = 0;
    if (f->normalized_abs_difference)
        f->normalized_abs_difference->has_threshold = 0;
    if (f->jensen_shannon_divergence)
        f->jensen_shannon_divergence->has_threshold = 0;
    hr_reason(c, HR_ANOMALY(COMPARATOR_CONTROL_DATA_MISSING),
              hr_check_text(c, "%s data missing", s->control),
              hr_check_text(c, "%s data is missing.", s->control));
}

static void compare(struct hr_check *c, const struct side *s, HR_MD(FeatureComparator) * f)
{
    bool infinity = f && f->infinity_norm && f->infinity_norm->has_threshold;
    bool difference =
        f && f->normalized_abs_difference && f->normalized_abs_difference->has_threshold;
    bool jsd = f && f->jensen_shannon_divergence && f->jensen_shannon_divergence->has_threshold;
    struct hr_view control;

    if (!s->set || (!infinity && !difference && !jsd))
        return;
    if (!hr_view_find(s->set, c->view.f, &control)) {
        control_missing(c, s, f);
        return;
    }
    if (infinity)
        by_labels(c, s, &control, false, &f->infinity_norm->threshold);
    if (difference)
        by_labels(c, s, &control, true, &f->normalized_abs_difference->threshold);
    if (jsd)
        by_jsd(c, s, &control, f->jensen_shannon_divergence);
}

void hr_check_comparators(struct hr_check *c, hr_feature *f)
{
    const struct side drift = { c->previous, "current", "previous", false };
    const struct side skew = { c->serving, "training", "serving", true };

    compare(c, &drift, f->drift_comparator);
    compare(c, &skew, f->skew_comparator);
}
