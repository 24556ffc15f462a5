/* train - the cost of training a net.
 *
 *     train MODEL TRAIN.arrow EVAL.arrow OUT [STEPS]
 *
 * A net of the shape of that in MODEL is trained on features, by the trainer's defaults: Adam,
 * batches of 40, rate 0.01, seed 0.  It is written to OUT.  Prints the seconds of CPU that
 * reading rows and training took, and loss and accuracy over EVAL, as JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "learn/learn.h"
#include "wire/wire.h"

static double cpu(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static hr_status read_rows(struct hr_env *env, const char *path, struct hr_samples *to)
{
    struct ArrowArray rows;
    struct hr_ipc *in = NULL;
    hr_status r = hr_ipc_open(env, path, &in);
    size_t i;

    for (i = 0; r == HR_OK && i < hr_ipc_batches(in); i++)
        if ((r = hr_ipc_batch(in, i, &rows)) == HR_OK) {
            r = hr_samples_add(to, hr_ipc_schema(in), &rows, true);
            rows.release(&rows);
        }
    hr_ipc_close(in);
    return r;
}

int main(int argc, char **argv)
{
    struct hr_train how = { .steps = argc > 5 ? atoi(argv[5]) : 1000,
                            .batch = 40,
                            .optimizer = HR_ADAM,
                            .rate = 0.01f };
    struct hr_samples train, eval;
    struct hr_net *like = NULL, *net = NULL;
    struct hr_scores scores;
    double start, read, took;
    struct hr_env env;

    if (argc < 5)
        return 2;
    hr_env_init(&env, NULL);
    if (hr_net_open(&env, argv[1], &like) < 0 ||
        hr_net_new(&env, hr_net_shape(like), 0, &net) < 0) {
        fprintf(stderr, "%s\n", hr_env_error(&env));
        return 1;
    }
    hr_samples_init(&train, &env, net);
    hr_samples_init(&eval, &env, net);
    start = cpu();
    if (read_rows(&env, argv[2], &train) < 0 || read_rows(&env, argv[3], &eval) < 0) {
        fprintf(stderr, "%s\n", hr_env_error(&env));
        return 1;
    }
    read = cpu();
    if (hr_net_train(&env, net, &how, &train, NULL, NULL, NULL) < 0)
        return 1;
    took = cpu() - read;
    if (hr_net_scores(&env, net, &eval, &scores) < 0 || hr_net_save(&env, net, argv[4]) < 0)
        return 1;
    printf("{\"read\": %.6f, \"train\": %.6f, \"loss\": %.6f, \"accuracy\": %.6f}\n", read - start,
           took, scores.loss, scores.accuracy);
    hr_samples_clear(&train);
    hr_samples_clear(&eval);
    hr_net_free(like);
    hr_net_free(net);
    hr_env_clear(&env);
    return 0;
}
