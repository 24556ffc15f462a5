/* Opening: headers, then all chunks are read once, on threads, for their rows, types and
 * mistakes; then the schema is known.
 */
#include "data/csv.h"

#include <stdlib.h>
#include <string.h>

#include "data/csv_impl.h"
#include "headrace/rows.h"

/* -- records of a chunk ------------------------------------------------------------ */

hr_status csv_begin(const struct hr_csv *csv, const struct csv_chunk *c, struct csv_records *r)
{
    const struct csv_file *f = &csv->files[c->file];

    memset(r, 0, sizeof *r - sizeof r->text);
    csv_scan_init(&r->scan, f->map.data, f->map.size, c->start);
    r->start = c->start;
    r->cap = csv->n;
    r->most = csv->n > CSV_CELLS / CSV_ROWS ? CSV_CELLS / csv->n + 1 : CSV_ROWS;
    hr_buf_of(&r->text, f->map.size + 1, csv->env);
    r->all = hr_mem_zero(csv->env, r->most * r->cap * sizeof *r->all);
    r->cells = r->all;
    return r->all ? HR_OK : HR_EXHAUSTED;
}

void csv_end(const struct hr_csv *csv, struct csv_records *r)
{
    hr_mem_put(csv->env, r->all, r->most * r->cap * sizeof *r->all);
    hr_buf_clear(&r->text);
}

void csv_passed(const struct hr_csv *csv, const struct csv_chunk *c)
{
    hr_map_passed(csv->env->os, &csv->files[c->file].map, c->begin, c->end);
}

/* -- mistakes ---------------------------------------------------------------------- */

static struct hr_place place_of(const struct csv_file *f, size_t at)
{
    const char *text = f->map.data;
    struct hr_place place = { f->path, 1, 0 };
    const char *p = text;

    while (p < text + at && (p = memchr(p, '\n', (size_t)(text + at - p)))) {
        place.line++;
        p++;
    }
    return place;
}

/* The first bytes of what stands at `at`, for a sentence. */
static int quote_of(const struct csv_file *f, size_t at)
{
    const char *p = (const char *)f->map.data + at;
    size_t n = f->map.size - at < 40 ? f->map.size - at : 40, i;

    for (i = 0; i < n && (unsigned char)p[i] >= ' '; i++)
        ;
    return (int)hr_utf8_valid(p, i);
}

static hr_status tell_bytes(const struct hr_csv *csv, const struct csv_file *f, size_t at)
{
    struct hr_place place = place_of(f, at);
    unsigned byte = ((const unsigned char *)f->map.data)[at];

    if (!byte)
        return hr_fail_at(csv->env, HR_INVALID, &place,
                          "a NUL byte; this is not UTF-8 text (perhaps UTF-16): save it as UTF-8");
    return hr_fail_at(csv->env, HR_INVALID, &place,
                      "byte \"0x%02X\" is not UTF-8; save the file as UTF-8", byte);
}

static hr_status tell(const struct hr_csv *csv, const struct csv_chunk *c)
{
    const struct csv_file *f = &csv->files[c->file];
    const struct csv_mistake *m = &c->mistake;
    struct hr_place place = place_of(f, m->at);
    const char *text = (const char *)f->map.data + m->at;
    int n = quote_of(f, m->at);

    if (m->bytes)
        return tell_bytes(csv, f, m->at);
    if (m->ragged)
        return hr_fail_at(csv->env, HR_INVALID, &place,
                          "the row \"%.*s\" has %zu cells, the header names %zu columns; add or "
                          "remove cells, and put a cell that holds a comma in quotes",
                          n, text, m->cells, csv->n);
    if (m->fault == CSV_UNCLOSED)
        return hr_fail_at(csv->env, HR_INVALID, &place,
                          "a quote of the row \"%.*s\" is not closed up to the end of the file; "
                          "close it, or double a quote that stands for itself",
                          n, text);
    if (m->fault == CSV_RETURN)
        return hr_fail_at(csv->env, HR_INVALID, &place,
                          "the row \"%.*s\" has a carriage return that ends no line; put the cell "
                          "in quotes, or end lines with LF or CRLF",
                          n, text);
    if (m->fault == CSV_BREAK)
        return hr_fail_at(csv->env, HR_INVALID, &place,
                          "the row \"%.*s\" has a line break in a cell without quotes, as a quote "
                          "before it is not closed; close it, or double it in a quoted cell",
                          n, text);
    return hr_fail_memory(csv->env);
}

