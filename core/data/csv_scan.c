#include "data/csv_scan.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum {
    AT_ONCE = 12, /* places that are put down in one step */
    AHEAD = 4096  /* bytes, that are fetched before they are looked at */
};

static const uint8_t numbers[64] = {
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
    16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
    32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47,
    48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63,
};

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

static uint64_t quotes_plain(const char *text, size_t size)
{
    uint64_t n = 0;
    size_t i;

    for (i = 0; i < size; i++)
        n += text[i] == '"';
    return n;
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

#define THOSE _mm_setr_epi8(1, 0, '"', 0, 0, 0, 0, 0, 0, 0, '\n', 0, ',', '\r', 0, 0)
#define AVX512_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi2,popcnt")))

/* The four differ in their lower halves, so one look-up by that half gives the only one that a
 * byte can be.  Places are put down AT_ONCE at a time: what is put down behind the last is
 * overwritten. */

__attribute__((target("avx2,popcnt,bmi"))) static uint32_t
places_avx2(const char *p, size_t n, size_t from, uint16_t *to, bool *ret_odd)
{
    const __m256i those = _mm256_broadcastsi128_si256(THOSE);
    __m256i least = _mm256_set1_epi8(127);
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
        least = _mm256_min_epi8(least, _mm256_min_epi8(a, b));
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
    *ret_odd |= _mm256_movemask_epi8(_mm256_cmpgt_epi8(_mm256_set1_epi8(1), least)) != 0;
    return k;
}

/* Places as bytes are pressed together, then widened: no branch but for more than 32, which are
 * rare.  Half a register is put down, whatever is in it.  The next page is fetched ahead, which
 * the processor does not do on its own. */
AVX512_TARGET static uint32_t places_avx512(const char *p, size_t n, size_t from, uint16_t *to,
                                            bool *ret_odd)
{
    const __m512i those = _mm512_broadcast_i32x4(THOSE), each = _mm512_loadu_si512(numbers);
    __m512i least = _mm512_set1_epi8(127);
    uint32_t k = 0;
    size_t i;

    for (i = 0; i < n; i += 64) {
        __m512i v = _mm512_loadu_si512((const void *)(p + i));
        uint64_t mask = _mm512_cmpeq_epi8_mask(_mm512_shuffle_epi8(those, v), v);
        __m512i found = _mm512_maskz_compress_epi8(mask, each);
        __m512i at = _mm512_set1_epi16((short)(from + i));
        uint32_t count = (uint32_t)__builtin_popcountll(mask);

        _mm_prefetch(p + i + AHEAD, _MM_HINT_T0);
        least = _mm512_min_epi8(least, v);
        _mm512_storeu_si512(
            (void *)(to + k),
            _mm512_add_epi16(at, _mm512_cvtepu8_epi16(_mm512_castsi512_si256(found))));
        if (count > 32)
            _mm512_storeu_si512(
                (void *)(to + k + 32),
                _mm512_add_epi16(at, _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(found, 1))));
        k += count;
    }
    *ret_odd |= _mm512_cmple_epi8_mask(least, _mm512_setzero_si512()) != 0;
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

AVX512_TARGET static uint64_t quotes_avx512(const char *text, size_t size)
{
    const __m512i quote = _mm512_set1_epi8('"');
    uint64_t n = 0;
    size_t i;

    for (i = 0; i + 64 <= size; i += 64) {
        _mm_prefetch(text + i + AHEAD, _MM_HINT_T0);
        n += (uint64_t)__builtin_popcountll(
            _mm512_cmpeq_epi8_mask(_mm512_loadu_si512((const void *)(text + i)), quote));
    }
    for (; i < size; i++)
        n += text[i] == '"';
    return n;
}

#else
#define places_avx2 places_plain
#define places_avx512 places_plain
#define quotes_avx2 quotes_plain
#define quotes_avx512 quotes_plain
#endif

uint64_t csv_quotes(const char *text, size_t size)
{
    if (hr_cpu_has(HR_CPU_AVX512))
        return quotes_avx512(text, size);
    return hr_cpu_has(HR_CPU_AVX2) ? quotes_avx2(text, size) : quotes_plain(text, size);
}

void csv_scan_init(struct csv_scan *s, const char *text, size_t size, size_t at)
{
    s->text = text;
    s->size = size;
    s->at = at;
    s->n = s->i = 0;
    s->base = at;
    s->odd_bytes = false;
    s->places = places_plain;
    if (hr_cpu_has(HR_CPU_AVX512))
        s->places = places_avx512;
    else if (hr_cpu_has(HR_CPU_AVX2))
        s->places = places_avx2;
}

bool csv_scan_more(struct csv_scan *s)
{
    size_t n = s->size - s->at < CSV_STEP ? s->size - s->at : CSV_STEP, whole = n / 64 * 64;
    char last[64];

    if (!n)
        return false;
    s->base = s->at;
    s->i = 0;
    s->n = s->places(s->text + s->at, whole, 0, s->found, &s->odd_bytes);
    if (n > whole) { /* filled up with what does not matter */
        memset(last, ' ', sizeof last);
        memcpy(last, s->text + s->at + whole, n - whole);
        s->n += s->places(last, sizeof last, whole, s->found + s->n, &s->odd_bytes);
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

/* The cells from r->start on up to the first byte that matters and is no comma, which stays next.
 * What changes is kept aside, for a cell that is put may be anything to the compiler. */
static size_t cut_at_commas(struct csv_records *r)
{
    struct csv_scan *s = &r->scan;
    const char *text = s->text;
    size_t cell = r->start, n = 0;

    for (;;) {
        const size_t base = s->base, cap = r->cap;
        struct hr_slice *cells = r->cells;
        uint32_t i, end = s->n;

        for (i = s->i; i < end; i++, n++) {
            size_t at = base + s->found[i];

            if (text[at] != ',')
                break;
            if (n < cap)
                cells[n] = hr_slice(text + cell, at - cell);
            cell = at + 1;
        }
        s->i = i;
        if (i < s->n || !csv_scan_more(s))
            break;
    }
    r->n = n;
    return cell;
}

static enum csv_fault one_record(struct csv_records *r)
{
    struct csv_scan *s = &r->scan;
    const char *text = s->text;
    size_t cell, at;

    r->record = r->start;
    if (r->text.len)
        hr_buf_cut(&r->text, 0);
    cell = cut_at_commas(r);
    at = peek(s);
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

size_t csv_rows(struct csv_records *r, size_t end, size_t n, struct csv_stop *ret)
{
    size_t rows = 0;

    *ret = (struct csv_stop){ .fault = CSV_OK };
    if (n > r->most)
        n = r->most;
    while (rows < n && !ret->stop) {
        r->cells = r->all + rows * r->cap;
        ret->stop = r->start >= end || (ret->fault = csv_next(r)) != CSV_OK || r->record >= end;
        if (ret->stop)
            break;
        ret->to = r->start;
        ret->ragged = ret->stop = r->n != r->cap;
        rows += !ret->stop;
        if (r->text.len) /* the next record would put its cells over these */
            break;
    }
    return rows;
}
