#include "data/split.h"

#include <string.h>

/* The sum is below 2^31, so that a remainder and 32 more bits fit into 64. */
static const int64_t most_buckets = INT32_MAX;

static hr_status add_split(struct hr_env *env, const struct hr_json_doc *doc,
                           const struct hr_json *m, struct hr_split *s)
{
    struct hr_place place = hr_json_place(doc, m);
    const char *key = hr_json_key(m), *p;
    int64_t buckets;

    if (!hr_json_int(doc, m, &buckets) || buckets < 1 || buckets > most_buckets)
        return hr_fail_at(env, HR_INVALID, &place,
                          "split \"%s\" has no number of buckets; give an integer from 1 on", key);
    if (!*key || *key == '.')
        return hr_fail_at(env, HR_INVALID, &place, "a split cannot be called \"%s\"", key);
    for (p = key; *p; p++)
        if (*p == '/' || (unsigned char)*p < ' ')
            return hr_fail_at(env, HR_INVALID, &place,
                              "a split cannot be called \"%s\": it names a folder", key);
    if (s->n == HR_MAX_SPLITS)
        return hr_fail_at(env, HR_INVALID, &place, "there are more than %d splits", HR_MAX_SPLITS);
    if (s->n && buckets > most_buckets - s->ends[s->n - 1])
        return hr_fail_at(env, HR_INVALID, &place, "the buckets add up to more than 2^31");
    if (!(s->names[s->n] = hr_arena_text(&s->arena, key)))
        return HR_EXHAUSTED;
    s->ends[s->n] = (s->n ? s->ends[s->n - 1] : 0) + (uint32_t)buckets;
    s->n++;
    return HR_OK;
}

static void find_powers(struct hr_split *s)
{
    uint64_t total = s->ends[s->n - 1], power = 1 % total;
    int i;

    for (i = 7; i >= 0; i--) {
        s->powers[i] = (uint32_t)power;
        power = (power << 32) % total;
    }
}

hr_status hr_split_parse(struct hr_env *env, const char *json, struct hr_split *ret)
{
    struct hr_json_doc *doc = NULL;
    const struct hr_json *m;
    struct hr_place place;
    hr_status r;

    memset(ret, 0, sizeof *ret);
    hr_arena_init(&ret->arena, env, 0);
    if ((r = hr_json_parse(env, "splits", json, strlen(json), 0, &doc)) < 0)
        return r;
    place = hr_json_place(doc, hr_json_root(doc));
    if (hr_json_kind(hr_json_root(doc)) != HR_JSON_OBJECT)
        r = hr_fail_at(env, HR_INVALID, &place,
                       "splits are an object of names and buckets, as {\"train\":2,\"eval\":1}");
    for (m = hr_json_first(hr_json_root(doc)); r == HR_OK && m; m = hr_json_next(m))
        r = add_split(env, doc, m, ret);
    if (r == HR_OK && !ret->n)
        r = hr_fail_at(env, HR_INVALID, &place, "there is no split; name at least one");
    hr_json_free(doc);
    if (r < 0)
        hr_split_clear(ret);
    else
        find_powers(ret);
    return r;
}

void hr_split_clear(struct hr_split *s)
{
    hr_arena_clear(&s->arena);
    s->n = 0;
}

/* Each word times its power is below 2^63; the sums of their halves are below 2^34 and 2^35, so
 * that what is left of the upper ones, shifted up, and the lower ones fit into 64 bits. */
static uint32_t split_of(const struct hr_split *s, const uint8_t digest[HR_SHA256_SIZE])
{
    uint64_t high = 0, low = 0, total = s->ends[s->n - 1], rest;
    uint32_t k = 0;
    int i;

    for (i = 0; i < 8; i++) {
        const uint8_t *p = digest + 4 * i;
        uint64_t word = (uint64_t)p[0] << 24 | (uint64_t)p[1] << 16 | (uint64_t)p[2] << 8 | p[3];
        uint64_t product = word * s->powers[i];

        high += product >> 32;
        low += product & UINT32_MAX;
    }
    rest = ((high % total << 32) + low) % total;
    while (rest >= s->ends[k])
        k++;
    return k;
}

uint32_t hr_split_of(const struct hr_split *s, const void *bytes, size_t n)
{
    uint8_t digest[HR_SHA256_SIZE];

    hr_sha256(bytes, n, digest);
    return split_of(s, digest);
}

void hr_split_many(const struct hr_split *s, const struct hr_sha256_text *rows, size_t n,
                   uint8_t *ret)
{
    enum { SOME = 64 };
    uint8_t digests[SOME][HR_SHA256_SIZE];
    size_t at, some, i;

    for (at = 0; at < n; at += some) {
        some = n - at < SOME ? n - at : SOME;
        hr_sha256_many(rows + at, some, digests);
        for (i = 0; i < some; i++)
            ret[at + i] = (uint8_t)split_of(s, digests[i]);
    }
}
