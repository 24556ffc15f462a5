/* merge.c - accumulators of shards, merged in random trees, give what that of the whole gives.
 *
 *     property_merge SEED COUNT          SEED is a number, or "random"
 *
 * COUNT times: random rows, cut into random shards, each added in random batches; some are stored
 * and restored on the way.  Neighbours are merged in a random order until one is left, which must
 * give the same bytes as one accumulator of all rows; for the statistics, and for each analyzer
 * that promises to be exact.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "headrace/rows.h"
#include "transform/transform.h"
#include "validation/validation.h"

enum { MAX_SHARDS = 12, COLUMNS = 6 };

static uint64_t state;

static uint64_t chance(uint64_t n)
{
    uint64_t z = state += 0x9e3779b97f4a7c15u; /* splitmix64 */

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (z ^ z >> 31) % n;
}

static void need(bool ok, const char *what)
{
    if (ok)
        return;
    printf("%s\n", what);
    exit(1);
}

/* -- rows --------------------------------------------------------------------- */

static const char *const names[COLUMNS] = { "i", "f", "s", "li", "lf", "ls" };
static const char *const formats[COLUMNS] = { "l", "f", "z", "l", "f", "z" };

static void make_schema(struct ArrowSchema *ret)
{
    int64_t k;

    need(hr_schema_new("+s", "", COLUMNS, ret) == HR_OK, "no memory");
    for (k = 0; k < COLUMNS; k++)
        need(hr_schema_column(ret->children[k], names[k], formats[k], k >= 3) == HR_OK,
             "no memory");
}

/* How the values of a column are drawn. */
struct drawing {
    uint64_t kinds, nulls; /* of so many values; one of so many is missing */
    bool odd;              /* some are NaN, infinite or no UTF-8 */
};

static void put_value(struct hr_builder *b, const struct drawing *d)
{
    static const double odd[] = { (double)NAN, (double)INFINITY, -(double)INFINITY, -0.0, 3e38 };
    uint64_t v = chance(d->kinds);
    char text[32];

    if (b->format == 'l') {
        hr_builder_int(b, d->odd && !chance(50) ? INT64_MIN + (int64_t)v : (int64_t)v - 7);
    } else if (b->format == 'f') {
        hr_builder_double(b, d->odd && !chance(50) ? odd[chance(5)] : (double)(float)v / 7 - 1);
    } else {
        snprintf(text, sizeof text, "%s%" PRIu64, d->odd && !chance(50) ? "\xff" : "t", v * v % 97);
        hr_builder_bytes(b, text, chance(9) ? strlen(text) : 0);
    }
}

static void make_column(int64_t k, int64_t n, const struct drawing *d, struct ArrowArray *ret)
{
    struct hr_builder b;
    int64_t i;
    uint64_t m;

    hr_builder_init(&b, formats[k], k >= 3);
    for (i = 0; i < n; i++) {
        if (!chance(d->nulls)) {
            hr_builder_null(&b);
            continue;
        }
        for (m = k < 3 ? 1 : chance(4); m; m--)
            put_value(&b, d);
        if (k >= 3)
            hr_builder_end(&b);
    }
    need(hr_builder_done(&b, ret) == HR_OK, "no memory");
}

static void make_rows(int64_t n, struct ArrowArray *ret)
{
    static const uint64_t kinds[] = { 1, 3, 40, 100000 };
    struct ArrowArray columns[COLUMNS];
    struct drawing d;
    int64_t k;

    for (k = 0; k < COLUMNS; k++) {
        d = (struct drawing){ kinds[chance(4)], 1 + chance(8), chance(3) == 0 };
        make_column(k, n, &d, &columns[k]);
    }
    need(hr_rows_make(columns, COLUMNS, n, ret) == HR_OK, "no memory");
}

/* -- accumulators -------------------------------------------------------------- */

struct work {
    const hr_combine_1 *c;
    void *self;
    struct ArrowSchema out;
    const struct ArrowArray *rows;
};

/* Rows from to to, in batches, to a new accumulator. */
static void *add(const struct work *w, int64_t from, int64_t to, bool whole)
{
    struct ArrowArray part = *w->rows;
    void *acc;

    need(w->c->create(w->self, NULL, &acc) == HR_OK, "create() has failed");
    while (from < to) {
        int64_t n = whole ? to - from : 1 + (int64_t)chance((uint64_t)(to - from));

        part.offset = w->rows->offset + from;
        part.length = n;
        need(w->c->add_batch(w->self, NULL, &acc, NULL, &part) == HR_OK, "add_batch() has failed");
        from += n;
    }
    return acc;
}

/* Stored and restored. */
static void *again(const struct work *w, void *acc)
{
    struct ArrowArray bytes;
    void *restored;

    need(w->c->serialize(w->self, NULL, &acc, 1, &bytes) == HR_OK, "serialize() has failed");
    need(w->c->deserialize(w->self, NULL, &bytes, &restored) == HR_OK, "deserialize() has failed");
    bytes.release(&bytes);
    w->c->drop_acc(w->self, acc);
    return restored;
}

