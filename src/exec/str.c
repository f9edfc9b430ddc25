/* SPDX-License-Identifier: Apache-2.0 */
/* Strings that functions make, in memory of the task. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <spark/str.h>
#include <spark/task.h>

static const spark_str nothing = { "", 0 };

/* make: room for n bytes; NULL when the task has failed. */
static char *make(spark_task *task, size_t n, spark_str *out)
{
    char *p = n > 0 ? spark_alloc(task, n) : NULL;
    *out = p ? (spark_str) { p, n } : nothing;
    return p;
}

spark_str spark_str_upper(spark_task *task, spark_str s)
{
    spark_str out;
    char *p = make(task, s.len, &out);
    for (size_t i = 0; i < out.len; i++)
        p[i] = (char)(s.ptr[i] >= 'a' && s.ptr[i] <= 'z' ? s.ptr[i] - 'a' + 'A' : s.ptr[i]);
    return out;
}

spark_str spark_str_lower(spark_task *task, spark_str s)
{
    spark_str out;
    char *p = make(task, s.len, &out);
    for (size_t i = 0; i < out.len; i++)
        p[i] = (char)(s.ptr[i] >= 'A' && s.ptr[i] <= 'Z' ? s.ptr[i] - 'A' + 'a' : s.ptr[i]);
    return out;
}

spark_str spark_str_copy(spark_task *task, spark_str s)
{
    return spark_str_concat(task, s, nothing);
}

spark_str spark_str_concat(spark_task *task, spark_str a, spark_str b)
{
    spark_str out;
    char *p = make(task, a.len + b.len, &out);
    if (!p)
        return out;
    if (a.len > 0)
        memcpy(p, a.ptr, a.len);
    if (b.len > 0)
        memcpy(p + a.len, b.ptr, b.len);
    return out;
}

spark_str spark_str_format(spark_task *task, const char *format, ...)
{
    char text[256];
    spark_str out;
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n <= 0)
        return nothing;
    char *p = make(task, (size_t)n + 1, &out);
    if (!p)
        return out;
    out.len = (size_t)n;
    if ((size_t)n < sizeof text) {
        memcpy(p, text, out.len + 1);
        return out;
    }
    va_start(args, format);
    vsnprintf(p, out.len + 1, format, args);
    va_end(args);
    return out;
}
