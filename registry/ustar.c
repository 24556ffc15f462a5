#include "registry/ustar.h"

#include <string.h>

enum { NAME = 100, PREFIX = 155 };

static void put_octal(char *to, int digits, uint64_t v)
{
    while (digits--) {
        to[digits] = (char)('0' + (v & 7));
        v >>= 3;
    }
}

bool hr_ustar_make(const char *name, uint64_t size, char ret[HR_USTAR_BLOCK])
{
    size_t n = strlen(name), cut = 0;
    unsigned sum = 0;
    int i;

    memset(ret, 0, HR_USTAR_BLOCK);
    if (n > NAME) { /* at the first slash that leaves no more than fits */
        for (cut = n - NAME - 1; cut < n && name[cut] != '/'; cut++)
            ;
        if (cut >= n || cut > PREFIX || !cut)
            return false;
        memcpy(ret + 345, name, cut++);
    }
    memcpy(ret, name + cut, n - cut);
    put_octal(ret + 100, 7, 0644);
    put_octal(ret + 108, 7, 0);
    put_octal(ret + 116, 7, 0);
    put_octal(ret + 124, 11, size);
    put_octal(ret + 136, 11, 0);
    memset(ret + 148, ' ', 8);
    ret[156] = '0';
    memcpy(ret + 257, "ustar\00000", 8);
    for (i = 0; i < HR_USTAR_BLOCK; i++)
        sum += (unsigned char)ret[i];
    put_octal(ret + 148, 6, sum);
    ret[154] = '\0';
    return true;
}

bool hr_ustar_size(const char header[HR_USTAR_BLOCK], uint64_t *ret)
{
    uint64_t v = 0;
    int i;

    for (i = 0; i < 11; i++) {
        char c = header[124 + i];

        if (c < '0' || c > '7')
            return false;
        v = v << 3 | (uint64_t)(c - '0');
    }
    *ret = v;
    return true;
}

static const char *type_text(char type)
{
    switch (type) {
    case '1':
        return "is a hard link";
    case '2':
        return "is a symbolic link";
    case '3':
    case '4':
        return "is a device";
    case '5':
        return "is a directory";
    case '6':
        return "is a named pipe";
    case 'S':
        return "is a sparse file";
    case 'x':
    case 'g':
        return "is an extended header";
    case 'L':
    case 'K':
        return "is a long name of GNU tar";
    default:
        return "is no regular file";
    }
}

const char *hr_ustar_why(const char header[HR_USTAR_BLOCK], const char *name, uint64_t size,
                         char ret_name[128])
{
    static const char zeros[HR_USTAR_BLOCK];
    char wanted[HR_USTAR_BLOCK];
    uint64_t its = 0;
    int i;

    for (i = 0; i < NAME && header[i]; i++)
        ret_name[i] = header[i] > ' ' && header[i] < 127 ? header[i] : '?';
    ret_name[i] = '\0';
    if (!memcmp(header, zeros, sizeof zeros))
        return "is missing: the tar ends before it";
    if (memcmp(header + 257, "ustar", 5) != 0)
        return "has no header of a ustar archive";
    if (header[156] != '0')
        return type_text(header[156]);
    if (!hr_ustar_make(name, size, wanted) || memcmp(header, wanted, NAME) != 0 ||
        memcmp(header + 345, wanted + 345, PREFIX) != 0)
        return "stands where FILES lists another";
    if (!hr_ustar_size(header, &its) || its != size)
        return "has another size than FILES lists";
    return "has an owner, mode, time or checksum of its own";
}
