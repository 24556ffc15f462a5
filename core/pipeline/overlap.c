/* Conditions that overlap by mistake: two nodes that write to one place, or give one input that
 * takes one artifact, and whose "if" can both hold.
 *
 * It is said only where it can be decided.  A condition is taken apart into comparisons of
 * something - a parameter, a property, a call - with literals; of each such subject a value for
 * every literal, and one between, below and above them, stands for all that it can be.  If the
 * conditions of both nodes hold for some choice of values, and they look at a subject in common,
 * or one of them has no condition, both can run.  Of what is compared otherwise nothing is said.
 */
#include <string.h>

#include "pipeline/expr_tree.h"
#include "pipeline/read.h"

enum { MAX_SUBJECTS = 6, MAX_VALUES = 24, MAX_CONDITIONS = 20 };

struct subject {
    const char *name;
    struct hr_term values[MAX_VALUES];
    size_t count, at;
    bool of[2]; /* which of the two nodes looks at it */
};

struct condition {
    const struct hr_expr *expr;
    size_t space; /* the group whose names it uses */
};

struct pair {
    struct hr_reader *rd;
    struct condition conditions[2][MAX_CONDITIONS];
    size_t counts[2];
    struct subject subjects[MAX_SUBJECTS];
    size_t subject_count;
    bool undecided;
};

/* -- subjects -------------------------------------------------------------- */

static void put_tree(struct hr_buf *to, const struct hr_expr *e)
{
    size_t i;

    hr_buf_format(to, "(%d %s ", (int)e->op, e->text ? e->text : "");
    if (e->op == HR_OP_LITERAL)
        hr_term_json(&e->literal, to);
    for (i = 0; i < e->count; i++)
        put_tree(to, e->args[i]);
    hr_buf_char(to, ')');
}

/* What an expression is about, known by its text and the names that it uses. */
static struct subject *subject_of(struct pair *p, const struct hr_expr *e, size_t space)
{
    struct subject *s = NULL;
    struct hr_buf name;
    size_t i;

    hr_buf_of(&name, HR_EXPR_MAX_TEXT, p->rd->env);
    hr_buf_format(&name, "%zu ", space);
    put_tree(&name, e);
    for (i = 0; hr_buf_whole(&name) && i < p->subject_count; i++)
        if (!strcmp(p->subjects[i].name, name.text))
            s = &p->subjects[i];
    if (!s && hr_buf_whole(&name) && p->subject_count < MAX_SUBJECTS) {
        s = &p->subjects[p->subject_count++];
        *s = (struct subject){ .name = hr_arena_text(&p->rd->p->arena, name.text) };
        if (!s->name)
            p->subject_count--;
        s = s->name ? s : NULL;
    }
    hr_buf_clear(&name);
    p->undecided = p->undecided || !s;
    return s;
}

static void add_value(struct pair *p, struct subject *s, struct hr_term value)
{
    if (s->count < MAX_VALUES)
        s->values[s->count++] = value;
    else
        p->undecided = true;
}

/* A literal, and what lies around it. */
static void add_literal(struct pair *p, struct subject *s, const struct hr_term *literal)
{
    struct hr_term v = *literal;
    int step;

    if (v.kind == HR_TERM_TEXT || v.kind == HR_TERM_NULL) {
        add_value(p, s, v);
        add_value(p, s, (struct hr_term){ .kind = HR_TERM_TEXT, .text = "\x01 another" });
    } else if (v.kind == HR_TERM_BOOL) {
        add_value(p, s, (struct hr_term){ .kind = HR_TERM_BOOL, .i = 0 });
        add_value(p, s, (struct hr_term){ .kind = HR_TERM_BOOL, .i = 1 });
    } else if (v.kind == HR_TERM_FLOAT || (v.kind == HR_TERM_INT && v.i > -(1LL << 50) &&
                                           v.i < 1LL << 50)) {
        for (step = -1; step <= 1; step++) {
            v = *literal;
            v.i += step;
            v.d += step * (v.d < 0 ? -v.d : v.d) * 1e-9 + step * 1e-9;
            add_value(p, s, v);
        }
    } else {
        p->undecided = true;
    }
}

static bool is_comparison(const struct hr_expr *e)
{
    return e->op >= HR_OP_EQ && e->op <= HR_OP_GE;
}

/* The subject of a comparison with a literal, and the side on which that stands; NULL: it is
 * none. */
