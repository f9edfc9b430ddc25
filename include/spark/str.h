/* SPDX-License-Identifier: Apache-2.0 */
/* Strings: parsing and making spark_str without NUL bytes and without a locale. Those that take a
 * task allocate with spark_alloc and give "" once the task has failed. White space is ASCII's:
 * space, \t, \n, \v, \f, \r. */
#ifndef SPARK_STR_H
#define SPARK_STR_H

#include <spark/task.h>

SPARK_BEGIN_DECLS

/* SPARK_STR initialises, SPARK_LIT is an expression: SPARK_LIT("unknown"). */
#define SPARK_STR(literal)                                                                         \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }
#ifdef __cplusplus
#define SPARK_LIT(literal) (spark_str SPARK_STR(literal))
#else
#define SPARK_LIT(literal) ((spark_str)SPARK_STR(literal))
#endif

/* printf("[" SPARK_STR_FMT "]\n", SPARK_STR_ARG(s)); */
#define SPARK_STR_FMT "%.*s"
#define SPARK_STR_ARG(s) (int)(s).len, (s).ptr

static inline bool spark_is_space_(char c)
{
    return c == ' ' || (unsigned char)(c - '\t') < 5;
}

/* spark_str_next_word: takes the next run of non-space bytes off the front of *line. false: there
 * is none, and *word is empty. */
static inline bool spark_str_next_word(spark_str *line, spark_str *word)
{
    const char *p = line->ptr, *end = p + line->len;
    while (p < end && spark_is_space_(*p))
        p++;
    word->ptr = p;
    while (p < end && !spark_is_space_(*p))
        p++;
    word->len = (size_t)(p - word->ptr);
    line->ptr = p;
    line->len = (size_t)(end - p);
    return word->len > 0;
}

/* spark_str_split: takes the next field up to `separator` off the front of *rest. An empty text has
 * one empty field; "a,b," has three. false: no field is left. A *rest that was used up has a NULL
 * ptr. */
bool spark_str_split(spark_str *rest, char separator, spark_str *field);

/* spark_str_to_i64, _to_f64: the whole of s as a number; false (and *out unchanged) when it is
 * anything else, out of range or empty. f64 takes decimal and exponent forms, inf, infinity and nan
 * in any case, and rounds correctly. */
bool spark_str_to_i64(spark_str s, int64_t *out);
bool spark_str_to_f64(spark_str s, double *out);

/* spark_str_next_i64, _next_f64: the next word of *line as a number. false: there is none or it is
 * no number; then *line is unchanged. */
bool spark_str_next_i64(spark_str *line, int64_t *out);
bool spark_str_next_f64(spark_str *line, double *out);

/* spark_str_trim: without the white space at both ends. */
spark_str spark_str_trim(spark_str s);
bool spark_str_equal(spark_str a, spark_str b);
/* spark_str_compare: as unsigned bytes; < 0, 0, > 0. */
int spark_str_compare(spark_str a, spark_str b);
bool spark_str_starts_with(spark_str s, spark_str prefix);
bool spark_str_ends_with(spark_str s, spark_str suffix);
/* spark_str_find: index of the first occurrence, or -1. The empty needle is found at 0. */
ptrdiff_t spark_str_find(spark_str s, spark_str needle);

/* spark_str_upper, _lower: ASCII letters; other bytes stay. */
spark_str spark_str_upper(spark_task *task, spark_str s);
spark_str spark_str_lower(spark_task *task, spark_str s);
spark_str spark_str_copy(spark_task *task, spark_str s);
spark_str spark_str_concat(spark_task *task, spark_str a, spark_str b);
/* spark_str_format: printf into memory of the task. The C library's rules, so %f and %g follow the
 * process's locale. */
spark_str spark_str_format(spark_task *task, const char *format, ...) SPARK_FORMAT_(2, 3);

SPARK_END_DECLS

#endif
