/* flows.h - random flows: what their tables hold, the functions that they call, and the naive
 * interpreter that says what comes out.
 *
 * A row is known by the table it was read from and its number there: keys and payload follow
 * from these by a formula (flows_data.c), so that the interpreter carries four numbers for a
 * row, whatever columns it has.  v and n are what functions compute.
 */
#ifndef PROPERTY_FLOWS_H
#define PROPERTY_FLOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/flow.h"
#include "headrace/rows.h"
#include "wire/wire.h"

/* -- chance ------------------------------------------------------------------------ */

uint64_t mix(uint64_t z);
void chance_seed(uint64_t seed);
uint64_t chance(uint64_t n);

/* End with a sentence and the seed of the flow. */
HR_PRINTF(1, 2)
_Noreturn void stop(const char *format, ...);
void need(bool ok, const char *what);

/* -- tables (flows_data.c) --------------------------------------------------------- */

enum { COL_A, COL_B, COL_C, COL_V, COL_N, COL_W, COL_P, COLUMNS, MAX_KEYS = 3 };

/* The formats of the three key columns, and how their values are drawn; the same for all tables
 * of a flow. */
struct world {
    uint64_t seed;
    int formats[MAX_KEYS];
    uint64_t kinds[MAX_KEYS]; /* of so many values */
    uint64_t nulls[MAX_KEYS]; /* one of so many is null; 0: none */
};

/* The columns of a collection, in order. */
struct shape {
    uint32_t n;
    uint8_t cols[COLUMNS];
};

struct row {
    uint32_t table;
    int64_t id, v, n;
};

/* A value of a key column. */
struct value {
    bool present;
    int64_t i; /* of unsigned 64 bits: their bits */
    size_t size;
    char text[24];
};

extern const char *const column_names[COLUMNS];

void world_make(struct world *ret);
void world_value(const struct world *w, int col, const struct row *row, struct value *ret);

/* Null first, then by value. */
int value_order(const struct world *w, int col, const struct value *a, const struct value *b);

/* The value of a column that was read. */
void value_read(const struct hr_col *c, int64_t row, struct value *ret);

void shape_schema(const struct world *w, const struct shape *shape, struct ArrowSchema *ret);

/* Rows from to to of a table, of all columns but n, at a random offset in their buffers. */
void table_batch(struct hr_env *env, const struct world *w, uint32_t table, struct hr_cut cut,
                 struct ArrowArray *ret);
void table_shape(struct shape *ret);

/* A row as a line of text, as the interpreter has it and as a batch has it. */
void put_row(const struct world *w, const struct shape *shape, const struct row *row,
             struct hr_buf *to);
void put_batch(const struct ArrowSchema *schema, const struct ArrowArray *rows, struct hr_buf *to);

/* -- functions (flows_functions.c) -------------------------------------------------- */

enum mode { MODE_ALL, MODE_FILTER, MODE_REPEAT, MODE_NONE, MODE_FAIL };
enum emitting { EMIT_NOW, EMIT_SINGLE, EMIT_SOME, EMIT_FLUSH };

/* The config of every function. */
struct config {
    const struct world *world;
    struct hr_env *env;
    uint32_t mode, emitting;
    uint64_t salt;
    uint32_t n_keys;
    uint8_t keys[MAX_KEYS];
};

enum { FN_PICK, FN_PICK_FEW, FN_SPLIT, FN_RENUMBER, FN_RUNS, FN_CHAIN, FN_TOTAL, FUNCTIONS };
enum { OUTPUTS = 3, FEW_ROWS = 5 };
extern const hr_function *const flow_functions[FUNCTIONS + 1];

/* What the functions compute of a row's v. */
uint32_t copies_of(const struct config *c, int64_t v);
bool fails_at(const struct config *c, int64_t v);
uint32_t output_of(const struct config *c, int64_t v);
int64_t renumbered(const struct config *c, int64_t v);

/* Rows so far and one more, by chain (which knows their order) or total. */
struct sum {
    int64_t n;
    uint64_t v, power;
};
extern const struct sum sum_none;
void sum_add(bool chain, struct sum *s, int64_t v);

/* -- flows and what they give (flows_naive.c) ---------------------------------------- */

enum op_kind {
    OP_READ,
    OP_FROM,
    OP_MAP,
    OP_COMBINE,
    OP_GROUP,
    OP_FLATTEN,
    OP_WRITE,
    OP_KEEP,
    OP_BAD
};
enum { MAX_OPS = 40, MAX_COLLS = 60, MAX_INS = 3, MAX_TABLES = 4, SPLITS = 2 };

struct op {
    enum op_kind kind;
    uint32_t ins[MAX_INS], n_ins; /* collections */
    uint32_t out;                 /* the first that it makes */
    uint32_t table;               /* of a source */
    bool whole;                   /* reads all splits of the artifact */
    uint32_t function, bad;
    struct config config; /* its keys are those of the step, too */
};

struct coll {
    struct shape shape;
    struct row *rows;
    size_t n, cap;
    bool grouped; /* by the keys below, as a group gives it */
    uint32_t n_keys;
    uint8_t keys[MAX_KEYS];
};

struct graph {
    struct world world;
    int64_t sizes[MAX_TABLES];
    uint32_t n_tables;
    struct op ops[MAX_OPS];
    uint32_t n_ops;
    struct coll colls[MAX_COLLS];
    uint32_t n_colls;
    bool fails; /* a function meets the row at which it fails */
    bool bad;   /* a mistake was made in the description */
};

/* The rows of the collections that an op makes, and its out. */
void naive(struct graph *g, struct op *op);
void graph_clear(struct graph *g);

#endif
