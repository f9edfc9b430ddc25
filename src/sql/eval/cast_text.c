/* SPDX-License-Identifier: Apache-2.0 */
/* CAST to and from STRING. */
#include <stdlib.h>

#include "sql/eval/cast.h"

#include "sql/eval/kernel.h"
#include "sql/eval/value_text.h"
#include "sql/eval/zone.h"
#include "type/number.h"

/* ---- to STRING ---- */

void spk_sql_cast_to_string(spk_sql_frame *f)
{
    const spk_sql_type *from = f->expr->args[0]->type;
    const spk_zone *zone = f->expr->session ? f->expr->session->zone : NULL;
    if (from->kind == SPK_SQL_BINARY) {
        spk_sql_same(f);
        return;
    }
    SPK_EACH_ROW(f, i)
    {
        const void *value = f->args[0].ptr + i * f->args[0].stride;
        char few[96];
        spk_text out = spk_text_in(few, sizeof few);
        spk_sql_put_value(&out, from, value, zone);
        char *text = spk_sql_alloc(f, out.n + 1, 1);
        if (!text)
            return;
        if (out.n <= sizeof few) {
            memcpy(text, few, out.n);
        } else {
            spk_text all = spk_text_in(text, out.n);
            spk_sql_put_value(&all, from, value, zone);
        }
        SPK_SQL_OUT(spark_str, f, i) = (spark_str) { text, out.n };
    }
}

/* ---- from STRING ---- */

static spark_str trimmed(const char *p, size_t n)
{
    while (n > 0 && (unsigned char)*p <= ' ') {
        p++;
        n--;
    }
    while (n > 0 && (unsigned char)p[n - 1] <= ' ')
        n--;
    return (spark_str) { p, n };
}

bool spk_sql_text_integer(const char *p, size_t n, int64_t least, int64_t most, int64_t *out)
{
    const spark_str s = trimmed(p, n);
    size_t i = 0;
    uint64_t x = 0;
    const bool negative = s.len > 0 && s.ptr[0] == '-';
    i = s.len > 0 && (s.ptr[0] == '-' || s.ptr[0] == '+');
    if (i == s.len)
        return false;
    for (; i < s.len; i++) {
        const unsigned d = (unsigned)(unsigned char)s.ptr[i] - '0';
        if (d > 9 || x > (UINT64_MAX - d) / 10)
            return false;
        x = x * 10 + d;
    }
    const uint64_t limit = negative ? -(uint64_t)least : (uint64_t)most;
    if (x > limit)
        return false;
    *out = negative ? (int64_t)-x : (int64_t)x;
    return true;
}

static bool is_word(const char *p, size_t n, const char *lower)
{
    size_t i = 0;
    for (; i < n && lower[i]; i++)
        if ((p[i] >= 'A' && p[i] <= 'Z' ? p[i] | 0x20 : p[i]) != lower[i])
            return false;
    return i == n && !lower[i];
}

bool spk_sql_text_boolean(const char *p, size_t n, bool *out)
{
    static const char *const yes[] = { "t", "true", "y", "yes", "1" };
    static const char *const no[] = { "f", "false", "n", "no", "0" };
    const spark_str s = trimmed(p, n);
    for (int i = 0; i < 5; i++) {
        *out = is_word(s.ptr, s.len, yes[i]);
        if (*out || is_word(s.ptr, s.len, no[i]))
            return true;
    }
    return false;
}

static bool special(const char *p, size_t n, double *out)
{
    const bool sign = n > 0 && (*p == '-' || *p == '+'), minus = sign && *p == '-';
    if (is_word(p, n, "nan")) {
        *out = __builtin_nan("");
        return true;
    }
    if (!is_word(p + sign, n - sign, "inf") && !is_word(p + sign, n - sign, "infinity"))
        return false;
    *out = minus ? -__builtin_inf() : __builtin_inf();
    return true;
}

