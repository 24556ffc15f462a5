/* embed - runs a pipeline from a C program, prints its events, and asks the model for a row.
 *
 *     embed DIR ROW
 *
 * DIR holds pipeline.json; ROW is a JSON object.  Link: cc embed.c $(pkg-config --cflags --libs
 * headrace)
 */
#include <headrace/headrace.h>
#include <stdio.h>

static int fail(const char *text)
{
    fprintf(stderr, "%s\n", text);
    return 1;
}

/* The pipeline in a directory, to its end. */
static int run(hr_project *p, const char *dir)
{
    const hr_event *event;
    hr_job *job = NULL;
    char pipeline[4096];
    int code = 0;

    if (snprintf(pipeline, sizeof pipeline, "%s/pipeline.json", dir) < 0)
        return fail("that directory has an impossible name");
    if (hr_open(p, dir, HR_OPEN_NEW) < 0 || hr_start(p, pipeline, NULL, &job) < 0)
        return fail(hr_error(p));
    while (hr_next(job, -1, &event) > 0)
        if (event->kind == HR_EVENT_FINISHED || event->kind == HR_EVENT_CACHED)
            printf("%s: %s\n", event->node, event->text);
        else if (event->kind == HR_EVENT_FAILED)
            code = fail(event->text);
    return code;
}

/* What the model that it has made says of a row. */
static int predict(hr_project *p, const char *row)
{
    const char *result = NULL;
    hr_model *model = NULL;

    if (hr_model_open(p, "penguin", NULL, &model) < 0)
        return fail(hr_error(p));
    if (hr_model_predict_json(model, row, &result) < 0)
        return fail(hr_model_error(model));
    puts(result);
    return 0;
}

int main(int argc, char **argv)
{
    hr_project *p;
    int code;

    if (argc != 3)
        return fail("usage: embed DIR ROW");
    if (!(p = hr_new(NULL)))
        return fail("no memory");
    if (!(code = run(p, argv[1])))
        code = predict(p, argv[2]);
    hr_free(p);
    return code;
}
