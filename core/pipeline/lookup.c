/* What a name leads to: "node.output" in the namespace of the pipeline or of a sub-pipeline.
 *
 * In the namespace of a sub-pipeline, "inputs.KEY" is what its node is given, looked up in the
 * namespace around; from outside, "part.KEY" is what its "outputs" say, looked up inside.
 */
#include <string.h>

#include "pipeline/read.h"

enum { MAX_LOOKUP_DEPTH = 32 };

struct finder {
    struct hr_reader *rd;
    const struct hr_lookup *look;
    const int64_t *pick; /* what the brackets of one of the texts on the way say */
    size_t depth, used;
    bool inner; /* the text is not the one that was asked for, and goes not on */
};

/* A node or a group of the namespace whose name begins the text, the longest. */
struct match {
    size_t node, group; /* SIZE_MAX: none */
    size_t n;
};

static bool begins(const char *text, const char *name, size_t *best)
{
    size_t n = strlen(name);

    if (n <= *best || strncmp(text, name, n) != 0 || (text[n] && text[n] != '.'))
        return false;
    *best = n;
    return true;
}

static struct match match_of(const struct hr_pipeline *p, size_t space, const char *text)
{
    struct match m = { SIZE_MAX, SIZE_MAX, 0 };
    size_t i;

    for (i = 0; i < p->node_count; i++)
        if (p->nodes[i].group == space && begins(text, p->nodes[i].local, &m.n))
            m.node = i;
    for (i = 0; i < p->group_count; i++)
        if (p->groups[i].face.group == space && begins(text, p->groups[i].face.local, &m.n)) {
            m.group = i;
            m.node = SIZE_MAX;
        }
    return m;
}

void hr_bad_node(struct hr_reader *rd, const struct hr_json *at, const struct hr_node *who,
                 size_t space, const char *name)
{
    const struct hr_pipeline *p = rd->p;
    struct hr_place place = hr_json_place(rd->doc, at);
    const char **names =
        hr_arena_array(&rd->p->arena, p->node_count + p->group_count + 1, sizeof *names);
    size_t i, n = 0;

    for (i = 0; names && i < p->node_count; i++)
        if (p->nodes[i].group == space)
            names[n++] = p->nodes[i].local;
    for (i = 0; names && i < p->group_count; i++)
        if (p->groups[i].face.group == space)
            names[n++] = p->groups[i].face.local;
    hr_fail_meant(rd->env, HR_INVALID, &place, names ? hr_text_meant(name, names, n) : NULL,
                  "node \"%s\": there is no node \"%s\"", who->name, name);
    rd->bad++;
}

/* -- outputs --------------------------------------------------------------- */

static const struct hr_node_output *only_output(struct finder *f, const struct hr_node *from)
{
    const struct hr_node_output *found = NULL;
    const char *type = f->look->type;
    size_t i, n = 0;

    for (i = 0; i < from->output_count; i++)
        if (!type || hr_text_eq(from->outputs[i].type, type)) {
            found = &from->outputs[i];
            n++;
        }
    if (n == 1 || (n && f->look->any))
        return found;
    if (n && type)
        hr_bad(f->rd, f->look->at,
               "node \"%s\": \"%s\" has %zu outputs of type %s; write \"%s.%s\" or another",
               f->look->who->name, from->name, n, type, from->local, found->key);
    else if (n)
        hr_bad(f->rd, f->look->at,
               "node \"%s\": \"%s\" has %zu outputs; write \"%s.%s\" or another",
               f->look->who->name, from->name, n, from->local, found->key);
    else
        hr_bad(f->rd, f->look->at, "node \"%s\": input wants type %s, but \"%s\" gives %s",
               f->look->who->name, type ? type : "", from->name,
               from->output_count ? from->outputs[0].type : "nothing");
    return NULL;
}

