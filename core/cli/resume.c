#include "cli/cli.h"

static int resume(const struct args *a)
{
    return run_pipeline(a, true);
}

static const struct option options[] = {
    FLAG("--changed", "run again what would be another by now"),
    VALUE("--jobs", "N", "nodes at once (default: as many as there are cores)"),
    FLAG("--keep-going", "other branches go on after a failure"),
    FLAG("--strict", "exit with 3 where a gate refused: unblessed, anomalies"),
    VALUE("--isolation", "worker|none", "none: plugins run in this process (default: worker)"),
    VALUE("--sandbox", "best|required", "required: fail where the kernel lacks a part of it"),
    FLAG("--dry-run", "say what would run, be kept or cached, and why; write nothing"),
    FLAG("--json", "one event a line, as JSON; with --dry-run one object"),
    FLAG("--quiet", "nothing but errors"),
    FLAG("--no-color", "no colours"),
    PROJECT_OPTIONS,
    END_OPTIONS,
};
const struct verb verb_resume = {
    .name = "resume",
    .group = GROUP_RUN,
    .words = "[RUN]",
    .line = "go on with a run that ended",
    .page = "Goes on with a run that failed, was cancelled or died: the newest, unless RUN says "
            "its number or id.  A new run keeps what that one finished, and runs the rest, with "
            "the parameters and options of then.\n\n"
            "If the pipeline, a plugin or data that a finished node read has changed since, "
            "nothing is run and the difference is told; --changed runs such nodes again.",
    .options = options,
    .run = resume,
};
