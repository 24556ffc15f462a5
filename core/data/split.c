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
    return r;
}

void hr_split_clear(struct hr_split *s)
{
    hr_arena_clear(&s->arena);
    s->n = 0;
}

static uint32_t split_of(const struct hr_split *s, const uint8_t digest[HR_SHA256_SIZE])
{
    uint64_t rest = 0, total = s->ends[s->n - 1];
    uint32_t k = 0;
    int i;

    for (i = 0; i < HR_SHA256_SIZE; i += 4) {
        uint64_t word = (uint64_t)digest[i] << 24 | (uint64_t)digest[i + 1] << 16 |
                        (uint64_t)digest[i + 2] << 8 | digest[i + 3];

        rest = (rest << 32 | word) % total;
    }
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

void hr_split_two(const struct hr_split *s, const struct hr_sha256_text rows[2], uint32_t ret[2])
{
    uint8_t digests[2][HR_SHA256_SIZE];

    hr_sha256_two(rows, digests);
    ret[0] = split_of(s, digests[0]);
    ret[1] = split_of(s, digests[1]);
}
