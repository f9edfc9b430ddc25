/* SPDX-License-Identifier: Apache-2.0 */
/* Digests, hashes, encodings, and numbers as text. */
#include "base/small.h"

#include <math.h>
#include <stdio.h>

#include "base/base64.h"
#include "sql/eval/decimal.h"
#include "sql/eval/digest.h"
#include "sql/eval/hash.h"
#include "sql/eval/kernel.h"
#include "sql/eval/resolve.h"
#include "sql/eval/utf8.h"
#include "sql/eval/value_text.h"
#include "type/number.h"

#define S(a, i) SPK_SQL_ARG(spark_str, f, a, i)
#define I(a, i) SPK_SQL_ARG(int32_t, f, a, i)
#define OUT_S(i) SPK_SQL_OUT(spark_str, f, i)

static const char upper_hex[] = "0123456789ABCDEF", lower_hex[] = "0123456789abcdef";

static bool put_hex(spk_sql_frame *f, uint32_t i, const uint8_t *p, size_t n, const char *digits)
{
    char *out = spk_sql_alloc(f, 2 * n + 1, 1);
    if (!out)
        return false;
    for (size_t k = 0; k < n; k++) {
        out[2 * k] = digits[p[k] >> 4];
        out[2 * k + 1] = digits[p[k] & 15];
    }
    OUT_S(i) = (spark_str) { out, 2 * n };
    return true;
}

/* ---- digests ---- */

static void md5(spk_sql_frame *f)
{
    uint8_t out[SPK_DIGEST_MOST];
    SPK_EACH_ROW(f, i)
    {
        spk_md5(S(0, i).ptr, S(0, i).len, out);
        if (!put_hex(f, i, out, 16, lower_hex))
            return;
    }
}

static void sha1(spk_sql_frame *f)
{
    uint8_t out[SPK_DIGEST_MOST];
    SPK_EACH_ROW(f, i)
    {
        spk_sha1(S(0, i).ptr, S(0, i).len, out);
        if (!put_hex(f, i, out, 20, lower_hex))
            return;
    }
}

static void sha2(spk_sql_frame *f)
{
    uint8_t out[SPK_DIGEST_MOST];
    SPK_EACH_ROW(f, i)
    {
        const int bits = I(1, i) == 0 ? 256 : I(1, i);
        f->out_valid[i] = bits == 224 || bits == 256 || bits == 384 || bits == 512;
        if (!f->out_valid[i])
            continue;
        spk_sha2(S(0, i).ptr, S(0, i).len, bits, out);
        if (!put_hex(f, i, out, (size_t)bits / 8, lower_hex))
            return;
    }
}

static void crc32(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    SPK_SQL_OUT(int64_t, f, i) = spk_crc32(S(0, i).ptr, S(0, i).len);
}

static void hash(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        uint32_t h = 42;
        for (uint32_t a = 0; a < f->n_args; a++)
            if (spk_sql_valid(&f->args[a], i))
                h = spk_sql_murmur3(
                    f->expr->args[a]->type, f->args[a].ptr + i * f->args[a].stride, h);
        SPK_SQL_OUT(int32_t, f, i) = (int32_t)h;
    }
}

static void xxhash64(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        uint64_t h = 42;
        for (uint32_t a = 0; a < f->n_args; a++)
            if (spk_sql_valid(&f->args[a], i))
                h = spk_sql_xxhash64(
                    f->expr->args[a]->type, f->args[a].ptr + i * f->args[a].stride, h);
        SPK_SQL_OUT(int64_t, f, i) = (int64_t)h;
    }
}

/* ---- hexadecimal, binary, bases ---- */

static void hex_bytes(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    if (!put_hex(f, i, (const uint8_t *)S(0, i).ptr, S(0, i).len, upper_hex))
        return;
}

static bool put_bits(spk_sql_frame *f, uint32_t i, uint64_t x, int shift)
{
    char *out = spk_sql_alloc(f, 64, 1);
    size_t n = 0;
    if (!out)
        return false;
    for (uint64_t y = x; n == 0 || y > 0; y >>= shift)
        n++;
    for (size_t k = n; k-- > 0; x >>= shift)
        out[k] = upper_hex[x & ((1u << shift) - 1)];
    OUT_S(i) = (spark_str) { out, n };
    return true;
}

