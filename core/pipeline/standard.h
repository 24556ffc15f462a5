/* standard.h - the artifact types that TFX declares. */
#ifndef HR_STANDARD_H
#define HR_STANDARD_H

#include "plugin/plugin.h"

struct hr_standard {
    const char *name, *base;                   /* base NULL: none */
    const struct hr_property_info *properties; /* some of span, version, split_names */
    size_t count;
};

/* NULL: it is none of those that declare a property or have a base. */
const struct hr_standard *hr_standard_find(const char *type);

#endif
