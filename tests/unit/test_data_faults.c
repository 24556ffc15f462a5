/* Everything that reading and writing rows asks for fails once: each allocation, each call of
 * the OS.  Then there is a code with a reason, nothing leaks, and no other file is touched.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/data.h"
#include "help_dir.h"
#include "help_flow.h"

static char dir[HELP_DIR];

/* -- faults ------------------------------------------------------------------------ */

struct faults {
    struct hr_os os;
    const struct hr_os *real;
    long live;
    int allocs, fail_alloc, calls, fail_call;
    bool no_mkdir; /* it is tried twice, so it goes on failing */
};

static void *counting(void *user, void *p, size_t old_size, size_t new_size)
{
    struct faults *f = user;

    if (new_size && ++f->allocs == f->fail_alloc)
        return NULL;
    f->live += (long)new_size - (long)old_size;
    if (new_size)
        return realloc(p, new_size);
    free(p);
    return NULL;
}

static bool fails(void *user)
{
    struct faults *f = user;

    return ++f->calls == f->fail_call;
}

static int bad_open(void *user, const char *path, int flags, uint32_t mode)
{
    struct faults *f = user;

    return fails(user) ? -EACCES : f->real->open(f->real->user, path, flags, mode);
}

static int64_t bad_write(void *user, int fd, const void *from, size_t n)
{
    struct faults *f = user;

    return fails(user) ? -ENOSPC : f->real->write(f->real->user, fd, from, n);
}

static int bad_map(void *user, int fd, size_t n, const void **ret)
{
    struct faults *f = user;

    return fails(user) ? -ENOMEM : f->real->map(f->real->user, fd, n, ret);
}

static int bad_fstat(void *user, int fd, struct hr_stat *ret)
{
    struct faults *f = user;

    return fails(user) ? -EIO : f->real->fstat(f->real->user, fd, ret);
}

static int bad_mkdir(void *user, const char *path, uint32_t mode)
{
    struct faults *f = user;
    struct hr_stat st;

    /* one that is there already may fail as it likes */
    if (!f->real->stat(f->real->user, path, true, &st))
        return -EEXIST;
    f->no_mkdir = f->no_mkdir || fails(user);
    return f->no_mkdir ? -EACCES : f->real->mkdir(f->real->user, path, mode);
}

static int bad_list(void *user, const char *path, int (*each)(void *arg, const char *name),
                    void *arg)
{
    struct faults *f = user;

    return fails(user) ? -EIO : f->real->list(f->real->user, path, each, arg);
}

static int real_close(void *user, int fd)
{
    struct faults *f = user;

    return f->real->close(f->real->user, fd);
}

static int real_stat(void *user, const char *path, bool follow, struct hr_stat *ret)
{
    struct faults *f = user;

    return f->real->stat(f->real->user, path, follow, ret);
}

static void real_unmap(void *user, const void *p, size_t n)
{
    struct faults *f = user;

    f->real->unmap(f->real->user, p, n);
}

static void real_pass(void *user, const void *p, size_t n)
{
    struct faults *f = user;

    f->real->pass(f->real->user, p, n);
}

static int real_cores(void *user)
{
    (void)user;
    return 1;
}

static const char *real_getenv(void *user, const char *name)
{
    (void)user, (void)name;
    return NULL;
}

static void faults_init(struct faults *f)
{
    memset(f, 0, sizeof *f);
    f->real = hr_os_default();
    f->os = (struct hr_os){ .user = f,
                            .open = bad_open,
                            .write = bad_write,
                            .map = bad_map,
                            .fstat = bad_fstat,
                            .mkdir = bad_mkdir,
                            .list = bad_list,
                            .close = real_close,
                            .stat = real_stat,
                            .unmap = real_unmap,
                            .pass = real_pass,
                            .cores = real_cores,
                            .getenv = real_getenv };
}

/* -- what is done ------------------------------------------------------------------ */

static hr_status read_back(struct hr_env *env, const char *art)
{
    struct ArrowArrayStream s;
    struct ArrowArray rows;
    hr_status r = hr_data_open(env, art, NULL, &s);

    if (r < 0)
        return r;
    do {
        r = hr_arrow_stream_next(env, &s, "rows", &rows);
        if (r == HR_OK && rows.release)
            rows.release(&rows);
        else
            break;
    } while (r == HR_OK);
    s.release(&s);
    return r;
}

