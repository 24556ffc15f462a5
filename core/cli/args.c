#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

int usage(const char *verb, const char *format, ...)
{
    const struct verb *v = find_verb(verb);
    va_list args;

    fprintf(stderr, "headrace %s: ", verb);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\nusage: %s\n", v ? v->usage : "headrace help");
    return EXIT_USAGE;
}

/* --name value and --name=value. */
static const struct option_spec *match(const struct option_spec *specs, const char *arg,
                                       const char **ret_value)
{
    const struct option_spec *s;
    size_t n;

    for (s = specs; s->name; s++) {
        n = strlen(s->name);
        if (strncmp(arg, s->name, n) != 0)
            continue;
        *ret_value = arg[n] == '=' ? arg + n + 1 : NULL;
        if (arg[n] == '=' || !arg[n])
            return s;
    }
    return NULL;
}

int take_options(int argc, char **argv, const struct option_spec *specs, char **rest, int *ret_n)
{
    const struct option_spec *s;
    const char *value;
    bool only_words = false;
    int i, n = 0;

    for (i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--") && !only_words) {
            only_words = true;
            continue;
        }
        if (only_words || argv[i][0] != '-' || !argv[i][1]) {
            if (n == MAX_WORDS - 1)
                return usage(argv[0], "too many arguments");
            rest[n++] = argv[i];
            continue;
        }
        if (!(s = match(specs, argv[i], &value)))
            return usage(argv[0], "there is no option \"%s\"", argv[i]);
        if (s->flag) {
            if (value)
                return usage(argv[0], "option %s takes no value", s->name);
            *s->flag = true;
            continue;
        }
        if (!value && !(value = ++i < argc ? argv[i] : NULL))
            return usage(argv[0], "option %s wants a value", s->name);
        if (s->add && s->add(s->user, value))
            return usage(argv[0], "option %s cannot take \"%s\"", s->name, value);
        if (s->value)
            *s->value = value;
    }
    rest[n] = NULL;
    *ret_n = n;
    return EXIT_DONE;
}

hr_project *open_project(const struct project_options *options, bool needed)
{
    hr_config config = { .struct_size = sizeof config, .plugin_path = options->plugin_path };
    hr_project *p = hr_new(&config);

    if (!p) {
        fprintf(stderr, "headrace: no memory\n");
        return NULL;
    }
    if (!needed && !options->root)
        return p;
    if (hr_open(p, options->root ? options->root : ".", needed ? 0 : HR_OPEN_NEW) < 0) {
        tell_error(p);
        hr_free(p);
        return NULL;
    }
    return p;
}

int tell_error(const hr_project *p)
{
    fprintf(stderr, "%s\n", hr_error(p));
    return EXIT_WRONG;
}

char *json_quote(const char *text)
{
    static const char hex[] = "0123456789abcdef";
    char *to = malloc(6 * strlen(text) + 3), *p = to;

    if (!to)
        return NULL;
    *p++ = '"';
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\') {
            *p++ = '\\';
            *p++ = (char)c;
        } else if (c < 32) {
            memcpy(p, "\\u00", 4);
            p[4] = hex[c >> 4];
            p[5] = hex[c & 15];
            p += 6;
        } else {
            *p++ = (char)c;
        }
    }
    *p++ = '"';
    *p = '\0';
    return to;
}
