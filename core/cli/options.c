#include "cli/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

enum kind { TEXT, NUMBER, TRUTH, LIST };

/* The command's options and their names in JSON; "param" apart. */
static const struct {
    const char *option, *key;
    enum kind kind;
} rows[] = {
    { "--force", "force", LIST },         { "--jobs", "jobs", NUMBER },
    { "--isolation", "isolation", TEXT }, { "--sandbox", "sandbox", TEXT },
    { "--name", "name", TEXT },           { "--no-cache", "no_cache", TRUTH },
    { "--check", "check", TRUTH },        { "--keep-going", "keep_going", TRUTH },
    { "--from", "from", LIST },           { "--to", "to", LIST },
    { "--only", "only", LIST },           { "--base", "base", TEXT },
    { "--changed", "changed", TRUTH },    { "--retry-failed", "retry_failed", TRUTH },
    { "--unlocked", "unlocked", TRUTH },  { "--params", "params", TEXT },
};

/* Is the same parameter given once more behind this one?  The last counts. */
static bool given_again(const struct args *a, const char *name, int at)
{
    size_t n = strlen(name);
    const char *given;

    while ((given = arg_next(a, "--param", &at)))
        if (!strncmp(given, name, n) && given[n] == '=')
            return true;
    return false;
}

static int add_params(struct text *t, const struct args *a)
{
    const char *given, *equals;
    char name[256];
    int at = 0, n = 0;

    text_add(t, "{\"param\":{");
    while ((given = arg_next(a, "--param", &at))) {
        equals = strchr(given, '=');
        if (!equals || equals == given || equals - given >= (int)sizeof name)
            return usage(a, "option --param cannot take \"%s\"; write NAME=VALUE", given);
        snprintf(name, sizeof name, "%.*s", (int)(equals - given), given);
        if (given_again(a, name, at))
            continue;
        text_add(t, n++ ? "," : "");
        text_quoted(t, name);
        text_add(t, ":");
        text_quoted(t, equals + 1);
    }
    text_add(t, "}");
    return EXIT_DONE;
}

static void add_list(struct text *t, const struct args *a, const char *option)
{
    const char *given;
    int at = 0, n = 0;

    text_add(t, "[");
    while ((given = arg_next(a, option, &at))) {
        text_add(t, n++ ? "," : "");
        text_quoted(t, given);
    }
    text_add(t, "]");
}

static int add_row(struct text *t, const struct args *a, size_t i)
{
    char digits[32];
    int64_t v = 0;
    int code;

    if (rows[i].kind == NUMBER) {
        if ((code = arg_number(a, rows[i].option, 1, &v)) != EXIT_DONE || !v)
            return code;
    } else if (!arg_flag(a, rows[i].option)) {
        return EXIT_DONE;
    }
    text_add(t, ",\"");
    text_add(t, rows[i].key);
    text_add(t, "\":");
    if (rows[i].kind == NUMBER) {
        snprintf(digits, sizeof digits, "%lld", (long long)v);
        text_add(t, digits);
    } else if (rows[i].kind == TRUTH) {
        text_add(t, "true");
    } else if (rows[i].kind == LIST) {
        add_list(t, a, rows[i].option);
    } else {
        text_quoted(t, arg_text(a, rows[i].option));
    }
    return EXIT_DONE;
}

int run_options_json(const struct args *a, char **ret)
{
    struct text t = { 0 };
    int code = add_params(&t, a);
    size_t i;

    for (i = 0; i < sizeof rows / sizeof rows[0] && code == EXIT_DONE; i++)
        code = add_row(&t, a, i);
    text_add(&t, "}");
    if (code == EXIT_DONE && t.failed)
        code = EXIT_WRONG;
    if (code == EXIT_DONE)
        *ret = t.bytes;
    else
        free(t.bytes);
    return code;
}

/* -- of a call ------------------------------------------------------------- */

static void put_name(struct text *options, const char *name)
{
    text_add(options, options->len ? "," : "{");
    text_quoted(options, name);
    text_add(options, ":");
}

void put_option(struct text *options, const char *name, const char *value)
{
    if (!value)
        return;
    put_name(options, name);
    text_quoted(options, value);
}

void put_true(struct text *options, const char *name)
{
    put_name(options, name);
    text_add(options, "true");
}

bool put_trust(const struct args *a, struct text *options)
{
    if (!arg_text(a, "--trust"))
        return false;
    put_name(options, "keys");
    add_list(options, a, "--trust");
    return true;
}

char *end_options(struct text *options)
{
    text_add(options, options->len ? "}" : "{}");
    if (!options->failed)
        return options->bytes;
    free(options->bytes);
    return NULL;
}
