/* Converting a chunk: its rows are known, so columns are laid out once and filled row by row. */
#include <stdlib.h>
#include <string.h>

#include "data/csv_impl.h"
#include "headrace/rows.h"

struct column {
    int kind;
    bool coded;
    int64_t rows, nulls;
    uint8_t *valid;
    void *values;     /* numbers or codes */
    int32_t *offsets; /* of bytes; of a coded column, of the dictionary */
    char *bytes;
    size_t n_bytes, cap_bytes;
    int64_t n_codes, cap_codes;
    uint64_t *slots; /* upper half of the hash, and the code plus one */
    size_t n_slots;
};

static bool init_codes(struct column *c)
{
    c->cap_codes = 64;
    c->n_slots = 128;
    c->slots = calloc(c->n_slots, sizeof *c->slots);
    return c->slots != NULL;
}

/* n offsets: of the rows, or of what codes stand for. */
static bool init_text(struct column *c, size_t n)
{
    c->cap_bytes = 1024;
    c->offsets = calloc(n, sizeof *c->offsets);
    c->bytes = malloc(c->cap_bytes);
    return c->offsets && c->bytes;
}

static hr_status column_init(struct hr_env *env, struct column *c, int64_t rows)
{
    size_t n = (size_t)rows + 1;
    bool ok = true;

    c->rows = rows;
    if (c->kind == CSV_UNKNOWN)
        return HR_OK;
    if (!(c->valid = malloc(n / 8 + 1)))
        return hr_fail_memory(env);
    memset(c->valid, 0xff, n / 8 + 1);
    if (c->kind != CSV_TEXT || c->coded) {
        c->values = malloc(n * (c->kind == CSV_INT ? sizeof(int64_t) : sizeof(int32_t)));
        ok = c->values != NULL;
    }
    if (c->coded)
        ok = init_codes(c) && ok;
    if (c->kind == CSV_TEXT)
        ok = init_text(c, c->coded ? (size_t)c->cap_codes + 1 : n) && ok;
    return ok ? HR_OK : hr_fail_memory(env);
}

static void column_clear(struct column *c)
{
    free(c->valid);
    free(c->values);
    free(c->offsets);
    free(c->bytes);
    free(c->slots);
    memset(c, 0, sizeof *c);
}

static hr_status add_bytes(struct hr_env *env, struct column *c, struct hr_slice cell)
{
    size_t cap = c->cap_bytes;
    char *bytes;

    if (cell.len > cap - c->n_bytes) {
        if (cell.len > (size_t)INT32_MAX - c->n_bytes)
            return hr_fail(env, HR_EXHAUSTED,
                           "the cells of a column pass 2^31 bytes in a piece of 1 MiB of records");
        while (cap < c->n_bytes + cell.len)
            cap *= 2;
        if (!(bytes = realloc(c->bytes, cap)))
            return hr_fail_memory(env);
        c->bytes = bytes;
        c->cap_bytes = cap;
    }
    memcpy(c->bytes + c->n_bytes, cell.text, cell.len);
    c->n_bytes += cell.len;
    return HR_OK;
}

static hr_status more_codes(struct hr_env *env, struct column *c)
{
    size_t n = c->n_slots * 2, i, at;
    uint64_t *slots = calloc(n, sizeof *slots);
    int32_t *offsets = realloc(c->offsets, ((size_t)c->cap_codes * 2 + 1) * sizeof *offsets);

    if (offsets)
        c->offsets = offsets;
    if (!slots || !offsets) {
        free(slots);
        return hr_fail_memory(env);
    }
    for (i = 0; i < c->n_slots; i++) {
        if (!c->slots[i])
            continue;
        for (at = (size_t)(c->slots[i] >> 32) & (n - 1); slots[at]; at = (at + 1) & (n - 1))
            ;
        slots[at] = c->slots[i];
    }
    free(c->slots);
    c->slots = slots;
    c->n_slots = n;
    c->cap_codes *= 2;
    return HR_OK;
}

