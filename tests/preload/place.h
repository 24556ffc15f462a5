/* place.h - private to the libraries here: which file a descriptor is of. */
#ifndef PLACE_H
#define PLACE_H

#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

/* The path of a descriptor, "" where it has none; to: n bytes. */
static inline const char *place_of(int fd, char *to, size_t n)
{
    char link[64];
    ssize_t got;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    got = readlink(link, to, n - 1);
    to[got < 0 ? 0 : got] = '\0';
    return to;
}

#endif
