/* json.h - strict JSON, read and written.
 *
 * Reading: cJSON builds the tree; a scanner of ours checks the text before (RFC 8259, valid
 * UTF-8, no duplicate member, no trailing text) and notes where each value stands, so that
 * errors have line and column and numbers are read from the source, exact.  With
 * HR_JSON_COMMENTS // comments to the end of the line are taken as blanks.
 *
 *     hr_json_parse(env, "a.json", text, n, HR_JSON_COMMENTS, &doc);
 *     for (m = hr_json_first(hr_json_root(doc)); m; m = hr_json_next(m))
 *         use(hr_json_key(m), m);
 *     hr_json_free(doc);
 *
 * Writing: members in the order they are put, numbers by num.h, no way to write a tree that
 * does not nest.
 */
#ifndef HR_JSON_H
#define HR_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"

struct hr_env;
struct hr_json;     /* a value; lives as long as its document */
struct hr_json_doc; /* a text that was read */

enum { HR_JSON_COMMENTS = 1 };
enum { HR_JSON_WRITE_DEPTH = 256 }; /* deeper than any text that is read */

enum hr_json_kind {
    HR_JSON_NULL,
    HR_JSON_BOOL,
    HR_JSON_NUMBER,
    HR_JSON_STRING,
    HR_JSON_ARRAY,
    HR_JSON_OBJECT
};

/* name is of the file, for errors; it is copied.  HR_INVALID: told with place. */
hr_status hr_json_parse(struct hr_env *env, const char *name, const char *text, size_t n, int flags,
                        struct hr_json_doc **ret);
void hr_json_free(struct hr_json_doc *doc);

const struct hr_json *hr_json_root(const struct hr_json_doc *doc);
const char *hr_json_name(const struct hr_json_doc *doc);

enum hr_json_kind hr_json_kind(const struct hr_json *v);
const char *hr_json_kind_text(enum hr_json_kind kind); /* "a string" */

/* The first and next member or element; NULL: none.  A value that holds none has none. */
const struct hr_json *hr_json_first(const struct hr_json *v);
const struct hr_json *hr_json_next(const struct hr_json *v);
size_t hr_json_count(const struct hr_json *v);

/* The member's name; NULL: v is no member. */
const char *hr_json_key(const struct hr_json *v);

/* The member of that name; NULL: there is none, or v is no object or NULL. */
const struct hr_json *hr_json_get(const struct hr_json *v, const char *key);

/* The text of a string, the truth of a bool; others give NULL and false. */
const char *hr_json_text(const struct hr_json *v);
bool hr_json_bool(const struct hr_json *v);

/* Which of words[1] to words[n - 1] the text is; 0: none of them. */
int32_t hr_json_word(const struct hr_json *v, const char *const *words, int32_t n);

/* The number as it stands in the source; not ended by '\0'. */
const char *hr_json_number(const struct hr_json_doc *doc, const struct hr_json *v, size_t *ret_n);

/* false: no number; or, for an int, not an integer of 64 bit ("1.0" and "1e2" are not). */
bool hr_json_int(const struct hr_json_doc *doc, const struct hr_json *v, int64_t *ret);
bool hr_json_double(const struct hr_json_doc *doc, const struct hr_json *v, double *ret);

/* Where the value stands, or the name of a member. */
struct hr_place hr_json_place(const struct hr_json_doc *doc, const struct hr_json *v);
struct hr_place hr_json_key_place(const struct hr_json_doc *doc, const struct hr_json *v);

/* The source of a value, from its first byte to its last. */
struct hr_slice hr_json_source(const struct hr_json_doc *doc, const struct hr_json *v);

/* Append the value: on one line with separators "," and ":", members in the order of the
 * source, or sorted by name at every level. */
hr_status hr_json_print(const struct hr_json_doc *doc, const struct hr_json *v, bool sorted,
                        struct hr_buf *to);

/* -- writing --------------------------------------------------------------- */

/* Errors are kept in the writer and given by hr_json_end(). */
struct hr_json_writer {
    struct hr_buf *to;
    hr_status status;
    int32_t indent; /* 0: all on one line; else blanks a level */
    int32_t depth;
    bool spaced; /* one line with ", " and ": ", as Python's json.dumps */
    bool ascii;  /* what is not ASCII as \uXXXX */
    bool named;  /* a name waits for its value */
    bool some[HR_JSON_WRITE_DEPTH];
};

void hr_json_begin(struct hr_json_writer *w, struct hr_buf *to, int32_t indent);
hr_status hr_json_end(struct hr_json_writer *w);

/* Each value inside an object follows its hr_json_put_key(). */
void hr_json_put_key(struct hr_json_writer *w, const char *key);
void hr_json_open_object(struct hr_json_writer *w);
void hr_json_close_object(struct hr_json_writer *w);
void hr_json_open_array(struct hr_json_writer *w);
void hr_json_close_array(struct hr_json_writer *w);
void hr_json_put_text(struct hr_json_writer *w, const char *text); /* NULL: null */
void hr_json_put_bytes(struct hr_json_writer *w, const char *text, size_t n);
void hr_json_put_buf(struct hr_json_writer *w, const struct hr_buf *text); /* whole, or an error */
void hr_json_put_int(struct hr_json_writer *w, int64_t v);
void hr_json_put_double(struct hr_json_writer *w, double v); /* not finite: a string */
void hr_json_put_bool(struct hr_json_writer *w, bool v);
void hr_json_put_null(struct hr_json_writer *w);
void hr_json_put_raw(struct hr_json_writer *w, const char *text, size_t n);
/* A value of a document, laid out by this writer. */
void hr_json_put_value(struct hr_json_writer *w, const struct hr_json_doc *doc,
                       const struct hr_json *v, bool sorted);

/* key and value in one */
void hr_json_put_member_text(struct hr_json_writer *w, const char *key, const char *text);
void hr_json_put_member_int(struct hr_json_writer *w, const char *key, int64_t v);
void hr_json_put_member_double(struct hr_json_writer *w, const char *key, double v);
void hr_json_put_member_bool(struct hr_json_writer *w, const char *key, bool v);

#endif
