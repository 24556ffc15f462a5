/* Who may sign packages, and what becomes of others: trust.json, beside .headrace/, so that it
 * is committed with the pipeline.
 *
 *     {
 *       "headrace_trust": 1,
 *       "unsigned": "refuse",                         // or "warn", "allow"
 *       "keys": [{"name": "release", "key": "RWQ..."}],
 *       "sign_with": "/secure/headrace.key"           // signs what is published; optional
 *     }
 *
 * A signature by a key that is not in the list is worth as much as none, since anybody can make
 * one, and is treated so.  One that does not hold is refused always.  Without the file packages
 * are taken, with a warning.
 */
#include <string.h>

#include "host/package.h"

enum { MAX_KEYS = 1000, MAX_TRUST = 1 << 20 };

static const char *const words[] = { "warn", "allow", "refuse" };
static const char *const names[] = { "headrace_trust", "unsigned", "keys", "sign_with" };

static hr_status add_key(struct hr_project *p, struct hr_arena *arena, struct hr_trust *t,
                         const char *name, const char *text)
{
    const struct hr_registry_1 *registry;
    char id[17], line[64];
    hr_status r = hr_host_registry(p, &registry);

    if (r == HR_OK)
        r = registry->key_read(&p->env, name, text, id, line);
    if (r < 0)
        return r;
    if (t->count == t->cap)
        return hr_fail(&p->env, HR_INVALID, "more than %d keys are trusted", MAX_KEYS);
    t->keys[t->count].name = hr_arena_text(arena, name);
    t->keys[t->count].text = hr_arena_text(arena, line);
    return t->keys[t->count].name && t->keys[t->count++].text ? HR_OK : HR_EXHAUSTED;
}

static hr_status read_key(struct hr_project *p, const struct hr_json_doc *doc,
                          const struct hr_json *v, struct hr_arena *arena, struct hr_trust *t)
{
    const char *name = hr_json_text(hr_json_get(v, "name"));
    const char *key = hr_json_text(hr_json_get(v, "key"));
    struct hr_place place = hr_json_place(doc, v);

    if (!name || !*name || !key || hr_json_count(v) != 2)
        return hr_fail_at(&p->env, HR_INVALID, &place,
                          "a key is {\"name\": ..., \"key\": \"RW...\"}");
    return add_key(p, arena, t, name, key);
}

static hr_status read_member(struct hr_project *p, const struct hr_json_doc *doc,
                             const struct hr_json *m, struct hr_arena *arena, struct hr_trust *t)
{
    struct hr_place place = hr_json_key_place(doc, m);
    const char *name = hr_json_key(m), *text = hr_json_text(m);
    const struct hr_json *key;
    hr_status r = HR_OK;
    int64_t format = 0;
    int32_t i;

    if (!strcmp(name, "headrace_trust")) {
        if (!hr_json_int(doc, m, &format) || format != 1)
            r = hr_fail_at(&p->env, HR_PRECONDITION, &place,
                           "\"headrace_trust\" is 1; another format needs another headrace");
    } else if (!strcmp(name, "unsigned")) {
        for (i = 0; i < 3 && !hr_text_eq(words[i], text); i++)
            ;
        t->without = (enum hr_unsigned)i;
        if (i == 3)
            r = hr_fail_at(&p->env, HR_INVALID, &place,
                           "\"unsigned\" is \"refuse\", \"warn\" or \"allow\"");
    } else if (!strcmp(name, "keys")) {
        for (key = hr_json_first(m); key && r == HR_OK; key = hr_json_next(key))
            r = read_key(p, doc, key, arena, t);
    } else if (!strcmp(name, "sign_with") && text) {
        char path[HR_MAX_PATH], dir[HR_MAX_PATH];

        hr_path_dir(t->file, dir);
        r = hr_path_join(&p->env, dir, text, path);
        if (r == HR_OK && !(t->sign_with = hr_arena_text(arena, path)))
            r = HR_EXHAUSTED;
    } else {
        r = hr_fail_meant(&p->env, HR_INVALID, &place, hr_text_meant(name, names, 4),
                          "\"%s\" is no member of trust.json, or has another type", name);
    }
    return r;
}

