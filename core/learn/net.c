#include "learn/net.h"

#include <math.h>
#include <string.h>

static bool between(int32_t x, int32_t least, int32_t most)
{
    return x >= least && x <= most;
}

static hr_status check_hidden(struct hr_env *env, const struct hr_net_shape *s)
{
    int32_t i;

    if (s->nhidden < 0 || s->nhidden > HR_MAX_LAYERS)
        return hr_fail(env, HR_INVALID, "a net has at most 16 hidden layers, not %d",
                       (int)s->nhidden);
    for (i = 0; i < s->nhidden; i++)
        if (s->hidden[i] < 1 || s->hidden[i] > HR_MAX_UNITS)
            return hr_fail(env, HR_INVALID, "a hidden layer has from 1 to 65536 units, not %d",
                           (int)s->hidden[i]);
    return HR_OK;
}

static hr_status check(struct hr_env *env, const struct hr_net_shape *s)
{
    hr_status r;

    if (!between(s->kind, HR_NET_LINEAR, HR_NET_DNN) ||
        !between(s->task, HR_TASK_REGRESSION, HR_TASK_CLASSES) ||
        !between(s->ids, HR_IDS_WIDE, HR_IDS_EMBEDDING))
        return hr_fail(env, HR_INVALID, "a net is linear or dnn, with a task and a way of ids");
    if (!s->ninputs || s->ninputs > HR_MAX_INPUTS)
        return hr_fail(env, HR_INVALID, "a net has from 1 to 100000 inputs, not %zu", s->ninputs);
    if ((r = check_hidden(env, s)) < 0)
        return r;
    if (s->task == HR_TASK_CLASSES ? s->classes < 2 || s->classes > HR_MAX_UNITS : s->classes != 1)
        return hr_fail(env, HR_INVALID, "there are from 2 to 65536 classes, not %d",
                       (int)s->classes);
    if (s->ids == HR_IDS_EMBEDDING && (s->embedding < 1 || s->embedding > 1024))
        return hr_fail(env, HR_INVALID, "a learnt vector has from 1 to 1024 numbers, not %d",
                       (int)s->embedding);
    return HR_OK;
}

static hr_status copy_shape(struct hr_net *net, const struct hr_net_shape *s)
{
    size_t n = s->labels ? (size_t)(s->task == HR_TASK_BINARY ? 2 : s->classes) : 0, i;
    struct hr_net_input *inputs = hr_arena_array(&net->arena, s->ninputs, sizeof *inputs);
    const char **labels = hr_arena_array(&net->arena, n + 1, sizeof *labels);

    net->shape = *s;
    if (!inputs || !labels || !(net->shape.label = hr_arena_text(&net->arena, s->label)))
        return HR_EXHAUSTED;
    for (i = 0; i < s->ninputs; i++) {
        inputs[i] = s->inputs[i];
        if (!(inputs[i].name = hr_arena_text(&net->arena, s->inputs[i].name)))
            return HR_EXHAUSTED;
    }
    for (i = 0; i < n; i++)
        if (!(labels[i] = hr_arena_text(&net->arena, s->labels[i])))
            return HR_EXHAUSTED;
    net->shape.inputs = inputs;
    net->shape.labels = n ? labels : NULL;
    return HR_OK;
}

/* Inputs to places among the floats and in the table. */
static hr_status place_inputs(struct hr_net *net)
{
    const struct hr_net_shape *s = &net->shape;
    size_t i;

    net->float_at = hr_arena_array(&net->arena, s->ninputs, sizeof *net->float_at);
    net->table_at = hr_arena_array(&net->arena, s->ninputs, sizeof *net->table_at);
    if (!net->float_at || !net->table_at)
        return HR_EXHAUSTED;
    for (i = 0; i < s->ninputs; i++) {
        const struct hr_net_input *x = &s->inputs[i];

        if (x->kind == HR_INPUT_FLOAT && x->size > 0 && x->size <= HR_MAX_UNITS &&
            net->floats <= HR_MAX_WEIGHTS - x->size) {
            net->float_at[i] = net->floats;
            net->floats += x->size;
        } else if (x->kind == HR_INPUT_ID && x->depth > 0 && x->depth <= HR_MAX_WEIGHTS &&
                   net->table_rows <= HR_MAX_WEIGHTS - x->depth) {
            net->float_at[i] = net->fields++;
            net->table_at[i] = net->table_rows;
            net->table_rows += x->depth;
        } else {
            return hr_fail(net->env, HR_INVALID, "the input \"%s\" is too large, or of no size",
                           x->name);
        }
    }
    return HR_OK;
}

