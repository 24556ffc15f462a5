/* manifest_of.h - private to plugin and its worker: a description as JSON (info.h). */
#ifndef HR_MANIFEST_OF_H
#define HR_MANIFEST_OF_H

#include "base/base.h"

/* sha256 is of the .so, "" if it has none.  HR_INVALID: *to has the reason instead: the
 * description breaks a rule of the ABI. */
hr_status hr_manifest_of(const hr_plugin *plugin, const char *sha256, struct hr_buf *to);

#endif