/* hexadecimal: 0x1.8p3, whose exponent must be there. */
static bool hexadecimal(const char *p, size_t n, double *out)
{
    const char *end = p + n;
    uint64_t x = 0;
    int exponent = 0, power = 0;
    bool any = false, point = false, more = false;
    const bool minus = p < end && *p == '-';
    p += p < end && (*p == '-' || *p == '+');
    if (end - p < 3 || p[0] != '0' || (p[1] | 0x20) != 'x')
        return false;
    for (p += 2; p < end && (*p | 0x20) != 'p'; p++) {
        const char c = (char)(*p | 0x20);
        const int d = *p >= '0' && *p <= '9' ? *p - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (*p == '.' && !point) {
            point = true;
            continue;
        }
        if (d < 0)
            return false;
        any = true;
        if (x >> 58) {
            more |= d != 0;
            exponent += exponent < 100000 ? 4 : 0;
        } else {
            x = x << 4 | (unsigned)d;
        }
        exponent -= point && exponent > -100000 ? 4 : 0;
    }
    if (!any || p == end)
        return false;
    p++;
    const bool down = p < end && *p == '-';
    p += p < end && (*p == '-' || *p == '+');
    for (any = false; p < end && *p >= '0' && *p <= '9'; p++, any = true)
        power = power < 100000 ? power * 10 + (*p - '0') : power;
    *out = __builtin_ldexp((double)(x | more), exponent + (down ? -power : power));
    *out = minus ? -*out : *out;
    return any && p == end;
}

bool spk_sql_text_double(const char *p, size_t n, double *out)
{
    spark_str s = trimmed(p, n);
    if (s.len == 0)
        return false;
    if (special(s.ptr, s.len, out))
        return true;
    const char last = (char)(s.ptr[s.len - 1] | 0x20);
    if ((last == 'd' || last == 'f') && hexadecimal(s.ptr, s.len - 1, out))
        return true;
    if (hexadecimal(s.ptr, s.len, out))
        return true;
    if (last == 'd' || last == 'f')
        s.len--;
    if (s.len > 0 && s.ptr[0] == '+')
        s = (spark_str) { s.ptr + 1, s.len - 1 };
    if (s.len == 0 || (s.ptr[0] != '-' && s.ptr[0] != '.' && (s.ptr[0] < '0' || s.ptr[0] > '9')))
        return false;
    if (s.ptr[0] == '-' && s.len > 1 && (s.ptr[1] | 0x20) >= 'a')
        return false;
    if (spk_parse_f64(s.ptr, s.len, out))
        return true;
    /* too large is infinite: a number whose digits are in order */
    spk_i128 units;
    const int good = spk_decimal_parse(s.ptr, s.len, 0, &units);
    if (good == 0)
        return false;
    *out = s.ptr[0] == '-' ? -__builtin_inf() : __builtin_inf();
    return true;
}

/* TEXT: a loop over texts, each of which is a value, or is not. */
#define TEXT(name, R, read)                                                                        \
    static void name(spk_sql_frame *f)                                                             \
    {                                                                                              \
        SPK_EACH_ROW(f, i)                                                                         \
        {                                                                                          \
            const spark_str s = SPK_SQL_ARG(spark_str, f, 0, i);                                   \
            R *out = &SPK_SQL_OUT(R, f, i);                                                        \
            if (!(read) && !spk_sql_cast_invalid(f, i, s.ptr, s.len))                              \
                return;                                                                            \
        }                                                                                          \
    }

static bool to_moment(const spk_sql_frame *f, spark_str s, int64_t *out)
{
    const spk_sql_session *session = f->expr->session;
    return session ? spk_read_moment(s.ptr, s.len, session->zone, session->zones, session->now, out)
                   : spk_read_timestamp(s.ptr, s.len, NULL, NULL, out);
}

static bool small(spark_str s, int64_t least, int64_t most, void *out, size_t size)
{
    int64_t x;
    if (!spk_sql_text_integer(s.ptr, s.len, least, most, &x))
        return false;
    const int8_t a = (int8_t)x;
    const int16_t b = (int16_t)x;
    const int32_t c = (int32_t)x;
    memcpy(out,
        size == 1       ? (const void *)&a
            : size == 2 ? (const void *)&b
                        : (const void *)&c,
        size);
    return true;
}

static bool to_float(spark_str s, float *out)
{
    double x;
    if (!spk_sql_text_double(s.ptr, s.len, &x))
        return false;
    *out = (float)x;
    if (x - x == 0 && s.len < 64) { /* rounded once, not twice */
        char text[64];
        const spark_str t = trimmed(s.ptr, s.len);
        memcpy(text, t.ptr, t.len);
        text[t.len] = '\0';
        if (!memchr(text, 'x', t.len) && !memchr(text, 'X', t.len))
            *out = strtof(text, NULL);
    }
    return true;
}

static bool to_interval(const spk_sql_frame *f, spark_str s, void *out)
{
    int64_t x;
    if (!spk_read_interval(s.ptr, s.len, f->expr->type, &x))
        return false;
    const int32_t months = (int32_t)x;
    if (f->expr->type->kind == SPK_SQL_INTERVAL_MONTHS)
        memcpy(out, &months, sizeof months);
    else
        memcpy(out, &x, sizeof x);
    return true;
}