static hr_status place_weights(struct hr_net *net)
{
    const struct hr_net_shape *s = &net->shape;
    int32_t hidden = s->kind == HR_NET_LINEAR ? 0 : s->nhidden, i;
    int64_t in = net->floats, n = 0;

    net->wide_layer = -1;
    net->width = 0;
    if (net->fields) {
        if (s->ids == HR_IDS_EMBEDDING && hidden) {
            net->width = s->embedding;
            in += (int64_t)net->fields * s->embedding;
        } else {
            net->wide_layer = s->ids == HR_IDS_DEEP || !net->floats ? 0 : hidden;
            net->width = net->wide_layer < hidden ? s->hidden[net->wide_layer] : net->outputs;
        }
    }
    n = net->table_rows * net->width;
    for (i = 0; i <= hidden; i++) {
        struct hr_layer *l = &net->layers[i];

        l->out = i < hidden ? s->hidden[i] : net->outputs;
        if (in > HR_MAX_WEIGHTS || n + (in + 1) * l->out > HR_MAX_WEIGHTS)
            return hr_fail(net->env, HR_EXHAUSTED, "a net has at most %d weights", HR_MAX_WEIGHTS);
        l->in = (int32_t)in;
        l->weights = (size_t)n;
        l->biases = l->weights + (size_t)in * (size_t)l->out;
        n = (int64_t)l->biases + l->out;
        in = l->out;
    }
    net->layers_n = hidden + 1;
    net->n = (size_t)n;
    return HR_OK;
}

hr_status hr_net_make(struct hr_env *env, const struct hr_net_shape *shape, size_t expect,
                      struct hr_net **ret)
{
    struct hr_net *net;
    hr_status r = check(env, shape);

    if (r < 0)
        return r;
    if (!(net = hr_mem_zero(env, sizeof *net)))
        return HR_EXHAUSTED;
    net->env = env;
    hr_arena_init(&net->arena, env, 0);
    net->outputs = shape->task == HR_TASK_CLASSES ? shape->classes : 1;
    if ((r = copy_shape(net, shape)) == HR_OK && (r = place_inputs(net)) == HR_OK &&
        (r = place_weights(net)) == HR_OK && expect && net->n != expect)
        r = hr_fail(env, HR_DATA_LOSS, "the net has %zu weights, and its file %zu", net->n, expect);
    if (r == HR_OK && !(net->weights = hr_mem_zero(env, net->n * sizeof *net->weights)))
        r = HR_EXHAUSTED;
    if (r < 0)
        hr_net_free(net);
    else
        *ret = net;
    return r;
}

/* Evenly between -limit and limit, from 24 bits of the i-th number of a seed. */
static float drawn(uint64_t seed, size_t i, float limit)
{
    return ((float)(hr_random_at(seed, i) >> 40) / 8388608.0f - 1) * limit;
}

/* Glorot, Bengio 2010; the table of one-hot weights counts as rows of its layer. */
hr_status hr_net_new(struct hr_env *env, const struct hr_net_shape *shape, uint64_t seed,
                     struct hr_net **ret)
{
    struct hr_net *net;
    hr_status r = hr_net_make(env, shape, 0, &net);
    int32_t k;
    size_t i;

    if (r < 0)
        return r;
    for (k = 0; k < net->layers_n; k++) {
        const struct hr_layer *l = &net->layers[k];
        double in = l->in + (k == net->wide_layer ? (double)net->table_rows : 0);
        float limit = (float)sqrt(6 / (in + l->out));

        for (i = l->weights; i < l->biases; i++)
            net->weights[i] = drawn(seed, i, limit);
        for (i = 0; k == net->wide_layer && i < net->layers[0].weights; i++)
            net->weights[i] = drawn(seed, i, limit);
    }
    for (i = 0; net->wide_layer < 0 && i < net->layers[0].weights; i++)
        net->weights[i] = drawn(seed, i, 0.05f);
    *ret = net;
    return HR_OK;
}

