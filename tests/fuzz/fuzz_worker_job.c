/* A job as a worker reads it, after a byte that says how long the packet before it is that the
 * host sends first.  It is worked on by a component that is linked in, which asks for all that
 * a hook may ask for but the directories of outputs.  There is always one result.
 */
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "headrace/flow.h"
#include "plugin/worker/watch.h"
#include "plugin/worker/worker.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const keys[] = { "in", "out", "p", "", NULL };
static const char *const names[] = { "a", "split_names", "__id", "__uri" };

static hr_status make(const hr_host *host, hr_run *run, void **ret)
{
    (void)run;
    *ret = (void *)(uintptr_t)host->get_interface(host, HR_RUN);
    return *ret ? HR_OK : HR_UNIMPLEMENTED;
}

static void ask_one(const hr_run_1 *rt, hr_run *run, const char *key, uint32_t i)
{
    const char *text;
    int64_t number;
    double d;
    size_t k;

    for (k = 0; k < sizeof names / sizeof names[0]; k++) {
        rt->get_int(run, key, i, names[k], &number);
        rt->get_float(run, key, i, names[k], &d);
        if (rt->get_text(run, key, i, names[k], &text) == HR_OK && !text)
            abort();
        rt->set_int(run, key, i, names[k], 7);
        rt->set_float(run, key, i, names[k], 0.5);
        rt->set_text(run, key, i, names[k], "t");
    }
}

static hr_status run_all(void *self, hr_run *run)
{
    const hr_run_1 *rt = self;
    const char *path;
    uint32_t i;
    size_t k;

    for (k = 0; k < sizeof keys / sizeof keys[0]; k++) {
        const char *key = keys[k];
        uint32_t n = key ? rt->count(run, key) : 0;

        for (i = 0; i <= n && i < 3; i++)
            ask_one(rt, run, key, i);
        if (!key)
            continue;
        rt->prop_int(run, key);
        rt->prop_float(run, key);
        if (!rt->prop_text(run, key))
            abort();
        if (!strcmp(key, "in") && rt->path(run, key, 0, &path) == HR_OK && !path)
            abort();
    }
    if (!rt->tmp_dir(run) || !rt->state_dir(run))
        abort();
    return HR_OK;
}

static hr_status decide(void *self, hr_run *run, int32_t *ret)
{
    *ret = HR_SKIP;
    return run_all(self, run);
}

static hr_status publish(void *self, hr_run *run, hr_status executed)
{
    (void)executed;
    return run_all(self, run);
}

static void drop(void *self)
{
    (void)self;
}

static const hr_executor_1 executor_table = { make, run_all, drop };
static const hr_driver_1 driver_table = { decide };
static const hr_publisher_1 publisher_table = { publish };
static const hr_offer executor = { sizeof executor, 0, HR_EXECUTOR, &executor_table };
static const hr_offer driver = { sizeof driver, 0, HR_DRIVER, &driver_table };
static const hr_offer publisher = { sizeof publisher, 0, HR_PUBLISHER, &publisher_table };
static const hr_component component = {
    .struct_size = sizeof component,
    .id = "c",
    .version = "1.0.0",
    .doc = "Asks.",
    .needs = (const char *const[]){ HR_RUN, NULL },
    .offers = (const hr_offer *const[]){ &executor, &driver, &publisher, NULL },
};
static const hr_plugin plugin = {
    .struct_size = sizeof plugin,
    .abi_major = HR_ABI_MAJOR,
    .abi_minor = HR_ABI_MINOR,
    .id = "org.headrace.fuzz",
    .version = "1.0.0",
    .components = (const hr_component *const[]){ &component, NULL },
};

static void take_result(struct hr_env *env, int socket)
{
    static char packet[HR_MAX_PACKET + 1];
    struct hr_json_doc *doc = NULL;
    int results = 0, fd;
    int64_t n;

    for (;;) {
        fd = -1;
        if ((n = env->os->recv(env->os->user, socket, packet, HR_MAX_PACKET, &fd)) <= 0)
            break;
        if (fd >= 0)
            env->os->close(env->os->user, fd);
        results += packet[0] == 'R';
        if (packet[0] != 'R' || n == 1)
            continue;
        if (hr_json_parse(env, "result", packet + 1, (size_t)n - 1, 0, &doc) < 0)
            abort();
        hr_json_free(doc);
    }
    if (results > 1)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct hr_worker_source source = { .linked = &plugin, .digest = "d" };
    size_t first = size ? data[0] : 0;
    int ends[2];
    volatile int32_t cancel = 0;
    struct hr_worker_start start = { .sources = &source, .source_count = 1, .cancel = &cancel };
    struct hr_env env;

    if (size < 1 || size - 1 < first)
        return 0;
    hr_env_init(&env, NULL);
    if (env.os->socketpair(env.os->user, ends) == 0) {
        if (first)
            env.os->send(env.os->user, ends[0], data + 1, first, -1);
        hr_watch_once(env.os, ends[1], &cancel);
        start.socket = ends[1];
        start.job = (const char *)data + 1 + first;
        start.job_size = size - 1 - first;
        hr_worker_serve(&start);
        take_result(&env, ends[0]);
        env.os->close(env.os->user, ends[0]);
        env.os->close(env.os->user, ends[1]);
    }
    hr_env_clear(&env);
    return 0;
}