static void hex_number(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    if (!put_bits(f, i, (uint64_t)SPK_SQL_ARG(int64_t, f, 0, i), 4))
        return;
}

static void bin(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    if (!put_bits(f, i, (uint64_t)SPK_SQL_ARG(int64_t, f, 0, i), 1))
        return;
}

static SPK_COLD bool resolve_hex(spk_sql_build *b, spk_sql_expr *call)
{
    const bool bytes = call->args[0]->type->kind == SPK_SQL_STRING
        || call->args[0]->type->kind == SPK_SQL_BINARY;
    call->type = spk_sql_type_of(SPK_SQL_STRING);
    call->kernel = bytes ? hex_bytes : hex_number;
    return bytes || spk_sql_want(b, call, 0, 'l');
}

static int digit(char c)
{
    return c >= '0' && c <= '9'                  ? c - '0'
        : (c | 0x20) >= 'a' && (c | 0x20) <= 'z' ? (c | 0x20) - 'a' + 10
                                                 : 99;
}

static void unhex(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const spark_str s = S(0, i);
        char *out = spk_sql_alloc(f, s.len / 2 + 1, 1);
        size_t n = 0, k = 0;
        bool good = true;
        if (!out)
            return;
        if (s.len % 2 == 1) {
            good = digit(s.ptr[k]) < 16;
            out[n++] = (char)digit(s.ptr[k++]);
        }
        for (; k < s.len && good; k += 2) {
            good = digit(s.ptr[k]) < 16 && digit(s.ptr[k + 1]) < 16;
            out[n++] = (char)(digit(s.ptr[k]) << 4 | (digit(s.ptr[k + 1]) & 15));
        }
        f->out_valid[i] = good;
        OUT_S(i) = (spark_str) { out, n };
    }
}

/* conv: as Hive's: unsigned, saturated, or signed where the base to is negative. */
static void conv(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        spark_str s = S(0, i);
        const int from = I(1, i), to = I(2, i), to_size = to < 0 ? -to : to;
        while (s.len > 0 && *s.ptr == ' ')
            s = (spark_str) { s.ptr + 1, s.len - 1 };
        while (s.len > 0 && s.ptr[s.len - 1] == ' ')
            s.len--;
        f->out_valid[i] = from >= 2 && from <= 36 && to_size >= 2 && to_size <= 36 && s.len > 0;
        if (!f->out_valid[i])
            continue;
        bool negative = *s.ptr == '-', over = false;
        uint64_t x = 0;
        for (size_t k = negative; k < s.len && digit(s.ptr[k]) < from; k++)
            if (__builtin_mul_overflow(x, (uint64_t)from, &x)
                || __builtin_add_overflow(x, (uint64_t)digit(s.ptr[k]), &x))
                over = true;
        if (over) {
            spk_sql_overflow(f, "Overflow in function conv()", NULL);
            return;
        }
        if (negative && to > 0) {
            x = (int64_t)x < 0 ? UINT64_MAX : -x;
            negative = false;
        } else if (negative) {
            x = (int64_t)x < 0 ? (uint64_t)INT64_MIN : x;
        }
        if (to < 0 && !negative && (int64_t)x < 0) {
            x = -x;
            negative = true;
        }
        char *out = spk_sql_alloc(f, 66, 1);
        size_t n = 66;
        if (!out)
            return;
        do {
            const unsigned d = (unsigned)(x % (uint64_t)to_size);
            out[--n] = (char)(d < 10 ? '0' + d : 'A' + d - 10);
            x /= (uint64_t)to_size;
        } while (x > 0);
        if (negative && to < 0)
            out[--n] = '-';
        OUT_S(i) = (spark_str) { out + n, 66 - n };
    }
}

/* ---- base 64, character sets ---- */

