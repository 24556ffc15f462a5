/* gc, doctor, cache: what is kept, and whether it is whole. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/draw.h"

static void format_bytes(double bytes, char *to, size_t n)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
    size_t i;

    for (i = 0; bytes >= 1024 && i < 4; i++)
        bytes /= 1024;
    snprintf(to, n, i && bytes < 100 ? "%.1f %s" : "%.0f %s", bytes, units[i]);
}

/* -- gc -------------------------------------------------------------------- */

/* "30d" in seconds.  EXIT_USAGE: told. */
static int read_age(const struct args *a, int64_t *ret)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };
    const char *text = arg_text(a, "--older");
    char *end;
    long long n;
    size_t i;

    if (!text)
        return EXIT_DONE;
    n = text[0] >= '0' && text[0] <= '9' ? strtoll(text, &end, 10) : -1;
    for (i = 0; n >= 0 && n <= 1000000000 && i < sizeof units / sizeof units[0]; i++)
        if (*end == units[i].unit && !end[1]) {
            *ret = n * units[i].seconds;
            return EXIT_DONE;
        }
    return usage(a, "option --older wants an age as 12h, 30d or 8w, not \"%s\"", text);
}

static void print_removed(const cJSON *root, bool dry_run)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "removed"), *a;
    struct term t;
    char bytes[32], line[4096];

    term_ask(&t, stdout);
    cJSON_ArrayForEach(a, list)
    {
        format_bytes(get_number(a, "bytes"), bytes, sizeof bytes);
        snprintf(line, sizeof line, "artifact %-6.0f %-18s %10s  %s", get_number(a, "artifact"),
                 get_text(a, "type"), bytes, get_text(a, "uri"));
        put_column(stdout, &t, line, text_width(line) < t.width ? text_width(line) : t.width);
        putchar('\n');
    }
    format_bytes(get_number(root, "bytes"), bytes, sizeof bytes);
    fprintf(stderr, "%d artifacts, %s, %s; %.0f are kept\n", cJSON_GetArraySize(list), bytes,
            dry_run ? "would be removed" : "removed", get_number(root, "kept"));
}

static int gc(const struct args *a)
{
    bool dry_run = arg_flag(a, "--dry-run");
    int64_t keep = -1, older = -1;
    const char *json = NULL;
    char options[128];
    size_t n = 0;
    hr_project *p;
    cJSON *root;
    int code = arg_number(a, "--keep", 0, &keep);

    if (code == EXIT_DONE)
        code = read_age(a, &older);
    if (code != EXIT_DONE)
        return code;
    n += (size_t)snprintf(options, sizeof options, "{\"dry_run\":%s", dry_run ? "true" : "false");
    if (keep >= 0)
        n += (size_t)snprintf(options + n, sizeof options - n, ",\"keep\":%lld", (long long)keep);
    if (older >= 0)
        n += (size_t)snprintf(options + n, sizeof options - n, ",\"older_s\":%lld",
                              (long long)older);
    snprintf(options + n, sizeof options - n, "}");
    if (!(p = open_project(a, true)))
        return EXIT_WRONG;
    if (hr_gc(p, options, &json) < 0) {
        code = tell_error(p);
    } else if (arg_flag(a, "--json")) {
        puts(json);
    } else if ((root = parse_json(json))) {
        print_removed(root, dry_run);
        cJSON_Delete(root);
    }
    hr_free(p);
    return code;
}

static const struct option gc_options[] = {
    VALUE("--keep", "N", "keep the artifacts of the newest N runs of each pipeline"),
    VALUE("--older", "AGE", "keep what is younger, as 12h, 30d, 8w"),
    FLAG("--dry-run", "tell what would be removed, remove nothing"),
    FLAG("--json", "as JSON"),
    PROJECT_OPTIONS,
    END_OPTIONS,
};
const struct verb verb_gc = {
    .name = "gc",
    .group = GROUP_KEEP,
    .words = "",
    .line = "remove what nothing needs",
    .page = "Removes the files of artifacts that nothing needs; in the store they stay, as DELETED."
            "\n\nWithout options 10 runs and 30 days are kept; with --keep alone age does not "
            "count, with --older alone one run is kept.  Pushed models, the newest blessed "
            "model, all that a kept artifact came from, what runs that go on have touched and "
            "what lies outside of the project are always kept.",
    .options = gc_options,
    .run = gc,
};

/* -- doctor ---------------------------------------------------------------- */

