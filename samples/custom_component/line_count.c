/* line_count - a whole plugin: counts the lines of a file. */
#include "headrace/easy.h"

static hr_status count_lines(void *self, hr_run *run)
{
    const hr_run_1 *rt = ((struct hr_easy *)self)->run;
    int64_t lines = 0;
    const char *dir;
    char name[4096];
    hr_status r;
    FILE *f;
    int c, bad;

    if ((r = rt->path(run, "table", 0, &dir)))
        return r;
    if (snprintf(name, sizeof name, "%s/data", dir) >= (int)sizeof name)
        return hr_failf(rt, run, HR_INVALID, "the name \"%s/data\" is too long", dir);
    if (!(f = fopen(name, "r")))
        return hr_failf(rt, run, HR_NOT_FOUND, "cannot open \"%s\"", name);
    while ((c = getc(f)) != EOF)
        lines += c == '\n';
    bad = ferror(f);
    fclose(f);
    if (bad)
        return hr_failf(rt, run, HR_UNAVAILABLE, "cannot read \"%s\" to its end", name);
    if (lines < rt->prop_int(run, "min_lines"))
        return hr_failf(rt, run, HR_INVALID, "\"%s\" has %lld lines, and min_lines is %lld", name,
                        (long long)lines, (long long)rt->prop_int(run, "min_lines"));
    return rt->set_int(run, "stats", 0, "lines", lines);
}

static const hr_executor_1 hooks = { hr_easy_make, count_lines, free };
static const hr_offer executor = HR_OFFER(HR_EXECUTOR, &hooks);
static const hr_port table = HR_PORT("table", "File", "Its file \"data\" is counted.");
static const hr_property lines = HR_PROPERTY(HR_INT, "lines", NULL, NULL, "Line ends in \"data\".");
static const hr_property *const facts[] = { &lines, NULL };
static const hr_port stats = HR_OUTPUT("stats", "Stats", "What was counted.", facts);
static const hr_property min_lines =
    HR_PROPERTY(HR_INT, "min_lines", "1", "0..", "Fail below this.");

static const hr_component line_count = {
    .struct_size = sizeof line_count,
    .flags = HR_COMPONENT_DETERMINISTIC,
    .id = "org.headrace.line-count",
    .version = "1.0.0",
    .doc = "Counts lines.",
    .inputs = HR_LIST(hr_port, &table),
    .outputs = HR_LIST(hr_port, &stats),
    .properties = HR_LIST(hr_property, &min_lines),
    .needs = HR_IDS(HR_RUN),
    .offers = HR_LIST(hr_offer, &executor),
};

HR_PLUGIN("org.headrace.examples", "1.0.0", &line_count);
