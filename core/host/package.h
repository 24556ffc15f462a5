/* package.h - private to host: packages, and who is trusted to sign them.
 *
 *     choices.c   the JSON options of these calls     trust.c     trust.json and the policy
 *     registry.c  the shared object, loaded           take.c      reading and unpacking
 *     ancestry.c  what an artifact came from          contents.c  checks of a package's claims
 *     package.c   the calls of headrace.h             publish.c   models packed after a push
 *
 * manifest.json of a package:
 *
 *     {"headrace_package": 1, "kind": "model", "id": "penguin", "version": "7",
 *      "content": [{"path": "model/", "digest": ..., "type": "PushedModel", "artifact": 1},
 *                  {"path": "training/schema/", "digest": ..., "type": "Schema", "artifact": 9}],
 *      "gates": [{"node": "evaluator", "type": "ModelBlessing", "passed": true, "artifact": 3,
 *                 "summary": ..., "evaluation": {...}}],
 *      "platforms": ["linux-x86_64"], "plugin": {...}}
 *
 * content is what the members are: each lies below one path.  digest is of the listing of the
 * files below it, as artifacts have it.  artifact is a number of lineage.json:
 *
 *     {"artifacts": [{"n": 1, "type", "digest", "made_by": 1, "output", "properties"}],
 *      "executions": [{"n": 1, "component", "version", "plugin", "plugin_digest", "node",
 *                      "summary", "properties", "inputs": [{"key", "artifact"}]}]}
 *
 * Numbers begin at the packed artifact and go upward; times, hosts, names of runs and absolute
 * paths are left out, so equal work gives equal bytes.  platforms and plugin are of kind
 * "plugin".
 */
#ifndef HR_HOST_PACKAGE_H
#define HR_HOST_PACKAGE_H

#include "host/host.h"
#include "registry/registry.h"

/* What a model's own files lie below. */
#define HR_MODEL_PATH "model/"

enum { HR_PACKAGE_FORMAT = 1, HR_LINEAGE_BYTES = 1 << 26 };

/* The registry, loaded when it is first needed. */
hr_status hr_host_registry(struct hr_project *p, const struct hr_registry_1 **ret);

/* The platform of this host, as packages name it: "linux-x86_64". */
const char *hr_host_platform(void);

/* A new directory that only this user may enter. */
hr_status hr_host_private_dir(struct hr_project *p, char ret[HR_MAX_PATH]);
/* A file copied; and a new file, mode 0600, for a secret. */
hr_status hr_host_copy(struct hr_project *p, const char *from, const char *to);
hr_status hr_host_secret(struct hr_project *p, const char *path, const char *bytes, size_t n);

/* -- options of a call ------------------------------------------------------- */

struct hr_choice {
    const char *name;
    const char **text;  /* a text; or */
    bool *flag;         /* true or false; or */
    const char ***list; /* a list of texts, ended by NULL */
};

/* Read options, an object as JSON or NULL, into what settings point to; in the arena.  The
 * list of settings ends with a name of NULL.  HR_INVALID: told. */
hr_status hr_choices_read(struct hr_project *p, const char *json,
                           const struct hr_choice *settings, struct hr_arena *arena);

/* A file of text in the arena. */
hr_status hr_host_text(struct hr_project *p, const char *path, size_t max, struct hr_arena *arena,
                       const char **ret);

/* -- trust ------------------------------------------------------------------- */

enum hr_unsigned { HR_UNSIGNED_WARN, HR_UNSIGNED_ALLOW, HR_UNSIGNED_REFUSE };

struct hr_trust {
    struct hr_trusted_key *keys;
    size_t count, cap;
    enum hr_unsigned without;
    const char *sign_with; /* a secret key that signs what is published; NULL: none */
    const char *file;      /* trust.json; NULL: there is none */
};

/* trust.json of the project that is open, if any, and more keys: each the line of a public
 * key, or the file of one.  With more keys what they have not signed is refused. */
hr_status hr_trust_read(struct hr_project *p, const char *const *more, struct hr_arena *arena,
                        struct hr_trust *ret);

/* What the policy says of a package: HR_OK or HR_DENIED, told.  ret_text says it in words, in
 * the arena: "signed by release", "unsigned (allowed with a warning)". */
hr_status hr_trust_judge(struct hr_project *p, const struct hr_trust *trust, const char *file,
                         const struct hr_package_head *head, struct hr_arena *arena,
                         const char **ret_text);

/* -- reading ----------------------------------------------------------------- */

/* A package that was read to its end and verified.  members and texts lie in the arena. */
struct hr_taken {
    struct hr_arena arena;
    struct hr_package_head head;
    const char *file, *policy; /* in words */
    const char *kind, *id, *version;
    struct hr_json_doc *manifest, *lineage; /* lineage may be NULL */
    const char *manifest_text;
};

