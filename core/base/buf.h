/* buf.h - bytes that grow, up to a limit.
 *
 * Invariants, checked by hr_buf_sane():
 *  - text is never NULL and text[len] is '\0', also before the first add;
 *  - len < cap, unless cap is 0 and text is a shared empty string;
 *  - a call that fails leaves the buffer as it was, and so do all after it, until
 *    hr_buf_cut() or hr_buf_clear(): what is there has no gap, and of many calls only the
 *    last need be asked, or hr_buf_whole() at the end.
 */
#ifndef HR_BUF_H
#define HR_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "headrace/headrace.h"

#if defined(__GNUC__)
#define HR_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define HR_PRINTF(f, a)
#endif

struct hr_env;

struct hr_buf {
    char *text; /* read it freely; write only through hr_buf_add() and its kind */
    size_t len, cap;
    size_t max; /* no longer than this, the '\0' not counted */
    bool lost;  /* a call has failed since */
    hr_alloc *alloc;
    void *user;
};

/* Cannot fail and allocates nothing. */
void hr_buf_init(struct hr_buf *b, size_t max, hr_alloc *alloc, void *user);

/* With the allocator of env. */
void hr_buf_of(struct hr_buf *b, size_t max, const struct hr_env *env);

/* Free the bytes.  b is as after hr_buf_init() and may be used again. */
void hr_buf_clear(struct hr_buf *b);

/* Forget the bytes from len on, keep the memory.  len is at most b->len. */
void hr_buf_cut(struct hr_buf *b, size_t len);

/* Is all there that was added? */
bool hr_buf_whole(const struct hr_buf *b);

/* Append n bytes, which must not lie in b.
 * HR_EXHAUSTED: it would pass max, there is no memory, or there was none before. */
hr_status hr_buf_add(struct hr_buf *b, const void *bytes, size_t n);

/* Append n bytes that the caller fills at *ret, before the next call on b. */
hr_status hr_buf_room(struct hr_buf *b, size_t n, char **ret);

hr_status hr_buf_text(struct hr_buf *b, const char *text);
hr_status hr_buf_char(struct hr_buf *b, char c);
HR_PRINTF(2, 3) hr_status hr_buf_format(struct hr_buf *b, const char *format, ...);
hr_status hr_buf_vformat(struct hr_buf *b, const char *format, va_list args);

bool hr_buf_sane(const struct hr_buf *b);

#endif
