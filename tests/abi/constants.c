/* constants.c - what no debug information holds: the value of each constant and the text of
 * each interface id.  It compiles, or the ABI has changed. */
#include "headrace/flow.h"
#include "headrace/headrace.h"
#include "headrace/model.h"

#define SAME(constant, value) _Static_assert((constant) == (value), #constant " has changed")

SAME(HR_OK, 0);
SAME(HR_CANCELLED, -1);
SAME(HR_INVALID, -3);
SAME(HR_DEADLINE, -4);
SAME(HR_NOT_FOUND, -5);
SAME(HR_EXISTS, -6);
SAME(HR_DENIED, -7);
SAME(HR_EXHAUSTED, -8);
SAME(HR_PRECONDITION, -9);
SAME(HR_UNIMPLEMENTED, -12);
SAME(HR_INTERNAL, -13);
SAME(HR_UNAVAILABLE, -14);
SAME(HR_DATA_LOSS, -15);
SAME(HR_DEBUG, 0);
SAME(HR_INFO, 1);
SAME(HR_WARN, 2);
SAME(HR_ERROR, 3);
SAME(HR_INT, 1);
SAME(HR_FLOAT, 2);
SAME(HR_STRING, 3);
SAME(HR_BOOL, 4);
SAME(HR_JSON, 5);
SAME(HR_PATH_READ, 6);
SAME(HR_PATH_WRITE, 7);
SAME(HR_PORT_OPTIONAL, 1);
SAME(HR_PORT_EMPTY, 2);
SAME(HR_PORT_MANY, 4);
SAME(HR_FUNCTION_EXACT, 1);
SAME(HR_FUNCTION_SCALAR, 2);
SAME(HR_COMPONENT_DETERMINISTIC, 1);
SAME(HR_COMPONENT_NETWORK, 2);
SAME(HR_COMPONENT_DEVICE, 4);
SAME(HR_COMPONENT_PROCESS, 8);
SAME(HR_EXECUTE, 0);
SAME(HR_REUSE, 1);
SAME(HR_SKIP, 2);
SAME(HR_ABI_MAJOR, 1);
SAME(HR_ABI_MINOR, 0);
SAME(HR_EVENT_STARTED, 1);
SAME(HR_EVENT_GATE, 12);
SAME(HR_ISOLATE, 0);
SAME(HR_ISOLATE_REQUIRED, 1);
SAME(HR_ISOLATE_NONE, 2);
SAME(HR_OPEN_NEW, 1);
/* a release that changes this looks at the layout text and its baseline */
SAME(HR_VERSION_NUMBER, 100);

#include <stdio.h>
#include <string.h>

static int same(const char *id, const char *text)
{
    if (!strcmp(id, text))
        return 0;
    printf("%s is not %s\n", id, text);
    return 1;
}

int main(void)
{
    return same(HR_RUN, "hr.run/1") | same(HR_LOG, "hr.log/1") |
           same(HR_PROGRESS, "hr.progress/1") | same(HR_TABLE, "hr.table/1") |
           same(HR_EXECUTOR, "hr.executor/1") | same(HR_DRIVER, "hr.driver/1") |
           same(HR_PUBLISHER, "hr.publisher/1") | same(HR_FLOW, "hr.flow/1") |
           same(HR_EMIT, "hr.emit/1") | same(HR_MAP, "hr.map/1") |
           same(HR_COMBINE, "hr.combine/1") | same(HR_MODEL, "hr.model/1") |
           same(HR_MODELS, "hr.models/1");
}
