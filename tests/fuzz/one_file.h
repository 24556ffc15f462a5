/* one_file.h - a twin of the OS table in which every file has the bytes of the input, and every
 * directory the one name "Split-x".
 */
#ifndef ONE_FILE_H
#define ONE_FILE_H

#include "base/base.h"

struct one_file {
    struct hr_os os;
    const uint8_t *data;
    size_t size, at;
};

/* data must outlive it. */
void one_file_init(struct one_file *f, const uint8_t *data, size_t size);

#endif