static bool to_ntz(const spk_sql_frame *f, spark_str s, int64_t *out)
{
    const spark_str t = trimmed(s.ptr, s.len);
    size_t n = t.len; /* a zone in the text is not looked at */
    int64_t with;
    if (!spk_read_timestamp(t.ptr, t.len, NULL, f->expr->session ? f->expr->session->zones : NULL, &with))
        return false;
    const char *colon = memchr(t.ptr, ':', t.len);
    for (size_t i = colon ? (size_t)(colon - t.ptr) : t.len; i < t.len; i++)
        if ((t.ptr[i] | 0x20) >= 'a' || t.ptr[i] == '+' || t.ptr[i] == '-') {
            n = i;
            break;
        }
    return spk_read_timestamp(t.ptr, n, NULL, NULL, out);
}

TEXT(text_boolean, bool, spk_sql_text_boolean(s.ptr, s.len, out))
TEXT(text_i8, int8_t, small(s, INT8_MIN, INT8_MAX, out, 1))
TEXT(text_i16, int16_t, small(s, INT16_MIN, INT16_MAX, out, 2))
TEXT(text_i32, int32_t, small(s, INT32_MIN, INT32_MAX, out, 4))
TEXT(text_i64, int64_t, spk_sql_text_integer(s.ptr, s.len, INT64_MIN, INT64_MAX, out))
TEXT(text_f32, float, to_float(s, out))
TEXT(text_f64, double, spk_sql_text_double(s.ptr, s.len, out))
TEXT(text_date, int32_t, spk_read_date(s.ptr, s.len, out))
TEXT(text_timestamp, int64_t, to_moment(f, s, out))
TEXT(text_ntz, int64_t, to_ntz(f, s, out))
TEXT(text_time, int64_t, spk_read_time(s.ptr, s.len, out))
TEXT(text_months, int32_t, to_interval(f, s, out))
TEXT(text_seconds, int64_t, to_interval(f, s, out))

static void text_decimal(spk_sql_frame *f)
{
    const spk_sql_type *to = f->expr->type;
    SPK_EACH_ROW(f, i)
    {
        const spark_str s = SPK_SQL_ARG(spark_str, f, 0, i);
        const spark_str t = trimmed(s.ptr, s.len);
        spk_i128 units = 0;
        const int good = spk_decimal_parse(t.ptr, t.len, to->scale, &units);
        if (good == 0) {
            if (!spk_sql_cast_invalid(f, i, s.ptr, s.len))
                return;
        } else if (good > 0 && spk_decimal_fits(units, to->precision)) {
            spk_sql_units_set(to, f->out + i * to->size, units);
        } else if (f->expr->attempt) {
            f->out_valid[i] = 0;
        } else {
            spk_sql_error *e = spk_sql_raise(f, "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION");
            spk_sql_param(e, "config", "\"spark.sql.ansi.enabled\"");
            spk_sql_param(e, "precision", "%d", to->precision);
            spk_sql_param(e, "scale", "%d", to->scale);
            spk_sql_param(e, "value", "%.*s", (int)(t.len < 200 ? t.len : 200), t.ptr);
            return;
        }
    }
}

spk_sql_kernel *spk_sql_cast_from_string(const spk_sql_type *to)
{
    static spk_sql_kernel *const kernels[SPK_SQL_KINDS] = { [SPK_SQL_BOOLEAN] = text_boolean,
        [SPK_SQL_TINYINT] = text_i8,
        [SPK_SQL_SMALLINT] = text_i16,
        [SPK_SQL_INT] = text_i32,
        [SPK_SQL_BIGINT] = text_i64,
        [SPK_SQL_DECIMAL] = text_decimal,
        [SPK_SQL_FLOAT] = text_f32,
        [SPK_SQL_DOUBLE] = text_f64,
        [SPK_SQL_STRING] = spk_sql_same,
        [SPK_SQL_BINARY] = spk_sql_same,
        [SPK_SQL_DATE] = text_date,
        [SPK_SQL_TIMESTAMP] = text_timestamp,
        [SPK_SQL_TIMESTAMP_NTZ] = text_ntz,
        [SPK_SQL_TIME] = text_time,
        [SPK_SQL_INTERVAL_MONTHS] = text_months,
        [SPK_SQL_INTERVAL_SECONDS] = text_seconds };
    return kernels[to->kind];
}
