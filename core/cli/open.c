/* open: the rows of an artifact of examples. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/draw.h"

/* A number, "artifact 12", or the first examples that the newest execution of a node has put
 * out.  0: told. */
static int64_t artifact_of(hr_project *p, const char *what)
{
    const char *digits = !strncmp(what, "artifact ", 9) ? what + 9 : what, *json = NULL;
    const cJSON *o;
    char *end;
    long long id = strtoll(digits, &end, 10);
    cJSON *root;

    if (end != digits && !*end && id > 0)
        return id;
    if (hr_show(p, what, &json) < 0) {
        tell_error(p);
        return 0;
    }
    id = 0;
    root = parse_json(json);
    cJSON_ArrayForEach(o, cJSON_GetObjectItemCaseSensitive(root, "outputs"))
        if (!id && !strcmp(get_text(o, "type"), "Examples"))
            id = (long long)get_number(o, "artifact");
    cJSON_Delete(root);
    if (!id)
        fprintf(stderr, "headrace: \"%s\" has put out no examples\n", what);
    return id;
}

static int open_rows(const struct args *a)
{
    int64_t limit = 0, id;
    hr_cursor *c = NULL;
    char what[512];
    hr_project *p;
    enum row_form form;
    int code = arg_number(a, "--limit", 1, &limit);

    if (code != EXIT_DONE || (code = arg_row_form(a, &form)) != EXIT_DONE)
        return code;
    join_words(a, what, sizeof what);
    if (!(p = open_project(a, true)))
        return EXIT_WRONG;
    if (!(id = artifact_of(p, what)))
        code = EXIT_WRONG;
    else if (hr_examples(p, id, arg_text(a, "--split"), &c) < 0)
        code = tell_error(p);
    else
        code = print_examples(p, c, limit, form);
    hr_cursor_free(c);
    hr_free(p);
    return code;
}

static const struct option options[] = {
    VALUE("--split", "NAME", "train, eval, ... (default: the first by name)"),
    VALUE("--limit", "N", "the first N rows (default: 20 of a table, else all)"),
    FLAG("--csv", "CSV with a header"),
    FLAG("--json", "an object for each row, on a line of its own"),
    PROJECT_OPTIONS,
    END_OPTIONS,
};
const struct verb verb_open = {
    .name = "open",
    .group = GROUP_LOOK,
    .words = "ARTIFACT [NUMBER]",
    .line = "rows of examples",
    .page = "Prints rows of an artifact that holds examples, as a table, CSV or JSON.  ARTIFACT is "
            "its number, \"artifact 12\", or the name of a node for what it put out last.",
    .options = options,
    .run = open_rows,
};
