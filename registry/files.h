/* files.h - private to registry: FILES, the listing of a package, and the grammar of names.
 *
 *     0d6a...e1 4096 0644 model/weights.bin
 *
 * SHA-256 of the content in small hexadecimal, size in decimal without zeros before it, the
 * mode, which is always 0644, and the name.  manifest.json is the first; the others follow in
 * byte order.
 */
#ifndef HR_REGISTRY_FILES_H
#define HR_REGISTRY_FILES_H

#include "registry/registry.h"

/* Parts of [A-Za-z0-9._-] between single slashes, none of them "." or "..". */
bool hr_member_name_ok(const char *name, size_t n);

/* Names: grammar, order, no two equal when case is folded, none of them a directory of
 * another, none of them FILES or FILES.minisig.  code is of what breaks a rule; where is of
 * the package or directory. */
hr_status hr_members_check(struct hr_env *env, hr_status code, const char *where,
                           const struct hr_member *members, size_t n);

/* manifest.json before all others, then byte order. */
int hr_member_order(const char *a, const char *b);

/* The first member of HR_PACKAGE_LARGE bytes or more, which stands in a section of its own; n: none
 * is as large.  It is never manifest.json. */
size_t hr_members_large(const struct hr_member *members, size_t n);

hr_status hr_files_add(struct hr_buf *to, const struct hr_member *member);

/* HR_DATA_LOSS: told.  text is ended by '\0' at text[n]. */
hr_status hr_files_read(struct hr_env *env, const char *where, const char *text, size_t n,
                        struct hr_arena *arena, struct hr_member **ret, size_t *ret_n);

#endif
