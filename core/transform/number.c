/* Arithmetic, comparisons, conversions: loops over values, an argument that is a constant
 * being one value.  Float work is in float32, functions of libm in double, rounded once.
 */
#include <math.h>
#include <string.h>

#include "base/base.h"
#include "transform/eval.h"

/* One loop for each of: two columns, column and constant, constant and column or both. */
#define LOOP2(OUT, IN, EXPR)                                                                       \
    do {                                                                                           \
        OUT *o = r->own;                                                                           \
        const IN *p = a[0]->v, *q = a[1]->v;                                                       \
        const int64_t n = r->n;                                                                    \
        int64_t i;                                                                                 \
        if (a[0]->cst) {                                                                           \
            const IN x = p[0];                                                                     \
            for (i = 0; i < n; i++) {                                                              \
                const IN y = q[a[1]->cst ? 0 : i];                                                 \
                o[i] = (EXPR);                                                                     \
            }                                                                                      \
        } else if (a[1]->cst) {                                                                    \
            const IN y = q[0];                                                                     \
            for (i = 0; i < n; i++) {                                                              \
                const IN x = p[i];                                                                 \
                o[i] = (EXPR);                                                                     \
            }                                                                                      \
        } else {                                                                                   \
            for (i = 0; i < n; i++) {                                                              \
                const IN x = p[i], y = q[i];                                                       \
                o[i] = (EXPR);                                                                     \
            }                                                                                      \
        }                                                                                          \
    } while (0)

#define LOOP1(OUT, IN, EXPR)                                                                       \
    do {                                                                                           \
        OUT *o = r->own;                                                                           \
        const IN *p = a[0]->v;                                                                     \
        const int64_t n = r->n;                                                                    \
        int64_t i;                                                                                 \
        for (i = 0; i < n; i++) {                                                                  \
            const IN x = p[i];                                                                     \
            o[i] = (EXPR);                                                                         \
        }                                                                                          \
    } while (0)

/* Two's complement, without the undefined overflow. */
static inline int64_t wrap_add(int64_t x, int64_t y)
{
    return (int64_t)((uint64_t)x + (uint64_t)y);
}

static inline int64_t wrap_sub(int64_t x, int64_t y)
{
    return (int64_t)((uint64_t)x - (uint64_t)y);
}

static inline int64_t wrap_mul(int64_t x, int64_t y)
{
    return (int64_t)((uint64_t)x * (uint64_t)y);
}

/* Towards minus infinity; y is not 0. */
static inline int64_t floor_div(int64_t x, int64_t y)
{
    int64_t q;

    if (y == -1)
        return wrap_sub(0, x);
    q = x / y;
    return q - ((x % y != 0) && ((x < 0) != (y < 0)));
}

static inline int64_t floor_mod(int64_t x, int64_t y)
{
    int64_t m;

    if (y == -1)
        return 0;
    m = x % y;
    return m && ((m < 0) != (y < 0)) ? m + y : m;
}

static inline float float_mod(float x, float y)
{
    float m = fmodf(x, y);

    return m != 0 && ((m < 0) != (y < 0)) ? m + y : m;
}

static bool present(const struct hr_eval *e, const struct hr_reg *r, int64_t i)
{
    (void)e;
    return !r->valid || r->shape == HR_S_LIST || r->valid[i / (r->size ? r->size : 1)];
}

/* Integer division: by 0 it is refused where the row has a value. */
static hr_status divide(struct hr_eval *e, const struct hr_step *s, struct hr_reg *r,
                        struct hr_reg *const *a)
{
    const int64_t *p = a[0]->v, *q = a[1]->v;
    int64_t *o = r->own;
    int64_t i;

    for (i = 0; i < r->n; i++) {
        int64_t x = p[a[0]->cst ? 0 : i], y = q[a[1]->cst ? 0 : i];

        if (!y && present(e, r, i))
            return hr_eval_fail(e, r, i, "an integer is divided by 0; use / or if_else");
        if (!y)
            o[i] = 0;
        else
            o[i] = s->op == HR_OP_MOD ? floor_mod(x, y) : floor_div(x, y);
    }
    return HR_OK;
}

