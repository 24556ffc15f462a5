/* csv_split FILE DIR [FORMAT [all]] - CSV to the splits train and eval, two to one; or to one. */
#include <stdio.h>

#include "data/data.h"

int main(int argc, char **argv)
{
    const char *splits = argc > 4 ? "{\"all\":1}" : "{\"train\":2,\"eval\":1}";
    struct hr_generate g = { .format = HR_FORMAT_ARROW };
    struct hr_split split;
    struct hr_env env;
    const char *path;
    hr_status r;

    if (argc < 3 || argc > 5) {
        fprintf(stderr, "usage: csv_split FILE DIR [FORMAT [all]]\n");
        return 2;
    }
    hr_env_init(&env, NULL);
    path = argv[1];
    g.dir = argv[2];
    if (argc > 3)
        g.format = argv[3];
    g.split = &split;
    r = hr_split_parse(&env, splits, &split);
    if (r == HR_OK) {
        r = hr_generate_csv(&env, &path, 1, &g);
        hr_split_clear(&split);
    }
    if (r < 0)
        fprintf(stderr, "%s\n", hr_env_error(&env));
    hr_env_clear(&env);
    return r < 0;
}
