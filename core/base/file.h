/* file.h - whole files and directories, through the OS table of an env.
 *
 * Each failure is told in env with the path and the reason.
 */
#ifndef HR_FILE_H
#define HR_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/os.h"

struct hr_env;

/* Append the content of a file.  HR_NOT_FOUND, HR_DENIED; HR_INVALID: it is a directory;
 * HR_EXHAUSTED: more than max bytes. */
hr_status hr_file_read(struct hr_env *env, const char *path, size_t max, struct hr_buf *to);

/* A file mapped into memory, read only; data is "" where size is 0. */
struct hr_map {
    const void *data;
    size_t size;
};
hr_status hr_file_map(struct hr_env *env, const char *path, struct hr_map *ret);
void hr_file_unmap(struct hr_env *env, struct hr_map *map);
/* The bytes [from, to) have been read: the memory that they take is not needed.  [any] */
void hr_map_passed(const struct hr_os *os, const struct hr_map *map, size_t from, size_t to);

/* Write it whole: a temporary file beside it, synced, then renamed over path. */
hr_status hr_file_write(struct hr_env *env, const char *path, const void *bytes, size_t n);

/* Write it, whatever was there, without syncing: for what is not in its place yet, as the
 * outputs of a component, which the host makes durable before they count. */
hr_status hr_file_put(struct hr_env *env, const char *path, const void *bytes, size_t n);

/* Append a line to a file that others append to as well; it is made if it is not there. */
hr_status hr_file_append(struct hr_env *env, const char *path, const void *bytes, size_t n);

/* All of n bytes to a descriptor, however few a call takes; path is for the error. */
hr_status hr_fd_write(struct hr_env *env, int fd, const char *path, const void *bytes, size_t n);

/* n bytes from a place of a descriptor.  HR_DATA_LOSS: there are fewer. */
hr_status hr_fd_read_at(struct hr_env *env, int fd, const char *path, void *to, size_t n,
                        uint64_t at);

/* Writing a stream through a buffer of 1 MiB. */
struct hr_out;
hr_status hr_out_open(struct hr_env *env, const char *path, struct hr_out **ret);
hr_status hr_out_add(struct hr_out *out, const void *bytes, size_t n);
uint64_t hr_out_size(const struct hr_out *out); /* bytes so far */
/* Write the rest, sync if asked, close, free, whatever happens. */
hr_status hr_out_close(struct hr_out *out, bool sync);
/* Close and free without writing the rest; the file stays as it is.  NULL is allowed. */
void hr_out_drop(struct hr_out *out);

/* What is at a path, links followed.  An error, told, where the system does not say: whoever takes
 * that for "nothing" removes, leaves out or makes twice what is there. */
enum hr_at { HR_AT_NOTHING, HR_AT_FILE, HR_AT_DIR };
hr_status hr_look_at(struct hr_env *env, const char *path, enum hr_at *ret);

/* Is there something of that name?  Links are followed.  No error is told; where the system does
 * not say, it is taken to be there, so that who opens it is told why. */
bool hr_file_exists(struct hr_env *env, const char *path);
/* Is it surely a directory? */
bool hr_dir_exists(struct hr_env *env, const char *path);

/* Make the directory and those above it that lack. */
hr_status hr_dir_make(struct hr_env *env, const char *path);

/* The same, and what it has made lasts when it returns: the names of new directories are synced. */
hr_status hr_dir_make_safe(struct hr_env *env, const char *path);

/* fsync files and directories, many at once: a journal takes them together. */
hr_status hr_sync_all(struct hr_env *env, const char *const *paths, size_t n);

/* fsync a directory, so that names in it last. */
hr_status hr_dir_sync(struct hr_env *env, const char *path);

/* fsync all files below a directory, the directories that they are in, and the directory: it may
 * be renamed then to where it has to last. */
hr_status hr_tree_sync(struct hr_env *env, const char *path);

/* Remove a file or a directory with all below it; links are removed, not followed.  What
 * is not there is no error. */
hr_status hr_tree_remove(struct hr_env *env, const char *path);

/* Names sorted by byte order. */
struct hr_names {
    char **names;
    size_t count, cap;
};
hr_status hr_dir_list(struct hr_env *env, const char *path, struct hr_names *ret);
/* The same; none where there is no directory of that name. */
hr_status hr_dir_list_there(struct hr_env *env, const char *path, struct hr_names *ret);
/* One more, at the end. */
hr_status hr_names_add(struct hr_env *env, struct hr_names *names, const char *name);
/* All regular files below path, as relative names with slashes, sorted by byte order.
 * HR_INVALID: a link, device or socket is among them, or a name is not UTF-8. */
hr_status hr_tree_list(struct hr_env *env, const char *path, struct hr_names *ret);

/* The paths of what hr_tree_sync() syncs, added to ret; on an error ret holds some of them. */
hr_status hr_tree_paths(struct hr_env *env, const char *path, struct hr_names *ret);
void hr_names_clear(struct hr_env *env, struct hr_names *names);

/* SHA-256 of a file's content. */
hr_status hr_file_digest(struct hr_env *env, const char *path, uint8_t ret[HR_SHA256_SIZE],
                         uint64_t *ret_size);

/* "PATH.12345678~", by chance: the name of what is made beside path and renamed to it when it is
 * whole.  HR_INVALID: it passes HR_MAX_PATH.  And is a name of that kind? */
hr_status hr_path_part(struct hr_env *env, const char *path, char *ret);
bool hr_path_is_part(const char *name);

/* "a/b" of "a" and "b"; b absolute: b alone.  HR_INVALID: it passes HR_MAX_PATH. */
hr_status hr_path_join(struct hr_env *env, const char *a, const char *b, char *to);

/* The part after the last slash; never NULL. */
const char *hr_path_name(const char *path);

/* The part before it: "." where there is none, "/" of the root. */
void hr_path_dir(const char *path, char *to); /* to: HR_MAX_PATH bytes */

#endif
