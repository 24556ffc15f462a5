/* misbehave.h - what a misbehaving hook is given, and the families of what it does. */
#ifndef MISBEHAVE_H
#define MISBEHAVE_H

#include "headrace/easy.h"

struct ill {
    const struct hr_easy *easy;
    hr_run *run;
    const char *how, *path, *out; /* the properties, and the directory of the output */
};

/* Each does what ill->how names, if it knows it; HR_OK: it does not, or nothing was refused. */
hr_status ill_ends(const struct ill *ill);   /* signals, exits, loops */
hr_status ill_system(const struct ill *ill); /* processes, memory, descriptors, sockets, threads */
hr_status ill_files(const struct ill *ill);  /* files of others, and odd outputs */
hr_status ill_rows(const struct ill *ill);   /* Arrow's rules */

/* What was tried was refused: the hook fails with the error of the system, as in
 * "truncating: Permission denied". */
hr_status ill_refused(const struct ill *ill, const char *what);

/* It was possible, and should not have been. */
hr_status ill_possible(const struct ill *ill, const char *what);

struct ill_way {
    const char *how;
    hr_status (*act)(const struct ill *ill);
};

/* The way of a list, ended by {NULL}, that ill->how names. */
hr_status ill_act(const struct ill *ill, const struct ill_way *ways);

#endif
