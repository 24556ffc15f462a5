/* graph.h - a flow as it was described and planned; private to core/flow.
 *
 * Numbers of rows that plugins hold are HR_ROWS_TAG of the flow and the index of a collection
 * plus one.
 *
 * Parts.  A collection is one or more parts in order; each is what one source gives along one
 * way.  flatten() has the parts of all its inputs, a map as many as what it takes.  So the order
 * of rows is known though sources run one after the other: (part, block, place in block).
 */
#ifndef HR_FLOW_GRAPH_H
#define HR_FLOW_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/flow.h"
#include "flow/keys.h"
#include "wire/wire.h"

enum {
    HR_MAX_STEPS = 10000, /* of a flow: a plan has one for each feature and analyzer at most */
    HR_MAX_PARTS = 10000, /* of a collection */
    HR_FLOW_TEXT = 2048   /* of why a function fails */
};

enum step_kind {
    STEP_READ,
    STEP_FROM,
    STEP_MAP,
    STEP_COMBINE,
    STEP_GROUP,
    STEP_FLATTEN,
    STEP_WRITE,
    STEP_KEEP
};

struct edge {
    uint32_t step; /* that takes the collection */
    uint32_t base; /* its part 0 is this part there */
};

struct coll {
    uint32_t step; /* that makes it */
    uint32_t parts;
    struct ArrowSchema schema; /* empty until planned */
    struct edge *edges;
    size_t n_edges, cap_edges;
};

/* Rows that a sink holds; of a group, with the encoded keys of the rows. */
struct chunk {
    struct ArrowArray rows;
    uint8_t *keys;
    uint32_t *ends; /* of the keys in keys */
    size_t keys_size;
};

struct chunks {
    struct chunk *items;
    size_t n, cap;
};

struct table; /* combine.h */

/* Tables of blocks, merged as the bits of a counter carry: rank k holds 2^k blocks. */
enum { MAX_RANKS = 40 };
struct ranks {
    struct table *at[MAX_RANKS];
};

/* What one part of a sink has so far. */
struct held {
    struct chunks chunks;
    struct ranks ranks;
};

/* A row of a group, or a key of a combine, in its place in the sorted order. */
struct sorted {
    const uint8_t *key;
    uint32_t size;
    uint32_t chunk;
    int64_t row;
};

struct step {
    enum step_kind kind;
    char *key, *split; /* of an artifact */
    uint32_t i;
    const hr_function *function;
    void *config;
    uint32_t config_size;
    char **keys; /* names of columns */
    size_t n_keys;
    uint32_t *ins; /* collections */
    uint32_t n_ins;
    uint32_t out, n_outs;           /* the first collection it makes */
    struct ArrowArrayStream stream; /* of read and from */
    uint32_t parts;                 /* of what it takes */
    /* maps: instances of lanes from slot on, one a part; combines: one */
    uint32_t slot;
    void *self; /* of a combine */
    struct keys plan;
    struct held *held; /* of sinks: parts of them */
    uint32_t bin;      /* of sinks: the first of its bins in a task */
    struct sorted *order;
    size_t n_order;
    const struct ArrowArray **batches; /* of a group: what order's chunks number */
    size_t n_batches;
    struct table *table; /* of a combine, merged from all parts */
    size_t bytes;        /* that held and order take; counted atomically */
    bool done;           /* a write that was made */
};

/* An instance of a map, or the place from which a combine is called. */
struct hr_flow_call {
    hr_flow *flow;
    struct step *step;
    uint32_t part;
    struct task *task; /* NULL: nothing may be emitted now */
    hr_run *run;
    void *self;
    bool touched;            /* has had rows of the task */
    hr_status refused;       /* what an emit() gave that failed; it is told in env */
    char text[HR_FLOW_TEXT]; /* of fail() */
};

struct lane {
    struct hr_flow_call *calls; /* one for each slot; it does not move */
    struct lane *next;
};

struct hr_flow {
    struct hr_env *env;
    struct hr_flow_host host;
    struct hr_arena arena;
    struct step *steps;
    size_t n_steps, cap_steps;
    struct coll *colls;
    size_t n_colls, cap_colls;
    uint32_t tag;
    bool dead; /* no memory from the start: nothing else is set */
    bool started, ran;
    hr_status mistake;
    char mistake_text[HR_FLOW_TEXT];
    uint32_t n_slots, n_bins;
    struct lane *lanes; /* free ones; behind lock */
    int lock;
    size_t held; /* bytes, counted atomically */
};

/* -- flow.c ------------------------------------------------------------------------ */

/* Keep the first mistake of a description. */
HR_PRINTF(3, 4)
void flow_mistake(hr_flow *f, hr_status code, const char *format, ...);

/* Free what a sink holds, once the rows of it have been given on. */
void step_let_go(hr_flow *f, struct step *s);

/* "map \"tokenize\"", for sentences. */
const char *step_name(const struct step *s, char *to, size_t n);

/* -- plan.c ------------------------------------------------------------------------ */

hr_status flow_plan(hr_flow *f);
hr_status flow_lane_get(hr_flow *f, struct lane **ret);
void flow_lane_put(hr_flow *f, struct lane *lane);
void flow_lane_free(hr_flow *f, struct lane *lane);

/* What comes of a call that returned r; a failure is told in env. */
hr_status call_end(struct hr_flow_call *call, hr_status r);

/* -- run.c ------------------------------------------------------------------------- */

/* Count bytes that a sink or a table holds, in *held too.  HR_EXHAUSTED: over the limit. */
hr_status flow_hold(hr_flow *f, size_t *held, size_t bytes);

/* They are free again. */
void flow_let_go(hr_flow *f, size_t *held);
hr_status flow_run_source(hr_flow *f, struct step *s);
hr_status chunks_add(hr_flow *f, struct chunks *c, struct chunk *chunk);
void chunks_clear(hr_flow *f, struct chunks *c);

/* -- sort.c ------------------------------------------------------------------------ */

/* Put what a sink holds in order of keys: s->order. */
hr_status group_sort(hr_flow *f, struct step *s);

/* Rows [from, to) of the order as one batch. */
void sorted_sort(struct sorted *order, size_t n);
hr_status group_rows(hr_flow *f, const struct step *s, size_t from, size_t to,
                     struct ArrowArray *ret);

#endif
