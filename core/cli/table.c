/* Rows of a cursor as a table: columns as wide as their widest cell, the last cut to fit. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

enum { MAX_COLUMNS = 16 };

struct rows {
    char ***cells; /* newest first, each a list of columns */
    size_t count, cap;
    size_t columns;
    bool failed;
};

static char *copy(const char *text)
{
    size_t n = strlen(text) + 1;
    char *to = malloc(n);

    return to ? memcpy(to, text, n) : NULL;
}

static char *cell(hr_cursor *c, const char *column)
{
    const char *text = hr_cursor_text(c, column);
    char buffer[64];

    if (text && (!strcmp(column, "started") || !strcmp(column, "created"))) {
        format_time(hr_cursor_int(c, column), buffer, sizeof buffer);
        text = buffer;
    } else if (text && !strcmp(column, "duration_ms")) {
        format_duration(hr_cursor_int(c, column) * 1000, buffer, sizeof buffer);
        text = buffer;
    }
    return copy(text ? text : "");
}

static void add_row(struct rows *r, hr_cursor *c, const char *const *columns)
{
    char **row = calloc(r->columns + 1, sizeof *row);
    size_t cap = r->cap ? r->cap * 2 : 64, i;

    if (row && r->count == r->cap) {
        char ***more = realloc(r->cells, cap * sizeof *more);

        if (!more) {
            free(row);
            row = NULL;
        } else {
            r->cells = more;
            r->cap = cap;
        }
    }
    if (!row) {
        r->failed = true;
        return;
    }
    for (i = 0; i < r->columns; i++)
        if (!(row[i] = cell(c, columns[i])))
            r->failed = true;
    r->cells[r->count++] = row;
}

static void free_rows(struct rows *r)
{
    size_t i, k;

    for (i = 0; i < r->count; i++) {
        for (k = 0; k < r->columns; k++)
            free(r->cells[i][k]);
        free(r->cells[i]);
    }
    free(r->cells);
}

static void print_table(const struct rows *r, const char *const *columns, size_t limit)
{
    int widths[MAX_COLUMNS], left;
    struct term t;
    size_t i, k, n = limit && limit < r->count ? limit : r->count;

    term_ask(&t, stdout);
    for (k = 0; k < r->columns; k++) {
        widths[k] = text_width(columns[k]);
        for (i = 0; i < n; i++) {
            const char *text = r->cells[r->count - 1 - i][k];
            int w = text ? text_width(text) : 0;

            widths[k] = w > widths[k] ? w : widths[k];
        }
    }
    for (left = t.width, k = 0; k + 1 < r->columns; k++)
        left -= widths[k] + 2;
    if (widths[r->columns - 1] > left)
        widths[r->columns - 1] = left > 8 ? left : 8;
    printf("%s", color(&t, "bold"));
    for (k = 0; k < r->columns; k++) {
        put_column(stdout, &t, columns[k], k + 1 < r->columns ? widths[k] : text_width(columns[k]));
        fputs(k + 1 < r->columns ? "  " : "", stdout);
    }
    printf("%s\n", color(&t, "off"));
    for (i = 0; i < n; i++, putchar('\n'))
        for (k = 0; k < r->columns; k++) {
            const char *text = r->cells[r->count - 1 - i][k];
            bool last = k + 1 == r->columns;

            text = text ? text : "";
            put_column(stdout, &t, text,
                       last && text_width(text) < widths[k] ? text_width(text) : widths[k]);
            fputs(last ? "" : "  ", stdout);
        }
}

static void print_json(hr_cursor *c)
{
    const char *const *column;
    bool some = false;

    putchar('{');
    for (column = hr_cursor_columns(c); *column; column++) {
        const char *text = hr_cursor_text(c, *column);
        char *quoted;

        if (!text)
            continue;
        printf("%s\"%s\": ", some ? ", " : "", *column);
        some = true;
        if (!strcmp(*column, "manifest") || hr_cursor_int(c, *column) || !strcmp(text, "0")) {
            fputs(text, stdout);
        } else if ((quoted = json_quote(text))) {
            fputs(quoted, stdout);
            free(quoted);
        }
    }
    printf("}\n");
}

int print_rows(hr_project *p, const struct list_spec *spec)
{
    struct rows rows = { 0 };
    hr_cursor *c;
    int code = EXIT_DONE;

    if (hr_query(p, spec->what, spec->filter, &c) < 0)
        return tell_error(p);
    while (spec->columns[rows.columns])
        rows.columns++;
    while (hr_cursor_next(c) > 0) {
        if (spec->json)
            print_json(c);
        else
            add_row(&rows, c, spec->columns);
    }
    if (rows.failed) {
        fprintf(stderr, "headrace: no memory\n");
        code = EXIT_WRONG;
    } else if (!spec->json) {
        print_table(&rows, spec->columns, (size_t)spec->limit);
    }
    free_rows(&rows);
    hr_cursor_free(c);
    return code;
}
