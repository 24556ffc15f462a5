#include "service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_add(struct text *t, const char *bytes, size_t n)
{
    if (t->cap - t->n <= n) {
        size_t cap = 2 * (t->n + n) + 256;
        char *more = realloc(t->bytes, cap);

        if (!more) {
            t->bad = true;
            return;
        }
        t->bytes = more;
        t->cap = cap;
    }
    if (n)
        memcpy(t->bytes + t->n, bytes, n);
    t->n += n;
    t->bytes[t->n] = '\0';
}

void text_put(struct text *t, const char *words)
{
    text_add(t, words, strlen(words));
}

void text_json(struct text *t, const char *words)
{
    char escape[8];

    text_put(t, "\"");
    for (; *words; words++)
        if ((unsigned char)*words < ' ' || *words == '"' || *words == '\\') {
            snprintf(escape, sizeof escape, "\\u%04x", (unsigned)(unsigned char)*words);
            text_put(t, escape);
        } else {
            text_add(t, words, 1);
        }
    text_put(t, "\"");
}

void text_cut(struct text *t, size_t n)
{
    t->n -= n;
    if (t->n)
        memmove(t->bytes, t->bytes + n, t->n);
}

void text_clear(struct text *t)
{
    free(t->bytes);
    *t = (struct text){ NULL, 0, 0, false };
}
