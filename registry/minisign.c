#include "registry/minisign.h"

#include <string.h>

#define OS(env, call, ...) (env)->os->call((env)->os->user, __VA_ARGS__)

enum { PUBLIC = 42, SECRET = 158, SEALED = 54, SIGNATURE = 74, LINE = 256 };

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* -- base64, in the one form that has no spare bits ------------------------- */

static void encode(const uint8_t *p, size_t n, char *to)
{
    for (; n; p += n < 3 ? n : 3, n -= n < 3 ? n : 3) {
        uint32_t v = (uint32_t)p[0] << 16 | (n > 1 ? (uint32_t)p[1] << 8 : 0) | (n > 2 ? p[2] : 0u);

        *to++ = letters[v >> 18];
        *to++ = letters[v >> 12 & 63];
        *to++ = n > 1 ? letters[v >> 6 & 63] : '=';
        *to++ = n > 2 ? letters[v & 63] : '=';
    }
    *to = '\0';
}

/* All of the text, to exactly want bytes; they must give this very text again. */
static bool decode(const char *text, size_t n, uint8_t *to, size_t want)
{
    char again[LINE];
    size_t i, at = 0;
    uint32_t v = 0;

    if (n != (want + 2) / 3 * 4 || n >= sizeof again)
        return false;
    for (i = 0; i < n; i++) {
        const char *letter = text[i] ? strchr(letters, text[i]) : NULL;

        if (!letter && text[i] != '=')
            return false;
        v = v << 6 | (letter ? (uint32_t)(letter - letters) : 0);
        if (i % 4 != 3)
            continue;
        if (at < want)
            to[at++] = (uint8_t)(v >> 16);
        if (at < want)
            to[at++] = (uint8_t)(v >> 8);
        if (at < want)
            to[at++] = (uint8_t)v;
        v = 0;
    }
    encode(to, want, again);
    return !memcmp(again, text, n);
}

/* The next line, without its end; a carriage return before that is dropped. */
static struct hr_slice line_of(const char **at, const char *end)
{
    const char *stop = memchr(*at, '\n', (size_t)(end - *at));
    struct hr_slice line = hr_slice(*at, (size_t)((stop ? stop : end) - *at));

    *at = stop ? stop + 1 : end;
    if (line.len && line.text[line.len - 1] == '\r')
        line.len--;
    return line;
}

static bool begins(struct hr_slice line, const char *prefix)
{
    return line.len >= strlen(prefix) && !memcmp(line.text, prefix, strlen(prefix));
}

/* -- keys ------------------------------------------------------------------ */

void hr_key_id(const uint8_t id[8], char ret[17])
{
    static const char hex[] = "0123456789ABCDEF";
    int i;

    for (i = 0; i < 8; i++) {
        ret[2 * i] = hex[id[7 - i] >> 4];
        ret[2 * i + 1] = hex[id[7 - i] & 15];
    }
    ret[16] = '\0';
}

hr_status hr_public_read(struct hr_env *env, const char *name, const char *text, size_t n,
                         struct hr_public_key *ret)
{
    const char *at = text, *end = text + n;
    struct hr_slice line = line_of(&at, end);
    uint8_t bytes[PUBLIC];

    if (begins(line, "untrusted comment:"))
        line = line_of(&at, end);
    if (n > HR_MINISIGN_TEXT || !decode(line.text, line.len, bytes, PUBLIC) ||
        memcmp(bytes, "Ed", 2) != 0)
        return hr_fail(env, HR_INVALID,
                       "\"%s\" is no public key of minisign: a line of 56 letters that begins with "
                       "\"RW\"",
                       name);
    while (at < end)
        if (line_of(&at, end).len)
            return hr_fail(env, HR_INVALID, "\"%s\": a line too many follows the public key", name);
    memcpy(ret->id, bytes + 2, 8);
    memcpy(ret->key, bytes + 10, HR_ED25519_KEY);
    return HR_OK;
}

