#include "plugin/take.h"

static void note(struct hr_taker *t, hr_status r)
{
    if (t->status == HR_OK)
        t->status = r;
}

const char *hr_take_text(struct hr_taker *t, const struct hr_json *object, const char *key)
{
    const char *text = hr_json_text(hr_json_get(object, key));

    if (text && !(text = hr_arena_text(t->arena, text)))
        note(t, HR_EXHAUSTED);
    return text;
}

int64_t hr_take_int(struct hr_taker *t, const struct hr_json *object, const char *key)
{
    int64_t v = 0;

    hr_json_int(t->doc, hr_json_get(object, key), &v);
    return v;
}

void *hr_take_array(struct hr_taker *t, const struct hr_json *list, size_t size, size_t *ret_n)
{
    size_t n = list ? hr_json_count(list) : 0;
    void *p = hr_arena_array(t->arena, n + 1, size);

    *ret_n = p ? n : 0;
    if (!p)
        note(t, HR_EXHAUSTED);
    return p;
}

const char **hr_take_texts(struct hr_taker *t, const struct hr_json *list)
{
    size_t n, i = 0;
    const char **texts = hr_take_array(t, list, sizeof *texts, &n);
    const struct hr_json *m;

    for (m = n ? hr_json_first(list) : NULL; m; m = hr_json_next(m), i++) {
        if (!hr_json_text(m))
            note(t, HR_INVALID);
        else if (!(texts[i] = hr_arena_text(t->arena, hr_json_text(m))))
            note(t, HR_EXHAUSTED);
    }
    return texts;
}
