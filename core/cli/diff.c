/* diff: two runs, executions, artifacts or models, compared fact by fact.
 *
 * What is known of a thing is flattened into facts, "trainer.train_steps" and its value; a list
 * whose members have names is told by these, any other by numbers.  What differs by nature -
 * ids, times, places - is no fact.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/draw.h"

struct fact {
    char *path, *value;
};

struct facts {
    struct fact *items;
    size_t count, cap;
    bool failed;
};

static char *copy(const char *text)
{
    size_t n = strlen(text) + 1;
    char *to = malloc(n);

    return to ? memcpy(to, text, n) : NULL;
}

static void add_fact(struct facts *f, const char *path, const char *value)
{
    size_t cap = f->cap ? f->cap * 2 : 64;
    struct fact *more;

    if (f->count == f->cap) {
        if (!(more = realloc(f->items, cap * sizeof *more))) {
            f->failed = true;
            return;
        }
        f->items = more;
        f->cap = cap;
    }
    f->items[f->count].path = copy(path);
    f->items[f->count].value = copy(value);
    if (!f->items[f->count].path || !f->items[f->count].value)
        f->failed = true;
    f->count++;
}

static void free_facts(struct facts *f)
{
    size_t i;

    for (i = 0; i < f->count; i++) {
        free(f->items[i].path);
        free(f->items[i].value);
    }
    free(f->items);
}

/* What tells an element of a list apart: its name, or its number. */
static void element_name(const cJSON *v, int i, char *to, size_t n)
{
    static const char *const keys[] = { "name", "key", "feature", "slice", "split" };
    size_t k;

    for (k = 0; k < sizeof keys / sizeof keys[0]; k++)
        if (*get_text(v, keys[k])) {
            snprintf(to, n, "%s", get_text(v, keys[k]));
            return;
        }
    snprintf(to, n, "%d", i);
}

static void flatten(struct facts *f, const char *path, const cJSON *v)
{
    char name[256], below[1024];
    const cJSON *m;
    char *text;
    int i = 0;

    if (!v)
        return;
    if (!cJSON_IsObject(v) && !cJSON_IsArray(v)) {
        text = cJSON_IsString(v) ? copy(cJSON_GetStringValue(v)) : json_text(v);
        if (text)
            add_fact(f, path, text);
        else
            f->failed = true;
        free(text);
        return;
    }
    cJSON_ArrayForEach(m, v)
    {
        if (m->string)
            snprintf(name, sizeof name, "%s", m->string);
        else
            element_name(m, i++, name, sizeof name);
        snprintf(below, sizeof below, "%s%s%s", path, *path ? "." : "", name);
        flatten(f, below, m);
    }
}

static bool by_nature(const char *name)
{
    static const char *const names[] = { "__host",    "__walls",  "__cache_key",
                                         "__summary", "__reason", "__execution_result__",
                                         "tfx_version" };
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!strcmp(names[i], name))
            return true;
    return false;
}

static void add_properties(struct facts *f, const char *path, const cJSON *thing)
{
    const cJSON *m;
    char below[1024];

    cJSON_ArrayForEach(m, cJSON_GetObjectItemCaseSensitive(thing, "properties"))
    {
        if (by_nature(m->string))
            continue;
        snprintf(below, sizeof below, "%s%s%s", path, *path ? "." : "",
                 !strcmp(m->string, "__digest")           ? "digest"
                 : !strcmp(m->string, "__plugin_digest") ? "plugin digest"
                 : !strncmp(m->string, "__", 2)          ? m->string + 2
                                                         : m->string);
        flatten(f, below, m);
    }
}

/* A thing of hr_show(), freed by the caller.  NULL: told. */
static cJSON *ask(hr_project *p, const char *what)
{
    const char *json = NULL;
    cJSON *root;

    if (hr_show(p, what, &json) < 0) {
        tell_error(p);
        return NULL;
    }
    if (!(root = parse_json(json)))
        no_memory();
    return root;
}

static bool add_thing(hr_project *p, struct facts *f, const char *path, const cJSON *thing);

/* What an execution has put out, below its key. */
static bool add_outputs(hr_project *p, struct facts *f, const char *path, const cJSON *thing)
{
    const cJSON *o;
    char what[64], below[1024];
    cJSON *artifact;
    bool ok = true;

    cJSON_ArrayForEach(o, cJSON_GetObjectItemCaseSensitive(thing, "outputs"))
    {
        snprintf(what, sizeof what, "artifact %.0f", get_number(o, "artifact"));
        snprintf(below, sizeof below, "%s%s%s", path, *path ? "." : "", get_text(o, "key"));
        artifact = ask(p, what);
        ok = ok && artifact && add_thing(p, f, below, artifact);
        cJSON_Delete(artifact);
    }
    return ok;
}

/* What the run was given: its parameters with their defaults, and its options. */
static void add_given(struct facts *f, const cJSON *run)
{
    const cJSON *options = cJSON_GetObjectItemCaseSensitive(run, "options"), *m;
    char below[300];

    flatten(f, "parameter", cJSON_GetObjectItemCaseSensitive(run, "parameters"));
    cJSON_ArrayForEach(m, options)
    {
        snprintf(below, sizeof below, "option.%s", m->string ? m->string : "");
        if (m->string && strcmp(m->string, "param") != 0) /* these are among the parameters */
            flatten(f, below, m);
    }
}