static const char base64_digits[]
    = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void base64(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const spark_str s = S(0, i);
        char *out = spk_sql_alloc(f, SPK_BASE64_BYTES(s.len) + 1, 1);
        if (!out)
            return;
        OUT_S(i) = (spark_str) { out, spk_base64(s.ptr, s.len, out) };
    }
}

static void unbase64(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const spark_str s = S(0, i);
        char *out = spk_sql_alloc(f, s.len + 1, 1);
        size_t n = 0;
        uint32_t x = 0;
        int bits = 0;
        if (!out)
            return;
        for (size_t k = 0; k < s.len && s.ptr[k] != '='; k++) {
            const char *at = s.ptr[k] ? strchr(base64_digits, s.ptr[k]) : NULL;
            if (!at)
                continue;
            x = x << 6 | (uint32_t)(at - base64_digits);
            bits += 6;
            if (bits >= 8) {
                bits -= 8;
                out[n++] = (char)(x >> bits);
            }
        }
        OUT_S(i) = (spark_str) { out, n };
    }
}

/* charset: of encode and decode; -1: none that is known. */
enum { UTF_8, US_ASCII, LATIN_1, UTF_16, UTF_16BE, UTF_16LE, UTF_32 };

static int charset(spark_str s)
{
    static const char *const names[]
        = { "UTF-8", "US-ASCII", "ISO-8859-1", "UTF-16", "UTF-16BE", "UTF-16LE", "UTF-32" };
    for (int k = 0; k < 7; k++) {
        size_t n = 0;
        while (n < s.len && names[k][n]
            && (s.ptr[n] >= 'a' && s.ptr[n] <= 'z' ? s.ptr[n] - 32 : s.ptr[n]) == names[k][n])
            n++;
        if (n == s.len && !names[k][n])
            return k;
    }
    return -1;
}

static bool bad_charset(spk_sql_frame *f, spark_str s)
{
    spk_sql_error *e = spk_sql_raise(f, "INVALID_PARAMETER_VALUE.CHARSET");
    spk_sql_param(e, "charset", "%.*s", (int)s.len, s.ptr);
    spk_sql_param(e, "charsets", "iso-8859-1, us-ascii, utf-16, utf-16be, utf-16le, utf-32, utf-8");
    spk_sql_param(
        e, "functionName", "`%s`", f->expr->function->name[0] == 'd' ? "decode" : "encode");
    spk_sql_param(e, "parameter", "`charset`");
    return false;
}

static void malformed(spk_sql_frame *f, uint32_t i, const char *function)
{
    spk_sql_error *e = spk_sql_raise(f, "MALFORMED_CHARACTER_CODING");
    spk_sql_param(e, "charset", "%.*s", (int)S(1, i).len, S(1, i).ptr);
    spk_sql_param(e, "function", "%s", function);
}

static void put16(char *out, size_t *n, uint32_t x, bool little)
{
    out[(*n)++] = (char)(little ? x : x >> 8);
    out[(*n)++] = (char)(little ? x >> 8 : x);
}

static void encode(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const spark_str s = S(0, i);
        const int set = charset(S(1, i));
        if (set < 0) {
            bad_charset(f, S(1, i));
            return;
        }
        OUT_S(i) = s;
        if (set == UTF_8)
            continue;
        char *out = spk_sql_alloc(f, 4 * s.len + 4, 1);
        size_t n = 0;
        if (!out)
            return;
        if (set == UTF_16)
            put16(out, &n, 0xfeff, false);
        for (size_t k = 0, size; k < s.len; k += size) {
            const uint32_t c = spk_utf8_read(s.ptr + k, s.len - k, &size);
            if (set == US_ASCII || set == LATIN_1) {
                if (c >= (set == US_ASCII ? 0x80u : 0x100u)) {
                    malformed(f, i, "`encode`");
                    return;
                }
                out[n++] = (char)c;
            } else if (set == UTF_32) {
                put16(out, &n, c >> 16, false);
                put16(out, &n, c & 0xffff, false);
            } else if (c >= 0x10000) {
                put16(out, &n, 0xd800 + ((c - 0x10000) >> 10), set == UTF_16LE);
                put16(out, &n, 0xdc00 + ((c - 0x10000) & 0x3ff), set == UTF_16LE);
            } else {
                put16(out, &n, c, set == UTF_16LE);
            }
        }
        OUT_S(i) = (spark_str) { out, n };
    }
}

