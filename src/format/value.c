/* SPDX-License-Identifier: Apache-2.0 */
/* Values from text: what is not as short and plain as nearly all of it. */
#include "format/value.h"

#include "type/number.h"

static unsigned digit_of(char c)
{
    return (unsigned)(unsigned char)c - '0';
}

static bool is_word(const char *p, size_t n, const char *word)
{
    for (size_t i = 0; i < n; i++)
        if ((p[i] | 0x20) != word[i])
            return false;
    return true;
}

bool spk_text_bool(const char *p, size_t n, bool *out)
{
    if ((n != 4 || !is_word(p, n, "true")) && (n != 5 || !is_word(p, n, "false")))
        return false;
    *out = n == 4;
    return true;
}

bool spk_text_i64_slow(const char *p, size_t n, int64_t *out)
{
    return spk_parse_i64(p, n, out);
}

bool spk_text_u64(const char *p, size_t n, uint64_t *out)
{
    uint64_t x = 0;
    const char *end = p + n;
    p += n > 0 && *p == '+';
    if (p == end)
        return false;
    for (; p < end; p++) {
        const unsigned d = digit_of(*p);
        if (d > 9 || x > UINT64_MAX / 10 || x * 10 > UINT64_MAX - d)
            return false;
        x = x * 10 + d;
    }
    *out = x;
    return true;
}

/* ---- doubles ---- */

/* is_decimal: digits with a point and an exponent, and nothing else. */
static bool is_decimal(const char *p, const char *end)
{
    bool any = false;
    p += p < end && (*p == '-' || *p == '+');
    for (; p < end && digit_of(*p) <= 9; p++)
        any = true;
    if (p < end && *p == '.')
        for (p++; p < end && digit_of(*p) <= 9; p++)
            any = true;
    if (!any)
        return false;
    if (p < end && (*p | 0x20) == 'e') {
        p++;
        p += p < end && (*p == '-' || *p == '+');
        for (any = false; p < end && digit_of(*p) <= 9; p++)
            any = true;
    }
    return any && p == end;
}

/* by_name: NaN and Infinity, spelled so. */
static bool by_name(const char *p, size_t n, double *out)
{
    const bool sign = n > 0 && (*p == '-' || *p == '+');
    const bool minus = sign && *p == '-';
    if (n == 3 && memcmp(p, "NaN", 3) == 0)
        *out = __builtin_nan("");
    else if (n == 8u + sign && memcmp(p + sign, "Infinity", 8) == 0)
        *out = minus ? -__builtin_inf() : __builtin_inf();
    else
        return false;
    return true;
}

bool spk_text_f64_slow(const char *p, size_t n, double *out)
{
    while (n > 0 && (unsigned char)*p <= ' ')
        p++, n--;
    while (n > 0 && (unsigned char)p[n - 1] <= ' ')
        n--;
    if (n == 0 || by_name(p, n, out))
        return n > 0;
    if (n > 1 && ((p[n - 1] | 0x20) == 'd' || (p[n - 1] | 0x20) == 'f'))
        n--;
    if (!is_decimal(p, p + n))
        return false;
    if (!spk_parse_f64(p, n, out))
        *out = *p == '-' ? -__builtin_inf() : __builtin_inf();
    return true;
}

/* ---- decimals ---- */

typedef struct digits {
    const char *p, *end, *point; /* of the mantissa; point: where it stands, or end */
    int64_t exponent;
    bool minus;
} digits;

/* read_parts: a number cut into its parts. */
static bool read_parts(const char *p, size_t n, digits *d)
{
    const char *end = p + n;
    int64_t e = 0;
    if (!is_decimal(p, end))
        return false;
    d->minus = *p == '-';
    d->p = p + (*p == '-' || *p == '+');
    for (d->end = d->p; d->end < end && (*d->end | 0x20) != 'e';)
        d->end++;
    const char *point = memchr(d->p, '.', (size_t)(d->end - d->p));
    d->point = point ? point : d->end;
    if (d->end < end) {
        p = d->end + 1;
        const bool below = *p == '-';
        for (p += *p == '-' || *p == '+'; p < end; p++)
            e = e < 1000000000 ? e * 10 + digit_of(*p) : e;
        e = below ? -e : e;
    }
    d->exponent = e;
    return true;
}

bool spk_text_decimal(const char *p, size_t n, int precision, int scale, int64_t *out)
{
    static const int64_t most = INT64_C(1000000000000000000);
    digits d;
    if (!read_parts(p, n, &d))
        return false;
    /* weight: of the next digit, as a power of ten in units; from weight 0 on down it counts. */
    int64_t weight = d.point - d.p - 1 + d.exponent + scale, units = 0, limit = 1;
    bool up = false;
    for (const char *at = d.p; at < d.end && weight >= -1; at++) {
        if (*at == '.')
            continue;
        if (weight < 0)
            up = *at >= '5';
        else if (units > most / 10)
            return false;
        else
            units = units * 10 + digit_of(*at);
        weight--;
    }
    for (; weight >= 0 && units > 0; weight--) {
        if (units > most / 10)
            return false;
        units *= 10;
    }
    for (int i = 0; i < precision; i++)
        limit *= 10;
    units += up;
    if (units >= limit)
        return false;
    *out = d.minus ? -units : units;
    return true;
}
