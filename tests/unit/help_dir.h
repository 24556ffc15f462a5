/* help_dir.h - a directory of a test's own. */
#ifndef HELP_DIR_H
#define HELP_DIR_H

enum { HELP_DIR = 64 };

/* A new one; NAME is part of its name.  Not 0: it cannot be made. */
int help_dir_make(const char *name, char ret[HELP_DIR]);

/* With all that is in it. */
int help_dir_remove(const char *dir);

#endif
