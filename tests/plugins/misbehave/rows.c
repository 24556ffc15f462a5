/* Batches of one column "x" of text that break one of Arrow's rules each. */
#include "headrace/arrow.h"
#include "misbehave.h"

#include <errno.h>
#include <string.h>

struct batch {
    const char *format;
    int64_t length, child_length, n_children, n_buffers;
    int32_t offsets[4];
    const char *data;
    int error; /* of get_next() */
};

static struct stream {
    const struct batch *batch;
    struct ArrowSchema column, *columns[1];
    struct ArrowArray child, *children[1];
    const void *rows_buffers[1], *buffers[3];
    int given;
} now;

static void release_schema(struct ArrowSchema *s)
{
    s->release = NULL;
}

static void release_array(struct ArrowArray *a)
{
    a->release = NULL;
}

static void release_stream(struct ArrowArrayStream *s)
{
    s->release = NULL;
}

static int get_schema(struct ArrowArrayStream *s, struct ArrowSchema *ret)
{
    (void)s;
    now.column = (struct ArrowSchema){ .format = now.batch->format, .name = "x",
                                       .release = release_schema };
    now.columns[0] = &now.column;
    *ret = (struct ArrowSchema){ .format = "+s", .name = "", .n_children = 1,
                                 .children = now.columns, .release = release_schema };
    return 0;
}

static int get_next(struct ArrowArrayStream *s, struct ArrowArray *ret)
{
    const struct batch *b = now.batch;

    (void)s;
    *ret = (struct ArrowArray){ .length = 0 };
    if (b->error)
        return b->error;
    if (now.given++)
        return 0;
    now.buffers[1] = b->offsets;
    now.buffers[2] = b->data;
    now.child = (struct ArrowArray){ .length = b->child_length, .n_buffers = b->n_buffers,
                                     .buffers = now.buffers, .release = release_array };
    now.children[0] = &now.child;
    *ret = (struct ArrowArray){ .length = b->length, .n_buffers = 1, .buffers = now.rows_buffers,
                                .n_children = b->n_children, .children = now.children,
                                .release = release_array };
    return 0;
}

static const char *last_error(struct ArrowArrayStream *s)
{
    (void)s;
    return "the well is dry";
}

hr_status ill_rows(const struct ill *ill)
{
    static const struct {
        const char *how;
        struct batch batch;
    } ways[] = {
        { "rows right", { "u", 2, 2, 1, 3, { 0, 1, 2 }, "ab", 0 } },
        { "rows type", { "?!", 2, 2, 1, 3, { 0, 1, 2 }, "ab", 0 } },
        { "rows length", { "u", 3, 2, 1, 3, { 0, 1, 2 }, "ab", 0 } },
        { "rows negative", { "u", -1, 2, 1, 3, { 0, 1, 2 }, "ab", 0 } },
        { "rows offsets", { "u", 2, 2, 1, 3, { 0, 2, 1 }, "ab", 0 } },
        { "rows columns", { "u", 2, 2, 0, 3, { 0, 1, 2 }, "ab", 0 } },
        { "rows buffers", { "u", 2, 2, 1, 2, { 0, 1, 2 }, "ab", 0 } },
        { "rows no data", { "u", 2, 2, 1, 3, { 0, 1, 2 }, NULL, 0 } },
        { "rows UTF-8", { "u", 2, 2, 1, 3, { 0, 1, 2 }, "\xff\xfe", 0 } },
        { "rows error", { "u", 2, 2, 1, 3, { 0, 1, 2 }, "ab", EIO } },
    };
    struct ArrowArrayStream s = { get_schema, get_next, last_error, release_stream, NULL };
    size_t i;

    for (i = 0; i < sizeof ways / sizeof ways[0]; i++)
        if (!strcmp(ways[i].how, ill->how)) {
            now.batch = &ways[i].batch;
            return ill->easy->table->write(ill->run, "stats", 0, "train", &s);
        }
    return HR_OK;
}
