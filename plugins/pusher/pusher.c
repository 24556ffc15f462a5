/* Pusher - publishes a model that is blessed.
 *
 * destination/1, destination/2, ...: a number is taken by the rename of a whole copy, so a
 * reader sees all of a version or nothing, and of two pushers at once each gets its own.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "headrace/easy.h"

enum { MAX_TRIES = 1000 };

struct push {
    struct hr_env env;
    const hr_run_1 *rt;
    hr_run *run;
    const char *model, *out, *destination, *name;
    char version[HR_NUM_TEXT];
    char place[HR_MAX_PATH];
    bool again; /* the newest version holds this very model */
};

/* -- copies ---------------------------------------------------------------- */

static hr_status copy_file(struct hr_env *env, const char *from, const char *to)
{
    struct hr_out *out = NULL;
    struct hr_map map;
    hr_status r = hr_file_map(env, from, &map);

    if (r < 0)
        return r;
    r = hr_out_open(env, to, &out);
    if (r == HR_OK)
        r = hr_out_add(out, map.data, map.size);
    if (r == HR_OK)
        r = hr_out_close(out, false);
    else
        hr_out_drop(out);
    hr_file_unmap(env, &map);
    return r;
}

static hr_status copy_tree(struct hr_env *env, const char *from, const char *to)
{
    char a[HR_MAX_PATH], b[HR_MAX_PATH], dir[HR_MAX_PATH];
    struct hr_names names = { 0 };
    hr_status r = hr_tree_list(env, from, &names);
    size_t i;

    for (i = 0; i < names.count && r == HR_OK; i++) {
        if ((r = hr_path_join(env, from, names.names[i], a)) < 0 ||
            (r = hr_path_join(env, to, names.names[i], b)) < 0)
            break;
        hr_path_dir(b, dir);
        r = hr_dir_make(env, dir);
        if (r == HR_OK)
            r = copy_file(env, a, b);
    }
    hr_names_clear(env, &names);
    return r < 0 ? r : hr_tree_sync(env, to);
}

static bool same_file(struct hr_env *env, const char *a, const char *b)
{
    uint8_t x[HR_SHA256_SIZE], y[HR_SHA256_SIZE];

    return hr_file_digest(env, a, x, NULL) == HR_OK && hr_file_digest(env, b, y, NULL) == HR_OK &&
           !memcmp(x, y, sizeof x);
}

static bool same_tree(struct hr_env *env, const char *a, const char *b)
{
    char x[HR_MAX_PATH], y[HR_MAX_PATH];
    struct hr_names na = { 0 }, nb = { 0 };
    size_t kept = env->errors.count, i;
    bool same = hr_tree_list(env, a, &na) == HR_OK && hr_tree_list(env, b, &nb) == HR_OK &&
                na.count == nb.count;

    for (i = 0; same && i < na.count; i++)
        same = !strcmp(na.names[i], nb.names[i]) && hr_path_join(env, a, na.names[i], x) == HR_OK &&
               hr_path_join(env, b, nb.names[i], y) == HR_OK && same_file(env, x, y);
    hr_names_clear(env, &na);
    hr_names_clear(env, &nb);
    hr_errors_cut(env, kept);
    return same;
}

/* -- versions -------------------------------------------------------------- */

/* The highest number among the names; 0: none. */
static hr_status newest(struct push *p, int64_t *ret)
{
    struct hr_names names = { 0 };
    hr_status r = hr_dir_make_safe(&p->env, p->destination);
    int64_t v;
    size_t i;

    *ret = 0;
    if (r == HR_OK)
        r = hr_dir_list(&p->env, p->destination, &names);
    for (i = 0; r == HR_OK && i < names.count; i++)
        if (hr_num_int(names.names[i], strlen(names.names[i]), &v) && v > *ret)
            *ret = v;
    hr_names_clear(&p->env, &names);
    return r;
}

static hr_status place_of(struct push *p, int64_t version)
{
    hr_num_put_int(p->version, version);
    return hr_path_join(&p->env, p->destination, p->version, p->place);
}

/* Rename a copy to the first number that is free; a taken one moves on to the next. */
static hr_status take_number(struct push *p, const char *copy, int64_t version)
{
    hr_status r = HR_OK;
    int i, e = -EEXIST;

    for (i = 0; i < MAX_TRIES && r == HR_OK; i++) {
        if ((r = place_of(p, version + i)) < 0 || hr_file_exists(&p->env, p->place))
            continue;
        e = p->env.os->rename(p->env.os->user, copy, p->place);
        if (e == 0)
            return hr_dir_sync(&p->env, p->destination);
        if (e != -EEXIST && e != -ENOTEMPTY)
            break;
    }
    return r < 0 ? r : hr_fail_os(&p->env, e, "rename the new version to", p->place);
}