void hr_net_free(struct hr_net *net)
{
    struct hr_env *env = net ? net->env : NULL;

    if (!net)
        return;
    if (net->weights)
        hr_mem_put(env, net->weights, net->n * sizeof *net->weights);
    hr_arena_clear(&net->arena);
    hr_mem_put(env, net, sizeof *net);
}

const struct hr_net_shape *hr_net_shape(const struct hr_net *net)
{
    return &net->shape;
}

size_t hr_net_weights(const struct hr_net *net, const float **ret)
{
    *ret = net->weights;
    return net->n;
}

/* -- forward ---------------------------------------- */

hr_status hr_pass_init(struct hr_env *env, const struct hr_net *net, size_t rows, struct hr_pass *p)
{
    size_t n = (size_t)net->layers[0].in, at;
    int32_t k;

    for (k = 0; k < net->layers_n; k++)
        n += (size_t)net->layers[k].out;
    *p = (struct hr_pass){ 0 };
    if (!hr_size_mul(n + 1, rows * sizeof(float), &p->size) ||
        !(p->memory = hr_mem_zero(env, p->size)))
        return HR_EXHAUSTED;
    p->in = p->memory;
    at = (size_t)net->layers[0].in * rows;
    for (k = 0; k < net->layers_n; k++) {
        p->out[k] = p->memory + at;
        at += (size_t)net->layers[k].out * rows;
    }
    return HR_OK;
}

void hr_pass_clear(struct hr_env *env, struct hr_pass *p)
{
    hr_mem_put(env, p->memory, p->size);
    p->memory = NULL;
}

/* to += x * from, in pieces of 8 that a compiler turns into vectors. */
HR_CPU_INLINE void add_times(float *restrict to, const float *restrict from, float x, int32_t n)
{
    int32_t j = 0, k;

    for (; j + 8 <= n; j += 8)
        for (k = 0; k < 8; k++)
            to[j + k] += x * from[j + k];
    for (; j < n; j++)
        to[j] += x * from[j];
}

HR_CPU_INLINE void row_input(const struct hr_net *net, const struct hr_samples *s, size_t i,
                             float *in)
{
    size_t k, from = i ? s->ends[i - 1] : 0;
    float *vector;

    memcpy(in, s->dense + i * (size_t)net->floats, (size_t)net->floats * sizeof *in);
    if (net->layers[0].in == net->floats)
        return;
    memset(in + net->floats, 0, (size_t)(net->layers[0].in - net->floats) * sizeof *in);
    for (k = from; k < s->ends[i]; k++) {
        vector = in + net->floats + (size_t)s->fields[k] * (size_t)net->width;
        add_times(vector, net->weights + (size_t)s->ids[k] * (size_t)net->width, 1, net->width);
    }
}

HR_CPU_INLINE void pass_row_body(const struct hr_net *net, const struct hr_samples *s, size_t i,
                                 struct hr_pass *p, size_t row)
{
    float *in = p->in + row * (size_t)net->layers[0].in, *out = NULL;
    size_t id, from = i ? s->ends[i - 1] : 0;
    int32_t k, j;

    row_input(net, s, i, in);
    for (k = 0; k < net->layers_n; k++, in = out) {
        const struct hr_layer *l = &net->layers[k];
        const float *w = net->weights + l->weights;

        out = p->out[k] + row * (size_t)l->out;
        memcpy(out, net->weights + l->biases, (size_t)l->out * sizeof *out);
        for (j = 0; j < l->in; j++)
            if (in[j] != 0)
                add_times(out, w + (size_t)j * (size_t)l->out, in[j], l->out);
        for (id = from; k == net->wide_layer && id < s->ends[i]; id++)
            add_times(out, net->weights + (size_t)s->ids[id] * (size_t)net->width, 1, net->width);
        for (j = 0; k + 1 < net->layers_n && j < l->out; j++)
            out[j] = out[j] > 0 ? out[j] : 0;
    }
}