static hr_status two_ints(struct hr_eval *e, const struct hr_step *s, struct hr_reg *r,
                          struct hr_reg *const *a)
{
    switch (s->op) {
    case HR_OP_ADD:
        LOOP2(int64_t, int64_t, wrap_add(x, y));
        break;
    case HR_OP_SUB:
        LOOP2(int64_t, int64_t, wrap_sub(x, y));
        break;
    case HR_OP_MUL:
        LOOP2(int64_t, int64_t, wrap_mul(x, y));
        break;
    case HR_OP_MIN2:
        LOOP2(int64_t, int64_t, x < y ? x : y);
        break;
    case HR_OP_MAX2:
        LOOP2(int64_t, int64_t, x > y ? x : y);
        break;
    default:
        return divide(e, s, r, a);
    }
    return HR_OK;
}

static void two_floats(const struct hr_step *s, struct hr_reg *r, struct hr_reg *const *a)
{
    switch (s->op) {
    case HR_OP_ADD:
        LOOP2(float, float, x + y);
        break;
    case HR_OP_SUB:
        LOOP2(float, float, x - y);
        break;
    case HR_OP_MUL:
        LOOP2(float, float, x *y);
        break;
    case HR_OP_DIV:
        LOOP2(float, float, x / y);
        break;
    case HR_OP_FLOORDIV:
        LOOP2(float, float, floorf(x / y));
        break;
    case HR_OP_MOD:
        LOOP2(float, float, float_mod(x, y));
        break;
    case HR_OP_POW:
        LOOP2(float, float, (float)pow((double)x, (double)y));
        break;
    case HR_OP_MIN2: /* NaN if one is */
        LOOP2(float, float, x < y || x != x ? x : y);
        break;
    default:
        LOOP2(float, float, x > y || x != x ? x : y);
        break;
    }
}

static void one_float(const struct hr_step *s, struct hr_reg *r, struct hr_reg *const *a)
{
    switch (s->op) {
    case HR_OP_SQRT:
        LOOP1(float, float, sqrtf(x));
        break;
    case HR_OP_EXP:
        LOOP1(float, float, (float)exp((double)x));
        break;
    case HR_OP_LOG:
        LOOP1(float, float, (float)log((double)x));
        break;
    case HR_OP_LOG1P:
        LOOP1(float, float, (float)log1p((double)x));
        break;
    case HR_OP_ROUND: /* halves to even */
        LOOP1(float, float, nearbyintf(x));
        break;
    case HR_OP_FLOOR:
        LOOP1(float, float, floorf(x));
        break;
    default:
        LOOP1(float, float, ceilf(x));
        break;
    }
}

static void one_number(const struct hr_step *s, struct hr_reg *r, struct hr_reg *const *a)
{
    bool ints = r->elem == HR_E_INT;

    switch (s->op) {
    case HR_OP_NEG:
        if (ints)
            LOOP1(int64_t, int64_t, wrap_sub(0, x));
        else
            LOOP1(float, float, -x);
        break;
    case HR_OP_ABS:
        if (ints)
            LOOP1(int64_t, int64_t, x < 0 ? wrap_sub(0, x) : x);
        else
            LOOP1(float, float, fabsf(x));
        break;
    default:
        if (ints)
            LOOP1(int64_t, int64_t, (x > 0) - (x < 0));
        else
            LOOP1(float, float, x > 0 ? 1.0f : (x < 0 ? -1.0f : x));
        break;
    }
}

/* -- comparisons and logic ---------------------------------------- */

static inline int order(struct hr_slice x, struct hr_slice y)
{
    return hr_bytes_compare(x.text, x.len, y.text, y.len);
}

static inline bool same(struct hr_slice x, struct hr_slice y)
{
    return x.len == y.len && (!x.len || !memcmp(x.text, y.text, x.len));
}

