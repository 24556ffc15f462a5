/* Prints the models of a project: lists DIR. */
#include <stdio.h>

#include <headrace/headrace.h>

int main(int argc, char **argv)
{
    hr_project *p = hr_new(NULL);
    hr_cursor *c = NULL;

    if (!p || argc != 2 || hr_open(p, argv[1], 0) < 0 || hr_query(p, "models", NULL, &c) < 0) {
        fprintf(stderr, "%s\n", p ? hr_error(p) : "no memory");
        hr_free(p);
        return 1;
    }
    while (hr_cursor_next(c) > 0)
        printf("%s@%s\n", hr_cursor_text(c, "model"), hr_cursor_text(c, "version"));
    hr_free(p);
    return 0;
}
