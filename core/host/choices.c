#include <string.h>

#include "host/package.h"

static hr_status read_list(struct hr_project *p, const struct hr_json *v, struct hr_arena *arena,
                           const char ***ret)
{
    const char **list = hr_arena_array(arena, hr_json_count(v) + 1, sizeof *list);
    const struct hr_json *m;
    size_t n = 0;

    if (!list)
        return HR_EXHAUSTED;
    for (m = hr_json_first(v); m; m = hr_json_next(m)) {
        if (!hr_json_text(m))
            return hr_fail(&p->env, HR_INVALID, "an option's list holds what is no text");
        if (!(list[n++] = hr_arena_text(arena, hr_json_text(m))))
            return HR_EXHAUSTED;
    }
    *ret = list;
    return HR_OK;
}

static hr_status read_one(struct hr_project *p, const struct hr_json_doc *doc,
                          const struct hr_json *v, const struct hr_choice *s,
                          struct hr_arena *arena)
{
    struct hr_place place = hr_json_place(doc, v);
    const char *text = hr_json_text(v);

    if (s->list && hr_json_kind(v) == HR_JSON_ARRAY)
        return read_list(p, v, arena, s->list);
    if (s->flag && hr_json_kind(v) == HR_JSON_BOOL) {
        *s->flag = hr_json_bool(v);
        return HR_OK;
    }
    if (s->text && text)
        return (*s->text = hr_arena_text(arena, text)) ? HR_OK : HR_EXHAUSTED;
    return hr_fail_at(&p->env, HR_INVALID, &place, "the option \"%s\" wants %s", s->name,
                      s->list   ? "a list of texts"
                      : s->flag ? "true or false"
                                : "a text");
}

hr_status hr_choices_read(struct hr_project *p, const char *json,
                           const struct hr_choice *settings, struct hr_arena *arena)
{
    const char *names[32];
    const struct hr_json *m;
    struct hr_json_doc *doc;
    hr_status r = HR_OK;
    size_t n, i;

    if (!json)
        return HR_OK;
    if ((r = hr_json_parse(&p->env, "options", json, strlen(json), 0, &doc)) < 0)
        return r;
    for (n = 0; settings[n].name && n < 32; n++)
        names[n] = settings[n].name;
    if (hr_json_kind(hr_json_root(doc)) != HR_JSON_OBJECT)
        r = hr_fail(&p->env, HR_INVALID, "options are a JSON object");
    for (m = hr_json_first(hr_json_root(doc)); m && r == HR_OK; m = hr_json_next(m)) {
        struct hr_place place = hr_json_key_place(doc, m);

        for (i = 0; i < n && strcmp(names[i], hr_json_key(m)) != 0; i++)
            ;
        r = i < n ? read_one(p, doc, m, &settings[i], arena)
                  : hr_fail_meant(&p->env, HR_INVALID, &place,
                                  hr_text_meant(hr_json_key(m), names, n),
                                  "there is no option \"%s\"", hr_json_key(m));
    }
    hr_json_free(doc);
    return r;
}

hr_status hr_host_text(struct hr_project *p, const char *path, size_t max, struct hr_arena *arena,
                       const char **ret)
{
    struct hr_buf text;
    hr_status r;

    hr_buf_of(&text, max, &p->env);
    r = hr_file_read(&p->env, path, max, &text);
    if (r == HR_OK && !(*ret = hr_arena_bytes(arena, text.text, text.len)))
        r = HR_EXHAUSTED;
    hr_buf_clear(&text);
    return r;
}
