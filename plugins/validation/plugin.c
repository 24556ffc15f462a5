#include "parts.h"

HR_PLUGIN("org.headrace.validation", "0.1.0", &hr_statistics_gen, &hr_schema_gen,
          &hr_import_schema_gen, &hr_example_validator);
