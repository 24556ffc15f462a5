#include "cli/draw.h"

#include <math.h>
#include <string.h>

const char *get_text(const cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

    return text ? text : "";
}

double get_number(const cJSON *object, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, key);

    return cJSON_IsNumber(v) ? v->valuedouble : 0;
}

bool has(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key) != NULL;
}

void short_number(double v, char *to, size_t n)
{
    if (v == floor(v) && fabs(v) < 1e9)
        snprintf(to, n, "%.0f", v);
    else
        snprintf(to, n, "%.4g", v);
}

void put_bar(const struct term *t, double part, int n)
{
    static const char *const eighths[] = { "",
                                           "\xe2\x96\x8f",
                                           "\xe2\x96\x8e",
                                           "\xe2\x96\x8d",
                                           "\xe2\x96\x8c",
                                           "\xe2\x96\x8b",
                                           "\xe2\x96\x8a",
                                           "\xe2\x96\x89" };
    int full, rest, i;

    if (!(part > 0))
        part = 0;
    if (part > 1)
        part = 1;
    full = (int)(part * n * 8 + 0.5) / 8;
    rest = (int)(part * n * 8 + 0.5) % 8;
    for (i = 0; i < full; i++)
        fputs(t->utf8 ? "\xe2\x96\x88" : "#", stdout);
    if (rest && t->utf8)
        fputs(eighths[rest], stdout);
    for (i = full + (rest && t->utf8); i < n; i++)
        putchar(' ');
}

void draw_content(const struct term *t, const char *type, const cJSON *content)
{
    static const struct {
        const char *type;
        void (*draw)(const struct term *t, const cJSON *content);
    } rows[] = { { "ExampleStatistics", draw_statistics },
                 { "Schema", draw_schema },
                 { "ExampleAnomalies", draw_anomalies },
                 { "ModelEvaluation", draw_evaluation },
                 { "Model", draw_model },
                 { "PushedModel", draw_model } };
    size_t i;

    for (i = 0; content && i < sizeof rows / sizeof rows[0]; i++)
        if (!strcmp(rows[i].type, type))
            rows[i].draw(t, content);
}
