/* Texts that do not fit into a table: counted as exactly as those that do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "help_mem.h"
#include "help_os.h"
#include "validation/column_store.h"
#include "validation/words.h"

enum { KINDS = 3000, TABLES = 3, BEST = 40, ONCE = 2000, LATE = 2 * HR_WORDS_FEW };

/* How often each text is to come. */
static void draw(uint64_t *counts)
{
    uint64_t i;

    for (i = 0; i < KINDS; i++)
        counts[i] = 1 + (i % 7 ? 0 : hr_random_at(5, i) % 50);
}

static size_t text_of(uint64_t i, char *to)
{
    if (i % 100 == 3) { /* longer than a piece of a part */
        memset(to, 'a' + (int)(i / 100 % 26), 20000);
        return 20000 + (size_t)snprintf(to + 20000, 20, "%llu", (unsigned long long)i);
    }
    return (size_t)snprintf(to, 20, i % 50 == 1 ? "\xff%llu" : "word %llu", (unsigned long long)i);
}

/* The texts, in an order that mixes them, to one table after the other. */
static hr_status add_all(struct hr_env *env, struct hr_words *tables, const uint64_t *counts)
{
    static char text[21000];
    hr_status r = HR_OK;
    uint64_t i, k, n;

    for (k = 0; k < 50 && r == HR_OK; k++)
        for (i = 0; i < KINDS && r == HR_OK; i++) {
            if (k >= counts[i])
                continue;
            n = text_of(i, text);
            r = hr_words_add(env, &tables[(i + k) % TABLES], text, n, 1);
        }
    return r;
}

struct setting {
    const char *dir;
    size_t held, late;
};

/* One table of all, by way of several. */
static hr_status count_all(struct hr_env *env, const struct setting *s, const uint64_t *counts,
                           struct hr_words *ret)
{
    struct hr_words more[TABLES - 1];
    struct hr_words tables[TABLES];
    hr_status r;
    int i;

    for (i = 0; i < TABLES; i++) {
        hr_words_init(&tables[i]);
        tables[i].dir = s->dir;
        tables[i].held = s->held;
        tables[i].late_most = s->late;
    }
    r = add_all(env, tables, counts);
    for (i = 1; i < TABLES; i++) {
        if (r == HR_OK)
            r = hr_words_merge(env, &tables[0], &tables[i]);
        more[i - 1] = tables[i];
        hr_words_clear(env, &more[i - 1]);
    }
    if (r == HR_OK)
        r = hr_words_settle(env, &tables[0]);
    *ret = tables[0];
    return r;
}

static void check_ranks(const struct hr_ranks *a, const struct hr_ranks *b)
{
    size_t i;

    assert_int_equal(a->unique, b->unique);
    assert_int_equal(a->n, b->n);
    for (i = 0; i < a->n; i++) {
        assert_int_equal(a->list[i].n, b->list[i].n);
        assert_int_equal(a->list[i].is_bytes, b->list[i].is_bytes);
        assert_int_equal(a->list[i].size, b->list[i].size);
        assert_memory_equal(a->list[i].text, b->list[i].text, a->list[i].size);
    }
}

static hr_status nothing_there(const char *dir, struct hr_env *env)
{
    struct hr_names names = { 0 };
    hr_status r = hr_dir_list(env, dir, &names);

    assert_int_equal(names.count, 0);
    hr_names_clear(env, &names);
    return r;
}

static void make_dir(char *dir)
{
    strcpy(dir, "/tmp/hr_words_XXXXXX");
    assert_non_null(mkdtemp(dir));
}

/* All that is held, parts in memory, parts in a file, and lists of any length say the same. */
static void test_parts(void **state)
{
    static uint64_t counts[KINDS];
    char dir[32];
    const struct setting settings[] = {
        { NULL, HR_WORDS_HELD, HR_WORDS_LATE },
        { NULL, 100, LATE },
        { dir, 100, LATE },
        { dir, 2000, LATE },
        { dir, 1, LATE },
        { dir, 700, HR_WORDS_LATE },
    };
    struct hr_ranks want, got;
    struct hr_words t;
    struct hr_env env;
    size_t i;

    (void)state;
    make_dir(dir);
    hr_env_init(&env, NULL);
    draw(counts);
    assert_int_equal(count_all(&env, &settings[0], counts, &t), HR_OK);
    assert_null(t.spill);
    assert_int_equal(t.n, KINDS);
    assert_int_equal(hr_words_rank(&env, &t, BEST, &want), HR_OK);
    hr_words_clear(&env, &t);
    for (i = 1; i < sizeof settings / sizeof *settings; i++) {
        assert_int_equal(count_all(&env, &settings[i], counts, &t), HR_OK);
        assert_non_null(t.spill);
        assert_true(hr_words_sane(&t));
        assert_int_equal(nothing_there(dir, &env), HR_OK);
        assert_int_equal(hr_words_rank(&env, &t, BEST, &got), HR_OK);
        check_ranks(&want, &got);
        hr_ranks_clear(&env, &got);
        hr_words_clear(&env, &t);
    }
    hr_ranks_clear(&env, &want);
    hr_env_clear(&env);
    rmdir(dir);
}

