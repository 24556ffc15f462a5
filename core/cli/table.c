/* Rows of a cursor: a table, JSON lines or CSV. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

enum { TABLE_ROWS = 50, SOME_ROWS = 20 }; /* without --limit */

struct rows {
    char ***cells; /* newest first, each a list of columns */
    size_t count, cap;
    size_t columns;
    bool failed;
};

/* A cell is on one line, and does nothing to a terminal. */
static char *copy_shown(const char *text)
{
    size_t n = 4 * strlen(text) + 6;
    char *to = malloc(n);

    if (to)
        shown(to, n, text, false);
    return to;
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
    return copy_shown(text ? text : "");
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

/* Columns as wide as their widest cell; where they are too wide for the terminal, the widest
 * give way, and the last one first. */
static void fit(int *widths, size_t n, int width)
{
    int total = 2 * ((int)n - 1);
    size_t k, widest;

    for (k = 0; k < n; k++)
        total += widths[k];
    while (total > width) {
        for (widest = n - 1, k = 0; k < n; k++)
            if (widths[k] > widths[widest] || (widths[widest] <= 12 && widths[k] > 12))
                widest = k;
        if (widths[n - 1] > 12)
            widest = n - 1;
        if (widths[widest] <= 3)
            return;
        widths[widest]--;
        total--;
    }
}

static void put_row(const struct term *t, const char *const *cells, const int *widths, size_t n)
{
    size_t k;

    for (k = 0; k < n; k++) {
        const char *text = cells[k] ? cells[k] : "";
        bool last = k + 1 == n;

        put_column(stdout, t, text,
                   last && text_width(text) < widths[k] ? text_width(text) : widths[k]);
        fputs(last ? "" : "  ", stdout);
    }
}

/* For a person the name of an instance, gen[2], stands for that of its node. */
static const char *title(const char *column)
{
    return strcmp(column, "instance") != 0 ? column : "node";
}

static void print_table(const struct rows *r, const char *const *columns, bool newest_first,
                        bool but_one)
{
    int *widths = calloc(r->columns + 1, sizeof *widths);
    const char **titles = calloc(r->columns + 1, sizeof *titles);
    struct term t;
    size_t i, k;

    if (!widths || !titles || !r->columns)
        goto out;
    term_ask(&t, stdout);
    for (k = 0; k < r->columns; k++) {
        titles[k] = title(columns[k]);
        widths[k] = text_width(titles[k]);
        for (i = 0; i < r->count; i++) {
            const char *text = r->cells[i][k];
            int w = text ? text_width(text) : 0;

            widths[k] = w > widths[k] ? w : widths[k];
        }
    }
    fit(widths, r->columns, t.width);
    printf("%s", color(&t, "bold"));
    put_row(&t, titles, widths, r->columns);
    printf("%s\n", color(&t, "off"));
    for (i = 0; i + but_one < r->count; i++, putchar('\n'))
        put_row(&t, (const char *const *)r->cells[newest_first ? r->count - 1 - i : i], widths,
                r->columns);
out:
    free(titles);
    free(widths);
}

/* RFC 4180, with line feeds alone. */
static void put_csv(const char *text, bool last)
{
    if (!text[strcspn(text, ",\"\r\n")]) {
        fputs(text, stdout);
    } else {
        putchar('"');
        for (; *text; text++) {
            if (*text == '"')
                putchar('"');
            putchar(*text);
        }
        putchar('"');
    }
    putchar(last ? '\n' : ',');
}

static void print_csv_row(hr_cursor *c)
{
    const char *const *column;

    for (column = hr_cursor_columns(c); *column; column++)
        put_csv(hr_cursor_text(c, *column) ? hr_cursor_text(c, *column) : "", !column[1]);
}

static void print_csv_head(hr_cursor *c)
{
    const char *const *column;

    for (column = hr_cursor_columns(c); *column; column++)
        put_csv(*column, !column[1]);
}

/* false: there is no memory for it. */
static bool print_json(hr_cursor *c)
{
    const char *const *column;
    bool some = false, whole = true;

    putchar('{');
    for (column = hr_cursor_columns(c); *column && whole; column++) {
        const char *value = hr_cursor_json(c, *column);
        char *name;

        if (!hr_cursor_text(c, *column))
            continue;
        if ((name = json_quote(*column)) && value)
            printf("%s%s: %s", some ? ", " : "", name, value);
        whole = name && value;
        free(name);
        some = true;
    }
    printf("}\n");
    if (!whole)
        no_memory();
    return whole;
}

/* The first rows of a cursor as a table. */
static int print_some(hr_project *p, hr_cursor *c, const char *const *columns, int64_t limit)
{
    struct rows rows = { 0 };
    int32_t got;
    int code = EXIT_DONE;

    while (columns[rows.columns])
        rows.columns++;
    while ((got = hr_cursor_next(c)) > 0 && (!limit || rows.count < (size_t)limit))
        add_row(&rows, c, columns);
    if (rows.failed) {
        no_memory();
        code = EXIT_WRONG;
    } else {
        print_table(&rows, columns, false, false);
        if (got > 0)
            fprintf(stderr, "more rows: see --limit\n");
    }
    free_rows(&rows);
    return got < 0 ? tell_error(p) : code;
}

/* The newest first; the oldest of them, one too many, is not shown. */
static int print_list(hr_cursor *c, const struct list_spec *spec)
{
    struct rows rows = { 0 };
    bool more;

    while (spec->columns[rows.columns])
        rows.columns++;
    while (hr_cursor_next(c) > 0)
        add_row(&rows, c, spec->columns);
    more = !spec->limit && rows.count > TABLE_ROWS;
    if (rows.failed) {
        no_memory();
    } else {
        print_table(&rows, spec->columns, true, more);
        if (more)
            fprintf(stderr, "older %s: see --limit\n", spec->what);
    }
    free_rows(&rows);
    return rows.failed ? EXIT_WRONG : EXIT_DONE;
}

/* The first limit rows, or all, as JSON lines or CSV. */
static int print_lines(hr_project *p, hr_cursor *c, int64_t limit, enum row_form form)
{
    int32_t got = 0;
    int64_t n = 0;

    if (form == ROWS_CSV)
        print_csv_head(c);
    while ((!limit || n++ < limit) && (got = hr_cursor_next(c)) > 0)
        if (form == ROWS_CSV)
            print_csv_row(c);
        else if (!print_json(c))
            return EXIT_WRONG;
    return got < 0 ? tell_error(p) : EXIT_DONE;
}

int arg_row_form(const struct args *a, enum row_form *ret)
{
    bool json = arg_flag(a, "--json"), csv = arg_flag(a, "--csv");

    if (json && csv)
        return usage(a, "--json and --csv exclude each other");
    *ret = json ? ROWS_JSON : csv ? ROWS_CSV : ROWS_TABLE;
    return EXIT_DONE;
}

int print_rows(hr_project *p, const struct list_spec *spec)
{
    bool lines = spec->form != ROWS_TABLE;
    int64_t limit = spec->limit;
    hr_cursor *c = NULL;
    int code;

    if (!limit && !lines)
        limit = TABLE_ROWS + 1; /* one more tells that there are more */
    if (hr_query_newest(p, spec->what, spec->filter, limit, &c) < 0)
        return tell_error(p);
    code = lines ? print_lines(p, c, 0, spec->form) : print_list(c, spec);
    hr_cursor_free(c);
    return code;
}

int print_examples(hr_project *p, hr_cursor *c, int64_t limit, enum row_form form)
{
    if (form == ROWS_TABLE)
        return print_some(p, c, hr_cursor_columns(c), limit ? limit : SOME_ROWS);
    return print_lines(p, c, limit, form);
}