static uint32_t get16(const char *p, bool little)
{
    const unsigned char *u = (const unsigned char *)p;
    return little ? u[0] | (uint32_t)u[1] << 8 : (uint32_t)u[0] << 8 | u[1];
}

static void decode_charset(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const spark_str s = S(0, i);
        const int set = charset(S(1, i));
        if (set < 0) {
            bad_charset(f, S(1, i));
            return;
        }
        OUT_S(i) = s;
        if (set == UTF_8)
            continue;
        char *out = spk_sql_alloc(f, 4 * s.len + 4, 1);
        size_t n = 0, k = 0;
        if (!out)
            return;
        bool little = set == UTF_16LE;
        if (set == UTF_16 && s.len >= 2
            && (get16(s.ptr, false) == 0xfeff || get16(s.ptr, true) == 0xfeff)) {
            little = get16(s.ptr, true) == 0xfeff;
            k = 2;
        }
        for (size_t b = 0; set == US_ASCII && b < s.len; b++)
            if ((unsigned char)s.ptr[b] >= 0x80) {
                malformed(f, i, "`decode`");
                return;
            }
        if (set == US_ASCII || set == LATIN_1)
            for (; k < s.len; k++)
                n += spk_utf8_write((unsigned char)s.ptr[k], out + n);
        for (; set == UTF_32 && k + 4 <= s.len; k += 4)
            n += spk_utf8_write(
                get16(s.ptr + k, false) << 16 | get16(s.ptr + k + 2, false), out + n);
        for (; set >= UTF_16 && set <= UTF_16LE && k + 2 <= s.len; k += 2) {
            uint32_t c = get16(s.ptr + k, little);
            if (c >= 0xd800 && c < 0xdc00 && k + 4 <= s.len) {
                c = 0x10000 + ((c & 0x3ff) << 10) + (get16(s.ptr + k + 2, little) & 0x3ff);
                k += 2;
            }
            n += spk_utf8_write(c, out + n);
        }
        OUT_S(i) = (spark_str) { out, n };
    }
}

static void url_encode(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const spark_str s = S(0, i);
        char *out = spk_sql_alloc(f, 3 * s.len + 1, 1);
        size_t n = 0;
        if (!out)
            return;
        for (size_t k = 0; k < s.len; k++) {
            const unsigned char c = (unsigned char)s.ptr[k];
            if (digit((char)c) < 36 || c == '-' || c == '_' || c == '.' || c == '*') {
                out[n++] = (char)c;
            } else if (c == ' ') {
                out[n++] = '+';
            } else {
                out[n++] = '%';
                out[n++] = upper_hex[c >> 4];
                out[n++] = upper_hex[c & 15];
            }
        }
        OUT_S(i) = (spark_str) { out, n };
    }
}

static void url_decode(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const spark_str s = S(0, i);
        char *out = spk_sql_alloc(f, s.len + 1, 1);
        size_t n = 0;
        if (!out)
            return;
        for (size_t k = 0; k < s.len; k++) {
            if (s.ptr[k] != '%') {
                out[n++] = (char)(s.ptr[k] == '+' ? ' ' : s.ptr[k]);
                continue;
            }
            if (k + 2 >= s.len || digit(s.ptr[k + 1]) > 15 || digit(s.ptr[k + 2]) > 15) {
                if (strncmp(f->expr->function->name, "try_", 4) == 0) {
                    f->out_valid[i] = 0;
                    break;
                }
                spk_sql_param(
                    spk_sql_raise(f, "CANNOT_DECODE_URL"), "url", "%.*s", (int)s.len, s.ptr);
                return;
            }
            out[n++] = (char)(digit(s.ptr[k + 1]) << 4 | digit(s.ptr[k + 2]));
            k += 2;
        }
        OUT_S(i) = (spark_str) { out, n };
    }
}

/* ---- format_string ---- */