static hr_status add_code(struct hr_env *env, struct column *c, int64_t row, struct hr_slice cell)
{
    uint64_t hash = hr_hash64(cell.text, cell.len, 0) >> 32;
    size_t at = (size_t)hash & (c->n_slots - 1);
    hr_status r;

    for (; c->slots[at]; at = (at + 1) & (c->n_slots - 1)) {
        int32_t code = (int32_t)(uint32_t)c->slots[at] - 1;

        if (c->slots[at] >> 32 == hash &&
            (size_t)(c->offsets[code + 1] - c->offsets[code]) == cell.len &&
            !memcmp(c->bytes + c->offsets[code], cell.text, cell.len)) {
            ((int32_t *)c->values)[row] = code;
            return HR_OK;
        }
    }
    if (c->n_codes == c->cap_codes) {
        if ((r = more_codes(env, c)) < 0)
            return r;
        for (at = (size_t)hash & (c->n_slots - 1); c->slots[at]; at = (at + 1) & (c->n_slots - 1))
            ;
    }
    if ((r = add_bytes(env, c, cell)) < 0)
        return r;
    ((int32_t *)c->values)[row] = (int32_t)c->n_codes++;
    c->offsets[c->n_codes] = (int32_t)c->n_bytes;
    c->slots[at] = hash << 32 | (uint64_t)c->n_codes;
    return HR_OK;
}

/* The bits of n rows from `row` on; they are all set before. */
static void put_valid(struct column *c, int64_t row, size_t n, uint64_t bits)
{
    size_t k, some;

    for (k = 0; k < n; k += some) {
        unsigned from = (unsigned)(row + (int64_t)k) & 7;

        some = n - k < 8 - from ? n - k : 8 - from;
        c->valid[(row + (int64_t)k) >> 3] &=
            (uint8_t) ~((~(unsigned)(bits >> k) & ((1u << some) - 1)) << from);
    }
}

/* Which cells are filled; at most 64. */
static uint64_t filled(struct csv_cells cells)
{
    uint64_t bits = 0;
    size_t k;

    for (k = 0; k < cells.n; k++)
        bits |= (uint64_t)(cells.cells[k * cells.step].len > 0) << k;
    return bits;
}

static hr_status add_texts(struct hr_env *env, struct column *c, int64_t row,
                           struct csv_cells cells)
{
    hr_status r = HR_OK;
    size_t k;

    for (k = 0; r == HR_OK && k < cells.n; k++) {
        struct hr_slice cell = cells.cells[k * cells.step];
        int64_t at = row + (int64_t)k;

        if (!c->coded) {
            r = add_bytes(env, c, cell);
            c->offsets[at + 1] = (int32_t)c->n_bytes;
        } else if (cell.len) {
            r = add_code(env, c, at, cell);
        } else {
            ((int32_t *)c->values)[at] = 0;
        }
    }
    return r;
}

/* Cells of a column in rows from `row` on. */
static hr_status add_cells(struct hr_env *env, struct column *c, int64_t row,
                           struct csv_cells cells)
{
    uint64_t bits = filled(cells);
    size_t nulls = cells.n - (size_t)__builtin_popcountll(bits);

    c->nulls += (int64_t)nulls;
    if (c->kind == CSV_UNKNOWN)
        return HR_OK;
    if (nulls)
        put_valid(c, row, cells.n, bits);
    if (c->kind == CSV_TEXT)
        return add_texts(env, c, row, cells);
    if (c->kind == CSV_INT)
        csv_ints(cells, (int64_t *)c->values + row);
    else
        csv_floats(cells, (float *)c->values + row);
    return HR_OK;
}

/* Hand the buffers over to an array. */
static hr_status column_done(struct hr_env *env, struct column *c, struct ArrowArray *ret)
{
    int64_t buffers = c->kind == CSV_TEXT && !c->coded ? 3 : 2;
    hr_status r = hr_arrow_new(env, c->kind ? buffers : 0, 0, c->coded, ret);

    if (r < 0)
        return r;
    ret->length = c->rows;
    ret->null_count = c->nulls;
    if (c->kind == CSV_UNKNOWN)
        return HR_OK;
    if (c->coded) {
        if ((r = hr_arrow_new(env, 3, 0, false, ret->dictionary)) < 0)
            return r;
        ret->dictionary->length = c->n_codes;
        hr_arrow_put(ret->dictionary, 1, c->offsets, true);
        hr_arrow_put(ret->dictionary, 2, c->bytes, true);
    } else if (c->kind == CSV_TEXT) {
        hr_arrow_put(ret, 2, c->bytes, true);
    }
    hr_arrow_put(ret, 1, c->kind == CSV_TEXT && !c->coded ? (void *)c->offsets : c->values, true);
    if (c->nulls)
        hr_arrow_put(ret, 0, c->valid, true);
    else
        free(c->valid);
    free(c->slots);
    memset(c, 0, sizeof *c);
    return HR_OK;
}

