/* ustar.h - private to registry: headers of a tar, as POSIX.1-1988 has them.
 *
 * A header is 512 bytes, here always of a regular file of mode 0644, owner 0 and time 0, so
 * name and size decide all of it; the content follows, filled with zeros to 512.  Two blocks
 * of zeros end the tar.
 *
 *     0 name 100   100 mode 8   108 uid 8   116 gid 8   124 size 12   136 mtime 12
 *     148 checksum 8   156 type 1   157 link 100   257 "ustar\0" 6   263 "00" 2
 *     265 owner 32   297 group 32   329 device 8   337 device 8   345 prefix 155
 */
#ifndef HR_REGISTRY_USTAR_H
#define HR_REGISTRY_USTAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HR_USTAR_BLOCK = 512 };

/* The header.  false: the name does not fit, because it has no slash where it would have to. */
bool hr_ustar_make(const char *name, uint64_t size, char ret[HR_USTAR_BLOCK]);

/* The size that a header tells.  false: it has none that is octal. */
bool hr_ustar_size(const char header[HR_USTAR_BLOCK], uint64_t *ret);

/* Why a header is not the one of name and size: "is a symbolic link".  The name that it has
 * is put into ret_name, cut and without control characters. */
const char *hr_ustar_why(const char header[HR_USTAR_BLOCK], const char *name, uint64_t size,
                         char ret_name[128]);

static inline size_t hr_ustar_padding(uint64_t size)
{
    return (size_t)(-size % HR_USTAR_BLOCK);
}

#endif
