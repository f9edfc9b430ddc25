/* SPDX-License-Identifier: Apache-2.0 */
/* Strings without NUL bytes: what string.h and stdlib.h do for C strings, for views. */
#include <spark/str.h>

#include "type/number.h"

bool spark_str_split(spark_str *rest, char separator, spark_str *field)
{
    if (!rest->ptr)
        return false;
    const char *at = rest->len > 0 ? memchr(rest->ptr, separator, rest->len) : NULL;
    field->ptr = rest->ptr;
    if (!at) {
        field->len = rest->len;
        *rest = (spark_str) { NULL, 0 };
        return true;
    }
    field->len = (size_t)(at - rest->ptr);
    rest->ptr = at + 1;
    rest->len -= field->len + 1;
    return true;
}

bool spark_str_to_i64(spark_str s, int64_t *out)
{
    return s.len > 0 && spk_parse_i64(s.ptr, s.len, out);
}

bool spark_str_to_f64(spark_str s, double *out)
{
    return s.len > 0 && spk_parse_f64(s.ptr, s.len, out);
}

bool spark_str_next_i64(spark_str *line, int64_t *out)
{
    spark_str rest = *line, word;
    if (line->len == 0 || !spark_str_next_word(&rest, &word) || !spark_str_to_i64(word, out))
        return false;
    *line = rest;
    return true;
}

bool spark_str_next_f64(spark_str *line, double *out)
{
    spark_str rest = *line, word;
    if (line->len == 0 || !spark_str_next_word(&rest, &word) || !spark_str_to_f64(word, out))
        return false;
    *line = rest;
    return true;
}

spark_str spark_str_trim(spark_str s)
{
    while (s.len > 0 && spark_is_space_(s.ptr[s.len - 1]))
        s.len--;
    while (s.len > 0 && spark_is_space_(*s.ptr)) {
        s.ptr++;
        s.len--;
    }
    return s;
}

bool spark_str_equal(spark_str a, spark_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

int spark_str_compare(spark_str a, spark_str b)
{
    const size_t n = a.len < b.len ? a.len : b.len;
    const int c = n > 0 ? memcmp(a.ptr, b.ptr, n) : 0;
    return c != 0 ? c : (a.len > b.len) - (a.len < b.len);
}

bool spark_str_starts_with(spark_str s, spark_str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

bool spark_str_ends_with(spark_str s, spark_str suffix)
{
    return s.len >= suffix.len
        && (suffix.len == 0 || memcmp(s.ptr + (s.len - suffix.len), suffix.ptr, suffix.len) == 0);
}

ptrdiff_t spark_str_find(spark_str s, spark_str needle)
{
    if (needle.len == 0)
        return 0;
    if (s.len < needle.len)
        return -1;
    const char *at = memmem(s.ptr, s.len, needle.ptr, needle.len);
    return at ? at - s.ptr : -1;
}
