/* csv_impl.h - what the reading and the converting half of csv.h share; private to core/data.
 *
 * Files are cut into chunks of CSV_CHUNK bytes.  A record belongs to the chunk in which it
 * starts; where the first one starts follows from the number of quotes before.  Chunks depend
 * on nothing but the files, so neither do batches.
 */
#ifndef HR_DATA_CSV_IMPL_H
#define HR_DATA_CSV_IMPL_H

#include "data/csv.h"
#include "data/csv_scan.h"
#include "wire/wire.h"

enum {
    CSV_CHUNK = 1 << 20,
    CSV_SAMPLE = 4096, /* rows that tell whether text is coded by a dictionary, at most */
    CSV_SAMPLE_CELLS = 1 << 22,
    CSV_ROWS = 64, /* that are gone through column by column; fewer where they are wide */
    CSV_CELLS = 1 << 13,
    CSV_MAX_FILES = 100000
};

/* The lattice of types. */
enum { CSV_UNKNOWN = 0, CSV_INT = 1, CSV_FLOAT = 2, CSV_TEXT = 3 };

struct csv_file {
    char *path;
    struct hr_map map;
    size_t body; /* behind the header */
};

/* The first mistake of a chunk. */
struct csv_mistake {
    enum csv_fault fault;
    bool ragged, bytes; /* a wrong number of cells; NUL or not UTF-8 */
    size_t at, cells;
};

struct csv_chunk {
    size_t file, begin, end; /* of the file */
    uint64_t quotes;         /* in it */
    bool odd;                /* quotes before it */
    bool seen;               /* what follows is known, if not odd */
    size_t start;            /* of its first record */
    int64_t rows;
    uint8_t *kinds; /* of its cells, by column of the file */
    struct csv_mistake mistake;
};

struct hr_csv {
    struct hr_env *env;
    struct hr_arena arena;
    int flags;
    struct csv_file *files;
    size_t n_files;
    char **names; /* of columns, in the order of the files */
    uint8_t *kinds;
    bool *coded;
    size_t *order; /* column of the file of the i-th column that is given */
    size_t n;
    struct csv_chunk *chunks;
    size_t n_chunks;
    int64_t rows;
    struct ArrowSchema schema;
};

/* Records of a chunk, from its first on.  HR_EXHAUSTED; csv_end() frees it. */
hr_status csv_begin(const struct hr_csv *csv, const struct csv_chunk *c, struct csv_records *r);
void csv_end(const struct hr_csv *csv, struct csv_records *r);

/* The text of a chunk has been gone through; files may be larger than memory. */
void csv_passed(const struct hr_csv *csv, const struct csv_chunk *c);

/* The least kind of a cell that is not empty, in a column that has a kind already. */
int csv_kind(const char *text, size_t n, int have);

/* The cells of a column in some rows: n of them, `step` apart. */
struct csv_cells {
    const struct hr_slice *cells;
    size_t step, n;
};

/* The least kind of all cells that are not empty, and `have`. */
int csv_kinds(struct csv_cells c, int have);

/* The values of cells of such a column; of empty ones 0. */
void csv_ints(struct csv_cells c, int64_t *to);
void csv_floats(struct csv_cells c, float *to);

#endif