static void *merge_all(const struct work *w)
{
    int64_t n = w->rows->length, ends[MAX_SHARDS + 1] = { 0 };
    void *accs[MAX_SHARDS];
    size_t count = 1 + chance(MAX_SHARDS), i, at;

    for (i = 1; i < count; i++)
        ends[i] = ends[i - 1] + (int64_t)chance((uint64_t)(n - ends[i - 1]) + 1);
    ends[count] = n;
    for (i = 0; i < count; i++)
        accs[i] = add(w, ends[i], ends[i + 1], false);
    for (; count > 1; count--) {
        at = chance(count - 1);
        if (!chance(3))
            accs[at] = again(w, accs[at]);
        if (!chance(3))
            accs[at + 1] = again(w, accs[at + 1]);
        need(w->c->merge(w->self, NULL, accs[at], accs[at + 1]) == HR_OK, "merge() has failed");
        w->c->drop_acc(w->self, accs[at + 1]);
        memmove(&accs[at + 1], &accs[at + 2], (count - at - 2) * sizeof accs[0]);
    }
    return accs[0];
}

/* -- results -------------------------------------------------------------------- */

static void put_cell(struct hr_env *env, const struct hr_col *c, struct hr_buf *to)
{
    int64_t at, n = hr_col_count(c, 0, &at), k;
    const char *bytes;
    size_t size;
    double d;

    hr_buf_format(to, "%s %" PRId64 ":", c->name, n);
    for (k = 0; k < n; k++) {
        if (c->kind == HR_COL_INT) {
            hr_buf_format(to, " %" PRId64, hr_col_int(c, at + k));
        } else if (c->kind == HR_COL_FLOAT) {
            d = hr_col_double(c, at + k);
            hr_buf_add(to, &d, sizeof d);
        } else {
            bytes = hr_col_bytes(c, at + k, &size);
            hr_buf_add(to, bytes, size);
        }
    }
    (void)env;
}

static void extract(const struct work *w, struct hr_env *env, void *acc, struct hr_buf *to)
{
    struct ArrowArray out;
    struct hr_col c;
    int64_t k;

    need(w->c->extract(w->self, NULL, &acc, 1, &out) == HR_OK, "extract() has failed");
    for (k = 0; k < w->out.n_children; k++) {
        need(hr_col_open(&w->out, &out, k, &c) == HR_OK, "no such column");
        put_cell(env, &c, to);
    }
    out.release(&out);
    w->c->drop_acc(w->self, acc);
}

static hr_status fail(hr_run *run, hr_status code, const char *text)
{
    (void)run;
    printf("%s\n", text);
    return code;
}

static const void *get_interface(const hr_host *host, const char *id)
{
    static const hr_run_1 run_table = { .fail = fail };

    (void)host;
    return strcmp(id, HR_RUN) ? NULL : &run_table;
}

static void check(struct hr_env *env, const hr_function *f, const char *config,
                  const struct ArrowSchema *schema, const struct ArrowArray *rows)
{
    static const hr_host host = { .struct_size = sizeof host, .get_interface = get_interface };
    hr_function_args args = { .struct_size = sizeof args,
                              .name = f->name,
                              .config = config,
                              .config_size = config ? (uint32_t)strlen(config) : 0,
                              .in = schema };
    struct work w = { .c = f->table, .rows = rows };
    struct hr_buf whole, merged;

    need(w.c->make(&host, NULL, &args, &w.out, &w.self) == HR_OK, "make() has failed");
    hr_buf_of(&whole, 1 << 28, env);
    hr_buf_of(&merged, 1 << 28, env);
    extract(&w, env, add(&w, 0, rows->length, true), &whole);
    extract(&w, env, merge_all(&w), &merged);
    if (whole.len != merged.len || memcmp(whole.text, merged.text, whole.len) != 0) {
        printf("%s %s: shards of %" PRId64 " rows give another result than the whole\n", f->name,
               config ? config : "", rows->length);
        exit(1);
    }
    hr_buf_clear(&whole);
    hr_buf_clear(&merged);
    w.out.release(&w.out);
    w.c->drop(w.self);
}

static void check_analyzers(struct hr_env *env, const struct ArrowSchema *schema,
                            const struct ArrowArray *rows)
{
    const hr_function *const *f;
    char config[96];
    int k;

    for (f = hr_transform_functions; *f; f++) {
        if (strcmp((*f)->kind, HR_COMBINE) != 0 || !((*f)->flags & HR_FUNCTION_EXACT))
            continue;
        k = strstr((*f)->name, "vocabulary") ? 2 + 3 * (int)chance(2)
                                             : (int)(chance(2) + 3 * chance(2));
        snprintf(config, sizeof config, "{\"column\":\"%s\",\"top_k\":%d}", names[k],
                 (int)chance(9) + 1);
        check(env, *f, config, schema, rows);
    }
}

int main(int argc, char **argv)
{
    static const hr_function statistics = HR_STATISTICS;
    static const uint64_t sizes[] = { 3, 40, 999, 3000 };
    struct ArrowSchema schema;
    struct ArrowArray rows;
    struct hr_env env;
    long count;

    if (argc != 3) {
        fprintf(stderr, "usage: property_merge SEED COUNT\n");
        return 2;
    }
    state = strcmp(argv[1], "random") ? strtoull(argv[1], NULL, 10) : (unsigned)time(NULL);
    printf("seed %" PRIu64 "\n", state);
    hr_env_init(&env, NULL);
    make_schema(&schema);
    for (count = strtol(argv[2], NULL, 10); count > 0; count--) {
        make_rows((int64_t)chance(sizes[chance(4)]), &rows);
        check(&env, &statistics, NULL, &schema, &rows);
        check_analyzers(&env, &schema, &rows);
        rows.release(&rows);
    }
    schema.release(&schema);
    hr_env_clear(&env);
    printf("%s tables\n", argv[2]);
    return 0;
}