/* A list of texts that come once does not go through the table. */
static void test_direct(void **state)
{
    struct hr_ranks ranks;
    struct hr_words t;
    struct hr_env env;
    char text[20];
    int i;

    (void)state;
    hr_env_init(&env, NULL);
    hr_words_init(&t);
    t.held = 1500;
    t.late_most = LATE;
    for (i = 0; i < 10 * ONCE; i++)
        assert_int_equal(
            hr_words_add(&env, &t, text, (size_t)snprintf(text, 20, "%d", i % 9999), 1), HR_OK);
    assert_true(t.direct);
    assert_int_equal(t.n, 0);
    assert_int_equal(hr_words_add(&env, &t, "7", 1, UINT64_C(5000000000)), HR_OK);
    assert_int_equal(hr_words_settle(&env, &t), HR_OK);
    assert_int_equal(hr_words_rank(&env, &t, 3, &ranks), HR_OK);
    assert_int_equal(ranks.unique, 9999);
    assert_int_equal(ranks.list[0].n, UINT64_C(5000000000) + 2);
    assert_memory_equal(ranks.list[1].text, "1", 1);
    assert_int_equal(ranks.list[1].n, 3);
    assert_memory_equal(ranks.list[2].text, "0", 1);
    assert_int_equal(t.total, 10 * ONCE + UINT64_C(5000000000));
    hr_ranks_clear(&env, &ranks);
    hr_words_clear(&env, &t);
    hr_env_clear(&env);
}

static hr_status work(struct hr_env *env, const char *dir)
{
    const struct setting s = { dir, 20, LATE };
    static uint64_t counts[KINDS];
    struct hr_ranks ranks = { 0 };
    struct hr_words t;
    hr_status r;
    size_t i;

    for (i = 0; i < 120; i++)
        counts[i] = 1 + i % 3;
    r = count_all(env, &s, counts, &t);
    if (r == HR_OK) {
        r = hr_words_rank(env, &t, BEST, &ranks);
        if (r == HR_OK)
            assert_int_equal(ranks.unique, 120);
        hr_ranks_clear(env, &ranks);
    }
    hr_words_clear(env, &t);
    return r;
}

/* Each allocation and each call of the system fails, one after the other. */
static void test_faults(void **state)
{
    hr_status r = HR_EXHAUSTED;
    struct hr_env after;
    char dir[32];
    int n, calls = 20000;

    (void)state;
    make_dir(dir);
    for (n = 1; n < calls + 1; n++) {
        struct help_mem m = { .fail_at = n };
        struct hr_env_config config = { .alloc = help_mem_alloc, .alloc_user = &m, .threads = 1 };
        struct hr_env env;

        hr_env_init(&env, &config);
        r = work(&env, dir);
        assert_true(r == HR_OK || r == HR_EXHAUSTED);
        assert_true(r == HR_OK || env.errors.count);
        hr_env_clear(&env);
        assert_int_equal(m.live, 0);
        if (m.calls < n)
            calls = m.calls;
        else if (r == HR_OK)
            fail_msg("allocation %d: its failure is not seen", n);
    }
    assert_true(n > 50);
    for (n = 1, r = HR_EXHAUSTED; r < 0 && n < 20000; n++) {
        struct help_os os;
        struct hr_env_config config = { .os = help_os_init(&os, n, -28 /* no space */) };
        struct hr_env env;

        hr_env_init(&env, &config);
        r = work(&env, dir);
        assert_true(r == HR_OK || strstr(hr_env_error(&env), dir));
        hr_env_clear(&env);
        assert_int_equal(os.open, 0);
        if (r == HR_OK && os.calls >= n) /* a close or the removal of the name: no harm */
            r = HR_EXHAUSTED;
    }
    assert_true(n > 10);
    hr_env_init(&after, NULL);
    assert_int_equal(hr_tree_remove(&after, dir), HR_OK); /* a name could not be removed */
    hr_env_clear(&after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_direct),
        cmocka_unit_test(test_faults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