hr_status hr_public_put(const struct hr_public_key *key, struct hr_buf *to)
{
    uint8_t bytes[PUBLIC] = { 'E', 'd' };
    char line[LINE];

    memcpy(bytes + 2, key->id, 8);
    memcpy(bytes + 10, key->key, HR_ED25519_KEY);
    encode(bytes, PUBLIC, line);
    return hr_buf_text(to, line);
}

static uint64_t read_number(const uint8_t *p)
{
    uint64_t v = 0;
    int i;

    for (i = 7; i >= 0; i--)
        v = v << 8 | p[i];
    return v;
}

/* scrypt's N, r and p from the two costs, as libsodium picks them. */
static hr_status stretch(struct hr_env *env, const char *passphrase, const uint8_t salt[32],
                         uint64_t ops, uint64_t memory, uint8_t ret[SECRET - SEALED])
{
    const uint64_t most = (uint64_t)1 << 31;
    uint64_t bound, spread, p = 1;
    int log = 1;

    if (memory > most || ops > (uint64_t)1 << 36)
        return hr_fail(env, HR_EXHAUSTED,
                       "the secret key wants more than 2 GiB of memory, or hours, to be opened");
    ops = ops < 32768 ? 32768 : ops;
    bound = ops < memory / 32 ? ops / 32 : memory / 1024;
    while (log < 63 && (uint64_t)1 << log <= bound / 2)
        log++;
    if (ops >= memory / 32) {
        spread = (ops / 4) / ((uint64_t)1 << log);
        p = (spread > 0x3fffffff ? 0x3fffffff : spread) / 8;
    }
    return hr_scrypt(env, passphrase, salt, (uint64_t)1 << log, 8, (uint32_t)(p ? p : 1), 2 * most,
                     ret, SECRET - SEALED);
}

static void check_of(const uint8_t sealed[SECRET - SEALED], uint8_t ret[32])
{
    uint8_t bytes[74] = { 'E', 'd' };

    memcpy(bytes + 2, sealed, 72);
    hr_blake2b(bytes, sizeof bytes, ret, 32);
    hr_forget(bytes, sizeof bytes);
}

static hr_status open_secret(struct hr_env *env, uint8_t bytes[SECRET], const char *passphrase,
                             struct hr_secret_key *ret)
{
    uint8_t stream[SECRET - SEALED], check[32], key[HR_ED25519_KEY], *sealed = bytes + SEALED;
    static const uint8_t none[32];
    bool encrypted = !memcmp(bytes + 2, "Sc", 2);
    hr_status r = HR_OK;
    size_t i;

    if (encrypted && !passphrase)
        return hr_fail(env, HR_DENIED, "the secret key is encrypted, and no passphrase is given");
    if (encrypted && (r = stretch(env, passphrase, bytes + 6, read_number(bytes + 38),
                                  read_number(bytes + 46), stream)) < 0)
        return r;
    for (i = 0; encrypted && i < sizeof stream; i++)
        sealed[i] ^= stream[i];
    hr_forget(stream, sizeof stream);
    check_of(sealed, check);
    if (!encrypted && !memcmp(sealed + 72, none, sizeof none)) /* minisign leaves it out there */
        memcpy(sealed + 72, check, sizeof check);
    if (memcmp(check, sealed + 72, sizeof check) != 0)
        return encrypted ? hr_fail(env, HR_DENIED, "the passphrase of the secret key is wrong")
                         : hr_fail(env, HR_INVALID, "the secret key is damaged");
    memcpy(ret->id, sealed, 8);
    memcpy(ret->seed, sealed + 8, HR_ED25519_SEED);
    memcpy(ret->key, sealed + 40, HR_ED25519_KEY);
    r = hr_ed25519_public(env, ret->seed, key);
    if (r == HR_OK && memcmp(key, ret->key, sizeof key) != 0)
        r = hr_fail(env, HR_INVALID, "the secret key does not belong to its public key");
    return r;
}

hr_status hr_secret_read(struct hr_env *env, const char *text, size_t n, const char *passphrase,
                         struct hr_secret_key *ret)
{
    static const uint8_t plain[2];
    const char *at = text, *end = text + n;
    struct hr_slice line = line_of(&at, end);
    uint8_t bytes[SECRET];
    hr_status r;