static hr_status publish(struct push *p)
{
    char copy[HR_MAX_PATH], name[64];
    int64_t version, id = 0;
    hr_status r = newest(p, &version);

    if (r == HR_OK && version)
        r = place_of(p, version);
    if (r < 0)
        return r;
    if (version && same_tree(&p->env, p->model, p->place)) {
        p->again = true;
        return HR_OK;
    }
    p->rt->get_int(p->run, "model", 0, "__id", &id);
    snprintf(name, sizeof name, ".model-%lld.part", (long long)id);
    if ((r = hr_path_join(&p->env, p->destination, name, copy)) < 0 ||
        (r = hr_tree_remove(&p->env, copy)) < 0 || (r = hr_dir_make(&p->env, copy)) < 0)
        return r;
    r = copy_tree(&p->env, p->model, copy);
    if (r == HR_OK)
        r = take_number(p, copy, version + 1);
    if (r < 0)
        hr_tree_remove(&p->env, copy);
    return r;
}

/* -- gates ----------------------------------------------------------------- */

/* A blessing that is connected has to say yes; NULL: it does. */
static const char *refusal(struct push *p)
{
    static const char *const gates[] = { "model_blessing", "infra_blessing" };
    static const char *const words[] = { "NOT_BLESSED by evaluator",
                                         "INFRA_NOT_BLESSED by infra validator" };
    int64_t blessed;
    size_t i;

    for (i = 0; i < 2; i++) {
        if (!p->rt->count(p->run, gates[i]))
            continue;
        if (p->rt->get_int(p->run, gates[i], 0, "blessed", &blessed) < 0)
            return "not evaluated: the blessing has no verdict";
        if (blessed != 1)
            return words[i];
    }
    return NULL;
}

static hr_status set_facts(struct push *p, const char *refused)
{
    char summary[HR_MAX_PATH + 256];
    hr_status r = p->rt->set_int(p->run, "pushed_model", 0, "pushed", !refused);

    if (r == HR_OK)
        r = p->rt->set_text(p->run, "pushed_model", 0, "model_name", p->name);
    if (refused) {
        snprintf(summary, sizeof summary, "not pushed: %s", refused);
    } else {
        snprintf(summary, sizeof summary, "%s version %s -> %s%s", p->name, p->version,
                 hr_path_name(p->destination), p->again ? " (as it is there)" : "");
        if (r == HR_OK)
            r = p->rt->set_text(p->run, "pushed_model", 0, "pushed_version", p->version);
        if (r == HR_OK)
            r = p->rt->set_text(p->run, "pushed_model", 0, "pushed_destination", p->place);
    }
    return r < 0 ? r : p->rt->set_text(p->run, NULL, 0, HR_SUMMARY, summary);
}

static hr_status push(struct push *p)
{
    const char *refused = refusal(p);
    hr_status r = p->rt->path(p->run, "pushed_model", 0, &p->out);

    if (r == HR_OK)
        r = p->rt->path(p->run, "model", 0, &p->model);
    if (r == HR_OK && !refused)
        r = publish(p);
    if (r == HR_OK && !refused)
        r = copy_tree(&p->env, p->model, p->out);
    return r < 0 ? r : set_facts(p, refused);
}

static hr_status run_push(void *self, hr_run *run)
{
    const struct hr_easy *easy = self;
    struct push p = { .rt = easy->run,
                      .run = run,
                      .destination = easy->run->prop_text(run, "destination"),
                      .name = easy->run->prop_text(run, "model_name") };
    hr_status r;

    hr_env_init(&p.env, NULL);
    r = push(&p);
    if (r < 0 && p.env.errors.count)
        easy->run->fail(run, r, hr_env_error(&p.env));
    hr_env_clear(&p.env);
    return r;
}

static const hr_executor_1 hooks = { hr_easy_make, run_push, free };
static const hr_offer executor = HR_OFFER(HR_EXECUTOR, &hooks);

static const hr_port model = HR_PORT("model", "Model", "The model to publish.");
static const hr_port blessing = HR_PORT_FLAGS("model_blessing", "ModelBlessing", HR_PORT_OPTIONAL,
                                              "The evaluator's verdict; without it all pass.");
static const hr_port infra = HR_PORT_FLAGS("infra_blessing", "InfraBlessing", HR_PORT_OPTIONAL,
                                           "The infra validator's verdict.");
static const hr_port pushed =
    HR_PORT("pushed_model", "PushedModel", "The model as it was published.");
static const hr_property model_name =
    HR_PROPERTY(HR_STRING, "model_name", "model", NULL, "What the registry calls it.");
static const hr_property destination =
    HR_PROPERTY(HR_PATH_WRITE, "destination", NULL, NULL,
                "The directory whose subdirectories 1, 2, ... are versions.");

static const hr_component pusher = {
    .struct_size = sizeof pusher,
    .id = "org.headrace.pusher.Pusher",
    .version = "0.1.0",
    .doc = "Publishes a model that is blessed as a new version.",
    .inputs = HR_LIST(hr_port, &model, &blessing, &infra),
    .outputs = HR_LIST(hr_port, &pushed),
    .properties = HR_LIST(hr_property, &model_name, &destination),
    .needs = HR_IDS(HR_RUN),
    .offers = HR_LIST(hr_offer, &executor),
};

HR_PLUGIN("org.headrace.pusher", "0.1.0", &pusher);
