/* "command" nodes: a component that is made from the node itself.
 *
 * The program runs by the plugin org.headrace.command, which is given
 *
 *     command      the words, with places for ${input.KEY.uri} and ${output.KEY.uri}
 *     directory    where the pipeline's file lies: words that name files there are made absolute
 *     environment  the names of the node's own properties, which become variables
 *
 * Words that name files or directories beside the pipeline's file become properties of type
 * HR_PATH_READ: the program may read them, and their content is part of the cache key.
 */
#include <string.h>

#include "pipeline/read.h"

#define COMPONENT "org.headrace.command.Command"

enum { MAX_WORDS = 1000, OWN = 3 };

struct maker {
    struct hr_reader *rd;
    struct hr_node *node;
    struct hr_component_info *c;
    const struct hr_json *words, *properties;
};

static bool env_name_ok(const char *name)
{
    size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

    return n && !name[n] && (name[0] < '0' || name[0] > '9') && strcmp(name, "PATH") != 0 &&
           strcmp(name, "HOME") != 0 && strcmp(name, "TMPDIR") != 0 &&
           strcmp(name, "command") != 0 &&
           strcmp(name, "directory") != 0 && strcmp(name, "environment") != 0;
}

static struct hr_setting_source *add(struct maker *m, hr_type type, const char *key,
                                     const char *value)
{
    struct hr_property_info *info = &m->c->properties[m->c->property_count++];
    struct hr_setting_source *s = &m->node->settings[m->node->setting_count++];

    *info = (struct hr_property_info){ .type = type, .key = key, .default_value = value };
    *s = (struct hr_setting_source){ .info = info, .place = m->node->place };
    return s;
}

/* ["STEPS", "RATE"] */
static const char *names_json(struct maker *m)
{
    const struct hr_json *p;
    struct hr_json_writer w;
    const char *text = NULL;
    struct hr_buf buf;

    hr_buf_of(&buf, HR_MAX_JSON_BYTES, m->rd->env);
    hr_json_begin(&w, &buf, 0);
    hr_json_open_array(&w);
    for (p = m->properties ? hr_json_first(m->properties) : NULL; p; p = hr_json_next(p))
        hr_json_put_text(&w, hr_json_key(p));
    hr_json_close_array(&w);
    if (hr_json_end(&w) == HR_OK)
        text = hr_arena_text(&m->rd->p->arena, buf.text);
    hr_buf_clear(&buf);
    return text;
}

static void add_properties(struct maker *m)
{
    const struct hr_json *p;

    for (p = m->properties ? hr_json_first(m->properties) : NULL; p; p = hr_json_next(p)) {
        struct hr_setting_source *s = add(m, HR_JSON, hr_json_key(p), NULL);

        s->value = p;
        hr_read_template(m->rd, s);
        if (!env_name_ok(hr_json_key(p)))
            hr_bad(m->rd, p, "node \"%s\": \"%s\" is no name of a variable for a command",
                   m->node->name, hr_json_key(p));
    }
}

/* A word that names something beside the pipeline's file.  The first word is a program of the
 * system unless it has a slash. */
static void add_file(struct maker *m, const char *word, bool first)
{
    char path[HR_MAX_PATH];
    size_t kept = m->rd->env->errors.count;
    const char *key, *full;

    if (!*word || *word == '-' || strstr(word, "${") || (first && !strchr(word, '/')))
        return;
    if (hr_path_join(m->rd->env, m->node->dir, word, path) < 0) {
        hr_errors_cut(m->rd->env, kept);
        return;
    }
    if (*word == '/' ? !hr_text_starts(path, m->node->dir) : !hr_file_exists(m->rd->env, path))
        return;
    key = hr_arena_format(&m->rd->p->arena, "file:%s", word);
    full = hr_arena_text(&m->rd->p->arena, path);
    if (!key || !full) {
        m->rd->bad++;
        return;
    }
    if (!hr_property_find(m->c->properties, m->c->property_count, key))
        add(m, HR_PATH_READ, key, full);
}

static void add_settings(struct maker *m)
{
    const char *names = names_json(m), **ignore;
    const struct hr_json *w;
    size_t n = 0;

    add(m, HR_JSON, "command", NULL)->value = m->words;
    add(m, HR_STRING, "directory", m->node->dir);
    add(m, HR_JSON, "environment", names);
    add_properties(m);
    for (w = hr_json_first(m->words); w; w = hr_json_next(w))
        if (hr_json_text(w))
            add_file(m, hr_json_text(w), w == hr_json_first(m->words));
    while (m->node->cache_ignore[n])
        n++;
    ignore = hr_arena_array(&m->rd->p->arena, n + 2, sizeof *ignore);
    if (!ignore || !names) {
        m->rd->bad++;
        return;
    }
    memcpy(ignore, m->node->cache_ignore, n * sizeof *ignore);
    ignore[n] = "directory";
    m->node->cache_ignore = ignore;
}

/* "" where it names none, which is told. */
static const char *type_of_output(struct maker *m, const struct hr_json *p)
{
    const struct hr_json *v = hr_json_kind(p) == HR_JSON_OBJECT ? hr_json_get(p, "type") : p;
    const char *type = v ? hr_json_text(v) : NULL;

    if (!type || !*type)
        hr_bad(m->rd, p, "node \"%s\": output \"%s\" wants the name of an artifact type, or "
                         "an object with \"type\" and \"properties\"",
               m->node->name, hr_json_key(p));
    return type ? type : "";
}

