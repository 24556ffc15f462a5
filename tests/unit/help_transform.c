#include "help_transform.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "headrace/rows.h"

void help_columns(const char *text, struct help_columns *ret)
{
    memset(ret, 0, sizeof *ret);
    while (*text) {
        struct hr_feature *f = &ret->list[ret->n];
        size_t n = strcspn(text, ":");
        const char *type = text + n + 1;

        assert_true(ret->n < HELP_COLUMNS && n < 64 && text[n] == ':');
        memcpy(ret->names[ret->n], text, n);
        f->name = ret->names[ret->n++];
        f->type = type[0] == 'i'   ? HR_FEATURE_INT
                  : type[0] == 'f' ? HR_FEATURE_FLOAT
                                   : HR_FEATURE_BYTES;
        text = type + strcspn(type, "?*[ ");
        f->shape = *text == '?'   ? HR_FEATURE_OPTIONAL
                   : *text == '*' ? HR_FEATURE_LIST
                                  : HR_FEATURE_DENSE;
        if (*text == '[') {
            f->rank = 1;
            f->dims[0] = atoi(text + 1);
        }
        text += strcspn(text, " ");
        text += strspn(text, " ");
    }
}

const hr_function *help_function(const char *name)
{
    size_t i;

    for (i = 0; hr_transform_functions[i]; i++)
        if (!strcmp(hr_transform_functions[i]->name, name))
            return hr_transform_functions[i];
    fail_msg("no function %s", name);
    return NULL;
}

hr_status help_check(struct hr_env *env, const char *source, const char *columns,
                     struct hr_features **ret_features, struct hr_program **ret_program)
{
    struct help_columns c;
    hr_status r = hr_features_parse(env, "a.features", source, strlen(source), ret_features);

    help_columns(columns, &c);
    if (r == HR_OK && (r = hr_features_check(env, *ret_features, c.list, c.n, ret_program)) < 0)
        hr_features_free(*ret_features);
    return r;
}

static void run_phase(struct hr_env *env, struct hr_program *program, const struct hr_phase *phase,
                      const struct help_rows *rows, const struct help_run *like)
{
    struct help_run how = { 0 };
    struct help_rows in, out;
    size_t i;

    if (like)
        how = *like;
    how.function = help_function("transform.apply");
    how.config = phase->config;
    how.config_size = phase->size;
    if (help_map(&how, rows, 0, &in) < 0)
        fail_msg("%s", how.error);
    for (i = 0; i < phase->count; i++) {
        how.function = help_function(phase->items[i].function);
        how.config = phase->items[i].config;
        how.config_size = strlen(phase->items[i].config);
        if (help_combine(&how, &in, &out) < 0)
            fail_msg("%s", how.error);
        if (hr_program_result(env, program, i, &out.schema, &out.rows) < 0)
            fail_msg("%s", hr_env_error(env));
        help_clear(&out);
    }
    help_clear(&in);
}

static hr_status make_plan(struct hr_env *env, const char *source, const char *columns,
                           const struct help_rows *rows, const struct help_run *how,
                           struct hr_plan **ret, char **ret_warnings)
{
    struct hr_features *features = NULL;
    struct hr_program *program = NULL;
    struct hr_phase phase;
    hr_status r = help_check(env, source, columns, &features, &program);

    if (r < 0)
        return r;
    while ((r = hr_program_phase(env, program, &phase)) == HR_OK && phase.count)
        run_phase(env, program, &phase, rows, how);
    if (r == HR_OK)
        r = hr_program_plan(env, program, ret);
    if (r == HR_OK && ret_warnings)
        *ret_warnings = strdup(hr_program_warnings(program));
    hr_program_free(program);
    hr_features_free(features);
    return r;
}

hr_status help_features(struct hr_env *env, const char *source, const char *columns,
                        const struct help_rows *rows, const struct help_run *how,
                        struct hr_plan **ret)
{
    return make_plan(env, source, columns, rows, how, ret, NULL);
}

hr_status help_warned(struct hr_env *env, const char *source, const char *columns,
                      const struct help_rows *rows, struct hr_plan **ret, char **ret_warnings)
{
    return make_plan(env, source, columns, rows, NULL, ret, ret_warnings);
}

struct parts {
    const struct hr_apply *apply;
    struct ArrowArrayStream in;
    struct hr_apply_error error;
};

static int parts_schema(struct ArrowArrayStream *s, struct ArrowSchema *ret)
{
    struct parts *p = s->private_data;

    return hr_apply_schema(p->apply, ret) < 0 ? 12 : 0;
}

static int parts_next(struct ArrowArrayStream *s, struct ArrowArray *ret)
{
    struct parts *p = s->private_data;
    struct ArrowArray rows = { 0 };
    hr_status r;

    assert_int_equal(p->in.get_next(&p->in, &rows), 0);
    memset(ret, 0, sizeof *ret);
    if (!rows.release)
        return 0;
    r = hr_apply_batch(p->apply, &rows, ret, &p->error);
    rows.release(&rows);
    return r < 0 ? 22 : 0;
}

static const char *parts_error(struct ArrowArrayStream *s)
{
    return ((struct parts *)s->private_data)->error.text;
}

static void parts_release(struct ArrowArrayStream *s)
{
    struct parts *p = s->private_data;

    p->in.release(&p->in);
    s->release = NULL;
}

hr_status help_apply(struct hr_env *env, const struct hr_plan *plan, const struct help_rows *rows,
                     int64_t n, struct help_rows *ret)
{
    struct hr_apply *apply = NULL;
    struct parts parts = { 0 };
    struct ArrowArrayStream out = { parts_schema, parts_next, parts_error, parts_release, &parts };
    struct ArrowArray one;
    hr_status r = hr_apply_new(env, plan, &rows->schema, 0, &apply);

    if (r < 0)
        return r;
    r = hr_apply_batch(apply, &rows->rows, &one, &parts.error);
    if (r < 0) {
        hr_fail(env, r, "row %lld: %s", (long long)parts.error.row, parts.error.text);
    } else {
        one.release(&one);
        parts.apply = apply;
        help_stream(rows, n, &parts.in);
        help_drain(env, &out, ret);
    }
    hr_apply_free(apply);
    return r;
}