static bool add_run(hr_project *p, struct facts *f, const cJSON *run)
{
    const cJSON *e;
    char what[64];
    cJSON *execution;
    bool ok = true;

    add_fact(f, "pipeline", get_text(run, "pipeline"));
    add_given(f, run);
    cJSON_ArrayForEach(e, cJSON_GetObjectItemCaseSensitive(run, "executions"))
    {
        snprintf(what, sizeof what, "execution %.0f", get_number(e, "execution"));
        execution = ask(p, what);
        ok = ok && execution && add_thing(p, f, get_text(e, "node"), execution);
        cJSON_Delete(execution);
    }
    return ok;
}

/* Its own properties, or of one that took a result those of the execution that made it. */
static bool add_own(hr_project *p, struct facts *f, const char *path, const cJSON *thing)
{
    double origin = get_number(thing, "result_of");
    char what[64];
    cJSON *made;

    if (!(origin > 0)) {
        add_properties(f, path, thing);
        return true;
    }
    snprintf(what, sizeof what, "execution %.0f", origin);
    if ((made = ask(p, what)))
        add_properties(f, path, made);
    cJSON_Delete(made);
    return made != NULL;
}

static bool add_thing(hr_project *p, struct facts *f, const char *path, const cJSON *thing)
{
    const char *kind = get_text(thing, "kind"), *state = get_text(thing, "state");
    char below[1024];

    if (!strcmp(kind, "run"))
        return add_run(p, f, thing);
    snprintf(below, sizeof below, "%s%sstate", path, *path ? "." : "");
    /* done, or taken from before: the same to who compares results */
    add_fact(f, below, !strcmp(state, "CACHED") ? "COMPLETE" : state);
    if (!add_own(p, f, path, thing))
        return false;
    if (!strcmp(kind, "execution"))
        return add_outputs(p, f, path, thing);
    flatten(f, path, cJSON_GetObjectItemCaseSensitive(thing, "content"));
    return true;
}

/* -- comparing ------------------------------------------------------------- */

/* The fact of a path, looked for from *at on, where it most often is. */
static const char *value_of(const struct facts *f, const char *path, size_t *at)
{
    size_t i;

    for (i = 0; i < f->count; i++) {
        size_t k = (*at + i) % f->count;

        if (!strcmp(f->items[k].path, path)) {
            *at = k + 1;
            return f->items[k].value;
        }
    }
    return NULL;
}

static void put_difference(const struct term *t, bool json, const char *path, const char *a,
                           const char *b)
{
    char *p = json_quote(path), *x = a ? json_quote(a) : NULL, *y = b ? json_quote(b) : NULL;

    if (json)
        printf("{\"path\": %s, \"a\": %s, \"b\": %s}\n", p ? p : "\"\"", x ? x : "null",
               y ? y : "null");
    else
        printf("%s  %s%s%s -> %s%s%s\n", path, color(t, "red"), a ? a : "(none)", color(t, "off"),
               color(t, "green"), b ? b : "(none)", color(t, "off"));
    free(p);
    free(x);
    free(y);
}

static size_t compare(const struct facts *a, const struct facts *b, bool json)
{
    size_t at = 0, found = 0, i;
    struct term t;

    term_ask(&t, stdout);
    for (i = 0; i < a->count; i++) {
        const char *other = value_of(b, a->items[i].path, &at);

        if (other && !strcmp(other, a->items[i].value))
            continue;
        put_difference(&t, json, a->items[i].path, a->items[i].value, other);
        found++;
    }
    for (at = 0, i = 0; i < b->count; i++)
        if (!value_of(a, b->items[i].path, &at)) {
            put_difference(&t, json, b->items[i].path, NULL, b->items[i].value);
            found++;
        }
    return found;
}

static int compare_things(hr_project *p, const struct args *a, const cJSON *x, const cJSON *y)
{
    struct facts first = { 0 }, second = { 0 };
    int code = EXIT_WRONG;

    if (strcmp(get_text(x, "kind"), get_text(y, "kind")) != 0 ||
        strcmp(get_text(x, "type"), get_text(y, "type")) != 0) {
        fprintf(stderr,
                "headrace: \"%s\" is %s %s, \"%s\" is %s %s; name two things of one kind\n",
                a->words[0], get_text(x, "kind"), get_text(x, "type"), a->words[1],
                get_text(y, "kind"), get_text(y, "type"));
    } else if (add_thing(p, &first, "", x) && add_thing(p, &second, "", y)) {
        code = EXIT_DONE;
        if (first.failed || second.failed) {
            no_memory();
            code = EXIT_WRONG;
        } else if (!compare(&first, &second, arg_flag(a, "--json"))) {
            fprintf(stderr, "no difference\n");
        }
    }
    free_facts(&first);
    free_facts(&second);
    return code;
}

static int diff(const struct args *a)
{
    hr_project *p = open_project(a, true);
    cJSON *x = p ? ask(p, a->words[0]) : NULL, *y = x ? ask(p, a->words[1]) : NULL;
    int code = x && y ? compare_things(p, a, x, y) : EXIT_WRONG;

    cJSON_Delete(x);
    cJSON_Delete(y);
    hr_free(p);
    return code;
}

static const struct option options[] = {
    FLAG("--json", "one difference a line, as {\"path\", \"a\", \"b\"}"),
    PROJECT_OPTIONS,
    END_OPTIONS,
};
const struct verb verb_diff = {
    .name = "diff",
    .group = GROUP_LOOK,
    .words = "A B",
    .line = "what differs of two things",
    .page = "Compares two things of one kind: runs as \"run 1\" (or 1) and \"run 2\", by their "
            "parameters and options, by nodes, properties, digests and the content of what was "
            "made; artifacts as \"artifact 3\", by properties, digest and content - statistics, "
            "schema, metrics; models as \"penguin@1\".",
    .options = options,
    .run = diff,
};
