#include "cli/view.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { TEXT = 512, REDRAW_MS = 50 };

struct line {
    char *node;
    const char *state;
    char text[TEXT];
    int64_t began_us, took_us;
};

struct view {
    struct term term;
    struct line *lines;
    size_t count, drawn_count;
    int rows; /* of the terminal */
    int name_width;
    bool in_place, drawn, refused;
    int64_t drawn_us;
};

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

struct view *view_new(const struct term *t, const char *const *nodes, size_t count)
{
    struct view *v = calloc(1, sizeof *v);
    struct winsize size;
    size_t i;

    if (!v || !(v->lines = calloc(count + 1, sizeof *v->lines))) {
        free(v);
        return NULL;
    }
    v->term = *t;
    v->count = count;
    for (i = 0; i < count; i++) {
        v->lines[i].node = strdup(nodes[i]);
        v->lines[i].state = "";
        v->name_width = text_width(nodes[i]) > v->name_width ? text_width(nodes[i]) : v->name_width;
    }
    v->rows = t->tty && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_row : 0;
    v->in_place = count + 3 < (size_t)v->rows;
    return v;
}

void view_free(struct view *v)
{
    size_t i;

    if (!v)
        return;
    for (i = 0; i < v->count; i++)
        free(v->lines[i].node);
    free(v->lines);
    free(v);
}

bool view_gate_refused(const struct view *v)
{
    return v->refused;
}

static const char *color_of(const struct view *v, const char *state)
{
    if (!strcmp(state, "failed"))
        return color(&v->term, "red");
    if (!strcmp(state, "done"))
        return color(&v->term, "green");
    if (!strcmp(state, "cached"))
        return color(&v->term, "blue");
    return color(&v->term, *state == 'r' || *state == 'w' ? "yellow" : "dim");
}

/* "  trainer     done     24 ms   loss 0.031  accuracy 0.99" */
static void draw_line(const struct view *v, const struct line *l)
{
    int64_t us = l->took_us ? l->took_us : l->began_us ? now_us() - l->began_us : 0;
    int left = v->term.width - v->name_width - 26;
    char took[32] = "";

    if (*l->state && strcmp(l->state, "not run") != 0)
        format_duration(us, took, sizeof took);
    fputs("  ", stdout);
    put_column(stdout, &v->term, l->node, v->name_width);
    printf("  %s%-9s%s %8s   ", color_of(v, l->state), l->state, color(&v->term, "off"), took);
    if (left < 10) {
        putchar('\n');
        return;
    }
    put_column(stdout, &v->term, l->text, text_width(l->text) < left ? text_width(l->text) : left);
    putchar('\n');
}

static void draw(struct view *v, bool always)
{
    int64_t now = now_us();
    size_t i;

    if (!v->in_place || (!always && now - v->drawn_us < REDRAW_MS * 1000))
        return;
    if (v->drawn && v->drawn_count)
        printf("\033[%zuA", v->drawn_count);
    v->drawn_count = v->count;
    for (i = 0; i < v->count; i++) {
        fputs("\033[2K", stdout);
        draw_line(v, &v->lines[i]);
    }
    fflush(stdout);
    v->drawn = true;
    v->drawn_us = now;
}

/* Take back the lines that are updated. */
static void erase(struct view *v)
{
    if (v->in_place && v->drawn && v->drawn_count)
        printf("\033[%zuA\033[J", v->drawn_count);
    v->drawn = false;
    fflush(stdout);
}

/* Words above the lines that are updated. */
static void say(struct view *v, const char *node, const char *text)
{
    erase(v);
    fprintf(stderr, "  %s: ", node);
    put_shown(stderr, text);
    fputc('\n', stderr);
    draw(v, true);
}

/* Where a node that comes up belongs: "part[2]" behind the last of its kind, or *ret_instead of
 * "part", others at the end. */