static hr_status work(struct hr_env *env, const char *format)
{
    char csv[400], art[400], again[400], file[600];
    struct hr_generate g = { .dir = art, .format = format };
    const char *paths[1] = { csv };
    struct hr_split split;
    hr_status r;

    snprintf(csv, sizeof csv, "%s/in.csv", dir);
    snprintf(art, sizeof art, "%s/%s", dir, format);
    snprintf(again, sizeof again, "%s/%s-again", dir, format);
    if ((r = hr_split_parse(env, "{\"train\":2,\"eval\":1}", &split)) < 0)
        return r;
    g.split = &split;
    r = hr_generate_csv(env, paths, 1, &g);
    if (r == HR_OK)
        r = read_back(env, art);
    if (r == HR_OK && strcmp(format, "arrow")) {
        snprintf(file, sizeof file, "%s/Split-train/data_tfrecord-00000-of-00001.gz", art);
        paths[0] = file;
        g.dir = again;
        r = hr_generate_records(env, paths, 1, &g);
    }
    hr_split_clear(&split);
    return r;
}

static hr_status run(struct faults *f, const char *format)
{
    struct hr_env_config config = {
        .alloc = counting, .alloc_user = f, .os = &f->os, .threads = 1, .batch_rows = 4096
    };
    struct hr_env env;
    char path[400];
    hr_status r;

    hr_env_init(&env, NULL);
    snprintf(path, sizeof path, "%s/%s", dir, format);
    hr_tree_remove(&env, path);
    snprintf(path, sizeof path, "%s/%s-again", dir, format);
    hr_tree_remove(&env, path);
    hr_env_clear(&env);
    hr_env_init(&env, &config);
    r = work(&env, format);
    if (r < 0)
        assert_true(env.errors.count > 0 || env.errors.dropped > 0);
    hr_env_clear(&env);
    assert_int_equal(f->live, 0);
    return r;
}

/* -- tests ------------------------------------------------------------------------- */

static int setup(void **state)
{
    static const char text[] = "a,b,c,d\n1,x,0.5,\n2,\"y\"\"z\",,\n3,x,1e3,\n,w,2,\n";
    char csv[400];
    struct hr_env env;
    hr_status r;

    (void)state;
    if (help_dir_make("data_faults", dir))
        return 1;
    hr_env_init(&env, NULL);
    snprintf(csv, sizeof csv, "%s/in.csv", dir);
    r = hr_file_write(&env, csv, text, sizeof text - 1);
    hr_env_clear(&env);
    return r < 0;
}

static int teardown(void **state)
{
    (void)state;
    return help_dir_remove(dir);
}

static void test_each_allocation(void **state)
{
    static const char *const formats[] = { "arrow", "tfrecords_gzip" };
    struct faults f;
    hr_status r;
    int k, n;

    (void)state;
    for (k = 0; k < 2; k++) {
        for (n = 1; n < 5000; n++) {
            faults_init(&f);
            f.fail_alloc = n;
            r = run(&f, formats[k]);
            if (f.allocs < n)
                break;
            if (r != HR_EXHAUSTED)
                fail_msg("allocation %d of %s: %d", n, formats[k], r);
        }
        assert_int_equal(r, HR_OK);
        assert_true(n > 50);
    }
}

static void test_each_call(void **state)
{
    static const char *const formats[] = { "arrow", "tfrecords_gzip" };
    struct faults f;
    hr_status r;
    int k, n;

    (void)state;
    for (k = 0; k < 2; k++) {
        for (n = 1; n < 500; n++) {
            faults_init(&f);
            f.fail_call = n;
            r = run(&f, formats[k]);
            if (f.calls < n)
                break;
            if (r >= 0 || r == HR_INTERNAL)
                fail_msg("call %d of %s: %d", n, formats[k], r);
        }
        assert_int_equal(r, HR_OK);
        assert_true(n > 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_allocation),
        cmocka_unit_test(test_each_call),
    };

    return cmocka_run_group_tests_name("data/faults", tests, setup, teardown);
}