    if (begins(line, "untrusted comment:"))
        line = line_of(&at, end);
    if (n > HR_MINISIGN_TEXT || !decode(line.text, line.len, bytes, SECRET) ||
        memcmp(bytes, "Ed", 2) != 0 || memcmp(bytes + 4, "B2", 2) != 0 ||
        (memcmp(bytes + 2, "Sc", 2) != 0 && memcmp(bytes + 2, plain, 2) != 0))
        r = hr_fail(env, HR_INVALID, "it is no secret key of minisign");
    else
        r = open_secret(env, bytes, passphrase, ret);
    hr_forget(bytes, sizeof bytes);
    if (r < 0)
        hr_forget(ret, sizeof *ret);
    return r;
}

hr_status hr_secret_make(struct hr_env *env, const char *passphrase, struct hr_secret_key *ret,
                         struct hr_buf *to)
{
    const uint64_t ops = 33554432, memory = 1 << 30; /* minisign's: a second, and 1 GiB */
    uint8_t bytes[SECRET] = { 'E', 'd', 0, 0, 'B', '2' }, stream[SECRET - SEALED] = { 0 };
    uint8_t *sealed = bytes + SEALED;
    char line[LINE];
    hr_status r = HR_OK;
    size_t i;

    if (OS(env, random, ret->seed, sizeof ret->seed) < 0 ||
        OS(env, random, ret->id, sizeof ret->id) < 0 || OS(env, random, bytes + 6, 32) < 0)
        return hr_fail(env, HR_UNAVAILABLE, "the system has no random numbers to make a key of");
    if ((r = hr_ed25519_public(env, ret->seed, ret->key)) < 0)
        return r;
    if (passphrase) {
        memcpy(bytes + 2, "Sc", 2);
        for (i = 0; i < 8; i++) {
            bytes[38 + i] = (uint8_t)(ops >> (8 * i));
            bytes[46 + i] = (uint8_t)(memory >> (8 * i));
        }
        r = stretch(env, passphrase, bytes + 6, ops, memory, stream);
    } else {
        memset(bytes + 6, 0, 32);
    }
    memcpy(sealed, ret->id, 8);
    memcpy(sealed + 8, ret->seed, HR_ED25519_SEED);
    memcpy(sealed + 40, ret->key, HR_ED25519_KEY);
    check_of(sealed, sealed + 72);
    for (i = 0; i < sizeof stream; i++)
        sealed[i] ^= stream[i];
    encode(bytes, SECRET, line);
    if (r == HR_OK)
        r = hr_buf_format(to, "untrusted comment: headrace %ssecret key\n%s\n",
                          passphrase ? "encrypted " : "", line);
    hr_forget(bytes, sizeof bytes);
    hr_forget(stream, sizeof stream);
    hr_forget(line, sizeof line);
    return r;
}

/* -- signatures ------------------------------------------------------------ */

static bool printable(struct hr_slice text)
{
    size_t i;

    for (i = 0; i < text.len; i++)
        if (((unsigned char)text.text[i] < ' ' && text.text[i] != '\t') || text.text[i] == 127)
            return false;
    return hr_utf8_valid(text.text, text.len) == text.len;
}

hr_status hr_signature_read(struct hr_env *env, const char *name, const char *text, size_t n,
                            struct hr_signature *ret)
{
    const char *at = text, *end = text + n, *why = NULL;
    struct hr_slice first = line_of(&at, end), second = line_of(&at, end);
    struct hr_slice third = line_of(&at, end), fourth = line_of(&at, end);
    const size_t prefix = strlen("trusted comment: ");
    uint8_t bytes[SIGNATURE];

