/* package - packages made, signed, verified, unpacked and shown. */
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "cli/cli.h"
#include "cli/options.h"
#include "cli/draw.h"
#include "cli/plugins.h"
#include "cli/secret.h"

/* Options of hr_package_pack() and hr_package_sign(), freed by the caller. */
static char *signing_json(const struct args *a, const char *passphrase, bool pack)
{
    struct text t = { 0 };

    if (pack) {
        put_option(&t, "out", arg_text(a, "--out"));
        put_option(&t, "id", arg_text(a, "--id"));
        put_option(&t, "version", arg_text(a, "--version"));
        put_option(&t, "kind", arg_text(a, "--kind"));
        put_option(&t, "doc", arg_text(a, "--doc"));
    } else {
        put_option(&t, "signature", arg_text(a, "--signature"));
    }
    put_option(&t, "key", arg_text(a, "--key"));
    put_option(&t, "comment", arg_text(a, "--comment"));
    put_option(&t, "passphrase", passphrase);
    return end_options(&t);
}

static char *trust_json(const struct args *a, bool any)
{
    struct text t = { 0 };

    if (!put_trust(a, &t) && any)
        put_true(&t, "any_signer");
    return end_options(&t);
}

/* -- making and signing -------------------------------------------------------- */

static hr_status make(hr_project *p, const struct args *a, bool pack, const char *passphrase,
                      const char **ret_file)
{
    char *json = signing_json(a, passphrase, pack);
    hr_status r = HR_EXHAUSTED;

    if (json && pack)
        r = hr_package_pack(p, a->words[0], json, ret_file);
    else if (json)
        r = hr_package_sign(p, a->words[0], json);
    if (json)
        memset(json, 0, strlen(json));
    free(json);
    return r;
}

/* An encrypted key is asked for its passphrase once it says that it lacks one. */
static int make_or_sign(const struct args *a, bool pack)
{
    const char *file = a->words[0], *from = arg_text(a, "--passphrase-file");
    char *passphrase = NULL;
    hr_project *p;
    hr_status r;
    int code = EXIT_DONE;

    if (from && !(passphrase = take_passphrase(from, "", false)))
        return EXIT_WRONG;
    if (!(p = open_project_if_there(a))) {
        forget_passphrase(passphrase);
        return EXIT_WRONG;
    }
    r = make(p, a, pack, passphrase, &file);
    if (r == HR_DENIED && arg_text(a, "--key") && !passphrase &&
        (passphrase = take_passphrase(NULL, "passphrase of the key: ", false)))
        r = make(p, a, pack, passphrase, &file);
    forget_passphrase(passphrase);
    if (r < 0)
        code = tell_error(p);
    else
        printf("%s\n", file);
    hr_free(p);
    return code;
}

static int pack(const struct args *a)
{
    return make_or_sign(a, true);
}

static int sign(const struct args *a)
{
    if (!arg_text(a, "--key") && !arg_text(a, "--signature"))
        return usage(a, "what to sign with is missing: --key FILE, or --signature FILE");
    return make_or_sign(a, false);
}

static int keygen(const struct args *a)
{
    const char *line;
    char *passphrase = NULL;
    hr_project *p;
    int code = EXIT_DONE;

    if (!arg_flag(a, "--no-passphrase") &&
        !(passphrase = take_passphrase(arg_text(a, "--passphrase-file"),
                                       "passphrase of the new key: ", true))) {
        fprintf(stderr, "headrace: a key is encrypted with a passphrase: give --passphrase-file, "
                        "or --no-passphrase for one that is not\n");
        return EXIT_WRONG;
    }
    if (!(p = open_project(a, false))) {
        forget_passphrase(passphrase);
        return EXIT_WRONG;
    }
    if (hr_key_make(p, a->words[0], passphrase, &line) < 0) {
        code = tell_error(p);
    } else {
        printf("%s\n", line);
        fprintf(stderr, "%s is the secret key; the line above, also in the .pub beside it, is for "
                        "those who verify\n", a->words[0]);
    }
    forget_passphrase(passphrase);
    hr_free(p);
    return code;
}

/* -- looking ------------------------------------------------------------------- */

