/* The writer.  FILES comes first and tells digests of what follows; so it is stored, not
 * compressed, with zeros for digests, and written again when the content has been read once. */
#include <stdlib.h>
#include <string.h>

#include "registry/files.h"
#include "registry/minisign.h"
#include "registry/pack.h"
#include "registry/ustar.h"

#define OS(env, call, ...) (env)->os->call((env)->os->user, __VA_ARGS__)

struct packer {
    struct hr_env *env;
    const struct hr_pack *what;
    const char *file;
    struct hr_arena arena;
    const struct hr_pack_member **sources; /* in the order of the package */
    struct hr_member *members;
    struct hr_sha256 *digests; /* of those whose digest is not known */
    size_t count, large;       /* the first member that is large; or count */
    struct hr_secret_key key;
};

static int by_order(const void *a, const void *b)
{
    return hr_member_order((*(const struct hr_pack_member *const *)a)->name,
                           (*(const struct hr_pack_member *const *)b)->name);
}

hr_status hr_pack_member_size(struct hr_env *env, const struct hr_pack_member *m, uint64_t *ret)
{
    struct hr_stat st;
    int e;

    if (!m->path) {
        *ret = m->size;
        return HR_OK;
    }
    if ((e = OS(env, stat, m->path, false, &st)) < 0)
        return hr_fail_os(env, e, "pack", m->path);
    if (!st.is_file)
        return hr_fail(env, HR_INVALID, "\"%s\" is no regular file and cannot be packed",
                       m->path);
    *ret = st.size;
    return HR_OK;
}

static hr_status collect(struct packer *p)
{
    char header[HR_USTAR_BLOCK];
    hr_status r = HR_OK;
    size_t i;

    p->count = p->what->count;
    if (p->count > HR_PACKAGE_MEMBERS)
        return hr_fail(p->env, HR_INVALID, "a package has at most %d members", HR_PACKAGE_MEMBERS);
    p->sources = hr_arena_array(&p->arena, p->count + 1, sizeof *p->sources);
    p->members = hr_arena_array(&p->arena, p->count + 1, sizeof *p->members);
    p->digests = hr_arena_array(&p->arena, p->count + 1, sizeof *p->digests);
    if (!p->sources || !p->members || !p->digests)
        return HR_EXHAUSTED;
    for (i = 0; i < p->count; i++)
        p->sources[i] = &p->what->members[i];
    qsort(p->sources, p->count, sizeof *p->sources, by_order);
    for (i = 0; i < p->count && r == HR_OK; i++) {
        p->members[i].name = p->sources[i]->name;
        r = hr_pack_member_size(p->env, p->sources[i], &p->members[i].size);
    }
    if (r == HR_OK)
        r = hr_members_check(p->env, HR_INVALID, p->file, p->members, p->count);
    for (i = 0; i < p->count && r == HR_OK; i++)
        if (!hr_ustar_make(p->members[i].name, p->members[i].size, header))
            r = hr_fail(p->env, HR_INVALID,
                        "\"%s\": the name \"%s\" is too long to be packed; shorten its last part",
                        p->file, p->members[i].name);
    p->large = hr_members_large(p->members, p->count);
    return r;
}

/* -- the head ---------------------------------------------------------------- */

static hr_status add_head_member(struct packer *p, const char *name, const struct hr_buf *content,
                                 struct hr_buf *to)
{
    static const char zeros[HR_USTAR_BLOCK];
    char header[HR_USTAR_BLOCK];

    hr_ustar_make(name, content->len, header);
    if (hr_buf_add(to, header, sizeof header) < 0 ||
        hr_buf_add(to, content->text, content->len) < 0 ||
        hr_buf_add(to, zeros, hr_ustar_padding(content->len)) < 0)
        return hr_fail_memory(p->env);
    return HR_OK;
}

/* A signature that was made elsewhere is of these very FILES, or it is refused; whose key it
 * is, nobody knows here, so a reader judges that. */
static hr_status take_signature(struct packer *p, struct hr_buf *to)
{
    struct hr_signature sig;
    hr_status r = hr_signature_read(p->env, p->file, p->what->signature,
                                    strlen(p->what->signature), &sig);

    return r < 0 ? r : hr_buf_text(to, p->what->signature);
}