static bool make_ports(struct maker *m, const struct hr_json *list, struct hr_port_info **ret,
                       size_t *ret_n, bool output)
{
    const struct hr_json *p;

    *ret_n = 0;
    *ret = hr_arena_array(&m->rd->p->arena, (list ? hr_json_count(list) : 0) + 1, sizeof **ret);
    for (p = list && *ret ? hr_json_first(list) : NULL; p; p = hr_json_next(p)) {
        if (!hr_name_ok(hr_json_key(p)))
            hr_bad(m->rd, p, "node \"%s\": \"%s\" is no name for an input or output",
                   m->node->name, hr_json_key(p));
        (*ret)[(*ret_n)++] =
            (struct hr_port_info){ .key = hr_json_key(p),
                                   .type = output ? type_of_output(m, p) : "",
                                   .flags = output ? 0 : HR_PORT_MANY };
    }
    return *ret != NULL;
}

static bool make_component(struct maker *m, const struct hr_component_info *base)
{
    struct hr_arena *arena = &m->rd->p->arena;
    const struct hr_json *inputs = hr_want(m->rd, m->node->json, "inputs", HR_JSON_OBJECT);
    const struct hr_json *outputs = hr_want(m->rd, m->node->json, "outputs", HR_JSON_OBJECT);
    size_t most = OWN + hr_json_count(m->words) + 1, i;

    m->properties = hr_want(m->rd, m->node->json, "properties", HR_JSON_OBJECT);
    most += m->properties ? hr_json_count(m->properties) : 0;
    if (!(m->c = hr_arena_get(arena, sizeof *m->c)))
        return false;
    *m->c = *base;
    m->c->property_count = 0;
    m->c->properties = hr_arena_array(arena, most, sizeof *m->c->properties);
    m->node->settings = hr_arena_array(arena, most, sizeof *m->node->settings);
    if (!m->c->properties || !m->node->settings ||
        !make_ports(m, inputs, &m->c->inputs, &m->c->input_count, false) ||
        !make_ports(m, outputs, &m->c->outputs, &m->c->output_count, true))
        return false;
    m->node->output_count = m->c->output_count;
    m->node->outputs = hr_arena_array(arena, m->c->output_count + 1, sizeof *m->node->outputs);
    for (i = 0; m->node->outputs && i < m->c->output_count; i++)
        m->node->outputs[i] = (struct hr_node_output){ m->c->outputs[i].key, m->c->outputs[i].type,
                                                       &m->c->outputs[i] };
    return m->node->outputs != NULL;
}

void hr_read_command(struct hr_reader *rd, struct hr_node *node)
{
    struct maker m = { .rd = rd, .node = node, .words = hr_json_get(node->json, "command") };
    struct hr_place place = hr_json_place(rd->doc, m.words);
    const struct hr_component_info *base;
    const struct hr_json *w;

    if (hr_json_kind(m.words) != HR_JSON_ARRAY || !hr_json_count(m.words) ||
        hr_json_count(m.words) > MAX_WORDS) {
        hr_bad(rd, m.words, "node \"%s\": \"command\" wants a list of words, as [\"python3\","
                            " \"train.py\"]",
               node->name);
        return;
    }
    for (w = hr_json_first(m.words); w; w = hr_json_next(w))
        if (!hr_json_text(w))
            hr_bad(rd, w, "node \"%s\": a word of \"command\" wants to be a string", node->name);
    if (!(base = hr_catalogue_component(rd->catalogue, NULL, &place, COMPONENT)) ||
        !make_component(&m, base)) {
        rd->bad++;
        return;
    }
    add_settings(&m);
    node->component = m.c;
    hr_read_extras(rd, node);
}

static hr_status take_type(void *user, const struct hr_found *found)
{
    const char **type = user;

    if (!*type)
        *type = found->output->type;
    return HR_OK;
}

/* What a channel gives is what the program gets. */
void hr_type_inputs(struct hr_reader *rd, struct hr_node *node)
{
    const struct hr_json *list = hr_json_get(node->json, "inputs"), *m, *first;
    struct hr_port_info *ports = node->component ? node->component->inputs : NULL;
    size_t bad = rd->bad, told = rd->env->errors.count, i = 0;

    for (m = list && ports ? hr_json_first(list) : NULL; m; m = hr_json_next(m), i++) {
        const char *type = NULL, *name;
        const int64_t *pick;
        struct hr_lookup look = { .who = node, .found = take_type, .user = &type };

        first = hr_json_kind(m) == HR_JSON_ARRAY ? hr_json_first(m) : m;
        if (first && hr_json_kind(first) == HR_JSON_OBJECT && hr_json_get(first, "query")) {
            type = hr_json_text(hr_json_get(hr_json_get(first, "query"), "type"));
            ports[i].type = type ? type : "";
            continue;
        }
        if (!first || !(name = hr_json_text(first)) || hr_read_pick(rd, first, &name, &pick) < 0 ||
            hr_node_loop(node, name) != SIZE_MAX)
            continue;
        look.at = first;
        hr_look_up(rd, &look, node->group, hr_json_text(first));
        if (type)
            ports[i].type = type;
    }
    hr_errors_cut(rd->env, told); /* what is wrong is told when the channels are read */
    rd->bad = bad;
}