static void put_gates(const cJSON *manifest)
{
    const cJSON *gate;

    cJSON_ArrayForEach(gate, cJSON_GetObjectItemCaseSensitive(manifest, "gates"))
        printf("  gate        %s %s   %s\n", get_text(gate, "node"),
               cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(gate, "passed")) ? "passed"
                                                                             : "did not pass",
               get_text(gate, "summary"));
}

static void put_lineage(const cJSON *lineage, bool all)
{
    const cJSON *artifacts = cJSON_GetObjectItemCaseSensitive(lineage, "artifacts");
    const cJSON *executions = cJSON_GetObjectItemCaseSensitive(lineage, "executions"), *e, *a;

    if (!cJSON_IsArray(artifacts))
        return;
    printf("  lineage     %d artifacts, %d executions: digests, order and gates agree\n",
           cJSON_GetArraySize(artifacts), cJSON_GetArraySize(executions));
    if (!all)
        return;
    cJSON_ArrayForEach(e, executions)
    {
        printf("    %-12s %s %s   %s\n", get_text(e, "node"), get_text(e, "component"),
               get_text(e, "version"), get_text(e, "summary"));
        cJSON_ArrayForEach(a, artifacts) if (get_number(a, "made_by") == get_number(e, "n"))
            printf("      %-22s %-18s %.12s\n", get_text(a, "output"), get_text(a, "type"),
                   get_text(a, "digest"));
    }
}

static void put_report(const cJSON *report, bool all)
{
    const cJSON *f, *manifest = cJSON_GetObjectItemCaseSensitive(report, "manifest");

    printf("%s %s %s   %s\n", get_text(report, "kind"), get_text(report, "id"),
           get_text(report, "version"), get_text(report, "file"));
    printf("  content     %.0f files, %.0f bytes, digest %.16s\n", get_number(report, "members"),
           get_number(report, "bytes"), get_text(report, "digest"));
    printf("  signature   %s", get_text(report, "policy"));
    if (has(report, "key"))
        printf(", key %s", get_text(report, "key"));
    if (has(report, "comment"))
        printf(", \"%s\"", get_text(report, "comment"));
    putchar('\n');
    put_gates(manifest);
    put_lineage(cJSON_GetObjectItemCaseSensitive(report, "lineage"), all);
    if (!all)
        return;
    printf("  files\n");
    cJSON_ArrayForEach(f, cJSON_GetObjectItemCaseSensitive(report, "files"))
        printf("    %10.0f  %.12s  %s\n", get_number(f, "size"), get_text(f, "digest"),
               get_text(f, "name"));
}

static int look(const struct args *a, bool all, bool any, const char *dir)
{
    const char *text = NULL;
    cJSON *report;
    hr_project *p = open_project_if_there(a);
    char *json = trust_json(a, any);
    hr_status r = HR_EXHAUSTED;
    int code = EXIT_DONE;

    if (p && json && dir)
        r = hr_package_unpack(p, a->words[0], dir, json, &text);
    else if (p && json)
        r = hr_package_verify(p, a->words[0], json, &text);
    if (r < 0) {
        code = p ? tell_error(p) : EXIT_WRONG;
    } else if (arg_flag(a, "--json")) {
        puts(text);
    } else {
        if ((report = parse_json(text)))
            put_report(report, all);
        cJSON_Delete(report);
        if (dir)
            printf("  unpacked    %s\n", dir);
    }
    free(json);
    hr_free(p);
    return code;
}

static int verify(const struct args *a)
{
    return look(a, false, arg_flag(a, "--any-signer"), NULL);
}

static int unpack(const struct args *a)
{
    return look(a, false, arg_flag(a, "--any-signer"), a->words[1]);
}

static int show(const struct args *a)
{
    return look(a, true, true, NULL);
}

/* -- the table ------------------------------------------------------------------- */

#define SIGNING_OPTIONS                                                                            \
    VALUE("--key", "FILE", "sign with this secret key of minisign"),                               \
        VALUE("--passphrase-file", "FILE",                                                         \
              "the key's passphrase is its first line; else it is asked for on the terminal"),     \
        VALUE("--comment", "TEXT", "trusted comment of the signature")