/* A directory that is to appear whole: dir must not be there; part, beside it, is made for this
 * user alone.  Settling renames it. */
hr_status hr_place_make(struct hr_project *p, const char *dir, char part[HR_MAX_PATH]);
hr_status hr_place_settle(struct hr_project *p, const char *part, const char *dir);

/* Letters, digits, ".", "_", "+" and "-", less than 128: an id, a version. */
bool hr_plain_name(const char *text);

/* Read a package; with dir, which must not exist, unpack it there: whole or not at all.
 * Nothing is parsed, and nothing stands in dir, before all of it is verified. */
hr_status hr_package_take(struct hr_project *p, const char *file, const struct hr_trust *trust,
                          const char *dir, struct hr_taken *ret);
void hr_taken_clear(struct hr_taken *t);

/* The digest of what lies below a path, as an artifact's. */
hr_status hr_taken_digest(struct hr_project *p, const struct hr_taken *t, const char *path,
                          char ret[HR_SHA256_HEX]);

/* Do manifest and lineage agree with the content and with themselves?  HR_DATA_LOSS, told. */
hr_status hr_package_check(struct hr_project *p, const struct hr_taken *t);

/* -- installed plugins, and locks (plugins.c, lock.c) ------------------------- */

/* The directories of installed plugins, of the project and of the user, in the arena. */
hr_status hr_installed_places(struct hr_project *p, struct hr_arena *arena, const char ***ret,
                              size_t *ret_n);
/* What the policy said when the package of this .so was installed; NULL: it was not. */
const char *hr_installed_signer(struct hr_project *p, const char *so, struct hr_arena *arena);

/* hr_catalogue_config.judge: HR_DENIED, told, of a plugin from a package whose signer the policy
 * does not trust any more. */
hr_status hr_installed_judge(void *user, const struct hr_place *place,
                             const struct hr_plugin_info *plugin);

/* The same of all plugins of a pipeline that came from packages, for its summary. */
hr_status hr_installed_policy(struct hr_project *p, const struct hr_pipeline *pipeline,
                              struct hr_arena *arena, const char **ret);

/* A pipeline, with the project around it opened if there is one; of its plugins, the newest that
 * fit, whatever its lock has. */
hr_status hr_host_pipeline(struct hr_project *p, const char *file, struct hr_pipeline **ret);

/* What the lock of a pipeline file pins, in the arena; nothing where there is none, or none that
 * can be read, which hr_lock_check() tells. */
hr_status hr_lock_pins(struct hr_project *p, const char *file, struct hr_arena *arena,
                       const struct hr_pin **ret, size_t *ret_n);

/* Are the plugins those of the pipeline's lock, if it has one?  HR_PRECONDITION: all that
 * differs is told. */
hr_status hr_lock_check(struct hr_project *p, const struct hr_pipeline *pipeline);

/* -- making ------------------------------------------------------------------ */

/* What is being packed; paths and texts lie in the arena. */
struct hr_packing {
    struct hr_project *p;
    struct hr_arena *arena;
    const char *kind, *id, *version;
    struct hr_pack_member *members;
    size_t count, cap;
    struct hr_buf manifest, lineage;
    struct hr_json_writer w; /* of the manifest, open in its object */
    bool sealed;             /* the files are of artifacts: nobody writes them any more */
    const char *scratch;     /* a directory of ours to be removed afterwards; NULL: none */
};

hr_status hr_packing_begin(struct hr_project *p, struct hr_arena *arena, const char *kind,
                           const char *id, const char *version, struct hr_packing *ret);
/* All files of a directory, or one file, below a path that ends in a slash. */
hr_status hr_packing_tree(struct hr_packing *k, const char *from, const char *path);
hr_status hr_packing_file(struct hr_packing *k, const char *from, const char *name);
/* The content "path" of a directory without a past. */
hr_status hr_packing_plain(struct hr_packing *k, const char *from, const char *path);
/* An artifact as content, with its lineage, gates, and the schema and statistics of what it
 * was trained on. */
hr_status hr_packing_artifact(struct hr_packing *k, const struct hr_meta_node *artifact,
                              const char *path);
/* Write the file.  sign may be all NULL. */
struct hr_signing {
    const char *secret, *passphrase, *comment, *signature; /* texts, as struct hr_pack has them */
};
/* What signs the packages that are published. */
hr_status hr_signing_of(struct hr_project *p, const struct hr_trust *trust,
                        struct hr_arena *arena, struct hr_signing *ret);
hr_status hr_packing_end(struct hr_packing *k, const struct hr_signing *sign, const char *file);
void hr_packing_clear(struct hr_packing *k);

/* Pack a model that was pushed into the registry, signed if trust.json has a key for that.
 * ret_text, in the arena, says so. */
hr_status hr_model_pack(struct hr_project *p, const struct hr_meta_node *pushed,
                        struct hr_arena *arena, const char **ret_text);

#endif
