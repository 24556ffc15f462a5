/* help_flow.h - rows from text, rows to text, and functions run over them by the real runner.
 *
 *     help_rows("x:l y:f tags:+z", "[[1,0.5,[\"a\"]],[null,2,[]]]", &rows);
 *     struct help_run how = { .function = &scale, .threads = 3, .batch_rows = 7 };
 *     help_map(&how, &rows, 0, &out);
 *     text = help_text(&out);             "[1,0.5,[\"a\"]]\n[null,2.0,[]]\n"
 *     free(text);
 *     help_clear(&out);
 *
 * Every failure that a test does not ask for ends it.
 */
#ifndef HELP_FLOW_H
#define HELP_FLOW_H

#include "flow/flow.h"
#include "wire/wire.h"

/* Rows as one batch. */
struct help_rows {
    struct ArrowSchema schema;
    struct ArrowArray rows;
};

/* types: "name:f" with f of l f g z u, "+f" for lists, "%z" for codes of a dictionary, "?" after
 * it where null means empty.  json: an array of rows, each an array of values. */
void help_rows(const char *types, const char *json, struct help_rows *ret);
void help_clear(struct help_rows *rows);

/* A row a line, as help_rows() takes it; freed by free(). */
char *help_text(const struct help_rows *rows);

/* A stream of the rows in batches of n rows; the rows stay. */
void help_stream(const struct help_rows *rows, int64_t n, struct ArrowArrayStream *ret);

/* All rows of a stream as one batch; releases it. */
void help_drain(struct hr_env *env, struct ArrowArrayStream *stream, struct help_rows *ret);

struct help_run {
    const hr_function *function;
    const void *config;
    size_t config_size;
    const char *const *keys; /* of a combine; of a map: it is given grouped rows */
    int threads, batch_rows; /* 0: 1 and 4096 */
    bool bytes;              /* send accumulators through their bytes */
    char error[1024];        /* of a run that failed */
};

/* The rows that output k of a map gives, in order.  Returns the code; on failure ret is empty. */
hr_status help_map(struct help_run *how, const struct help_rows *in, uint32_t k,
                   struct help_rows *ret);

/* What a combine gives. */
hr_status help_combine(struct help_run *how, const struct help_rows *in, struct help_rows *ret);

/* The same by 1 to 3 threads and batches of several sizes: the text must be one and the same;
 * returned, freed by free(). */
char *help_map_text(struct help_run *how, const struct help_rows *in, uint32_t k);
char *help_combine_text(struct help_run *how, const struct help_rows *in);

/* The same, and again with accumulators sent through their bytes: one and the same text. */
char *help_combine_bytes(struct help_run *how, const struct help_rows *in);

#endif
