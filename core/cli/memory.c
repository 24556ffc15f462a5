/* What the command does where it has no memory itself: it says so, and ends with EXIT_WRONG
 * whatever else it has done. */
#include <stdio.h>

#include "cli/draw.h"

static bool wrong;

void end_wrong(void)
{
    wrong = true;
}

bool ends_wrong(void)
{
    return wrong;
}

void no_memory(void)
{
    static bool told;

    if (!told)
        fprintf(stderr, "headrace: no memory\n");
    told = true;
    end_wrong();
}

cJSON *parse_json(const char *json)
{
    cJSON *root = cJSON_Parse(json);

    if (!root)
        no_memory();
    return root;
}

char *json_text(const cJSON *value)
{
    char *text = cJSON_PrintUnformatted(value);

    if (!text)
        no_memory();
    return text;
}
