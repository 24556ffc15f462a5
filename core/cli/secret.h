/* secret.h - private to cli: passphrases. */
#ifndef HR_CLI_SECRET_H
#define HR_CLI_SECRET_H

#include <stdbool.h>

/* A passphrase, of a file's first line or asked for on the terminal without echo (twice if
 * again), freed by the caller.  NULL: told, or there is neither file nor terminal. */
char *take_passphrase(const char *file, const char *prompt, bool again);
void forget_passphrase(char *text); /* NULL is allowed */

#endif
