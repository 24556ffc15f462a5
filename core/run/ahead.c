#include "run/ahead.h"

enum { AHEAD_US = 20000, AHEAD = 64, BEFORE = 8, GATHER_US = 15000, LEAST_US = 100 };

void hr_runner_took(struct hr_runner *runner, int64_t us)
{
    runner->pace_us = runner->paced ? (runner->pace_us * 7 + us) / 8 : us;
    runner->paced++;
}

/* How many may stand on record without a place. */
static size_t ahead(const struct hr_runner *runner)
{
    int64_t pace = runner->pace_us < LEAST_US ? LEAST_US : runner->pace_us, n;

    if (runner->paced < BEFORE)
        return 0;
    n = (int64_t)AHEAD_US / pace * runner->config.jobs;
    return n < AHEAD ? (size_t)n : AHEAD;
}

/* Too few are on record to keep the places busy while more are put there. */
static bool is_low(const struct hr_runner *runner)
{
    return runner->queued < (size_t)runner->config.jobs + ahead(runner) / 2;
}

void hr_runner_plan(struct hr_runner *runner)
{
    size_t most = (size_t)runner->config.jobs + ahead(runner);
    size_t have = runner->running + runner->queued;

    runner->room = is_low(runner) && have < most ? most - have : 0;
    runner->publishes = runner->sealed && (is_low(runner) || runner->failed ||
                                           runner->cancelling ||
                                           hr_now_us(runner) >= hr_runner_publishes_at(runner));
}

bool hr_runner_has_room(const struct hr_runner *runner)
{
    return runner->room > 0;
}

bool hr_runner_gathers(const struct hr_runner *runner)
{
    return !is_low(runner) && !runner->failed && !runner->cancelling;
}

int64_t hr_runner_publishes_at(const struct hr_runner *runner)
{
    return runner->sealed ? runner->sealed_us + GATHER_US : 0;
}
