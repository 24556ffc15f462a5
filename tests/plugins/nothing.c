/* A component that does nothing: what is left is the host's own work. */
#include "headrace/easy.h"

static hr_status run(void *self, hr_run *run)
{
    (void)self;
    (void)run;
    return HR_OK;
}

static const hr_executor_1 hooks = { hr_easy_make, run, free };
static const hr_offer executor = HR_OFFER(HR_EXECUTOR, &hooks);

static const hr_component nothing = {
    .struct_size = sizeof nothing,
    .id = "org.headrace.test.Nothing",
    .version = "1.0.0",
    .doc = "Does nothing.",
    .inputs = HR_LIST(hr_port, NULL),
    .outputs = HR_LIST(hr_port, NULL),
    .properties = HR_LIST(hr_property, NULL),
    .needs = HR_IDS(HR_RUN),
    .offers = HR_LIST(hr_offer, &executor),
};

HR_PLUGIN("org.headrace.test.nothing", "1.0.0", &nothing);
