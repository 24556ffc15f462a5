#include "registry/files.h"

#include <stdlib.h>
#include <string.h>

/* -- names ----------------------------------------------------------------- */

/* Is a character one that names may have everywhere? */
static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '.' || c == '_' || c == '-';
}

static bool part_ok(const char *p, size_t n)
{
    size_t i;

    if (!n || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
        return false;
    for (i = 0; i < n; i++)
        if (!is_plain(p[i]))
            return false;
    return true;
}

bool hr_member_name_ok(const char *name, size_t n)
{
    const char *slash;
    int depth = 1;

    if (n > HR_PACKAGE_NAME)
        return false;
    for (; (slash = memchr(name, '/', n)); depth++) {
        size_t part = (size_t)(slash - name);

        if (!part_ok(name, part))
            return false;
        name += part + 1;
        n -= part + 1;
    }
    return depth <= HR_PACKAGE_DEPTH && part_ok(name, n);
}

static int fold(char c)
{
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

/* A slash sorts before all else, so that what lies in a directory stands together. */
static int compare_folded(const char *a, size_t na, const char *b, size_t nb)
{
    size_t i;

    for (i = 0; i < na && i < nb; i++) {
        int x = a[i] == '/' ? 0 : fold(a[i]), y = b[i] == '/' ? 0 : fold(b[i]);

        if (x != y)
            return x - y;
    }
    return (na > nb) - (na < nb);
}

static int by_folded(const void *a, const void *b)
{
    const char *x = *(char *const *)a, *y = *(char *const *)b;

    return compare_folded(x, strlen(x), y, strlen(y));
}

int hr_member_order(const char *a, const char *b)
{
    bool x = !strcmp(a, "manifest.json"), y = !strcmp(b, "manifest.json");

    return x || y ? y - x : strcmp(a, b);
}

/* In folded order a name and what lies below it are neighbours. */
static hr_status check_folded(struct hr_env *env, hr_status code, const char *where,
                              const char **names, size_t n)
{
    size_t i, len;

    qsort(names, n, sizeof *names, by_folded);
    for (i = 1; i < n; i++) {
        len = strlen(names[i - 1]);
        if (by_folded(&names[i - 1], &names[i]) == 0)
            return hr_fail(env, code, "\"%s\": the names \"%s\" and \"%s\" differ by case only",
                           where, names[i - 1], names[i]);
        if (strlen(names[i]) > len && names[i][len] == '/' &&
            compare_folded(names[i - 1], len, names[i], len) == 0)
            return hr_fail(env, code, "\"%s\": \"%s\" is a file, and \"%s\" lies below it", where,
                           names[i - 1], names[i]);
    }
    return HR_OK;
}

static hr_status check_one(struct hr_env *env, hr_status code, const char *where, const char *name)
{
    if (!hr_member_name_ok(name, strlen(name)))
        return hr_fail(env, code,
                       "\"%s\": the name \"%s\" is not allowed in a package: a name has letters, "
                       "digits, \".\", \"_\" and \"-\" between slashes, at most %d of them",
                       where, name, HR_PACKAGE_NAME);
    if (!compare_folded(name, strlen(name), "FILES", 5) ||
        !compare_folded(name, strlen(name), "FILES.minisig", 13))
        return hr_fail(env, code, "\"%s\": the name \"%s\" is the package's own", where, name);
    return HR_OK;
}

hr_status hr_members_check(struct hr_env *env, hr_status code, const char *where,
                           const struct hr_member *members, size_t n)
{
    const char **names;
    uint64_t total = 0;
    hr_status r = HR_OK;
    size_t i;

    if (n > HR_PACKAGE_MEMBERS)
        return hr_fail(env, code, "\"%s\" has more than %d members", where, HR_PACKAGE_MEMBERS);
    if (!n || strcmp(members[0].name, "manifest.json") != 0)
        return hr_fail(env, code, "\"%s\": the first member is not manifest.json", where);
    if (!(names = hr_mem_zero(env, n * sizeof *names)))
        return HR_EXHAUSTED;
    for (i = 0; i < n && r == HR_OK; i++) {
        names[i] = members[i].name;
        r = check_one(env, code, where, names[i]);
        if (r == HR_OK && i && hr_member_order(names[i - 1], names[i]) > 0)
            r = hr_fail(env, code, "\"%s\": \"%s\" stands before \"%s\", out of order", where,
                        names[i - 1], names[i]);
        if (r == HR_OK &&
            (members[i].size > HR_PACKAGE_MEMBER || (total += members[i].size) > HR_PACKAGE_TOTAL))
            r = hr_fail(env, code, "\"%s\": \"%s\" is too large for a package", where, names[i]);
    }
    if (r == HR_OK)
        r = check_folded(env, code, where, names, n);
    hr_mem_put(env, names, n * sizeof *names);
    return r;
}

size_t hr_members_large(const struct hr_member *members, size_t n)
{
    size_t i;

    for (i = 1; i < n && members[i].size < HR_PACKAGE_LARGE; i++)
        ;
    return n ? i : 0;
}

/* -- the listing ----------------------------------------------------------- */

hr_status hr_files_add(struct hr_buf *to, const struct hr_member *member)
{
    char hex[HR_SHA256_HEX];

    hr_sha256_hex(member->digest, hex);
    return hr_buf_format(to, "%s %llu 0644 %s\n", hex, (unsigned long long)member->size,
                         member->name);
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_digest(const char *p, size_t n, uint8_t ret[HR_SHA256_SIZE])
{
    int i, a, b;

    if (n < 65 || p[64] != ' ')
        return false;
    for (i = 0; i < HR_SHA256_SIZE; i++) {
        a = digit(p[2 * i]);
        b = digit(p[2 * i + 1]);
        if (a < 0 || b < 0)
            return false;
        ret[i] = (uint8_t)(a << 4 | b);
    }
    return true;
}

/* A line without its end: what it says, or why not. */
static const char *read_line(const char *p, size_t n, struct hr_arena *arena,
                             struct hr_member *ret)
{
    const char *space;
    int64_t size = 0;
    size_t digits;

    if (!read_digest(p, n, ret->digest))
        return "does not begin with a digest";
    p += 65;
    n -= 65;
    space = memchr(p, ' ', n);
    digits = space ? (size_t)(space - p) : 0;
    if (!digits || digits > 18 || !hr_num_int(p, digits, &size) || p[0] < '0' || p[0] > '9' ||
        (p[0] == '0' && digits > 1))
        return "has no size";
    p += digits + 1;
    n -= digits + 1;
    if (n < 5 || memcmp(p, "0644 ", 5) != 0)
        return "has another mode than 0644";
    if (memchr(p + 5, '\0', n - 5) || !(ret->name = hr_arena_bytes(arena, p + 5, n - 5)))
        return "has no name";
    ret->size = (uint64_t)size;
    return NULL;
}

hr_status hr_files_read(struct hr_env *env, const char *where, const char *text, size_t n,
                        struct hr_arena *arena, struct hr_member **ret, size_t *ret_n)
{
    const char *at = text, *end = text + n, *line, *why;
    struct hr_member *members;
    size_t lines = 0, i = 0;
    hr_status r;

    for (line = text; (line = memchr(line, '\n', (size_t)(end - line))); line++)
        lines++;
    if (n && end[-1] != '\n')
        return hr_fail(env, HR_DATA_LOSS, "\"%s\": the last line of FILES has no end", where);
    if (lines > HR_PACKAGE_MEMBERS)
        return hr_fail(env, HR_DATA_LOSS, "\"%s\": FILES lists more than %d members", where,
                       HR_PACKAGE_MEMBERS);
    if (!(members = hr_arena_array(arena, lines + 1, sizeof *members)))
        return HR_EXHAUSTED;
    for (; at < end; at = line + 1, i++) {
        line = memchr(at, '\n', (size_t)(end - at));
        if ((why = read_line(at, (size_t)(line - at), arena, &members[i])))
            return hr_fail(env, HR_DATA_LOSS, "\"%s\": line %zu of FILES %s", where, i + 1, why);
    }
    if ((r = hr_members_check(env, HR_DATA_LOSS, where, members, lines)) < 0)
        return r;
    *ret = members;
    *ret_n = lines;
    return HR_OK;
}