static const struct hr_node_output *named_output(struct finder *f, const struct hr_node *from,
                                                 const char *key)
{
    const struct hr_node_output *found = NULL;
    struct hr_place place = hr_json_place(f->rd->doc, f->look->at);
    const char *names[64];
    size_t i, n = from->output_count < 64 ? from->output_count : 64;

    for (i = 0; i < n; i++)
        names[i] = from->outputs[i].key;
    for (i = 0; i < from->output_count && !found; i++)
        if (!strcmp(from->outputs[i].key, key))
            found = &from->outputs[i];
    if (!found) {
        hr_fail_meant(f->rd->env, HR_INVALID, &place, hr_text_meant(key, names, n),
                      "node \"%s\": \"%s\" has no output \"%s\"", f->look->who->name, from->name,
                      key);
        f->rd->bad++;
        return NULL;
    }
    if (!f->look->type || hr_text_eq(found->type, f->look->type))
        return found;
    hr_bad(f->rd, f->look->at, "node \"%s\": input \"%s\" wants type %s, but \"%s\" gives %s",
           f->look->who->name, f->look->input ? f->look->input : "", f->look->type,
           hr_json_text(f->look->at), found->type);
    return NULL;
}

/* -- one of a list --------------------------------------------------------- */

hr_status hr_read_pick(struct hr_reader *rd, const struct hr_json *at, const char **text,
                       const int64_t **ret)
{
    const char *open = strchr(*text, '[');
    size_t n = open ? strlen(open) : 0;
    int64_t *to;

    *ret = NULL;
    if (!open)
        return HR_OK;
    if (!(to = hr_arena_get(&rd->p->arena, sizeof *to))) {
        rd->bad++;
        return HR_EXHAUSTED;
    }
    if (n < 3 || open[n - 1] != ']' || !hr_num_int(open + 1, n - 2, to)) {
        hr_bad(rd, at,
               "\"%s\" names no channel: in brackets behind its name stands an int, as in "
               "\"node.output[0]\", or [-1] for the last",
               *text);
        return HR_INVALID;
    }
    *text = hr_arena_bytes(&rd->p->arena, *text, (size_t)(open - *text));
    *ret = to;
    rd->bad += !*text;
    return *text ? HR_OK : HR_EXHAUSTED;
}

/* -- the way there --------------------------------------------------------- */

static void look(struct finder *f, size_t space, const char *text);

/* A text that may end in brackets.  What is one of a list already has no second one. */
static void look_text(struct finder *f, size_t space, const char *text)
{
    const int64_t *outer = f->pick, *pick;

    if (hr_read_pick(f->rd, f->look->at, &text, &pick) < 0)
        return;
    if (*text && !hr_dots_ok(text)) {
        hr_bad(f->rd, f->look->at, "node \"%s\": \"%s\" names no channel: a name is missing beside "
               "a dot, as in \"node.output\"", f->look->who->name, text);
        return;
    }
    if (pick && outer) {
        hr_bad(f->rd, f->look->at, "node \"%s\": \"%s\" is one of a list already, and [%lld] is "
               "for a list", f->look->who->name, text, (long long)*outer);
        return;
    }
    f->pick = pick ? pick : outer;
    look(f, space, text);
    f->pick = outer;
}

/* The key behind a name, up to the end or, where the text may go on, to the next dot. */
static const char *key_of(struct finder *f, const char *text, size_t n)
{
    const char *rest = text + n + (text[n] == '.');
    size_t m = f->look->members && !f->inner ? strcspn(rest, ".") : strlen(rest);

    if (!f->inner)
        f->used = n + (text[n] == '.') + m;
    return text[n] && m ? hr_arena_bytes(&f->rd->p->arena, rest, m) : NULL;
}

static void at_node(struct finder *f, size_t node, const char *key)
{
    const struct hr_node *from = &f->rd->p->nodes[node];
    const struct hr_node_output *output = key ? named_output(f, from, key) : only_output(f, from);

    if (output && f->look->found(f->look->user,
                                 &(struct hr_found){ node, output, f->pick, f->used }) < 0)
        f->rd->bad++;
}

/* Texts of a list, or one text, of another namespace. */
static void look_on(struct finder *f, size_t space, const struct hr_json *v)
{
    bool list = hr_json_kind(v) == HR_JSON_ARRAY, inner = f->inner;
    const struct hr_json *m;

    if (f->pick && list && hr_json_count(v) > 1) {
        hr_bad(f->rd, f->look->at, "node \"%s\": [%lld] takes from one list, and these are %zu "
               "channels", f->look->who->name, (long long)*f->pick, hr_json_count(v));
        return;
    }
    f->inner = true;
    for (m = list ? hr_json_first(v) : v; m; m = list ? hr_json_next(m) : NULL)
        if (hr_json_text(m))
            look_text(f, space, hr_json_text(m));
    f->inner = inner;
}

