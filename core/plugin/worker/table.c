/* hr.table/1: rows of artifacts, by core/data. */
#include "plugin/worker/state.h"

static hr_status tread(hr_run *run, const char *key, uint32_t i, const char *split,
                       struct ArrowArrayStream *ret)
{
    (void)key, (void)i, (void)split, (void)ret;
    return hr_fail(&run->worker->env, HR_UNIMPLEMENTED, "no tables");
}
static hr_status twrite(hr_run *run, const char *key, uint32_t i, const char *split,
                        struct ArrowArrayStream *rows)
{
    (void)key, (void)i, (void)split;
    rows->release(rows);
    return hr_fail(&run->worker->env, HR_UNIMPLEMENTED, "no tables");
}
static hr_status tsplit(hr_run *run, const char *key, uint32_t i, uint32_t n, const char **ret)
{
    (void)key, (void)i, (void)n, (void)ret, (void)run;
    return HR_NOT_FOUND;
}
const hr_table_1 hr_worker_table_table = { tread, twrite, tsplit };