/* layout: what stands between % and the letter. */
typedef struct layout {
    bool left, plus, blank, zero, alternate, comma, bracket;
    size_t width, precision; /* SIZE_MAX: none is given */
} layout;

static size_t read_size(const char **at)
{
    size_t x = 0;
    for (; **at >= '0' && **at <= '9'; ++*at)
        x = x < 100000 ? x * 10 + (size_t)(**at - '0') : x;
    return x;
}

/* read_layout: flags, width and precision, in that order; false: something else. */
static bool read_layout(const char *at, layout *l)
{
    *l = (layout) { .precision = SIZE_MAX };
    for (; *at && strchr("-+ 0#,(", *at); at++) {
        l->left |= *at == '-';
        l->plus |= *at == '+';
        l->blank |= *at == ' ';
        l->zero |= *at == '0';
        l->alternate |= *at == '#';
        l->comma |= *at == ',';
        l->bracket |= *at == '(';
    }
    l->width = read_size(&at);
    if (*at == '.' && at[1]) {
        at++;
        l->precision = read_size(&at);
    }
    return !*at;
}

static void put_many(spk_text *out, char c, size_t from, size_t to)
{
    for (size_t k = from; k < to; k++)
        spk_text_char(out, c);
}

/* put_digits: a number without its sign. */
static void put_digits(spk_text *out, const layout *l, const char *text, size_t n, bool negative)
{
    const size_t whole = strspn(text, "0123456789"), commas = l->comma && whole ? (whole - 1) / 3 : 0;
    const bool sign = negative || l->plus || l->blank;
    const size_t have = n + commas + sign + (negative && l->bracket), width = l->width;
    const bool zeros = l->zero && !l->left && whole > 0;
    if (!l->left && !zeros)
        put_many(out, ' ', have, width);
    if (sign)
        spk_text_char(out, negative ? (l->bracket ? '(' : '-') : l->plus ? '+' : ' ');
    if (zeros)
        put_many(out, '0', have, width);
    for (size_t k = 0; k < n; k++) {
        spk_text_char(out, text[k]);
        if (commas && k + 1 < whole && (whole - k - 1) % 3 == 0)
            spk_text_char(out, ',');
    }
    if (negative && l->bracket)
        spk_text_char(out, ')');
    if (l->left)
        put_many(out, ' ', have, width);
}

/* put_floating: false: no memory. */
static bool put_floating(spk_sql_frame *f, spk_text *out, const layout *l, char letter, double x)
{
    char format[32], few[400], *text = few;
    if (x - x != 0) {
        put_digits(out, l, x != x ? "NaN" : "Infinity", x != x ? 3 : 8, x < 0);
        return true;
    }
    const bool negative = signbit(x) != 0;
    (void)snprintf(format, sizeof format, "%%%s.*%c", l->alternate ? "#" : "", letter);
    const int precision = l->precision == SIZE_MAX ? 6 : (int)l->precision;
    const int n = snprintf(few, sizeof few, format, precision, negative ? -x : x);
    if (n >= (int)sizeof few) {
        text = spk_sql_alloc(f, (size_t)n + 1, 1);
        if (!text)
            return false;
        (void)snprintf(text, (size_t)n + 1, format, precision, negative ? -x : x);
    }
    put_digits(out, l, text, (size_t)n, negative);
    return true;
}

