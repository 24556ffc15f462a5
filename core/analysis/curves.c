/* Metrics over all thresholds, from the histogram of scores.
 *
 * A bucket is 1/10000 wide; bucket i starts at (i - 1) / 10000, the first and the last reach to
 * infinity.  The thresholds are -1e-7, 1/(n-1), ..., (n-2)/(n-1), 1 + 1e-7.  A bucket belongs to
 * the last threshold that is below its left edge by 1e-7 or more, so that a score equal to a
 * threshold is not above it.
 */
#include <math.h>

#include "analysis/results.h"

static const double tiny = 1e-7;

static void thresholds(struct hr_matrices *m)
{
    size_t i;

    m->thresholds[0] = -tiny;
    for (i = 1; i + 1 < m->n; i++)
        m->thresholds[i] = (double)i / (double)(m->n - 1);
    m->thresholds[m->n - 1] = 1 + tiny;
}

static double left_edge(uint64_t bucket)
{
    if (!bucket)
        return -INFINITY;
    return bucket >= HR_BUCKETS - 1 ? INFINITY : (double)(bucket - 1) / 10000;
}

/* Put the weights of positive and negative labels at their thresholds. */
static void bin(const struct hr_cell *cells, size_t n, struct hr_matrices *m)
{
    size_t i, t = 0;

    for (i = 0; i < n; i++) {
        double edge = left_edge(cells[i].key);

        while (t + 1 < m->n && edge >= m->thresholds[t + 1] + tiny)
            t++;
        m->tp[t] += cells[i].sums[1];
        m->fp[t] += cells[i].sums[0] - cells[i].sums[1];
    }
}

hr_status hr_matrices_make(struct hr_arena *arena, const struct hr_cells *histogram, size_t n,
                           struct hr_matrices *ret)
{
    const struct hr_cell *cells = hr_cells_sorted(arena, histogram);
    double *block = hr_arena_array(arena, 5 * n, sizeof *block);
    struct hr_matrices m = { .n = n };
    size_t i;

    if (!cells || !block)
        return HR_EXHAUSTED;
    m.thresholds = block;
    m.tp = block + n;
    m.tn = block + 2 * n;
    m.fp = block + 3 * n;
    m.fn = block + 4 * n;
    thresholds(&m);
    bin(cells, histogram->n, &m);
    for (i = 1; i < n; i++) {
        m.fn[i] = m.fn[i - 1] + m.tp[i - 1];
        m.tn[i] = m.tn[i - 1] + m.fp[i - 1];
    }
    for (i = n - 1; i-- > 0;) {
        m.tp[i] += m.tp[i + 1];
        m.fp[i] += m.fp[i + 1];
    }
    /* Nothing is above the last. */
    m.fn[n - 1] = m.tp[0];
    m.tn[n - 1] = m.fp[0];
    m.tp[n - 1] = m.fp[n - 1] = 0;
    *ret = m;
    return HR_OK;
}

static double over(double a, double b)
{
    return b != 0 ? a / b : NAN;
}

static double height(double a, double b, int32_t summation)
{
    if (summation == 1)
        return a < b ? a : b;
    if (summation == 2)
        return a > b ? a : b;
    return (a + b) / 2;
}

static double roc(const struct hr_matrices *m, int32_t summation)
{
    double sum = 0, x;
    size_t i;

    for (i = 0; i + 1 < m->n; i++) {
        x = (over(m->fp[i], m->fp[i] + m->tn[i]) -
             over(m->fp[i + 1], m->fp[i + 1] + m->tn[i + 1])) *
            height(over(m->tp[i], m->tp[i] + m->fn[i]),
                   over(m->tp[i + 1], m->tp[i + 1] + m->fn[i + 1]), summation);
        sum += isnan(x) ? 0 : x;
    }
    return sum;
}

/* Davis and Goadrich, The relationship between precision-recall and ROC curves, 2006. */
static double interpolated(const struct hr_matrices *m)
{
    double sum = 0;
    size_t i;

    for (i = 0; i + 1 < m->n; i++) {
        double dtp = m->tp[i] - m->tp[i + 1];
        double p = m->tp[i] + m->fp[i], q = m->tp[i + 1] + m->fp[i + 1];
        double dp = p - q > 0 ? p - q : 0;
        double slope = over(dtp, dp);
        double intercept = m->tp[i + 1] - slope * q;
        double ratio = p > 0 && q > 0 ? p / q : 1;
        double all = m->tp[i + 1] + m->fn[i + 1];
        double x = over(slope * (dtp + intercept * log(ratio)), all > 0 ? all : 0);

        sum += isnan(x) ? 0 : x;
    }
    return sum;
}

static double precision_recall(const struct hr_matrices *m, int32_t summation)
{
    double sum = 0, x;
    size_t i;

    if (!summation)
        return interpolated(m);
    for (i = 0; i + 1 < m->n; i++) {
        x = (over(m->tp[i], m->tp[i] + m->fn[i]) -
             over(m->tp[i + 1], m->tp[i + 1] + m->fn[i + 1])) *
            height(over(m->tp[i], m->tp[i] + m->fp[i]),
                   over(m->tp[i + 1], m->tp[i + 1] + m->fp[i + 1]), summation);
        sum += isnan(x) ? 0 : x;
    }
    return sum;
}

/* The largest dependent value where the constrained one is at least, or at most, v. */
static double best(const struct hr_matrices *m, int32_t constrained, int32_t dependent, double v,
                   bool at_most)
{
    double most = 0, a, b;
    size_t i;

    for (i = 0; i < m->n; i++) {
        a = hr_confusion_value(constrained, m->tp[i], m->tn[i], m->fp[i], m->fn[i]);
        if (isnan(a) || (at_most ? a > v : a < v))
            continue;
        b = dependent < 0 ? m->thresholds[i]
                          : hr_confusion_value(dependent, m->tp[i], m->tn[i], m->fp[i], m->fn[i]);
        if (!isnan(b) && b > most)
            most = b;
    }
    return most;
}

double hr_histogram_value(const struct hr_matrices *m, const struct hr_metric *metric)
{
    double v = metric->value;

    switch (metric->type->formula) {
    case HR_AUC:
    case HR_AUC_PR:
        return metric->pr_curve ? precision_recall(m, metric->summation)
                                : roc(m, metric->summation);
    case HR_SPECIFICITY_AT_SENSITIVITY:
        return best(m, HR_RECALL, HR_SPECIFICITY, v, false);
    case HR_SENSITIVITY_AT_SPECIFICITY:
        return best(m, HR_SPECIFICITY, HR_RECALL, v, false);
    case HR_PRECISION_AT_RECALL:
        return best(m, HR_RECALL, HR_PRECISION, v, false);
    case HR_RECALL_AT_PRECISION:
        return best(m, HR_PRECISION, HR_RECALL, v, false);
    case HR_RECALL_AT_FPR:
        return best(m, HR_FALL_OUT, HR_RECALL, v, true);
    default:
        return best(m, HR_RECALL, -1, v, false);
    }
}