static void at_group(struct finder *f, size_t group, const char *key)
{
    const struct hr_group *g = &f->rd->p->groups[group];
    const struct hr_json *outputs = hr_json_get(g->body, "outputs"), *v = NULL;

    if (outputs && !key && hr_json_count(outputs) == 1)
        v = hr_json_first(outputs);
    else if (outputs && key)
        v = hr_json_get(outputs, key);
    if (v)
        look_on(f, group, v);
    else if (key)
        hr_bad(f->rd, f->look->at, "node \"%s\": sub-pipeline \"%s\" has no output \"%s\"",
               f->look->who->name, g->face.name, key);
    else
        hr_bad(f->rd, f->look->at, "node \"%s\": sub-pipeline \"%s\" has %zu outputs; name one",
               f->look->who->name, g->face.name, outputs ? hr_json_count(outputs) : 0);
}

static void at_input(struct finder *f, size_t space, const char *key)
{
    const struct hr_group *g = &f->rd->p->groups[space];
    const struct hr_json *given = hr_json_get(g->face.json, "inputs");
    const struct hr_json *v = given && key ? hr_json_get(given, key) : NULL;

    if (v)
        look_on(f, g->face.group, v);
    else
        hr_bad(f->rd, f->look->at, "node \"%s\": sub-pipeline \"%s\" is given no input \"%s\"",
               f->look->who->name, g->face.name, key ? key : "");
}

static void look(struct finder *f, size_t space, const char *text)
{
    struct match m = match_of(f->rd->p, space, text);
    size_t n = strcspn(text, ".");
    char *name;

    if (++f->depth > MAX_LOOKUP_DEPTH) {
        hr_bad(f->rd, f->look->at, "node \"%s\": \"%s\" leads in a circle", f->look->who->name,
               text);
    } else if (m.group != SIZE_MAX) {
        at_group(f, m.group, key_of(f, text, m.n));
    } else if (m.node != SIZE_MAX) {
        at_node(f, m.node, key_of(f, text, m.n));
    } else if (space != (size_t)HR_NO_GROUP && n == 6 && !strncmp(text, "inputs", n)) {
        at_input(f, space, key_of(f, text, n));
    } else {
        name = hr_arena_bytes(&f->rd->p->arena, text, n);
        hr_bad_node(f->rd, f->look->at, f->look->who, space, name ? name : "");
    }
    f->depth--;
}

void hr_look_up(struct hr_reader *rd, const struct hr_lookup *l, size_t space, const char *text)
{
    struct finder f = { .rd = rd, .look = l };

    look_text(&f, space, text);
}

bool hr_each_named(const struct hr_pipeline *p, size_t space, const char *local,
                   void (*found)(void *user, size_t node), void *user)
{
    bool any = false;
    size_t i, g;

    for (i = 0; i < p->node_count; i++)
        if (p->nodes[i].group == space && !strcmp(p->nodes[i].local, local)) {
            found(user, i);
            return true;
        }
    for (g = 0; g < p->group_count; g++) {
        if (p->groups[g].face.group != space || strcmp(p->groups[g].face.local, local) != 0)
            continue;
        any = true;
        for (i = 0; i < p->node_count; i++)
            if (hr_pipeline_within(p, &p->nodes[i], g))
                found(user, i);
    }
    return any;
}

size_t hr_pipeline_group(const struct hr_pipeline *p, const char *name)
{
    size_t g;

    for (g = 0; g < p->group_count; g++)
        if (!strcmp(p->groups[g].face.name, name))
            return g;
    return SIZE_MAX;
}

bool hr_pipeline_within(const struct hr_pipeline *p, const struct hr_node *node, size_t group)
{
    size_t g = node->group;

    while (g != (size_t)HR_NO_GROUP && g != group)
        g = p->groups[g].face.group;
    return g == group;
}
