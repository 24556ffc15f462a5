/* transform - the cost of applying a plan.
 *
 *     transform PLAN ROWS.arrow OUT.arrow [ROUNDS]
 *
 * PLAN is a transform graph's directory.  Batches are taken as they lie in the file, each is
 * applied ROUNDS times.  Prints the rows of one round, and the nanoseconds of CPU for a row of
 * the fastest round, as JSON; what the first round gave is in OUT.arrow.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "transform/transform.h"
#include "wire/wire.h"

static double cpu(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int fail(struct hr_env *env, const char *more)
{
    fprintf(stderr, "%s%s\n", hr_env_error(env), more);
    return 1;
}

static hr_status keep(struct hr_env *env, const struct hr_apply *apply, struct hr_ipc *in,
                      const char *path, struct hr_apply_error *error)
{
    struct ArrowSchema schema;
    struct ArrowArray rows, out;
    struct hr_ipc_out *file;
    hr_status r = hr_apply_schema(apply, &schema);
    size_t i;

    if (r < 0 || (r = hr_ipc_create(env, path, &schema, &file)) < 0)
        return r;
    for (i = 0; i < hr_ipc_batches(in) && r == HR_OK; i++) {
        if ((r = hr_ipc_batch(in, i, &rows)) < 0)
            break;
        if ((r = hr_apply_batch(apply, &rows, &out, error)) == HR_OK)
            r = hr_ipc_add(file, &out);
        rows.release(&rows);
    }
    schema.release(&schema);
    return r < 0 ? r : hr_ipc_end(file);
}

/* Seconds of the fastest round. */
static hr_status measure(const struct hr_apply *apply, struct ArrowArray *rows, size_t n,
                         int rounds, double *ret, struct hr_apply_error *error)
{
    struct ArrowArray out;
    double start, took;
    hr_status r;
    size_t i;

    for (*ret = 0; rounds-- > 0;) {
        for (i = 0, start = cpu(); i < n; i++) {
            if ((r = hr_apply_batch(apply, &rows[i], &out, error)) < 0)
                return r;
            out.release(&out);
        }
        took = cpu() - start;
        *ret = *ret > 0 && *ret < took ? *ret : took;
    }
    return HR_OK;
}

int main(int argc, char **argv)
{
    struct hr_apply_error error = { 0 };
    struct ArrowArray *rows;
    struct hr_apply *apply;
    struct hr_plan *plan;
    struct hr_ipc *in;
    struct hr_env env;
    size_t i, n;
    int64_t all = 0;
    double took;

    if (argc < 4)
        return 2;
    hr_env_init(&env, NULL);
    if (hr_plan_open(&env, argv[1], &plan) < 0 || hr_ipc_open(&env, argv[2], &in) < 0 ||
        hr_apply_new(&env, plan, hr_ipc_schema(in), 0, &apply) < 0 ||
        keep(&env, apply, in, argv[3], &error) < 0)
        return fail(&env, error.text);
    n = hr_ipc_batches(in);
    if (!(rows = calloc(n + 1, sizeof *rows)))
        return 1;
    for (i = 0; i < n; i++) {
        if (hr_ipc_batch(in, i, &rows[i]) < 0)
            return fail(&env, "");
        all += rows[i].length;
    }
    if (measure(apply, rows, n, argc > 4 ? atoi(argv[4]) : 1, &took, &error) < 0)
        return fail(&env, error.text);
    printf("{\"rows\": %lld, \"ns\": %.3f}\n", (long long)all, took * 1e9 / (double)all);
    for (i = 0; i < n; i++)
        rows[i].release(&rows[i]);
    free(rows);
    hr_apply_free(apply);
    hr_plan_close(plan);
    hr_ipc_close(in);
    hr_env_clear(&env);
    return 0;
}
