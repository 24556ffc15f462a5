/* Statistics, schemas and anomalies. */
#include <string.h>

#include "cli/draw.h"

enum { BAR = 24, TOP = 5 };

/* -- statistics ------------------------------------------------------------ */

/* The histogram in one line: a column a bucket, eight heights. */
static void spark(const struct term *t, const cJSON *histogram)
{
    static const char *const heights[] = { "\xe2\x96\x81", "\xe2\x96\x82", "\xe2\x96\x83",
                                           "\xe2\x96\x84", "\xe2\x96\x85", "\xe2\x96\x86",
                                           "\xe2\x96\x87", "\xe2\x96\x88" };
    static const char plain[] = ".:-=+*#@";
    const cJSON *b;
    double most = 0;

    cJSON_ArrayForEach(b, histogram) most =
        cJSON_GetArrayItem(b, 2)->valuedouble > most ? cJSON_GetArrayItem(b, 2)->valuedouble : most;
    cJSON_ArrayForEach(b, histogram)
    {
        double n = cJSON_GetArrayItem(b, 2)->valuedouble;
        int h = most > 0 ? (int)(n / most * 7.999) : 0;

        if (t->utf8)
            fputs(n > 0 ? heights[h] : " ", stdout);
        else
            putchar(n > 0 ? plain[h] : ' ');
    }
}

static void draw_numbers(const struct term *t, const cJSON *f)
{
    static const char *const names[] = { "mean", "std_dev", "min", "median", "max" };
    char text[32];
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        short_number(get_number(f, names[i]), text, sizeof text);
        printf(" %10s", text);
    }
    printf("  ");
    spark(t, cJSON_GetObjectItemCaseSensitive(f, "histogram"));
    putchar('\n');
}

static void draw_texts(const struct term *t, const cJSON *f, int name_width)
{
    const cJSON *top = cJSON_GetObjectItemCaseSensitive(f, "top"), *v;
    double present = get_number(f, "values");
    int n = 0;

    printf(" %10.0f distinct\n", get_number(f, "unique"));
    cJSON_ArrayForEach(v, top)
    {
        double count = cJSON_GetArrayItem(v, 1)->valuedouble;
        const char *word = cJSON_GetStringValue(cJSON_GetArrayItem(v, 0));

        if (n++ == TOP)
            break;
        printf("    %*s ", name_width, "");
        put_column(stdout, t, word && *word ? word : "(empty)", 24);
        printf(" %8.0f ", count);
        put_bar(t, present > 0 ? count / present : 0, BAR);
        putchar('\n');
    }
}

static int widest_name(const cJSON *features)
{
    const cJSON *f;
    int width = 7;

    cJSON_ArrayForEach(f, features) width =
        text_width(get_text(f, "name")) > width ? text_width(get_text(f, "name")) : width;
    return width < 30 ? width : 30;
}

void draw_statistics(const struct term *t, const cJSON *content)
{
    const cJSON *split, *f;

    cJSON_ArrayForEach(split, cJSON_GetObjectItemCaseSensitive(content, "splits"))
    {
        const cJSON *features = cJSON_GetObjectItemCaseSensitive(split, "features");
        int width = widest_name(features);

        printf("\n  %s%s%s  %.0f rows\n", color(t, "bold"), get_text(split, "split"),
               color(t, "off"), get_number(split, "examples"));
        printf("  %s%-*s %-6s %8s %10s %10s %10s %10s %10s%s\n", color(t, "dim"), width, "feature",
               "type", "missing", "mean", "std dev", "min", "median", "max", color(t, "off"));
        cJSON_ArrayForEach(f, features)
        {
            double missing = get_number(f, "missing");
            double all = missing + get_number(f, "present");

            fputs("  ", stdout);
            put_column(stdout, t, get_text(f, "name"), width);
            printf(" %-6s %6.1f %%", get_text(f, "type"), all > 0 ? 100 * missing / all : 0);
            if (has(f, "mean"))
                draw_numbers(t, f);
            else if (has(f, "unique"))
                draw_texts(t, f, width);
            else
                putchar('\n');
        }
    }
}

/* -- schema ---------------------------------------------------------------- */

static void draw_domain(const cJSON *domain)
{
    const cJSON *values = cJSON_GetObjectItemCaseSensitive(domain, "values"), *v;
    int n = 0;

    if (has(domain, "min"))
        printf(" from %g", get_number(domain, "min"));
    if (has(domain, "max"))
        printf(" to %g", get_number(domain, "max"));
    if (values)
        printf(" one of %d:", cJSON_GetArraySize(values));
    cJSON_ArrayForEach(v, values)
    {
        if (n++ == 6) {
            printf(" ...");
            break;
        }
        printf(" %s", cJSON_GetStringValue(v) ? cJSON_GetStringValue(v) : "");
    }
}

void draw_schema(const struct term *t, const cJSON *content)
{
    const cJSON *features = cJSON_GetObjectItemCaseSensitive(content, "features"), *f;
    int width = widest_name(features);

    printf("\n  %s%-*s %-7s %-9s domain%s\n", color(t, "dim"), width, "feature", "type", "presence",
           color(t, "off"));
    cJSON_ArrayForEach(f, features)
    {
        bool always = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(f, "required"));

        fputs("  ", stdout);
        put_column(stdout, t, get_text(f, "name"), width);
        printf(" %-7s %-9s", get_text(f, "type"), always ? "required" : "optional");
        draw_domain(cJSON_GetObjectItemCaseSensitive(f, "domain"));
        putchar('\n');
    }
}

/* -- anomalies ------------------------------------------------------------- */

void draw_anomalies(const struct term *t, const cJSON *content)
{
    const cJSON *split, *a;

    cJSON_ArrayForEach(split, cJSON_GetObjectItemCaseSensitive(content, "splits"))
    {
        const cJSON *list = cJSON_GetObjectItemCaseSensitive(split, "anomalies");
        const cJSON *dataset = cJSON_GetObjectItemCaseSensitive(split, "dataset");
        int n = cJSON_GetArraySize(list) + (dataset != NULL);

        printf("\n  %s%s%s  ", color(t, "bold"), get_text(split, "split"), color(t, "off"));
        if (n)
            printf("%s%d anomal%s%s\n", color(t, "red"), n, n == 1 ? "y" : "ies", color(t, "off"));
        else
            printf("%sno anomalies%s\n", color(t, "green"), color(t, "off"));
        cJSON_ArrayForEach(a, list)
        {
            fputs("    ", stdout);
            put_column(stdout, t, get_text(a, "feature"), 24);
            printf(" %s: %s\n", get_text(a, "short"), get_text(a, "long"));
        }
        if (dataset)
            printf("    %-24s %s: %s\n", "(the data set)", get_text(dataset, "short"),
                   get_text(dataset, "long"));
    }
}
