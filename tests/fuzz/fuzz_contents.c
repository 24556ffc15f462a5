/* manifest.json and, after a line end, lineage.json of a package whose other files are always
 * the same: do they agree with it, and each with the other?
 */
#include <stdlib.h>
#include <string.h>

#include "host/package.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = { "manifest.json",  "lineage.json",
                                     "model/net.json", "model/weights.bin",
                                     "training/schema/schema.pbtxt" };
enum { MEMBERS = sizeof names / sizeof names[0] };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *line = size ? memchr(text, '\n', size) : NULL;
    size_t n = line ? (size_t)(line - text) : size;
    struct hr_member members[MEMBERS] = { 0 };
    struct hr_project p = { 0 };
    struct hr_taken t = { .file = "f.hrp", .head = { .members = members, .count = MEMBERS } };
    const struct hr_json *root;
    size_t i;

    hr_env_init(&p.env, NULL);
    hr_arena_init(&t.arena, &p.env, 1 << 26);
    for (i = 0; i < MEMBERS; i++)
        members[i].name = names[i];
    if (hr_json_parse(&p.env, "manifest.json", text, n, 0, &t.manifest) == HR_OK &&
        (!line || hr_json_parse(&p.env, "lineage.json", line + 1, size - n - 1, 0, &t.lineage) ==
                      HR_OK)) {
        root = hr_json_root(t.manifest);
        t.kind = hr_json_text(hr_json_get(root, "kind"));
        t.id = hr_json_text(hr_json_get(root, "id"));
        t.version = hr_json_text(hr_json_get(root, "version"));
        if (hr_plain_name(t.id) && hr_plain_name(t.version) && t.kind &&
            hr_package_check(&p, &t) < 0 && !p.env.errors.count)
            abort(); /* a refusal has a reason */
    }
    hr_taken_clear(&t);
    hr_env_clear(&p.env);
    return 0;
}