/* -- headers ----------------------------------------------------------------------- */

static hr_status bad_header(const struct hr_csv *csv, const struct csv_file *f,
                            enum csv_fault fault)
{
    struct hr_place place = { f->path, 1, 0 };

    if (fault == CSV_MEMORY)
        return hr_fail_memory(csv->env);
    if (fault == CSV_RETURN)
        return hr_fail_at(csv->env, HR_INVALID, &place,
                          "the header has a carriage return that ends no line; end lines with LF "
                          "or CRLF");
    return hr_fail_at(csv->env, HR_INVALID, &place,
                      "the header has a quote that is not closed; names may not have line breaks");
}

/* The first byte of a line that is no text: NUL, or not UTF-8; size if all of it is. */
static size_t first_odd(const char *text, size_t at, size_t size)
{
    const char *nul = memchr(text + at, '\0', size - at);

    return nul ? (size_t)(nul - text) : at + hr_utf8_valid(text + at, size - at);
}

/* No more cells than commas, and one. */
static size_t most_cells(const char *text, size_t at, size_t size)
{
    size_t n = 1;

    for (; at < size && n < HR_MAX_COLUMNS; at++)
        n += text[at] == ',';
    return n;
}

static hr_status read_header(struct hr_csv *csv, struct csv_file *f, struct csv_records *r)
{
    static const char bom[] = { '\xef', '\xbb', '\xbf' };
    const char *text = f->map.data, *end;
    size_t at = f->map.size >= 3 && !memcmp(text, bom, 3) ? 3 : 0, size, odd;
    struct hr_place place = { f->path, 1, 0 };
    enum csv_fault fault;

    end = memchr(text + at, '\n', f->map.size - at);
    size = end ? (size_t)(end - text) : f->map.size;
    f->body = end ? size + 1 : size;
    if (size == at || (size == at + 1 && text[at] == '\r'))
        return hr_fail_at(csv->env, HR_INVALID, &place,
                          "the file begins with no header; its first line must name the columns");
    if ((odd = first_odd(text, at, size)) < size)
        return tell_bytes(csv, f, odd);
    csv_scan_init(&r->scan, text, size, at);
    r->start = at;
    hr_buf_of(&r->text, size + 1, csv->env);
    r->cap = most_cells(text, at, size);
    r->cells = hr_mem_zero(csv->env, r->cap * sizeof *r->cells);
    if (!r->cells)
        return HR_EXHAUSTED;
    fault = csv_next(r);
    if (fault == CSV_OK && r->n <= HR_MAX_COLUMNS)
        return HR_OK;
    if (fault == CSV_OK)
        return hr_fail_at(csv->env, HR_INVALID, &place, "the header has more than %d columns",
                          HR_MAX_COLUMNS);
    return bad_header(csv, f, fault);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(**(char *const *const *)a, **(char *const *const *)b);
}

/* Put columns in byte order of their names, and find names that are there twice. */
static hr_status order_columns(struct hr_csv *csv)
{
    struct hr_place place = { csv->files[0].path, 1, 0 };
    size_t size = csv->n * sizeof(char **), i;
    char ***list = hr_mem_zero(csv->env, size);
    hr_status r = HR_OK;

    if (!list)
        return HR_EXHAUSTED;
    for (i = 0; i < csv->n; i++)
        list[i] = &csv->names[i];
    qsort(list, csv->n, sizeof *list, by_name);
    for (i = 0; i < csv->n; i++) {
        csv->order[i] = (size_t)(list[i] - csv->names);
        if (r == HR_OK && i && !strcmp(*list[i - 1], *list[i]))
            r = hr_fail_at(
                csv->env, HR_INVALID, &place,
                "the header names column \"%s\" twice; give each column a name of its own",
                *list[i]);
    }
    hr_mem_put(csv->env, list, size);
    return r;
}

