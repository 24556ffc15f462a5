/* Does what a package claims agree with what it holds?  Needs nothing but the package. */
#include <string.h>

#include "host/package.h"

struct checker {
    struct hr_project *p;
    const struct hr_taken *t;
    const struct hr_json *artifacts, *executions; /* of the lineage; NULL: it has none */
    const struct hr_json **artifact, **execution; /* by number, from 1 */
    int64_t artifact_count, execution_count;
    struct hr_arena arena;
};

HR_PRINTF(2, 3)
static hr_status wrong(struct checker *c, const char *format, ...)
{
    char *text = NULL;
    struct hr_buf b;
    va_list args;

    hr_buf_of(&b, HR_MAX_ERROR_TEXT, &c->p->env);
    va_start(args, format);
    if (hr_buf_vformat(&b, format, args) == HR_OK)
        text = b.text;
    va_end(args);
    hr_fail(&c->p->env, HR_DATA_LOSS, "\"%s\": %s", c->t->file, text ? text : "it is not whole");
    hr_buf_clear(&b);
    return HR_DATA_LOSS;
}

/* -- digests of content ------------------------------------------------------- */

hr_status hr_taken_digest(struct hr_project *p, const struct hr_taken *t, const char *path,
                          char ret[HR_SHA256_HEX])
{
    uint8_t digest[HR_SHA256_SIZE];
    struct hr_sha256 sha;
    struct hr_buf line;
    char hex[HR_SHA256_HEX];
    hr_status r = HR_OK;
    size_t i, n = strlen(path), found = 0;

    hr_sha256_init(&sha);
    hr_buf_of(&line, HR_MAX_PATH, &p->env);
    for (i = 0; i < t->head.count && r == HR_OK; i++) {
        const struct hr_member *m = &t->head.members[i];

        if (strncmp(m->name, path, n) != 0)
            continue;
        hr_sha256_hex(m->digest, hex);
        hr_buf_cut(&line, 0);
        r = hr_buf_format(&line, "%s %llu 0644 %s\n", hex, (unsigned long long)m->size,
                          m->name + n);
        hr_sha256_add(&sha, line.text, line.len);
        found++;
    }
    hr_buf_clear(&line);
    hr_sha256_end(&sha, digest);
    hr_sha256_hex(digest, ret);
    return r < 0 ? hr_fail_memory(&p->env) : HR_OK;
}

/* A member of an object that is a number of 1 to most. */
static bool number_of(const struct hr_json_doc *doc, const struct hr_json *v, const char *key,
                      int64_t most, int64_t *ret)
{
    return hr_json_int(doc, hr_json_get(v, key), ret) && *ret >= 1 && *ret <= most;
}

static hr_status check_content(struct checker *c, const struct hr_json *v)
{
    const char *path = hr_json_text(hr_json_get(v, "path"));
    const char *digest = hr_json_text(hr_json_get(v, "digest")), *its;
    char hex[HR_SHA256_HEX];
    int64_t n = 0;
    hr_status r;

    if (!path || !hr_text_ends(path, "/") || !digest)
        return wrong(c, "manifest.json has a content without path and digest");
    if ((r = hr_taken_digest(c->p, c->t, path, hex)) < 0)
        return r;
    if (strcmp(hex, digest) != 0)
        return wrong(c, "what lies below \"%s\" has the digest %.12s, and the manifest says %.12s",
                     path, hex, digest);
    if (!hr_json_get(v, "artifact"))
        return HR_OK;
    if (!number_of(c->t->manifest, v, "artifact", c->artifact_count, &n))
        return wrong(c, "\"%s\" names an artifact that is not in the lineage", path);
    its = hr_json_text(hr_json_get(c->artifact[n], "digest"));
    if (!hr_text_eq(its, digest) ||
        !hr_text_eq(hr_json_text(hr_json_get(c->artifact[n], "type")),
                    hr_json_text(hr_json_get(v, "type"))))
        return wrong(c, "\"%s\" is not the artifact %lld that the lineage tells of", path,
                     (long long)n);
    return HR_OK;
}

