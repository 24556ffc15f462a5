#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>

#include "registry/registry.h"

enum { LEVEL = 3, MAX_MEMBERS = 100000 };

/* -- names ----------------------------------------------------------------- */

static bool part_ok(const char *p, size_t n)
{
    size_t i;

    if (!n || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
        return false;
    for (i = 0; i < n; i++) {
        char c = p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '.' || c == '_' || c == '-'))
            return false;
    }
    return true;
}

static bool name_ok(const char *name)
{
    const char *slash;

    for (; (slash = strchr(name, '/')); name = slash + 1)
        if (!part_ok(name, (size_t)(slash - name)))
            return false;
    return part_ok(name, strlen(name));
}

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

static int compare_folded(const void *a, const void *b)
{
    const char *x = *(char *const *)a, *y = *(char *const *)b;

    while (*x && lower(*x) == lower(*y)) {
        x++;
        y++;
    }
    return lower(*x) - lower(*y);
}

static hr_status check_names(struct hr_env *env, const char *dir, const struct hr_names *names)
{
    char **folded;
    hr_status r = HR_OK;
    size_t i;

    if (names->count > MAX_MEMBERS)
        return hr_fail(env, HR_INVALID, "\"%s\" has more than %d files", dir, MAX_MEMBERS);
    for (i = 0; i < names->count; i++)
        if (!name_ok(names->names[i]))
            return hr_fail(env, HR_INVALID,
                           "\"%s/%s\" cannot be packed: a name has letters, digits, ., _ and -"
                           " between slashes",
                           dir, names->names[i]);
    if (!(folded = hr_mem_zero(env, (names->count + 1) * sizeof *folded)))
        return HR_EXHAUSTED;
    if (names->count)
        memcpy(folded, names->names, names->count * sizeof *folded);
    qsort(folded, names->count, sizeof *folded, compare_folded);
    for (i = 1; i < names->count && r == HR_OK; i++)
        if (compare_folded(&folded[i], &folded[i - 1]) == 0)
            r = hr_fail(env, HR_INVALID, "\"%s\": the names \"%s\" and \"%s\" differ by case only",
                        dir, folded[i - 1], folded[i]);
    hr_mem_put(env, folded, (names->count + 1) * sizeof *folded);
    return r;
}

/* -- the listing ----------------------------------------------------------- */

static hr_status add_line(struct hr_buf *files, const uint8_t digest[HR_SHA256_SIZE], uint64_t size,
                          const char *prefix, const char *name)
{
    char hex[HR_SHA256_HEX];

    hr_sha256_hex(digest, hex);
    return hr_buf_format(files, "%s %llu 0644 %s%s\n", hex, (unsigned long long)size, prefix, name);
}

static hr_status list(struct hr_env *env, const char *dir, const struct hr_names *names,
                      const char *manifest, size_t size, struct hr_buf *files)
{
    uint8_t digest[HR_SHA256_SIZE];
    char path[HR_MAX_PATH];
    uint64_t bytes = 0;
    hr_status r;
    size_t i;

    hr_sha256(manifest, size, digest);
    r = add_line(files, digest, size, "", "manifest.json");
    for (i = 0; i < names->count && r == HR_OK; i++) {
        if ((r = hr_path_join(env, dir, names->names[i], path)) == HR_OK &&
            (r = hr_file_digest(env, path, digest, &bytes)) == HR_OK)
            r = add_line(files, digest, bytes, "model/", names->names[i]);
    }
    return r;
}

/* -- the archive ----------------------------------------------------------- */

struct sink {
    struct hr_out *out;
    hr_status status;
};

static la_ssize_t put(struct archive *a, void *user, const void *bytes, size_t n)
{
    struct sink *s = user;

    if ((s->status = hr_out_add(s->out, bytes, n)) < 0) {
        archive_set_error(a, -1, "cannot write");
        return -1;
    }
    return (la_ssize_t)n;
}

static hr_status fail(struct hr_env *env, struct archive *a, const char *file)
{
    const char *why = archive_error_string(a);

    return hr_fail(env, HR_UNAVAILABLE, "cannot pack \"%s\": %s", file, why ? why : "no memory");
}

