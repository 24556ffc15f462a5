/* net.h - the weights of a net and where each stands.
 *
 *     table      ids * width     one-hot ids' weights, or the learnt vectors
 *     layer k    in * out weights, row i those from input i; then out biases
 *
 * The input of the first hidden layer is the floats, then the learnt vectors of each id input;
 * that of the output layer what the last hidden layer gives.  "wide" adds rows of the table
 * to the output, "deep" to the first layer; a linear net is "wide" without hidden layers.
 */
#ifndef HR_LEARN_NET_H
#define HR_LEARN_NET_H

#include "learn/learn.h"

struct hr_layer {
    int32_t in, out;
    size_t weights, biases; /* places */
};

struct hr_net {
    struct hr_env *env;
    struct hr_arena arena;
    struct hr_net_shape shape;
    int32_t outputs;
    int32_t floats;    /* in a row */
    int32_t fields;    /* id inputs */
    int32_t *float_at; /* of each input: its first float, or its field */
    int64_t *table_at; /* of each input: its first row of the table */
    int64_t table_rows;
    int32_t width;      /* of a row of the table */
    int32_t layers_n;   /* hidden ones and the output */
    int32_t wide_layer; /* that takes rows of the table; -1: none */
    struct hr_layer layers[HR_MAX_LAYERS + 1];
    float *weights;
    size_t n;
};

/* What one row, or a batch, needs on the way: values of all layers behind each other. */
struct hr_pass {
    float *in; /* of the first layer */
    float *out[HR_MAX_LAYERS + 1];
    float *memory;
    size_t size;
};

hr_status hr_pass_init(struct hr_env *env, const struct hr_net *net, size_t rows,
                       struct hr_pass *p);
void hr_pass_clear(struct hr_env *env, struct hr_pass *p);

/* Row i of the samples to place k of the pass; the logits are in the last out. */
void hr_pass_row(const struct hr_net *net, const struct hr_samples *s, size_t i, struct hr_pass *p,
                 size_t k);

/* Logits to what is told: a probability, or one for each class. */
void hr_net_squash(const struct hr_net *net, const float *logits, float *to);

/* The loss of one row, and its derivative by the logits. */
double hr_net_loss(const struct hr_net *net, const float *logits, float target, float *slopes);

/* 1 or 0 for a class that is met or not; of regression the error. */
double hr_net_hit(const struct hr_net *net, const float *logits, float target);

/* Weights of 0.  expect: how many there must be; 0: as many as it takes.  HR_DATA_LOSS: there
 * are not, and none was allocated. */
hr_status hr_net_make(struct hr_env *env, const struct hr_net_shape *shape, size_t expect,
                      struct hr_net **ret);

#endif
