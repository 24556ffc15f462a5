/* Pictures of artifacts, by the libraries that know their files. */
#include <string.h>

#include "analysis/analysis.h"
#include "host/host.h"
#include "validation/validation.h"

static hr_status model_json(struct hr_env *env, const char *dir, struct hr_buf *to)
{
    char path[HR_MAX_PATH];
    hr_status r = hr_path_join(env, dir, "model.json", path);

    if (r < 0 || !hr_file_exists(env, path))
        return r;
    return hr_file_read(env, path, HR_MAX_JSON_BYTES, to);
}

static const struct {
    const char *type;
    hr_status (*make)(struct hr_env *env, const char *dir, struct hr_buf *to);
} pictures[] = {
    { "ExampleStatistics", hr_statistics_json },
    { "Schema", hr_schema_json },
    { "ExampleAnomalies", hr_anomalies_json },
    { "Model", model_json },
    { "PushedModel", model_json },
    { "ModelEvaluation", hr_evaluation_json },
};

hr_status hr_content_of(struct hr_project *p, const struct hr_meta_node *artifact,
                        struct hr_buf *to)
{
    enum hr_at at = HR_AT_NOTHING;
    hr_status r;
    size_t i;

    for (i = 0; i < sizeof pictures / sizeof pictures[0]; i++)
        if (!strcmp(pictures[i].type, artifact->type)) {
            r = hr_look_at(&p->env, artifact->uri, &at);
            return r < 0 || at != HR_AT_DIR ? r : pictures[i].make(&p->env, artifact->uri, to);
        }
    return HR_OK;
}