static const struct option pack_options[] = {
    VALUE("--out", "FILE", "where the package goes (default: ID-VERSION.hrp)"),
    VALUE("--id", "ID", "what it is called"),
    VALUE("--version", "VERSION", "the version that it has"),
    VALUE("--kind", "model|artifacts", "what a directory is"),
    VALUE("--doc", "DIR", "documents that go with a plugin"),
    SIGNING_OPTIONS,
    PROJECT_OPTIONS,
    END_OPTIONS,
};
const struct verb package_pack = {
    .name = "pack",
    .words = "WHAT",
    .line = "make a package",
    .page = "Makes a package.  WHAT is a plugin (scale.so), a model of the registry (penguin@7), "
            "\"artifact 12\", or a directory.  Equal content gives equal bytes.",
    .options = pack_options,
    .run = pack,
};
static const struct option sign_options[] = {
    SIGNING_OPTIONS,
    VALUE("--signature", "FILE", "what minisign has made of the package's FILES, instead of a key"),
    PROJECT_OPTIONS,
    END_OPTIONS,
};
static const struct verb package_sign = {
    .name = "sign",
    .words = "FILE",
    .line = "sign a package",
    .page = "Verifies a package and signs it, in place of the signature that it has.",
    .options = sign_options,
    .run = sign,
};
static const struct option verify_options[] = {
    TRUST_OPTION,
    FLAG("--any-signer", "whoever has signed it, or nobody"),
    FLAG("--json", "all that it says of itself, as JSON"),
    PROJECT_OPTIONS,
    END_OPTIONS,
};
static const struct verb package_verify = {
    .name = "verify",
    .words = "FILE",
    .line = "check all of a package",
    .page = "Checks digests, signature, lineage and gates of a package.  No project is needed.",
    .options = verify_options,
    .run = verify,
};
static const struct verb package_unpack = {
    .name = "unpack",
    .words = "FILE DIR",
    .line = "verify it, and unpack it",
    .page = "Verifies a package and makes DIR of what is in it: whole, or not at all.",
    .options = verify_options,
    .run = unpack,
};
static const struct option show_options[] = {
    TRUST_OPTION,
    FLAG("--json", "all that it says of itself, as JSON"),
    PROJECT_OPTIONS,
    END_OPTIONS,
};
static const struct verb package_show = {
    .name = "show",
    .words = "FILE",
    .line = "what is in it",
    .page = "Verifies a package and shows its files, gates and lineage, whoever signed it.",
    .options = show_options,
    .run = show,
};
static const struct option keygen_options[] = {
    VALUE("--passphrase-file", "FILE",
          "the key's passphrase is its first line; else it is asked for on the terminal"),
    FLAG("--no-passphrase", "do not encrypt the secret key"),
    PROJECT_OPTIONS,
    END_OPTIONS,
};
static const struct verb package_keygen = {
    .name = "keygen",
    .words = "NAME.key",
    .line = "make a key pair",
    .page = "Makes a key pair in minisign's format: NAME.key is secret, NAME.pub is public, and "
            "its line is printed.",
    .options = keygen_options,
    .run = keygen,
};
static const struct verb *const nouns[] = { &package_pack,   &package_sign, &package_verify,
                                            &package_unpack, &package_show, &package_keygen,
                                            NULL };
const struct verb verb_package = {
    .name = "package",
    .group = GROUP_KEEP,
    .line = "signed packages",
    .page = "Packages of plugins, models and artifacts: made, signed, verified, unpacked.\n\n"
            "trust.json beside the pipeline file says whose signatures count, and what becomes of "
            "packages that no such key has signed, \"refuse\", \"warn\" or \"allow\":\n\n"
            "  {\"headrace_trust\": 1, \"unsigned\": \"refuse\",\n"
            "   \"keys\": [{\"name\": \"release\", \"key\": \"RWQ...\"}],\n"
            "   \"sign_with\": \"release.key\"}\n\n"
            "With sign_with, a key without a passphrase, the models that runs publish are signed.  "
            "Without the file packages are taken, with a warning.",
    .nouns = nouns,
};
