#include "data/csv_scan.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { AT_ONCE = 12 }; /* places that are put down in one step */

/* -- bytes that matter ------------------------------------------------------------- */

/* Bits of 64 bytes: what matters, and in *ret_odd if a NUL or a byte beyond ASCII is there. */
static uint64_t mask_plain(const char *p, bool *ret_odd)
{
    uint64_t mask = 0;
    int i;

    for (i = 0; i < 64; i++) {
        signed char c = (signed char)p[i];

        mask |= (uint64_t)(c == ',' || c == '\n' || c == '\r' || c == '"') << i;
        *ret_odd |= c <= 0;
    }
    return mask;
}

/* What matters in n bytes, a multiple of 64: their places, counted from `from`.  Returns how
 * many. */
static uint32_t places_plain(const char *p, size_t n, size_t from, uint16_t *to, bool *ret_odd)
{
    uint32_t k = 0;
    size_t i;

    for (i = 0; i < n; i += 64) {
        uint64_t mask = mask_plain(p + i, ret_odd);

        for (; mask; mask &= mask - 1)
            to[k++] = (uint16_t)(from + i + (size_t)__builtin_ctzll(mask));
    }
    return k;
}

#if defined(__x86_64__)
#define PUT_ONE(j)                                                                                 \
    do {                                                                                           \
        q[j] = (uint16_t)(at + (size_t)_tzcnt_u64(mask));                                          \
        mask &= mask - 1;                                                                          \
    } while (0)
#define PUT_FOUR(j)                                                                                \
    do {                                                                                           \
        PUT_ONE(j);                                                                                \
        PUT_ONE((j) + 1);                                                                          \
        PUT_ONE((j) + 2);                                                                          \
        PUT_ONE((j) + 3);                                                                          \
    } while (0)

/* The four differ in their lower halves, so one look-up by that half gives the only one that a
 * byte can be.  Places are put down AT_ONCE at a time: what is put down behind the last is
 * overwritten. */

__attribute__((target("avx2,popcnt,bmi"))) static uint32_t
places_avx2(const char *p, size_t n, size_t from, uint16_t *to, bool *ret_odd)
{
    const __m256i those = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(1, 0, '"', 0, 0, 0, 0, 0, 0, 0, '\n', 0, ',', '\r', 0, 0));
    __m256i usual = _mm256_set1_epi8(-1);
    uint32_t k = 0;
    size_t i;

    for (i = 0; i < n; i += 64) {
        __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)(p + i));
        __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(p + i + 32));
        uint64_t mask = (uint32_t)_mm256_movemask_epi8(
            _mm256_cmpeq_epi8(_mm256_shuffle_epi8(those, a), a));
        size_t at = from + i;
        uint32_t count;
        uint16_t *q;

        mask |= (uint64_t)(uint32_t)_mm256_movemask_epi8(
                    _mm256_cmpeq_epi8(_mm256_shuffle_epi8(those, b), b))
                << 32;
        usual = _mm256_and_si256(usual, _mm256_and_si256(
                                            _mm256_cmpgt_epi8(a, _mm256_setzero_si256()),
                                            _mm256_cmpgt_epi8(b, _mm256_setzero_si256())));
        count = (uint32_t)__builtin_popcountll(mask);
        q = to + k;
        do { /* mostly once: more would be guessed wrong half of the time */
            PUT_FOUR(0);
            PUT_FOUR(4);
            PUT_FOUR(8);
            q += AT_ONCE;
        } while (mask);
        k += count;
    }
    *ret_odd |= (uint32_t)_mm256_movemask_epi8(usual) != 0xffffffffu;
    return k;
}

__attribute__((target("avx2,popcnt"))) static uint64_t quotes_avx2(const char *text, size_t size)
{
    const __m256i quote = _mm256_set1_epi8('"');
    uint64_t n = 0;
    size_t i;

    for (i = 0; i + 32 <= size; i += 32) {
        __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(text + i));

        n += (uint64_t)__builtin_popcount(
            (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(v, quote)));
    }
    for (; i < size; i++)
        n += text[i] == '"';
    return n;
}

static bool have_avx2(void)
{
    return hr_cpu_has(HR_CPU_AVX2);
}
#else
static uint32_t places_avx2(const char *p, size_t n, size_t from, uint16_t *to, bool *ret_odd)
{
    return places_plain(p, n, from, to, ret_odd);
}

static uint64_t quotes_avx2(const char *text, size_t size)
{
    (void)text, (void)size;
    return 0;
}

static bool have_avx2(void)
{
    return false;
}
#endif

uint64_t csv_quotes(const char *text, size_t size)
{
    uint64_t n = 0;
    size_t i;

    if (have_avx2())
        return quotes_avx2(text, size);
    for (i = 0; i < size; i++)
        n += text[i] == '"';
    return n;
}

void csv_scan_init(struct csv_scan *s, const char *text, size_t size, size_t at)
{
    s->text = text;
    s->size = size;
    s->at = at;
    s->n = s->i = 0;
    s->base = at;
    s->odd_bytes = false;
    s->simd = have_avx2();
}

bool csv_scan_more(struct csv_scan *s)
{
    uint32_t (*places)(const char *, size_t, size_t, uint16_t *, bool *) =
        s->simd ? places_avx2 : places_plain;
    size_t n = s->size - s->at < CSV_STEP ? s->size - s->at : CSV_STEP, whole = n / 64 * 64;
    char last[64];

    if (!n)
        return false;
    s->base = s->at;
    s->i = 0;
    s->n = places(s->text + s->at, whole, 0, s->found, &s->odd_bytes);
    if (n > whole) { /* filled up with what does not matter */
        memset(last, ' ', sizeof last);
        memcpy(last, s->text + s->at + whole, n - whole);
        s->n += places(last, sizeof last, whole, s->found + s->n, &s->odd_bytes);
    }
    s->at += n;
    return true;
}