static hr_status read_file(struct hr_project *p, struct hr_arena *arena, struct hr_trust *t)
{
    char path[HR_MAX_PATH];
    struct hr_json_doc *doc;
    const struct hr_json *m;
    const char *text = NULL;
    hr_status r = p->trust ? hr_path_join(&p->env, "", p->trust, path)
                           : hr_path_join(&p->env, p->paths.project, "trust.json", path);

    /* One that was named has to be there. */
    if (r < 0 || (!p->trust && !hr_file_exists(&p->env, path)))
        return r;
    if ((r = hr_host_text(p, path, MAX_TRUST, arena, &text)) < 0 ||
        (r = hr_json_parse(&p->env, path, text, strlen(text), HR_JSON_COMMENTS, &doc)) < 0)
        return r;
    if (!(t->file = hr_arena_text(arena, path)))
        r = HR_EXHAUSTED;
    else if (!hr_json_get(hr_json_root(doc), "headrace_trust") ||
        !hr_json_get(hr_json_root(doc), "unsigned"))
        r = hr_fail(&p->env, HR_INVALID,
                    "\"%s\" has to say \"headrace_trust\": 1, and \"unsigned\": what to do with "
                    "packages that no trusted key has signed",
                    path);
    for (m = hr_json_first(hr_json_root(doc)); m && r == HR_OK; m = hr_json_next(m))
        r = read_member(p, doc, m, arena, t);
    hr_json_free(doc);
    return r;
}

/* The line of a key, or the file of one. */
static hr_status add_given(struct hr_project *p, const char *given, struct hr_arena *arena,
                           struct hr_trust *t)
{
    const char *text = given;
    hr_status r = HR_OK;

    if (strlen(given) != 56 || !hr_text_starts(given, "RW"))
        r = hr_host_text(p, given, 4096, arena, &text);
    return r < 0 ? r : add_key(p, arena, t, given, text);
}

hr_status hr_trust_read(struct hr_project *p, const char *const *more, struct hr_arena *arena,
                        struct hr_trust *ret)
{
    hr_status r = HR_OK;

    *ret = (struct hr_trust){ .cap = MAX_KEYS };
    if (!(ret->keys = hr_arena_array(arena, MAX_KEYS, sizeof *ret->keys)))
        return HR_EXHAUSTED;
    for (; more && *more && r == HR_OK; more++) {
        r = add_given(p, *more, arena, ret);
        ret->without = HR_UNSIGNED_REFUSE;
    }
    if (ret->count || r < 0 || (!p->opened && !p->trust))
        return r;
    return read_file(p, arena, ret);
}

static const char *describe(const struct hr_package_head *head, struct hr_arena *arena)
{
    if (head->state == HR_SIGNED_TRUSTED)
        return hr_arena_format(arena, "signed by %s", head->signer);
    if (head->state == HR_SIGNED_UNKNOWN)
        return hr_arena_format(arena, "signed by the unknown key %s", head->key);
    return "unsigned";
}

hr_status hr_trust_judge(struct hr_project *p, const struct hr_trust *t, const char *file,
                         const struct hr_package_head *head, struct hr_arena *arena,
                         const char **ret_text)
{
    const char *what = describe(head, arena);

    if (!what)
        return HR_EXHAUSTED;
    if (head->state == HR_SIGNED_TRUSTED || t->without == HR_UNSIGNED_ALLOW) {
        *ret_text = what;
        return HR_OK;
    }
    if (t->without == HR_UNSIGNED_REFUSE)
        return hr_fail(&p->env, HR_DENIED,
                       "\"%s\" is %s, and %s%s%s; have it signed by a key that is trusted, or "
                       "trust this one",
                       file, what, t->file ? "\"" : "only ", t->file ? t->file : "the given keys",
                       t->file ? "\" refuses what no key of its list has signed" : " are trusted");
    *ret_text = hr_arena_format(arena, "%s, taken with a warning", what);
    hr_host_say(p, HR_WARN, hr_arena_format(arena, "\"%s\" is %s, and is taken", file, what));
    return *ret_text ? HR_OK : HR_EXHAUSTED;
}
