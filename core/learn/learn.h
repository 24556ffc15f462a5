/* learn.h - the face of core/learn: small models of features, trained, kept, and asked.
 *
 * A net takes rows of two kinds of input: floats, and ids of categories.
 *
 *     linear   floats and one-hot ids to the output
 *     dnn      floats through dense layers with ReLU; ids beside them to the output ("wide"),
 *              one-hot into the first layer ("deep"), or as learnt vectors ("embedding")
 *
 * and gives a number (regression), a probability (binary), or one for each class.
 *
 *     hr_net_new(env, &shape, seed, &net);
 *     hr_samples_init(&train, env, net); hr_samples_add(&train, schema, batch, ...);
 *     hr_net_train(env, net, &how, &train, &eval, report, user);
 *     hr_net_save(env, net, dir);
 *
 * Invariants:
 *  - training is a fixed sequence of float32 operations: the same bits for the same rows in
 *    the same order, seed and settings, whatever the compiler or number of threads;
 *  - what a row is given depends on no other row of its batch;
 *  - a net does not change but in hr_net_train(): any number of threads may ask it.
 */
#ifndef HR_LEARN_H
#define HR_LEARN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "headrace/arrow.h"
#include "headrace/plugin.h"

enum { HR_INPUT_FLOAT = 1, HR_INPUT_ID = 2 };
enum { HR_TASK_REGRESSION = 1, HR_TASK_BINARY = 2, HR_TASK_CLASSES = 3 };
enum { HR_NET_LINEAR = 1, HR_NET_DNN = 2 };
enum { HR_IDS_WIDE = 1, HR_IDS_DEEP = 2, HR_IDS_EMBEDDING = 3 };
enum { HR_SGD = 1, HR_ADAM = 2 };

enum {
    HR_MAX_LAYERS = 16,
    HR_MAX_UNITS = 1 << 16,
    HR_MAX_INPUTS = 100000,
    HR_MAX_WEIGHTS = 1 << 28 /* 1 GiB of them */
};

struct hr_net_input {
    const char *name;
    int32_t kind;  /* HR_INPUT_ */
    int32_t size;  /* floats in a row */
    int64_t first; /* of ids: the least, which is place 0 */
    int64_t depth; /* of ids: how many there are; others leave no trace */
};

struct hr_net_shape {
    int32_t kind, task, ids;
    const struct hr_net_input *inputs;
    size_t ninputs;
    int32_t hidden[HR_MAX_LAYERS];
    int32_t nhidden;
    int32_t embedding;         /* numbers of a learnt vector */
    int32_t classes;           /* of HR_TASK_CLASSES; else 1 */
    const char *label;         /* the feature that is learnt */
    const char *const *labels; /* names of the classes, of a binary task two; NULL: none */
};

struct hr_net;

/* Copies shape; weights are drawn from seed.  HR_INVALID: told. */
hr_status hr_net_new(struct hr_env *env, const struct hr_net_shape *shape, uint64_t seed,
                     struct hr_net **ret);
void hr_net_free(struct hr_net *net);
const struct hr_net_shape *hr_net_shape(const struct hr_net *net);
size_t hr_net_weights(const struct hr_net *net, const float **ret);

/* -- rows ---------------------------------------- */

/* Rows as a net takes them; grows by batches. */
struct hr_samples {
    struct hr_env *env;
    const struct hr_net *net;
    size_t rows;
    float *dense;    /* rows of floats, all inputs' in a row */
    int32_t *ids;    /* rows of the table of all ids' weights */
    int32_t *fields; /* of each id: which of the id inputs */
    size_t *ends;    /* of each row in ids */
    float *targets;
    size_t dense_cap, ids_cap, fields_cap, ends_cap, targets_cap;
};

void hr_samples_init(struct hr_samples *s, struct hr_env *env, const struct hr_net *net);
void hr_samples_clear(struct hr_samples *s);

/* Add a batch; columns are found by name.  label: the targets' column is wanted too.
 * A missing float counts as 0.  HR_INVALID: told. */
hr_status hr_samples_add(struct hr_samples *s, const struct ArrowSchema *schema,
                         const struct ArrowArray *rows, bool label);

/* -- training ---------------------------------------- */

struct hr_train {
    int64_t steps;
    int32_t batch, optimizer;
    float rate;
    uint64_t seed;
    int64_t every;    /* steps between reports; 0: at the end only */
    int32_t patience; /* reports without a lower loss of evaluation before it ends; 0: never */
};

/* How well it does: accuracy of classes; of regression the mean absolute error. */
struct hr_scores {
    double loss, accuracy;
    size_t rows;
};

struct hr_train_report {
    int64_t step, steps;
    double epoch;
    struct hr_scores train; /* over the rows since the last report */
    struct hr_scores eval;  /* rows 0: there are none */
    bool stopped;           /* early; the best weights are taken */
};

/* report() may be NULL; not 0 from it ends training with that code. */
hr_status hr_net_train(struct hr_env *env, struct hr_net *net, const struct hr_train *how,
                       const struct hr_samples *train, const struct hr_samples *eval,
                       hr_status (*report)(void *user, const struct hr_train_report *r),
                       void *user);

hr_status hr_net_scores(struct hr_env *env, const struct hr_net *net, const struct hr_samples *rows,
                        struct hr_scores *ret);

/* -- asking ---------------------------------------- */

/* classes numbers for each row: the value, or probabilities.  [many], but samples are one
 * thread's. */
hr_status hr_net_predict(struct hr_env *env, const struct hr_net *net,
                         const struct hr_samples *rows, float *to);

/* -- files ---------------------------------------- */

/* net.json and weights.bin in a directory. */
hr_status hr_net_save(struct hr_env *env, const struct hr_net *net, const char *dir);
/* HR_DATA_LOSS: it does not fit together; HR_UNIMPLEMENTED: of a newer format. */
hr_status hr_net_open(struct hr_env *env, const char *dir, struct hr_net **ret);
/* The same from bytes. */
hr_status hr_net_read(struct hr_env *env, struct hr_slice json, struct hr_slice weights,
                      struct hr_net **ret);

#endif
