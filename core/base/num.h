/* num.h - numbers to text and back: exact, and the same under every locale.
 *
 * Reading is correctly rounded (to nearest, ties to even).  Printing a double gives the
 * shortest digits that read back to the same bits, in the form of JSON and of Python's
 * repr(): 0.1, 1e-07, 1.5e+300, 12.0 as "12.0".
 */
#ifndef HR_NUM_H
#define HR_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for any number that is printed here, the '\0' counted. */
enum { HR_NUM_TEXT = 40 };

/* All n bytes as an optional sign and decimal digits.  false: not that, or out of range. */
bool hr_num_int(const char *text, size_t n, int64_t *ret);

/* All n bytes as [sign] digits [. digits] [e [sign] digits], with a digit before or after
 * the point.  Too large gives infinity, too small zero.  false: not of that form. */
bool hr_num_double(const char *text, size_t n, double *ret);

/* The same, rounded once, to a float. */
bool hr_num_float(const char *text, size_t n, float *ret);

/* Python's float(): as hr_num_double(), also inf, infinity, nan of any case, single
 * underscores between digits, and blanks of ASCII around it. */
bool hr_num_python(const char *text, size_t n, double *ret);

/* Python's int(): sign, digits, single underscores between them, blanks of ASCII around.
 * *ret_over: it is one, but outside int64; *ret is untouched then. */
bool hr_num_python_int(const char *text, size_t n, int64_t *ret, bool *ret_over);

/* Each writes text with its '\0' and returns its length. */
size_t hr_num_put_int(char *to, int64_t v);
size_t hr_num_put_uint(char *to, uint64_t v);

/* Shortest; infinities and NaN as "inf", "-inf", "nan".  An integral value ends in ".0". */
size_t hr_num_put_double(char *to, double v);
size_t hr_num_put_float(char *to, float v);

/* As printf's %.{digits}g with a point, digits 1 to 17. */
size_t hr_num_put_digits(char *to, double v, int digits);

/* As printf's %.{places}f with a point, for people; |v| < 1e15, places 0 to 9; larger ones
 * as hr_num_put_digits(17). */
size_t hr_num_put_fixed(char *to, double v, int places);

#endif
