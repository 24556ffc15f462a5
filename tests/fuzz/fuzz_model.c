/* The directory of a model as the trainer's plugin loads it: a line of model.json, a line of
 * net.json, then weights.bin as long as its head says, then a packed plan, if any.  What is
 * guarded by a digest is made to fit, so that what lies behind it is reached; a model that
 * loads is asked about rows of zeros and of nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "headrace/model.h"
#include "headrace/rows.h"
#include "learn/learn.h"
#include "transform/transform.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const hr_model_1 trainer_model;

enum { ROWS = 2, MAX_COLUMNS = 200 };

static hr_status fail(hr_run *run, hr_status code, const char *text)
{
    (void)run;
    if (!text || !*text)
        abort(); /* a refusal has a reason */
    return code;
}

static const hr_run_1 run_table = { .fail = fail };

static const void *get_interface(const hr_host *host, const char *id)
{
    (void)host;
    return strcmp(id, HR_RUN) ? NULL : &run_table;
}

/* The 64 digits after a member's name are those of the digest. */
static void fit(struct hr_buf *json, const char *name, const char *hex)
{
    char *at = strstr(json->text, name);

    if (at && strlen(at) >= strlen(name) + 64)
        memcpy(at + strlen(name), hex, 64);
}

static size_t weights_size(const uint8_t *p, size_t n)
{
    uint64_t count = 0;

    if (n < 24)
        return n;
    memcpy(&count, p + 16, 8);
    return count < (n - 24) / 4 ? 24 + (size_t)count * 4 : n;
}

/* Write the files; false: there is no directory for them. */
static bool write_files(struct hr_env *env, const char *dir, const uint8_t *data, size_t size)
{
    const uint8_t *end = size ? memchr(data, '\n', size) : NULL, *second;
    struct hr_buf model, net;
    struct hr_plan *plan = NULL;
    uint8_t digest[HR_SHA256_SIZE];
    char hex[HR_SHA256_HEX], path[96];
    size_t left, n;
    bool ok;

    if (!end || !(second = memchr(end + 1, '\n', size - (size_t)(end + 1 - data))))
        return false;
    left = size - (size_t)(second + 1 - data);
    n = weights_size(second + 1, left);
    hr_buf_of(&model, 1 << 24, env);
    hr_buf_of(&net, 1 << 24, env);
    ok = hr_buf_add(&model, data, (size_t)(end - data)) == HR_OK &&
         hr_buf_add(&net, end + 1, (size_t)(second - end - 1)) == HR_OK;
    hr_sha256(second + 1, n, digest);
    hr_sha256_hex(digest, hex);
    if (ok)
        fit(&net, "\"sha256\":\"", hex);
    snprintf(path, sizeof path, "%s/transform_graph", dir);
    hr_tree_remove(env, path);
    if (ok && n < left && hr_plan_unpack(env, second + 1 + n, left - n, &plan) == HR_OK) {
        fit(&model, "\"digest\":\"", hr_plan_digest(plan));
        ok = hr_plan_save(env, plan, path, "", 0) == HR_OK;
    }
    hr_plan_close(plan);
    snprintf(path, sizeof path, "%s/model.json", dir);
    ok = ok && hr_file_put(env, path, model.text, model.len) == HR_OK;
    snprintf(path, sizeof path, "%s/net.json", dir);
    ok = ok && hr_file_put(env, path, net.text, net.len) == HR_OK;
    snprintf(path, sizeof path, "%s/weights.bin", dir);
    ok = ok && hr_file_put(env, path, second + 1, n) == HR_OK;
    hr_buf_clear(&model);
    hr_buf_clear(&net);
    return ok;
}

static void put_zero(struct hr_builder *b, const char *format)
{
    if (format[0] == 'l')
        hr_builder_int(b, 0);
    else if (format[0] == 'f')
        hr_builder_double(b, 0);
    else
        hr_builder_bytes(b, "0", 1);
}

static bool make_rows(const struct ArrowSchema *in, bool missing, struct ArrowArray *ret)
{
    struct ArrowArray columns[MAX_COLUMNS];
    struct hr_builder b;
    int64_t i, row;

    for (i = 0; i < in->n_children; i++) {
        const struct ArrowSchema *c = in->children[i];
        bool list = c->format[0] == '+';
        const char *format = list ? c->children[0]->format : c->format;

        hr_builder_init(&b, format, list);
        for (row = 0; row < ROWS; row++) {
            if (missing) {
                hr_builder_null(&b);
                continue;
            }
            put_zero(&b, format);
            if (list)
                hr_builder_end(&b);
        }
        if (hr_builder_done(&b, &columns[i]) < 0)
            abort();
    }
    return hr_rows_make(columns, in->n_children, ROWS, ret) == HR_OK;
}

static void ask(const void *model)
{
    struct ArrowSchema in, out;
    struct ArrowArray rows, result;
    int missing;

    if (trainer_model.describe(model, NULL, &in, &out) < 0)
        return;
    for (missing = 0; missing < 2 && in.n_children <= MAX_COLUMNS; missing++) {
        if (!make_rows(&in, missing, &rows))
            break;
        if (trainer_model.predict(model, NULL, &rows, &result) == HR_OK) {
            if (result.length != ROWS)
                abort();
            result.release(&result);
        }
        rows.release(&rows);
    }
    in.release(&in);
    out.release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const hr_host host = { .struct_size = sizeof host, .get_interface = get_interface };
    static const char *const signatures[] = { NULL, "transform_features" };
    static char dir[] = "/tmp/hr_fuzz_XXXXXX";
    static bool made;
    struct hr_model_args args = { .struct_size = sizeof args, .dir = dir };
    struct hr_env env;
    void *model;
    size_t i;

    if (!made && !mkdtemp(dir))
        abort();
    made = true;
    hr_env_init(&env, NULL);
    if (write_files(&env, dir, data, size))
        for (i = 0; i < 2; i++) {
            args.signature = signatures[i];
            if (trainer_model.load(&host, NULL, &args, &model) < 0)
                continue;
            ask(model);
            trainer_model.drop(model);
        }
    hr_env_clear(&env);
    return 0;
}
