/* Queries as channels: artifacts of the store, from any run.
 *
 *     {"query": {"type": "Model", "context": "nightly.trainer",
 *                "filter": "${ artifact.property.version > 3 }", "limit": 2}}
 */
#include <string.h>

#include "pipeline/read.h"

const struct hr_property_info hr_query_filter = { .type = HR_BOOL, .key = "filter" };

enum { MAX_LIMIT = 100000 };

const struct hr_channel_query *hr_read_query(struct hr_reader *rd, const struct hr_node *node,
                                             const struct hr_json *at)
{
    static const char *const outer[] = { "query" };
    static const char *const members[] = { "type", "context", "filter", "limit" };
    const struct hr_json *v = hr_want(rd, at, "query", HR_JSON_OBJECT), *m;
    struct hr_channel_query *q = hr_arena_get(&rd->p->arena, sizeof *q);

    hr_check_members(rd, at, outer, 1, "a channel");
    if (!v || !q) {
        hr_bad(rd, at, "node \"%s\": a channel is \"node\", \"node.output\" or {\"query\": {...}}",
               node->name);
        return NULL;
    }
    hr_check_members(rd, v, members, 4, "\"query\"");
    q->type = hr_want_text(rd, v, "type");
    q->context = hr_want_text(rd, v, "context");
    if (q->context && !*q->context)
        hr_bad(rd, hr_json_get(v, "context"),
               "\"context\" is \"\", and wants a pipeline, a run or PIPELINE.NODE");
    q->limit = 1;
    if ((m = hr_json_get(v, "limit")) &&
        (!hr_json_int(rd->doc, m, &q->limit) || q->limit < 0 || q->limit > MAX_LIMIT))
        hr_bad(rd, m, "\"limit\" wants an int from 0 (all) to %d", MAX_LIMIT);
    q->filter = (struct hr_setting_source){ .info = &hr_query_filter,
                                            .value = hr_want(rd, v, "filter", HR_JSON_STRING),
                                            .place = node->place };
    hr_read_template(rd, &q->filter);
    if (q->filter.value && !q->filter.expr)
        hr_bad(rd, q->filter.value,
               "\"filter\" wants an expression, as \"${ artifact.property.span > 3 }\"");
    return q;
}
