/* SPDX-License-Identifier: Apache-2.0 */
/* format_number: a number with so many digits, or by a pattern of java.text.DecimalFormat: "#,##0.00;(#)". */
#include "base/small.h"

#include <stdio.h>

#include "sql/eval/decimal.h"
#include "sql/eval/kernel.h"
#include "sql/eval/resolve.h"
#include "sql/eval/text.h"

/* affix: what stands in front of the digits, or behind them, with its quotes. */
typedef struct affix {
    const char *at;
    size_t n;
} affix;

typedef struct pattern {
    affix before, after, minus_before, minus_after;
    bool minus; /* there is a pattern of negative numbers: of it only these are used */
    bool point; /* stands there without digits behind it, as in "0." */
    int least;  /* digits of the whole part */
    int fraction_least, fraction_most, group, shift;
} pattern;

/* affix_of: up to the first sign of a number's digits, or of ';'; false: a quote has no end. */
static bool affix_of(const char **at, const char *end, affix *out, int *shift)
{
    bool quoted = false;
    out->at = *at;
    for (; *at < end && (quoted || !strchr("#0,.;", **at)); ++*at) {
        quoted ^= **at == '\'';
        if (**at == '%' && !quoted)
            *shift = 2;
    }
    out->n = (size_t)(*at - out->at);
    return !quoted;
}

/* digits_of: "#,##0.0#" as DecimalFormat counts it; false: it makes no sense, or is one with an exponent. */
static bool digits_of(const char **at, const char *end, pattern *p)
{
    int left = 0, zeros = 0, right = 0, point = -1;
    p->group = -1;
    for (; *at < end && strchr("#0,.", **at); ++*at) {
        const char c = **at;
        if ((c == '0' && right > 0) || (c == '.' && point >= 0) || (c == ',' && point >= 0))
            return false;
        p->group = c == ',' ? 0 : p->group >= 0 && point < 0 && c != '.' ? p->group + 1 : p->group;
        left += c == '#' && zeros == 0;
        right += c == '#' && zeros > 0;
        zeros += c == '0';
        point = c == '.' ? left + zeros + right : point;
    }
    if ((point < 0 && right > 0) || p->group == 0 || (*at < end && **at == 'E') || left + zeros + right > 100)
        return false;
    if (zeros == 0 && left > 0 && point >= 0) { /* "#.#" has a zero in front of the point */
        const int n = point == 0 ? 1 : point;
        right = left - n;
        left = n - 1;
        zeros = 1;
    }
    const int all = left + zeros + right, whole = point < 0 ? all : point;
    p->least = whole > left ? whole - left : 0;
    p->fraction_most = all - whole;
    p->point = point == all;
    p->fraction_least = left + zeros > whole ? left + zeros - whole : 0;
    return true;
}

static bool read_pattern(spark_str text, pattern *p)
{
    const char *at = text.len > 0 ? text.ptr : "#,##0", *end = at + (text.len > 0 ? text.len : 5);
    pattern other;
    int ignored = 0;
    memset(p, 0, sizeof *p);
    if (!affix_of(&at, end, &p->before, &p->shift) || !digits_of(&at, end, p)
        || !affix_of(&at, end, &p->after, &p->shift))
        return false;
    p->minus = at < end && *at == ';';
    if (p->minus) {
        at++;
        if (!affix_of(&at, end, &p->minus_before, &ignored) || !digits_of(&at, end, &other)
            || !affix_of(&at, end, &p->minus_after, &ignored))
            return false;
    }
    return at == end;
}

/* put_affix: '' is a quote. */
static void put_affix(spk_text *out, affix a)
{
    for (size_t i = 0; i < a.n; i++)
        if (a.at[i] != '\'' || (i + 1 < a.n && a.at[i + 1] == '\'' && ++i))
            spk_text_char(out, a.at[i]);
}

