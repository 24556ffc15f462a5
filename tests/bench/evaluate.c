/* evaluate - the cost of an evaluation of predictions that are in the rows.
 *
 *     evaluate EVAL.json ROWS.arrow
 *
 * Prints the seconds of CPU that it took beyond reading, and each slice's metrics, as JSON:
 * {"s": ..., "slices": [{...}, ...]}.  One thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "analysis/analysis.h"
#include "flow/flow.h"
#include "wire/wire.h"

static const hr_function inputs = HR_EVALUATION_INPUTS, sums = HR_EVALUATION_SUMS;
static const hr_function *const functions[] = { &inputs, &sums, NULL };
static const hr_component component = { .struct_size = sizeof component,
                                        .id = "bench",
                                        .version = "1",
                                        .functions = functions };

static double cpu(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int fail(struct hr_env *env)
{
    fprintf(stderr, "%s\n", hr_env_error(env));
    return 1;
}

static hr_status read_config(struct hr_arena *arena, const char *path, struct hr_buf *to)
{
    hr_eval_config *given, *config;
    struct hr_buf text;
    hr_status r;

    hr_buf_of(&text, HR_MAX_JSON_BYTES, arena->env);
    if ((r = hr_file_read(arena->env, path, HR_MAX_JSON_BYTES, &text)) == HR_OK &&
        (r = hr_eval_config_read(arena, path, text.text, text.len, &given)) == HR_OK &&
        (r = hr_eval_config_default(arena, given, false, &config)) == HR_OK)
        r = hr_evaluation_config(arena->env, config, 0, to);
    hr_buf_clear(&text);
    return r;
}

static hr_status read_rows(struct hr_env *env, const char *path, struct hr_local *local)
{
    struct ArrowArrayStream stream;
    struct ArrowArray *rows;
    struct hr_ipc *in;
    hr_status r = hr_ipc_open(env, path, &in);
    size_t i, n;

    if (r < 0)
        return r;
    n = hr_ipc_batches(in);
    if (!(rows = calloc(n + 1, sizeof *rows)))
        return HR_EXHAUSTED;
    for (i = 0; i < n && r == HR_OK; i++)
        r = hr_ipc_batch(in, i, &rows[i]);
    if (r == HR_OK &&
        (r = hr_arrow_stream_list(env, hr_ipc_schema(in), rows, n, &stream)) == HR_OK)
        r = hr_local_input(local, "examples", 0, NULL, &stream);
    free(rows);
    hr_ipc_close(in);
    return r;
}

static hr_status print(struct hr_env *env, const struct hr_evaluation *e, double took)
{
    struct hr_json_writer w;
    struct hr_buf b;
    hr_status r;
    size_t i;

    hr_buf_of(&b, HR_MAX_FILE_BYTES, env);
    hr_json_begin(&w, &b, 0);
    hr_json_open_object(&w);
    hr_json_put_key(&w, "s");
    hr_json_put_double(&w, took);
    hr_json_put_key(&w, "slices");
    hr_json_open_array(&w);
    for (i = 0; i < e->n; i++)
        hr_pb_json_write(&w, &e->slices[i]->base);
    hr_json_close_array(&w);
    hr_json_close_object(&w);
    if ((r = hr_json_end(&w)) == HR_OK)
        puts(b.text);
    hr_buf_clear(&b);
    return r;
}

int main(int argc, char **argv)
{
    struct hr_env_config one = { .threads = 1 };
    struct hr_evaluation e = { NULL, 0 };
    const hr_flow_1 *flow;
    struct hr_local *local;
    struct hr_arena arena;
    struct hr_buf config;
    struct hr_env env;
    double start;
    hr_rows rows;
    hr_flow *f;

    if (argc < 3)
        return 2;
    hr_env_init(&env, &one);
    hr_arena_init(&arena, &env, 0);
    hr_buf_of(&config, HR_MAX_FILE_BYTES, &env);
    if (!(local = hr_local_new(&env, &component)) || read_config(&arena, argv[1], &config) < 0 ||
        read_rows(&env, argv[2], local) < 0)
        return fail(&env);
    hr_local_check(local, false);
    start = cpu();
    flow = hr_local_host(local)->get_interface(hr_local_host(local), HR_FLOW);
    f = flow->begin(hr_local_run(local));
    rows = hr_evaluation_describe(flow, f, flow->read(f, "examples", 0, NULL), &config);
    if (flow->run(f) < 0 || hr_evaluation_fetch(&arena, flow, f, rows, &e) < 0 ||
        print(&env, &e, cpu() - start) < 0)
        return fail(&env);
    hr_local_free(local);
    hr_buf_clear(&config);
    hr_arena_clear(&arena);
    hr_env_clear(&env);
    return 0;
}