static hr_status check_contents(struct checker *c)
{
    const struct hr_json *content = hr_json_get(hr_json_root(c->t->manifest), "content"), *v;
    hr_status r = HR_OK;
    size_t i, n;

    if (hr_json_kind(content) != HR_JSON_ARRAY || !hr_json_count(content))
        return wrong(c, "manifest.json lists no content");
    for (v = hr_json_first(content); v && r == HR_OK; v = hr_json_next(v))
        r = check_content(c, v);
    for (i = 0; i < c->t->head.count && r == HR_OK; i++) {
        const char *name = c->t->head.members[i].name, *path;

        if (!strcmp(name, "manifest.json") || !strcmp(name, "lineage.json"))
            continue;
        for (v = hr_json_first(content), n = 0; v; v = hr_json_next(v)) {
            path = hr_json_text(hr_json_get(v, "path"));
            n += !strncmp(name, path, strlen(path));
        }
        if (n != 1)
            r = wrong(c, "\"%s\" belongs to %s of the manifest's contents", name,
                      n ? "several" : "none");
    }
    return r;
}

/* -- lineage ------------------------------------------------------------------ */

/* By number, each once, from 1. */
static hr_status index_of(struct checker *c, const struct hr_json *list, const char *what,
                          const struct hr_json ***ret, int64_t *ret_n)
{
    const struct hr_json_doc *doc = c->t->lineage;
    size_t n = hr_json_count(list);
    const struct hr_json **items = hr_arena_array(&c->arena, n + 1, sizeof *items), *v;
    int64_t i = 0;

    if (!items)
        return HR_EXHAUSTED;
    for (v = hr_json_first(list); v; v = hr_json_next(v)) {
        if (!number_of(doc, v, "n", (int64_t)n, &i) || items[i])
            return wrong(c, "lineage.json: the %s are not numbered from 1 on", what);
        items[i] = v;
    }
    *ret = items;
    *ret_n = (int64_t)n;
    return HR_OK;
}

static bool is_digest(const char *text)
{
    size_t i;

    for (i = 0; text && i < 64; i++)
        if (!text[i] || !strchr("0123456789abcdef", text[i]))
            return false;
    return text && !text[64];
}

static hr_status check_artifact(struct checker *c, int64_t n)
{
    const struct hr_json *a = c->artifact[n], *by = hr_json_get(a, "made_by");
    const char *digest = hr_json_text(hr_json_get(a, "digest"));
    int64_t made_by = 0;

    if (!hr_json_text(hr_json_get(a, "type")))
        return wrong(c, "lineage.json: the artifact %lld has no type", (long long)n);
    if (hr_json_get(a, "digest") && !is_digest(digest))
        return wrong(c, "lineage.json: the digest of the artifact %lld is none", (long long)n);
    if (by && !number_of(c->t->lineage, a, "made_by", c->execution_count, &made_by))
        return wrong(c, "lineage.json: the artifact %lld was made by an execution that is missing",
                     (long long)n);
    return HR_OK;
}

static hr_status check_execution(struct checker *c, int64_t n)
{
    const struct hr_json *e = c->execution[n], *in;
    const char *digest = hr_json_text(hr_json_get(e, "plugin_digest"));
    int64_t artifact = 0;

    if (!hr_json_text(hr_json_get(e, "component")))
        return wrong(c, "lineage.json: the execution %lld has no component", (long long)n);
    if (hr_json_get(e, "plugin_digest") && !is_digest(digest))
        return wrong(c, "lineage.json: the plugin's digest of the execution %lld is none",
                     (long long)n);
    for (in = hr_json_first(hr_json_get(e, "inputs")); in; in = hr_json_next(in))
        if (!number_of(c->t->lineage, in, "artifact", c->artifact_count, &artifact))
            return wrong(c, "lineage.json: the execution %lld read an artifact that is missing",
                         (long long)n);
    return HR_OK;
}

/* What was made of itself cannot be: artifacts whose makers have read known ones only are
 * known, until no more are added. */
static hr_status check_order(struct checker *c)
{
    bool *known = hr_arena_array(&c->arena, (size_t)c->artifact_count + 1, sizeof *known);
    int64_t n, left = c->artifact_count, before = left + 1, by, i;
    const struct hr_json *in;

    if (!known)
        return HR_EXHAUSTED;
    while (left && left < before) {
        before = left;
        for (n = c->artifact_count; n >= 1; n--) {
            bool all = !known[n];

            if (all && hr_json_int(c->t->lineage, hr_json_get(c->artifact[n], "made_by"), &by))
                for (in = hr_json_first(hr_json_get(c->execution[by], "inputs")); in && all;
                     in = hr_json_next(in)) {
                    hr_json_int(c->t->lineage, hr_json_get(in, "artifact"), &i);
                    all = known[i];
                }
            known[n] = known[n] || all;
            left -= all;
        }
    }
    return left ? wrong(c, "lineage.json: an artifact comes from itself") : HR_OK;
}