    if (n > HR_MINISIGN_TEXT || !begins(first, "untrusted comment: "))
        why = "does not begin with an untrusted comment";
    else if (!decode(second.text, second.len, bytes, SIGNATURE) ||
             (memcmp(bytes, "Ed", 2) != 0 && memcmp(bytes, "ED", 2) != 0))
        why = "has no signature of Ed25519 on its second line";
    else if (!begins(third, "trusted comment: ") || third.len - prefix >= HR_MINISIGN_COMMENT)
        why = "has no trusted comment, or one that is too long";
    else if (!printable(hr_slice(third.text + prefix, third.len - prefix)))
        why = "has a trusted comment that is not plain text";
    else if (!decode(fourth.text, fourth.len, ret->global, HR_ED25519_SIGNATURE))
        why = "has no global signature on its fourth line";
    else if (at < end)
        why = "goes on after its fourth line";
    if (why)
        return hr_fail(env, HR_DATA_LOSS, "the signature of \"%s\" %s", name, why);
    ret->hashed = bytes[1] == 'D';
    memcpy(ret->id, bytes + 2, 8);
    memcpy(ret->signature, bytes + 10, HR_ED25519_SIGNATURE);
    memcpy(ret->comment, third.text + prefix, third.len - prefix);
    ret->comment[third.len - prefix] = '\0';
    return HR_OK;
}

/* What the global signature is of. */
static size_t global_of(const uint8_t signature[HR_ED25519_SIGNATURE], const char *comment,
                        uint8_t ret[HR_ED25519_SIGNATURE + HR_MINISIGN_COMMENT])
{
    size_t n = strlen(comment);

    memcpy(ret, signature, HR_ED25519_SIGNATURE);
    memcpy(ret + HR_ED25519_SIGNATURE, comment, n);
    return HR_ED25519_SIGNATURE + n;
}

hr_status hr_signature_check(struct hr_env *env, const char *name, const struct hr_signature *s,
                             const struct hr_public_key *key, const void *message, size_t n)
{
    uint8_t digest[64], global[HR_ED25519_SIGNATURE + HR_MINISIGN_COMMENT];
    char id[17];

    hr_key_id(s->id, id);
    if (memcmp(s->id, key->id, sizeof s->id) != 0)
        return hr_fail(env, HR_DATA_LOSS, "the signature of \"%s\" is by another key, %s", name,
                       id);
    if (s->hashed) {
        hr_blake2b(message, n, digest, sizeof digest);
        message = digest;
        n = sizeof digest;
    }
    if (!hr_ed25519_holds(key->key, message, n, s->signature))
        return hr_fail(env, HR_DATA_LOSS,
                       "the signature of \"%s\" by key %s is wrong: this is not what was signed",
                       name, id);
    if (!hr_ed25519_holds(key->key, global, global_of(s->signature, s->comment, global),
                          s->global))
        return hr_fail(env, HR_DATA_LOSS,
                       "the trusted comment in the signature of \"%s\" by key %s is not the one "
                       "that was signed",
                       name, id);
    return HR_OK;
}

hr_status hr_signature_make(struct hr_env *env, const struct hr_secret_key *key,
                            const char *comment, const void *message, size_t n, struct hr_buf *to)
{
    uint8_t digest[64], bytes[SIGNATURE] = { 'E', 'D' }, global[HR_ED25519_SIGNATURE];
    uint8_t all[HR_ED25519_SIGNATURE + HR_MINISIGN_COMMENT];
    char line[LINE], last[LINE];
    hr_status r;

    if (strlen(comment) >= HR_MINISIGN_COMMENT || !printable(hr_slice(comment, strlen(comment))))
        return hr_fail(env, HR_INVALID,
                       "the comment of a signature is plain text of less than %d bytes",
                       HR_MINISIGN_COMMENT);
    hr_blake2b(message, n, digest, sizeof digest);
    memcpy(bytes + 2, key->id, 8);
    if ((r = hr_ed25519_sign(env, key->seed, digest, sizeof digest, bytes + 10)) < 0 ||
        (r = hr_ed25519_sign(env, key->seed, all, global_of(bytes + 10, comment, all), global)) < 0)
        return r;
    encode(bytes, SIGNATURE, line);
    encode(global, sizeof global, last);
    r = hr_buf_format(to,
                      "untrusted comment: signature of FILES by headrace\n%s\n"
                      "trusted comment: %s\n%s\n",
                      line, comment, last);
    return r < 0 ? hr_fail_memory(env) : HR_OK;
}
