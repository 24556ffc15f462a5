/* statistics - the cost of statistics of a CSV file.
 *
 *     statistics FILE.csv [THREADS [OUT]]
 *
 * Prints the seconds of CPU that reading took, those that the statistics took beyond it, and
 * some of the results, for comparison, as JSON.  OUT: a file for all of them, FeatureStats.pb.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "data/data.h"
#include "flow/flow.h"
#include "headrace/rows.h"
#include "validation/validation.h"

static const hr_function statistics = HR_STATISTICS;
static const hr_function *const functions[] = { &statistics, NULL };
static const hr_component component = { .struct_size = sizeof component,
                                        .id = "bench",
                                        .version = "1",
                                        .functions = functions };

static double cpu(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)u.ru_utime.tv_sec + (double)u.ru_stime.tv_sec +
           1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static int fail(struct hr_env *env)
{
    fprintf(stderr, "%s\n", hr_env_error(env));
    return 1;
}

/* The most memory that the process has had, the table in memory included.  Not by getrusage(),
 * whose figure is that of the parent before exec where that is larger. */
static double peak_mb(void)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[200];
    long kb = 0;

    while (f && fgets(line, sizeof line, f))
        if (!strncmp(line, "VmHWM:", 6))
            kb = strtol(line + 6, NULL, 10);
    if (f)
        fclose(f);
    return (double)kb / 1024;
}

/* "name": [mean, std_dev, min, max] of numbers, [unique, first value's count] of texts. */
static void print(const hr_statistics *list)
{
    size_t i;

    for (i = 0; i < list->datasets[0]->n_features; i++) {
        const HR_MD(FeatureNameStatistics) *f = list->datasets[0]->features[i];

        printf(", \"%.*s\": ", (int)f->path->step[0].len, (const char *)f->path->step[0].data);
        if (f->stats_case == HR_MD_E(FEATURE_NAME_STATISTICS__STATS_NUM_STATS))
            printf("[%.17g, %.17g, %.17g, %.17g]", f->num_stats->mean, f->num_stats->std_dev,
                   f->num_stats->min, f->num_stats->max);
        else
            printf("[%llu, %.17g]", (unsigned long long)f->string_stats->unique,
                   f->string_stats->n_top_values ? f->string_stats->top_values[0]->frequency : 0);
    }
}

int main(int argc, char **argv)
{
    struct hr_env_config config = { .threads = argc > 2 ? atoi(argv[2]) : 1 };
    const char *path = argc > 1 ? argv[1] : "";
    struct ArrowArrayStream rows;
    ProtobufCMessage *m = NULL;
    const hr_flow_1 *flow;
    struct hr_local *local;
    struct hr_arena arena;
    struct hr_csv *csv;
    double start, read;
    struct hr_env env;
    struct hr_buf b;
    hr_rows out;
    hr_flow *f;

    hr_env_init(&env, &config);
    hr_arena_init(&arena, &env, 0);
    hr_buf_of(&b, HR_MAX_FILE_BYTES, &env);
    start = cpu();
    local = hr_local_new(&env, &component);
    if (!local || hr_csv_open(&env, &path, 1, HR_CSV_MISSING, &csv) < 0 ||
        hr_csv_stream(csv, &rows) < 0 || hr_local_input(local, "examples", 0, NULL, &rows) < 0)
        return fail(&env);
    hr_local_check(local, false);
    read = cpu();
    flow = hr_local_host(local)->get_interface(hr_local_host(local), HR_FLOW);
    f = flow->begin(hr_local_run(local));
    out = hr_statistics_describe(flow, f, flow->read(f, "examples", 0, NULL), NULL, 0);
    if (flow->run(f) < 0 || hr_statistics_fetch(&env, flow, f, out, &b) < 0)
        return fail(&env);
    printf("{\"read\": %.3f, \"statistics\": %.3f, \"peak_mb\": %.1f", read - start, cpu() - read,
           peak_mb());
    if (hr_pb_read(&arena, &HR_MD_OF(dataset_feature_statistics_list), "", b.text, b.len, &m) < 0)
        return fail(&env);
    print((hr_statistics *)m);
    printf("}\n");
    if (argc > 3 && hr_file_put(&env, argv[3], b.text, b.len) < 0)
        return fail(&env);
    hr_local_free(local);
    hr_buf_clear(&b);
    hr_arena_clear(&arena);
    hr_env_clear(&env);
    return 0;
}
