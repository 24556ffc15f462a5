/* combine.h - accumulators by key; private to core/flow. */
#ifndef HR_FLOW_COMBINE_H
#define HR_FLOW_COMBINE_H

#include "flow/graph.h"

/* The keys of a block, or of several merged ones, each with its accumulator; without keys, one
 * of no name. */
struct table {
    struct hr_arena arena; /* of the keys */
    struct table_key {
        const uint8_t *bytes;
        uint32_t size;
        uint32_t hash;
    } * keys;
    void **accs;
    size_t n, cap;
    uint32_t *slots; /* index plus one, by hash; a power of two of them */
    size_t n_slots;
    struct hr_buf encoded; /* of the batch at hand */
    size_t bytes;          /* as flow_hold() counts */
};

hr_status table_new(hr_flow *f, struct table **ret);
void table_free(hr_flow *f, const struct step *s, struct table *t); /* NULL is allowed */

/* Add a batch; creates what accumulators it needs. */
hr_status table_add(struct hr_flow_call *call, struct table *t, const struct ArrowArray *rows);

/* Replace each accumulator by what its bytes give, as between machines. */
hr_status table_through_bytes(struct hr_flow_call *call, struct table *t);

/* Merge all of *from into t, and free it, also when failing. */
hr_status table_merge(struct hr_flow_call *call, struct table *t, struct table *from);

/* One more table, of the blocks after those before. */
hr_status ranks_push(struct hr_flow_call *call, struct ranks *ranks, int rank, struct table *t);

/* All of them as one; NULL: there was none. */
hr_status ranks_end(struct hr_flow_call *call, struct ranks *ranks, struct table **ret);
void ranks_clear(hr_flow *f, const struct step *s, struct ranks *ranks);

/* Merge the parts, and sort the keys: s->table and s->order. */
hr_status combine_end(hr_flow *f, struct step *s);

/* Rows [from, to) of the order: keys and what extract() gives. */
hr_status combine_rows(struct hr_flow_call *call, const struct step *s, size_t from, size_t to,
                       struct ArrowArray *ret);

#endif