/* FILES and its signature as the tar has them; the same length whatever the digests are. */
static hr_status make_head(struct packer *p, struct hr_buf *to)
{
    const char *comment = p->what->comment ? p->what->comment : "a headrace package";
    struct hr_buf files, sig;
    hr_status r = HR_OK;
    size_t i;

    hr_buf_of(&files, HR_PACKAGE_FILES, p->env);
    hr_buf_of(&sig, HR_PACKAGE_SIGNATURE, p->env);
    for (i = 0; i < p->count && r == HR_OK; i++)
        if (hr_files_add(&files, &p->members[i]) < 0)
            r = hr_fail(p->env, HR_EXHAUSTED, "\"%s\": the list of members is too long", p->file);
    if (r == HR_OK)
        r = add_head_member(p, "FILES", &files, to);
    if (r == HR_OK && p->what->signature)
        r = take_signature(p, &sig);
    else if (r == HR_OK && p->what->secret)
        r = hr_signature_make(p->env, &p->key, comment, files.text, files.len, &sig);
    if (r == HR_OK && sig.len)
        r = add_head_member(p, "FILES.minisig", &sig, to);
    hr_buf_clear(&files);
    hr_buf_clear(&sig);
    return r;
}

/* -- members ----------------------------------------------------------------- */

static hr_status add_content(struct hr_env *env, struct hr_frames_out *out,
                             const struct hr_pack_member *m, uint64_t size,
                             struct hr_sha256 *digest)
{
    hr_status r;
    int fd;

    if (!m->path)
        return hr_frames_add(out, m->bytes, m->size, digest);
    if ((fd = OS(env, open, m->path, HR_OPEN_READ, 0)) < 0)
        return hr_fail_os(env, fd, "pack", m->path);
    r = hr_frames_copy(out, fd, m->path, size, digest);
    OS(env, close, fd);
    return r;
}

hr_status hr_pack_member_add(struct hr_env *env, struct hr_frames_out *out,
                             const struct hr_pack_member *source, const struct hr_member *member,
                             struct hr_sha256 *digest)
{
    static const char zeros[HR_USTAR_BLOCK];
    char header[HR_USTAR_BLOCK];
    hr_status r;

    hr_ustar_make(member->name, member->size, header);
    r = hr_frames_add(out, header, sizeof header, NULL);
    if (r == HR_OK)
        r = add_content(env, out, source, member->size, digest);
    return r < 0 ? r : hr_frames_add(out, zeros, hr_ustar_padding(member->size), NULL);
}

/* The members from..to-1. */
static hr_status add_members(struct packer *p, struct hr_frames_out *out, size_t from, size_t to)
{
    hr_status r = HR_OK;
    size_t i;

    for (i = from; i < to && r == HR_OK; i++) {
        bool known = p->sources[i]->digest != NULL;

        hr_sha256_init(&p->digests[i]);
        r = hr_pack_member_add(p->env, out, p->sources[i], &p->members[i],
                               known ? NULL : &p->digests[i]);
    }
    return r;
}

/* What comes before the large member, where there is one. */
static hr_status add_start(struct packer *p, struct hr_frames_out *out, const struct hr_buf *head)
{
    hr_status r = hr_frames_store(out, head->text, head->len);

    if (r == HR_OK)
        r = add_members(p, out, 0, p->large);
    return r == HR_OK && p->large < p->count ? hr_frames_align(out) : r;
}

/* What comes behind it, and the end of the tar. */
static hr_status add_end(struct packer *p, struct hr_frames_out *out)
{
    static const char zeros[2 * HR_USTAR_BLOCK];
    hr_status r = HR_OK;

    if (p->large < p->count)
        r = add_members(p, out, p->large + 1, p->count);
    return r < 0 ? r : hr_frames_add(out, zeros, sizeof zeros, NULL);
}

static hr_status close_or_drop(struct hr_frames_out *out, hr_status r)
{
    if (r == HR_OK)
        return hr_frames_close(out);
    hr_frames_drop(out);
    return r;
}

/* All of it, from the start to the end. */
static hr_status write_through(struct packer *p, const struct hr_buf *head, const char *part)
{
    struct hr_frames_out *out = NULL;
    hr_status r = hr_frames_create(p->env, part, HR_SINK_NEW, &out);

    if (r == HR_OK)
        r = add_start(p, out, head);
    if (r == HR_OK && p->large < p->count) {
        r = add_members(p, out, p->large, p->large + 1);
        if (r == HR_OK)
            r = hr_frames_section(out);
    }
    if (r == HR_OK)
        r = add_end(p, out);
    return close_or_drop(out, r);
}