/* put_formatted: one argument by one format: flags, width, precision and the letter. */
static bool put_formatted(
    spk_sql_frame *f, spk_text *out, const char *flags, char letter, uint32_t a, uint32_t i)
{
    const spk_sql_type *t = f->expr->args[a]->type;
    const bool valid = spk_sql_valid(&f->args[a], i);
    const void *value = f->args[a].ptr + i * f->args[a].stride;
    char format[16], text[64];
    layout l;
    const bool plain = letter == 's' || letter == 'S' || letter == 'b';
    if (!read_layout(flags, &l) || (l.comma && !strchr("dfgG", letter)))
        return false;
    if (!valid || plain) {
        spk_text s = spk_text_new(f->arena);
        if (valid)
            spk_sql_put_value(&s, t, value, f->expr->session ? f->expr->session->zone : NULL);
        else
            spk_text_put(&s, "null");
        s.n = s.n < l.precision ? s.n : l.precision;
        const size_t have = spk_utf8_count(s.at ? s.at : "", s.n);
        put_many(out, ' ', have, l.left ? 0 : l.width);
        spk_text_bytes(out, s.at, s.n);
        put_many(out, ' ', have, l.left ? l.width : 0);
        return true;
    }
    const bool integral = spk_sql_is_integral(t);
    const bool floating = t->kind == SPK_SQL_DOUBLE || t->kind == SPK_SQL_FLOAT, decimal = t->kind == SPK_SQL_DECIMAL;
    if (strchr("dxXo", letter) && integral) {
        const int64_t x = spk_sql_integer(t, &f->args[a], i);
        const bool sign = letter == 'd', negative = sign && x < 0;
        const uint64_t mask = sign || t->size == 8 ? UINT64_MAX : (UINT64_C(1) << (8 * t->size)) - 1;
        (void)snprintf(format, sizeof format, "%%%sll%c", l.alternate ? "#" : "", sign ? 'u' : letter);
        const int n = snprintf(
            text, sizeof text, format, (unsigned long long)((negative ? -(uint64_t)x : (uint64_t)x) & mask));
        l.plus = l.plus && sign;
        l.blank = l.blank && sign;
        put_digits(out, &l, text, (size_t)n, negative);
    } else if (strchr("feEgG", letter) && (floating || decimal)) {
        return put_floating(f, out, &l, letter,
            decimal                       ? spk_decimal_double(spk_sql_units(t, value), t->scale)
                : t->kind == SPK_SQL_FLOAT ? (double)*(const float *)value
                                           : *(const double *)value);
    } else if (letter == 'c' && integral) {
        spk_text_bytes(out, text, spk_utf8_write((uint32_t)spk_sql_integer(t, &f->args[a], i), text));
    } else {
        return false;
    }
    return true;
}

static void format_string(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        spk_text out = spk_text_new(f->arena);
        f->out_valid[i] = spk_sql_valid(&f->args[0], i);
        if (!f->out_valid[i])
            continue;
        const spark_str s = S(0, i);
        uint32_t next = 1;
        bool good = true;
        for (size_t k = 0; k < s.len && good; k++) {
            char flags[24];
            size_t n = 0;
            if (s.ptr[k] != '%') {
                spk_text_char(&out, s.ptr[k]);
                continue;
            }
            for (k++; k < s.len && strchr("-+ 0#,(.123456789$", s.ptr[k]) && s.ptr[k]; k++)
                if (n + 1 < sizeof flags)
                    flags[n++] = s.ptr[k];
            flags[n] = '\0';
            uint32_t a = next;
            char *dollar = strchr(flags, '$');
            if (dollar) {
                a = 0;
                for (const char *d = flags; d < dollar; d++)
                    a = a * 10 + (uint32_t)(*d - '0');
                memmove(flags, dollar + 1, strlen(dollar));
            }
            if (k < s.len && s.ptr[k] == '%') {
                spk_text_char(&out, '%');
            } else if (k < s.len && s.ptr[k] == 'n') {
                spk_text_char(&out, '\n');
            } else {
                next += !dollar;
                good = k < s.len && a > 0 && a < f->n_args
                    && put_formatted(f, &out, flags, s.ptr[k], a, i);
            }
        }
        if (!good) {
            spk_sql_error *e = spk_sql_raise(f, "INVALID_PARAMETER_VALUE.PATTERN");
            spk_sql_param(e, "functionName", "`format_string`");
            spk_sql_param(e, "parameter", "`strfmt`");
            spk_sql_param(e, "value", "'%.*s'", (int)s.len, s.ptr);
            return;
        }
        spk_text_end(&out);
        OUT_S(i) = (spark_str) { out.at ? out.at : "", out.n };
    }
}

static SPK_COLD bool resolve_format(spk_sql_build *b, spk_sql_expr *call)
{
    call->type = spk_sql_type_of(SPK_SQL_STRING);
    call->nullable = call->args[0]->nullable;
    return spk_sql_want(b, call, 0, 's');
}

