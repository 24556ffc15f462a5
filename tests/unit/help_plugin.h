/* help_plugin.h - components of the plugins that were built, run without a worker. */
#ifndef HELP_PLUGIN_H
#define HELP_PLUGIN_H

#include "flow/flow.h"
#include "wire/wire.h"

/* A component of the plugin FAMILY.so that was built; the test fails without. */
const hr_component *help_component(const char *family, const char *id);

/* A new directory, removed by help_remove(). */
void help_directory(char *ret, size_t n);
void help_remove(struct hr_env *env, const char *dir);

/* Say that an artifact lies in DIR/NAME, which is made, and what one of its properties is. */
void help_artifact(struct hr_env *env, struct hr_local *local, const char *key, const char *dir,
                   const char *name);
void help_property(struct hr_local *local, const char *key, const char *name, const char *value);

/* The content of DIR/NAME, appended. */
void help_read(struct hr_env *env, const char *dir, const char *name, struct hr_buf *to);

#endif