static hr_status check_lineage(struct checker *c)
{
    const struct hr_json *root = hr_json_root(c->t->lineage);
    hr_status r;
    int64_t i;

    c->artifacts = hr_json_get(root, "artifacts");
    c->executions = hr_json_get(root, "executions");
    if (hr_json_kind(c->artifacts) != HR_JSON_ARRAY || hr_json_kind(c->executions) != HR_JSON_ARRAY)
        return wrong(c, "lineage.json has no artifacts or no executions");
    r = index_of(c, c->artifacts, "artifacts", &c->artifact, &c->artifact_count);
    if (r == HR_OK)
        r = index_of(c, c->executions, "executions", &c->execution, &c->execution_count);
    for (i = 1; i <= c->artifact_count && r == HR_OK; i++)
        r = check_artifact(c, i);
    for (i = 1; i <= c->execution_count && r == HR_OK; i++)
        r = check_execution(c, i);
    return r < 0 ? r : check_order(c);
}

/* -- gates and plugins -------------------------------------------------------- */

static hr_status check_gate(struct checker *c, const struct hr_json *gate)
{
    const struct hr_json *properties;
    int64_t n = 0, blessed = 1;

    if (!number_of(c->t->manifest, gate, "artifact", c->artifact_count, &n) ||
        !hr_text_eq(hr_json_text(hr_json_get(gate, "type")),
                    hr_json_text(hr_json_get(c->artifact[n], "type"))))
        return wrong(c, "manifest.json: a gate names no artifact of the lineage");
    properties = hr_json_get(c->artifact[n], "properties");
    if (hr_json_get(properties, "blessed") &&
        !hr_json_int(c->t->lineage, hr_json_get(properties, "blessed"), &blessed))
        blessed = 0;
    if (hr_json_bool(hr_json_get(gate, "passed")) != (blessed == 1))
        return wrong(c, "manifest.json says that a gate was%s passed, the lineage does not",
                     blessed == 1 ? " not" : "");
    return HR_OK;
}

/* The digest of the .so that the manifest tells of is that of the member. */
static hr_status check_plugin(struct checker *c)
{
    const struct hr_json *root = hr_json_root(c->t->manifest), *v;
    const char *digest = hr_json_text(hr_json_get(hr_json_get(root, "plugin"), "sha256"));
    char hex[HR_SHA256_HEX], name[HR_MAX_PATH];
    size_t i;

    if (!is_digest(digest) ||
        !hr_text_eq(hr_json_text(hr_json_get(hr_json_get(root, "plugin"), "id")), c->t->id) ||
        !hr_text_eq(hr_json_text(hr_json_get(hr_json_get(root, "plugin"), "version")),
                    c->t->version))
        return wrong(c, "manifest.json tells of no plugin, or of another one");
    if (!(v = hr_json_first(hr_json_get(root, "platforms"))))
        return wrong(c, "manifest.json names no platform");
    for (; v; v = hr_json_next(v)) {
        const char *platform = hr_json_text(v);

        if (!platform || strlen(platform) > 64)
            return wrong(c, "manifest.json has a platform without a name");
        memcpy(name, platform, strlen(platform));
        memcpy(name + strlen(platform), "/plugin.so", 11);
        for (i = 0; i < c->t->head.count; i++)
            if (!strcmp(c->t->head.members[i].name, name))
                break;
        if (i == c->t->head.count)
            return wrong(c, "\"%s\" is missing", name);
        hr_sha256_hex(c->t->head.members[i].digest, hex);
        if (strcmp(hex, digest) != 0)
            return wrong(c, "\"%s\" is not the plugin that manifest.json was made of", name);
    }
    return HR_OK;
}

hr_status hr_package_check(struct hr_project *p, const struct hr_taken *t)
{
    struct checker c = { .p = p, .t = t };
    const struct hr_json *gate;
    hr_status r = HR_OK;

    hr_arena_init(&c.arena, &p->env, 0);
    if (t->lineage)
        r = check_lineage(&c);
    if (r == HR_OK)
        r = check_contents(&c);
    gate = hr_json_first(hr_json_get(hr_json_root(t->manifest), "gates"));
    for (; gate && r == HR_OK; gate = hr_json_next(gate))
        r = check_gate(&c, gate);
    if (r == HR_OK && !strcmp(t->kind, "plugin"))
        r = check_plugin(&c);
    hr_arena_clear(&c.arena);
    return r;
}