/* mask: letters and digits become X, x, n. */
static void mask(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        f->out_valid[i] = spk_sql_valid(&f->args[0], i); /* a NULL behind it: such signs stay */
        if (!f->out_valid[i])
            continue;
        const spark_str s = S(0, i);
        spk_text out = spk_text_new(f->arena);
        for (size_t k = 0, size; k < s.len; k += size) {
            const uint32_t c = spk_utf8_read(s.ptr + k, s.len - k, &size);
            const uint32_t which = c >= '0' && c <= '9' ? 3
                : spk_case_changes(c, SPK_LOWER)        ? 1
                : spk_case_changes(c, SPK_UPPER)        ? 2
                                                        : 4;
            if (which < f->n_args && spk_sql_valid(&f->args[which], i))
                spk_text_bytes(&out, S(which, i).ptr, S(which, i).len);
            else if (which == 4 || which < f->n_args)
                spk_text_bytes(&out, s.ptr + k, size);
            else
                spk_text_char(&out, which == 1 ? 'X' : which == 2 ? 'x' : 'n');
        }
        OUT_S(i) = (spark_str) { out.at ? out.at : "", out.n };
    }
}

#define F(name_, signature_, least_, most_, kernel_)                                               \
    {                                                                                              \
        .name = name_, .signature = signature_, .least = least_, .most = most_, .kernel = kernel_  \
    }
#define FN(name_, signature_, least_, most_, kernel_)                                              \
    {                                                                                              \
        .name = name_, .signature = signature_, .least = least_, .most = most_, .kernel = kernel_, \
        .flags = SPK_SQL_GIVES_NULL                                                                \
    }

const spk_sql_function spk_sql_codes[] = { F("md5", "t:s", 1, 1, md5), F("sha1", "t:s", 1, 1, sha1),
    F("sha", "t:s", 1, 1, sha1), FN("sha2", "ti:s", 2, 2, sha2), F("crc32", "t:l", 1, 1, crc32),
    { .name = "hash",
        .signature = "a:i",
        .least = 1,
        .most = -1,
        .flags = SPK_SQL_NULL_AWARE | SPK_SQL_NEVER_NULL,
        .kernel = hash },
    { .name = "xxhash64",
        .signature = "a:l",
        .least = 1,
        .most = -1,
        .flags = SPK_SQL_NULL_AWARE | SPK_SQL_NEVER_NULL,
        .kernel = xxhash64 },
    { .name = "hex", .least = 1, .most = 1, .resolve = resolve_hex },
    FN("unhex", "s:x", 1, 1, unhex), F("bin", "l:s", 1, 1, bin), FN("conv", "sii:s", 3, 3, conv),
    F("base64", "x:s", 1, 1, base64), F("unbase64", "s:x", 1, 1, unbase64),
    F("encode", "ss:x", 2, 2, encode),
    { .name = "decode_charset",
        .signature = "xs:s",
        .least = 2,
        .most = 2,
        .kernel = decode_charset,
        .printed = "decode" },
    F("url_encode", "s:s", 1, 1, url_encode), F("url_decode", "s:s", 1, 1, url_decode),
    FN("try_url_decode", "s:s", 1, 1, url_decode),
    { .name = "format_number",
        .least = 2,
        .most = 2,
        .flags = SPK_SQL_GIVES_NULL,
        .kernel = spk_sql_format_number,
        .resolve = spk_sql_resolve_format_number },
    { .name = "format_string",
        .least = 1,
        .most = -1,
        .flags = SPK_SQL_NULL_AWARE,
        .kernel = format_string,
        .resolve = resolve_format },
    { .name = "printf",
        .least = 1,
        .most = -1,
        .flags = SPK_SQL_NULL_AWARE,
        .kernel = format_string,
        .resolve = resolve_format },
    { .name = "mask", .signature = "s:s", .least = 1, .most = 5, .kernel = mask,
        .flags = SPK_SQL_NULL_AWARE | SPK_SQL_GIVES_NULL }, { 0 } };