static hr_status add_bytes(struct hr_env *env, struct archive *a, const char *name,
                           const void *bytes, size_t n)
{
    struct archive_entry *e = archive_entry_new();
    hr_status r = HR_OK;

    if (!e)
        return hr_fail_memory(env);
    archive_entry_set_pathname(e, name);
    archive_entry_set_size(e, (la_int64_t)n);
    archive_entry_set_filetype(e, AE_IFREG);
    archive_entry_set_perm(e, 0644);
    archive_entry_set_mtime(e, 0, 0);
    archive_entry_set_uid(e, 0);
    archive_entry_set_gid(e, 0);
    if (archive_write_header(a, e) != ARCHIVE_OK ||
        (n && archive_write_data(a, bytes, n) != (la_ssize_t)n))
        r = fail(env, a, name);
    archive_entry_free(e);
    return r;
}

static hr_status add_file(struct hr_env *env, struct archive *a, const char *dir, const char *name)
{
    char path[HR_MAX_PATH], member[HR_MAX_PATH];
    struct hr_map map;
    hr_status r = hr_path_join(env, dir, name, path);

    if (r == HR_OK)
        r = hr_path_join(env, "model", name, member);
    if (r == HR_OK)
        r = hr_file_map(env, path, &map);
    if (r < 0)
        return r;
    r = add_bytes(env, a, member, map.data, map.size);
    hr_file_unmap(env, &map);
    return r;
}

static hr_status open_archive(struct hr_env *env, struct archive *a, struct sink *sink)
{
    char level[4];

    hr_num_put_int(level, LEVEL);
    if (archive_write_set_format_pax_restricted(a) != ARCHIVE_OK ||
        archive_write_add_filter_zstd(a) != ARCHIVE_OK ||
        archive_write_set_filter_option(a, "zstd", "compression-level", level) != ARCHIVE_OK ||
        archive_write_set_bytes_in_last_block(a, 1) != ARCHIVE_OK ||
        archive_write_open(a, sink, NULL, put, NULL) != ARCHIVE_OK)
        return fail(env, a, "the package");
    return HR_OK;
}

static hr_status write_all(struct hr_env *env, struct sink *sink, const char *dir,
                           const struct hr_names *names, const char *manifest, size_t size)
{
    struct archive *a = archive_write_new();
    struct hr_buf files;
    hr_status r;
    size_t i;

    if (!a)
        return hr_fail_memory(env);
    hr_buf_of(&files, (size_t)1 << 28, env);
    r = open_archive(env, a, sink);
    if (r == HR_OK)
        r = list(env, dir, names, manifest, size, &files);
    if (r == HR_OK)
        r = add_bytes(env, a, "FILES", files.text, files.len);
    if (r == HR_OK)
        r = add_bytes(env, a, "manifest.json", manifest, size);
    for (i = 0; i < names->count && r == HR_OK; i++)
        r = add_file(env, a, dir, names->names[i]);
    if (archive_write_close(a) != ARCHIVE_OK && r == HR_OK)
        r = fail(env, a, "the package");
    archive_write_free(a);
    hr_buf_clear(&files);
    return r;
}

static hr_status pack(struct hr_env *env, const char *dir, const char *manifest, size_t size,
                      const char *file)
{
    char part[HR_MAX_PATH], above[HR_MAX_PATH];
    struct hr_names names = { 0 };
    struct sink sink = { NULL, HR_OK };
    hr_status r = hr_tree_list(env, dir, &names);
    int e;

    if (r == HR_OK)
        r = check_names(env, dir, &names);
    if (r == HR_OK)
        r = hr_path_join(env, "", file, part);
    if (r == HR_OK && strlen(part) + 6 >= sizeof part)
        r = hr_fail(env, HR_INVALID, "the name \"%s\" is too long", file);
    if (r == HR_OK) {
        memcpy(part + strlen(part), ".part", 6);
        r = hr_out_open(env, part, &sink.out);
    }
    if (r == HR_OK) {
        r = write_all(env, &sink, dir, &names, manifest, size);
        if (r == HR_OK)
            r = hr_out_close(sink.out, true);
        else
            hr_out_drop(sink.out);
        if (r == HR_OK && (e = env->os->rename(env->os->user, part, file)) < 0)
            r = hr_fail_os(env, e, "rename to", file);
        if (r < 0)
            env->os->unlink(env->os->user, part);
    }
    hr_names_clear(env, &names);
    if (r < 0)
        return r;
    hr_path_dir(file, above);
    return hr_dir_sync(env, above);
}

const struct hr_registry_1 hr_registry_v1 = { pack };
