/* The normalized form: every default filled in, every name full. */
#include <string.h>

#include "pipeline/pipeline.h"

static void put_params(const struct hr_pipeline *p, struct hr_json_writer *w)
{
    struct hr_buf text;
    size_t i;

    hr_json_put_key(w, "parameters");
    hr_json_open_object(w);
    for (i = 0; i < p->param_count; i++) {
        const struct hr_param *param = &p->params[i];

        hr_json_put_key(w, param->name);
        hr_json_open_object(w);
        hr_json_put_member_text(w, "type", hr_type_text(param->type));
        if (param->value.kind != HR_TERM_UNKNOWN) {
            hr_buf_of(&text, HR_MAX_JSON_BYTES, p->env);
            hr_term_json(&param->value, &text);
            hr_json_put_key(w, "default");
            hr_json_put_raw(w, text.text, text.len);
            hr_buf_clear(&text);
        }
        if (param->constraint)
            hr_json_put_member_text(w, "constraint", param->constraint);
        if (param->note)
            hr_json_put_member_text(w, "doc", param->note);
        hr_json_close_object(w);
    }
    hr_json_close_object(w);
}

static void put_plugins(const struct hr_pipeline *p, struct hr_json_writer *w)
{
    struct hr_buf text;
    size_t i;

    if (!p->listed)
        return;
    hr_json_put_key(w, "plugins");
    hr_json_open_array(w);
    hr_buf_of(&text, HR_MAX_JSON_BYTES, p->env);
    for (i = 0; i < p->plugin_count; i++) {
        hr_buf_cut(&text, 0);
        hr_buf_format(&text, "%s%s%s", p->plugins[i].id, p->plugins[i].text ? "@" : "",
                      p->plugins[i].text ? p->plugins[i].text : "");
        hr_json_put_buf(w, &text);
    }
    hr_buf_clear(&text);
    hr_json_close_array(w);
}

static void put_inputs(const struct hr_pipeline *p, const struct hr_node *node,
                       struct hr_json_writer *w)
{
    struct hr_buf name;
    size_t i, k;

    hr_json_put_key(w, "inputs");
    hr_json_open_object(w);
    hr_buf_of(&name, 1024, p->env);
    for (i = 0; i < node->input_count; i++) {
        hr_json_put_key(w, node->inputs[i].key);
        hr_json_open_array(w);
        for (k = 0; k < node->inputs[i].channel_count; k++) {
            const struct hr_channel_ref *c = &node->inputs[i].channels[k];

            hr_buf_cut(&name, 0);
            if (c->query) {
                hr_buf_format(&name, "query of %s", c->query->type ? c->query->type
                                                                  : node->inputs[i].port->type);
                hr_json_put_buf(w, &name);
                continue;
            }
            if (c->node != (size_t)HR_CHANNEL_ITEM)
                hr_buf_format(&name, "%s.", p->nodes[c->node].name);
            hr_buf_text(&name, c->output);
            if (c->pick)
                hr_buf_format(&name, "[%lld]", (long long)*c->pick);
            hr_json_put_buf(w, &name);
        }
        hr_json_close_array(w);
    }
    hr_buf_clear(&name);
    hr_json_close_object(w);
}

static void put_settings(const struct hr_node *node, struct hr_json_writer *w)
{
    size_t i;

    hr_json_put_key(w, "properties");
    hr_json_open_object(w);
    for (i = 0; i < node->setting_count; i++) {
        const struct hr_setting_source *s = &node->settings[i];
        const char *text = s->info->default_value;
        bool plain = s->info->type == HR_INT || s->info->type == HR_FLOAT ||
                     s->info->type == HR_BOOL || (s->info->type == HR_JSON && text && *text);

        hr_json_put_key(w, s->info->key);
        if (s->value)
            hr_json_put_value(w, node->doc, s->value, false);
        else if (plain)
            hr_json_put_raw(w, text, strlen(text));
        else
            hr_json_put_text(w, s->info->type == HR_JSON ? NULL : text);
    }
    hr_json_close_object(w);
}

static void put_output(const struct hr_node *node, size_t output, struct hr_json_writer *w)
{
    bool some = false;
    size_t i;

    hr_json_put_key(w, node->outputs[output].key);
    for (i = 0; i < node->extra_count; i++) {
        if (node->kind == HR_NODE_IMPORTER || node->extras[i].output != output)
            continue;
        if (!some) {
            hr_json_open_object(w);
            hr_json_put_member_text(w, "type", node->outputs[output].type);
            hr_json_put_key(w, "properties");
            hr_json_open_object(w);
        }
        some = true;
        hr_json_put_key(w, node->extras[i].source.info->key);
        hr_json_put_value(w, node->doc, node->extras[i].source.value, false);
    }
    if (!some) {
        hr_json_put_text(w, node->outputs[output].type);
        return;
    }
    hr_json_close_object(w);
    hr_json_close_object(w);
}

