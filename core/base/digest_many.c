/* SHA-256 of many texts.  What ends a text (FIPS 180-4, 5.1.1) is put behind it, so that all of it
 * is blocks.  Texts of as many blocks go together, sixteen to the lanes of digest_lanes.c; what is
 * left of the longer ones, when they are few, goes by twos.
 */
#include <string.h>

#include "base/cpu.h"
#include "base/digest.h"
#include "base/digest_sha.h"

enum {
    GROUP = 64,  /* texts that are put in order at once */
    COUNTS = 64, /* numbers of blocks that are told apart, from the least on */
    LEAST = 11   /* lanes that are worth their time: sixteen take that of ten by twos */
};

struct message {
    const uint8_t *p; /* blocks that are left */
    size_t n;
    uint32_t state[8];
    uint8_t *digest;
};

/* Put the end behind the text; returns how many blocks it is then. */
static size_t end_text(const struct hr_sha256_text *t)
{
    size_t blocks = (t->n + 8) / 64 + 1, i;
    uint64_t bits = (uint64_t)t->n * 8;

    memset(t->bytes + t->n, 0, blocks * 64 - t->n);
    t->bytes[t->n] = 0x80;
    for (i = 1; i <= 8; i++, bits >>= 8)
        t->bytes[blocks * 64 - i] = (uint8_t)bits;
    return blocks;
}

static void put_digest(const struct message *m)
{
    size_t i;

    for (i = 0; i < 8; i++) {
        m->digest[4 * i] = (uint8_t)(m->state[i] >> 24);
        m->digest[4 * i + 1] = (uint8_t)(m->state[i] >> 16);
        m->digest[4 * i + 2] = (uint8_t)(m->state[i] >> 8);
        m->digest[4 * i + 3] = (uint8_t)m->state[i];
    }
}

static void by_twos(struct message *const *m, size_t n)
{
    size_t i;

    for (i = 0; i + 1 < n; i += 2)
        hr_sha256_blocks_two(m[i]->state, m[i]->p, m[i]->n, m[i + 1]->state, m[i + 1]->p,
                             m[i + 1]->n);
    if (i < n)
        hr_sha256_blocks(m[i]->state, m[i]->p, m[i]->n);
    for (i = 0; i < n; i++)
        put_digest(m[i]);
}

#if defined(__x86_64__)
/* Blocks that all of them have, in lanes; lanes behind the n-th do what the last one does. */
static void in_lanes(struct message *const *m, size_t n, size_t blocks)
{
    const uint8_t *p[SHA_LANES];
    uint32_t state[8][SHA_LANES];
    size_t i, k;

    for (i = 0; i < SHA_LANES; i++) {
        const struct message *of = m[i < n ? i : n - 1];

        p[i] = of->p;
        for (k = 0; k < 8; k++)
            state[k][i] = of->state[k];
    }
    hr_sha256_blocks_lanes(state, p, blocks);
    for (i = 0; i < n; i++) {
        m[i]->p += blocks * 64;
        m[i]->n -= blocks;
        for (k = 0; k < 8; k++)
            m[i]->state[k] = state[k][i];
    }
}

/* At most SHA_LANES, in the order of their blocks; m is used up. */
static void lanes(struct message **m, size_t n)
{
    while (n >= LEAST) {
        size_t blocks = m[0]->n, i;

        for (i = 1; i < n; i++)
            blocks = m[i]->n < blocks ? m[i]->n : blocks;
        in_lanes(m, n, blocks);
        for (i = 0; i < n;)
            if (m[i]->n) {
                i++;
            } else {
                put_digest(m[i]);
                m[i] = m[--n];
            }
    }
    by_twos(m, n);
}
#else
static void lanes(struct message **m, size_t n)
{
    by_twos(m, n);
}
#endif

/* Those of the fewest blocks first. */
static void put_in_order(struct message *all, size_t n, struct message **to)
{
    uint8_t at[COUNTS + 1] = { 0 };
    size_t least = all[0].n, i, more;

    for (i = 1; i < n; i++)
        least = all[i].n < least ? all[i].n : least;
    for (i = 0; i < n; i++) {
        more = all[i].n - least;
        at[(more < COUNTS ? more : COUNTS - 1) + 1]++;
    }
    for (i = 1; i < COUNTS; i++)
        at[i] = (uint8_t)(at[i] + at[i - 1]);
    for (i = 0; i < n; i++) {
        more = all[i].n - least;
        to[at[more < COUNTS ? more : COUNTS - 1]++] = &all[i];
    }
}

void hr_sha256_many(const struct hr_sha256_text *texts, size_t n, uint8_t (*ret)[HR_SHA256_SIZE])
{
    bool wide = hr_cpu_has(HR_CPU_AVX512);
    struct message all[GROUP], *order[GROUP];
    struct hr_sha256 first;
    size_t at, some, i;

    hr_sha256_init(&first);
    for (at = 0; at < n; at += some) {
        some = n - at < GROUP ? n - at : GROUP;
        for (i = 0; i < some; i++) {
            all[i].p = texts[at + i].bytes;
            all[i].n = end_text(&texts[at + i]);
            all[i].digest = ret[at + i];
            memcpy(all[i].state, first.state, sizeof first.state);
        }
        put_in_order(all, some, order);
        for (i = 0; wide && i < some; i += SHA_LANES)
            lanes(order + i, some - i < SHA_LANES ? some - i : SHA_LANES);
        if (!wide)
            by_twos(order, some);
    }
}