/* The rows of a chunk are known, and that nothing is wrong with them. */
static hr_status convert_rows(const struct hr_csv *csv, const struct csv_chunk *chunk,
                              struct csv_records *r, struct column *columns)
{
    hr_status s = HR_OK;
    int64_t row = 0;
    struct csv_stop stop;
    size_t n, i;

    while (s == HR_OK && row < chunk->rows) {
        n = csv_rows(r, chunk->end, (size_t)(chunk->rows - row), &stop);
        for (i = 0; s == HR_OK && i < csv->n; i++)
            s = add_cells(csv->env, &columns[i], row, (struct csv_cells){ r->all + i, r->cap, n });
        row += (int64_t)n;
        if (s == HR_OK && stop.fault == CSV_MEMORY)
            s = hr_fail_memory(csv->env);
        else if (s == HR_OK && stop.stop)
            s = hr_fail(csv->env, HR_DATA_LOSS, "\"%s\" was changed while it was read",
                        csv->files[chunk->file].path);
    }
    return s;
}

static hr_status convert(const struct hr_csv *csv, const struct csv_chunk *chunk,
                         struct column *columns)
{
    struct csv_records r;
    hr_status s = csv_begin(csv, chunk, &r);
    size_t i;

    for (i = 0; s == HR_OK && i < csv->n; i++) {
        columns[i].kind = csv->kinds[i];
        columns[i].coded = csv->coded[i];
        s = column_init(csv->env, &columns[i], chunk->rows);
    }
    if (s == HR_OK)
        s = convert_rows(csv, chunk, &r, columns);
    csv_end(csv, &r);
    csv_passed(csv, chunk);
    return s;
}

hr_status hr_csv_chunk(const struct hr_csv *csv, size_t i, struct ArrowArray *ret)
{
    size_t size = csv->n * sizeof(struct column), k;
    struct column *columns = hr_mem_zero(csv->env, size);
    struct ArrowArray made = { 0 };
    hr_status r = columns ? convert(csv, &csv->chunks[i], columns) : HR_EXHAUSTED;

    if (r == HR_OK)
        r = hr_arrow_new(csv->env, 1, (int64_t)csv->n, false, &made);
    if (r == HR_OK)
        made.length = csv->chunks[i].rows;
    for (k = 0; r == HR_OK && k < csv->n; k++)
        r = column_done(csv->env, &columns[csv->order[k]], made.children[k]);
    for (k = 0; columns && k < csv->n; k++)
        column_clear(&columns[k]);
    hr_mem_put(csv->env, columns, size);
    if (r < 0)
        HR_RELEASE(&made);
    else
        *ret = made;
    return r;
}

/* -- as a stream ------------------------------------------------------------------- */

/* Some chunks at a time are converted, on threads. */
enum { WINDOW = 16 };

struct stream {
    struct hr_csv *csv;
    size_t next; /* chunk that is given next */
    size_t from, n;
    struct ArrowArray ready[WINDOW];
};

static hr_status convert_one(void *user, size_t i)
{
    struct stream *s = user;

    return hr_csv_chunk(s->csv, s->from + i, &s->ready[i]);
}

static hr_status stream_next(void *user, struct ArrowArray *ret)
{
    struct stream *s = user;
    hr_status r;

    if (s->next == s->from + s->n) {
        if (s->next == s->csv->n_chunks)
            return HR_OK;
        s->from = s->next;
        s->n = s->csv->n_chunks - s->from < WINDOW ? s->csv->n_chunks - s->from : WINDOW;
        if ((r = hr_work(s->csv->env, s->n, convert_one, s)) < 0)
            return r;
    }
    *ret = s->ready[s->next - s->from];
    s->ready[s->next++ - s->from].release = NULL;
    return HR_OK;
}

static void stream_drop(void *user)
{
    struct stream *s = user;
    struct hr_env *env = s->csv->env;
    size_t i;

    for (i = 0; i < WINDOW; i++)
        HR_RELEASE(&s->ready[i]);
    hr_csv_close(s->csv);
    hr_mem_put(env, s, sizeof *s);
}

hr_status hr_csv_stream(struct hr_csv *csv, struct ArrowArrayStream *ret)
{
    static const struct hr_stream_calls calls = { stream_next, stream_drop };
    struct stream *s = hr_mem_zero(csv->env, sizeof *s);

    if (!s) {
        hr_csv_close(csv);
        return HR_EXHAUSTED;
    }
    s->csv = csv;
    return hr_arrow_stream(csv->env, &csv->schema, &calls, s, ret);
}