static const struct hr_expr *compared(const struct hr_expr *e, size_t *ret_literal)
{
    if (!is_comparison(e) || e->count != 2 ||
        (e->args[0]->op == HR_OP_LITERAL) == (e->args[1]->op == HR_OP_LITERAL))
        return NULL;
    *ret_literal = e->args[1]->op == HR_OP_LITERAL;
    return e->args[!*ret_literal];
}

static void collect(struct pair *p, const struct hr_expr *e, size_t space, int of)
{
    const struct hr_expr *about;
    struct subject *s;
    size_t literal = 0, i;

    if (e->op == HR_OP_AND || e->op == HR_OP_OR || e->op == HR_OP_NOT) {
        for (i = 0; i < e->count; i++)
            collect(p, e->args[i], space, of);
        return;
    }
    if (e->op == HR_OP_LITERAL)
        return;
    about = compared(e, &literal);
    if (!about && is_comparison(e)) {
        p->undecided = true;
        return;
    }
    if (!(s = subject_of(p, about ? about : e, space)))
        return;
    s->of[of] = true;
    add_literal(p, s,
                about ? &e->args[literal]->literal : &(struct hr_term){ .kind = HR_TERM_BOOL });
}

/* -- deciding -------------------------------------------------------------- */

static bool compare(enum hr_expr_op op, const struct hr_term *a, const struct hr_term *b)
{
    bool comparable = false;
    int c = hr_term_compare(a, b, &comparable);

    return comparable ? hr_order_holds(op, c) : op == HR_OP_NE;
}

static bool holds(struct pair *p, const struct hr_expr *e, size_t space)
{
    const struct hr_expr *about;
    const struct subject *s;
    const struct hr_term *v, *l;
    size_t literal = 0;

    switch (e->op) {
    case HR_OP_AND:
        return holds(p, e->args[0], space) && holds(p, e->args[1], space);
    case HR_OP_OR:
        return holds(p, e->args[0], space) || holds(p, e->args[1], space);
    case HR_OP_NOT:
        return !holds(p, e->args[0], space);
    case HR_OP_LITERAL:
        return e->literal.kind == HR_TERM_BOOL && e->literal.i;
    default:
        break;
    }
    about = compared(e, &literal);
    if (!(s = subject_of(p, about ? about : e, space)))
        return false;
    v = &s->values[s->at];
    if (!about)
        return v->kind == HR_TERM_BOOL && v->i;
    l = &e->args[literal]->literal;
    return literal ? compare(e->op, v, l) : compare(e->op, l, v);
}

static bool all_hold(struct pair *p)
{
    size_t of, i;

    for (of = 0; of < 2; of++)
        for (i = 0; i < p->counts[of]; i++)
            if (!holds(p, p->conditions[of][i].expr, p->conditions[of][i].space))
                return false;
    return true;
}

/* The next choice of values; false: there was none left. */
static bool next_choice(struct pair *p)
{
    size_t i;

    for (i = 0; i < p->subject_count; i++) {
        if (++p->subjects[i].at < p->subjects[i].count)
            return true;
        p->subjects[i].at = 0;
    }
    return false;
}

static bool can_both(struct pair *p)
{
    enum { MOST = 20000 };
    bool common = !p->counts[0] || !p->counts[1];
    size_t choices = 1, of, i;

    for (of = 0; of < 2; of++)
        for (i = 0; i < p->counts[of]; i++)
            collect(p, p->conditions[of][i].expr, p->conditions[of][i].space, (int)of);
    for (i = 0; i < p->subject_count && choices <= MOST; i++) {
        common = common || (p->subjects[i].of[0] && p->subjects[i].of[1]);
        choices *= p->subjects[i].count;
    }
    if (p->undecided || !common || choices > MOST)
        return false;
    do
        if (all_hold(p))
            return !p->undecided;
    while (next_choice(p));
    return false;
}

static void add_condition(struct pair *p, size_t of, const struct hr_node *whose)
{
    const struct hr_template *t = whose->condition.expr;

    if (!whose->condition.value)
        return;
    if (!t || t->count != 1 || !t->parts[0].expr || p->counts[of] == MAX_CONDITIONS)
        p->undecided = true;
    else
        p->conditions[of][p->counts[of]++] =
            (struct condition){ t->parts[0].expr, whose->group };
}