/* A header of numbers alone is the first row of a file without one. */
static hr_status check_names(struct hr_csv *csv, const struct csv_records *r)
{
    struct hr_place place = { csv->files[0].path, 1, 0 };
    size_t i;

    for (i = 0; i < r->n; i++)
        if (r->cells[i].len && csv_kind(r->cells[i].text, r->cells[i].len, CSV_UNKNOWN) != CSV_TEXT)
            continue;
        else
            return HR_OK;
    return hr_fail_at(csv->env, HR_INVALID, &place,
                      "the first line \"%.*s\" holds numbers where it must name the columns; add a "
                      "header",
                      quote_of(&csv->files[0], r->record),
                      (const char *)csv->files[0].map.data + r->record);
}

static hr_status take_names(struct hr_csv *csv, const struct csv_records *r)
{
    size_t i;

    csv->n = r->n;
    csv->names = hr_arena_array(&csv->arena, r->n, sizeof *csv->names);
    csv->kinds = hr_arena_array(&csv->arena, r->n, 1);
    csv->coded = hr_arena_array(&csv->arena, r->n, sizeof *csv->coded);
    csv->order = hr_arena_array(&csv->arena, r->n, sizeof *csv->order);
    if (!csv->names || !csv->kinds || !csv->coded || !csv->order)
        return HR_EXHAUSTED;
    for (i = 0; i < r->n; i++)
        if (!(csv->names[i] = hr_arena_bytes(&csv->arena, r->cells[i].text, r->cells[i].len)))
            return HR_EXHAUSTED;
    return check_names(csv, r);
}

static hr_status compare_names(struct hr_csv *csv, const struct csv_file *f,
                               const struct csv_records *r)
{
    struct hr_place place = { f->path, 1, 0 };
    size_t i;

    if (r->n != csv->n)
        return hr_fail_at(csv->env, HR_INVALID, &place,
                          "the header names %zu columns, that of \"%s\" %zu; all files need the "
                          "same header",
                          r->n, csv->files[0].path, csv->n);
    for (i = 0; i < r->n; i++)
        if (!hr_slice_eq(r->cells[i], csv->names[i]))
            return hr_fail_at(csv->env, HR_INVALID, &place,
                              "column %zu is \"%.*s\", in \"%s\" it is \"%s\"; all files need the "
                              "same header",
                              i + 1, (int)(r->cells[i].len < 200 ? r->cells[i].len : 200),
                              r->cells[i].text, csv->files[0].path, csv->names[i]);
    return HR_OK;
}

static hr_status open_file(struct hr_csv *csv, const char *path, size_t i)
{
    struct csv_file *f = &csv->files[i];
    struct csv_records r;
    hr_status s;

    memset(&r, 0, sizeof r);
    hr_buf_of(&r.text, 0, csv->env);
    if (!(f->path = hr_arena_text(&csv->arena, path)))
        return HR_EXHAUSTED;
    if ((s = hr_file_map(csv->env, path, &f->map)) < 0)
        return s;
    csv->n_files++;
    s = read_header(csv, f, &r);
    if (s == HR_OK)
        s = i ? compare_names(csv, f, &r) : take_names(csv, &r);
    hr_mem_put(csv->env, r.cells, r.cap * sizeof *r.cells);
    hr_buf_clear(&r.text);
    return s;
}

/* -- chunks ------------------------------------------------------------------------ */

static hr_status make_chunks(struct hr_csv *csv)
{
    size_t f, at, n = 0;

    for (f = 0; f < csv->n_files; f++)
        n += (csv->files[f].map.size - csv->files[f].body + CSV_CHUNK - 1) / CSV_CHUNK;
    csv->chunks = hr_arena_array(&csv->arena, n, sizeof *csv->chunks);
    if (!csv->chunks)
        return HR_EXHAUSTED;
    for (f = 0; f < csv->n_files; f++)
        for (at = csv->files[f].body; at < csv->files[f].map.size; at += CSV_CHUNK) {
            struct csv_chunk *c = &csv->chunks[csv->n_chunks++];

            c->file = f;
            c->begin = at;
            c->end =
                csv->files[f].map.size - at < CSV_CHUNK ? csv->files[f].map.size : at + CSV_CHUNK;
            if (!(c->kinds = hr_arena_get(&csv->arena, csv->n)))
                return HR_EXHAUSTED;
        }
    return HR_OK;
}