static size_t place_of(const struct view *v, const char *node, bool *ret_instead)
{
    size_t stem = strcspn(node, "["), at = v->count, i;

    *ret_instead = false;
    for (i = 0; node[stem] && i < v->count; i++) {
        const char *other = v->lines[i].node;

        if (strncmp(other, node, stem) != 0 || (other[stem] && other[stem] != '['))
            continue;
        *ret_instead = !other[stem];
        at = *ret_instead ? i : i + 1;
    }
    return at;
}

/* A line for a node that comes up while it runs. */
static struct line *add_line(struct view *v, const char *node)
{
    struct line *lines = realloc(v->lines, (v->count + 2) * sizeof *lines);
    char *name = strdup(node);
    bool instead;
    size_t at;

    if (lines)
        v->lines = lines;
    if (!lines || !name) {
        free(name);
        return NULL;
    }
    erase(v);
    at = place_of(v, node, &instead);
    if (instead) {
        free(v->lines[at].node);
    } else {
        memmove(v->lines + at + 1, v->lines + at, (v->count - at) * sizeof *lines);
        v->count++;
    }
    v->lines[at] = (struct line){ .node = name, .state = "" };
    v->name_width = text_width(node) > v->name_width ? text_width(node) : v->name_width;
    v->in_place = v->in_place && v->count + 3 < (size_t)v->rows;
    return &v->lines[at];
}

static struct line *line_of(struct view *v, const char *node)
{
    size_t i;

    for (i = 0; node && i < v->count; i++)
        if (!strcmp(v->lines[i].node, node))
            return &v->lines[i];
    return node ? add_line(v, node) : NULL;
}

/* The first line of a text. */
static void set_text(struct line *l, const char *text)
{
    shown(l->text, TEXT, text ? text : "", true);
    l->text[strcspn(l->text, "\n")] = '\0';
}

static void set_progress(struct line *l, const hr_event *e)
{
    if (e->total > 0)
        snprintf(l->text, TEXT, "%.0f of %.0f %s (%.0f %%)", e->done, e->total,
                 e->unit ? e->unit : "", 100 * e->done / e->total);
    else
        snprintf(l->text, TEXT, "%.0f %s", e->done, e->unit ? e->unit : "");
}

static const char *word_of(int32_t kind)
{
    switch (kind) {
    case HR_EVENT_CACHED:
        return "cached";
    case HR_EVENT_SKIPPED:
        return "skipped";
    case HR_EVENT_FINISHED:
        return "done";
    case HR_EVENT_FAILED:
        return "failed";
    case HR_EVENT_CANCELLED:
        return "cancelled";
    default:
        return "";
    }
}

static void end_line(struct view *v, struct line *l, const hr_event *e)
{
    l->state = word_of(e->kind);
    l->took_us = e->duration_us ? e->duration_us : 1;
    set_text(l, e->text);
    if (v->in_place)
        draw(v, true);
    else
        draw_line(v, l);
    fflush(stdout);
}

void view_event(struct view *v, const hr_event *e)
{
    struct line *l = line_of(v, e->node);

    if (e->kind == HR_EVENT_GATE)
        v->refused = v->refused || e->status < 0;
    if (!l)
        return;
    switch (e->kind) {
    case HR_EVENT_STARTED:
        l->state = "running";
        l->began_us = now_us();
        l->took_us = 0;
        l->text[0] = '\0';
        break;
    case HR_EVENT_PROGRESS:
        set_progress(l, e);
        break;
    case HR_EVENT_WAITING:
        l->state = "waiting";
        set_text(l, e->text);
        break;
    case HR_EVENT_RETRY:
        say(v, e->node, e->text);
        l->state = "waiting";
        break;
    case HR_EVENT_LOG:
        if (e->level >= HR_WARN)
            say(v, e->node, e->text);
        break;
    case HR_EVENT_GATE:
        break;
    default:
        end_line(v, l, e);
    }
    draw(v, false);
}
