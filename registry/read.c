/* The verifying reader: FILES, its signature, then each member, byte by byte as FILES says. */
#include <string.h>

#include "registry/files.h"
#include "registry/frames.h"
#include "registry/minisign.h"
#include "registry/ustar.h"

struct reader {
    struct hr_env *env;
    const char *file;
    struct hr_frames_in *in;
    struct hr_arena arena;
    struct hr_package_head head;
    const struct hr_package_visit *visit;
    char next[HR_USTAR_BLOCK]; /* the header that was read, not used yet */
};

/* -- pieces of the tar ------------------------------------------------------- */

/* n bytes of text, ended by '\0', and the padding behind it. */
static hr_status take_text(struct reader *r, const char *name, uint64_t size, char **ret)
{
    char zeros[HR_USTAR_BLOCK];
    size_t padding = hr_ustar_padding(size), i;
    hr_status s;

    if (!(*ret = hr_arena_get(&r->arena, (size_t)size + 1)))
        return HR_EXHAUSTED;
    if ((s = hr_frames_take(r->in, *ret, (size_t)size)) < 0 ||
        (s = hr_frames_take(r->in, zeros, padding)) < 0)
        return s;
    for (i = 0; i < padding; i++)
        if (zeros[i])
            return hr_fail(r->env, HR_DATA_LOSS, "\"%s\": bytes are hidden behind %s", r->file,
                           name);
    return HR_OK;
}

static hr_status refuse(struct reader *r, const char *name, uint64_t size)
{
    char its[128];
    const char *why = hr_ustar_why(r->next, name, size, its);

    if (!its[0] || !strcmp(its, name))
        return hr_fail(r->env, HR_DATA_LOSS, "\"%s\": the member \"%s\" %s", r->file, name, why);
    return hr_fail(r->env, HR_DATA_LOSS, "\"%s\": the member \"%s\" %s, \"%s\"", r->file, its, why,
                   name);
}

/* The header that was read must be the one of name and size. */
static hr_status expect(struct reader *r, const char *name, uint64_t size)
{
    char wanted[HR_USTAR_BLOCK];

    if (!hr_ustar_make(name, size, wanted) || memcmp(wanted, r->next, sizeof wanted) != 0)
        return refuse(r, name, size);
    return HR_OK;
}

/* A text of the head, of a size that is known from its header alone. */
static hr_status take_head(struct reader *r, const char *name, uint64_t most, char **ret,
                           size_t *ret_n)
{
    uint64_t size = 0;
    hr_status s;

    if (!hr_ustar_size(r->next, &size) || size > most) {
        char its[128];
        const char *why = hr_ustar_why(r->next, name, size, its);

        if (size > most && !strcmp(its, name))
            why = "is too large";
        return hr_fail(r->env, HR_DATA_LOSS, "\"%s\": the member \"%s\" %s; \"%s\" is wanted",
                       r->file, its, why, name);
    }
    if ((s = expect(r, name, size)) < 0 || (s = take_text(r, name, size, ret)) < 0)
        return s;
    *ret_n = (size_t)size;
    return HR_OK;
}

/* -- the head ---------------------------------------------------------------- */

/* Whose signature is it, and does it hold? */
static hr_status judge(struct reader *r, const char *files, size_t files_n, const char *text,
                       size_t n, const struct hr_trusted_key *keys, size_t count)
{
    struct hr_signature *sig = hr_arena_get(&r->arena, sizeof *sig);
    struct hr_public_key key;
    hr_status s;
    size_t i;

    if (!sig)
        return HR_EXHAUSTED;
    if ((s = hr_signature_read(r->env, r->file, text, n, sig)) < 0)
        return s;
    hr_key_id(sig->id, r->head.key);
    r->head.state = HR_SIGNED_UNKNOWN;
    for (i = 0; i < count && r->head.state == HR_SIGNED_UNKNOWN; i++) {
        s = hr_public_read(r->env, keys[i].name, keys[i].text, strlen(keys[i].text), &key);
        if (s < 0)
            return s;
        if (memcmp(key.id, sig->id, sizeof key.id) != 0)
            continue;
        if ((s = hr_signature_check(r->env, r->file, sig, &key, files, files_n)) < 0)
            return s;
        r->head.state = HR_SIGNED_TRUSTED;
        r->head.signer = keys[i].name;
        r->head.comment = sig->comment;
    }
    return HR_OK;
}

