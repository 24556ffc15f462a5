/* view.h - private to cli: what a person sees of a run while it goes on.
 *
 * On a terminal one line a node, in the order of the graph, updated in place; else one plain
 * line when a node ends.  Log lines of warnings and errors are shown, all others are in
 * "headrace log".
 */
#ifndef HR_CLI_VIEW_H
#define HR_CLI_VIEW_H

#include "cli/cli.h"

struct view;

/* nodes: names in the order of the graph, count of them.  NULL: no memory. */
struct view *view_new(const struct term *t, const char *const *nodes, size_t count);
void view_event(struct view *v, const hr_event *e);
void view_free(struct view *v); /* leaves the lines as they are */

/* A node that failed: its text, made from the event. */
bool view_gate_refused(const struct view *v);

#endif