HR_CPU_TWINS(pass_row,
             (const struct hr_net *net, const struct hr_samples *s, size_t i, struct hr_pass *p,
              size_t row),
             (net, s, i, p, row))

void hr_pass_row(const struct hr_net *net, const struct hr_samples *s, size_t i, struct hr_pass *p,
                 size_t row)
{
    pass_row(net, s, i, p, row);
}

/* -- what logits mean ---------------------------------------- */

void hr_net_squash(const struct hr_net *net, const float *z, float *to)
{
    int32_t k, n = net->outputs;
    float most = z[0];
    double sum = 0;

    if (net->shape.task == HR_TASK_REGRESSION) {
        to[0] = z[0];
    } else if (net->shape.task == HR_TASK_BINARY) {
        to[0] = (float)(1 / (1 + exp(-(double)z[0])));
    } else {
        for (k = 1; k < n; k++)
            most = z[k] > most ? z[k] : most;
        for (k = 0; k < n; k++)
            sum += exp((double)z[k] - (double)most);
        for (k = 0; k < n; k++)
            to[k] = (float)(exp((double)z[k] - (double)most) / sum);
    }
}

double hr_net_loss(const struct hr_net *net, const float *z, float target, float *slopes)
{
    double e, loss;
    int32_t k;

    if (net->shape.task == HR_TASK_REGRESSION) {
        slopes[0] = 2 * (z[0] - target);
        return ((double)z[0] - (double)target) * ((double)z[0] - (double)target);
    }
    hr_net_squash(net, z, slopes);
    if (net->shape.task == HR_TASK_BINARY) {
        e = (double)z[0];
        loss = (e > 0 ? e : 0) - e * (double)target + log1p(exp(-fabs(e)));
        slopes[0] -= target;
        return loss;
    }
    k = (int32_t)target;
    loss = -log(slopes[k] < 1e-30f ? 1e-30 : (double)slopes[k]); /* NaN stays */
    slopes[k] -= 1;
    return loss;
}

double hr_net_hit(const struct hr_net *net, const float *z, float target)
{
    int32_t k, best = 0;

    if (net->shape.task == HR_TASK_REGRESSION)
        return fabs((double)z[0] - (double)target);
    if (net->shape.task == HR_TASK_BINARY)
        return (z[0] > 0) == (target > 0.5f);
    for (k = 1; k < net->outputs; k++)
        if (z[k] > z[best])
            best = k;
    return best == (int32_t)target;
}

hr_status hr_net_predict(struct hr_env *env, const struct hr_net *net, const struct hr_samples *s,
                         float *to)
{
    struct hr_pass p;
    hr_status r = hr_pass_init(env, net, 1, &p);
    size_t i;

    for (i = 0; r == HR_OK && i < s->rows; i++) {
        hr_pass_row(net, s, i, &p, 0);
        hr_net_squash(net, p.out[net->layers_n - 1], to + i * (size_t)net->outputs);
    }
    hr_pass_clear(env, &p);
    return r;
}

hr_status hr_net_scores(struct hr_env *env, const struct hr_net *net, const struct hr_samples *s,
                        struct hr_scores *ret)
{
    struct hr_pass p;
    hr_status r = hr_pass_init(env, net, 1, &p);
    float *slopes = hr_mem_zero(env, (size_t)net->outputs * sizeof *slopes);
    double loss = 0, hit = 0;
    size_t i;

    if (!slopes)
        r = HR_EXHAUSTED;
    for (i = 0; r == HR_OK && i < s->rows; i++) {
        const float *z = p.out[net->layers_n - 1];

        hr_pass_row(net, s, i, &p, 0);
        loss += hr_net_loss(net, z, s->targets[i], slopes);
        hit += hr_net_hit(net, z, s->targets[i]);
    }
    hr_mem_put(env, slopes, (size_t)net->outputs * sizeof *slopes);
    hr_pass_clear(env, &p);
    if (r == HR_OK)
        *ret = (struct hr_scores){ s->rows ? loss / (double)s->rows : 0,
                                   s->rows ? hit / (double)s->rows : 0, s->rows };
    return r;
}
