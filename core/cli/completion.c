/* completion: what a shell offers at the tab key, from the table of verbs.
 *
 * One function in bash; zsh loads it by its bashcompinit.  It looks for verb and noun among
 * the words, then offers options for a word that begins with "-", the choices of an option's
 * value or of an argument, files and directories.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

/* The choices of "a|b" with blanks between. */
static void put_choices(const char *choices)
{
    for (; *choices; choices++)
        putchar(*choices == '|' ? ' ' : *choices);
}

static void put_reply(const struct placeholder *p)
{
    if (p->choice) {
        fputs("words=\"", stdout);
        put_choices(p->text);
        fputs("\"", stdout);
    } else {
        fputs(p->file ? "kind=-f" : p->dir ? "kind=-d" : ":", stdout);
    }
}

/* What follows an option. */
static void put_values(const struct verb *v, const char *full)
{
    const struct option *o;
    struct placeholder p;

    for (o = v->options; o && o->name; o++) {
        const char *at = o->value;

        if (!at || !next_placeholder(&at, &p))
            continue;
        printf("    \"%s %s\") ", full, o->name);
        put_reply(&p);
        puts(" ;;");
    }
}

/* Options, or what a word may be: the first placeholder counts. */
static void put_words(const struct verb *v, const char *full)
{
    const char *at = v->words ? v->words : "";
    const struct option *o;
    struct placeholder p;
    size_t i;

    printf("    \"%s\")\n        options=\"--help", full);
    for (o = v->options; o && o->name; o++)
        printf(" %s", o->name);
    fputs("\"\n        ", stdout);
    if (v->nouns) {
        fputs("words=\"", stdout);
        for (i = 0; v->nouns[i]; i++)
            printf("%s%s", i ? " " : "", v->nouns[i]->name);
        puts("\" ;;");
    } else if (!strcmp(v->name, "help")) {
        puts("words=$verbs ;;");
    } else if (next_placeholder(&at, &p)) {
        put_reply(&p);
        puts(" ;;");
    } else {
        puts(": ;;");
    }
}

static void each_verb(void (*put)(const struct verb *v, const char *full))
{
    char full[64];
    size_t i, k;

    for (i = 0; verbs[i]; i++) {
        put(verbs[i], verbs[i]->name);
        for (k = 0; verbs[i]->nouns && verbs[i]->nouns[k]; k++) {
            snprintf(full, sizeof full, "%s %s", verbs[i]->name, verbs[i]->nouns[k]->name);
            put(verbs[i]->nouns[k], full);
        }
    }
}

static void put_function(void)
{
    size_t i;

    fputs("_headrace() {\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
          "    local verb=${COMP_WORDS[1]} options= words= kind= valued=\n"
          "    local verbs=\"",
          stdout);
    for (i = 0; verbs[i]; i++)
        printf("%s%s", i ? " " : "", verbs[i]->name);
    puts("\"\n"
         "    COMPREPLY=()\n"
         "    if [ \"$COMP_CWORD\" -le 1 ]; then\n"
         "        COMPREPLY=($(compgen -W \"$verbs\" -- \"$word\"))\n"
         "        return\n"
         "    fi\n"
         "    case \" $verb \" in");
    for (i = 0; verbs[i]; i++)
        if (verbs[i]->nouns)
            printf("    \" %s \")\n"
                   "        [ \"$COMP_CWORD\" -gt 2 ] && verb=\"$verb ${COMP_WORDS[2]}\" ;;\n",
                   verbs[i]->name);
    puts("    esac\n"
         "    valued=1\n"
         "    case \"$verb $before\" in");
    each_verb(put_values);
    puts("    *) valued= ;;\n"
         "    esac\n"
         "    if [ -z \"$valued\" ]; then\n"
         "    case \"$verb\" in");
    each_verb(put_words);
    puts("    esac\n"
         "    fi\n"
         "    case \"$word\" in\n"
         "    -*) [ -z \"$valued\" ] && words=$options kind= ;;\n"
         "    esac\n"
         "    if [ -n \"$kind\" ]; then\n"
         "        COMPREPLY=($(compgen $kind -- \"$word\"))\n"
         "    else\n"
         "        COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
         "    fi\n"
         "}\n"
         "complete -o filenames -F _headrace headrace");
}

static int completion(const struct args *a)
{
    if (!strcmp(a->words[0], "zsh"))
        puts("autoload -U +X bashcompinit && bashcompinit");
    put_function();
    return EXIT_DONE;
}

const struct verb verb_completion = {
    .name = "completion",
    .group = GROUP_KEEP,
    .words = "bash|zsh",
    .line = "the tab key of a shell",
    .page = "Prints what makes a shell complete verbs, options, their choices and files.  For "
            "bash, put into ~/.bashrc:\n\n"
            "  eval \"$(headrace completion bash)\"\n\n"
            "and likewise with zsh into ~/.zshrc.",
    .run = completion,
};
