/* help_fix.h - what a test of a library needs: an env, and an arena for what it makes.
 *
 *     struct fix f;
 *
 *     begin(&f);
 *     ... hr_schema_infer(&f.arena, ...) ...
 *     end(&f);
 */
#ifndef HELP_FIX_H
#define HELP_FIX_H

#include "base/base.h"

struct fix {
    struct hr_env env;
    struct hr_arena arena;
};

static inline void begin(struct fix *f)
{
    hr_env_init(&f->env, NULL);
    hr_arena_init(&f->arena, &f->env, HR_MAX_FILE_BYTES);
}

static inline void end(struct fix *f)
{
    hr_arena_clear(&f->arena);
    hr_env_clear(&f->env);
}

#endif
