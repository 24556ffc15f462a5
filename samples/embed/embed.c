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

int main(int argc, char **argv)
{
    const char *result = NULL;
    const hr_event *event;
    hr_model *model = NULL;
    hr_job *job = NULL;
    char pipeline[4096];
    hr_project *p;
    int code = 0;

    if (argc != 3 || snprintf(pipeline, sizeof pipeline, "%s/pipeline.json", argv[1]) < 0)
        return fail("usage: embed DIR ROW");
    if (!(p = hr_new(NULL)))
        return fail("no memory");
    if (hr_open(p, argv[1], HR_OPEN_NEW) < 0 || hr_start(p, pipeline, NULL, &job) < 0)
        code = fail(hr_error(p));
    while (job && hr_next(job, -1, &event) > 0)
        if (event->kind == HR_EVENT_FINISHED || event->kind == HR_EVENT_CACHED)
            printf("%s: %s\n", event->node, event->text);
        else if (event->kind == HR_EVENT_FAILED)
            code = fail(event->text);
    if (!code && hr_model_open(p, "penguin", NULL, &model) < 0)
        code = fail(hr_error(p));
    if (!code && hr_model_predict_json(model, argv[2], &result) < 0)
        code = fail(hr_model_error(model));
    if (!code)
        puts(result);
    hr_free(p);
    return code;
}