/* The place of the next byte that matters, or the end of the text; it stays next. */
static inline size_t peek(struct csv_scan *s)
{
    while (s->i == s->n)
        if (!csv_scan_more(s))
            return s->size;
    return s->base + s->found[s->i];
}

/* -- records ----------------------------------------------------------------------- */

static inline void put(struct csv_records *r, const char *text, size_t n)
{
    if (r->n < r->cap)
        r->cells[r->n] = hr_slice(text, n);
    r->n++;
}

/* The end of a record with quotes: the line feed before which their number is even. */
static enum csv_fault find_end(struct csv_records *r, size_t *ret_end)
{
    struct csv_scan *s = &r->scan;
    bool odd = false;
    size_t at;

    /* what was seen of the record so far had no quote but the one that is next */
    for (; (at = peek(s)) < s->size; s->i++) {
        if (s->text[at] == '"')
            odd = !odd;
        else if (s->text[at] == '\n' && !odd)
            break;
    }
    *ret_end = at;
    if (at < s->size)
        s->i++;
    return odd ? CSV_UNCLOSED : CSV_OK;
}

/* From behind a quote at *text on: *ret_end is the closing one, or stop.  What stands before a
 * doubled quote goes to r->text, and *text is where the rest begins. */
static bool find_quote(struct csv_records *r, const char **text, const char *stop,
                       const char **ret_end)
{
    const char *p;

    for (p = *text; p < stop; p++) {
        if (*p != '"')
            continue;
        if (p + 1 == stop || p[1] != '"')
            break;
        if (hr_buf_add(&r->text, *text, (size_t)(p + 1 - *text)) < 0)
            return false;
        *text = ++p + 1;
    }
    *ret_end = p;
    return true;
}

/* Over what is not in quotes, to the comma or stop. */
static enum csv_fault find_comma(const char **p, const char *stop)
{
    for (; *p < stop && **p != ','; ++*p) {
        if (**p == '\n')
            return CSV_BREAK;
        if (**p == '\r')
            return CSV_RETURN;
    }
    return CSV_OK;
}

/* One cell from p on, up to stop; *ret_next: after the comma behind it, or NULL. */
static enum csv_fault quoted_cell(struct csv_records *r, const char *p, const char *stop,
                                  const char **ret_next)
{
    bool quoted = p < stop && *p == '"';
    const char *text = p + quoted, *end = text, *rest;
    size_t from = r->text.len;
    enum csv_fault fault;

    if (quoted && !find_quote(r, &text, stop, &end))
        return CSV_MEMORY;
    p = rest = end + (quoted && end < stop); /* what follows the quote stands for itself */
    if ((fault = find_comma(&p, stop)) != CSV_OK)
        return fault;
    if (!quoted) {
        put(r, text, (size_t)(p - text));
    } else if (r->text.len == from && p == rest) {
        put(r, text, (size_t)(end - text));
    } else { /* in pieces: the cell is put together in r->text */
        if (hr_buf_add(&r->text, text, (size_t)(end - text)) < 0 ||
            hr_buf_add(&r->text, rest, (size_t)(p - rest)) < 0)
            return CSV_MEMORY;
        put(r, r->text.text + from, r->text.len - from);
    }
    *ret_next = p < stop ? p + 1 : NULL;
    return CSV_OK;
}

static enum csv_fault with_quotes(struct csv_records *r)
{
    enum csv_fault fault;
    size_t end;
    const char *p, *stop;
    char *room;

    if ((fault = find_end(r, &end)) != CSV_OK)
        return fault;
    r->start = end < r->scan.size ? end + 1 : end;
    if (end > r->record && r->scan.text[end - 1] == '\r')
        end--;
    r->n = 0;
    /* all that cells can need, so that the buffer does not move under them */
    hr_buf_cut(&r->text, 0);
    if (hr_buf_room(&r->text, end - r->record, &room) < 0)
        return CSV_MEMORY;
    hr_buf_cut(&r->text, 0);
    stop = r->scan.text + end;
    for (p = r->scan.text + r->record; p && fault == CSV_OK;)
        fault = quoted_cell(r, p, stop, &p);
    return fault;
}

/* The end of a record without quotes, at `at`: pass it. */
static void pass_end(struct csv_records *r, size_t at)
{
    struct csv_scan *s = &r->scan;

    if (at < s->size && s->text[at] == '\r') {
        s->i++;
        at++;
        peek(s); /* the line feed behind it, if there is one */
    }
    if (at < s->size) {
        s->i++;
        at++;
    }
    r->start = at;
}

static enum csv_fault one_record(struct csv_records *r)
{
    struct csv_scan *s = &r->scan;
    const char *text = s->text;
    size_t cell = r->start, at;

    r->record = cell;
    r->n = 0;
    while ((at = peek(s)) < s->size && text[at] == ',') {
        put(r, text + cell, at - cell);
        cell = at + 1;
        s->i++;
    }
    if (at < s->size && text[at] == '"')
        return with_quotes(r);
    if (at + 1 < s->size && text[at] == '\r' && text[at + 1] != '\n')
        return CSV_RETURN;
    pass_end(r, at);
    if (at > r->record)
        put(r, text + cell, at - cell);
    return CSV_OK;
}

enum csv_fault csv_next(struct csv_records *r)
{
    enum csv_fault fault;

    do {
        if (r->start >= r->scan.size)
            return CSV_END;
        fault = one_record(r);
    } while (fault == CSV_OK && !r->n); /* an empty line */
    return fault;
}