#define COMPARE(OP, BYTES)                                                                         \
    do {                                                                                           \
        if (a[0]->elem == HR_E_INT)                                                                \
            LOOP2(uint8_t, int64_t, x OP y);                                                       \
        else if (a[0]->elem == HR_E_FLOAT)                                                         \
            LOOP2(uint8_t, float, x OP y);                                                         \
        else if (a[0]->elem == HR_E_BOOL)                                                          \
            LOOP2(uint8_t, uint8_t, x OP y);                                                       \
        else                                                                                       \
            LOOP2(uint8_t, struct hr_slice, BYTES);                                                \
    } while (0)

static void compare(const struct hr_step *s, struct hr_reg *r, struct hr_reg *const *a)
{
    switch (s->op) {
    case HR_OP_EQ:
        COMPARE(==, same(x, y));
        break;
    case HR_OP_NE:
        COMPARE(!=, !same(x, y));
        break;
    case HR_OP_LT:
        COMPARE(<, order(x, y) < 0);
        break;
    default:
        COMPARE(<=, order(x, y) <= 0);
        break;
    }
}

static void logic(const struct hr_step *s, struct hr_reg *r, struct hr_reg *const *a)
{
    if (s->op == HR_OP_NOT)
        LOOP1(uint8_t, uint8_t, !x);
    else if (s->op == HR_OP_AND)
        LOOP2(uint8_t, uint8_t, x & y);
    else
        LOOP2(uint8_t, uint8_t, x | y);
}

/* -- conversions ---------------------------------------- */

static inline bool fits_int(float x)
{
    return x >= -9223372036854775808.0f && x < 9223372036854775808.0f;
}

/* Without a look at each: how many do not fit.  Those are 0. */
HR_CPU_INLINE void cut_floats_body(int64_t *restrict o, const float *restrict p, int64_t n,
                                   int32_t *ret_bad)
{
    int32_t bad = 0;
    int64_t i;

    for (i = 0; i < n; i++)
        bad += !fits_int(p[i]);
    for (i = 0; i < n && !bad; i++)
        o[i] = (int64_t)p[i];
    *ret_bad = bad;
}

HR_CPU_TWINS(cut_floats, (int64_t * o, const float *p, int64_t n, int32_t *ret_bad),
             (o, p, n, ret_bad))

static hr_status to_int(struct hr_eval *e, struct hr_reg *r, struct hr_reg *const *a)
{
    const float *p = a[0]->v;
    int64_t *o = r->own;
    int32_t bad = 1;
    int64_t i;

    if (r->n < INT32_MAX)
        cut_floats(o, p, r->n, &bad);
    for (i = 0; i < r->n && bad; i++) {
        bool fits = fits_int(p[i]);

        if (!fits && present(e, r, i))
            return hr_eval_fail(e, r, i, "to_int: %g is no integer of 64 bits; use if_else or clip",
                                (double)p[i]);
        o[i] = fits ? (int64_t)p[i] : 0;
    }
    return HR_OK;
}

static bool put_number(struct hr_eval *e, const struct hr_reg *a, int64_t i, struct hr_slice *to)
{
    char *text = hr_pool_get(e, HR_NUM_TEXT);

    if (!text)
        return false;
    to->text = text;
    to->len = a->elem == HR_E_INT ? hr_num_put_int(text, ((const int64_t *)a->v)[i])
                                  : hr_num_put_float(text, ((const float *)a->v)[i]);
    return true;
}

/* Numbers of a batch that were met, and their texts.  Numbers that become texts are mostly names,
 * of which there are few: the texts are the dictionary of the result. */
enum { MET = 1024, MET_SLOTS = 4 * MET, MET_ROWS = 64 /* below it is not worth it */ };
struct met {
    struct hr_slice texts[MET];
    uint64_t bits[MET];
    uint16_t slots[MET_SLOTS]; /* place + 1 */
};