/* Where the first record of a chunk starts; its end, if none does. */
static size_t first_record(const struct hr_csv *csv, const struct csv_chunk *c)
{
    const struct csv_file *f = &csv->files[c->file];
    const char *text = f->map.data;
    bool odd = c->odd;
    size_t at;

    if (c->begin == f->body || (!odd && text[c->begin - 1] == '\n'))
        return c->begin;
    for (at = c->begin; at < c->end; at++) {
        if (text[at] == '"')
            odd = !odd;
        else if (text[at] == '\n' && !odd)
            return at + 1;
    }
    return c->end;
}

/* NUL and what is not UTF-8 in the records [from, to). */
static void check_bytes(const struct hr_csv *csv, struct csv_chunk *c, size_t to)
{
    const char *text = csv->files[c->file].map.data, *nul;
    size_t n = to - c->start, at;

    nul = memchr(text + c->start, 0, n);
    at = hr_utf8_valid(text + c->start, nul ? (size_t)(nul - (text + c->start)) : n);
    if (at == n)
        return;
    at += c->start;
    if ((c->mistake.fault || c->mistake.ragged) && c->mistake.at <= at)
        return;
    c->mistake = (struct csv_mistake){ .bytes = true, .at = at };
}

/* Rows, types and the first mistake of a chunk, by the text before `most`.  *ret_to: where the
 * record after its last one starts. */
static hr_status infer(const struct hr_csv *csv, struct csv_chunk *c, size_t most, size_t *ret_to)
{
    struct csv_stop stop = { .fault = CSV_OK };
    struct csv_records r;
    size_t to, rows, i;

    c->start = first_record(csv, c);
    c->rows = 0;
    c->mistake = (struct csv_mistake){ .fault = CSV_OK };
    memset(c->kinds, CSV_UNKNOWN, csv->n);
    to = c->start;
    if (csv_begin(csv, c, &r) < 0)
        return HR_EXHAUSTED;
    r.scan.size = most;
    while (!stop.stop) {
        rows = csv_rows(&r, c->end, r.most, &stop);
        to = stop.to ? stop.to : to;
        for (i = 0; rows && i < csv->n; i++)
            c->kinds[i] =
                (uint8_t)csv_kinds((struct csv_cells){ r.all + i, r.cap, rows }, c->kinds[i]);
        c->rows += (int64_t)rows;
    }
    if (stop.ragged)
        c->mistake = (struct csv_mistake){ .ragged = true, .at = r.record, .cells = r.n };
    else if (stop.fault != CSV_OK && stop.fault != CSV_END && r.record < c->end)
        c->mistake = (struct csv_mistake){ .fault = stop.fault, .at = r.record };
    if (r.scan.odd_bytes)
        check_bytes(csv, c, c->mistake.fault ? c->end : to);
    *ret_to = r.start;
    csv_end(csv, &r);
    return HR_OK;
}

/* Count the quotes of a chunk, then go through its records at once, as if it began outside of
 * quotes, as nearly all do: the text is fetched once instead of twice.  That counts if it turns out
 * to be so, nothing is wrong and its last record ends soon, so no file has a text read many times;
 * where it is not so the first row mostly is wrong, and no time is lost. */
static hr_status look_chunk(void *user, size_t i)
{
    struct hr_csv *csv = user;
    struct csv_chunk *c = &csv->chunks[i];
    const struct hr_map *map = &csv->files[c->file].map;
    size_t most = map->size - c->end < CSV_CHUNK ? map->size : c->end + CSV_CHUNK, to = 0;
    hr_status r;

    c->quotes = csv_quotes((const char *)map->data + c->begin, c->end - c->begin);
    r = infer(csv, c, most, &to);
    if (r == HR_OK && c->mistake.fault == CSV_MEMORY)
        r = hr_fail_memory(csv->env);
    c->seen = r == HR_OK && (to < most || most == map->size) && !c->mistake.fault &&
              !c->mistake.ragged && !c->mistake.bytes;
    csv_passed(csv, c);
    return r;
}

