#include "cli/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { LONGEST = 1024 };

void forget_passphrase(char *text)
{
    volatile char *p = text;

    while (p && *p)
        *p++ = '\0';
    free(text);
}

static char *read_line(FILE *f)
{
    char *line = malloc(LONGEST);

    if (line && !fgets(line, LONGEST, f)) {
        free(line);
        return NULL;
    }
    if (line)
        line[strcspn(line, "\r\n")] = '\0';
    return line;
}

static char *ask(const char *prompt)
{
    struct termios was, quiet;
    char *line;

    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &was) < 0)
        return NULL;
    quiet = was;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    fputs(prompt, stderr);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    line = read_line(stdin);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &was);
    fputc('\n', stderr);
    return line;
}

char *take_passphrase(const char *file, const char *prompt, bool again)
{
    char *first, *second;
    FILE *f;

    if (file) {
        f = fopen(file, "r");
        first = f ? read_line(f) : NULL;
        if (f)
            fclose(f);
        if (!first)
            fprintf(stderr, "headrace: no passphrase can be read from \"%s\"\n", file);
        return first;
    }
    first = ask(prompt);
    if (!first || !again)
        return first;
    second = ask("once more: ");
    if (!second || strcmp(first, second) != 0) {
        fprintf(stderr, "headrace: the passphrases differ\n");
        forget_passphrase(first);
        first = NULL;
    }
    forget_passphrase(second);
    return first;
}