static void put_kind(const struct hr_pipeline *p, const struct hr_node *node,
                     struct hr_json_writer *w)
{
    const char **s;
    size_t i;

    if (node->kind == HR_NODE_COMPONENT) {
        hr_json_put_member_text(w, "component", node->component->id);
        put_inputs(p, node, w);
        put_settings(node, w);
    } else if (node->kind == HR_NODE_RESOLVER) {
        hr_json_put_key(w, "resolver");
        hr_json_open_array(w);
        for (s = node->resolver->strategies; *s; s++)
            hr_json_put_text(w, *s);
        hr_json_close_array(w);
    } else {
        hr_json_put_key(w, "importer");
        hr_json_put_value(w, node->doc, hr_json_get(node->json, "importer"), false);
    }
    hr_json_put_key(w, "outputs");
    hr_json_open_object(w);
    for (i = 0; i < node->output_count; i++)
        put_output(node, i, w);
    hr_json_close_object(w);
}

static void put_each(const struct hr_node *of, struct hr_json_writer *w)
{
    hr_json_open_object(w);
    hr_json_put_key(w, "in");
    hr_json_put_value(w, of->doc, of->each->in.value, false);
    hr_json_put_member_text(w, "as", of->each->as);
    if (of->each->parallel)
        hr_json_put_member_int(w, "parallel", of->each->parallel);
    hr_json_close_object(w);
}

static void put_control(const struct hr_pipeline *p, const struct hr_node *node,
                        struct hr_json_writer *w)
{
    size_t i;

    if (node->condition.value) {
        hr_json_put_key(w, "if");
        hr_json_put_value(w, node->doc, node->condition.value, false);
    }
    if (node->loop_count)
        hr_json_put_key(w, "for_each");
    if (node->loop_count > 1)
        hr_json_open_array(w);
    for (i = 0; i < node->loop_count; i++)
        put_each(node->loops[i], w);
    if (node->loop_count > 1)
        hr_json_close_array(w);
    if (node->group != (size_t)HR_NO_GROUP)
        hr_json_put_member_text(w, "in", p->groups[node->group].face.name);
    if (node->last)
        hr_json_put_member_bool(w, "finally", true);
}

static void put_node(const struct hr_pipeline *p, const struct hr_node *node,
                     struct hr_json_writer *w)
{
    const char **ignore;
    size_t i;

    hr_json_put_key(w, node->name);
    hr_json_open_object(w);
    put_kind(p, node, w);
    put_control(p, node, w);
    hr_json_put_key(w, "after");
    hr_json_open_array(w);
    for (i = 0; i < node->upstream_count; i++)
        hr_json_put_text(w, p->nodes[node->upstream[i]].name);
    hr_json_close_array(w);
    hr_json_put_key(w, "cache");
    if (node->cache && node->cache_ignore && *node->cache_ignore) {
        hr_json_open_object(w);
        hr_json_put_key(w, "ignore");
        hr_json_open_array(w);
        for (ignore = node->cache_ignore; *ignore; ignore++)
            hr_json_put_text(w, *ignore);
        hr_json_close_array(w);
        hr_json_close_object(w);
    } else {
        hr_json_put_bool(w, node->cache);
    }
    hr_json_put_member_int(w, "retries", node->retries);
    hr_json_put_member_text(w, "isolation", node->isolation == HR_ISOLATE_NONE ? "none" : "worker");
    if (node->note)
        hr_json_put_member_text(w, "doc", node->note);
    hr_json_close_object(w);
}

hr_status hr_pipeline_normal(const struct hr_pipeline *p, struct hr_buf *to)
{
    struct hr_json_writer w;
    size_t i;

    hr_json_begin(&w, to, 2);
    hr_json_open_object(&w);
    hr_json_put_member_int(&w, "headrace", 1);
    hr_json_put_member_text(&w, "name", p->name);
    if (p->note)
        hr_json_put_member_text(&w, "doc", p->note);
    put_plugins(p, &w);
    put_params(p, &w);
    hr_json_put_key(&w, "nodes");
    hr_json_open_object(&w);
    for (i = 0; i < p->node_count; i++)
        put_node(p, &p->nodes[p->order[i]], &w);
    hr_json_close_object(&w);
    hr_json_close_object(&w);
    return hr_json_end(&w);
}
