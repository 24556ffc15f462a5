/* plugin.h - the face of core/plugin: which plugins there are, and hooks run by workers.
 *
 *     info.h       what a manifest says of a plugin: components, ports, properties
 *     version.h    versions and ranges of them
 *     cache.h      the host's own memory: digests of files, manifests, leases
 *     catalogue.h  where plugins are found, and which component a name means
 *     zygote.h     what workers are copied from
 *     crew.h       what threads of a host are taken from
 *     process.h    a hook that runs, in a process of its own or on a thread of this one
 */
#ifndef HR_CORE_PLUGIN_H
#define HR_CORE_PLUGIN_H

#include "plugin/cache.h"
#include "plugin/catalogue.h"
#include "plugin/info.h"
#include "plugin/process.h"

#endif