static hr_status infer_chunk(void *user, size_t i)
{
    struct hr_csv *csv = user;
    struct csv_chunk *c = &csv->chunks[i];
    hr_status r;
    size_t to;

    if (c->seen && !c->odd)
        return HR_OK;
    r = infer(csv, c, csv->files[c->file].map.size, &to);
    csv_passed(csv, c);
    return r;
}

/* -- types ------------------------------------------------------------------------- */

/* Distinct values of each column in the first rows; fewer rows of wide tables, so that the
 * memory is bounded. */
struct sample {
    uint32_t *slots; /* n_slots a column; 0: free, else a hash */
    uint32_t n_slots;
    int64_t rows, most;
    struct {
        uint32_t distinct, filled;
    } * columns;
};

static void sample_cell(struct sample *s, size_t column, struct hr_slice cell)
{
    uint64_t hash = hr_hash64(cell.text, cell.len, 0);
    uint32_t *slots = s->slots + column * s->n_slots, mark = (uint32_t)hash | 1;
    uint32_t at = (uint32_t)((hash >> 32) % s->n_slots);

    while (slots[at] && slots[at] != mark)
        at = (at + 1) % s->n_slots;
    s->columns[column].filled++;
    s->columns[column].distinct += !slots[at];
    slots[at] = mark;
}

/* The rows of a chunk, until the sample is full. */
static hr_status sample_chunk(struct hr_csv *csv, const struct csv_chunk *c, struct sample *s)
{
    struct csv_records r;
    hr_status status = csv_begin(csv, c, &r);
    int64_t row;
    size_t i;

    for (row = 0; status == HR_OK && s->rows < s->most && row < c->rows; row++, s->rows++) {
        enum csv_fault fault = csv_next(&r);

        if (fault == CSV_MEMORY)
            status = hr_fail_memory(csv->env);
        if (fault != CSV_OK || r.n != csv->n)
            break;
        for (i = 0; i < csv->n; i++)
            if (csv->kinds[i] == CSV_TEXT && r.cells[i].len)
                sample_cell(s, i, r.cells[i]);
    }
    csv_end(csv, &r);
    return status;
}

/* Text is coded where at most half of the values of the first rows are new. */
static hr_status choose_coded(struct hr_csv *csv)
{
    struct sample s = { .most = CSV_SAMPLE };
    size_t slots, columns = csv->n * sizeof *s.columns, i;
    hr_status r;

    if (csv->n > CSV_SAMPLE_CELLS / CSV_SAMPLE)
        s.most = (int64_t)(CSV_SAMPLE_CELLS / csv->n) + 1;
    if (s.most > csv->rows)
        s.most = csv->rows;
    s.n_slots = (uint32_t)s.most * 2;
    slots = csv->n * s.n_slots * sizeof *s.slots;
    s.slots = hr_mem_zero(csv->env, slots);
    s.columns = hr_mem_zero(csv->env, columns);
    r = s.slots && s.columns ? HR_OK : HR_EXHAUSTED;
    for (i = 0; r == HR_OK && i < csv->n_chunks && s.rows < s.most; i++)
        r = sample_chunk(csv, &csv->chunks[i], &s);
    for (i = 0; r == HR_OK && i < csv->n; i++)
        csv->coded[i] = s.columns[i].filled && s.columns[i].distinct * 2 <= s.columns[i].filled;
    hr_mem_put(csv->env, s.slots, slots);
    hr_mem_put(csv->env, s.columns, columns);
    return r;
}

static hr_status column_schema(const struct hr_csv *csv, size_t i, struct ArrowSchema *ret)
{
    static const char *const formats[] = { "n", "l", "f", "z" };
    bool coded = csv->coded[i];
    hr_status r = hr_schema_column(ret, csv->names[i], coded ? "i" : formats[csv->kinds[i]], 0);

    if (r == HR_OK && csv->kinds[i] && !(csv->flags & HR_CSV_MISSING))
        r = hr_schema_add_meta(ret, "hr:null", "empty");
    if (r < 0 || !coded)
        return r;
    ret->dictionary = calloc(1, sizeof *ret->dictionary);
    return ret->dictionary ? hr_schema_column(ret->dictionary, "", "z", 0) : HR_EXHAUSTED;
}

