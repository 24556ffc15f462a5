/* Stored accumulators of any bytes; the first byte says of which analyzer.  One that is
 * restored is merged with itself, stored, and gives a result.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "headrace/rows.h"
#include "transform/transform.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static hr_status fail(hr_run *run, hr_status code, const char *text)
{
    (void)run, (void)text;
    return code;
}

static const hr_run_1 run_table = { .fail = fail };

static const void *get_interface(const hr_host *host, const char *id)
{
    (void)host;
    return strcmp(id, HR_RUN) ? NULL : &run_table;
}

static void restore(const hr_combine_1 *c, void *self, const uint8_t *data, size_t size)
{
    int64_t offsets[3] = { 0, (int64_t)size, (int64_t)size * 2 };
    uint8_t *twice = malloc(size * 2 + 1);
    const void *buffers[3] = { NULL, offsets, twice };
    struct ArrowArray bytes = { .length = 2, .n_buffers = 3, .buffers = buffers }, out;
    void *accs[2];

    memcpy(twice, data, size);
    memcpy(twice + size, data, size);
    if (c->deserialize(self, NULL, &bytes, accs) == HR_OK) {
        if (c->serialize(self, NULL, accs, 2, &out) == HR_OK)
            out.release(&out);
        if (c->merge(self, NULL, accs[0], accs[1]) == HR_OK &&
            c->extract(self, NULL, accs, 1, &out) == HR_OK)
            out.release(&out);
        c->drop_acc(self, accs[0]);
        c->drop_acc(self, accs[1]);
    }
    free(twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char config[] = "{\"column\":\"x\",\"top_k\":4}";
    const hr_function *f;
    const hr_host host = { .struct_size = sizeof host, .get_interface = get_interface };
    hr_function_args args = { .struct_size = sizeof args,
                              .config = config,
                              .config_size = sizeof config - 1 };
    struct ArrowSchema in, out;
    const hr_combine_1 *c;
    void *self;

    if (size < 1 || size > 1 << 16)
        return 0;
    f = hr_transform_functions[1 + data[0] % 4];
    c = f->table;
    args.name = f->name;
    if (hr_schema_new("+s", "", 1, &in) < 0 ||
        hr_schema_column(in.children[0], "x", strstr(f->name, "voc") ? "z" : "f", 0) < 0)
        abort();
    args.in = &in;
    if (c->make(&host, NULL, &args, &out, &self) == HR_OK) {
        out.release(&out);
        restore(c, self, data + 1, size - 1);
        c->drop(self);
    }
    in.release(&in);
    return 0;
}