static inline uint64_t bits_of(const struct hr_reg *a, int64_t i)
{
    uint32_t bits;

    if (a->elem == HR_E_INT)
        return (uint64_t)((const int64_t *)a->v)[i];
    memcpy(&bits, (const float *)a->v + i, sizeof bits);
    return bits;
}

/* The codes of all values, or of those before one too many is met; *ret_n: how many. */
static hr_status code_numbers(struct hr_eval *e, struct hr_reg *r, const struct hr_reg *a,
                              int64_t *ret_n)
{
    struct met *t = r->memo;
    int64_t i;

    for (i = 0; i < r->n; i++) {
        uint64_t bits = bits_of(a, i);
        size_t k = (bits * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - 12);

        while (t->slots[k] && t->bits[t->slots[k] - 1] != bits)
            k = (k + 1) & (MET_SLOTS - 1);
        if (!t->slots[k]) {
            if (r->memo_n == MET)
                break;
            if (!put_number(e, a, i, &t->texts[r->memo_n]))
                return hr_eval_memory(e);
            t->bits[r->memo_n] = bits;
            t->slots[k] = (uint16_t)++r->memo_n;
        }
        r->own_codes[i] = t->slots[k] - 1;
    }
    *ret_n = i;
    return HR_OK;
}

/* As codes, where few numbers are met; else r is left as it was. */
static hr_status to_coded(struct hr_eval *e, struct hr_reg *r, const struct hr_reg *a)
{
    hr_status status;
    int64_t n = 0;

    if (r->cst || a->cst || e->batch_rows < MET_ROWS || r->memo_n == MET)
        return HR_OK;
    if (!hr_mem_reserve(e->env, &r->memo, &r->memo_cap, sizeof(struct met), 1, SIZE_MAX / 64) ||
        !hr_mem_reserve(e->env, (void **)&r->own_codes, &r->codes_cap, (size_t)r->n + 1,
                        sizeof *r->own_codes, SIZE_MAX / 64))
        return hr_eval_memory(e);
    if (!r->memo_n)
        memset(((struct met *)r->memo)->slots, 0, sizeof((struct met *)r->memo)->slots);
    if ((status = code_numbers(e, r, a, &n)) < 0 || n < r->n)
        return status;
    r->codes = r->own_codes;
    r->dict = ((struct met *)r->memo)->texts;
    r->ndict = r->memo_n;
    r->v = NULL;
    return HR_OK;
}

static hr_status to_bytes(struct hr_eval *e, struct hr_reg *r, struct hr_reg *const *a)
{
    struct hr_slice *o = r->own;
    hr_status status = to_coded(e, r, a[0]);
    int64_t i;

    for (i = 0; i < r->n && !r->codes && status == HR_OK; i++)
        if (!put_number(e, a[0], i, &o[i]))
            status = hr_eval_memory(e);
    return status;
}

static bool read_number(struct hr_slice s, float *f, int64_t *n)
{
    double d;
    bool over = false;

    while (s.len && strchr(" \t\r\n", s.text[0]))
        s.text++, s.len--;
    while (s.len && strchr(" \t\r\n", s.text[s.len - 1]))
        s.len--;
    if (n)
        return hr_num_python_int(s.text, s.len, n, &over) && !over;
    if (hr_num_float(s.text, s.len, f))
        return true;
    if (!hr_num_python(s.text, s.len, &d) || memchr(s.text, '_', s.len))
        return false;
    *f = (float)d; /* inf and nan */
    return true;
}

/* With a default, or missing where the text is no number. */
static hr_status to_number(struct hr_eval *e, const struct hr_step *s, struct hr_reg *r,
                           struct hr_reg *const *a)
{
    const struct hr_slice *p = a[0]->v;
    int64_t i;

