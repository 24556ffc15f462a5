/* Versions and ranges: "RANGE VERSION VERSION".  The order of versions is an order, and what fits
 * a range lies between its ends. */
#include <stdlib.h>
#include <string.h>

#include "plugin/plugin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), *rest, *range_text, *a, *b;
    struct hr_version x, y;
    struct hr_range range;

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    range_text = strtok_r(text, " ", &rest);
    a = range_text ? strtok_r(NULL, " ", &rest) : NULL;
    b = a ? strtok_r(NULL, " ", &rest) : NULL;
    if (b) {
        if (hr_version_compare(a, a) != 0 || hr_version_compare(b, b) != 0)
            abort();
        if ((hr_version_compare(a, b) < 0) != (hr_version_compare(b, a) > 0))
            abort();
        if (hr_range_read(range_text, &range) && hr_range_fits(&range, a) &&
            (!hr_version_read(a, &x) || hr_version_order(&x, &range.from) < 0))
            abort();
        if (hr_version_read(b, &y) && hr_range_read(b, &range) && !hr_range_fits(&range, b))
            abort();
    }
    free(text);
    return 0;
}