static hr_status read_head(struct reader *r, const struct hr_trusted_key *keys, size_t count)
{
    char *files = NULL, *text = NULL;
    uint8_t digest[HR_SHA256_SIZE];
    struct hr_member *members = NULL;
    size_t files_n = 0, n = 0, i;
    hr_status s = hr_frames_take(r->in, r->next, sizeof r->next);

    if (s == HR_OK)
        s = take_head(r, "FILES", HR_PACKAGE_FILES, &files, &files_n);
    if (s == HR_OK)
        s = hr_frames_take(r->in, r->next, sizeof r->next);
    if (s == HR_OK && !strcmp(r->next, "FILES.minisig")) {
        s = take_head(r, "FILES.minisig", HR_PACKAGE_SIGNATURE, &text, &n);
        if (s == HR_OK)
            s = judge(r, files, files_n, text, n, keys, count);
        if (s == HR_OK)
            s = hr_frames_take(r->in, r->next, sizeof r->next);
    }
    if (s == HR_OK)
        s = hr_files_read(r->env, r->file, files, files_n, &r->arena, &members, &r->head.count);
    if (s < 0)
        return s;
    hr_sha256(files, files_n, digest);
    hr_sha256_hex(digest, r->head.digest);
    r->head.members = members;
    for (i = 0; i < r->head.count; i++)
        r->head.size += members[i].size;
    return r->visit->begin ? r->visit->begin(r->visit->user, &r->head) : HR_OK;
}

/* -- members ----------------------------------------------------------------- */

static hr_status read_bytes(struct reader *r, const struct hr_member *m)
{
    uint8_t digest[HR_SHA256_SIZE];
    struct hr_sha256 sha;
    uint64_t left = m->size;
    const char *p;
    hr_status s;
    size_t n;

    hr_sha256_init(&sha);
    while (left) {
        s = hr_frames_next(r->in, left < HR_FRAME ? (size_t)left : HR_FRAME, &p, &n);
        if (s < 0)
            return s;
        if (!n)
            return hr_fail(r->env, HR_DATA_LOSS, "\"%s\" is cut off in the member \"%s\"", r->file,
                           m->name);
        hr_sha256_add(&sha, p, n);
        if (r->visit->bytes && (s = r->visit->bytes(r->visit->user, p, n)) < 0)
            return s;
        left -= n;
    }
    hr_sha256_end(&sha, digest);
    if (memcmp(digest, m->digest, sizeof digest) != 0)
        return hr_fail(r->env, HR_DATA_LOSS,
                       "\"%s\": the content of \"%s\" has another digest than FILES lists", r->file,
                       m->name);
    return HR_OK;
}

static hr_status read_padding(struct reader *r, const char *name, size_t n)
{
    char zeros[HR_USTAR_BLOCK];
    hr_status s = hr_frames_take(r->in, zeros, n);
    size_t i;

    for (i = 0; i < n && s == HR_OK; i++)
        if (zeros[i])
            s = hr_fail(r->env, HR_DATA_LOSS, "\"%s\": bytes are hidden behind the member \"%s\"",
                        r->file, name);
    return s;
}

static hr_status read_member(struct reader *r, const struct hr_member *m)
{
    hr_status s = expect(r, m->name, m->size);

    if (s == HR_OK && r->visit->member)
        s = r->visit->member(r->visit->user, m);
    if (s == HR_OK)
        s = read_bytes(r, m);
    if (s == HR_OK)
        s = read_padding(r, m->name, hr_ustar_padding(m->size));
    return s == HR_OK && r->visit->end ? r->visit->end(r->visit->user, m) : s;
}

static hr_status read_members(struct reader *r)
{
    size_t large = hr_members_large(r->head.members, r->head.count), i;
    hr_status s = HR_OK;

    for (i = 0; i < r->head.count && s == HR_OK; i++) {
        s = read_member(r, &r->head.members[i]);
        if (s == HR_OK && i + 1 == large && large < r->head.count)
            s = hr_frames_aligned(r->in);
        if (s == HR_OK)
            s = hr_frames_take(r->in, r->next, sizeof r->next);
    }
    return s;
}

/* Two blocks of zeros, one of which was read, and nothing more. */
static hr_status read_tail(struct reader *r)
{
    static const char zeros[HR_USTAR_BLOCK];
    const char *p;
    size_t n = 0;
    hr_status s;

    if (memcmp(r->next, zeros, sizeof zeros) != 0) {
        char its[128];

        hr_ustar_why(r->next, "", 0, its);
        return hr_fail(r->env, HR_DATA_LOSS, "\"%s\": the member \"%s\" is not listed in FILES",
                       r->file, its);
    }
    if ((s = hr_frames_take(r->in, r->next, sizeof r->next)) < 0)
        return s;
    if (memcmp(r->next, zeros, sizeof zeros) != 0)
        return hr_fail(r->env, HR_DATA_LOSS, "\"%s\": the tar has no end", r->file);
    if ((s = hr_frames_next(r->in, 1, &p, &n)) < 0)
        return s;
    return n ? hr_fail(r->env, HR_DATA_LOSS, "\"%s\": bytes follow the end of the tar", r->file)
             : HR_OK;
}

hr_status hr_package_scan(struct hr_env *env, const char *file, const struct hr_trusted_key *keys,
                          size_t count, const struct hr_package_visit *visit)
{
    struct reader r = { .env = env, .file = file, .visit = visit };
    hr_status s;

    hr_arena_init(&r.arena, env, 0);
    s = hr_frames_open(env, file, &r.in);
    if (s == HR_OK)
        s = read_head(&r, keys, count);
    if (s == HR_OK)
        s = read_members(&r);
    if (s == HR_OK)
        s = read_tail(&r);
    hr_frames_free(r.in);
    hr_arena_clear(&r.arena);
    return s;
}