/* -- around a member that was written ahead ---------------------------------- */

static bool is_ahead(const struct packer *p)
{
    const struct hr_pack_ahead *ahead = p->what->ahead;
    const struct hr_member *m = &p->members[p->large];
    const uint8_t *digest;

    if (!ahead || !ahead->part[0] || p->large == p->count)
        return false;
    digest = p->sources[p->large]->digest;
    return digest && !memcmp(digest, ahead->digest, HR_SHA256_SIZE) && m->size == ahead->size &&
           !strcmp(m->name, ahead->name);
}

/* *ret_fits: the start is as long as the place that was left for it; else nothing is written. */
static hr_status write_start(struct packer *p, const struct hr_buf *head, bool *ret_fits)
{
    struct hr_frames_out *out = NULL;
    hr_status r = hr_frames_create(p->env, p->what->ahead->part, HR_SINK_START, &out);

    *ret_fits = true;
    if (r == HR_OK)
        r = add_start(p, out, head);
    if (r == HR_OK && hr_frames_size(out) != HR_FRAMES_ALIGN) {
        *ret_fits = false;
        hr_frames_drop(out);
        return HR_OK;
    }
    return close_or_drop(out, r);
}

static hr_status write_end(struct packer *p, const char *part)
{
    struct hr_frames_out *out = NULL;
    hr_status r = hr_frames_create(p->env, part, HR_SINK_END, &out);

    if (r == HR_OK)
        r = add_end(p, out);
    return close_or_drop(out, r);
}

/* -- all of it --------------------------------------------------------------- */

/* The content, with a head that knows no digests; part becomes the file that it is in. */
static hr_status write_content(struct packer *p, const struct hr_buf *head, char part[HR_MAX_PATH])
{
    struct hr_pack_ahead *ahead = p->what->ahead;
    bool fits = false;
    hr_status r = HR_OK;

    if (is_ahead(p))
        r = write_start(p, head, &fits);
    if (!fits)
        return r < 0 ? r : write_through(p, head, part);
    memcpy(part, ahead->part, strlen(ahead->part) + 1);
    ahead->part[0] = '\0';
    return r < 0 ? r : write_end(p, part);
}

static void take_digests(struct packer *p)
{
    size_t i;

    for (i = 0; i < p->count; i++)
        if (p->sources[i]->digest)
            memcpy(p->members[i].digest, p->sources[i]->digest, HR_SHA256_SIZE);
        else
            hr_sha256_end(&p->digests[i], p->members[i].digest);
}

static hr_status write_all(struct packer *p, char part[HR_MAX_PATH])
{
    struct hr_buf head;
    hr_status r;

    hr_buf_of(&head, (size_t)HR_PACKAGE_FILES + (1 << 16), p->env);
    r = make_head(p, &head);
    if (r == HR_OK)
        r = write_content(p, &head, part);
    hr_buf_cut(&head, 0);
    if (r == HR_OK) {
        take_digests(p);
        r = make_head(p, &head);
    }
    if (r == HR_OK)
        r = hr_frames_patch(p->env, part, head.text, head.len);
    hr_buf_clear(&head);
    return r;
}

hr_status hr_package_write(struct hr_env *env, const struct hr_pack *what, const char *file)
{
    struct packer p = { .env = env, .what = what, .file = file };
    char dir[HR_MAX_PATH], part[HR_MAX_PATH];
    hr_status r = hr_path_part(env, file, part);
    bool named = r == HR_OK;
    int e;

    hr_arena_init(&p.arena, env, 0);
    hr_path_dir(file, dir);
    if (r == HR_OK && what->secret)
        r = hr_secret_read(env, what->secret, strlen(what->secret), what->passphrase, &p.key);
    if (r == HR_OK)
        r = collect(&p);
    if (r == HR_OK)
        r = write_all(&p, part);
    if (r == HR_OK && (e = OS(env, rename, part, file)) < 0)
        r = hr_fail_os(env, e, "rename to", file);
    if (r < 0 && named)
        OS(env, unlink, part);
    hr_forget(&p.key, sizeof p.key);
    hr_arena_clear(&p.arena);
    return r < 0 ? r : hr_dir_sync(env, dir);
}
