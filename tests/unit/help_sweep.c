#include "help_sweep.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "help_mem.h"
#include "help_os.h"

enum { MOST = 1000 };

static hr_status once(const struct help_sweep *s, struct hr_env_config *config)
{
    struct hr_env env;
    hr_status r;

    config->threads = s->threads;
    hr_env_init(&env, config);
    r = s->work(&env);
    assert_int_not_equal(r, HR_INTERNAL);
    if (r < 0)
        assert_true(*hr_env_error(&env));
    hr_env_clear(&env);
    return r;
}

void help_each_call(const struct help_sweep *s)
{
    hr_status r = HR_OK;
    int n, calls = MOST;

    for (n = 1; n <= calls; n++) {
        struct help_os os;
        struct hr_env_config config = { .os = help_os_init(&os, n, -EIO) };

        r = once(s, &config);
        assert_int_equal(os.open, 0);
        if (os.calls < n)
            calls = os.calls;
        s->check();
    }
    assert_true(n > s->least && n < MOST);
    assert_int_equal(r, HR_OK);
}

void help_each_allocation(const struct help_sweep *s)
{
    hr_status r = HR_EXHAUSTED;
    int n, calls = MOST;

    for (n = 1; n <= calls; n++) {
        struct help_mem m = { 0, 0, n };
        struct hr_env_config config = { .alloc = help_mem_alloc, .alloc_user = &m };

        r = once(s, &config);
        assert_int_equal(m.live, 0);
        if (m.calls < n)
            calls = m.calls;
        else if (r == HR_OK)
            fail_msg("allocation %d: its failure is not seen", n);
        s->check();
    }
    assert_true(n > s->least && n < MOST && r == HR_OK);
}