static hr_status make_schema(struct hr_csv *csv)
{
    hr_status r;
    size_t i;

    if (hr_schema_new("+s", "", (int64_t)csv->n, &csv->schema) < 0)
        return hr_fail_memory(csv->env);
    for (i = 0; i < csv->n; i++)
        if ((r = column_schema(csv, csv->order[i], csv->schema.children[i])) < 0)
            return hr_fail_memory(csv->env);
    return HR_OK;
}

/* Put together what the chunks have found; the first mistake is told. */
static hr_status merge_chunks(struct hr_csv *csv)
{
    size_t i, k;

    for (i = 0; i < csv->n_chunks; i++) {
        const struct csv_chunk *c = &csv->chunks[i];

        if (c->mistake.fault || c->mistake.ragged || c->mistake.bytes)
            return tell(csv, c);
        csv->rows += c->rows;
        for (k = 0; k < csv->n; k++)
            if (c->kinds[k] > csv->kinds[k])
                csv->kinds[k] = c->kinds[k];
    }
    if (!csv->rows)
        return hr_fail(csv->env, HR_INVALID, "\"%s\"%s no row below the header; give at least one",
                       csv->files[0].path, csv->n_files > 1 ? " and the other files have" : " has");
    return HR_OK;
}

static hr_status read_all(struct hr_csv *csv, const char *const *paths, size_t n)
{
    hr_status r = HR_OK;
    bool odd = false;
    size_t i;

    for (i = 0; r == HR_OK && i < n; i++)
        r = open_file(csv, paths[i], i);
    if (r < 0 || (r = order_columns(csv)) < 0 || (r = make_chunks(csv)) < 0 ||
        (r = hr_work(csv->env, csv->n_chunks, look_chunk, csv)) < 0)
        return r;
    for (i = 0; i < csv->n_chunks; i++) {
        if (!i || csv->chunks[i].file != csv->chunks[i - 1].file)
            odd = false;
        csv->chunks[i].odd = odd;
        odd = odd != (csv->chunks[i].quotes & 1);
    }
    if ((r = hr_work(csv->env, csv->n_chunks, infer_chunk, csv)) < 0 ||
        (r = merge_chunks(csv)) < 0 || (r = choose_coded(csv)) < 0)
        return r;
    return make_schema(csv);
}

hr_status hr_csv_open(struct hr_env *env, const char *const *paths, size_t n, int flags,
                      struct hr_csv **ret)
{
    struct hr_csv *csv = hr_mem_zero(env, sizeof *csv);
    hr_status r;

    if (!csv)
        return HR_EXHAUSTED;
    csv->env = env;
    csv->flags = flags;
    hr_arena_init(&csv->arena, env, 0);
    csv->files = hr_arena_array(&csv->arena, n, sizeof *csv->files);
    if (!csv->files)
        r = HR_EXHAUSTED;
    else if (!n)
        r = hr_fail(env, HR_INVALID, "there is no CSV file to read");
    else
        r = read_all(csv, paths, n);
    if (r < 0)
        hr_csv_close(csv);
    else
        *ret = csv;
    return r;
}

void hr_csv_close(struct hr_csv *csv)
{
    struct hr_env *env;
    size_t i;

    if (!csv)
        return;
    env = csv->env;
    for (i = 0; i < csv->n_files; i++)
        hr_file_unmap(env, &csv->files[i].map);
    HR_RELEASE(&csv->schema);
    hr_arena_clear(&csv->arena);
    hr_mem_put(env, csv, sizeof *csv);
}

const struct ArrowSchema *hr_csv_schema(const struct hr_csv *csv)
{
    return &csv->schema;
}

int64_t hr_csv_rows(const struct hr_csv *csv)
{
    return csv->rows;
}

size_t hr_csv_chunks(const struct hr_csv *csv)
{
    return csv->n_chunks;
}
