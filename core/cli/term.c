#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include "cli/cli.h"

void term_ask(struct term *ret, FILE *f)
{
    const char *kind = getenv("TERM"), *none = getenv("NO_COLOR");
    struct winsize size;

    memset(ret, 0, sizeof *ret);
    ret->tty = isatty(fileno(f)) && kind && strcmp(kind, "dumb") != 0;
    ret->color = ret->tty && !(none && *none);
    ret->utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
    ret->width = 80;
    if (ret->tty && ioctl(fileno(f), TIOCGWINSZ, &size) == 0 && size.ws_col >= 20)
        ret->width = size.ws_col;
    if (!isatty(fileno(f)))
        ret->width = 10000;
}

const char *color(const struct term *t, const char *name)
{
    static const char *const codes[][2] = { { "red", "\033[31m" },    { "green", "\033[32m" },
                                            { "yellow", "\033[33m" }, { "blue", "\033[34m" },
                                            { "dim", "\033[2m" },     { "bold", "\033[1m" },
                                            { "off", "\033[0m" } };
    size_t i;

    for (i = 0; t->color && i < sizeof codes / sizeof codes[0]; i++)
        if (!strcmp(codes[i][0], name))
            return codes[i][1];
    return "";
}

/* Bytes of the character at text, and its columns; what is no character takes one. */
static size_t step(const char *text, int *ret_width)
{
    wchar_t c;
    mbstate_t state;
    size_t n;
    int w;

    memset(&state, 0, sizeof state);
    n = mbrtowc(&c, text, strlen(text), &state);
    if (n == 0 || n > 8) {
        *ret_width = 1;
        return 1;
    }
    w = wcwidth(c);
    *ret_width = w < 0 ? 0 : w;
    return n;
}

int text_width(const char *text)
{
    int width = 0, w;

    while (*text) {
        text += step(text, &w);
        width += w;
    }
    return width;
}

void put_column(FILE *f, const struct term *t, const char *text, int n)
{
    int width = text_width(text), used = 0, w = 0;
    size_t k;

    if (width <= n) {
        fprintf(f, "%s%*s", text, n - width, "");
        return;
    }
    while (*text) {
        k = step(text, &w);
        if (used + w > n - 1)
            break;
        fwrite(text, 1, k, f);
        text += k;
        used += w;
    }
    fprintf(f, "%s%*s", t->utf8 ? "\xe2\x80\xa6" : "~", n - used - 1, "");
}

void format_duration(int64_t us, char *to, size_t n)
{
    if (us < 1000000)
        snprintf(to, n, "%lld ms", (long long)((us + 500) / 1000));
    else if (us < 60000000)
        snprintf(to, n, "%lld.%lld s", (long long)(us / 1000000), (long long)(us / 100000 % 10));
    else
        snprintf(to, n, "%lld min %02lld s", (long long)(us / 60000000),
                 (long long)(us / 1000000 % 60));
}

void format_time(int64_t ms, char *to, size_t n)
{
    time_t t = (time_t)(ms / 1000);
    struct tm tm;

    localtime_r(&t, &tm);
    strftime(to, n, "%Y-%m-%d %H:%M:%S", &tm);
}
