/* values.h - properties that have been set: a small list by name, the last value counts. */
#ifndef HR_VALUES_H
#define HR_VALUES_H

#include "base/base.h"

enum { HR_MAX_VALUES = 10000 };

struct hr_property_value {
    const char *name;
    hr_type type; /* HR_INT, HR_FLOAT or HR_STRING */
    int64_t i;
    double d;
    const char *text;
    bool fresh; /* set by this hook */
};

struct hr_values {
    struct hr_property_value *items;
    size_t count, cap;
};

/* NULL: none of that name. */
struct hr_property_value *hr_values_find(const struct hr_values *values, const char *name);

/* Set, replacing; texts are copied to the arena. */
hr_status hr_values_set(struct hr_values *values, struct hr_arena *arena,
                        const struct hr_property_value *value);

/* The list of values, as job.h has it; fresh_only leaves out what was there before. */
void hr_values_write(const struct hr_values *values, bool fresh_only, struct hr_json_writer *w);
hr_status hr_values_read(struct hr_values *values, struct hr_arena *arena,
                         const struct hr_json_doc *doc, const struct hr_json *list);

#endif
