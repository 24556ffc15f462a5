/* plugins.h - private to cli: the half of the verb plugin that changes what is installed. */
#ifndef HR_CLI_PLUGINS_H
#define HR_CLI_PLUGINS_H

#include "cli/verbs.h"

extern const struct verb package_pack; /* of package.c: a plugin is packed as anything else */
extern const struct verb plugin_install, plugin_remove, plugin_rescan;

#endif
