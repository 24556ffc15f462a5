/* The text of a pipeline file, against a catalogue of one plugin that is described here. */
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/base.h"
#include "pipeline/pipeline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static hr_status none_make(const hr_host *host, hr_run *run, void **ret)
{
    (void)host, (void)run, (void)ret;
    return HR_UNIMPLEMENTED;
}

static hr_status none_run(void *self, hr_run *run)
{
    (void)self, (void)run;
    return HR_UNIMPLEMENTED;
}

static void none_drop(void *self)
{
    (void)self;
}

static const hr_executor_1 hooks = { none_make, none_run, none_drop };
static const hr_offer executor = { sizeof executor, 0, HR_EXECUTOR, &hooks };
static const hr_port in = { sizeof in, HR_PORT_OPTIONAL, "in", "T", "In.", NULL };
static const hr_port out = { sizeof out, 0, "out", "T", "Out.", NULL };
static const hr_property whole = { sizeof whole, HR_INT, "n", "1", "0..9", "A number." };
static const hr_property json = { sizeof json, HR_JSON, "j", "[]", NULL, "Anything." };
static const hr_property path = { sizeof path, HR_PATH_READ, "p", "", NULL, "A path." };
static const hr_component component = {
    .struct_size = sizeof component,
    .id = "org.headrace.fuzz.C",
    .version = "1.0.0",
    .doc = "Nothing.",
    .inputs = (const hr_port *const[]){ &in, NULL },
    .outputs = (const hr_port *const[]){ &out, NULL },
    .properties = (const hr_property *const[]){ &whole, &json, &path, NULL },
    .offers = (const hr_offer *const[]){ &executor, NULL },
};
static const hr_plugin plugin = {
    .struct_size = sizeof plugin,
    .abi_major = HR_ABI_MAJOR,
    .abi_minor = HR_ABI_MINOR,
    .id = "org.headrace.fuzz",
    .version = "1.0.0",
    .components = (const hr_component *const[]){ &component, NULL },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const hr_plugin *linked[] = { &plugin, NULL };
    struct hr_catalogue_config config = { .linked = linked };
    struct hr_catalogue *catalogue = NULL;
    struct hr_pipeline *p = NULL;
    char name[] = "/tmp/hr_fuzz_XXXXXX";
    int fd = mkstemp(name);
    struct hr_env env;
    struct hr_buf normal;

    if (fd < 0)
        return 0;
    hr_env_init(&env, NULL);
    if (write(fd, data, size) == (ssize_t)size &&
        hr_catalogue_open(&env, &config, &catalogue) == HR_OK &&
        hr_pipeline_read(&env, catalogue, NULL, 0, name, &p) == HR_OK) {
        hr_buf_of(&normal, HR_MAX_JSON_BYTES, &env);
        hr_pipeline_normal(p, &normal);
        hr_buf_clear(&normal);
    }
    hr_env_error(&env);
    hr_pipeline_free(p);
    hr_catalogue_close(catalogue);
    hr_env_clear(&env);
    close(fd);
    unlink(name);
    return 0;
}