/* {"findings": [...], "left": how many are not repaired} */
static void print_findings(cJSON *list, size_t left)
{
    cJSON *root = cJSON_CreateObject();
    char *text = NULL;

    if (root && cJSON_AddItemReferenceToObject(root, "findings", list) &&
        cJSON_AddNumberToObject(root, "left", (double)left))
        text = json_text(root);
    if (text)
        puts(text);
    else
        no_memory();
    free(text);
    cJSON_Delete(root);
}

/* Findings, one a line; EXIT_WRONG where one is left. */
static int examine(const struct args *a, uint32_t flags, const char *well)
{
    const char *text = NULL;
    const cJSON *f;
    cJSON *root;
    hr_project *p = open_project(a, true);
    int code = EXIT_DONE;
    size_t left = 0;

    if (!p)
        return EXIT_WRONG;
    if (arg_flag(a, "--repair"))
        flags |= HR_DOCTOR_REPAIR;
    if (hr_doctor(p, flags, &text) < 0 || !(root = parse_json(text))) {
        code = tell_error(p);
        hr_free(p);
        return code;
    }
    cJSON_ArrayForEach(f, root)
    {
        left += !cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(f, "repaired"));
        if (!arg_flag(a, "--json"))
            puts(get_text(f, "text"));
    }
    code = left ? EXIT_WRONG : EXIT_DONE;
    if (arg_flag(a, "--json"))
        print_findings(root, left);
    else if (!root->child)
        fprintf(stderr, "%s\n", well);
    cJSON_Delete(root);
    hr_free(p);
    return code;
}

static int doctor(const struct args *a)
{
    return examine(a, 0, "all is well");
}

static const struct option doctor_options[] = {
    FLAG("--repair", "mend what can be mended without loss"),
    FLAG("--json", "findings as JSON"),
    PROJECT_OPTIONS,
    END_OPTIONS,
};
const struct verb verb_doctor = {
    .name = "doctor",
    .group = GROUP_KEEP,
    .words = "",
    .line = "find and mend damage",
    .page = "Compares the store with the files: digests of artifacts, files of nobody, leases and "
            "staging of hosts that died, packages of the registry, a project that was moved or "
            "copied.  Tells each finding in one sentence, with what to do.\n\n"
            "Exit status: 0 nothing found or all mended, 1 something is left.",
    .options = doctor_options,
    .run = doctor,
};

/* -- cache ----------------------------------------------------------------- */

static int cache_list(const struct args *a)
{
    static const char *const columns[] = { "node",    "component", "number", "execution",
                                           "created", "state",     "key",    NULL };

    return list_rows(a, "cache", columns, true);
}

static int cache_verify(const struct args *a)
{
    return examine(a, HR_DOCTOR_CACHE, "all results are what was made");
}

static int cache_clear(const struct args *a)
{
    hr_project *p = open_project(a, true);
    int64_t n = 0;
    int code = EXIT_DONE;

    if (!p)
        return EXIT_WRONG;
    if (hr_cache_clear(p, a->count ? a->words[0] : NULL, &n) < 0)
        code = tell_error(p);
    else
        fprintf(stderr, "%lld results are forgotten; their nodes run again\n", (long long)n);
    hr_free(p);
    return code;
}

static const struct option list_options[] = { LIST_OPTIONS, PROJECT_OPTIONS, END_OPTIONS };
static const struct option clear_options[] = { PROJECT_OPTIONS, END_OPTIONS };
static const struct verb cache_nouns[] = {
    { .name = "list",
      .words = "",
      .line = "list results by key",
      .page = "Lists cache keys, the newest first, each with the execution whose result it has, "
              "and its state: usable, forgotten, or gone where files or rows lack.",
      .options = list_options,
      .run = cache_list },
    { .name = "verify",
      .words = "",
      .line = "are results unchanged?",
      .page = "Compares the files of all results with the digests that they were made with.",
      .options = doctor_options,
      .run = cache_verify },
    { .name = "clear",
      .words = "[NODE|KEY]",
      .line = "let nodes run again",
      .page = "Forgets all results, those of a node, or that of a key, of which the first eight "
              "letters suffice.  Files and history stay; \"headrace gc\" removes files.",
      .options = clear_options,
      .run = cache_clear },
};
static const struct verb *const nouns[] = { &cache_nouns[0], &cache_nouns[1], &cache_nouns[2],
                                            NULL };
const struct verb verb_cache = {
    .name = "cache",
    .group = GROUP_KEEP,
    .line = "results kept for reuse",
    .page = "Results that nodes take again where inputs, properties and code are equal.",
    .nouns = nouns,
};