/* Have two nodes conditions, and can all of them hold? */
static bool overlap(struct hr_reader *rd, const struct hr_node *a, const struct hr_node *b)
{
    const struct hr_node *nodes[2] = { a, b };
    struct pair p = { .rd = rd };
    size_t of, g;

    for (of = 0; of < 2; of++) {
        add_condition(&p, of, nodes[of]);
        for (g = nodes[of]->group; g != (size_t)HR_NO_GROUP; g = rd->p->groups[g].face.group)
            add_condition(&p, of, &rd->p->groups[g].face);
    }
    return (p.counts[0] || p.counts[1]) && !p.undecided && can_both(&p);
}

/* -- what two nodes have in common ----------------------------------------- */

HR_PRINTF(3, 4)
static void warn(struct hr_reader *rd, const struct hr_node *at, const char *format, ...)
{
    struct hr_pipeline *p = rd->p;
    const char **all = hr_arena_array(&p->arena, p->warning_count + 2, sizeof *all);
    struct hr_buf text;
    va_list args;

    hr_buf_of(&text, 4096, rd->env);
    hr_buf_format(&text, "%s:%d:%d: warning: ", at->place.file, at->place.line, at->place.column);
    va_start(args, format);
    hr_buf_vformat(&text, format, args);
    va_end(args);
    if (all) {
        if (p->warning_count)
            memcpy(all, p->warnings, p->warning_count * sizeof *all);
        if ((all[p->warning_count] = hr_arena_text(&p->arena, text.text))) {
            p->warning_count++;
            p->warnings = all;
        }
    }
    hr_buf_clear(&text);
}

/* An input that takes one artifact, and is given by several nodes of which one is to run. */
static void check_input(struct hr_reader *rd, const struct hr_node *node,
                        const struct hr_input *input)
{
    const struct hr_pipeline *p = rd->p;
    size_t i, k;

    if (input->port->flags & HR_PORT_MANY)
        return;
    for (i = 0; i < input->channel_count; i++)
        for (k = i + 1; k < input->channel_count; k++) {
            size_t a = input->channels[i].node, b = input->channels[k].node;

            if (a < p->node_count && b < p->node_count && a != b &&
                overlap(rd, &p->nodes[a], &p->nodes[b]))
                warn(rd, node,
                     "\"%s\" and \"%s\" can both run, and both give input \"%s\" of \"%s\", which "
                     "takes one artifact: their conditions overlap",
                     p->nodes[a].name, p->nodes[b].name, input->key, node->name);
        }
}

static bool same_place(const struct hr_node *a, const struct hr_setting_source *x,
                       const struct hr_node *b, const struct hr_setting_source *y)
{
    return x->info->type == HR_PATH_WRITE && y->info->type == HR_PATH_WRITE && x->value &&
           y->value && !strcmp(a->dir, b->dir) &&
           hr_text_eq(hr_json_text(x->value), hr_json_text(y->value)) && hr_json_text(x->value) &&
           *hr_json_text(x->value);
}

static void check_places(struct hr_reader *rd, const struct hr_node *a, const struct hr_node *b)
{
    size_t i, k;

    for (i = 0; i < a->setting_count; i++)
        for (k = 0; k < b->setting_count; k++)
            if (same_place(a, &a->settings[i], b, &b->settings[k]) && overlap(rd, a, b))
                warn(rd, b,
                     "\"%s\" and \"%s\" can both run, and both write to \"%s\": their conditions "
                     "overlap",
                     a->name, b->name, hr_json_text(a->settings[i].value));
}

/* Does it write anywhere but into its outputs? */
static bool writes(const struct hr_node *node)
{
    size_t i;

    for (i = 0; i < node->setting_count; i++)
        if (node->settings[i].info->type == HR_PATH_WRITE && node->settings[i].value)
            return true;
    return false;
}

void hr_find_overlaps(struct hr_reader *rd)
{
    const struct hr_pipeline *p = rd->p;
    size_t i, k;

    for (i = 0; i < p->node_count; i++) {
        for (k = 0; k < p->nodes[i].input_count; k++)
            check_input(rd, &p->nodes[i], &p->nodes[i].inputs[k]);
        for (k = i + 1; writes(&p->nodes[i]) && k < p->node_count; k++)
            if (writes(&p->nodes[k]))
                check_places(rd, &p->nodes[i], &p->nodes[k]);
    }
}
