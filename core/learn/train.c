/* Mini-batch gradient descent.
 *
 * Each epoch goes over all rows once, in an order drawn from the seed; a batch runs on from
 * one epoch into the next.  The slope of the mean loss is summed in the order of the batch's
 * rows.  Adam is that of Kingma, Ba 2015, algorithm 1 with the step size of its section 2.
 */
#include <math.h>
#include <string.h>

#include "learn/net.h"

static const float BETA1 = 0.9f, BETA2 = 0.999f, EPSILON = 1e-7f;

struct training {
    struct hr_env *env;
    struct hr_net *net;
    const struct hr_train *how;
    const struct hr_samples *rows;
    struct hr_pass pass, slopes; /* values and their derivatives, for a batch */
    float *grad, *m, *v, *best;
    uint32_t *order;
    size_t at; /* in order */
    uint64_t epoch;
    double loss, hit; /* since the last report */
    size_t seen;
};

HR_CPU_INLINE void add_times(float *restrict to, const float *restrict from, float x, int32_t n)
{
    int32_t j = 0, k;

    for (; j + 8 <= n; j += 8)
        for (k = 0; k < 8; k++)
            to[j + k] += x * from[j + k];
    for (; j < n; j++)
        to[j] += x * from[j];
}

/* The sum of products, in eight lanes that are added in a fixed tree. */
HR_CPU_INLINE float dot(const float *restrict a, const float *restrict b, int32_t n)
{
    float s[8] = { 0 };
    int32_t j = 0, k;

    for (; j + 8 <= n; j += 8)
        for (k = 0; k < 8; k++)
            s[k] += a[j + k] * b[j + k];
    for (; j < n; j++)
        s[j & 7] += a[j] * b[j];
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

/* An order of all rows: Fisher, Yates with numbers of the seed and epoch. */
static void shuffle(struct training *t)
{
    uint64_t seed = hr_random_at(t->how->seed ^ UINT64_C(0x5eed), t->epoch);
    size_t n = t->rows->rows, i, k;

    for (i = 0; i < n; i++)
        t->order[i] = (uint32_t)i;
    for (i = n; i > 1; i--) {
        uint32_t other;

        k = (size_t)(hr_random_at(seed, i) % i);
        other = t->order[k];
        t->order[k] = t->order[i - 1];
        t->order[i - 1] = other;
    }
    t->at = 0;
}

static size_t next_row(struct training *t)
{
    if (t->at == t->rows->rows) {
        t->epoch++;
        shuffle(t);
    }
    return t->order[t->at++];
}

/* Slopes by the outputs of layer k to those by its weights and its inputs. */
HR_CPU_INLINE void layer_back_body(struct training *t, const size_t *rows, int32_t n, int32_t k)
{
    const struct hr_layer *l = &t->net->layers[k];
    const float *in = k ? t->pass.out[k - 1] : t->pass.in;
    float *below = k ? t->slopes.out[k - 1] : t->slopes.in;
    const float *w = t->net->weights + l->weights;
    size_t id, from;
    int32_t i, j;

    for (i = 0; i < n; i++) {
        const float *out = t->slopes.out[k] + (size_t)i * (size_t)l->out;
        const float *x = in + (size_t)i * (size_t)l->in;
        float *d = below + (size_t)i * (size_t)l->in;

        add_times(t->grad + l->biases, out, 1, l->out);
        for (j = 0; j < l->in; j++) {
            size_t row = (size_t)j * (size_t)l->out;

            if (x[j] != 0)
                add_times(t->grad + l->weights + row, out, x[j], l->out);
            if (k && x[j] <= 0) /* ReLU is flat there */
                d[j] = 0;
            else if (k || t->net->layers[0].in > t->net->floats)
                d[j] = dot(w + row, out, l->out);
        }
        if (k != t->net->wide_layer)
            continue;
        from = rows[i] ? t->rows->ends[rows[i] - 1] : 0;
        for (id = from; id < t->rows->ends[rows[i]]; id++)
            add_times(t->grad + (size_t)t->rows->ids[id] * (size_t)t->net->width, out, 1,
                      t->net->width);
    }
}

HR_CPU_TWINS(layer_back, (struct training * t, const size_t *rows, int32_t n, int32_t k),
             (t, rows, n, k))

/* Slopes by the first layer's input to those by learnt vectors. */
static void vectors_back(struct training *t, const size_t *rows, int32_t n)
{
    const struct hr_net *net = t->net;
    size_t id, from;
    int32_t i;

    for (i = 0; i < n && net->layers[0].in > net->floats; i++) {
        const float *d = t->slopes.in + (size_t)i * (size_t)net->layers[0].in + net->floats;

        from = rows[i] ? t->rows->ends[rows[i] - 1] : 0;
        for (id = from; id < t->rows->ends[rows[i]]; id++)
            add_times(t->grad + (size_t)t->rows->ids[id] * (size_t)net->width,
                      d + (size_t)t->rows->fields[id] * (size_t)net->width, 1, net->width);
    }
}

/* A moment that has faded counts as 0.  Weights of ids that rows do not have any more would
 * otherwise end in numbers below FLT_MIN, on which a processor is 30 times slower.  Against EPSILON
 * neither the root of such a v nor such an m can be seen. */
static const float FADED = 1e-34f;

HR_CPU_INLINE float faded(float x)
{
    return fabsf(x) < FADED ? 0 : x;
}

HR_CPU_INLINE void adam_one(float *restrict w, float *restrict m, float *restrict v, float g,
                            float rate)
{
    *m = faded(*m + (g - *m) * (1 - BETA1));
    *v = faded(*v + (g * g - *v) * (1 - BETA2));
    *w -= rate * *m / (sqrtf(*v) + EPSILON);
}

HR_CPU_INLINE void adam_body(struct training *t, int64_t step)
{
    double b1 = 1 - pow((double)BETA1, (double)step), b2 = 1 - pow((double)BETA2, (double)step);
    const float rate = (float)((double)t->how->rate * sqrt(b2) / b1);
    float *restrict w = t->net->weights, *restrict m = t->m, *restrict v = t->v;
    const float *restrict g = t->grad;
    size_t i = 0, k, n = t->net->n;

    for (; i + 8 <= n; i += 8)
        for (k = i; k < i + 8; k++)
            adam_one(&w[k], &m[k], &v[k], g[k], rate);
    for (k = i; k < n; k++)
        adam_one(&w[k], &m[k], &v[k], g[k], rate);
}

HR_CPU_TWINS(adam, (struct training * t, int64_t step), (t, step))

static void one_step(struct training *t, size_t *rows, int64_t step)
{
    int32_t n = t->how->batch, i, k, last = t->net->layers_n - 1;
    size_t out = (size_t)t->net->outputs, j;

    memset(t->grad, 0, t->net->n * sizeof *t->grad);
    for (i = 0; i < n; i++) {
        rows[i] = next_row(t);
        hr_pass_row(t->net, t->rows, rows[i], &t->pass, (size_t)i);
    }
    for (i = 0; i < n; i++) {
        const float *z = t->pass.out[last] + (size_t)i * out;
        float *d = t->slopes.out[last] + (size_t)i * out, target = t->rows->targets[rows[i]];

        t->loss += hr_net_loss(t->net, z, target, d);
        t->hit += hr_net_hit(t->net, z, target);
        for (j = 0; j < out; j++)
            d[j] /= (float)n;
    }
    t->seen += (size_t)n;
    for (k = last; k >= 0; k--)
        layer_back(t, rows, n, k);
    vectors_back(t, rows, n);
    if (t->how->optimizer == HR_ADAM)
        adam(t, step);
    else
        for (j = 0; j < t->net->n; j++)
            t->net->weights[j] -= t->how->rate * t->grad[j];
}

/* -- reports ---------------------------------------- */

struct stopping {
    double best; /* the lowest loss of evaluation */
    int32_t worse;
    bool any;
};

static hr_status tell(struct training *t, const struct hr_samples *eval, int64_t step,
                      struct stopping *s, struct hr_train_report *r)
{
    size_t n = t->net->n * sizeof *t->best;
    hr_status status = HR_OK;

    *r = (struct hr_train_report){ .step = step, .steps = t->how->steps };
    r->epoch = (double)t->epoch + (double)t->at / (double)t->rows->rows;
    r->train = (struct hr_scores){ t->loss / (double)t->seen, t->hit / (double)t->seen, t->seen };
    t->loss = t->hit = 0;
    t->seen = 0;
    if (eval && eval->rows)
        status = hr_net_scores(t->env, t->net, eval, &r->eval);
    if (status < 0 || !t->how->patience || !r->eval.rows)
        return status;
    if (!s->any || r->eval.loss < s->best) {
        s->any = true;
        s->best = r->eval.loss;
        s->worse = 0;
        memcpy(t->best, t->net->weights, n);
    } else if (++s->worse >= t->how->patience) {
        r->stopped = true;
    }
    return HR_OK;
}

static hr_status run(struct training *t, size_t *rows, const struct hr_samples *eval,
                     hr_status (*report)(void *, const struct hr_train_report *), void *user)
{
    struct hr_train_report r = { 0 };
    struct stopping s = { 0 };
    hr_status status = HR_OK;
    int64_t step;

    shuffle(t);
    for (step = 1; step <= t->how->steps && status == HR_OK && !r.stopped; step++) {
        one_step(t, rows, step);
        if (hr_cancelled(t->env))
            return HR_CANCELLED;
        if (step < t->how->steps && (!t->how->every || step % t->how->every))
            continue;
        if ((status = tell(t, eval, step, &s, &r)) == HR_OK && report)
            status = report(user, &r);
        if (status == HR_OK && r.train.loss - r.train.loss != 0)
            status = hr_fail(t->env, HR_INVALID,
                             "the loss is no number after step %lld; take a lower learning_rate, "
                             "or look for values that are not finite",
                             (long long)step);
    }
    if (s.any && status == HR_OK)
        memcpy(t->net->weights, t->best, t->net->n * sizeof *t->best);
    return status;
}

static hr_status check(struct hr_env *env, const struct hr_train *how, size_t rows)
{
    if (!rows)
        return hr_fail(env, HR_INVALID, "there is no row to train on");
    if (rows > UINT32_MAX)
        return hr_fail(env, HR_EXHAUSTED, "there are more than 2^32 rows to train on");
    if (how->steps < 1 || how->batch < 1 || how->batch > 1 << 20 || !(how->rate > 0) ||
        (how->optimizer != HR_SGD && how->optimizer != HR_ADAM))
        return hr_fail(env, HR_INVALID,
                       "training wants steps, a batch size and a rate above 0, "
                       "and sgd or adam");
    return HR_OK;
}

hr_status hr_net_train(struct hr_env *env, struct hr_net *net, const struct hr_train *how,
                       const struct hr_samples *train, const struct hr_samples *eval,
                       hr_status (*report)(void *user, const struct hr_train_report *r), void *user)
{
    struct training t = { .env = env, .net = net, .how = how, .rows = train };
    size_t n = net->n * sizeof(float), batch = (size_t)how->batch;
    size_t *rows = NULL;
    hr_status r = check(env, how, train->rows);

    if (r < 0)
        return r;
    rows = hr_mem_zero(env, batch * sizeof *rows);
    t.grad = hr_mem_zero(env, n);
    t.m = hr_mem_zero(env, n);
    t.v = hr_mem_zero(env, n);
    t.best = hr_mem_zero(env, n);
    t.order = hr_mem_zero(env, train->rows * sizeof *t.order);
    r = HR_EXHAUSTED;
    if (rows && t.grad && t.m && t.v && t.best && t.order &&
        hr_pass_init(env, net, batch, &t.pass) == HR_OK &&
        hr_pass_init(env, net, batch, &t.slopes) == HR_OK)
        r = run(&t, rows, eval, report, user);
    hr_pass_clear(env, &t.pass);
    hr_pass_clear(env, &t.slopes);
    hr_mem_put(env, rows, batch * sizeof *rows);
    hr_mem_put(env, t.grad, n);
    hr_mem_put(env, t.m, n);
    hr_mem_put(env, t.v, n);
    hr_mem_put(env, t.best, n);
    hr_mem_put(env, t.order, train->rows * sizeof *t.order);
    return r;
}
