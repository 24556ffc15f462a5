/* numbers.c - numbers read and printed against glibc's, which are exact.
 *
 *     property_numbers SEED COUNT          SEED is a number, or "random"
 *
 * Of COUNT values, doubles and floats of random bits and of random decimal texts: what is read
 * is what strtod() and strtof() read; what is printed reads back to the same bits, and no
 * shorter text does; with a given number of digits it is what printf() prints.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base.h"

static uint64_t state;

static uint64_t chance(void)
{
    uint64_t z = state += 0x9e3779b97f4a7c15u; /* splitmix64 */

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void wrong(const char *what, const char *text, double got, double want)
{
    printf("%s: \"%s\" is %a, not %a\n", what, text, got, want);
    exit(1);
}

static bool same(double a, double b)
{
    return !memcmp(&a, &b, sizeof a);
}

/* -- reading ------------------------------------------------------------------ */

static size_t put_digits(char *to, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        to[i] = (char)('0' + chance() % 10);
    return n;
}

/* A decimal text: of few digits or of very many, near a border or anywhere. */
static void make_text(char *to)
{
    static const uint8_t lengths[] = { 1, 2, 3, 7, 15, 17, 18, 19, 20, 25, 60, 200 };
    uint64_t c = chance();
    char *p = to;
    double v;

    if (c % 4 == 0) { /* half way between two doubles, and a little off */
        v = (double)(chance() >> 11) * 0x1p-53;
        p += sprintf(p, "%.*f", (int)(50 + c / 4 % 16), v + 0x1p-54);
        p[-1] = (char)('0' + c / 64 % 10);
        p += sprintf(p, "e%d", (int)(c / 1024 % 40) - 20);
        return;
    }
    if (c / 4 % 2)
        *p++ = '-';
    p += put_digits(p, lengths[c / 8 % sizeof lengths]);
    if (c / 256 % 2) {
        *p++ = '.';
        p += put_digits(p, lengths[c / 512 % sizeof lengths]);
    }
    if (c / 16384 % 4)
        p += sprintf(p, "e%d", (int)(c / 65536 % 700) - 350);
    *p = '\0';
}

static void check_read(const char *text)
{
    double v = -1, want = strtod(text, NULL);
    float f = -1, want_f = strtof(text, NULL);

    if (!hr_num_double(text, strlen(text), &v) || !same(v, want))
        wrong("double", text, v, want);
    if (!hr_num_python(text, strlen(text), &v) || !same(v, want))
        wrong("Python's", text, v, want);
    if (!hr_num_float(text, strlen(text), &f) || !same((double)f, (double)want_f))
        wrong("float", text, (double)f, (double)want_f);
}

static void check_int(uint64_t bits)
{
    int64_t v = (int64_t)(bits >> (bits & 63)), got = 0;
    char text[HR_NUM_TEXT], want[HR_NUM_TEXT];
    bool over;

    v = bits & 64 ? -v : v;
    hr_num_put_int(text, v);
    snprintf(want, sizeof want, "%" PRId64, v);
    if (strcmp(text, want) != 0 || !hr_num_int(text, strlen(text), &got) || got != v ||
        !hr_num_python_int(text, strlen(text), &got, &over) || got != v)
        wrong("int", text, (double)got, (double)v);
    hr_num_put_uint(text, bits);
    snprintf(want, sizeof want, "%" PRIu64, bits);
    if (strcmp(text, want) != 0)
        wrong("unsigned", text, 0, (double)bits);
}

/* -- printing ----------------------------------------------------------------- */

/* How many digits a text has, those at its ends that are 0 not counted. */
static int digits_of(const char *text)
{
    int n = 0, last = 0;

    for (; *text && *text != 'e'; text++)
        if (*text >= '0' && *text <= '9' && (n || *text != '0')) {
            n++;
            last = *text != '0' ? n : last;
        }
    return last;
}

static void check_double(double v, uint64_t c)
{
    char text[HR_NUM_TEXT], shorter[64], want[64];
    int digits, given = (int)(c % 17) + 1;

    hr_num_put_double(text, v);
    if (!same(strtod(text, NULL), v))
        wrong("printed", text, strtod(text, NULL), v);
    digits = digits_of(text);
    if (digits > 1) {
        snprintf(shorter, sizeof shorter, "%.*e", digits - 2, v);
        if (same(strtod(shorter, NULL), v))
            wrong("not the shortest", text, strtod(shorter, NULL), v);
    }
    hr_num_put_digits(text, v, given);
    snprintf(want, sizeof want, "%.*g", given, v);
    if (strcmp(text, want) != 0)
        wrong("of given digits", text, strtod(text, NULL), v);
}

static void check_float(float v)
{
    char text[HR_NUM_TEXT], shorter[64];
    int digits;

    hr_num_put_float(text, v);
    if (!same((double)strtof(text, NULL), (double)v))
        wrong("printed float", text, (double)strtof(text, NULL), (double)v);
    digits = digits_of(text);
    if (digits < 2)
        return;
    snprintf(shorter, sizeof shorter, "%.*e", digits - 2, (double)v);
    if (same((double)strtof(shorter, NULL), (double)v))
        wrong("not the shortest float", text, (double)strtof(shorter, NULL), (double)v);
}

static void check_fixed(double v, uint64_t c)
{
    char text[HR_NUM_TEXT], want[64];
    int places = (int)(c % 10);

    v = (double)(int64_t)(c >> 20) / (double)(1 + (c & 1023)) * (v < 0 ? -1 : 1);
    if (v >= 1e15 || v <= -1e15)
        return;
    hr_num_put_fixed(text, v, places);
    snprintf(want, sizeof want, "%.*f", places, v);
    if (strcmp(text, want) != 0)
        wrong("of given places", text, strtod(text, NULL), v);
}

static void check_bits(uint64_t bits, uint64_t c)
{
    uint32_t low = (uint32_t)bits;
    double v;
    float f;

    memcpy(&v, &bits, sizeof v);
    memcpy(&f, &low, sizeof f);
    if (c % 8 == 0)
        v = (double)(int64_t)bits / (double)(1 << c / 8 % 30);
    else if (c % 8 == 1)
        v = (double)(int32_t)bits / 1000;
    if (v - v == 0) { /* finite */
        check_double(v, c);
        check_fixed(v, chance());
    }
    if (f - f == 0)
        check_float(f);
}

int main(int argc, char **argv)
{
    unsigned long long count, i;
    char text[512];

    if (argc != 3) {
        fprintf(stderr, "usage: property_numbers SEED COUNT\n");
        return 2;
    }
    state = strcmp(argv[1], "random") ? strtoull(argv[1], NULL, 10) : (unsigned)time(NULL);
    printf("seed %" PRIu64 "\n", state);
    count = strtoull(argv[2], NULL, 10);
    for (i = 0; i < count; i++) {
        make_text(text);
        check_read(text);
        check_int(chance());
        check_bits(chance(), chance());
    }
    printf("%llu values\n", count);
    return 0;
}
