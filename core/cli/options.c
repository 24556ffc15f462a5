#include "cli/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

int add_param(void *user, const char *text)
{
    struct run_options *o = user;

    if (o->param_count == MAX_GIVEN || !strchr(text, '=') || text[0] == '=')
        return 1;
    o->params[o->param_count++] = text;
    return 0;
}

int add_force(void *user, const char *text)
{
    struct run_options *o = user;

    if (o->force_count == MAX_GIVEN)
        return 1;
    o->force[o->force_count++] = text;
    return 0;
}

struct text {
    char *bytes;
    size_t len, cap;
    bool failed;
};

static void add(struct text *t, const char *bytes)
{
    size_t n = strlen(bytes), cap = t->cap ? t->cap : 256;
    char *more;

    while (cap < t->len + n + 1)
        cap *= 2;
    if (cap != t->cap) {
        if (!(more = realloc(t->bytes, cap))) {
            t->failed = true;
            return;
        }
        t->bytes = more;
        t->cap = cap;
    }
    memcpy(t->bytes + t->len, bytes, n + 1);
    t->len += n;
}

static void add_quoted(struct text *t, const char *bytes)
{
    char *quoted = json_quote(bytes);

    if (quoted)
        add(t, quoted);
    else
        t->failed = true;
    free(quoted);
}

static void add_member(struct text *t, const char *key, const char *value)
{
    if (!value)
        return;
    add(t, ",\"");
    add(t, key);
    add(t, "\":");
    add_quoted(t, value);
}

static void add_params(struct text *t, const struct run_options *o)
{
    char name[256];
    size_t i, n;

    add(t, "{\"param\":{");
    for (i = 0; i < o->param_count; i++) {
        const char *equals = strchr(o->params[i], '=');

        n = (size_t)(equals - o->params[i]);
        n = n < sizeof name ? n : sizeof name - 1;
        memcpy(name, o->params[i], n);
        name[n] = '\0';
        add(t, i ? "," : "");
        add_quoted(t, name);
        add(t, ":");
        add_quoted(t, equals + 1);
    }
    add(t, "},\"force\":[");
    for (i = 0; i < o->force_count; i++) {
        add(t, i ? "," : "");
        add_quoted(t, o->force[i]);
    }
    add(t, "]");
}

char *run_options_json(const struct run_options *o)
{
    struct text t = { 0 };
    const char *p;

    add_params(&t, o);
    for (p = o->jobs; p && *p >= '0' && *p <= '9'; p++)
        ;
    if (o->jobs && (*p || !*o->jobs)) {
        fprintf(stderr, "headrace: --jobs wants a number, not \"%s\"\n", o->jobs);
        t.failed = true;
    } else if (o->jobs) {
        add(&t, ",\"jobs\":");
        add(&t, o->jobs);
    }
    add_member(&t, "isolation", o->isolation);
    add_member(&t, "sandbox", o->sandbox);
    add_member(&t, "name", o->name);
    add(&t, o->no_cache ? ",\"no_cache\":true" : "");
    add(&t, o->keep_going ? ",\"keep_going\":true" : "");
    add(&t, o->check ? ",\"check\":true}" : "}");
    if (!t.failed)
        return t.bytes;
    free(t.bytes);
    return NULL;
}
