/* os_files.h - private to os: parts of the table: files, packets, and processes from a zygote. */
#ifndef HR_OS_FILES_H
#define HR_OS_FILES_H

#include "base/os.h"

int hr_os_result(int64_t result); /* -errno where the result is -1 */

int hr_os_open(void *user, const char *path, int flags, uint32_t mode);
int hr_os_close(void *user, int fd);
int64_t hr_os_read(void *user, int fd, void *to, size_t n);
int64_t hr_os_pread(void *user, int fd, void *to, size_t n, uint64_t at);
int64_t hr_os_write(void *user, int fd, const void *from, size_t n);
int hr_os_sync(void *user, int fd);
int hr_os_truncate(void *user, int fd, uint64_t size);
int hr_os_stat(void *user, const char *path, bool follow, struct hr_stat *ret);
int hr_os_fstat(void *user, int fd, struct hr_stat *ret);
int hr_os_rename(void *user, const char *from, const char *to);
int hr_os_mkdir(void *user, const char *path, uint32_t mode);
int hr_os_unlink(void *user, const char *path);
int hr_os_rmdir(void *user, const char *path);
int hr_os_chmod(void *user, const char *path, uint32_t mode);
int hr_os_list(void *user, const char *path, int (*each)(void *arg, const char *name), void *arg);
int hr_os_readlink(void *user, const char *path, char *to, size_t n);
int hr_os_realpath(void *user, const char *path, char *to);
int hr_os_cwd(void *user, char *to, size_t n);
int hr_os_map(void *user, int fd, size_t n, const void **ret);
void hr_os_unmap(void *user, const void *p, size_t n);
void hr_os_pass(void *user, const void *p, size_t n);
int hr_os_memfd(void *user, const char *name);
int hr_os_seal(void *user, int fd);
int hr_os_lock(void *user, int fd, bool exclusive);

/* A packet with n descriptors, at most HR_SPAWN_FDS.  The bytes that went, or a negative errno. */
int64_t hr_os_send_with(int socket, const void *bytes, size_t size, const int *fds, size_t n);
/* The bytes that came, 0 at the end, or a negative errno, -EMSGSIZE for a longer packet; *ret_n
 * descriptors came with it, the caller's, also with -EMSGSIZE. */
int64_t hr_os_take_with(int socket, void *bytes, size_t size, int fds[HR_SPAWN_FDS],
                        size_t *ret_n);
int64_t hr_os_send(void *user, int fd, const void *from, size_t n, int pass_fd);
int64_t hr_os_recv(void *user, int fd, void *to, size_t n, int *ret_fd);

/* pid, with a descriptor for its end; a negative errno, and it is gone. */
int hr_os_pidfd(int pid, int *ret_pidfd);
int hr_os_zygote_give(void *user, int socket, const int *fds, size_t n);
int hr_os_spawn_from(void *user, int end, const struct hr_spawn *s, int *ret_pidfd);
void hr_os_zygote_end(void *user, int end);

#endif
