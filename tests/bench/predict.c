/* predict - the cost of asking a model for one row, through the library.
 *
 *     predict PROJECT MODEL ROWS.arrow CALLS
 *
 * The rows of the first batch are asked for one by one, and the first number of each answer is
 * printed; then again, CALLS times in all.  Prints {"rows": [...], "ns": of CPU for a call}.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <headrace/headrace.h>
#include <headrace/rows.h>

#include "wire/wire.h"

static double cpu(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int fail(const char *text)
{
    fprintf(stderr, "%s\n", text);
    return 1;
}

/* Row i of a batch as a batch of its own, which points into it. */
static void one_row(const struct ArrowArray *rows, int64_t i, struct ArrowArray *columns,
                    struct ArrowArray **children, struct ArrowArray *ret)
{
    int64_t k;

    for (k = 0; k < rows->n_children; k++) {
        columns[k] = *rows->children[k];
        columns[k].offset += i;
        columns[k].length = 1;
        columns[k].null_count = -1;
        children[k] = &columns[k];
    }
    *ret = *rows;
    ret->length = 1;
    ret->children = children;
}

struct asking {
    hr_model *model;
    struct ArrowArray columns[64], *children[64];
};

static hr_status ask(struct asking *a, const struct ArrowArray *rows, int64_t i,
                     struct ArrowArray *ret)
{
    struct ArrowArray one;

    one_row(rows, i, a->columns, a->children, &one);
    return hr_model_predict(a->model, &one, ret);
}

/* Each row by itself, its first number printed. */
static hr_status print(struct asking *a, const struct ArrowArray *rows)
{
    struct ArrowArray out;
    hr_status r;
    int64_t i;

    for (i = 0; i < rows->length; i++) {
        if ((r = ask(a, rows, i, &out)) < 0)
            return r;
        printf("%s%.9g", i ? ", " : "", (double)((const float *)out.children[0]->buffers[1])[0]);
        out.release(&out);
    }
    return HR_OK;
}

static hr_status measure(struct asking *a, const struct ArrowArray *rows, int64_t calls,
                         double *ret_ns)
{
    struct ArrowArray out;
    double start = cpu();
    hr_status r;
    int64_t i;

    for (i = 0; i < calls; i++) {
        if ((r = ask(a, rows, i % rows->length, &out)) < 0)
            return r;
        out.release(&out);
    }
    *ret_ns = (cpu() - start) * 1e9 / (double)calls;
    return HR_OK;
}

int main(int argc, char **argv)
{
    static struct asking a;
    struct ArrowArray rows, wanted;
    struct ArrowSchema in, out;
    struct hr_ipc *file;
    struct hr_env env;
    int64_t at[64], i;
    double ns;
    hr_project *p;

    if (argc < 5)
        return 2;
    hr_env_init(&env, NULL);
    if (!(p = hr_new(NULL)) || hr_open(p, argv[1], 0) < 0 ||
        hr_model_open(p, argv[2], NULL, &a.model) < 0 || hr_model_describe(a.model, &in, &out) < 0)
        return fail(p ? hr_error(p) : "no memory");
    if (hr_ipc_open(&env, argv[3], &file) < 0 || hr_ipc_batch(file, 0, &rows) < 0)
        return fail(hr_env_error(&env));
    for (i = 0; i < in.n_children && i < 64; i++)
        if ((at[i] = hr_col_find(hr_ipc_schema(file), in.children[i]->name)) < 0)
            return fail("a column lacks");
    if (hr_arrow_select(&env, &rows, at, in.n_children, &wanted) < 0)
        return fail(hr_env_error(&env));
    printf("{\"rows\": [");
    if (print(&a, &wanted) < 0 || measure(&a, &wanted, atoll(argv[4]), &ns) < 0)
        return fail(hr_model_error(a.model));
    printf("], \"ns\": %.1f}\n", ns);
    wanted.release(&wanted);
    in.release(&in);
    out.release(&out);
    hr_ipc_close(file);
    hr_free(p);
    hr_env_clear(&env);
    return 0;
}
