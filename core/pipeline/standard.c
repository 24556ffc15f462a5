#include "pipeline/standard.h"

#include <string.h>

static const struct hr_property_info examples[] = { { .type = HR_INT, .key = "span" },
                                                    { .type = HR_INT, .key = "version" },
                                                    { .type = HR_STRING, .key = "split_names" } };
static const struct hr_property_info others[] = { { .type = HR_INT, .key = "span" },
                                                  { .type = HR_STRING, .key = "split_names" } };

static const struct hr_standard standards[] = {
    { "Examples", "mlmd.Dataset", examples, 3 },
    { "ExampleStatistics", "mlmd.Statistics", others, 2 },
    { "ExampleAnomalies", NULL, others, 2 },
    { "ExampleValidationMetrics", NULL, others, 2 },
    { "Model", "mlmd.Model", NULL, 0 },
    { "PushedModel", "mlmd.Model", NULL, 0 },
};

const struct hr_standard *hr_standard_find(const char *type)
{
    size_t i;

    for (i = 0; i < sizeof standards / sizeof standards[0]; i++)
        if (!strcmp(standards[i].name, type))
            return &standards[i];
    return NULL;
}
