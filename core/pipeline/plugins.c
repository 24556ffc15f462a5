/* "plugins": which of them a pipeline takes its components from. */
#include <string.h>

#include "pipeline/read.h"

enum { MAX_WISHES = 1000 };

static void read_wish(struct hr_reader *rd, const struct hr_json *v)
{
    struct hr_wish *wish = &rd->p->plugins[rd->p->plugin_count];
    const char *text = hr_json_text(v), *at = text ? strchr(text, '@') : NULL;
    size_t i;

    if (!text) {
        hr_bad(rd, v, "a plugin is \"id\" or \"id@^1.2\", and this is %s",
               hr_json_kind_text(hr_json_kind(v)));
        return;
    }
    *wish = (struct hr_wish){ .place = hr_json_place(rd->doc, v) };
    wish->id = at ? hr_arena_bytes(&rd->p->arena, text, (size_t)(at - text)) : text;
    wish->text = at ? at + 1 : NULL;
    if (!wish->id) {
        rd->bad++;
        return;
    }
    for (i = 0; i < rd->p->plugin_count; i++)
        if (!strcmp(rd->p->plugins[i].id, wish->id)) {
            hr_bad(rd, v, "plugin \"%s\" is listed twice", wish->id);
            return;
        }
    if (!*wish->id || (at && !hr_range_read(wish->text, &wish->range)))
        hr_bad(rd, v,
               "\"%s\" is no plugin with a range of versions: \"id\", \"id@1.2.3\", "
               "\"id@^1.2\", \"id@~1.2\" or \"id@>=1.2\"",
               text);
    else
        rd->p->plugin_count++;
}

void hr_read_plugins(struct hr_reader *rd, const struct hr_json *list)
{
    struct hr_wishes wishes = { .pins = rd->pins, .pin_count = rd->pin_count, .only = list };
    size_t bad = rd->bad;
    const struct hr_json *v;

    if (list && hr_json_kind(list) != HR_JSON_ARRAY) {
        hr_bad(rd, list, "\"plugins\" is a list, and this is %s",
               hr_json_kind_text(hr_json_kind(list)));
        return;
    }
    if (list && hr_json_count(list) > MAX_WISHES) {
        hr_bad(rd, list, "more than %d plugins", MAX_WISHES);
        return;
    }
    rd->p->plugins = hr_arena_array(&rd->p->arena, hr_json_count(list) + 1,
                                    sizeof *rd->p->plugins);
    for (v = rd->p->plugins ? hr_json_first(list) : NULL; v; v = hr_json_next(v))
        read_wish(rd, v);
    rd->p->listed = list != NULL;
    wishes.items = rd->p->plugins;
    wishes.count = rd->p->plugin_count;
    /* Without a list and a lock the newest of each count; what is wrong with a list is told, and
     * then nothing is made of it. */
    if (!rd->p->plugins || (bad == rd->bad && (list || rd->pin_count) &&
                            hr_catalogue_select(rd->catalogue, rd->env, &wishes, &rd->p->arena,
                                                &rd->p->takes) < 0))
        rd->bad++;
}
