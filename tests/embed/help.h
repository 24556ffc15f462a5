/* help.h - a folder for each test, with the penguin project in it if it wants that. */
#ifndef EMBED_HELP_H
#define EMBED_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <headrace/headrace.h>

#define TEST_ROW \
    "{\"culmen_length_mm\": 0.25, \"culmen_depth_mm\": 0.67, \"flipper_length_mm\": 0.15, " \
    "\"body_mass_g\": 0.29}"

struct folder {
    char dir[64];
    char path[4096]; /* of in_folder() */
};

static inline const char *in_folder(struct folder *f, const char *name)
{
    assert_true(snprintf(f->path, sizeof f->path, "%s/%s", f->dir, name) < (int)sizeof f->path);
    return f->path;
}

static inline void shell(const char *format, ...)
{
    char command[8192];
    va_list args;

    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    assert_int_equal(system(command), 0);
}

static inline int make_folder(void **state)
{
    struct folder *f = calloc(1, sizeof *f);

    strcpy(f->dir, "/tmp/hr_embed_XXXXXX");
    *state = f;
    return !mkdtemp(f->dir);
}

static inline int remove_folder(void **state)
{
    struct folder *f = *state;

    shell("chmod -R u+w '%s' && rm -r '%s'", f->dir, f->dir);
    free(f);
    return 0;
}

static inline void write_text(struct folder *f, const char *name, const char *text)
{
    FILE *file = fopen(in_folder(f, name), "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* A call that has to succeed. */
static inline void must(hr_project *p, hr_status code)
{
    if (code < 0)
        fail_msg("%s: %s", hr_status_name(code), hr_error(p));
}

static inline void must_fail(hr_project *p, hr_status code, hr_status wanted, const char *part)
{
    if (code != wanted || !strstr(hr_error(p), part))
        fail_msg("wanted %s with \"%s\", got %s: %s", hr_status_name(wanted), part,
                 hr_status_name(code), hr_error(p));
}

/* A project in DIR/NAME; plugins NULL: none linked in. */
static inline hr_project *open_in(struct folder *f, const char *name,
                                  const hr_plugin *const *plugins)
{
    hr_config config = { .struct_size = sizeof config,
                         .plugin_path = TEST_PLUGINS,
                         .plugins = plugins };
    hr_project *p = hr_new(&config);

    assert_non_null(p);
    mkdir(in_folder(f, name), 0777);
    must(p, hr_open(p, in_folder(f, name), HR_OPEN_NEW | HR_OPEN_HERE));
    return p;
}

/* The penguin project in DIR/NAME, run once. */
static inline hr_project *penguin_in(struct folder *f, const char *name)
{
    hr_project *p;
    hr_job *job = NULL;
    char file[64];

    shell("cp -r '%s/penguin' '%s/%s'", TEST_SAMPLES, f->dir, name);
    p = open_in(f, name, NULL);
    snprintf(file, sizeof file, "%s/pipeline.json", name);
    must(p, hr_start(p, in_folder(f, file), NULL, &job));
    must(p, hr_wait(job));
    hr_job_free(job);
    return p;
}

static inline int64_t count_rows(hr_project *p, const char *what, const char *filter)
{
    hr_cursor *c = NULL;
    int64_t n = 0;

    must(p, hr_query(p, what, filter, &c));
    while (hr_cursor_next(c) > 0)
        n++;
    hr_cursor_free(c);
    return n;
}

#endif