/* fixed: |x| * 10^shift with so many digits behind the point, rounded half even; minus: its sign. */
static size_t fixed(spk_sql_frame *f, uint32_t i, int shift, int digits, char *text, size_t size, bool *minus)
{
    const spk_sql_type *t = f->expr->args[0]->type;
    if (t->kind == SPK_SQL_DOUBLE || t->kind == SPK_SQL_FLOAT) {
        double x = t->kind == SPK_SQL_DOUBLE ? SPK_SQL_ARG(double, f, 0, i) : (double)SPK_SQL_ARG(float, f, 0, i);
        *minus = x < 0;
        x = (*minus ? -x : x) * (shift ? 100 : 1);
        const int k = snprintf(text, size, x - x != 0 ? x != x ? "NaN" : "∞" : "%.*f", digits < 100 ? digits : 100, x);
        return (size_t)k < size ? (size_t)k : size - 1;
    }
    const bool decimal = t->kind == SPK_SQL_DECIMAL;
    spk_i128 x = decimal ? spk_sql_units(t, f->args[0].ptr + i * f->args[0].stride)
                         : spk_sql_integer(t, &f->args[0], i);
    *minus = x < 0;
    x = *minus ? -x : x;
    int scale = (decimal ? t->scale : 0) - shift;
    const int zeros = scale < 0 && x != 0 ? -scale : 0;
    scale = scale < 0 ? 0 : scale;
    if (digits < scale) {
        const spk_i128 by = spk_power10(scale - digits), rest = x % by;
        x /= by;
        x += rest > by / 2 || (rest == by / 2 && (x & 1));
        scale = digits;
    }
    size_t n = spk_decimal_print(x, scale, text);
    for (int k = 0; k < zeros; k++)
        text[n++] = '0';
    if (digits > 0 && scale == 0)
        text[n++] = '.';
    for (; scale < digits && n < size; scale++)
        text[n++] = '0';
    return n;
}

static void put_number(spk_text *out, const pattern *p, const char *text, size_t n, bool minus)
{
    const char *point = memchr(text, '.', n);
    size_t whole = point ? (size_t)(point - text) : n, least = (size_t)p->fraction_least;
    const bool number = *text >= '0' && *text <= '9';
    if (*text == 'N') { /* NaN stands alone */
        spk_text_put(out, "NaN");
        return;
    }
    while (point && n > whole + 1 + least && text[n - 1] == '0')
        n--;
    n -= point && n == whole + 1; /* nor the point alone */
    if (minus && !p->minus)
        spk_text_char(out, '-');
    put_affix(out, minus && p->minus ? p->minus_before : p->before);
    const bool none = whole == 1 && *text == '0' && p->least == 0 && n > whole; /* .5 */
    const size_t from = none ? whole : 0, padded = whole < (size_t)p->least ? (size_t)p->least : whole;
    for (size_t k = padded; number && k > whole; k--) {
        spk_text_char(out, '0');
        spk_text_put(out, p->group > 0 && (k - 1) % (size_t)p->group == 0 && k > 1 ? "," : "");
    }
    for (size_t k = from; k < n; k++) {
        spk_text_char(out, text[k]);
        if (number && p->group > 0 && k + 1 < whole && (whole - k - 1) % (size_t)p->group == 0)
            spk_text_char(out, ',');
    }
    spk_text_put(out, number && p->point ? "." : "");
    put_affix(out, minus && p->minus ? p->minus_after : p->after);
}

void spk_sql_format_number(spk_sql_frame *f)
{
    const bool by_pattern = f->expr->args[1]->type->kind == SPK_SQL_STRING;
    SPK_EACH_ROW(f, i)
    {
        const int32_t digits = by_pattern ? 0 : SPK_SQL_ARG(int32_t, f, 1, i);
        pattern p = { .least = 1, .fraction_least = digits, .fraction_most = digits, .group = 3 };
        char text[512];
        bool minus;
        f->out_valid[i] = digits >= 0;
        if (digits < 0)
            continue;
        const spark_str given = by_pattern ? SPK_SQL_ARG(spark_str, f, 1, i) : (spark_str) { "", 0 };
        if (by_pattern && !read_pattern(given, &p)) {
            spk_sql_error *e = spk_sql_raise(f, "UNSUPPORTED_FEATURE");
            spk_sql_param(e, "what", "the format '%.*s' of format_number", (int)(given.len < 100 ? given.len : 100),
                given.ptr);
            return;
        }
        const size_t n = fixed(f, i, p.shift, p.fraction_most, text, sizeof text, &minus);
        spk_text out = spk_text_new(f->arena);
        put_number(&out, &p, text, n, minus);
        const size_t length = spk_text_end(&out);
        if (out.failed) {
            spk_sql_no_room(f);
            return;
        }
        SPK_SQL_OUT(spark_str, f, i) = (spark_str) { out.at, length };
    }
}

SPK_COLD bool spk_sql_resolve_format_number(spk_sql_build *b, spk_sql_expr *call)
{
    call->type = spk_sql_type_of(SPK_SQL_STRING);
    return spk_sql_want(b, call, 0, 'n')
        && (call->args[1]->type->kind == SPK_SQL_STRING || spk_sql_want(b, call, 1, 'i'));
}
