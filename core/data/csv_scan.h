/* csv_scan.h - records and cells of CSV text; private to core/data.
 *
 * A scan finds the bytes that matter - comma, line feed, carriage return, quote - 64 at a time,
 * with AVX-512 or AVX2 where there is some; what it finds does not depend on that.  A record
 * without quotes is cut at its commas; one with quotes goes through a state machine of the rules
 * that Python's csv module has.
 */
#ifndef HR_DATA_CSV_SCAN_H
#define HR_DATA_CSV_SCAN_H

#include "base/base.h"

enum { CSV_FOUND = 8192, CSV_STEP = 4096 };

struct csv_scan {
    const char *text;
    size_t size; /* of the file */
    size_t at;   /* scanned up to here */
    uint32_t n, i;
    uint32_t (*places)(const char *p, size_t n, size_t from, uint16_t *to, bool *ret_odd);
    bool odd_bytes; /* a NUL or a byte beyond ASCII was seen */
    size_t base;    /* found[] counts from here */
    uint16_t found[CSV_FOUND];
};

void csv_scan_init(struct csv_scan *s, const char *text, size_t size, size_t at);

/* Scan on; false: there is no more. */
bool csv_scan_more(struct csv_scan *s);

/* How many quotes there are. */
uint64_t csv_quotes(const char *text, size_t size);

/* Why a record is not one. */
enum csv_fault {
    CSV_OK,
    CSV_END,      /* no record: the end of the text */
    CSV_UNCLOSED, /* a quote has no partner up to the end of the file */
    CSV_RETURN,   /* a carriage return alone, outside of quotes */
    CSV_BREAK,    /* a line break in a cell without quotes */
    CSV_MEMORY
};

/* An empty record in quotes is one cell: n is 1. */
struct csv_records {
    struct csv_scan scan;
    size_t start;  /* of the record that is next */
    size_t record; /* where the one at hand starts */
    struct hr_slice *cells;
    size_t n, cap;        /* n counts on beyond cap */
    struct hr_slice *all; /* room for the cells of `most` records of cap cells each */
    size_t most;
    struct hr_buf text; /* cells that had to be changed */
};

/* The next record that is not an empty line: r->cells, as long as it is the last. */
enum csv_fault csv_next(struct csv_records *r);

/* Why there are no more rows. */
struct csv_stop {
    bool stop; /* there are none; else there may be, but no more have room */
    enum csv_fault fault;
    bool ragged; /* the last record has r->n cells, not r->cap */
    size_t to;   /* behind the last row and one that is ragged; 0: there was none */
};

/* The next records that start before `end`, n of them at most, or fewer: r->all, row by row.
 * Returns how many; they stay until the next call. */
size_t csv_rows(struct csv_records *r, size_t end, size_t n, struct csv_stop *ret);

#endif