    if (s->nargs == 2) {
        for (i = 0; i < r->n; i++) {
            if (r->elem == HR_E_INT) {
                if (!read_number(p[i], NULL, (int64_t *)r->own + i))
                    ((int64_t *)r->own)[i] = *(const int64_t *)a[1]->v;
            } else if (!read_number(p[i], (float *)r->own + i, NULL)) {
                ((float *)r->own)[i] = *(const float *)a[1]->v;
            }
        }
        return HR_OK;
    }
    r->n = e->rows;
    if (!hr_reg_room(e, r, r->n, sizeof(float)) || !hr_reg_valid(e, r, e->rows))
        return hr_eval_memory(e);
    for (i = 0; i < e->rows; i++) {
        int64_t k = a[0]->cst ? 0 : i;

        r->own_valid[i] =
            (!a[0]->valid || a[0]->valid[k]) && read_number(p[k], (float *)r->own + i, NULL);
        if (!r->own_valid[i])
            ((float *)r->own)[i] = 0;
    }
    return HR_OK;
}

#define CHOOSE(TYPE)                                                                               \
    do {                                                                                           \
        const TYPE *p = a[1]->v, *q = a[2]->v;                                                     \
        TYPE *o = r->own;                                                                          \
        for (i = 0; i < r->n; i++)                                                                 \
            o[i] = c[i * each[0]] ? p[i * each[1]] : q[i * each[2]];                               \
    } while (0)

/* The value that is chosen, and whether it is missing is that value's. */
static hr_status if_else(struct hr_eval *e, struct hr_reg *r, struct hr_reg *const *a)
{
    const int64_t each[3] = { !a[0]->cst, !a[1]->cst, !a[2]->cst };
    const uint8_t *c = a[0]->v;
    uint8_t *valid;
    int64_t i;

    if (r->elem == HR_E_INT)
        CHOOSE(int64_t);
    else if (r->elem == HR_E_FLOAT)
        CHOOSE(float);
    else if (r->elem == HR_E_BYTES)
        CHOOSE(struct hr_slice);
    else
        CHOOSE(uint8_t);
    if (r->shape != HR_S_OPTIONAL)
        return HR_OK;
    if (!(valid = hr_reg_valid(e, r, e->rows)))
        return hr_eval_memory(e);
    for (i = 0; i < e->rows; i++) {
        const struct hr_reg *from = c[a[0]->cst ? 0 : i] ? a[1] : a[2];

        valid[i] = !from->valid || from->valid[i];
    }
    return HR_OK;
}

hr_status hr_kernel_number(struct hr_eval *e, const struct hr_step *s, struct hr_reg *r,
                           struct hr_reg *const *a)
{
    int cls = hr_op_class(s->op);

    if (cls == HR_C_MATH2 && r->elem == HR_E_INT)
        return two_ints(e, s, r, a);
    switch (s->op) {
    case HR_OP_TO_INT:
        if (a[0]->elem != HR_E_BOOL)
            return to_int(e, r, a);
        LOOP1(int64_t, uint8_t, x);
        return HR_OK;
    case HR_OP_TO_BYTES:
        return to_bytes(e, r, a);
    case HR_OP_TO_NUMBER:
        return to_number(e, s, r, a);
    case HR_OP_IF_ELSE:
        return if_else(e, r, a);
    case HR_OP_TO_FLOAT:
        if (a[0]->elem == HR_E_INT)
            LOOP1(float, int64_t, (float)x);
        else
            LOOP1(float, uint8_t, (float)x);
        return HR_OK;
    case HR_OP_IS_NAN:
        LOOP1(uint8_t, float, x != x);
        return HR_OK;
    case HR_OP_FILL_NAN:
        LOOP2(float, float, x != x ? y : x);
        return HR_OK;
    default:
        break;
    }
    if (cls == HR_C_MATH2)
        two_floats(s, r, a);
    else if (cls == HR_C_MATH)
        one_float(s, r, a);
    else if (cls == HR_C_COMPARE)
        compare(s, r, a);
    else if (cls == HR_C_LOGIC)
        logic(s, r, a);
    else
        one_number(s, r, a);
    return HR_OK;
}
