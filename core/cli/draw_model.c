/* Evaluations and models. */
#include <string.h>

#include "cli/draw.h"

enum { BAR = 20 };

/* -- evaluation ------------------------------------------------------------ */

static void metric_name(const cJSON *m, char *to, size_t n)
{
    snprintf(to, n, "%s%s%s", get_text(m, "name"),
             cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(m, "diff")) ? " (difference)" : "",
             *get_text(m, "model") ? "" : "");
    if (*get_text(m, "model"))
        snprintf(to + strlen(to), n - strlen(to), " of %s", get_text(m, "model"));
    if (has(m, "class"))
        snprintf(to + strlen(to), n - strlen(to), " class %.0f", get_number(m, "class"));
    if (*get_text(m, "average"))
        snprintf(to + strlen(to), n - strlen(to), " %s", get_text(m, "average"));
}

static void draw_metrics(const struct term *t, const cJSON *metrics)
{
    const cJSON *m, *v;
    char name[128], value[64];

    cJSON_ArrayForEach(m, metrics)
    {
        v = cJSON_GetObjectItemCaseSensitive(m, "value");
        if (!cJSON_IsNumber(v))
            continue; /* curves and matrices are for --json */
        metric_name(m, name, sizeof name);
        short_number(v->valuedouble, value, sizeof value);
        fputs("    ", stdout);
        put_column(stdout, t, name, 40);
        printf(" %10s  ", value);
        if (v->valuedouble >= 0 && v->valuedouble <= 1)
            put_bar(t, v->valuedouble, BAR);
        putchar('\n');
    }
}

void draw_evaluation(const struct term *t, const cJSON *content)
{
    const cJSON *ok = cJSON_GetObjectItemCaseSensitive(content, "ok"), *slice, *reason;

    if (ok)
        printf("\n  %s%s%s\n", color(t, cJSON_IsTrue(ok) ? "green" : "red"),
               cJSON_IsTrue(ok) ? "the thresholds hold" : "a threshold does not hold",
               color(t, "off"));
    cJSON_ArrayForEach(reason, cJSON_GetObjectItemCaseSensitive(content, "reasons"))
        printf("    %s\n", cJSON_GetStringValue(reason));
    cJSON_ArrayForEach(slice, cJSON_GetObjectItemCaseSensitive(content, "slices"))
    {
        const char *name = get_text(slice, "slice");

        printf("\n  %s%s%s\n", color(t, "bold"), *name ? name : "all rows", color(t, "off"));
        draw_metrics(t, cJSON_GetObjectItemCaseSensitive(slice, "metrics"));
    }
}

/* -- models ---------------------------------------------------------------- */

/* Members of model.json that are texts, numbers or truths, one a line. */
void draw_model(const struct term *t, const cJSON *content)
{
    const cJSON *m;

    printf("\n  %smodel%s\n", color(t, "bold"), color(t, "off"));
    cJSON_ArrayForEach(m, content)
    {
        if (cJSON_IsString(m))
            printf("    %-16s %s\n", m->string, cJSON_GetStringValue(m));
        else if (cJSON_IsNumber(m))
            printf("    %-16s %g\n", m->string, m->valuedouble);
        else if (cJSON_IsBool(m))
            printf("    %-16s %s\n", m->string, cJSON_IsTrue(m) ? "yes" : "no");
    }
}
